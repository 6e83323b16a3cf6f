"""The ids that labels are written by, and how a label comes about, without a server."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import SecretStr

from connectors.gitlab.client import GitLabClient
from connectors.gitlab.label_ids import LabelIds
from connectors.retry import Retry
from connectors.tracker import BadAnswer, Connection, NotFound, PermissionRefused, Rejected

PROJECT = "acme/car"
CONNECTION = Connection(name="gitlab", url="http://gitlab.test", token=SecretStr("t"))
MADE = {"id": "gid://gitlab/ProjectLabel/7", "title": "late"}


class Answers(GitLabClient):
    """A client whose answers are given by hand. Attributes: asked: names and variables of the queries."""

    def __init__(self, made: dict[str, Any] | Exception, *labels: list[dict[str, str]]) -> None:
        super().__init__(CONNECTION, retry=Retry(attempts=1))
        self.made = made
        self.labels = [*labels]
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def graphql(self, name: str, document: str, variables: Any, **_: Any) -> dict[str, Any]:
        assert name in document
        self.asked.append((name, dict(variables)))
        if name == "Labels":
            listed = {"pageInfo": {"hasNextPage": False}, "nodes": self.labels.pop(0)}
            return {"project": {"fullPath": PROJECT, "labels": listed}}
        if isinstance(self.made, Exception):
            raise self.made
        return {"labelCreate": self.made}


def test_a_label_that_is_not_there_is_made_once() -> None:
    client = Answers({"errors": [], "label": MADE}, [])
    ids = LabelIds(client)
    assert [ids.to_add(PROJECT, ["late"]) for _ in range(2)] == [[MADE["id"]]] * 2
    asked = {"label": {"projectPath": PROJECT, "title": "late", "color": "#6699cc"}}
    assert client.asked == [("Labels", {"path": PROJECT, "after": None}), ("LabelCreate", asked)]


def test_a_label_that_somebody_else_makes_at_the_same_time_is_the_one() -> None:
    client = Answers({"errors": ["Title has already been taken"], "label": None}, [], [MADE])
    assert LabelIds(client).to_add(PROJECT, ["late"]) == [MADE["id"]]


def test_what_gitlab_has_against_a_label_is_told() -> None:
    client = Answers({"errors": ["Title is too long"], "label": None}, [], [])
    with pytest.raises(Rejected, match="Title is too long"):
        LabelIds(client).to_add(PROJECT, ["late"])


def test_who_may_not_make_labels_is_told_so_and_not_that_the_issue_is_gone() -> None:
    client = Answers(NotFound("does not exist or you don't have permission"), [])
    with pytest.raises(PermissionRefused, match="make the label late in acme/car"):
        LabelIds(client).to_add(PROJECT, ["late"])


@pytest.mark.parametrize("label", [None, {"id": "gid://gitlab/ProjectLabel/7", "title": "Late"}, {"title": "late"}])
def test_another_label_than_was_asked_for_is_no_answer(label: object) -> None:
    with pytest.raises(BadAnswer):
        LabelIds(Answers({"errors": [], "label": label}, [])).to_add(PROJECT, ["late"])
