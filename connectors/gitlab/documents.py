"""The GraphQL documents of reading, of the generation in which ``Project.workItems`` knows ``updatedAfter`` (17 and later).

Those of writing are in ``mutations``.

Rules:

1. A query for a page asks for its own cost, so that the page can be fitted to the server's limit (250 points with a
   log-in), and for who is asking and which version answers, so that neither needs a request of its own.
2. Only fields of the public schema; what is marked experiment there is asked for only where nothing else tells it.
3. What an edition or an older server may lack altogether (``WIDGETS``) is asked for where the probe found it.
4. Of the notes of a discussion nobody asks whether there are more: a reply is as internal as what it answers, so they are
   seen together or not at all, and fewer than ``REPLIES`` of them are all. The question for each of a page's thousand
   discussions would make its answer a tenth longer.

Source: docs.gitlab.com/api/graphql/reference, GitLab's queryComplexity.
"""

from __future__ import annotations

from functools import cache

_WHO = """
  currentUser { id username name bot }
  metadata { version }
"""

PROBE = (
    """
query Probe {
"""
    + _WHO
    + """
  project: __type(name: "Project") { fields { name args { name } } }
  notes: __type(name: "WorkItemWidgetNotes") { fields { name args { name } } }
  mutation: __type(name: "Mutation") { fields { name } }
  listed: __type(name: "WorkItemConnection") { fields { name args { name } } }
  linked_items: __type(name: "WorkItemWidgetLinkedItems") { fields { name } }
  development: __type(name: "WorkItemWidgetDevelopment") { fields { name } }
  weight: __type(name: "WorkItemWidgetWeight") { fields { name } }
}
"""
)

WIDGETS = {
    "LINKED_ITEMS": """
    ... on WorkItemWidgetLinkedItems {
      linkedItems(first: 20) { pageInfo { hasNextPage } nodes { linkType workItem { id reference(full: true) webUrl } } }
    }""",
    "DEVELOPMENT": """
    ... on WorkItemWidgetDevelopment {
      closingMergeRequests(first: 10) { pageInfo { hasNextPage } nodes { mergeRequest { state webUrl } } }
    }""",
    "WEIGHT": """
    ... on WorkItemWidgetWeight { weight }""",
}
"""What is asked of a widget that not every server has, by its type. The probe's fields are their names in lower case."""

LABELS = """
query Labels($path: ID!, $after: String) {
  project(fullPath: $path) {
    fullPath
    labels(includeAncestorGroups: true, first: 100, after: $after) {
      pageInfo { hasNextPage endCursor }
      nodes { id title }
    }
  }
}
"""

MILESTONES = """
query Milestones($path: ID!, $after: String) {
  project(fullPath: $path) {
    milestones(first: 100, after: $after) {
      pageInfo { hasNextPage endCursor }
      nodes { iid title }
    }
  }
}
"""

WORDS = (
    """
query Words($path: ID!) {
"""
    + _WHO
    + """
  project(fullPath: $path) { workItemTypes(first: 100) { nodes { name } } }
}
"""
)

IDS = (
    """
query Ids($path: ID!, $after: String) {
"""
    + _WHO
    + """
  project(fullPath: $path) {
    workItems(first: 100, after: $after, sort: CREATED_ASC) {
      pageInfo { hasNextPage endCursor }
      nodes { id workItemType { name } }
    }
  }
}
"""
)

CLOSINGS = (
    """
query Closings($path: ID!, $after: String) {
"""
    + _WHO
    + """
  project(fullPath: $path) {
    workItems(first: 100, after: $after, sort: CREATED_ASC) {
      pageInfo { hasNextPage endCursor }
      nodes {
        iid
        widgets(onlyTypes: [DEVELOPMENT]) {
          type"""
    + WIDGETS["DEVELOPMENT"]
    + """
        }
      }
    }
  }
}
"""
)

RELEASES = (
    """
query Releases($path: ID!, $after: String) {
"""
    + _WHO
    + """
  project(fullPath: $path) {
    mergeRequests(state: merged, sort: UPDATED_DESC, first: 1) { nodes { updatedAt } }
    releases(first: 100, after: $after) {
      pageInfo { hasNextPage endCursor }
      nodes { tagName name releasedAt createdAt links { selfUrl } commit { sha } }
    }
  }
}
"""
)

REPLIES = 20
"""So many notes of a discussion are asked for with it."""

_DISCUSSION = f"nodes {{ notes(first: {REPLIES}) {{ nodes {{ ...NoteParts }} }} }}"

_NOTE = """
fragment NoteParts on Note {
  id body createdAt updatedAt system internal
  systemNoteMetadata { action }
  author { username name bot }
}
"""

_WORK_ITEM = (
    """
fragment WorkItemParts on WorkItem {
  id iid title description state createdAt updatedAt closedAt confidential webUrl
  author { username name bot }
  workItemType { name }
  widgets(onlyTypes: [ASSIGNEES, LABELS, MILESTONE, START_AND_DUE_DATE%(widgets)s, NOTES]) {
    type
    ... on WorkItemWidgetAssignees { assignees(first: 10) { nodes { username name bot } } }
    ... on WorkItemWidgetLabels { labels(first: 100) { pageInfo { hasNextPage } nodes { id title } } }
    ... on WorkItemWidgetMilestone { milestone { title } }
    ... on WorkItemWidgetStartAndDueDate { dueDate }%(asked)s
    ... on WorkItemWidgetNotes {
      discussions(first: $d, filter: ALL_NOTES, sort: CREATED_ASC) {
        pageInfo { hasNextPage endCursor }
        %(discussion)s
      }
    }
  }
}
"""
    + _NOTE
)

_WORK_ITEMS = (
    """
query WorkItems($path: ID!, $since: Time, $after: String, $n: Int!, $d: Int!, $names: Boolean!%(given)s) {
  queryComplexity { score limit }
"""
    + _WHO
    + """
  project(fullPath: $path) {
    fullPath
    labels(includeAncestorGroups: true, first: 100) @include(if: $names) {
      pageInfo { hasNextPage endCursor }
      nodes { id title }
    }
    milestones(first: 100) @include(if: $names) {
      pageInfo { hasNextPage endCursor }
      nodes { iid title }
    }
    workItems(first: $n, after: $after, updatedAfter: $since%(span)s, sort: UPDATED_ASC) {
      pageInfo { hasNextPage endCursor }
      nodes { ...WorkItemParts }
    }%(in_all)s
  }
}
"""
    + _WORK_ITEM
)

# Beside the first page, of all the issues: how many there are, and which was updated last, so that nothing new is known
# for it at once; and when the first and the last of them were made, so that many are read in several spans of time at once.
_IN_ALL = """
    newest: workItems(updatedAfter: $since, sort: UPDATED_DESC, first: 1) { count(limit: $most) nodes { id updatedAt } }
    oldest: workItems(updatedAfter: $since, sort: CREATED_ASC, first: 1) { nodes { createdAt } }
    youngest: workItems(updatedAfter: $since, sort: CREATED_DESC, first: 1) { nodes { createdAt } }"""

_ONE_WORK_ITEM = (
    """
query WorkItem($path: ID!, $iid: String!, $d: Int!) {
"""
    + _WHO
    + """
  project(fullPath: $path) {
    fullPath
    workItems(iids: [$iid], first: 1) { nodes { ...WorkItemParts } }
  }
}
"""
    + _WORK_ITEM
)


@cache
def work_items(widgets: tuple[str, ...] = (), *, in_all: bool = False, span: bool = False) -> str:
    """A page of a project's work items; custom types have no name to filter by, so those that are no issues are among them.

    Args:
        widgets: those of ``WIDGETS`` that the server has.
        in_all: beside the page how many there are, ``$most`` of them counted, the newest, and from when to when.
        span: only those made between ``$from`` and ``$until``, where these are given.
    """
    given = (", $most: Int!" if in_all else "") + (", $from: Time, $until: Time" if span else "")
    only = ", createdAfter: $from, createdBefore: $until" if span else ""
    return _WORK_ITEMS % {"given": given, "in_all": _IN_ALL if in_all else "", "span": only, **_asked(widgets)}


@cache
def work_item(widgets: tuple[str, ...] = ()) -> str:
    """A single one. Args: widgets: as in ``work_items``."""
    return _ONE_WORK_ITEM % _asked(widgets)


def _asked(widgets: tuple[str, ...]) -> dict[str, str]:
    return {
        "widgets": "".join(f", {name}" for name in widgets),
        "asked": "".join(WIDGETS[name] for name in widgets),
        "discussion": _DISCUSSION,
    }


_MORE = """
  t%(n)d: project(fullPath: $path) {
    workItems(iids: [$i%(n)d], first: 1) {
      nodes {
        widgets(onlyTypes: [NOTES]) {
          type
          ... on WorkItemWidgetNotes {
            discussions(first: $d, after: $a%(n)d, filter: ALL_NOTES, sort: CREATED_ASC) {
              pageInfo { hasNextPage endCursor }
              %(discussion)s
            }
          }
        }
      }
    }
  }
"""


@cache
def more_discussions(issues: int) -> str:
    """Further discussions of several issues of one project: ``$i0`` after ``$a0`` as ``t0``, and so on."""
    given = "".join(f", $i{n}: String!, $a{n}: String" for n in range(issues))
    asked = "".join(_MORE % {"n": n, "discussion": _DISCUSSION} for n in range(issues))
    return f"query MoreDiscussions($path: ID!, $d: Int!{given}) {{{asked}}}{_NOTE}"


NOTES = (
    """
query Notes($path: ID!, $iid: String!, $after: String) {
  project(fullPath: $path) {
    workItems(iids: [$iid], first: 1) {
      nodes {
        widgets(onlyTypes: [NOTES]) {
          type
          ... on WorkItemWidgetNotes {
            notes(filter: ALL_NOTES, first: 100, after: $after) {
              pageInfo { hasNextPage endCursor }
              nodes { ...NoteParts }
            }
          }
        }
      }
    }
  }
}
"""
    + _NOTE
)
