"""What a pack does about its verdicts. Each action turns one judged issue into wishes for changes.

To add an action: a class with ``do`` and ``wishes``, and its name in ``Action``.

Rules:

1. An action states the end it wants, whatever stands there now; the plan leaves out what is so already.
2. Only labels under our own prefix are removed.
3. A clock that is paused, stopped or not judged escalates nothing.
4. Actions of one kind that want different ends for one field agree on one: the gravest severity, the highest tier,
   the earliest date. Otherwise each run would undo the one before.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from policies.changes import Change, Relabel, SetAssignee, SetDueDate, SetPriority, UpsertComment, UpsertLink
from policies.clock import Percent
from policies.conditions import Condition
from policies.coverage import Decision
from policies.coverage_override import SCOPE
from policies.history import moments
from policies.note import fix_released, note
from policies.overrides import told
from policies.severity import floor, graver, lowered_by_hand
from policies.verdict import Judged, Status
from policies.vocabulary import OVER

if TYPE_CHECKING:
    from policies.destination import Destination
    from policies.issue import Issue
    from policies.pack import PolicyPack

_STICKY = "sla"
_RUNNING = frozenset({Status.RUNNING, Status.AT_RISK, Status.OVERDUE})
_LABELLED = tuple(status for status in Status if status not in {Status.CANCELLED, Status.NOT_APPLICABLE})


@dataclass(frozen=True, slots=True)
class Wish:
    """A change an action wants.

    Attributes:
        because: the action and what it acts on, in words.
        against: a person's hand that stands against it, as far as the action itself knows; "" if none does.
    """

    change: Change
    because: str
    against: str = ""


@dataclass(frozen=True, slots=True)
class Situation:
    """What an action looks at: one judged issue, the pack, where it would be written, and when."""

    judged: Judged
    pack: PolicyPack
    destination: Destination
    now: datetime


class _ActionShape(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _exclusive(situation: Situation, scope: tuple[str, ...], value: str | None) -> Relabel:
    """The label ``prefix::scope::value`` and no other of its scope; none at all for None."""
    destination = situation.destination
    wanted = destination.label(*scope, value) if value is not None else None
    stray = {label for label in situation.judged.issue.labels if label.startswith(destination.scope(*scope))}
    return Relabel(add=(wanted,) if wanted else (), remove=tuple(stray - {wanted}))


def _slug(word: str) -> str:
    return word.replace("_", "-")


class Label(_ActionShape):
    """One label per clock that tells where it stands: ``warranty::first-response::at-risk``."""

    do: Literal["label"]
    clocks: tuple[str, ...] | None = Field(None, description="left out: every clock")
    statuses: tuple[Status, ...] = Field(_LABELLED, description="verdicts that are shown as a label")

    def wishes(self, situation: Situation) -> Iterator[Wish]:
        for verdict in situation.judged.standing():
            if self.clocks is None or verdict.clock in self.clocks:
                shown = _slug(verdict.status.value) if verdict.status in self.statuses else None
                yield Wish(
                    _exclusive(situation, (_slug(verdict.clock),), shown),
                    f"label: {verdict.clock} is {verdict.status.value}",
                )


class RaisePriority(_ActionShape):
    """Raises the priority to at least a severity; never lowers it. Such issues are judged by it all along (``severity``).

    Where severity is a label, the label is added and the others stay: of several the first in the vocabulary counts.
    """

    do: Literal["priority"]
    when: Condition = Field(description="the issues it is for")
    at_least: str = Field(description="a severity of the pack")

    def wishes(self, situation: Situation) -> Iterator[Wish]:
        issue, pack, destination = situation.judged.issue, situation.pack, situation.destination
        moment = moments(issue)[-1]
        wanted = floor(moment, pack) == self.at_least and self.when.holds(moment)
        word = destination.severities.get(self.at_least)
        if not wanted or word is None or not graver(self.at_least, issue.severity, pack) or not situation.judged.open:
            return
        by_hand = lowered_by_hand(issue, pack)
        against = f"the severity was lowered by {told(by_hand)}" if by_hand else ""
        because = f"priority: at least {self.at_least}"
        if word.startswith("label:"):
            yield Wish(Relabel(add=(word.removeprefix("label:"),)), because, against)
        elif destination.priorities:
            yield Wish(SetPriority(word), because, against)


class DueDate(_ActionShape):
    """The due date of a running clock, as a date in the contract's zone; of several clocks the earliest."""

    do: Literal["due_date"]
    clock: str = Field(description="a clock of the pack")

    def wishes(self, situation: Situation) -> Iterator[Wish]:
        mine = self.due(situation)
        rivals = (action.due(situation) for action in situation.pack.actions if isinstance(action, DueDate))
        if mine is not None and mine == min(due for due in rivals if due is not None):
            due = mine.astimezone(situation.destination.zone).date()
            yield Wish(SetDueDate(due), f"due_date: {self.clock} is due {situation.destination.written(mine)}")

    def due(self, situation: Situation) -> datetime | None:
        """When its clock is due, while that runs."""
        verdict = situation.judged.of(self.clock)
        return verdict.due_at if verdict is not None and verdict.status in _RUNNING else None


class Level(BaseModel):
    """One rung of a ladder."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    at: Percent = Field(description="share of the promised time that is used up")
    tier: str = Field(description="support tier that takes over")


class Escalate(_ActionShape):
    """Moves an issue up the tiers as its clock runs down: a tier label, and the tier's account as assignee."""

    do: Literal["escalate"]
    clock: str = Field(description="a clock of the pack")
    levels: tuple[Level, ...] = Field(min_length=1, description="the ladder, lowest rung first")

    def wishes(self, situation: Situation) -> Iterator[Wish]:
        level = self.reached(situation)
        if level is None or self is not self._foremost(situation):
            return
        because = f"escalate: {self.clock} has used {level.at}% of its time"
        yield Wish(_exclusive(situation, ("tier",), level.tier), because)
        account = situation.destination.tiers.get(level.tier)
        if account is not None and not self._held_by(level.tier, situation):
            yield Wish(SetAssignee(account), because)

    def reached(self, situation: Situation) -> Level | None:
        """The highest level reached: a run that comes late fires only that one."""
        verdict = situation.judged.of(self.clock)
        if verdict is None or verdict.status not in _RUNNING:
            return None
        reached = {share for share, at in verdict.thresholds if at <= situation.now}
        return max((level for level in self.levels if level.at in reached), key=lambda level: level.at, default=None)

    @staticmethod
    def _foremost(situation: Situation) -> Escalate:
        """Of all ladders the one that has reached the highest tier; where the tracker has no tiers, the furthest up."""
        tiers = list(situation.destination.tier_accounts)

        def height(ladder: Escalate) -> tuple[int, int]:
            level = ladder.reached(situation)
            if level is None:
                return -2, 0
            return (tiers.index(level.tier) if level.tier in tiers else -1), level.at

        return max((action for action in situation.pack.actions if isinstance(action, Escalate)), key=height)

    @staticmethod
    def _held_by(tier: str, situation: Situation) -> bool:
        """Someone of this tier or a higher one has the issue already."""
        assignee = situation.judged.issue.assignee
        tiers = list(situation.destination.tier_accounts)
        if assignee is None or tier not in tiers:
            return False
        return any(assignee.id in situation.destination.tier_accounts[name] for name in tiers[tiers.index(tier) :])


def _refused(issue: Issue) -> Decision | None:
    """The decision that leaves an open issue without cover: whoever works on it must see why."""
    if issue.coverage is None or issue.state in OVER:
        return None
    return issue.coverage.decision if issue.coverage.decision in {Decision.OUT, Decision.DISPUTED} else None


class Comment(_ActionShape):
    """One comment, edited in place, once there is something to say; from then on it is kept true."""

    do: Literal["comment"]
    on: tuple[Status, ...] = Field(
        (Status.AT_RISK, Status.OVERDUE, Status.MISSED), description="verdicts that are worth a comment"
    )

    def wishes(self, situation: Situation) -> Iterator[Wish]:
        judged, destination = situation.judged, situation.destination
        internal = destination.comment_internally and destination.internal_comments
        change = UpsertComment(_STICKY, note(judged, situation.pack, destination), internal=internal)
        told = [verdict.clock for verdict in judged.standing() if verdict.status in self.on]
        if told:
            yield Wish(change, f"comment: {', '.join(told)}")
        elif fix_released(judged.issue) is not None:
            yield Wish(change, "comment: the fix is released")
        elif (refused := _refused(judged.issue)) is not None:
            yield Wish(change, f"comment: coverage is {refused.value}")
        elif change.standing(judged.issue) is not None:
            yield Wish(change, "comment: keep it true")


class CoverageLabel(_ActionShape):
    """What the warranty says as a label: ``warranty::coverage::in``. Nothing where the site has no register.

    A label of this kind that a person put on is the decision, so it stays.
    """

    do: Literal["coverage"]

    def wishes(self, situation: Situation) -> Iterator[Wish]:
        coverage = situation.judged.issue.coverage
        if coverage is not None:
            because = f"coverage: {coverage.decision.value} ({_slug(coverage.ground.value)})"
            yield Wish(_exclusive(situation, (SCOPE,), coverage.decision.value), because)


class LinkPatch(_ActionShape):
    """Ties an issue to the published release that carries its fix: a link where the tracker has them, and a label."""

    do: Literal["link_patch"]

    def wishes(self, situation: Situation) -> Iterator[Wish]:
        issue, destination = situation.judged.issue, situation.destination
        released = fix_released(issue)
        if released is None:
            return
        because = f"link_patch: {released.release} carries the fix ({released.evidence})"
        proof = destination.label("patch", released.release)
        if destination.web_links and released.url:
            say = destination.phrases.say
            yield Wish(
                UpsertLink(
                    global_id=f"warranty-flows:patch:{issue.ref.id}",
                    url=released.url,
                    title=say("patch_link", release=released.release),
                    relationship=say("patch_relationship"),
                    proof=proof,
                ),
                because,
            )
        yield Wish(_exclusive(situation, ("patch",), released.release), because)


class Report(_ActionShape):
    """One report issue per tracker with the compliance of its issues, edited in place."""

    do: Literal["report"]

    def wishes(self, _situation: Situation) -> Iterator[Wish]:
        """Nothing for a single issue: the plan makes the report from all of them."""
        return iter(())


Action = Annotated[
    Label | RaisePriority | DueDate | Escalate | Comment | CoverageLabel | LinkPatch | Report, Field(discriminator="do")
]
