"""The one list of trackers: a kind's name -> how to open its reader and writer, and which stand-ins speak its dialects.

To add a tracker: two functions and one entry in ``KINDS``. Nothing here imports a connector before it is opened, so
that naming the kinds costs nothing.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from connectors.cache import Cache
    from connectors.retry import Retry
    from connectors.tracker import Connection, TrackerReader, TrackerWriter


@dataclass(frozen=True, slots=True)
class StandIn:
    """A dialect of the sandbox. Attributes: module, factory: ``factory(store, **options)`` gives its application."""

    module: str
    factory: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Kind:
    """How one kind of tracker is opened.

    Attributes:
        stand_ins: by the name they are served under.
        custom_fields: a site may name custom fields of it.
        own_fields: words of ``Issue.fields`` that are read where they are there, without being named.
        groups: projects stand in groups, and a site may name a group (``acme/*``).
        writers: so many write to one tracker side by side at most.
        one_writer: all of them are the same one, whose ``perform`` several threads may call at once.
    """

    reader: Callable[[Connection, Retry | None, Cache | None], TrackerReader]
    writer: Callable[[Connection, Retry | None, Cache | None], TrackerWriter]
    stand_ins: Mapping[str, StandIn]
    custom_fields: bool = True
    own_fields: frozenset[str] = frozenset()
    groups: bool = False
    writers: int = 4
    one_writer: bool = False


class UnknownKind(LookupError):
    """No tracker is called that. ``str()`` names the nearest one and all there are."""


def open_reader(
    kind: str, connection: Connection, *, retry: Retry | None = None, cache: Cache | None = None
) -> TrackerReader:
    """A reader for one tracker; nothing is sent before it is asked something.

    Args:
        kind: a name in ``KINDS``.
        connection: where, and as whom.
        retry: instead of the connector's own patience.
        cache: what was learned of the server before, and may be kept; by default nothing outlives the session.

    Raises:
        UnknownKind: there is no such kind.
    """
    return _kind(kind).reader(connection, retry, cache)


def open_writer(
    kind: str, connection: Connection, *, retry: Retry | None = None, cache: Cache | None = None
) -> TrackerWriter:
    """A writer for one tracker; arguments and errors as ``open_reader``."""
    return _kind(kind).writer(connection, retry, cache)


def most_writers(kind: str) -> int:
    """How many writers of one tracker may be at work at once. Raises UnknownKind."""
    return _kind(kind).writers


def one_writer(kind: str) -> bool:
    """Whether all that are at work at once may be one and the same. Raises UnknownKind."""
    return _kind(kind).one_writer


def _kind(name: str) -> Kind:
    found = KINDS.get(name)
    if found is None:
        near = difflib.get_close_matches(name.lower(), KINDS, n=1, cutoff=0.5)
        meant = f"; did you mean {near[0]!r}?" if near else "."
        raise UnknownKind(f"no tracker of kind {name!r}{meant} There are: {', '.join(sorted(KINDS))}")
    return found


def _jira_reader(connection: Connection, retry: Retry | None, cache: Cache | None) -> TrackerReader:
    from connectors.jira.tracker import JiraReader

    return JiraReader(connection, retry=retry, cache=cache)


def _jira_writer(connection: Connection, retry: Retry | None, cache: Cache | None) -> TrackerWriter:
    from connectors.jira.tracker import JiraWriter

    return JiraWriter(connection, retry=retry, cache=cache)


def _gitlab_reader(connection: Connection, retry: Retry | None, cache: Cache | None) -> TrackerReader:
    from connectors.gitlab.tracker import GitLabReader

    return GitLabReader(connection, retry=retry, cache=cache)


def _gitlab_writer(connection: Connection, retry: Retry | None, cache: Cache | None) -> TrackerWriter:
    from connectors.gitlab.tracker import GitLabWriter

    return GitLabWriter(connection, retry=retry, cache=cache)


KINDS: Mapping[str, Kind] = {
    "jira": Kind(
        reader=_jira_reader,
        writer=_jira_writer,
        stand_ins={
            "jira-cloud": StandIn("connectors.jira.stand_in", "cloud_app"),
            "jira-dc": StandIn("connectors.jira.stand_in", "dc_app"),
        },
        own_fields=frozenset({"request_type", "organisations", "request_participants"}),
    ),
    "gitlab": Kind(
        reader=_gitlab_reader,
        writer=_gitlab_writer,
        stand_ins={
            "gitlab": StandIn("connectors.gitlab.stand_in", "app", {"generation": "19.2"}),
            "gitlab-16": StandIn("connectors.gitlab.stand_in", "app", {"generation": "16.3"}),
            "gitlab-rest": StandIn("connectors.gitlab.stand_in", "app", {"generation": "rest-only"}),
        },
        # GitLab has them in paid editions only, and not in the API we read.
        custom_fields=False,
        own_fields=frozenset({"weight"}),
        groups=True,
        # Ten issues a request take the server a while; what a host may be asked a second holds for all of them together.
        writers=8,
        # What one of them looked up, or made, the others need not.
        one_writer=True,
    ),
}
