"""A run as far as it goes without writing: projects are read, and each issue is judged and planned while others are read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from connectors.ledger import Kept
from connectors.tracker import Capabilities
from flows import collecting
from flows.judging import Judging
from flows.planning import Planning
from flows.run import Run, Whose
from flows.sitting import Sitting
from policies.issue import Issue


@dataclass(frozen=True, slots=True)
class Assessed:
    """Attributes: touched: the issues that the run's plan changes, whole."""

    run: Run
    touched: Mapping[Whose, Issue]


def assess(sitting: Sitting) -> Assessed:
    """Collect, judge, plan. What is not written to is in nobody's way afterwards.

    Raises:
        InputError: a secret that the site file names is not there.
    """
    judging, planning = Judging(sitting), Planning(sitting)

    def onward(tracker: str, own: str, capabilities: Capabilities, kept: Kept) -> None:
        judged = judging.take(tracker, own, kept.issue, awake=kept.awake)
        if judged is not None:
            planning.take(judged, capabilities)

    collected = collecting.collect_all(sitting, onward)
    judgement = judging.end(collected)
    run = planning.end(collected, judgement)
    return Assessed(run, judgement.touched_by(run.plan))
