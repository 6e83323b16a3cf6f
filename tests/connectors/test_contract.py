"""Every promise of the port, for every tracker there is: real connectors over real HTTP, and the one in memory."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.contract import PROMISES, Promise
from tests.ground import Ground
from tests.memory_ground import MemoryGround
from tests.sandbox_ground import SET_UPS, SandboxGround, Served


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    served = Served()
    with served.sandbox:
        yield served


@pytest.fixture(params=["memory", *SET_UPS])
def ground(request: pytest.FixtureRequest) -> Ground:
    if request.param == "memory":
        return MemoryGround()
    served: Served = request.getfixturevalue("served")
    return SandboxGround(served, SET_UPS[request.param])


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.__name__)
def test_the_tracker_keeps_its_promise(promise: Promise, ground: Ground) -> None:
    promise(ground)
