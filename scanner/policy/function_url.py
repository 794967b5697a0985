"""A function URL: a way to invoke a function besides the API.

https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html
"""

from __future__ import annotations

from msgspec import UNSET, Struct

from scanner.model.logic import Truth

INVOKE, INVOKE_URL = "lambda:InvokeFunction", "lambda:InvokeFunctionUrl"
AUTH_TYPES = ("NONE", "AWS_IAM")


class FunctionUrl(Struct, frozen=True, kw_only=True):
    """A function URL. `auth_types` are those that it may have; with NONE a request need not be signed.

    `needs_both`: whether lambda:InvokeFunction must be allowed besides lambda:InvokeFunctionUrl. It must for URLs
    created since October 2025. Older URLs are exempt until a date that AWS has not published.
    """

    exists: Truth
    auth_types: tuple[str, ...] = AUTH_TYPES
    needs_both: Truth = UNSET


NO_URL = FunctionUrl(exists=False)
SOME_URL = FunctionUrl(exists=True)
UNKNOWN_URL = FunctionUrl(exists=UNSET)
