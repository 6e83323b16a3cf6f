"""A program of its own: runs the flow through Prefect over the trackers in memory, and prints what became of it."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any
from uuid import UUID

from flows import embedded
from tests.flows import workshop


def main() -> None:
    """Five runs on one temporary server; one JSON document on stdout."""
    place = workshop.build(Path.cwd())
    os.environ["WORKSHOP_TOKEN"] = workshop.TOKEN
    embedded.prepare()
    from flows import enforce

    enforce.collect = enforce.collect.with_options(retry_delay_seconds=[0, 0])  # the run that finds a dead tracker
    said: dict[str, Any] = {}
    said["dry"] = _run(place.file, dry=True)
    said["refused"] = _run(place.file, expect="0000000000000000")
    said["first"] = _run(place.file)
    said["second"] = _run(place.file)
    place.edit("http://127.0.0.1/south", "http://127.0.0.1/dead")
    said["amber"] = _run(place.file)
    said["artifacts"] = _artifacts()
    said["tasks"] = _tasks(said["first"]["flow_run"])
    sys.stdout.write(json.dumps(said))


def _run(file: Path, **options: Any) -> dict[str, Any]:
    from prefect.client.orchestration import get_client

    from flows.enforce import EnforceRun, enforce

    state: Any = enforce(EnforceRun(site=str(file), now=workshop.NOW, **options), return_state=True)
    ended = state.result(raise_on_failure=False)
    if isinstance(ended, BaseException):
        raise ended
    with get_client(sync_client=True) as client:
        flow_run = client.read_flow_run(state.state_details.flow_run_id)
    return {
        "name": state.name,
        "type": state.type.value,
        "message": state.message,
        "planned": len(ended.run.plan.changes),
        "written": ended.run.written,
        "flow_run": str(state.state_details.flow_run_id),
        "parameters": flow_run.parameters,
    }


def _tasks(flow_run: str) -> list[str]:
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId

    one = FlowRunFilter(id=FlowRunFilterId(any_=[UUID(flow_run)]))
    with get_client(sync_client=True) as client:
        return sorted(task_run.name for task_run in client.read_task_runs(flow_run_filter=one))


def _artifacts() -> dict[str, str]:
    from prefect.client.orchestration import get_client

    with get_client(sync_client=True) as client:
        return {artifact.key or "": str(artifact.data) for artifact in client.read_latest_artifacts()}


if __name__ == "__main__":
    main()
