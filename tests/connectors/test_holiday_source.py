"""Public holidays as the package ``holidays`` knows them."""

from __future__ import annotations

from datetime import date

import pytest

from connectors import holiday_source
from connectors.holiday_source import UnknownCountry


def test_a_make_up_day_is_known_with_the_day_off_it_stands_for() -> None:
    known = holiday_source.read("CN", range(2024, 2028))
    assert known.make_up_days[date(2024, 2, 4)] == date(2024, 2, 15)
    assert all(known.make_up_days.values())
    assert {day.year for day in known.make_up_days} == {2024, 2025, 2026}
    assert known.works(date(2024, 2, 4))
    assert not known.works(date(2024, 2, 15))


def test_the_last_year_with_make_up_days_does_not_hang_on_the_years_asked_for() -> None:
    asked = (range(2016, 2017), range(2024, 2028), range(2027, 2028))
    assert [holiday_source.read("CN", years).last_make_up_year for years in asked] == [2026, 2026, 2026]


def test_a_country_that_never_moves_a_working_day_has_no_such_year() -> None:
    known = holiday_source.read("DE", range(2025, 2026))
    assert known.last_make_up_year is None
    assert known.lacks(2025) == ""


def test_estimated_dates_are_told_by_their_year() -> None:
    known = holiday_source.read("AE", range(2025, 2028))
    assert 2025 not in known.estimated
    assert 2027 in known.estimated


def test_a_subdivision_has_its_own_days_whatever_its_case() -> None:
    bavaria, city = (holiday_source.read(place, range(2025, 2026)) for place in ("de-by", "DE-augsburg"))
    assert (bavaria.country, city.country) == ("DE-BY", "DE-Augsburg")
    assert date(2025, 8, 8) not in bavaria.holidays
    assert date(2025, 8, 8) in city.holidays


def test_another_weekend_is_another_weekend() -> None:
    assert holiday_source.read("IL", range(2025, 2026)).weekend == {4, 5}


@pytest.mark.parametrize(
    ("place", "nearest"), [("China", "CN"), ("CHN", "CN"), ("Germny", "DE"), ("germany-by", "DE"), ("DE-BJ", "DE-BY")]
)
def test_an_unknown_place_names_the_nearest(place: str, nearest: str) -> None:
    with pytest.raises(UnknownCountry) as refused:
        holiday_source.read(place, range(2025, 2026))
    assert refused.value.nearest.startswith(nearest[:2])
    assert "did you mean" in str(refused.value)


def test_a_country_without_subdivisions_says_so() -> None:
    with pytest.raises(UnknownCountry, match="it has none"):
        holiday_source.read("CN-SH", range(2025, 2026))
