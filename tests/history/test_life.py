"""Random nights, compared with a slow reference: the history has the right life of each finding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from scanner.history import database
from scanner.history.address import Address
from scanner.model.report import Finding, Report, ReportedGap
from tests.history.nights import all_changes, at, failing, kept, lives, report, waived
from tests.render import sample

NAMES = ("a", "b", "c")
Sight = Literal["failing", "waived", "absent", "hidden", "unknown"]


@dataclass(frozen=True)
class Night:
    """The result of each finding in a night; a blind night did not run the rule at all."""

    sights: tuple[Sight, ...]
    blind: bool = False

    @property
    def seen(self) -> Sequence[Sight]:
        return ["hidden"] * len(self.sights) if self.blind else self.sights

    def report(self, number: int) -> Report:
        found: list[Finding] = []
        gaps: list[ReportedGap] = []
        for name, sight in zip(NAMES, self.sights, strict=True):
            flow = sample.flow(name)
            match sight:
                case "failing":
                    found += failing(name)
                case "waived":
                    found += waived(name)
                case "unknown":
                    found.append(sample.unknown(sample.FAILS_OPEN, flow, "processors", None))
                case "hidden":
                    gaps.append(
                        ReportedGap(
                            account_id=flow.account_id,
                            region=flow.region,
                            resource_arn=flow.arn,
                            operation="DescribeChannelFlow",
                            code="AccessDenied",
                            reason="denied",
                        )
                    )
        if self.blind:
            return report(number, rules=(sample.PUBLIC,), gaps=tuple(gaps))
        return report(number, found, gaps=tuple(gaps))


@dataclass
class Life:
    """The reference implementation: the life of one finding, night by night."""

    state: str | None = None
    first_seen: str = ""
    last_seen: str = ""
    changes: list[tuple[str, str | None, str]] = field(default_factory=list)

    def night(self, time: str, sight: Sight) -> None:
        now = {"failing": "open", "waived": "waived", "absent": "fixed"}.get(sight)
        if now is None or (now == "fixed" and self.state is None):
            return
        if now != "fixed":
            self.first_seen, self.last_seen = self.first_seen or time, time
        if now != self.state:
            self.changes.append((time, self.state, now))
            self.state = now


sights = st.sampled_from(("failing", "waived", "absent", "hidden", "unknown"))
night = st.builds(Night, st.tuples(sights, sights, sights), st.sampled_from((False, False, False, True)))
some_nights = st.lists(night, min_size=1, max_size=6)
quiet = settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def reference(nights: Sequence[Night]) -> dict[str, Life]:
    told = {name: Life() for name in NAMES}
    for number, night in enumerate(nights):
        for name, sight in zip(NAMES, night.seen, strict=True):
            told[name].night(at(number), sight)
    return {name: life for name, life in told.items() if life.state}


def emptied(history: Address) -> None:
    with database.written(history) as connection:
        for table in ("run", "finding", "change"):
            connection.execute(text(f"DELETE FROM {table}"))


@quiet
@given(some_nights)
@example([Night(("failing", "absent", "waived")), Night(("hidden", "failing", "absent")), Night(("absent",) * 3)])
def test_nights_in_order_give_the_right_lives(history: Address, nights: list[Night]) -> None:
    emptied(history)
    for number, each in enumerate(nights):
        kept(history, each.report(number))

    expected = reference(nights)
    assert lives(history) == {name: (each.state, each.first_seen, each.last_seen) for name, each in expected.items()}
    assert all_changes(history) == {name: each.changes for name, each in expected.items()}


@quiet
@given(some_nights, st.data())
def test_nights_in_any_order_end_in_the_same_states(history: Address, nights: list[Night], data: st.DataObject) -> None:
    emptied(history)
    for number, each in data.draw(st.permutations(list(enumerate(nights)))):
        kept(history, each.report(number))

    assert lives(history) == {
        name: (life.state, life.first_seen, life.last_seen) for name, life in reference(nights).items()
    }


@quiet
@given(some_nights, night)
def test_the_last_night_recorded_again_replaces_its_first_record(
    history: Address, nights: list[Night], first_try: Night
) -> None:
    emptied(history)
    last = len(nights) - 1
    for number, each in enumerate(nights[:-1]):
        kept(history, each.report(number))
    for again in (first_try, nights[-1], nights[-1]):
        kept(history, again.report(last))

    expected = reference([*nights[:-1], together(first_try, nights[-1])])
    assert {name: life[0] for name, life in lives(history).items()} == {
        name: each.state for name, each in expected.items()
    }
    assert all_changes(history) == {name: each.changes for name, each in expected.items()}


def together(first: Night, then: Night) -> Night:
    """A night that was recorded twice: the second record counts for what it looked at, else the first."""
    pairs = zip(first.seen, then.seen, strict=True)
    return Night(tuple(one if other in {"hidden", "unknown"} else other for one, other in pairs))
