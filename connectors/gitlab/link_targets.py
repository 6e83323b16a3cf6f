"""What an issue can be linked to, and as what: issues of this GitLab by their address.

That one issue blocks another is said where the server's tier has it. Else the two are related: free of charge, and no
less a link. Which tier it is nothing tells but a refusal, which is remembered for a day.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from connectors.gitlab.connection import nodes
from connectors.gitlab.mutations import WORK_ITEM_ID
from connectors.gitlab.payload import one, text_of
from connectors.tracker import NotFound, Rejected
from policies.issue_link import LinkKind

if TYPE_CHECKING:
    from connectors.gitlab.client import GitLabClient
    from connectors.gitlab.server import Server
    from policies.changes import UpsertLink

_UNLICENSED = re.compile(r"not available for (?:the )?current (?:license|subscription)", re.IGNORECASE)
_ADDRESS = re.compile(r"/(?P<path>.+?)/(?:-/)?(?:issues|work_items)/(?P<iid>\d+)")


class LinkTargets:
    """Each is looked up once a session."""

    def __init__(self, client: GitLabClient, server: Server) -> None:
        self._client = client
        self._server = server
        self._gids: dict[tuple[str, str], str] = {}

    def kind(self, change: UpsertLink) -> LinkKind:
        """As what it can be linked here."""
        wanted = change.link_kind
        return wanted if wanted is LinkKind.RELATES or self._server.links_block() else LinkKind.RELATES

    def unlicensed(self, kind: LinkKind, said: str) -> bool:
        """Whether a refusal says that the tier has no links of this kind; then they are related from now on."""
        if kind is LinkKind.RELATES or not _UNLICENSED.search(said):
            return False
        self._server.no_links_block()
        return True

    def place(self, change: UpsertLink, doing: str) -> tuple[str, str]:
        """Project and iid. Raises Rejected: the address is not one of an issue of this GitLab."""
        here, there = urlsplit(self._client.url), urlsplit(change.url)
        root = here.path.rstrip("/")
        if (here.scheme, here.netloc.lower()) == (there.scheme, there.netloc.lower()) and there.path.startswith(
            f"{root}/"
        ):
            found = _ADDRESS.fullmatch(unquote(there.path.removeprefix(root)))
            if found:
                return found["path"], found["iid"]
        detail = "GitLab links issues to issues of the same GitLab only"
        advice = "Name it in the comment instead"
        raise Rejected(detail, tracker=self._client.name, doing=doing, advice=advice)

    def gid(self, change: UpsertLink, doing: str) -> str:
        """The global id. Raises Rejected, and NotFound where this account sees no such issue."""
        path, iid = place = self.place(change, doing)
        if place not in self._gids:
            data = self._client.graphql("WorkItemId", WORK_ITEM_ID, {"path": path, "iid": iid}, doing=doing)
            found = nodes(one(data.get("project")).get("workItems"))
            if not found:
                raise NotFound(f"no issue {path}#{iid} to link to", tracker=self._client.name, doing=doing)
            self._gids[place] = text_of(found[0].get("id"))
        return self._gids[place]
