"""What the team should know of an issue beside its verdicts: facts that break no promise and still ask for a look.

Rules:

1. A signal changes no verdict and is never part of the note on an issue.
2. It rests on events up to ``now``, which it names; nothing here is guessed from what is missing.
3. Judging at the instant in question answers what the clock said then: no rule of a clock is repeated here.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import zip_longest
from typing import TYPE_CHECKING

from policies.clock import CUSTOMER, Reopen
from policies.history import moments, spells
from policies.issue import Commented, LabelsChanged, Role
from policies.severity import lowered
from policies.verdict import Status, judge

if TYPE_CHECKING:
    from policies.clock import Clock
    from policies.issue import Issue
    from policies.pack import PolicyPack
    from policies.verdict import Verdict


class SignalKind(StrEnum):
    """What there is to know.

    parked_pause: the customer has replied, and the status still says that we wait for the customer.
    late_downgrade: a person made the issue less grave within the last quarter of the promised time.
    hollow_response: the reply that counts as the first response only says that the report has arrived, and the clock
        promises more than that (``receipt_is_enough``).
    reopened_after_met: the promise was kept, and then the issue was reopened.
    label_removed: a person took off a label that we had put on.
    """

    PARKED_PAUSE = "parked_pause"
    LATE_DOWNGRADE = "late_downgrade"
    HOLLOW_RESPONSE = "hollow_response"
    REOPENED_AFTER_MET = "reopened_after_met"
    LABEL_REMOVED = "label_removed"


@dataclass(frozen=True, slots=True)
class Signal:
    """One thing to know.

    Attributes:
        clock: the clock it concerns; "" where it concerns the issue.
        at: when it came about.
        evidence: ids of the events it rests on, in order.
        detail: the pause's reason, the two severities, the label ("" if there is nothing to add). May be foreign text.
    """

    kind: SignalKind
    clock: str
    at: datetime
    evidence: tuple[str, ...] = ()
    detail: str = ""


_TICK = timedelta(microseconds=1)
_LAST_QUARTER = 0.75


def signals(issue: Issue, verdicts: Sequence[Verdict], pack: PolicyPack, now: datetime) -> tuple[Signal, ...]:
    """The signals of a judged issue, oldest first. Pure.

    Args:
        verdicts: what ``judge`` says of the issue under the pack at ``now``.
    """
    found: list[Signal] = []
    for name, clock in pack.clocks.items():
        mine = [verdict for verdict in verdicts if verdict.clock == name and verdict.started_at is not None]
        if mine:
            found += _parked(name, clock, issue, mine[-1], now)
            found += _hollow(name, clock, issue, mine, pack)
            found += _reopened(name, clock, issue, mine, pack)
    found += _downgraded(issue, verdicts, pack, now)
    found += _labels_removed(issue, now)
    if not found:
        return ()
    return tuple(sorted(found, key=lambda signal: (signal.at, signal.kind, signal.clock, signal.detail)))


# ------------------------------------------------------------------------------------------------------- parked pause


def _parked(name: str, clock: Clock, issue: Issue, verdict: Verdict, now: datetime) -> Iterator[Signal]:
    rules = [rule for rule in clock.pause if rule.party == CUSTOMER]
    if not rules or verdict.status.final:
        return
    row = [moment for moment in moments(issue) if moment.since <= now]
    for rule in rules:
        for begun, ended in spells(row, [rule.when.holds(moment) for moment in row]):
            if ended is not None:
                continue
            # The clock itself has seen the answer: its pause begins where the status does, and has ended.
            for pause in verdict.pauses:
                if pause.reason == rule.reason and pause.until is not None and pause.until >= begun.since:
                    yield Signal(SignalKind.PARKED_PAUSE, name, pause.until, pause.evidence, rule.reason)
                    break


# -------------------------------------------------------------------------------------------------------- downgrade


def _downgraded(issue: Issue, verdicts: Sequence[Verdict], pack: PolicyPack, now: datetime) -> Iterator[Signal]:
    known = [event for event in lowered(issue, pack) if event.at <= now]
    if not known:
        return
    # A clock of one promise has no other to change to.
    changing = {name: len(clock.goals) > 1 or clock.goals[0].when is not None for name, clock in pack.clocks.items()}
    # Each costs two judgements: a history of thousands must not make one issue cost what a thousand do.
    for event in known[-_MOST_LOOKED_AT:]:
        ran = [verdict.clock for verdict in verdicts if _ran_at(verdict, event.at) and changing.get(verdict.clock)]
        if not ran:
            continue
        after = {(verdict.clock, verdict.cycle): verdict for verdict in judge(issue, pack, event.at, ran)}
        for before in judge(issue, pack, event.at - _TICK, ran):
            then = after.get((before.clock, before.cycle))
            if then is None or before.status.final or not _late(before) or before.reason.clause == then.reason.clause:
                continue
            detail = f"{event.before or '-'} -> {event.after or '-'}"
            yield Signal(SignalKind.LATE_DOWNGRADE, before.clock, event.at, (event.id,), detail)


def _ran_at(verdict: Verdict, at: datetime) -> bool:
    ended = verdict.stopped_at
    return verdict.started_at is not None and verdict.started_at <= at and (ended is None or at <= ended)


def _late(verdict: Verdict) -> bool:
    """Whether three quarters of the promised time are used up a tick later, and not all of it."""
    if verdict.left is None or verdict.left < timedelta():
        return False
    return verdict.used + _TICK >= _LAST_QUARTER * (verdict.used + verdict.left)


# ------------------------------------------------------------------------------------------------------------ hollow

ACKNOWLEDGEMENTS = (
    "thank you for your report",
    "thank you for reporting this",
    "thank you for reporting",
    "thank you for contacting us",
    "thank you for your message",
    "thank you for your patience",
    "thank you for your understanding",
    "thank you very much",
    "thank you",
    "thanks for reporting",
    "thanks for the report",
    "thanks for your report",
    "thanks",
    "we have received your report",
    "we have received your request",
    "we have received your message",
    "we have received it",
    "we have received this",
    "we received your report",
    "we received it",
    "your report has been received",
    "your request has been received",
    "has been received",
    "well received",
    "received",
    "acknowledged",
    "noted",
    "we are looking into it",
    "we are looking into this",
    "we will look into it",
    "we will look into this",
    "we'll look into it",
    "we will investigate",
    "we are investigating",
    "looking into it",
    "looking into this",
    "will look into it",
    "will check",
    "we will get back to you",
    "will get back to you",
    "we'll get back to you",
    "as soon as possible",
    "asap",
    "shortly",
    "soon",
    "已收到您的反馈",
    "已收到您的问题",
    "已收到反馈",
    "我们已收到",
    "已经收到",
    "已收到",
    "收到",
    "感谢您的反馈",
    "感谢反馈",
    "感谢您的支持",
    "感谢",
    "谢谢",
    "我们会尽快处理",
    "会尽快处理",
    "尽快处理",
    "尽快",
    "我们正在查看",
    "正在查看",
    "正在处理",
    "处理中",
    "请稍等",
    "请稍候",
    "稍后回复您",
    "稍后回复",
    "知道了",
    "了解",
    "好的",
)
"""Phrases that say only that a report has arrived."""

_FILLERS = (
    *("hello", "hi", "dear", "good morning", "good afternoon", "kind regards", "best regards", "regards", "ok", "okay"),
    *("mr", "ms", "mrs", "sir", "madam", "team", "support", "all", "and", "the", "a", "an", "it", "this", "that", "to"),
    *("we", "you", "your", "our", "us", "i", "is", "are", "be", "have", "will", "for", "of", "in", "on", "at", "now"),
    *("issue", "ticket", "report", "request", "message", "problem", "case", "please", "wait", "further", "update"),
    *("您好", "你好", "亲爱的", "我们", "您", "你", "我", "的", "了", "会", "将", "请", "已", "在", "和", "并", "这个"),
    *("该", "问题", "反馈", "团队", "进一步", "先生", "女士"),
)
"""Words that add nothing to an acknowledgement."""

_LONGEST = 240
_MOST_LEFT = 2
_MOST_LOOKED_AT = 20
_WORDS = re.compile(r"\w")


def _hollow(name: str, clock: Clock, issue: Issue, verdicts: Sequence[Verdict], pack: PolicyPack) -> Iterator[Signal]:
    if clock.stop != "first_response" or clock.receipt_is_enough:
        return
    by_id = {event.id: event for event in issue.events if isinstance(event, Commented)}
    for verdict in verdicts:
        if verdict.stopped_at is None:
            continue
        reply = next((by_id[id_] for id_ in verdict.reason.evidence if id_ in by_id), None)
        names = (reply.actor.name, issue.reporter.name) if reply is not None else ()
        if reply is not None and only_acknowledges(reply.text, pack.acknowledgements, names):
            yield Signal(SignalKind.HOLLOW_RESPONSE, name, reply.at, (reply.id,))


def only_acknowledges(text: str, more: Sequence[str] = (), names: Sequence[str] = ()) -> bool:
    """Whether a reply says nothing but that a report has arrived: short, and nothing left beside known phrases.

    A reply without words (a picture, a gap) is not called hollow, nor is one with a single word of substance.

    Args:
        more: further phrases, of the pack.
        names: of the people it is from and to.
    """
    plain = _folded(text)
    if not plain or len(plain) > _LONGEST:
        return False
    left = _without(plain, {*ACKNOWLEDGEMENTS, *map(_folded, more)})
    if left == plain:
        return False
    left = _without(left, {part for name in names for part in (_folded(name), *_folded(name).split())})
    return len(_WORDS.findall(_without(left, set(_FILLERS)))) <= _MOST_LEFT


def _folded(text: str) -> str:
    apostrophe = "\N{RIGHT SINGLE QUOTATION MARK}"
    return " ".join(unicodedata.normalize("NFKC", text).casefold().replace(apostrophe, "'").split())


def _without(text: str, phrases: Iterable[str]) -> str:
    """The text less these phrases, the longest first."""
    for phrase in sorted(filter(None, phrases), key=lambda each: (-len(each), each)):
        # Latin phrases are whole words ("noted" is not in "denoted"); Chinese has no gaps between words.
        edge = r"\b" if phrase.isascii() else ""
        text = re.sub(f"{edge}{re.escape(phrase)}{edge}", " ", text)
    return text


# ---------------------------------------------------------------------------------------------------------- reopened


def _reopened(name: str, clock: Clock, issue: Issue, verdicts: Sequence[Verdict], pack: PolicyPack) -> Iterator[Signal]:
    if clock.reopen is Reopen.IGNORE or isinstance(clock.stop, str):
        return
    for verdict, again in zip_longest(verdicts, verdicts[1:]):
        # Only the time an issue stood closed has no party whose turn it was.
        stood = [
            (pause.since, pause.until, pause.evidence)
            for pause in verdict.pauses
            if pause.reason == "closed" and not pause.party and pause.until is not None
        ]
        for closed_at, reopened_at, evidence in stood[-_MOST_LOOKED_AT:]:
            if judge(issue, pack, closed_at, (name,))[-1].status is Status.MET:
                yield Signal(SignalKind.REOPENED_AFTER_MET, name, reopened_at, evidence)
        if verdict.status is Status.MET and again is not None and again.started_at is not None:
            yield Signal(SignalKind.REOPENED_AFTER_MET, name, again.started_at, again.reason.evidence[:1])


# ------------------------------------------------------------------------------------------------------------ labels


def _labels_removed(issue: Issue, now: datetime) -> Iterator[Signal]:
    changes = [event for event in issue.events if isinstance(event, LabelsChanged) and event.at <= now]
    if not [event for event in changes if event.actor.role is Role.OWN]:
        return
    ours: dict[str, bool] = {}
    taken: dict[str, LabelsChanged] = {}
    for event in changes:
        own = event.actor.role is Role.OWN
        for label in event.added:
            ours[label] = own
            taken.pop(label, None)
        for label in event.removed:
            if ours.get(label) and not own:
                taken[label] = event
    for label, event in taken.items():
        yield Signal(SignalKind.LABEL_REMOVED, "", event.at, (event.id,), label)
