"""A real reader and writer for the tracker in memory: they keep every promise of the port, over ``memory_server``."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar, assert_never

from connectors.retry import Kind, Retry
from connectors.tracker import (
    NOTHING_KNOWN,
    BadAnswer,
    Capabilities,
    Connection,
    Finding,
    OutcomeUnknown,
    Project,
    Rejected,
    ServerFailed,
    TrackerError,
    Unreachable,
    Unreadable,
    Words,
)
from connectors.work import Work, Worked
from policies.changes import (
    Change,
    Mark,
    Relabel,
    SetAssignee,
    SetDueDate,
    SetPriority,
    UpsertComment,
    UpsertLink,
    UpsertReport,
)
from policies.document import BulletList, Document, Heading, Paragraph, Table
from policies.issue import Actor, Commented, Event, Gap, GapKind, Issue, IssueRef, Release, Role
from policies.receipt import Outcome, Receipt
from tests.memory_server import BUG, CLOSED, OPEN, PRIORITIES, MemoryServer, Note, Record, shown

T = TypeVar("T")
LONGEST_GLOBAL_ID = 255


def escaped(text: str) -> str:
    """Characters as markup that shows them and does nothing."""
    return re.sub(r"([\\@]|^[ \t]*/)", r"\\\1", text, flags=re.MULTILINE)


def rendered(document: Document, mark: Mark) -> str:
    """A document in the tracker's markup, with its mark below."""
    lines: list[str] = []
    for block in document.blocks:
        match block:
            case Heading(text=text):
                lines.append(escaped(text))
            case Paragraph(runs=runs):
                lines.append(escaped("".join(run.text for run in runs)))
            case BulletList(items=items):
                lines += ["- " + escaped("".join(run.text for run in item)) for item in items]
            case Table(header=header, rows=rows):
                lines.append(" | ".join(escaped(cell) for cell in header))
                lines += [" | ".join(escaped("".join(run.text for run in cell)) for cell in row) for row in rows]
            case _:
                assert_never(block)
    return "\n".join([*lines, str(mark)])


class _Client:
    """What reader and writer share. Nothing is sent before something is asked."""

    def __init__(self, server: MemoryServer, connection: Connection, retry: Retry | None = None) -> None:
        self.name = connection.name
        self.requests: Counter[str] = Counter()
        self._server = server
        self._connection = connection
        self._retry = retry or Retry(sleep=lambda _: None)
        self._own: Actor | None = None

    def _send(self, kind: Kind, name: str, act: Callable[[str], T], *, text: str = "") -> T:
        def once() -> T:
            self.requests[name] += 1
            if self._connection.url.endswith("/dead"):
                raise Unreachable("connection refused", tracker=self.name, doing=name)
            return self._server.request(self._connection.token, name, act, text=text)

        return self._retry.call(once, kind=kind)

    def _read(self, name: str, act: Callable[[], T]) -> T:
        return self._send(Kind.READ, name, lambda _: act())

    def _me(self) -> Actor:
        if self._own is None:
            account = self._send(Kind.READ, "GET me", lambda who: who)
            self._own = replace(self._server.actor(account), role=Role.OWN)
        return self._own

    def _seen(self, actor: Actor) -> Actor:
        return self._me() if actor.id == self._me().id else actor

    def _issue(self, record: Record) -> Issue:
        if record.garbled:
            raise BadAnswer(f"{record.key}: 'created' is not an instant", tracker=self.name)
        history = record.history if self._server.keep is None else record.history[-self._server.keep :]
        missing = len(record.history) - len(history)
        return Issue(
            ref=IssueRef(self.name, record.project, record.key, record.id, f"{self._connection.url}/{record.key}"),
            title=record.title,
            description=shown(record.description),
            type=BUG,
            status=record.status,
            reporter=self._seen(self._server.actor(record.reporter)),
            opened_at=record.opened_at,
            updated_at=record.updated_at,
            priority=record.priority,
            labels=frozenset(record.labels),
            assignee=self._seen(self._server.actor(record.assignee)) if record.assignee else None,
            due=record.due,
            fix_versions=tuple(record.fix_versions),
            events=(*self._events(history), *self._comments(record)),
            gaps=self._gaps(missing, len(record.history)),
        )

    def _gaps(self, missing: int, total: int) -> tuple[Gap, ...]:
        return (Gap(GapKind.HISTORY, f"{missing} of {total} history entries"),) if missing else ()

    def _events(self, history: Sequence[Event]) -> Iterator[Event]:
        for event in history:
            yield replace(event, actor=self._seen(event.actor))

    def _comments(self, record: Record) -> Iterator[Commented]:
        for note in record.notes:
            yield Commented(
                id=f"note:{note.id}",
                at=note.at,
                actor=self._seen(self._server.actor(note.author)),
                comment=note.id,
                public=not note.internal,
                text=shown(note.raw),
                edited_at=note.edited_at,
            )

    def close(self) -> None:
        """There is nothing to close."""


class MemoryReader(_Client):
    """Keeps all promises of ``TrackerReader``."""

    page = 50

    def own_account(self) -> Actor:
        return self._me()

    def capabilities(self) -> Capabilities:
        return Capabilities(server="Memory", web_links=True, priorities=True, internal_comments=True)

    def check(self, projects: Sequence[str]) -> Iterator[Finding]:
        yield Finding("account", ok=True, detail=f"logged in as {self._me().id}")
        may = self._connection.token.get_secret_value() not in self._server.watching
        yield Finding("rights", ok=may, detail="may write" if may else "may only look", advice="let it write")
        for project in projects:
            found = any(one.key == project for one in self.projects())
            yield Finding(
                f"project {project}", ok=found, detail="found" if found else "not found", advice="check its key"
            )

    def projects(self) -> tuple[Project, ...]:
        keys = self._read("GET projects", lambda: list(self._server.projects))
        return tuple(Project(key, key, key) for key in keys)

    def words(self, project: str) -> Words:
        self._read("GET words", lambda: self._server.records(project))
        return Words((OPEN, CLOSED), PRIORITIES, (BUG,))

    def changed_since(
        self, project: str, since: datetime | None, known: Mapping[str, datetime] = NOTHING_KNOWN
    ) -> Iterator[Issue | Unreadable]:
        del known
        self._me()
        given: set[str] = set()
        while True:
            page = self._page(project, since, len(given))
            for record in page:
                if record.id not in given:
                    given.add(record.id)
                    yield self._readable(record)
            if len(page) < self.page:
                return

    def _page(self, project: str, since: datetime | None, start: int) -> list[Record]:
        def found() -> list[Record]:
            records = [one for one in self._server.records(project) if since is None or one.updated_at >= since]
            return sorted(records, key=lambda one: int(one.id))[start : start + self.page]

        return self._read("GET issues", found)

    def _readable(self, record: Record) -> Issue | Unreadable:
        try:
            return self._issue(record)
        except BadAnswer as error:
            return Unreadable(record.key, error.detail)

    def ids(self, project: str) -> Iterator[str]:
        self._me()
        yield from self._read("GET ids", lambda: [one.id for one in self._server.records(project)])

    def issue(self, key: str) -> Issue:
        self._me()
        return self._issue(self._read("GET issue", lambda: self._server.find(key)))

    def releases(self, project: str) -> tuple[Release, ...]:
        def found() -> list[tuple[str, datetime | None, list[str]]]:
            records = self._server.records(project)
            return [
                (name, at, [one.key for one in records if name in one.fix_versions])
                for name, at in self._server.versions.get(project, [])
            ]

        return tuple(
            Release(self.name, project, name, published_at=at, carries=tuple((key, "fix version") for key in keys))
            for name, at, keys in self._read("GET releases", found)
        )


class MemoryWriter(_Client):
    """Keeps all promises of ``TrackerWriter``."""

    def perform(self, work: Sequence[Work], now: datetime) -> Iterator[Worked]:
        for piece in work:
            if piece.issue is not None and len(piece.changes) > 1:
                yield self._together(piece.issue, piece.changes, now)
                continue
            done: list[Receipt] = []
            try:
                # What was done before a failure stays in the list.
                done.extend(self._perform(piece.issue, change, now) for change in piece.changes)
            except TrackerError as failure:
                yield Worked.broken_off(piece, done, failure, now)
            else:
                yield Worked(tuple(done))

    def _together(self, issue: Issue, changes: Sequence[Change], now: datetime) -> Worked:
        """All changes of an issue in one request, without those that would be refused."""
        refused = {change: why for change in changes if (why := self._refusal(change)) is not None}
        unproven = self._unproven(refused)
        idle = {change for change in changes if isinstance(change, Relabel) and unproven.intersection(change.add)}
        left = [change for change in changes if change not in refused and change not in idle]
        try:
            record = self._read("GET issue", lambda: self._server.find(issue.ref.id))
            prior = {change: self._prior(record, change) for change in left}
            self._write_all(record, left)
            made = {change: self._made(record, change) for change in left}
        except TrackerError as failure:
            return Worked.broken_off(Work(issue, tuple(changes)), (), failure, now)
        receipts = [
            Receipt(issue=issue.ref, change=change, outcome=Outcome.FAILED, at=now, error=str(refused[change]))
            if change in refused
            else Receipt(
                issue=issue.ref, change=change, outcome=Outcome.NOT_TRIED, at=now, error="what it proves was refused"
            )
            if change in idle
            else Receipt(
                issue=issue.ref,
                change=change,
                outcome=Outcome.PERFORMED,
                at=now,
                prior=json.dumps(prior[change]),
                made=made[change],
            )
            for change in changes
        ]
        return Worked(tuple(receipts), next(iter(refused.values()), None))

    def _unproven(self, refused: Iterable[Change]) -> set[str]:
        """Labels that would prove a link or an assignment which is not there."""
        return {change.proof for change in refused if isinstance(change, UpsertLink | SetAssignee)} - {""}

    def _refusal(self, change: Change) -> Rejected | None:
        if isinstance(change, UpsertLink) and len(change.global_id) > LONGEST_GLOBAL_ID:
            return Rejected("the global id is too long", tracker=self.name)
        if isinstance(change, SetAssignee) and change.account not in self._server.people:
            return Rejected(f"nobody is called {change.account!r}", tracker=self.name)
        if isinstance(change, SetPriority) and not any(change.priority in {one.id, one.name} for one in PRIORITIES):
            return Rejected(f"no priority {change.priority!r}", tracker=self.name)
        return None

    def _prior(self, record: Record, change: Change) -> dict[str, Any]:
        match change:
            case Relabel():
                return {"labels": sorted(record.labels)}
            case SetPriority():
                return {"priority": record.priority.id if record.priority else None}
            case SetDueDate():
                return {"due": record.due.isoformat() if record.due else None}
            case SetAssignee():
                return {"assignee": record.assignee}
            case UpsertComment():
                note = self._standing(record, change)
                return {"comment": note.id, "text": note.raw} if note else {"comment": None}
            case UpsertLink(global_id=global_id):
                return {"link": record.links.get(global_id)}
            case UpsertReport():
                raise AssertionError("a report comes by itself")
            case _:
                assert_never(change)

    def _write_all(self, record: Record, changes: Sequence[Change]) -> None:
        """Where the answer got lost, look before a comment is made again; the rest may be done twice."""
        comments = [one for one in changes if isinstance(one, UpsertComment)]
        notes = {one: self._standing(record, one) for one in comments}
        text = "".join(self._rendered(one.document, one.mark) for one in comments)
        try:
            self._send(Kind.CREATE, "PUT all", lambda who: self._apply(record, changes, notes, who), text=text)
        except (OutcomeUnknown, ServerFailed, BadAnswer):
            left = self._still_to_write(record, changes, notes)
            self._send(Kind.CREATE, "PUT all", lambda who: self._apply(record, left, notes, who), text=text)

    def _still_to_write(
        self, record: Record, changes: Sequence[Change], notes: Mapping[UpsertComment, Note | None]
    ) -> list[Change]:
        made = [one for one, note in notes.items() if note is None and self._standing(record, one)]
        return [one for one in changes if one not in made]

    def _apply(
        self, record: Record, changes: Sequence[Change], notes: Mapping[UpsertComment, Note | None], who: str
    ) -> None:
        """What the server does with such a request; a comment that is not known to stand is added."""
        for change in changes:
            match change:
                case Relabel():
                    self._relabel(record, change, who)
                case SetPriority(priority=priority):
                    word = next(one for one in PRIORITIES if priority in {one.id, one.name})
                    self._server.set_priority(record, word, by=who)
                case SetDueDate(due=due):
                    self._server.set_due(record, due, by=who)
                case SetAssignee(account=account):
                    self._server.set_assignee(record, account, by=who)
                case UpsertComment():
                    raw, note = self._rendered(change.document, change.mark), notes[change]
                    if note is None:
                        self._server.comment(record, raw, by=who, internal=change.internal)
                    else:
                        self._server.edit_comment(record, note, raw, by=who)
                case UpsertLink(global_id=global_id, url=url):
                    self._server.link(record, global_id, url)
                case UpsertReport():
                    raise AssertionError("a report comes by itself")
                case _:
                    assert_never(change)

    def _made(self, record: Record, change: Change) -> str:
        note = self._standing(record, change) if isinstance(change, UpsertComment) else None
        return note.id if note else ""

    def _perform(self, issue: Issue | None, change: Change, now: datetime) -> Receipt:
        if isinstance(change, UpsertReport):
            return self._report(issue, change, now)
        if issue is None:
            raise Rejected(f"{change.kind} needs an issue", tracker=self.name)
        prior, made = self._do(issue, change)
        return Receipt(
            issue=issue.ref, change=change, outcome=Outcome.PERFORMED, at=now, prior=json.dumps(prior), made=made
        )

    def _do(self, issue: Issue, change: Change) -> tuple[dict[str, Any], str]:
        record = self._read("GET issue", lambda: self._server.find(issue.ref.id))
        match change:
            case Relabel():
                prior: dict[str, Any] = {"labels": sorted(record.labels)}
                self._write("PUT labels", lambda who: self._relabel(record, change, who))
            case SetPriority(priority=priority):
                prior = {"priority": record.priority.id if record.priority else None}
                word = next((one for one in PRIORITIES if priority in {one.id, one.name}), None)
                if word is None:
                    raise Rejected(f"no priority {priority!r}", tracker=self.name)
                self._write("PUT priority", lambda who: self._server.set_priority(record, word, by=who))
            case SetDueDate(due=due):
                prior = {"due": record.due.isoformat() if record.due else None}
                self._write("PUT due", lambda who: self._server.set_due(record, due, by=who))
            case SetAssignee(account=account):
                if account not in self._server.people:
                    raise Rejected(f"nobody is called {account!r}", tracker=self.name)
                prior = {"assignee": record.assignee}
                self._write("PUT assignee", lambda who: self._server.set_assignee(record, account, by=who))
            case UpsertComment():
                return self._comment(record, change)
            case UpsertLink(global_id=global_id, url=url):
                prior = {"link": record.links.get(global_id)}
                self._write("PUT link", lambda _: self._server.link(record, global_id, url))
            case UpsertReport():
                raise AssertionError("performed by _report")
            case _:
                assert_never(change)
        return prior, ""

    def _rendered(self, document: Document, mark: Mark) -> str:
        return rendered(document, mark)

    def _write(self, name: str, act: Callable[[str], T], *, text: str = "") -> T:
        return self._send(Kind.IDEMPOTENT, name, act, text=text)

    def _relabel(self, record: Record, change: Relabel, who: str) -> None:
        self._server.relabel(record, change.add, change.remove, by=who)

    def _once(self, name: str, text: str, create: Callable[[str], T], look: Callable[[], T | None]) -> T:
        """Create what is not there; where the answer got lost, look before anything is created again."""
        with suppress(OutcomeUnknown, ServerFailed, BadAnswer):
            return self._send(Kind.CREATE, name, create, text=text)
        return look() or self._send(Kind.CREATE, name, create, text=text)

    def _comment(self, record: Record, change: UpsertComment) -> tuple[dict[str, Any], str]:
        raw = self._rendered(change.document, change.mark)
        note = self._standing(record, change)
        if note is None:
            note = self._once(
                "POST note",
                raw,
                lambda who: self._server.comment(record, raw, by=who, internal=change.internal),
                lambda: self._standing(record, change),
            )
            return {"comment": None}, note.id
        prior = {"comment": note.id, "text": note.raw}
        self._write("PUT note", lambda who: self._server.edit_comment(record, note, raw, by=who), text=raw)
        return prior, note.id

    def _standing(self, record: Record, change: UpsertComment) -> Note | None:
        own = self._me().id
        for note in self._read("GET notes", lambda: list(record.notes)):
            found = Mark.found_in(note.raw)
            if note.author == own and found and found.marker == change.marker:
                return note
        return None

    def _report(self, issue: Issue | None, change: UpsertReport, now: datetime) -> Receipt:
        raw = self._rendered(change.document, change.mark)
        record = self._standing_report(change)
        if record is None:
            prior: dict[str, Any] = {"report": None}
            record = self._once(
                "POST issue", raw, lambda who: self._new_report(change, raw, who), lambda: self._standing_report(change)
            )
        else:
            prior = {"report": record.key, "title": record.title, "text": record.description}
            there = record
            self._write("PUT issue", lambda _: self._server.edit_report(there, change.title, raw), text=raw)
        ref = issue.ref if issue else IssueRef(self.name, record.project, record.key, record.id)
        return Receipt(
            issue=ref, change=change, outcome=Outcome.PERFORMED, at=now, prior=json.dumps(prior), made=record.key
        )

    def _new_report(self, change: UpsertReport, raw: str, who: str) -> Record:
        record = self._server.open(change.project, change.title, by=who, description=raw)
        self._server.relabel(record, [change.label], [], by=who)
        return record

    def _standing_report(self, change: UpsertReport) -> Record | None:
        for record in self._read("GET issues", lambda: list(self._server.records(change.project))):
            found = Mark.found_in(record.description)
            if change.label in record.labels and found and found.marker == change.marker:
                return record
        return None
