"""The plan: what differs and nothing else, what is held back, what a plan guards against, what its digest covers."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st
from inline_snapshot import snapshot

from policies.changes import (
    Relabel,
    SetPriority,
    UpsertLink,
    UpsertReport,
    described,
)
from policies.issue import (
    Actor,
    AssigneeChanged,
    DueDateChanged,
    PriorityChanged,
    SeverityChanged,
    State,
    Word,
)
from policies.plan import Decided, HeldBackReason, Limits, Plan, Skipped, decide, plan
from policies.verdict import Judged, judge
from tests.policies.applied_changes import applied
from tests.policies.build_issue import (
    AGENT,
    FIRST_RESPONSE,
    OWN,
    RESOLUTION,
    at,
    becomes,
    build_destination,
    build_issue,
    build_pack,
    labels,
    released,
    reply,
)
from tests.policies.random_issues import issues, packs

if TYPE_CHECKING:
    from policies.issue import Event, Issue
    from policies.pack import PolicyPack

RESOLVED = State.RESOLVED
HERE = build_destination()
PACK = build_pack(
    (
        {"do": "priority", "when": {"category": "security"}, "at_least": "high"},
        {"do": "due_date", "clock": "resolution"},
        {"do": "escalate", "clock": "resolution", "levels": [{"at": "75%", "tier": "L2"}]},
        {"do": "link_patch"},
        {"do": "comment"},
        {"do": "label"},
    ),
    first_response=FIRST_RESPONSE,
    resolution={**RESOLUTION, "goals": [{"when": {"severity": "high"}, "within": "48h"}, {"within": "96h"}]},
)
SETTLED = frozenset({"warranty::first-response::met", "warranty::resolution::running"})


def planned(*found: Issue, pack: PolicyPack = PACK, hour: float = 2, **words: Any) -> Plan:
    judged = [Judged(issue, judge(issue, pack, at(hour))) for issue in found]
    given_words = {"limits": Limits(), "destinations": {"here": HERE}, **words}
    return plan(judged, [pack], given_words.pop("destinations"), now=at(hour), **given_words)


def lines(found: Plan) -> list[str]:
    return [line for each in found.changes for line in described(each.change)]


def held(found: Plan) -> list[tuple[HeldBackReason, str]]:
    return [(each.reason, each.detail) for each in found.held_back]


# ------------------------------------------------------------------------------------------------------ what differs


def test_what_was_decided_of_an_issue_before_is_not_decided_again() -> None:
    issues = (build_issue(), build_issue(number=2))
    whole = planned(*issues)
    first, second = (Judged(issue, judge(issue, PACK, at(2))) for issue in issues)
    known = decide(first, [PACK], HERE, at(2))
    assert (*known.changes, *decide(second, [PACK], HERE, at(2)).changes) == whole.changes
    assert planned(*issues, decided=lambda item: known if item.issue.ref.id == "1" else None) == whole
    assert planned(*issues, decided=lambda _: Decided()).changes == ()


def test_nothing_to_do() -> None:
    due = DueDateChanged(id="due", at=at(1), actor=OWN, before=None, after=date(2026, 3, 6))
    found = planned(build_issue(reply(1), due, labels=SETTLED | {"vip"}, due=date(2026, 3, 6)))
    assert (found.changes, found.held_back, found.judged) == ((), (), 1)


def test_a_new_issue_gets_its_due_date_and_its_labels_last() -> None:
    assert lines(planned(build_issue())) == snapshot(
        [
            "set due date 2026-03-06",
            "add label warranty::first-response::running",
            "add label warranty::resolution::running",
        ]
    )


def test_all_relabelling_of_an_issue_is_one_change_of_only_what_differs() -> None:
    issue = build_issue(released(1), labels=SETTLED | {"warranty::tier::L3"})
    relabels = [each.change for each in planned(issue, hour=80).changes if isinstance(each.change, Relabel)]
    assert relabels == snapshot(
        [
            Relabel(
                add=(
                    "warranty::first-response::overdue",
                    "warranty::patch::1.4.2",
                    "warranty::resolution::at-risk",
                    "warranty::tier::L2",
                ),
                remove=("warranty::first-response::met", "warranty::resolution::running", "warranty::tier::L3"),
            )
        ]
    )


def test_a_label_that_one_action_adds_no_other_removes() -> None:
    pack = build_pack(({"do": "label"}, {"do": "label", "statuses": ["overdue"]}), resolution=RESOLUTION)
    assert lines(planned(build_issue(), pack=pack)) == ["add label warranty::resolution::running"]
    standing = frozenset({"warranty::resolution::running"})
    assert lines(planned(build_issue(labels=standing), pack=pack)) == []


def test_labels_of_clocks_that_the_pack_does_not_label_come_off_and_no_others() -> None:
    """They are from another policy or version: nobody would ever write them anew."""
    left = {"warranty::plan-delivered::overdue", "warranty::first-response::at-risk", "warranty::x::not-applicable"}
    others = {"warranty::patch::met", "warranty::coverage::in", "warranty::tier::L2", "warranty::report"}
    others |= {"warranty::x::y::met", "warranty::met", "warranty::x::done", "warrantyx::x::met", "x::met"}
    quiet = build_pack(
        ({"do": "label", "clocks": ["resolution"]},), resolution=RESOLUTION, first_response=FIRST_RESPONSE
    )
    issue = build_issue(labels=frozenset({*left, *others, "warranty::resolution::running"}))
    (only,) = planned(issue, pack=quiet).changes
    assert only.change == Relabel(remove=tuple(sorted(left)))
    assert "label: plan-delivered is no promise of" in only.because
    mute = build_pack((), resolution=RESOLUTION)
    (only,) = planned(issue, pack=mute).changes
    assert only.change == Relabel(remove=tuple(sorted({*left, "warranty::resolution::running"})))


def test_an_end_that_two_actions_want_is_planned_once() -> None:
    pack = build_pack(({"do": "comment", "on": ["overdue"]}, {"do": "comment"}), resolution=RESOLUTION)
    assert len(planned(build_issue(), pack=pack, hour=500).changes) == 1


def test_an_issue_of_a_tracker_that_is_not_written_to_is_left_alone() -> None:
    assert planned(build_issue(tracker="elsewhere")).changes == ()


def test_a_raised_priority_is_planned_with_what_follows_from_it() -> None:
    issue = build_issue(reply(1), category="security", severity="normal", labels=SETTLED)
    assert lines(planned(issue)) == snapshot(["set priority High", "set due date 2026-03-04"])


def test_every_planned_change_says_why() -> None:
    assert [each.because for each in planned(build_issue(), hour=80).changes] == snapshot(
        [
            "due_date: resolution is due 2026-03-06 09:00 CST",
            "escalate: resolution has used 75% of its time [1/resolution/1/75%]",
            "comment: first_response, resolution",
            "escalate: resolution has used 75% of its time [1/resolution/1/75%]; label: first_response is overdue; label: resolution is at_risk",
        ]
    )


# --------------------------------------------------------------------------------------------------------- held back


def test_a_label_a_person_took_off_is_held_back_with_who_and_when() -> None:
    label = "warranty::resolution::running"
    issue = build_issue(reply(1), labels(1, added=(label,), by=OWN), labels(2, removed=(label,)), labels=frozenset())
    found = planned(issue, hour=3)
    assert "add label warranty::resolution::running" not in lines(found)
    assert held(found) == [(HeldBackReason.UNDONE_BY_HAND, f"{label} was removed by Amy on 2026-03-02")]


def test_a_label_that_we_took_off_or_that_came_back_is_not_held_back() -> None:
    label = "warranty::resolution::running"
    ours = build_issue(labels(1, added=(label,), by=OWN), labels(2, removed=(label,), by=OWN))
    assert f"add label {label}" in lines(planned(ours, hour=3))
    back = build_issue(
        labels(1, added=(label,), by=OWN),
        labels(2, removed=(label,)),
        labels(3, added=(label,)),
        labels=frozenset({label}),
    )
    assert held(planned(back, hour=4)) == []


def test_a_link_whose_proof_was_taken_off_is_held_back_with_it() -> None:
    proof = "warranty::patch::1.4.2"
    issue = build_issue(released(1), labels(2, added=(proof,), by=OWN), labels(3, removed=(proof,)))
    found = planned(issue, hour=4)
    assert [reason for reason, _detail in held(found)] == [
        HeldBackReason.UNDONE_BY_HAND,
        HeldBackReason.NO_LONGER_PROVEN,
    ]
    assert not any(isinstance(each.change, UpsertLink) for each in found.changes)


def prioritised(*steps: tuple[Actor, str]) -> Issue:
    """An issue about security whose priority was set by these people, one an hour."""
    events: list[Event] = []
    before, severity = None, None
    for hour, (by, name) in enumerate(steps, 1):
        after, following = Word("", name), {"High": "high"}.get(name, "normal")
        events.append(PriorityChanged(id=f"priority-{hour}", at=at(hour), actor=by, before=before, after=after))
        if following != severity:
            told = f"priority-{hour}/severity"
            events.append(SeverityChanged(id=told, at=at(hour), actor=by, before=severity, after=following))
        before, severity = after, following
    return build_issue(*events, category="security", severity=severity, priority=before)


def test_a_priority_we_raised_and_a_person_lowered_is_respected() -> None:
    found = planned(prioritised((OWN, "High"), (AGENT, "Medium")), hour=3)
    assert held(found) == [(HeldBackReason.UNDONE_BY_HAND, "the severity was lowered by Amy on 2026-03-02")]
    assert not any(isinstance(each.change, SetPriority) for each in found.changes)


def test_a_high_priority_that_a_person_lowered_is_respected_whoever_set_it() -> None:
    assert held(planned(prioritised((AGENT, "High"), (AGENT, "Medium")), hour=3))
    assert not held(planned(prioritised((AGENT, "Low"), (AGENT, "Medium")), hour=3))


def test_what_is_held_back_leads_to_nothing_else() -> None:
    found = planned(prioritised((OWN, "High"), (AGENT, "Medium")), hour=3)
    assert "set due date 2026-03-06" in lines(found)


def test_a_due_date_set_by_a_person_or_with_the_issue_is_not_replaced() -> None:
    by_hand = DueDateChanged(id="due", at=at(1), actor=AGENT, before=None, after=date(2026, 4, 1))
    assert held(planned(build_issue(by_hand, due=date(2026, 4, 1)))) == [
        (HeldBackReason.UNDONE_BY_HAND, "the due date was set by Amy on 2026-03-02")
    ]
    cleared = DueDateChanged(id="due", at=at(1), actor=AGENT, before=date(2026, 4, 1), after=None)
    assert "cleared by Amy" in held(planned(build_issue(cleared)))[0][1]
    assert "when the issue was opened" in held(planned(build_issue(due=date(2026, 4, 1))))[0][1]


def test_an_assignee_a_person_changed_after_us_stays() -> None:
    ours = AssigneeChanged(id="a1", at=at(75), actor=OWN, before=None, after="bob")
    theirs = AssigneeChanged(id="a2", at=at(76), actor=AGENT, before="bob", after="amy")
    found = planned(build_issue(ours, theirs, assignee=AGENT), hour=80)
    assert (HeldBackReason.UNDONE_BY_HAND, "the assignee was changed by Amy on 2026-03-05") in held(found)


# ------------------------------------------------------------------------------------------------- guards and digest


def test_a_plan_over_a_limit_says_by_how_much() -> None:
    many = [build_issue(number=number) for number in range(1, 31)]
    limits = Limits(changes_per_run=10, changes_per_issue=1, share_of_issues=0.5)
    found = planned(*many, limits=limits)
    assert {breach.limit for breach in found.breaches} == {"changes_per_run", "changes_per_issue", "share_of_issues"}
    assert found.breaches[0].detail == snapshot("60 changes, 10 allowed in a run")
    assert found.breaches[-1].detail == snapshot("30 of 30 issues touched, 50% allowed")


def test_a_share_is_not_asked_of_a_few_issues() -> None:
    assert planned(build_issue(), limits=Limits(share_of_issues=0.1)).breaches == ()


def test_what_was_skipped_is_carried_along() -> None:
    skipped = (Skipped("here", "CAR-9", "unreadable"),)
    assert planned(skipped=skipped).skipped == skipped


def test_the_digest_covers_the_changes_in_any_order_and_no_elapsed_time() -> None:
    one, two = build_issue(number=1), build_issue(number=2)
    digest = planned(one, two).digest
    assert planned(two, one).digest == digest
    assert planned(one, two, hour=3).digest == digest
    assert planned(one).digest != digest
    assert planned(one, two, hour=40).digest != digest
    assert Plan().digest != digest


def test_the_report_is_planned_once_and_left_alone_while_it_is_true() -> None:
    pack = build_pack(({"do": "report"},), resolution=RESOLUTION)
    destination = build_destination(report_project="CAR")
    issue = build_issue(becomes(60, RESOLVED))
    (first,) = planned(issue, pack=pack, hour=70, destinations={"here": destination}).changes
    assert (first.issue, first.change.kind) == (None, "upsert_report")
    assert isinstance(first.change, UpsertReport)
    standing = build_issue(number=9, title=first.change.title, description=f"... {first.change.mark}")
    again = {"destinations": {"here": destination}, "reports": {"here": standing}}
    assert planned(issue, pack=pack, hour=90, **again).changes == ()
    late = planned(issue, build_issue(number=2), pack=pack, hour=90, **again)
    assert [each.issue for each in late.changes] == [standing.ref]
    assert planned(pack=pack, destinations={"here": destination}).changes == ()


# ------------------------------------------------------------------------------------------------------- twice = once


@settings(max_examples=150, deadline=None)
@given(issues(), packs(), st.integers(0, 30 * 24))
def test_what_was_applied_is_not_planned_again_at_the_same_instant(issue: Issue, pack: PolicyPack, days: int) -> None:
    now = issue.events[-1].at + timedelta(hours=days)
    hour = (now - at(0)) / timedelta(hours=1)
    first = planned(issue, pack=pack, hour=hour)
    for each in first.changes:
        issue = applied(issue, each.change, now, HERE)
    second = planned(issue, pack=pack, hour=hour)
    assert lines(second) == []


@settings(max_examples=60, deadline=None)
@given(issues(), packs(), st.lists(st.integers(1, 200), min_size=2, max_size=4))
def test_skipped_runs_lead_to_the_same_labels_and_dates_as_runs_at_every_hour(
    issue: Issue, pack: PolicyPack, gaps: list[int]
) -> None:
    often, once = issue, issue
    now = issue.events[-1].at
    for gap in gaps:
        now += timedelta(hours=gap)
        for each in planned(often, pack=pack, hour=(now - at(0)) / timedelta(hours=1)).changes:
            often = applied(often, each.change, now, HERE)
    for each in planned(once, pack=pack, hour=(now - at(0)) / timedelta(hours=1)).changes:
        once = applied(once, each.change, now, HERE)
    if often.severity == once.severity == issue.severity:
        assert often.labels == once.labels
        assert (often.assignee, often.due) == (once.assignee, once.due)
