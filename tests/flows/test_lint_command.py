"""``warranty lint``: what it shows, at which line, and how it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from flows.exit_codes import Exit
from policies.loader import lines_of
from policies.problem import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from tests.flows.conftest import Command
    from tests.flows.workshop import Workshop

NOW = ("--now", "2026-03-01T00:00:00Z")

NAIVE = """\
id: naive
version: 1
severities: [urgent, normal]
clocks:
  response:
    stop: first_response
    goals:
      - within: 24h
      - when: {severity: urgent}
        within: 48h
"""
SOUND = """\
id: sound
version: 1
severities: [urgent, normal]
clocks:
  response:
    stop: first_response
    goals:
      - {when: {severity: urgent}, within: 4h}
      - within: 24h
"""


@pytest.fixture
def naive(tmp_path: Path) -> Path:
    file = tmp_path / "naive.yaml"
    file.write_text(NAIVE, encoding="utf-8")
    return file


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    file = tmp_path / "sound.yaml"
    file.write_text(SOUND, encoding="utf-8")
    return file


def test_a_contradiction_is_shown_with_its_line_and_what_would_mend_it(command: Command, naive: Path) -> None:
    said = command("lint", str(naive), *NOW)
    assert said.code == Exit.FOUND
    assert "naive.yaml:9 clocks.response.goals[1]" in said.out
    assert "what would mend it" in said.out
    assert "1 error, 0 warnings" in said.out


def test_with_json_each_finding_is_a_record(command: Command, naive: Path) -> None:
    said = command("lint", str(naive), *NOW, "--json")
    assert said.code == Exit.FOUND
    document = said.document
    assert document["pack"] == "naive@1"
    assert document["site"] is None
    assert document["horizon"] == ["2026-03-01", "2026-05-30"]
    (finding,) = document["findings"]
    assert (finding["rule"], finding["weight"], finding["line"]) == ("unreachable_goal", "error", 9)
    assert finding["where"] == "clocks.response.goals[1]"
    assert "48h for {severity: urgent} is never promised" in finding["why"]
    assert finding["mend"]


def test_a_sound_pack_ends_fine(command: Command, sound: Path) -> None:
    said = command("lint", str(sound), *NOW)
    assert said.code == Exit.FINE
    assert "0 errors, 0 warnings" in said.out
    assert "Findings" not in said.out


def test_a_warning_is_no_failure(command: Command) -> None:
    said = command("lint", "standard-warranty", "--now", "2026-03-01T00:00:00Z", "--through", "2026-12-31", "--json")
    warnings = [one for one in said.document["findings"] if one["rule"] == "calendar_years"]
    assert [one["weight"] for one in warnings] == ["warning"]
    errors = [one for one in said.document["findings"] if one["weight"] == "error"]
    assert said.code == (Exit.FOUND if errors else Exit.FINE)


def test_further_ahead_more_years_are_needed(command: Command) -> None:
    def rules(through: str) -> set[str]:
        said = command("lint", "standard-warranty", *NOW, "--through", through, "--json")
        return {one["rule"] for one in said.document["findings"]}

    assert "calendar_years" not in rules("2026-06-30")
    assert "calendar_years" in rules("2040-06-30")


def test_a_site_lends_its_words_to_the_linter(command: Command, workshop: Workshop, sound: Path) -> None:
    said = command("lint", str(sound), *NOW, "--site", str(workshop.file), "--json")
    document = said.document
    assert document["site"] == "workshop"
    assert {one["rule"] for one in document["findings"]} == {"not_at_this_site"}
    assert "declare" in " ".join(one["why"] for one in document["findings"])
    assert "at the site workshop" in command("lint", str(sound), *NOW, "--site", str(workshop.file)).out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("standard-waranty",), "did you mean 'standard-warranty'"),
        (("standard-warranty", "--site", "nowhere"), "no such file"),
        (("standard-warranty", "--through", "2040"), "is no date"),
        (("standard-warranty", *NOW, "--through", "2026-02-01"), "before the first day"),
    ],
)
def test_what_cannot_be_linted_is_told(command: Command, arguments: tuple[str, ...], words: str) -> None:
    said = command("lint", *arguments)
    assert said.code == Exit.BAD_INPUT
    assert words in said.err


def test_each_version_in_a_folder_is_linted(command: Command, tmp_path: Path) -> None:
    policy = tmp_path / "ours"
    policy.mkdir()
    (policy / "v1.yaml").write_text(SOUND, encoding="utf-8")
    later = NAIVE.replace("id: naive\nversion: 1", "id: sound\nversion: 2\neffective_from: 2026-03-01T00:00:00+08:00")
    (policy / "v2.yaml").write_text(later, encoding="utf-8")
    said = command("lint", str(policy), *NOW)
    assert said.code == Exit.FOUND
    assert "v2.yaml:10 clocks.response.goals[1]" in said.out
    assert said.out.index("sound@1") < said.out.index("sound@2")
    versions = command("lint", str(policy), *NOW, "--json").document["versions"]
    assert [(each["pack"], len(each["findings"])) for each in versions] == [("sound@1", 0), ("sound@2", 1)]


def test_the_line_of_a_path_is_that_of_the_nearest_part_that_stands_there(naive: Path) -> None:
    paths = (("id",), ("clocks", "response", "goals", 1, "within"), ("clocks", "response", "floor"), ("kpis", "x"), ())
    assert lines_of(naive, paths) == (1, 10, 5, 1, 1)
    with pytest.raises(InputError):
        lines_of(naive.with_name("nowhere.yaml"), paths)
