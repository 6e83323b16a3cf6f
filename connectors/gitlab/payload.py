"""The values inside GitLab's payloads: instants, dates, ids, people. Pure, and the same for both APIs.

Rules:

1. Nothing a payload may hold raises anything but ``Malformed``; a member of the wrong type counts as absent.
2. Instants are cut to the second: GraphQL gives no more, and both APIs must give the same facts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any

from policies.issue import NOBODY, Actor, Word

Payload = Mapping[str, Any]

_NOTHING: Payload = {}
_BOT_NAME = re.compile(r"(?:project|group)_\d+_bot(?:_?[0-9a-z]+)?|service_account_\w+|alert-bot\d*|ghost-bot\d*")
_SERVICE_DESK = re.compile(r"support-bot\d*")
_COLON_LESS_OFFSET = re.compile(r"([+-]\d{2})(\d{2})$")


class Malformed(ValueError):
    """A payload that can not be an issue. ``str()`` says which member is missing or wrong."""


def instant(text: object) -> datetime:
    """An instant to the second, in UTC.

    Raises:
        Malformed: no instant, or one without its offset.
    """
    if not isinstance(text, str) or not text:
        raise Malformed(f"an instant is missing (found {text!r})")
    try:
        # As nearly all of them are spelled.
        parsed = datetime.fromisoformat(text)
    except ValueError:
        parsed = _otherwise_spelled(text)
    if parsed.tzinfo is None:
        raise Malformed(f"an instant without its zone: {text[:40]!r}")
    if parsed.tzinfo is not UTC:
        try:
            parsed = parsed.astimezone(UTC)
        except OverflowError:
            raise Malformed(f"not an instant: {text[:40]!r}") from None
    return parsed.replace(microsecond=0) if parsed.microsecond else parsed


def _otherwise_spelled(text: str) -> datetime:
    spelled = re.sub(r"\s+UTC$", "Z", text.strip())
    spelled = _COLON_LESS_OFFSET.sub(r"\1:\2", spelled).replace(" +", "+").replace(" -", "-")
    try:
        return datetime.fromisoformat(spelled)
    except ValueError:
        raise Malformed(f"not an instant: {text[:40]!r}") from None


def day(text: object) -> date | None:
    """A plain date; None for none.

    Raises:
        Malformed: neither.
    """
    if text is None or text == "":
        return None
    try:
        return date.fromisoformat(str(text)[:10])
    except ValueError:
        raise Malformed(f"not a date: {str(text)[:40]!r}") from None


def number(gid: object) -> str:
    """The digits at the end of a global id (``gid://gitlab/WorkItem/7``), or the id itself."""
    return str(gid).rpartition("/")[2]


def actor(payload: object) -> Actor:
    """The person of a user payload, of either API. ``NOBODY`` for none and for the ghost of a deleted account."""
    if not isinstance(payload, dict):
        return NOBODY
    username, name = payload.get("username"), payload.get("name")
    if not isinstance(username, str) or not username:
        return NOBODY
    name = name if isinstance(name, str) else ""
    return _person(username, name, payload.get("bot") is True, payload.get("state") in (None, "active"))


# The same few people did nearly everything.
@lru_cache(maxsize=1024)
def _person(username: str, name: str, bot: bool, active: bool) -> Actor:
    if username == "ghost" or (name == "Ghost User" and re.fullmatch(r"ghost\d*", username)):
        return NOBODY
    # Service Desk writes in the name of the customer who sent the mail; the person behind it is no bot.
    desk = bool(_SERVICE_DESK.fullmatch(username))
    bot = not desk and (bot or bool(_BOT_NAME.fullmatch(username)))
    return Actor(id=username, name=name, bot=bot, customer=desk, active=active)


# A project has a handful of them.
@lru_cache(maxsize=64)
def kind_of(name: str) -> Word:
    """``issue``, ``incident``, ``task`` ... as a word, from either API's spelling."""
    spelled = name.strip() or "issue"
    return Word(spelled.lower().replace(" ", "_"), spelled.replace("_", " ").capitalize())


def text_of(value: object) -> str:
    return value if isinstance(value, str) else ""


def several(value: object) -> list[Any]:
    return [item for item in value if item is not None] if isinstance(value, list) else []


def objects(value: object) -> list[Payload]:
    return [item for item in value if isinstance(item, dict)] if value and isinstance(value, list) else []


def one(value: object) -> Payload:
    return value if isinstance(value, dict) else _NOTHING


def need(payload: Payload, member: str) -> Any:
    value = payload.get(member)
    if value is None or value == "":
        raise Malformed(f"the issue has no {member!r}")
    return value
