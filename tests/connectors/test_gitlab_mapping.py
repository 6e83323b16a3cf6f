"""GitLab's payloads, of both APIs, become the same facts; real and hostile ones become facts or a plain refusal."""

from __future__ import annotations

import contextlib
import copy
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from graphql import build_schema, parse, validate

from connectors.gitlab import documents, mapping
from connectors.gitlab.fixes import fixed_issues
from connectors.gitlab.mapping import Names, RestHistory, rest_issue, with_own, work_item
from connectors.gitlab.mapping import widgets as by_type
from connectors.gitlab.note import of_graphql
from connectors.gitlab.payload import Malformed, actor, day, instant
from connectors.gitlab.system_notes import (
    AssigneesNote,
    DueNote,
    EndedNote,
    LabelsNote,
    MilestoneNote,
    MovedNote,
    StateNote,
    TypeNote,
    read,
)
from connectors.gitlab.threads import Thread
from policies.issue import (
    NOBODY,
    AssigneeChanged,
    FixVersionsChanged,
    GapKind,
    Issue,
    LabelsChanged,
    Moved,
    Opened,
    Role,
    StatusChanged,
)

ALICE = {"id": 3, "username": "alice", "name": "Alice", "state": "active"}
BOB = {"id": 4, "username": "bob", "name": "Bob", "state": "active"}


def payload(**more: Any) -> dict[str, Any]:
    return {
        "id": 71,
        "iid": 7,
        "title": "Pump leaks",
        "description": None,
        "state": "opened",
        "created_at": "2026-03-02T09:00:00.123Z",
        "updated_at": "2026-03-02T10:00:00.000Z",
        "closed_at": None,
        "labels": [],
        "milestone": None,
        "assignees": [],
        "author": ALICE,
        "confidential": False,
        "issue_type": "issue",
        "references": {"full": "acme/car#7"},
        "web_url": "https://gl.example/acme/car/-/issues/7",
        **more,
    }


def node(**more: Any) -> dict[str, Any]:
    return {
        "id": "gid://gitlab/WorkItem/71",
        "iid": "7",
        "title": "Pump leaks",
        "state": "OPEN",
        "createdAt": "2026-03-02T09:00:00Z",
        "updatedAt": "2026-03-02T10:00:00Z",
        "closedAt": None,
        "author": ALICE,
        "confidential": False,
        "workItemType": {"name": "Issue"},
        "webUrl": "https://gl.example/acme/car/-/issues/7",
        "widgets": [],
        **more,
    }


def rest(issue: dict[str, Any] | None = None, **history: list[dict[str, Any]]) -> Issue:
    lists = {name: tuple(events) for name, events in history.items()}
    return rest_issue(issue or payload(), RestHistory(**lists), "gl", "acme/car")


def system(body: str, at: str, who: dict[str, Any] | None = BOB, action: str = "", id_: int = 1) -> dict[str, Any]:
    return {
        "id": id_,
        "body": body,
        "system": True,
        "author": who,
        "created_at": at,
        "createdAt": at,
        "systemNoteMetadata": {"action": action},
    }


# --------------------------------------------------------------------------------------------------------- values


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-02T09:00:00.999Z", datetime(2026, 3, 2, 9, tzinfo=UTC)),
        ("2026-03-02T09:00:00+02:00", datetime(2026, 3, 2, 7, tzinfo=UTC)),
        ("2024-07-04T05:40:59.251-0700", datetime(2024, 7, 4, 12, 40, 59, tzinfo=UTC)),
        ("2017-12-10 16:41:28 UTC", datetime(2017, 12, 10, 16, 41, 28, tzinfo=UTC)),
        ("2021-04-28 21:50:00 +0200", datetime(2021, 4, 28, 19, 50, tzinfo=UTC)),
    ],
)
def test_instants_are_utc_to_the_second(text: str, expected: datetime) -> None:
    assert instant(text) == expected


@pytest.mark.parametrize(
    "text", [None, "", 7, "2026-03-02", "2026-03-02T09:00:00", "2021-02-30 12:12:12Z", "12/Jun/20"]
)
def test_what_is_no_instant_is_refused(text: object) -> None:
    with pytest.raises(Malformed):
        instant(text)


def test_a_due_date_is_a_plain_date() -> None:
    assert day("2026-04-01") == date(2026, 4, 1)
    assert day(None) is None
    with pytest.raises(Malformed):
        day("2026-02-30")


@pytest.mark.parametrize(
    ("user", "id_", "bot", "customer"),
    [
        ({"username": "alice", "name": "Alice"}, "alice", False, False),
        ({"username": "project_12_bot_9f8e7d", "name": "warranty"}, "project_12_bot_9f8e7d", True, False),
        ({"username": "group_3_bot", "name": "warranty"}, "group_3_bot", True, False),
        ({"username": "renovate", "bot": True}, "renovate", True, False),
        ({"username": "project_bottle", "name": "Bottle"}, "project_bottle", False, False),
        ({"username": "support-bot", "name": "GitLab Support Bot", "bot": True}, "support-bot", False, True),
        ({"username": "ghost", "name": "Ghost User"}, "", False, False),
        ({"username": "ghost7", "name": "Ghost User"}, "", False, False),
        ({"username": "ghost7", "name": "Casper"}, "ghost7", False, False),
        (None, "", False, False),
        ("nobody", "", False, False),
    ],
)
def test_who_somebody_is(user: object, id_: str, bot: bool, customer: bool) -> None:
    who = actor(user)
    assert (who.id, who.bot, who.customer) == (id_, bot, customer)


# --------------------------------------------------------------------------------------------------- system notes


@pytest.mark.parametrize(
    ("body", "action", "meaning"),
    [
        ("closed", "", StateNote("closed")),
        ("closed via merge request !5", "closed", StateNote("closed")),
        ("closed via commit 101a42bb", "", StateNote("closed")),
        ("Status changed to closed by commit 12ab", "", StateNote("closed")),
        ("closed with merge request !5", "", StateNote("closed")),
        ("resolved the corresponding error and closed the issue", "", StateNote("closed")),
        ("automatically closed this incident because the alert resolved", "", StateNote("closed")),
        ("closed in words nobody has seen", "closed", StateNote("closed")),
        ("closed in words nobody has seen", "", None),
        ("reopened", "opened", StateNote("opened")),
        ("added ~1 scoped label and automatically removed ~2 label", "label", LabelsNote(("1",), ("2",))),
        ('changed milestone to /acme/car%"100 %"', "milestone", MilestoneNote("100 %")),
        ("added ~1 ~22 labels and removed ~3 label", "label", LabelsNote(("1", "22"), ("3",))),
        ("added ~1 + 2 deleted labels", "label", LabelsNote(("1",), (), 2)),
        ("removed 1 deleted label", "", LabelsNote((), (), 1)),
        ('added ~"closed by us" label', "label", LabelsNote(("closed by us",))),
        ("changed milestone to %5", "milestone", MilestoneNote("5")),
        ('changed milestone to %"1.4.2"', "milestone", MilestoneNote("1.4.2")),
        ("changed milestone to group/car%1.4.2", "", MilestoneNote("1.4.2")),
        ("removed milestone %5", "milestone", MilestoneNote(None)),
        ("Milestone removed", "", MilestoneNote(None)),
        ("assigned to @emilie", "", AssigneesNote(("emilie",))),
        ("assigned to @a.b and unassigned @c-d", "assignee", AssigneesNote(("a.b",), ("c-d",))),
        ("assigned to @a, @b and @c", "assignee", AssigneesNote(("a", "b", "c"))),
        ("unassigned @a and @b", "assignee", AssigneesNote((), ("a", "b"))),
        ("reassigned to @x", "", AssigneesNote(("x",), (), everybody=True)),
        ("removed assignee", "", AssigneesNote(everybody=True)),
        ("changed due date to April 5, 2026", "due_date", DueNote(date(2026, 4, 5))),
        (
            "changed start date to April 1, 2026 and changed due date to April 05, 2026",
            "start_date_or_due_date",
            DueNote(date(2026, 4, 5)),
        ),
        ("removed due date", "", DueNote(None)),
        ("removed start date April 1, 2026 and removed due date April 5, 2026", "", DueNote(None)),
        ("changed type from issue to incident", "issue_type", TypeNote("issue", "incident")),
        ("changed issue type to task", "", TypeNote("", "task")),
        ("moved to fdroidserver#268", "", MovedNote("fdroidserver#268", away=True)),
        ("moved from #3", "moved", MovedNote("#3", away=False)),
        ("marked this issue as a duplicate of #5", "duplicate", EndedNote("duplicate")),
        ("promoted to epic &4", "promoted", EndedNote("promoted")),
        ("changed title from **closed** to **reopened**", "", None),
        ("changed title from **{-a-}** to **closed**", "title", None),
        ("changed the description", "", None),
        ("mentioned in commit 101a42bb", "cross_reference", None),
        ("closed", "something_new", None),
        ("", "", None),
    ],
)
def test_a_system_note_is_read(body: str, action: str, meaning: object) -> None:
    assert read(body, action) == meaning


# -------------------------------------------------------------------------------------------------------- history


def test_both_apis_tell_the_same() -> None:
    labels = [
        {"id": 1, "user": BOB, "created_at": "2026-03-02T09:10:00.100Z", "label": {"name": "b"}, "action": "add"},
        {"id": 2, "user": BOB, "created_at": "2026-03-02T09:10:00.900Z", "label": {"name": "a"}, "action": "add"},
        {"id": 3, "user": BOB, "created_at": "2026-03-02T09:10:00.900Z", "label": {"name": "old"}, "action": "remove"},
        {"id": 4, "user": ALICE, "created_at": "2026-03-02T09:20:00Z", "label": None, "action": "add"},
    ]
    states = [
        {"id": 5, "user": BOB, "created_at": "2026-03-02T09:30:00.5Z", "state": "closed"},
        {"id": 6, "user": ALICE, "created_at": "2026-03-02T09:30:00.7Z", "state": "reopened"},
    ]
    milestones = [
        {"id": 7, "user": BOB, "created_at": "2026-03-02T09:40:00Z", "milestone": {"title": "1.4"}, "action": "add"},
        {"id": 8, "user": BOB, "created_at": "2026-03-02T09:41:00Z", "milestone": {"title": "1.5"}, "action": "add"},
        {"id": 9, "user": BOB, "created_at": "2026-03-02T09:42:00Z", "milestone": {"title": "1.5"}, "action": "remove"},
    ]
    notes = [
        system("assigned to @bob", "2026-03-02T09:50:00.2Z"),
        {"id": 31, "body": "Hello", "author": ALICE, "created_at": "2026-03-02T09:51:00Z", "internal": True},
    ]
    by_rest = rest(
        payload(labels=["a", "b"], assignees=[BOB]), notes=notes, labels=labels, states=states, milestones=milestones
    )
    thread = [
        system("added ~11 ~12 labels and removed ~13 label", "2026-03-02T09:10:00Z", BOB, "label"),
        system("added 1 deleted label", "2026-03-02T09:20:00Z", ALICE, "label"),
        system("closed", "2026-03-02T09:30:00Z", BOB, "closed"),
        system("reopened", "2026-03-02T09:30:00Z", ALICE, "opened"),
        system("changed milestone to %1", "2026-03-02T09:40:00Z", BOB, "milestone"),
        system('changed milestone to %"1.5"', "2026-03-02T09:41:00Z", BOB, "milestone"),
        system("removed milestone %2", "2026-03-02T09:42:00Z", BOB, "milestone"),
        system("assigned to @bob", "2026-03-02T09:50:00Z", BOB, "assignee"),
        {
            "id": "gid://gitlab/Note/31", "body": "Hello", "author": ALICE, "createdAt": "2026-03-02T09:51:00Z",
            "internal": True, "system": False,
        },
    ]  # fmt: skip
    widgets = [
        {"type": "LABELS", "labels": {"nodes": [{"id": "gid://gitlab/ProjectLabel/12", "title": "a"}]}},
        {"type": "ASSIGNEES", "assignees": {"nodes": [BOB]}},
    ]
    widgets[0]["labels"]["nodes"].append({"id": "gid://gitlab/GroupLabel/11", "title": "b"})  # type: ignore[index]  # JSON
    names = Names({"13": "old"}, {"1": "1.4"})
    by_graphql = work_item(
        node(widgets=widgets), by_type(node(widgets=widgets)), map(of_graphql, thread), names, "gl", "acme/car"
    )
    assert by_graphql == by_rest
    assert by_rest.gaps == ()
    assert [event.kind for event in by_rest.events] == [
        "opened", "labels_changed", "labels_changed", "status_changed", "status_changed",
        "fix_versions_changed", "fix_versions_changed", "fix_versions_changed", "assignee_changed", "commented",
    ]  # fmt: skip
    versions = [event for event in by_rest.events if isinstance(event, FixVersionsChanged)]
    assert [(event.added, event.removed) for event in versions] == [
        (("1.4",), ()),
        (("1.5",), ("1.4",)),
        ((), ("1.5",)),
    ]


def test_an_issue_that_was_never_touched_has_only_its_opening() -> None:
    issue = rest()
    (opened,) = issue.events
    assert isinstance(opened, Opened)
    assert (opened.at, opened.actor.id) == (datetime(2026, 3, 2, 9, tzinfo=UTC), "alice")
    assert (issue.ref.key, issue.ref.project, issue.ref.id) == ("acme/car#7", "acme/car", "71")
    assert (issue.status.id, issue.status.group, issue.type.name, issue.priority) == ("opened", "new", "Issue", None)


def test_a_closing_that_only_the_issue_itself_tells_is_an_event_without_a_name() -> None:
    issue = rest(payload(state="closed", closed_at="2026-03-03T09:00:00Z"))
    (closed,) = (event for event in issue.events if isinstance(event, StatusChanged))
    assert (closed.at, closed.actor) == (datetime(2026, 3, 3, 9, tzinfo=UTC), NOBODY)
    assert issue.gaps == ()


def test_a_closing_without_an_instant_is_a_gap_and_no_guess() -> None:
    issue = rest(payload(state="closed", closed_at=None))
    assert not [event for event in issue.events if isinstance(event, StatusChanged)]
    assert [gap.kind for gap in issue.gaps] == [GapKind.HISTORY]


def test_a_system_note_alone_can_tell_a_closing_and_is_no_comment() -> None:
    issue = rest(payload(state="closed", closed_at=None), notes=[system("closed", "2013-10-02T09:22:45Z")])
    assert issue.comments() == ()
    assert [event.kind for event in issue.events] == ["status_changed", "opened"]
    assert issue.gaps == ()


def test_an_event_and_the_old_note_of_the_same_closing_are_one() -> None:
    closed = {"id": 5, "user": BOB, "created_at": "2026-03-02T09:30:00.1Z", "state": "closed"}
    issue = rest(payload(state="closed"), states=[closed], notes=[system("closed", "2026-03-02T09:30:01Z")])
    assert len([event for event in issue.events if isinstance(event, StatusChanged)]) == 1


def test_a_reopening_without_a_closing_is_a_gap() -> None:
    issue = rest(states=[{"id": 5, "user": BOB, "created_at": "2026-03-02T09:30:00Z", "state": "reopened"}])
    assert [gap.kind for gap in issue.gaps] == [GapKind.HISTORY]


def test_a_label_that_went_without_a_word_is_a_gap() -> None:
    added = {"id": 1, "user": BOB, "created_at": "2026-03-02T09:10:00Z", "label": {"name": "b"}, "action": "add"}
    assert rest(payload(labels=["b"]), labels=[added]).gaps == ()
    (gap,) = rest(payload(labels=[]), labels=[added]).gaps
    assert "'b'" in gap.detail


def test_a_label_put_on_and_taken_off_within_a_second_leaves_nothing() -> None:
    events = [
        {"id": n, "user": BOB, "created_at": f"2026-03-02T09:10:00.{n}Z", "label": {"name": "b"}, "action": action}
        for n, action in enumerate(("add", "remove"), start=1)
    ]
    issue = rest(labels=events)
    assert not [event for event in issue.events if isinstance(event, LabelsChanged)]
    assert issue.gaps == ()


def test_a_moved_issue_says_where_it_went_and_is_not_resolved() -> None:
    moved = system("moved to other#9", "2026-03-02T09:30:00Z")
    issue = rest(payload(state="closed", closed_at="2026-03-02T09:30:00Z", moved_to_id=99), notes=[moved])
    (event,) = (event for event in issue.events if isinstance(event, Moved))
    assert (event.before, event.after) == ("acme/car#7", "acme/other#9")
    assert issue.resolution == "moved"


def test_one_assignee_of_several_changes_the_first_only_when_the_first_changes() -> None:
    issue = rest(
        payload(assignees=[BOB, ALICE]),
        notes=[
            system("assigned to @cleo", "2026-03-02T09:10:00Z"),
            system("assigned to @bob and unassigned @cleo", "2026-03-02T09:20:00Z"),
            system("assigned to @alice", "2026-03-02T09:30:00Z"),
        ],
    )
    changes = [event for event in issue.events if isinstance(event, AssigneeChanged)]
    assert [(event.before, event.after) for event in changes] == [(None, "cleo"), ("cleo", "bob")]


def test_internal_notes_are_not_public_under_either_name() -> None:
    notes = [
        {"id": 1, "body": "a", "author": BOB, "created_at": "2026-03-02T09:10:00Z", "internal": True},
        {"id": 2, "body": "b", "author": BOB, "created_at": "2026-03-02T09:11:00Z", "confidential": True},
        {
            "id": 3,
            "body": "c",
            "author": None,
            "created_at": "2026-03-02T09:12:00Z",
            "updated_at": "2026-03-02T09:20:00Z",
        },
    ]
    comments = rest(notes=notes).comments()
    assert [comment.public for comment in comments] == [False, False, True]
    assert comments[2].actor == NOBODY
    assert comments[2].edited_at == datetime(2026, 3, 2, 9, 20, tzinfo=UTC)


def test_what_our_account_did_is_ours() -> None:
    note = {"id": 1, "body": "a", "author": BOB, "created_at": "2026-03-02T09:10:00Z"}
    issue = with_own(rest(payload(assignees=[BOB]), notes=[note]), "bob")
    assert [event.actor.role for event in issue.events] == [Role.UNKNOWN, Role.OWN]
    assert issue.assignee is not None
    assert issue.assignee.role is Role.OWN


@pytest.mark.parametrize("missing", ["id", "iid", "created_at"])
def test_an_issue_without_what_it_needs_is_refused_by_name(missing: str) -> None:
    broken = payload(references=None)
    del broken[missing]
    with pytest.raises(Malformed):
        rest(broken)


def test_a_broken_note_is_a_gap_and_stops_nothing() -> None:
    notes = [
        {"id": 1, "body": "a", "author": BOB, "created_at": None},
        {"id": 2, "body": "b", "author": BOB, "created_at": "2026-03-02T09:11:00Z"},
    ]
    issue = rest(notes=notes, states=[{"id": 3, "state": "closed", "created_at": "then"}])
    assert [comment.text for comment in issue.comments()] == ["b"]
    assert sorted(gap.kind for gap in issue.gaps) == [GapKind.COMMENTS, GapKind.HISTORY]


def spots(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every place in a payload: what holds it, and where in it."""
    for place, member in value.items() if isinstance(value, dict) else enumerate(value):
        yield value, place
        if isinstance(member, dict | list):
            yield from spots(member)


def busy() -> dict[str, Any]:
    said = {"id": "gid://gitlab/Note/31", "body": "Hello", "author": ALICE, "createdAt": "2026-03-02T09:51:00Z"}
    told = [
        system("added ~11 label", "2026-03-02T09:10:00Z", BOB, "label", 2),
        system("closed", "2026-03-02T09:30:00Z", BOB, "closed", 3),
    ]
    discussions = {
        "pageInfo": {"hasNextPage": False},
        "nodes": [{"notes": {"nodes": [note]}} for note in (said, *told)],
    }
    label = {"id": "gid://gitlab/ProjectLabel/11", "title": "a"}
    return node(
        widgets=[
            {"type": "ASSIGNEES", "assignees": {"nodes": [BOB]}},
            {"type": "LABELS", "labels": {"pageInfo": {"hasNextPage": False}, "nodes": [label]}},
            {"type": "MILESTONE", "milestone": {"title": "1.4"}},
            {"type": "START_AND_DUE_DATE", "dueDate": "2026-04-01"},
            {"type": "LINKED_ITEMS", "linkedItems": {"nodes": [{"linkType": "blocks", "workItem": {"id": "7"}}]}},
            {"type": "DEVELOPMENT", "closingMergeRequests": {"nodes": [{"mergeRequest": {"state": "merged"}}]}},
            {"type": "NOTES", "discussions": discussions},
        ]
    )


@pytest.mark.parametrize("other", [None, 7, "x", True, [], [[]], {}, [{}]], ids=repr)
def test_what_is_of_another_type_than_it_should_be_is_absent_in_a_work_item(other: object) -> None:
    for which in range(len(list(spots(busy())))):
        changed = copy.deepcopy(busy())
        held, place = list(spots(changed))[which]
        held[place] = copy.deepcopy(other)
        thread = Thread(changed)
        discussions = thread.widgets.get("NOTES", {}).get("discussions")
        thread.take(discussions if isinstance(discussions, dict) else {})
        with contextlib.suppress(Malformed):
            notes = thread.notes.values()
            assert work_item(changed, thread.widgets, notes, Names(), "gl", "acme/car").events[0].kind == "opened"


@pytest.mark.parametrize("state", [None, 7, [], {}])
def test_a_state_that_is_none_is_a_gap(state: object) -> None:
    issue = rest(states=[{"id": 5, "user": BOB, "created_at": "2026-03-02T09:30:00Z", "state": state}])
    assert "unknown state" in issue.gaps[0].detail


def test_more_deleted_labels_than_there_can_be_are_not_counted() -> None:
    assert read(f"added {'9' * 5000} deleted labels", "label") is None


# ------------------------------------------------------------------------------------------------ what a merge fixes


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("Closes #7", ("acme/car#7",)),
        ("closed: #7 and #8, #9", ("acme/car#7", "acme/car#8", "acme/car#9")),
        ("Closes issues #7 #8", ("acme/car#7", "acme/car#8")),
        ("Closes https://gl.example/acme/car/issues/4 and #5", ("acme/car#4", "acme/car#5")),
        ("CLOSES #7", ()),
        ("Fixes other#3", ("acme/other#3",)),
        ("Resolves group/sub/proj#12.", ("group/sub/proj#12",)),
        ("Implements https://gl.example/acme/car/-/issues/4", ("acme/car#4",)),
        ("Fixing https://gl.example/acme/car/-/work_items/4", ("acme/car#4",)),
        ("Closes https://evil.example/acme/car/-/issues/4", ()),
        ("Related to #7", ()),
        ("prefixes #7", ()),
        ("Closes #7 for CAR-12 and UTF-8", ("acme/car#7", "CAR-12", "UTF-8")),
        ("nothing", ()),
    ],
)
def test_a_merge_request_names_what_it_fixes(text: str, keys: tuple[str, ...]) -> None:
    assert fixed_issues({"description": text}, "acme/car", "https://gl.example") == keys


def test_jira_keys_come_from_title_and_branch_too() -> None:
    request = {"title": "CAR-1: mend", "description": None, "source_branch": "CAR-2-mend"}
    assert fixed_issues(request, "acme/car", "https://gl.example") == ("CAR-1", "CAR-2")


# ---------------------------------------------------------------------------------------------------- shared data


def lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]


def objects(record: Any) -> list[dict[str, Any]]:
    data = record["data"]
    return [one for one in (data if isinstance(data, list) else [data]) if isinstance(one, dict)]


@pytest.mark.shared_data
def test_real_issues_become_facts_or_a_plain_refusal(shared_data: Path) -> None:
    folder = shared_data / "gitlab"
    read_in = 0
    refusals: list[str] = []
    for issue in (one for record in lines(folder / "issues.jsonl") for one in objects(record)):
        try:
            made = rest_issue(issue, RestHistory(), "gl", "group/project")
        except Malformed as error:
            refusals.append(str(error))
            continue
        read_in += 1
        assert made.title == issue["title"]
        assert made.events[0].kind == "opened" or made.status.id == "closed"
        assert made.labels == {str(name) for name in issue.get("labels") or []}
    assert read_in > 75
    assert all(refusals)
    assert len(refusals) < 10


@pytest.mark.shared_data
def test_real_notes_and_events_become_events(shared_data: Path) -> None:
    folder = shared_data / "gitlab"
    every: dict[str, list[dict[str, Any]]] = {}
    for name in ("notes", "discussions", "resource_label_events", "resource_state_events", "resource_milestone_events"):
        every[name] = [one for record in lines(folder / f"{name}.jsonl") for one in objects(record)]
    notes = [note for one in [*every["notes"], *every["discussions"]] for note in one.get("notes", [one])]
    for position in range(0, len(notes), 10):
        rest(notes=notes[position : position + 10])
    issue = rest(
        notes=notes,
        labels=every["resource_label_events"],
        states=every["resource_state_events"],
        milestones=every["resource_milestone_events"],
    )
    spoken = {str(note["id"]) for note in notes if not note["system"]}
    assert {comment.comment for comment in issue.comments()} == spoken
    assert {"labels_changed", "status_changed", "assignee_changed", "moved"} <= {event.kind for event in issue.events}
    # The fixtures of milestone events lack their instant, which is said and not made up.
    assert [gap for gap in issue.gaps if "milestone event" in gap.detail]


@pytest.mark.shared_data
def test_real_merge_requests_are_read(shared_data: Path) -> None:
    found: set[str] = set()
    for request in (
        one for record in lines(shared_data / "gitlab" / "merge_requests.jsonl") for one in objects(record)
    ):
        found.update(fixed_issues(request, "group/project", "https://gitlab.com"))
    assert any("#" in key for key in found)


# Of the vendor's public schema, and not of the slice beside the tests.
_MORE_OF_THE_SCHEMA = """
extend type Query { currentUser: UserCore metadata: Metadata }
extend type Project {
  milestones(first: Int, after: String): MilestoneConnection
  workItemTypes(first: Int): WorkItemTypeConnection
  mergeRequests(state: MergeRequestState, sort: MergeRequestSort, first: Int): MergeRequestConnection
  releases(first: Int, after: String): ReleaseConnection
}
extend type WorkItem { reference(full: Boolean): String! }
extend type MergeRequest { updatedAt: Time! }
enum MergeRequestState { merged opened closed locked all }
enum MergeRequestSort { UPDATED_DESC UPDATED_ASC }
type Metadata { version: String! }
type MilestoneConnection { nodes: [Milestone] pageInfo: PageInfo! }
type WorkItemTypeConnection { nodes: [WorkItemType] }
type MergeRequestConnection { nodes: [MergeRequest] }
type ReleaseLinks { selfUrl: String }
type Commit { sha: String! }
type Release { tagName: String name: String releasedAt: Time createdAt: Time links: ReleaseLinks commit: Commit }
type ReleaseConnection { nodes: [Release] pageInfo: PageInfo! }
"""


@pytest.mark.shared_data
def test_our_queries_are_words_of_the_vendor(shared_specs: Path) -> None:
    slice_ = (shared_specs / "gitlab-19.2-workitems" / "subset.graphql").read_text(encoding="utf-8")
    # An argument that the slice leaves out of the vendor's; a field's arguments can not be extended.
    slice_ = slice_.replace("createdAfter: Time,", "createdAfter: Time, createdBefore: Time,")
    schema = build_schema(slice_ + _MORE_OF_THE_SCHEMA)
    texts = {
        name: text
        for name, text in vars(documents).items()
        if name.isupper() and not name.startswith("_") and isinstance(text, str)
    }
    texts["more_discussions"] = documents.more_discussions(4)
    for n, widgets in enumerate(((), tuple(documents.WIDGETS), *((name,) for name in documents.WIDGETS))):
        texts[f"work_item {n}"] = documents.work_item(widgets)
        for beside in (False, True):
            texts[f"work_items {n} {beside}"] = documents.work_items(widgets, in_all=beside, span=n % 2 == 0)
    assert len(texts) > 20
    for name, text in texts.items():
        assert validate(schema, parse(text)) == [], name
        assert len(text) < 10_000


def test_references_are_made_whole() -> None:
    assert mapping.full_reference("#7", "acme/car") == "acme/car#7"
    assert mapping.full_reference("bus#7", "acme/sub/car") == "acme/sub/bus#7"
    assert mapping.full_reference("x/y#7", "acme/car") == "x/y#7"
    assert mapping.full_reference("/x/y#7", "acme/car") == "x/y#7"
