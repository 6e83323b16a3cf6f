"""Issues are judged while they are read, and come to the same as those that are judged from the ledger."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from connectors import registry
from connectors.ledger import Kept, Ledger
from connectors.tracker import Capabilities, CredentialsRefused, ServerFailed, TrackerReader, Unreadable
from flows import collecting
from flows.judging import Judgement, Judging, judge_collected
from flows.run import Collected
from flows.site import Site
from flows.sitting import Sitting
from policies.issue import Actor, FixReleased, Issue, Release, Word
from tests.flows.workshop import NOW, at
from tests.memory_tracker import MemoryReader

if TYPE_CHECKING:
    from tests.flows.workshop import Workshop


@pytest.fixture
def sitting(workshop: Workshop) -> Iterator[Sitting]:
    with Ledger.open("sqlite://") as ledger:
        ledger.begin_run("one", "workshop", NOW)
        yield Sitting(Site.load(workshop.file), ledger, "one", NOW)


def taking(judging: Judging) -> collecting.Onward:
    def take(tracker: str, own: str, _: Capabilities, kept: Kept) -> None:
        judging.take(tracker, own, kept.issue, awake=kept.awake)

    return take


def shown(found: Judgement) -> object:
    return found.judged, found.reports, found.skipped, found.releases


def keys(found: Judgement) -> list[str]:
    return [one.issue.ref.key for one in found.judged]


def test_what_is_judged_while_it_is_read_comes_to_the_same_as_from_the_ledger(
    workshop: Workshop, sitting: Sitting, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = Release("north", "CAR", "1.1", "", at("07 10:00"), (("CAR-1", "a merge"), ("VAN-1", "too")))
    monkeypatch.setattr(MemoryReader, "releases", lambda _, project: (release,) if project == "CAR" else ())
    north = workshop.north
    north.open("CAR", "No such word", by="carla", at=at("06 10:00"))
    north.set_status(north.find("CAR-3"), Word("9", "Nowhere"), by="lena", at=at("06 12:00"))
    judging = Judging(sitting)
    meanwhile = judging.end(collecting.collect_all(sitting, taking(judging)))
    with Ledger.open("sqlite://") as ledger:
        ledger.begin_run("one", "workshop", NOW)
        other = replace(sitting, ledger=ledger)
        at_last = judge_collected(other, collecting.collect_all(other))
    assert shown(meanwhile) == shown(at_last)
    assert keys(meanwhile) == ["CAR-1", "CAR-2", "VAN-1"]
    assert [one.key for one in meanwhile.skipped] == ["CAR-3"]
    fixed = [one.issue.ref.key for one in meanwhile.judged if any(isinstance(e, FixReleased) for e in one.issue.events)]
    assert fixed == ["CAR-1", "VAN-1"], "in whichever tracker the release is"


def reader(sitting: Sitting) -> TrackerReader:
    north = sitting.site.tracker("north")
    return registry.open_reader(north.kind, sitting.site.connection(north))


def raw(sitting: Sitting, tracker: str, key: str) -> Issue:
    with collecting.reading(sitting.site, sitting.site.tracker(tracker)) as reader:
        return reader.issue(key)


def test_an_issue_that_comes_twice_counts_as_it_came_last(sitting: Sitting) -> None:
    known = raw(sitting, "north", "CAR-1")
    unknown = replace(known, status=Word("9", "Nowhere"))
    judging = Judging(sitting)
    for issue in (unknown, known, unknown, known):
        judging.take("north", "warranty", issue)
    found = judging.end([])
    assert (keys(found), found.skipped) == (["CAR-1"], ())
    judging.take("north", "warranty", unknown)
    found = judging.end([])
    assert (keys(found), [one.key for one in found.skipped]) == ([], ["CAR-1"])


def test_what_could_not_be_read_at_last_does_not_count_as_it_was_read_before(sitting: Sitting) -> None:
    judging = Judging(sitting)
    for key in ("CAR-1", "CAR-2"):
        judging.take("north", "warranty", raw(sitting, "north", key))
    unknown = replace(raw(sitting, "south", "VAN-1"), status=Word("9", "Nowhere"))
    judging.take("south", "warranty", unknown)
    found = judging.end(
        [
            Collected(tracker="north", project="CAR", unreadable=(Unreadable("CAR-1", "no creation"),)),
            Collected(tracker="south", project="VAN", unreadable=(Unreadable("VAN-1", "no creation"),)),
        ]
    )
    assert (keys(found), found.skipped) == (["CAR-2"], ())


def test_the_order_is_that_of_the_projects_whatever_came_first(sitting: Sitting) -> None:
    judging = Judging(sitting)
    for tracker, key in (("south", "VAN-1"), ("north", "CAR-2"), ("north", "CAR-1")):
        judging.take(tracker, "warranty", raw(sitting, tracker, key))
    projects = [Collected(tracker="north", project="CAR"), Collected(tracker="south", project="VAN")]
    assert keys(judging.end(projects)) == ["CAR-1", "CAR-2", "VAN-1"]


def test_an_account_that_is_lost_in_mid_reading_cuts_it_short_and_takes_nothing_back(
    sitting: Sitting, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = MemoryReader.own_account
    asked: list[int] = []

    def lost(self: MemoryReader) -> Actor:
        asked.append(1)
        if len(asked) > 1:
            raise CredentialsRefused("nobody is logged in", tracker="north")
        return known(self)

    monkeypatch.setattr(MemoryReader, "own_account", lost)
    judging = Judging(sitting)
    collected = collecting.collect(sitting, sitting.site.tracker("north"), "CAR", reader(sitting), taking(judging))
    assert "nobody is logged in" in collected.cut_short
    assert collected.own is not None
    assert collected.own.id == "warranty"
    assert keys(judging.end([collected])) == ["CAR-1", "CAR-2"]
    assert len(asked) == 2, "asked no more once it is lost"
    assert sitting.ledger.cursor("workshop", "north", "CAR") is None


def test_nobody_is_told_that_a_patch_is_late_where_releases_could_not_be_read(
    workshop: Workshop, sitting: Sitting, monkeypatch: pytest.MonkeyPatch
) -> None:
    pack = """\
        id: patches
        version: 1
        clocks:
          patch: {stop: patch_released, goals: [{within: 48h}]}
          answer: {stop: first_response, goals: [{within: 48h}]}
    """
    (workshop.folder / "patches.yaml").write_text(dedent(pack), encoding="utf-8")
    workshop.edit("pack: standard-warranty", "pack: patches.yaml")
    site = replace(sitting, site=Site.load(workshop.file))

    def failing(_: MemoryReader, project: str) -> tuple[Release, ...]:
        raise ServerFailed(f"503 for {project}", tracker="north")

    with monkeypatch.context() as patch:
        patch.setattr(MemoryReader, "releases", failing)
        found = judge_collected(site, collecting.collect_all(site))
    assert keys(found) == ["VAN-1"], "which is in time so far"
    assert [one.key for one in found.skipped] == ["CAR-1", "CAR-2"]
    assert "its fix may be in a release of north, south" in found.skipped[0].reason
    assert keys(judge_collected(site, collecting.collect_all(site))) == ["CAR-1", "CAR-2", "VAN-1"]
