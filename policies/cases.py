"""Cases that ship with a pack: a history and an instant, and what the pack must say of them.

A case is written in the pack's own words, as if a vocabulary and a roster had been applied already:

    - name: a reply by a bot is no response
      opened: 2026-03-02T09:00:00+08:00
      severity: normal
      events:
        - {at: 2026-03-02T09:01:00+08:00, reply: bot}
      now: 2026-03-02T12:00:00+08:00
      expect:
        first_response: {status: running, due: 2026-03-03T09:00:00+08:00}
      changes: [add label warranty::first-response::running]
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from policies.changes import described
from policies.clock import DurationText
from policies.coverage import Coverage, Decision, Ground
from policies.destination import Destination
from policies.issue import (
    Actor,
    AssigneeChanged,
    Commented,
    CoverageChanged,
    DueDateChanged,
    Event,
    FixReleased,
    Gap,
    GapKind,
    Issue,
    IssueRef,
    LabelsChanged,
    Opened,
    Role,
    SeverityChanged,
    State,
    StateChanged,
    TierChanged,
    Word,
)
from policies.pack import PolicyPack
from policies.phrases import Phrases
from policies.plan import Limits, plan
from policies.verdict import Judged, ReasonCode, Status, Verdict
from policies.versions import PolicyBook

_ROLES = {
    "customer": Role.CUSTOMER,
    "colleague": Role.CUSTOMER,
    "responder": Role.RESPONDER,
    "bot": Role.BOT,
    "own": Role.OWN,
    "stranger": Role.UNKNOWN,
}
_TIERS = tuple(f"L{number}" for number in range(1, 10))
Person = Annotated[str, Field(pattern=f"^({'|'.join(_ROLES)}|L[1-9])$")]


class CaseEvent(BaseModel):
    """One thing that happened: exactly one of the words beside ``at`` and ``by``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    at: AwareDatetime = Field(description="an instant with its offset")
    by: Person = Field("responder", description="who did it")
    reply: Person | None = Field(None, description="a public comment by this person")
    note: Person | None = Field(None, description="a comment the customer cannot see, by this person")
    state: State | None = Field(None, description="the canonical state became this")
    severity: str | None = Field(None, description="the severity became this")
    label: str | None = Field(None, description="a label was added")
    unlabel: str | None = Field(None, description="a label was removed")
    assignee: str | None = Field(None, description="the account it was given to; L1 to L9 are of that tier")
    due: date | None = Field(None, description="the due date that was set")
    coverage: Decision | None = Field(None, description="a person's label made this the coverage decision")
    released: str | None = Field(None, description="a release with the fix was published")

    @model_validator(mode="after")
    def _one_word(self) -> CaseEvent:
        words = self.model_fields_set - {"at", "by"}
        if len(words) != 1:
            raise ValueError(f"one thing that happened beside `at` and `by`, found {len(words)}: {sorted(words)}")
        return self


class Expected(BaseModel):
    """What a clock must say; what is left out is not compared."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    status: Status = Field(description="the verdict")
    reason: ReasonCode | None = Field(None, description="the code of its reason")
    goal: DurationText | None = Field(None, description="the promise in force")
    started: AwareDatetime | None = Field(None, description="when the clock started")
    due: AwareDatetime | None = Field(None, description="when it is, or was, due")
    stopped: AwareDatetime | None = Field(None, description="when it stopped")
    next_change: AwareDatetime | None = Field(None, description="when the verdict can next change by itself")
    cycle: int | None = Field(None, description="which cycle is meant, from 1; left out: the one that stands")
    provisional: bool | None = Field(None, description="whether the calendar lacks a year it needs")


class Case(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(description="what it shows, as a sentence")
    opened: AwareDatetime = Field(description="an instant with its offset")
    reported: AwareDatetime | None = Field(None, description="when it was reported, if ahead of its opening (a call)")
    reporter: Person = Field("customer", description="who reported it")
    severity: str | None = Field(None, description="word of the pack, at the opening")
    category: str | None = Field(None, description="word of the pack")
    coverage: Decision | None = Field(None, description="what the register says; left out: the site has none")
    contract_tier: str = Field("", description="level of support agreed in its contract; goes with `coverage`")
    labels: tuple[str, ...] = Field((), description="labels at the opening")
    assignee: str | None = Field(None, description="account at the opening; L1 to L9 are of that tier")
    due: date | None = Field(None, description="due date at the opening")
    events: tuple[CaseEvent, ...] = Field((), description="what happened since")
    gaps: tuple[GapKind, ...] = Field((), description="what of the history is missing")
    now: AwareDatetime = Field(description="the instant it is judged at")
    expect: dict[str, Expected] = Field(default_factory=dict, description="by clock")
    changes: tuple[str, ...] | None = Field(None, description="all planned changes but comments, in words")

    @model_validator(mode="after")
    def _says_something(self) -> Case:
        if not self.expect and self.changes is None:
            raise ValueError("a case that expects nothing can not fail; give `expect` or `changes`")
        return self

    @model_validator(mode="after")
    def _tier_of_a_contract(self) -> Case:
        if self.contract_tier and self.coverage is None:
            raise ValueError("a contract's tier without what the register says; give `coverage` too, such as `in`")
        return self


class CaseFile(BaseModel):
    """The cases of one pack."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    zone: str = Field("Asia/Shanghai", description="IANA zone in which due dates are dates")
    cases: tuple[Case, ...] = Field(min_length=1, description="the cases")


@dataclass(frozen=True, slots=True)
class CaseResult:
    """Attributes: differences: what was found instead, a line each; empty if the case agrees."""

    name: str
    differences: tuple[str, ...]

    @property
    def agrees(self) -> bool:
        return not self.differences


def run_cases(pack: PolicyPack | PolicyBook, file: CaseFile, phrases: Phrases) -> Iterator[CaseResult]:
    """Judge each case, by the version that judges such an issue, and compare. Pure."""
    book = pack if isinstance(pack, PolicyBook) else PolicyBook.of(pack)
    zone = ZoneInfo(file.zone)
    for case in file.cases:
        issue = issue_of(case)
        judged = book.judge(issue, case.now)
        differences = [
            line for clock, expected in case.expect.items() for line in _differences(clock, expected, judged)
        ]
        if case.changes is not None:
            differences += _plan_differences(case.changes, judged, judged.pack or book.latest, zone, phrases, case.now)
        yield CaseResult(case.name, tuple(differences))


# ------------------------------------------------------------------------------------------------------ the history


def _actor(person: str) -> Actor:
    tier = person if person.startswith("L") else None
    return Actor(id=person, name=person, role=_ROLES.get(person, Role.RESPONDER), tier=tier)


def issue_of(case: Case) -> Issue:
    """The issue a case tells of, as a vocabulary and a roster would have left it."""
    events: list[Event] = [Opened(id="opened", at=case.opened, actor=_actor(case.reporter))]
    now: dict[str, Any] = {
        "state": State.OPEN,
        "severity": case.severity,
        "labels": frozenset(case.labels),
        "assignee": case.assignee,
        "due": case.due,
        "coverage": case.coverage or Decision.UNKNOWN,
    }
    for number, happened in enumerate(sorted(case.events, key=lambda event: event.at), start=1):
        events.append(_event(happened, f"event-{number}", now))
    assignee, decision = now.pop("assignee"), now.pop("coverage")
    return Issue(
        ref=IssueRef(tracker="case", project="CASE", key="CASE-1", id="1"),
        title=case.name,
        type=Word("", "Bug"),
        status=Word("", now["state"].value),
        reporter=_actor(case.reporter),
        opened_at=case.opened,
        reported_at=case.reported,
        updated_at=events[-1].at,
        category=case.category,
        coverage=_coverage(case, decision),
        assignee=Actor(id=assignee, name=assignee, tier=_tier_of(assignee)) if assignee else None,
        events=(*events, *_handovers(events)),
        gaps=tuple(Gap(kind, f"{kind.value} is missing") for kind in case.gaps),
        **now,
    )


def _tier_of(account: str | None) -> str | None:
    return account if account in _TIERS else None


def _handovers(events: list[Event]) -> Iterator[TierChanged]:
    """An event for each time the issue was given to somebody of another tier."""
    for event in events:
        if isinstance(event, AssigneeChanged):
            before, after = _tier_of(event.before), _tier_of(event.after)
            if before != after:
                yield TierChanged(id=f"{event.id}/tier", at=event.at, actor=event.actor, before=before, after=after)


_SAID = {Decision.IN: Ground.WITHIN_TERM, Decision.OUT: Ground.ENDED, Decision.DISPUTED: Ground.SEVERAL_CONTRACTS}


def _coverage(case: Case, decision: Decision) -> Coverage | None:
    if case.coverage is None and not any(happened.coverage for happened in case.events):
        return None
    computed = case.coverage or Decision.UNKNOWN
    by_hand = any(happened.coverage for happened in case.events)
    said = _SAID.get(computed, Ground.NO_CONTRACT)
    return Coverage(
        decision=decision,
        computed=computed,
        ground=Ground.BY_HAND if by_hand else said,
        computed_ground=said,
        reported_at=case.reported or case.opened,
        contract="case",
        tier=case.contract_tier,
        overridden_by="case" if by_hand else "",
    )


def _event(happened: CaseEvent, name: str, now: dict[str, Any]) -> Event:
    at, by = happened.at, _actor(happened.by)
    person = happened.reply or happened.note
    if person is not None:
        return Commented(id=name, at=at, actor=_actor(person), comment=name, public=happened.reply is not None)
    if happened.state is not None:
        before, now["state"] = now["state"], happened.state
        return StateChanged(id=name, at=at, actor=by, before=before, after=happened.state)
    if happened.severity is not None:
        before, now["severity"] = now["severity"], happened.severity
        return SeverityChanged(id=name, at=at, actor=by, before=before, after=happened.severity)
    if happened.label is not None:
        now["labels"] |= {happened.label}
        return LabelsChanged(id=name, at=at, actor=by, added=(happened.label,))
    if happened.unlabel is not None:
        now["labels"] -= {happened.unlabel}
        return LabelsChanged(id=name, at=at, actor=by, removed=(happened.unlabel,))
    if happened.assignee is not None:
        before, now["assignee"] = now["assignee"], happened.assignee
        return AssigneeChanged(id=name, at=at, actor=by, before=before, after=happened.assignee)
    if happened.due is not None:
        before, now["due"] = now["due"], happened.due
        return DueDateChanged(id=name, at=at, actor=by, before=before, after=happened.due)
    if happened.coverage is not None:
        before, now["coverage"] = now["coverage"], happened.coverage
        return CoverageChanged(id=name, at=at, actor=by, before=before, after=happened.coverage)
    assert happened.released is not None
    return FixReleased(id=name, at=at, release=happened.released, url="https://releases.example/1", evidence="case")


# --------------------------------------------------------------------------------------------------- the comparison


def _differences(clock: str, expected: Expected, judged: Judged) -> Iterator[str]:
    cycles = [verdict for verdict in judged.verdicts if verdict.clock == clock]
    wanted = expected.cycle
    found = next((v for v in cycles if v.cycle == wanted), None) if wanted else judged.of(clock)
    if found is None:
        yield f"{clock}: expected {expected.status.value}, the pack has no such clock or cycle"
        return
    facts = _facts(found)
    for word in sorted(expected.model_fields_set - {"cycle"}):
        value = getattr(expected, word)
        seen = facts[word]
        if seen != value:
            # Two instants are compared at a glance in one zone only: the one the case is written in.
            if isinstance(seen, datetime) and isinstance(value, datetime):
                seen = seen.astimezone(value.tzinfo)
            yield f"{clock}: expected {word} {_written(value)}, found {_written(seen)}"


def _facts(verdict: Verdict) -> dict[str, Any]:
    return {
        "status": verdict.status,
        "reason": verdict.reason.code,
        "goal": verdict.goal,
        "started": verdict.started_at,
        "due": verdict.due_at,
        "stopped": verdict.stopped_at,
        "next_change": verdict.next_change_at,
        "provisional": verdict.provisional,
    }


def _written(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _plan_differences(
    expected: tuple[str, ...], judged: Judged, pack: PolicyPack, zone: ZoneInfo, phrases: Phrases, now: datetime
) -> list[str]:
    destination = Destination(
        tracker="case",
        prefix="warranty",
        phrases=phrases,
        zone=zone,
        tiers={"L1": "L1", "L2": "L2", "L3": "L3"},
        tier_accounts={"L1": ("L1",), "L2": ("L2",), "L3": ("L3",)},
        severities={severity: severity for severity in pack.severities},
        web_links=True,
        priorities=True,
        internal_comments=True,
    )
    found = plan([judged], [pack], {"case": destination}, limits=Limits(), now=now)
    lines = sorted(
        line for planned in found.changes for line in described(planned.change) if not line.startswith("comment ")
    )
    missing = [f"changes: expected {line!r}, not planned" for line in sorted(expected) if line not in lines]
    return missing + [f"changes: planned {line!r}, not expected" for line in lines if line not in expected]
