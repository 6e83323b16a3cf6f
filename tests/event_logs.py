"""The event logs that every tracker has to tell alike: made by hand, made by dice, and those that one can not tell."""

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
    Difference,
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


def _log(title: str, *steps: Step, **facts: Any) -> Log:
    return Log(title=title, at=facts.pop("at", at("03-02 01:00")), steps=steps, **facts)


def _says(when: str, by: str, text: str = "A word", seconds: float = 0, *, internal: bool = False) -> Says:
    return Says(at=at(when, seconds), by=by, text=text, internal=internal)


def _to(when: str, state: State, by: str = FIRST, seconds: float = 0) -> Becomes:
    return Becomes(at=at(when, seconds), by=by, state=state)


HAND_MADE = Volume(
    (
        _log(
            "the first public reply by support counts, and nothing before it",
            _says("03-02 01:00", STRANGER, "Me too"),
            _says("03-02 01:05", OWN, "Our own line"),
            _says("03-02 01:06", ROBOT, "Thank you for your report"),
            _says("03-02 01:30", FIRST, "Between us: looks bad", internal=True),
            _says("03-02 02:00", COLLEAGUE, "Any news?"),
            _says("03-02 02:00", CUSTOMER, "Hello?", 1),
            _says("03-02 09:17", FIRST, "Please send the log\nof the last hour.", 23),
            _says("03-02 09:18", SECOND),
        ),
        _log(
            "an issue that support opened for a customer, and a hollow reply",
            _says("03-02 04:00", SECOND, "Thank you for your report."),
            _to("03-02 05:00", State.ACCEPTED),
            reporter=FIRST,
            severity=None,
            category=None,
        ),
        _log(
            "waiting for the customer, an answer, and back to work",
            _to("03-02 02:00", WORK),
            _to("03-02 06:11", ASKED, seconds=7),
            _says("03-03 02:02", CUSTOMER, "Here it is", 2),
            _to("03-03 07:00", WORK),
            _to("03-03 08:00", ASKED, SECOND),
            _says("03-03 08:30", FIRST, "Still there?", internal=True),
            _says("03-03 08:31", COLLEAGUE, "Yes"),
            _to("03-04 01:00", DONE, SECOND),
            severity="urgent",
        ),
        _log("a pause that is still open", _to("03-03 03:00", WORK), _to("03-03 04:00", ASKED), severity="high"),
        _log(
            "two pauses in one minute, over a weekend, one party after the other",
            _to("03-05 01:00", WORK),
            _to("03-06 08:00", ASKED, seconds=5),
            _to("03-06 08:00", WORK, seconds=31),
            _to("03-06 08:00", ASKED, seconds=32),
            _to("03-06 08:01", SUPPLIER),
            _to("03-10 02:00", WORK),
            category="performance",
        ),
        _log(
            "reopened three times within the window, and once long after",
            _says("03-02 02:00", FIRST),
            _to("03-02 09:00", DONE),
            _to("03-03 01:00", WORK, CUSTOMER),
            _to("03-03 05:00", DONE),
            _to("03-04 01:00", State.OPEN, CUSTOMER),
            _to("03-04 02:00", State.CLOSED),
            _to("03-05 01:00", SUPPLIER, CUSTOMER),
            _to("03-05 06:00", State.VERIFIED, CUSTOMER),
            _to("03-05 07:00", State.CLOSED),
            _to("03-19 07:00", State.OPEN, CUSTOMER),
            _to("03-20 07:00", DONE),
        ),
        _log(
            "graver and graver, and less grave when it was almost late",
            _to("03-02 01:30", State.ACCEPTED),
            Weighs(at=at("03-02 02:00"), by=FIRST, severity="normal"),
            Weighs(at=at("03-02 03:00"), by=FIRST, severity="high"),
            Weighs(at=at("03-03 03:00"), by=SECOND, severity="urgent"),
            Weighs(at=at("03-04 20:00"), by=SECOND, severity="normal"),
            Weighs(at=at("03-05 20:00"), by=SECOND, severity=None),
            severity=None,
        ),
        _log(
            "sorted anew: no category, performance, security",
            Sorts(at=at("03-02 03:00"), by=FIRST, category="performance"),
            Sorts(at=at("03-03 03:00"), by=SECOND, category="security"),
            Sorts(at=at("03-09 03:00"), by=SECOND, category=None),
            category=None,
        ),
        _log(
            "labels put on and taken off by hand",
            Labels(at=at("03-02 03:00"), by=FIRST, add=("on-hold", "vip")),
            Labels(at=at("03-02 09:00"), by=FIRST, add=("solution::offered",), remove=("vip",)),
            _to("03-02 09:30", State.ACCEPTED),
            Labels(at=at("03-03 09:00"), by=SECOND, remove=("solution::offered", "on-hold")),
            Labels(at=at("03-03 10:00"), by=SECOND, add=("patch::not-needed",)),
            _to("03-03 12:00", DONE),
            Labels(at=at("03-03 13:00"), by=SECOND, remove=("patch::not-needed", "old")),
            severity="high",
            labels=("old", "等待"),
        ),
        _log(
            "a label of ours that a person took off",
            Labels(at=at("03-05 03:00"), by=OWN, add=("warranty::resolution::overdue", "warranty::tier::L2")),
            Labels(at=at("03-05 04:00"), by=SECOND, remove=("warranty::resolution::overdue",)),
        ),
        _log(
            "handed over L1 to L2 to L3, to nobody, to somebody of no tier",
            Gives(at=at("03-02 03:00"), by=FIRST, to=SECOND),
            Gives(at=at("03-03 03:00"), by=SECOND, to=THIRD),
            Gives(at=at("03-03 09:00"), by=THIRD, to=None),
            Gives(at=at("03-04 09:00"), by=THIRD, to=STRANGER),
            Gives(at=at("03-04 10:00"), by=STRANGER, to=FIRST),
            _to("03-04 11:00", DONE),
            assignee=FIRST,
            category="security",
        ),
        _log(
            "handed over by one who stays out of it",
            Gives(at=at("03-02 03:00"), by=ROBOT, to=FIRST),
            Gives(at=at("03-02 05:00"), by=ROBOT, to=SECOND),
            Gives(at=at("03-02 09:00"), by=ROBOT, to=THIRD),
        ),
        _log(
            "the fix comes in a version that is published after it was done",
            _to("03-03 03:00", DONE),
            Plans(at=at("03-03 03:00"), by=FIRST, versions=("2.4.1",)),
        ),
        _log(
            "the fix is put off to a later version, which is not out yet",
            Plans(at=at("03-02 03:00"), by=FIRST, versions=("2.4.1",)),
            _to("03-03 03:00", DONE),
            Plans(at=at("03-04 03:00"), by=SECOND, versions=("3.0",)),
        ),
        _log(
            "the fix is in no version any more, though it was done",
            Plans(at=at("03-02 03:00"), by=FIRST, versions=("2.4.1",)),
            _to("03-03 03:00", DONE),
            Plans(at=at("03-04 03:00"), by=SECOND, versions=()),
            category="security",
        ),
        _log(
            "a merge ends it, and its release follows",
            _to("03-02 03:00", WORK),
            Merges(at=at("03-04 03:33"), by=SECOND, version="2.5.0"),
            severity="urgent",
        ),
        _log(
            "merged, and reopened because it did not help",
            Merges(at=at("03-04 05:00"), by=SECOND, version="2.5.0"),
            _to("03-04 09:00", WORK, CUSTOMER),
        ),
        _log(
            "dates to be met, moved and taken away",
            Dates(at=at("03-02 03:00"), by=FIRST, due=date(2026, 3, 9)),
            Dates(at=at("03-03 03:00"), by=FIRST, due=date(2026, 2, 28)),
            Dates(at=at("03-04 03:00"), by=FIRST, due=None),
            Dates(at=at("03-05 03:00"), by=FIRST, due=date(2026, 12, 31)),
            due=date(2026, 3, 5),
        ),
        _log(
            "confidential from the first, with words that the customer does not see",
            _says("03-02 02:00", FIRST, "Hidden", internal=True),
            _to("03-02 03:00", ASKED),
            _says("03-02 04:00", FIRST, "Seen"),
            _says("03-02 05:00", CUSTOMER, "Hidden too", internal=True),
            _says("03-03 05:00", CUSTOMER),
            confidential=True,
            category="security",
        ),
        _log("made confidential later", Hides(at=at("03-02 02:00"), by=FIRST), _says("03-02 03:00", FIRST)),
        _log(
            "much in one second, by two people",
            _to("03-02 03:00", WORK),
            _to("03-02 03:00", ASKED, SECOND),
            Weighs(at=at("03-02 03:00"), by=FIRST, severity="urgent"),
            Labels(at=at("03-02 03:00"), by=SECOND, add=("on-hold",)),
            Gives(at=at("03-02 03:00"), by=FIRST, to=SECOND),
            _says("03-02 03:00", CUSTOMER),
            _says("03-02 03:00", FIRST),
            _to("03-03 03:00", DONE),
            _to("03-03 03:00", WORK, CUSTOMER),
            _to("03-03 09:00", WORK, seconds=1),
            _to("03-03 09:00", DONE, SECOND, seconds=1),
            _says("03-03 09:00", CUSTOMER, "Works", 1),
        ),
        _log(
            "three people in one second, one of them twice",
            _to("03-02 03:00", SUPPLIER, STRANGER),
            Sorts(at=at("03-02 03:00"), by=CUSTOMER, category="security"),
            _to("03-02 03:00", State.ACCEPTED, THIRD),
            _to("03-02 03:00", State.CLOSED, CUSTOMER),
            _to("03-03 03:00", WORK),
            severity="urgent",
            category=None,
        ),
        _log(
            "the night the clocks go forward",
            _says("03-29 00:59", FIRST, seconds=59),
            _to("03-29 01:00", ASKED),
            _says("03-29 01:30", CUSTOMER),
            _to("03-29 03:00", DONE),
            at=at("03-28 22:30"),
            severity="urgent",
        ),
        _log(
            "the night the clocks go back, the same hour twice",
            _to("10-25 00:30", WORK),
            _to("10-25 00:45", ASKED),
            _says("10-25 01:30", CUSTOMER),
            _to("10-25 01:45", DONE),
            at=at("10-24 20:30"),
            severity="high",
        ),
        _log(
            "given up, taken up again, and given up for good",
            _says("03-02 02:00", FIRST),
            _to("03-02 03:00", State.CANCELLED),
            _to("03-04 03:00", WORK, CUSTOMER),
            _to("03-06 03:00", State.CANCELLED),
        ),
        _log(
            "words that look like history",
            _says("03-02 02:00", CUSTOMER, "closed"),
            _says("03-02 02:01", CUSTOMER, "added ~1 label"),
            _says("03-02 02:02", COLLEAGUE, "changed due date to March 4, 2026"),
            _says("03-02 02:03", CUSTOMER, "assigned to @kim"),
            _says("03-02 02:04", CUSTOMER, "severity::urgent 状态 → 已关闭 🚗"),
        ),
        _log("nothing ever happened to it", severity=None, category=None),
        _log(
            "a long thread with a long history",
            *(
                step
                for day in range(1, 29)
                for step in (
                    _says(f"05-{day:02} 02:00", (CUSTOMER, FIRST, SECOND)[day % 3], f"Word {day}", internal=day == 3),
                    _to(f"05-{day:02} 03:00", (WORK, ASKED, SUPPLIER, State.OPEN)[day % 4]),
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
        # Our account changes no state; that its severity can be taken off by a person is one of the differences below.
        by = dice.choice(PEOPLE if what not in {"becomes", "weighs", "sorts"} else PEOPLE[:-1])
        if (what, by) in changed and what != "says":
            # What one person puts on and takes off within a second is another of them.
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


# --------------------------------------------------------------------------------------------------------- differences


def _volume(*logs: Log, releases: Mapping[str, datetime | None] | None = None) -> Volume:
    return Volume(logs, releases or {})


_IN_PARTS = _log(
    "the customer answers in the second in which we asked",
    _to("03-02 02:00", WORK, seconds=0.75),
    _to("03-02 06:00", ASKED, seconds=5.25),
    _says("03-02 06:00", CUSTOMER, "Already sent", 5.5),
    _to("03-04 06:00", WORK, seconds=0.125),
    at=at("03-02 01:00", 0.5),
    severity="urgent",
)
_DONE = _log("done, and its release comes out at noon", _to("03-03 03:00", DONE))
_PLANNED = replace(_DONE, steps=(*_DONE.steps, Plans(at=at("03-03 04:00"), by=FIRST, versions=("2.4.1",))))
_TWO = replace(_DONE, title="the fix goes into two lines")
_OURS = _log(
    "a severity that our account raised and a person lowered",
    Weighs(at=at("03-02 03:00"), by=OWN, severity="high"),
    Weighs(at=at("03-02 04:00"), by=FIRST, severity="normal"),
)
_OUR_LABEL = replace(
    _OURS,
    steps=(
        _OURS.steps[0],
        Labels(at=at("03-02 03:00"), by=OWN, add=("severity::high",)),
        _OURS.steps[1],
        Labels(at=at("03-02 04:00"), by=FIRST, remove=("severity::high",)),
    ),
)
_FORTH = Labels(at=at("03-02 03:00"), by=FIRST, add=("on-hold",))
_BACK = replace(_FORTH, add=(), remove=("on-hold",))
_TWICE = _log("a label put on and taken off by one person in one second", _FORTH, _BACK, _says("03-02 03:01", FIRST))
_WAITED = _log(
    "the label of a state was deleted since",
    _to("03-02 02:00", WORK),
    _to("03-02 06:00", SUPPLIER),
    _to("03-04 06:00", WORK),
    severity="urgent",
)
_NAMELESS = replace(_WAITED, steps=(_WAITED.steps[0], _to("03-02 06:00", State.OPEN), _WAITED.steps[2]))
_GIVEN_UP = _log(
    "given up by a resolution, taken up again, and given up for good",
    _to("03-02 03:00", State.CANCELLED),
    _to("03-04 03:00", WORK, CUSTOMER),
    _to("03-06 03:00", State.CANCELLED),
)
_CLOSED_FIRST = replace(_GIVEN_UP, steps=(_to("03-02 03:00", State.CLOSED), *_GIVEN_UP.steps[1:]))


def _cut(log: Log) -> Log:
    """The log to the second."""
    steps = tuple(replace(step, at=step.at.replace(microsecond=0)) for step in log.steps)
    return replace(log, at=log.at.replace(microsecond=0), steps=steps)


def _fixed_in(log: Log, *versions: str) -> Log:
    return replace(log, steps=(*log.steps, Plans(at=at("03-03 04:00"), by=FIRST, versions=versions)))


def _merged(title: str, when: str, version: str) -> Log:
    return _log(title, Merges(at=at(when), by=FIRST, version=version))


_LINES: Mapping[str, datetime | None] = {"2.4.1": at("03-09 00:00"), "2.5.0": at("03-11 00:00")}
_SECOND_MERGE = _merged("merged later, for the release that comes first", "03-04 03:00", "2.4.1")

DIFFERENCES = (
    Difference(
        kind="gitlab",
        why="its history knows whole seconds: of two things in one second it has no first",
        happened=_volume(_IN_PARTS),
        told=_volume(_cut(_IN_PARTS)),
    ),
    Difference(
        kind="jira",
        why="a version has a date of release, not an instant: it counts from the start of that day in UTC",
        happened=_volume(_PLANNED, releases={"2.4.1": at("03-09 12:34")}),
        told=_volume(_PLANNED, releases={"2.4.1": at("03-09 00:00")}),
    ),
    Difference(
        kind="gitlab",
        why="an issue has one milestone: of several versions only the last one set is told",
        happened=_volume(_fixed_in(_TWO, "2.4.1", "2.5.0"), releases=_LINES),
        told=_volume(_fixed_in(_TWO, "2.5.0"), releases=_LINES),
    ),
    Difference(
        kind="gitlab",
        why="git tells which release holds a merge: what was declared for a later one is out with the earlier one's tag",
        happened=_volume(_merged("merged for 2.5.0", "03-03 03:00", "2.5.0"), _SECOND_MERGE, releases=_LINES),
        told=_volume(_merged("merged for 2.5.0", "03-03 03:00", "2.4.1"), _SECOND_MERGE, releases=_LINES),
    ),
    Difference(
        kind="gitlab",
        why="the severity is a label: where a person takes ours off, that is a label of ours taken off",
        happened=_volume(_OURS),
        told=_volume(_OUR_LABEL),
    ),
    Difference(
        kind="gitlab",
        why="what one person puts on and takes off within a second leaves nothing: not even who it was",
        happened=_volume(_TWICE),
        told=_volume(replace(_TWICE, steps=_TWICE.steps[2:])),
    ),
    Difference(
        kind="gitlab",
        why="a deleted label is told without its name: the pause that it stood for is not known any more",
        happened=Volume((_WAITED,), deleted=("state::waiting_for_third_party",)),
        told=_volume(_NAMELESS),
    ),
    Difference(
        kind="jira",
        why="a resolution is read as it is now: what an issue was closed for before it was reopened is not told",
        happened=Volume((_GIVEN_UP,), by_resolution=True),
        told=Volume((_CLOSED_FIRST,), by_resolution=True),
    ),
)
