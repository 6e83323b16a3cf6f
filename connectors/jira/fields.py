"""Fields that a site names, and a service desk's: which field of this Jira each is, and what a value says as text. Pure.

Rules:

1. A field is found by its id, else by its type's key (``schema.custom``), else by its name. Names are not unique in Jira:
   where several fields fit, or none does, the candidates are told and none is taken.
2. Any shape may arrive as a value. What has no words becomes "", never an error.
3. A report's instant is a date and time with its offset. A day says nothing of the hour a clock starts at, so a field
   that holds days is refused as ``reported_at``.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import isfinite
from typing import Any

from connectors.jira.adf import text_of
from connectors.jira.history import identifier
from connectors.jira.instants import instant
from connectors.jira.service_desk import ORGANISATIONS, SLA, WORDS
from connectors.jira.text import received
from connectors.tracker import ORGANISATION, REPORTED_AT, UnknownField

_INSTANTS = frozenset({"datetime", "string", "any", ""})
# Words of a value, the most telling first: an option, a person, anything named, an asset, a link.
_TELLING = ("value", "displayName", "name", "label", "title", "key", "accountId")
_DEEPEST = 8
_LONGEST_NUMBER = 10**40
_MOST_TOLD = 5


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a Jira. Attributes: type: of its values (``datetime``, ``option``). custom: its type's key."""

    id: str
    name: str
    type: str = ""
    custom: str = ""

    def __str__(self) -> str:
        return f"{self.id} ({self.name})"


@dataclass(frozen=True, slots=True)
class Fields:
    """What is read of an issue besides the fields every Jira has.

    Attributes:
        reported_at, organisation: ids of fields, "" for none.
        others: (our word, id of the field).
        desk: (our word, id of the field) of what a service desk keeps; slas: (name, id) of its own clocks.
    """

    reported_at: str = ""
    organisation: str = ""
    others: tuple[tuple[str, str], ...] = ()
    desk: tuple[tuple[str, str], ...] = ()
    slas: tuple[tuple[str, str], ...] = ()

    @property
    def ids(self) -> tuple[str, ...]:
        named = (self.reported_at, self.organisation, *(id_ for _, id_ in (*self.others, *self.desk, *self.slas)))
        return tuple(dict.fromkeys(id_ for id_ in named if id_))


NO_FIELDS = Fields()


def field_of(payload: Any) -> Field | None:
    """An entry of ``GET field``; None for one without an id."""
    entry: Mapping[str, Any] = payload if isinstance(payload, Mapping) else {}
    id_ = identifier(entry.get("id"))
    if not id_:
        return None
    said = entry.get("schema")
    schema: Mapping[str, Any] = said if isinstance(said, Mapping) else {}
    return Field(id_, received(entry.get("name")), received(schema.get("type")), received(schema.get("custom")))


def resolved(named: Mapping[str, str], listed: Sequence[Field], tracker: str) -> Fields:
    """The fields that a site's words stand for.

    Raises:
        UnknownField: with all words that no single field fits.
    """
    found: dict[str, str] = {}
    wrong: list[UnknownField] = []
    for word, wanted in {ORGANISATION: "", **named}.items():
        try:
            field = one_field(word, wanted, listed, tracker)
        except UnknownField as error:
            if word in named:
                wrong.append(error)
        else:
            if field is not None:
                found[word] = field.id
    if wrong:
        detail = "; ".join(error.detail for error in wrong)
        raise UnknownField(detail, tracker=tracker, doing=_DOING, advice=wrong[0].advice if len(wrong) == 1 else "")
    reported_at, organisation = found.pop(REPORTED_AT, ""), found.pop(ORGANISATION, "")
    return Fields(
        reported_at,
        organisation,
        tuple(found.items()),
        desk=tuple(
            (word, ids[0])
            for word, type_ in WORDS.items()
            if word not in named and len(ids := _typed(type_, listed)) == 1
        ),
        slas=tuple((field.name, field.id) for field in listed if field.custom == SLA),
    )


def one_field(word: str, wanted: str, listed: Sequence[Field], tracker: str) -> Field | None:
    """The field that one word stands for; None where it is looked for by its type and this Jira has none.

    Args:
        word: ours.
        wanted: id, type's key or name of the field; "" for the organisation: by its type.

    Raises:
        UnknownField: none fits, several do, or its values can not be what the word says.
    """
    own_type = ORGANISATIONS if word == ORGANISATION else ""
    fitting = _fitting(wanted or own_type, listed)
    if len(fitting) > 1:
        told = _told(map(str, fitting))
        raise UnknownField(
            f"{word}: {len(fitting)} fields fit {wanted or own_type!r}: {told}",
            tracker=tracker,
            doing=_DOING,
            advice=f"Name the one that is meant by its id: fields: {{{word}: {fitting[0].id}}}",
        )
    if not fitting:
        if own_type and not wanted:
            return None
        near = _nearest(wanted, listed)
        raise UnknownField(
            f"{word}: there is no field {wanted!r}, or this account may not see it"
            + (f"; the nearest are {_told(map(str, near))}" if near else ""),
            tracker=tracker,
            doing=_DOING,
            advice=f"Write fields: {{{word}: {near[0].id}}} if {near[0].name!r} is meant" if near else "",
        )
    field = fitting[0]
    if word == REPORTED_AT and field.type not in _INSTANTS:
        raise UnknownField(
            f"{word}: {field} holds a {field.type}, which does not say at what hour it was reported",
            tracker=tracker,
            doing=_DOING,
            advice="Name a field of type date-time",
        )
    return field


_DOING = "find the fields that the site names"


def _fitting(wanted: str, listed: Sequence[Field]) -> Sequence[Field]:
    folded = wanted.strip().casefold()
    if not folded:
        return ()
    by_id = [field for field in listed if field.id.casefold() == folded]
    by_type = [field for field in listed if field.custom.casefold() == folded]
    by_name = [field for field in listed if field.name.strip().casefold() == folded]
    return by_id or by_type or by_name


def _typed(type_: str, listed: Sequence[Field]) -> list[str]:
    return [field.id for field in listed if field.custom == type_]


def _nearest(wanted: str, listed: Sequence[Field]) -> Sequence[Field]:
    """Fields that somebody may have meant, the likeliest first."""
    words = {word.casefold(): field for field in listed for word in (field.id, field.name) if word}
    near = difflib.get_close_matches(wanted.casefold(), words, n=3, cutoff=0.5)
    return tuple({words[word].id: words[word] for word in near}.values())


def _told(names: Iterable[str]) -> str:
    every = list(names)
    more = f" and {len(every) - _MOST_TOLD} more" if len(every) > _MOST_TOLD else ""
    return ", ".join(every[:_MOST_TOLD]) + more


# -------------------------------------------------------------------------------------------------------------- values


def reported_at(value: Any) -> datetime | None:
    """The instant a field says something was reported at; None for an empty one.

    Raises:
        ValueError: it holds something else, a plain date or a time without its offset among it.
    """
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    # A number may be read as seconds since 1970 elsewhere; in a field that people fill, it is no instant.
    return instant(value if isinstance(value, str) else None)


def organisation(value: Any) -> str:
    """The first organisation of a field that holds one or several."""
    first = next(iter(value), None) if isinstance(value, list) else value
    return as_text(first)


def as_text(value: Any) -> str:
    """What a field's value says: several are joined by ", ", a cascading choice reads ``Europe / Berlin``."""
    return _words(value, _DEEPEST)


def _words(value: Any, depth: int) -> str:
    if depth == 0:
        return ""
    if isinstance(value, str):
        return received(value).strip()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value) if abs(value) < _LONGEST_NUMBER else ""
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, list):
        return ", ".join(text for each in value if (text := _words(each, depth - 1)))
    if not isinstance(value, Mapping):
        return ""
    if value.get("type") == "doc":
        return text_of(value).strip()
    said = (_words(value[name], depth - 1) for name in _TELLING if isinstance(value.get(name), str | int | float))
    own = next((text for text in said if text), "")
    child = _words(value.get("child"), depth - 1)
    return " / ".join(text for text in (own, child) if text)


def _number(value: float) -> str:
    """A number without a needless ``.0``: Jira keeps every number field as a float."""
    if not isfinite(value):
        return ""
    return str(int(value)) if value.is_integer() and abs(value) < _LONGEST_NUMBER else repr(value)
