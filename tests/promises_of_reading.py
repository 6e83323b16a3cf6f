"""What the port promises of reading: who, where, whether; every issue once, whole, in order."""

from __future__ import annotations

import traceback
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest

from connectors.tracker import (
    CredentialsRefused,
    NotFound,
    TrackerReader,
    Unreachable,
    Unreadable,
)
from policies.issue import (
    AssigneeChanged,
    Commented,
    DueDateChanged,
    GapKind,
    Issue,
    LabelsChanged,
    Opened,
    PriorityChanged,
    Role,
    StatusChanged,
)
from tests.ground import (
    Ground,
    all_of,
    capabilities,
    note,
    own_events,
    perform,
    performed,
    possible,
    promise,
    read,
    readable,
    reading,
    writing,
)


@promise
def the_own_account_is_known(ground: Ground) -> None:
    with reading(ground) as reader:
        account = reader.own_account()
    assert account.id == ground.own
    assert account.role is Role.OWN


@promise
def a_wrong_token_is_refused_and_not_repeated(ground: Ground) -> None:
    key = ground.opens("Pump leaks")
    secret = "wrong-7hWqZ9x-token"
    tries: list[Callable[[TrackerReader], object]] = [
        lambda reader: reader.own_account(),
        lambda reader: list(reader.changed_since(ground.project, None)),
        lambda reader: list(reader.ids(ground.project)),
        lambda reader: reader.issue(key),
        lambda reader: reader.releases(ground.project),
    ]
    for attempt in tries:
        with reading(ground, ground.connection(token=secret)) as reader:
            with pytest.raises(CredentialsRefused) as caught:
                attempt(reader)
            told = (
                "".join(traceback.format_exception(caught.value)) + repr(vars(caught.value)) + repr(caught.value.args)
            )
            assert secret not in told, "the error repeats the token"
    assert secret not in repr(ground.connection(token=secret))


@promise
def a_project_that_is_not_there_is_not_found(ground: Ground) -> None:
    with reading(ground) as reader, pytest.raises(NotFound):
        list(reader.changed_since("NOSUCH", None))
    with reading(ground) as reader, pytest.raises(NotFound):
        list(reader.ids("NOSUCH"))
    with reading(ground) as reader, pytest.raises(NotFound):
        reader.releases("NOSUCH")


@promise
def an_issue_that_is_not_there_is_not_found(ground: Ground) -> None:
    key = ground.opens("Pump leaks")
    with reading(ground) as reader, pytest.raises(NotFound):
        reader.issue(key + "99")


@promise
def a_dead_server_is_unreachable(ground: Ground) -> None:
    with reading(ground, ground.connection(dead=True)) as reader, pytest.raises(Unreachable):
        reader.own_account()


@promise
def the_project_and_its_words_are_listed(ground: Ground) -> None:
    with reading(ground) as reader:
        assert ground.project in {project.key for project in reader.projects()}
        words = reader.words(ground.project)
        assert len({word.group for word in words.statuses} & {"new", "done"}) == 2
        assert words.types
        assert bool(words.priorities) == reader.capabilities().priorities
    key = ground.opens("Pump leaks")
    issue = read(ground, key)
    assert issue.status in words.statuses
    assert issue.type in words.types


@promise
def a_check_finds_nothing_wrong_where_all_is_well_and_names_a_missing_project(ground: Ground) -> None:
    ground.opens("Pump leaks")
    with reading(ground) as reader:
        assert [finding for finding in reader.check([ground.project]) if not finding.ok] == []
    with reading(ground) as reader:
        wrong = [finding for finding in reader.check([ground.project, "NOSUCH"]) if not finding.ok]
    assert wrong
    assert all("NOSUCH" in f"{finding.subject} {finding.detail}" and finding.advice for finding in wrong)


@promise
def every_issue_is_given_once(ground: Ground) -> None:
    keys = [ground.opens(f"Pump {n} leaks") for n in range(ground.past_a_page)]
    found = readable(all_of(ground))
    assert Counter(issue.ref.key for issue in found) == Counter(keys)
    assert {issue.title for issue in found} == {f"Pump {n} leaks" for n in range(ground.past_a_page)}


@promise
def the_whole_history_is_told_in_order_with_who_did_it(ground: Ground) -> None:
    start = ground.now - timedelta(days=3)
    key = ground.opens("Pump leaks", at=start)
    ground.says(key, "It still leaks.\n\nBadly.", at=start + timedelta(hours=1))
    ground.says(key, "Not for the customer.", internal=True, at=start + timedelta(hours=2))
    ground.closes(key, at=start + timedelta(hours=3))
    ground.relabels(key, add=["vip", "north"])
    ground.relabels(key, add=["south"], remove=["north"])
    ground.reopens(key)
    issue = read(ground, key)
    assert issue.gaps == ()
    assert issue.opened_at == start
    kinds = [event for event in issue.events if isinstance(event, Opened | Commented | StatusChanged | LabelsChanged)]
    assert [event.kind for event in kinds] == [
        "opened", "commented", "commented", "status_changed", "labels_changed", "labels_changed", "status_changed",
    ]  # fmt: skip
    assert [event.at for event in kinds[:4]] == [start + timedelta(hours=n) for n in range(4)]
    assert all(event.actor.id and event.actor.role is not Role.OWN for event in kinds)
    public, internal = issue.comments()
    assert public.public
    assert [line for line in public.text.splitlines() if line] == ["It still leaks.", "Badly."]
    assert (internal.public, internal.text) == (not capabilities(ground).internal_comments, "Not for the customer.")
    closed, reopened = (event for event in issue.events if isinstance(event, StatusChanged))
    assert closed.after == reopened.before
    assert closed.after.group == "done"
    assert reopened.after == closed.before == issue.status
    first, second = (event for event in issue.events if isinstance(event, LabelsChanged))
    assert (set(first.added), first.removed) == ({"vip", "north"}, ())
    assert (second.added, second.removed) == (("south",), ("north",))
    assert issue.labels == {"vip", "south"}


@promise
def one_issue_and_the_same_in_a_list_are_equal(ground: Ground) -> None:
    key = ground.opens("Pump leaks", labels=["vip"])
    ground.says(key, "It still leaks.")
    ground.closes(key)
    assert readable(all_of(ground)) == [read(ground, key)]


@promise
def since_is_inclusive_and_leaves_out_what_is_long_unchanged(ground: Ground) -> None:
    old = [ground.opens(f"Old {n}", at=ground.now - timedelta(days=30 - n)) for n in range(5)]
    edge = ground.opens("Edge", at=ground.now - timedelta(hours=1))
    fresh = ground.opens("Fresh", at=ground.now - timedelta(minutes=1))
    ground.says(old[0], "An old one stirs.")
    edge_at = read(ground, edge).updated_at
    found = {issue.ref.key for issue in readable(all_of(ground, edge_at))}
    assert {old[0], edge, fresh} <= found, "something that changed at or after `since` is missing"
    assert found == {old[0], edge, fresh}, "what is long unchanged was read again"


@promise
def what_changed_is_given_although_the_caller_holds_it(ground: Ground) -> None:
    keys = [ground.opens(f"Pump {n} leaks", at=ground.now - timedelta(hours=n)) for n in range(1, 4)]
    known = {issue.ref.id: issue.updated_at for issue in readable(all_of(ground))}
    ground.relabels(keys[1], add=["vip"])
    since = min(known.values())
    with reading(ground) as reader:
        found = readable(list(reader.changed_since(ground.project, since, known)))
    assert keys[1] in {issue.ref.key for issue in found}, "what changed was left out because it is held"
    assert {issue.ref.key for issue in found} <= set(keys)


@promise
def the_ids_are_those_of_all_issues_and_nothing_else(ground: Ground) -> None:
    keys = [ground.opens(f"Pump {n} leaks") for n in range(ground.past_a_page)]
    ground.closes(keys[0])
    ground.says(keys[1], "It still leaks.")
    with reading(ground) as reader:
        ids = list(reader.ids(ground.project))
        spent = reader.requests.total()
        assert Counter(ids) == Counter(reader.issue(key).ref.id for key in keys)
    assert spent < len(keys), "issues were read one by one for their ids"


@promise
def our_own_writes_show_in_the_history_as_ours(ground: Ground) -> None:
    key = ground.opens("Pump leaks")
    for change in possible(ground):
        perform(ground, read(ground, key), change)
    issue = read(ground, key)
    kinds = [LabelsChanged, DueDateChanged, AssigneeChanged, Commented]
    kinds += [PriorityChanged] if capabilities(ground).priorities else []
    for kind in kinds:
        assert own_events(issue, kind), f"no {kind.__name__} of ours in the history"
    others = [event for event in issue.events if event.actor.role is not Role.OWN]
    assert [event.kind for event in others if not isinstance(event, PriorityChanged)] == ["opened"]


@promise
def a_history_that_is_cut_short_is_a_gap(ground: Ground) -> None:
    key = ground.opens("Pump leaks")
    ground.closes(key)
    ground.reopens(key)  # it was never closed, as far as the latest entry goes
    assert read(ground, key).gaps == ()
    ground.shows_only(1)
    found = readable(all_of(ground))
    assert [gap.kind for issue in found for gap in issue.gaps] == [GapKind.HISTORY]


@promise
def one_broken_issue_stops_nobody(ground: Ground) -> None:
    keys = [ground.opens(f"Pump {n} leaks") for n in range(4)]
    ground.garbles(keys[1])
    found = all_of(ground)
    broken = [one for one in found if isinstance(one, Unreadable)]
    assert [one.key for one in broken] == [keys[1]]
    assert broken[0].reason
    assert sorted(one.ref.key for one in found if isinstance(one, Issue)) == sorted([keys[0], *keys[2:]])


@promise
def releases_say_when_customers_could_have_them_and_what_they_fix(ground: Ground) -> None:
    fixed, waiting = ground.opens("Pump leaks"), ground.opens("Hose leaks")
    ground.releases("v1.4.2", fixing=fixed, published=True)
    ground.releases("v1.5.0", fixing=waiting, published=False)
    with reading(ground) as reader:
        found = {release.name: release for release in reader.releases(ground.project)}
    out = found["v1.4.2"]
    assert out.published_at is not None
    assert out.published_at <= ground.now
    assert fixed in dict(out.carries) or "v1.4.2" in read(ground, fixed).fix_versions
    assert "v1.5.0" not in found or (found["v1.5.0"].published_at or ground.now + timedelta(1)) > ground.now
    assert all(waiting not in dict(release.carries) for release in found.values() if release.name != "v1.5.0")


@promise
def requests_are_counted(ground: Ground) -> None:
    key = ground.opens("Pump leaks")
    before = ground.received()
    with reading(ground) as reader, writing(ground) as writer:
        issues = readable(list(reader.changed_since(ground.project, None)))
        performed(writer, issues[0], note("All is well."), ground.now)
        reader.issue(key)
        counted = sum(reader.requests.values()) + sum(writer.requests.values())
    assert counted == ground.received() - before > 0


@promise
def a_long_thread_and_a_long_history_are_told_whole(ground: Ground) -> None:
    key = ground.opens("Pump leaks")
    for n in range(55):
        ground.says(key, f"It leaks for the {n}th day.")
        ground.relabels(key, add=[f"day-{n}"], remove=[f"day-{n - 1}"] if n else [])
    for issue in (read(ground, key), *readable(all_of(ground))):
        assert issue.gaps == ()
        assert [comment.text for comment in issue.comments()] == [f"It leaks for the {n}th day." for n in range(55)]
        relabelled = [event for event in issue.events if isinstance(event, LabelsChanged)]
        assert [event.added for event in relabelled] == [(f"day-{n}",) for n in range(55)]


@promise
def a_token_that_may_only_look_is_found_out_before_anything_is_written(ground: Ground) -> None:
    ground.opens("Pump leaks")
    with reading(ground, ground.connection(token=ground.watching)) as reader:
        wrong = [finding for finding in reader.check([ground.project]) if not finding.ok]
    assert wrong
    assert all(finding.detail and finding.advice for finding in wrong)
