"""IAM policies and event patterns, judged into facts that rules can read.

Pure functions from the JSON text that AWS gives to a verdict: true, false, or UNSET where the text alone does not
settle it. Nothing here reads, calls or raises; a document that is not one is a document nothing is known of.

    verdict    logic with three values          globs      patterns with wildcards
    documents  JSON text -> Policy              requests   does a policy allow a request
    issued     ids of whom no policy names      function_url  by which a function may be invoked, too
    access, callback, events                    the three questions
    app_instances, principals                   the two kinds of callers that access asks for
"""

from scanner.policy.access import access, may_hang_on_url
from scanner.policy.callback import callback
from scanner.policy.events import EventRule, listens
from scanner.policy.function_url import NO_URL, SOME_URL, UNKNOWN_URL, FunctionUrl

__all__ = [
    "NO_URL",
    "SOME_URL",
    "UNKNOWN_URL",
    "EventRule",
    "FunctionUrl",
    "access",
    "callback",
    "listens",
    "may_hang_on_url",
]
