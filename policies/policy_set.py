"""All policies of a site: which of them judges an issue.

Rules:

1. What a contract agrees comes before what the site does: an issue that the register finds a contract for is judged by
   the policy the contract names, on the calendar it names; all others by the site's own policy.
2. A contract's calendar takes the place of the pack's default one. A goal that names a calendar of its own keeps it.
3. Which version of that policy judges is a question of its own (``versions``).
4. An issue that several contracts claim, and none settles, is judged by the site's own policy.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from policies.issue import Issue
    from policies.pack import PolicyPack
    from policies.verdict import Judged
    from policies.versions import PolicyBook


@dataclass(frozen=True)
class PolicySet:
    """Attributes.

    own: the site's own policy.
    by_contract: a contract's id -> the policy it was agreed under, on the calendar it was agreed on; a contract that
        names neither is not in it.
    register: digest of the contracts; "" for a site without any.
    calendars: a contract's id -> the calendar it was agreed on; a contract that names none is not in it.
    """

    own: PolicyBook
    by_contract: Mapping[str, PolicyBook] = field(default_factory=dict)
    register: str = ""
    calendars: Mapping[str, str] = field(default_factory=dict)

    def of(self, issue: Issue) -> PolicyBook:
        """The policy that judges an issue."""
        return self.by_contract.get(_contract(issue), self.own)

    def candidate(self, issue: Issue, pack: PolicyPack) -> PolicyPack:
        """A policy as it would judge an issue here: on the calendar its contract was agreed on (rule 2)."""
        agreed = self.calendars.get(_contract(issue))
        if agreed is None or agreed == pack.calendar:
            return pack
        return pack.on_calendar(agreed, self.of(issue).latest.calendar_named(agreed))

    def judge(self, issue: Issue, now: datetime) -> Judged:
        """The issue with its verdicts and signals under the version of the policy that judges it. Pure."""
        return self.of(issue).judge(issue, now)

    def in_force(self, now: datetime) -> tuple[PolicyPack, ...]:
        """The version in force of each policy, the site's own first. A policy on two calendars is one policy."""
        found: dict[str, PolicyPack] = {}
        for book in (self.own, *self.by_contract.values()):
            pack = book.on(now)
            found.setdefault(pack.id, pack)
        return tuple(found.values())

    @cached_property
    def digest(self) -> str:
        """Sixteen hex digits over everything that judges at this site: what is agreed counts among it."""
        if not self.by_contract and not self.register:
            return self.own.digest
        agreed = sorted((contract, book.digest) for contract, book in self.by_contract.items())
        parts = [self.own.digest, self.register, *agreed]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def _contract(issue: Issue) -> str:
    return issue.coverage.contract if issue.coverage is not None else ""
