"""Histories shaped like those of a support desk: twenty events, a pause or two, labels, replies inside and outside."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from policies.issue import (
    Actor,
    AssigneeChanged,
    Commented,
    Event,
    Issue,
    IssueRef,
    LabelsChanged,
    Opened,
    Role,
    SeverityChanged,
    State,
    StateChanged,
    Word,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

EVENTS = 20
NOW = datetime(2026, 6, 1, tzinfo=UTC)
CUSTOMER, AGENT = Actor(id="chen", role=Role.CUSTOMER), Actor(id="amy", role=Role.RESPONDER)
ENGINEER, ROBOT = Actor(id="bob", role=Role.RESPONDER), Actor(id="robot", role=Role.BOT, bot=True)

NEXT: dict[State, tuple[tuple[State, int], ...]] = {
    State.OPEN: ((State.ACCEPTED, 9), (State.CANCELLED, 1)),
    State.ACCEPTED: ((State.IN_PROGRESS, 1),),
    State.IN_PROGRESS: (
        (State.WAITING_FOR_CUSTOMER, 5),
        (State.WAITING_FOR_THIRD_PARTY, 1),
        (State.RESOLVED, 4),
    ),
    State.WAITING_FOR_CUSTOMER: ((State.IN_PROGRESS, 9), (State.RESOLVED, 1)),
    State.WAITING_FOR_THIRD_PARTY: ((State.IN_PROGRESS, 1),),
    State.RESOLVED: ((State.VERIFIED, 4), (State.CLOSED, 5), (State.IN_PROGRESS, 1)),
    State.VERIFIED: ((State.CLOSED, 1),),
    State.CLOSED: ((State.CLOSED, 1),),
    State.CANCELLED: ((State.CANCELLED, 1),),
}
"""From each state to the next, with weights: a tenth of what is resolved is reopened."""


def histories(issues: int) -> Iterator[Issue]:
    """So many issues, one after the other; the same in every run."""
    chosen = random.Random(20260307)  # noqa: S311 - no secret depends on it
    for number in range(issues):
        yield _issue(number, chosen)


def _issue(number: int, chosen: random.Random) -> Issue:
    opened = NOW - timedelta(minutes=chosen.randrange(60, 120 * 24 * 60))
    at, state, severity, assignee = opened, State.OPEN, "normal", AGENT
    labels: list[str] = []
    events: list[Event] = [Opened(id="opened", at=opened, actor=CUSTOMER)]
    while len(events) < EVENTS:
        at += timedelta(minutes=chosen.choice((5, 20, 60, 240, 24 * 60, 3 * 24 * 60)) * chosen.uniform(0.5, 1.5))
        name = f"{number}-{len(events)}"
        kind = chosen.random()
        if kind < 0.45:
            actor = chosen.choice((CUSTOMER, AGENT, AGENT, ENGINEER, ROBOT))
            events.append(Commented(id=name, at=at, actor=actor, comment=name, public=chosen.random() < 0.7))
        elif kind < 0.75:
            after = _drawn(NEXT[state], chosen)
            if after is not state:
                events.append(StateChanged(id=name, at=at, actor=assignee, before=state, after=after))
                state = after
        elif kind < 0.92:
            word = f"label-{chosen.randrange(40)}"
            if word not in labels:
                labels.append(word)
                events.append(LabelsChanged(id=name, at=at, actor=AGENT, added=(word,)))
        elif kind < 0.96:
            other = ENGINEER if assignee is AGENT else AGENT
            events.append(AssigneeChanged(id=name, at=at, actor=AGENT, before=assignee.id, after=other.id))
            assignee = other
        else:
            other_severity = "high" if severity == "normal" else "normal"
            events.append(SeverityChanged(id=name, at=at, actor=AGENT, before=severity, after=other_severity))
            severity = other_severity
    return Issue(
        ref=IssueRef("bench", "CAR", f"CAR-{number}", str(number)),
        title="Bench",
        type=Word("1", "Bug"),
        status=Word("1", "Open"),
        reporter=CUSTOMER,
        assignee=assignee,
        opened_at=opened,
        updated_at=at,
        labels=frozenset(labels),
        state=state,
        severity=severity,
        events=tuple(events),
    )


def _drawn(weighted: tuple[tuple[State, int], ...], chosen: random.Random) -> State:
    return chosen.choices([state for state, _ in weighted], [weight for _, weight in weighted])[0]
