"""What every step of one run leans on: the site, its ledger, the instant."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from connectors.cache import Cache
from connectors.ledger import Ledger
from flows import lease
from flows.run import Progress, silent
from flows.site import Site
from flows.tracker_site import TrackerSite


@dataclass(frozen=True, slots=True)
class Sitting:
    """What every step of one run leans on.

    Attributes:
        run: its id.
        now: the one instant it judges at.
        keep_alive: keeps the run's lease, if it holds one.
    """

    site: Site
    ledger: Ledger
    run: str
    now: datetime
    progress: Progress = silent
    keep_alive: Callable[[], None] = lease.unneeded

    def cache_of(self, tracker: TrackerSite) -> Cache:
        """What earlier runs learned of a tracker's server; empty where it has another address since."""
        self.ledger.read_at(self.site.name, tracker.name, self.site.origin(tracker))
        return self.ledger.cache(self.site.name, tracker.name, self.now)


def new_run_id(now: datetime) -> str:
    """Names a run: its instant, and four random hex digits for runs of the same instant."""
    return f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"


def open_ledger(site: Site) -> Ledger:
    """The site's ledger. Raises LedgerError where it cannot be used; it says what to do."""
    return Ledger.open(site.ledger_url)
