"""What one run saw, decided and did, as values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from connectors.ledger import RunState
from connectors.tracker import Capabilities, Unreadable
from policies.issue import Actor, Issue, IssueRef, Release
from policies.plan import Plan
from policies.receipt import Outcome, Receipt
from policies.summary import ComplianceSummary
from policies.verdict import Judged

Whose = tuple[str, str]
"""Names an issue within a run: its tracker, and its id there."""

Progress = Callable[[str, int, int | None], None]
"""Told what is being done, how many of it are done, and of how many (None while that is not known)."""


def silent(doing: str, done: int, total: int | None) -> None:
    """Progress nobody watches."""
    del doing, done, total


def whose(issue: Issue) -> Whose:
    """An issue's name within a run."""
    return issue.ref.tracker, issue.ref.id


@dataclass(frozen=True, slots=True)
class Gone:
    """An issue that was read before and is no longer there. Attributes: why: in plain words."""

    tracker: str
    key: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """One project of one tracker, as known after reading what changed.

    Attributes:
        issues: raw facts, cached ones merged with those just read; fetched anew each time they are gone through.
        cut_short: why reading ended early, in one line; "" when it did not. The cursor then stays where it was.
        gone: issues that were forgotten.
        doubt: what could not be made sure of, in one line; all that was read counts all the same.
        rests: nothing is wrong, but the tracker asked for a longer rest than a run may take.
        left_alone: why no other project of its tracker is read in this run, in one line; "" while they are.
        requests: requests sent for it, by kind.
    """

    tracker: str
    project: str
    issues: Iterable[Issue] = ()
    unreadable: tuple[Unreadable, ...] = ()
    releases: tuple[Release, ...] = ()
    own: Actor | None = None
    capabilities: Capabilities | None = None
    cut_short: str = ""
    gone: tuple[Gone, ...] = ()
    doubt: str = ""
    rests: bool = False
    left_alone: str = ""
    requests: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Done:
    """A receipt with the tracker it belongs to.

    Attributes:
        gone: its issue is no longer there, and was forgotten.
        rests: it failed because the tracker asked for a longer rest than a run may take.
    """

    tracker: str
    receipt: Receipt
    gone: bool = False
    rests: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Attributes.

    id: names the run in the ledger.
    policy: ``id@version`` of the pack in force.
    judged: issues with their verdicts, without their histories; the report issues are not among them.
    faults: tracker or project -> why it was cut short, or what is in doubt there.
    gone: issues that are no longer there.
    receipts: None for a run that only planned.
    requests: tracker -> requests sent, by kind.
    rests: a tracker that was to be read asked for a longer rest than a run may take.
    """

    id: str
    site: str
    zone: str
    now: datetime
    policy: str
    judged: tuple[Judged, ...]
    plan: Plan
    releases: tuple[Release, ...] = ()
    summaries: tuple[ComplianceSummary, ...] = ()
    servers: Mapping[str, str] = field(default_factory=dict)
    unreadable: tuple[Unreadable, ...] = ()
    faults: Mapping[str, str] = field(default_factory=dict)
    gone: tuple[Gone, ...] = ()
    receipts: tuple[Done, ...] | None = None
    requests: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    read_nothing: bool = False
    rests: bool = False

    @property
    def confidential(self) -> frozenset[IssueRef]:
        """The issues of which nothing may be told but that something was done to them."""
        return frozenset(one.issue.ref for one in self.judged if one.issue.confidential)

    def outcomes(self) -> Counter[Outcome]:
        return Counter(done.receipt.outcome for done in self.receipts or ())

    @property
    def written(self) -> int:
        """How many changes were carried out."""
        return self.outcomes()[Outcome.PERFORMED]

    @property
    def state(self) -> RunState:
        """Red: nothing useful could be done. Amber: done in part, or put off at a tracker's wish. Green: done."""
        outcomes = self.outcomes()
        failed = outcomes[Outcome.FAILED] + outcomes[Outcome.NOT_TRIED]
        nothing = self.read_nothing or (failed and failed == sum(outcomes.values()))
        put_off = self.rests or any(done.rests for done in self.receipts or ())
        if self.plan.breaches or (nothing and not put_off):
            return RunState.RED
        if nothing or self.faults or self.unreadable or self.plan.skipped or failed:
            return RunState.AMBER
        return RunState.GREEN

    @property
    def why(self) -> tuple[str, ...]:
        """What keeps the run from being green, one line each."""
        outcomes = self.outcomes()
        lines = [f"{where}: {fault}" for where, fault in self.faults.items()]
        lines += [f"over a limit: {breach.detail}" for breach in self.plan.breaches]
        # Each of its changes found it gone.
        lines += dict.fromkeys(
            f"{done.tracker}: {done.receipt.issue.key} is no longer there (deleted, or hidden from this account): forgotten"
            for done in self.receipts or ()
            if done.gone and done.receipt.issue
        )
        if self.unreadable:
            lines.append(f"{len(self.unreadable)} issues could not be read")
        if self.plan.skipped:
            lines.append(f"{len(self.plan.skipped)} issues were skipped")
        if failed := outcomes[Outcome.FAILED]:
            lines.append(f"{failed} changes failed")
        if left := outcomes[Outcome.NOT_TRIED]:
            lines.append(f"{left} changes were not tried")
        return tuple(lines)
