"""A sweep over a GitLab with a fifth of its issues overdue: all at first, then nothing to do, then a hundred touched.

Three ways: ours (``warranty apply``), a plain script that asks one thing after the other, and the floor, which is told
what to ask and understands nothing. Each has a server of its own, forked from the same one, and each run is a process of
its own, so that its time and memory hold its start, too. Server and contestants share the machine's cores.
"""

from __future__ import annotations

import compileall
import json
import os
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from rich.table import Table

from tests.bench.sweep_tracker import NOW, OVERDUE_EVERY, PROJECT, TOKEN, built, served

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.bench.sweep_tracker import Tracker

HERE = Path(__file__).resolve().parents[2]
LATENCIES = (0.0, 0.020)
ROUNDS = 5
TOUCHED = 100
SCRIPT_MOST = 300
"""The plain script's first and touched runs are measured over so many issues, and multiplied: it reads them all each time."""

# The tracker's clock goes on a second with each write, and nothing may lie ahead of the instant that is judged at.
LATER = NOW + timedelta(hours=12)

SITE = """\
name: sweep
pack: sweep.yaml
ledger: sqlite:///ledger.db
limits: {{changes_per_run: 1000000}}
trackers:
  - name: gitlab
    kind: gitlab
    url: {url}
    token: {{env: SWEEP_TOKEN}}
    projects: [{project}]
    states: {{opened: open, closed: resolved}}
    responders: [amy]
"""
PACK = """\
id: sweep
version: 1
clocks:
  resolution: {stop: {state: resolved}, goals: [{within: 480h}]}
actions:
  - {do: label, statuses: [overdue]}
  - {do: comment, on: [overdue]}
"""


@dataclass(frozen=True, slots=True)
class Run:
    """What one run took. Attributes: times: what the figures were multiplied by, as only a part was measured."""

    phase: str
    wall: float
    cpu: float
    peak_mb: float
    requests: Counter[str] = field(default_factory=Counter)
    times: float = 1.0


def sweep(issues: int) -> Iterator[Table]:
    """A table for each latency, as soon as it is measured."""
    store = built(issues)
    # Nobody is to be compiled while he is timed.
    for folder in ("policies", "connectors", "flows", "tests"):
        compileall.compile_dir(HERE / folder, quiet=2)
    for latency in LATENCIES:
        rounds: dict[str, list[list[Run]]] = {}
        for number in range(ROUNDS):
            for name, measured in (("ours", _ours), ("floor", _floor), ("plain script", _script)):
                if number and measured is _script:
                    # By far the slowest, and measured over a part only.
                    continue
                with served(store, latency) as tracker:
                    rounds.setdefault(name, []).append([*measured(tracker, issues)])
        yield _table(issues, latency, {name: _quickest(found) for name, found in rounds.items()})


def _quickest(rounds: Sequence[Sequence[Run]]) -> list[Run]:
    """Of each phase the quickest run. Args: rounds: each with its phases in the same order."""
    return [min(runs, key=lambda run: run.wall) for runs in zip(*rounds, strict=True)]


def _ours(tracker: Tracker, issues: int) -> Iterator[Run]:
    with TemporaryDirectory() as folder:
        Path(folder, "sweep.yaml").write_text(PACK, encoding="utf-8")
        Path(folder, "site.yaml").write_text(SITE.format(url=tracker.url, project=PROJECT), encoding="utf-8")
        command = [*_module("flows.cli"), "apply", "--site", "site.yaml", "--now", LATER.isoformat()]
        tracker.requests()
        yield _timed("first", command, tracker, folder)
        assert tracker.overdue() == len(range(0, issues, OVERDUE_EVERY)), "the first run labels each fifth issue"
        yield _timed("idle", command, tracker, folder)
        touched = min(TOUCHED, tracker.overdue())
        left = tracker.overdue() - touched
        tracker.touch(touched)
        yield _timed(f"{touched} touched", command, tracker, folder)
        assert tracker.overdue() == left, "the third run takes the label off those that were closed"


def _floor(tracker: Tracker, issues: int) -> Iterator[Run]:
    command = [*_module("tests.bench.sweep_floor"), tracker.url]
    touched = min(TOUCHED, len(range(0, issues, OVERDUE_EVERY)))
    tracker.requests()
    yield _timed("first", [*command, "1", str(issues), str(OVERDUE_EVERY)], tracker)
    yield _timed("idle", [*command, "1", "1", "0"], tracker)
    yield _timed(f"{touched} touched", [*command, "1", str(touched), "1"], tracker)


def _script(tracker: Tracker, issues: int) -> Iterator[Run]:
    most = min(SCRIPT_MOST, issues)
    command = [*_module("tests.bench.sweep_script"), tracker.url, str(most)]
    tracker.requests()
    for phase in ("first", "idle"):
        yield _timed(phase, command, tracker, times=issues / most)


def _module(name: str) -> list[str]:
    return [sys.executable, "-m", "tests.bench.sweep_measured", name]


def _timed(phase: str, command: Sequence[str], tracker: Tracker, folder: str = "", times: float = 1.0) -> Run:
    environment = {**os.environ, "PYTHONPATH": str(HERE), "SWEEP_TOKEN": TOKEN}
    with Path(os.devnull).open("wb") as said:
        begun = time.perf_counter()
        done = subprocess.run(
            command, cwd=folder or HERE, env=environment, stdout=said, stderr=subprocess.PIPE, text=True, check=False
        )
        wall = time.perf_counter() - begun
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}: {done.stderr[-500:]}")
    used = json.loads(done.stderr.splitlines()[-1])
    requests = Counter({kind: round(count * times) for kind, count in tracker.requests().items()})
    return Run(
        phase=phase,
        wall=wall * times,
        cpu=used["cpu"] * times,
        peak_mb=used["peak_mb"],
        requests=requests,
        times=times,
    )


def _table(issues: int, latency: float, runs: dict[str, list[Run]]) -> Table:
    floors = {run.phase: run.wall for run in runs["floor"]}
    title = f"a sweep of {issues:,} issues, a fifth overdue, requests {latency * 1000:.0f} ms on their way, the quickest of {ROUNDS} (plain script: of 1)"
    table = Table(title=title, title_justify="left")
    table.add_column("how")
    table.add_column("run")
    for heading in ("requests", "wall s", "floor = 1", "CPU s", "peak MB"):
        table.add_column(heading, justify="right")
    table.add_column("asked most")
    for name, measured in runs.items():
        for run in measured:
            floor = floors.get(run.phase)
            table.add_row(
                name if run.times == 1.0 else f"{name} (of {issues / run.times:,.0f}, x{run.times:,.0f})",
                run.phase,
                f"{run.requests.total():,}",
                f"{run.wall:,.1f}",
                f"{run.wall / floor:,.2f}" if floor else "",
                f"{run.cpu:,.1f}",
                f"{run.peak_mb:,.0f}",
                ", ".join(f"{count:,} {kind}" for kind, count in run.requests.most_common(4)),
            )
    return table
