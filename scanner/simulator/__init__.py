"""Amazon Chime SDK for moto, which has none, and the demo organisation.

`models`, `responses` and `urls` have the shape of a moto backend: app instances, channel flows, the channels associated
with them, and tags, per account and region. `organisation` reads what is to be simulated, `seeding` puts it there, and
`server` serves it: ``with start() as aws: ...``. From a shell: ``python -m scanner.simulator``.

The simulation departs from AWS where moto does, and here:

- Both services share one host on the server, so ListTagsForResource answers for app instances and channel flows alike.
- A region without the service has no host to answer in AWS; here it answers ForbiddenException.
- A role need not exist, nor trust the caller, to be assumed: AssumeRole opens every account. An account outside the
  organisation, which an unknown access key belongs to as well, is empty.
"""

from __future__ import annotations

import re
import sys


def register() -> None:
    """Make moto answer for Amazon Chime SDK, in process (``mock_aws``) and in its server, until the process ends.

    moto looks a service up by URL and then imports ``moto.<service>``; a backend from outside has no other way in.
    """
    # Not at the top: importing moto takes a quarter of a second, and needs the extra.
    from moto import backend_index

    from scanner.simulator import models, urls

    if "moto.chimesdk" not in sys.modules:
        sys.modules["moto.chimesdk"] = models
        backend_index.backend_url_patterns += [("chimesdk", re.compile(base)) for base in urls.url_bases]
