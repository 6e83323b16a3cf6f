"""Real issues, exported from others' trackers: judged, written to, and then nothing is left to write."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import jira
import pytest

from connectors.sandbox.load import load_file
from connectors.sandbox.server import Sandbox
from connectors.sandbox.store import Store
from flows import playground
from flows.exit_codes import Exit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.flows.conftest import Command, Said

ROOT = Path(__file__).resolve().parent.parent.parent
NOW = "2026-11-20T16:00:00+08:00"
CLOSED_BOOK = 500 * 1024  # KiB

pytestmark = pytest.mark.shared_data

# Prints the peak memory of one command line, in KiB, after what the command printed.
# The process's own peak: what getrusage says also holds its parent's size at the fork, and a test run grows large.
PROGRAM = """
import sys
from pathlib import Path
from flows import cli
code = cli.run(sys.argv[1:])
peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:"))
print("PEAK", int(code), peak.split()[1])
"""


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Path], Store]]:
    """Serves a file of issues, with a site file ``site.yaml`` over it in the current folder."""
    monkeypatch.chdir(tmp_path)
    running: list[Sandbox] = []

    def serve(file: Path) -> Store:
        store = Store()
        loaded = load_file(store, file)
        store.create_user(playground.OWN_ACCOUNT, "Warranty flows", email=playground.OWN_MAIL)
        store.create_token(playground.OWN_TOKEN, playground.OWN_ACCOUNT)
        sandbox = Sandbox(store).start()
        running.append(sandbox)
        site = playground.site_over(store, loaded, sandbox.url("jira-cloud"))
        (tmp_path / "site.yaml").write_text(site, encoding="utf-8")
        monkeypatch.setenv("WARRANTY_SANDBOX_USER", playground.OWN_MAIL)
        monkeypatch.setenv("WARRANTY_SANDBOX_TOKEN", playground.OWN_TOKEN)
        monkeypatch.setenv("SANDBOX", sandbox.url("jira-cloud"))
        return store

    yield serve
    for sandbox in running:
        sandbox.stop()


def accounted_for(said: Said) -> set[str]:
    """Keys that were judged, skipped or told to be unreadable."""
    document = said.document
    return {
        *(issue["key"] for issue in document["issues"]),
        *(skip["key"] for skip in document["plan"]["skipped"]),
        *(unreadable["key"] for unreadable in document["unreadable"]),
    }


def test_every_real_issue_is_judged_or_skipped_and_written_to_once(
    served: Callable[[Path], Store], command: Command, shared_data: Path, tmp_path: Path
) -> None:
    store = served(shared_data / "jira" / "issues_with_changelog.jsonl")
    keys = {issue.key for issue in store.issues.values()}
    # Written under today's clock of the sandbox, so judged as of now; the past of these issues does not move.
    planned = command("plan", "--site", "site.yaml", "--json")
    assert len(keys) == 46
    assert accounted_for(planned) == keys
    assert all(len(skip["reason"]) > 20 for skip in planned.document["plan"]["skipped"])
    applied = command("apply", "--site", "site.yaml", "--json")
    assert {one["outcome"] for one in applied.document["receipts"]} == {"performed"}
    assert command("plan", "--site", "site.yaml", "--json").document["plan"]["changes"] == []
    for file in (tmp_path / ".warranty").glob("*.db*"):
        file.unlink()
    assert command("plan", "--site", "site.yaml", "--json").document["plan"]["changes"] == []
    _seen_by_the_vendors_client(applied)


def _seen_by_the_vendors_client(applied: Said) -> None:
    """The package ``jira``, used directly, sees labels, comment and both histories."""
    key = next(one["issue"] for one in applied.document["receipts"] if one["change"]["kind"] == "upsert_comment")
    client = jira.JIRA(os.environ["SANDBOX"], basic_auth=(playground.OWN_MAIL, playground.OWN_TOKEN), max_retries=0)
    try:
        issue = client.issue(key, expand="changelog")
        assert any(label.startswith("warranty::") for label in issue.fields.labels)
        ours = [comment for comment in client.comments(key) if "warranty-flows:sla" in str(comment.body)]
        assert len(ours) == 1
        authors = {getattr(entry, "author", None) and entry.author.accountId for entry in issue.changelog.histories}
        assert playground.OWN_ACCOUNT in authors
        assert len(authors) > 1
    finally:
        client.close()  # type: ignore[no-untyped-call]  # the vendor's own


def test_three_thousand_issues_are_judged_within_half_a_gigabyte(
    served: Callable[[Path], Store], shared_data: Path, tmp_path: Path
) -> None:
    store = served(shared_data / "jira" / "titanium_sample.jsonl.gz")
    assert len(store.issues) == 3200
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, "plan", "--site", "site.yaml", "--now", NOW],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    *_, last = done.stdout.splitlines()
    word, code, peak = last.split()
    assert (word, int(code)) == ("PEAK", Exit.FINE), done.stdout[-2000:] + done.stderr[-2000:]
    assert "3200 issues judged" in done.stdout
    assert int(peak) < CLOSED_BOOK
