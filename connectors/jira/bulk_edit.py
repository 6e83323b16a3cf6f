"""The same edit of many issues in one request (Jira Cloud: ``bulk/issues/fields``), for labels and priority.

Rules:

1. Only where many issues get exactly the same changes, and the account may change in bulk. Nobody gets mail.
2. Nothing is taken for done but what the finished task names as done. All else (a failed task, one that does not end, an
   issue it leaves out) is left to single edits: a label delta and a priority may be sent twice.
3. Labels to add and labels to remove are two requests: Jira takes one way to edit a field at a time.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from connectors.jira.edit import Editor
from connectors.jira.history import identifier
from connectors.jira.parts import Before, Part
from connectors.jira.server import JiraServer
from connectors.jira.text import received
from connectors.retry import Kind, Retry
from connectors.tracker import NotFound, PermissionRefused, Rejected, TrackerError
from connectors.work import Work, Worked
from policies.changes import Change, Relabel, SetPriority
from policies.issue import Issue

FEWEST = 20
"""Issues with the same changes from which on one request and its polling are less than single edits."""
MOST = 1_000
"""Issues that one request may name."""

_FIRST_WAIT = 1.0
_LONGEST_WAIT = 10.0
_ENDED_BADLY = frozenset({"FAILED", "CANCEL_REQUESTED", "CANCELLED", "DEAD"})

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Group:
    """Issues that get the same changes. Attributes: done: ids of those the bulk has edited; None before it was sent."""

    changes: tuple[Change, ...]
    issues: list[Issue] = field(default_factory=list)
    done: frozenset[str] | None = None


def groups(work: Sequence[Work]) -> dict[str, Group]:
    """Issue id -> its group, for those that have one."""
    alike: dict[tuple[Change, ...], list[Group]] = {}
    for piece in work:
        if piece.issue is not None and _simple(piece.changes):
            so_far = alike.setdefault(piece.changes, [Group(piece.changes)])
            if len(so_far[-1].issues) == MOST:
                so_far.append(Group(piece.changes))
            so_far[-1].issues.append(piece.issue)
    many = [group for found in alike.values() for group in found if len(group.issues) >= FEWEST]
    return {issue.ref.id: group for group in many for issue in group.issues}


def _simple(changes: Sequence[Change]) -> bool:
    kinds = [type(change) for change in changes]
    return set(kinds) <= {Relabel, SetPriority} and len(kinds) == len(set(kinds)) > 0


class BulkEditor:
    """Edits groups of issues of one server."""

    def __init__(self, server: JiraServer, editor: Editor, retry: Retry) -> None:
        self._server = server
        self._editor = editor
        self._retry = retry

    def perform(self, group: Group, issue: Issue, now: datetime) -> Worked | None:
        """What became of an issue of the group, whose bulk is sent with its first one; None: it is to be edited singly."""
        if group.done is None:
            group.done = self._edited(group)
        if issue.ref.id not in group.done:
            return None
        before = Before.of(issue)
        done = [self._editor.parts.of(issue, place, change, before) for place, change in enumerate(group.changes)]
        made = [part.done() if isinstance(part, Part) else part for part in done]
        return Worked(
            tuple(one.receipt(issue.ref, change, now) for one, change in zip(made, group.changes, strict=True))
        )

    def _edited(self, group: Group) -> frozenset[str]:
        """Ids of the issues that the bulk has edited. No error goes up: whom it concerns, single edits will meet it."""
        try:
            if not self._server.cloud or not self._editor.rights.bulk:
                return frozenset()
            alike = self._alike(group)
            if len(alike) < FEWEST:
                return frozenset()
            done = frozenset(alike)
            for edited in _edits(alike):
                done &= self._task(edited, sorted(done, key=lambda id_: (len(id_), id_)))
        except PermissionRefused:
            self._editor.rights.bulk_was_refused()
            return frozenset()
        except TrackerError as failure:
            _log.info("no bulk edit, so each of %d issues is edited by itself: %s", len(group.issues), failure)
            return frozenset()
        else:
            return done

    def _alike(self, group: Group) -> dict[str, list[Part]]:
        """Issue id -> the parts of its edit, for those on which they are the same as on most."""
        found: dict[str, list[Part]] = {}
        for issue in group.issues:
            before = Before.of(issue)
            try:
                parts = [
                    self._editor.parts.of(issue, place, change, before) for place, change in enumerate(group.changes)
                ]
            except (Rejected, NotFound):
                # It is told when the issue is edited by itself.
                continue
            if all(isinstance(part, Part) for part in parts):
                found[issue.ref.id] = [part for part in parts if isinstance(part, Part)]
        shapes = Counter(_shape(parts) for parts in found.values())
        usual = next((shape for shape, _ in shapes.most_common(1)), "")
        return {id_: parts for id_, parts in found.items() if _shape(parts) == usual}

    def _task(self, edited: Mapping[str, Any], ids: Sequence[str]) -> frozenset[str]:
        """Send one bulk edit and wait for its end. Ids it names as done."""
        if not ids:
            return frozenset()
        doing = f"edit {len(ids)} issues in bulk"
        body = {
            "selectedIssueIdsOrKeys": list(ids),
            "selectedActions": sorted("labels" if name == "labelsFields" else name for name in edited),
            "editedFieldsInput": edited,
            "sendBulkNotification": False,
        }
        answer = self._server.client.call("POST", "bulk/issues/fields", doing=doing, kind=Kind.CREATE, body=body)
        task = identifier(answer.get("taskId")) if isinstance(answer, Mapping) else ""
        if not task:
            raise self._server.client.bad_answer("the answer names no task", doing)
        return self._finished(task, doing) & frozenset(ids)

    def _finished(self, task: str, doing: str) -> frozenset[str]:
        wait, waited = _FIRST_WAIT, 0.0
        while True:
            progress = self._server.object("bulk/queue/{task}", doing=doing, task=task)
            status = received(progress.get("status"))
            if status == "COMPLETE":
                named = progress.get("processedAccessibleIssues")
                failed = progress.get("failedAccessibleIssues")
                done = frozenset(identifier(one) for one in named) if isinstance(named, list) else frozenset()
                return done - frozenset(failed if isinstance(failed, Mapping) else ())
            if status in _ENDED_BADLY or waited + wait > self._retry.patience_seconds:
                raise Rejected(
                    f"the task {task} is {status or 'of no known status'}",
                    tracker=self._server.client.name,
                    doing=doing,
                )
            self._retry.sleep(wait)
            waited += wait
            wait = min(_LONGEST_WAIT, wait * 2)


def _shape(parts: Sequence[Part]) -> str:
    return repr([(part.field, part.value, part.steps) for part in parts])


def _edits(alike: Mapping[str, Sequence[Part]]) -> list[dict[str, Any]]:
    """``editedFieldsInput`` of each request."""
    found: list[dict[str, Any]] = []
    for part in next(iter(alike.values()), ()):
        if part.field == "priority":
            found.append({"priority": {"priorityId": part.value["id"]}})
            continue
        for verb in ("add", "remove"):
            names = [{"name": step[verb]} for step in part.steps if verb in step]
            if names:
                one = {"fieldId": "labels", "bulkEditMultiSelectFieldOption": verb.upper(), "labels": names}
                found.append({"labelsFields": [one]})
    # A priority goes along with the first labels.
    merged: list[dict[str, Any]] = []
    for edited in found:
        if merged and not merged[0].keys() & edited.keys():
            merged[0] |= edited
        else:
            merged.append(edited)
    return merged
