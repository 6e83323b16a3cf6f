"""What both APIs write alike: an issue's fields, its labels, its notes, its links, each as the server's tier has it.

Rules:

1. One request leaves one entry in the issue's history, under one instant.
2. Free: one assignee; a scoped label (``sla::ok``) does not push out its sibling; no weights; no blocking links.
   Premium has all four, and of several labels of one scope keeps the last.
3. Quick actions in a description or a note are carried out, with the writer's rights, and taken out of the text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from connectors.gitlab.stand_in import quick_actions
from connectors.gitlab.stand_in.call import TEXT_LENGTH, TITLE_LENGTH
from connectors.sandbox.store import Refused

if TYPE_CHECKING:
    from collections.abc import Iterable

    from connectors.gitlab.stand_in.server import Server
    from connectors.sandbox.nouns import Comment, Issue, IssueLink, Project
    from connectors.sandbox.store import Store

ALREADY_LINKED = "Issue(s) already assigned"


class Invalid(Exception):
    """A value the model refuses. Attributes: field: its name. reason: "can't be blank"."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field} {reason}")
        self.field = field
        self.reason = reason


class Conflict(Exception):
    """It is so already, or cannot be in the present state; the text is GitLab's."""


class Unlicensed(Conflict):
    """A thing of a tier that the server has no licence for; the text is REST's."""


@dataclass(frozen=True, slots=True)
class Written:
    """Attributes: comment: the note, None where the text was quick actions only. said: what these did."""

    comment: Comment | None
    said: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Edits:
    """Attributes: actor: account id of the writer."""

    server: Server
    actor: str

    @property
    def store(self) -> Store:
        return self.server.store

    def create(self, project: Project, title: str, description: str, changes: dict[str, Any]) -> Issue:
        """A new issue. Args: changes: as ``Issue`` holds them. Raises Invalid."""
        _titled(title)
        _short(description, "description")
        text, commands = quick_actions.extract(description)
        wanted, _ = quick_actions.changes(commands, None, project, self.store.users.values(), self.actor)
        fields = self._fit({**changes, **wanted})
        status = fields.pop("status", "opened")
        fields |= self._fit({"labels": list(dict.fromkeys([*changes.get("labels", ()), *wanted.get("labels", ())]))})
        if "type" in fields:
            fields["type_"] = fields.pop("type")
        at = self.store.clock.for_write()
        issue = self.store.create_issue(project.key, title.strip(), actor=self.actor, at=at, description=text, **fields)
        if status == "closed":
            self.store.close(issue.id, actor=self.actor, at=at)
        return issue

    def update(self, issue: Issue, changes: dict[str, Any]) -> Issue:
        """Set fields of an issue, given as ``Issue`` holds them. Raises Invalid."""
        if "title" in changes:
            _titled(changes["title"])
            changes["title"] = changes["title"].strip()
        if changes.get("description"):
            _short(changes["description"], "description")
            project = self.store.projects[issue.project]
            changes["description"], commands = quick_actions.extract(changes["description"])
            wanted, _ = quick_actions.changes(commands, issue, project, self.store.users.values(), self.actor)
            changes = {**changes, **wanted}
        if "description" in changes and not changes["description"] and not issue.description:
            del changes["description"]
        return self.store.edit(issue.id, self._fit(changes), actor=self.actor)

    def relabelled(self, issue: Issue, add: Iterable[str], remove: Iterable[str]) -> list[str]:
        """The issue's labels with some added and some removed."""
        gone = set(remove)
        return list(dict.fromkeys([*(name for name in issue.labels if name not in gone), *add]))

    def comment(self, issue: Issue, body: str, *, internal: bool) -> Written:
        """Write a note. Raises Invalid."""
        _noted(body)
        text, commands = quick_actions.extract(body)
        said = self._command(issue, commands)
        if not text.strip():
            return Written(None, tuple(said))
        id_ = self.store.comment(issue.id, text, actor=self.actor, internal=internal)
        return Written(issue.comment(id_), tuple(said))

    def edit_comment(self, issue: Issue, comment: Comment, body: str) -> Written:
        """Change a note; quick actions count there, too. Raises Invalid."""
        _noted(body)
        text, commands = quick_actions.extract(body)
        said = self._command(issue, commands)
        if text.strip() and text != comment.body:
            self.store.edit_comment(issue.id, comment.id, text, actor=self.actor)
        return Written(comment if text.strip() else None, tuple(said))

    def link(self, source: Issue, target: Issue, kind: str) -> IssueLink:
        """Link two issues. Raises Conflict where they are linked already, Unlicensed for a kind that Free does not have."""
        if kind != "relates_to" and not self.server.terms.paid:
            raise Unlicensed("Blocked issues not available for current license")
        if kind == "is_blocked_by":
            source, target, kind = target, source, "blocks"
        pair = {source.id, target.id}
        if any({link.source, link.target} == pair for link in source.links):
            raise Conflict(ALREADY_LINKED)
        try:
            return self.store.link_issues(source.id, target.id, kind, actor=self.actor)
        except Refused as refused:
            raise Conflict("No matching issue found. Make sure that you are adding a valid issue URL.") from refused

    def _command(self, issue: Issue, commands: list[quick_actions.Command]) -> list[str]:
        project = self.store.projects[issue.project]
        wanted, said = quick_actions.changes(commands, issue, project, self.store.users.values(), self.actor)
        if wanted:
            self.store.edit(issue.id, self._fit(wanted), actor=self.actor)
        return said

    def _fit(self, changes: dict[str, Any]) -> dict[str, Any]:
        """What the tier makes of changes."""
        fit = dict(changes)
        paid = self.server.terms.paid
        if not paid:
            fit.pop("weight", None)
        if "assignees" in fit:
            fit["assignees"] = self._assignees(fit["assignees"])
        if "labels" in fit and paid:
            last = {scope(name): name for name in fit["labels"] if scope(name)}
            fit["labels"] = [name for name in fit["labels"] if last.get(scope(name), name) == name]
        return fit

    def _assignees(self, accounts: Iterable[str]) -> list[str]:
        """Those who can be assigned, one on Free."""
        users = self.store.users
        known = [one for one in dict.fromkeys(accounts) if one in users and users[one].active]
        return known if self.server.terms.paid else known[:1]


def scope(label: str) -> str:
    """``workflow::state`` of ``workflow::state::done``; "" for a label without scope."""
    return label.rpartition("::")[0]


def _titled(title: str) -> None:
    if not title.strip():
        raise Invalid("title", "can't be blank")
    if len(title) > TITLE_LENGTH:
        raise Invalid("title", f"is too long (maximum is {TITLE_LENGTH} characters)")


def _noted(body: str) -> None:
    if not body.strip():
        raise Invalid("note", "can't be blank")
    _short(body, "note")


def _short(text: str, field: str) -> None:
    if len(text) > TEXT_LENGTH:
        raise Invalid(field, f"is too long (maximum is {TEXT_LENGTH} characters)")
