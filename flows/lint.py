"""``warranty lint``: the contradictions of a pack, with the line each stands at."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from rich.text import Text

from flows import json_text, render
from flows.exit_codes import Exit
from flows.grid import STYLES, Grid
from flows.refusal import Refusal
from flows.site import Site
from policies.finding import Finding, Weight, dotted
from policies.lint import lint
from policies.loader import book_paths, lines_of, load_book, load_pack
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
            contract_tiers=self.site.register.tiers if self.site.register is not None else (),
            prefix=self.site.label_prefix,
        )


@dataclass(frozen=True, slots=True)
class _Linted:
    """What was found in one pack, each finding with its line."""

    subject: _Subject
    findings: tuple[Finding, ...]
    lines: tuple[int, ...]

    @property
    def errors(self) -> int:
        return sum(finding.weight is Weight.ERROR for finding in self.findings)


def run(pack: str, site: str | None, now: datetime, through: str | None, *, as_json: bool) -> Exit:
    """Lint a pack by name or path, or each version in a folder, for issues opened from ``now`` through a day.

    Raises:
        InputError: a pack or the site has mistakes, or two versions can not stand side by side.
        Refusal: ``through`` is no date from ``now`` on.
    """
    horizon = (now.date(), _last_day(through, now.date()))
    load_book(pack)
    beside = Site.load(site) if site else None
    linted: list[_Linted] = []
    for file in book_paths(pack):
        subject = _Subject(load_pack(str(file.resolve())), file, beside)
        findings = subject.findings(horizon)
        linted.append(_Linted(subject, findings, lines_of(file, (finding.where for finding in findings))))
    if as_json:
        # A shipped pack's name wins over a folder that is called alike.
        in_folder = linted[0].subject.file.parent == Path(pack)
        documents = [_document(each, horizon) for each in linted]
        sys.stdout.write(json_text.document({"versions": documents} if in_folder else documents[0]) + "\n")
    else:
        for each in linted:
            _show(each, horizon)
    return Exit.FOUND if any(each.errors for each in linted) else Exit.FINE


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


def _document(linted: _Linted, horizon: tuple[date, date]) -> dict[str, Any]:
    subject = linted.subject
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
            for finding, line in zip(linted.findings, linted.lines, strict=True)
        ],
    }


def _show(linted: _Linted, horizon: tuple[date, date]) -> None:
    out, subject, findings, errors = render.console(), linted.subject, linted.findings, linted.errors
    place = subject.file.name
    if findings:
        rows = tuple(
            (finding.weight.value, f"{place}:{line} {dotted(finding.where)}", finding.why, finding.mend)
            for finding, line in zip(findings, linted.lines, strict=True)
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
