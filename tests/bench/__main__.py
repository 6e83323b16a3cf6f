"""Speed as ratios within one run: ``python -m tests.bench [--calls N] [--issues N] [--sweep N ...]``.

A figure in seconds says something of the machine; a ratio between two ways to the same answer, measured one after the
other in one process, says something of the code. Each bench brings its rivals and says how many of their answers are
right. Slow ways are asked fewer questions; the table says how many.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from tests.bench import business_time, judging, sweep

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.bench.contest import Bench, Contestant

CALLS, ISSUES, SWEEPS = 10_000, 10_000, (1_000, 10_000)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure all there is and print it."""
    asked = argparse.ArgumentParser(prog="python -m tests.bench", description="Speed as ratios within one run.")
    asked.add_argument("--calls", type=int, default=CALLS, help=f"questions to each calendar ({CALLS})")
    asked.add_argument("--issues", type=int, default=ISSUES, help=f"issues to judge ({ISSUES})")
    many = " ".join(str(size) for size in SWEEPS)
    asked.add_argument(
        "--sweep", type=int, nargs="*", default=SWEEPS, help=f"issues of a GitLab to sweep over ({many})"
    )
    sizes = asked.parse_args(arguments)
    # As wide as the widest table: nothing is cut where the output goes to a file.
    console = Console(width=130, soft_wrap=True)
    for measure in (
        business_time.due_in_working_hours,
        business_time.elapsed_over_ninety_days,
        business_time.due_in_working_days,
        business_time.working_days_in_ninety,
    ):
        _show(console, measure(sizes.calls), compared=True)
    _show(console, judging.four_clocks_on_each_issue(sizes.issues), compared=False)
    for issues in sizes.sweep:
        for measured in sweep.sweep(issues):
            console.print(measured)
            console.print()


def _show(console: Console, bench: Bench, *, compared: bool) -> None:
    table = Table(title=bench.title, title_justify="left")
    table.add_column("how")
    counted = ["right", "right but for\nmake-up days"] if compared else ["same verdicts"]
    for heading in ("calls", "µs a call", "time, ours = 1", *counted):
        table.add_column(heading, justify="right")
    if compared:
        table.add_column("what it cannot say")
    for contestant in bench.contestants:
        table.add_row(*_row(contestant, bench.contestants[0], compared=compared))
    console.print(table)
    for remark in bench.remarks:
        console.print(remark)
    console.print()


def _row(contestant: Contestant, ours: Contestant, *, compared: bool) -> list[str]:
    row = [
        contestant.name,
        f"{contestant.calls:,}",
        f"{contestant.seconds * 1e6:,.2f}",
        f"{contestant.seconds / ours.seconds:,.2f}",
        f"{contestant.right / contestant.calls:.1%}",
    ]
    return [*row, f"{(contestant.right_simply or 0) / contestant.calls:.1%}", contestant.note] if compared else row


if __name__ == "__main__":
    main()
