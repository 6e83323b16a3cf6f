"""REST v4: merge requests, commits, tags, releases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response

from connectors.gitlab.stand_in.call import Refusal, missing, whole_number
from connectors.gitlab.stand_in.paging import listed
from connectors.gitlab.stand_in.project_shapes import instant

if TYPE_CHECKING:
    from connectors.gitlab.stand_in.call import Call
    from connectors.sandbox.nouns import Commit, MergeRequest, Project, Release


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
    return JSONResponse(call.shapes.whole_merge_request(_merge_request(call)))


def list_closed_issues(call: Call) -> Response:
    """The issues that a merge request closes."""
    request = _merge_request(call)
    issues = call.store.projects[request.project].issues
    seen = [issues[iid] for iid in request.closes if call.sees(issues[iid])]
    return listed(call, seen, call.shapes.issue)


def _merge_request(call: Call) -> MergeRequest:
    project, iid = call.project(), call.path["iid"]
    found = project.merge_requests.get(whole_number(iid))
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
