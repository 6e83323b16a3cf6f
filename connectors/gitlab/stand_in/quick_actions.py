"""Quick actions: lines of a note or description that GitLab carries out instead of keeping.

Only a few of the vendor's are here, enough to prove that a text from outside triggers none. The rule is the vendor's
(public: lib/gitlab/quick_actions/extractor.rb): a line that begins with ``/`` and a known word, in any case, outside of
code blocks, ``>>>`` quotes and HTML comments' code; the line is taken out of the text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from connectors.sandbox.nouns import Issue, Project, User

WORDS = ("close", "reopen", "label", "unlabel", "remove_label", "assign", "unassign", "due", "remove_due_date")

_LINE = re.compile(rf"^/(?P<word>{'|'.join(WORDS)})(?:[ ]+(?P<rest>[^\n]*))?[ ]*$", re.IGNORECASE)
_FENCE = re.compile(r"^(?P<mark>`{3,}|~{3,}|>>>)")
_LABEL = re.compile(r'~"(?P<quoted>[^"]+)"|~?(?P<plain>[^\s~"]+)')


@dataclass(frozen=True, slots=True)
class Command:
    word: str
    rest: str


def extract(text: str) -> tuple[str, list[Command]]:
    """The text without its quick actions, and these in order."""
    kept: list[str] = []
    commands: list[Command] = []
    fence = ""
    for line in text.replace("\r", "").split("\n"):
        if fence:
            if line.startswith(fence) and not line[len(fence) :].strip(fence[0] + " "):
                fence = ""
        elif opening := _FENCE.match(line):
            fence = opening["mark"]
        elif found := _LINE.match(line):
            commands.append(Command(found["word"].lower(), (found["rest"] or "").strip()))
            continue
        kept.append(line)
    return "\n".join(kept).strip() if commands else text, commands


def changes(
    commands: Iterable[Command], issue: Issue | None, project: Project, users: Iterable[User], me: str
) -> tuple[dict[str, Any], list[str]]:
    """What the commands ask for, in the store's names, and the summary GitLab gives.

    Args:
        issue: as it stands; None while it is being created.
        me: account id of the writer.
    """
    wanted: dict[str, Any] = {}
    said: list[str] = []
    labels = list(issue.labels if issue else ())
    people = {user.username.casefold(): user.id for user in users} | {"me": me}
    for command in commands:
        match command.word:
            case "close":
                wanted["status"] = "closed"
                said.append("Closed this issue.")
            case "reopen":
                wanted["status"] = "opened"
                said.append("Opened this issue.")
            case "label":
                added = [name for name in _names(command.rest, project) if name not in labels]
                labels += added
                said.append(f"Added {' '.join(f'~{project.labels[name].id}' for name in added)} labels.")
            case "unlabel" | "remove_label":
                gone = _names(command.rest, project) if command.rest else list(labels)
                labels = [name for name in labels if name not in gone]
                said.append("Removed labels.")
            case "assign":
                named = [one.lstrip("@").casefold() for one in command.rest.replace(",", " ").split()]
                if found := [people[one] for one in named if one in people]:
                    wanted["assignees"] = found[:1]
                    said.append(f"Assigned {command.rest}.")
            case "unassign":
                wanted["assignees"] = []
                said.append("Removed assignees.")
            case "due":
                if (day := _day(command.rest)) is not None:
                    wanted["due"] = day
                    said.append(f"Set the due date to {day:%b} {day.day}, {day.year}.")
            case _:
                wanted["due"] = None
                said.append("Removed the due date.")
    if labels != list(issue.labels if issue else ()):
        wanted["labels"] = labels
    return wanted, said


def _names(rest: str, project: Project) -> list[str]:
    by_name = {name.casefold(): name for name in project.labels}
    asked = [(found["quoted"] or found["plain"]).casefold() for found in _LABEL.finditer(rest)]
    return [by_name[one] for one in asked if one in by_name]


def _day(rest: str) -> date | None:
    try:
        return date.fromisoformat(rest.removeprefix("in ").strip())
    except ValueError:
        return None
