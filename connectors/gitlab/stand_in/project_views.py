"""People, projects, patches and releases as GraphQL's objects.

An object is a dictionary by field name, with a function where a field costs work. Both generations read the same
views; the schema decides which of the fields can be asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connectors.gitlab.stand_in.connections import connection, page_size
from connectors.gitlab.stand_in.execution import Shared
from connectors.gitlab.stand_in.gids import gid, moment
from connectors.gitlab.stand_in.groups import above
from connectors.gitlab.stand_in.project_shapes import GHOST

if TYPE_CHECKING:
    from datetime import datetime

    from connectors.gitlab.stand_in.call import Call
    from connectors.gitlab.stand_in.groups import Group
    from connectors.sandbox.nouns import Commit, Issue, Label, MergeRequest, Milestone, Project, Release

View = dict[str, Any]

TYPE_NUMBERS = {"ISSUE": 1, "INCIDENT": 2, "TEST_CASE": 3, "REQUIREMENT": 4, "TASK": 5}


_FIRST_OWN_TYPE = 1001


def type_numbers(project: Project) -> dict[str, int]:
    """Ids of a project's types of work items: the vendor's own, and those that somebody made."""
    own = [word.id for word in project.types if word.id not in TYPE_NUMBERS]
    return TYPE_NUMBERS | {id_: _FIRST_OWN_TYPE + n for n, id_ in enumerate(own)}


# A release always offers its source as zip, tar.gz, tar.bz2 and tar.
_SOURCES = 4


def _asset_link(link: dict[str, Any]) -> View:
    return {
        "id": gid("Releases::Link", link.get("id", 0)),
        "name": link.get("name"),
        "url": link.get("url"),
        "directAssetUrl": link.get("direct_asset_url", link.get("url")),
        "linkType": str(link.get("link_type", "other")).upper(),
    }


class ProjectViews:
    """Attributes: call: who asks, and of which server."""

    def __init__(self, call: Call) -> None:
        self.call = call
        self._people: dict[str, View | None] = {}
        self._types: dict[tuple[int, str], View] = {}
        ends = {"hasNextPage": False, "hasPreviousPage": False, "startCursor": None, "endCursor": None}
        self._nothing = Shared({"count": 0, "nodes": [], "pageInfo": ends})

    def nothing(self, asked: dict[str, Any]) -> View:
        """A connection without rows, one object for all lists of a request that are empty."""
        page_size(asked)
        return self._nothing

    def closing(self, issue: Issue) -> list[MergeRequest]:
        """The merge requests that close, or closed, an issue."""
        return self.call.server.catalogue.closing(issue)

    # ------------------------------------------------------------------------------------------------------- people
    def user(self, account: str) -> View | None:
        """One object for all who ask within a request."""
        if account not in self._people:
            self._people[account] = self._user(account)
        return self._people[account]

    def _user(self, account: str) -> View | None:
        user = self.call.store.users.get(account)
        if user is None:
            return None
        if user.deleted:
            page = f"{self.call.shapes.base}/ghost"
            named = {"username": GHOST["username"], "name": GHOST["name"], "publicEmail": "", "state": "active"}
            return Shared({"id": gid("User", GHOST["id"]), "bot": False, "active": True, "webUrl": page, **named})
        return Shared(
            {
                "id": gid("User", user.number),
                "username": user.username,
                "name": user.name,
                "publicEmail": user.email,
                "bot": user.bot,
                "active": user.active,
                "state": "active" if user.active else "blocked",
                "webUrl": f"{self.call.shapes.base}/{user.username}",
            }
        )

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
            "nameWithNamespace": self.call.shapes.full_name(project),
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
        }

    def group(self, group: Group) -> View:
        """A group, as far as its projects tell of it."""
        call = self.call

        def projects(_info: Any, **asked: Any) -> View:
            rows = group.projects if asked.get("includeSubgroups") else group.own
            return connection(rows, self.project, asked, lambda one: ("", one.id))

        def parent(_info: Any) -> View | None:
            return self.group(call.groups()[group.parent.casefold()]) if group.parent else None

        return {
            "id": gid("Group", group.id),
            "name": group.name,
            "path": group.name,
            "fullPath": group.path,
            "fullName": group.path.replace("/", " / "),
            "description": None,
            "visibility": "private",
            "webUrl": f"{call.shapes.base}/groups/{group.path}",
            "parent": parent,
            "projects": projects,
            "labels": lambda _info, **asked: self.group_labels(group, asked),
        }

    def group_labels(self, group: Group, asked: dict[str, Any]) -> View:
        """Those of the group; of the groups above and below where these are asked for."""
        world = self.call.store.world.group_labels
        paths = {group.path}
        if asked.get("includeAncestorGroups"):
            paths.update(above(group.path))
        if asked.get("includeDescendantGroups"):
            paths.update(path for path in world if path.startswith(f"{group.path}/"))
        words, title = (asked.get("searchTerm") or "").casefold(), asked.get("title")
        rows = [label for path in paths for label in world.get(path, {}).values()]
        rows = [one for one in rows if words in one.name.casefold() and title in {None, one.name}]
        return connection(rows, self.label, asked, lambda one: (one.name.casefold(), one.id))

    def labels(self, project: Project, asked: dict[str, Any]) -> View:
        words, title = (asked.get("searchTerm") or "").casefold(), asked.get("title")
        rows = [one for one in project.labels.values() if words in one.name.casefold() and title in {None, one.name}]
        rows = [one for one in rows if not one.group or asked.get("includeAncestorGroups")]
        return connection(rows, self.label, asked, lambda one: (one.name.casefold(), one.id))

    def label(self, label: Label) -> View:
        created = moment(label.created) if label.created else "2026-01-01T00:00:00Z"
        return {
            "id": gid("GroupLabel" if label.group else "ProjectLabel", label.id),
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
        numbers = type_numbers(project)
        known = [word.id for word in project.types if wanted in {None, word.id}]
        return connection(known, lambda one: self.type(project, one), asked, lambda one: ("", numbers[one]))

    def type(self, project: Project, id_: str) -> View:
        if (found := self._types.get((project.id, id_))) is None:
            name = next((word.name for word in project.types if word.id == id_), id_.replace("_", " ").capitalize())
            icon = f"work-item-{id_.lower().replace('_', '-')}"
            number = type_numbers(project).get(id_, TYPE_NUMBERS["ISSUE"])
            found = Shared({"id": gid("WorkItems::Type", number), "name": name, "iconName": icon})
            self._types[project.id, id_] = found
        return found

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
            "links": {
                "selfUrl": f"{self.call.shapes.web(project)}/-/releases/{release.tag}",
                "editUrl": f"{self.call.shapes.web(project)}/-/releases/{release.tag}/edit",
            },
            "author": self.user(release.author),
            "assets": {
                "count": len(release.links) + _SOURCES,
                "links": lambda _info, **asked: connection(
                    release.links, _asset_link, asked, lambda one: ("", int(one.get("id", 0)))
                ),
            },
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
