"""One request to the Jira stand-in: who asks what, in which dialect, and how it is told no."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.datastructures import QueryParams

from connectors.sandbox.nouns import Issue, Project, Token, User
from connectors.sandbox.store import Store

_SCALARS = "a list of numbers or texts"
_KINDS: dict[str, tuple[type | str, ...]] = {
    **dict.fromkeys(("jql", "nextPageToken", "globalId", "relationship", "name", "project", "releaseDate"), (str,)),
    **dict.fromkeys(("description", "accountId", "key", "startDate", "moveUnfixedIssuesTo"), (str,)),
    **dict.fromkeys(("maxResults", "startAt"), (int,)),
    **dict.fromkeys(("update", "historyMetadata", "transition", "visibility", "object"), (dict,)),
    **dict.fromkeys(("application", "type", "inwardIssue", "outwardIssue", "comment"), (dict,)),
    **dict.fromkeys(("released", "archived", "fieldsByKeys", "failFast"), (bool,)),
    **dict.fromkeys(("issueIdsOrKeys", "fieldIds", "ids", "changelogIds", "reconcileIssues"), (_SCALARS,)),
    "projectId": (int, str),
    "properties": (list,),
    "fields": (dict, list),
    "expand": (str, list),
}
"""What a member of a body must be, wherever it stands; the rest is looked at where it is used."""


def _is_a(value: object, kinds: tuple[type | str, ...]) -> bool:
    if isinstance(value, bool):
        return bool in kinds or not kinds
    if isinstance(value, int) and value < 0:
        return not kinds
    scalars = isinstance(value, list) and all(isinstance(one, (int, str)) for one in value)
    return (
        not kinds
        or (_SCALARS in kinds and scalars)
        or isinstance(value, tuple(one for one in kinds if isinstance(one, type)))
    )


class Refusal(Exception):
    """An answer in Jira's own error shape.

    Attributes:
        status, messages, errors (field -> text), headers.
        body: the whole answer, where it has another shape.
    """

    def __init__(
        self,
        status: int,
        *messages: str,
        errors: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(*messages)
        self.status = status
        self.messages = list(messages)
        self.errors = dict(errors or {})
        self.headers = dict(headers or {})
        self.body = dict(body or {"errorMessages": self.messages, "errors": self.errors})


@dataclass(slots=True)
class Session:
    """A request that has been let in.

    Attributes:
        cloud: the dialect, Cloud or Data Center.
        api: ``2`` or ``3``: how texts are written.
        base: address the API was asked at, without a trailing slash. site: the one that people use; the same but
            for the gateway.
        token: of nobody (``user`` "") where an anonymous one was let in.
        body: the parsed JSON body, None where there is none.
        people, words: those shown so far, by account id, and by project, field, id and language.
        keep: show only so many of the latest history entries (a fault), None for all.
    """

    store: Store
    cloud: bool
    api: str
    base: str
    token: Token
    query: QueryParams
    path: Mapping[str, str]
    body: Any = None
    keep: int | None = None
    pages: dict[str, Any] = field(default_factory=dict)
    tasks: dict[str, Any] = field(default_factory=dict)
    found: dict[str, list[str]] = field(default_factory=dict)
    people: dict[str, dict[str, Any] | None] = field(default_factory=dict)
    words: dict[tuple[str, str, Any, str], tuple[Any, Any]] = field(default_factory=dict)
    gateway: str = ""

    @property
    def actor(self) -> str:
        return self.token.user

    @property
    def user(self) -> User:
        return self.store.users[self.token.user]

    @property
    def locale(self) -> str:
        """Language of the account, "" for the one the words were made in."""
        return "" if self.anonymous else self.user.locale

    @property
    def anonymous(self) -> bool:
        return not self.token.user

    @property
    def site(self) -> str:
        return self.base.removesuffix(self.gateway)

    def log_in(self) -> None:
        """Raises Refusal(401) where nobody is logged in."""
        if self.anonymous:
            raise Refusal(401, "Client must be authenticated to access this resource.")

    @property
    def rest(self) -> str:
        """Address of the API in the version asked for."""
        return f"{self.base}/rest/api/{self.api}"

    def members(self, *known: str, required: tuple[str, ...] = ()) -> dict[str, Any]:
        """The body as an object of known members. Raises Refusal(400)."""
        if not isinstance(self.body, dict):
            raise Refusal(400, "Invalid request payload. Refer to the REST API documentation and try again.")
        for name in self.body:
            if name not in known:
                raise Refusal(400, f'Unrecognized field "{name}"; known properties: {sorted(known)}')
        for name in required:
            if self.body.get(name) is None:
                raise Refusal(400, errors={name: f"{name} is required."})
        for name, value in self.body.items():
            if value is not None and not _is_a(value, _KINDS.get(name, ())):
                raise Refusal(
                    400, f"Can not deserialize the value of '{name}'.", errors={name: "data was of a wrong type"}
                )
        return self.body

    def number(self, name: str, default: int, *, most: int | None = None) -> int:
        """A count in the query. Raises Refusal(400) for what is not one."""
        text = self.query.get(name, "")
        if not text:
            return default
        try:
            value = int(text)
        except ValueError:
            raise Refusal(400, f"The value {text!r} of {name} is not a number.") from None
        if value < 0:
            raise Refusal(400, f"The value of {name} must not be negative.")
        return value if most is None else min(value, most)

    def many(self, name: str) -> list[str]:
        """A list in the query: a parameter given several times, each perhaps with commas."""
        return [part for value in self.query.getlist(name) for part in re.split(r"\s*,\s*", value) if part]

    def projects(self) -> list[Project]:
        """The Jira projects this account may see."""
        return [one for one in self.store.projects.values() if one.kind == "jira" and self.token.sees(one.key)]

    def project(self, key_or_id: str) -> Project:
        """Raises Refusal(404)."""
        found = self.store.project(key_or_id)
        if found is None or found.kind != "jira" or not self.token.sees(found.key):
            raise Refusal(404, f"No project could be found with key '{key_or_id}'.")
        return found

    def issue(self, key_or_id: str) -> Issue:
        """Raises Refusal(404)."""
        found = self.store.issue(key_or_id)
        if found is None or found.project not in {one.key for one in self.projects()}:
            raise Refusal(404, "Issue does not exist or you do not have permission to see it.")
        return found

    def home(self, issue: Issue) -> Project:
        return self.store.projects[issue.project]

    def need(self, permission: str, what: str) -> None:
        """Raises Refusal(403) without the permission."""
        if not self.token.may(permission):
            raise Refusal(403, f"You do not have permission to {what}.")

    def find_user(self, said: object) -> User | None:
        """The user a body names: by accountId on Cloud, by name or key on Data Center."""
        if not isinstance(said, dict):
            return None
        if self.cloud:
            return self.store.users.get(str(said.get("accountId")))
        name = said.get("name") or said.get("key")
        return self.store.user(str(name)) if name else None


def credential(header: str, store: Store) -> Token | None:
    """The token an Authorization header stands for; None where it does not log anybody in.

    Basic: mail address (or login name) and token, which must belong together. Bearer: the token alone.
    """
    scheme, _, value = header.partition(" ")
    if scheme.lower() == "bearer":
        return store.token(value.strip())
    if scheme.lower() != "basic":
        return None
    try:
        name, _, text = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    token = store.token(text)
    if token is None:
        return None
    user = store.users[token.user]
    return token if name in {user.email, user.username} - {""} else None
