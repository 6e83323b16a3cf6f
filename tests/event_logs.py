"""The event logs that every tracker has to tell alike: made by hand, and made by dice."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from policies.issue import State
from tests.event_log import (
    CATEGORIES,
    COLLEAGUE,
    CUSTOMER,
    FIRST,
    OWN,
    PEOPLE,
    ROBOT,
    SECOND,
    SEVERITIES,
    STRANGER,
    THIRD,
    Becomes,
    Dates,
    Gives,
    Hides,
    Labels,
    Log,
    Merges,
    Plans,
    Says,
    Sorts,
    Step,
    Volume,
    Weighs,
    midnight,
)

WORK, ASKED, SUPPLIER, DONE = (
    State.IN_PROGRESS,
    State.WAITING_FOR_CUSTOMER,
    State.WAITING_FOR_THIRD_PARTY,
    State.RESOLVED,
)


def at(text: str, seconds: float = 0) -> datetime:
    """An instant of 2026 in UTC: "03-02 09:30" is the second of March, half past nine."""
    return datetime.fromisoformat(f"2026-{text[:5]}T{text[6:]}:00+00:00") + timedelta(seconds=seconds)


# --------------------------------------------------------------------------------------------------------- hand-made


def a_log(title: str, *steps: Step, **facts: Any) -> Log:
    return Log(title=title, at=facts.pop("at", at("03-02 01:00")), steps=steps, **facts)


def says(when: str, by: str, text: str = "A word", seconds: float = 0, *, internal: bool = False) -> Says:
    return Says(at=at(when, seconds), by=by, text=text, internal=internal)


def to(when: str, state: State, by: str = FIRST, seconds: float = 0) -> Becomes:
    return Becomes(at=at(when, seconds), by=by, state=state)


HAND_MADE = Volume(
    (
        a_log(
            "the first public reply by support counts, and nothing before it",
            says("03-02 01:00", STRANGER, "Me too"),
            says("03-02 01:05", OWN, "Our own line"),
            says("03-02 01:06", ROBOT, "Thank you for your report"),
            says("03-02 01:30", FIRST, "Between us: looks bad", internal=True),
            says("03-02 02:00", COLLEAGUE, "Any news?"),
            says("03-02 02:00", CUSTOMER, "Hello?", 1),
            says("03-02 09:17", FIRST, "Please send the log\nof the last hour.", 23),
            says("03-02 09:18", SECOND),
        ),
        a_log(
            "an issue that support opened for a customer, and a hollow reply",
            says("03-02 04:00", SECOND, "Thank you for your report."),
            to("03-02 05:00", State.ACCEPTED),
            reporter=FIRST,
            severity=None,
            category=None,
        ),
        a_log(
            "waiting for the customer, an answer, and back to work",
            to("03-02 02:00", WORK),
            to("03-02 06:11", ASKED, seconds=7),
            says("03-03 02:02", CUSTOMER, "Here it is", 2),
            to("03-03 07:00", WORK),
            to("03-03 08:00", ASKED, SECOND),
            says("03-03 08:30", FIRST, "Still there?", internal=True),
            says("03-03 08:31", COLLEAGUE, "Yes"),
            to("03-04 01:00", DONE, SECOND),
            severity="urgent",
        ),
        a_log("a pause that is still open", to("03-03 03:00", WORK), to("03-03 04:00", ASKED), severity="high"),
        a_log(
            "two pauses in one minute, over a weekend, one party after the other",
            to("03-05 01:00", WORK),
            to("03-06 08:00", ASKED, seconds=5),
            to("03-06 08:00", WORK, seconds=31),
            to("03-06 08:00", ASKED, seconds=32),
            to("03-06 08:01", SUPPLIER),
            to("03-10 02:00", WORK),
            category="performance",
        ),
        a_log(
            "reopened three times within the window, and once long after",
            says("03-02 02:00", FIRST),
            to("03-02 09:00", DONE),
            to("03-03 01:00", WORK, CUSTOMER),
            to("03-03 05:00", DONE),
            to("03-04 01:00", State.OPEN, CUSTOMER),
            to("03-04 02:00", State.CLOSED),
            to("03-05 01:00", SUPPLIER, CUSTOMER),
            to("03-05 06:00", State.VERIFIED, CUSTOMER),
            to("03-05 07:00", State.CLOSED),
            to("03-19 07:00", State.OPEN, CUSTOMER),
            to("03-20 07:00", DONE),
        ),
        a_log(
            "graver and graver, and less grave when it was almost late",
            to("03-02 01:30", State.ACCEPTED),
            Weighs(at=at("03-02 02:00"), by=FIRST, severity="normal"),
            Weighs(at=at("03-02 03:00"), by=FIRST, severity="high"),
            Weighs(at=at("03-03 03:00"), by=SECOND, severity="urgent"),
            Weighs(at=at("03-04 20:00"), by=SECOND, severity="normal"),
            Weighs(at=at("03-05 20:00"), by=SECOND, severity=None),
            severity=None,
        ),
        a_log(
            "sorted anew: no category, performance, security",
            Sorts(at=at("03-02 03:00"), by=FIRST, category="performance"),
            Sorts(at=at("03-03 03:00"), by=SECOND, category="security"),
            Sorts(at=at("03-09 03:00"), by=SECOND, category=None),
            category=None,
        ),
        a_log(
            "labels put on and taken off by hand",
            Labels(at=at("03-02 03:00"), by=FIRST, add=("on-hold", "vip")),
            Labels(at=at("03-02 09:00"), by=FIRST, add=("solution::offered",), remove=("vip",)),
            to("03-02 09:30", State.ACCEPTED),
            Labels(at=at("03-03 09:00"), by=SECOND, remove=("solution::offered", "on-hold")),
            Labels(at=at("03-03 10:00"), by=SECOND, add=("patch::not-needed",)),
            to("03-03 12:00", DONE),
            Labels(at=at("03-03 13:00"), by=SECOND, remove=("patch::not-needed", "old")),
            severity="high",
            labels=("old", "等待"),
        ),
        a_log(
            "a label of ours that a person took off",
            Labels(at=at("03-05 03:00"), by=OWN, add=("warranty::resolution::overdue", "warranty::tier::L2")),
            Labels(at=at("03-05 04:00"), by=SECOND, remove=("warranty::resolution::overdue",)),
        ),
        a_log(
            "handed over L1 to L2 to L3, to nobody, to somebody of no tier",
            Gives(at=at("03-02 03:00"), by=FIRST, to=SECOND),
            Gives(at=at("03-03 03:00"), by=SECOND, to=THIRD),
            Gives(at=at("03-03 09:00"), by=THIRD, to=None),
            Gives(at=at("03-04 09:00"), by=THIRD, to=STRANGER),
            Gives(at=at("03-04 10:00"), by=STRANGER, to=FIRST),
            to("03-04 11:00", DONE),
            assignee=FIRST,
            category="security",
        ),
        a_log(
            "handed over by one who stays out of it",
            Gives(at=at("03-02 03:00"), by=ROBOT, to=FIRST),
            Gives(at=at("03-02 05:00"), by=ROBOT, to=SECOND),
            Gives(at=at("03-02 09:00"), by=ROBOT, to=THIRD),
        ),
        a_log(
            "the fix comes in a version that is published after it was done",
            to("03-03 03:00", DONE),
            Plans(at=at("03-03 03:00"), by=FIRST, versions=("2.4.1",)),
        ),
        a_log(
            "the fix is put off to a later version, which is not out yet",
            Plans(at=at("03-02 03:00"), by=FIRST, versions=("2.4.1",)),
            to("03-03 03:00", DONE),
            Plans(at=at("03-04 03:00"), by=SECOND, versions=("3.0",)),
        ),
        a_log(
            "the fix is in no version any more, though it was done",
            Plans(at=at("03-02 03:00"), by=FIRST, versions=("2.4.1",)),
            to("03-03 03:00", DONE),
            Plans(at=at("03-04 03:00"), by=SECOND, versions=()),
            category="security",
        ),
        a_log(
            "a merge ends it, and its release follows",
            to("03-02 03:00", WORK),
            Merges(at=at("03-04 03:33"), by=SECOND, version="2.5.0"),
            severity="urgent",
        ),
        a_log(
            "merged, and reopened because it did not help",
            Merges(at=at("03-04 05:00"), by=SECOND, version="2.5.0"),
            to("03-04 09:00", WORK, CUSTOMER),
        ),
        a_log(
            "dates to be met, moved and taken away",
            Dates(at=at("03-02 03:00"), by=FIRST, due=date(2026, 3, 9)),
            Dates(at=at("03-03 03:00"), by=FIRST, due=date(2026, 2, 28)),
            Dates(at=at("03-04 03:00"), by=FIRST, due=None),
            Dates(at=at("03-05 03:00"), by=FIRST, due=date(2026, 12, 31)),
            due=date(2026, 3, 5),
        ),
        a_log(
            "confidential from the first, with words that the customer does not see",
            says("03-02 02:00", FIRST, "Hidden", internal=True),
            to("03-02 03:00", ASKED),
            says("03-02 04:00", FIRST, "Seen"),
            says("03-02 05:00", CUSTOMER, "Hidden too", internal=True),
            says("03-03 05:00", CUSTOMER),
            confidential=True,
            category="security",
        ),
        a_log("made confidential later", Hides(at=at("03-02 02:00"), by=FIRST), says("03-02 03:00", FIRST)),
        a_log(
            "much in one second, by two people",
            to("03-02 03:00", WORK),
            to("03-02 03:00", ASKED, SECOND),
            Weighs(at=at("03-02 03:00"), by=FIRST, severity="urgent"),
            Labels(at=at("03-02 03:00"), by=SECOND, add=("on-hold",)),
            Gives(at=at("03-02 03:00"), by=FIRST, to=SECOND),
            says("03-02 03:00", CUSTOMER),
            says("03-02 03:00", FIRST),
            to("03-03 03:00", DONE),
            to("03-03 03:00", WORK, CUSTOMER),
            to("03-03 09:00", WORK, seconds=1),
            to("03-03 09:00", DONE, SECOND, seconds=1),
            says("03-03 09:00", CUSTOMER, "Works", 1),
        ),
        a_log(
            "three people in one second, one of them twice",
            to("03-02 03:00", SUPPLIER, STRANGER),
            Sorts(at=at("03-02 03:00"), by=CUSTOMER, category="security"),
            to("03-02 03:00", State.ACCEPTED, THIRD),
            to("03-02 03:00", State.CLOSED, CUSTOMER),
            to("03-03 03:00", WORK),
            severity="urgent",
            category=None,
        ),
        a_log(
            "the night the clocks go forward",
            says("03-29 00:59", FIRST, seconds=59),
            to("03-29 01:00", ASKED),
            says("03-29 01:30", CUSTOMER),
            to("03-29 03:00", DONE),
            at=at("03-28 22:30"),
            severity="urgent",
        ),
        a_log(
            "the night the clocks go back, the same hour twice",
            to("10-25 00:30", WORK),
            to("10-25 00:45", ASKED),
            says("10-25 01:30", CUSTOMER),
            to("10-25 01:45", DONE),
            at=at("10-24 20:30"),
            severity="high",
        ),
        a_log(
            "given up, taken up again, and given up for good",
            says("03-02 02:00", FIRST),
            to("03-02 03:00", State.CANCELLED),
            to("03-04 03:00", WORK, CUSTOMER),
            to("03-06 03:00", State.CANCELLED),
        ),
        a_log(
            "words that look like history",
            says("03-02 02:00", CUSTOMER, "closed"),
            says("03-02 02:01", CUSTOMER, "added ~1 label"),
            says("03-02 02:02", COLLEAGUE, "changed due date to March 4, 2026"),
            says("03-02 02:03", CUSTOMER, "assigned to @kim"),
            says("03-02 02:04", CUSTOMER, "severity::urgent 状态 → 已关闭 🚗"),
        ),
        a_log("nothing ever happened to it", severity=None, category=None),
        a_log(
            "a long thread with a long history",
            *(
                step
                for day in range(1, 29)
                for step in (
                    says(f"05-{day:02} 02:00", (CUSTOMER, FIRST, SECOND)[day % 3], f"Word {day}", internal=day == 3),
                    to(f"05-{day:02} 03:00", (WORK, ASKED, SUPPLIER, State.OPEN)[day % 4]),
                    Labels(
                        at=at(f"05-{day:02} 04:00"),
                        by=FIRST,
                        add=(f"day-{day}",),
                        remove=(f"day-{day - 1}",) if day > 1 else (),
                    ),
                )
            ),
            at=at("05-01 01:00"),
        ),
    ),
    {"2.4.1": at("03-09 00:00"), "2.5.0": at("03-11 00:00"), "3.0": None},
)


# -------------------------------------------------------------------------------------------------------- made by dice

_GAPS = (0, 0, 1, 59, 60, 2_220, 18_000, 93_600, 259_200)


def by_dice(seed: int, logs: int) -> Volume:
    """Logs that anything may happen in; the same seed gives the same ones."""
    dice = random.Random(seed)  # noqa: S311 - it must repeat, not be secret
    releases = {"1.0": midnight(at("03-06 00:00")), "1.1": midnight(at("03-20 00:00")), "2.0": None}
    return Volume(tuple(_by_dice(dice, f"seed {seed}, log {number}") for number in range(logs)), releases)


def _by_dice(dice: random.Random, title: str) -> Log:
    now = at("03-02 00:00") + timedelta(seconds=dice.randrange(27 * 86_400))
    log = Log(
        title=title,
        at=now,
        reporter=dice.choice((CUSTOMER, CUSTOMER, COLLEAGUE, FIRST)),
        severity=dice.choice((None, *SEVERITIES)),
        category=dice.choice((None, *CATEGORIES)),
        labels=tuple(name for name in _BY_HAND if dice.random() < 0.2),
        assignee=dice.choice((None, FIRST, SECOND)),
        confidential=dice.random() < 0.1,
    )
    present: dict[str, Any] = {
        "becomes": State.OPEN, "weighs": log.severity, "sorts": log.category, "labels": set(log.labels),
        "gives": log.assignee, "dates": None, "plans": (),
    }  # fmt: skip
    steps: list[Step] = []
    changed: set[tuple[str, str]] = set()
    for _ in range(dice.randrange(16)):
        # The sandbox's GitLab has no order between the opening and a change in the same instant.
        gap = dice.choice(_GAPS if steps else _GAPS[2:])
        changed = changed if gap == 0 else set()
        now += timedelta(seconds=gap)
        what = dice.choice(("says", "says", "becomes", "becomes", "becomes", *present))
        # Our account changes no state; that its severity can be taken off by a person is a difference (``event_logs_apart``).
        by = dice.choice(PEOPLE if what not in {"becomes", "weighs", "sorts"} else PEOPLE[:-1])
        if (what, by) in changed and what != "says":
            # What one person puts on and takes off within a second is another.
            continue
        step = _step(dice, what, by, now, present)
        if step is not None:
            steps.append(step)
            changed.add((what, by))
    return replace(log, steps=tuple(steps))


_BY_HAND = ("on-hold", "solution::offered", "patch::not-needed", "vip")


def _step(dice: random.Random, what: str, by: str, now: datetime, present: dict[str, Any]) -> Step | None:
    """Something that changes what is present; None where it would not."""
    if what == "says":
        return Says(at=now, by=by, text=f"Word {dice.randrange(99)}", internal=dice.random() < 0.3)
    if what == "labels":
        name = dice.choice(_BY_HAND)
        on = name not in present["labels"]
        present["labels"] ^= {name}
        return Labels(at=now, by=by, add=(name,) if on else (), remove=() if on else (name,))
    values: Mapping[str, tuple[Any, ...]] = {
        "becomes": tuple(State),
        "weighs": (None, *SEVERITIES),
        "sorts": (None, *CATEGORIES),
        "gives": (None, *PEOPLE),
        "dates": (None, date(2026, 3, 20), date(2026, 4, 1)),
        "plans": ((), ("1.0",), ("1.1",), ("2.0",)),
    }
    value = dice.choice(values[what])
    if value == present[what]:
        return None
    present[what] = value
    make: Mapping[str, Callable[[], Step]] = {
        "becomes": lambda: Becomes(at=now, by=by, state=value),
        "weighs": lambda: Weighs(at=now, by=by, severity=value),
        "sorts": lambda: Sorts(at=now, by=by, category=value),
        "gives": lambda: Gives(at=now, by=by, to=value),
        "dates": lambda: Dates(at=now, by=by, due=value),
        "plans": lambda: Plans(at=now, by=by, versions=value),
    }
    return make[what]()
