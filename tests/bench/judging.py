"""Judging: four clocks on each of two thousand issues with twenty events, on one core."""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from policies.issue import (
    Actor,
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
from policies.loader import SHIPPED, load_calendar
from policies.pack import PolicyPack
from policies.verdict import judge
from tests.bench.business_time import Bench, Contestant

if TYPE_CHECKING:
    from policies.verdict import Verdict

ISSUES, EVENTS = 2_000, 20
NOW = datetime(2026, 6, 1, tzinfo=UTC)
_CUSTOMER, _AGENT = Actor(id="chen", role=Role.CUSTOMER), Actor(id="amy", role=Role.RESPONDER)
_PAUSE = [{"when": {"state": "waiting_for_customer"}, "reason": "awaiting customer"}]
_DONE = {"state": ["resolved", "verified", "closed"]}
CLOCKS: dict[str, Any] = {
    "first_response": {"stop": "first_response", "goals": [{"within": "8bh"}]},
    "triage": {"stop": {"not": {"state": "open"}}, "goals": [{"within": "2bd"}]},
    "workaround": {"stop": {"any": [_DONE, {"label": "workaround"}]}, "pause": _PAUSE, "goals": [{"within": "24h"}]},
    "resolution": {
        "stop": _DONE,
        "pause": _PAUSE,
        "goals": [{"when": {"severity": "high"}, "within": "48h"}, {"within": "10bd", "until": "close_of_business"}],
    },
}


def four_clocks_on_each_issue() -> Bench:
    """All clocks of a pack at once, against one pack for each clock."""
    issues, pack = _issues(), _pack(CLOCKS)
    apart = [_pack({name: shape}) for name, shape in CLOCKS.items()]
    together = [judge(issue, pack, NOW) for issue in issues]
    seconds, spent = _fastest(lambda: [judge(issue, pack, NOW) for issue in issues])
    rival, _spent = _fastest(lambda: [[judge(issue, one, NOW) for one in apart] for issue in issues])
    verdicts = sum(len({verdict.clock for verdict in row}) for row in together)
    same = sum(
        [_told(verdict) for verdict in row] == [_told(verdict) for one in apart for verdict in judge(issue, one, NOW)]
        for issue, row in zip(issues, together, strict=True)
    )
    return Bench(
        f"judging {ISSUES:,} issues of {EVENTS} events by {len(CLOCKS)} clocks",
        ISSUES,
        (Contestant("ours", seconds, ISSUES), Contestant("a pack for each clock", rival, same)),
        f"{verdicts / spent:,.0f} clocks per CPU second",
    )


def _fastest(run: Any) -> tuple[float, float]:
    """Wall and CPU seconds of the fastest of three rounds."""
    rounds = []
    for _ in range(3):
        wall, cpu = time.perf_counter(), time.process_time()
        run()
        rounds.append((time.perf_counter() - wall, time.process_time() - cpu))
    return min(wall for wall, _cpu in rounds), min(cpu for _wall, cpu in rounds)


def _told(verdict: Verdict) -> tuple[Any, ...]:
    return verdict.clock, verdict.cycle, verdict.status, verdict.due_at, verdict.used, verdict.pauses


def _pack(clocks: dict[str, Any]) -> PolicyPack:
    shape = {"id": "bench", "version": 1, "calendar": "cn-office", "severities": ["high", "normal"], "clocks": clocks}
    calendar = load_calendar(SHIPPED / "calendars" / "cn-office.yaml")
    return PolicyPack.model_validate(shape).with_calendars({calendar.id: calendar})


def _issues() -> list[Issue]:
    chosen = random.Random(20260307)  # noqa: S311 - the same issues in every run
    return [_issue(number, chosen) for number in range(ISSUES)]


def _issue(number: int, chosen: random.Random) -> Issue:
    opened = NOW - timedelta(minutes=chosen.randrange(60, 90 * 24 * 60))
    at, state, severity = opened, State.OPEN, "normal"
    events: list[Event] = [Opened(id="opened", at=opened, actor=_CUSTOMER)]
    while len(events) < EVENTS:
        at += timedelta(minutes=chosen.randrange(1, 3 * 24 * 60))
        name = f"{number}-{len(events)}"
        kind = chosen.random()
        if kind < 0.45:
            person = chosen.choice((_CUSTOMER, _AGENT))
            events.append(Commented(id=name, at=at, actor=person, comment=name, public=chosen.random() < 0.8))
        elif kind < 0.8:
            after = chosen.choice([each for each in State if each is not state and each is not State.CANCELLED])
            events.append(StateChanged(id=name, at=at, actor=_AGENT, before=state, after=after))
            state = after
        elif kind < 0.9:
            other = "high" if severity == "normal" else "normal"
            events.append(SeverityChanged(id=name, at=at, actor=_AGENT, before=severity, after=other))
            severity = other
        else:
            events.append(LabelsChanged(id=name, at=at, actor=_AGENT, added=(f"label-{len(events)}",)))
    return Issue(
        ref=IssueRef("bench", "CAR", f"CAR-{number}", str(number)),
        title="Bench",
        type=Word("1", "Bug"),
        status=Word("1", "Open"),
        reporter=_CUSTOMER,
        opened_at=opened,
        updated_at=at,
        labels=frozenset(name for event in events if isinstance(event, LabelsChanged) for name in event.added),
        state=state,
        severity=severity,
        events=tuple(events),
    )
