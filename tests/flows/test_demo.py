"""The demo, as a newcomer runs it: one command, a fresh HOME, no server set up, nothing left behind."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent

pytestmark = pytest.mark.orchestrated


@dataclass(frozen=True)
class Shown:
    """What the demo printed and left."""

    code: int
    out: str
    err: str
    home: Path
    folder: Path


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Shown:
    folder, home = tmp_path_factory.mktemp("demo"), tmp_path_factory.mktemp("home")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT", "WARRANTY"))}
    done = subprocess.run(
        [sys.executable, "-c", "from flows.cli import main; main()", "demo", "--save-svg", "picture.svg"],
        cwd=folder,
        env={**kept, "HOME": str(home), "PYTHONPATH": str(ROOT), "PREFECT_API_URL": "http://127.0.0.1:9/api"},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    return Shown(done.returncode, done.stdout, done.stderr, home, folder)


def test_the_demo_ends_well_and_the_second_run_changes_nothing(shown: Shown) -> None:
    assert shown.code == 0, shown.out[-2000:] + shown.err[-2000:]
    assert shown.out.rstrip().endswith("second run: 0 changes planned, 0 written")


@pytest.mark.parametrize(
    "words",
    [
        "Verdicts · jira · Jira Cloud",
        "Verdicts · gitlab · GitLab",
        "CAR-3",
        "acme/car#2",
        "Plan ",
        "Receipts",
        "performed",
        "Patch releases",
        "v2.4.1",
        "Summary",
        "Requests",
        "green",
    ],
)
def test_the_demo_shows_every_part_of_the_job(shown: Shown, words: str) -> None:
    assert words in shown.out


def test_the_demo_is_quiet_and_leaves_the_home_folder_alone(shown: Shown) -> None:
    assert shown.err == ""
    assert list(shown.home.iterdir()) == []
    assert sorted(path.name for path in shown.folder.iterdir()) == [".warranty", "picture.svg"]


def test_the_picture_shows_the_verdicts(shown: Shown) -> None:
    picture = (shown.folder / "picture.svg").read_text(encoding="utf-8")
    assert picture.startswith("<svg")
    assert "CAR-3" in picture
    assert "second" in picture


def test_the_readme_shows_what_the_demo_prints(shown: Shown) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    excerpt = readme.split("a test holds them to it -->\n```text\n")[1].split("```")[0]
    printed = {line.rstrip() for line in shown.out.splitlines()}
    told = [line for line in excerpt.splitlines() if line not in {"", "..."}]
    assert len(told) > 10
    assert [line for line in told if line not in printed] == []
