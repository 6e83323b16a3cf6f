"""The changes of several issues in one request: aliased mutations.

Rules:

1. Aliases run in order and are no transaction: each is looked at by itself, and what it did is told from what it left,
   not from its having no error.
2. What may have been carried out is sent again only where that leaves the same: a note is looked for by its mark
   before it is made a second time.
3. A request that is too dear or too slow is sent again in halves. One that is refused as a whole is, too, so that one
   issue's fault is no other's.
4. What the server's own limit holds back (notes, so many a minute) waits; what went through with it does not.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from connectors.gitlab import mutations
from connectors.gitlab.client import SchemaDiffers, TooComplex
from connectors.gitlab.mutations import Verb
from connectors.gitlab.our_notes import PERHAPS_DONE
from connectors.gitlab.payload import one
from connectors.retry import Kind
from connectors.tracker import (
    AnswerLate,
    NotFound,
    RateLimited,
    Rejected,
    ServerFailed,
    TrackerError,
)
from policies.changes import Mark, UpsertComment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from connectors.gitlab.asks import Ask, Asks
    from connectors.gitlab.client import GitLabClient
    from connectors.gitlab.our_notes import OurNotes
    from connectors.gitlab.payload import Payload
    from connectors.gitlab.task import Task
    from connectors.retry import Retry

ISSUES = 10
"""In one request: about 160 of the 250 points it may cost, and far from the time it may take."""

_TRIES = 2
_ALREADY_LINKED = re.compile(r"already (?:linked|assigned|related)", re.IGNORECASE)
_BUSY = re.compile(r"resource lock|stale object|try again", re.IGNORECASE)


class Batch:
    """Carries out what several tasks can send, request after request, until nothing is left."""

    def __init__(self, client: GitLabClient, asks: Asks, notes: OurNotes, retry: Retry) -> None:
        self._client = client
        self._asks = asks
        self._notes = notes
        self._retry = retry
        # How many issues the next request holds; what the server's limit on costs allows at most.
        self._most = ISSUES
        self._ceiling = ISSUES

    def carry_out(self, tasks: Sequence[Task]) -> None:
        """Tell each task what became of its changes.

        Raises:
            SchemaDiffers: this server speaks another generation; what was done the tasks know.
        """
        while parts := [(task, part) for task in tasks for part in task.parts()]:
            made = (self._asks.of(task, part) for task, part in parts)
            self._send([ask for ask in made if ask is not None])

    def _send(self, asks: Sequence[Ask]) -> None:
        held: list[tuple[Ask, TrackerError]] = []
        left = list(asks)

        def once() -> None:
            held[:] = self._sent(left)
            left[:] = [ask for ask, _ in held]
            if held:
                raise held[0][1]

        try:
            # What is held back was not carried out, whatever it is.
            self._retry.call(once, kind=Kind.IDEMPOTENT)
        except SchemaDiffers:
            raise
        except TrackerError:
            for ask, why in held:
                ask.failed(why)

    def _sent(self, asks: Sequence[Ask]) -> list[tuple[Ask, TrackerError]]:
        """Send all of them. Those that the server would not do now, each with its word."""
        queue, most = list(asks), self._most
        held: list[tuple[Ask, TrackerError]] = []
        while queue:
            some = _of_issues(queue, most)
            rest = queue[len(some) :]
            try:
                again = self._request(some, held)
            except SchemaDiffers:
                raise
            except (TooComplex, *PERHAPS_DONE) as error:
                again = self._smaller(some, error)
                most = self._most
            except (Rejected, NotFound) as error:
                again = _refused(some, self._client, error)
                # It is one of them; halves tell which.
                most = most // 2 if again else self._most
            except TrackerError as error:
                for ask in queue:
                    ask.failed(self._of(ask, error))
                return held
            else:
                self._most = most = min(self._ceiling, self._most + 1)
            queue = again + rest
        return held

    def _smaller(self, asks: Sequence[Ask], why: TrackerError) -> list[Ask]:
        """What is to be sent again after a request that was too much, or may have been."""
        fewer = min(self._most, _issues(asks)) // 2
        if not isinstance(why, TooComplex):
            self._most = max(1, fewer)
            return self._again(asks, why)
        # None: a single alias.
        self._most = self._ceiling = fewer
        if len(asks) == 1:
            asks[0].failed(self._of(asks[0], why))
            return []
        # Refused for its cost, nothing of it was done; out of time, a part of it may have been.
        return list(asks) if "complexity" in why.detail else self._again(asks, why)

    def _request(self, asks: Sequence[Ask], held: list[tuple[Ask, TrackerError]]) -> list[Ask]:
        """One request. What of it has to be sent once more, at once."""
        verbs = [ask.verb for ask in asks]
        names = mutations.aliases(verbs)
        keys = list(dict.fromkeys(ask.issue.ref.key for ask in asks))
        doing = (
            asks[0].doing if len(asks) == 1 else f"change {keys[0]}" + (f" and {len(keys) - 1} more" * (len(keys) > 1))
        )
        kind = Kind.CREATE if Verb.CREATE_NOTE in verbs else Kind.IDEMPOTENT
        variables = {name: ask.input for name, ask in zip(names, asks, strict=True)}
        changed = frozenset[str]().union(*(ask.widgets for ask in asks))
        document = mutations.act(verbs, changed)
        answers = self._client.mutations("Act", document, variables, doing=doing, kind=kind)
        again: list[Ask] = []
        for name, ask in zip(names, asks, strict=True):
            failure = answers.failures.get(name)
            answer = answers.data.get(name)
            if failure is None and not isinstance(answer, dict):
                failure = NotFound("GitLab found nothing to do it on")
            if failure is None:
                again += self._answered(ask, one(answer), held)
            else:
                again += self._failed(ask, self._of(ask, failure), held)
        return again

    def _answered(self, ask: Ask, answer: Payload, held: list[tuple[Ask, TrackerError]]) -> list[Ask]:
        said = self._client.objections(answer)
        if not said:
            more = self._asks.settled(ask, answer)
            return [more] if more else []
        if ask.verb is Verb.LINK and _ALREADY_LINKED.search(said):
            self._asks.already_there(ask)
        elif ask.verb is Verb.LINK and (related := self._asks.as_related(ask, said)):
            return [related]
        elif _BUSY.search(said):
            held.append((ask, self._of(ask, ServerFailed(said))))
        elif len(ask.part.changes) > 1:
            # All of it was refused; which field is at fault tells each by itself.
            made = (self._asks.of(ask.task, single) for single in ask.part.each())
            return [each for each in made if each is not None]
        else:
            ask.failed(self._of(ask, Rejected(said)))
        return []

    def _failed(self, ask: Ask, why: TrackerError, held: list[tuple[Ask, TrackerError]]) -> list[Ask]:
        if isinstance(why, RateLimited):
            held.append((ask, why))
            return []
        if isinstance(why, (TooComplex, *PERHAPS_DONE)):
            return self._again([ask], why)
        if isinstance(why, NotFound) and ask.verb is Verb.EDIT_NOTE:
            # Somebody deleted it since it was read, or the issue is gone: what follows tells which.
            return [self._asks.note(ask.task, ask.part, None)]
        ask.failed(why)
        return []

    def _again(self, asks: Sequence[Ask], why: TrackerError) -> list[Ask]:
        """What of these is to be sent once more, though it may have been carried out."""
        again: list[Ask] = []
        for ask in asks:
            # A note may be made yet by a server that did not answer in time: the next run sees.
            yet = ask.verb is Verb.CREATE_NOTE and isinstance(why, AnswerLate)
            if yet or ask.tries + 1 >= _TRIES:
                ask.failed(self._of(ask, why))
                continue
            tried = replace(ask, tries=ask.tries + 1)
            try:
                more = self._not_twice(tried) if ask.verb is Verb.CREATE_NOTE else tried
            except TrackerError:
                ask.failed(self._of(ask, why))
            else:
                again += [more] if more else []
        return again

    def _not_twice(self, ask: Ask) -> Ask | None:
        """The making of a note, turned into an edit where it stands; None where it is as it should be."""
        (change,) = ask.part.changes
        assert isinstance(change, UpsertComment)
        found = self._notes.left(ask.issue.ref, change)
        if found is None:
            return ask
        made = self._notes.checked(ask.issue.ref, {"id": found.gid, "internal": found.internal}, change)
        if Mark.found_in(found.body) == change.mark:
            ask.task.done(ask.part, ask.prior, made=made)
            return None
        edit = self._asks.note(ask.task, ask.part, found)
        return replace(edit, prior={"comment": None}, tries=ask.tries)

    def _of(self, ask: Ask, why: TrackerError) -> TrackerError:
        """The failure as that of this alias, not of all that went with it."""
        return self._client.named(why, ask.doing)


def _refused(asks: Sequence[Ask], client: GitLabClient, why: TrackerError) -> list[Ask]:
    if len(asks) > 1:
        return list(asks)
    asks[0].failed(client.named(why, asks[0].doing))
    return []


def _issues(asks: Sequence[Ask]) -> int:
    return len({id(ask.task) for ask in asks})


def _of_issues(asks: Sequence[Ask], most: int) -> list[Ask]:
    """The first of them, of so many issues; a single one for none."""
    if most < 1:
        return [asks[0]]
    seen: set[int] = set()
    for place, ask in enumerate(asks):
        seen.add(id(ask.task))
        if len(seen) > most:
            return list(asks[:place])
    return list(asks)
