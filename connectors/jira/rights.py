"""What the account may do that only makes writing quieter or cheaper, kept between runs.

Rules:

1. What it may is asked once per project, and again where an answer says that it is no longer so.
2. Where it cannot be found out, it may not: writing works without.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from connectors.jira.server import KEPT_FOR, JiraServer
from connectors.tracker import NotFound, PermissionRefused, Rejected

T = TypeVar("T")

QUIET = ("ADMINISTER_PROJECTS", "ADMINISTER")
"""Permissions of which either allows writing without mail; without both, Jira refuses or ignores the whole quiet write."""
BULK = "BULK_CHANGE"
_BULK = "may change in bulk"


class Rights:
    """Of one account on one server."""

    def __init__(self, server: JiraServer) -> None:
        self._server = server
        self._asked: set[str] = set()

    def quiet(self, project: str) -> dict[str, str | int]:
        """``notifyUsers=false`` where the account may write without mail to everybody, nothing where it may not."""
        known = self._server.cache.get(self._key(f"may write quietly in {project}"))
        return {"notifyUsers": "false"} if (self._ask_quiet(project) if known is None else known) else {}

    def quietly(self, project: str, send: Callable[[dict[str, str | int]], T]) -> T:
        """What ``send`` answers to the parameters of a quiet write; once more without, where that right is gone."""
        quiet = self.quiet(project)
        try:
            return send(quiet)
        except PermissionRefused:
            if not quiet or self._still_quiet(project):
                raise
            return send({})

    def _still_quiet(self, project: str) -> bool:
        """After a quiet write was refused: whether it may be quiet all the same, asked anew once."""
        if project not in self._asked:
            return self._ask_quiet(project)
        return bool(self._server.cache.get(self._key(f"may write quietly in {project}")))

    def _ask_quiet(self, project: str) -> bool:
        self._asked.add(project)
        may = self._any(QUIET, project)
        self._server.cache.put(self._key(f"may write quietly in {project}"), may, KEPT_FOR)
        return may

    @property
    def bulk(self) -> bool:
        """Whether many issues may be changed in one request."""
        known = self._server.cache.get(self._key(_BULK))
        if known is None:
            known = self._any((BULK,))
            self._server.cache.put(self._key(_BULK), known, KEPT_FOR)
        return bool(known)

    def bulk_was_refused(self) -> None:
        """Not again before a day has passed."""
        self._server.cache.put(self._key(_BULK), value=False, lasts=KEPT_FOR)

    def _any(self, names: tuple[str, ...], project: str = "") -> bool:
        try:
            return any(self._server.permissions(names, project).values())
        except (NotFound, PermissionRefused, Rejected):
            return False

    def _key(self, what: str) -> str:
        # Another account may do other things.
        return f"{self._server.account.actor.id} {what}"
