"""The flow through Prefect, on a temporary server: one orchestrated run of the whole job, then a second one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

PROGRAM = Path(__file__).with_name("orchestrated_workshop.py")

pytestmark = pytest.mark.orchestrated


@dataclass(frozen=True)
class Ended:
    """What the program that ran the flow said."""

    document: Any
    err: str
    home: Path


@pytest.fixture(scope="session")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    """The flow, run five times in one process of its own with a fresh HOME, over the trackers in memory."""
    folder = tmp_path_factory.mktemp("orchestrated")
    home = tmp_path_factory.mktemp("home")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT", "WARRANTY"))}
    done = subprocess.run(
        [sys.executable, str(PROGRAM)],
        cwd=folder,
        env={**kept, "HOME": str(home), "PYTHONPATH": str(PROGRAM.parent.parent.parent)},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return Ended(json.loads(done.stdout), done.stderr, home)


def test_the_first_run_writes_and_is_completed(ended: Ended) -> None:
    first = ended.document["first"]
    assert (first["name"], first["type"]) == ("Completed", "COMPLETED")
    assert first["written"] == 10


def test_the_second_run_writes_nothing(ended: Ended) -> None:
    assert ended.document["second"]["planned"] == 0
    assert ended.document["second"]["written"] == 0


def test_a_dry_run_builds_no_writer_and_writes_no_receipt(ended: Ended) -> None:
    assert ended.document["dry"]["planned"] == 10
    assert ended.document["dry"]["written"] == 0


def test_a_tracker_that_is_down_makes_the_run_amber(ended: Ended) -> None:
    amber = ended.document["amber"]
    assert (amber["name"], amber["type"]) == ("Amber", "COMPLETED")
    assert "south/VAN" in amber["message"]


def test_a_refused_digest_makes_the_run_failed(ended: Ended) -> None:
    refused = ended.document["refused"]
    assert (refused["name"], refused["type"]) == ("Failed", "FAILED")
    assert "nothing was written" in refused["message"]


def test_there_is_a_task_for_each_project_and_step_and_none_for_an_issue(ended: Ended) -> None:
    assert ended.document["tasks"] == ["apply", "collect north CAR", "collect south VAN", "judge", "plan", "summarise"]


def test_the_artifacts_hold_verdicts_plan_and_receipts(ended: Ended) -> None:
    artifacts = ended.document["artifacts"]
    assert set(artifacts) == {
        "warranty-workshop-run",
        "warranty-workshop-verdicts",
        "warranty-workshop-plan",
        "warranty-workshop-receipts",
    }
    assert "Brakes squeal" in artifacts["warranty-workshop-run"]


def test_nothing_is_printed_on_the_way(ended: Ended) -> None:
    assert ended.err == ""


def test_the_home_folder_stays_clean(ended: Ended) -> None:
    assert list(ended.home.iterdir()) == []


def test_no_secret_is_in_a_parameter_an_artifact_or_the_server(ended: Ended) -> None:
    assert "memory-token-0123456789" not in json.dumps(ended.document)
