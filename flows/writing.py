"""The step that writes: carry out a plan, change by change, each with its receipt.

Rules:

1. A plan that goes over a limit is not begun.
2. Before each change the issue as read is asked "is it already so?"; then nothing is sent.
3. A failed change ends its own issue's remaining changes and no other issue's. Only a tracker that lets nobody in, asks
   for a longer rest than a run may take, or does not answer time after time, ends the whole tracker's.
4. A receipt is in the ledger before the next change begins, so that a killed run leaves proof of all it did.
5. An issue that is no longer at the tracker is forgotten, so that its changes are not planned for ever.
6. The run holds the site's lease (``flows.lease``) and keeps it alive on the way; once it is lost, nothing more is sent.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime

from connectors import registry
from connectors.tracker import (
    CredentialsRefused,
    NotFound,
    RateLimited,
    ServerFailed,
    TrackerError,
    TrackerWriter,
    Unreachable,
)
from flows import steps
from flows.exit_codes import Exit
from flows.refusal import Refusal
from flows.run import Done
from flows.site import Site
from flows.steps import Sitting
from policies.issue import Issue
from policies.plan import Plan, PlannedChange
from policies.receipt import Outcome, Receipt

GIVE_UP_AFTER = 3
"""Changes in a row that a tracker may fail to answer before it is left alone for this run."""


_NO_ANSWER = (Unreachable, ServerFailed, RateLimited)


class Writers:
    """The writers of a site, each opened when its first change comes, so that a run without changes builds none."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._open: dict[str, TrackerWriter] = {}

    def of(self, tracker: str) -> TrackerWriter:
        if tracker not in self._open:
            found = self._site.tracker(tracker)
            self._open[tracker] = registry.open_writer(found.kind, self._site.connection(found))
        return self._open[tracker]

    def requests(self) -> dict[str, Counter[str]]:
        return {name: Counter(writer.requests) for name, writer in self._open.items()}

    def close(self) -> None:
        for writer in self._open.values():
            writer.close()


def guard(plan: Plan, expect: str | None) -> None:
    """Refuse a plan that goes over a limit, or is not the one that was expected.

    Raises:
        Refusal: with Exit.REFUSED; nothing was written.
    """
    if plan.breaches:
        lines = "; ".join(breach.detail for breach in plan.breaches)
        raise Refusal(
            f"the plan goes over a limit, so nothing was written: {lines}",
            Exit.REFUSED,
            "look at it with `warranty plan`; if it is right, raise the limit in the site file",
        )
    if expect is not None and expect != plan.digest:
        raise Refusal(
            f"the plan is {plan.digest}, not {expect}: something changed since; nothing was written",
            Exit.REFUSED,
            "look at it again with `warranty plan`, then give --expect its digest",
        )


def apply(
    sitting: Sitting, plan: Plan, issues: Mapping[tuple[str, str], Issue]
) -> tuple[tuple[Done, ...], dict[str, Counter[str]]]:
    """Carry out a plan on the issues as read, by (tracker, id).

    Returns:
        The receipts in order, and the requests sent for writing, by tracker and kind.

    Raises:
        LeaseLost: another run writes for this site.
        Refusal: a guard is against it.
    """
    guard(plan, None)
    if not plan.changes:
        return (), {}
    done: list[Done] = []
    writers = Writers(sitting.site)
    try:
        for one in _carried_out(sitting, plan, issues, writers):
            sitting.ledger.record_receipt(sitting.run, one.tracker, one.receipt)
            done.append(one)
            sitting.progress("apply", len(done), len(plan.changes))
            sitting.keep_alive()
        return tuple(done), writers.requests()
    finally:
        writers.close()


def _carried_out(
    sitting: Sitting, plan: Plan, issues: Mapping[tuple[str, str], Issue], writers: Writers
) -> Iterator[Done]:
    now = sitting.now
    stopped: dict[tuple[str, str], str] = {}  # issue -> why its remaining changes are not tried
    silence: Counter[str] = Counter()  # tracker -> changes in a row without an answer
    shut: dict[str, str] = {}  # tracker -> why none of its changes is tried any more
    for planned in plan.changes:
        whose = (planned.tracker, planned.issue.id if planned.issue else f"new {planned.change.kind}")
        if why := shut.get(planned.tracker) or stopped.get(whose):
            yield Done(planned.tracker, _receipt(planned, Outcome.NOT_TRIED, now, why))
            continue
        try:
            yield Done(planned.tracker, _perform(planned, issues.get(whose), writers, now))
            silence[planned.tracker] = 0
        except Exception as failure:  # noqa: BLE001 - a defect met on one issue must not stop the others' changes
            gone = isinstance(failure, NotFound) and _gone(sitting, planned)
            if gone and planned.issue is not None:
                sitting.ledger.forget(sitting.site.name, planned.tracker, [planned.issue.id])
            yield Done(planned.tracker, _receipt(planned, Outcome.FAILED, now, _one_line(failure)), gone)
            stopped[whose] = f"an earlier change of this issue failed: {_one_line(failure)}"
            silence[planned.tracker] = silence[planned.tracker] + 1 if isinstance(failure, _NO_ANSWER) else 0
            if isinstance(failure, CredentialsRefused | RateLimited) or silence[planned.tracker] >= GIVE_UP_AFTER:
                shut[planned.tracker] = f"the tracker was left alone: {_one_line(failure)}"


def _gone(sitting: Sitting, planned: PlannedChange) -> bool:
    """Whether the issue itself is not there. Something else may be missing: the person to assign, a link's target."""
    if planned.issue is None:
        return False
    try:
        with steps.reading(sitting.site, sitting.site.tracker(planned.tracker)) as reader:
            reader.issue(planned.issue.key)
    except NotFound:
        return True
    except TrackerError:
        return False
    return False


def _perform(planned: PlannedChange, issue: Issue | None, writers: Writers, now: datetime) -> Receipt:
    if issue is not None and planned.change.satisfied_by(issue):
        return _receipt(planned, Outcome.ALREADY_SO, now, "")
    return writers.of(planned.tracker).perform(issue, planned.change, now)


def _receipt(planned: PlannedChange, outcome: Outcome, now: datetime, error: str) -> Receipt:
    return Receipt(issue=planned.issue, change=planned.change, outcome=outcome, at=now, error=error)


def _one_line(failure: Exception) -> str:
    """The failure in one line. Only a TrackerError's text is known to hold no secret."""
    if isinstance(failure, TrackerError):
        return " ".join(str(failure).split())
    return f"a defect of this program ({type(failure).__name__})"
