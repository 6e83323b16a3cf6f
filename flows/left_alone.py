"""When a tracker is left alone, by who reads it and by who writes to it.

Rules:

1. Where the issues of a project could not be read because the tracker lets nobody in, or goes on asking for a rest, its
   other projects are not asked for. What went wrong beside the issues (releases, a list of ids) says nothing of them.
2. What one of its writers is told in this way ends the others, too.
3. A writer that gets no answer time after time ends alone: what it is at may be the reason.
"""

from __future__ import annotations

from connectors.tracker import CredentialsRefused, RateLimited, ServerFailed, TrackerError, Unreachable
from connectors.work import one_line

GIVE_UP_AFTER = 3
"""Issues in a row whose changes a tracker may fail to answer before a writer leaves it alone for this run."""

_ENDS = (CredentialsRefused, RateLimited)
_NO_ANSWER = (Unreachable, ServerFailed, RateLimited)


def reason(failure: TrackerError | None) -> str:
    """Why a failure ends what was still to be asked, in one line; "" where it does not."""
    return _told(failure) if isinstance(failure, _ENDS) else ""


class Wish:
    """What a tracker told one of its writers. Attributes: why: it is to be left alone; "" while it is not."""

    def __init__(self) -> None:
        self.why = ""


class Patience:
    """A writer's."""

    def __init__(self, wish: Wish) -> None:
        self._wish = wish
        self._gave_up = ""
        self._silence = 0  # issues in a row without an answer

    @property
    def over(self) -> str:
        """Why the tracker is left alone; "" while it is not."""
        return self._wish.why or self._gave_up

    def tell(self, failure: TrackerError | None) -> None:
        """What became of an issue's changes: None where nothing went wrong."""
        self._wish.why = self._wish.why or reason(failure)
        self._silence = self._silence + 1 if isinstance(failure, _NO_ANSWER) else 0
        if failure is not None and self._silence >= GIVE_UP_AFTER:
            self._gave_up = self._gave_up or _told(failure)


def _told(failure: TrackerError) -> str:
    return f"the tracker was left alone: {one_line(failure)}"
