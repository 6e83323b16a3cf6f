"""What the store holds, as GraphQL's objects: dictionaries by field name, with a function where a field costs work.

Both generations read the same views; the schema decides which of the fields can be asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from connectors.gitlab.stand_in.connections import connection
from connectors.gitlab.stand_in.gids import gid, moment
from connectors.gitlab.stand_in.history import Note, label_body, label_named, latest, thread
from connectors.gitlab.stand_in.shapes import link_kind, text

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from connectors.gitlab.stand_in.call import Call
    from connectors.sandbox.nouns import Commit, Issue, IssueLink, Label, MergeRequest, Milestone, Project, Release

View = dict[str, Any]

TYPE_NUMBERS = {"ISSUE": 1, "INCIDENT": 2, "TEST_CASE": 3, "REQUIREMENT": 4, "TASK": 5}
_ICONS = {
    "assignee": "user",
    "closed": "issue-close",
    "confidential": "eye-slash",
    "cross_reference": "comment-dots",
    "description": "pencil",
    "issue_type": "pencil",
    "label": "label",
    "milestone": "milestone",
    "opened": "issues",
    "relate": "link",
    "start_date_or_due_date": "calendar",
    "title": "pencil",
    "unrelate": "unlink",
    "visible": "eye",
}
_NOTE_MODELS = {
    "comment": "Note",
    "system": "Note",
    "label": "LabelNote",
    "state": "StateNote",
    "milestone": "MilestoneNote",
}


def sort_of(order: str) -> tuple[Callable[[Issue], tuple[str, int]], bool]:
    """The key of a ``WorkItemSort`` or ``IssueSort``, and whether it runs downwards."""
    field, _, way = order.upper().rpartition("_")

    def key(issue: Issue) -> tuple[str, int]:
        value = {"UPDATED": issue.updated, "CREATED": issue.created}.get(field)
        return (issue.title.casefold() if value is None else value.isoformat(timespec="microseconds")), int(issue.id)

    return key, way == "DESC"


@dataclass(frozen=True, slots=True)
class Views:
    """Attributes: call: who asks, and of which server."""

    call: Call

    # ------------------------------------------------------------------------------------------------------- people
    def user(self, account: str) -> View | None:
        user = self.call.store.users.get(account)
        if user is None:
            return None
        return {
            "id": gid("User", user.number),
            "username": user.username,
            "name": user.name,
            "publicEmail": user.email,
            "bot": user.bot,
            "active": user.active,
            "state": "active" if user.active else "blocked",
            "webUrl": f"{self.call.shapes.base}/{user.username}",
        }

    def users(self, accounts: list[str], asked: dict[str, Any]) -> View:
        known = [one for one in accounts if one in self.call.store.users]
        return connection(known, self.user, asked, lambda one: ("", self.call.store.users[one].number))

    # ------------------------------------------------------------------------------------------------------ project
    def project(self, project: Project) -> View:
        token = self.call.token
        may = {word: token is not None and token.may(word, project.key) for word in ("admin", "create", "edit")}
        return {
            "id": gid("Project", project.id),
            "fullPath": project.key,
            "name": project.name,
            "nameWithNamespace": self.call.shapes.project(project)["name_with_namespace"],
            "webUrl": self.call.shapes.web(project),
            "visibility": "private",
            "archived": False,
            "createdAt": moment(project.created),
            "userPermissions": {
                "adminProject": may["admin"],
                "createIssue": may["create"],
                "createLabel": may["edit"],
                "pushCode": may["create"],
                "readProject": True,
            },
            "labels": lambda _info, **asked: self.labels(project, asked),
            "milestones": lambda _info, **asked: self.milestones(project, [*project.milestones.values()], asked),
            "mergeRequests": lambda _info, **asked: self.merge_requests(project, asked),
            "releases": lambda _info, **asked: self.releases(project, asked),
            "projectMembers": lambda _info, **asked: self.members(asked),
            "workItemTypes": lambda _info, **asked: self.types(project, asked),
            "workItems": lambda _info, **asked: self.issues(project, asked, self.work_item),
            "issues": lambda _info, **asked: self.issues(project, asked, self.issue),
        }

    def labels(self, project: Project, asked: dict[str, Any]) -> View:
        words, title = (asked.get("searchTerm") or "").casefold(), asked.get("title")
        rows = [one for one in project.labels.values() if words in one.name.casefold() and title in {None, one.name}]
        return connection(rows, self.label, asked, lambda one: (one.name.casefold(), one.id))

    def label(self, label: Label) -> View:
        created = moment(label.created) if label.created else "2026-01-01T00:00:00Z"
        return {
            "id": gid("ProjectLabel", label.id),
            "title": label.name,
            "color": label.color,
            "textColor": "#FFFFFF",
            "description": label.description or None,
            "archived": False,
            "createdAt": created,
            "updatedAt": created,
        }

    def milestones(self, project: Project, rows: list[Milestone], asked: dict[str, Any]) -> View:
        state, title = asked.get("state"), asked.get("title")
        rows = [one for one in rows if state is None or one.active == (state == "active")]
        rows = [one for one in rows if title in {None, one.title}]
        return connection(rows, lambda one: self.milestone(project, one), asked, lambda one: ("", one.id))

    def milestone(self, project: Project, milestone: Milestone | None) -> View | None:
        if milestone is None:
            return None
        return {
            "id": gid("Milestone", milestone.id),
            "iid": str(milestone.iid),
            "title": milestone.title,
            "description": "",
            "dueDate": milestone.due.isoformat() if milestone.due else None,
            "state": "active" if milestone.active else "closed",
            "expired": False,
            "webPath": f"/{project.key}/-/milestones/{milestone.iid}",
        }

    def members(self, asked: dict[str, Any]) -> View:
        words = (asked.get("search") or "").casefold()
        people = [one for one in self.call.store.users.values() if words in f"{one.username}\n{one.name}".casefold()]

        def shape(account: str) -> View:
            user = self.call.store.users[account]
            level = {"integerValue": 10 if user.customer else 30}
            return {
                "__typename": "ProjectMember",
                "id": gid("ProjectMember", user.number),
                "user": self.user(account),
                "accessLevel": level,
            }

        return connection([one.id for one in people], shape, asked, lambda one: ("", self.call.store.users[one].number))

    def types(self, project: Project, asked: dict[str, Any]) -> View:
        wanted = asked.get("name")
        known = [word.id for word in project.types if word.id in TYPE_NUMBERS and wanted in {None, word.id}]
        return connection(known, self.type, asked, lambda one: ("", TYPE_NUMBERS[one]))

    def type(self, id_: str) -> View:
        name = id_.replace("_", " ").capitalize()
        icon = f"work-item-{id_.lower().replace('_', '-')}"
        return {"id": gid("WorkItems::Type", TYPE_NUMBERS.get(id_, 1)), "name": name, "iconName": icon}

    # ------------------------------------------------------------------------------------------------------- patches
    def merge_requests(self, project: Project, asked: dict[str, Any]) -> View:
        state, iids = asked.get("state"), asked.get("iids")
        rows = [one for one in project.merge_requests.values() if state in {None, "all", one.state}]
        if iids is not None:
            rows = [one for one in rows if str(one.iid) in iids]
        if (after := asked.get("mergedAfter")) is not None:
            rows = [one for one in rows if one.merged_at is not None and one.merged_at >= after]
        if (after := asked.get("updatedAfter")) is not None:
            rows = [one for one in rows if one.updated >= after]
        field, _, way = asked["sort"].rpartition("_")

        def key(request: MergeRequest) -> tuple[str, int]:
            times = {"CREATED": request.created, "UPDATED": request.updated, "MERGED_AT": request.merged_at}
            at = times[field]
            return (at.isoformat(timespec="microseconds") if at else ""), request.id

        return connection(rows, self.merge_request, asked, key, descending=way == "DESC")

    def merge_request(self, request: MergeRequest) -> View:
        project = self.call.store.projects[request.project]
        return {
            "id": gid("MergeRequest", request.id),
            "iid": str(request.iid),
            "title": request.title,
            "description": request.description,
            "state": request.state,
            "createdAt": moment(request.created),
            "updatedAt": moment(request.updated),
            "mergedAt": moment(request.merged_at) if request.merged_at else None,
            "mergeCommitSha": request.merge_commit_sha or None,
            "sourceBranch": request.source_branch,
            "targetBranch": request.target_branch,
            "webUrl": f"{self.call.shapes.web(project)}/-/merge_requests/{request.iid}",
            "reference": lambda _info, full=False: f"{project.key if full else ''}!{request.iid}",
            "project": lambda _info: self.project(project),
        }

    def releases(self, project: Project, asked: dict[str, Any]) -> View:
        by_release, down = asked["sort"].startswith("RELEASED_AT"), asked["sort"].endswith("DESC")
        names = {release.tag: n for n, release in enumerate(project.releases.values(), 1)}

        def key(release: Release) -> tuple[str, int]:
            at: datetime = release.released_at if by_release else release.created
            return at.isoformat(timespec="microseconds"), names[release.tag]

        def shape(release: Release) -> View:
            return self.release(project, release, names[release.tag])

        return connection(project.releases.values(), shape, asked, key, descending=down)

    def release(self, project: Project, release: Release, number: int) -> View:
        tag = project.tags.get(release.tag)
        commit = next((one for one in project.commits if tag and one.sha == tag.sha), None)
        milestones = [one for one in project.milestones.values() if one.title in release.milestones]
        return {
            "id": gid("Release", number),
            "tagName": release.tag,
            "tagPath": f"/{project.key}/-/tags/{release.tag}",
            "name": release.name,
            "description": release.description,
            "createdAt": moment(release.created),
            "releasedAt": moment(release.released_at),
            "upcomingRelease": release.released_at > self.call.now(),
            "links": {"selfUrl": f"{self.call.shapes.web(project)}/-/releases/{release.tag}"},
            "commit": self.commit(project, commit) if commit else None,
            "milestones": lambda _info, **asked: self.milestones(project, milestones, asked),
        }

    def commit(self, project: Project, commit: Commit) -> View:
        return {
            "id": gid("CommitPresenter", commit.sha),
            "sha": commit.sha,
            "shortId": commit.sha[:8],
            "title": commit.message.partition("\n")[0],
            "message": commit.message,
            "webUrl": f"{self.call.shapes.web(project)}/-/commit/{commit.sha}",
        }

    # -------------------------------------------------------------------------------------------------------- issues
    def issues(self, project: Project, asked: dict[str, Any], shape: Callable[[Issue], View]) -> View:
        """The issues of a project that meet all that is asked, as work items or as issues."""
        key, descending = sort_of(asked["sort"])
        rows = [one for one in project.issues.values() if self.call.sees(one) and _meets(one, asked)]
        return connection(rows, shape, asked, key, descending=descending)

    def work_item(self, issue: Issue) -> View:
        return {
            **self._common(issue),
            "id": gid("WorkItem", issue.id),
            "state": "OPEN" if issue.status == "opened" else "CLOSED",
            "lockVersion": len(issue.history),
            "workItemType": self.type(issue.type),
            "project": lambda _info: self.project(self.call.store.projects[issue.project]),
            "userPermissions": lambda _info: self._permissions(issue),
            "widgets": lambda _info, **asked: self.widgets(issue, asked),
        }

    def issue(self, issue: Issue) -> View:
        """The older shape, of servers before work items could be asked for by their last update."""
        project = self.call.store.projects[issue.project]
        closing = [one for one in project.merge_requests.values() if issue.number in one.closes]
        return {
            **self._common(issue),
            "id": gid("Issue", issue.id),
            "state": issue.status,
            "type": issue.type,
            "severity": "UNKNOWN",
            "projectId": project.id,
            "dueDate": issue.due.isoformat() if issue.due else None,
            "userNotesCount": len(issue.comments),
            "mergeRequestsCount": len(closing),
            "milestone": self.milestone(project, project.milestones.get(issue.milestone or 0)),
            "assignees": lambda _info, **asked: self.users(issue.assignees, asked),
            "labels": lambda _info, **asked: self._labels_of(issue, asked),
            "notes": lambda _info, **asked: self.notes(issue, asked, merged=False),
            "discussions": lambda _info, **asked: self.discussions(issue, asked, merged=False),
            "relatedMergeRequests": lambda _info, **asked: connection(
                closing, self.merge_request, asked, lambda one: ("", one.id)
            ),
        }

    def _common(self, issue: Issue) -> View:
        path = f"/{issue.project}/-/issues/{issue.number}"
        return {
            "iid": str(issue.number),
            "title": issue.title,
            "description": text(issue.description),
            "createdAt": moment(issue.created),
            "updatedAt": moment(issue.updated),
            "closedAt": moment(issue.resolved_at) if issue.resolved_at and issue.status == "closed" else None,
            "confidential": issue.confidential,
            "author": self.user(issue.reporter),
            "webPath": path,
            "webUrl": f"{self.call.shapes.base}{path}",
            "reference": lambda _info, full=False: f"{issue.project if full else ''}#{issue.number}",
            "userDiscussionsCount": len(issue.comments),
        }

    def _permissions(self, issue: Issue) -> View:
        token = self.call.token
        may = {word: token is not None and token.may(word, issue.project) for word in ("admin", "comment", "edit")}
        return {
            "adminWorkItem": may["admin"],
            "createNote": may["comment"],
            "readWorkItem": True,
            "setWorkItemMetadata": may["edit"],
            "updateWorkItem": may["edit"],
        }

    def _labels_of(self, issue: Issue, asked: dict[str, Any]) -> View:
        project = self.call.store.projects[issue.project]
        rows = [project.labels[name] for name in issue.labels]
        return connection(rows, self.label, asked, lambda one: (one.name.casefold(), one.id))

    # ------------------------------------------------------------------------------------------------------- widgets
    def widgets(self, issue: Issue, asked: dict[str, Any]) -> list[View]:
        """Those a Free server puts on an issue, in its order."""
        only, but = asked.get("onlyTypes"), asked.get("exceptTypes") or ()
        project = self.call.store.projects[issue.project]
        fields: dict[str, tuple[str, View]] = {
            "ASSIGNEES": (
                "Assignees",
                {
                    "allowsMultipleAssignees": False,
                    "assignees": lambda _info, **more: self.users(issue.assignees, more),
                },
            ),
            "DESCRIPTION": ("Description", self._description(issue)),
            "LABELS": (
                "Labels",
                {"allowsScopedLabels": False, "labels": lambda _info, **more: self._labels_of(issue, more)},
            ),
            "MILESTONE": (
                "Milestone",
                {"milestone": self.milestone(project, project.milestones.get(issue.milestone or 0))},
            ),
            "NOTES": (
                "Notes",
                {
                    "discussionLocked": False,
                    "discussions": lambda _info, **more: self.discussions(issue, more, merged=True),
                    "notes": lambda _info, **more: self.notes(issue, more, merged=False),
                },
            ),
            "START_AND_DUE_DATE": (
                "StartAndDueDate",
                {"dueDate": issue.due.isoformat() if issue.due else None, "startDate": None, "isFixed": True},
            ),
            "HIERARCHY": ("Hierarchy", {"hasChildren": False, "hasParent": False}),
        }
        if self.call.generation == "19.2":
            fields["LINKED_ITEMS"] = (
                "LinkedItems",
                {"blocked": False, "linkedItems": lambda _info, **more: self.links(issue, more)},
            )
            fields["DEVELOPMENT"] = ("Development", self._development(issue))
        shown = [name for name in fields if (only is None or name in only) and name not in but]
        return [{"__typename": f"WorkItemWidget{fields[name][0]}", "type": name, **fields[name][1]} for name in shown]

    def _description(self, issue: Issue) -> View:
        edits = [entry for entry in issue.history if any(item.field == "description" for item in entry.items)]
        last = edits[-1] if edits else None
        return {
            "description": text(issue.description),
            "edited": last is not None,
            "lastEditedAt": moment(last.at) if last else None,
            "lastEditedBy": self.user(last.actor) if last else None,
        }

    def _development(self, issue: Issue) -> View:
        project = self.call.store.projects[issue.project]
        closing = [one for one in project.merge_requests.values() if issue.number in one.closes]

        def shape(request: MergeRequest) -> View:
            id_ = gid("MergeRequestsClosingIssues", request.id * 1000 + issue.number % 1000)
            return {"id": id_, "fromMrDescription": True, "mergeRequest": self.merge_request(request)}

        return {
            "willAutoCloseByMergeRequest": any(one.state == "opened" for one in closing),
            "closingMergeRequests": lambda _info, **more: connection(closing, shape, more, lambda one: ("", one.id)),
        }

    def links(self, issue: Issue, asked: dict[str, Any]) -> View:
        wanted = {"RELATED": "relates_to", "BLOCKS": "blocks", "BLOCKED_BY": "is_blocked_by"}.get(
            asked.get("filter") or ""
        )
        rows = [one for one in issue.links if wanted in {None, link_kind(one, seen_from=issue)}]

        def shape(link: IssueLink) -> View:
            other = self.call.store.issues[link.target if link.source == issue.id else link.source]
            at = moment(link.at) if link.at else moment(issue.created)
            return {
                "linkId": gid("WorkItems::RelatedWorkItemLink", link.id),
                "linkType": link_kind(link, seen_from=issue),
                "linkCreatedAt": at,
                "linkUpdatedAt": at,
                "workItem": self.work_item(other) if self.call.sees(other) else None,
            }

        return connection(rows, shape, asked, lambda one: ("", int(one.id)))

    # --------------------------------------------------------------------------------------------------------- notes
    def _thread(self, issue: Issue, asked: dict[str, Any], *, merged: bool) -> list[Note]:
        notes = latest(thread(issue, self.call.store.projects[issue.project], self.call.store.users), self.call.keep)
        kinds = asked.get("filter", "ALL_NOTES")
        shown = []
        for note in notes:
            hidden = note.comment is not None and note.comment.internal and not self.call.insider()
            synthetic = note.kind in {"label", "state", "milestone"}
            wanted = kinds == "ALL_NOTES" or (note.kind == "comment") == (kinds == "ONLY_COMMENTS")
            if wanted and not hidden and (merged or not synthetic):
                shown.append(note)
        return shown

    def discussions(self, issue: Issue, asked: dict[str, Any], *, merged: bool) -> View:
        """Threads of one note each. Args: merged: events are shown as synthetic notes among them."""

        def shape(note: Note) -> View:
            return self.discussion(issue, note)

        rows = self._thread(issue, asked, merged=merged)
        return connection(rows, shape, asked, _place, descending=asked.get("sort") == "CREATED_DESC")

    def discussion(self, issue: Issue, note: Note) -> View:
        id_ = gid("Discussion" if note.kind != "comment" else "IndividualNoteDiscussion", note.discussion)
        return {
            "id": id_,
            "replyId": id_,
            "createdAt": moment(note.at),
            "resolvable": False,
            "resolved": False,
            "notes": lambda _info, **asked: connection([note], lambda one: self.note(issue, one), asked, _place),
        }

    def notes(self, issue: Issue, asked: dict[str, Any], *, merged: bool) -> View:
        rows = self._thread(issue, asked, merged=merged)
        return connection(rows, lambda note: self.note(issue, note), asked, _place, descending=True)

    def note(self, issue: Issue, note: Note) -> View:
        project = self.call.store.projects[issue.project]
        body = label_body(note, project) if note.kind == "label" else note.body
        edited = note.comment if note.comment and note.comment.editor else None
        synthetic = note.kind in {"label", "state", "milestone"}
        id_ = note.discussion if synthetic else note.id
        return {
            "id": gid(_NOTE_MODELS[note.kind], id_),
            "body": body,
            "bodyHtml": lambda _info: self._html(project, note, body),
            "createdAt": moment(note.at),
            "updatedAt": moment(note.comment.updated if note.comment else note.at),
            "lastEditedAt": moment(edited.updated) if edited else None,
            "lastEditedBy": self.user(edited.editor) if edited else None,
            "system": note.kind != "comment",
            "internal": bool(note.comment and note.comment.internal),
            "imported": False,
            "systemNoteIconName": _ICONS.get(note.action),
            "systemNoteMetadata": (
                {"id": gid("SystemNoteMetadata", id_), "action": note.action} if note.action else None
            ),
            "author": self.user(note.author),
            "url": f"{self.call.shapes.issue_page(issue)}#note_{note.id}",
            "discussion": lambda _info: self.discussion(issue, note),
        }

    def _html(self, project: Project, note: Note, body: str) -> str:
        shown = escape(body)
        for name in (*note.added, *note.removed):
            label = label_named(project, name, note.at)
            if label is not None:
                shown = shown.replace(f"~{label.id}", f'<span class="gl-label">{escape(label.name)}</span>')
        return f"<p>{shown}</p>"


def _place(note: Note) -> tuple[str, int]:
    return note.at.isoformat(timespec="microseconds"), note.id


def _meets(issue: Issue, asked: dict[str, Any]) -> bool:
    """Whether an issue is one of those that the arguments of ``workItems`` or ``issues`` ask for."""
    iids = [str(one) for one in (asked.get("iids") or ([asked["iid"]] if asked.get("iid") else []))]
    words = (asked.get("search") or "").casefold()
    tests = (
        asked.get("state") in {None, "all", issue.status},
        asked.get("types") is None or issue.type in asked["types"],
        not iids or str(issue.number) in iids,
        asked.get("ids") is None or int(issue.id) in asked["ids"],
        set(asked.get("labelName") or ()) <= set(issue.labels),
        asked.get("confidential") in {None, issue.confidential},
        words in f"{issue.title}\n{text(issue.description)}".casefold(),
        _within(issue.created, asked, "created"),
        _within(issue.updated, asked, "updated"),
        _within(issue.resolved_at if issue.status == "closed" else None, asked, "closed"),
    )
    return all(tests)


def _within(at: datetime | None, asked: dict[str, Any], what: str) -> bool:
    """Both ends are included."""
    after, before = asked.get(f"{what}After"), asked.get(f"{what}Before")
    if at is None:
        return after is None and before is None
    return (after is None or at >= after) and (before is None or at <= before)
