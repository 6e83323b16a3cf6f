"""The same labels and priority on many issues of a Jira Cloud, and what is made good one by one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import responses
from pydantic import SecretStr

from connectors.cache import SessionCache
from connectors.jira.tracker import JiraWriter
from connectors.retry import Retry
from connectors.sandbox.faults import Fault
from connectors.sandbox.server import Sandbox
from connectors.tracker import (
    Connection,
    NotFound,
)
from connectors.work import Work
from policies.changes import Change, Relabel, SetDueDate, SetPriority, UpsertLink
from policies.issue import Issue
from tests.connectors.jira_place import WORDS, Place, opened, served
from tests.connectors.jira_spec import JiraSpec
from tests.connectors.test_jira_edit_bodies import ISSUE, SCREEN, SITE

LINK = UpsertLink("warranty:1.4", "https://git.example/r/1.4", "Release 1.4", "patch release", "patch")
DUE = SetDueDate(date(2026, 5, 1))
AT_RISK = Relabel(add=("sla-at-risk",), remove=("sla-ok",))


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    yield from served()


@pytest.fixture
def cloud(sandbox: Sandbox) -> Iterator[Place]:
    with opened(sandbox, "jira-cloud") as found:
        found.store.bulk_stages = ("ENQUEUED", "RUNNING")
        yield found


def crowd(place: Place, number: int, *changes: Change) -> list[Work]:
    keys = [place.issue(f"Pump {n}", labels=["sla-ok"]) for n in range(number)]
    reader = place.reader()
    found = {issue.ref.key: issue for issue in reader.changed_since(place.project, None) if isinstance(issue, Issue)}
    return [Work(found[key], changes) for key in keys]


def test_the_same_labels_and_priority_on_many_issues_are_set_in_bulk(cloud: Place) -> None:
    work = crowd(cloud, 45, SetPriority("High"), AT_RISK)
    writer = cloud.writer()
    worked = list(writer.perform(work, cloud.now))
    assert {one.failure for one in worked} == {None}
    assert [one.receipts[0].issue for one in worked] == [piece.issue.ref for piece in work if piece.issue]
    assert [json.loads(one.prior) for one in worked[0].receipts] == [{"priority": "2"}, {"labels": ["sla-ok"]}]
    assert writer.requests["POST bulk/issues/fields"] == 2
    assert writer.requests["PUT issue/{key}"] == 0
    assert cloud.waits == [1.0, 2.0, 1.0, 2.0]
    for piece in work[::11]:
        assert piece.issue is not None
        after = cloud.read(piece.issue.ref.key)
        assert all(change.satisfied_by(after) for change in piece.changes)


def test_few_issues_different_changes_or_comments_are_edited_one_by_one(cloud: Place) -> None:
    for work in (
        crowd(cloud, 19, AT_RISK),
        [replace(one, changes=(Relabel(add=(f"l{n}",)),)) for n, one in enumerate(crowd(cloud, 25))],
        crowd(cloud, 25, DUE, AT_RISK),
    ):
        writer = cloud.writer()
        assert {one.failure for one in writer.perform(work, cloud.now)} == {None}
        assert writer.requests["PUT issue/{key}"] == len(work)
        assert writer.requests["POST bulk/issues/fields"] == 0


def test_without_the_right_to_change_in_bulk_each_is_edited(cloud: Place) -> None:
    token = f"single-{cloud.project}"
    cloud.store.create_token(token, "u-own", permissions={"browse", "edit", "admin"})
    work = crowd(cloud, 21, AT_RISK)
    writer = cloud.writer(token)
    assert {one.failure for one in writer.perform(work, cloud.now)} == {None}
    assert (writer.requests["POST bulk/issues/fields"], writer.requests["PUT issue/{key}"]) == (0, 21)


def test_a_right_to_change_in_bulk_that_was_taken_away_is_found_out(cloud: Place) -> None:
    cache = SessionCache()
    token = f"bulk-{cloud.project}"
    cloud.store.create_token(token, "u-own", permissions={"browse", "edit", "admin", "bulk"})
    list(cloud.writer(token, cache).perform(crowd(cloud, 20, AT_RISK), cloud.now))
    cloud.store.create_token(token, "u-own", permissions={"browse", "edit", "admin"})
    for sendings in (1, 0):
        writer = cloud.writer(token, cache)
        assert {one.failure for one in writer.perform(crowd(cloud, 20, AT_RISK), cloud.now)} == {None}
        assert writer.requests["POST bulk/issues/fields"] == sendings


@pytest.mark.parametrize(
    "fault",
    [
        Fault("status", status=500, path="/bulk/issues/fields"),
        Fault("drop_after", path="/bulk/issues/fields"),
        Fault("status", status=400, path="/bulk/issues/fields"),
        Fault("login_page", path="/bulk/queue", times=None),
        Fault("status", status=404, path="/bulk/queue"),
    ],
    ids=lambda fault: f"{fault.kind} {fault.path}",
)
def test_a_bulk_that_goes_wrong_is_made_good_one_by_one(cloud: Place, fault: Fault) -> None:
    work = crowd(cloud, 22, AT_RISK)
    cloud.store.faults.add(fault)
    writer = cloud.writer()
    assert {one.failure for one in writer.perform(work, cloud.now)} == {None}
    assert writer.requests["PUT issue/{key}"] == 22
    cloud.store.faults.clear()
    last = work[-1].issue
    assert last is not None
    assert AT_RISK.satisfied_by(cloud.read(last.ref.key))


@pytest.mark.parametrize("stages", [("FAILED",), ("RUNNING", "DEAD"), ("RUNNING",) * 200])
def test_a_task_that_fails_or_does_not_end_is_made_good_one_by_one(cloud: Place, stages: tuple[str, ...]) -> None:
    cloud.store.bulk_stages = stages
    work = crowd(cloud, 20, Relabel(add=("x",)))
    writer = cloud.writer()
    assert {one.failure for one in writer.perform(work, cloud.now)} == {None}
    assert writer.requests["PUT issue/{key}"] == 20
    assert sum(cloud.waits) <= 180


def test_what_the_bulk_leaves_out_is_edited_alone_and_what_is_gone_is_told(cloud: Place) -> None:
    work = crowd(cloud, 24, AT_RISK)
    issue = work[3].issue
    assert issue is not None
    work[3] = replace(work[3], issue=replace(issue, ref=replace(issue.ref, id="99999", key="GONE-1")))
    writer = cloud.writer()
    worked = list(writer.perform(work, cloud.now))
    assert [place for place, one in enumerate(worked) if one.failure] == [3]
    assert isinstance(worked[3].failure, NotFound)
    assert writer.requests["PUT issue/{key}"] == 1


def test_issues_whose_screen_has_no_labels_fail_and_the_others_are_set_in_bulk(cloud: Place) -> None:
    work = crowd(cloud, 24, AT_RISK)
    other = f"{cloud.project}Y"
    cloud.store.create_project(other, "Other", kind="jira", **WORDS)
    cloud.store.set_screen(other, ["duedate"])
    work.append(Work(cloud.read(cloud.store.create_issue(other, "There", actor="u-ann", type_="10").key), (AT_RISK,)))
    writer = cloud.writer()
    worked = list(writer.perform(work, cloud.now))
    assert [place for place, one in enumerate(worked) if one.failure] == [24]
    assert (writer.requests["POST bulk/issues/fields"], writer.requests["PUT issue/{key}"]) == (2, 0)


ALIKE = [replace(ISSUE, ref=replace(ISSUE.ref, id=str(n), key=f"CAR-{n}")) for n in range(101, 121)]


def _answered(mock: responses.RequestsMock, task: Any, progress: Any) -> JiraWriter:
    """A writer before a Cloud that takes a bulk edit of ``ALIKE`` with these answers, and single edits too."""
    api = f"{SITE}/rest/api/3"
    mock.get(f"{SITE}/rest/api/2/serverInfo", json={"deploymentType": "Cloud", "baseUrl": SITE})
    mock.get(f"{api}/myself", json={"accountId": "me", "timeZone": "UTC"})
    mock.get(f"{api}/mypermissions", json={"permissions": {"BULK_CHANGE": {"havePermission": True}}})
    mock.get(f"{api}/issue/101/editmeta", json={"fields": SCREEN})
    mock.post(f"{api}/bulk/issues/fields", json=task, status=201)
    mock.get(f"{api}/bulk/queue/7", json=progress)
    mock.put(re.compile(f"{api}/issue/1.."), status=204)
    connection = Connection(name="support", url=SITE, token=SecretStr("t"), user="u", requests_per_second=0)
    return JiraWriter(connection, retry=Retry(attempts=1, sleep=lambda _: None))


DONE = {"taskId": "7", "status": "COMPLETE", "processedAccessibleIssues": list(range(101, 121))}


@pytest.mark.parametrize(
    ("task", "progress", "singly"),
    [
        ({"taskId": 7}, DONE, 0),
        ({}, DONE, 20),
        ([], DONE, 20),
        ({"taskId": "7"}, [], 20),
        ({"taskId": "7"}, {"status": ["COMPLETE"]}, 20),
        ({"taskId": "7"}, {"status": "COMPLETE"}, 20),
        ({"taskId": "7"}, {**DONE, "processedAccessibleIssues": {"101": 1}}, 20),
        ({"taskId": "7"}, {**DONE, "processedAccessibleIssues": [101, "102", None, [], 5]}, 18),
        ({"taskId": "7"}, {**DONE, "failedAccessibleIssues": {"120": ["locked"]}}, 1),
        ({"taskId": "7"}, {**DONE, "failedAccessibleIssues": ["120"]}, 0),
    ],
)
def test_only_what_the_finished_task_names_is_taken_for_done(task: Any, progress: Any, singly: int) -> None:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        writer = _answered(mock, task, progress)
        work = [Work(issue, (Relabel(add=("x",)),)) for issue in ALIKE]
        assert {one.failure for one in writer.perform(work, ISSUE.opened_at)} == {None}
        writer.close()
    assert writer.requests["PUT issue/{key}"] == singly


def test_a_bulk_edit_as_cloud_gets_it() -> None:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        writer = _answered(mock, {"taskId": "7"}, DONE)
        work = [Work(issue, (SetPriority("High"), AT_RISK)) for issue in ALIKE]
        assert {one.failure for one in writer.perform(work, ISSUE.opened_at)} == {None}
        bodies = [json.loads(one.request.body or b"{}") for one in mock.calls if one.request.method == "POST"]
        writer.close()
    assert writer.requests["PUT issue/{key}"] == 0
    ids = [str(n) for n in range(101, 121)]
    assert bodies == [
        {
            "selectedIssueIdsOrKeys": ids,
            "selectedActions": ["labels", "priority"],
            "editedFieldsInput": {
                "priority": {"priorityId": "1"},
                "labelsFields": [
                    {"fieldId": "labels", "bulkEditMultiSelectFieldOption": "ADD", "labels": [{"name": "sla-at-risk"}]}
                ],
            },
            "sendBulkNotification": False,
        },
        {
            "selectedIssueIdsOrKeys": ids,
            "selectedActions": ["labels"],
            "editedFieldsInput": {
                "labelsFields": [
                    {"fieldId": "labels", "bulkEditMultiSelectFieldOption": "REMOVE", "labels": [{"name": "sla-ok"}]}
                ]
            },
            "sendBulkNotification": False,
        },
    ]


@pytest.mark.shared_data
def test_every_bulk_edit_that_cloud_takes_is_in_the_vendors_description(cloud: Place, shared_specs: Path) -> None:
    before = len(cloud.store.requests)
    list(cloud.writer().perform(crowd(cloud, 20, SetPriority("High"), AT_RISK), cloud.now))
    with cloud.store.lock:
        requests = [one for one in cloud.store.requests[before:] if "bulk" in one.path]
    assert {one.status for one in requests} <= {200, 201}
    assert JiraSpec(shared_specs / "jira-cloud-v3.openapi.json").faults(requests) == []
