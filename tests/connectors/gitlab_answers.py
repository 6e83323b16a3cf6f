"""A GitLab without a server: its GraphQL answers are given by hand."""

from __future__ import annotations

from typing import Any

from pydantic import SecretStr

from connectors.gitlab.client import GitLabClient
from connectors.retry import Retry
from connectors.tracker import Connection

CONNECTION = Connection(name="gl", url="https://gl.example", token=SecretStr("x"))


class Answers(GitLabClient):
    """A client of such a GitLab. Args: answers: by query name, in order. Attributes: asked: name and variables."""

    def __init__(self, **answers: list[Any]) -> None:
        super().__init__(CONNECTION, retry=Retry(attempts=1))
        self.answers = answers
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def graphql(self, name: str, document: str, variables: Any, **_: Any) -> dict[str, Any]:
        assert name in document
        self.asked.append((name, dict(variables)))
        answer = self.answers[name].pop(0)
        if isinstance(answer, Exception):
            raise answer
        assert isinstance(answer, dict)
        return answer
