"""Speed as ratios within one run: ``python -m tests.bench``.

A figure in seconds says something of the machine; a ratio between two ways to the same answer, measured one after the
other in one process, says something of the code. Each bench brings its rivals and says how many of their answers are
right.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from tests.bench import business_time, judging

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.bench.business_time import Bench

BENCHES: list[Callable[[], Bench]] = [
    business_time.due_in_working_hours,
    business_time.elapsed_over_ninety_days,
    judging.four_clocks_on_each_issue,
]
"""Register a further bench here: a function that measures and returns a ``Bench``."""


def _table(bench: Bench) -> Table:
    table = Table(title=f"{bench.title}: {bench.calls:,} calls", title_justify="left")
    table.add_column("how")
    for heading in ("µs a call", "time, ours = 1", "same answer as ours"):
        table.add_column(heading, justify="right")
    ours = bench.contestants[0].seconds
    for contestant in bench.contestants:
        table.add_row(
            contestant.name,
            f"{contestant.seconds / bench.calls * 1e6:,.2f}",
            f"{contestant.seconds / ours:,.2f}",
            f"{contestant.right:,} of {bench.calls:,}",
        )
    return table


def main() -> None:
    console = Console()
    for measure in BENCHES:
        bench = measure()
        console.print(_table(bench))
        console.print(bench.remark)
        console.print()


if __name__ == "__main__":
    main()
