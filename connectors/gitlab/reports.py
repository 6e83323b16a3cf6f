"""The report issue of a project: found by its label and mark, made when absent, edited in place. By REST.

Rules:

1. It is made once: where a try ended without a clear answer, it is looked for first.
2. It says nothing of confidential issues (``policies.summary``), so it is not confidential itself; one that somebody
   made confidential stays so.
3. Its title is plain: what GitLab could take for a mention or a reference in it is broken up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connectors.gitlab import markdown
from connectors.gitlab.client import project_path
from connectors.gitlab.our_notes import PERHAPS_DONE, issue_path, marked
from connectors.gitlab.payload import actor, number, one, text_of
from connectors.tracker import AnswerLate, BadAnswer, TrackerError
from policies.changes import Mark, UpsertReport
from policies.issue import IssueRef

if TYPE_CHECKING:
    from connectors.gitlab.client import GitLabClient
    from connectors.gitlab.payload import Payload
    from connectors.gitlab.server import Server
    from connectors.gitlab.task import Part, Task


class Reports:
    """Writes reports."""

    def __init__(self, client: GitLabClient, server: Server) -> None:
        self._client = client
        self._server = server

    def carry_out(self, task: Task, part: Part) -> None:
        """Tell the task what became of it."""
        (change,) = part.changes
        assert isinstance(change, UpsertReport)
        doing = f"write the report {change.title!r} in {change.project}"
        body = {"title": markdown.title(change.title), "description": marked(change)}
        try:
            if task.issue is not None:
                ref = task.issue.ref
                prior = {"report": ref.key, "title": task.issue.title, "text": task.issue.description}
                self._edit(ref, body, doing)
            else:
                ref, prior = self._found_or_made(change, body, doing)
        except TrackerError as error:
            task.failed(part, error)
        else:
            task.done(part, prior, made=ref.key, at=ref)

    def _found_or_made(self, change: UpsertReport, body: dict[str, str], doing: str) -> tuple[IssueRef, dict[str, Any]]:
        standing = self._find(change)
        if standing is None:
            return self._make(change, body, doing), {"report": None}
        ref = self._reference(standing, change.project)
        self._edit(ref, body, doing)
        return ref, {"report": ref.key, "title": standing.get("title"), "text": standing.get("description")}

    def _edit(self, ref: IssueRef, body: dict[str, str], doing: str) -> None:
        self._client.rest("PUT", issue_path(ref), doing=doing, body=body)

    def _make(self, change: UpsertReport, body: dict[str, str], doing: str) -> IssueRef:
        ask = {**body, "labels": change.label}
        path = f"{project_path(change.project)}/issues"
        try:
            made = self._client.rest("POST", path, doing=doing, body=ask)
        except AnswerLate:
            # It may be made yet: the next run sees.
            raise
        except PERHAPS_DONE:
            made = self._find(change) or self._client.rest("POST", path, doing=doing, body=ask)
        return self._reference(one(made), change.project)

    def _find(self, change: UpsertReport) -> Payload | None:
        """Our oldest issue with the report's label and marker."""
        own = self._server.account().id
        query = {"labels": change.label, "state": "all", "scope": "all", "order_by": "created_at", "sort": "asc"}
        doing = f"look for the report in {change.project}"
        for payload in self._client.pages(f"{project_path(change.project)}/issues", doing=doing, query=query):
            mark = Mark.found_in(text_of(payload.get("description")))
            if mark is not None and mark.marker == change.marker and actor(payload.get("author")).id == own:
                return payload
        return None

    def _reference(self, payload: Payload, project: str) -> IssueRef:
        full = text_of(one(payload.get("references")).get("full"))
        path = full.rsplit("#", maxsplit=1)[0] if "#" in full else project
        iid = str(payload.get("iid") or "")
        if not iid:
            doing = f"write a report in {project}"
            raise BadAnswer("GitLab did not say what it made", tracker=self._client.name, doing=doing)
        url = text_of(payload.get("web_url"))
        return IssueRef(self._client.name, path, f"{path}#{iid}", number(payload.get("id")), url)
