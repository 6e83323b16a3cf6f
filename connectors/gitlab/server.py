"""Which GitLab answers, and who we are on it.

Rules:

1. The generation is told by one look at the schema, never guessed from a version. It is kept from run to run together
   with the version; another version, and the next session looks at it anew. Within a session it stays as it was found,
   so that all pages of a reading are asked for the same; what the schema no longer holds is told by the refusal.
2. An account is known before anything is read: an anonymous session sees less and says nothing about it. Over GraphQL
   each page says who asked and which version answered, and is held against what is known; over REST it is asked once.
3. Pages come over several connections at once: what is known changes in one step, and whoever asks meanwhile waits.
"""

from __future__ import annotations

import threading
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from connectors.gitlab import documents
from connectors.gitlab.payload import actor, number, objects, one, several, text_of
from connectors.tracker import (
    BadAnswer,
    CredentialsRefused,
    NotFound,
    PermissionRefused,
    Rejected,
    ServerFailed,
)
from policies.issue import Actor, Role

if TYPE_CHECKING:
    from connectors.cache import Cache
    from connectors.gitlab.client import GitLabClient
    from connectors.gitlab.payload import Payload

# Every page of GraphQL holds these against the server's own word.
_VERIFIED = timedelta(days=30)
# REST says nothing of itself in passing: a server that was brought up to date is found out within a day.
_UNVERIFIED = timedelta(days=1)
_SERVER, _ACCOUNT, _TIER = "gitlab server", "gitlab account", "gitlab tier"


class Generation(StrEnum):
    """How issues are read and written: GraphQL work items with ``updatedAfter`` and whole threads, or REST alone."""

    WORK_ITEMS = "GraphQL"
    REST = "REST"


class Server:
    """What is known of one GitLab; each thing is asked for once, and not again while nothing speaks against it."""

    def __init__(self, client: GitLabClient, cache: Cache) -> None:
        self._client = client
        self._cache = cache
        self._lock = threading.RLock()
        self._generation: Generation | None = None
        self._version: str | None = None
        self._account: Actor | None = None
        self._number = ""
        self._counts = False
        self._widgets: tuple[str, ...] = ()
        # What this session knows is not to be kept: it was found out to be of another version, or not to hold, or could
        # not be found out.
        self._outdated = False

    def generation(self) -> Generation:
        """Which API holds whole histories here."""
        with self._lock:
            if self._generation is None:
                kept = one(self._cache.get(_SERVER))
                # What an earlier version of ours kept says nothing of widgets.
                if kept.get("generation") in set(Generation) and "widgets" in kept:
                    self._version = kept.get("version")
                    self._counts = kept.get("counts") is True
                    self._widgets = tuple(name for name in documents.WIDGETS if name in several(kept["widgets"]))
                    self._generation = Generation(kept["generation"])
                else:
                    self._generation = self._probe()
            return self._generation

    def counts(self) -> bool:
        """Whether a list of work items tells how many there are, and can be had in spans of time."""
        self.generation()
        return self._counts

    def widgets(self) -> tuple[str, ...]:
        """Which of the widgets that not every server has (``documents.WIDGETS``) can be asked for here."""
        self.generation()
        return self._widgets

    def without_widgets(self) -> None:
        """They are not as the probe found them: parts of them are marked experiment, and may change in any release."""
        with self._lock:
            generation, self._widgets = self.generation(), ()
            self._keep(generation)

    def links_block(self) -> bool:
        """Whether one issue may block another here, as far as is known: a paid feature, of which no schema tells."""
        return one(self._cache.get(_TIER)).get("blocks") is not False

    def no_links_block(self) -> None:
        """The server refused such a link for its tier."""
        self._cache.put(_TIER, {"blocks": False}, _UNVERIFIED)

    def _probe(self) -> Generation:
        doing = "look at the schema"
        generation, version, counts, widgets = Generation.REST, self._version, False, tuple[str, ...]()
        try:
            seen = self._client.graphql("Probe", documents.PROBE, {}, doing=doing)
        except (ServerFailed, PermissionRefused, BadAnswer):
            # Its REST may answer. It may pass by itself, as a log-in page does: the next run looks again.
            self._outdated = True
            return generation
        except (NotFound, Rejected):
            # No GraphQL, or introspection is switched off by a proxy.
            pass
        else:
            version = text_of(one(seen.get("metadata")).get("version"))
            if "currentUser" in seen:
                self._is(actor(seen["currentUser"]), seen["currentUser"], doing)
            if _speaks_work_items(seen):
                generation = Generation.WORK_ITEMS
                spans = {"createdAfter", "createdBefore"} <= _arguments(seen, "project", "workItems")
                counts = spans and "limit" in _arguments(seen, "listed", "count")
                widgets = tuple(name for name in documents.WIDGETS if one(seen.get(name.lower())).get("fields"))
        self._version, self._counts, self._widgets = version, counts, widgets
        self._keep(generation)
        return generation

    def _keep(self, generation: Generation) -> None:
        if self._outdated:
            return
        kept = {
            "generation": generation.value,
            "version": self._version,
            "counts": self._counts,
            "widgets": [*self._widgets],
        }
        self._cache.put(_SERVER, kept, _VERIFIED if generation is Generation.WORK_ITEMS else _UNVERIFIED)

    def _keep_no_more(self) -> None:
        if not self._outdated:
            self._outdated = True
            self._cache.drop(_SERVER)

    def _version_by_rest(self) -> str:
        try:
            return text_of(one(self._client.rest("GET", "version", doing="ask for the version")).get("version"))
        except (NotFound, PermissionRefused, Rejected):
            return ""

    def fall_back(self) -> None:
        """The schema promised more than it holds: REST for the rest of this session."""
        with self._lock:
            self._generation = Generation.REST
            self._keep_no_more()

    def verify(self, answer: Payload, doing: str) -> None:
        """Hold what is known against a GraphQL answer that says who asked and which version answers.

        Another version changes nothing for this session, whose pages are under way: the next one looks at it anew.

        Raises:
            CredentialsRefused: nobody is logged in; what else the answer holds is what strangers may see.
        """
        version = text_of(one(answer.get("metadata")).get("version"))
        with self._lock:
            self._is(actor(answer.get("currentUser")), answer.get("currentUser"), doing)
            if version and self._version is not None and version != self._version:
                self._keep_no_more()
            self._version = version or self._version

    def words(self) -> str:
        """``GitLab 19.2.0-ee (GraphQL)``."""
        with self._lock:
            generation = self.generation()
            if self._version is None:
                self._version = self._version_by_rest()
                self._keep(generation)
            return " ".join(part for part in ("GitLab", self._version, f"({generation})") if part)

    def account(self) -> Actor:
        """The account that the token belongs to.

        Raises:
            CredentialsRefused: nobody is logged in.
        """
        with self._lock:
            if self._account is None and self.generation() is Generation.WORK_ITEMS:
                kept = one(self._cache.get(_ACCOUNT))
                if text_of(kept.get("id")):
                    self._account = _own(Actor(kept["id"], text_of(kept.get("name")), bot=kept.get("bot") is True))
                    self._number = text_of(kept.get("number"))
            if self._account is None:
                self._ask_account()
            assert self._account is not None
            return self._account

    def _ask_account(self) -> None:
        doing = "see who is logged in"
        answer = one(self._client.rest("GET", "user", doing=doing))
        self._is(actor(answer), answer, doing)

    def account_number(self) -> str:
        """The account's number, in digits."""
        self.account()
        return self._number

    def ask_anew(self) -> None:
        """Forget what was kept: for a check, which is to see with its own eyes."""
        with self._lock:
            self._cache.drop(_SERVER)
            self._cache.drop(_ACCOUNT)
            self._cache.drop(_TIER)
            self._generation = self._version = self._account = None
            self._outdated = False

    def _is(self, who: Actor, told: object, doing: str) -> None:
        """The server says who we are."""
        if not who.id:
            self._account = None
            self._cache.drop(_ACCOUNT)
            raise CredentialsRefused("nobody is logged in", tracker=self._client.name, doing=doing)
        if self._account is not None and self._account.id == who.id:
            return
        self._account = _own(who)
        self._number = number(one(told).get("id"))
        kept = {"id": who.id, "name": who.name, "bot": who.bot, "number": self._number}
        if self._cache.get(_ACCOUNT) != kept:
            self._cache.put(_ACCOUNT, kept, _VERIFIED)


def _own(who: Actor) -> Actor:
    return Actor(who.id, who.name, bot=who.bot, active=who.active, role=Role.OWN)


def _arguments(seen: Payload, kind: str, field: str) -> set[str]:
    for one_field in objects(one(seen.get(kind)).get("fields")):
        if one_field.get("name") == field:
            return {text_of(argument.get("name")) for argument in objects(one_field.get("args"))}
    return set()


def _speaks_work_items(seen: Payload) -> bool:
    mutations = {text_of(field.get("name")) for field in objects(one(seen.get("mutation")).get("fields"))}
    return (
        {"updatedAfter", "sort", "types", "iids"} <= _arguments(seen, "project", "workItems")
        and "filter" in _arguments(seen, "notes", "discussions")
        and {"workItemUpdate", "createNote", "updateNote"} <= mutations
    )
