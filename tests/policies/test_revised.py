"""Values with some members changed, where nothing has to be settled anew."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace

import pytest
from hypothesis import given

from policies.issue import Issue, State
from policies.revised import revised
from tests.policies.build_issue import CUSTOMER, build_issue, reply
from tests.policies.random_issues import issues


@given(issues())
def test_an_issue_is_revised_to_what_it_would_be_replaced_by(issue: Issue) -> None:
    changed = revised(issue, state=State.CLOSED, severity=None, events=issue.events[:1])
    assert changed == replace(issue, state=State.CLOSED, severity=None, events=issue.events[:1])
    assert hash(changed) == hash(replace(issue, state=State.CLOSED, severity=None, events=issue.events[:1]))


def test_the_first_value_stays_as_it_was() -> None:
    said = reply(1)
    assert revised(said, actor=CUSTOMER).actor == CUSTOMER
    assert said == reply(1)


def test_what_is_revised_is_as_frozen_as_before() -> None:
    with pytest.raises(FrozenInstanceError):
        revised(build_issue(), title="another").title = "a third"  # type: ignore[misc]  # that it is frozen is the test


def test_a_member_it_does_not_have_is_refused() -> None:
    with pytest.raises(KeyError, match="colour"):
        revised(reply(1), colour="red")  # type: ignore[call-arg]  # no such member, which is the test
