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

from policies.adoption import mute_since
from policies.changes import (
    Change,
    Relabel,
    SetAssignee,
    SetDueDate,
    SetPriority,
    UpsertComment,
    UpsertLink,
    standing_comment,
)
from policies.conditions import Condition
from policies.coverage import Decision
from policies.coverage_override import SCOPE
from policies.destination import SEPARATOR
from policies.history import moments
from policies.ladder import EscalationKey, ForgottenPause, Level, highest
from policies.note import escalation_lines, note
from policies.overrides import assigned_by_us, override, put_by_us, told
from policies.patch import fix_released
from policies.severity import floor, graver, lowered_by_hand
from policies.threshold import WHOLE, AfterDue, Share
from policies.verdict import Judged, Status
from policies.vocabulary import OVER

if TYPE_CHECKING:
    from policies.destination import Destination
    from policies.issue import Issue
    from policies.pack import PolicyPack

FORGOTTEN = ("forgotten-pause",)
"""The label, below our prefix, of an issue with a pause that has lasted too long."""

_OF_NO_CLOCK = frozenset({"tier", "patch", "report", SCOPE, *FORGOTTEN})
_STICKY = "sla"
_STATUSES = frozenset(status.value.replace("_", "-") for status in Status)
_LABELLED = tuple(status for status in Status if status not in {Status.CANCELLED, Status.NOT_APPLICABLE})


@dataclass(frozen=True, slots=True)
class Wish:
    """A change an action wants.

    Attributes:
        because: the action and what it acts on, in words.
        against: a person's hand that stands against it, as far as the action itself knows; "" if none does.
        mute: why the adoption holds it back; "" if it does not.
        since: hands before this instant do not stand against it.
    """

    change: Change
    because: str
    against: str = ""
    mute: str = ""
    since: datetime | None = None


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
    stray = _of_scope(situation, scope) - {wanted}
    return Relabel(add=(wanted,) if wanted else (), remove=tuple(stray))


def _of_scope(situation: Situation, scope: tuple[str, ...]) -> set[str]:
    """The labels of one scope that the issue bears."""
    begins = situation.destination.scope(*scope)
    return {label for label in situation.judged.issue.labels if label.startswith(begins)}


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
                scope = (_slug(verdict.clock),)
                shown = _slug(verdict.status.value) if verdict.status in self.statuses else None
                if shown is not None or _of_scope(situation, scope):
                    because = f"label: {verdict.clock} is {verdict.status.value}"
                    yield Wish(_exclusive(situation, scope, shown), because)


def left_over(situation: Situation) -> Iterator[Wish]:
    """Off comes the label of a clock that no action of the pack labels: another policy or version put it on."""
    pack, destination = situation.pack, situation.destination
    scope = destination.scope()
    ours = sorted([label for label in situation.judged.issue.labels if label.startswith(scope)])
    if not ours:
        return
    labelled = {
        _slug(clock)
        for action in pack.actions
        if isinstance(action, Label)
        for clock in (action.clocks if action.clocks is not None else pack.clocks)
    }
    for label in ours:
        clock, _, status = label.removeprefix(scope).rpartition(SEPARATOR)
        of_a_clock = status in _STATUSES and clock not in _OF_NO_CLOCK
        if of_a_clock and clock and SEPARATOR not in clock and clock not in labelled:
            yield Wish(Relabel(remove=(label,)), f"label: {clock} is no promise of {pack.name}")


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
        return verdict.due_at if verdict is not None and verdict.status.runs else None


class Escalate(_ActionShape):
    """Moves an issue up the tiers as its clock runs down: a tier label, and the tier's account as assignee.

    The label is written last, so it proves the level: what the tracker shows was fired in this cycle is not fired again,
    whatever a person did since and however the levels were changed meanwhile.
    """

    do: Literal["escalate"]
    clock: str = Field(description="a clock of the pack")
    levels: tuple[Level, ...] = Field(min_length=1, description="the ladder, lowest rung first")
    forgotten_pause: ForgottenPause | None = Field(
        None, description="who is told of a pause that lasts longer than the `longest` of its rule"
    )

    def wishes(self, situation: Situation) -> Iterator[Wish]:
        found = claims(situation)
        mine = [claim for claim in found if claim.ladder is self]
        forgotten = situation.destination.label(*FORGOTTEN)
        if forgotten in situation.judged.issue.labels and not any(claim.forgotten for claim in mine):
            yield Wish(Relabel(remove=(forgotten,)), f"escalate: no pause of {self.clock} is forgotten")
        foremost = max((claim for claim in found if not claim.forgotten), key=lambda claim: claim.height, default=None)
        told = max(found, key=lambda claim: (not claim.mute, claim.height), default=None)
        for claim in mine:
            because = f"escalate: {claim.because} [{claim.key}]"
            if claim.forgotten:
                yield Wish(Relabel(add=(forgotten,)), because)
            elif claim is foremost and not claim.above_is_shown(situation):
                yield Wish(_exclusive(situation, ("tier",), claim.tier), because)
            if claim is told:
                yield from claim.assignment(situation, because)


@dataclass(frozen=True, slots=True, eq=False)
class Claim:
    """One escalation that stands: the highest level of a ladder, or a forgotten pause.

    Attributes:
        at: the instant it was reached.
        since: the start of its cycle, or of its pause: what the tracker shows from before is not about it.
        mute: why it assigns nobody; "" if it does.
        order: the tiers, lowest first.
        forgotten: it is a forgotten pause.
        late: its level lies at or behind the due instant.
    """

    ladder: Escalate
    key: EscalationKey
    tier: str
    at: datetime
    since: datetime
    because: str
    mute: str
    order: tuple[str, ...]
    forgotten: bool = False
    late: bool = False

    @property
    def height(self) -> tuple[int, bool, datetime]:
        """Of several claims the highest tier counts; where the tracker has no tiers, the furthest up."""
        return (self.order.index(self.tier) if self.tier in self.order else -1, self.late, self.at)

    def above_is_shown(self, situation: Situation) -> bool:
        """In this cycle we have put the label of a higher tier: what is above is not taken back."""
        higher = self._from_here()[1:]
        labels = [situation.destination.label("tier", tier) for tier in higher]
        return put_by_us(situation.judged.issue, labels, self.since)

    def assignment(self, situation: Situation, because: str) -> Iterator[Wish]:
        """The tier's account as assignee: once, and not where the tier or a higher one has the issue already."""
        account = situation.destination.tiers.get(self.tier)
        if account is None or self._held(situation):
            return
        # Where it fails, the label must not say that it was done: it would never be asked for again (`_fired`).
        parts = FORGOTTEN if self.forgotten else ("tier", self.tier)
        change = SetAssignee(account, proof=situation.destination.label(*parts))
        if self.mute:
            yield Wish(change, because, mute=self.mute)
        elif not self._fired(situation) or override(situation.judged.issue, change, self.since):
            yield Wish(change, because, since=self.since)

    def _fired(self, situation: Situation) -> bool:
        issue, destination = situation.judged.issue, situation.destination
        tiers = self._from_here()
        accounts = {account for tier in tiers for account in destination.tier_accounts.get(tier, ())}
        accounts.update(destination.tiers[tier] for tier in tiers if tier in destination.tiers)
        labels = [destination.label(*FORGOTTEN)] if self.forgotten else [destination.label("tier", t) for t in tiers]
        adopted = destination.adopted_at
        # A label from before this level was reached may be that of a mute one, which assigned nobody.
        labelled = max(self.since, self.at) if adopted is not None and adopted > self.since else self.since
        return assigned_by_us(issue, accounts, self.since) or put_by_us(issue, labels, labelled)

    def _from_here(self) -> tuple[str, ...]:
        """This tier and those above it."""
        return self.order[self.order.index(self.tier) :] if self.tier in self.order else (self.tier,)

    def _held(self, situation: Situation) -> bool:
        """Someone has the issue already who is of this tier or a higher one, now or when it was given to them."""
        assignee = situation.judged.issue.assignee
        if assignee is None:
            return False
        known, tiers = situation.destination.tier_accounts, self._from_here()
        return assignee.tier in tiers or any(assignee.id in known.get(tier, ()) for tier in tiers)


def claims(situation: Situation) -> tuple[Claim, ...]:
    """What stands of each ladder of the pack: its highest level reached, a pause of its clock that is forgotten."""
    judged, destination, now = situation.judged, situation.destination, situation.now
    # The site says which tier is above which; a tracker without tiers leaves it to the ladders.
    order = tuple(destination.tier_accounts)
    found: list[Claim] = []
    for ladder in situation.pack.ladders:
        verdict = judged.of(ladder.clock)
        if verdict is None or verdict.started_at is None:
            continue
        clock, cycle, issue = ladder.clock, verdict.cycle, judged.issue.ref.id
        rung = highest(ladder.levels, verdict, now)
        if rung is not None:
            mark = rung.level.mark
            late = isinstance(mark, AfterDue) or (isinstance(mark, Share) and mark.percent >= WHOLE)
            key = EscalationKey(issue, clock, cycle, mark.name)
            place = f"has used {mark.name} of its time" if isinstance(mark, Share) else f"is {mark.name}"
            because, mute = f"{clock} {place}", mute_since(rung.at, destination)
            tier, since = rung.level.tier, verdict.started_at
            found.append(Claim(ladder, key, tier, rung.at, since, because, mute, order, late=late))
        forgotten_at = verdict.forgotten_since
        if ladder.forgotten_pause is not None and forgotten_at is not None:
            since = min(pause.since for pause in verdict.pauses if pause.until is None)
            key = EscalationKey(issue, clock, cycle, f"forgotten pause of {since:%Y-%m-%dT%H:%M:%SZ}")
            because, mute = f"a pause of {clock} is forgotten", mute_since(forgotten_at, destination)
            tier = ladder.forgotten_pause.tier
            found.append(Claim(ladder, key, tier, forgotten_at, since, because, mute, order, forgotten=True))
    return tuple(found)


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
        because = self._because(situation)
        if because is not None:
            destination = situation.destination
            internal = destination.comment_internally and destination.internal_comments
            said = note(situation.judged, situation.pack, destination)
            yield Wish(UpsertComment(_STICKY, said, internal=internal), f"comment: {because}")

    def _because(self, situation: Situation) -> str | None:
        """Why there is something to say; None if there is nothing."""
        judged = situation.judged
        told = [verdict.clock for verdict in judged.standing() if verdict.status in self.on]
        if told:
            return ", ".join(told)
        pack = situation.pack
        if pack.ladders and any(True for _ in escalation_lines(judged, pack, situation.destination)):
            return "an escalation has something to say"
        if fix_released(judged.issue) is not None:
            return "the fix is released"
        if (refused := _refused(judged.issue)) is not None:
            return f"coverage is {refused.value}"
        return "keep it true" if standing_comment(judged.issue, _STICKY) is not None else None


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
        # Any other scheme is no address of a release, whatever the tracker says.
        if destination.web_links and released.url.startswith(("https://", "http://")):
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
