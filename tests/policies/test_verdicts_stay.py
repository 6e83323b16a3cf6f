"""Verdicts of some thousand random histories, as one digest a pack: a faster way to judge is still the same judge.

The digests were taken before judging was made faster. One that changes where nothing but speed was meant to change
is a defect; where a rule was changed on purpose, the new digest is in the failure and the commit says why.
"""

from __future__ import annotations

import hashlib
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from policies.issue import (
    CategoryChanged,
    Commented,
    FixReleased,
    Gap,
    GapKind,
    Issue,
    IssueRef,
    LabelsChanged,
    Opened,
    SeverityChanged,
    State,
    StateChanged,
    Word,
)
from policies.loader import load_calendar
from policies.pack import PolicyPack
from policies.verdict import judge
from tests.policies.build_issue import AGENT, BOT, COLLEAGUE, CUSTOMER, DELETED, OWN, RESOLUTION

if TYPE_CHECKING:
    from policies.issue import Event
    from policies.verdict import Verdict

CALENDARS = Path(__file__).resolve().parents[2] / "policies" / "calendars"
FIRST = datetime(2025, 9, 1, tzinfo=UTC)  # the National Day of 2025 and the Spring Festival of 2026 lie ahead
ISSUES = 400
# Spelt out: a further state or gap would change what is drawn, and with it every digest.
STATES = (
    State.OPEN,
    State.ACCEPTED,
    State.IN_PROGRESS,
    State.WAITING_FOR_CUSTOMER,
    State.WAITING_FOR_THIRD_PARTY,
    State.RESOLVED,
    State.VERIFIED,
    State.CLOSED,
    State.CANCELLED,
)
GAPS = (GapKind.HISTORY, GapKind.COMMENTS, GapKind.CREATION)
SEVERITIES = ("urgent", "high", "normal", None)


def _goals(*within: str) -> list[dict[str, Any]]:
    goals: list[dict[str, Any]] = [
        {"when": {"severity": word}, "within": text}
        for word, text in zip(("urgent", "high"), within[:-1], strict=False)
    ]
    last, _, until = within[-1].partition(" until ")
    return [*goals, {"within": last, "until": until} if until else {"within": last}]


CLOCKS: dict[str, dict[str, Any]] = {
    "resume": {
        "first_response": {"stop": "first_response", "goals": [{"within": "6bh"}]},
        "resolution": {**RESOLUTION, "goals": _goals("8h", "48h", "5bd"), "at_risk": "60%"},
        "patch": {"stop": "patch_released", "start": "accepted", "goals": [{"within": "240h"}]},
    },
    "new_cycle": {
        "resolution": {
            **RESOLUTION,
            "goals": _goals("2bd", "20bh", "10bd until close_of_business"),
            "reopen": "new_cycle",
            "on_retarget": "from_change",
        },
        "triage": {
            "stop": {"not": {"state": "open"}},
            "start": {"any": [{"label": "vip"}, {"category": "defect"}]},
            "reopen": "new_cycle",
            "goals": [{"when": {"not": {"severity": "urgent"}}, "within": "3bd"}],
        },
    },
    "ignore": {
        "resolution": {
            **RESOLUTION,
            "goals": _goals("4bh", "1bd", "3bd until close_of_business"),
            "reopen": "ignore",
            "on_retarget": "from_start",
        },
        "workaround": {
            "stop": {"any": [{"label": "workaround"}, {"state": ["resolved", "closed"]}]},
            "pause": [{"when": {"all": [{"state": "waiting_for_customer"}, {"label": "vip"}]}, "reason": "vip waits"}],
            "floor": "4bh",
            "goals": _goals("90m", "1bd", "30bh"),
        },
    },
}
LADDER = [{"at": "50%", "tier": "L2"}, {"at": "100%", "tier": "L3"}, {"at": "150%", "tier": "L3"}]

DIGESTS = {
    "resume": "818e96144065f5e2d32c49380c60d5d45af6bdf312ce4c2394b363192fa0d339",
    "new_cycle": "723505f79beaeb4674c18818fb17c4b420aaf3d0c0a36aac5be8972416ab7a68",
    "ignore": "2b40ea5ff1750a32ec162c1f6ca9378a381f8d6f0329ab46831d778098bab643",
}


@pytest.mark.parametrize("clocks", CLOCKS)
def test_the_verdicts_of_random_histories_are_those_of_before(clocks: str) -> None:
    chosen = random.Random(20251001)  # noqa: S311 - the same histories in every run
    pack = _pack(clocks)
    digest = hashlib.sha256()
    for number in range(ISSUES):
        issue = _issue(number, chosen)
        for _ in range(3):
            now = FIRST + timedelta(minutes=30 * chosen.randrange(48 * 240))
            for verdict in judge(issue, pack, now):
                digest.update(_told(verdict).encode())
    assert digest.hexdigest() == DIGESTS[clocks]


def _pack(clocks: str) -> PolicyPack:
    shape = {
        "id": "trial",
        "version": 1,
        "calendar": "cn-office",
        "severities": ["urgent", "high", "normal"],
        "categories": ["defect", "security"],
        "clocks": CLOCKS[clocks],
        "actions": [
            {"do": "escalate", "clock": "resolution", "levels": LADDER},
            {"do": "priority", "when": {"label": "vip"}, "at_least": "high"},
        ],
    }
    calendar = load_calendar(CALENDARS / "cn-office.yaml")
    return PolicyPack.model_validate(shape).with_calendars({calendar.id: calendar})


def _told(verdict: Verdict) -> str:
    """Every field of a verdict that the policy does not merely pass on."""
    reason = verdict.reason
    pauses = [(_at(p.since), _at(p.until), p.reason, p.party, p.evidence) for p in verdict.pauses]
    instants = (verdict.started_at, verdict.due_at, verdict.stopped_at, verdict.next_change_at)
    return repr(
        (
            (verdict.clock, verdict.cycle, verdict.status.value, reason.code.value, reason.clause),
            (reason.evidence, reason.detail, verdict.calendar, str(verdict.goal)),
            [_at(instant) for instant in instants],
            (str(verdict.used), str(verdict.left), str(verdict.gross), verdict.provisional),
            pauses,
            [(int(str(share).rstrip("%")), _at(at)) for share, at in verdict.thresholds],
        )
    )


def _at(instant: datetime | None) -> str:
    return instant.isoformat() if instant else "-"


def _issue(number: int, chosen: random.Random) -> Issue:
    opened = FIRST + timedelta(minutes=30 * chosen.randrange(48 * 150))
    at, state = opened, State.OPEN
    severity: str | None = "normal"
    category: str | None = "defect"
    labels: set[str] = set()
    events: list[Event] = [] if chosen.random() < 0.05 else [Opened(id="opened", at=opened, actor=CUSTOMER)]
    for step in range(chosen.randrange(18)):
        # Often at the same instant, so that ties are judged too.
        at += timedelta(minutes=30 * chosen.choice((0, 0, 1, 3, 7, 16, 48, 48 * 3, 48 * 9)))
        name = f"{number}-{step}"
        kind = chosen.randrange(12)
        actor = chosen.choice((AGENT, AGENT, CUSTOMER, CUSTOMER, COLLEAGUE, BOT, OWN, DELETED))
        if kind < 3:
            events.append(Commented(id=name, at=at, actor=actor, comment=name, public=chosen.random() < 0.8))
        elif kind < 8:
            after = chosen.choice(STATES)
            events.append(StateChanged(id=name, at=at, actor=actor, before=state, after=after))
            state = after
        elif kind < 10:
            other = chosen.choice(SEVERITIES)
            events.append(SeverityChanged(id=name, at=at, actor=actor, before=severity, after=other))
            severity = other
        elif kind == 10:
            word = chosen.choice(("vip", "workaround"))
            gone = word in labels
            labels ^= {word}
            added, removed = ((), (word,)) if gone else ((word,), ())
            events.append(LabelsChanged(id=name, at=at, actor=actor, added=added, removed=removed))
        elif chosen.random() < 0.5:
            events.append(FixReleased(id=name, at=at, release="1.4.2"))
        else:
            kind_of = chosen.choice(("defect", "security", None))
            events.append(CategoryChanged(id=name, at=at, actor=actor, before=category, after=kind_of))
            category = kind_of
    gaps = (Gap(chosen.choice(GAPS), "entries not delivered"),) if chosen.random() < 0.1 else ()
    return Issue(
        ref=IssueRef("here", "CAR", f"CAR-{number}", str(number)),
        title="The wipers stop",
        type=Word("1", "Bug"),
        status=Word("1", "Open"),
        reporter=CUSTOMER,
        opened_at=opened,
        updated_at=at,
        labels=frozenset(labels),
        state=state,
        severity=severity,
        category=category,
        events=tuple(events),
        gaps=gaps,
    )
