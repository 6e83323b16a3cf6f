"""Whose time it was: the time of one cycle of a clock, shared out among those who had the issue.

Rules:

1. The shares part the time from the start of the cycle to its end (the stop, else the giving up, else now) exactly: no
   instant is counted twice, none is left out. ``elapsed`` adds up to the whole.
2. While the clock stands still the time is that of the pause's party, at every hour of the day; of several pauses it is
   that of the one that began first. While it runs, time outside the goal's calendar is ``off_hours``, the rest is that
   of the tier that had the issue then.
3. ``working`` is time of the goal's calendar. All of it adds up to the verdict's ``gross``, that of the shares that are
   not paused to its ``used``: the figures with and without pauses.
4. Where the history has a gap nobody is named: who had the issue is ``unknown``, and so is whose turn a pause for the
   customer was where comments are missing. What could not be judged has no shares.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from policies.business_calendar import ALWAYS
from policies.clock import CUSTOMER
from policies.duration import ElapsedTime
from policies.history import moments
from policies.issue import AssigneeChanged, GapKind, TierChanged
from policies.verdict import Status

if TYPE_CHECKING:
    from policies.cycle import Pause
    from policies.issue import Issue
    from policies.pack import PolicyPack
    from policies.verdict import Verdict

UNASSIGNED = "unassigned"
OTHER = "other"
"""Somebody had it who is in no tier."""
UNKNOWN = "unknown"
OFF_HOURS = "off_hours"
_NONE = timedelta()
_AFTER_TIERS = {party: place for place, party in enumerate((OTHER, UNASSIGNED, UNKNOWN, OFF_HOURS), start=1)}
_PAUSED = {party: place for place, party in enumerate((CUSTOMER, "third_party"))}


@dataclass(frozen=True, slots=True)
class Share:
    """One party's part of the time.

    Attributes:
        party: a tier, ``other``, ``unassigned``, ``unknown`` or ``off_hours``; while paused the pause's party
            (``customer``, ``third_party`` ...), or ``closed`` or ``cancelled`` where it is nobody's turn.
        working: time of the goal's calendar in it.
        elapsed: time by the wall clock.
        paused: the clock stood still.
    """

    party: str
    working: timedelta
    elapsed: timedelta
    paused: bool = False


class Holder(NamedTuple):
    """Who had an issue from an instant on, until the next one's. Attributes: party: see ``Share``."""

    since: datetime
    party: str


def time_spent(issue: Issue, verdict: Verdict, pack: PolicyPack) -> tuple[Share, ...]:
    """The shares of a verdict's time, tiers first; empty where no promise was in force or nothing could be judged.

    Args:
        issue: the one that was judged.
        pack: the one it was judged under.
    """
    return added_up(pieces(issue, verdict, pack, holders(issue)))


def holders(issue: Issue) -> tuple[Holder, ...]:
    """Who had the issue, oldest first."""
    if issue.gaps and any(gap.kind not in {GapKind.COMMENTS, GapKind.LINKS} for gap in issue.gaps):
        return (Holder(issue.opened_at, UNKNOWN),)
    if not [event for event in issue.events if isinstance(event, _HANDOVERS)]:
        has_it = issue.assignee
        return (Holder(issue.opened_at, _party(has_it.tier, has_it.id) if has_it else UNASSIGNED),)
    found: list[Holder] = []
    for moment in moments(issue):
        party = _party(moment.tier, moment.assignee)
        if not found or found[-1].party != party:
            found.append(Holder(moment.since, party))
    return tuple(found)


_HANDOVERS = (AssigneeChanged, TierChanged)


def _party(tier: str | None, assignee: str | None) -> str:
    return tier or (OTHER if assignee else UNASSIGNED)


def pieces(issue: Issue, verdict: Verdict, pack: PolicyPack, held: Sequence[Holder]) -> Sequence[Share]:
    """The time of ``time_spent`` piece by piece, for who adds up that of many: ``held`` are the issue's ``holders``."""
    start = verdict.started_at
    if start is None or verdict.goal is None or verdict.status is Status.INDETERMINATE:
        return ()
    end = _end(issue, verdict, start)
    calendar = ALWAYS if isinstance(verdict.goal, ElapsedTime) else pack.calendar_named(verdict.calendar)
    if not verdict.pauses and len(held) == 1 and held[0].since <= start:  # as most are: in one piece
        return _ran(held[0].party, calendar.elapsed(start, end), end - start)
    blind = any(gap.kind is GapKind.COMMENTS for gap in issue.gaps)
    pauses = sorted(verdict.pauses, key=lambda pause: (pause.since, pause.party, pause.reason))
    cuts = {start, end, *(holder.since for holder in held)}
    for pause in pauses:
        cuts |= {pause.since, pause.until or end}
    found: list[Share] = []
    for since, until in pairwise(sorted(cut for cut in cuts if start <= cut <= end)):
        elapsed, working = until - since, calendar.elapsed(since, until)
        pause_now = next((pause for pause in pauses if pause.since <= since < (pause.until or end)), None)
        if pause_now is not None:
            found.append(Share(_turn(pause_now, blind=blind), working, elapsed, paused=True))
        else:
            party = next((holder.party for holder in reversed(held) if holder.since <= since), UNASSIGNED)
            found += _ran(party, working, elapsed)
    return found


def _ran(party: str, working: timedelta, elapsed: timedelta) -> tuple[Share, Share]:
    return Share(party, working, working), Share(OFF_HOURS, _NONE, elapsed - working)


def added_up(shares: Iterable[Share]) -> tuple[Share, ...]:
    """One share for each party, tiers first, then the pauses, then what was nobody's hours."""
    sums = Sums()
    sums.add(shares)
    return sums.shares()


class Sums:
    """Shares of many issues, added up as they come."""

    def __init__(self) -> None:
        self._of: dict[tuple[str, bool], tuple[timedelta, timedelta]] = {}

    def add(self, shares: Iterable[Share]) -> None:
        for share in shares:
            working, elapsed = self._of.get((share.party, share.paused), (_NONE, _NONE))
            self._of[share.party, share.paused] = working + share.working, elapsed + share.elapsed

    def shares(self) -> tuple[Share, ...]:
        """See ``added_up``."""
        sums = self._of.items()
        found = (Share(party, working, elapsed, paused) for (party, paused), (working, elapsed) in sums if elapsed)
        return tuple(sorted(found, key=_place))


def without_pauses(shares: Iterable[Share]) -> timedelta:
    """The working time in which the clock ran: a verdict's ``used``."""
    return sum((share.working for share in shares if not share.paused), _NONE)


def with_pauses(shares: Iterable[Share]) -> timedelta:
    """The working time had nothing been paused: a verdict's ``gross``."""
    return sum((share.working for share in shares), _NONE)


def _end(issue: Issue, verdict: Verdict, start: datetime) -> datetime:
    if verdict.stopped_at is not None:
        return verdict.stopped_at
    if verdict.status is Status.CANCELLED:
        # It ran until the events that gave it up, which stand in the evidence; none stand there where it began so.
        evidence = set(verdict.reason.evidence)
        return max(start, issue.opened_at, *(event.at for event in issue.events if event.id in evidence))
    return max(start, verdict.judged_at)


def _turn(pause: Pause, *, blind: bool) -> str:
    if blind and pause.party == CUSTOMER:
        return UNKNOWN
    return pause.party or pause.reason


def _place(share: Share) -> tuple[bool, bool, int, str]:
    places = _PAUSED if share.paused else _AFTER_TIERS
    place = places.get(share.party, len(_PAUSED) if share.paused else 0)
    return share.party == OFF_HOURS and not share.paused, share.paused, place, share.party
