"""Real issues in the sandbox: as they were, or not at all."""

from __future__ import annotations

import gzip
import json
import resource
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests
from starlette.datastructures import QueryParams

from connectors.jira.stand_in import shapes
from connectors.jira.stand_in.session import Session
from connectors.sandbox.clock import Clock
from connectors.sandbox.load import Loaded, LoadFailed, load, load_file
from connectors.sandbox.projection import World
from connectors.sandbox.scenario import read
from connectors.sandbox.server import Sandbox
from connectors.sandbox.store import Store

TOKEN, MAIL, NAME = "sandbox-token", "warranty-bot@acme.test", "warranty-bot"

ISSUE: dict[str, Any] = {
    "id": "10066",
    "key": "EE-4",
    "self": "https://old.example.test/rest/agile/1.0/issue/10066",
    "fields": {
        "summary": "报表页",
        "description": "first\n\nsecond",
        "project": {"id": "10010", "key": "EE", "name": "Enterprise"},
        "issuetype": {"id": "10031", "name": "任务"},
        "status": {
            "id": "10068", "name": "已完成", "self": "https://old.example.test/rest/api/2/status/10068",
            "statusCategory": {"id": 3, "key": "done", "name": "完成"},
        },
        "priority": {"id": "3", "name": "Medium"},
        "labels": ["frontEnd"],
        "created": "2020-06-15T21:44:05.042+0800",
        "updated": "2020-06-17T10:00:00.000+0800",
        "reporter": {"accountId": "5e97", "displayName": "Rankin", "timeZone": "Asia/Shanghai"},
        "assignee": None,
        "customfield_10020": [{"sprint": 17}],
        "comment": {
            "total": 2,
            "comments": [
                {
                    "id": "10020", "body": "done in *main*", "created": "2020-06-16T08:00:00.000+0800",
                    "author": {"accountId": "5ecf", "displayName": "Ding"},
                }
            ],
        },
    },
    "changelog": {
        "total": 2,
        "histories": [
            {
                "id": "10500", "created": "2020-06-16T09:00:00.000+0800",
                "author": {"accountId": "5ecf", "displayName": "Ding"},
                "items": [
                    {"field": "status", "fieldtype": "jira", "fieldId": "status", "from": "1", "fromString": "Open",
                     "to": "10068", "toString": "已完成"},
                ],
            }
        ],
    },
}  # fmt: skip
BARE: dict[str, Any] = {
    "id": "6",
    "key": "SLING-0006",
    "changelog": {
        "total": 2,
        "histories": [
            {"id": "100601", "created": "2019-09-20T08:15:00.000+0000", "items": [
                {"field": "Fix Version", "from": None, "fromString": None, "to": "10006", "toString": "Two"},
                {"field": "labels", "from": "", "fromString": "a", "to": "", "toString": "a b"}]},
            {"id": "100600", "created": "2019-09-05T09:00:00.000+0000", "items": [
                {"field": "status", "from": "1", "fromString": "Open", "to": "5", "toString": "Resolved"}]},
        ],
    },
}  # fmt: skip


def lines(*issues: Any) -> list[str]:
    return [json.dumps(one, ensure_ascii=False) for one in issues]


@pytest.fixture
def store() -> Store:
    return read("empty").store(Clock.fixed(datetime(2026, 11, 20, tzinfo=UTC)))


@pytest.fixture
def client() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.auth = (MAIL, TOKEN)
        yield session


def served(store: Store, client: requests.Session, path: str, mount: str = "jira-cloud") -> Any:
    with Sandbox(store) as sandbox:
        return client.get(f"{sandbox.url(mount)}/{path}").json()


def test_an_issue_is_served_as_it_was(store: Store, client: requests.Session) -> None:
    load(store, lines({"_origin": {"repo": "x/y"}, "issue": ISSUE}))
    shown = served(store, client, "rest/api/2/issue/EE-4?expand=changelog")
    for name in ("summary", "labels", "created", "updated", "priority", "customfield_10020", "description"):
        assert shown["fields"][name] == ISSUE["fields"][name]
    assert shown["fields"]["status"]["name"] == "已完成"
    assert (shown["id"], shown["key"]) == ("10066", "EE-4")
    assert shown["fields"]["comment"]["comments"][0]["id"] == "10020"
    (history,) = shown["changelog"]["histories"]
    assert history == ISSUE["changelog"]["histories"][0]
    assert "old.example.test" not in json.dumps(shown)


def test_a_history_the_source_cut_stays_cut_and_says_so(store: Store, client: requests.Session) -> None:
    loaded = load(store, lines(ISSUE))
    assert loaded.histories_missing == ("EE-4",)
    changelog = served(store, client, "rest/api/3/issue/EE-4?expand=changelog")["changelog"]
    assert (changelog["total"], len(changelog["histories"])) == (2, 1)


def test_comments_that_are_not_there_are_not_promised(store: Store, client: requests.Session) -> None:
    loaded = load(store, lines(ISSUE))
    assert loaded.comments_missing == ("EE-4",)
    page = served(store, client, "rest/api/2/issue/EE-4/comment")
    assert (page["total"], len(page["comments"])) == (1, 1)


def test_an_issue_without_fields_shows_what_its_changelog_proves_and_no_more(
    store: Store, client: requests.Session
) -> None:
    loaded = load(store, lines(BARE))
    assert loaded.without_fields == ("SLING-0006",)
    fields = served(store, client, "rest/api/2/issue/SLING-0006")["fields"]
    assert sorted(fields) == ["fixVersions", "labels", "project", "status"]
    assert fields["status"]["name"] == "Resolved"
    assert fields["status"]["statusCategory"]["key"] == "undefined"
    assert fields["labels"] == ["a", "b"]
    assert fields["fixVersions"][0]["name"] == "Two"
    assert "released" not in fields["fixVersions"][0]


def test_a_write_takes_the_place_of_what_was_given(store: Store, client: requests.Session) -> None:
    load(store, lines(ISSUE, BARE))
    with Sandbox(store) as sandbox:
        root = f"{sandbox.url('jira-cloud')}/rest/api/2/issue"
        for key in ("EE-4", "SLING-0006"):
            body = {"update": {"labels": [{"add": "late"}], "comment": [{"add": {"body": "hi"}}]}}
            assert client.put(f"{root}/{key}", json=body).status_code == 204
            shown = client.get(f"{root}/{key}?expand=changelog").json()
            assert shown["fields"]["labels"][-1] == "late"
            assert shown["fields"]["comment"]["comments"][-1]["body"] == "hi"
            assert shown["fields"]["updated"] == "2026-11-20T00:00:00.000+0000" or key == "SLING-0006"
            newest = shown["changelog"]["histories"][0]
            assert newest["items"][0]["toString"].endswith(" late")
            assert newest["author"]["accountId"] == NAME
    assert World.of(store.log) == store.world


def test_people_and_words_are_known_afterwards(store: Store, client: requests.Session) -> None:
    load(store, lines(ISSUE))
    assert {"5e97", "5ecf"} <= set(store.users)
    names = {one["name"]: one["statusCategory"]["key"] for one in served(store, client, "rest/api/3/status")}
    assert names == {"已完成": "done", "Open": "undefined"}


def test_an_id_given_twice_is_renumbered_and_named(store: Store) -> None:
    loaded = load(store, lines(ISSUE, {**ISSUE, "key": "EE-5"}))
    assert loaded.renumbered == {"EE-5": "10067"}
    assert store.issues["10066"].key == "EE-4"


def test_every_malformed_line_is_named_and_nothing_is_loaded(store: Store) -> None:
    entries = len(store.log)
    with pytest.raises(LoadFailed) as failed:
        load(
            store,
            [
                *lines(ISSUE),
                "{broken",
                "[1]",
                *lines({"id": "1", "key": "no key"}, {**BARE, "id": None}, ISSUE),
                "",
                *lines(
                    {**BARE, "key": "A-1", "fields": {"status": "Open", "created": "yesterday", "labels": "x"}},
                    {**BARE, "key": "A-2", "changelog": {"histories": [{"id": "x"}, 7]}},
                ),
            ],
            source="there.jsonl",
        )
    faults = failed.value.faults
    places = [fault.partition(": ")[0] for fault in faults]
    assert sorted(set(places)) == [f"there.jsonl:{number}" for number in (2, 3, 4, 5, 6, 8, 9)]
    text = str(failed.value)
    for piece in (
        "not JSON", "expected an issue, found [1]", "key: expected one like CAR-12, found no key",
        "id: expected a number or text, found null", "issue EE-4 again, it is already on line 1",
        "fields.status: expected an object with id and name, found Open",
        "fields.created: expected an instant with its offset, found yesterday",
        "fields.labels: expected a list, found x", "changelog.histories[0].id", "changelog.histories[1]",
    ):  # fmt: skip
        assert piece in text, piece
    assert len(store.log) == entries


def test_an_empty_file_and_a_damaged_one_are_refused(store: Store, tmp_path: Path) -> None:
    empty, torn, binary = tmp_path / "empty.jsonl", tmp_path / "torn.jsonl.gz", tmp_path / "binary.jsonl"
    empty.write_text("\n")
    torn.write_bytes(gzip.compress(json.dumps(ISSUE).encode())[:-20])
    binary.write_bytes(b'{"a": "\xff"}')
    for path, said in ((empty, "no issue in it"), (torn, "damaged gzip"), (binary, "not UTF-8")):
        with pytest.raises(LoadFailed, match=said):
            load_file(store, path)


def test_plain_and_gzipped_files_give_the_same(tmp_path: Path) -> None:
    plain, zipped = tmp_path / "a.jsonl", tmp_path / "a.jsonl.gz"
    text = "\n".join(lines(ISSUE, BARE))
    plain.write_text(text, encoding="utf-8")
    zipped.write_bytes(gzip.compress(text.encode()))
    one, two = (Store(Clock.fixed(datetime(2026, 11, 20, tzinfo=UTC))) for _ in range(2))
    assert load_file(one, plain) == load_file(two, zipped)
    assert one.world == two.world


def test_a_gitlab_project_takes_no_jira_issue() -> None:
    store = read("empty").store()
    store.create_project("EE", "ee", kind="gitlab")
    with pytest.raises(LoadFailed, match="EE is a gitlab project"):
        load(store, lines(ISSUE))


NONSENSE: tuple[Any, ...] = (
    None, 1, -1, 1.5, True, "", "x", [], ["x"], [None], [{}], {}, {"id": None}, {"id": {}}, {"id": "1"}, {"name": []},
    "2020-01-01T00:00:00", "9999-12-31T23:59:59.999-1200", "0001-01-01T00:00:00.000+1400", "CAR-1", 10**30, "9" * 40,
    {"accountId": []}, {"accountId": "5e97", "timeZone": "../x"}, {"accountId": "5e97", "timeZone": 7}, {"type": "doc"},
)  # fmt: skip


def places(node: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every member and element of a JSON value."""
    if above:
        yield above
    for name, one in node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ():
        yield from places(one, (*above, name))


@pytest.mark.parametrize("source", [ISSUE, BARE], ids=["whole", "bare"])
def test_whatever_stands_in_a_line_it_is_served_or_it_is_named(source: dict[str, Any]) -> None:
    served_some = 0
    for number, way in enumerate(places(source)):
        for value in NONSENSE[
            number % 4 :: 4
        ]:  # each kind of nonsense comes to each kind of place, though not to each place
            line: Any = json.loads(json.dumps(source))
            node = line
            for name in way[:-1]:
                node = node[name]
            node[way[-1]] = value
            store = read("empty").store()
            try:
                loaded = load(store, lines(line))
            except LoadFailed:
                continue
            served_some += 1
            token = store.token(TOKEN)
            assert token is not None
            for cloud, api in ((True, "3"), (False, "2")):
                session = Session(store, cloud, api, "http://here", token, QueryParams(""), {})
                issue = session.issue(loaded.keys[0])
                assert json.dumps(shapes.issue(session, issue, ["*all"], expand="changelog"))
                store.edit(issue.id, {"labels": [api]}, actor=NAME)
            assert World.of(store.log) == store.world
    assert served_some > 40


# -------------------------------------------------------------------------------------------------- real cases


def all_of(client: requests.Session, root: str, projects: tuple[str, ...]) -> list[dict[str, Any]]:
    body: dict[str, Any] = {
        "jql": f"project in ({', '.join(projects)}) ORDER BY key", "fields": ["*all"], "maxResults": 100,
    }  # fmt: skip
    found: list[dict[str, Any]] = []
    while True:
        page = client.post(f"{root}/search/jql", json=body).json()
        found += page["issues"]
        if page["isLast"]:
            return found
        body["nextPageToken"] = page["nextPageToken"]


@pytest.mark.shared_data
def test_all_real_issues_with_changelog_are_served_as_they_were(
    store: Store, client: requests.Session, shared_data: Path
) -> None:
    path = shared_data / "jira" / "issues_with_changelog.jsonl"
    loaded = load_file(store, path)
    source = {one["key"]: one for one in (json.loads(line)["issue"] for line in path.read_text("utf-8").splitlines())}
    assert loaded.keys == tuple(source)
    assert len(loaded.keys) == 46
    with Sandbox(store) as sandbox:
        root = f"{sandbox.url('jira-cloud')}/rest/api/2"
        shown = {one["key"]: one for one in all_of(client, root, loaded.projects)}
        assert set(shown) == set(source)
        logs = client.post(f"{root}/changelog/bulkfetch", json={"issueIdsOrKeys": list(source), "maxResults": 10000})
    history = {one["issueId"]: one["changeHistories"] for one in logs.json()["issueChangeLogs"]}
    for key, one in source.items():
        fields = one.get("fields") or {}
        for name in ("summary", "labels", "created", "updated", "duedate"):
            if name in fields:
                assert shown[key]["fields"][name] == fields[name]
            elif not fields and name in {"created", "updated", "duedate"}:
                assert name not in shown[key].get("fields", {})
        got = {entry["id"]: entry["items"] for entry in history[shown[key]["id"]]}
        assert got == {entry["id"]: entry["items"] for entry in one["changelog"]["histories"]}


@pytest.mark.shared_data
def test_real_issues_without_changelog_come_in_too(store: Store, shared_data: Path) -> None:
    """Some of them name a status without its id."""
    loaded = load_file(store, shared_data / "jira" / "issues_without_changelog.jsonl")
    assert len(loaded.keys) == 28
    assert World.of(store.log) == store.world


@pytest.mark.shared_data
def test_thousands_of_real_issues_fit(store: Store, client: requests.Session, shared_data: Path) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    loaded: Loaded = load_file(store, shared_data / "jira" / "titanium_sample.jsonl.gz")
    assert len(loaded.keys) == 3200
    assert len(loaded.comments_missing) == 772
    with Sandbox(store) as sandbox:
        found = all_of(client, f"{sandbox.url('jira-cloud')}/rest/api/3", loaded.projects)
    assert {one["key"] for one in found} == set(loaded.keys)
    # kilobytes on Linux; on top of what the tests before this one took
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 400_000
