"""What each action wants, given what the clocks say."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from inline_snapshot import snapshot

from policies.actions import Situation
from policies.changes import Relabel, SetAssignee, SetDueDate, SetPriority, UpsertComment, UpsertLink, described
from policies.issue import Actor, State
from policies.verdict import Judged, judge
from tests.policies.build_issue import (
    FIRST_RESPONSE,
    OWN,
    RESOLUTION,
    at,
    becomes,
    build_destination,
    build_issue,
    build_pack,
    released,
    reply,
)

if TYPE_CHECKING:
    from policies.issue import Issue
    from policies.pack import PolicyPack

WAITING, RESOLVED = State.WAITING_FOR_CUSTOMER, State.RESOLVED


def situation(issue: Issue, pack: PolicyPack, hour: float, **destination: Any) -> Situation:
    return Situation(Judged(issue, judge(issue, pack, at(hour))), pack, build_destination(**destination), at(hour))


def wanted(issue: Issue, *actions: dict[str, Any], hour: float = 1, **destination: Any) -> list[Any]:
    pack = build_pack(actions, first_response=FIRST_RESPONSE, resolution=RESOLUTION)
    here = situation(issue, pack, hour, **destination)
    return [wish.change for action in pack.actions for wish in action.wishes(here)]


def in_words(changes: list[Any]) -> list[str]:
    return [line for change in changes for line in described(change)]


# ------------------------------------------------------------------------------------------------------------- label


def test_each_clock_has_one_label_and_loses_the_others_of_its_scope() -> None:
    old = frozenset({"warranty::resolution::paused", "warranty::first-response::running", "resolution::mine"})
    assert in_words(wanted(build_issue(reply(1), labels=old), {"do": "label"}, hour=40)) == snapshot(
        [
            "add label warranty::first-response::met",
            "remove label warranty::first-response::running",
            "add label warranty::resolution::at-risk",
            "remove label warranty::resolution::paused",
        ]
    )


def test_a_verdict_that_is_not_shown_takes_the_label_off() -> None:
    action = {"do": "label", "clocks": ["resolution"], "statuses": ["overdue"]}
    old = frozenset({"warranty::resolution::overdue"})
    assert wanted(build_issue(labels=old), action) == [Relabel(remove=("warranty::resolution::overdue",))]


# ---------------------------------------------------------------------------------------------------------- priority

SECURITY = {"do": "priority", "when": {"category": "security"}, "at_least": "high"}
VIP = {"do": "priority", "when": {"label": "vip"}, "at_least": "urgent"}


def test_a_priority_is_raised_and_never_lowered() -> None:
    found = {
        severity: wanted(build_issue(category="security", severity=severity), SECURITY)
        for severity in ("urgent", "high", "normal", None)
    }
    assert found == {"urgent": [], "high": [], "normal": [SetPriority("High")], None: [SetPriority("High")]}


def test_a_priority_is_left_alone_where_its_condition_or_every_clock_is_over() -> None:
    assert wanted(build_issue(category="defect", severity="normal"), SECURITY) == []
    over = build_issue(reply(1), becomes(2, RESOLVED), category="security", severity="normal")
    assert wanted(over, SECURITY, hour=3) == []


def test_of_several_severities_asked_for_the_gravest_counts() -> None:
    both = build_issue(category="security", severity="normal", labels=frozenset({"vip"}))
    for order in ((SECURITY, VIP), (VIP, SECURITY)):
        assert wanted(both, *order) == [SetPriority("Highest")]


def test_a_severity_that_is_a_label_is_added_and_nobody_elses_label_removed() -> None:
    issue = build_issue(category="security", severity="normal", labels=frozenset({"sev::normal"}))
    words = {"high": "label:sev::high", "normal": "label:sev::normal"}
    assert wanted(issue, SECURITY, severities=words, priorities=False) == [Relabel(add=("sev::high",))]


def test_a_tracker_without_priorities_or_without_the_word_gets_none() -> None:
    issue = build_issue(category="security", severity="normal")
    assert wanted(issue, SECURITY, priorities=False) == []
    assert wanted(issue, SECURITY, severities={}) == []


# ---------------------------------------------------------------------------------------------------------- due date

DUE = {"do": "due_date", "clock": "resolution"}


def test_the_due_date_is_a_date_of_the_contracts_zone() -> None:
    late = build_issue(opened_at=at(8))  # 17:00 in Shanghai, so due at 17:00 two days later
    assert wanted(late, DUE, hour=9) == [SetDueDate(date(2026, 3, 4))]
    past_midnight = build_issue(opened_at=at(15.5))  # half past midnight on the 3rd
    assert wanted(past_midnight, DUE, hour=16) == [SetDueDate(date(2026, 3, 5))]


def test_only_a_running_clock_has_a_due_date() -> None:
    assert wanted(build_issue(becomes(1, WAITING)), DUE, hour=2) == []
    assert wanted(build_issue(becomes(1, RESOLVED)), DUE, hour=2) == []
    assert wanted(build_issue(), DUE, hour=500) == [SetDueDate(date(2026, 3, 4))]


def test_of_several_clocks_the_earliest_due_date_counts_while_its_clock_runs() -> None:
    both = ({"do": "due_date", "clock": "resolution"}, {"do": "due_date", "clock": "first_response"})
    for actions in (both, both[::-1]):
        assert wanted(build_issue(), *actions) == [SetDueDate(date(2026, 3, 3))]
        assert wanted(build_issue(reply(1)), *actions, hour=2) == [SetDueDate(date(2026, 3, 4))]


# ---------------------------------------------------------------------------------------------------------- escalate

LADDER = {
    "do": "escalate",
    "clock": "resolution",
    "levels": [{"at": "50%", "tier": "L2"}, {"at": "100%", "tier": "L3"}],
}


def test_a_level_is_reached_to_the_second_and_a_late_run_fires_the_highest_only() -> None:
    found = {hour: in_words(wanted(build_issue(), LADDER, hour=hour)) for hour in (23.99, 24, 47.99, 48, 500)}
    second = ["add label warranty::tier::L2", "assign to bob"]
    third = ["add label warranty::tier::L3", "assign to eve"]
    assert found == {23.99: [], 24: second, 47.99: second, 48: third, 500: third}


def test_the_label_of_a_tier_proves_its_assignment() -> None:
    label, assignment = wanted(build_issue(), LADDER, hour=24)
    assert isinstance(label, Relabel)
    assert isinstance(assignment, SetAssignee)
    assert (assignment.proof,) == label.add


def test_whoever_is_in_the_tier_or_above_it_keeps_the_issue() -> None:
    label = Relabel(add=("warranty::tier::L2",))
    assert wanted(build_issue(assignee=Actor(id="ben")), LADDER, hour=30) == [label]
    assert wanted(build_issue(assignee=Actor(id="eve")), LADDER, hour=30) == [label]
    assert wanted(build_issue(assignee=Actor(id="amy")), LADDER, hour=30) == [label, SetAssignee("bob")]


def test_a_paused_stopped_or_undecided_clock_escalates_nothing() -> None:
    assert wanted(build_issue(becomes(30, WAITING)), LADDER, hour=500) == []
    assert wanted(build_issue(becomes(60, RESOLVED)), LADDER, hour=500) == []


def test_of_several_ladders_the_highest_tier_counts() -> None:
    other = {"do": "escalate", "clock": "first_response", "levels": [{"at": "100%", "tier": "L3"}]}
    for actions in ((LADDER, other), (other, LADDER)):
        assert in_words(wanted(build_issue(), *actions, hour=25)) == [
            "add label warranty::tier::L3",
            "assign to eve",
        ]
        assert in_words(wanted(build_issue(), *actions, hour=24, tiers={}, tier_accounts={})) == [
            "add label warranty::tier::L3"
        ]


# ----------------------------------------------------------------------------------------------- comment and patches


def test_nothing_is_said_until_there_is_something_to_say_and_then_it_is_kept_true() -> None:
    assert wanted(build_issue(), {"do": "comment"}) == []
    (change,) = wanted(build_issue(), {"do": "comment"}, hour=25)
    assert isinstance(change, UpsertComment)
    told = build_issue(reply(26, OWN, text=str(change.mark)), reply(27), becomes(28, RESOLVED))
    (kept,) = wanted(told, {"do": "comment"}, hour=29)
    assert kept.mark != change.mark


def test_a_comment_is_hidden_only_where_the_tracker_can_and_the_site_wants_it() -> None:
    def internal(**destination: Any) -> bool:
        (change,) = wanted(build_issue(), {"do": "comment"}, hour=500, **destination)
        return bool(change.internal)

    assert internal()
    assert not internal(internal_comments=False)
    assert not internal(comment_internally=False)


def test_a_released_fix_is_linked_where_links_exist_and_labelled_everywhere() -> None:
    issue = build_issue(released(5, "1.4.2 LTS".replace(" ", "-")), labels=frozenset({"warranty::patch::1.3.0"}))
    link, label = wanted(issue, {"do": "link_patch"}, hour=6)
    assert isinstance(link, UpsertLink)
    assert (link.global_id, link.proof) == ("warranty-flows:patch:1", "warranty::patch::1.4.2-LTS")
    assert label == Relabel(add=("warranty::patch::1.4.2-LTS",), remove=("warranty::patch::1.3.0",))
    assert wanted(issue, {"do": "link_patch"}, hour=6, web_links=False) == [label]
    assert wanted(build_issue(), {"do": "link_patch"}) == []


@pytest.mark.parametrize("url", ["javascript:alert(1)", "ftp://releases.example/1.4.2", "//releases.example/1.4.2", ""])
def test_a_release_whose_address_is_none_of_the_web_is_told_by_its_label_alone(url: str) -> None:
    changes = wanted(build_issue(replace(released(5), url=url)), {"do": "link_patch"}, hour=6)
    assert [type(change) for change in changes] == [Relabel]
