"""The GitLab stand-in, asked by the vendor's own client over real HTTP."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import gitlab
import pytest
from gitlab.exceptions import GitlabAuthenticationError, GitlabError
from gql.transport.exceptions import TransportQueryError

from connectors.gitlab.stand_in import app
from connectors.gitlab.stand_in.server import Generation
from connectors.sandbox.clock import Clock
from connectors.sandbox.faults import Fault
from connectors.sandbox.nouns import Issue
from connectors.sandbox.projection import World
from connectors.sandbox.server import App, Receive, Sandbox, Scope, Send
from connectors.sandbox.store import Store

GENERATIONS: dict[str, Generation] = {"gitlab": "19.2", "gitlab-16": "16.3", "gitlab-rest": "rest-only"}

# python-gitlab calls gql in a way that gql no longer likes; that is between the two of them.
pytestmark = [
    pytest.mark.filterwarnings("ignore:Using variable_values and operation_name:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Using a DocumentNode:DeprecationWarning"),
]

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
PATH = "acme/car"
BOT, ANN, CUS, READS = "bot-token", "ann-token", "cus-token", "read-token"

HISTORY = """
query History($path: ID!, $since: Time, $after: String, $n: Int!, $d: Int!, $iids: [String!]) {
  queryComplexity { score limit }
  project(fullPath: $path) {
    workItems(first: $n, after: $after, updatedAfter: $since, iids: $iids, sort: UPDATED_ASC, types: [ISSUE, INCIDENT]) {
      pageInfo { hasNextPage endCursor }
      nodes {
        id iid title state createdAt updatedAt closedAt confidential webUrl lockVersion author { username }
        workItemType { name }
        widgets(onlyTypes: [DESCRIPTION, ASSIGNEES, LABELS, MILESTONE, START_AND_DUE_DATE, LINKED_ITEMS, DEVELOPMENT, NOTES]) {
          type
          ... on WorkItemWidgetDescription { description }
          ... on WorkItemWidgetAssignees { assignees(first: 10) { nodes { username } } }
          ... on WorkItemWidgetLabels { labels(first: 50) { nodes { id title } } }
          ... on WorkItemWidgetMilestone { milestone { id title } }
          ... on WorkItemWidgetStartAndDueDate { dueDate }
          ... on WorkItemWidgetLinkedItems { linkedItems(first: 20) { nodes { linkType workItem { id webUrl } } } }
          ... on WorkItemWidgetDevelopment { closingMergeRequests(first: 10) { nodes { mergeRequest { iid state mergedAt } } } }
          ... on WorkItemWidgetNotes {
            discussions(first: $d, filter: ALL_NOTES, sort: CREATED_ASC) {
              pageInfo { hasNextPage endCursor }
              nodes { notes(first: 20) { nodes {
                id body bodyHtml createdAt updatedAt system internal systemNoteMetadata { action } author { username }
              } } }
            }
          }
        }
      }
    }
  }
}
"""

WRITE = """
mutation Write($id: WorkItemID!, $nid: NoteableID!, $add: [LabelID!], $rm: [LabelID!], $who: [UserID!]!,
               $due: Date, $body: String!, $target: [WorkItemID!]!) {
  u: workItemUpdate(input: {id: $id, labelsWidget: {addLabelIds: $add, removeLabelIds: $rm},
                            assigneesWidget: {assigneeIds: $who}, startAndDueDateWidget: {dueDate: $due, isFixed: true}})
    { errors workItem { iid updatedAt lockVersion } }
  c: createNote(input: {noteableId: $nid, body: $body, internal: true}) { errors note { id internal } }
  l: workItemAddLinkedItems(input: {id: $id, linkType: RELATED, workItemsIds: $target}) { errors message }
}
"""


@dataclass
class Ground:
    """A served store with one project. ``ann`` and ``bot`` work there, ``cus`` is a customer."""

    store: Store
    sandbox: Sandbox

    def issue(self, title: str = "Brake squeals", **fields: Any) -> Issue:
        return self.store.create_issue(PATH, title, actor="cus", **fields)

    def client(self, token: str = BOT, mount: str = "gitlab") -> gitlab.Gitlab:
        return gitlab.Gitlab(self.sandbox.url(mount), private_token=token, timeout=10, retry_transient_errors=False)

    def project(self, token: str = BOT, mount: str = "gitlab") -> Any:
        return self.client(token, mount).projects.get(PATH, lazy=True)

    def ask(self, query: str, mount: str = "gitlab", token: str | None = BOT, **variables: Any) -> dict[str, Any]:
        client = gitlab.GraphQL(self.sandbox.url(mount), token=token, timeout=10, max_retries=0, obey_rate_limit=False)
        with client:
            answer: dict[str, Any] = client.execute(query, variable_values=variables)
            return answer

    def raw(
        self, method: str, path: str, body: Any = None, token: str | None = BOT, mount: str = "gitlab"
    ) -> tuple[int, dict[str, str], Any]:
        """Status, headers in lower case, body."""
        where = urlsplit(self.sandbox.url(mount))
        connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=10)
        headers = {"Content-Type": "application/json"} | ({"PRIVATE-TOKEN": token} if token else {})
        try:
            connection.request(method, where.path + path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            text = answer.read()
            named = {name.lower(): value for name, value in answer.getheaders()}
            return answer.status, named, json.loads(text) if text else None
        finally:
            connection.close()

    def graphql(self, query: str, token: str | None = BOT, mount: str = "gitlab", **variables: Any) -> tuple[int, Any]:
        sent = {"query": query, "variables": variables}
        status, _, body = self.raw("POST", "/api/graphql", sent, token=token, mount=mount)
        return status, body


@pytest.fixture
def store() -> Store:
    store = Store(Clock.fixed(NOW))
    for name in ("ann", "bot", "cus"):
        store.create_user(name, name.title(), email=f"{name}@acme.test", bot=name == "bot", customer=name == "cus")
    store.create_token(BOT, "bot")
    store.create_token(ANN, "ann")
    store.create_token(CUS, "cus", permissions={"browse", "comment", "create"})
    store.create_token(READS, "bot", permissions={"browse"})
    store.create_project(PATH, "Car", kind="gitlab")
    return store


class Front:
    """One server for all tests: each test's own store is behind it in its turn."""

    def __init__(self) -> None:
        self.store = Store(Clock.fixed(NOW))
        self.inner: dict[str, App] = {}
        self.sandbox = Sandbox(self.store, apps={name: self._app(name) for name in GENERATIONS})

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
    front.inner = {name: app(store, generation) for name, generation in GENERATIONS.items()}
    front.store.requests.clear()
    front.store.faults.clear()
    # Faults and the note of requests belong to the server.
    store.requests, store.faults = front.store.requests, front.store.faults
    return Ground(store, front.sandbox)


def eventful(store: Store) -> Issue:
    """An issue to which everything happened that a history can tell."""
    milestone = store.create_milestone(PATH, "1.4", due=date(2026, 5, 1))
    issue = store.create_issue(PATH, "Brake squeals", actor="cus", labels=["bug", "sla::ok"], description="when wet")
    other = store.create_issue(PATH, "Same here", actor="ann")
    store.comment(issue.id, "We look into it.", actor="ann")
    store.comment(issue.id, "It is the pads.", actor="ann", internal=True)
    store.edit(issue.id, {"labels": ["sla::ok", "sla::late"], "assignees": ["ann"]}, actor="bot")
    store.edit(issue.id, {"due": date(2026, 3, 9), "title": "Brakes squeal", "milestone": milestone.id}, actor="ann")
    store.link_issues(issue.id, other.id, "relates_to", actor="ann")
    request = store.create_merge_request(PATH, "Other pads", actor="ann", description="Closes #1", closes=[1])
    store.merge(PATH, request.iid, actor="ann")
    store.reopen(issue.id, actor="cus")
    store.edit(issue.id, {"milestone": None, "confidential": True}, actor="ann")
    return issue


def widgets(node: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {widget["type"]: widget for widget in node["widgets"]}


def notes_of(answer: dict[str, Any], iid: str = "1") -> list[dict[str, Any]]:
    node = next(one for one in answer["project"]["workItems"]["nodes"] if one["iid"] == iid)
    return [note for thread in widgets(node)["NOTES"]["discussions"]["nodes"] for note in thread["notes"]["nodes"]]


# ----------------------------------------------------------------------------------------------------- who may ask
def test_the_vendors_client_logs_in_and_reads_version_and_project(ground: Ground) -> None:
    client = ground.client()
    client.auth()
    assert client.user is not None
    assert (client.user.username, client.user.bot) == ("bot", True)
    assert client.version()[0] == "19.2.1"
    assert client.projects.get(PATH).id == client.projects.get(client.projects.get(PATH).id).id
    assert client.personal_access_tokens.get("self").scopes == ["api"]
    assert [project.path_with_namespace for project in client.projects.list(get_all=True, membership=True)] == [PATH]


def test_a_wrong_token_is_401_everywhere_and_none_at_all_sees_no_project(ground: Ground) -> None:
    with pytest.raises(GitlabAuthenticationError, match="401 Unauthorized"):
        ground.client("nonsense").auth()
    assert ground.raw("GET", "/api/v4/projects/acme%2Fcar", token="nonsense")[::2] == (
        401,
        {"message": "401 Unauthorized"},
    )
    assert ground.raw("GET", "/api/v4/user", token=None)[::2] == (401, {"message": "401 Unauthorized"})
    assert ground.raw("GET", "/api/v4/projects/acme%2Fcar", token=None)[::2] == (
        404,
        {"message": "404 Project Not Found"},
    )
    assert ground.graphql("{ currentUser { id } }", token="nonsense") == (
        401,
        {"errors": [{"message": "Invalid token"}]},
    )
    assert ground.graphql('{ project(fullPath: "acme/car") { id } }', token=None) == (200, {"data": {"project": None}})


def test_a_bearer_token_counts_as_a_private_token(ground: Ground) -> None:
    client = gitlab.Gitlab(ground.sandbox.url("gitlab"), oauth_token=BOT, timeout=10)
    client.auth()
    assert client.user is not None
    assert client.user.username == "bot"


def test_a_token_that_may_only_read_is_refused_every_write(ground: Ground) -> None:
    ground.issue()
    status, _, body = ground.raw("PUT", "/api/v4/projects/1/issues/1", {"title": "x"}, token=READS)
    assert (status, body["error"]) == (403, "insufficient_scope")
    answer = ground.graphql(
        'mutation { createNote(input: {noteableId: "gid://gitlab/Issue/10001", body: "x"}) { errors } }',
        token=READS,
    )
    assert "don't have permission" in answer[1]["errors"][0]["message"]
    assert ground.store.issues["10001"].comments == []


def test_what_is_not_there_is_refused_in_the_vendors_words(ground: Ground) -> None:
    ground.issue()
    for path, message in {
        "/api/v4/projects/acme%2Fbike": "404 Project Not Found",
        "/api/v4/projects/1/issues/77": "404 Not found",
        "/api/v4/projects/1/issues/1/notes/77": "404 Note Not Found",
        "/api/v4/projects/1/merge_requests/100000000000000000000": "404 Not found",
        "/api/v4/projects/1/labels/none": "404 Label Not Found",
        "/api/v4/projects/1/releases/v9": "404 Not Found",
        "/api/v4/projects/1/repository/commits/0000000/refs": "404 Commit Not Found",
    }.items():
        assert ground.raw("GET", path)[::2] == (404, {"message": message}), path
    assert ground.raw("GET", "/api/v4/nonsense")[::2] == (404, {"error": "404 Not Found"})
    assert ground.raw("GET", "/api/v4/projects/1/issues?state=shut")[::2] == (
        400,
        {"error": "state does not have a valid value"},
    )
    assert ground.raw("POST", "/api/v4/projects/1/issues", {})[::2] == (400, {"error": "title is missing"})
    assert ground.raw("POST", "/api/v4/projects/1/issues", {"title": " "})[::2] == (
        400,
        {"message": {"title": ["can't be blank"]}},
    )


# ---------------------------------------------------------------------------------------------------------- reading
def test_issues_are_listed_by_offset_and_by_keyset_alike(ground: Ground) -> None:
    made = [ground.issue(f"Issue {n}").number for n in range(1, 8)]
    project = ground.project()
    by_offset = project.issues.list(iterator=True, order_by="updated_at", sort="asc", per_page=3, state="all")
    by_keyset = project.issues.list(
        iterator=True, pagination="keyset", order_by="updated_at", sort="asc", per_page=3, state="all"
    )
    assert [one.iid for one in by_offset] == [one.iid for one in by_keyset] == made


def test_an_offset_page_names_its_neighbours_and_totals_in_headers(ground: Ground) -> None:
    for n in range(5):
        ground.issue(f"Issue {n}")
    _, headers, body = ground.raw("GET", "/api/v4/projects/acme%2Fcar/issues?per_page=2&page=2&labels[]=")
    assert [one["iid"] for one in body] == [3, 2]
    names = ("x-page", "x-per-page", "x-total", "x-total-pages", "x-next-page", "x-prev-page")
    assert [headers[name] for name in names] == ["2", "2", "5", "3", "3", "1"]
    links = {
        rel: address for address, _, rel in (one.strip().partition("; rel=") for one in headers["link"].split(","))
    }
    assert set(links) == {'"first"', '"last"', '"next"', '"prev"'}
    assert ground.raw("GET", links['"next"'].strip("<>").partition("/gitlab")[2])[2][0]["iid"] == 1


def test_an_issue_that_moves_while_keyset_pages_are_read_is_met_again_and_none_is_skipped(ground: Ground) -> None:
    for n in range(4):
        ground.issue(f"Issue {n}")
    seen = []
    pages = ground.project().issues.list(
        iterator=True, pagination="keyset", order_by="updated_at", sort="asc", per_page=2, state="all"
    )
    for issue in pages:
        seen.append(issue.iid)
        if len(seen) == 2:
            ground.store.comment("acme/car#1", "again", actor="ann")
    assert seen == [1, 2, 3, 4, 1]


def test_issues_are_found_by_what_is_asked_of_them(ground: Ground) -> None:
    store = ground.store
    ground.issue("One", labels=["bug", "p1"], assignees=["ann"])
    two = ground.issue("Two", labels=["bug"], confidential=True)
    store.close(two.id, actor="ann")
    three = store.create_issue(PATH, "Three", actor="ann", type_="INCIDENT")
    for asked, found in {
        "state=opened": [3, 1],
        "state=closed": [2],
        "labels=bug,p1": [1],
        "labels[]=bug&sort=asc": [1, 2],
        "labels=None": [3],
        "iids[]=1&iids[]=3": [3, 1],
        "author_username=ann": [3],
        "assignee_username=ann": [1],
        "confidential=true": [2],
        "issue_type=incident": [3],
        "search=two": [2],
        f"updated_after={three.updated:%Y-%m-%dT%H:%M:%SZ}": [3],
        "updated_after=2026-03-02T17%3A00%3A00%2B08%3A00&order_by=updated_at": [3, 2, 1],
    }.items():
        assert [one["iid"] for one in ground.raw("GET", f"/api/v4/projects/1/issues?{asked}")[2]] == found, asked


def test_a_customer_sees_neither_confidential_issues_of_others_nor_internal_notes(ground: Ground) -> None:
    mine = ground.issue("Mine", confidential=True)
    ground.store.create_issue(PATH, "Theirs", actor="ann", confidential=True)
    ground.store.comment(mine.id, "inside", actor="ann", internal=True)
    ground.store.comment(mine.id, "outside", actor="ann")
    project = ground.project(CUS)
    assert [one.title for one in project.issues.list(get_all=True)] == ["Mine"]
    assert [note.body for note in project.issues.get(1).notes.list(get_all=True)] == ["outside"]
    answer = ground.ask(HISTORY, token=CUS, path=PATH, n=5, d=5)
    assert [note["body"] for note in notes_of(answer)] == ["outside"]


def test_rest_keeps_notes_and_the_three_kinds_of_events_apart(ground: Ground) -> None:
    eventful(ground.store)
    issue = ground.project().issues.get(1)
    notes = [(note.system, note.body) for note in issue.notes.list(get_all=True, sort="asc")]
    assert notes == [
        (False, "We look into it."),
        (False, "It is the pads."),
        (True, "assigned to @ann"),
        (True, "changed due date to March 9, 2026"),
        (True, "changed title from **Brake{- squeals-}** to **Brake{+s squeal+}**"),
        (True, "marked this issue as related to #2"),
        (True, "mentioned in merge request !1"),
        (True, "made the issue confidential"),
    ]
    labels = [
        (one.action, one.label["name"], one.user["username"]) for one in issue.resourcelabelevents.list(get_all=True)
    ]
    assert labels == [
        ("add", "bug", "cus"),
        ("add", "sla::ok", "cus"),
        ("add", "sla::late", "bot"),
        ("remove", "bug", "bot"),
    ]
    assert [one.state for one in issue.resourcestateevents.list(get_all=True)] == ["closed", "reopened"]
    milestones = [(one.action, one.milestone["title"]) for one in issue.resourcemilestoneevents.list(get_all=True)]
    assert milestones == [("add", "1.4"), ("remove", "1.4")]
    assert [one["iid"] for one in issue.closed_by()] == [1]
    assert [one.iid for one in issue.links.list(get_all=True)] == [2]
    assert len(issue.discussions.list(get_all=True)) == len(notes)


def test_graphql_merges_all_of_it_into_one_thread_in_order(ground: Ground) -> None:
    eventful(ground.store)
    answer = ground.ask(HISTORY, path=PATH, n=10, d=50)
    told = [(note["systemNoteMetadata"] or {}).get("action") for note in notes_of(answer)]
    assert told == [
        "label", None, None, "label", "assignee", "start_date_or_due_date", "title", "milestone", "relate",
        "cross_reference", "closed", "opened", "milestone", "confidential",
    ]  # fmt: skip
    bodies = [note["body"] for note in notes_of(answer)]
    ids = {label.name: label.id for label in ground.store.projects[PATH].labels.values()}
    assert bodies[0] == f"added ~{ids['bug']} ~{ids['sla::ok']} labels"
    assert bodies[3] == f"added ~{ids['sla::late']} label and removed ~{ids['bug']} label"
    assert bodies[7] == "changed milestone to /acme/car%1"
    assert bodies[10] == "closed with merge request !1"
    node = next(one for one in answer["project"]["workItems"]["nodes"] if one["iid"] == "1")
    shown = widgets(node)
    assert {one["title"] for one in shown["LABELS"]["labels"]["nodes"]} == {"sla::ok", "sla::late"}
    assert shown["DEVELOPMENT"]["closingMergeRequests"]["nodes"][0]["mergeRequest"]["state"] == "merged"
    assert len(shown["LINKED_ITEMS"]["linkedItems"]["nodes"]) == 1
    assert (node["state"], node["confidential"], node["author"]["username"]) == ("OPEN", True, "cus")


def test_both_apis_tell_the_same_events_at_the_same_instants(ground: Ground) -> None:
    eventful(ground.store)
    issue = ground.project().issues.get(1)
    rest = [
        one.created_at[:19]
        for source in (issue.notes, issue.resourcestateevents, issue.resourcemilestoneevents)
        for one in source.list(get_all=True)
    ]
    rest += sorted({one.created_at[:19] for one in issue.resourcelabelevents.list(get_all=True)})
    merged = [note["createdAt"][:19] for note in notes_of(ground.ask(HISTORY, path=PATH, n=10, d=50))]
    assert sorted(rest) == sorted(merged)


def test_deleted_labels_are_only_counted_as_one_and_a_renamed_one_keeps_its_id(ground: Ground) -> None:
    issue = ground.issue(labels=["bug", "old"])
    ground.store.relabel(issue.id, actor="ann", add=["p1", "p2"], remove=["old"])
    ids = {label.name: label.id for label in ground.store.projects[PATH].labels.values()}
    ground.store.remove_label(PATH, "bug")
    ground.store.remove_label(PATH, "old")
    ground.store.change_label(PATH, "p1", {"name": "prio-1"})
    bodies = [note["body"] for note in notes_of(ground.ask(HISTORY, path=PATH, n=1, d=9))]
    assert bodies == ["added 1 deleted label", f"added ~{ids['p2']} ~{ids['p1']} labels and removed 1 deleted label"]
    events = ground.project().issues.get(1).resourcelabelevents.list(get_all=True)
    assert [one.label and one.label["name"] for one in events] == [None, None, "prio-1", "p2", None]
    assert ground.project().issues.get(1).labels == ["p2", "prio-1"]


def test_work_items_are_paged_and_found_by_their_last_update_inclusive(ground: Ground) -> None:
    issues = [ground.issue(f"Issue {n}") for n in range(5)]
    since = issues[2].updated.isoformat()
    first = ground.ask(HISTORY, path=PATH, n=2, d=5, since=since)["project"]["workItems"]
    assert [one["iid"] for one in first["nodes"]] == ["3", "4"]
    cursor = first["pageInfo"]["endCursor"]
    second = ground.ask(HISTORY, path=PATH, n=2, d=5, since=since, after=cursor)["project"]["workItems"]
    assert ([one["iid"] for one in second["nodes"]], second["pageInfo"]["hasNextPage"]) == (["5"], False)
    named = ground.ask(HISTORY, path=PATH, n=2, d=5, iids=["5", "1"])["project"]["workItems"]["nodes"]
    assert [one["iid"] for one in named] == ["1", "5"]


def test_a_long_thread_is_continued_from_its_cursor(ground: Ground) -> None:
    issue = ground.issue()
    for n in range(7):
        ground.store.comment(issue.id, f"comment {n}", actor="ann")
    query = """query($id: WorkItemID!, $after: String) { workItem(id: $id) { widgets(onlyTypes: [NOTES]) {
      ... on WorkItemWidgetNotes { discussions(first: 3, after: $after) {
        pageInfo { hasNextPage endCursor } nodes { notes { nodes { body } } } } } } } }"""
    seen, after, more = [], None, True
    while more:
        answer = ground.ask(query, id=f"gid://gitlab/WorkItem/{issue.id}", after=after)
        page = answer["workItem"]["widgets"][0]["discussions"]
        seen += [thread["notes"]["nodes"][0]["body"] for thread in page["nodes"]]
        after, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
    assert seen == [f"comment {n}" for n in range(7)]


def test_a_history_that_is_cut_short_shows_only_its_latest_entries(ground: Ground) -> None:
    eventful(ground.store)
    ground.store.faults.add(Fault("truncated_history", path="/api/graphql", keep=2))
    actions = [
        (note["systemNoteMetadata"] or {}).get("action") for note in notes_of(ground.ask(HISTORY, path=PATH, n=9, d=50))
    ]
    assert actions == [None, None, "milestone", "confidential"]


# ---------------------------------------------------------------------------------------------------------- writing
def test_a_put_changes_what_it_names_and_leaves_one_entry_in_the_history(ground: Ground) -> None:
    issue = ground.issue(labels=["sla::ok", "bug"])
    milestone = ground.store.create_milestone(PATH, "1.4")
    number = ground.store.users["ann"].number
    body = {
        "add_labels": "sla::late,new one", "remove_labels": "bug", "due_date": "2026-12-05", "assignee_ids": [number],
        "milestone_id": milestone.id, "title": "Brakes", "state_event": "close", "confidential": True,
    }  # fmt: skip
    answer = ground.project().issues.update(1, body)
    assert answer["labels"] == ["new one", "sla::late", "sla::ok"], "Free: a scoped label leaves its sibling alone"
    assert (answer["due_date"], answer["state"], answer["title"]) == ("2026-12-05", "closed", "Brakes")
    assert (answer["assignee"]["username"], answer["milestone"]["title"]) == ("ann", "1.4")
    assert answer["closed_by"]["username"] == "bot"
    assert [entry.actor for entry in issue.history] == ["bot"]
    cleared = ground.project().issues.update(1, {"assignee_ids": [], "due_date": "", "milestone_id": 0, "labels": ""})
    assert (cleared["assignees"], cleared["due_date"], cleared["milestone"], cleared["labels"]) == ([], None, None, [])


def test_notes_are_written_edited_by_their_author_only_and_internal_where_asked(ground: Ground) -> None:
    issue = ground.issue()
    note = (
        ground.project()
        .issues.get(1, lazy=True)
        .notes.create({"body": "<!-- mark -->\nDue on Friday.", "internal": True})
    )
    assert (note.internal, note.confidential, note.system) == (True, True, False)
    ground.project().issues.get(1, lazy=True).notes.update(note.id, {"body": "Due on Monday."})
    assert [comment.body for comment in issue.comments] == ["Due on Monday."]
    assert issue.comments[0].internal
    with pytest.raises(GitlabError, match="403 Forbidden"):
        ground.project(ANN).issues.get(1, lazy=True).notes.update(note.id, {"body": "Mine now."})


def test_links_are_made_once_and_a_second_time_is_409(ground: Ground) -> None:
    ground.issue("One")
    ground.issue("Two")
    issue = ground.project().issues.get(1, lazy=True)
    source, target = issue.links.create({"target_project_id": 1, "target_issue_iid": 2})
    assert (source.iid, target.iid) == (1, 2)
    with pytest.raises(GitlabError, match=r"Issue\(s\) already assigned") as refused:
        issue.links.create({"target_project_id": 1, "target_issue_iid": 2})
    assert refused.value.response_code == 409
    with pytest.raises(GitlabError) as unpaid:
        issue.links.create({"target_project_id": 1, "target_issue_iid": 2, "link_type": "blocks"})
    assert unpaid.value.response_code == 403, "blocking links are not for Free"
    issue.links.delete(issue.links.list(get_all=True)[0].issue_link_id)
    assert issue.links.list(get_all=True) == []


def test_one_mutation_relabels_assigns_notes_and_links(ground: Ground) -> None:
    issue, other = ground.issue(labels=["sla::ok"]), ground.issue("Two")
    late = ground.store.create_label(PATH, "sla::late")
    gids: dict[str, Any] = {
        "id": f"gid://gitlab/WorkItem/{issue.id}",
        "nid": f"gid://gitlab/Issue/{issue.id}",
        "add": [f"gid://gitlab/ProjectLabel/{late.id}"],
        "rm": [f"gid://gitlab/Label/{ground.store.projects[PATH].labels['sla::ok'].id}"],
        "who": [f"gid://gitlab/User/{ground.store.users['ann'].number}"],
        "target": [f"gid://gitlab/WorkItem/{other.id}"],
    }
    answer = ground.ask(WRITE, **gids, due="2026-03-09", body="At risk.")
    assert [answer[alias]["errors"] for alias in "ucl"] == [[], [], []]
    assert (answer["u"]["workItem"]["lockVersion"], answer["c"]["note"]["internal"]) == (1, True)
    assert answer["l"]["message"] == f"Successfully linked ID(s): {other.id}."
    assert (issue.labels, issue.assignees, issue.due) == (["sla::late"], ["ann"], date(2026, 3, 9))
    again = ground.ask(WRITE, **gids, due="2026-03-09", body="At risk.")
    assert again["l"] == {"errors": ["Items are already linked"], "message": None}
    assert again["u"]["workItem"]["lockVersion"] == 2, "what is so already is not written: only the link was"


def test_a_report_issue_is_created_and_rewritten_over_graphql(ground: Ground) -> None:
    kind = ground.ask('{ project(fullPath: "acme/car") { workItemTypes(name: ISSUE) { nodes { id name } } } }')
    type_id = kind["project"]["workItemTypes"]["nodes"][0]["id"]
    label = ground.store.create_label(PATH, "report")
    made = ground.ask(
        """mutation($input: WorkItemCreateInput!) { workItemCreate(input: $input) { errors workItem { id iid } } }""",
        input={
            "namespacePath": PATH, "title": "Report", "workItemTypeId": type_id,
            "descriptionWidget": {"description": "one"}, "labelsWidget": {"labelIds": [f"gid://gitlab/ProjectLabel/{label.id}"]},
        },
    )["workItemCreate"]  # fmt: skip
    assert made["errors"] == []
    ground.ask(
        """mutation($input: WorkItemUpdateInput!) { workItemUpdate(input: $input) { errors } }""",
        input={"id": made["workItem"]["id"], "descriptionWidget": {"description": "two"}},
    )
    issue = ground.store.projects[PATH].issues[1]
    assert (issue.description, issue.labels) == ("two", ["report"])


def test_what_the_model_refuses_is_in_the_payload_and_what_one_may_not_touch_at_the_top(ground: Ground) -> None:
    issue = ground.issue()
    ground.store.comment(issue.id, "theirs", actor="ann")
    update = "mutation($id: WorkItemID!, $title: String) { workItemUpdate(input: {id: $id, title: $title}) { errors } }"
    status, body = ground.graphql(update, id=f"gid://gitlab/WorkItem/{issue.id}", title=" ")
    assert (status, body) == (200, {"data": {"workItemUpdate": {"errors": ["Title can't be blank"]}}})
    two = """mutation($a: WorkItemID!, $b: WorkItemID!) {
      one: workItemUpdate(input: {id: $a, title: "Done"}) { errors }
      two: workItemUpdate(input: {id: $b, title: "Not"}) { errors } }"""
    status, body = ground.graphql(two, a=f"gid://gitlab/WorkItem/{issue.id}", b="gid://gitlab/WorkItem/999")
    assert (status, body["data"], body["errors"][0]["path"]) == (200, {"one": {"errors": []}, "two": None}, ["two"])
    assert issue.title == "Done", "aliases are not one transaction"
    status, body = ground.graphql(
        'mutation { updateNote(input: {id: "gid://gitlab/Note/20001", body: "mine"}) { errors } }'
    )
    assert body["errors"][0]["message"].startswith("The resource that you are attempting to access")
    assert ground.graphql(update, id="12", title="x")[1]["errors"][0]["message"].endswith(
        '"12" is not a valid GitLab ID.'
    )


@pytest.mark.parametrize(
    "word",
    [
        "/close",
        "/CLOSE  ",
        "/label ~bug",
        "/assign me",
        "/due 2026-04-01",
        "/title Mine",
        "/confidential",
        "text\r\n/close",
    ],
)
def test_a_quick_action_in_a_note_is_carried_out_as_the_real_server_would(ground: Ground, word: str) -> None:
    issue = ground.issue()
    ground.store.create_label(PATH, "bug")
    status, _, _ = ground.raw("POST", "/api/v4/projects/1/issues/1/notes", {"body": word})
    assert len(issue.history) == 1
    assert (status, len(issue.comments)) == ((202, 0) if word.startswith("/") else (201, 1))


@pytest.mark.parametrize("word", ["/merge", "/todo", "/spend 1h", "/promote", "/assign @nobody", "/due some day"])
def test_a_quick_action_without_effect_here_still_leaves_the_text(ground: Ground, word: str) -> None:
    issue = ground.issue()
    note = ground.project().issues.get(1, lazy=True).notes.create({"body": f"before\n{word}\nafter"})
    assert (note.body, issue.history) == ("before\nafter", [])


@pytest.mark.parametrize(
    "text",
    [
        " /close", "\\/close", "`/close`", "```\n/close\n```", "x /close", "/closed", "> /close", ">>>\n/close\n>>>",
        "~~~~\n/close\n~~~\n/close\n~~~~", "<!-- mark\n/close\n-->", "/ close", "//close",
    ],
)  # fmt: skip
def test_what_only_looks_like_a_quick_action_stays_text(ground: Ground, text: str) -> None:
    issue = ground.issue()
    status, _, body = ground.raw("POST", "/api/v4/projects/1/issues/1/notes", {"body": text})
    assert (status, body["body"], issue.history) == (201, text, [])


def test_quick_actions_in_a_description_count_too(ground: Ground) -> None:
    ground.store.create_label(PATH, "bug")
    made = ground.project().issues.create({"title": "T", "description": 'words\n/label ~"bug"\n/close'})
    assert (made.description, made.labels, made.state) == ("words", ["bug"], "closed")
    answer = ground.ask(
        'mutation { createNote(input: {noteableId: "gid://gitlab/WorkItem/10001", body: "/reopen"}) { errors note { id } } }'
    )
    assert answer["createNote"] == {"errors": [], "note": None}
    assert ground.store.issues["10001"].status == "opened"


# ------------------------------------------------------------------------------------------------ labels and releases
def test_labels_and_milestones_are_made_changed_and_deleted(ground: Ground) -> None:
    project = ground.project()
    label = project.labels.create({"name": "sla::ok", "color": "#00ff00"})
    assert (label.name, label.is_project_label) == ("sla::ok", True)
    with pytest.raises(GitlabError, match="Label already exists"):
        project.labels.create({"name": "sla::ok", "color": "#00ff00"})
    project.labels.update("sla::ok", {"new_name": "sla::fine"})
    assert [one.name for one in project.labels.list(get_all=True)] == ["sla::fine"]
    project.labels.delete("sla::fine")
    assert project.labels.list(get_all=True) == []
    milestone = project.milestones.create({"title": "1.4", "due_date": "2026-05-01"})
    assert project.milestones.update(milestone.id, {"state_event": "close"})["state"] == "closed"


def test_releases_tags_and_what_they_carry(ground: Ground) -> None:
    store, project = ground.store, ground.project()
    ground.issue()
    store.commit(PATH, "Start", actor="ann")
    store.tag(PATH, "v1.0", actor="ann")
    store.create_merge_request(PATH, "Other pads", actor="ann", closes=[1])
    merged = store.merge(PATH, 1, actor="ann")
    store.tag(PATH, "v1.1", actor="ann")
    assert [one["iid"] for one in ground.raw("GET", "/api/v4/projects/1/merge_requests/1/closes_issues")[2]] == [1]
    assert project.commits.get(merged.merge_commit_sha).refs("tag") == [{"type": "tag", "name": "v1.1"}]
    assert [one["id"] for one in project.repository_compare("v1.0", "v1.1")["commits"]] == [merged.merge_commit_sha]
    assert [one.id for one in project.commits.list(get_all=True, ref_name="v1.0")] == [
        store.projects[PATH].commits[0].sha
    ]
    assert [one.name for one in project.tags.list(get_all=True)] == ["v1.1", "v1.0"]
    missing = ground.raw("POST", "/api/v4/projects/1/releases", {"tag_name": "v2"})
    assert missing[::2] == (422, {"message": "Ref is not specified"})
    release = project.releases.create(
        {"tag_name": "v1.1", "name": "1.1", "description": "pads", "released_at": "2026-03-01T00:00:00Z"}
    )
    assert (release.upcoming_release, release.commit["id"]) == (False, merged.merge_commit_sha)
    assert ground.raw("POST", "/api/v4/projects/1/releases", {"tag_name": "v1.1"})[::2] == (
        409,
        {"message": "Release already exists"},
    )
    assert ground.raw("PUT", "/api/v4/projects/1/releases/v1.1", {"milestones": ["9.9"]})[0] == 400
    project.releases.update("v1.1", {"description": "better pads"})
    assert [(one.tag_name, one.description) for one in project.releases.list(get_all=True)] == [("v1.1", "better pads")]
    told = ground.ask(
        """{ project(fullPath: "acme/car") { releases(first: 5) { nodes { tagName releasedAt commit { sha } links { selfUrl } } }
             mergeRequests(state: merged) { nodes { iid mergeCommitSha } } } }"""
    )["project"]
    assert told["releases"]["nodes"][0]["commit"]["sha"] == told["mergeRequests"]["nodes"][0]["mergeCommitSha"]
    project.releases.delete("v1.1")
    assert project.releases.list(get_all=True) == []


def test_all_that_was_written_follows_from_the_log(ground: Ground) -> None:
    store, project = ground.store, ground.project()
    issue = eventful(store)
    project.labels.update("sla::ok", {"new_name": "sla::fine"})
    project.labels.delete("bug")
    project.issues.get(1, lazy=True).notes.create({"body": "words"})
    project.milestones.update(next(iter(store.projects[PATH].milestones)), {"state_event": "close"})
    project.releases.create({"tag_name": "v1", "ref": "main"})
    project.releases.delete("v1")
    assert World.of(store.log) == store.world
    assert store.world.comments == {comment.id: issue.id for comment in issue.comments}


# ------------------------------------------------------------------------------------------- limits and generations
def test_a_query_that_is_too_dear_is_refused_before_it_reads(ground: Ground) -> None:
    ground.issue()
    with pytest.raises(TransportQueryError, match="which exceeds max complexity of 250"):
        ground.ask(HISTORY, path=PATH, n=100, d=100)
    answer = ground.ask(HISTORY, path=PATH, n=40, d=40)
    assert answer["queryComplexity"]["limit"] == 250
    assert 100 < answer["queryComplexity"]["score"] <= 250


def test_a_query_that_is_too_long_is_422(ground: Ground) -> None:
    status, body = ground.graphql("{ currentUser { id } }" + " " * 10_000)
    assert (status, body) == (422, {"errors": [{"message": "Query too large"}]})


def test_no_page_holds_more_than_a_hundred(ground: Ground) -> None:
    for n in range(101):
        ground.issue(f"Issue {n}")
    query = '{ project(fullPath: "acme/car") { workItems(first: 500) { nodes { iid } pageInfo { hasNextPage } } } }'
    page = ground.ask(query)["project"]["workItems"]
    assert (len(page["nodes"]), page["pageInfo"]["hasNextPage"]) == (100, True)
    assert len(ground.raw("GET", "/api/v4/projects/1/issues?per_page=500")[2]) == 100


def test_what_the_schema_lacks_is_refused_with_the_vendors_code(ground: Ground) -> None:
    status, body = ground.graphql("query Q { nonsense }")
    assert (status, body["errors"][0]["message"]) == (200, "Field 'nonsense' doesn't exist on type 'Query'")
    assert body["errors"][0]["extensions"] == {"code": "undefinedField", "typeName": "Query", "fieldName": "nonsense"}
    assert ground.graphql("{ currentUser {")[1]["errors"][0]["locations"]
    since = '{ project(fullPath: "acme/car") { workItems(updatedAfter: "2026-01-01T00:00:00Z") { nodes { iid } } } }'
    assert "errors" not in ground.graphql(since)[1]
    refused = ground.graphql(since, mount="gitlab-16")[1]["errors"][0]
    assert refused["message"] == "Field 'workItems' doesn't accept argument 'updatedAfter'"
    assert refused["extensions"]["code"] == "argumentNotAccepted"


def test_one_introspection_tells_the_generations_apart(ground: Ground) -> None:
    probe = '{ __type(name: "Project") { fields { name args { name } } } metadata { version } }'
    told = {}
    for mount in ("gitlab", "gitlab-16"):
        answer = ground.ask(probe, mount=mount)
        told[mount] = {field["name"]: {one["name"] for one in field["args"]} for field in answer["__type"]["fields"]}
    assert "updatedAfter" in told["gitlab"]["workItems"]
    assert "updatedAfter" not in told["gitlab-16"]["workItems"]
    assert "updatedAfter" in told["gitlab-16"]["issues"]
    assert ground.graphql(probe, mount="gitlab-rest") == (404, {"error": "404 Not Found"})
    assert ground.client(mount="gitlab-rest").version()[0] == "15.11.13"


def test_an_old_server_lists_issues_by_offset_only(ground: Ground) -> None:
    ground.issue()
    asked = "/api/v4/projects/1/issues?pagination=keyset&order_by=updated_at"
    for mount in ("gitlab-16", "gitlab-rest"):
        status, _, body = ground.raw("GET", asked, mount=mount)
        assert (status, body) == (405, {"error": "Keyset pagination is not yet available for this type of request"})


def test_the_older_generation_gives_issues_with_their_notes_but_no_events(ground: Ground) -> None:
    eventful(ground.store)
    answer = ground.ask(
        """query($since: Time) { project(fullPath: "acme/car") { issues(updatedAfter: $since, sort: UPDATED_ASC, first: 5) {
             nodes { iid state labels { nodes { title } } assignees { nodes { username } } dueDate
               discussions { nodes { notes { nodes { body systemNoteMetadata { action } } } } } } } } }""",
        mount="gitlab-16",
        since=NOW.isoformat(),
    )
    nodes = answer["project"]["issues"]["nodes"]
    issue = next(one for one in nodes if one["iid"] == "1")
    notes = [note for thread in issue["discussions"]["nodes"] for note in thread["notes"]["nodes"]]
    actions = {(note["systemNoteMetadata"] or {}).get("action") for note in notes}
    assert (issue["state"], issue["dueDate"]) == ("opened", "2026-03-09")
    assert actions == {None, "assignee", "start_date_or_due_date", "title", "relate", "cross_reference", "confidential"}


def test_the_older_generation_updates_issues(ground: Ground) -> None:
    issue = ground.issue(labels=["a"])
    label = ground.store.create_label(PATH, "b")
    answer = ground.ask(
        """mutation($input: UpdateIssueInput!, $who: IssueSetAssigneesInput!) {
             updateIssue(input: $input) { errors issue { iid } } issueSetAssignees(input: $who) { errors } }""",
        mount="gitlab-16",
        input={
            "projectPath": PATH,
            "iid": "1",
            "addLabelIds": [f"gid://gitlab/ProjectLabel/{label.id}"],
            "dueDate": "2026-03-09",
        },
        who={"projectPath": PATH, "iid": "1", "assigneeUsernames": ["ann"]},
    )
    assert answer == {"updateIssue": {"errors": [], "issue": {"iid": "1"}}, "issueSetAssignees": {"errors": []}}
    assert (issue.labels, issue.due, issue.assignees) == (["a", "b"], date(2026, 3, 9), ["ann"])


def test_an_unknown_generation_is_refused(store: Store) -> None:
    with pytest.raises(ValueError, match="no GitLab generation"):
        app(store, "1.0")  # type: ignore[arg-type]  # the point of it


def test_instants_on_both_apis_are_utc(ground: Ground) -> None:
    ground.store.clock.set(NOW + timedelta(microseconds=123_456))
    ground.issue()
    assert ground.project().issues.get(1).created_at == "2026-03-02T09:00:00.123Z"
    node = ground.ask(HISTORY, path=PATH, n=1, d=1)["project"]["workItems"]["nodes"][0]
    assert node["createdAt"] == "2026-03-02T09:00:00Z"


# ---------------------------------------------------------------------------------------- the vendor's own documents
def test_every_parameter_of_a_page_address_leads_back_to_the_same_list(ground: Ground) -> None:
    for n in range(3):
        ground.issue(f"Issue {n}", labels=["a b", "c"])
    _, headers, _ = ground.raw("GET", "/api/v4/projects/1/issues?labels=a+b,c&per_page=2&state=opened")
    address = next(one for one in headers["link"].split(", ") if 'rel="next"' in one).partition(">")[0].lstrip("<")
    asked = dict(parse_qsl(urlsplit(address).query))
    assert (asked["labels"], asked["state"], asked["page"], asked["per_page"]) == ("a b,c", "opened", "2", "2")
    assert [one["iid"] for one in ground.raw("GET", address.partition("/gitlab")[2])[2]] == [1]


# ------------------------------------------------------------------------------------------------------ hostile input
@pytest.mark.parametrize("text", ["a\0b", "half \ud83d"])
def test_text_that_no_database_of_the_vendors_takes_is_a_bad_request(ground: Ground, text: str) -> None:
    ground.issue()
    assert ground.raw("POST", "/api/v4/projects/1/issues/1/notes", {"body": text})[::2] == (
        400,
        {"message": "400 Bad request"},
    )
    note = 'mutation($body: String!) { createNote(input: {noteableId: "gid://gitlab/Issue/10001", body: $body}) { errors } }'
    assert ground.graphql(note, body=text) == (400, {"errors": [{"message": "Bad Request"}]})


def test_a_query_without_bottom_and_an_id_without_end_are_refused(ground: Ground) -> None:
    deep = '{ project(fullPath: "a") ' + "{ workItems { nodes { project " * 8 + "{ id }" + " } } }" * 8 + " }"
    assert "which exceeds max depth of 20" in ground.graphql(deep)[1]["errors"][0]["message"]
    assert "too deeply" in ground.graphql("{a" * 4_000)[1]["errors"][0]["message"]
    assert ground.raw("GET", f"/api/v4/projects/1/issues/{'9' * 5_000}")[::2] == (404, {"message": "404 Not found"})
    endless = f'{{ workItem(id: "gid://gitlab/WorkItem/{"9" * 5_000}") {{ id }} }}'
    assert "is not a valid GitLab ID" in ground.graphql(endless)[1]["errors"][0]["message"]
    assert ground.raw("POST", "/api/v4/projects/1/issues", {"title": ["a"]})[::2] == (
        400,
        {"error": "title is invalid"},
    )
    assert ground.raw("PUT", "/api/v4/projects/1/issues/1", [1])[0] == 400


def test_a_cursor_of_another_list_is_refused(ground: Ground) -> None:
    for n in range(3):
        ground.issue(f"Issue {n}", labels=[f"l{n}"])
    query = '{ project(fullPath: "acme/car") { labels(first: 1) { pageInfo { endCursor } } } }'
    cursor = ground.ask(query)["project"]["labels"]["pageInfo"]["endCursor"]
    for after in (cursor, "nonsense", "e30"):
        answer = ground.graphql(HISTORY, path=PATH, n=1, d=1, after=after)[1]
        assert answer["errors"][0]["message"] == "Please provide a valid cursor"
    assert ground.raw("GET", "/api/v4/projects/1/issues?pagination=keyset&cursor=x")[::2] == (
        400,
        {"error": "cursor is invalid"},
    )
