"""One event log, every tracker, the same verdicts to the second; and proof that the suite would tell if it were not so."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from connectors.jira.mapping import Source, issue_of
from connectors.sandbox.faults import Fault
from policies.issue import (
    AssigneeChanged,
    Commented,
    FixVersionsChanged,
    Issue,
    LabelsChanged,
    StateChanged,
    StatusChanged,
)
from policies.loader import load_pack
from policies.pack import PolicyPack
from policies.verdict import Status, judge
from tests.conformance import (
    DIALECTS,
    NOW,
    Dialect,
    Expected,
    Reading,
    Trackers,
    apart,
    disagreements,
    figures,
    instants_to_judge,
    past,
)
from tests.event_log import (
    Difference,
    Log,
)
from tests.event_logs import ASKED, HAND_MADE, by_dice
from tests.event_logs_apart import DIFFERENCES

NIGHT_SHIFT = """\
id: night-shift
version: 1
calendar: berlin-nights
severities: [urgent, high, normal]
categories: [defect, functional, performance, security, upgrade]
clocks:
  answer:
    stop: first_response
    goals:
      - {when: {severity: [urgent, high]}, within: 2bh}
      - {within: 6bh}
  repair:
    start: accepted
    stop: {state: [resolved, verified, closed]}
    pause:
      - {when: {state: waiting_for_customer}, reason: customer, party: customer, longest: 48h}
      - {when: {state: waiting_for_third_party}, reason: supplier, party: third_party, longest: 3bd}
      - {when: {label: on-hold}, reason: on-hold, party: support}
    reopen: new_cycle
    on_retarget: from_change
    goals:
      - {when: {severity: urgent}, within: 8bh}
      - {when: {severity: high}, within: 2bd}
      - {within: 4bd, until: close_of_business}
  second_line:
    start: {tier: [L2, L3]}
    stop: {any: [{tier: L1}, {state: [resolved, closed]}]}
    on_retarget: from_start
    goals:
      - {when: {category: security}, within: 6h}
      - {within: 30h}
  release:
    start: {state: [resolved, verified, closed]}
    stop: patch_released
    goals:
      - {when: {not: {label: "patch::not-needed"}}, within: 72h}
"""
BERLIN_NIGHTS = """\
id: berlin-nights
zone: Europe/Berlin
weekly:
  mon: ["22:00-06:00"]
  tue: ["08:00-12:00", "13:00-17:00", "22:00-06:00"]
  wed: ["08:00-12:00", "22:00-06:00"]
  thu: ["22:00-06:00"]
  fri: ["22:00-06:00"]
  sat: ["22:00-06:00"]
  sun: ["08:00-12:00"]
"""


# ------------------------------------------------------------------------------------------------------------ the suite


@pytest.fixture(scope="module")
def trackers() -> Iterator[Trackers]:
    with Trackers() as served:
        yield served


@pytest.fixture(scope="module")
def packs(tmp_path_factory: pytest.TempPathFactory) -> tuple[PolicyPack, ...]:
    """The two that are shipped, and one of nights, pauses and releases in a zone with summer time."""
    folder = tmp_path_factory.mktemp("packs")
    (folder / "calendars").mkdir()
    (folder / "calendars" / "berlin-nights.yaml").write_text(BERLIN_NIGHTS, encoding="utf-8")
    (folder / "night-shift.yaml").write_text(NIGHT_SHIFT, encoding="utf-8")
    own = load_pack(str(folder / "night-shift.yaml"))
    return load_pack("standard-warranty"), load_pack("after-sales"), own


@pytest.fixture(scope="module")
def expected() -> Expected:
    return Expected(HAND_MADE)


@pytest.fixture(scope="module")
def written(trackers: Trackers) -> Mapping[str, str]:
    return trackers.write(HAND_MADE)


@pytest.fixture(scope="module")
def readings(trackers: Trackers, written: Mapping[str, str]) -> Mapping[str, Reading]:
    """The hand-made logs, as each dialect tells them."""
    return {dialect.name: trackers.read(dialect, written, HAND_MADE) for dialect in DIALECTS}


each_dialect = pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)


def told(lines: list[str]) -> str:
    """The first few of them, for whom it may concern."""
    return "\n".join([f"{len(lines)} figures apart:", *(line[:600] for line in lines[:12])])


@each_dialect
def test_the_hand_made_logs_are_told_alike_to_the_second(
    dialect: Dialect, readings: Mapping[str, Reading], packs: tuple[PolicyPack, ...], expected: Expected
) -> None:
    found = disagreements(readings[dialect.name], packs, expected)
    assert not found, told(found)


@pytest.mark.parametrize("seed", range(3))
def test_logs_made_by_dice_are_told_alike_to_the_second(
    seed: int, trackers: Trackers, packs: tuple[PolicyPack, ...]
) -> None:
    volume = by_dice(seed, logs=9)
    keys, itself = trackers.write(volume), Expected(volume)
    found = [
        line for dialect in DIALECTS for line in disagreements(trackers.read(dialect, keys, volume), packs, itself)
    ]
    assert not found, told(found)


@pytest.mark.parametrize("difference", DIFFERENCES, ids=lambda difference: difference.why)
def test_what_a_tracker_can_not_tell_by_its_nature_is_this_and_no_more(
    difference: Difference, trackers: Trackers, packs: tuple[PolicyPack, ...]
) -> None:
    keys = trackers.write(difference.happened)
    for dialect in DIALECTS:
        mine, other = difference.happened, difference.told
        if dialect.kind == difference.kind:
            mine, other = other, mine
        # Judged at the same instants either way.
        reading = replace(trackers.read(dialect, keys, difference.happened), of=mine)
        found = disagreements(reading, packs, Expected(mine))
        assert not found, told(found)
        assert disagreements(replace(reading, of=other), packs, Expected(other)), "no difference any more"


UNCOUNTED = {
    "gitlab": "GitLab says nowhere how much history there is: what it leaves out in the beginning is not missed"
}


@each_dialect
def test_a_history_that_is_cut_short_is_undecided_and_no_guess_where_the_tracker_counts_it(
    dialect: Dialect, trackers: Trackers, written: Mapping[str, str], packs: tuple[PolicyPack, ...]
) -> None:
    trackers.store.faults.add(Fault("truncated_history", keep=1, times=None))
    try:
        reading = trackers.read(dialect, written, HAND_MADE)
    finally:
        trackers.store.faults.clear()
    issue = reading.issue("waiting for the customer, an answer, and back to work")
    resolution = next(each for each in judge(issue, packs[0], NOW) if each.clock == "resolution")
    missed = resolution.status is Status.INDETERMINATE and bool(issue.gaps)
    assert missed is not (dialect.kind in UNCOUNTED)


def test_data_center_names_an_assignee_by_key_and_whoever_wrote_a_comment_is_known_by_it() -> None:
    def person(name: str) -> dict[str, Any]:
        return {"name": name, "key": f"JIRAUSER{len(name)}", "displayName": name.title()}

    given = {"field": "assignee", "fieldtype": "jira", "from": None, "to": "JIRAUSER5", "toString": "Grace"}
    away = {"field": "assignee", "fieldtype": "jira", "from": "JIRAUSER5", "to": None, "toString": None}
    comment = {"id": "1", "author": person("grace"), "created": "2026-03-02T02:30:00.000+0000", "body": "Mine"}
    fields = {
        "summary": "Handed over", "status": {"id": "1", "name": "Open"}, "reporter": person("carl"),
        "created": "2026-03-02T01:00:00.000+0000", "comment": {"comments": [comment], "total": 1},
    }  # fmt: skip
    histories = [
        {"id": str(number), "author": person("ann"), "created": f"2026-03-02T0{number}:00:00.000+0000", "items": [item]}
        for number, item in ((2, given), (3, away))
    ]
    payload = {"id": "1", "key": "CAR-1", "fields": fields, "changelog": {"total": 2, "histories": histories}}
    issue = issue_of(payload, Source("dc", "https://jira.test"))
    assert isinstance(issue, Issue)
    changes = [(event.before, event.after) for event in issue.events if isinstance(event, AssigneeChanged)]
    assert changes == [(None, "grace"), ("grace", None)]


# ------------------------------------------------------------------------------------------------ that it would tell


def _happenings(issue: Issue, log: Log) -> Iterator[frozenset[str]]:
    """Ids of the events of each thing that happened after the opening: GitLab tells a state twice, by status and label.

    What stood at birth, the present facts tell as well; so does a release what a merge fixed.
    """
    groups: dict[tuple[datetime, str, str], set[str]] = {}
    for event in issue.events:
        told_anyway = isinstance(event, FixVersionsChanged) and log.merged().issuperset(event.added)
        if event.at > issue.opened_at and not told_anyway:
            kind = "state" if isinstance(event, (StatusChanged, LabelsChanged)) else event.id
            groups.setdefault((event.at, event.actor.id, kind), set()).add(event.id)
    yield from map(frozenset, groups.values())


def _without(issue: Issue, ids: frozenset[str]) -> Issue:
    return replace(issue, events=tuple(event for event in issue.events if event.id not in ids))


def _late(issue: Issue, ids: frozenset[str]) -> Issue:
    second = timedelta(seconds=1)
    return replace(
        issue,
        events=tuple(replace(event, at=event.at + second) if event.id in ids else event for event in issue.events),
    )


def _noticed(reading: Reading, title: str, packs: tuple[PolicyPack, ...], expected: Expected) -> bool:
    """Whether a log's past, or else a figure of it, is told to be apart."""
    if any(apart(past(reading, title), expected.past(title))):
        return True
    return any(_figures_apart(reading, title, packs, expected))


def _figures_apart(reading: Reading, title: str, packs: tuple[PolicyPack, ...], expected: Expected) -> Iterator[str]:
    """Figures that are apart, without a look at the past."""
    log = reading.of.log(title)
    for pack in packs:
        for now in instants_to_judge(reading.of, log):
            yield from apart(figures(reading, title, pack, now), expected.figures(title, pack, now))


@each_dialect
@pytest.mark.parametrize("wrong", [_without, _late], ids=["loses", "tells a second late"])
def test_a_reader_that_goes_wrong_with_any_one_thing_that_happened_is_found_out(
    wrong: Callable[[Issue, frozenset[str]], Issue],
    dialect: Dialect,
    readings: Mapping[str, Reading],
    packs: tuple[PolicyPack, ...],
    expected: Expected,
) -> None:
    reading, tried = readings[dialect.name], 0
    for title, issue in reading.raw.items():
        for ids in _happenings(issue, HAND_MADE.log(title)):
            broken = replace(reading, raw={title: wrong(issue, ids)})
            assert _noticed(broken, title, packs, expected), (title, ids)
            tried += 1
    assert tried > 150


@each_dialect
def test_a_reader_that_turns_two_events_of_one_second_about_is_found_out(
    dialect: Dialect, readings: Mapping[str, Reading], packs: tuple[PolicyPack, ...], expected: Expected
) -> None:
    title = "much in one second, by two people"
    reading = readings[dialect.name]
    issue = reading.raw[title]
    turned = 0
    for place, (one, two) in enumerate(pairwise(issue.events)):
        if (one.at, one.kind) == (two.at, two.kind) and isinstance(one, (StatusChanged, LabelsChanged)):
            swapped = (replace(one, id=two.id), replace(two, id=one.id))
            events = (*issue.events[:place], *swapped, *issue.events[place + 2 :])
            wrong = replace(reading, raw={title: replace(issue, events=events)})
            assert any(_figures_apart(wrong, title, packs, expected)), (one, two)
            turned += 1
    assert turned


@each_dialect
@pytest.mark.parametrize(
    "title", [log.title for log in HAND_MADE.logs if "pause" in log.title or "waiting" in log.title]
)
def test_a_reader_that_loses_a_pause_is_found_out_by_the_verdicts_alone(
    title: str, dialect: Dialect, readings: Mapping[str, Reading], packs: tuple[PolicyPack, ...], expected: Expected
) -> None:
    reading = readings[dialect.name]
    issue = reading.issue(title)
    for entered in (event for event in issue.events if isinstance(event, StateChanged) and event.after is ASKED):
        raw = reading.raw[title]
        kept = tuple(event for event in raw.events if event.at != entered.at or isinstance(event, Commented))
        wrong = replace(reading, raw={title: replace(raw, events=kept)})
        lines = [*_figures_apart(wrong, title, packs, expected)]
        for figure in (".pauses", ".due_at", ".used", ".time"):
            assert any(figure in line for line in lines), (entered, figure)


@each_dialect
def test_a_reader_that_shows_an_internal_note_to_the_customer_is_found_out_by_the_verdicts_alone(
    dialect: Dialect, readings: Mapping[str, Reading], packs: tuple[PolicyPack, ...], expected: Expected
) -> None:
    reading, title = readings[dialect.name], HAND_MADE.logs[0].title
    shown = tuple(
        replace(event, public=True) if isinstance(event, Commented) else event for event in reading.raw[title].events
    )
    wrong = replace(reading, raw={title: replace(reading.raw[title], events=shown)})
    lines = [*_figures_apart(wrong, title, packs, expected)]
    assert any("acknowledgement[1].stopped_at" in line for line in lines)


@each_dialect
def test_a_reader_that_leaves_out_an_issue_or_names_no_release_is_found_out(
    dialect: Dialect, readings: Mapping[str, Reading], packs: tuple[PolicyPack, ...], expected: Expected
) -> None:
    reading = readings[dialect.name]
    title = "the fix comes in a version that is published after it was done"
    fewer = {name: issue for name, issue in reading.raw.items() if name == title}
    assert any("not there at all" in line for line in disagreements(replace(reading, raw=fewer), (), expected))
    without = replace(reading, releases=())
    assert any("patch_release" in line for line in _figures_apart(without, title, packs, expected))
