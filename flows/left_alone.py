"""When a tracker is left alone for the rest of a run, by its readers and by all of its writers at once.

Rules:

1. A tracker that lets nobody in, or asks for a longer rest than a run may take, is asked for nothing more: none of its
   other projects is read, and nothing is written to it.
2. One that does not answer time after time is written to no more.
"""

from __future__ import annotations

import threading

from connectors.tracker import CredentialsRefused, RateLimited, ServerFailed, TrackerError, Unreachable
from connectors.work import one_line

GIVE_UP_AFTER = 3
"""Issues in a row whose changes a tracker may fail to answer before it is left alone for this run."""

_ENDS = (CredentialsRefused, RateLimited)
_NO_ANSWER = (Unreachable, ServerFailed, RateLimited)


def reason(failure: TrackerError | None) -> str:
    """Why a failure ends its tracker's part in the run, in one line; "" where it does not."""
    return _told(failure) if isinstance(failure, _ENDS) else ""


class Patience:
    """With one tracker; its writers share it.

    Attributes:
        over: why the tracker is left alone; "" while it is not.
    """

    def __init__(self, over: str = "") -> None:
        self.over = over
        self._silence = 0  # issues in a row without an answer
        self._telling = threading.Lock()

    def tell(self, failure: TrackerError | None) -> None:
        """What became of an issue's changes: None where nothing went wrong."""
        with self._telling:
            self._silence = self._silence + 1 if isinstance(failure, _NO_ANSWER) else 0
            if failure is not None and (isinstance(failure, _ENDS) or self._silence >= GIVE_UP_AFTER):
                self.over = self.over or _told(failure)


def _told(failure: TrackerError) -> str:
    return f"the tracker was left alone: {one_line(failure)}"
