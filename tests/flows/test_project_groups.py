"""A site names a group, and each run reads the projects that are in it then."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from connectors.gitlab.tracker import GitLabReader
from connectors.ledger import Ledger
from connectors.sandbox.clock import Clock
from connectors.sandbox.server import Sandbox
from connectors.sandbox.store import Store
from connectors.tracker import Project, RateLimited, Unreachable
from flows import collecting, doctor
from flows.project_groups import within
from flows.run import Collected
from flows.site import Site
from flows.sitting import Sitting
from policies.problem import InputError

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
TOKEN = "token-of-the-bot"
SITE = """\
name: groups
pack: standard-warranty
zone: Asia/Shanghai
trackers:
  - name: gl
    kind: gitlab
    url: {url}
    token: {{env: GROUPS_TOKEN}}
    projects: [{projects}]
    report_project: {report}
    states: {{opened: open, closed: closed}}
"""


@dataclass
class Ground:
    store: Store
    sandbox: Sandbox
    folder: Path

    def site(self, projects: str = '"acme/*"', report: str = "acme/car") -> Site:
        file = self.folder / "groups.yaml"
        url = self.sandbox.url("gitlab")
        file.write_text(SITE.format(url=url, projects=projects, report=report), encoding="utf-8")
        return Site.load(file)

    def run(self, day: int, site: Site | None = None) -> dict[str, Collected]:
        with Ledger.open(f"sqlite:///{self.folder / 'ledger.db'}") as ledger:
            sitting = Sitting(site or self.site(), ledger, f"run-{day}", START + timedelta(days=day))
            return {one.project: one for one in collecting.collect_all(sitting)}


@pytest.fixture
def ground(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ground]:
    monkeypatch.setenv("GROUPS_TOKEN", TOKEN)
    store = Store(clock=Clock.fixed(START))
    store.create_user("alice", "Alice Customer")
    store.create_user("warranty", "Warranty", bot=True)
    store.create_token(TOKEN, "warranty")
    for path in ("acme/car", "acme/parts/pump", "acmeother/x"):
        store.create_project(path, path, kind="gitlab")
        store.create_issue(path, "Leaks", actor="alice")
    with Sandbox(store) as sandbox:
        yield Ground(store, sandbox, tmp_path)


def test_what_it_takes_to_list_a_group_is_counted(ground: Ground) -> None:
    counted = sum(one.requests.total() for one in ground.run(0).values())
    assert counted == len(ground.store.requests)


def test_a_group_stands_for_its_projects_and_those_of_its_subgroups(ground: Ground) -> None:
    found = ground.run(1)
    assert list(found) == ["acme/car", "acme/parts/pump"]
    assert [len(list(one.issues)) for one in found.values()] == [1, 1]
    assert not any(one.cut_short for one in found.values())


def test_a_new_project_joins_by_itself(ground: Ground) -> None:
    ground.run(1)
    ground.store.create_project("acme/parts/hose", "Hose", kind="gitlab")
    ground.store.create_issue("acme/parts/hose", "Bursts", actor="alice")
    assert len(list(ground.run(2)["acme/parts/hose"].issues)) == 1


def test_a_project_that_is_also_named_is_read_once_and_at_its_place(ground: Ground) -> None:
    site = ground.site('acme/parts/pump, "ACME/*"', report="acme/parts/pump")
    assert list(ground.run(1, site)) == ["acme/parts/pump", "acme/car"]


def test_a_project_that_vanished_is_told_for_a_week(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    ground.run(1)
    left = Project("acme/car", "1", "Car")
    monkeypatch.setattr(GitLabReader, "projects", lambda _: (left,))
    for day in (2, 7):
        found = ground.run(day)
        assert list(found) == ["acme/car", "acme/parts/pump"]
        assert "no longer found there" in found["acme/parts/pump"].cut_short
        assert found["acme/parts/pump"].issues == ()
        assert not found["acme/car"].cut_short
    assert list(ground.run(9)) == ["acme/car"]


def test_a_group_in_which_nothing_is_found_says_so(ground: Ground) -> None:
    found = ground.run(1, ground.site('acme/car, "nobody/*"'))
    assert "no project of nobody/* is found" in found["nobody/*"].cut_short
    assert not found["acme/car"].cut_short


def test_a_list_of_projects_that_can_not_be_read_stops_no_named_project(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(_: GitLabReader) -> tuple[Project, ...]:
        raise Unreachable("no")

    monkeypatch.setattr(GitLabReader, "projects", refused)
    found = ground.run(1, ground.site('acme/car, "acme/parts/*"'))
    assert {name: bool(one.cut_short) for name, one in found.items()} == {"acme/car": False, "acme/parts/*": True}


def test_a_group_of_many_projects_is_found_with_one_request_for_a_hundred(ground: Ground) -> None:
    for n in range(120):
        ground.store.create_project(f"many/p{n}", f"P{n}", kind="gitlab")
    reader = GitLabReader(ground.site().connection(ground.site().trackers[0]))
    assert len(reader.projects()) == 123
    assert reader.requests == {"GET projects": 2}
    reader.close()


@pytest.mark.parametrize(
    ("projects", "report", "wanted"),
    [
        ('"acme/*"', '""', "report_project"),
        ('"acme/*"', "other/x", "none of the projects"),
        ('"acme*"', "acme/car", "a group, as acme/"),
        ('"a*/*"', "acme/car", "a group, as acme/"),
        ('"/*"', "acme/car", "a group, as acme/"),
        ('"acme/*", "acme/parts/*"', "acme/car", "lies within"),
    ],
)
def test_a_group_that_can_not_be_is_refused(ground: Ground, projects: str, report: str, wanted: str) -> None:
    with pytest.raises(InputError, match=wanted):
        ground.site(projects, report)


def test_the_doctor_looks_at_the_group_and_at_what_is_in_it(ground: Ground) -> None:
    subjects = {finding.subject: finding for finding in doctor.examine(ground.site(), START)}
    assert {"gl: group acme", "gl: project acme/car", "gl: project acme/parts/pump"} <= subjects.keys()


def test_paths_know_no_case_and_a_group_is_not_within_itself() -> None:
    assert within("acme/*", "ACME/car")
    assert within("acme/*", "acme/parts/*")
    assert not within("acme/*", "acme/*")
    assert not within("acme/*", "acmeother/x")


def test_a_project_named_otherwise_than_the_server_does_is_told_and_not_half_read(ground: Ground) -> None:
    found = ground.run(1, ground.site(projects="Acme/Car", report="Acme/Car"))["Acme/Car"]
    assert "its issues are of 'acme/car': name the project so in the site file" in found.cut_short
    assert list(found.issues) == []


def test_of_a_group_no_further_project_is_read_of_a_tracker_that_asks_for_a_rest(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def changed_since(_: GitLabReader, project: str, *__: object) -> None:
        asked.append(project)
        raise RateLimited("429", retry_after=600)

    monkeypatch.setattr(GitLabReader, "changed_since", changed_since)
    found = ground.run(1)
    assert asked == ["acme/car"]
    assert list(found) == ["acme/car", "acme/parts/pump"]
    assert found["acme/parts/pump"].cut_short == found["acme/car"].left_alone
    assert found["acme/parts/pump"].rests
