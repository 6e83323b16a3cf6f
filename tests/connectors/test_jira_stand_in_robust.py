"""The Jira stand-in under nonsense and under several hands at once."""

from __future__ import annotations

import threading
from random import Random
from typing import Any

import pytest
import requests

from connectors.jira.stand_in import app as stand_in
from connectors.sandbox.projection import World
from connectors.sandbox.server import Sandbox
from tests.connectors.jira_rig import DIALECTS, MAIL, TOKEN, adf, ground

LEAVES: tuple[Any, ...] = (
    None, 1, -1, 10**30, 1.5, True, "", "x", "CAR", "CAR-1", "21", "2026-12-01", "project = CAR", "labels in (",
    [], ["x"], [None], [1], [{}], {}, {"id": "1"}, {"id": None}, {"name": "x"}, {"key": "CAR-2"}, {"accountId": "li-1"},
    adf("x"), {"type": "doc", "version": 1, "content": [{"type": "heading", "content": [None]}]},
    [{"add": "a b"}], [{"add": {"body": "x"}}], [{"edit": {"id": 1, "body": adf("x")}}], [{"key": "k", "value": 1}],
)  # fmt: skip
FIELDS = (
    "summary", "labels", "priority", "assignee", "duedate", "fixVersions", "components", "issuetype", "description",
    "reporter", "customfield_1", "comment", "issuelinks", "resolution", "environment", "project", "status",
)  # fmt: skip
MEMBERS = (
    "fields", "update", "properties", "transition", "body", "visibility", "jql", "maxResults", "nextPageToken",
    "expand", "issueIdsOrKeys", "fieldIds", "ids", "changelogIds", "globalId", "object", "type", "inwardIssue",
    "outwardIssue", "comment", "name", "project", "releaseDate", "released", "accountId", "startAt", "historyMetadata",
    "reconcileIssues", "moveUnfixedIssuesTo",
)  # fmt: skip
QUERIES = (
    "startAt",
    "maxResults",
    "fields",
    "expand",
    "orderBy",
    "jql",
    "accountId",
    "permissions",
    "globalId",
    "notifyUsers",
    "reconcileIssues",
    "returnIssue",
)
VALUES = ("", "-1", "x", "9" * 21, "*all", "-summary", "changelog", "summary,,labels", "true", "project = CAR", "\x00")


class Nonsense:
    """Requests that are nearly right, from a seed."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)  # noqa: S311 - nonsense that comes again, not a secret

    def value(self, depth: int = 0) -> Any:
        if depth < 3 and self.random.random() < 0.3:
            names = (*MEMBERS, *FIELDS, "id", "key", "url", "title", "add", "set", "remove")
            return {self.random.choice(names): self.value(depth + 1) for _ in range(self.random.randint(0, 3))}
        return self.random.choice(LEAVES)

    def body(self, endpoint: str) -> Any:
        if self.random.random() < 0.05:
            return self.value()
        body = {self.random.choice(MEMBERS): self.value() for _ in range(self.random.randint(0, 2))}
        if endpoint in {"edit_issue", "create_issue", "transition"}:
            verbs = ("add", "set", "remove", "edit", "copy")
            body = {
                "fields": {self.random.choice(FIELDS): self.value(1) for _ in range(3)},
                "update": {self.random.choice(FIELDS): [{self.random.choice(verbs): self.value(2)}]},
            }
            if self.random.random() < 0.2:
                body[self.random.choice(["historyMetadata", "properties"])] = self.value(1)
            if endpoint == "create_issue":
                body["fields"] |= {"project": {"key": "CAR"}, "issuetype": {"name": "缺陷"}, "summary": "s"}
            if endpoint == "transition":
                body["transition"] = {"id": "21"}
        if endpoint in {"edit", "transition"} and self.random.random() < 0.5:
            body = self.bulk(endpoint)
        return body

    def bulk(self, endpoint: str) -> dict[str, Any]:
        option = self.random.choice(["ADD", "REMOVE", "REPLACE", "REMOVE_ALL", "x", None])
        label = {"fieldId": "labels", "bulkEditMultiSelectFieldOption": option, "labels": [{"name": self.value(3)}]}
        named = {"fieldId": self.random.choice(FIELDS), "user": self.value(2), "date": {"formattedDate": self.value(3)}}
        kinds = ("datePickerFields", "singleSelectClearableUserPickerFields", "labelsFields", "richTextFields")
        edited = {
            self.random.choice(kinds): [named],
            "labelsFields": [label],
            "priority": {"priorityId": self.value(3)},
        }
        issues = ["CAR-1", "10002", "NOPE"]
        if endpoint == "transition":
            chosen = {"selectedIssueIdsOrKeys": issues, "transitionId": self.random.choice(["21", "x", None])}
            return {"bulkTransitionInputs": [chosen, self.value(2)][: self.random.randint(1, 2)]}
        actions = [self.random.choice(FIELDS), "labels", "priority"][self.random.randint(0, 1) :]
        return {"selectedIssueIdsOrKeys": issues, "selectedActions": actions, "editedFieldsInput": edited}

    def query(self) -> dict[str, str]:
        return {self.random.choice(QUERIES): self.random.choice(VALUES) for _ in range(self.random.randint(0, 2))}

    def path(self, template: str) -> str:
        key = self.random.choice(["CAR-1", "CAR-2", "CAR", "10001", "NOPE"])
        number = self.random.choice(["1", "20001", "40001", "x"])
        return (
            template.replace("{key}", key).replace("{id}", number).replace("{property}", "k").replace("{task}", "10000")
        )


@pytest.mark.parametrize(("mount", "api"), DIALECTS, ids=str)
def test_no_request_makes_it_fall_over(mount: str, api: str) -> None:
    nonsense = Nonsense(seed=7)
    endpoints = {**stand_in.BOTH, **(stand_in.CLOUD if mount == "jira-cloud" else stand_in.DATA_CENTER)}
    store = ground()
    with Sandbox(store) as sandbox, requests.Session() as client:
        client.auth = (MAIL if mount == "jira-cloud" else "bot", TOKEN)
        for _ in range(400):
            method, template = nonsense.random.choice(list(endpoints))
            body = None if method in {"GET", "DELETE"} else nonsense.body(endpoints[method, template].__name__)
            url = f"{sandbox.url(mount)}/rest/api/{api}/{nonsense.path(template)}"
            answer = client.request(method, url, params=nonsense.query(), json=body, timeout=10)
            assert answer.status_code < 500, (method, url, body, answer.text)
    assert World.of(store.log) == store.world


def test_several_hands_at_once_lose_nothing() -> None:
    store = ground()
    failures: list[str] = []

    def write(url: str, hand: int) -> None:
        with requests.Session() as client:
            client.auth = (MAIL, TOKEN)
            for number in range(15):
                body = {"update": {"labels": [{"add": f"l{hand}-{number}"}]}}
                answers = (
                    client.put(f"{url}/CAR-1", json=body, timeout=20),
                    client.post(f"{url}/CAR-1/comment", json={"body": f"{hand}-{number}"}, timeout=20),
                )
                failures.extend(answer.text for answer in answers if not answer.ok)

    with Sandbox(store) as sandbox:
        url = f"{sandbox.url('jira-cloud')}/rest/api/2/issue"
        hands = [threading.Thread(target=write, args=(url, hand)) for hand in range(4)]
        for hand in hands:
            hand.start()
        for number in range(60):  # and one from within, as a scenario would
            store.comment("CAR-2", f"inside {number}", actor="li-1")
        for hand in hands:
            hand.join()
    assert failures == []
    issue = store.issues["10001"]
    assert len(issue.labels) == 61
    assert len(issue.comments) == 60
    assert len({comment.id for comment in issue.comments}) == 60
    assert [entry.seq for entry in store.log] == list(range(1, len(store.log) + 1))
    assert World.of(store.log) == store.world
