"""The Jira stand-in's searches: pages that hold still, an index that lags, limits, and histories in bulk."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from tests.connectors.jira_rig import NOW, Rig, ground, opened


@pytest.fixture
def cloud() -> Iterator[Rig]:
    yield from opened(ground(), "jira-cloud", "3")


@pytest.fixture
def dc() -> Iterator[Rig]:
    yield from opened(ground(), "jira-dc", "2")


def search(rig: Rig, **body: Any) -> Any:
    answer = rig.call("POST", "search/jql", json={"jql": "project = CAR ORDER BY key ASC", **body})
    return answer.json() if answer.ok else answer.status_code


def keys(page: Any) -> list[str]:
    return [one["key"] for one in page["issues"]]


def test_pages_are_of_the_search_that_was_made_and_show_what_is_there_now(cloud: Rig) -> None:
    first = search(cloud, maxResults=1, fields=["labels"])
    cloud.store.create_issue("CAR", "new", actor="li-1")
    cloud.store.edit("CAR-2", {"labels": ["late"]}, actor="li-1")
    cloud.store.remove_issue("CAR-3", actor="li-1")
    rest = search(cloud, maxResults=5, fields=["labels"], nextPageToken=first["nextPageToken"])
    assert (keys(first), keys(rest), rest["isLast"]) == (["CAR-1"], ["CAR-2"], True)
    assert rest["issues"][0]["fields"]["labels"] == ["late"]
    # The same token again gives the same page: a request whose answer was lost is made again.
    assert keys(search(cloud, maxResults=1, nextPageToken=first["nextPageToken"])) == ["CAR-2"]


def test_ids_come_by_thousands_and_whole_issues_by_the_hundred(cloud: Rig) -> None:
    for number in range(120):
        cloud.store.create_issue("OTHER", f"issue {number}", actor="li-1")
    everything = "project in (CAR, OTHER)"
    assert len(search(cloud, jql=everything, maxResults=5000)["issues"]) == 123
    page = search(cloud, jql=everything, maxResults=5000, fields=["summary"])
    assert (len(page["issues"]), page["isLast"]) == (100, False)
    assert len(search(cloud, jql=everything)["issues"]) == 50


@pytest.mark.parametrize(
    "body",
    [
        {"reconcileIssues": list(range(51))},
        {"reconcileIssues": ["10001"]},
        {"reconcileIssues": None},
        {"properties": ["a", "b", "c", "d", "e", "f"]},
        {"nextPageToken": None},
        {"validateQuery": True},
        {"jql": "project = CAR ORDER BY key, id, created, updated, status, priority, assignee, reporter"},
    ],
)
def test_what_the_vendor_refuses_is_refused(cloud: Rig, body: dict[str, Any]) -> None:
    assert search(cloud, **body) == 400


def test_a_late_index_does_not_know_what_was_just_written_unless_it_is_told(cloud: Rig) -> None:
    store = cloud.store
    store.index_lag = timedelta(minutes=2)
    made = store.create_issue("CAR", "new", actor="li-1")
    store.edit("CAR-1", {"labels": ["late"]}, actor="li-1")
    changed = 'project = CAR AND updated >= "2026/11/21 17:59" ORDER BY key ASC'
    assert keys(search(cloud, jql=changed)) == []
    assert keys(search(cloud, jql=changed, reconcileIssues=[10001, int(made.id)])) == ["CAR-1", "CAR-4"]
    assert cloud.call("POST", "search/approximate-count", json={"jql": "project = CAR"}).json() == {"count": 3}
    store.clock.set(NOW + timedelta(minutes=10))
    assert keys(search(cloud, jql=changed)) == ["CAR-1", "CAR-4"]


def test_a_search_can_be_made_to_turn_in_a_circle(cloud: Rig) -> None:
    cloud.store.stuck_pages = True
    token = search(cloud, maxResults=1)["nextPageToken"]
    page = search(cloud, maxResults=5, nextPageToken=token)
    assert (page["nextPageToken"], page["isLast"]) == (token, False)


def test_an_offset_search_sees_each_write_at_once(dc: Rig) -> None:
    def found() -> int:
        total: int = dc.call("GET", "search", params={"jql": "project = CAR"}).json()["total"]
        return total

    assert found() == 3
    dc.store.create_issue("CAR", "new", actor="li-1")
    assert found() == 4
    seen = dc.call("GET", "search", params={"jql": "project = CAR"}, token="other-project")
    assert seen.status_code == 400


def test_one_issues_history_is_spread_over_pages_and_filtered_by_field(cloud: Rig) -> None:
    for number in range(6):
        cloud.store.edit("CAR-1", {"title": f"title {number}", "labels": [f"l{number}"]}, actor="li-1")
        cloud.store.edit("CAR-1", {"due": (NOW + timedelta(days=number)).date()}, actor="li-1")
    cloud.store.move_issue("CAR-1", "OTHER", actor="li-1")
    body: dict[str, Any] = {"issueIdsOrKeys": ["CAR-1"], "maxResults": 4, "fieldIds": ["labels", "issuekey"]}
    items, pages = [], 0
    while True:
        page = cloud.call("POST", "changelog/bulkfetch", json=body).json()
        pages += 1
        assert [log["issueId"] for log in page["issueChangeLogs"]] == ["10001"]
        items += [
            item["fieldId"]
            for log in page["issueChangeLogs"]
            for one in log["changeHistories"]
            for item in one["items"]
        ]
        if "nextPageToken" not in page:
            break
        body["nextPageToken"] = page["nextPageToken"]
    assert (pages, items) == (2, ["labels"] * 6 + ["issuekey"])
