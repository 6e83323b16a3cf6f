"""The flow's collect tasks: none is begun, and nothing more is read in one, once a tracker is to be left alone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connectors.ledger import Ledger
from flows import enforce
from flows.run import Collected
from flows.site import Site
from flows.sitting import Sitting
from tests.flows.troubles import over_the_rate
from tests.flows.workshop import NOW, Workshop
from tests.memory_server import Trouble


@pytest.fixture
def sitting(workshop: Workshop) -> Iterator[Sitting]:
    workshop.edit("[CAR]", "[CAR, BUS]")
    workshop.north.projects["BUS"] = []
    with Ledger.open("sqlite://") as ledger:
        ledger.begin_run("one", "workshop", NOW)
        yield Sitting(Site.load(workshop.file), ledger, "one", NOW)


def test_within_a_task_the_other_projects_are_not_read(workshop: Workshop, sitting: Sitting) -> None:
    workshop.north.troubles.append(Trouble(over_the_rate, name="GET issues", times=1))
    state = enforce.collect.fn(sitting, "north", "CAR, BUS")
    car, bus = state.data
    assert "429" in car.cut_short
    assert bus.cut_short == car.left_alone
    assert workshop.north.requests.count("GET issues") == 1


def test_no_task_is_begun_for_a_tracker_that_is_left_alone_by_now(
    sitting: Sitting, monkeypatch: pytest.MonkeyPatch
) -> None:
    class _State:
        def result(self) -> tuple[Collected, ...]:
            return (Collected(tracker="south", project="VAN"),)

    begun: list[tuple[str, str]] = []

    def collect(_: object, tracker: str, projects: str, **__: object) -> _State:
        begun.append((tracker, projects))
        return _State()

    monkeypatch.setattr(enforce, "collect", collect)
    before = (Collected(tracker="north", project="CAR", cut_short="429", left_alone="it asked for it", rests=True),)
    (bus,) = enforce._by_a_task(sitting, "north", "BUS", before)
    assert (bus.project, bus.cut_short, bus.rests) == ("BUS", "it asked for it", True)
    assert begun == []
    enforce._by_a_task(sitting, "south", "VAN", before)
    assert begun == [("south", "VAN")]
