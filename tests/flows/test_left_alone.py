"""A tracker that wishes to be left alone is: by whoever reads it, and by all who write to it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

import pytest

from connectors.ledger import Ledger
from connectors.tracker import NotFound, RateLimited, ServerFailed, TrackerError, Unreachable
from connectors.work import Work, Worked
from flows import collecting
from flows.left_alone import Patience, Wish
from flows.run import Collected
from flows.site import Site
from flows.sitting import Sitting
from flows.tracker_site import TrackerSite
from tests.flows.conftest import Command
from tests.flows.troubles import missing, over_the_rate, server_error, turned_away
from tests.flows.workshop import NOW, Workshop, at
from tests.memory_server import Trouble
from tests.memory_tracker import MemoryWriter


@pytest.mark.parametrize("trouble", [over_the_rate, turned_away, server_error])
@pytest.mark.parametrize("name", ["GET releases", "GET ids"])
def test_what_goes_wrong_beside_the_issues_keeps_nobody_from_reading_and_writing(
    workshop: Workshop, warranty: Command, trouble: Callable[[], TrackerError], name: str
) -> None:
    workshop.edit("[CAR]", "[CAR, BUS]")
    workshop.north.projects["BUS"] = []
    warranty("plan")
    workshop.north.troubles.append(Trouble(trouble, name=name, times=1000))
    del workshop.north.requests[:]
    # Ids are compared once a day.
    said = warranty("apply", "--json", now=NOW + timedelta(days=2)).document
    assert name in workshop.north.requests
    assert {one["outcome"] for one in said["receipts"]} == {"performed"}
    assert workshop.north.requests.count("GET issues") >= 2


@pytest.mark.parametrize("trouble", [over_the_rate, turned_away])
def test_where_issues_can_not_be_read_other_projects_are_not_asked_for(
    workshop: Workshop, warranty: Command, trouble: Callable[[], TrackerError]
) -> None:
    workshop.edit("[CAR]", "[CAR, BUS, TRAM]")
    workshop.north.projects.update(BUS=[], TRAM=[])
    workshop.north.troubles.append(Trouble(trouble, name="GET issues", times=1))
    said = warranty("plan", "--json")
    assert workshop.north.requests.count("GET issues") == 1
    assert said.document["state"] == "amber"
    faults = said.document["faults"]
    assert trouble().detail in faults["north/CAR"]
    assert faults["north/BUS"] == faults["north/TRAM"]
    assert faults["north/BUS"].startswith(f"the tracker was left alone: {trouble().detail}")
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


@pytest.fixture
def many(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> Workshop:
    """Sixty issues, written to by four writers."""
    monkeypatch.setattr("flows.writing.LANE_FROM", 5)
    for number in range(60):
        workshop.north.open("CAR", f"Lamp {number} is dim", by="carla", at=at("05 10:00"))
    return workshop


@pytest.mark.parametrize("trouble", [over_the_rate, turned_away])
def test_what_one_writer_is_told_ends_all_of_them(
    many: Workshop, warranty: Command, trouble: Callable[[], TrackerError]
) -> None:
    many.north.troubles.append(Trouble(trouble, name="PUT", times=1000))
    said = warranty("apply", "--json").document
    mine = [one for one in said["receipts"] if one["tracker"] == "north"]
    assert {one["outcome"] for one in mine} == {"failed", "not_tried"}
    assert len({one["issue"] for one in mine if one["outcome"] == "failed"}) <= 4, "one that each of them was at"
    assert {one["outcome"] for one in said["receipts"] if one["tracker"] == "south"} == {"performed"}


@pytest.mark.usefixtures("many")
def test_a_writer_that_gets_no_answer_ends_alone(warranty: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    real = MemoryWriter.perform

    def perform(self: MemoryWriter, work: Sequence[Work], now: datetime) -> Iterator[Worked]:
        if all(piece.issue is None or piece.issue.ref.key != "CAR-1" for piece in work):
            yield from real(self, work, now)
            return
        for piece in work:
            yield Worked.broken_off(piece, (), server_error(), now)

    monkeypatch.setattr(MemoryWriter, "perform", perform)
    said = warranty("apply", "--json").document
    mine = [one for one in said["receipts"] if one["tracker"] == "north"]
    assert len({one["issue"] for one in mine if one["outcome"] == "failed"}) == 3
    assert sum(one["outcome"] == "performed" for one in mine) >= len(mine) / 2
    assert "not_tried" in {one["outcome"] for one in mine}


def test_where_a_look_whether_an_issue_is_gone_is_told_to_rest_no_writer_goes_on(
    many: Workshop, warranty: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def look(*_: object) -> None:
        raise over_the_rate()

    monkeypatch.setattr("flows.writing._Lane._read", look)
    many.north.troubles.append(Trouble(missing, name="PUT", times=1))
    said = warranty("apply", "--json").document
    outcomes = Counter(one["outcome"] for one in said["receipts"] if one["tracker"] == "north")
    assert outcomes["not_tried"] > outcomes["performed"]


def test_what_was_written_is_not_read_back_of_a_tracker_that_wishes_to_be_left_alone(
    many: Workshop, warranty: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flows.writing.READ_BACK_FROM", 1)
    asked: list[str] = []

    def read_back(_: object, tracker: TrackerSite, __: object) -> Counter[str]:
        asked.append(tracker.name)
        return Counter()

    monkeypatch.setattr(collecting, "read_back", read_back)
    many.north.troubles.append(Trouble(over_the_rate, name="POST", times=1))
    said = warranty("apply", "--json").document
    assert "performed" in {one["outcome"] for one in said["receipts"] if one["tracker"] == "north"}
    assert asked == ["south"]


def test_reading_back_ends_where_the_tracker_asks_for_a_rest(workshop: Workshop) -> None:
    workshop.edit("[CAR]", "[CAR, BUS]")
    workshop.north.projects["BUS"] = []
    site = Site.load(str(workshop.file))
    workshop.north.troubles.append(Trouble(over_the_rate, name="GET issues", times=1))
    with Ledger.open("sqlite://") as ledger:
        collecting.read_back(Sitting(site, ledger, "one", NOW), site.tracker("north"), ["CAR", "BUS"])
    assert workshop.north.requests.count("GET issues") == 1


def test_patience_counts_issues_in_a_row() -> None:
    patience = Patience(Wish())
    for failure in (ServerFailed("500"), Unreachable("gone"), None, ServerFailed("500"), NotFound("404")):
        patience.tell(failure)
        assert patience.over == ""
    for failure in (ServerFailed("500"), ServerFailed("501"), ServerFailed("502"), ServerFailed("503")):
        patience.tell(failure)
    assert patience.over.startswith("the tracker was left alone: 502")


def test_the_wish_of_a_tracker_is_for_all_its_writers_and_silence_for_one() -> None:
    wish = Wish()
    one, other = Patience(wish), Patience(wish)
    for _ in range(3):
        one.tell(Unreachable("gone"))
    assert one.over
    assert other.over == ""
    other.tell(RateLimited("429"))
    assert one.over == other.over == wish.why
