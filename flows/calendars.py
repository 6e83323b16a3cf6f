"""``warranty calendars freeze``: a country's public holidays into a dated calendar file."""

from __future__ import annotations

import difflib
import re
import sys
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

from connectors import holiday_source
from connectors.holiday_source import UnknownCountry
from flows import json_text
from flows.exit_codes import Exit
from flows.refusal import Refusal
from policies.calendar_freeze import FrozenCalendar, frozen
from policies.day_table import FIRST_YEAR, LAST_YEAR
from policies.local_span import CalendarError, LocalSpan

_YEARS = re.compile(r"([0-9]{4})(?:-([0-9]{4}))?")
_ID = re.compile(r"[a-z][a-z0-9_-]{0,59}")
_MOST_YEARS = 50
_ZONES = {"CN": "Asia/Shanghai"}
"""Where all of a country keeps one time by law; elsewhere the contract's zone has to be named."""


def freeze(
    place: str,
    years: str,
    *,
    hours: str,
    zone: str | None,
    id_: str | None,
    known_through: int | None,
    today: date,
    out: Path | None,
    as_json: bool,
) -> Exit:
    """Write the calendar to a file, or to stdout where none is named.

    Raises:
        Refusal: with every mistake of the command line; or a calendar that can not be frozen.
    """
    made = calendar(place, years, hours=hours, zone=zone, id_=id_, known_through=known_through, today=today)
    if out is not None:
        try:
            out.write_text(made.text(), encoding="utf-8")
        except OSError as error:
            raise Refusal(f"{out}: {error.strerror}", Exit.BAD_INPUT) from None
    shape = made.shape
    if as_json:
        told = {
            "calendar": shape,
            "digest": shape.build().digest,
            "left_out": {str(year): reason for year, reason in made.left_out.items()},
            "file": str(out) if out else None,
        }
        sys.stdout.write(json_text.document(told) + "\n")
        return Exit.FINE
    if out is None:
        sys.stdout.write(made.text())
    for line in _told(made, out):
        sys.stderr.write(line + "\n")
    return Exit.FINE


def calendar(
    place: str, years: str, *, hours: str, zone: str | None, id_: str | None, known_through: int | None, today: date
) -> FrozenCalendar:
    """The calendar a command line asks for. Raises as ``freeze`` does."""
    wrong: list[str] = []
    span = _years(years, wrong)
    texts = _hours(hours, wrong)
    zone = zone or _ZONES.get(place.upper())
    if zone is None:
        wrong.append("--zone: name the contract's, such as Europe/Berlin")
    else:
        _check_zone(zone, wrong)
    if id_ is not None and not _ID.fullmatch(id_):
        wrong.append(f"--id {id_!r}: a word of small letters, digits, - and _ that starts with a letter")
    try:
        known = holiday_source.read(place, span or range(today.year, today.year + 1))
    except UnknownCountry as error:
        wrong.insert(0, str(error))
        raise Refusal("\n  ".join(wrong), Exit.BAD_INPUT) from None
    if span is None or zone is None or wrong:
        raise Refusal("\n  ".join(wrong), Exit.BAD_INPUT)
    try:
        return frozen(
            known,
            span,
            id_=id_ or f"{known.country.casefold()}-office",
            zone=zone,
            hours=texts,
            read_on=today,
            known_through=known_through,
        )
    except CalendarError as error:
        raise Refusal(str(error), Exit.BAD_INPUT) from None


def _told(made: FrozenCalendar, out: Path | None) -> list[str]:
    shape = made.shape
    count = f"{len(shape.holidays)} holidays, {len(shape.make_up_days)} make-up working days"
    lines = [
        f"{out or shape.id}: {shape.valid_from} to {shape.valid_through}, {count}, digest {shape.build().digest[:8]}"
    ]
    return lines + [f"{year} left out: {reason}" for year, reason in made.left_out.items()]


def _years(text: str, wrong: list[str]) -> range | None:
    written = _YEARS.fullmatch(text.strip())
    if written is None:
        wrong.append(f"years {text!r}: write 2024-2027, or 2026")
        return None
    first, last = int(written[1]), int(written[2] or written[1])
    if last < first:
        wrong.append(f"years {text!r} run backwards (did you mean '{last}-{first}'?)")
    elif not FIRST_YEAR <= first <= last <= LAST_YEAR or last - first >= _MOST_YEARS:
        wrong.append(f"years {text!r}: from {FIRST_YEAR} to {LAST_YEAR}, at most {_MOST_YEARS} of them")
    else:
        return range(first, last + 1)
    return None


def _hours(text: str, wrong: list[str]) -> tuple[str, ...]:
    spans: list[LocalSpan] = []
    for part in text.split(","):
        try:
            spans.append(LocalSpan.parse(part))
        except CalendarError as error:
            wrong.append(f"--hours: {error}")
    return tuple(str(span) for span in sorted(spans))


def _check_zone(zone: str, wrong: list[str]) -> None:
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError):
        near = next(iter(difflib.get_close_matches(zone, sorted(available_timezones()), n=1, cutoff=0.5)), "")
        wrong.append(f"--zone {zone!r} is no IANA zone" + (f" (did you mean {near!r}?)" if near else ""))
