"""REST v4, issues: the list, one issue, its notes, its three kinds of events, its links."""

from __future__ import annotations

import heapq
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response

from connectors.gitlab.stand_in.call import Refusal, missing
from connectors.gitlab.stand_in.edits import Conflict, Edits, Invalid, Unlicensed
from connectors.gitlab.stand_in.history import Note, latest, thread, written
from connectors.gitlab.stand_in.meter import PERIOD
from connectors.gitlab.stand_in.paging import keyset, listed, place_of
from connectors.gitlab.stand_in.throttle import TOO_MANY, may_note

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from connectors.gitlab.stand_in.call import Call
    from connectors.sandbox.nouns import Issue, IssueLink, MergeRequest, Project

_TYPES = ("issue", "incident", "test_case", "task")
_LISTED = frozenset(map(str.upper, _TYPES))
_ORDERS: dict[str, Callable[[Issue], str]] = {
    "created_at": lambda issue: issue.created.isoformat(timespec="microseconds"),
    "updated_at": lambda issue: issue.updated.isoformat(timespec="microseconds"),
    "title": lambda issue: issue.title.casefold(),
    "due_date": lambda issue: issue.due.isoformat() if issue.due else "9999",
    "id": lambda issue: f"{int(issue.id):020d}",
    "relative_position": lambda issue: f"{int(issue.id):020d}",
    "weight": lambda issue: f"{issue.weight or 0:020d}",
}
_UPDATABLE = (
    "assignee_id", "assignee_ids", "confidential", "created_at", "description", "discussion_locked", "due_date",
    "labels", "add_labels", "remove_labels", "milestone_id", "state_event", "title", "issue_type", "weight",
)  # fmt: skip


# --------------------------------------------------------------------------------------------------------- the list
def list_issues(call: Call) -> Response:
    return _listed(call, [call.project()])


def list_everywhere(call: Call) -> Response:
    """``/issues``: of all projects the caller sees; ``scope`` is ``created_by_me`` unless said otherwise."""
    return _listed(call, call.projects(), *_scope(call, "created_by_me"))


def list_of_group(call: Call) -> Response:
    """``/groups/:id/issues``: of the group's projects and those of its subgroups."""
    return _listed(call, [*call.group().projects], *_scope(call, "all"))


def _scope(call: Call, default: str) -> Iterator[Callable[[Issue], bool]]:
    account = call.account().user
    scope = call.choice("scope", ("created_by_me", "assigned_to_me", "all"), default)
    if scope == "created_by_me":
        yield lambda issue: issue.reporter == account
    elif scope == "assigned_to_me":
        yield lambda issue: account in issue.assignees


def _listed(call: Call, projects: Sequence[Project], *more: Callable[[Issue], bool]) -> Response:
    order = call.choice("order_by", tuple(_ORDERS), "created_at")
    sort = call.choice("sort", ("asc", "desc"), "desc")
    details = bool(call.flag("with_labels_details"))
    # Types of a group's own making are served by GraphQL alone.
    tests = [lambda issue: issue.type in _LISTED, call.sees, *more, *_tests(call)]

    def key(issue: Issue) -> tuple[str, int]:
        return _ORDERS[order](issue), int(issue.id)

    def shape(issue: Issue) -> dict[str, Any]:
        return call.shapes.issue(issue, details=details)

    by_keyset = call.text("pagination") == "keyset"
    if by_keyset and call.generation != "19.2":
        raise Refusal(405, {"error": "Keyset pagination is not yet available for this type of request"})
    last = place_of(call, order) if by_keyset else None
    in_order = _in_order(call, projects, order, key, descending=sort == "desc", last=last)
    rows = (one for one in in_order if all(test(one) for test in tests))
    if by_keyset:
        return keyset(call, rows, shape, key, order)
    shown = {"order_by": order, "sort": sort, "state": call.text("state", "all")}
    return listed(call, [*rows], shape, **shown, with_labels_details=str(details).lower())


def _in_order(
    call: Call,
    projects: Sequence[Project],
    order: str,
    key: Callable[[Issue], tuple[str, int]],
    *,
    descending: bool,
    last: tuple[str, int] | None,
) -> Iterable[Issue]:
    """All issues of the projects in an order; by update, from the last row of the page before."""
    if order != "updated_at":
        return sorted((one for project in projects for one in project.issues.values()), key=key, reverse=descending)
    after = None if last is None else (_instant(last[0]), last[1])
    since, catalogue = call.moment("updated_after"), call.server.catalogue
    ways = [catalogue.by_update(one, since=since, after=after, descending=descending) for one in projects]
    return ways[0] if len(ways) == 1 else heapq.merge(*ways, key=key, reverse=descending)


def _instant(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise Refusal.invalid("cursor is invalid") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _tests(call: Call) -> Iterator[Callable[[Issue], bool]]:
    """What the parameters ask of an issue."""
    state = call.choice("state", ("opened", "closed", "all"), "all")
    if state != "all":
        yield lambda issue: issue.status == state
    yield from _times(call)
    yield from _people(call)
    labels = call.words("labels")
    if labels in (["None"], ["Any"]):
        yield lambda issue: bool(issue.labels) == (labels == ["Any"])
    elif labels:
        yield lambda issue: set(labels) <= set(issue.labels)
    if call.given("iids"):
        iids = set(call.numbers("iids"))
        yield lambda issue: issue.number in iids
    if call.given("issue_type"):
        kind = call.choice("issue_type", _TYPES, "issue").upper()
        yield lambda issue: issue.type == kind
    if (confidential := call.flag("confidential")) is not None:
        yield lambda issue: issue.confidential == confidential
    if words := call.text("search").casefold():
        yield lambda issue: words in f"{issue.title}\n{issue.description or ''}".casefold()
    if title := call.text("milestone"):
        yield lambda issue: _milestone_title(call, issue) == title


def _milestone_title(call: Call, issue: Issue) -> str:
    milestone = call.store.projects[issue.project].milestones.get(issue.milestone or 0)
    return milestone.title if milestone else "None"


def _times(call: Call) -> Iterator[Callable[[Issue], bool]]:
    if (updated_after := call.moment("updated_after")) is not None:
        yield lambda issue: issue.updated >= updated_after
    if (updated_before := call.moment("updated_before")) is not None:
        yield lambda issue: issue.updated <= updated_before
    if (created_after := call.moment("created_after")) is not None:
        yield lambda issue: issue.created >= created_after
    if (created_before := call.moment("created_before")) is not None:
        yield lambda issue: issue.created <= created_before


def _people(call: Call) -> Iterator[Callable[[Issue], bool]]:
    names = {user.username: user.id for user in call.store.users.values()}
    if call.given("author_username"):
        author = names.get(call.text("author_username"))
        yield lambda issue: issue.reporter == author
    if wanted := call.words("assignee_username"):
        accounts = {names.get(one) for one in wanted}
        yield lambda issue: not accounts.isdisjoint(issue.assignees)
    if (number := call.text("assignee_id")) in {"None", "Any"}:
        yield lambda issue: bool(issue.assignees) == (number == "Any")
    elif number:
        account = _accounts(call, [call.whole("assignee_id", 0)])
        yield lambda issue: not set(account).isdisjoint(issue.assignees)


# ---------------------------------------------------------------------------------------------------------- one issue
def get_issue(call: Call) -> Response:
    return JSONResponse(call.shapes.issue(call.issue()))


def create_issue(call: Call) -> Response:
    project = call.project()
    token = call.need("create", project)
    call.required("title")
    changes = _changes(call, project, None)
    changes.pop("title", None)
    changes.pop("description", None)
    edits = Edits(call.server, token.user)
    with _model():
        issue = edits.create(project, call.text("title"), call.text("description"), changes)
    return JSONResponse(call.shapes.issue(issue), 201)


def update_issue(call: Call) -> Response:
    issue = call.issue()
    project = call.store.projects[issue.project]
    token = call.need("edit", project)
    if not any(name in call.params for name in _UPDATABLE):
        raise Refusal.invalid(f"{', '.join(_UPDATABLE)} are missing, at least one parameter must be provided")
    changes = _changes(call, project, issue)
    with _model():
        Edits(call.server, token.user).update(issue, changes)
    return JSONResponse(call.shapes.issue(issue))


def _changes(call: Call, project: Project, issue: Issue | None) -> dict[str, Any]:
    """The parameters in the store's names. What GitLab Free does not have is left out, as there."""
    changes: dict[str, Any] = {name: call.text(name) for name in ("title", "description") if call.given(name)}
    if (confidential := call.flag("confidential")) is not None:
        changes["confidential"] = confidential
    if call.given("due_date"):
        changes["due"] = call.day("due_date")
    if call.given("milestone_id"):
        number = call.whole("milestone_id", 0)
        changes["milestone"] = number if number in project.milestones else None
    if call.given("weight"):
        changes["weight"] = call.whole("weight", 0) if call.text("weight") else None
    if call.given("assignee_ids"):
        changes["assignees"] = _accounts(call, call.numbers("assignee_ids"))
    elif call.given("assignee_id"):
        changes["assignees"] = _accounts(call, [call.whole("assignee_id", 0)])
    if call.given("issue_type"):
        known = tuple(word.id.lower() for word in project.types)
        changes["type"] = call.choice("issue_type", known, "issue").upper()
    if call.given("state_event"):
        event = call.choice("state_event", ("close", "reopen"), "close")
        changes["status"] = "closed" if event == "close" else "opened"
    if any(map(call.given, ("labels", "add_labels", "remove_labels"))):
        standing = call.words("labels") if call.given("labels") or issue is None else issue.labels
        gone = set(call.words("remove_labels"))
        changes["labels"] = list(
            dict.fromkeys([*(one for one in standing if one not in gone), *call.words("add_labels")])
        )
    return changes


def _accounts(call: Call, numbers: list[int]) -> list[str]:
    by_number = {user.number: user.id for user in call.store.users.values()}
    return [by_number[one] for one in numbers if one in by_number]


class _model:  # noqa: N801 - reads as a statement: with _model():
    """Turns what the model refuses into 400 ``{"message": {"title": ["can't be blank"]}}``."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, Invalid):
            raise Refusal.message(400, {error.field: [error.reason]}) from error


# -------------------------------------------------------------------------------------------------------------- notes
def list_notes(call: Call) -> Response:
    """Comments and system notes; label, state and milestone events are not among them."""
    issue = call.issue()
    order = call.choice("order_by", ("created_at", "updated_at"), "created_at")
    sort = call.choice("sort", ("asc", "desc"), "desc")
    kinds = call.choice("activity_filter", ("all_notes", "only_comments", "only_activity"), "all_notes")
    notes = [note for note in _notes(call, issue) if note.kind in {"comment", "system"}]
    if kinds != "all_notes":
        notes = [note for note in notes if (note.kind == "comment") == (kinds == "only_comments")]
    notes.sort(key=lambda note: (_touched(note) if order == "updated_at" else note.at, note.id), reverse=sort == "desc")
    noteable = {"noteable_id": call.path["iid"], "activity_filter": kinds}
    return listed(call, notes, lambda note: call.shapes.note(issue, note), order_by=order, sort=sort, **noteable)


def list_discussions(call: Call) -> Response:
    """The same notes, each as the thread it opens."""
    issue = call.issue()
    notes = [note for note in _notes(call, issue) if note.kind in {"comment", "system"}]

    def shape(note: Note) -> dict[str, Any]:
        return {"id": note.discussion, "individual_note": True, "notes": [call.shapes.note(issue, note)]}

    return listed(call, notes, shape)


def get_note(call: Call) -> Response:
    issue = call.issue()
    return JSONResponse(call.shapes.note(issue, _note(call, issue)))


def create_note(call: Call) -> Response:
    issue = call.issue()
    token = call.need("comment", call.store.projects[issue.project])
    if not may_note(call.server, token):
        raise Refusal(429, {"message": {"error": TOO_MANY}}, {"Retry-After": str(PERIOD)})
    call.required("body")
    internal = call.flag("internal", call.flag("confidential", default=False))
    done = _write(lambda: Edits(call.server, token.user).comment(issue, call.text("body"), internal=bool(internal)))
    if done.comment is None:
        return JSONResponse({"commands_changes": {}, "summary": list(done.said)}, 202)
    return JSONResponse(call.shapes.note(issue, written(done.comment)), 201)


def update_note(call: Call) -> Response:
    issue = call.issue()
    note = _note(call, issue)
    token = call.need("comment", call.store.projects[issue.project])
    if note.comment is None or note.comment.author != token.user:
        raise Refusal.message(403, "403 Forbidden")
    if not call.given("body"):
        raise Refusal.invalid("body, confidential are missing, at least one parameter must be provided")
    comment = note.comment
    done = _write(lambda: Edits(call.server, token.user).edit_comment(issue, comment, call.text("body")))
    if done.comment is None:
        return JSONResponse({"commands_changes": {}, "summary": list(done.said)}, 202)
    return JSONResponse(call.shapes.note(issue, written(done.comment)))


def delete_note(call: Call) -> Response:
    issue = call.issue()
    note = _note(call, issue)
    token = call.need("comment", call.store.projects[issue.project])
    if note.comment is None or note.comment.author != token.user:
        raise Refusal.message(403, "403 Forbidden")
    call.store.remove_comment(issue.id, note.comment.id, actor=token.user)
    return Response(status_code=204)


def _write(write: Callable[[], Any]) -> Any:
    try:
        return write()
    except Invalid as error:
        detail = f'400 Bad request - Note {{:{error.field}=>["{error.reason}"]}}'
        raise Refusal.message(400, detail) from error


def _note(call: Call, issue: Issue) -> Note:
    comment = issue.comment(call.path["note"])
    if comment is not None and (call.insider() or not comment.internal):
        return written(comment)
    system = (one for one in _notes(call, issue) if one.kind == "system" and str(one.id) == call.path["note"])
    if (note := next(system, None)) is None:
        raise missing("Note")
    return note


def _notes(call: Call, issue: Issue) -> list[Note]:
    """The thread as the caller may see it."""
    notes = latest(_thread(call, issue), call.keep)
    return [note for note in notes if call.insider() or not (note.comment and note.comment.internal)]


def _closing(call: Call, issue: Issue) -> list[MergeRequest]:
    return call.server.catalogue.closing(issue)


def _thread(call: Call, issue: Issue) -> list[Note]:
    return thread(issue, call.store.projects[issue.project], call.store.users, _closing(call, issue))


def _touched(note: Note) -> Any:
    return note.comment.updated if note.comment else note.at


# ------------------------------------------------------------------------------------------------------------- events
def list_label_events(call: Call) -> Response:
    issue = call.issue()
    notes = [note for note in _notes(call, issue) if note.kind == "label"]
    return listed(call, [event for note in notes for event in call.shapes.label_events(issue, note)], dict)


def list_state_events(call: Call) -> Response:
    issue = call.issue()
    notes = [note for note in _notes(call, issue) if note.kind == "state"]
    return listed(call, notes, lambda note: call.shapes.state_event(issue, note))


def list_milestone_events(call: Call) -> Response:
    issue = call.issue()
    notes = [note for note in _notes(call, issue) if note.kind == "milestone"]
    return listed(call, notes, lambda note: call.shapes.milestone_event(issue, note))


def list_weight_events(call: Call) -> Response:
    """Premium; a Free server does not know the address."""
    issue = call.issue()
    if not call.terms.paid:
        raise Refusal(404, {"error": "404 Not Found"})
    notes = [note for note in _notes(call, issue) if note.kind == "weight"]
    return listed(call, notes, lambda note: call.shapes.weight_event(issue, note))


# -------------------------------------------------------------------------------------------------------------- links
def list_links(call: Call) -> Response:
    """Links to what the caller may see."""
    issue = call.issue()
    issues = call.store.issues
    seen = [link for link in issue.links if call.reads(issues[link.source]) and call.reads(issues[link.target])]
    return JSONResponse([call.shapes.linked(issue, link) for link in seen])


def create_link(call: Call) -> Response:
    issue = call.issue()
    token = call.need("link", call.store.projects[issue.project])
    call.required("target_project_id", "target_issue_iid")
    kind = call.choice("link_type", ("relates_to", "blocks", "is_blocked_by"), "relates_to")
    project = call.visible(call.text("target_project_id"))
    if project is None:
        raise missing("Project")
    target = project.issues.get(call.whole("target_issue_iid", 0))
    if target is None or not call.sees(target):
        raise missing()
    try:
        link = Edits(call.server, token.user).link(issue, target, kind)
    except Conflict as conflict:
        status = 403 if isinstance(conflict, Unlicensed) else 409 if "already" in str(conflict) else 404
        raise Refusal.message(status, str(conflict)) from conflict
    return JSONResponse(call.shapes.link(link), 201)


def delete_link(call: Call) -> Response:
    issue = call.issue()
    token = call.need("link", call.store.projects[issue.project])
    link: IssueLink | None = next((one for one in issue.links if one.id == call.path["link"]), None)
    if link is None:
        raise missing()
    shaped = call.shapes.link(link)
    call.store.unlink_issues(link, actor=token.user)
    return JSONResponse(shaped)


# ----------------------------------------------------------------------------------------------------- merge requests
def list_closing(call: Call) -> Response:
    """The merge requests that close, or closed, the issue."""
    issue = call.issue()
    return listed(call, _closing(call, issue), call.shapes.merge_request)
