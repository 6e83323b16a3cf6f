"""Links of Jira's issues: which way round, in whose words, whatever shape arrives."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.jira.issue_links import of_field
from connectors.jira.mapping import FIELDS
from policies.issue_link import IssueLink, LinkKind

URL = "https://jira.example"
BLOCKS = {"id": "10000", "name": "Blocks", "inward": "is blocked by", "outward": "blocks"}
CLONES = {"id": "10001", "name": "Cloners", "inward": "is cloned by", "outward": "clones"}


def other(key: str, id_: str) -> dict[str, Any]:
    return {"id": id_, "key": key, "fields": {"summary": "Nothing of this", "status": {"name": "Open"}}}


def test_a_link_reads_as_it_stands_on_the_issue() -> None:
    field = [
        {"id": "1", "type": BLOCKS, "outwardIssue": other("CAR-12", "112")},
        {"id": "2", "type": BLOCKS, "inwardIssue": other("CAR-9", "109")},
        {"id": "3", "type": CLONES, "inwardIssue": other("CAR-9", "109")},
    ]
    assert of_field(field, URL) == (
        IssueLink(LinkKind.BLOCKED_BY, "109", "CAR", "CAR-9", f"{URL}/browse/CAR-9", "is blocked by"),
        IssueLink(LinkKind.RELATES, "109", "CAR", "CAR-9", f"{URL}/browse/CAR-9", "is cloned by"),
        IssueLink(LinkKind.BLOCKS, "112", "CAR", "CAR-12", f"{URL}/browse/CAR-12", "blocks"),
    )
    assert "Nothing of this" not in str(of_field(field, URL))


def test_links_are_asked_for_with_the_issue() -> None:
    assert "issuelinks" in FIELDS


@pytest.mark.parametrize("value", [None, {}, "x", [None, {}, {"type": BLOCKS}, {"outwardIssue": {"key": ""}}]])
def test_what_names_no_issue_is_no_link(value: Any) -> None:
    assert of_field(value, URL) == ()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(
            st.sampled_from(["type", "outward", "inward", "outwardIssue", "inwardIssue", "key", "id"]), inner
        )
    ),
    max_leaves=12,
)


@given(st.lists(JSON))
def test_no_value_stops_an_issue(value: Any) -> None:
    assert all(link.key and link.id for link in of_field(value, URL))
