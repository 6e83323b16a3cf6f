"""Verdicts in the ledger: before the change that follows from them, and all of them whatever happens to the run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime

import pytest

from connectors.ledger import Kept, Ledger
from connectors.tracker import Capabilities
from connectors.work import Work, Worked
from flows import collecting, recording
from flows.exit_codes import Exit
from flows.judging import Judging
from flows.run import Collected
from flows.site import Site
from flows.sitting import Sitting
from policies.issue import Issue, Release, Word
from policies.verdict import Status
from tests.flows.conftest import Command
from tests.flows.workshop import NOW, Workshop, at
from tests.memory_tracker import MemoryReader, MemoryWriter

Perform = Callable[[MemoryWriter, Sequence[Work], datetime], Iterator[Worked]]


def judged(workshop: Workshop) -> dict[str, int]:
    """Key -> how many verdicts the ledger has of the issue."""
    with Ledger.open(f"sqlite:///{workshop.folder}/.warranty/workshop.db") as ledger:
        found: dict[str, int] = {}
        for one in ledger.verdicts("workshop"):
            found[one.issue.key] = found.get(one.issue.key, 0) + 1
        return found


@pytest.fixture
def many(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> Workshop:
    """Forty issues that wait too long, and forty that were answered and are left alone, written to by four writers."""
    monkeypatch.setattr("flows.writing.LANE_FROM", 10)
    for number in range(40):
        workshop.north.open("CAR", f"Lamp {number} is dim", by="carla", at=at("05 10:00"))
        answered = workshop.north.open("CAR", f"Door {number} sticks", by="carla", at=at("06 10:00"))
        workshop.north.comment(answered, "We are looking into it", by="lena", at=at("06 11:00"))
    return workshop


def watched(monkeypatch: pytest.MonkeyPatch, before: Callable[[Sequence[Work]], None]) -> None:
    real: Perform = MemoryWriter.perform

    def perform(self: MemoryWriter, work: Sequence[Work], now: datetime) -> Iterator[Worked]:
        before(work)
        return real(self, work, now)

    monkeypatch.setattr(MemoryWriter, "perform", perform)


def test_nothing_is_written_to_an_issue_whose_verdicts_are_not_in_the_ledger(
    many: Workshop, warranty: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing: list[str] = []

    def look(work: Sequence[Work]) -> None:
        known = judged(many)
        missing.extend(piece.issue.ref.key for piece in work if piece.issue and piece.issue.ref.key not in known)

    watched(monkeypatch, look)
    said = warranty("apply", "--json").document
    assert {receipt["outcome"] for receipt in said["receipts"]} == {"performed"}
    assert missing == []
    assert set(judged(many)) == {issue["key"] for issue in said["issues"]}


def test_a_run_that_is_killed_before_its_verdicts_are_recorded_leaves_them_to_the_next_one(
    workshop: Workshop, warranty: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "record_verdicts", killed)
        assert warranty("apply").code == Exit.INTERRUPTED
    assert judged(workshop) == {}
    assert warranty("plan").code == Exit.FINE
    assert set(judged(workshop)) == {"CAR-1", "CAR-2", "VAN-1"}


@pytest.mark.parametrize("line", [("plan",), ("apply", "--expect", "0123456789abcdef")], ids=["plan", "refused"])
def test_all_is_recorded_where_nothing_is_written(workshop: Workshop, warranty: Command, line: tuple[str, ...]) -> None:
    warranty(*line)
    assert set(judged(workshop)) == {"CAR-1", "CAR-2", "VAN-1"}


def test_a_verdict_is_recorded_once(many: Workshop, warranty: Command) -> None:
    warranty("apply")
    first = judged(many)
    warranty("apply")
    assert judged(many) == first


# ------------------------------------------------------------------------------------------------ while others are read

ANSWERS = """\
id: answers
version: {version}
clocks:
  answer: {{stop: first_response, goals: [{{within: {within}}}]}}
  patch: {{start: {{state: closed}}, stop: patch_released, goals: [{{within: 48h}}]}}
"""


def policy(workshop: Workshop, version: int) -> None:
    """The first version allows two days for an answer, the second half an hour."""
    text = ANSWERS.format(version=version, within={1: "48h", 2: "30m"}[version])
    (workshop.folder / "answers.yaml").write_text(text, encoding="utf-8")


@pytest.fixture
def answers(workshop: Workshop) -> Workshop:
    """Judged by a policy in which no release counts for what is not mended."""
    policy(workshop, 1)
    workshop.edit("pack: standard-warranty", "pack: answers.yaml")
    return workshop


@pytest.fixture
def sitting(answers: Workshop, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sitting]:
    """Every issue is recorded by itself."""
    monkeypatch.setattr(recording, "_BATCH", 1)
    with Ledger.open("sqlite://") as ledger:
        yield begun(answers, ledger, "one")


def begun(workshop: Workshop, ledger: Ledger, run: str) -> Sitting:
    site = Site.load(workshop.file)
    ledger.begin_run(run, "workshop", NOW, site.judged_by)
    return Sitting(site, ledger, run, NOW)


def recorded(sitting: Sitting) -> list[tuple[str, str, Status]]:
    """Key, clock and status of all that this run recorded."""
    given = sitting.ledger.verdicts("workshop", run=sitting.run)
    return [(one.issue.key, one.verdict.clock, one.verdict.status) for one in given]


def collected(sitting: Sitting, judging: Judging, seen: Callable[[str], object] = str) -> tuple[Collected, ...]:
    def onward(tracker: str, own: str, _: Capabilities, kept: Kept) -> None:
        judging.take(tracker, own, kept.issue, awake=kept.awake)
        seen(kept.issue.ref.key)

    return collecting.collect_all(sitting, onward)


def test_verdicts_that_no_release_can_change_are_in_the_ledger_while_others_are_read(
    answers: Workshop, sitting: Sitting
) -> None:
    answers.north.set_status(answers.north.find("CAR-2"), Word("5", "Closed"), by="lena", at=at("06 12:00"))
    known: dict[str, set[str]] = {}

    def look(key: str) -> None:
        known[key] = {each for each, _, _ in recorded(sitting)}

    judging = Judging(sitting)
    projects = collected(sitting, judging, look)
    assert known == {"CAR-1": {"CAR-1"}, "CAR-2": {"CAR-1"}, "VAN-1": {"CAR-1", "VAN-1"}}, "CAR-2 waits for releases"
    judging.end(projects)
    assert sorted(recorded(sitting)) == [
        ("CAR-1", "answer", Status.OVERDUE),
        ("CAR-1", "patch", Status.NOT_APPLICABLE),
        ("CAR-2", "answer", Status.MET),
        ("CAR-2", "patch", Status.OVERDUE),
        ("VAN-1", "answer", Status.RUNNING),
        ("VAN-1", "patch", Status.NOT_APPLICABLE),
    ]


def released(monkeypatch: pytest.MonkeyPatch, when: str = "07 08:00") -> None:
    """A release of CAR carries the fixes of both its issues."""
    release = Release("north", "CAR", "1.1", "", at(when), (("CAR-1", "a merge"), ("CAR-2", "a merge")))
    monkeypatch.setattr(MemoryReader, "releases", lambda _, project: (release,) if project == "CAR" else ())


def test_what_a_release_changes_is_recorded_once_and_with_it(
    answers: Workshop, sitting: Sitting, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers.north.set_status(answers.north.find("CAR-1"), Word("5", "Closed"), by="lena", at=at("06 12:00"))
    released(monkeypatch)
    judging = Judging(sitting)
    found = judging.end(collected(sitting, judging))
    assert [one.issue.ref.key for one in found.judged] == ["CAR-1", "CAR-2", "VAN-1"]
    told = [row for row in recorded(sitting) if row[1] == "patch"]
    assert sorted(told) == [
        ("CAR-1", "patch", Status.MET),
        ("CAR-2", "patch", Status.NOT_APPLICABLE),
        ("VAN-1", "patch", Status.NOT_APPLICABLE),
    ]


@pytest.mark.parametrize("together", [1, 2], ids=["at once", "at the end"])
def test_an_issue_that_comes_again_is_recorded_again_and_none_of_it_stays_due(
    answers: Workshop, sitting: Sitting, monkeypatch: pytest.MonkeyPatch, together: int
) -> None:
    ledger, north = sitting.ledger, answers.north
    judging = Judging(sitting)
    before = raw(sitting, "CAR-1")
    north.comment(north.find("CAR-1"), "We look into it", by="lena", at=at("07 09:00"))
    after = raw(sitting, "CAR-1")
    north.comment(north.find("CAR-1"), "Still looking", by="lena", at=at("07 09:30"))
    alike = raw(sitting, "CAR-1")
    for batch, issue in ((1, before), (1, after), (together, alike)):
        monkeypatch.setattr(recording, "_BATCH", batch)
        for kept in ledger.keeping("workshop", [issue]):
            judging.take("north", "warranty", kept.issue, awake=kept.awake)
    judging.end([Collected(tracker="north", project="CAR")])
    told = [row[2] for row in recorded(sitting) if row[1] == "answer"]
    assert told == [Status.OVERDUE, Status.MISSED, Status.MISSED]
    assert ledger.due("workshop", NOW) == ()


def test_an_issue_that_comes_again_and_cannot_be_judged_is_not_recorded_as_it_was(
    sitting: Sitting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "_BATCH", 2)
    judging = Judging(sitting)
    known, other = raw(sitting, "CAR-1"), raw(sitting, "CAR-2")
    for issue in (known, replace(known, status=Word("9", "Nowhere")), other):
        for kept in sitting.ledger.keeping("workshop", [issue]):
            judging.take("north", "warranty", kept.issue, awake=kept.awake)
    judging.end([Collected(tracker="north", project="CAR")])
    assert {key for key, _, _ in recorded(sitting)} == {"CAR-2"}


def test_a_run_that_is_killed_while_it_reads_leaves_the_next_one_what_it_did_not_record(
    answers: Workshop, sitting: Sitting
) -> None:
    def killed(_: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        collected(sitting, Judging(sitting), killed)
    again = begun(answers, sitting.ledger, "two")
    judging = Judging(again)
    judging.end(collected(again, judging))
    assert [key for key, clock, _ in recorded(sitting) if clock == "answer"] == ["CAR-1"]
    assert sorted(key for key, clock, _ in recorded(again) if clock == "answer") == ["CAR-2", "VAN-1"]


def test_what_nobody_touched_is_not_recorded_again_and_under_another_policy_each_is_corrected(
    answers: Workshop, sitting: Sitting
) -> None:
    north = answers.north
    for key in ("CAR-1", "CAR-2"):
        north.comment(north.find(key), "We look into it", by="lena", at=at("07 09:00"))
    judging = Judging(sitting)
    judging.end(collected(sitting, judging))
    again = begun(answers, sitting.ledger, "two")
    judging = Judging(again)
    judging.end(collected(again, judging))
    assert recorded(again) == []
    policy(answers, 2)
    for key in ("CAR-1", "CAR-2"):
        north.comment(north.find(key), "Still looking", by="lena", at=at("07 09:30"))
    third = begun(answers, sitting.ledger, "three")
    judging = Judging(third)
    seen: list[int] = []
    judging.end(collected(third, judging, lambda _: seen.append(len(recorded(third)))))
    assert seen[0] > 0, "while others are read"
    corrected = {one.issue.key: one.correction for one in third.ledger.verdicts("workshop", run="three")}
    assert {key for key, why in corrected.items() if why.startswith("policy answers@1")} == {"CAR-1", "CAR-2", "VAN-1"}


def test_what_a_release_does_to_issues_that_nobody_touched_is_recorded_once(
    answers: Workshop, sitting: Sitting, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers.north.set_status(answers.north.find("CAR-1"), Word("5", "Closed"), by="lena", at=at("06 12:00"))
    late, missed, met = ("patch", Status.OVERDUE), ("patch", Status.MISSED), ("patch", Status.MET)

    def told(run: str) -> list[tuple[str, Status]]:
        return [row[1:] for row in recorded(whole(answers, sitting.ledger, run)) if row[1] == "patch"]

    assert late in told("not released")
    with monkeypatch.context() as patch:
        released(patch, "09 08:00")
        assert (told("released late"), told("again")) == ([missed], [])
    with monkeypatch.context() as patch:
        released(patch, "07 08:00")
        assert (told("dated otherwise"), told("once more")) == ([met], [])
    assert (told("withdrawn"), told("still withdrawn")) == ([late], [])


def answered_in_a_day(workshop: Workshop) -> None:
    """CAR-1 and VAN-1: in time by the first version of the policy, late by the second."""
    workshop.north.comment(workshop.north.find("CAR-1"), "We look into it", by="lena", at=at("04 09:30"))
    workshop.south.comment(workshop.south.find("VAN-1"), "We look into it", by="lena", at=at("09 11:59"))


def standing(sitting: Sitting) -> dict[str, tuple[str, Status]]:
    """What the ledger says last of when CAR-1 and VAN-1 were answered: policy and status."""
    given = sitting.ledger.verdicts("workshop")
    return {
        one.issue.key: (one.verdict.policy, one.verdict.status)
        for one in given
        if one.verdict.clock == "answer" and one.issue.key != "CAR-2"
    }


def whole(workshop: Workshop, ledger: Ledger, run: str) -> Sitting:
    """A run that comes to its end."""
    sitting = begun(workshop, ledger, run)
    judging = Judging(sitting)
    judging.end(collected(sitting, judging))
    return sitting


@pytest.mark.parametrize("first", [None, 2], ids=["in the first run", "after another policy"])
def test_what_a_killed_run_recorded_by_another_policy_is_corrected_by_the_next_one(
    answers: Workshop, sitting: Sitting, first: int | None
) -> None:
    answered_in_a_day(answers)
    if first:
        policy(answers, first)
        whole(answers, sitting.ledger, "before")
        answers.north.comment(answers.north.find("CAR-1"), "Still looking", by="lena", at=at("08 10:00"))
    policy(answers, 1)
    killed = begun(answers, sitting.ledger, "killed")
    collected(killed, Judging(killed))
    assert standing(killed)["CAR-1"] == ("answers@1", Status.MET)
    policy(answers, 2)
    assert standing(whole(answers, sitting.ledger, "next"))["CAR-1"] == ("answers@2", Status.MISSED)
    assert recorded(whole(answers, sitting.ledger, "quiet")) == []


def test_what_could_not_be_read_in_the_first_run_under_another_policy_is_corrected_in_the_next_one(
    answers: Workshop, sitting: Sitting
) -> None:
    answered_in_a_day(answers)
    whole(answers, sitting.ledger, "before")
    policy(answers, 2)
    tokens = dict(answers.south.tokens)
    answers.south.tokens.clear()
    late, kept = ("answers@2", Status.MISSED), ("answers@1", Status.MET)
    assert standing(whole(answers, sitting.ledger, "down")) == {"CAR-1": late, "VAN-1": kept}
    answers.south.tokens.update(tokens)
    assert standing(whole(answers, sitting.ledger, "up")) == {"CAR-1": late, "VAN-1": late}


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("responders: [lena]", "responders: [otto]", {"CAR-1": Status.MET, "VAN-1": Status.RUNNING}),
        ("tiers: {L1: lena", "tiers: {L1: otto", {"CAR-1": Status.MET, "VAN-1": Status.MET}),
        ("zone: Asia/Shanghai", "zone: Asia/Tokyo", {"CAR-1": Status.MET, "VAN-1": Status.MET}),
        ("zone:", "label_prefix: care\nzone:", {"CAR-1": Status.MET, "VAN-1": Status.MET}),
        ("limits: {}", "limits: {changes_per_run: 7}", {}),
    ],
    ids=["responders", "tiers", "zone", "prefix", "no matter of verdicts"],
)
def test_where_a_site_means_something_else_by_its_words_each_issue_is_recorded_anew(
    answers: Workshop, sitting: Sitting, before: str, after: str, told: dict[str, Status]
) -> None:
    answered_in_a_day(answers)
    answers.edit("zone:", "limits: {}\nzone:")
    whole(answers, sitting.ledger, "before")
    answers.edit(before, after)
    again = recorded(whole(answers, sitting.ledger, "after"))
    assert {key: status for key, clock, status in again if clock == "answer" and key != "CAR-2"} == told


def test_what_our_own_assignment_does_to_a_clock_is_recorded(answers: Workshop, sitting: Sitting) -> None:
    text = (answers.folder / "answers.yaml").read_text(encoding="utf-8")
    asks = "first_response, pause: [{when: {tier: L2}, reason: handed over, party: third_party}],"
    (answers.folder / "answers.yaml").write_text(text.replace("first_response,", asks), encoding="utf-8")
    north = answers.north
    issue = north.open("CAR", "Horn is loud", by="carla", at=at("09 10:00"))
    whole(answers, sitting.ledger, "before")
    north.now = at("09 11:00")
    north.set_assignee(issue, "otto", by="warranty")
    after = recorded(whole(answers, sitting.ledger, "after"))
    assert (issue.key, "answer", Status.PAUSED) in after


def raw(sitting: Sitting, key: str) -> Issue:
    with collecting.reading(sitting.site, sitting.site.tracker("north")) as reader:
        return reader.issue(key)
