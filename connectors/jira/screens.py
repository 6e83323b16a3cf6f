"""What may be edited on an issue's screen, as ``editmeta`` tells it, once per project and issue type.

Rules:

1. A screen that shows no field at all says nothing of its project: a closed issue may be locked, or the account may
   not edit. It is not kept, and the server's own answer to the write is told.
2. Nothing is refused because of a screen that was kept from an earlier run: it is read anew first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connectors.jira.mapping import word_of
from connectors.jira.server import KEPT_FOR, JiraServer
from connectors.jira.text import received
from connectors.tracker import PermissionRefused, Rejected
from policies.issue import Issue, Word

_WRITTEN = ("assignee", "comment", "duedate", "fixVersions", "issuelinks", "labels", "priority")


@dataclass(frozen=True, slots=True)
class Screen:
    """Attributes.

    verbs: field -> what ``update`` may do with it; None where nobody knows.
    priorities: the allowed ones; None where nobody knows.
    """

    verbs: Mapping[str, frozenset[str]] | None = None
    priorities: tuple[Word, ...] | None = None

    def takes(self, field: str) -> bool:
        """Whether a field may be edited, as far as known."""
        return self.verbs is None or field in self.verbs

    def comments_by(self, verb: str) -> bool:
        """Whether a comment may be written within the edit of its issue. Not where that is unknown."""
        return self.verbs is not None and verb in self.verbs.get("comment", frozenset())


_UNKNOWN = Screen()


class Screens:
    """Of one server, as one account sees them."""

    def __init__(self, server: JiraServer) -> None:
        self._server = server
        self._fresh: dict[str, Screen] = {}
        self._untold: set[str] = set()

    def of(self, issue: Issue) -> Screen:
        """As known; asked where it is not."""
        key = self._key(issue)
        if key in self._fresh or issue.ref.id in self._untold:
            return self._fresh.get(key, _UNKNOWN)
        kept = _unpacked(self._server.cache.get(key))
        return kept or self.anew(issue)

    def anew(self, issue: Issue) -> Screen:
        """As read in this session."""
        key = self._key(issue)
        if key not in self._fresh:
            found = _UNKNOWN if issue.ref.id in self._untold else self._read(issue)
            if found is _UNKNOWN:
                self._untold.add(issue.ref.id)
                return found
            self._fresh[key] = found
            self._server.cache.put(key, _packed(found), KEPT_FOR)
        return self._fresh[key]

    def doubt(self, issue: Issue) -> None:
        """An edit was refused: what was kept from an earlier run may be wrong."""
        if self._key(issue) not in self._fresh:
            self._server.cache.drop(self._key(issue))

    def _key(self, issue: Issue) -> str:
        # Another account may see other fields.
        type_ = issue.type.id or issue.type.name
        return f"{self._server.account.actor.id} screen of {type_} in {issue.ref.project}"

    def _read(self, issue: Issue) -> Screen:
        doing = f"ask what may be edited on {issue.ref.key}"
        _ = self._server.cloud
        try:
            answer = self._server.object("issue/{key}/editmeta", doing=doing, key=issue.ref.id)
        except (PermissionRefused, Rejected):
            return _UNKNOWN
        fields = answer.get("fields")
        shown = fields if isinstance(fields, Mapping) else {}
        known = {name: entry for name in _WRITTEN if isinstance(entry := shown.get(name), Mapping)}
        if not known:
            return _UNKNOWN
        allowed = known.get("priority", {}).get("allowedValues")
        words = [word_of(one) for one in allowed] if isinstance(allowed, list) else []
        priorities = tuple(word for word in words if word.id) or None
        return Screen({name: _texts(entry.get("operations")) for name, entry in known.items()}, priorities)


def _texts(found: Any) -> frozenset[str]:
    return frozenset(received(one) for one in found) if isinstance(found, list) else frozenset()


def _packed(screen: Screen) -> Any:
    return {
        "verbs": {name: sorted(verbs) for name, verbs in (screen.verbs or {}).items()},
        "priorities": None if screen.priorities is None else [[one.id, one.name] for one in screen.priorities],
    }


def _unpacked(kept: Any) -> Screen | None:
    if not isinstance(kept, Mapping) or not isinstance(kept.get("verbs"), Mapping):
        return None
    words = kept.get("priorities")
    priorities = tuple(Word(id_, name) for id_, name in words) if isinstance(words, list) else None
    return Screen({name: frozenset(verbs) for name, verbs in kept["verbs"].items()}, priorities)
