"""Who somebody was when it happened: roles and tiers by date."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from policies.actions import Situation
from policies.changes import SetAssignee
from policies.issue import Actor, AssigneeChanged, Role
from policies.roster import ANYONE, Membership, Roster
from policies.verdict import Judged, judge
from tests.policies.build_issue import CUSTOMER, at, build_destination, build_issue, build_pack, reply

TICK = timedelta(microseconds=1)
# Amy left the first tier for the second at hour 10; Bob is in the second tier from hour 5 to hour 15.
ROSTER = Roster(
    responders=(Membership("lee", until=at(20)),),
    bots=(Membership("sync", since=at(8)),),
    customers=(Membership("zhao", since=at(3), until=at(6)),),
    tiers={
        "L1": (Membership("amy", until=at(10)), "cai"),
        "L2": (Membership("bob", at(5), at(15)), Membership("amy", since=at(10))),
    },
)


def role(account: str, instant: datetime, roster: Roster = ROSTER) -> Role:
    return roster.known(Actor(id=account), reporter="chen", at=instant).role


def given(hour: float, before: str | None, after: str | None) -> AssigneeChanged:
    return AssigneeChanged(id=f"given-{hour}", at=at(hour), actor=CUSTOMER, before=before, after=after)


@pytest.mark.parametrize(
    ("account", "instant", "found"),
    [
        ("lee", at(20) - TICK, Role.RESPONDER),
        ("lee", at(20), Role.UNKNOWN),
        ("sync", at(8) - TICK, Role.UNKNOWN),
        ("sync", at(8), Role.BOT),
        ("zhao", at(3), Role.CUSTOMER),
        ("zhao", at(6), Role.UNKNOWN),
        ("cai", at(0), Role.RESPONDER),
    ],
)
def test_a_membership_begins_at_its_first_instant_and_is_over_at_its_last(
    account: str, instant: datetime, found: Role
) -> None:
    assert role(account, instant) is found


def test_a_reply_counts_by_what_its_author_was_when_they_wrote_it() -> None:
    cast = ROSTER.cast(build_issue(reply(19, Actor(id="lee")), reply(21, Actor(id="lee"))))
    assert [event.actor.role for event in cast.comments()] == [Role.RESPONDER, Role.UNKNOWN]


def test_who_changed_tier_is_in_the_old_one_before_and_in_the_new_one_after() -> None:
    assert [ROSTER.tier_of("amy", at(hour)) for hour in (0, 10)] == ["L1", "L2"]
    cast = ROSTER.cast(build_issue(reply(9, Actor(id="amy")), reply(11, Actor(id="amy"))))
    assert [event.actor.tier for event in cast.comments()] == ["L1", "L2"]


def test_the_assignee_counts_by_what_they_were_when_the_issue_was_given_to_them() -> None:
    early = ROSTER.cast(build_issue(given(2, None, "amy"), assignee=Actor(id="amy")))
    late = ROSTER.cast(build_issue(given(12, None, "amy"), assignee=Actor(id="amy")))
    never_given = ROSTER.cast(build_issue(assignee=Actor(id="amy")))
    found = [issue.assignee.tier for issue in (early, late, never_given) if issue.assignee]
    assert found == ["L1", "L2", "L1"]


def test_of_a_tier_the_members_in_force_are_told_in_the_order_they_are_listed() -> None:
    assert ROSTER.tiers_at(at(0)) == {"L1": ("amy", "cai"), "L2": ()}
    assert ROSTER.tiers_at(at(12)) == {"L1": ("cai",), "L2": ("bob", "amy")}
    assert ROSTER.tiers_at(at(15)) == {"L1": ("cai",), "L2": ("amy",)}


def test_anyone_may_answer_for_a_time() -> None:
    roster = Roster(responders=(Membership(ANYONE, until=at(4)),))
    assert [role("passer-by", at(hour), roster) for hour in (3, 4)] == [Role.RESPONDER, Role.UNKNOWN]


def test_an_account_may_be_a_member_for_several_times() -> None:
    roster = Roster(tiers={"L2": (Membership("bob", until=at(1)), Membership("bob", since=at(2)))})
    assert [roster.tier_of("bob", at(hour)) for hour in (0, 1, 2)] == ["L2", None, "L2"]
    assert roster.tiers_at(at(2)) == {"L2": ("bob",)}


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        (Membership("amy"), Membership("group"), Membership("amy")),
        (Membership("amy", at(1)), Membership("group", at(2), at(9)), Membership("amy", at(2), at(9))),
        (Membership("amy", at(3), at(7)), Membership("group", None, at(9)), Membership("amy", at(3), at(7))),
        (Membership("amy", at(3), at(7)), Membership("group", at(7)), None),
    ],
)
def test_of_two_memberships_the_time_they_share_counts(
    one: Membership, other: Membership, both: Membership | None
) -> None:
    assert one.within(other) == both


def test_a_naive_date_is_no_instant() -> None:
    naive: Any = at(0).replace(tzinfo=None)
    with pytest.raises(ValueError, match="naive"):
        Membership("amy", since=naive)


def test_whoever_was_of_the_tier_when_the_issue_was_given_to_them_keeps_it() -> None:
    """A week of duty that ends is no reason to assign the issue anew."""
    ladder = {"do": "escalate", "clock": "resolution", "levels": [{"at": "50%", "tier": "L2"}]}
    pack = build_pack((ladder,))
    duty = Roster(tiers={"L1": ("cai",), "L2": (Membership("bob", until=at(20)), Membership("eve", since=at(20)))})
    here = build_destination(tiers={"L1": "cai", "L2": "eve"}, tier_accounts=duty.tiers_at(at(30)))
    found = {}
    for account, hour in (("bob", 19), ("bob", 21), ("cai", 1), ("eve", 19)):
        issue = duty.cast(build_issue(given(hour, None, account), assignee=Actor(id=account)))
        situation = Situation(Judged(issue, judge(issue, pack, at(30))), pack, here, at(30))
        wishes = [wish.change for action in pack.actions for wish in action.wishes(situation)]
        found[account, hour] = SetAssignee("eve") in wishes
    assert found == {("bob", 19): False, ("bob", 21): True, ("cai", 1): True, ("eve", 19): False}
