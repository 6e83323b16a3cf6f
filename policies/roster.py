"""Who is who, at each instant: the roles and tiers of the people in an issue's events.

Rules:

1. A person counts as what they were when it happened: role and tier are taken as of the event's own instant, those of
   the assignee as of when the issue was given to them. Who changes tier later changes no past.
2. A membership begins at its first instant and ends ahead of its last: half-open, like every span here.
3. The issue changes tier where its assignee becomes somebody of another tier; a tier is nobody's while it is unassigned.
4. Casting again gives the same, also after the roster changed: what was derived before is derived anew.
5. Who belongs nowhere for a time only is the same at every instant, and looked up once.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from policies.event_order import put_in
from policies.issue import AssigneeChanged, Role, TierChanged, utc
from policies.revised import revised

if TYPE_CHECKING:
    from collections.abc import Callable

    from policies.issue import Actor, Event, Issue

ANYONE = "*"
"""Among the responders: everyone who is not a bot, not a customer and not the reporter."""

_WHENEVER = datetime.min.replace(tzinfo=UTC)
_MOST_KEPT = 4096


@dataclass(frozen=True, slots=True)
class Membership:
    """An account, and the time it belongs to what it stands in.

    Attributes:
        since: the first instant of it; None: from the beginning.
        until: the instant it is over; None: for good.
    """

    account: str
    since: datetime | None = None
    until: datetime | None = None

    def __post_init__(self) -> None:
        for name in ("since", "until"):
            at = getattr(self, name)
            if at is not None:
                object.__setattr__(self, name, utc(at))

    def in_force(self, at: datetime) -> bool:
        return (self.since is None or self.since <= at) and (self.until is None or at < self.until)

    def within(self, other: Membership) -> Membership | None:
        """The part of it that lies in another's time; None where there is none."""
        since = max(filter(None, (self.since, other.since)), default=None)
        until = min(filter(None, (self.until, other.until)), default=None)
        if since is not None and until is not None and until <= since:
            return None
        return Membership(self.account, since, until)


Member = str | Membership
"""An account for good, or for a time."""


class _Members:
    """Memberships, ready to be asked."""

    def __init__(self, members: Collection[Member]) -> None:
        self._of: dict[str, list[Membership]] = {}
        for member in members:
            known = Membership(member) if isinstance(member, str) else member
            self._of.setdefault(known.account, []).append(known)

    @property
    def for_a_time(self) -> frozenset[str]:
        """The accounts that do not belong to it for good."""
        return frozenset(
            account
            for account, found in self._of.items()
            if any(each.since is not None or each.until is not None for each in found)
        )

    def hold(self, account: str, at: datetime) -> bool:
        found = self._of.get(account)
        return found is not None and any(membership.in_force(at) for membership in found)

    def at(self, at: datetime) -> tuple[str, ...]:
        return tuple(account for account in self._of if self.hold(account, at))


@dataclass(frozen=True, slots=True)
class Roster:
    """Attributes.

    responders, bots, customers, own: accounts, for good or for a time.
    tiers: tier -> its accounts, lowest tier first; whoever is in a tier is a responder. Of those in force the first one
        listed is assigned on escalation.
    """

    responders: Collection[Member] = frozenset()
    bots: Collection[Member] = frozenset()
    customers: Collection[Member] = frozenset()
    own: Collection[Member] = frozenset()
    tiers: Mapping[str, tuple[Member, ...]] = field(default_factory=dict)
    _groups: Mapping[str, _Members] = field(init=False, repr=False, compare=False)
    _tiers: Mapping[str, _Members] = field(init=False, repr=False, compare=False)
    _for_a_time: frozenset[str] = field(init=False, repr=False, compare=False)
    _for_good: Callable[[Actor, bool], Actor] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        groups = {name: _Members(getattr(self, name)) for name in ("responders", "bots", "customers", "own")}
        tiers = {tier: _Members(members) for tier, members in self.tiers.items()}
        every = (*groups.values(), *tiers.values())
        object.__setattr__(self, "_groups", groups)
        object.__setattr__(self, "_tiers", tiers)
        object.__setattr__(self, "_for_a_time", frozenset[str]().union(*(members.for_a_time for members in every)))
        # A few people act in all issues.
        object.__setattr__(self, "_for_good", lru_cache(_MOST_KEPT)(self._whenever))

    def cast(self, issue: Issue) -> Issue:
        """The issue with a role and a tier on everyone who acts in it, and an event for each time its tier changed."""
        reporter = issue.reporter.id
        events: list[Event] = []
        given: list[AssigneeChanged] = []
        # Of this issue's events many are of one person, most often of one and the same value: by its `id`, for to look
        # it up by itself would take a hash of all its members for each of a dozen events. All live as long as the issue.
        cast: dict[int, Actor] = {}
        for event in issue.events:
            if isinstance(event, TierChanged):
                continue
            acting = event.actor
            actor = cast.get(id(acting))
            if actor is None:
                actor = self.known(acting, reporter=reporter, at=event.at)
                if not self._for_a_time:
                    cast[id(acting)] = actor
            if actor.role is not acting.role or actor.tier != acting.tier:
                event = revised(event, actor=actor)  # noqa: PLW2901  the same event, its actor cast
            events.append(event)
            if isinstance(event, AssigneeChanged):
                given.append(event)
        handovers = self._handovers(issue, given)
        given_at = given[-1].at if given else issue.opened_at
        return revised(
            issue,
            reporter=self.known(issue.reporter, reporter=reporter, at=issue.opened_at),
            assignee=self.known(issue.assignee, reporter=reporter, at=given_at) if issue.assignee else None,
            events=put_in(tuple(events), handovers) if handovers else tuple(events),
        )

    def known(self, actor: Actor, *, reporter: str, at: datetime) -> Actor:
        """The actor with the role and tier of an instant. A deleted user (empty id) stays unknown."""
        account = actor.id
        if not account:
            return actor
        if self._for_a_time and (account in self._for_a_time or ANYONE in self._for_a_time):
            return self._cast(actor, reports=account == reporter, at=at)
        return self._for_good(actor, account == reporter)

    def tier_of(self, account: str | None, at: datetime) -> str | None:
        """The first tier that the account is in at an instant; None for nobody."""
        if not account:
            return None
        return next((tier for tier, members in self._tiers.items() if members.hold(account, at)), None)

    def tiers_at(self, at: datetime) -> dict[str, tuple[str, ...]]:
        """Each tier with its accounts in force at an instant, as they are listed; a tier may stand empty."""
        return {tier: members.at(at) for tier, members in self._tiers.items()}

    def _handovers(self, issue: Issue, given: list[AssigneeChanged]) -> list[TierChanged]:
        if not given:
            return []
        held = self.tier_of(given[0].before, issue.opened_at)
        found: list[TierChanged] = []
        for event in given:
            tier = self.tier_of(event.after, event.at)
            if tier != held:
                found.append(
                    TierChanged(id=f"{event.id}/tier", at=event.at, actor=event.actor, before=held, after=tier)
                )
                held = tier
        return found

    def _whenever(self, actor: Actor, reports: bool) -> Actor:
        """The actor as it is cast at every instant alike."""
        return self._cast(actor, reports=reports, at=_WHENEVER)

    def _cast(self, actor: Actor, *, reports: bool, at: datetime) -> Actor:
        tier = self.tier_of(actor.id, at)
        return _in_role(actor, self._role(actor, tier, reports=reports, at=at), tier)

    def _role(self, actor: Actor, tier: str | None, *, reports: bool, at: datetime) -> Role:
        groups = self._groups
        if actor.role is Role.OWN or groups["own"].hold(actor.id, at):
            return Role.OWN
        if actor.bot or groups["bots"].hold(actor.id, at):
            return Role.BOT
        if tier is not None or groups["responders"].hold(actor.id, at):
            return Role.RESPONDER
        if actor.customer or groups["customers"].hold(actor.id, at) or reports:
            return Role.CUSTOMER
        return Role.RESPONDER if groups["responders"].hold(ANYONE, at) else Role.UNKNOWN


@lru_cache(maxsize=_MOST_KEPT)
def _in_role(actor: Actor, role: Role, tier: str | None) -> Actor:
    """The actor in a role: one value for the many events of one person."""
    return replace(actor, role=role, tier=tier)
