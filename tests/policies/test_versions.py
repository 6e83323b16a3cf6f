"""Versions of a policy: the one in force when an issue was opened judges it, unless a newer one takes over open issues."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.changes import UpsertReport
from policies.issue import State
from policies.loader import load_book, load_pack
from policies.plan import Limits, plan
from policies.problem import InputError
from policies.summary import summarise
from policies.verdict import Judged, ReasonCode, Status
from policies.versions import PolicyBook, VersionConflict
from tests.policies.build_issue import (
    MONDAY,
    RESOLUTION,
    at,
    becomes,
    build_destination,
    build_issue,
    build_pack,
)

if TYPE_CHECKING:
    from pathlib import Path

    from policies.issue import Event, Issue
    from policies.pack import PolicyPack


def version(number: int, hour: float | None, within: str, applies_to: str = "new", **changed: Any) -> PolicyPack:
    """A version with a resolution clock of its own length, in force from an hour on."""
    pack = build_pack(({"do": "label"}, {"do": "report"}), resolution={**RESOLUTION, "goals": [{"within": within}]})
    begins = at(hour) if hour is not None else None
    return pack.model_copy(update={"version": number, "effective_from": begins, "applies_to": applies_to, **changed})


def opened(hour: float, *events: Event) -> Issue:
    return build_issue(*events, opened_at=at(hour))


OLD, NEW = version(1, None, "48h"), version(2, 10, "24h")
TAKING = version(2, 10, "24h", "open")


def judged_by(issue: Issue, hour: float, *packs: PolicyPack) -> int | None:
    found = PolicyBook.of(*packs).judging(issue, at(hour))
    return found.version if found else None


# ---------------------------------------------------------------------------------------------------- which one judges


def test_the_version_in_force_when_the_issue_was_opened_judges_it_all_its_life() -> None:
    assert [judged_by(opened(hour), 500, OLD, NEW) for hour in (0, 9.99, 10, 300)] == [1, 1, 2, 2]


def test_the_order_in_which_versions_are_handed_in_says_nothing() -> None:
    assert PolicyBook.of(NEW, OLD) == PolicyBook.of(OLD, NEW)
    assert PolicyBook.of(NEW, OLD).latest is NEW


def test_a_version_that_applies_to_open_issues_takes_over_those_that_were_open_when_it_began() -> None:
    assert judged_by(opened(0), 9.99, OLD, TAKING) == 1
    assert judged_by(opened(0), 10, OLD, TAKING) == 2
    assert judged_by(opened(0, becomes(20, State.RESOLVED)), 500, OLD, TAKING) == 2


@pytest.mark.parametrize("over", [State.RESOLVED, State.VERIFIED, State.CLOSED, State.CANCELLED])
def test_an_issue_that_was_over_by_then_stays_with_its_version_even_when_it_is_reopened(over: State) -> None:
    events = (becomes(5, over), becomes(30, State.IN_PROGRESS, over))
    assert judged_by(opened(0, *events), 500, OLD, TAKING) == 1


def test_the_last_of_several_that_take_over_judges() -> None:
    third, fourth = version(3, 20, "12h"), version(4, 30, "6h", "open")
    assert judged_by(opened(0), 500, OLD, TAKING, third) == 2
    assert judged_by(opened(0), 500, OLD, TAKING, third, fourth) == 4


def test_a_version_that_is_not_in_force_yet_judges_nothing() -> None:
    book = PolicyBook.of(OLD, NEW)
    assert judged_by(opened(10), 9, OLD, NEW) == 1
    assert (book.on(at(9)), book.on(at(10))) == (OLD, NEW)


def test_the_digest_of_a_book_tells_every_change_of_a_version_or_a_calendar() -> None:
    books = [(OLD,), (OLD, NEW), (OLD, TAKING), (OLD.with_calendars({}),), (version(1, None, "47h"),)]
    assert len({PolicyBook.of(*packs).digest for packs in books}) == len(books)
    assert PolicyBook.of(NEW, OLD).digest == PolicyBook.of(OLD, NEW).digest


def test_a_single_pack_without_a_date_judges_everything_as_before() -> None:
    issue = opened(0, becomes(5, State.RESOLVED))
    judged = PolicyBook.of(OLD).judge(issue, at(6))
    assert (judged.pack, [verdict.status for verdict in judged.verdicts]) == (OLD, [Status.MET])


# ------------------------------------------------------------------------------------------------- before the first one


def test_an_issue_opened_before_the_first_version_is_not_applicable_and_its_reason_says_so() -> None:
    dated = version(1, 10, "48h")
    judged = PolicyBook.of(dated).judge(opened(0), at(500))
    (verdict,) = judged.verdicts
    assert (verdict.status, verdict.reason.code) == (Status.NOT_APPLICABLE, ReasonCode.BEFORE_FIRST_VERSION)
    assert verdict.reason.detail == at(10).isoformat()


def test_it_is_a_line_in_the_report_and_nothing_is_done_about_it() -> None:
    dated = version(1, 10, "48h")
    judged = PolicyBook.of(dated).judge(opened(0), at(500))
    (line,) = summarise([judged], dated, "here").without_goal
    assert (line.key, [reason.code for reason in line.reasons]) == ("CAR-1", [ReasonCode.BEFORE_FIRST_VERSION])
    where = {"here": build_destination(report_project="CAR")}
    found = plan([judged], [dated], where, limits=Limits(), now=at(500))
    assert [type(planned.change) for planned in found.changes] == [UpsertReport]


def test_a_first_version_that_applies_to_open_issues_judges_those_that_were_open_when_it_began() -> None:
    assert judged_by(opened(0), 500, version(1, 10, "48h", "open")) == 1
    assert judged_by(opened(0, becomes(5, State.CLOSED)), 500, version(1, 10, "48h", "open")) is None


# ------------------------------------------------------------------------------------------------ acting and reporting


def test_each_issue_is_judged_and_acted_on_by_its_own_version() -> None:
    book = PolicyBook.of(OLD, NEW)
    old, new = (book.judge(opened(hour, *()), at(40)) for hour in (0, 10))
    assert [(one.verdicts[0].policy, str(one.verdicts[0].goal)) for one in (old, new)] == [
        ("trial@1", "48h"),
        ("trial@2", "24h"),
    ]
    found = plan([old, new], [book.latest], {"here": build_destination()}, limits=Limits(), now=at(40))
    assert sorted(str(planned.change) for planned in found.changes) == sorted(
        str(planned.change)
        for one in (old, new)
        for planned in plan(
            [one], [one.pack or OLD], {"here": build_destination()}, limits=Limits(), now=at(40)
        ).changes
    )


def test_a_clock_that_only_an_older_version_has_is_counted_and_told_all_the_same() -> None:
    older = build_pack(workaround={**RESOLUTION, "goals": [{"within": "8h"}]})
    book = PolicyBook.of(older, NEW)
    summary = summarise([book.judge(opened(0), at(9))], NEW, "here")
    assert summary.counts == (("workaround", Status.OVERDUE, 1),)
    assert "workaround" in str(summary.document(NEW, build_destination()))


def test_when_a_later_version_will_take_over_the_issue_is_judged_again_at_that_instant() -> None:
    book = PolicyBook.of(OLD, TAKING)
    (before,) = book.judge(opened(0), at(9)).verdicts
    assert (before.policy, before.next_change_at) == ("trial@1", at(10))
    (after,) = book.judge(opened(0), at(10)).verdicts
    assert (after.policy, after.next_change_at) == ("trial@2", at(18))
    (over,) = book.judge(opened(0, becomes(5, State.CLOSED)), at(9)).verdicts
    assert over.next_change_at is None


# ------------------------------------------------------------------------------------------------- side by side, or not


@pytest.mark.parametrize(
    ("packs", "path"),
    [
        ((OLD, version(2, None, "24h")), "effective_from"),
        ((version(1, 10, "48h"), version(2, 10, "24h")), "effective_from"),
        ((version(1, 10, "48h"), version(2, 5, "24h")), "effective_from"),
        ((OLD, version(1, 10, "24h")), "version"),
        ((OLD, version(2, 10, "24h", id="other")), "id"),
    ],
)
def test_versions_that_overlap_are_refused_with_what_was_found(packs: tuple[PolicyPack, ...], path: str) -> None:
    with pytest.raises(VersionConflict) as refused:
        PolicyBook.of(*packs)
    assert (refused.value.path, refused.value.number) == (path, 1)


def test_a_policy_without_a_version_is_none() -> None:
    with pytest.raises(ValueError, match="without a version"):
        PolicyBook.of()


@settings(max_examples=60, deadline=None)
@given(
    hours=st.lists(st.integers(1, 60), min_size=1, max_size=4, unique=True).map(sorted),
    taking=st.lists(st.booleans(), min_size=4, max_size=4),
    born=st.integers(0, 70),
    closed=st.none() | st.integers(0, 70),
    now=st.integers(0, 90),
)
def test_which_version_judges_is_what_the_rule_says_in_words(
    hours: list[int], taking: list[bool], born: int, closed: int | None, now: int
) -> None:
    events = () if closed is None or closed <= born else (becomes(closed, State.CLOSED),)
    issue = opened(born, *events)
    packs = [
        version(number, hour, "48h", "open" if take else "new")
        for number, (hour, take) in enumerate(zip(hours, taking, strict=False), start=1)
    ]
    expected = None
    for pack, hour, take in zip(packs, hours, taking, strict=False):
        in_force_at_birth = hour <= born
        still_open = born <= hour and not (events and closed is not None and closed <= hour)
        if hour <= now and (in_force_at_birth or (take and still_open)):
            expected = pack.version
    assert judged_by(issue, now, *packs) == expected


# --------------------------------------------------------------------------------------------------------------- files

SHAPE = """\
id: ours
version: {version}
{begins}
clocks:
  resolution:
    stop: {{state: closed}}
    goals:
      - within: {within}
"""


def written(folder: Path, name: str, number: int, begins: str = "", within: str = "48h") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    line = f"effective_from: {begins}" if begins else ""
    path.write_text(SHAPE.format(version=number, begins=line, within=within), encoding="utf-8")
    return path


def test_a_book_is_loaded_from_a_folder_from_a_list_and_from_a_single_pack(tmp_path: Path) -> None:
    first = written(tmp_path, "ours/v1.yaml", 1)
    second = written(tmp_path, "ours/v2.yaml", 2, "2026-03-02T09:00:00+08:00")
    (tmp_path / "ours" / "ours.cases.yaml").write_text("cases: []\n", encoding="utf-8")
    folder = load_book("ours", tmp_path)
    listed = load_book([str(second), str(first)], tmp_path)
    assert [pack.name for pack in folder.versions] == [pack.name for pack in listed.versions] == ["ours@1", "ours@2"]
    assert folder.versions[1].effective_from == MONDAY
    assert load_book(str(first)).versions == (load_pack(str(first)),)
    assert load_book("standard-warranty").latest.id == "standard-warranty"


def test_equal_beginnings_are_an_error_with_file_line_and_path(tmp_path: Path) -> None:
    written(tmp_path, "ours/v1.yaml", 1, "2026-03-02T09:00:00+08:00")
    second = written(tmp_path, "ours/v2.yaml", 2, "2026-03-02T01:00:00Z")
    with pytest.raises(InputError) as refused:
        load_book("ours", tmp_path)
    (problem,) = refused.value.problems
    assert (problem.file, problem.line, problem.path) == (str(second), 3, "effective_from")
    assert "an instant after 2026-03-02T" in problem.expected


def test_the_mistakes_of_all_versions_are_told_at_once(tmp_path: Path) -> None:
    written(tmp_path, "ours/v1.yaml", 1, within="3 days")
    written(tmp_path, "ours/v2.yaml", 2, "2026-03-02T09:00:00")
    with pytest.raises(InputError) as refused:
        load_book("ours", tmp_path)
    assert sorted(problem.path for problem in refused.value.problems) == [
        "clocks.resolution.goals[0].within",
        "effective_from",
    ]


def test_a_folder_without_a_version_and_a_name_of_nothing_are_errors(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no version in this folder"):
        load_book("empty", tmp_path)
    with pytest.raises(InputError, match="no such pack"):
        load_book("nothing", tmp_path)


def test_an_issue_without_a_pack_of_its_own_is_acted_on_by_the_one_handed_in() -> None:
    issue = opened(0)
    judged = PolicyBook.of(OLD).judge(issue, at(6))
    bare = Judged(issue, judged.verdicts)
    where = {"here": build_destination()}
    assert plan([bare], [OLD], where, limits=Limits(), now=at(6)) == plan(
        [judged], [NEW], where, limits=Limits(), now=at(6)
    )
