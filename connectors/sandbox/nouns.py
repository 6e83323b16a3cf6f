"""What the sandbox holds: plain records, neutral between trackers, derived from the log and written by it alone.

Rules:

1. Only ``projection`` changes a record. A dialect reads them, holding ``store.lock``, and shapes them into its own JSON.
2. A record that was loaded from a real tracker keeps what that tracker said in ``given``; the first write to a field
   takes the field out of ``given``, and from then on the record's own attribute counts.
3. What the source did not say is in ``absent`` and is left out of answers, never invented.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from policies.issue import Word

Body = str | dict[str, Any]
"""A text as it was written: wiki markup or Markdown as a string, an Atlassian document as an object."""

EVERYTHING = frozenset({"browse", "edit", "comment", "create", "link", "assign", "transition", "bulk", "admin"})
"""All words a token's permissions are made of."""


@dataclass(slots=True)
class User:
    """A person or bot.

    Attributes:
        id: account id. username: login name. number: GitLab's numeric id.
        zone: IANA time zone. locale: language of the names of words (``zh_CN``), "" for the one they were made in.
        active: False once deactivated. deleted: the account is gone; what it did stays.
    """

    id: str
    name: str
    username: str
    number: int
    email: str = ""
    bot: bool = False
    active: bool = True
    customer: bool = False
    zone: str = "UTC"
    given: dict[str, Any] = field(default_factory=dict)
    locale: str = ""
    deleted: bool = False


@dataclass(slots=True)
class Token:
    """A log-in.

    Attributes:
        user: account id. projects: keys it may see, None for all. valid: False once revoked.
        expires: the day from which it is refused (GitLab), None for never.
        scopes: of an Atlassian token with scopes (``read:jira-work``), None for a token without.
    """

    text: str = field(repr=False)
    user: str = ""
    permissions: frozenset[str] = EVERYTHING
    projects: frozenset[str] | None = None
    scopes: frozenset[str] | None = None
    expires: date | None = None
    valid: bool = True

    def may(self, permission: str, project: str | None = None) -> bool:
        """Whether this token allows a thing, at all or in a project."""
        return permission in self.permissions and (project is None or self.sees(project))

    def sees(self, project: str) -> bool:
        return "browse" in self.permissions and (self.projects is None or project in self.projects)


@dataclass(slots=True)
class Version:
    """A Jira version. Attributes: released, archived: None where a loaded source named the version and said no more."""

    id: str
    project: str
    name: str
    description: str = ""
    released: bool | None = False
    archived: bool | None = False
    release_date: date | None = None
    given: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Label:
    """A GitLab label; a group's is one and the same record in all projects below.

    Attributes: former: names it bore before, which history still uses. group: full path, "" for a project's own.
    """

    id: int
    name: str
    color: str = "#428bca"
    description: str = ""
    created: datetime | None = None
    former: tuple[str, ...] = ()
    group: str = ""


@dataclass(slots=True)
class Milestone:
    id: int
    iid: int
    title: str
    due: date | None = None
    active: bool = True
    created: datetime | None = None


@dataclass(slots=True)
class Commit:
    """On the one linear main branch of a project, in order of ``Project.commits``."""

    sha: str
    message: str
    author: str
    at: datetime


@dataclass(slots=True)
class Tag:
    name: str
    sha: str
    at: datetime
    message: str = ""


@dataclass(slots=True)
class MergeRequest:
    """Attributes: state: opened, merged or closed. closes: iids of the issues its merge closes (or closed)."""

    id: int
    iid: int
    project: str
    title: str
    description: str
    author: str
    created: datetime
    updated: datetime
    state: str = "opened"
    closes: list[int] = field(default_factory=list)
    source_branch: str = ""
    target_branch: str = "main"
    merged_at: datetime | None = None
    merged_by: str = ""
    merge_commit_sha: str = ""


@dataclass(slots=True)
class Release:
    """A published GitLab release; one whose ``released_at`` is still to come is upcoming."""

    tag: str
    name: str
    description: str
    author: str
    created: datetime
    released_at: datetime
    milestones: list[str] = field(default_factory=list)
    links: list[dict[str, Any]] = field(default_factory=list)


@dataclass(slots=True)
class Comment:
    """Attributes: internal: kept from the customer. visibility: Jira's role or group restriction as given."""

    id: str
    author: str
    body: Body
    created: datetime
    updated: datetime
    internal: bool = False
    editor: str = ""
    visibility: dict[str, Any] | None = None
    properties: dict[str, Any] = field(default_factory=dict)
    given: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class WebLink:
    """A link from an issue to an address outside, one per ``global_id``. Attributes: data: as the dialect was given it."""

    id: int
    global_id: str
    data: dict[str, Any]


@dataclass(slots=True)
class IssueLink:
    """``source`` does ``type`` to ``target``: A blocks B is source A, target B. Both are issue ids."""

    id: str
    type: str
    source: str
    target: str
    author: str = ""
    at: datetime | None = None


@dataclass(slots=True)
class Item:
    """One field's change.

    Attributes:
        field: the attribute of ``Issue``, or ``web_link``, ``issue_link``.
        before, after: as the attribute holds it (ids, not names; a list for labels, assignees, fix_versions).
        given: the source's own item, for loaded history; then before and after are its ``from`` and ``to``.
    """

    field: str
    before: Any
    after: Any
    given: dict[str, Any] | None = None


@dataclass(slots=True)
class History:
    """What one write changed. Attributes: metadata: what the writer said about it (``merge_request``: closed by it)."""

    id: int
    at: datetime
    actor: str
    items: list[Item]
    metadata: dict[str, Any] | None = None
    given: dict[str, Any] | None = None


@dataclass(slots=True)
class Issue:
    """An issue of either kind of project.

    Attributes:
        id: unique in the store; ``number`` is the iid, unique in the project.
        key: ``CAR-12`` (Jira) or ``acme/car#12`` (GitLab).
        type, status, priority, resolution: ids of the project's words (GitLab: status ``opened`` or ``closed``).
        fix_versions: ids of versions. milestone: id. assignees: account ids (Jira has at most one).
        history: oldest first. history_total: how many entries the source said there are, if it gave fewer.
        comments_total: the same for comments.
        extra: all other fields by name (``customfield_10010``).
        given, absent: see rules 2 and 3; the names are Jira's field names.
    """

    id: str
    key: str
    number: int
    project: str
    type: str
    title: str
    created: datetime
    updated: datetime
    status: str
    description: Body | None = None
    reporter: str = ""
    creator: str = ""
    priority: str | None = None
    labels: list[str] = field(default_factory=list)
    assignees: list[str] = field(default_factory=list)
    due: date | None = None
    resolution: str | None = None
    resolved_at: datetime | None = None
    components: list[str] = field(default_factory=list)
    fix_versions: list[str] = field(default_factory=list)
    milestone: int | None = None
    weight: int | None = None
    confidential: bool = False
    comments: list[Comment] = field(default_factory=list)
    comments_total: int | None = None
    web_links: dict[str, WebLink] = field(default_factory=dict)
    links: list[IssueLink] = field(default_factory=list)
    properties: dict[str, Any] = field(default_factory=dict)
    history: list[History] = field(default_factory=list)
    history_total: int | None = None
    extra: dict[str, Any] = field(default_factory=dict)
    given: dict[str, Any] = field(default_factory=dict)
    absent: set[str] = field(default_factory=set)

    def comment(self, id_: str) -> Comment | None:
        return next((one for one in self.comments if one.id == id_), None)


@dataclass(slots=True)
class Project:
    """A Jira project or a GitLab project (then ``key`` is its full path).

    Attributes:
        kind: ``jira`` or ``gitlab``.
        statuses, priorities, types, resolutions: its words; a status's group is ``new``, ``indeterminate`` or ``done``.
        screen: Jira names of the fields that may be edited, None for all.
        operations: what ``update`` may do to a field (``{"comment": {"add"}}``) where it is less than usual.
        service_desk: comments can be internal (Jira).
        numbers: of issues, merge requests and milestones given out so far.
    """

    key: str
    id: int
    name: str
    kind: str
    created: datetime
    statuses: list[Word] = field(default_factory=list)
    priorities: list[Word] = field(default_factory=list)
    types: list[Word] = field(default_factory=list)
    resolutions: list[Word] = field(default_factory=list)
    components: list[Word] = field(default_factory=list)
    screen: frozenset[str] | None = None
    operations: dict[str, frozenset[str]] = field(default_factory=dict)
    service_desk: bool = False
    issues: dict[int, Issue] = field(default_factory=dict)
    versions: dict[str, Version] = field(default_factory=dict)
    labels: dict[str, Label] = field(default_factory=dict)
    milestones: dict[int, Milestone] = field(default_factory=dict)
    merge_requests: dict[int, MergeRequest] = field(default_factory=dict)
    commits: list[Commit] = field(default_factory=list)
    tags: dict[str, Tag] = field(default_factory=dict)
    releases: dict[str, Release] = field(default_factory=dict)
    given: dict[str, Any] = field(default_factory=dict)

    def status(self, id_: str) -> Word | None:
        return next((word for word in self.statuses if word.id == id_), None)

    def tags_containing(self, sha: str) -> list[Tag]:
        """The tags whose commit is ``sha`` or a later one, oldest first (the history is linear)."""
        place = {commit.sha: n for n, commit in enumerate(self.commits)}
        if sha not in place:
            return []
        tags = [tag for tag in self.tags.values() if place.get(tag.sha, -1) >= place[sha]]
        return sorted(tags, key=lambda tag: (place[tag.sha], tag.at))
