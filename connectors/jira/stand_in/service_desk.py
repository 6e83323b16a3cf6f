"""What Jira Service Management says in an issue's fields: its own SLAs, request type, organisations, participants.

    store.create_field("customfield_10020", "Time to resolution", *service_desk.SLA)
    store.set_value("CAR-1", "customfield_10020", service_desk.sla("Time to resolution", ongoing=cycle, now=now))
    store.create_field("customfield_10010", "Request Type", *service_desk.REQUEST_TYPE)
    store.set_value("CAR-1", "customfield_10010", service_desk.request_type("10", "Report a fault"))

The server writes these fields itself: nothing of them is in the history, and no edit takes them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

Json = dict[str, Any]

SLA = ("sd-servicelevelagreement", "com.atlassian.servicedesk:sd-sla-field")
REQUEST_TYPE = ("sd-customerrequesttype", "com.atlassian.servicedesk:vp-origin")
ORGANIZATIONS = ("array:sd-customerorganization", "com.atlassian.servicedesk:sd-customer-organizations")
PARTICIPANTS = ("array:user", "com.atlassian.servicedesk:sd-request-participants")
"""Types of fields, as ``store.create_field`` takes them. The value of participants is a list of account ids."""


@dataclass(frozen=True, slots=True)
class Cycle:
    """One run of an SLA's clock.

    Attributes:
        start, stop: instants (aware); ``stop`` None while it runs.
        goal, elapsed: of working time by the SLA's own calendar.
        breach: when it was, or will be, too late; None while it is paused.
        within: whether the calendar counts at this moment.
    """

    start: datetime
    goal: timedelta
    elapsed: timedelta
    breach: datetime | None = None
    stop: datetime | None = None
    paused: bool = False
    within: bool = True


def sla(name: str, *, completed: Sequence[Cycle] = (), ongoing: Cycle | None = None, id_: str = "1") -> Json:
    """The value of an SLA field."""
    shape: Json = {"id": id_, "name": name, "completedCycles": [_cycle(one) for one in completed]}
    if ongoing is not None:
        own = {"paused": ongoing.paused, "withinCalendarHours": ongoing.within}
        shape["ongoingCycle"] = {**_cycle(ongoing), **own}
    return {**shape, "slaDisplayFormat": "NEW_SLA_FORMAT"}


def _cycle(held: Cycle) -> Json:
    times = {"startTime": held.start, "stopTime": held.stop, "breachTime": held.breach}
    return {
        **{name: _instant(at) for name, at in times.items() if at is not None},
        "breached": held.elapsed > held.goal,
        "goalDuration": _duration(held.goal),
        "elapsedTime": _duration(held.elapsed),
        "remainingTime": _duration(held.goal - held.elapsed),
    }


def _instant(at: datetime) -> Json:
    at = at.astimezone(UTC)
    return {
        "iso8601": f"{at:%Y-%m-%dT%H:%M:%S}+0000",
        "jira": f"{at:%Y-%m-%dT%H:%M:%S}.000+0000",
        "friendly": f"{at:%d/%b/%y %I:%M %p}",
        "epochMillis": int(at.timestamp() * 1000),
    }


def _duration(held: timedelta) -> Json:
    minutes = abs(int(held.total_seconds())) // 60
    words = f"{minutes // 60}h {minutes % 60}m" if minutes >= 60 else f"{minutes}m"  # noqa: PLR2004 - minutes of an hour
    return {"millis": int(held.total_seconds() * 1000), "friendly": ("-" if held < timedelta(0) else "") + words}


def request_type(id_: str, name: str, *, status: str = "", desk: str = "1") -> Json:
    """The value of a request type field. ``status``: what the customer is shown for the issue's status."""
    own = {"id": id_, "name": name, "description": "", "serviceDeskId": desk, "portalId": desk, "groupIds": []}
    return {"requestType": own} | ({"currentStatus": {"status": status}} if status else {})


def organization(id_: str, name: str) -> Json:
    """One element of an organisations field."""
    return {"id": id_, "name": name}
