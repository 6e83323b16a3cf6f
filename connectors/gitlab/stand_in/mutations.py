"""GraphQL's writes.

What the model refuses stands in the payload's ``errors``, with HTTP 200; what the caller may not see or touch is a
top-level error, in GitLab's one sentence for both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphql import GraphQLError

from connectors.gitlab.stand_in.call import whole_number
from connectors.gitlab.stand_in.edits import Conflict, Edits, Invalid, Unlicensed
from connectors.gitlab.stand_in.gids import number
from connectors.gitlab.stand_in.history import written
from connectors.gitlab.stand_in.project_views import type_numbers
from connectors.gitlab.stand_in.throttle import TOO_MANY, may_note

if TYPE_CHECKING:
    from collections.abc import Callable

    from connectors.gitlab.stand_in.project_views import View
    from connectors.gitlab.stand_in.views import Views
    from connectors.sandbox.nouns import Comment, Issue, Project

UNAVAILABLE = (
    "The resource that you are attempting to access does not exist or you don't have permission to perform this action"
)
UNLICENSED = "Blocked work items are not available for the current subscription tier"
_LINKS = {"RELATED": "relates_to", "BLOCKS": "blocks", "BLOCKED_BY": "is_blocked_by"}
_LINKS_AT_ONCE = 10
_STATES = {"CLOSE": "closed", "REOPEN": "opened"}

Input = dict[str, Any]


def mutations(views: Views) -> dict[str, Callable[..., View]]:
    """The root of all writes, for one caller."""
    writes = _Writes(views)
    return {
        "workItemCreate": writes.work_item_create,
        "workItemUpdate": writes.work_item_update,
        "workItemAddLinkedItems": writes.work_item_link,
        "createNote": writes.note_create,
        "updateNote": writes.note_update,
        "labelCreate": writes.label_create,
        "createIssue": writes.issue_create,
        "updateIssue": writes.issue_update,
        "issueSetAssignees": writes.issue_assign,
    }


class _Writes:
    def __init__(self, views: Views) -> None:
        self.views = views
        self.call = views.call
        self.store = views.call.store

    # ----------------------------------------------------------------------------------------------------- work items
    def work_item_update(self, _info: Any, **arguments: Input) -> View:
        asked = arguments["input"]
        issue = self._issue(asked["id"], "edit")
        project = self.store.projects[issue.project]
        if "weightWidget" in asked and not self.call.terms.paid:
            return _payload(
                asked, ["Following widget keys are not supported by Issue type: [:weight_widget]"], workItem=None
            )
        changes = self._changes(project, asked)
        labels = asked.get("labelsWidget") or {}
        if labels:
            added = self._label_names(project, labels.get("addLabelIds"))
            removed = self._label_names(project, labels.get("removeLabelIds"))
            changes["labels"] = Edits(self.call.server, "").relabelled(issue, added, removed)
        errors = _tried(lambda: self._edits().update(issue, changes))
        return _payload(asked, errors, workItem=None if errors else self.views.work_item(issue))

    def work_item_create(self, _info: Any, **arguments: Input) -> View:
        asked = arguments["input"]
        project = self._project(asked.get("namespacePath") or asked.get("projectPath") or "", "create")
        changes = self._changes(project, asked)
        description = changes.pop("description", asked.get("description") or "")
        title = changes.pop("title")
        if (labels := asked.get("labelsWidget")) is not None:
            changes["labels"] = self._label_names(project, labels["labelIds"])
        kind = {id_: name for name, id_ in type_numbers(project).items()}.get(asked.get("workItemTypeId") or 1)
        if kind not in {word.id for word in project.types}:
            raise GraphQLError(UNAVAILABLE)
        made: list[Issue] = []
        errors = _tried(
            lambda: made.append(self._edits().create(project, title, description, {**changes, "type": kind}))
        )
        linked = asked.get("linkedItemsWidget")
        if made and linked:
            errors += self._link(made[0], linked.get("linkType") or "RELATED", linked["workItemsIds"])[0]
        return _payload(asked, errors, workItem=self.views.work_item(made[0]) if made else None)

    def work_item_link(self, _info: Any, **arguments: Input) -> View:
        asked = arguments["input"]
        issue = self._issue(asked["id"], "link")
        if len(asked["workItemsIds"]) > _LINKS_AT_ONCE:
            raise GraphQLError(f"No more than {_LINKS_AT_ONCE} work items can be linked at the same time.")
        errors, linked = self._link(issue, asked.get("linkType") or "RELATED", asked["workItemsIds"])
        message = f"Successfully linked ID(s): {', '.join(map(str, linked))}." if linked else None
        return _payload(asked, errors, workItem=self.views.work_item(issue), message=message)

    def _link(self, issue: Issue, kind: str, targets: list[int]) -> tuple[list[str], list[int]]:
        errors: list[str] = []
        linked: list[int] = []
        for target in targets:
            other = self._issue(target, "link")
            try:
                self._edits().link(issue, other, _LINKS[kind])
            except Unlicensed:
                return [UNLICENSED], []
            except Conflict as conflict:
                errors.append("Items are already linked" if "already" in str(conflict) else str(conflict))
            else:
                linked.append(target)
        # Where some were linked, those that had been before are passed over in silence.
        return ([] if linked else errors), linked

    def _changes(self, project: Project, asked: Input) -> dict[str, Any]:
        """The fields that both generations and both kinds of mutation have in common, in the store's names."""
        changes: dict[str, Any] = {
            name: asked[name] for name in ("title", "confidential") if asked.get(name) is not None
        }
        if (description := asked.get("descriptionWidget")) is not None:
            changes["description"] = description["description"]
        if event := asked.get("stateEvent"):
            changes["status"] = _STATES[event]
        if (assignees := asked.get("assigneesWidget")) is not None:
            changes["assignees"] = self._accounts(assignees["assigneeIds"])
        if (milestone := asked.get("milestoneWidget")) is not None and "milestoneId" in milestone:
            changes["milestone"] = self._milestone(project, milestone["milestoneId"])
        if (dates := asked.get("startAndDueDateWidget")) is not None and "dueDate" in dates:
            changes["due"] = dates["dueDate"]
        if (weight := asked.get("weightWidget")) is not None and "weight" in weight:
            changes["weight"] = weight["weight"]
        return changes

    # ---------------------------------------------------------------------------------------------------------- issues
    def issue_create(self, _info: Any, **arguments: Input) -> View:
        asked = arguments["input"]
        project = self._project(asked["projectPath"], "create")
        changes: dict[str, Any] = {
            "labels": [*(asked.get("labels") or ()), *self._label_names(project, asked.get("labelIds"))],
            "assignees": self._accounts(asked.get("assigneeIds") or []),
            "due": asked.get("dueDate"),
            "confidential": bool(asked.get("confidential")),
            "milestone": self._milestone(project, asked.get("milestoneId")),
            "type": asked.get("type") or "ISSUE",
        }
        made: list[Issue] = []
        words = asked.get("description") or ""
        errors = _tried(lambda: made.append(self._edits().create(project, asked["title"], words, changes)))
        return _payload(asked, errors, issue=self.views.issue(made[0]) if made else None)

    def issue_update(self, _info: Any, **arguments: Input) -> View:
        asked = arguments["input"]
        issue = self._issue_at(asked)
        project = self.store.projects[issue.project]
        names = {"title": "title", "description": "description", "confidential": "confidential", "type": "type"}
        changes = {ours: asked[theirs] for theirs, ours in names.items() if asked.get(theirs) is not None}
        if "dueDate" in asked:
            changes["due"] = asked["dueDate"]
        if "milestoneId" in asked:
            given = asked["milestoneId"]
            changes["milestone"] = self._milestone(project, None if given is None else number(given, "MilestoneID"))
        if event := asked.get("stateEvent"):
            changes["status"] = _STATES[event]
        added, removed, whole = (
            None
            if asked.get(name) is None
            else self._label_names(project, [number(one, "LabelID") for one in asked[name]])
            for name in ("addLabelIds", "removeLabelIds", "labelIds")
        )
        if whole is not None:
            changes["labels"] = whole
        elif added or removed:
            changes["labels"] = Edits(self.call.server, "").relabelled(issue, added or (), removed or ())
        errors = _tried(lambda: self._edits().update(issue, changes))
        return _payload(asked, errors, issue=self.views.issue(issue))

    def issue_assign(self, _info: Any, **arguments: Input) -> View:
        asked = arguments["input"]
        issue = self._issue_at(asked)
        names = {user.username: user.id for user in self.store.users.values()}
        named = [names[one] for one in asked["assigneeUsernames"] if one in names]
        mode = asked.get("operationMode") or "REPLACE"
        if mode == "APPEND":
            named = [*issue.assignees, *named]
        elif mode == "REMOVE":
            named = [one for one in issue.assignees if one not in named]
        errors = _tried(lambda: self._edits().update(issue, {"assignees": named}))
        return _payload(asked, errors, issue=self.views.issue(issue))

    # ----------------------------------------------------------------------------------------------------------- notes
    def note_create(self, _info: Any, **arguments: Input) -> View:
        asked = arguments["input"]
        issue = self._issue(asked["noteableId"], "comment")
        if self.call.token is not None and not may_note(self.call.server, self.call.token):
            raise GraphQLError(TOO_MANY)
        made: list[Any] = []
        internal = bool(asked.get("internal"))
        errors = _tried(lambda: made.append(self._edits().comment(issue, asked["body"], internal=internal)))
        if made and made[0].comment is None and self.call.generation == "16.3":
            errors = [f"Commands only {' '.join(made[0].said)}"]
        return _payload(asked, errors, note=self._note(issue, made[0].comment) if made else None)

    def note_update(self, _info: Any, **arguments: Input) -> View:
        asked = arguments["input"]
        token = self._token("comment", None)
        issue = self.store.issues.get(self.store.world.comments.get(str(asked["id"]), ""))
        comment = issue.comment(str(asked["id"])) if issue else None
        if issue is None or comment is None or comment.author != token or self.call.visible(issue.project) is None:
            raise GraphQLError(UNAVAILABLE)
        body = asked.get("body")
        errors = [] if body is None else _tried(lambda: self._edits().edit_comment(issue, comment, body))
        return _payload(asked, errors, note=self._note(issue, comment))

    def _note(self, issue: Issue, comment: Comment | None) -> View | None:
        if comment is None:
            return None
        return self.views.note(issue, written(comment))

    # ---------------------------------------------------------------------------------------------------------- labels
    def label_create(self, _info: Any, **arguments: Input) -> View:
        asked = arguments["input"]
        project = self._project(asked.get("projectPath") or "", "edit")
        title = asked["title"].strip()
        if not title or title in project.labels:
            reason = "Title has already been taken" if title else "Title can't be blank"
            return _payload(asked, [reason], label=None)
        words, color = asked.get("description") or "", asked.get("color") or "#6699cc"
        actor = self._token("edit", project)
        made = self.store.create_label(project.key, title, color=color, description=words, actor=actor)
        return _payload(asked, [], label=self.views.label(made))

    # ------------------------------------------------------------------------------------------------- who and what for
    def _edits(self) -> Edits:
        return Edits(self.call.server, self._token("comment", None))

    def _token(self, permission: str, project: Project | None) -> str:
        token = self.call.token
        if token is None or not token.may(permission, project.key if project else None):
            raise GraphQLError(UNAVAILABLE)
        return token.user

    def _project(self, path: str, permission: str) -> Project:
        project = self.call.visible(path)
        if project is None:
            raise GraphQLError(UNAVAILABLE)
        self._token(permission, project)
        return project

    def _issue(self, id_: int, permission: str) -> Issue:
        issue = self.store.issues.get(str(id_))
        if issue is None or self.call.visible(issue.project) is None or not self.call.sees(issue):
            raise GraphQLError(UNAVAILABLE)
        self._token(permission, self.store.projects[issue.project])
        return issue

    def _issue_at(self, asked: Input) -> Issue:
        project = self._project(asked["projectPath"], "edit")
        issue = project.issues.get(whole_number(asked["iid"]))
        if issue is None or not self.call.sees(issue):
            raise GraphQLError(UNAVAILABLE)
        return issue

    def _label_names(self, project: Project, ids: list[int] | None) -> list[str]:
        names = {label.id: label.name for label in project.labels.values()}
        return [names[one] for one in ids or () if one in names]

    def _accounts(self, numbers: list[int]) -> list[str]:
        by_number = {user.number: user.id for user in self.store.users.values()}
        return [by_number[one] for one in numbers if one in by_number]

    def _milestone(self, project: Project, id_: int | None) -> int | None:
        return id_ if id_ in project.milestones else None


def _tried(write: Callable[[], object]) -> list[str]:
    """The model's refusals, as sentences: ``Title can't be blank``."""
    try:
        write()
    except Invalid as error:
        return [f"{error.field.capitalize()} {error.reason}"]
    return []


def _payload(asked: Input, errors: list[str], **fields: Any) -> View:
    return {"clientMutationId": asked.get("clientMutationId"), "errors": errors, **fields}
