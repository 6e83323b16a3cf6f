"""Which contracts end soon, and what is still open under them.

Rule: a defect reported before the end stays covered after it; what ends is the right to report. So the open ones are
listed to be finished, and the end is shown so that it can be prolonged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TYPE_CHECKING

from policies.coverage import Coverage, Decision
from policies.vocabulary import OVER
from policies.warranty import cover

if TYPE_CHECKING:
    from policies.issue import IssueRef
    from policies.verdict import Judged
    from policies.warranty import Contract, Register

HORIZONS = (30, 60, 90)
"""Days ahead; a contract is shown under the nearest one it ends within."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenClaim:
    """An open issue that a contract covers. Attributes: breached: clocks whose promise is broken."""

    ref: IssueRef
    title: str
    category: str | None
    severity: str | None
    decision: Decision
    reported_at: datetime
    breached: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Expiring:
    """A contract that ends within a horizon.

    Attributes:
        last: the last covered day, in the contract's ``zone``.
        days_left: whole days from today until then; 0 on the last day.
        within: the nearest of ``HORIZONS``.
        open: its open covered issues, oldest first.
        confidential: how many more there are that may not be listed.
    """

    contract: str
    customer: str
    last: date
    zone: str
    days_left: int
    within: int
    open: tuple[OpenClaim, ...] = ()
    confidential: int = 0


def radar(
    register: Register, judged: Sequence[Judged], now: datetime, *, prefix: str = "warranty"
) -> tuple[Expiring, ...]:
    """The contracts that end within the horizons, the nearest end first. Pure.

    Args:
        judged: every issue the site knows; those that are over or not covered are left out.
        now: today is its day in each contract's zone.
        prefix: our labels are ``<prefix>::...``; see ``warranty.cover``.
    """
    ending = [row for contract in register.contracts if (row := _ending(contract, now)) is not None]
    if not ending:
        return ()
    claims: dict[str, list[tuple[Judged, Coverage]]] = {row.contract: [] for row in ending}
    for item in judged:
        if item.issue.state in OVER:
            continue
        coverage = cover(item.issue, register, now, prefix=prefix)
        if coverage.decision.served and coverage.contract in claims:
            claims[coverage.contract].append((item, coverage))
    rows = [_filled(row, claims[row.contract]) for row in ending]
    return tuple(sorted(rows, key=lambda row: (row.last, row.contract)))


def _ending(contract: Contract, now: datetime) -> Expiring | None:
    window = contract.term.window(contract.zone, now)
    if window is None or now >= window.end:
        return None
    left = (window.last - now.astimezone(contract.zone).date()).days
    within = next((horizon for horizon in HORIZONS if left <= horizon), None)
    if within is None:
        return None
    return Expiring(
        contract=contract.id,
        customer=contract.customer,
        last=window.last,
        zone=window.zone,
        days_left=left,
        within=within,
    )


def _filled(row: Expiring, claims: Sequence[tuple[Judged, Coverage]]) -> Expiring:
    listed = [
        OpenClaim(
            ref=item.issue.ref,
            title=item.issue.title,
            category=item.issue.category,
            severity=item.issue.severity,
            decision=coverage.decision,
            reported_at=coverage.reported_at,
            breached=tuple(verdict.clock for verdict in item.standing() if verdict.status.breached),
        )
        for item, coverage in claims
        if not item.issue.confidential
    ]
    listed.sort(key=lambda claim: (claim.reported_at, claim.ref.key))
    return replace(row, open=tuple(listed), confidential=len(claims) - len(listed))
