"""Issues and work items as GraphQL's objects, with widgets and threads (see ``project_views`` for the rest)."""

from __future__ import annotations

import heapq
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

from graphql import GraphQLError

from connectors.gitlab.stand_in.call import whole_number
from connectors.gitlab.stand_in.connections import BAD_CURSOR, connection, page, page_size, place_of
from connectors.gitlab.stand_in.custom_fields import values
from connectors.gitlab.stand_in.gids import gid, moment
from connectors.gitlab.stand_in.project_views import View
from connectors.gitlab.stand_in.shapes import link_kind, text
from connectors.gitlab.stand_in.thread_views import ThreadViews

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from connectors.gitlab.stand_in.catalogue import Place
    from connectors.gitlab.stand_in.groups import Group
    from connectors.sandbox.nouns import Issue, IssueLink, MergeRequest, Project


class Views(ThreadViews):
    """Everything a query can reach, for one caller."""

    def project(self, project: Project) -> View:
        return {
            **super().project(project),
            "workItems": lambda _info, **asked: self.issues([project], asked, self.work_item),
            "issues": lambda _info, **asked: self.issues([project], asked, self.issue),
        }

    def group(self, group: Group) -> View:
        """A group, with the work items of its projects where descendants are asked for (it has none of its own)."""

        def work_items(_info: Any, **asked: Any) -> View:
            return self.issues(group.projects if asked.get("includeDescendants") else [], asked, self.work_item)

        return {**super().group(group), "workItems": work_items}

    # -------------------------------------------------------------------------------------------------------- issues
    def issues(self, projects: Sequence[Project], asked: dict[str, Any], shape: Callable[[Issue], View]) -> View:
        """The issues of projects that meet all that is asked, as work items or as issues."""
        field, _, way = asked["sort"].upper().rpartition("_")
        tests = [self.call.sees, *_tests(asked)]

        def wanted(issues: Iterable[Issue]) -> Iterator[Issue]:
            return (one for one in issues if all(test(one) for test in tests))

        numbers = asked.get("iids") or ([asked["iid"]] if asked.get("iid") else None)
        everything = (one for project in projects for one in _numbered(project, numbers))
        if field in {"UPDATED", "CREATED"} and numbers is None:
            return self._by_instant(projects, asked, shape, wanted, field, descending=way == "DESC")
        return connection(wanted(everything), shape, asked, _KEYS[field], descending=way == "DESC")

    def _by_instant(
        self,
        projects: Sequence[Project],
        asked: dict[str, Any],
        shape: Callable[[Issue], View],
        wanted: Callable[[Iterable[Issue]], Iterator[Issue]],
        field: str,
        *,
        descending: bool,
    ) -> View:
        """The same in order of update or creation, read from the catalogue only as far as the page goes."""
        after, key, catalogue = asked.get("after"), _KEYS[field], self.call.server.catalogue
        place = place_of(after) if after else None
        if place is not None and not isinstance(place[0], datetime):
            raise GraphQLError(BAD_CURSOR)

        def ordered(*, before: bool) -> Iterator[Issue]:
            ways = [way(one, None if before else place) for one in projects]
            return wanted(ways[0] if len(ways) == 1 else heapq.merge(*ways, key=key, reverse=descending))

        def way(project: Project, after: Place | None) -> Iterator[Issue]:
            if field == "CREATED":
                return catalogue.by_creation(project, after=after, descending=descending)
            begin, end = asked.get("createdAfter"), asked.get("createdBefore")
            # No issue was updated before it was made.
            since = max(filter(None, (asked.get("updatedAfter"), begin)), default=None)
            return catalogue.by_update(project, since=since, after=after, descending=descending, made=(begin, end))

        size = page_size(asked)
        shown = [*islice(ordered(before=False), size + 1)]
        first = next(ordered(before=True), None) if place is not None else None
        preceded = (
            first is not None and place is not None and (key(first) >= place if descending else key(first) <= place)
        )
        return page(
            shown[:size],
            shape,
            key,
            more=len(shown) > size,
            preceded=preceded,
            count=lambda: sum(1 for _ in ordered(before=True)),
        )

    def work_item(self, issue: Issue) -> View:
        return {
            **self._common(issue),
            "id": gid("WorkItem", issue.id),
            "state": "OPEN" if issue.status == "opened" else "CLOSED",
            "lockVersion": len(issue.history),
            "workItemType": self.type(self.call.store.projects[issue.project], issue.type),
            "project": lambda _info: self.project(self.call.store.projects[issue.project]),
            "namespace": lambda _info: self._namespace(issue),
            "userPermissions": lambda _info: self._permissions(issue),
            "widgets": lambda _info, **asked: self.widgets(issue, asked),
        }

    def issue(self, issue: Issue) -> View:
        """The older shape, of servers before work items could be asked for by their last update."""
        project = self.call.store.projects[issue.project]
        closing = self.closing(issue)
        return {
            **self._common(issue),
            "id": gid("Issue", issue.id),
            "state": issue.status,
            "type": issue.type,
            "severity": "UNKNOWN",
            "projectId": project.id,
            "dueDate": issue.due.isoformat() if issue.due else None,
            "userNotesCount": len(issue.comments),
            "mergeRequestsCount": len(closing),
            "milestone": self.milestone(project, project.milestones.get(issue.milestone or 0)),
            "assignees": lambda _info, **asked: self.users(issue.assignees, asked),
            "labels": lambda _info, **asked: self._labels_of(issue, asked),
            "notes": lambda _info, **asked: self.notes(issue, asked, merged=False),
            "discussions": lambda _info, **asked: self.discussions(issue, asked, merged=False),
            "relatedMergeRequests": lambda _info, **asked: connection(
                closing, self.merge_request, asked, lambda one: ("", one.id)
            ),
        }

    def _common(self, issue: Issue) -> View:
        path = f"/{issue.project}/-/issues/{issue.number}"
        return {
            "iid": str(issue.number),
            "title": issue.title,
            "description": text(issue.description),
            "createdAt": moment(issue.created),
            "updatedAt": moment(issue.updated),
            "closedAt": moment(issue.resolved_at) if issue.resolved_at and issue.status == "closed" else None,
            "confidential": issue.confidential,
            "author": self.user(issue.reporter),
            "webPath": path,
            "webUrl": f"{self.call.shapes.base}{path}",
            "reference": lambda _info, full=False: f"{issue.project if full else ''}#{issue.number}",
            "userDiscussionsCount": len(issue.comments),
        }

    def _namespace(self, issue: Issue) -> View:
        project = self.call.store.projects[issue.project]
        return {
            "id": gid("Namespaces::ProjectNamespace", project.id),
            "name": project.name,
            "path": project.key.rpartition("/")[2],
            "fullPath": project.key,
            "fullName": self.call.shapes.full_name(project),
        }

    def _permissions(self, issue: Issue) -> View:
        token = self.call.token
        may = {word: token is not None and token.may(word, issue.project) for word in ("admin", "comment", "edit")}
        return {
            "adminWorkItem": may["admin"],
            "createNote": may["comment"],
            "readWorkItem": True,
            "setWorkItemMetadata": may["edit"],
            "updateWorkItem": may["edit"],
        }

    def _labels_of(self, issue: Issue, asked: dict[str, Any]) -> View:
        project = self.call.store.projects[issue.project]
        rows = [project.labels[name] for name in issue.labels]
        return connection(rows, self.label, asked, lambda one: (one.name.casefold(), one.id))

    # ------------------------------------------------------------------------------------------------------- widgets
    def widgets(self, issue: Issue, asked: dict[str, Any]) -> list[View]:
        """Those the server puts on an issue, in its order."""
        paid = self.call.terms.paid
        only, but = asked.get("onlyTypes"), asked.get("exceptTypes") or ()
        project = self.call.store.projects[issue.project]
        fields: dict[str, tuple[str, View]] = {
            "ASSIGNEES": (
                "Assignees",
                {
                    "allowsMultipleAssignees": paid,
                    "assignees": lambda _info, **more: self.users(issue.assignees, more),
                },
            ),
            "DESCRIPTION": ("Description", self._description(issue)),
            "LABELS": (
                "Labels",
                {"allowsScopedLabels": paid, "labels": lambda _info, **more: self._labels_of(issue, more)},
            ),
            "MILESTONE": (
                "Milestone",
                {"milestone": self.milestone(project, project.milestones.get(issue.milestone or 0))},
            ),
            "NOTES": (
                "Notes",
                {
                    "discussionLocked": False,
                    "discussions": lambda _info, **more: self.discussions(issue, more, merged=True),
                    "notes": lambda _info, **more: self.notes(issue, more, merged=False),
                },
            ),
            "START_AND_DUE_DATE": (
                "StartAndDueDate",
                {"dueDate": issue.due.isoformat() if issue.due else None, "startDate": None, "isFixed": True},
            ),
            "HIERARCHY": ("Hierarchy", {"hasChildren": False, "hasParent": False}),
        }
        if self.call.generation == "19.2":
            fields["LINKED_ITEMS"] = (
                "LinkedItems",
                {
                    "blocked": lambda _info: bool(self._open_links(issue, "is_blocked_by")),
                    "blockedByCount": lambda _info: len(self._open_links(issue, "is_blocked_by")),
                    "blockingCount": lambda _info: len(self._open_links(issue, "blocks")),
                    "linkedItems": lambda _info, **more: self.links(issue, more),
                },
            )
            fields["DEVELOPMENT"] = ("Development", self._development(issue))
        if paid:
            fields["WEIGHT"] = ("Weight", {"weight": issue.weight})
        if paid and self.call.generation == "19.2":
            fields["CUSTOM_FIELDS"] = (
                "CustomFields",
                {"customFieldValues": lambda _info: values(self.call.store, issue)},
            )
        shown = [name for name in fields if (only is None or name in only) and name not in but]
        return [{"__typename": f"WorkItemWidget{fields[name][0]}", "type": name, **fields[name][1]} for name in shown]

    def _description(self, issue: Issue) -> View:
        edits = [entry for entry in issue.history if any(item.field == "description" for item in entry.items)]
        last = edits[-1] if edits else None
        return {
            "description": text(issue.description),
            "edited": last is not None,
            "lastEditedAt": moment(last.at) if last else None,
            "lastEditedBy": self.user(last.actor) if last else None,
        }

    def _development(self, issue: Issue) -> View:
        return {
            "willAutoCloseByMergeRequest": lambda _info: any(one.state == "opened" for one in self.closing(issue)),
            "closingMergeRequests": lambda _info, **more: self._closing_requests(issue, more),
        }

    def _closing_requests(self, issue: Issue, asked: dict[str, Any]) -> View:
        closing = self.closing(issue)
        if not closing and not asked.get("after"):
            return self.nothing(asked)

        def shape(request: MergeRequest) -> View:
            id_ = gid("MergeRequestsClosingIssues", request.id * 1000 + issue.number % 1000)
            return {"id": id_, "fromMrDescription": True, "mergeRequest": self.merge_request(request)}

        return connection(closing, shape, asked, lambda one: ("", one.id))

    def _open_links(self, issue: Issue, kind: str) -> list[IssueLink]:
        issues = self.call.store.issues
        found = (one for one in issue.links if link_kind(one, seen_from=issue) == kind)
        return [one for one in found if issues[_other_end(one, issue)].status == "opened"]

    def links(self, issue: Issue, asked: dict[str, Any]) -> View:
        if not issue.links and not asked.get("after"):
            return self.nothing(asked)
        wanted = {"RELATED": "relates_to", "BLOCKS": "blocks", "BLOCKED_BY": "is_blocked_by"}.get(
            asked.get("filter") or ""
        )
        rows = [one for one in issue.links if wanted in {None, link_kind(one, seen_from=issue)}]

        def shape(link: IssueLink) -> View:
            other = self.call.store.issues[_other_end(link, issue)]
            at = moment(link.at) if link.at else moment(issue.created)
            return {
                "linkId": gid("WorkItems::RelatedWorkItemLink", link.id),
                "linkType": link_kind(link, seen_from=issue),
                "linkCreatedAt": at,
                "linkUpdatedAt": at,
                "workItem": self.work_item(other) if self.call.reads(other) else None,
            }

        return connection(rows, shape, asked, lambda one: ("", int(one.id)))


def _numbered(project: Project, numbers: Iterable[str] | None) -> Iterator[Issue]:
    """The issues of a project, or those of some iids."""
    if numbers is None:
        yield from project.issues.values()
        return
    for number in dict.fromkeys(map(whole_number, numbers)):
        if number in project.issues:
            yield project.issues[number]


def _other_end(link: IssueLink, issue: Issue) -> str:
    return link.target if link.source == issue.id else link.source


_KEYS: dict[str, Callable[[Issue], tuple[str | datetime, int]]] = {
    "CREATED": lambda issue: (issue.created, int(issue.id)),
    "UPDATED": lambda issue: (issue.updated, int(issue.id)),
    "TITLE": lambda issue: (issue.title.casefold(), int(issue.id)),
}


def _tests(asked: dict[str, Any]) -> Iterator[Callable[[Issue], bool]]:
    """What the arguments of ``workItems`` or ``issues`` ask of an issue. Both ends of a span of time are included."""
    if (state := asked.get("state")) not in {None, "all"}:
        yield lambda issue: issue.status == state
    if (types := asked.get("types")) is not None:
        yield lambda issue: issue.type in types
    if (ids := asked.get("ids")) is not None:
        yield lambda issue: int(issue.id) in ids
    if labels := set(asked.get("labelName") or ()):
        yield lambda issue: labels <= set(issue.labels)
    if (confidential := asked.get("confidential")) is not None:
        yield lambda issue: issue.confidential == confidential
    if words := (asked.get("search") or "").casefold():
        yield lambda issue: words in f"{issue.title}\n{text(issue.description)}".casefold()
    for what, of in _INSTANTS.items():
        yield from _span(of, asked.get(f"{what}After"), asked.get(f"{what}Before"))


_INSTANTS: dict[str, Callable[[Issue], datetime | None]] = {
    "created": lambda issue: issue.created,
    "updated": lambda issue: issue.updated,
    "closed": lambda issue: issue.resolved_at if issue.status == "closed" else None,
}


def _span(
    of: Callable[[Issue], datetime | None], after: datetime | None, before: datetime | None
) -> Iterator[Callable[[Issue], bool]]:
    if after is not None:
        yield lambda issue: (at := of(issue)) is not None and at >= after
    if before is not None:
        yield lambda issue: (at := of(issue)) is not None and at <= before
