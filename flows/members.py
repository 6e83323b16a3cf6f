"""Who stands in a list of a site file: accounts and groups, for good or from one day to another.

    responders: [amy, group:night-shift]
    tiers:
      L1: [amy, {account: bob, until: 2026-07-01}]
      L2: {account: group:experts, from: 2026-07-01}

A day is one of the site's zone. ``until`` is the first day that counts no more, so one shift's ``until`` is the next
one's ``from``. A group named for a time counts for the part of it in which its own members are in force.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, time
from typing import Annotated, Any, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from policies.roster import Membership

_GROUP = "group:"


class Member(BaseModel):
    """An account or a group, for good or for a time; one for good may be written as its name alone."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, populate_by_name=True)

    account: str = Field(
        min_length=1, description="account id, or group:NAME for everyone in a group of the same tracker"
    )
    since: date | None = Field(
        None, alias="from", description="its first day, in the site's zone; left out: from the beginning"
    )
    until: date | None = Field(None, description="the first day that counts no more; left out: for good")

    @model_validator(mode="after")
    def _lasts(self) -> Self:
        if self.since is not None and self.until is not None and self.until <= self.since:
            raise PydanticCustomError("no_days", "an `until` after `from`: it is the first day that counts no more")
        return self

    @property
    def group(self) -> str:
        """The group it names, "" where it is an account."""
        return self.account.removeprefix(_GROUP) if self.account.startswith(_GROUP) else ""

    def membership(self, zone: ZoneInfo) -> Membership:
        return Membership(self.account, _midnight(self.since, zone), _midnight(self.until, zone))


def _midnight(day: date | None, zone: ZoneInfo) -> datetime | None:
    return datetime.combine(day, time(), zone) if day is not None else None


def _member(found: Any) -> Any:
    if not isinstance(found, (str, dict, Member)):
        raise PydanticCustomError("member", "an account id as text (a number in quotes), or account, from and until")
    return {"account": found} if isinstance(found, str) else found


def _list(found: Any) -> Any:
    return [found] if isinstance(found, (str, dict)) else found


OneMember = Annotated[Member, BeforeValidator(_member, json_schema_input_type=str | Member)]
_Several = tuple[OneMember, ...]
Members = Annotated[_Several, BeforeValidator(_list, json_schema_input_type=OneMember | _Several)]
"""One member needs no list around it."""


def groups_in(members: tuple[Member, ...]) -> Iterator[str]:
    """The groups that are named."""
    return (member.group for member in members if member.group)


def memberships(
    members: tuple[Member, ...], groups: Mapping[str, tuple[Member, ...]], zone: ZoneInfo
) -> tuple[str | Membership, ...]:
    """The accounts behind a list, in its order; an account for good is its name alone."""
    found: list[Membership] = []
    for member in members:
        own = member.membership(zone)
        if member.group:
            shared = (each.membership(zone).within(own) for each in groups[member.group])
            found += [each for each in shared if each is not None]
        else:
            found.append(own)
    return tuple(each.account if each == Membership(each.account) else each for each in found)
