"""What is asked of a Jira server once: which one it is, who we are, its words and fields, what we may do.

Rules:

1. Cloud (REST v3, ADF) or Data Center (REST v2, wiki markup) is the server's own answer, never a guess.
2. Nothing is asked before it is needed, and what seldom changes is kept for a day, from run to run.
3. An account that was kept is believed only as long as every answer names it. An answer that names somebody else, or
   nobody, ends in asking anew who is logged in; where answers name nobody at all, that is asked in each session.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from connectors.cache import Cache, SessionCache
from connectors.jira.client import JiraClient
from connectors.jira.fields import Field, Fields, field_of, resolved
from connectors.jira.history import identifier
from connectors.jira.mapping import Source, word_of
from connectors.jira.people import account_of, actor_of
from connectors.jira.text import received
from connectors.retry import Kind, Retry
from connectors.tracker import Connection, CredentialsRefused, NotFound, UnknownField
from policies.issue import Actor, Role, Word

KEPT_FOR = timedelta(hours=24)
_SERVER, _ACCOUNT, _FIELDS, _STATUSES, _PRIORITIES = "server", "account", "fields", "statuses", "priorities"
_OF_AN_ACCOUNT = (_ACCOUNT, _FIELDS, _STATUSES, _PRIORITIES)
# Of `myself`, what the mapping of a person looks at; the mail address stays where it is.
_OF_A_USER = ("accountId", "name", "key", "displayName", "accountType", "active", "timeZone")


class AnotherAccount(CredentialsRefused):
    """The token is another account's than in the session before. Nothing was given yet: whoever reads begins again."""

    advice = "The next run goes on as the account that answers now"


@dataclass(frozen=True, slots=True)
class Account:
    """Who is logged in. Attributes: zone: of the account's profile, in which JQL dates are meant; None if unknown."""

    actor: Actor
    zone: ZoneInfo | None


class JiraServer:
    """One server as one account sees it."""

    def __init__(self, connection: Connection, *, retry: Retry | None = None, cache: Cache | None = None) -> None:
        self.client = JiraClient(connection, retry=retry)
        self.client.answered = self._answered
        self.cache: Cache = cache or SessionCache()
        self.named = connection.fields
        self._account: Account | None = None
        # `myself` was asked in this session, and how answers name the account: None where they do not.
        self._asked = False
        self._said_of_myself: str | None = None
        self._names: set[str | None] = set()
        # What was taken from the cache and not asked since.
        self._remembered: set[str] = set()

    @cached_property
    def cloud(self) -> bool:
        """Whether this is Jira Cloud; the first question to any server, as it settles the API's version."""
        is_cloud = received(self._info.get("deploymentType")).casefold() == "cloud"
        self.client.speak("3" if is_cloud else "2")
        return is_cloud

    @cached_property
    def _info(self) -> Mapping[str, Any]:
        def ask() -> Any:
            info = self.object("serverInfo", doing="ask which Jira this is")
            return {name: received(info.get(name)) for name in ("deploymentType", "version", "baseUrl")}

        found = self._kept(_SERVER, dict, ask)
        assert isinstance(found, dict)
        return found

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

    # --------------------------------------------------------------------------------------------------------- account

    @property
    def account(self) -> Account:
        """Who we are, perhaps as an earlier session learned it. Raises CredentialsRefused where nobody is logged in."""
        # The API's version is settled first.
        _ = self.cloud
        if self._account is None:
            self._account = self._account_kept() or self._log_in()
        return self._account

    @property
    def account_asked(self) -> Account:
        """Who we are, asked in this session."""
        return self.account if self._asked else self._log_in()

    def _account_kept(self) -> Account | None:
        kept = self.cache.get(_ACCOUNT)
        if not isinstance(kept, dict) or not account_of(kept.get("user")) or not kept.get("named"):
            return None
        self._names = {received(kept["named"])}
        return _account(kept["user"])

    def _log_in(self) -> Account:
        doing = "log in"
        _ = self.cloud
        self.cache.drop(_ACCOUNT)
        user = self.object("myself", doing=doing)
        if not account_of(user):
            raise CredentialsRefused("nobody is logged in", tracker=self.client.name, doing=doing)
        self._account, self._asked, self._names = _account(user), True, {self._said_of_myself}
        if self._said_of_myself:
            said = {name: user.get(name) for name in _OF_A_USER}
            known = {name: received(one) or one for name, one in said.items() if isinstance(one, str | bool)}
            self.cache.put(_ACCOUNT, {"user": known, "named": self._said_of_myself}, KEPT_FOR)
        return self._account

    def _answered(self, template: str, named: str | None) -> None:
        """Whether an answer is the account's (rule 3).

        Raises:
            AnotherAccount: it is another account's than the cache said.
            CredentialsRefused: it is nobody's, or the account changed under way.
        """
        if template == "myself":
            self._said_of_myself = named
        if template in {"myself", "serverInfo"} or self._account is None or named in self._names:
            return
        before, asked = self._account, self._asked
        now = self._log_in()
        if now.actor.id == before.actor.id and (asked or now.zone == before.zone):
            # Some parts of a server, or a proxy before it, leave the account's name out.
            self._names.add(named)
            return
        for key in _OF_AN_ACCOUNT[1:]:
            self._forget(key)
        kind = CredentialsRefused if asked else AnotherAccount
        raise kind("the answers are another account's than before", tracker=self.client.name, doing="log in")

    @property
    def source(self) -> Source:
        """What the mapping needs to know of this server."""
        return Source(tracker=self.client.name, url=self.url, own=self.account.actor.id, group=self._group)

    # -------------------------------------------------------------------------------------------------- words, fields

    def _group(self, status: str) -> str:
        """The category of a status in a history. One made since the list was kept is asked for, a deleted one once."""
        if status not in self._statuses and _STATUSES in self._remembered:
            self._forget(_STATUSES)
            if status not in self._statuses:
                self._statuses[status] = ""
                self.cache.put(_STATUSES, self._statuses, KEPT_FOR)
        return self._statuses.get(status, "")

    @cached_property
    def _statuses(self) -> dict[str, str]:
        def ask() -> Any:
            return {word.id: word.group for word in map(word_of, self.list("status", doing="read the statuses"))}

        return {id_: received(group) for id_, group in self._kept(_STATUSES, dict, ask).items()}

    @cached_property
    def priorities(self) -> tuple[Word, ...]:
        def ask() -> Any:
            found = map(word_of, self.list("priority", doing="read the priorities"))
            return [[word.id, word.name, word.group] for word in found]

        return tuple(Word(*map(received, row)) for row in self._kept(_PRIORITIES, list, ask))

    @cached_property
    def listed_fields(self) -> tuple[Field, ...]:
        """All fields of this Jira that the account may see."""

        def ask() -> Any:
            found = (field_of(entry) for entry in self.list("field", doing="read the fields"))
            return [[field.id, field.name, field.type, field.custom] for field in found if field is not None]

        return tuple(Field(*map(received, row)) for row in self._kept(_FIELDS, list, ask))

    @property
    def fields(self) -> Fields:
        """The fields that the site names, and those of a service desk. Raises UnknownField."""
        try:
            return resolved(self.named, self.listed_fields, self.client.name)
        except UnknownField:
            if _FIELDS not in self._remembered:
                raise
            # It may have been made, or renamed, since.
            self._forget(_FIELDS)
            return resolved(self.named, self.listed_fields, self.client.name)

    def _kept(self, key: str, shape: type, ask: Callable[[], Any]) -> Any:
        """What the cache holds, else what is asked and kept. ``shape``: list or dict."""
        kept = self.cache.get(key)
        if isinstance(kept, shape):
            self._remembered.add(key)
            return kept
        if key != _SERVER:
            _ = self.cloud
        found = ask()
        self._remembered.discard(key)
        self.cache.put(key, found, KEPT_FOR)
        return found

    def _forget(self, key: str) -> None:
        self.cache.drop(key)
        self._remembered.discard(key)
        for name in {_FIELDS: ("listed_fields",), _STATUSES: ("_statuses",), _PRIORITIES: ("priorities",)}[key]:
            self.__dict__.pop(name, None)

    def permissions(self, names: Sequence[str], project: str = "") -> dict[str, bool]:
        """Which of these permissions the account has, asked in one request. Args: project: "" for the whole server."""
        where: dict[str, str | int] = {"projectKey": project} if project else {}
        # Data Center tells of all permissions and does not know the parameter.
        asked: dict[str, str | int] = {"permissions": ",".join(names)} if self.cloud else {}
        doing = f"ask what the account may do in {project}" if project else "ask what the account may do"
        found = self.object("mypermissions", doing=doing, params=where | asked).get("permissions")
        entries = {name: found.get(name) for name in names} if isinstance(found, Mapping) else dict.fromkeys(names)
        return {
            name: isinstance(entry, Mapping) and entry.get("havePermission") is True for name, entry in entries.items()
        }

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


def _account(user: Mapping[str, Any]) -> Account:
    """A user as ``myself`` gives it."""
    try:
        zone = ZoneInfo(received(user.get("timeZone")))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        zone = None
    return Account(replace(actor_of(user, ""), role=Role.OWN), zone)
