"""A GitLab server over the sandbox's store: REST v4 and, depending on its generation, GraphQL.

Rules:

1. ``19.2`` has work items with their whole history; ``16.3`` has ``issues(updatedAfter)`` and work items without it;
   ``rest-only`` answers GraphQL with 404 and knows no keyset pages for issues.
2. A token comes as ``PRIVATE-TOKEN`` or ``Authorization: Bearer``. A wrong one is 401 everywhere; none at all sees no
   project (404), as all projects here are private.
3. Each request is carried out under the store's lock, whole.
4. What a server is licensed for and how often it may be asked is in its ``terms``; its ways of failing in ``troubles``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote

from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.gitlab.stand_in import rest_groups as groups
from connectors.gitlab.stand_in import rest_issues as issues
from connectors.gitlab.stand_in import rest_project as project
from connectors.gitlab.stand_in import rest_repository as repository
from connectors.gitlab.stand_in.call import Call, Refusal, asker, base_of, parameters
from connectors.gitlab.stand_in.server import VERSIONS, Generation, Server
from connectors.gitlab.stand_in.shapes import Shapes
from connectors.gitlab.stand_in.terms import Terms
from connectors.gitlab.stand_in.throttle import throttle
from connectors.sandbox.server import TRUNCATED_HISTORY

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request
    from starlette.types import ASGIApp, Receive, Scope, Send

    from connectors.sandbox.store import Store

    Endpoint = Callable[[Call], Response]

_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
_GROUP = "/groups/{group}"
_PROJECT = "/projects/{project}"
_ISSUE = f"{_PROJECT}/issues/{{iid}}"
_MERGE = f"{_PROJECT}/merge_requests/{{iid}}"

ENDPOINTS: tuple[tuple[str, dict[str, Endpoint]], ...] = (
    ("/version", {"GET": project.version}),
    ("/metadata", {"GET": project.metadata}),
    ("/user", {"GET": project.user}),
    ("/users", {"GET": project.users}),
    ("/personal_access_tokens/self", {"GET": project.own_token}),
    ("/issues", {"GET": issues.list_everywhere}),
    ("/groups", {"GET": groups.list_groups}),
    (_GROUP, {"GET": groups.get_group}),
    (f"{_GROUP}/subgroups", {"GET": groups.list_subgroups}),
    (f"{_GROUP}/projects", {"GET": groups.list_projects}),
    (f"{_GROUP}/issues", {"GET": issues.list_of_group}),
    (f"{_GROUP}/labels", {"GET": groups.list_labels}),
    ("/projects", {"GET": project.list_projects}),
    (_PROJECT, {"GET": project.get_project}),
    (f"{_PROJECT}/members/all", {"GET": project.list_members}),
    (f"{_PROJECT}/issues", {"GET": issues.list_issues, "POST": issues.create_issue}),
    (_ISSUE, {"GET": issues.get_issue, "PUT": issues.update_issue}),
    (f"{_ISSUE}/notes", {"GET": issues.list_notes, "POST": issues.create_note}),
    (
        f"{_ISSUE}/notes/{{note}}",
        {"GET": issues.get_note, "PUT": issues.update_note, "DELETE": issues.delete_note},
    ),
    (f"{_ISSUE}/discussions", {"GET": issues.list_discussions}),
    (f"{_ISSUE}/resource_label_events", {"GET": issues.list_label_events}),
    (f"{_ISSUE}/resource_state_events", {"GET": issues.list_state_events}),
    (f"{_ISSUE}/resource_milestone_events", {"GET": issues.list_milestone_events}),
    (f"{_ISSUE}/resource_weight_events", {"GET": issues.list_weight_events}),
    (f"{_ISSUE}/links", {"GET": issues.list_links, "POST": issues.create_link}),
    (f"{_ISSUE}/links/{{link}}", {"DELETE": issues.delete_link}),
    (f"{_ISSUE}/closed_by", {"GET": issues.list_closing}),
    (f"{_ISSUE}/related_merge_requests", {"GET": issues.list_closing}),
    (
        f"{_PROJECT}/labels",
        {
            "GET": project.list_labels,
            "POST": project.create_label,
            # The older addresses, with the label's name in the body, are still served and still used.
            "PUT": project.update_label,
            "DELETE": project.delete_label,
        },
    ),
    (
        f"{_PROJECT}/labels/{{label}}",
        {"GET": project.get_label, "PUT": project.update_label, "DELETE": project.delete_label},
    ),
    (f"{_PROJECT}/milestones", {"GET": project.list_milestones, "POST": project.create_milestone}),
    (f"{_PROJECT}/milestones/{{milestone}}", {"GET": project.get_milestone, "PUT": project.update_milestone}),
    (f"{_PROJECT}/merge_requests", {"GET": repository.list_merge_requests}),
    (_MERGE, {"GET": repository.get_merge_request}),
    (f"{_MERGE}/closes_issues", {"GET": repository.list_closed_issues}),
    (f"{_PROJECT}/repository/tags", {"GET": repository.list_tags}),
    (f"{_PROJECT}/repository/tags/{{tag}}", {"GET": repository.get_tag}),
    (f"{_PROJECT}/repository/compare", {"GET": repository.compare}),
    (f"{_PROJECT}/repository/commits", {"GET": repository.list_commits}),
    (f"{_PROJECT}/repository/commits/{{sha}}", {"GET": repository.get_commit}),
    (f"{_PROJECT}/repository/commits/{{sha}}/refs", {"GET": repository.list_refs}),
    (f"{_PROJECT}/releases", {"GET": repository.list_releases, "POST": repository.create_release}),
    (
        f"{_PROJECT}/releases/{{tag}}",
        {"GET": repository.get_release, "PUT": repository.update_release, "DELETE": repository.delete_release},
    ),
)


def app(store: Store, generation: Generation = "19.2", terms: Terms | None = None) -> ASGIApp:
    """The server.

    Args:
        generation: see the head of the file. Raises ValueError for an unknown one.
        terms: plan and limits; by default GitLab Free without limits.
    """
    if generation not in VERSIONS:
        raise ValueError(f"no GitLab generation {generation!r}: there are {sorted(VERSIONS)}")
    server = Server(store, generation, terms or Terms())
    desk = _Desk(server)
    routes = [Route(f"/api/v4{path}", desk.answer(methods), methods=_METHODS) for path, methods in ENDPOINTS]
    if generation != "rest-only":
        from connectors.gitlab.stand_in.graphql_api import GraphQL

        routes.append(Route("/api/graphql", GraphQL(server).answer, methods=["GET", "POST"]))
    routes.append(Route("/{path:path}", _nothing, methods=_METHODS))
    return _encoded(Starlette(routes=routes))


class _Desk:
    """Takes a request apart, finds out who asks, and words the refusals."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.store = server.store

    def answer(self, methods: dict[str, Endpoint]) -> Callable[[Request], Awaitable[Response]]:
        async def answering(request: Request) -> Response:
            endpoint = methods.get("GET" if request.method == "HEAD" else request.method)
            if endpoint is None:
                return JSONResponse({"error": "405 Not Allowed"}, 405, {"Allow": ", ".join(methods)})
            body = await request.body()
            with self.store.lock:
                metered: dict[str, str] = {}
                try:
                    call = self._call(request, body)
                    told = throttle(self.server, call.token)
                    if isinstance(told, Response):
                        return told
                    metered = told
                    self.server.catalogue.catch_up()
                    answer = endpoint(call)
                except Refusal as refusal:
                    answer = JSONResponse(refusal.body, refusal.status, refusal.headers)
                answer.headers.update(metered)
                return answer

        return answering

    def _call(self, request: Request, body: bytes) -> Call:
        query = parse_qsl(request.url.query, keep_blank_values=True)
        base = base_of(request)
        token = asker(self.store, request)
        if isinstance(token, str):
            raise Refusal.message(401, "401 Unauthorized")
        return Call(
            server=self.server,
            shapes=Shapes(self.server, base),
            token=token,
            path={name: unquote(value) for name, value in request.path_params.items()},
            params=parameters(query, body, request.headers.get("content-type", "")),
            query=query,
            url=base + request.scope["path"].removeprefix(request.scope.get("root_path", "")),
            keep=request.scope.get(TRUNCATED_HISTORY),
        )


def _encoded(inner: ASGIApp) -> ASGIApp:
    """Routes on the path as it was sent, so that ``acme%2Fcar`` stays one piece; endpoints decode the pieces."""

    async def outer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            sent: Any = scope.get("raw_path") or scope["path"].encode()
            scope = {**scope, "path": sent.decode("ascii", "replace").partition("?")[0]}
        await inner(scope, receive, send)

    return outer


async def _nothing(_request: Request) -> Response:
    return JSONResponse({"error": "404 Not Found"}, 404)
