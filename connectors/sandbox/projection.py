"""From the log to the state: the one place that changes a record.

Rules:

1. The state is a function of the log: ``World.of(log)`` gives what ``store.world`` holds, at any moment.
2. An entry's data is never changed: what a record may change later, it copies.
3. Every change of an issue leaves a ``History`` on it, with who and when; comments are their own history, and
   properties, as at the vendor, have none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from connectors.sandbox.nouns import (
    Comment,
    Commit,
    History,
    Issue,
    IssueLink,
    Item,
    Label,
    MergeRequest,
    Milestone,
    Project,
    Release,
    Tag,
    Token,
    User,
    Version,
    WebLink,
)

GIVEN_AS = {
    "title": "summary",
    "type": "issuetype",
    "assignees": "assignee",
    "due": "duedate",
    "fix_versions": "fixVersions",
}
"""Names of our attributes in ``given`` and ``absent``, where they differ."""

LABELS_AT_BIRTH = "labels_at_birth"
"""In ``Issue.extra``: what a GitLab issue was created with, where a label of it is no longer there."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the log. Attributes: seq: from 1, without gaps. actor: account id, "" for the sandbox itself."""

    seq: int
    at: datetime
    actor: str
    kind: str
    data: dict[str, Any]


@dataclass
class World:
    """All there is, by id.

    Attributes:
        keys, comments: issue ids by key, and by the id of a comment.
        last: the highest id given out, by kind.
    """

    users: dict[str, User] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)
    projects: dict[str, Project] = field(default_factory=dict)
    issues: dict[str, Issue] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    comments: dict[str, str] = field(default_factory=dict)
    link_types: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    fields: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    last: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, log: Iterable[Entry]) -> World:
        """The state that a log leads to."""
        world = cls()
        for entry in log:
            world.apply(entry)
        return world

    def apply(self, entry: Entry) -> None:
        """Take one more entry into account."""
        _APPLY[entry.kind](self, entry)

    def counted(self, kind: str, id_: str | int) -> None:
        """Note an id as given out."""
        text = str(id_)
        if text.isdecimal() and text.isascii():
            self.last[kind] = max(self.last.get(kind, 0), int(text))

    def edit(self, issue: Issue, entry: Entry, items: list[Item]) -> None:
        """Leave a trace of a change on an issue."""
        if items:
            number = entry.data["history"][issue.id]
            issue.history.append(History(number, entry.at, entry.actor, items, entry.data.get("metadata")))
            self.counted("history", number)
            if issue.history_total is not None:
                issue.history_total += 1
        touch(issue, entry.at)


def touch(issue: Issue, at: datetime) -> None:
    """Move ``updated`` on, never back."""
    issue.updated = max(issue.updated, at)
    issue.given.pop("updated", None)
    issue.absent.discard("updated")


# --------------------------------------------------------------------------------------------------- people, projects


def _user(world: World, entry: Entry) -> None:
    user = User(**entry.data)
    world.users[user.id] = user
    world.counted("user", user.number)


def _token(world: World, entry: Entry) -> None:
    world.tokens[entry.data["text"]] = Token(**entry.data)


def _token_revoked(world: World, entry: Entry) -> None:
    world.tokens[entry.data["text"]].valid = False


def _project(world: World, entry: Entry) -> None:
    words = {name: list(entry.data[name]) for name in ("statuses", "priorities", "types", "resolutions", "components")}
    project = Project(created=entry.at, **{**entry.data, **words})
    world.projects[project.key] = project
    world.counted("project", project.id)


def _words(world: World, entry: Entry) -> None:
    project = world.projects[entry.data["project"]]
    words, word = getattr(project, entry.data["kind"]), entry.data["word"]
    place = next((n for n, one in enumerate(words) if one.id == word.id), len(words))
    words[place : place + 1] = [word]


def _screen(world: World, entry: Entry) -> None:
    world.projects[entry.data["project"]].screen = entry.data["screen"]


def _field(world: World, entry: Entry) -> None:
    world.fields[entry.data["id"]] = (entry.data["name"], entry.data["type"], entry.data["custom"])


def _link_type(world: World, entry: Entry) -> None:
    world.link_types[entry.data["id"]] = (entry.data["name"], entry.data["inward"], entry.data["outward"])
    world.counted("link_type", entry.data["id"])


# ------------------------------------------------------------------------------------------------------------- issues


def _place(world: World, issue: Issue) -> None:
    world.issues[issue.id] = issue
    world.keys[issue.key] = issue.id
    world.projects[issue.project].issues[issue.number] = issue
    world.counted("issue", issue.id)


def _issue(world: World, entry: Entry) -> None:
    data = dict(entry.data)
    for name in ("labels", "assignees", "components", "fix_versions"):
        data[name] = list(data[name])
    _place(
        world, Issue(created=entry.at, updated=entry.at, creator=entry.actor, **{**data, "extra": dict(data["extra"])})
    )
    world.counted(f"number {data['project']}", data["number"])


def _loaded(world: World, entry: Entry) -> None:
    source: Issue = entry.data["issue"]
    issue = replace(
        source,
        comments=[replace(one, given=dict(one.given), properties=dict(one.properties)) for one in source.comments],
        labels=list(source.labels),
        assignees=list(source.assignees),
        components=list(source.components),
        fix_versions=list(source.fix_versions),
        links=list(source.links),
        history=list(source.history),
        web_links=dict(source.web_links),
        properties=dict(source.properties),
        extra=dict(source.extra),
        given=dict(source.given),
        absent=set(source.absent),
    )
    _place(world, issue)
    world.counted(f"number {issue.project}", issue.number)
    for comment in issue.comments:
        world.comments[comment.id] = issue.id
        world.counted("comment", comment.id)
    for history in issue.history:
        world.counted("history", history.id)


def _edited(world: World, entry: Entry) -> None:
    issue = world.issues[entry.data["issue"]]
    items = []
    for name, after in entry.data["changes"].items():
        known = name in Issue.__slots__
        before = getattr(issue, name) if known else issue.extra.get(name)
        items.append(Item(name, before, after))
        if known:
            setattr(issue, name, list(after) if isinstance(after, list) else after)
        else:
            issue.extra[name] = after
        shown = GIVEN_AS.get(name, name)
        issue.given.pop(shown, None)
        issue.absent.discard(shown)
        if name == "resolution" or (name == "status" and after in {"opened", "closed"}):
            issue.resolved_at = entry.at if after not in {None, "opened"} else None
            issue.given.pop("resolutiondate", None)
            issue.absent.discard("resolutiondate")
    world.edit(issue, entry, items)


def _commented(world: World, entry: Entry) -> None:
    data = dict(entry.data)
    issue = world.issues[data.pop("issue")]
    data["properties"] = dict(data["properties"])
    issue.comments.append(Comment(author=entry.actor, created=entry.at, updated=entry.at, **data))
    world.comments[data["id"]] = issue.id
    if issue.comments_total is not None:
        issue.comments_total += 1
    world.counted("comment", data["id"])
    issue.absent.discard("comment")
    touch(issue, entry.at)


def _comment_edited(world: World, entry: Entry) -> None:
    issue = world.issues[entry.data["issue"]]
    comment = issue.comment(entry.data["comment"])
    assert comment is not None
    comment.body, comment.updated, comment.editor = entry.data["body"], entry.at, entry.actor
    for name in ("body", "updated", "updateAuthor"):
        comment.given.pop(name, None)
    touch(issue, entry.at)


def _comment_removed(world: World, entry: Entry) -> None:
    issue = world.issues[entry.data["issue"]]
    issue.comments = [one for one in issue.comments if one.id != entry.data["comment"]]
    del world.comments[entry.data["comment"]]
    if issue.comments_total is not None:
        issue.comments_total -= 1
    touch(issue, entry.at)


def _issues_linked(world: World, entry: Entry) -> None:
    data = entry.data
    link = IssueLink(data["id"], data["type"], data["source"], data["target"], entry.actor, entry.at)
    world.counted("link", link.id)
    _both_ends(world, entry, link, added=True)


def _issues_unlinked(world: World, entry: Entry) -> None:
    link = next(one for one in world.issues[entry.data["source"]].links if one.id == entry.data["id"])
    _both_ends(world, entry, link, added=False)


def _both_ends(world: World, entry: Entry, link: IssueLink, *, added: bool) -> None:
    for issue, other, outward in (
        (world.issues[link.source], world.issues[link.target], True),
        (world.issues[link.target], world.issues[link.source], False),
    ):
        said = {"type": link.type, "key": other.key, "outward": outward}
        if added:
            issue.links.append(link)
            issue.absent.discard("issuelinks")
        else:
            issue.links.remove(link)
        world.edit(issue, entry, [Item("issue_link", None if added else said, said if added else None)])


def _web_linked(world: World, entry: Entry) -> None:
    issue = world.issues[entry.data["issue"]]
    link = WebLink(entry.data["id"], entry.data["global_id"], entry.data["data"])
    before = issue.web_links.get(link.global_id)
    issue.web_links[link.global_id] = link
    world.counted("web_link", link.id)
    said = None if before is None else {"id": before.id, "data": before.data}
    world.edit(issue, entry, [Item("web_link", said, {"id": link.id, "data": link.data})])


def _web_unlinked(world: World, entry: Entry) -> None:
    issue = world.issues[entry.data["issue"]]
    link = issue.web_links.pop(entry.data["global_id"])
    world.edit(issue, entry, [Item("web_link", {"id": link.id, "data": link.data}, None)])


def _property(world: World, entry: Entry) -> None:
    held = world.issues[entry.data["issue"]].properties
    if entry.data["value"] is None:
        held.pop(entry.data["key"], None)
    else:
        held[entry.data["key"]] = entry.data["value"]


# ----------------------------------------------------------------------------------------------------------- releases


def _version(world: World, entry: Entry) -> None:
    version = Version(**entry.data)
    world.projects[version.project].versions[version.id] = version
    world.counted("version", version.id)


def _version_changed(world: World, entry: Entry) -> None:
    version = world.projects[entry.data["project"]].versions[entry.data["id"]]
    for name, value in entry.data["changes"].items():
        setattr(version, name, value)
    version.given = {}


def _label(world: World, entry: Entry) -> None:
    data = dict(entry.data)
    project = world.projects[data.pop("project")]
    project.labels[data["name"]] = Label(created=entry.at, **data)
    world.counted("label", data["id"])


def _label_changed(world: World, entry: Entry) -> None:
    project = world.projects[entry.data["project"]]
    label = project.labels.pop(entry.data["name"])
    for name, value in entry.data["changes"].items():
        setattr(label, name, value)
    project.labels[label.name] = label
    if label.name != entry.data["name"]:
        label.former = (*label.former, entry.data["name"])
        for issue in project.issues.values():
            issue.labels = [label.name if one == entry.data["name"] else one for one in issue.labels]


def _label_removed(world: World, entry: Entry) -> None:
    project = world.projects[entry.data["project"]]
    gone = entry.data["name"]
    del project.labels[gone]
    for issue in project.issues.values():
        if gone in issue.labels:
            # The label leaves the issue without a trace; that the issue was born with it stays in its history.
            changes = (item.before for one in issue.history for item in one.items if item.field == "labels")
            issue.extra.setdefault(LABELS_AT_BIRTH, next(changes, issue.labels))
            issue.labels = [one for one in issue.labels if one != gone]


def _milestone(world: World, entry: Entry) -> None:
    data = dict(entry.data)
    project = world.projects[data.pop("project")]
    project.milestones[data["id"]] = Milestone(created=entry.at, **data)
    world.counted("milestone", data["id"])
    world.counted(f"milestone {project.key}", data["iid"])


def _milestone_changed(world: World, entry: Entry) -> None:
    milestone = world.projects[entry.data["project"]].milestones[entry.data["id"]]
    for name, value in entry.data["changes"].items():
        setattr(milestone, name, value)


def _merge_request(world: World, entry: Entry) -> None:
    data = {**entry.data, "closes": list(entry.data["closes"])}
    request = MergeRequest(author=entry.actor, created=entry.at, updated=entry.at, **data)
    world.projects[request.project].merge_requests[request.iid] = request
    world.counted("merge_request", request.id)
    world.counted(f"merge_request {request.project}", request.iid)


def _merged(world: World, entry: Entry) -> None:
    project = world.projects[entry.data["project"]]
    request = project.merge_requests[entry.data["iid"]]
    request.state, request.merged_at, request.merged_by, request.updated = "merged", entry.at, entry.actor, entry.at
    request.merge_commit_sha = entry.data["sha"]


def _commit(world: World, entry: Entry) -> None:
    commit = Commit(entry.data["sha"], entry.data["message"], entry.actor, entry.at)
    world.projects[entry.data["project"]].commits.append(commit)


def _tag(world: World, entry: Entry) -> None:
    tag = Tag(entry.data["name"], entry.data["sha"], entry.at, entry.data["message"])
    world.projects[entry.data["project"]].tags[tag.name] = tag


def _release(world: World, entry: Entry) -> None:
    data = {**entry.data, "milestones": list(entry.data["milestones"]), "links": list(entry.data["links"])}
    project = world.projects[data.pop("project")]
    project.releases[data["tag"]] = Release(author=entry.actor, created=entry.at, **data)


def _release_changed(world: World, entry: Entry) -> None:
    release = world.projects[entry.data["project"]].releases[entry.data["tag"]]
    for name, value in entry.data["changes"].items():
        setattr(release, name, list(value) if isinstance(value, list) else value)


def _release_removed(world: World, entry: Entry) -> None:
    del world.projects[entry.data["project"]].releases[entry.data["tag"]]


_APPLY: dict[str, Callable[[World, Entry], None]] = {
    "user": _user,
    "token": _token,
    "token_revoked": _token_revoked,
    "project": _project,
    "word": _words,
    "screen": _screen,
    "field": _field,
    "link_type": _link_type,
    "issue": _issue,
    "loaded": _loaded,
    "edited": _edited,
    "commented": _commented,
    "comment_edited": _comment_edited,
    "comment_removed": _comment_removed,
    "issues_linked": _issues_linked,
    "issues_unlinked": _issues_unlinked,
    "web_linked": _web_linked,
    "web_unlinked": _web_unlinked,
    "property": _property,
    "version": _version,
    "version_changed": _version_changed,
    "label": _label,
    "label_changed": _label_changed,
    "label_removed": _label_removed,
    "milestone": _milestone,
    "milestone_changed": _milestone_changed,
    "merge_request": _merge_request,
    "merged": _merged,
    "commit": _commit,
    "tag": _tag,
    "release": _release,
    "release_changed": _release_changed,
    "release_removed": _release_removed,
}
