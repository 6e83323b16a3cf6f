"""Time as Jira writes it, and as its query language wants it.

Sources: REST timestamps are ISO 8601 with a numeric offset; ``changelog/bulkfetch`` is documented with epoch seconds.
JQL literals have no zone (the account's profile zone is meant) and end at the minute.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any

_TIMESTAMP = re.compile(
    r"(?P<day>\d{4}-\d\d-\d\d)[T ](?P<time>\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?) ?(?P<zone>Z|UTC|[+-]\d\d:?\d\d)", re.ASCII
)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
# Epoch seconds stay below this until the year 5138; milliseconds are above it since March 1973.
_MILLISECONDS_FROM = 100_000_000_000

# The search index lags behind the database, by seconds as a rule.
OVERLAP = timedelta(minutes=5)
# Without the account's zone no literal can be right: zones differ from UTC by less than this.
NO_ZONE = timedelta(hours=24)


def instant(value: Any) -> datetime:
    """An instant in UTC.

    Raises:
        ValueError: not an instant: another shape, a plain date, a time without its zone, a day that does not exist.
    """
    try:
        if isinstance(value, str) and (found := _TIMESTAMP.fullmatch(value.strip())):
            zone = "+00:00" if found["zone"] in {"Z", "UTC"} else found["zone"]
            return datetime.fromisoformat(f"{found['day']}T{found['time']}{zone}").astimezone(UTC)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value / 1000 if abs(value) >= _MILLISECONDS_FROM else value, UTC)
    except (OverflowError, OSError) as error:
        raise ValueError(f"out of range: {str(value)[:40]!r}") from error
    raise ValueError(f"not an instant with its zone: {str(value)[:40]!r}")


def day(value: Any) -> date | None:
    """A plain date ("2026-03-07", or with a time behind it as Data Center's history has it), None for anything else."""
    found = _DAY.match(value) if isinstance(value, str) else None
    try:
        return date.fromisoformat(found[0]) if found else None
    except ValueError:
        return None


def literal(since: datetime, zone: tzinfo | None, overlap: timedelta = OVERLAP) -> str:
    """``since`` as a JQL literal that misses nothing: earlier by the overlap, and in the hour that comes twice earlier.

    Args:
        since: aware.
        zone: the account's; None where it is not known.
        overlap: zero where the index has shown the instant itself.
    """
    if zone is None:
        local = since.astimezone(UTC) - NO_ZONE
    else:
        local = (since - overlap).astimezone(zone)
        first, second = (local.replace(fold=fold).utcoffset() for fold in (0, 1))
        if first is not None and second is not None and first > second:
            # Jira may read the literal as either of the two; the wall clock of the earlier one minus the shift is safe.
            local -= first - second
    return local.strftime("%Y/%m/%d %H:%M")
