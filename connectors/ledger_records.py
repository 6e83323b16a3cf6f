"""What the ledger gives back: runs, verdicts and receipts as they were written down."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from policies.issue import IssueRef
    from policies.receipt import Receipt
    from policies.verdict import Verdict


class RunState(StrEnum):
    """How a run ended: all done; cut short, the next goes on from there; nothing useful done."""

    GREEN = "green"
    AMBER = "amber"
    RED = "red"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run. Attributes: state, ended_at: None while it goes on or if it was killed. requests: sent, by kind."""

    id: str
    site: str
    started_at: datetime
    ended_at: datetime | None = None
    state: RunState | None = None
    requests: Mapping[str, int] = field(default_factory=dict)
    plan_digest: str = ""


@dataclass(frozen=True, slots=True)
class Judged:
    """A verdict with the issue it is about.

    Attributes:
        run: the run that gave it ("" before it is recorded).
        number: its place in the ledger (0 before it is recorded).
        correction_of, correction: the number of the verdict that this one corrects, and why; None and "" if none.
    """

    issue: IssueRef
    verdict: Verdict
    run: str = ""
    number: int = field(default=0, compare=False)
    correction_of: int | None = None
    correction: str = ""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A receipt as it was written down."""

    run: str
    tracker: str
    receipt: Receipt
