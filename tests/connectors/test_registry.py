"""The one list of trackers."""

from __future__ import annotations

import importlib
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr

from connectors import registry
from connectors.gitlab import mapping
from connectors.jira import service_desk
from connectors.retry import Retry
from connectors.sandbox.clock import Clock
from connectors.sandbox.server import DIALECTS
from connectors.sandbox.store import Store
from connectors.tracker import Connection, Unreachable

CONNECTION = Connection(name="acme", url="http://127.0.0.1:1", token=SecretStr("t-5f2c"), timeout=(0.2, 0.2))
ONCE = Retry(attempts=1)
NOW = datetime(2026, 3, 6, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize("kind", sorted(registry.KINDS))
def test_each_kind_opens_a_reader_and_a_writer_that_send_nothing_yet(kind: str) -> None:
    reader = registry.open_reader(kind, CONNECTION, retry=ONCE)
    writer = registry.open_writer(kind, CONNECTION, retry=ONCE)
    assert (reader.name, writer.name) == ("acme", "acme")
    assert (sum(reader.requests.values()), sum(writer.requests.values())) == (0, 0)
    with pytest.raises(Unreachable):
        reader.own_account()
    reader.close()
    writer.close()


@pytest.mark.parametrize(("word", "meant"), [("Jira", "jira"), ("git-lab", "gitlab"), ("jiira", "jira")])
def test_an_unknown_kind_is_refused_with_the_nearest_one(word: str, meant: str) -> None:
    with pytest.raises(registry.UnknownKind, match=rf"no tracker of kind '{word}'; did you mean '{meant}'\?"):
        registry.open_reader(word, CONNECTION)


def test_a_kind_like_no_other_is_refused_with_all_there_are() -> None:
    with pytest.raises(registry.UnknownKind, match=r"no tracker of kind 'bugs'\. There are: gitlab, jira"):
        registry.open_writer("bugs", CONNECTION)


def test_of_every_kind_a_few_may_write_side_by_side() -> None:
    assert {name: registry.most_writers(name) for name in registry.KINDS} == {"jira": 4, "gitlab": 8}
    with pytest.raises(registry.UnknownKind):
        registry.most_writers("bugs")


def test_a_writer_that_takes_several_threads_says_so() -> None:
    assert {name: registry.one_writer(name) for name in registry.KINDS} == {"jira": False, "gitlab": True}
    with pytest.raises(registry.UnknownKind):
        registry.one_writer("bugs")


def test_the_sandbox_serves_the_stand_ins_of_every_kind_each_under_a_name_of_its_own() -> None:
    names = [name for kind in registry.KINDS.values() for name in kind.stand_ins]
    assert sorted(names) == sorted(DIALECTS)
    for kind in registry.KINDS.values():
        for stand_in in kind.stand_ins.values():
            factory = getattr(importlib.import_module(stand_in.module), stand_in.factory)
            assert callable(factory(Store(Clock.fixed(NOW)), **stand_in.options))


def test_naming_the_kinds_imports_no_connector_and_no_client_library() -> None:
    program = (
        "import sys; from connectors import registry; assert registry.KINDS; "
        "print(sorted(m for m in sys.modules if m.split('.')[0] in {'jira', 'gitlab', 'gql', 'requests', 'httpx', 'prefect'}"
        " or m.startswith(('connectors.jira', 'connectors.gitlab', 'connectors.sandbox'))))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=Path(__file__).parents[2],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout.strip() == "[]"


def test_fields_that_are_read_without_being_named_are_those_that_connectors_know() -> None:
    own = {name: kind.own_fields for name, kind in registry.KINDS.items()}
    assert own == {"jira": frozenset(service_desk.WORDS), "gitlab": frozenset({mapping.WEIGHT})}
