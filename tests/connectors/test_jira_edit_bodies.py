"""The bodies of edits, word for word as Jira Cloud and Data Center get them, and what follows from odd refusals."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Any

import pytest
import responses
from pydantic import SecretStr

from connectors.jira.tracker import JiraWriter
from connectors.retry import Retry
from connectors.tracker import (
    Connection,
)
from connectors.work import Work, Worked
from policies.changes import Change, Relabel, SetAssignee, SetDueDate, SetPriority, UpsertComment, UpsertLink
from policies.issue import Actor, Issue, IssueRef, Word
from tests.connectors.jira_place import note

LINK = UpsertLink("warranty:1.4", "https://git.example/r/1.4", "Release 1.4", "patch release", "patch")
DUE = SetDueDate(date(2026, 5, 1))
AT_RISK = Relabel(add=("sla-at-risk",), remove=("sla-ok",))


SITE = "https://jira.example"
SCREEN = {
    "labels": {"operations": ["add", "set", "remove"]},
    "priority": {"operations": ["set"], "allowedValues": [{"id": "1", "name": "High"}, {"id": "2", "name": "Low"}]},
    "duedate": {"operations": ["set"]},
    "assignee": {"operations": ["set"]},
    "comment": {"operations": ["add", "edit", "remove"]},
}
ISSUE = Issue(
    ref=IssueRef("support", "CAR", "CAR-1", "10001"),
    title="Pump leaks",
    description="",
    type=Word("10", "Bug"),
    status=Word("1", "Open", "new"),
    reporter=Actor("ann"),
    opened_at=datetime(2026, 1, 5, 8, 0, tzinfo=UTC),
    updated_at=datetime(2026, 1, 5, 8, 0, tzinfo=UTC),
    priority=Word("2", "Low"),
    labels=frozenset({"sla-ok"}),
)
OURS = {"type": "warranty-flows", "generator": {"id": "warranty-flows", "type": "connector"}}


def _edited(mock: responses.RequestsMock, kind: str, changes: tuple[Change, ...], *, standing: bool) -> Any:
    """The edit that is sent, as (address, body)."""
    assert _worked(mock, kind, changes, standing=standing).failure is None
    (call,) = [one for one in mock.calls if one.request.method == "PUT"]
    return call.request.url, json.loads(call.request.body or b"{}")


def _worked(
    mock: responses.RequestsMock,
    kind: str,
    changes: tuple[Change, ...],
    *,
    standing: bool,
    answer: dict[str, Any] | None = None,
    screen: Any = SCREEN,
) -> Worked:
    """The answer of a writer before a Jira that takes edits with ``answer``; ``standing``: our comment is there."""
    api = f"{SITE}/rest/api/{3 if kind == 'Cloud' else 2}"
    me = {"accountId": "me"} if kind == "Cloud" else {"name": "me"}
    old: Any = note("Fine").mark
    old = (
        {"type": "doc", "version": 1, "content": [{"type": "text", "text": str(old)}]} if kind == "Cloud" else str(old)
    )
    there = [{"id": "77", "author": me, "body": old, "created": "2026-01-05T09:00:00.000+0000"}] if standing else []
    mock.get(f"{SITE}/rest/api/2/serverInfo", json={"deploymentType": kind, "baseUrl": SITE})
    mock.get(f"{api}/myself", json={**me, "timeZone": "UTC"})
    mock.get(f"{api}/mypermissions", json={"permissions": {"ADMINISTER": {"havePermission": True}}})
    mock.get(f"{api}/issue/10001/editmeta", json={"fields": screen})
    mock.get(f"{api}/issue/10001/comment", json={"comments": there, "total": len(there)})
    mock.put(f"{api}/issue/10001", **(answer or {"status": 204}))
    connection = Connection(name="support", url=SITE, token=SecretStr("t"), user="u", requests_per_second=0)
    writer = JiraWriter(connection, retry=Retry(attempts=1))
    (worked,) = writer.perform([Work(ISSUE, changes)], ISSUE.opened_at)
    writer.close()
    return worked


FIVE: tuple[Change, ...] = (
    SetPriority("High"), DUE, SetAssignee("bob"), UpsertComment("sla", note("Due [2026]").document, internal=True), AT_RISK,
)  # fmt: skip


def test_the_edit_as_cloud_gets_it() -> None:
    with responses.RequestsMock() as mock:
        address, body = _edited(mock, "Cloud", FIVE, standing=False)
    assert address == f"{SITE}/rest/api/3/issue/10001?notifyUsers=false&returnIssue=true"
    mark = str(note("Due [2026]").mark)
    assert body == {
        "fields": {"priority": {"id": "1"}, "duedate": "2026-05-01", "assignee": {"accountId": "bob"}},
        "update": {
            "comment": [
                {
                    "add": {
                        "body": {
                            "type": "doc",
                            "version": 1,
                            "content": [
                                {"type": "paragraph", "content": [{"type": "text", "text": "Due [2026]"}]},
                                {
                                    "type": "paragraph",
                                    "content": [{"type": "text", "text": mark, "marks": [{"type": "code"}]}],
                                },
                            ],
                        },
                        "properties": [{"key": "sd.public.comment", "value": {"internal": True}}],
                    }
                }
            ],
            "labels": [{"add": "sla-at-risk"}, {"remove": "sla-ok"}],
        },
        "historyMetadata": OURS,
    }


def test_the_edit_as_data_center_gets_it() -> None:
    with responses.RequestsMock() as mock:
        address, body = _edited(mock, "Server", (*FIVE[1:4], AT_RISK), standing=True)
    assert address == f"{SITE}/rest/api/2/issue/10001?notifyUsers=false"
    mark = str(note("Due [2026]").mark)
    internal = [{"key": "sd.public.comment", "value": {"internal": True}}]
    text = f"Due \\[2026\\]\n\n{{{{{mark}}}}}"
    assert body == {
        "fields": {"duedate": "2026-05-01", "assignee": {"name": "bob"}},
        "update": {
            "comment": [{"edit": {"id": "77", "body": text, "properties": internal}}],
            "labels": [{"add": "sla-at-risk"}, {"remove": "sla-ok"}],
        },
        "historyMetadata": OURS,
    }


def test_a_due_date_is_cleared_with_null() -> None:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        _, body = _edited(mock, "Cloud", (SetDueDate(None),), standing=False)
    assert body == {"fields": {"duedate": None}, "historyMetadata": OURS}


def test_a_refusal_that_blames_another_field_is_told_as_it_stands() -> None:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        refusal = {"errorMessages": [], "errors": {"customfield_1": "Customer is required."}}
        worked = _worked(mock, "Cloud", (DUE, AT_RISK), standing=False, answer={"json": refusal, "status": 400})
        edits = [json.loads(one.request.body or b"{}") for one in mock.calls if one.request.method == "PUT"]
    assert [receipt.outcome.value for receipt in worked.receipts] == ["failed", "failed"]
    assert "customfield_1: Customer is required." in worked.receipts[1].error
    assert [sorted(edit) for edit in edits] == [
        ["fields", "historyMetadata", "update"], ["fields", "historyMetadata"], ["historyMetadata", "update"],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("screen", "outcomes"),
    [
        (None, ["performed", "performed"]),
        ({}, ["performed", "performed"]),
        ("x", ["performed", "performed"]),
        ({"labels": None, "priority": "x"}, ["performed", "performed"]),
        (
            {"labels": {"operations": "x"}, "priority": {"allowedValues": [None, {"name": "High"}, 7]}},
            ["performed"] * 2,
        ),
        ({"labels": {"operations": ["add"]}}, ["failed", "performed"]),
        ({"labels": {}, "priority": {"allowedValues": [{"id": "4", "name": "high"}]}}, ["performed", "performed"]),
        ({"labels": {}, "priority": {"allowedValues": [{"id": "4", "name": "Blocker"}]}}, ["failed", "performed"]),
    ],
)
def test_a_screen_of_any_shape_is_read_and_believed_as_far_as_it_goes(screen: Any, outcomes: list[str]) -> None:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.get(f"{SITE}/rest/api/3/priority", json=[{"id": "1", "name": "High"}])
        worked = _worked(mock, "Cloud", (SetPriority("High"), AT_RISK), standing=False, screen=screen)
    assert [receipt.outcome.value for receipt in worked.receipts] == outcomes
