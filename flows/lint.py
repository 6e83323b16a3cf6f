"""``warranty lint``: the contradictions of a pack, with the line each stands at."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from rich.text import Text

from flows import render
from flows.exit_codes import Exit
from flows.grid import STYLES, Grid
from flows.refusal import Refusal
from flows.site import Site
from policies.finding import Finding, Weight, dotted
from policies.lint import lint
from policies.loader import lines_of, load_pack, pack_path
from policies.pack import PolicyPack

AHEAD = timedelta(days=90)
"""How far ahead a pack is looked at unless told otherwise: a quarter."""


@dataclass(frozen=True, slots=True)
class _Subject:
    """Attributes: site: whose words, tiers and labels count; None: the pack is looked at by itself."""

    pack: PolicyPack
    file: Path
    site: Site | None

    def findings(self, horizon: tuple[date, date]) -> tuple[Finding, ...]:
        if self.site is None:
            return lint(self.pack, horizon=horizon)
        return lint(
            self.pack,
            horizon=horizon,
            vocabularies={tracker.name: tracker.vocabulary() for tracker in self.site.trackers},
            tiers={tracker.name: tuple(tracker.tiers) for tracker in self.site.trackers},
            prefix=self.site.label_prefix,
        )


def run(pack: str, site: str | None, now: datetime, through: str | None, *, as_json: bool) -> Exit:
    """Lint a pack by name or path, for issues opened from ``now`` through a day.

    Raises:
        InputError: the pack or the site has mistakes.
        Refusal: ``through`` is no date from ``now`` on.
    """
    horizon = (now.date(), _last_day(through, now.date()))
    subject = _Subject(load_pack(pack), pack_path(pack), Site.load(site) if site else None)
    findings = subject.findings(horizon)
    lines = lines_of(subject.file, (finding.where for finding in findings))
    errors = sum(finding.weight is Weight.ERROR for finding in findings)
    if as_json:
        sys.stdout.write(render.document(_document(subject, horizon, findings, lines)) + "\n")
    else:
        _show(subject, horizon, findings, lines, errors)
    return Exit.FOUND if errors else Exit.FINE


def _last_day(text: str | None, first: date) -> date:
    if text is None:
        return first + AHEAD
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise Refusal(f"--through {text!r} is no date", Exit.BAD_INPUT, "write 2027-12-31") from None
    if day < first:
        raise Refusal(f"--through {text} lies before the first day, {first}", Exit.BAD_INPUT, "name a later day")
    return day


def _document(
    subject: _Subject, horizon: tuple[date, date], findings: tuple[Finding, ...], lines: tuple[int, ...]
) -> dict[str, Any]:
    return {
        "pack": subject.pack.name,
        "digest": subject.pack.digest,
        "file": str(subject.file),
        "site": subject.site.name if subject.site else None,
        "horizon": [day.isoformat() for day in horizon],
        "findings": [
            {
                "weight": finding.weight.value,
                "rule": finding.rule.value,
                "line": line,
                "where": dotted(finding.where),
                "why": finding.why,
                "mend": finding.mend,
            }
            for finding, line in zip(findings, lines, strict=True)
        ],
    }


def _show(
    subject: _Subject,
    horizon: tuple[date, date],
    findings: tuple[Finding, ...],
    lines: tuple[int, ...],
    errors: int,
) -> None:
    out = render.console()
    place = subject.file.name
    if findings:
        rows = tuple(
            (finding.weight.value, f"{place}:{line} {dotted(finding.where)}", finding.why, finding.mend)
            for finding, line in zip(findings, lines, strict=True)
        )
        out.print(Grid("Findings", ("weight", "where", "why", "what would mend it"), rows).as_rich(rows=len(rows)))
    beside = f", at the site {subject.site.name}" if subject.site else ""
    counted = (
        f"{subject.pack.name} ({subject.pack.digest[:8]}){beside}, for issues opened {horizon[0]} to {horizon[1]}: "
        f"{_counted(errors, 'error')}, {_counted(len(findings) - errors, 'warning')}"
    )
    out.print(Text(counted, style=STYLES["red" if errors else "amber" if findings else "green"]))


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
