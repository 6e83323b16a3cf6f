"""What an issue is matched by is what it was when it was reported, completed by triage and moved by nobody later."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.coverage import Coverage, Decision, Ground
from policies.issue import (
    Actor,
    CategoryChanged,
    ComponentsChanged,
    Gap,
    GapKind,
    Issue,
    IssueRef,
    LabelsChanged,
    Moved,
    Opened,
    Role,
    Word,
)
from policies.term import CalendarMonths, Term
from policies.vocabulary import Vocabulary
from policies.warranty import Clause, Contract, Cover, Exclusion, Match, Product, Register, cover

if TYPE_CHECKING:
    from policies.issue import Event

SHANGHAI = ZoneInfo("Asia/Shanghai")
OPENED = datetime(2026, 6, 1, 4, tzinfo=UTC)
NOW = datetime(2027, 6, 1, 4, tzinfo=UTC)
TICK = timedelta(microseconds=1)
JANE = Actor(id="jane", name="Jane", role=Role.RESPONDER)
CARL = Actor(id="carl", role=Role.CUSTOMER)
LOST = (Gap(GapKind.HISTORY, "history entries not delivered: 2"),)
TERM = Term(begins=date(2026, 3, 1), duration=CalendarMonths(12))
OVER = Term(begins=date(2024, 3, 1), duration=CalendarMonths(12))
CLAUSES = {"defect": Clause(Cover.INCLUDED, "4.1"), "upgrade": Clause(Cover.CHARGEABLE, "4.5")}


def contract(id_: str = "acme", *, term: Term = TERM, **changed: Any) -> Contract:
    match = changed.pop("match", Match(label=(id_,)))
    return Contract(id=id_, customer=id_.title(), zone=SHANGHAI, term=term, match=(match,), **changed)


def day(days: float) -> datetime:
    """So many days after the opening."""
    return OPENED + timedelta(days=days)


def labelled(days: float, *, add: tuple[str, ...] = (), remove: tuple[str, ...] = (), name: str = "") -> LabelsChanged:
    return LabelsChanged(id=name or f"l{days}", at=day(days), actor=JANE, added=add, removed=remove)


def built(days: float, *, add: tuple[str, ...] = (), remove: tuple[str, ...] = ()) -> ComponentsChanged:
    return ComponentsChanged(id=f"c{days}", at=day(days), actor=JANE, added=add, removed=remove)


def sorted_as(days: float, before: str | None, after: str | None) -> CategoryChanged:
    return CategoryChanged(id=f"k{days}", at=day(days), actor=JANE, before=before, after=after)


def issue(*events: Event, **changed: Any) -> Issue:
    """An issue whose present labels and components follow from its events, unless they are given."""
    labels: set[str] = set(changed.pop("opened_with", ()))
    components = list(changed.pop("opened_in", ()))
    category = changed.pop("category", None)
    for event in sorted(events, key=lambda event: event.at):
        match event:
            case LabelsChanged():
                labels = (labels - set(event.removed)) | set(event.added)
            case ComponentsChanged():
                components = [*(set(components) - set(event.removed)), *event.added]
            case CategoryChanged():
                category = event.after
    plain: dict[str, Any] = {
        "ref": IssueRef("lab", "acme/car", "acme/car#7", "7"),
        "title": "It stops",
        "type": Word("1", "Bug"),
        "status": Word("1", "Open"),
        "reporter": CARL,
        "opened_at": OPENED,
        "updated_at": OPENED,
        "labels": frozenset(labels),
        "components": tuple(sorted(components)),
        "category": category,
        "events": (Opened(id="e1", at=OPENED, actor=CARL), *events),
    }
    return Issue(**{**plain, **changed})


def found(issue: Issue, *contracts: Contract, now: datetime = NOW, version_label: str = "") -> Coverage:
    return cover(issue, Register(contracts, version_label), now)


ACME, BETA = contract("acme"), contract("beta")


# ------------------------------------------------------------------------------------------------------ the first value


def test_a_label_the_issue_was_reported_with_counts_whatever_became_of_it() -> None:
    for later in ((), (labelled(1, remove=("acme",)),), (labelled(1, remove=("acme",), add=("beta",)),)):
        told = found(issue(*later, opened_with=("acme",)), ACME, BETA)
        assert (told.contract, told.candidates, told.evidence) == ("acme", ("acme",), ("e1",))


def test_the_first_label_triage_gives_completes_the_report_and_is_its_evidence() -> None:
    told = found(issue(labelled(3, add=("acme",))), ACME, BETA)
    assert (told.decision, told.contract, told.evidence) == (Decision.IN, "acme", ("e1", "l3"))
    assert told.reported_at == OPENED


def test_what_triage_gave_first_is_not_changed_later() -> None:
    events = (labelled(3, add=("acme",)), labelled(9, remove=("acme",)), labelled(10, add=("beta",)))
    told = found(issue(*events), ACME, BETA)
    assert (told.candidates, told.evidence) == (("acme",), ("e1", "l3"))


def test_a_second_label_later_does_not_make_a_dispute() -> None:
    assert found(issue(labelled(1, add=("beta",)), opened_with=("acme",)), ACME, BETA).decision is Decision.IN
    assert found(issue(opened_with=("acme", "beta")), ACME, BETA).decision is Decision.DISPUTED


def test_a_label_put_on_in_the_instant_of_the_report_belongs_to_it() -> None:
    late = replace(labelled(0, add=("beta",)), at=OPENED + TICK)
    assert found(issue(labelled(0, add=("acme",), name="at"), late), ACME, BETA).candidates == ("acme",)
    changed = labelled(0, add=("beta",), remove=("acme",))
    assert found(issue(changed, opened_with=("acme",)), ACME, BETA).candidates == ("beta",)
    assert found(issue(replace(changed, at=OPENED + TICK), opened_with=("acme",)), ACME, BETA).candidates == ("acme",)


def test_of_several_changes_in_one_instant_only_what_came_out_of_them_held() -> None:
    slip = (labelled(1, add=("acme",), name="a"), labelled(1, remove=("acme",), add=("beta",), name="b"))
    told = found(issue(*slip), ACME, BETA)
    assert (told.candidates, told.evidence) == (("beta",), ("e1", "a", "b"))


def test_a_report_made_ahead_of_its_issue_is_taken_as_the_issue_was_opened() -> None:
    told = found(issue(labelled(1, add=("beta",)), opened_with=("acme",), reported_at=day(-2)), ACME, BETA)
    assert (told.candidates, told.reported_at) == (("acme",), day(-2))


@pytest.mark.parametrize(("seconds", "contracts"), [(-1, ("beta",)), (0, ("beta",)), (1, ("acme",))])
def test_a_report_dated_after_the_opening_is_taken_as_the_issue_was_then(
    seconds: int, contracts: tuple[str, ...]
) -> None:
    change = replace(labelled(2, add=("beta",), remove=("acme",)), at=day(2) + timedelta(seconds=seconds))
    assert found(issue(change, opened_with=("acme",), reported_at=day(2)), ACME, BETA).candidates == contracts


def test_what_was_taken_off_before_the_report_is_none_of_it() -> None:
    events = (labelled(1, remove=("acme",)), labelled(3, add=("beta",)))
    assert found(issue(*events, opened_with=("acme",), reported_at=day(2)), ACME, BETA).candidates == ("beta",)


def test_what_triage_says_after_now_is_not_known_yet() -> None:
    told = issue(labelled(3, add=("acme",)), sorted_as(4, None, "defect"))
    bound = contract("acme", clauses=CLAUSES)
    grounds = [found(told, bound, now=at).ground for at in (day(3) - TICK, day(3), day(4) - TICK, day(4))]
    assert grounds == [Ground.NO_CONTRACT, Ground.NO_CATEGORY, Ground.NO_CATEGORY, Ground.WITHIN_TERM]


def test_a_contract_found_by_triage_is_asked_of_the_day_of_the_report() -> None:
    ended = day(300)
    told = issue(labelled(400, add=("acme",)))
    assert found(told, ACME, now=day(500)).decision is Decision.IN
    assert found(replace(told, reported_at=ended), ACME, now=day(500)).ground is Ground.ENDED


def test_a_label_of_anothers_concern_is_no_value() -> None:
    events = (labelled(2, add=("acme",)), labelled(3, add=("urgent",)))
    told = found(issue(*events, opened_with=("ui", "version::", "warranty::x")), ACME, version_label="version::")
    assert (told.contract, told.evidence) == ("acme", ("e1", "l2"))


def test_each_scope_of_labels_is_a_fact_of_its_own() -> None:
    rows = (contract("a", match=Match(label=("Customer::*",))), contract("b", match=Match(label=("vip", "site::1"))))
    told = issue(labelled(1, add=("customer::x",)), labelled(2, add=("site::1",)), opened_with=("vip",))
    assert found(told, *rows).candidates == ("a", "b")
    rows = (contract("a", match=Match(label=("customer::x",))), contract("b", match=Match(label=("customer::y",))))
    again = issue(labelled(2, add=("Customer::Y",)), opened_with=("customer::x",))
    assert found(again, *rows).candidates == ("a",)


def test_a_label_that_only_an_exclusion_asks_for_is_a_fact_of_its_own() -> None:
    bound = contract("acme", exclusions=(Exclusion(Match(label=("misuse", "water")), "6"),))
    assert found(issue(labelled(2, add=("misuse",)), opened_with=("acme",)), bound).ground is Ground.EXCLUSION
    healed = issue(labelled(2, remove=("misuse",)), opened_with=("acme", "misuse"))
    assert found(healed, bound).ground is Ground.EXCLUSION


def test_a_label_that_a_match_asks_for_too_is_the_matchs() -> None:
    bound = contract("acme", exclusions=(Exclusion(Match(label=("beta",)), "6"),))
    assert found(issue(labelled(2, add=("beta",)), opened_with=("acme",)), bound, BETA).ground is Ground.WITHIN_TERM


def test_the_version_a_label_names_first_counts() -> None:
    bound = contract("acme", match=Match(project=("acme/*",)), products=(Product("Car", ("2",)),))
    events = (labelled(1, add=("version::3.0",)), labelled(5, add=("version::2.1",), remove=("version::3.0",)))
    told = found(issue(*events), bound, version_label="version::")
    assert (told.ground, told.evidence, told.undated) == (Ground.OTHER_VERSION, ("e1", "l1"), ())


# --------------------------------------------------------------------------------- components, category, project: the same


CAR = contract("acme", match=Match(component=("Car",)))
VAN = contract("beta", match=Match(component=("Van",)))


def test_the_components_of_the_report_count_and_where_it_had_none_the_first_given() -> None:
    moved = issue(built(2, add=("Van",), remove=("Car",)), opened_in=("Car",))
    assert found(moved, CAR, VAN).candidates == ("acme",)
    triaged = issue(built(2, add=("Car",)), built(3, add=("Van",), remove=("Car",)))
    told = found(triaged, CAR, VAN)
    assert (told.candidates, told.evidence, told.undated) == (("acme",), ("e1", "c2"), ())


def test_a_component_added_beside_a_known_one_moves_nothing() -> None:
    assert found(issue(built(2, add=("Van",)), opened_in=("Car",)), CAR, VAN).candidates == ("acme",)
    other = issue(built(2, add=("Van",)), opened_in=("Radio",))
    assert found(other, CAR, VAN).ground is Ground.NO_CONTRACT


def test_the_category_of_the_report_counts_and_where_it_had_none_the_first_given() -> None:
    bound = contract("acme", match=Match(project=("acme/*",)), clauses=CLAUSES)
    triaged = found(issue(sorted_as(2, None, "defect"), sorted_as(40, "defect", "upgrade")), bound)
    assert (triaged.ground, triaged.clause, triaged.evidence) == (Ground.WITHIN_TERM, "4.1", ("e1", "k2"))
    moved = found(issue(sorted_as(2, "upgrade", "defect")), bound)
    assert (moved.ground, moved.evidence) == (Ground.CATEGORY_CHARGEABLE, ("e1",))
    assert found(issue(), bound).ground is Ground.NO_CATEGORY


def test_evidence_of_what_a_contract_does_not_ask_for_is_left_out() -> None:
    told = found(issue(labelled(2, add=("acme",)), sorted_as(3, None, "defect")), ACME)
    assert told.evidence == ("e1", "l2")


@pytest.mark.parametrize(
    ("before", "after"), [("VAN-3", "CAR-7"), ("van", "CAR"), ("VAN", "CAR-7"), ("A-1-VAN-3", "CAR-7")]
)
def test_an_issue_that_was_moved_stays_with_the_project_it_was_reported_in(before: str, after: str) -> None:
    rows = (contract("car", match=Match(project=("CAR",))), contract("van", match=Match(project=("VAN", "A-1-VAN"))))
    moved = Moved(id="m", at=day(2), actor=JANE, before=before, after=after)
    told = found(issue(moved, ref=IssueRef("lab", "CAR", "CAR-7", "7")), *rows)
    assert (told.contract, told.evidence) == ("van", ("e1",))


def test_a_project_no_contract_asks_for_is_an_intake_and_the_first_one_asked_for_counts() -> None:
    rows = (contract("car", match=Match(project=("acme/car",))), contract("van", match=Match(project=("acme/van",))))
    there = Moved(id="m1", at=day(2), actor=JANE, before="desk#1", after="acme/van#9")
    again = Moved(id="m2", at=day(5), actor=JANE, before="acme/van#9", after="acme/car#7")
    told = found(issue(there, again), *rows)
    assert (told.contract, told.evidence) == ("van", ("e1", "m1"))
    assert found(issue(there, again), *rows, now=day(2) - TICK).ground is Ground.NO_CONTRACT
    nowhere = (contract("bus", match=Match(project=("acme/bus",))),)
    assert found(issue(there, again), *nowhere).ground is Ground.NO_CONTRACT


def test_a_component_that_gives_the_category_gives_it_from_its_own_instant_on() -> None:
    words = Vocabulary(categories={"component:engine": "defect", "component:wishes": "upgrade"})
    bound = contract("acme", match=Match(project=("acme/*",)), clauses=CLAUSES)
    told = words.apply(issue(built(2, add=("engine",)), built(9, add=("wishes",), remove=("engine",))))
    assert [(e.before, e.after) for e in told.events if isinstance(e, CategoryChanged)] == [
        (None, "defect"),
        ("defect", "upgrade"),
    ]
    assert found(told, bound).clause == "4.1"


# -------------------------------------------------------------------------------------------- what no history is told of


def test_a_fact_whose_history_is_not_told_counts_as_it_stands_now_and_the_decision_says_so() -> None:
    match = Match(organisation=("Acme",), reporter=("carl",), fields=(("Contract", ("A-1",)),), component=("Car",))
    told = issue(organisation="Acme", fields=(("contract", "A-1"),), opened_in=("Car",))
    bound = contract("acme", match=match, products=(Product("Car", ("2",)),))
    decided = found(told, bound)
    assert decided.decision is Decision.IN
    assert decided.undated == ("field contract", "organisation", "reporter", "version")
    assert found(issue(opened_with=("acme",)), ACME).undated == ()
    assert found(issue(), bound, ACME).undated == decided.undated


def test_versions_the_tracker_names_count_as_they_stand_now_even_beside_labels() -> None:
    bound = contract("acme", match=Match(project=("acme/*",)), products=(Product("Car", ("2",)), Product("Van")))
    assert found(issue(versions=("2.1",)), bound, version_label="v::").undated == ("version",)
    assert found(issue(opened_with=("v::2",)), bound, version_label="v::").undated == ()


# ------------------------------------------------------------------------------------------------ what a gap leaves open


def test_a_history_with_a_gap_leaves_what_rests_on_it_unknown_and_the_gap_is_named() -> None:
    told = found(issue(opened_with=("acme",), gaps=LOST), ACME, BETA)
    assert (told.decision, told.ground, told.gap) == (Decision.UNKNOWN, Ground.HISTORY_GAP, LOST[0].detail)
    assert (told.contract, told.window, told.candidates, told.evidence) == ("", None, ("acme", "beta"), ("e1",))
    assert found(issue(opened_with=("acme",), gaps=LOST), ACME).candidates == ("acme",)


def test_a_contract_that_claims_a_report_without_doubt_is_named_though_its_clause_is_not_sure() -> None:
    bound = contract("acme", match=Match(project=("acme/*",)), clauses=CLAUSES)
    told = found(issue(category="defect", gaps=LOST), bound)
    assert (told.ground, told.contract, told.customer, told.clause) == (Ground.HISTORY_GAP, "acme", "Acme", "")
    assert told.window is not None


@pytest.mark.parametrize(
    "asking",
    [
        {"clauses": CLAUSES},
        {"products": (Product("Car", ("2",)), Product("Van"))},
        {"exclusions": (Exclusion(Match(label=("misuse",)), "6"),)},
        {"exclusions": (Exclusion(Match(component=("radio",)), "6"),)},
    ],
)
def test_each_fact_a_gap_could_hide_is_in_doubt(asking: dict[str, Any]) -> None:
    bound = contract("acme", match=Match(project=("acme/*",)), **asking)
    assert found(issue(category="defect", gaps=LOST), bound).ground is Ground.HISTORY_GAP
    assert found(issue(category="defect"), bound).ground is Ground.WITHIN_TERM
    ended = replace(bound, term=OVER)
    assert found(issue(category="defect", gaps=LOST), ended).ground is Ground.ENDED
    awaited = replace(bound, term=replace(TERM, begins=None))
    assert found(issue(category="defect", gaps=LOST), awaited).ground is Ground.NO_ANCHOR


def test_a_version_that_a_label_would_name_is_in_doubt_and_one_the_tracker_names_is_not() -> None:
    bound = contract("acme", match=Match(project=("acme/*",)), products=(Product("Car", ("2",)),))
    assert found(issue(gaps=LOST), bound, version_label="v::").ground is Ground.HISTORY_GAP
    assert found(issue(gaps=LOST, versions=("3",)), bound, version_label="v::").ground is Ground.OTHER_VERSION


def test_that_an_issue_was_moved_is_not_presumed_but_the_gap_is_said() -> None:
    told = found(issue(gaps=LOST), contract("acme", match=Match(project=("acme/*",))))
    assert (told.decision, told.gap) == (Decision.IN, LOST[0].detail)


def test_a_gap_that_hides_nothing_the_contract_asks_for_is_not_said() -> None:
    told = found(issue(gaps=LOST, organisation="Acme"), contract("acme", match=Match(organisation=("Acme",))))
    assert (told.decision, told.gap) == (Decision.IN, "")


def test_a_contract_that_could_not_claim_the_report_whatever_is_hidden_leaves_no_doubt() -> None:
    elsewhere = contract("beta", match=Match(project=("zeta/*",), label=("beta",)))
    assert found(issue(gaps=LOST), elsewhere).ground is Ground.NO_CONTRACT
    here = contract("acme", match=Match(project=("acme/*",)))
    assert found(issue(gaps=LOST), here, elsewhere).contract == "acme"
    assert found(issue(gaps=LOST), here, contract("gamma", match=Match())).contract == "acme"


def test_missing_comments_and_the_first_state_leave_no_doubt_of_the_claim() -> None:
    gaps = (Gap(GapKind.COMMENTS, "the comments were not delivered"), Gap(GapKind.CREATION, "no first status"))
    told = found(issue(opened_with=("acme",), gaps=gaps), ACME)
    assert (told.decision, told.gap) == (Decision.IN, "")


def test_a_person_settles_what_a_gap_leaves_open() -> None:
    put = labelled(3, add=("warranty::coverage::in",))
    told = found(issue(put, opened_with=("acme",), gaps=LOST), ACME)
    assert (told.decision, told.computed, told.computed_ground) == (Decision.IN, Decision.UNKNOWN, Ground.HISTORY_GAP)


def test_when_the_day_of_the_report_is_not_known_a_contract_that_had_begun_is_not_decided_on() -> None:
    gaps = (Gap(GapKind.REPORT, "the field of the report's time holds no date"),)
    told = found(issue(opened_with=("acme",), gaps=gaps), ACME)
    assert (told.ground, told.contract, told.gap) == (Ground.HISTORY_GAP, "acme", gaps[0].detail)
    two = found(issue(opened_with=("acme", "beta"), gaps=gaps), ACME, BETA)
    assert (two.ground, two.contract, two.candidates) == (Ground.HISTORY_GAP, "", ("acme", "beta"))


@pytest.mark.parametrize(
    ("begins", "ground"),
    [
        (date(2026, 6, 1), Ground.HISTORY_GAP),
        (date(2026, 6, 2), Ground.NOT_BEGUN),
        (None, Ground.NO_ANCHOR),
    ],
)
def test_an_earlier_report_could_be_no_more_covered_by_a_contract_that_had_not_begun(
    begins: date | None, ground: Ground
) -> None:
    gaps = (Gap(GapKind.REPORT, "the field of the report's time holds no date"),)
    bound = contract("acme", term=replace(TERM, begins=begins))
    assert found(issue(opened_with=("acme",), gaps=gaps), bound).ground is ground


# ------------------------------------------------------------------------------------------------ whatever comes later


WORDS = ("acme", "beta", "customer::x", "customer::y", "version::2", "version::3", "misuse", "ui")
PARTS = ("Car", "Van", "radio")
ALL = (
    contract("acme", clauses=CLAUSES, exclusions=(Exclusion(Match(label=("misuse",)), "6"),)),
    contract("beta", products=(Product("Car", ("2",)), Product("Van", ("3",)))),
    contract("x", match=Match(label=("customer::x",))),
    contract("y", match=Match(label=("customer::y",), component=("Car",))),
    contract("van", match=Match(project=("acme/car",), component=("Van",))),
)
later_changes = st.lists(
    st.one_of(
        st.builds(
            labelled,
            st.floats(5.001, 300, allow_nan=False),
            add=st.lists(st.sampled_from(WORDS), max_size=3, unique=True).map(tuple),
            remove=st.lists(st.sampled_from(WORDS), max_size=3, unique=True).map(tuple),
        ),
        st.builds(
            built,
            st.floats(5.001, 300, allow_nan=False),
            add=st.lists(st.sampled_from(PARTS), max_size=2, unique=True).map(tuple),
            remove=st.lists(st.sampled_from(PARTS), max_size=2, unique=True).map(tuple),
        ),
    ),
    max_size=8,
)


def happened(events: list[LabelsChanged | ComponentsChanged], labels: list[str], parts: list[str]) -> list[Event]:
    """The events in order, as a tracker tells them: only what was there comes off, only what was not is put on."""
    held = {"labels_changed": set(labels), "components_changed": set(parts)}
    told: list[Event] = []
    for number, event in enumerate(sorted(events, key=lambda event: event.at)):
        there = held[event.kind]
        removed = tuple(each for each in event.removed if each in there)
        added = tuple(each for each in event.added if each not in there)
        held[event.kind] = (there - set(removed)) | set(added)
        told.append(replace(event, id=f"later{number}", added=added, removed=removed))
    return told


@given(
    st.lists(st.sampled_from(WORDS), max_size=4, unique=True),
    st.lists(st.sampled_from(PARTS), min_size=1, max_size=2, unique=True),
    st.booleans(),
    later_changes,
)
def test_changes_after_the_first_known_value_never_change_the_claim(
    labels: list[str], components: list[str], triaged: bool, later: list[LabelsChanged | ComponentsChanged]
) -> None:
    known = sorted({"beta", "customer::x", "version::2", "misuse", *labels})  # so that each fact has a value
    following = happened(later, known, components)
    if triaged:
        first: tuple[Event, ...] = (labelled(5, add=tuple(known)), built(5, add=tuple(components)))
        before, after = issue(*first), issue(*first, *following)
    else:
        before = issue(opened_with=known, opened_in=components)
        after = issue(*following, opened_with=known, opened_in=components)
    register = Register(ALL, "version::")
    was, is_ = register.claim(before, NOW), register.claim(after, NOW)
    assert (is_.labels, is_.components, is_.versions, is_.told) == (was.labels, was.components, was.versions, was.told)
    decided, again = register.decide(was, NOW), register.decide(is_, NOW)
    assert (again.decision, again.contract, again.clause) == (decided.decision, decided.contract, decided.clause)


@given(later_changes)
def test_what_is_known_at_an_instant_is_the_same_whatever_the_log_holds_of_later_ones(
    later: list[LabelsChanged | ComponentsChanged],
) -> None:
    first = labelled(1, add=("acme",))
    register = Register(ALL, "version::")
    whole = register.claim(issue(first, *happened(later, ["acme"], []), category="defect"), day(5))
    cut = register.claim(issue(first, category="defect"), day(5))
    assert (whole.labels, whole.components, whole.versions, whole.told) == (
        cut.labels,
        cut.components,
        cut.versions,
        cut.told,
    )
