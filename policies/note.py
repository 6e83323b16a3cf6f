"""The sticky comment: what it says of an issue.

Rule: nothing in it changes by the mere passing of time. It says "due 2026-03-07 15:00 CST", never "2 h left"; a paused
clock has no due instant.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from policies.document import Block, Document, Heading, Paragraph, Table, Text
from policies.ladder import highest
from policies.patch import fix_released
from policies.verdict import Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from policies.coverage import Coverage
    from policies.destination import Destination
    from policies.pack import PolicyPack
    from policies.phrases import Phrases
    from policies.verdict import Judged, Verdict

_UNSAID = {Status.NOT_APPLICABLE, Status.CANCELLED}


def note(judged: Judged, pack: PolicyPack, destination: Destination) -> Document:
    """The comment for one judged issue."""
    say = destination.phrases.say
    blocks: list[Block] = [Heading(say("note_heading"))]
    rows = [_row(verdict, pack, destination) for verdict in judged.standing() if verdict.status not in _UNSAID]
    if rows:
        header = tuple(say(f"column_{name}") for name in ("clock", "goal", "due", "status", "reason"))
        blocks.append(Table(header, tuple(rows)))
    blocks += [Paragraph((Text(line),)) for line in escalation_lines(judged, pack, destination)]
    if judged.issue.coverage is not None:
        blocks.append(Paragraph((Text(" ".join(_cover(judged.issue.coverage, destination.phrases))),)))
    released = fix_released(judged.issue)
    if released is not None:
        words = say("patch_line", release=released.release, at=destination.written(released.at))
        blocks.append(Paragraph((Text(words, url=released.url),)))
    blocks.append(Paragraph((Text(say("policy_line", policy=pack.name, digest=pack.digest[:8])),)))
    return Document(tuple(blocks))


def escalation_lines(judged: Judged, pack: PolicyPack, destination: Destination) -> Iterator[str]:
    """What the pack says while a level stands that was reached, or a pause that is forgotten."""
    phrases = destination.phrases
    for ladder in pack.ladders:
        verdict = judged.of(ladder.clock)
        if verdict is None:
            continue
        clock = clock_title(pack, ladder.clock, phrases.language)
        rung = highest(ladder.levels, verdict, verdict.judged_at)
        text = rung.level.text.get(phrases.language) if rung else None  # type: ignore[call-overload]  # any word asked
        if rung is not None and text:
            yield phrases.say("escalation_line", clock=clock, tier=rung.level.tier, text=text)
        forgotten = verdict.forgotten_since
        if ladder.forgotten_pause is not None and forgotten is not None:
            tier, said = ladder.forgotten_pause.tier, ladder.forgotten_pause.text.get(phrases.language, "")  # type: ignore[call-overload]  # as above
            at = destination.written(forgotten)
            yield phrases.say("forgotten_pause_line", clock=clock, tier=tier, at=at, text=said).rstrip()


def _cover(coverage: Coverage, phrases: Phrases) -> Iterator[str]:
    """The decision, the contract with its window, the clause, and whose word it was: a sentence each."""
    say = phrases.say
    decision, ground = phrases.decision(coverage.decision), phrases.ground(coverage.ground)
    yield say("coverage_line", decision=decision, ground=ground)
    window = coverage.window
    if window is not None:
        first, last = window.first.isoformat(), window.last.isoformat()
        yield say("coverage_window", contract=coverage.contract, first=first, last=last, zone=window.zone)
    elif coverage.contract:
        yield say("coverage_contract", contract=coverage.contract)
    elif len(coverage.candidates) > 1:
        yield say("coverage_candidates", contracts=", ".join(coverage.candidates))
    if coverage.clause:
        yield say("coverage_clause", clause=coverage.clause)
    if coverage.documents:
        yield say("coverage_documents", documents="; ".join(coverage.documents))
    if coverage.gap:
        yield say("coverage_gap", gap=coverage.gap)
    if coverage.overridden_by:
        decision, ground = phrases.decision(coverage.computed), phrases.ground(coverage.computed_ground)
        yield say("coverage_override", who=coverage.overridden_by, decision=decision, ground=ground)


def clock_title(pack: PolicyPack, clock: str, language: str) -> str:
    """What people call a clock in a language; its name in the pack where nothing is given."""
    known = pack.clocks.get(clock)
    return (known.title.get(language) if known else None) or clock.replace("_", " ")


def _row(verdict: Verdict, pack: PolicyPack, destination: Destination) -> tuple[tuple[Text, ...], ...]:
    phrases = destination.phrases
    if verdict.due_at is None or verdict.status is Status.INDETERMINATE:
        due = ""
    elif verdict.status is Status.PAUSED:
        due = phrases.say("due_unknown")
    else:
        due = destination.written(verdict.due_at)
    return (
        (Text(clock_title(pack, verdict.clock, phrases.language)),),
        (Text(phrases.goal(verdict.goal) if verdict.goal else ""),),
        (Text(due),),
        (Text(phrases.status(verdict.status), strong=verdict.status.breached),),
        (Text(phrases.reason(verdict.reason)),),
    )
