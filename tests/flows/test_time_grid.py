"""Whose time the promises took, as a run shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from policies.issue import Word
from tests.flows.workshop import at
from tests.memory_server import CLOSED, OPEN

if TYPE_CHECKING:
    from tests.flows.conftest import Command
    from tests.flows.workshop import Workshop

WAITING = Word("3", "Waiting for customer", "indeterminate")


def waited_and_closed(workshop: Workshop) -> None:
    north = workshop.north
    car = north.find("CAR-2")
    workshop.edit("Closed: closed}", "Closed: closed, Waiting for customer: waiting_for_customer}")
    north.set_status(car, WAITING, by="lena", at=at("06 12:00"))
    north.set_status(car, OPEN, by="lena", at=at("06 15:00"))
    north.set_status(car, CLOSED, by="lena", at=at("06 17:00"))


def test_a_run_tells_whose_time_the_ended_promises_took_in_a_table_and_for_programs(
    workshop: Workshop, warranty: Command
) -> None:
    waited_and_closed(workshop)
    said = warranty("plan").out
    assert "Whose time it was" in said
    assert "customer (paused)" in said
    assert "used without / with pauses" in said
    document = warranty("plan", "--json").document
    time = document["time"]["north"]["resolution"]
    assert time["cycles"] >= 1
    assert time["gross"] - time["used"] == sum(each["working"] for each in time["shares"] if each["paused"]) > 0
    assert time["gross"] == sum(each["working"] for each in time["shares"])


def test_without_an_ended_promise_there_is_no_such_table(workshop: Workshop, warranty: Command) -> None:
    workshop.edit("responders: [lena]", "bots: [lena]")
    assert "Whose time it was" not in warranty("plan").out
