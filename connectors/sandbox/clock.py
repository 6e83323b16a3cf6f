"""The sandbox's clock: fixed for demos and tests, the system's for ``warranty sandbox``."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from policies.issue import utc

_TICK = timedelta(seconds=1)


class Clock:
    """Says what time it is in the sandbox. A fixed clock moves on by one second per write, so that order shows."""

    def __init__(self, at: datetime | None) -> None:
        self._at = None if at is None else utc(at)

    @classmethod
    def fixed(cls, at: datetime) -> Clock:
        """A clock that stands at ``at`` (aware) until it is moved or something is written."""
        return cls(at)

    @classmethod
    def system(cls) -> Clock:
        """The machine's own clock."""
        return cls(None)

    def now(self) -> datetime:
        """The present instant, in UTC."""
        return datetime.now(UTC) if self._at is None else self._at

    def for_write(self) -> datetime:
        """The instant to write under; moves a fixed clock one second on."""
        at = self.now()
        if self._at is not None:
            self._at = at + _TICK
        return at

    def set(self, at: datetime) -> None:
        """Stand at ``at`` from now on (a system clock becomes a fixed one)."""
        self._at = utc(at)

    def advance(self, by: timedelta) -> None:
        """Move a fixed clock. Raises ValueError for a system clock, which moves by itself."""
        if self._at is None:
            raise ValueError("the system clock cannot be advanced: set() it first")
        self._at += by
