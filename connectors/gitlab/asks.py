"""What is asked of GraphQL for a part of a task, and what its answer says of it.

Rules:

1. Labels are added and removed by id, both lists given: scoped labels exclude each other on paid tiers only.
2. Done is what GitLab shows afterwards: it drops what an account may not set, or a person who is no member, without a
   word. Where labels are not as they should be, their ids are looked up anew once, and a wrong one is taken off again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from connectors.gitlab import mapping
from connectors.gitlab.connection import nodes
from connectors.gitlab.mutations import Verb
from connectors.gitlab.our_notes import marked
from connectors.gitlab.payload import one, text_of
from connectors.gitlab.refusals import left_as_before, no_priority
from connectors.gitlab.task import Part
from connectors.tracker import TrackerError
from policies.changes import Change, Relabel, SetAssignee, SetDueDate, SetPriority, UpsertComment, UpsertLink
from policies.issue_link import LinkKind
from policies.receipt import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connectors.gitlab.client import GitLabClient
    from connectors.gitlab.label_ids import LabelIds
    from connectors.gitlab.link_targets import LinkTargets
    from connectors.gitlab.our_notes import OurNote, OurNotes
    from connectors.gitlab.payload import Payload
    from connectors.gitlab.people import People
    from connectors.gitlab.task import Task
    from policies.issue import Issue, IssueRef

_LABELS_SHOWN = 100
_LINK_TYPES = {LinkKind.RELATES: "RELATED", LinkKind.BLOCKS: "BLOCKS", LinkKind.BLOCKED_BY: "BLOCKED_BY"}

_WIDGETS = {Relabel: "LABELS", SetDueDate: "START_AND_DUE_DATE", SetAssignee: "ASSIGNEES"}


@dataclass(frozen=True, slots=True)
class Ask:
    """One alias.

    Attributes:
        input: its variable.
        prior, made: of a note: what stood there, and the id of the one that is edited.
        tries: how often it was sent without its outcome being known.
    """

    task: Task
    part: Part
    verb: Verb
    input: Mapping[str, Any]
    prior: Mapping[str, Any] | None = None
    made: str = ""
    tries: int = 0

    @property
    def issue(self) -> Issue:
        assert self.task.issue is not None
        return self.task.issue

    @property
    def doing(self) -> str:
        return doing(self.issue.ref, *self.part.changes)

    @property
    def widgets(self) -> frozenset[str]:
        """Types of those that it changes."""
        return frozenset(_WIDGETS[type(change)] for change in self.part.changes if self.verb is Verb.UPDATE)

    def failed(self, why: TrackerError) -> None:
        self.task.failed(self.part, why)


class Asks:
    """Puts parts of tasks into GraphQL's words."""

    def __init__(
        self, client: GitLabClient, labels: LabelIds, people: People, notes: OurNotes, targets: LinkTargets
    ) -> None:
        self._client = client
        self._labels = labels
        self._people = people
        self._notes = notes
        self._targets = targets

    def of(self, task: Task, part: Part) -> Ask | None:
        """The alias; None where the task knows already what became of the part."""
        assert task.issue is not None
        try:
            match part.changes[0]:
                case UpsertComment() as comment:
                    return self.note(task, part, self._notes.standing(task.issue, comment))
                case UpsertLink() as link:
                    target = self._targets.gid(link, doing(task.issue.ref, link))
                    type_ = _LINK_TYPES[self._targets.kind(link)]
                    ask = {"id": _gid(task.issue), "linkType": type_, "workItemsIds": [target]}
                    return Ask(task, part, Verb.LINK, ask)
                case SetPriority() as priority:
                    raise no_priority(self._client.name, doing(task.issue.ref, priority))
                case _:
                    return self._fields(task, part)
        except TrackerError as error:
            task.failed(part, error)
            return None

    def note(self, task: Task, part: Part, standing: OurNote | None) -> Ask:
        """The note edited, or made where none stands."""
        (change,) = part.changes
        assert isinstance(change, UpsertComment)
        assert task.issue is not None
        body = marked(change)
        if standing is not None:
            prior = {"comment": standing.id, "text": standing.body}
            return Ask(task, part, Verb.EDIT_NOTE, {"id": standing.gid, "body": body}, prior, standing.id)
        ask = {"noteableId": _gid(task.issue), "body": body, "internal": change.internal}
        return Ask(task, part, Verb.CREATE_NOTE, ask, {"comment": None})

    def _fields(self, task: Task, part: Part) -> Ask | None:
        """Those fields that can be asked for; of the others the task is told."""
        assert task.issue is not None
        asked: dict[str, Any] = {}
        kept: list[Part] = []
        for single in part.each():
            try:
                widget = self._widget(task, task.issue, single.changes[0])
            except TrackerError as error:
                task.failed(single, error)
                continue
            if widget:
                asked |= widget
                kept.append(single)
            else:
                task.done(single)
        if not kept:
            return None
        rest = part
        if len(kept) < len(part.changes):
            rest = Part(tuple(each.places[0] for each in kept), tuple(each.changes[0] for each in kept))
        return Ask(task, rest, Verb.UPDATE, {"id": _gid(task.issue), **asked})

    def _widget(self, task: Task, issue: Issue, change: Change) -> dict[str, Any]:
        """The part of the input for one field; {} where there is nothing to be done."""
        match change:
            case Relabel():
                add = self._labels.to_add(issue.ref.project, task.wanted(change).add)
                remove = self._labels.to_remove(issue.ref.project, change.remove)
                return {"labelsWidget": {"addLabelIds": add, "removeLabelIds": remove}} if add or remove else {}
            case SetDueDate():
                day = change.due.isoformat() if change.due else None
                return {"startAndDueDateWidget": {"dueDate": day, "isFixed": True}}
            case SetAssignee():
                person = self._people.number(change.account, doing(issue.ref, change))
                return {"assigneesWidget": {"assigneeIds": [f"gid://gitlab/User/{person}"]}}
            case _:
                raise AssertionError(f"{change.kind} is no field")

    # --------------------------------------------------------------------------------------------------------- answers

    def settled(self, ask: Ask, answer: Payload) -> Ask | None:
        """Tell the task what an answer without errors shows. What is to be sent once more, None for nothing."""
        if ask.verb is Verb.LINK:
            ask.task.done(ask.part)
        elif ask.verb is Verb.UPDATE:
            return self._left(ask, mapping.widgets(one(answer.get("workItem"))))
        elif ask.verb is Verb.EDIT_NOTE:
            ask.task.done(ask.part, ask.prior, made=ask.made)
        else:
            (change,) = ask.part.changes
            assert isinstance(change, UpsertComment)
            try:
                made = self._notes.checked(ask.issue.ref, one(answer.get("note")), change)
            except TrackerError as error:
                ask.failed(error)
            else:
                ask.task.done(ask.part, ask.prior, made=made)
        return None

    def as_related(self, ask: Ask, said: str) -> Ask | None:
        """A link of another kind, where it is refused because the tier has only one; None where that is not why."""
        (change,) = ask.part.changes
        assert isinstance(change, UpsertLink)
        if ask.input["linkType"] == "RELATED" or not self._targets.unlicensed(change.link_kind, said):
            return None
        return self.of(ask.task, ask.part)

    def already_there(self, ask: Ask) -> None:
        """A link that stood there."""
        (change,) = ask.part.changes
        assert isinstance(change, UpsertLink)
        ask.task.done(ask.part, {"link": change.url}, outcome=Outcome.ALREADY_SO)

    def _left(self, ask: Ask, widgets: Mapping[str, Payload]) -> Ask | None:
        again: Ask | None = None
        for single in ask.part.each():
            (change,) = single.changes
            wanted = ask.task.wanted(change) if isinstance(change, Relabel) else change
            if _agrees(wanted, widgets) and not self._wrong(ask, change, widgets):
                ask.task.done(single)
            elif isinstance(change, Relabel) and ask.tries == 0:
                again = self._relabelled(ask, single, change)
            else:
                ask.task.failed(single, left_as_before(self._client.name, change, doing(ask.issue.ref, change)))
        return again

    def _relabelled(self, ask: Ask, part: Part, change: Relabel) -> Ask | None:
        project = ask.issue.ref.project
        self._labels.forget(project)
        wanted, had = ask.task.wanted(change), ask.issue.labels
        try:
            names = {gid: self._labels.name(project, gid) for gid in ask.input["labelsWidget"]["addLabelIds"]}
            wrong = [gid for gid, name in names.items() if name and name not in wanted.add and name not in had]
            add = self._labels.to_add(project, wanted.add)
            remove = [*dict.fromkeys([*self._labels.to_remove(project, wanted.remove), *wrong])]
        except TrackerError as error:
            ask.task.failed(part, error)
            return None
        if not add and not remove:
            ask.task.done(part)
            return None
        widget = {"addLabelIds": add, "removeLabelIds": remove}
        return Ask(ask.task, part, Verb.UPDATE, {"id": _gid(ask.issue), "labelsWidget": widget}, tries=1)

    def _wrong(self, ask: Ask, change: Change, widgets: Mapping[str, Payload]) -> bool:
        """Whether a label stands there that says of an assignment that it was made, though GitLab dropped it."""
        if not isinstance(change, Relabel):
            return False
        wanted = ask.task.wanted(change)
        if wanted is change:
            return False
        said = set(change.add).difference(wanted.add, ask.issue.labels)
        return any(label.get("title") in said for label in nodes(widgets.get("LABELS", {}).get("labels")))


def doing(ref: IssueRef, *changes: Change) -> str:
    """What is being done, as it reads in an error."""
    if len(changes) > 1:
        return f"change {ref.key}"
    match changes[0]:
        case Relabel():
            return f"label {ref.key}"
        case SetDueDate():
            return f"set the due date of {ref.key}"
        case SetAssignee() as change:
            return f"assign {ref.key} to {change.account}"
        case SetPriority():
            return f"set a priority on {ref.key}"
        case UpsertLink() as change:
            return f"link {ref.key} to {change.title}"
        case _:
            return f"comment on {ref.key}"


def _gid(issue: Issue) -> str:
    return f"gid://gitlab/WorkItem/{issue.ref.id}"


def _agrees(change: Change, widgets: Mapping[str, Payload]) -> bool:
    match change:
        case Relabel():
            titles = [label.get("title") for label in nodes(widgets.get("LABELS", {}).get("labels"))]
            if len(titles) >= _LABELS_SHOWN:
                # Some are not shown.
                return not set(change.remove) & set(titles)
            return change_agrees(change, titles)
        case SetDueDate():
            due = text_of(widgets.get("START_AND_DUE_DATE", {}).get("dueDate"))[:10]
            return due == (change.due.isoformat() if change.due else "")
        case SetAssignee():
            people = nodes(widgets.get("ASSIGNEES", {}).get("assignees"))
            return change.account.lower() in {text_of(who.get("username")).lower() for who in people}
        case _:
            raise AssertionError(f"{change.kind} is no field")


def change_agrees(change: Relabel, labels: list[Any]) -> bool:
    return set(change.add) <= set(labels) and not set(change.remove) & set(labels)
