"""Console blocks of a page: a command after ``$``, and what it prints. Rewrites them: ``python -m tests.flows.console_page``."""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "incident-histories.md"
_BLOCK = re.compile(r"```console\n\$ (warranty [^\n]+)\n(.*?)```", re.DOTALL)


def rewritten(page: str, printed: Callable[[str], str]) -> str:
    """The page with what each of its commands prints."""
    return _BLOCK.sub(lambda block: f"```console\n$ {block[1]}\n{printed(block[1])}```", page)


def printed(command: str, data: Path, scratch: Path) -> str:
    """What a command prints, to stdout and then to stderr; the data is where it is, what is written goes to scratch."""
    from flows import cli

    words = shlex.split(command)[1:]
    files = {"servicenow_status_history.jsonl": data / "jira" / "servicenow_status_history.jsonl"}
    if "--out" in words:
        name = words[words.index("--out") + 1]
        files[name] = scratch / name
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), contextlib.chdir(ROOT):
        cli.run([str(files.get(word, word)) for word in words])
    text = out.getvalue() + err.getvalue()
    for name, path in files.items():
        text = text.replace(str(path), name)
    return "".join(f"{line.rstrip()}\n" for line in text.rstrip().splitlines())


if __name__ == "__main__":
    data = Path(os.environ.get("WARRANTY_SHARED_DATA", ROOT.parent / "shared" / "data"))
    with tempfile.TemporaryDirectory() as folder:
        PAGE.write_text(
            rewritten(PAGE.read_text(encoding="utf-8"), lambda command: printed(command, data, Path(folder))),
            encoding="utf-8",
        )
    sys.stdout.write(f"{PAGE}\n")
