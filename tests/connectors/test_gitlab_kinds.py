"""Which work items are issues, what their words are, and what else of a GitLab is read beyond the plain case."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from connectors.gitlab.tracker import GitLabReader
from connectors.retry import Retry
from connectors.sandbox.clock import Clock
from connectors.sandbox.faults import Fault
from connectors.sandbox.server import Sandbox
from connectors.sandbox.store import Store
from connectors.tracker import Connection, NotFound
from policies.issue import Issue, LabelsChanged, Word

PROJECT = "acme/car"
START = datetime(2026, 3, 2, 9, tzinfo=UTC)
OWN = "token-of-the-bot"
TYPES = (
    Word("ISSUE", "Issue"), Word("INCIDENT", "Incident"), Word("TASK", "Task"), Word("TICKET", "Ticket"),
    Word("REQUIREMENT", "Requirement"), Word("TEST_CASE", "Test Case"), Word("RMA", "返修 RMA"),
)  # fmt: skip


@dataclass
class Ground:
    store: Store
    sandbox: Sandbox

    def reader(self, dialect: str = "gitlab") -> GitLabReader:
        connection = Connection(name="gl", url=self.sandbox.url(dialect), token=SecretStr(OWN))
        return GitLabReader(connection, retry=Retry(attempts=1, sleep=lambda _: None))

    def issues(self, dialect: str = "gitlab") -> list[Issue]:
        reader = self.reader(dialect)
        try:
            return [one for one in reader.changed_since(PROJECT, None) if isinstance(one, Issue)]
        finally:
            reader.close()


@pytest.fixture
def ground() -> Iterator[Ground]:
    store = Store(clock=Clock.fixed(START))
    store.create_user("alice", "Alice Customer")
    store.create_user("bob", "Bob Support")
    store.create_user("warranty", "Warranty", bot=True)
    store.create_token(OWN, "warranty")
    store.create_project(PROJECT, "Car", kind="gitlab", types=TYPES)
    with Sandbox(store) as sandbox:
        yield Ground(store, sandbox)


def test_custom_types_are_read_and_what_plans_or_tests_is_not(ground: Ground) -> None:
    made = [ground.store.create_issue(PROJECT, type_.name, actor="alice", type_=type_.id) for type_ in TYPES]
    found = ground.issues()
    assert [issue.title for issue in found] == ["Issue", "Incident", "Task", "Ticket", "返修 RMA"]
    assert [issue.type.id for issue in found] == ["issue", "incident", "task", "ticket", "返修_rma"]
    reader = ground.reader()
    left_out = {"Requirement", "Test Case"}
    assert list(reader.ids(PROJECT)) == [one.id for one in made if one.title not in left_out]
    reader.close()


def test_the_words_tell_the_types_there_are(ground: Ground) -> None:
    reader = ground.reader()
    words = reader.words(PROJECT)
    assert [word.id for word in words.types] == ["issue", "incident", "task", "ticket", "返修_rma"]
    with pytest.raises(NotFound):
        reader.words("acme/none")
    reader.close()
    plain = ground.reader("gitlab-rest")
    assert [word.id for word in plain.words(PROJECT).types] == ["issue", "incident", "task"]
    plain.close()


@pytest.mark.parametrize("dialect", ["gitlab", "gitlab-16", "gitlab-rest"])
def test_a_confidential_issue_is_marked_as_one(ground: Ground, dialect: str) -> None:
    key = ground.store.create_issue(PROJECT, "Pump leaks", actor="bob").key
    ground.store.edit(key, {"confidential": True}, actor="bob")
    ground.store.create_issue(PROJECT, "Hose leaks", actor="bob")
    assert [issue.confidential for issue in ground.issues(dialect)] == [True, False]


def test_a_label_past_the_first_hundred_is_read_on_for_once(ground: Ground) -> None:
    keys = [ground.store.create_issue(PROJECT, f"Pump {n}", actor="alice").key for n in range(3)]
    names = [f"label-{n:03}" for n in range(150)]
    for start in range(0, 150, 50):
        ground.store.relabel(keys[0], add=names[start : start + 50], actor="bob", at=START + timedelta(minutes=start))
    later = START + timedelta(hours=5)
    for key in keys:
        ground.store.relabel(key, add=["label-149"], actor="bob", at=later)
        ground.store.relabel(key, remove=["label-149"], actor="bob", at=later + timedelta(minutes=1))
    reader = ground.reader()
    found = {one.ref.key: one for one in reader.changed_since(PROJECT, None) if isinstance(one, Issue)}
    assert reader.requests["POST graphql Labels"] == 1
    told = [event for event in found[keys[1]].events if isinstance(event, LabelsChanged)]
    assert [(event.added, event.removed) for event in told] == [(("label-149",), ()), ((), ("label-149",))]
    reader.close()


def test_threads_too_dear_together_are_read_one_by_one(ground: Ground) -> None:
    for number in range(3):
        key = ground.store.create_issue(PROJECT, f"Pump {number}", actor="alice").key
        for n in range(50):
            ground.store.comment(key, f"Word {n}", actor="bob", at=START + timedelta(minutes=n + 1))
    message = '{"errors": [{"message": "Query has complexity of 300, which exceeds max complexity of 250"}]}'
    ground.store.faults.add(Fault("status", status=200, answer=message, body="MoreDiscussions"))
    reader = ground.reader()
    found = [one for one in reader.changed_since(PROJECT, None) if isinstance(one, Issue)]
    assert [len(issue.comments()) for issue in found] == [50, 50, 50]
    assert not any(issue.gaps for issue in found)
    assert reader.requests["POST graphql MoreDiscussions"] == 4
    reader.close()
