"""The map of an export: what its words mean in a pack's words, and in which zone its clocks stood."""

from __future__ import annotations

import difflib
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BaseModel, ConfigDict, Field, field_validator
from pydantic_core import PydanticCustomError

from policies.issue import State
from policies.roster import Roster
from policies.vocabulary import Vocabulary


class ExportMap(BaseModel):
    """A map file, read. ``states``, ``severities`` and ``categories`` are a site's vocabulary (``policies.vocabulary``)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    zone: str = Field(description="IANA zone of the times that bear no offset")
    opened_as: str = Field(
        "", description="the export's state of an incident before its first entry; left out: that one's"
    )
    states: dict[str, State] = Field(min_length=1, description="the export's word -> canonical state")
    severities: dict[str, str] = Field(default_factory=dict, description="the export's priority -> the pack's severity")
    categories: dict[str, str] = Field(default_factory=dict, description="type:Incident -> the pack's category")
    responders: tuple[str, ...] = ("*",)
    bots: tuple[str, ...] = ()
    customers: tuple[str, ...] = ()
    tiers: dict[str, tuple[str, ...]] = Field(default_factory=dict, description="tier -> accounts or assignment groups")

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, found: str) -> str:
        try:
            ZoneInfo(found)
        except (KeyError, ValueError, OSError):
            near = next(iter(difflib.get_close_matches(found, sorted(available_timezones()), n=1, cutoff=0.5)), "")
            hint = f" (did you mean {near!r}?)" if near else ""
            raise PydanticCustomError("zone", "an IANA zone such as Asia/Shanghai{hint}", {"hint": hint}) from None
        return found

    def vocabulary(self) -> Vocabulary:
        return Vocabulary(states=self.states, severities=self.severities, categories=self.categories)

    def roster(self) -> Roster:
        return Roster(
            responders=frozenset(self.responders),
            bots=frozenset(self.bots),
            customers=frozenset(self.customers),
            tiers=self.tiers,
        )
