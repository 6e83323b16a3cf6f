"""The timeline of one issue, as a person and as a program read it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from flows.exit_codes import Exit
from flows.explain import in_order, together
from policies.issue import Word
from policies.timeline import Kind, Line
from tests.flows.workshop import NOW, at
from tests.memory_server import CLOSED, OPEN

if TYPE_CHECKING:
    from tests.flows.conftest import Command
    from tests.flows.workshop import Workshop

WAITING = Word("3", "Waiting for customer", "indeterminate")


def paused_and_reopened(workshop: Workshop) -> None:
    north = workshop.north
    car = north.find("CAR-2")
    workshop.edit("Closed: closed}", "Closed: closed, Waiting for customer: waiting_for_customer}")
    north.set_status(car, WAITING, by="lena", at=at("06 12:00"))
    north.comment(car, "It is the red one", by="carla", at=at("06 15:00"))
    north.set_status(car, OPEN, by="lena", at=at("06 15:30"))
    north.set_status(car, CLOSED, by="lena", at=at("06 17:00"))
    north.set_status(car, OPEN, by="carla", at=at("09 09:00"))


def test_a_paused_and_reopened_issue_has_a_story_a_support_lead_can_follow(
    workshop: Workshop, warranty: Command
) -> None:
    paused_and_reopened(workshop)
    said = warranty("explain", "CAR-2")
    assert said.code == Exit.FINE
    for words in (
        "CAR-2  Radio is silent",
        "2026-03-06 10:00 CST",
        "public comment",
        "paused: awaiting customer",
        "Lena (responder)",
        "promised within 10bd",
        "due 2026-03-",
        "policy standard-warranty@1",
        "clocks.resolution.goals[1]",
    ):
        assert words in said.out, words


def test_a_paused_clock_is_due_at_the_earliest(workshop: Workshop, warranty: Command) -> None:
    workshop.edit("Closed: closed}", "Closed: closed, Waiting for customer: waiting_for_customer}")
    workshop.north.set_status(workshop.north.find("CAR-2"), WAITING, by="lena", at=at("06 12:00"))
    told = warranty("explain", "CAR-2").out
    paused = told[told.index("resolution: paused") :]
    assert paused[: paused.index("policy ")].count("due at the earliest 2026-03-") == 1
    assert "due at the earliest" not in told[told.index("\nresponse: ") : told.index("solution: ")]
    assert "due at the earliest where paused" in " ".join(warranty("plan").out.split())


def test_day_after_day_between_two_happenings_is_one_line(workshop: Workshop, warranty: Command) -> None:
    workshop.north.comment(workshop.north.find("CAR-2"), "Still at it", by="lena", at=at("13 10:00"))
    said = warranty("explain", "CAR-2", now=at("20 20:00"))
    runs = [row for row in said.out.splitlines() if "resolution" in row and "runs" in row]
    (folded,) = (" ".join(row.split()) for row in runs if "2026-03-09 13:00" in row)
    assert folded.endswith("resolution, response runs on 5 working days until 2026-03-13 12:00 CST 32:00 h")
    every = warranty("explain", "CAR-2", "--json", now=at("20 20:00")).document["timeline"]
    assert len([row for row in every if row["kind"] == "working"]) > len(runs) + 10


def test_a_clock_that_stops_as_it_starts_is_told_to_start_first() -> None:
    def entry(kind: Kind, clock: str = "resolution") -> Line:
        return Line(NOW, kind, kind.value, clock=clock)

    earlier = Line(NOW - timedelta(hours=1), Kind.START, "start", clock="running")
    story = [earlier, *(entry(kind, clock) for clock in ("resolution", "running") for kind in (Kind.STOP, Kind.START))]
    told = [(row.clock, row.kind) for row in in_order(story)]
    assert [kind for clock, kind in told if clock == "resolution"] == [Kind.START, Kind.STOP]
    assert [kind for clock, kind in told if clock == "running"] == [Kind.START, Kind.STOP, Kind.START]


def test_what_clocks_do_alike_is_one_line_and_what_people_did_stays_apart() -> None:
    later = NOW + timedelta(hours=1)
    story = [
        Line(NOW, Kind.EVENT, "public comment", who="Lena"),
        Line(NOW, Kind.EVENT, "public comment", who="Otto"),
        Line(NOW, Kind.WORKING, "runs", later, "resolution", worked=timedelta(hours=1)),
        Line(NOW, Kind.WORKING, "runs", later, "solution", worked=timedelta(hours=1)),
        Line(NOW, Kind.WORKING, "runs", NOW + timedelta(hours=2), "closing", worked=timedelta(hours=2)),
    ]
    assert [(row.kind.value, row.clock, row.who) for row in together(story)] == [
        ("event", "", "Lena"),
        ("event", "", "Otto"),
        ("working", "resolution, solution", ""),
        ("working", "closing", ""),
    ]


def test_the_same_story_is_a_document(workshop: Workshop, warranty: Command) -> None:
    paused_and_reopened(workshop)
    document = warranty("explain", "CAR-2", "--json").document
    kinds = {line["kind"] for line in document["timeline"]}
    assert kinds >= {"event", "working", "paused", "start", "due", "now"}
    assert document["policy"] == "standard-warranty@1"
    assert document["verdicts"][0]["goal"] == "24h"


def test_an_issue_of_the_second_tracker_is_found_too(warranty: Command) -> None:
    assert "Door sticks" in warranty("explain", "VAN-1").out


def test_an_unknown_key_is_told(warranty: Command) -> None:
    said = warranty("explain", "CAR-99")
    assert said.code == Exit.BAD_INPUT
    assert "no tracker of the site has an issue CAR-99 (north, south)" in said.err


def test_a_tracker_that_is_down_is_told(workshop: Workshop, warranty: Command) -> None:
    workshop.edit("http://127.0.0.1/north", "http://127.0.0.1/dead")
    said = warranty("explain", "CAR-1")
    assert said.code == Exit.TRACKER
    assert "connection refused" in said.err


def test_a_status_without_meaning_is_told_with_the_line_to_add(workshop: Workshop, warranty: Command) -> None:
    workshop.north.set_status(workshop.north.find("CAR-1"), WAITING, by="lena")
    said = warranty("explain", "CAR-1")
    assert said.code == Exit.BAD_INPUT
    assert "Waiting for customer" in said.err


def test_our_own_report_is_no_issue_to_explain(warranty: Command) -> None:
    warranty("apply")
    assert "our own report" in warranty("explain", "CAR-3").err


def test_whose_time_it_was_is_told_for_each_clock_as_a_bar_and_as_a_document(
    workshop: Workshop, warranty: Command
) -> None:
    paused_and_reopened(workshop)
    said = warranty("explain", "CAR-2")
    assert "with pauses)" in said.out
    assert "░ customer (paused) " in said.out
    verdicts = warranty("explain", "CAR-2", "--json").document["verdicts"]
    shared = [verdict for verdict in verdicts if verdict["time"]]
    assert len(shared) > 1
    for verdict in shared:
        assert sum(share["working"] for share in verdict["time"] if not share["paused"]) == verdict["used"]
        assert sum(share["working"] for share in verdict["time"]) == verdict["gross"]


def test_a_handover_is_told(workshop: Workshop, warranty: Command) -> None:
    north = workshop.north
    car = north.find("CAR-2")
    north.set_assignee(car, "lena", by="lena")
    north.set_assignee(car, "otto", by="lena")
    said = warranty("explain", "CAR-2", now=at("10 12:00"))
    assert "handed over no tier -> L1" in said.out
    assert "handed over L1 -> L2" in said.out
