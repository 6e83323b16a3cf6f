"""The README is held to reality: its commands exist, its files are there, its tables are the program's own."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from flows.cli import cli
from flows.exit_codes import table

ROOT = Path(__file__).resolve().parent.parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^\$ (.+?)(?:\s+#.*)?$", README, re.MULTILINE)


def test_every_file_it_links_to_is_there() -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", README)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_every_make_command_is_a_target() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = [command.split()[1] for command in COMMANDS if command.startswith("make ")]
    assert targets[:2] == ["demo", "test"]
    assert [target for target in targets if not re.search(rf"^{target}:", makefile, re.MULTILINE)] == []


@pytest.mark.parametrize("command", [command for command in COMMANDS if command.startswith("warranty ")])
def test_every_warranty_command_and_option_exists(command: str) -> None:
    _program, name, *words = command.split()
    found = cli.commands[name]
    if isinstance(found, click.Group):
        found = found.commands[words.pop(0)]
    options = {option for parameter in found.params for option in parameter.opts}
    assert [word for word in words if word.startswith("--") and word not in options] == []


def test_every_command_is_shown_or_named() -> None:
    shown = ("warranty", "make")
    assert [name for name in cli.commands if not any(f"{program} {name}" in README for program in shown)] == []


def test_the_exit_codes_are_the_programs_own() -> None:
    assert table() in README


def test_the_policy_words_it_names_are_ones_the_loader_takes_or_refuses_as_it_says() -> None:
    from policies.duration import DurationError, parse_duration

    for text in ("24h", "8bh", "5bd"):
        assert f"`{text}`" in README
        parse_duration(text)
    with pytest.raises(DurationError):
        parse_duration("3d")
