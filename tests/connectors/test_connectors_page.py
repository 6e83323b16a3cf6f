"""The page on how to add a tracker names what there is: every member of the port, every event, change and file."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path
from typing import get_args

import pytest

from connectors import registry, tracker
from policies import changes, issue
from policies.changes import Change
from policies.receipt import Outcome

FOLDER = Path(tracker.__file__).parent
PAGE = (FOLDER / "README.md").read_text(encoding="utf-8")
NAMED = set(re.findall(r"`([^`\n]+)`", PAGE))
WORDS = set(re.findall(r"[A-Za-z_]+", " ".join(NAMED)))


def members(protocol: type) -> set[str]:
    return {*protocol.__annotations__, *(name for name in vars(protocol) if not name.startswith("_"))}


@pytest.mark.parametrize("protocol", [tracker.TrackerReader, tracker.TrackerWriter])
def test_every_member_of_the_port_is_on_the_page(protocol: type) -> None:
    assert members(protocol) <= WORDS


def test_every_change_is_on_the_page() -> None:
    assert {kind.__name__ for kind in get_args(Change)} <= WORDS


def test_the_events_a_connector_makes_are_on_the_page_and_the_derived_ones_are_not() -> None:
    events = {kind.__name__: kind.__doc__ or "" for kind in get_args(issue.Event)}
    derived = {name for name, text in events.items() if text.startswith("Derived")}
    assert events.keys() - derived <= WORDS
    assert not derived & WORDS


def test_every_part_of_an_entry_in_the_registry_is_on_the_page() -> None:
    assert {part.name for part in fields(registry.Kind)} <= WORDS


def test_every_outcome_a_writer_may_tell_is_on_the_page() -> None:
    """What is already so is found out by the caller."""
    assert {outcome.name for outcome in Outcome} - {Outcome.ALREADY_SO.name} <= WORDS


def test_every_file_that_is_named_is_there() -> None:
    files = {name for name in NAMED if re.fullmatch(r"[a-z_/*]+\.(py|md)|[a-z_/]+/", name)}
    assert len(files) > 12
    for name in sorted(files):
        found = [*FOLDER.glob(name.rstrip("/")), *FOLDER.parent.glob(name.rstrip("/")), *(FOLDER / "jira").glob(name)]
        assert found, name


def test_every_name_of_the_code_that_is_named_is_there() -> None:
    there = {*vars(tracker), *vars(changes), *vars(issue)}
    for module in ("retry", "rate_budget", "work", "cache", "registry"):
        there |= set(
            re.findall(r"^(?:class|def|)\s*([A-Z][A-Za-z]+)", (FOLDER / f"{module}.py").read_text(), re.MULTILINE)
        )
    camel = {word for word in WORDS if re.fullmatch(r"[A-Z][a-z]+[A-Z][A-Za-z]+", word)}
    assert camel - there == set()
