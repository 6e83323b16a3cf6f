"""What a tracker's own clocks say: instants in UTC, and no instant without an offset."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from policies.native_sla import NativeCycle

AT = datetime(2026, 3, 2, 9, tzinfo=timezone(timedelta(hours=8)))


def test_instants_of_a_cycle_are_kept_in_utc_and_those_not_told_stay_away() -> None:
    cycle = NativeCycle(started=AT, breach_at=AT + timedelta(hours=4))
    assert cycle.started == AT
    assert cycle.started is not None
    assert cycle.started.tzinfo is UTC
    assert (cycle.stopped, cycle.breach_at) == (None, datetime(2026, 3, 2, 5, tzinfo=UTC))


@pytest.mark.parametrize("field", ["started", "stopped", "breach_at"])
def test_an_instant_without_an_offset_is_refused(field: str) -> None:
    with pytest.raises(ValueError, match="needs its offset"):
        NativeCycle(**{field: AT.replace(tzinfo=None)})  # type: ignore[arg-type]  # a name from the list above
