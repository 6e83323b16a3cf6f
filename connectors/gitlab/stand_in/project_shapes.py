"""People, projects, patches and releases in the JSON of GitLab's REST API v4. Pure: no request, no clock, no writing.

Members and their types follow the public answers of gitlab.com; what the sandbox has no notion of (votes, time spent,
pictures) has the value that GitLab gives where there is none.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from connectors.gitlab.stand_in.groups import ids

if TYPE_CHECKING:
    from datetime import datetime

    from connectors.gitlab.stand_in.server import Server
    from connectors.sandbox.nouns import Commit, Label, MergeRequest, Milestone, Project, Release, Tag
    from connectors.sandbox.store import Store


def instant(at: datetime | None) -> str | None:
    """``2026-03-02T09:00:00.000Z``."""
    return None if at is None else f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"


def commit_instant(at: datetime) -> str:
    """The repository's own way: ``2026-03-02T09:00:00.000+00:00``."""
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}+00:00"


GHOST: dict[str, Any] = {
    "id": 999_999, "username": "ghost", "public_email": "", "name": "Ghost User", "state": "active", "locked": False,
    "avatar_url": None,
}  # fmt: skip
"""Who is named where an account was deleted."""


@dataclass(frozen=True, slots=True)
class ProjectShapes:
    """Shapes for one request. Attributes: base: address of the server as the caller reached it, without a slash."""

    server: Server
    base: str

    @property
    def store(self) -> Store:
        return self.server.store

    # ------------------------------------------------------------------------------------------------------- people
    def user(self, id_: str) -> dict[str, Any] | None:
        """The short form of a person; None for an id nobody bears."""
        user = self.store.users.get(id_)
        if user is None:
            return None
        if user.deleted:
            return {**GHOST, "web_url": f"{self.base}/ghost"}
        return {
            "id": user.number,
            "username": user.username,
            "public_email": user.email,
            "name": user.name,
            "state": "active" if user.active else "blocked",
            "locked": False,
            "avatar_url": None,
            "web_url": f"{self.base}/{user.username}",
        }

    def account(self, id_: str) -> dict[str, Any]:
        """The long form, as ``/user`` gives it to the person."""
        user = self.store.users[id_]
        return {
            **(self.user(id_) or {}),
            "email": user.email,
            "bot": user.bot,
            "created_at": None,
            "confirmed_at": None,
            "is_admin": False,
            "can_create_project": False,
            "two_factor_enabled": False,
            "external": user.customer,
            "private_profile": False,
        }

    # ------------------------------------------------------------------------------------------------------ project
    def project(self, project: Project) -> dict[str, Any]:
        namespace, _, path = project.key.rpartition("/")
        return {
            "id": project.id,
            "description": None,
            "name": project.name,
            "name_with_namespace": self.full_name(project),
            "path": path,
            "path_with_namespace": project.key,
            "created_at": instant(project.created),
            "default_branch": "main",
            "tag_list": [],
            "topics": [],
            "web_url": self.web(project),
            "archived": False,
            "visibility": "private",
            "namespace": {
                "id": ids(self.store).get(namespace, project.id),
                "name": namespace.rpartition("/")[2],
                "path": namespace.rpartition("/")[2],
                "kind": "group",
                "full_path": namespace,
            },
            "issues_enabled": True,
            "merge_requests_enabled": True,
            "open_issues_count": sum(issue.status == "opened" for issue in project.issues.values()),
            "issues_access_level": "enabled",
            "empty_repo": not project.commits,
            "last_activity_at": instant(max((one.updated for one in project.issues.values()), default=project.created)),
            "_links": {"self": self.api(project), "issues": f"{self.api(project)}/issues"},
        }

    def full_name(self, project: Project) -> str:
        namespace = project.key.rpartition("/")[0]
        return f"{namespace.replace('/', ' / ')} / {project.name}" if namespace else project.name

    def web(self, project: Project) -> str:
        return f"{self.base}/{project.key}"

    def api(self, project: Project) -> str:
        return f"{self.base}/api/v4/projects/{project.id}"

    def label(self, label: Label) -> dict[str, Any]:
        """A label as an event or an issue names it."""
        return {
            "id": label.id,
            "name": label.name,
            "description": label.description or None,
            "description_html": label.description,
            "text_color": "#FFFFFF",
            "color": label.color,
            "archived": False,
        }

    def whole_label(self, project: Project, label: Label, *, counts: bool = False) -> dict[str, Any]:
        """A label as the labels list gives it. Args: counts: of issues that bear it, too (``with_counts``)."""
        borne = Counter(issue.status for issue in project.issues.values() if counts and label.name in issue.labels)
        numbers = {
            "open_issues_count": borne["opened"],
            "closed_issues_count": borne["closed"],
            "open_merge_requests_count": 0,
        }
        more = {"subscribed": False, "priority": None, "is_project_label": not label.group}
        return {**self.label(label), **(numbers if counts else {}), **more}

    def milestone(self, project: Project, milestone: Milestone | None) -> dict[str, Any] | None:
        if milestone is None:
            return None
        return {
            "id": milestone.id,
            "iid": milestone.iid,
            "project_id": project.id,
            "title": milestone.title,
            "description": "",
            "state": "active" if milestone.active else "closed",
            "created_at": instant(milestone.created),
            "updated_at": instant(milestone.created),
            "due_date": milestone.due.isoformat() if milestone.due else None,
            "start_date": None,
            "expired": False,
            "web_url": f"{self.web(project)}/-/milestones/{milestone.iid}",
        }

    # ------------------------------------------------------------------------------------------------------- patches
    def merge_request(self, request: MergeRequest) -> dict[str, Any]:
        project = self.store.projects[request.project]
        sha = hex_of(request.source_branch, request.id)
        merged = self.user(request.merged_by) if request.merged_at else None
        return {
            "id": request.id,
            "iid": request.iid,
            "project_id": project.id,
            "title": request.title,
            "description": request.description,
            "state": request.state,
            "created_at": instant(request.created),
            "updated_at": instant(request.updated),
            "merged_by": merged,
            "merge_user": merged,
            "merged_at": instant(request.merged_at),
            "closed_by": None,
            "closed_at": None,
            "target_branch": request.target_branch,
            "source_branch": request.source_branch,
            "user_notes_count": 0,
            "upvotes": 0,
            "downvotes": 0,
            "author": self.user(request.author),
            "assignees": [],
            "assignee": None,
            "reviewers": [],
            "source_project_id": project.id,
            "target_project_id": project.id,
            "labels": [],
            "draft": False,
            "work_in_progress": False,
            "milestone": None,
            "merge_when_pipeline_succeeds": False,
            "merge_status": "can_be_merged",
            "detailed_merge_status": "mergeable" if request.state == "opened" else "not_open",
            "prepared_at": instant(request.created),
            "sha": sha,
            "merge_commit_sha": request.merge_commit_sha or None,
            "squash_commit_sha": None,
            "discussion_locked": None,
            "should_remove_source_branch": None,
            "force_remove_source_branch": False,
            "reference": f"!{request.iid}",
            "references": references(project, "!", request.iid),
            "web_url": f"{self.web(project)}/-/merge_requests/{request.iid}",
            "time_stats": {
                "time_estimate": 0,
                "total_time_spent": 0,
                "human_time_estimate": None,
                "human_total_time_spent": None,
            },
            "squash": False,
            "squash_on_merge": False,
            "task_completion_status": {"count": 0, "completed_count": 0},
            "has_conflicts": False,
            "blocking_discussions_resolved": True,
            "approvals_before_merge": None,
        }

    def whole_merge_request(self, request: MergeRequest) -> dict[str, Any]:
        """As it is answered alone: what lists leave out, too."""
        sha = hex_of(request.source_branch, request.id)
        base = hex_of(request.target_branch, request.id)
        return {
            **self.merge_request(request),
            "subscribed": False,
            "changes_count": "1",
            "latest_build_started_at": None,
            "latest_build_finished_at": None,
            "first_deployed_to_production_at": None,
            "pipeline": None,
            "head_pipeline": None,
            "diff_refs": {"base_sha": base, "head_sha": sha, "start_sha": base},
            "merge_error": None,
            "first_contribution": False,
            "user": {"can_merge": True},
        }

    def commit(self, project: Project, commit: Commit) -> dict[str, Any]:
        shas = [one.sha for one in project.commits]
        place = shas.index(commit.sha)
        author = self.store.users.get(commit.author)
        name, mail = (author.name, author.email) if author else ("", "")
        return {
            "id": commit.sha,
            "short_id": commit.sha[:8],
            "created_at": commit_instant(commit.at),
            "parent_ids": shas[place - 1 : place] if place else [],
            "title": commit.message.partition("\n")[0],
            "message": commit.message,
            "author_name": name,
            "author_email": mail,
            "authored_date": commit_instant(commit.at),
            "committer_name": name,
            "committer_email": mail,
            "committed_date": commit_instant(commit.at),
            "trailers": {},
            "extended_trailers": {},
            "web_url": f"{self.web(project)}/-/commit/{commit.sha}",
        }

    def tag(self, project: Project, tag: Tag) -> dict[str, Any]:
        commit = next(one for one in project.commits if one.sha == tag.sha)
        release = project.releases.get(tag.name)
        return {
            "name": tag.name,
            "message": tag.message,
            "target": tag.sha,
            "commit": self.commit(project, commit),
            "release": {"tag_name": tag.name, "description": release.description} if release else None,
            "protected": False,
            "created_at": instant(tag.at) if tag.message else None,
        }

    def release(self, project: Project, release: Release, *, now: datetime) -> dict[str, Any]:
        tag = project.tags.get(release.tag)
        commit = next((one for one in project.commits if tag and one.sha == tag.sha), None)
        page = f"{self.web(project)}/-/releases/{release.tag}"
        name = project.key.rpartition("/")[2]
        sources = [
            {"format": kind, "url": f"{self.web(project)}/-/archive/{release.tag}/{name}-{release.tag}.{kind}"}
            for kind in ("zip", "tar.gz", "tar.bz2", "tar")
        ]
        milestones = [one for one in project.milestones.values() if one.title in release.milestones]
        shaped: dict[str, Any] = {
            "tag_name": release.tag,
            "name": release.name,
            "description": release.description,
            "description_html": f'<p dir="auto">{escape(release.description)}</p>' if release.description else "",
            "created_at": instant(release.created),
            "released_at": instant(release.released_at),
            "upcoming_release": release.released_at > now,
            "author": self.user(release.author),
            "commit_path": f"/{project.key}/-/commit/{tag.sha}" if tag else None,
            "tag_path": f"/{project.key}/-/tags/{release.tag}",
            "assets": {"count": len(sources) + len(release.links), "sources": sources, "links": release.links},
            "evidences": [],
            "_links": {"edit_url": f"{page}/edit", "self": page},
        }
        if commit is not None:
            shaped["commit"] = self.commit(project, commit)
        if milestones:
            shaped["milestones"] = [self.milestone(project, one) for one in milestones]
        return shaped


def references(project: Project, sign: str, iid: int) -> dict[str, str]:
    return {"short": f"{sign}{iid}", "relative": f"{sign}{iid}", "full": f"{project.key}{sign}{iid}"}


def hex_of(*parts: Any) -> str:
    """Forty hexadecimal digits that stay the same for the same parts."""
    return hashlib.sha1("\n".join(map(str, parts)).encode(), usedforsecurity=False).hexdigest()
