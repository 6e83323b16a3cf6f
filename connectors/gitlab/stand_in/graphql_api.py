"""``POST /api/graphql``: the checks before a query runs, its limits, and the shape of what goes wrong.

Rules:

1. A query that is not valid, too dear or not allowed is answered with HTTP 200 and ``errors``; a wrong token is 401, a
   query over 10,000 characters 422.
2. A mutation's aliases run in order and are not one transaction: those before a failing one stay done.
3. The cost is counted before anything is read (see ``complexity``).
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from graphql import (
    ExecutionResult,
    FragmentDefinitionNode,
    GraphQLError,
    OperationDefinitionNode,
    OperationType,
    execute_sync,
    get_operation_ast,
    parse,
    validate,
)
from graphql.execution.values import get_variable_values
from starlette.responses import JSONResponse, Response

from connectors.gitlab.stand_in import complexity
from connectors.gitlab.stand_in.call import Call, asker, base_of, unfit
from connectors.gitlab.stand_in.connections import connection
from connectors.gitlab.stand_in.execution import Execution
from connectors.gitlab.stand_in.gids import number, schema_of
from connectors.gitlab.stand_in.mutations import mutations
from connectors.gitlab.stand_in.shapes import Shapes
from connectors.gitlab.stand_in.throttle import throttle
from connectors.gitlab.stand_in.views import Views
from connectors.sandbox.server import TRUNCATED_HISTORY

if TYPE_CHECKING:
    from graphql import DocumentNode
    from starlette.requests import Request

    from connectors.gitlab.stand_in.project_views import View
    from connectors.gitlab.stand_in.server import Server

_NO_FIELD = re.compile(r"Cannot query field '(?P<field>\w+)' on type '(?P<type>\w+)'\.")
_NO_ARGUMENT = re.compile(r"Unknown argument '(?P<argument>\w+)' on field '\w+\.(?P<field>\w+)'\.")
_NO_TYPE = re.compile(r"Unknown type '(?P<type>\w+)'\.")

_TOO_DEEP = f"Query has depth of {{}}, which exceeds max depth of {complexity.DEPTH}"


class GraphQL:
    """Attributes: schema: of this generation."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.store = server.store
        self.schema = schema_of(server.generation)
        self._read = lru_cache(maxsize=128)(self._document)

    async def answer(self, request: Request) -> Response:
        """One HTTP request."""
        token = asker(self.store, request)
        if isinstance(token, str):
            return _refused(401, "Invalid token")
        query, variables, name = await _sent(request)
        if unfit([query, variables]):
            return _refused(400, "Bad Request")
        if len(query) > complexity.QUERY_LENGTH:
            return _refused(422, "Query too large")
        call = Call(
            server=self.server,
            shapes=Shapes(self.server, base_of(request)),
            token=token,
            path={},
            params={},
            query=[],
            url="",
            keep=request.scope.get(TRUNCATED_HISTORY),
        )
        with self.store.lock:
            if isinstance(metered := throttle(self.server, token), Response):
                return metered
            self.server.catalogue.catch_up()
            return JSONResponse(self.run(call, query, variables, name), headers=metered)

    def run(self, call: Call, query: str, variables: dict[str, Any], name: str | None) -> dict[str, Any]:
        """The answer's body."""
        document, errors = self._read(query)
        if document is None:
            return {"errors": list(errors)}
        operation = get_operation_ast(document, name)
        if operation is None:
            return {
                "errors": [
                    {"message": "An operation name is required" if name is None else f'No operation named "{name}"'}
                ]
            }
        if operation.operation is OperationType.SUBSCRIPTION:
            return {"errors": [{"message": "Schema is not configured for subscriptions"}]}
        values = get_variable_values(self.schema, operation.variable_definitions, variables)
        if isinstance(values, list):
            return {"errors": [_unfit(error) for error in values]}
        limit = complexity.LIMIT_ANONYMOUS if call.token is None else complexity.LIMIT
        fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
        if (depth := complexity.depth(operation, fragments)) > complexity.DEPTH:
            return {"errors": [{"message": _TOO_DEEP.format(depth)}]}
        score = complexity.score(self.schema, document, operation, values)
        if score > limit:
            return {
                "errors": [{"message": f"Query has complexity of {score}, which exceeds max complexity of {limit}"}]
            }
        views = Views(call)
        root = mutations(views) if operation.operation is OperationType.MUTATION else queries(views)
        root |= {"queryComplexity": lambda _info: {"score": score, "limit": limit}}
        result = execute_sync(
            self.schema,
            document,
            root,
            variable_values=variables,
            operation_name=name,
            execution_context_class=Execution,
        )
        return _answered(result)

    def _document(self, query: str) -> tuple[DocumentNode | None, tuple[dict[str, Any], ...]]:
        """The query if it is one and fits the schema; else what is wrong with it."""
        try:
            document = parse(query)
        except GraphQLError as error:
            return None, (_worded(error),)
        errors = tuple(_invalid(error, document) for error in validate(self.schema, document))
        return (None if errors else document), errors


def queries(views: Views) -> dict[str, Any]:
    """The root of all reads, for one caller."""
    call = views.call

    def project(_info: Any, **asked: Any) -> View | None:
        found = call.visible(asked["fullPath"]) if not asked["fullPath"].isdecimal() else None
        return views.project(found) if found else None

    def projects(_info: Any, **asked: Any) -> View:
        words, ids = (asked.get("search") or "").casefold(), asked.get("ids")
        rows = [one for one in call.store.projects.values() if call.visible(one.key)]
        rows = [one for one in rows if words in f"{one.key} {one.name}".casefold()]
        if ids is not None:
            rows = [one for one in rows if f"gid://gitlab/Project/{one.id}" in ids]
        return connection(rows, views.project, asked, lambda one: ("", one.id))

    def group(_info: Any, **asked: Any) -> View | None:
        path = asked["fullPath"].casefold()
        found = None if path.isdecimal() else call.groups().get(path)
        return views.group(found) if found else None

    def user(_info: Any, **asked: Any) -> View | None:
        people = call.store.users.values()
        found = (one.id for one in people if asked.get("username") == one.username or asked.get("id") == one.number)
        return views.user(next(found, ""))

    def users(_info: Any, **asked: Any) -> View:
        people = [*call.store.users.values()]
        if (names := asked.get("usernames")) is not None:
            people = [one for one in people if one.username in names]
        if (ids := asked.get("ids")) is not None:
            people = [one for one in people if one.number in [number(str(id_), "UserID") for id_ in ids]]
        return views.users([one.id for one in people], asked)

    def issue(_info: Any, **asked: Any) -> Any:
        found = call.store.issues.get(str(asked["id"]))
        return found if found and call.visible(found.project) and call.sees(found) else None

    def metadata(_info: Any) -> View | None:
        if call.token is None:
            return None
        return {"version": call.server.version, "revision": "0a1b2c3d4e5", "enterprise": call.terms.paid}

    return {
        "currentUser": lambda _info: views.user(call.token.user) if call.token else None,
        "group": group,
        "issue": lambda info, **asked: views.issue(found) if (found := issue(info, **asked)) else None,
        "metadata": metadata,
        "project": project,
        "projects": projects,
        "user": user,
        "users": users,
        "workItem": lambda info, **asked: views.work_item(found) if (found := issue(info, **asked)) else None,
    }


async def _sent(request: Request) -> tuple[str, dict[str, Any], str | None]:
    """Query, variables and operation name, from a JSON body or, for GET, from the address."""
    if request.method == "GET":
        said: dict[str, Any] = dict(request.query_params)
    else:
        said = _object(await request.body())
    variables = said.get("variables") or {}
    if isinstance(variables, str):
        variables = _object(variables)
    name = said.get("operationName")
    return str(said.get("query") or ""), variables, name or None


def _object(text: str | bytes) -> dict[str, Any]:
    """What a JSON text holds, {} where it is none or no object."""
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _answered(result: ExecutionResult) -> dict[str, Any]:
    """Data and errors. A failure of the stand-in itself is not dressed up as an answer of GitLab's."""
    for error in result.errors or ():
        if error.original_error is not None and not isinstance(error.original_error, GraphQLError):
            raise error.original_error
    body: dict[str, Any] = {"data": result.data}
    if result.errors:
        body["errors"] = [_worded(error) for error in result.errors]
    return body


def _worded(error: GraphQLError) -> dict[str, Any]:
    body: dict[str, Any] = {"message": error.message, "locations": _locations(error)}
    if error.path:
        body["path"] = list(error.path)
    return body


def _locations(error: GraphQLError) -> list[dict[str, int]]:
    return [{"line": place.line, "column": place.column} for place in error.locations or ()]


def _invalid(error: GraphQLError, document: DocumentNode) -> dict[str, Any]:
    """A failed validation in the words and codes of the vendor's library, where the connector may meet them."""
    operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    named = [f"{one.operation.value} {one.name.value}" if one.name else one.operation.value for one in operations]
    body: dict[str, Any] = {"message": error.message, "locations": _locations(error), "path": named[:1]}
    if found := _NO_FIELD.match(error.message):
        body["message"] = f"Field '{found['field']}' doesn't exist on type '{found['type']}'"
        body["extensions"] = {"code": "undefinedField", "typeName": found["type"], "fieldName": found["field"]}
    elif found := _NO_ARGUMENT.match(error.message):
        body["message"] = f"Field '{found['field']}' doesn't accept argument '{found['argument']}'"
        more = {"name": found["field"], "typeName": "Field", "argumentName": found["argument"]}
        body["extensions"] = {"code": "argumentNotAccepted", **more}
    elif found := _NO_TYPE.match(error.message):
        body["message"] = f"No such type {found['type']}, so it can't be a fragment condition"
        body["extensions"] = {"code": "undefinedType", "typeName": found["type"]}
    return body


def _unfit(error: GraphQLError) -> dict[str, Any]:
    """A variable whose value does not fit its type."""
    return {"message": error.message, "locations": _locations(error), "extensions": {"problems": []}}


def _refused(status: int, message: str) -> JSONResponse:
    return JSONResponse({"errors": [{"message": message}]}, status)
