"""Judges IAM policies and event patterns, and gives the facts that rules read.

These are pure functions. They take the JSON text that AWS gives and return a truth: true, false, or UNSET where the
text alone does not settle it. They raise nothing: a text that is not a valid document gives UNSET.

    logic      logic with three values          globs      patterns with wildcards
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
