"""The Jira stand-in noun by noun: what each endpoint gives, and how it says no."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from connectors.jira.stand_in.text import as_document, as_wiki, fault_in
from connectors.sandbox.projection import World
from tests.connectors.jira_rig import DIALECTS, MAIL, READ_ONLY, TOKEN, Rig, adf, ground, opened


@pytest.fixture(params=DIALECTS[1:], ids=lambda one: one[0])
def rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    """API 2 in both dialects: texts are strings."""
    yield from opened(ground(), *request.param)


@pytest.fixture
def cloud() -> Iterator[Rig]:
    yield from opened(ground(), "jira-cloud", "3")


def statuses(rig: Rig, *calls: tuple[str, str, Any]) -> list[int]:
    return [rig.call(method, path, json=body).status_code for method, path, body in calls]


def test_remote_links_are_upserted_read_and_removed(rig: Rig) -> None:
    link = {"globalId": "g=1", "relationship": "patch", "object": {"url": "https://example.test", "title": "one"}}
    path = "issue/CAR-1/remotelink"
    first, second = (rig.call("POST", path, json=link) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json()["id"] == second.json()["id"]
    bare = {"globalId": "g=1", "object": {"url": "https://example.test", "title": "two"}}
    rig.call("POST", path, json=bare)
    (shown,) = rig.call("GET", path).json()
    assert (shown["object"]["title"], "relationship" in shown) == ("two", False)
    assert rig.call("GET", f"{path}?globalId=g%3D1").json()["id"] == shown["id"]
    assert rig.call("GET", f"{path}/{shown['id']}").json() == shown
    assert statuses(
        rig,
        ("POST", path, {"object": {"url": "https://example.test"}}),
        ("POST", path, {"globalId": "x" * 256, "object": {"url": "https://example.test", "title": "t"}}),
        ("DELETE", path, None),
        ("DELETE", f"{path}?globalId=g%3D2", None),
        ("DELETE", f"{path}?globalId=g%3D1", None),
        ("GET", f"{path}?globalId=g%3D1", None),
    ) == [400, 400, 400, 404, 204, 404]  # fmt: skip
    named = [item for entry in rig.store.issues["10001"].history for item in entry.items]
    assert [item.field for item in named] == ["web_link"] * 4


def test_issue_links_are_made_once_from_source_to_target_and_removed(rig: Rig) -> None:
    body = {"type": {"name": "Blocks"}, "inwardIssue": {"key": "CAR-1"}, "outwardIssue": {"key": "CAR-2"}}
    assert statuses(rig, ("POST", "issueLink", body), ("POST", "issueLink", {**body, "comment": {"body": "why"}})) == [
        201,
        201,
    ]
    (link,) = rig.call("GET", "issue/CAR-1?fields=issuelinks").json()["fields"]["issuelinks"]
    assert (link["type"]["outward"], link["outwardIssue"]["key"]) == ("blocks", "CAR-2")
    assert len(rig.jira.comments("CAR-1")) == 1
    assert statuses(
        rig,
        ("POST", "issueLink", {**body, "type": {"name": "Nope"}}),
        ("POST", "issueLink", {**body, "outwardIssue": {"key": "CAR-99"}}),
        ("POST", "issueLink", {"type": {"name": "Blocks"}}),
        ("POST", "issueLink", {**body, "outwardIssue": {"key": "CAR-1"}}),
        ("DELETE", "issueLink/999", None),
        ("DELETE", f"issueLink/{link['id']}", None),
    ) == [404, 404, 400, 400, 404, 204]  # fmt: skip
    assert rig.store.issues["10001"].links == []
    texts = [
        item["toString"] or item["fromString"]
        for entry in rig.jira.issue("CAR-2", expand="changelog").raw["changelog"]["histories"]
        for item in entry["items"]
    ]
    assert texts == ["This issue is blocked by CAR-1"] * 2
    assert World.of(rig.store.log) == rig.store.world


def test_versions_are_made_changed_and_unique(rig: Rig) -> None:
    made = rig.call(
        "POST", "version", json={"name": "2.0", "project": "CAR", "description": "d", "releaseDate": "2026-12-01"}
    )
    assert (made.status_code, made.json()["released"], made.json()["releaseDate"]) == (201, False, "2026-12-01")
    path = f"version/{made.json()['id']}"
    assert rig.call("PUT", path, json={"released": True}).json()["released"] is True
    assert rig.call("GET", path).json()["description"] == "d"
    assert statuses(
        rig,
        ("POST", "version", {"name": "2.0", "project": "CAR"}),
        ("POST", "version", {"name": "3.0", "project": "NOPE"}),
        ("POST", "version", {"name": "3.0", "project": "CAR", "releaseDate": "01.12.2026"}),
        ("PUT", path, {"name": "1.0"}),
        ("PUT", "version/1", {"name": "x"}),
        ("GET", "version/1", None),
    ) == [400, 404, 400, 400, 404, 404]  # fmt: skip
    assert rig.call("POST", "version", token=READ_ONLY, json={"name": "4", "project": "CAR"}).status_code == 403


def test_properties_are_set_listed_and_removed(rig: Rig) -> None:
    path = "issue/CAR-1/properties/warranty.state"
    assert statuses(
        rig,
        ("GET", path, None),
        ("PUT", path, {"v": 1}),
        ("PUT", path, {"v": 2}),
        ("PUT", path, "x" * 40000),
        ("PUT", f"issue/CAR-1/properties/{'k' * 256}", 1),
        ("DELETE", "issue/CAR-1/properties/none", None),
    ) == [404, 201, 200, 400, 400, 404]  # fmt: skip
    assert rig.call("GET", path).json() == {"key": "warranty.state", "value": {"v": 2}}
    assert [one["key"] for one in rig.call("GET", "issue/CAR-1/properties").json()["keys"]] == ["warranty.state"]
    assert rig.call("GET", "issue/CAR-1?properties=warranty.state").json()["properties"] == {"warranty.state": {"v": 2}}
    assert statuses(rig, ("DELETE", path, None), ("GET", path, None)) == [204, 404]


def test_people_are_found_by_what_the_dialect_calls_them(rig: Rig) -> None:
    cloud = rig.mount == "jira-cloud"
    name, li = ("accountId", "li-1") if cloud else ("username", "li")
    shown = rig.call("GET", f"user?{name}={li}").json()
    assert shown["displayName"] == "李伟"
    assert ("accountId" in shown, "name" in shown) == (cloud, not cloud)
    assert rig.call("GET", f"user?{name}=nobody").status_code == 404
    assert rig.call("GET", "user").status_code == 400
    query = "query" if cloud else "username"
    assert [one["displayName"] for one in rig.call("GET", f"user/search?{query}=li@acme").json()] == ["李伟"]
    body = {name if cloud else "name": li}
    assert statuses(
        rig,
        ("PUT", "issue/CAR-1/assignee", body),
        ("PUT", "issue/CAR-1/assignee", {"accountId": "x", "name": "x"}),
    ) == [204, 400]  # fmt: skip
    assert rig.jira.issue("CAR-1").raw["fields"]["assignee"]["displayName"] == "李伟"


def test_kinds_of_account_are_told_apart_on_cloud(cloud: Rig) -> None:
    kinds = {one["displayName"]: one["accountType"] for one in cloud.call("GET", "user/search?query=").json()}
    assert kinds == {"Bot": "app", "李伟": "atlassian", "Anna": "customer"}


def test_an_issue_is_created_whole_or_not_at_all(rig: Rig) -> None:
    fields = {"project": {"key": "CAR"}, "issuetype": {"name": "缺陷"}, "summary": "new", "labels": ["a"]}
    body = {"fields": fields, "update": {"issuelinks": []}, "properties": [{"key": "k", "value": 1}]}
    made = rig.call("POST", "issue", json=body)
    assert made.status_code == 201
    key = made.json()["key"]
    issue = rig.jira.issue(key)
    assert (issue.fields.labels, issue.fields.priority.name, issue.fields.status.name) == (["a"], "高", "待办")
    assert rig.call("GET", f"issue/{key}/properties/k").json()["value"] == 1
    entries = len(rig.store.log)
    for wrong in (
        {**fields, "project": {"key": "NOPE"}},
        {name: value for name, value in fields.items() if name != "project"},
        {**fields, "summary": ""},
        {**fields, "summary": "two\nlines"},
        {**fields, "issuetype": {"name": "Nope"}},
        {**fields, "labels": ["two words"]},
        {**fields, "parent": {"key": "CAR-1"}},
    ):
        answer = rig.call("POST", "issue", json={"fields": wrong})
        assert answer.status_code == 400
        assert answer.json()["errors"]
    assert rig.call("POST", "issue", token=READ_ONLY, json={"fields": fields}).status_code == 403
    assert len(rig.store.log) == entries


def test_transitions_lead_to_every_other_status(rig: Rig) -> None:
    offered = rig.call("GET", "issue/CAR-1/transitions").json()["transitions"]
    assert [(one["id"], one["to"]["name"]) for one in offered] == [("21", "处理中"), ("31", "已解决")]
    body = {
        "transition": {"id": "31"},
        "fields": {"resolution": {"name": "重复"}},
        "update": {"comment": [{"add": {"body": "same"}}]},
    }
    assert statuses(
        rig,
        ("POST", "issue/CAR-1/transitions", {"transition": {"id": "11"}}),
        ("POST", "issue/CAR-1/transitions", {}),
        ("POST", "issue/CAR-1/transitions", body),
    ) == [400, 400, 204]  # fmt: skip
    issue = rig.jira.issue("CAR-1")
    assert (issue.raw["fields"]["resolution"]["name"], issue.fields.comment.comments[0].body) == ("重复", "same")
    assert issue.raw["fields"]["resolutiondate"] == issue.fields.updated


def test_a_comment_of_somebody_else_is_the_administrators(rig: Rig) -> None:
    comment = rig.store.comment("CAR-1", "hers", actor="anna-1")
    rig.store.create_token("writer", "bot-1", permissions=["browse", "comment"])
    path = f"issue/CAR-1/comment/{comment}"
    assert rig.call("PUT", path, token="writer", json={"body": "mine"}).status_code == 403
    assert rig.call("PUT", path, json={"body": "mine"}).status_code == 200
    assert statuses(
        rig,
        ("PUT", "issue/CAR-1/comment/1", {"body": "x"}),
        ("GET", "issue/CAR-1/comment/1", None),
        ("DELETE", "issue/CAR-1/comment/1", None),
        ("DELETE", path, None),
    ) == [404, 404, 404, 204]  # fmt: skip


def test_internal_comments_are_marked_where_there_is_a_service_desk(cloud: Rig) -> None:
    note = {"body": adf("x"), "properties": [{"key": "sd.public.comment", "value": {"internal": True}}]}
    public = cloud.call("POST", "issue/CAR-1/comment", json={"body": adf("y")}).json()
    internal = cloud.call("POST", "issue/CAR-1/comment", json=note).json()
    assert (public["jsdPublic"], internal["jsdPublic"]) == (True, False)
    shown = cloud.call("GET", f"issue/CAR-1/comment/{internal['id']}?expand=properties").json()
    assert shown["properties"] == note["properties"]


def test_only_the_administrator_may_write_without_notifying(rig: Rig) -> None:
    rig.store.create_token("editor", "bot-1", permissions=["browse", "edit"])
    body = {"fields": {"labels": ["a"]}}
    path = "issue/CAR-1?notifyUsers=false"
    assert rig.call("PUT", path, token="editor", json=body).status_code == 403
    assert rig.call("PUT", path, json=body).status_code == 204
    assert rig.call("PUT", "issue/CAR-1?notifyUsers=0", json=body).status_code == 400


def test_what_it_does_not_know_it_does_not_pretend_to_know(rig: Rig) -> None:
    assert (
        statuses(rig, ("GET", "dashboard", None), ("PATCH", "issue/CAR-1", {}), ("DELETE", "issue/CAR-1", None))
        == [404] * 3
    )
    broken = requests.put(
        f"{rig.root}/issue/CAR-1", data="{", auth=(MAIL if rig.mount == "jira-cloud" else "bot", TOKEN), timeout=10
    )
    assert broken.status_code == 400


def test_a_log_in_needs_the_name_its_token_belongs_to(cloud: Rig) -> None:
    url = f"{cloud.root}/myself"
    for header in ("Basic !!!", "Digest x", "Bearer wrong", "Basic OnRva2Vu"):
        answer = requests.get(url, headers={"Authorization": header}, timeout=10)
        assert (answer.status_code, TOKEN in answer.text) == (401, False)
    assert requests.get(url, auth=("li@acme.test", TOKEN), timeout=10).status_code == 401
    answer = requests.get(url, auth=(MAIL, TOKEN), timeout=10)
    assert answer.headers["X-AAccountId"] == "bot-1"
    assert requests.get(f"{cloud.root}/serverInfo", timeout=10).json()["deploymentType"] == "Cloud"


def test_counts_and_pages_of_projects_and_histories_on_cloud(cloud: Rig) -> None:
    assert cloud.call("POST", "search/approximate-count", json={"jql": "project = CAR"}).json() == {"count": 3}
    assert cloud.call("POST", "search/approximate-count", json={"jql": "ORDER BY key"}).status_code == 400
    page = cloud.call("GET", "project/search?startAt=1&maxResults=1").json()
    assert ([one["key"] for one in page["values"]], page["total"], page["isLast"]) == (["OTHER"], 2, True)
    for number in range(5):
        cloud.store.edit("CAR-1", {"title": f"title {number}"}, actor="li-1")
    page = cloud.call("GET", "issue/CAR-1/changelog?startAt=3&maxResults=1").json()
    assert (page["total"], page["isLast"], page["values"][0]["items"][0]["toString"]) == (5, False, "title 3")
    picked = cloud.call(
        "POST", "issue/CAR-1/changelog/list", json={"changelogIds": [int(page["values"][0]["id"])]}
    ).json()
    assert picked["histories"] == page["values"]
    assert cloud.call("GET", "mypermissions").status_code == 400
    assert cloud.call("GET", "mypermissions?permissions=NOPE").status_code == 400


# ------------------------------------------------------------------------------------------------------------- texts


def node(kind: str, *content: dict[str, Any], **attrs: Any) -> dict[str, Any]:
    return {"type": kind, "content": list(content)} | ({"attrs": attrs} if attrs else {})


def text(words: str, *marks: dict[str, Any]) -> dict[str, Any]:
    return {"type": "text", "text": words} | ({"marks": list(marks)} if marks else {})


def doc(*content: dict[str, Any]) -> dict[str, Any]:
    return {**node("doc", *content), "version": 1}


def test_a_document_reads_as_wiki_markup() -> None:
    link = {"type": "link", "attrs": {"href": "https://example.test"}}
    cell = node("paragraph", text("c"))
    document = doc(
        node("heading", text("Title"), level=3),
        node("paragraph", text("b", {"type": "strong"}), text(" "), text("site", link), text("x", {"type": "code"})),
        node(
            "bulletList",
            node("listItem", node("paragraph", text("one"))),
            node("listItem", node("paragraph", text("two"))),
        ),
        node("table", node("tableRow", node("tableHeader", cell)), node("tableRow", node("tableCell", cell))),
    )
    assert fault_in(document) == ""
    assert as_wiki(document) == "h3. Title\n\n*b* [site|https://example.test]{{x}}\n\n* one\n* two\n\n||c||\n|c|"


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"type": "doc", "version": 2, "content": []}, "version 1"),
        (doc(text("x")), "doc cannot hold text"),
        (doc(node("paragraph", text(""))), "empty text node"),
        (doc(node("bulletList")), "bulletList is empty"),
        (doc(node("table", node("tableRow", node("tableCell", text("x"))))), "tableCell cannot hold text"),
        (doc(node("heading", text("x"))), "level"),
        (doc(node("paragraph", text("x", {"type": "blink"}))), "unknown marks"),
        (doc(node("paragraph", text("x", {"type": "code"}, {"type": "strong"}))), "code goes with no mark"),
        (doc(node("paragraph", text("x", {"type": "link"}))), "link without href"),
    ],
)
def test_a_document_that_jira_would_refuse_is_refused(document: dict[str, Any], said: str) -> None:
    assert said in fault_in(document)


def test_wiki_markup_reads_as_paragraphs_that_jira_would_take() -> None:
    document = as_document("one\r\ntwo\n\n\n*three*\n")
    assert fault_in(document) == ""
    assert as_wiki(document) == "one\ntwo\n\n*three*"
