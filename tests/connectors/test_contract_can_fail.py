"""Each promise of the port is able to fail: a tracker with one small breakage breaks that promise and no other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar

import pytest

from connectors.retry import Kind, Retry
from connectors.tracker import (
    NOTHING_KNOWN,
    BadAnswer,
    Connection,
    CredentialsRefused,
    Finding,
    NotFound,
    PermissionRefused,
    RateLimited,
    Rejected,
    ServerFailed,
    TrackerError,
    Unreachable,
    Unreadable,
    Words,
)
from connectors.work import Work, Worked
from policies.changes import Change, Mark, Relabel, SetDueDate, UpsertComment, UpsertLink, UpsertReport
from policies.document import Document
from policies.issue import Actor, Commented, Event, Gap, Issue, LabelsChanged, Release
from policies.receipt import Outcome, Receipt
from tests import promises_in_trouble as trouble
from tests import promises_of_reading as reading
from tests import promises_of_writing as writing
from tests.contract import PROMISES, Promise
from tests.memory_ground import MemoryGround
from tests.memory_server import MemoryServer, Note, Record
from tests.memory_tracker import MemoryReader, MemoryWriter, rendered

T = TypeVar("T")

# ------------------------------------------------------------------------------------------------------ broken readers


class TakesItsNameForItsAccount(MemoryReader):
    def own_account(self) -> Actor:
        return replace(self._me(), id=self._me().name)


class RepeatsTheToken(MemoryReader):
    def _send(self, kind: Kind, name: str, act: Callable[[str], T], *, text: str = "") -> T:
        try:
            return super()._send(kind, name, act, text=text)
        except CredentialsRefused as error:
            raise CredentialsRefused(f"token {self._connection.token.get_secret_value()} refused") from error


class HidesTheTokenInTheCause(MemoryReader):
    def _send(self, kind: Kind, name: str, act: Callable[[str], T], *, text: str = "") -> T:
        try:
            return super()._send(kind, name, act, text=text)
        except CredentialsRefused as error:
            raise error from OSError(f"Authorization: Bearer {self._connection.token.get_secret_value()}")


class TakesAMissingProjectForAnEmptyOne(MemoryReader):
    def _page(self, project: str, since: datetime | None, start: int) -> list[Record]:
        try:
            return super()._page(project, since, start)
        except NotFound:
            return []


class RefusesAMissingIssue(MemoryReader):
    def issue(self, key: str) -> Issue:
        try:
            return super().issue(key)
        except NotFound as error:
            raise Rejected("400 from the server") from error


class CallsADeadServerAFailedOne(MemoryReader):
    def _send(self, kind: Kind, name: str, act: Callable[[str], T], *, text: str = "") -> T:
        try:
            return super()._send(kind, name, act, text=text)
        except Unreachable as error:
            raise ServerFailed("500 from the server") from error


class ForgetsTheDoneStatuses(MemoryReader):
    def words(self, project: str) -> Words:
        words = super().words(project)
        return replace(words, statuses=words.statuses[:1])


class FindsEverythingWell(MemoryReader):
    def check(self, projects: Sequence[str]) -> Iterator[Finding]:
        for finding in super().check(projects):
            yield replace(finding, ok=finding.ok or finding.subject != "rights")


class StopsAfterAPage(MemoryReader):
    def _page(self, project: str, since: datetime | None, start: int) -> list[Record]:
        return super()._page(project, since, start) if start == 0 else []


class GivesTheFirstOfManyTwice(MemoryReader):
    def changed_since(
        self, project: str, since: datetime | None, known: Mapping[str, datetime] = NOTHING_KNOWN
    ) -> Iterator[Issue | Unreadable]:
        found = list(super().changed_since(project, since, known))
        yield from found
        if len(found) > self.page:
            yield found[0]


class LeavesOutWhatIsHeld(MemoryReader):
    def changed_since(
        self, project: str, since: datetime | None, known: Mapping[str, datetime] = NOTHING_KNOWN
    ) -> Iterator[Issue | Unreadable]:
        for found in super().changed_since(project, since, known):
            if isinstance(found, Unreadable) or found.ref.id not in known:
                yield found


class ListsKeysForIds(MemoryReader):
    def ids(self, project: str) -> Iterator[str]:
        ids = set(super().ids(project))
        yield from (record.key for record in self._server.records(project) if record.id in ids)


class SkipsTheFirstId(MemoryReader):
    def ids(self, project: str) -> Iterator[str]:
        yield from list(super().ids(project))[1:]


class ReadsIssuesForTheirIds(MemoryReader):
    def ids(self, project: str) -> Iterator[str]:
        for id_ in super().ids(project):
            yield self.issue(id_).ref.id


class ForgetsWhichLabelsWent(MemoryReader):
    def _events(self, history: Sequence[Event]) -> Iterator[Event]:
        for event in super()._events(history):
            yield replace(event, removed=()) if isinstance(event, LabelsChanged) else event


class RunsLinesTogether(MemoryReader):
    def _comments(self, record: Record) -> Iterator[Commented]:
        for comment in super()._comments(record):
            ours = "warranty-flows:" in comment.text
            yield comment if ours else replace(comment, text=" ".join(comment.text.split()))


class LeavesOutAddressesInLists(MemoryReader):
    def _readable(self, record: Record) -> Issue | Unreadable:
        found = super()._readable(record)
        return replace(found, ref=replace(found.ref, url="")) if isinstance(found, Issue) else found


class LeavesOutTheInstantItself(MemoryReader):
    def _page(self, project: str, since: datetime | None, start: int) -> list[Record]:
        return [one for one in super()._page(project, since, start) if since is None or one.updated_at > since]


class ReadsAllEveryTime(MemoryReader):
    def _page(self, project: str, since: datetime | None, start: int) -> list[Record]:
        return super()._page(project, None if since else since, start)


class LooksAtTheOpeningOnly(MemoryReader):
    def _page(self, project: str, since: datetime | None, start: int) -> list[Record]:
        return [one for one in super()._page(project, since, start) if since is None or one.opened_at >= since]


class DoesNotKnowItsOwnEdits(MemoryReader):
    def _events(self, history: Sequence[Event]) -> Iterator[Event]:
        yield from history


class DropsOurLabelEvents(MemoryReader):
    def _events(self, history: Sequence[Event]) -> Iterator[Event]:
        own = self._me()
        for event in super()._events(history):
            if not (isinstance(event, LabelsChanged) and event.actor == own):
                yield event


class GuessesWhatIsMissing(MemoryReader):
    def _gaps(self, missing: int, total: int) -> tuple[Gap, ...]:  # noqa: ARG002 - that is its breakage
        return ()


class FallsOverOneIssue(MemoryReader):
    def _readable(self, record: Record) -> Issue | Unreadable:
        return self._issue(record)


class SkipsWhatIsBroken(MemoryReader):
    def changed_since(
        self, project: str, since: datetime | None, known: Mapping[str, datetime] = NOTHING_KNOWN
    ) -> Iterator[Issue | Unreadable]:
        yield from (one for one in super().changed_since(project, since, known) if isinstance(one, Issue))


class TakesPlannedForPublished(MemoryReader):
    def releases(self, project: str) -> tuple[Release, ...]:
        return tuple(
            replace(one, published_at=one.published_at or self._server.now) for one in super().releases(project)
        )


class CutsWaitsShort(MemoryReader):
    def _send(self, kind: Kind, name: str, act: Callable[[str], T], *, text: str = "") -> T:
        trouble = next(iter(self._server.troubles), None)
        error = trouble.error() if trouble else None
        if trouble is not None and isinstance(error, RateLimited) and (error.retry_after or 0) < 60:
            trouble.error = lambda: RateLimited("429 from the server", retry_after=1)
        return super()._send(kind, name, act, text=text)


class GivesUpAtAServersError(MemoryReader):
    def _send(self, kind: Kind, name: str, act: Callable[[str], T], *, text: str = "") -> T:
        trouble = next(iter(self._server.troubles), None)
        if trouble is not None and isinstance(trouble.error(), ServerFailed):
            trouble.error = lambda: Rejected("500 from the server")
        return super()._send(kind, name, act, text=text)


class ShowsAPageOfComments(MemoryReader):
    def _comments(self, record: Record) -> Iterator[Commented]:
        yield from islice(super()._comments(record), 50)


class TrustsEveryToken(MemoryReader):
    def check(self, projects: Sequence[str]) -> Iterator[Finding]:
        yield from (finding for finding in super().check(projects) if finding.subject != "rights")


class TakesHalfAnAnswerForTheLast(MemoryReader):
    def _read(self, name: str, act: Callable[[], T]) -> T:
        return self._send(Kind.IDEMPOTENT, name, lambda _: act())


class SleepsAsLongAsItIsTold(MemoryReader):
    def __init__(self, server: MemoryServer, connection: Connection, retry: Retry | None = None) -> None:
        super().__init__(server, connection, retry)
        self._retry.longest_wait_seconds = self._retry.patience_seconds = 1e9


class CallsAWebPageAFailure(MemoryReader):
    def _send(self, kind: Kind, name: str, act: Callable[[str], T], *, text: str = "") -> T:
        try:
            return super()._send(kind, name, act, text=text)
        except BadAnswer as error:
            raise ServerFailed("500 from the server") from error


# ------------------------------------------------------------------------------------------------------ broken writers


class DoesNotCountItsWrites(MemoryWriter):
    def _send(self, kind: Kind, name: str, act: Callable[[str], T], *, text: str = "") -> T:
        try:
            return super()._send(kind, name, act, text=text)
        finally:
            self.requests[name] -= kind is not Kind.READ


class CannotClearADueDate(MemoryWriter):
    def _do(self, issue: Issue, change: Change) -> tuple[dict[str, Any], str]:
        if isinstance(change, SetDueDate) and change.due is None:
            return {"due": None}, ""
        return super()._do(issue, change)


class RecordsWhatChangesNothing(MemoryServer):
    def set_assignee(self, record: Record, assignee: str, *, by: str) -> None:
        if record.assignee == assignee:
            record.assignee = None
        super().set_assignee(record, assignee, by=by)


class SetsTheWholeListOfLabels(MemoryWriter):
    def _do(self, issue: Issue, change: Change) -> tuple[dict[str, Any], str]:
        if isinstance(change, Relabel):
            self._server.find(issue.ref.id).labels = set(issue.labels)
        return super()._do(issue, change)


class LooksForThePriorValueAfterwards(MemoryWriter):
    def _do(self, issue: Issue, change: Change) -> tuple[dict[str, Any], str]:
        prior, made = super()._do(issue, change)
        if isinstance(change, Relabel):
            prior = {"labels": sorted(self._server.find(issue.ref.id).labels)}
        return prior, made


def _marked(record: Record, change: UpsertComment) -> list[Note]:
    return [note for note in record.notes if f"warranty-flows:{change.marker}:" in note.raw]


class EditsAnybodysComment(MemoryWriter):
    def _standing(self, record: Record, change: UpsertComment) -> Note | None:
        found = super()._standing(record, change)
        others = [note for note in _marked(record, change) if note.author != self._me().id]
        return others[-1] if found and others else found


class TakesPlantedMarksForItsOwn(MemoryWriter):
    def _standing(self, record: Record, change: UpsertComment) -> Note | None:
        return next(iter(_marked(record, change)), None)


class EditsTheNewestOfItsComments(MemoryWriter):
    def _standing(self, record: Record, change: UpsertComment) -> Note | None:
        own = [note for note in _marked(record, change) if note.author == self._me().id]
        return own[-1] if own else None


class KeepsQuietWhenItMayNot(MemoryWriter):
    about: type[TrackerError] = PermissionRefused

    def _perform(self, issue: Issue | None, change: Change, now: datetime) -> Receipt:
        try:
            return super()._perform(issue, change, now)
        except self.about:
            ref = issue.ref if issue else None
            return Receipt(issue=ref, change=change, outcome=Outcome.PERFORMED, at=now)


class KeepsQuietWhenItIsUnknown(KeepsQuietWhenItMayNot):
    about = Rejected


class WritesAgainAtOnce(MemoryWriter):
    def _send(self, kind: Kind, name: str, act: Callable[[str], T], *, text: str = "") -> T:
        trouble = next(iter(self._server.troubles), None)
        if trouble is not None and isinstance(trouble.error(), RateLimited):
            trouble.error = lambda: RateLimited("429 from the server")
        return super()._send(kind, name, act, text=text)


class SaysInternalThingsAloud(MemoryWriter):
    def _comment(self, record: Record, change: UpsertComment) -> tuple[dict[str, Any], str]:
        return super()._comment(record, replace(change, internal=False))


class TrustsTheText(MemoryWriter):
    def _rendered(self, document: Document, mark: Mark) -> str:
        return rendered(document, mark).replace("\\", "")


class EscapesWhatNeedsNone(MemoryWriter):
    def _rendered(self, document: Document, mark: Mark) -> str:
        return rendered(document, mark).replace("&", "&amp;")


class MakesAReportForEachText(MemoryWriter):
    def _standing_report(self, change: UpsertReport) -> Record | None:
        found = super()._standing_report(change)
        return found if found and Mark.found_in(found.description) == change.mark else None


class PostsAgainBlindly(MemoryWriter):
    again = "POST note"

    def _once(self, name: str, text: str, create: Callable[[str], T], look: Callable[[], T | None]) -> T:
        if name != self.again:
            return super()._once(name, text, create, look)
        try:
            return self._send(Kind.CREATE, name, create, text=text)
        except TrackerError:
            return self._send(Kind.CREATE, name, create, text=text)


class OpensAgainBlindly(PostsAgainBlindly):
    again = "POST issue"


class PostsTwiceAfterAnError(MemoryWriter):
    def _once(self, name: str, text: str, create: Callable[[str], T], look: Callable[[], T | None]) -> T:
        try:
            return self._send(Kind.CREATE, name, create, text=text)
        except ServerFailed:
            self._send(Kind.CREATE, name, create, text=text)
            return self._send(Kind.CREATE, name, create, text=text)
        except TrackerError:
            return look() or self._send(Kind.CREATE, name, create, text=text)


class ForgetsWhatSeveralReplaced(MemoryWriter):
    def _prior(self, record: Record, change: Change) -> dict[str, Any]:  # noqa: ARG002 - that is its breakage
        return {}


class ProvesALinkThatIsNotThere(MemoryWriter):
    def _unproven(self, refused: Iterable[Change]) -> set[str]:
        return super()._unproven(change for change in refused if not isinstance(change, UpsertLink))


class ProvesAnAssignmentThatWasNotMade(MemoryWriter):
    def _unproven(self, refused: Iterable[Change]) -> set[str]:
        return super()._unproven(change for change in refused if isinstance(change, UpsertLink))


class ForgetsTheReportItReplaces(MemoryWriter):
    def _report(self, issue: Issue | None, change: UpsertReport, now: datetime) -> Receipt:
        return replace(super()._report(issue, change, now), prior="{}")


class DoesFourAtMost(MemoryWriter):
    def _write_all(self, record: Record, changes: Sequence[Change]) -> None:
        super()._write_all(record, changes[:4])


class DropsAllForOneRefusal(MemoryWriter):
    def _together(self, issue: Issue, changes: Sequence[Change], now: datetime) -> Worked:
        refusal = next(filter(None, map(self._refusal, changes)), None)
        if refusal is None:
            return super()._together(issue, changes, now)
        return Worked.broken_off(Work(issue, tuple(changes)), (), refusal, now)


class TellsNothingOfARefusal(MemoryWriter):
    def _together(self, issue: Issue, changes: Sequence[Change], now: datetime) -> Worked:
        worked = super()._together(issue, changes, now)
        told = tuple(receipt for receipt in worked.receipts if receipt.outcome is Outcome.PERFORMED)
        return replace(worked, receipts=told or worked.receipts)


class StopsAtTheFirstIssueThatFails(MemoryWriter):
    def perform(self, work: Sequence[Work], now: datetime) -> Iterator[Worked]:
        failure: TrackerError | None = None
        for piece in work:
            if failure is not None:
                yield Worked.broken_off(piece, (), failure, now)
                continue
            (worked,) = super().perform([piece], now)
            failure = worked.failure
            yield worked


class AnswersTheLastFirst(MemoryWriter):
    def perform(self, work: Sequence[Work], now: datetime) -> Iterator[Worked]:
        yield from reversed(list(super().perform(work, now)))


class WritesSeveralAgainBlindly(MemoryWriter):
    def _still_to_write(
        self,
        record: Record,  # noqa: ARG002 - that is its breakage
        changes: Sequence[Change],
        notes: Mapping[UpsertComment, Note | None],  # noqa: ARG002 - as above
    ) -> list[Change]:
        return list(changes)


BREAKAGES: dict[type[MemoryReader | MemoryWriter | MemoryServer], Promise] = {
    TakesItsNameForItsAccount: reading.the_own_account_is_known,
    RepeatsTheToken: reading.a_wrong_token_is_refused_and_not_repeated,
    HidesTheTokenInTheCause: reading.a_wrong_token_is_refused_and_not_repeated,
    TakesAMissingProjectForAnEmptyOne: reading.a_project_that_is_not_there_is_not_found,
    RefusesAMissingIssue: reading.an_issue_that_is_not_there_is_not_found,
    CallsADeadServerAFailedOne: reading.a_dead_server_is_unreachable,
    ForgetsTheDoneStatuses: reading.the_project_and_its_words_are_listed,
    FindsEverythingWell: reading.a_check_finds_nothing_wrong_where_all_is_well_and_names_a_missing_project,
    StopsAfterAPage: reading.every_issue_is_given_once,
    GivesTheFirstOfManyTwice: reading.every_issue_is_given_once,
    ForgetsWhichLabelsWent: reading.the_whole_history_is_told_in_order_with_who_did_it,
    RunsLinesTogether: reading.the_whole_history_is_told_in_order_with_who_did_it,
    LeavesOutAddressesInLists: reading.one_issue_and_the_same_in_a_list_are_equal,
    LeavesOutTheInstantItself: reading.since_is_inclusive_and_leaves_out_what_is_long_unchanged,
    ReadsAllEveryTime: reading.since_is_inclusive_and_leaves_out_what_is_long_unchanged,
    LooksAtTheOpeningOnly: reading.since_is_inclusive_and_leaves_out_what_is_long_unchanged,
    LeavesOutWhatIsHeld: reading.what_changed_is_given_although_the_caller_holds_it,
    ListsKeysForIds: reading.the_ids_are_those_of_all_issues_and_nothing_else,
    SkipsTheFirstId: reading.the_ids_are_those_of_all_issues_and_nothing_else,
    ReadsIssuesForTheirIds: reading.the_ids_are_those_of_all_issues_and_nothing_else,
    DoesNotKnowItsOwnEdits: reading.our_own_writes_show_in_the_history_as_ours,
    DropsOurLabelEvents: reading.our_own_writes_show_in_the_history_as_ours,
    GuessesWhatIsMissing: reading.a_history_that_is_cut_short_is_a_gap,
    FallsOverOneIssue: reading.one_broken_issue_stops_nobody,
    SkipsWhatIsBroken: reading.one_broken_issue_stops_nobody,
    TakesPlannedForPublished: reading.releases_say_when_customers_could_have_them_and_what_they_fix,
    DoesNotCountItsWrites: reading.requests_are_counted,
    CannotClearADueDate: writing.after_a_change_it_is_so,
    RecordsWhatChangesNothing: writing.a_change_twice_is_a_change_once,
    SetsTheWholeListOfLabels: writing.labels_of_others_stay,
    LooksForThePriorValueAfterwards: writing.the_receipt_holds_what_stood_there,
    EditsAnybodysComment: writing.a_sticky_comment_is_edited_in_place,
    SaysInternalThingsAloud: writing.an_internal_comment_is_not_public,
    TrustsTheText: writing.hostile_text_is_read_as_it_stands_and_triggers_nothing,
    EscapesWhatNeedsNone: writing.hostile_text_is_read_as_it_stands_and_triggers_nothing,
    MakesAReportForEachText: writing.one_report_is_made_and_edited_in_place,
    CutsWaitsShort: trouble.a_429_on_a_read_is_waited_for_as_long_as_asked,
    GivesUpAtAServersError: trouble.a_500_on_a_read_is_survived,
    ShowsAPageOfComments: reading.a_long_thread_and_a_long_history_are_told_whole,
    TrustsEveryToken: reading.a_token_that_may_only_look_is_found_out_before_anything_is_written,
    TakesHalfAnAnswerForTheLast: trouble.a_read_whose_answer_is_lost_or_cut_is_asked_again,
    SleepsAsLongAsItIsTold: trouble.a_wait_too_long_to_sleep_goes_up_at_once,
    CallsAWebPageAFailure: trouble.a_web_page_in_place_of_the_api_is_a_bad_answer,
    TakesPlantedMarksForItsOwn: writing.a_mark_that_somebody_else_planted_is_not_taken_for_ours,
    EditsTheNewestOfItsComments: writing.of_two_comments_of_ours_the_oldest_is_edited_and_the_other_left,
    KeepsQuietWhenItMayNot: writing.without_the_right_to_write_nothing_is_written_and_the_error_says_so,
    KeepsQuietWhenItIsUnknown: writing.what_the_tracker_does_not_know_is_refused_and_changes_nothing,
    WritesAgainAtOnce: trouble.a_429_on_writing_a_comment_is_waited_for_and_leaves_one,
    PostsAgainBlindly: trouble.a_lost_answer_leaves_one_comment,
    PostsTwiceAfterAnError: trouble.a_500_on_writing_a_comment_leaves_one_comment,
    OpensAgainBlindly: trouble.a_lost_answer_leaves_one_report,
    ForgetsWhatSeveralReplaced: writing.all_changes_of_an_issue_given_together_are_done_each_with_its_receipt,
    ProvesALinkThatIsNotThere: writing.a_refused_link_leaves_its_proof_off,
    ProvesAnAssignmentThatWasNotMade: writing.a_refused_assignment_leaves_its_proof_off,
    ForgetsTheReportItReplaces: writing.one_report_is_made_and_edited_in_place,
    DoesFourAtMost: writing.all_changes_of_an_issue_given_together_are_done_each_with_its_receipt,
    DropsAllForOneRefusal: writing.one_refused_change_neither_undoes_nor_hides_the_others,
    TellsNothingOfARefusal: writing.one_refused_change_neither_undoes_nor_hides_the_others,
    StopsAtTheFirstIssueThatFails: writing.a_failure_on_one_issue_stops_no_other_and_the_answers_come_in_order,
    AnswersTheLastFirst: writing.a_failure_on_one_issue_stops_no_other_and_the_answers_come_in_order,
    WritesSeveralAgainBlindly: writing.a_change_that_ended_unknown_among_several_is_done_once,
}


def broken_ground(breakage: type[MemoryReader | MemoryWriter | MemoryServer]) -> MemoryGround:
    class BrokenGround(MemoryGround):
        pass

    if issubclass(breakage, MemoryReader):
        BrokenGround.reader_of = breakage
    elif issubclass(breakage, MemoryWriter):
        BrokenGround.writer_of = breakage
    else:
        BrokenGround.server_of = breakage
    return BrokenGround()


def kept(promise: Promise, ground: MemoryGround) -> bool:
    try:
        promise(ground)
    except (AssertionError, TrackerError, pytest.fail.Exception):
        return False
    return True


@pytest.mark.parametrize("breakage", BREAKAGES, ids=lambda breakage: breakage.__name__)
def test_a_broken_tracker_breaks_its_promise_and_no_other(
    breakage: type[MemoryReader | MemoryWriter | MemoryServer],
) -> None:
    broken = {promise.__name__ for promise in PROMISES if not kept(promise, broken_ground(breakage))}
    assert broken == {BREAKAGES[breakage].__name__}


def test_each_promise_has_a_tracker_that_breaks_it() -> None:
    assert set(BREAKAGES.values()) == set(PROMISES)
