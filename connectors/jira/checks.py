"""What would fail later, found now: log-in, projects, and each right that a run may need."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from connectors.jira.fields import one_field
from connectors.jira.server import JiraServer
from connectors.tracker import Finding, TrackerError

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
        account = server.account
        title = server.title
    except TrackerError as error:
        yield Finding(f"log-in to {tracker}", ok=False, detail=error.detail, advice=error.advice)
        return
    yield Finding(f"log-in to {tracker}", ok=True, detail=f"{title} as {account.actor.name or account.actor.id}")
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
    for name, what in NEEDED.items():
        allowed = server.permissions(project, tuple(NEEDED))[name]
        yield Finding(
            f"permission {name} in {project}",
            ok=allowed,
            detail=f"may {what}" if allowed else f"may not {what}",
            advice="" if allowed else f"Give the account {name} in the permission scheme of {project}",
        )
    quiet = bool(server.quiet(project))
    # Writing works without it, so it is no fault; it is said because watchers will notice.
    yield Finding(
        f"permission ADMINISTER_PROJECTS in {project}",
        ok=True,
        detail="writes without mail to watchers" if quiet else "each write sends mail to watchers",
        advice="" if quiet else f"To write quietly, give the account ADMINISTER_PROJECTS in {project}",
    )
