"""What a tracker can not tell by its nature: what happened, what it has of it, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from policies.issue import State
from tests.event_log import (
    CUSTOMER,
    FIRST,
    OWN,
    Difference,
    Labels,
    Log,
    Merges,
    Plans,
    Volume,
    Weighs,
)
from tests.event_logs import ASKED, DONE, SUPPLIER, WORK, a_log, at, says, to


def _volume(*logs: Log, releases: Mapping[str, datetime | None] | None = None) -> Volume:
    return Volume(logs, releases or {})


_IN_PARTS = a_log(
    "the customer answers in the second in which we asked",
    to("03-02 02:00", WORK, seconds=0.75),
    to("03-02 06:00", ASKED, seconds=5.25),
    says("03-02 06:00", CUSTOMER, "Already sent", 5.5),
    to("03-04 06:00", WORK, seconds=0.125),
    at=at("03-02 01:00", 0.5),
    severity="urgent",
)
_DONE = a_log("done, and its release comes out at noon", to("03-03 03:00", DONE))
_PLANNED = replace(_DONE, steps=(*_DONE.steps, Plans(at=at("03-03 04:00"), by=FIRST, versions=("2.4.1",))))
_TWO = replace(_DONE, title="the fix goes into two lines")
_OURS = a_log(
    "a severity that our account raised and a person lowered",
    Weighs(at=at("03-02 03:00"), by=OWN, severity="high"),
    Weighs(at=at("03-02 04:00"), by=FIRST, severity="normal"),
)
_OUR_LABEL = replace(
    _OURS,
    steps=(
        _OURS.steps[0],
        Labels(at=at("03-02 03:00"), by=OWN, add=("severity::high",)),
        _OURS.steps[1],
        Labels(at=at("03-02 04:00"), by=FIRST, remove=("severity::high",)),
    ),
)
_FORTH = Labels(at=at("03-02 03:00"), by=FIRST, add=("on-hold",))
_BACK = replace(_FORTH, add=(), remove=("on-hold",))
_TWICE = a_log("a label put on and taken off by one person in one second", _FORTH, _BACK, says("03-02 03:01", FIRST))
_WAITED = a_log(
    "the label of a state was deleted since",
    to("03-02 02:00", WORK),
    to("03-02 06:00", SUPPLIER),
    to("03-04 06:00", WORK),
    severity="urgent",
)
_NAMELESS = replace(_WAITED, steps=(_WAITED.steps[0], to("03-02 06:00", State.OPEN), _WAITED.steps[2]))
_GIVEN_UP = a_log(
    "given up by a resolution, taken up again, and given up for good",
    to("03-02 03:00", State.CANCELLED),
    to("03-04 03:00", WORK, CUSTOMER),
    to("03-06 03:00", State.CANCELLED),
)
_CLOSED_FIRST = replace(_GIVEN_UP, steps=(to("03-02 03:00", State.CLOSED), *_GIVEN_UP.steps[1:]))


def _cut(log: Log) -> Log:
    """The log to the second."""
    steps = tuple(replace(step, at=step.at.replace(microsecond=0)) for step in log.steps)
    return replace(log, at=log.at.replace(microsecond=0), steps=steps)


def _fixed_in(log: Log, *versions: str) -> Log:
    return replace(log, steps=(*log.steps, Plans(at=at("03-03 04:00"), by=FIRST, versions=versions)))


def _merged(title: str, when: str, version: str) -> Log:
    return a_log(title, Merges(at=at(when), by=FIRST, version=version))


_LINES: Mapping[str, datetime | None] = {"2.4.1": at("03-09 00:00"), "2.5.0": at("03-11 00:00")}
_SECOND_MERGE = _merged("merged later, for the release that comes first", "03-04 03:00", "2.4.1")

DIFFERENCES = (
    Difference(
        kind="gitlab",
        why="its history knows whole seconds: of two things in one second it has no first",
        happened=_volume(_IN_PARTS),
        told=_volume(_cut(_IN_PARTS)),
    ),
    Difference(
        kind="jira",
        why="a version has a date of release, not an instant: it counts from the start of that day in UTC",
        happened=_volume(_PLANNED, releases={"2.4.1": at("03-09 12:34")}),
        told=_volume(_PLANNED, releases={"2.4.1": at("03-09 00:00")}),
    ),
    Difference(
        kind="gitlab",
        why="an issue has one milestone: of several versions only the last one set is told",
        happened=_volume(_fixed_in(_TWO, "2.4.1", "2.5.0"), releases=_LINES),
        told=_volume(_fixed_in(_TWO, "2.5.0"), releases=_LINES),
    ),
    Difference(
        kind="gitlab",
        why="git tells which release holds a merge: what was declared for a later one is out with the earlier one's tag",
        happened=_volume(_merged("merged for 2.5.0", "03-03 03:00", "2.5.0"), _SECOND_MERGE, releases=_LINES),
        told=_volume(_merged("merged for 2.5.0", "03-03 03:00", "2.4.1"), _SECOND_MERGE, releases=_LINES),
    ),
    Difference(
        kind="gitlab",
        why="the severity is a label: where a person takes ours off, that is a label of ours taken off",
        happened=_volume(_OURS),
        told=_volume(_OUR_LABEL),
    ),
    Difference(
        kind="gitlab",
        why="what one person puts on and takes off within a second leaves nothing: not even who it was",
        happened=_volume(_TWICE),
        told=_volume(replace(_TWICE, steps=_TWICE.steps[2:])),
    ),
    Difference(
        kind="gitlab",
        why="a deleted label is told without its name: the pause that it stood for is not known any more",
        happened=Volume((_WAITED,), deleted=("state::waiting_for_third_party",)),
        told=_volume(_NAMELESS),
    ),
    Difference(
        kind="jira",
        why="a resolution is read as it is now: what an issue was closed for before it was reopened is not told",
        happened=Volume((_GIVEN_UP,), by_resolution=True),
        told=Volume((_CLOSED_FIRST,), by_resolution=True),
    ),
)
