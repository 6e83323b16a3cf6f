"""Values with some members changed, where nothing has to be settled anew."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields, replace

import pytest
from hypothesis import given

from policies.issue import Commented, Issue, LabelsChanged, State
from policies.revised import maker, revised
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


@given(issues())
def test_an_issue_is_made_as_its_class_makes_it(issue: Issue) -> None:
    made = maker(Issue)(**{each.name: getattr(issue, each.name) for each in fields(issue)})
    assert made == issue
    assert hash(made) == hash(issue)
    assert type(made) is Issue


def test_what_is_made_has_the_defaults_of_its_class() -> None:
    said = reply(1)
    make = maker(LabelsChanged)
    assert make(id="labels:1", at=said.at) == LabelsChanged(id="labels:1", at=said.at)
    assert make(id="labels:1", at=said.at, added=("a",)).added == ("a",)


def test_what_is_made_is_frozen() -> None:
    said = reply(1)
    made = maker(Commented)(id=said.id, at=said.at, comment="1", public=True)
    with pytest.raises(FrozenInstanceError):
        made.text = "other"  # type: ignore[misc]  # that it is frozen is the test


def test_nothing_is_made_without_what_it_needs() -> None:
    with pytest.raises(TypeError, match="at"):
        maker(Commented)(id="note:1", comment="1", public=True)  # type: ignore[call-arg]  # no instant, which is the test
