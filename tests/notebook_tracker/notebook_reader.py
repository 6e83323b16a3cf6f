"""A notebook's facts: its records become issues with their whole history."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime

from pydantic import ValidationError

from connectors.cache import Cache
from connectors.retry import Retry
from connectors.tracker import (
    NOTHING_KNOWN,
    BadAnswer,
    Capabilities,
    Connection,
    Finding,
    Project,
    TrackerError,
    Unreadable,
    Words,
)
from policies.issue import (
    Actor,
    AssigneeChanged,
    Commented,
    DueDateChanged,
    Event,
    FixVersionsChanged,
    Gap,
    GapKind,
    Issue,
    IssueRef,
    LabelsChanged,
    Opened,
    PriorityChanged,
    Release,
    Role,
    StatusChanged,
    Word,
)
from tests.notebook_tracker.notebook_client import (
    Entry,
    Identified,
    Named,
    Note,
    NotebookClient,
    Person,
    ProjectRecord,
    Record,
    Shelf,
    Versions,
    instant,
    why,
)
from tests.notebook_tracker.notebook_markup import plain


class Senseless(ValueError):
    """A record holds a value that can not be."""


class NotebookReader:
    """``TrackerReader`` over a notebook."""

    def __init__(self, connection: Connection, retry: Retry | None = None, _: Cache | None = None) -> None:
        self.name = connection.name
        self._client = NotebookClient(connection, retry)
        self.requests = self._client.requests
        self._own = ""

    def capabilities(self) -> Capabilities:
        return Capabilities(server="Notebook", web_links=True, priorities=True, internal_comments=True)

    def own_account(self) -> Actor:
        me = self._client.me()
        self._own = me.id
        return Actor(me.id, me.name, role=Role.OWN)

    def check(self, projects: Sequence[str]) -> Iterator[Finding]:
        try:
            me = self._client.me()
        except TrackerError as error:
            yield Finding("log-in", ok=False, detail=str(error), advice=error.advice)
            return
        yield Finding("log-in", ok=True, detail=f"logged in as {me.id}")
        advice = "" if me.writes else "Give the account a token with which it may write"
        yield Finding("right to write", ok=me.writes, detail="yes" if me.writes else "no", advice=advice)
        for project in projects:
            try:
                found = self._project(project)
            except TrackerError as error:
                yield Finding(project, ok=False, detail=str(error), advice=error.advice)
            else:
                yield Finding(project, ok=True, detail=found.name)

    def projects(self) -> tuple[Project, ...]:
        doing = "list the projects"
        shelf = self._client.told(Shelf, self._client.ask("GET", "projects", doing=doing), doing)
        return tuple(Project(one.key, one.id, one.name) for one in shelf.projects)

    def words(self, project: str) -> Words:
        words = {name: tuple(map(_word, them)) for name, them in self._project(project).words.items()}
        return Words(words.get("status", ()), words.get("priority", ()), words.get("type", ()))

    def changed_since(
        self, project: str, since: datetime | None, known: Mapping[str, datetime] = NOTHING_KNOWN
    ) -> Iterator[Issue | Unreadable]:
        del known  # a page shows issues whole: to leave one out saves no request
        own = self._own_id()
        for told in self._records(project, "issues", **instant(since)):
            key = str(told.get("key", ""))
            try:
                yield issue_of(Record.model_validate(told), self.name, own)
            except ValidationError as error:
                yield Unreadable(key, f"the notebook's record makes no sense: {why(error)}")
            except ValueError as error:
                yield Unreadable(key, f"the notebook's record makes no sense: {type(error).__name__}")

    def ids(self, project: str) -> Iterator[str]:
        doing = f"list the ids of {project}"
        return (self._client.told(Identified, told, doing).id for told in self._records(project, "ids"))

    def issue(self, key: str) -> Issue:
        own, record = self._own_id(), self._client.issue(key)
        try:
            return issue_of(record, self.name, own)
        except ValueError:
            raise BadAnswer("a record that makes no sense", tracker=self.name, doing=f"read {key}") from None

    def releases(self, project: str) -> tuple[Release, ...]:
        doing = f"list the versions of {project}"
        found = self._client.told(
            Versions, self._client.ask("GET", f"projects/{project}/versions", doing=doing), doing
        ).versions
        # What each carries is said by the issues: their fix versions bear its name.
        return tuple(Release(self.name, project, one.name, published_at=one.published_at) for one in found)

    def close(self) -> None:
        """There is no connection to end."""

    def _own_id(self) -> str:
        return self._own or self.own_account().id

    def _project(self, project: str) -> ProjectRecord:
        doing = f"read project {project}"
        return self._client.told(ProjectRecord, self._client.ask("GET", f"projects/{project}", doing=doing), doing)

    def _records(self, project: str, what: str, **asked: str) -> Iterator[dict[str, object]]:
        after: int | None = 0
        while after is not None:
            page = self._client.page(project, what, after=after, **asked)
            yield from page.issues
            after = page.next


def issue_of(record: Record, tracker: str, own: str) -> Issue:
    """The facts of a record. Raises ValueError where a value in it makes no sense.

    Args:
        own: id of the account that reads and writes.
    """
    people = _People(own)
    opened = Opened(id=f"{record.id}/0", at=record.opened.at, actor=people.actor(record.opened.by))
    changes = [event for entry in record.log if (event := _change(record, entry, people))]
    comments = (_comment(record, note, people) for note in record.comments)
    # Without a number: our own entries push older ones out of sight, too.
    cut = Gap(GapKind.HISTORY, "the notebook shows only the latest entries of the log")
    return Issue(
        ref=IssueRef(tracker, record.key.rpartition("-")[0], record.key, record.id),
        title=record.title,
        description=plain(record.text),
        type=_word(record.type),
        status=_word(record.status),
        reporter=opened.actor,
        opened_at=record.opened.at,
        updated_at=record.updated_at,
        priority=_word(record.priority) if record.priority else None,
        labels=record.labels,
        assignee=people.actor(record.assignee) if record.assignee else None,
        due=_date(record.due),
        fix_versions=record.fix_versions,
        events=(opened, *changes, *comments),
        gaps=(cut,) if len(record.log) < record.entries else (),
    )


class _People:
    """Accounts become actors, ours with the role that says so."""

    def __init__(self, own: str) -> None:
        self._own = own

    def actor(self, person: Person) -> Actor:
        actor = Actor(person.id, person.name)
        return replace(actor, role=Role.OWN) if person.id == self._own else actor


def _comment(record: Record, note: Note, people: _People) -> Commented:
    return Commented(
        id=f"{record.id}/{note.n}",
        at=note.at,
        actor=people.actor(note.by),
        comment=str(note.n),
        public=not note.internal,
        text=plain(note.text),
        edited_at=note.edited_at,
    )


def _change(record: Record, entry: Entry, people: _People) -> Event | None:
    """The event an entry tells of; None for what no event is made of (the opening, a new title, a link)."""
    id_, at, actor = f"{record.id}/{entry.n}", entry.at, people.actor(entry.by)
    before, after = entry.before, entry.after
    match entry.what, entry.field:
        case "labels", _:
            return LabelsChanged(id=id_, at=at, actor=actor, added=entry.added, removed=entry.removed)
        case "fix_versions", _:
            return FixVersionsChanged(id=id_, at=at, actor=actor, added=entry.added, removed=entry.removed)
        case "set", "status":
            if not isinstance(after, Named):
                raise Senseless("a status that is no word")
            return StatusChanged(id=id_, at=at, actor=actor, before=_known(before), after=_word(after))
        case "set", "priority":
            return PriorityChanged(id=id_, at=at, actor=actor, before=_known(before), after=_known(after))
        case "set", "assignee":
            return AssigneeChanged(id=id_, at=at, actor=actor, before=_text(before), after=_text(after))
        case "set", "due":
            return DueDateChanged(id=id_, at=at, actor=actor, before=_date(before), after=_date(after))
        case _:
            return None


def _word(named: Named) -> Word:
    return Word(named.id, named.name, named.group)


def _known(value: Named | str | None) -> Word | None:
    if isinstance(value, str):
        raise Senseless("a text in place of a word")
    return _word(value) if value else None


def _text(value: Named | str | None) -> str | None:
    if isinstance(value, Named):
        raise Senseless("a word in place of a text")
    return value


def _date(value: Named | str | None) -> date | None:
    text = _text(value)
    return date.fromisoformat(text) if text else None
