"""The flow: collect, judge, plan, apply, summarise, as one Prefect run with few, coarse tasks.

Rules:

1. No business rule and no HTTP call here: every task calls what ``flows.collecting``, ``flows.judging``,
   ``flows.planning`` and ``flows.writing`` are for.
2. Only reading is retried. Writing is safe to repeat by being planned anew in the next run, never by a retry.
3. A task per project (per tracker where projects are many), never per issue: a temporary server records about forty task
   runs a second and loses the rest. What happened to each issue stands in the artifacts and in the ledger.
4. Parameters hold no secret: they are stored and shown in clear.
5. The final state tells the truth: Completed, Completed as "Amber" (done in part), or Failed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, TypeVar

from prefect import flow, task
from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.cache_policies import NO_CACHE
from prefect.runtime import task_run
from prefect.states import Completed, Failed
from prefect.utilities.annotations import quote
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from connectors.ledger import RunState
from connectors.tracker import BadAnswer, RateLimited, ServerFailed, TrackerError, Unreachable
from flows import collecting, direct, instant, lease, render, writing
from flows.judging import Judgement, judge_collected
from flows.planning import Planning
from flows.refusal import Refusal
from flows.run import Collected, Done, Run
from flows.site import Site
from flows.sitting import Sitting, new_run_id, open_ledger

RETRIES = 2
LONGEST_DELAY = 10
"""Seconds before the last try."""
MOST_COLLECT_TASKS = 12
ARTIFACT_ROWS = 2000


class EnforceRun(BaseModel):
    """What one run of ``enforce`` is asked to do."""

    model_config = ConfigDict(extra="forbid")

    site: str = Field(description="Path of a site file on the machine that runs the flow, or a shipped site's name.")
    now: AwareDatetime | None = Field(
        default=None, description="Judge as of this instant (with its offset); left out: the present one."
    )
    dry: bool = Field(default=False, description="Stop after the plan; no writer is built.")
    expect: str | None = Field(default=None, description="Refuse unless the plan has this digest.")


_Any = TypeVar("_Any")


def whole(value: _Any) -> _Any:
    """Hands a value to a task as it is; else Prefect walks through every issue in it, looking for futures."""
    quoted: Any = quote(value)
    found: _Any = quoted
    return found


def passes_by_itself(failure: TrackerError) -> bool:
    """Whether it may be over within the seconds between two tries. A quota is not, and asking again uses up more of it."""
    if isinstance(failure, RateLimited):
        return not failure.quota and (failure.retry_after or 0.0) <= LONGEST_DELAY
    return isinstance(failure, ServerFailed | Unreachable | BadAnswer)


def _worth_another_try(_task: Any, _run: Any, state: Any) -> bool:
    """Reading is tried again after what passes by itself; a refused token or a wrong name stays what it is."""
    try:
        state.result()
    except TrackerError as failure:
        return passes_by_itself(failure)
    except Exception:  # noqa: BLE001 - any other failure is not one that passes by itself
        return False
    return False


@task(
    task_run_name="collect {tracker} {projects}",
    retries=RETRIES,
    retry_delay_seconds=[2, LONGEST_DELAY],
    retry_condition_fn=_worth_another_try,
    cache_policy=NO_CACHE,
)
def collect(sitting: Sitting, tracker: str, projects: str) -> Any:
    """Read what changed in the projects (named one after another, with commas) of one tracker.

    After the last try a failure is a Failed state with its reason, not a traceback: the other trackers go on.
    """
    found = sitting.site.tracker(tracker)
    with collecting.reading(sitting.site, found, sitting.cache_of(found)) as reader:

        def collected(project: str) -> Iterator[Collected]:
            spent = Counter(reader.requests)
            try:
                yield from collecting.collect_named(sitting, found, project, reader)
            except TrackerError as failure:
                if passes_by_itself(failure) and (task_run.run_count or 1) <= RETRIES:
                    raise
                yield collecting.not_read(found, project, failure, Counter(reader.requests) - spent)

        read = tuple(collecting.while_asked(found, projects.split(", "), collected))
    if faults := [project.cut_short for project in read if project.cut_short]:
        return Completed(name="Cut short", message="; ".join(faults), data=read)
    return read


@task(name="judge", task_run_name="judge", cache_policy=NO_CACHE)
def judge(sitting: Sitting, collected: tuple[Collected, ...]) -> Judgement:
    """Judge every issue."""
    return judge_collected(sitting, collected)


@task(name="plan", task_run_name="plan", cache_policy=NO_CACHE)
def plan(sitting: Sitting, collected: tuple[Collected, ...], judgement: Judgement) -> Run:
    """Decide what is to be written."""
    return Planning(sitting).end(collected, judgement)


@task(name="apply", task_run_name="apply", cache_policy=NO_CACHE)
def apply(sitting: Sitting, run: Run, judgement: Judgement) -> tuple[tuple[Done, ...], dict[str, Counter[str]]]:
    """Write: labels, priorities, due dates, assignees, comments, patch links, reports, in the plan's order."""
    return writing.apply(sitting, run.plan, judgement.touched_by(run.plan))


@task(name="summarise", task_run_name="summarise", cache_policy=NO_CACHE)
def summarise(sitting: Sitting, run: Run, *, refused: bool) -> None:
    """Write down how the run ended, and show it: one Markdown artifact, and tables of verdicts, plan and receipts."""
    direct.end(sitting, run, RunState.RED if refused else run.state)
    key = f"warranty-{run.site}"
    create_markdown_artifact(render.as_markdown(run), key=f"{key}-run", description=f"warranty run {run.id}")
    trackers = dict.fromkeys(one.issue.ref.tracker for one in run.judged)
    verdicts = render.records(render.verdicts(run, tracker) for tracker in trackers)
    tables = {
        "verdicts": verdicts,
        "plan": render.plan(run).as_records(),
        "receipts": render.receipts(run).as_records(),
    }
    for name, rows in tables.items():
        create_table_artifact(list(rows[:ARTIFACT_ROWS]), key=f"{key}-{name}", description=f"{name} of run {run.id}")


@flow(name="enforce", flow_run_name="enforce {run.site}", persist_result=False)
def enforce(run: EnforceRun) -> Any:
    """Read the trackers of a site, judge every issue, write what follows, and prove it."""
    site = Site.load(run.site)
    judged_by = site.judged_by
    now = run.now or instant.now()
    run_id = new_run_id(now)
    with (
        open_ledger(site) as ledger,
        nullcontext(lease.unneeded) if run.dry else lease.held(site.name, ledger, run_id) as keep_alive,
    ):
        sitting = Sitting(site, ledger, run_id, now, keep_alive=keep_alive)
        ledger.begin_run(run_id, site.name, now, judged_by)
        collected: tuple[Collected, ...] = ()
        for tracker, projects in _batches(site):
            collected += _by_a_task(sitting, tracker, projects, collected)
        judgement = judge(whole(sitting), whole(collected))
        done = plan(whole(sitting), whole(collected), whole(judgement))
        refused: Refusal | None = None
        if not run.dry:
            try:
                writing.guard(done.plan, run.expect)
                receipts, requests = apply(whole(sitting), whole(done), whole(judgement))
                done = direct.with_receipts(done, receipts, requests)
            except Refusal as refusal:
                refused = refusal
        summarise(whole(sitting), whole(done), refused=refused is not None)
    return _final(done, refused)


def _by_a_task(sitting: Sitting, tracker: str, projects: str, before: tuple[Collected, ...]) -> tuple[Collected, ...]:
    """What a collect task reads. None is begun for a tracker that is left alone by now."""

    def collected(names: str) -> tuple[Collected, ...]:
        found: tuple[Collected, ...] = collect(whole(sitting), tracker, names, return_state=True).result()
        return found

    return tuple(collecting.while_asked(sitting.site.tracker(tracker), [projects], collected, before))


def _batches(site: Site) -> list[tuple[str, str]]:
    """(tracker, projects) for each collect task: one a project, or one a tracker where projects are many."""
    if sum(len(tracker.projects) for tracker in site.trackers) <= MOST_COLLECT_TASKS:
        return [(tracker.name, project) for tracker in site.trackers for project in tracker.projects]
    return [(tracker.name, ", ".join(tracker.projects)) for tracker in site.trackers]


@dataclass(frozen=True, slots=True)
class Ended:
    """What the flow hands to a caller in the same process. Attributes: refused: why nothing was written, if so."""

    run: Run
    refused: Refusal | None


def _final(run: Run, refused: Refusal | None) -> Any:
    told = (str(refused),) if refused else ()
    message = "; ".join((*told, *run.why)) or f"{run.written} changes written"
    ended = Ended(run, refused)
    if refused or run.state is RunState.RED:
        return Failed(message=message, data=ended)
    if run.state is RunState.AMBER:
        return Completed(name="Amber", message=message, data=ended)
    return Completed(message=message, data=ended)
