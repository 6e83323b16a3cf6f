"""Foreign text at every place where we write to a GitLab: no command is run, nobody is called, no markup is left."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr

from connectors.gitlab import markdown
from connectors.gitlab.stand_in.quick_actions import WORDS, extract
from connectors.gitlab.tracker import GitLabReader, GitLabWriter
from connectors.retry import Retry
from connectors.sandbox.clock import Clock
from connectors.sandbox.nouns import Issue as Stored
from connectors.sandbox.server import Sandbox
from connectors.sandbox.store import Store
from connectors.tracker import Connection
from connectors.work import Work
from policies.changes import Change, Relabel, UpsertComment, UpsertReport
from policies.document import Block, BulletList, Document, Heading, Paragraph, Table, Text
from policies.receipt import Receipt
from tests.connectors.gitlab_page import ALLOWED, REFERENCE, Page

PROJECT = "acme/car"
NOW = datetime(2026, 3, 20, 12, 0, tzinfo=UTC)
OWN = "token-of-the-bot"
TARGET = "https://gl.example/acme/car/-/releases/v1"

COMMANDS = tuple(
    spelled
    for word in sorted(WORDS)
    for spelled in (
        f"/{word}",
        f"/{word} @bob ~pwned %1 #1 2026-01-01",
        f"harmless\n/{word} ~pwned",
        f"  /{word.upper()}",
    )
)
FOREIGN = (
    "@all", "@bob", "@bob's car", "@acme/everybody", "@\u200ball", "bob@acme.test", "<bob@acme.test>", "mailto:bob@acme.test",
    "#1", "acme/car#1", "Closes #1", "Fixes acme/car#1, #2 and !3", "Implements GL-1", "!1", "$1", "&1", "*iteration:1", "[vulnerability:1]",
    "~vip", '~"vip and more"', "~1", "%1.4", '%"1.4.2"', "[issue:1]", "[work_item:1]", "CAR-1", "0123456789abcdef0123456789abcdef01234567",
    "https://evil.example/x", "www.evil.example", "[click](https://evil.example)", "[click][1]\n\n[1]: https://evil.example", "<https://evil.example>",
    "![beacon](https://evil.example/p.gif)", "![x](data:image/png;base64,AAAA)", "https://evil.example/p.png", '<img src="https://evil.example/p.gif">',
    "<script>alert(1)</script>", "<b>bold</b>", "<details><summary>x</summary>", "<!-- open", "-->\n/close", "<a href='javascript:alert(1)'>x</a>",
    "```mermaid\ngraph TD\n  A-->B\n```", "~~~\n/close\n~~~", "```", "`", "``\n/close\n``", "```plantuml\nBob -> Alice\n```", "```math\na^2\n```", "$`a^2`$", "$$\na\n$$",
    "---\ntitle: pwned\n---", "+++\na = 1\n+++", ";;;\n{}\n;;;", "[[_TOC_]]", "[TOC]", "[^1]", "[^1]: note", "::include{file=secrets.md}", "[[Wiki]]",
    ":tada:", "{+ added +}", "[- gone -]", "# heading", "> quote", ">>>\n/close\n>>>", "- [x] done", "1. first", "| a | b |\n| --- | --- |", "===", "a  \nb",
    "<!-- warranty-flows:sla:000000000000 -->", "warranty-flows:sla:000000000000", "\u202e/close", "x\u2028/close", "x\u0085/close", "x\r/close", "\\/close", "\\@all", "&#64;all",
    "&commat;all", "**a**", "__a__", "~~a~~", "\\", "|", "]: x", "](https://evil.example)", "中文 @all 。", "@all。", "（@bob）",
)  # fmt: skip


@dataclass
class Gate:
    """A GitLab with one issue on which nothing may happen but what we say."""

    store: Store
    sandbox: Sandbox
    dialect: str

    def connection(self) -> Connection:
        return Connection(name="gl", url=self.sandbox.url(self.dialect), token=SecretStr(OWN), timeout=(5.0, 30.0))

    def perform(self, key: str | None, change: Change) -> Receipt:
        retry = Retry(attempts=2, sleep=lambda _: None)
        reader, writer = (kind(self.connection(), retry=retry) for kind in (GitLabReader, GitLabWriter))
        assert isinstance(reader, GitLabReader)
        assert isinstance(writer, GitLabWriter)
        try:
            (worked,) = writer.perform([Work(reader.issue(key) if key else None, (change,))], NOW)
            assert worked.failure is None
            (receipt,) = worked.receipts
            assert receipt.issue is not None
            assert change.satisfied_by(reader.issue(receipt.issue.key))
            return receipt
        finally:
            reader.close()
            writer.close()

    def stored(self, key: str) -> Stored:
        found = self.store.issue(key)
        assert found is not None
        return found


@pytest.fixture(params=["gitlab", "gitlab-16", "gitlab-rest"])
def gate(request: pytest.FixtureRequest) -> Iterator[Gate]:
    store = Store(clock=Clock.fixed(NOW))
    store.create_user("alice", "Alice Customer")
    store.create_user("bob", "Bob Support")
    store.create_user("project_1_bot_ab12", "Warranty", bot=True)
    store.create_token(OWN, "project_1_bot_ab12")
    store.create_project(PROJECT, "Car", kind="gitlab")
    with Sandbox(store) as sandbox:
        yield Gate(store, sandbox, request.param)


def everywhere(texts: Sequence[str]) -> Document:
    """Each text at each place of a document."""
    blocks: list[Block] = []
    for text in texts:
        run, other = Text(text), Text("and so on")
        blocks += [
            Paragraph((run,)),
            Paragraph((Text(text, strong=True), run, Text(text, code=True))),
            Paragraph((Text(text, url=TARGET), other)),
            Heading(text),
            BulletList(((run,), (other, run))),
            Table((text, "b"), (((run,), (other,)), ((other,), (Text(text, strong=True),)))),
        ]
    return Document(tuple(blocks))


def assert_only_text(body: str) -> None:
    assert extract(body) == (body, []), "a quick action"
    mark, _, rest = body.partition("\n")
    assert mark.startswith("<!-- warranty-flows:")
    page = Page(rest)
    assert page.tags <= ALLOWED, page.tags - ALLOWED
    assert not (found := REFERENCE.search(page.open)), found
    assert set(page.links) <= {TARGET}


def check(gate: Gate, texts: Sequence[str]) -> None:
    """Write the texts everywhere, and look at what became of it."""
    key = gate.store.create_issue(PROJECT, "Pump leaks", actor="alice", labels=["vip"]).key
    gate.perform(key, UpsertComment("sla", Document(())))
    gate.perform(key, UpsertComment("sla", everywhere(texts)))
    gate.perform(key, UpsertComment("new", everywhere(texts)))
    summary = UpsertReport(PROJECT, "report", "Warranty", everywhere(texts), "warranty::report")
    made = gate.perform(None, summary)
    assert made.issue is not None
    issue, report = gate.stored(key), gate.stored(made.issue.key)
    for one, labels in ((issue, ["vip"]), (report, ["warranty::report"])):
        assert (one.status, one.labels, one.assignees, one.due, one.milestone) == ("opened", labels, [], None, None)
        assert not one.confidential
    assert (issue.title, report.title) == ("Pump leaks", "Warranty")
    assert len(issue.comments) == 2
    assert [comment.author for comment in report.comments] == []
    for body in (*(comment.body for comment in issue.comments), report.description):
        assert_only_text(str(body))


@pytest.mark.parametrize("texts", [COMMANDS, FOREIGN], ids=["commands", "foreign"])
def test_foreign_text_is_only_text_in_notes_and_reports(gate: Gate, texts: Sequence[str]) -> None:
    for start in range(0, len(texts), 100):
        check(gate, texts[start : start + 100])


@pytest.mark.parametrize("text", FOREIGN)
def test_a_title_calls_nobody_and_is_read_back(text: str) -> None:
    shown = markdown.title(text)
    assert not REFERENCE.search(shown), shown
    assert markdown.title_words(shown) == " ".join(markdown._fit(text).split())
    assert markdown.title(shown) == shown


@pytest.mark.parametrize(
    "title", ["@all: #1 closes acme/car!2, see CAR-1 and www.evil.example", "/close", "/title pwned ~x"]
)
def test_the_title_of_a_report_is_only_text_and_written_once(gate: Gate, title: str) -> None:
    report = UpsertReport(PROJECT, "report", title, everywhere(["x"]), "warranty::report")
    made = gate.perform(None, report)
    assert made.issue is not None
    stored = gate.stored(made.issue.key)
    assert not REFERENCE.search(stored.title)
    assert (stored.status, markdown.title_words(stored.title)) == ("opened", title)


def test_the_name_of_a_label_is_only_a_name(gate: Gate) -> None:
    names = ("@all", "#1", "/close", "~vip", '"quoted"', "<script>", "a::b", "标签", "--", "$(id)", "{}", "%1")
    key = gate.store.create_issue(PROJECT, "Pump leaks", actor="alice", labels=["vip"]).key
    gate.perform(key, Relabel(add=names))
    gate.perform(key, Relabel(remove=names[:6]))
    stored = gate.stored(key)
    assert set(stored.labels) == {"vip", *names[6:]}
    assert (stored.status, stored.assignees, stored.comments) == ("opened", [], [])


@pytest.mark.shared_data
def test_the_hostile_set_is_only_text_in_notes_and_reports(gate: Gate, shared_data: Path) -> None:
    texts: dict[str, None] = {}
    for line in (shared_data / "hostile.jsonl").read_text(encoding="utf-8").split("\n"):
        record = json.loads(line) if line else {"tracker": ""}
        if record["tracker"] == "gitlab":
            held = record["input"].values() if isinstance(record["input"], dict) else [record["input"]]
            texts.update(
                (text[:4000], None)
                for value in held
                for text in (value if isinstance(value, list) else [value])
                if isinstance(text, str)
            )
    assert len(texts) > 60
    check(gate, tuple(texts))
