"""Quick actions: lines of a note or description that GitLab carries out instead of keeping.

Rules (the vendor's; public: lib/gitlab/quick_actions/extractor.rb, lib/banzai/filter/quick_action_filter.rb):

1. A line that begins with ``/`` and one of its words, in any case, outside of code, ``>>>`` quotes and HTML comments.
2. The line is taken out of the text, whether the action can be carried out or not.

All the vendor's words are known here, so that a text from outside that carries one is always found out: its line is
gone. Those that change what the sandbox holds are carried out; the others change nothing. Where the vendor parses
Markdown in full (a line that only continues a quote or a list), this one carries out rather than lets pass.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from connectors.sandbox.nouns import Issue, Project, User

WORDS = frozenset(
    """add_child add_contacts add_email add_link approve assign assign_reviewer award blocked_by blocks board_move cc
    checkin_reminder child clear_health_status clear_weight clone close confidential convert_to_ticket copy_metadata
    create_merge_request done draft due duplicate epic estimate estimate_time health_status invite_email iteration
    label link lock merge milestone move page parent promote promote_to promote_to_incident publish reaction react
    ready reassign reassign_reviewer rebase relabel relate remove_approval remove_child remove_contacts remove_due_date
    remove_email remove_epic remove_estimate remove_iteration remove_label remove_link remove_milestone remove_parent
    remove_time_estimate remove_time_spent remove_zoom reopen request_changes request_review run_pipeline set_parent
    severity ship shrug spend spend_time spent status submit_review subscribe summarize_diff tableflip tag
    target_branch timeline title todo type unapprove unassign unassign_reviewer unblock unlabel unlink unlock
    unrelate unsubscribe vulnerability weight wip zoom""".split()  # noqa: SIM905 - a word a line would fill two pages
)

_LINE = re.compile(
    rf"/(?P<word>{'|'.join(sorted(WORDS, key=len, reverse=True))})(?:[ ](?P<rest>.*))?[ \t\v\f]*", re.IGNORECASE
)
_FENCE = re.compile(r" {0,3}(?:(?P<ticks>`{3,})[^`]*|(?P<waves>~{3,}).*)")
_QUOTE = ">>>"
_LABEL = re.compile(r'~"(?P<quoted>[^"]+)"|~?(?P<plain>[^\s~"]+)')


@dataclass(frozen=True, slots=True)
class Command:
    word: str
    rest: str


def extract(text: str) -> tuple[str, list[Command]]:
    """The text without its quick actions, and these in order."""
    kept: list[str] = []
    commands: list[Command] = []
    lines = text.replace("\r", "").split("\n")
    shut = _shut(lines)
    for place, line in enumerate(lines):
        found = None if place in shut else _LINE.fullmatch(line)
        if found:
            commands.append(Command(found["word"].lower(), (found["rest"] or "").strip()))
        else:
            kept.append(line)
    return "\n".join(kept).strip() if commands else text, commands


def _shut(lines: list[str]) -> frozenset[int]:
    """The places of the lines inside code blocks, HTML comments and multi-line quotes, where nothing is carried out."""
    shut: set[int] = set()
    place = 0
    while place < len(lines):
        end = _end_of_block(lines, place)
        if end > place:
            shut.update(range(place, end))
        place = max(end, place + 1)
    return frozenset(shut)


def _end_of_block(lines: list[str], start: int) -> int:
    """Where the block that a line opens is over; ``start`` itself if it opens none."""
    line, following = lines[start], range(start + 1, len(lines))
    if line.startswith("<!--"):
        return next((n + 1 for n in range(start, len(lines)) if "-->" in lines[n]), len(lines))
    if line.rstrip() == _QUOTE:
        # Without its end it is no multi-line quote, and what follows is text like any other.
        return next((n + 1 for n in following if lines[n].rstrip() == _QUOTE), start)
    if (opening := _FENCE.fullmatch(line)) is None:
        return start
    mark = opening["ticks"] or opening["waves"]
    closing = re.compile(rf" {{0,3}}{mark[0]}{{{len(mark)},}}[ \t]*")
    return next((n + 1 for n in following if closing.fullmatch(lines[n])), len(lines))


# ---------------------------------------------------------------------------------------------------- carrying them out
def changes(
    commands: Iterable[Command], issue: Issue | None, project: Project, users: Iterable[User], me: str
) -> tuple[dict[str, Any], list[str]]:
    """What the commands ask for, in the store's names, and the summary GitLab gives.

    Args:
        issue: as it stands; None while it is being created.
        me: account id of the writer.
    """
    labels = tuple(issue.labels if issue else ())
    people = {user.username.casefold(): user.id for user in users} | {"me": me}
    state = _State(project, people, labels)
    said = []
    for command in commands:
        effect = _EFFECTS.get(command.word)
        said.append((effect and effect(state, command.rest)) or f"Could not apply {command.word} command.")
    if state.labels != labels:
        state.wanted["labels"] = list(state.labels)
    return state.wanted, said


class _State:
    """What is wanted so far. Attributes: people: account ids by username, folded."""

    def __init__(self, project: Project, people: dict[str, str], labels: tuple[str, ...]) -> None:
        self.project = project
        self.people = people
        self.labels = labels
        self.wanted: dict[str, Any] = {}

    def set(self, field: str, value: Any, summary: str) -> str:
        self.wanted[field] = value
        return summary

    def label(self, rest: str) -> str:
        added = [name for name in self._names(rest) if name not in self.labels]
        self.labels += tuple(added)
        return f"Added {' '.join(f'~{self.project.labels[name].id}' for name in added)} labels." if added else ""

    def unlabel(self, rest: str) -> str:
        gone = self._names(rest) if rest else self.labels
        self.labels = tuple(name for name in self.labels if name not in gone)
        return "Removed labels."

    def relabel(self, rest: str) -> str:
        self.labels = tuple(self._names(rest))
        return "Replaced all labels."

    def assign(self, rest: str) -> str:
        named = [one.lstrip("@").casefold() for one in rest.replace(",", " ").split()]
        found = [self.people[one] for one in named if one in self.people]
        return self.set("assignees", found[:1], f"Assigned {rest}.") if found else ""

    def due(self, rest: str) -> str:
        try:
            day = date.fromisoformat(rest.strip())
        except ValueError:
            return ""
        return self.set("due", day, f"Set the due date to {day:%b} {day.day}, {day.year}.")

    def milestone(self, rest: str) -> str:
        title = rest.lstrip("%").strip('"')
        found = next((one for one in self.project.milestones.values() if one.title == title), None)
        return self.set("milestone", found.id, f"Set the milestone to {rest}.") if found else ""

    def _names(self, rest: str) -> list[str]:
        by_name = {name.casefold(): name for name in self.project.labels}
        asked = [(found["quoted"] or found["plain"]).casefold() for found in _LABEL.finditer(rest)]
        return [by_name[one] for one in asked if one in by_name]


_EFFECTS: dict[str, Callable[[_State, str], str]] = {
    "assign": _State.assign,
    "close": lambda state, _rest: state.set("status", "closed", "Closed this issue."),
    "confidential": lambda state, _rest: state.set("confidential", value=True, summary="Made this issue confidential."),
    "due": _State.due,
    "label": _State.label,
    "milestone": _State.milestone,
    "relabel": _State.relabel,
    "remove_due_date": lambda state, _rest: state.set("due", None, "Removed the due date."),
    "remove_label": _State.unlabel,
    "remove_milestone": lambda state, _rest: state.set("milestone", None, "Removed the milestone."),
    "reopen": lambda state, _rest: state.set("status", "opened", "Opened this issue."),
    "title": lambda state, rest: state.set("title", rest, f"Changed the title to {rest!r}.") if rest else "",
    "unassign": lambda state, _rest: state.set("assignees", [], "Removed assignees."),
    "unlabel": _State.unlabel,
}
