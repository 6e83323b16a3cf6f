"""The numbers of people by username, which GitLab assigns by. Asked for once a session."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.gitlab.payload import number, one, text_of
from connectors.tracker import Rejected

if TYPE_CHECKING:
    from connectors.gitlab.client import GitLabClient


class People:
    """Of one session."""

    def __init__(self, client: GitLabClient) -> None:
        self._client = client
        self._numbers: dict[str, str] = {}

    def number(self, username: str, doing: str) -> str:
        """Raises Rejected: there is nobody of that name."""
        if username not in self._numbers:
            found = self._client.rest("GET", "users", doing=doing, query={"username": username})
            matching = [who for who in found or [] if text_of(one(who).get("username")).lower() == username.lower()]
            if not matching:
                advice = "Name a member of the project as responder in the site file"
                raise Rejected(f"no user {username!r}", tracker=self._client.name, doing=doing, advice=advice)
            self._numbers[username] = number(matching[0].get("id"))
        return self._numbers[username]
