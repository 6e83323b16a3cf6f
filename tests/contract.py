"""The port's promises, each a function over a ``Ground``: true for every tracker, and shown able to fail.

A promise takes a fresh ground and raises ``AssertionError`` (or the tracker's error). ``connectors/test_contract.py``
holds every tracker to all of them; ``connectors/test_contract_can_fail.py`` breaks each.
"""

from __future__ import annotations

from tests import promises_in_trouble, promises_of_reading, promises_of_writing
from tests.ground import PROMISES, Promise

MODULES = (promises_of_reading, promises_of_writing, promises_in_trouble)

__all__ = ["MODULES", "PROMISES", "Promise"]
