"""A frozen slotted dataclass with some members changed, or made anew, where there is nothing to settle.

Rules:

1. ``__post_init__`` is not run: who revises or makes a value sees to it that the new members are as it would leave them
   (an instant in UTC, events in their order). Where that is not sure, ``dataclasses.replace`` and the class are right.
2. It is there because a run makes each issue and each of its events anew, a dozen times ten thousand: ``replace`` takes
   four times as long.
"""

from __future__ import annotations

from dataclasses import MISSING, fields
from functools import cache
from typing import TYPE_CHECKING, Any, ParamSpec, TypeAlias, TypeVar

__all__ = ["maker", "revised"]

_P = ParamSpec("_P")
_V = TypeVar("_V")

if TYPE_CHECKING:
    from collections.abc import Callable
    from dataclasses import replace as revised  # the same signature; in this guise its members are checked
else:

    def revised(value: _V, /, **changes: object) -> _V:
        """The value with these members changed and all others as they are."""
        copied, settler_of = _making(type(value))
        found = copied(value)
        for name, member in changes.items():
            settler_of[name](found, member)
        return found


_Settler: TypeAlias = "Callable[[Any, Any], None]"


def maker(of: Callable[_P, _V]) -> Callable[_P, _V]:
    """What makes values of this class of members given by name, as the class itself does but for rule 1.

    It is for those that a tracker's answers are full of: the class takes twice as long. A member with a default factory
    has to be given.
    """
    members = fields(of)  # type: ignore[arg-type]  # a dataclass, of which only the signature matters to the caller
    names = {f"settle_{each.name}": getattr(of, each.name).__set__ for each in members}
    names |= {f"default_{each.name}": each.default for each in members} | {"made": object.__new__, "of": of}
    given = ", ".join(each.name if each.default is MISSING else f"{each.name}=default_{each.name}" for each in members)
    lines = "".join(f"    settle_{each.name}(found, {each.name})\n" for each in members)
    # As in `_making`.
    exec(f"def make(*, {given}):\n    found = made(of)\n{lines}    return found\n", names)  # noqa: S102  see there
    make: Callable[_P, _V] = names["make"]
    return make


@cache
def _making(of: type[Any]) -> tuple[Callable[[Any], Any], dict[str, _Settler]]:
    """What makes another value with the same members, and what sets each member, by name."""
    settler_of = {each.name: getattr(of, each.name).__set__ for each in fields(of)}
    # Written out member by member, as `dataclass` writes its own methods: a loop over them takes three times as long.
    # Nothing but names of our own members stands in it.
    lines = "".join(f"    settle_{name}(found, value.{name})\n" for name in settler_of)
    names: dict[str, Any] = {f"settle_{name}": settle for name, settle in settler_of.items()}
    names |= {"made": object.__new__, "of": of}
    exec(f"def copied(value):\n    found = made(of)\n{lines}    return found\n", names)  # noqa: S102  see above
    return names["copied"], settler_of
