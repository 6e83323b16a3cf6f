"""Prefect without a server set up by hand: the settings of a quiet, offline, temporary one.

Prefect reads its settings when it is first imported, so ``prepare`` comes before that. Where PREFECT_API_URL names a
real server nothing is touched.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

SETTINGS = {
    # Prefect's telemetry: offline it prints an error, online it tells others of runs.
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    # A profile of the user's may have switched the temporary server off.
    "PREFECT_SERVER_EPHEMERAL_ENABLED": "true",
    # The first start creates the database, which takes more than the 20 s Prefect allows on a slow machine.
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
    # The temporary server announces itself at INFO and, stopped while it still records, prints tracebacks at ERROR.
    # What the run has to say, the command says itself: tables, or one clear block.
    "PREFECT_LOGGING_SERVER_LEVEL": "CRITICAL",
    "PREFECT_LOGGING_LEVEL": "CRITICAL",
    "PREFECT_LOGGING_ROOT_LEVEL": "CRITICAL",
    "PREFECT_CLI_PROMPT": "false",
}


def orchestrator() -> str:
    """The address of the Prefect server in use, "" for a temporary one."""
    return os.environ.get("PREFECT_API_URL", "")


def prepare(home: Path | None = None) -> None:
    """Set the environment for a temporary server with its files under ``home`` (default ``.warranty/prefect``).

    Raises:
        RuntimeError: Prefect was imported before, so the settings would come too late.
    """
    if orchestrator():
        return
    if "prefect" in sys.modules:
        if all(os.environ.get(name) for name in SETTINGS):
            return  # a second run of this process
        raise RuntimeError("Prefect was imported before its settings were made")
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
    folder = (home or Path(".warranty") / "prefect").resolve()
    folder.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("PREFECT_HOME", str(folder))
