"""What happened to an issue, told as GitLab tells it: resource events, system notes, and what is merged from both.

Rules:

1. GitLab keeps three kinds of history apart: label, state and milestone events (each with its own REST list), system
   notes (in the notes list), and comments. Only ``discussions(filter: ALL_NOTES)`` of a work item merges all of them,
   with the events shown as synthetic notes.
2. A synthetic label note names labels by id. Labels that are no longer there are counted, and however many, as one.
3. The opening of an issue is no state event. Labels, assignees, a milestone and a due date it was born with do show.
4. Everything here is derived from the issue's history in the store: same history, same ids, same words.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Literal

from connectors.sandbox.projection import LABELS_AT_BIRTH

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from connectors.sandbox.nouns import Comment, History, Issue, Item, Label, MergeRequest, Project, User

Kind = Literal["comment", "system", "label", "state", "milestone", "weight"]

SYNTHETIC = frozenset({"label", "state", "milestone", "weight"})
"""Kinds that are events, kept apart from notes, and shown as notes only where all is merged."""

# Ids of what is derived must not meet the ids of what was written: notes, system notes and events share one number space.
# Within an instant ids say what came first: what an issue was born with, mentions of it, what changed.
_AT_BIRTH, _MENTIONED, _CHANGED = 10_000_000_000, 500_000_000_000, 1_000_000_000_000
_PER_ENTRY = 1_000
Told = dict[str, Any]
"""What a note tells, as arguments of ``Note``: all but its id, instant and author."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """One thing in an issue's thread.

    Attributes:
        id: number; for events, the first of the event's ids.
        author: account id in the store, "" where nobody is named.
        action: what ``systemNoteMetadata`` calls it; "" for a comment.
        added, removed: names of labels (kind ``label``).
        state: ``closed`` or ``reopened`` (kind ``state``). request: iid of the merge request that did it.
        milestone: id (kind ``milestone``); ``action_taken`` is then ``add`` or ``remove``.
        weight: since then, None for none (kind ``weight``).
        comment: the comment itself (kind ``comment``).
    """

    id: int
    at: datetime
    author: str
    kind: Kind
    body: str
    action: str = ""
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    state: str = ""
    request: int | None = None
    milestone: int | None = None
    weight: int | None = None
    action_taken: str = ""
    comment: Comment | None = None

    @property
    def discussion(self) -> str:
        """The 40 hexadecimal digits of the thread it opens."""
        return hashlib.sha1(f"{self.kind}:{self.id}".encode(), usedforsecurity=False).hexdigest()


def thread(issue: Issue, project: Project, users: Mapping[str, User], closing: Sequence[MergeRequest]) -> list[Note]:
    """Everything that happened, oldest first: comments, system notes and events as synthetic notes.

    Args:
        closing: the merge requests that close the issue; each left a mention on it.
    """
    comments = map(written, issue.comments)
    derived = (*_birth(issue, project, users), *_changes(issue, project, users), *_mentions(issue, closing))
    return sorted((*comments, *derived), key=lambda note: (note.at, note.id))


def latest(notes: Sequence[Note], keep: int | None) -> list[Note]:
    """The comments, and of what else happened only the latest ``keep`` (None: all)."""
    if keep is None:
        return list(notes)
    derived = [note.id for note in notes if note.kind != "comment"]
    shown = set(derived[-keep:] if keep else ())
    return [note for note in notes if note.kind == "comment" or note.id in shown]


def label_named(project: Project, name: str, at: datetime) -> Label | None:
    """The label that bore a name at an instant, None if it is no longer there."""
    now = project.labels.get(name)
    if now is not None and (now.created is None or now.created <= at):
        return now
    for label in project.labels.values():
        if (label.name == name or name in label.former) and (label.created is None or label.created <= at):
            return label
    return None


def label_body(note: Note, project: Project) -> str:
    """The words of a synthetic label note: ``added ~123 ~456 labels and removed ~7 + 1 deleted label``."""
    halves = [
        _labels("added", [label_named(project, name, note.at) for name in note.added]),
        _labels("removed", [label_named(project, name, note.at) for name in note.removed]),
    ]
    return " and ".join(half for half in halves if half)


def _labels(verb: str, labels: Sequence[Label | None]) -> str:
    if not labels:
        return ""
    known = [f"~{label.id}" for label in sorted(filter(None, labels), key=lambda label: label.name)]
    # The vendor counts references without repeats, and those of deleted labels are all the same empty text.
    gone = int(len(known) < len(labels))
    listed = " + ".join(part for part in (" ".join(known), f"{gone} deleted" if gone else "") if part)
    return f"{verb} {listed} label{'s' if (gone or len(known)) != 1 else ''}"


def written(comment: Comment) -> Note:
    """A comment's place in the thread."""
    body = comment.body if isinstance(comment.body, str) else ""
    return Note(
        id=int(comment.id), at=comment.created, author=comment.author, kind="comment", body=body, comment=comment
    )


def _birth(issue: Issue, project: Project, users: Mapping[str, User]) -> Iterator[Note]:
    """What the issue was created with: the first ``before`` of each field, or its present value if it never changed."""
    first: dict[str, Any] = {}
    if LABELS_AT_BIRTH in issue.extra:
        first["labels"] = issue.extra[LABELS_AT_BIRTH]
    for entry in issue.history:
        for item in entry.items:
            first.setdefault(item.field, item.before)
    at_birth = {
        name: first.get(name, getattr(issue, name)) for name in ("labels", "milestone", "assignees", "due", "weight")
    }
    nothing: dict[str, Any] = {"labels": [], "milestone": None, "assignees": [], "due": None, "weight": None}
    number = _AT_BIRTH + int(issue.id) * _PER_ENTRY
    for name, after in at_birth.items():
        for told in _told(name, nothing[name], after, project, users):
            yield Note(id=number, at=issue.created, author=issue.reporter, **told)
            number += 50


def _changes(issue: Issue, project: Project, users: Mapping[str, User]) -> Iterator[Note]:
    for entry in issue.history:
        number = _CHANGED + entry.id * _PER_ENTRY
        for item in entry.items:
            for told in _item(entry, item, project, users):
                yield Note(id=number, at=entry.at, author=entry.actor, **told)
                number += max(1, len(told.get("added", ())) + len(told.get("removed", ())))


def _mentions(issue: Issue, closing: Sequence[MergeRequest]) -> Iterator[Note]:
    for request in closing:
        if request.created >= issue.created:
            yield Note(
                id=_MENTIONED + request.id * _PER_ENTRY + issue.number % _PER_ENTRY,
                at=request.created,
                author=request.author,
                kind="system",
                action="cross_reference",
                body=f"mentioned in merge request !{request.iid}",
            )


def _item(entry: History, item: Item, project: Project, users: Mapping[str, User]) -> Iterator[Told]:
    if item.field == "status":
        request = (entry.metadata or {}).get("merge_request")
        closed = item.after == "closed"
        by = f" with merge request !{request}" if closed and request is not None else ""
        yield _blank(
            "state",
            action="closed" if closed else "opened",
            body=f"closed{by}" if closed else "reopened",
            state="closed" if closed else "reopened",
            request=request if closed else None,
        )
    else:
        yield from _told(item.field, item.before, item.after, project, users)


def _told(field: str, before: Any, after: Any, project: Project, users: Mapping[str, User]) -> Iterator[Told]:
    """The note that GitLab leaves for a change of one field; nothing where it leaves none."""
    if before == after:
        return
    if field == "labels":
        added = tuple(name for name in after if name not in before)
        removed = tuple(name for name in before if name not in after)
        if added or removed:
            yield _blank("label", action="label", added=added, removed=removed)
    elif field == "milestone":
        yield _milestone(before, after, project)
    elif field == "weight":
        body = "removed the weight" if after is None else f"set weight to **{after}**"
        yield _blank("weight", action="weight", body=body, weight=after)
    elif body := _words(field, before, after, project, users):
        gone = field in _OPPOSITES and not after
        yield _blank("system", action=_OPPOSITES[field] if gone else _ACTIONS[field], body=body)


_ACTIONS = {
    "assignees": "assignee",
    "title": "title",
    "description": "description",
    "due": "start_date_or_due_date",
    "confidential": "confidential",
    "type": "issue_type",
    "issue_link": "relate",
}
_OPPOSITES = {"confidential": "visible", "issue_link": "unrelate"}


def _words(field: str, before: Any, after: Any, project: Project, users: Mapping[str, User]) -> str:
    if field == "assignees":
        return _assigned(before, after, users)
    if field == "type":
        names = {word.id: word.name for word in project.types}
        return f"changed type from {names.get(before, before).lower()} to {names.get(after, after).lower()}"
    if field == "issue_link":
        said = after or before
        other = said["key"].removeprefix(project.key)
        kind = "related to" if said["type"] != "blocks" else "blocking" if said["outward"] else "blocked by"
        return f"marked this issue as {kind} {other}" if after else f"removed the relation with {other}"
    plain = _PLAIN.get(field)
    return plain(before, after) if plain else ""


def _assigned(before: Sequence[str], after: Sequence[str], users: Mapping[str, User]) -> str:
    came = [f"@{users[one].username}" for one in after if one not in before and one in users]
    went = [f"@{users[one].username}" for one in before if one not in after and one in users]
    halves = (f"assigned to {_sentence(came)}" if came else "", f"unassigned {_sentence(went)}" if went else "")
    return " and ".join(half for half in halves if half)


def _milestone(before: int | None, after: int | None, project: Project) -> Told:
    named = project.milestones.get((after if after is not None else before) or 0)
    reference = f"/{project.key}%{named.iid}" if named else ""
    if after is not None:
        return _blank(
            "milestone",
            action="milestone",
            body=f"changed milestone to {reference}",
            milestone=after,
            action_taken="add",
        )
    return _blank(
        "milestone", action="milestone", body=f"removed milestone {reference}", milestone=before, action_taken="remove"
    )


def _blank(kind: Kind, *, body: str = "", **more: Any) -> Told:
    """What a note tells, without its id, instant and author."""
    return {"kind": kind, "body": body, **more}


def _sentence(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _long(day: date) -> str:
    return f"{day:%B} {day.day}, {day.year}"


def _retitled(before: str, after: str) -> str:
    """``changed title from **{-Ca-}r** to **{+Ba+}r**``: what both have in common stands unmarked."""
    head = 0
    while head < min(len(before), len(after)) and before[head] == after[head]:
        head += 1
    tail = 0
    while tail < min(len(before), len(after)) - head and before[-1 - tail] == after[-1 - tail]:
        tail += 1
    old, new = (
        f"{text[:head]}{_marked(text[head : len(text) - tail], sign)}{text[len(text) - tail :]}"
        for text, sign in ((before, "-"), (after, "+"))
    )
    return f"changed title from **{old}** to **{new}**"


def _marked(text: str, sign: str) -> str:
    return f"{{{sign}{text}{sign}}}" if text else ""


_PLAIN: dict[str, Callable[[Any, Any], str]] = {
    "title": _retitled,
    "description": lambda _before, _after: "changed the description",
    "due": lambda before, after: (
        f"changed due date to {_long(after)}" if after else f"removed due date {_long(before)}"
    ),
    "confidential": lambda _before, after: (
        "made the issue confidential" if after else "made the issue visible to everyone"
    ),
}
