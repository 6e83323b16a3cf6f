"""Once a day: which cached issues are no longer where they were read. No search for changes tells of these.

Rules:

1. An issue is forgotten only when the tracker, asked for it by its key, does not show it or shows it in another project.
2. Where most issues seem to be gone, it is the account's rights that went: nothing is forgotten, and the run says so.
3. What was read in this run is there, whatever a lagging index lists.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from connectors.tracker import NotFound
from flows.run import Gone

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from connectors.ledger import Cursor
    from connectors.tracker import TrackerReader
    from flows.sitting import Sitting

EVERY = timedelta(days=1)
MOST_ASKED = 200
"""So many missing issues are looked up one by one in a run; the next run goes on with the others."""
_FEW = 10


class MostAreGone(Exception):
    """More than half of a project's issues are no longer listed. ``str()`` says so, and what to do."""


def is_due(cursor: Cursor, now: datetime) -> bool:
    """Whether a day has passed since it was last looked at."""
    return cursor.reconciled_at is None or now - cursor.reconciled_at >= EVERY


def reconcile(
    sitting: Sitting, tracker: str, project: str, reader: TrackerReader, fresh: frozenset[str]
) -> tuple[Gone, ...]:
    """Forget the cached issues of a project that are gone.

    Args:
        fresh: ids of the issues read in this run.

    Raises:
        MostAreGone: nothing was forgotten.
        TrackerError: it could not be looked at; the next run does.
    """
    ledger, site, now = sitting.ledger, sitting.site.name, sitting.now
    held = ledger.known(site, tracker, project)
    if held.keys() <= fresh:
        ledger.set_reconciled(site, tracker, project, now)
        return ()
    missing = sorted(held.keys() - fresh - set(reader.ids(project)))
    if len(missing) > max(_FEW, len(held) / 2):
        raise MostAreGone(
            f"{len(missing)} of {len(held)} issues read before are no longer listed, and none was forgotten: see whether "
            f"the account may still browse {project}; if they were deleted on purpose, delete the ledger"
        )
    gone = dict(_looked_up(sitting, tracker, project, reader, missing[:MOST_ASKED]))
    ledger.forget(site, tracker, gone)
    if len(missing) <= MOST_ASKED:
        ledger.set_reconciled(site, tracker, project, now)
    return tuple(gone.values())


def _looked_up(
    sitting: Sitting, tracker: str, project: str, reader: TrackerReader, ids: list[str]
) -> Iterator[tuple[str, Gone]]:
    for id_ in ids:
        known = sitting.ledger.issue(sitting.site.name, tracker, id_)
        if known is None:
            continue
        key = known.ref.key
        sitting.keep_alive()
        try:
            found = reader.issue(key)
        except NotFound:
            yield id_, Gone(tracker, key, "deleted, or hidden from this account")
        else:
            if found.ref.project != project:
                yield id_, Gone(tracker, key, f"moved to {found.ref.project} as {found.ref.key}")
