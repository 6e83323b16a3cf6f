"""The steps of a run between reading and writing, as plain functions: prepare, judge, plan, summarise.

``flows.collecting`` reads, ``flows.writing`` writes.

Rules:

1. No Prefect here; ``flows.enforce`` puts these into tasks, ``flows.direct`` calls them straight.
2. No business rule here: what is late, what follows from it and what a fix is are decided in ``policies``.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from connectors.ledger import Judged as Recorded
from flows import likely
from flows.run import Collected, Progress, Run, silent
from flows.site import Site
from flows.sitting import Sitting
from flows.tracker_site import TrackerSite
from policies import patch, summary
from policies import plan as planning
from policies.changes import is_report
from policies.destination import Destination
from policies.issue import FixReleased, Issue, Release, StatusChanged, utc
from policies.loader import load_phrases
from policies.pack import PolicyPack
from policies.plan import Plan, Skipped
from policies.policy_set import PolicySet
from policies.summary import ComplianceSummary
from policies.verdict import Judged
from policies.warranty import covered


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """Issues in the pack's words.

    Attributes:
        reports: our own report issues, never judged.
        skipped: left out, and why.
    """

    issues: tuple[Issue, ...] = ()
    reports: tuple[Issue, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    releases: tuple[Release, ...] = ()

    def touched_by(self, plan: Plan) -> dict[tuple[str, str], Issue]:
        """The issues and reports that a plan changes, by (tracker, id)."""
        touched = {(change.tracker, change.issue.id) for change in plan.changes if change.issue is not None}
        found = {(issue.ref.tracker, issue.ref.id): issue for issue in (*self.issues, *self.reports)}
        return {whose: issue for whose, issue in found.items() if whose in touched}

    def report_of(self) -> dict[str, Issue]:
        """The report issue of each tracker that has one; the oldest where somebody made a second."""
        newest_first = sorted(self.reports, key=lambda issue: (issue.opened_at, issue.ref.id), reverse=True)
        return {issue.ref.tracker: issue for issue in newest_first}


# ------------------------------------------------------------------------------------------------------------- prepare


def prepare(site: Site, collected: Sequence[Collected], now: datetime) -> Prepared:
    """The issues in the pack's words: state, severity, category, roles, fixes, coverage; or why one is left out."""
    releases = tuple(release for project in collected for release in project.releases)
    fixes = patch.Releases(releases)
    not_whole = ", ".join(sorted({project.tracker for project in collected if project.cut_short}))
    issues: list[Issue] = []
    reports: list[Issue] = []
    skipped: list[Skipped] = []
    for project in collected:
        tracker = site.tracker(project.tracker)
        roster, words = tracker.roster(project.own.id if project.own else "", site.zone), tracker.vocabulary()
        for raw in project.issues:
            issue = roster.cast(words.apply(raw))
            if is_report(raw, site.report_label):
                reports.append(issue)
            elif issue.unmapped:
                skipped.append(Skipped(tracker.name, issue.ref.key, _unmapped(site, tracker, issue)))
            elif not_whole and any(label.startswith(f"{site.label_prefix}::patch::") for label in issue.labels):
                why = f"its fix may be in a release of {not_whole}, which could not be read whole"
                skipped.append(Skipped(tracker.name, issue.ref.key, f"{why}; the next run judges it"))
            else:
                known = fixes.applied_to(issue, now)
                if site.register is not None:
                    known = covered(known, site.register, now, prefix=site.label_prefix)
                issues.append(known)
    return Prepared(issues=tuple(issues), reports=tuple(reports), skipped=tuple(skipped), releases=releases)


def _unmapped(site: Site, tracker: TrackerSite, issue: Issue) -> str:
    """Which statuses, now or in the past, mean nothing yet, and the lines to add for them."""
    words = tracker.vocabulary()
    changes = (event for event in issue.events if isinstance(event, StatusChanged))
    found = (issue.status, *(word for change in changes for word in (change.before, change.after) if word))
    unknown = {word.name: word for word in found if words.state_of(word) is None}.values()
    named = ", ".join(f"{word.name!r} (id {word.id})" if word.id else repr(word.name) for word in unknown)
    lines = ", ".join(
        f"`{json.dumps(word.name, ensure_ascii=False)}: {likely.state_of(word).value}`" for word in unknown
    )
    return (
        f"the site file says nothing of status {named or ', '.join(issue.unmapped)}; add {lines or 'it'} (or what it means)"
        f" under states of tracker {tracker.name!r} in {site.path.name}"
    )


# ------------------------------------------------------------------------------------------------------- judge, plan


def judge_all(
    issues: Sequence[Issue], policies: PolicySet, now: datetime, progress: Progress = silent
) -> tuple[tuple[Judged, ...], tuple[Skipped, ...]]:
    """Every issue with its verdicts and signals, under the policy and version that judges it; and those whose judging failed."""
    judged: list[Judged] = []
    skipped: list[Skipped] = []
    for number, issue in enumerate(issues, 1):
        try:
            judged.append(policies.judge(issue, now))
        except Exception as defect:  # noqa: BLE001 - one issue that trips a defect of ours must not stop the others
            why = f"a defect of this program ({type(defect).__name__}); please report it with this issue's history"
            skipped.append(Skipped(issue.ref.tracker, issue.ref.key, why))
        progress("judge", number, len(issues))
    return tuple(judged), tuple(skipped)


def record(sitting: Sitting, judged: Sequence[Judged], fresh: frozenset[tuple[str, str]]) -> int:
    """Write the verdicts that can have changed into the ledger: of issues just read, and of those whose instant came.

    Where another policy or calendar judges than in the run before, that is every issue: what was final under the old one
    is corrected by a new row.
    """
    name, policies = sitting.site.name, sitting.site.policies()
    due = sitting.ledger.due(name, sitting.now)
    new = fresh.union((ref.tracker, ref.id) for ref in due)
    if sitting.ledger.judged_by(name) not in {None, policies.digest}:
        new = new.union((one.issue.ref.tracker, one.issue.ref.id) for one in judged)
    return sitting.ledger.record_verdicts(
        sitting.run,
        [
            Recorded(one.issue.ref, verdict)
            for one in judged
            if (one.issue.ref.tracker, one.issue.ref.id) in new
            for verdict in one.verdicts
        ],
    )


def destinations(site: Site, collected: Sequence[Collected], now: datetime) -> dict[str, Destination]:
    """Where changes go, per tracker that answered, its tiers as they are at ``now``.

    A tracker that was not read whole gets no report: it would be wrong.
    """
    cut_short = {project.tracker for project in collected if project.cut_short}
    found: dict[str, Destination] = {}
    for project in collected:
        capabilities = project.capabilities
        if capabilities is None or project.tracker in found:
            continue
        tracker = site.tracker(project.tracker)
        words = tracker.vocabulary()
        tiers = tracker.roster("", site.zone).tiers_at(now)
        found[tracker.name] = Destination(
            tracker=tracker.name,
            prefix=site.label_prefix,
            phrases=load_phrases(site.language),
            zone=ZoneInfo(site.zone),
            tiers={tier: accounts[0] for tier, accounts in tiers.items() if accounts},
            tier_accounts=tiers,
            severities={
                severity: word
                for severity in dict.fromkeys(tracker.severities.values())
                if (word := words.severity_word(severity)) is not None
            },
            web_links=capabilities.web_links,
            priorities=capabilities.priorities,
            internal_comments=capabilities.internal_comments,
            comment_internally=tracker.internal_comments,
            report_project=None if tracker.name in cut_short else tracker.report_at,
            adopted_at=utc(site.adopted_at) if site.adopted_at is not None else None,
        )
    return found


def summarise(
    judged: Sequence[Judged], packs: Sequence[PolicyPack], trackers: Iterable[str]
) -> tuple[ComplianceSummary, ...]:
    """The counts and breaches of each tracker, those of each policy apart."""
    return tuple(each for tracker in trackers for each in summary.summaries(judged, packs, tracker))


# ---------------------------------------------------------------------------------------------------------------- run


def judge_collected(sitting: Sitting, collected: Sequence[Collected]) -> tuple[Prepared, tuple[Judged, ...]]:
    """Judge what was collected, and write down what is new."""
    prepared = prepare(sitting.site, collected, sitting.now)
    judged, failed = judge_all(prepared.issues, sitting.site.policies(), sitting.now, sitting.progress)
    fresh = frozenset((project.tracker, id_) for project in collected for id_ in project.fresh)
    record(sitting, judged, fresh)
    return replace(prepared, skipped=(*prepared.skipped, *failed)), judged


def plan_judged(
    sitting: Sitting, collected: Sequence[Collected], prepared: Prepared, judged: tuple[Judged, ...]
) -> Run:
    """The run as far as it goes without writing: plan, summaries, and what was odd on the way."""
    site, now = sitting.site, sitting.now
    policies = site.policies()
    packs = policies.in_force(now)
    where = destinations(site, collected, now)
    decided = planning.plan(
        judged,
        packs,
        where,
        limits=site.plan_limits(),
        now=now,
        skipped=prepared.skipped,
        reports=prepared.report_of(),
    )
    return Run(
        id=sitting.run,
        site=site.name,
        zone=site.zone,
        now=now,
        policy=packs[0].name,
        policy_digest=policies.digest,
        judged=tuple(map(_in_short, judged)),
        plan=decided,
        releases=prepared.releases,
        summaries=summarise(judged, packs, where),
        servers={project.tracker: project.capabilities.server for project in collected if project.capabilities},
        unreadable=tuple(unreadable for project in collected for unreadable in project.unreadable),
        faults={
            f"{project.tracker}/{project.project}": told
            for project in collected
            if (told := project.cut_short or project.doubt)
        },
        gone=tuple(gone for project in collected for gone in project.gone),
        requests=requests_of(collected),
        read_nothing=not any(project.capabilities for project in collected),
        rests=any(project.rests for project in collected),
    )


def _in_short(judged: Judged) -> Judged:
    """What is shown of an issue: without its history, which of ten thousand issues would fill the memory till the end."""
    issue = judged.issue
    released = tuple(event for event in issue.events if isinstance(event, FixReleased))
    return replace(judged, issue=replace(issue, events=released, description=""))


def requests_of(collected: Sequence[Collected]) -> dict[str, Counter[str]]:
    """Requests sent, by tracker and kind."""
    totals: dict[str, Counter[str]] = {}
    for project in collected:
        totals.setdefault(project.tracker, Counter()).update(project.requests)
    return totals
