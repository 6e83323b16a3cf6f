"""Groups of projects: a site names ``acme/*``, and each run reads the projects that are there then.

Rules:

1. A new project joins by itself. One that is no longer found is told for a week, and not read meanwhile.
2. A project that the site also names by itself is read once, in its own place.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from connectors.cache import Cache
    from connectors.tracker import TrackerReader

SUFFIX = "/*"
_TOLD = timedelta(days=7)
_KEPT = timedelta(days=90)
_GONE = (
    "a project of {group} that is no longer found there (moved, archived, deleted, its issues switched off, or hidden from "
    "this account): it is not read"
)
_EMPTY = "no project of {group} is found: see that the account is a member of the group, and what warranty doctor says"


@dataclass(frozen=True, slots=True)
class Present:
    """Attributes: projects: of the group, by name. missing: project or group -> why nothing of it is read."""

    projects: tuple[str, ...]
    missing: Mapping[str, str] = field(default_factory=dict)


def is_group(name: str) -> bool:
    return name.endswith(SUFFIX)


def within(group: str, project: str) -> bool:
    """Whether a project, or another group, is of the group or one of its subgroups. Paths know no case."""
    return project.casefold().startswith(group.removesuffix("*").casefold()) and project != group


def projects_of(names: Sequence[str], reader: TrackerReader) -> tuple[str, ...]:
    """What the names stand for just now, each project once.

    Raises:
        TrackerError: the tracker does not say.
    """
    found: dict[str, None] = {}
    for name in names:
        found |= dict.fromkeys(_listed(name, names, reader) if is_group(name) else (name,))
    return tuple(found)


def present(group: str, names: Sequence[str], reader: TrackerReader, cache: Cache, now: datetime) -> Present:
    """The projects of a group, and those that were there before.

    Args:
        names: all that the site names of the tracker.

    Raises:
        TrackerError: the tracker does not say.
    """
    projects = _listed(group, names, reader)
    key = f"projects of {group}"
    before: dict[str, str] = cache.get(key) or {}
    seen = {project: now.isoformat() for project in projects}
    lost = {
        project: at
        for project, at in before.items()
        if project not in seen and project not in names and now - datetime.fromisoformat(at) < _TOLD
    }
    cache.put(key, {**lost, **seen}, _KEPT)
    missing = dict.fromkeys(sorted(lost), _GONE.format(group=group))
    if not projects and not missing:
        missing = {group: _EMPTY.format(group=group)}
    return Present(projects, missing)


def _listed(group: str, names: Iterable[str], reader: TrackerReader) -> tuple[str, ...]:
    named = {name.casefold() for name in names}
    keys = (project.key for project in reader.projects())
    return tuple(sorted(key for key in keys if within(group, key) and key.casefold() not in named))
