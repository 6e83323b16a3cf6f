"""Every kind of issue some conditions can tell apart, as moments to ask them at.

Rules:

1. A fact nobody asks for is left unset: it decides nothing. Of the facts asked for, each value named is tried, every
   severity, category and state that exists, and one value that nobody named.
2. Labels and components stand beside each other, so each set of the named ones is tried.
3. A space that would hold more than ``MOST`` moments is refused: no rule may guess about it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain, combinations, product
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from policies.conditions import Condition
from policies.coverage import Decision
from policies.history import Moment
from policies.issue import State, Word

if TYPE_CHECKING:
    from policies.pack import PolicyPack

MOST = 20_000
"""Moments in one space."""

_AT = datetime(2000, 1, 1, tzinfo=UTC)  # conditions never look at the instant
_OTHER = "\N{BULLET}"  # a word that no pack can name: it stands for all that are not named
_TOGETHER = frozenset({"any", "all", "not_"})
WORDS = tuple(name for name in Condition.model_fields if name not in _TOGETHER)
"""The words of a condition, each of which is one dimension."""

Path = tuple[str | int, ...]


class TooLarge(Exception):
    """So many words are named together that not every case can be tried. Attributes: size: of the space."""

    def __init__(self, size: int) -> None:
        self.size = size
        super().__init__(f"{size} kinds of issue")


@dataclass(frozen=True, slots=True)
class FactSpace:
    """Kinds of issue. Attributes: words: the dimensions asked for, for ``told``."""

    moments: tuple[Moment, ...]
    words: tuple[str, ...]

    @classmethod
    def of(cls, conditions: Iterable[Condition | None], pack: PolicyPack, *, always: Iterable[str] = ()) -> FactSpace:
        """The space these conditions span.

        Args:
            always: words to span although no condition names them: ``severity``, ``category``, ``state``.

        Raises:
            TooLarge: more than ``MOST`` kinds of issue.
        """
        named: dict[str, set[str]] = {word: set() for word in always}
        for condition in conditions:
            if condition is not None:
                _gather(condition, named)
        words = tuple(word for word in WORDS if word in named)
        axes = [_axis(word, named[word], pack) for word in words]
        size = 1
        for values in axes:
            size *= len(values)
        if size > MOST:
            raise TooLarge(size)
        return cls(tuple(_moment(dict(zip(words, point, strict=True))) for point in product(*axes)), words)

    def told(self, moment: Moment) -> str:
        """A kind of issue in words: ``severity urgent, category performance``; "any issue" where nothing is asked."""
        return ", ".join(_told(word, getattr(moment, _FIELDS.get(word, word))) for word in self.words) or "any issue"

    def but(self, moment: Moment, **facts: Any) -> Moment:
        """The same kind of issue with other facts, by their words: ``severity="high"``."""
        return _moment({word: getattr(moment, _FIELDS.get(word, word)) for word in self.words} | facts)

    def plainest(self, moments: Iterable[Moment]) -> Moment:
        """Of some moments the one that is said in the fewest words."""
        return min(moments, key=lambda moment: self.told(moment).count("no "))


def conditions_in(value: Any, path: Path = ()) -> Iterator[tuple[Path, Condition]]:
    """Each outermost condition below a shape, with its path; and, after it, the alternatives of its ``any``."""
    if isinstance(value, Condition):
        yield path, value
        for number, each in enumerate(value.any or ()):
            yield from conditions_in(each, (*path, "any", number))
    elif isinstance(value, BaseModel):
        for name, info in type(value).model_fields.items():
            yield from conditions_in(getattr(value, name), (*path, info.alias or name))
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from conditions_in(each, (*path, key))
    elif isinstance(value, (tuple, list)):
        for number, each in enumerate(value):
            yield from conditions_in(each, (*path, number))


def words_in(value: Any, word: str, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Each value that conditions below a shape give a word, with its path; those under ``not`` included."""
    if isinstance(value, Condition):
        for each in getattr(value, word) or ():
            yield (*path, word), str(each)
    if isinstance(value, BaseModel):
        for name, info in type(value).model_fields.items():
            yield from words_in(getattr(value, name), word, (*path, info.alias or name))
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from words_in(each, word, (*path, key))
    elif isinstance(value, (tuple, list)):
        for number, each in enumerate(value):
            yield from words_in(each, word, (*path, number))


# --------------------------------------------------------------------------------------------------------- its points

_FIELDS = {"label": "labels", "component": "components"}


def _gather(condition: Condition, named: dict[str, set[str]]) -> None:
    for word in WORDS:
        values = getattr(condition, word)
        if values is not None:
            named.setdefault(word, set()).update(str(value) for value in values)
    for part in (*(condition.any or ()), *(condition.all or ()), *((condition.not_,) if condition.not_ else ())):
        _gather(part, named)


def _axis(word: str, named: set[str], pack: PolicyPack) -> list[Any]:
    values = sorted(named)
    match word:
        case "state":
            return [*State, None]
        case "coverage":
            return list(Decision)
        case "severity":
            return [*pack.severities, None]
        case "category":
            return [*pack.categories, None]
        case "label" | "component":
            if len(values) > MOST.bit_length():
                raise TooLarge(1 << len(values))
            return list(chain.from_iterable(combinations(values, size) for size in range(len(values) + 1)))
        case "type" | "priority":
            return [*(Word("", value) for value in values), Word("", _OTHER), None]
        case "tier" | "contract_tier":
            return [*values, _OTHER, None]
        case _:
            return [*values, _OTHER]


def _moment(facts: dict[str, Any]) -> Moment:
    fields: dict[str, Any] = {
        "since": _AT,
        "state": State.OPEN,
        "severity": None,
        "category": None,
        "labels": frozenset(),
        "priority": None,
        "type": None,
        "assignee": None,
        "reporter": _OTHER,
        "components": (),
        "coverage": Decision.UNKNOWN,
    }
    fields |= {_FIELDS.get(word, word): value for word, value in facts.items()}
    return Moment(**{**fields, "labels": frozenset(fields["labels"])})


def _told(word: str, value: Any) -> str:
    if word in _FIELDS:
        return f"{word} {' and '.join(sorted(value))}" if value else f"no {word} named here"
    text = value.name if isinstance(value, Word) else value
    name = word.replace("_", " ")
    if text is None:
        return f"no {name}"
    return f"another {name}" if text == _OTHER else f"{name} {text}"
