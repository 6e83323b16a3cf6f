"""One site file, a Jira and a GitLab project under one pack: the same issues in both come to the same report and plan."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from flows.exit_codes import Exit
from tests.conformance import DIALECTS, NOW, TOKEN, Dialect, Trackers
from tests.event_log import COLLEAGUE, CUSTOMER, FIRST, ROBOT, SECOND, THIRD
from tests.event_log_pens import SEVERITY, cloud_account
from tests.event_logs import HAND_MADE
from tests.flows.conftest import Command, Said

NOT_AT_GITLAB = frozenset({"upsert_link"})
"""GitLab links no issue to an address outside; the note on the issue names the release."""
PAIRS = (("Jira Cloud", "GitLab GraphQL"), ("Jira Data Center", "GitLab REST"))


def _site(trackers: Trackers, keys: Mapping[str, str], dialects: tuple[Dialect, ...]) -> str:
    """The site file; JSON is YAML too."""
    shape = {
        "name": "both",
        "pack": "standard-warranty",
        "zone": "Asia/Shanghai",
        "limits": {"changes_per_run": 1000, "changes_per_issue": 20, "share_of_issues": 1.0},
        "trackers": [_tracker(trackers, dialect, keys[dialect.kind]) for dialect in dialects],
    }
    return json.dumps(shape, ensure_ascii=False, indent=1)


def _tracker(trackers: Trackers, dialect: Dialect, project: str) -> dict[str, Any]:
    account = dialect.account
    return {
        "name": dialect.kind,
        "kind": dialect.kind,
        "url": trackers.sandbox.url(dialect.mount),
        "user": dialect.user,
        "token": {"env": "CONFORMANCE_TOKEN"},
        "projects": [project],
        "states": dict(dialect.states),
        "severities": dict(dialect.severities),
        "categories": dict(dialect.categories),
        "responders": [account(each) for each in (FIRST, SECOND, THIRD)],
        "bots": [account(ROBOT)],
        "customers": [account(CUSTOMER), account(COLLEAGUE)],
        "tiers": {"L1": account(FIRST), "L2": account(SECOND), "L3": account(THIRD)},
    }


@dataclass
class Both:
    """The two projects, and ``warranty COMMAND --json`` on the site over them."""

    trackers: Trackers
    keys: Mapping[str, str]
    dialects: Mapping[str, Dialect]
    warranty: Callable[..., Said]

    def title(self, key: str) -> str:
        """Of an issue; "report" for ours, which is not there yet or is named after its tracker."""
        found = self.trackers.store.issue(key)
        return found.title if found and "warranty::report" not in found.labels else "report"

    def verdicts(self, document: Any, tracker: str) -> dict[str, Any]:
        """By issue: its state, and what every clock says of it; ids of events are a tracker's own."""
        return {
            self.title(issue["key"]): {
                **{name: issue[name] for name in ("state", "severity", "category", "policy")},
                "verdicts": [_without_evidence(verdict) for verdict in issue["verdicts"]],
            }
            for issue in document["issues"]
            if issue["tracker"] == tracker
        }

    def plan(self, document: Any, tracker: str) -> list[tuple[str, ...]]:
        """What is to be done to which issue, in words of no tracker."""
        return sorted(
            {
                (self.title(planned["issue"]), *done)
                for planned in document["plan"]["changes"]
                if planned["tracker"] == tracker
                for done in self._plain(planned["change"], self.dialects[tracker])
            }
        )

    def held_back(self, document: Any, tracker: str) -> list[tuple[str, str, str]]:
        found = (each for each in document["plan"]["held_back"] if each["tracker"] == tracker)
        return sorted((self.title(each["issue"]), each["reason"], each["change"]["kind"]) for each in found)

    def left(self, tracker: str) -> dict[str, Any]:
        """How each issue stands in the tracker itself: our labels, date, assignee, and our notes on it."""
        return {
            issue.title: (
                {label for label in issue.labels if label.startswith("warranty::")},
                issue.due,
                issue.assignees,
                [comment.internal for comment in issue.comments if comment.author == cloud_account("warranty")],
            )
            for issue in self.trackers.store.issues.values()
            if issue.project == self.keys[tracker] and "warranty::report" not in issue.labels
        }

    @staticmethod
    def _plain(change: Mapping[str, Any], dialect: Dialect) -> Iterator[tuple[str, ...]]:
        kind = change["kind"]
        if change.keys() == {"kind"}:
            # Of a confidential issue no more is told; to set the severity is to change labels in one of the two.
            yield ("relabel" if kind == "set_priority" else kind,)
        elif kind == "relabel":
            # Where the severity is a label, to set it is to change labels.
            for sign, labels in (("+", change["add"]), ("-", change["remove"])):
                yield from ((kind, sign, label) for label in labels if not label.startswith(SEVERITY))
            yield from (("severity", each) for each in map(dialect.severities.get, _severities(change["add"])) if each)
        elif kind == "set_priority":
            yield "severity", dialect.severities[change["priority"]]
        elif kind == "set_assignee":
            yield kind, str(dialect.person(change["account"]))
        elif kind == "set_due_date":
            yield kind, change["due"]
        else:
            yield (kind,)


def _severities(labels: list[str]) -> list[str]:
    return [f"label:{label}" for label in labels if label.startswith(SEVERITY)]


def _without_evidence(verdict: Mapping[str, Any]) -> dict[str, Any]:
    def bare(value: Mapping[str, Any]) -> dict[str, Any]:
        return {name: held for name, held in value.items() if name != "evidence"}

    return {**verdict, "reason": bare(verdict["reason"]), "pauses": [bare(pause) for pause in verdict["pauses"]]}


@pytest.fixture(params=PAIRS, ids=" and ".join)
def both(
    request: pytest.FixtureRequest, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Both]:
    pair = tuple(each for name in request.param for each in DIALECTS if each.name == name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CONFORMANCE_TOKEN", TOKEN)
    with Trackers() as trackers:
        keys = trackers.write(HAND_MADE)
        site = tmp_path / "both.yaml"
        site.write_text(_site(trackers, keys, pair), encoding="utf-8")

        def warranty(word: str, now: datetime = NOW) -> Said:
            return command(word, "--site", str(site), "--now", now.isoformat(), "--json")

        yield Both(trackers, keys, {each.kind: each for each in pair}, warranty)


def test_one_pack_over_two_trackers_reports_plans_and_writes_the_same(both: Both) -> None:
    planned = both.warranty("plan")
    assert planned.code == Exit.FINE
    _agree(both, planned.document)
    assert len(both.plan(planned.document, "jira")) > 60

    first = both.warranty("apply")
    assert first.code == Exit.FINE
    assert {each["outcome"] for each in first.document["receipts"]} == {"performed"}
    assert first.document["plan"]["digest"] == planned.document["plan"]["digest"]
    assert both.left("jira") == both.left("gitlab")

    entries = len(both.trackers.store.log)
    second = both.warranty("apply")
    assert second.code == Exit.FINE
    assert second.document["plan"]["changes"] == second.document["receipts"] == []
    assert len(both.trackers.store.log) == entries
    _agree(both, second.document)

    # The next thing happens in both, and both take the same note of it.
    store, later = both.trackers.store, NOW + timedelta(hours=1)
    for issue in [each for each in store.issues.values() if each.title == "nothing ever happened to it"]:
        store.comment(issue.key, "Solved by phone.", actor=cloud_account(FIRST), at=later)
    store.clock.set(later + timedelta(minutes=1))
    third = both.warranty("apply", later + timedelta(minutes=1))
    assert third.code == Exit.FINE
    assert {title for title, *_ in both.plan(third.document, "jira")} >= {"nothing ever happened to it"}
    # Whom we assigned has had it since then, and one tracker was written to after the other.
    _agree(both, third.document, ("summary", "signals"))
    assert both.left("jira") == both.left("gitlab")


def _agree(both: Both, document: Any, figures: tuple[str, ...] = ("summary", "signals", "time")) -> None:
    for figure in figures:
        assert document[figure]["jira"] == document[figure]["gitlab"], figure
        assert document[figure]["jira"], figure
    assert len(document["without_goal"]["jira"]) == len(document["without_goal"]["gitlab"])
    verdicts = both.verdicts(document, "jira")
    assert verdicts == both.verdicts(document, "gitlab")
    # Our own report stands beside the issues once it is written, and is not judged.
    assert len(verdicts) == len(HAND_MADE.logs)
    here, there = both.plan(document, "jira"), both.plan(document, "gitlab")
    assert [done for done in here if done[1] not in NOT_AT_GITLAB] == there
    assert both.held_back(document, "jira") == both.held_back(document, "gitlab")
    assert document["plan"]["skipped"] == document["unreadable"] == document["plan"]["breaches"] == []
