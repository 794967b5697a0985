"""The file format of an organisation to simulate: accounts, regions, app instances, channel flows, and their faults.

Each app instance, channel flow and role lists the ids of the rules that it breaks (`expect`; none if it is healthy).
ARNs are derived from names, so a file always gives the same ARNs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, TypeVar
from uuid import UUID, uuid5

import msgspec
import yaml
from msgspec import Meta, Struct, field

from scanner.errors import UsageError
from scanner.model import encoding
from scanner.model.facts import GLOBAL
from scanner.simulator.surroundings import (
    FAILURE_ALERT,
    PROCESSOR_ROLE,
    TAMPER_ALERT,
    Alert,
    Function,
    Role,
    RuleId,
    Statement,
    tamper_alert,
)

DEMO = Path(__file__).with_name("demo.yaml")

ARN_NAMESPACE = UUID("6f6d1c1e-5a0c-5d0c-9a39-1f6c1d6f0b1a")

AccountId = Annotated[str, Meta(pattern=r"^[0-9]{12}$")]
Name = Annotated[str, Meta(min_length=1, max_length=256)]
FunctionName = Annotated[str, Meta(pattern=r"^[a-zA-Z0-9_-]{1,64}$")]
RoleName = Annotated[str, Meta(pattern=r"^[a-zA-Z0-9_+=,.@-]{1,64}$")]
AlertName = Annotated[str, Meta(pattern=r"^[a-zA-Z0-9_.{}-]{1,64}$")]
FunctionReference = Annotated[
    str,
    Meta(pattern=r"^(arn:aws:lambda:[a-z0-9-]+:[0-9]{12}:function:)?[a-zA-Z0-9_.-]+(:(\$LATEST|[a-zA-Z0-9_-]+))?$"),
]
Region = Annotated[str, Meta(pattern=r"^[a-z]{2}(-[a-z]+)+-[0-9]$")]
Repeat = Annotated[int, Meta(ge=1, le=100_000)]

READ_ONLY: tuple[Statement, ...] = (
    {"Effect": "Allow", "Action": ["chime:Describe*", "chime:Get*", "chime:List*"], "Resource": "*"},
    {"Effect": "Allow", "Action": ["lambda:Get*", "iam:Get*", "iam:List*", "events:List*"], "Resource": "*"},
    {"Effect": "Allow", "Action": ["organizations:Describe*", "organizations:List*"], "Resource": "*"},
    {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"},
)


class Processor(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"lambda_": "lambda"}):
    """A processor. `lambda` is an ARN, or ``function[:qualifier]`` in the flow's own account and region.

    By default `name` is the function's name and `order` the place in the list.
    """

    lambda_: FunctionReference
    name: Name | None = None
    order: Annotated[int, Meta(ge=1, le=3)] | None = None
    fallback: Literal["ABORT", "CONTINUE"] = "ABORT"


class ChannelFlow(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A channel flow. `repeat` makes several, with ``{n}`` in the name as a number from 1.

    `channels` is the number of channels that it processes; `updated` is the day of its last update, by default the day
    of its creation.
    """

    name: Name
    repeat: Repeat = 1
    processors: Annotated[tuple[Processor, ...], Meta(min_length=1, max_length=3)]
    channels: Annotated[int, Meta(ge=0, le=1000)] = 1
    updated: date | None = None
    tags: dict[str, str] = field(default_factory=dict)
    expect: frozenset[RuleId] = frozenset()


class AppInstance(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An app instance. `repeat` makes several, with ``{n}`` in the name as a number; each has all the channel flows.

    `channels` is the number of channels without a channel flow, and `admins` that of its admins.
    """

    name: Name
    repeat: Repeat = 1
    channel_flows: tuple[ChannelFlow, ...] = ()
    channels: Annotated[int, Meta(ge=0, le=1000)] = 0
    admins: Annotated[int, Meta(ge=0, le=100)] = 1
    retention_days: Annotated[int, Meta(ge=1, le=5475)] | None = None
    tags: dict[str, str] = field(default_factory=dict)
    expect: frozenset[RuleId] = frozenset()


class Account(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An account. `unit` is an organizational unit below the root.

    `app_instances`, `functions` and `alerts` are by region. The default role of functions, and an alert in each region
    with app instances, exist without being described.
    """

    id: AccountId
    name: Annotated[str, Meta(min_length=1, max_length=50)]
    unit: Annotated[str, Meta(min_length=1, max_length=128)] | None = None
    suspended: bool = False
    app_instances: dict[Region, tuple[AppInstance, ...]] = field(default_factory=dict)
    functions: dict[Region, dict[FunctionName, Function]] = field(default_factory=dict)
    roles: dict[RoleName, Role] = field(default_factory=dict)
    alerts: dict[Region, dict[AlertName, Alert]] = field(default_factory=dict)

    @property
    def all_roles(self) -> Mapping[str, Role]:
        return {PROCESSOR_ROLE: Role()} | self.roles

    @property
    def all_alerts(self) -> Mapping[str, Mapping[str, Alert]]:
        usual = {FAILURE_ALERT: Alert(), TAMPER_ALERT: tamper_alert()}
        return dict.fromkeys(self.app_instances, usual) | self.alerts


class Organisation(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An organisation to simulate.

    `audit_policy` is the policy of the user whose key is returned, and of the role that an audit assumes in each
    account. It matters only if IAM is enforced.
    """

    management: Account
    members: tuple[Account, ...] = ()
    audit_policy: tuple[Statement, ...] = READ_ONLY

    @property
    def accounts(self) -> tuple[Account, ...]:
        return self.management, *self.members


Entry = TypeVar("Entry", AppInstance, ChannelFlow)


class Placed(NamedTuple):
    """A single app instance in its account and region, with its channel flows; `repeat` is resolved."""

    account_id: str
    region: str
    arn: str
    name: str
    app_instance: AppInstance
    channel_flows: tuple[PlacedFlow, ...]


class PlacedFlow(NamedTuple):
    """A single channel flow of an app instance, with its ARN; `repeat` is resolved."""

    arn: str
    name: str
    channel_flow: ChannelFlow


class Expectation(NamedTuple):
    """A finding that is expected: the rule, and the app instance, channel flow or role that breaks it."""

    account_id: str
    region: str
    resource_arn: str
    rule_id: str


class _Loader(yaml.CSafeLoader):
    """A loader that refuses duplicate keys, of which YAML would silently drop the first."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in seen:
                raise yaml.constructor.ConstructorError(None, None, f"{key.value} is there twice", key.start_mark)
            seen.add(key.value if isinstance(key, yaml.ScalarNode) else None)
        return super().construct_mapping(node, deep)


def load(path: Path = DEMO) -> Organisation:
    """Read the organisation that a file describes.

    Raises:
        UsageError: the file cannot be read, or is invalid.
    """
    try:
        document = yaml.load(encoding.utf8(path.read_bytes()).decode(), Loader=_Loader)  # noqa: S506 - a SafeLoader
        organisation = msgspec.convert(document, Organisation)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else str(path)
        raise _unusable(place, error.problem or "not YAML") from error
    except UnicodeDecodeError as error:
        raise _unusable(path, "not text in UTF-8, UTF-16 or UTF-32") from error
    except yaml.YAMLError as error:
        raise _unusable(path, "not YAML") from error
    except OSError as error:
        raise _unusable(path, error.strerror or "cannot be read") from error
    except msgspec.ValidationError as error:
        raise _unusable(path, str(error)) from error
    repeated = [account_id for account_id, n in Counter(a.id for a in organisation.accounts).items() if n > 1]
    if repeated:
        raise _unusable(path, f"account {repeated[0]} is there twice")
    return organisation


def placed(organisation: Organisation) -> Iterator[Placed]:
    """Every single app instance of the organisation, with its ARN and its channel flows."""
    for account in organisation.accounts:
        for region, app_instances in account.app_instances.items():
            parent = f"arn:aws:chime:{region}:{account.id}:app-instance"
            for arn, name, app_instance in _repeated(parent, app_instances):
                flows = _repeated(f"{arn}/channel-flow", app_instance.channel_flows)
                yield Placed(account.id, region, arn, name, app_instance, tuple(PlacedFlow(*flow) for flow in flows))


def expected(organisation: Organisation) -> frozenset[Expectation]:
    """Exactly the findings that the rules of the profiles default, channels and chat-access should have."""
    of_roles = frozenset(
        Expectation(account.id, GLOBAL, f"arn:aws:iam::{account.id}:role{role.path}{name}", rule_id)
        for account in organisation.accounts
        for name, role in account.roles.items()
        for rule_id in role.expect
    )
    return of_roles | frozenset(
        Expectation(instance.account_id, instance.region, arn, rule_id)
        for instance in placed(organisation)
        for arn, resource in _resources(instance)
        for rule_id in resource.expect
    )


def child_arn(parent: str, name: str, occurrence: int = 1) -> str:
    """The ARN of the nth resource of this name below a parent; it is always the same."""
    return f"{parent}/{uuid5(ARN_NAMESPACE, f'{parent}/{name}/{occurrence}')}"


def _resources(instance: Placed) -> Iterator[tuple[str, AppInstance | ChannelFlow]]:
    yield instance.arn, instance.app_instance
    yield from ((flow.arn, flow.channel_flow) for flow in instance.channel_flows)


def _repeated(parent: str, entries: Sequence[Entry]) -> Iterator[tuple[str, str, Entry]]:
    seen: Counter[str] = Counter()
    for entry in entries:
        for n in range(1, entry.repeat + 1):
            name = entry.name.replace("{n}", str(n))
            seen[name] += 1
            yield child_arn(parent, name, seen[name]), name, entry


def _unusable(place: Path | str, problem: str) -> UsageError:
    line = " ".join(f"{place}: {problem}".split())
    return UsageError(line, hint="The demo organisation, scanner/simulator/demo.yaml, shows the form.")
