"""What a linter says of a pack: where, which rule, why, and what would mend it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pydantic import BaseModel


class Rule(StrEnum):
    """Everything the linter looks for."""

    GRAVER_IS_SLOWER = "graver_is_slower"
    RESPONSE_AFTER_FIX = "response_after_fix"
    UNREACHABLE_GOAL = "unreachable_goal"
    TWO_RULES = "two_rules"
    CALENDAR_YEARS = "calendar_years"
    KPI = "kpi"
    LADDER = "ladder"
    LABEL_CLASH = "label_clash"
    NOT_AT_THIS_SITE = "not_at_this_site"
    PAUSE_ON_STOP = "pause_on_stop"
    NEVER_RUNS = "never_runs"
    NEVER_TRUE = "never_true"
    UNDECIDED = "undecided"


class Weight(StrEnum):
    """``error``: the pack can not mean what it says. ``warning``: it can, and somebody should look."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One contradiction.

    Attributes:
        where: path in the pack, as its YAML spells it: ``("clocks", "resolution", "goals", 0, "within")``.
        why: what contradicts what, with the figures.
        mend: what would mend it.
    """

    rule: Rule
    where: tuple[str | int, ...]
    why: str
    mend: str
    weight: Weight = Weight.ERROR


def spelled(value: Any) -> str:
    """A condition, or a part of one, as a pack spells it: ``{severity: [urgent, high], not: {label: vip}}``."""
    if isinstance(value, BaseModel):
        value = value.model_dump(mode="json", by_alias=True, exclude_none=True)
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {spelled(each)}' for key, each in value.items())}}}"
    if isinstance(value, (list, tuple)):
        parts = [spelled(each) for each in value]
        return parts[0] if len(parts) == 1 and not parts[0].startswith("{") else f"[{', '.join(parts)}]"
    return str(value)


def dotted(path: Iterable[str | int]) -> str:
    """A path as people read it: ``clocks.resolution.goals[0].within``."""
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return "".join(parts).removeprefix(".")
