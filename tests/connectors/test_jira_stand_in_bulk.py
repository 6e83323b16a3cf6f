"""The Jira stand-in's bulk edits: one request for many issues, a task that is asked how far it is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connectors.sandbox.projection import World
from tests.connectors.jira_rig import Rig, ground, opened
from tests.connectors.jira_spec import JiraSpec


@pytest.fixture
def cloud() -> Iterator[Rig]:
    yield from opened(ground(), "jira-cloud", "3")


def labels(option: str, *names: str) -> dict[str, Any]:
    said = {"fieldId": "labels", "bulkEditMultiSelectFieldOption": option, "labels": [{"name": one} for one in names]}
    return {"labelsFields": [said]}


def body(edited: dict[str, Any], *actions: str, issues: tuple[str, ...] = ("10001", "CAR-2")) -> dict[str, Any]:
    return {
        "selectedIssueIdsOrKeys": list(issues),
        "selectedActions": list(actions),
        "editedFieldsInput": edited,
        "sendBulkNotification": False,
    }


def ended(rig: Rig, path: str, said: dict[str, Any]) -> dict[str, Any]:
    started = rig.call("POST", path, json=said)
    assert started.status_code == 201, started.text
    queue = f"bulk/queue/{started.json()['taskId']}"
    stages = [rig.call("GET", queue).json() for _ in range(len(rig.store.bulk_stages) + 1)]
    assert [one["status"] for one in stages] == [*rig.store.bulk_stages, "COMPLETE"]
    last: dict[str, Any] = stages[-1]
    return last


def test_many_issues_get_the_same_edit(cloud: Rig) -> None:
    cloud.store.bulk_stages = ("ENQUEUED", "RUNNING", "RUNNING")
    edited = {**labels("ADD", "sla-at-risk"), "priority": {"priorityId": "1"}}
    done = ended(cloud, "bulk/issues/fields", body(edited, "labels", "priority"))
    assert (done["processedAccessibleIssues"], done["failedAccessibleIssues"]) == ([10001, 10002], {})
    assert (done["totalIssueCount"], done["invalidOrInaccessibleIssueCount"]) == (2, 0)
    for id_ in ("10001", "10002"):
        issue = cloud.store.issues[id_]
        assert (issue.labels, issue.priority) == (["x", "sla-at-risk"], "1")
        assert [item.field for item in issue.history[-1].items] == ["priority", "labels"]
    assert cloud.store.issues["10003"].labels == ["x"]
    assert World.of(cloud.store.log) == cloud.store.world


@pytest.mark.parametrize(
    ("option", "names", "left"),
    [("REMOVE", ["x"], ["y"]), ("REPLACE", ["z"], ["z"]), ("REMOVE_ALL", [], [])],
)
def test_labels_are_removed_and_replaced(cloud: Rig, option: str, names: list[str], left: list[str]) -> None:
    cloud.store.edit("CAR-1", {"labels": ["x", "y"]}, actor="li-1")
    ended(cloud, "bulk/issues/fields", body(labels(option, *names), "labels", issues=("CAR-1",)))
    assert cloud.store.issues["10001"].labels == left


def test_dates_versions_and_people_are_set(cloud: Rig) -> None:
    (version,) = cloud.store.projects["CAR"].versions
    versions = {"fieldId": "fixVersions", "bulkEditMultiSelectFieldOption": "ADD", "versions": [{"versionId": version}]}
    edited = {
        "datePickerFields": [{"fieldId": "duedate", "date": {"formattedDate": "2026-12-05"}}],
        "multipleVersionPickerFields": [versions],
        "singleSelectClearableUserPickerFields": [{"fieldId": "assignee", "user": {"accountId": "li-1"}}],
    }
    ended(cloud, "bulk/issues/fields", body(edited, "duedate", "fixVersions", "assignee"))
    issue = cloud.store.issues["10002"]
    assert (str(issue.due), issue.fix_versions, issue.assignees) == ("2026-12-05", [version], ["li-1"])


def test_what_is_wrong_with_one_issue_is_told_with_the_task(cloud: Rig) -> None:
    store = cloud.store
    key = store.create_issue("OTHER", "off screen", actor="li-1").key
    store.set_screen("OTHER", ["summary"])
    done = ended(cloud, "bulk/issues/fields", body(labels("ADD", "y"), "labels", issues=("CAR-1", key, "CAR-99")))
    (failed,) = done["failedAccessibleIssues"].items()
    assert (failed[0], "not on the appropriate screen" in failed[1][0]) == (store.world.keys[key], True)
    assert (done["processedAccessibleIssues"], done["invalidOrInaccessibleIssueCount"]) == ([10001], 1)


def test_many_issues_are_transitioned(cloud: Rig) -> None:
    inputs = [{"selectedIssueIdsOrKeys": ["CAR-1", "CAR-2"], "transitionId": "31"}]
    done = ended(cloud, "bulk/issues/transition", {"bulkTransitionInputs": inputs, "sendBulkNotification": False})
    assert done["processedAccessibleIssues"] == [10001, 10002]
    assert (cloud.store.issues["10001"].status, cloud.store.issues["10001"].resolution) == ("5", "1")
    again = ended(cloud, "bulk/issues/transition", {"bulkTransitionInputs": inputs})
    assert sorted(again["failedAccessibleIssues"]) == ["10001", "10002"]


@pytest.mark.parametrize(
    "said",
    [
        {},
        body(labels("ADD", "y"), "labels", "priority"),
        body({**labels("ADD", "y"), "priority": {"priorityId": "1"}}, "labels"),
        body(labels("ADD", "y"), "labels", issues=()),
        body(labels("ADD", "y"), "labels", issues=tuple(str(n) for n in range(1001))),
        body(labels("JOIN", "y"), "labels"),
        body({"colorFields": []}, "color"),
        {**body(labels("ADD", "y"), "labels"), "jql": "project = CAR"},
        {**body(labels("ADD", "y"), "labels"), "sendBulkNotification": "no"},
    ],
)
def test_a_request_of_the_wrong_form_is_refused_whole(cloud: Rig, said: dict[str, Any]) -> None:
    entries = len(cloud.store.log)
    answer = cloud.call("POST", "bulk/issues/fields", json=said)
    assert (answer.status_code, list(answer.json())) == (400, ["errors"])
    assert answer.json()["errors"][0]["message"]
    assert len(cloud.store.log) == entries


def test_bulk_changes_need_their_own_permission(cloud: Rig) -> None:
    cloud.store.create_token("editor", "bot-1", permissions=["browse", "edit", "admin"])
    asked = cloud.call("GET", "mypermissions?permissions=BULK_CHANGE", token="editor").json()
    assert asked["permissions"]["BULK_CHANGE"]["havePermission"] is False
    said = body(labels("ADD", "y"), "labels")
    assert cloud.call("POST", "bulk/issues/fields", token="editor", json=said).status_code == 403
    assert cloud.call("GET", "bulk/queue/10000", token="editor").status_code == 403
    assert cloud.call("GET", "bulk/queue/10000").status_code == 404


@pytest.mark.shared_data
def test_bulk_requests_are_in_the_vendors_description(shared_specs: Path) -> None:
    spec = JiraSpec(shared_specs / "jira-cloud-v3.openapi.json")
    for check in (
        test_many_issues_get_the_same_edit,
        test_dates_versions_and_people_are_set,
        test_many_issues_are_transitioned,
    ):
        rigs = opened(ground(), "jira-cloud", "3")
        rig = next(rigs)
        check(rig)
        assert spec.faults(rig.store.requests) == []
        assert next(rigs, None) is None
