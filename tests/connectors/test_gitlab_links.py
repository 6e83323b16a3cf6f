"""Links between issues, what closes an issue, and its weight: read by both ways alike, on every tier, and links written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from connectors.cache import Cache, SessionCache
from connectors.gitlab import closing_requests, documents, issue_links
from connectors.gitlab.closings import Closings
from connectors.gitlab.stand_in import app
from connectors.gitlab.stand_in.server import Generation
from connectors.gitlab.stand_in.terms import Terms
from connectors.gitlab.tracker import GitLabReader, GitLabWriter
from connectors.retry import Retry
from connectors.sandbox.clock import Clock
from connectors.sandbox.faults import Fault
from connectors.sandbox.server import Sandbox
from connectors.sandbox.store import Store
from connectors.tracker import Connection
from policies.changes import UpsertLink
from policies.issue import GapKind, Issue, Release
from policies.issue_link import LinkKind
from policies.receipt import Outcome, Receipt
from tests.ground import performed

CAR, BIKE, HIDDEN = "acme/car", "acme/bike", "acme/hidden"
START = datetime(2026, 3, 2, 9, tzinfo=UTC)
OWN = "token-of-the-bot"
PAID = Terms(tier="premium")
MOUNTS: dict[str, tuple[Generation, Terms]] = {
    "free": ("19.2", Terms()),
    "free-rest": ("rest-only", Terms()),
    "paid": ("19.2", PAID),
    "paid-rest": ("rest-only", PAID),
}
BOTH = pytest.mark.parametrize("mount", ["free", "free-rest"])
CLOSING = "Behebt #{}"
"""No closing word that we know."""


@dataclass
class Ground:
    """One store, served on every tier and both ways."""

    store: Store
    sandbox: Sandbox
    caches: dict[str, Cache] = field(default_factory=dict)
    requests: dict[str, int] = field(default_factory=dict)

    def connection(self, mount: str) -> Connection:
        return Connection(name="gl", url=self.sandbox.url(mount), token=SecretStr(OWN))

    def reader(self, mount: str) -> GitLabReader:
        cache = self.caches.setdefault(mount, SessionCache())
        return GitLabReader(self.connection(mount), retry=patience(), cache=cache)

    def read(
        self, mount: str, since: datetime | None = None, project: str = CAR
    ) -> tuple[dict[int, Issue], tuple[Release, ...]]:
        """A run: issues by number, and releases."""
        reader = self.reader(mount)
        try:
            found = [one for one in reader.changed_since(project, since) if isinstance(one, Issue)]
            released = reader.releases(project)
        finally:
            reader.close()
        self.requests = dict(reader.requests)
        return {int(issue.ref.key.rpartition("#")[2]): issue for issue in found}, released

    def link(self, mount: str, issue: Issue, link: UpsertLink) -> Receipt:
        cache = self.caches.setdefault(mount, SessionCache())
        writer = GitLabWriter(self.connection(mount), retry=patience(), cache=cache)
        try:
            return performed(writer, issue, link, START + timedelta(days=20))
        finally:
            self.requests = dict(writer.requests)
            writer.close()

    def issue(self, title: str = "Pump leaks", project: str = CAR, **more: Any) -> str:
        return self.store.create_issue(project, title, actor="alice", at=START, **more).key

    def merged(self, title: str, words: str, *, closes: tuple[int, ...] = ()) -> int:
        """A merge request that is merged, with what GitLab knows of it besides its words."""
        request = self.store.create_merge_request(CAR, title, actor="bob", description=words, closes=closes)
        self.store.merge(CAR, request.iid, actor="bob")
        return request.iid

    def release(self, tag: str) -> None:
        self.store.tag(CAR, tag, actor="bob")
        self.store.publish_release(CAR, tag, actor="bob")


def patience() -> Retry:
    return Retry(attempts=3, sleep=lambda _: None)


@pytest.fixture
def ground() -> Iterator[Ground]:
    store = Store(clock=Clock.fixed(START + timedelta(days=1)))
    store.create_user("alice", "Alice Customer")
    store.create_user("bob", "Bob Support")
    store.create_user("warranty", "Warranty", bot=True)
    store.create_token(OWN, "warranty")
    for path in (CAR, BIKE):
        store.create_project(path, path, kind="gitlab")
    apps = {mount: app(store, generation, terms) for mount, (generation, terms) in MOUNTS.items()}
    with Sandbox(store, apps=apps) as sandbox:
        yield Ground(store, sandbox)


def facts(ground: Ground, *mounts: str) -> list[tuple[dict[int, Issue], tuple[Release, ...]]]:
    """What the mounts tell, their own addresses aside."""
    found = []
    for mount in mounts:
        issues, released = ground.read(mount)
        text = repr((sorted(issues.items()), released)).replace(ground.sandbox.url(mount), "")
        found.append((text, issues, released))
    assert len({text for text, _, _ in found}) == 1
    return [(issues, released) for _, issues, released in found]


# --------------------------------------------------------------------------------------------------------------- reading


def test_both_ways_give_the_same_links_patches_and_releases(ground: Ground) -> None:
    keys = [ground.issue(f"Issue {n}") for n in range(1, 5)]
    other = ground.issue("Of the bike", BIKE)
    ground.store.link_issues(keys[0], keys[1], "relates_to", actor="bob")
    ground.store.link_issues(keys[0], keys[2], "blocks", actor="bob")
    ground.store.link_issues(other, keys[0], "relates_to", actor="bob")
    ground.merged("Fix 1", CLOSING.format(1), closes=(1, 2))
    ground.merged("Fix 2", "Not a word of it", closes=(3,))
    ground.store.create_merge_request(CAR, "Not yet", actor="bob", closes=(4,))
    ground.release("v1")
    for pair in (("free", "free-rest"), ("paid", "paid-rest")):
        (issues, released), _ = facts(ground, *pair)
        told = {number: [(link.kind, link.key) for link in issue.links] for number, issue in issues.items()}
        assert told == {
            1: [(LinkKind.RELATES, keys[1]), (LinkKind.BLOCKS, keys[2]), (LinkKind.RELATES, other)],
            2: [(LinkKind.RELATES, keys[0])],
            3: [(LinkKind.BLOCKED_BY, keys[0])],
            4: [],
        }
        (link,) = issues[3].links
        ref = issues[1].ref
        assert (link.id, link.project, link.url, link.word) == (ref.id, CAR, ref.url, "is blocked by")
        patches = {number: [url.rpartition("/")[2] for url in issue.patches] for number, issue in issues.items()}
        assert patches == {1: ["1"], 2: ["1"], 3: ["2"], 4: []}
        assert [(key, url.rpartition("/")[2]) for key, url in released[0].carries] == [
            (keys[0], "1"), (keys[1], "1"), (keys[2], "2"),
        ]  # fmt: skip


@BOTH
def test_no_merge_request_that_an_issue_tells_of_is_asked_about(ground: Ground, mount: str) -> None:
    keys = [ground.issue(f"Issue {n}") for n in range(1, 4)]
    for n in range(1, 4):
        ground.merged(f"Fix {n}", CLOSING.format(n), closes=(n,))
    ground.release("v1")
    _, (release,) = ground.read(mount)
    assert [key for key, _ in release.carries] == keys
    assert not [kind for kind in ground.requests if "closes_issues" in kind]
    assert ground.requests.get("POST graphql Closings", 0) == 0


@BOTH
def test_one_that_names_another_project_is_asked_about_all_the_same(ground: Ground, mount: str) -> None:
    key = ground.issue()
    ground.merged("Fix", f"Behebt #1 und {BIKE}#1", closes=(1,))
    ground.release("v1")
    _, (release,) = ground.read(mount)
    assert [each for each, _ in release.carries] == [key]
    assert ground.requests["GET merge_requests/closes_issues"] == 1


@BOTH
def test_what_an_issue_told_stands_while_it_does_not_change(ground: Ground, mount: str) -> None:
    (key,) = (ground.issue(),)
    ground.merged("Fix", "Nothing of it in words", closes=(1,))
    ground.release("v1")
    _, first = ground.read(mount)
    issues, again = ground.read(mount, START + timedelta(days=90))
    assert (issues, [each for each, _ in first[0].carries]) == ({}, [key])
    assert again == first
    assert ground.requests.keys().isdisjoint({"GET merge_requests/closes_issues", "GET repository/commits"})


@BOTH
def test_where_what_was_kept_is_lost_all_of_it_is_read_anew(ground: Ground, mount: str) -> None:
    for n in range(1, 3):
        ground.issue(f"Issue {n}")
    ground.merged("Fix", "Nothing of it in words", closes=(2,))
    ground.release("v1")
    _, first = ground.read(mount)
    ground.caches.clear()
    _, anew = ground.read(mount, START + timedelta(days=90))
    assert anew == first
    assert first[0].carries[0][0] == f"{CAR}#2"
    asked = {"free": {"POST graphql Closings": 1}, "free-rest": {"GET issues": 2, "GET issues/closed_by": 1}}
    assert asked[mount].items() <= ground.requests.items()


@BOTH
def test_a_patch_that_is_found_out_after_its_merge_is_looked_up(ground: Ground, mount: str) -> None:
    ground.issue()
    iid = ground.merged("Fix", "Nothing of it in words")
    ground.release("v1")
    assert ground.read(mount)[1][0].carries == ()
    ground.store.projects[CAR].merge_requests[iid].closes.append(1)
    ground.store.create_label(CAR, "read-anew", actor="bob")
    ground.store.comment(f"{CAR}#1", "Closed by that one.", actor="bob")
    _, (release,) = ground.read(mount, START + timedelta(hours=1))
    assert [key for key, _ in release.carries] == [f"{CAR}#1"]
    assert ground.requests["GET merge_requests"] == 1
    ground.read(mount, START + timedelta(days=90))
    # REST does not say whether there is anything new.
    assert ground.requests.get("GET merge_requests", 0) == (mount == "free-rest")


@BOTH
def test_long_lists_are_read_to_their_end(ground: Ground, mount: str) -> None:
    key = ground.issue("Everything hangs on it")
    for n in range(31):
        ground.store.link_issues(key, ground.issue(f"Part {n}"), "relates_to", actor="bob")
        ground.merged(f"Fix {n}", "One of many", closes=(1,))
    issues, _ = ground.read(mount)
    assert len(issues[1].links) == len({link.id for link in issues[1].links}) == 31
    assert [int(link.id) for link in issues[1].links] == sorted(int(link.id) for link in issues[1].links)
    assert len(issues[1].patches) == 31
    assert {len(issue.links) for number, issue in issues.items() if number > 1} == {1}
    assert ground.requests["GET issues/links"] == (1 if mount == "free" else 32)
    assert ground.requests["GET issues/closed_by"] == 1


@BOTH
def test_what_can_not_be_read_of_a_long_list_is_a_gap_that_no_clock_minds(ground: Ground, mount: str) -> None:
    key = ground.issue()
    for n in range(21):
        ground.store.link_issues(key, ground.issue(f"Part {n}"), "relates_to", actor="bob")
    ground.store.faults.add(Fault("status", method="GET", path="issues/1/links", status=403, times=None))
    issues, _ = ground.read(mount)
    (gap,) = issues[1].gaps
    assert gap.kind is GapKind.LINKS
    assert "links" in gap.detail
    assert len(issues[1].links) == (20 if mount == "free" else 0)
    assert issues[2].gaps == ()


@pytest.mark.parametrize("mount", list(MOUNTS))
def test_a_weight_is_a_field_where_the_tier_has_weights(ground: Ground, mount: str) -> None:
    for weight in (3, 0, None):
        ground.issue(f"Weighs {weight}", weight=weight)
    issues, _ = ground.read(mount)
    paid = mount.startswith("paid")
    assert {n: issue.fields for n, issue in issues.items()} == {
        1: (("weight", "3"),) if paid else (),
        2: (("weight", "0"),) if paid else (),
        3: (),
    }


@BOTH
def test_nothing_of_the_other_issue_is_read_but_its_name_and_nothing_where_it_is_hidden(
    ground: Ground, mount: str
) -> None:
    key = ground.issue()
    hostile = ground.issue("@all /close <img src=x> ](javascript:1)", description="CANARY")
    secret = ground.issue("CANARY", confidential=True)
    for other in (hostile, secret):
        ground.store.link_issues(key, other, "relates_to", actor="bob")
    ground.store.create_project(HIDDEN, "Hidden", kind="gitlab")
    ground.store.link_issues(key, ground.issue("CANARY", HIDDEN), "relates_to", actor="bob")
    ground.store.create_token(OWN, "warranty", projects=[CAR, BIKE])
    issues, _ = ground.read(mount)
    assert [link.key for link in issues[1].links] == [hostile, secret]
    assert not {"CANARY", "@all"} & set(repr(issues[1].links).replace("'", " ").split())


def test_a_page_is_as_dear_as_before_and_holds_all_of_it(ground: Ground) -> None:
    """The widgets cost no points: fragments on several types cost as much as the dearest of them, the thread."""
    for n in range(130):
        ground.issue(f"Issue {n}")
    issues, _ = ground.read("paid")
    assert len(issues) == 130
    assert sum(ground.requests.values()) <= 6


def test_forty_changed_issues_with_all_of_it_are_one_request(ground: Ground) -> None:
    keys = [ground.issue(f"Issue {n}") for n in range(60)]
    for n, key in enumerate(keys):
        ground.store.link_issues(key, keys[n - 1], "blocks", actor="bob")
        ground.merged(f"Fix {n}", "Not a word", closes=(n + 1,))
    ground.read("paid")
    later = START + timedelta(days=30)
    for key in keys[:40]:
        ground.store.comment(key, "Still so.", actor="alice", at=later)
    issues, _ = ground.read("paid", later)
    assert len(issues) == 40
    assert all(len(issue.links) == 2 and len(issue.patches) == 1 for issue in issues.values())
    assert ground.requests == {"POST graphql WorkItems": 1, "POST graphql Releases": 1}


def test_a_server_without_these_widgets_is_not_asked_for_them(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    """An older server, or an edition without weights: the probe does not find them."""
    ground.store.link_issues(ground.issue(), ground.issue(), "relates_to", actor="bob")
    hidden = documents.PROBE.replace("WorkItemWidgetLinkedItems", "Gone").replace("WorkItemWidgetWeight", "Gone")
    monkeypatch.setattr(documents, "PROBE", hidden)
    issues, _ = ground.read("paid")
    assert [issue.links for issue in issues.values()] == [(), ()]
    assert ground.requests["POST graphql WorkItems"] >= 1
    assert "GET issues" not in ground.requests


def test_a_widget_that_changed_costs_the_facts_it_holds_and_no_others(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    ground.store.link_issues(ground.issue(), ground.issue(), "relates_to", actor="bob")
    ground.merged("Fix", "Closes #2", closes=(2,))
    ground.release("v1")
    before, first = ground.read("free")
    changed = {**documents.WIDGETS, "LINKED_ITEMS": documents.WIDGETS["LINKED_ITEMS"].replace("linkType", "newName")}
    monkeypatch.setattr(documents, "WIDGETS", changed)
    documents.work_items.cache_clear()
    try:
        issues, again = ground.read("free")
        assert issues == {n: replace(issue, links=(), patches=()) for n, issue in before.items()}
        assert again == first
        assert (ground.requests["POST graphql WorkItems"], "GET issues" in ground.requests) == (2, False)
        ground.read("free")
        assert ground.requests["POST graphql WorkItems"] == 1
    finally:
        documents.work_items.cache_clear()


def test_what_was_kept_before_there_were_widgets_is_looked_at_anew(ground: Ground) -> None:
    ground.issue()
    ground.read("free")
    kept = ground.caches["free"].get("gitlab server")
    assert kept is not None
    del kept["widgets"]
    ground.read("free")
    assert ground.requests["POST graphql Probe"] == 1
    ground.read("free")
    assert "POST graphql Probe" not in ground.requests


@pytest.mark.parametrize(
    "widget",
    [
        {},
        {"linkedItems": None, "closingMergeRequests": None},
        {"linkedItems": {"nodes": [None, 7, {}]}, "closingMergeRequests": {"nodes": [None, "x", {}]}},
        {
            "linkedItems": {"nodes": [{"workItem": None}, {"workItem": {"id": "gid://x/1", "reference": "acme&3"}}]},
            "closingMergeRequests": {"nodes": [{"mergeRequest": None}, {"mergeRequest": {"state": "merged"}}]},
        },
    ],
)
def test_what_names_nothing_is_neither_link_nor_patch(widget: dict[str, Any]) -> None:
    assert issue_links.of_widget(widget) == ()
    assert closing_requests.patches(closing_requests.of_widget(widget)) == ()


# --------------------------------------------------------------------------------------------------------------- writing


@pytest.mark.parametrize("mount", list(MOUNTS))
@pytest.mark.parametrize(
    ("words", "kind"),
    [("blocks", LinkKind.BLOCKS), ("Is blocked by", LinkKind.BLOCKED_BY), ("patch", LinkKind.RELATES)],
)
def test_a_link_blocks_where_the_tier_has_it_and_relates_where_not(
    ground: Ground, mount: str, words: str, kind: LinkKind
) -> None:
    for n in range(4):
        ground.issue(f"Issue {n}")
    issues, _ = ground.read(mount)
    links = [UpsertLink(f"g{n}", issues[n].ref.url, "Target", words, "patch") for n in (2, 3)]
    receipts = [ground.link(mount, issues[1], link) for link in (*links, links[0])]
    assert [receipt.outcome for receipt in receipts] == [Outcome.PERFORMED, Outcome.PERFORMED, Outcome.ALREADY_SO]
    there = kind if mount.startswith("paid") else LinkKind.RELATES
    found, _ = ground.read(mount)
    assert [(link.kind, link.key) for link in found[1].links] == [(there, f"{CAR}#2"), (there, f"{CAR}#3")]
    # Refused once; after that nothing is tried that this tier does not have.
    answered = [one.status for one in ground.store.requests if one.method == "POST" and one.path.endswith("/links")]
    free = kind is not LinkKind.RELATES and mount == "free-rest"
    assert answered.count(403) == int(free)


def test_a_link_that_may_not_be_made_is_not_made_as_another(ground: Ground) -> None:
    ground.issue()
    ground.issue()
    issues, _ = ground.read("paid-rest")
    ground.store.faults.add(Fault("status", method="POST", path="/links", status=403, times=None))
    link = UpsertLink("g", issues[2].ref.url, "Target", "blocks", "patch")
    with pytest.raises(Exception, match=r"403|refus|permission"):
        ground.link("paid-rest", issues[1], replace(link))
    assert ground.store.issues[issues[1].ref.id].links == []


# ------------------------------------------------------------------------------------------------------------------ kept


def test_what_closes_an_issue_is_of_its_own_project_and_the_last_word_counts(ground: Ground) -> None:
    reader = ground.reader("free")
    closings = Closings(reader._client, reader._server, SessionCache())
    url = ground.sandbox.url("free")
    own, strange = f"{url}/{CAR}/-/merge_requests/7", f"{url}/{BIKE}/-/merge_requests/8"
    nothing = [closing_requests.Closing(address, merged=True) for address in ("javascript:alert(1)", "http://[", "")]
    both = [closing_requests.Closing(address, merged=True) for address in (own, strange)]
    closings.keep(CAR, {"1": [*both, *nothing], "2": both[:1], "10": both[:1]})
    assert closings.of(CAR) == {"7": (True, (f"{CAR}#1", f"{CAR}#2", f"{CAR}#10"))}
    closings.keep(CAR, {"1": [], "2": [closing_requests.Closing(own, merged=False)]})
    assert closings.of(CAR) == {"7": (True, (f"{CAR}#2", f"{CAR}#10"))}
    closings.keep(CAR, {"2": [], "10": []})
    assert closings.of(CAR) == {}
    reader.close()
