"""Event logs written into the sandbox by its own commands: as a Jira project, and as a GitLab project."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from connectors.sandbox import nouns
from connectors.sandbox.store import Store
from policies.issue import State, Word
from tests.event_log import (
    CATEGORIES,
    FIRST,
    SEVERITIES,
    Becomes,
    Dates,
    Gives,
    Hides,
    Labels,
    Log,
    Merges,
    Plans,
    Says,
    Sorts,
    Step,
    Volume,
    Weighs,
)

# Statuses in Chinese, with ids that are told by nothing but the id.
STATUSES = {state: Word(str(number), name, group) for number, (state, name, group) in enumerate((
    (State.OPEN, "待办", "new"), (State.ACCEPTED, "已受理", "new"), (State.IN_PROGRESS, "处理中", "indeterminate"),
    (State.WAITING_FOR_CUSTOMER, "等待客户", "indeterminate"),
    (State.WAITING_FOR_THIRD_PARTY, "等待供应商", "indeterminate"), (State.RESOLVED, "已解决", "done"),
    (State.VERIFIED, "已验证", "done"), (State.CLOSED, "已关闭", "done"), (State.CANCELLED, "已驳回", "done"),
), start=11)}  # fmt: skip
FIXED, DUPLICATE = Word("1", "完成"), Word("2", "重复")
PRIORITIES = {"urgent": Word("1", "Highest"), "high": Word("2", "High"), "normal": Word("3", "Medium")}
TYPES: Mapping[str | None, Word] = {
    None: Word("20", "Task"),
    **{name: Word(str(number), name.title()) for number, name in enumerate(CATEGORIES, start=21)},
}
_BASE = ""
STATE, SEVERITY, CATEGORY = "state::", "severity::", "category::"
_CLOSED = frozenset({State.RESOLVED, State.VERIFIED, State.CLOSED, State.CANCELLED})


def cloud_account(person: str) -> str:
    return f"5b10ac8d-{person}"


@dataclass(slots=True)
class _Pen:
    """Writes logs into a project by the sandbox's own commands.

    Attributes:
        marks: versions or milestones by name. tagged: the commit that each version's tag is put on.
    """

    store: Store
    project: str
    volume: Volume
    marks: dict[str, Any] = field(default_factory=dict)
    tagged: dict[str, str] = field(default_factory=dict)

    def _says(self, key: str, step: Says) -> None:
        self.store.comment(key, step.text, actor=cloud_account(step.by), internal=step.internal, at=step.at)

    def _edit(self, key: str, step: Step, **changes: Any) -> None:
        self.store.edit(key, changes, actor=cloud_account(step.by), at=step.at)


def _people(*names: str | None) -> list[str]:
    return [cloud_account(name) for name in names if name]


class JiraPen(_Pen):
    """A status, a priority and a type; fix versions; a security level."""

    def write(self, log: Log) -> None:
        """One log, as an issue."""
        if not self.marks:
            for name in self.volume.releases:
                self.marks[name] = self.store.create_version(self.project, name, at=log.at)
        hidden: Any = {"id": "10", "name": "Internal"}
        key = self.store.create_issue(
            self.project,
            log.title,
            actor=cloud_account(log.reporter),
            at=log.at,
            type_=TYPES[log.category].id,
            priority=PRIORITIES[log.severity].id if log.severity else None,
            labels=log.labels,
            assignees=_people(log.assignee),
            due=log.due,
            extra={"security": hidden} if log.confidential else {},
        ).key
        for step in log.steps:
            match step:
                case Says():
                    self._says(key, step)
                case Becomes():
                    self._move(key, step)
                case Weighs(severity=severity):
                    self._edit(key, step, priority=PRIORITIES[severity].id if severity else None)
                case Sorts(category=category):
                    self._edit(key, step, type=TYPES[category].id)
                case Labels(add=add, remove=remove):
                    self.store.relabel(key, actor=cloud_account(step.by), add=add, remove=remove, at=step.at)
                case Gives(to=to):
                    self._edit(key, step, assignees=_people(to))
                case Dates(due=due):
                    self._edit(key, step, due=due)
                case Plans(versions=versions):
                    self._edit(key, step, fix_versions=[self.marks[each].id for each in versions])
                case Merges(version=version):
                    issue = self.store.issue(key)
                    assert issue is not None
                    held = [*issue.fix_versions, self.marks[version].id]
                    self._edit(key, step, status=STATUSES[State.CLOSED].id, fix_versions=held)
                case Hides():
                    self._edit(key, step, security=hidden)

    def _move(self, key: str, step: Becomes) -> None:
        state, resolution = step.state, None
        if state is State.CANCELLED and self.volume.by_resolution:
            state, resolution = State.CLOSED, DUPLICATE.id
        who = cloud_account(step.by)
        self.store.transition(key, STATUSES[state].id, actor=who, at=step.at, resolution=resolution)

    def release(self) -> None:
        """Publish what is to be published."""
        for name, at in self.volume.releases.items():
            if at is not None:
                self.store.release_version(self.marks[name], on=at.date(), actor=cloud_account(FIRST), at=at)


class GitLabPen(_Pen):
    """Open or closed, and labels; a milestone; merge requests, tags and releases; the confidential flag."""

    def write(self, log: Log) -> None:
        """One log, as an issue."""
        store = self.store
        if not self.tagged:
            # What no merge request is for holds nothing that was merged.
            self.tagged[_BASE] = store.commit(self.project, "The beginning", actor=cloud_account(FIRST), at=log.at)
            for name in self.volume.releases:
                self.marks[name] = store.create_milestone(self.project, name, at=log.at).id
            # Logs are written one after the other, whatever their time: no label may be younger than its first use.
            for label in sorted(self._labels()):
                store.create_label(self.project, label, at=min(each.at for each in self.volume.logs))
        telling = ((SEVERITY, log.severity), (CATEGORY, log.category))
        made = store.create_issue(
            self.project,
            log.title,
            actor=cloud_account(log.reporter),
            at=log.at,
            labels=[*log.labels, *(f"{before}{word}" for before, word in telling if word)],
            assignees=_people(log.assignee),
            due=log.due,
            confidential=log.confidential,
        )
        key = made.key
        for step in log.steps:
            match step:
                case Says():
                    self._says(key, step)
                case Becomes() | Weighs() | Sorts():
                    self._tell_by_label(made, step)
                case Labels(add=add, remove=remove):
                    store.relabel(key, actor=cloud_account(step.by), add=add, remove=remove, at=step.at)
                case Gives(to=to):
                    self._edit(key, step, assignees=_people(to))
                case Dates(due=due):
                    self._edit(key, step, due=due)
                case Plans(versions=versions):
                    # There is room for one; the next one takes its place.
                    for version in versions[-1:] or (None,):
                        self._edit(key, step, milestone=self.marks[version] if version else None)
                case Merges():
                    self._merge(made.number, step)
                case Hides():
                    self._edit(key, step, confidential=True)

    def _tell_by_label(self, issue: nouns.Issue, step: Becomes | Weighs | Sorts) -> None:
        match step:
            case Becomes(state=state):
                word = None if state in {State.OPEN, State.CLOSED} else str(state)
                status = "closed" if state in _CLOSED else "opened"
                self._edit(issue.key, step, status=status, labels=_exclusive(issue.labels, STATE, word))
            case Weighs(severity=severity):
                self._edit(issue.key, step, labels=_exclusive(issue.labels, SEVERITY, severity))
            case Sorts(category=category):
                self._edit(issue.key, step, labels=_exclusive(issue.labels, CATEGORY, category))

    def _merge(self, number: int, step: Merges) -> None:
        named: Any = {"actor": cloud_account(step.by), "at": step.at}
        title, closing = f"Fix for {step.version}", f"Closes #{number}"
        request = self.store.create_merge_request(self.project, title, description=closing, closes=[number], **named)
        self.tagged[step.version] = self.store.merge(self.project, request.iid, **named).merge_commit_sha

    def _labels(self) -> set[str]:
        logs = self.volume.logs
        by_hand = {label for log in logs for step in log.steps if isinstance(step, Labels) for label in step.add}
        telling = ((STATE, State), (SEVERITY, SEVERITIES), (CATEGORY, CATEGORIES))
        return (
            by_hand
            | {label for log in logs for label in log.labels}
            | {f"{before}{word}" for before, words in telling for word in words}
        )

    def release(self) -> None:
        """Publish what is to be published, each with a tag of its own, and delete what labels are to be deleted."""
        who = cloud_account(FIRST)
        for name, at in self.volume.releases.items():
            if at is not None:
                self.store.tag(self.project, name, actor=who, sha=self.tagged.get(name, self.tagged[_BASE]), at=at)
                self.store.publish_release(self.project, name, actor=who, at=at, milestones=[name])
        for label in self.volume.deleted:
            self.store.remove_label(self.project, label, actor=who)


def _exclusive(labels: Sequence[str], beginning: str, word: str | None) -> list[str]:
    kept = [label for label in labels if not label.startswith(beginning)]
    return [*kept, f"{beginning}{word}"] if word else kept
