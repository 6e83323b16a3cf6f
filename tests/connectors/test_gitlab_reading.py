"""The less common answers of a GitLab while it is read, each given by hand."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest
import responses

from connectors.cache import Cache, SessionCache
from connectors.gitlab import documents
from connectors.gitlab.checks import Checks
from connectors.gitlab.client import GitLabClient, SchemaDiffers, TooComplex
from connectors.gitlab.releases import Releases
from connectors.gitlab.server import Generation, Server
from connectors.gitlab.tracker import GitLabReader
from connectors.gitlab.work_items import WorkItems
from connectors.retry import Retry
from connectors.tracker import BadAnswer, Finding, NotFound, PermissionRefused, ServerFailed, Unreadable
from policies.issue import GapKind, Issue, LabelsChanged, Release
from tests.connectors.gitlab_answers import CONNECTION, Answers

API = f"{CONNECTION.url}/api/v4"
LAST = {"hasNextPage": False, "endCursor": None}


def releases_of(project: str) -> tuple[Release, ...]:
    """By REST alone."""
    client, cache = Answers(), SessionCache()
    server = Server(client, cache)
    server.fall_back()
    return Releases(client, server, cache).of(project)


def note(id_: int, body: str, *, action: str = "") -> dict[str, Any]:
    return {
        "id": f"gid://gitlab/Note/{id_}", "body": body, "system": bool(action), "createdAt": f"2026-03-02T10:{id_:02}:00Z",
        "author": {"username": "bob"}, "systemNoteMetadata": {"action": action} if action else None,
    }  # fmt: skip


def thread(*notes: dict[str, Any], more: str = "") -> dict[str, Any]:
    found = {"nodes": list(notes)}
    page = {"hasNextPage": bool(more), "endCursor": more or None}
    return {"type": "NOTES", "discussions": {"pageInfo": page, "nodes": [{"notes": found}]}}


def item(iid: int, *widgets: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": f"gid://gitlab/WorkItem/{iid}", "iid": str(iid), "title": f"Pump {iid}", "state": "OPEN",
        "createdAt": "2026-03-02T09:00:00Z", "updatedAt": "2026-03-02T09:00:00Z", "workItemType": {"name": "Issue"},
        "author": {"username": "alice"}, "widgets": list(widgets),
    }  # fmt: skip


def page(*items: dict[str, Any], more: str = "") -> dict[str, Any]:
    info = {"hasNextPage": bool(more), "endCursor": more or None}
    return answer({"fullPath": "acme/car", "workItems": {"pageInfo": info, "nodes": list(items)}})


def answer(project: object) -> dict[str, Any]:
    return {"currentUser": {"id": "gid://gitlab/User/9", "username": "bot"}, "project": project}


def work_items(client: GitLabClient, cache: Cache | None = None, *widgets: str) -> WorkItems:
    cache = cache or SessionCache()
    server = Server(client, cache)
    server._generation, server._widgets = Generation.WORK_ITEMS, widgets  # as the probe would find
    return WorkItems(client, server, cache)


def read(client: GitLabClient) -> list[Issue | Unreadable]:
    return list(work_items(client).changed_since("acme/car", None, {}))


def only(found: list[Issue | Unreadable]) -> Issue:
    (issue,) = found
    assert isinstance(issue, Issue)
    return issue


def test_a_thread_of_many_replies_is_completed_from_the_plain_list() -> None:
    said = [note(number, f"reply {number}") for number in range(1, 24)]
    plain = {"type": "NOTES", "notes": {"pageInfo": LAST, "nodes": said}}
    client = Answers(WorkItems=[page(item(7, thread(*said[:20])))], Notes=[page(item(7, plain))])
    issue = only(read(client))
    assert [comment.text for comment in issue.comments()] == [each["body"] for each in said]
    assert issue.gaps == ()


def test_many_issues_are_asked_for_in_their_spans_four_at_a_time() -> None:
    four, turn = threading.Barrier(4), threading.Lock()
    now, most, spans = 0, 0, list[tuple[object, object]]()

    class Spans(GitLabClient):
        def graphql(self, name: str, document: str, variables: Any, **_: Any) -> dict[str, Any]:
            nonlocal now, most
            assert name in document
            if "most" in variables:
                first, last = ({"nodes": [{"createdAt": f"2026-0{month}-01T00:00:00Z"}]} for month in (1, 9))
                found = page()
                found["project"] |= {"newest": {"count": 5000, "nodes": []}, "oldest": first, "youngest": last}
                return found
            with turn:
                spans.append((variables.get("from"), variables.get("until")))
                number, now = len(spans), now + 1
                most = max(most, now)
            if number <= four.parties:
                four.wait(timeout=5)
            with turn:
                now -= 1
            return page(item(number))

    reader = work_items(Spans(CONNECTION, retry=Retry(attempts=1)))
    reader._server._counts = True  # as the probe would find, too
    list(reader.changed_since("acme/car", None, {}))
    assert len(set(spans)) == len(spans) == 16
    assert most == 4


@pytest.mark.parametrize("document", [documents.work_items(), documents.work_item(), documents.more_discussions(2)])
def test_of_each_discussion_as_many_replies_are_asked_for_as_make_it_a_long_one(document: str) -> None:
    asked = re.findall(r"discussions\(.*?notes\(first: (\d+)\)", document, re.DOTALL)
    assert asked
    assert {int(most) for most in asked} == {documents.REPLIES}


def test_of_a_thread_with_fewer_replies_than_were_asked_for_nothing_more_is_read() -> None:
    said = [note(number, f"reply {number}") for number in range(1, 20)]
    client = Answers(WorkItems=[page(item(7, thread(*said)))])
    assert [comment.text for comment in only(read(client)).comments()] == [each["body"] for each in said]
    assert [name for name, _ in client.asked] == ["WorkItems"]


def test_a_thread_that_can_not_be_read_on_is_a_gap_of_that_issue_alone() -> None:
    client = Answers(
        WorkItems=[page(item(7, thread(note(1, "a"), more="c1")), item(8, thread(note(2, "b"))))],
        MoreDiscussions=[PermissionRefused("no")],
    )
    first, second = read(client)
    assert isinstance(first, Issue)
    assert isinstance(second, Issue)
    assert [gap.kind for gap in first.gaps] == [GapKind.HISTORY]
    assert [comment.text for comment in first.comments()] == ["a"]
    assert second.gaps == ()


def test_a_server_that_fails_in_mid_thread_is_not_a_gap() -> None:
    client = Answers(WorkItems=[page(item(7, thread(more="c1")))], MoreDiscussions=[ServerFailed("down")])
    with pytest.raises(ServerFailed):
        read(client)


def test_an_issue_without_its_notes_says_so() -> None:
    assert [gap.kind for gap in only(read(Answers(WorkItems=[page(item(7))]))).gaps] == [GapKind.COMMENTS]


def test_labels_are_looked_up_once_and_only_when_a_note_names_an_unknown_one() -> None:
    worn = {"type": "LABELS", "labels": {"nodes": [{"id": "gid://gitlab/ProjectLabel/1", "title": "a"}]}}
    names = {"nodes": [{"id": "gid://gitlab/GroupLabel/2", "title": "b"}], "pageInfo": LAST}
    client = Answers(
        WorkItems=[
            page(
                item(6, thread(note(1, "added ~1 label", action="label")), worn),
                item(
                    7,
                    thread(note(1, "added ~1 ~2 labels", action="label"), note(2, "removed ~2 label", action="label")),
                    worn,
                ),
                item(
                    8,
                    thread(note(1, "added ~2 label", action="label"), note(2, "removed ~2 ~9 labels", action="label")),
                ),
            )
        ],
        Labels=[{"project": {"labels": names}}],
    )
    found = [issue for issue in read(client) if isinstance(issue, Issue)]
    told = [
        [(event.added, event.removed) for event in issue.events if isinstance(event, LabelsChanged)] for issue in found
    ]
    assert told == [[(("a",), ())], [(("a", "b"), ()), ((), ("b",))], [(("b",), ()), ((), ("b",))]]
    assert [name for name, _ in client.asked] == ["WorkItems", "Labels"]
    assert all(issue.gaps == () for issue in found)


def test_an_issue_with_more_labels_than_a_page_is_asked_for_them_all() -> None:
    many = {"type": "LABELS", "labels": {"nodes": [], "pageInfo": {"hasNextPage": True}}}
    client = Answers(WorkItems=[page(item(7, thread(), many))])
    with responses.RequestsMock() as mock:
        mock.get(f"{API}/projects/acme%2Fcar/issues/7", json={"labels": [f"l{n}" for n in range(120)]})
        assert len(only(read(client)).labels) == 120


def test_a_page_too_dear_is_halved_until_it_fits_and_stays_so() -> None:
    dear = TooComplex("Query has complexity of 300")
    client = Answers(WorkItems=[dear, dear, page(item(1, thread()), more="c1"), page(item(2, thread()))])
    assert len(read(client)) == 2
    assert [variables["n"] for _, variables in client.asked] == [40, 20, 10, 10]
    assert [variables["after"] for _, variables in client.asked] == [None, None, None, "c1"]


def test_a_server_that_is_down_is_not_asked_for_ever() -> None:
    client = Answers(WorkItems=[ServerFailed("down")] * 20)
    with pytest.raises(ServerFailed):
        read(client)
    assert len(client.asked) == 3
    client = Answers(WorkItems=[TooComplex("Query has complexity of 300")] * 20)
    with pytest.raises(TooComplex):
        read(client)
    assert client.asked[-1][1]["n"] == 1


def test_a_page_that_leads_to_itself_ends_with_an_error() -> None:
    with pytest.raises(BadAnswer, match="same page"):
        read(Answers(WorkItems=[page(more="c1"), page(more="c1")]))


@pytest.mark.parametrize("lost", [False, True])
def test_what_closes_issues_is_not_taken_for_whole_where_the_schema_lost_it_on_the_way(*, lost: bool) -> None:
    cache, differs = SessionCache(), SchemaDiffers("Field 'closingMergeRequests' doesn't exist")
    pages = [page(item(1, thread()), more="c1"), *([differs] if lost else []), page(item(2, thread()))]
    reading = work_items(Answers(WorkItems=pages), cache, "DEVELOPMENT")
    assert len(list(reading.changed_since("acme/car", None, {}))) == 2
    assert (cache.get("gitlab closings 1 acme/car") is None) is lost


def test_no_project_and_hidden_issues_are_told_apart() -> None:
    with pytest.raises(NotFound):
        read(Answers(WorkItems=[answer(None)]))
    with pytest.raises(PermissionRefused, match="hidden or switched off"):
        read(Answers(WorkItems=[answer({"fullPath": "acme/car", "workItems": None})]))


def test_a_work_item_that_makes_no_sense_is_unreadable_and_stops_nobody() -> None:
    broken = {**item(7, thread()), "createdAt": None}
    first, second = read(Answers(WorkItems=[page(broken, item(8, thread()))]))
    assert isinstance(first, Unreadable)
    assert first.key == "acme/car#7"
    assert isinstance(second, Issue)


def test_a_schema_that_lost_a_field_is_read_by_rest_instead() -> None:
    reader = GitLabReader(CONNECTION, retry=Retry(attempts=1))
    client = Answers(WorkItems=[SchemaDiffers("Field 'author' doesn't exist on type 'WorkItem'")])
    reader._work_items = work_items(client)
    reader._server._generation = Generation.WORK_ITEMS
    issue = {"id": 71, "iid": 7, "state": "opened", "created_at": "2026-03-02T09:00:00Z", "title": "Pump"}
    with responses.RequestsMock() as mock:
        mock.get(f"{API}/user", json={"id": 1, "username": "bot"})
        mock.get(f"{API}/projects/acme%2Fcar/issues", json=[issue])
        for what in ("notes", "resource_label_events", "resource_state_events", "links", "closed_by"):
            mock.get(f"{API}/projects/acme%2Fcar/issues/7/{what}", json=[])
        mock.get(f"{API}/projects/acme%2Fcar/issues/7/resource_milestone_events", json={"message": "404"}, status=404)
        found = only(list(reader.changed_since("acme/car", None)))
    assert [gap.kind for gap in found.gaps] == [GapKind.HISTORY]
    assert reader._server.generation() is Generation.REST


# ------------------------------------------------------------------------------------------------------------- check


@pytest.fixture
def mocked() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.get(f"{API}/user", json={"id": 9, "username": "bot", "name": "Bot"})
        mock.get(f"{API}/version", json={"version": "15.2.0"})
        yield mock


def findings(*projects: str) -> dict[str, Finding]:
    client = Answers(Probe=[NotFound("no GraphQL here")])
    server = Server(client, SessionCache())
    return {finding.subject: finding for finding in Checks(client, server).check(projects)}


@pytest.mark.parametrize(
    ("token", "status", "ok"),
    [
        ({"scopes": ["api"], "expires_at": "2026-12-01"}, 200, True),
        ({"scopes": ["read_api"], "expires_at": None}, 200, False),
        ({"scopes": ["read_user"]}, 200, False),
        ({"message": "404 Not Found"}, 404, None),
        ({"message": "401 Unauthorized"}, 401, None),
    ],
)
def test_what_a_token_may_do(
    mocked: responses.RequestsMock, token: dict[str, Any], status: int, ok: bool | None
) -> None:
    mocked.get(f"{API}/personal_access_tokens/self", json=token, status=status)
    found = findings().get("token")
    assert (found.ok if found else None) is ok
    if found and not ok:
        assert "api" in found.advice
    if found and token.get("expires_at"):
        assert "2026-12-01" in found.detail


@pytest.mark.parametrize(
    ("expires", "told"),
    [
        ("2026-03-31", "ends in 29 days"),
        ("2026-04-01", "ends in 30 days"),
        ("2026-04-02", ""),
        ("2026-03-03", "ends in 1 day,"),
        ("2026-03-02", "ended on 2026-03-02"),
        ("no day", ""),
        (None, ""),
    ],
)
def test_a_token_that_ends_soon_is_told_by_the_servers_own_day(
    mocked: responses.RequestsMock, expires: str | None, told: str
) -> None:
    token = {"scopes": ["api"], "expires_at": expires}
    headers = {"Date": "Mon, 02 Mar 2026 10:00:00 GMT"}
    mocked.get(f"{API}/personal_access_tokens/self", json=token, headers=headers)
    found = findings().get("token expiry")
    assert bool(found) is bool(told)
    if found:
        assert told in found.detail
        assert not found.ok
        assert "new token" in found.advice


@pytest.mark.parametrize(("member", "ok"), [(40, True), (15, True), (10, False), (None, False)])
def test_what_a_group_allows(mocked: responses.RequestsMock, member: int | None, ok: bool) -> None:
    mocked.get(f"{API}/personal_access_tokens/self", json={}, status=404)
    mocked.get(f"{API}/groups/acme%2Fparts", json={"id": 5, "full_path": "acme/parts"})
    answer: dict[str, Any] = {"access_level": member} if member else {"message": "404 Not found"}
    mocked.get(f"{API}/groups/acme%2Fparts/members/all/9", json=answer, status=200 if member else 404)
    mocked.get(f"{API}/groups/nobody", json={"message": "404 Group Not Found"}, status=404)
    found = findings("acme/parts/*", "nobody/*")
    assert (found["group acme/parts"].ok, found["group nobody"].ok) == (ok, False)
    assert found["group nobody"].detail == "404 Group Not Found"


@pytest.mark.parametrize(
    ("project", "member", "ok"),
    [
        ({"permissions": {"project_access": {"access_level": 20}, "group_access": None}}, None, True),
        ({"permissions": {"project_access": {"access_level": 10}, "group_access": {"access_level": 30}}}, None, True),
        ({"permissions": {"project_access": {"access_level": 10}}}, None, False),
        ({"permissions": {"project_access": None, "group_access": None}}, 40, True),
        ({"permissions": {"project_access": None, "group_access": None}}, None, False),
        ({"permissions": {"project_access": {"access_level": 40}}, "archived": True}, None, False),
        ({"permissions": {"project_access": {"access_level": 40}}, "issues_access_level": "disabled"}, None, False),
    ],
)
def test_what_a_project_allows(
    mocked: responses.RequestsMock, project: dict[str, Any], member: int | None, ok: bool
) -> None:
    mocked.get(f"{API}/personal_access_tokens/self", json={}, status=404)
    mocked.get(f"{API}/projects/acme%2Fcar", json=project)
    answer: dict[str, Any] = {"access_level": member} if member else {"message": "404 Not found"}
    mocked.get(f"{API}/projects/acme%2Fcar/members/all/9", json=answer, status=200 if member else 404)
    found = findings("acme/car")["project acme/car"]
    assert found.ok is ok
    assert bool(found.advice) is not ok


def test_an_anonymous_session_is_no_log_in(mocked: responses.RequestsMock) -> None:
    mocked.replace(responses.GET, f"{API}/user", json={})
    found = findings("acme/car")
    assert list(found) == ["log-in"]
    assert not found["log-in"].ok


# ---------------------------------------------------------------------------------------------------------- releases


@pytest.mark.shared_data
def test_recorded_releases_and_merge_requests_are_read(shared_data: Path) -> None:
    def listed(name: str) -> list[Any]:
        lines = (shared_data / "gitlab" / f"{name}.jsonl").read_text(encoding="utf-8").split("\n")
        return [json.loads(line)["data"] for line in lines if line]

    releases = [one for one in listed("releases") if isinstance(one, dict)]
    project = f"{API}/projects/acme%2Fcar"
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.get(f"{project}/releases", json=releases)
        mock.get(f"{project}/merge_requests", json=[one for one in listed("merge_requests") if isinstance(one, dict)])
        mock.get(re.compile(rf"{project}/merge_requests/\d+/closes_issues"), json=[])
        mock.get(f"{project}/repository/commits", json=[{"id": "b8e18207cfdad954f1b3a96db34d0706b272e6cf"}])
        mock.get(f"{project}/repository/compare", json={"commits": []})
        found = releases_of("acme/car")
    assert len(found) == len(releases)
    assert {release.name for release in found} == {str(one["tag_name"]) for one in releases}
    dated = [release.published_at for release in found if release.published_at]
    assert dated == sorted(dated)
    assert all(release.published_at is None or release.published_at.tzinfo is UTC for release in found)


def test_what_a_release_holds_stays_unknown_where_its_tag_is_gone() -> None:
    project = f"{API}/projects/acme%2Fcar"
    merged = {
        "iid": 5, "description": "Closes #7", "merge_commit_sha": "a1", "merged_at": "2026-03-02T09:00:00Z", "web_url": "u5",
    }  # fmt: skip
    releases = [
        {"tag_name": "v1", "released_at": "2026-03-03T09:00:00Z"},
        {"tag_name": "v2", "released_at": "2026-03-04T09:00:00Z", "commit": None},
        {"tag_name": "v3", "released_at": "2026-03-05T09:00:00Z", "commit": {"committed_date": "2026-03-05T09:00:00Z"}},
    ]
    with responses.RequestsMock() as mock:
        mock.get(f"{project}/releases", json=releases)
        mock.get(f"{project}/merge_requests", json=[merged])
        mock.get(f"{project}/repository/commits", json={"message": "404 Tag Not Found"}, status=404)
        mock.get(f"{project}/repository/commits", json=[{"id": "a2"}, {"id": "a1"}])
        found = releases_of("acme/car")
    assert [release.carries for release in found] == [(), (), (("acme/car#7", "u5"),)]


def test_issues_closed_by_other_words_are_asked_for_and_a_project_without_merge_requests_still_has_releases() -> None:
    project = f"{API}/projects/acme%2Fcar"
    merged = {"iid": 5, "description": "Erledigt #7", "squash_commit_sha": "a1", "web_url": "u5"}
    release = {"tag_name": "v1", "released_at": "2026-03-03T09:00:00Z"}
    with responses.RequestsMock() as mock:
        mock.get(f"{project}/releases", json=[release])
        mock.get(f"{project}/merge_requests", json=[merged])
        closed = [{"iid": 7, "references": {"full": "acme/car#7"}}, {"id": "EXT-1", "title": "an external issue"}]
        mock.get(f"{project}/merge_requests/5/closes_issues", json=closed)
        mock.get(f"{project}/repository/commits", json=[{"id": "a1"}])
        (found,) = releases_of("acme/car")
    assert found.carries == (("acme/car#7", "u5"),)
    with responses.RequestsMock() as mock:
        mock.get(f"{project}/releases", json=[release])
        mock.get(f"{project}/merge_requests", json={"message": "403 Forbidden"}, status=403)
        (bare,) = releases_of("acme/car")
    assert (bare.name, bare.carries) == ("v1", ())
