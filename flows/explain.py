"""``warranty explain``: the timeline of one issue, and what the policy makes of it."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.table import Table
from rich.text import Text

from connectors.tracker import NotFound, TrackerError, TrackerReader
from flows import collecting, json_text, render
from flows.exit_codes import Exit
from flows.grid import STYLES, line
from flows.interpreter import Interpreter
from flows.project_groups import projects_of
from flows.refusal import Refusal
from flows.render import instant_in, span
from flows.second_opinion import Comparison, documented, second_opinion, shown
from flows.share_bar import share_bar
from flows.site import Site
from flows.tracker_site import TrackerSite
from policies import patch
from policies.coverage import Coverage
from policies.issue import Issue, Release
from policies.pack import PolicyPack
from policies.shares import time_spent
from policies.timeline import Kind, Line, timeline
from policies.verdict import Judged, Status, Verdict

_MARKS = {
    Kind.EVENT: ("·", ""),
    Kind.WORKING: ("█", "cyan"),
    Kind.PAUSED: ("░", "blue"),
    Kind.START: ("▶", "bold"),
    Kind.STOP: ("■", "bold"),
    Kind.DUE: ("◆", "bold yellow"),
    Kind.LEVEL: ("▲", "bold yellow"),
    Kind.FORGOTTEN: ("▲", "bold blue"),
    Kind.NOW: ("◀", "bold"),
}
_ORDER = (Kind.EVENT, Kind.STOP, Kind.START, Kind.PAUSED, Kind.WORKING, Kind.DUE, Kind.LEVEL, Kind.FORGOTTEN, Kind.NOW)
_TITLE = 80
_LINKS = 10
_DAYS_TOLD_ONE_BY_ONE = 2


def explain(key: str, site: str, now: datetime, *, as_json: bool) -> Exit:
    """Read one issue and tell its story.

    Raises:
        Refusal: no tracker of the site has it, or it could not be judged.
    """
    loaded = Site.load(site)
    policies = loaded.policies()
    tell(loaded, policies.judge(found(loaded, key, now), now), now, as_json=as_json)
    return Exit.FINE


def tell(site: Site, judged: Judged, at: datetime, replay: Mapping[str, Any] | None = None, *, as_json: bool) -> None:
    """Print the story of a judged issue up to the instant it was judged at.

    Args:
        replay: what kind of replay it is, for JSON; the caller says it in words itself.
    """
    issue, pack = judged.issue, judged.pack
    assert pack is not None
    story = timeline(issue, pack, at, judged.verdicts)
    # What the tracker's clocks say, they say of the present.
    native = () if replay else issue.native_slas
    opinion = second_opinion(native, judged.verdicts, pack.clocks, site.zone)
    if not as_json:
        _show(render.console(), site, judged, pack, story, opinion)
        return
    document = {
        **(replay or {}),
        "key": issue.ref.key,
        "tracker": issue.ref.tracker,
        "url": issue.ref.url,
        "title": issue.title,
        "state": issue.state,
        "severity": issue.severity,
        "category": issue.category,
        "coverage": issue.coverage,
        "links": issue.links,
        "patches": issue.patches,
        "gaps": issue.gaps,
        "unmapped": issue.unmapped,
        "policy": pack.name,
        "digest": pack.digest,
        "calendar_digest": pack.calendar_digest,
        "zone": site.zone,
        "timeline": story,
        "verdicts": [
            {**json_text.verdict_document(verdict), "time": time_spent(issue, verdict, pack)}
            for verdict in judged.verdicts
        ],
        "signals": judged.signals,
        "second_opinion": documented(opinion),
    }
    sys.stdout.write(json_text.document(document) + "\n")


def found(site: Site, key: str, now: datetime) -> Issue:
    """The issue in the pack's words, from the first tracker that has it."""
    if not key.strip():
        raise Refusal(
            "an empty key names no issue", Exit.BAD_INPUT, "give the key as people type it: CAR-7, acme/car#7"
        )
    faults: list[str] = []
    for tracker in site.trackers:
        with collecting.reading(site, tracker) as reader:
            try:
                raw = reader.issue(key)
                own = reader.own_account()
                releases = _releases(tracker, reader)
            except NotFound:
                continue
            except TrackerError as failure:
                faults.append(str(failure))
                continue
        releases += _elsewhere(site, tracker.name, faults)
        interpreted = Interpreter(site, now).interpreted(tracker.name, own.id, raw)
        if interpreted.unknown:
            raise Refusal(f"{key} can not be judged: {interpreted.unknown}", Exit.BAD_INPUT)
        if interpreted.report:
            raise Refusal(f"{key} is our own report, which is never judged", Exit.BAD_INPUT)
        return patch.Releases(releases).applied_to(interpreted.issue, now)
    names = ", ".join(tracker.name for tracker in site.trackers)
    if faults:
        raise Refusal(f"{key} was not found; {'; '.join(faults)}", Exit.TRACKER)
    raise Refusal(
        f"no tracker of the site has an issue {key} ({names})", Exit.BAD_INPUT, "check the key, as people type it"
    )


def _releases(tracker: TrackerSite, reader: TrackerReader) -> tuple[Release, ...]:
    """All releases of a tracker of the site."""
    projects = projects_of(tracker.projects, reader)
    return tuple(release for project in projects for release in reader.releases(project))


def _elsewhere(site: Site, here: str, faults: list[str]) -> tuple[Release, ...]:
    """The releases of the other trackers: the fix of an issue may live there."""
    found: list[Release] = []
    for tracker in site.trackers:
        if tracker.name == here:
            continue
        try:
            with collecting.reading(site, tracker) as reader:
                found += _releases(tracker, reader)
        except TrackerError as failure:
            faults.append(str(failure))
    return tuple(found)


# ---------------------------------------------------------------------------------------------------------------- show


def _show(
    out: Console,
    site: Site,
    judged: Judged,
    pack: PolicyPack,
    story: tuple[Line, ...],
    opinion: tuple[Comparison, ...],
) -> None:
    issue = judged.issue
    out.print(Text.assemble((issue.ref.key, "bold"), "  ", line(issue.title, _TITLE)))
    words = (
        issue.state.value if issue.state else "?",
        issue.severity or "no severity",
        issue.category or "no category",
    )
    out.print(Text("  ".join(words), style="dim"))
    if issue.coverage is not None:
        out.print(Text(line(_coverage(issue.coverage)), style="dim"))
    if issue.links:
        linked = [f"{link.word or link.kind.value.replace('_', ' ')} {link.key}" for link in issue.links[:_LINKS]]
        linked += [f"{len(issue.links) - _LINKS} more"] if len(issue.links) > _LINKS else []
        out.print(Text(line(", ".join(linked)), style="dim"))
    for gap in issue.gaps:
        out.print(Text(f"missing: {line(gap.detail)}", style="magenta"))
    out.print()
    out.print(_story(site, story))
    out.print()
    for verdict in judged.verdicts:
        out.print(_told(site, verdict))
        if shares := time_spent(issue, verdict, pack):
            out.print(Text.assemble("  ", share_bar(shares)))
    for signal in judged.signals:
        out.print(Text(f"{instant_in(site.zone, signal.at)}  {line(render.signal_words(signal))}", style="yellow"))
    for told in shown(opinion, site.zone):
        out.print(told)


def _coverage(coverage: Coverage) -> str:
    """The decision with its contract and tier, window, clause, author and what of it no history tells, in one line."""
    parts = [f"coverage {coverage.decision.value}: {coverage.ground.value.replace('_', ' ')}"]
    if coverage.overridden_by:
        parts[0] += f" ({coverage.overridden_by}; the register says {coverage.computed.value})"
    if coverage.contract:
        parts.append(f"contract {coverage.contract}" + (f", {coverage.tier}" if coverage.tier else ""))
    elif coverage.candidates:
        parts.append(f"contracts {', '.join(coverage.candidates)}")
    if coverage.window is not None:
        parts.append(f"{coverage.window.first} to {coverage.window.last} ({coverage.window.zone})")
    parts += [f"clause {coverage.clause}"] if coverage.clause else []
    parts += [f"as it stands now: {', '.join(coverage.undated)}"] if coverage.undated else []
    return "; ".join(parts)


def _story(site: Site, story: tuple[Line, ...]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("when", "", "clock", "what", "worked", "who"):
        table.add_column(name, no_wrap=name in {"when", "worked"}, overflow="fold")
    for entry in together(folded(in_order(story), ZoneInfo(site.zone))):
        mark, style = _MARKS[entry.kind]
        until = f" until {_until(site, entry)}" if entry.until or entry.kind is Kind.PAUSED else ""
        table.add_row(
            Text(instant_in(site.zone, entry.at)),
            Text(mark, style=style),
            Text(entry.clock, style="dim"),
            Text(f"{line(entry.text)}{until}", style=style),
            Text(span(entry.worked)),
            Text(line(entry.who)),
        )
    return table


def in_order(story: Iterable[Line]) -> Iterator[Line]:
    """The story by instant; at one instant first what people did, then what the clocks make of it.

    A clock that stops and starts anew at one instant stops first; one that was not running can only start first.
    """
    running: set[str] = set()

    def rank(entry: Line) -> tuple[int, str]:
        first = entry.kind is Kind.START and entry.clock not in running
        return (_ORDER.index(Kind.EVENT) if first else _ORDER.index(entry.kind)), entry.clock

    for _, together in groupby(sorted(story, key=lambda entry: entry.at), key=lambda entry: entry.at):
        for entry in sorted(together, key=rank):
            if entry.kind is Kind.START:
                running.add(entry.clock)
            elif entry.kind is Kind.STOP:
                running.discard(entry.clock)
            yield entry


def folded(story: Iterable[Line], zone: ZoneInfo) -> Iterator[Line]:
    """The story with the day after day between two happenings as one line for each clock that ran then.

    Args:
        story: lines in order.
        zone: whose days are counted.
    """
    stretches: dict[str, list[Line]] = {}
    for entry in story:
        if entry.kind is Kind.WORKING:
            stretches.setdefault(entry.clock, []).append(entry)
            continue
        yield from _joined(stretches, zone)
        stretches = {}
        yield entry
    yield from _joined(stretches, zone)


def _joined(stretches: Mapping[str, list[Line]], zone: ZoneInfo) -> Iterator[Line]:
    lines: list[Line] = []
    for entries in stretches.values():
        days = {entry.at.astimezone(zone).date() for entry in entries}
        if len(days) <= _DAYS_TOLD_ONE_BY_ONE:
            lines += entries
            continue
        worked = sum((entry.worked or timedelta() for entry in entries), timedelta())
        last = entries[-1].until or entries[-1].at
        # The last stretch may itself be one of many days.
        more = "" if last.astimezone(zone).date() in days else "more than "
        text = f"runs on {more}{len(days)} working days"
        lines.append(replace(entries[0], text=text, until=last, worked=worked))
    yield from sorted(lines, key=lambda entry: (entry.at, entry.clock))


def together(story: Iterable[Line]) -> Iterator[Line]:
    """The story with what several clocks do alike at one instant as one line that names them all."""

    def alike(entry: Line) -> tuple[object, ...]:
        return entry.at, entry.kind, entry.text, entry.until, entry.worked, entry.evidence, bool(entry.clock)

    for key, entries in groupby(story, key=alike):
        if not key[-1]:
            yield from entries
            continue
        first, *rest = entries
        yield replace(first, clock=", ".join(entry.clock for entry in (first, *rest)))


def _until(site: Site, entry: Line) -> str:
    if entry.until is None:
        return "now, and on"
    begun, ended = (instant_in(site.zone, at) for at in (entry.at, entry.until))
    return ended.split(" ", 1)[1] if begun[:10] == ended[:10] else ended


def _used(verdict: Verdict) -> str:
    """The working time used; where something was paused, also what it would be with the pauses."""
    paused = f" ({span(verdict.gross)} with pauses)" if verdict.gross != verdict.used else ""
    return f"{span(verdict.used)}{paused}"


def _told(site: Site, verdict: Verdict) -> Text:
    cycle = f" #{verdict.cycle}" if verdict.cycle > 1 else ""
    text = Text.assemble((f"{verdict.clock}{cycle}: ", "bold"), (verdict.status.value, STYLES[verdict.status.value]))
    text.append(f"  {line(render.reason(verdict))}")
    if verdict.goal is not None:
        text.append(f"\n  promised within {verdict.goal} on calendar {verdict.calendar}; used {_used(verdict)}")
        text.append(f", left {span(verdict.left)}" if verdict.left is not None else "")
    if verdict.due_at is not None:
        # What a pause that is still open will add, nobody knows.
        when = "due at the earliest" if verdict.status is Status.PAUSED else "due"
        text.append(f"\n  {when} {instant_in(site.zone, verdict.due_at)}")
    if verdict.next_change_at is not None:
        text.append(f"\n  next change by itself {instant_in(site.zone, verdict.next_change_at)}")
    provisional = ", provisional: the calendar does not know the holidays of that time" if verdict.provisional else ""
    text.append(
        f"\n  policy {verdict.policy} ({verdict.digest[:8]}), {verdict.reason.clause or 'no clause'}{provisional}"
    )
    return text
