"""The same event log through every tracker: written once for each kind, read through each dialect, told in one language.

Rules:

1. A log speaks no tracker's language. ``as_it_happened`` makes facts of it with no tracker at all; whatever a tracker's
   reader gives, with its site's map and roster applied, must come to the same past and the same figures.
2. Every instant and every length of time is compared exactly. What a tracker can not tell by its nature is a
   ``Difference``, as data: the log as that tracker has it, which is then compared just as exactly.
3. Ids of events are a tracker's own, so evidence is compared by the instants it points at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count, zip_longest
from typing import Any, Self

from pydantic import SecretStr

from connectors import registry
from connectors.sandbox.clock import Clock
from connectors.sandbox.server import Sandbox
from connectors.sandbox.store import Store
from connectors.tracker import Connection
from policies.history import moments
from policies.issue import (
    DueDateChanged,
    FixVersionsChanged,
    Issue,
    Release,
    State,
)
from policies.pack import PolicyPack
from policies.patch import Releases
from policies.roster import Roster
from policies.shares import time_spent
from policies.signals import signals
from policies.verdict import judge
from policies.vocabulary import Vocabulary
from tests.event_log import (
    CATEGORIES,
    COLLEAGUE,
    CUSTOMER,
    FIRST,
    OWN,
    PEOPLE,
    ROBOT,
    SECOND,
    SEVERITIES,
    THIRD,
    Log,
    Volume,
    as_it_happened,
)
from tests.event_log_pens import (
    CATEGORY,
    DUPLICATE,
    FIXED,
    PRIORITIES,
    SEVERITY,
    STATE,
    STATUSES,
    TYPES,
    GitLabPen,
    JiraPen,
    cloud_account,
)

NOW = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)
"""Of the sandbox: after all that any log tells."""
TOKEN, MAIL = "conformance-token-5f2c", "warranty@acme.test"

# ------------------------------------------------------------------------------------------------- a site's map of it


@dataclass(frozen=True, slots=True)
class Dialect:
    """One way to speak to a tracker, and the site's map of its words, as a user would write it.

    Attributes:
        mount: the sandbox's name for it; "" for the log itself.
        ours: beginnings of the labels that stand for a state, a severity or a category.
    """

    name: str
    kind: str
    mount: str
    states: Mapping[str, State]
    severities: Mapping[str, str]
    categories: Mapping[str, str]
    account: Callable[[str], str] = str
    user: str = ""
    ours: tuple[str, ...] = ()

    def vocabulary(self) -> Vocabulary:
        return Vocabulary(states=self.states, severities=self.severities, categories=self.categories)

    def roster(self, own: str) -> Roster:
        return Roster(
            responders={self.account(each) for each in (FIRST, SECOND, THIRD)},
            bots={self.account(ROBOT)},
            customers={self.account(CUSTOMER), self.account(COLLEAGUE)},
            own={own},
            tiers={tier: (self.account(who),) for tier, who in (("L1", FIRST), ("L2", SECOND), ("L3", THIRD))},
        )

    def person(self, account: str | None) -> str | None:
        """Who an account is; the account itself where it is nobody's."""
        return next((each for each in PEOPLE if account == self.account(each)), account)

    def plain(self, labels: Iterable[str]) -> frozenset[str]:
        """Labels that are labels and no more."""
        return frozenset(label for label in labels if not label.startswith(self.ours or ("\0",)))


def _jira(name: str, mount: str, account: Callable[[str], str], user: str = "") -> Dialect:
    return Dialect(
        name,
        "jira",
        mount,
        states={
            **{word.name: state for state, word in STATUSES.items()},
            f"resolution:{DUPLICATE.name}": State.CANCELLED,
        },
        severities={word.name: severity for severity, word in PRIORITIES.items()},
        categories={f"type:{word.name}": category for category, word in TYPES.items() if category},
        account=account,
        user=user,
    )


def _gitlab(name: str, mount: str) -> Dialect:
    """The free tier: two statuses and no priority, so labels tell the rest."""
    return Dialect(
        name,
        "gitlab",
        mount,
        states={
            "opened": State.OPEN,
            "closed": State.CLOSED,
            **{f"label:{STATE}{state}": state for state in State if state not in {State.OPEN, State.CLOSED}},
        },
        severities={f"label:{SEVERITY}{each}": each for each in SEVERITIES},
        categories={f"label:{CATEGORY}{each}": each for each in CATEGORIES},
        ours=(STATE, SEVERITY, CATEGORY),
    )


DIALECTS = (
    _jira("Jira Cloud", "jira-cloud", cloud_account, MAIL),
    _jira("Jira Data Center", "jira-dc", str),
    _gitlab("GitLab GraphQL", "gitlab"),
    _gitlab("GitLab 16.3", "gitlab-16"),
    _gitlab("GitLab REST", "gitlab-rest"),
)
ITSELF = Dialect(
    "the log",
    "",
    "",
    states={str(state): state for state in State},
    severities={each: each for each in SEVERITIES},
    categories={f"type:{each}": each for each in CATEGORIES},
    ours=(STATE, SEVERITY, CATEGORY),
)

# ------------------------------------------------------------------------------------------------------- the trackers


@dataclass(frozen=True, slots=True)
class Reading:
    """A project as it was read. Attributes: raw: issues by title, as the reader gave them. of: the logs it should tell."""

    dialect: Dialect
    raw: Mapping[str, Issue]
    releases: tuple[Release, ...]
    own: str
    of: Volume
    _prepared: dict[str, Issue] = field(init=False, repr=False, compare=False, default_factory=dict)

    def issue(self, title: str) -> Issue:
        """An issue in the pack's words."""
        if title not in self._prepared:
            words, people = self.dialect.vocabulary(), self.dialect.roster(self.own)
            self._prepared[title] = people.cast(words.apply(self.raw[title]))
        return self._prepared[title]


def itself(volume: Volume) -> Reading:
    """The logs read with no tracker in between."""
    releases = tuple(Release("", "", name, published_at=at) for name, at in volume.releases.items())
    return Reading(ITSELF, {log.title: as_it_happened(log) for log in volume.logs}, releases, OWN, volume)


class Trackers:
    """A sandbox with every dialect. A context manager."""

    def __init__(self) -> None:
        self.store = Store(Clock.fixed(NOW))
        self.sandbox = Sandbox(self.store)
        self._numbers = count(1)
        for name in PEOPLE:
            customer = name in {CUSTOMER, COLLEAGUE}
            mail, bot = (MAIL, True) if name == OWN else (f"{name}@acme.test", False)
            id_ = cloud_account(name)
            self.store.create_user(id_, name.title(), username=name, email=mail, bot=bot, customer=customer)
        self.store.create_token(TOKEN, cloud_account(OWN))

    def __enter__(self) -> Self:
        self.sandbox.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.sandbox.stop()

    def write(self, volume: Volume) -> dict[str, str]:
        """A new project of each kind with these logs; gives their keys by kind."""
        number = next(self._numbers)
        keys = {"jira": f"C{number}", "gitlab": f"acme/c{number}"}
        at = min(log.at for log in volume.logs)
        self.store.create_project(
            keys["jira"],
            f"Conformance {number}",
            kind="jira",
            statuses=tuple(STATUSES.values()),
            priorities=tuple(PRIORITIES.values()),
            types=tuple(TYPES.values()),
            resolutions=(FIXED, DUPLICATE),
            service_desk=True,
            at=at,
        )
        self.store.create_project(keys["gitlab"], f"c{number}", kind="gitlab", at=at)
        for pen in (JiraPen(self.store, keys["jira"], volume), GitLabPen(self.store, keys["gitlab"], volume)):
            for log in volume.logs:
                pen.write(log)
            pen.release()
        return keys

    def read(self, dialect: Dialect, keys: Mapping[str, str], volume: Volume) -> Reading:
        """A project through the tracker's own reader, over loopback."""
        url = self.sandbox.url(dialect.mount)
        connection = Connection(name="acme", url=url, token=SecretStr(TOKEN), user=dialect.user, timeout=(5.0, 20.0))
        reader = registry.open_reader(dialect.kind, connection)
        try:
            raw: dict[str, Issue] = {}
            for found in reader.changed_since(keys[dialect.kind], None):
                assert isinstance(found, Issue), found
                raw[found.title] = found
            return Reading(dialect, raw, reader.releases(keys[dialect.kind]), reader.own_account().id, volume)
        finally:
            reader.close()


# ------------------------------------------------------------------------------------------------- what is to be equal

Told = Mapping[str, Any]
"""What is compared, by a name that says where."""


def past(reading: Reading, title: str) -> Told:
    """An issue's facts and its whole past, in words of no tracker."""
    issue, dialect = reading.issue(title), reading.dialect
    merged = reading.of.log(title).merged()
    person, later = dialect.person, [event for event in issue.events if event.at > issue.opened_at]
    hands = {event.id: (event.at, person(event.actor.id), event.actor.role) for event in later}
    row = moments(issue)
    fixes: dict[datetime, set[str]] = {}
    for event in later:
        if isinstance(event, FixVersionsChanged):
            words = (*(f"+{name}" for name in event.added), *(f"-{name}" for name in event.removed))
            fixes.setdefault(event.at, set()).update(word for word in words if word[1:] not in merged)
    return {
        "gaps": issue.gaps,
        "unmapped": issue.unmapped,
        "reporter": (person(issue.reporter.id), issue.reporter.role, issue.reporter.tier),
        "assignee": (person(issue.assignee.id), issue.assignee.role) if issue.assignee else None,
        "opened, updated": (issue.opened_at, issue.updated_at),
        "due": issue.due,
        "confidential": issue.confidential,
        "fix versions": {name for name in issue.fix_versions if name not in merged},
        "moments": [
            (m.since, m.state, m.severity, m.category, dialect.plain(m.labels), person(m.assignee), m.tier) for m in row
        ],
        "hands": [sorted({hands[id_] for id_ in m.evidence if id_ in hands}) for m in row],
        "comments": [
            (e.at, person(e.actor.id), e.actor.role, e.actor.tier, e.public, e.text) for e in issue.comments()
        ],
        "due dates": [(e.at, e.before, e.after) for e in later if isinstance(e, DueDateChanged)],
        "fixes": {at: words for at, words in fixes.items() if words},
    }


def figures(reading: Reading, title: str, pack: PolicyPack, now: datetime) -> Told:
    """What is said of an issue at one instant: each verdict to its last figure, whose time it was, and the signals."""
    issue = Releases(reading.releases).applied_to(reading.issue(title), now)
    at = {event.id: event.at for event in issue.events}

    def when(evidence: Iterable[str]) -> tuple[datetime | str, ...]:
        return tuple(sorted({at.get(id_, id_) for id_ in evidence}, key=str))

    verdicts = judge(issue, pack, now)
    told: dict[str, Any] = {}
    for verdict in verdicts:
        here = f"{verdict.clock}[{verdict.cycle}]"
        for name in _FIGURES:
            told[f"{here}.{name}"] = getattr(verdict, name)
        told[f"{here}.reason"] = replace(verdict.reason, evidence=())
        told[f"{here}.evidence"] = when(verdict.reason.evidence)
        told[f"{here}.pauses"] = tuple(replace(pause, evidence=()) for pause in verdict.pauses)
        told[f"{here}.evidence of pauses"] = tuple(when(pause.evidence) for pause in verdict.pauses)
        told[f"{here}.time"] = time_spent(issue, verdict, pack)
    told["signals"] = tuple(
        (each.kind, each.clock, each.at, each.detail, when(each.evidence))
        for each in signals(issue, verdicts, pack, now)
    )
    return told


_FIGURES = (
    "status", "goal", "started_at", "due_at", "stopped_at", "used", "left", "gross", "next_change_at", "thresholds",
    "forgotten_at", "provisional", "calendar", "calendar_digest", "policy", "digest", "judged_at",
)  # fmt: skip


def apart(one: Told, other: Told) -> Iterator[str]:
    """In which figures two tellings differ, in words."""
    for name in dict.fromkeys((*one, *other)):
        mine, theirs = one.get(name, "nothing"), other.get(name, "nothing")
        if mine != theirs:
            both = isinstance(mine, list) and isinstance(theirs, list)
            pairs = zip_longest(mine, theirs, fillvalue="nothing") if both else ((mine, theirs),)
            place, (here, there) = next((n, pair) for n, pair in enumerate(pairs) if pair[0] != pair[1])
            yield f"{name}{f'[{place}]' if both else ''}: {here} instead of {there}"


def instants_to_judge(volume: Volume, log: Log) -> tuple[datetime, ...]:
    """When to judge a log: as things happen or a second later, in turn, and long after; of a long log a part of it."""
    happened, second = log.instants(), timedelta(seconds=1)
    last, every = max(happened), 1 + len(happened) // _MOST_INSTANTS
    seen = {each + place % 2 * second for place, each in enumerate(happened[::every])}
    later = {last + timedelta(hours=hours) for hours in (1, 30, 900)}
    out = {at for at in volume.releases.values() if at is not None and at > log.at}
    return tuple(sorted(seen | later | out))


_MOST_INSTANTS = 16


def disagreements(reading: Reading, packs: Sequence[PolicyPack], expected: Expected) -> list[str]:
    """Where a tracker's telling of its logs is not what happened: one line for each figure."""
    found: list[str] = []
    for log in reading.of.logs:
        where = f"{reading.dialect.name}, {log.title!r}"
        if log.title not in reading.raw:
            found.append(f"{where}: not there at all")
            continue
        found += [f"{where}: {line}" for line in apart(past(reading, log.title), expected.past(log.title))]
        for pack in packs:
            for now in instants_to_judge(reading.of, log):
                lines = apart(figures(reading, log.title, pack, now), expected.figures(log.title, pack, now))
                found += [f"{where}, {pack.name} at {now}: {line}" for line in lines]
    return found


class Expected:
    """What a volume comes to without a tracker, worked out once."""

    def __init__(self, volume: Volume) -> None:
        self._reading = itself(volume)
        self._figures: dict[tuple[str, str, datetime], Told] = {}
        self._pasts: dict[str, Told] = {}

    def past(self, title: str) -> Told:
        if title not in self._pasts:
            self._pasts[title] = past(self._reading, title)
        return self._pasts[title]

    def figures(self, title: str, pack: PolicyPack, now: datetime) -> Told:
        key = title, pack.digest, now
        if key not in self._figures:
            self._figures[key] = figures(self._reading, title, pack, now)
        return self._figures[key]
