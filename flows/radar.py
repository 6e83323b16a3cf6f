"""``warranty radar``: the contracts that end soon, with what is still open under them. Reads, judges, writes nothing."""

from __future__ import annotations

import sys
from dataclasses import asdict
from datetime import datetime

from connectors.ledger import RunState
from flows import direct, json_text, render
from flows.assessing import assess
from flows.exit_codes import Exit
from flows.grid import Grid
from flows.progress import watched
from flows.refusal import Refusal
from flows.site import Site
from flows.sitting import Sitting, new_run_id, open_ledger
from policies.radar import HORIZONS, Expiring, OpenClaim, radar


def show(site: str, now: datetime, *, as_json: bool) -> Exit:
    """Read the trackers and print the contracts that end within 30, 60 and 90 days.

    Raises:
        Refusal: the site names no register.
    """
    loaded = Site.load(site)
    register = loaded.register
    if register is None:
        advice = "add `contracts: contracts.yaml` to it (`warranty contracts import` makes one from a table)"
        raise Refusal(f"the site {loaded.name} has no register of contracts", Exit.BAD_INPUT, advice)
    judged_by = loaded.judged_by
    with open_ledger(loaded) as ledger, watched(quiet=as_json) as progress:
        sitting = Sitting(loaded, ledger, new_run_id(now), now, progress)
        ledger.begin_run(sitting.run, loaded.name, now, judged_by)
        run = assess(sitting).run
        direct.end(sitting, run, run.state)
    rows = radar(register, run.judged, now, prefix=loaded.label_prefix)
    if as_json:
        document = {"site": loaded.name, "now": now, "contracts": [_record(row) for row in rows], "not_whole": run.why}
        sys.stdout.write(json_text.document(document) + "\n")
    else:
        out = render.console()
        for grid in grids(rows, loaded.zone):
            out.print(grid.as_rich())
            out.print()
        if run.state is not RunState.GREEN:
            out.print(render.verdict_line(run))
    return direct.exit_of(run)


def _record(row: Expiring) -> dict[str, object]:
    return {**asdict(row), "open": [_claim(claim) for claim in row.open]}


def _claim(claim: OpenClaim) -> dict[str, object]:
    ref = claim.ref
    return {**asdict(claim), "ref": {"tracker": ref.tracker, "key": ref.key, "url": ref.url}}


def grids(rows: tuple[Expiring, ...], zone: str) -> tuple[Grid, ...]:
    """The contracts, nearest end first, and the open issues under them."""
    days = f"{HORIZONS[-1]} days"
    contracts = Grid(
        "Contracts that end soon",
        ("within", "contract", "customer", "last day", "left", "open", "breached"),
        tuple(
            (
                f"{row.within} days",
                row.contract,
                row.customer,
                f"{row.last.isoformat()} ({row.zone})",
                f"{row.days_left} d",
                str(len(row.open) + row.confidential),
                str(sum(bool(claim.breached) for claim in row.open)),
            )
            for row in rows
        ),
        empty=f"no contract ends within {days}",
        cut=("customer",),
    )
    hidden = sum(row.confidential for row in rows)
    claims = Grid(
        "Open under them",
        ("contract", "issue", "reported", "category", "severity", "cover", "breached", "title"),
        tuple(
            (
                row.contract,
                f"{claim.ref.tracker}/{claim.ref.key}",
                render.short_instant_in(zone, claim.reported_at),
                claim.category or "",
                claim.severity or "",
                claim.decision.value,
                ", ".join(claim.breached),
                claim.title,
            )
            for row in rows
            for claim in row.open
        ),
        note=f"{hidden} confidential issues are counted and not listed" if hidden else "",
        empty="nothing",
        cut=("title",),
    )
    return (contracts, claims) if rows else (contracts,)
