"""What can go wrong on the way to a tracker, on demand.

A fault waits for a request that matches, is used up after ``times`` requests, and the first that matches wins.

    store.faults.add(Fault("status", status=429, retry_after=7, path="/changelog"))
    store.faults.add(Fault("drop_after", method="POST", times=1))
"""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from typing import Literal

Kind = Literal["latency", "status", "drop_before", "drop_after", "truncated_json", "login_page", "truncated_history"]


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing to go wrong.

    Attributes:
        kind: ``latency`` (late by ``seconds``), ``status`` (answers ``status``, nothing is done), ``drop_before``
            (connection dropped, nothing is done), ``drop_after`` (done, then dropped), ``truncated_json`` (done, half
            the answer), ``login_page`` (HTML with status 200, nothing is done), ``truncated_history`` (each issue
            shows only its latest ``keep`` history entries, and says how many there are).
        method, path: regular expressions; ``path`` is searched in path and query, the mount's name included
            (``/jira-cloud/rest/api/3/issue``).
        answer: body of a ``status`` fault, JSON in the vendor's words ("" for a plain one).
        body: text that must occur in the request's body ("" for any): picks one GraphQL operation.
        times: requests it is good for; None for ever.
    """

    kind: Kind
    method: str = ".*"
    path: str = ""
    body: str = ""
    times: int | None = 1
    status: int = 500
    answer: str = ""
    retry_after: int | str | None = None
    reason: str = ""
    seconds: float = 0.0
    keep: int = 1

    def meets(self, method: str, path: str, body: str) -> bool:
        """Whether a request is one this fault waits for."""
        return (
            re.fullmatch(self.method, method) is not None
            and re.search(self.path, path) is not None
            and self.body in body
        )


class Faults:
    """The faults in waiting. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[tuple[Fault, int | None]] = []

    def add(self, *faults: Fault) -> None:
        """Put faults behind those that already wait."""
        with self._lock:
            self._waiting += [(fault, fault.times) for fault in faults]

    def clear(self) -> None:
        with self._lock:
            self._waiting.clear()

    def waiting(self) -> int:
        """How many faults have not been used up."""
        with self._lock:
            return len(self._waiting)

    def take(self, method: str, path: str, body: str = "") -> Fault | None:
        """The fault for a request, used up by one; None if nothing goes wrong."""
        with self._lock:
            for place, (fault, left) in enumerate(self._waiting):
                if fault.meets(method, path, body):
                    if left is not None and left <= 1:
                        del self._waiting[place]
                    elif left is not None:
                        self._waiting[place] = (fault, left - 1)
                    return fault
        return None
