"""Real tickets that went wrong elsewhere: the invariant of each category of the shared cases, as far as reading goes."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from connectors.jira.instants import instant
from connectors.jira.jql import quoted
from connectors.jira.mapping import Source, issue_of, word_of
from connectors.tracker import Unreadable
from policies.issue import Actor, GapKind, Issue, Opened, StatusChanged

pytestmark = pytest.mark.shared_data

SOURCE = Source("support", "https://jira.example", own="me")
STATUS = {"id": "6", "name": "Closed", "statusCategory": {"id": 3, "key": "done"}}
ELSEWHERE = {
    # Text as text: test_jira_mapping keeps it as it is, test_jira_documents and the writers neutralise it.
    "at_all", "cjk", "control_chars", "emoji", "js_uri", "js_uri_in_summary", "mention_tilde", "naughty_string",
    "onerror", "onerror_in_summary", "oversized", "path_traversal", "rtl", "script_tag", "script_tag_in_summary",
    "template", "template_in_summary", "unbalanced_code", "unbalanced_noformat", "xss_string", "zero_width_or_bidi",
    # People, labels, instants and words: test_jira_mapping.
    "inactive_user", "name_with_outer_space", "name_non_latin", "odd_label", "long_label", "labels_case_duplicates",
    "timestamp_shape", "localised_status",
    # The issues of these are not among the files; test_jira_mapping has small ones of its own.
    "history_same_instant", "history_move_Workflow", "history_status_chain_break",
    # Commit subjects: the patches' tests. Links of issues are not read.
    "odd_issue_reference", "many_links",
}  # fmt: skip

Case = dict[str, Any]


def cases(shared_data: Path) -> list[Case]:
    lines = (shared_data / "hostile.jsonl").read_bytes().splitlines()
    return [case for case in map(json.loads, lines) if case["tracker"] in {"jira", "both"}]


def payload(given: Case) -> Case:
    """A ticket of the cases as the API gives it."""
    listed = given.get("comment") if isinstance(given.get("comment"), dict) else {"list": [], "total": 0}
    assert isinstance(listed, dict)
    comments = [
        {"id": one["id"], "created": one["created"], "author": {"name": one["author"]} if one["author"] else None}
        for one in listed["list"]
    ]
    return {
        "id": "1",
        "key": given["key"],
        "fields": {
            "created": given.get("created", "2015-01-01T00:00:00.000+0000"),
            "updated": given.get("updated", "2025-01-01T00:00:00.000+0000"),
            "summary": given.get("summary"),
            "status": STATUS,
            "resolution": {"name": given["resolution"]} if given.get("resolution") else None,
            "priority": {"id": "9", "name": given["priority"]} if given.get("priority") else None,
            "creator": given.get("creator"),
            "reporter": given.get("reporter"),
            "labels": given.get("labels"),
            "fixVersions": [{"id": str(n), "name": name} for n, name in enumerate(given.get("fixVersions") or ())],
            "comment": {"comments": comments, "total": listed["total"]},
        },
        "changelog": {"histories": [], "total": 0},
    }


def mapped(given: Case) -> Issue:
    issue = issue_of(payload(given), SOURCE)
    assert isinstance(issue, Issue)
    return issue


def histories_of(shared_data: Path, category: str) -> list[tuple[Any, Case]]:
    """The inputs of a category, each with the real issue it names, as far as that issue is among the files."""
    lines = (shared_data / "jira" / "issues_with_changelog.jsonl").read_bytes().splitlines()
    issues = {issue["key"]: issue for issue in (json.loads(line)["issue"] for line in lines)}
    inputs = [case["input"] for case in cases(shared_data) if case["category"] == category]
    named = [(given, given if isinstance(given, str) else given[0]) for given in inputs]
    found = [(given, issues[key]) for given, key in named if key in issues]
    assert found
    return found


def with_creation(raw: Case) -> Case:
    """An issue that came without its fields, with the least of them."""
    least = {"created": "2010-01-01T00:00:00.000+0000", "comment": {"comments": [], "total": 0}}
    return raw if "fields" in raw else {**raw, "fields": least}


# ------------------------------------------------------------------------------------------ one function for a category


def closed_without_resolution(given: Case) -> None:
    issue = mapped(given)
    # Nothing says when it was closed, so no event does.
    assert issue.resolution == ""
    assert not [event for event in issue.events if isinstance(event, StatusChanged)]


def comment_author_null(given: Case) -> None:
    nobody = {one["id"] for one in given["comment"]["list"] if not one["author"]}
    assert nobody
    for comment in mapped(given).comments():
        assert (comment.actor.id == "") == (comment.comment in nobody)


def comment_before_issue_created(given: Case) -> None:
    issue = mapped(given)
    early = [comment for comment in issue.comments() if comment.at < issue.opened_at]
    assert early
    assert {comment.at for comment in early} <= {instant(one["created"]) for one in given["comment"]["list"]}
    assert issue.opened_at == instant(given["created"])


def comment_total_mismatch(given: Case) -> None:
    assert [gap.kind for gap in mapped(given).gaps] == [GapKind.COMMENTS]


def comments_same_timestamp(given: Case) -> None:
    found = [(comment.at, int(comment.comment)) for comment in mapped(given).comments()]
    assert found == sorted(found)
    assert len({at for at, _ in found}) < len(found)


def fixversion_many(given: Case) -> None:
    assert mapped(given).fix_versions == tuple(given["fixVersions"])


def login_with_space(given: Case) -> None:
    user = given["user"]["value"]
    issue = mapped({**given, "reporter": user})
    assert issue.reporter.id == user["name"]
    assert quoted(user["name"]) == f'"{user["name"]}"'


def no_priority(given: Case) -> None:
    assert mapped(given).priority is None


def no_summary(given: Case) -> None:
    assert mapped(given).title == ""


def null_creator(given: Case) -> None:
    issue = mapped(given)
    assert issue.reporter == Actor(id="")
    assert issue.events[0].actor.id == "" or issue.events[0].kind == "commented"


def resolved_same_second(given: Case) -> None:
    issue = mapped(given)
    first = next(event for event in issue.events if event.at == issue.opened_at)
    assert isinstance(first, Opened), "in the instant of its creation, the opening comes first"


def status_category(given: Case) -> None:
    by_id = {1: "undefined", 2: "new", 3: "done", 4: "indeterminate"}
    category = {"id": given["id"], "key": given["key"], "name": given["name"]}
    group = word_of({"id": "1", "name": "x", "statusCategory": category}).group
    # A key that is one of Jira's is believed, whatever its id says.
    assert group == (given["key"] if given["key"] in by_id.values() else by_id[given["id"]])


def as_it_stands(given: Case) -> None:
    assert mapped(given).title == given["summary"]
    assert json.loads(json.dumps(mapped(given).title)) == given["summary"]


OF_A_TICKET: Mapping[str, Callable[[Case], None]] = {
    function.__name__: function
    for function in (
        closed_without_resolution, comment_author_null, comment_before_issue_created, comment_total_mismatch,
        comments_same_timestamp, fixversion_many, login_with_space, no_priority, no_summary, null_creator,
        resolved_same_second, status_category,
    )
} | dict.fromkeys(
    ("summary_entity", "summary_formula", "summary_html", "summary_markup", "summary_outer_space",
     "summary_quotes_backslash", "summary_tab_newline"),
    as_it_stands,
)  # fmt: skip


@pytest.mark.parametrize("category", OF_A_TICKET)
def test_a_category_of_tickets_keeps_its_invariant(shared_data: Path, category: str) -> None:
    found = [case for case in cases(shared_data) if case["category"] == category]
    assert found
    for case in found:
        OF_A_TICKET[category](case["input"])


# -------------------------------------------------------------------------------------------------------------- history


def test_without_the_instant_of_its_creation_an_issue_is_refused_in_words(shared_data: Path) -> None:
    for _, raw in histories_of(shared_data, "history_created_missing"):
        found = issue_of(raw, SOURCE)
        assert isinstance(found, Unreadable)
        assert found.reason


@pytest.mark.parametrize("category", ["history_order_asc", "history_order_desc"])
def test_a_history_in_either_order_is_replayed_by_time(shared_data: Path, category: str) -> None:
    for _, raw in histories_of(shared_data, category):
        turned = {**raw, "changelog": {**raw["changelog"], "histories": raw["changelog"]["histories"][::-1]}}
        issue = issue_of(raw, SOURCE)
        assert isinstance(issue, Issue)
        assert issue == issue_of(turned, SOURCE)
        assert [event.at for event in issue.events] == sorted(event.at for event in issue.events)


def test_a_change_without_author_is_nobodys(shared_data: Path) -> None:
    nobodys = 0
    for (_, entry), raw in histories_of(shared_data, "history_no_author"):
        issue = issue_of(with_creation(raw), SOURCE)
        assert isinstance(issue, Issue)
        changes = [event for event in issue.events if event.id.startswith(f"history:{entry}:")]
        assert {event.actor.id for event in changes} <= {""}
        nobodys += len(changes)
    assert nobodys


def test_a_cut_history_says_how_much_of_it_is_missing(shared_data: Path) -> None:
    for (_, total, delivered), raw in histories_of(shared_data, "history_truncated"):
        issue = issue_of(with_creation(raw), SOURCE)
        assert isinstance(issue, Issue)
        assert f"history entries not delivered: {total - delivered}" in {gap.detail for gap in issue.gaps}


# ------------------------------------------------------------------------------------------------------------ all of it


def test_every_category_is_held_to_its_invariant_somewhere(shared_data: Path) -> None:
    here = {
        "history_created_missing",
        "history_order_asc",
        "history_order_desc",
        "history_no_author",
        "history_truncated",
    }
    assert {case["category"] for case in cases(shared_data)} == OF_A_TICKET.keys() | ELSEWHERE | here


def test_the_other_files_of_real_issues_are_read_without_a_crash(shared_data: Path) -> None:
    lines = (shared_data / "jira" / "issues_without_changelog.jsonl").read_bytes().splitlines()
    rows = [row.get("issue", row) for row in map(json.loads, lines)]
    assert rows
    for row in rows:
        one = issue_of(row, SOURCE)
        told = isinstance(one, Issue) and GapKind.HISTORY in {gap.kind for gap in one.gaps}
        # A history that did not come is told, and not taken for an empty one.
        assert isinstance(one, Unreadable) or told or row.get("changelog"), row["key"]
    metadata = json.loads((shared_data / "jira" / "site_metadata_zh.json").read_text(encoding="utf-8"))
    words = [word_of(entry) for entries in metadata.values() if isinstance(entries, list) for entry in entries]
    assert any(not word.name.isascii() for word in words)
