"""Who is who: the roles and tiers of the people in an issue's events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from policies.issue import Role

if TYPE_CHECKING:
    from policies.issue import Actor, Issue

ANYONE = "*"
"""Among the responders: everyone who is not a bot, not a customer and not the reporter."""


@dataclass(frozen=True, slots=True)
class Roster:
    """Attributes.

    responders, bots, customers, own: account ids.
    tiers: tier -> account ids; whoever is in a tier is a responder. The first one listed is assigned on escalation.
    """

    responders: frozenset[str] = frozenset()
    bots: frozenset[str] = frozenset()
    customers: frozenset[str] = frozenset()
    own: frozenset[str] = frozenset()
    tiers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def cast(self, issue: Issue) -> Issue:
        """The issue with a role and a tier on everyone who acts in it."""
        return replace(
            issue,
            reporter=self.known(issue.reporter, reporter=issue.reporter.id),
            assignee=self.known(issue.assignee, reporter=issue.reporter.id) if issue.assignee else None,
            events=tuple(
                replace(event, actor=self.known(event.actor, reporter=issue.reporter.id)) for event in issue.events
            ),
        )

    def known(self, actor: Actor, *, reporter: str) -> Actor:
        """The actor with role and tier. A deleted user (empty id) stays unknown."""
        if not actor.id:
            return actor
        tier = next((name for name, accounts in self.tiers.items() if actor.id in accounts), None)
        return replace(actor, role=self._role(actor, tier, reporter), tier=tier)

    def _role(self, actor: Actor, tier: str | None, reporter: str) -> Role:
        if actor.id in self.own or actor.role is Role.OWN:
            return Role.OWN
        if actor.bot or actor.id in self.bots:
            return Role.BOT
        if tier is not None or actor.id in self.responders:
            return Role.RESPONDER
        if actor.customer or actor.id in self.customers or actor.id == reporter:
            return Role.CUSTOMER
        return Role.RESPONDER if ANYONE in self.responders else Role.UNKNOWN
