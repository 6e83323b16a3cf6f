"""An export's file: whole, in its order, or every mistake in it with its line."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import pytest

from connectors.incidents import reader
from connectors.incidents.export_map import ExportMap
from policies.issue import State
from policies.loader import read_shape
from policies.problem import InputError

if TYPE_CHECKING:
    from pathlib import Path

WORDS = ExportMap(zone="UTC", opened_as="New", states={"New": State.OPEN})


def record(id_: str = "INC1", **fields: Any) -> dict[str, Any]:
    history = [{"at": "2026-03-02T09:05:00", "mod": 0, "changed": {"state": "New", "priority": "4 - Low"}}]
    return {"id": id_, "opened_at": "2026-03-02T09:00:00", "history": history, **fields}


def file_of(folder: Path, *lines: Any) -> Path:
    file = folder / "export.jsonl"
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    file.write_text("\n".join(texts) + "\n", encoding="utf-8")
    return file


def problems(file: Path) -> list[str]:
    with pytest.raises(InputError) as refused:
        reader.read(file, WORDS)
    return [str(problem).removeprefix(str(file)) for problem in refused.value.problems]


def test_incidents_come_in_the_order_of_the_file(tmp_path: Path) -> None:
    found = reader.read(file_of(tmp_path, record("B"), "", record("A")), WORDS)
    assert [each.issue.ref.key for each in found] == ["B", "A"]


def test_a_gzipped_file_reads_the_same_whatever_its_name(tmp_path: Path) -> None:
    plain = file_of(tmp_path, record("A"), record("B"))
    packed = tmp_path / "packed.jsonl"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert reader.read(packed, WORDS) == reader.read(plain, WORDS)


def test_a_record_that_stands_there_twice_is_one(tmp_path: Path) -> None:
    assert len(reader.read(file_of(tmp_path, record(), record()), WORDS)) == 1


def test_every_mistake_of_a_file_is_told_with_its_line(tmp_path: Path) -> None:
    file = file_of(
        tmp_path,
        record("A"),
        "{broken",
        "[]",
        {"opened_at": "2026-03-02T09:00:00"},
        record("B", opened_at="yesterday", history=[{"at": 5}]),
        record("A", opened_at="2026-03-02T10:00:00"),
        record("C", opened_at=None, history=[]),
        record("D", history=[{"at": "2026-03-02", "mod": -1, "changed": {"state": ["New"]}}]),
    )
    assert problems(file) == [
        ":2: found no JSON; expected a JSON object",
        ":3: found no object; expected a JSON object with id, opened_at and history",
        ":4 at id: found nothing; expected `id`",
        ":5 at opened_at: found 'yesterday'; expected a date and time such as 2026-03-02T09:00:00".replace(
            "2026-03-02T09:00:00", "2016-02-29T06:38:00"
        ),
        ":5 at history[0].at: found 5; expected a date and time such as 2016-02-29T06:38:00",
        ":6 at id: found 'A'; expected another id than that of line 1, which tells otherwise",
        ":7: found no instant at all; expected `opened_at`, and a history",
        ":8 at history[0].at: found '2026-03-02'; expected a date and time such as 2016-02-29T06:38:00",
        ":8 at history[0].mod: found -1; expected greater than or equal to 0",
        ":8 at history[0].changed.state: found a list; expected a word",
    ]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("[" * 100_000, "no JSON"),
        (json.dumps(record(opened_at="9999-01-01T00:00:00")), "a year from 1971 to 2190"),
        (json.dumps(record("\ud800")), "a valid string"),
        (json.dumps(record(history=[{"at": "2026-03-02T09:05:00", "changed": {"state": "x" * 500}}])), "at most 200"),
        (json.dumps(record(history=[{"at": "2026-03-02T09:05:00", "changed": {"state": True}}])), "a word"),
        (json.dumps(record(history=[{"at": None}])), "history[0].at"),
        (json.dumps(record(opened_at="2026-13-45T09:00:00")), "a date and time"),
    ],
    ids=lambda text: text[:20],
)
def test_hostile_lines_are_refused_in_words(tmp_path: Path, line: str, words: str) -> None:
    (problem,) = problems(file_of(tmp_path, line))
    assert words in problem


def test_bytes_that_are_no_text_are_told(tmp_path: Path) -> None:
    file = tmp_path / "bytes.jsonl"
    file.write_bytes(b"\xff\xfe{}\n")
    assert problems(file) == [":1: found bytes that are not UTF-8; expected a JSON object in UTF-8"]


def test_a_line_without_end_is_not_read_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "_LONGEST", 1000)
    assert "a line without end" in problems(file_of(tmp_path, "x" * 2000))[0]


def test_a_file_of_mistakes_tells_the_first_two_hundred(tmp_path: Path) -> None:
    told = problems(file_of(tmp_path, *["{"] * 500))
    assert len(told) == 201
    assert "more mistakes" in told[-1]


def test_an_empty_file_holds_no_incident(tmp_path: Path) -> None:
    assert "no incident" in problems(file_of(tmp_path))[0]


def test_a_missing_file_and_a_broken_archive_are_told(tmp_path: Path) -> None:
    assert "no such file" in problems(tmp_path / "nowhere.jsonl")[0]
    broken = tmp_path / "broken.gz"
    broken.write_bytes(gzip.compress(b'{"id": "A"}\n' * 1000)[:-20])
    assert any("gzip" in told for told in problems(broken))


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    assert problems(tmp_path)


def test_progress_is_told_now_and_then(tmp_path: Path) -> None:
    told: list[int] = []
    reader.read(file_of(tmp_path, *(record(f"INC{number}") for number in range(250))), WORDS, told.append)
    assert told == [100, 200]


def test_a_map_with_an_unknown_zone_names_the_nearest(tmp_path: Path) -> None:
    file = tmp_path / "map.yaml"
    file.write_text("zone: Asia/Shangai\nstates: {New: opened}\n", encoding="utf-8")
    with pytest.raises(InputError) as refused:
        read_shape(file, ExportMap)
    assert "did you mean 'Asia/Shanghai'" in str(refused.value)
    assert "did you mean 'open'" in str(refused.value)
