"""The port's promises, each a function over a ``Ground``: true for every tracker, and shown able to fail.

A promise takes a fresh ground and raises ``AssertionError`` (or the tracker's error).
"""

from __future__ import annotations

import traceback
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import date, timedelta

import pytest

from connectors.tracker import (
    CredentialsRefused,
    NotFound,
    TrackerError,
    TrackerReader,
    Unreachable,
    Unreadable,
)
from policies.changes import (
    Relabel,
    SetAssignee,
    SetDueDate,
    SetPriority,
    UpsertComment,
    UpsertLink,
)
from policies.document import BulletList, Document, Heading, Paragraph, Table, Text
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
from policies.receipt import Outcome
from tests.ground import (
    DUE,
    Ground,
    all_of,
    capabilities,
    document,
    leaves,
    note,
    our_notes,
    own_events,
    perform,
    possible,
    read,
    readable,
    reading,
    report,
    visible,
    writing,
)

HOSTILE = (
    "/close",
    "  /label ~pwned",
    "/assign @bob",
    "@bob @all look",
    "{code}not code{code} {color:red}red{color}",
    "*bold* _it_ -del- +ins+ ^up^ ~down~ ??cite??",
    "[click|http://evil.test] ![pic](http://evil.test/x.png)",
    "<script>alert(1)</script> &amp; <!-- hidden -->",
    "# heading > quote | cell || head",
    "h1. heading",
    "1. first",
    "- item",
    "`tick` ```fence``` \\backslash\\ #1 !1 ~1 $1",
    "中文 🚗 “quotes”",
)


Promise = Callable[[Ground], None]
PROMISES: list[Promise] = []


def promise(function: Promise) -> Promise:
    PROMISES.append(function)
    return function


# ------------------------------------------------------------------------------------------------- who, where, whether


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


# ------------------------------------------------------------------------------------------------------------- reading


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
        writer.perform(issues[0], note("All is well."), ground.now)
        reader.issue(key)
        counted = sum(reader.requests.values()) + sum(writer.requests.values())
    assert counted == ground.received() - before > 0


# ------------------------------------------------------------------------------------------------------------- writing


@promise
def after_a_change_it_is_so(ground: Ground) -> None:
    key = ground.opens("Pump leaks", labels=["sla-ok", "vip"])
    for change in possible(ground):
        issue = read(ground, key)
        receipt = perform(ground, issue, change)
        assert (receipt.outcome, receipt.change, receipt.at) == (Outcome.PERFORMED, change, receipt.at)
        assert receipt.issue is not None
        assert receipt.issue.id == issue.ref.id
        if not isinstance(change, UpsertLink):  # its proof is the label, which is written after it
            assert change.satisfied_by(read(ground, key)), f"not so after it was performed: {change}"
    perform(ground, read(ground, key), SetDueDate(None))
    assert read(ground, key).due is None
    if capabilities(ground).web_links:
        assert len(ground.really(key).links) == 1


@promise
def a_change_twice_is_a_change_once(ground: Ground) -> None:
    key = ground.opens("Pump leaks", labels=["sla-ok"])
    for change in possible(ground):
        perform(ground, read(ground, key), change)
        once = ground.really(key)
        perform(ground, read(ground, key), change)
        again = ground.really(key)
        if isinstance(change, UpsertLink):  # it is replaced by itself, which some trackers note
            again = replace(again, history=once.history)
        assert again == once, f"performed again, it changed something: {change}"


@promise
def labels_of_others_stay(ground: Ground) -> None:
    key = ground.opens("Pump leaks", labels=["vip", "sla-ok", "中文标签"])
    issue = read(ground, key)
    ground.relabels(key, add=["urgent"])
    perform(ground, issue, Relabel(add=("sla-at-risk",), remove=("sla-ok", "never-was-there")))
    assert ground.really(key).labels == {"vip", "中文标签", "urgent", "sla-at-risk"}


@promise
def the_receipt_holds_what_stood_there(ground: Ground) -> None:
    key = ground.opens("Pump leaks", labels=["sla-ok", "vip"])
    before = ground.really(key)
    receipt = perform(ground, read(ground, key), Relabel(add=("sla-at-risk",), remove=("sla-ok",)))
    assert {"sla-ok", "vip"} <= leaves(receipt.prior)
    assert "sla-at-risk" not in leaves(receipt.prior)
    assert "None" in leaves(perform(ground, read(ground, key), SetDueDate(DUE)).prior)
    assert DUE.isoformat() in leaves(perform(ground, read(ground, key), SetDueDate(date(2026, 5, 1))).prior)
    perform(ground, read(ground, key), SetAssignee(ground.colleague))
    assert ground.colleague in leaves(perform(ground, read(ground, key), SetAssignee(ground.own)).prior)
    if capabilities(ground).priorities:
        with reading(ground) as reader:
            first = reader.words(ground.project).priorities[0]
        receipt = perform(ground, read(ground, key), SetPriority(first.id))
        assert str(before.priority) in leaves(receipt.prior)
    first_note = perform(ground, read(ground, key), note("The first words."))
    assert leaves(first_note.prior) == {"None"}
    second = perform(ground, read(ground, key), note("Other words."))
    told = leaves(second.prior)
    assert first_note.made in told
    assert second.made == first_note.made == our_notes(ground, key)[0].id
    assert any("The first words." in value for value in told)


@promise
def a_sticky_comment_is_edited_in_place(ground: Ground) -> None:
    key = ground.opens("Pump leaks")
    perform(ground, read(ground, key), note("At risk."))
    (first,) = our_notes(ground, key)
    ground.says(key, "Thank you! warranty-flows:clocks:0123456789ab")
    perform(ground, read(ground, key), note("Overdue."))
    (second,) = (one for one in our_notes(ground, key) if one.author == first.author)
    assert second.id == first.id
    assert "Overdue." in second.text
    assert "At risk." not in second.text
    other = UpsertComment("patch", document("Released."))
    perform(ground, read(ground, key), other)
    assert len(our_notes(ground, key, "patch")) == 1
    issue = read(ground, key)
    assert other.satisfied_by(issue)
    assert note("Overdue.").satisfied_by(issue)


@promise
def an_internal_comment_is_not_public(ground: Ground) -> None:
    key = ground.opens("Pump leaks")
    internal = note("Between us.", internal=True)
    perform(ground, read(ground, key), internal)
    (stored,) = our_notes(ground, key)
    (comment,) = read(ground, key).comments()
    can = capabilities(ground).internal_comments
    assert (stored.internal, comment.public) == (can, not can)
    perform(ground, read(ground, key), note("Between us, still.", internal=True))
    (stored,) = our_notes(ground, key)
    assert stored.internal == can


@promise
def hostile_text_is_read_as_it_stands_and_triggers_nothing(ground: Ground) -> None:
    key = ground.opens("Pump leaks", labels=["vip"])
    before = ground.really(key)
    change = UpsertComment(
        "clocks",
        Document(
            (
                Paragraph((Text("\n".join(HOSTILE)),)),
                Heading(HOSTILE[0]),
                BulletList(tuple((Text(line),) for line in HOSTILE)),
                Table((HOSTILE[4],), tuple(((Text(line),),) for line in HOSTILE)),
                Paragraph(tuple(Text(line, strong=True) for line in HOSTILE[:3])),
            )
        ),
    )
    perform(ground, read(ground, key), change)
    after = ground.really(key)
    assert (after.open, after.labels, after.assignee) == (before.open, before.labels, before.assignee)
    assert ground.called() == ()
    issue = read(ground, key)
    assert change.satisfied_by(issue)
    (comment,) = issue.comments()
    shown = visible(comment.text)
    for line in HOSTILE:
        times = shown.count(visible(line))
        assert times >= 3, f"read {times} times, written three times or more: {line!r} in {shown!r}"


@promise
def one_report_is_made_and_edited_in_place(ground: Ground) -> None:
    ground.opens("Pump leaks")
    made = perform(ground, None, report(ground, "One breach."))
    assert made.issue is not None
    issue = read(ground, made.issue.key)
    assert report(ground, "One breach.").satisfied_by(issue)
    assert issue.title == "Warranty summary"
    assert "warranty-report" in issue.labels
    again = perform(ground, issue, report(ground, "Two breaches."))
    assert again.issue is not None
    assert again.issue.id == made.issue.id
    assert len(ground.keys()) == 2
    changed = read(ground, made.issue.key)
    assert report(ground, "Two breaches.").satisfied_by(changed)
    assert not report(ground, "One breach.").satisfied_by(changed)


# ---------------------------------------------------------------------------------------------------------- what breaks


@promise
def a_429_on_a_read_is_waited_for_as_long_as_asked(ground: Ground) -> None:
    key = ground.opens("Pump leaks")
    with reading(ground) as reader:
        reader.own_account()
        ground.refuses_next(status=429, retry_after=7)
        found = readable(list(reader.changed_since(ground.project, None)))
    assert [issue.ref.key for issue in found] == [key]
    assert ground.waits == [7.0]


@promise
def a_500_on_a_read_is_survived(ground: Ground) -> None:
    key = ground.opens("Pump leaks")
    with reading(ground) as reader:
        reader.own_account()
        ground.refuses_next(status=500)
        found = readable(list(reader.changed_since(ground.project, None)))
        ground.refuses_next(status=502)
        assert reader.issue(key) in found
    assert len(ground.waits) == 2


def _until_it_is_so(ground: Ground, key: str, change: UpsertComment) -> None:
    """Run after run, as the flows do it: read, and perform what is not so."""
    for _ in range(3):
        issue = read(ground, key)
        if change.satisfied_by(issue):
            return
        with suppress(TrackerError):
            perform(ground, issue, change)
    assert change.satisfied_by(read(ground, key)), "three runs did not bring it about"


@promise
def a_lost_answer_leaves_one_comment(ground: Ground) -> None:
    for cut in (False, True):
        key = ground.opens(f"Pump leaks ({cut})")
        ground.loses_next_answer(text="warranty-flows:", cut=cut)
        _until_it_is_so(ground, key, note("All is well."))
        assert len(our_notes(ground, key)) == 1, "a comment stands twice"
        ground.loses_next_answer(text="warranty-flows:", cut=cut)
        _until_it_is_so(ground, key, note("All is worse."))
        assert len(our_notes(ground, key)) == 1, "a comment stands twice after an edit"


@promise
def a_500_on_writing_a_comment_leaves_one_comment(ground: Ground) -> None:
    key = ground.opens("Pump leaks")
    ground.refuses_next(status=500, text="warranty-flows:")
    _until_it_is_so(ground, key, note("All is well."))
    assert len(our_notes(ground, key)) == 1


@promise
def a_lost_answer_leaves_one_report(ground: Ground) -> None:
    ground.loses_next_answer(text="warranty-flows:")
    made = None
    for _ in range(2):
        with suppress(TrackerError):
            made = perform(ground, None, report(ground, "One breach."))
    assert made is not None
    assert made.issue is not None
    assert report(ground, "One breach.").satisfied_by(read(ground, made.issue.key))
    assert ground.keys() == (made.issue.key,)
