"""``warranty judge``: exported incident histories under a pack."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from connectors.incidents.mapping import Mended
from flows import judge
from flows.exit_codes import Exit
from policies.issue import GapKind
from policies.verdict import Status
from tests.flows import console_page

if TYPE_CHECKING:
    from tests.flows.conftest import Command

ROOT = Path(__file__).resolve().parents[2]
MAP = ROOT / "docs" / "examples" / "servicenow-map.yaml"
CALENDAR = ROOT / "docs" / "examples" / "cn-office-2016-2017.yaml"
SHANGHAI = ZoneInfo("Asia/Shanghai")

PACK = """\
id: desk
version: 1
calendar: always
severities: [urgent, high, normal]
categories: [defect]
clocks:
  first_response:
    stop: first_response
    goals: [{within: 1h}]
  resolution:
    stop: {state: [resolved, closed]}
    pause:
      - {when: {state: waiting_for_customer}, reason: awaiting customer, party: customer}
      - {when: {state: waiting_for_third_party}, reason: awaiting vendor, party: third_party}
    goals:
      - {when: {severity: urgent}, within: 10h}
      - {within: 48h}
"""


def entry(at: str, mod: int, **changed: str) -> dict[str, Any]:
    return {"at": f"2026-03-{at}:00", "mod": mod, "changed": changed}


def incident(id_: str, *history: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {
        "id": id_,
        "opened_at": "2026-03-02T09:00:00",
        "created_at": "2026-03-02T09:00:00",
        "history": history,
        **fields,
    }


NEW = entry("02T09:00", 0, state="New", priority="3 - Moderate")
IN_TIME = incident("IN-TIME", NEW, entry("03T09:00", 1, state="Resolved"))
LATE = incident("LATE", NEW, entry("05T10:00", 1, state="Resolved"))
WAITED = incident(
    "WAITED",
    NEW,
    entry("02T10:00", 1, state="Awaiting Problem"),
    entry("05T10:00", 2, state="Active"),
    entry("09T10:00", 3, state="Resolved"),
)
HOLE = incident("HOLE", NEW, entry("08T10:00", 5, state="Resolved"))
LOST = incident(
    "LOST", entry("02T09:00", 0, state="New", priority="1 - Critical"), entry("02T10:00", 1, state="Active")
)
ASKED = incident("ASKED", NEW, entry("02T10:00", 1, state="Awaiting User Info"), entry("05T10:00", 2, state="Resolved"))
ALL = (IN_TIME, LATE, WAITED, HOLE, LOST, ASKED)


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """A folder with a pack and an export of six incidents."""
    (tmp_path / "desk.yaml").write_text(PACK, encoding="utf-8")
    export(tmp_path, *ALL)
    return tmp_path


def export(folder: Path, *incidents: dict[str, Any]) -> Path:
    file = folder / "export.jsonl"
    file.write_text("".join(json.dumps(each) + "\n" for each in incidents), encoding="utf-8")
    return file


def line(folder: Path, *more: str, words: Path = MAP) -> tuple[str, ...]:
    return ("judge", str(folder / "export.jsonl"), "--map", str(words), "--pack", str(folder / "desk.yaml"), *more)


def statuses(document: dict[str, Any], clock: str) -> dict[str, str]:
    return {
        each["id"]: verdict["status"]
        for each in document["judged"]
        for verdict in each["verdicts"]
        if verdict["clock"] == clock
    }


def test_each_incident_gets_the_verdict_its_history_proves(desk: Path, command: Command) -> None:
    document = command(*line(desk, "--json")).document
    assert statuses(document, "resolution") == {
        "IN-TIME": "met",
        "LATE": "missed",
        "WAITED": "missed",
        "HOLE": "indeterminate",
        "LOST": "overdue",
        "ASKED": "indeterminate",
    }
    assert document["counts"]["resolution"] == {"met": 1, "missed": 2, "indeterminate": 2, "overdue": 1}


def test_a_response_that_no_export_can_show_is_indeterminate_and_never_missed(desk: Path, command: Command) -> None:
    document = command(*line(desk, "--json")).document
    assert set(statuses(document, "first_response").values()) == {"indeterminate"}
    told = {each["gap"] for each in document["indeterminate"] if each["clock"] == "first_response"}
    assert told == {"comments"}
    assert all(each["clock"] == "resolution" for each in document["worst"])


def test_a_clock_that_rests_on_what_no_export_tells_is_indeterminate(desk: Path, command: Command) -> None:
    more = """\
  patch: {stop: patch_released, goals: [{within: 1h}]}
  plan: {stop: {any: [{label: plan}, {state: closed}]}, goals: [{within: 1h}]}
  agreed: {start: {not: {component: [ui]}}, stop: {state: closed}, goals: [{within: 1h}]}
  called: {start: {label: called}, stop: {state: closed}, goals: [{within: 1h}]}
  urgent: {stop: {label: plan}, goals: [{when: {severity: urgent}, within: 1h}]}
"""
    (desk / "desk.yaml").write_text(PACK + more, encoding="utf-8")
    at_once = incident("CLOSED", NEW, entry("02T09:30", 1, state="Resolved"), entry("02T09:40", 2, state="Closed"))
    export(desk, LATE, at_once)
    document = command(*line(desk, "--json")).document
    assert set(statuses(document, "patch").values()) == {"indeterminate"}
    assert statuses(document, "plan") == {"LATE": "indeterminate", "CLOSED": "met"}
    assert statuses(document, "agreed") == {"LATE": "indeterminate", "CLOSED": "met"}
    assert set(statuses(document, "called").values()) == {"indeterminate"}
    assert set(statuses(document, "urgent").values()) == {"not_applicable"}
    told = {(each["clock"], each["gap"], each["late_as_told"]) for each in document["indeterminate"]}
    assert {("patch", "releases", 0), ("plan", "labels", 0), ("agreed", "components", 0)} <= told
    assert {each["clock"] for each in document["worst"]} == {"resolution"}


def test_the_gap_is_named_in_the_reason(desk: Path, command: Command) -> None:
    document = command(*line(desk, "--json")).document
    (hole,) = (each for each in document["judged"] if each["id"] == "HOLE")
    assert hole["verdicts"][1]["reason"]["detail"] == "modifications not delivered: 1 to 4"


def test_the_worst_are_the_longest_past_due_and_show_whose_turn_it_was(desk: Path, command: Command) -> None:
    document = command(*line(desk, "--json")).document
    # WAITED: due 48 h after 09:00, moved by 72 h of pause, resolved on the 9th at 10:00. LOST runs on to the file's end.
    assert [(each["id"], each["past_due"] / 3600) for each in document["worst"]] == [
        ("LOST", 159.0),
        ("HOLE", 97.0),
        ("WAITED", 49.0),
        ("LATE", 25.0),
    ]
    assert document["worst"][2]["pauses"] == {"third_party": 72 * 3600.0}
    assert document["worst"][0]["stopped_at"] is None


def test_now_is_the_files_last_instant_unless_another_is_named(desk: Path, command: Command) -> None:
    assert command(*line(desk, "--json")).document["now"] == "2026-03-09T02:00:00Z"
    early = command(*line(desk, "--json", "--now", "2026-03-02T10:30:00+08:00")).document
    assert early["now"] == "2026-03-02T02:30:00Z"
    assert statuses(early, "resolution")["LATE"] == "running"


def test_the_tables_hold_counts_gaps_the_worst_and_what_was_put_right(desk: Path, command: Command) -> None:
    export(desk, *ALL, incident("TWICE", NEW, NEW, entry("03T09:00", 1, state="Resolved"), created_at=None))
    said = command(*line(desk, "--worst", "1"))
    assert (said.code, said.err) == (Exit.FINE, "")
    assert "7 incidents; policy desk@1; as of 2026-03-09 10:00 CST" in said.out
    assert "The worst 1 of 4 past due" in said.out
    assert "LOST" in said.out
    assert "WAITED" not in said.out
    assert Mended.FOLDED.value in said.out
    assert Mended.NOT_CREATED.value in said.out


def test_where_all_was_in_time_it_is_said(desk: Path, command: Command) -> None:
    export(desk, IN_TIME)
    said = command(*line(desk))
    assert "no promise was broken, as far as the export tells" in said.out
    assert "Put right" not in said.out


def test_a_late_reopening_has_a_verdict_of_its_own(desk: Path, command: Command) -> None:
    reopened = (entry("20T09:00", 2, state="Active"), entry("21T09:00", 3, state="Resolved"))
    export(desk, incident("AGAIN", *IN_TIME["history"], *reopened, reopen_count=1))
    said = command(*line(desk))
    assert "of a cycle begun by a late reopening: 1" in said.out
    export(desk, incident("AGAIN", *IN_TIME["history"], *reopened[:1], entry("26T09:00", 3, state="Resolved")))
    assert "resolution #2" in command(*line(desk)).out


def test_an_instant_that_no_calendar_knows_is_refused_in_words(desk: Path, command: Command) -> None:
    words = ("judge", str(export(desk, incident("OPEN", NEW))), "--map", str(MAP), "--pack", "standard-warranty")
    said = command(*words, "--now", "9000-01-01T00:00:00Z")
    assert said.code == Exit.BAD_INPUT
    assert "is an instant that no calendar knows" in said.err


def test_a_gzipped_export_gives_the_same(desk: Path, command: Command) -> None:
    plain = command(*line(desk))
    file = desk / "export.jsonl"
    file.write_bytes(gzip.compress(file.read_bytes()))
    assert command(*line(desk)).out == plain.out


def test_a_word_of_the_export_cannot_steer_the_terminal(desk: Path, command: Command) -> None:
    export(desk, {**LATE, "id": "\x1b[31mRED\u202e [bold]x[/]"})
    said = command(*line(desk))
    assert "\x1b" not in said.out
    assert "\u202e" not in said.out
    assert "[bold]x[/]" in said.out


def test_words_that_the_map_does_not_name_are_refused_all_at_once(desk: Path, command: Command) -> None:
    odd = incident("ODD", entry("02T09:00", 0, state="Resolvd", priority="5 - Planning"))
    export(desk, odd, {**odd, "id": "ODD-2"}, IN_TIME)
    said = command(*line(desk))
    assert said.code == Exit.BAD_INPUT
    assert (
        "`Resolvd` in the map's states: 2 of 3 incidents in export.jsonl bear it (did you mean 'Resolved'?)" in said.err
    )
    assert "`5 - Planning` in the map's severities" in said.err


def test_words_of_the_map_that_the_pack_does_not_know_are_refused_with_the_nearest(
    desk: Path, command: Command
) -> None:
    words = desk / "map.yaml"
    text = (
        MAP.read_text(encoding="utf-8").replace("Critical: urgent", "Critical: urgnt").replace(": defect", ": defekt")
    )
    words.write_text(text, encoding="utf-8")
    said = command(*line(desk, words=words))
    assert said.code == Exit.BAD_INPUT
    number = next(n for n, each in enumerate(text.splitlines(), 1) if "urgnt" in each)
    assert f"map.yaml:{number} at severities.1 - Critical: found 'urgnt'" in said.err
    assert "did you mean 'urgent'" in said.err
    assert "did you mean 'defect'" in said.err


def test_mistakes_of_map_and_pack_are_told_together(desk: Path, command: Command) -> None:
    words = desk / "map.yaml"
    words.write_text("zone: Nowhere\nstates: {New: opn}\n", encoding="utf-8")
    (desk / "desk.yaml").write_text(PACK.replace("within: 1h", "within: 1"), encoding="utf-8")
    said = command(*line(desk, words=words))
    assert said.code == Exit.BAD_INPUT
    assert "did you mean 'open'" in said.err
    assert "desk.yaml" in said.err


def test_an_export_with_mistakes_is_not_judged_in_part(desk: Path, command: Command) -> None:
    with (desk / "export.jsonl").open("a", encoding="utf-8") as file:
        file.write("{broken\n")
    said = command(*line(desk, "--json"))
    assert said.code == Exit.BAD_INPUT
    assert "export.jsonl:7: found no JSON" in said.document["error"]


def test_a_map_without_priorities_leaves_them_alone(desk: Path, command: Command) -> None:
    words = desk / "map.yaml"
    words.write_text("zone: UTC\nstates: {New: open, Active: in_progress, Resolved: resolved}\n", encoding="utf-8")
    export(desk, IN_TIME, LOST)
    assert command(*line(desk, words=words)).code == Exit.FINE


def test_a_calendar_takes_the_place_of_the_packs_own_of_its_id(desk: Path, command: Command) -> None:
    export(desk, incident("OLD", *_in_2016(IN_TIME["history"]), opened_at="2016-03-02T09:00:00", created_at=None))
    words = ("judge", str(desk / "export.jsonl"), "--map", str(MAP), "--pack", "standard-warranty", "--json")
    plain, dated = command(*words).document, command(*words, "--calendar", str(CALENDAR)).document
    assert (plain["provisional"] > 0, dated["provisional"]) == (True, 0)
    assert plain["digest"] == dated["digest"]
    assert plain["calendar_digest"] != dated["calendar_digest"]


def _in_2016(history: tuple[dict[str, Any], ...]) -> list[dict[str, Any]]:
    return [{**each, "at": each["at"].replace("2026", "2016")} for each in history]


def test_a_calendar_that_the_pack_does_not_count_on_is_refused(desk: Path, command: Command) -> None:
    said = command(*line(desk, "--calendar", str(CALENDAR)))
    assert said.code == Exit.BAD_INPUT
    assert "found 'cn-office'; expected the id of a calendar that desk@1 counts on: always" in said.err


# ------------------------------------------------------------------------------------------------------ the real ones


@pytest.fixture(scope="module")
def real(shared_data: Path) -> judge.Report:
    """427 real incidents under the shipped pack, on the calendar of their years."""
    return judge.judged(
        shared_data / "jira" / "servicenow_status_history.jsonl", MAP, "standard-warranty", None, CALENDAR
    )


@pytest.mark.shared_data
def test_all_427_incidents_are_judged_on_every_clock_of_the_pack(real: judge.Report) -> None:
    assert len(real.judged) == 427
    for one in real.judged:
        assert {verdict.clock for verdict in one.verdicts} == set(real.pack.clocks)
    assert real.now == datetime(2016, 12, 27, 2, tzinfo=UTC)
    assert not any(verdict.provisional for verdict in real.verdicts)


@pytest.mark.shared_data
def test_every_incident_with_a_hole_is_indeterminate_and_its_reason_names_it(real: judge.Report) -> None:
    held = Counter[bool]()
    for one in real.judged:
        hole = any(gap.kind is GapKind.HISTORY for gap in one.issue.gaps)
        verdict = one.of("resolution")
        assert verdict is not None
        held[hole] += 1
        if hole:
            assert verdict.status is Status.INDETERMINATE
            assert verdict.reason.detail.startswith("modifications not delivered: ")
    assert held == {True: 195, False: 232}


@pytest.mark.shared_data
def test_what_was_never_paused_is_due_where_counting_days_by_hand_says(real: judge.Report) -> None:
    """Ten working days from the day after the start, by a loop over dates and the notice of the State Council of 2016."""
    off = {date(2016, 4, 4), date(2016, 5, 2), date(2016, 6, 9), date(2016, 6, 10)}
    extra = {date(2016, 6, 12)}
    checked = 0
    for one in real.judged:
        for verdict in one.verdicts:
            if verdict.clock != "resolution" or verdict.pauses or str(verdict.goal) != "10bd until close_of_business":
                continue
            opened = one.issue.opened_at.astimezone(SHANGHAI)
            # What comes in after closing starts on the next working day.
            day, left = opened.date(), 10 + (opened.hour >= 18)
            while left:
                day += timedelta(days=1)
                left -= (day.weekday() < 5 and day not in off) or day in extra
            assert verdict.due_at == datetime.combine(day, time(18), SHANGHAI)
            if verdict.status is not Status.INDETERMINATE:
                assert verdict.stopped_at is not None
                assert verdict.status is (Status.MET if verdict.stopped_at <= verdict.due_at else Status.MISSED)
            checked += 1
    assert checked > 200


@pytest.mark.shared_data
def test_the_worst_ten_come_longest_past_due_first(real: judge.Report) -> None:
    worst = real.late[:10]
    assert len(worst) == 10
    assert [each.by for each in worst] == sorted((each.by for each in real.late), reverse=True)[:10]
    assert all(each.by > timedelta() for each in worst)


@pytest.mark.shared_data
def test_the_page_shows_what_its_commands_print(shared_data: Path, tmp_path: Path) -> None:
    page = console_page.PAGE.read_text(encoding="utf-8")
    again = console_page.rewritten(page, lambda command: console_page.printed(command, shared_data, tmp_path))
    assert again == page, "write it anew: python -m tests.flows.console_page"


@pytest.mark.shared_data
def test_the_calendar_of_the_page_is_the_one_its_command_writes(shared_data: Path, tmp_path: Path) -> None:
    command = "warranty calendars freeze CN 2016-2017 --id cn-office --out cn-office-2016-2017.yaml"
    console_page.printed(command, shared_data, tmp_path)
    written = (tmp_path / "cn-office-2016-2017.yaml").read_text(encoding="utf-8")
    shipped = CALENDAR.read_text(encoding="utf-8")
    assert written.rpartition(", read on ")[0] == shipped.rpartition(", read on ")[0]
