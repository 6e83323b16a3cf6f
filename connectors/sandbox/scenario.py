"""Scenarios: a past, written down as YAML and replayed into a store, so that a demo shows something real.

    scenario = read("warranty")          # a shipped one by name, or a path
    store = scenario.store()             # its clock stands at the scenario's now

All instants are written ``2026-11-16 09:30`` in the scenario's zone. Events of all issues, merge requests, tags and
releases are replayed in the order of time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from connectors.sandbox.clock import Clock
from connectors.sandbox.nouns import EVERYTHING, Issue, Project
from connectors.sandbox.store import Refused, Store
from policies.issue import Word

SHIPPED = Path(__file__).parent / "scenarios"
Step = tuple[datetime, int, Callable[[], object]]


class ScenarioFault(ValueError):
    """A scenario that cannot be read or replayed; ``str()`` says where and what."""


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class UserShape(_Shape):
    """A person. ``id`` is the account id and the login name."""

    id: str
    name: str
    email: str = ""
    bot: bool = False
    customer: bool = False
    zone: str | None = None


class TokenShape(_Shape):
    """A log-in. ``projects``: keys it may see, all if left out."""

    token: str
    user: str
    permissions: frozenset[str] = EVERYTHING
    projects: frozenset[str] | None = None


class WordShape(_Shape):
    id: str
    name: str
    group: str = ""


class LinkTypeShape(_Shape):
    id: str
    name: str
    inward: str
    outward: str


class VersionShape(_Shape):
    """A Jira version; released since a day, or not yet."""

    name: str
    released: date | None = None
    description: str = ""


class LinkShape(_Shape):
    type: str
    to: str


class EventShape(_Shape):
    """Something somebody did to an issue at an instant; several things at once where several are given."""

    at: str
    by: str
    comment: str | None = None
    internal: str | None = None
    status: str | None = None
    resolution: str | None = None
    priority: str | None = None
    type: str | None = None
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    assign: str | None = None
    fix_versions: tuple[str, ...] | None = None
    due: date | None = None
    link: LinkShape | None = None
    title: str | None = None

    @model_validator(mode="after")
    def _does_something(self) -> Self:
        if not self.model_fields_set - {"at", "by"}:
            raise ValueError("an event in which nothing happens")
        return self


class IssueShape(_Shape):
    title: str
    opened: str
    by: str
    description: str = ""
    type: str | None = None
    priority: str | None = None
    labels: tuple[str, ...] = ()
    assignee: str | None = None
    confidential: bool = False
    events: tuple[EventShape, ...] = ()


class MergeRequestShape(_Shape):
    """``closes``: numbers of issues of the project."""

    title: str
    opened: str
    by: str
    description: str = ""
    merged: str | None = None
    closes: tuple[int, ...] = ()


class ReleaseShape(_Shape):
    """A tag on the newest commit of that moment, and the release on it, published at ``at``."""

    tag: str
    at: str
    by: str
    name: str = ""
    description: str = ""


class ProjectShape(_Shape):
    """A project; its issues are numbered from 1 as they are listed."""

    key: str
    name: str
    kind: Literal["jira", "gitlab"]
    service_desk: bool = False
    statuses: tuple[WordShape, ...] = ()
    priorities: tuple[WordShape, ...] = ()
    types: tuple[WordShape, ...] = ()
    resolutions: tuple[WordShape, ...] = ()
    versions: tuple[VersionShape, ...] = ()
    issues: tuple[IssueShape, ...] = ()
    merge_requests: tuple[MergeRequestShape, ...] = ()
    releases: tuple[ReleaseShape, ...] = ()


class Scenario(_Shape):
    """A whole scenario.

    Attributes:
        now: where the clock stands when the past is over.
        zone: IANA zone in which all its instants are written.
    """

    now: str
    zone: str = "UTC"
    about: str = ""
    users: tuple[UserShape, ...] = Field(min_length=1)
    tokens: tuple[TokenShape, ...] = Field(min_length=1)
    link_types: tuple[LinkTypeShape, ...] = ()
    projects: tuple[ProjectShape, ...] = ()

    def at(self, text: str) -> datetime:
        """An instant of the scenario in UTC. Raises ScenarioFault."""
        try:
            local = datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=ZoneInfo(self.zone))
        except ValueError:
            raise ScenarioFault(f"{text!r} is no instant: write it like 2026-11-16 09:30") from None
        return local.astimezone(UTC)

    def store(self, clock: Clock | None = None) -> Store:
        """A store in which all of it has happened. ``clock``: instead of one that stands at ``now``.

        Raises:
            ScenarioFault: an event names what does not exist, or lies after ``now``.
        """
        store = Store(clock or Clock.fixed(self.at(self.now)))
        replay = _Replay(self, store)
        steps = sorted(replay.steps(), key=lambda step: step[:2])
        for at, _, act in steps:
            if at > self.at(self.now):
                raise ScenarioFault(f"something happens at {at.isoformat()}, after the scenario's now ({self.now})")
            try:
                act()
            except Refused as refused:
                raise ScenarioFault(f"{at.isoformat()}: {refused}") from None
        return store


def shipped() -> tuple[str, ...]:
    """The names of the scenarios that come with the package."""
    return tuple(sorted(path.stem for path in SHIPPED.glob("*.yaml")))


def read(name: str | Path) -> Scenario:
    """A shipped scenario by its name, or one by its path. Raises ScenarioFault."""
    path = name if isinstance(name, Path) else SHIPPED / f"{name}.yaml" if name in shipped() else Path(name)
    if not path.is_file():
        raise ScenarioFault(f"no scenario {str(name)!r}: there are {', '.join(shipped())}, or give a path")
    try:
        data = YAML(typ="safe", pure=True).load(path)
        return Scenario.model_validate(data)
    except YAMLError as error:
        raise ScenarioFault(f"{path.name}: not YAML: {error}") from None
    except ValidationError as error:
        faults = (f"  {'.'.join(str(part) for part in one['loc'])}: {one['msg']}" for one in error.errors())
        raise ScenarioFault(f"{path.name}: {error.error_count()} mistakes:\n" + "\n".join(faults)) from None


class _Replay:
    """Turns a scenario into steps in time."""

    def __init__(self, scenario: Scenario, store: Store) -> None:
        self.scenario = scenario
        self.store = store
        self.count = 0
        self._ground()

    def _ground(self) -> None:
        """People, log-ins and projects are there before anything happens."""
        scenario, store = self.scenario, self.store
        before = min((self.scenario.at(text) for text in self._openings()), default=scenario.at(scenario.now))
        for user in scenario.users:
            said = user.model_dump(exclude={"id", "name", "zone"})
            store.create_user(user.id, user.name, zone=user.zone or scenario.zone, at=before, **said)
        for token in scenario.tokens:
            try:
                store.create_token(
                    token.token, token.user, permissions=token.permissions, projects=token.projects, at=before
                )
            except Refused as refused:
                raise ScenarioFault(f"token of {token.user}: {refused}") from None
        for one in scenario.link_types:
            store.create_link_type(one.id, one.name, one.inward, one.outward)
        for project in scenario.projects:
            words = {
                kind: [Word(word.id, word.name, word.group) for word in getattr(project, kind)]
                for kind in ("statuses", "priorities", "types", "resolutions")
            }
            store.create_project(
                project.key,
                project.name,
                kind=project.kind,
                service_desk=project.service_desk,
                at=before,
                **words,  # type: ignore[arg-type]  # the four lists of words, by their names
            )
            for version in project.versions:
                store.create_version(
                    project.key,
                    version.name,
                    description=version.description,
                    released=version.released is not None,
                    release_date=version.released,
                    at=before,
                )

    def _openings(self) -> Iterator[str]:
        for project in self.scenario.projects:
            yield from (issue.opened for issue in project.issues)
            yield from (request.opened for request in project.merge_requests)
            yield from (release.at for release in project.releases)

    def steps(self) -> Iterator[Step]:
        for project in self.scenario.projects:
            for number, issue in enumerate(project.issues, start=1):
                yield self._step(issue.opened, partial(self._open, project.key, number, issue))
                for event in issue.events:
                    yield self._step(event.at, partial(self._happen, project.key, number, event))
            for iid, request in enumerate(project.merge_requests, start=1):
                yield self._step(request.opened, partial(self._request, project.key, request))
                if request.merged is not None:
                    at = self.scenario.at(request.merged)
                    yield self._step(
                        request.merged, partial(self.store.merge, project.key, iid, actor=request.by, at=at)
                    )
            for release in project.releases:
                yield self._step(release.at, partial(self._release, project.key, release))

    def _step(self, text: str, act: Callable[[], object]) -> Step:
        self.count += 1
        return self.scenario.at(text), self.count, act

    def _open(self, key: str, number: int, shape: IssueShape) -> None:
        home = self.store.projects[key]
        self.store.create_issue(
            key,
            shape.title,
            actor=shape.by,
            at=self.scenario.at(shape.opened),
            number=number,
            type_=_id(home, "types", shape.type),
            priority=_id(home, "priorities", shape.priority),
            description=shape.description or None,
            labels=shape.labels,
            assignees=[shape.assignee] if shape.assignee else (),
            confidential=shape.confidential,
        )

    def _happen(self, key: str, number: int, event: EventShape) -> None:
        home = self.store.projects[key]
        issue = home.issues.get(number)
        if issue is None:
            raise Refused(f"something happens to issue {number} of {key} before it is opened")
        at = self.scenario.at(event.at)
        if event.status is not None:
            status = _id(home, "statuses", event.status)
            resolution = _id(home, "resolutions", event.resolution)
            self.store.transition(issue.id, str(status), actor=event.by, at=at, resolution=resolution)
        if changes := dict(self._changes(home, issue, event)):
            self.store.edit(issue.id, changes, actor=event.by, at=at)
        if event.link is not None:
            types = {name: id_ for id_, (name, _, _) in self.store.world.link_types.items()}
            kind = types.get(event.link.type, event.link.type)
            self.store.link_issues(issue.id, event.link.to, kind, actor=event.by, at=at)
        if event.comment is not None:
            self.store.comment(issue.id, event.comment, actor=event.by, at=at)
        if event.internal is not None:
            self.store.comment(issue.id, event.internal, actor=event.by, at=at, internal=True)

    @staticmethod
    def _changes(home: Project, issue: Issue, event: EventShape) -> Iterator[tuple[str, Any]]:
        if event.priority is not None:
            yield "priority", _id(home, "priorities", event.priority)
        if event.type is not None:
            yield "type", _id(home, "types", event.type)
        if event.title is not None:
            yield "title", event.title
        if event.add or event.remove:
            kept = [label for label in issue.labels if label not in event.remove]
            yield "labels", list(dict.fromkeys([*kept, *event.add]))
        if event.assign is not None:
            yield "assignees", [event.assign] if event.assign else []
        if event.due is not None:
            yield "due", event.due
        if event.fix_versions is not None:
            ids = {version.name: version.id for version in home.versions.values()}
            yield "fix_versions", [ids.get(name, name) for name in event.fix_versions]

    def _request(self, key: str, shape: MergeRequestShape) -> None:
        at = self.scenario.at(shape.opened)
        self.store.create_merge_request(
            key, shape.title, actor=shape.by, at=at, description=shape.description, closes=shape.closes
        )

    def _release(self, key: str, shape: ReleaseShape) -> None:
        at = self.scenario.at(shape.at)
        self.store.tag(key, shape.tag, actor=shape.by, at=at)
        self.store.publish_release(
            key, shape.tag, actor=shape.by, at=at, name=shape.name, description=shape.description
        )


def _id(home: Project, kind: str, said: str | None) -> str | None:
    """The id of a word named by id or name. Raises Refused."""
    if said is None:
        return None
    for word in getattr(home, kind):
        if said in {word.id, word.name}:
            return str(word.id)
    raise Refused(f"project {home.key} has no {said!r} among its {kind}")
