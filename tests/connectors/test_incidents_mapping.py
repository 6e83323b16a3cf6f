"""One record of an export, read as the facts of an issue."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from connectors.incidents.export_map import ExportMap
from connectors.incidents.mapping import Incident, Mended, Mismatch, incident
from connectors.incidents.payload import Record
from policies.issue import AssigneeChanged, GapKind, Opened, PriorityChanged, State, StatusChanged

if TYPE_CHECKING:
    from pathlib import Path

WORDS = ExportMap(
    zone="Asia/Shanghai",
    opened_as="New",
    states={
        "New": State.OPEN,
        "Active": State.IN_PROGRESS,
        "Awaiting User Info": State.WAITING_FOR_CUSTOMER,
        "Awaiting Problem": State.WAITING_FOR_THIRD_PARTY,
        "Resolved": State.RESOLVED,
        "Closed": State.CLOSED,
    },
    severities={"1 - Critical": "urgent", "2 - High": "high", "3 - Moderate": "normal", "4 - Low": "normal"},
)


def entry(at: str, mod: int | None, **changed: Any) -> dict[str, Any]:
    return {"at": f"2026-03-{at}", "mod": mod, "changed": changed}


def read(*history: dict[str, Any], words: ExportMap = WORDS, **fields: Any) -> Incident:
    told = {"id": "INC1", "opened_at": "2026-03-02T09:00:00", "created_at": "2026-03-02T09:05:00", **fields}
    return incident(Record.model_validate({**told, "history": history}), words)


PLAIN = (
    entry("02T09:05:00", 0, state="New", priority="3 - Moderate", assignment_group="Group 1"),
    entry("02T10:00:00", 1, state="Active", assignment_group="Group 2"),
    entry("03T10:00:00", 2, state="Resolved"),
    entry("08T10:00:00", 3, state="Closed"),
)


def gaps(found: Incident, kind: GapKind = GapKind.HISTORY) -> list[str]:
    return [gap.detail for gap in found.issue.gaps if gap.kind is kind]


def states(found: Incident) -> list[tuple[str, str]]:
    return [(event.id, event.after.name) for event in found.issue.events if isinstance(event, StatusChanged)]


def test_an_incident_opens_at_opened_at_and_not_when_it_was_typed_in() -> None:
    found = read(*PLAIN)
    assert found.issue.opened_at == datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
    assert isinstance(found.issue.events[0], Opened)


def test_state_priority_and_group_become_events_each_only_where_it_changed() -> None:
    found = read(*PLAIN, entry("08T10:00:00", 4, state="Closed", priority="2 - High"))
    assert states(found) == [("mod-1/state", "Active"), ("mod-2/state", "Resolved"), ("mod-3/state", "Closed")]
    assert [(e.before, e.after) for e in found.issue.events if isinstance(e, AssigneeChanged)] == [
        ("Group 1", "Group 2")
    ]
    (change,) = (event for event in found.issue.events if isinstance(event, PriorityChanged))
    assert change.before is not None
    assert change.after is not None
    assert (change.before.name, change.after.name) == ("3 - Moderate", "2 - High")


def test_a_person_goes_before_a_group_where_the_history_names_any() -> None:
    found = read(entry("02T09:05:00", 0, state="New", priority="4 - Low", assignment_group="G", assigned_to="jane"))
    assert found.issue.assignee is not None
    assert found.issue.assignee.id == "jane"


def test_a_group_that_the_export_leaves_open_is_nobody() -> None:
    found = read(*PLAIN, entry("08T10:00:00", 4, assignment_group="?"))
    assert found.issue.assignee is None


def test_a_complete_history_has_one_gap_the_comments() -> None:
    found = read(*PLAIN)
    assert gaps(found) == []
    assert gaps(found, GapKind.COMMENTS) == ["comments: no part of an exported history"]


def test_entries_out_of_order_are_sorted_by_time_and_it_is_said() -> None:
    found = read(PLAIN[0], PLAIN[2], PLAIN[1], PLAIN[3])
    assert states(found) == states(read(*PLAIN))
    late = read(PLAIN[0], entry("03T10:00:00", 1, state="Resolved"), entry("02T10:00:00", 2, state="Active"), PLAIN[3])
    assert [word for _id, word in states(late)] == ["Active", "Resolved", "Closed"]
    assert Mended.SORTED in late.mended
    assert Mended.SORTED not in found.mended  # only listed out of order: number and time agree


def test_an_entry_that_stands_there_twice_is_one() -> None:
    found = read(*PLAIN, PLAIN[1])
    assert found.issue.events == read(*PLAIN).issue.events
    assert Mended.FOLDED in found.mended
    assert Mended.NUMBERED_TWICE not in found.mended


def test_two_entries_of_one_number_are_two_facts_and_neither_is_counted_twice() -> None:
    found = read(*PLAIN[:2], entry("02T11:00:00", 1, state="Awaiting User Info"), *PLAIN[2:])
    assert states(found)[:2] == [("mod-1/state", "Active"), ("mod-1:2/state", "Awaiting User Info")]
    assert Mended.NUMBERED_TWICE in found.mended


def test_two_entries_of_one_number_and_instant_keep_the_order_they_were_listed_in() -> None:
    found = read(*PLAIN[:2], entry("02T10:00:00", 1, state="Awaiting User Info"), *PLAIN[2:])
    assert [word for _id, word in states(found)] == ["Active", "Awaiting User Info", "Resolved", "Closed"]


def test_changes_of_one_instant_keep_the_order_of_their_numbers() -> None:
    row = [entry("03T10:00:00", number, state=state) for number, state in ((9, "Active"), (10, "Resolved"))]
    assert [word for _id, word in states(read(PLAIN[0], *row))] == ["Active", "Resolved"]


def test_where_one_entry_lacks_its_number_all_stand_as_they_were_listed() -> None:
    row = [entry("03T10:00:00", 9, state="Active"), entry("03T10:00:00", None, state="Resolved")]
    found = read(entry("02T09:05:00", 8, state="New", priority="4 - Low"), *row)
    assert states(found) == [("entry-1/state", "Active"), ("entry-2/state", "Resolved")]


def test_an_opening_later_than_the_first_entry_is_a_gap() -> None:
    found = read(*PLAIN, opened_at="2026-03-02T09:30:00")
    assert gaps(found, GapKind.CREATION) == ["opening: opened_at is later than the first entry"]


def test_a_hole_in_the_numbers_is_a_gap_that_names_them() -> None:
    found = read(PLAIN[0], entry("03T10:00:00", 4, state="Resolved"), entry("08T10:00:00", 6, state="Closed"))
    assert gaps(found) == ["modifications not delivered: 1 to 3, 5"]


def test_numbers_that_do_not_begin_at_nought_are_a_hole_too() -> None:
    assert gaps(read(*PLAIN[1:], priority="4 - Low")) == ["modifications not delivered: 0"]


def test_a_thousand_holes_are_told_in_one_line() -> None:
    history = [entry("02T09:05:00", number * 2, state="New", priority="4 - Low") for number in range(1000)]
    assert gaps(read(*history)) == ["modifications not delivered: 1, 3, 5, 7, 9, 11 and 993 more"]


def test_entries_without_numbers_have_no_holes_to_see() -> None:
    history = [{**each, "mod": None} for each in PLAIN]
    assert gaps(read(*history)) == []
    assert states(read(*history))[0] == ("entry-1/state", "Active")


def test_a_history_without_an_entry_is_a_gap() -> None:
    assert gaps(read(priority="4 - Low")) == ["history: not a single entry"]


def test_a_missing_creation_takes_nothing_from_an_incident_that_says_when_it_was_opened() -> None:
    found = read(*PLAIN, created_at=None)
    assert found.issue.events == read(*PLAIN).issue.events
    assert gaps(found) == []
    assert Mended.NOT_CREATED in found.mended


def test_a_missing_opening_is_a_gap_whatever_stands_in_for_it() -> None:
    found = read(*PLAIN, opened_at=None)
    assert gaps(found, GapKind.CREATION) == ["opening: opened_at is missing"]
    assert found.issue.opened_at == datetime(2026, 3, 2, 1, 5, tzinfo=UTC)
    assert read(*PLAIN, opened_at=None, created_at=None).issue.opened_at == found.issue.opened_at


def test_an_incident_without_any_instant_is_refused() -> None:
    with pytest.raises(Mismatch, match="no instant at all"):
        read(opened_at=None, created_at=None)


def test_an_incident_without_any_state_is_refused() -> None:
    words = WORDS.model_copy(update={"opened_as": ""})
    with pytest.raises(Mismatch, match="no state"):
        read(entry("02T09:05:00", 0, priority="4 - Low"), words=words)


def test_without_opened_as_the_first_state_holds_from_the_opening() -> None:
    found = read(*PLAIN[1:], words=WORDS.model_copy(update={"opened_as": ""}), priority="4 - Low")
    assert states(found)[0] == ("mod-2/state", "Resolved")


def test_entered_as_resolved_at_its_opening_is_resolved_then() -> None:
    found = read(entry("02T09:00:00", 0, state="Resolved", priority="4 - Low"), entry("07T09:00:00", 1, state="Closed"))
    assert gaps(found) == []
    assert Mended.ENTERED_RESOLVED in found.mended


def test_entered_as_resolved_some_time_after_its_opening_is_a_gap() -> None:
    found = read(entry("02T09:05:00", 0, state="Resolved", priority="4 - Low"), entry("07T09:00:00", 1, state="Closed"))
    assert gaps(found) == ["resolution: before the first entry, and resolved_at is missing"]


def test_closed_without_ever_being_resolved_is_a_gap() -> None:
    found = read(entry("02T09:05:00", 0, state="New", priority="4 - Low"), entry("07T09:00:00", 1, state="Closed"))
    assert gaps(found) == ["resolution: closed without an entry that resolves it, and resolved_at is missing"]


def test_a_history_that_resolves_needs_no_resolved_at() -> None:
    assert gaps(read(*PLAIN, resolved_at=None)) == []


def test_a_resolution_that_no_entry_shows_is_a_gap() -> None:
    found = read(*PLAIN, resolved_at="2026-03-03T09:00:00")
    assert gaps(found) == ["resolved_at: no entry of 2026-03-03T09:00:00"]


def test_where_the_record_names_a_later_entry_the_one_that_resolves_decides() -> None:
    found = read(*PLAIN[:3], entry("03T11:00:00", 3), resolved_at="2026-03-03T11:00:00")
    assert gaps(found) == []
    assert Mended.LATER_FIGURE in found.mended
    assert states(found)[-1] == ("mod-2/state", "Resolved")


def test_more_reopenings_than_the_history_shows_are_a_gap() -> None:
    assert gaps(read(*PLAIN, reopen_count=1)) == ["reopenings: the record counts 1, its history shows 0"]
    reopened = (*PLAIN[:3], entry("04T10:00:00", 3, state="Active"), entry("05T10:00:00", 4, state="Resolved"))
    assert gaps(read(*reopened, reopen_count=1)) == []


def test_a_priority_that_the_history_does_not_end_with_is_a_gap() -> None:
    found = read(*PLAIN, priority="1 - Critical")
    assert gaps(found) == ["priority: the record says '1 - Critical', its history ends with '3 - Moderate'"]


def test_a_priority_told_nowhere_is_a_gap() -> None:
    assert gaps(read(entry("02T09:05:00", 0, state="New"))) == ["priority: not told"]


def test_a_state_that_an_entry_leaves_open_is_a_gap() -> None:
    assert gaps(read(*PLAIN, entry("08T11:00:00", 4, state=None))) == ["state left open: mod-4"]


def test_a_time_with_an_offset_needs_no_zone() -> None:
    found = read(*PLAIN, opened_at="2026-03-02T02:00:00+01:00")
    assert found.issue.opened_at == datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


def test_a_time_that_the_clocks_skipped_is_refused() -> None:
    words = WORDS.model_copy(update={"zone": "Europe/Berlin"})
    with pytest.raises(Mismatch, match=r"history\[0\]\.at: found '2026-03-29T02:30:00'.*Europe/Berlin"):
        read(entry("29T02:30:00", 0, state="New"), words=words)


def test_a_time_that_the_clocks_showed_twice_is_a_gap() -> None:
    words = WORDS.model_copy(update={"zone": "Europe/Berlin"})
    told = {"at": "2026-10-25T02:30:00", "mod": 0, "changed": {"state": "New", "priority": "4 - Low"}}
    found = read(told, words=words)
    assert gaps(found) == ["times that Europe/Berlin showed twice: 2026-10-25T02:30:00"]


def test_the_last_instant_is_the_last_that_the_record_knows() -> None:
    assert read(*PLAIN).last_at == datetime(2026, 3, 8, 2, 0, tzinfo=UTC)
    assert read(*PLAIN, closed_at="2026-03-09T10:00:00").last_at == datetime(2026, 3, 9, 2, 0, tzinfo=UTC)


def test_every_word_it_stood_in_is_told() -> None:
    found = read(*PLAIN)
    assert found.states == ("New", "Active", "Resolved", "Closed")
    assert found.priorities == ("3 - Moderate",)


# -------------------------------------------------------------------------------------------------- the shared records


def _hostile(folder: Path) -> list[dict[str, Any]]:
    lines = (folder / "hostile.jsonl").read_bytes().split(b"\n")  # hostile texts hold other line ends
    return [row for row in map(json.loads, filter(None, lines)) if row["tracker"] == "servicenow"]


def _flags(found: Incident) -> dict[str, bool]:
    return {
        "times_out_of_order": Mended.SORTED in found.mended,
        "duplicate_mod": bool(found.mended & {Mended.NUMBERED_TWICE, Mended.FOLDED}),
        "mod_gap": any(gap.detail.startswith("modifications not delivered") for gap in found.issue.gaps),
        "created_missing": Mended.NOT_CREATED in found.mended,
    }


@pytest.mark.shared_data
def test_what_the_records_say_of_themselves_is_found_in_their_histories(shared_data: Path) -> None:
    lines = (shared_data / "jira" / "servicenow_status_history.jsonl").read_text(encoding="utf-8").splitlines()
    for record in [*map(json.loads, lines), *(row["input"] for row in _hostile(shared_data))]:
        found = _flags(incident(Record.model_validate(record), WORDS))
        assert found == {name: record["flags"][name] for name in found}, record["id"]


@pytest.mark.shared_data
def test_hostile_records_hold_what_their_check_asks(shared_data: Path) -> None:
    rows = _hostile(shared_data)
    assert len(rows) == 50
    for row in rows:
        record = row["input"]
        found = incident(Record.model_validate(record), WORDS)
        issue, changes = found.issue, states(found)
        match row["category"]:
            case "history_times_out_of_order":  # choose one, say which
                assert Mended.SORTED in found.mended
                assert [event.at for event in issue.events] == sorted(event.at for event in issue.events)
            case "history_duplicate_mod":  # no double counting
                assert len({event.id for event in issue.events}) == len(issue.events)
                assert all(before[1] != after[1] for before, after in pairwise(changes))
            case "history_gap":  # the state in the hole is unknown
                assert any(detail.startswith("modifications not delivered: ") for detail in gaps(found))
            case "history_created_missing":  # start from opened_at, or say unknown
                assert issue.opened_at.astimezone(UTC).replace(tzinfo=None).isoformat() == _utc(record["opened_at"])
                assert Mended.NOT_CREATED in found.mended
            case "history_resolved_missing":  # the same
                assert Mended.ENTERED_RESOLVED in found.mended or any(d.startswith("resolution:") for d in gaps(found))
            case "reopen":  # the reopening must be counted
                over = [word in {"Resolved", "Closed"} for _id, word in changes]
                reopened = sum(a and not b for a, b in pairwise(over))
                assert reopened == record["reopen_count"] or any(d.startswith("reopenings:") for d in gaps(found))
                assert reopened > 0
            case "priority_change_midway":  # the old and the new one must both be traceable
                told = [e for e in issue.events if isinstance(e, PriorityChanged)]
                assert len(told) == record["flags"]["priority_changes"]
                assert all(e.before and e.after and e.before != e.after for e in told)
            case other:
                raise AssertionError(other)


def _utc(written: str) -> str:
    local = incident(Record.model_validate({"id": "x", "opened_at": written, "priority": "4 - Low"}), WORDS)
    return local.issue.opened_at.replace(tzinfo=None).isoformat()
