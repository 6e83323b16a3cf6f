"""``warranty demo``: the whole job through Prefect on an embedded sandbox, twice."""

from __future__ import annotations

import io
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from rich.console import Console
from rich.rule import Rule
from rich.text import Text

from connectors.ledger import RunState
from connectors.sandbox.scenario import read
from connectors.sandbox.server import Sandbox
from flows import json_text, orchestrated, render
from flows.exit_codes import Exit
from flows.grid import STYLES
from flows.run import Run

SITE = "sandbox"
SCENARIO = "warranty"
_ALL_ROWS = 500
_PICTURE_WIDTH = 150
_PICTURE_ROWS = 16  # what is urgent comes first; the rest would make the picture taller than a screen


def demo(*, as_json: bool, save_svg: Path | None) -> Exit:
    """Run the flow on the scenario, show what it did, run it again, and hold that the second run wrote nothing."""
    out = Console(stderr=True, quiet=True) if as_json else render.console()
    scene = read(SCENARIO)
    store = scene.store()
    with tempfile.TemporaryDirectory(prefix="warranty-demo-") as folder, Sandbox(store) as sandbox:
        ledger = f"sqlite:///{Path(folder) / 'ledger.db'}"
        with _environment(sandbox.port, scene.tokens[0].token, ledger):
            out.print(Text(f"sandbox: {scene.about}", style="dim"))
            out.print(
                Text(f"         it is {scene.now} in {scene.zone}; Prefect runs the flow `enforce`\n", style="dim")
            )
            first = _run(out, store.clock.now())
            _show(out, first)
            out.print(Rule(Text("the same again", style="dim")))
            second = _run(out, store.clock.now())
    fine = _fine(first, second)
    if not fine:
        _show(out, second)
    out.print(_closing(second, fine=fine))
    if as_json:
        both = f'{{"first": {json_text.as_document(first)},\n"second": {json_text.as_document(second)}}}\n'
        sys.stdout.write(both)
    if save_svg:
        _picture(save_svg, first, second, fine=fine)
    return Exit.FINE if fine else Exit.FOUND


def _fine(first: Run, second: Run) -> bool:
    """The first run wrote, and then there was nothing left to write."""
    return first.written > 0 and first.state is RunState.GREEN and not second.plan.changes and not second.written


def _run(out: Console, now: datetime) -> Run:
    with out.status("Prefect is at work"):
        return orchestrated.run_flow(SITE, now).run


def _show(out: Console, run: Run) -> None:
    for grid in render.grids(run):
        out.print(grid.as_rich(_ALL_ROWS))
        out.print()
    out.print(render.verdict_line(run))
    out.print()


def _closing(second: Run, *, fine: bool) -> Text:
    counted = f"second run: {len(second.plan.changes)} changes planned, {second.written} written"
    return Text(counted, style=STYLES["green" if fine else "red"])


def _picture(file: Path, first: Run, second: Run, *, fine: bool) -> None:
    """What the README shows: verdicts, linked releases, summary, and the second run's line."""
    paper = Console(record=True, width=_PICTURE_WIDTH, file=io.StringIO(), force_terminal=True)
    trackers = dict.fromkeys(one.issue.ref.tracker for one in first.judged)
    grids = [
        *(render.verdicts(first, tracker) for tracker in trackers),
        render.releases(first),
        render.summaries(first),
    ]
    for grid in grids:
        paper.print(grid.as_rich(_PICTURE_ROWS))
        paper.print()
    paper.print(render.verdict_line(first))
    paper.print(_closing(second, fine=fine))
    file.parent.mkdir(parents=True, exist_ok=True)
    paper.save_svg(str(file), title="warranty demo")


@contextmanager
def _environment(port: int, token: str, ledger: str) -> Iterator[None]:
    """The variables that the sandbox's site names, for as long as the demo runs. No Prefect server of the user's."""
    ours = {
        "WARRANTY_SANDBOX_URL": f"http://127.0.0.1:{port}",
        "WARRANTY_SANDBOX_TOKEN": token,
        "WARRANTY_SANDBOX_LEDGER": ledger,
    }
    before = {name: os.environ.get(name) for name in (*ours, "PREFECT_API_URL")}
    os.environ.update(ours)
    os.environ.pop("PREFECT_API_URL", None)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
