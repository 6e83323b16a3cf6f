"""What a GraphQL query costs, after GitLab's own rule, and the limits the server sets.

The rule (public: app/graphql/types/base_field.rb, app/graphql/resolvers/base_resolver.rb):

1. A field costs 1 and what it selects.
2. A list field with a resolver costs 1 more when it sorts, and grows with its page: 1 % of its cost per item it may
   load (5 % for discussions), 100 items where the query does not say. Asked for by iid it does not grow.
3. Fragments on several types cost as much as the dearest type a result can have; a field named twice counts once.
4. 250 points with a log-in, 200 without; 100 items a page; 10,000 characters a query; 20 levels of fields.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLCompositeType,
    GraphQLField,
    GraphQLIncludeDirective,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSkipDirective,
    GraphQLUnionType,
    InlineFragmentNode,
    Node,
    OperationDefinitionNode,
    SelectionSetNode,
    get_named_type,
    is_composite_type,
)
from graphql.execution.values import get_argument_values, get_directive_values

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from graphql import DocumentNode, GraphQLSchema

LIMIT = 250
LIMIT_ANONYMOUS = 200
PAGE_LIMIT = 100
QUERY_LENGTH = 10_000
DEPTH = 20

# Lists that stand on a plain association have no resolver: they grow with the page but cost nothing of their own.
_PLAIN = frozenset(
    {
        ("Discussion", "notes"),
        ("WorkItemWidgetAssignees", "assignees"),
        ("WorkItemWidgetLabels", "labels"),
        ("Release", "milestones"),
    }
)
_GROWTH = {("WorkItemWidgetNotes", "discussions"): 0.05}
_BY_NAME = ("iid", "iids", "ids")


def score(
    schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode, values: Mapping[str, Any]
) -> int:
    """The points a query costs. Args: values: its variables as coerced by the schema."""
    fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
    root = schema.get_root_type(operation.operation)
    assert root is not None  # the document was validated
    return _Account(schema, fragments, dict(values)).of([operation.selection_set], root)


def depth(node: Node, fragments: Mapping[str, FragmentDefinitionNode]) -> int:
    """How many fields stand in one another at most; introspection counts nothing. The document was validated."""
    if isinstance(node, FragmentSpreadNode):
        return depth(fragments[node.name.value], fragments)
    own = int(isinstance(node, FieldNode))
    if isinstance(node, FieldNode) and node.name.value.startswith("__"):
        return 0
    selected: SelectionSetNode | None = getattr(node, "selection_set", None)
    return own + max((depth(one, fragments) for one in selected.selections), default=0) if selected else own


class _Account:
    def __init__(
        self, schema: GraphQLSchema, fragments: Mapping[str, FragmentDefinitionNode], values: dict[str, Any]
    ) -> None:
        self.schema = schema
        self.fragments = fragments
        self.values = values
        # What a fragment selects costs the same in each of many aliases.
        self._known: dict[tuple[object, ...], int] = {}

    def of(self, sets: Sequence[SelectionSetNode], parent: GraphQLCompositeType) -> int:
        """The dearest of the types that a result of ``parent`` can have."""
        kinds = [parent] if isinstance(parent, GraphQLObjectType) else self.schema.get_possible_types(parent)
        costs = [sum(self._field(kind, nodes) for nodes in self._fields(sets, kind).values()) for kind in kinds]
        return max(costs, default=0)

    def _fields(self, sets: Sequence[SelectionSetNode], kind: GraphQLObjectType) -> dict[str, list[FieldNode]]:
        found: dict[str, list[FieldNode]] = {}
        for selection in (one for group in sets for one in group.selections if self._asked(one)):
            if isinstance(selection, FieldNode):
                key = selection.alias.value if selection.alias else selection.name.value
                found.setdefault(key, []).append(selection)
                continue
            assert isinstance(selection, FragmentSpreadNode | InlineFragmentNode)  # there is no fourth kind
            fragment = selection if isinstance(selection, InlineFragmentNode) else self.fragments[selection.name.value]
            if self._applies(fragment, kind):
                for key, nodes in self._fields([fragment.selection_set], kind).items():
                    found.setdefault(key, []).extend(nodes)
        return found

    def _asked(self, node: Node) -> bool:
        """What ``@skip`` and ``@include`` leave out costs nothing."""
        skipped = get_directive_values(GraphQLSkipDirective, node, self.values)  # type: ignore[arg-type]  # any selection
        included = get_directive_values(GraphQLIncludeDirective, node, self.values)  # type: ignore[arg-type]  # the same
        return not (skipped and skipped["if"]) and (included is None or bool(included["if"]))

    def _applies(self, fragment: FragmentDefinitionNode | InlineFragmentNode, kind: GraphQLObjectType) -> bool:
        name = getattr(fragment.type_condition, "name", None)  # an inline fragment may do without
        condition = None if name is None else self.schema.get_type(name.value)
        if isinstance(condition, GraphQLInterfaceType | GraphQLUnionType):
            return self.schema.is_sub_type(condition, kind)
        return condition is None or condition is kind

    def _field(self, parent: GraphQLObjectType, nodes: list[FieldNode]) -> int:
        key = (parent.name, *map(id, nodes))
        if key not in self._known:
            self._known[key] = self._cost(parent, nodes)
        return self._known[key]

    def _cost(self, parent: GraphQLObjectType, nodes: list[FieldNode]) -> int:
        name = nodes[0].name.value
        field = parent.fields.get(name)
        if field is None:  # __typename and introspection
            return 1
        below = get_named_type(field.type)
        sets = [node.selection_set for node in nodes if node.selection_set]
        inner = self.of(sets, below) if is_composite_type(below) else 0
        if not below.name.endswith("Connection"):
            return inner + 1
        return self._connection(parent.name, name, field, nodes[0], inner)

    def _connection(self, parent: str, name: str, field: GraphQLField, node: FieldNode, inner: int) -> int:
        arguments = get_argument_values(field, node, self.values)
        written = {argument.name.value for argument in node.arguments}
        cost = inner if (parent, name) in _PLAIN else inner + 1 + ("sort" in written)
        if any(arguments.get(word) for word in _BY_NAME):
            return cost
        asked = [arguments[word] for word in ("first", "last") if arguments.get(word) is not None]
        page = max(0, min([*asked, PAGE_LIMIT]))
        return int(cost + cost * page * _GROWTH.get((parent, name), 0.01))
