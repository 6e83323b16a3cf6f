"""Where the output goes: a closed pipe, a closed or full stdout, a terminal that knows few characters."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from flows.exit_codes import Exit

ROOT = Path(__file__).resolve().parent.parent.parent
# The console script over a site in memory whose first issue has a Chinese title.
PROGRAM = """
import os, sys
from pathlib import Path
from tests.flows import workshop
place = workshop.build(Path.cwd())
place.north.find("CAR-1").title = "\u4e2d\u63a7\u5c4f"
os.environ["WORKSHOP_TOKEN"] = workshop.TOKEN
from flows import cli
sys.argv = ["warranty", *sys.argv[1:], "--site", str(place.file), "--now", "2026-03-09T04:00:00Z"]
cli.main()
"""


def said(folder: Path, *arguments: str, to: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """The command in a shell; ``to`` is what the shell does with its stdout."""
    command = f'"$0" -c "$PROGRAM" "$@" {to}'
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", command, sys.executable, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PROGRAM": PROGRAM, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("arguments", [("plan",), ("plan", "--json")], ids=" ".join)
@pytest.mark.parametrize("to", ["| head -c 1", ">&-", "2>&- <&-"])
def test_a_stream_that_nobody_reads_is_no_error(tmp_path: Path, arguments: tuple[str, ...], to: str) -> None:
    ended = said(tmp_path, *arguments, to=to)
    assert (ended.returncode, ended.stderr) == (Exit.FINE, "")


def test_a_terminal_without_chinese_gets_the_characters_by_number(tmp_path: Path) -> None:
    ended = said(tmp_path, "plan", PYTHONIOENCODING="ascii")
    assert ended.returncode == Exit.FINE
    assert "\\u4e2d\\u63a7\\u5c4f" in ended.stdout


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device here is always full")
def test_output_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    ended = said(tmp_path, "plan", to="> /dev/full")
    assert ended.returncode == Exit.PARTLY
    assert ended.stderr.startswith("error: the output cannot be written: No space left on device\n")


def test_a_folder_that_cannot_be_written_is_no_defect_of_ours(tmp_path: Path) -> None:
    (tmp_path / ".warranty").write_text("a file where a folder belongs", encoding="utf-8")
    ended = said(tmp_path, "plan")
    assert ended.returncode == Exit.BAD_INPUT
    assert ".warranty" in ended.stderr
