"""A tracker's words become the pack's, now and at every past instant."""

from __future__ import annotations

from policies.issue import (
    Issue,
    PriorityChanged,
    SeverityChanged,
    State,
    StateChanged,
    StatusChanged,
    TypeChanged,
    Word,
)
from policies.vocabulary import Vocabulary
from tests.policies.build_issue import at, build_issue, labels

NEW, WORK, DONE = Word("1", "待办", "new"), Word("2", "处理中", "indeterminate"), Word("3", "已解决", "done")
VOCABULARY = Vocabulary(
    states={
        "group:new": State.OPEN,
        "处理中": State.IN_PROGRESS,
        "已解决": State.RESOLVED,
        "Closed": State.CLOSED,
        "label:waiting": State.WAITING_FOR_CUSTOMER,
        "label:verified": State.VERIFIED,
        "resolution:Duplicate": State.CANCELLED,
    },
    severities={"label:sev::urgent": "urgent", "label:sev::high": "high", "2": "high", "Low": "normal"},
    categories={"label:security": "security", "component:crypto": "security", "type:Bug": "defect"},
)


def status(hour: float, before: Word | None, after: Word) -> StatusChanged:
    return StatusChanged(id=f"status-{hour}", at=at(hour), before=before, after=after)


def states(issue: Issue) -> list[tuple[float, State | None, State]]:
    return [
        ((event.at - at(0)).total_seconds() / 3600, event.before, event.after)
        for event in VOCABULARY.apply(issue).events
        if isinstance(event, StateChanged)
    ]


def read(issue: Issue) -> tuple[State | None, str | None, str | None]:
    applied = VOCABULARY.apply(issue)
    return applied.state, applied.severity, applied.category


def test_statuses_in_chinese_are_read_now_and_in_the_past() -> None:
    issue = build_issue(status(1, NEW, WORK), status(2, WORK, DONE), status=DONE)
    assert states(issue) == [(1, State.OPEN, State.IN_PROGRESS), (2, State.IN_PROGRESS, State.RESOLVED)]
    assert VOCABULARY.apply(issue).state is State.RESOLVED


def test_the_case_of_a_name_does_not_matter_but_an_exact_name_wins() -> None:
    assert VOCABULARY.state_of(Word("", "CLOSED")) is State.CLOSED
    words = Vocabulary(states={"Done": State.RESOLVED, "done": State.CLOSED})
    assert words.state_of(Word("", "done")) is State.CLOSED
    assert words.state_of(Word("", "DONE")) is State.RESOLVED


def test_an_id_wins_over_a_name_and_a_name_over_the_group() -> None:
    words = Vocabulary(states={"group:done": State.CLOSED, "Fixed": State.RESOLVED, "9": State.VERIFIED})
    assert words.state_of(Word("9", "Fixed", "done")) is State.VERIFIED
    assert words.state_of(Word("8", "Fixed", "done")) is State.RESOLVED
    assert words.state_of(Word("8", "Done", "done")) is State.CLOSED
    assert words.state_of(Word("8", "Done", "new")) is None


def test_a_status_that_nothing_names_is_reported_and_not_guessed() -> None:
    applied = VOCABULARY.apply(build_issue(status(1, NEW, Word("7", "Limbo")), status=Word("7", "Limbo")))
    assert applied.state is None
    assert applied.unmapped == ("'Limbo' (id 7)",)
    assert not [event for event in applied.events if isinstance(event, StateChanged)]


def test_a_status_of_the_past_that_nothing_names_is_reported_too() -> None:
    issue = build_issue(status(1, NEW, Word("", "Limbo")), status(2, Word("", "Limbo"), DONE), status=DONE)
    assert VOCABULARY.apply(issue).unmapped == ("'Limbo'",)


def test_a_label_speaks_for_the_state_while_the_issue_is_not_over() -> None:
    issue = build_issue(labels(1, added=("Waiting",)), labels(2, removed=("Waiting",)), status=NEW)
    assert states(issue) == [(1, State.OPEN, State.WAITING_FOR_CUSTOMER), (2, State.WAITING_FOR_CUSTOMER, State.OPEN)]


def test_a_label_left_behind_does_not_reopen_what_is_over() -> None:
    issue = build_issue(status(1, NEW, DONE), status=DONE, labels=frozenset({"waiting"}))
    assert states(issue) == [(1, State.WAITING_FOR_CUSTOMER, State.RESOLVED)]


def test_a_label_may_say_what_kind_of_over_it_is() -> None:
    assert read(build_issue(status=DONE, labels=frozenset({"verified"})))[0] is State.VERIFIED


def test_a_resolution_speaks_only_while_the_issue_is_over() -> None:
    assert read(build_issue(status=DONE, resolution="Duplicate"))[0] is State.CANCELLED
    assert read(build_issue(status=WORK, resolution="Duplicate"))[0] is State.IN_PROGRESS


def test_a_resolution_does_not_speak_for_an_earlier_time_it_was_over() -> None:
    issue = build_issue(
        status(1, NEW, DONE), status(2, DONE, WORK), status(3, WORK, DONE), status=DONE, resolution="duplicate"
    )
    assert [state for _hour, _before, state in states(issue)] == [
        State.RESOLVED,
        State.IN_PROGRESS,
        State.CANCELLED,
    ]


def test_a_resolution_speaks_from_when_the_issue_was_last_over_through_every_status_since() -> None:
    closed = Word("4", "Closed")
    issue = build_issue(status(1, NEW, DONE), status(2, DONE, closed), status=closed, resolution="Duplicate")
    assert states(issue) == [(1, State.OPEN, State.CANCELLED)]


def test_a_resolution_that_was_left_on_a_reopened_issue_says_nothing_of_its_past() -> None:
    issue = build_issue(status(1, NEW, DONE), status(2, DONE, WORK), status=WORK, resolution="Duplicate")
    assert [state for _hour, _before, state in states(issue)] == [State.RESOLVED, State.IN_PROGRESS]


def test_an_issue_opened_as_over_is_read_with_its_resolution_from_the_start() -> None:
    closed = Word("4", "Closed")
    issue = build_issue(status(1, DONE, closed), status=closed, resolution="Duplicate")
    assert states(issue) == []
    assert VOCABULARY.apply(issue).state is State.CANCELLED


def test_of_several_severity_labels_the_first_listed_counts_and_a_label_wins_over_the_priority() -> None:
    both = frozenset({"sev::high", "SEV::URGENT"})
    assert read(build_issue(status=NEW, labels=both, priority=Word("5", "Low")))[1] == "urgent"
    assert read(build_issue(status=NEW, priority=Word("5", "low")))[1] == "normal"
    assert read(build_issue(status=NEW, priority=Word("6", "Odd")))[1] is None


def test_a_severity_is_followed_through_priorities_and_labels() -> None:
    issue = build_issue(
        PriorityChanged(id="p1", at=at(1), before=Word("5", "Low"), after=Word("2", "高")),
        labels(2, added=("sev::urgent",)),
        PriorityChanged(id="p2", at=at(3), before=Word("2", "高"), after=None),
        labels(4, removed=("sev::urgent",)),
        status=NEW,
    )
    applied = VOCABULARY.apply(issue)
    assert [(e.id, e.before, e.after) for e in applied.events if isinstance(e, SeverityChanged)] == [
        ("p1/severity", "normal", "high"),
        ("labels-2/severity", "high", "urgent"),
        ("labels-4/severity", "urgent", None),
    ]


def test_a_category_comes_from_a_label_else_a_component_else_the_type() -> None:
    assert read(build_issue(status=NEW))[2] == "defect"
    assert read(build_issue(status=NEW, components=("Crypto",)))[2] == "security"
    assert read(build_issue(status=NEW, labels=frozenset({"Security"})))[2] == "security"
    changed = TypeChanged(id="t", at=at(1), before=Word("", "Task"), after=Word("", "bug"))
    assert read(build_issue(changed, status=NEW, type=Word("", "bug")))[2] == "defect"


def test_without_a_creation_status_the_first_known_one_stands_for_it() -> None:
    assert states(build_issue(status(1, None, WORK), status=WORK)) == []


def test_applying_twice_is_applying_once() -> None:
    issue = build_issue(
        status(1, NEW, WORK), labels(2, added=("sev::high",)), status=WORK, labels=frozenset({"sev::high"})
    )
    once = VOCABULARY.apply(issue)
    assert VOCABULARY.apply(once) == once


def test_the_first_word_listed_is_the_one_written_for_a_severity() -> None:
    assert VOCABULARY.severity_word("high") == "label:sev::high"
    assert VOCABULARY.severity_word("trivial") is None
