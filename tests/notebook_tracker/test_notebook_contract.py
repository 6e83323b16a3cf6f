"""A third tracker, built from the page on how to add one: it keeps every promise, and the command line works on it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from connectors import registry
from connectors.registry import Kind
from connectors.tracker import BadAnswer, Rejected, Unreadable
from flows import cli
from flows.exit_codes import Exit
from policies.changes import Mark, Relabel
from policies.issue import Issue, Role
from policies.receipt import Outcome
from tests.contract import PROMISES, Promise
from tests.ground import link, perform, read, report
from tests.notebook_tracker.notebook_ground import NotebookGround
from tests.notebook_tracker.notebook_reader import NotebookReader
from tests.notebook_tracker.notebook_server import Answer, Trouble
from tests.notebook_tracker.notebook_writer import NotebookWriter
from tests.promises_of_writing import perform_all

SITE = """\
name: workshop
pack: standard-warranty
zone: Asia/Shanghai
trackers:
  - name: notebook
    kind: notebook
    url: {url}
    token: {{env: NOTEBOOK_TOKEN}}
    projects: [CAR]
    states: {{Open: open, Done: closed}}
    severities: {{High: high, Low: normal}}
    responders: [bob]
"""

Command = Callable[..., Any]


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.__name__)
def test_the_tracker_keeps_its_promise(promise: Promise, tmp_path: Path) -> None:
    promise(NotebookGround(tmp_path))


def test_a_link_that_is_refused_is_not_proven_and_the_other_changes_are_done(tmp_path: Path) -> None:
    ground = NotebookGround(tmp_path)
    key = ground.opens("Pump leaks")
    ground.refuses_next(status=422, text=link().global_id)
    proof, other = Relabel(add=(link().proof,)), Relabel(add=("sla-at-risk",))
    (worked,) = perform_all(ground, (key, (link(), proof, other)))
    assert [receipt.outcome for receipt in worked.receipts] == [Outcome.FAILED, Outcome.NOT_TRIED, Outcome.PERFORMED]
    assert isinstance(worked.failure, Rejected)
    assert ground.really(key).labels == {"sla-at-risk"}


def test_a_report_that_somebody_else_planted_is_not_taken_for_ours(tmp_path: Path) -> None:
    ground = NotebookGround(tmp_path)
    wanted = report(ground, "One breach.")
    planted = ground.store.open(ground.project, wanted.title, str(wanted.mark), by="ann", labels=[wanted.label])
    before = ground.really(planted)
    made = perform(ground, None, wanted).issue
    assert made is not None
    assert made.key != planted
    assert ground.really(planted) == before


@pytest.mark.parametrize("junk", ["null", "[]", "{}", "7", '"x"', '{"issues": [[]], "projects": 1, "versions": "x"}'])
def test_an_answer_of_another_shape_is_a_bad_answer(junk: str, tmp_path: Path) -> None:
    ground = NotebookGround(tmp_path)
    key = ground.opens("Pump leaks")
    asked: list[Callable[[NotebookReader], object]] = [
        NotebookReader.own_account,
        NotebookReader.projects,
        lambda reader: reader.words(ground.project),
        lambda reader: list(reader.changed_since(ground.project, None)),
        lambda reader: list(reader.ids(ground.project)),
        lambda reader: reader.issue(key),
        lambda reader: reader.releases(ground.project),
    ]
    reader = ground.reader()
    reader.own_account()
    for ask in asked:
        ground.server.troubles.append(Trouble(instead=Answer(200, junk)))
        with pytest.raises(BadAnswer):
            ask(reader)
    assert ground.server.troubles == []


@pytest.mark.parametrize(
    "strange",
    [
        {"opened": {"at": "2026-03-06T12:00:00", "by": {"id": "ann"}}},
        {"due": "soon"},
        {"log": [{"n": 1, "at": "2026-03-06T12:00:00Z", "by": {"id": "ann"}, "what": "set", "field": "status"}]},
        {"status": "Open"},
    ],
    ids=["an instant without offset", "a date in words", "a status that became nothing", "a status that is a text"],
)
def test_a_record_that_makes_no_sense_is_unreadable_and_says_why(strange: dict[str, Any], tmp_path: Path) -> None:
    ground = NotebookGround(tmp_path)
    key, other = ground.opens("Pump leaks"), ground.opens("Hose leaks")
    page = {"issues": [{**ground.server.record(key), **strange}, ground.server.record(other)], "next": None}
    reader = ground.reader()
    reader.own_account()
    ground.server.troubles.append(Trouble(instead=Answer(200, json.dumps(page))))
    unreadable, issue = reader.changed_since(ground.project, None)
    assert isinstance(unreadable, Unreadable)
    assert isinstance(issue, Issue)
    assert (unreadable.key, issue.ref.key) == (key, other)
    assert unreadable.reason


@pytest.fixture
def ground(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> NotebookGround:
    """A notebook, its kind in the registry, and a site over it in the current folder."""
    (tmp_path / "notebook").mkdir()
    ground = NotebookGround(tmp_path / "notebook")
    kinds = {**registry.KINDS, "notebook": Kind(NotebookReader, NotebookWriter, stand_ins={}, custom_fields=False)}
    monkeypatch.setattr(registry, "KINDS", kinds)
    monkeypatch.setenv("NOTEBOOK_TOKEN", ground.token)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "site.yaml").write_text(SITE.format(url=ground.url), encoding="utf-8")
    return ground


@pytest.fixture
def warranty(ground: NotebookGround, capsys: pytest.CaptureFixture[str]) -> Command:
    """What ``warranty COMMAND --json`` prints; it ends well."""

    def run(*arguments: str) -> Any:
        capsys.readouterr()
        code = cli.run([*arguments, "--site", "site.yaml", "--now", ground.now.isoformat(), "--json"])
        said = capsys.readouterr()
        assert code == Exit.FINE, said.err + said.out
        return json.loads(said.out)

    return run


def test_a_plan_writes_nothing_an_apply_does_and_the_next_one_nothing_more(
    ground: NotebookGround, warranty: Command
) -> None:
    late = ground.opens("Brakes squeal", at=datetime(2026, 3, 2, 1, 0, tzinfo=UTC))
    answered = ground.opens("Radio is silent", at=datetime(2026, 3, 6, 2, 0, tzinfo=UTC))
    ground.store.comment(answered, "We are looking into it", by="bob")

    planned = warranty("plan")["plan"]["changes"]
    assert {change["issue"] for change in planned} == {late, answered, "(new)"}
    assert ground.writes() == []

    warranty("apply")
    written = ground.writes()
    assert written
    issue = read(ground, late)
    (comment,) = issue.comments()
    assert comment.actor.role is Role.OWN
    assert Mark.found_in(comment.text)
    assert issue.labels
    assert len(ground.keys()) == 3

    warranty("apply")
    assert ground.writes() == written
