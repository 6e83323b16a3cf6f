"""Carries out changes on Jira Cloud or Data Center, so that doing one twice is doing it once.

Rules:

1. Edits go by id and say the end, so they may be sent again. What makes something new (a comment, a report) is looked
   for by its mark before it is made, and again after an answer that did not come.
2. Watchers get no mail of edits where the account may say so.
3. Text is rendered from data (ADF) or escaped (wiki markup), cut to what Jira takes, and ends with its mark.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime

from connectors.cache import Cache
from connectors.jira.bulk_edit import BulkEditor, groups
from connectors.jira.edit import Editor
from connectors.jira.reports import Reports
from connectors.jira.server import JiraServer
from connectors.retry import Retry
from connectors.tracker import Connection, Rejected, TrackerError
from connectors.work import Work, Worked
from policies.changes import Change, UpsertReport
from policies.issue import Issue
from policies.receipt import Receipt


class JiraWriter:
    """The port's writer. Attributes: as ``TrackerWriter``."""

    def __init__(self, connection: Connection, *, retry: Retry | None = None, cache: Cache | None = None) -> None:
        retry = retry or Retry()
        self._server = JiraServer(connection, retry=retry, cache=cache)
        self._editor = Editor(self._server, retry)
        self._bulk = BulkEditor(self._server, self._editor, retry)
        self._reports = Reports(self._server, self._editor.rights)
        self.name = connection.name
        self.requests: Counter[str] = self._server.client.requests

    def close(self) -> None:
        self._server.client.close()

    def perform(self, work: Sequence[Work], now: datetime) -> Iterator[Worked]:
        alike = groups(work)
        for piece in work:
            issue = piece.issue
            group = alike.get(issue.ref.id) if issue else None
            together = group is not None and group.changes == piece.changes
            done = self._bulk.perform(group, issue, now) if group and issue and together else None
            yield done or self._singly(piece, now)

    def _singly(self, piece: Work, now: datetime) -> Worked:
        if not any(isinstance(change, UpsertReport) for change in piece.changes):
            if piece.issue is not None:
                return self._editor.perform(piece.issue, piece.changes, now)
            kinds = ", ".join(change.kind for change in piece.changes)
            return Worked.broken_off(piece, (), Rejected(f"{kinds}: no issue to do it on", tracker=self.name), now)
        # A report is a request of its own; a plan has nothing else beside it.
        done: list[Receipt] = []
        for change in piece.changes:
            try:
                done.append(self._alone(piece.issue, change, now))
            except TrackerError as failure:
                return Worked.broken_off(piece, done, failure, now)
        return Worked(tuple(done))

    def _alone(self, issue: Issue | None, change: Change, now: datetime) -> Receipt:
        if isinstance(change, UpsertReport):
            # Whose report is ours, and which API is spoken.
            _ = self._server.account
            return self._reports.upsert(issue, change, now)
        worked = self._singly(Work(issue, (change,)), now)
        if worked.failure is not None:
            raise worked.failure
        return worked.receipts[0]
