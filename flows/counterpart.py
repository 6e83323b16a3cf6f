"""Which clock of ours measures what one of a tracker's own clocks does.

Rules:

1. A tracker's clock whose name says first response or resolution measures just that, so only a clock of ours that stops
   there can be its counterpart, whatever ours is called: one that stops at the first public reply; one that stops where
   an issue is resolved or closed and not before, and does not start there either.
2. All others stand together where their names say the same.
3. Of several that could, the one takes it whose promise is for the issue, then the one named most alike, then the one
   that starts with the issue, then the one that waits for nothing but a state. Where two are as near, neither takes it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from policies.conditions import Condition
from policies.history import Moment
from policies.issue import State

if TYPE_CHECKING:
    from policies.clock import Clock
    from policies.native_sla import NativeSla

_FILLERS = frozenset({"time", "to", "the", "of", "until", "till", "sla"})
_AFTER = frozenset({"after", "since", "from"})  # what follows names a start: "time to close after resolution"
_WORD = re.compile(r"\w+")
_FIRST_RESPONSE, _FIRST_RESPONSE_ZH = frozenset({"first", "response"}), "首次响应"
_RESOLUTION, _RESOLUTION_ZH, _AFTER_ZH = frozenset({"resolution"}), "解决", "后"
_WITH_THE_ISSUE = frozenset({"opened", "reported"})
_AT_WORK = (State.OPEN, State.ACCEPTED, State.IN_PROGRESS, State.WAITING_FOR_CUSTOMER, State.WAITING_FOR_THIRD_PARTY)
_DONE = (State.RESOLVED, State.VERIFIED, State.CLOSED)
_NEVER = datetime(2000, 1, 1, tzinfo=UTC)  # conditions never look at the instant


class _Nearness(NamedTuple):
    """How well two clocks go together; of two the greater is the nearer.

    Attributes:
        says: the share of the tracker's name that says what it measures; 0 where only names are compared.
        applies: our promise is for the issue.
        alike: how much the names say the same.
    """

    says: float
    applies: bool
    alike: float
    with_the_issue: bool
    by_state_alone: bool


def counterparts(
    slas: Sequence[NativeSla], clocks: Mapping[str, Clock], applying: Collection[str]
) -> dict[str, NativeSla]:
    """Clock of ours -> the tracker's clock that stands beside it; what has no counterpart is left out.

    Args:
        clocks: ours, by name.
        applying: those whose promise is for the issue.
    """
    near = {
        (name, place): found
        for name, clock in clocks.items()
        for place, sla in enumerate(slas)
        if (found := _nearness(name, clock, sla.name, applies=name in applying)) is not None
    }
    taken: dict[str, NativeSla] = {}
    for (name, place), nearness in near.items():
        rivals = [other for key, other in near.items() if (key[0] == name) != (key[1] == place)]
        if all(nearness > rival for rival in rivals):
            taken[name] = slas[place]
    return taken


def _nearness(name: str, clock: Clock, theirs: str, *, applies: bool) -> _Nearness | None:
    """None where the two measure different things, or have nothing in common."""
    alike = max(_likeness(each, theirs) for each in (name, *clock.title.values()))
    with_the_issue = isinstance(clock.start, str) and clock.start in _WITH_THE_ISSUE
    by_state_alone = isinstance(clock.stop, Condition) and clock.stop.model_fields_set == {"state"}
    says = 0.0
    if first := _says(theirs, _FIRST_RESPONSE, _FIRST_RESPONSE_ZH):
        if clock.stop != "first_response":
            return None
        says = first
    elif resolution := _says(theirs, _RESOLUTION, _RESOLUTION_ZH):
        if not _ends_with_the_work(clock):
            return None
        says = resolution
    elif not alike:
        return None
    if says and not (applies or with_the_issue):
        return None
    return _Nearness(says, applies, alike, with_the_issue, by_state_alone)


def _says(name: str, meaning: frozenset[str], written: str) -> float:
    """The share of a name that says this, 0 if it says something else; ``written`` in languages without blanks."""
    words = _words(name)
    if meaning <= words and words.isdisjoint(_AFTER):
        return len(meaning) / len(words)
    if written in name and _AFTER_ZH not in name:
        return len(written) / len(name)
    return 0.0


def _ends_with_the_work(clock: Clock) -> bool:
    """It stops where an issue is resolved, verified or closed, and neither stops before nor starts there."""
    return _only_once_done(clock.stop) and not _only_once_done(clock.start)


def _only_once_done(point: str | Condition) -> bool:
    if isinstance(point, str):
        return False
    return any(point.holds(_in(state)) for state in _DONE) and not any(point.holds(_in(state)) for state in _AT_WORK)


def _in(state: State) -> Moment:
    """Any issue in this state: one of which nothing else is known."""
    return Moment(
        since=_NEVER,
        state=state,
        severity=None,
        category=None,
        labels=frozenset(),
        priority=None,
        type=None,
        assignee=None,
        reporter="",
        components=(),
    )


def _likeness(ours: str, theirs: str) -> float:
    """How much two names say the same: 1 for the same words, less where one says more, 0 for different things."""
    one, other = _words(ours), _words(theirs)
    if not one or not other:
        return 0.0
    if one <= other or other <= one:
        return len(one & other) / len(one | other)
    # Languages that write without blanks.
    inside = min((ours, theirs), key=len) in max((ours, theirs), key=len)
    return 0.5 if inside and not ours.isascii() else 0.0


def _words(name: str) -> frozenset[str]:
    return frozenset(_WORD.findall(name.casefold().replace("_", " "))) - _FILLERS
