"""Scenarios: a past that can be replayed, and mistakes that are named."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from connectors.sandbox.scenario import Scenario, ScenarioFault, read, shipped

GROUND = """
now: 2026-11-20 16:00
zone: Asia/Shanghai
users:
  - {id: bot, name: Bot, bot: true}
tokens:
  - {token: t, user: bot}
projects:
  - key: acme/car
    name: car
    kind: gitlab
    issues:
      - {title: one, opened: 2026-11-19 10:00, by: bot, events: [EVENT]}
"""


def written(tmp_path: Path, event: str) -> Scenario:
    path = tmp_path / "own.yaml"
    path.write_text(GROUND.replace("EVENT", event), encoding="utf-8")
    return read(path)


@pytest.mark.parametrize("name", shipped())
def test_every_shipped_scenario_can_be_replayed(name: str) -> None:
    scenario = read(name)
    store = scenario.store()
    assert store.clock.now() == scenario.at(scenario.now)
    assert all(store.token(token.token) for token in scenario.tokens)


def test_the_warranty_scenario_shows_what_it_says() -> None:
    store = read("warranty").store()
    assert store.clock.now() == datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
    assert {key: len(home.issues) for key, home in store.projects.items()} == {"CAR": 10, "acme/car": 9}

    def statuses(key: str) -> list[str]:
        issue = store.issue(key)
        assert issue is not None
        words = {word.id: word.name for word in store.projects[issue.project].statuses}
        items = [item for entry in issue.history for item in entry.items if item.field == "status"]
        return [words[item.after] for item in items]

    assert statuses("CAR-6") == ["处理中", "等待客户", "处理中", "已解决", "处理中", "等待客户", "处理中"]
    assert statuses("acme/car#9") == ["closed", "opened"]
    car = store.projects["acme/car"]
    assert car.issues[7].history[-1].metadata == {"merge_request": 1}
    assert [tag.name for tag in car.tags_containing(car.merge_requests[1].merge_commit_sha)] == ["v2.4.1"]
    assert "CAR-7" in car.merge_requests[1].description
    assert [comment.internal for comment in car.issues[6].comments] == [True]
    assert all(store.users[comment.author].bot for comment in car.issues[5].comments)
    assert not car.issues[4].comments
    jira = store.projects["CAR"]
    released = {version.id for version in jira.versions.values() if version.released}
    assert set(jira.issues[8].fix_versions) <= released
    assert jira.issues[9].resolution == "10301"


def test_a_scenario_that_is_not_there_names_those_that_are() -> None:
    with pytest.raises(ScenarioFault, match="empty, warranty"):
        read("nothing-like-it")


def test_all_mistakes_in_its_shape_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(ScenarioFault) as failed:
        written(tmp_path, "{at: 2026-11-19 11:00, by: bot, comented: x}, {at: 2026-11-19 11:00, by: bot}")
    assert "2 mistakes" in str(failed.value)
    assert "projects.0.issues.0.events.0" in str(failed.value)
    assert "nothing happens" in str(failed.value)


@pytest.mark.parametrize(
    ("event", "said"),
    [
        ("{at: 2026-11-20 17:00, by: bot, comment: x}", "after the scenario's now"),
        ("{at: 2026-11-19 11:00, by: nobody, comment: x}", "no user 'nobody'"),
        ("{at: 2026-11-19 11:00, by: bot, status: 处理中}", "no '处理中' among its statuses"),
        ("{at: 2026-11-18 11:00, by: bot, comment: x}", "before it is opened"),
        ("{at: tomorrow, by: bot, comment: x}", "write it like"),
    ],
)
def test_a_past_that_cannot_have_been_is_refused(tmp_path: Path, event: str, said: str) -> None:
    with pytest.raises(ScenarioFault, match=said):
        written(tmp_path, event).store()


def test_what_is_no_yaml_is_said(tmp_path: Path) -> None:
    path = tmp_path / "broken.yaml"
    path.write_text("now: [", encoding="utf-8")
    with pytest.raises(ScenarioFault, match="not YAML"):
        read(path)
