"""The GitLab stand-in on other terms: Premium, gitlab.com's limits; groups; many writes in a request; its own failures."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import gitlab
import pytest
from gitlab.exceptions import GitlabError

from connectors.gitlab.stand_in import app
from connectors.gitlab.stand_in.custom_fields import GITLAB_FIELD
from connectors.gitlab.stand_in.terms import GITLAB_COM, Terms
from connectors.gitlab.stand_in.troubles import internal_error, resource_lock, timed_out, too_complex
from connectors.sandbox.clock import Clock
from connectors.sandbox.nouns import Issue
from connectors.sandbox.server import App, Receive, Sandbox, Scope, Send
from connectors.sandbox.store import Store
from policies.issue import Word

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
CAR, BIKE, TYRE = "acme/car", "acme/bike", "acme/parts/tyre"
TERMS = {"free": Terms(), "premium": Terms(tier="premium"), "com": GITLAB_COM, "tight": Terms(requests_a_minute=3)}
BOT = "bot-token"
TOO_MANY = "This endpoint has been requested too many times. Try again later."

ACT = """
mutation Act($id: WorkItemID!, $nid: NoteableID!, $gone: NoteID!, $add: [LabelID!], $who: [UserID!]!, $body: String!) {
  u0: workItemUpdate(input: {id: $id, labelsWidget: {addLabelIds: $add}, assigneesWidget: {assigneeIds: $who},
                             startAndDueDateWidget: {dueDate: "2026-03-09", isFixed: true}}) {
    errors
    workItem { iid widgets(onlyTypes: [LABELS, ASSIGNEES, START_AND_DUE_DATE]) {
      type
      ... on WorkItemWidgetLabels { labels(first: 100) { nodes { title } } }
      ... on WorkItemWidgetAssignees { assignees(first: 10) { nodes { username } } }
      ... on WorkItemWidgetStartAndDueDate { dueDate }
    } }
  }
  e0: updateNote(input: {id: $gone, body: $body}) { errors note { id } }
  u1: workItemUpdate(input: {id: $id, title: " "}) { errors workItem { iid } }
  c1: createNote(input: {noteableId: $nid, body: $body, internal: true}) { errors note { id internal } }
}
"""


@dataclass
class Ground:
    """A served store; ``ann`` and ``bot`` work there, ``cus`` is a customer."""

    store: Store
    sandbox: Sandbox

    def issue(self, title: str = "Brake squeals", project: str = CAR, **fields: Any) -> Issue:
        return self.store.create_issue(project, title, actor="cus", **fields)

    def raw(
        self, method: str, path: str, body: Any = None, mount: str = "free", token: str = BOT
    ) -> tuple[int, dict[str, str], Any]:
        """Status, headers in lower case, body."""
        where = urlsplit(self.sandbox.url(mount))
        connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=10)
        headers = {"Content-Type": "application/json", "PRIVATE-TOKEN": token}
        try:
            connection.request(method, where.path + path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            text = answer.read().decode()
            named = {name.lower(): value for name, value in answer.getheaders()}
            return answer.status, named, json.loads(text) if "json" in named.get("content-type", "") else text
        finally:
            connection.close()

    def graphql(self, query: str, mount: str = "free", token: str = BOT, **variables: Any) -> dict[str, Any]:
        sent = {"query": query, "variables": variables}
        status, _, body = self.raw("POST", "/api/graphql", sent, mount, token)
        assert status == 200, body
        answer: dict[str, Any] = body
        return answer

    def rest(self, mount: str = "free", token: str = BOT) -> Any:
        return gitlab.Gitlab(self.sandbox.url(mount), private_token=token, timeout=10, retry_transient_errors=False)


@pytest.fixture
def store() -> Store:
    store = Store(Clock.fixed(NOW))
    for name in ("ann", "bob", "bot", "cus"):
        store.create_user(name, name.title(), bot=name == "bot", customer=name == "cus")
        store.create_token(f"{name}-token", name)
    for path in (CAR, BIKE, TYRE):
        store.create_project(path, path.rpartition("/")[2].title(), kind="gitlab")
    return store


class Front:
    """One server for all tests: each test's own store is behind it in its turn."""

    def __init__(self) -> None:
        self.store = Store(Clock.fixed(NOW))
        self.inner: dict[str, App] = {}
        self.sandbox = Sandbox(self.store, apps={name: self._app(name) for name in TERMS})

    def _app(self, name: str) -> App:
        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            await self.inner[name](scope, receive, send)

        return answer


@pytest.fixture(scope="module")
def front() -> Iterator[Front]:
    front = Front()
    with front.sandbox:
        yield front


@pytest.fixture
def ground(front: Front, store: Store) -> Ground:
    front.inner = {name: app(store, "19.2", terms) for name, terms in TERMS.items()}
    front.store.requests.clear()
    front.store.faults.clear()
    # Faults and the note of requests belong to the server.
    store.requests, store.faults = front.store.requests, front.store.faults
    return Ground(store, front.sandbox)


def gid(issue: Issue) -> str:
    return f"gid://gitlab/WorkItem/{issue.id}"


# ------------------------------------------------------------------------------------------------ many writes at once
def test_aliases_run_in_order_each_with_its_own_errors_and_a_failing_one_stops_no_other(ground: Ground) -> None:
    issue = ground.issue()
    label = ground.store.create_label(CAR, "sla::late")
    answer = ground.graphql(
        ACT,
        id=gid(issue),
        nid=gid(issue),
        gone="gid://gitlab/Note/77",
        add=[f"gid://gitlab/ProjectLabel/{label.id}"],
        who=[f"gid://gitlab/User/{ground.store.users['ann'].number}"],
        body="late",
    )
    data = answer["data"]
    assert [*data] == ["u0", "e0", "u1", "c1"]
    assert data["u0"]["errors"] == []
    widgets = {one["type"]: one for one in data["u0"]["workItem"]["widgets"]}
    assert widgets["LABELS"]["labels"]["nodes"] == [{"title": "sla::late"}]
    assert widgets["ASSIGNEES"]["assignees"]["nodes"] == [{"username": "ann"}]
    assert widgets["START_AND_DUE_DATE"]["dueDate"] == "2026-03-09"
    assert data["e0"] is None
    assert [error["path"] for error in answer["errors"]] == [["e0"]]
    assert data["u1"] == {"errors": ["Title can't be blank"], "workItem": None}
    assert data["c1"]["note"]["internal"] is True
    assert [(comment.body, comment.internal) for comment in issue.comments] == [("late", True)]


def test_ten_issues_of_four_writes_stay_within_the_limit_and_twenty_do_not(ground: Ground) -> None:
    issues = [ground.issue(f"Issue {n}") for n in range(20)]
    other = ground.issue("Other")
    written = ground.store.comment(other.id, "see", actor="bot")

    def document(count: int) -> str:
        writes = "".join(
            f'u{n}: workItemUpdate(input: {{id: "{gid(one)}", title: "T{n}"}}) {{ errors workItem {{ iid updatedAt }} }}'
            f's{n}: updateNote(input: {{id: "gid://gitlab/Note/{written}", body: "b{n}"}}) {{ errors note {{ id }} }}'
            f'c{n}: createNote(input: {{noteableId: "{gid(one)}", body: "b"}}) {{ errors note {{ id }} }}'
            f'l{n}: workItemAddLinkedItems(input: {{id: "{gid(one)}", workItemsIds: ["{gid(other)}"]}}) {{ errors message }}'
            for n, one in enumerate(issues[:count])
        )
        return f"mutation {{ {writes} }}"

    done = ground.graphql(document(10))
    assert "errors" not in done
    assert {tuple(one["errors"]) for one in done["data"].values()} == {()}
    assert len(other.links) == 10
    refused = ground.graphql(document(20))
    assert "which exceeds max complexity of 250" in refused["errors"][0]["message"]
    assert issues[19].title == "Issue 19"


# ------------------------------------------------------------------------------------------------------------- limits
def test_the_sixty_first_note_of_a_minute_is_refused_by_rest_and_taken_in_the_next(ground: Ground) -> None:
    ground.issue()
    clock, path = ground.store.clock, f"/api/v4/projects/{CAR.replace('/', '%2F')}/issues/1/notes"
    for _ in range(60):
        assert ground.raw("POST", path, {"body": "b"}, "com")[0] == 201
        clock.set(NOW)
    status, headers, body = ground.raw("POST", path, {"body": "b"}, "com")
    assert (status, body, headers["retry-after"]) == (429, {"message": {"error": TOO_MANY}}, "60")
    assert headers["ratelimit-remaining"] == str(2000 - 61)
    number = ground.store.issues["10001"].comments[0].id
    assert ground.raw("PUT", f"{path}/{number}", {"body": "changed"}, "com")[0] == 200
    assert ground.raw("POST", path, {"body": "b"}, "com", "ann-token")[0] == 201
    clock.set(NOW + timedelta(seconds=60))
    assert ground.raw("POST", path, {"body": "b"}, "com")[0] == 201


def test_graphql_refuses_a_note_too_many_at_its_alias_alone(ground: Ground) -> None:
    issue = ground.issue()
    clock = ground.store.clock
    note = f'createNote(input: {{noteableId: "{gid(issue)}", body: "b"}}) {{ errors note {{ id }} }}'
    for start in (0, 10, 20, 30, 40, 50):
        answer = ground.graphql("mutation {" + "".join(f"c{n}: {note}" for n in range(start, start + 10)) + "}", "com")
        assert "errors" not in answer
        clock.set(NOW)
    update = f'u: workItemUpdate(input: {{id: "{gid(issue)}", title: "New"}}) {{ errors }}'
    answer = ground.graphql(f"mutation {{ c: {note} {update} }}", "com")
    assert answer["data"] == {"c": None, "u": {"errors": []}}
    assert [(error["message"], error["path"]) for error in answer["errors"]] == [(TOO_MANY, ["c"])]
    assert len(issue.comments) == 60


def test_without_a_limit_there_is_none(ground: Ground) -> None:
    ground.issue()
    headers: dict[str, str] = {}
    for _ in range(70):
        status, headers, _ = ground.raw("POST", "/api/v4/projects/1/issues/1/notes", {"body": "b"})
        ground.store.clock.set(NOW)
        assert status == 201
    assert not [name for name in headers if name.startswith("ratelimit")]


def test_every_answer_says_how_many_requests_are_left_and_the_next_one_is_429_in_plain_text(ground: Ground) -> None:
    told = [ground.raw("GET", "/api/v4/version", mount="tight")[1] for _ in range(2)]
    assert [one["ratelimit-remaining"] for one in told] == ["2", "1"]
    assert told[0]["ratelimit-limit"] == "3"
    assert told[0]["ratelimit-reset"] == str(int(NOW.timestamp()) + 60)
    assert told[0]["ratelimit-resettime"] == "Mon, 02 Mar 2026 09:01:00 GMT"
    assert ground.raw("POST", "/api/graphql", {"query": "{ metadata { version } }"}, "tight")[0] == 200
    ground.store.clock.set(NOW + timedelta(seconds=20))
    status, headers, body = ground.raw("POST", "/api/graphql", {"query": "{ metadata { version } }"}, "tight")
    assert (status, body, headers["retry-after"], headers["ratelimit-remaining"]) == (429, "Retry later\n", "40", "0")


# -------------------------------------------------------------------------------------------------------------- tiers
def test_scoped_labels_exclude_each_other_on_premium_alone(ground: Ground) -> None:
    for mount, left in {"free": ["sla::ok", "sla::late", "a::b::d"], "premium": ["sla::late", "a::b::d"]}.items():
        issue = ground.issue(labels=["sla::ok"])
        path = f"/api/v4/projects/1/issues/{issue.number}"
        assert ground.raw("PUT", path, {"add_labels": "sla::late,a::b::d"}, mount)[0] == 200
        assert issue.labels == left
    late = ground.store.projects[CAR].labels["sla::late"].id
    other = ground.issue(labels=["sla::ok"])
    answer = ground.graphql(
        f'mutation {{ workItemUpdate(input: {{id: "{gid(other)}", labelsWidget: '
        f'{{addLabelIds: ["gid://gitlab/ProjectLabel/{late}"]}}}}) {{ errors }} }}',
        "premium",
    )
    assert answer["data"]["workItemUpdate"] == {"errors": []}
    assert other.labels == ["sla::late"]


def test_a_blocking_link_needs_a_licence(ground: Ground) -> None:
    one, two = ground.issue("One"), ground.issue("Two")
    link = {"target_project_id": 1, "target_issue_iid": 2, "link_type": "blocks"}
    status, _, body = ground.raw("POST", "/api/v4/projects/1/issues/1/links", link)
    assert (status, body) == (403, {"message": "Blocked issues not available for current license"})
    mutation = (
        f'mutation {{ workItemAddLinkedItems(input: {{id: "{gid(two)}", linkType: BLOCKED_BY, workItemsIds: '
        f'["{gid(one)}"]}}) {{ errors message }} }}'
    )
    refused = ground.graphql(mutation)["data"]["workItemAddLinkedItems"]
    assert refused["errors"] == ["Blocked work items are not available for the current subscription tier"]
    done = ground.graphql(mutation, "premium")["data"]["workItemAddLinkedItems"]
    assert (done["errors"], done["message"]) == ([], f"Successfully linked ID(s): {one.id}.")
    told = ground.raw("GET", "/api/v4/projects/1/issues/2/links", mount="premium")[2]
    assert [(other["iid"], other["link_type"]) for other in told] == [(1, "is_blocked_by")]
    widget = "widgets(onlyTypes: [LINKED_ITEMS]) { ... on WorkItemWidgetLinkedItems { blocked blockingCount } }"
    items = f'{{ project(fullPath: "{CAR}") {{ workItems(iids: ["1", "2"], sort: CREATED_ASC) {{ nodes {{ {widget} }} }} }} }}'
    nodes = ground.graphql(items, "premium")["data"]["project"]["workItems"]["nodes"]
    assert [node["widgets"][0] for node in nodes] == [
        {"blocked": False, "blockingCount": 1},
        {"blocked": True, "blockingCount": 0},
    ]


def test_weights_and_several_assignees_are_dropped_on_free_and_kept_on_premium(ground: Ground) -> None:
    ann, bob = (ground.store.users[name].number for name in ("ann", "bob"))
    sent = {"weight": 3, "assignee_ids": [ann, bob]}
    free = ground.raw("PUT", f"/api/v4/projects/1/issues/{ground.issue().number}", sent)[2]
    assert ("weight" in free, [one["username"] for one in free["assignees"]]) == (False, ["ann"])
    paid = ground.raw("PUT", f"/api/v4/projects/1/issues/{ground.issue().number}", sent, "premium")[2]
    assert (paid["weight"], [one["username"] for one in paid["assignees"]]) == (3, ["ann", "bob"])
    events = ground.raw("GET", "/api/v4/projects/1/issues/2/resource_weight_events", mount="premium")[2]
    assert [event["weight"] for event in events] == [3]
    assert ground.raw("GET", "/api/v4/projects/1/issues/2/resource_weight_events")[0] == 404
    assert ground.rest("premium").version()[0] == "19.2.1-ee"


def test_custom_fields_are_on_premium_work_items(ground: Ground) -> None:
    ground.store.create_field("7", "Severity", "option", GITLAB_FIELD)
    ground.store.create_field("8", "Cost", "number", GITLAB_FIELD)
    issue = ground.issue()
    ground.store.edit(issue.id, {"7": "High"}, actor="ann")
    query = f"""{{ workItem(id: "{gid(issue)}") {{ widgets(onlyTypes: [CUSTOM_FIELDS]) {{ type
      ... on WorkItemWidgetCustomFields {{ customFieldValues {{ customField {{ name fieldType }}
        ... on WorkItemSelectFieldValue {{ selectedOptions {{ value }} }}
        ... on WorkItemNumberFieldValue {{ value }} }} }} }} }} }}"""
    assert ground.graphql(query)["data"]["workItem"]["widgets"] == []
    [widget] = ground.graphql(query, "premium")["data"]["workItem"]["widgets"]
    assert widget["customFieldValues"] == [
        {"customField": {"name": "Severity", "fieldType": "SINGLE_SELECT"}, "selectedOptions": [{"value": "High"}]},
        {"customField": {"name": "Cost", "fieldType": "NUMBER"}, "value": None},
    ]


def test_a_type_of_the_groups_own_is_served_by_graphql_and_left_out_by_rest(ground: Ground) -> None:
    ground.store.add_word(CAR, "types", Word("DEFECT", "Defect"))
    ground.issue()
    ground.issue("Own", type_="DEFECT")
    assert [one["iid"] for one in ground.raw("GET", "/api/v4/projects/1/issues")[2]] == [1]
    nodes = "workItems(sort: CREATED_ASC{}) {{ nodes {{ workItemType {{ id name }} }} }}"
    query = (
        f'{{ project(fullPath: "{CAR}") {{ all: {nodes.format("")} some: {nodes.format(", types: [ISSUE, TASK]")} }} }}'
    )
    found = ground.graphql(query)["data"]["project"]
    own = {"id": "gid://gitlab/WorkItems::Type/1001", "name": "Defect"}
    assert [one["workItemType"]["name"] for one in found["all"]["nodes"]] == ["Issue", "Defect"]
    assert found["all"]["nodes"][1]["workItemType"] == own
    assert [one["workItemType"]["name"] for one in found["some"]["nodes"]] == ["Issue"]


# ------------------------------------------------------------------------------------------------------------- groups
def test_a_groups_work_items_come_in_order_of_update_over_all_projects_below(ground: Ground) -> None:
    for path in (CAR, TYRE, BIKE, TYRE, CAR):
        ground.issue(f"In {path}", path)
    query = """query Group($after: String, $below: Boolean!) { group(fullPath: "acme") {
      workItems(includeDescendants: $below, first: 2, after: $after, sort: UPDATED_ASC) {
        pageInfo { hasNextPage endCursor } nodes { iid namespace { fullPath } } } } }"""
    seen, after = [], None
    while True:
        page = ground.graphql(query, after=after, below=True)["data"]["group"]["workItems"]
        seen += [(one["namespace"]["fullPath"], one["iid"]) for one in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert seen == [(CAR, "1"), (TYRE, "1"), (BIKE, "1"), (TYRE, "2"), (CAR, "2")]
    assert ground.graphql(query, below=False)["data"]["group"]["workItems"]["nodes"] == []


def test_a_groups_projects_are_listed_by_offset_and_by_keyset(ground: Ground) -> None:
    client = ground.rest()
    group = client.groups.get("acme")
    assert [one.path_with_namespace for one in group.projects.list(get_all=True)] == [BIKE, CAR]
    below = group.projects.list(iterator=True, include_subgroups=True, per_page=2)
    assert [one.path_with_namespace for one in below] == [TYRE, BIKE, CAR]
    by_keyset = group.projects.list(
        iterator=True, include_subgroups=True, per_page=2, pagination="keyset", order_by="id", sort="asc"
    )
    assert [one.path_with_namespace for one in by_keyset] == [CAR, BIKE, TYRE]
    assert [one.full_path for one in group.subgroups.list(get_all=True)] == ["acme/parts"]
    assert client.groups.get(group.id).full_path == "acme"
    assert ground.raw("GET", "/api/v4/groups/none")[::2] == (404, {"message": "404 Group Not Found"})


def test_a_group_is_there_for_those_alone_who_see_a_project_of_it(ground: Ground) -> None:
    ground.store.create_token("car-token", "bob", projects=[CAR])
    assert ground.raw("GET", "/api/v4/groups/acme%2Fparts", token="car-token")[0] == 404
    told = ground.raw("GET", "/api/v4/groups/acme/projects?include_subgroups=true", token="car-token")[2]
    assert [one["path_with_namespace"] for one in told] == [CAR]
    assert ground.graphql('{ group(fullPath: "acme/parts") { id } }', token="car-token")["data"]["group"] is None


def test_a_groups_issues_leave_out_what_a_customer_may_not_see(ground: Ground) -> None:
    ground.issue("Open")
    ground.store.create_issue(BIKE, "Secret", actor="ann", confidential=True)
    path = "/api/v4/groups/acme/issues?order_by=updated_at&sort=asc"
    assert [one["title"] for one in ground.raw("GET", path)[2]] == ["Open", "Secret"]
    assert [one["title"] for one in ground.raw("GET", path, token="cus-token")[2]] == ["Open"]


def test_a_groups_label_is_one_label_in_all_its_projects_renamed_and_deleted_at_once(ground: Ground) -> None:
    store = ground.store
    label = store.create_group_label("acme", "sla::late")
    one, two = ground.issue("One", CAR), ground.issue("Two", TYRE)
    for issue in (one, two):
        store.edit(issue.id, {"labels": ["sla::late"]}, actor="ann")
    store.create_project("acme/van", "Van", kind="gitlab")
    assert store.projects["acme/van"].labels["sla::late"] is label
    store.change_label(CAR, "sla::late", {"name": "sla::missed"}, actor="ann")
    assert (one.labels, two.labels) == (["sla::missed"], ["sla::missed"])
    query = (
        f'{{ project(fullPath: "{TYRE}") {{ own: labels {{ nodes {{ id title }} }} '
        "all: labels(includeAncestorGroups: true) { nodes { id title } } } "
        'group(fullPath: "acme") { labels { nodes { title } } } }'
    )
    found = ground.graphql(query)["data"]
    shown = {"id": f"gid://gitlab/GroupLabel/{label.id}", "title": "sla::missed"}
    assert (found["project"]["own"]["nodes"], found["project"]["all"]["nodes"]) == ([], [shown])
    assert found["group"]["labels"]["nodes"] == [{"title": "sla::missed"}]
    events = ground.raw("GET", "/api/v4/projects/3/issues/1/resource_label_events")[2]
    assert [(event["label"]["id"], event["label"]["name"]) for event in events] == [(label.id, "sla::missed")]
    store.remove_label(TYRE, "sla::missed", actor="ann")
    assert (one.labels, two.labels) == ([], [])
    events = ground.raw("GET", "/api/v4/projects/1/issues/1/resource_label_events")[2]
    assert [event["label"] for event in events] == [None]
    assert ground.raw("GET", "/api/v4/groups/acme/labels")[2] == []


# ---------------------------------------------------------------------------------------------------- tokens, releases
def test_a_token_says_when_it_expires_and_is_refused_from_that_day_on(ground: Ground) -> None:
    ground.store.create_token("project-token", "bot", projects=[CAR], expires=date(2026, 3, 3))
    client = ground.rest(token="project-token")
    assert client.personal_access_tokens.get("self").expires_at == "2026-03-03"
    assert [one.path_with_namespace for one in client.projects.list(get_all=True)] == [CAR]
    ground.store.clock.set(NOW + timedelta(days=1))
    assert ground.raw("GET", "/api/v4/user", token="project-token")[0] == 401
    with pytest.raises(GitlabError, match="401"):
        client.projects.get(1)


def test_releases_come_over_graphql_with_milestones_and_links(ground: Ground) -> None:
    store = ground.store
    store.create_milestone(CAR, "1.4")
    store.commit(CAR, "Start", actor="ann")
    store.tag(CAR, "v1.4.0", actor="ann")
    link = {"id": 1, "name": "notes", "url": "https://acme.test/notes", "link_type": "runbook"}
    store.publish_release(CAR, "v1.4.0", actor="ann", name="1.4", description="Pads", milestones=["1.4"], links=[link])
    query = f"""{{ project(fullPath: "{CAR}") {{ releases(first: 10) {{ nodes {{
      tagName name description releasedAt author {{ username }} milestones {{ nodes {{ title }} }}
      assets {{ count links {{ nodes {{ name url linkType }} }} }} links {{ selfUrl }} }} }} }} }}"""
    [found] = ground.graphql(query)["data"]["project"]["releases"]["nodes"]
    assert (found["tagName"], found["name"], found["description"]) == ("v1.4.0", "1.4", "Pads")
    assert found["milestones"]["nodes"] == [{"title": "1.4"}]
    assert found["assets"]["links"]["nodes"] == [
        {"name": "notes", "url": "https://acme.test/notes", "linkType": "RUNBOOK"}
    ]


def test_what_a_deleted_account_did_is_the_ghosts(ground: Ground) -> None:
    issue = ground.issue()
    ground.store.comment(issue.id, "seen", actor="bob")
    ground.store.deactivate_user("bob", deleted=True)
    [note] = ground.raw("GET", "/api/v4/projects/1/issues/1/notes")[2]
    assert note["author"]["username"] == "ghost"


# ----------------------------------------------------------------------------------------------------------- failures
def test_the_servers_own_failures_are_had_on_demand_and_change_nothing(ground: Ground) -> None:
    issue = ground.issue()
    ground.store.faults.add(resource_lock(), too_complex("titled"), timed_out("titled"), internal_error("titled"))
    path = "/api/v4/projects/1/issues/1"
    assert ground.raw("PUT", path, {"title": "x"})[::2] == (409, {"message": "409 Conflict: Resource lock"})
    assert issue.title == "Brake squeals"
    assert ground.raw("PUT", path, {"title": "x"})[0] == 200
    query = f'query titled {{ project(fullPath: "{CAR}") {{ workItems {{ nodes {{ title }} }} }} }}'
    assert "exceeds max complexity of 250" in ground.graphql(query)["errors"][0]["message"]
    assert ground.graphql(query)["errors"] == [{"message": "Timeout on Project.workItems"}]
    assert ground.raw("POST", "/api/graphql", {"query": query})[0] == 500
    assert ground.graphql(query)["data"]["project"]["workItems"]["nodes"] == [{"title": "x"}]


def test_a_link_to_a_confidential_issue_is_shown_to_nobody_who_may_not_see_it(ground: Ground) -> None:
    one, secret = ground.issue("One"), ground.store.create_issue(CAR, "Secret", actor="ann", confidential=True)
    ground.store.link_issues(one.id, secret.id, "relates_to", actor="ann")
    path = "/api/v4/projects/1/issues/1/links"
    assert [other["title"] for other in ground.raw("GET", path)[2]] == ["Secret"]
    assert ground.raw("GET", path, token="cus-token")[2] == []
    linked = "... on WorkItemWidgetLinkedItems { linkedItems(first: 5) { nodes { workItem { title } } } }"
    query = f'{{ workItem(id: "{gid(one)}") {{ widgets(onlyTypes: [LINKED_ITEMS]) {{ {linked} }} }} }}'
    [widget] = ground.graphql(query, token="cus-token")["data"]["workItem"]["widgets"]
    assert widget["linkedItems"]["nodes"] == [{"workItem": None}]


# ------------------------------------------------------------------------------------------------- pages while it moves
def test_pages_in_order_of_update_meet_again_what_moved_and_skip_nothing(ground: Ground) -> None:
    issues = [ground.issue(f"Issue {n}") for n in range(5)]
    query = f"""query Page($after: String, $since: Time) {{ project(fullPath: "{CAR}") {{
      workItems(first: 2, after: $after, updatedAfter: $since, sort: UPDATED_ASC) {{
        count pageInfo {{ hasNextPage hasPreviousPage endCursor }} nodes {{ iid }} }} }} }}"""
    seen: list[str] = []
    after, since = None, issues[1].updated.isoformat()
    while True:
        page = ground.graphql(query, after=after, since=since)["data"]["project"]["workItems"]
        seen += [one["iid"] for one in page["nodes"]]
        if after is None:
            assert (page["count"], page["pageInfo"]["hasPreviousPage"]) == (4, False)
            ground.store.comment(issues[2].id, "again", actor="ann")
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert seen == ["2", "3", "4", "5", "3"]
    assert page["pageInfo"]["hasPreviousPage"] is True


def test_a_field_left_out_by_a_directive_is_neither_answered_nor_counted(ground: Ground) -> None:
    query = f"""query Some($all: Boolean!) {{ queryComplexity {{ score }}
      project(fullPath: "{CAR}") {{ fullPath labels(first: 100) @include(if: $all) {{ nodes {{ title }} }} }} }}"""
    with_labels, without = (ground.graphql(query, all=all_)["data"] for all_ in (True, False))
    assert "labels" in with_labels["project"]
    assert without["project"] == {"fullPath": CAR}
    assert without["queryComplexity"]["score"] < with_labels["queryComplexity"]["score"]


def test_a_bad_cursor_deep_in_a_query_is_an_error_at_its_own_place(ground: Ground) -> None:
    ground.issue()
    widget = '... on WorkItemWidgetNotes { discussions(first: 5, after: "x") { nodes { id } } }'
    query = f'{{ project(fullPath: "{CAR}") {{ workItems {{ nodes {{ iid widgets(onlyTypes: [NOTES]) {{ {widget} }} }} }} }} }}'
    answer = ground.graphql(query)
    assert answer["data"]["project"]["workItems"]["nodes"] == [{"iid": "1", "widgets": [{"discussions": None}]}]
    assert [error["path"] for error in answer["errors"]] == [
        ["project", "workItems", "nodes", 0, "widgets", 0, "discussions"]
    ]
