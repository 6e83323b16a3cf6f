"""People and words of the sandbox as Jira's JSON, in the form of the dialect and the language of the account."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from connectors.jira.stand_in.session import Session
from policies.issue import Word

Json = dict[str, Any]

FORMER_USER = "Former user"
"""What Cloud calls a deleted account."""

CATEGORIES: dict[str, Json] = {
    "undefined": {"id": 1, "key": "undefined", "colorName": "medium-gray", "name": "No Category"},
    "new": {"id": 2, "key": "new", "colorName": "blue-gray", "name": "To Do"},
    "indeterminate": {"id": 4, "key": "indeterminate", "colorName": "yellow", "name": "In Progress"},
    "done": {"id": 3, "key": "done", "colorName": "green", "name": "Done"},
}
_FOREIGN = re.compile(r"^https?://[^/]+(?:/[^/]+)?(/rest/(?:api|agile)/[^/]+)")


def stamp(at: datetime) -> str:
    """``2026-11-21T10:00:00.000+0000``."""
    return f"{at.astimezone(UTC).isoformat(timespec='milliseconds')[:-6]}+0000"


def here(session: Session, value: Any) -> Any:
    """Foreign JSON with every ``self`` turned to this server."""
    if isinstance(value, list):
        return [here(session, one) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        name: _FOREIGN.sub(session.rest, one) if name == "self" and isinstance(one, str) else here(session, one)
        for name, one in value.items()
    }


def user(session: Session, id_: str) -> Json | None:
    """A person; None for nobody, for one the source did not name, and on Data Center for one who was deleted."""
    if id_ not in session.people:
        session.people[id_] = _user(session, id_)
    return session.people[id_]


def _user(session: Session, id_: str) -> Json | None:
    found = session.store.users.get(id_)
    if found is None or (found.deleted and not session.cloud):
        return None
    if found.deleted:
        return {
            "self": f"{session.rest}/user?accountId={found.id}", "accountId": found.id, "accountType": "unknown",
            "displayName": FORMER_USER, "active": False,
        }  # fmt: skip
    said = here(session, found.given)
    if session.cloud:
        kind = "app" if found.bot else "customer" if found.customer else "atlassian"
        own: Json = {"self": f"{session.rest}/user?accountId={found.id}", "accountId": found.id, "accountType": kind}
    else:
        own = {"self": f"{session.rest}/user?username={found.username}", "name": found.username, "key": found.id}
    own |= {"displayName": found.name, "active": found.active, "timeZone": found.zone}
    if found.email:
        own["emailAddress"] = found.email
    return {**own, **said}


def named(session: Session, kind: str, word: Word, locale: str | None = None) -> str:
    """What a word is called in a language, by default the account's."""
    chosen = session.locale if locale is None else locale
    return session.store.world.translations.get((chosen, kind, word.id), word.name) if chosen else word.name


def status(session: Session, word: Word) -> Json:
    category = {**CATEGORIES.get(word.group, CATEGORIES["undefined"])}
    category["self"] = f"{session.rest}/statuscategory/{category['id']}"
    return {
        "self": f"{session.rest}/status/{word.id}", "description": "", "iconUrl": f"{session.base}/images/status.png",
        "name": named(session, "status", word), "id": word.id, "statusCategory": category,
    }  # fmt: skip


def word(session: Session, kind: str, held: Word) -> Json:
    """A priority, issue type, resolution or component (``kind`` as in its address)."""
    shape: Json = {"self": f"{session.rest}/{kind}/{held.id}", "id": held.id, "name": named(session, kind, held)}
    if kind == "issuetype":
        shape |= {"description": "", "subtask": False}
    if kind == "priority":
        shape |= {"iconUrl": f"{session.base}/images/priority.png"}
    if kind == "resolution":
        shape |= {"description": ""}
    return shape
