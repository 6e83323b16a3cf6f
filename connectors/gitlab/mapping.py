"""GitLab's payloads to facts, out of GraphQL work items and out of REST alike. Pure.

Rules:

1. Both ways give the same facts (see ``history``): a project read twice compares equal, event by event.
2. A system note is never a comment and never a first response; it can be the only trace of a change.
3. A payload that lacks what an issue can not do without is ``Malformed``, with the member named; nothing is made up.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import NamedTuple

from connectors.gitlab import closing_requests, issue_links, markdown, system_notes
from connectors.gitlab.connection import nodes
from connectors.gitlab.history import (
    CLOSED,
    OPENED,
    AssigneeDelta,
    Delta,
    DueDelta,
    LabelDelta,
    MilestoneDelta,
    MoveDelta,
    Present,
    StateDelta,
    TypeDelta,
    replay,
)
from connectors.gitlab.note import Note, of_rest
from connectors.gitlab.payload import (
    Malformed,
    Payload,
    actor,
    day,
    instant,
    kind_of,
    need,
    number,
    objects,
    one,
    several,
    text_of,
)
from policies.event_order import in_order
from policies.issue import Actor, Commented, Event, Gap, GapKind, Issue, IssueRef, Opened, Role
from policies.issue_link import IssueLink
from policies.revised import maker, revised

WEIGHT = "weight"
"""The word under which ``Issue.fields`` holds an issue's weight, where the tier has weights."""

# Instants are in UTC already, and ``_issue`` puts the events in order.
_facts = maker(Issue)
_NO_WIDGET: Payload = {}
_NO_NAMES: Mapping[str, str] = MappingProxyType({})


class Names(NamedTuple):
    """What references in system notes stand for.

    Attributes:
        labels: label id (digits) to present title.
        milestones: milestone iid (digits) to title.
    """

    labels: Mapping[str, str] = _NO_NAMES
    milestones: Mapping[str, str] = _NO_NAMES


@dataclass(frozen=True, slots=True)
class RestHistory:
    """The lists in which REST keeps an issue's past, and what it has to do with others."""

    notes: tuple[Payload, ...] = ()
    labels: tuple[Payload, ...] = ()
    states: tuple[Payload, ...] = ()
    milestones: tuple[Payload, ...] = ()
    links: tuple[Payload, ...] = ()
    closed_by: tuple[Payload, ...] = ()


def with_own(issue: Issue, account: str) -> Issue:
    """The same issue with everything our own account did marked as ours."""

    def mark(who: Actor) -> Actor:
        return revised(who, role=Role.OWN) if who.id == account else who

    if not account:
        return issue
    did, reported = account in [event.actor.id for event in issue.events], issue.reporter.id == account
    if not did and not reported and not (issue.assignee and issue.assignee.id == account):
        return issue
    return revised(
        issue,
        reporter=mark(issue.reporter),
        assignee=mark(issue.assignee) if issue.assignee else None,
        events=tuple(
            [revised(event, actor=mark(event.actor)) if event.actor.id == account else event for event in issue.events]
        ),
    )


# -------------------------------------------------------------------------------------------------------------- GraphQL


def widgets(node: Payload) -> dict[str, Payload]:
    """A work item's widgets by type."""
    return {text_of(widget.get("type")): widget for widget in objects(node.get("widgets"))}


def work_item(
    node: Payload,
    parts: Mapping[str, Payload],
    notes: Iterable[Note],
    names: Names,
    tracker: str,
    project: str,
    gaps: tuple[Gap, ...] = (),
) -> Issue:
    """The facts of one GraphQL work item.

    Args:
        node: the work item.
        parts: its widgets by type.
        notes: all its notes, synthetic ones included, oldest first.
        names: labels and milestones of the project.
        tracker: the site's name of the tracker.
        project: full path.
        gaps: what could not be read.

    Raises:
        Malformed: an issue can not do without what is missing.
    """
    borne = [
        (number(label.get("id")), text_of(label.get("title")))
        for label in nodes(parts.get("LABELS", _NO_WIDGET).get("labels"))
    ]
    titles = dict(borne)
    if not titles.items() <= names.labels.items():
        names = Names({**names.labels, **titles}, names.milestones)
    milestone = one(parts.get("MILESTONE", _NO_WIDGET).get("milestone"))
    key = f"{project}#{need(node, 'iid')}"
    return _issue(
        _Plain(
            ref=IssueRef(tracker, project, key, number(need(node, "id")), text_of(node.get("webUrl"))),
            title=text_of(node.get("title")),
            description=text_of(node.get("description")),
            kind=text_of(one(node.get("workItemType")).get("name")),
            closed=node.get("state") == "CLOSED",
            reporter=actor(node.get("author")),
            opened_at=node.get("createdAt"),
            updated_at=node.get("updatedAt"),
            closed_at=node.get("closedAt"),
            labels=frozenset([title for _, title in borne if title]),
            assignees=tuple([actor(who) for who in nodes(parts.get("ASSIGNEES", _NO_WIDGET).get("assignees"))]),
            due=parts.get("START_AND_DUE_DATE", _NO_WIDGET).get("dueDate"),
            milestone=text_of(milestone.get("title")),
            confidential=bool(node.get("confidential")),
            links=issue_links.of_widget(parts.get("LINKED_ITEMS", _NO_WIDGET)),
            patches=closing_requests.patches(closing_requests.of_widget(parts.get("DEVELOPMENT", _NO_WIDGET))),
            weight=parts.get("WEIGHT", _NO_WIDGET).get("weight"),
        ),
        notes,
        [],
        names,
        gaps,
    )


# ----------------------------------------------------------------------------------------------------------------- REST


def rest_issue(payload: Payload, history: RestHistory, tracker: str, project: str, gaps: tuple[Gap, ...] = ()) -> Issue:
    """The facts of one REST issue and its four lists.

    Args:
        payload: the issue.
        history: its notes and resource events.
        tracker: the site's name of the tracker.
        project: full path; the payload's own reference is preferred.
        gaps: what could not be read.

    Raises:
        Malformed: an issue can not do without what is missing.
    """
    full = text_of(one(payload.get("references")).get("full"))
    path = full.rsplit("#", maxsplit=1)[0] if "#" in full else project
    milestone = one(payload.get("milestone"))
    deltas: list[Delta] = []
    lost: list[Gap] = list(gaps)
    for read, events, what in (
        (_rest_label, history.labels, "label"),
        (_rest_state, history.states, "state"),
        (_rest_milestone, history.milestones, "milestone"),
    ):
        for event in events:
            try:
                deltas.append(read(event))
            except Malformed as error:
                lost.append(Gap(GapKind.HISTORY, f"a {what} event of GitLab's that can not be read: {error}"))
    return _issue(
        _Plain(
            ref=IssueRef(
                tracker,
                path,
                f"{path}#{need(payload, 'iid')}",
                number(need(payload, "id")),
                text_of(payload.get("web_url")),
            ),
            title=text_of(payload.get("title")),
            description=text_of(payload.get("description")),
            kind=text_of(payload.get("issue_type")),
            closed=payload.get("state") == "closed",
            reporter=actor(payload.get("author")),
            opened_at=payload.get("created_at"),
            updated_at=payload.get("updated_at"),
            closed_at=payload.get("closed_at"),
            labels=frozenset(_label_names(payload.get("labels"))) - {""},
            assignees=_rest_assignees(payload),
            due=payload.get("due_date"),
            milestone=text_of(milestone.get("title")),
            confidential=bool(payload.get("confidential")),
            links=issue_links.of_widget(issue_links.as_widget(history.links)),
            patches=closing_requests.patches(closing_requests.of_widget(closing_requests.as_widget(history.closed_by))),
            weight=payload.get("weight"),
            moved=payload.get("moved_to_id") is not None,
        ),
        map(of_rest, history.notes),
        deltas,
        Names(),
        tuple(lost),
    )


def _label_names(labels: object) -> list[str]:
    return [text_of(one(label).get("name")) if isinstance(label, Mapping) else str(label) for label in several(labels)]


def _rest_assignees(payload: Payload) -> tuple[Actor, ...]:
    several = objects(payload.get("assignees")) or objects([payload.get("assignee")])
    return tuple(actor(who) for who in several)


def _rest_label(event: Payload) -> Delta:
    name = text_of(one(event.get("label")).get("name"))
    added = event.get("action") == "add"
    return LabelDelta(
        instant(event.get("created_at")),
        actor(event.get("user")),
        added=(name,) if name and added else (),
        removed=(name,) if name and not added else (),
        unknown=0 if name else 1,
    )


def _rest_state(event: Payload) -> Delta:
    state = event.get("state")
    # A tuple: what stands there may be a list, which is in no set.
    if state not in ("closed", "reopened", "opened"):
        raise Malformed(f"an unknown state {str(state)[:40]!r}")
    return StateDelta(instant(event.get("created_at")), actor(event.get("user")), closed=state == "closed")


def _rest_milestone(event: Payload) -> Delta:
    taken_off = event.get("action") == "remove"
    title = None if taken_off else text_of(one(event.get("milestone")).get("title"))
    return MilestoneDelta(instant(event.get("created_at")), actor(event.get("user")), title)


# ----------------------------------------------------------------------------------------------------------------- both


class _Plain(NamedTuple):
    """An issue's present values, out of either API."""

    ref: IssueRef
    title: str
    description: str
    kind: str
    closed: bool
    reporter: Actor
    opened_at: object
    updated_at: object
    closed_at: object
    labels: frozenset[str]
    assignees: tuple[Actor, ...]
    due: object
    milestone: str
    confidential: bool
    links: tuple[IssueLink, ...]
    patches: tuple[str, ...]
    weight: object
    moved: bool = False


def _issue(plain: _Plain, notes: Iterable[Note], deltas: list[Delta], names: Names, gaps: tuple[Gap, ...]) -> Issue:
    opened_at = instant(plain.opened_at)
    closed_at = instant(plain.closed_at) if plain.closed_at else None
    events: list[Event] = [Opened(id="opened", at=opened_at, actor=plain.reporter)]
    lost: list[Gap] = list(gaps)
    resolution = "moved" if plain.moved else ""
    for note in notes:
        if isinstance(note, Commented):
            events.append(note)
        elif isinstance(note, Gap):
            lost.append(note)
        elif note is not None:
            at, who, meaning = note
            if isinstance(meaning, system_notes.EndedNote):
                resolution = resolution or meaning.how
                continue
            if isinstance(meaning, system_notes.MovedNote) and meaning.away:
                resolution = "moved"
            deltas.append(_delta(meaning, at, who, names, plain.ref))
    assignees = [who for who in plain.assignees if who.id]
    told, missing = replay(deltas, Present(plain.closed, closed_at, plain.labels, tuple([who.id for who in assignees])))
    return _facts(
        ref=plain.ref,
        title=markdown.title_words(plain.title) if markdown.ours(plain.description) else plain.title,
        description=plain.description,
        type=kind_of(plain.kind),
        status=CLOSED if plain.closed else OPENED,
        reporter=plain.reporter,
        opened_at=opened_at,
        updated_at=instant(plain.updated_at) if plain.updated_at else opened_at,
        labels=plain.labels,
        assignee=assignees[0] if assignees else None,
        due=day(plain.due),
        fix_versions=(plain.milestone,) if plain.milestone else (),
        resolution=resolution if plain.closed else "",
        confidential=plain.confidential,
        links=plain.links,
        patches=plain.patches,
        fields=((WEIGHT, str(plain.weight)),) if type(plain.weight) is int else (),
        events=in_order(events + told),
        gaps=(*lost, *missing),
    )


def _delta(meaning: system_notes.Change, at: datetime, who: Actor, names: Names, ref: IssueRef) -> Delta:
    delta: Delta
    match meaning:
        case system_notes.LabelsNote(added, removed, unknown):
            came, lost = _named(added, names)
            went, gone = _named(removed, names)
            delta = LabelDelta(at, who, came, went, unknown + lost + gone)
        case system_notes.StateNote(state):
            delta = StateDelta(at, who, closed=state == "closed")
        case system_notes.MilestoneNote(milestone):
            known = milestone is None or not milestone.isdigit()
            delta = MilestoneDelta(at, who, milestone if known else names.milestones.get(milestone or "", ""))
        case system_notes.AssigneesNote(came, went, everybody):
            delta = AssigneeDelta(at, who, came, went, everybody)
        case system_notes.DueNote(due):
            delta = DueDelta(at, who, due)
        case system_notes.TypeNote(before, after):
            delta = TypeDelta(at, who, kind_of(before) if before else None, kind_of(after))
        case system_notes.MovedNote(other, away):
            there = full_reference(other, ref.project)
            delta = MoveDelta(at, who, ref.key, there) if away else MoveDelta(at, who, there, ref.key)
    return delta


def _named(references: tuple[str, ...], names: Names) -> tuple[tuple[str, ...], int]:
    """The labels' titles, and how many of them nothing is known of."""
    if not references:
        return (), 0
    named = [names.labels.get(label, "" if label.isdigit() else label) for label in references]
    titles = tuple([title for title in named if title])
    return titles, len(named) - len(titles)


def full_reference(text: str, project: str) -> str:
    """A reference as it stands in a note (``#7``, ``other#7``, ``group/other#7``), in full: ``group/other#7``."""
    path, _, iid = text.lstrip("/").partition("#")
    if not path:
        path = project
    elif "/" not in path:
        # A project of the same group is named without the group.
        path = f"{project.rsplit('/', maxsplit=1)[0]}/{path}" if "/" in project else path
    return f"{path}#{iid}"
