"""The people of a site file: plain, by date, by group; and how a mistake in them is told."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from jsonschema import Draft202012Validator

from connectors.tracker import Capabilities
from flows.members import Member
from flows.planning import destination
from flows.shapes import schema
from flows.site import SHIPPED, Site
from flows.tracker_site import TrackerSite
from policies.loader import plain
from policies.problem import InputError
from policies.roster import Membership

if TYPE_CHECKING:
    from tests.flows.conftest import Command
    from tests.flows.workshop import Workshop

MEMORY = Capabilities(server="Memory", web_links=True, priorities=True, internal_comments=True)
PEOPLE = "    responders: [lena]\n    tiers: {L1: lena, L2: otto, L3: kim}\n"
JULY = datetime(2026, 6, 30, 16, tzinfo=UTC)  # the first of July begins in Shanghai


def north(workshop: Workshop, people: str) -> TrackerSite:
    workshop.edit(PEOPLE, people)
    return Site.load(workshop.file).tracker("north")


def tiers(tracker: TrackerSite) -> dict[str, tuple[str | Membership, ...]]:
    return dict(tracker.roster("", "Asia/Shanghai").tiers)


def problems(workshop: Workshop, people: str) -> str:
    with pytest.raises(InputError) as refused:
        north(workshop, people)
    return str(refused.value)


def test_a_plain_account_a_list_and_an_account_by_date_may_stand_in_each_others_place(workshop: Workshop) -> None:
    found = north(
        workshop,
        "    responders: {account: lena, from: 2026-07-01}\n"
        "    tiers:\n"
        "      L1: lena\n"
        "      L2: [otto, {account: kim, from: 2026-07-01, until: 2026-07-02}]\n"
        "      L3: {account: kim, until: '2026-07-01'}\n",
    )
    assert found.roster("", "Asia/Shanghai").responders == (Membership("lena", since=JULY),)
    assert tiers(found) == {
        "L1": ("lena",),
        "L2": ("otto", Membership("kim", JULY, datetime(2026, 7, 1, 16, tzinfo=UTC))),
        "L3": (Membership("kim", until=JULY),),
    }


def test_a_day_begins_at_midnight_in_the_sites_zone() -> None:
    member = Member.model_validate({"account": "kim", "from": "2026-07-01"})
    assert member.membership(ZoneInfo("UTC")).since == datetime(2026, 7, 1, tzinfo=UTC)
    # Where daylight saving leaves out midnight, the day begins when it does.
    gap = Member.model_validate({"account": "kim", "from": "2018-11-04"}).membership(ZoneInfo("America/Sao_Paulo"))
    assert gap.since == datetime(2018, 11, 4, 3, tzinfo=UTC)


def test_a_group_stands_for_its_accounts_within_the_days_it_is_named_for(workshop: Workshop) -> None:
    found = north(
        workshop,
        "    groups: {night-shift: [lena, {account: otto, from: 2026-07-01}, {account: old, until: 2026-01-01}]}\n"
        "    responders: ['group:night-shift']\n"
        "    tiers:\n"
        "      L1: group:night-shift\n"
        "      L2: [{account: group:night-shift, from: 2026-01-01, until: 2026-07-01}, kim]\n",
    )
    new_year = datetime(2025, 12, 31, 16, tzinfo=UTC)
    assert tiers(found) == {
        "L1": ("lena", Membership("otto", since=JULY), Membership("old", until=new_year)),
        "L2": (Membership("lena", new_year, JULY), "kim"),
    }


def test_an_unknown_group_is_told_with_its_line_and_the_nearest_one(workshop: Workshop) -> None:
    told = problems(
        workshop,
        "    groups: {night-shift: [lena]}\n    responders: ['group:nigth-shift']\n    tiers: {L1: 'group:day'}\n",
    )
    assert "there is no 'nigth-shift' (did you mean 'night-shift'?)" in told
    assert "there is no 'day'" in told
    lines = workshop.file.read_text(encoding="utf-8").splitlines()
    number = next(number for number, line in enumerate(lines, 1) if "nigth-shift" in line)
    assert f"workshop.yaml:{number}" in told


@pytest.mark.parametrize(
    ("people", "words"),
    [
        ("    groups: {a: [lena], b: ['group:a']}\n", "groups of accounts, not of groups: see b"),
        ("    groups: {a: [{acount: lena}]}\n    responders: ['group:a']\n", "account"),
        ("    responders: [{account: lena, from: 2026-07-01, until: 2026-07-01}]\n", "`until` after `from`"),
        ("    responders: [{account: lena, from: soon}]\n", "date"),
        ("    responders: ['']\n", "at least 1 character"),
        ("    responders: [123]\n", "found 123; expected an account id as text"),
    ],
)
def test_mistakes_in_people_are_told(workshop: Workshop, people: str, words: str) -> None:
    told = problems(workshop, people)
    assert words in told
    assert "there is no 'a'" not in told


def test_the_schema_takes_every_way_to_write_a_member() -> None:
    document: dict[str, Any] = plain(SHIPPED / "sandbox.yaml")
    document["trackers"][0] |= {
        "groups": {"night-shift": ["lena", {"account": "old", "until": "2026-01-01"}]},
        "responders": "lena",
        "bots": ["sync", {"account": "robot", "from": "2026-07-01"}],
        "tiers": {"L1": "lena", "L2": ["otto"], "L3": {"account": "group:night-shift"}},
    }
    validator = Draft202012Validator(schema("site"))
    assert [error.message for error in validator.iter_errors(document)] == []
    document["trackers"][0]["responders"] = [{"acount": "lena"}]
    assert list(validator.iter_errors(document))


def test_the_first_account_in_force_is_the_one_a_run_assigns(workshop: Workshop) -> None:
    north(
        workshop,
        "    tiers:\n      L1: [{account: lena, until: 2026-07-01}, otto]\n      L2: {account: kim, from: 2026-07-01}\n",
    )
    site = Site.load(workshop.file)
    before = destination(site, "north", MEMORY, datetime(2026, 6, 30, 15, 59, tzinfo=UTC))
    after = destination(site, "north", MEMORY, JULY)
    assert (before.tiers, before.tier_accounts) == ({"L1": "lena"}, {"L1": ("lena", "otto"), "L2": ()})
    assert (after.tiers, after.tier_accounts) == ({"L1": "otto", "L2": "kim"}, {"L1": ("otto",), "L2": ("kim",)})


def test_the_doctor_tells_of_a_tier_that_nobody_is_in_now(workshop: Workshop, warranty: Command) -> None:
    workshop.edit(PEOPLE, "    responders: [lena]\n    tiers: {L1: lena, L2: {account: otto, until: 2026-03-09}}\n")
    assert "tier L2 has no account now" in warranty("doctor").out  # it is the ninth
    workshop.edit("until: 2026-03-09", "until: 2026-03-10")
    assert "has no account now" not in warranty("doctor").out
