"""What the port promises of writing: it is so afterwards, once, and nothing else is touched."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date

import pytest

from connectors.tracker import NotFound, PermissionRefused, Rejected
from connectors.work import Work, Worked
from policies.changes import (
    Change,
    Relabel,
    SetAssignee,
    SetDueDate,
    SetPriority,
    UpsertComment,
    UpsertLink,
    UpsertReport,
)
from policies.document import BulletList, Document, Heading, Paragraph, Table, Text
from policies.receipt import Outcome
from tests.ground import (
    DUE,
    Ground,
    capabilities,
    document,
    leaves,
    link,
    note,
    our_notes,
    perform,
    performed,
    possible,
    promise,
    read,
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


@promise
def after_a_change_it_is_so(ground: Ground) -> None:
    key = ground.opens("Pump leaks", labels=["sla-ok", "vip"])
    for change in possible(ground):
        issue = read(ground, key)
        now = ground.now
        receipt = perform(ground, issue, change)
        assert (receipt.outcome, receipt.change, receipt.at) == (Outcome.PERFORMED, change, now)
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
    if capabilities(ground).web_links:
        assert json.loads(perform(ground, read(ground, key), link()).prior) == {"link": None}


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
    assert json.loads(made.prior) == {"report": None}
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
    # Looked for, as a run does that has lost its ledger.
    found = perform(ground, None, report(ground, "Three breaches."))
    for receipt, text in ((again, "One breach."), (found, "Two breaches.")):
        prior = json.loads(receipt.prior)
        assert (prior.keys(), prior["report"]) == ({"report", "title", "text"}, made.issue.key)
        assert prior["title"] == "Warranty summary"
        assert text in prior["text"]


@promise
def a_mark_that_somebody_else_planted_is_not_taken_for_ours(ground: Ground) -> None:
    key = ground.opens("Pump leaks")
    planted = f"Nothing to see here.\n{note('All is well.').mark}"
    ground.says(key, planted)
    before = ground.really(key).comments
    issue = read(ground, key)
    assert not note("All is well.").satisfied_by(issue)
    perform(ground, issue, note("All is well."))
    after = ground.really(key).comments
    assert after[0] == before[0], "a customer's comment was edited"
    assert [comment.author for comment in after] == [before[0].author, ground.own]


@promise
def of_two_comments_of_ours_the_oldest_is_edited_and_the_other_left(ground: Ground) -> None:
    key = ground.opens("Pump leaks")
    perform(ground, read(ground, key), note("At risk."))
    (first,) = our_notes(ground, key)
    ground.says(key, first.text, by_us=True)
    assert len(our_notes(ground, key)) == 2
    perform(ground, read(ground, key), note("Overdue."))
    oldest, other = our_notes(ground, key)
    assert "Overdue." in oldest.text
    assert (oldest.id, other.text) == (first.id, first.text)
    assert note("Overdue.").satisfied_by(read(ground, key))


@promise
def without_the_right_to_write_nothing_is_written_and_the_error_says_so(ground: Ground) -> None:
    key = ground.opens("Pump leaks", labels=["sla-ok"])
    issue, before = read(ground, key), ground.really(key)
    for change in [*possible(ground), report(ground, "One breach.")]:
        with writing(ground, ground.connection(token=ground.watching)) as writer:
            # GitLab's GraphQL has one answer for both: it "does not exist or you don't have permission".
            with pytest.raises((PermissionRefused, NotFound)) as caught:
                performed(writer, None if isinstance(change, UpsertReport) else issue, change, ground.now)
            assert ground.watching not in str(caught.value)
    assert ground.really(key) == before
    assert ground.keys() == (key,)


@promise
def what_the_tracker_does_not_know_is_refused_and_changes_nothing(ground: Ground) -> None:
    key = ground.opens("Pump leaks", labels=["vip"])
    issue, before = read(ground, key), ground.really(key)
    for change in (SetAssignee("nobody-is-called-that"), SetPriority("No Such Priority")):
        with pytest.raises((Rejected, NotFound)):
            perform(ground, issue, change)
    assert ground.really(key) == before


# ------------------------------------------------------------------------------------------- all changes of an issue


def together(ground: Ground) -> tuple[Change, ...]:
    """A change of every kind this tracker can do, as a plan gives them: each once, the labels last, a proof among them."""
    can = capabilities(ground)
    changes: list[Change] = [SetDueDate(DUE), SetAssignee(ground.colleague), note("All is well.")]
    labels = ["sla-at-risk", "sla-tier-L2"]
    if can.priorities:
        with reading(ground) as reader:
            changes.append(SetPriority(reader.words(ground.project).priorities[0].id))
    if can.web_links:
        changes.append(link())
        labels.append(link().proof)
    return (*changes, Relabel(add=tuple(labels), remove=("sla-ok",)))


def perform_all(ground: Ground, *work: tuple[str, tuple[Change, ...]]) -> list[Worked]:
    """The answers of a new writer to the changes of some issues, by key, each as it is read now."""
    pieces = [Work(read(ground, key), changes) for key, changes in work]
    with writing(ground) as writer:
        return list(writer.perform(pieces, ground.now))


@promise
def all_changes_of_an_issue_given_together_are_done_each_with_its_receipt(ground: Ground) -> None:
    key = ground.opens("Pump leaks", labels=["sla-ok", "vip"])
    perform(ground, read(ground, key), SetDueDate(date(2026, 5, 1)))
    perform(ground, read(ground, key), note("The first words."))
    (standing,) = our_notes(ground, key)
    changes = together(ground)
    (worked,) = perform_all(ground, (key, changes))
    issue = read(ground, key)
    assert worked.failure is None
    assert tuple(receipt.change for receipt in worked.receipts) == changes
    assert {receipt.outcome for receipt in worked.receipts} == {Outcome.PERFORMED}
    assert {receipt.issue.id for receipt in worked.receipts if receipt.issue} == {issue.ref.id}
    assert [change for change in changes if not change.satisfied_by(issue)] == [], "told as done, and not so"
    told = {receipt.change.kind: receipt for receipt in worked.receipts}
    assert "2026-05-01" in leaves(told["set_due_date"].prior)
    assert "None" in leaves(told["set_assignee"].prior)
    assert any("The first words." in value for value in leaves(told["upsert_comment"].prior))
    assert told["upsert_comment"].made == standing.id
    assert "vip" in issue.labels
    assert len(our_notes(ground, key)) == 1


@promise
def one_refused_change_neither_undoes_nor_hides_the_others(ground: Ground) -> None:
    key = ground.opens("Pump leaks", labels=["sla-ok"])
    refused = SetAssignee("nobody-is-called-that")
    relabel = Relabel(add=("sla-at-risk",), remove=("sla-ok",))
    changes = (SetDueDate(DUE), refused, note("All is well."), relabel)
    (worked,) = perform_all(ground, (key, changes))
    issue = read(ground, key)
    assert isinstance(worked.failure, Rejected | NotFound)
    assert tuple(receipt.change for receipt in worked.receipts) == changes
    for receipt in worked.receipts:
        failed = receipt.change == refused
        assert receipt.outcome is (Outcome.FAILED if failed else Outcome.PERFORMED)
        assert bool(receipt.error) is failed
        assert receipt.change.satisfied_by(issue) is not failed
    assert ground.really(key).assignee is None


@promise
def a_refused_link_leaves_its_proof_off(ground: Ground) -> None:
    key = ground.opens("Pump leaks")
    refused = replace(link(), global_id="x" * 300)  # at most 255 characters
    (worked,) = perform_all(ground, (key, (refused, Relabel(add=(refused.proof,)))))
    assert isinstance(worked.failure, Rejected | NotFound)
    assert [receipt.outcome for receipt in worked.receipts] == [Outcome.FAILED, Outcome.NOT_TRIED]
    assert ground.really(key).labels == frozenset()


@promise
def a_refused_assignment_leaves_its_proof_off(ground: Ground) -> None:
    key = ground.opens("Pump leaks", labels=["tier-1"])
    refused = SetAssignee("nobody-is-called-that", proof="tier-2")
    (worked,) = perform_all(ground, (key, (refused, Relabel(add=(refused.proof,)))))
    assert isinstance(worked.failure, Rejected | NotFound)
    assert Outcome.PERFORMED not in {receipt.outcome for receipt in worked.receipts}
    assert ground.really(key).labels == {"tier-1"}


@promise
def a_failure_on_one_issue_stops_no_other_and_the_answers_come_in_order(ground: Ground) -> None:
    keys = [ground.opens(f"Pump {number}", labels=["sla-ok"]) for number in range(3)]
    well = (SetDueDate(DUE), Relabel(add=("sla-at-risk",), remove=("sla-ok",)))
    badly = (SetAssignee("nobody-is-called-that"), SetAssignee("nor-that"))
    worked = perform_all(ground, (keys[0], well), (keys[1], badly), (keys[2], well))
    assert [one.failure is not None for one in worked] == [False, True, False]
    told = [{receipt.issue.key for receipt in one.receipts if receipt.issue} for one in worked]
    assert told == [{key} for key in keys]
    for key in (keys[0], keys[2]):
        issue = read(ground, key)
        assert all(change.satisfied_by(issue) for change in well)
    assert ground.really(keys[1]).labels == {"sla-ok"}


@promise
def a_change_that_ended_unknown_among_several_is_done_once(ground: Ground) -> None:
    changes = (SetDueDate(DUE), note("All is well."), Relabel(add=("sla-at-risk",), remove=("sla-ok",)))
    for trouble in ("lost", "cut", "failed"):
        key = ground.opens(f"Pump leaks ({trouble})", labels=["sla-ok"])
        if trouble == "failed":
            ground.refuses_next(status=500, text="warranty-flows:")
        else:
            ground.loses_next_answer(text="warranty-flows:", cut=trouble == "cut")
        for _ in range(3):
            issue = read(ground, key)
            if left := tuple(change for change in changes if not change.satisfied_by(issue)):
                perform_all(ground, (key, left))
        issue = read(ground, key)
        assert all(change.satisfied_by(issue) for change in changes), "three runs did not bring it about"
        assert len(our_notes(ground, key)) == 1, "a comment stands twice"
