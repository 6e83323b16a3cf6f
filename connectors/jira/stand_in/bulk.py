"""The same edit or transition on many issues at once (Jira Cloud, API 3), as a task that is asked how far it is.

Rules:

1. A request whose shape is wrong is refused whole, ``{"errors": [{"message": ...}]}``; what is wrong with one issue
   only (a field off its screen, a priority its scheme does not know) is told with the finished task, and the others
   are edited all the same.
2. Everything is written when the task is taken in; ``store.bulk_stages`` says for how long it looks unfinished.

Beyond the description: which permission is missing is told with 403, where the description lists 400 and 401 only.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from connectors.jira.stand_in.edits import read_edit
from connectors.jira.stand_in.reads import transition_ids
from connectors.jira.stand_in.session import Refusal, Session
from connectors.jira.stand_in.writes import transition_edit
from connectors.sandbox.nouns import Issue
from connectors.sandbox.store import Refused

Json = dict[str, Any]
Answer = tuple[int, Any]

_MOST_ISSUES, _MOST_FIELDS = 1000, 200
_DATES = ("%Y-%m-%d", "%d-%m-%Y", "%d/%b/%y")
_LISTS: dict[str, tuple[str, Callable[[Json], Any]]] = {
    "labelsFields": ("labels", lambda one: one["name"]),
    "multipleVersionPickerFields": ("versions", lambda one: {"id": one["versionId"]}),
    "multiselectComponents": ("components", lambda one: {"id": str(one["componentId"])}),
}
_SINGLE: dict[str, Callable[[Json], Any]] = {
    "datePickerFields": lambda one: _day(one["date"]["formattedDate"]),
    "singleSelectClearableUserPickerFields": lambda one: one["user"],
    "singleLineTextFields": lambda one: one["text"],
    "richTextFields": lambda one: one["richText"]["adfValue"],
}
_WORDS = {"priority": ("priority", "priorityId"), "issueType": ("issuetype", "issueTypeId")}


def edit(session: Session) -> Answer:
    _may(session)
    said = _members(
        session,
        ("selectedIssueIdsOrKeys", "selectedActions", "editedFieldsInput"),
        ("sendBulkNotification",),
    )
    changes = _changes(said["editedFieldsInput"])
    named, selected = {*changes["fields"], *changes["update"]}, set(_texts(said["selectedActions"], _MOST_FIELDS))
    if extra := sorted(named - selected):
        raise _wrong(f"The following editedFieldInput values are not listed as selectedActions : {', '.join(extra)}")
    if extra := sorted(selected - named):
        raise _wrong(f"The following selectedActions have no editedFieldInput value : {', '.join(extra)}")
    issues = _texts(said["selectedIssueIdsOrKeys"], _MOST_ISSUES)

    def one(issue: Issue, at: datetime) -> None:
        read_edit(session, session.home(issue), changes, issue).write(session, issue, at)

    return 201, {"taskId": _run(session, dict.fromkeys(issues, one))}


def transition(session: Session) -> Answer:
    _may(session)
    said = _members(session, ("bulkTransitionInputs",), ("sendBulkNotification",))
    inputs = said["bulkTransitionInputs"]
    if not isinstance(inputs, list) or not all(isinstance(one, dict) for one in inputs):
        raise _wrong("bulkTransitionInputs must be a list of objects")
    work: dict[str, Callable[[Issue, datetime], None]] = {}
    for chosen in inputs:
        if chosen.keys() != {"selectedIssueIdsOrKeys", "transitionId"} or not isinstance(chosen["transitionId"], str):
            raise _wrong("each of bulkTransitionInputs has selectedIssueIdsOrKeys and transitionId")
        for key in _texts(chosen["selectedIssueIdsOrKeys"], _MOST_ISSUES):
            work[key] = _to(session, chosen["transitionId"])
    if len(work) > _MOST_ISSUES:
        raise _wrong(f"at most {_MOST_ISSUES} issues can be transitioned")
    return 201, {"taskId": _run(session, work)}


def _to(session: Session, id_: str) -> Callable[[Issue, datetime], None]:
    def one(issue: Issue, at: datetime) -> None:
        known = transition_ids(session, issue)
        if id_ not in known:
            raise Refusal(400, f"Transition id '{id_}' is not valid for this issue.")
        transition_edit(session, issue, known[id_], {}).write(session, issue, at)

    return one


def progress(session: Session) -> Json:
    """How far a task is; each time it is asked it is one stage further."""
    _may(session)
    task = session.tasks.get(session.path["task"])
    if task is None:
        raise Refusal(404, "The task was not found.")
    stages, whole = task
    if not stages:
        return dict(whole)
    named = ("taskId", "submittedBy", "created", "started", "updated")
    shown = {name: whole[name] for name in named} | {"status": stages.pop(0)}
    return {**shown, "progressPercent": 0 if shown["status"] == "ENQUEUED" else 50}


def _run(session: Session, work: dict[str, Callable[[Issue, datetime], None]]) -> str:
    done: list[int] = []
    failed: dict[str, list[str]] = {}
    lost = 0
    for key, one in work.items():
        try:
            issue = session.issue(key)
        except Refusal:
            lost += 1
            continue
        try:
            one(issue, session.store.clock.for_write())
        except Refusal as refusal:
            failed[issue.id] = [*refusal.messages, *refusal.errors.values()]
        except Refused as refused:
            failed[issue.id] = [str(refused)]
        else:
            done.append(int(issue.id))
    id_ = str(10000 + len(session.tasks))
    at = int(session.store.clock.now().timestamp() * 1000)
    whole = {
        "taskId": id_, "status": "COMPLETE", "progressPercent": 100, "submittedBy": {"accountId": session.actor},
        "created": at, "started": at, "updated": at, "totalIssueCount": len(work), "processedAccessibleIssues": done,
        "failedAccessibleIssues": failed, "invalidOrInaccessibleIssueCount": lost,
    }  # fmt: skip
    session.tasks[id_] = (list(session.store.bulk_stages), whole)
    return id_


# ----------------------------------------------------------------------------------------------------------- the body


def _wrong(text: str) -> Refusal:
    return Refusal(400, text, body={"errors": [{"message": text}]})


def _may(session: Session) -> None:
    session.log_in()
    if not session.token.may("bulk"):
        text = "You do not have permission to make bulk changes."
        raise Refusal(403, text, body={"errors": [{"message": text}]})


def _members(session: Session, required: tuple[str, ...], other: tuple[str, ...]) -> Json:
    if not isinstance(session.body, dict):
        raise _wrong("Invalid request payload. Refer to the REST API documentation and try again.")
    if unknown := [name for name in session.body if name not in {*required, *other}]:
        raise _wrong(f'Unrecognized field "{unknown[0]}"')
    if missing := [name for name in required if session.body.get(name) is None]:
        raise _wrong(f"{missing[0]} is required")
    if not isinstance(session.body.get("sendBulkNotification", True), bool):
        raise _wrong("sendBulkNotification must be true or false")
    return session.body


def _texts(said: Any, most: int) -> list[str]:
    if not isinstance(said, list) or not said or not all(isinstance(one, str) for one in said):
        raise _wrong("a list of texts was expected")
    if len(said) > most:
        raise _wrong(f"at most {most} are allowed, there are {len(said)}")
    return list(dict.fromkeys(said))


def _changes(said: Any) -> Json:
    """The edit of each single issue that the bulk stands for, as ``read_edit`` takes it."""
    if not isinstance(said, dict):
        raise _wrong("editedFieldsInput must be an object")
    changes: Json = {"fields": {}, "update": {}}
    for kind, value in said.items():
        try:
            if kind in _WORDS:
                name, member = _WORDS[kind]
                changes["fields"][name] = {"id": str(value[member])}
            elif kind in _LISTS:
                for one in value if isinstance(value, list) else [value]:
                    _listed(changes, kind, one)
            elif kind in _SINGLE:
                for one in value:
                    changes["fields"][one["fieldId"]] = _SINGLE[kind](one)
            else:
                raise _wrong(f"editing {kind} is not supported")
        except (KeyError, TypeError, AttributeError, ValueError):
            raise _wrong(f"the value of {kind} is not of the form that is described") from None
    return changes


def _listed(changes: Json, kind: str, one: Json) -> None:
    member, read = _LISTS[kind]
    elements = [read(element) for element in one[member]]
    option, name = one["bulkEditMultiSelectFieldOption"], str(one["fieldId"])
    if option in {"ADD", "REMOVE"}:
        changes["update"][name] = [{option.lower(): element} for element in elements]
    elif option in {"REPLACE", "REMOVE_ALL"}:
        changes["fields"][name] = elements if option == "REPLACE" else []
    else:
        raise ValueError(option)


def _day(text: str) -> str | None:
    if not text:
        return None
    for form in _DATES:
        try:
            return datetime.strptime(text, form).date().isoformat()  # noqa: DTZ007 - a plain date has no zone
        except ValueError:
            continue
    raise ValueError(text)
