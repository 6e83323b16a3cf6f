"""The changes of an issue by REST, for servers without work item mutations: one PUT for its fields, one request a note.

Rules:

1. Labels are deltas, both lists given: scoped labels exclude each other on paid tiers only.
2. A note is made once: where a try ended without a clear answer, its mark is looked for first.
3. Done is what GitLab shows afterwards, not what it answered without an error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connectors.gitlab.asks import change_agrees, doing
from connectors.gitlab.client import AlreadyThere
from connectors.gitlab.our_notes import PERHAPS_DONE, issue_path, marked
from connectors.gitlab.payload import objects, one, several, text_of
from connectors.gitlab.refusals import left_as_before, no_priority
from connectors.retry import Kind
from connectors.tracker import AnswerLate, NotFound, PermissionRefused, Rejected, TrackerError
from policies.changes import Change, Mark, Relabel, SetAssignee, SetDueDate, SetPriority, UpsertComment, UpsertLink
from policies.issue_link import LinkKind
from policies.receipt import Outcome

if TYPE_CHECKING:
    from connectors.gitlab.client import GitLabClient
    from connectors.gitlab.link_targets import LinkTargets
    from connectors.gitlab.our_notes import OurNotes
    from connectors.gitlab.payload import Payload
    from connectors.gitlab.people import People
    from connectors.gitlab.task import Part, Task
    from policies.issue import Issue

_LINK_TYPES = {LinkKind.RELATES: "relates_to", LinkKind.BLOCKS: "blocks", LinkKind.BLOCKED_BY: "is_blocked_by"}


class RestWrites:
    """Carries out one part of one task after the other."""

    def __init__(self, client: GitLabClient, people: People, notes: OurNotes, targets: LinkTargets) -> None:
        self._client = client
        self._people = people
        self._notes = notes
        self._targets = targets

    def carry_out(self, task: Task, part: Part) -> None:
        """Tell the task what became of it."""
        assert task.issue is not None
        try:
            match part.changes[0]:
                case UpsertComment() as comment:
                    self._comment(task, part, task.issue, comment)
                case UpsertLink() as link:
                    self._link(task, part, task.issue, link)
                case SetPriority() as priority:
                    raise no_priority(self._client.name, doing(task.issue.ref, priority))
                case _:
                    self._fields(task, part, task.issue)
        except TrackerError as error:
            task.failed(part, error)

    # --------------------------------------------------------------------------------------------------------- fields

    def _fields(self, task: Task, part: Part, issue: Issue) -> None:
        body: dict[str, Any] = {}
        asked: list[Part] = []
        for single in part.each():
            try:
                body |= self._field(task, issue, single.changes[0])
            except TrackerError as error:
                task.failed(single, error)
            else:
                asked.append(single)
        if not body:
            # Nothing to be done, or nothing that can be.
            for single in asked:
                task.done(single)
            return
        changes = [single.changes[0] for single in asked]
        sent = [_wanted(task, change) for change in changes]
        try:
            left = one(self._client.rest("PUT", issue_path(issue.ref), doing=doing(issue.ref, *changes), body=body))
        except Rejected as error:
            if len(asked) == 1:
                task.failed(asked[0], error)
                return
            # All of it was refused; which field is at fault tells each by itself.
            for single in asked:
                self._fields(task, single, issue)
            return
        except TrackerError as error:
            for single in asked:
                task.failed(single, error)
            return
        for single in asked:
            (change,) = single.changes
            wanted = _wanted(task, change)
            if wanted not in sent:
                # The assignment was dropped without a word, and one of these labels says that it was made.
                self._fields(task, single, issue)
            elif _agrees(wanted, left):
                task.done(single)
            else:
                task.failed(single, left_as_before(self._client.name, change, doing(issue.ref, change)))

    def _field(self, task: Task, issue: Issue, change: Change) -> dict[str, Any]:
        match change:
            case Relabel():
                if any("," in name for name in (*change.add, *change.remove)):
                    detail, advice = "a label's name may hold no comma", "Rename the label in the pack"
                    raise Rejected(detail, tracker=self._client.name, doing=doing(issue.ref, change), advice=advice)
                add = task.wanted(change).add
                # It may have gone out together with the assignment that GitLab then dropped.
                untrue = set(change.add).difference(add, issue.labels)
                lists = {"add_labels": ",".join(add), "remove_labels": ",".join((*change.remove, *sorted(untrue)))}
                return {name: listed for name, listed in lists.items() if listed}
            case SetDueDate():
                return {"due_date": change.due.isoformat() if change.due else ""}
            case SetAssignee():
                return {"assignee_ids": [int(self._people.number(change.account, doing(issue.ref, change)))]}
            case _:
                raise AssertionError(f"{change.kind} is no field")

    # ---------------------------------------------------------------------------------------------------------- notes

    def _comment(self, task: Task, part: Part, issue: Issue, change: UpsertComment) -> None:
        body = marked(change)
        standing = self._notes.standing(issue, change)
        if standing is not None:
            try:
                self._edit(issue, standing.id, body)
            except NotFound:
                # Somebody deleted it since it was read, or the issue is gone: what follows tells which.
                pass
            else:
                task.done(part, {"comment": standing.id, "text": standing.body}, made=standing.id)
                return
        task.done(part, {"comment": None}, made=self._write(issue, change, body))

    def _write(self, issue: Issue, change: UpsertComment, body: str) -> str:
        try:
            return self._create(issue, change, body)
        except AnswerLate:
            # It may be made yet: the next run sees.
            raise
        except PERHAPS_DONE:
            found = self._notes.left(issue.ref, change)
            if found is None:
                return self._create(issue, change, body)
            made = self._notes.checked(issue.ref, {"id": found.gid, "internal": found.internal}, change)
            if Mark.found_in(found.body) != change.mark:
                self._edit(issue, found.id, body)
            return made

    def _create(self, issue: Issue, change: UpsertComment, body: str) -> str:
        ask = {"body": body, "internal": change.internal}
        made = self._client.rest("POST", f"{issue_path(issue.ref)}/notes", doing=doing(issue.ref, change), body=ask)
        return self._notes.checked(issue.ref, one(made), change)

    def _edit(self, issue: Issue, note: str, body: str) -> None:
        path = f"{issue_path(issue.ref)}/notes/{note}"
        self._client.rest("PUT", path, doing=f"comment on {issue.ref.key}", body={"body": body})

    # ---------------------------------------------------------------------------------------------------------- links

    def _link(self, task: Task, part: Part, issue: Issue, change: UpsertLink) -> None:
        path, iid = self._targets.place(change, doing(issue.ref, change))
        kind = self._targets.kind(change)
        body = {"target_project_id": path, "target_issue_iid": iid, "link_type": _LINK_TYPES[kind]}
        try:
            # A pair that is linked is refused, so asking again makes no second link.
            self._client.rest(
                "POST",
                f"{issue_path(issue.ref)}/links",
                doing=doing(issue.ref, change),
                body=body,
                kind=Kind.IDEMPOTENT,
            )
        except AlreadyThere:
            task.done(part, {"link": change.url}, outcome=Outcome.ALREADY_SO)
        except PermissionRefused as error:
            if not self._targets.unlicensed(kind, error.detail):
                raise
            self._link(task, part, issue, change)
        else:
            task.done(part)


def _wanted(task: Task, change: Change) -> Change:
    return task.wanted(change) if isinstance(change, Relabel) else change


def _agrees(change: Change, left: Payload) -> bool:
    match change:
        case Relabel():
            return change_agrees(change, several(left.get("labels")))
        case SetDueDate():
            return (left.get("due_date") or None) == (change.due.isoformat() if change.due else None)
        case SetAssignee():
            people = {text_of(who.get("username")).lower() for who in objects(left.get("assignees"))}
            return change.account.lower() in people
        case _:
            raise AssertionError(f"{change.kind} is no field")
