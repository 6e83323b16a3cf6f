"""Whatever happened before, a run that comes to its end leaves a ledger whose last word is what the run judged."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from connectors import ledger_issues, registry
from connectors.ledger import Ledger, RunState
from connectors.tracker import ServerFailed, TrackerError
from flows import recording
from flows.assessing import assess
from flows.run import Run
from flows.site import Site
from flows.sitting import Sitting
from policies.issue import Word
from tests.flows.workshop import NOW, TOKEN, build
from tests.memory_server import Trouble

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.memory_server import MemoryServer, Record

PACK = """\
id: words
version: {version}
clocks:
  answer: {{stop: first_response, goals: [{{within: {answer}}}]}}
  patch: {{start: {start}, stop: patch_released, goals: [{{within: 48h}}]}}
  resolution: {{stop: {{state: closed}}, reopen: {reopen}, goals: [{{within: 48h}}]}}
"""
OPEN, CLOSED, NOWHERE = Word("1", "Open", "new"), Word("2", "Closed", "done"), Word("9", "Nowhere", "new")
ANY = st.integers(0, 99)


def killed() -> TrackerError:
    raise KeyboardInterrupt


def failed() -> TrackerError:
    return ServerFailed("500 from the server")


class Words(RuleBasedStateMachine):
    """Two trackers, people who work in them, policies that change, and runs of which not all come to their end."""

    folder: Path

    def __init__(self) -> None:
        super().__init__()
        self.workshop = build(Path(mkdtemp(dir=self.folder)))
        self.workshop.edit("pack: standard-warranty", "pack: words.yaml")
        self.ledger = Ledger.open("sqlite://")
        self.now = NOW
        self.runs = 0
        self.policy(1, "48h", "opened", "resume")
        for number in range(3):
            server, record = self._record(number)
            server.set_fix_version(record, "1.1", by="lena")

    def teardown(self) -> None:
        self.ledger.close()

    # ---------------------------------------------------------------------------------------------------------- people

    def _server(self, number: int) -> tuple[MemoryServer, str]:
        return ((self.workshop.north, "CAR"), (self.workshop.south, "VAN"))[number % 2]

    def _record(self, number: int) -> tuple[MemoryServer, Record]:
        server, project = self._server(number)
        records = server.projects[project]
        return server, records[number // 2 % len(records)]

    @rule(number=ANY)
    def opened(self, number: int) -> None:
        server, project = self._server(number)
        record = server.open(project, "Lamp is dim", by="carla")
        server.set_fix_version(record, "1.1", by="lena")

    @rule(number=ANY, by=st.sampled_from(("lena", "carla")))
    def commented(self, number: int, by: str) -> None:
        server, record = self._record(number)
        server.comment(record, "I had a look", by=by)

    @rule(number=ANY, status=st.sampled_from((OPEN, CLOSED, CLOSED, NOWHERE)))
    def moved_on(self, number: int, status: Word) -> None:
        server, record = self._record(number)
        server.set_status(record, status, by="lena")

    @rule(number=ANY)
    def garbled_or_mended(self, number: int) -> None:
        server, record = self._record(number)
        record.garbled = not record.garbled
        record.updated_at = server.tick()

    @rule(number=ANY, hours=st.sampled_from((0, 30, 300)))
    def released(self, number: int, hours: int) -> None:
        server, project = self._server(number)
        server.versions[project] = [("1.1", server.now - timedelta(hours=hours))]

    @rule(number=ANY)
    def withdrawn(self, number: int) -> None:
        server, project = self._server(number)
        server.versions[project] = []

    @rule(
        version=st.integers(1, 2),
        answer=st.sampled_from(("30m", "48h")),
        start=st.sampled_from(("opened", "{state: closed}")),
        reopen=st.sampled_from(("resume", "new_cycle", "ignore")),
    )
    def policy(self, version: int, answer: str, start: str, reopen: str) -> None:
        text = PACK.format(version=version, answer=answer, start=start, reopen=reopen)
        (self.workshop.folder / "words.yaml").write_text(text, encoding="utf-8")

    @rule(who=st.sampled_from(("lena", "carla")))
    def responders(self, who: str) -> None:
        text = re.sub(r"responders: \[\w+\]", f"responders: [{who}]", self.workshop.file.read_text(encoding="utf-8"))
        self.workshop.file.write_text(text, encoding="utf-8")

    # ------------------------------------------------------------------------------------------------------------ runs

    @rule(trouble=st.sampled_from((killed, failed)), name=st.sampled_from(("GET issues", "GET releases")), number=ANY)
    def run_that_is_disturbed(self, trouble: Callable[[], TrackerError], name: str, number: int) -> None:
        server, _ = self._server(number)
        server.troubles.append(Trouble(trouble, name))
        try:
            self._run()
        except KeyboardInterrupt:
            pass
        finally:
            server.troubles.clear()

    @rule()
    def run_that_comes_to_its_end(self) -> None:
        run = self._run()
        said = {
            (one.issue.key, one.verdict.clock, one.verdict.cycle): one.verdict
            for one in self.ledger.verdicts("workshop")
        }
        for judged in run.judged:
            for verdict in judged.verdicts:
                last = said[judged.issue.ref.key, verdict.clock, verdict.cycle]
                assert (last.status, last.policy, last.digest, last.due_at, last.stopped_at) == (
                    verdict.status,
                    verdict.policy,
                    verdict.digest,
                    verdict.due_at,
                    verdict.stopped_at,
                )
        quiet = self._run(later=timedelta())
        assert [*self.ledger.verdicts("workshop", run=quiet.id)] == []

    def _run(self, later: timedelta = timedelta(hours=7)) -> Run:
        self.runs += 1
        self.now += later
        for server in self.workshop.servers():
            server.now = self.now - timedelta(minutes=30)
        site = Site.load(self.workshop.file)
        self.ledger.begin_run(f"r{self.runs}", site.name, self.now, site.judged_by)
        run = assess(Sitting(site, self.ledger, f"r{self.runs}", self.now)).run
        self.ledger.end_run(run.id, self.now, RunState.GREEN, requests={})
        return run


def test_the_ledgers_last_word_is_what_the_last_run_judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "KINDS", registry.KINDS)
    monkeypatch.setenv("WORKSHOP_TOKEN", TOKEN)
    monkeypatch.setattr(ledger_issues, "_BATCH", 2)
    monkeypatch.setattr(recording, "_BATCH", 2)
    monkeypatch.setattr(Words, "folder", tmp_path, raising=False)
    few = settings(
        max_examples=40,
        stateful_step_count=20,
        deadline=None,
        # To look for more histories that fail, and for the shortest one, would take minutes.
        phases=(Phase.generate,),
        report_multiple_bugs=False,
    )
    run_state_machine_as_test(Words, settings=few)
