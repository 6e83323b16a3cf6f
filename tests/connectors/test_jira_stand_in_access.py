"""Who gets into the Jira stand-in, by which door and how often: dead tokens, scopes, anonymous readers, write limits."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import requests

from connectors.jira.stand_in.app import CLOUD_ID
from connectors.sandbox.faults import Fault
from connectors.sandbox.projection import World
from tests.connectors.jira_rig import MAIL, TOKEN, Rig, ground, opened

SCOPES = ["read:jira-work", "write:jira-work", "read:jira-user"]


@pytest.fixture
def cloud() -> Iterator[Rig]:
    yield from opened(ground(), "jira-cloud", "3")


@pytest.fixture
def dc() -> Iterator[Rig]:
    yield from opened(ground(), "jira-dc", "2")


# ----------------------------------------------------------------------------------------------------- the account


def test_every_answer_names_the_account(cloud: Rig, dc: Rig) -> None:
    for path in ("myself", "issue/CAR-99", "search", "nothing-of-the-kind"):
        assert cloud.call("GET", path).headers["X-AAccountId"] == "bot-1"
        assert dc.call("GET", path).headers["X-AUSERNAME"] == "bot"
    refused = cloud.call("GET", "myself", token="wrong")
    assert (refused.status_code, refused.headers["X-AAccountId"]) == (401, "anonymous")
    assert refused.headers["X-Seraph-LoginReason"] == "AUTHENTICATED_FAILED"
    assert requests.get(f"{dc.root}/myself", timeout=10).headers["X-AUSERNAME"] == "anonymous"


def test_where_anybody_gets_in_a_dead_token_finds_nothing_without_a_word(cloud: Rig) -> None:
    cloud.store.allow_anonymous()
    body = {"jql": "project = CAR"}
    found = cloud.call("POST", "search/jql", token="dead", json=body)
    assert (found.status_code, found.json()) == (200, {"issues": [], "isLast": True})
    assert found.headers["X-AAccountId"] == "anonymous"
    assert cloud.call("POST", "search/approximate-count", token="dead", json=body).json() == {"count": 0}
    assert cloud.call("GET", "project", token="dead").json() == []
    assert [
        cloud.call(method, path, token="dead", json=said).status_code
        for method, path, said in (
            ("GET", "myself", None),
            ("GET", "issue/CAR-1", None),
            ("PUT", "issue/CAR-1", {"fields": {"labels": []}}),
            ("POST", "changelog/bulkfetch", {"issueIdsOrKeys": ["CAR-1"]}),
        )
    ] == [401, 404, 401, 200]
    assert len(cloud.call("POST", "search/jql", json=body).json()["issues"]) == 3
    assert World.of(cloud.store.log) == cloud.store.world


def test_data_center_tells_a_wrong_token_from_none(dc: Rig) -> None:
    dc.store.allow_anonymous()
    query = {"jql": "project = CAR"}
    assert dc.call("GET", "search", token="dead", params=query).status_code == 401
    nobody = requests.get(f"{dc.root}/search", params=query, timeout=10)
    assert (nobody.status_code, nobody.json()["issues"], nobody.json()["total"]) == (200, [], 0)
    assert requests.get(f"{dc.root}/myself", timeout=10).status_code == 401


# ------------------------------------------------------------------------------------------------ tokens with scopes


def through_gateway(rig: Rig, method: str, path: str, token: str, **options: Any) -> requests.Response:
    url = f"{rig.sandbox.url('jira-cloud')}/ex/jira/{CLOUD_ID}/rest/api/3/{path}"
    return requests.request(method, url, auth=(MAIL, token), timeout=10, **options)


def test_a_token_with_scopes_is_taken_at_the_gateway_alone(cloud: Rig) -> None:
    cloud.store.create_token("scoped", "bot-1", scopes=SCOPES)
    assert cloud.call("GET", "myself", token="scoped").status_code == 401
    site = cloud.sandbox.url("jira-cloud")
    assert requests.get(f"{site}/_edge/tenant_info", timeout=10).json() == {"cloudId": CLOUD_ID}
    assert through_gateway(cloud, "GET", "myself", "scoped").json()["accountId"] == "bot-1"
    info = through_gateway(cloud, "GET", "serverInfo", "scoped").json()
    assert (info["baseUrl"], info["deploymentType"]) == (site, "Cloud")
    issue = through_gateway(cloud, "GET", "issue/CAR-1", "scoped").json()
    assert issue["self"].startswith(f"{site}/ex/jira/{CLOUD_ID}/rest/api/3/")
    assert through_gateway(cloud, "GET", "myself", TOKEN).status_code == 200
    assert through_gateway(cloud, "GET", "myself", "dead").json() == {"code": 401, "message": "Unauthorized"}
    other = f"{site}/ex/jira/another-cloud/rest/api/3/myself"
    assert requests.get(other, auth=(MAIL, "scoped"), timeout=10).status_code == 404


def test_a_scope_that_is_missing_is_told(cloud: Rig) -> None:
    cloud.store.create_token("reader", "bot-1", scopes=["read:jira-work"])
    cloud.store.create_token("writer", "bot-1", scopes=SCOPES)
    edit = {"json": {"fields": {"labels": ["y"]}}}
    assert through_gateway(cloud, "GET", "issue/CAR-1", "reader").status_code == 200
    assert through_gateway(cloud, "POST", "search/jql", "reader", json={"jql": "project = CAR"}).status_code == 200
    refused = through_gateway(cloud, "PUT", "issue/CAR-1", "reader", **edit)
    assert (refused.status_code, refused.json()["message"]) == (401, "Unauthorized; scope does not match")
    assert through_gateway(cloud, "GET", "myself", "reader").status_code == 401
    assert through_gateway(cloud, "PUT", "issue/CAR-1", "writer", **edit).status_code == 204
    version = {"json": {"name": "2.0", "project": "CAR"}}
    assert through_gateway(cloud, "POST", "version", "writer", **version).status_code == 401


# ------------------------------------------------------------------------------------------------------------ limits


def test_an_issue_written_too_often_asks_for_patience(cloud: Rig) -> None:
    store = cloud.store
    assert store.write_limits == ((20, timedelta(seconds=2)), (100, timedelta(seconds=30)))
    store.write_limits = ((3, timedelta(seconds=60)),)
    body = {"update": {"labels": [{"add": "y"}]}}
    assert [cloud.call("PUT", "issue/CAR-1", json=body).status_code for _ in range(4)] == [204, 204, 204, 429]
    refused = cloud.call("PUT", "issue/CAR-1/properties/k", json=1)
    assert (refused.status_code, refused.headers["RateLimit-Reason"]) == (429, "jira-per-issue-on-write")
    assert refused.headers["X-RateLimit-Remaining"] == "0"
    assert cloud.call("PUT", "issue/CAR-2", json=body).status_code == 204
    assert cloud.call("GET", "issue/CAR-1").status_code == 200
    store.clock.advance(timedelta(seconds=int(refused.headers["Retry-After"])))
    assert cloud.call("PUT", "issue/CAR-1", json=body).status_code == 204


def test_the_limits_can_be_switched_off_and_data_center_has_none(cloud: Rig, dc: Rig) -> None:
    dc.store.write_limits = ((1, timedelta(hours=1)),)
    cloud.store.write_limits = ()
    body = {"fields": {"labels": ["y"]}}
    for rig in (cloud, dc):
        assert {rig.call("PUT", "issue/CAR-1", json=body).status_code for _ in range(3)} == {204}


def test_the_other_reasons_for_slowing_down_are_faults(cloud: Rig) -> None:
    for reason in ("jira-burst-based", "jira-quota-tenant-based"):
        cloud.store.faults.add(Fault("status", status=429, retry_after=1847, reason=reason))
        refused = cloud.call("GET", "myself")
        assert (refused.headers["RateLimit-Reason"], refused.headers["Retry-After"]) == (reason, "1847")
