"""The GitLab stand-in, held to what real servers answered and to the vendor's own schemas."""

from __future__ import annotations

import http.client
import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    build_schema,
    parse,
    validate,
    validate_schema,
)

from connectors.gitlab.stand_in.complexity import score
from connectors.gitlab.stand_in.gids import schema_of
from connectors.gitlab.stand_in.quick_actions import extract
from connectors.sandbox.clock import Clock
from connectors.sandbox.server import Sandbox
from connectors.sandbox.store import Store

API = "https://gitlab.com/api/v4"
SLICE = re.compile(
    r"/user|/projects/[^/]+(/issues(/\d+(/notes(/\d+)?)?)?|/merge_requests(/\d+)?|/releases)?",
)

# Members that real answers had and a Free server of today has not: paid features, and what went away since 2019.
PAID_OR_GONE = {
    "allow_collaboration", "allow_maintainer_to_push", "approvals_before_merge", "health_status", "weight", "pipeline",
}  # fmt: skip
WRITES_OUTSIDE = re.compile(r"(POST|PUT) (/projects|/projects/[^/]+/merge_requests.*)")
# What else was recorded: reactions, notes of merge requests, files, refs. The sandbox has none of them.
OUTSIDE = re.compile(r".*(/award_emoji.*|/merge_requests/\d+/(notes.*|merge_ref|merge)|/repository/files/.*)")


@pytest.mark.parametrize("generation", ["19.2", "16.3"])
def test_each_generation_is_a_valid_schema(generation: str) -> None:
    assert validate_schema(schema_of(generation)) == []


# -------------------------------------------------------------------------------------------------- recorded answers
@pytest.fixture(scope="module")
def exchanges(shared_data: Path) -> list[dict[str, Any]]:
    """Those of the recorded exchanges that fall in our slice."""
    lines = (shared_data / "gitlab" / "http_exchanges.jsonl").read_text("utf-8").splitlines()
    recorded = [json.loads(line) for line in lines]
    inside = [one for one in recorded if _in_slice(one)]
    # Each falls in the slice or is known not to; nothing is passed over for want of a pattern.
    assert [one["url"] for one in recorded if one not in inside and not _outside(one)] == []
    return inside


def _in_slice(exchange: dict[str, Any]) -> bool:
    path = exchange["url"].removeprefix(API).partition("?")[0]
    return bool(SLICE.fullmatch(path)) and not WRITES_OUTSIDE.fullmatch(f"{exchange['method']} {path}")


def _outside(exchange: dict[str, Any]) -> bool:
    path = exchange["url"].removeprefix(API).partition("?")[0]
    return bool(OUTSIDE.fullmatch(path) or WRITES_OUTSIDE.fullmatch(f"{exchange['method']} {path}"))


@pytest.fixture(scope="module")
def replay(exchanges: list[dict[str, Any]]) -> Iterator[_Replay]:
    replay = _Replay(exchanges)
    with replay.sandbox:
        yield replay


class _Replay:
    """A store in which everything the recorded requests name exists, under the same project ids and iids."""

    def __init__(self, exchanges: list[dict[str, Any]]) -> None:
        self.store = Store(Clock.fixed(datetime(2026, 3, 2, 9, tzinfo=UTC)))
        self.sandbox = Sandbox(self.store)
        self.notes: dict[str, str] = {}
        for name in ("me", "mfocko"):
            self.store.create_user(name, name)
        self.store.create_token("token", "me")
        self.store.create_token("reader", "me", permissions={"browse", "comment"})
        for exchange in exchanges:
            if exchange["status"] < 400:
                self._place(exchange)

    def _place(self, exchange: dict[str, Any]) -> None:
        pieces = exchange["url"].removeprefix(API).partition("?")[0].split("/")[1:]
        if pieces[0] != "projects":
            return
        path = f"recorded/p{unquote(pieces[1])}"
        if path not in self.store.projects:
            self.store.create_project(path, "Recorded", kind="gitlab", id_=int(pieces[1]))
            self.store.commit(path, "Start", actor="me")
            for n in range(25):
                self.store.create_issue(path, f"Filler {n}", actor="mfocko", assignees=["mfocko"], number=9000 + n,
                                        labels=["testing-label-for-test-issue-list-labels"])  # fmt: skip
                self.store.tag(path, f"0.{n}", actor="me")
                self.store.publish_release(path, f"0.{n}", actor="me", description="words")
        if pieces[2:3] == ["issues"] and len(pieces) > 3 and int(pieces[3]) not in self.store.projects[path].issues:
            self.store.create_issue(path, "Recorded", actor="mfocko", number=int(pieces[3]), description="words")
        if pieces[4:5] == ["notes"]:
            issue = self.store.projects[path].issues[int(pieces[3])]
            written = self.store.comment(issue.id, "see", actor="me")
            if len(pieces) > 5:
                self.notes[pieces[5]] = written
        if pieces[2:3] == ["merge_requests"]:
            wanted = int(pieces[3]) if len(pieces) > 3 else 85
            while len(self.store.projects[path].merge_requests) < wanted:
                self.store.create_merge_request(path, "Recorded", actor="me", description="words")

    def send(self, exchange: dict[str, Any]) -> tuple[int, dict[str, str], Any]:
        """The same request to the stand-in: with a body that would give the recorded answer, for a write."""
        path = exchange["url"].removeprefix(API)
        for theirs, ours in self.notes.items():
            path = path.replace(f"/notes/{theirs}", f"/notes/{ours}")
        body = None
        if exchange["method"] in {"POST", "PUT"}:
            said = exchange["body"] if exchange["status"] < 400 else {"title": "refused"}
            names = ("title", "description", "body", "tag_name", "name")
            body = {name: said[name] for name in names if said.get(name)}
            body |= {"ref": "main"} if "/releases" in path else {}
            body |= {"state_event": "close"} if said.get("state") == "closed" else {}
            body |= {"labels": ",".join(said["labels"])} if said.get("labels") else {}
        token = {401: "nonsense", 403: "reader"}.get(exchange["status"], "token")
        if exchange["status"] == 403:
            path = re.sub(r"/projects/\d+", f"/projects/{next(iter(self.store.projects.values())).id}", path)
        where = urlsplit(self.sandbox.url("gitlab"))
        connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=10)
        try:
            headers = {"Content-Type": "application/json", "PRIVATE-TOKEN": token}
            connection.request(exchange["method"], f"/gitlab/api/v4{path}", json.dumps(body) if body else None, headers)
            answer = connection.getresponse()
            return (
                answer.status,
                {name.lower(): value for name, value in answer.getheaders()},
                json.loads(answer.read()),
            )
        finally:
            connection.close()


def _differences(theirs: Any, ours: Any, where: str = "") -> Iterator[str]:
    """Members that a real answer has and ours lacks, and values of another kind."""
    if theirs is None or ours is None:
        return
    if isinstance(theirs, dict) and isinstance(ours, dict):
        for name, value in theirs.items():
            if name in PAID_OR_GONE:
                continue
            if name not in ours:
                yield f"{where}.{name}: missing"
            else:
                yield from _differences(value, ours[name], f"{where}.{name}")
    elif isinstance(theirs, list) and isinstance(ours, list):
        if theirs and ours:
            yield from _differences(theirs[0], ours[0], f"{where}[]")
    elif type(theirs) is not type(ours):
        yield f"{where}: {type(ours).__name__} where the server has {type(theirs).__name__}"


@pytest.mark.shared_data
def test_recorded_exchanges_get_the_same_status_and_shape(exchanges: list[dict[str, Any]], replay: _Replay) -> None:
    wrong: Counter[str] = Counter()
    for exchange in exchanges:
        request = f"{exchange['method']} {exchange['url'].removeprefix(API)}"
        status, _, body = replay.send(exchange)
        if status != exchange["status"]:
            wrong[f"{request}: {status} where the server has {exchange['status']}"] += 1
        elif status >= 400:
            wrong.update([f"{request}: {body}"] if body != exchange["body"] else [])
        else:
            lost = isinstance(body, list) and exchange["body"] and not body and "page=" not in request
            wrong.update([f"{request}: nothing"] if lost else [])
            wrong.update(
                f"{re.sub('[0-9]+', '*', request.partition('?')[0])} {one}"
                for one in _differences(exchange["body"], body)
            )
    assert wrong == Counter()
    assert len(exchanges) == 101


@pytest.mark.shared_data
def test_a_recorded_page_has_the_same_page_headers(exchanges: list[dict[str, Any]]) -> None:
    recorded = next(one for one in exchanges if one["headers"].get("X-Total") == "56")
    store = Store(Clock.fixed(datetime(2026, 3, 2, 9, tzinfo=UTC)))
    store.create_user("me", "Me")
    store.create_token("token", "me")
    store.create_project("recorded/p", "Recorded", kind="gitlab", id_=14233409)
    for n in range(56):
        store.create_issue("recorded/p", f"Issue {n}", actor="me")
    replay = _Replay([])
    replay.store, replay.sandbox = store, Sandbox(store)
    with replay.sandbox:
        _, headers, _ = replay.send(recorded)
    for name in ("X-Next-Page", "X-Page", "X-Per-Page", "X-Prev-Page", "X-Total", "X-Total-Pages"):
        assert headers[name.lower()] == recorded["headers"][name], name
    assert _links(headers["link"]) == _links(recorded["headers"]["Link"])


def _links(header: str) -> dict[str, dict[str, str]]:
    found = re.findall(r'<([^>]+)>; rel="(\w+)"', header)
    return {rel: dict(parse_qsl(urlsplit(address).query)) for address, rel in found}


# ----------------------------------------------------------------------------------------------------- hostile texts
@pytest.mark.shared_data
def test_a_hostile_text_is_refused_or_kept_to_the_letter(shared_data: Path) -> None:
    cases = [json.loads(line) for line in (shared_data / "hostile.jsonl").read_text("utf-8").split("\n") if line]
    texts = {text for case in cases for text in _texts(case["input"])}
    replay = _Replay([])
    replay.store.create_project("recorded/p", "Recorded", kind="gitlab", id_=1)
    issue = replay.store.create_issue("recorded/p", "Hostile", actor="me")
    written = {}
    with replay.sandbox:
        for text in sorted(texts):
            exchange = {
                "url": f"{API}/projects/1/issues/1/notes",
                "method": "POST",
                "status": 201,
                "body": {"body": text},
            }
            status, _, body = replay.send(exchange)
            assert status in {201, 202, 400}, (status, text)
            if status == 201 and not extract(text)[1]:
                written[str(body["id"])] = text
    assert {comment.id: comment.body for comment in issue.comments if comment.id in written} == written
    assert len(written) > 400


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for one in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _texts(one)


# ----------------------------------------------------------------------------------------------------------- schemas
@pytest.fixture(scope="module")
def newer(shared_specs: Path) -> Path:
    return shared_specs / "gitlab-19.2-workitems"


@pytest.mark.shared_data
def test_the_older_generation_offers_nothing_that_the_vendors_schema_lacks(shared_specs: Path) -> None:
    text = (shared_specs / "gitlab-2023-08-16.3.ganievs.graphql").read_text("utf-8")
    assert [*_beyond(schema_of("16.3"), build_schema(text, assume_valid=True), strict=True)] == []


@pytest.mark.shared_data
def test_the_newer_generation_agrees_with_the_transcribed_schema_where_both_speak(newer: Path) -> None:
    theirs = build_schema((newer / "subset.graphql").read_text("utf-8"))
    assert [*_beyond(schema_of("19.2"), theirs, strict=False)] == []


def _beyond(ours: GraphQLSchema, theirs: GraphQLSchema, *, strict: bool) -> Iterator[str]:
    """Where our schema says something else than the vendor's. Args: strict: theirs is complete, so more is wrong, too."""
    for name, kind in ours.type_map.items():
        real = theirs.type_map.get(name)
        if name.startswith("__") or real is None:
            if real is None and strict:
                yield f"type {name}"
            continue
        if isinstance(kind, GraphQLEnumType) and isinstance(real, GraphQLEnumType) and strict:
            yield from (f"{name}.{value}" for value in kind.values if value not in real.values)
        if not isinstance(kind, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType):
            continue
        assert isinstance(real, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType)
        for field, said in kind.fields.items():
            if field not in real.fields:
                yield from [f"{name}.{field}"] if strict else []
                continue
            if _bare(str(said.type)) != _bare(str(real.fields[field].type)):
                yield f"{name}.{field}: {said.type} where the vendor has {real.fields[field].type}"
            for argument in getattr(said, "args", {}):
                if strict and argument not in getattr(real.fields[field], "args", {}):
                    yield f"{name}.{field}({argument})"


def _bare(type_: str) -> str:
    """A type without what a reader need not know: whether it can be null, and which id it is."""
    bare = re.sub(r"\b\w*ID\b", "ID", type_.replace("!", ""))
    return {"MilestoneStateEnum": "String", "MergeRequestState": "String", "[ProjectMember]": "[MemberInterface]"}.get(
        bare, bare
    )


@pytest.mark.shared_data
@pytest.mark.parametrize("name", ["sync", "act"])
def test_the_documents_of_the_request_plan_are_valid(newer: Path, name: str) -> None:
    assert validate(schema_of("19.2"), parse((newer / f"{name}.graphql").read_text("utf-8"))) == []


@pytest.mark.shared_data
def test_the_cost_of_the_request_plan_is_as_reckoned(newer: Path) -> None:
    said = (newer / "complexity.out").read_text("utf-8").partition("expected")[2]
    expected = {
        (int(issues), int(threads)): int(cost)
        for issues, row in re.findall(r"n issues (\d+) \{(.*?)\}", said)
        for threads, cost in re.findall(r"(\d+): (\d+)", row)
    }
    assert len(expected) == 30
    assert {pair: _cost(newer / "sync.graphql", n=pair[0], d=pair[1]) for pair in expected} == expected
    assert _cost(newer / "act.graphql") == 18


def _cost(path: Path, **values: int) -> int:
    document = parse(path.read_text("utf-8"))
    operation = document.definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    given = {"who": [], "body": "", "target": [], "id": 1, "nid": 1, "note": 1, "path": "a/b"}
    return score(schema_of("19.2"), document, operation, {**given, **values})
