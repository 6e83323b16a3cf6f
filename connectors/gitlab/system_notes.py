"""What GitLab's system notes say. They are English text, made by the server, on every language setting.

Rules:

1. The kind is told by ``systemNoteMetadata.action`` where the API gives it (closing and reopening even if the words
   are new), else by the text as a whole; a text that is not understood says nothing here and is never guessed at.
2. References (labels, milestones) come out as they stand in the text; the caller knows what they name.
3. A title or name inside a note is foreign: every pattern is anchored at both ends.

Source: app/services/system_notes/*, app/models/{label,state,milestone}_note.rb of gitlab-org/gitlab.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache


@dataclass(frozen=True, slots=True)
class LabelsNote:
    """Attributes: added, removed: label ids or names. unknown: labels only counted, because they were deleted."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    unknown: int = 0


@dataclass(frozen=True, slots=True)
class StateNote:
    """Attributes: state: ``opened`` or ``closed``."""

    state: str


@dataclass(frozen=True, slots=True)
class MilestoneNote:
    """Attributes: reference: iid or title of the milestone set; "" for one that was deleted, None for taken off."""

    reference: str | None


@dataclass(frozen=True, slots=True)
class AssigneesNote:
    """Attributes: everybody: those who were assigned before are not any longer, named or not."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    everybody: bool = False


@dataclass(frozen=True, slots=True)
class DueNote:
    due: date | None


@dataclass(frozen=True, slots=True)
class TypeNote:
    """Attributes: before: "" where the note does not say."""

    before: str
    after: str


@dataclass(frozen=True, slots=True)
class MovedNote:
    """Attributes: other: reference of the issue on the other side. away: it left; else it came."""

    other: str
    away: bool


@dataclass(frozen=True, slots=True)
class EndedNote:
    """The issue ended as something else. Attributes: how: ``duplicate`` or ``promoted``."""

    how: str


Change = LabelsNote | StateNote | MilestoneNote | AssigneesNote | DueNote | TypeNote | MovedNote
Meaning = Change | EndedNote

_STATE = re.compile(
    r"(?:status changed to )?(?P<what>closed|reopened)(?: (?:with|via|by|as) .{1,500})?"
    r"|(?:resolved the corresponding error and|automatically) (?P<alert>closed) (?:the|this) \w+(?: because .{1,100})?\.?",
    re.IGNORECASE | re.DOTALL,
)
_LABELS = re.compile(r"(?:added|(?:automatically )?removed) .*\blabels?", re.IGNORECASE | re.DOTALL)
_LABEL_WORD = re.compile(
    r"(?P<verb>\badded\b|\bremoved\b)|~\"(?P<quoted>[^\"]*)\"|~(?P<bare>[^\s~\"]+)|\b(?P<count>\d{1,9}) deleted\b",
    re.IGNORECASE,
)
_MILESTONE_SET = re.compile(r"(?:changed milestone|milestone changed) to (?P<ref>.+)", re.IGNORECASE | re.DOTALL)
_MILESTONE_GONE = re.compile(r"(?:removed (?:deleted )?milestone|milestone removed)(?: .*)?", re.IGNORECASE | re.DOTALL)
_ASSIGNED = re.compile(
    r"(?:assigned|reassigned) to (?P<came>.+?)(?: and unassigned (?P<went>.+))?", re.IGNORECASE | re.DOTALL
)
_UNASSIGNED = re.compile(r"unassigned (?P<went>.+)", re.IGNORECASE | re.DOTALL)
_NO_ASSIGNEE = re.compile(r"(?:removed assignee|assignee removed)", re.IGNORECASE)
_USER = re.compile(r"@(?P<name>\w(?:[\w.-]*\w)?)")
_DUE_SET = re.compile(
    r"(?:.* and )?changed due date to (?P<day>\w+ +\d{1,2}, \d{4}|\d{4}-\d{2}-\d{2})(?: and .*)?", re.IGNORECASE
)
_DUE_GONE = re.compile(r"(?:.* and )?removed due date(?: .*)?", re.IGNORECASE)
_TYPE = re.compile(r"changed (?:issue )?type (?:from (?P<before>[\w ]+?) )?to (?P<after>[\w ]+)", re.IGNORECASE)
_MOVED = re.compile(r"moved (?P<way>to|from) (?P<ref>\S+#\d+|#\d+)", re.IGNORECASE)
_DUPLICATE = re.compile(r"marked this (?:issue|work item|incident|task) as a duplicate of \S+", re.IGNORECASE)
_PROMOTED = re.compile(r"promoted to epic \S+", re.IGNORECASE)

_SHORT = 200
# An issue's first opening leaves no note.
_STATE_OF_ACTION = {"closed": "closed", "opened": "opened", "reopened": "opened"}
# One note, one kind; a kind the table does not know is left alone.
_KIND_OF_ACTION = {
    "label": "labels",
    "milestone": "milestone",
    "assignee": "assignees",
    "due_date": "due",
    "start_date_or_due_date": "due",
    "issue_type": "type",
    "work_item_type": "type",
    "moved": "moved",
    "duplicate": "ended",
    "promoted": "ended",
}


def read(body: str, action: str = "") -> Meaning | None:
    """What one system note says; None where it says nothing that is kept.

    Args:
        body: the note's text as the API gives it.
        action: ``systemNoteMetadata.action``, "" over REST.
    """
    # Thousands of issues tell of the same labels in the same words.
    return _read_before(body, action) if len(body) <= _SHORT else _read(body, action)


def _read(body: str, action: str) -> Meaning | None:
    text = body.strip()
    if action in _STATE_OF_ACTION:
        return StateNote(_STATE_OF_ACTION[action])
    if action:
        kind = _KIND_OF_ACTION.get(action)
        return _READERS[kind](text) if kind else None
    for reader in _READERS.values():
        meaning = reader(text)
        if meaning is not None:
            return meaning
    return None


_read_before = lru_cache(maxsize=4096)(_read)


def _state(text: str) -> StateNote | None:
    found = _STATE.fullmatch(text)
    if found is None:
        return None
    return StateNote("opened" if (found["what"] or "").lower() == "reopened" else "closed")


def _labels(text: str) -> LabelsNote | None:
    if not _LABELS.fullmatch(text):
        return None
    added: list[str] = []
    removed: list[str] = []
    unknown = 0
    named = added
    for word in _LABEL_WORD.finditer(text):
        if word["verb"]:
            named = added if word["verb"].lower() == "added" else removed
        elif word["count"]:
            unknown += int(word["count"])
        else:
            named.append(word["quoted"] if word["quoted"] is not None else word["bare"])
    if not (added or removed or unknown):
        return None
    return LabelsNote(tuple(added), tuple(removed), unknown)


def _milestone(text: str) -> MilestoneNote | None:
    if _MILESTONE_GONE.fullmatch(text):
        return MilestoneNote(None)
    found = _MILESTONE_SET.fullmatch(text)
    if found is None:
        return None
    _, percent, name = found["ref"].partition("%")
    return MilestoneNote(name.strip().strip('"') if percent else "")


def _assignees(text: str) -> AssigneesNote | None:
    if _NO_ASSIGNEE.fullmatch(text):
        return AssigneesNote(everybody=True)
    if found := _ASSIGNED.fullmatch(text):
        came = _users(found["came"])
        # "reassigned to" is from the time when an issue had one assignee.
        return AssigneesNote(came, _users(found["went"] or ""), text.lower().startswith("re")) if came else None
    if found := _UNASSIGNED.fullmatch(text):
        went = _users(found["went"])
        return AssigneesNote((), went) if went else None
    return None


def _users(text: str) -> tuple[str, ...]:
    return tuple(user["name"] for user in _USER.finditer(text))


def _due(text: str) -> DueNote | None:
    found = _DUE_SET.fullmatch(text)
    if found is not None:
        for form in ("%B %d, %Y", "%b %d, %Y", "%Y-%m-%d"):
            try:
                return DueNote(datetime.strptime(" ".join(found["day"].split()), form).date())  # noqa: DTZ007 - a date
            except ValueError:
                continue
        return None
    return DueNote(None) if _DUE_GONE.fullmatch(text) else None


def _type(text: str) -> TypeNote | None:
    found = _TYPE.fullmatch(text)
    return TypeNote((found["before"] or "").strip(), found["after"].strip()) if found else None


def _moved(text: str) -> MovedNote | None:
    found = _MOVED.fullmatch(text)
    return MovedNote(found["ref"], away=found["way"].lower() == "to") if found else None


def _ended(text: str) -> EndedNote | None:
    if _DUPLICATE.fullmatch(text):
        return EndedNote("duplicate")
    return EndedNote("promoted") if _PROMOTED.fullmatch(text) else None


_READERS = {
    "state": _state,
    "labels": _labels,
    "milestone": _milestone,
    "assignees": _assignees,
    "due": _due,
    "type": _type,
    "moved": _moved,
    "ended": _ended,
}
