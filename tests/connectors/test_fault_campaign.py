"""Whatever goes wrong on the way, a run without trouble ends where it would have ended, and nothing stands twice."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace

import pytest

from connectors.sandbox.faults import Fault
from connectors.tracker import AnswerLate, TrackerError
from connectors.work import Work
from policies.changes import Change, Relabel, UpsertComment
from policies.receipt import Outcome
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
from tests.promises_of_writing import together
from tests.sandbox_ground import SET_UPS, SandboxGround, Served, SetUp

TROUBLES: tuple[Fault, ...] = (
    Fault("status", status=429, retry_after=2),
    Fault("status", status=429, retry_after="Fri, 06 Mar 2026 12:00:05 GMT"),
    Fault("status", status=429, retry_after=3600),
    Fault("status", status=500),
    Fault("status", status=502),
    Fault("status", status=503, retry_after=1),
    Fault("status", status=503),
    Fault("status", status=504),
    Fault("latency", seconds=0.05),
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


Run = Callable[[SandboxGround, str, Sequence[Change]], None]


def one_by_one(ground: SandboxGround, key: str, changes: Sequence[Change]) -> None:
    """Look, and do what is not so, before each change; an error stops the rest of this run."""
    with reading(ground) as reader, writing(ground) as writer:
        for change in changes:
            issue = reader.issue(key)
            if not change.satisfied_by(issue):
                performed(writer, issue, change, ground.now)
        performed(writer, None, report(ground, "One breach."), ground.now)


def all_together(ground: SandboxGround, key: str, changes: Sequence[Change]) -> None:
    """As the flows make it: look once, and hand all that is not so over together."""
    with reading(ground) as reader, writing(ground) as writer:
        issue = reader.issue(key)
        left = tuple(change for change in changes if not change.satisfied_by(issue))
        for worked in writer.perform([Work(issue, left)] if left else [], ground.now):
            assert [receipt.change for receipt in worked.receipts] == list(left)
            so = all(receipt.outcome in {Outcome.PERFORMED, Outcome.ALREADY_SO} for receipt in worked.receipts)
            assert so is (worked.failure is None), "what failed is not told, or what is told did not fail"
            if worked.failure is not None:
                raise worked.failure
        performed(writer, None, report(ground, "One breach."), ground.now)


def wanted(ground: SandboxGround, run: Run) -> list[Change]:
    changes = possible(ground) if run is one_by_one else together(ground)
    # The labels come last, as in a plan.
    return [UpsertComment("patch", document("Released."), internal=True), *changes]


def end_of(ground: SandboxGround, key: str) -> Snapshot:
    """What is there in the end, without ids and without the number of steps it took."""
    really = ground.really(key)
    comments = tuple(replace(one, id="") for one in really.comments)
    return replace(really, comments=comments, history=0)


def report_key(ground: SandboxGround, key: str) -> str:
    (made,) = set(ground.keys()) - {key}
    return made


@pytest.mark.parametrize("run", [one_by_one, all_together], ids=lambda run: run.__name__)
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("set_up", SET_UPS.values(), ids=SET_UPS.keys())
def test_after_any_trouble_a_clean_run_ends_where_a_run_without_trouble_ends(
    served: Served, set_up: SetUp, seed: int, run: Run
) -> None:
    calm = SandboxGround(served, set_up)
    calm_key = calm.opens("Pump leaks", labels=["vip", "sla-ok"])
    run(calm, calm_key, wanted(calm, run))

    ground = SandboxGround(served, set_up)
    key = ground.opens("Pump leaks", labels=["vip", "sla-ok"])
    changes = wanted(ground, run)
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


@pytest.mark.parametrize("with_others", [False, True], ids=["alone", "with other changes"])
@pytest.mark.parametrize("name", SET_UPS)
def test_a_comment_whose_answer_came_too_late_is_not_made_again_while_it_may_be_made_yet(
    served: Served, name: str, *, with_others: bool
) -> None:
    ground = SandboxGround(served, SET_UPS[name])
    key = ground.opens("Pump leaks")
    said = UpsertComment("patch", document("Released."), internal=True)
    changes: tuple[Change, ...] = (said, Relabel(add=("sla-ok",))) if with_others else (said,)
    with reading(ground) as reader:
        issue = reader.issue(key)
    served.store.faults.add(Fault("latency", seconds=0.6, method="POST|PUT", body="warranty-flows:"))
    with writing(ground, replace(ground.connection(), timeout=(5.0, 0.25))) as writer:
        (worked,) = writer.perform([Work(issue, changes)], ground.now)
    assert isinstance(worked.failure, AnswerLate)
    limit = time.monotonic() + 10
    while not our_notes(ground, key, "patch") and time.monotonic() < limit:
        time.sleep(0.02)  # until the server has done what nobody waits for any more
    one_by_one(ground, key, changes)
    assert len(our_notes(ground, key, "patch")) == 1
