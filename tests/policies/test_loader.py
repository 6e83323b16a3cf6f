"""YAML files become shapes, or all of their problems at once."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from inline_snapshot import snapshot
from pydantic import BaseModel, ConfigDict, Field, field_validator
from pydantic_core import PydanticCustomError

from policies import loader
from policies.loader import (
    lines_of,
    load_calendar,
    load_pack,
    load_phrases,
    pack_path,
    plain,
    read_shape,
    shipped_packs,
)
from policies.pack import PolicyPack
from policies.problem import InputError, nearest


class Anything(BaseModel):
    model_config = ConfigDict(extra="allow")


class Account(BaseModel):
    model_config = ConfigDict(extra="forbid")

    user: str = ""
    api_token: str = Field("", max_length=3)
    password: str = ""

    @field_validator("password")
    @classmethod
    def _named_only(cls, value: str) -> str:
        if value:
            raise ValueError(f"{value} is written out; name a variable")
        return value


def written(folder: Path, text: str, name: str = "trial.yaml") -> Path:
    path = folder / name
    path.write_text(dedent(text).lstrip("\n"), encoding="utf-8")
    return path


def read(folder: Path, text: str, shape: type[BaseModel] = Anything) -> dict[str, Any]:
    return read_shape(written(folder, text), shape).model_dump()


def problems(folder: Path, text: str, shape: type[BaseModel] = Anything) -> list[str]:
    path = written(folder, text)
    with pytest.raises(InputError) as caught:
        read_shape(path, shape)
    return [str(problem).replace(str(path), "trial.yaml") for problem in caught.value.problems]


PACK = """
id: trial
version: 1
severities: [high, normal]
clocks:
  resolution:
    stop: {state: resolved}
    goals:
      - {when: {severity: high}, within: 48h}
      - within: 5bd
actions:
  - do: label
"""


def test_a_pack_with_five_mistakes_has_all_five_told_with_line_and_nearest_word(tmp_path: Path) -> None:
    text = """
        id: trial
        version: 1
        severities: [high, normal]
        clocks:
          resolution:
            stop: {state: resolvd}
            reopn: resume
            goals:
              - {when: {severity: hihg}, within: 48h}
              - within: 5d
        actions:
          - do: lable
        """
    path = written(tmp_path, text)
    with pytest.raises(InputError) as caught:
        read_shape(path, PolicyPack)
    assert [(each.line, each.path, each.found, each.nearest) for each in caught.value.problems] == snapshot(
        [
            (6, "clocks.resolution.stop.state", "'resolvd'", "resolved"),
            (7, "clocks.resolution.reopn", "'reopn'", "reopen"),
            (9, "clocks.resolution.goals[0].when.severity", "'hihg'", "high"),
            (10, "clocks.resolution.goals[1].within", "'5d' is ambiguous (24 hours a day, or working days?)", ""),
            (12, "actions[0].do", "'lable'", "label"),
        ]
    )
    assert [each.expected for each in caught.value.problems[2:4]] == snapshot(
        [
            "one of high, normal",
            "elapsed time as 24h or 30m, working time as 8bh or 30bm, working days as 5bd (5bd may run until close_of_business)",
        ]
    )


def test_a_right_pack_is_read(tmp_path: Path) -> None:
    pack = load_pack(str(written(tmp_path, PACK)))
    assert (pack.name, pack.calendar_named("always").id) == ("trial@1", "always")


def test_a_window_of_working_days_is_told_how_to_be_written(tmp_path: Path) -> None:
    text = PACK.replace("    goals:", "    verification_window: 7bd\n    goals:")
    (problem,) = problems(tmp_path, text, PolicyPack)
    assert problem.endswith("7bd is working time; write elapsed time: seven days are 168h")


def test_a_calendar_that_is_nowhere_is_told_with_the_nearest_one(tmp_path: Path) -> None:
    path = written(tmp_path, PACK + "calendar: cn-ofice\n")
    with pytest.raises(InputError) as caught:
        load_pack(str(path))
    (problem,) = caught.value.problems
    assert (problem.line, problem.path, problem.nearest) == (12, "calendar", "cn-office")


def test_a_goal_on_a_calendar_of_its_own_counts_on_it_or_is_told_where_it_names_none(tmp_path: Path) -> None:
    text = PACK.replace("- within: 5bd", "- {within: 5bd, calendar: cn-office}")
    pack = load_pack(str(written(tmp_path, text)))
    assert [pack.calendar_of(goal).id for goal in pack.clocks["resolution"].goals] == ["always", "cn-office"]
    with pytest.raises(InputError) as caught:
        load_pack(str(written(tmp_path, text.replace("cn-office", "cn-ofice"))))
    (problem,) = caught.value.problems
    assert (problem.line, problem.path, problem.nearest) == (9, "clocks.resolution.goals[1].calendar", "cn-office")


def test_a_calendar_beside_the_pack_wins_over_a_shipped_one(tmp_path: Path) -> None:
    (tmp_path / "calendars").mkdir()
    calendar = 'id: cn-office\nzone: Europe/Vienna\nweekly: {mon: ["09:00-17:00"]}\n'
    written(tmp_path / "calendars", calendar, "cn-office.yaml")
    pack = load_pack(str(written(tmp_path, PACK + "calendar: cn-office\n")))
    assert pack.calendar_named("cn-office").zone == "Europe/Vienna"


def test_a_calendar_that_makes_no_sense_is_told(tmp_path: Path) -> None:
    path = written(tmp_path, "id: odd\nzone: Mars/Olympus\nweekly: {mon: ['09:00-17:00']}\n", "odd.yaml")
    with pytest.raises(InputError, match="Mars/Olympus"):
        load_calendar(path)


# ------------------------------------------------------------------------------------------------------------- YAML


def test_a_key_that_stands_twice_is_told_with_its_second_line(tmp_path: Path) -> None:
    assert problems(tmp_path, "a: 1\nb:\n  c: 1\n  c: 2\na: 3\n") == [
        "trial.yaml:4 at b.c: found 'c' twice; expected each key once",
        "trial.yaml:5 at a: found 'a' twice; expected each key once",
    ]


def test_a_merged_mapping_is_no_duplicate_wherever_it_stands(tmp_path: Path) -> None:
    assert read(tmp_path, "base: &b {x: 1, y: 2}\none: {<<: *b, x: 3}\ntwo: {x: 4, <<: *b}\n") == {
        "base": {"x": 1, "y": 2},
        "one": {"x": 3, "y": 2},
        "two": {"x": 4, "y": 2},
    }


def test_dates_and_times_stay_text(tmp_path: Path) -> None:
    text = "a: 2026-03-02\nb: 2026-03-02T09:00:00+08:00\nc: 12:30\nd: 1_000\ne: 0x10\nf: 7\ng: 1.5\nh: true\ni: ~\nj: 'yes'\n"
    assert read(tmp_path, text) == {
        "a": "2026-03-02",
        "b": "2026-03-02T09:00:00+08:00",
        "c": "12:30",
        "d": "1_000",
        "e": "0x10",
        "f": 7,
        "g": 1.5,
        "h": True,
        "i": None,
        "j": "yes",
    }


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("a: [1, 2\nb: 3\n", 2, "expected valid YAML"),
        ("a: b: c\n", 1, "expected valid YAML"),
        ("a:\n\t- 1\n", 2, "expected valid YAML"),
        ("a: *nobody\n", 1, "undefined alias"),
        ("- 1\n- 2\n", 1, "a mapping of `key: value` lines"),
        ("", 1, "a mapping of `key: value` lines"),
        ("? [a, b]\n: 1\n", 1, "a word"),
        ("a: 1\n---\nb: 2\n", 2, "valid YAML"),
    ],
)
def test_broken_yaml_is_told_with_its_line(tmp_path: Path, text: str, line: int, said: str) -> None:
    (problem,) = problems(tmp_path, text)
    assert problem.startswith(f"trial.yaml:{line}")
    assert said in problem


def test_an_alias_bomb_is_refused_at_once(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    (problem,) = problems(tmp_path, "\n".join(lines))
    assert "do aliases refer to one another?" in problem


@pytest.mark.parametrize("text", ["a: &a [*a]\n", "a: &a {b: *a}\n", "a: " + "[" * 1500 + "]" * 1500])
def test_endless_nesting_is_refused(tmp_path: Path, text: str) -> None:
    (problem,) = problems(tmp_path, text)
    assert problem.startswith("trial.yaml")


def test_bytes_that_are_not_utf_8_and_files_that_are_not_there_are_told(tmp_path: Path) -> None:
    latin = tmp_path / "latin.yaml"
    latin.write_bytes("title: Gewährleistung\n".encode("latin-1"))
    with pytest.raises(InputError, match="not UTF-8"):
        read_shape(latin, Anything)
    with pytest.raises(InputError, match="no such file"):
        read_shape(tmp_path / "nowhere.yaml", Anything)
    with pytest.raises(InputError, match="expected a YAML file"):
        read_shape(tmp_path, Anything)


# ----------------------------------------------------------------------------------------------------------- secrets


@pytest.mark.parametrize(
    "text",
    [
        "api_token: glpat-hunter2\n",
        "api_token: [glpat-hunter2]\n",
        "password: hunter2\n",
        "secrets: {user: hunter2}\n",
        "user: {password: hunter2}\n",
    ],
)
def test_what_may_be_a_secret_is_never_repeated(tmp_path: Path, text: str) -> None:
    found = problems(tmp_path, text, Account)
    assert found
    assert "hunter2" not in "\n".join(found)


# ------------------------------------------------------------------------------------------------------ what is known


def test_shipped_packs_are_found_by_name_and_others_by_path(tmp_path: Path) -> None:
    assert "standard-warranty" in shipped_packs()
    assert pack_path("standard-warranty").name == "standard-warranty.yaml"
    written(tmp_path, PACK)
    assert pack_path("trial.yaml", tmp_path) == tmp_path / "trial.yaml"
    with pytest.raises(InputError, match="did you mean 'standard-warranty'"):
        pack_path("standard-waranty")


def test_a_language_that_is_not_shipped_is_told() -> None:
    with pytest.raises(InputError, match="one of en, zh"):
        load_phrases("fr")


def test_the_nearest_word_is_none_where_none_is_near() -> None:
    assert nearest("resolvd", ("open", "resolved")) == "resolved"
    assert nearest("zebra", ("open", "resolved")) == ""


def test_what_is_missing_is_told_where_it_should_stand(tmp_path: Path) -> None:
    assert problems(tmp_path, "id: trial\nversion: 1\n", PolicyPack) == snapshot(
        ["trial.yaml:1: found nothing; expected `clocks`"]
    )
    assert problems(tmp_path, PACK + "  - at_least: high\n", PolicyPack) == snapshot(
        ["trial.yaml:12 at actions[1]: found nothing; expected `do`"]
    )
    assert problems(
        tmp_path,
        PACK.replace("      - {when: {severity: high}, within: 48h}\n      - within: 5bd", "      []"),
        PolicyPack,
    ) == snapshot(["trial.yaml:7 at clocks.resolution.goals: found none; expected at least 1"])


def test_a_word_that_a_target_does_not_know_is_told_once(tmp_path: Path) -> None:
    target = 'kpis: {a: {of: resolution, share: ">= 90%", review: each month, source: "4", at_least: 101%}}\n'
    (told,) = problems(tmp_path, PACK.replace("clocks:", f"{target}clocks:", 1), PolicyPack)
    assert told.startswith("trial.yaml:4 at kpis.a.at_least: found 'at_least'; expected one of count, of,")


def test_a_second_document_in_a_file_is_told_at_its_line(tmp_path: Path) -> None:
    assert problems(tmp_path, "id: trial\n---\nid: other\n", PolicyPack) == snapshot(
        ["trial.yaml:2: found another document; expected valid YAML"]
    )


def test_a_value_of_another_kind_is_told_in_words_of_the_file(tmp_path: Path) -> None:
    text = PACK.replace("id: trial", "id: [a]").replace(
        "clocks:", "title: none\nkpis: [1]\nacknowledgements: {a: b}\nclocks:"
    )
    told = problems(tmp_path, text, PolicyPack)
    assert [line.partition(" at ")[2] for line in told] == [
        "id: found a list; expected text",
        "title: found 'none'; expected a mapping",
        "kpis: found a list; expected a mapping",
        "acknowledgements: found a mapping; expected a list",
    ]


def test_a_value_of_the_wrong_form_is_told_with_what_was_found(tmp_path: Path) -> None:
    assert problems(tmp_path, PACK.replace("id: trial", "id: Trial!"), PolicyPack) == snapshot(
        ["trial.yaml:1 at id: found 'Trial!'; expected text that matches ^[a-z][a-z0-9_-]*$"]
    )
    assert problems(tmp_path, PACK.replace("version: 1", "version: [1]"), PolicyPack) == snapshot(
        ["trial.yaml:2 at version: found a list; expected a whole number"]
    )
    assert problems(tmp_path, PACK.replace("version: 1", "version: {a: 1}"), PolicyPack) == snapshot(
        ["trial.yaml:2 at version: found a mapping; expected a whole number"]
    )


@pytest.mark.parametrize("share", ["75", "0.75", "yes", '"75"', "[75%]", "75 %%", "half"])
def test_a_share_is_written_as_one(tmp_path: Path, share: str) -> None:
    (told,) = problems(tmp_path, PACK.replace("within: 5bd", f"within: 5bd\n    at_risk: {share}"), PolicyPack)
    assert told.startswith("trial.yaml:10 at clocks.resolution.at_risk: ")


def test_a_key_too_many_is_told_with_the_nearest_one_of_its_place(tmp_path: Path) -> None:
    assert problems(tmp_path, PACK.replace("do: label", "do: label\n    clock: resolution"), PolicyPack) == snapshot(
        [
            "trial.yaml:12 at actions[0].clock: found 'clock'; expected one of clocks, do, statuses (did you mean 'clocks'?)"
        ]
    )
    assert problems(
        tmp_path, PACK.replace("stop: {state: resolved}", "stop: {stat: resolved}"), PolicyPack
    ) == snapshot(
        [
            "trial.yaml:6 at clocks.resolution.stop.stat: found 'stat'; expected one of all, any, category, component, contract_tier, coverage, label, not, priority, reporter, severity, state, tier, type (did you mean 'state'?)"
        ]
    )


def test_a_literal_secret_is_told_in_the_words_of_its_shape_alone(tmp_path: Path) -> None:
    class Site(BaseModel):
        account: str

        @field_validator("account")
        @classmethod
        def _by_name(cls, _value: str) -> str:
            raise PydanticCustomError("secret_by_value", "name a variable, such as $TOKEN")

    (told,) = problems(tmp_path, "account: tops3cret", Site)
    assert "tops3cret" not in told
    assert "name a variable, such as $TOKEN" in told


def test_a_file_as_plain_values_and_the_lines_of_its_paths(tmp_path: Path) -> None:
    path = written(tmp_path, PACK.lstrip("\n"))
    assert plain(path)["clocks"]["resolution"]["goals"][1] == {"within": "5bd"}
    paths = [("clocks", "resolution", "goals", 1, "within"), ("clocks", "resolution", "reopen"), ("nowhere",), ()]
    assert lines_of(path, paths) == (9, 5, 1, 1)


def test_a_shipped_language_that_says_a_phrase_twice_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "texts").mkdir()
    written(tmp_path / "texts", "due: Due\ndue: Until\n", "xx.yaml")
    monkeypatch.setattr(loader, "SHIPPED", tmp_path)
    with pytest.raises(InputError, match="'due' twice"):
        load_phrases("xx")


def test_a_calendar_nobody_knows_is_told_beside_all_other_mistakes(tmp_path: Path) -> None:
    path = tmp_path / "pack.yaml"
    path.write_text(
        "id: p\nversion: 1\ncalendar: cn-ofice\nclocks:\n  c: {stop: first_response, goals: [{within: 24x}]}\n",
        encoding="utf-8",
    )
    with pytest.raises(InputError) as told:
        load_pack(str(path))
    assert [(problem.line, problem.nearest) for problem in told.value.problems] == [(3, "cn-office"), (5, "")]
    assert "found '24x' is no duration; expected elapsed time as 24h" in str(told.value)
