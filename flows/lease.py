"""The right to write for a site: one run at a time has it, from before it reads until after its last change.

It is taken before reading because a plan made while another run was writing would repeat what that run has just done.
A lease is about this machine's real time, whatever instant the run judges at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from connectors.ledger import Ledger
from flows import instant

EVERY = timedelta(minutes=1)
"""How often the lease (which lasts ten minutes) is renewed while the run goes on."""


def unneeded() -> None:
    """Renews nothing: a run that does not write holds no lease."""


@contextmanager
def held(site: str, ledger: Ledger, run: str) -> Iterator[Callable[[], None]]:
    """Hold the lease. Gives what keeps it alive, to be called as often as one likes.

    Raises:
        RunInProgress: another run holds it.
        LeaseLost: (by what is given) it ran out and another run took it.
    """
    renewed = instant.now()
    ledger.take_lease(site, run, renewed)

    def keep_alive() -> None:
        nonlocal renewed
        if (now := instant.now()) - renewed >= EVERY:
            ledger.renew_lease(site, run, now)
            renewed = now

    try:
        yield keep_alive
    finally:
        ledger.give_back_lease(site, run)
