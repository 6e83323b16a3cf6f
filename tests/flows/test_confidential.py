"""Nothing of a confidential issue is told but its key and what the clocks say, wherever somebody else may read."""

from __future__ import annotations

import io
import json
from dataclasses import MISSING, Field, fields, replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from connectors.sandbox.scenario import read
from connectors.sandbox.server import Sandbox
from flows import json_text, render
from flows.run import Done, Run
from policies.changes import Change, Relabel, SetAssignee, UpsertComment, UpsertLink
from policies.confidential import WITHHELD, tellable
from policies.coverage import Coverage, Decision, Ground
from policies.document import Document, Paragraph, Text
from policies.issue import Actor, FixReleased, Gap, GapKind, Issue, Release, Role
from policies.plan import HeldBack, HeldBackReason, Plan, PlannedChange
from policies.receipt import Outcome, Receipt
from policies.signals import Signal, SignalKind
from policies.summary import summarise
from policies.verdict import Judged, judge
from tests.flows.conftest import Command
from tests.policies.build_issue import at, build_destination, build_issue, resolution

CANARY = "Zitronenfalter"
LATER = "2026-11-20T16:10:00+08:00"
PACK = resolution()
HERE = build_destination()
# What is told of a confidential issue: where it is, what kind of thing, how it stands, since when.
TOLD = {
    "ref", "title", "type", "status", "priority", "opened_at", "updated_at", "due", "reported_at", "confidential", "state", "severity",
}  # fmt: skip


def secret() -> Issue:
    """A confidential issue with the canary in everything that can hold a text."""
    who = Actor(id=CANARY, name=CANARY, role=Role.CUSTOMER)
    decision, ground = next(iter(Decision)), next(iter(Ground))
    covered = Coverage(
        decision=decision, computed=decision, ground=ground, computed_ground=ground, reported_at=at(0),
        contract=CANARY, customer=CANARY, clause=CANARY, candidates=(CANARY,), documents=(CANARY,), overridden_by=CANARY,
    )  # fmt: skip
    release = FixReleased(id="fix", at=at(5), actor=who, release=CANARY, url=f"https://x/{CANARY}", evidence=CANARY)
    return replace(
        build_issue(release, number=7, title=CANARY, confidential=True),
        description=CANARY,
        reporter=who,
        assignee=who,
        labels=frozenset({CANARY}),
        components=(CANARY,),
        fix_versions=(CANARY,),
        versions=(CANARY,),
        resolution=CANARY,
        organisation=CANARY,
        fields=((CANARY, CANARY),),
        category=CANARY,
        gaps=(Gap(GapKind.CREATION, CANARY),),
        unmapped=(CANARY,),
        coverage=covered,
    )


def confidential() -> Judged:
    issue = secret()
    verdicts = tuple(
        replace(each, reason=replace(each.reason, detail=CANARY))
        for each in judge(replace(issue, gaps=()), PACK, at(500))
    )
    return Judged(issue, verdicts, signals=(Signal(next(iter(SignalKind)), "resolution", at(1), (CANARY,), CANARY),))


def run_of(*judged: Judged) -> Run:
    ref = secret().ref
    document = Document((Paragraph((Text(CANARY),)),))
    changes: tuple[Change, ...] = (
        Relabel(add=(CANARY,)),
        SetAssignee(CANARY),
        UpsertComment("clocks", document),
        UpsertLink(CANARY, f"https://x/{CANARY}", CANARY, "patch", CANARY),
    )
    planned = tuple(PlannedChange("here", ref, change, CANARY) for change in changes)
    held = tuple(HeldBack("here", ref, change, HeldBackReason.ADOPTION, CANARY) for change in changes)
    receipts = tuple(
        Done("here", Receipt(issue=ref, change=change, outcome=Outcome.PERFORMED, at=at(500), prior=CANARY))
        for change in changes
    )
    return Run(
        id="1", site="here", zone="UTC", now=at(500), policy="p@1", judged=judged, plan=Plan(planned, held, judged=len(judged)),
        releases=(Release("here", "CAR", "1.4.2", carries=((ref.key, CANARY),)),),
        summaries=(summarise(judged, PACK, "here"),), receipts=receipts,
    )  # fmt: skip


def told_of(run: Run) -> str:
    """Everything a run shows, wherever it is shown."""
    paper = Console(file=io.StringIO(), width=400)
    render.print_run(run, paper)
    assert isinstance(paper.file, io.StringIO)
    records = json.dumps(list(render.records(render.grids(run))), ensure_ascii=False)
    return "\n".join([paper.file.getvalue(), render.as_markdown(run), records, json_text.as_document(run)])


def test_tables_artifacts_and_json_tell_its_key_and_its_clocks_and_nothing_else() -> None:
    told = told_of(run_of(confidential()))
    assert CANARY not in told
    assert "CAR-7" in told
    assert WITHHELD in told
    assert '"confidential": true' in told


def test_it_is_counted_in_every_figure() -> None:
    ordinary = Judged(build_issue(number=8), judge(build_issue(number=8), PACK, at(500)))
    found = summarise([confidential(), ordinary], PACK, "here")
    assert (found.judged, sum(n for *_, n in found.counts)) == (2, 2)
    assert len(found.breaches) == 2
    assert "CAR-7" not in str(found.document(PACK, HERE))
    assert CANARY not in str(found)


def test_of_an_issue_for_all_everything_is_told() -> None:
    judged = confidential()
    for_all = replace(judged, issue=replace(judged.issue, confidential=False))
    assert tellable(for_all) is for_all
    assert CANARY in told_of(run_of(for_all))


@pytest.mark.parametrize(
    "field", [each for each in fields(Issue) if each.name not in TOLD], ids=lambda field: str(field.name)
)
def test_every_other_fact_is_withheld_those_to_come_included(field: Field[Any]) -> None:
    left = getattr(tellable(confidential()).issue, field.name)
    assert not left or left == (None if field.default is MISSING else field.default) or left == Actor(id="")


def test_neither_tracker_is_told_of_it_anywhere_else(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = read("warranty").store()
    hidden = set()
    for labels in (["priority::normal"], []):
        made = store.create_issue(
            "acme/car", CANARY, actor="anna-weber", description=CANARY, labels=[*labels, CANARY], confidential=True
        )
        store.comment(made.key, f"{CANARY} says the customer", actor="anna-weber")
        hidden.add(made.key)
        for number in (1, 2, 3):
            store.link_issues(made.key, f"acme/car#{number}", "blocks", actor="anna-weber")
    with Sandbox(store) as sandbox:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("WARRANTY_SANDBOX_URL", f"http://127.0.0.1:{sandbox.port}")
        monkeypatch.setenv("WARRANTY_SANDBOX_TOKEN", "sandbox-token")
        monkeypatch.setenv("WARRANTY_SANDBOX_LEDGER", f"sqlite:///{tmp_path / 'ledger.db'}")
        for words in (("apply",), ("plan",), ("plan", "--json"), ("radar",)):
            said = command(*words, "--site", "sandbox", "--now", LATER)
            assert CANARY not in said.out + said.err, words
    for issue in store.issues.values():
        if issue.key not in hidden:
            everything = json.dumps(
                [issue.title, issue.description, [one.body for one in issue.comments], issue.labels]
            )
            assert CANARY not in everything
            assert not any(key in everything for key in hidden)


def test_what_an_issue_is_linked_to_is_named_and_no_word_of_it_is_told(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = read("warranty").store()
    words = f"{CANARY} @all /close"
    others = [store.create_issue("acme/car", words, actor="anna-weber", confidential=n == 0).key for n in range(12)]
    for other in others:
        store.link_issues(other, "acme/car#1", "blocks", actor="anna-weber")
    with Sandbox(store) as sandbox:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("WARRANTY_SANDBOX_URL", f"http://127.0.0.1:{sandbox.port}")
        monkeypatch.setenv("WARRANTY_SANDBOX_TOKEN", "sandbox-token")
        monkeypatch.setenv("WARRANTY_SANDBOX_LEDGER", f"sqlite:///{tmp_path / 'ledger.db'}")
        said = command("explain", "acme/car#1", "--site", "sandbox", "--now", LATER)
        document = command("explain", "acme/car#1", "--site", "sandbox", "--now", LATER, "--json").document
    told = " ".join(said.out.split())
    assert f"is blocked by {others[0]}, is blocked by {others[1]}" in told
    assert "2 more" in told
    assert CANARY not in said.out + said.err + json.dumps(document)
    assert [link["key"] for link in document["links"]] == others
    assert {link["kind"] for link in document["links"]} == {"blocked_by"}
