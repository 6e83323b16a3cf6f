"""Which published release carries which fix."""

from __future__ import annotations

from datetime import datetime

from policies.issue import FixReleased, Issue, Release
from policies.patch import Releases
from tests.policies.build_issue import at, build_issue


def release(
    name: str, hour: float | None, *, tracker: str = "here", project: str = "CAR", carries: str = ""
) -> Release:
    published: datetime | None = at(hour) if hour is not None else None
    pairs = ((carries, f"merge request of {name}"),) if carries else ()
    url = f"https://releases.example/{name}"
    return Release(tracker=tracker, project=project, name=name, url=url, published_at=published, carries=pairs)


def fix(issue: Issue, *releases: Release, hour: float = 100) -> FixReleased | None:
    found = Releases(releases).applied_to(issue, at(hour))
    return next((event for event in found.events if isinstance(event, FixReleased)), None)


FIXED = build_issue(fix_versions=("1.4.2",))


def test_a_fix_version_counts_from_its_publication() -> None:
    found = fix(FIXED, release("1.4.2", 50))
    assert found is not None
    assert (found.at, found.release, found.evidence) == (at(50), "1.4.2", "fix version 1.4.2")


def test_a_release_that_is_not_published_yet_carries_nothing() -> None:
    assert fix(FIXED, release("1.4.2", None)) is None
    assert fix(FIXED, release("1.4.2", 50), hour=49.9) is None
    assert fix(FIXED, release("1.4.2", 50), hour=50) is not None


def test_a_version_of_the_same_name_elsewhere_carries_nothing() -> None:
    assert fix(FIXED, release("1.4.2", 50, project="VAN")) is None
    assert fix(FIXED, release("1.4.2", 50, tracker="there")) is None


def test_a_release_of_another_tracker_that_names_the_issue_carries_its_fix() -> None:
    found = fix(build_issue(), release("v9", 50, tracker="there", project="acme/car", carries="CAR-1"))
    assert found is not None
    assert found.evidence == "merge request of v9"
    assert fix(build_issue(), release("v9", 50, carries="CAR-12")) is None


def test_the_first_release_published_counts_whatever_order_they_are_read_in() -> None:
    both = (release("1.4.2", 60), release("1.3.9", 55, carries="CAR-1"))
    for order in (both, both[::-1]):
        found = fix(FIXED, *order)
        assert found is not None
        assert found.release == "1.3.9"


def test_a_release_older_than_the_issue_counts_from_its_opening() -> None:
    found = fix(FIXED, release("1.4.2", -500))
    assert found is not None
    assert found.at == FIXED.opened_at


def test_applying_the_releases_again_changes_nothing() -> None:
    releases = Releases([release("1.4.2", 50)])
    once = releases.applied_to(FIXED, at(60))
    assert releases.applied_to(once, at(60)) == once
