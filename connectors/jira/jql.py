"""JQL, built from data: every value is quoted, so that a project named AND or a quote in a label is only a value."""

from __future__ import annotations

from connectors.jira.text import one_line


def quoted(value: str) -> str:
    """A string literal."""
    return '"' + one_line(value).replace("\\", "\\\\").replace('"', '\\"') + '"'


def in_project(project: str) -> str:
    return f"project = {quoted(project)}"


def updated_from(project: str, minute: str) -> str:
    """Issues of a project changed in or after a minute (see ``instants.literal``), all for "", without an order."""
    return in_project(project) + (f" AND updated >= {quoted(minute)}" if minute else "")


def labelled(project: str, label: str) -> str:
    """Issues of a project with a label, the oldest first."""
    return f"{in_project(project)} AND labels = {quoted(label)} ORDER BY created ASC, key ASC"
