"""The ids that labels are written by, and how a label comes about, without a server."""

from __future__ import annotations

import pytest

from connectors.gitlab.label_ids import LabelIds
from connectors.tracker import BadAnswer, NotFound, PermissionRefused, Rejected
from tests.connectors.gitlab_answers import Answers

PROJECT = "acme/car"
MADE = {"id": "gid://gitlab/ProjectLabel/7", "title": "late"}


def client(made: object, *labels: list[dict[str, str]]) -> Answers:
    """Args: made: the answer to the making of a label. labels: those of the project, each time they are looked up."""
    listed = [{"pageInfo": {"hasNextPage": False}, "nodes": each} for each in labels]
    return Answers(
        LabelCreate=[made if isinstance(made, Exception) else {"labelCreate": made}],
        Labels=[{"project": {"fullPath": PROJECT, "labels": each}} for each in listed],
    )


def test_a_label_that_is_not_there_is_made_once() -> None:
    answers = client({"errors": [], "label": MADE}, [])
    ids = LabelIds(answers)
    assert [ids.to_add(PROJECT, ["late"]) for _ in range(2)] == [[MADE["id"]]] * 2
    asked = {"label": {"projectPath": PROJECT, "title": "late", "color": "#6699cc"}}
    assert answers.asked == [("Labels", {"path": PROJECT, "after": None}), ("LabelCreate", asked)]


def test_a_label_that_somebody_else_makes_at_the_same_time_is_the_one() -> None:
    answers = client({"errors": ["Title has already been taken"], "label": None}, [], [MADE])
    assert LabelIds(answers).to_add(PROJECT, ["late"]) == [MADE["id"]]


def test_what_gitlab_has_against_a_label_is_told() -> None:
    answers = client({"errors": ["Title is\x1b[2J too long", 7, None], "label": None}, [], [])
    with pytest.raises(Rejected, match=r": Title is \[2J too long while"):
        LabelIds(answers).to_add(PROJECT, ["late"])


def test_who_may_not_make_labels_is_told_so_and_not_that_the_issue_is_gone() -> None:
    answers = client(NotFound("does not exist or you don't have permission"), [])
    with pytest.raises(PermissionRefused, match="make the label late in acme/car"):
        LabelIds(answers).to_add(PROJECT, ["late"])


@pytest.mark.parametrize("label", [None, {"id": "gid://gitlab/ProjectLabel/7", "title": "Late"}, {"title": "late"}])
def test_another_label_than_was_asked_for_is_no_answer(label: object) -> None:
    with pytest.raises(BadAnswer):
        LabelIds(client({"errors": [], "label": label}, [])).to_add(PROJECT, ["late"])
