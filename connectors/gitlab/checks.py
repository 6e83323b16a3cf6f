"""What would fail later, found now: the log-in, the token, each group and project, and our role in them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from connectors.gitlab.client import group_path, project_path
from connectors.gitlab.payload import Malformed, day, one, text_of
from connectors.gitlab.server import Generation
from connectors.tracker import CredentialsRefused, Finding, NotFound, PermissionRefused, Rejected, TrackerError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from connectors.gitlab.client import GitLabClient
    from connectors.gitlab.payload import Payload
    from connectors.gitlab.server import Server

# Access levels: docs.gitlab.com/api/members. A planner may set labels, assignees and dates like a reporter.
_PLANNER = 15
_LEVELS = {5: "Minimal", 10: "Guest", 15: "Planner", 20: "Reporter", 30: "Developer", 40: "Maintainer", 50: "Owner"}
_SOON = timedelta(days=30)


class Checks:
    """Looks at one GitLab with its own eyes: nothing that was kept from earlier runs counts."""

    def __init__(self, client: GitLabClient, server: Server) -> None:
        self._client = client
        self._server = server

    def check(self, projects: Sequence[str]) -> Iterator[Finding]:
        """Args: projects: full paths, and groups as ``acme/*``."""
        self._server.ask_anew()
        try:
            who = self._server.account()
        except TrackerError as error:
            yield Finding("log-in", ok=False, detail=error.detail, advice=error.advice)
            return
        yield Finding("log-in", ok=True, detail=f"as {who.id}" + (f" ({who.name})" if who.name else ""))
        yield from self._token()
        by_graphql = self._server.generation() is Generation.WORK_ITEMS
        speed = "40 to 100 issues a request" if by_graphql else "about 5 requests an issue"
        yield Finding("API", ok=True, detail=f"{self._server.words()}: {speed}")
        for project in projects:
            yield self._group(project[:-2]) if project.endswith("/*") else self._project(project)

    def _token(self) -> Iterator[Finding]:
        try:
            token = one(self._client.rest("GET", "personal_access_tokens/self", doing="look at the token"))
        except (NotFound, PermissionRefused, Rejected, CredentialsRefused):
            # OAuth tokens, old servers, and tokens without a scope for it: their log-in was good all the same.
            return
        scopes = [scope for scope in token.get("scopes") or [] if isinstance(scope, str)]
        expires = text_of(token.get("expires_at"))
        until = f", expires {expires}" if expires else ", does not expire"
        listed = f"scopes {', '.join(scopes) or 'none told'}{until}"
        if "api" in scopes or not scopes:
            yield Finding("token", ok=True, detail=listed)
        elif "read_api" in scopes:
            advice = "Enough to plan; to apply, use a token with the scope 'api'"
            yield Finding("token", ok=False, detail=f"{listed}: it can read, not write", advice=advice)
        else:
            advice = "Use a token with the scope 'api' ('read_api' is enough to plan)"
            yield Finding("token", ok=False, detail=listed, advice=advice)
        yield from self._expiry(expires)

    def _expiry(self, expires: str) -> Iterator[Finding]:
        today = self._client.server_day()
        try:
            last = day(expires)
        except Malformed:
            return
        if last is None or today is None or last - today > _SOON:
            return
        advice = "Make a new token (or rotate this one) and put it where the site file looks for it"
        left = (last - today).days
        detail = f"ends in {left} day{'' if left == 1 else 's'}, on {expires}" if left > 0 else f"ended on {expires}"
        yield Finding("token expiry", ok=False, detail=detail, advice=advice)

    # ----------------------------------------------------------------------------------------------- groups, projects

    def _group(self, group: str) -> Finding:
        subject, doing = f"group {group}", f"look at group {group}"
        try:
            self._client.rest("GET", group_path(group), doing=doing, query={"with_projects": "false"})
            level = self._role(group_path(group), doing)
        except TrackerError as error:
            return Finding(subject, ok=False, detail=error.detail, advice=error.advice or "Check the site file")
        return _of_level(subject, level)

    def _project(self, project: str) -> Finding:
        subject, doing = f"project {project}", f"look at project {project}"
        try:
            found = one(self._client.rest("GET", project_path(project), doing=doing))
            level = self._level(project, found)
        except TrackerError as error:
            return Finding(subject, ok=False, detail=error.detail, advice=error.advice or "Check the site file")
        if found.get("issues_enabled") is False or found.get("issues_access_level") == "disabled":
            advice = "Switch issues on in the project's settings, or take it off the site file"
            return Finding(subject, ok=False, detail="its issues are switched off", advice=advice)
        if found.get("archived") is True:
            advice = "Take it off the site file: nothing can be written there"
            return Finding(subject, ok=False, detail="it is archived", advice=advice)
        return _of_level(subject, level)

    def _level(self, project: str, found: Payload) -> int:
        permissions = one(found.get("permissions"))
        levels = [one(permissions.get(name)).get("access_level") for name in ("project_access", "group_access")]
        known = [level for level in levels if isinstance(level, int)]
        # Membership that comes from a group further up is told only in the list of members.
        return max(known) if known else self._role(project_path(project), f"look up our role in {project}")

    def _role(self, path: str, doing: str) -> int:
        try:
            member = one(self._client.rest("GET", f"{path}/members/all/{self._server.account_number()}", doing=doing))
        except (NotFound, PermissionRefused):
            return 0
        level = member.get("access_level")
        return level if isinstance(level, int) else 0


def _of_level(subject: str, level: int) -> Finding:
    named = _LEVELS.get(level, str(level)) if level else "no member"
    ok = level >= _PLANNER
    advice = "" if ok else "Give the account the role Reporter, to label, assign and set due dates"
    return Finding(subject, ok=ok, detail=f"access: {named}", advice=advice)
