"""Which GitLab answers, who we are on it, and whether it will let us do our work.

Rules:

1. The generation is told by one look at the schema, never guessed from a version.
2. An account is known before anything is read: an anonymous session sees less and says nothing about it.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from connectors.gitlab import documents
from connectors.gitlab.client import project_path
from connectors.gitlab.payload import actor, number, objects, one, text_of
from connectors.tracker import (
    BadAnswer,
    CredentialsRefused,
    Finding,
    NotFound,
    PermissionRefused,
    Rejected,
    ServerFailed,
    TrackerError,
)
from policies.issue import Actor, Role

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from connectors.cache import Cache
    from connectors.gitlab.client import GitLabClient
    from connectors.gitlab.payload import Payload

# Access levels: docs.gitlab.com/api/members. A planner may set labels, assignees and dates like a reporter.
_PLANNER = 15
_LEVELS = {5: "Minimal", 10: "Guest", 15: "Planner", 20: "Reporter", 30: "Developer", 40: "Maintainer", 50: "Owner"}


class Generation(StrEnum):
    """How issues are read and written: GraphQL work items with ``updatedAfter`` and whole threads, or REST alone."""

    WORK_ITEMS = "GraphQL"
    REST = "REST"


class Server:
    """What is known of one GitLab; each thing is asked for once."""

    def __init__(self, client: GitLabClient, cache: Cache) -> None:
        self._client = client
        self._cache = cache
        self._generation: Generation | None = None
        self._version: str | None = None
        self._account: Actor | None = None
        self._account_number = ""

    def generation(self) -> Generation:
        """Which API holds whole histories here."""
        if self._generation is None:
            try:
                seen = self._client.graphql("Probe", documents.PROBE, {}, doing="look at the schema")
                self._generation = Generation.WORK_ITEMS if _speaks_work_items(seen) else Generation.REST
            except (NotFound, Rejected, PermissionRefused, BadAnswer, ServerFailed):
                # No GraphQL, or introspection is switched off by a proxy.
                self._generation = Generation.REST
        return self._generation

    def fall_back(self) -> None:
        """The schema promised more than it holds: REST from now on."""
        self._generation = Generation.REST

    def words(self) -> str:
        """``GitLab 19.2.0-ee (GraphQL)``."""
        if self._version is None:
            try:
                answer = one(self._client.rest("GET", "version", doing="ask for the version"))
                self._version = text_of(answer.get("version"))
            except (NotFound, PermissionRefused, Rejected):
                self._version = ""
        return " ".join(part for part in ("GitLab", self._version, f"({self.generation()})") if part)

    def account(self) -> Actor:
        """The account that the token belongs to.

        Raises:
            CredentialsRefused: nobody is logged in.
        """
        if self._account is None:
            doing = "see who is logged in"
            answer = one(self._client.rest("GET", "user", doing=doing))
            who = actor(answer)
            if not who.id:
                raise CredentialsRefused("nobody is logged in", tracker=self._client.name, doing=doing)
            self._account_number = number(answer.get("id"))
            self._account = Actor(who.id, who.name, bot=who.bot, active=who.active, role=Role.OWN)
        return self._account

    # ---------------------------------------------------------------------------------------------------------- check

    def check(self, projects: Sequence[str]) -> Iterator[Finding]:
        """What would fail later, found now."""
        try:
            who = self.account()
        except TrackerError as error:
            yield Finding("log-in", ok=False, detail=error.detail, advice=error.advice)
            return
        yield Finding("log-in", ok=True, detail=f"as {who.id}" + (f" ({who.name})" if who.name else ""))
        yield from self._token()
        generation = self.generation()
        yield Finding(
            "API",
            ok=True,
            detail=f"{self.words()}: "
            + ("about 50 issues a request" if generation is Generation.WORK_ITEMS else "about 4 requests an issue"),
        )
        for project in projects:
            yield from self._project(project)

    def _token(self) -> Iterator[Finding]:
        try:
            answer = self._client.rest("GET", "personal_access_tokens/self", doing="look at the token")
        except (NotFound, PermissionRefused, Rejected, CredentialsRefused):
            # OAuth tokens, old servers, and tokens without a scope for it: their log-in was good all the same.
            return
        token = one(answer)
        scopes = [scope for scope in token.get("scopes") or [] if isinstance(scope, str)]
        expires = text_of(token.get("expires_at"))
        until = f", expires {expires}" if expires else ", does not expire"
        listed = ", ".join(scopes) or "none told"
        if "api" in scopes or not scopes:
            yield Finding("token", ok=True, detail=f"scopes {listed}{until}")
        elif "read_api" in scopes:
            advice = "Enough to plan; to apply, use a token with the scope 'api'"
            yield Finding("token", ok=False, detail=f"scopes {listed}{until}: it can read, not write", advice=advice)
        else:
            advice = "Use a token with the scope 'api' ('read_api' is enough to plan)"
            yield Finding("token", ok=False, detail=f"scopes {listed}{until}", advice=advice)

    def _project(self, project: str) -> Iterator[Finding]:
        subject = f"project {project}"
        doing = f"look at project {project}"
        try:
            found = one(self._client.rest("GET", project_path(project), doing=doing))
            level = self._level(project, found)
        except TrackerError as error:
            advice = error.advice or "Check the site file"
            yield Finding(subject, ok=False, detail=error.detail, advice=advice)
            return
        if found.get("issues_enabled") is False or found.get("issues_access_level") == "disabled":
            advice = "Switch issues on in the project's settings, or take it off the site file"
            yield Finding(subject, ok=False, detail="its issues are switched off", advice=advice)
            return
        if found.get("archived") is True:
            advice = "Take it off the site file: nothing can be written there"
            yield Finding(subject, ok=False, detail="it is archived", advice=advice)
            return
        named = _LEVELS.get(level, str(level)) if level else "no member"
        yield Finding(
            subject,
            ok=level >= _PLANNER,
            detail=f"access: {named}",
            advice=""
            if level >= _PLANNER
            else "Give the account the role Reporter, to label, assign and set due dates",
        )

    def _level(self, project: str, found: Payload) -> int:
        permissions = one(found.get("permissions"))
        levels = [one(permissions.get(name)).get("access_level") for name in ("project_access", "group_access")]
        known = [level for level in levels if isinstance(level, int)]
        if known:
            return max(known)
        try:
            # Membership that comes from a group further up is told only here.
            path = f"{project_path(project)}/members/all/{self._account_number}"
            level = one(self._client.rest("GET", path, doing=f"look up our role in {project}")).get("access_level")
        except (NotFound, PermissionRefused):
            return 0
        return level if isinstance(level, int) else 0


def _speaks_work_items(seen: Payload) -> bool:
    def arguments(kind: str, field: str) -> set[str]:
        for one_field in objects(one(seen.get(kind)).get("fields")):
            if one_field.get("name") == field:
                return {text_of(argument.get("name")) for argument in objects(one_field.get("args"))}
        return set()

    mutations = {text_of(field.get("name")) for field in objects(one(seen.get("mutation")).get("fields"))}
    return (
        {"updatedAfter", "sort", "types", "iids"} <= arguments("project", "workItems")
        and "filter" in arguments("notes", "discussions")
        and {"workItemUpdate", "createNote", "updateNote"} <= mutations
    )
