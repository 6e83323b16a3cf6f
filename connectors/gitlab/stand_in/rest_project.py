"""REST v4, the rest of our slice: server, people, projects, labels, milestones, merge requests, tags, releases."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response

from connectors.gitlab.stand_in.call import VERSIONS, Refusal, missing
from connectors.gitlab.stand_in.paging import keyset, listed
from connectors.gitlab.stand_in.shapes import instant
from connectors.sandbox.store import Refused

if TYPE_CHECKING:
    from connectors.gitlab.stand_in.call import Call
    from connectors.sandbox.nouns import Commit, Label, MergeRequest, Milestone, Project, Release

_DEVELOPER, _REPORTER, _GUEST = 30, 20, 10
_COLOR = re.compile(r"#[0-9A-Fa-f]{6}|#[0-9A-Fa-f]{3}|[a-z]+")


# ------------------------------------------------------------------------------------------------- server and people
def version(call: Call) -> Response:
    call.account()
    return JSONResponse({"version": VERSIONS[call.generation], "revision": "0a1b2c3d4e5"})


def metadata(call: Call) -> Response:
    call.account()
    kas = {"enabled": False, "externalUrl": None, "externalK8sProxyUrl": None, "version": None}
    said = {"version": VERSIONS[call.generation], "revision": "0a1b2c3d4e5", "kas": kas, "enterprise": False}
    return JSONResponse(said)


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
        "expires_at": None,
    }
    return JSONResponse(said)


# ------------------------------------------------------------------------------------------------------------ project
def list_projects(call: Call) -> Response:
    projects = [one for one in call.store.projects.values() if call.visible(one.key)]
    if words := call.text("search").casefold():
        projects = [one for one in projects if words in f"{one.key} {one.name}".casefold()]
    projects.sort(key=lambda one: one.id, reverse=call.choice("sort", ("asc", "desc"), "desc") == "desc")
    if call.text("pagination") == "keyset":
        return keyset(call, projects, call.shapes.project, lambda one: (f"{one.id:020d}", one.id), "id")
    return listed(call, projects, call.shapes.project)


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
    labels.sort(key=lambda one: (one.name.casefold(), one.id))
    return listed(call, labels, lambda one: call.shapes.label(one, project=project))


def get_label(call: Call) -> Response:
    project = call.project()
    return JSONResponse(call.shapes.label(_label(call, project), project=project))


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
    return JSONResponse(call.shapes.label(label, project=project), 201)


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
    return JSONResponse(call.shapes.label(label, project=project))


def delete_label(call: Call) -> Response:
    project = call.project()
    token = call.need("edit", project)
    call.store.remove_label(project.key, _label(call, project).name, actor=token.user)
    return Response(status_code=204)


def _label(call: Call, project: Project) -> Label:
    asked = call.path.get("label") or call.text("name")
    found = project.labels.get(asked)
    if found is None and asked.isdecimal():
        found = next((one for one in project.labels.values() if one.id == int(asked)), None)
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
    found = project.milestones.get(int(asked)) if asked.isdecimal() else None
    if found is None:
        raise missing()
    return found


# ----------------------------------------------------------------------------------------- merge requests, repository
def list_merge_requests(call: Call) -> Response:
    project = call.project()
    state = call.choice("state", ("opened", "closed", "locked", "merged", "all"), "all")
    order = call.choice("order_by", ("created_at", "updated_at", "merged_at"), "created_at")
    sort = call.choice("sort", ("asc", "desc"), "desc")
    after = call.moment("updated_after")
    rows = [one for one in project.merge_requests.values() if state in {"all", one.state}]
    if after is not None:
        rows = [one for one in rows if one.updated >= after]
    if call.given("iids"):
        rows = [one for one in rows if one.iid in call.numbers("iids")]
    names = {"created_at": "created", "updated_at": "updated", "merged_at": "merged_at"}
    rows.sort(key=lambda one: (instant(getattr(one, names[order])) or "", one.id), reverse=sort == "desc")
    return listed(call, rows, call.shapes.merge_request, order_by=order, sort=sort, state=state)


def get_merge_request(call: Call) -> Response:
    return JSONResponse(call.shapes.merge_request(_merge_request(call)))


def list_closed_issues(call: Call) -> Response:
    """The issues that a merge request closes."""
    request = _merge_request(call)
    issues = call.store.projects[request.project].issues
    seen = [issues[iid] for iid in request.closes if call.sees(issues[iid])]
    return listed(call, seen, call.shapes.issue)


def _merge_request(call: Call) -> MergeRequest:
    project, iid = call.project(), call.path["iid"]
    found = project.merge_requests.get(int(iid)) if iid.isdecimal() else None
    if found is None:
        raise missing()
    return found


def list_tags(call: Call) -> Response:
    project = call.project()
    order = call.choice("order_by", ("name", "updated", "version"), "updated")
    sort = call.choice("sort", ("asc", "desc"), "desc")
    words = call.text("search").casefold()
    rows = [one for one in project.tags.values() if words in one.name.casefold()]
    rows.sort(key=lambda one: (one.name if order == "name" else one.at.isoformat(), one.name), reverse=sort == "desc")
    return listed(call, rows, lambda one: call.shapes.tag(project, one), order_by=order, sort=sort)


def get_tag(call: Call) -> Response:
    project = call.project()
    found = project.tags.get(call.path["tag"])
    if found is None:
        raise missing("Tag")
    return JSONResponse(call.shapes.tag(project, found))


def compare(call: Call) -> Response:
    """The commits that ``to`` has and ``from`` has not."""
    project = call.project()
    call.required("from", "to")
    places = [_place(project, call.text(name)) for name in ("from", "to")]
    if None in places:
        raise missing("Ref")
    start, end = (place or 0 for place in places)
    commits = [call.shapes.commit(project, one) for one in project.commits[start + 1 : end + 1]]
    said = {
        "commit": commits[-1] if commits else None,
        "commits": commits,
        "diffs": [],
        "compare_timeout": False,
        "compare_same_ref": start == end,
        "web_url": f"{call.shapes.web(project)}/-/compare/{call.text('from')}...{call.text('to')}",
    }
    return JSONResponse(said)


def list_commits(call: Call) -> Response:
    """Newest first, from ``ref_name`` (a branch, tag or sha) back."""
    project = call.project()
    if not project.commits:
        return listed(call, [], dict)
    place = _place(project, call.text("ref_name", "main"))
    if place is None:
        raise missing()
    rows = project.commits[place::-1]
    if (since := call.moment("since")) is not None:
        rows = [one for one in rows if one.at >= since]
    if (until := call.moment("until")) is not None:
        rows = [one for one in rows if one.at <= until]
    return listed(call, rows, lambda one: call.shapes.commit(project, one))


def get_commit(call: Call) -> Response:
    project = call.project()
    return JSONResponse(call.shapes.commit(project, _commit(call, project)))


def list_refs(call: Call) -> Response:
    """The branches and tags that contain a commit."""
    project = call.project()
    commit = _commit(call, project)
    kind = call.choice("type", ("branch", "tag", "all"), "all")
    refs = [] if kind == "tag" else [{"type": "branch", "name": "main"}]
    if kind != "branch":
        refs += [{"type": "tag", "name": tag.name} for tag in project.tags_containing(commit.sha)]
    return listed(call, refs, dict)


def _commit(call: Call, project: Project) -> Commit:
    place = _place(project, call.path["sha"])
    if place is None:
        raise missing("Commit")
    return project.commits[place]


def _place(project: Project, ref: str) -> int | None:
    """Where on the one branch a branch, tag or (short) sha points."""
    if ref in {"main", "HEAD"}:
        return len(project.commits) - 1 if project.commits else None
    sha = project.tags[ref].sha if ref in project.tags else ref
    enough = 7
    found = (n for n, one in enumerate(project.commits) if len(sha) >= enough and one.sha.startswith(sha))
    return next(found, None)


# ----------------------------------------------------------------------------------------------------------- releases
def list_releases(call: Call) -> Response:
    project = call.project()
    order = call.choice("order_by", ("released_at", "created_at"), "released_at")
    sort = call.choice("sort", ("asc", "desc"), "desc")
    rows = [*project.releases.values()]
    rows.sort(
        key=lambda one: (one.released_at if order == "released_at" else one.created, one.tag), reverse=sort == "desc"
    )
    return listed(call, rows, lambda one: _shaped(call, project, one))


def get_release(call: Call) -> Response:
    project = call.project()
    return JSONResponse(_shaped(call, project, _release(call, project)))


def create_release(call: Call) -> Response:
    project = call.project()
    token = call.need("create", project)
    call.required("tag_name")
    name = call.text("tag_name")
    if name in project.releases:
        raise Refusal.message(409, "Release already exists")
    milestones = _milestone_titles(call, project)
    if name not in project.tags:
        if not call.text("ref"):
            raise Refusal.message(422, "Ref is not specified")
        place = _place(project, call.text("ref"))
        if place is None:
            raise Refusal.message(400, "Target default_branch is invalid")
        sha = project.commits[place].sha
        call.store.tag(project.key, name, actor=token.user, sha=sha, message=call.text("tag_message"))
    assets = call.params.get("assets")
    links = assets.get("links") if isinstance(assets, dict) else None
    release = call.store.publish_release(
        project.key,
        name,
        actor=token.user,
        name=call.text("name"),
        description=call.text("description"),
        released_at=call.moment("released_at"),
        milestones=milestones,
        links=[_asset(n, one) for n, one in enumerate(links or [], 1)],
    )
    return JSONResponse(_shaped(call, project, release), 201)


def update_release(call: Call) -> Response:
    project = call.project()
    token = call.need("create", project)
    release = _release(call, project)
    changes: dict[str, Any] = {name: call.text(name) for name in ("name", "description") if call.given(name)}
    if (at := call.moment("released_at")) is not None:
        changes["released_at"] = at
    if call.given("milestones"):
        changes["milestones"] = _milestone_titles(call, project)
    if not changes:
        raise Refusal.invalid(
            "name, description, milestones, released_at are missing, at least one parameter must be provided"
        )
    release = call.store.change_release(project.key, release.tag, changes, actor=token.user)
    return JSONResponse(_shaped(call, project, release))


def delete_release(call: Call) -> Response:
    project = call.project()
    token = call.need("create", project)
    release = _release(call, project)
    shaped = _shaped(call, project, release)
    call.store.remove_release(project.key, release.tag, actor=token.user)
    return JSONResponse(shaped)


def _release(call: Call, project: Project) -> Release:
    found = project.releases.get(call.path["tag"])
    if found is None:
        raise Refusal.message(404, "404 Not Found")
    return found


def _shaped(call: Call, project: Project, release: Release) -> dict[str, Any]:
    return call.shapes.release(project, release, now=call.now())


def _milestone_titles(call: Call, project: Project) -> list[str]:
    titles = call.words("milestones")
    known = {one.title for one in project.milestones.values()}
    if unknown := [one for one in titles if one not in known]:
        raise Refusal.message(400, f"Milestone(s) not found: {', '.join(unknown)}")
    return titles


def _asset(number: int, link: dict[str, Any]) -> dict[str, Any]:
    url = str(link.get("url", ""))
    return {
        "id": number,
        "name": str(link.get("name", "")),
        "url": url,
        "direct_asset_url": url,
        "link_type": str(link.get("link_type", "other")),
    }
