"""The Jira stand-in's one request for all changes of an issue: what it takes, what it refuses and in which words."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connectors.sandbox.projection import World
from tests.connectors.jira_rig import DIALECTS, READ_ONLY, Rig, adf, ground, opened
from tests.connectors.jira_spec import DataCenterSpec, JiraSpec


@pytest.fixture(params=DIALECTS, ids=lambda one: f"{one[0]}-{one[1]}")
def rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    yield from opened(ground(), *request.param)


@pytest.fixture
def cloud() -> Iterator[Rig]:
    yield from opened(ground(), "jira-cloud", "3")


def put(rig: Rig, **body: Any) -> tuple[int, list[str], dict[str, str]]:
    """Status, messages and errors by field; a refused one has written nothing."""
    entries = len(rig.store.log)
    answer = rig.call("PUT", "issue/CAR-1", json=body)
    if answer.ok:
        return answer.status_code, [], {}
    assert len(rig.store.log) == entries
    return answer.status_code, answer.json()["errorMessages"], answer.json()["errors"]


def test_the_fields_of_one_request_are_one_entry_with_what_its_writer_said_of_it(rig: Rig) -> None:
    said = {"type": "warranty", "generator": {"id": "warranty-flows", "type": "connector"}, "extraData": {"run": "7"}}
    fields = {"priority": {"id": "1"}, "duedate": "2026-12-05"}
    assert put(rig, fields=fields, update={"labels": [{"add": "late"}]}, historyMetadata=said)[0] == 204
    (entry,) = rig.call("GET", "issue/CAR-1?expand=changelog").json()["changelog"]["histories"]
    assert [item["field"] for item in entry["items"]] == ["priority", "duedate", "labels"]
    assert entry["historyMetadata"] == said


def test_a_comment_too_long_is_refused_and_one_that_just_fits_is_taken(rig: Rig) -> None:
    room = 32767 - (len(rig.text("")) if rig.api == "2" else 105)
    long, fitting = rig.text("x" * 32768), rig.text("x" * (room - 10))
    status, _, errors = put(rig, update={"comment": [{"add": {"body": long}}]})
    assert (status, list(errors)) == (400, ["comment"])
    assert rig.call("POST", "issue/CAR-1/comment", json={"body": long}).status_code == 400
    assert put(rig, update={"comment": [{"add": {"body": fitting}}]})[0] == 204


@pytest.mark.parametrize(
    ("body", "field", "words"),
    [
        ({"fields": {"customfield_404": 1}}, "customfield_404", "not on the appropriate screen, or unknown"),
        ({"fields": {"status": {"id": "5"}}}, "status", "not on the appropriate screen, or unknown"),
        ({"fields": {"resolution": {"id": "1"}}}, "resolution", "not on the appropriate screen, or unknown"),
        ({"fields": {"labels": ["a b"]}}, "labels", "The label 'a b' contains spaces which is invalid."),
        ({"fields": {"priority": {"id": "99"}}}, "priority", "The priority selected is invalid."),
        ({"fields": {"priority": {"name": "Nope"}}}, "priority", "priority name 'Nope' is not valid"),
        (
            {"fields": {"duedate": None}, "update": {"duedate": [{"set": None}]}},
            "duedate",
            "both 'fields' and 'update'",
        ),
        ({"update": {"fixVersions": [{"add": {"name": "9"}}]}}, "fixVersions", "version name '9' is not valid"),
        ({"update": {"comment": [{"edit": {"id": "1"}}]}}, "comment", "Can not find a comment for the id: 1."),
        ({"update": {"comment": [{"add": {"body": ""}}]}}, "comment", "Comment body can not be empty!"),
        ({"update": {"comment": [{"add": {"zork": 1}}]}}, "comment", "empty"),
        ({"fields": {}, "properties": [{"key": "k"}]}, "properties", "key and value"),
        ({"fields": {}, "properties": [{"key": "k", "value": "x" * 32768}]}, "properties", "32768 bytes"),
        ({"fields": {}, "historyMetadata": {"extraData": {"run": 7}}}, "historyMetadata", "must be texts"),
    ],
    ids=str,
)
def test_each_fault_is_told_by_field(rig: Rig, body: dict[str, Any], field: str, words: str) -> None:
    status, _, errors = put(rig, **body)
    assert (status, list(errors)) == (400, [field])
    assert words in errors[field]


def test_a_verb_a_field_does_not_know_is_told_with_those_it_knows(rig: Rig) -> None:
    status, messages, errors = put(rig, update={"duedate": [{"add": "2026-12-05"}]})
    assert (status, errors) == (400, {})
    assert messages == [
        "Field with id 'duedate' and name 'Due date' does not support operation 'add' Supported operation(s) are: 'set'"
    ]


def test_a_link_to_itself_is_refused_before_anything_is_written(rig: Rig) -> None:
    link = {"add": {"type": {"name": "Blocks"}, "outwardIssue": {"key": "CAR-1"}}}
    status, _, errors = put(rig, fields={"labels": ["y"]}, update={"issuelinks": [link]})
    assert (status, list(errors)) == (400, ["issuelinks"])


def test_a_person_who_is_gone_cannot_be_assigned(rig: Rig) -> None:
    rig.store.deactivate_user("li-1")
    name = {"accountId": "li-1"} if rig.mount == "jira-cloud" else {"name": "li"}
    status, _, errors = put(rig, fields={"assignee": name})
    assert (status, list(errors)) == (400, ["assignee"])
    assert rig.call("PUT", "issue/CAR-1/assignee", json=name).status_code == 400


def test_comments_are_edited_and_removed_within_the_request_by_who_may(rig: Rig) -> None:
    mine, hers, old = (
        rig.store.comment("CAR-1", rig.text(words), actor=who)
        for words, who in (("mine", "bot-1"), ("hers", "anna-1"), ("old", "bot-1"))
    )
    rig.store.create_token("writer", "bot-1", permissions=["browse", "edit", "comment"])
    verbs = [{"edit": {"id": mine, "body": rig.text("new")}}, {"remove": {"id": old}}]
    theirs = {"update": {"comment": [{"edit": {"id": hers, "body": rig.text("x")}}]}}
    refused = rig.call("PUT", "issue/CAR-1", token="writer", json=theirs)
    assert (refused.status_code, list(refused.json()["errors"])) == (400, ["comment"])
    assert (
        put(rig, update={"comment": [{"remove": {"id": mine}}, {"edit": {"id": mine, "body": rig.text("x")}}]})[0]
        == 400
    )
    assert rig.call("PUT", "issue/CAR-1", token="writer", json={"update": {"comment": verbs}}).status_code == 204
    comments = rig.call("GET", "issue/CAR-1/comment").json()["comments"]
    assert [(one["id"], one["body"]) for one in comments] == [(mine, rig.text("new")), (hers, rig.text("hers"))]
    assert World.of(rig.store.log) == rig.store.world


# ------------------------------------------------------------------------------------------------------------ editmeta


def test_editmeta_says_what_an_edit_takes(rig: Rig) -> None:
    rig.store.create_field("customfield_10001", "Plate", "string", "com.atlassian.jira.plugin.system:textfield")
    rig.store.create_field(
        "customfield_10002", "SLA", "sd-servicelevelagreement", "com.atlassian.servicedesk:sd-sla-field"
    )
    shown = rig.call("GET", "issue/CAR-1/editmeta").json()["fields"]
    assert [one["id"] for one in shown["priority"]["allowedValues"]] == ["1", "2", "3"]
    assert {name: shown[name]["operations"] for name in ("labels", "comment", "customfield_10001")} == {
        "labels": ["add", "remove", "set"],
        "comment": ["add", "edit", "remove"],
        "customfield_10001": ["set"],
    }
    assert shown["customfield_10001"]["schema"]["customId"] == 10001
    assert "customfield_10002" not in shown
    assert put(rig, fields={"customfield_10001": "AB-1"})[0] == 204
    assert list(put(rig, fields={"customfield_10002": 1})[2]) == ["customfield_10002"]
    assert rig.call("GET", "issue/CAR-1/editmeta", token=READ_ONLY).json() == {"fields": {}}


def test_editmeta_names_the_priorities_of_the_projects_own_scheme(rig: Rig) -> None:
    store = rig.store
    first = store.projects["CAR"]
    store.create_project(
        "ONE", "One", kind="jira", statuses=first.statuses, types=first.types, priorities=first.priorities[:1]
    )
    key = store.create_issue("ONE", "other scheme", actor="li-1").key
    (only,) = rig.call("GET", f"issue/{key}/editmeta").json()["fields"]["priority"]["allowedValues"]
    assert only["id"] == "1"
    assert rig.call("PUT", f"issue/{key}", json={"fields": {"priority": {"id": "2"}}}).status_code == 400
    assert rig.call("PUT", f"issue/{key}", json={"fields": {"priority": {"id": "1"}}}).status_code == 204


def test_a_site_that_does_not_edit_comments_within_an_edit_says_so(rig: Rig) -> None:
    comment = rig.store.comment("CAR-1", rig.text("old"), actor="bot-1")
    rig.store.set_operations("CAR", "comment", ["add"])
    assert rig.call("GET", "issue/CAR-1/editmeta").json()["fields"]["comment"]["operations"] == ["add"]
    edit = {"comment": [{"edit": {"id": comment, "body": rig.text("new")}}]}
    assert "does not support operation 'edit'" in put(rig, update=edit)[1][0]
    assert put(rig, update={"comment": [{"add": {"body": rig.text("more")}}]})[0] == 204
    rig.store.set_operations("CAR", "comment", None)
    assert put(rig, update=edit)[0] == 204


# --------------------------------------------------------------------------------------------------------- transitions


def test_a_transition_takes_what_its_screen_shows_and_is_one_entry(rig: Rig) -> None:
    path = "issue/CAR-1/transitions"
    off = {"transition": {"id": "21"}, "fields": {"resolution": {"id": "1"}}}
    assert list(rig.call("POST", path, json=off).json()["errors"]) == ["resolution"]
    off = {"transition": {"id": "31"}, "fields": {"duedate": "2026-12-05"}}
    assert list(rig.call("POST", path, json=off).json()["errors"]) == ["duedate"]
    done = {
        "transition": {"id": "31"},
        "fields": {"resolution": {"id": "2"}},
        "update": {"fixVersions": [{"add": {"name": "1.0"}}], "comment": [{"add": {"body": rig.text("done")}}]},
        "historyMetadata": {"type": "warranty"},
    }
    assert rig.call("POST", path, json=done).status_code == 204
    (entry,) = rig.call("GET", "issue/CAR-1?expand=changelog").json()["changelog"]["histories"]
    assert [item["field"] for item in entry["items"]] == ["status", "resolution", "Fix Version"]
    assert entry["historyMetadata"] == {"type": "warranty"}


def test_the_internal_mark_goes_with_a_comment_added_in_the_request(cloud: Rig) -> None:
    note = {"body": adf("x"), "properties": [{"key": "sd.public.comment", "value": {"internal": True}}]}
    body = {"update": {"comment": [{"add": note}]}}
    shown = cloud.call("PUT", "issue/CAR-1?returnIssue=true", json=body).json()
    (comment,) = shown["fields"]["comment"]["comments"]
    assert comment["jsdPublic"] is False


def test_the_transitions_show_their_screens_where_asked(rig: Rig) -> None:
    plain = rig.call("GET", "issue/CAR-1/transitions").json()["transitions"]
    assert all("fields" not in one for one in plain)
    start, done = rig.call("GET", "issue/CAR-1/transitions?expand=transitions.fields").json()["transitions"]
    assert sorted(start["fields"]) == ["comment"]
    assert sorted(done["fields"]) == ["assignee", "comment", "fixVersions", "resolution"]
    assert [one["id"] for one in done["fields"]["resolution"]["allowedValues"]] == ["1", "2"]


def test_a_released_version_hands_its_open_issues_on(rig: Rig) -> None:
    store = rig.store
    (old,) = store.projects["CAR"].versions.values()
    new = store.create_version("CAR", "2.0")
    for key in ("CAR-1", "CAR-2"):
        store.edit(key, {"fix_versions": [old.id]}, actor="li-1")
    store.transition("CAR-2", "5", actor="li-1")
    body = {"released": True, "releaseDate": "2026-11-21", "moveUnfixedIssuesTo": f"{rig.root}/version/{new.id}"}
    assert rig.call("PUT", f"version/{old.id}", json=body).json()["released"] is True
    held = [store.issues[id_].fix_versions for id_ in ("10001", "10002")]
    assert held == [[new.id], [old.id]]
    wrong = {"moveUnfixedIssuesTo": f"{rig.root}/version/1"}
    assert rig.call("PUT", f"version/{old.id}", json=wrong).status_code == 400


@pytest.mark.shared_data
@pytest.mark.parametrize("dialect", DIALECTS, ids=str)
def test_what_is_taken_is_in_the_descriptions(dialect: tuple[str, str], shared_specs: Path) -> None:
    for check in (
        test_the_fields_of_one_request_are_one_entry_with_what_its_writer_said_of_it,
        test_comments_are_edited_and_removed_within_the_request_by_who_may,
        test_a_transition_takes_what_its_screen_shows_and_is_one_entry,
        test_editmeta_names_the_priorities_of_the_projects_own_scheme,
        test_a_released_version_hands_its_open_issues_on,
    ):
        rigs = opened(ground(), *dialect)
        rig = next(rigs)
        check(rig)
        cloud = JiraSpec(shared_specs / "jira-cloud-v3.openapi.json").faults(rig.store.requests)
        data_center = DataCenterSpec(shared_specs / "jira-dc-endpoints.derived.json").faults(rig.store.requests)
        assert cloud + data_center == []
        assert next(rigs, None) is None


@pytest.mark.shared_data
def test_the_check_against_the_derived_description_can_fail(shared_specs: Path) -> None:
    rigs = opened(ground(), "jira-dc", "2")
    rig = next(rigs)
    rig.call("PUT", "issue/CAR-1?returnIssue=true", json={"fields": {"labels": []}})
    rig.call("GET", "mypermissions?permissions=EDIT_ISSUES")
    assert DataCenterSpec(shared_specs / "jira-dc-endpoints.derived.json").faults(rig.store.requests) == [
        "PUT /rest/api/2/issue/CAR-1: unknown query parameter 'returnIssue'",
        "GET /rest/api/2/mypermissions: unknown query parameter 'permissions'",
    ]
    assert next(rigs, None) is None
