"""GraphQL's scalars: instants and days as ISO 8601 text, global ids as ``gid://gitlab/WorkItem/12``."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphql import GraphQLError, GraphQLScalarType, build_schema

if TYPE_CHECKING:
    from collections.abc import Callable

    from graphql import GraphQLSchema

_GID = re.compile(r"gid://gitlab/(?P<model>[A-Za-z:]+)/(?P<id>[0-9a-f]{1,40})")

_MODELS: dict[str, frozenset[str]] = {
    "IssueID": frozenset({"Issue", "WorkItem"}),
    "LabelID": frozenset({"Label", "ProjectLabel", "GroupLabel"}),
    "MilestoneID": frozenset({"Milestone"}),
    "NoteID": frozenset({"Note", "DiscussionNote"}),
    "NoteableID": frozenset({"Issue", "WorkItem"}),
    "UserID": frozenset({"User"}),
    "WorkItemID": frozenset({"WorkItem", "Issue"}),
    "WorkItemsTypeID": frozenset({"WorkItems::Type"}),
}


def gid(model: str, id_: int | str) -> str:
    return f"gid://gitlab/{model}/{id_}"


def number(text: str, kind: str) -> int:
    """The number in a global id of a kind (``LabelID``). Raises GraphQLError for anything else."""
    found = _GID.fullmatch(text)
    if found is None:
        raise GraphQLError(f'"{text}" is not a valid GitLab ID.')
    if found["model"] not in _MODELS[kind] or not found["id"].isdecimal():
        raise GraphQLError(f'"{text}" does not represent an instance of {kind.removesuffix("ID")}')
    return int(found["id"])


def moment(at: datetime) -> str:
    """To the second, as GitLab's ``Time`` has it: ``2026-03-02T09:00:00Z``."""
    return at.isoformat(timespec="seconds")[:19] + "Z"


@cache
def schema_of(generation: str) -> GraphQLSchema:
    """The schema of a generation, its scalars at work."""
    home = Path(__file__).parent
    names = ("common", generation)
    schema = build_schema("\n".join((home / f"schema-{name}.graphql").read_text("utf-8") for name in names))
    for kind in _MODELS:
        _reads(schema, kind, _number_of(kind))
    _reads(schema, "Time", _moment)
    _reads(schema, "Date", _day)
    _reads(schema, "ISO8601Date", _day)
    return schema


def _reads(schema: GraphQLSchema, name: str, parse: Callable[[Any], Any]) -> None:
    found = schema.get_type(name)
    if isinstance(found, GraphQLScalarType):
        found.parse_value = parse  # type: ignore[method-assign, assignment]  # how graphql-core takes a scalar's behaviour


def _number_of(kind: str) -> Callable[[Any], int]:
    return lambda value: number(str(value), kind)


def _moment(value: Any) -> datetime:
    try:
        at = datetime.fromisoformat(str(value))
    except ValueError:
        raise GraphQLError(f"{value!r} is not a valid Time") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _day(value: Any) -> date:
    try:
        return date.fromisoformat(str(value)[:10])
    except ValueError:
        raise GraphQLError(f"{value!r} is not a valid Date") from None
