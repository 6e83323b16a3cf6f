"""``warranty calendars freeze``."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from connectors import holiday_source
from flows import instant
from flows.exit_codes import Exit
from policies.loader import SHIPPED, load_calendar

if TYPE_CHECKING:
    from tests.flows.conftest import Command

ROOT = Path(__file__).resolve().parents[2]
FROZEN = {
    SHIPPED / "calendars" / "cn-office.yaml": ("CN", "2024-2027", "--id", "cn-office"),
    ROOT / "docs" / "examples" / "cn-office-2016-2017.yaml": ("CN", "2016-2017", "--id", "cn-office"),
}


def _read_on(text: str) -> datetime:
    found = re.search(r"read on (\S+)$", text.strip())
    assert found
    return datetime.fromisoformat(found[1]).replace(tzinfo=UTC)


@pytest.mark.parametrize("file", FROZEN, ids=lambda file: file.name)
def test_a_frozen_calendar_is_exactly_what_the_command_writes(
    file: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = file.read_text(encoding="utf-8")
    monkeypatch.setattr(instant, "now", lambda: _read_on(text))
    said = command("calendars", "freeze", *FROZEN[file])
    assert said.code == Exit.FINE
    assert said.out == text


@pytest.mark.parametrize("file", FROZEN, ids=lambda file: file.name)
def test_a_frozen_calendar_says_of_each_day_what_the_package_says(file: Path) -> None:
    calendar = load_calendar(file)
    assert calendar.valid_from is not None
    assert calendar.valid_through is not None
    known = holiday_source.read("CN", range(calendar.valid_from.year, calendar.valid_through.year + 1))
    day = calendar.valid_from
    while day <= calendar.valid_through:
        assert calendar.is_working_day(day) is known.works(day), day
        day += timedelta(days=1)


def test_the_shipped_calendar_knows_2024_to_2026_and_says_why_not_2027() -> None:
    file = SHIPPED / "calendars" / "cn-office.yaml"
    calendar = load_calendar(file)
    assert (calendar.valid_from, calendar.valid_through) == (date(2024, 1, 1), date(2026, 12, 31))
    assert "2027 is left out: its make-up working days are not known yet" in file.read_text(encoding="utf-8")


def test_it_writes_a_file_that_loads_and_tells_what_was_left_out(command: Command, tmp_path: Path) -> None:
    out = tmp_path / "by.yaml"
    hours = ("--zone", "Europe/Berlin", "--hours", "13:00-16:30,08:00-12:00")
    said = command("calendars", "freeze", "DE-BY", "2025-2026", *hours, "--out", str(out))
    assert (said.code, said.out) == (Exit.FINE, "")
    calendar = load_calendar(out)
    assert (calendar.id, calendar.zone) == ("de-by-office", "Europe/Berlin")
    assert calendar.digest[:8] in said.err
    assert not calendar.is_working_day(date(2025, 1, 6))
    left_out = command("calendars", "freeze", "CN", "2026-2027", "--out", str(out))
    assert "2027 left out: its make-up working days are not known yet" in left_out.err


def test_as_json_it_tells_the_calendar_and_the_years_left_out(command: Command) -> None:
    document = command("calendars", "freeze", "CN", "2026-2027", "--json").document
    assert document["calendar"]["make_up_days"]["2026-01-04"] == "fri"
    assert document["left_out"] == {"2027": "its make-up working days are not known yet"}
    assert document["file"] is None


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("China", "2024"), "did you mean 'CN'"),
        (("CN", "2027-2024"), "run backwards (did you mean '2024-2027'?)"),
        (("CN", "soon"), "write 2024-2027, or 2026"),
        (("CN", "1900-1950"), "from 1970 to 2199"),
        (("CN", "2027"), "2027 is not known whole"),
        (("CN", "2026", "--zone", "Asia/Shangai"), "did you mean 'Asia/Shanghai'"),
        (("CN", "2026", "--hours", "9-5"), "are no hours"),
        (("CN", "2026", "--id", "../evil"), "a word of small letters"),
        (("DE", "2026"), "--zone: name the contract's"),
        (("CN", "2026", "--out", "/nowhere/at/all.yaml"), "No such file or directory"),
    ],
)
def test_a_command_line_that_makes_no_sense_is_refused_in_words(
    command: Command, arguments: tuple[str, ...], words: str
) -> None:
    said = command("calendars", "freeze", *arguments)
    assert said.code == Exit.BAD_INPUT
    assert words in said.err
    assert "Traceback" not in said.err


def test_all_mistakes_of_a_command_line_are_told_at_once(command: Command) -> None:
    said = command("calendars", "freeze", "Chna", "2027-2024", "--hours", "x")
    assert all(words in said.err for words in ("did you mean 'CN'", "run backwards", "are no hours"))
