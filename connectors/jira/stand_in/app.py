"""A Jira over the sandbox's store, in two dialects, over real HTTP.

    cloud_app(store)    deploymentType Cloud: /rest/api/2 and /rest/api/3, token paging, capped expanded history
    dc_app(store)       deploymentType Server, 9.12: /rest/api/2, offset paging, complete expanded history

What it knows follows the vendor's published description; what it does not know it answers with 404, never with an
invented success. It holds no state of its own but the pages it has promised.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.jira.stand_in import reads, screens, writes
from connectors.jira.stand_in import search as searches
from connectors.jira.stand_in.session import Refusal, Session, credential
from connectors.sandbox.nouns import Token
from connectors.sandbox.server import TRUNCATED_HISTORY
from connectors.sandbox.store import Refused, Store

Read = Callable[[Session], Any]
Write = Callable[[Session], tuple[int, Any]]

BOTH: dict[tuple[str, str], Read | Write] = {
    ("GET", "myself"): reads.myself,
    ("GET", "mypermissions"): reads.my_permissions,
    ("GET", "field"): reads.fields,
    ("GET", "status"): reads.statuses,
    ("GET", "statuscategory"): reads.status_categories,
    ("GET", "priority"): reads.priorities,
    ("GET", "issuetype"): reads.issue_types,
    ("GET", "resolution"): reads.resolutions,
    ("GET", "issueLinkType"): reads.link_types,
    ("GET", "project"): reads.projects,
    ("GET", "project/{key}"): reads.project,
    ("GET", "project/{key}/statuses"): reads.project_statuses,
    ("GET", "project/{key}/versions"): reads.project_versions,
    ("GET", "project/{key}/components"): reads.project_components,
    ("GET", "version/{id}"): reads.version,
    ("POST", "version"): writes.create_version,
    ("PUT", "version/{id}"): writes.edit_version,
    ("GET", "user"): reads.user,
    ("GET", "user/search"): reads.user_search,
    ("GET", "user/assignable/search"): reads.user_search,
    ("POST", "issue"): writes.create_issue,
    ("GET", "issue/{key}"): reads.issue,
    ("PUT", "issue/{key}"): writes.edit_issue,
    ("PUT", "issue/{key}/assignee"): writes.assign,
    ("GET", "issue/{key}/editmeta"): screens.edit_meta,
    ("GET", "issue/{key}/comment"): reads.issue_comments,
    ("POST", "issue/{key}/comment"): writes.add_comment,
    ("GET", "issue/{key}/comment/{id}"): reads.issue_comment,
    ("PUT", "issue/{key}/comment/{id}"): writes.edit_comment,
    ("DELETE", "issue/{key}/comment/{id}"): writes.remove_comment,
    ("GET", "issue/{key}/transitions"): reads.transitions,
    ("POST", "issue/{key}/transitions"): writes.transition,
    ("GET", "issue/{key}/remotelink"): reads.remote_links,
    ("POST", "issue/{key}/remotelink"): writes.link_web,
    ("DELETE", "issue/{key}/remotelink"): writes.unlink_web,
    ("GET", "issue/{key}/remotelink/{id}"): reads.remote_link,
    ("DELETE", "issue/{key}/remotelink/{id}"): writes.unlink_web,
    ("GET", "issue/{key}/properties"): reads.properties,
    ("GET", "issue/{key}/properties/{property}"): reads.property_,
    ("PUT", "issue/{key}/properties/{property}"): writes.set_property,
    ("DELETE", "issue/{key}/properties/{property}"): writes.remove_property,
    ("POST", "issueLink"): writes.link_issues,
    ("DELETE", "issueLink/{id}"): writes.unlink_issues,
}
CLOUD: dict[tuple[str, str], Read | Write] = {
    ("GET", "search"): searches.search_removed,
    ("POST", "search"): searches.search_removed,
    ("GET", "search/jql"): searches.search_jql,
    ("POST", "search/jql"): searches.search_jql,
    ("POST", "search/approximate-count"): searches.approximate_count,
    ("POST", "changelog/bulkfetch"): searches.changelog_bulk,
    ("GET", "issue/{key}/changelog"): reads.issue_changelog,
    ("POST", "issue/{key}/changelog/list"): reads.issue_changelog_list,
    ("POST", "comment/list"): reads.comment_list,
    ("GET", "project/search"): reads.project_search,
}
DATA_CENTER: dict[tuple[str, str], Read | Write] = {
    ("GET", "search"): searches.search,
    ("POST", "search"): searches.search,
}


def cloud_app(store: Store) -> Starlette:
    """Jira Cloud over the projects of kind ``jira``."""
    return _app(store, cloud=True, versions={"2": "2", "3": "3", "latest": "3"}, endpoints={**CLOUD, **BOTH})


def dc_app(store: Store) -> Starlette:
    """Jira Data Center over the projects of kind ``jira``."""
    return _app(store, cloud=False, versions={"2": "2", "latest": "2"}, endpoints={**DATA_CENTER, **BOTH})


def _app(
    store: Store, *, cloud: bool, versions: dict[str, str], endpoints: dict[tuple[str, str], Read | Write]
) -> Starlette:
    pages: dict[str, Any] = {}
    routes = []
    by_path: dict[str, dict[str, Read | Write]] = {}
    for (method, path), work in endpoints.items():
        by_path.setdefault(path, {})[method] = work
    for said, api in versions.items():
        door = _Door(store, cloud=cloud, api=api, pages=pages)
        routes.append(Route(f"/rest/api/{said}/serverInfo", door.anonymous(reads.server_info), methods=["GET"]))
        # "project/search" must be tried before "project/{key}"
        for path, methods in sorted(by_path.items(), key=lambda one: "{" in one[0]):
            routes.append(Route(f"/rest/api/{said}/{path}", door.open(methods), methods=list(methods)))
    door = _Door(store, cloud=cloud, api="2", pages=pages)
    links = {"GET": _no_application_links}
    routes.append(Route("/rest/applinks/latest/listApplicationlinks", door.open(links), methods=["GET"]))
    return Starlette(routes=routes, exception_handlers={Refusal: _refused, 404: _unknown, 405: _unknown})


def _no_application_links(_: Session) -> Any:
    return {"list": []}


class _Door:
    """Lets a request in: credentials, body, one lock around what it does."""

    def __init__(self, store: Store, *, cloud: bool, api: str, pages: dict[str, Any]) -> None:
        self._store, self._cloud, self._api, self._pages = store, cloud, api, pages

    def open(self, methods: Mapping[str, Read | Write]) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            session = await self._session(request)
            with self._store.lock:
                try:
                    answer = methods["GET" if request.method == "HEAD" else request.method](session)
                except Refused as refused:
                    raise Refusal(400, str(refused)) from None
            status, content = answer if isinstance(answer, tuple) else (200, answer)
            return self._respond(session, status, content)

        return endpoint

    def anonymous(self, work: Read) -> Callable[[Request], Awaitable[Response]]:
        """For what needs no log-in; a wrong one is refused all the same."""

        async def endpoint(request: Request) -> Response:
            if request.headers.get("authorization"):
                await self._session(request)
            session = Session(self._store, self._cloud, self._api, _base(request), Token(""), request.query_params, {})
            return JSONResponse(work(session))

        return endpoint

    async def _session(self, request: Request) -> Session:
        header = request.headers.get("authorization", "")
        token = credential(header, self._store)
        if token is None:
            what = "Client must be authenticated to access this resource."
            raise Refusal(
                401, "You are not authenticated. Authentication required to perform this operation." if header else what
            )
        raw = await request.body()
        try:
            body = json.loads(raw) if raw else None
        except ValueError:
            raise Refusal(400, "There was an error parsing JSON. Check that your request body is valid.") from None
        return Session(
            self._store,
            self._cloud,
            self._api,
            _base(request),
            token,
            request.query_params,
            {name: str(value) for name, value in request.path_params.items()},
            body,
            request.scope.get(TRUNCATED_HISTORY),
            self._pages,
        )

    def _respond(self, session: Session, status: int, content: Any) -> Response:
        account = {"X-AAccountId": session.actor} if self._cloud else {"X-AUSERNAME": session.user.username}
        if content is None:
            return Response(status_code=status, headers=account)
        return JSONResponse(content, status_code=status, headers=account)


def _base(request: Request) -> str:
    return str(request.base_url).rstrip("/")


async def _refused(_: Request, refusal: Exception) -> Response:
    assert isinstance(refusal, Refusal)
    body = {"errorMessages": refusal.messages, "errors": refusal.errors}
    headers = {"WWW-Authenticate": 'OAuth realm="jira"', "X-Seraph-LoginReason": "AUTHENTICATED_FAILED"}
    return JSONResponse(body, status_code=refusal.status, headers=headers if refusal.status == 401 else None)  # noqa: PLR2004 - its own name


async def _unknown(request: Request, _: Exception) -> Response:
    text = f"null for uri: {request.url.path}"
    return JSONResponse({"message": text, "status-code": 404}, status_code=404)
