"""Amazon Chime SDK for moto, which has none, and the demo organisation.

`models`, `responses` and `urls` have the shape of a moto backend: app instances, channel flows, the channels associated
with them, and tags, per account and region. `lambdareads` is another, for what moto's own Lambda cannot say. IAM,
EventBridge, Organizations and STS are moto's. `organisation` and `surroundings` say what is to be simulated, `seeding`
puts it there, and `server` serves it: ``with start() as aws: ...``. From a shell: ``python -m scanner.simulator``.

The simulation departs from AWS where moto does, and here:

- Both services share one host on the server, so ListTagsForResource answers for app instances and channel flows alike.
- A region without the service has no host to answer in AWS; here it answers ForbiddenException.
- A role need not exist, nor trust the caller, to be assumed: AssumeRole opens every account. An account outside the
  organisation, which an unknown access key belongs to as well, is empty.
- IAM is enforced only where `start` is told to, and then without conditions and permissions boundaries. Then, too, a
  role has to exist to be assumed.
- A policy that a function has without a qualifier is $LATEST's too.
- Lambda's server knows the reads of `lambdareads` and nothing else.
"""

from __future__ import annotations

import re
import sys


def register() -> None:
    """Make moto answer for Amazon Chime SDK, in process (``mock_aws``) and in its server, until the process ends.

    Lambda's reads are answered by the backend here too; its other operations, in process, still by moto's.

    moto looks a service up by URL and then imports ``moto.<service>``; a backend from outside has no other way in.
    """
    # Not at the top: importing moto takes a quarter of a second, and needs the extra.
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
            # Ahead of moto's own Lambda, which answers at the same host.
            backend_index.backend_url_patterns[:0] = [(service, re.compile(base)) for base in bases]
