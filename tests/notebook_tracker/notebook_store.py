"""A notebook on disk: issues, each with its log, and who may write in them.

Rules:

1. An issue is its log, one line for each entry; lines are only appended. What stands now is what the log adds up to.
2. An entry that changes nothing is not written.
3. What is asked for and does not exist is refused before anything is written.

In the folder: ``accounts.json``, ``tokens.json``; for each project ``project.json``, ``versions.json`` and
``issues/<number>.jsonl``. In a text a backslash makes the next character plain, ``@name`` calls somebody, a line that
starts with ``/close`` or ``/label`` is obeyed, and ``[[address|words]]`` is a link.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any

Json = dict[str, Any]

WORDS: Mapping[str, list[Json]] = {
    "status": [{"id": "s1", "name": "Open", "group": "new"}, {"id": "s2", "name": "Done", "group": "done"}],
    "priority": [{"id": "p1", "name": "High"}, {"id": "p2", "name": "Low"}],
    "type": [{"id": "t1", "name": "Defect"}],
}
SETTABLE = ("title", "text", "status", "priority", "assignee", "due")
LISTS = ("labels", "fix_versions")

_KEY = re.compile(r"([A-Z]+)-([0-9]+)")
_LONGEST_GLOBAL_ID = 255
_PLAIN = re.compile(r"\\.|\[\[[^|\]]*\|", re.DOTALL)


class Refusal(Exception):
    """A request is not carried out."""

    def __init__(self, status: HTTPStatus) -> None:
        self.status = status
        super().__init__(status.phrase)


class NotebookStore:
    """Attributes.

    now: the notebook's clock, a second later with every entry that is written without a time of its own.
    called: whom texts called.
    """

    def __init__(self, root: Path, now: datetime) -> None:
        self.root = root
        self.now = now
        self.called: list[str] = []

    # ------------------------------------------------------------------------------------------------------- reading

    def keys(self, project: str) -> list[str]:
        numbers = sorted(int(file.stem) for file in (self.folder(project) / "issues").iterdir())
        return [f"{project}-{number}" for number in numbers]

    def log(self, key: str) -> list[Json]:
        """Every entry of an issue, the opening first."""
        return [json.loads(line) for line in self.file(key).read_text(encoding="utf-8").splitlines()]

    def stands(self, key: str) -> Json:
        """What the log adds up to."""
        log = self.log(key)
        found: Json = {**{field: log[0].get(field) for field in SETTABLE}, "labels": set(log[0]["labels"])}
        found |= {"fix_versions": set(), "links": {}, "comments": {}}
        for entry in log[1:]:
            match entry["what"]:
                case "set":
                    found[entry["field"]] = entry["after"]
                case "labels" | "fix_versions" as what:
                    found[what] = (found[what] | set(entry["added"])) - set(entry["removed"])
                case "link":
                    found["links"][entry["link"]["global_id"]] = entry["link"]
                case "comment":
                    found["comments"][str(entry["n"])] = {**entry, "edited_at": None}
                case "edit":
                    edited = {"text": entry["text"], "internal": entry["internal"], "edited_at": entry["at"]}
                    found["comments"][entry["comment"]] |= edited
        return found

    # ------------------------------------------------------------------------------------------------------- writing

    def add_project(self, project: str) -> None:
        (self.root / project / "issues").mkdir(parents=True)
        _store(self.root / project / "project.json", {"key": project, "id": project.lower(), "name": project.title()})
        _store(self.root / project / "versions.json", {})

    def add_account(self, name: str, *tokens: str, writes: bool = True) -> None:
        for file, more in (
            ("accounts.json", {name: name.title()}),
            ("tokens.json", {token: {"account": name, "writes": writes} for token in tokens}),
        ):
            path = self.root / file
            _store(path, {**(load(path) if path.exists() else {}), **more})

    def publish(self, project: str, version: str, *, published: bool) -> None:
        file = self.folder(project) / "versions.json"
        _store(file, {**load(file), version: self.tick() if published else None})

    def open(
        self, project: str, title: str, text: str = "", *, by: str, labels: Sequence[str], at: datetime | None = None
    ) -> str:
        """A new issue; its key."""
        number = max((int(key.rpartition("-")[2]) for key in self.keys(project)), default=0) + 1
        key = f"{project}-{number}"
        (self.folder(project) / "issues" / f"{number}.jsonl").touch()
        opened = {"title": title, "text": text, "labels": sorted(labels), "status": "s1", "priority": "p2"}
        self._note(key, by, at, what="opened", **opened)
        self._obey(key, text, by)
        return key

    def change(self, key: str, to: Json, *, by: str, at: datetime | None = None) -> None:
        """Set fields, and add to lists and remove from them; all of it or nothing."""
        stands = self.stands(key)
        fields = {field: self._meant(field, to[field]) for field in SETTABLE if field in to}
        for field, after in fields.items():
            if after != stands[field]:
                self._note(key, by, at, what="set", field=field, before=stands[field], after=after)
        for field in LISTS:
            asked = to.get(field, {})
            added = sorted(set(asked.get("add", ())) - stands[field])
            removed = sorted(set(asked.get("remove", ())) & stands[field])
            if added or removed:
                self._note(key, by, at, what=field, added=added, removed=removed)
        self._obey(key, fields.get("text") or "", by)

    def comment(self, key: str, text: str, *, by: str, internal: bool = False, at: datetime | None = None) -> str:
        """A new comment; its number."""
        number = self._note(key, by, at, what="comment", text=text, internal=internal)
        self._obey(key, text, by)
        return str(number)

    def edit(self, key: str, number: str, to: Json, by: str) -> str:
        standing = self.stands(key)["comments"].get(number)
        if standing is None:
            raise Refusal(HTTPStatus.NOT_FOUND)
        if (standing["text"], standing["internal"]) != (to["text"], to["internal"]):
            self._note(key, by, what="edit", comment=number, text=to["text"], internal=to["internal"])
            self._obey(key, to["text"], by)
        return number

    def link(self, key: str, link: Json, by: str) -> str:
        if len(link["global_id"]) > _LONGEST_GLOBAL_ID:
            raise Refusal(HTTPStatus.UNPROCESSABLE_ENTITY)
        if self.stands(key)["links"].get(link["global_id"]) != link:
            self._note(key, by, what="link", link=link)
        return str(link["global_id"])

    def _obey(self, key: str, text: str, by: str) -> None:
        live = _PLAIN.sub("", text)
        self.called += re.findall(r"@(\w+)", live)
        for line in live.splitlines():
            match line.split():
                case ["/close", *_]:
                    self.change(key, {"status": "s2"}, by=by)
                case ["/label", *names]:
                    self.change(key, {"labels": {"add": names}}, by=by)

    def _note(self, key: str, by: str, at: datetime | None = None, **entry: Any) -> int:
        file = self.file(key)
        number = len(file.read_bytes().splitlines())
        line = {"n": number, "at": at.astimezone(UTC).isoformat() if at else self.tick(), "by": by, **entry}
        with file.open("a", encoding="utf-8") as log:
            log.write(json.dumps(line) + "\n")
        return number

    def tick(self) -> str:
        self.now += timedelta(seconds=1)
        return self.now.isoformat()

    # --------------------------------------------------------------------------------------------------------- names

    def _meant(self, field: str, value: str | None) -> str | None:
        """The id that a name or id stands for."""
        if field in WORDS:
            value = next((str(one["id"]) for one in WORDS[field] if value in {one["id"], one["name"]}), None)
        known = field != "assignee" or value is None or value in load(self.root / "accounts.json")
        if not known or (field in WORDS and value is None):
            raise Refusal(HTTPStatus.UNPROCESSABLE_ENTITY)
        return value

    def person(self, account: str) -> Json:
        return {"id": account, "name": load(self.root / "accounts.json")[account]}

    def folder(self, project: str) -> Path:
        if not project.isalnum() or not (self.root / project).is_dir():
            raise Refusal(HTTPStatus.NOT_FOUND)
        return self.root / project

    def file(self, key: str) -> Path:
        named = _KEY.fullmatch(key)
        file = self.folder(named[1]) / "issues" / f"{int(named[2])}.jsonl" if named else None
        if file is None or not file.exists():
            raise Refusal(HTTPStatus.NOT_FOUND)
        return file


def word(field: str, value: Any) -> Any:
    return next((word for word in WORDS.get(field, ()) if word["id"] == value), value)


def load(file: Path) -> Any:
    return json.loads(file.read_text(encoding="utf-8"))


def _store(file: Path, content: Any) -> None:
    file.write_text(json.dumps(content), encoding="utf-8")
