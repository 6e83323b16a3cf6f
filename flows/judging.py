"""Judging the issues of a run one by one as they come, while others are still on their way from their tracker.

Rules:

1. No business rule here: what an issue's words mean, what covers it and what is late are decided in ``policies``.
2. An issue that comes twice counts as it came last.
3. Releases come after the issues: one whose fix a release carries is judged with that fix, and without it never counts.
4. One issue that trips a defect of ours stops no other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from flows.interpreter import Interpreter
from flows.recording import Recording
from flows.run import Collected, Whose, whose
from flows.sitting import Sitting
from policies import patch
from policies.issue import Issue, Release
from policies.plan import Plan, Skipped
from policies.verdict import Judged

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What became of a run's issues.

    Attributes:
        judged: with their verdicts, in the order of tracker, project and id.
        reports: our own report issues, never judged.
        skipped: left out, and why.
        releases: all that were read.
    """

    judged: tuple[Judged, ...] = ()
    reports: tuple[Issue, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    releases: tuple[Release, ...] = ()

    def touched_by(self, plan: Plan) -> dict[Whose, Issue]:
        """The issues and reports that a plan changes."""
        touched = {(change.tracker, change.issue.id) for change in plan.changes if change.issue is not None}
        issues = (*(one.issue for one in self.judged), *self.reports)
        return {named: issue for issue in issues if (named := whose(issue)) in touched}

    def report_of(self) -> dict[str, Issue]:
        """The report issue of each tracker that has one; the oldest where somebody made a second."""
        newest_first = sorted(self.reports, key=lambda issue: (issue.opened_at, issue.ref.id), reverse=True)
        return {issue.ref.tracker: issue for issue in newest_first}


class Judging:
    """Takes the issues of a run, and says at its end what became of them."""

    def __init__(self, sitting: Sitting) -> None:
        self._sitting = sitting
        self._policies = sitting.site.policies()
        self._interpreter = Interpreter(sitting.site, sitting.now)
        self._recording = Recording(sitting)
        self._judged: dict[Whose, Judged] = {}
        self._reports: dict[Whose, Issue] = {}
        self._skipped: dict[Whose, tuple[Issue, str]] = {}

    def take(self, tracker: str, own: str, raw: Issue, *, awake: bool = False) -> Judged | None:
        """An issue as read. Gives what it is judged to be by now; None if it is not judged.

        Args:
            own: id of our own account at its tracker.
            awake: its verdicts are new (``ledger_issues.Kept``).
        """
        found = self._interpreter.interpreted(tracker, own, raw)
        named = whose(raw)
        self._drop(named)
        if found.report:
            self._reports[named] = found.issue
        elif found.unknown:
            self._skip(found.issue, found.unknown)
        else:
            self._judge(found.issue)
        judged = self._judged.get(named)
        if judged is not None and awake:
            self._recording.take(judged)
        return judged

    def end(self, collected: Sequence[Collected]) -> Judgement:
        """What became of all issues of these projects: of those that were taken, and of those that are held.

        The verdicts that are new are in the ledger then.
        """
        releases = tuple(release for project in collected for release in project.releases)
        for project in collected:
            own = project.own.id if project.own else ""
            for number, raw in enumerate(project.issues, 1):
                self.take(project.tracker, own, raw)
                self._sitting.progress(f"judge {project.tracker}/{project.project}", number, None)
        self._leave_out_the_unreadable(collected)
        self._with_fixes(patch.Releases(releases))
        self._leave_out_the_doubtful(collected)
        judged = tuple(_in_order(collected, self._judged.values(), lambda one: one.issue))
        self._recording.end(judged)
        skipped = _in_order(collected, self._skipped.values(), lambda one: one[0])
        return Judgement(
            judged=judged,
            reports=tuple(_in_order(collected, self._reports.values(), lambda issue: issue)),
            skipped=tuple(Skipped(issue.ref.tracker, issue.ref.key, why) for issue, why in skipped),
            releases=releases,
        )

    def _judge(self, issue: Issue) -> None:
        try:
            self._judged[whose(issue)] = self._policies.judge(issue, self._sitting.now)
        except Exception as defect:  # noqa: BLE001 - one issue that trips a defect of ours must not stop the others
            kind = type(defect).__name__
            self._skip(issue, f"a defect of this program ({kind}); please report it with this issue's history")

    def _with_fixes(self, fixes: patch.Releases) -> None:
        for one in [*self._judged.values()]:
            issue = fixes.applied_to(one.issue, self._sitting.now)
            if issue is not one.issue:
                self._judge(issue)

    def _leave_out_the_doubtful(self, collected: Sequence[Collected]) -> None:
        """Those whose fix may be in a release that could not be read."""
        not_whole = ", ".join(sorted({project.tracker for project in collected if project.cut_short}))
        if not not_whole:
            return
        why = f"its fix may be in a release of {not_whole}, which could not be read whole; the next run judges it"
        prefix = f"{self._sitting.site.label_prefix}::patch::"
        own = self._policies.in_force(self._sitting.now)[0]
        for one in [*self._judged.values()]:
            borne = any(label.startswith(prefix) for label in one.issue.labels)
            if borne or patch.may_be_released(one, one.pack or own):
                self._skip(one.issue, why)

    def _leave_out_the_unreadable(self, collected: Sequence[Collected]) -> None:
        """What could not be read at last does not count as it was read before."""
        lost = {(project.tracker, one.key) for project in collected for one in project.unreadable}
        if not lost:
            return
        left_out = (issue for issue, _ in self._skipped.values())
        known = [*(one.issue for one in self._judged.values()), *self._reports.values(), *left_out]
        for issue in known:
            if (issue.ref.tracker, issue.ref.key) in lost:
                self._drop(whose(issue))

    def _skip(self, issue: Issue, why: str) -> None:
        self._drop(whose(issue))
        self._skipped[whose(issue)] = issue, why

    def _drop(self, named: Whose) -> None:
        self._judged.pop(named, None)
        self._reports.pop(named, None)
        self._skipped.pop(named, None)
        self._recording.drop(named)


def judge_collected(sitting: Sitting, collected: Sequence[Collected]) -> Judgement:
    """Judge what was collected, and write down what is new."""
    return Judging(sitting).end(collected)


def _in_order(collected: Sequence[Collected], found: Iterable[T], issue_of: Callable[[T], Issue]) -> list[T]:
    """As the projects were read, and by id within each: the order in which issues come over the wire is nobody's."""
    places = {(project.tracker, project.project): place for place, project in enumerate(collected)}

    def place(one: T) -> tuple[int, str]:
        ref = issue_of(one).ref
        return places.get((ref.tracker, ref.project), len(places)), ref.id

    return sorted(found, key=place)
