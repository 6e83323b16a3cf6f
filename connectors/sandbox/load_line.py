"""One line of a load: a raw REST issue as records, or all that is wrong with it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from connectors.sandbox.nouns import Comment, History, Issue, Item, User, Version
from policies.issue import Word

Json = dict[str, Any]

_KEY = re.compile(r"([A-Za-z][A-Za-z0-9_]*)-(\d{1,18})")
_SHOWN = 60
_EXPECTED = (
    "summary", "status", "priority", "labels", "created", "updated", "duedate", "assignee", "reporter", "creator",
    "resolution", "resolutiondate", "issuetype", "fixVersions", "issuelinks", "description", "components", "comment",
)  # fmt: skip
_WORDS = {"status": "statuses", "priority": "priorities", "issuetype": "types", "resolution": "resolutions"}
_NO_INSTANT = datetime(1970, 1, 1, tzinfo=UTC)


class Malformed(ValueError):
    """Attributes: faults: what was found, one text each."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


@dataclass(slots=True)
class Line:
    """What a line holds. Attributes: words: by the project's list (``statuses``) and id."""

    issue: Issue
    has_fields: bool
    project: Json
    people: dict[str, User] = field(default_factory=dict)
    words: dict[str, dict[str, Word]] = field(default_factory=dict)
    versions: dict[str, Version] = field(default_factory=dict)
    link_types: dict[str, tuple[str, str, str]] = field(default_factory=dict)


def read_line(text: str) -> Line:
    """Raises Malformed with everything that is wrong."""
    try:
        said = json.loads(text)
    except ValueError as error:
        raise Malformed([f"not JSON ({error}): {_shown(text)}"]) from None
    if isinstance(said, dict) and "issue" in said:
        said = said["issue"]
    if not isinstance(said, dict):
        raise Malformed([f"expected an issue, found {_shown(said)}"])
    return _Reading(said).line()


def _shown(value: object) -> str:
    text = value.strip() if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


class _Reading:
    """Collects what is wrong and goes on, so that one look at a file tells all."""

    def __init__(self, said: Json) -> None:
        self.said = said
        self.faults: list[str] = []
        self.people: dict[str, User] = {}
        self.words: dict[str, dict[str, Word]] = {}
        self.versions: dict[str, Version] = {}
        self.link_types: dict[str, tuple[str, str, str]] = {}
        self.project = ""

    def line(self) -> Line:
        id_, key = self.said.get("id"), self.said.get("key")
        match = _KEY.fullmatch(key) if isinstance(key, str) else None
        if match is None:
            self.faults.append(f"key: expected one like CAR-12, found {_shown(key)}")
        if not isinstance(id_, (str, int)) or isinstance(id_, bool) or not str(id_):
            self.faults.append(f"id: expected a number or text, found {_shown(id_)}")
        fields = self._object(self.said, "fields")
        self.project = match[1] if match else ""
        history, history_total = self._history()
        comments, comments_total = self._comments(fields)
        issue = Issue(
            id=str(id_),
            key=str(key),
            number=int(match[2]) if match else 0,
            project=self.project,
            type="",
            title="",
            created=_NO_INSTANT,
            updated=_NO_INSTANT,
            status="",
            comments=comments,
            comments_total=comments_total,
            history=history,
            history_total=history_total,
            given={name: value for name, value in fields.items() if name != "comment"},
            absent={name for name in _EXPECTED if name not in fields},
        )
        self._from_fields(issue, fields)
        self._from_history(issue)
        self._instants(issue)
        if self.faults:
            raise Malformed(self.faults)
        project = fields.get("project")
        return Line(
            issue, bool(fields), project if isinstance(project, dict) else {}, self.people, self.words, self.versions,
            self.link_types,
        )  # fmt: skip

    # ---- fields

    def _from_fields(self, issue: Issue, fields: Json) -> None:
        issue.title = str(fields.get("summary") or "")
        for name in ("description", "environment"):
            if not isinstance(fields.get(name), (str, dict, type(None))):
                self.faults.append(f"fields.{name}: expected a text, found {_shown(fields[name])}")
        issue.description = fields.get("description")
        issue.status = self._word(fields, "status") or ""
        issue.type = self._word(fields, "issuetype") or ""
        issue.priority = self._word(fields, "priority")
        issue.resolution = self._word(fields, "resolution")
        issue.reporter = self._person(fields.get("reporter"), "reporter")
        issue.creator = self._person(fields.get("creator"), "creator")
        assignee = self._person(fields.get("assignee"), "assignee")
        issue.assignees = [assignee] if assignee else []
        issue.labels = [str(one) for one in self._list(fields, "labels")]
        issue.due = self._day(fields.get("duedate"), "duedate")
        issue.resolved_at = self._instant(fields.get("resolutiondate"), "resolutiondate")
        issue.fix_versions = [self._version(one, "fixVersions") for one in self._objects(fields, "fixVersions")]
        for one in self._objects(fields, "versions"):
            self._version(one, "versions")
        for one in self._objects(fields, "components"):
            issue.components.append(str(one.get("id", "")))
            self._know("components", Word(str(one.get("id", "")), str(one.get("name", ""))))
        for one in self._objects(fields, "issuelinks"):
            kind = one.get("type")
            if isinstance(kind, dict) and kind.get("id"):
                said = (str(kind.get(name, "")) for name in ("name", "inward", "outward"))
                self.link_types[str(kind["id"])] = (next(said), next(said), next(said))

    def _word(self, fields: Json, name: str) -> str | None:
        said = fields.get(name)
        if said is None:
            return None
        # A source that names a word without its id is known by the name.
        id_ = (said.get("id") or said.get("name")) if isinstance(said, dict) else None
        if not isinstance(said, dict) or not isinstance(id_, (str, int)):
            self.faults.append(f"fields.{name}: expected an object with id and name, found {_shown(said)}")
            return None
        group = said.get("statusCategory")
        key = str(group.get("key", "")) if isinstance(group, dict) else ""
        word = Word(str(id_), str(said.get("name", "")), key)
        self._know(_WORDS[name], word)
        return word.id

    def _know(self, kind: str, word: Word) -> None:
        self.words.setdefault(kind, {}).setdefault(word.id, word)

    def _version(self, said: Json, name: str) -> str:
        id_ = str(said.get("id", ""))
        released, archived = said.get("released"), said.get("archived")
        self.versions[id_] = Version(
            id_,
            self.project,
            str(said.get("name", "")),
            str(said.get("description") or ""),
            released if isinstance(released, bool) else None,
            archived if isinstance(archived, bool) else None,
            self._day(said.get("releaseDate"), f"{name}.releaseDate"),
            said,
        )
        return id_

    def _person(self, said: object, where: str) -> str:
        """The account id of a person; "" for nobody, and for one without any id."""
        if said is None:
            return ""
        if not isinstance(said, dict):
            self.faults.append(f"{where}: expected a person, found {_shown(said)}")
            return ""
        id_ = str(said.get("accountId") or said.get("key") or said.get("name") or "")
        known = self.people.get(id_)
        if id_ and (known is None or len(said) > len(known.given)):
            self.people[id_] = User(
                id_,
                str(said.get("displayName") or said.get("name") or id_),
                str(said.get("name") or id_),
                0,
                str(said.get("emailAddress") or ""),
                said.get("accountType") == "app",
                said.get("active") is not False,
                said.get("accountType") == "customer",
                _zone(said.get("timeZone")),
                said,
            )
        return id_

    # ---- history and comments

    def _history(self) -> tuple[list[History], int | None]:
        log = self._object(self.said, "changelog")
        found = []
        for place, one in enumerate(self._objects(log, "histories", "changelog.")):
            where = f"changelog.histories[{place}]"
            at = self._instant(one.get("created"), f"{where}.created", needed=True)
            if not str(one.get("id", "")).isdecimal():
                self.faults.append(f"{where}.id: expected a number, found {_shown(one.get('id'))}")
                continue
            items = []
            for number, item in enumerate(self._objects(one, "items", f"{where}.")):
                values = [item.get(name) for name in ("from", "fromString", "to", "toString")]
                if not isinstance(item.get("field"), str):
                    self.faults.append(f"{where}.items[{number}].field: found {_shown(item.get('field'))}")
                elif not all(value is None or isinstance(value, (str, int)) for value in values):
                    self.faults.append(f"{where}.items[{number}]: expected texts from and to, found {_shown(item)}")
                else:
                    items.append(Item(item["field"], item.get("from"), item.get("to"), item))
            actor = self._person(one.get("author"), f"{where}.author")
            given = {name: value for name, value in one.items() if name not in {"items", "id"}}
            found.append(History(int(one["id"]), at or _NO_INSTANT, actor, items, given=given))
        found.sort(key=lambda one: (one.at, one.id))
        total = log.get("total")
        return found, total if isinstance(total, int) and total > len(found) else None

    def _comments(self, fields: Json) -> tuple[list[Comment], int | None]:
        page = self._object(fields, "comment", "fields.")
        found = []
        for place, one in enumerate(self._objects(page, "comments", "fields.comment.")):
            where = f"fields.comment.comments[{place}]"
            created = self._instant(one.get("created"), f"{where}.created", needed=True) or _NO_INSTANT
            body = one.get("body")
            if one.get("id") is None or not (body is None or isinstance(body, (str, dict))):
                self.faults.append(f"{where}: expected id and body, found {_shown(one)}")
            found.append(
                Comment(
                    id=str(one.get("id")),
                    author=self._person(one.get("author"), f"{where}.author"),
                    body="" if body is None else body,
                    created=created,
                    updated=self._instant(one.get("updated"), f"{where}.updated") or created,
                    internal=one.get("jsdPublic") is False,
                    editor=self._person(one.get("updateAuthor"), f"{where}.updateAuthor"),
                    visibility=one.get("visibility"),
                    given={name: value for name, value in one.items() if name not in {"body", "id", "self"}},
                )
            )
        found.sort(key=lambda one: one.created)
        total = page.get("total")
        return found, total if isinstance(total, int) and total > len(found) else None

    # ---- what only the changelog tells

    def _from_history(self, issue: Issue) -> None:
        """The last word of the changelog on each field the source does not give, and the names of all words in it."""
        for one in issue.history:
            for item in one.items:
                said = item.given or {}
                name = {"Fix Version": "fixVersions"}.get(item.field, item.field)
                for id_, text in (("from", "fromString"), ("to", "toString")):
                    if said.get(id_) not in {None, ""}:
                        self._known_from(name, str(said[id_]), str(said.get(text) or ""))
                if name in issue.absent:
                    self._set_from(issue, name, said)
        proven = {str((item.given or {})["field"]) for one in issue.history for item in one.items}
        issue.absent -= {{"Fix Version": "fixVersions"}.get(name, name) for name in proven & _PROVABLE}

    def _known_from(self, name: str, id_: str, text: str) -> None:
        if name in _WORDS:
            self._know(_WORDS[name], Word(id_, text))
        elif name == "fixVersions" and id_ not in self.versions:
            self.versions[id_] = Version(id_, self.project, text, released=None, archived=None)

    def _set_from(self, issue: Issue, name: str, said: Json) -> None:
        after = said.get("to") or None
        if name in {"status", "priority", "resolution"}:
            setattr(issue, name, after or ("" if name == "status" else None))
        elif name == "issuetype":
            issue.type = after or ""
        elif name == "assignee":
            text = {"displayName": said.get("toString"), "accountId": after}
            issue.assignees = [self._person(text, "assignee")] if after else []
        elif name == "labels":
            issue.labels = str(said.get("toString") or "").split()
        elif name == "summary":
            issue.title = str(said.get("toString") or "")
        elif name == "description":
            issue.description = said.get("toString")
        elif name == "duedate":
            issue.due = self._day(after, "changelog duedate")
        elif name == "fixVersions":
            issue.fix_versions = [one for one in issue.fix_versions if one != said.get("from")]
            issue.fix_versions += [str(after)] if after else []

    def _instants(self, issue: Issue) -> None:
        """Created and updated, or the bounds that the changelog sets (then they stay unsaid in answers)."""
        created = self._instant(issue.given.get("created"), "fields.created")
        updated = self._instant(issue.given.get("updated"), "fields.updated")
        instants = [one.at for one in issue.history] + [one.created for one in issue.comments]
        issue.created = created or min(instants, default=_NO_INSTANT)
        issue.updated = updated or max([*instants, issue.created])

    # ---- checks

    def _object(self, holder: Json, name: str, above: str = "") -> Json:
        value = holder.get(name)
        if value is not None and not isinstance(value, dict):
            self.faults.append(f"{above}{name}: expected an object, found {_shown(value)}")
        return value if isinstance(value, dict) else {}

    def _list(self, holder: Json, name: str, above: str = "fields.") -> list[Any]:
        value = holder.get(name)
        if value is not None and not isinstance(value, list):
            self.faults.append(f"{above}{name}: expected a list, found {_shown(value)}")
        return value if isinstance(value, list) else []

    def _objects(self, holder: Json, name: str, above: str = "fields.") -> Iterator[Json]:
        for place, one in enumerate(self._list(holder, name, above)):
            if isinstance(one, dict):
                yield one
            else:
                self.faults.append(f"{above}{name}[{place}]: expected an object, found {_shown(one)}")

    def _instant(self, said: object, where: str, *, needed: bool = False) -> datetime | None:
        if said is None and not needed:
            return None
        try:
            at = datetime.fromisoformat(str(said))
            if at.utcoffset() is not None:
                return at.astimezone(UTC)
        except (ValueError, OverflowError):
            pass
        self.faults.append(f"{where}: expected an instant with its offset, found {_shown(said)}")
        return None

    def _day(self, said: object, where: str) -> date | None:
        if said is None:
            return None
        try:
            return date.fromisoformat(str(said)[:10])
        except ValueError:
            self.faults.append(f"{where}: expected a date, found {_shown(said)}")
            return None


_PROVABLE = frozenset({
    "status", "priority", "resolution", "issuetype", "assignee", "labels", "summary", "description", "duedate",
    "Fix Version",
})  # fmt: skip


def _zone(said: object) -> str:
    """An IANA zone, UTC where the source's is none."""
    try:
        return ZoneInfo(str(said)).key if said else "UTC"
    except (ValueError, OSError, ZoneInfoNotFoundError):
        return "UTC"
