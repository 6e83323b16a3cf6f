"""The step that plans: what is to be written at each tracker, and the run as far as it goes without writing.

Rules:

1. No Prefect here; ``flows.enforce`` puts this into a task, ``flows.direct`` calls it straight.
2. No business rule here: what follows from a verdict is decided in ``policies``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from flows.judging import Judgement
from flows.run import Collected, Run
from flows.site import Site
from flows.sitting import Sitting
from policies import plan, summary
from policies.destination import Destination
from policies.issue import FixReleased, utc
from policies.loader import load_phrases
from policies.pack import PolicyPack
from policies.revised import revised
from policies.summary import ComplianceSummary
from policies.verdict import Judged


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


def planned(sitting: Sitting, collected: Sequence[Collected], judgement: Judgement) -> Run:
    """The run as far as it goes without writing: plan, summaries, and what was odd on the way."""
    site, now = sitting.site, sitting.now
    policies = site.policies()
    packs = policies.in_force(now)
    where = destinations(site, collected, now)
    decided = plan.plan(
        judgement.judged,
        packs,
        where,
        limits=site.plan_limits(),
        now=now,
        skipped=judgement.skipped,
        reports=judgement.report_of(),
    )
    return Run(
        id=sitting.run,
        site=site.name,
        zone=site.zone,
        now=now,
        policy=packs[0].name,
        policy_digest=policies.digest,
        judged=tuple(map(_in_short, judgement.judged)),
        plan=decided,
        releases=judgement.releases,
        summaries=summarise(judgement.judged, packs, where),
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
    released = tuple([event for event in issue.events if isinstance(event, FixReleased)])
    return revised(judged, issue=revised(issue, events=released, description=""))


def requests_of(collected: Sequence[Collected]) -> dict[str, Counter[str]]:
    """Requests sent, by tracker and kind."""
    totals: dict[str, Counter[str]] = {}
    for project in collected:
        totals.setdefault(project.tracker, Counter()).update(project.requests)
    return totals
