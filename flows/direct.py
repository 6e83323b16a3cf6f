"""The run without Prefect: what ``warranty plan`` and ``warranty apply`` do."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import datetime

from connectors.ledger import RunState
from flows import lease, render, writing
from flows.assessing import assess
from flows.exit_codes import Exit
from flows.progress import watched
from flows.refusal import Refusal
from flows.run import Done, Run
from flows.site import Site
from flows.sitting import Sitting, new_run_id, open_ledger


def plan(site: str, now: datetime, *, as_json: bool) -> Exit:
    """Collect, judge, plan, show. No writer is ever built."""
    loaded = Site.load(site)
    judged_by = loaded.judged_by
    with open_ledger(loaded) as ledger, watched(quiet=as_json) as progress:
        sitting = Sitting(loaded, ledger, new_run_id(now), now, progress)
        ledger.begin_run(sitting.run, loaded.name, now, judged_by)
        run = assess(sitting).run
        end(sitting, run, run.state)
    render.show(run, as_json=as_json)
    return exit_of(run)


def apply(site: str, now: datetime, *, expect: str | None, as_json: bool) -> Exit:
    """Plan anew on live data, check the guards, write, show.

    Raises:
        Refusal: a guard or ``expect`` is against the plan.
        RunInProgress: another run writes for the site.
    """
    loaded = Site.load(site)
    judged_by = loaded.judged_by
    run_id = new_run_id(now)
    with (
        open_ledger(loaded) as ledger,
        lease.held(loaded.name, ledger, run_id) as keep_alive,
        watched(quiet=as_json) as progress,
    ):
        sitting = Sitting(loaded, ledger, run_id, now, progress, keep_alive)
        ledger.begin_run(run_id, loaded.name, now, judged_by)
        assessed = assess(sitting)
        run = assessed.run
        try:
            writing.guard(run.plan, expect)
        except Refusal:
            end(sitting, run, RunState.RED)
            raise
        receipts, requests = writing.apply(sitting, run.plan, assessed.touched)
        run = with_receipts(run, receipts, requests)
        end(sitting, run, run.state)
    render.show(run, as_json=as_json)
    return exit_of(run)


def with_receipts(run: Run, receipts: tuple[Done, ...], requests: dict[str, Counter[str]]) -> Run:
    """The run with what was written and what that cost."""
    totals = {tracker: Counter(kinds) for tracker, kinds in run.requests.items()}
    for tracker, kinds in requests.items():
        totals.setdefault(tracker, Counter()).update(kinds)
    return replace(run, receipts=receipts, requests=totals)


def end(sitting: Sitting, run: Run, state: RunState) -> None:
    """Write down that the run ended in a state."""
    requests = {f"{tracker} {kind}": count for tracker, kinds in run.requests.items() for kind, count in kinds.items()}
    sitting.ledger.end_run(
        sitting.run,
        sitting.now,
        state,
        requests=requests,
        plan_digest=run.plan.digest,
    )


def exit_of(run: Run) -> Exit:
    """The exit code that tells the run's state."""
    if run.read_nothing and run.state is RunState.RED:
        return Exit.TRACKER
    if run.plan.breaches:
        return Exit.REFUSED
    if run.state is RunState.GREEN:
        return Exit.FINE
    # Also where no change was carried out: some of them may have been, unknown to us.
    return Exit.PARTLY
