"""What a tracker's own clocks say of an issue: facts to compare with, never a ground for a verdict.

A tracker computes these anew when somebody edits their configuration, so that they are no record of what was promised.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class NativeCycle:
    """One run of a tracker's clock, as of when the issue was read.

    Attributes:
        started, stopped: None where it does not say; a cycle that has not stopped is the ongoing one.
        breach_at: when the goal was, or will be, missed.
        elapsed: of the goal, by the tracker's own calendar.
        paused: it stands still at the moment.
    """

    started: datetime | None = None
    stopped: datetime | None = None
    breach_at: datetime | None = None
    breached: bool = False
    goal: timedelta | None = None
    elapsed: timedelta | None = None
    paused: bool = False

    def __post_init__(self) -> None:
        for name in ("started", "stopped", "breach_at"):
            at: datetime | None = getattr(self, name)
            if at is None:
                continue
            if at.utcoffset() is None:
                raise ValueError(f"naive datetime {at.isoformat()!r}: an instant needs its offset")
            object.__setattr__(self, name, at.astimezone(UTC))


@dataclass(frozen=True, slots=True)
class NativeSla:
    """One clock of the tracker. Attributes: cycles: the first one first, the ongoing one last."""

    name: str
    cycles: tuple[NativeCycle, ...] = ()
