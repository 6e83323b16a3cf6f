"""Jira's payloads as facts. Pure: payload in, ``Issue`` or ``Unreadable`` out, for Cloud (v3) and Data Center (v2).

Rules:

1. Any shape may arrive. A missing piece becomes an empty value or a named gap; only an issue without its fields or
   without the instant of its creation is ``Unreadable``, because no clock could start honestly.
2. Event ids are stable: ``opened``, ``history:<id>:<number of the item>``, ``comment:<id>``.
3. Words and people are told apart by id; names are in the language of whoever made the change.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Any
from urllib.parse import quote

from connectors.jira import fields as custom
from connectors.jira import issue_links, service_desk
from connectors.jira.adf import text_of
from connectors.jira.fields import NO_FIELDS, Fields
from connectors.jira.history import History, identifier, status_gaps
from connectors.jira.instants import day, instant
from connectors.jira.people import accounts_by_key, actor_of
from connectors.jira.text import received
from connectors.jira.wiki import unescaped
from connectors.tracker import Project, Unreadable
from policies.issue import Commented, Event, Gap, GapKind, Issue, IssueRef, Opened, Release, Role, Word

# What is asked of every issue; beyond it, only the fields that a site names are read.
FIELDS = (
    "summary",
    "description",
    "issuetype",
    "project",
    "status",
    "priority",
    "labels",
    "created",
    "updated",
    "duedate",
    "assignee",
    "reporter",
    "creator",
    "resolution",
    "components",
    "fixVersions",
    "versions",
    "issuelinks",
    "security",
    "comment",
)

_CATEGORY_KEYS = {"1": "undefined", "2": "new", "3": "done", "4": "indeterminate"}


@dataclass(frozen=True, slots=True)
class Source:
    """Where payloads come from.

    Attributes:
        tracker: the site's name of the tracker.
        url: the address people use, without a slash at the end.
        own: id of the account these flows write with.
        group: status id -> status category key, "" if unknown; asked for statuses in histories only.
        fields: the fields that the site names, and a service desk's.
    """

    tracker: str
    url: str
    own: str = ""
    group: Callable[[str], str] = lambda _: ""
    fields: Fields = NO_FIELDS


def issue_of(payload: Any, source: Source) -> Issue | Unreadable:
    """One REST issue, with ``changelog`` and ``fields.comment`` as complete as the server gave them."""
    issue: Mapping[str, Any] = payload if isinstance(payload, Mapping) else {}
    key = received(issue.get("key")) or identifier(issue.get("id")) or "?"
    fields = issue.get("fields")
    if not isinstance(fields, Mapping):
        return Unreadable(key, "Jira delivered it without its fields; check that this account may see the issue")
    try:
        opened_at = instant(fields.get("created"))
    except ValueError:
        created = fields.get("created")
        found = "is missing" if created is None else f"can not be read: {received(str(created))[:40]!r}"
        return Unreadable(key, f"the time of its creation {found}, so no clock can start")
    history = History(source.own, source.group, accounts_by_key(issue))
    changes, gaps = history.read(issue.get("changelog"))
    comments, comment_gaps = comments_of(fields.get("comment"), source.own)
    opener = fields.get("creator") or fields.get("reporter")
    opened = Opened(id="opened", at=opened_at, actor=actor_of(opener, source.own))
    events: list[Event] = [opened, *changes, *comments]
    updated_at = _updated(fields.get("updated"), events)
    status = word_of(fields.get("status"))
    if not status.id and not status.name:
        gaps.append(Gap(GapKind.HISTORY, "the present status was not delivered"))
    else:
        gaps += status_gaps(changes, status, updated_at)
    reported_at, report_gaps = _reported(fields, source.fields)
    return Issue(
        ref=_ref(issue, key, fields, source),
        title=received(fields.get("summary")),
        description=text_of(fields.get("description")),
        type=word_of(fields.get("issuetype")),
        status=status,
        reporter=actor_of(fields.get("reporter"), source.own),
        opened_at=opened_at,
        updated_at=updated_at,
        priority=word_of(fields["priority"]) if isinstance(fields.get("priority"), Mapping) else None,
        labels=frozenset(label for label in map(received, _items(fields.get("labels"))) if label),
        assignee=actor_of(fields["assignee"], source.own) if isinstance(fields.get("assignee"), Mapping) else None,
        due=day(fields.get("duedate")),
        components=_names(fields.get("components")),
        fix_versions=_names(fields.get("fixVersions")),
        resolution=word_of(fields.get("resolution")).name,
        reported_at=reported_at,
        organisation=custom.organisation(_named(fields, source.fields.organisation)),
        fields=_custom(fields, source.fields),
        native_slas=tuple(
            sla for name, id_ in source.fields.slas if (sla := service_desk.native_sla(name, fields.get(id_)))
        ),
        versions=_names(fields.get("versions")),
        links=issue_links.of_field(fields.get("issuelinks"), source.url),
        confidential=isinstance(fields.get("security"), Mapping),
        events=tuple(events),
        gaps=(*gaps, *comment_gaps, *report_gaps),
    )


def comments_of(field: Any, own: str) -> tuple[list[Commented], list[Gap]]:
    """The comments of ``{comments, total}``, and what is missing of them."""
    delivered = field.get("comments") if isinstance(field, Mapping) else None
    if not isinstance(delivered, list):
        return [], [Gap(GapKind.COMMENTS, "the comments were not delivered")]
    gaps: list[Gap] = []
    total = field.get("total")
    if isinstance(total, int) and total > len(delivered):
        gaps.append(Gap(GapKind.COMMENTS, f"comments not delivered: {total - len(delivered)}"))
    comments: list[Commented] = []
    for place, payload in enumerate(delivered):
        try:
            comments.append(_comment(payload, place, own))
        except ValueError:
            gaps.append(Gap(GapKind.COMMENTS, f"comment {place + 1} does not say when it was written"))
    return comments, gaps


def word_of(payload: Any) -> Word:
    """A status, priority, type or resolution; empty where there is none."""
    if not isinstance(payload, Mapping):
        return Word(id="", name=received(payload))
    return Word(id=identifier(payload.get("id")), name=received(payload.get("name")), group=_category(payload))


def release_of(payload: Any, tracker: str, project: str, url: str) -> Release | None:
    """A version of a project; None for one without a name.

    Jira keeps a plain release date. It counts as published from the start of that day in UTC, and only once it is
    marked as released; a released version without a date has no known instant, and stays unpublished here.
    """
    version: Mapping[str, Any] = payload if isinstance(payload, Mapping) else {}
    name = received(version.get("name"))
    if not name:
        return None
    released_on = day(version.get("releaseDate")) if version.get("released") is True else None
    number = identifier(version.get("id"))
    return Release(
        tracker=tracker,
        project=project,
        name=name,
        url=f"{url}/projects/{quote(project, safe='')}/versions/{quote(number, safe='')}" if number else "",
        published_at=datetime.combine(released_on, time(), UTC) if released_on else None,
    )


def project_of(payload: Any, url: str) -> Project | None:
    """A project; None for a payload without a key."""
    project: Mapping[str, Any] = payload if isinstance(payload, Mapping) else {}
    key = received(project.get("key"))
    if not key:
        return None
    return Project(
        key=key,
        id=identifier(project.get("id")),
        name=received(project.get("name")),
        url=f"{url}/browse/{quote(key, safe='')}",
    )


def _named(fields: Mapping[str, Any], id_: str) -> Any:
    """The value of a field that the site names; None where it names none."""
    return fields.get(id_) if id_ else None


def _custom(fields: Mapping[str, Any], read: Fields) -> tuple[tuple[str, str], ...]:
    """The words of the site, then those of a service desk, each with its text; without those that hold nothing."""
    named = ((word, custom.as_text(fields.get(id_))) for word, id_ in read.others)
    desk = ((word, custom.as_text(service_desk.request_type(fields.get(id_)))) for word, id_ in read.desk)
    return tuple((word, text) for word, text in (*named, *desk) if text)


def _reported(fields: Mapping[str, Any], named: Fields) -> tuple[datetime | None, list[Gap]]:
    """When it was reported, where a field of the site's says so, and the gap where what it says can not be read."""
    try:
        return custom.reported_at(_named(fields, named.reported_at)), []
    except ValueError:
        return None, [Gap(GapKind.REPORT, "the field of the report's time holds no date and time with its offset")]


def _comment(payload: Any, place: int, own: str) -> Commented:
    """Raises ValueError where the comment can not be placed in time."""
    comment: Mapping[str, Any] = payload if isinstance(payload, Mapping) else {}
    at = instant(comment.get("created"))
    number = identifier(comment.get("id")) or f"at {place}"
    actor = actor_of(comment.get("author"), own)
    body = comment.get("body")
    text = text_of(body)
    try:
        edited_at = instant(comment.get("updated"))
    except ValueError:
        edited_at = at
    return Commented(
        id=f"comment:{number}",
        at=at,
        actor=actor,
        comment=number,
        public=not (comment.get("jsdPublic") is False or comment.get("visibility") or _marked_internal(comment)),
        # Data Center gives markup. Ours is known to be escaped text; what others mean by theirs is not ours to guess.
        text=unescaped(text) if actor.role is Role.OWN and isinstance(body, str) else text,
        edited_at=edited_at if edited_at > at else None,
    )


def _marked_internal(comment: Mapping[str, Any]) -> bool:
    """Jira Service Management keeps "internal note" as a property of the comment."""
    for entry in _items(comment.get("properties")):
        if isinstance(entry, Mapping) and entry.get("key") == "sd.public.comment":
            value = entry.get("value")
            return isinstance(value, Mapping) and str(value.get("internal")).casefold() == "true"
    return False


def _category(payload: Mapping[str, Any]) -> str:
    """Key of the status category; by its id where the key is not one of Jira's."""
    category = payload.get("statusCategory")
    if not isinstance(category, Mapping):
        return ""
    key = received(category.get("key"))
    return key if key in _CATEGORY_KEYS.values() else _CATEGORY_KEYS.get(identifier(category.get("id")), key)


def _ref(issue: Mapping[str, Any], key: str, fields: Mapping[str, Any], source: Source) -> IssueRef:
    project = fields.get("project")
    project_key = received(project.get("key")) if isinstance(project, Mapping) else ""
    return IssueRef(
        tracker=source.tracker,
        project=project_key or key.rpartition("-")[0],
        key=key,
        id=identifier(issue.get("id")) or key,
        url=f"{source.url}/browse/{quote(key, safe='')}",
    )


def _updated(value: Any, events: list[Event]) -> datetime:
    """The last edit; where it is missing, the last thing that is known to have happened."""
    try:
        return instant(value)
    except ValueError:
        return max(event.at for event in events)


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _names(value: Any) -> tuple[str, ...]:
    return tuple(name for name in (word_of(item).name for item in _items(value)) if name)
