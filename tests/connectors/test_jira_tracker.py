"""Reading and writing Jira over real HTTP, on the sandbox, in both dialects."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from unittest.mock import ANY

import pytest
import responses
from jira import JIRA
from pydantic import SecretStr

from connectors.jira.tracker import JiraReader
from connectors.retry import Retry
from connectors.sandbox.faults import Fault
from connectors.sandbox.server import Sandbox
from connectors.tracker import (
    BadAnswer,
    Connection,
    CredentialsRefused,
    NotFound,
    OutcomeUnknown,
    PermissionRefused,
    Rejected,
    TrackerError,
    Unreadable,
)
from policies.changes import (
    Mark,
    Relabel,
    SetAssignee,
    SetDueDate,
    SetPriority,
    UpsertComment,
    UpsertLink,
)
from policies.document import Document, Heading, Paragraph, Table, Text
from policies.issue import Commented, GapKind, Issue, Role, StatusChanged, Word
from policies.issue_link import LinkKind
from policies.receipt import Outcome
from tests.connectors.jira_place import START, WEAK, Place, note, opened, report, served
from tests.connectors.jira_spec import DataCenterSpec, JiraSpec
from tests.ground import performed


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    yield from served()


def asked(reader: JiraReader) -> Counter[str]:
    """What was sent, without the start of the session."""
    return Counter(
        {kind: n for kind, n in reader.requests.items() if kind not in {"GET serverInfo", "GET myself", "GET field"}}
    )


@pytest.fixture(params=["jira-cloud", "jira-dc"])
def place(request: pytest.FixtureRequest, sandbox: Sandbox) -> Iterator[Place]:
    with opened(sandbox, request.param) as found:
        yield found


def issues(found: list[Issue | Unreadable]) -> list[Issue]:
    assert not [one for one in found if isinstance(one, Unreadable)]
    return [one for one in found if isinstance(one, Issue)]


# ------------------------------------------------------------------------------------------------------------- reading


def test_the_server_says_which_jira_it_is(place: Place) -> None:
    reader = place.reader()
    assert reader.capabilities().server.startswith("Jira Cloud" if place.cloud else "Jira Data Center 9.12")
    assert reader.own_account().id == ("u-own" if place.cloud else "own")
    assert reader.own_account().role is Role.OWN


def test_a_sync_of_many_issues_takes_few_requests(place: Place) -> None:
    for number in range(230):
        place.issue(f"Pump {number}")
        place.store.clock.advance(timedelta(seconds=20))
    reader = place.reader()
    found = issues(list(reader.changed_since(place.project, None)))
    assert len({issue.ref.id for issue in found}) == len(found) == 230
    expected = {"POST search/jql": 3, "POST changelog/bulkfetch": 1} if place.cloud else {"POST search": 2}
    assert asked(reader) == expected


def test_nothing_changed_is_one_request_and_a_change_is_two_on_cloud_one_on_data_center(place: Place) -> None:
    key = place.issue()
    place.store.clock.advance(timedelta(days=1))
    since = place.now
    idle, busy = place.reader(), place.reader()
    assert list(idle.changed_since(place.project, since)) == []
    assert sum(asked(idle).values()) == 1
    place.store.relabel(key, actor="u-ann", add=["vip"])
    assert [issue.ref.key for issue in issues(list(busy.changed_since(place.project, since)))] == [key]
    assert sum(asked(busy).values()) == (2 if place.cloud else 1)


def test_since_is_an_instant_whatever_zone_the_account_lives_in(place: Place) -> None:
    place.store.clock.advance(timedelta(hours=12))
    old = place.issue("Old")
    place.store.clock.advance(timedelta(hours=1))
    since = place.now
    new = place.issue("New")
    assert {issue.ref.key for issue in issues(place.all(since))} == {new} != {old}


def test_nobody_is_lost_while_people_edit_during_the_scan(place: Place) -> None:
    keys = {place.issue(f"Pump {number}") for number in range(420)}
    scan = place.reader().changed_since(place.project, None)
    found = [next(scan) for _ in range(150)]
    for key in sorted(keys)[::7]:
        place.store.relabel(key, actor="u-ann", add=["touched"])
    found += scan
    assert {issue.ref.key for issue in issues(found)} == keys
    assert len(found) == len(keys)


def test_all_comments_are_read_where_the_search_gives_some(place: Place) -> None:
    key = place.issue()
    for number in range(130):
        place.store.comment(key, f"Comment {number}", actor="u-ann")
    (issue,) = issues(place.all())
    assert len(issue.comments()) == 130
    assert issue.gaps == ()
    assert issue == place.read(key)


def test_comments_that_are_refused_are_a_gap(place: Place) -> None:
    key = place.issue()
    for number in range(130):
        place.store.comment(key, f"Comment {number}", actor="u-ann")
    place.store.faults.add(Fault("status", status=403, path="/comment"))
    (issue,) = issues(place.all())
    # Data Center gives all comments with the issue, so there is nothing to refuse.
    assert [gap.kind for gap in issue.gaps] == ([GapKind.COMMENTS] if place.cloud else [])
    assert len(issue.comments()) == (20 if place.cloud else 130)


def test_a_long_history_comes_whole_and_in_order(place: Place) -> None:
    key = place.issue()
    for number in range(60):
        place.store.transition(key, "3" if number % 2 else "1", actor="u-bob")
        place.store.relabel(key, actor="u-bob", add=[f"l{number}"])
    issue = place.read(key)
    assert issue.gaps == ()
    changes = [event for event in issue.events if isinstance(event, StatusChanged)]
    assert all(one.after == two.before for one, two in pairwise(changes))
    assert {change.after for change in changes} <= {Word("1", "Open", "new"), Word("3", "处理中", "indeterminate")}


def test_a_cut_history_is_a_gap_with_its_count(place: Place) -> None:
    key = place.issue()
    for status in ("3", "1", "5"):
        place.store.transition(key, status, actor="u-bob")
    place.store.faults.add(Fault("truncated_history", keep=1, times=None))
    assert [gap.detail for gap in place.read(key).gaps] == ["history entries not delivered: 2"]


def test_links_to_other_issues_come_with_the_issue(place: Place) -> None:
    one, other, third = (place.issue(title) for title in ("Pump leaks", "Secret words", "Hose torn"))
    place.store.create_link_type("10000", "Blocks", "is blocked by", "blocks")
    place.store.create_link_type("10003", "Relates", "relates to", "relates to")
    place.store.link_issues(one, other, "10000", actor="u-ann")
    place.store.link_issues(third, one, "10003", actor="u-ann")
    found = {issue.ref.key: issue for issue in place.all() if isinstance(issue, Issue)}
    told = {key: [(link.kind, link.key) for link in issue.links] for key, issue in found.items()}
    assert told == {
        one: [(LinkKind.BLOCKS, other), (LinkKind.RELATES, third)],
        other: [(LinkKind.BLOCKED_BY, one)],
        third: [(LinkKind.RELATES, one)],
    }
    (link,) = found[other].links
    ref = found[one].ref
    assert (link.id, link.project, link.url, link.word) == (ref.id, ref.project, ref.url, "is blocked by")
    assert place.read(one).links == found[one].links


def test_versions_are_releases_from_the_start_of_their_day(place: Place) -> None:
    place.store.create_version(place.project, "1.4", released=True, release_date=date(2026, 1, 3))
    place.store.create_version(place.project, "1.5", release_date=date(2026, 2, 3))
    found = {release.name: release.published_at for release in place.reader().releases(place.project)}
    assert found == {"1.4": datetime(2026, 1, 3, tzinfo=UTC), "1.5": None}


def test_words_have_their_groups_and_projects_their_address(place: Place) -> None:
    reader = place.reader()
    words = reader.words(place.project)
    assert {status.id: status.group for status in words.statuses} == {"1": "new", "3": "indeterminate", "5": "done"}
    assert {word.name for word in words.types} == {"Bug", "Task"}
    assert {word.name for word in words.priorities} == {"High", "Low"}
    (project,) = [one for one in reader.projects() if one.key == place.project]
    assert project.url.endswith(f"/browse/{place.project}")


@pytest.mark.parametrize("project", ["NOSUCH", 'AND" OR project = "X', "and"])
def test_a_project_that_is_not_there_is_named(place: Place, project: str) -> None:
    with pytest.raises(NotFound) as caught:
        list(place.reader().changed_since(project, None))
    assert repr(project) in str(caught.value)


def test_a_cut_off_answer_is_read_again(place: Place) -> None:
    key = place.issue()
    place.store.faults.add(Fault("truncated_json", path="/search"))
    assert [issue.ref.key for issue in issues(place.all())] == [key]


def test_a_log_in_page_is_a_bad_answer(place: Place) -> None:
    place.store.faults.add(Fault("login_page", path="/search", times=None))
    with pytest.raises(BadAnswer, match="log-in page"):
        place.all()


# ------------------------------------------------------------------------------------------------------------- writing


def test_every_change_is_seen_by_the_vendors_own_client(place: Place) -> None:
    key = place.issue(labels=["vip", "sla-ok"])
    change = note("Due 2026-03-07 15:00 CST")
    colleague = "u-bob" if place.cloud else "bob"
    for one in (
        Relabel(add=("sla-at-risk",), remove=("sla-ok",)),
        SetPriority("High"),
        SetDueDate(date(2026, 3, 7)),
        SetAssignee(colleague),
        change,
        UpsertLink("warranty:1.4", "https://git.example/r/1.4", "Release 1.4", "patch release", "patch"),
    ):
        assert place.perform(key, one).outcome is Outcome.PERFORMED
    connection = place.connection()
    token = connection.token.get_secret_value()
    login: dict[str, Any] = {"basic_auth": (connection.user, token)} if place.cloud else {"token_auth": token}
    vendors = JIRA(connection.url, options={"rest_api_version": "2"}, max_retries=0, **login)
    seen = vendors.issue(key, expand="changelog")
    assert set(seen.fields.labels) == {"vip", "sla-at-risk"}
    assert seen.fields.priority.name == "High"
    assert seen.fields.duedate == "2026-03-07"
    assert colleague in seen.raw["fields"]["assignee"].values()
    (comment,) = vendors.comments(key)
    assert Mark.found_in(comment.body) == change.mark
    assert [item.field for entry in seen.changelog.histories for item in entry.items][-1] is not None
    (link,) = vendors.remote_links(key)
    assert (link.globalId, link.object.url) == ("warranty:1.4", "https://git.example/r/1.4")
    vendors.close()  # type: ignore[no-untyped-call] # the package leaves it without annotations


def test_a_second_time_nothing_is_written(place: Place) -> None:
    key = place.issue()
    made = place.perform(key, note("At risk"))
    place.perform(None, report(place, "One"))
    with place.store.lock:
        entries = len(place.store.log)
    again = place.perform(key, note("At risk"))
    assert (again.outcome, again.made) == (Outcome.ALREADY_SO, made.made)
    assert place.perform(None, report(place, "One")).outcome is Outcome.ALREADY_SO
    assert len(place.store.log) == entries


def test_a_link_is_one_request_and_twice_it_is_one_link(place: Place) -> None:
    key = place.issue()
    link = UpsertLink("g", "https://x.example", "t", "patch", "p")
    issue, writer = place.read(key), place.writer()
    made = {performed(writer, issue, link, place.now).made for _ in range(2)}
    assert len(made) == 1
    assert {kind: n for kind, n in writer.requests.items() if "remotelink" in kind} == {
        "POST issue/{key}/remotelink": 2
    }
    found = place.store.issue(key)
    assert found is not None
    assert list(found.web_links) == ["g"]


def test_watchers_get_no_mail_where_the_account_may_say_so(place: Place) -> None:
    key = place.issue()
    place.perform(key, Relabel(add=("a",)))
    place.perform(key, Relabel(add=("b",)), WEAK)
    assert [one.query for one in place.edits(key)] == ["notifyUsers=false", ""]
    assert place.read(key).labels == {"a", "b"}


def test_a_comment_that_somebody_removed_is_made_again(place: Place) -> None:
    key = place.issue()
    first = place.perform(key, note("At risk"))
    stale = place.read(key)
    place.store.remove_comment(key, first.made, actor="u-ann")
    again = performed(place.writer(), stale, note("Overdue"), place.now)
    assert again.made != first.made
    assert json.loads(again.prior) == {"comment": None}
    assert [comment.comment for comment in place.read(key).comments()] == [again.made]


def test_of_two_comments_the_oldest_is_kept_up_to_date(place: Place) -> None:
    key = place.issue()
    change = note("At risk")
    marked = f"At risk\n\n{change.mark}"
    first, second = (place.store.comment(key, marked, actor="u-own") for _ in range(2))
    assert place.perform(key, note("Overdue")).made == first
    texts = {comment.comment: comment.text for comment in place.read(key).comments()}
    assert "Overdue" in texts[first]
    assert "At risk" in texts[second]


def test_a_forged_mark_is_not_taken_for_ours(place: Place) -> None:
    key = place.issue()
    change = note("At risk")
    forged = place.store.comment(key, f"ha {change.mark}", actor="u-ann")
    made = place.perform(key, change)
    assert made.outcome is Outcome.PERFORMED
    assert made.made != forged


@pytest.mark.parametrize("fault", ["drop_after", "drop_before", "truncated_json"])
def test_a_comment_whose_answer_was_lost_stands_once_and_at_once(place: Place, fault: Any) -> None:
    key = place.issue()
    place.store.faults.add(Fault(fault, method="POST", path="/comment"))
    made = place.perform(key, note("At risk"))
    assert [comment.comment for comment in place.read(key).comments()] == [made.made]


def test_a_report_whose_answer_was_lost_stands_once(place: Place) -> None:
    place.store.faults.add(Fault("drop_after", method="POST", path="/issue$"))
    made = place.perform(None, report(place, "One"))
    assert [issue.ref.key for issue in issues(place.all())] == [made.made]


def test_a_report_that_was_perhaps_made_is_left_to_the_next_run(place: Place) -> None:
    place.store.faults.add(Fault("drop_before", method="POST", path="/issue$"))
    with pytest.raises(OutcomeUnknown):
        place.perform(None, report(place, "One"))
    assert place.all() == []
    assert place.perform(None, report(place, "One")).outcome is Outcome.PERFORMED


def test_a_report_is_found_by_its_label_and_edited_in_place(place: Place) -> None:
    forged = place.issue("Forged", labels=["warranty-report"], description=str(report(place, "One").mark))
    made = place.perform(None, report(place, "One"))
    assert made.made != forged
    issue = place.read(made.made)
    assert issue.type.name == "Task"
    assert report(place, "One").satisfied_by(issue)
    edited = place.perform(None, report(place, "Two"))
    assert (edited.made, edited.outcome) == (made.made, Outcome.PERFORMED)
    assert json.loads(edited.prior) == {"report": made.made, "title": "Warranty summary", "text": ANY}
    assert report(place, "Two").satisfied_by(place.read(made.made))


def test_a_report_that_is_gone_is_made_again(place: Place) -> None:
    key = place.issue()
    read = place.read(key)
    gone = replace(read, ref=replace(read.ref, id="99999", key="GONE-1"))
    made = performed(place.writer(), gone, report(place, "One"), place.now)
    assert made.outcome is Outcome.PERFORMED
    assert made.made not in {key, "GONE-1"}
    assert report(place, "One").satisfied_by(place.read(made.made))


def test_an_internal_comment_is_internal(place: Place) -> None:
    key = place.issue()
    place.perform(key, note("Between us", internal=True))
    place.perform(key, note("Between us, again", internal=True))
    (comment,) = place.read(key).comments()
    assert not comment.public
    assert "again" in comment.text


def test_a_text_that_is_too_long_is_cut_with_a_note_and_keeps_its_mark(place: Place) -> None:
    key = place.issue()
    row = tuple((Text("[x|y] *_-{é中👩‍🚒}" * 4),) for _ in range(3))
    long = UpsertComment("sla", Document((Heading("All"), Table(("a", "b", "c"), (row,) * 2000))))
    place.perform(key, long)
    issue = place.read(key)
    assert long.satisfied_by(issue)
    (comment,) = issue.comments()
    assert "does not fit" in comment.text
    one = UpsertComment("sla", Document((Paragraph((Text("中" * 100_000),)),)))
    place.perform(key, one)
    assert one.satisfied_by(place.read(key))


@pytest.mark.parametrize("label", ["two words", "", "tab\there", "x" * 256, " "])
def test_what_is_no_label_is_refused_before_it_is_sent(place: Place, label: str) -> None:
    key = place.issue()
    issue = place.read(key)
    writer = place.writer()
    with pytest.raises(Rejected, match="no Jira label"):
        performed(writer, issue, Relabel(add=(label,)), place.now)
    assert "PUT issue/{key}" not in writer.requests


def test_a_priority_goes_by_id_or_name_and_an_unknown_one_names_the_others(place: Place) -> None:
    key = place.issue()
    for word in ("1", "Low", "high"):
        place.perform(key, SetPriority(word))
    assert place.read(key).priority == Word("1", "High")
    with pytest.raises(Rejected, match=r"High \(1\), Low \(2\)"):
        place.perform(key, SetPriority("Blocker"))


def test_the_receipt_of_each_change_holds_what_stood_there(place: Place) -> None:
    colleague = "u-bob" if place.cloud else "bob"
    key = place.issue(labels=["b", "a"])
    prior = {change.kind: json.loads(place.perform(key, change).prior) for change in (
        Relabel(add=("c",)), SetPriority("High"), SetDueDate(date(2026, 5, 1)), SetAssignee(colleague), note("One"),
    )}  # fmt: skip
    assert prior == {
        "relabel": {"labels": ["a", "b"]},
        "set_priority": {"priority": "2"},
        "set_due_date": {"due": None},
        "set_assignee": {"assignee": None},
        "upsert_comment": {"comment": None},
    }
    told = json.loads(place.perform(key, note("Two")).prior)
    assert told == {"comment": ANY, "text": ANY}
    assert "One" in told["text"]


def test_a_change_of_an_issue_without_the_issue_is_refused(place: Place) -> None:
    with pytest.raises(Rejected):
        place.perform(None, Relabel(add=("a",)))


def test_an_issue_that_is_gone_is_not_found(place: Place) -> None:
    key = place.issue()
    gone = replace(place.read(key), ref=replace(place.read(key).ref, id="99999", key="GONE-1"))
    for change in (Relabel(add=("a",)), note("One"), SetDueDate(None)):
        with pytest.raises(NotFound):
            performed(place.writer(), gone, change, place.now)


def test_a_field_that_is_not_on_the_screen_is_rejected_with_the_servers_words(place: Place) -> None:
    key = place.issue()
    place.store.set_screen(place.project, ["labels"])
    with pytest.raises(Rejected, match="duedate"):
        place.perform(key, SetDueDate(date(2026, 5, 1)))


@pytest.mark.shared_data
@pytest.mark.parametrize("dialect", ["jira-cloud", "jira-dc"])
def test_everything_that_is_sent_is_in_the_descriptions(sandbox: Sandbox, dialect: str, shared_specs: Path) -> None:
    before = len(sandbox.store.requests)
    with opened(sandbox, dialect) as place:
        issue, key = place.issue(), place.project
        for number in range(130):
            sandbox.store.comment(issue, f"Comment {number}", actor="u-ann")
        reader = place.reader()
        assert reader.projects()
        assert reader.words(key).statuses
        assert reader.releases(key) == ()
        assert list(reader.check([key]))
        for change in (
            Relabel(add=("a",), remove=("b",)),
            SetPriority("1"),
            SetDueDate(date(2026, 5, 1)),
            SetDueDate(None),
            SetAssignee("u-bob" if place.cloud else "bob"),
            note("One", internal=True),
            note("Two", internal=True),
            UpsertLink("g", "https://x.example", "t", "patch", "p"),
        ):
            place.perform(issue, change)
        place.perform(None, report(place, "One"))
        place.perform(None, report(place, "Two"))
        assert len(issues(place.all(START))) == 2
        place.read(issue)
    with sandbox.store.lock:
        sent = sandbox.store.requests[before:]
    assert len(sent) > 40
    assert not [one for one in sent if one.status is None or (one.status >= 400 and one.status != 404)]
    assert JiraSpec(shared_specs / "jira-cloud-v3.openapi.json").faults(sent) == []
    assert DataCenterSpec(shared_specs / "jira-dc-endpoints.derived.json").faults(sent) == []


# -------------------------------------------------------------------------------------------------------- log-in, check


def test_a_check_names_each_missing_right_with_what_to_do(place: Place) -> None:
    wrong = [finding for finding in place.reader(WEAK).check([place.project, "NOSUCH"]) if not finding.ok]
    assert {finding.subject.split()[-3] for finding in wrong if finding.subject.startswith("permission")} == {
        "LINK_ISSUES",
        "CREATE_ISSUES",
        "ASSIGN_ISSUES",
    }
    assert any("NOSUCH" in finding.subject for finding in wrong)
    assert all(finding.advice for finding in wrong)
    assert [finding for finding in place.reader().check([place.project]) if not finding.ok] == []


def test_a_check_with_a_wrong_token_is_a_finding_and_not_an_error(place: Place) -> None:
    (finding,) = place.reader("wrong").check([place.project])
    assert not finding.ok
    assert "token" in finding.advice


def test_a_right_the_account_lacks_is_a_refusal(place: Place) -> None:
    with pytest.raises(PermissionRefused):
        place.perform(None, report(place, "One"), WEAK)


def _answers(mock: responses.RequestsMock, *, kind: str = "Cloud", me: Any = None) -> JiraReader:
    mock.get("https://jira.example/rest/api/2/serverInfo", json={"deploymentType": kind, "baseUrl": ""})
    mock.get(
        f"https://jira.example/rest/api/{3 if kind == 'Cloud' else 2}/myself",
        json=me or {"accountId": "me", "timeZone": "Mars/Olympus"},
    )
    # A refused log-in ends before the fields are asked for.
    mock.assert_all_requests_are_fired = False
    mock.get(f"https://jira.example/rest/api/{3 if kind == 'Cloud' else 2}/field", json=[])
    connection = Connection(name="support", url="https://jira.example/", token=SecretStr("t"), user="u")
    return JiraReader(connection, retry=Retry(attempts=1))


@pytest.mark.parametrize("me", [{"displayName": "Anonymous"}, {"accountId": ""}, {"accountId": None, "name": None}])
@pytest.mark.parametrize("kind", ["Cloud", "Server"])
def test_an_anonymous_session_is_refused_instead_of_finding_nothing(me: Any, kind: str) -> None:
    with responses.RequestsMock() as mock:
        reader = _answers(mock, kind=kind, me=me)
        with pytest.raises(CredentialsRefused, match="nobody is logged in"):
            list(reader.changed_since("CAR", None))


def test_an_account_without_a_known_zone_reads_a_day_more() -> None:
    with responses.RequestsMock() as mock:
        reader = _answers(mock)
        mock.post("https://jira.example/rest/api/3/search/jql", json={"issues": [], "isLast": True})
        assert list(reader.changed_since("CAR", datetime(2026, 3, 2, 12, tzinfo=UTC))) == []
        sent = json.loads(mock.calls[-1].request.body or b"{}")
    assert 'updated >= "2026/03/01 12:00"' in sent["jql"]


def test_a_page_token_that_comes_twice_ends_in_an_error() -> None:
    page = {"issues": [{"id": "1", "key": "CAR-1"}], "nextPageToken": "again", "isLast": False}
    with responses.RequestsMock() as mock:
        reader = _answers(mock)
        mock.post("https://jira.example/rest/api/3/search/jql", json=page)
        with pytest.raises(BadAnswer, match="same page token"):
            list(reader.changed_since("CAR", None))


@pytest.mark.parametrize("last", [{"isLast": True, "nextPageToken": "more"}, {"isLast": False}, {}])
def test_the_search_ends_on_is_last_or_without_a_token_and_gives_an_issue_once(last: dict[str, Any]) -> None:
    with responses.RequestsMock() as mock:
        reader = _answers(mock)
        mock.post(
            "https://jira.example/rest/api/3/search/jql",
            json={"issues": [{"id": "1", "key": "CAR-1"}, None, {"id": "1", "key": "CAR-1"}], **last},
        )
        mock.post("https://jira.example/rest/api/3/changelog/bulkfetch", json={"issueChangeLogs": []})
        found = list(reader.changed_since("CAR", None))
    assert [one.key for one in found if isinstance(one, Unreadable)] == ["CAR-1", "?"]


@pytest.mark.parametrize("answer", [[], "x", {}, {"issues": {}}, {"issues": None}])
def test_an_answer_without_the_promised_members_is_a_bad_answer(answer: Any) -> None:
    with responses.RequestsMock() as mock:
        reader = _answers(mock)
        mock.post("https://jira.example/rest/api/3/search/jql", json=answer)
        with pytest.raises(BadAnswer):
            list(reader.changed_since("CAR", None))


def test_no_error_of_a_session_holds_the_token(place: Place) -> None:
    secret = "wr0ng-s3cret"
    for attempt in (
        lambda: place.reader(secret).own_account(),
        lambda: list(place.reader(secret).changed_since(place.project, None)),
        lambda: performed(place.writer(secret), None, report(place, "One"), place.now),
    ):
        with pytest.raises(TrackerError) as caught:
            attempt()
        assert secret not in str(caught.value) + repr(caught.value.__dict__)


def test_a_comment_on_the_issue_is_an_event_of_ours(place: Place) -> None:
    key = place.issue()
    place.perform(key, note("At risk"))
    event = place.read(key).events[-1]
    assert isinstance(event, Commented)
    assert event.actor.role is Role.OWN
