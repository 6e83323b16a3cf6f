"""Business-time cases in a neutral form, computed by our own engine and compared with what their source expects.

Rules:

1. A figure is computed through the public API of ``BusinessCalendar``, or by ``judge`` where a goal may stop to hold;
   the case's own answer is only compared with.
2. Where sources disagree, our reading is compared with the case's reading of the same name: a budget that runs out at
   closing is due at the closing instant, and plain business time stands where a source counts something else.
3. What neither can decide is not applicable, with a reason a person understands; never agreement by default.
4. Pauses are intervals, merged, and clipped to working time. Time while closed counts as a pause.
5. How sources write calendars: hours that end at 23:59 end at midnight, a range of holidays that lacks one of its ends
   names no day, one that is yearly holds each year.
6. What a case states in words is read from the words, and computed only if all of it was understood.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from policies.business_calendar import ALWAYS, BusinessCalendar
from policies.day_table import FIRST_YEAR, LAST_YEAR
from policies.duration import WorkingDays
from policies.issue import Actor, Issue, IssueRef, Opened, PriorityChanged, State, Word, utc
from policies.local_span import LocalSpan, Weekday, hours
from policies.pack import PolicyPack
from policies.verdict import judge

Case = Mapping[str, Any]
"""One case as parsed from JSON: id, kind, calendar, start, end, events, target_minutes, expected, own_check ..."""


@dataclass(frozen=True, slots=True)
class Agrees:
    """Our figures are those expected. Attributes: found: each figure by its name."""

    found: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Differs:
    """At least one figure differs. Attributes: expected, found: the figures compared, by name."""

    expected: Mapping[str, object]
    found: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class NotApplicable:
    """Not for the calendar to answer. Attributes: reason: why, in words."""

    reason: str


Outcome = Agrees | Differs | NotApplicable

_Figures = dict[str, object]

_OF_OWN_CHECK = timedelta(milliseconds=1)
"""The figures of ``own_check`` are minutes with six digits."""

_NOT_THE_CALENDAR = {
    "rule": "states a rule about which events set a deadline; a clock decides it, not a calendar",
    "first_response": "asks which message is the first response; a clock decides it, not a calendar",
    "escalation_ladder": "asks for the levels of an escalation ladder; a clock decides it, not a calendar",
    "deadline_calendar_days": "counts calendar days, which our goals do not know",
}


def compute(case: Case) -> Outcome:
    """Compute one case and compare.

    Args:
        case: a parsed case; the data it came from describes the fields.

    Raises:
        CalendarError: the case's calendar makes no sense.
        ValueError: the case holds an instant that is none (unless that is what the case is about).
    """
    reason = _not_applicable(case)
    if reason is not None:
        return NotApplicable(reason)
    found, expected = _COMPUTED[case["kind"]](case), _expected(case)
    if unknown := sorted(set(expected) - set(found)):
        return NotApplicable(f"expects {', '.join(unknown)}, which the calendar does not know")
    tolerance = timedelta(seconds=case.get("tolerance_seconds", 0))
    if _reading(case) == "own_check":
        tolerance = max(tolerance, _OF_OWN_CHECK)
    compared = {name: found[name] for name in expected}
    if all(_same(expected[name], compared[name], tolerance) for name in expected):
        return Agrees(compared)
    return Differs(expected, compared)


def calendar_of(case: Case) -> BusinessCalendar:
    """The case's calendar. One without any hours, as in cases about local time alone, is open round the clock.

    Raises:
        CalendarError: it makes no sense.
    """
    stated = case["calendar"]
    replaced = {**(stated.get("extra_workdays") or {}), **(stated.get("date_hours") or {})}
    holidays = {day for text in stated.get("holidays") or () for day in _dates(text)}
    holidays |= {day for stretch in stated.get("holiday_ranges") or () for day in _days(stretch)}
    exceptions = {date.fromisoformat(day): _hours(spans) for day, spans in replaced.items()}
    week = _week(stated["weekly"])
    return BusinessCalendar(
        id=str(case["id"]),
        zone=stated["tz"],
        weekly=week if any(week.values()) or exceptions else ALWAYS.weekly,
        weekly_from={
            date.fromisoformat(later["from"]): _week(later["weekly"]) for later in stated.get("versions") or ()
        },
        holidays=holidays,
        exceptions=exceptions,
        breaks={date.fromisoformat(day): _hours(spans) for day, spans in (stated.get("breaks") or {}).items()},
    )


# ------------------------------------------------------------------------------------------------- what is found by us


def _deadline(case: Case) -> _Figures:
    calendar, start, left = calendar_of(case), _instant(case["start"]), _target(case)
    assert left is not None  # a case without a goal is not applicable
    for since, until in _pauses(case):
        if until is not None and until <= start:
            continue
        used = calendar.elapsed(start, since)
        if used >= left:
            break
        if until is None:
            return {"deadline": None}
        left -= used
        start = max(start, until)
    return {"deadline": calendar.advance(start, left)}


def _deadline_in_days(case: Case) -> _Figures:
    calendar, start = calendar_of(case), _instant(case["start"])
    until_close = "end_of_day" in (case.get("tags") or ())
    due = calendar.due(start, WorkingDays(case["target_business_days"], until_close=until_close))
    for since, until in _pauses(case):
        if since >= due:
            break
        if until is None:
            return {"deadline": None}
        due = calendar.advance(due, calendar.elapsed(max(since, start), until))
    return {"deadline": due}


def _elapsed(case: Case) -> _Figures:
    calendar, start, end = calendar_of(case), _instant(case["start"]), _instant(case["end"])
    elapsed = calendar.elapsed(start, end)
    for since, until in _pauses(case):
        elapsed -= calendar.elapsed(max(since, start), end if until is None else min(until, end))
    found: _Figures = {"elapsed_minutes": elapsed}
    target = _target(case)
    if target is not None:
        found |= {"remaining_minutes": target - elapsed, "breached": elapsed > target}
    return found


def _status(case: Case) -> _Figures:
    found = _elapsed(case)
    if "breached" in found:
        # The source's words for a clock that still runs, and for one that is past its goal.
        clock = str(case["clock"]).replace("_", " ").title()
        found["status"] = "Failed" if found["breached"] else f"{clock} Due"
    return found


def _is_open(case: Case) -> _Figures:
    return {"open": calendar_of(case).is_open(_instant(case["start"]))}


def _policy_change(case: Case) -> _Figures:
    word = _only_priority(case)
    return _deadline(case) if word is None else {"deadline": _deadline_under(case, word)}


def _deadline_under(case: Case, word: str) -> datetime | None:
    """When a clock is due whose one goal is for issues of this priority, judged at the last change of it."""
    promise = {"when": {"priority": word}, "within": f"{case['target_minutes']}bm"}
    shape = {"id": "case", "version": 1, "calendar": "case"}
    clocks = {"clock": {"stop": "first_response", "goals": [promise]}}
    pack = PolicyPack.model_validate({**shape, "clocks": clocks}).with_calendars({"case": calendar_of(case)})
    start, held = _instant(case["start"]), Word("", word)
    events: list[Opened | PriorityChanged] = [Opened(id="opened", at=start)]
    for number, event in enumerate(case["events"], start=1):
        if event["type"] == "priority_change":
            before, held = held, Word("", str(event["to"]))
            at = _instant(event["at"])
            events.append(PriorityChanged(id=f"event-{number}", at=at, before=before, after=held))
    issue = Issue(
        ref=IssueRef(tracker="case", project="case", key=str(case["id"]), id="1"),
        title=str(case["id"]),
        type=Word("", "case"),
        status=Word("", State.OPEN.value),
        state=State.OPEN,
        reporter=Actor(id="customer"),
        opened_at=start,
        updated_at=events[-1].at,
        priority=held,
        events=tuple(events),
    )
    (verdict,) = judge(issue, pack, events[-1].at)
    return verdict.due_at


def _workday(case: Case) -> _Figures:
    if (stated := _noon_to_noon(case)) is not None:
        return {"value": case["expected"]["value"] if _holds(calendar_of(case), stated) else "it does not hold"}
    calendar, day = calendar_of(case), date.fromisoformat(case["start"])
    return {"workday": calendar.is_working_day(day), "value": {"is_holiday": day in calendar.holidays}}


def _holds(calendar: BusinessCalendar, working: timedelta) -> bool:
    """Whether so much working time after noon is noon of the next day, on each day of a week of every month of a year."""
    first = date(2026, 1, 1)
    days = (first + timedelta(days=30 * month + day) for month in range(12) for day in range(7))
    return all(calendar.advance(_noon(calendar, day), working) == _noon(calendar, day + timedelta(1)) for day in days)


def _noon(calendar: BusinessCalendar, day: date) -> datetime:
    return calendar.resolve_local(datetime.combine(day, time(12)))


def _local_time(case: Case) -> _Figures:
    calendar = calendar_of(case)
    resolved = calendar.resolve_local(datetime.fromisoformat(case["start"]))
    return {"value": calendar.local(resolved).replace(tzinfo=None).isoformat()}


def _refused(case: Case) -> _Figures:
    try:
        datetime.fromisoformat(case["start"])
    except ValueError:
        return {"status": "error"}
    return {"status": "accepted"}


_COMPUTED: Mapping[str, Callable[[Case], _Figures]] = {
    "deadline": _deadline,
    "deadline_business_days": _deadline_in_days,
    "elapsed": _elapsed,
    "invalid": _refused,
    "is_open": _is_open,
    "local_time": _local_time,
    "policy_change": _policy_change,
    "status_at": _status,
    "workday": _workday,
}


# -------------------------------------------------------------------------------------------------- what is to be found


def _reading(case: Case) -> str:
    """Which of the case's figures states our reading: its expectation, or what its own check found."""
    agreement = str(case.get("agreement", "agrees"))
    if agreement == "source_only" or agreement.startswith("agrees_boundary_"):
        return "own_check"
    return "expected"


def _expected(case: Case) -> _Figures:
    expected: _Figures = dict(case["expected"])
    if _reading(case) == "own_check":
        check = case["own_check"]
        if "deadline" in expected:
            expected["deadline"] = check["deadline_period_end"]
        if "elapsed_minutes" in expected:
            expected["elapsed_minutes"] = check["elapsed_minutes"]
    for name, value in expected.items():
        if name == "deadline" and value is not None:
            expected[name] = _instant(str(value))
        if name.endswith("_minutes") and isinstance(value, int | float):
            expected[name] = timedelta(minutes=value)
    return expected


def _same(expected: object, found: object, tolerance: timedelta) -> bool:
    if isinstance(expected, datetime) and isinstance(found, datetime):
        return abs(expected - found) <= tolerance
    if isinstance(expected, timedelta) and isinstance(found, timedelta):
        return abs(expected - found) <= tolerance
    return expected == found


def _not_applicable(case: Case) -> str | None:
    kind = str(case["kind"])
    beyond = _NOT_THE_CALENDAR.get(kind)
    if case.get("agreement") == "rule_not_computed" and kind != "invalid" and not _understood(case):
        return str(case.get("note") or beyond or "a rule whose figure its source does not state")
    if beyond is None and kind not in _COMPUTED:
        return f"cases of kind {kind!r} are unknown here"
    if beyond is None and not case["expected"]:
        return "expects no figure"
    if beyond is None and kind in {"deadline", "policy_change"} and _target(case) is None:
        return "names no goal in minutes, so there is no deadline to compute"
    return beyond


# ------------------------------------------------------------------------------------------------- what the case states

_ONLY_PRIORITY = re.compile(r'matches only priority "([^"]+)"')
_NOON_TO_NOON = re.compile(r"(?<![0-9])([0-9]{1,4}) business hours after noon is noon next day")


def _only_priority(case: Case) -> str | None:
    """The one priority that the case's policy is for, where its note says so."""
    if not any(event["type"] == "priority_change" for event in case.get("events") or ()):
        return None
    found = _ONLY_PRIORITY.search(str(case.get("note") or ""))
    return found[1] if found else None


def _noon_to_noon(case: Case) -> timedelta | None:
    """The working time of which the case says in words that it leads from noon to the next noon."""
    value = case["expected"].get("value")
    found = _NOON_TO_NOON.search(value) if isinstance(value, str) else None
    return timedelta(hours=int(found[1])) if found else None


def _understood(case: Case) -> bool:
    """Whether a rule that the source states without a figure can be computed all the same."""
    match str(case["kind"]):
        case "workday":
            value = case["expected"].get("value")
            asked = isinstance(value, dict) and set(value) == {"is_holiday"} and bool(case.get("start"))
            return asked or _noon_to_noon(case) is not None
        case "policy_change":
            return _only_priority(case) is not None
        case _:
            return False


def _target(case: Case) -> timedelta | None:
    """The goal; the last one, where the policy changed in flight (counted from the start)."""
    minutes = case.get("target_minutes")
    for event in case.get("events") or ():
        if event["type"] == "policy_change":
            minutes = event.get("new_target_minutes")
    return None if minutes is None else timedelta(minutes=minutes)


_STOPS = {"pause": "resume", "closed": "reopened"}


def _pauses(case: Case) -> list[tuple[datetime, datetime | None]]:
    """When the case's clock stood still: merged, ascending, an end of None for a pause that is still open."""
    found: list[tuple[datetime, datetime | None]] = []
    if "pause_not_applied" in (case.get("tags") or ()):
        return found
    open_since: dict[str, datetime] = {}
    # In one instant a resume comes before a pause: back-to-back pauses join, in whatever order they were listed.
    for event in sorted(case.get("events") or (), key=lambda event: (_instant(event["at"]), event["type"] in _STOPS)):
        if event.get("applies_to", case["clock"]) != case["clock"]:
            continue
        at, kind = _instant(event["at"]), event["type"]
        if kind in _STOPS:
            open_since.setdefault(kind, at)
        for stop, resume in _STOPS.items():
            if kind == resume and stop in open_since:
                found.append((open_since.pop(stop), at))
    found += [(since, None) for since in open_since.values()]
    return _merged(found)


def _merged(pauses: Iterable[tuple[datetime, datetime | None]]) -> list[tuple[datetime, datetime | None]]:
    merged: list[tuple[datetime, datetime | None]] = []
    for since, until in sorted(pauses, key=lambda pause: pause[0]):
        last = merged[-1] if merged else None
        if last is None or (last[1] is not None and last[1] < since):
            merged.append((since, until))
        else:
            merged[-1] = (last[0], None if last[1] is None or until is None else max(last[1], until))
    return merged


def _instant(text: str) -> datetime:
    return utc(datetime.fromisoformat(text))


def _hours(spans: Iterable[Iterable[str]]) -> tuple[LocalSpan, ...]:
    return hours(*("-".join(span) for span in spans))


def _week(weekly: Mapping[Weekday, Iterable[Iterable[str]]]) -> dict[Weekday, tuple[LocalSpan, ...]]:
    return {
        day: _hours((opens, "24:00" if closes == "23:59" else closes) for opens, closes in spans)
        for day, spans in weekly.items()
    }


def _days(stretch: Mapping[str, Any]) -> Iterator[date]:
    """Each day of a range of holidays; none if it lacks an end."""
    if not stretch.get("from") or not stretch.get("to"):
        return
    first, last = date.fromisoformat(stretch["from"]), date.fromisoformat(stretch["to"])
    length = (last - first).days
    for year in range(FIRST_YEAR, LAST_YEAR + 1) if stretch.get("yearly") else (first.year,):
        try:
            begins = first.replace(year=year)
        except ValueError:  # 29 February
            continue
        days = (begins + timedelta(days) for days in range(length + 1))
        yield from (day for day in days if day.year <= LAST_YEAR)


def _dates(text: str) -> Iterable[date]:
    """A date, or with a star for the year that day of every year that has it."""
    if not text.startswith("*-"):
        return (date.fromisoformat(text),)
    found = []
    for year in range(FIRST_YEAR, LAST_YEAR + 1):
        try:
            found.append(date.fromisoformat(f"{year}{text[1:]}"))
        except ValueError:  # 29 February
            continue
    return found
