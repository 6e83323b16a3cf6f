"""The log under the store: appending, reading, and the checks all commands share."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from connectors.sandbox.clock import Clock
from connectors.sandbox.faults import Faults
from connectors.sandbox.nouns import Issue, Label, Project, Token, User
from connectors.sandbox.projection import Entry, World
from policies.issue import utc

FIRST_IDS = {"issue": 10000, "comment": 20000, "history": 30000, "version": 40000, "link": 50000, "web_link": 60000}


class Refused(ValueError):
    """A command that makes no sense in the present state; the text says why. Nothing was written."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request as the server saw it, without its headers.

    Attributes:
        mount: name of the dialect (``jira-cloud``). path: below the mount, e.g. ``/rest/api/3/myself``.
        query: raw query string. body: parsed JSON, else text, else None.
        status: as sent; None where the connection was dropped. fault: kind of the fault it met, "" for none.
    """

    mount: str
    method: str
    path: str
    query: str
    body: Any
    status: int | None
    fault: str = ""


class Log:
    """Attributes: as of ``store.Store``."""

    def __init__(self, clock: Clock | None = None) -> None:
        self.clock = clock or Clock.system()
        self.faults = Faults()
        self.requests: list[Request] = []
        self.lock = threading.RLock()
        self.log: list[Entry] = []
        self.world = World()

    @property
    def users(self) -> dict[str, User]:
        return self.world.users

    @property
    def projects(self) -> dict[str, Project]:
        return self.world.projects

    @property
    def issues(self) -> dict[str, Issue]:
        return self.world.issues

    def issue(self, id_or_key: str) -> Issue | None:
        """An issue by id or key (``10001``, ``CAR-1``, ``acme/car#1``)."""
        by_key = self.world.keys.get(id_or_key)
        return self.world.issues.get(by_key if by_key is not None else id_or_key)

    def project(self, key_or_id: str) -> Project | None:
        """A project by key (full path) or numeric id."""
        found = self.world.projects.get(key_or_id)
        if found is None and key_or_id.isdecimal():
            found = next((one for one in self.world.projects.values() if one.id == int(key_or_id)), None)
        return found

    def user(self, id_or_username: str) -> User | None:
        found = self.world.users.get(id_or_username)
        return found or next((one for one in self.world.users.values() if one.username == id_or_username), None)

    def token(self, text: str) -> Token | None:
        """The token, if it exists and was not revoked."""
        found = self.world.tokens.get(text)
        return found if found is not None and found.valid else None

    # ---- shared by the commands
    def create_label(
        self,
        project: str,
        name: str,
        *,
        color: str = "#428bca",
        description: str = "",
        actor: str = "",
        at: datetime | None = None,
    ) -> Label:
        """A GitLab project label; one that is there already is given back as it is."""
        with self.lock:
            home = self._project(project)
            if name not in home.labels:
                data = {"id": self._next("label"), "name": name, "color": color, "description": description}
                self._append("label", {"project": home.key, **data}, actor, at)
            return home.labels[name]

    def create_group_label(
        self,
        group: str,
        name: str,
        *,
        color: str = "#428bca",
        description: str = "",
        actor: str = "",
        at: datetime | None = None,
    ) -> Label:
        """A label of a GitLab group (by full path), for all projects below, those to come included."""
        with self.lock:
            if name in self.world.group_labels.get(group, {}):
                raise Refused(f"group {group} already has a label {name!r}")
            taken = (key for key, one in self.projects.items() if key.startswith(f"{group}/") and name in one.labels)
            if (key := next(taken, None)) is not None:
                raise Refused(f"project {key} already has a label {name!r}")
            data = {"id": self._next("label"), "name": name, "color": color, "description": description}
            self._append("group_label", {"group": group, **data}, actor, at)
            return self.world.group_labels[group][name]

    def change_label(
        self, project: str, name: str, changes: Mapping[str, Any], *, actor: str = "", at: datetime | None = None
    ) -> Label:
        """Change a GitLab label's ``name`` (on all issues, leaving no trace on them), ``color`` or ``description``."""
        with self.lock:
            home = self._project(project)
            if name not in home.labels:
                raise Refused(f"project {home.key} has no label {name!r}")
            if changes.get("name", name) != name and changes["name"] in home.labels:
                raise Refused(f"project {home.key} already has a label {changes['name']!r}")
            data = {"project": home.key, "name": name, "changes": dict(changes)}
            self._append("label_changed", data, actor, at)
            return home.labels[changes.get("name", name)]

    def remove_label(self, project: str, name: str, *, actor: str = "", at: datetime | None = None) -> None:
        """Delete a GitLab label. Its issues lose it without a trace; history then can no longer say which it was."""
        with self.lock:
            home = self._project(project)
            if name not in home.labels:
                raise Refused(f"project {home.key} has no label {name!r}")
            self._append("label_removed", {"project": home.key, "name": name}, actor, at)

    def _append(self, kind: str, data: dict[str, Any], actor: str, at: datetime | None) -> None:
        entry = Entry(
            len(self.log) + 1,
            utc(at) if at else self.clock.for_write() if actor else self.clock.now(),
            actor,
            kind,
            data,
        )
        self.world.apply(entry)
        self.log.append(entry)

    def _next(self, kind: str) -> int:
        return max(self.world.last.get(kind, 0), FIRST_IDS.get(kind, 0)) + 1

    def _history(self, *issues: Issue) -> dict[str, int]:
        first = self._next("history")
        return {issue.id: first + n for n, issue in enumerate(issues)}

    def _project(self, key: str) -> Project:
        if (found := self.project(key)) is None:
            raise Refused(f"no project {key!r}")
        return found

    def _issue(self, id_or_key: str) -> Issue:
        if (found := self.issue(id_or_key)) is None:
            raise Refused(f"no issue {id_or_key!r}")
        return found

    def _user(self, id_: str) -> None:
        if id_ not in self.users:
            raise Refused(f"no user {id_!r}")

    def _labels(self, home: Project, names: Iterable[str], actor: str, at: datetime | None) -> None:
        """GitLab's labels are things of their own; Jira's are words."""
        if home.kind == "gitlab":
            for name in names:
                self.create_label(home.key, name, actor=actor, at=at or self.clock.now())

    @staticmethod
    def _in_order(issue: Issue, at: datetime | None) -> None:
        if at is not None and utc(at) < issue.updated and "updated" not in issue.given:
            raise Refused(f"{issue.key} was last written at {issue.updated.isoformat()}, after {utc(at).isoformat()}")

    def _check(self, home: Project, changes: Mapping[str, Any]) -> None:
        for name, words in (
            ("type", home.types),
            ("status", home.statuses),
            ("priority", home.priorities),
            ("resolution", home.resolutions),
        ):
            value = changes.get(name)
            if value is not None and value not in {word.id for word in words}:
                raise Refused(f"project {home.key} has no {name} {value!r}")
        if unknown := [one for one in changes.get("assignees") or () if one not in self.users]:
            raise Refused(f"no users {unknown}")
        if unknown := [one for one in changes.get("fix_versions") or () if one not in home.versions]:
            raise Refused(f"project {home.key} has no versions {unknown}")
        if changes.get("milestone") is not None and changes["milestone"] not in home.milestones:
            raise Refused(f"project {home.key} has no milestone {changes['milestone']}")
