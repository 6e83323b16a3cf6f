"""GraphQL execution with a short way for what our views are made of: dictionaries of plain values.

Rules:

1. The short way gives what graphql-core gives. It takes only what needs no judgement: a text where a text is due, null
   where null may be, a dictionary where an object is due. All else, and whatever goes wrong, is left to graphql-core.
2. A field of a view is a value, or a function of the field's arguments (``_info`` is None here) without side effects.
   Mutations are root fields, which graphql-core executes itself, one after the other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from graphql import (
    ExecutionContext,
    GraphQLEnumType,
    GraphQLError,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    is_abstract_type,
)
from graphql.execution.execute import get_field_def
from graphql.execution.values import get_argument_values
from graphql.pyutils import Path

if TYPE_CHECKING:
    from collections.abc import Mapping

    from graphql import FieldNode, GraphQLOutputType

_NOTHING = type(None)
# Scalars of the schema itself (Time, LabelID) are texts.
_CLASSES: Mapping[str, type] = {"Int": int, "Float": float, "Boolean": bool}
_LEFT = object()


# A path as it is walked; graphql-core's own kind is made of it only where something went wrong.
_Trail = tuple[Any, str | int, str | None]


def _path(trail: _Trail | None) -> Path | None:
    return trail if trail is None or isinstance(trail, Path) else Path(_path(trail[0]), trail[1], trail[2])


class Shared(dict[str, Any]):
    """A view that many others of one request point to, of plain values alone: it is worked out once a selection."""

    __slots__ = ("done",)

    def __init__(self, view: dict[str, Any]) -> None:
        super().__init__(view)
        self.done: dict[int, dict[str, Any]] = {}


class _Step(NamedTuple):
    """One field of a selection.

    Attributes:
        field: in the view. classes: of values that are answered as they are.
        words: of an enum. kind: what is due, without ``!``. listed: that it is a list of, and may hold null.
        arguments: as the query gives them. below: what to do for each type of object that was met here.
    """

    field: str
    nodes: list[FieldNode]
    classes: frozenset[type]
    words: Mapping[str, Any]
    kind: GraphQLOutputType
    listed: bool
    gaps: bool
    arguments: dict[str, Any]
    below: dict[str, _Plan]


class _Plan(NamedTuple):
    """What there is to do for a selection on a type. Attributes: steps: by name; None is left to graphql-core."""

    parent: GraphQLObjectType
    fields: dict[str, list[FieldNode]]
    steps: list[tuple[str, _Step | None]]


class Execution(ExecutionContext):
    """One query's execution."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        # What a fragment selects is the same in each of many aliases.
        self._steps: dict[tuple[object, ...], _Step | None] = {}

    def execute_fields(
        self, parent_type: GraphQLObjectType, source_value: Any, path: Path | None, fields: dict[str, list[FieldNode]]
    ) -> Any:
        """The answer's object for a view."""
        if source_value.__class__ is not dict:
            return super().execute_fields(parent_type, source_value, path, fields)
        return self._object(self._plan(parent_type, fields), source_value, path)

    def _object(self, plan: _Plan, source: dict[str, Any], path: _Trail | None) -> dict[str, Any]:
        parent, fields, steps = plan
        results: dict[str, Any] = {}
        for name, step in steps:
            if step is None:
                results[name] = self.execute_field(parent, source, fields[name], Path(_path(path), name, parent.name))
                continue
            field, nodes, classes, words, *_ = step
            value = source.get(field)
            if value.__class__ in classes or (words and value.__class__ is str and value in words):
                results[name] = value
                continue
            here = (path, name, parent.name)
            try:
                if callable(value):
                    value = value(None, **step.arguments)
                found = value if value.__class__ in classes else self._short(step, value, here)
            except Exception:  # noqa: BLE001 - graphql-core meets it again on the long way, and words it
                found = _LEFT
            results[name] = (
                self.execute_field(parent, source, nodes, Path(_path(path), name, parent.name))
                if found is _LEFT
                else found
            )
        return results

    def _plan(self, parent: GraphQLObjectType, fields: dict[str, list[FieldNode]]) -> _Plan:
        return _Plan(parent, fields, [(name, self._step(parent, nodes)) for name, nodes in fields.items()])

    def _step(self, parent: GraphQLObjectType, nodes: list[FieldNode]) -> _Step | None:
        key = (parent.name, *map(id, nodes))
        if key not in self._steps:
            self._steps[key] = self._new_step(parent, nodes)
        return self._steps[key]

    def _new_step(self, parent: GraphQLObjectType, nodes: list[FieldNode]) -> _Step | None:
        definition = get_field_def(self.schema, parent, nodes[0])
        if definition.resolve is not None:
            return None
        due: Any = definition.type
        nullable = not isinstance(due, GraphQLNonNull)
        kind = due if nullable else due.of_type
        classes = {_NOTHING} if nullable else set()
        if isinstance(kind, GraphQLScalarType):
            classes.add(_CLASSES.get(kind.name, str))
        words = kind.values if isinstance(kind, GraphQLEnumType) else {}
        listed, gaps = isinstance(kind, GraphQLList), False
        if listed:
            gaps = not isinstance(kind.of_type, GraphQLNonNull)
            kind = kind.of_type if gaps else kind.of_type.of_type
        try:
            arguments = get_argument_values(definition, nodes[0], self.variable_values)
        except GraphQLError:
            # Worded by graphql-core on the long way.
            return None
        own = nodes[0].name.value
        return _Step(own, nodes, frozenset(classes), words, kind, listed, gaps, arguments, {})

    def _short(self, step: _Step, value: Any, path: _Trail) -> Any:
        """The answer for a value, ``_LEFT`` where graphql-core shall decide."""
        if value.__class__ is Shared and not step.listed:
            # A step lives as long as its query, and so does the view.
            if id(step) not in value.done:
                plan = self._below(step, dict(value))
                if plan is None:
                    return _LEFT
                value.done[id(step)] = self._object(plan, value, path)
            return value.done[id(step)]
        if not step.listed:
            plan = self._below(step, value)
            return _LEFT if plan is None else self._object(plan, value, path)
        if value.__class__ is not list:
            return _LEFT
        found: list[Any] = []
        for place, item in enumerate(value):
            if item is None and step.gaps:
                found.append(None)
                continue
            plan = self._below(step, dict(item) if item.__class__ is Shared else item)
            if plan is None:
                return _LEFT
            found.append(self._object(plan, item, (path, place, None)))
        return found

    def _below(self, step: _Step, value: Any) -> _Plan | None:
        """What to do for an object at a field; None where it is none."""
        if value.__class__ is not dict:
            return None
        kind: Any = step.kind
        name = kind.name if isinstance(kind, GraphQLObjectType) else value.get("__typename", "")
        plan = step.below.get(name)
        if plan is None:
            kind = self.schema.get_type(name) if is_abstract_type(kind) else kind
            if not isinstance(kind, GraphQLObjectType):
                return None
            plan = step.below[name] = self._plan(kind, self.collect_subfields(kind, step.nodes))
        return plan
