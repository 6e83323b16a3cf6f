"""Which published release carries which fix.

Rules:

1. "Done" is not "the customer can install it": only a published release counts, from its instant of publication.
2. A release carries an issue's fix if the tracker says so by fix version (same tracker and project, same name), or if
   the release names the issue among what it carries, in whichever tracker the release lives.
3. The first release that carries the fix is the one that counts.
4. Where releases are not known whole, nobody is told that a patch is late: it may have been released.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from policies.issue import FixReleased, Release
from policies.verdict import ReasonCode, Status
from policies.vocabulary import OVER

if TYPE_CHECKING:
    from policies.issue import Issue
    from policies.pack import PolicyPack
    from policies.verdict import Judged, Verdict

_WHATEVER_IS_RELEASED = frozenset({Status.MET, Status.CANCELLED, Status.NOT_APPLICABLE})
_IN_TIME_SO_FAR = frozenset({Status.RUNNING, Status.PAUSED})


class Releases:
    """All releases of a site, indexed by what they carry."""

    def __init__(self, releases: Iterable[Release]) -> None:
        self._by_version: dict[tuple[str, str, str], Release] = {}
        self._by_issue: dict[str, list[tuple[Release, str]]] = {}
        for release in releases:
            self._by_version[release.tracker, release.project, release.name] = release
            for key, evidence in release.carries:
                self._by_issue.setdefault(key, []).append((release, evidence))

    def carrying(self, issue: Issue, now: datetime) -> tuple[Release, str] | None:
        """The first published release with the fix, and the evidence for it; None if there is none yet."""
        ref = issue.ref
        found = list(self._by_issue.get(ref.key, ()))
        for version in issue.fix_versions:
            release = self._by_version.get((ref.tracker, ref.project, version))
            if release is not None:
                found.append((release, f"fix version {version}"))
        published = [
            (release.published_at, release.name, release, evidence)
            for release, evidence in found
            if release.published_at is not None and release.published_at <= now
        ]
        if not published:
            return None
        _at, _name, release, evidence = min(published, key=lambda row: row[:2])
        return release, evidence

    def applied_to(self, issue: Issue, now: datetime) -> Issue:
        """The issue with a ``FixReleased`` event where a published release carries its fix."""
        carrying = self.carrying(issue, now)
        if carrying is None:
            return issue
        release, evidence = carrying
        assert release.published_at is not None
        event = FixReleased(
            id=f"release:{release.tracker}:{release.project}:{release.name}",
            at=max(release.published_at, issue.opened_at),
            release=release.name,
            url=release.url,
            evidence=evidence,
        )
        return issue.with_events(event)


def fix_released(issue: Issue) -> FixReleased | None:
    """The first published release that carries the issue's fix, as it was applied to the issue."""
    for event in issue.events:
        if isinstance(event, FixReleased):
            return event
    return None


def may_change(judged: Judged, pack: PolicyPack) -> bool:
    """Whether any release would make another verdict, be it told to people or not.

    Args:
        pack: what judged the issue.
    """
    return any(
        verdict.reason.code is not ReasonCode.NOT_STARTED and _stops_at_release(pack, verdict)
        for verdict in judged.verdicts
    )


def may_be_released(judged: Judged, pack: PolicyPack) -> bool:
    """Whether a release that is not known would make another verdict, of which people are told.

    It would for a clock that stops at the release and is late, or nearly so, or whose issue is over: then there is a fix.

    Args:
        pack: what judged the issue.
    """
    for verdict in judged.standing():
        if verdict.status in _WHATEVER_IS_RELEASED or not _stops_at_release(pack, verdict):
            continue
        if verdict.status not in _IN_TIME_SO_FAR or judged.issue.state in OVER:
            return True
    return False


def _stops_at_release(pack: PolicyPack, verdict: Verdict) -> bool:
    clock = pack.clocks.get(verdict.clock)
    return clock is not None and clock.stop == "patch_released"
