"""Each Change carried out on a GitLab, by work item mutations where the server has them, else by REST.

Rules:

1. Labels are added and removed by name, both lists given: scoped labels exclude each other on paid tiers only.
2. A note or an issue of ours is made once: where a try ended without a clear answer, its mark is looked for first.
3. A note that is to stay internal is never put into a public one.
4. The receipt holds what stood there before, as the issue was read.
5. Done is what GitLab shows afterwards, not what it answered without an error.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, assert_never
from urllib.parse import unquote, urlsplit

from connectors.gitlab import documents, mapping, markdown
from connectors.gitlab.client import AlreadyThere, SchemaDiffers, project_path
from connectors.gitlab.names import look_up_labels
from connectors.gitlab.payload import actor, number, objects, one, several, text_of
from connectors.gitlab.server import Generation
from connectors.retry import Kind
from connectors.tracker import (
    BadAnswer,
    NotFound,
    OutcomeUnknown,
    PermissionRefused,
    Rejected,
    ServerFailed,
    TrackerError,
)
from connectors.work import Worked
from policies.changes import (
    Mark,
    Relabel,
    SetAssignee,
    SetDueDate,
    SetPriority,
    UpsertComment,
    UpsertLink,
    UpsertReport,
)
from policies.issue import IssueRef
from policies.receipt import Outcome, Receipt

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from connectors.gitlab.client import GitLabClient
    from connectors.gitlab.payload import Payload
    from connectors.gitlab.server import Server
    from connectors.work import Work
    from policies.changes import Change
    from policies.issue import Issue

_LABEL_COLOUR = "#6699cc"
_ISSUE_ADDRESS = re.compile(r"/(?P<path>.+?)/(?:-/)?(?:issues|work_items)/(?P<iid>\d+)")
# Neither tells whether it was done.
_UNCLEAR = (OutcomeUnknown, ServerFailed, BadAnswer)


class Writes:
    """Carries changes out. Labels and people are looked up once."""

    def __init__(self, client: GitLabClient, server: Server) -> None:
        self._client = client
        self._server = server
        self._label_ids: dict[str, dict[str, list[str]]] = {}
        self._people: dict[str, str] = {}

    def perform(self, work: Sequence[Work], now: datetime) -> Iterator[Worked]:
        """As the port's ``TrackerWriter.perform``."""
        for piece in work:
            done: list[Receipt] = []
            try:
                # What was done before a failure stays in the list.
                done.extend(self._perform(piece.issue, change, now) for change in piece.changes)
            except TrackerError as failure:
                yield Worked.broken_off(piece, done, failure, now)
            else:
                yield Worked(tuple(done))

    def _perform(self, issue: Issue | None, change: Change, now: datetime) -> Receipt:
        if isinstance(change, UpsertReport):
            return self._report(issue, change, now)
        if issue is None:
            raise Rejected("no issue to do it on", tracker=self._client.name, doing=change.kind)
        outcome, made = Outcome.PERFORMED, ""
        prior: dict[str, Any] = {}
        match change:
            case Relabel():
                prior = {"labels": sorted(issue.labels)}
                self._relabel(issue.ref, change)
            case SetDueDate():
                prior = {"due": issue.due.isoformat() if issue.due else None}
                self._set_due(issue.ref, change)
            case SetAssignee():
                prior = {"assignee": issue.assignee.id if issue.assignee else None}
                self._assign(issue.ref, change)
            case UpsertComment():
                prior, made = self._comment(issue, change)
            case UpsertLink():
                prior = {"link": None}
                outcome = self._link(issue.ref, change)
            case SetPriority():
                advice = "Let the site's pack show priorities as labels on this tracker"
                raise self._refused(
                    "GitLab issues have no priority field", f"set a priority on {issue.ref.key}", advice
                )
            case _:
                assert_never(change)
        return Receipt(issue=issue.ref, change=change, outcome=outcome, at=now, prior=_json(prior), made=made)

    # --------------------------------------------------------------------------------------------------------- fields

    def _relabel(self, ref: IssueRef, change: Relabel) -> None:
        doing = f"label {ref.key}"
        if not change.add and not change.remove:
            return
        if self._by_graphql():
            known = self._labels(ref.project)
            for name in change.add:
                if name not in known:
                    known[name] = [self._make_label(ref.project, name)]
            # One name can stand for a label of the project and one of its group; the project's own comes first.
            add = [min(known[name], key=lambda gid: "ProjectLabel" not in gid) for name in change.add]
            remove = [gid for name in change.remove for gid in known.get(name, [])]
            if not add and not remove:
                return
            ask = {"id": _work_item(ref), "add": add, "remove": remove}
            done = self._mutated("Relabel", documents.RELABEL, ask, doing)
            if done is not None:
                borne = mapping.nodes(_left(done, "LABELS").get("labels"))
                self._must_be_so(_agrees(change, [label.get("title") for label in borne]), "labels", doing)
                return
        if any("," in name for name in (*change.add, *change.remove)):
            raise self._refused("a label's name may hold no comma", doing, "Rename the label in the pack")
        body = {"add_labels": ",".join(change.add), "remove_labels": ",".join(change.remove)}
        left = self._put(ref, {name: listed for name, listed in body.items() if listed}, doing)
        self._must_be_so(_agrees(change, several(left.get("labels"))), "labels", doing)

    def _set_due(self, ref: IssueRef, change: SetDueDate) -> None:
        doing = f"set the due date of {ref.key}"
        day = change.due.isoformat() if change.due else None
        if self._by_graphql():
            ask = {"id": _work_item(ref), "due": day}
            done = self._mutated("SetDueDate", documents.SET_DUE_DATE, ask, doing)
            if done is not None:
                left = _left(done, "START_AND_DUE_DATE").get("dueDate")
                self._must_be_so((text_of(left)[:10] or None) == day, "due date", doing)
                return
        left = self._put(ref, {"due_date": day or ""}, doing).get("due_date")
        self._must_be_so((left or None) == day, "due date", doing)

    def _assign(self, ref: IssueRef, change: SetAssignee) -> None:
        doing = f"assign {ref.key} to {change.account}"
        person = self._person(change.account, doing)
        if self._by_graphql():
            ask = {"id": _work_item(ref), "who": [f"gid://gitlab/User/{person}"]}
            done = self._mutated("SetAssignee", documents.SET_ASSIGNEE, ask, doing)
            if done is not None:
                self._must_be_assigned(mapping.nodes(_left(done, "ASSIGNEES").get("assignees")), change, doing)
                return
        left = self._put(ref, {"assignee_ids": [int(person)]}, doing)
        self._must_be_assigned(objects(left.get("assignees")), change, doing)

    def _must_be_assigned(self, people: list[Payload], change: SetAssignee, doing: str) -> None:
        names = {text_of(who.get("username")).lower() for who in people}
        self._must_be_so(change.account.lower() in names, "assignee", doing)

    def _must_be_so(self, so: bool, what: str, doing: str) -> None:
        """GitLab drops what an account may not set, or a person who is no member, without a word."""
        if not so:
            detail = f"GitLab took the request and left the {what} as before"
            advice = "Give the account the role Reporter, name only members of the project, and see whether issues of this type have it"
            raise PermissionRefused(detail, tracker=self._client.name, doing=doing, advice=advice)

    def _person(self, username: str, doing: str) -> str:
        if username not in self._people:
            found = self._client.rest("GET", "users", doing=doing, query={"username": username})
            matching = [who for who in found or [] if text_of(one(who).get("username")).lower() == username.lower()]
            if not matching:
                advice = "Name a member of the project as responder in the site file"
                raise self._refused(f"no user {username!r}", doing, advice)
            self._people[username] = number(matching[0].get("id"))
        return self._people[username]

    def _labels(self, project: str) -> dict[str, list[str]]:
        if project not in self._label_ids:
            self._label_ids[project] = look_up_labels(self._client, project).ids
        return self._label_ids[project]

    def _make_label(self, project: str, name: str) -> str:
        doing = f"make the label {name} in {project}"
        body = {"name": name, "color": _LABEL_COLOUR}
        path = f"{project_path(project)}/labels"
        try:
            # A second one of the same name is refused, so asking again makes no second label.
            made = one(self._client.rest("POST", path, doing=doing, body=body, kind=Kind.IDEMPOTENT))
        except AlreadyThere:
            again = look_up_labels(self._client, project).ids
            if name not in again:
                raise
            self._label_ids[project] = again
            return again[name][0]
        return f"gid://gitlab/ProjectLabel/{made.get('id')}"

    # ---------------------------------------------------------------------------------------------------------- notes

    def _comment(self, issue: Issue, change: UpsertComment) -> tuple[dict[str, Any], str]:
        doing = f"comment on {issue.ref.key}"
        body = _marked(change)
        standing = change.standing(issue)
        if standing is not None:
            if change.internal and standing.public:
                advice = "Delete that note; the next run writes an internal one"
                raise self._refused("our note there is public, and GitLab can not make it internal", doing, advice)
            try:
                # As it is stored: the fact as read holds its words without their markup.
                path = f"{_issue_path(issue.ref)}/notes/{standing.comment}"
                before = text_of(one(self._client.rest("GET", path, doing=doing)).get("body"))
                self._edit_note(issue.ref, standing.comment, body, doing)
            except NotFound:
                # Somebody deleted it since it was read, or the issue is gone: what follows tells which.
                pass
            else:
                return {"comment": standing.comment, "text": before}, standing.comment
        return {"comment": None}, self._write_note(issue.ref, change, body, doing)

    def _write_note(self, ref: IssueRef, change: UpsertComment, body: str, doing: str) -> str:
        try:
            return self._create_note(ref, body, internal=change.internal, doing=doing)
        except _UNCLEAR:
            found = self._find_note(ref, change)
            if found is None:
                return self._create_note(ref, body, internal=change.internal, doing=doing)
            note, mark = found
            if mark != change.mark:
                self._edit_note(ref, note, body, doing)
            return note

    def _create_note(self, ref: IssueRef, body: str, *, internal: bool, doing: str) -> str:
        if self._by_graphql():
            ask = {"on": _work_item(ref), "body": body, "internal": internal}
            done = self._mutated("CreateNote", documents.CREATE_NOTE, ask, doing, kind=Kind.CREATE)
            if done is not None:
                return self._checked_note(ref, one(done.get("note")), internal=internal, doing=doing)
        path = f"{_issue_path(ref)}/notes"
        made = self._client.rest("POST", path, doing=doing, body={"body": body, "internal": internal})
        return self._checked_note(ref, one(made), internal=internal, doing=doing)

    def _checked_note(self, ref: IssueRef, note: Payload, *, internal: bool, doing: str) -> str:
        made = self._made(number(note.get("id") or ""), doing)
        if internal and note.get("internal") is not True and note.get("confidential") is not True:
            # A server from before 15 knows no internal notes and writes a public one instead.
            self._client.rest("DELETE", f"{_issue_path(ref)}/notes/{made}", doing=doing)
            advice = "Write `internal_comments: false` for this tracker in the site file, or update GitLab"
            raise self._refused("this GitLab knows no internal notes", doing, advice)
        return made

    def _edit_note(self, ref: IssueRef, note: str, body: str, doing: str) -> None:
        if self._by_graphql():
            ask = {"id": f"gid://gitlab/Note/{note}", "body": body}
            if self._mutated("UpdateNote", documents.UPDATE_NOTE, ask, doing) is not None:
                return
        self._client.rest("PUT", f"{_issue_path(ref)}/notes/{note}", doing=doing, body={"body": body})

    def _find_note(self, ref: IssueRef, change: UpsertComment) -> tuple[str, Mark] | None:
        """Our oldest note with the marker, as it stands at this moment."""
        own = self._server.account().id
        query = {"sort": "asc", "order_by": "created_at"}
        doing = f"look for our note on {ref.key}"
        for note in self._client.pages(f"{_issue_path(ref)}/notes", doing=doing, query=query):
            mark = Mark.found_in(text_of(note.get("body")))
            ours = not note.get("system") and actor(note.get("author")).id == own
            if ours and mark is not None and mark.marker == change.marker:
                return number(note.get("id")), mark
        return None

    # ---------------------------------------------------------------------------------------------------------- links

    def _link(self, ref: IssueRef, change: UpsertLink) -> Outcome:
        doing = f"link {ref.key} to {change.title}"
        target = self._issue_at(change.url)
        if target is None:
            advice = "Name it in the comment instead"
            raise self._refused("GitLab links issues to issues of the same GitLab only", doing, advice)
        path, iid = target
        body = {"target_project_id": path, "target_issue_iid": iid, "link_type": "relates_to"}
        try:
            # A pair that is linked is refused, so asking again makes no second link.
            self._client.rest("POST", f"{_issue_path(ref)}/links", doing=doing, body=body, kind=Kind.IDEMPOTENT)
        except AlreadyThere:
            return Outcome.ALREADY_SO
        return Outcome.PERFORMED

    def _issue_at(self, url: str) -> tuple[str, str] | None:
        """Project and iid of an issue of this GitLab, by its address."""
        here, there = urlsplit(self._client.url), urlsplit(url)
        root = here.path.rstrip("/")
        if (here.scheme, here.netloc.lower()) != (there.scheme, there.netloc.lower()):
            return None
        if not there.path.startswith(f"{root}/"):
            return None
        found = _ISSUE_ADDRESS.fullmatch(unquote(there.path.removeprefix(root)))
        return (found["path"], found["iid"]) if found else None

    # --------------------------------------------------------------------------------------------------------- report

    def _report(self, issue: Issue | None, change: UpsertReport, now: datetime) -> Receipt:
        doing = f"write the report {change.title!r} in {change.project}"
        description = _marked(change)
        prior: dict[str, Any] = {"report": None}
        if issue is not None:
            ref = issue.ref
            prior = {"report": ref.key, "title": issue.title, "description": issue.description}
            self._put(ref, {"title": change.title, "description": description}, doing)
        else:
            standing = self._find_report(change)
            if standing is None:
                ref = self._make_report(change, description, doing)
            else:
                ref = self._reference(standing, change.project)
                prior = {"report": ref.key, "title": standing.get("title"), "description": standing.get("description")}
                self._put(ref, {"title": change.title, "description": description}, doing)
        made = ref.key
        return Receipt(issue=ref, change=change, outcome=Outcome.PERFORMED, at=now, prior=_json(prior), made=made)

    def _make_report(self, change: UpsertReport, description: str, doing: str) -> IssueRef:
        body = {"title": change.title, "description": description, "labels": change.label}
        path = f"{project_path(change.project)}/issues"
        try:
            made = self._client.rest("POST", path, doing=doing, body=body)
        except _UNCLEAR:
            made = self._find_report(change) or self._client.rest("POST", path, doing=doing, body=body)
        return self._reference(one(made), change.project)

    def _find_report(self, change: UpsertReport) -> Payload | None:
        """Our oldest issue with the report's label and marker."""
        own = self._server.account().id
        query = {"labels": change.label, "state": "all", "scope": "all", "order_by": "created_at", "sort": "asc"}
        doing = f"look for the report in {change.project}"
        for payload in self._client.pages(f"{project_path(change.project)}/issues", doing=doing, query=query):
            mark = Mark.found_in(text_of(payload.get("description")))
            if mark is not None and mark.marker == change.marker and actor(payload.get("author")).id == own:
                return payload
        return None

    def _reference(self, payload: Payload, project: str) -> IssueRef:
        full = text_of(one(payload.get("references")).get("full"))
        path = full.rsplit("#", maxsplit=1)[0] if "#" in full else project
        iid = self._made(str(payload.get("iid") or ""), f"write a report in {project}")
        url = text_of(payload.get("web_url"))
        return IssueRef(self._client.name, path, f"{path}#{iid}", number(payload.get("id")), url)

    # ------------------------------------------------------------------------------------------------------- requests

    def _by_graphql(self) -> bool:
        return self._server.generation() is Generation.WORK_ITEMS

    def _mutated(
        self, name: str, document: str, ask: Mapping[str, Any], doing: str, *, kind: Kind = Kind.IDEMPOTENT
    ) -> Payload | None:
        """What the mutation answered; None where this server does not have it and REST must do.

        Raises:
            Rejected: its payload holds errors.
        """
        try:
            data = self._client.graphql(name, document, ask, doing=doing, kind=kind)
        except SchemaDiffers:
            self._server.fall_back()
            return None
        done = data.get("done")
        if not isinstance(done, dict):
            raise NotFound("GitLab found nothing to do it on", tracker=self._client.name, doing=doing)
        errors = [text_of(error) for error in done.get("errors") or []]
        if errors:
            raise self._refused("; ".join(errors)[:300], doing)
        return done

    def _put(self, ref: IssueRef, body: Mapping[str, Any], doing: str) -> Payload:
        """The issue as it stands afterwards."""
        return one(self._client.rest("PUT", _issue_path(ref), doing=doing, body=body))

    def _made(self, number_: str, doing: str) -> str:
        if number_:
            return number_
        raise BadAnswer("GitLab did not say what it made", tracker=self._client.name, doing=doing)

    def _refused(self, detail: str, doing: str, advice: str = "") -> Rejected:
        return Rejected(detail, tracker=self._client.name, doing=doing, advice=advice)


def _marked(change: UpsertComment | UpsertReport) -> str:
    """The document with its mark in front, where no reader sees it."""
    return f"<!-- {change.mark} -->\n{markdown.render(change.document)}"


def _left(done: Payload, widget: str) -> Payload:
    """A widget of the work item as the mutation left it."""
    return mapping.widgets(one(done.get("workItem"))).get(widget, {})


def _agrees(change: Relabel, labels: list[Any]) -> bool:
    return set(change.add) <= set(labels) and not set(change.remove) & set(labels)


def _work_item(ref: IssueRef) -> str:
    return f"gid://gitlab/WorkItem/{ref.id}"


def _issue_path(ref: IssueRef) -> str:
    return f"{project_path(ref.project)}/issues/{ref.key.rsplit('#', maxsplit=1)[-1]}"


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
