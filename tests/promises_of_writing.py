"""What the port promises of writing: it is so afterwards, once, and nothing else is touched."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from policies.changes import (
    Relabel,
    SetAssignee,
    SetDueDate,
    SetPriority,
    UpsertComment,
    UpsertLink,
)
from policies.document import BulletList, Document, Heading, Paragraph, Table, Text
from policies.receipt import Outcome
from tests.ground import (
    DUE,
    Ground,
    capabilities,
    document,
    leaves,
    note,
    our_notes,
    perform,
    possible,
    promise,
    read,
    reading,
    report,
    visible,
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
