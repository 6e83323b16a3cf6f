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
    History,
    Issue,
    IssueLink,
    Item,
    Label,
    Project,
    Token,
    User,
    WebLink,
)
from connectors.sandbox.release_projection import LABELS_AT_BIRTH, RELEASES

__all__ = ["GIVEN_AS", "LABELS_AT_BIRTH", "Entry", "World", "touch"]

GIVEN_AS = {
    "title": "summary",
    "type": "issuetype",
    "assignees": "assignee",
    "due": "duedate",
    "fix_versions": "fixVersions",
}
"""Names of our attributes in ``given`` and ``absent``, where they differ."""


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
        group_labels: of GitLab groups, by full path and name.
        keys, comments: issue ids by key (also by those that moved issues had), and by the id of a comment.
        translations: names of words by locale, kind and id.
        anonymous: whether somebody without a log-in gets in, to see nothing.
        last: the highest id given out, by kind.
    """

    users: dict[str, User] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)
    projects: dict[str, Project] = field(default_factory=dict)
    group_labels: dict[str, dict[str, Label]] = field(default_factory=dict)
    issues: dict[str, Issue] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    comments: dict[str, str] = field(default_factory=dict)
    link_types: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    fields: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    translations: dict[tuple[str, str, str], str] = field(default_factory=dict)
    anonymous: bool = False
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


def _user_changed(world: World, entry: Entry) -> None:
    user = world.users[entry.data["id"]]
    for name, value in entry.data["changes"].items():
        setattr(user, name, value)
    user.given = {}


def _token(world: World, entry: Entry) -> None:
    world.tokens[entry.data["text"]] = Token(**entry.data)


def _token_revoked(world: World, entry: Entry) -> None:
    world.tokens[entry.data["text"]].valid = False


def _project(world: World, entry: Entry) -> None:
    words = {name: list(entry.data[name]) for name in ("statuses", "priorities", "types", "resolutions", "components")}
    project = Project(created=entry.at, **{**entry.data, **words})
    world.projects[project.key] = project
    for group, labels in world.group_labels.items():
        if project.kind == "gitlab" and project.key.startswith(f"{group}/"):
            project.labels.update(labels)
    world.counted("project", project.id)


def _words(world: World, entry: Entry) -> None:
    project = world.projects[entry.data["project"]]
    words, word = getattr(project, entry.data["kind"]), entry.data["word"]
    place = next((n for n, one in enumerate(words) if one.id == word.id), len(words))
    words[place : place + 1] = [word]


def _screen(world: World, entry: Entry) -> None:
    world.projects[entry.data["project"]].screen = entry.data["screen"]


def _operations(world: World, entry: Entry) -> None:
    held = world.projects[entry.data["project"]].operations
    if entry.data["operations"] is None:
        held.pop(entry.data["field"], None)
    else:
        held[entry.data["field"]] = entry.data["operations"]


def _translation(world: World, entry: Entry) -> None:
    world.translations[entry.data["locale"], entry.data["kind"], entry.data["id"]] = entry.data["name"]


def _anonymous(world: World, entry: Entry) -> None:
    world.anonymous = entry.data["allowed"]


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


def _moved(world: World, entry: Entry) -> None:
    data = entry.data
    issue = world.issues[data["issue"]]
    old, new = world.projects[issue.project], world.projects[data["project"]]
    items = [Item("project", old.key, new.key), Item("key", issue.key, data["key"])]
    for name, after in data["changes"].items():
        items.append(Item(name, getattr(issue, name), after))
        setattr(issue, name, list(after) if isinstance(after, list) else after)
        issue.given.pop(GIVEN_AS.get(name, name), None)
    del old.issues[issue.number]
    issue.project, issue.key, issue.number = new.key, data["key"], data["number"]
    issue.given.pop("project", None)
    new.issues[issue.number] = issue
    world.keys[issue.key] = issue.id
    world.counted(f"number {new.key}", issue.number)
    world.edit(issue, entry, items)


def _removed(world: World, entry: Entry) -> None:
    issue = world.issues.pop(entry.data["issue"])
    del world.projects[issue.project].issues[issue.number]
    world.keys = {key: id_ for key, id_ in world.keys.items() if id_ != issue.id}
    for comment in issue.comments:
        del world.comments[comment.id]
    for link in issue.links:
        other = world.issues[link.target if link.source == issue.id else link.source]
        other.links.remove(link)


def _value(world: World, entry: Entry) -> None:
    issue = world.issues[entry.data["issue"]]
    issue.extra[entry.data["name"]] = entry.data["value"]
    issue.given.pop(entry.data["name"], None)
    issue.absent.discard(entry.data["name"])


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


_APPLY: dict[str, Callable[[World, Entry], None]] = {
    "user": _user,
    "user_changed": _user_changed,
    "token": _token,
    "token_revoked": _token_revoked,
    "project": _project,
    "word": _words,
    "screen": _screen,
    "operations": _operations,
    "translation": _translation,
    "anonymous": _anonymous,
    "field": _field,
    "link_type": _link_type,
    "issue": _issue,
    "loaded": _loaded,
    "edited": _edited,
    "moved": _moved,
    "removed": _removed,
    "value": _value,
    "commented": _commented,
    "comment_edited": _comment_edited,
    "comment_removed": _comment_removed,
    "issues_linked": _issues_linked,
    "issues_unlinked": _issues_unlinked,
    "web_linked": _web_linked,
    "web_unlinked": _web_unlinked,
    "property": _property,
    **RELEASES,
}
