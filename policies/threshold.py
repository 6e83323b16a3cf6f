"""Places on a clock's way at which something happens: a share of the promised time, or so long before or after it is due.

Rules:

1. A share and a time before due are places of running time: a pause ahead of them moves them, one behind them does not.
2. A place before due that would lie ahead of the start is the start.
3. What lies after the due instant counts from it on the goal's calendar; no pause moves it any more.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from policies.duration import Duration, ElapsedTime, WorkingTime


@dataclass(frozen=True, slots=True)
class Share:
    """So many percent of the promised time are used up."""

    percent: int

    @property
    def name(self) -> str:
        return f"{self.percent}%"


@dataclass(frozen=True, slots=True)
class BeforeDue:
    """No more than this is left: elapsed time, or working time of the goal's calendar."""

    left: ElapsedTime | WorkingTime

    @property
    def name(self) -> str:
        return f"{self.left} before due"


@dataclass(frozen=True, slots=True)
class AfterDue:
    """It has been overdue for this long."""

    late: Duration

    @property
    def name(self) -> str:
        return f"{self.late} after due"


WHOLE = 100
"""Percent of the promised time: the due instant."""

Mark = Share | BeforeDue | AfterDue


class Threshold(NamedTuple):
    """When a clock reached, or will reach, a mark of this name. A plain pair: each verdict carries several."""

    name: str
    at: datetime
