"""Who is who."""

from __future__ import annotations

import pytest

from policies.issue import Actor, Role
from policies.roster import ANYONE, Roster
from tests.policies.build_issue import at, build_issue, reply

ROSTER = Roster(
    responders=frozenset({"amy", "robot", "warranty"}),
    bots=frozenset({"robot"}),
    customers=frozenset({"li"}),
    own=frozenset({"warranty"}),
    tiers={"L2": ("bob", "eve"), "L3": ("eve",)},
)


@pytest.mark.parametrize(
    ("actor", "role", "tier"),
    [
        (Actor(id="amy"), Role.RESPONDER, None),
        (Actor(id="bob"), Role.RESPONDER, "L2"),
        (Actor(id="eve"), Role.RESPONDER, "L2"),
        (Actor(id="robot"), Role.BOT, None),
        (Actor(id="app", bot=True), Role.BOT, None),
        (Actor(id="warranty"), Role.OWN, None),
        (Actor(id="other-name-of-ours", role=Role.OWN), Role.OWN, None),
        (Actor(id="li"), Role.CUSTOMER, None),
        (Actor(id="portal", customer=True), Role.CUSTOMER, None),
        (Actor(id="chen"), Role.CUSTOMER, None),
        (Actor(id="passer-by"), Role.UNKNOWN, None),
        (Actor(id=""), Role.UNKNOWN, None),
    ],
)
def test_each_person_has_one_role(actor: Actor, role: Role, tier: str | None) -> None:
    known = ROSTER.known(actor, reporter="chen", at=at(0))
    assert (known.role, known.tier) == (role, tier)


def test_with_anyone_among_the_responders_only_bots_customers_and_the_reporter_are_none() -> None:
    roster = Roster(responders=frozenset({ANYONE}), customers=frozenset({"li"}))
    found = {name: roster.known(Actor(id=name), reporter="chen", at=at(0)).role for name in ("passer-by", "li", "chen")}
    assert found == {"passer-by": Role.RESPONDER, "li": Role.CUSTOMER, "chen": Role.CUSTOMER}
    assert roster.known(Actor(id="app", bot=True), reporter="chen", at=at(0)).role is Role.BOT
    assert roster.known(Actor(id=""), reporter="chen", at=at(0)).role is Role.UNKNOWN


def test_a_responder_who_reports_is_a_responder_still() -> None:
    assert ROSTER.known(Actor(id="amy"), reporter="amy", at=at(0)).role is Role.RESPONDER


def test_casting_reaches_the_reporter_the_assignee_and_everyone_who_acts() -> None:
    raw = build_issue(reply(1, Actor(id="bob")), reporter=Actor(id="chen"), assignee=Actor(id="amy"))
    cast = ROSTER.cast(raw)
    assert cast.assignee is not None
    assert (cast.reporter.role, cast.assignee.role) == (Role.CUSTOMER, Role.RESPONDER)
    assert [(event.actor.role, event.actor.tier) for event in cast.events] == [
        (Role.CUSTOMER, None),
        (Role.RESPONDER, "L2"),
    ]
    assert ROSTER.cast(cast) == cast
