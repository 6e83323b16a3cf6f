"""The Jira stand-in where names, people and places change: languages, gone accounts, moved and deleted issues, desks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import requests

from connectors.jira.stand_in import service_desk
from connectors.sandbox.projection import World
from tests.connectors.jira_rig import DIALECTS, NOW, Rig, ground, opened


@pytest.fixture(params=DIALECTS[1:], ids=lambda one: one[0])
def rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    yield from opened(ground(), *request.param)


@pytest.fixture
def cloud() -> Iterator[Rig]:
    yield from opened(ground(), "jira-cloud", "3")


def fields(rig: Rig, key: str = "CAR-1") -> dict[str, Any]:
    shown: dict[str, Any] = rig.call("GET", f"issue/{key}").json()["fields"]
    return shown


def histories(rig: Rig, key: str = "CAR-1") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = rig.call("GET", f"issue/{key}?expand=changelog").json()["changelog"]["histories"]
    return sorted(found, key=lambda one: int(one["id"]))


# --------------------------------------------------------------------------------------------------------- languages


def test_names_are_in_the_language_of_the_account_and_ids_are_not(rig: Rig) -> None:
    store = rig.store
    store.translate("en_US", "status", "3", "In Progress")
    store.translate("en_US", "priority", "3", "Normal")
    store.create_user("ann-1", "Ann", username="ann", email="ann@acme.test", locale="en_US")
    store.create_token("english", "ann-1")
    store.transition("CAR-1", "3", actor="li-1")
    store.transition("CAR-1", "1", actor="ann-1")
    store.transition("CAR-1", "3", actor="ann-1")
    name = "ann@acme.test" if rig.mount == "jira-cloud" else "ann"
    shown = fields(rig)
    assert (shown["status"]["id"], shown["status"]["name"], shown["priority"]["name"]) == ("3", "处理中", "普通")
    response = english_call(rig, name, "issue/CAR-1?expand=changelog")
    assert (response["fields"]["status"]["id"], response["fields"]["status"]["name"]) == ("3", "In Progress")
    assert response["fields"]["priority"]["name"] == "Normal"
    said = [item["toString"] for one in histories(rig) for item in one["items"] if item["field"] == "status"]
    assert said == ["处理中", "待办", "In Progress"]
    moved = [item["to"] for one in histories(rig) for item in one["items"] if item["field"] == "status"]
    assert moved == ["3", "1", "3"]
    assert english_call(rig, name, "status")[1]["name"] == "In Progress"
    offered = english_call(rig, name, "issue/CAR-2/transitions")["transitions"]
    assert [one["name"] for one in offered] == ["In Progress", "已解决"]
    if rig.mount == "jira-cloud":
        assert english_call(rig, name, "myself")["locale"] == "en_US"
    found = english_call(rig, name, "search?jql=status='In Progress'") if rig.mount == "jira-dc" else None
    assert found is None or [one["key"] for one in found["issues"]] == ["CAR-1"]


def english_call(rig: Rig, name: str, path: str) -> Any:
    """As an account with another language sees it."""
    return requests.get(f"{rig.root}/{path}", auth=(name, "english"), timeout=10).json()


def test_an_issue_without_a_priority_says_so(rig: Rig) -> None:
    rig.store.edit("CAR-1", {"priority": None}, actor="li-1")
    assert fields(rig)["priority"] is None
    (item,) = histories(rig)[-1]["items"]
    assert (item["from"], item["to"], item["toString"]) == ("3", None, None)


# ------------------------------------------------------------------------------------------------------- gone people


def test_a_deactivated_person_is_shown_as_inactive(rig: Rig) -> None:
    rig.store.edit("CAR-1", {"assignees": ["li-1"]}, actor="li-1")
    rig.store.deactivate_user("li-1")
    assert fields(rig)["assignee"]["active"] is False
    assert histories(rig)[-1]["author"]["active"] is False


def test_a_deleted_person_is_nobody_in_particular_and_on_data_center_nobody(rig: Rig) -> None:
    rig.store.comment("CAR-1", "text", actor="li-1")
    rig.store.edit("CAR-1", {"assignees": ["li-1"]}, actor="li-1")
    rig.store.deactivate_user("li-1", deleted=True)
    entry, comment = histories(rig)[-1], fields(rig)["comment"]["comments"][0]
    if rig.mount == "jira-cloud":
        assert (entry["author"]["displayName"], entry["author"]["active"]) == ("Former user", False)
        assert (comment["author"]["accountId"], "emailAddress" in comment["author"]) == ("li-1", False)
    else:
        assert ("author" in entry, "author" in comment, fields(rig)["assignee"]) == (False, False, None)
    assert World.of(rig.store.log) == rig.store.world


# ------------------------------------------------------------------------------------------------ moved and deleted


def test_a_moved_issue_keeps_its_id_and_answers_to_its_old_key(rig: Rig) -> None:
    store = rig.store
    (version,) = store.projects["CAR"].versions
    store.edit("CAR-1", {"fix_versions": [version]}, actor="li-1")
    store.move_issue("CAR-1", "OTHER", actor="li-1")
    shown = rig.call("GET", "issue/CAR-1").json()
    assert (shown["id"], shown["key"], shown["fields"]["project"]["key"]) == ("10001", "OTHER-1", "OTHER")
    assert shown["fields"]["fixVersions"] == []
    items = {item["field"]: item for item in histories(rig, "10001")[-1]["items"]}
    assert (items["Key"]["fromString"], items["Key"]["toString"]) == ("CAR-1", "OTHER-1")
    assert (items["project"]["fromString"], items["project"]["toString"]) == ("CAR project", "OTHER project")
    assert rig.call("PUT", "issue/CAR-1", json={"fields": {"labels": ["y"]}}).status_code == 204
    assert store.create_issue("CAR", "next", actor="li-1").key == "CAR-4"
    assert rig.call("GET", "issue/OTHER-1", token="other-project").status_code == 200
    assert World.of(store.log) == store.world


def test_a_deleted_issue_is_gone_with_its_links(rig: Rig) -> None:
    rig.store.link_issues("CAR-1", "CAR-2", "10000", actor="li-1")
    comment = rig.store.comment("CAR-1", "text", actor="li-1")
    rig.store.remove_issue("CAR-1", actor="li-1")
    assert rig.call("GET", "issue/CAR-1").status_code == 404
    assert rig.call("GET", "issue/10001").status_code == 404
    assert fields(rig, "CAR-2")["issuelinks"] == []
    assert comment not in rig.store.world.comments
    assert World.of(rig.store.log) == rig.store.world


# ------------------------------------------------------------------------------------------------------ service desk


def test_what_a_service_desk_says_stands_in_ordinary_fields(cloud: Rig) -> None:
    store = cloud.store
    made = {
        "customfield_10010": ("Request Type", service_desk.REQUEST_TYPE),
        "customfield_10011": ("Organizations", service_desk.ORGANIZATIONS),
        "customfield_10012": ("Request participants", service_desk.PARTICIPANTS),
        "customfield_10020": ("Time to resolution", service_desk.SLA),
    }
    for id_, (name, kind) in made.items():
        store.create_field(id_, name, *kind)
    hour = timedelta(hours=1)
    past = service_desk.Cycle(NOW - 9 * hour, 4 * hour, 5 * hour, NOW - 5 * hour, NOW - 4 * hour)
    now = service_desk.Cycle(NOW - hour, 4 * hour, hour, NOW + 3 * hour)
    before = store.issues["10001"].updated, len(store.issues["10001"].history)
    store.set_value("CAR-1", "customfield_10010", service_desk.request_type("10", "Report a fault", status="Open"))
    store.set_value("CAR-1", "customfield_10011", [service_desk.organization("1", "Acme Rail")])
    store.set_value("CAR-1", "customfield_10012", ["anna-1"])
    store.set_value("CAR-1", "customfield_10020", service_desk.sla("Time to resolution", completed=[past], ongoing=now))
    assert (store.issues["10001"].updated, len(store.issues["10001"].history)) == before
    search = {"jql": "key = CAR-1", "fields": list(made)}
    shown = cloud.call("POST", "search/jql", json=search).json()["issues"][0]["fields"]
    assert shown["customfield_10010"]["requestType"]["name"] == "Report a fault"
    assert shown["customfield_10011"] == [{"id": "1", "name": "Acme Rail"}]
    assert [one["accountType"] for one in shown["customfield_10012"]] == ["customer"]
    sla = shown["customfield_10020"]
    assert [one["breached"] for one in sla["completedCycles"]] == [True]
    ongoing = sla["ongoingCycle"]
    assert (ongoing["breached"], ongoing["paused"], ongoing["withinCalendarHours"]) == (False, False, True)
    assert (ongoing["remainingTime"]["millis"], ongoing["breachTime"]["jira"]) == (
        3 * 3600 * 1000,
        "2026-11-21T13:00:00.000+0000",
    )
    kinds = {one["id"]: one["schema"] for one in cloud.call("GET", "field").json()}
    assert {id_: kinds[id_]["custom"].partition(":")[2] for id_ in made} == {
        "customfield_10010": "vp-origin",
        "customfield_10011": "sd-customer-organizations",
        "customfield_10012": "sd-request-participants",
        "customfield_10020": "sd-sla-field",
    }
    assert World.of(store.log) == store.world
