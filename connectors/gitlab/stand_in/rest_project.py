"""REST v4: server, people, projects, labels, milestones."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response

from connectors.gitlab.stand_in.call import Refusal, missing, whole_number
from connectors.gitlab.stand_in.paging import listed
from connectors.gitlab.stand_in.rest_groups import listed_projects
from connectors.sandbox.store import Refused

if TYPE_CHECKING:
    from connectors.gitlab.stand_in.call import Call
    from connectors.sandbox.nouns import Label, Milestone, Project

_DEVELOPER, _REPORTER, _GUEST = 30, 20, 10
_COLOR = re.compile(r"#[0-9A-Fa-f]{6}|#[0-9A-Fa-f]{3}|[a-z]+")


# ------------------------------------------------------------------------------------------------- server and people
def version(call: Call) -> Response:
    call.account()
    return JSONResponse({"version": call.server.version, "revision": "0a1b2c3d4e5"})


def metadata(call: Call) -> Response:
    call.account()
    kas = {"enabled": False, "externalUrl": None, "externalK8sProxyUrl": None, "version": None}
    return JSONResponse(
        {"version": call.server.version, "revision": "0a1b2c3d4e5", "kas": kas, "enterprise": call.terms.paid}
    )


def user(call: Call) -> Response:
    return JSONResponse(call.shapes.account(call.account().user))


def users(call: Call) -> Response:
    call.account()
    people = sorted(call.store.users.values(), key=lambda one: one.number, reverse=True)
    if call.given("username"):
        people = [one for one in people if one.username.casefold() == call.text("username").casefold()]
    if words := call.text("search").casefold():
        people = [one for one in people if words in f"{one.username}\n{one.name}\n{one.email}".casefold()]
    return listed(call, people, lambda one: call.shapes.user(one.id))


def own_token(call: Call) -> Response:
    token = call.account()
    reads = token.permissions == frozenset({"browse"})
    said = {
        "id": call.store.users[token.user].number,
        "name": "token",
        "revoked": False,
        "created_at": None,
        "description": None,
        "scopes": ["read_api"] if reads else ["api"],
        "user_id": call.store.users[token.user].number,
        "last_used_at": None,
        "active": True,
        "expires_at": token.expires.isoformat() if token.expires else None,
    }
    return JSONResponse(said)


# ------------------------------------------------------------------------------------------------------------ project
def list_projects(call: Call) -> Response:
    return listed_projects(call, call.projects())


def get_project(call: Call) -> Response:
    project, token = call.project(), call.account()
    level = _level(call, token.user)
    access = {"access_level": level, "notification_level": 3}
    said = {**call.shapes.project(project), "permissions": {"project_access": access, "group_access": None}}
    return JSONResponse(said)


def list_members(call: Call) -> Response:
    """Everybody with an account: the sandbox knows no other membership."""
    call.project()
    people = sorted(call.store.users.values(), key=lambda one: one.number)
    if words := call.text("query").casefold():
        people = [one for one in people if words in f"{one.username}\n{one.name}".casefold()]

    def shape(id_: str) -> dict[str, Any]:
        return {
            **(call.shapes.user(id_) or {}),
            "access_level": _level(call, id_),
            "created_at": None,
            "expires_at": None,
            "membership_state": "active",
        }

    return listed(call, [one.id for one in people], shape)


def _level(call: Call, account: str) -> int:
    """Guest for customers; else Reporter or Developer, by what the account's tokens allow."""
    if call.store.users[account].customer:
        return _GUEST
    if call.token is not None and call.token.user == account and not call.token.may("create"):
        return _REPORTER
    return _DEVELOPER


# ------------------------------------------------------------------------------------------------ labels, milestones
def list_labels(call: Call) -> Response:
    project = call.project()
    words = call.text("search").casefold()
    labels = [one for one in project.labels.values() if words in one.name.casefold()]
    if call.flag("include_ancestor_groups", default=True) is False:
        labels = [one for one in labels if not one.group]
    labels.sort(key=lambda one: (one.name.casefold(), one.id))
    counts = bool(call.flag("with_counts"))
    return listed(call, labels, lambda one: call.shapes.whole_label(project, one, counts=counts))


def get_label(call: Call) -> Response:
    project = call.project()
    return JSONResponse(call.shapes.whole_label(project, _label(call, project)))


def create_label(call: Call) -> Response:
    project = call.project()
    token = call.need("edit", project)
    call.required("name", "color")
    name = call.text("name").strip()
    _named(name)
    if name in project.labels:
        raise Refusal.message(409, "Label already exists")
    color, words = _color(call.text("color")), call.text("description")
    label = call.store.create_label(project.key, name, color=color, description=words, actor=token.user)
    return JSONResponse(call.shapes.whole_label(project, label), 201)


def update_label(call: Call) -> Response:
    project = call.project()
    token = call.need("edit", project)
    label = _label(call, project)
    changes: dict[str, Any] = {}
    if call.given("new_name"):
        changes["name"] = call.text("new_name").strip()
        _named(changes["name"])
    if call.given("color"):
        changes["color"] = _color(call.text("color"))
    if call.given("description"):
        changes["description"] = call.text("description")
    if not changes:
        raise Refusal.invalid(
            "new_name, color, description, priority, archived are missing, at least one parameter must be provided"
        )
    try:
        label = call.store.change_label(project.key, label.name, changes, actor=token.user)
    except Refused as refused:
        raise Refusal.message(400, {"title": ["has already been taken"]}) from refused
    return JSONResponse(call.shapes.whole_label(project, label))


def delete_label(call: Call) -> Response:
    project = call.project()
    token = call.need("edit", project)
    call.store.remove_label(project.key, _label(call, project).name, actor=token.user)
    return Response(status_code=204)


def _label(call: Call, project: Project) -> Label:
    asked = call.path.get("label") or call.text("name")
    found = project.labels.get(asked)
    if found is None:
        found = next((one for one in project.labels.values() if one.id == whole_number(asked)), None)
    if found is None:
        raise missing("Label")
    return found


def _named(name: str) -> None:
    if not name or "," in name:
        raise Refusal.message(400, {"title": ["is invalid"] if name else ["can't be blank"]})


def _color(text: str) -> str:
    if not _COLOR.fullmatch(text):
        raise Refusal.message(400, {"color": ["must be a valid color code"]})
    return text


def list_milestones(call: Call) -> Response:
    project = call.project()
    rows = sorted(project.milestones.values(), key=lambda one: one.id, reverse=True)
    if call.given("state"):
        active = call.choice("state", ("active", "closed"), "active") == "active"
        rows = [one for one in rows if one.active == active]
    if call.given("title"):
        rows = [one for one in rows if one.title == call.text("title")]
    if call.given("iids"):
        rows = [one for one in rows if one.iid in call.numbers("iids")]
    return listed(call, rows, lambda one: call.shapes.milestone(project, one))


def get_milestone(call: Call) -> Response:
    project = call.project()
    return JSONResponse(call.shapes.milestone(project, _milestone(call, project)))


def create_milestone(call: Call) -> Response:
    project = call.project()
    token = call.need("edit", project)
    call.required("title")
    title = call.text("title").strip()
    if not title:
        raise Refusal.message(400, {"title": ["can't be blank"]})
    if any(one.title == title for one in project.milestones.values()):
        raise Refusal.message(400, {"title": ["already being used for another group or project milestone."]})
    made = call.store.create_milestone(project.key, title, due=call.day("due_date"), actor=token.user)
    return JSONResponse(call.shapes.milestone(project, made), 201)


def update_milestone(call: Call) -> Response:
    project = call.project()
    token = call.need("edit", project)
    changes: dict[str, Any] = {}
    if call.given("title"):
        changes["title"] = call.text("title")
    if call.given("due_date"):
        changes["due"] = call.day("due_date")
    if call.given("state_event"):
        changes["active"] = call.choice("state_event", ("close", "activate"), "close") == "activate"
    found = call.store.change_milestone(project.key, _milestone(call, project).id, changes, actor=token.user)
    return JSONResponse(call.shapes.milestone(project, found))


def _milestone(call: Call, project: Project) -> Milestone:
    asked = call.path["milestone"]
    found = project.milestones.get(whole_number(asked))
    if found is None:
        raise missing()
    return found
