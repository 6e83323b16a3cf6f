"""The one place where the flows read the system's clock."""

from __future__ import annotations

from datetime import UTC, datetime

from flows.exit_codes import Exit
from flows.refusal import Refusal


def now() -> datetime:
    """The present instant, in UTC, to the second: an instant that is stored, shown and compared the same."""
    return datetime.now(UTC).replace(microsecond=0)


def read(text: str | None) -> datetime:
    """``--now`` as an aware instant in UTC; the present one for None.

    Raises:
        Refusal: not an ISO instant with an offset.
    """
    if text is None:
        return now()
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise Refusal(f"--now {text!r} is not an instant", Exit.BAD_INPUT, "write 2026-03-02T09:00:00+01:00") from None
    if instant.tzinfo is None:
        raise Refusal(
            f"--now {text!r} has no offset, so it names no instant", Exit.BAD_INPUT, f"write {text}Z or {text}+01:00"
        )
    return instant.astimezone(UTC)
