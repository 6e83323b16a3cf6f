"""What we wrote ourselves wakes nothing; whatever anybody else did does."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.echo import echoes
from policies.issue import AssigneeChanged, Commented, Gap, GapKind, Issue, Word
from tests.policies.build_issue import AGENT, CUSTOMER, DELETED, OWN, at, build_issue, labels, reply

BEFORE = build_issue(reply(1), labels(2, added=("vip",)), reply(3, by=OWN, text="due tomorrow"))
LATER = {"updated_at": at(9)}


def after(*more: Any, **facts: Any) -> Issue:
    return replace(BEFORE, **{**LATER, **facts}, events=(*BEFORE.events, *more))


def test_the_same_issue_is_an_echo() -> None:
    assert echoes(BEFORE, BEFORE)
    assert echoes(BEFORE, after())


def test_our_labels_and_comments_are_echoes() -> None:
    ours = after(
        labels(8, added=("warranty::ok",), by=OWN), reply(8.5, by=OWN), labels=frozenset({"vip", "warranty::ok"})
    )
    assert echoes(BEFORE, ours)


def test_our_assignment_is_none_as_it_gives_the_issue_to_another_tier() -> None:
    given = AssigneeChanged(id="given", at=at(8), actor=OWN, before=None, after="otto")
    assert not echoes(BEFORE, after(given, assignee=AGENT))
    assert echoes(after(given, assignee=AGENT), after(given, reply(8.5, by=OWN), assignee=AGENT)), "looked at once"


def test_our_comment_edited_in_place_or_taken_off_is_an_echo() -> None:
    edited = tuple(
        replace(event, text="due today") if isinstance(event, Commented) and event.actor == OWN else event
        for event in BEFORE.events
    )
    assert echoes(BEFORE, replace(BEFORE, events=edited))
    assert echoes(BEFORE, replace(BEFORE, events=tuple(event for event in BEFORE.events if event.actor != OWN)))


@pytest.mark.parametrize("who", [AGENT, CUSTOMER, DELETED], ids=["a colleague", "a customer", "somebody deleted"])
def test_anything_anybody_else_did_is_none(who: Any) -> None:
    assert not echoes(BEFORE, after(reply(8, by=who)))
    assert not echoes(BEFORE, after(labels(7, added=("x",), by=OWN), reply(8, by=who)))


def test_somebody_elses_comment_edited_or_deleted_is_none() -> None:
    edited = tuple(
        replace(event, text="I meant the other one") if isinstance(event, Commented) and event.actor == AGENT else event
        for event in BEFORE.events
    )
    assert not echoes(BEFORE, replace(BEFORE, events=edited))
    fewer = tuple(event for event in BEFORE.events if not (isinstance(event, Commented) and event.actor == AGENT))
    assert not echoes(BEFORE, replace(BEFORE, events=fewer))


def test_our_comment_that_became_somebody_elses_is_none() -> None:
    taken = tuple(replace(event, actor=AGENT) if event.actor == OWN else event for event in BEFORE.events)
    assert not echoes(BEFORE, replace(BEFORE, events=taken))


@pytest.mark.parametrize(
    "facts",
    [
        {"title": "Another title"},
        {"confidential": True},
        {"fields": (("contract", "A-17"),)},
        {"organisation": "North"},
        {"status": Word("9", "Parked")},
        {"resolution": "Duplicate"},
        {"reported_at": at(-5)},
        {"gaps": (Gap(GapKind.COMMENTS, "three are missing"),)},
        {"ref": replace(BEFORE.ref, key="BUS-1", project="BUS")},
    ],
)
def test_a_fact_that_no_event_tells_of_is_none(facts: dict[str, Any]) -> None:
    assert not echoes(BEFORE, after(**facts))


@given(st.lists(st.sampled_from([OWN, AGENT, CUSTOMER]), max_size=6))
def test_it_is_an_echo_exactly_if_all_new_events_are_ours(actors: list[Any]) -> None:
    more = [reply(10 + number, by=actor, name=f"new-{number}") for number, actor in enumerate(actors)]
    assert echoes(BEFORE, after(*more)) == all(actor == OWN for actor in actors)
