"""The sandbox's store: a log, and a state that follows from it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from connectors.sandbox.clock import Clock
from connectors.sandbox.projection import World
from connectors.sandbox.scenario import read
from connectors.sandbox.store import Refused, Store
from policies.issue import Word

NOW = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)


@pytest.fixture
def store() -> Store:
    store = Store(Clock.fixed(NOW))
    store.create_user("li", "李伟")
    store.create_user("anna", "Anna", customer=True)
    store.create_link_type("1", "Blocks", "is blocked by", "blocks")
    store.create_project(
        "CAR",
        "Car",
        kind="jira",
        statuses=[Word("1", "待办", "new"), Word("2", "处理中", "indeterminate"), Word("3", "已解决", "done")],
        priorities=[Word("1", "高"), Word("2", "普通")],
        types=[Word("1", "缺陷")],
        resolutions=[Word("1", "完成"), Word("2", "重复")],
    )
    store.create_project("acme/car", "car", kind="gitlab")
    return store


def live(store: Store) -> None:
    """A bit of everything."""
    one = store.create_issue("CAR", "one", actor="anna", labels=["a"], priority="2")
    two = store.create_issue("CAR", "two", actor="anna")
    version = store.create_version("CAR", "1.0", actor="li")
    store.edit(one.id, {"priority": "1", "due": date(2026, 12, 1), "assignees": ["li"]}, actor="li")
    store.relabel(one.id, actor="li", add=["b"], remove=["a"])
    store.edit(one.id, {"fix_versions": [version.id]}, actor="li")
    store.release_version(version, on=date(2026, 11, 20), actor="li")
    comment = store.comment(one.id, "hello", actor="li")
    store.edit_comment(one.id, comment, "hello!", actor="li")
    store.transition(one.id, "3", actor="li")
    store.transition(one.id, "2", actor="anna")
    store.link_issues(one.id, two.id, "1", actor="li")
    store.link_web(one.id, "g", {"object": {"url": "https://example.test", "title": "T"}}, actor="li")
    store.link_web(one.id, "g", {"object": {"url": "https://example.test", "title": "U"}}, actor="li")
    store.set_property(one.id, "p", {"v": 1}, actor="li")
    three = store.create_issue("acme/car", "three", actor="anna", labels=["priority::high"])
    store.comment(three.id, "secret", actor="li", internal=True)
    request = store.create_merge_request("acme/car", "Fix", actor="li", closes=[1])
    store.merge("acme/car", request.iid, actor="li")
    store.tag("acme/car", "v1", actor="li")
    store.publish_release("acme/car", "v1", actor="li")
    store.reopen(three.id, actor="anna")


def test_the_state_is_what_the_log_leads_to(store: Store) -> None:
    live(store)
    assert World.of(store.log) == store.world
    assert [entry.seq for entry in store.log] == list(range(1, len(store.log) + 1))


def test_the_shipped_scenario_is_what_its_log_leads_to_as_well() -> None:
    store = read("warranty").store()
    assert World.of(store.log) == store.world


def test_a_rebuilt_state_does_not_share_its_changing_parts_with_the_log(store: Store) -> None:
    live(store)
    rebuilt = World.of(store.log)
    store.relabel("CAR-1", actor="li", add=["later"])
    store.comment("CAR-1", "later", actor="li")
    assert "later" not in rebuilt.issues[rebuilt.keys["CAR-1"]].labels
    assert World.of(store.log) == store.world


def test_every_write_shows_in_the_history_with_its_author_and_instant(store: Store) -> None:
    live(store)
    issue = store.issue("CAR-1")
    assert issue is not None
    shown = [(entry.actor, item.field, item.before, item.after) for entry in issue.history for item in entry.items]
    assert shown[:6] == [
        ("li", "priority", "2", "1"),
        ("li", "due", None, date(2026, 12, 1)),
        ("li", "assignees", [], ["li"]),
        ("li", "labels", ["a"], ["b"]),
        ("li", "fix_versions", [], issue.fix_versions),
        ("li", "status", "1", "3"),
    ]
    assert [name for _, name, _, _ in shown[6:]] == [
        "resolution", "status", "resolution", "issue_link", "web_link", "web_link",
    ]  # fmt: skip
    instants = [entry.at for entry in issue.history]
    assert instants == sorted(set(instants))
    assert [entry.id for entry in issue.history] == sorted({entry.id for entry in issue.history})


def test_a_resolution_comes_with_done_and_goes_with_it(store: Store) -> None:
    issue = store.create_issue("CAR", "one", actor="anna")
    store.transition(issue.id, "3", actor="li", resolution="2")
    assert (issue.resolution, issue.resolved_at) == ("2", issue.updated)
    store.transition(issue.id, "1", actor="li")
    assert (issue.resolution, issue.resolved_at) == (None, None)


def test_what_is_already_so_is_not_written(store: Store) -> None:
    issue = store.create_issue("CAR", "one", actor="anna", labels=["a"])
    entries = len(store.log)
    store.edit(issue.id, {"labels": ["a"], "status": "1", "due": None}, actor="li")
    store.relabel(issue.id, actor="li", add=["a"], remove=["z"])
    assert len(store.log) == entries


def test_a_refused_command_has_written_nothing(store: Store) -> None:
    issue = store.create_issue("CAR", "one", actor="anna")
    entries, at = len(store.log), store.clock.now()
    for changes in ({"status": "9"}, {"priority": "9"}, {"assignees": ["nobody"]}, {"fix_versions": ["9"]}):
        with pytest.raises(Refused):
            store.edit(issue.id, changes, actor="li")
    with pytest.raises(Refused, match="no issue 'CAR-9'"):
        store.comment("CAR-9", "x", actor="li")
    with pytest.raises(Refused, match="linked to itself"):
        store.link_issues(issue.id, issue.id, "1", actor="li")
    assert (len(store.log), store.clock.now()) == (entries, at)


def test_a_past_write_must_not_precede_the_issues_last(store: Store) -> None:
    issue = store.create_issue("CAR", "one", actor="anna", at=NOW - timedelta(days=1))
    store.comment(issue.id, "x", actor="li", at=NOW - timedelta(hours=5))
    with pytest.raises(Refused, match="was last written"):
        store.comment(issue.id, "y", actor="li", at=NOW - timedelta(hours=6))


def test_a_fixed_clock_ticks_with_each_write_and_stands_while_the_ground_is_laid(store: Store) -> None:
    assert store.clock.now() == NOW
    store.create_issue("CAR", "one", actor="anna")
    store.create_issue("CAR", "two", actor="anna")
    assert store.clock.now() == NOW + timedelta(seconds=2)
    store.clock.advance(timedelta(hours=1))
    assert store.clock.now() == NOW + timedelta(hours=1, seconds=2)


def test_a_property_moves_neither_updated_nor_the_history(store: Store) -> None:
    issue = store.create_issue("CAR", "one", actor="anna")
    before = issue.updated
    store.set_property(issue.id, "warranty.state", {"v": 1}, actor="li")
    assert (issue.updated, issue.history) == (before, [])


def test_a_merge_closes_its_issues_and_its_commit_is_in_later_tags_only(store: Store) -> None:
    issue = store.create_issue("acme/car", "one", actor="anna")
    store.commit("acme/car", "start", actor="li")
    store.tag("acme/car", "v1", actor="li")
    request = store.create_merge_request("acme/car", "Fix", actor="li", closes=[1])
    store.merge("acme/car", request.iid, actor="li")
    store.tag("acme/car", "v2", actor="li")
    assert issue.status == "closed"
    assert issue.history[-1].metadata == {"merge_request": 1}
    tags = store.projects["acme/car"].tags_containing(request.merge_commit_sha)
    assert [tag.name for tag in tags] == ["v2"]


def test_a_revoked_token_logs_nobody_in(store: Store) -> None:
    store.create_token("secret-text", "li")
    token = store.token("secret-text")
    assert token is not None
    assert "secret-text" not in repr(token)
    store.revoke_token("secret-text")
    assert store.token("secret-text") is None
