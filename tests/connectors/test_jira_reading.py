"""Reading Jira over real HTTP on the sandbox: what is kept of a server and when it is believed, what may go wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import responses
from pydantic import SecretStr

from connectors.cache import SessionCache
from connectors.jira.tracker import JiraReader
from connectors.ledger import Ledger
from connectors.retry import Retry
from connectors.sandbox.clock import Clock
from connectors.sandbox.faults import Fault
from connectors.sandbox.server import Sandbox
from connectors.sandbox.store import Store
from connectors.tracker import (
    NOTHING_KNOWN,
    BadAnswer,
    Connection,
    CredentialsRefused,
    NotFound,
    RateLimited,
    TrackerError,
    Unreadable,
)
from policies.issue import ComponentsChanged, GapKind, Issue, LabelsChanged, Moved, Word
from tests.connectors.jira_spec import JiraSpec

START = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
TOKEN = "reading-token-8c21"
CLOUD_ID = "8f4d0c1e-6b1f-4b7e-9a55-0d3c2a1b4e77"
DESK = "com.atlassian.servicedesk:"


@dataclass
class Site:
    """A Jira of its own with one project, and what was learned of it."""

    sandbox: Sandbox
    dialect: str
    cache: SessionCache = field(default_factory=SessionCache)
    waits: list[float] = field(default_factory=list)
    open: ExitStack = field(default_factory=ExitStack)

    @property
    def store(self) -> Store:
        return self.sandbox.store

    @property
    def cloud(self) -> bool:
        return self.dialect == "jira-cloud"

    def connection(self, token: str = TOKEN, path: str = "") -> Connection:
        user = "own@example.org" if self.cloud else ""
        url = f"{self.sandbox.url(self.dialect)}{path}"
        return Connection(name="support", url=url, token=SecretStr(token), user=user)

    def reader(self, token: str = TOKEN, path: str = "") -> JiraReader:
        """A new session."""
        retry = Retry(attempts=3, sleep=self.waits.append)
        reader = JiraReader(self.connection(token, path), retry=retry, cache=self.cache)
        self.open.callback(reader.close)
        return reader

    def issue(self, title: str = "Pump leaks", **more: Any) -> str:
        return self.store.create_issue("CAR", title, actor="u-ann", **more).key

    def changed(self, since: datetime | None = None, known: Any = NOTHING_KNOWN) -> list[Issue]:
        found = list(self.reader().changed_since("CAR", since, known))
        assert not [one for one in found if isinstance(one, Unreadable)]
        return [one for one in found if isinstance(one, Issue)]


def _store() -> Store:
    store = Store(Clock.fixed(START))
    for id_, name in (("u-own", "own"), ("u-ann", "ann"), ("u-two", "two")):
        store.create_user(id_, name.title(), username=name, email=f"{name}@example.org", zone="Asia/Shanghai")
    store.create_token(TOKEN, "u-own")
    for key in ("CAR", "VAN"):
        store.create_project(
            key,
            key,
            kind="jira",
            statuses=[Word("1", "Open", "new"), Word("5", "Done", "done")],
            priorities=[Word("1", "High")],
            types=[Word("10", "Bug")],
            resolutions=[],
            components=[Word("7", "Radio")],
            service_desk=True,
        )
    return store


@pytest.fixture(params=["jira-cloud", "jira-dc"])
def site(request: pytest.FixtureRequest) -> Iterator[Site]:
    with Sandbox(_store()) as sandbox:
        site = Site(sandbox, request.param)
        with site.open:
            yield site


@pytest.fixture
def cloud() -> Iterator[Site]:
    with Sandbox(_store()) as sandbox:
        site = Site(sandbox, "jira-cloud")
        with site.open:
            yield site


# ------------------------------------------------------------------------------------------------- account, kept or not


def test_a_dead_token_never_ends_in_no_issues_where_anybody_may_look(site: Site) -> None:
    site.issue()
    assert len(site.changed()) == 1
    site.store.allow_anonymous()
    site.store.revoke_token(TOKEN)
    for read in (
        site.changed,
        lambda: site.changed(START),
        lambda: list(site.reader().ids("CAR")),
        lambda: site.reader().releases("CAR"),
        lambda: site.reader().projects(),
        lambda: site.reader().issue("CAR-1"),
    ):
        with pytest.raises(CredentialsRefused):
            read()


def test_a_token_that_dies_between_two_pages_is_refused(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    for dialect in ("CLOUD", "DATA_CENTER"):
        monkeypatch.setattr(f"connectors.jira.pages.{dialect}_IDS_PAGE", 100)
    for number in range(230):
        site.issue(f"Pump {number}")
    site.changed()
    found = site.reader().ids("CAR")
    next(found)
    site.store.allow_anonymous()
    site.store.revoke_token(TOKEN)
    with pytest.raises(CredentialsRefused):
        list(found)


def test_a_token_that_is_another_accounts_now_reads_as_that_account(site: Site) -> None:
    key = site.issue()
    site.store.comment(key, "From the second account", actor="u-two")
    (before,) = site.changed()
    assert before.comments()[0].actor.role.value == "unknown"
    site.store.revoke_token(TOKEN)
    site.store.create_token(TOKEN, "u-two")
    site.store.users["u-two"].email = "own@example.org"
    site.store.users["u-own"].email = ""
    reader = site.reader()
    (after,) = (one for one in reader.changed_since("CAR", None) if isinstance(one, Issue))
    assert after.comments()[0].actor.role.value == "own"
    assert reader.own_account().id == ("u-two" if site.cloud else "two")
    # And from then on without asking.
    again = site.reader()
    assert list(again.changed_since("CAR", None)) == [after]
    assert "GET myself" not in again.requests


def test_without_a_name_on_the_answers_the_account_is_asked_in_each_session() -> None:
    cache = SessionCache()
    connection = Connection(name="support", url="https://jira.example", token=SecretStr("t" * 8), user="u")
    with responses.RequestsMock() as mock:
        rest = "https://jira.example/rest/api/3"
        mock.get("https://jira.example/rest/api/2/serverInfo", json={"deploymentType": "Cloud", "baseUrl": ""})
        mock.get(f"{rest}/myself", json={"accountId": "me", "timeZone": "UTC"})
        mock.get(f"{rest}/field", json=[])
        mock.post(f"{rest}/search/jql", json={"issues": [], "isLast": True})
        for _ in range(3):
            reader = JiraReader(connection, cache=cache)
            assert list(reader.changed_since("CAR", None)) == []
            assert reader.requests["GET myself"] == 1
            reader.close()
        assert cache.get("account") is None


@pytest.mark.parametrize("said", [{}, {"X-AAccountId": "anonymous"}, {"X-AAccountId": "somebody-else"}])
def test_an_answer_that_names_somebody_else_or_nobody_ends_in_asking_who_is_logged_in(said: dict[str, str]) -> None:
    connection = Connection(name="support", url="https://jira.example", token=SecretStr("t" * 8), user="u")
    reader = JiraReader(connection, cache=SessionCache())
    rest = "https://jira.example/rest/api/3"
    own = {"X-AAccountId": "me"}
    with responses.RequestsMock() as mock:
        mock.get("https://jira.example/rest/api/2/serverInfo", json={"deploymentType": "Cloud", "baseUrl": ""})
        mock.get(f"{rest}/myself", json={"accountId": "me", "timeZone": "UTC"}, headers=own)
        mock.get(f"{rest}/field", json=[], headers=own)
        mock.post(f"{rest}/search/jql", json={"issues": [], "isLast": True}, headers=said)
        for _ in range(3):
            assert list(reader.changed_since("CAR", None)) == []
    # The account is the same: a proxy leaves its name out, which is found out once.
    assert reader.requests["GET myself"] == 2


def test_what_is_kept_holds_no_secret_and_no_mail_address(site: Site, tmp_path: Path) -> None:
    site.issue()
    with Ledger.open(f"sqlite:///{tmp_path / 'ledger.sqlite'}") as ledger:
        reader = JiraReader(site.connection(), cache=ledger.cache("acme", "support", START))
        assert len(list(reader.changed_since("CAR", None))) == 1
        reader.words("CAR")
        reader.close()
        again = JiraReader(site.connection(), cache=ledger.cache("acme", "support", START + timedelta(hours=23)))
        (issue,) = again.changed_since("CAR", START, {"10001": START - timedelta(days=1)})
        assert isinstance(issue, Issue)
        assert again.requests.total() == (2 if site.cloud else 1)
        again.close()
        later = JiraReader(site.connection(), cache=ledger.cache("acme", "support", START + timedelta(hours=25)))
        later.own_account()
        assert later.requests == {"GET serverInfo": 1, "GET myself": 1}
        later.close()
    held = (tmp_path / "ledger.sqlite").read_bytes()
    assert b"Asia/Shanghai" in held
    assert TOKEN.encode() not in held
    assert b"own@example.org" not in held


@pytest.mark.parametrize(
    "name", ["\ud800 half a pair", "nul \x00", "", None, 7, {"a": "\ud800"}, ["x"], "李伟 \U0001f697"]
)
def test_an_account_of_any_name_can_be_kept(tmp_path: Path, name: Any) -> None:
    connection = Connection(name="support", url="https://jira.example", token=SecretStr("t" * 8), user="u")
    rest = "https://jira.example/rest/api/3"
    with responses.RequestsMock() as mock, Ledger.open(f"sqlite:///{tmp_path / 'ledger.sqlite'}") as ledger:
        mock.get("https://jira.example/rest/api/2/serverInfo", json={"deploymentType": "Cloud", "baseUrl": name})
        me = {"accountId": "me", "displayName": name, "timeZone": "UTC", "active": True}
        mock.get(f"{rest}/myself", json=me, headers={"X-AAccountId": "me"})
        found = []
        for _ in range(2):
            reader = JiraReader(connection, cache=ledger.cache("acme", "support", START))
            found.append((reader.own_account(), reader.requests.total()))
            reader.close()
    (asked, first), (kept, second) = found
    assert asked == kept
    assert (first, second) == (2, 0)


@pytest.mark.parametrize("odd", [None, [], {}, "x", {"user": None}, {"user": {"name": ""}, "named": "x"}, 7])
def test_whatever_the_cache_holds_costs_requests_and_nothing_else(site: Site, odd: Any) -> None:
    key = site.issue()
    for name in ("account", "fields", "statuses", "priorities"):
        site.cache.put(name, odd if name == "account" else None, timedelta(1))
    assert [issue.ref.key for issue in site.changed()] == [key]


# -------------------------------------------------------------------------------------------------------- zone, cursor


def test_a_zone_that_was_changed_since_it_was_kept_loses_nothing(site: Site) -> None:
    held = site.issue("Held")
    (known,) = site.changed()
    cursor = known.updated_at
    site.store.clock.advance(timedelta(hours=2))
    fresh = site.issue("Fresh")
    # A wall clock further west: the kept zone's date lies hours ahead of what is meant.
    site.store.users["u-own"].zone = "America/Los_Angeles"
    since = cursor - timedelta(minutes=10)
    found = {issue.ref.key for issue in site.changed(since, {known.ref.id: cursor})}
    assert fresh in found
    assert found <= {fresh, held}
    reader = site.reader()
    list(reader.changed_since("CAR", since, {known.ref.id: cursor}))
    assert "GET myself" not in reader.requests


def test_a_stale_zone_skips_no_page_of_data_center() -> None:
    with Sandbox(_store()) as sandbox:
        site = Site(sandbox, "jira-dc")
        with site.open:
            site.issue()
            site.changed()
            keys = []
            for number in range(450):
                keys.append(site.issue(f"Pump {number}"))
                site.store.clock.advance(timedelta(minutes=2))
            site.store.users["u-own"].zone = "America/Los_Angeles"
            assert {issue.ref.key for issue in site.changed()} >= set(keys)


def test_an_unchanged_issue_that_is_held_costs_only_its_place_in_the_search(cloud: Site) -> None:
    key = cloud.issue()
    for number in range(30):
        cloud.store.comment(key, f"Comment {number}", actor="u-ann")
    (held,) = cloud.changed()
    known = {held.ref.id: held.updated_at}
    reader = cloud.reader()
    assert list(reader.changed_since("CAR", START, known)) == []
    assert reader.requests == {"POST search/jql": 1}
    cloud.store.clock.advance(timedelta(seconds=1))
    cloud.store.relabel(key, actor="u-ann", add=["vip"])
    assert [issue.labels for issue in cloud.changed(START, known)] == [{"vip"}]


def test_what_is_held_of_the_future_is_believed_and_of_the_past_is_not(cloud: Site) -> None:
    """The search index may be behind what was read already."""
    cloud.issue()
    (held,) = cloud.changed()
    assert cloud.changed(START, {held.ref.id: held.updated_at + timedelta(seconds=1)}) == []
    assert cloud.changed(START, {held.ref.id: held.updated_at - timedelta(milliseconds=1)}) == [held]
    assert cloud.changed(START, {"99": held.updated_at}) == [held]


# ------------------------------------------------------------------------------------------------------------ words


def test_a_status_made_since_the_list_was_kept_is_asked_for_and_a_deleted_one_only_once(site: Site) -> None:
    key = site.issue()
    site.store.transition(key, "5", actor="u-ann")
    site.changed()
    site.store.add_word("CAR", "statuses", Word("9", "On hold", "indeterminate"))
    for status in ("9", "5"):
        site.store.transition(key, status, actor="u-ann")
    (issue,) = site.changed()
    assert [event.after.group for event in issue.events if event.kind == "status_changed"] == [
        "done",
        "indeterminate",
        "done",
    ]
    site.store.world.projects["CAR"].statuses[:] = [Word("1", "Open", "new"), Word("5", "Done", "done")]
    site.cache.drop("statuses")
    spent = []
    for _ in range(3):
        reader = site.reader()
        assert list(reader.changed_since("CAR", None))
        spent.append(reader.requests["GET status"])
    assert spent[-1] == 0, "a status that is no more is asked for in each session"


def test_a_field_that_was_made_since_the_list_was_kept_is_found(site: Site) -> None:
    site.issue()
    site.changed()
    site.store.create_field("customfield_10050", "Contract", "string", "x:text")
    site.issue(extra={"customfield_10050": "A-17"})
    connection = site.connection()
    named = Connection(
        name=connection.name,
        url=connection.url,
        token=connection.token,
        user=connection.user,
        fields={"contract": "Contract"},
    )
    reader = JiraReader(named, cache=site.cache)
    found = [one.fields for one in reader.changed_since("CAR", None) if isinstance(one, Issue)]
    assert (("contract", "A-17"),) in found
    assert reader.requests["GET field"] == 1
    reader.close()


# ------------------------------------------------------------------------------------------------------- service desk


def _at(hours: float) -> dict[str, Any]:
    at = START + timedelta(hours=hours)
    return {
        "iso8601": at.isoformat(),
        "jira": at.isoformat(),
        "friendly": "then",
        "epochMillis": int(at.timestamp() * 1000),
    }


def test_a_service_desks_fields_are_read_without_being_named(site: Site) -> None:
    made = {
        "customfield_10010": ("Request Type", "any", "vp-origin"),
        "customfield_10011": ("Organizations", "array", "sd-customer-organizations"),
        "customfield_10012": ("Participants", "array", "sd-request-participants"),
        "customfield_10020": ("Time to first response", "any", "sd-sla-field"),
        "customfield_10021": ("Time to resolution", "any", "sd-sla-field"),
    }
    for id_, (name, kind, type_) in made.items():
        site.store.create_field(id_, name, kind, f"{DESK}{type_}")
    completed = {
        "startTime": _at(0), "stopTime": _at(2), "breachTime": _at(1), "breached": True,
        "goalDuration": {"millis": 3_600_000, "friendly": "1h"}, "elapsedTime": {"millis": 7_200_000, "friendly": "2h"},
    }  # fmt: skip
    ongoing = {
        "startTime": _at(0), "breachTime": _at(8), "breached": False, "paused": True, "withinCalendarHours": True,
        "goalDuration": {"millis": 28_800_000, "friendly": "8h"}, "elapsedTime": {"millis": 60_000, "friendly": "1m"},
    }  # fmt: skip
    key = site.issue(
        extra={
            "customfield_10010": {"requestType": {"id": "11", "name": "Report a defect"}, "currentStatus": {}},
            "customfield_10011": [{"id": "1", "name": "Acme GmbH"}, {"id": "2", "name": "Acme Ltd"}],
            "customfield_10012": [{"accountId": "u-ann", "displayName": "Ann"}],
            "customfield_10020": {"name": "Time to first response", "completedCycles": [completed]},
            "customfield_10021": {"name": "Time to resolution", "completedCycles": [], "ongoingCycle": ongoing},
        }
    )
    issue = site.reader().issue(key)
    assert issue.organisation == "Acme GmbH"
    assert dict(issue.fields) == {
        "request_type": "Report a defect",
        "organisations": "Acme GmbH, Acme Ltd",
        "request_participants": "Ann",
    }
    response, resolution = issue.native_slas
    assert response.name == "Time to first response"
    (cycle,) = response.cycles
    assert (cycle.started, cycle.stopped, cycle.breach_at) == tuple(START + timedelta(hours=n) for n in (0, 2, 1))
    assert (cycle.breached, cycle.goal, cycle.elapsed) == (True, timedelta(hours=1), timedelta(hours=2))
    (cycle,) = resolution.cycles
    assert (cycle.stopped, cycle.paused, cycle.elapsed) == (None, True, timedelta(minutes=1))
    assert site.changed() == [issue]


# ----------------------------------------------------------------------------------------------------- histories, pages


def test_a_history_that_is_split_over_pages_is_put_together(monkeypatch: pytest.MonkeyPatch, cloud: Site) -> None:
    monkeypatch.setattr("connectors.jira.pages.HISTORIES_PAGE", 7)
    keys = [cloud.issue(f"Pump {number}") for number in range(3)]
    for number in range(10):
        for key in keys:
            cloud.store.relabel(key, actor="u-ann", add=[f"l{number}"])
    reader = cloud.reader()
    found = [one for one in reader.changed_since("CAR", None) if isinstance(one, Issue)]
    assert reader.requests["POST changelog/bulkfetch"] == 5
    for issue in found:
        assert issue.gaps == ()
        changes = [event for event in issue.events if isinstance(event, LabelsChanged)]
        assert [change.added for change in changes] == [(f"l{number}",) for number in range(10)]


def test_a_history_of_which_some_is_hidden_is_a_named_gap(cloud: Site) -> None:
    key = cloud.issue()
    for number in range(5):
        cloud.store.relabel(key, actor="u-ann", add=[f"l{number}"])
    with responses.RequestsMock() as mock:
        mock.add_passthru(cloud.sandbox.url("jira-cloud"))
        mock.post(f"{cloud.sandbox.url('jira-cloud')}/rest/api/3/changelog/bulkfetch", json={"issueChangeLogs": []})
        (issue,) = cloud.changed()
    assert [(gap.kind, gap.detail) for gap in issue.gaps] == [(GapKind.HISTORY, "history entries not delivered: 5")]


def test_a_history_token_that_comes_twice_ends_in_an_error(cloud: Site) -> None:
    cloud.issue()
    again = {"issueChangeLogs": [], "nextPageToken": "again"}
    with responses.RequestsMock() as mock:
        mock.add_passthru(cloud.sandbox.url("jira-cloud"))
        mock.post(f"{cloud.sandbox.url('jira-cloud')}/rest/api/3/changelog/bulkfetch", json=again)
        with pytest.raises(BadAnswer, match="same page token"):
            cloud.changed()


def test_every_search_says_which_fields_it_wants(site: Site) -> None:
    site.issue()
    site.changed()
    list(site.reader().ids("CAR"))
    with site.store.lock:
        searches = [one for one in site.store.requests if "/search" in one.path]
    assert len(searches) == 2
    assert all(one.body["fields"] for one in searches)
    assert searches[-1].body["fields"] == ["id"]
    assert searches[-1].body["maxResults"] == (5000 if site.cloud else 1000)
    assert "expand" not in searches[-1].body


def test_ids_are_whole_while_issues_are_deleted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.jira.pages.DATA_CENTER_IDS_PAGE", 100)
    with Sandbox(_store()) as sandbox:
        site = Site(sandbox, "jira-dc")
        with site.open:
            ids = [site.store.create_issue("CAR", f"Pump {number}", actor="u-ann").id for number in range(400)]
            for gone in (5, 60):
                reading = site.reader().ids("CAR")
                found = [next(reading) for _ in range(100)]
                for id_ in ids[:gone]:
                    site.store.remove_issue(id_, actor="u-ann")
                found += reading
                assert set(found) >= set(ids[gone:])
                assert len(set(found)) == len(found)
                ids = ids[gone:]


@pytest.mark.shared_data
def test_what_reading_sends_to_cloud_is_in_the_vendors_description(cloud: Site, shared_specs: Path) -> None:
    key = cloud.issue()
    for number in range(25):
        cloud.store.comment(key, f"Comment {number}", actor="u-ann")
    cloud.changed()
    cloud.changed(START)
    reader = cloud.reader()
    assert list(reader.ids("CAR"))
    assert list(reader.check(["CAR", "VAN"]))
    assert reader.releases("CAR") == ()
    with cloud.store.lock:
        sent = list(cloud.store.requests)
    assert {"/rest/api/3/search/jql", "/rest/api/3/changelog/bulkfetch"} <= {one.path for one in sent}
    assert JiraSpec(shared_specs / "jira-cloud-v3.openapi.json").faults(sent) == []


def test_ids_of_a_project_that_is_not_there_are_not_none(site: Site) -> None:
    with pytest.raises(NotFound, match="NOSUCH"):
        list(site.reader().ids("NOSUCH"))


# ----------------------------------------------------------------------------------------------------------- odd issues


def test_a_moved_issue_keeps_its_id_and_tells_of_the_move(site: Site) -> None:
    key = site.issue()
    before = site.reader().issue(key)
    site.store.clock.advance(timedelta(hours=1))
    moved = site.store.move_issue(key, "VAN", actor="u-ann")
    (after,) = (one for one in site.reader().changed_since("VAN", None) if isinstance(one, Issue))
    assert (after.ref.id, after.ref.key, after.ref.project) == (before.ref.id, moved.key, "VAN")
    (event,) = (event for event in after.events if isinstance(event, Moved))
    assert (event.before, event.after) == (key, moved.key)
    assert site.changed() == []
    assert site.reader().issue(key).ref == after.ref


def test_a_component_that_was_added_and_removed_is_in_the_history(site: Site) -> None:
    key = site.issue()
    site.store.edit(key, {"components": ["7"]}, actor="u-ann")
    site.store.edit(key, {"components": []}, actor="u-ann")
    changes = [event for event in site.reader().issue(key).events if isinstance(event, ComponentsChanged)]
    assert [(change.added, change.removed) for change in changes] == [(("Radio",), ()), ((), ("Radio",))]


@pytest.mark.parametrize("deleted", [True, False])
def test_an_issue_of_people_who_are_gone_is_read(site: Site, deleted: bool) -> None:
    key = site.issue(priority=None)
    site.store.comment(key, "Bye", actor="u-ann")
    site.store.transition(key, "5", actor="u-ann")
    site.store.deactivate_user("u-ann", deleted=deleted)
    issue = site.reader().issue(key)
    assert issue.priority is None
    assert issue.gaps == ()
    assert not issue.reporter.active or not issue.reporter.id
    assert {event.kind for event in issue.events} == {"opened", "commented", "status_changed"}


def test_names_in_another_language_are_the_same_words_by_id(site: Site) -> None:
    key = site.issue()
    site.store.transition(key, "5", actor="u-ann")
    before = site.reader().issue(key)
    site.store.translate("de_DE", "statuses", "5", "Erledigt")
    site.store.users["u-own"].locale = "de_DE"
    after = site.reader().issue(key)
    assert (before.status.id, before.status.group) == (after.status.id, after.status.group) == ("5", "done")
    assert after.gaps == ()


# -------------------------------------------------------------------------------------------------------------- log-in


def test_a_token_with_scopes_works_at_the_gateway_and_links_show_the_site(cloud: Site) -> None:
    key = cloud.issue()
    scoped = "scoped-token-77aa"
    cloud.store.create_token(scoped, "u-own", scopes=["read:jira-work", "read:jira-user", "write:jira-work"])
    issue = cloud.reader(scoped, f"/ex/jira/{CLOUD_ID}").issue(key)
    assert issue.ref.url.startswith("http://127.0.0.1")
    cloud.cache.drop("account")
    with pytest.raises(CredentialsRefused, match=r"api\.atlassian\.com/ex/jira"):
        cloud.reader(scoped).own_account()
    (finding,) = cloud.reader(scoped).check(["CAR"])
    assert not finding.ok
    assert f"https://api.atlassian.com/ex/jira/{CLOUD_ID}" in finding.advice
    assert scoped not in str(finding)


def test_links_show_the_sites_own_address_whatever_the_apis_is() -> None:
    gateway = "https://api.atlassian.com/ex/jira/abc"
    connection = Connection(name="support", url=gateway, token=SecretStr("t" * 8), user="u")
    with responses.RequestsMock() as mock:
        info = {"deploymentType": "Cloud", "baseUrl": "https://acme.atlassian.net"}
        mock.get(f"{gateway}/rest/api/2/serverInfo", json=info)
        mock.get(f"{gateway}/rest/api/3/myself", json={"accountId": "me", "timeZone": "UTC"})
        mock.get(f"{gateway}/rest/api/3/project/search", json={"values": [{"key": "CAR", "id": "1"}], "isLast": True})
        (project,) = JiraReader(connection).projects()
    assert project.url == "https://acme.atlassian.net/browse/CAR"


def test_a_scope_that_is_missing_is_named(cloud: Site) -> None:
    cloud.issue()
    weak = "scoped-token-weak"
    cloud.store.create_token(weak, "u-own", scopes=["read:jira-user"])
    with pytest.raises(CredentialsRefused, match="read:jira-work"):
        list(cloud.reader(weak, f"/ex/jira/{CLOUD_ID}").changed_since("CAR", None))


def test_a_check_tells_of_a_dead_token_where_anybody_may_look(site: Site) -> None:
    site.changed()
    site.store.allow_anonymous()
    site.store.revoke_token(TOKEN)
    (finding,) = site.reader().check(["CAR"])
    assert not finding.ok
    assert "token" in finding.advice


def test_a_check_says_whether_writing_is_quiet(site: Site) -> None:
    site.store.create_token("weak-token-11", "u-own", permissions=["browse", "edit"])
    told = {finding.subject: finding for finding in site.reader("weak-token-11").check(["CAR"])}
    assert "sends mail" in told["permission ADMINISTER_PROJECTS in CAR"].detail
    assert "one by one" in told["permission BULK_CHANGE in CAR"].detail
    told = {finding.subject: finding for finding in site.reader().check(["CAR"])}
    assert "without mail" in told["permission ADMINISTER_PROJECTS in CAR"].detail
    assert "in one request" in told["permission BULK_CHANGE in CAR"].detail


def test_the_end_of_an_access_token_is_told_where_the_server_tells_it() -> None:
    with Sandbox(_store()) as sandbox, responses.RequestsMock() as mock:
        site = Site(sandbox, "jira-dc")
        url = sandbox.url("jira-dc")
        mock.add_passthru(url)
        mock.get(
            f"{url}/rest/pat/latest/tokens",
            json=[
                {"id": 1, "name": "old", "expiringAt": "2026-02-01T00:00:00.000+0000", "lastAccessed": None},
                {"id": 2, "name": "ours", "expiringAt": "2026-03-01T09:30:00.000+0000",
                 "lastAccessed": "2026-01-05T08:00:00.000+0000"},
                "odd",
            ],
        )  # fmt: skip
        with site.open:
            told = {finding.subject: finding.detail for finding in site.reader().check(["CAR"])}
    assert told["access token of the account on support"] == "'ours', used last, ends 2026-03-01 09:30 UTC"


def test_no_way_of_refusing_a_token_shows_it(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG", logger="connectors")
    site.changed()
    site.store.allow_anonymous()
    site.store.revoke_token(TOKEN)
    told = json.dumps([str(finding) for finding in site.reader().check(["CAR"])])
    for read in (lambda: site.changed(START), lambda: list(site.reader().ids("CAR")), site.reader().projects):
        with pytest.raises(TrackerError) as caught:
            read()
        told += str(caught.value) + repr(vars(caught.value))
    assert TOKEN not in told + caplog.text


# --------------------------------------------------------------------------------------------------------------- limits


@pytest.mark.parametrize("reason", ["jira-quota-global-based", "jira-quota-tenant-based"])
def test_a_used_up_quota_ends_the_reading_at_once(site: Site, reason: str) -> None:
    site.issue()
    site.changed()
    site.store.faults.add(Fault("status", status=429, retry_after=20, reason=reason, path="/search", times=None))
    with pytest.raises(RateLimited) as caught:
        site.changed()
    assert (caught.value.quota, caught.value.retry_after, site.waits) == (True, 20, [])


@pytest.mark.parametrize("reason", ["jira-burst-based", "jira-per-issue-on-write", ""])
def test_a_burst_is_waited_for(site: Site, reason: str) -> None:
    key = site.issue()
    site.store.faults.add(Fault("status", status=429, retry_after=20, reason=reason, path="/search"))
    assert [issue.ref.key for issue in site.changed()] == [key]
    assert site.waits == [20]
