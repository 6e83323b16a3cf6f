"""Which contract covers a report, whether it does, and whose word counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.claim import Claim
from policies.conditions import Condition
from policies.coverage import Coverage, Decision, Ground
from policies.history import moments
from policies.issue import Actor, CoverageChanged, Gap, GapKind, Issue, IssueRef, LabelsChanged, Opened, Role, Word
from policies.term import CalendarMonths, Extension, Suspension, Term
from policies.warranty import Clause, Contract, Cover, Exclusion, Match, Product, Register, cover, covered

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOW = datetime(2027, 6, 1, 4, tzinfo=UTC)
JANE = Actor(id="jane", name="Jane", role=Role.RESPONDER)
OURS = Actor(id="warranty-bot", role=Role.OWN)
BOT = Actor(id="ci", role=Role.BOT)
CUSTOMER = Actor(id="carl", role=Role.CUSTOMER)
TERM = Term(begins=date(2026, 3, 1), duration=CalendarMonths(12))
CLAUSES = {
    "defect": Clause(Cover.INCLUDED, "4.1"),
    "functional": Clause(Cover.EXCLUDED, "4.2"),
    "upgrade": Clause(Cover.CHARGEABLE, "4.5"),
}


def contract(**changed: Any) -> Contract:
    plain: dict[str, Any] = {
        "id": "acme-1",
        "customer": "Acme",
        "zone": SHANGHAI,
        "term": TERM,
        "match": (Match(project=("acme/*",)),),
    }
    return Contract(**{**plain, **changed})


def claim(**changed: Any) -> Claim:
    plain: dict[str, Any] = {
        "reported_at": datetime(2026, 6, 1, 4, tzinfo=UTC),
        "tracker": "lab",
        "project": "acme/car",
        "evidence": ("e1",),
    }
    return Claim(**{**plain, **changed})


def issue(*events: LabelsChanged, reporter: Actor = CUSTOMER, opened: datetime | None = None, **changed: Any) -> Issue:
    at = opened or datetime(2026, 6, 1, 4, tzinfo=UTC)
    plain: dict[str, Any] = {
        "ref": IssueRef("lab", "acme/car", "acme/car#7", "7"),
        "title": "It stops",
        "type": Word("1", "Bug"),
        "status": Word("1", "Open"),
        "reporter": reporter,
        "opened_at": at,
        "updated_at": at,
        "category": "defect",
        "events": (Opened(id="e1", at=at, actor=reporter), *events),
    }
    return Issue(**{**plain, **changed})


def labelled(
    number: int,
    *,
    add: tuple[str, ...] = (),
    remove: tuple[str, ...] = (),
    by: Actor = JANE,
) -> LabelsChanged:
    """The label event of day ``number`` after opening."""
    at = datetime(2026, 6, 1, 4, tzinfo=UTC) + timedelta(days=number)
    scope = "warranty::coverage::"
    added, removed = tuple(scope + word for word in add), tuple(scope + word for word in remove)
    return LabelsChanged(id=f"l{number}", at=at, actor=by, added=added, removed=removed)


def decided(found: Coverage) -> tuple[Decision, Ground]:
    return found.decision, found.ground


# --------------------------------------------------------------------------------------------------------- the contract


def test_a_report_within_the_term_is_covered_with_window_and_evidence() -> None:
    found = Register((contract(),)).decide(claim(), NOW)
    assert decided(found) == (Decision.IN, Ground.WITHIN_TERM)
    assert found.window is not None
    assert (found.contract, found.customer, found.candidates) == ("acme-1", "Acme", ("acme-1",))
    assert (found.window.first, found.window.last) == (date(2026, 3, 1), date(2027, 3, 1))
    assert found.evidence == ("e1",)


@pytest.mark.parametrize(
    ("reported", "decision", "ground"),
    [
        ("2026-02-28T23:59:59+08:00", Decision.OUT, Ground.NOT_BEGUN),
        ("2026-03-01T00:00:00+08:00", Decision.IN, Ground.WITHIN_TERM),
        ("2027-03-01T23:59:59+08:00", Decision.IN, Ground.WITHIN_TERM),
        ("2027-03-02T00:00:00+08:00", Decision.OUT, Ground.ENDED),
        ("2027-03-01T17:00:00+00:00", Decision.OUT, Ground.ENDED),
    ],
)
def test_the_days_of_the_contract_begin_and_end_in_its_own_zone(
    reported: str, decision: Decision, ground: Ground
) -> None:
    found = Register((contract(),)).decide(claim(reported_at=datetime.fromisoformat(reported)), NOW)
    assert decided(found) == (decision, ground)


@given(
    st.dates(date(2000, 1, 1), date(2050, 12, 31)),
    st.integers(1, 60),
    st.sampled_from(["Asia/Shanghai", "America/Santiago", "Pacific/Apia", "Europe/Berlin", "UTC"]),
)
def test_the_second_before_the_end_is_covered_and_the_end_is_not(begins: date, months: int, zone: str) -> None:
    term = Term(begins=begins, duration=CalendarMonths(months))
    register = Register((contract(term=term, zone=ZoneInfo(zone)),))
    window = term.window(ZoneInfo(zone), NOW)
    assert window is not None
    second = timedelta(seconds=1)
    asked = (window.start - second, window.start, window.end - second, window.end)
    grounds = [register.decide(claim(reported_at=at), NOW).ground for at in asked]
    assert grounds == [Ground.NOT_BEGUN, Ground.WITHIN_TERM, Ground.WITHIN_TERM, Ground.ENDED]
    # Apia left 30 December 2011 out.
    assert (window.end - second).astimezone(ZoneInfo(zone)).date() <= window.last
    assert window.end.astimezone(ZoneInfo(zone)).date() > window.last


def test_what_was_open_at_expiry_stays_covered() -> None:
    at = datetime(2027, 3, 1, 15, 59, 59, tzinfo=UTC)
    for later in (timedelta(), timedelta(days=1), timedelta(days=4000)):
        assert cover(issue(opened=at), Register((contract(),)), at + later).decision is Decision.IN


def test_a_contract_that_awaits_acceptance_leaves_it_unknown() -> None:
    awaiting = contract(term=Term(begins=None, duration=CalendarMonths(12)), accepted=True)
    found = Register((awaiting,)).decide(claim(), NOW)
    assert decided(found) == (Decision.UNKNOWN, Ground.NO_ANCHOR)
    assert (found.window, found.documents, found.contract) == (None, (), "acme-1")


@pytest.mark.parametrize(
    ("category", "decision", "ground", "clause"),
    [
        ("defect", Decision.IN, Ground.WITHIN_TERM, "4.1"),
        ("functional", Decision.OUT, Ground.CATEGORY_EXCLUDED, "4.2"),
        ("upgrade", Decision.OUT, Ground.CATEGORY_CHARGEABLE, "4.5"),
        ("security", Decision.UNKNOWN, Ground.NO_CLAUSE, ""),
        (None, Decision.UNKNOWN, Ground.NO_CATEGORY, ""),
    ],
)
def test_the_clause_of_the_category_decides(
    category: str | None, decision: Decision, ground: Ground, clause: str
) -> None:
    found = Register((contract(clauses=CLAUSES),)).decide(claim(category=category), NOW)
    assert (*decided(found), found.clause) == (decision, ground, clause)


def test_a_contract_without_clauses_covers_every_category() -> None:
    assert Register((contract(),)).decide(claim(category="upgrade"), NOW).decision is Decision.IN
    assert Register((contract(),)).decide(claim(category=None), NOW).decision is Decision.IN


def test_an_exclusion_leaves_out_whatever_the_category() -> None:
    firmware = Exclusion(Match(component=("Firmware",)), "4.6")
    register = Register((contract(clauses=CLAUSES, exclusions=(firmware,)),))
    found = register.decide(claim(category="defect", components=("firmware",)), NOW)
    assert (*decided(found), found.clause) == (Decision.OUT, Ground.EXCLUSION, "4.6")
    assert register.decide(claim(category="defect", components=("engine",)), NOW).decision is Decision.IN


@pytest.mark.parametrize(
    ("components", "versions", "decision"),
    [
        ((), (), Decision.IN),
        ((), ("2.4.1",), Decision.IN),
        ((), ("v3.1",), Decision.IN),
        ((), ("3.10",), Decision.OUT),
        ((), ("4.0", "2.0"), Decision.IN),
        (("Trailer",), ("2.4.1",), Decision.OUT),
        (("trailer",), ("1.9",), Decision.IN),
        (("Wheel",), ("9",), Decision.IN),
        (("engine",), ("1.9",), Decision.IN),
    ],
)
def test_only_the_version_lines_of_the_contract_are_covered(
    components: tuple[str, ...], versions: tuple[str, ...], decision: Decision
) -> None:
    products = (Product("Car", ("2", "3.1.x")), Product("Trailer", ("1",)), Product("Wheel"))
    register = Register((contract(products=products if components else products[:1]),))
    found = register.decide(claim(components=components, versions=versions), NOW)
    assert found.decision is decision
    if decision is Decision.OUT:
        assert found.ground is Ground.OTHER_VERSION
        assert found.clause == ("Trailer 1" if components else "Car 2, 3.1.x")


def test_a_version_is_read_from_the_label_the_register_names() -> None:
    register = Register((contract(products=(Product("Car", ("2",)),)),), version_label="version::")
    assert cover(issue(labels=frozenset({"version::3.0"})), register, NOW).ground is Ground.OTHER_VERSION
    assert cover(issue(labels=frozenset({"version::2.9", "version::"})), register, NOW).decision is Decision.IN
    assert cover(issue(labels=frozenset({"version::"})), register, NOW).decision is Decision.IN


@pytest.mark.parametrize("during", list(Decision))
def test_a_suspension_says_what_holds_for_reports_made_on_its_days(during: Decision) -> None:
    june = Suspension(date(2026, 6, 1), date(2026, 6, 30), "unpaid", "L7", during)
    register = Register((contract(term=replace(TERM, suspensions=(june,)), clauses=CLAUSES),))
    found = register.decide(claim(category="defect"), NOW)
    ground = Ground.WITHIN_TERM if during is Decision.IN else Ground.SUSPENDED
    assert decided(found) == (during, ground)
    assert found.documents == ("L7",)
    assert found.window is not None
    assert found.window.last == date(2027, 3, 31)
    assert register.decide(claim(category="upgrade"), NOW).ground is Ground.CATEGORY_CHARGEABLE


def test_an_extension_signed_after_the_report_covers_it_from_its_date_on() -> None:
    signed = Extension(CalendarMonths(6), "A1", date(2027, 4, 10))
    register = Register((contract(term=replace(TERM, extensions=(signed,))),))
    late = claim(reported_at=datetime(2027, 4, 1, tzinfo=UTC))
    eve = datetime(2027, 4, 9, 15, 59, 59, tzinfo=UTC)
    before = register.decide(late, eve)
    assert decided(before) == (Decision.OUT, Ground.ENDED)
    assert before.next_change_at == eve + timedelta(seconds=1)
    after = register.decide(late, eve + timedelta(seconds=1))
    assert (after.decision, after.documents, after.next_change_at) == (Decision.IN, ("A1",), None)


# ---------------------------------------------------------------------------------------------------------- the match


@pytest.mark.parametrize(
    ("match", "fits"),
    [
        (Match(), False),
        (Match(project=("acme/car",)), True),
        (Match(project=("ACME/*",)), True),
        (Match(project=("acme",)), False),
        (Match(tracker=("lab",), project=("acme/*",)), True),
        (Match(tracker=("desk",), project=("acme/*",)), False),
        (Match(component=("engine", "brakes")), True),
        (Match(component=("wheel",)), False),
        (Match(label=("customer::*",)), True),
        (Match(reporter=("carl",)), True),
        (Match(organisation=("Acme",)), True),
        (Match(organisation=("acm",)), False),
        (Match(category=("defect",)), True),
        (Match(fields=(("contract", ("AC-1", "AC-2")),)), True),
        (Match(fields=(("Contract", ("AC-3",)),)), False),
        (Match(fields=(("Site", ("*",)),)), False),
    ],
)
def test_a_match_fits_when_all_of_its_words_do(match: Match, fits: bool) -> None:
    asked = claim(
        components=("Engine",),
        labels=frozenset({"customer::acme"}),
        reporter="carl",
        organisation="ACME",
        category="defect",
        fields={"Contract": "ac-2"},
    )
    assert match.fits(asked) is fits


def test_a_report_no_contract_claims_is_unknown() -> None:
    found = Register((contract(),)).decide(claim(project="zeta/x"), NOW)
    assert decided(found) == (Decision.UNKNOWN, Ground.NO_CONTRACT)
    assert (found.contract, found.candidates, found.evidence) == ("", (), ("e1",))


def following(**changed: Any) -> Contract:
    return contract(id="acme-2", term=Term(begins=date(2027, 3, 2), duration=CalendarMonths(12)), **changed)


def test_of_successive_contracts_the_one_in_force_at_the_report_decides() -> None:
    register = Register((contract(), following()))
    at = {"2026-06-01": "acme-1", "2027-03-01": "acme-1", "2027-03-02": "acme-2", "2027-09-01": "acme-2"}
    for day, id_ in at.items():
        found = register.decide(claim(reported_at=datetime.fromisoformat(f"{day}T12:00:00+08:00")), NOW)
        assert (found.decision, found.contract, found.candidates) == (Decision.IN, id_, ("acme-1", "acme-2"))


def test_of_contracts_not_in_force_the_nearest_speaks_unless_one_may_still_begin() -> None:
    register = Register((contract(), following()))
    before = register.decide(claim(reported_at=datetime(2026, 2, 1, tzinfo=UTC)), NOW)
    after = register.decide(claim(reported_at=datetime(2029, 2, 1, tzinfo=UTC)), NOW)
    assert (before.contract, before.ground) == ("acme-1", Ground.NOT_BEGUN)
    assert (after.contract, after.ground) == ("acme-2", Ground.ENDED)
    awaited = contract(id="acme-3", term=Term(begins=None, duration=CalendarMonths(12)))
    found = Register((contract(), awaited)).decide(claim(reported_at=datetime(2029, 2, 1, tzinfo=UTC)), NOW)
    assert (found.contract, *decided(found)) == ("acme-3", Decision.UNKNOWN, Ground.NO_ANCHOR)


def test_two_contracts_that_cover_one_report_are_disputed_and_both_named() -> None:
    found = Register((contract(), contract(id="acme-9"))).decide(claim(), NOW)
    assert decided(found) == (Decision.DISPUTED, Ground.SEVERAL_CONTRACTS)
    assert (found.contract, found.candidates, found.window) == ("", ("acme-1", "acme-9"), None)


def test_a_contract_that_supersedes_another_settles_the_dispute() -> None:
    found = Register((contract(), contract(id="acme-9", supersedes=("acme-1",)))).decide(claim(), NOW)
    assert (found.decision, found.contract) == (Decision.IN, "acme-9")


def test_contracts_that_supersede_one_another_settle_nothing() -> None:
    ring = Register((contract(supersedes=("acme-9",)), contract(id="acme-9", supersedes=("acme-1",))))
    assert decided(ring.decide(claim(), NOW)) == (Decision.DISPUTED, Ground.SEVERAL_CONTRACTS)


def test_a_contract_supersedes_only_while_it_is_in_force() -> None:
    register = Register((contract(), following(supersedes=("acme-1",))))
    assert register.decide(claim(), NOW).contract == "acme-1"


def test_of_two_contracts_in_force_the_one_that_covers_decides() -> None:
    hardware = contract(id="acme-9", clauses={"upgrade": Clause(Cover.INCLUDED, "7")})
    register = Register((contract(clauses=CLAUSES), hardware))
    assert register.decide(claim(category="upgrade"), NOW).contract == "acme-9"
    assert register.decide(claim(category="defect"), NOW).contract == "acme-1"


def test_of_two_contracts_in_force_that_do_not_cover_the_more_open_one_speaks() -> None:
    silent = contract(id="acme-9", clauses={"defect": Clause(Cover.INCLUDED, "7")})
    found = Register((contract(clauses=CLAUSES), silent)).decide(claim(category="upgrade"), NOW)
    assert (found.contract, *decided(found)) == ("acme-9", Decision.UNKNOWN, Ground.NO_CLAUSE)


@given(st.permutations(range(4)), st.integers(0, 1500), st.sampled_from(["defect", "functional", "security", None]))
def test_the_order_of_the_register_never_changes_the_decision(order: list[int], day: int, category: str | None) -> None:
    rows = (
        contract(clauses=CLAUSES),
        following(clauses=CLAUSES),
        contract(id="acme-3", clauses={"security": Clause(Cover.INCLUDED, "9")}),
        following(supersedes=("acme-2",)),
    )
    rows = (*rows[:3], replace(rows[3], id="acme-4"))
    asked = claim(reported_at=datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=day), category=category)
    turned = Register(tuple(rows[number] for number in order)).decide(asked, NOW)
    assert turned.decision is Register(rows).decide(asked, NOW).decision


# ------------------------------------------------------------------------------------------------------ a person's word


REGISTER = Register((contract(clauses=CLAUSES),))


@pytest.mark.parametrize("word", [word.value for word in Decision])
def test_a_persons_label_decides_and_is_shown(word: str) -> None:
    found = cover(issue(labelled(1, add=(word,)), labels=frozenset({f"warranty::coverage::{word}"})), REGISTER, NOW)
    assert decided(found) == (Decision(word), Ground.BY_HAND)
    assert (found.computed, found.computed_ground) == (Decision.IN, Ground.WITHIN_TERM)
    assert (found.overridden_by, found.evidence) == ("Jane", ("e1", "l1"))
    assert (found.contract, found.clause) == ("acme-1", "4.1")


@pytest.mark.parametrize(
    "by", [OURS, BOT, CUSTOMER, Actor(id=""), Actor(id="x", bot=True), Actor(id="x", customer=True)]
)
def test_a_label_by_anyone_but_a_person_of_ours_decides_nothing(by: Actor) -> None:
    found = cover(issue(labelled(1, add=("out",), by=by), labels=frozenset({"warranty::coverage::out"})), REGISTER, NOW)
    assert decided(found) == (Decision.IN, Ground.WITHIN_TERM)
    assert found.overridden_by == ""


LABELS: Mapping[str, frozenset[str]] = {
    word: frozenset({f"warranty::coverage::{word}"}) for word in ("in", "out", "goodwill", "maybe")
}


def test_the_last_of_several_labels_decides() -> None:
    told = issue(labelled(1, add=("out",)), labelled(2, add=("goodwill",)), labels=LABELS["out"] | LABELS["goodwill"])
    assert cover(told, REGISTER, NOW).decision is Decision.GOODWILL


def test_a_label_that_stood_beneath_speaks_again_when_the_one_above_comes_off() -> None:
    told = issue(
        labelled(1, add=("out",)),
        labelled(2, add=("goodwill",)),
        labelled(3, remove=("goodwill",)),
        labels=LABELS["out"],
    )
    found = cover(told, REGISTER, NOW)
    assert (found.decision, found.evidence) == (Decision.OUT, ("e1", "l1"))


def test_a_label_taken_off_decides_no_more() -> None:
    told = issue(labelled(1, add=("out",)), labelled(2, remove=("out",)))
    assert decided(cover(told, REGISTER, NOW)) == (Decision.IN, Ground.WITHIN_TERM)


def test_our_own_label_put_back_over_a_persons_is_no_longer_theirs() -> None:
    told = issue(
        labelled(1, add=("out",)),
        labelled(2, remove=("out",), by=OURS),
        labelled(3, add=("out",), by=OURS),
        labels=LABELS["out"],
    )
    assert cover(told, REGISTER, NOW).overridden_by == ""


def test_a_label_that_is_gone_without_an_event_never_spoke() -> None:
    assert decided(cover(issue(labelled(1, add=("out",))), REGISTER, NOW)) == (Decision.IN, Ground.WITHIN_TERM)


def test_a_word_that_is_no_decision_and_another_prefix_decide_nothing() -> None:
    assert cover(issue(labelled(1, add=("maybe",)), labels=LABELS["maybe"]), REGISTER, NOW).overridden_by == ""
    told = issue(labelled(1, add=("out",)), labels=LABELS["out"])
    assert cover(told, REGISTER, NOW, prefix="sla").overridden_by == ""


def test_a_label_an_agent_opened_the_issue_with_decides() -> None:
    found = cover(issue(reporter=JANE, labels=LABELS["goodwill"]), REGISTER, NOW)
    assert (found.decision, found.overridden_by, found.evidence) == (Decision.GOODWILL, "Jane", ("e1",))


def test_a_label_an_agent_opened_the_issue_with_and_took_off_again_decided_until_then() -> None:
    told = covered(issue(labelled(2, remove=("goodwill",)), reporter=JANE), REGISTER, NOW)
    assert [moment.coverage for moment in moments(told)] == [Decision.GOODWILL, Decision.IN]


def test_a_label_at_the_opening_that_is_no_decision_decides_nothing() -> None:
    assert cover(issue(reporter=JANE, labels=frozenset({"vip"})), REGISTER, NOW).overridden_by == ""
    both = issue(reporter=JANE, labels=LABELS["goodwill"] | {"vip"})
    assert cover(both, REGISTER, NOW).decision is Decision.GOODWILL


def test_a_label_whose_author_is_not_known_decides_nothing() -> None:
    by_customer = issue(labels=LABELS["goodwill"])
    gap = issue(reporter=JANE, labels=LABELS["goodwill"], gaps=(Gap(GapKind.HISTORY, "1 of 2"),))
    no_opening = replace(issue(reporter=JANE, labels=LABELS["goodwill"]), events=())
    for told in (by_customer, gap, no_opening):
        assert cover(told, Register((contract(),)), NOW).decision is Decision.IN


def test_a_label_put_on_later_is_not_known_yet() -> None:
    told = issue(labelled(5, add=("out",)), labels=LABELS["out"])
    at = datetime(2026, 6, 6, 4, tzinfo=UTC)
    assert cover(told, REGISTER, at - timedelta(seconds=1)).decision is Decision.IN
    assert cover(told, REGISTER, at).decision is Decision.OUT


def test_a_person_decides_where_the_register_says_nothing() -> None:
    told = issue(labelled(1, add=("goodwill",)), labels=LABELS["goodwill"])
    found = cover(told, Register(), NOW)
    assert (found.decision, found.computed, found.contract) == (Decision.GOODWILL, Decision.UNKNOWN, "")


def test_what_is_served_is_in_and_goodwill() -> None:
    assert [word for word in Decision if word.served] == [Decision.IN, Decision.GOODWILL]


def test_a_contract_is_found_by_its_id() -> None:
    assert REGISTER.contract("acme-1") == REGISTER.contracts[0]
    assert REGISTER.contract("none") is None


# ------------------------------------------------------------------------------------------------------ as a fact of it


def test_an_issue_bears_its_coverage_and_the_instants_at_which_people_changed_it() -> None:
    told = covered(
        issue(
            labelled(1, add=("out",)),
            labelled(2, add=("goodwill",)),
            labelled(3, remove=("goodwill",)),
            labelled(4, remove=("out",)),
        ),
        REGISTER,
        NOW,
    )
    assert told.coverage == cover(issue(), REGISTER, NOW)
    changes = [event for event in told.events if isinstance(event, CoverageChanged)]
    assert [(event.id, event.before.value, event.after.value, event.actor) for event in changes] == [
        ("l1/coverage", "in", "out", JANE),
        ("l2/coverage", "out", "goodwill", JANE),
        ("l3/coverage", "goodwill", "out", JANE),
        ("l4/coverage", "out", "in", JANE),
    ]
    assert [moment.coverage for moment in moments(told)] == [
        Decision.IN,
        Decision.OUT,
        Decision.GOODWILL,
        Decision.OUT,
        Decision.IN,
    ]


def test_a_label_that_only_agrees_with_the_register_changes_nothing() -> None:
    told = covered(issue(labelled(1, add=("in",)), labels=LABELS["in"]), REGISTER, NOW)
    assert told.coverage is not None
    assert told.coverage.overridden_by == "Jane"
    assert not [event for event in told.events if isinstance(event, CoverageChanged)]


def test_what_people_say_after_now_is_not_told() -> None:
    told = covered(issue(labelled(5, add=("out",)), labels=LABELS["out"]), REGISTER, datetime(2026, 6, 2, tzinfo=UTC))
    assert {moment.coverage for moment in moments(told)} == {Decision.IN}


def test_a_condition_may_ask_for_the_coverage_at_an_instant() -> None:
    told = covered(issue(labelled(1, add=("out",)), labels=LABELS["out"]), REGISTER, NOW)
    served = Condition(coverage=("in", "goodwill"))
    assert [served.holds(moment) for moment in moments(told)] == [True, False]


def test_without_a_register_the_coverage_is_unknown() -> None:
    (moment,) = moments(issue())
    assert Condition(coverage="unknown").holds(moment)
    assert not Condition(coverage="in").holds(moment)


def test_a_report_that_precedes_its_issue_counts_from_when_it_was_made() -> None:
    late = issue(opened=datetime(2027, 3, 2, 4, tzinfo=UTC))
    called = replace(late, reported_at=datetime(2027, 3, 1, 4, tzinfo=UTC))
    assert cover(late, REGISTER, NOW).ground is Ground.ENDED
    assert cover(called, REGISTER, NOW).decision is Decision.IN


def test_an_issue_finds_its_contract_by_organisation_and_custom_field() -> None:
    match = Match(organisation=("Acme",), fields=(("Contract", ("AC-1",)),))
    register = Register((contract(match=(match,), products=(Product("Car", ("2",)),)),))
    told = replace(issue(), organisation="ACME", fields=(("contract", "ac-1"),), versions=("2.1",))
    assert cover(told, register, NOW).decision is Decision.IN
    assert cover(replace(told, organisation=""), register, NOW).ground is Ground.NO_CONTRACT
    assert cover(replace(told, versions=("3.0",)), register, NOW).ground is Ground.OTHER_VERSION
