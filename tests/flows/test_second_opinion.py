"""The tracker's own clocks beside ours: which stand together, where they differ, and that they decide nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from flows.counterpart import counterparts
from flows.second_opinion import second_opinion, shown
from policies.clock import Clock
from policies.duration import ElapsedTime, WorkingDays
from policies.loader import load_pack
from policies.native_sla import NativeCycle, NativeSla
from policies.verdict import Reason, ReasonCode, Status, Verdict
from tests.memory_tracker import MemoryReader

if TYPE_CHECKING:
    from collections.abc import Mapping

    from policies.issue import Issue
    from tests.flows.conftest import Command

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
OURS = Verdict(
    clock="first_response",
    cycle=1,
    status=Status.MET,
    reason=Reason(ReasonCode.STOPPED_IN_TIME),
    judged_at=START + 48 * HOUR,
    policy="p@1",
    digest="0" * 64,
    goal=ElapsedTime(24 * 60),
    started_at=START,
    stopped_at=START + 3 * HOUR,
    due_at=START + 24 * HOUR,
    used=3 * HOUR,
)
THEIRS = NativeCycle(
    started=START,
    stopped=START + 3 * HOUR,
    breach_at=START + 24 * HOUR,
    goal=24 * HOUR,
    elapsed=3 * HOUR,
)


ANSWER: Mapping[str, Any] = {"stop": "first_response", "goals": [{"within": "24h"}]}
FIX: Mapping[str, Any] = {"stop": {"state": ["resolved", "closed"]}, "goals": [{"within": "48h"}]}
WORK: Mapping[str, Any] = {"stop": {"state": ["in_progress", "resolved", "closed"]}, "goals": [{"within": "24h"}]}
TITLED: Mapping[str, Any] = {**ANSWER, "title": {"zh": "实质响应"}}


def clocks(**shapes: Mapping[str, Any]) -> dict[str, Clock]:
    return {name: Clock.model_validate(shape) for name, shape in shapes.items()}


OURS_ALONE = clocks(first_response=ANSWER)


def sla(*cycles: NativeCycle, name: str = "Time to first response") -> NativeSla:
    return NativeSla(name, cycles)


def differences(ours: Verdict, theirs: NativeCycle) -> tuple[str, ...]:
    (found,) = second_opinion([sla(theirs)], [ours], OURS_ALONE, "UTC")
    return found.differs


def test_two_clocks_that_agree_differ_in_nothing() -> None:
    assert differences(OURS, THEIRS) == ()
    assert differences(OURS, replace(THEIRS, stopped=START + 3 * HOUR + timedelta(seconds=59))) == ()


@pytest.mark.parametrize(
    ("ours", "theirs", "told"),
    [
        ({}, {"breached": True}, "breached there, not here"),
        ({"status": Status.MISSED}, {}, "breached here, not there"),
        ({}, {"stopped": None}, "ended here, still runs there"),
        ({"stopped_at": None, "status": Status.RUNNING}, {}, "ended there, still runs here"),
        ({}, {"stopped": START + 5 * HOUR}, "ended 2026-03-02 12:00 UTC here, 2026-03-02 14:00 UTC there"),
        ({}, {"started": START + HOUR}, "started 2026-03-02 09:00 UTC here, 2026-03-02 10:00 UTC there"),
        ({}, {"breach_at": START + 8 * HOUR}, "due 2026-03-03 09:00 UTC here, 2026-03-02 17:00 UTC there"),
        ({}, {"goal": 8 * HOUR}, "promised within 24h here, 8:00 h there"),
        ({}, {"elapsed": HOUR}, "used 3:00 h here, 1:00 h there"),
        (
            {"stopped_at": None, "status": Status.RUNNING},
            {"stopped": None, "paused": True},
            "paused there, not here",
        ),
    ],
)
def test_each_difference_is_told_alone(ours: dict[str, Any], theirs: dict[str, Any], told: str) -> None:
    assert differences(replace(OURS, **ours), replace(THEIRS, **theirs)) == (told,)


@pytest.mark.parametrize("status", [Status.CANCELLED, Status.NOT_APPLICABLE, Status.INDETERMINATE])
def test_a_verdict_that_judges_nothing_differs_from_nothing(status: Status) -> None:
    assert differences(replace(OURS, status=status), replace(THEIRS, breached=True)) == ()


def test_working_days_are_not_compared_with_hours() -> None:
    assert differences(replace(OURS, goal=WorkingDays(5)), THEIRS) == ()


def test_a_reopened_issue_is_compared_cycle_by_cycle() -> None:
    second = replace(OURS, cycle=2, started_at=START + 30 * HOUR, stopped_at=None, status=Status.RUNNING)
    found = second_opinion([sla(THEIRS)], [OURS, second], OURS_ALONE, "UTC")
    assert [(one.cycle, one.differs) for one in found] == [(1, ()), (2, ("the tracker has no such cycle",))]
    more = second_opinion([sla(THEIRS, THEIRS)], [OURS], OURS_ALONE, "UTC")
    assert [one.differs for one in more] == [(), ("the tracker counts a cycle that is none here",)]


@pytest.mark.parametrize(
    ("names", "ours", "paired"),
    [
        (["Time to first response", "Time to resolution"], ["resolution", "first_response"], [1, 0]),
        (["Time to resolution", "Time to resolution (VIP)"], ["resolution"], [0]),
        (["Response A", "Response B"], ["response"], [None]),
        (["实质响应时间"], ["first_response"], [0]),
        (["Time to done"], ["resolution"], [None]),
        (["…"], ["resolution"], [None]),
    ],
)
def test_clocks_stand_together_where_their_names_say_the_same(
    names: list[str], ours: list[str], paired: list[int | None]
) -> None:
    shapes = clocks(first_response=TITLED, resolution=FIX, response=WORK)
    slas = [sla(replace(THEIRS, goal=(place + 1) * HOUR), name=name) for place, name in enumerate(names)]
    found = second_opinion(slas, [replace(OURS, clock=clock) for clock in ours], shapes, "UTC")
    assert [slas.index(sla(one.there, name=one.sla)) if one.there else None for one in found if one.here] == paired
    # Nothing of the tracker's is left out.
    assert {one.sla for one in found if one.sla} == set(names)


FIRST, LAST = "Time to first response", "Time to resolution"


def paired(ours: Mapping[str, Clock], *names: str, applying: set[str] | None = None) -> dict[str, str]:
    found = counterparts([sla(name=name) for name in names], ours, set(ours) if applying is None else applying)
    return {name: theirs.name for name, theirs in found.items()}


@pytest.mark.parametrize(
    ("pack", "heard"), [("standard-warranty", "acknowledgement"), ("after-sales", "first_response")]
)
def test_of_the_shipped_packs_the_clocks_stand_by_what_they_stop_at(pack: str, heard: str) -> None:
    ours = load_pack(pack).clocks
    found = paired(ours, FIRST, LAST, "Time to close after resolution", applying=set(ours) - {"out_of_warranty"})
    assert found == {heard: FIRST, "resolution": LAST}


def test_a_clock_called_response_that_waits_for_work_is_no_first_response() -> None:
    assert paired(clocks(response=WORK), FIRST) == {}
    assert paired(clocks(first_response=WORK, heard=ANSWER), FIRST) == {"heard": FIRST}
    assert paired(clocks(response=WORK, heard=ANSWER), "Time to first response (VIP)") == {
        "heard": "Time to first response (VIP)"
    }


def test_a_clock_called_resolution_that_stops_before_or_elsewhere_is_no_resolution() -> None:
    released = {**FIX, "stop": "patch_released"}
    assert paired(clocks(resolution=WORK, fixed=FIX), LAST) == {"fixed": LAST}
    assert paired(clocks(resolution=released), LAST) == {}
    assert paired(clocks(resolution=ANSWER), LAST) == {}
    assert paired(clocks(resolution={**FIX, "stop": {"label": "fixed"}}), LAST) == {}


def test_a_clock_that_stops_at_closed_alone_measures_a_resolution_unless_it_starts_when_the_work_is_done() -> None:
    closed = {**FIX, "stop": {"state": "closed"}}
    assert paired(clocks(ended=closed), LAST) == {"ended": LAST}
    assert paired(clocks(ended={**closed, "start": {"state": "verified"}}), LAST) == {}
    assert paired(clocks(ended={**closed, "start": {"state": "accepted"}}), LAST) == {"ended": LAST}


def test_of_several_that_stop_there_the_one_that_is_for_the_issue_then_the_likest_then_the_plainest_takes_it() -> None:
    later = {**ANSWER, "start": {"coverage": "out"}}
    two = clocks(heard=ANSWER, paid=later)
    assert paired(two, FIRST) == {"heard": FIRST}
    assert paired(two, FIRST, applying={"paid"}) == {"paid": FIRST}
    assert paired(clocks(paid=later), FIRST, applying=set()) == {}
    assert paired(clocks(heard=ANSWER, first_response=later), FIRST) == {"first_response": FIRST}
    offered = {**FIX, "stop": {"any": [{"state": "resolved"}, {"label": "offered"}]}}
    assert paired(clocks(offer=offered, mend=FIX), LAST) == {"mend": LAST}
    assert paired(clocks(one=FIX, two=FIX), LAST) == {}


def test_of_the_trackers_names_the_one_that_says_it_most_plainly_takes_the_clock() -> None:
    assert paired(clocks(heard=ANSWER), "Time to first response (VIP)", FIRST) == {"heard": FIRST}
    assert paired(clocks(heard=ANSWER, mend=FIX), "首次响应时间", "解决时间", "解决后关闭时间") == {
        "heard": "首次响应时间",
        "mend": "解决时间",
    }


def test_without_clocks_of_the_tracker_there_is_no_second_opinion() -> None:
    assert second_opinion([], [OURS], OURS_ALONE, "UTC") == ()
    assert list(shown((), "UTC")) == []


def test_explain_shows_it_in_both_forms_and_it_changes_no_verdict(
    warranty: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = warranty("explain", "CAR-2", "--json").document
    plain = MemoryReader.issue

    def with_clocks(reader: MemoryReader, key: str) -> Issue:
        late = replace(THEIRS, breached=True, stopped=None)
        names = ("Time to first response \x1b[31m", "Time to pay")
        return replace(plain(reader, key), native_slas=tuple(sla(late, name=name) for name in names))

    monkeypatch.setattr(MemoryReader, "issue", with_clocks)
    after = warranty("explain", "CAR-2", "--json").document
    assert before["second_opinion"] == []
    assert {**after, "second_opinion": []} == before
    by_sla = {one["sla"]: one for one in after["second_opinion"]}
    assert by_sla["Time to pay"]["here"] is None
    assert by_sla["Time to pay"]["there"]["goal"] == 86400
    told = warranty("explain", "CAR-2").out
    for words in ("Second opinion: the tracker's own clocks", " / Time to first response", "differs: "):
        assert words in told, told[told.index("Second") :]
    assert "\x1b[31m" not in told
