"""``warranty doctor``: find now what would fail later, and say what to do about each.

Rule: a check that can not be made is a finding that is not ok; it stops no other check.
"""

from __future__ import annotations

import difflib
import importlib.metadata
import importlib.util
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from rich.text import Text

from connectors import registry
from connectors.ledger import LedgerError
from connectors.tracker import Finding, TrackerError, TrackerReader
from flows import collecting, embedded, json_text, likely, render
from flows.exit_codes import Exit
from flows.field_names import needed
from flows.grid import STYLES, Grid
from flows.project_groups import is_group, projects_of
from flows.site import Site
from flows.sitting import open_ledger
from flows.tracker_site import TrackerSite
from policies.issue import Word
from policies.pack import PolicyPack
from policies.problem import InputError

DISTRIBUTION = "warranty-flows"
OURS = ("policies", "connectors", "flows")
THEIRS = {"jira": "jira", "gitlab": "python-gitlab"}


def doctor(site: str, now: datetime, *, as_json: bool) -> Exit:
    """Check everything a run of the site leans on."""
    loaded = Site.load(site)
    findings = tuple(examine(loaded, now))
    if as_json:
        sys.stdout.write(
            json_text.document({"site": loaded.name, "findings": findings, "ok": _all_ok(findings)}) + "\n"
        )
    else:
        _show(loaded, findings)
    return Exit.FINE if _all_ok(findings) else Exit.FOUND


def _all_ok(findings: tuple[Finding, ...]) -> bool:
    return all(finding.ok for finding in findings)


def _show(site: Site, findings: tuple[Finding, ...]) -> None:
    rows = tuple((f.subject, "ok" if f.ok else "not ok", f.detail, "" if f.ok else f.advice) for f in findings)
    out = render.console()
    out.print(Grid(f"Doctor · {site.name}", ("subject", "found", "detail", "advice"), rows).as_rich(rows=len(rows)))
    bad = sum(not finding.ok for finding in findings)
    out.print(Text(f"{bad} to mend" if bad else "everything is in order", style=STYLES["red" if bad else "green"]))


def examine(site: Site, now: datetime) -> Iterator[Finding]:
    """All findings, the local ones first."""
    yield from _packages()
    yield _versions()
    yield from _tried("pack", lambda: _packs(site, now))
    yield from _adoption(site, now)
    yield from _contracts(site)
    yield from _tried("ledger", lambda: _ledger(site))
    if embedded.orchestrator():
        yield from _tried("Prefect server", _server)
    for tracker in site.trackers:
        yield from _tried(tracker.name, lambda tracker=tracker: _tracker(site, tracker, now))  # type: ignore[misc]  # bound now


def _tried(subject: str, check: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    """The findings of a check, and one that is not ok where the check itself failed."""
    try:
        yield from check()
    except TrackerError as failure:
        yield Finding(subject, ok=False, detail=failure.detail, advice=failure.advice)
    except (InputError, LedgerError) as failure:
        yield Finding(subject, ok=False, detail=" ".join(str(failure).split()), advice="")


# ------------------------------------------------------------------------------------------------------------ packages


def _packages() -> Iterator[Finding]:
    """Our top-level names are ours, and ``jira`` and ``gitlab`` are the libraries."""
    owners = importlib.metadata.packages_distributions()
    home = Path(__file__).resolve().parent.parent
    for name in OURS:
        where = _place(name)
        others = sorted(set(owners.get(name, ())) - {DISTRIBUTION})
        ok = where is not None and where.parent == home and not others
        found = f"{where}" + (f"; also claimed by {', '.join(others)}" if others else "")
        yield Finding(
            f"package {name}",
            ok=ok,
            detail=found,
            advice=""
            if ok
            else "another distribution holds this name: install warranty-flows in an environment of its own",
        )
    ours = {home, *(home / name for name in OURS)}
    for name, distribution in THEIRS.items():
        where = _place(name)
        ok = where is not None and where.parent not in ours and distribution in owners.get(name, ())
        yield Finding(
            f"package {name}",
            ok=ok,
            detail=f"{where} ({distribution})" if where else "not installed",
            advice=""
            if ok
            else f"`import {name}` must find {distribution}: do not put connectors/ or flows/ on PYTHONPATH",
        )


def _place(name: str) -> Path | None:
    spec = importlib.util.find_spec(name)
    places = list(spec.submodule_search_locations or ()) if spec else []
    return Path(places[0]).resolve() if places else None


def _versions() -> Finding:
    """Prefect 3.8's server dies on FastAPI 0.151 and later; Prefect 3.8 does not say so itself."""
    prefect, fastapi = importlib.metadata.version("prefect"), importlib.metadata.version("fastapi")
    minor = int(fastapi.split(".")[1]) if fastapi.startswith("0.") else 0
    ok = prefect.startswith("3.") and fastapi.startswith("0.") and minor < 151  # noqa: PLR2004 - see above
    return Finding(
        "Prefect and FastAPI",
        ok=ok,
        detail=f"prefect {prefect}, fastapi {fastapi}",
        advice="" if ok else "install the locked versions (make setup), or fastapi>=0.139,<0.151",
    )


def _server() -> Iterator[Finding]:
    from prefect.client.orchestration import get_client

    url = embedded.orchestrator()
    with get_client(sync_client=True) as client:
        failure = client.api_healthcheck()
    yield Finding(
        "Prefect server",
        ok=failure is None,
        detail=url if failure is None else f"{url} does not answer ({type(failure).__name__})",
        advice=""
        if failure is None
        else "start it (prefect server start), or unset PREFECT_API_URL for a temporary one",
    )


# ---------------------------------------------------------------------------------------------------------- pack, ledger


def _packs(site: Site, now: datetime) -> Iterator[Finding]:
    """Each policy that judges here with its calendars, and whether the words of the trackers are words of one."""
    policies = site.policies()
    packs = [book.latest for book in (policies.own, *policies.by_contract.values())]
    calendars = {name: pack.calendar_named(name) for pack in packs for _, name in pack.calendar_ids()}
    for name, calendar in sorted(calendars.items()):
        covered = calendar.covers(now)
        yield Finding(
            f"calendar {name}",
            ok=covered,
            detail=f"{'knows' if covered else 'does not know'} the holidays of {now:%Y}",
            advice=""
            if covered
            else "until it does, verdicts of this year are provisional: put a newer one in calendars/ beside the pack",
        )
    for pack in {pack.id: pack for pack in packs}.values():
        under = sorted(contract for contract, book in policies.by_contract.items() if book.latest.id == pack.id)
        agreed = f", by contract {', '.join(under)}" if under and pack.id != policies.own.latest.id else ""
        detail = f"{pack.name}, {len(pack.clocks)} clocks, {len(pack.actions)} actions{agreed}"
        yield Finding("pack", ok=True, detail=detail)
    for tracker in site.trackers:
        for what, said in (("severity", tracker.severities), ("category", tracker.categories)):
            for word in sorted(set(said.values())):
                yield from _of_no_pack(site, f"{tracker.name}: {what} {word!r}", word, _declared(packs, what))


def _declared(packs: Iterable[PolicyPack], what: str) -> dict[str, tuple[str, ...]]:
    """Pack -> its words for severity or category. One that declares none asks for none, unless it is the only one."""
    words = {pack.name: pack.severities if what == "severity" else pack.categories for pack in packs}
    return {name: known for name, known in words.items() if known} or dict.fromkeys(list(words)[:1], ())


def _of_no_pack(site: Site, subject: str, word: str, declared: Mapping[str, tuple[str, ...]]) -> Iterator[Finding]:
    """A word of a tracker that some pack does not declare: under that one such issues get no promise made for it."""
    lacking = {name: known for name, known in declared.items() if word not in known}
    if not lacking:
        return
    detail = "; ".join(f"{name} knows {', '.join(known) or 'none'}" for name, known in lacking.items())
    if len(lacking) < len(declared):
        advice = f"declare it in {', '.join(lacking)}, or write a word in {site.path.name} that every pack knows"
    elif near := difflib.get_close_matches(word, [each for known in lacking.values() for each in known], 1):
        advice = f"write {near[0]!r} in {site.path.name}"
    else:
        advice = f"use one of these words in {site.path.name}"
    yield Finding(subject, ok=False, detail=detail, advice=advice)


def _adoption(site: Site, now: datetime) -> Iterator[Finding]:
    """Whether an old backlog is taken over without a word to anybody."""
    if site.adopted_at is None:
        return
    ahead = site.adopted_at > now
    at = render.instant_in(site.zone, site.adopted_at)
    yield Finding(
        "adoption",
        ok=not ahead,
        detail=f"on since {at}: what lies before it is labelled and reported, no one is told"
        if not ahead
        else f"{at} lies ahead: until then no one is told of anything",
        advice="" if not ahead else f"write an instant that has passed as adopted_at in {site.path.name}",
    )


def _contracts(site: Site) -> Iterator[Finding]:
    """Whether every field that a contract is matched by is read from some tracker."""
    if site.register is None:
        return
    read = ((*tracker.fields, *registry.KINDS[tracker.kind].own_fields) for tracker in site.trackers)
    named = {word.casefold() for words in read for word in words}
    missing = sorted(needed(site.register) - named)
    for word in missing:
        near = next(iter(difflib.get_close_matches(word, named, 1)), None)
        yield Finding(
            f"contracts: field {word!r}",
            ok=False,
            detail="a contract is matched by it, and no tracker of the site reads it: nothing is found by it",
            advice=f"write {near!r} in {site.contracts}, or name {word!r} under fields in {site.path.name}"
            if near
            else f"name it under fields of a tracker in {site.path.name}",
        )
    if not missing:
        yield Finding("contracts", ok=True, detail=f"{len(site.register.contracts)} in {site.contracts}")


def _ledger(site: Site) -> Iterator[Finding]:
    with open_ledger(site) as ledger:
        latest = ledger.runs(site.name, latest=1)
    last = f"last run {latest[0].id}" if latest else "no run yet"
    yield Finding("ledger", ok=True, detail=f"opens; {last}")


# ------------------------------------------------------------------------------------------------------------- tracker


def _tracker(site: Site, tracker: TrackerSite, now: datetime) -> Iterator[Finding]:
    with _opened(site, tracker) as reader:
        projects = _present(tracker, reader)
        yield from (
            Finding(f"{tracker.name}: {finding.subject}", finding.ok, finding.detail, finding.advice)
            for finding in reader.check([*filter(is_group, tracker.projects), *projects])
        )
        for project in projects:
            yield from _tried(
                f"{tracker.name}: words of {project}",
                lambda project=project: _words(site, tracker, project, reader),  # type: ignore[misc]  # bound now
            )
    yield from _people(site, tracker, now)


def _present(tracker: TrackerSite, reader: TrackerReader) -> tuple[str, ...]:
    try:
        return projects_of(tracker.projects, reader)
    except TrackerError:
        # The checks that follow say what is wrong.
        return tuple(name for name in tracker.projects if not is_group(name))


@contextmanager
def _opened(site: Site, tracker: TrackerSite) -> Iterator[TrackerReader]:
    with collecting.reading(site, tracker) as reader:
        yield reader


def _words(site: Site, tracker: TrackerSite, project: str, reader: TrackerReader) -> Iterator[Finding]:
    """Every status a project can have means something; priorities are told of where severities are mapped at all."""
    words, vocabulary = reader.words(project), tracker.vocabulary()
    subject = f"{tracker.name}: words of {project}"
    unknown = [status for status in words.statuses if vocabulary.state_of(status) is None]
    for status in unknown:
        yield Finding(
            subject,
            ok=False,
            detail=f"status {status.name!r} (id {status.id}) means nothing yet",
            advice=f'add `"{status.name}": {likely.state_of(status).value}` under states of {tracker.name!r} in {site.path.name}',
        )
    lost = _without_severity(tracker, words.priorities)
    for priority in lost:
        near = next(iter(difflib.get_close_matches(priority.name, list(tracker.severities), 1, 0.3)), None)
        severity = tracker.severities[near] if near else next(iter(tracker.severities.values()))
        yield Finding(
            subject,
            ok=False,
            detail=f"priority {priority.name!r} (id {priority.id}) is no severity",
            advice=f'add `"{priority.name}": {severity}` under severities of {tracker.name!r} in {site.path.name}',
        )
    if not unknown and not lost:
        counted = f"{len(words.statuses)} statuses, {len(words.priorities)} priorities, {len(words.types)} types"
        yield Finding(subject, ok=True, detail=f"{counted}: all mapped, or of no account")


def _without_severity(tracker: TrackerSite, priorities: tuple[Word, ...]) -> list[Word]:
    """Priorities no key names, on a tracker whose severities are (in part) priorities and not labels."""
    by_priority = {key.casefold() for key in tracker.severities if not key.startswith("label:")}
    if not by_priority:
        return []
    return [word for word in priorities if not by_priority & {word.id.casefold(), word.name.casefold()}]


def _people(site: Site, tracker: TrackerSite, now: datetime) -> Iterator[Finding]:
    subject = f"{tracker.name}: people"
    empty = [tier for tier, accounts in tracker.roster("", site.zone).tiers_at(now).items() if not accounts]
    if empty:
        yield Finding(
            subject,
            ok=False,
            detail=f"tier {', '.join(empty)} has no account now",
            advice="name an account whose days are not over, or drop it",
        )
    if not tracker.responders and not tracker.tiers:
        yield Finding(
            subject,
            ok=False,
            detail="nobody is a responder, so no answer counts as a first response",
            advice='name responders or tiers; `responders: ["*"]` is everyone who is no customer, bot or reporter',
        )
    elif not empty:
        yield Finding(subject, ok=True, detail=f"{len(tracker.responders)} responders, {len(tracker.tiers)} tiers")
