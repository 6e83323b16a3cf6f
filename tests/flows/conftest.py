"""The commands, carried out in this process over a site of two trackers in memory."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from connectors import registry
from flows import cli
from tests.flows.workshop import NOW, TOKEN, Workshop, build


@dataclass
class Said:
    """What a command ended with, and printed."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        return json.loads(self.out)


@pytest.fixture(autouse=True, scope="session")
def _prefect_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Where a test imports Prefect, its files go to a folder of the tests'."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PREFECT_HOME", str(tmp_path_factory.mktemp("prefect")))
        yield


Command = Callable[..., Said]


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Command:
    """Carries out a command line in this process."""

    def run(*arguments: str) -> Said:
        capsys.readouterr()
        code = cli.run(list(arguments))
        captured = capsys.readouterr()
        return Said(int(code), captured.out, captured.err)

    return run


@pytest.fixture
def workshop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workshop:
    """A fresh workshop in a folder of its own, which is the current one."""
    monkeypatch.setattr(registry, "KINDS", registry.KINDS)
    monkeypatch.setenv("WORKSHOP_TOKEN", TOKEN)
    monkeypatch.chdir(tmp_path)
    return build(tmp_path)


@pytest.fixture
def warranty(workshop: Workshop, command: Command) -> Command:
    """``warranty COMMAND`` on the workshop's site, judged at NOW."""

    def run(*arguments: str, now: datetime = NOW) -> Said:
        return command(*arguments, "--site", str(workshop.file), "--now", now.isoformat())

    return run
