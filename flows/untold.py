"""What an exported history tells nothing of, and what a clock that rests on it can then not say.

Rules:

1. An export of incidents holds states, priorities and assignments. Comments, releases, labels and components are no
   part of it.
2. A clock that stops or starts at such a thing is ``indeterminate`` with the gap named: that it was not seen is no proof
   that it was not there. What is met or given up all the same stays so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from policies.clock import Clock
from policies.conditions import Condition
from policies.verdict import Reason, ReasonCode, Status, Verdict

_UNTOLD = {"first_response": "comments", "patch_released": "releases", "label": "labels", "component": "components"}


def untold(clock: Clock) -> str:
    """What a clock rests on that no export tells of, "" where it tells all."""
    return _of(clock.stop) or _of(clock.start)


def withheld(verdict: Verdict, clock: Clock) -> Verdict:
    """The verdict, or ``indeterminate`` in its place where it only says that nothing was seen."""
    kept = {Status.MET, Status.CANCELLED, Status.INDETERMINATE}
    if not _of(clock.start):
        kept.add(Status.NOT_APPLICABLE)
    if not (what := untold(clock)) or verdict.status in kept:
        return verdict
    detail = f"{what}: no part of an exported history"
    reason = Reason(ReasonCode.HISTORY_GAP, f"clocks.{verdict.clock}", verdict.reason.evidence, detail)
    return replace(verdict, status=Status.INDETERMINATE, reason=reason, next_change_at=None)


def _of(part: str | Condition) -> str:
    words = (part,) if isinstance(part, str) else _words(part)
    return next((_UNTOLD[word] for word in words if word in _UNTOLD), "")


def _words(condition: Condition) -> Iterator[str]:
    """Every word a condition uses, at any depth."""
    for name in type(condition).model_fields:
        value = getattr(condition, name)
        if isinstance(value, Condition):
            yield from _words(value)
        elif value and isinstance(value[0], Condition):
            for each in value:
                yield from _words(each)
        elif value is not None:
            yield name
