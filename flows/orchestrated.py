"""``warranty enforce``: the flow, run from the command line."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from flows import direct, embedded, render
from flows.exit_codes import Exit
from flows.refusal import Refusal
from flows.site import Site

if TYPE_CHECKING:
    from flows.enforce import Ended


def enforce(site: str, now: datetime | None, *, dry: bool, expect: str | None, as_json: bool) -> Exit:
    """Run the flow and show what it did.

    Raises:
        Refusal: a guard or ``expect`` refused the plan.
        RunInProgress: another run writes for the site.
    """
    # Mistakes in the files are told before a server is started for nothing.
    Site.load(site).policies()
    waiting = Console(stderr=True, quiet=as_json or not sys.stderr.isatty())
    with waiting.status("Prefect is at work"):
        ended = run_flow(site, now, dry=dry, expect=expect)
    if ended.refused is not None:
        raise ended.refused
    render.show(ended.run, as_json=as_json)
    return direct.exit_of(ended.run)


def run_flow(
    site: str, now: datetime | None, *, dry: bool = False, expect: str | None = None, home: Path | None = None
) -> Ended:
    """One run of the flow, on PREFECT_API_URL where that is set, else on a temporary server of its own.

    Raises:
        Refusal: the Prefect server does not answer, or did not record the run.
    """
    embedded.prepare(home)
    from flows.enforce import EnforceRun
    from flows.enforce import enforce as flow

    try:
        state: Any = flow(EnforceRun(site=site, now=now, dry=dry, expect=expect), return_state=True)
    except RuntimeError as failure:
        raise Refusal(
            f"Prefect could not run the flow: {' '.join(str(failure).split())[:300]}",
            Exit.TRACKER,
            f"check the server at {embedded.orchestrator()}" if embedded.orchestrator() else "try again",
        ) from None
    ended = state.result(raise_on_failure=False)
    if isinstance(ended, BaseException):
        raise ended
    found: Ended = ended
    return found
