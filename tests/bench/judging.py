"""Judging: four clocks on each of many issues with twenty events, on one core, one issue after the other.

The share of the calendar is measured by writing down every question the judge puts to it, and putting the same
questions again with nothing around them; a profiler would charge each call more than it costs.
"""

from __future__ import annotations

import time
import tracemalloc
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any

from policies.business_calendar import BusinessCalendar
from policies.loader import SHIPPED, load_calendar
from policies.pack import PolicyPack
from policies.verdict import judge
from tests.bench.contest import Bench, Contestant
from tests.bench.histories import EVENTS, NOW, histories

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from policies.issue import Issue
    from policies.verdict import Verdict

BATCH = 500
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
QUESTIONS = ("elapsed", "advance", "due", "covers")
"""What the judge asks a calendar."""


def four_clocks_on_each_issue(issues: int) -> Bench:
    """All clocks of a pack at once, against one pack for each clock; then where the time goes, and the memory."""
    together, apart = _pack(CLOCKS), [_pack({name: shape}) for name, shape in CLOCKS.items()]
    seconds = _spent(issues, lambda issue: judge(issue, together, NOW))
    sample = list(histories(max(1, issues // 10)))
    ours = _spent(len(sample), lambda issue: judge(issue, together, NOW))
    rival = _spent(len(sample), lambda issue: [judge(issue, one, NOW) for one in apart])
    same = sum(
        [_told(verdict) for verdict in judge(issue, together, NOW)]
        == [_told(verdict) for one in apart for verdict in judge(issue, one, NOW)]
        for issue in sample
    )
    calls, share = _calendar_share(sample, together)
    verdicts = sum(len(judge(issue, together, NOW)) for issue in sample)
    # The first round fills what is kept for good, such as the hours of a day.
    _, once, twice = (_peak(times * len(sample), together) for times in (1, 1, 2))
    speed = f"of {issues:,} issues: {issues / seconds:,.0f} issues, {issues * len(CLOCKS) / seconds:,.0f} clocks per CPU second"
    spent = f"in the calendar: {share:.0%} of the time, {calls / verdicts:.1f} questions a verdict"
    sizes = f"{once / 1e3:,.0f} kB for {len(sample):,} issues, {twice / 1e3:,.0f} kB for {2 * len(sample):,}"
    return Bench(
        f"judging issues of {EVENTS} events by {len(CLOCKS)} clocks",
        (
            Contestant("four clocks in one pack", len(sample), ours / len(sample), same),
            Contestant("a pack for each clock", len(sample), rival / len(sample), same),
        ),
        (speed, spent, f"memory at its peak, one issue read and judged after the other: {sizes}"),
    )


def _spent(issues: int, judged: Callable[[Issue], object]) -> float:
    """CPU seconds of judging, without making the histories."""
    seconds, row = 0.0, histories(issues)
    while batch := list(islice(row, BATCH)):
        before = time.process_time()
        for issue in batch:
            judged(issue)
        seconds += time.process_time() - before
    return seconds


def _calendar_share(sample: list[Issue], pack: PolicyPack) -> tuple[int, float]:
    """(questions put to the calendar, their share of the time)."""
    with _written_down() as asked:
        for issue in sample:
            judge(issue, pack, NOW)
    alone, whole = [], []
    for _ in range(3):
        before = time.process_time()
        for question, calendar, words in asked:
            question(calendar, *words)
        between = time.process_time()
        for issue in sample:
            judge(issue, pack, NOW)
        alone.append(between - before)
        whole.append(time.process_time() - between)
    return len(asked), min(alone) / min(whole)


@contextmanager
def _written_down() -> Iterator[list[tuple[Callable[..., object], BusinessCalendar, tuple[Any, ...]]]]:
    """Every question put to a calendar meanwhile, in order."""
    asked: list[tuple[Callable[..., object], BusinessCalendar, tuple[Any, ...]]] = []
    real = {name: getattr(BusinessCalendar, name) for name in QUESTIONS}

    def listening(question: Callable[..., object]) -> Callable[..., object]:
        def answer(calendar: BusinessCalendar, *words: Any) -> object:
            asked.append((question, calendar, words))
            return question(calendar, *words)

        return answer

    for name, question in real.items():
        setattr(BusinessCalendar, name, listening(question))
    try:
        yield asked
    finally:
        for name, question in real.items():
            setattr(BusinessCalendar, name, question)


def _peak(issues: int, pack: PolicyPack) -> int:
    """Bytes held at most while so many issues are made, judged and let go."""
    tracemalloc.start()
    try:
        for issue in histories(issues):
            judge(issue, pack, NOW)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def _told(verdict: Verdict) -> tuple[Any, ...]:
    return verdict.clock, verdict.cycle, verdict.status, verdict.due_at, verdict.used, verdict.pauses


def _pack(clocks: dict[str, Any]) -> PolicyPack:
    shape = {"id": "bench", "version": 1, "calendar": "cn-office", "severities": ["high", "normal"], "clocks": clocks}
    calendar = load_calendar(SHIPPED / "calendars" / "cn-office.yaml")
    return PolicyPack.model_validate(shape).with_calendars({calendar.id: calendar})
