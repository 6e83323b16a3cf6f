"""The step that writes: carry out a plan, issue by issue, each change with its receipt.

Rules:

1. A plan that goes over a limit is not begun.
2. Of each change the issue as read is asked "is it already so?"; if so, nothing is sent for it.
3. A refused change fails alone, with what it would have proven. Any other failure ends its own issue's remaining
   changes and no other issue's, but for a tracker that is left alone (``flows.left_alone``), by whomever it was told.
4. The receipts of an answer are in the ledger before its writer sends anything more, so that a killed run leaves proof
   of all it did but what was on its way: one request of each writer.
5. An issue that is no longer at the tracker is forgotten, so that its changes are not planned for ever.
6. The run holds the site's lease (``flows.lease``) and keeps it alive on the way; once it is lost, nothing more is sent.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import chain, cycle

from connectors import registry
from connectors.tracker import NotFound, RateLimited, TrackerError, TrackerWriter
from connectors.work import Work, Worked
from flows import collecting
from flows.exit_codes import Exit
from flows.lanes import side_by_side
from flows.left_alone import Patience, Wish
from flows.refusal import Refusal
from flows.run import Done, Whose
from flows.sitting import Sitting
from policies.changes import Change
from policies.issue import Issue
from policies.plan import Plan, PlannedChange
from policies.receipt import Outcome, Receipt

READ_BACK_FROM = 200
"""So many issues of a project written to, and they are read back at once; fewer come with the next run's first pages."""

LANE_FROM = 50
"""So many issues at least has each of the writers of a tracker that work side by side."""


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
    sitting: Sitting, plan: Plan, issues: Mapping[Whose, Issue]
) -> tuple[tuple[Done, ...], dict[str, Counter[str]]]:
    """Carry out a plan on the issues as read.

    Returns:
        The receipts, issue by issue, and the requests sent for writing, by tracker and kind.

    Raises:
        LeaseLost: another run writes for this site.
        Refusal: a guard is against it.
    """
    guard(plan, None)
    done: list[Done] = []
    writing = _Writing(sitting, issues)
    for tracker, receipts in writing.carried_out(plan):
        sitting.ledger.record_receipts(sitting.run, tracker, (one.receipt for one in receipts))
        done += receipts
        sitting.progress("apply", len(done), len(plan.changes))
        sitting.keep_alive()
    requests = writing.requests
    for tracker, projects in _much_written(done).items():
        if tracker not in writing.left_alone:
            read = collecting.read_back(sitting, sitting.site.tracker(tracker), projects)
            requests.setdefault(tracker, Counter()).update(read)
    return _in_order_of(plan, done), requests


def _in_order_of(plan: Plan, done: Iterable[Done]) -> tuple[Done, ...]:
    """As planned, issue by issue; writers side by side end in any order."""
    places = {(each.tracker, each.issue.id): place for place, each in enumerate(plan.changes) if each.issue is not None}

    def place(one: Done) -> int:
        issue = one.receipt.issue
        return places.get((one.tracker, issue.id), len(places)) if issue is not None else len(places)

    return tuple(sorted(done, key=place))


def _much_written(done: Sequence[Done]) -> dict[str, list[str]]:
    """Tracker -> projects in which so many issues were written to that reading them again is a task of its own."""
    issues = {
        (one.tracker, one.receipt.issue.project, one.receipt.issue.id)
        for one in done
        if one.receipt.issue is not None and one.receipt.outcome is Outcome.PERFORMED
    }
    found: dict[str, list[str]] = {}
    for (tracker, project), count in sorted(Counter((of, project) for of, project, _ in issues).items()):
        if count >= READ_BACK_FROM:
            found.setdefault(tracker, []).append(project)
    return found


def _parts(to_do: Sequence[Work], most: int) -> list[Sequence[Work]]:
    """The work of each writer, of so many at most. What is alike is side by side in it: some trackers take that in one request."""
    alike: dict[tuple[Change, ...], list[Work]] = {}
    for work in to_do:
        alike.setdefault(work.changes, []).append(work)
    ordered = list(chain.from_iterable(alike.values()))
    size = max(LANE_FROM, -(-len(ordered) // most))
    return [ordered[start : start + size] for start in range(0, len(ordered), size)]


class _Writing:
    """A plan on its way to the trackers.

    Attributes:
        requests: what was sent, by tracker and kind.
        left_alone: trackers that wished it.
    """

    def __init__(self, sitting: Sitting, issues: Mapping[Whose, Issue]) -> None:
        self.requests: dict[str, Counter[str]] = {}
        self.left_alone: set[str] = set()
        self._sitting = sitting
        self._issues = issues

    def carried_out(self, plan: Plan) -> Iterator[tuple[str, list[Done]]]:
        """Tracker and receipts of one answer at a time."""
        by_tracker: dict[str, dict[str, list[PlannedChange]]] = {}
        for planned in plan.changes:
            whose = planned.issue.id if planned.issue else f"new {planned.change.kind}"
            by_tracker.setdefault(planned.tracker, {}).setdefault(whose, []).append(planned)
        for tracker, by_issue in by_tracker.items():
            to_do: list[Work] = []
            already: list[Done] = []
            for whose, changes in by_issue.items():
                issue = self._issues.get((tracker, whose))
                so = [planned for planned in changes if issue is not None and planned.change.satisfied_by(issue)]
                already += [Done(tracker, _receipt(each, Outcome.ALREADY_SO, self._sitting.now, "")) for each in so]
                if rest := tuple(planned.change for planned in changes if planned not in so):
                    to_do.append(Work(issue, rest))
            if already:
                yield tracker, already
            if to_do:
                yield from ((tracker, receipts) for receipts in self._by_writers(tracker, to_do))

    def _by_writers(self, tracker: str, to_do: Sequence[Work]) -> Iterator[list[Done]]:
        """A tracker's work, each part of it by a writer of its own, or by one that takes several at once."""
        sitting, wish = self._sitting, Wish()
        found = sitting.site.tracker(tracker)
        parts = _parts(to_do, registry.most_writers(found.kind))
        opened: list[TrackerWriter] = []
        lanes: list[_Lane] = []
        try:
            for _ in parts[:1] if registry.one_writer(found.kind) else parts:
                cache = sitting.cache_of(found)
                opened.append(registry.open_writer(found.kind, sitting.site.connection(found), cache=cache))
            pairs = zip(cycle(opened), parts, strict=False)
            lanes += [_Lane(sitting, writer, part, Patience(wish)) for writer, part in pairs]
            yield from side_by_side([lane.written for lane in lanes])
        finally:
            if wish.why:
                self.left_alone.add(tracker)
            spent = self.requests.setdefault(tracker, Counter())
            for lane in lanes:
                spent.update(lane.looked)
            for writer in opened:
                spent.update(writer.requests)
                writer.close()


class _Lane:
    """The work of one writer.

    Attributes:
        looked: requests sent to look at issues again, by kind.
    """

    def __init__(self, sitting: Sitting, writer: TrackerWriter, to_do: Sequence[Work], patience: Patience) -> None:
        self.looked: Counter[str] = Counter()
        self._sitting = sitting
        self._writer = writer
        self._to_do = to_do
        self._patience = patience

    def written(self) -> Iterator[list[Done]]:
        """What became of the changes, answer by answer: what is given together went out together."""
        sitting, tracker = self._sitting, self._writer.name
        told: list[Done] = []  # of the answer that is being read
        known = False  # the next one went out together with it, and has its own answer, which costs nothing
        left = deque(self._to_do)
        answers = self._answers()
        while left and (known or not self._patience.over):
            work, worked = left.popleft(), next(answers)
            missing = work.issue if isinstance(worked.failure, NotFound) else None
            if missing is not None and told:
                # Whether the issue is gone is asked of the tracker.
                yield told
                told = []
            gone = missing is not None and self._gone(missing)
            if gone and missing is not None:
                sitting.ledger.forget(sitting.site.name, tracker, [missing.ref.id])
            rests = isinstance(worked.failure, RateLimited)
            for each in worked.receipts:
                lost = each.outcome is Outcome.FAILED
                told.append(Done(tracker, each, gone and lost, rests and lost))
            self._patience.tell(worked.failure)
            known = worked.next_known
            if not known:
                yield told
                told = []
        told += _not_tried(tracker, left, sitting.now, self._patience.over)
        if told:
            yield told

    def _answers(self) -> Iterator[Worked]:
        """What became of each piece of work. A defect met on one issue must not stop the others' changes."""
        left = deque(self._to_do)
        try:
            for worked in self._writer.perform(self._to_do, self._sitting.now):
                left.popleft()
                yield worked
        except Exception as defect:  # noqa: BLE001 - whatever it is, it is of this one issue
            yield self._broken_off(left.popleft(), defect)
        # Of what went out together with it some may be done, and nobody has said so: one by one, as it is now.
        for work in left:
            try:
                yield self._looked_at_again(work)
            except Exception as failure:  # noqa: BLE001 - as above
                yield self._broken_off(work, failure)

    def _broken_off(self, work: Work, failure: Exception) -> Worked:
        if not isinstance(failure, TrackerError):
            # Only a TrackerError's text is known to hold no secret.
            failure = TrackerError(f"a defect of this program ({type(failure).__name__})", tracker=self._writer.name)
        return Worked.broken_off(work, (), failure, self._sitting.now)

    def _looked_at_again(self, work: Work) -> Worked:
        """What is still to be done on the issue, done."""
        if work.issue is None:
            return next(iter(self._writer.perform([work], self._sitting.now)))
        issue = self._read(work.issue)
        so = [change for change in work.changes if change.satisfied_by(issue)]
        receipts = tuple(
            Receipt(issue=issue.ref, change=one, outcome=Outcome.ALREADY_SO, at=self._sitting.now) for one in so
        )
        rest = tuple(change for change in work.changes if change not in so)
        if not rest:
            return Worked(receipts)
        worked = next(iter(self._writer.perform([Work(issue, rest)], self._sitting.now)))
        return Worked((*receipts, *worked.receipts), worked.failure)

    def _gone(self, issue: Issue) -> bool:
        """Whether the issue itself is not there. Something else may be missing: the person to assign, a link's target."""
        try:
            self._read(issue)
        except NotFound:
            return True
        except TrackerError as failure:
            self._patience.tell(failure)
        return False

    def _read(self, issue: Issue) -> Issue:
        site = self._sitting.site
        tracker = site.tracker(self._writer.name)
        with collecting.reading(site, tracker, self._sitting.cache_of(tracker)) as reader:
            try:
                return reader.issue(issue.ref.key)
            finally:
                self.looked.update(reader.requests)


def _receipt(planned: PlannedChange, outcome: Outcome, now: datetime, error: str) -> Receipt:
    return Receipt(issue=planned.issue, change=planned.change, outcome=outcome, at=now, error=error)


def _not_tried(tracker: str, left: Iterable[Work], now: datetime, why: str) -> list[Done]:
    refs = ((work.issue.ref if work.issue else None, change) for work in left for change in work.changes)
    return [
        Done(tracker, Receipt(issue=ref, change=change, outcome=Outcome.NOT_TRIED, at=now, error=why))
        for ref, change in refs
    ]
