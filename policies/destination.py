"""Where changes will be written, as far as deciding them needs to know it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from policies.phrases import Phrases

SEPARATOR = "::"
"""Between the parts of a label of ours."""
_UNFIT = str.maketrans(dict.fromkeys(" \t\r\n,", "-"))
_LONGEST_LABEL_PART = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """One tracker of a site.

    Attributes:
        tracker: the site's name for it.
        prefix: our labels are ``<prefix>::...``; no other label is ever removed.
        phrases: the language that comments and reports are written in.
        zone: the contract's time zone; due dates are dates in it.
        tiers: support tier -> account to assign now: the first one in force; a tier nobody is in now is left out.
        tier_accounts: support tier -> all accounts in it now, lowest tier first.
        severities: severity -> the tracker's word for it (``label:x`` where severity is a label).
        web_links, priorities, internal_comments: what the tracker can do.
        comment_internally: hide our comment from the customer.
        report_project: where the compliance report lives; None for no report.
        adopted_at: from when on people are told; of what came before labels and the report tell. None: of everything.
    """

    tracker: str
    prefix: str
    phrases: Phrases
    zone: ZoneInfo
    tiers: Mapping[str, str] = field(default_factory=dict)
    tier_accounts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    severities: Mapping[str, str] = field(default_factory=dict)
    web_links: bool = False
    priorities: bool = False
    internal_comments: bool = False
    comment_internally: bool = True
    report_project: str | None = None
    adopted_at: datetime | None = None

    def label(self, *parts: str) -> str:
        """A label of ours. Characters that some tracker cannot hold in a label become a hyphen."""
        return _label(self.prefix, parts)

    def scope(self, *parts: str) -> str:
        """What all labels of one scope begin with; at most one of them stands on an issue."""
        return self.label(*parts) + SEPARATOR

    @property
    def report_label(self) -> str:
        """Marks the report issue; an issue that bears it is never judged."""
        return self.label("report")

    def written(self, at: datetime) -> str:
        """An instant as people read it: ``2026-03-07 15:00 CST``."""
        return at.astimezone(self.zone).strftime("%Y-%m-%d %H:%M %Z")


@lru_cache(maxsize=4096)
def _label(prefix: str, parts: tuple[str, ...]) -> str:
    """A few labels are asked for on every issue."""
    fit = (part.translate(_UNFIT)[:_LONGEST_LABEL_PART] for part in parts)
    return SEPARATOR.join((prefix, *fit))
