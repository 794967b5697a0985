"""The page's section on controls: what the rules that support each came to, and who accepted what."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

from scanner.model.report import Control, Report
from scanner.render.html.digest import Digest
from scanner.render.html.labels import Cut, cut, term
from scanner.render.wording import passed, waived

RISKS = 20
_TONES = {"satisfied": "satisfied", "not-satisfied": "high", "not-determined": "medium"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Supporting:
    """A rule that supports a control; `title` is None if it judged nothing, `passed` if nothing is known of that."""

    id: str
    title: str | None
    passed: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class ControlView:
    """A control as the page shows it; `query` finds its findings in the page's list."""

    control: Control
    rules: tuple[Supporting, ...]
    risks: Cut[str]

    @property
    def tone(self) -> str:
        return _TONES[self.control.status]

    @property
    def judged(self) -> int:
        return self.control.passed + self.control.failed + self.control.unknown + self.control.waived

    @property
    def query(self) -> str:
        return term("control", f"{self.control.framework} {self.control.control}")


def by_framework(report: Report, digest: Digest) -> dict[str, tuple[ControlView, ...]]:
    """The controls of each framework, in the report's order; none for a report that does not say."""
    titles, told = {rule.id: rule.title for rule in report.rules}, passed(report)

    def view(control: Control) -> ControlView:
        rules = (Supporting(id=id_, title=titles.get(id_), passed=told.get(id_)) for id_ in control.rules)
        risks = dict.fromkeys(waived(waiver) for id_ in control.rules for waiver in digest.accepted.get(id_, ()))
        return ControlView(control=control, rules=tuple(rules), risks=cut(risks, RISKS))

    controls = sorted(report.controls or (), key=lambda control: control.framework)
    return {name: tuple(map(view, own)) for name, own in groupby(controls, key=lambda control: control.framework)}
