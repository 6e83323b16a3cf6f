"""One request, with who asks and what was sent, and the ways in which GitLab says no."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from connectors.gitlab.stand_in.groups import groups

if TYPE_CHECKING:
    from starlette.requests import Request

    from connectors.gitlab.stand_in.groups import Group
    from connectors.gitlab.stand_in.server import Generation, Server
    from connectors.gitlab.stand_in.shapes import Shapes
    from connectors.gitlab.stand_in.terms import Terms
    from connectors.sandbox.nouns import Issue, Project, Token
    from connectors.sandbox.store import Store

_DIGITS = 19
TITLE_LENGTH = 255
TEXT_LENGTH = 1_000_000


class Refusal(Exception):
    """An answer that is a no. Attributes: status: HTTP status. body: JSON body, in GitLab's words. headers: more."""

    def __init__(self, status: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> None:
        super().__init__(f"{status} {body}")
        self.status = status
        self.body = body
        self.headers = headers or {}

    @classmethod
    def message(cls, status: int, message: Any) -> Refusal:
        """Most refusals: ``{"message": ...}``."""
        return cls(status, {"message": message})

    @classmethod
    def invalid(cls, error: str) -> Refusal:
        """A parameter that is missing or makes no sense: 400 ``{"error": "title is missing"}``."""
        return cls(400, {"error": error})


def missing(noun: str = "") -> Refusal:
    """404, with the noun where GitLab names it."""
    return Refusal.message(404, f"404 {noun} Not Found" if noun else "404 Not found")


@dataclass(frozen=True, slots=True)
class Call:
    """Attributes.

    token: who asks; None for nobody.
    path: named pieces of the path, decoded. params: query and body in one, lists where ``name[]`` was sent.
    query: the query as sent, for the addresses of further pages. url: address without query.
    keep: how much of each history to show, None for all.
    """

    server: Server
    shapes: Shapes
    token: Token | None
    path: dict[str, str]
    params: dict[str, Any]
    query: list[tuple[str, str]]
    url: str
    keep: int | None = None

    @property
    def store(self) -> Store:
        return self.server.store

    @property
    def generation(self) -> Generation:
        return self.server.generation

    @property
    def terms(self) -> Terms:
        return self.server.terms

    # ---------------------------------------------------------------------------------------------------- who asks
    def account(self) -> Token:
        """The token. Raises Refusal 401 for nobody."""
        if self.token is None:
            raise Refusal.message(401, "401 Unauthorized")
        return self.token

    def need(self, permission: str, project: Project | None = None) -> Token:
        """The token, if it allows a thing. Raises Refusal 401 or 403."""
        token = self.account()
        if token.permissions == frozenset({"browse"}):
            body = {
                "error": "insufficient_scope",
                "error_description": "The request requires higher privileges than provided by the access token.",
                "scope": "api",
            }
            raise Refusal(403, body)
        if not token.may(permission, project.key if project else None):
            raise Refusal.message(403, "403 Forbidden")
        return token

    def insider(self) -> bool:
        """Not a customer: sees internal notes and confidential issues."""
        user = self.store.users.get(self.token.user) if self.token else None
        return user is not None and not user.customer

    # ------------------------------------------------------------------------------------------------ what is asked
    def project(self, name: str = "project") -> Project:
        """The project of the path, by id or full path. Raises Refusal 404."""
        found = self.visible(self.path[name])
        if found is None:
            raise missing("Project")
        return found

    def visible(self, key_or_id: str) -> Project | None:
        found = self.store.project(key_or_id)
        if found is None and "/" in key_or_id:
            keys = (one for one in self.store.projects.values() if one.key.casefold() == key_or_id.casefold())
            found = next(keys, None)
        if found is None or found.kind != "gitlab" or self.token is None or not self.token.sees(found.key):
            return None
        return found

    def projects(self) -> list[Project]:
        """All that the caller sees."""
        return [one for one in self.store.projects.values() if self.visible(one.key)]

    def groups(self) -> dict[str, Group]:
        """Groups by full path (in lower case) and id, with what of them the caller sees."""
        return groups(self.store, self.projects())

    def group(self, name: str = "group") -> Group:
        """The group of the path, by id or full path, with what of it the caller sees. Raises Refusal 404."""
        found = self.groups().get(self.path[name].casefold())
        if found is None:
            raise missing("Group")
        return found

    def issue(self) -> Issue:
        """The issue of the path. Raises Refusal 404."""
        project, iid = self.project(), self.path["iid"]
        if not iid.isdecimal():
            raise Refusal.invalid("issue_iid is invalid")
        found = project.issues.get(whole_number(iid))
        if found is None or not self.sees(found):
            raise missing()
        return found

    def sees(self, issue: Issue) -> bool:
        if not issue.confidential or self.insider():
            return True
        return self.token is not None and self.token.user in {issue.reporter, *issue.assignees}

    def reads(self, issue: Issue) -> bool:
        """Whether the caller sees an issue of any project."""
        return self.visible(issue.project) is not None and self.sees(issue)

    def now(self) -> datetime:
        return self.store.clock.now()

    # ---------------------------------------------------------------------------------------------------- parameters
    def given(self, name: str) -> bool:
        return name in self.params

    def text(self, name: str, default: str = "") -> str:
        value = self.params.get(name)
        if isinstance(value, list | dict):
            raise Refusal.invalid(f"{name} is invalid")
        return default if value is None else str(value)

    def required(self, *names: str) -> None:
        """Raises Refusal 400 for what is not there."""
        if absent := [name for name in names if self.params.get(name) is None]:
            raise Refusal.invalid(", ".join(f"{name} is missing" for name in absent))

    def choice(self, name: str, allowed: tuple[str, ...], default: str) -> str:
        value = self.text(name, default)
        if value not in allowed:
            raise Refusal.invalid(f"{name} does not have a valid value")
        return value

    def whole(self, name: str, default: int) -> int:
        value = self.params.get(name)
        if value is None or value == "":
            return default
        try:
            return int(value)
        except (TypeError, ValueError):
            raise Refusal.invalid(f"{name} is invalid") from None

    def flag(self, name: str, default: bool | None = None) -> bool | None:
        value = self.params.get(name)
        if value is None or value == "":
            return default
        if str(value).lower() in {"true", "1", "t", "on"}:
            return True
        if str(value).lower() in {"false", "0", "f", "off"}:
            return False
        raise Refusal.invalid(f"{name} is invalid")

    def words(self, name: str) -> list[str]:
        """A list, or a text with commas."""
        value = self.params.get(name)
        if value is None:
            return []
        parts = value if isinstance(value, list) else str(value).split(",")
        return [text for part in parts if (text := str(part).strip())]

    def numbers(self, name: str) -> list[int]:
        try:
            return [int(one) for one in self.words(name)]
        except ValueError:
            raise Refusal.invalid(f"{name} is invalid") from None

    def moment(self, name: str) -> datetime | None:
        value = self.text(name)
        if not value:
            return None
        try:
            found = datetime.fromisoformat(value.replace(" ", "+"))
        except ValueError:
            raise Refusal.invalid(f"{name} is invalid") from None
        return found if found.tzinfo else found.replace(tzinfo=UTC)

    def day(self, name: str) -> date | None:
        value = self.text(name)
        if not value:
            return None
        try:
            return date.fromisoformat(value[:10])
        except ValueError:
            raise Refusal.invalid(f"{name} is invalid") from None


def parameters(query: list[tuple[str, str]], body: bytes, kind: str) -> dict[str, Any]:
    """Query and body in one. Raises Refusal 400 for a body that is not what it says."""
    params: dict[str, Any] = {}
    pairs = list(query)
    if body and "json" not in kind:
        pairs += parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)
    for name, value in pairs:
        if name.endswith("[]"):
            params.setdefault(name[:-2], []).append(value)
        else:
            params[name] = value
    if body and "json" in kind:
        try:
            said = json.loads(body)
        except (ValueError, RecursionError):
            raise Refusal.message(400, "400 Bad request - the body is not valid JSON") from None
        if not isinstance(said, dict):
            raise Refusal.message(400, "400 Bad request - the body is not an object")
        params.update(said)
    if unfit(params):
        raise Refusal.message(400, "400 Bad request")
    return params


def unfit(value: Any) -> bool:
    """Whether a text in it holds what no database of the vendor's takes: NUL, or half a character."""
    if isinstance(value, str):
        try:
            return b"\0" in value.encode()
        except UnicodeEncodeError:
            return True
    if isinstance(value, dict):
        return any(unfit(one) for pair in value.items() for one in pair)
    return isinstance(value, list) and any(map(unfit, value))


def whole_number(text: str) -> int:
    """The number a text is, -1 for none (so many digits that no id has them count as none)."""
    return int(text) if text.isdecimal() and len(text) <= _DIGITS else -1


def asker(store: Store, request: Request) -> Token | str | None:
    """The token of a request; None where none was sent, "" where a wrong one was."""
    text = request.headers.get("private-token")
    if text is None:
        scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
        if scheme.casefold() != "bearer":
            return None
        text = bearer.strip()
    found = store.token(text)
    if found is None or (found.expires is not None and found.expires <= store.clock.now().date()):
        return ""
    return found


def base_of(request: Request) -> str:
    """The address of the server as the caller reached it."""
    root = request.scope.get("root_path", "")
    return f"{request.url.scheme}://{request.headers.get('host', 'localhost')}{root}"
