"""Issues with their whole history through REST v4, for servers whose GraphQL can not give it: six requests an issue.

Rules:

1. The list is ordered by creation: an issue that changes while it is read keeps its place, so none is passed over.
2. A list of events that the server does not have, or does not show, is a gap of that issue and stops no other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.gitlab import closing_requests, mapping
from connectors.gitlab.client import project_path
from connectors.gitlab.payload import Malformed, instant, kind_of, text_of
from connectors.gitlab.work_items import NO_ISSUES
from connectors.tracker import BadAnswer, NotFound, PermissionRefused, Rejected, Unreadable
from policies.issue import Gap, GapKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from connectors.gitlab.client import GitLabClient
    from connectors.gitlab.closings import Closings
    from connectors.gitlab.payload import Payload
    from policies.issue import Issue

_KINDS = {"notes": GapKind.COMMENTS, "links": GapKind.LINKS, "closed_by": GapKind.LINKS}
TYPES = ("issue", "incident", "task")


class RestIssues:
    """Reads a project's issues by REST."""

    def __init__(self, client: GitLabClient, closings: Closings) -> None:
        self._client = client
        self._closings = closings

    def changed_since(
        self, project: str, since: datetime | None, known: Mapping[str, datetime]
    ) -> Iterator[Issue | Unreadable]:
        """Issues updated at or after ``since``, oldest first, each once; without those that ``known`` holds as they are."""
        self._closings.begin(project, all_of_it=since is None)
        for payload in self._listed(project, since):
            if not _is_held(payload, known):
                yield self._mapped(payload, project)
        self._closings.end(project, all_of_it=since is None)

    def ids(self, project: str) -> Iterator[str]:
        """Ids of all issues, oldest first, a hundred a request."""
        return (str(payload.get("id")) for payload in self._listed(project, None))

    def _listed(self, project: str, since: datetime | None) -> Iterator[Payload]:
        query = {"state": "all", "order_by": "created_at", "sort": "asc", "scope": "all"}
        if since:
            query["updated_after"] = since.isoformat()
        seen: set[str] = set()
        path = f"{project_path(project)}/issues"
        for payload in self._client.pages(path, doing=f"read issues of {project}", query=query):
            number = str(payload.get("id"))
            if number not in seen and kind_of(text_of(payload.get("issue_type"))).id not in NO_ISSUES:
                seen.add(number)
                yield payload

    def issue(self, project: str, iid: str) -> Issue:
        """One issue. Raises NotFound; BadAnswer where it can not be made sense of."""
        doing = f"read {project}#{iid}"
        payload = self._client.rest("GET", f"{project_path(project)}/issues/{iid}", doing=doing)
        made = self._mapped(payload, project) if isinstance(payload, dict) else Unreadable(iid, "not an object")
        if isinstance(made, Unreadable):
            raise BadAnswer(made.reason, tracker=self._client.name, doing=doing)
        return made

    def _mapped(self, payload: Payload, project: str) -> Issue | Unreadable:
        gaps: list[Gap] = []
        iid = str(payload.get("iid", ""))
        oldest_first = {"sort": "asc", "order_by": "created_at"}
        history = mapping.RestHistory(
            notes=self._past(project, iid, "notes", gaps, oldest_first),
            labels=self._past(project, iid, "resource_label_events", gaps),
            states=self._past(project, iid, "resource_state_events", gaps),
            milestones=self._past(project, iid, "resource_milestone_events", gaps),
            links=self._past(project, iid, "links", gaps),
            # Asked only where the issue says that there are any, or does not say.
            closed_by=self._past(project, iid, "closed_by", gaps) if payload.get("merge_requests_count") != 0 else (),
        )
        closing = closing_requests.of_widget(closing_requests.as_widget(history.closed_by))
        self._closings.keep(project, {iid: closing})
        try:
            return mapping.rest_issue(payload, history, self._client.name, project, tuple(gaps))
        except Malformed as error:
            return Unreadable(f"{project}#{iid or '?'}", str(error))

    def _past(
        self, project: str, iid: str, what: str, gaps: list[Gap], query: dict[str, str] | None = None
    ) -> tuple[Payload, ...]:
        doing = f"read {what} of {project}#{iid}"
        try:
            return tuple(self._client.pages(f"{project_path(project)}/issues/{iid}/{what}", doing=doing, query=query))
        except (NotFound, PermissionRefused, Rejected, BadAnswer) as error:
            kind = _KINDS.get(what, GapKind.HISTORY)
            gaps.append(Gap(kind, f"{what.replace('_', ' ')} could not be read: {error.detail}"))
            return ()


def _is_held(payload: Payload, known: Mapping[str, datetime]) -> bool:
    """Whether it was not updated since it was read (``TrackerReader``): its history costs five requests."""
    before = known.get(str(payload.get("id")))
    try:
        return before is not None and before == instant(payload.get("updated_at"))
    except Malformed:
        return False
