"""Changes carried out on a GitLab: several issues a request by work item mutations, else issue by issue over REST.

Rules:

1. What must be known before the writing (the notes to be edited) is read for many issues at a time; no more issues
   are written than go into one request before the caller has been told of them.
2. A part of the schema that has gone sends what is left to REST.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from connectors.gitlab.asks import Asks
from connectors.gitlab.batch import ISSUES, Batch
from connectors.gitlab.client import SchemaDiffers
from connectors.gitlab.label_ids import LabelIds
from connectors.gitlab.link_targets import LinkTargets
from connectors.gitlab.our_notes import AT_ONCE, OurNotes
from connectors.gitlab.people import People
from connectors.gitlab.reports import Reports
from connectors.gitlab.rest_writes import RestWrites
from connectors.gitlab.server import Generation
from connectors.gitlab.task import Task
from connectors.retry import Retry
from connectors.tracker import Rejected, TrackerError
from policies.changes import UpsertComment, UpsertReport

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from connectors.gitlab.client import GitLabClient
    from connectors.gitlab.server import Server
    from connectors.work import Work, Worked
    from policies.issue import Issue


class Writes:
    """Carries work out. Labels and people are looked up once. Several threads may have work carried out at once."""

    def __init__(self, client: GitLabClient, server: Server, retry: Retry | None = None) -> None:
        self._client = client
        self._server = server
        self._retry = retry or Retry()
        self._labels = LabelIds(client)
        self._people = People(client)
        self._targets = LinkTargets(client, server)
        self._looking = threading.Lock()
        self._looked = False

    def perform(self, work: Sequence[Work], now: datetime) -> Iterator[Worked]:
        """As the port's ``TrackerWriter.perform``."""
        with self._looking:
            if not self._looked:
                # The first finds out for all. What goes wrong here each piece of work is told by itself.
                self._looked = True
                with suppress(TrackerError):
                    self._server.generation()
        notes = OurNotes(self._client, self._server)
        asks = Asks(self._client, self._labels, self._people, notes, self._targets)
        batch = Batch(self._client, asks, notes, self._retry)
        rest = RestWrites(self._client, self._people, notes, self._targets)
        reports = Reports(self._client, self._server)
        yield from _Performance(self._client, self._server, notes, batch, rest, reports).of(work, now)


class _Performance:
    """Work carried out in one thread."""

    def __init__(
        self, client: GitLabClient, server: Server, notes: OurNotes, batch: Batch, rest: RestWrites, reports: Reports
    ) -> None:
        self._client = client
        self._server = server
        self._notes = notes
        self._batch = batch
        self._rest = rest
        self._reports = reports

    def of(self, work: Sequence[Work], now: datetime) -> Iterator[Worked]:
        for start in range(0, len(work), AT_ONCE):
            tasks = [Task(piece, now) for piece in work[start : start + AT_ONCE]]
            self._prepared(tasks)
            for first in range(0, len(tasks), ISSUES):
                yield from self._carried_out(tasks[first : first + ISSUES])

    def _prepared(self, tasks: Sequence[Task]) -> None:
        edited = [task.issue for task in tasks if task.issue is not None and _edits(task.issue, task.work)]
        if edited and self._by_graphql(tasks):
            try:
                self._notes.look_up(edited)
            except SchemaDiffers:
                self._server.fall_back()

    def _carried_out(self, tasks: Sequence[Task]) -> Iterator[Worked]:
        several = [task for task in tasks if task.issue is not None and not _reports(task.work)]
        if several and self._by_graphql(several):
            try:
                self._batch.carry_out(several)
            except SchemaDiffers:
                self._server.fall_back()
        for number, task in enumerate(tasks, 1):
            self._finish(task)
            known = number < len(tasks) and not tasks[number].parts()
            yield task.worked(next_known=known)

    def _finish(self, task: Task) -> None:
        """All that is left of it, if anything is."""
        while parts := task.parts():
            for part in parts:
                if task.over:
                    break
                if isinstance(part.changes[0], UpsertReport):
                    self._reports.carry_out(task, part)
                elif task.issue is None:
                    why = Rejected("no issue to do it on", tracker=self._client.name, doing=part.changes[0].kind)
                    task.failed(part, why)
                else:
                    self._rest.carry_out(task, part)

    def _by_graphql(self, tasks: Sequence[Task]) -> bool:
        try:
            return self._server.generation() is Generation.WORK_ITEMS
        except TrackerError as error:
            for task in tasks:
                for part in task.parts():
                    task.failed(part, error)
            return False


def _edits(issue: Issue, work: Work) -> bool:
    return any(isinstance(change, UpsertComment) and change.standing(issue) for change in work.changes)


def _reports(work: Work) -> bool:
    return any(isinstance(change, UpsertReport) for change in work.changes)
