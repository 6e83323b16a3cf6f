"""All changes of one issue in one edit.

Rules:

1. Links go first, each in one request, because a label of the edit may prove them. What proves a thing that failed is
   not sent: with a link all labels stay away, with an assignee the one that says so, and the others are written.
2. An edit is done as a whole or not at all. Fields that Jira names in a refusal fail alone, and the rest is sent again
   without them; where it names none, each part is sent alone.
3. An edit that adds a comment is not sent again blindly: the comment is looked for first, and left out if it stands.
4. A comment goes by itself where there is nothing else to send, where the screen does not take it, or where it was the
   comment that was refused: that asks for fewer rights, and the answer says its id.
5. Each change gets one receipt. No answer, no log-in, a quota or an issue that is gone end the changes of the issue;
   a refusal ends only what it is about.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from connectors.jira import links
from connectors.jira.comments import PERHAPS_DONE, Comments, shown_by
from connectors.jira.done import Done
from connectors.jira.parts import Before, Part, Parts, body_of
from connectors.jira.refusals import FieldsRefused
from connectors.jira.rights import Rights
from connectors.jira.screens import Screens
from connectors.jira.server import JiraServer
from connectors.retry import Kind, Retry
from connectors.tracker import AnswerLate, PermissionRefused, Rejected, ServerFailed, TrackerError
from connectors.work import Worked, one_line
from policies.changes import Change, Mark, Relabel, SetAssignee, UpsertComment, UpsertLink
from policies.issue import Issue
from policies.receipt import Outcome, Receipt

# What a refusal is about, and nothing else of the issue.
_REFUSED = (Rejected, PermissionRefused)
_SENDINGS = 3


@dataclass(slots=True)
class Course:
    """How far the changes of one issue have come. Attributes: receipts, failures: by the place of their change."""

    issue: Issue
    changes: tuple[Change, ...]
    now: datetime
    receipts: dict[int, Receipt] = field(default_factory=dict)
    failures: dict[int, TrackerError] = field(default_factory=dict)

    def done(self, place: int, done: Done) -> None:
        self.receipts[place] = done.receipt(self.issue.ref, self.changes[place], self.now)

    def failed(self, place: int, failure: TrackerError) -> None:
        self.failures[place] = failure
        self._not_done(place, Outcome.FAILED, one_line(failure))

    def _not_done(self, place: int, outcome: Outcome, why: str) -> None:
        change = self.changes[place]
        self.receipts[place] = Receipt(issue=self.issue.ref, change=change, outcome=outcome, at=self.now, error=why)

    def stands(self, place: int) -> bool:
        """Whether a change may be sent: nothing that it proves has failed. If not, its receipt says so."""
        change = self.changes[place]
        proven = set(change.add) if isinstance(change, Relabel) else set()
        for other, failure in self.failures.items():
            link = self.changes[other]
            if isinstance(link, UpsertLink) and link.proof in proven:
                why = f"the label {link.proof} proves a link that could not be made: {one_line(failure)}"
                self._not_done(place, Outcome.NOT_TRIED, why)
                return False
        return True

    def trimmed(self, parts: Sequence[Part]) -> tuple[list[Part], dict[int, TrackerError]]:
        """The parts without the labels that prove an assignment that has failed; and, of what is left of those, why.

        A part of which nothing is left has failed.
        """
        whole: list[Part] = []
        untold: dict[int, TrackerError] = {}
        for part in parts:
            unproven = {
                assigned.proof: failure
                for other, failure in self.failures.items()
                if isinstance(assigned := self.changes[other], SetAssignee) and {"add": assigned.proof} in part.steps
            }
            left = tuple(step for step in part.steps if not (part.field == "labels" and step.get("add") in unproven))
            for label, failure in unproven.items():
                told = f"all but the label {label}, which proves an assignment that could not be made"
                untold[part.place] = Rejected(f"{told}: {one_line(failure)}")
            if unproven and not left:
                self.failed(part.place, untold.pop(part.place))
            else:
                whole.append(replace(part, steps=left))
        return whole, untold

    def worked(self, end: TrackerError | None) -> Worked:
        """What became of it all. Args: end: what ended it early."""
        for place in range(len(self.changes)):
            if place in self.receipts:
                continue
            if end is not None and end not in self.failures.values():
                self.failed(place, end)
            else:
                why = f"an earlier change of this issue failed: {one_line(end)}" if end else ""
                self._not_done(place, Outcome.NOT_TRIED, why)
        first = next((self.failures[place] for place in sorted(self.failures)), None)
        return Worked(tuple(self.receipts[place] for place in range(len(self.changes))), end or first)


class Editor:
    """Edits issues of one server, each in as few requests as it takes."""

    def __init__(self, server: JiraServer, retry: Retry) -> None:
        self._server = server
        self._retry = retry
        self.rights = Rights(server)
        self.screens = Screens(server)
        self._comments = Comments(server, self.rights)
        self.parts = Parts(server, self.screens, self._comments)

    def perform(self, issue: Issue, changes: Sequence[Change], now: datetime) -> Worked:
        """Carry out the changes of an issue as it was read."""
        course = Course(issue, tuple(changes), now)
        try:
            # Whose comments are ours, and which API is spoken.
            _ = self._server.account
            self._link(course)
            for batch in _batches(self._prepared(course)):
                self._send([part for part in batch if course.stands(part.place)], course)
        except TrackerError as failure:
            return course.worked(failure)
        return course.worked(None)

    def _link(self, course: Course) -> None:
        for place, change in enumerate(course.changes):
            if isinstance(change, UpsertLink):
                with _telling(course, place):
                    course.done(place, links.upsert(self._server, course.issue, change))

    def _prepared(self, course: Course) -> list[Part]:
        """The parts of the edit, all checked before any is sent."""
        before = Before.of(course.issue)
        found: list[Part] = []
        for place, change in enumerate(course.changes):
            if isinstance(change, UpsertLink):
                continue
            with _telling(course, place):
                part = self.parts.of(course.issue, place, change, before)
                if isinstance(part, Part):
                    found.append(part)
                else:
                    course.done(place, part)
        return found

    # --------------------------------------------------------------------------------------------------------- sending

    def _send(self, parts: list[Part], course: Course) -> None:
        """The parts, in one edit if Jira takes it."""
        inside: list[Part] = []
        for part in parts:
            if isinstance(part.change, UpsertComment) and (len(parts) == 1 or not self._fits(part, course.issue)):
                self._write_comment(part, part.change, course)
            else:
                inside.append(part)
        while inside:
            try:
                self._put(inside, course)
            except _REFUSED as refusal:
                inside = self._without(refusal, inside, course)
            else:
                return

    def _fits(self, part: Part, issue: Issue) -> bool:
        return self.screens.of(issue).comments_by("edit" if part.standing else "add")

    def _without(self, refusal: TrackerError, parts: list[Part], course: Course) -> list[Part]:
        """What is left to send after a refusal, once what it is about has been dealt with. At least one part less."""
        self.screens.doubt(course.issue)
        left = [part for part in parts if part.place not in course.receipts]
        refused = refusal.blamed if isinstance(refusal, FieldsRefused) else {}
        blamed = [part for part in left if part.field in refused]
        if not blamed and isinstance(refusal, PermissionRefused):
            # To comment and to edit are two rights.
            comments = [part for part in left if part.field == "comment"]
            blamed = left if len(comments) in {0, len(left)} else comments
        if not blamed and len(left) > 1:
            for part in left:
                self._send([part], course)
            return []
        blamed = blamed or left
        for part in blamed:
            if isinstance(part.change, UpsertComment) and len(parts) > 1:
                self._write_comment(part, part.change, course)
                continue
            course.failed(part.place, refusal.of(part.field) if isinstance(refusal, FieldsRefused) else refusal)
        return [part for part in left if part not in blamed]

    def _write_comment(self, part: Part, change: UpsertComment, course: Course) -> None:
        with _telling(course, part.place):
            course.done(part.place, self._comments.write(course.issue, change, part.standing))

    def _put(self, parts: list[Part], course: Course) -> None:
        """One edit, sent until it is known that it was done. Raises a refusal of the whole."""
        issue = course.issue
        parts, untold = course.trimmed(parts)
        if not parts:
            return
        for sending in range(1, _SENDINGS + 1):
            adds = [part for part in parts if part.adds_comment]
            try:
                answer = self._put_once(issue, parts, adds=bool(adds))
            except PERHAPS_DONE as lost:
                given_up = sending == _SENDINGS or self._asks_too_long(lost) or isinstance(lost, AnswerLate)
                if not adds or given_up:
                    self._all_failed(parts, lost, course)
                    raise
                try:
                    parts = self._still_to_send(parts, course)
                except TrackerError:
                    self._all_failed(parts, lost, course)
                    raise
                if not parts:
                    return
            except _REFUSED:
                raise
            except TrackerError as failure:
                self._all_failed(parts, failure, course)
                raise
            else:
                made = self._made(issue, answer) if adds else {}
                for part in parts:
                    marker = part.change.marker if isinstance(part.change, UpsertComment) else ""
                    course.done(part.place, part.done(made.get(marker, "") if part.adds_comment else ""))
                for place, why in untold.items():
                    course.failed(place, why)
                return

    def _put_once(self, issue: Issue, parts: list[Part], *, adds: bool) -> Any:
        # Cloud can show what it made, Data Center must be asked.
        shown: dict[str, str | int] = {"returnIssue": "true"} if adds and self._server.cloud else {}
        return self.rights.quietly(
            issue.ref.project,
            lambda quiet: self._server.client.call(
                "PUT",
                "issue/{key}",
                doing=f"edit {issue.ref.key}",
                kind=Kind.CREATE if adds else Kind.IDEMPOTENT,
                params=quiet | shown,
                body=body_of(parts),
                key=issue.ref.id,
            ),
        )

    def _asks_too_long(self, lost: TrackerError) -> bool:
        """Wait as a server that failed asks for, unless that is longer than a run may stand still."""
        wait = lost.retry_after if isinstance(lost, ServerFailed) else None
        if wait is not None and wait > self._retry.longest_wait_seconds:
            return True
        if wait:
            self._retry.sleep(wait)
        return False

    def _still_to_send(self, parts: list[Part], course: Course) -> list[Part]:
        """After an edit of unknown outcome: without the comments that stand by now. All else may be sent twice."""
        standing = self._comments.standing(course.issue)
        left: list[Part] = []
        for part in parts:
            change = part.change
            found = standing.get(change.marker) if isinstance(change, UpsertComment) and part.adds_comment else None
            if found is None or not isinstance(change, UpsertComment):
                left.append(part)
            elif Mark.found_in(found.text) == change.mark:
                course.done(part.place, part.done(found.comment))
            else:
                left.append(self.parts.with_comment(part, change, found))
        return left

    def _made(self, issue: Issue, answer: Any) -> dict[str, str]:
        """Ids of our comments by marker, from the answer or by asking. Nothing where that fails: the edit is done."""
        found = self._comments.ours(shown_by(answer))
        if not found:
            try:
                found = self._comments.standing(issue)
            except TrackerError:
                return {}
        return {marker: comment.comment for marker, comment in found.items()}

    def _all_failed(self, parts: list[Part], failure: TrackerError, course: Course) -> None:
        for part in parts:
            course.failed(part.place, failure)


@contextmanager
def _telling(course: Course, place: int) -> Iterator[None]:
    """A failure of one change goes into its receipt. A refusal ends there; any other goes up."""
    try:
        yield
    except TrackerError as failure:
        course.failed(place, failure)
        if not isinstance(failure, _REFUSED):
            raise


def _batches(parts: Sequence[Part]) -> Iterator[list[Part]]:
    """In order; a field that is set twice begins a new edit, as does a comment of the same marker."""
    batch: list[Part] = []
    taken: set[str] = set()
    for part in parts:
        claim = f"comment {part.change.marker}" if isinstance(part.change, UpsertComment) else part.field
        if claim in taken and claim != "labels":
            yield batch
            batch, taken = [], set()
        batch.append(part)
        taken.add(claim)
    if batch:
        yield batch
