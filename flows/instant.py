"""The one place where the flows read the system's clock."""

from __future__ import annotations

from datetime import UTC, datetime

from flows.exit_codes import Exit
from flows.refusal import Refusal


def now() -> datetime:
    """The present instant, in UTC, to the second: an instant that is stored, shown and compared the same."""
    return datetime.now(UTC).replace(microsecond=0)


FIRST, LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2199, 12, 31, tzinfo=UTC)
"""Between these the calendars count."""


def read(text: str | None, option: str = "--now") -> datetime:
    """An option's value as an aware instant in UTC; the present one for None.

    Raises:
        Refusal: not an ISO instant with an offset, or one that no calendar knows.
    """
    if text is None:
        return now()
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise _refused(option, text, "is not an instant", "2026-03-02T09:00:00+01:00") from None
    if instant.tzinfo is None:
        whole = instant.isoformat()
        raise _refused(option, text, "has no offset, so it names no instant", f"{whole}Z or {whole}+01:00")
    try:
        known = FIRST <= instant <= LAST
    except OverflowError:  # at the ends of what there are dates for, an offset leads out of it
        known = False
    if not known:
        raise _refused(option, text, "is an instant that no calendar knows", f"one from {FIRST:%Y} to {LAST:%Y}")
    return instant.astimezone(UTC)


def _refused(option: str, text: str, why: str, instead: str) -> Refusal:
    return Refusal(f"{option} {text!r} {why}", Exit.BAD_INPUT, f"write {instead}")
