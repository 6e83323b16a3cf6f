"""Issues, packs and destinations for the tests of the policies, told in few words.

Instants are hours after ``MONDAY``, which is 09:00 in Shanghai: ``at(24)`` is Tuesday 09:00.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from policies.business_calendar import BusinessCalendar
from policies.destination import Destination
from policies.issue import (
    Actor,
    CategoryChanged,
    Commented,
    FixReleased,
    Issue,
    IssueRef,
    LabelsChanged,
    Opened,
    Role,
    SeverityChanged,
    State,
    StateChanged,
    Word,
)
from policies.loader import load_phrases
from policies.local_span import hours
from policies.pack import PolicyPack
from policies.verdict import Judged, Verdict, judge

if TYPE_CHECKING:
    from collections.abc import Mapping

    from policies.issue import Event

MONDAY = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
CUSTOMER = Actor(id="chen", name="Chen", role=Role.CUSTOMER)
COLLEAGUE = Actor(id="li", name="Li", role=Role.CUSTOMER)
AGENT = Actor(id="amy", name="Amy", role=Role.RESPONDER)
BOT = Actor(id="robot", bot=True, role=Role.BOT)
OWN = Actor(id="warranty", role=Role.OWN)
STRANGER = Actor(id="nobody-knows")
DELETED = Actor(id="")


def at(hours_later: float) -> datetime:
    return MONDAY + timedelta(hours=hours_later)


def reply(hour: float, by: Actor = AGENT, *, public: bool = True, text: str = "", name: str = "") -> Commented:
    id_ = name or f"comment-{hour}-{by.id}"
    return Commented(id=id_, at=at(hour), actor=by, comment=id_, public=public, text=text)


def becomes(hour: float, after: State, before: State | None = State.OPEN, by: Actor = AGENT) -> StateChanged:
    return StateChanged(id=f"state-{hour}-{after.value}", at=at(hour), actor=by, before=before, after=after)


def severity(hour: float, after: str | None, before: str | None) -> SeverityChanged:
    return SeverityChanged(id=f"severity-{hour}", at=at(hour), actor=AGENT, before=before, after=after)


def category(hour: float, after: str | None, before: str | None) -> CategoryChanged:
    return CategoryChanged(id=f"category-{hour}", at=at(hour), actor=AGENT, before=before, after=after)


def labels(
    hour: float, *, added: tuple[str, ...] = (), removed: tuple[str, ...] = (), by: Actor = AGENT
) -> LabelsChanged:
    return LabelsChanged(id=f"labels-{hour}", at=at(hour), actor=by, added=added, removed=removed)


def released(hour: float, release: str = "1.4.2") -> FixReleased:
    url = f"https://releases.example/{release}"
    return FixReleased(id=f"release-{release}", at=at(hour), release=release, url=url, evidence="fix version")


def build_issue(*events: Event, number: int = 1, tracker: str = "here", **facts: Any) -> Issue:
    """An issue opened at ``MONDAY`` by the customer; its present state and severity follow from the events."""
    known: dict[str, Any] = {"state": State.OPEN, "severity": None, "category": None}
    for event in sorted(events, key=lambda event: event.at):
        if isinstance(event, StateChanged):
            known["state"] = event.after
        elif isinstance(event, SeverityChanged):
            known["severity"] = event.after
        elif isinstance(event, CategoryChanged):
            known["category"] = event.after
    settled: dict[str, Any] = {
        "ref": IssueRef(tracker, "CAR", f"CAR-{number}", str(number), f"https://tracker.example/CAR-{number}"),
        "title": "The wipers stop",
        "type": Word("1", "Bug"),
        "status": Word("", "To Do"),
        "reporter": CUSTOMER,
        "opened_at": MONDAY,
        "updated_at": max((event.at for event in events), default=MONDAY),
        **known,
        **facts,
    }
    return Issue(events=(Opened(id="opened", at=settled["opened_at"], actor=settled["reporter"]), *events), **settled)


@cache
def office() -> BusinessCalendar:
    """Monday to Friday, 09:00-12:00 and 13:00-18:00 in Shanghai, no holidays."""
    day = hours("09:00-12:00", "13:00-18:00")
    return BusinessCalendar(
        id="office", zone="Asia/Shanghai", weekly={"mon": day, "tue": day, "wed": day, "thu": day, "fri": day}
    )


RESOLUTION: Mapping[str, Any] = {
    "stop": {"state": ["resolved", "verified", "closed"]},
    "pause": [
        {"when": {"state": "waiting_for_customer"}, "reason": "awaiting customer"},
        {"when": {"state": "waiting_for_third_party"}, "reason": "awaiting supplier", "party": "third_party"},
    ],
    "goals": [{"within": "48h"}],
}
FIRST_RESPONSE: Mapping[str, Any] = {"stop": "first_response", "goals": [{"within": "24h"}]}


def build_pack(actions: tuple[Mapping[str, Any], ...] = (), **clocks: Mapping[str, Any]) -> PolicyPack:
    """A pack of these clocks on the office calendar; the resolution clock alone where none is given."""
    pack = PolicyPack.model_validate(
        {
            "id": "trial",
            "version": 1,
            "calendar": "office",
            "severities": ["urgent", "high", "normal"],
            "categories": ["defect", "security"],
            "clocks": clocks or {"resolution": RESOLUTION},
            "actions": list(actions),
        }
    )
    return pack.with_calendars({"office": office()})


def resolution(**changed: Any) -> PolicyPack:
    """A pack with a resolution clock of 48 hours that differs in these words."""
    return build_pack(resolution={**RESOLUTION, **changed})


def verdict_of(issue: Issue, pack: PolicyPack, hour: float) -> Verdict:
    """The standing verdict of the pack's first clock at an hour."""
    found = Judged(issue, judge(issue, pack, at(hour))).of(next(iter(pack.clocks)))
    assert found is not None
    return found


def build_destination(**changed: Any) -> Destination:
    return Destination(
        **{
            "tracker": "here",
            "prefix": "warranty",
            "phrases": load_phrases("en"),
            "zone": ZoneInfo("Asia/Shanghai"),
            "tiers": {"L2": "bob", "L3": "eve"},
            "tier_accounts": {"L2": ("bob", "ben"), "L3": ("eve",)},
            "severities": {"urgent": "Highest", "high": "High", "normal": "Medium"},
            "web_links": True,
            "priorities": True,
            "internal_comments": True,
            **changed,
        }
    )
