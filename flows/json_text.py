"""Everything the program says as JSON: a run, a verdict, any of our values. Of confidential issues little is said."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from pydantic_core import to_jsonable_python

from flows.run import Done, Run
from flows.time_grid import times_document
from policies.confidential import WITHHELD, tellable
from policies.issue import IssueRef, Release
from policies.plan import HeldBack, PlannedChange
from policies.verdict import Judged, Verdict


def key_of(issue: IssueRef | None) -> str:
    """The key, or what stands for that of an issue that is yet to be made."""
    return issue.key if issue else "(new)"


def as_document(run: Run) -> str:
    """The run as one JSON document. Instants are ISO in UTC, lengths seconds."""
    hidden = run.confidential
    return document(
        {
            "run": run.id,
            "site": run.site,
            "now": run.now,
            "policy": run.policy,
            "state": run.state,
            "why": run.why,
            "issues": [_issue(tellable(one)) for one in run.judged],
            "plan": {
                "digest": run.plan.digest,
                "changes": [
                    {"tracker": c.tracker, "issue": key_of(c.issue), **_said(c, c.because, hidden)}
                    for c in run.plan.changes
                ],
                "held_back": [
                    {
                        "tracker": h.tracker,
                        "issue": key_of(h.issue),
                        "reason": h.reason,
                        **_said(h, h.detail, hidden, "detail"),
                    }
                    for h in run.plan.held_back
                ],
                "skipped": run.plan.skipped,
                "breaches": run.plan.breaches,
            },
            "unreadable": run.unreadable,
            "faults": run.faults,
            "gone": run.gone,
            "receipts": None if run.receipts is None else [_done(one, hidden) for one in run.receipts],
            "releases": [_release(release, {ref.key for ref in hidden}) for release in run.releases],
            "summary": _counts(run),
            "time": {each.name: times_document(each) for each in run.summaries},
            "without_goal": {each.name: each.without_goal for each in run.summaries},
            "signals": {each.name: {kind.value: n for kind, n in each.signals} for each in run.summaries},
            "requests": run.requests,
        }
    )


def document(value: Any) -> str:
    """Any of our values as JSON text."""
    return json.dumps(
        to_jsonable_python(value, timedelta_mode="float", inf_nan_mode="null"), ensure_ascii=False, indent=2
    )


def _issue(one: Judged) -> dict[str, Any]:
    issue = one.issue
    return {
        "tracker": issue.ref.tracker,
        "project": issue.ref.project,
        "key": issue.ref.key,
        "url": issue.ref.url,
        "state": issue.state,
        "severity": issue.severity,
        "confidential": issue.confidential,
        "category": issue.category,
        "coverage": issue.coverage,
        "policy": one.pack.name if one.pack else None,
        "verdicts": [verdict_document(verdict) for verdict in one.verdicts],
        "signals": one.signals,
    }


def verdict_document(verdict: Verdict) -> dict[str, Any]:
    """A verdict for JSON; its goal as the pack spells it."""
    goal = str(verdict.goal) if verdict.goal is not None else None
    fields: dict[str, Any] = to_jsonable_python(replace(verdict, goal=None), timedelta_mode="float")
    return {**fields, "goal": goal}


def _said(of: PlannedChange | HeldBack, why: str, hidden: frozenset[IssueRef], name: str = "because") -> dict[str, Any]:
    """A change and why, as far as they may be told."""
    if of.issue in hidden:
        return {"change": {"kind": of.change.kind}, name: WITHHELD}
    return {"change": of.change, name: why}


def _release(release: Release, hidden: set[str]) -> Release:
    """The release without the confidential issues it carries a fix of."""
    return replace(release, carries=tuple(carried for carried in release.carries if carried[0] not in hidden))


def _done(done: Done, hidden: frozenset[IssueRef]) -> dict[str, Any]:
    receipt = done.receipt
    return {
        "tracker": done.tracker,
        "issue": key_of(receipt.issue),
        "change": {"kind": receipt.change.kind} if receipt.issue in hidden else receipt.change,
        "outcome": receipt.outcome,
        "at": receipt.at,
        "made": receipt.made,
        "error": receipt.error,
    }


def _counts(run: Run) -> dict[str, dict[str, dict[str, int]]]:
    found: dict[str, dict[str, dict[str, int]]] = {}
    for each in run.summaries:
        for clock, status, count in each.counts:
            found.setdefault(each.name, {}).setdefault(clock, {})[status.value] = count
    return found
