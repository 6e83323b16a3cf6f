"""A Jira over the sandbox's store, in two dialects, over real HTTP.

    cloud_app(store)    deploymentType Cloud: /rest/api/2 and /rest/api/3, token paging, capped expanded history
    dc_app(store)       deploymentType Server, 9.12: /rest/api/2, offset paging, complete expanded history

What it knows follows the vendor's published description; what it does not know it answers with 404, never with an
invented success. It holds no state of its own but the pages and tasks it has promised, and how often it was written to.

Cloud is served at its site and, as ``/ex/jira/{CLOUD_ID}``, at the gateway, where alone tokens with scopes are taken.
Every answer names the account in a header, ``anonymous`` where nobody is logged in.

What a test can ask of it, beside what people and connectors do:

    store.set_screen("CAR", ["labels", "comment"])         fields that may be edited at all
    store.set_operations("CAR", "comment", ["add"])        verbs of a field in ``update``
    store.create_token("t", "bot", permissions=[...], scopes=["read:jira-work"]); store.revoke_token("t")
    store.allow_anonymous()                                a dead token finds nothing, and is not told
    store.write_limits, store.index_lag, store.stuck_pages, store.bulk_stages
    store.translate("zh_CN", "status", "3", "...")         names by the language of the account
    store.deactivate_user("li-1", deleted=True); store.move_issue("CAR-1", "OTHER", actor="li-1"); store.remove_issue
    store.create_field(..., *service_desk.SLA); store.set_value("CAR-1", "customfield_10020", service_desk.sla(...))
    store.faults.add(Fault("status", status=429, retry_after=7, reason="jira-quota-tenant-based"))

Not known of the vendor, and decided here: a missing right to leave out notifications is refused (403), not ignored; a
document's length is that of its JSON; an edit may consist of properties alone; times in bulk histories are ISO texts.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.jira.stand_in import bulk, reads, screens, writes
from connectors.jira.stand_in import search as searches
from connectors.jira.stand_in.limits import WriteLimits
from connectors.jira.stand_in.session import Refusal, Session, credential
from connectors.sandbox.nouns import Token
from connectors.sandbox.server import TRUNCATED_HISTORY
from connectors.sandbox.store import Refused, Store

Read = Callable[[Session], Any]
Write = Callable[[Session], tuple[int, Any]]

CLOUD_ID = "8f4d0c1e-6b1f-4b7e-9a55-0d3c2a1b4e77"
"""Of the site, in the gateway's addresses; ``/_edge/tenant_info`` tells it."""

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
    ("POST", "bulk/issues/fields"): bulk.edit,
    ("POST", "bulk/issues/transition"): bulk.transition,
    ("GET", "bulk/queue/{task}"): bulk.progress,
}
DATA_CENTER: dict[tuple[str, str], Read | Write] = {
    ("GET", "search"): searches.search,
    ("POST", "search"): searches.search,
}

_READING = frozenset({
    "search", "search/jql", "search/approximate-count", "changelog/bulkfetch", "issue/{key}/changelog/list",
    "comment/list",
})  # fmt: skip
"""What is asked with POST and writes nothing."""


def cloud_app(store: Store) -> Starlette:
    """Jira Cloud over the projects of kind ``jira``."""
    return _app(store, cloud=True, versions={"2": "2", "3": "3", "latest": "3"}, endpoints={**CLOUD, **BOTH})


def dc_app(store: Store) -> Starlette:
    """Jira Data Center over the projects of kind ``jira``."""
    return _app(store, cloud=False, versions={"2": "2", "latest": "2"}, endpoints={**DATA_CENTER, **BOTH})


@dataclass(slots=True)
class _Kept:
    """What a dialect remembers between requests."""

    pages: dict[str, Any] = field(default_factory=dict)
    tasks: dict[str, Any] = field(default_factory=dict)
    found: dict[str, list[str]] = field(default_factory=dict)
    limits: WriteLimits = field(default_factory=WriteLimits)


def _app(
    store: Store, *, cloud: bool, versions: dict[str, str], endpoints: dict[tuple[str, str], Read | Write]
) -> Starlette:
    kept = _Kept()
    routes = []
    by_path: dict[str, dict[str, Read | Write]] = {}
    for (method, path), work in endpoints.items():
        by_path.setdefault(path, {})[method] = work
    for gateway in ("", f"/ex/jira/{CLOUD_ID}") if cloud else ("",):
        for said, api in versions.items():
            door = _Door(store, kept, cloud=cloud, api=api, gateway=gateway)
            root = f"{gateway}/rest/api/{said}"
            info = door.open("serverInfo", {"GET": reads.server_info}, public=True)
            routes.append(Route(f"{root}/serverInfo", info, methods=["GET"]))
            # "project/search" must be tried before "project/{key}"
            for path, methods in sorted(by_path.items(), key=lambda one: "{" in one[0]):
                routes.append(Route(f"{root}/{path}", door.open(path, methods), methods=list(methods)))
    door = _Door(store, kept, cloud=cloud, api="2")
    links = "/rest/applinks/latest/listApplicationlinks"
    routes.append(Route(links, door.open(links, {"GET": _no_application_links}), methods=["GET"]))
    if cloud:
        tenant = door.open("tenant_info", {"GET": lambda _: {"cloudId": CLOUD_ID}}, public=True)
        routes.append(Route("/_edge/tenant_info", tenant, methods=["GET"]))
    return Starlette(routes=routes, exception_handlers={404: door.unknown, 405: door.unknown})


def _no_application_links(_: Session) -> Any:
    return {"list": []}


class _Door:
    """Lets a request in: credentials, body, one lock around what it does."""

    def __init__(self, store: Store, kept: _Kept, *, cloud: bool, api: str, gateway: str = "") -> None:
        self._store, self._kept, self._cloud, self._api, self._gateway = store, kept, cloud, api, gateway

    def open(
        self, path: str, methods: Mapping[str, Read | Write], *, public: bool = False
    ) -> Callable[[Request], Awaitable[Response]]:
        """``public``: for what needs no log-in; a wrong one is refused all the same."""

        async def endpoint(request: Request) -> Response:
            raw = await request.body()
            method = "GET" if request.method == "HEAD" else request.method
            token = Token("")
            try:
                with self._store.lock:
                    token = self._let_in(request, public=public)
                    writing = method != "GET" and path not in _READING
                    if token.scopes is not None:
                        _in_scope(token.scopes, path, writing=writing)
                    session = self._session(request, token, raw)
                    if writing:
                        session.log_in()
                    answer = self._work(session, path, methods[method], writing=writing)
                status, content = answer if isinstance(answer, tuple) else (200, answer)
            except Refusal as refusal:
                return self._refused(request, refusal, token)
            return self._respond(status, content, self._headers(request, token))

        return endpoint

    def _work(self, session: Session, path: str, work: Read | Write, *, writing: bool) -> Any:
        store = self._store
        limited = writing and self._cloud and path.startswith("issue/{key}")
        issue = store.issue(session.path["key"]) if limited else None
        now = store.clock.now()
        if issue is not None:
            self._kept.limits.check(issue.id, now, store.write_limits)
        try:
            answer = work(session)
        except Refused as refused:
            raise Refusal(400, str(refused)) from None
        if issue is not None:
            self._kept.limits.written(issue.id, now, store.write_limits)
        return answer

    def _let_in(self, request: Request, *, public: bool) -> Token:
        """The token logged in with, or that of nobody. Raises Refusal(401)."""
        header = request.headers.get("authorization", "")
        token = credential(header, self._store)
        if token is not None and (token.scopes is None or self._gateway):
            return token
        # The site that lets anybody in takes a dead token for no token (Cloud); Data Center tells them apart.
        open_house = self._store.world.anonymous and not self._gateway
        if not header and (public or open_house):
            return Token("", permissions=frozenset())
        if open_house and self._cloud and header.lower().startswith("basic "):
            return Token("", permissions=frozenset())
        if not header:
            raise Refusal(401, "Client must be authenticated to access this resource.")
        if self._gateway:
            raise Refusal(401, body={"code": 401, "message": "Unauthorized"})
        raise Refusal(401, "You are not authenticated. Authentication required to perform this operation.")

    def _session(self, request: Request, token: Token, raw: bytes) -> Session:
        try:
            body = json.loads(raw) if raw else None
        except ValueError:
            raise Refusal(400, "There was an error parsing JSON. Check that your request body is valid.") from None
        return Session(
            self._store,
            self._cloud,
            self._api,
            str(request.base_url).rstrip("/") + self._gateway,
            token,
            request.query_params,
            {name: str(value) for name, value in request.path_params.items()},
            body,
            request.scope.get(TRUNCATED_HISTORY),
            self._kept.pages,
            self._kept.tasks,
            self._kept.found,
            gateway=self._gateway,
        )

    def _headers(self, request: Request, token: Token) -> dict[str, str]:
        """Who is logged in, and why nobody is where somebody tried."""
        user = self._store.users.get(token.user)
        name = "anonymous" if user is None else user.id if self._cloud else user.username
        headers = {"X-AAccountId" if self._cloud else "X-AUSERNAME": quote(name, safe=":")}
        if user is None and request.headers.get("authorization"):
            headers["X-Seraph-LoginReason"] = "AUTHENTICATED_FAILED"
        return headers

    def _respond(self, status: int, content: Any, headers: dict[str, str]) -> Response:
        if content is None:
            return Response(status_code=status, headers=headers)
        return JSONResponse(content, status_code=status, headers=headers)

    def _refused(self, request: Request, refusal: Refusal, token: Token) -> Response:
        headers = {**self._headers(request, token), **refusal.headers}
        if refusal.status == 401:  # noqa: PLR2004 - its own name
            headers["WWW-Authenticate"] = 'OAuth realm="jira"'
        return self._respond(refusal.status, refusal.body, headers)

    async def unknown(self, request: Request, _: Exception) -> Response:
        """What no route leads to."""
        token = credential(request.headers.get("authorization", ""), self._store) or Token("")
        text = f"null for uri: {request.url.path}"
        return self._respond(404, {"message": text, "status-code": 404}, self._headers(request, token))


def _in_scope(scopes: frozenset[str], path: str, *, writing: bool) -> None:
    """Raises Refusal(401) where a token's scopes do not reach this far."""
    needed = "write:jira-work" if writing else "read:jira-work"
    if writing and path.startswith("version"):
        needed = "manage:jira-project"
    if path in {"myself", "user", "user/search"}:
        needed = "read:jira-user"
    if needed not in scopes:
        raise Refusal(401, body={"code": 401, "message": "Unauthorized; scope does not match"})
