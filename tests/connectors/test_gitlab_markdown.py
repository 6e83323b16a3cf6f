"""A document as GitLab Markdown shows its words and nothing else; an independent renderer is the judge."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from connectors.gitlab import markdown
from connectors.gitlab.markdown import render, words
from connectors.gitlab.stand_in.quick_actions import extract
from policies.changes import Mark
from policies.document import Block, BulletList, Document, Heading, Paragraph, Table, Text
from tests.connectors.gitlab_page import ALLOWED, REFERENCE, Page

MARK = Mark("sla", "0123456789ab")


def folded(text: str) -> str:
    return " ".join(text.split())


def expected(text: str) -> str:
    return folded(markdown._fit(text))


def safe(document: Document) -> Page:
    source = render(document)
    assert not re.search(r"^[ \t]*/", source, re.MULTILINE), "a line begins with a slash"
    assert extract(source) == (source, []), "a quick action"
    assert Mark.found_in(source) is None, "somebody else's mark"
    page = Page(source)
    assert page.tags <= ALLOWED, page.tags - ALLOWED
    assert not REFERENCE.search(page.open), (source, page.open)
    return page


def everywhere(text: str) -> dict[str, Document]:
    run = Text(text)
    return {
        "paragraph": Document((Paragraph((run,)),)),
        "strong": Document((Paragraph((Text(text, strong=True),)),)),
        "code": Document((Paragraph((Text(text, code=True),)),)),
        "link": Document((Paragraph((Text(text, url="https://gl.example/x"),)),)),
        "heading": Document((Heading(text),)),
        "bullet": Document((BulletList(((run,), (Text("second"),))),)),
        "cell": Document((Table(("a", "b"), (((run,), (Text("second"),)),)),)),
        "header": Document((Table((text, "b"), (((Text("first"),), (Text("second"),)),)),)),
    }


NASTY = (
    st.text(alphabet="@#!~%$&^*_-+=|\\/`'\"<>()[]{}:;.,? \tab1A\n\r中。é\u2028", max_size=40)
    | st.text(max_size=40)
    | st.lists(
        st.sampled_from(
            [
                "/close", "@all", "@a.b", "#1", "g/p#1", "!1", "~x", '~"a b"', "%1", "$1", "&1", "<b>", "</code>", "<!--", "-->",
                "```", "~~~", "`", "``", "\\", "|", "---", "***", "===", "1.", "2)", "-", "+", ">", ">>>", "[x](y)", "![x](y)",
                "[[_TOC_]]", "[TOC]", "[^1]", "http://e.x", "www.e.x", "a@b.cd", ":smile:", "15:00:00", "CAR-12", "&amp;", "&#64;all",
                "warranty-flows:sla:0123456789ab", "```mermaid", "::include{file=x}", "javascript:x", "中文", "**", "__", "\n", "\n\n",
            ]
        ),
        max_size=8,
    ).map(" ".join)
    | st.lists(st.sampled_from(["@", "a", "/", "close", "#", "1", "`", "*", "_", "|", "\\", "<", ">", "&", ";", ":"]), max_size=12).map("".join)
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(NASTY)
@example("/close\n/label ~x")
@example("**中文。**后")
@example("warranty-flows:sla:000000000000")
@example("a|`b`\\|c")
@example("&#64;all &commat;all")
@example("]:")
def test_any_text_anywhere_is_shown_and_is_only_text(text: str) -> None:
    for place, document in everywhere(text).items():
        page = safe(document)
        wanted = expected(text)
        assert wanted in folded(page.shown), (place, render(document))
        assert page.links == (["https://gl.example/x"] if place == "link" and wanted else [])


@settings(max_examples=300, deadline=None)
@given(st.lists(NASTY, min_size=1, max_size=4))
@example(["@", "all"])
@example(["`", "`"])
@example(["#", "1"])
@example(["https", "://e.x"])
@example(["CAR", "-12"])
@example(["&", "0"])
@example(["www", ".e.x"])
@example(["CA", "R", "-1"])
def test_runs_side_by_side_make_nothing_new(texts: list[str]) -> None:
    runs = tuple(Text(text, strong=n % 2 == 1, code=n % 3 == 2) for n, text in enumerate(texts))
    for block in (Paragraph(runs), BulletList((runs,)), Table(("a",), ((runs,),))):
        page = safe(Document((block,)))
        # A space may come between two runs; nothing else does.
        assert "".join(markdown._fit("".join(texts)).split()) in "".join(page.shown.split())


@settings(max_examples=200, deadline=None)
@given(NASTY)
def test_our_own_words_are_read_back(text: str) -> None:
    blocks: tuple[Block, ...] = tuple(document.blocks[0] for document in everywhere(text).values())
    body = f"<!-- {MARK} -->\n{render(Document(blocks))}"
    assert markdown.ours(body)
    seen = words(body)
    assert Mark.found_in(seen) == MARK
    wanted = expected(text)
    assert folded(seen).count(wanted) >= (len(blocks) if wanted else 0)


def test_a_note_of_ours_looks_like_this() -> None:
    document = Document(
        (
            Heading("Warranty"),
            Paragraph((Text("Due "), Text("2026-03-07 15:00 CST", strong=True), Text(", see "), Text("CAR-12"))),
            BulletList(((Text("Resolution: ", strong=True), Text("at risk")), (Text("policy_1", code=True),))),
            Table(("clock", "verdict"), (((Text("resolution"),), (Text("v1.4.2", url="https://gl.example/r(1)|"),)),)),
        )
    )  # fmt: skip
    assert render(document) == (
        "### Warranty\n"
        "\n"
        "Due <strong>2026-03-07 15:00 CST</strong>, see `CAR-12`\n"
        "\n"
        "- <strong>Resolution:</strong> at risk\n"
        "- `policy_1`\n"
        "\n"
        "| clock | verdict |\n"
        "| --- | --- |\n"
        "| resolution | [v1.4.2](<https://gl.example/r%281%29%7C>) |\n"
    )


def test_what_can_not_be_stored_or_turns_the_reading_is_shown_as_such() -> None:
    page = safe(Document((Paragraph((Text("a\x00b\u202ec\ud800d"),)),)))
    assert page.shown.strip() == "a\ufffdb\ufffdc\ufffdd"
    render(Document((Paragraph((Text("\ud800"),)),))).encode()


@pytest.mark.shared_data
def test_the_hostile_set_is_only_text_everywhere(shared_data: Path) -> None:
    seen = 0
    for line in (shared_data / "hostile.jsonl").read_text(encoding="utf-8").split("\n"):
        record = json.loads(line) if line else {"input": None}
        inputs = record["input"] if isinstance(record["input"], dict) else {}
        for text in {
            str(inputs.get(name) or "")[:4000]
            for name in ("text", "line", "body", "value", "summary", "title", "subject")
        } - {""}:
            seen += 1
            for document in everywhere(text).values():
                assert expected(text) in folded(safe(document).shown)
    assert seen > 700
