"""What a connector learned of its server and need not ask again in each run: which one it is, its fields, its words.

Rules:

1. It saves requests, never correctness: an empty cache costs requests, a stale entry is found out by the answer it
   leads to, and every entry has an end.
2. No secret comes here, and nothing derived from one.
3. Values are JSON.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from datetime import timedelta


class Cache(Protocol):
    """Bound to one server as one site names it, and to one instant."""

    def get(self, key: str) -> Any | None:
        """What was put there, unless its time is over."""
        ...

    def put(self, key: str, value: Any, lasts: timedelta) -> None: ...

    def drop(self, key: str) -> None: ...


class SessionCache:
    """For one session: nothing in it grows old."""

    def __init__(self) -> None:
        self._held: dict[str, Any] = {}

    def get(self, key: str) -> Any | None:
        return self._held.get(key)

    def put(self, key: str, value: Any, lasts: timedelta) -> None:
        del lasts
        self._held[key] = value

    def drop(self, key: str) -> None:
        self._held.pop(key, None)
