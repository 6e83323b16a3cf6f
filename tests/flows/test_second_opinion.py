"""The tracker's own clocks beside ours: which stand together, where they differ, and that they decide nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from flows.second_opinion import second_opinion, shown
from policies.duration import ElapsedTime, WorkingDays
from policies.native_sla import NativeCycle, NativeSla
from policies.verdict import Reason, ReasonCode, Status, Verdict
from tests.memory_tracker import MemoryReader

if TYPE_CHECKING:
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


def sla(*cycles: NativeCycle, name: str = "Time to first response") -> NativeSla:
    return NativeSla(name, cycles)


def differences(ours: Verdict, theirs: NativeCycle) -> tuple[str, ...]:
    (found,) = second_opinion([sla(theirs)], [ours], {}, "UTC")
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
    found = second_opinion([sla(THEIRS)], [OURS, second], {}, "UTC")
    assert [(one.cycle, one.differs) for one in found] == [(1, ()), (2, ("the tracker has no such cycle",))]
    more = second_opinion([sla(THEIRS, THEIRS)], [OURS], {}, "UTC")
    assert [one.differs for one in more] == [(), ("the tracker counts a cycle that is none here",)]


@pytest.mark.parametrize(
    ("names", "clocks", "paired"),
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
    names: list[str], clocks: list[str], paired: list[int | None]
) -> None:
    slas = [sla(replace(THEIRS, goal=(place + 1) * HOUR), name=name) for place, name in enumerate(names)]
    found = second_opinion(
        slas, [replace(OURS, clock=clock) for clock in clocks], {"first_response": ["实质响应"]}, "UTC"
    )
    assert [slas.index(sla(one.there, name=one.sla)) if one.there else None for one in found if one.here] == paired
    # Nothing of the tracker's is left out.
    assert {one.sla for one in found if one.sla} == set(names)


def test_without_clocks_of_the_tracker_there_is_no_second_opinion() -> None:
    assert second_opinion([], [OURS], {}, "UTC") == ()
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
