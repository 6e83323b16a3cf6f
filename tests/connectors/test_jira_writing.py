"""All changes of an issue in one edit of a Jira: what is sent, what is left out, and what stands after trouble."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from connectors.cache import SessionCache
from connectors.jira.tracker import JiraWriter
from connectors.retry import Retry
from connectors.sandbox.faults import Fault
from connectors.sandbox.server import Sandbox
from connectors.sandbox.store import Request
from connectors.tracker import (
    NotFound,
    PermissionRefused,
    RateLimited,
    Rejected,
    Unreachable,
)
from connectors.work import Work, Worked
from policies.changes import Change, Relabel, SetAssignee, SetDueDate, SetPriority, UpsertComment, UpsertLink
from policies.issue import Word
from policies.receipt import Outcome
from tests.connectors.jira_place import WORDS, Place, note, opened, report, served
from tests.connectors.jira_spec import JiraSpec

LINK = UpsertLink("warranty:1.4", "https://git.example/r/1.4", "Release 1.4", "patch release", "patch")
DUE = SetDueDate(date(2026, 5, 1))
AT_RISK = Relabel(add=("sla-at-risk",), remove=("sla-ok",))


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    yield from served()


@pytest.fixture(params=["jira-cloud", "jira-dc"])
def place(request: pytest.FixtureRequest, sandbox: Sandbox) -> Iterator[Place]:
    with opened(sandbox, request.param) as found:
        yield found


@pytest.fixture
def cloud(sandbox: Sandbox) -> Iterator[Place]:
    with opened(sandbox, "jira-cloud") as found:
        found.store.bulk_stages = ("ENQUEUED", "RUNNING")
        yield found


def bob(place: Place) -> SetAssignee:
    return SetAssignee("u-bob" if place.cloud else "bob")


def five(place: Place, text: str = "At risk") -> tuple[Change, ...]:
    """A change of every kind that goes into an edit, as a plan orders them."""
    return (SetPriority("High"), DUE, bob(place), note(text), AT_RISK)


def outcomes(worked: Worked) -> list[str]:
    return [receipt.outcome.value for receipt in worked.receipts]


def sent(place: Place, since: int) -> list[Request]:
    """What was sent since a count of requests, without what is asked once."""
    once = (
        "/search",
        "/search/jql",
        "/changelog/bulkfetch",
        "/serverInfo",
        "/myself",
        "/mypermissions",
        "/editmeta",
        "/priority",
        "/field",
    )
    with place.store.lock:
        return [one for one in place.store.requests[since:] if not one.path.endswith(once)]


def writes(place: Place, since: int) -> list[Request]:
    return [one for one in sent(place, since) if one.method != "GET"]


def lines(requests: list[Request]) -> list[str]:
    """Method and the last noun of the path: "PUT issue", "POST remotelink"."""
    return [f"{one.method} {re.findall(r'/([A-Za-z]+)', one.path)[-1]}" for one in requests]


# ------------------------------------------------------------------------------------------------------------- budget


def test_all_changes_of_an_issue_are_one_edit(place: Place) -> None:
    key = place.issue(labels=["sla-ok", "vip"])
    place.together(key, note("Fine"))
    issue, writer = place.read(key), place.writer()
    before = len(place.store.requests)
    (worked,) = writer.perform([Work(issue, five(place))], place.now)
    assert worked.failure is None
    assert lines(sent(place, before)) == ["PUT issue"]
    assert len(place.store.requests) - before <= 5, "which Jira, who we are, what we may do, the screen; and the edit"
    after = place.read(key)
    assert all(change.satisfied_by(after) for change in five(place))
    assert after.labels == {"sla-at-risk", "vip"}


def test_a_comment_that_is_new_costs_a_look_whether_it_stands_and_no_second_write(place: Place) -> None:
    key = place.issue()
    before = len(place.store.requests)
    worked = place.together(key, *five(place))
    assert lines(writes(place, before)) == ["PUT issue"]
    (comment,) = place.read(key).comments()
    assert worked.receipts[3].made == comment.comment


def test_a_hundred_issues_are_a_hundred_edits_and_what_is_asked_once_is_asked_once(place: Place) -> None:
    keys = [place.issue(f"Pump {number}", labels=["sla-ok"]) for number in range(100)]
    for key in keys:
        place.store.comment(key, f"Fine\n\n{note('Fine').mark}", actor="u-own")
    reader = place.reader()
    work = [Work(reader.issue(key), five(place, f"At risk: {key}")) for key in keys]
    writer = place.writer()
    assert {one.failure for one in writer.perform(work, place.now)} == {None}
    asked = {kind: count for kind, count in writer.requests.items() if kind.startswith("GET")}
    assert writer.requests["PUT issue/{key}"] == writer.requests.total() - sum(asked.values()) == 100
    assert set(asked.values()) == {1}
    assert len(asked) == 4


def test_what_was_asked_is_kept_for_the_next_run(place: Place) -> None:
    cache = SessionCache()
    key = place.issue()
    for text in ("One", "Two"):
        writer = place.writer(cache=cache)
        list(writer.perform([Work(place.read(key), (DUE, bob(place), note(text)))], place.now))
        asked = {kind for kind in writer.requests if "editmeta" in kind or "mypermissions" in kind}
        assert bool(asked) is (text == "One")


def test_a_link_goes_before_the_edit_with_the_label_that_proves_it(place: Place) -> None:
    key = place.issue()
    before = len(place.store.requests)
    worked = place.together(key, DUE, LINK, Relabel(add=("patch",)))
    assert lines(writes(place, before)) == ["POST remotelink", "PUT issue"]
    assert outcomes(worked) == ["performed"] * 3
    assert worked.receipts[1].made


def test_nothing_is_sent_before_the_answer_is_asked_for(place: Place) -> None:
    issues = [place.read(place.issue(f"Pump {number}")) for number in range(3)]
    writer = place.writer()
    answers = writer.perform([Work(issue, (DUE,)) for issue in issues], place.now)
    assert writer.requests.total() == 0
    next(answers)
    assert writer.requests["PUT issue/{key}"] == 1


def test_a_field_set_twice_is_two_edits_and_each_receipt_holds_what_stood_before_it(place: Place) -> None:
    key = place.issue(labels=["a"])
    changes = (SetPriority("High"), SetPriority("Low"), Relabel(add=("b",)), Relabel(add=("c",), remove=("a",)))
    worked = place.together(key, *changes)
    assert [json.loads(one.prior) for one in worked.receipts] == [
        {"priority": "2"},
        {"priority": "1"},
        {"labels": ["a"]},
        {"labels": ["a", "b"]},
    ]
    after = place.read(key)
    assert (after.priority, sorted(after.labels)) == (Word("2", "Low"), ["b", "c"])
    assert [edit.body["fields"]["priority"]["id"] for edit in place.edits(key)] == ["1", "2"]


# ------------------------------------------------------------------------------------------------------------- refused


def test_a_person_who_has_left_fails_alone_and_the_reason_is_told(place: Place) -> None:
    gone = f"gone-{place.project}"
    place.store.create_user(gone, "Gone", username=gone, active=False)
    key = place.issue(labels=["sla-ok"])
    before = len(place.store.requests)
    worked = place.together(key, SetPriority("High"), DUE, SetAssignee(gone), note("At risk"), AT_RISK)
    assert outcomes(worked) == ["performed", "performed", "failed", "performed", "performed"]
    assert gone in worked.receipts[2].error
    assert "\n" not in worked.receipts[2].error
    assert isinstance(worked.failure, Rejected)
    assert lines(sent(place, before)).count("PUT issue") == 2
    after = place.read(key)
    assert (after.due, sorted(after.labels), len(after.comments())) == (DUE.due, ["sla-at-risk"], 1)


@pytest.mark.parametrize("due", [DUE, None])
def test_the_label_of_an_assignment_that_failed_is_not_written_and_the_other_labels_are(
    place: Place, due: SetDueDate | None
) -> None:
    gone = f"gone-{place.project}"
    place.store.create_user(gone, "Gone", username=gone, active=False)
    key = place.issue(labels=["sla-ok", "tier-1"])
    assignment = SetAssignee(gone, proof="tier-2")
    labels = Relabel(add=("sla-at-risk", "tier-2"), remove=("sla-ok", "tier-1"))
    worked = place.together(key, *([due] if due else []), assignment, labels)
    assert outcomes(worked)[-2:] == ["failed", "failed"]
    assert "tier-2" in worked.receipts[-1].error
    assert gone in worked.receipts[-1].error
    assert sorted(place.read(key).labels) == ["sla-at-risk"]
    # The next run has somebody else for it.
    worked = place.together(key, replace(assignment, account=bob(place).account), labels)
    assert outcomes(worked) == ["performed", "performed"]
    assert sorted(place.read(key).labels) == ["sla-at-risk", "tier-2"]


def test_a_label_that_is_all_there_is_to_write_stays_away_with_its_assignment(place: Place) -> None:
    gone = f"gone-{place.project}"
    place.store.create_user(gone, "Gone", username=gone, active=False)
    key = place.issue()
    worked = place.together(key, SetAssignee(gone, proof="tier-2"), Relabel(add=("tier-2",)))
    assert outcomes(worked) == ["failed", "failed"]
    assert place.read(key).labels == frozenset()


def test_a_refusal_that_names_no_field_leaves_no_label_of_an_assignment_behind(place: Place) -> None:
    key = place.issue()
    no = '{"errorMessages": ["no"], "errors": {}}'
    place.store.faults.add(Fault("status", method="PUT", status=400, answer=no, times=2))
    assignment, labels = replace(bob(place), proof="tier-2"), Relabel(add=("sla-at-risk", "tier-2"))
    assert outcomes(place.together(key, assignment, labels)) == ["failed", "failed"]
    assert place.read(key).labels == {"sla-at-risk"}


def test_what_is_not_on_the_screen_fails_before_anything_is_sent_and_the_rest_is_done(place: Place) -> None:
    key = place.issue()
    place.store.set_screen(place.project, ["labels", "comment"])
    before = len(place.store.requests)
    worked = place.together(key, DUE, bob(place), SetPriority("High"), note("At risk"), AT_RISK)
    assert outcomes(worked) == ["failed", "failed", "failed", "performed", "performed"]
    assert "duedate" in worked.receipts[0].error
    assert "screen" in worked.receipts[0].error
    assert lines(sent(place, before)).count("PUT issue") == 1


def test_a_screen_kept_from_an_earlier_run_is_read_anew_before_it_refuses_and_after_a_refusal(place: Place) -> None:
    cache = SessionCache()
    key = place.issue()
    place.store.set_screen(place.project, ["labels"])
    (worked,) = place.writer(cache=cache).perform([Work(place.read(key), (DUE, AT_RISK))], place.now)
    assert outcomes(worked) == ["failed", "performed"]
    place.store.set_screen(place.project, ["labels", "duedate"])
    (worked,) = place.writer(cache=cache).perform([Work(place.read(key), (DUE, AT_RISK))], place.now)
    assert outcomes(worked) == ["performed", "performed"]
    place.store.set_screen(place.project, ["labels"])
    late = SetDueDate(date(2026, 6, 1))
    (worked,) = place.writer(cache=cache).perform([Work(place.read(key), (late, Relabel(add=("x",))))], place.now)
    assert outcomes(worked) == ["failed", "performed"]
    writer = place.writer(cache=cache)
    (worked,) = writer.perform([Work(place.read(key), (late, Relabel(add=("y",))))], place.now)
    assert outcomes(worked) == ["failed", "performed"]
    assert writer.requests["PUT issue/{key}"] == 1, "what the screen does not show was sent all the same"


def test_a_priority_must_be_in_the_scheme_of_the_project(place: Place) -> None:
    other = f"{place.project}X"
    place.store.create_project(other, "Other", kind="jira", **{**WORDS, "priorities": [Word("9", "Sev 1")]})
    elsewhere = place.store.create_issue(other, "There", actor="u-ann", type_="10", priority="9").key
    here = place.issue()
    writer = place.writer()
    work = [Work(place.read(key), (SetPriority(wanted),)) for key, wanted in (
        (elsewhere, "High"), (here, "High"), (elsewhere, "sev 1"), (here, "9"),
    )]  # fmt: skip
    assert [one.failure is None for one in writer.perform(work, place.now)] == [False, True, True, False]
    assert writer.requests["PUT issue/{key}"] == 2


@pytest.mark.parametrize("verbs", [{"add"}, {"edit"}, set()])
def test_a_comment_that_the_screen_does_not_take_goes_by_itself(place: Place, verbs: set[str]) -> None:
    place.store.set_operations(place.project, "comment", verbs)
    key = place.issue()
    before = len(place.store.requests)
    place.together(key, DUE, note("One"))
    place.together(key, SetDueDate(None), note("Two"))
    found = lines(writes(place, before))
    assert found.count("PUT issue") == 2
    assert found.count("PUT comment") == ("edit" not in verbs)
    assert found.count("POST comment") == ("add" not in verbs)
    (comment,) = place.read(key).comments()
    assert "Two" in comment.text


def test_a_comment_that_somebody_removed_meanwhile_is_made_again_beside_the_other_changes(place: Place) -> None:
    key = place.issue()
    first = place.together(key, note("One")).receipts[0]
    stale = place.read(key)
    place.store.remove_comment(key, first.made, actor="u-ann")
    (worked,) = place.writer().perform([Work(stale, (DUE, note("Two"), AT_RISK))], place.now)
    assert outcomes(worked) == ["performed"] * 3
    assert json.loads(worked.receipts[1].prior) == {"comment": None}
    (comment,) = place.read(key).comments()
    assert comment.comment == worked.receipts[1].made != first.made


def test_without_the_right_to_comment_the_fields_are_set_all_the_same(place: Place) -> None:
    token = f"silent-{place.project}"
    place.store.create_token(token, "u-own", permissions={"browse", "edit"})
    key = place.issue()
    worked = place.together(key, DUE, note("One"), AT_RISK, token=token)
    assert outcomes(worked) == ["performed", "failed", "performed"]
    assert isinstance(worked.failure, PermissionRefused)
    assert place.read(key).due == DUE.due


def test_without_the_right_to_edit_the_comment_is_written_all_the_same(place: Place) -> None:
    token = f"talking-{place.project}"
    place.store.create_token(token, "u-own", permissions={"browse", "comment"})
    key = place.issue()
    worked = place.together(key, DUE, note("One"), AT_RISK, token=token)
    assert outcomes(worked) == ["failed", "performed", "failed"]
    assert isinstance(worked.failure, PermissionRefused)
    assert len(place.read(key).comments()) == 1


def test_an_edit_that_is_not_allowed_is_tried_once_more_with_the_comment_by_itself(place: Place) -> None:
    key = place.issue()
    before = len(place.store.requests)
    place.store.faults.add(Fault("status", status=403, method="PUT", path="/issue/", body="warranty-flows:sla"))
    worked = place.together(key, DUE, note("One"), AT_RISK)
    assert outcomes(worked) == ["performed"] * 3
    assert lines(writes(place, before)) == ["PUT issue", "POST comment", "PUT issue"]


def test_without_the_right_to_link_what_the_link_proves_is_not_sent(place: Place) -> None:
    token = f"unlinked-{place.project}"
    place.store.create_token(token, "u-own", permissions={"browse", "edit", "comment"})
    key = place.issue()
    worked = place.together(key, DUE, LINK, note("One"), Relabel(add=("patch", "x")), token=token)
    assert outcomes(worked) == ["performed", "failed", "performed", "not_tried"]
    assert "patch" in worked.receipts[3].error
    assert place.read(key).labels == set()


def test_a_right_to_write_quietly_that_was_taken_away_is_found_out(place: Place) -> None:
    cache = SessionCache()
    token = f"quiet-{place.project}"
    place.store.create_token(token, "u-own", permissions={"browse", "edit", "comment", "admin"})
    key = place.issue()
    list(place.writer(token, cache).perform([Work(place.read(key), (DUE,))], place.now))
    place.store.create_token(token, "u-own", permissions={"browse", "edit", "comment"})
    for label in ("x", "y"):
        list(place.writer(token, cache).perform([Work(place.read(key), (Relabel(add=(label,)),))], place.now))
    assert [one.query for one in place.edits(key)] == ["notifyUsers=false", "notifyUsers=false", "", ""]
    assert place.read(key).labels == {"x", "y"}


@pytest.mark.parametrize("what", ["comment", "report"])
def test_the_same_goes_for_a_comment_by_itself_and_for_a_report(place: Place, what: str) -> None:
    cache = SessionCache()
    token = f"{what}-{place.project}"
    rights = {"browse", "edit", "comment", "create"}
    key = place.issue() if what == "comment" else None
    for text in ("One", "Two", "Three"):
        place.store.create_token(token, "u-own", permissions=rights | ({"admin"} if text != "Three" else set()))
        change = note(text) if key else report(place, text)
        work = Work(place.read(key) if key else None, (change,))
        (worked,) = place.writer(token, cache).perform([work], place.now)
        assert worked.failure is None
        made = worked.receipts[0].issue
        assert made is not None
        assert change.satisfied_by(place.read(made.key))


def test_a_refusal_that_names_no_field_is_met_by_sending_each_part_alone(place: Place) -> None:
    key = place.issue()
    place.store.faults.add(Fault("status", status=400, method="PUT", path="/issue/"))
    worked = place.together(key, DUE, AT_RISK)
    assert outcomes(worked) == ["performed", "performed"]
    place.store.faults.add(Fault("status", status=400, method="PUT", path="/issue/", times=2))
    worked = place.together(key, SetDueDate(None), Relabel(add=("x",)))
    assert outcomes(worked) == ["failed", "performed"]


def test_two_new_comments_cost_one_look(place: Place) -> None:
    key = place.issue()
    writer = place.writer()
    list(writer.perform([Work(place.read(key), (note("One"), note("Two", marker="patch"), AT_RISK))], place.now))
    looks = writer.requests["GET issue/{key}/comment"]
    # Data Center does not show what it made.
    assert (looks, writer.requests["PUT issue/{key}"]) == (1 if place.cloud else 2, 1)
    assert len(place.read(key).comments()) == 2


def test_an_issue_that_is_gone_ends_its_changes_and_no_other_issues(place: Place) -> None:
    there = place.read(place.issue())
    gone = replace(there, ref=replace(there.ref, id="99999", key="GONE-1"))
    writer = place.writer()
    work = [Work(gone, (LINK, DUE, note("One"))), Work(gone, (DUE, AT_RISK)), Work(there, (DUE, AT_RISK))]
    worked = list(writer.perform(work, place.now))
    assert [type(one.failure) for one in worked] == [NotFound, NotFound, type(None)]
    assert outcomes(worked[0]) == ["failed", "not_tried", "not_tried"]
    assert not {"performed"} & set(outcomes(worked[1]))


# --------------------------------------------------------------------------------------------------- unknown outcomes


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize(
    "fault",
    [
        Fault("drop_after"),
        Fault("drop_before"),
        Fault("truncated_json"),
        Fault("status", status=500),
        Fault("status", status=503, retry_after=4),
        Fault("login_page"),
    ],
    ids=lambda fault: f"{fault.kind} {fault.status}",
)
def test_an_edit_that_adds_a_comment_and_ends_unknown_is_finished_and_adds_it_once(
    place: Place, fault: Fault, times: int
) -> None:
    key = place.issue(labels=["sla-ok"])
    place.store.faults.add(replace(fault, method="PUT", path="/issue/", times=times))
    worked = place.together(key, *five(place))
    assert worked.failure is None
    assert outcomes(worked) == ["performed"] * 5
    after = place.read(key)
    assert all(change.satisfied_by(after) for change in five(place))
    assert [comment.comment for comment in after.comments()] == [worked.receipts[3].made]
    assert place.waits == ([4.0] * times if fault.retry_after else place.waits)


def test_an_edit_that_stays_unknown_fails_and_the_next_run_adds_nothing_twice(place: Place) -> None:
    key = place.issue()
    place.store.faults.add(Fault("drop_before", method="PUT", path="/issue/", times=None))
    worked = place.together(key, DUE, note("One"), AT_RISK)
    assert outcomes(worked) == ["failed"] * 3
    place.store.faults.clear()
    stale = place.read(key)
    for _ in range(2):
        list(place.writer().perform([Work(stale, (DUE, note("One"), AT_RISK))], place.now))
    assert len(place.read(key).comments()) == 1


def test_where_the_look_for_the_comment_fails_the_edit_is_told_as_failed(place: Place) -> None:
    key = place.issue()
    place.together(key, DUE)
    issue = place.read(key)
    writer = place.writer()
    place.store.faults.add(Fault("drop_after", method="PUT", path="/issue/"))
    # The look before it is made goes through, the one after it does not.
    place.store.faults.add(Fault("latency", method="GET", path="/comment", seconds=0.0))
    place.store.faults.add(Fault("status", status=500, method="GET", path="/comment", times=None))
    (worked,) = writer.perform([Work(issue, (SetDueDate(None), note("One")))], place.now)
    assert outcomes(worked) == ["failed", "failed"]
    place.store.faults.clear()
    (worked,) = writer.perform([Work(issue, (SetDueDate(None), note("One")))], place.now)
    assert [receipt.outcome for receipt in worked.receipts] == [Outcome.PERFORMED, Outcome.ALREADY_SO]
    assert len(place.read(key).comments()) == 1


def test_a_limit_of_writes_to_one_issue_is_waited_for_and_a_quota_ends_the_tracker(place: Place) -> None:
    key = place.issue()
    place.store.faults.add(
        Fault("status", status=429, retry_after=2, reason="jira-per-issue-on-write", method="PUT"),
        Fault("status", status=429, retry_after=1, reason="jira-burst-based", method="PUT"),
    )
    worked = place.together(key, DUE, note("One"))
    assert (outcomes(worked), place.waits) == (["performed"] * 2, [2.0, 1.0])
    place.store.faults.add(
        Fault("status", status=429, retry_after=30, reason="jira-quota-tenant-based", method="PUT", times=None)
    )
    worked = place.together(key, SetDueDate(None), note("Two"))
    assert isinstance(worked.failure, RateLimited)
    assert outcomes(worked) == ["failed", "failed"]
    assert place.waits == [2.0, 1.0]


def test_the_server_limits_writes_to_one_issue_and_one_edit_stays_below(cloud: Place) -> None:
    cloud.store.write_limits = ((1, timedelta(seconds=2)),)
    try:
        worked = cloud.together(cloud.issue(), *five(cloud))
        assert (worked.failure, cloud.waits) == (None, [])
    finally:
        cloud.store.write_limits = ()


def test_a_server_that_can_not_be_reached_ends_the_changes_of_the_issue(place: Place) -> None:
    issue = place.read(place.issue())
    connection = replace(place.connection(), url="http://127.0.0.1:1/jira")
    writer = JiraWriter(connection, retry=Retry(attempts=1))
    (worked,) = writer.perform([Work(issue, (DUE, AT_RISK))], place.now)
    assert isinstance(worked.failure, Unreachable)
    assert outcomes(worked) == ["failed", "not_tried"]
    writer.close()


@pytest.mark.shared_data
def test_every_edit_that_cloud_takes_is_in_the_vendors_description(cloud: Place, shared_specs: Path) -> None:
    before = len(cloud.store.requests)
    key = cloud.issue(labels=["sla-ok"])
    cloud.together(key, *five(cloud), UpsertComment("patch", note("Released").document, internal=True))
    cloud.together(key, SetDueDate(None), note("Two"), LINK, Relabel(add=("patch",), remove=("sla-at-risk",)))
    with cloud.store.lock:
        requests = [one for one in cloud.store.requests[before:] if one.method != "GET"]
    assert {one.status for one in requests} <= {200, 201, 204}
    assert JiraSpec(shared_specs / "jira-cloud-v3.openapi.json").faults(requests) == []
