"""What a warranty says of one report: covered or not, by which contract and clause, on which evidence. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum


class Decision(StrEnum):
    """Whether a report is under warranty. ``unknown`` is no refusal: it stops no response clock and closes nothing."""

    IN = "in"
    OUT = "out"
    GOODWILL = "goodwill"
    DISPUTED = "disputed"
    UNKNOWN = "unknown"

    @property
    def served(self) -> bool:
        """The work is done without charge."""
        return self in {Decision.IN, Decision.GOODWILL}


class Ground(StrEnum):
    """What a decision rests on."""

    WITHIN_TERM = "within_term"
    NOT_BEGUN = "not_begun"
    ENDED = "ended"
    SUSPENDED = "suspended"
    EXCLUSION = "exclusion"
    OTHER_VERSION = "other_version"
    CATEGORY_EXCLUDED = "category_excluded"
    CATEGORY_CHARGEABLE = "category_chargeable"
    NO_CLAUSE = "no_clause"
    NO_CATEGORY = "no_category"
    NO_ANCHOR = "no_anchor"
    NO_CONTRACT = "no_contract"
    SEVERAL_CONTRACTS = "several_contracts"
    HISTORY_GAP = "history_gap"
    BY_HAND = "by_hand"


@dataclass(frozen=True, slots=True)
class Window:
    """The days a contract covers, both ends included, as days of the contract's zone.

    Attributes:
        start: the first day's beginning (UTC).
        end: the end of the last day (UTC); the first instant that is no longer covered.
        zone: IANA name.
    """

    first: date
    last: date
    start: datetime
    end: datetime
    zone: str

    def __contains__(self, instant: datetime) -> bool:
        return self.start <= instant < self.end


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """The decision on one report, with what proves it.

    Attributes:
        decision: what holds: the register's own decision, or that of the person who overrode it.
        computed: what the register alone says.
        ground: why ``decision`` is what it is.
        computed_ground: why ``computed`` is what it is; the same as ``ground`` unless a person overrode it.
        reported_at: the date that counted.
        contract: the contract's id; "" where none was found or several claim the report.
        tier: the level of support agreed in that contract, as the register spells it; "" where it names none.
        candidates: ids of all contracts the report matches, in the register's order.
        clause: the text or reference of the clause it rests on, "" if there is none.
        evidence: ids of events: of the opening, of what completed the report later, then of the override.
        undated: facts it rests on that count as they stand now, for the tracker tells no history of them
            (``organisation``, ``field contract``).
        gap: what is missing of the history that it rests on; "" if nothing is.
        documents: the papers that moved the window's end.
        overridden_by: name or id of the person whose label decides; "" if nobody's does.
        next_change_at: when a document that is already signed for a later day comes to count; None if there is none.
    """

    decision: Decision
    computed: Decision
    ground: Ground
    computed_ground: Ground
    reported_at: datetime
    contract: str = ""
    customer: str = ""
    tier: str = ""
    candidates: tuple[str, ...] = ()
    window: Window | None = None
    clause: str = ""
    evidence: tuple[str, ...] = ()
    undated: tuple[str, ...] = ()
    gap: str = ""
    documents: tuple[str, ...] = ()
    overridden_by: str = ""
    next_change_at: datetime | None = None
