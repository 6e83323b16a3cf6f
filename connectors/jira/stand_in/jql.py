"""A small JQL: the words the connector and people need, over the sandbox's issues, with Jira's refusals.

    project in (CAR) AND updated >= "2026/11/21 09:55" ORDER BY updated ASC, id ASC

Instants are read in the account's time zone and have no seconds, as at the vendor.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from connectors.jira.stand_in.session import Refusal, Session
from connectors.jira.stand_in.words import named
from connectors.sandbox.nouns import Issue
from policies.issue import Word

Test = Callable[[Issue], bool]

_TOKEN = re.compile(
    r"""\s*(?:(?P<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?P<op>!=|!~|>=|<=|=|>|<|~)|(?P<mark>[(),])"""
    r"""|(?P<word>[^\s"'=!<>~(),]+))"""
)
_DATE = re.compile(r"(\d{4})[/-](\d{1,2})[/-](\d{1,2})(?: (\d{1,2}):(\d{2}))?")
_PERIOD = re.compile(r"([+-]?\d+)([wdhm])")
_UNITS = {"w": "weeks", "d": "days", "h": "hours", "m": "minutes"}
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    ">=": operator.ge, ">": operator.gt, "<=": operator.le, "<": operator.lt, "=": operator.eq, "!=": operator.ne,
}  # fmt: skip
_ALIASES = {
    "issue": "key", "issuekey": "key", "updateddate": "updated", "createddate": "created", "type": "issuetype",
    "duedate": "due", "fixversion": "fixversion", "statuscategory": "statuscategory", "resolved": "resolutiondate",
}  # fmt: skip
_FIELDS = frozenset({
    "project", "key", "id", "labels", "updated", "created", "status", "statuscategory", "issuetype", "priority",
    "assignee", "reporter", "resolution", "fixversion", "due", "resolutiondate", "summary",
})  # fmt: skip
_DATES = frozenset({"updated", "created", "due", "resolutiondate"})
_CATEGORIES = {
    "new": {"new", "to do", "2", "待办"},
    "indeterminate": {"indeterminate", "in progress", "4", "正在进行"},
    "done": {"done", "complete", "3", "完成"},
}
_MOST_ORDERS = 7


@dataclass(frozen=True, slots=True)
class Query:
    """Attributes: bounded: there is a restriction besides ORDER BY. order: (field, descending)."""

    test: Test
    bounded: bool
    order: tuple[tuple[str, bool], ...]

    def run(self, session: Session, fresh: frozenset[str] = frozenset()) -> list[Issue]:
        """The visible issues that meet it, in order (by default the newest key first).

        The index is as it was ``store.index_lag`` ago, but for the issues whose ids are ``fresh``. It is late with
        whole issues and with ``updated``; other fields of an issue it knows are as they are now.
        """
        issues = (one for project in session.projects() for one in project.issues.values())
        if session.store.index_lag:
            horizon = session.store.clock.now() - session.store.index_lag
            seen = (one if one.id in fresh else _indexed(one, horizon) for one in issues)
            issues = (one for one in seen if one is not None)
        found = [one for one in issues if self.test(one)]
        for name, descending in reversed(self.order or (("key", True),)):
            found.sort(key=lambda issue, name=name: _sort_key(session, issue, name), reverse=descending)  # type: ignore[misc]  # a default argument binds the loop's name
        return found


def _indexed(issue: Issue, horizon: datetime) -> Issue | None:
    """The issue as an index of that instant has it."""
    if issue.updated <= horizon:
        return issue
    if issue.created > horizon:
        return None
    written = [one.at for one in issue.history] + [one.updated for one in issue.comments]
    return replace(issue, updated=max([issue.created, *(at for at in written if at <= horizon)]))


def parse(text: str, session: Session) -> Query:
    """Raises Refusal(400) as Jira does: syntax, unknown field, unknown value, bad date."""
    return _Parser(text, session).query()


class _Parser:
    def __init__(self, text: str, session: Session) -> None:
        self.session = session
        self.tokens: list[tuple[str, str]] = []
        self.place = 0
        at = 0
        text = text.rstrip()
        while at < len(text):
            match = _TOKEN.match(text, at)
            if match is None:
                raise Refusal(
                    400, f"Error in the JQL Query: unexpected character '{text[at]}' (line 1, character {at + 1})."
                )
            kind = str(match.lastgroup)
            value = match[kind]
            self.tokens.append((kind, re.sub(r"\\(.)", r"\1", value[1:-1]) if kind == "string" else value))
            at = match.end()

    def query(self) -> Query:
        test: Test = lambda _: True  # noqa: E731 - the query without a restriction
        bounded = bool(self.tokens) and not self._is("order")
        if bounded:
            test = self._or()
        order = self._order() if self._is("order") else ()
        if self.place < len(self.tokens):
            raise self._unexpected()
        return Query(test, bounded, order)

    def _or(self) -> Test:
        tests = [self._and()]
        while self._take("or"):
            tests.append(self._and())
        return tests[0] if len(tests) == 1 else lambda issue: any(test(issue) for test in tests)

    def _and(self) -> Test:
        tests = [self._not()]
        while self._take("and"):
            tests.append(self._not())
        return tests[0] if len(tests) == 1 else lambda issue: all(test(issue) for test in tests)

    def _not(self) -> Test:
        if self._take("not"):
            test = self._not()
            return lambda issue: not test(issue)
        if self._mark("("):
            test = self._or()
            if not self._mark(")"):
                raise self._unexpected()
            return test
        return self._clause()

    def _clause(self) -> Test:
        kind, name = self._next()
        if kind not in {"word", "string"}:
            raise self._unexpected(back=True)
        known = _ALIASES.get(name.lower(), name.lower())
        if known not in _FIELDS:
            raise Refusal(400, f"Field '{name}' does not exist or you do not have permission to view it.")
        if self._take("is"):
            negated = self._take("not")
            if not (self._take("empty") or self._take("null")):
                raise self._unexpected()
            return _negate(_field_test(self.session, known, "=", [None]), negated)
        negated = self._take("not")
        if self._take("in"):
            return _negate(_field_test(self.session, known, "=", self._values()), negated)
        kind, sign = self._next()
        if kind != "op" or negated:
            raise self._unexpected(back=True)
        value = self._value()
        if sign in {"!=", "!~"}:
            return _negate(_field_test(self.session, known, "~" if sign == "!~" else "=", [value]), negated=True)
        return _field_test(self.session, known, sign, [value])

    def _values(self) -> list[str | None]:
        if not self._mark("("):
            raise self._unexpected()
        values = [self._value()]
        while self._mark(","):
            values.append(self._value())
        if not self._mark(")"):
            raise self._unexpected()
        return values

    def _value(self) -> str | None:
        kind, text = self._next()
        if kind == "word" and text.lower() in {"empty", "null"}:
            return None
        if kind not in {"word", "string"}:
            raise self._unexpected(back=True)
        if kind == "word" and text.lower() in {"currentuser", "now"} and self._mark("("):
            if not self._mark(")"):
                raise self._unexpected()
            return self.session.actor if text.lower() == "currentuser" else "0m"
        return text

    def _order(self) -> tuple[tuple[str, bool], ...]:
        self._take("order")
        if not self._take("by"):
            raise self._unexpected()
        order = []
        while True:
            name = self._next()[1]
            known = _ALIASES.get(name.lower(), name.lower())
            if known not in _FIELDS:
                raise Refusal(400, f"Field '{name}' does not exist or you do not have permission to view it.")
            descending = self._take("desc") or (not self._take("asc") and known in _DATES)
            order.append((known, descending))
            if not self._mark(","):
                break
        if len(order) > _MOST_ORDERS:
            raise Refusal(400, f"The ORDER BY clause holds more than {_MOST_ORDERS} fields.")
        return tuple(order)

    def _next(self) -> tuple[str, str]:
        if self.place >= len(self.tokens):
            raise self._unexpected()
        self.place += 1
        return self.tokens[self.place - 1]

    def _is(self, word: str) -> bool:
        return self.place < len(self.tokens) and self.tokens[self.place] in {("word", word), ("word", word.upper())}

    def _take(self, word: str) -> bool:
        if self.place < len(self.tokens):
            kind, text = self.tokens[self.place]
            if kind == "word" and text.lower() == word:
                self.place += 1
                return True
        return False

    def _mark(self, sign: str) -> bool:
        if self.place < len(self.tokens) and self.tokens[self.place] == ("mark", sign):
            self.place += 1
            return True
        return False

    def _unexpected(self, *, back: bool = False) -> Refusal:
        place = self.place - 1 if back else self.place
        if place >= len(self.tokens):
            return Refusal(400, "Error in the JQL Query: the query ended unexpectedly.")
        return Refusal(400, f"Error in the JQL Query: '{self.tokens[place][1]}' was not expected here.")


def _negate(test: Test, negated: bool) -> Test:
    return (lambda issue: not test(issue)) if negated else test


def _field_test(session: Session, name: str, sign: str, values: list[str | None]) -> Test:
    if name in _DATES:
        return _date_test(session, name, sign, values)
    if name == "summary":
        words = [str(value).lower().strip('"') for value in values]
        return lambda issue: any(word in issue.title.lower() for word in words)
    if sign not in {"=", "~"}:
        if name == "id" and values[0] is not None and values[0].isdecimal():
            limit, compare = int(values[0]), _COMPARE[sign]
            return lambda issue: compare(int(issue.id), limit)
        raise Refusal(400, f"The operator '{sign}' is not supported by the '{name}' field.")
    wanted = {value for value in values if value is not None}
    empty = None in values
    if name == "labels":
        return lambda issue: bool(wanted & set(issue.labels)) or (empty and not issue.labels)
    if name in {"key", "id"}:
        return _key_test(session, wanted)
    if name == "project":
        return _project_test(session, wanted)
    if name in {"assignee", "reporter"}:
        return _person_test(session, name, wanted, empty=empty)
    if name == "statuscategory":
        return _category_test(session, wanted)
    return _word_test(session, name, wanted, empty=empty)


def _key_test(session: Session, wanted: set[str]) -> Test:
    ids = set()
    for said in wanted:
        try:
            ids.add(session.issue(said).id)
        except Refusal:
            raise Refusal(400, f"An issue with key '{said}' does not exist for field 'key'.") from None
    return lambda issue: issue.id in ids


def _project_test(session: Session, wanted: set[str]) -> Test:
    keys = set()
    for said in wanted:
        found = [
            one.key for one in session.projects() if said.lower() in {one.key.lower(), one.name.lower(), str(one.id)}
        ]
        if not found:
            raise Refusal(400, f"The value '{said}' does not exist for the field 'project'.")
        keys.update(found)
    return lambda issue: issue.project in keys


def _person_test(session: Session, name: str, wanted: set[str], *, empty: bool) -> Test:
    ids = {user.id for said in wanted if (user := session.store.user(said)) is not None}

    def test(issue: Issue) -> bool:
        held = set(issue.assignees) if name == "assignee" else {issue.reporter} - {""}
        return bool(held & ids) or (empty and not held)

    return test


def _category_test(session: Session, wanted: set[str]) -> Test:
    groups = {group for group, names in _CATEGORIES.items() for said in wanted if said.lower() in names}
    if unknown := [said for said in wanted if not any(said.lower() in names for names in _CATEGORIES.values())]:
        raise Refusal(400, f"The value '{unknown[0]}' does not exist for the field 'statusCategory'.")

    def test(issue: Issue) -> bool:
        status = session.home(issue).status(issue.status)
        return status is not None and status.group in groups

    return test


def _word_test(session: Session, name: str, wanted: set[str], *, empty: bool) -> Test:
    projects = session.projects()

    def words(key: str) -> list[Word]:
        home = session.store.projects[key]
        if name == "fixversion":
            return [Word(one.id, one.name) for one in home.versions.values()]
        held = {"status": home.statuses, "issuetype": home.types, "priority": home.priorities}
        plain = held.get(name, home.resolutions)
        # By the names they were made with, and by those of the account's language.
        return [*plain, *(Word(one.id, named(session, name, one)) for one in plain if session.locale)]

    low = {said.lower() for said in wanted}
    ids = {
        one.key: {word.id for word in words(one.key) if {word.id.lower(), word.name.lower()} & low} for one in projects
    }
    known = {part for one in projects for word in words(one.key) for part in (word.id.lower(), word.name.lower())}
    if unknown := [said for said in wanted if said.lower() not in known and said.lower() != "unresolved"]:
        raise Refusal(400, f"The value '{unknown[0]}' does not exist for the field '{name}'.")
    empty = empty or (name == "resolution" and "unresolved" in low)

    def test(issue: Issue) -> bool:
        one = {
            "status": issue.status,
            "issuetype": issue.type,
            "priority": issue.priority,
            "resolution": issue.resolution,
        }
        held = set(issue.fix_versions) if name == "fixversion" else {one[name]} - {None}
        return bool(held & ids[issue.project]) or (empty and not held)

    return test


def _date_test(session: Session, name: str, sign: str, values: list[str | None]) -> Test:
    zone = ZoneInfo("UTC" if session.anonymous else session.user.zone)

    def held(issue: Issue) -> datetime | None:
        if name == "due":
            return None if issue.due is None else datetime(*issue.due.timetuple()[:3], tzinfo=zone).astimezone(UTC)
        return {"updated": issue.updated, "created": issue.created, "resolutiondate": issue.resolved_at}[name]

    if values == [None]:
        return lambda issue: held(issue) is None
    if len(values) != 1 or sign not in _COMPARE:
        raise Refusal(400, f"The operator '{'in' if sign == '=' else sign}' is not supported by the '{name}' field.")
    limit, compare = _instant(session, name, str(values[0]), zone), _COMPARE[sign]
    return lambda issue: (at := held(issue)) is not None and compare(at, limit)


def _instant(session: Session, name: str, text: str, zone: ZoneInfo) -> datetime:
    if period := _PERIOD.fullmatch(text):
        return session.store.clock.now() + timedelta(**{_UNITS[period[2]]: int(period[1])})
    match = _DATE.fullmatch(text)
    try:
        if match:
            return datetime(*(int(part or 0) for part in match.groups()), tzinfo=zone).astimezone(UTC)  # type: ignore[misc, arg-type]  # five numbers, by the pattern
    except ValueError:
        pass
    raise Refusal(
        400,
        f"Date value '{text}' for field '{name}' is invalid. Valid formats include: 'yyyy/MM/dd HH:mm', "
        "'yyyy-MM-dd HH:mm', 'yyyy/MM/dd', 'yyyy-MM-dd', or a period format e.g. '-5d', '4w 2d'.",
    )


def _sort_key(session: Session, issue: Issue, name: str) -> Any:
    if name == "id":
        return int(issue.id) if issue.id.isdecimal() else 0
    if name in {"updated", "created"}:
        return getattr(issue, name)
    if name == "key":
        return issue.project, issue.number
    if name in {"due", "resolutiondate"}:
        at = issue.due if name == "due" else issue.resolved_at
        return (at is None, at.isoformat() if at else "")
    if name == "priority":
        places = {word.id: -n for n, word in enumerate(session.home(issue).priorities)}
        return places.get(issue.priority or "", -len(places) - 1)
    return str(getattr(issue, {"issuetype": "type", "summary": "title"}.get(name, name), ""))
