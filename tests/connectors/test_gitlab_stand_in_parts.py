"""Parts of the GitLab stand-in that stand for speed alone: they must agree with the slow way of saying the same."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import Any

import pytest
from graphql import ExecutionContext, execute_sync, parse
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.gitlab.stand_in.call import Call
from connectors.gitlab.stand_in.execution import Execution
from connectors.gitlab.stand_in.gids import schema_of
from connectors.gitlab.stand_in.graphql_api import queries
from connectors.gitlab.stand_in.meter import Meter
from connectors.gitlab.stand_in.server import Server
from connectors.gitlab.stand_in.shapes import Shapes
from connectors.gitlab.stand_in.terms import Terms
from connectors.gitlab.stand_in.views import Views
from connectors.sandbox.clock import Clock
from connectors.sandbox.store import Store
from policies.issue import Word

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
PATH = "acme/car"


@pytest.fixture
def store() -> Store:
    store = Store(Clock.fixed(NOW))
    for name in ("ann", "cus"):
        store.create_user(name, name.title(), customer=name == "cus")
    store.create_token("ann-token", "ann")
    store.create_project(PATH, "Car", kind="gitlab")
    return store


@pytest.fixture
def server(store: Store) -> Server:
    return Server(store, "19.2", Terms(tier="premium"))


def order(server: Server, **asked: Any) -> list[int]:
    server.catalogue.catch_up()
    return [one.number for one in server.catalogue.by_update(server.store.projects[PATH], **asked)]


def sorted_by_hand(store: Store) -> list[int]:
    return [one.number for one in sorted(store.projects[PATH].issues.values(), key=lambda one: (one.updated, one.id))]


def test_the_order_of_update_follows_every_write(store: Store, server: Server) -> None:
    issues = [store.create_issue(PATH, f"Issue {n}", actor="cus") for n in range(6)]
    assert order(server) == sorted_by_hand(store) == [1, 2, 3, 4, 5, 6]
    written = store.comment(issues[1].id, "see", actor="ann")
    assert order(server) == sorted_by_hand(store)
    store.edit(issues[0].id, {"title": "New"}, actor="ann")
    store.link_issues(issues[2].id, issues[4].id, "relates_to", actor="ann")
    assert order(server) == sorted_by_hand(store)
    store.edit_comment(issues[1].id, written, "changed", actor="ann")
    store.unlink_issues(issues[2].links[0], actor="ann")
    store.remove_comment(issues[1].id, written, actor="ann")
    assert order(server) == sorted_by_hand(store)
    for n in range(100):
        store.create_issue(PATH, f"More {n}", actor="cus")
        store.comment(issues[3].id, "again", actor="ann")
    assert order(server) == sorted_by_hand(store)
    assert order(server, descending=True) == sorted_by_hand(store)[::-1]


def test_a_page_goes_on_behind_its_place_either_way_and_begins_at_its_instant(store: Store, server: Server) -> None:
    issues = [store.create_issue(PATH, f"Issue {n}", actor="cus", at=NOW + timedelta(hours=n // 2)) for n in range(6)]
    place = (issues[2].updated, int(issues[2].id))
    assert order(server, after=place) == [4, 5, 6]
    assert order(server, after=place, descending=True) == [2, 1]
    assert order(server, since=NOW + timedelta(hours=1)) == [3, 4, 5, 6]
    assert order(server, since=NOW + timedelta(hours=1), after=(issues[3].updated, int(issues[3].id))) == [5, 6]
    assert order(server, since=NOW + timedelta(days=1)) == []


def test_the_order_of_creation_is_that_of_the_store_whatever_was_updated_since(store: Store, server: Server) -> None:
    ages = (3, 1, 2, 1, 5)
    issues = [store.create_issue(PATH, f"Issue {n}", actor="cus", at=NOW - timedelta(days=n)) for n in ages]
    store.edit(issues[2].id, {"title": "New"}, actor="ann")
    server.catalogue.catch_up()
    project, catalogue = store.projects[PATH], server.catalogue
    assert [one.number for one in catalogue.by_creation(project)] == [5, 1, 3, 2, 4]
    assert [one.number for one in catalogue.by_creation(project, descending=True)] == [4, 2, 3, 1, 5]
    place = (issues[2].created, int(issues[2].id))
    assert [one.number for one in catalogue.by_creation(project, after=place)] == [2, 4]
    assert [one.number for one in catalogue.by_creation(project, after=place, descending=True)] == [1, 5]


def test_of_those_made_in_some_time_all_are_given_and_what_is_behind_them_is_not_looked_at(
    store: Store, server: Server
) -> None:
    made = [NOW - timedelta(days=n) for n in range(9, 0, -1)]
    issues = [store.create_issue(PATH, f"Issue {n}", actor="cus", at=at) for n, at in enumerate(made, 1)]
    assert order(server, made=(made[2], made[4])) == [1, 2, 3, 4, 5]
    store.comment(issues[3].id, "late", actor="ann")
    assert order(server, made=(made[2], made[4])) == [1, 2, 3, 5, 6, 7, 8, 9, 4]
    assert order(server, made=(made[6], made[7]), since=made[4]) == [5, 6, 7, 8]
    assert order(server, made=(made[2], made[4]), since=NOW - timedelta(hours=1)) == [4]
    assert order(server, made=(None, made[0] - timedelta(days=1))) == []


def test_an_issue_of_another_tracker_that_moves_or_goes_is_let_go(store: Store, server: Server) -> None:
    for key in ("CAR", "BIKE"):
        statuses, types = [Word("1", "Open", "new")], [Word("1", "Bug")]
        store.create_project(key, key, kind="jira", statuses=statuses, types=types)
    moved, gone = (store.create_issue("CAR", name, actor="cus") for name in ("Moved", "Gone"))
    server.catalogue.catch_up()
    store.move_issue(moved.id, "BIKE", actor="ann")
    store.edit(gone.id, {"title": "Still here"}, actor="ann")
    store.remove_issue(gone.id, actor="ann")
    server.catalogue.catch_up()
    for way in (server.catalogue.by_update, server.catalogue.by_creation):
        assert {key: [*way(store.projects[key])] for key in ("CAR", "BIKE")} == {"CAR": [], "BIKE": [moved]}


def test_what_was_worked_out_about_an_issue_is_forgotten_when_it_may_have_changed(store: Store, server: Server) -> None:
    one, two = (store.create_issue(PATH, name, actor="cus", labels=["bug"]) for name in ("One", "Two"))
    server.catalogue.catch_up()
    for issue in (one, two):
        server.catalogue.prepared(issue)["thread"] = "old"
    store.comment(one.id, "see", actor="ann")
    server.catalogue.catch_up()
    assert [dict(server.catalogue.prepared(issue)) for issue in (one, two)] == [{}, {"thread": "old"}]
    store.change_label(PATH, "bug", {"name": "defect"}, actor="ann")
    server.catalogue.catch_up()
    assert server.catalogue.prepared(two) == {}


MANY = """query($p: ID!, $s: WorkItemSort, $n: Int, $after: String, $u: Time, $from: Time, $until: Time) {
  project(fullPath: $p) {
    workItems(sort: $s, first: $n, after: $after, updatedAfter: $u, createdAfter: $from, createdBefore: $until) {
      count nodes { iid } pageInfo { hasNextPage hasPreviousPage endCursor } } } }"""
_DAYS = st.none() | st.integers(0, 6)
_BIT = st.tuples(st.integers(0, 5), st.none() | st.integers(0, 5))


@settings(max_examples=300, deadline=None)
@given(
    lives=st.lists(_BIT, max_size=12), after=_DAYS, begin=_DAYS, end=_DAYS, size=st.integers(1, 4),
    sort=st.sampled_from(["UPDATED_ASC", "UPDATED_DESC", "CREATED_ASC", "CREATED_DESC"]),
)  # fmt: skip
def test_pages_by_update_and_by_creation_give_all_that_was_asked_for_once_and_in_order(
    lives: list[tuple[int, int | None]], after: int | None, begin: int | None, end: int | None, size: int, sort: str
) -> None:
    store = Store(Clock.fixed(NOW))
    store.create_user("ann", "Ann")
    store.create_token("ann-token", "ann")
    store.create_project(PATH, "Car", kind="gitlab")
    server = Server(store, "19.2", Terms(tier="premium"))
    for made, touched in lives:
        issue = store.create_issue(PATH, "One", actor="ann", at=NOW + timedelta(days=made))
        server.catalogue.catch_up()
        if touched is not None:
            store.comment(issue.id, "see", actor="ann", at=NOW + timedelta(days=made + touched))
    day = {number: NOW + timedelta(days=number) for number in range(7)}
    wanted = [
        one
        for one in store.projects[PATH].issues.values()
        if (after is None or one.updated >= day[after])
        and (begin is None or one.created >= day[begin])
        and (end is None or one.created <= day[end])
    ]
    instant = attrgetter("updated" if sort.startswith("UPDATED") else "created")
    wanted.sort(key=lambda one: (instant(one), int(one.id)), reverse=sort.endswith("DESC"))
    asked: dict[str, Any] = {"p": PATH, "s": sort, "n": size, "after": None}
    bounds = {"u": after, "from": begin, "until": end}
    asked |= {name: None if number is None else day[number].isoformat() for name, number in bounds.items()}
    found: list[str] = []
    while True:
        page = answered(store, server, MANY, asked)["project"]["workItems"]
        assert page["count"] == len(wanted)
        assert page["pageInfo"]["hasPreviousPage"] is bool(found)
        found += [node["iid"] for node in page["nodes"]]
        asked["after"] = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert found == [str(one.number) for one in wanted]


def answered(store: Store, server: Server, query: str, variables: dict[str, Any]) -> Any:
    server.catalogue.catch_up()
    shapes = Shapes(server, "http://gitlab.test")
    token = store.token("ann-token")
    call = Call(server=server, shapes=shapes, token=token, path={}, params={}, query=[], url="")
    views = queries(Views(call))
    result = execute_sync(
        schema_of("19.2"), parse(query), views, variable_values=variables, execution_context_class=Execution
    )
    assert not result.errors, result.errors
    return result.data


@pytest.mark.parametrize("sort", ["UPDATED_ASC", "CREATED_ASC", "TITLE_ASC"])
@pytest.mark.parametrize("at", ["2026-05-01T00:00:00", "yesterday", 5, None])
def test_a_cursor_that_was_never_given_is_refused_and_no_failure_of_the_server(
    store: Store, server: Server, sort: str, at: object
) -> None:
    store.create_issue(PATH, "One", actor="cus")
    cursor = base64.urlsafe_b64encode(json.dumps({"at": at, "id": "1"}).encode()).decode()
    with pytest.raises(AssertionError, match="valid cursor"):
        answered(store, server, MANY, {"p": PATH, "s": sort, "n": 1, "after": cursor})


QUERIES = (
    """{ project(fullPath: "acme/car") { __typename name labels { count nodes { title } pageInfo { endCursor } }
         workItems(sort: UPDATED_ASC) { count(limit: 1) pageInfo { hasNextPage startCursor } nodes {
           __typename iid state confidential lockVersion reference(full: true) author { username state }
           workItemType { name } namespace { fullPath } widgets { __typename type
             ... on WorkItemWidgetLabels { labels { nodes { title } } }
             ... on WorkItemWidgetAssignees { assignees { nodes { username } } }
             ... on WorkItemWidgetWeight { weight }
             ... on WorkItemWidgetLinkedItems { blocked linkedItems { nodes { linkType workItem { title } } } }
             ... on WorkItemWidgetNotes { discussions(first: 3) { nodes { id createdAt notes { nodes {
                 id body bodyHtml system url author { name } systemNoteMetadata { action } discussion { id } } } } } }
           } } } } }""",
    'query Some($not: Boolean = false) { project(fullPath: "acme/car") { again: name id @include(if: $not) } a: metadata { version } }',
    '{ project(fullPath: "acme/none") { name } currentUser { username } group(fullPath: "acme") { name parent { id } } }',
    """{ project(fullPath: "acme/car") { workItems { nodes { iid widgets(onlyTypes: [NOTES]) {
         ... on WorkItemWidgetNotes { discussions(after: "x") { nodes { id } } notes(after: "x") { nodes { id } } } } } } } }""",
    '{ project(fullPath: "acme/car") { labels(first: -1) { count } milestones { nodes { title } } } }',
    '{ project(fullPath: "acme/car") { name labels(first: "x") { count } milestones { nodes { title } } } }',
    '{ __schema { queryType { name } } __type(name: "Label") { fields { name } } }',
)


@pytest.mark.parametrize("query", QUERIES)
def test_the_short_way_of_execution_gives_what_graphql_core_gives(store: Store, server: Server, query: str) -> None:
    one, two = (
        store.create_issue(PATH, name, actor="cus", labels=["bug", "p1"], weight=3, assignees=["ann"])
        for name in ("One", "Two")
    )
    store.link_issues(one.id, two.id, "blocks", actor="ann")
    store.comment(one.id, "see <b>", actor="ann")
    server.catalogue.catch_up()
    token = store.token("ann-token")
    shapes = Shapes(server, "http://gitlab.test")
    call = Call(server=server, shapes=shapes, token=token, path={}, params={}, query=[], url="")
    results = [
        execute_sync(schema_of("19.2"), parse(query), queries(Views(call)), execution_context_class=kind)
        for kind in (ExecutionContext, Execution)
    ]
    slow, short = ((one.data, [(error.message, error.path) for error in one.errors or ()]) for one in results)
    assert short == slow
    assert json.dumps(short[0]) == json.dumps(slow[0])
    assert short[0] is not None


def test_a_minute_begins_anew_with_the_clocks(store: Store) -> None:
    meter = Meter(store.clock)
    readings = [meter.count("notes", "ann", 2) for _ in range(3)]
    assert [one.exceeded for one in readings] == [False, False, True]
    assert meter.count("notes", "cus", 2).observed == 1
    store.clock.set(NOW + timedelta(seconds=59))
    last = meter.count("notes", "ann", 2)
    assert (last.observed, last.headers()["Retry-After"]) == (4, "1")
    store.clock.set(NOW + timedelta(seconds=60))
    assert meter.count("notes", "ann", 2).observed == 1
