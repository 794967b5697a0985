"""Messages that repeat the command line, without what may be a secret: URLs hold passwords, or the key of a webhook."""

from __future__ import annotations

import re
from collections.abc import Iterable

_URL = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://[^\s'\"]*")
_HARMLESS = {"s3", "tcp", "tls"}
"""Schemes of what holds none: places in S3, and schedulers."""
_TELLING = 4
"""Characters behind the scheme that tell a URL of the command line from others, which a message may well repeat."""


def masked(message: str, arguments: Iterable[str]) -> str:
    """The message, with ``scheme://***`` for every URL that was an argument or a part of one."""
    urls = [url for argument in arguments if (url := _URL.search(argument)) and url["scheme"] not in _HARMLESS]
    for url in urls:
        whole = url.string[url.start() :]
        for written in (whole, repr(whole)[1:-1]):
            message = message.replace(written, _shown(url))
    starts = tuple(url[0][: len(url["scheme"]) + len("://") + _TELLING] for url in urls)
    return _URL.sub(lambda found: _shown(found) if found[0].startswith(starts) else found[0], message)


def _shown(url: re.Match[str]) -> str:
    return f"{url['scheme']}://***"
