"""A frozen dataclass with some members changed, where there is nothing to settle anew.

Rules:

1. ``__post_init__`` is not run: who revises a value sees to it that the new members are as it would leave them (an
   instant in UTC, events in their order). Where that is not sure, ``dataclasses.replace`` is right.
2. It is there because a run makes each issue and each of its events anew, a dozen times ten thousand: ``replace`` takes
   twice as long for an event, and four times for an issue.
"""

from __future__ import annotations

from dataclasses import fields
from functools import cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from dataclasses import replace as revised  # the same signature; in this guise its members are checked

__all__ = ["revised"]

_V = TypeVar("_V")

if not TYPE_CHECKING:

    def revised(value: _V, /, **changes: object) -> _V:
        """The value with these members changed and all others as they are."""
        found = object.__new__(type(value))
        settle = object.__setattr__
        names, members_of = _members(type(value))
        for name, member in zip(names, members_of(value), strict=True):
            settle(found, name, member)
        for name, member in changes.items():
            settle(found, name, member)
        return found


@cache
def _members(of: type[Any]) -> tuple[tuple[str, ...], Callable[[Any], tuple[Any, ...]]]:
    """The names of a dataclass's members (two or more), and what gives all their values at once."""
    names = tuple(each.name for each in fields(of))
    return names, attrgetter(*names)
