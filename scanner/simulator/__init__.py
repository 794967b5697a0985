"""Simulates Amazon Chime SDK, which moto lacks, and the demo organisation.

`models`, `responses` and `urls` form a moto backend of app instances, channel flows, their channels and tags in each
account and region. `lambdareads` is another backend, for what moto's own Lambda cannot answer. IAM, EventBridge,
Organizations and STS are moto's. `organisation` and `surroundings` describe what to simulate, `seeding` creates it, and
`server` serves it: ``with start() as aws: ...``. From a shell: ``python -m scanner.simulator``.

The simulation differs from AWS where moto does, and as follows:

- Both services share one host on the server, so ListTagsForResource answers for app instances and channel flows alike.
- AWS has no host for a region without the service. Here such a region answers ForbiddenException.
- AssumeRole works for every account, even if the role does not exist or does not trust the caller. An account outside
  the organisation is empty; an unknown access key belongs to such an account.
- IAM is enforced only if `start` is told to, and then without conditions and permissions boundaries. Then a role must
  exist to be assumed.
- GetAccountAuthorizationDetails has one page, however much is on it, and AWS's managed policies count as the account's.
- A function's policy without a qualifier is also that of $LATEST.
- The server of Lambda answers the reads of `lambdareads` and nothing else.
"""

from __future__ import annotations

import re
import sys


def register() -> None:
    """Make moto answer for Amazon Chime SDK, in process (``mock_aws``) and in its server, until the process ends.

    Lambda's reads are answered by `lambdareads`; in process, moto still answers Lambda's other operations.

    moto finds a service by URL and then imports ``moto.<service>``, so this is the only way to add a backend.
    """
    # Imported here, since moto takes a quarter of a second to import and needs the extra.
    from moto import backend_index

    from scanner.simulator import models, urls
    from scanner.simulator.lambdareads import models as lambda_models
    from scanner.simulator.lambdareads import urls as lambda_urls

    for service, service_models, bases in (
        ("chimesdk", models, urls.url_bases),
        ("lambdareads", lambda_models, lambda_urls.url_bases),
    ):
        if f"moto.{service}" not in sys.modules:
            sys.modules[f"moto.{service}"] = service_models
            # First, since moto's own Lambda answers at the same host.
            backend_index.backend_url_patterns[:0] = [(service, re.compile(base)) for base in bases]
