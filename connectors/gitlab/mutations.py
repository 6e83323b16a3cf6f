"""The GraphQL texts of writing: several mutations in one request, and what must be known before they are sent.

Rules:

1. Everything that is written travels as a variable; a text is made of aliases and names only, so that there are few
   different ones.
2. What a mutation left of what it changed is asked for at once: GitLab drops what an account may not set without
   calling it an error.

Source: docs.gitlab.com/api/graphql/reference.
"""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence


class Verb(StrEnum):
    """What one alias does: its letter."""

    LINK = "l"
    UPDATE = "u"
    EDIT_NOTE = "e"
    CREATE_NOTE = "c"


_MUTATIONS = {
    Verb.LINK: ("workItemAddLinkedItems", "WorkItemAddLinkedItemsInput", "{ errors }"),
    Verb.UPDATE: ("workItemUpdate", "WorkItemUpdateInput", "{ errors workItem { ...Left } }"),
    Verb.EDIT_NOTE: ("updateNote", "UpdateNoteInput", "{ errors note { id internal } }"),
    Verb.CREATE_NOTE: ("createNote", "CreateNoteInput", "{ errors note { id internal } }"),
}

_LEFT = {
    "ASSIGNEES": "... on WorkItemWidgetAssignees { assignees(first: 10) { nodes { username } } }",
    "LABELS": "... on WorkItemWidgetLabels { labels(first: 100) { nodes { title } } }",
    "START_AND_DUE_DATE": "... on WorkItemWidgetStartAndDueDate { dueDate }",
}
"""What an update left, by the type of the widget it changed."""

MAKE_LABEL = """
mutation LabelCreate($label: LabelCreateInput!) {
  labelCreate(input: $label) { errors label { id title } }
}
"""

OUR_NOTES = """
query OurNotes($path: ID!, $ids: [WorkItemID!]!, $n: Int!) {
  project(fullPath: $path) {
    workItems(ids: $ids, first: $n) {
      nodes {
        id
        widgets(onlyTypes: [NOTES]) {
          type
          ... on WorkItemWidgetNotes {
            notes(filter: ONLY_COMMENTS, first: 100) {
              pageInfo { hasNextPage }
              nodes { id body system internal author { username } }
            }
          }
        }
      }
    }
  }
}
"""

WORK_ITEM_ID = """
query WorkItemId($path: ID!, $iid: String!) {
  project(fullPath: $path) { workItems(iids: [$iid], first: 1) { nodes { id } } }
}
"""


def aliases(verbs: Sequence[Verb]) -> list[str]:
    """The name of each, in order: its letter, and which of its kind it is. Each is its variable's name, too."""
    seen: Counter[Verb] = Counter()
    names = []
    for verb in verbs:
        names.append(f"{verb.value}{seen[verb]}")
        seen[verb] += 1
    return names


def act(verbs: Sequence[Verb], widgets: Collection[str]) -> str:
    """The text that does these; they run kind by kind, notes last.

    Args:
        widgets: types of those that the updates change; what they left of them is asked for.
    """
    counted = Counter(verbs)
    return _text(tuple((verb, counted[verb]) for verb in Verb if counted[verb]), tuple(sorted(widgets)))


@cache
def _text(counted: tuple[tuple[Verb, int], ...], widgets: tuple[str, ...]) -> str:
    asked: list[str] = []
    lines: list[str] = []
    for verb, times in counted:
        mutation, kind, answer = _MUTATIONS[verb]
        for number in range(times):
            asked.append(f"${verb.value}{number}: {kind}!")
            lines.append(f"  {verb.value}{number}: {mutation}(input: ${verb.value}{number}) {answer}")
    body = "\n".join(lines)
    more = _left(widgets) if any(verb is Verb.UPDATE for verb, _ in counted) else ""
    return f"mutation Act({', '.join(asked)}) {{\n{body}\n}}\n{more}"


def _left(widgets: Sequence[str]) -> str:
    asked = "\n    ".join(_LEFT[widget] for widget in widgets)
    return f"""
fragment Left on WorkItem {{
  widgets(onlyTypes: [{", ".join(widgets)}]) {{
    type
    {asked}
  }}
}}
"""
