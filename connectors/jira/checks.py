"""What would fail later, found now: log-in, projects, and each right that a run may need.

Rule: everything is asked of the server, nothing is taken from what was kept of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from connectors.jira.fields import one_field
from connectors.jira.instants import instant
from connectors.jira.rights import BULK, QUIET
from connectors.jira.server import JiraServer
from connectors.jira.text import one_line, received
from connectors.tracker import CredentialsRefused, Finding, TrackerError

# Each permission with what a run needs it for; all but the last stop a run.
NEEDED = {
    "BROWSE_PROJECTS": "read the issues",
    "EDIT_ISSUES": "set labels, priority and due date",
    "ADD_COMMENTS": "write the status comment",
    "EDIT_OWN_COMMENTS": "keep the status comment up to date",
    "LINK_ISSUES": "link the patch release",
    "CREATE_ISSUES": "file the compliance report",
    "ASSIGN_ISSUES": "escalate to a person",
}


def findings(server: JiraServer, projects: Sequence[str]) -> Iterator[Finding]:
    """The log-in, then each project with its rights; errors are findings, not exceptions."""
    tracker = server.client.name
    try:
        account = server.account_asked
        title = server.title
    except TrackerError as error:
        # A token with scopes is refused at the site itself, whose other address it tells anybody.
        elsewhere = server.client.gateway() if isinstance(error, CredentialsRefused) else ""
        scoped = f"{CredentialsRefused.advice}. A token with scopes is taken at another address: write url: {elsewhere}"
        advice = scoped if elsewhere else error.advice
        yield Finding(f"log-in to {tracker}", ok=False, detail=error.detail, advice=advice)
        return
    yield Finding(f"log-in to {tracker}", ok=True, detail=f"{title} as {account.actor.name or account.actor.id}")
    yield from _expiry(server)
    yield Finding(
        f"time zone of the account on {tracker}",
        ok=account.zone is not None,
        detail=account.zone.key if account.zone else "the profile names no known time zone",
        advice="" if account.zone else "Set a time zone in the account's profile: without it each run re-reads a day",
    )
    yield from _fields(server)
    for project in projects:
        try:
            yield from _project(server, project)
        except TrackerError as error:
            yield Finding(f"project {project}", ok=False, detail=error.detail, advice=error.advice)


def _expiry(server: JiraServer) -> Iterator[Finding]:
    """Data Center lists the account's access tokens with their ends; the one used last is this one. Cloud tells none."""
    if server.cloud:
        return
    try:
        listed = server.list("/rest/pat/latest/tokens", doing="ask when the access token ends")
    except TrackerError:
        # Versions before 8.14 know no access tokens.
        return
    used = [(at, entry) for entry in listed if isinstance(entry, Mapping) and (at := _instant(entry, "lastAccessed"))]
    if not used:
        return
    _, token = max(used, key=lambda pair: pair[0])
    ends = _instant(token, "expiringAt")
    name = one_line(received(token.get("name")))
    yield Finding(
        f"access token of the account on {server.client.name}",
        ok=True,
        detail=f"{name!r}, used last, ends {ends:%Y-%m-%d %H:%M} UTC" if ends else f"{name!r}, used last, has no end",
    )


def _instant(entry: Mapping[str, object], name: str) -> datetime | None:
    try:
        return instant(entry.get(name))
    except ValueError:
        return None


def _fields(server: JiraServer) -> Iterator[Finding]:
    """Each field that the site names; the list of all fields is read only where it names one."""
    for word, wanted in server.named.items():
        subject = f"field {word}"
        try:
            field = one_field(word, wanted, server.listed_fields, server.client.name)
        except TrackerError as error:
            yield Finding(subject, ok=False, detail=error.detail, advice=error.advice)
        else:
            # Asked for by the register, and only one of several trackers may have it: no fault.
            found = str(field) if field else "this Jira names no organisations, so no contract is found by one here"
            yield Finding(subject, ok=True, detail=found)


def _project(server: JiraServer, project: str) -> Iterator[Finding]:
    server.project(project)
    yield Finding(f"project {project}", ok=True, detail="found")
    may = server.permissions((*NEEDED, *QUIET, BULK), project)
    for name, what in NEEDED.items():
        allowed = may[name]
        yield Finding(
            f"permission {name} in {project}",
            ok=allowed,
            detail=f"may {what}" if allowed else f"may not {what}",
            advice="" if allowed else f"Give the account {name} in the permission scheme of {project}",
        )
    quiet = any(may[name] for name in QUIET)
    # Writing works without these two, so they are no fault; the first is said because watchers will notice.
    yield Finding(
        f"permission ADMINISTER_PROJECTS in {project}",
        ok=True,
        # What makes a comment or an issue does not take the parameter.
        detail="edits without mail to watchers (notifyUsers=false); a comment sent by itself and a new report bring mail"
        if quiet
        else "each write sends mail to watchers",
        advice="" if quiet else f"To write quietly, give the account ADMINISTER_PROJECTS in {project}",
    )
    bulk = may[BULK]
    yield Finding(
        f"permission BULK_CHANGE in {project}",
        ok=True,
        detail="may change many issues in one request" if bulk else "changes issues one by one",
        advice="" if bulk else "To need fewer requests, give the account the global permission BULK_CHANGE",
    )
