"""Whose time the promises took, as a table and for JSON."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flows.grid import Grid
from policies.loader import load_phrases
from policies.summary import ComplianceSummary


def times(summaries: Iterable[ComplianceSummary]) -> Grid:
    """By tracker and clock: each party's time, and the sums with and without pauses. Of promises that have ended."""
    phrases = load_phrases("en")
    told = tuple(summaries)
    ended = sum(time.cycles for each in told for time in each.times)
    return Grid(
        title=phrases.say("time_heading"),
        header=("tracker", "clock", "whose", "working time", "time"),
        rows=tuple(
            (each.name, time.clock, who, phrases.length(working), phrases.length(elapsed))
            for each in told
            for time in each.times
            for who, working, elapsed in time.lines(phrases)
        ),
        note=phrases.say("time_line", n=ended),
    )


def times_document(summary: ComplianceSummary) -> dict[str, dict[str, Any]]:
    """By clock: how many cycles are added up, the working time without and with pauses, and the shares."""
    return {
        time.clock: {"cycles": time.cycles, "used": time.used, "gross": time.gross, "shares": time.shares}
        for time in summary.times
    }
