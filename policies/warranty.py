"""Which contract covers a report, and whether it does: the register, and the decision with its clause and evidence.

Rules:

1. The instant that counts is when the report was made, for the dates of a contract and for what an issue is matched by
   (how: see ``claim``). A defect open at expiry, or reopened after it, stays covered.
2. Every contract that claims a report is looked at, and only then do dates and clauses choose. If just one of them
   covers it, that one does; if several do, the report is ``disputed`` and all are named. ``supersedes`` settles that.
3. What the register does not say is ``unknown``, never a guess: no contract, no clause for the category, no category,
   no delivery yet.
4. A person's label decides over the register, and the register's own decision is kept beside it.
5. A chargeable category is ``out`` with its clause: the work may be done, the warranty does not pay for it.
6. What rests on facts that a gap of the history leaves in doubt is ``unknown`` and names the gap; what does not, stands.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, assert_never
from zoneinfo import ZoneInfo

from policies.claim import CATEGORY, COMPONENT, VERSION, Asked, Claim, Values
from policies.coverage import Coverage, Decision, Ground, Window
from policies.coverage_override import overrides
from policies.issue import CoverageChanged
from policies.revised import revised

if TYPE_CHECKING:
    from policies.claim import Fact
    from policies.coverage_override import Override
    from policies.issue import Issue
    from policies.term import Term


class Cover(StrEnum):
    """What a clause grants a category."""

    INCLUDED = "included"
    EXCLUDED = "excluded"
    CHARGEABLE = "chargeable"


@dataclass(frozen=True, slots=True)
class Clause:
    """Attributes: text: the clause, or where it stands in the contract."""

    cover: Cover
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """All words given must fit; a word fits if one of its values does.

    A value is compared without regard to case; ``acme/*`` fits all that begins with ``acme/``. A match without any
    word fits nothing.
    """

    tracker: tuple[str, ...] = ()
    project: tuple[str, ...] = ()
    component: tuple[str, ...] = ()
    label: tuple[str, ...] = ()
    reporter: tuple[str, ...] = ()
    organisation: tuple[str, ...] = ()
    category: tuple[str, ...] = ()
    fields: tuple[tuple[str, tuple[str, ...]], ...] = ()
    _asked: tuple[tuple[Fact, Values], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        named = [((word, ""), getattr(self, word)) for word in _WORDS]
        named += [(("field", name.casefold()), values) for name, values in self.fields]
        object.__setattr__(self, "_asked", tuple((fact, Values.of(values)) for fact, values in named if values))

    @property
    def asked(self) -> frozenset[Fact]:
        """The facts it looks at."""
        return frozenset(fact for fact, _values in self._asked)

    def fits(self, claim: Claim, leaving_out: frozenset[Fact] = frozenset()) -> bool:
        """Whether all words fit, those about the facts left out unseen."""
        return bool(self._asked) and all(
            fact in leaving_out or values.meet(claim.words.get(fact, frozenset())) for fact, values in self._asked
        )


_WORDS = ("tracker", "project", "component", "label", "reporter", "organisation", "category")


@dataclass(frozen=True, slots=True)
class Product:
    """Attributes: lines: version lines covered (``2``, ``3.1``, ``3.x``); none: every version."""

    name: str
    lines: tuple[str, ...] = ()

    def carries(self, version: str) -> bool:
        numbers = _numbers(version)
        return not self.lines or any(numbers[: len(_numbers(line))] == _numbers(line) for line in self.lines)


def _numbers(version: str) -> tuple[str, ...]:
    parts = version.strip().casefold().removeprefix("v").split(".")
    return tuple(parts[:-1] if parts[-1] in {"x", "*"} else parts)


@dataclass(frozen=True, slots=True)
class Exclusion:
    """What the contract leaves out whatever its category. Attributes: text: the clause that says so."""

    match: Match
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """One row of the register.

    Attributes:
        match: how a report finds it: any of these.
        accepted: the term begins with acceptance, not with delivery.
        clauses: category -> clause; a contract without any covers every category.
        supersedes: ids of contracts that step back where both claim a report.
        tier: level of support agreed, which conditions of packs ask for; "" for none.
        calendar, policy: calendar id and pack id agreed; "" for the site's own.
    """

    id: str
    customer: str
    zone: ZoneInfo
    term: Term
    match: tuple[Match, ...]
    accepted: bool = False
    products: tuple[Product, ...] = ()
    clauses: Mapping[str, Clause] = field(default_factory=dict)
    exclusions: tuple[Exclusion, ...] = ()
    supersedes: tuple[str, ...] = ()
    tier: str = ""
    calendar: str = ""
    policy: str = ""

    def claims(self, claim: Claim, leaving_out: frozenset[Fact] = frozenset()) -> bool:
        return any(match.fits(claim, leaving_out) for match in self.match)

    @property
    def asked(self) -> frozenset[Fact]:
        """The facts of a report that it looks at."""
        return self._asked_within.union(*(match.asked for match in self.match))

    @property
    def _asked_within(self) -> frozenset[Fact]:
        """The facts that only a report made within the term is asked for."""
        by_category = {CATEGORY} if self.clauses else set()
        by_version = {VERSION} if any(product.lines for product in self.products) else set()
        by_product = {COMPONENT} if by_version and len(self.products) > 1 else set()
        return frozenset(by_category | by_version | by_product).union(*(each.match.asked for each in self.exclusions))

    def surely_claims(self, claim: Claim) -> bool:
        """It claims the report whatever the history does not tell."""
        return any(match.fits(claim) and match.asked.isdisjoint(claim.doubtful) for match in self.match)

    def doubted(self, claim: Claim, now: datetime) -> bool:
        """What the history does not tell could change what this contract says of a report, or whether it is asked."""
        if not self.claims(claim, claim.doubtful):
            return False
        if not self.surely_claims(claim):
            return True
        window = self.term.window(self.zone, now)
        within = window is not None and claim.reported_at in window
        return within and not self._asked_within.isdisjoint(claim.doubtful)

    def decide(self, claim: Claim, now: datetime) -> Coverage:
        """What this contract alone says of a report, as known at ``now``."""
        window = self.term.window(self.zone, now)
        decision, ground, clause = self._decided(claim, window)
        today = now.astimezone(self.zone).date()
        return Coverage(
            decision=decision,
            computed=decision,
            ground=ground,
            computed_ground=ground,
            reported_at=claim.reported_at,
            contract=self.id,
            customer=self.customer,
            tier=self.tier,
            window=window,
            clause=clause,
            evidence=claim.proof(self.asked),
            undated=claim.undated(self.asked),
            gap=claim.missing(self.asked),
            documents=self.term.documents(today) if window is not None else (),
            next_change_at=self.term.next_document(self.zone, now),
        )

    def _decided(self, claim: Claim, window: Window | None) -> tuple[Decision, Ground, str]:
        if window is None:
            return Decision.UNKNOWN, Ground.NO_ANCHOR, ""
        if claim.reported_at not in window:
            return Decision.OUT, Ground.NOT_BEGUN if claim.reported_at < window.start else Ground.ENDED, ""
        excluded = next((each for each in self.exclusions if each.match.fits(claim)), None)
        if excluded is not None:
            return Decision.OUT, Ground.EXCLUSION, excluded.text
        if claim.versions and self.products and not self._carries(claim):
            return Decision.OUT, Ground.OTHER_VERSION, "; ".join(self._lines(claim))
        decided = self._by_category(claim)
        if decided[0] is Decision.IN:
            suspension = self.term.suspended_on(claim.reported_at.astimezone(self.zone).date())
            if suspension is not None and suspension.during is not Decision.IN:
                return suspension.during, Ground.SUSPENDED, suspension.reason
        return decided

    def _concerned(self, claim: Claim) -> tuple[Product, ...]:
        """The products a report's components name; all of them if they name none."""
        named = {each.casefold() for each in claim.components}
        return tuple(each for each in self.products if each.name.casefold() in named) or self.products

    def _carries(self, claim: Claim) -> bool:
        return any(product.carries(version) for product in self._concerned(claim) for version in claim.versions)

    def _lines(self, claim: Claim) -> Iterator[str]:
        for product in self._concerned(claim):
            yield f"{product.name} {', '.join(product.lines)}"

    def _by_category(self, claim: Claim) -> tuple[Decision, Ground, str]:
        if not self.clauses:
            return Decision.IN, Ground.WITHIN_TERM, ""
        if claim.category is None:
            return Decision.UNKNOWN, Ground.NO_CATEGORY, ""
        clause = self.clauses.get(claim.category)
        if clause is None:
            return Decision.UNKNOWN, Ground.NO_CLAUSE, ""
        match clause.cover:
            case Cover.INCLUDED:
                return Decision.IN, Ground.WITHIN_TERM, clause.text
            case Cover.EXCLUDED:
                return Decision.OUT, Ground.CATEGORY_EXCLUDED, clause.text
            case Cover.CHARGEABLE:
                return Decision.OUT, Ground.CATEGORY_CHARGEABLE, clause.text
            case _:
                assert_never(clause.cover)


@dataclass(frozen=True, slots=True)
class Register:
    """All contracts of a site.

    Attributes:
        version_label: what labels that name the product's version begin with (``version::``); "" for none.
        digest: sixteen hex digits over all that is written in it; "" for one that no file holds.
    """

    contracts: tuple[Contract, ...] = ()
    version_label: str = ""
    digest: str = ""

    _asked: Asked = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        matches = [match for contract in self.contracts for match in contract.match]
        excluding = [each.match for contract in self.contracts for each in contract.exclusions]
        asked = Asked(
            projects=Values.of(value for match in matches for value in match.project),
            labels=Values.of(value for match in matches for value in match.label),
            excluded=Values.of(value for match in excluding for value in match.label),
            version_label=self.version_label,
        )
        object.__setattr__(self, "_asked", asked)

    @property
    def tiers(self) -> frozenset[str]:
        """The levels of support its contracts agree on."""
        return frozenset(contract.tier for contract in self.contracts if contract.tier)

    def contract(self, id_: str) -> Contract | None:
        return next((contract for contract in self.contracts if contract.id == id_), None)

    def claim(self, issue: Issue, now: datetime) -> Claim:
        """What an issue claims of these contracts, as known at ``now``."""
        return Claim.of(issue, self._asked, now)

    def decide(self, claim: Claim, now: datetime) -> Coverage:
        """What the register says of a report, as known at ``now``; nobody's override is looked at."""
        if claim.gap and any(contract.doubted(claim, now) for contract in self.contracts):
            claiming = tuple(contract for contract in self.contracts if contract.claims(claim, claim.doubtful))
            return _in_doubt(claim, claiming, claim.gap, now)
        claiming = tuple(contract for contract in self.contracts if contract.claims(claim))
        if not claiming:
            return _undecided(claim, self.contracts, Decision.UNKNOWN, Ground.NO_CONTRACT)
        if claim.report_gap and any(_begun(contract, claim, now) for contract in claiming):
            # It can only have been made earlier than the issue was opened: before its beginning no contract covers it.
            return _in_doubt(claim, claiming, claim.report_gap, now)
        ids = tuple(contract.id for contract in claiming)
        found = [contract.decide(claim, now) for contract in claiming]
        coming = min((each.next_change_at for each in found if each.next_change_at), default=None)
        within = [each for each in found if each.window is not None and claim.reported_at in each.window]
        stepping_back = {
            id_
            for contract in claiming
            if contract.id in {each.contract for each in within}
            for id_ in contract.supersedes
        }
        # Of contracts that supersede one another in a ring none settles anything.
        within = [each for each in within if each.contract not in stepping_back] or within
        covering = [each for each in within if each.decision is Decision.IN]
        if len(covering) > 1:
            several = _undecided(claim, claiming, Decision.DISPUTED, Ground.SEVERAL_CONTRACTS)
            return replace(several, candidates=ids, next_change_at=coming)
        chosen = covering or within or sorted(found, key=_nearness)
        chosen = sorted(chosen, key=lambda each: _HOPE.index(each.decision)) if within else chosen
        return replace(chosen[0], candidates=ids, next_change_at=coming)


_HOPE = (Decision.IN, Decision.GOODWILL, Decision.DISPUTED, Decision.UNKNOWN, Decision.OUT)
"""Of several contracts in force that do not cover a report, the one that leaves most open speaks."""


def _nearness(coverage: Coverage) -> tuple[bool, float]:
    """Of contracts not in force: one whose term may still begin first, then the one nearest to the report."""
    window, at = coverage.window, coverage.reported_at
    if window is None:
        return False, 0.0
    away = (window.start - at) if at < window.start else (at - window.end)
    return True, away.total_seconds()


def _begun(contract: Contract, claim: Claim, now: datetime) -> bool:
    window = contract.term.window(contract.zone, now)
    return window is not None and claim.reported_at >= window.start


def _undecided(claim: Claim, asking: Iterable[Contract], decision: Decision, ground: Ground) -> Coverage:
    asked = {fact for contract in asking for fact in contract.asked}
    return Coverage(
        decision=decision,
        computed=decision,
        ground=ground,
        computed_ground=ground,
        reported_at=claim.reported_at,
        evidence=claim.proof(asked),
        undated=claim.undated(asked),
        gap=claim.missing(asked),
    )


def _in_doubt(claim: Claim, asking: Sequence[Contract], gap: str, now: datetime) -> Coverage:
    """Unknown, for something of the history is missing that the contracts ask for; the contract is named if it is sure."""
    unknown = _undecided(claim, asking, Decision.UNKNOWN, Ground.HISTORY_GAP)
    found = replace(unknown, gap=gap, candidates=tuple(contract.id for contract in asking))
    if len(asking) > 1 or not asking[0].surely_claims(claim):
        return found
    (only,) = asking
    window = only.term.window(only.zone, now)
    return replace(found, contract=only.id, customer=only.customer, tier=only.tier, window=window)


# ------------------------------------------------------------------------------------------------------------ deciding


def cover(issue: Issue, register: Register, now: datetime, *, prefix: str = "warranty") -> Coverage:
    """Whether an issue is under warranty. Pure.

    Args:
        issue: with its vocabulary applied and its roles cast.
        now: documents signed and labels put on after it are not known.
        prefix: our labels are ``<prefix>::...``.
    """
    return _decided(issue, register, now, _spoken(issue, now, prefix))


def _spoken(issue: Issue, now: datetime, prefix: str) -> list[Override]:
    return [word for word in overrides(issue, prefix) if word.at <= now]


def _decided(issue: Issue, register: Register, now: datetime, spoken: Sequence[Override]) -> Coverage:
    claim = register.claim(issue, now)
    computed = register.decide(claim, now)
    last = spoken[-1] if spoken else None
    if last is None or last.decision is None:
        return computed
    return replace(
        computed,
        decision=last.decision,
        ground=Ground.BY_HAND,
        evidence=tuple(dict.fromkeys((*computed.evidence, last.evidence))),
        overridden_by=last.by,
    )


def covered(issue: Issue, register: Register, now: datetime, *, prefix: str = "warranty") -> Issue:
    """The issue with its coverage, and an event for each time a person's label changed it. Arguments as for ``cover``."""
    spoken = _spoken(issue, now, prefix)
    coverage = _decided(issue, register, now, spoken)
    changes: list[CoverageChanged] = []
    before = coverage.computed
    for word in spoken:
        after = word.decision or coverage.computed
        if after is not before:
            id_ = f"{word.event}/coverage"
            changes.append(CoverageChanged(id=id_, at=word.at, actor=word.actor, before=before, after=after))
            before = after
    return revised(issue.with_events(*changes), coverage=coverage)
