"""One line of an export, as it stands: checked in form, not yet understood.

A word that the export leaves open (absent, null, empty, or its own ``?``) is None. What an export says of itself
beyond these fields (its own flags, its own verdicts) is not read: what it says is found again from the history.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

_FIRST, _LAST = 1971, 2190
_MOST_ENTRIES = 20_000
_LONGEST_WORD = 200


def _written(value: Any) -> Any:
    """A date with its time of day, with or without an offset; nothing is read into a number or a bare date."""
    if value is None or value == "":
        return None
    if not isinstance(value, str) or len(value) < len("2016-02-29T06:38") or value[10] not in "T ":
        raise ValueError("a date and time such as 2016-02-29T06:38:00")
    try:
        written = datetime.fromisoformat(value.strip())
    except ValueError:
        raise ValueError("a date and time such as 2016-02-29T06:38:00") from None
    if not _FIRST <= written.year <= _LAST:
        raise ValueError(f"a year from {_FIRST} to {_LAST}")
    return written


def _word(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, str | int | None):
        raise ValueError("a word")  # noqa: TRY004  pydantic turns a ValueError into a located error
    text = "" if value is None else str(value).strip()
    if len(text) > _LONGEST_WORD:
        raise ValueError(f"a word of at most {_LONGEST_WORD} characters")
    return None if text in {"", "?"} else text


Written = Annotated[datetime | None, BeforeValidator(_written)]
Word = Annotated[str | None, BeforeValidator(_word)]
Count = Annotated[int, Field(ge=0, le=1_000_000_000, strict=True)]


class _Payload(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class Changed(_Payload):
    """The fields an entry set. ``model_fields_set`` tells a field left open from one not touched."""

    state: Word = None
    priority: Word = None
    assignment_group: Word = None
    assigned_to: Word = None


class Entry(_Payload):
    """One modification of an incident. ``mod`` is its number in the tracker, from 0 on."""

    at: Annotated[datetime, BeforeValidator(_written)]
    mod: Count | None = None
    changed: Changed = Changed()


class Record(_Payload):
    """One incident with its history."""

    id: Annotated[str, Field(min_length=1, max_length=200)]
    title: str = ""
    opened_at: Written = None
    created_at: Written = None
    resolved_at: Written = None
    closed_at: Written = None
    priority: Word = None
    reopen_count: Count | None = None
    history: Annotated[tuple[Entry, ...], Field(max_length=_MOST_ENTRIES)] = ()
