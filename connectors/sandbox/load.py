"""Real issues into the sandbox: raw REST issues of any Jira, one JSON a line, plain or gzipped.

A line is the issue itself or ``{"issue": ..., ...}``.

Rules:

1. Ids, keys, instants, people, comments, histories and custom fields stay as they were, and are served as they were.
2. What the source does not say stays unsaid: an issue without ``fields`` gets from its changelog what that proves
   (status, priority, assignee, ...), and the rest is left out of answers. A status known only from a changelog has no
   category; a version known only from one is neither released nor unreleased.
3. A changelog with fewer entries than its ``total`` keeps both, and the stand-ins say so as Jira would.
4. Comments that the source counts but does not hold (``comment.total`` beyond the list) cannot be served. So the
   stand-ins count only those they hold, as Jira does for an account that may not see the others, and
   ``Loaded.comments_missing`` names the issues.
5. All or nothing: every malformed line is named with its place, and then nothing is loaded.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from connectors.sandbox.load_line import Line, Malformed, read_line
from connectors.sandbox.nouns import Issue, Project
from connectors.sandbox.store import Store

_SHOWN = 120


class LoadFailed(ValueError):
    """Nothing was loaded. Attributes: faults: one text each, with file, line and what was found there."""

    def __init__(self, faults: list[str]) -> None:
        self.faults = faults
        lines = "\n".join(f"  {fault}" for fault in faults)
        super().__init__(f"nothing was loaded, {len(faults)} malformed:\n{lines}")


@dataclass(frozen=True, slots=True)
class Loaded:
    """What came in.

    Attributes:
        keys: of the issues, in the order of the file. projects: their keys.
        histories_missing, comments_missing: keys of issues of which the source itself says that it lacks some.
        without_fields: keys of issues of which the source has only the changelog.
        renumbered: key -> new id, where the source gave an id twice.
    """

    keys: tuple[str, ...]
    projects: tuple[str, ...]
    histories_missing: tuple[str, ...] = ()
    comments_missing: tuple[str, ...] = ()
    without_fields: tuple[str, ...] = ()
    renumbered: dict[str, str] = field(default_factory=dict)


def load_file(store: Store, path: Path) -> Loaded:
    """Load a file, gzipped or not (by its first bytes). Raises LoadFailed, OSError."""
    with path.open("rb") as file:
        zipped = file.read(2) == b"\x1f\x8b"
    try:
        if zipped:
            with gzip.open(path, "rt", encoding="utf-8") as text:
                return load(store, text, source=path.name)
        with path.open(encoding="utf-8") as text:
            return load(store, text, source=path.name)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise LoadFailed([f"{path.name}: damaged gzip file: {error}"]) from None
    except UnicodeDecodeError as error:
        raise LoadFailed(
            [f"{path.name}: not UTF-8 at byte {error.start}: {error.object[error.start : error.start + 1]!r}"]
        ) from None


def load(store: Store, lines: Iterable[str], *, source: str = "lines") -> Loaded:
    """Load issues, one JSON a line; empty lines are passed over. ``source`` names them in errors. Raises LoadFailed."""
    with store.lock:
        read, faults = _read(store, lines, source)
        if not read and not faults:
            faults.append(f"{source}: no issue in it")
        if faults:
            raise LoadFailed(faults)
        return _take_in(store, read)


def _read(store: Store, lines: Iterable[str], source: str) -> tuple[list[Line], list[str]]:
    read: list[Line] = []
    faults: list[str] = []
    places: dict[str, int] = {}
    for number, text in enumerate(lines, start=1):
        if not text.strip():
            continue
        where = f"{source}:{number}"
        try:
            line = read_line(text)
        except Malformed as malformed:
            faults += [f"{where}: {fault}" for fault in malformed.faults]
            continue
        key = line.issue.key
        home = store.projects.get(line.issue.project)
        if key in places:
            faults.append(f"{where}: issue {key} again, it is already on line {places[key]}")
        elif store.issue(key) is not None:
            faults.append(f"{where}: issue {key} is already in the sandbox")
        elif home is not None and home.kind != "jira":
            faults.append(f"{where}: {line.issue.project} is a {home.kind} project in the sandbox")
        places.setdefault(key, number)
        read.append(line)
    return read, faults


def _take_in(store: Store, read: list[Line]) -> Loaded:
    renumbered: dict[str, str] = {}
    taken = set(store.issues)
    highest = max((int(line.issue.id) for line in read if line.issue.id.isdecimal()), default=0)
    for line in read:
        _people(store, line)
        home = _home(store, line)
        _words(store, home, line)
        issue = line.issue
        if issue.id in taken:
            highest = max(highest, store.world.last.get("issue", 0)) + 1
            renumbered[issue.key] = str(highest)
            issue = replace(issue, id=str(highest))
        taken.add(issue.id)
        store.load_issue(issue)
    issues = [line.issue for line in read]
    return Loaded(
        keys=tuple(issue.key for issue in issues),
        projects=tuple(dict.fromkeys(issue.project for issue in issues)),
        histories_missing=_keys(one for one in issues if one.history_total is not None),
        comments_missing=_keys(one for one in issues if one.comments_total is not None),
        without_fields=tuple(line.issue.key for line in read if not line.has_fields),
        renumbered=renumbered,
    )


def _keys(issues: Iterator[Issue]) -> tuple[str, ...]:
    return tuple(issue.key for issue in issues)


def _people(store: Store, line: Line) -> None:
    for person in line.people.values():
        if person.id not in store.users:
            store.create_user(
                person.id,
                person.name,
                username=person.username,
                email=person.email,
                bot=person.bot,
                active=person.active,
                customer=person.customer,
                zone=person.zone,
                given=person.given,
            )


def _home(store: Store, line: Line) -> Project:
    found = store.projects.get(line.issue.project)
    if found is not None:
        return found
    said = line.project
    id_ = int(said["id"]) if str(said.get("id", "")).isdecimal() else None
    if id_ is not None and any(one.id == id_ for one in store.projects.values()):
        id_ = None
    given = {name: value for name, value in said.items() if name not in {"id", "key", "name"}}
    name = str(said.get("name") or line.issue.project)
    return store.create_project(line.issue.project, name, kind="jira", id_=id_, given=given)


def _words(store: Store, home: Project, line: Line) -> None:
    """The words this line uses that the project does not know yet; a later line may tell a status's category."""
    for kind, words in line.words.items():
        known = {word.id: word for word in getattr(home, kind)}
        for word in words.values():
            if word.id not in known or (word.group and not known[word.id].group):
                store.add_word(home.key, kind, word)
    for version in line.versions.values():
        if version.id not in home.versions:
            store.create_version(
                home.key,
                version.name,
                id_=version.id,
                description=version.description,
                released=version.released,
                archived=version.archived,
                release_date=version.release_date,
                given=version.given,
            )
    for id_, (name, inward, outward) in line.link_types.items():
        if id_ not in store.world.link_types:
            store.create_link_type(id_, name, inward, outward)
