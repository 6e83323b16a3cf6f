"""Users in payloads as ``Actor``. A person's id is the account id on Cloud, the login name on Data Center."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from connectors.jira.text import received
from policies.issue import NOBODY, Actor, Role


def account_of(user: Any) -> str:
    """Account id, else login name, else user key; "" for a deleted, hidden or absent user."""
    if not isinstance(user, Mapping):
        return ""
    found = (received(user.get(name)) for name in ("accountId", "name", "key"))
    # Cloud says "unknown" for a user whose record is gone.
    return next((account for account in found if account and account != "unknown"), "")


def actor_of(user: Any, own: str) -> Actor:
    """The person; ``NOBODY`` where the tracker no longer says who.

    ``own`` is the id of the account these flows write with; its actor carries ``Role.OWN``.
    """
    if not isinstance(user, Mapping):
        return NOBODY
    account = account_of(user)
    return Actor(
        id=account,
        name=received(user.get("displayName")),
        bot=user.get("accountType") == "app",
        customer=user.get("accountType") == "customer",
        active=user.get("active") is not False,
        role=Role.OWN if own and account == own else Role.UNKNOWN,
    )


def accounts_by_key(issue: Mapping[str, Any]) -> dict[str, str]:
    """User key -> id, from everybody the issue shows: Data Center's history names assignees by key."""
    return {
        key: account for user in _people(issue) if (key := received(user.get("key"))) and (account := account_of(user))
    }


def _people(issue: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    fields = issue.get("fields")
    changelog = issue.get("changelog")
    histories = changelog.get("histories") if isinstance(changelog, Mapping) else None
    found = [fields.get(name) for name in ("assignee", "reporter", "creator")] if isinstance(fields, Mapping) else []
    comment = fields.get("comment") if isinstance(fields, Mapping) else None
    comments = comment.get("comments") if isinstance(comment, Mapping) else None
    for written in comments if isinstance(comments, list) else ():
        if isinstance(written, Mapping):
            found += [written.get("author"), written.get("updateAuthor")]
    found += [
        entry.get("author")
        for entry in (histories if isinstance(histories, list) else ())
        if isinstance(entry, Mapping)
    ]
    yield from (user for user in found if isinstance(user, Mapping))
