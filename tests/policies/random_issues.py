"""Random histories: any states, replies, severities, labels and gaps, in any order, instants often shared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import strategies as st

from policies.issue import Commented, SeverityChanged, State, StateChanged
from tests.policies.build_issue import (
    AGENT,
    BOT,
    COLLEAGUE,
    CUSTOMER,
    DELETED,
    OWN,
    RESOLUTION,
    at,
    build_issue,
    build_pack,
    labels,
)

if TYPE_CHECKING:
    from policies.issue import Event, Issue
    from policies.pack import PolicyPack

HOURS = st.integers(0, 24 * 16 * 2).map(lambda halves: halves / 2)
"""Up to sixteen days, by half hours: coarse enough that instants coincide."""

_ACTORS = st.sampled_from((AGENT, BOT, COLLEAGUE, CUSTOMER, DELETED, OWN))
_STEPS = st.lists(
    st.tuples(
        HOURS,
        st.one_of(
            st.sampled_from(State),
            st.sampled_from(("urgent", "high", "normal")),
            st.tuples(_ACTORS, st.booleans()),
            st.just("vip"),
        ),
    ),
    max_size=9,
)


@st.composite
def issues(draw: st.DrawFn) -> Issue:
    """An issue whose field events follow one from the other."""
    state, severity = State.OPEN, "normal"
    events: list[Event] = []
    vip = False
    for number, (hour, step) in enumerate(sorted(draw(_STEPS), key=lambda each: each[0])):
        name = f"event-{number}"
        if isinstance(step, State):
            if step is not state:
                events.append(StateChanged(id=name, at=at(hour), actor=AGENT, before=state, after=step))
                state = step
        elif isinstance(step, tuple):
            actor, public = step
            events.append(Commented(id=name, at=at(hour), actor=actor, comment=name, public=public))
        elif step == "vip":
            events.append(labels(hour, added=() if vip else (step,), removed=(step,) if vip else ()))
            vip = not vip
        elif step != severity:
            events.append(SeverityChanged(id=name, at=at(hour), actor=AGENT, before=severity, after=step))
            severity = step
    return build_issue(*events, state=state, severity=severity, labels=frozenset({"vip"} if vip else ()))


_GOALS = [
    {"when": {"severity": "urgent"}, "within": "8h"},
    {"when": {"severity": "high"}, "within": "48h"},
    {"within": "5bd"},
]


@st.composite
def packs(draw: st.DrawFn) -> PolicyPack:
    """Two clocks, with every way to reopen and to retarget, and every action that writes to an issue."""
    clock = {
        **RESOLUTION,
        "goals": _GOALS,
        "reopen": draw(st.sampled_from(("resume", "new_cycle", "ignore"))),
        "on_retarget": draw(st.sampled_from(("from_start", "from_change", "from_start_with_floor"))),
    }
    actions = (
        {"do": "priority", "when": {"label": "vip"}, "at_least": "high"},
        {"do": "due_date", "clock": "resolution"},
        {"do": "due_date", "clock": "first_response"},
        {
            "do": "escalate",
            "clock": "resolution",
            "levels": [{"at": "50%", "tier": "L2"}, {"at": "150%", "tier": "L3"}],
        },
        {"do": "escalate", "clock": "first_response", "levels": [{"at": "100%", "tier": "L3"}]},
        {"do": "comment"},
        {"do": "label"},
        {"do": "label", "clocks": ["resolution"], "statuses": ["overdue"]},
    )
    response = {"stop": "first_response", "goals": [{"within": "6bh"}]}
    return build_pack(actions, first_response=response, resolution=clock)
