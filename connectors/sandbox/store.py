"""The sandbox's memory: an append-only log and the state that follows from it.

Rules:

1. The log is all there is: a command checks, then appends entries; ``projection`` turns the log into state. So every
   write shows in the history of the issue, with its author and instant.
2. A command that raises ``Refused`` has appended nothing.
3. Each command takes ``actor`` (account id) and ``at`` (default: the clock, which ticks). Scenarios write the past, in
   the order of time: an ``at`` before the issue's last update is refused.
4. Hold ``store.lock`` while reading several things, or while checking and then writing.

How a dialect uses it::

    with store.lock:
        token = store.token(text)                      # None: answer 401
        issue = store.issue("CAR-1")                   # None: answer 404; by key or id
        at = store.clock.for_write()                   # one instant for all that one request writes
        store.edit(issue.id, {"labels": [...], "due": date(2026, 12, 1)}, actor=token.user, at=at)
        store.comment(issue.id, "text", actor=token.user, at=at)

Records are read from ``store.users``, ``store.projects`` (each with its issues, labels, versions, merge requests, tags,
releases, milestones) and ``store.issues``; their shape is in ``nouns``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from connectors.sandbox.log import Refused, Request
from connectors.sandbox.nouns import EVERYTHING, Project, Token, User
from connectors.sandbox.release_commands import ReleaseCommands
from policies.issue import Word

__all__ = ["GITLAB_STATUSES", "Refused", "Request", "Store"]

GITLAB_STATUSES = (Word("opened", "opened", "new"), Word("closed", "closed", "done"))


class Store(ReleaseCommands):
    """Everything a tracker would know. See the head of the file.

    Attributes:
        world: the state. log: the entries, oldest first; treat both as read-only.
        requests: what the server was asked, oldest first; clear it at will.
        write_limits: how often one issue may be written on Jira Cloud, as (times, period); () for as often as you like.
        index_lag: how far Jira's search stays behind what was written.
        stuck_pages: whether Jira Cloud's search gives the same token again for ever, as it has been seen to do.
        bulk_stages: what Jira's bulk tasks say when they are asked, one after the other, before they are COMPLETE.
    """

    write_limits: tuple[tuple[int, timedelta], ...] = ((20, timedelta(seconds=2)), (100, timedelta(seconds=30)))
    index_lag: timedelta = timedelta(0)
    stuck_pages: bool = False
    bulk_stages: tuple[str, ...] = ("RUNNING",)

    def create_user(
        self,
        id_: str,
        name: str,
        *,
        username: str = "",
        email: str = "",
        bot: bool = False,
        active: bool = True,
        customer: bool = False,
        zone: str = "UTC",
        locale: str = "",
        given: Mapping[str, Any] | None = None,
        at: datetime | None = None,
    ) -> User:
        """A person or bot. ``username`` defaults to the id."""
        with self.lock:
            if id_ in self.users:
                raise Refused(f"user {id_!r} already exists")
            data = {
                "id": id_, "name": name, "username": username or id_, "number": self._next("user"), "email": email,
                "bot": bot, "active": active, "customer": customer, "zone": zone, "locale": locale,
                "given": dict(given or {}),
            }  # fmt: skip
            self._append("user", data, "", at)
            return self.users[id_]

    def deactivate_user(self, id_: str, *, deleted: bool = False) -> None:
        """The person is gone: shown as inactive, and as nobody in particular where the account is ``deleted``."""
        with self.lock:
            self._user(id_)
            changes = {"active": False, "deleted": deleted}
            self._append("user_changed", {"id": id_, "changes": changes}, "", None)

    def create_token(
        self,
        text: str,
        user: str,
        *,
        permissions: Iterable[str] = EVERYTHING,
        projects: Iterable[str] | None = None,
        scopes: Iterable[str] | None = None,
        expires: date | None = None,
        at: datetime | None = None,
    ) -> Token:
        """Let ``text`` log in as a user, with some permissions, to some projects (None: all).

        A token with ``scopes`` is let in through Jira Cloud's gateway alone, and to what its scopes allow.
        """
        with self.lock:
            self._user(user)
            words = frozenset(permissions)
            if unknown := words - EVERYTHING:
                raise Refused(f"unknown permissions {sorted(unknown)}; there are {sorted(EVERYTHING)}")
            seen = None if projects is None else frozenset(projects)
            data = {
                "text": text, "user": user, "permissions": words, "projects": seen,
                "scopes": None if scopes is None else frozenset(scopes), "expires": expires,
            }  # fmt: skip
            self._append("token", data, "", at)
            return self.world.tokens[text]

    def revoke_token(self, text: str) -> None:
        """The token is refused from now on, as an expired one is."""
        with self.lock:
            if text not in self.world.tokens:
                raise Refused("no such token")
            self._append("token_revoked", {"text": text}, "", None)

    def allow_anonymous(self, *, allowed: bool = True) -> None:
        """Let in who is not logged in, to see nothing (Jira: an empty search instead of a refusal)."""
        with self.lock:
            self._append("anonymous", {"allowed": allowed}, "", None)

    def create_project(
        self,
        key: str,
        name: str,
        *,
        kind: str,
        statuses: Sequence[Word] = (),
        priorities: Sequence[Word] = (),
        types: Sequence[Word] = (),
        resolutions: Sequence[Word] = (),
        components: Sequence[Word] = (),
        screen: Iterable[str] | None = None,
        service_desk: bool = False,
        id_: int | None = None,
        given: Mapping[str, Any] | None = None,
        at: datetime | None = None,
    ) -> Project:
        """A project with its words. A GitLab project (``kind="gitlab"``, ``key`` its full path) has fixed statuses."""
        with self.lock:
            if kind not in {"jira", "gitlab"}:
                raise Refused(f"kind of project {kind!r}: there are jira and gitlab")
            if key in self.projects:
                raise Refused(f"project {key!r} already exists")
            if kind == "gitlab":
                statuses = GITLAB_STATUSES
                types = types or (Word("ISSUE", "Issue"), Word("INCIDENT", "Incident"), Word("TASK", "Task"))
            data = {
                "key": key, "id": id_ or self._next("project"), "name": name, "kind": kind, "statuses": tuple(statuses),
                "priorities": tuple(priorities), "types": tuple(types), "resolutions": tuple(resolutions),
                "components": tuple(components), "screen": None if screen is None else frozenset(screen),
                "service_desk": service_desk, "given": dict(given or {}),
            }  # fmt: skip
            self._append("project", data, "", at)
            return self.projects[key]

    def add_word(self, project: str, kind: str, word: Word) -> None:
        """One more status, priority, type, resolution or component (``kind`` names the list, in the plural), or a better one."""
        with self.lock:
            self._append("word", {"project": self._project(project).key, "kind": kind, "word": word}, "", None)

    def set_screen(self, project: str, fields: Iterable[str] | None) -> None:
        """Which fields (Jira's names) may be edited in a project; None for all."""
        with self.lock:
            screen = None if fields is None else frozenset(fields)
            self._append("screen", {"project": self._project(project).key, "screen": screen}, "", None)

    def set_operations(self, project: str, field: str, operations: Iterable[str] | None) -> None:
        """Which verbs of Jira's ``update`` a field takes in a project (``comment``: only ``add``); None for the usual ones."""
        with self.lock:
            verbs = None if operations is None else frozenset(operations)
            data = {"project": self._project(project).key, "field": field, "operations": verbs}
            self._append("operations", data, "", None)

    def translate(self, locale: str, kind: str, id_: str, name: str) -> None:
        """The name of a Jira status, priority, issuetype or resolution (``kind``) for accounts of a language."""
        with self.lock:
            self._append("translation", {"locale": locale, "kind": kind, "id": id_, "name": name}, "", None)

    def create_field(self, id_: str, name: str, type_: str, custom: str) -> None:
        """A custom field of Jira's: ``customfield_10010``, name, type of its values (``array:option``), its type's key."""
        with self.lock:
            self._append("field", {"id": id_, "name": name, "type": type_, "custom": custom}, "", None)

    def create_link_type(self, id_: str, name: str, inward: str, outward: str) -> None:
        """A type of issue link: ``Blocks``, ``is blocked by``, ``blocks``."""
        with self.lock:
            data = {"id": id_, "name": name, "inward": inward, "outward": outward}
            self._append("link_type", data, "", None)
