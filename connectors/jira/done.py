"""What became of a change on a Jira, before it is a receipt."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from policies.changes import Change
from policies.issue import IssueRef
from policies.receipt import Outcome, Receipt


@dataclass(frozen=True, slots=True)
class Done:
    """Attributes.

    prior: what stood there before. made: id of what was made or edited, "" if none.
    """

    outcome: Outcome
    prior: dict[str, Any] = field(default_factory=dict)
    made: str = ""

    def receipt(self, ref: IssueRef, change: Change, now: datetime) -> Receipt:
        text = json.dumps(self.prior, ensure_ascii=False, sort_keys=True)
        return Receipt(issue=ref, change=change, outcome=self.outcome, at=now, prior=text, made=self.made)
