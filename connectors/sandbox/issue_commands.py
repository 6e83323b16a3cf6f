"""Commands on issues: what people and connectors do to them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from connectors.sandbox.log import Log, Refused
from connectors.sandbox.nouns import Body, Issue, IssueLink

EDITABLE = frozenset({
    "title", "description", "type", "status", "priority", "labels", "assignees", "due", "resolution", "components",
    "fix_versions", "milestone", "weight", "confidential", "reporter",
})  # fmt: skip
"""Fields of an issue that ``edit`` knows; any other name goes to ``Issue.extra``."""


class IssueCommands(Log):
    """Mixed into ``store.Store``, whose rules hold here."""

    def create_issue(
        self,
        project: str,
        title: str,
        *,
        actor: str,
        at: datetime | None = None,
        type_: str | None = None,
        description: Body | None = None,
        status: str | None = None,
        priority: str | None = None,
        labels: Sequence[str] = (),
        assignees: Sequence[str] = (),
        due: date | None = None,
        components: Sequence[str] = (),
        fix_versions: Sequence[str] = (),
        milestone: int | None = None,
        weight: int | None = None,
        confidential: bool = False,
        reporter: str | None = None,
        number: int | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> Issue:
        """A new issue, in the project's first type and status unless said otherwise. GitLab labels are made on the way."""
        with self.lock:
            home = self._project(project)
            self._user(actor)
            if number is None:
                number = self._next(f"number {home.key}")
            if number in home.issues:
                raise Refused(f"{home.key} already has an issue {number}")
            if not home.statuses or not home.types:
                raise Refused(f"project {home.key} has no statuses or no types")
            chosen: dict[str, Any] = {
                "type": type_ or home.types[0].id,
                "status": status or home.statuses[0].id,
                "priority": priority,
                "labels": list(dict.fromkeys(labels)),
                "assignees": list(assignees),
                "fix_versions": list(fix_versions),
            }
            self._check(home, chosen)
            identity = {
                "id": str(self._next("issue")),
                "key": f"{home.key}#{number}" if home.kind == "gitlab" else f"{home.key}-{number}",
                "number": number, "project": home.key, "title": title, "description": description,
                "due": due, "components": list(components), "milestone": milestone, "weight": weight,
                "confidential": confidential, "reporter": actor if reporter is None else reporter,
                "extra": dict(extra or {}),
            }  # fmt: skip
            self._labels(home, chosen["labels"], actor, at)
            self._append("issue", {**identity, **chosen}, actor, at)
            return self.issues[str(identity["id"])]

    def load_issue(self, issue: Issue) -> Issue:
        """Take in an issue as another tracker had it, ids, instants and history included (see ``load``)."""
        with self.lock:
            self._project(issue.project)
            if issue.id in self.issues or issue.key in self.world.keys:
                raise Refused(f"issue {issue.key} (id {issue.id}) is already there")
            self._append("loaded", {"issue": issue}, "", None)
            return self.issues[issue.id]

    def edit(
        self,
        issue: str,
        changes: Mapping[str, Any],
        *,
        actor: str,
        at: datetime | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> Issue:
        """Set fields; what is already so is left out, and where nothing is left nothing is written.

        Values are as ``Issue`` holds them: ids for words, whole lists for labels, assignees and fix_versions. All
        changes of one call make one entry of the history.
        """
        with self.lock:
            found = self._issue(issue)
            home = self._project(found.project)
            self._user(actor)
            self._check(home, changes)
            news = {name: value for name, value in changes.items() if _held(found, name) != value}
            if not news:
                return found
            self._in_order(found, at)
            if "labels" in news:
                self._labels(home, news["labels"], actor, at)
            data = {"issue": found.id, "changes": news, "history": self._history(found), "metadata": metadata}
            self._append("edited", data, actor, at)
            return found

    def relabel(
        self, issue: str, *, actor: str, add: Iterable[str] = (), remove: Iterable[str] = (), at: datetime | None = None
    ) -> Issue:
        """Add and remove labels, keeping the order of the others."""
        with self.lock:
            gone = set(remove)
            labels = [one for one in self._issue(issue).labels if one not in gone]
            return self.edit(issue, {"labels": list(dict.fromkeys([*labels, *add]))}, actor=actor, at=at)

    def transition(
        self, issue: str, status: str, *, actor: str, at: datetime | None = None, resolution: str | None = None
    ) -> Issue:
        """Move to a status. Jira: reaching ``done`` sets a resolution (the project's first), leaving it clears it."""
        with self.lock:
            found = self._issue(issue)
            home = self._project(found.project)
            target = home.status(status)
            if target is None:
                raise Refused(f"project {home.key} has no status {status!r}")
            changes: dict[str, Any] = {"status": status}
            if home.kind == "jira" and home.resolutions:
                done = target.group == "done"
                changes["resolution"] = (resolution or found.resolution or home.resolutions[0].id) if done else None
            return self.edit(issue, changes, actor=actor, at=at)

    def close(self, issue: str, *, actor: str, at: datetime | None = None, merge_request: int | None = None) -> Issue:
        """Close a GitLab issue; ``merge_request`` is the iid of the one that did it, if one did."""
        said = None if merge_request is None else {"merge_request": merge_request}
        return self.edit(issue, {"status": "closed"}, actor=actor, at=at, metadata=said)

    def reopen(self, issue: str, *, actor: str, at: datetime | None = None) -> Issue:
        """Reopen a GitLab issue."""
        return self.edit(issue, {"status": "opened"}, actor=actor, at=at)

    def comment(
        self,
        issue: str,
        body: Body,
        *,
        actor: str,
        at: datetime | None = None,
        internal: bool = False,
        visibility: Mapping[str, Any] | None = None,
        properties: Mapping[str, Any] | None = None,
    ) -> str:
        """Write a comment; gives its id."""
        with self.lock:
            found = self._issue(issue)
            self._user(actor)
            self._in_order(found, at)
            id_ = str(self._next("comment"))
            data = {
                "issue": found.id, "id": id_, "body": body, "internal": internal,
                "visibility": None if visibility is None else dict(visibility), "properties": dict(properties or {}),
            }  # fmt: skip
            self._append("commented", data, actor, at)
            return id_

    def edit_comment(self, issue: str, comment: str, body: Body, *, actor: str, at: datetime | None = None) -> None:
        """Change a comment's text in place. Raises Refused if there is no such comment."""
        with self.lock:
            found = self._issue(issue)
            if found.comment(comment) is None:
                raise Refused(f"{found.key} has no comment {comment}")
            self._append("comment_edited", {"issue": found.id, "comment": comment, "body": body}, actor, at)

    def remove_comment(self, issue: str, comment: str, *, actor: str, at: datetime | None = None) -> None:
        with self.lock:
            found = self._issue(issue)
            if found.comment(comment) is None:
                raise Refused(f"{found.key} has no comment {comment}")
            self._append("comment_removed", {"issue": found.id, "comment": comment}, actor, at)

    def link_issues(self, source: str, target: str, type_: str, *, actor: str, at: datetime | None = None) -> IssueLink:
        """Link two issues: ``source`` does ``type_`` to ``target``. The same link again changes nothing."""
        with self.lock:
            one, two = self._issue(source), self._issue(target)
            if one is two:
                raise Refused(f"{one.key} cannot be linked to itself")
            if self._project(one.project).kind == "jira" and type_ not in self.world.link_types:
                raise Refused(f"no link type {type_!r}")
            same = (link for link in one.links if (link.type, link.source, link.target) == (type_, one.id, two.id))
            if (there := next(same, None)) is not None:
                return there
            data = {"id": str(self._next("link")), "type": type_, "source": one.id, "target": two.id}
            self._append("issues_linked", {**data, "history": self._history(one, two)}, actor, at)
            return one.links[-1]

    def unlink_issues(self, link: IssueLink, *, actor: str, at: datetime | None = None) -> None:
        with self.lock:
            one, two = self._issue(link.source), self._issue(link.target)
            data = {"id": link.id, "source": one.id, "history": self._history(one, two)}
            self._append("issues_unlinked", data, actor, at)

    def link_web(
        self, issue: str, global_id: str, data: Mapping[str, Any], *, actor: str, at: datetime | None = None
    ) -> bool:
        """Link an issue to an address outside, replacing the link of that ``global_id``. True where it is new.

        ``data`` has at least ``{"object": {"url": ..., "title": ...}}``.
        """
        target = data.get("object")
        if not isinstance(target, dict) or not target.get("url") or not target.get("title"):
            raise Refused("a web link needs an object with url and title")
        with self.lock:
            found = self._issue(issue)
            old = found.web_links.get(global_id)
            id_ = old.id if old else self._next("web_link")
            entry = {"issue": found.id, "id": id_, "global_id": global_id, "data": dict(data)}
            self._append("web_linked", {**entry, "history": self._history(found)}, actor, at)
            return old is None

    def unlink_web(self, issue: str, global_id: str, *, actor: str, at: datetime | None = None) -> None:
        """Raises Refused if there is no such link."""
        with self.lock:
            found = self._issue(issue)
            if global_id not in found.web_links:
                raise Refused(f"{found.key} has no link {global_id!r}")
            entry = {"issue": found.id, "global_id": global_id, "history": self._history(found)}
            self._append("web_unlinked", entry, actor, at)

    def move_issue(self, issue: str, project: str, *, actor: str, at: datetime | None = None) -> Issue:
        """Move a Jira issue to another Jira project: it keeps its id, gets a new key, and is found by the old one too.

        What the other project does not know is replaced by its first word, or left behind.
        """
        with self.lock:
            found, home = self._issue(issue), self._project(project)
            self._user(actor)
            if {home.kind, self._project(found.project).kind} != {"jira"} or home.key == found.project:
                raise Refused(f"{found.key} cannot be moved to {home.key}")
            self._in_order(found, at)
            number = self._next(f"number {home.key}")
            changes: dict[str, Any] = {}
            for name, words in (("type", home.types), ("status", home.statuses), ("priority", home.priorities)):
                if getattr(found, name) not in {None, *(word.id for word in words)}:
                    changes[name] = words[0].id if words else None
            known = {word.id for word in home.components}
            if found.components and not known.issuperset(found.components):
                changes["components"] = [one for one in found.components if one in known]
            if found.fix_versions:
                changes["fix_versions"] = []
            data = {
                "issue": found.id, "project": home.key, "number": number, "key": f"{home.key}-{number}",
                "changes": changes, "history": self._history(found),
            }  # fmt: skip
            self._append("moved", data, actor, at)
            return found

    def remove_issue(self, issue: str, *, actor: str, at: datetime | None = None) -> None:
        """Delete a Jira issue, with all that hangs on it."""
        with self.lock:
            found = self._issue(issue)
            if self._project(found.project).kind != "jira":
                raise Refused(f"{found.key} cannot be deleted")
            self._append("removed", {"issue": found.id}, actor, at)

    def set_value(self, issue: str, name: str, value: Any) -> None:
        """What the server itself says in a field (JSON), such as an SLA's; moves neither ``updated`` nor the history."""
        with self.lock:
            if name in EDITABLE:
                raise Refused(f"{name} is edited, with who and when")
            self._append("value", {"issue": self._issue(issue).id, "name": name, "value": value}, "", None)

    def set_property(self, issue: str, key: str, value: Any, *, actor: str, at: datetime | None = None) -> None:
        """Set a hidden property; None removes it. Moves neither ``updated`` nor the history."""
        with self.lock:
            data = {"issue": self._issue(issue).id, "key": key, "value": value}
            self._append("property", data, actor, at)


def _held(issue: Issue, name: str) -> Any:
    return getattr(issue, name) if name in EDITABLE else issue.extra.get(name)
