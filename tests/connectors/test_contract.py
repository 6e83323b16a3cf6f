"""Every promise of the port, for every tracker there is."""

from __future__ import annotations

from collections.abc import Callable

import pytest

pytest.register_assert_rewrite("tests.contract", "tests.ground")

from tests.contract import PROMISES, Promise  # noqa: E402 - after the line above, or its assertions tell nothing
from tests.ground import Ground  # noqa: E402 - as above
from tests.memory_ground import MemoryGround  # noqa: E402 - as above

SET_UPS: dict[str, Callable[[], Ground]] = {"memory": MemoryGround}


@pytest.mark.parametrize("set_up", SET_UPS)
@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.__name__)
def test_the_tracker_keeps_its_promise(promise: Promise, set_up: str) -> None:
    promise(SET_UPS[set_up]())
