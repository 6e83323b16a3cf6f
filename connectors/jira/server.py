"""What is asked of a Jira server once: which one it is, who we are, its words, what we may do. Kept for the session.

Rules:

1. Cloud (REST v3, ADF) or Data Center (REST v2, wiki markup) is the server's own answer, never a guess.
2. Nothing is asked before it is needed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from connectors.cache import Cache, SessionCache
from connectors.jira.client import JiraClient
from connectors.jira.fields import NO_FIELDS, Field, Fields, field_of, resolved
from connectors.jira.history import identifier
from connectors.jira.mapping import Source, word_of
from connectors.jira.people import account_of, actor_of
from connectors.jira.text import received
from connectors.retry import Kind, Retry
from connectors.tracker import Connection, CredentialsRefused, NotFound, PermissionRefused, Rejected
from policies.issue import Actor, Role, Word


@dataclass(frozen=True, slots=True)
class Account:
    """Who is logged in. Attributes: zone: of the account's profile, in which JQL dates are meant; None if unknown."""

    actor: Actor
    zone: ZoneInfo | None


class JiraServer:
    """One server as one account sees it."""

    def __init__(self, connection: Connection, *, retry: Retry | None = None, cache: Cache | None = None) -> None:
        self.client = JiraClient(connection, retry=retry)
        self.cache: Cache = cache or SessionCache()
        self.named = connection.fields
        self._may: dict[tuple[str, str], bool] = {}

    @cached_property
    def cloud(self) -> bool:
        """Whether this is Jira Cloud; the first question to any server, as it settles the API's version."""
        is_cloud = received(self._info.get("deploymentType")).casefold() == "cloud"
        self.client.speak("3" if is_cloud else "2")
        return is_cloud

    @cached_property
    def _info(self) -> Mapping[str, Any]:
        return self.object("serverInfo", doing="ask which Jira this is")

    @property
    def title(self) -> str:
        """What answered, in words."""
        version = received(self._info.get("version"))
        return "Jira Cloud" if self.cloud else f"Jira Data Center {version}".strip()

    @cached_property
    def url(self) -> str:
        """The address people use; the API's own may be another one (scoped tokens go through api.atlassian.com)."""
        base = received(self._info.get("baseUrl")).rstrip("/")
        return base if base.startswith(("https://", "http://")) else self.client.url

    @cached_property
    def account(self) -> Account:
        """Raises CredentialsRefused where nobody is logged in."""
        doing = "log in"
        # The API's version is settled first.
        _ = self.cloud
        user = self.object("myself", doing=doing)
        if not account_of(user):
            raise CredentialsRefused("nobody is logged in", tracker=self.client.name, doing=doing)
        try:
            zone = ZoneInfo(received(user.get("timeZone")))
        except (ZoneInfoNotFoundError, ValueError, OSError):
            zone = None
        return Account(replace(actor_of(user, ""), role=Role.OWN), zone)

    @cached_property
    def source(self) -> Source:
        """What the mapping needs to know of this server."""
        return Source(
            tracker=self.client.name,
            url=self.url,
            own=self.account.actor.id,
            group=lambda status: self._groups.get(status, ""),
        )

    @cached_property
    def _groups(self) -> dict[str, str]:
        return {word.id: word.group for word in self._words("status", "read the statuses")}

    @cached_property
    def priorities(self) -> tuple[Word, ...]:
        return self._words("priority", "read the priorities")

    @cached_property
    def listed_fields(self) -> tuple[Field, ...]:
        """All fields of this Jira that the account may see."""
        _ = self.cloud
        found = (field_of(entry) for entry in self.list("field", doing="read the fields"))
        return tuple(field for field in found if field is not None)

    @cached_property
    def fields(self) -> Fields:
        """The fields that the site names. Nothing is asked where it names none. Raises UnknownField."""
        return resolved(self.named, self.listed_fields, self.client.name) if self.named else NO_FIELDS

    def _words(self, what: str, doing: str) -> tuple[Word, ...]:
        return tuple(word_of(entry) for entry in self.list(what, doing=doing))

    def permissions(self, project: str, names: Sequence[str]) -> dict[str, bool]:
        """Which of these permissions the account has in a project; asked once per project and name."""
        unknown = [name for name in names if (project, name) not in self._may]
        if unknown:
            _ = self.cloud
            answer = self.object(
                "mypermissions",
                doing=f"ask what the account may do in {project}",
                params={"projectKey": project, "permissions": ",".join(unknown)},
            )
            found = answer.get("permissions")
            for name in unknown:
                entry = found.get(name) if isinstance(found, Mapping) else None
                self._may[project, name] = isinstance(entry, Mapping) and entry.get("havePermission") is True
        return {name: self._may[project, name] for name in names}

    def quiet(self, project: str) -> dict[str, str | int]:
        """``notifyUsers=false`` where the account may write without mail to everybody, nothing where it may not.

        Sent without the permission, Jira refuses or ignores the whole write.
        """
        try:
            may = self.permissions(project, ("ADMINISTER_PROJECTS", "ADMINISTER"))
        except (NotFound, PermissionRefused, Rejected):
            return {}
        return {"notifyUsers": "false"} if any(may.values()) else {}

    def project(self, key: str) -> Mapping[str, Any]:
        """Raises NotFound, with the project named, where the account does not see it."""
        doing = f"read project {key}"
        _ = self.cloud
        try:
            return self.object("project/{project}", doing=doing, project=key)
        except NotFound:
            raise NotFound(
                f"there is no project {key!r}, or this account may not see it", tracker=self.client.name, doing=doing
            ) from None

    # --------------------------------------------------------------------------------------------- answers of a shape

    def object(
        self, template: str, *, doing: str, params: dict[str, str | int] | None = None, **names: str
    ) -> Mapping[str, Any]:
        """A GET whose answer must be a JSON object. Raises BadAnswer for anything else."""
        answer = self.client.call("GET", template, doing=doing, kind=Kind.READ, params=params, body=None, **names)
        return self.expect_object(answer, doing)

    def list(
        self, template: str, *, doing: str, params: dict[str, str | int] | None = None, **names: str
    ) -> Sequence[Any]:
        """A GET whose answer must be a JSON list. Raises BadAnswer for anything else."""
        answer = self.client.call("GET", template, doing=doing, kind=Kind.READ, params=params, body=None, **names)
        if not isinstance(answer, list):
            raise self.client.bad_answer("the answer is no list", doing)
        return answer

    def expect_object(self, answer: Any, doing: str) -> Mapping[str, Any]:
        if not isinstance(answer, Mapping):
            raise self.client.bad_answer("the answer is no object", doing)
        return answer

    def expect_list(self, answer: Any, member: str, doing: str) -> Sequence[Any]:
        """The list that an object must hold under ``member``."""
        found = answer.get(member) if isinstance(answer, Mapping) else None
        if not isinstance(found, list):
            raise self.client.bad_answer(f"the answer has no list {member!r}", doing)
        return found

    def number(self, answer: Mapping[str, Any], member: str, otherwise: int) -> int:
        found = answer.get(member)
        return found if isinstance(found, int) and not isinstance(found, bool) else otherwise

    def identifier(self, answer: Any, doing: str) -> str:
        """The id of what was made."""
        found = identifier(answer.get("id")) if isinstance(answer, Mapping) else ""
        if not found:
            raise self.client.bad_answer("the answer does not say what was made", doing)
        return found
