"""Lists that a page of work items gives only the beginning of, read to their end by REST: labels, links, closing requests.

Rule: what stays out of reach is a gap of that issue and stops no other; what the page gave of it stands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from connectors.gitlab import closing_requests, issue_links
from connectors.gitlab.names import OUT_OF_REACH
from connectors.gitlab.paths import project_path
from connectors.gitlab.payload import one
from policies.issue import Gap, GapKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connectors.gitlab.client import GitLabClient
    from connectors.gitlab.payload import Payload

    Widgets: TypeAlias = Mapping[str, Payload]

# The list of a widget, by the widget's type.
_LISTS = {"LABELS": "labels", "LINKED_ITEMS": "linkedItems", "DEVELOPMENT": "closingMergeRequests"}
_OTHERS = {
    "LINKED_ITEMS": ("links", issue_links.as_widget, "links"),
    "DEVELOPMENT": ("closed_by", closing_requests.as_widget, "closing merge requests"),
}


class LongLists:
    """Of one GitLab."""

    def __init__(self, client: GitLabClient) -> None:
        self._client = client

    def whole(self, node: Payload, widgets: Widgets, project: str, gaps: list[Gap]) -> Widgets:
        """A work item's widgets with these lists to their end.

        Args:
            node: the work item.
            widgets: its widgets by type.
            project: full path.
            gaps: what could not be read is added to them.
        """
        cut = {type_: widgets[type_] for type_, listed in _LISTS.items() if _is_cut(widgets.get(type_), listed)}
        if not cut:
            return widgets
        key = f"{project}#{node.get('iid')}"
        read = {type_: self._read(type_, widget, key, node, project, gaps) for type_, widget in cut.items()}
        return {**widgets, **read}

    def _read(self, type_: str, widget: Payload, key: str, node: Payload, project: str, gaps: list[Gap]) -> Payload:
        path = f"{project_path(project)}/issues/{node.get('iid')}"
        if type_ == "LABELS":
            names = one(self._client.rest("GET", path, doing=f"read the labels of {key}")).get("labels") or []
            return {"type": type_, "labels": {"nodes": [{"id": "", "title": name} for name in names]}}
        what, as_widget, told = _OTHERS[type_]
        try:
            return as_widget(self._client.pages(f"{path}/{what}", doing=f"read the {told} of {key}"))
        except OUT_OF_REACH as error:
            gaps.append(Gap(GapKind.LINKS, f"not all {told} could be read: {error.detail}"))
            return widget


def _is_cut(widget: Payload | None, listed: str) -> bool:
    return widget is not None and one(one(widget.get(listed)).get("pageInfo")).get("hasNextPage") is True
