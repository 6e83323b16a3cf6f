"""The bench runs and counts right answers; how fast is never asked here."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.bench.__main__ import main

if TYPE_CHECKING:
    import pytest


def test_the_bench_prints_each_way_with_its_right_answers(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--calls", "20", "--issues", "20", "--sweep"])
    told = capsys.readouterr().out
    ours = re.findall(r"│ ours +│ +20 │ .*?│ +1\.00 │ 100\.0% │", told)
    assert len(ours) == 4
    for way in ("workclock", "businesstimedelta", "numpy.busday_offset", "numpy.busday_count", "holidays", "bare"):
        assert way in told
    assert re.search(r"four clocks in one pack │ +2 │ .*100\.0%", told)
    assert re.search(r"a pack for each clock +│ +2 │ .*100\.0%", told)
    assert re.search(
        r"of 20 issues: [0-9,]+ issues, [0-9,]+ clocks per CPU second\nin the calendar: [0-9]+% of the time", told
    )


def test_the_sweep_shows_each_way_with_its_requests_and_the_second_run_of_ours_writes_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.bench.sweep.LATENCIES", (0.002,))
    monkeypatch.setattr("tests.bench.sweep.ROUNDS", 2)
    main(["--calls", "1", "--issues", "10", "--sweep", "30"])
    told = capsys.readouterr().out
    for way in ("ours", "floor", "plain script"):
        assert len(re.findall(rf"│ {way} +│ first ", told)) == 1
        assert len(re.findall(rf"│ {way} +│ idle ", told)) == 1
    assert re.search(r"│ ours +│ idle +│ +2 │", told), "one request for the issues and one for the releases"
    assert re.search(r"│ ours +│ 6 touched +│", told)
