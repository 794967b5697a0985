"""A function's URL, by which it may be invoked besides the API.

https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html
"""

from __future__ import annotations

from msgspec import UNSET, Struct

from scanner.model.logic import Verdict

INVOKE, INVOKE_URL = "lambda:InvokeFunction", "lambda:InvokeFunctionUrl"
AUTH_TYPES = ("NONE", "AWS_IAM")


class FunctionUrl(Struct, frozen=True, kw_only=True):
    """`auth_types` are those that it may have. Of NONE everybody may make use, signed or not.

    `needs_both`: whether lambda:InvokeFunction must be allowed besides lambda:InvokeFunctionUrl. It must for a URL that
    was made since October 2025; older ones were exempt for a time that AWS does not tell the end of.
    """

    exists: Verdict
    auth_types: tuple[str, ...] = AUTH_TYPES
    needs_both: Verdict = UNSET


NO_URL = FunctionUrl(exists=False)
SOME_URL = FunctionUrl(exists=True)
UNKNOWN_URL = FunctionUrl(exists=UNSET)
