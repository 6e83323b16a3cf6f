"""The shape of ``contracts.yaml``, and the register built from it.

    zone: Asia/Shanghai
    version_label: "version::"
    contracts:
      - id: acme-2026
        customer: Acme
        match: [{organisation: Acme}, {project: acme/*, label: vip}]
        products: [{name: Car, lines: ["2", "3.1"]}]
        begins: {accepted: 2026-03-01}
        duration: 12mo
        extensions:
          - {duration: 6mo, document: Amendment 1, date: 2026-11-02}
          - {until: 2027-12-31, document: Amendment 2, date: 2027-05-04}
        suspensions: [{from: 2026-06-01, to: 2026-06-30, reason: plant closed, document: Letter 7}]
        clauses:
          defect: {cover: included, clause: "4.1: defects are corrected without charge"}
          upgrade: {cover: chargeable, clause: "4.5"}
        exclusions: [{match: {component: firmware}, clause: "4.6: third-party firmware"}]

Every day named is covered or suspended as a whole, in the contract's zone.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, model_validator
from pydantic_core import PydanticCustomError

from policies.coverage import Decision
from policies.term import (
    CalendarDays,
    CalendarDuration,
    CalendarMonths,
    Extension,
    Suspension,
    Term,
    parse_calendar_duration,
)
from policies.warranty import Clause, Contract, Cover, Exclusion, Match, Product, Register

CATEGORIES = ("defect", "functional", "performance", "security", "upgrade")
_FIRST_YEAR, _LAST_YEAR = 1970, 2199
_MOST_EXTENSIONS = 40  # with a century each, still a date that a calendar can hold


def _one_line(text: str) -> str:
    if any(not char.isprintable() for char in text):
        raise PydanticCustomError("one_line", "text of one line, without control or invisible characters")
    return text


def _sensible(day: date) -> date:
    if not _FIRST_YEAR <= day.year <= _LAST_YEAR:
        raise PydanticCustomError("day", f"a day between {_FIRST_YEAR} and {_LAST_YEAR}")
    return day


def _written_as_day(found: Any) -> Any:
    """A day is written ``2026-03-01``; a number, or an instant with a time of day, names none."""
    if isinstance(found, date) and type(found) is date:
        return found
    text = found.strip() if isinstance(found, str) else ""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise PydanticCustomError("day", "a day such as 2026-03-01 (year, month, day)") from None


def _zone(found: str) -> str:
    try:
        ZoneInfo(found)
    except (KeyError, ValueError, OSError):
        raise PydanticCustomError("zone", "an IANA zone such as Asia/Shanghai") from None
    return found


def _duration(found: Any) -> Any:
    return found if isinstance(found, CalendarMonths | CalendarDays) else parse_calendar_duration(str(found))


def _one_or_many(found: Any) -> Any:
    return [found] if isinstance(found, str) else found


Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]*$", max_length=60)]
Line = Annotated[str, Field(min_length=1, max_length=300), AfterValidator(_one_line)]
Day = Annotated[date, BeforeValidator(_written_as_day), AfterValidator(_sensible)]
Zone = Annotated[str, AfterValidator(_zone)]
_Words = Annotated[tuple[Line, ...], Field(min_length=1)]
Words = Annotated[_Words, BeforeValidator(_one_or_many, json_schema_input_type=Line | _Words)]
DurationText = Annotated[
    CalendarDuration,
    BeforeValidator(_duration, json_schema_input_type=str),
    PlainSerializer(str, return_type=str),
]


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, arbitrary_types_allowed=True)


class MatchShape(_Shape):
    """All words given must fit; a value that ends in ``*`` fits by its beginning. They are asked of the report."""

    tracker: Words | None = Field(None, description="the site's name of a tracker")
    project: Words | None = Field(None, description="project key or full path it was reported in")
    component: Words | None = Field(None, description="the report bears one of these components")
    label: Words | None = Field(None, description="the report bears one of these labels")
    reporter: Words | None = Field(None, description="account id of the reporter")
    organisation: Words | None = Field(None, description="the organisation the tracker names for the issue")
    category: Words | None = Field(None, description="category word of the pack, as first given")
    field: dict[Line, Words] | None = Field(None, min_length=1, description="a word of the site's `fields` -> values")

    @model_validator(mode="after")
    def _says_something(self) -> MatchShape:
        if not self.model_fields_set:
            raise PydanticCustomError("empty_match", "a word to match by, such as {label: acme}")
        return self

    def build(self) -> Match:
        words = {name: value for name in type(self).model_fields if name != "field" if (value := getattr(self, name))}
        return Match(**words, fields=tuple((self.field or {}).items()))


class ProductShape(_Shape):
    name: Line = Field(description="as versions and components call it")
    lines: tuple[Annotated[str, Field(pattern=r"^[vV]?[0-9A-Za-z][0-9A-Za-z._+-]*(\.\*)?$", max_length=40)], ...] = (
        Field((), description="version lines covered: 2, 3.1, 3.x; left out: every version")
    )

    def build(self) -> Product:
        return Product(self.name, self.lines)


class BeginsShape(_Shape):
    """Exactly one of the two; an empty value says that it has not happened yet."""

    delivered: Day | None = Field(None, description="the day it was delivered")
    accepted: Day | None = Field(None, description="the day it was accepted")

    @model_validator(mode="after")
    def _one_anchor(self) -> BeginsShape:
        if len(self.model_fields_set) != 1:
            raise PydanticCustomError("one_anchor", "exactly one of delivered and accepted")
        return self


class ExtensionShape(_Shape):
    """Exactly one of ``duration`` and ``until`` (the new last day)."""

    duration: DurationText | None = Field(None, description="so much longer: 6mo, 1y or 90d")
    until: Day | None = Field(None, description="the new last day")
    document: Line = Field(description="what it was agreed in")
    date: Day = Field(description="the day of that document")

    @model_validator(mode="after")
    def _one_measure(self) -> ExtensionShape:
        if (self.duration is None) == (self.until is None):
            raise PydanticCustomError("one_measure", "exactly one of duration and until")
        return self

    def build(self) -> Extension:
        by = self.duration if self.duration is not None else self.until
        assert by is not None
        return Extension(by, self.document, self.date)


class SuspensionShape(_Shape):
    from_: Day = Field(alias="from", description="first suspended day")
    to: Day = Field(description="last suspended day")
    reason: Line = Field(description="why")
    document: Line = Field(description="what it was agreed in")
    reports: Decision = Field(Decision.IN, description="what holds for reports made on these days")

    @model_validator(mode="after")
    def _in_order(self) -> SuspensionShape:
        if self.to < self.from_:
            raise PydanticCustomError("suspension_order", "a suspension that ends on its first day or later")
        return self

    def build(self) -> Suspension:
        return Suspension(self.from_, self.to, self.reason, self.document, self.reports)


class ClauseShape(_Shape):
    cover: Cover = Field(description="what the contract says of the category")
    clause: Line = Field(description="the clause, or where it stands in the contract")


class ExclusionShape(_Shape):
    match: MatchShape = Field(description="the reports that are not covered")
    clause: Line = Field(description="the clause, or where it stands in the contract")


class ContractShape(_Shape):
    """One contract."""

    id: Id = Field(description="what coverage decisions cite")
    customer: Line = Field(description="whose contract it is")
    match: tuple[MatchShape, ...] = Field(min_length=1, description="how an issue finds it: any of these")
    products: tuple[ProductShape, ...] = Field((), description="what it covers; left out: everything that matches")
    begins: BeginsShape = Field(description="the anchor of its term")
    duration: DurationText = Field(description="12mo, 2y or 365d")
    extensions: tuple[ExtensionShape, ...] = Field(
        (), max_length=_MOST_EXTENSIONS, description="each with its document"
    )
    suspensions: tuple[SuspensionShape, ...] = Field(
        (), description="stretches that do not count, each with its document"
    )
    tier: Line | None = Field(
        None, description="level of support that was agreed; packs ask for it by `contract_tier`, spelled as here"
    )
    calendar: Id | None = Field(
        None,
        description="id of the calendar that was agreed, in place of the pack's default one; left out: the pack's",
    )
    policy: Id | None = Field(
        None,
        description="id of the pack that was agreed; left out: the site's own",
    )
    zone: Zone | None = Field(None, description="left out: the file's zone")
    clauses: dict[Id, ClauseShape] = Field(default_factory=dict, description="by category; none: all is included")
    exclusions: tuple[ExclusionShape, ...] = Field((), description="what is not covered whatever its category")
    supersedes: tuple[Id, ...] = Field((), description="contracts that step back where both claim a report")

    @property
    def term(self) -> Term:
        return Term(
            begins=self.begins.delivered or self.begins.accepted,
            duration=self.duration,
            extensions=tuple(each.build() for each in self.extensions),
            suspensions=tuple(each.build() for each in self.suspensions),
        )

    @model_validator(mode="after")
    def _prolongs(self) -> ContractShape:
        """An extension that names an end before the one promised anyway is a slip, and would change nothing."""
        begins = self.begins.delivered or self.begins.accepted
        plain = Term(begins=begins, duration=self.duration).last_day(date.max)
        for each in self.extensions:
            if each.until is not None and plain is not None and each.until <= plain:
                raise PydanticCustomError(
                    "no_extension",
                    "extensions that end later than the plain duration does ({document} names {until}, it ends {plain})",
                    {"document": each.document, "until": str(each.until), "plain": str(plain)},
                )
        return self

    def build(self, zone: str) -> Contract:
        return Contract(
            id=self.id,
            customer=self.customer,
            zone=ZoneInfo(self.zone or zone),
            term=self.term,
            match=tuple(each.build() for each in self.match),
            accepted="accepted" in self.begins.model_fields_set,
            products=tuple(each.build() for each in self.products),
            clauses={name: Clause(each.cover, each.clause) for name, each in self.clauses.items()},
            exclusions=tuple(Exclusion(each.match.build(), each.clause) for each in self.exclusions),
            supersedes=self.supersedes,
            tier=self.tier or "",
            calendar=self.calendar or "",
            policy=self.policy or "",
        )


class RegisterShape(_Shape):
    """A register file."""

    zone: Zone = Field("UTC", description="the contracts' zone, where a contract names none of its own")
    version_label: str = Field("", max_length=60, description="what labels that name the version begin with")
    contracts: tuple[ContractShape, ...] = Field((), description="the contracts of the site")

    @model_validator(mode="after")
    def _refers_well(self) -> RegisterShape:
        found = list(slips({"contracts": [{"id": c.id, "supersedes": c.supersedes} for c in self.contracts]}))
        if found:
            raise PydanticCustomError("slips", "{told}", {"told": "; ".join(f"{s.found}: {s.expected}" for s in found)})
        return self

    def build(self) -> Register:
        written = json.dumps(self.model_dump(mode="json", by_alias=True), sort_keys=True, ensure_ascii=False)
        return Register(
            tuple(each.build(self.zone) for each in self.contracts),
            self.version_label,
            hashlib.sha256(written.encode()).hexdigest()[:16],
        )


@dataclass(frozen=True, slots=True)
class Slip:
    """What is wrong between contracts. Attributes: path: where in the document."""

    path: tuple[str | int, ...]
    found: str
    expected: str


def slips(data: Mapping[str, Any]) -> Iterator[Slip]:
    """Ids that stand twice, references to contracts that are not there and such as lead back, from plain data."""
    contracts = data.get("contracts")
    listed = enumerate(contracts if isinstance(contracts, (list, tuple)) else ())
    rows = {number: row for number, row in listed if isinstance(row, Mapping)}
    ids: list[Any] = []
    steps_back = {str(row.get("id")): _named(row) for row in rows.values()}
    every = [row.get("id") for row in rows.values()]
    for number, row in rows.items():
        own = row.get("id")
        if own is not None and own in ids:
            yield Slip(("contracts", number, "id"), repr(own), "an id that no other contract has")
        ids.append(own)
        for place, id_ in enumerate(_named(row)):
            path = ("contracts", number, "supersedes", place)
            if id_ not in every or id_ == own:
                yield Slip(path, repr(id_), "the id of another contract")
            elif _leads(str(id_), str(own), steps_back):
                yield Slip(path, repr(id_), f"a contract that does not supersede {own} in turn")


def _named(row: Mapping[str, Any]) -> Sequence[Any]:
    named = row.get("supersedes")
    return named if isinstance(named, (list, tuple)) else ()


def _leads(first: str, last: str, supersedes: Mapping[str, Sequence[Any]]) -> bool:
    """Whether one contract supersedes another, at once or by way of others."""
    seen: set[str] = set()
    ahead = [first]
    while ahead:
        here = ahead.pop()
        if here == last:
            return True
        if here not in seen:
            seen.add(here)
            ahead += map(str, supersedes.get(here, ()))
    return False
