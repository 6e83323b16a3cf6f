"""From the log to the state, releases and what belongs to them: versions, labels, milestones, merge requests, tags.

The rules of ``projection`` hold here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from connectors.sandbox.nouns import Commit, Label, MergeRequest, Milestone, Project, Release, Tag, Version

if TYPE_CHECKING:
    from connectors.sandbox.projection import Entry, World

LABELS_AT_BIRTH = "labels_at_birth"
"""In ``Issue.extra``: what a GitLab issue was created with, where a label of it is no longer there."""


def _version(world: World, entry: Entry) -> None:
    version = Version(**entry.data)
    world.projects[version.project].versions[version.id] = version
    world.counted("version", version.id)


def _version_changed(world: World, entry: Entry) -> None:
    version = world.projects[entry.data["project"]].versions[entry.data["id"]]
    for name, value in entry.data["changes"].items():
        setattr(version, name, value)
    version.given = {}


def _label(world: World, entry: Entry) -> None:
    data = dict(entry.data)
    project = world.projects[data.pop("project")]
    project.labels[data["name"]] = Label(created=entry.at, **data)
    world.counted("label", data["id"])


def _group_label(world: World, entry: Entry) -> None:
    label = Label(created=entry.at, **entry.data)
    world.group_labels.setdefault(label.group, {})[label.name] = label
    for project in world.projects.values():
        if project.kind == "gitlab" and project.key.startswith(f"{label.group}/"):
            project.labels[label.name] = label
    world.counted("label", label.id)


def _label_changed(world: World, entry: Entry) -> None:
    before = entry.data["name"]
    label = world.projects[entry.data["project"]].labels[before]
    bearing = _bearing(world, label)
    for name, value in entry.data["changes"].items():
        setattr(label, name, value)
    if label.name == before:
        return
    label.former = (*label.former, before)
    for labels in _kept_in(world, label, before):
        labels[label.name] = labels.pop(before)
    for project in bearing:
        for issue in project.issues.values():
            issue.labels = [label.name if one == before else one for one in issue.labels]


def _label_removed(world: World, entry: Entry) -> None:
    gone = entry.data["name"]
    label = world.projects[entry.data["project"]].labels[gone]
    bearing = _bearing(world, label)
    for labels in _kept_in(world, label, gone):
        del labels[gone]
    for project in bearing:
        for issue in project.issues.values():
            if gone in issue.labels:
                # The label leaves the issue without a trace; that the issue was born with it stays in its history.
                changes = (item.before for one in issue.history for item in one.items if item.field == "labels")
                issue.extra.setdefault(LABELS_AT_BIRTH, next(changes, issue.labels))
                issue.labels = [one for one in issue.labels if one != gone]


def _kept_in(world: World, label: Label, name: str) -> list[dict[str, Label]]:
    """The collections in which a label stands under a name: its project's, or its group's and all projects' below."""
    held = (*world.group_labels.values(), *(project.labels for project in world.projects.values()))
    return [labels for labels in held if labels.get(name) is label]


def _bearing(world: World, label: Label) -> list[Project]:
    """The projects whose issues may bear a label."""
    return [one for one in world.projects.values() if any(held is label for held in one.labels.values())]


def _milestone(world: World, entry: Entry) -> None:
    data = dict(entry.data)
    project = world.projects[data.pop("project")]
    project.milestones[data["id"]] = Milestone(created=entry.at, **data)
    world.counted("milestone", data["id"])
    world.counted(f"milestone {project.key}", data["iid"])


def _milestone_changed(world: World, entry: Entry) -> None:
    milestone = world.projects[entry.data["project"]].milestones[entry.data["id"]]
    for name, value in entry.data["changes"].items():
        setattr(milestone, name, value)


def _merge_request(world: World, entry: Entry) -> None:
    data = {**entry.data, "closes": list(entry.data["closes"])}
    request = MergeRequest(author=entry.actor, created=entry.at, updated=entry.at, **data)
    world.projects[request.project].merge_requests[request.iid] = request
    world.counted("merge_request", request.id)
    world.counted(f"merge_request {request.project}", request.iid)


def _merged(world: World, entry: Entry) -> None:
    project = world.projects[entry.data["project"]]
    request = project.merge_requests[entry.data["iid"]]
    request.state, request.merged_at, request.merged_by, request.updated = "merged", entry.at, entry.actor, entry.at
    request.merge_commit_sha = entry.data["sha"]


def _commit(world: World, entry: Entry) -> None:
    commit = Commit(entry.data["sha"], entry.data["message"], entry.actor, entry.at)
    world.projects[entry.data["project"]].commits.append(commit)


def _tag(world: World, entry: Entry) -> None:
    tag = Tag(entry.data["name"], entry.data["sha"], entry.at, entry.data["message"])
    world.projects[entry.data["project"]].tags[tag.name] = tag


def _release(world: World, entry: Entry) -> None:
    data = {**entry.data, "milestones": list(entry.data["milestones"]), "links": list(entry.data["links"])}
    project = world.projects[data.pop("project")]
    project.releases[data["tag"]] = Release(author=entry.actor, created=entry.at, **data)


def _release_changed(world: World, entry: Entry) -> None:
    release = world.projects[entry.data["project"]].releases[entry.data["tag"]]
    for name, value in entry.data["changes"].items():
        setattr(release, name, list(value) if isinstance(value, list) else value)


def _release_removed(world: World, entry: Entry) -> None:
    del world.projects[entry.data["project"]].releases[entry.data["tag"]]


RELEASES: dict[str, Callable[[World, Entry], None]] = {
    "version": _version,
    "version_changed": _version_changed,
    "label": _label,
    "group_label": _group_label,
    "label_changed": _label_changed,
    "label_removed": _label_removed,
    "milestone": _milestone,
    "milestone_changed": _milestone_changed,
    "merge_request": _merge_request,
    "merged": _merged,
    "commit": _commit,
    "tag": _tag,
    "release": _release,
    "release_changed": _release_changed,
    "release_removed": _release_removed,
}
"""What each kind of entry does."""
