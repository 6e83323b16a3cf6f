"""Instants as whole microseconds of UTC since 1970, which is what calendars count in. Lengths are microseconds too."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from policies.issue import utc

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EPOCH_ORDINAL = EPOCH.toordinal()


def microseconds(at: datetime) -> int:
    """An instant as microseconds. Raises ValueError on a naive datetime."""
    try:
        since = at - EPOCH
    except TypeError:
        return microseconds(utc(at))  # which refuses a naive datetime and says why
    return (since.days * 86_400 + since.seconds) * SECOND + since.microseconds


def instant(at: int) -> datetime:
    """Microseconds as an instant, in UTC."""
    return EPOCH + timedelta(0, 0, at)


def midnight(day: int) -> int:
    """The beginning of a day (proleptic ordinal), read as UTC."""
    return (day - EPOCH_ORDINAL) * DAY
