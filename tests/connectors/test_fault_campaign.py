"""Whatever goes wrong on the way, a run without trouble ends where it would have ended, and nothing stands twice."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace

import pytest

from connectors.sandbox.faults import Fault
from connectors.tracker import TrackerError
from policies.changes import Change, UpsertComment
from tests.ground import (
    Snapshot,
    capabilities,
    document,
    link,
    our_notes,
    performed,
    possible,
    reading,
    report,
    writing,
)
from tests.sandbox_ground import SET_UPS, SandboxGround, Served, SetUp

TROUBLES: tuple[Fault, ...] = (
    Fault("status", status=429, retry_after=2),
    Fault("status", status=429, retry_after="Fri, 06 Mar 2026 12:00:05 GMT"),
    Fault("status", status=429, retry_after=3600),
    Fault("status", status=500),
    Fault("status", status=502),
    Fault("status", status=503, retry_after=1),
    Fault("status", status=504),
    Fault("drop_before"),
    Fault("drop_after"),
    Fault("drop_after", body="warranty-flows:"),
    Fault("drop_after", method="POST|PUT"),
    Fault("truncated_json"),
    Fault("truncated_json", body="warranty-flows:"),
    Fault("login_page"),
)


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    served = Served()
    with served.sandbox:
        yield served


def wanted(ground: SandboxGround) -> list[Change]:
    return [*possible(ground), UpsertComment("patch", document("Released."), internal=True)]


def run(ground: SandboxGround, key: str, changes: Sequence[Change]) -> None:
    """One run as the flows make it: look, and do what is not so; an error stops the rest of this run."""
    with reading(ground) as reader, writing(ground) as writer:
        for change in changes:
            issue = reader.issue(key)
            if not change.satisfied_by(issue):
                performed(writer, issue, change, ground.now)
        performed(writer, None, report(ground, "One breach."), ground.now)


def end_of(ground: SandboxGround, key: str) -> Snapshot:
    """What is there in the end, without ids and without the number of steps it took."""
    really = ground.really(key)
    comments = tuple(replace(one, id="") for one in really.comments)
    return replace(really, comments=comments, history=0)


def report_key(ground: SandboxGround, key: str) -> str:
    (made,) = set(ground.keys()) - {key}
    return made


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("set_up", SET_UPS.values(), ids=SET_UPS.keys())
def test_after_any_trouble_a_clean_run_ends_where_a_run_without_trouble_ends(
    served: Served, set_up: SetUp, seed: int
) -> None:
    calm = SandboxGround(served, set_up)
    calm_key = calm.opens("Pump leaks", labels=["vip", "sla-ok"])
    run(calm, calm_key, wanted(calm))

    ground = SandboxGround(served, set_up)
    key = ground.opens("Pump leaks", labels=["vip", "sla-ok"])
    changes = wanted(ground)
    chance = random.Random(f"{set_up.mount} {seed}")  # noqa: S311 - the same troubles each time
    for _ in range(6):
        served.store.faults.clear()
        served.store.faults.add(*chance.choices(TROUBLES, k=chance.randint(1, 5)))
        with suppress(TrackerError):
            run(ground, key, changes)
    served.store.faults.clear()
    run(ground, key, changes)

    assert end_of(ground, key) == end_of(calm, calm_key)
    assert {marker: len(our_notes(ground, key, marker)) for marker in ("clocks", "patch")} == {"clocks": 1, "patch": 1}
    assert end_of(ground, report_key(ground, key)).title == end_of(calm, report_key(calm, calm_key)).title
    if capabilities(ground).web_links:
        assert ground.really(key).links == (link().global_id,)
    before = served.store.log[-1].seq
    run(ground, key, changes)
    assert served.store.log[-1].seq == before, "a run over what is so wrote something"
