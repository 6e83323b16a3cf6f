"""Lint: labels that two things write, that are not ours though they look so, or that no issue can bear."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import combinations
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from policies.actions import FORGOTTEN, Escalate, Label, LinkPatch
from policies.coverage_override import SCOPE as COVERAGE
from policies.destination import Destination
from policies.fact_space import words_in
from policies.finding import Finding, Rule, Weight
from policies.phrases import Phrases

if TYPE_CHECKING:
    from policies.pack import PolicyPack

LONGEST = 255
"""Characters; both trackers refuse a longer label."""

Path = tuple[str | int, ...]
_RESERVED = {
    "tier": "support tiers",
    FORGOTTEN[0]: "forgotten pauses",
    "patch": "released fixes",
    "report": "the report",
    COVERAGE: "the coverage",
}


def lint_labels(pack: PolicyPack, prefix: str, foreign: Iterable[str]) -> Iterator[Finding]:
    """Args: foreign: labels that others use at the site."""
    ours = Destination(tracker="", prefix=prefix, phrases=Phrases("", {}), zone=ZoneInfo("UTC"))
    yield from _scopes_of_clocks(pack, ours)
    yield from _rival_label_actions(pack)
    yield from _tiers(pack, ours)
    yield from _conditions(pack, ours)
    yield from _spelling(pack, foreign)
    yield from _foreign_under_our_prefix(pack, ours, foreign)


def _slug(clock: str) -> str:
    return clock.replace("_", "-")


def _labelled(pack: PolicyPack) -> dict[str, list[tuple[int, Label]]]:
    """The label actions that write for each clock, with their places among the actions."""
    found: dict[str, list[tuple[int, Label]]] = {name: [] for name in pack.clocks}
    for number, action in enumerate(pack.actions):
        if isinstance(action, Label):
            for name in found if action.clocks is None else action.clocks:
                found[name].append((number, action))
    return found


def _scopes_of_clocks(pack: PolicyPack, ours: Destination) -> Iterator[Finding]:
    written = [name for name, actions in _labelled(pack).items() if actions]
    for one, other in combinations(written, 2):
        if _slug(one) == _slug(other):
            yield Finding(
                rule=Rule.LABEL_CLASH,
                where=("clocks", other),
                why=f"clocks {one} and {other} both write {ours.scope(_slug(one))}...: each run would replace the one by "
                "the other",
                mend="give one of the two clocks another name",
            )
    for name in written:
        if _slug(name) in _RESERVED:
            yield Finding(
                rule=Rule.LABEL_CLASH,
                where=("clocks", name),
                why=f"the labels of clock {name} would begin with {ours.scope(_slug(name))}, which belongs to "
                f"{_RESERVED[_slug(name)]}",
                mend="give the clock another name",
            )


def _rival_label_actions(pack: PolicyPack) -> Iterator[Finding]:
    told: set[tuple[int, int]] = set()
    for name, actions in _labelled(pack).items():
        for (one, first), (other, second) in combinations(actions, 2):
            differing = sorted(set(first.statuses) ^ set(second.statuses))
            if differing and (one, other) not in told:
                told.add((one, other))
                yield Finding(
                    rule=Rule.LABEL_CLASH,
                    where=("actions", other),
                    why=f"actions[{one}] and actions[{other}] both write the label of {name}; of "
                    f"{', '.join(differing)} one wants a label and the other none",
                    mend="let each clock be labelled by one action",
                    weight=Weight.WARNING,
                )


def _tiers(pack: PolicyPack, ours: Destination) -> Iterator[Finding]:
    known: dict[str, str] = {}
    for number, action in enumerate(pack.actions):
        if not isinstance(action, Escalate):
            continue
        for rung, level in enumerate(action.levels):
            label = ours.label("tier", level.tier)
            other = known.setdefault(label.casefold(), level.tier)
            if other != level.tier:
                same = label == ours.label("tier", other)
                yield Finding(
                    rule=Rule.LABEL_CLASH,
                    where=("actions", number, "levels", rung, "tier"),
                    why=f"tiers {other!r} and {level.tier!r} give "
                    + (f"one label, {label}" if same else f"labels that differ only in case, such as {label}"),
                    mend="spell a tier the same everywhere, and two tiers differently",
                )


def _conditions(pack: PolicyPack, ours: Destination) -> Iterator[Finding]:
    for path, label in words_in(pack, "label"):
        if len(label) > LONGEST:
            yield Finding(
                rule=Rule.LABEL_CLASH,
                where=path,
                why=f"a label of {len(label)} characters ({label[:40]}...): trackers take {LONGEST} at most, no issue "
                "can bear it",
                mend="name a label that exists",
            )
        elif label.startswith(ours.scope()) and not label.startswith(ours.scope(COVERAGE)):
            yield Finding(
                rule=Rule.LABEL_CLASH,
                where=path,
                why=f"{label} stands under our own prefix: the pack would decide by what it writes itself",
                mend="ask for what the label stands for, or use a label outside of "
                f"{ours.scope()} (people's own word on coverage, {ours.scope(COVERAGE)}..., may be read)",
                weight=Weight.WARNING,
            )


def _spelling(pack: PolicyPack, foreign: Iterable[str]) -> Iterator[Finding]:
    known = {label.casefold(): label for label in sorted(foreign)}
    told: set[tuple[str, str]] = set()
    for path, label in words_in(pack, "label"):
        other = known.setdefault(label.casefold(), label)
        if other != label and (other, label) not in told:
            told.add((other, label))
            yield Finding(
                rule=Rule.LABEL_CLASH,
                where=path,
                why=f"labels {other!r} and {label!r} differ only in case; a condition holds for exactly what it names",
                mend=f"spell the label one way, or name both: label: [{other}, {label}]",
                weight=Weight.WARNING,
            )


def _foreign_under_our_prefix(pack: PolicyPack, ours: Destination, foreign: Iterable[str]) -> Iterator[Finding]:
    scopes: dict[str, set[str]] = {}
    for name, actions in _labelled(pack).items():
        if actions:
            scopes[ours.scope(_slug(name))] = {_slug(status) for _, action in actions for status in action.statuses}
    tiers = {level.tier for action in pack.actions if isinstance(action, Escalate) for level in action.levels}
    if tiers:
        scopes[ours.scope("tier")] = {ours.label("tier", tier).removeprefix(ours.scope("tier")) for tier in tiers}
    patches = ours.scope("patch") if any(isinstance(action, LinkPatch) for action in pack.actions) else None
    for label in sorted(set(foreign)):
        if not label.startswith(ours.scope()) or label.startswith(ours.scope(COVERAGE)) or label == ours.report_label:
            continue
        scope = next((scope for scope in scopes if label.startswith(scope)), None)
        removed = (
            (patches is not None and label.startswith(patches))
            or (bool(pack.ladders) and label == ours.label(*FORGOTTEN))
            or (scope is not None and label.removeprefix(scope) not in scopes[scope])
        )
        written = scope is not None and not removed
        what = "we take it off again" if removed else "we write it ourselves" if written else "people take it for ours"
        yield Finding(
            rule=Rule.LABEL_CLASH,
            where=("actions",),
            why=f"the site uses {label}, which stands under our own prefix: {what}",
            mend=f"rename it at the site, or give the site another `label_prefix` than {ours.prefix}",
            weight=Weight.ERROR if removed else Weight.WARNING,
        )
