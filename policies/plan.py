"""A plan: what would be written, what is held back and why. A value: it guards itself and has a digest.

Rules:

1. What is already so, by the issue as read, is not in the plan: a second run plans nothing.
2. What a person took back is held back and shown.
3. The relabelling of an issue is one change, and its last: a label may prove that what comes before it was done.
4. Over a limit nothing at all is written.
5. What the adoption keeps silent (``adoption``) is held back and shown; labels and the report are written.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from policies.actions import Report, Situation, Wish, left_over
from policies.adoption import silent
from policies.changes import Change, Relabel, UpsertLink, UpsertReport
from policies.document import Document, members
from policies.issue import IssueRef
from policies.overrides import override, removed_label
from policies.summary import summaries
from policies.verdict import Judged, ReasonCode

if TYPE_CHECKING:
    from policies.destination import Destination
    from policies.issue import Issue
    from policies.pack import PolicyPack


class HeldBackReason(StrEnum):
    UNDONE_BY_HAND = "undone_by_hand"
    NO_LONGER_PROVEN = "no_longer_proven"
    ADOPTION = "adoption"


@dataclass(frozen=True, slots=True)
class PlannedChange:
    """Attributes: issue: None for a report that does not exist yet. because: the actions and verdicts behind it."""

    tracker: str
    issue: IssueRef | None
    change: Change
    because: str


@dataclass(frozen=True, slots=True)
class HeldBack:
    """A change the policy wants and a person's hand, the tracker or a guard stands against."""

    tracker: str
    issue: IssueRef | None
    change: Change
    reason: HeldBackReason
    detail: str


@dataclass(frozen=True, slots=True)
class Skipped:
    """An issue that was not judged, with the reason in words a person understands and what would mend it."""

    tracker: str
    key: str
    reason: str


@dataclass(frozen=True, slots=True)
class Limits:
    """Over any of these nothing at all is written.

    Attributes:
        changes_per_run, changes_per_issue: counts.
        share_of_issues: share of the issues read that a run may touch, 0 to 1; applies from ``share_from`` issues on.
    """

    changes_per_run: int = 500
    changes_per_issue: int = 12
    share_of_issues: float = 1.0
    share_from: int = 20


@dataclass(frozen=True, slots=True)
class Breach:
    """A limit that a plan goes over."""

    limit: str
    allowed: float
    found: float
    detail: str


@dataclass(frozen=True)
class Plan:
    """Attributes: judged: how many issues were judged. breaches: limits it goes over; then it must not be applied."""

    changes: tuple[PlannedChange, ...] = ()
    held_back: tuple[HeldBack, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    judged: int = 0
    breaches: tuple[Breach, ...] = ()

    @cached_property
    def digest(self) -> str:
        """Sixteen hex digits over the changes; elapsed times and reasons are not part of it."""
        written = json.JSONEncoder(default=_told, sort_keys=True).encode
        lines = sorted(written([c.tracker, c.issue.id if c.issue else None, c.change]) for c in self.changes)
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def _told(value: object) -> object:
    """As ``members``; a document by its digest, which its mark has worked out already."""
    return value.digest if isinstance(value, Document) else members(value)


class Decided(NamedTuple):
    """What is to be done about one issue."""

    changes: Sequence[PlannedChange] = ()
    held_back: Sequence[HeldBack] = ()


def decide(item: Judged, packs: Sequence[PolicyPack], destination: Destination | None, now: datetime) -> Decided:
    """What has to be written to an issue. Pure.

    Args:
        packs: as ``plan``'s.
        destination: where its tracker is; None leaves it alone.
    """
    if destination is None or _older_than_policy(item):
        return Decided()
    return _of_issue(Situation(item, item.pack or packs[0], destination, now))


def plan(
    judged: Sequence[Judged],
    packs: Sequence[PolicyPack],
    destinations: Mapping[str, Destination],
    *,
    limits: Limits,
    now: datetime,
    skipped: Sequence[Skipped] = (),
    reports: Mapping[str, Issue] | None = None,
    decided: Callable[[Judged], Decided | None] = lambda _: None,
) -> Plan:
    """What has to be written so that every tracker shows what its issues were judged to be. Pure.

    Args:
        packs: the version in force of each policy, the site's own first; an issue is acted on by the version that judged
            it (``Judged.pack``). Whether there is a report is for the site's own to say.
        destinations: by the tracker's name; an issue of a tracker that is not among them is left alone.
        reports: the report issues that exist, by the tracker's name.
        decided: what ``decide`` said of an issue before, under the same packs, for the same destination, at the same
            instant; None where it was not asked.
    """
    changes: list[PlannedChange] = []
    held_back: list[HeldBack] = []
    for item in judged:
        known = decided(item)
        if known is None:
            known = decide(item, packs, destinations.get(item.issue.ref.tracker), now)
        wanted, held = known
        changes += wanted
        held_back += held
    if any(isinstance(action, Report) for action in packs[0].actions):
        for destination in destinations.values():
            changes += _of_report(judged, packs, destination, (reports or {}).get(destination.tracker))
    found = Plan(tuple(changes), tuple(held_back), tuple(skipped), len(judged))
    return replace(found, breaches=tuple(_breaches(found, limits)))


def _older_than_policy(item: Judged) -> bool:
    """Opened before the first version of the policy: the report names it, and nothing is done about it."""
    before = ReasonCode.BEFORE_FIRST_VERSION
    return bool(item.verdicts) and not [each for each in item.verdicts if each.reason.code is not before]


def _of_issue(situation: Situation) -> Decided:
    issue = situation.judged.issue
    tracker = issue.ref.tracker
    wanted: list[PlannedChange] = []
    held: list[HeldBack] = []
    relabels: list[Wish] = []
    proofs: set[str] = set()
    told: list[Change] = []  # no set: the few there are, are compared sooner than a comment's text is hashed
    quiet = silent(situation.judged, situation.destination, situation.now)
    asked = (action.wishes(situation) for action in situation.pack.actions)
    for wish in chain(*asked, left_over(situation)):
        if wish.change in told or (not isinstance(wish.change, Relabel) and wish.change.satisfied_by(issue)):
            continue
        told.append(wish.change)
        mute = wish.mute or ("" if isinstance(wish.change, Relabel) else quiet)
        why = wish.against or override(issue, wish.change, wish.since)
        if mute:
            held.append(HeldBack(tracker, issue.ref, wish.change, HeldBackReason.ADOPTION, mute))
            if isinstance(wish.change, UpsertLink):
                proofs.add(wish.change.proof)
        elif isinstance(wish.change, Relabel) and not why:
            relabels.append(wish)
        elif why:
            held.append(HeldBack(tracker, issue.ref, wish.change, HeldBackReason.UNDONE_BY_HAND, why))
        else:
            wanted.append(PlannedChange(tracker, issue.ref, wish.change, wish.because))
    if not relabels:
        return Decided(wanted, held)
    # A label must not prove a link that was held back.
    relabels = [w for w in relabels if not (isinstance(w.change, Relabel) and proofs.intersection(w.change.add))]
    relabelled, because, taken_off = _relabelled(issue, relabels)
    for label, why in taken_off.items():
        held.append(HeldBack(tracker, issue.ref, Relabel(add=(label,)), HeldBackReason.UNDONE_BY_HAND, why))
    unproven = [c for c in wanted if isinstance(c.change, UpsertLink) and c.change.proof in taken_off]
    for lost in unproven:
        wanted.remove(lost)
        why = f"its label {lost.change.proof} was taken off" if isinstance(lost.change, UpsertLink) else ""
        held.append(HeldBack(tracker, issue.ref, lost.change, HeldBackReason.NO_LONGER_PROVEN, why))
    if not relabelled.satisfied_by(issue):
        wanted.append(PlannedChange(tracker, issue.ref, relabelled, because))
    return Decided(wanted, held)


def _relabelled(issue: Issue, wishes: Iterable[Wish]) -> tuple[Relabel, str, dict[str, str]]:
    """All relabelling of an issue as one change of only what differs; and the labels a person took off, with who.

    A label that one wish adds is not removed by another, whether it is there already or not.
    """
    wishes = tuple(wishes)
    add: dict[str, None] = {}
    remove: dict[str, None] = {}
    because: list[str] = []
    taken_off: dict[str, str] = {}
    kept = {label for wish in wishes if isinstance(wish.change, Relabel) for label in wish.change.add}
    for wish in wishes:
        assert isinstance(wish.change, Relabel)
        missing = [label for label in wish.change.add if label not in issue.labels]
        stray = [label for label in wish.change.remove if label in issue.labels and label not in kept]
        for label in missing:
            why = removed_label(issue, label)
            if why is None:
                add[label] = None
            else:
                taken_off[label] = why
        remove.update(dict.fromkeys(stray))
        if missing or stray:
            because.append(wish.because)
    return Relabel(tuple(add), tuple(remove)), "; ".join(because), taken_off


def _of_report(
    judged: Sequence[Judged], packs: Sequence[PolicyPack], destination: Destination, standing: Issue | None
) -> list[PlannedChange]:
    if destination.report_project is None:
        return []
    told = [each for each in summaries(judged, packs, destination.tracker) if each.judged]
    if not told:
        return []
    by_id = {pack.id: pack for pack in packs}
    parts = [each.document(by_id[each.policy] if each.policy else packs[0], destination) for each in told]
    change = UpsertReport(
        project=destination.report_project,
        marker="report",
        title=destination.phrases.say("report_title", tracker=destination.tracker),
        document=Document(tuple(block for part in parts for block in part.blocks)),
        label=destination.report_label,
    )
    if standing is not None and change.satisfied_by(standing):
        return []
    ref = standing.ref if standing is not None else None
    return [
        PlannedChange(destination.tracker, ref, change, f"report: {sum(each.judged for each in told)} issues judged")
    ]


def _breaches(found: Plan, limits: Limits) -> Iterable[Breach]:
    if len(found.changes) > limits.changes_per_run:
        detail = f"{len(found.changes)} changes, {limits.changes_per_run} allowed in a run"
        yield Breach("changes_per_run", limits.changes_per_run, len(found.changes), detail)
    per_issue: dict[tuple[str, str], int] = {}
    for planned in found.changes:
        if planned.issue is not None:
            touched = (planned.tracker, planned.issue.key)
            per_issue[touched] = per_issue.get(touched, 0) + 1
    for (tracker, key), count in per_issue.items():
        if count > limits.changes_per_issue:
            detail = f"{count} changes on {key} ({tracker}), {limits.changes_per_issue} allowed on an issue"
            yield Breach("changes_per_issue", limits.changes_per_issue, count, detail)
    if found.judged >= limits.share_from and len(per_issue) > limits.share_of_issues * found.judged:
        share = len(per_issue) / found.judged
        detail = f"{len(per_issue)} of {found.judged} issues touched, {limits.share_of_issues:.0%} allowed"
        yield Breach("share_of_issues", limits.share_of_issues, share, detail)
