"""Judges IAM policies and event patterns, and gives the facts that rules read.

These are pure functions. They take the JSON text that AWS gives and return a truth: true, false, or UNSET where the
text alone does not settle it. They raise nothing: a text that is not a valid document gives UNSET.

    statements      JSON text -> Policy
    evaluation      does a policy allow a request
    iam_conditions  does a condition hold in a request
    globs           patterns with wildcards
    issued          ids of strangers, whom no policy names
    function_url    a way to invoke a function besides the API
    variables       values in place of policy variables
    trust           whose users may be given a role
    access, callback, chat_roles, events   the four questions; access asks for two kinds of callers: app_instances,
                    principals
"""

from scanner.policy.access import access, may_hang_on_url
from scanner.policy.callback import callback
from scanner.policy.chat_roles import LEFT_OUT, MESSAGING_REGIONS, ChatRole, LeftOut, RoleDocuments, chat_role
from scanner.policy.events import Event, failure_event, matches, tamper_events
from scanner.policy.function_url import NO_URL, SOME_URL, UNKNOWN_URL, FunctionUrl

__all__ = [
    "LEFT_OUT",
    "MESSAGING_REGIONS",
    "NO_URL",
    "SOME_URL",
    "UNKNOWN_URL",
    "ChatRole",
    "Event",
    "FunctionUrl",
    "LeftOut",
    "RoleDocuments",
    "access",
    "callback",
    "chat_role",
    "failure_event",
    "matches",
    "may_hang_on_url",
    "tamper_events",
]
