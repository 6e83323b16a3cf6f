"""``warranty explain KEY --replay``: an issue as judged, as then, or as if. Which of the three it is always stands first."""

from __future__ import annotations

import sys
from datetime import datetime

from rich.text import Text

from connectors.ledger import Judged as Recorded
from flows import explain, json_text, render
from flows.exit_codes import Exit
from flows.grid import Grid
from flows.refusal import Refusal
from flows.site import Site
from flows.sitting import open_ledger
from policies.loader import load_pack
from policies.replay import Replay, ReplayKind, as_if, as_then

_MEANS = {
    ReplayKind.AS_JUDGED: "as judged: what the ledger holds; nothing is computed anew",
    ReplayKind.AS_THEN: "as then: by the versions in force at that instant, blind to what happened later",
    ReplayKind.AS_IF: "as if: by a candidate, which need not be in force",
}


def replay(
    key: str, site: str, kind: ReplayKind, candidate: str | None, at: datetime | None, now: datetime, *, as_json: bool
) -> Exit:
    """Tell an issue again.

    Args:
        candidate: the pack of an ``as-if``, by name or path.
        at: the instant to judge at (left out: now), or up to which the ledger is read (left out: all of it).

    Raises:
        Refusal: the candidate is missing or out of place, or there is no such issue.
        InputError: the site or the candidate has mistakes.
    """
    if (candidate is None) == (kind is ReplayKind.AS_IF):
        needs = "needs a candidate: add --pack PACK" if candidate is None else "takes no --pack: that is --replay as-if"
        raise Refusal(f"--replay {kind.value} {needs}", Exit.BAD_INPUT)
    loaded = Site.load(site)
    if kind is ReplayKind.AS_JUDGED:
        _as_judged(loaded, key, at, as_json=as_json)
        return Exit.FINE
    at = at or now
    if candidate is not None:
        policies, pack = loaded.policies(), load_pack(candidate)
        issue = explain.found(loaded, key, at)
        told = as_if(issue, policies.candidate(issue, pack), at)
    else:
        issue = explain.found(loaded, key, at)
        told = as_then(issue, loaded.policies().of(issue), at)
    if not as_json:
        render.console().print(_heading(told, loaded))
    explain.tell(loaded, told.judged, at, {"replay": told.kind, "at": told.at}, as_json=as_json)
    return Exit.FINE


def _heading(told: Replay, site: Site) -> Text:
    at = render.instant_in(site.zone, told.at)
    under = f"{told.policy}, policy digest {told.digest}, calendars digest {told.calendar_digest}"
    return Text(f"replay {_MEANS[told.kind]}\nat {at}, under {under}\n", style="bold")


def _as_judged(site: Site, key: str, until: datetime | None, *, as_json: bool) -> None:
    with open_ledger(site) as ledger:
        given = ledger.history(site.name, key, until=until)
    if not given:
        upto = f" up to {until.isoformat()}" if until else ""
        raise Refusal(f"the ledger holds no verdict of {key}{upto}", Exit.BAD_INPUT, "check the key and the instant")
    if as_json:
        document = {
            "replay": ReplayKind.AS_JUDGED,
            "at": until,
            "key": key,
            "verdicts": [_record(one) for one in given],
        }
        sys.stdout.write(json_text.document(document) + "\n")
        return
    out = render.console()
    out.print(Text(f"replay {_MEANS[ReplayKind.AS_JUDGED]}\n", style="bold"))
    out.print(_grid(site, key, given).as_rich(rows=len(given)))


def _record(one: Recorded) -> dict[str, object]:
    return {
        "number": one.number,
        "run": one.run,
        "key": one.issue.key,
        "correction_of": one.correction_of,
        "correction": one.correction,
        **json_text.verdict_document(one.verdict),
    }


def _grid(site: Site, key: str, given: tuple[Recorded, ...]) -> Grid:
    rows = tuple(
        (
            str(one.number),
            render.short_instant_in(site.zone, one.verdict.judged_at),
            one.verdict.clock if one.verdict.cycle == 1 else f"{one.verdict.clock} #{one.verdict.cycle}",
            one.verdict.status.value,
            render.short_instant_in(site.zone, one.verdict.due_at),
            one.verdict.policy,
            one.verdict.digest,
            one.verdict.calendar_digest,
            f"corrects {one.correction_of}: {one.correction}" if one.correction_of else "",
        )
        for one in given
    )
    header = ("no", "judged", "clock", "verdict", "due", "policy", "policy digest", "calendar digest", "correction")
    return Grid(f"Verdicts given of {key}", header, rows, note=f"instants in {site.zone}")
