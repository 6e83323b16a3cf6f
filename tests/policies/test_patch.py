"""Which published release carries which fix."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.issue import FixReleased, Issue, Release, State
from policies.patch import Releases, may_be_released, may_change
from policies.verdict import Judged, Status, judge
from tests.policies.build_issue import at, becomes, build_issue, build_pack, released
from tests.policies.random_issues import HOURS, issues


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


PATCH = build_pack(patch={"stop": "patch_released", "goals": [{"within": "48h"}]})


@pytest.mark.parametrize(
    ("issue", "hour", "status", "told"),
    [
        (build_issue(), 10, Status.RUNNING, False),
        (build_issue(becomes(5, State.RESOLVED)), 10, Status.RUNNING, True),
        (build_issue(), 49, Status.OVERDUE, True),
        (build_issue(released(60)), 70, Status.MISSED, True),
        (build_issue(released(20)), 70, Status.MET, False),
        (build_issue(becomes(5, State.CANCELLED)), 10, Status.CANCELLED, False),
    ],
)
def test_nobody_is_told_that_a_patch_is_late_that_may_have_been_released(
    issue: Issue, hour: float, status: Status, *, told: bool
) -> None:
    judged = Judged(issue, judge(issue, PATCH, at(hour)))
    assert [verdict.status for verdict in judged.verdicts] == [status]
    assert may_be_released(judged, PATCH) is told


def test_a_clock_that_stops_elsewhere_waits_for_no_release() -> None:
    pack = build_pack(resolution={"stop": {"state": "resolved"}, "goals": [{"within": "48h"}]})
    judged = Judged(build_issue(), judge(build_issue(), pack, at(60)))
    assert not may_be_released(judged, pack)
    assert not may_be_released(judged, PATCH), "of a clock that the pack no longer has"


MENDED = build_pack(
    answer={"stop": "first_response", "goals": [{"within": "48h"}]},
    patch={"start": {"state": "resolved"}, "stop": "patch_released", "goals": [{"within": "48h"}]},
)


@settings(max_examples=150, deadline=None)
@given(issues(), HOURS, st.lists(HOURS, max_size=2), st.booleans())
def test_no_release_changes_what_is_said_not_to_be_changed_by_one(
    issue: Issue, hour: float, published: list[float], on_time: bool
) -> None:
    now = at(max(hour, *published) if on_time and published else hour)
    judged = Judged(issue, judge(issue, MENDED, now))
    releases = Releases([release(f"v{one}", one, carries=issue.ref.key) for one in published])
    with_fix = judge(releases.applied_to(issue, now), MENDED, now)
    assert may_change(judged, MENDED) or with_fix == judged.verdicts


@pytest.mark.parametrize(
    ("issue", "changed"),
    [
        (build_issue(), False),
        (build_issue(becomes(5, State.RESOLVED)), True),
        (build_issue(becomes(5, State.RESOLVED), released(20)), True),
        (build_issue(becomes(5, State.CANCELLED)), False),
    ],
    ids=["not mended", "mended", "released", "cancelled"],
)
def test_a_release_can_change_the_verdict_of_a_clock_that_it_stops_once_that_has_begun(
    issue: Issue, *, changed: bool
) -> None:
    assert may_change(Judged(issue, judge(issue, MENDED, at(30))), MENDED) is changed
