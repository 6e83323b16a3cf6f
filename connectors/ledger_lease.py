"""Who may write for a site: one process, named so that another can tell whether it is still there."""

from __future__ import annotations

import os
import socket
import sys
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from connectors.ledger_database import LedgerError


class RunInProgress(LedgerError):
    """Another run may write for this site just now. Attributes: run, until: which, and until when unless it renews."""

    def __init__(self, site: str, run: str, until: datetime) -> None:
        self.run = run
        self.until = until
        super().__init__(
            f"run {run} is writing for site {site!r}, until {until:%Y-%m-%d %H:%M:%S} UTC at the latest unless it renews; "
            f"wait for it to end. If it was killed on another machine, it is passed over after that time"
        )


class LeaseLost(LedgerError):
    """The lease ran out and another run took it: stop writing."""


@dataclass(frozen=True, slots=True)
class Holder:
    """A process, as far as another process can name it. Attributes: host: machine and process namespace."""

    host: str
    pid: int

    @classmethod
    def this_process(cls) -> Holder:
        namespace = Path("/proc/self/ns/pid")
        # Containers may share a host name and number their processes alike.
        within = namespace.readlink() if namespace.is_symlink() else ""
        return cls(f"{socket.gethostname()} {within}".strip(), os.getpid())

    def is_dead(self) -> bool:
        """True only if it surely is: it ran here, and no process has its number."""
        if self.host != Holder.this_process().host or sys.platform == "win32":
            return False
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        except OSError:
            return False
        return False
