"""Facts, verdicts and receipts as JSON text and back, losing nothing."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from functools import cache, cached_property, lru_cache
from typing import Annotated, Any, Generic, TypeVar

import orjson
from pydantic import Field, TypeAdapter
from pydantic_core import PydanticSerializationError, to_jsonable_python

from policies.issue import Actor, Event, Issue
from policies.receipt import Receipt
from policies.verdict import Verdict

T = TypeVar("T")


REPLACED = "\N{REPLACEMENT CHARACTER}"
"""Stands in a text for what no encoding can hold."""


class Text(Generic[T]):
    """One type of value as text. Its adapter is built when it is first used: that takes a while."""

    def __init__(self, of: type[T]) -> None:
        self._of = of

    @cached_property
    def _adapter(self) -> TypeAdapter[T]:
        return TypeAdapter(self._of)

    def write(self, value: T) -> str:
        """One line of JSON. Half a surrogate pair, which no encoding can hold, becomes U+FFFD."""
        try:
            return self._written(value).decode()
        except (PydanticSerializationError, orjson.JSONEncodeError, UnicodeEncodeError):
            found = _encodable(self._adapter.dump_python(value, mode="json"))
            # As short as all other texts, which are searched for what stands in them.
            return json.dumps(found, ensure_ascii=False, separators=(",", ":"))

    def _written(self, value: T) -> bytes:
        return self._adapter.dump_json(value)

    def read(self, text: str) -> T:
        """The value again.

        Raises:
            ValueError: the text is not of this type.
        """
        return self._adapter.validate_json(text)


class IssueText(Text[Issue]):
    """An issue as text.

    Read and written more often than anything else. Read: its events are told apart by their kind instead of by trial,
    and what they are full of, instants and the same few people, comes ready made: twice as fast. Written: its members
    have slots and no spelling of their own, so ``orjson`` gives the adapter's text, its labels in order.
    """

    def _written(self, value: Issue) -> bytes:
        return orjson.dumps(value, _plain, orjson.OPT_UTC_Z)

    @cached_property
    def _events(self) -> TypeAdapter[tuple[Event, ...]]:
        return TypeAdapter(tuple[Annotated[Event, Field(discriminator="kind")], ...])

    def read(self, text: str) -> Issue:
        """As ``Text.read``."""
        members = orjson.loads(text)
        try:
            events = members["events"]
            for event in events:
                event["at"] = datetime.fromisoformat(event["at"])
                event["actor"] = _actor(**event["actor"])
        except (KeyError, TypeError) as error:
            raise ValueError(f"no issue: {type(error).__name__}") from None
        members["events"] = self._events.validate_python(events)
        return self._adapter.validate_python(members)


@lru_cache(maxsize=4096)
def _actor(**members: object) -> Actor:
    """The person of these members. One value serves all events of the same person, which also saves memory."""
    return _actors().validate_python(members)


@cache
def _actors() -> TypeAdapter[Actor]:
    return TypeAdapter(Actor)


def _plain(value: object) -> object:
    """What ``orjson`` does not know, as the adapter writes it."""
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, timedelta):
        return to_jsonable_python(value)
    raise TypeError(f"{type(value).__name__} has no place in an issue")


def _encodable(value: Any) -> Any:
    if isinstance(value, str):
        # A whole pair in two halves is one character; a lone half is none.
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_encodable(each) for each in value]
    if isinstance(value, dict):
        return {key: _encodable(each) for key, each in value.items()}
    return value


ISSUE = IssueText(Issue)
VERDICT = Text(Verdict)
RECEIPT = Text(Receipt)
