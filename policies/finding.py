"""What a linter says of a pack: where, which rule, why, and what would mend it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pydantic import BaseModel


class Rule(StrEnum):
    """Everything the linter looks for.

    Attributes:
        GRAVER_IS_SLOWER: a graver severity is promised more time than a less grave one, by the same clock.
        RESPONSE_AFTER_FIX: an answer is due after the fix it announces.
        UNREACHABLE_GOAL: earlier goals take every issue it is for.
        TWO_RULES: two promises for one issue that differ, told apart by their order alone, or by nothing.
        CALENDAR_YEARS: a calendar does not know the holidays up to the day a goal is due.
        CALENDAR_UNIT: working time on a calendar that never closes, or a calendar beside elapsed time.
        KPI: a target that cannot be met, or that asks for less time than is promised.
        LADDER: an escalation level that never fires, or changes nothing when it does.
        LABEL_CLASH: a label that two things write, that no issue can bear, or that is not ours and looks so.
        NOT_AT_THIS_SITE: a word of the pack that no tracker of the site ever says, or the other way round.
        PAUSE_ON_STOP: a pause that holds only where the clock has stopped.
        NEVER_RUNS: a clock that stops as it starts.
        NEVER_TRUE: a condition that no issue can meet.
        UNDECIDED: too many words together to try every kind of issue.
    """

    GRAVER_IS_SLOWER = "graver_is_slower"
    RESPONSE_AFTER_FIX = "response_after_fix"
    UNREACHABLE_GOAL = "unreachable_goal"
    TWO_RULES = "two_rules"
    CALENDAR_YEARS = "calendar_years"
    CALENDAR_UNIT = "calendar_unit"
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
