"""The writing endpoints of the Jira stand-in: each gives (status, JSON or None)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from connectors.jira.stand_in import shapes
from connectors.jira.stand_in.edits import Edit, link_type, read_edit
from connectors.jira.stand_in.reads import transition_ids
from connectors.jira.stand_in.screens import transition_screen
from connectors.jira.stand_in.session import Refusal, Session
from connectors.jira.stand_in.values import checked_comment, property_fault
from connectors.sandbox.nouns import Issue, Project, Version
from connectors.sandbox.store import Refused
from policies.issue import Word

Json = dict[str, Any]
Answer = tuple[int, Any]

_EDIT = ("fields", "update", "properties", "historyMetadata", "transition")
_GLOBAL_ID = 255


# ------------------------------------------------------------------------------------------------------------- issues


def create_issue(session: Session) -> Answer:
    said = session.members(*_EDIT, required=("fields",))
    if not isinstance(said["fields"], dict):
        raise Refusal(400, "'fields' must be an object.")
    fields = dict(said["fields"])
    try:
        home = _home(session, fields.pop("project", None))
    except Refusal as refusal:
        if refusal.status == 404:  # noqa: PLR2004 - in a body, an unknown project is a wrong value
            raise Refusal(400, errors={"project": "valid project is required"}) from None
        raise
    if not session.token.may("create", home.key):
        raise Refusal(403, "You do not have permission to create issues in this project.")
    missing = {"summary": "You must specify a summary of the issue.", "issuetype": "Specify an issue type"}
    if absent := {name: text for name, text in missing.items() if not fields.get(name)}:
        raise Refusal(400, errors=absent)
    edit = read_edit(session, home, {**said, "fields": fields}, None)
    changes = edit.changes
    plain = {
        "title",
        "type",
        "description",
        "priority",
        "labels",
        "assignees",
        "due",
        "components",
        "fix_versions",
        "reporter",
    }
    at = session.store.clock.for_write()
    issue = session.store.create_issue(
        home.key,
        changes["title"],
        actor=session.actor,
        at=at,
        type_=changes["type"],
        description=changes.get("description"),
        priority=changes.get("priority") or _usual_priority(home),
        labels=changes.get("labels", ()),
        assignees=changes.get("assignees", ()),
        due=changes.get("due"),
        components=changes.get("components", ()),
        fix_versions=changes.get("fix_versions", ()),
        reporter=changes.get("reporter"),
        extra={name: value for name, value in changes.items() if name not in plain},
    )
    edit.changes = {}
    edit.write(session, issue, at)
    return 201, {"id": issue.id, "key": issue.key, "self": f"{session.rest}/issue/{issue.id}"}


def _usual_priority(home: Project) -> str | None:
    """The middle one, as Jira's default schemes have it."""
    return home.priorities[len(home.priorities) // 2].id if home.priorities else None


def _home(session: Session, said: Any) -> Project:
    if not isinstance(said, dict) or not (said.get("key") or said.get("id")):
        raise Refusal(400, errors={"project": "project is required"})
    return session.project(str(said.get("key") or said.get("id")))


def edit_issue(session: Session) -> Answer:
    issue = session.issue(session.path["key"])
    session.need("edit", "edit issues in this project")
    said = session.members(*_EDIT)
    if not said:
        raise Refusal(400, "one of 'fields' or 'update' required")
    for name in ("notifyUsers", "returnIssue"):
        if session.query.get(name, "true") not in {"true", "false"}:
            raise Refusal(400, f"The value of {name} must be true or false.")
    if session.query.get("notifyUsers") == "false" and not session.token.may("admin"):
        raise Refusal(403, "To discard the user notification either admin or project admin permissions are required.")
    edit = read_edit(session, session.home(issue), said, issue)
    edit.write(session, issue, session.store.clock.for_write())
    if session.cloud and session.query.get("returnIssue") == "true":
        return 200, shapes.issue(session, issue, ["*all"], expand=session.query.get("expand", ""))
    return 204, None


def assign(session: Session) -> Answer:
    issue = session.issue(session.path["key"])
    said = session.members("accountId", "name", "key")
    person = session.find_user(said)
    named = said.get("accountId") or said.get("name")
    if named not in {None, "-1"} and (person is None or not person.active):
        raise Refusal(400, errors={"assignee": f"User '{named}' does not exist."})
    session.need("assign", "assign this issue")
    session.store.edit(issue.id, {"assignees": [person.id] if person else []}, actor=session.actor)
    return 204, None


def transition(session: Session) -> Answer:
    issue = session.issue(session.path["key"])
    session.need("transition", "transition this issue")
    said = session.members(*_EDIT, required=("transition",))
    chosen = said["transition"]
    known = transition_ids(session, issue)
    id_ = str(chosen.get("id", "")) if isinstance(chosen, dict) else ""
    if id_ not in known:
        raise Refusal(400, f"Transition id '{id_}' is not valid for this issue.")
    transition_edit(session, issue, known[id_], said).write(session, issue, session.store.clock.for_write())
    return 204, None


def transition_edit(session: Session, issue: Issue, target: Word, said: Json) -> Edit:
    """The way to a status with what goes along; one entry of the history holds it all. Raises Refusal(400)."""
    home, closing = session.home(issue), target.group == "done"
    edit = read_edit(session, home, said, issue, screen=transition_screen(session, home, issue, closing=closing))
    resolution = None
    if closing and home.resolutions:
        resolution = edit.changes.get("resolution") or issue.resolution or home.resolutions[0].id
    edit.changes = {"status": target.id, **edit.changes, "resolution": resolution}
    return edit


# ----------------------------------------------------------------------------------------------------------- comments

_COMMENT = ("body", "visibility", "properties", "parentId", "jsdPublic", "public")


def add_comment(session: Session) -> Answer:
    issue = session.issue(session.path["key"])
    session.need("comment", "comment on this issue")
    text, options = checked_comment(session, session.members(*_COMMENT))
    id_ = session.store.comment(issue.id, text, actor=session.actor, at=session.store.clock.for_write(), **options)
    return 201, _comment(session, issue, id_)


def edit_comment(session: Session) -> Answer:
    issue = session.issue(session.path["key"])
    session.need("comment", "edit this comment")
    held = issue.comment(session.path["id"])
    if held is None:
        raise Refusal(404, f"Can not find a comment for the id: {session.path['id']}.")
    if held.author != session.actor and not session.token.may("admin"):
        raise Refusal(403, "You do not have the permission to edit this comment.")
    text, _ = checked_comment(session, session.members(*_COMMENT))
    session.store.edit_comment(issue.id, held.id, text, actor=session.actor)
    return 200, _comment(session, issue, held.id)


def remove_comment(session: Session) -> Answer:
    issue = session.issue(session.path["key"])
    session.need("comment", "delete this comment")
    if issue.comment(session.path["id"]) is None:
        raise Refusal(404, f"Can not find a comment for the id: {session.path['id']}.")
    session.store.remove_comment(issue.id, session.path["id"], actor=session.actor)
    return 204, None


def _comment(session: Session, issue: Issue, id_: str) -> Json:
    held = issue.comment(id_)
    assert held is not None
    return shapes.comment(session, held, issue)


# -------------------------------------------------------------------------------------------------------------- links


def link_web(session: Session) -> Answer:
    """Create, or replace what the same globalId names: members left out are gone."""
    issue = session.issue(session.path["key"])
    session.need("link", "link issues")
    said = session.members("globalId", "application", "relationship", "object", "id", "self")
    target = said.get("object")
    errors = {
        name: f"'{name}' is required."
        for name in ("url", "title")
        if not (isinstance(target, dict) and target.get(name))
    }
    if errors:
        raise Refusal(400, errors=errors)
    global_id = said.get("globalId")
    if global_id is not None and (not isinstance(global_id, str) or len(global_id) > _GLOBAL_ID):
        raise Refusal(400, errors={"globalId": "The globalId must be at most 255 characters long."})
    key = global_id or f"unnamed-{len(session.store.log)}"
    data = {
        name: said[name] for name in ("globalId", "application", "relationship", "object") if said.get(name) is not None
    }
    new = session.store.link_web(issue.id, key, data, actor=session.actor)
    link = issue.web_links[key]
    return 201 if new else 200, {"id": link.id, "self": f"{session.rest}/issue/{issue.key}/remotelink/{link.id}"}


def unlink_web(session: Session) -> Answer:
    """By globalId, or by id where the path names one."""
    issue = session.issue(session.path["key"])
    session.need("link", "link issues")
    wanted, id_ = session.query.get("globalId"), session.path.get("id")
    if id_ is None and wanted is None:
        raise Refusal(400, "The globalId query parameter is required.")
    found = [key for key, one in issue.web_links.items() if (str(one.id) == id_ if id_ is not None else key == wanted)]
    if not found:
        raise Refusal(404, "No remote issue link found with the given id.")
    session.store.unlink_web(issue.id, found[0], actor=session.actor)
    return 204, None


def link_issues(session: Session) -> Answer:
    """``inwardIssue`` is the one that does it: "A blocks B" has inwardIssue A, outwardIssue B."""
    said = session.members(
        "type", "inwardIssue", "outwardIssue", "comment", required=("type", "inwardIssue", "outwardIssue")
    )
    type_ = link_type(session, said["type"])
    source, target = (
        session.issue(str(said[end].get("key") or said[end].get("id"))) for end in ("inwardIssue", "outwardIssue")
    )
    session.need("link", "link issues")
    checked = checked_comment(session, said["comment"]) if said.get("comment") else None
    at = session.store.clock.for_write()
    session.store.link_issues(source.id, target.id, type_, actor=session.actor, at=at)
    if checked is not None:
        session.store.comment(source.id, checked[0], actor=session.actor, at=at, **checked[1])
    return 201, None


def unlink_issues(session: Session) -> Answer:
    for home in session.projects():
        for issue in home.issues.values():
            for link in issue.links:
                if link.id == session.path["id"]:
                    session.need("link", "link issues")
                    session.store.unlink_issues(link, actor=session.actor)
                    return 204, None
    raise Refusal(404, f"No issue link with id '{session.path['id']}' exists.")


# ----------------------------------------------------------------------------------------------- properties, versions


def set_property(session: Session) -> Answer:
    issue = session.issue(session.path["key"])
    session.need("edit", "edit issues in this project")
    key = session.path["property"]
    if session.body is None:
        raise Refusal(400, "The property value must be valid, non-empty JSON.")
    if wrong := property_fault(key, session.body):
        raise Refusal(400, wrong)
    status = 200 if key in issue.properties else 201
    session.store.set_property(issue.id, key, session.body, actor=session.actor)
    return status, None


def remove_property(session: Session) -> Answer:
    issue = session.issue(session.path["key"])
    session.need("edit", "edit issues in this project")
    if session.path["property"] not in issue.properties:
        raise Refusal(404, f"The property {session.path['property']} does not exist.")
    session.store.set_property(issue.id, session.path["property"], None, actor=session.actor)
    return 204, None


_VERSION = (
    "name", "description", "projectId", "project", "released", "archived", "releaseDate", "startDate",
    "moveUnfixedIssuesTo", "id", "self", "expand",
)  # fmt: skip


def create_version(session: Session) -> Answer:
    said = session.members(*_VERSION, required=("name",))
    home = session.project(str(said.get("projectId") or said.get("project") or ""))
    session.need("admin", "administer this project")
    try:
        held = session.store.create_version(
            home.key,
            str(said["name"]),
            actor=session.actor,
            description=said.get("description") or "",
            released=said.get("released") is True,
            archived=said.get("archived") is True,
            release_date=_day(said.get("releaseDate")),
        )
    except Refused:
        raise Refusal(400, errors={"name": "A version with this name already exists in this project."}) from None
    return 201, shapes.version(session, held)


def edit_version(session: Session) -> Answer:
    said = session.members(*_VERSION)
    held = _version(session)
    session.need("admin", "administer this project")
    changes: Json = {name: said[name] for name in ("name", "description", "released", "archived") if name in said}
    if "releaseDate" in said:
        changes["release_date"] = _day(said["releaseDate"])
    others = (one.name for one in session.store.projects[held.project].versions.values() if one is not held)
    if changes.get("name") in set(others):
        raise Refusal(400, errors={"name": "A version with this name already exists in this project."})
    heir = _heir(session, held, said.get("moveUnfixedIssuesTo"))
    at = session.store.clock.for_write()
    session.store.change_version(held, changes, actor=session.actor, at=at)
    if heir is not None:
        for issue in session.store.projects[held.project].issues.values():
            if held.id in issue.fix_versions and issue.resolution is None:
                kept = [heir.id if one == held.id else one for one in issue.fix_versions]
                changed = {"fix_versions": list(dict.fromkeys(kept))}
                session.store.edit(issue.id, changed, actor=session.actor, at=at)
    return 200, shapes.version(session, held)


def _heir(session: Session, held: Version, said: str | None) -> Version | None:
    """Where the unresolved issues of a released version go, named by its address. Raises Refusal(400)."""
    if said is None:
        return None
    found = session.store.projects[held.project].versions.get(said.rstrip("/").rpartition("/")[2])
    if found is None or found is held:
        raise Refusal(400, errors={"moveUnfixedIssuesTo": "The version is not one of this project."})
    return found


def _version(session: Session) -> Version:
    for home in session.projects():
        if (found := home.versions.get(session.path["id"])) is not None:
            return found
    raise Refusal(404, f"Could not find version for id '{session.path['id']}'")


def _day(value: Any) -> date | None:
    if value is None:
        return None
    try:
        return datetime.strptime(value, "%Y-%m-%d").date()  # noqa: DTZ007 - a plain date has no zone
    except (TypeError, ValueError):
        raise Refusal(400, errors={"releaseDate": "The release date must be of the form yyyy-MM-dd."}) from None
