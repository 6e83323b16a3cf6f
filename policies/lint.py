"""Contradictions in a pack: promises that exclude each other, and parts of it that can never take effect.

Rules:

1. A pack that loads is well formed; what is looked for here is a pack that can not mean what it says.
2. Whether a goal is ever reached, or a condition ever true, is decided by trying every kind of issue that the pack's
   words tell apart (``fact_space``). Where there are too many, that is the finding; nothing is guessed.
3. Promises of different units are compared by starting both at the same instants of a year (``pace``).
4. What an order or an idiom settles is no finding: an exception above the rule, a last goal for all the rest.
5. Same pack, same horizon, same site: same findings, in the order of the pack.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from policies.finding import Finding, Weight
from policies.lint_clocks import lint_clocks
from policies.lint_goals import lint_goals
from policies.lint_kpis import lint_kpis
from policies.lint_labels import lint_labels
from policies.lint_ladders import lint_ladders
from policies.lint_site import lint_site
from policies.pace import Pace

if TYPE_CHECKING:
    from policies.pack import PolicyPack
    from policies.vocabulary import Vocabulary

_NONE: Mapping[str, Any] = MappingProxyType({})
_LABEL = "label:"


def lint(
    pack: PolicyPack,
    *,
    horizon: tuple[date, date],
    vocabularies: Mapping[str, Vocabulary] = _NONE,
    tiers: Mapping[str, Sequence[str]] = _NONE,
    contract_tiers: Collection[str] | None = None,
    labels: Iterable[str] = (),
    prefix: str = "warranty",
) -> tuple[Finding, ...]:
    """Every contradiction found, in the order of the pack; of one place the errors first. Pure.

    Args:
        horizon: first and last day on which issues will be opened that the pack is to judge.
        vocabularies: the site's words, by tracker; none: the pack is looked at by itself.
        tiers: the site's support tiers, by tracker, lowest first.
        contract_tiers: levels of support agreed in the site's contracts; None: the pack is looked at by itself.
        labels: labels that others use at the site, beside those its vocabularies name.
        prefix: the site's label prefix.
    """
    pace = Pace(horizon)
    foreign = {*labels, *_labels_of(vocabularies)}
    found = (
        *lint_goals(pack, pace),
        *lint_clocks(pack, horizon),
        *lint_kpis(pack, pace),
        *lint_ladders(pack, tiers),
        *lint_labels(pack, prefix, foreign),
        *lint_site(pack, vocabularies, contract_tiers),
    )
    order = {name: number for number, name in enumerate(type(pack).model_fields)}
    clocks = {name: number for number, name in enumerate(pack.clocks)}

    def place(finding: Finding) -> tuple[int, int, bool]:
        top = finding.where[0] if finding.where else ""
        second = finding.where[1] if len(finding.where) > 1 else 0
        return (
            order.get(str(top), 0),
            second if isinstance(second, int) else clocks.get(second, 0),
            finding.weight is not Weight.ERROR,
        )

    return tuple(sorted(dict.fromkeys(found), key=place))


def _labels_of(vocabularies: Mapping[str, Vocabulary]) -> Iterable[str]:
    for vocabulary in vocabularies.values():
        for words in (vocabulary.states, vocabulary.severities, vocabulary.categories):
            yield from (key.removeprefix(_LABEL) for key in words if key.startswith(_LABEL))
