"""Carries out changes on Jira Cloud or Data Center, so that doing one twice is doing it once.

Rules:

1. Edits go by id and say the end, so they may be sent again. What makes something new (a comment, a report) is looked
   for by its mark before it is made, and again after an answer that did not come.
2. Watchers get no mail where the account may say so.
3. Text is rendered from data (ADF) or escaped (wiki markup), cut to what Jira takes, and ends with its mark.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, assert_never

from connectors.cache import Cache
from connectors.jira import adf, pages, wiki
from connectors.jira.fit import fitting
from connectors.jira.history import identifier
from connectors.jira.jql import labelled
from connectors.jira.mapping import FIELDS, comments_of, issue_of
from connectors.jira.server import JiraServer
from connectors.jira.text import one_line, printable
from connectors.retry import Kind, Retry
from connectors.tracker import BadAnswer, Connection, NotFound, OutcomeUnknown, Rejected, ServerFailed, TrackerError
from connectors.work import Work, Worked
from policies.changes import (
    Change,
    Mark,
    Relabel,
    SetAssignee,
    SetDueDate,
    SetPriority,
    UpsertComment,
    UpsertLink,
    UpsertReport,
)
from policies.document import Document
from policies.issue import Commented, Issue, IssueRef, Role, Word
from policies.receipt import Outcome, Receipt

_LONGEST_TITLE = 255
_LONGEST_LABEL = 255
_LONGEST_GLOBAL_ID = 255
# After these the request may have been carried out all the same.
_PERHAPS_DONE = (OutcomeUnknown, ServerFailed, BadAnswer)


# What became of a change, what stood there before, and the id of what was made.
_Done = tuple[Outcome, dict[str, Any], str]


class JiraWriter:
    """The port's writer. Attributes: as ``TrackerWriter``."""

    def __init__(self, connection: Connection, *, retry: Retry | None = None, cache: Cache | None = None) -> None:
        self._server = JiraServer(connection, retry=retry, cache=cache)
        self.name = connection.name
        self.requests: Counter[str] = self._server.client.requests

    def close(self) -> None:
        self._server.client.close()

    def perform(self, work: Sequence[Work], now: datetime) -> Iterator[Worked]:
        for piece in work:
            done: list[Receipt] = []
            try:
                # What was done before a failure stays in the list.
                done.extend(self._perform(piece.issue, change, now) for change in piece.changes)
            except TrackerError as failure:
                yield Worked.broken_off(piece, done, failure, now)
            else:
                yield Worked(tuple(done))

    def _perform(self, issue: Issue | None, change: Change, now: datetime) -> Receipt:
        # Whose comments are ours, and which API is spoken.
        _ = self._server.account
        if isinstance(change, UpsertReport):
            return self._report(issue, change, now)
        if issue is None:
            raise Rejected(f"a change of kind {change.kind} needs an issue", tracker=self.name)
        return _receipt(issue.ref, change, self._on(issue, change), now)

    def _on(self, issue: Issue, change: Change) -> _Done:
        match change:
            case Relabel():
                return self._relabel(issue, change)
            case SetPriority():
                field = {"priority": {"id": self._priority(change.priority).id}}
                prior = issue.priority.id or issue.priority.name if issue.priority else None
                return self._edit(issue, change.kind, {"fields": field}, {"priority": prior})
            case SetDueDate():
                due = change.due.isoformat() if change.due else None
                before = issue.due.isoformat() if issue.due else None
                return self._edit(issue, change.kind, {"fields": {"duedate": due}}, {"due": before})
            case SetAssignee():
                person = {"accountId" if self._server.cloud else "name": change.account}
                assignee = issue.assignee.id if issue.assignee else None
                return self._edit(issue, change.kind, {"fields": {"assignee": person}}, {"assignee": assignee})
            case UpsertComment():
                return self._comment(issue, change)
            case UpsertLink():
                return self._link(issue, change)
            case UpsertReport():
                raise Rejected("a report is not a change of an issue", tracker=self.name)
            case _:
                assert_never(change)

    # ---------------------------------------------------------------------------------------------------------- fields

    def _edit(self, issue: Issue, what: str, body: Mapping[str, Any], prior: dict[str, Any]) -> _Done:
        self._server.client.call(
            "PUT",
            "issue/{key}",
            doing=f"{what.replace('_', ' ')} on {issue.ref.key}",
            kind=Kind.IDEMPOTENT,
            params=self._server.quiet(issue.ref.project),
            body=body,
            key=issue.ref.id,
        )
        return Outcome.PERFORMED, prior, ""

    def _relabel(self, issue: Issue, change: Relabel) -> _Done:
        for label in change.add:
            if not label or label.split() != [label] or len(label) > _LONGEST_LABEL:
                raise Rejected(
                    f"{label[:80]!r} is no Jira label: no blanks, 1 to {_LONGEST_LABEL} characters",
                    tracker=self.name,
                    doing=f"relabel {issue.ref.key}",
                )
        steps = [{"add": label} for label in change.add] + [{"remove": label} for label in change.remove]
        if not steps:
            return Outcome.ALREADY_SO, {"labels": sorted(issue.labels)}, ""
        return self._edit(issue, change.kind, {"update": {"labels": steps}}, {"labels": sorted(issue.labels)})

    def _priority(self, wanted: str) -> Word:
        """The priority with this id, else the only one with this name in any spelling."""
        known = self._server.priorities
        by_name = [word for word in known if word.name.casefold() == wanted.casefold()]
        for word in known:
            if word.id == wanted or (word.name == wanted and len(by_name) == 1):
                return word
        if len(by_name) == 1:
            return by_name[0]
        names = ", ".join(f"{word.name} ({word.id})" for word in known)
        raise Rejected(f"there is no single priority {wanted!r}; there are: {names}", tracker=self.name)

    # -------------------------------------------------------------------------------------------------------- comments

    def _comment(self, issue: Issue, change: UpsertComment) -> _Done:
        standing = change.standing(issue) or self._standing(issue, change.marker)
        if standing is not None:
            if Mark.found_in(standing.text) == change.mark:
                return Outcome.ALREADY_SO, _stood(standing), standing.comment
            try:
                self._rewrite(issue, change, standing)
            except NotFound:
                # Somebody removed it since; whether another one stands there is looked up below.
                standing = self._standing(issue, change.marker)
            else:
                return Outcome.PERFORMED, _stood(standing), standing.comment
        if standing is None:
            return Outcome.PERFORMED, {"comment": None}, self._add(issue, change)
        self._rewrite(issue, change, standing)
        return Outcome.PERFORMED, _stood(standing), standing.comment

    def _standing(self, issue: Issue, marker: str) -> Commented | None:
        """Our comment with this marker as it is now, the oldest where there are several."""
        field = pages.comments(self._server, issue.ref.id, f"look for our comment on {issue.ref.key}")
        found, _ = comments_of(field, self._server.account.actor.id)
        ours = [
            comment
            for comment in found
            if comment.actor.role is Role.OWN and (mark := Mark.found_in(comment.text)) and mark.marker == marker
        ]
        return min(ours, key=lambda comment: (comment.at, len(comment.comment), comment.comment), default=None)

    def _rewrite(self, issue: Issue, change: UpsertComment, standing: Commented) -> None:
        self._server.client.call(
            "PUT",
            "issue/{key}/comment/{comment}",
            doing=f"rewrite our comment on {issue.ref.key}",
            kind=Kind.IDEMPOTENT,
            params=self._server.quiet(issue.ref.project) if self._server.cloud else None,
            body=self._comment_body(change),
            key=issue.ref.id,
            comment=standing.comment,
        )

    def _add(self, issue: Issue, change: UpsertComment) -> str:
        """Make the comment; after an unknown outcome look for it first, and make it once more if it is not there."""
        doing = f"comment on {issue.ref.key}"

        def make() -> str:
            answer = self._server.client.call(
                "POST",
                "issue/{key}/comment",
                doing=doing,
                kind=Kind.CREATE,
                body=self._comment_body(change),
                key=issue.ref.id,
            )
            return self._server.identifier(answer, doing)

        try:
            return make()
        except _PERHAPS_DONE:
            found = self._standing(issue, change.marker)
            return found.comment if found else make()

    def _comment_body(self, change: UpsertComment) -> dict[str, Any]:
        body: dict[str, Any] = {"body": self._rendered(change.document, str(change.mark))}
        if change.internal:
            body["properties"] = [{"key": "sd.public.comment", "value": {"internal": True}}]
        return body

    def _rendered(self, document: Document, mark: str) -> Any:
        """The document in the server's markup, cut to what it takes."""
        if self._server.cloud:
            return adf.document_of(fitting(document, lambda part: _size(adf.document_of(part, mark))), mark)
        return wiki.markup_of(fitting(document, lambda part: len(wiki.markup_of(part, mark))), mark)

    # ----------------------------------------------------------------------------------------------------------- links

    def _link(self, issue: Issue, change: UpsertLink) -> _Done:
        doing = f"link {issue.ref.key}"
        if not 0 < len(change.global_id) <= _LONGEST_GLOBAL_ID:
            raise Rejected(f"a global id has 1 to {_LONGEST_GLOBAL_ID} characters", tracker=self.name, doing=doing)
        # What is left out is emptied, so all is sent.
        link = {
            "globalId": change.global_id,
            "application": {"type": "warranty-flows", "name": "warranty-flows"},
            "relationship": one_line(change.relationship),
            "object": {
                "url": change.url,
                "title": one_line(change.title)[:_LONGEST_TITLE],
                "status": {"resolved": change.resolved},
            },
        }
        standing = self._standing_link(issue, change.global_id, doing)
        prior = {"link": standing, "global_id": change.global_id}
        if standing is not None and _agrees(link, standing):
            return Outcome.ALREADY_SO, prior, identifier(standing.get("id"))
        answer = self._server.client.call(
            "POST",
            "issue/{key}/remotelink",
            doing=doing,
            # The global id makes it one link, however often it is sent.
            kind=Kind.IDEMPOTENT,
            body=link,
            key=issue.ref.id,
        )
        return Outcome.PERFORMED, prior, self._server.identifier(answer, doing)

    def _standing_link(self, issue: Issue, global_id: str, doing: str) -> Mapping[str, Any] | None:
        """The link as it is now. Writing the same once more would show in the issue's history."""
        try:
            return self._server.object(
                "issue/{key}/remotelink", doing=doing, params={"globalId": global_id}, key=issue.ref.id
            )
        except NotFound:
            return None

    # --------------------------------------------------------------------------------------------------------- reports

    def _report(self, issue: Issue | None, change: UpsertReport, now: datetime) -> Receipt:
        if issue is not None:
            try:
                return self._rewrite_report(issue, change, now)
            except NotFound:
                # Somebody removed it since; what is left is as without it.
                pass
        standing = self._standing_report(change)
        if standing is not None:
            return self._rewrite_report(standing, change, now)
        ref = self._file(change)
        return _receipt(ref, change, (Outcome.PERFORMED, {"report": None}, ref.key), now)

    def _rewrite_report(self, standing: Issue, change: UpsertReport, now: datetime) -> Receipt:
        prior = {"report": standing.ref.key, "title": standing.title, "text": standing.description}
        if change.satisfied_by(standing):
            return _receipt(standing.ref, change, (Outcome.ALREADY_SO, prior, standing.ref.key), now)
        fields = {"summary": _title(change), "description": self._rendered(change.document, str(change.mark))}
        body = {"fields": fields, "update": {"labels": [{"add": change.label}]}}
        self._edit(standing, change.kind, body, prior)
        return _receipt(standing.ref, change, (Outcome.PERFORMED, prior, standing.ref.key), now)

    def _standing_report(self, change: UpsertReport) -> Issue | None:
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
            "issuetype": {"id": self._report_type(change.project, doing)},
            "summary": _title(change),
            "description": self._rendered(change.document, str(change.mark)),
            "labels": [change.label],
        }
        try:
            answer = self._server.client.call("POST", "issue", doing=doing, kind=Kind.CREATE, body={"fields": fields})
            id_, key = self._server.identifier(answer, doing), identifier(answer.get("key"))
        except _PERHAPS_DONE:
            found = self._standing_report(change)
            if found is None:
                raise
            return found.ref
        url = f"{self._server.url}/browse/{key}"
        return IssueRef(tracker=self.name, project=change.project, key=key or id_, id=id_, url=url)

    def _report_type(self, project: str, doing: str) -> str:
        """Id of the type Task (in any language), else of the first type that is no sub-task and no epic."""
        types = self._server.expect_list(self._server.project(project), "issueTypes", doing)
        usable = [type_ for type_ in types if isinstance(type_, Mapping) and type_.get("subtask") is not True]
        plain = [type_ for type_ in usable if self._server.number(type_, "hierarchyLevel", 0) <= 0] or usable
        tasks = [type_ for type_ in plain if "Task" in {type_.get("name"), type_.get("untranslatedName")}]
        found: Sequence[Mapping[str, Any]] = tasks or plain
        if not found:
            raise Rejected(f"project {project} has no issue type a report could have", tracker=self.name, doing=doing)
        return identifier(found[0].get("id"))


def _receipt(ref: IssueRef, change: Change, done: _Done, now: datetime) -> Receipt:
    outcome, prior, made = done
    text = json.dumps(prior, ensure_ascii=False, sort_keys=True)
    return Receipt(issue=ref, change=change, outcome=outcome, at=now, prior=text, made=made)


def _stood(comment: Commented) -> dict[str, Any]:
    return {"comment": comment.comment, "text": comment.text}


def _agrees(wanted: Any, found: Any) -> bool:
    """Whether all that is wanted is so; what the server adds of its own does not count."""
    if isinstance(wanted, Mapping):
        return isinstance(found, Mapping) and all(_agrees(value, found.get(name)) for name, value in wanted.items())
    return bool(wanted == found)


def _title(change: UpsertReport) -> str:
    """On one line, and otherwise as it is: it is compared with what stands there."""
    return printable(change.title).replace("\n", " ")[:_LONGEST_TITLE]


def _size(document: Mapping[str, Any]) -> int:
    """Characters of an ADF document as it is sent; Jira does not say what it counts, and this is never less."""
    return len(json.dumps(document, ensure_ascii=False, separators=(",", ":")))
