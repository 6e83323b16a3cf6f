"""Lint: what a pack asks for and the words of a site never say."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING

from policies.fact_space import FactSpace, TooLarge, words_in
from policies.finding import Finding, Rule, Weight, dotted, spelled
from policies.problem import nearest

if TYPE_CHECKING:
    from policies.history import Moment
    from policies.pack import PolicyPack
    from policies.vocabulary import Vocabulary


def lint_site(
    pack: PolicyPack, vocabularies: Mapping[str, Vocabulary], contract_tiers: Collection[str] | None = None
) -> Iterator[Finding]:
    """Words that no tracker of the site produces, stops that one can never reach, tiers that no contract agrees on.

    Args:
        contract_tiers: levels of support agreed in the site's contracts; None where no site is given.
    """
    if contract_tiers is not None:
        yield from _contract_tiers(pack, sorted(contract_tiers))
    if not vocabularies:
        return
    yield from _states(pack, vocabularies)
    yield from _declared(pack, vocabularies)
    for tracker, vocabulary in vocabularies.items():
        yield from _stops(pack, tracker, vocabulary)


def _contract_tiers(pack: PolicyPack, agreed: list[str]) -> Iterator[Finding]:
    for path, tier in words_in(pack, "contract_tier"):
        if tier in agreed:
            continue
        folded = {each.casefold(): each for each in agreed}
        near = folded.get(nearest(tier.casefold(), list(folded)))
        known = f"they agree on {', '.join(agreed)}" if agreed else "none agrees on any"
        yield Finding(
            rule=Rule.NOT_AT_THIS_SITE,
            where=path,
            why=f"no contract of the site has the tier {tier} ({known}): no issue is ever of {tier} here",
            mend=f"did you mean {near}?" if near else f"write `tier: {tier}` in the contracts it was agreed in, if any",
            weight=Weight.WARNING,
        )


def _states(pack: PolicyPack, vocabularies: Mapping[str, Vocabulary]) -> Iterator[Finding]:
    produced = {state.value for vocabulary in vocabularies.values() for state in vocabulary.states.values()}
    places: dict[str, list[tuple[str | int, ...]]] = {}
    for path, state in words_in(pack, "state"):
        places.setdefault(state, []).append(path)
    for state, paths in places.items():
        if state in produced:
            continue
        others = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
        yield Finding(
            rule=Rule.NOT_AT_THIS_SITE,
            where=paths[0],
            why=f"no tracker of the site maps a status to {state} ({', '.join(vocabularies)}): what "
            f"waits for it never happens here ({dotted(paths[0])}{others})",
            mend=f"name the status that means {state} under `states` of a tracker, if there is one",
            weight=Weight.WARNING,
        )


def _declared(pack: PolicyPack, vocabularies: Mapping[str, Vocabulary]) -> Iterator[Finding]:
    for field, words in (("severities", pack.severities), ("categories", pack.categories)):
        read = {
            tracker: (vocabulary.severities if field == "severities" else vocabulary.categories)
            for tracker, vocabulary in vocabularies.items()
        }
        produced = {meaning for entries in read.values() for meaning in entries.values()}
        for number, word in enumerate(words):
            if word not in produced:
                yield Finding(
                    rule=Rule.NOT_AT_THIS_SITE,
                    where=(field, number),
                    why=f"no tracker of the site has a word for {word} ({', '.join(vocabularies)}): no issue is ever "
                    f"{word} here, and its promises are never asked for",
                    mend=f"name the tracker's word for {word} under `{field}` of a tracker",
                    weight=Weight.WARNING,
                )
        if not words:
            continue
        for tracker, entries in read.items():
            for key, meaning in entries.items():
                if meaning not in words:
                    yield Finding(
                        rule=Rule.NOT_AT_THIS_SITE,
                        where=(field,),
                        why=f"{tracker} of the site reads {key!r} as {meaning}, which the pack does not declare: such "
                        "issues get the promise for everything else, or none",
                        mend=f"one of {', '.join(words)} under `{field}` of {tracker}, or declare {meaning}",
                    )


def _stops(pack: PolicyPack, tracker: str, vocabulary: Vocabulary) -> Iterator[Finding]:
    states = set(vocabulary.states.values())
    severities, categories = set(vocabulary.severities.values()), set(vocabulary.categories.values())

    def exists(moment: Moment) -> bool:
        return (
            (moment.state is None or moment.state in states)
            and (moment.severity is None or moment.severity in severities)
            and (moment.category is None or moment.category in categories)
        )

    for name, clock in pack.clocks.items():
        if isinstance(clock.stop, str):
            continue
        try:
            space = FactSpace.of((clock.stop,), pack)
            start = None if isinstance(clock.start, str) else clock.start
            begun = FactSpace.of((start,), pack)
        except TooLarge:
            continue  # told with the clock
        if start is not None and not any(start.holds(moment) for moment in begun.moments if exists(moment)):
            continue  # it never starts there, so it need not stop
        reached = [moment for moment in space.moments if clock.stop.holds(moment)]
        if reached and not any(map(exists, reached)):
            yield Finding(
                rule=Rule.NOT_AT_THIS_SITE,
                where=("clocks", name, "stop"),
                why=f"no issue of {tracker} can ever be {spelled(clock.stop)}: {name} never stops there, and every "
                "promise is broken in the end",
                mend=f"map a status of {tracker} to one of these states",
            )
