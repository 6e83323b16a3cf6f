"""A tracker that wishes to be left alone is: by whoever reads it, and by all who write to it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from connectors.tracker import CredentialsRefused, NotFound, RateLimited, ServerFailed, TrackerError, Unreachable
from flows import collecting
from flows.exit_codes import Exit
from flows.left_alone import Patience
from flows.run import Collected
from flows.site import Site
from tests.flows.conftest import Command
from tests.flows.workshop import Workshop, at
from tests.memory_server import Record, Trouble


def over_the_rate() -> TrackerError:
    return RateLimited("429 from the server", retry_after=600)


def turned_away() -> TrackerError:
    return CredentialsRefused("401 from the server")


def server_error() -> TrackerError:
    return ServerFailed("500 from the server")


def writes(requests: list[str]) -> Counter[str]:
    return Counter(name for name in requests if name.startswith(("PUT", "POST")))


@pytest.mark.parametrize("wish", [over_the_rate, turned_away])
def test_what_was_told_while_it_was_read_holds_for_the_writing(
    workshop: Workshop, warranty: Command, wish: Callable[[], TrackerError]
) -> None:
    workshop.north.troubles.append(Trouble(wish, name="GET releases", times=1))
    said = warranty("apply", "--json")
    mine = [one for one in said.document["receipts"] if one["tracker"] == "north"]
    assert mine
    assert {one["outcome"] for one in mine} == {"not_tried"}
    assert all(f"left alone: {wish().detail}" in one["error"] for one in mine)
    assert not writes(workshop.north.requests)
    assert {one["outcome"] for one in said.document["receipts"] if one["tracker"] == "south"} == {"performed"}
    assert said.code == Exit.PARTLY
    assert warranty("apply").code == Exit.FINE
    assert warranty("apply", "--json").document["receipts"] == []


def test_what_goes_wrong_while_it_is_read_in_another_way_keeps_nobody_from_writing(
    workshop: Workshop, warranty: Command
) -> None:
    workshop.north.troubles.append(Trouble(server_error, name="GET releases", times=1))
    said = warranty("apply", "--json")
    assert {one["outcome"] for one in said.document["receipts"] if one["tracker"] == "north"} == {"performed"}


@pytest.mark.parametrize("first", ["", "GET releases"], ids=["at once", "in the middle"])
def test_its_other_projects_are_not_read_then(workshop: Workshop, warranty: Command, first: str) -> None:
    workshop.edit("[CAR]", "[CAR, BUS, TRAM]")
    workshop.north.projects.update(BUS=[], TRAM=[])
    workshop.north.troubles.append(Trouble(over_the_rate, name=first, times=1))
    said = warranty("plan", "--json")
    assert workshop.north.requests.count("GET issues") == (1 if first else 0)
    faults = said.document["faults"]
    assert "429" in faults["north/CAR"]
    assert faults["north/BUS"] == faults["north/TRAM"]
    assert faults["north/BUS"].startswith("the tracker was left alone: 429 from the server")
    assert "south/VAN" not in faults


def test_nothing_is_read_of_a_tracker_that_was_to_be_left_alone_earlier_in_the_run(workshop: Workshop) -> None:
    site = Site.load(str(workshop.file))
    before = [
        Collected(tracker="south", project="VAN"),
        Collected(tracker="north", project="CAR", left_alone="it asked for it", rests=True),
    ]

    def read(name: str) -> list[Collected]:
        return [Collected(tracker="south", project=name)]

    (found,) = collecting.while_asked(site.tracker("north"), ["BUS"], read, before)
    assert (found.project, found.cut_short, found.rests) == ("BUS", "it asked for it", True)
    (found,) = collecting.while_asked(site.tracker("south"), ["BUS"], read, before)
    assert found.cut_short == ""


@pytest.mark.parametrize("trouble", [server_error, over_the_rate, turned_away])
def test_what_one_writer_is_told_ends_all_of_them(
    workshop: Workshop, warranty: Command, monkeypatch: pytest.MonkeyPatch, trouble: Callable[[], TrackerError]
) -> None:
    monkeypatch.setattr("flows.writing.LANE_FROM", 5)
    made: list[Record] = [
        workshop.north.open("CAR", f"Lamp {number} is dim", by="carla", at=at("05 10:00")) for number in range(60)
    ]
    workshop.north.troubles.append(Trouble(trouble, name="PUT", times=1000))
    said = warranty("apply", "--json").document
    outcomes = Counter(one["outcome"] for one in said["receipts"] if one["tracker"] == "north")
    issues = {one["issue"] for one in said["receipts"] if one["outcome"] == "failed"}
    assert outcomes["performed"] == 0
    assert 1 <= len(issues) <= 3 + 4, f"of {len(made)} three, and one that each of the writers was at"


def test_patience_counts_issues_in_a_row_whoever_was_at_them() -> None:
    patience = Patience()
    for failure in (ServerFailed("500"), Unreachable("gone"), None, ServerFailed("500"), NotFound("404")):
        patience.tell(failure)
        assert patience.over == ""
    for failure in (ServerFailed("500"), ServerFailed("501"), ServerFailed("502"), ServerFailed("503")):
        patience.tell(failure)
    assert patience.over.startswith("the tracker was left alone: 502")
    assert Patience("as it was told before").over == "as it was told before"
