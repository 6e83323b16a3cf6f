"""The GitLab connector over the stand-in, real HTTP on loopback, through GraphQL and through REST."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

import gitlab
import pytest
import responses
from pydantic import SecretStr

from connectors.cache import SessionCache
from connectors.gitlab.client import GitLabClient
from connectors.gitlab.mapping import RestHistory, rest_issue
from connectors.gitlab.server import Server
from connectors.gitlab.tracker import GitLabReader, GitLabWriter
from connectors.gitlab.writes import Writes
from connectors.retry import Retry
from connectors.sandbox.clock import Clock
from connectors.sandbox.faults import Fault
from connectors.sandbox.server import Sandbox
from connectors.sandbox.store import Store
from connectors.tracker import Connection, NotFound, PermissionRefused, Rejected, Unreadable
from policies.changes import (
    Change,
    Relabel,
    SetAssignee,
    SetDueDate,
    SetPriority,
    UpsertComment,
    UpsertLink,
    UpsertReport,
)
from policies.document import Block, BulletList, Document, Heading, Paragraph, Table, Text
from policies.issue import (
    AssigneeChanged,
    Commented,
    DueDateChanged,
    FixVersionsChanged,
    Issue,
    LabelsChanged,
    Moved,
    Opened,
    Role,
    StatusChanged,
    TypeChanged,
)
from policies.receipt import Outcome, Receipt
from tests.ground import performed

PROJECT = "acme/car"
START = datetime(2026, 3, 2, 9, tzinfo=UTC)
NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
OWN = "token-of-the-bot"


@dataclass
class Ground:
    """A GitLab with people in it, and connections of both generations to it."""

    store: Store
    sandbox: Sandbox

    def connection(self, dialect: str = "gitlab", token: str = OWN) -> Connection:
        return Connection(name="gl", url=self.sandbox.url(dialect), token=SecretStr(token))

    def reader(self, dialect: str = "gitlab", token: str = OWN) -> GitLabReader:
        return GitLabReader(self.connection(dialect, token), retry=patience())

    def issues(self, dialect: str = "gitlab", since: datetime | None = None) -> list[Issue]:
        reader = self.reader(dialect)
        try:
            found = list(reader.changed_since(PROJECT, since))
        finally:
            reader.close()
        assert not [one for one in found if isinstance(one, Unreadable)]
        return [one for one in found if isinstance(one, Issue)]

    def one(self, key: str, dialect: str = "gitlab") -> Issue:
        reader = self.reader(dialect)
        try:
            return reader.issue(key)
        finally:
            reader.close()

    def perform(self, issue: Issue | None, change: Change, dialect: str = "gitlab") -> Receipt:
        writer = GitLabWriter(self.connection(dialect), retry=patience())
        try:
            return performed(writer, issue, change, NOW)
        finally:
            writer.close()

    def bodies(self, key: str) -> list[str]:
        issue = self.store.issue(key)
        assert issue is not None
        return [str(comment.body) for comment in issue.comments]


def patience() -> Retry:
    return Retry(attempts=3, sleep=lambda _: None)


@pytest.fixture
def ground() -> Iterator[Ground]:
    store = Store(clock=Clock.fixed(START))
    store.create_user("alice", "Alice Customer")
    store.create_user("bob", "Bob Support")
    store.create_user("cleo", "Cleo Support")
    store.create_user("project_1_bot_ab12", "Warranty", bot=True)
    store.create_token(OWN, "project_1_bot_ab12")
    store.create_project(PROJECT, "Car", kind="gitlab")
    with Sandbox(store) as sandbox:
        yield Ground(store, sandbox)


def eventful(store: Store) -> str:
    """One issue to which everything happens."""
    milestone = store.create_milestone(PROJECT, "1.4.2")
    key = store.create_issue(
        PROJECT, "Pump leaks", actor="alice", at=START, labels=["vip"], description="It leaks."
    ).key
    hour = timedelta(hours=1)
    store.comment(key, "Since Monday.\n\nBadly.", actor="alice", at=START + hour)
    store.comment(key, "Not for her.", actor="bob", at=START + 2 * hour, internal=True)
    store.relabel(key, add=["sla-ok", "north"], remove=["vip"], actor="bob", at=START + 3 * hour)
    store.edit(key, {"assignees": ["bob"], "due": date(2026, 3, 9)}, actor="bob", at=START + 4 * hour)
    store.edit(key, {"assignees": ["cleo"], "milestone": milestone.id}, actor="bob", at=START + 5 * hour)
    store.edit(key, {"title": "Pump leaks: closed", "type": "INCIDENT"}, actor="bob", at=START + 6 * hour)
    store.close(key, actor="cleo", at=START + 7 * hour)
    store.reopen(key, actor="alice", at=START + 8 * hour)
    store.edit(key, {"due": None, "milestone": None}, actor="cleo", at=START + 9 * hour)
    store.close(key, actor="cleo", at=START + 10 * hour)
    return key


def test_everything_that_happened_is_told(ground: Ground) -> None:
    key = eventful(ground.store)
    (issue,) = ground.issues()
    hour = timedelta(hours=1)
    told = [(event.kind, (event.at - START) / hour, event.actor.id) for event in issue.events]
    assert told == [
        ("opened", 0.0, "alice"),
        ("labels_changed", 0.0, "alice"),
        ("commented", 1.0, "alice"),
        ("commented", 2.0, "bob"),
        ("labels_changed", 3.0, "bob"),
        ("assignee_changed", 4.0, "bob"),
        ("due_date_changed", 4.0, "bob"),
        ("assignee_changed", 5.0, "bob"),
        ("fix_versions_changed", 5.0, "bob"),
        ("type_changed", 6.0, "bob"),
        ("status_changed", 7.0, "cleo"),
        ("status_changed", 8.0, "alice"),
        ("due_date_changed", 9.0, "cleo"),
        ("fix_versions_changed", 9.0, "cleo"),
        ("status_changed", 10.0, "cleo"),
    ]
    assert (issue.ref.key, issue.ref.project, issue.gaps) == (key, PROJECT, ())
    assert (issue.status.id, issue.type.id, issue.labels) == ("closed", "incident", frozenset({"sla-ok", "north"}))
    assert issue.assignee is not None
    assert issue.assignee.id == "cleo"
    by_kind = {type(event): event for event in issue.events}
    labels, due = by_kind[LabelsChanged], by_kind[DueDateChanged]
    assert isinstance(labels, LabelsChanged)
    assert (labels.added, labels.removed) == (("north", "sla-ok"), ("vip",))
    assert isinstance(due, DueDateChanged)
    assert (due.before, due.after) == (date(2026, 3, 9), None)
    assert {Opened, Commented, StatusChanged, AssigneeChanged, FixVersionsChanged, TypeChanged} <= by_kind.keys()
    assert [comment.public for comment in issue.comments()] == [True, False]
    assert Moved not in by_kind


@pytest.mark.parametrize("dialect", ["gitlab-16", "gitlab-rest"])
def test_a_project_read_both_ways_gives_the_same_facts(ground: Ground, dialect: str) -> None:
    eventful(ground.store)
    for n in range(3):
        key = ground.store.create_issue(PROJECT, f"Hose {n}", actor="alice").key
        ground.store.relabel(key, add=["b", "a"], remove=[], actor="bob")
        ground.store.relabel(key, add=[], remove=["a"], actor="bob")
        ground.store.comment(key, f"Word {n}", actor="bob")
    by_graphql = sorted(ground.issues(), key=lambda issue: issue.ref.key)
    by_rest = sorted(ground.issues(dialect), key=lambda issue: issue.ref.key)
    assert len(by_graphql) == 4
    for left, right in zip(by_graphql, by_rest, strict=True):
        # Only GraphQL says of everybody whether they are a bot; the address holds the mount's name.
        assert _plain(left) == _plain(right)


def _plain(issue: Issue) -> Issue:
    return replace(issue, ref=replace(issue.ref, url=""))


@pytest.mark.parametrize("dialect", ["gitlab", "gitlab-16", "gitlab-rest"])
def test_every_change_is_carried_out_and_shows_as_ours(ground: Ground, dialect: str) -> None:
    key = ground.store.create_issue(PROJECT, "Pump leaks", actor="alice", labels=["sla-ok", "vip"]).key
    changes: list[Change] = [
        Relabel(add=("sla-at-risk", "sla-x"), remove=("sla-ok", "never")),
        SetDueDate(date(2026, 4, 1)),
        SetAssignee("bob"),
        UpsertComment("sla", Document((Paragraph((Text("/close @bob #1"),)),)), internal=True),
        UpsertComment("sla", Document((Paragraph((Text("Overdue."),)),)), internal=True),
        SetDueDate(None),
    ]
    for change in changes:
        issue = ground.one(key, dialect)
        receipt = ground.perform(issue, change, dialect)
        assert receipt.outcome is Outcome.PERFORMED
        assert receipt.issue == issue.ref
        assert change.satisfied_by(ground.one(key, dialect)), change
    issue = ground.one(key, dialect)
    assert issue.labels == {"vip", "sla-at-risk", "sla-x"}
    assert issue.status.id == "opened"
    assert len(ground.bodies(key)) == 1
    assert not issue.comments()[0].public
    assert {event.kind for event in issue.events if event.actor.role is Role.OWN} == {
        "labels_changed", "due_date_changed", "assignee_changed", "commented",
    }  # fmt: skip


def test_a_receipt_says_what_stood_there(ground: Ground) -> None:
    key = ground.store.create_issue(PROJECT, "Pump leaks", actor="alice", labels=["vip"]).key
    first = ground.perform(ground.one(key), note("First *words*."))
    assert json.loads(first.prior) == {"comment": None}
    (stored,) = ground.bodies(key)
    second = ground.perform(ground.one(key), note("Other words."))
    assert second.made == first.made
    assert json.loads(second.prior) == {"comment": first.made, "text": stored}
    assert json.loads(ground.perform(ground.one(key), Relabel(add=("a",))).prior) == {"labels": ["vip"]}


def note(text: str, *, internal: bool = False) -> UpsertComment:
    return UpsertComment("sla", Document((Paragraph((Text(text),)),)), internal=internal)


@pytest.mark.parametrize("dialect", ["gitlab", "gitlab-rest"])
@pytest.mark.parametrize("kind", ["drop_after", "drop_before", "truncated_json", "status"])
def test_a_note_whose_making_ended_unclear_stands_once(ground: Ground, dialect: str, kind: str) -> None:
    key = ground.store.create_issue(PROJECT, "Pump leaks", actor="alice").key
    issue = ground.one(key, dialect)
    ground.store.faults.add(Fault(kind, method="POST", body="warranty-flows:", status=502))  # type: ignore[arg-type]  # a parameter
    receipt = ground.perform(issue, note("At risk."), dialect)
    assert len(ground.bodies(key)) == 1
    assert receipt.made == ground.one(key, dialect).comments()[0].comment


@pytest.mark.parametrize("dialect", ["gitlab", "gitlab-rest"])
def test_a_report_is_made_once_and_edited_in_place(ground: Ground, dialect: str) -> None:
    ground.store.create_issue(PROJECT, "Pump leaks", actor="alice")

    def report(text: str) -> UpsertReport:
        body = Document((Paragraph((Text(text),)),))
        return UpsertReport(PROJECT, "summary", "Warranty summary", body, "warranty-report")

    ground.store.faults.add(Fault("drop_after", method="POST", body="warranty-flows:"))
    made = ground.perform(None, report("One breach /close"), dialect)
    again = ground.perform(None, report("Two breaches"), dialect)
    assert made.issue is not None
    assert again.issue == made.issue
    issue = ground.one(made.issue.key, dialect)
    assert report("Two breaches").satisfied_by(issue)
    assert issue.labels == {"warranty-report"}
    assert len(ground.issues(dialect)) == 2
    assert json.loads(again.prior)["title"] == "Warranty summary"


def test_a_link_to_an_issue_is_made_once_and_others_are_refused(ground: Ground) -> None:
    key = ground.store.create_issue(PROJECT, "Pump leaks", actor="alice").key
    other = ground.store.create_issue(PROJECT, "Release 1.4.2", actor="bob").key
    issue, target = ground.one(key), ground.one(other)
    link = UpsertLink("warranty-flows:1", target.ref.url, "Release 1.4.2", "patch release", "patch")
    assert ground.perform(issue, link).outcome is Outcome.PERFORMED
    assert ground.perform(issue, link).outcome is Outcome.ALREADY_SO
    for url in (
        "https://elsewhere.example/acme/car/-/issues/2",
        ground.sandbox.url("gitlab") + "/acme/car/-/releases/1",
    ):
        with pytest.raises(Rejected):
            ground.perform(issue, replace(link, url=url))


def test_a_priority_is_refused_as_gitlab_has_none(ground: Ground) -> None:
    key = ground.store.create_issue(PROJECT, "Pump leaks", actor="alice").key
    with pytest.raises(Rejected, match="no priority field"):
        ground.perform(ground.one(key), SetPriority("High"))


def test_an_internal_note_is_never_put_into_a_public_one(ground: Ground) -> None:
    key = ground.store.create_issue(PROJECT, "Pump leaks", actor="alice").key
    ground.perform(ground.one(key), note("For all."))
    with pytest.raises(Rejected, match="public"):
        ground.perform(ground.one(key), note("Between us.", internal=True))
    assert "Between us" not in "".join(ground.bodies(key))


def test_a_note_that_somebody_deleted_meanwhile_is_written_anew(ground: Ground) -> None:
    key = ground.store.create_issue(PROJECT, "Pump leaks", actor="alice").key
    made = ground.perform(ground.one(key), note("For all.")).made
    issue = ground.one(key)
    ground.store.remove_comment(key, made, actor="bob")
    ground.perform(issue, note("For all, again."))
    assert len(ground.bodies(key)) == 1


@pytest.mark.parametrize("dialect", ["gitlab", "gitlab-rest"])
def test_a_release_carries_what_its_merge_requests_fix(ground: Ground, dialect: str) -> None:
    store = ground.store
    first = store.create_issue(PROJECT, "Pump leaks", actor="alice")
    second = store.create_issue(PROJECT, "Hose leaks", actor="alice")
    store.commit(PROJECT, "Begin", actor="bob")
    store.tag(PROJECT, "v1.0.0", actor="bob")
    store.publish_release(PROJECT, "v1.0.0", actor="bob")
    urls = {}
    for issue, tag, words in (
        (first, "v1.0.1", f"Fixes #{first.number} and CAR-12"),
        (second, "v1.1.0", f"Closes {PROJECT}#{second.number}"),
    ):
        request = store.create_merge_request(PROJECT, "Mend it", actor="bob", description=words, closes=[issue.number])
        store.merge(PROJECT, request.iid, actor="bob")
        store.tag(PROJECT, tag, actor="bob")
        out = NOW + timedelta(days=400) if tag == "v1.1.0" else None
        store.publish_release(PROJECT, tag, actor="bob", released_at=out)
        urls[tag] = request.iid
    reader = ground.reader(dialect)
    reader.own_account()
    before = reader.requests.total()
    found = {release.name: release for release in reader.releases(PROJECT)}
    spent = reader.requests.total() - before
    assert {release.name: release for release in reader.releases(PROJECT)} == found
    again = reader.requests.total() - before - spent
    reader.close()
    assert list(found) == ["v1.0.0", "v1.0.1", "v1.1.0"]
    assert found["v1.0.0"].carries == ()
    assert [key for key, _ in found["v1.0.1"].carries] == [first.key, "CAR-12"]
    assert [key for key, _ in found["v1.1.0"].carries] == [second.key]
    assert found["v1.1.0"].carries[0][1].endswith(f"/merge_requests/{urls['v1.1.0']}")
    assert found["v1.1.0"].published_at == NOW + timedelta(days=400)
    assert (spent, again) == (5, 1 if dialect == "gitlab" else 2)


def test_nothing_changed_is_one_request_for_issues(ground: Ground) -> None:
    for n in range(120):
        ground.store.create_issue(PROJECT, f"Pump {n}", actor="alice")
    reader = ground.reader()
    assert len(list(reader.changed_since(PROJECT, None))) == 120
    assert reader.requests == {"POST graphql Probe": 1, "POST graphql WorkItems": 3}
    assert list(reader.changed_since(PROJECT, NOW + timedelta(days=1))) == []
    assert reader.requests["POST graphql WorkItems"] == 4
    reader.close()


def test_a_page_that_is_too_dear_is_asked_for_in_smaller_pieces(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.gitlab.page_size._ISSUES", 100)
    monkeypatch.setattr("connectors.gitlab.page_size._DISCUSSIONS", 100)
    for n in range(70):
        ground.store.create_issue(PROJECT, f"Pump {n}", actor="alice")
    reader = ground.reader()
    assert len(list(reader.changed_since(PROJECT, None))) == 70
    assert reader.requests["POST graphql WorkItems"] > 2
    reader.close()


def test_a_long_thread_is_read_to_its_end(ground: Ground) -> None:
    key = ground.store.create_issue(PROJECT, "Pump leaks", actor="alice", labels=["x"]).key
    for n in range(190):
        ground.store.comment(key, f"Word {n}", actor="bob")
    issue = ground.one(key)
    assert [comment.text for comment in issue.comments()] == [f"Word {n}" for n in range(190)]
    assert issue.gaps == ()


def test_renamed_and_deleted_labels(ground: Ground) -> None:
    store = ground.store
    key = store.create_issue(PROJECT, "Pump leaks", actor="alice").key
    store.relabel(key, add=["old-name", "doomed"], actor="bob")
    store.relabel(key, remove=["doomed"], actor="bob")
    direct = gitlab.Gitlab(ground.sandbox.url("gitlab"), private_token=OWN)
    project = direct.projects.get(PROJECT)
    direct.http_put(f"/projects/{project.id}/labels/old-name", post_data={"new_name": "new-name"})
    project.labels.delete("doomed")
    direct.session.close()
    for dialect in ("gitlab", "gitlab-rest"):
        issue = ground.one(key, dialect)
        first, second = (event for event in issue.events if isinstance(event, LabelsChanged))
        assert (first.added, first.removed) == (("new-name",), ())
        assert (second.added, second.removed) == ((), ())
        assert issue.labels == {"new-name"}
        assert issue.gaps == ()


@pytest.mark.parametrize("dialect", ["gitlab", "gitlab-16", "gitlab-rest"])
def test_what_an_issue_was_born_with_comes_before_what_was_changed_in_the_same_instant(
    ground: Ground, dialect: str
) -> None:
    store = ground.store
    due = date(2026, 3, 9)
    key = store.create_issue(PROJECT, "Pump", actor="alice", at=START, labels=["vip"], assignees=["bob"], due=due).key
    changes = {"labels": ["north"], "assignees": ["cleo"], "due": date(2026, 3, 10)}
    store.edit(key, changes, actor="bob", at=START)
    issue = ground.one(key, dialect)
    labels = [(event.added, event.removed) for event in issue.events if isinstance(event, LabelsChanged)]
    people = [(event.before, event.after) for event in issue.events if isinstance(event, AssigneeChanged)]
    days = [event.after for event in issue.events if isinstance(event, DueDateChanged)]
    assert labels == [(("vip",), ()), (("north",), ("vip",))]
    assert people == [(None, "bob"), ("bob", "cleo")]
    assert days == [due, date(2026, 3, 10)]
    assert issue.gaps == ()


def test_what_is_wrong_is_found_before_it_is_needed(ground: Ground) -> None:
    reader = ground.reader()
    findings = list(reader.check([PROJECT, "acme/nowhere"]))
    reader.close()
    assert [finding.subject for finding in findings if not finding.ok] == ["project acme/nowhere"]
    assert all(finding.advice for finding in findings if not finding.ok)
    assert any("GraphQL" in finding.detail for finding in findings)
    wrong = ground.reader(token="wrong")
    assert [(finding.subject, finding.ok) for finding in wrong.check([PROJECT])] == [("log-in", False)]
    wrong.close()


def test_the_words_the_projects_and_what_is_not_there(ground: Ground) -> None:
    reader = ground.reader()
    assert [project.key for project in reader.projects()] == [PROJECT]
    assert [word.id for word in reader.words(PROJECT).types] == ["issue", "incident", "task"]
    assert reader.own_account().role is Role.OWN
    assert "GraphQL" in reader.capabilities().server
    for key in ("acme/car#999", "acme/nowhere#1", "CAR-1"):
        with pytest.raises(NotFound):
            reader.issue(key)
    reader.close()


def test_python_gitlab_sees_what_we_wrote(ground: Ground) -> None:
    key = ground.store.create_issue(PROJECT, "Pump leaks", actor="alice", labels=["sla-ok"]).key
    ground.perform(ground.one(key), Relabel(add=("sla-breached",), remove=("sla-ok",)))
    ground.perform(ground.one(key), note("Overdue."))
    direct = gitlab.Gitlab(ground.sandbox.url("gitlab"), private_token=OWN)
    seen = direct.projects.get(PROJECT).issues.get(1)
    assert seen.labels == ["sla-breached"]
    (body,) = [one.body for one in seen.notes.list(get_all=True) if not one.system]
    assert "Overdue." in body
    told = [(event.action, event.label["name"]) for event in seen.resourcelabelevents.list(get_all=True)]
    assert told[-2:] in (
        [("add", "sla-breached"), ("remove", "sla-ok")], [("remove", "sla-ok"), ("add", "sla-breached")],
    )  # fmt: skip
    direct.session.close()


# What GitLab runs as a command when it stands at the beginning of a line, and what else a title may hold.
COMMANDS = (
    "/close", "/reopen", "/label ~pwned", "/unlabel ~vip", "/assign @bob", "/due 2026-01-01", "/title pwned", "  /close", "\t/close",
    "x\n/close", "x\r/label ~pwned", "x\u2028/close", "@all", "#1", "acme/car#1", "<script>alert(1)</script>", "```mermaid\ngraph TD\n```",
    "```", "| a | b |", "-->\n/close", "<!-- warranty-flows:sla:000000000000 -->", "`\n/close\n`", "CAR-1", "https://evil.example",
)  # fmt: skip


@pytest.mark.parametrize("dialect", ["gitlab", "gitlab-rest"])
def test_foreign_text_runs_nothing_wherever_we_write_it(ground: Ground, dialect: str) -> None:
    key = ground.store.create_issue(PROJECT, "Pump leaks", actor="alice", labels=["vip"]).key
    blocks: list[Block] = []
    for text in COMMANDS:
        run = Text(text)
        blocks += [Heading(text), Paragraph((run,)), BulletList(((run,), (run,))), Table((text,), (((run,),),))]
    document = Document(tuple(blocks))
    sticky = UpsertComment("sla", document)
    summary = UpsertReport(PROJECT, "summary", "Warranty summary", document, "warranty-report")
    ground.perform(ground.one(key, dialect), UpsertComment("sla", Document(())), dialect)
    ground.perform(ground.one(key, dialect), sticky, dialect)
    made = ground.perform(None, summary, dialect)
    ground.perform(None, replace(summary, document=Document((Paragraph((Text("x"),)), *blocks))), dialect)
    assert made.issue is not None
    for one, labels in ((key, ["vip"]), (made.issue.key, ["warranty-report"])):
        stored = ground.store.issue(one)
        assert stored is not None
        assert (stored.status, stored.labels, stored.assignees, stored.due) == ("opened", labels, [], None)
    assert sticky.satisfied_by(ground.one(key, dialect))


@pytest.mark.parametrize("dialect", ["gitlab", "gitlab-rest"])
def test_somebody_unknown_can_not_be_assigned(ground: Ground, dialect: str) -> None:
    key = ground.store.create_issue(PROJECT, "Pump leaks", actor="alice").key
    with pytest.raises(Rejected, match="no user 'nobody'") as caught:
        ground.perform(ground.one(key, dialect), SetAssignee("nobody"), dialect)
    assert "responder" in caught.value.advice


def by_rest_alone() -> Writes:
    client = GitLabClient(Connection(name="gl", url="https://gl.example", token=SecretStr("x")), retry=patience())
    server = Server(client, SessionCache())
    server.fall_back()
    return Writes(client, server)


def plain_issue() -> Issue:
    payload = {
        "id": 71, "iid": 7, "title": "Pump leaks", "state": "opened", "created_at": "2026-03-02T09:00:00Z",
        "author": {"username": "alice"}, "references": {"full": "acme/car#7"},
    }  # fmt: skip
    return rest_issue(payload, RestHistory(), "gl", PROJECT)


@pytest.mark.parametrize(
    ("change", "left"),
    [
        (Relabel(add=("sla-ok",)), {"labels": ["vip"]}),
        (Relabel(remove=("vip",)), {"labels": ["vip"]}),
        (SetDueDate(date(2026, 4, 1)), {"due_date": None}),
        (SetAssignee("bob"), {"assignees": []}),
    ],
)
def test_what_gitlab_drops_without_a_word_is_not_called_done(change: Change, left: dict[str, object]) -> None:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.get("https://gl.example/api/v4/users", json=[{"id": 4, "username": "bob"}])
        mock.put("https://gl.example/api/v4/projects/acme%2Fcar/issues/7", json=left)
        with pytest.raises(PermissionRefused, match="as before"):
            performed(by_rest_alone(), plain_issue(), change, NOW)


def test_an_old_server_that_makes_an_internal_note_public_has_it_taken_back() -> None:
    notes = "https://gl.example/api/v4/projects/acme%2Fcar/issues/7/notes"
    with responses.RequestsMock() as mock:
        mock.post(notes, json={"id": 31, "body": "x"}, status=201)
        mock.delete(f"{notes}/31", status=204)
        with pytest.raises(Rejected, match="knows no internal notes"):
            performed(by_rest_alone(), plain_issue(), note("Between us.", internal=True), NOW)
