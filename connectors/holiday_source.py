"""Public holidays as the package ``holidays`` knows them. The only module that asks it."""

from __future__ import annotations

import difflib
import re
from datetime import date, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from policies.calendar_freeze import PublicHolidays

if TYPE_CHECKING:
    from holidays import HolidayBase

_LANGUAGE = "en_US"
_FURTHEST_AHEAD = 10
_CAPITAL = re.compile(r"(?<=[a-z])(?=[A-Z])")


class UnknownCountry(ValueError):
    """Attributes: found: what was asked for. nearest: the code most likely meant, "" if none is near."""

    def __init__(self, found: str, expected: str, nearest: str) -> None:
        self.found, self.expected, self.nearest = found, expected, nearest
        super().__init__(f"{found!r} is no {expected}" + (f" (did you mean {nearest!r}?)" if nearest else ""))


def read(place: str, years: range) -> PublicHolidays:
    """What the package knows of a country, or of a part of it.

    Args:
        place: an ISO 3166 code: ``CN``, or ``DE-BY`` for a subdivision.
        years: the years asked for.

    Raises:
        UnknownCountry: the package knows no such country or subdivision.
    """
    import holidays  # takes a while, and only this command needs it

    country, _, part = place.partition("-")
    country = _country(country)
    kind = type(holidays.country_holidays(country))
    part = next((known for known in kind.subdivisions if known.casefold() == part.casefold()), part)
    if part and part not in kind.subdivisions:
        known = ", ".join(kind.subdivisions) or "it has none"
        near = next(iter(difflib.get_close_matches(part.upper(), kind.subdivisions, n=1, cutoff=0.5)), "")
        raise UnknownCountry(place, f"subdivision of {country}: {known}", f"{country}-{near}" if near else "")
    covered = range(max(years.start, kind.start_year), min(years[-1], kind.end_year) + 1)
    language = _LANGUAGE if _LANGUAGE in kind.supported_languages else None
    found = holidays.country_holidays(country, subdiv=part or None, years=covered, language=language)
    # A make-up day lies in the year of the day off, or next to it.
    make_up_days = {day for day in found.weekend_workdays if day.year in covered}
    off = _days_off(found)
    return PublicHolidays(
        country=f"{country}-{part}" if part else country,
        name=_CAPITAL.sub(" ", _name(country)) + (f" ({part})" if part else ""),
        weekend=frozenset(found.weekend),
        holidays={day: name for day, name in found.items() if day.year in covered},
        make_up_days={day: off.get(day) for day in make_up_days},
        last_make_up_year=_last_make_up_year(country, part, years),
        estimated=_estimated(found),
        first_year=kind.start_year,
        last_year=kind.end_year,
        works=found.is_working_day,
        source=f"PyPI package holidays {version('holidays')}, country {country}"
        + (f", subdivision {part}" if part else ""),
    )


def _country(found: str) -> str:
    import holidays
    from holidays.registry import COUNTRIES

    codes = set(holidays.list_supported_countries(include_aliases=False))
    if found.upper() in codes:
        return found.upper()
    names = {name.replace("_", " "): codes_of[1] for name, codes_of in COUNTRIES.items()}
    names |= {codes_of[2].casefold(): codes_of[1] for codes_of in COUNTRIES.values()}
    folded = found.casefold().replace("_", " ")
    near = next(iter(difflib.get_close_matches(folded, names, n=1, cutoff=0.6)), "")
    code = names.get(near) or next(iter(difflib.get_close_matches(found.upper(), sorted(codes), n=1, cutoff=0.5)), "")
    raise UnknownCountry(
        found, f"country that the package holidays {version('holidays')} knows: write its ISO code", code
    )


def _name(country: str) -> str:
    from holidays.registry import COUNTRIES

    return next(codes[0] for codes in COUNTRIES.values() if codes[1] == country)


def _days_off(found: HolidayBase) -> dict[date, date]:
    """Make-up day -> the day off it works in place of, as the package's own label of that day says."""
    if not found.has_substituted_holidays:
        return {}
    label, form = (found.tr(_text(found, name)) for name in ("substituted_label", "substituted_date_format"))
    written = re.compile(re.escape(label).replace("%s", "(.+?)"))
    off: dict[date, date] = {}
    for day, name in sorted(found.items()):
        for part in name.split("; "):
            if match := written.fullmatch(part):
                # A plain date: the label holds no time of day, so that there is no zone to it.
                off.setdefault(datetime.strptime(match[1], form).date(), day)  # noqa: DTZ007
    return off


def _text(found: Any, name: str) -> str:
    return str(getattr(found, name))


def _last_make_up_year(country: str, part: str, years: range) -> int | None:
    """The last year in which the package knows a make-up day, looked for from long before to well after those asked."""
    import holidays

    wide = range(years.start - _FURTHEST_AHEAD, years.stop + _FURTHEST_AHEAD)
    found = holidays.country_holidays(country, subdiv=part or None, years=wide)
    return max((day.year for day in found.weekend_workdays), default=None)


def _estimated(found: HolidayBase) -> frozenset[int]:
    labels = {
        found.tr(_text(found, name))
        for name in ("estimated_label", "observed_estimated_label")
        if getattr(found, name, None)
    }
    written = [re.compile(re.escape(label).replace("%s", ".+?")) for label in labels]
    return frozenset(
        day.year
        for day, name in found.items()
        if any(label.fullmatch(part) for part in name.split("; ") for label in written)
    )
