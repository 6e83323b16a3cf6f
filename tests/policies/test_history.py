"""An issue's past as a row of moments."""

from __future__ import annotations

from policies.history import components_at_opening, labels_at_opening, moments, spells
from policies.issue import Actor, AssigneeChanged, ComponentsChanged, PriorityChanged, State, TypeChanged, Word
from tests.policies.build_issue import at, becomes, build_issue, category, labels, reply, severity

LOW, TOP = Word("4", "Low"), Word("1", "Top")


def test_an_issue_without_changes_has_one_moment_with_its_present_values() -> None:
    issue = build_issue(severity="high", labels=frozenset({"vip"}), priority=LOW, assignee=Actor(id="amy"))
    (moment,) = moments(issue)
    assert (moment.since, moment.state, moment.severity, moment.labels) == (
        at(0),
        State.OPEN,
        "high",
        frozenset({"vip"}),
    )
    assert (moment.priority, moment.type, moment.assignee, moment.reporter) == (LOW, issue.type, "amy", "chen")
    assert moment.evidence == ()


def test_the_creation_value_is_what_the_first_change_says_stood_before() -> None:
    issue = build_issue(
        becomes(1, State.ACCEPTED),
        becomes(2, State.RESOLVED, State.ACCEPTED),
        severity(3, "high", "normal"),
        severity(4, "urgent", "high"),
        category(5, "security", None),
        PriorityChanged(id="p", at=at(6), before=LOW, after=TOP),
        TypeChanged(id="t", at=at(7), before=Word("2", "Task"), after=Word("1", "Bug")),
        AssigneeChanged(id="a", at=at(8), before=None, after="amy"),
        assignee=Actor(id="amy"),
        priority=TOP,
    )
    first = moments(issue)[0]
    assert (first.state, first.severity, first.category) == (State.OPEN, "normal", None)
    assert (first.priority, first.type, first.assignee) == (LOW, Word("2", "Task"), None)


def test_each_change_makes_a_moment_that_names_its_event() -> None:
    row = moments(build_issue(becomes(1, State.ACCEPTED), severity(2, "high", "normal"), reply(3)))
    assert [(moment.since, moment.evidence) for moment in row] == [
        (at(0), ()),
        (at(1), ("state-1-accepted",)),
        (at(2), ("severity-2",)),
    ]
    assert [(moment.state, moment.severity) for moment in row] == [
        (State.OPEN, "normal"),
        (State.ACCEPTED, "normal"),
        (State.ACCEPTED, "high"),
    ]


def test_changes_of_one_instant_make_one_moment_with_all_their_evidence() -> None:
    row = moments(build_issue(becomes(1, State.ACCEPTED), severity(1, "high", "normal")))
    assert len(row) == 2
    assert (row[1].state, row[1].severity) == (State.ACCEPTED, "high")
    assert row[1].evidence == ("state-1-accepted", "severity-1")


def test_a_change_at_the_opening_or_ahead_of_it_belongs_to_the_opening() -> None:
    row = moments(build_issue(severity(-1, "high", "normal"), becomes(0, State.ACCEPTED)))
    assert [(moment.since, moment.state, moment.severity) for moment in row] == [(at(0), State.ACCEPTED, "high")]


def test_the_labels_at_opening_are_the_present_ones_with_every_change_taken_back() -> None:
    issue = build_issue(
        labels(1, added=("vip",)),
        labels(2, removed=("vip", "old")),
        labels(3, added=("new",)),
        labels=frozenset({"new"}),
    )
    assert labels_at_opening(issue) == {"old"}
    assert [moment.labels for moment in moments(issue)] == [{"old"}, {"old", "vip"}, set(), {"new"}]


def test_the_components_at_opening_are_the_present_ones_with_every_change_taken_back() -> None:
    issue = build_issue(
        ComponentsChanged(id="c1", at=at(1), added=("radio",)),
        ComponentsChanged(id="c2", at=at(2), added=("engine",), removed=("radio", "wheel")),
        components=("engine", "brake"),
    )
    assert components_at_opening(issue) == ("brake", "wheel")
    assert [(moment.components, moment.evidence) for moment in moments(issue)] == [
        (("brake", "wheel"), ()),
        (("brake", "radio", "wheel"), ("c1",)),
        (("brake", "engine"), ("c2",)),
    ]
    assert components_at_opening(build_issue(components=("wheel", "brake"))) == ("wheel", "brake")


def test_spells_are_the_stretches_that_hold_the_last_one_open() -> None:
    row = moments(build_issue(becomes(1, State.CLOSED), becomes(2, State.OPEN, State.CLOSED), becomes(3, State.CLOSED)))
    found = spells(row, [moment.state is State.CLOSED for moment in row])
    assert [(begun.since, ended.since if ended else None) for begun, ended in found] == [
        (at(1), at(2)),
        (at(3), None),
    ]
