"""IAM policies and event patterns, judged into facts that rules can read.

Pure functions from the JSON text that AWS gives to a verdict: true, false, or UNSET where the text alone does not
settle it. Nothing here reads, calls or raises; a document that is not one is a document nothing is known of.

    verdict    logic with three values          globs      patterns with wildcards
    documents  JSON text -> Policy              requests   does a policy allow a request
    access, callback, events                    the three questions
"""

from scanner.policy.access import access
from scanner.policy.callback import callback
from scanner.policy.events import EventRule, listens

__all__ = ["EventRule", "access", "callback", "listens"]
