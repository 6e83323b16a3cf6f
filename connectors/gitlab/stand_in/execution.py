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


class _Step(NamedTuple):
    """One field of a selection.

    Attributes:
        name: in the answer. field: in the view. classes: of values that are answered as they are.
        words: of an enum. kind: what is due, without ``!``. arguments: as the query gives them.
    """

    name: str
    field: str
    nodes: list[FieldNode]
    classes: frozenset[type]
    words: Mapping[str, Any]
    kind: GraphQLOutputType
    arguments: dict[str, Any]


class Execution(ExecutionContext):
    """One query's execution."""

    _steps: dict[int, tuple[dict[str, list[FieldNode]], list[_Step | str]]]

    def execute_fields(
        self, parent_type: GraphQLObjectType, source_value: Any, path: Path | None, fields: dict[str, list[FieldNode]]
    ) -> Any:
        """The answer's object for a view."""
        if source_value.__class__ is not dict:
            return super().execute_fields(parent_type, source_value, path, fields)
        results: dict[str, Any] = {}
        for step in self._plan(parent_type, fields):
            if isinstance(step, str):
                results[step] = self.execute_field(
                    parent_type, source_value, fields[step], Path(path, step, parent_type.name)
                )
                continue
            name, field, nodes, classes, words, kind, arguments = step
            value = source_value.get(field)
            if value.__class__ in classes or (words and value.__class__ is str and value in words):
                results[name] = value
                continue
            here = Path(path, name, parent_type.name)
            try:
                if callable(value):
                    value = value(None, **arguments)
                found = value if value.__class__ in classes else self._short(kind, nodes, value, here)
            except Exception:  # noqa: BLE001 - graphql-core meets it again on the long way, and words it
                found = _LEFT
            results[name] = self.execute_field(parent_type, source_value, nodes, here) if found is _LEFT else found
        return results

    def _plan(self, parent: GraphQLObjectType, fields: dict[str, list[FieldNode]]) -> list[_Step | str]:
        """What there is to do for a selection, worked out once a query; a bare name is left to graphql-core."""
        if "_steps" not in self.__dict__:
            self._steps = {}
        known = self._steps.get(id(fields))
        if known is None:
            # The selection is kept, too: while it lives, no other has its id.
            known = self._steps[id(fields)] = fields, [
                self._step(parent, name, nodes) for name, nodes in fields.items()
            ]
        return known[1]

    def _step(self, parent: GraphQLObjectType, name: str, nodes: list[FieldNode]) -> _Step | str:
        definition = get_field_def(self.schema, parent, nodes[0])
        if definition is None or definition.resolve is not None:
            return name
        due: Any = definition.type
        nullable = not isinstance(due, GraphQLNonNull)
        kind = due if nullable else due.of_type
        classes = {_NOTHING} if nullable else set()
        if isinstance(kind, GraphQLScalarType):
            classes.add(_CLASSES.get(kind.name, str))
        words = kind.values if isinstance(kind, GraphQLEnumType) else {}
        try:
            arguments = get_argument_values(definition, nodes[0], self.variable_values)
        except Exception:  # noqa: BLE001 - worded by graphql-core on the long way
            return name
        return _Step(name, nodes[0].name.value, nodes, frozenset(classes), words, kind, arguments)

    def _short(self, kind: GraphQLOutputType, nodes: list[FieldNode], value: Any, path: Path) -> Any:
        """The answer for a value, ``_LEFT`` where graphql-core shall decide."""
        if value.__class__ is list and isinstance(kind, GraphQLList):
            due = kind.of_type
            bare = due.of_type if isinstance(due, GraphQLNonNull) else due
            found = []
            for place, item in enumerate(value):
                if item is None and bare is due:
                    found.append(None)
                    continue
                done = self._short(bare, nodes, item, Path(path, place, None))
                if done is _LEFT:
                    return _LEFT
                found.append(done)
            return found
        if value.__class__ is not dict:
            return _LEFT
        if is_abstract_type(kind):
            kind = self.schema.get_type(value.get("__typename", ""))  # type: ignore[assignment]  # looked at below
        if not isinstance(kind, GraphQLObjectType):
            return _LEFT
        return self.execute_fields(kind, value, path, self.collect_subfields(kind, nodes))
