"""The cached issues: as they were last read, and when each is to be judged again.

Rules:

1. An issue stands here raw: as read, before vocabulary and roster.
2. What was kept and not judged since is due: a run that was killed in between leaves nothing forgotten.
3. An issue that is read again just as it stands here is not written again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, insert, select, update

from connectors.ledger_database import in_batches
from connectors.ledger_schema import AT_ONCE, FIXES, ISSUES, NEVER, issue_row
from connectors.ledger_text import ISSUE, REPLACED
from policies.echo import echoes
from policies.issue import Issue, IssueRef

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Connection

    from connectors.ledger_database import Database

_BATCH = 200
"""Issues in memory at a time; a run that is killed while it reads, reads so many again at most."""
_TOGETHER = 1000
"""Ids in one statement."""
_FEW = 20
"""Fewer rows than these are written sooner one by one than by a statement of their own."""

# Built once: to build a statement takes longer than to carry it out.
_MINE = (ISSUES.c.site == bindparam("of_site"), ISSUES.c.tracker == bindparam("of_tracker"))
_HELD = (
    select(ISSUES.c.id, ISSUES.c.judge_at, ISSUES.c.body)
    .where(*_MINE, ISSUES.c.id.in_(bindparam("ids", expanding=True)))
    .with_for_update()
)
_ADD = insert(ISSUES)
_CHANGE = update(ISSUES).where(*_MINE, ISSUES.c.id == bindparam("of_id"))
_CHANGE_ALL = update(ISSUES).where(*_MINE, ISSUES.c.id.in_(bindparam("ids", expanding=True)))


@dataclass(frozen=True, slots=True)
class Kept:
    """Attributes.

    issue: as it stands in the ledger, which a text with half a character in it changes.
    awake: new, or somebody else than our own account did something to it (``policies.echo``). It is to be judged; any
        other is when it was to be before.
    """

    issue: Issue
    awake: bool


class Issues:
    """The cached issues of a ledger. Mixed into ``ledger.Ledger``, whose rules hold here."""

    _database: Database

    def keep(self, site: str, issues: Iterable[Issue]) -> frozenset[str]:
        """Cache issues as read (raw facts, before vocabulary and roster); a known one is replaced.

        Returns:
            The ids of those that are awake (``Kept``).
        """
        return frozenset(kept.issue.ref.id for kept in self.keeping(site, issues) if kept.awake)

    def keeping(self, site: str, issues: Iterable[Issue]) -> Iterator[Kept]:
        """As ``keep``, and each issue is given as soon as it is in the ledger."""
        for batch in in_batches(issues, _BATCH):
            with self._database.writing() as connection:
                found = _keep(connection, site, batch)
            yield from found

    def issues(
        self, site: str, tracker: str, project: str | None = None, *, but: Container[str] = frozenset()
    ) -> Iterator[Issue]:
        """All cached issues of a tracker or of one project, ordered by id; few are in memory at a time.

        Args:
            but: ids of those to leave out.
        """
        where = [ISSUES.c.site == site, ISSUES.c.tracker == tracker]
        if project is not None:
            where.append(ISSUES.c.project == project)
        # The ids first: a body that is not wanted is not read.
        with self._database.reading() as connection:
            every = connection.scalars(select(ISSUES.c.id).where(*where).order_by(ISSUES.c.id))
            ids = [id_ for id_ in every if id_ not in but]
        wanted = select(ISSUES.c.key, ISSUES.c.body).where(*where).order_by(ISSUES.c.id)
        for batch in in_batches(ids, _BATCH):
            with self._database.reading() as connection:
                rows = connection.execute(wanted.where(ISSUES.c.id.in_(batch))).all()
            yield from (self._database.whole(ISSUE, body, f"issue {key}") for key, body in rows)

    def known(self, site: str, tracker: str, project: str, since: datetime | None = None) -> dict[str, datetime]:
        """Ids of the cached issues of a project that were updated at or after ``since``, with their ``updated_at``.

        With ``since`` only those of which the whole history is held: a gap may be filled without an update.
        """
        where = [ISSUES.c.site == site, ISSUES.c.tracker == tracker, ISSUES.c.project == project]
        if since is not None:
            # Inside a text of the tracker's the quotes would be escaped.
            where += [ISSUES.c.updated_at >= since, ISSUES.c.body.contains('"gaps":[]', autoescape=True)]
        with self._database.reading() as connection:
            rows = connection.execute(select(ISSUES.c.id, ISSUES.c.updated_at).where(*where)).all()
        return {row.id: row.updated_at for row in rows}

    def issue(self, site: str, tracker: str, key: str) -> Issue | None:
        """A cached issue by its key or id."""
        query = select(ISSUES.c.body).where(ISSUES.c.site == site, ISSUES.c.tracker == tracker)
        with self._database.reading() as connection:
            body = connection.scalar(query.where(ISSUES.c.id == key))
            if body is None:
                newest = ISSUES.c.updated_at.desc()
                body = connection.scalar(query.where(ISSUES.c.key == key).order_by(newest).limit(1))
        return None if body is None else self._database.whole(ISSUE, body, f"issue {key}")

    def due(self, site: str, now: datetime) -> tuple[IssueRef, ...]:
        """Cached issues to be judged at ``now``, soonest first.

        These are the ones kept since they were last judged, and those with a verdict that changes by itself by then.
        """
        query = (
            select(ISSUES.c.tracker, ISSUES.c.project, ISSUES.c.key, ISSUES.c.id)
            .where(ISSUES.c.site == site, ISSUES.c.judge_at <= now)
            .order_by(ISSUES.c.judge_at, ISSUES.c.tracker, ISSUES.c.id)
        )
        with self._database.reading() as connection:
            return tuple(IssueRef(*row) for row in connection.execute(query))

    def forget(self, site: str, tracker: str, ids: Iterable[str]) -> int:
        """Drop issues from the cache (deleted or no longer visible at the tracker). Their evidence stays."""
        gone = 0
        for batch in in_batches(ids, _BATCH):
            with self._database.writing() as connection:
                for table in (FIXES, ISSUES):
                    these = (table.c.site == site, table.c.tracker == tracker, table.c.id.in_(batch))
                    dropped = connection.execute(delete(table).where(*these)).rowcount
                    gone += dropped if table is ISSUES else 0
        return gone


def judge_again(connection: Connection, site: str, instants: Mapping[tuple[str, str], datetime | None]) -> None:
    """Note when cached issues, by (tracker, id), are to be judged again; None: not by themselves."""
    alike: dict[tuple[str, datetime | None], list[str]] = {}
    for (tracker, id_), at in instants.items():
        alike.setdefault((tracker, at), []).append(id_)
    alone: list[dict[str, Any]] = []
    for (tracker, at), ids in alike.items():
        row = {"of_site": site, "of_tracker": tracker, "judge_at": at or NEVER}
        if len(ids) < _FEW:
            alone += [{**row, "of_id": id_} for id_ in ids]
            continue
        # Mostly those that are settled, to which nothing comes by itself.
        for batch in in_batches(ids, _TOGETHER):
            connection.execute(_CHANGE_ALL, {**row, "ids": batch})
    if alone:
        connection.execute(_CHANGE, alone)


def _keep(connection: Connection, site: str, batch: Sequence[Issue]) -> list[Kept]:
    by_tracker: dict[str, dict[str, Issue]] = {}
    for issue in batch:
        # The last one wins where a batch holds an issue twice.
        by_tracker.setdefault(issue.ref.tracker, {})[issue.ref.id] = issue
    kept: list[Kept] = []
    new: list[dict[str, Any]] = []
    changed: list[dict[str, Any]] = []
    for tracker, found in by_tracker.items():
        asked = {"of_site": site, "of_tracker": tracker, "ids": list(found)}
        held = {id_: (judge_at, body) for id_, judge_at, body in connection.execute(_HELD, asked)}
        for id_, issue in found.items():
            judge_at, before = held.get(id_, (None, None))
            row = issue_row(issue)
            awake = before is None or (before != row["body"] and not _is_echo(before, issue))
            kept.append(Kept(_as_written(issue, row["body"]), awake))
            if before == row["body"]:
                continue
            # Until its verdicts are recorded it is to be judged.
            row["judge_at"] = AT_ONCE if awake else judge_at
            if before is None:
                new.append({"site": site, "tracker": tracker, "id": id_, **row})
            else:
                changed.append({"of_site": site, "of_tracker": tracker, "of_id": id_, **row})
    if new:
        connection.execute(_ADD, new)
    if changed:
        connection.execute(_CHANGE, changed)
    return kept


def _as_written(issue: Issue, body: str) -> Issue:
    return ISSUE.read(body) if REPLACED in body else issue


def _is_echo(before: str, after: Issue) -> bool:
    try:
        return echoes(ISSUE.read(before), after)
    except ValueError:
        # Another version of this program wrote it: it is read anew, and judged.
        return False
