"""Commands on versions, milestones, merge requests, tags and releases: how a fix gets out."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from connectors.sandbox.issue_commands import IssueCommands
from connectors.sandbox.log import Refused
from connectors.sandbox.nouns import MergeRequest, Milestone, Release, Tag, Version
from policies.issue import utc


class ReleaseCommands(IssueCommands):
    """Mixed into ``store.Store``, whose rules hold here."""

    def create_version(
        self,
        project: str,
        name: str,
        *,
        actor: str = "",
        at: datetime | None = None,
        id_: str | None = None,
        description: str = "",
        released: bool | None = False,
        archived: bool | None = False,
        release_date: date | None = None,
        given: Mapping[str, Any] | None = None,
    ) -> Version:
        """A Jira version; its name is unique in the project (a loaded one, with its ``id_``, is taken as it is)."""
        with self.lock:
            home = self._project(project)
            if id_ in home.versions or (id_ is None and any(one.name == name for one in home.versions.values())):
                raise Refused(f"project {home.key} already has a version {name!r}")
            id_ = id_ or str(self._next("version"))
            data = {
                "id": id_, "project": home.key, "name": name, "description": description, "released": released,
                "archived": archived, "release_date": release_date, "given": dict(given or {}),
            }  # fmt: skip
            self._append("version", data, actor, at)
            return home.versions[id_]

    def change_version(
        self, version: Version, changes: Mapping[str, Any], *, actor: str, at: datetime | None = None
    ) -> None:
        """Change ``name``, ``description``, ``released``, ``archived`` or ``release_date``."""
        with self.lock:
            data = {"project": version.project, "id": version.id, "changes": dict(changes)}
            self._append("version_changed", data, actor, at)

    def release_version(self, version: Version, *, on: date, actor: str, at: datetime | None = None) -> None:
        """The version is out since a day."""
        self.change_version(version, {"released": True, "release_date": on}, actor=actor, at=at)

    def create_milestone(
        self, project: str, title: str, *, due: date | None = None, actor: str = "", at: datetime | None = None
    ) -> Milestone:
        with self.lock:
            home = self._project(project)
            id_ = self._next("milestone")
            data = {"id": id_, "iid": self._next(f"milestone {home.key}"), "title": title, "due": due}
            self._append("milestone", {"project": home.key, **data}, actor, at)
            return home.milestones[id_]

    def change_milestone(
        self, project: str, id_: int, changes: Mapping[str, Any], *, actor: str = "", at: datetime | None = None
    ) -> Milestone:
        """Change ``title``, ``due`` or ``active``."""
        with self.lock:
            home = self._project(project)
            if id_ not in home.milestones:
                raise Refused(f"project {home.key} has no milestone {id_}")
            data = {"project": home.key, "id": id_, "changes": dict(changes)}
            self._append("milestone_changed", data, actor, at)
            return home.milestones[id_]

    def create_merge_request(
        self,
        project: str,
        title: str,
        *,
        actor: str,
        at: datetime | None = None,
        description: str = "",
        closes: Iterable[int] = (),
        source_branch: str = "",
    ) -> MergeRequest:
        """An open merge request to main; ``closes``: iids of the issues of the project that its merge closes."""
        with self.lock:
            home = self._project(project)
            iids = list(closes)
            if unknown := [iid for iid in iids if iid not in home.issues]:
                raise Refused(f"project {home.key} has no issues {unknown}")
            iid = self._next(f"merge_request {home.key}")
            data = {
                "id": self._next("merge_request"), "iid": iid, "project": home.key, "title": title,
                "description": description, "closes": iids, "source_branch": source_branch or f"fix-{iid}",
            }  # fmt: skip
            self._append("merge_request", data, actor, at)
            return home.merge_requests[iid]

    def merge(self, project: str, iid: int, *, actor: str, at: datetime | None = None) -> MergeRequest:
        """Merge: a merge commit on main, and the issues it closes are closed by it."""
        with self.lock:
            home = self._project(project)
            request = home.merge_requests.get(iid)
            if request is None or request.state != "opened":
                raise Refused(f"project {home.key} has no open merge request {iid}")
            at = at or self.clock.for_write()
            commit = self.commit(
                home.key, f"Merge branch '{request.source_branch}' into 'main'\n\n{request.title}", actor=actor, at=at
            )
            self._append("merged", {"project": home.key, "iid": iid, "sha": commit}, actor, at)
            for number in request.closes:
                self.close(home.issues[number].id, actor=actor, at=at, merge_request=iid)
            return request

    def commit(self, project: str, message: str, *, actor: str, at: datetime | None = None) -> str:
        """A commit on main; gives its sha."""
        with self.lock:
            home = self._project(project)
            sha = hashlib.sha1(
                f"{home.key}\n{len(home.commits)}\n{message}".encode(), usedforsecurity=False
            ).hexdigest()
            self._append("commit", {"project": home.key, "sha": sha, "message": message}, actor, at)
            return sha

    def tag(
        self,
        project: str,
        name: str,
        *,
        actor: str,
        at: datetime | None = None,
        sha: str | None = None,
        message: str = "",
    ) -> Tag:
        """Tag a commit (the newest by default)."""
        with self.lock:
            home = self._project(project)
            if name in home.tags:
                raise Refused(f"project {home.key} already has a tag {name!r}")
            known = [commit.sha for commit in home.commits]
            if not known or (sha is not None and sha not in known):
                raise Refused(f"project {home.key} has no such commit to tag")
            self._append(
                "tag", {"project": home.key, "name": name, "sha": sha or known[-1], "message": message}, actor, at
            )
            return home.tags[name]

    def publish_release(
        self,
        project: str,
        tag: str,
        *,
        actor: str,
        at: datetime | None = None,
        name: str = "",
        description: str = "",
        released_at: datetime | None = None,
        milestones: Iterable[str] = (),
        links: Iterable[Mapping[str, Any]] = (),
    ) -> Release:
        """A release on an existing tag, out at ``released_at`` (default: the instant of writing)."""
        with self.lock:
            home = self._project(project)
            if tag not in home.tags:
                raise Refused(f"project {home.key} has no tag {tag!r}")
            if tag in home.releases:
                raise Refused(f"project {home.key} already has a release {tag!r}")
            at = at or self.clock.for_write()
            data = {
                "project": home.key, "tag": tag, "name": name or tag, "description": description,
                "released_at": utc(released_at or at), "milestones": list(milestones), "links": [dict(one) for one in links],
            }  # fmt: skip
            self._append("release", data, actor, at)
            return home.releases[tag]

    def change_release(
        self, project: str, tag: str, changes: Mapping[str, Any], *, actor: str, at: datetime | None = None
    ) -> Release:
        """Change ``name``, ``description``, ``released_at``, ``milestones`` or ``links`` (each whole)."""
        with self.lock:
            home = self._project(project)
            if tag not in home.releases:
                raise Refused(f"project {home.key} has no release {tag!r}")
            self._append("release_changed", {"project": home.key, "tag": tag, "changes": dict(changes)}, actor, at)
            return home.releases[tag]

    def remove_release(self, project: str, tag: str, *, actor: str, at: datetime | None = None) -> None:
        """Take a release back; its tag stays."""
        with self.lock:
            home = self._project(project)
            if tag not in home.releases:
                raise Refused(f"project {home.key} has no release {tag!r}")
            self._append("release_removed", {"project": home.key, "tag": tag}, actor, at)
