"""What Jira Service Management keeps of a request, in fields of the issue: its type, its people, the site's own SLAs. Pure.

Rules:

1. The fields are known by their type's key (``schema.custom``); a Jira without a service desk has none of them.
2. Any shape may arrive. What makes no sense is left out, never an error: nothing that is promised rests on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.jira.instants import instant
from connectors.jira.text import received
from policies.native_sla import NativeCycle, NativeSla

ORGANISATIONS = "com.atlassian.servicedesk:sd-customer-organizations"
PARTICIPANTS = "com.atlassian.servicedesk:sd-request-participants"
REQUEST_TYPE = "com.atlassian.servicedesk:vp-origin"
SLA = "com.atlassian.servicedesk:sd-sla-field"

WORDS = {"request_type": REQUEST_TYPE, "organisations": ORGANISATIONS, "request_participants": PARTICIPANTS}
"""The words under which ``Issue.fields`` holds them -> the type's key; a site that uses such a word keeps its own field."""

_LONGEST = timedelta(days=36_500)
_NEVER = datetime.max.replace(tzinfo=UTC)


def request_type(value: Any) -> Any:
    """The part of a request field that names its type."""
    return value.get("requestType") if isinstance(value, Mapping) else value


def native_sla(name: str, value: Any) -> NativeSla | None:
    """One SLA field; None where the SLA does not apply to the issue.

    Args:
        name: the field's, for a value that does not name itself.
    """
    if not isinstance(value, Mapping):
        return None
    completed = value.get("completedCycles")
    entries = completed if isinstance(completed, list) else []
    cycles = [_cycle(entry) for entry in entries if isinstance(entry, Mapping)]
    cycles.sort(key=lambda cycle: cycle.started or _NEVER)
    ongoing = value.get("ongoingCycle")
    if isinstance(ongoing, Mapping):
        cycles.append(_cycle(ongoing))
    return NativeSla(received(value.get("name")) or name, tuple(cycles)) if cycles else None


def _cycle(entry: Mapping[str, Any]) -> NativeCycle:
    return NativeCycle(
        started=_at(entry.get("startTime")),
        stopped=_at(entry.get("stopTime")),
        breach_at=_at(entry.get("breachTime")),
        breached=entry.get("breached") is True,
        goal=_span(entry.get("goalDuration")),
        elapsed=_span(entry.get("elapsedTime")),
        paused=entry.get("paused") is True,
    )


def _at(value: Any) -> datetime | None:
    """A time as ``{iso8601, jira, friendly, epochMillis}``."""
    if not isinstance(value, Mapping):
        return None
    for name in ("epochMillis", "iso8601", "jira"):
        try:
            return _of_milliseconds(value.get(name))
        except (ValueError, OverflowError):
            continue
    return None


def _of_milliseconds(value: Any) -> datetime:
    # A number is milliseconds here, however small it is.
    return instant(value / 1000 if isinstance(value, int) and not isinstance(value, bool) else value)


def _span(value: Any) -> timedelta | None:
    """A duration as ``{millis, friendly}``."""
    millis = value.get("millis") if isinstance(value, Mapping) else None
    if not isinstance(millis, int) or isinstance(millis, bool) or abs(millis) > _LONGEST / timedelta(milliseconds=1):
        return None
    return timedelta(milliseconds=millis)
