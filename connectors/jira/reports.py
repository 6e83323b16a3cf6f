"""The report issues of a project: found by label and mark, filed when absent, edited in place."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from connectors.jira import pages
from connectors.jira.comments import PERHAPS_DONE
from connectors.jira.done import Done
from connectors.jira.history import identifier
from connectors.jira.jql import labelled
from connectors.jira.mapping import FIELDS, issue_of
from connectors.jira.markup import rendered
from connectors.jira.rights import Rights
from connectors.jira.server import JiraServer
from connectors.jira.text import printable
from connectors.retry import Kind
from connectors.tracker import NotFound, Rejected
from policies.changes import Mark, UpsertReport
from policies.issue import Issue, IssueRef, Role
from policies.receipt import Outcome, Receipt

_LONGEST_TITLE = 255


class Reports:
    """Of one account."""

    def __init__(self, server: JiraServer, rights: Rights) -> None:
        self._server = server
        self._rights = rights

    def upsert(self, issue: Issue | None, change: UpsertReport, now: datetime) -> Receipt:
        """Bring the report up to date. Args: issue: the report as it was read, if it was."""
        if issue is not None:
            try:
                return self._rewrite(issue, change, now)
            except NotFound:
                # Somebody removed it since; what is left is as without it.
                pass
        standing = self._standing(change)
        if standing is not None:
            return self._rewrite(standing, change, now)
        ref = self._file(change)
        return Done(Outcome.PERFORMED, {"report": None}, ref.key).receipt(ref, change, now)

    def _rewrite(self, standing: Issue, change: UpsertReport, now: datetime) -> Receipt:
        prior = {"report": standing.ref.key, "title": standing.title, "text": standing.description}
        if change.satisfied_by(standing):
            return Done(Outcome.ALREADY_SO, prior, standing.ref.key).receipt(standing.ref, change, now)
        fields = {"summary": _title(change), "description": self._text(change)}
        self._rights.quietly(
            standing.ref.project,
            lambda quiet: self._server.client.call(
                "PUT",
                "issue/{key}",
                doing=f"rewrite the report {standing.ref.key}",
                kind=Kind.IDEMPOTENT,
                params=quiet,
                body={"fields": fields, "update": {"labels": [{"add": change.label}]}},
                key=standing.ref.id,
            ),
        )
        return Done(Outcome.PERFORMED, prior, standing.ref.key).receipt(standing.ref, change, now)

    def _standing(self, change: UpsertReport) -> Issue | None:
        """Our report with this marker, the oldest where there are several."""
        doing = f"look for our report in {change.project}"
        search: Callable[..., Any] = pages.search_cloud if self._server.cloud else pages.search_data_center
        for payload in search(self._server, labelled(change.project, change.label), FIELDS, doing):
            found = issue_of(payload, self._server.source)
            # The label alone proves nothing: anybody can set it. The one who opened it must be us.
            if isinstance(found, Issue) and found.events[0].actor.role is Role.OWN:
                mark = Mark.found_in(found.description)
                if mark and mark.marker == change.marker:
                    return found
        return None

    def _file(self, change: UpsertReport) -> IssueRef:
        """Make the report; after an unknown outcome look for it, and leave the rest to the next run.

        The search may not show a new issue for minutes, so one that is not found may stand there all the same: making
        it again now could make it twice.
        """
        doing = f"file a report in {change.project}"
        fields: dict[str, Any] = {
            "project": {"key": change.project},
            "issuetype": {"id": self._type(change.project, doing)},
            "summary": _title(change),
            "description": self._text(change),
            "labels": [change.label],
        }
        try:
            answer = self._server.client.call("POST", "issue", doing=doing, kind=Kind.CREATE, body={"fields": fields})
            id_, key = self._server.identifier(answer, doing), identifier(answer.get("key"))
        except PERHAPS_DONE:
            found = self._standing(change)
            if found is None:
                raise
            return found.ref
        url = f"{self._server.url}/browse/{key}"
        return IssueRef(tracker=self._server.client.name, project=change.project, key=key or id_, id=id_, url=url)

    def _type(self, project: str, doing: str) -> str:
        """Id of the type Task (in any language), else of the first type that is no sub-task and no epic."""
        types = self._server.expect_list(self._server.project(project), "issueTypes", doing)
        usable = [type_ for type_ in types if isinstance(type_, Mapping) and type_.get("subtask") is not True]
        plain = [type_ for type_ in usable if self._server.number(type_, "hierarchyLevel", 0) <= 0] or usable
        tasks = [type_ for type_ in plain if "Task" in {type_.get("name"), type_.get("untranslatedName")}]
        found: Sequence[Mapping[str, Any]] = tasks or plain
        if not found:
            tracker = self._server.client.name
            raise Rejected(f"project {project} has no issue type a report could have", tracker=tracker, doing=doing)
        return identifier(found[0].get("id"))

    def _text(self, change: UpsertReport) -> Any:
        return rendered(self._server, change.document, str(change.mark))


def _title(change: UpsertReport) -> str:
    """On one line, and otherwise as it is: it is compared with what stands there."""
    return printable(change.title).replace("\n", " ")[:_LONGEST_TITLE]
