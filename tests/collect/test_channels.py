"""The facet all_channels: what is counted, by which calls, what a race or a refusal makes of it, and what is kept."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec import UNSET

from scanner.collect.task import ChannelTerms, Task, fast, slow
from scanner.collect.threads import Turns
from scanner.collect.worker import Worker
from scanner.model.facts import AppInstance, Channels
from scanner.store.journal import Target
from scanner.store.target_file import TargetReader
from tests.answers import Answer, Call, error, truth
from tests.fake_aws import FakeAws, Flow
from tests.healthy import ACCOUNT
from tests.tenant import SECRET, Tenant

TARGET = Target(account_id=ACCOUNT, region="us-east-1")
APP_INSTANCE = f"arn:aws:chime:us-east-1:{ACCOUNT}:app-instance/tenant"
OPERATIONS = ("ListAppInstanceAdmins", "ListChannels", "ListChannelsAssociatedWithChannelFlow", "DescribeChannel")

Read = Callable[..., AppInstance]


@pytest.fixture
def tenant(aws: FakeAws) -> Tenant:
    tenant = Tenant()
    aws.inventory = {"us-east-1": {"tenant": [Flow(), Flow()]}}
    aws.faults.append(tenant)
    return tenant


@pytest.fixture
def read(aws_in_environment: FakeAws, tmp_path: Path) -> Read:
    """Read the tenant as a last try, with these terms; the app instance as the journal has it."""

    def read(**terms: object) -> AppInstance:
        assert aws_in_environment.url
        task = Task(
            target=TARGET,
            facets=frozenset({"all_channels"}),
            path=tmp_path / "journal",
            pace=slow(fast(1), 1, 1),
            channels=ChannelTerms(**{"calls_per_second": 1e6} | terms),  # type: ignore[arg-type]  # terms by name
        )
        assert Worker(threading.Event(), [TARGET]).do(task).complete
        (found,) = TargetReader(task.path).app_instances()
        return found.app_instance

    return read


@pytest.fixture(autouse=True)
def _no_waiting_for_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scanner.collect.channels._LISTS_PER_SECOND", 1e6)


def channels(app_instance: AppInstance) -> Channels:
    assert isinstance(app_instance.channels, Channels)
    return app_instance.channels


def calls(aws: FakeAws) -> list[int]:
    counted = Counter(call.operation for call in aws.calls)
    return [counted[operation] for operation in OPERATIONS]


def numbers(app_instance: AppInstance) -> tuple[object, ...]:
    seen = channels(app_instance)
    return seen.count, seen.suspects, seen.unprocessed, seen.unprocessed_at_least


def many(number: int, flow: int | None) -> dict[str, int | None]:
    return {f"{'open' if flow is None else 'safe'}-{each:05}": flow for each in range(number)}


def test_channels_that_no_flow_processes_are_counted_by_the_fewest_calls(
    aws: FakeAws, tenant: Tenant, read: Read
) -> None:
    tenant.channels = {**many(120, 0), **many(30, None), "other": 1}

    found = read()

    assert numbers(found) == (151, 30, 30, 30)
    assert found.gaps == {}
    assert channels(found).seen_as == f"{APP_INSTANCE}/user/adam"
    assert channels(found).unprocessed_examples == tuple(f"{APP_INSTANCE}/channel/open-{n:05}" for n in range(20))
    assert calls(aws) == [1, 4, 3 + 1, 30]
    operations = [call.operation for call in aws.calls if call.operation in OPERATIONS[1:]]
    assert operations == sorted(operations, key=OPERATIONS.index), "channels first, then those of flows, then suspects"


def test_no_channel_is_suspected_where_flows_process_all(aws: FakeAws, tenant: Tenant, read: Read) -> None:
    tenant.channels = {"a": 0, "b": 1}

    assert numbers(read()) == (2, 0, 0, 0)
    assert calls(aws) == [1, 1, 2, 0]


def test_an_app_instance_without_flows_has_only_unprocessed_channels(aws: FakeAws, tenant: Tenant, read: Read) -> None:
    aws.inventory = {"us-east-1": {"tenant": []}}
    tenant.channels = many(3, None)

    assert numbers(read()) == (3, 3, 3, 3)


def test_admins_share_the_questions_about_suspects(aws: FakeAws, tenant: Tenant, read: Read) -> None:
    tenant.channels = many(20, None)

    read(calls_per_second=1_000)

    asked = Counter(call.parameters["bearer"].rpartition("/")[2] for call in aws.asked("DescribeChannel"))
    assert set(asked) == {"adam", "zoe"}
    assert asked.total() == 20


@pytest.mark.parametrize(
    ("case", "asked"),
    [
        pytest.param((1_000, 0), 1_000, id="an exact number up to a thousand"),
        pytest.param((1_001, 0), 50, id="the verdict is clear at first"),
        pytest.param((1_001, 60), 61, id="more are allowed"),
    ],
)
def test_suspects_are_asked_about_as_long_as_it_matters(
    aws: FakeAws, tenant: Tenant, read: Read, case: tuple[int, int], asked: int
) -> None:
    number, allowed = case
    tenant.channels = many(number, None)

    found = read(allowed=allowed)

    exact = number if asked == number else UNSET
    assert numbers(found) == (number, number, exact, asked)
    assert calls(aws)[3] == asked
    assert {path: gap.code for path, gap in found.gaps.items()} == (
        {} if asked == number else {"channels.unprocessed": "NotAsked"}
    )


@pytest.mark.parametrize("operation", ["ListChannelsAssociatedWithChannelFlow", "DescribeChannel"])
@pytest.mark.parametrize(("change", "unprocessed"), [(("a", 0), 0), (("new", None), 0)], ids=["associated", "created"])
def test_what_changes_meanwhile_gives_no_false_failure(
    tenant: Tenant, read: Read, operation: str, change: tuple[str, int | None], unprocessed: int
) -> None:
    tenant.channels = {"a": None if change[0] == "a" else 0, "b": 0}
    tenant.before = lambda call: tenant.channels.update([change]) if call.operation == operation else None

    assert numbers(read())[2:] == (unprocessed, unprocessed)


def test_a_channel_created_while_channels_are_listed_does_not_count(tenant: Tenant, read: Read) -> None:
    tenant.channels = {"old": None, "new": None}
    tenant.created = {"old": 1.0, "new": 9e9}

    found = read()

    assert numbers(found) == (2, 2, 1, 1)
    assert channels(found).unprocessed_examples == (f"{APP_INSTANCE}/channel/old",)


def test_a_channel_deleted_meanwhile_does_not_count(tenant: Tenant, read: Read) -> None:
    tenant.channels = {"a": None, "b": None, "c": None}

    def deleting(call: Call) -> None:
        if call.operation == "DescribeChannel":
            tenant.channels.pop("b", None)

    tenant.before = deleting

    found = read()

    assert numbers(found) == (3, 3, 2, 2)
    assert found.gaps == {}


def test_a_channel_that_nobody_may_see_leaves_the_number_unknown(tenant: Tenant, read: Read) -> None:
    tenant.channels = {"a": None}
    tenant.before = lambda call: tenant.channels.clear() if call.operation == "DescribeChannel" else None

    found = read()

    assert numbers(found) == (1, 1, UNSET, 0)
    assert found.gaps["channels.unprocessed"].code == "ForbiddenException"


def test_a_refused_admin_is_passed_over(aws: FakeAws, tenant: Tenant, read: Read) -> None:
    tenant.channels = {"a": None}
    tenant.gone = {"user/adam"}

    found = read()

    assert numbers(found) == (1, 1, 1, 1)
    assert channels(found).seen_as == f"{APP_INSTANCE}/user/zoe"
    assert {call.parameters["bearer"] for call in aws.asked("DescribeChannel")} == {f"{APP_INSTANCE}/user/zoe"}


def test_an_admin_who_is_deleted_half_way_is_passed_over_and_all_is_listed_again(
    aws: FakeAws, tenant: Tenant, read: Read
) -> None:
    tenant.channels = {**many(60, 0), "a": None}
    tenant.before = lambda call: tenant.gone.add("user/adam") if call.token else None

    assert numbers(read()) == (61, 1, 1, 1)
    assert calls(aws)[1] == 4


def test_five_refused_admins_are_enough(aws: FakeAws, tenant: Tenant, read: Read) -> None:
    tenant.admins = [f"user/{number}" for number in range(9)]
    tenant.gone = set(tenant.admins)

    found = read()

    assert found.channels is UNSET
    assert found.gaps["channels"].operation == "ListChannels"
    assert calls(aws) == [1, 5, 0, 0]


def test_without_an_admin_channels_are_unknown(aws: FakeAws, tenant: Tenant, read: Read) -> None:
    tenant.admins = []

    found = read()

    assert found.channels is UNSET
    assert found.gaps["channels"].code == "NoBearer"
    assert calls(aws) == [1, 0, 0, 0]


@pytest.mark.parametrize("named", ["auditor", "user/auditor", "bot/auditor"])
def test_a_named_admin_alone_is_asked_as(aws: FakeAws, tenant: Tenant, read: Read, named: str) -> None:
    bearer = named if "/" in named else f"user/{named}"
    tenant.channels = many(3, None)
    tenant.admins = [*(f"user/{number}" for number in range(60)), bearer]

    found = read(bearer=named)

    assert numbers(found) == (3, 3, 3, 3)
    assert calls(aws)[0] == 2, "the named one is on the second page"
    assert {call.parameters.get("bearer") for call in aws.calls} == {None, f"{APP_INSTANCE}/{bearer}"}


@pytest.mark.usefixtures("tenant")
def test_a_named_user_who_is_no_admin_is_not_asked_as_since_few_channels_would_be_seen(
    aws: FakeAws, read: Read
) -> None:
    found = read(bearer="visitor")

    assert found.channels is UNSET
    assert found.gaps["channels"].code == "NoBearer"
    assert calls(aws) == [1, 0, 0, 0]


@pytest.mark.parametrize("denied", OPERATIONS)
def test_a_denied_operation_is_unknown_never_clean(aws: FakeAws, tenant: Tenant, read: Read, denied: str) -> None:
    tenant.channels = {"a": 0, "b": None}
    message = f"User: arn:aws:iam::1:user/a is not authorized to perform: chime:{denied}"
    aws.faults.insert(0, lambda call: error(403, "ForbiddenException", message) if call.operation == denied else None)

    found = read()

    assert found.channels is UNSET or channels(found).unprocessed is UNSET
    (gap,) = set(found.gaps.values())
    assert (gap.operation, gap.code, gap.resource_arn) == (denied, "ForbiddenException", APP_INSTANCE)
    if denied == "ListChannelsAssociatedWithChannelFlow":
        assert channels(found).unprocessed_at_least == 1, "what is confirmed stays certain"


def test_beyond_the_most_what_was_found_is_certain_and_the_rest_a_gap(aws: FakeAws, tenant: Tenant, read: Read) -> None:
    tenant.channels = {**many(80, None), **many(300, 0)}

    found = read(most=100)

    assert numbers(found) == (UNSET, 80, UNSET, 50)
    assert {path: gap.code for path, gap in found.gaps.items()} == {
        "channels.count": "TooMany",
        "channels.unprocessed": "TooMany",
    }
    assert calls(aws) == [1, 2, 3, 50]


def test_with_nothing_found_beyond_the_most_the_number_is_unknown(tenant: Tenant, read: Read) -> None:
    tenant.channels = many(120, 0)

    assert numbers(read(most=50)) == (UNSET, 0, UNSET, 0)


def test_a_list_that_lacks_most_of_what_flows_process_is_doubted(aws: FakeAws, tenant: Tenant, read: Read) -> None:
    tenant.channels = many(5, 0)
    few = truth({"Channels": []})
    aws.faults.insert(0, lambda call: few if call.operation == "ListChannels" else None)

    found = read()

    assert numbers(found) == (UNSET, 0, UNSET, 0)
    assert found.gaps["channels.unprocessed"].code == "IncompleteList"


@pytest.mark.parametrize("operation", OPERATIONS[1:3])
def test_endless_pages_end(aws: FakeAws, tenant: Tenant, read: Read, operation: str) -> None:
    tenant.channels = {"a": None}
    fresh = iter(range(10**6))

    def endless(call: Call) -> Answer | None:
        same = {"ChannelArn": f"{APP_INSTANCE}/channel/a"}
        return truth({"Channels": [same], "NextToken": f"{next(fresh)}"}) if call.operation == operation else None

    aws.faults.insert(0, endless)

    found = read()

    assert channels(found).unprocessed is UNSET
    assert found.gaps["channels.unprocessed"].code == "EndlessPages"
    assert len(aws.asked(operation)) < 200


def test_what_is_listed_twice_counts_once(aws: FakeAws, tenant: Tenant, read: Read) -> None:
    twice = truth({"Channels": [{"ChannelArn": f"{APP_INSTANCE}/channel/a"}] * 2})
    tenant.channels = {"a": None}
    aws.faults.insert(0, lambda call: twice if call.operation == "ListChannels" else None)

    assert numbers(read()) == (1, 1, 1, 1)


def test_channels_of_another_account_are_a_gap(aws: FakeAws, tenant: Tenant, read: Read) -> None:
    foreign = truth({"Channels": [{"ChannelArn": APP_INSTANCE.replace(ACCOUNT, "999999999999") + "/channel/a"}]})
    assert tenant.channels == {}
    aws.faults.insert(0, lambda call: foreign if call.operation == "ListChannels" else None)

    found = read()

    assert numbers(found) == (UNSET, 0, UNSET, 0)
    assert found.gaps["channels.unprocessed"].code == "OtherAccount"


def test_a_throttled_question_is_asked_again(aws: FakeAws, tenant: Tenant, read: Read) -> None:
    tenant.channels = {"a": None}
    throttles = [error(429, "ThrottledClientException")]
    aws.faults.insert(0, lambda call: throttles.pop() if call.operation == "DescribeChannel" and throttles else None)

    assert numbers(read()) == (1, 1, 1, 1)


def test_a_list_of_flows_that_broke_leaves_the_number_unknown(aws: FakeAws, tenant: Tenant, read: Read) -> None:
    aws.inventory = {"us-east-1": {"tenant": [Flow()] * 60}}
    tenant.channels = {"a": 0, "b": 55, "c": None}
    aws.faults.insert(
        0, lambda call: error(403, "AccessDenied") if call.operation == "ListChannelFlows" and call.token else None
    )

    found = read()

    assert numbers(found) == (3, 2, UNSET, 1)
    assert found.gaps["channels.unprocessed"].operation == "ListChannelFlows"


def test_names_and_metadata_reach_no_journal(tenant: Tenant, read: Read, tmp_path: Path) -> None:
    tenant.channels = many(60, None)
    read()

    written = (tmp_path / "journal").read_text()

    assert "open-00000" in written
    assert "open-00059" not in written, "a summary, not a line a channel"
    assert SECRET not in written


class Clock:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_turns_keep_to_the_rate_of_every_key() -> None:
    clock = Clock()
    turns = Turns(lambda: None, clock, clock.sleep)
    times = []

    for _ in range(11):
        turns.take({"ada": 2.0, "tenant": 5.0})
        times.append(clock.now)
    turns.take({"zoe": 2.0})

    assert times == pytest.approx([n / 2 for n in range(11)])
    assert clock.now == times[-1], "another admin need not wait"
    assert turns.soonest(["ada", "new", "zoe"]) == "new"


def test_waiting_for_a_turn_ends_when_the_scan_is_stopped() -> None:
    clock = Clock()

    def check() -> None:
        if clock.now > 1:
            raise KeyboardInterrupt

    turns = Turns(check, clock, clock.sleep)
    turns.take({"ada": 0.001})

    with pytest.raises(KeyboardInterrupt):
        turns.take({"ada": 0.001})

    assert clock.now < 2
