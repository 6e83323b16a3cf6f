"""The floor: the fewest requests that could do it, eight of them in flight, and nothing understood of the answers.

It is told what nobody knows beforehand: how many issues there are, which of them were touched, and which are late. So it
asks for all pages at once, judges nothing, and writes blindly.

``python -m tests.bench.sweep_floor URL FIRST LAST EVERY``: read the issues FIRST to LAST, write to each EVERY-th; EVERY 0
writes nothing.
"""

from __future__ import annotations

import asyncio
import sys
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

import httpx

from tests.bench.sweep_tracker import PROJECT, TOKEN

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

T = TypeVar("T")

IN_FLIGHT = 8
READ_AT_ONCE, WRITTEN_AT_ONCE = 100, 10
# The facts that ours reads, no fewer.
READ = """
query($path: ID!, $iids: [String!]) { project(fullPath: $path) { workItems(iids: $iids, first: 100) { nodes {
  id iid title description state createdAt updatedAt closedAt confidential webUrl
  author { username name bot } workItemType { name }
  widgets(onlyTypes: [ASSIGNEES, LABELS, MILESTONE, START_AND_DUE_DATE, LINKED_ITEMS, DEVELOPMENT, WEIGHT, NOTES]) { type
    ... on WorkItemWidgetAssignees { assignees(first: 10) { nodes { username name bot } } }
    ... on WorkItemWidgetLabels { labels(first: 100) { nodes { id title } } }
    ... on WorkItemWidgetMilestone { milestone { title } }
    ... on WorkItemWidgetStartAndDueDate { dueDate }
    ... on WorkItemWidgetLinkedItems { linkedItems(first: 20) { nodes { linkType workItem { id reference(full: true) webUrl } } } }
    ... on WorkItemWidgetDevelopment { closingMergeRequests(first: 10) { nodes { mergeRequest { state webUrl } } } }
    ... on WorkItemWidgetWeight { weight }
    ... on WorkItemWidgetNotes { discussions(first: 40, filter: ALL_NOTES, sort: CREATED_ASC) { nodes { notes(first: 20) {
      nodes { id body createdAt updatedAt system internal systemNoteMetadata { action } author { username name bot } } } } } }
  }
} } } }
"""


def batched(things: Iterable[T], size: int) -> Iterator[tuple[T, ...]]:
    """So many at a time."""
    rest = iter(things)
    while batch := tuple(islice(rest, size)):
        yield batch


async def main(url: str, first: int, last: int, every: int) -> None:
    """One sweep."""
    headers = {"Authorization": f"Bearer {TOKEN}"}
    limits = httpx.Limits(max_connections=IN_FLIGHT, max_keepalive_connections=IN_FLIGHT)
    async with httpx.AsyncClient(base_url=url, headers=headers, limits=limits, timeout=120) as client:
        turns = asyncio.Semaphore(IN_FLIGHT)

        async def asked(query: str, variables: dict[str, Any]) -> Any:
            async with turns:
                answer = await client.post("/api/graphql", json={"query": query, "variables": variables})
                found = answer.raise_for_status().json()
                if found.get("errors"):
                    raise SystemExit(str(found["errors"])[:300])
                return found["data"]

        pages = batched(range(first, last + 1), READ_AT_ONCE)
        read = await asyncio.gather(*(asked(READ, {"path": PROJECT, "iids": [str(n) for n in page]}) for page in pages))
        ids = [node["id"] for page in read for node in page["project"]["workItems"]["nodes"]]
        if not every:
            return
        path = f"/api/v4/projects/{PROJECT.replace('/', '%2F')}/labels"
        made = await client.post(path, json={"name": "warranty::resolution::overdue", "color": "#6699cc"})
        label = f"gid://gitlab/ProjectLabel/{made.json()['id']}" if made.is_success else None
        late = batched([id_ for number, id_ in enumerate(ids) if number % every == 0], WRITTEN_AT_ONCE)
        await asyncio.gather(*(asked(*_writing(group, label)) for group in late))


def _writing(ids: tuple[str, ...], label: str | None) -> tuple[str, dict[str, Any]]:
    parts = [
        f"u{n}: workItemUpdate(input: {{id: $i{n}, labelsWidget: {{addLabelIds: $labels}}}}) {{ errors }} "
        f"c{n}: createNote(input: {{noteableId: $n{n}, body: $body}}) {{ errors note {{ id }} }}"
        for n in range(len(ids))
    ]
    declared = " ".join(f"$i{n}: WorkItemID! $n{n}: NoteableID!" for n in range(len(ids)))
    values: dict[str, Any] = {f"{kind}{n}": id_ for n, id_ in enumerate(ids) for kind in ("i", "n")}
    query = f"mutation($labels: [LabelID!], $body: String!, {declared}) {{ {' '.join(parts)} }}"
    return query, {**values, "labels": [label] if label else [], "body": "The resolution of this issue is overdue."}


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], *(int(number) for number in sys.argv[2:5])))
