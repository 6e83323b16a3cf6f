"""Writing to GitLab over the stand-in: many issues a request, each told by itself, whatever goes wrong on the way."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from threading import Barrier
from typing import Any

import gitlab
import pytest
from pydantic import SecretStr

from connectors.gitlab import mutations
from connectors.gitlab.mutations import Verb
from connectors.gitlab.stand_in import app
from connectors.gitlab.stand_in.edits import Edits
from connectors.gitlab.stand_in.terms import Terms
from connectors.gitlab.stand_in.troubles import gateway_timeout, internal_error, resource_lock, timed_out, too_complex
from connectors.gitlab.tracker import GitLabReader, GitLabWriter
from connectors.retry import Retry
from connectors.sandbox.clock import Clock
from connectors.sandbox.faults import Fault
from connectors.sandbox.nouns import Issue as Stored
from connectors.sandbox.server import Sandbox
from connectors.sandbox.store import Store
from connectors.tracker import (
    Connection,
    NotFound,
    PermissionRefused,
    RateLimited,
    Rejected,
    ServerFailed,
    Unreachable,
)
from connectors.work import Work, Worked
from policies.changes import Change, Relabel, SetAssignee, SetDueDate, UpsertComment, UpsertLink
from policies.document import Document, Paragraph, Text
from policies.issue import Issue
from policies.receipt import Outcome

PROJECT = "acme/car"
NOW = datetime(2026, 3, 20, 12, 0, tzinfo=UTC)
OWN = "token-of-the-bot"
FEW_NOTES = 4
DUE = date(2026, 4, 1)


@dataclass
class Workshop:
    """A GitLab with a project. Attributes: waits: seconds that were asked for; the server's clock moved on by them."""

    store: Store
    sandbox: Sandbox
    waits: list[float] = field(default_factory=list)

    def connection(self, dialect: str, url: str = "") -> Connection:
        return Connection(name="gl", url=url or self.sandbox.url(dialect), token=SecretStr(OWN), timeout=(5.0, 20.0))

    def patience(self) -> Retry:
        def wait(seconds: float) -> None:
            self.waits.append(seconds)
            self.store.clock.advance(timedelta(seconds=seconds))

        return Retry(attempts=3, sleep=wait)

    def issues(self, dialect: str = "gitlab") -> list[Issue]:
        reader = GitLabReader(self.connection(dialect), retry=self.patience())
        try:
            found = [issue for issue in reader.changed_since(PROJECT, None) if isinstance(issue, Issue)]
        finally:
            reader.close()
        return sorted(found, key=lambda issue: int(issue.ref.id))

    def writer(self, dialect: str = "gitlab", url: str = "") -> GitLabWriter:
        return GitLabWriter(self.connection(dialect, url), retry=self.patience())

    def opens(self, count: int, *, labels: Sequence[str] = ("sla-ok", "vip")) -> list[str]:
        return [
            self.store.create_issue(PROJECT, f"Pump {n}", actor="alice", labels=list(labels)).key for n in range(count)
        ]

    def performed(self, work: Sequence[Work], dialect: str = "gitlab") -> list[Worked]:
        writer = self.writer(dialect)
        try:
            return list(writer.perform(work, NOW))
        finally:
            writer.close()

    def notes(self, key: str) -> list[str]:
        issue = self.store.issue(key)
        assert issue is not None
        return [str(comment.body) for comment in issue.comments]

    def labels(self, key: str) -> set[str]:
        issue = self.store.issue(key)
        assert issue is not None
        return set(issue.labels)


@pytest.fixture
def workshop() -> Iterator[Workshop]:
    store = Store(clock=Clock.fixed(NOW))
    store.create_user("alice", "Alice Customer")
    store.create_user("bob", "Bob Support")
    store.create_user("project_1_bot_ab12", "Warranty", bot=True)
    store.create_token(OWN, "project_1_bot_ab12")
    store.create_project(PROJECT, "Car", kind="gitlab")
    own = {
        "few-notes": app(store, "19.2", Terms(notes_a_minute=FEW_NOTES)),
        "premium": app(store, "19.2", Terms(tier="premium")),
    }
    with Sandbox(store, apps=own) as sandbox:
        yield Workshop(store, sandbox)


def note(text: str, *, internal: bool = False) -> UpsertComment:
    return UpsertComment("sla", Document((Paragraph((Text(text),)),)), internal=internal)


def work(issues: Sequence[Issue], *changes: Change) -> list[Work]:
    return [Work(issue, changes) for issue in issues]


TOUCHED = (SetDueDate(DUE), note("Overdue."), Relabel(add=("sla-breached",), remove=("sla-ok",)))


def test_a_hundred_touched_issues_take_few_requests(workshop: Workshop) -> None:
    workshop.opens(100)
    assert all(worked.failure is None for worked in workshop.performed(work(workshop.issues(), note("All is well."))))
    issues = workshop.issues()
    writer = workshop.writer()
    told = list(writer.perform(work(issues, *TOUCHED), NOW))
    requests = dict(writer.requests)
    writer.close()
    assert [worked.failure for worked in told] == [None] * 100
    assert [worked.receipts[0].issue for worked in told] == [issue.ref for issue in issues]
    assert all(change.satisfied_by(issue) for issue in workshop.issues() for change in TOUCHED)
    assert requests.pop("POST graphql Act") == 10
    assert requests.pop("POST graphql OurNotes") == 2
    assert requests.pop("POST graphql LabelCreate") == 1
    assert sum(requests.values()) <= 3, requests
    for worked in told:
        before = json.loads(worked.receipts[1].prior)
        assert "All is well." in before["text"]
        assert before["text"].startswith("<!-- warranty-flows:sla:")


def test_several_threads_write_by_one_writer_and_look_up_and_make_a_label_once(workshop: Workshop) -> None:
    keys = workshop.opens(40)
    issues = workshop.issues()
    writer = workshop.writer()
    at_once = Barrier(4)

    def written(some: Sequence[Issue]) -> list[Worked]:
        answers = writer.perform(work(some, *TOUCHED), NOW)
        at_once.wait(10)
        return list(answers)

    with ThreadPoolExecutor(4) as threads:
        told = [worked for some in threads.map(written, (issues[n::4] for n in range(4))) for worked in some]
    requests = dict(writer.requests)
    writer.close()
    assert all(worked.failure is None for worked in told)
    assert [requests[f"POST graphql {name}"] for name in ("LabelCreate", "Labels", "Probe")] == [1, 1, 1]
    assert all(workshop.labels(key) == {"vip", "sla-breached"} and len(workshop.notes(key)) == 1 for key in keys)


def test_labels_that_could_not_be_looked_up_are_looked_up_by_the_next_who_asks(workshop: Workshop) -> None:
    (key,) = workshop.opens(1)
    writer = workshop.writer()
    change = Relabel(add=("sla-breached",), remove=())
    workshop.store.faults.add(Fault("status", body="mutation LabelCreate", status=403))
    (refused,) = writer.perform(work(workshop.issues(), change), NOW)
    (done,) = writer.perform(work(workshop.issues(), change), NOW)
    writer.close()
    assert isinstance(refused.failure, PermissionRefused)
    assert done.failure is None
    assert "sla-breached" in workshop.labels(key)


def test_no_more_is_sent_before_the_caller_asks_for_more(workshop: Workshop) -> None:
    workshop.opens(25)
    writer = workshop.writer()
    answers = writer.perform(work(workshop.issues(), SetDueDate(DUE)), NOW)
    assert writer.requests["POST graphql Act"] == 0
    assert len(list(islice(answers, 10))) == 10
    assert writer.requests["POST graphql Act"] == 1
    assert len(list(answers)) == 15
    assert writer.requests["POST graphql Act"] == 3
    writer.close()


def test_the_texts_sent_are_few_and_hold_nothing_foreign() -> None:
    verbs = [Verb.UPDATE, Verb.EDIT_NOTE, Verb.UPDATE, Verb.CREATE_NOTE]
    assert mutations.aliases(verbs) == ["u0", "e0", "u1", "c0"]
    text = mutations.act(verbs, {"LABELS", "ASSIGNEES"})
    assert text is mutations.act(list(reversed(verbs)), ["ASSIGNEES", "LABELS"])
    assert "u1: workItemUpdate(input: $u1)" in text
    assert "onlyTypes: [ASSIGNEES, LABELS]" in text
    assert "dueDate" not in text
    everything = ["ASSIGNEES", "LABELS", "START_AND_DUE_DATE"]
    assert len(mutations.act([Verb.UPDATE, Verb.CREATE_NOTE] * 10, everything)) < 10_000


def test_of_what_an_update_left_only_what_it_changed_is_asked_for(workshop: Workshop) -> None:
    workshop.opens(2)
    writer = workshop.writer()
    label, due = Relabel(add=("warranty::resolution::met",)), SetDueDate(DUE)
    for changes, asked in (((label,), "[LABELS]"), ((due,), "[START_AND_DUE_DATE]")):
        assert all(not worked.failure for worked in writer.perform(work(workshop.issues(), *changes), NOW))
        sent = [request.body for request in workshop.store.requests if isinstance(request.body, dict)]
        assert f"widgets(onlyTypes: {asked})" in str(sent[-1]["query"])
    writer.close()


def test_what_one_issue_refuses_keeps_no_other_from_being_done(workshop: Workshop) -> None:
    keys = workshop.opens(12)
    issues = workshop.issues()
    mine = work(issues, *TOUCHED)
    mine[3] = Work(replace(issues[3], ref=replace(issues[3].ref, id="999999")), TOUCHED)  # deleted since it was read
    mine[5] = Work(issues[5], (SetAssignee("nobody"), *TOUCHED))
    told = workshop.performed(mine)
    assert [n for n, worked in enumerate(told) if worked.failure is not None] == [3, 5]
    assert isinstance(told[3].failure, NotFound)
    assert all(receipt.outcome is Outcome.FAILED for receipt in told[3].receipts)
    assert "acme/car#4" in told[3].receipts[0].error
    assert "more" not in told[3].receipts[0].error
    assert [receipt.outcome for receipt in told[5].receipts] == [Outcome.FAILED, *[Outcome.PERFORMED] * 3]
    assert {len(workshop.notes(key)) for key in keys if key != keys[3]} == {1}


def test_a_request_too_dear_is_sent_in_halves(workshop: Workshop) -> None:
    keys = workshop.opens(10)
    issues = workshop.issues()
    workshop.store.faults.add(too_complex(body="mutation Act"))
    writer = workshop.writer()
    told = list(writer.perform(work(issues, *TOUCHED), NOW))
    assert writer.requests["POST graphql Act"] == 3
    writer.close()
    assert [worked.failure for worked in told] == [None] * 10
    assert {len(workshop.notes(key)) for key in keys} == {1}


def test_a_server_to_which_everything_is_too_dear_is_told_and_not_asked_for_ever(workshop: Workshop) -> None:
    workshop.opens(4)
    issues = workshop.issues()
    workshop.store.faults.add(too_complex(body="mutation Act", times=None))
    writer = workshop.writer()
    told = list(writer.perform(work(issues, *TOUCHED), NOW))
    assert writer.requests["POST graphql Act"] <= 12
    writer.close()
    workshop.store.faults.clear()
    assert all(worked.failure is not None for worked in told)


@pytest.mark.parametrize(
    "fault",
    [
        Fault("drop_after", body="mutation Act"),
        Fault("drop_before", body="mutation Act"),
        Fault("truncated_json", body="mutation Act"),
        gateway_timeout(body="mutation Act"),
        internal_error(body="mutation Act"),
        timed_out(body="mutation Act"),
        Fault("status", status=503, retry_after=2, body="mutation Act"),
        Fault("status", status=429, retry_after=2, body="mutation Act"),
        resource_lock(path="/api/graphql", method="POST"),
    ],
    ids=lambda fault: f"{fault.kind} {fault.status}",
)
def test_after_an_unclear_answer_every_note_stands_once(workshop: Workshop, fault: Fault) -> None:
    keys = workshop.opens(10)
    issues = workshop.issues()
    writer = workshop.writer()
    # What is asked before is no part of this.
    assert next(writer.perform(work(issues[:1], SetDueDate(date(2026, 5, 1))), NOW)).failure is None
    workshop.store.faults.add(fault)
    told = list(writer.perform(work(issues, *TOUCHED), NOW))
    writer.close()
    assert [worked.failure for worked in told] == [None] * 10
    assert workshop.store.faults.waiting() == 0
    by_key = {issue.ref.key: issue for issue in workshop.issues()}
    for key, worked in zip(keys, told, strict=True):
        assert len(workshop.notes(key)) == 1
        assert all(change.satisfied_by(by_key[key]) for change in TOUCHED)
        assert worked.receipts[1].made == by_key[key].comments()[0].comment


def test_an_alias_that_ran_out_of_time_is_looked_at_and_sent_again(workshop: Workshop) -> None:
    (key,) = workshop.opens(1)
    answer = {"data": {"c0": None}, "errors": [{"message": "Timeout on Mutation.createNote", "path": ["c0"]}]}
    workshop.store.faults.add(Fault("status", status=200, answer=json.dumps(answer), body="createNote"))
    (worked,) = workshop.performed(work(workshop.issues(), note("At risk.")))
    assert worked.failure is None
    assert len(workshop.notes(key)) == 1


def test_a_server_that_is_down_is_told_of_each_issue_and_not_asked_for_ever(workshop: Workshop) -> None:
    workshop.opens(10)
    issues = workshop.issues()
    workshop.store.faults.add(replace(gateway_timeout(body="mutation Act"), times=None))
    writer = workshop.writer()
    told = list(writer.perform(work(issues, *TOUCHED), NOW))
    assert writer.requests["POST graphql Act"] <= 10
    writer.close()
    workshop.store.faults.clear()
    assert all(isinstance(worked.failure, ServerFailed) for worked in told)
    assert all(receipt.outcome is not Outcome.PERFORMED for worked in told for receipt in worked.receipts)
    nowhere = workshop.writer(url="http://127.0.0.1:1/gitlab")
    told = list(nowhere.perform(work(issues, *TOUCHED), NOW))
    nowhere.close()
    assert all(isinstance(worked.failure, Unreachable) for worked in told)


def test_the_limit_of_notes_is_waited_out_and_nothing_else_waits_for_it(workshop: Workshop) -> None:
    keys = workshop.opens(10)
    told = workshop.performed(work(workshop.issues(), *TOUCHED), "few-notes")
    assert [worked.failure for worked in told] == [None] * 10
    assert {len(workshop.notes(key)) for key in keys} == {1}
    assert workshop.waits == [60.0, 60.0]


def test_a_limit_that_does_not_lift_ends_it_with_what_is_done_told_as_done(workshop: Workshop) -> None:
    workshop.opens(10)
    writer = GitLabWriter(workshop.connection("few-notes"), retry=Retry(attempts=2, sleep=workshop.waits.append))
    told = list(writer.perform(work(workshop.issues(), *TOUCHED), NOW))
    writer.close()
    assert [worked.failure is None for worked in told] == [True] * FEW_NOTES + [False] * 6
    for worked in told[FEW_NOTES:]:
        assert isinstance(worked.failure, RateLimited)
        assert [receipt.outcome for receipt in worked.receipts] == [
            Outcome.PERFORMED, Outcome.FAILED, Outcome.PERFORMED,
        ]  # fmt: skip
    # So that whoever stops at the first of them still hears of the others' labels.
    assert [worked.next_known for worked in told] == [True] * 9 + [False]


@pytest.mark.parametrize("dialect", ["gitlab-16", "gitlab-rest"])
def test_older_servers_take_one_request_for_fields_and_one_for_the_note(workshop: Workshop, dialect: str) -> None:
    (key,) = workshop.opens(1)
    workshop.performed(work(workshop.issues(dialect), note("All is well.")), dialect)
    issues = workshop.issues(dialect)
    writer = workshop.writer(dialect)
    (worked,) = writer.perform(work(issues, SetAssignee("bob"), *TOUCHED), NOW)
    assert worked.failure is None
    assert (writer.requests["PUT issues"], writer.requests["PUT issues/notes"]) == (1, 1)
    assert writer.requests["GET issues/notes"] == 1
    writer.close()
    assert workshop.labels(key) == {"vip", "sla-breached"}


def test_a_resource_lock_is_tried_again(workshop: Workshop) -> None:
    workshop.opens(1)
    workshop.store.faults.add(resource_lock(times=2))
    (worked,) = workshop.performed(work(workshop.issues("gitlab-rest"), *TOUCHED), "gitlab-rest")
    assert worked.failure is None
    assert len(workshop.waits) == 2


@pytest.mark.parametrize("dialect", ["gitlab", "premium", "gitlab-rest"])
def test_scoped_labels_exclude_each_other_on_every_plan(workshop: Workshop, dialect: str) -> None:
    (key,) = workshop.opens(1, labels=["sla::ok", "vip"])
    change = Relabel(add=("sla::breached",), remove=("sla::ok", "sla::at-risk"))
    (worked,) = workshop.performed(work(workshop.issues(), change), dialect)
    assert worked.failure is None
    assert workshop.labels(key) == {"sla::breached", "vip"}


def test_a_label_renamed_or_deleted_meanwhile_is_found_out_and_no_wrong_one_stays(workshop: Workshop) -> None:
    keys = workshop.opens(3)
    issues = workshop.issues()
    writer = workshop.writer()
    change = Relabel(add=("sla-breached",))
    assert next(writer.perform(work(issues[:1], change), NOW)).failure is None
    direct = gitlab.Gitlab(workshop.sandbox.url("gitlab"), private_token=OWN)
    labels = direct.projects.get(PROJECT).labels
    labels.update("sla-breached", {"new_name": "of-old"})
    assert next(writer.perform(work(issues[1:2], change), NOW)).failure is None
    assert workshop.labels(keys[1]) == {"sla-ok", "vip", "sla-breached"}
    labels.delete("sla-breached")
    assert next(writer.perform(work(issues[2:], change), NOW)).failure is None
    assert workshop.labels(keys[2]) == {"sla-ok", "vip", "sla-breached"}
    direct.session.close()
    writer.close()


@pytest.mark.parametrize("dialect", ["gitlab", "gitlab-rest"])
def test_a_label_that_proves_a_link_is_not_set_where_the_link_failed(workshop: Workshop, dialect: str) -> None:
    first, second = workshop.opens(2)
    issues = workshop.issues(dialect)
    link = UpsertLink("warranty-flows:1", issues[1].ref.url, "Release 1.4.2", "patch release", "patch")
    nowhere = replace(link, url=issues[1].ref.url[:-1] + "999")
    for one, so in ((nowhere, False), (link, True)):
        changes = (SetDueDate(DUE), one, note("Released."), Relabel(add=("patch",)))
        (worked,) = workshop.performed([Work(issues[0], changes)], dialect)
        proof = Outcome.PERFORMED if so else Outcome.NOT_TRIED
        link_is = Outcome.PERFORMED if so else Outcome.FAILED
        assert [receipt.outcome for receipt in worked.receipts] == [
            Outcome.PERFORMED, link_is, Outcome.PERFORMED, proof,
        ]  # fmt: skip
        assert ("patch" in workshop.labels(first)) is so
        issues = workshop.issues(dialect)
    assert "patch" not in workshop.labels(second)


@pytest.mark.parametrize("dialect", ["gitlab", "gitlab-16", "gitlab-rest"])
@pytest.mark.parametrize("account", ["nobody", "carl"])
def test_the_label_of_an_assignment_that_was_not_made_does_not_stay(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch, dialect: str, account: str
) -> None:
    """Nobody of that name is known before; somebody who is no member is dropped by GitLab without a word."""
    workshop.store.create_user("carl", "Carl Stranger")
    real = Edits.update

    def dropping(self: Edits, issue: Stored, changes: dict[str, Any]) -> Stored:
        return real(self, issue, {name: value for name, value in changes.items() if value != ["carl"]})

    monkeypatch.setattr(Edits, "update", dropping)
    keys = workshop.opens(3, labels=["sla-ok", "tier-1"])
    labels = Relabel(add=("sla-breached", "tier-2"), remove=("sla-ok", "tier-1"))
    changes: tuple[Change, ...] = (SetDueDate(DUE), SetAssignee(account, proof="tier-2"), labels)
    for worked in workshop.performed(work(workshop.issues(), *changes), dialect):
        assert [receipt.outcome for receipt in worked.receipts] == [Outcome.PERFORMED, Outcome.FAILED, Outcome.FAILED]
        assert "tier-2" in worked.receipts[-1].error
        assert worked.failure is not None
    assert [workshop.labels(key) for key in keys] == [{"sla-breached"}] * 3
    changes = (SetAssignee("bob", proof="tier-2"), labels)
    assert [worked.failure for worked in workshop.performed(work(workshop.issues(), *changes), dialect)] == [None] * 3
    assert [workshop.labels(key) for key in keys] == [{"sla-breached", "tier-2"}] * 3


def test_a_schema_that_lost_a_part_sends_the_rest_by_rest(workshop: Workshop) -> None:
    keys = workshop.opens(3)
    gone = {
        "errors": [{"message": "Field 'workItemUpdate' doesn't exist on type 'Mutation'", "path": ["mutation Act"]}]
    }
    workshop.store.faults.add(Fault("status", status=200, answer=json.dumps(gone), body="mutation Act"))
    told = workshop.performed(work(workshop.issues(), *TOUCHED))
    assert [worked.failure for worked in told] == [None] * 3
    assert {len(workshop.notes(key)) for key in keys} == {1}


def test_one_poisoned_alias_is_found_by_halving(workshop: Workshop) -> None:
    workshop.opens(10)
    issues = workshop.issues()
    strange = replace(issues[6], ref=replace(issues[6].ref, id="no number"))
    told = workshop.performed(
        [Work(strange if n == 6 else issue, (SetDueDate(DUE),)) for n, issue in enumerate(issues)]
    )
    assert [n for n, worked in enumerate(told) if worked.failure is not None] == [6]
    assert isinstance(told[6].failure, Rejected | NotFound)


def test_a_public_note_of_ours_takes_no_internal_text_in_a_batch(workshop: Workshop) -> None:
    keys = workshop.opens(3)
    workshop.performed(work(workshop.issues()[:1], note("For all.")))
    told = workshop.performed(work(workshop.issues(), note("Between us.", internal=True)))
    assert [worked.failure is None for worked in told] == [False, True, True]
    assert "Between us" not in "".join(workshop.notes(keys[0]))
    issues = workshop.issues()
    assert [issue.comments()[0].public for issue in issues] == [True, False, False]


def test_a_long_thread_does_not_hide_the_note_to_edit(workshop: Workshop) -> None:
    (key,) = workshop.opens(1)
    for n in range(120):
        workshop.store.comment(key, f"Word {n}", actor="bob")
    workshop.performed(work(workshop.issues(), note("At risk.")))
    (worked,) = workshop.performed(work(workshop.issues(), note("Overdue.")))
    assert worked.failure is None
    assert "At risk." in json.loads(worked.receipts[0].prior)["text"]
    assert len(workshop.notes(key)) == 121


TROUBLES = (
    Fault("status", status=429, retry_after=2),
    Fault("status", status=429, retry_after=3600),
    Fault("status", status=500),
    Fault("status", status=502),
    Fault("drop_before"),
    Fault("drop_after"),
    Fault("drop_after", body="mutation Act"),
    Fault("drop_after", body="createNote"),
    Fault("drop_after", method="POST|PUT"),
    Fault("truncated_json"),
    Fault("truncated_json", body="warranty-flows:"),
    Fault("login_page"),
    too_complex(body="mutation Act"),
    timed_out(body="mutation Act"),
    gateway_timeout(body="mutation Act"),
    resource_lock(path="/issues/.*|/api/graphql", method="PUT|POST"),
)


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("dialect", ["gitlab", "gitlab-rest", "few-notes"])
def test_whatever_goes_wrong_what_is_told_as_done_is_done_and_nothing_stands_twice(
    workshop: Workshop, dialect: str, seed: int
) -> None:
    chance = random.Random(f"{dialect} {seed}")  # noqa: S311 - the same troubles each time
    keys = workshop.opens(11)
    faults = workshop.store.faults
    for number in range(3):
        words = note(f"Run {number}.")
        wanted = (SetDueDate(DUE + timedelta(days=number)), words, Relabel(add=(f"run-{number}",), remove=("sla-ok",)))
        for troubled in (True, True, False):
            pieces = [
                Work(issue, left)
                for issue in workshop.issues(dialect)
                if (left := tuple(change for change in wanted if not change.satisfied_by(issue)))
            ]
            if troubled:
                faults.add(*chance.choices(TROUBLES, k=chance.randint(1, 5)))
            told = workshop.performed(pieces, dialect)
            faults.clear()
            assert len(told) == len(pieces)
            now = {issue.ref.id: issue for issue in workshop.issues(dialect)}
            for piece, worked in zip(pieces, told, strict=True):
                assert piece.issue is not None
                assert tuple(receipt.change for receipt in worked.receipts) == piece.changes
                for receipt in worked.receipts:
                    if receipt.outcome is Outcome.PERFORMED:
                        assert receipt.change.satisfied_by(now[piece.issue.ref.id])
        assert all(change.satisfied_by(issue) for issue in workshop.issues(dialect) for change in wanted)
        assert {len(workshop.notes(key)) for key in keys} == {1}
