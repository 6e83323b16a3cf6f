"""Policies compute from what they are handed: no clock, no randomness, no socket; one module opens files."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted((ROOT / "policies").rglob("*.py"))
IMPURE = {
    "asyncio",
    "glob",
    "http",
    "locale",
    "logging",
    "multiprocessing",
    "os",
    "platform",
    "random",
    "secrets",
    "shutil",
    "socket",
    "sqlite3",
    "ssl",
    "subprocess",
    "sys",
    "tempfile",
    "threading",
    "time",
    "urllib",
    "uuid",
}
CLOCKS = {"now", "utcnow", "today", "time_ns", "monotonic", "perf_counter"}
TRACKERS = ("jira", "gitlab")
FILES = {"Path", "open", "read_text", "read_bytes", "write_text", "write_bytes", "iterdir", "glob", "rglob", "is_file"}


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imported(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            found.add(node.module or "")
    return found


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_a_policy_imports_nothing_that_reaches_outside(path: Path) -> None:
    tops = {module.partition(".")[0] for module in imported(path)}
    assert not tops & IMPURE
    assert not tops & {"flows", "connectors", "tests"}
    assert "pathlib" not in tops or path.name == "loader.py"


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_a_policy_asks_no_clock_and_opens_no_file(path: Path) -> None:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            assert called not in CLOCKS, f"{name(path)}:{node.lineno} calls {called}()"
            assert called not in FILES or path.name == "loader.py", f"{name(path)}:{node.lineno} calls {called}()"


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_a_policy_decides_by_no_trackers_name(path: Path) -> None:
    words = [
        node.value.casefold()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and "\n" not in node.value
        and len(node.value) < 30
    ]
    assert not [word for word in words if word in TRACKERS]


def test_the_rules_are_held_over_all_policies() -> None:
    assert len(MODULES) > 20
    assert "pathlib" in imported(ROOT / "policies" / "loader.py")


def test_policies_load_without_the_orchestrator_the_trackers_or_a_server() -> None:
    program = (
        "import importlib, sys\n"
        f"for name in {[path.stem for path in MODULES if path.parent.name == 'policies' and path.stem != '__init__']}:\n"
        "    importlib.import_module(f'policies.{name}')\n"
        "heavy = {'prefect', 'jira', 'gitlab', 'gql', 'requests', 'httpx', 'sqlalchemy', 'starlette', 'uvicorn', 'rich'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"
