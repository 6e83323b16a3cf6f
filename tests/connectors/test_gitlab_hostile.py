"""Malformed and hostile inputs, read as a GitLab gives them: each category keeps its invariant, by both APIs."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import responses
from pydantic import SecretStr

from connectors.gitlab.client import AlreadyThere, GitLabClient
from connectors.gitlab.mapping import Names, RestHistory, rest_issue, work_item
from connectors.gitlab.payload import Malformed, instant
from connectors.retry import Kind, Retry
from connectors.tracker import Connection, NotFound, TrackerError
from policies.issue import Issue

URL = "https://gl.example"
PROJECT = "acme/car"
BOB = {"id": 2, "username": "bob", "name": "Bob"}
PAYLOAD: dict[str, Any] = {
    "id": 71, "iid": 7, "title": "Pump leaks", "state": "opened", "created_at": "2026-03-02T09:00:00Z",
    "updated_at": "2026-03-02T09:00:00Z", "author": {"id": 1, "username": "alice"},
}  # fmt: skip
AT = "2026-03-02T09:10:00Z"


def rest(given: dict[str, Any], *notes: dict[str, Any]) -> Issue:
    return rest_issue({**PAYLOAD, **given}, RestHistory(notes=notes), "gl", PROJECT)


def graphql(text: str) -> Issue:
    """An issue that says one thing everywhere, as GraphQL gives it."""
    labels = {"type": "LABELS", "labels": {"nodes": [{"id": "gid://gitlab/ProjectLabel/1", "title": text}]}}
    node = {
        "id": "gid://gitlab/WorkItem/71", "iid": "7", "title": text, "description": text, "state": "OPEN",
        "createdAt": "2026-03-02T09:00:00Z", "updatedAt": "2026-03-02T09:00:00Z", "author": {"username": text},
        "workItemType": {"name": text}, "widgets": [labels],
    }  # fmt: skip
    said = {"id": "gid://gitlab/Note/1", "body": text, "system": False, "createdAt": AT, "author": {"username": "bob"}}
    actions = ("", "label", "milestone", "assignee", "due_date", "moved", "duplicate", "issue_type", "closed")
    system = [
        {**said, "id": f"gid://gitlab/Note/{n}", "system": True, "systemNoteMetadata": {"action": action}}
        for n, action in enumerate(actions, start=2)
    ]
    return work_item(node, [said, *system], Names(), "gl", PROJECT)


# -------------------------------------------------------------------------------------------------------- invariants


def text_survives(text: str) -> None:
    """Title, description, label and comment hold it to the letter, and it is never taken for what the server says."""
    note = {"id": 1, "body": text, "author": BOB, "created_at": AT, "system": False}
    given = {"title": text, "description": text, "labels": [text]}
    for issue in (rest(given, note), graphql(text)):
        assert (issue.title, issue.description) == (text, text)
        assert [comment.text for comment in issue.comments()] == [text]
        assert issue.labels == ({text} if text else set())
    by_rest = rest(given, note)
    assert [event.kind for event in by_rest.events] == ["opened", "commented"]


def nobody_wrote_it(given: dict[str, Any]) -> None:
    assert rest(given).reporter.id == ""


def closing_is_not_made_up(given: dict[str, Any]) -> None:
    issue = rest({**given, "closed_at": None})
    assert issue.status.id == "closed"
    assert [event.kind for event in issue.events] == ["opened"]
    assert any("does not say when" in gap.detail for gap in issue.gaps)


def closing_is_told_by_its_event(given: dict[str, Any]) -> None:
    state = {"state": "closed", "created_at": "2020-01-01T00:00:00Z", "user": BOB}
    issue = rest_issue({**PAYLOAD, **given, "closed_at": None}, RestHistory(states=(state,)), "gl", PROJECT)
    assert [event.kind for event in issue.events if event.at.year == 2020] == ["status_changed"]
    assert issue.gaps == ()


def labels_stay_apart(given: dict[str, Any]) -> None:
    assert rest(given).labels == set(given["labels"]) - {""}


def moved_is_no_resolution_of_its_own(given: dict[str, Any]) -> None:
    assert rest(given).resolution == "moved"


def a_system_note_is_no_response(given: dict[str, Any]) -> None:
    issue = rest({}, {"author": BOB, **given})
    assert issue.comments() == ()
    turned = [event.kind for event in issue.events if event.kind == "status_changed"]
    assert turned == (["status_changed"] if given["body"] == "closed" else [])


def an_instant_is_utc_or_none(text: str, expected: str | None) -> None:
    if expected is None:
        with pytest.raises(Malformed):
            instant(text)
        issue = rest({}, {"id": 1, "body": "x", "created_at": text, "author": BOB, "system": False})
        assert issue.comments() == ()
        assert len(issue.gaps) == 1
        return
    assert instant(text) == datetime.fromisoformat(expected).astimezone(UTC).replace(microsecond=0)


def a_refusal_is_named(given: dict[str, Any]) -> None:
    client = GitLabClient(Connection(name="gl", url=URL, token=SecretStr("token-of-nobody")), retry=Retry(attempts=1))
    path = "projects/9/issues/7/notes"
    headers = {name: value for name, value in given.get("headers", {}).items() if name != "Content-Type"}
    with responses.RequestsMock() as mock:
        mock.post(f"{URL}/api/v4/{path}", json=given["body"], status=given["status"], headers=headers)
        if given["status"] < 400:
            client.rest("POST", path, doing="write", kind=Kind.CREATE)
            return
        with pytest.raises(TrackerError) as caught:
            client.rest("POST", path, doing="write", kind=Kind.CREATE)
    assert isinstance(caught.value, {404: NotFound, 409: AlreadyThere}.get(given["status"], TrackerError))
    assert "\n" not in str(caught.value)
    message = given["body"].get("message") if isinstance(given["body"], dict) else None
    if isinstance(message, str):
        assert " ".join(message.split())[:250] in str(caught.value)


def _checks(category: str, record: dict[str, Any]) -> Iterator[Callable[[], None]]:
    given = record["input"]
    match category:
        case "naughty_string" | "xss_string":
            yield lambda: text_survives(given["text"])
        case "quick_action":
            yield lambda: text_survives(given["line"])
        case "author_missing":
            yield lambda: nobody_wrote_it(given)
        case "closed_without_closed_at":
            yield lambda: closing_is_not_made_up(given)
            yield lambda: closing_is_told_by_its_event(given)
        case "gitlab_label":
            yield lambda: labels_stay_apart(given)
        case "moved_issue":
            yield lambda: moved_is_no_resolution_of_its_own(given)
        case "system_note":
            yield lambda: a_system_note_is_no_response(given)
        case "timestamp_shape":
            yield lambda: an_instant_is_utc_or_none(given["text"], record.get("expected_utc"))
        case "http_error":
            yield lambda: a_refusal_is_named(given)


CATEGORIES = (
    "author_missing", "closed_without_closed_at", "gitlab_label", "http_error", "moved_issue", "naughty_string",
    "quick_action", "system_note", "timestamp_shape", "xss_string",
)  # fmt: skip


@pytest.fixture(scope="module")
def cases(shared_data: Path) -> list[dict[str, Any]]:
    every = [json.loads(line) for line in (shared_data / "hostile.jsonl").read_text("utf-8").split("\n") if line]
    return [record for record in every if record["tracker"] in {"gitlab", "both"}]


@pytest.mark.shared_data
@pytest.mark.parametrize("category", CATEGORIES)
def test_a_category_keeps_its_invariant(cases: list[dict[str, Any]], category: str) -> None:
    records = [record for record in cases if record["category"] == category]
    assert records
    for record in records:
        checks = list(_checks(category, record))
        assert checks
        for check in checks:
            try:
                check()
            except Exception as error:
                raise AssertionError(f"{record['id']}: {error!r}") from error


@pytest.mark.shared_data
def test_no_category_is_left_out(cases: list[dict[str, Any]]) -> None:
    assert set(Counter(record["category"] for record in cases)) == set(CATEGORIES)
