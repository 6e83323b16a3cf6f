"""Changes, written into a notebook: one request to look at the issue, and one for each change.

Rules:

1. What stood there before is what was read right before it was written.
2. A comment or report whose making ended in an unknown outcome is looked for by its mark before the change has failed.
3. A change that is refused fails alone; but a label is not written that would prove a link that was refused.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, assert_never

from connectors.cache import Cache
from connectors.retry import Retry
from connectors.tracker import (
    BadAnswer,
    Connection,
    NotFound,
    OutcomeUnknown,
    Rejected,
    ServerFailed,
    TrackerError,
)
from connectors.work import Work, Worked, one_line
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
from policies.issue import IssueRef
from policies.receipt import Outcome, Receipt
from tests.notebook_tracker.notebook_client import Done, Note, NotebookClient, Record
from tests.notebook_tracker.notebook_markup import plain, rendered

_UNKNOWN = (OutcomeUnknown, ServerFailed, BadAnswer)


class NotebookWriter:
    """``TrackerWriter`` over a notebook."""

    def __init__(self, connection: Connection, retry: Retry | None = None, _: Cache | None = None) -> None:
        self.name = connection.name
        self._client = NotebookClient(connection, retry)
        self.requests = self._client.requests
        self._own = ""

    def perform(self, work: Sequence[Work], now: datetime) -> Iterator[Worked]:
        for piece in work:
            yield self._worked(piece, now)

    def close(self) -> None:
        """There is no connection to end."""

    def _worked(self, piece: Work, now: datetime) -> Worked:
        receipts: list[Receipt] = []
        failure: TrackerError | None = None
        ref = piece.issue.ref if piece.issue else None
        unproven: dict[str, str] = {}
        for change in piece.changes:
            labels = change.add if isinstance(change, Relabel) else ()
            why = next((unproven[label] for label in labels if label in unproven), "")
            if why:
                receipts.append(Receipt(issue=ref, change=change, outcome=Outcome.NOT_TRIED, at=now, error=why))
                continue
            try:
                receipts.append(self._performed(ref, change, now))
            except (Rejected, NotFound) as refused:
                failure, why = failure or refused, one_line(refused)
                receipts.append(Receipt(issue=ref, change=change, outcome=Outcome.FAILED, at=now, error=why))
                if isinstance(change, UpsertLink | SetAssignee) and change.proof:
                    unproven[change.proof] = f"it proves what could not be done: {why}"
            except TrackerError as error:
                return Worked.broken_off(piece, receipts, error, now)
        return Worked(tuple(receipts), failure)

    def _performed(self, ref: IssueRef | None, change: Change, now: datetime) -> Receipt:
        if isinstance(change, UpsertReport):
            prior, done = self._report(ref, change)
            project, key = change.project, done.issue.key
            ref = IssueRef(self.name, project, key, done.issue.id)
        elif ref is None:
            raise Rejected("a change of no issue", tracker=self.name, doing=change.kind)
        else:
            prior, done = self._changed(self._client.issue(ref.key), change)
        made = done.made
        told = json.dumps(prior, ensure_ascii=False)
        return Receipt(issue=ref, change=change, outcome=Outcome.PERFORMED, at=now, prior=told, made=made)

    def _changed(self, stands: Record, change: Change) -> tuple[dict[str, Any], Done]:
        """What stood there before, and what was done."""
        key = stands.key
        match change:
            case Relabel():
                labels = {"add": change.add, "remove": change.remove}
                return {"labels": sorted(stands.labels)}, self._set(key, "labels", labels)
            case SetPriority():
                priority = stands.priority.id if stands.priority else None
                return {"priority": priority}, self._set(key, "priority", change.priority)
            case SetDueDate():
                due = change.due.isoformat() if change.due else None
                return {"due": stands.due}, self._set(key, "due", due)
            case SetAssignee():
                assignee = stands.assignee.id if stands.assignee else None
                return {"assignee": assignee}, self._set(key, "assignee", change.account)
            case UpsertComment():
                return self._comment(stands, change)
            case UpsertLink():
                return self._link(stands, change)
            case UpsertReport():
                raise AssertionError("a report is no change of the issue it is given with")
            case _:
                assert_never(change)

    def _set(self, key: str, field: str, value: Any) -> Done:
        return self._send("PATCH", f"issues/{key}", {field: value}, f"set {field} of {key}")

    def _send(self, method: str, path: str, body: dict[str, Any], doing: str) -> Done:
        return self._client.told(Done, self._client.ask(method, path, body, doing=doing), doing)

    # ------------------------------------------------------------------------------------------------ comments, links

    def _comment(self, stands: Record, change: UpsertComment) -> tuple[dict[str, Any], Done]:
        body = {"text": rendered(change.document, change.mark), "internal": change.internal}
        where, doing = f"issues/{stands.key}/comments", f"comment on {stands.key}"
        standing = self._ours(stands, change.marker)
        if standing:
            prior = {"comment": str(standing.n), "text": standing.text, "internal": standing.internal}
            return prior, self._send("PUT", f"{where}/{standing.n}", body, doing)
        try:
            done = self._send("POST", where, body, doing)
        except _UNKNOWN as unknown:
            now = self._client.issue(stands.key)
            made = self._ours(now, change.marker)
            if made is None:
                raise unknown from None
            done = Done(made=str(made.n), issue=now)
        return {"comment": None}, done

    def _ours(self, stands: Record, marker: str) -> Note | None:
        """Our comment with this marker, the oldest of several."""
        own = self._own_id()
        ours = (note for note in stands.comments if note.by.id == own and _marked(note.text, marker))
        return min(ours, key=lambda note: note.n, default=None)

    def _link(self, stands: Record, change: UpsertLink) -> tuple[dict[str, Any], Done]:
        prior = next((link for link in stands.links if link.global_id == change.global_id), None)
        names = ("global_id", "url", "title", "relationship", "resolved")
        body = {name: getattr(change, name) for name in names}
        done = self._send("PUT", f"issues/{stands.key}/links", body, f"link {stands.key} to a release")
        return {"link": prior.model_dump() if prior else None}, done

    # --------------------------------------------------------------------------------------------------------- reports

    def _report(self, ref: IssueRef | None, change: UpsertReport) -> tuple[dict[str, Any], Done]:
        standing = self._client.issue(ref.key) if ref else self._found(change)
        text, doing = rendered(change.document, change.mark), f"write a report into {change.project}"
        if standing:
            body = {"title": change.title, "text": text, "labels": {"add": [change.label]}}
            prior = {"report": standing.key, "title": standing.title, "text": standing.text}
            return prior, self._send("PATCH", f"issues/{standing.key}", body, doing)
        body = {"title": change.title, "text": text, "labels": [change.label]}
        try:
            done = self._send("POST", f"projects/{change.project}/issues", body, doing)
        except _UNKNOWN as unknown:
            made = self._found(change)
            if made is None:
                raise unknown from None
            done = Done(made=made.key, issue=made)
        return {"report": None}, done

    def _found(self, change: UpsertReport) -> Record | None:
        """Our report with this marker, the oldest of several."""
        own = self._own_id()
        after: int | None = 0
        doing = f"look for a report in {change.project}"
        while after is not None:
            page = self._client.page(change.project, "issues", after=after, label=change.label)
            for told in page.issues:
                record = self._client.told(Record, told, doing)
                if record.opened.by.id == own and _marked(record.text, change.marker):
                    return record
            after = page.next
        return None

    def _own_id(self) -> str:
        self._own = self._own or self._client.me().id
        return self._own


def _marked(raw: str, marker: str) -> bool:
    mark = Mark.found_in(plain(raw))
    return mark is not None and mark.marker == marker
