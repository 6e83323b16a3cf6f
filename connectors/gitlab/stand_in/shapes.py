"""Issues, their notes, events and links in the JSON of GitLab's REST API v4 (see ``project_shapes`` for the rest)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connectors.gitlab.stand_in.history import label_named
from connectors.gitlab.stand_in.project_shapes import ProjectShapes, instant, references

if TYPE_CHECKING:
    from connectors.gitlab.stand_in.history import Note
    from connectors.sandbox.nouns import Issue, IssueLink


class Shapes(ProjectShapes):
    """Everything REST answers with, for one request."""

    __slots__ = ()

    def issue(self, issue: Issue, *, details: bool = False) -> dict[str, Any]:
        """One issue. Args: details: labels as objects (``with_labels_details``)."""
        project = self.store.projects[issue.project]
        assignees = [person for person in map(self.user, issue.assignees) if person]
        home = f"{self.api(project)}/issues/{issue.number}"
        closing = self.server.catalogue.closing(issue)
        labels: list[Any] = sorted(issue.labels, key=str.casefold)
        if details:
            labels = [self.label(project.labels[name]) for name in labels]
        closed = issue.status == "closed"
        paid: dict[str, Any] = {"weight": issue.weight} if self.server.terms.paid else {}
        return {
            **paid,
            "id": int(issue.id),
            "iid": issue.number,
            "project_id": project.id,
            "title": issue.title,
            "description": text(issue.description),
            "state": issue.status,
            "created_at": instant(issue.created),
            "updated_at": instant(issue.updated),
            "closed_at": instant(issue.resolved_at) if closed else None,
            "closed_by": self.user(closer(issue)) if closed else None,
            "labels": labels,
            "milestone": self.milestone(project, project.milestones.get(issue.milestone or 0)),
            "assignees": assignees,
            "author": self.user(issue.reporter),
            "type": issue.type,
            "assignee": assignees[0] if assignees else None,
            "user_notes_count": len(issue.comments),
            "merge_requests_count": len(closing),
            "upvotes": 0,
            "downvotes": 0,
            "due_date": issue.due.isoformat() if issue.due else None,
            "confidential": issue.confidential,
            "discussion_locked": None,
            "issue_type": issue.type.lower(),
            "web_url": self.issue_page(issue),
            "time_stats": {
                "time_estimate": 0,
                "total_time_spent": 0,
                "human_time_estimate": None,
                "human_total_time_spent": None,
            },
            "task_completion_status": {"count": 0, "completed_count": 0},
            "blocking_issues_count": 0,
            "has_tasks": True,
            "task_status": "",
            "_links": {
                "self": home,
                "notes": f"{home}/notes",
                "award_emoji": f"{home}/award_emoji",
                "project": self.api(project),
                "closed_as_duplicate_of": None,
            },
            "references": references(project, "#", issue.number),
            "severity": "UNKNOWN",
            "subscribed": False,
            "moved_to_id": None,
            "imported": False,
            "imported_from": "none",
            "service_desk_reply_to": None,
        }

    def issue_page(self, issue: Issue) -> str:
        return f"{self.base}/{issue.project}/-/issues/{issue.number}"

    def note(self, issue: Issue, note: Note) -> dict[str, Any]:
        """A comment or a system note."""
        internal = note.comment.internal if note.comment else False
        updated = note.comment.updated if note.comment else note.at
        return {
            "id": note.id,
            "type": None,
            "body": note.body,
            "attachment": None,
            "author": self.user(note.author),
            "created_at": instant(note.at),
            "updated_at": instant(updated),
            "system": note.kind != "comment",
            "noteable_id": int(issue.id),
            "noteable_type": "Issue",
            "project_id": self.store.projects[issue.project].id,
            "resolvable": False,
            "confidential": internal,
            "internal": internal,
            "imported": False,
            "imported_from": "none",
            "noteable_iid": issue.number,
            "commands_changes": {},
        }

    def label_events(self, issue: Issue, note: Note) -> list[dict[str, Any]]:
        """One event for each label of a synthetic label note; ``label`` is null where it is no longer there."""
        project = self.store.projects[issue.project]
        changed = [("add", name) for name in note.added] + [("remove", name) for name in note.removed]
        events = []
        for place, (action, name) in enumerate(changed):
            label = label_named(project, name, note.at)
            said = {
                "id": note.id + place,
                "label": None if label is None else self.label(label),
                "action": action,
            }
            events.append({**self._event(issue, note), **said})
        return events

    def state_event(self, issue: Issue, note: Note) -> dict[str, Any]:
        source: dict[str, int | None] = {"source_commit": None, "source_merge_request_id": None}
        if note.request is not None:
            request = self.store.projects[issue.project].merge_requests.get(note.request)
            source["source_merge_request_id"] = request.id if request else None
        return {**self._event(issue, note), "state": note.state, **source}

    def milestone_event(self, issue: Issue, note: Note) -> dict[str, Any]:
        project = self.store.projects[issue.project]
        named = self.milestone(project, project.milestones.get(note.milestone or 0))
        return {**self._event(issue, note), "milestone": named, "action": note.action_taken, "state": issue.status}

    def weight_event(self, issue: Issue, note: Note) -> dict[str, Any]:
        said = self._event(issue, note)
        return {name: said[name] for name in ("id", "user", "created_at")} | {
            "issue_id": int(issue.id),
            "weight": note.weight,
        }

    def _event(self, issue: Issue, note: Note) -> dict[str, Any]:
        return {
            "id": note.id,
            "user": self.user(note.author),
            "created_at": instant(note.at),
            "resource_type": "Issue",
            "resource_id": int(issue.id),
        }

    def linked(self, issue: Issue, link: IssueLink) -> dict[str, Any]:
        """The other end of a link, as the links list gives it."""
        other = self.store.issues[link.target if link.source == issue.id else link.source]
        return {
            **self.issue(other),
            "issue_link_id": int(link.id),
            "link_type": link_kind(link, seen_from=issue),
            "link_created_at": instant(link.at),
            "link_updated_at": instant(link.at),
        }

    def link(self, link: IssueLink) -> dict[str, Any]:
        """A link with both its ends, as its creation answers."""
        source, target = self.store.issues[link.source], self.store.issues[link.target]
        return {
            "id": int(link.id),
            "source_issue": self.issue(source),
            "target_issue": self.issue(target),
            "link_type": link_kind(link, seen_from=source),
        }


def text(body: Any) -> str:
    """A description or comment as a string."""
    return body if isinstance(body, str) else ""


def closer(issue: Issue) -> str:
    """Who closed it last."""
    closings = (entry.actor for entry in reversed(issue.history) for item in entry.items if item.field == "status")
    return next(closings, issue.reporter)


def link_kind(link: IssueLink, *, seen_from: Issue) -> str:
    """``relates_to``, ``blocks`` or ``is_blocked_by``."""
    if link.type != "blocks":
        return "relates_to"
    return "blocks" if link.source == seen_from.id else "is_blocked_by"
