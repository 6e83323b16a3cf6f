"""What is said to people, by language. The words lie in ``texts/<language>.yaml``; the loader reads them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, assert_never

from policies.duration import Duration, ElapsedTime, WorkingDays, WorkingTime

if TYPE_CHECKING:
    from policies.coverage import Decision, Ground
    from policies.signals import SignalKind
    from policies.verdict import Reason, Status

_HOUR = 60


@dataclass(frozen=True, slots=True)
class Phrases:
    """The phrases of one language, by key; places to fill in are written ``{name}``."""

    language: str
    texts: Mapping[str, str]

    def say(self, key: str, **values: str | int) -> str:
        """The phrase with its places filled.

        Raises:
            KeyError: there is no such phrase, or a place was not filled.
        """
        return self.texts[key].format_map(values)

    def status(self, status: Status) -> str:
        return self.say(f"status_{status.value}")

    def reason(self, reason: Reason) -> str:
        return self.say(f"reason_{reason.code.value}", detail=reason.detail)

    def signal(self, kind: SignalKind) -> str:
        return self.say(f"signal_{kind.value}")

    def decision(self, decision: Decision) -> str:
        return self.say(f"decision_{decision.value}")

    def ground(self, ground: Ground) -> str:
        return self.say(f"ground_{ground.value}")

    def party(self, party: str, *, paused: bool = False) -> str:
        """Whose time it was; a word of the pack or a tier of the site stands for itself."""
        word = self.texts.get(f"party_{party}", party)
        return self.say("party_paused", party=word) if paused else word

    def length(self, length: timedelta) -> str:
        """A length of time to the minute: "26:05 h"."""
        hours, minutes = divmod(round(length.total_seconds() / 60), 60)
        return self.say("length", hours=hours, minutes=f"{minutes:02d}")

    def goal(self, goal: Duration) -> str:
        """A promise in words: "24 hours", "5 working days, until close of business"."""
        match goal:
            case ElapsedTime(minutes=minutes) if minutes % _HOUR == 0:
                return self.say("goal_hours", n=minutes // _HOUR)
            case ElapsedTime(minutes=minutes):
                return self.say("goal_minutes", n=minutes)
            case WorkingTime(minutes=minutes) if minutes % _HOUR == 0:
                return self.say("goal_working_hours", n=minutes // _HOUR)
            case WorkingTime(minutes=minutes):
                return self.say("goal_working_minutes", n=minutes)
            case WorkingDays(days=days, until_close=until_close):
                return self.say("goal_working_days_until_close" if until_close else "goal_working_days", n=days)
            case _:
                assert_never(goal)
