"""Payloads become facts: small payloads of our own for each promise, then real ones for whatever nobody thought of."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import permutations
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.jira.instants import day, instant, literal
from connectors.jira.mapping import Source, comments_of, issue_of, release_of, word_of
from connectors.tracker import Unreadable
from policies.changes import Mark, UpsertComment
from policies.document import Document, Paragraph, Text
from policies.issue import (
    AssigneeChanged,
    DueDateChanged,
    FixVersionsChanged,
    GapKind,
    Issue,
    LabelsChanged,
    Moved,
    Role,
    StatusChanged,
    Word,
)

GROUPS = {"1": "new", "3": "indeterminate", "5": "done"}
SOURCE = Source("support", "https://jira.example", own="me", group=lambda status: GROUPS.get(status, ""))

OPEN = {"id": "1", "name": "Open", "statusCategory": {"id": 2, "key": "new"}}
DONE = {"id": "5", "name": "Done", "statusCategory": {"id": 3, "key": "done"}}


def person(name: str, **more: Any) -> dict[str, Any]:
    return {"accountId": name, "displayName": name.title(), "active": True, "accountType": "atlassian", **more}


def item(field: str, before: tuple[str | None, str | None], after: tuple[str | None, str | None]) -> dict[str, Any]:
    named = {"from": before[0], "fromString": before[1], "to": after[0], "toString": after[1]}
    return {"field": field, "fieldtype": "jira", **named}


def entry(number: str, at: str, *items: dict[str, Any], author: Any = None) -> dict[str, Any]:
    return {"id": number, "created": at, "author": author, "items": list(items)}


def comment(number: str, at: str, **more: Any) -> dict[str, Any]:
    return {"id": number, "created": at, "updated": at, "author": person("ann"), "body": "hello", **more}


def payload(
    *histories: dict[str, Any], comments: tuple[dict[str, Any], ...] = (), total: int | None = None, **fields: Any
) -> dict[str, Any]:
    return {
        "id": "10001",
        "key": "CAR-1",
        "fields": {
            "summary": "Engine stalls",
            "created": "2026-03-02T09:00:00.000+0100",
            "updated": "2026-03-05T09:00:00.000+0100",
            "status": OPEN,
            "issuetype": {"id": "7", "name": "Bug"},
            "project": {"id": "1", "key": "CAR"},
            "reporter": person("carl", accountType="customer"),
            "creator": person("ann"),
            "labels": ["b", "a"],
            "comment": {"comments": list(comments), "total": len(comments)},
            **fields,
        },
        "changelog": {"histories": list(histories), "total": len(histories) if total is None else total},
    }


def mapped(raw: Any) -> Issue:
    issue = issue_of(raw, SOURCE)
    assert isinstance(issue, Issue), issue
    return issue


T1, T2, T3 = "2026-03-03T09:00:00.000+0000", "2026-03-03T10:00:00.000+0000", "2026-03-03T11:00:00.000+0000"
TO_WORK = item("status", ("1", "Open"), ("3", "In Progress"))
TO_DONE = item("status", ("3", "In Progress"), ("5", "Done"))


# --------------------------------------------------------------------------------------------------------------- plain


def test_the_present_values_are_read() -> None:
    issue = mapped(
        payload(
            priority={"id": "2", "name": "High"},
            assignee=person("bob"),
            duedate="2026-04-01",
            components=[{"name": "brakes"}],
            fixVersions=[{"id": "9", "name": "1.4"}],
            resolution={"id": "1", "name": "Fixed"},
            security={"id": "1"},
        )
    )
    assert issue.ref.url == "https://jira.example/browse/CAR-1"
    assert (issue.ref.id, issue.ref.project, issue.title) == ("10001", "CAR", "Engine stalls")
    assert issue.opened_at == datetime(2026, 3, 2, 8, tzinfo=UTC)
    assert issue.status == Word("1", "Open", "new")
    assert issue.priority == Word("2", "High")
    assert issue.labels == {"a", "b"}
    assert issue.assignee is not None
    assert issue.assignee.id == "bob"
    assert (issue.due, issue.components, issue.fix_versions) == (date(2026, 4, 1), ("brakes",), ("1.4",))
    assert issue.resolution == "Fixed"
    assert issue.confidential
    assert issue.reporter.customer
    assert issue.gaps == ()
    assert [(event.id, event.actor.id) for event in issue.events] == [("opened", "ann")]


@pytest.mark.parametrize("name", ["priority", "assignee", "reporter", "creator", "resolution", "duedate", "summary"])
@pytest.mark.parametrize("missing", [None, "absent"])
def test_a_missing_piece_is_an_empty_value(name: str, missing: str | None) -> None:
    raw = payload()
    if missing:
        raw["fields"].pop(name, None)
    else:
        raw["fields"][name] = None
    assert mapped(raw).gaps == ()


def test_a_missing_status_is_a_gap() -> None:
    issue = mapped(payload(status=None))
    assert issue.status == Word("", "")
    assert [gap.kind for gap in issue.gaps] == [GapKind.HISTORY]


@pytest.mark.parametrize("raw", [None, [], "x", {}, {"key": "CAR-1"}, {"key": "CAR-1", "fields": None}])
def test_an_issue_without_fields_is_unreadable_with_a_reason(raw: Any) -> None:
    found = issue_of(raw, SOURCE)
    assert isinstance(found, Unreadable)
    assert "fields" in found.reason


@pytest.mark.parametrize(
    "created", [None, "2026-03-02", "2026-03-02T09:00:00", "12/Jun/20", "2021-02-30T01:01:01Z", {}]
)
def test_an_issue_without_the_instant_of_its_creation_is_unreadable(created: Any) -> None:
    found = issue_of(payload(created=created), SOURCE)
    assert isinstance(found, Unreadable)
    assert found.key == "CAR-1"
    assert "creation" in found.reason


# ------------------------------------------------------------------------------------------------------------- history


def test_every_change_has_an_event_with_a_stable_id() -> None:
    issue = mapped(
        payload(
            entry(
                "77",
                T1,
                TO_WORK,
                item("labels", (None, "a b"), (None, "b c")),
                item("assignee", ("bob", "Bob"), (None, None)),
                item("duedate", (None, None), ("2026-04-01", "2026-04-01 00:00:00.0")),
                item("Fix Version", (None, None), ("9", "1.4")),
                item("summary", (None, "x"), (None, "y")),
                author=person("bob"),
            ),
            status={**OPEN, "id": "3", "name": "In Progress"},
        )
    )
    by_id = {event.id: event for event in issue.events}
    status, labels = by_id["history:77:0"], by_id["history:77:1"]
    assert isinstance(status, StatusChanged)
    assert (status.before, status.after) == (Word("1", "Open", "new"), Word("3", "In Progress", "indeterminate"))
    assert isinstance(labels, LabelsChanged)
    assert (labels.added, labels.removed) == (("c",), ("a",))
    assignee, due, versions = by_id["history:77:2"], by_id["history:77:3"], by_id["history:77:4"]
    assert isinstance(assignee, AssigneeChanged)
    assert (assignee.before, assignee.after) == ("bob", None)
    assert isinstance(due, DueDateChanged)
    assert (due.before, due.after) == (None, date(2026, 4, 1))
    assert isinstance(versions, FixVersionsChanged)
    assert versions.added == ("1.4",)
    assert len(by_id) == 6


def test_history_in_any_order_and_twice_is_the_same_history() -> None:
    entries = [
        entry("99", T1, TO_WORK),
        entry("100", T1, TO_DONE),
        entry("101", T2, item("status", ("5", ""), ("1", ""))),
    ]
    straight = mapped(payload(*entries))
    assert [event.id for event in straight.events] == ["opened", "history:99:0", "history:100:0", "history:101:0"]
    assert straight.gaps == ()
    for mixed in permutations([*entries, entries[0]]):
        assert mapped(payload(*mixed)) == straight


def test_a_change_without_its_author_is_nobodys() -> None:
    issue = mapped(payload(entry("7", T1, item("labels", (None, ""), (None, "x")))))
    assert issue.events[-1].actor.id == ""


def test_a_custom_field_called_status_is_not_the_status() -> None:
    odd = {**item("status", ("1", "a"), ("2", "b")), "fieldtype": "custom"}
    assert len(mapped(payload(entry("7", T1, odd))).events) == 1


@pytest.mark.parametrize("named", [{}, {"fieldId": "issuekey"}, {"fieldId": "Key"}])
def test_a_move_is_one_event_with_both_keys(named: dict[str, str]) -> None:
    key = {**item("Key", (None, "OLD-9"), (None, "CAR-1")), **named}
    move = entry("7", T1, item("project", ("1", "Old"), ("2", "Car")), key)
    moved = mapped(payload(move)).events[-1]
    assert isinstance(moved, Moved)
    assert (moved.before, moved.after) == ("OLD-9", "CAR-1")


def test_data_centers_user_keys_become_login_names() -> None:
    bob = {"key": "JIRAUSER10100", "name": "bob", "displayName": "Bob"}
    change = entry("7", T1, item("assignee", (None, None), ("JIRAUSER10100", "Bob")), author=bob)
    event = mapped(payload(change, assignee=bob)).events[-1]
    assert isinstance(event, AssigneeChanged)
    assert event.after == "bob"
    assert event.actor.id == "bob"


def test_a_cut_history_is_a_named_gap() -> None:
    gaps = mapped(payload(entry("7", T1), total=2)).gaps
    assert [(gap.kind, gap.detail) for gap in gaps] == [
        (GapKind.HISTORY, "history entries not delivered: 1"),
    ]


@pytest.mark.parametrize("changelog", [None, {}, [], {"histories": None}])
def test_no_history_at_all_is_a_gap(changelog: Any) -> None:
    assert mapped({**payload(), "changelog": changelog}).gaps[0].kind is GapKind.HISTORY


@pytest.mark.parametrize("broken", [{"created": "yesterday"}, {"items": None}, {"created": None}])
def test_an_entry_that_can_not_be_placed_is_a_gap(broken: dict[str, Any]) -> None:
    assert "can not be read" in mapped(payload({**entry("7", T1, TO_WORK), **broken})).gaps[0].detail


def test_a_status_left_without_having_been_entered_is_a_gap() -> None:
    gaps = mapped(payload(entry("7", T1, TO_WORK), entry("8", T2, item("status", ("9", "Lost"), ("1", "Open"))))).gaps
    assert [gap.kind for gap in gaps] == [GapKind.HISTORY]
    assert "'In Progress' to 'Lost'" in gaps[0].detail


def test_a_present_status_nobody_set_is_a_gap_unless_it_is_newer_than_the_issue_read() -> None:
    early = payload(entry("7", T1, TO_WORK))
    assert "'In Progress' to 'Open'" in mapped(early).gaps[0].detail
    late = payload(entry("7", "2026-03-06T09:00:00.000+0000", TO_WORK))
    assert mapped(late).gaps == ()


def test_a_renamed_status_is_the_same_by_id_and_a_renumbered_one_by_name() -> None:
    back = entry("8", T2, item("status", ("3", "进行中"), ("1", "打开")))
    assert mapped(payload(entry("7", T1, TO_WORK), back)).gaps == ()
    renumbered = entry("8", T2, item("status", ("30", "In progress"), ("1", "Open")))
    assert mapped(payload(entry("7", T1, TO_WORK), renumbered)).gaps == ()


def test_a_first_change_from_nowhere_leaves_the_creation_open() -> None:
    first = entry("7", T1, item("status", (None, None), ("1", "Open")))
    assert [gap.kind for gap in mapped(payload(first)).gaps] == [GapKind.CREATION]


@pytest.mark.parametrize(
    ("category", "key"),
    [
        ({"id": 4, "key": "indeterminate"}, "indeterminate"),
        ({"id": 3, "key": "已完成"}, "done"),
        ({"id": 3, "key": "new"}, "new"),
        ({"id": 99, "key": "odd"}, "odd"),
        ({"id": "2"}, "new"),
        (None, ""),
    ],
)
def test_a_status_category_goes_by_its_key_and_by_its_id_where_the_key_is_none_of_jiras(
    category: Any, key: str
) -> None:
    assert word_of({"id": "1", "name": "x", "statusCategory": category}).group == key


# ------------------------------------------------------------------------------------------------------------ comments


@pytest.mark.parametrize(
    ("more", "public"),
    [
        ({}, True),
        ({"jsdPublic": True}, True),
        ({"jsdPublic": False}, False),
        ({"visibility": {"type": "role", "value": "Developers"}}, False),
        ({"visibility": {"type": "group", "identifier": "1"}}, False),
        ({"properties": [{"key": "sd.public.comment", "value": {"internal": True}}]}, False),
        ({"properties": [{"key": "sd.public.comment", "value": {"internal": "true"}}]}, False),
        ({"properties": [{"key": "sd.public.comment", "value": {"internal": False}}]}, True),
        ({"properties": [{"key": "other", "value": {"internal": True}}, None]}, True),
    ],
)
def test_what_the_customer_can_not_read_is_not_public(more: dict[str, Any], public: bool) -> None:
    found = mapped(payload(comments=(comment("5", T1, **more),))).comments()[0]
    assert (found.id, found.comment, found.public, found.edited_at) == ("comment:5", "5", public, None)


def test_an_edit_is_told_and_counts_at_the_first_writing() -> None:
    found = mapped(payload(comments=(comment("5", T1, updated=T2),))).comments()[0]
    assert (found.at, found.edited_at) == (instant(T1), instant(T2))


@pytest.mark.parametrize("author", [None, {}, {"displayName": "Former user"}, {"accountId": "unknown"}])
def test_a_comment_of_a_deleted_user_stays_as_nobodys(author: Any) -> None:
    found = mapped(payload(comments=(comment("5", T1, author=author),))).comments()[0]
    assert found.actor.id == ""
    assert found.actor.role is Role.UNKNOWN


@pytest.mark.parametrize("kind", ["app", "customer", "atlassian"])
def test_the_kind_of_an_account_is_told(kind: str) -> None:
    actor = mapped(payload(comments=(comment("5", T1, author=person("x", accountType=kind)),))).comments()[0].actor
    assert (actor.bot, actor.customer) == (kind == "app", kind == "customer")


def test_comments_in_one_second_stand_in_the_order_of_their_ids() -> None:
    issue = mapped(payload(comments=(comment("100", T1), comment("99", T1), comment("98", T1))))
    assert [found.comment for found in issue.comments()] == ["98", "99", "100"]


@pytest.mark.parametrize(
    "field", [None, {}, {"comments": None}, {"comments": [], "total": 3}, {"comments": [comment("5", "?")], "total": 1}]
)
def test_comments_that_did_not_come_are_a_gap(field: Any) -> None:
    assert GapKind.COMMENTS in {gap.kind for gap in mapped(payload(comment=field)).gaps}


def test_our_own_comment_is_known_again_by_author_and_mark() -> None:
    change = UpsertComment("sla", Document((Paragraph((Text("due"),)),)))
    body = f"due\n\n{{{{{change.mark}}}}}"
    ours, theirs = comment("5", T2, body=body, author=person("me")), comment("4", T1, body=body, author=person("eve"))
    issue = mapped(payload(comments=(theirs, ours)))
    standing = change.standing(issue)
    assert standing is not None
    assert standing.comment == "5"
    assert standing.actor.role is Role.OWN
    assert change.satisfied_by(issue)


def test_a_mark_in_adf_is_found_in_its_text() -> None:
    mark = Mark("sla", "0123456789ab")
    body = {"type": "doc", "content": [{"type": "paragraph", "content": [{"type": "text", "text": str(mark)}]}]}
    found, _ = comments_of({"comments": [comment("5", T1, body=body)], "total": 1}, "me")
    assert Mark.found_in(found[0].text) == mark


def test_text_that_nothing_could_store_is_made_storable_and_all_other_text_is_kept() -> None:
    kept = "صحيح 一 ✓ \u200b \x1b[31m <b>&lt; {{x}} 👩‍🚒"
    issue = mapped(payload(summary=f"a\x00b\ud83d {kept}", description=kept))
    assert issue.title == f"a\ufffdb\ufffd {kept}"
    assert issue.description == kept
    issue.title.encode()


# ------------------------------------------------------------------------------------------------------------ releases


@pytest.mark.parametrize(
    ("version", "published"),
    [
        ({"released": True, "releaseDate": "2026-03-02"}, datetime(2026, 3, 2, tzinfo=UTC)),
        ({"released": False, "releaseDate": "2026-03-02"}, None),
        ({"released": True}, None),
        ({"released": True, "releaseDate": "soon"}, None),
        ({}, None),
    ],
)
def test_a_version_is_published_from_the_start_of_its_day_once_it_is_released(
    version: dict[str, Any], published: datetime | None
) -> None:
    release = release_of({"id": "9", "name": "1.4", **version}, "support", "CAR", "https://jira.example")
    assert release is not None
    assert release.published_at == published
    assert release.url == "https://jira.example/projects/CAR/versions/9"
    assert release.carries == ()


def test_a_version_without_a_name_is_none() -> None:
    assert release_of(None, "support", "CAR", "") is None


# ---------------------------------------------------------------------------------------------------------------- time


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2023-05-29T03:57:11.641+0000", datetime(2023, 5, 29, 3, 57, 11, 641000, UTC)),
        ("2017-12-10T08:28:36-08:00", datetime(2017, 12, 10, 16, 28, 36, tzinfo=UTC)),
        ("2017-12-10 16:41:28 UTC", datetime(2017, 12, 10, 16, 41, 28, tzinfo=UTC)),
        ("2021-04-28 21:50:00 +0200", datetime(2021, 4, 28, 19, 50, tzinfo=UTC)),
        (1492070429, datetime(2017, 4, 13, 8, 0, 29, tzinfo=UTC)),
        (1492070429123, datetime(2017, 4, 13, 8, 0, 29, 123000, UTC)),
    ],
)
def test_an_instant_is_read_in_every_shape_jira_writes(value: Any, expected: datetime) -> None:
    assert instant(value) == expected


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "2025-03-09",
        "2025-03-09T10:00:00",
        "12/Jun/20",
        True,
        1e300,
        float("nan"),
        [],
        "0001-01-01T00:00:00+2359",
    ],
)
def test_what_is_no_instant_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match=r"instant|range|NaN"):
        instant(value)


def test_a_day_is_read_with_or_without_a_time_behind_it() -> None:
    assert day("2026-03-07 00:00:00.0") == day("2026-03-07") == date(2026, 3, 7)
    assert day("2026-02-30") is day("12/Jun/20") is day(None) is None


def test_a_jql_date_is_in_the_accounts_zone_and_a_little_earlier() -> None:
    since = datetime(2026, 7, 1, 12, 0, 59, tzinfo=UTC)
    assert literal(since, ZoneInfo("Asia/Shanghai")) == "2026/07/01 19:55"
    assert literal(since, None) == "2026/06/30 12:00"


BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("since", "written"),
    [
        # The night of 25 October: the clock goes from 03:00 back to 02:00 at 01:00 UTC.
        ("2026-10-25T00:04", "2026/10/25 01:59"),
        ("2026-10-25T00:05", "2026/10/25 01:00"),
        ("2026-10-25T00:30", "2026/10/25 01:25"),  # the first 02:25
        ("2026-10-25T01:30", "2026/10/25 01:25"),  # the second 02:25
        ("2026-10-25T02:04", "2026/10/25 01:59"),
        ("2026-10-25T02:05", "2026/10/25 03:00"),
        # The night of 29 March: the clock goes from 02:00 on to 03:00 at 01:00 UTC.
        ("2026-03-29T01:04", "2026/03/29 01:59"),
        ("2026-03-29T01:05", "2026/03/29 03:00"),
    ],
)
def test_in_the_hour_that_comes_twice_the_date_is_an_hour_earlier(since: str, written: str) -> None:
    assert literal(datetime.fromisoformat(f"{since}:00+00:00"), BERLIN) == written


@given(
    zone=st.sampled_from(
        ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Santiago", "Asia/Kolkata", "Africa/Cairo"]
    ),
    since=st.datetimes(datetime(2024, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - bounds
    overlap=st.sampled_from([timedelta(), timedelta(minutes=5)]),
)
def test_whichever_way_a_date_is_read_it_is_never_later_than_meant(
    zone: str, since: datetime, overlap: timedelta
) -> None:
    where = ZoneInfo(zone)
    written = datetime.strptime(literal(since, where, overlap), "%Y/%m/%d %H:%M")  # noqa: DTZ007 - JQL has no zone
    for fold in (0, 1):
        read = written.replace(tzinfo=where, fold=fold).astimezone(UTC)
        assert read <= since - overlap
        assert read > since - overlap - timedelta(hours=2, minutes=1)


# ------------------------------------------------------------------------------------------------------------- hostile

_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
_known = [
    *payload()["fields"],
    "priority",
    "assignee",
    "fixVersions",
    "components",
    "security",
    "description",
    "duedate",
]


@given(where=st.sampled_from(_known), what=_json)
def test_no_value_of_any_field_makes_the_mapping_fail(where: str, what: Any) -> None:
    assert isinstance(issue_of(payload(entry("7", T1, TO_WORK), **{where: what}), SOURCE), Issue | Unreadable)


@given(what=_json, member=st.sampled_from(["id", "created", "author", "items"]))
def test_no_history_entry_makes_the_mapping_fail(what: Any, member: str) -> None:
    assert isinstance(issue_of(payload({**entry("7", T1, TO_WORK), member: what}), SOURCE), Issue)
    assert isinstance(issue_of(payload(entry("7", T1, {**TO_WORK, "from": what, "toString": what})), SOURCE), Issue)
    assert isinstance(issue_of({**payload(), "changelog": what}, SOURCE), Issue)


@given(what=_json, member=st.sampled_from(["id", "created", "updated", "author", "body", "properties", "visibility"]))
def test_no_comment_makes_the_mapping_fail(what: Any, member: str) -> None:
    assert isinstance(issue_of(payload(comments=({**comment("5", T1), member: what},)), SOURCE), Issue)


# ---------------------------------------------------------------------------------------------------------- real cases


def rows(path: Path) -> list[dict[str, Any]]:
    raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return [json.loads(line) for line in raw.splitlines()]


def real_issues(path: Path) -> Iterator[dict[str, Any]]:
    for found in rows(path):
        yield found.get("issue", found)


def hostile(shared_data: Path, *categories: str) -> list[dict[str, Any]]:
    return [case for case in rows(shared_data / "hostile.jsonl") if not categories or case["category"] in categories]


@pytest.mark.shared_data
def test_every_real_issue_with_its_history_is_mapped_or_named(shared_data: Path) -> None:
    raw = list(real_issues(shared_data / "jira" / "issues_with_changelog.jsonl"))
    found = {one["key"]: issue_of(one, SOURCE) for one in raw}
    assert len(raw) == 46
    assert {key for key, one in found.items() if isinstance(one, Unreadable)} == {
        "CONTRIB-4",
        "SLING-0004",
        "SLING-0005",
        "SLING-0006",
    }
    for one in raw:
        issue = found[one["key"]]
        if isinstance(issue, Unreadable):
            continue
        wanted = sum(
            change.get("field") == "status" for history in one["changelog"]["histories"] for change in history["items"]
        )
        assert sum(isinstance(event, StatusChanged) for event in issue.events) == wanted
        delivered = (one["fields"].get("comment") or {}).get("comments", [])
        assert len(issue.comments()) == len(delivered)
        assert list(issue.events) == sorted(issue.events, key=lambda event: event.at)


@pytest.mark.shared_data
def test_the_order_in_which_real_history_comes_makes_no_difference(shared_data: Path) -> None:
    for one in real_issues(shared_data / "jira" / "issues_with_changelog.jsonl"):
        turned = {**one, "changelog": {**one["changelog"], "histories": one["changelog"]["histories"][::-1]}}
        assert issue_of(turned, SOURCE) == issue_of(one, SOURCE)


@pytest.mark.shared_data
def test_three_thousand_real_issues_are_mapped_and_none_is_lost(shared_data: Path) -> None:
    count = 0
    for one in real_issues(shared_data / "jira" / "titanium_sample.jsonl.gz"):
        issue = issue_of(one, SOURCE)
        assert isinstance(issue, Issue)
        count += 1
        field = one["fields"].get("comment") or {}
        assert len(issue.comments()) == len(field.get("comments", []))
        cut = field.get("total", 0) > len(field.get("comments", []))
        assert any(gap.kind is GapKind.COMMENTS for gap in issue.gaps) == (cut or not field)
    assert count == 3200


@pytest.mark.shared_data
def test_real_pages_of_history_are_all_read(shared_data: Path) -> None:
    for page in rows(shared_data / "jira" / "changelog_pages.jsonl"):
        issue = issue_of(payload(page.get("value", page)), SOURCE)
        assert isinstance(issue, Issue)
        assert not [gap for gap in issue.gaps if "can not be read" in gap.detail]


@pytest.mark.shared_data
def test_real_versions_are_published_where_they_are_released_and_dated(shared_data: Path) -> None:
    projects = json.loads((shared_data / "jira" / "versions.json").read_text(encoding="utf-8"))
    raw = [one for project in projects.values() if isinstance(project, dict) for one in project.get("versions", ())]
    assert len(raw) > 1_000
    for one in raw:
        release = release_of(one, "support", "CAR", "https://jira.example")
        assert release is not None
        assert release.name == one["name"]
        dated = one.get("releaseDate") if one.get("released") else None
        assert (release.published_at and f"{release.published_at:%Y-%m-%d}") == dated


@pytest.mark.shared_data
def test_real_timestamps_are_the_instants_they_say_or_none(shared_data: Path) -> None:
    cases = hostile(shared_data, "timestamp_shape")
    assert cases
    for case in cases:
        if case.get("expected_utc"):
            assert instant(case["input"]["text"]) == datetime.fromisoformat(case["expected_utc"]), case["id"]
        else:
            with pytest.raises(ValueError, match="instant"):
                instant(case["input"]["text"])


@pytest.mark.shared_data
def test_hostile_text_of_jira_issues_is_kept_as_it_is(shared_data: Path) -> None:
    texts = 0
    for case in hostile(shared_data):
        given_ = case["input"]
        if case["tracker"] not in {"jira", "both"} or not isinstance(given_, dict):
            continue
        for name in ("body", "value", "summary", "text", "head"):
            text = given_.get(name)
            if isinstance(text, str):
                texts += 1
                issue = mapped(payload(comments=(comment("5", T1, body=text),), summary=text, description=text))
                expected = text.replace("\x00", "\ufffd")
                assert (issue.title, issue.description, issue.comments()[0].text) == (expected,) * 3, case["id"]
    assert texts > 600


@pytest.mark.shared_data
def test_hostile_jira_issues_are_mapped_with_what_they_lack_named(shared_data: Path) -> None:
    seen = 0
    for case in hostile(shared_data):
        given_ = case["input"]
        if case["tracker"] != "jira" or not isinstance(given_, dict) or not isinstance(given_.get("comment"), dict):
            continue
        seen += 1
        listed = given_["comment"]
        comments = [comment(one["id"], one["created"], author={"name": one["author"]}) for one in listed["list"]]
        issue = mapped(
            payload(
                created=given_["created"],
                updated=given_["updated"],
                creator=given_["creator"],
                reporter=given_["reporter"],
                comment={"comments": comments, "total": listed["total"]},
            )
        )
        hidden = listed["total"] > len(comments)
        assert any(gap.kind is GapKind.COMMENTS for gap in issue.gaps) == hidden, case["id"]
        assert len(issue.comments()) == len({one["id"] for one in listed["list"]})
    assert seen > 60


@pytest.mark.shared_data
def test_localised_statuses_keep_their_id_and_category(shared_data: Path) -> None:
    for case in hostile(shared_data, "localised_status"):
        word = word_of(case["input"])
        assert word.id == case["input"]["id"]
        assert word.name == case["input"]["name"]
        assert word.group in {"new", "indeterminate", "done", "undefined"}


@pytest.mark.shared_data
def test_hostile_labels_and_people_are_kept_as_they_are(shared_data: Path) -> None:
    for case in hostile(shared_data, "odd_label", "long_label", "labels_case_duplicates"):
        assert mapped(payload(labels=case["input"]["labels"])).labels == set(case["input"]["labels"]), case["id"]
    for case in hostile(shared_data, "inactive_user", "name_with_outer_space", "name_non_latin", "login_with_space"):
        user = case["input"]["user"]["value"]
        reporter = mapped(payload(reporter=user)).reporter
        assert (reporter.id, reporter.name, reporter.active) == (user["name"], user["displayName"], user["active"])


def test_an_issue_is_equal_to_itself_read_again() -> None:
    one = mapped(payload(entry("7", T1, TO_WORK), comments=(comment("5", T1),)))
    assert one == mapped(payload(entry("7", T1, TO_WORK), comments=(comment("5", T1),)))
    assert replace(one, title="x") != one
