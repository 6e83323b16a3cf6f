"""Corrections: a final verdict that another policy or calendar judges otherwise.

Rules:

1. No row is ever rewritten. A correction is a new row with the number of the row it corrects and the reason.
2. Only what was final is corrected: a clock that still ran when it was last judged is simply judged again.
3. The reason names both sides by name and digest, policy and calendar apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from connectors.ledger_schema import VERDICTS
from policies.verdict import Status

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from policies.issue import IssueRef
    from policies.verdict import Verdict

_BATCH = 5000
"""Ids asked for in one statement: SQLite takes 32,766 variables, and other databases have limits of their own."""

Cycle = tuple[str, str, str, int]
"""Tracker, id of the issue, clock, number of the cycle."""


@dataclass(frozen=True, slots=True)
class Given:
    """What the ledger last said of a cycle. Attributes: calendar_digest: None in rows of ledgers of version 2 and before."""

    number: int
    status: Status
    policy: str
    digest: str
    calendar_digest: str | None


def cycle_of(issue: IssueRef, verdict: Verdict) -> Cycle:
    return issue.tracker, issue.id, verdict.clock, verdict.cycle


def last_given(connection: Connection, site: str, issues: Iterable[tuple[str, str]]) -> dict[Cycle, Given]:
    """The last verdict of each cycle of these issues (tracker, id)."""
    ids: dict[str, dict[str, None]] = {}
    for tracker, id_ in issues:
        ids.setdefault(tracker, {})[id_] = None
    found: dict[Cycle, Given] = {}
    cycle = (VERDICTS.c.issue_id, VERDICTS.c.clock, VERDICTS.c.cycle)
    told = (VERDICTS.c.n, VERDICTS.c.status, VERDICTS.c.policy, VERDICTS.c.digest, VERDICTS.c.calendar_digest)
    for tracker, mine in _in_batches(ids):
        whose = (VERDICTS.c.site == site, VERDICTS.c.tracker == tracker, VERDICTS.c.issue_id.in_(mine))
        last = select(func.max(VERDICTS.c.n)).where(*whose).group_by(*cycle)
        rows = connection.execute(select(*cycle, *told).where(VERDICTS.c.n.in_(last)))
        for row in rows.mappings():
            found[tracker, row["issue_id"], row["clock"], row["cycle"]] = Given(
                row["n"], Status(row["status"]), row["policy"], row["digest"], row["calendar_digest"]
            )
    return found


def _in_batches(ids: Mapping[str, Iterable[str]]) -> Iterator[tuple[str, list[str]]]:
    """(tracker, at most ``_BATCH`` ids) until all were given."""
    for tracker, mine in ids.items():
        rest = list(mine)
        while rest:
            batch, rest = rest[:_BATCH], rest[_BATCH:]
            yield tracker, batch


def correction_columns(given: Given | None, verdict: Verdict) -> dict[str, Any]:
    """The columns that make a verdict's row a correction of the one given before; empty ones if it is none."""
    why = _why(given, verdict) if given is not None and given.status.final else ""
    return {"correction_of": given.number if given is not None and why else None, "correction": why or None}


def _why(given: Given, verdict: Verdict) -> str:
    if given.calendar_digest is None:
        # An older ledger kept one digest over policy and calendar, which can not be compared with either.
        return f"policy {given.policy} -> {verdict.policy}" if given.policy != verdict.policy else ""
    if given.digest != verdict.digest:
        return f"policy {given.policy} ({given.digest}) -> {verdict.policy} ({verdict.digest})"
    if given.calendar_digest and verdict.calendar_digest and given.calendar_digest != verdict.calendar_digest:
        return f"calendar {verdict.calendar} ({given.calendar_digest}) -> ({verdict.calendar_digest})"
    return ""
