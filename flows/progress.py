"""Progress on a terminal: one line on stderr while a run is at work, nothing where nobody looks."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator

from flows.run import Progress, silent


@contextlib.contextmanager
def watched(*, quiet: bool) -> Iterator[Progress]:
    """Progress shown on stderr where that is a terminal; silent for JSON, pipes and logs."""
    if quiet or not sys.stderr.isatty():
        yield silent
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Bars(*columns, console=Console(stderr=True), transient=True) as bars:
        ids: dict[str, int] = {}

        def shown(doing: str, done: int, total: int | None) -> None:
            if doing not in ids:
                ids[doing] = bars.add_task(doing, total=total)
            bars.update(bars.task_ids[ids[doing]], completed=done, total=total)

        yield shown
