"""What the port promises when requests fail and answers get lost."""

from __future__ import annotations

from contextlib import suppress

import pytest

from connectors.tracker import BadAnswer, RateLimited, TrackerError
from policies.changes import (
    UpsertComment,
)
from tests.ground import (
    Ground,
    note,
    our_notes,
    perform,
    promise,
    read,
    readable,
    reading,
    report,
)


@promise
def a_429_on_a_read_is_waited_for_as_long_as_asked(ground: Ground) -> None:
    key = ground.opens("Pump leaks")
    with reading(ground) as reader:
        reader.own_account()
        ground.refuses_next(status=429, retry_after=7)
        found = readable(list(reader.changed_since(ground.project, None)))
    assert [issue.ref.key for issue in found] == [key]
    assert ground.waits == [7.0]


@promise
def a_500_on_a_read_is_survived(ground: Ground) -> None:
    key = ground.opens("Pump leaks")
    with reading(ground) as reader:
        reader.own_account()
        ground.refuses_next(status=500)
        readable(list(reader.changed_since(ground.project, None)))
        ground.refuses_next(status=502)
        assert reader.issue(key).ref.key == key
    assert len(ground.waits) == 2


def _until_it_is_so(ground: Ground, key: str, change: UpsertComment) -> None:
    """Run after run, as the flows do it: read, and perform what is not so."""
    for _ in range(3):
        issue = read(ground, key)
        if change.satisfied_by(issue):
            return
        with suppress(TrackerError):
            perform(ground, issue, change)
    assert change.satisfied_by(read(ground, key)), "three runs did not bring it about"


@promise
def a_lost_answer_leaves_one_comment(ground: Ground) -> None:
    for cut in (False, True):
        key = ground.opens(f"Pump leaks ({cut})")
        ground.loses_next_answer(text="warranty-flows:", cut=cut)
        _until_it_is_so(ground, key, note("All is well."))
        assert len(our_notes(ground, key)) == 1, "a comment stands twice"
        ground.loses_next_answer(text="warranty-flows:", cut=cut)
        _until_it_is_so(ground, key, note("All is worse."))
        assert len(our_notes(ground, key)) == 1, "a comment stands twice after an edit"


@promise
def a_500_on_writing_a_comment_leaves_one_comment(ground: Ground) -> None:
    key = ground.opens("Pump leaks")
    ground.refuses_next(status=500, text="warranty-flows:")
    _until_it_is_so(ground, key, note("All is well."))
    assert len(our_notes(ground, key)) == 1


@promise
def a_lost_answer_leaves_one_report(ground: Ground) -> None:
    ground.loses_next_answer(text="warranty-flows:")
    made = None
    for _ in range(2):
        with suppress(TrackerError):
            made = perform(ground, None, report(ground, "One breach."))
    assert made is not None
    assert made.issue is not None
    assert report(ground, "One breach.").satisfied_by(read(ground, made.issue.key))
    assert ground.keys() == (made.issue.key,)


@promise
def a_read_whose_answer_is_lost_or_cut_is_asked_again(ground: Ground) -> None:
    key = ground.opens("Pump leaks")
    for cut in (False, True):
        with reading(ground) as reader:
            reader.own_account()
            ground.loses_next_answer(cut=cut)
            found = readable(list(reader.changed_since(ground.project, None)))
        assert [issue.ref.key for issue in found] == [key]


@promise
def a_wait_too_long_to_sleep_goes_up_at_once(ground: Ground) -> None:
    ground.opens("Pump leaks")
    with reading(ground) as reader:
        reader.own_account()
        ground.refuses_next(status=429, retry_after=1847)
        with pytest.raises(RateLimited) as caught:
            list(reader.changed_since(ground.project, None))
    assert caught.value.retry_after == 1847
    assert ground.waits == []


@promise
def a_429_on_writing_a_comment_is_waited_for_and_leaves_one(ground: Ground) -> None:
    key = ground.opens("Pump leaks")
    issue = read(ground, key)
    ground.refuses_next(status=429, retry_after=3, text="warranty-flows:")
    perform(ground, issue, note("All is well."))
    assert len(our_notes(ground, key)) == 1
    assert ground.waits == [3.0]


@promise
def a_web_page_in_place_of_the_api_is_a_bad_answer(ground: Ground) -> None:
    ground.opens("Pump leaks")
    ground.shows_a_web_page()
    with reading(ground) as reader, pytest.raises(BadAnswer) as caught:
        reader.own_account()
    assert "<html" not in str(caught.value)
