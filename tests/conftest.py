"""What every test may lean on: where the shared real-world cases are, and no network but loopback."""

from __future__ import annotations

import gc
import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

# The contract's assertions live outside of test files; without this they would not tell what they saw.
pytest.register_assert_rewrite(
    "tests.ground", "tests.promises_in_trouble", "tests.promises_of_reading", "tests.promises_of_writing"
)

ROOT = Path(__file__).resolve().parent.parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test that runs on the shared cases says so and is skipped, with the reason, where they are absent."""
    folder = _shared() / "data"
    if folder.is_dir():
        return
    absent = pytest.mark.skip(reason="the shared real-world cases are not here (set WARRANTY_SHARED_DATA)")
    for item in items:
        if item.get_closest_marker("shared_data"):
            item.add_marker(absent)


def _shared() -> Path:
    return Path(os.environ.get("WARRANTY_SHARED_DATA", ROOT.parent / "shared" / "data")).parent


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real cases written by others."""
    return _shared() / "data"


@pytest.fixture(scope="session")
def shared_specs() -> Path:
    """The folder of the vendors' API descriptions."""
    return _shared() / "specs"


@pytest.fixture(autouse=True, scope="session")
def _loopback_only() -> Iterator[None]:
    """No test reaches past this machine: a connection to anything but loopback is an error at once."""
    real = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family in {socket.AF_INET, socket.AF_INET6} and address[0] not in {"127.0.0.1", "::1", "localhost"}:
            raise AssertionError(f"a test tried to reach {address!r}")
        real(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded)
        yield


@pytest.fixture
def without_collector() -> Iterator[None]:
    """What is not let go of stays: nothing looks for garbage."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
