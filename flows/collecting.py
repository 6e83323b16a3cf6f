"""The step that reads: what changed in each project since its cursor, together with what is cached.

Rules:

1. A project that could not be read to its end keeps its cursor, and only what was surely read of it is judged.
2. A tracker that is down stops no other. Of one that is left alone (``flows.left_alone``) no further project is read.
3. The cursor never goes past the instant at which reading began: what was changed behind a page already read is found
   by the next run, however long this one took.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import chain

from connectors import registry
from connectors.cache import Cache
from connectors.ledger import Cursor, Kept
from connectors.tracker import Capabilities, NotFound, RateLimited, TrackerError, TrackerReader, Unreadable
from flows import instant, left_alone, reconciling
from flows.project_groups import is_group, present
from flows.run import Collected, Gone
from flows.site import Site
from flows.sitting import Sitting
from flows.tracker_site import TrackerSite
from policies.issue import Actor, Issue, Release

Onward = Callable[[str, str, Capabilities, Kept], None]
"""Takes an issue as soon as it is read and kept: its tracker, our own account there, what that tracker can do, the issue."""

SETTLED = timedelta(minutes=1)
"""What was updated so shortly before it was read may have been updated once more within the same second."""


@contextlib.contextmanager
def reading(site: Site, tracker: TrackerSite, cache: Cache | None = None) -> Iterator[TrackerReader]:
    """A reader, closed at the end. Raises InputError where a secret is not there."""
    reader = registry.open_reader(tracker.kind, site.connection(tracker), cache=cache)
    try:
        yield reader
    finally:
        reader.close()


def collect(
    sitting: Sitting, tracker: TrackerSite, project: str, reader: TrackerReader, onward: Onward | None = None
) -> Collected:
    """Read what changed in one project since the cursor, and give it with what is cached.

    Args:
        onward: is given what is read while it is; then it is not among the issues at the end.

    Raises:
        TrackerError: nothing could be read at all. Once something was read, a failure is told in ``cut_short``.
    """
    site, ledger = sitting.site, sitting.ledger
    before = Counter(reader.requests)
    cursor = ledger.cursor(site.name, tracker.name, project)
    capabilities = reader.capabilities()
    # Nobody logged in would find an empty project.
    account = _OwnAccount(reader)
    reading_ = _Reading(tracker, project, sitting)
    releases: tuple[Release, ...] = ()
    for kept in ledger.keeping(site.name, reading_.through(_changed(sitting, tracker, project, reader, cursor))):
        if onward is not None:
            onward(tracker.name, account.by_now().id, capabilities, kept)
    if not reading_.cut_short:
        try:
            releases = reader.releases(project)
        except TrackerError as failure:
            reading_.cut_short = str(failure)
    own = account.by_now()
    reading_.cut_short = reading_.cut_short or account.lost
    whole = not reading_.cut_short
    if whole:
        _set_cursor(sitting, tracker, project, reading_, cursor)
    gone: tuple[Gone, ...] = ()
    doubt = ""
    if cursor is None:
        ledger.set_reconciled(site.name, tracker.name, project, sitting.now)
    elif whole:
        gone, doubt = _gone(sitting, tracker, project, reader, reading_, cursor)
    held = _Held(
        sitting,
        tracker.name,
        project,
        lost=frozenset(unreadable.key for unreadable in reading_.unreadable),
        only=None if whole else frozenset(reading_.fresh),
        gone_on=frozenset(reading_.fresh) if onward is not None else frozenset(),
    )
    return Collected(
        tracker=tracker.name,
        project=project,
        issues=held,
        unreadable=tuple(reading_.unreadable),
        releases=releases,
        own=own,
        capabilities=capabilities,
        cut_short=reading_.cut_short,
        gone=gone,
        doubt=doubt,
        left_alone=reading_.left_alone,
        requests=Counter(reader.requests) - before,
    )


@dataclass(frozen=True, slots=True)
class _Held:
    """The issues of a project as they stand in the ledger, few of them in memory at a time.

    Attributes:
        lost: keys of those that could not be read this time.
        only: ids of those that were; None for all.
        gone_on: ids of those that were given away while they were read.
    """

    sitting: Sitting
    tracker: str
    project: str
    lost: frozenset[str]
    only: frozenset[str] | None
    gone_on: frozenset[str]

    def __iter__(self) -> Iterator[Issue]:
        ledger, site = self.sitting.ledger, self.sitting.site.name
        for issue in ledger.issues(site, self.tracker, self.project, but=self.gone_on):
            if issue.ref.key not in self.lost and (self.only is None or issue.ref.id in self.only):
                yield issue


def _changed(
    sitting: Sitting, tracker: TrackerSite, project: str, reader: TrackerReader, cursor: Cursor | None
) -> Iterator[Issue | Unreadable]:
    if cursor is None:
        return reader.changed_since(project, None)
    # Search indexes lag, and clocks of servers differ.
    since = cursor.at - reader.capabilities().lag
    if cursor.read_at is None:
        return reader.changed_since(project, since)
    held = sitting.ledger.known(sitting.site.name, tracker.name, project, since)
    known = {id_: at for id_, at in held.items() if at + SETTLED <= cursor.read_at}
    return reader.changed_since(project, since, known)


def _set_cursor(
    sitting: Sitting, tracker: TrackerSite, project: str, reading_: _Reading, cursor: Cursor | None
) -> None:
    """After a project was read to its end. One that could not be understood is read again until it can be."""
    # What was updated while it was read may have been read before others were updated, on pages already gone by.
    reached = None if reading_.newest is None else min(reading_.newest, reading_.begun)
    newest = max((at for at in (reached, cursor.at if cursor else None) if at is not None), default=None)
    if newest is not None and not reading_.unreadable:
        sitting.ledger.set_cursor(sitting.site.name, tracker.name, project, newest, reading_.begun)


def read_back(sitting: Sitting, tracker: TrackerSite, projects: Iterable[str]) -> Counter[str]:
    """Take in at once what was written to these projects, so that the next run finds nothing new. Gives the requests.

    Where it fails, the next run reads it.
    """
    with reading(sitting.site, tracker, sitting.cache_of(tracker)) as reader:
        for project in projects:
            cursor = sitting.ledger.cursor(sitting.site.name, tracker.name, project)
            reading_ = _Reading(tracker, project, sitting, "read back")
            try:
                sitting.ledger.keep(
                    sitting.site.name, reading_.through(_changed(sitting, tracker, project, reader, cursor))
                )
            except TrackerError as failure:
                reading_.left_alone = left_alone.reason(failure)
            else:
                if not reading_.cut_short:
                    _set_cursor(sitting, tracker, project, reading_, cursor)
            if reading_.left_alone:
                break
        return Counter(reader.requests)


def _gone(
    sitting: Sitting, tracker: TrackerSite, project: str, reader: TrackerReader, reading_: _Reading, cursor: Cursor
) -> tuple[tuple[Gone, ...], str]:
    """What is no longer there, and what could not be made sure of."""
    if not reconciling.is_due(cursor, sitting.now):
        return (), ""
    try:
        return reconciling.reconcile(sitting, tracker.name, project, reader, frozenset(reading_.fresh)), ""
    except (reconciling.MostAreGone, TrackerError) as failure:
        return (), str(failure)


class _OwnAccount:
    """Our account as what was read tells it: another one, perhaps, than an earlier run knew.

    Attributes:
        lost: why it is not known any longer, in one line; then it stays as it was.
    """

    def __init__(self, reader: TrackerReader) -> None:
        """Raises TrackerError: nobody is logged in."""
        self._reader = reader
        self._known = reader.own_account()
        self.lost = ""

    def by_now(self) -> Actor:
        if not self.lost:
            try:
                self._known = self._reader.own_account()
            except TrackerError as failure:
                self.lost = str(failure)
        return self._known


class _Reading:
    """Issues on their way from the tracker to the ledger, and what is noted on the way."""

    def __init__(self, tracker: TrackerSite, project: str, sitting: Sitting, verb: str = "read") -> None:
        self.fresh: set[str] = set()
        self.unreadable: list[Unreadable] = []
        self.newest: datetime | None = None
        self.cut_short = ""
        self.left_alone = ""
        # The clock's, not the instant that is judged at, which may be any.
        self.begun = instant.now()
        self._doing = f"{verb} {tracker.name}/{project}"
        self._tracker = tracker.name
        self._project = project
        self._sitting = sitting

    def through(self, source: Iterable[Issue | Unreadable]) -> Iterator[Issue]:
        try:
            for found in source:
                if isinstance(found, Unreadable):
                    self.unreadable.append(found)
                    continue
                self._named_alike(found)
                self.fresh.add(found.ref.id)
                self.newest = max(found.updated_at, self.newest or found.updated_at)
                self._sitting.progress(self._doing, len(self.fresh), None)
                self._sitting.keep_alive()
                yield found
        except TrackerError as failure:
            if not self.fresh and not self.unreadable:
                raise
            self.cut_short = str(failure)
            self.left_alone = left_alone.reason(failure)

    def _named_alike(self, issue: Issue) -> None:
        """Issues are kept under their tracker's name of the project, and would not be found again under another.

        Raises:
            NotFound: the project has another name: one spelled otherwise, or one that it was given since.
        """
        if issue.ref.project != self._project:
            advice = f"its issues are of {issue.ref.project!r}: name the project so in the site file"
            raise NotFound(advice, tracker=self._tracker, doing=self._doing)


def collect_all(sitting: Sitting, onward: Onward | None = None) -> tuple[Collected, ...]:
    """Every project of every tracker; a tracker that is down is told in ``cut_short`` and stops no other.

    Args:
        onward: as ``collect``'s.

    Raises:
        InputError: a secret that the site file names is not there.
    """
    return tuple(
        collected for tracker in sitting.site.trackers for collected in collect_tracker(sitting, tracker, onward)
    )


def collect_tracker(sitting: Sitting, tracker: TrackerSite, onward: Onward | None = None) -> Iterator[Collected]:
    """All projects of one tracker over one connection."""
    with reading(sitting.site, tracker, sitting.cache_of(tracker)) as reader:
        yield from _collect_each(sitting, tracker, tracker.projects, reader, onward)


def _collect_each(
    sitting: Sitting, tracker: TrackerSite, names: Iterable[str], reader: TrackerReader, onward: Onward | None
) -> Iterator[Collected]:
    def collected(name: str) -> Iterator[Collected]:
        spent = Counter(reader.requests)
        try:
            yield from collect_named(sitting, tracker, name, reader, onward)
        except TrackerError as failure:
            yield not_read(tracker, name, failure, Counter(reader.requests) - spent)

    yield from while_asked(tracker, names, collected)


def while_asked(
    tracker: TrackerSite,
    names: Iterable[str],
    collected: Callable[[str], Iterable[Collected]],
    before: Iterable[Collected] = (),
) -> Iterator[Collected]:
    """What is collected of each; of those that come after the tracker is to be left alone, that they were not read.

    Args:
        names: projects or groups.
        before: what was collected earlier in this run, of any tracker.
    """
    ended = next((one for one in before if one.tracker == tracker.name and one.left_alone), None)
    for name in names:
        if ended is not None:
            why = ended.left_alone
            yield Collected(tracker=tracker.name, project=name, cut_short=why, rests=ended.rests, left_alone=why)
            continue
        for one in collected(name):
            yield one
            ended = one if one.left_alone else ended


def collect_named(
    sitting: Sitting, tracker: TrackerSite, name: str, reader: TrackerReader, onward: Onward | None = None
) -> Iterator[Collected]:
    """What the site names: a project, or a group with all that is in it now.

    Raises:
        TrackerError: nothing of the project could be read, or the tracker does not say what is in the group.
    """
    if not is_group(name):
        yield collect(sitting, tracker, name, reader, onward)
        return
    spent = Counter(reader.requests)
    found = present(name, tracker.projects, reader, sitting.cache_of(tracker), sitting.now)
    listing = Counter(reader.requests) - spent
    missing = (not_read(tracker, project, why) for project, why in found.missing.items())
    for read in chain(_collect_each(sitting, tracker, found.projects, reader, onward), missing):
        # What it took to list the group is told with the first of it.
        yield replace(read, requests=read.requests + listing)
        listing.clear()


def not_read(
    tracker: TrackerSite, project: str, why: TrackerError | str, requests: Counter[str] | None = None
) -> Collected:
    """A project of which nothing could be read."""
    return Collected(
        tracker=tracker.name,
        project=project,
        cut_short=str(why),
        rests=isinstance(why, RateLimited),
        left_alone=left_alone.reason(why) if isinstance(why, TrackerError) else "",
        requests=requests or Counter(),
    )
