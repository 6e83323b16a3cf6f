"""Our comments on an issue, each found by its mark and kept up to date in place.

Rules:

1. Before a comment is made it is looked for: an issue as read may be minutes behind (a search index lags), and a second
   comment can not be taken back unseen. That is one read in the life of a comment.
2. After an answer that did not come it is looked for again, and made once more only where it does not stand.
3. What is meant to be internal says so when it is made, and again when it is put into a comment that people can see.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.jira import pages
from connectors.jira.done import Done
from connectors.jira.mapping import comments_of
from connectors.jira.markup import rendered
from connectors.jira.rights import Rights
from connectors.jira.server import JiraServer
from connectors.retry import Kind
from connectors.tracker import AnswerLate, BadAnswer, NotFound, OutcomeUnknown, ServerFailed
from policies.changes import Mark, UpsertComment
from policies.issue import Commented, Issue, Role
from policies.receipt import Outcome

PERHAPS_DONE = (OutcomeUnknown, ServerFailed, BadAnswer)
"""After these a request may have been carried out all the same."""


class Comments:
    """Of one account."""

    def __init__(self, server: JiraServer, rights: Rights) -> None:
        self._server = server
        self._rights = rights

    def standing(self, issue: Issue) -> dict[str, Commented]:
        """Our comments as they are now, by marker, the oldest of each."""
        return self.ours(pages.comments(self._server, issue.ref.id, f"look for our comment on {issue.ref.key}"))

    def ours(self, field: Any) -> dict[str, Commented]:
        """Our comments among those of a payload."""
        found, _ = comments_of(field, self._server.account.actor.id)
        oldest: dict[str, Commented] = {}
        for comment in sorted(found, key=lambda one: (one.at, len(one.comment), one.comment)):
            mark = Mark.found_in(comment.text) if comment.actor.role is Role.OWN else None
            if mark:
                oldest.setdefault(mark.marker, comment)
        return oldest

    def body(self, change: UpsertComment, standing: Commented | None) -> dict[str, Any]:
        """As Jira takes it, for a new comment or for the one that stands."""
        body: dict[str, Any] = {"body": rendered(self._server, change.document, str(change.mark))}
        if change.internal and (standing is None or standing.public):
            body["properties"] = [{"key": "sd.public.comment", "value": {"internal": True}}]
        return body

    def write(self, issue: Issue, change: UpsertComment, standing: Commented | None) -> Done:
        """In a request of its own, whether it stands or not."""
        if standing is not None:
            try:
                self._rewrite(issue, change, standing)
            except NotFound:
                # Somebody removed it since; whether another one stands there is looked up below.
                standing = self.standing(issue).get(change.marker)
            else:
                return Done(Outcome.PERFORMED, stood(standing), standing.comment)
        if standing is None:
            return Done(Outcome.PERFORMED, stood(None), self._add(issue, change))
        self._rewrite(issue, change, standing)
        return Done(Outcome.PERFORMED, stood(standing), standing.comment)

    def _rewrite(self, issue: Issue, change: UpsertComment, standing: Commented) -> None:
        def put(quiet: dict[str, str | int]) -> Any:
            return self._server.client.call(
                "PUT",
                "issue/{key}/comment/{comment}",
                doing=f"rewrite our comment on {issue.ref.key}",
                kind=Kind.IDEMPOTENT,
                params=quiet,
                body=self.body(change, standing),
                key=issue.ref.id,
                comment=standing.comment,
            )

        # Data Center does not know of quiet comments.
        _ = self._rights.quietly(issue.ref.project, put) if self._server.cloud else put({})

    def _add(self, issue: Issue, change: UpsertComment) -> str:
        """Make the comment; after an unknown outcome look for it first, and make it once more if it is not there."""
        doing = f"comment on {issue.ref.key}"

        def make() -> str:
            answer = self._server.client.call(
                "POST",
                "issue/{key}/comment",
                doing=doing,
                kind=Kind.CREATE,
                body=self.body(change, None),
                key=issue.ref.id,
            )
            return self._server.identifier(answer, doing)

        try:
            return make()
        except AnswerLate:
            # It may be made yet: the next run sees.
            raise
        except PERHAPS_DONE:
            found = self.standing(issue).get(change.marker)
            return found.comment if found else make()


def stood(comment: Commented | None) -> dict[str, Any]:
    """The prior value of a comment."""
    return {"comment": comment.comment, "text": comment.text} if comment else {"comment": None}


def shown_by(answer: Any) -> Mapping[str, Any]:
    """The comments that an answer shows of an edited issue; nothing where it shows none."""
    fields = answer.get("fields") if isinstance(answer, Mapping) else None
    found = fields.get("comment") if isinstance(fields, Mapping) else None
    return found if isinstance(found, Mapping) else {}
