"""Groups: not things of their own in the sandbox, but what the paths of its projects say.

``acme/parts/car`` is a project of the subgroup ``acme/parts`` of the group ``acme``. A group that holds no project the
caller may see is not there for the caller.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from connectors.sandbox.nouns import Project
    from connectors.sandbox.store import Store

_FIRST_ID = 1_000_000


@dataclass(frozen=True, slots=True)
class Group:
    """Attributes: id: stays while projects are only added. projects: those seen, subgroups' included, in order of id."""

    id: int
    path: str
    projects: list[Project] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]

    @property
    def parent(self) -> str:
        """Full path of the group above, "" for none."""
        return self.path.rpartition("/")[0]

    @property
    def own(self) -> list[Project]:
        """Without those of subgroups."""
        return [one for one in self.projects if one.key.rpartition("/")[0] == self.path]


def groups(store: Store, seen: Iterable[Project]) -> dict[str, Group]:
    """By full path (in lower case), and by id as text."""
    numbers = ids(store)
    found: dict[str, Group] = {}
    for project in sorted(seen, key=lambda one: one.id):
        for path in above(project.key):
            group = found.get(path.casefold()) or Group(numbers[path], path)
            found[path.casefold()] = found[str(group.id)] = group
            group.projects.append(project)
    return found


def ids(store: Store) -> dict[str, int]:
    """The id of each group, by full path: they are numbered as their projects came."""
    numbers: dict[str, int] = {}
    for project in store.projects.values():
        if project.kind == "gitlab":
            for path in above(project.key):
                numbers.setdefault(path, _FIRST_ID + len(numbers))
    return numbers


def above(path: str) -> list[str]:
    """The groups a project or group is in, the outermost first."""
    pieces = path.split("/")[:-1]
    return ["/".join(pieces[: n + 1]) for n in range(len(pieces))]
