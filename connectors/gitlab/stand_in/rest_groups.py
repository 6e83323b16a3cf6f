"""REST v4: groups, their projects and labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response

from connectors.gitlab.stand_in.paging import keyset, listed

if TYPE_CHECKING:
    from connectors.gitlab.stand_in.call import Call
    from connectors.gitlab.stand_in.groups import Group
    from connectors.sandbox.nouns import Project


def get_group(call: Call) -> Response:
    """One group; the projects in it that the caller sees come along, as at the vendor, unless refused."""
    group = call.group()
    said = _shape(call, group)
    if call.flag("with_projects", default=True):
        said["projects"] = [call.shapes.project(one) for one in group.own]
        said["shared_projects"] = []
    return JSONResponse(said)


def list_groups(call: Call) -> Response:
    """All groups in which the caller sees a project."""
    words = call.text("search").casefold()
    found = {one.id: one for one in call.groups().values() if words in one.path.casefold()}
    if call.flag("top_level_only"):
        found = {id_: one for id_, one in found.items() if not one.parent}
    rows = sorted(found.values(), key=lambda one: (one.name.casefold(), one.id))
    return listed(call, rows, lambda one: _shape(call, one))


def list_subgroups(call: Call) -> Response:
    group = call.group()
    below = {one.id: one for one in call.groups().values() if one.parent == group.path}
    return listed(call, sorted(below.values(), key=lambda one: one.name.casefold()), lambda one: _shape(call, one))


def list_projects(call: Call) -> Response:
    """The group's projects; those of its subgroups where ``include_subgroups`` says so."""
    group = call.group()
    return listed_projects(call, group.projects if call.flag("include_subgroups") else group.own)


def listed_projects(call: Call, projects: list[Project]) -> Response:
    """Projects, by offset (newest first) or by keyset (by id, either way)."""
    words = call.text("search").casefold()
    rows = [one for one in projects if words in f"{one.key} {one.name}".casefold()]
    archived = call.flag("archived")
    rows = [] if archived else rows
    order = call.choice("order_by", ("id", "name", "path", "created_at", "updated_at", "last_activity_at"), "id")
    down = call.choice("sort", ("asc", "desc"), "desc") == "desc"
    names = {"name": lambda one: one.name.casefold(), "path": lambda one: one.key.rpartition("/")[2].casefold()}
    rows.sort(key=lambda one: (names[order](one) if order in names else "", one.id), reverse=down)
    simple = bool(call.flag("simple"))

    def shape(project: Project) -> dict[str, Any]:
        said = call.shapes.project(project)
        return {name: said[name] for name in _SIMPLE} if simple else said

    if call.text("pagination") == "keyset" and order == "id":
        return keyset(call, rows, shape, lambda one: (f"{one.id:020d}", one.id), "id")
    return listed(call, rows, shape)


_SIMPLE = (
    "id", "description", "name", "name_with_namespace", "path", "path_with_namespace", "created_at", "default_branch",
    "tag_list", "topics", "web_url", "last_activity_at", "visibility", "namespace",
)  # fmt: skip


def list_labels(call: Call) -> Response:
    """The group's labels, with those of the groups above unless ``include_ancestor_groups`` says no."""
    group, held = call.group(), call.store.world.group_labels
    paths = [path for path in held if path == group.path or group.path.startswith(f"{path}/")]
    if call.flag("include_ancestor_groups", default=True) is False or call.flag("only_group_labels"):
        paths = [path for path in paths if path == group.path]
    if call.flag("include_descendant_groups"):
        paths += [path for path in held if path.startswith(f"{group.path}/")]
    words = call.text("search").casefold()
    labels = [one for path in paths for one in held[path].values() if words in one.name.casefold()]
    labels.sort(key=lambda one: (one.name.casefold(), one.id))
    return listed(call, labels, lambda one: {**call.shapes.label(one), "subscribed": False})


def _shape(call: Call, group: Group) -> dict[str, Any]:
    parent = call.groups()[group.parent.casefold()].id if group.parent else None
    return {
        "id": group.id,
        "web_url": f"{call.shapes.base}/groups/{group.path}",
        "name": group.name,
        "path": group.name,
        "description": "",
        "visibility": "private",
        "share_with_group_lock": False,
        "require_two_factor_authentication": False,
        "project_creation_level": "developer",
        "subgroup_creation_level": "maintainer",
        "emails_disabled": False,
        "lfs_enabled": True,
        "archived": False,
        "avatar_url": None,
        "request_access_enabled": True,
        "full_name": group.path.replace("/", " / "),
        "full_path": group.path,
        "created_at": None,
        "parent_id": parent,
        "organization_id": 1,
    }
