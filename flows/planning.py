"""The step that plans: what is to be written at each tracker, and the run as far as it goes without writing.

Rules:

1. No Prefect here; ``flows.enforce`` puts this into a task, ``flows.assessing`` calls it straight.
2. No business rule here: what follows from a verdict is decided in ``policies``.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from connectors.tracker import Capabilities
from flows.judging import Judgement
from flows.run import Collected, Run, Whose
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


def destination(site: Site, tracker: str, capabilities: Capabilities, now: datetime) -> Destination:
    """Where changes at a tracker go, its tiers as they are at ``now``."""
    found = site.tracker(tracker)
    words = found.vocabulary()
    tiers = found.roster("", site.zone).tiers_at(now)
    return Destination(
        tracker=found.name,
        prefix=site.label_prefix,
        phrases=load_phrases(site.language),
        zone=ZoneInfo(site.zone),
        tiers={tier: accounts[0] for tier, accounts in tiers.items() if accounts},
        tier_accounts=tiers,
        severities={
            severity: word
            for severity in dict.fromkeys(found.severities.values())
            if (word := words.severity_word(severity)) is not None
        },
        web_links=capabilities.web_links,
        priorities=capabilities.priorities,
        internal_comments=capabilities.internal_comments,
        comment_internally=found.internal_comments,
        report_project=found.report_at,
        adopted_at=utc(site.adopted_at) if site.adopted_at is not None else None,
    )


def summarise(
    judged: Sequence[Judged], packs: Sequence[PolicyPack], trackers: Iterable[str]
) -> tuple[ComplianceSummary, ...]:
    """The counts and breaches of each tracker, those of each policy apart."""
    return tuple(each for tracker in trackers for each in summary.summaries(judged, packs, tracker))


class _Taken(NamedTuple):
    """An issue that was judged while others were read.

    Attributes:
        shown: what is shown of it.
        decided: what is to be done about it; None where that met a defect, which shows at the end.
    """

    judged: Judged
    shown: Judged
    decided: plan.Decided | None


class Planning:
    """Decides what is to be done about the issues of a run, one by one as they are judged, and about all at its end."""

    def __init__(self, sitting: Sitting) -> None:
        self._sitting = sitting
        self._policies = sitting.site.policies()
        self._packs = self._policies.in_force(sitting.now)
        self._destinations: dict[str, Destination] = {}
        self._taken: dict[Whose, _Taken] = {}

    def take(self, judged: Judged, capabilities: Capabilities) -> None:
        """An issue that was just judged. What is decided of it holds as long as that judgement does.

        Args:
            capabilities: of its tracker.
        """
        ref, site, now = judged.issue.ref, self._sitting.site, self._sitting.now
        decided: plan.Decided | None = None
        # It is decided again at the end, when all is read, and a defect raises again.
        with contextlib.suppress(Exception):
            if ref.tracker not in self._destinations:
                self._destinations[ref.tracker] = destination(site, ref.tracker, capabilities, now)
            decided = plan.decide(judged, self._packs, self._destinations[ref.tracker], now)
        self._taken[ref.tracker, ref.id] = _Taken(judged, _in_short(judged), decided)

    def end(self, collected: Sequence[Collected], judgement: Judgement) -> Run:
        """The run as far as it goes without writing: plan, summaries, and what was odd on the way."""
        site, now = self._sitting.site, self._sitting.now
        where = self._where(collected)
        decided = plan.plan(
            judgement.judged,
            self._packs,
            where,
            limits=site.plan_limits(),
            now=now,
            skipped=judgement.skipped,
            reports=judgement.report_of(),
            decided=self._standing(where),
        )
        return Run(
            id=self._sitting.run,
            site=site.name,
            zone=site.zone,
            now=now,
            policy=self._packs[0].name,
            judged=tuple(map(self._shown, judgement.judged)),
            plan=decided,
            releases=judgement.releases,
            summaries=summarise(judgement.judged, self._packs, where),
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

    def _standing(self, where: Mapping[str, Destination]) -> Callable[[Judged], plan.Decided | None]:
        """What was decided of an issue, and holds: of this very judgement, and for where its tracker is now."""
        meant = self._destinations.items()
        same = {name for name, then in meant if name in where and _but_for_the_report(then, where[name])}

        def decided(judged: Judged) -> plan.Decided | None:
            taken = self._taken_as(judged)
            return taken.decided if taken is not None and judged.issue.ref.tracker in same else None

        return decided

    def _shown(self, judged: Judged) -> Judged:
        taken = self._taken_as(judged)
        return _in_short(judged) if taken is None else taken.shown

    def _taken_as(self, judged: Judged) -> _Taken | None:
        """What came of this very judgement when it was taken."""
        taken = self._taken.get((judged.issue.ref.tracker, judged.issue.ref.id))
        return taken if taken is not None and taken.judged is judged else None

    def _where(self, collected: Sequence[Collected]) -> dict[str, Destination]:
        """Where changes go, per tracker that answered. One that was not read whole gets no report: it would be wrong."""
        cut_short = {project.tracker for project in collected if project.cut_short}
        found: dict[str, Destination] = {}
        for project in collected:
            if project.capabilities is None or project.tracker in found:
                continue
            where = destination(self._sitting.site, project.tracker, project.capabilities, self._sitting.now)
            found[project.tracker] = replace(where, report_project=None) if project.tracker in cut_short else where
        return found


def _but_for_the_report(one: Destination, other: Destination) -> bool:
    """Whether they are the same to an issue."""
    return replace(one, report_project=None) == replace(other, report_project=None)


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
