"""The run over two trackers in memory: what is written, what is not, and how it ends."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from connectors import registry
from connectors.ledger import Holder, Ledger
from connectors.tracker import (
    RateLimited,
    ServerFailed,
    TrackerError,
)
from connectors.work import Worked
from flows.exit_codes import Exit
from policies.issue import Word
from policies.loader import load_pack
from policies.receipt import Outcome
from tests.flows.troubles import missing, over_the_rate, refused, server_error, turned_away, unreachable
from tests.flows.workshop import NOW, TOKEN, at
from tests.memory_server import Trouble
from tests.memory_tracker import MemoryReader, MemoryWriter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime

    from connectors.work import Work
    from policies.changes import Change
    from policies.issue import Issue
    from policies.pack import PolicyPack
    from policies.receipt import Receipt
    from policies.verdict import Verdict
    from tests.flows.conftest import Command
    from tests.flows.workshop import Workshop


def writes(workshop: Workshop) -> list[str]:
    return [name for server in workshop.servers() for name in server.requests if not name.startswith("GET")]


def test_a_plan_says_what_would_be_written_and_writes_nothing(workshop: Workshop, warranty: Command) -> None:
    said = warranty("plan", "--json")
    assert said.code == Exit.FINE
    changes = said.document["plan"]["changes"]
    assert {change["issue"] for change in changes} == {"CAR-1", "CAR-2", "VAN-1", "(new)"}
    assert not writes(workshop)


def test_a_plan_builds_no_writer(warranty: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("a plan built a writer")

    monkeypatch.setattr(registry, "open_writer", never)
    assert warranty("plan").code == Exit.FINE


def test_an_apply_without_changes_builds_no_writer(warranty: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    assert warranty("apply").code == Exit.FINE

    def never(*_: object, **__: object) -> None:
        raise AssertionError("a writer was built for nothing")

    monkeypatch.setattr(registry, "open_writer", never)
    assert warranty("apply").code == Exit.FINE


def test_what_was_applied_is_not_planned_again(workshop: Workshop, warranty: Command) -> None:
    first = warranty("apply", "--json")
    assert first.code == Exit.FINE
    assert {receipt["outcome"] for receipt in first.document["receipts"]} == {Outcome.PERFORMED}
    before = len(writes(workshop))
    second = warranty("apply", "--json")
    assert second.document["plan"]["changes"] == []
    assert second.document["receipts"] == []
    assert len(writes(workshop)) == before


def test_without_its_ledger_a_site_still_has_nothing_to_write(workshop: Workshop, warranty: Command) -> None:
    warranty("apply")
    shutil.rmtree(workshop.folder / ".warranty")
    assert warranty("plan", "--json").document["plan"]["changes"] == []


def test_the_second_run_reads_only_what_changed(workshop: Workshop, warranty: Command) -> None:
    warranty("apply")
    warranty("plan")
    since = [server.requests.copy() for server in workshop.servers()]
    said = warranty("plan", "--json")
    assert len(said.document["issues"]) == 3
    assert [len(server.requests) for server in workshop.servers()] == [len(names) + 3 for names in since]


def test_the_report_is_one_issue_edited_in_place_and_never_judged(workshop: Workshop, warranty: Command) -> None:
    warranty("apply")
    workshop.north.open("CAR", "Horn is mute", by="carla")
    said = warranty("apply", "--json")
    reports = [record for record in workshop.north.records("CAR") if "warranty::report" in record.labels]
    assert len(reports) == 1
    assert reports[0].key not in {issue["key"] for issue in said.document["issues"]}


def test_an_expected_digest_lets_the_same_plan_through(workshop: Workshop, warranty: Command) -> None:
    digest = warranty("plan", "--json").document["plan"]["digest"]
    assert warranty("apply", "--expect", digest).code == Exit.FINE
    assert writes(workshop)


def test_another_digest_than_expected_writes_nothing(workshop: Workshop, warranty: Command) -> None:
    digest = warranty("plan", "--json").document["plan"]["digest"]
    workshop.north.open("CAR", "Horn is mute", by="carla")
    said = warranty("apply", "--expect", digest)
    assert said.code == Exit.REFUSED
    assert digest in said.err
    assert "nothing was written" in said.err
    assert not writes(workshop)


@pytest.mark.parametrize(
    "limits",
    ["changes_per_run: 2", "changes_per_issue: 1", "share_of_issues: 0.1\n  share_from: 1"],
)
def test_over_a_limit_nothing_is_written(workshop: Workshop, warranty: Command, limits: str) -> None:
    workshop.edit("trackers:\n", f"limits:\n  {limits}\ntrackers:\n")
    said = warranty("apply")
    assert said.code == Exit.REFUSED
    assert "goes over a limit" in said.err
    assert not writes(workshop)


def test_a_plan_over_a_limit_is_shown_and_says_so(workshop: Workshop, warranty: Command) -> None:
    workshop.edit("trackers:\n", "limits: {changes_per_run: 2}\ntrackers:\n")
    said = warranty("plan")
    assert said.code == Exit.REFUSED
    assert "over a limit" in said.out


def test_a_failed_change_stops_its_issue_and_no_other(workshop: Workshop, warranty: Command) -> None:
    workshop.north.troubles.append(Trouble(refused, name="PUT all", times=1))
    said = warranty("apply", "--json")
    assert said.code == Exit.PARTLY
    outcomes = [(one["issue"], one["outcome"]) for one in said.document["receipts"]]
    assert ("CAR-1", "failed") in outcomes
    assert ("CAR-1", "not_tried") in outcomes
    assert {outcome for key, outcome in outcomes if key != "CAR-1"} == {"performed"}
    assert said.document["state"] == "amber"


def test_an_issue_deleted_after_it_was_cached_is_forgotten_and_said(workshop: Workshop, warranty: Command) -> None:
    warranty("plan")
    workshop.north.projects["CAR"].remove(workshop.north.find("CAR-1"))
    before = len(workshop.north.requests)
    said = warranty("apply", "--json")
    assert said.code == Exit.PARTLY
    gone = "north: CAR-1 is no longer there (deleted, or hidden from this account): forgotten"
    assert [line for line in said.document["why"] if "forgotten" in line] == [gone], "once, whatever was planned for it"
    asked = sum(said.document["requests"]["north"].values())
    assert asked == len(workshop.north.requests) - before, "what it took to see that it is gone, too"
    again = warranty("apply", "--json")
    assert again.code == Exit.FINE
    assert "CAR-1" not in {issue["key"] for issue in again.document["issues"]}
    assert warranty("plan", "--json").document["plan"]["changes"] == []


def test_an_issue_that_is_still_there_is_not_forgotten_because_something_else_is_missing(
    workshop: Workshop, warranty: Command
) -> None:
    workshop.north.troubles.append(Trouble(missing, name="PUT all", times=1))
    said = warranty("apply", "--json")
    assert not [line for line in said.document["why"] if "forgotten" in line]
    again = warranty("apply", "--json")
    assert {one["issue"] for one in again.document["receipts"]} == {"CAR-1"}


def test_what_was_read_from_another_server_is_not_believed_of_this_one(workshop: Workshop, warranty: Command) -> None:
    warranty("plan")
    workshop.north.projects["CAR"].clear()
    workshop.edit("http://127.0.0.1/north", "http://127.0.0.1/elsewhere")
    said = warranty("plan", "--json")
    assert {issue["key"] for issue in said.document["issues"]} == {"VAN-1"}


def test_where_trackers_were_read_and_every_change_failed_the_exit_code_says_no_more_than_that(
    workshop: Workshop, warranty: Command
) -> None:
    for server in workshop.servers():
        server.troubles.append(Trouble(refused, name="PUT", times=1000))
        server.troubles.append(Trouble(refused, name="POST", times=1000))
    said = warranty("apply", "--json")
    assert {one["outcome"] for one in said.document["receipts"]} == {"failed", "not_tried"}
    assert (said.document["state"], said.code) == ("red", Exit.PARTLY)


def test_the_next_run_finishes_what_failed(workshop: Workshop, warranty: Command) -> None:
    workshop.north.troubles.append(Trouble(refused, name="PUT all", times=1))
    warranty("apply")
    again = warranty("apply", "--json")
    assert again.code == Exit.FINE
    assert {one["issue"] for one in again.document["receipts"]} == {"CAR-1"}


def test_a_tracker_that_stops_answering_is_left_alone_for_the_rest(workshop: Workshop, warranty: Command) -> None:
    for number in range(6):
        workshop.north.open("CAR", f"More {number}", by="carla", at=at("06 12:00"))
    workshop.north.troubles.append(Trouble(unreachable, name="PUT", times=1000))
    said = warranty("apply", "--json")
    assert said.code == Exit.PARTLY
    north = [one["outcome"] for one in said.document["receipts"] if one["tracker"] == "north"]
    assert north.count("failed") == 3
    assert set(north[3:]) <= {"not_tried", "failed"}
    south = {one["outcome"] for one in said.document["receipts"] if one["tracker"] == "south"}
    assert south == {"performed"}


def test_a_tracker_that_asks_for_a_long_rest_gets_it(workshop: Workshop, warranty: Command) -> None:
    workshop.north.troubles.append(Trouble(over_the_rate, name="PUT", times=1))
    said = warranty("apply", "--json")
    assert said.code == Exit.PARTLY
    north = [one["outcome"] for one in said.document["receipts"] if one["tracker"] == "north"]
    assert north[0] == "failed"
    assert set(north[1:]) == {"not_tried"}
    assert warranty("apply").code == Exit.FINE


def test_of_a_tracker_left_alone_what_it_did_already_is_told_as_done(
    workshop: Workshop, warranty: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    workshop.north.open("CAR", "Horn is mute", by="carla", at=at("05 10:00"))
    real = MemoryWriter.perform

    def together(self: MemoryWriter, work: Sequence[Work], now: datetime) -> Iterator[Worked]:
        done = list(real(self, work, now))
        for number, worked in enumerate(done, 1):
            yield replace(worked, next_known=number < len(done))

    monkeypatch.setattr(MemoryWriter, "perform", together)
    workshop.north.troubles.append(Trouble(over_the_rate, name="PUT", times=1))
    said = warranty("apply", "--json")
    outcomes = [(one["issue"], one["outcome"]) for one in said.document["receipts"] if one["tracker"] == "north"]
    assert outcomes[0] == ("CAR-1", "failed")
    assert {outcome for issue, outcome in outcomes if issue != "CAR-1"} == {"performed"}


def test_a_tracker_that_is_down_stops_no_other(workshop: Workshop, warranty: Command) -> None:
    workshop.edit("http://127.0.0.1/south", "http://127.0.0.1/dead")
    said = warranty("apply", "--json")
    assert said.code == Exit.PARTLY
    assert list(said.document["faults"]) == ["south/VAN"]
    assert {one["tracker"] for one in said.document["receipts"]} == {"north"}


def test_where_no_tracker_answers_the_run_is_red(workshop: Workshop, warranty: Command) -> None:
    workshop.edit("http://127.0.0.1/south", "http://127.0.0.1/dead")
    workshop.edit("http://127.0.0.1/north", "http://127.0.0.1/dead")
    said = warranty("apply", "--json")
    assert said.code == Exit.TRACKER
    assert said.document["state"] == "red"
    assert not writes(workshop)
    assert "as the policy wants it" not in warranty("plan").out


def test_a_wrong_token_is_said_clearly_and_not_repeated(warranty: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKSHOP_TOKEN", "wrong-token-987")
    said = warranty("plan")
    assert said.code == Exit.TRACKER
    assert "401" in said.out
    assert "Check that the token is right" in said.out
    assert "wrong-token-987" not in said.out + said.err


def test_a_project_cut_short_keeps_its_cursor_and_is_read_again(
    workshop: Workshop, warranty: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.memory_tracker.MemoryReader.page", 1)
    workshop.north.troubles.append(Trouble(server_error, name="GET releases", times=10))
    said = warranty("apply", "--json")
    assert said.code == Exit.PARTLY
    with Ledger.open("sqlite:///.warranty/workshop.db") as ledger:
        assert ledger.cursor("workshop", "north", "CAR") is None
        assert ledger.cursor("workshop", "south", "VAN") is not None
    workshop.north.troubles.clear()
    assert warranty("apply", "--json").code == Exit.FINE


def test_a_tracker_that_was_not_read_whole_gets_no_report(workshop: Workshop, warranty: Command) -> None:
    workshop.north.troubles.append(Trouble(server_error, name="GET releases", times=10))
    warranty("apply")
    assert not [record for record in workshop.north.records("CAR") if "warranty::report" in record.labels]


def test_an_unreadable_issue_is_shown_and_stops_nobody(workshop: Workshop, warranty: Command) -> None:
    workshop.north.find("CAR-1").garbled = True
    said = warranty("apply", "--json")
    assert said.code == Exit.PARTLY
    assert [one["key"] for one in said.document["unreadable"]] == ["CAR-1"]
    assert {one["issue"] for one in said.document["receipts"]} >= {"CAR-2", "VAN-1"}


def test_a_status_without_meaning_is_skipped_with_the_line_to_add(workshop: Workshop, warranty: Command) -> None:
    car = workshop.north.find("CAR-1")
    workshop.north.set_status(car, Word("17", "Parked: [bold]x"), by="lena")
    said = warranty("plan", "--json")
    assert said.code == Exit.PARTLY
    (skipped,) = said.document["plan"]["skipped"]
    assert skipped["key"] == "CAR-1"
    assert "'Parked: [bold]x' (id 17)" in skipped["reason"]
    assert 'add `"Parked: [bold]x": open` (or what it means)' in skipped["reason"]
    assert "under states of tracker 'north' in workshop.yaml" in skipped["reason"]
    assert "CAR-1" not in {issue["key"] for issue in said.document["issues"]}


def test_a_second_run_at_the_same_time_writes_nothing(workshop: Workshop, warranty: Command) -> None:
    (workshop.folder / ".warranty").mkdir()
    with Ledger.open("sqlite:///.warranty/workshop.db") as ledger:
        other = Holder("elsewhere", 1)
        from flows import instant

        ledger.begin_run("other", "workshop", NOW)
        ledger.take_lease("workshop", "other", instant.now(), holder=other)
    said = warranty("apply")
    assert said.code == Exit.BUSY
    assert "other" in said.err
    assert not workshop.north.requests, (
        "it reads nothing either: a plan made meanwhile would repeat the other's changes"
    )


def test_a_lease_that_another_run_took_over_ends_the_writing(
    workshop: Workshop, warranty: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flows.lease.EVERY", timedelta())
    real = Ledger.record_receipts

    def taken_over(self: Ledger, *arguments: object) -> None:
        real(self, *arguments)  # type: ignore[arg-type]  # handed on as they came
        self.give_back_lease("workshop", str(arguments[0]))

    planned = warranty("plan", "--json").document["plan"]["changes"]
    monkeypatch.setattr(Ledger, "record_receipts", taken_over)
    said = warranty("apply")
    assert said.code == Exit.BUSY
    assert "nothing more is written" in said.err
    assert 0 < len(writes(workshop)) < len(planned), "the first issue's changes and no other's"


def test_a_refused_run_is_written_down_as_red(warranty: Command) -> None:
    warranty("apply", "--expect", "0000000000000000")
    with Ledger.open("sqlite:///.warranty/workshop.db") as ledger:
        (run,) = ledger.runs("workshop")
    assert run.state == "red"


def test_the_receipts_of_an_issue_are_in_the_ledger_before_the_next_issues_changes(
    workshop: Workshop, warranty: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded: list[int] = []
    performed: list[int] = []
    real = Ledger.record_receipts

    def counted(self: Ledger, *arguments: object) -> None:
        real(self, *arguments)  # type: ignore[arg-type]  # handed on as they came
        recorded.append(len(writes(workshop)))

    monkeypatch.setattr(Ledger, "record_receipts", counted)
    warranty("apply")
    performed = sorted(recorded)
    assert recorded == performed
    assert len(set(recorded)) == len(recorded) >= 3


def _in_pairs(log: list[str]) -> Callable[..., Iterator[Worked]]:
    """Two issues of north a request, their answers one by one; what is sent is noted as "sent KEY KEY"."""
    real = MemoryWriter.perform

    def perform(self: MemoryWriter, work: Sequence[Work], now: datetime) -> Iterator[Worked]:
        if self.name != "north":
            yield from real(self, work, now)
            return
        for start in range(0, len(work), 2):
            pair = work[start : start + 2]
            log.append(f"sent {' '.join(piece.issue.ref.key for piece in pair if piece.issue)}".strip())
            done = list(real(self, pair, now))
            for number, worked in enumerate(done, 1):
                yield replace(worked, next_known=number < len(done))

    return perform


def test_the_receipts_of_an_answer_are_kept_together_before_more_is_sent(
    workshop: Workshop, warranty: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        workshop.north.open("CAR", f"Lamp {number} is dim", by="carla", at=at("05 10:00"))
    log: list[str] = []
    keeping = Ledger.record_receipts

    def noted(self: Ledger, run: str, tracker: str, receipts: Iterable[Receipt]) -> None:
        given = list(receipts)
        keeping(self, run, tracker, given)
        if tracker == "north":
            keys = dict.fromkeys(one.issue.key for one in given if one.issue and one.change.kind != "upsert_report")
            log.append(f"kept {' '.join(keys)}".strip())

    monkeypatch.setattr(MemoryWriter, "perform", _in_pairs(log))
    monkeypatch.setattr(Ledger, "record_receipts", noted)
    assert warranty("apply").code == Exit.FINE
    assert len(log) >= 4
    assert [one.split()[0] for one in log] == ["sent", "kept"] * (len(log) // 2)
    assert [one.split()[1:] for one in log[::2]] == [one.split()[1:] for one in log[1::2]]


def test_what_an_answer_told_is_kept_before_the_tracker_is_asked_for_an_issue_that_is_missing_in_it(
    workshop: Workshop, warranty: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(2):
        workshop.north.open("CAR", f"Lamp {number} is dim", by="carla", at=at("05 10:00"))
    log: list[str] = []
    real, keeping, reading = MemoryWriter.perform, Ledger.record_receipts, MemoryReader.issue

    def one_missing(self: MemoryWriter, work: Sequence[Work], now: datetime) -> Iterator[Worked]:
        done = list(real(self, work, now))
        if self.name == "north":
            done[1] = Worked.broken_off(work[1], (), missing(), now)
        for number, worked in enumerate(done, 1):
            yield replace(worked, next_known=number < len(done))

    def noted(self: Ledger, run: str, tracker: str, receipts: Iterable[Receipt]) -> None:
        given = list(receipts)
        keeping(self, run, tracker, given)
        if tracker == "north":
            log.append(" ".join(dict.fromkeys(one.issue.key for one in given if one.issue)))

    def asked(self: MemoryReader, key: str) -> Issue:
        log.append("asked")
        return reading(self, key)

    monkeypatch.setattr(MemoryWriter, "perform", one_missing)
    monkeypatch.setattr(MemoryReader, "issue", asked)
    monkeypatch.setattr(Ledger, "record_receipts", noted)
    assert warranty("apply").code == Exit.PARTLY
    first, then, *rest = log
    assert (first, then) == ("CAR-1", "asked")
    assert len(rest) == 1
    assert len(rest[0].split()) >= 2


def test_a_killed_apply_is_finished_by_the_next_and_nothing_stands_twice(
    workshop: Workshop, warranty: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Ledger.record_receipts
    left = [3]

    class Killed(BaseException):
        pass

    def dying(self: Ledger, *arguments: object) -> None:
        left[0] -= 1
        if left[0] == 0:
            raise Killed
        real(self, *arguments)  # type: ignore[arg-type]  # handed on as they came

    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "record_receipts", dying)
        with pytest.raises(Killed):
            warranty("apply")
    assert warranty("apply").code == Exit.FINE
    assert warranty("plan", "--json").document["plan"]["changes"] == []
    ours = [sum(note.author == "warranty" for note in record.notes) for record in workshop.north.records("CAR")]
    assert max(ours) == 1


def test_every_run_is_written_down_with_its_state_and_digest(warranty: Command) -> None:
    planned = warranty("plan", "--json").document
    with Ledger.open("sqlite:///.warranty/workshop.db") as ledger:
        (run,) = ledger.runs("workshop")
        verdicts = list(ledger.verdicts("workshop"))
    assert (run.id, run.state, run.plan_digest) == (planned["run"], "green", planned["plan"]["digest"])
    assert len(verdicts) == 3 * len(load_pack("standard-warranty").clocks)


def test_the_token_is_in_no_output_and_no_file(workshop: Workshop, warranty: Command) -> None:
    said = warranty("apply", "--json")
    assert TOKEN not in said.out + said.err
    for file in workshop.folder.rglob("*"):
        assert not file.is_file() or TOKEN.encode() not in file.read_bytes()


def test_a_foreign_title_neither_colours_nor_moves_the_terminal(workshop: Workshop, warranty: Command) -> None:
    workshop.north.open("CAR", "\x1b[31mred\x1b[0m [bold]x[/bold] \u202eevil", by="carla")
    said = warranty("plan")
    assert "\x1b" not in said.out
    assert "\u202e" not in said.out
    assert "[bold]x[/bold]" in said.out


def test_a_change_that_trips_a_defect_stops_no_other_issues_changes(
    workshop: Workshop, warranty: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    workshop.north.open("CAR", "Horn is mute", by="carla", at=at("05 10:00"))
    real = MemoryWriter.perform

    def tripping(self: MemoryWriter, work: Sequence[Work], now: datetime) -> Iterator[Worked]:
        # As a writer that sends several issues' changes together: the next ones are done when the defect shows.
        for number, piece in enumerate(work):
            if piece.issue is not None and piece.issue.ref.key == "CAR-1":
                list(real(self, work[number + 1 : number + 2], now))
                raise LookupError("a defect of a writer")
            yield from real(self, [piece], now)

    monkeypatch.setattr(MemoryWriter, "perform", tripping)
    said = warranty("apply", "--json")
    assert said.code == Exit.PARTLY
    outcomes = {(one["issue"], one["outcome"]) for one in said.document["receipts"]}
    assert {outcome for issue, outcome in outcomes if issue == "CAR-1"} == {"failed", "not_tried"}
    assert ("CAR-2", "already_so") in outcomes
    assert {outcome for issue, outcome in outcomes if issue in {"CAR-3", "VAN-1"}} == {"performed"}
    assert all("LookupError" in one["error"] for one in said.document["receipts"] if one["issue"] == "CAR-1")


def test_an_issue_that_trips_a_defect_stops_no_other(warranty: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    from policies.verdict import judge

    def tripping(issue: Issue, pack: PolicyPack, now: datetime) -> tuple[Verdict, ...]:
        if issue.ref.key == "CAR-1":
            raise ZeroDivisionError
        return judge(issue, pack, now)

    monkeypatch.setattr("policies.versions.judge", tripping)
    said = warranty("plan", "--json")
    assert said.code == Exit.PARTLY
    assert [skip["key"] for skip in said.document["plan"]["skipped"]] == ["CAR-1"]
    assert len(said.document["issues"]) == 2


def test_requests_are_counted_by_tracker_and_kind(workshop: Workshop, warranty: Command) -> None:
    sent = warranty("apply", "--json").document["requests"]
    for server, name in zip(workshop.servers(), ("north", "south"), strict=True):
        assert sum(sent[name].values()) == len(server.requests)


def test_our_own_writes_wake_nothing_in_the_next_run(warranty: Command) -> None:
    warranty("apply", now=at("09 12:00"))
    with Ledger.open("sqlite:///.warranty/workshop.db") as ledger:
        before = len(list(ledger.verdicts("workshop")))
        awake = {ref.key for ref in ledger.due("workshop", at("09 12:01"))}
    warranty("apply", now=at("09 12:01"))
    with Ledger.open("sqlite:///.warranty/workshop.db") as ledger:
        verdicts = [one.issue.key for one in ledger.verdicts("workshop")][before:]
    assert set(verdicts) <= awake, "only what is due by itself is judged anew"


def test_what_was_written_in_great_number_is_read_back_at_once(
    workshop: Workshop, warranty: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flows.writing.READ_BACK_FROM", 2)
    monkeypatch.setattr("flows.collecting.SETTLED", timedelta())
    said = warranty("apply", "--json")
    written = {receipt["issue"] for receipt in said.document["receipts"] if receipt["outcome"] == "performed"}
    with Ledger.open("sqlite:///.warranty/workshop.db") as ledger:
        held = {issue.ref.key: issue for issue in ledger.issues("workshop", "north")}
    for key in written & {"CAR-1", "CAR-2"}:
        assert held[key].labels == workshop.north.find(key).labels
        assert any(label.startswith("warranty::") for label in held[key].labels)


def test_reading_back_that_fails_is_made_up_for_by_the_next_run(
    warranty: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flows.writing.READ_BACK_FROM", 1)
    real = MemoryReader.changed_since
    calls: list[str] = []

    def failing(self: MemoryReader, project: str, *rest: Any) -> Any:
        calls.append(project)
        if len(calls) > 2:  # each of the two projects is read once before anything is written
            raise ServerFailed("503 from the server")
        return real(self, project, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(MemoryReader, "changed_since", failing)
        assert warranty("apply").code == Exit.FINE
    assert len(calls) > 2
    assert warranty("apply", "--json").document["receipts"] == []


def test_an_issue_on_which_somebody_put_our_reports_label_is_judged_and_left_as_it_is(
    workshop: Workshop, warranty: Command
) -> None:
    planted = workshop.north.open("CAR", "My own words", by="carla", at=at("05 10:00"))
    workshop.north.relabel(planted, add=("warranty::report",), remove=(), by="carla")
    said = warranty("apply", "--json")
    assert planted.key in {issue["key"] for issue in said.document["issues"]}
    assert planted.title == "My own words"
    (report,) = (
        one for one in workshop.north.records("CAR") if "warranty::report" in one.labels and one.reporter == "warranty"
    )
    assert report.key != planted.key


def test_many_issues_are_written_by_several_writers_each_change_once(
    workshop: Workshop, warranty: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flows.writing.LANE_FROM", 5)
    for number in range(30):
        workshop.north.open("CAR", f"Lamp {number} is dim", by="carla", at=at("05 10:00"))
    planned = warranty("plan", "--json").document["plan"]["changes"]
    said = warranty("apply", "--json").document
    assert {one["outcome"] for one in said["receipts"]} == {"performed"}
    told = [(one["issue"], one["change"]) for one in said["receipts"] if one["change"]["kind"] != "upsert_report"]
    assert told == [(one["issue"], one["change"]) for one in planned if one["change"]["kind"] != "upsert_report"]
    assert warranty("apply", "--json").document["receipts"] == []
    assert max(sum(note.author == "warranty" for note in one.notes) for one in workshop.north.records("CAR")) == 1


def test_issues_that_get_the_same_are_given_to_one_writer_side_by_side(
    workshop: Workshop, warranty: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flows.writing.LANE_FROM", 10)
    given: list[list[tuple[Change, ...]]] = []
    real = MemoryWriter.perform

    def noting(self: MemoryWriter, work: Sequence[Work], now: datetime) -> Iterator[Worked]:
        given.append([piece.changes for piece in work])
        return real(self, work, now)

    monkeypatch.setattr(MemoryWriter, "perform", noting)
    for number in range(20):
        workshop.north.open("CAR", f"Lamp {number} is dim", by="carla", at=at("05 10:00"))
        seen = workshop.north.open("CAR", f"Door {number} sticks", by="carla", at=at("06 10:00"))
        workshop.north.comment(seen, "We are looking into it", by="lena", at=at("06 11:00"))
    warranty("apply")
    many = [one for one in given if len(one) >= 10]
    assert len(many) == 4
    assert all(sum(mine != next_ for mine, next_ in pairwise(one)) <= 3 for one in many)


def test_a_token_that_is_refused_while_many_write_ends_them_all(
    workshop: Workshop, warranty: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flows.writing.LANE_FROM", 5)
    for number in range(30):
        workshop.north.open("CAR", f"Lamp {number} is dim", by="carla", at=at("05 10:00"))
    workshop.north.troubles.append(Trouble(turned_away, name="PUT", times=1000))
    said = warranty("apply", "--json").document
    mine = [one["outcome"] for one in said["receipts"] if one["tracker"] == "north"]
    assert "performed" not in mine
    assert mine.count("not_tried") > mine.count("failed")
    assert len([name for name in workshop.north.requests if name.startswith("PUT")]) <= 4 * 2


def test_a_used_up_quota_ends_the_run_amber_with_its_cursor_kept_and_the_next_one_goes_on(
    workshop: Workshop, warranty: Command
) -> None:
    def used_up() -> TrackerError:
        return RateLimited("429: the quota of this hour is used up", retry_after=1800, quota=True)

    for server in workshop.servers():
        server.troubles.append(Trouble(used_up, times=100))
    said = warranty("apply", "--json")
    assert (said.code, said.document["state"]) == (Exit.PARTLY, "amber")
    assert all("quota" in fault for fault in said.document["faults"].values())
    for server in workshop.servers():
        server.troubles[:] = [Trouble(used_up, name=name, times=100) for name in ("PUT", "POST")]
    said = warranty("apply", "--json")
    assert (said.code, said.document["state"]) == (Exit.PARTLY, "amber")
    assert "performed" not in {receipt["outcome"] for receipt in said.document["receipts"]}
    for server in workshop.servers():
        server.troubles.clear()
    assert warranty("apply").code == Exit.FINE
    assert warranty("apply", "--json").document["receipts"] == []
