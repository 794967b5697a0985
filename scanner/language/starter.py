"""The template of a new rule file: a valid rule with comments, which passes its own tests."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Final

from scanner.model.report import ResourceType

SCHEMA_FILE = "rule-1.1.json"

_TEMPLATE = f"""\
# yaml-language-server: $schema={SCHEMA_FILE}
# With this line an editor completes the keys; `chimeaudit rules schema` prints that file anew.
# The id is the file's name, and the topic the folder's.
id: <ID>
title: <TITLE>
severity: low                 # critical, high, medium, low or info
status: experimental          # stable once its verdicts may be relied on
profiles: [default]
resource: <RESOURCE>
# Why it matters: what can happen, and to whom.
rationale: >
  A name that starts with the stage says at a glance whether a change can reach real conversations.
# What to do. A command on a line of its own can be copied from the report, where words such as REGION and PROCESSORS
# give way to what is known of the resource.
remediation: |
  <ADVICE>
<COMMAND>
references:
  - <REFERENCE>
# Values that others may set in chimeaudit.yaml without writing a rule of their own.
params:
  prefix: {{type: string, default: prod-, description: What names must start with}}
# What must hold; `when:`, beside it, says where the rule applies. `chimeaudit rules show ID` shows how others do.
require:
  name: {{starts_with: {{param: prefix}}}}
# What a finding says; placeholders are fields.
message: "<WHAT> {{name}} is not named after its stage"
# Each test gives only what matters to it; the rest is in good order. `chimeaudit rules test PATH` runs them.
tests:
  - name: a name with the prefix
    given: {{name: prod-moderation}}
    expect: pass
  - name: a name without it
    given: {{name: moderation}}
    expect: fail
  - name: the plain word unknown is a fact that could not be observed
    given: {{name: unknown}}
    expect: unknown
"""
_PLACEHOLDER = re.compile("<([A-Z]+)>")
_PLAIN = re.compile("[A-Z]?[a-z]+([ -][a-z]+)+")
"""What YAML takes for text without quotes; a single word may be `null` or `true`."""
_API = "https://docs.aws.amazon.com/chime-sdk/latest/APIReference"
_SPECIFIC: Final[Mapping[ResourceType, Mapping[str, str]]] = {
    "channel_flow": {
        "WHAT": "channel flow",
        "ADVICE": "Rename it:",
        "REFERENCE": f"{_API}/API_messaging-chime_UpdateChannelFlow.html",
        "COMMAND": r"""  aws chime-sdk-messaging update-channel-flow --region REGION \
    --channel-flow-arn CHANNEL_FLOW_ARN --name NEW_NAME --processors PROCESSORS""",
    },
    "app_instance": {
        "WHAT": "app instance",
        "ADVICE": "Rename it:",
        "REFERENCE": f"{_API}/API_identity-chime_UpdateAppInstance.html",
        "COMMAND": r"""  aws chime-sdk-identity update-app-instance --region REGION \
    --app-instance-arn APP_INSTANCE_ARN --name NEW_NAME --metadata NEW_METADATA""",
    },
    "role": {
        "WHAT": "role",
        "ADVICE": "IAM renames no role. Make one with a good name and what this one has, and give that to the users:",
        "REFERENCE": "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html",
        "COMMAND": "  aws iam get-role --role-name ROLE_NAME",
    },
}


def rendered(id_: str, resource: ResourceType, title: str | None = None) -> str:
    """The text of a new rule file; without a title, the rule has the words of its id."""
    words = id_.replace("-", " ").capitalize() if title is None else title.strip()
    values = {"ID": _text(id_), "TITLE": _text(words), "RESOURCE": resource, **_SPECIFIC[resource]}
    return _PLACEHOLDER.sub(lambda found: values[found[1]], _TEMPLATE)


def _text(text: str) -> str:
    """A printable text as YAML."""
    return text if _PLAIN.fullmatch(text) else json.dumps(text, ensure_ascii=False)
