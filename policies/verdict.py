"""Verdicts: what a clock says of an issue at one instant, with its reason as data."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from policies.duration import Duration


class Status(StrEnum):
    """The nine verdicts. Past due and still running is ``overdue``; stopped after due is ``missed``."""

    RUNNING = "running"
    AT_RISK = "at_risk"
    PAUSED = "paused"
    OVERDUE = "overdue"
    MET = "met"
    MISSED = "missed"
    CANCELLED = "cancelled"
    NOT_APPLICABLE = "not_applicable"
    INDETERMINATE = "indeterminate"

    @property
    def breached(self) -> bool:
        return self in {Status.OVERDUE, Status.MISSED}

    @property
    def final(self) -> bool:
        """Only a further event can change it."""
        return self in {Status.MET, Status.MISSED, Status.CANCELLED, Status.NOT_APPLICABLE, Status.INDETERMINATE}


class ReasonCode(StrEnum):
    WITHIN_GOAL = "within_goal"
    PAST_THRESHOLD = "past_threshold"
    PAST_DUE = "past_due"
    WAITING = "waiting"
    STOPPED_IN_TIME = "stopped_in_time"
    STOPPED_LATE = "stopped_late"
    ISSUE_CANCELLED = "issue_cancelled"
    NO_GOAL = "no_goal"
    NOT_STARTED = "not_started"
    HISTORY_GAP = "history_gap"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a verdict is what it is.

    Attributes:
        clause: the goal or rule of the pack it rests on, as its path in the pack (``clocks.resolution.goals[0]``).
        evidence: ids of the events it rests on, in order.
        detail: a gap, a cancellation word, a pause's reason; "" if there is nothing to add.
    """

    code: ReasonCode
    clause: str = ""
    evidence: tuple[str, ...] = ()
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Pause:
    """A stretch in which the clock stood still.

    Attributes:
        until: None while it is still open.
        party: whose turn it was (``customer``, ``third_party`` ...).
        evidence: ids of the events that began and ended it.
    """

    since: datetime
    until: datetime | None
    reason: str
    party: str
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What one cycle of one clock says at ``judged_at``.

    Attributes:
        cycle: 1 for the first; a reopened issue may start further ones.
        goal: the promise in force, as the pack spells it; None where there is none.
        due_at: None while it is not known; for a paused clock the earliest possible instant.
        used, left: working time of the goal's calendar; ``left`` is negative when late, None without a goal.
        gross: time used had nothing been paused.
        next_change_at: the first instant at which this verdict changes without any event; None if never.
        provisional: the calendar does not cover all of the years it was asked for.
        calendar: id of the calendar the goal counts on.
        policy: ``id@version`` of the pack; ``digest`` covers the pack and its calendars.
    """

    clock: str
    cycle: int
    status: Status
    reason: Reason
    judged_at: datetime
    policy: str
    digest: str
    calendar: str = ""
    goal: Duration | None = None
    started_at: datetime | None = None
    due_at: datetime | None = None
    stopped_at: datetime | None = None
    used: timedelta = timedelta()
    left: timedelta | None = None
    gross: timedelta = timedelta()
    pauses: tuple[Pause, ...] = ()
    next_change_at: datetime | None = None
    at_risk_at: datetime | None = None
    provisional: bool = False
