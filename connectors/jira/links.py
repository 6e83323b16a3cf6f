"""Links from an issue to the web: one per global id, in one request.

The link is not read before it is written. It is an upsert, so it never stands twice; and it is asked for only while the
label that proves it is missing, so a link is replaced by itself only after a run that broke off between the two.
"""

from __future__ import annotations

from connectors.jira.done import Done
from connectors.jira.server import JiraServer
from connectors.jira.text import one_line
from connectors.retry import Kind
from connectors.tracker import Rejected
from policies.changes import UpsertLink
from policies.issue import Issue
from policies.receipt import Outcome

_LONGEST_TITLE = 255
_LONGEST_GLOBAL_ID = 255


def upsert(server: JiraServer, issue: Issue, change: UpsertLink) -> Done:
    """The link as wanted. Its prior value is none: what a run that broke off may have left under its global id is ours."""
    doing = f"link {issue.ref.key}"
    if not 0 < len(change.global_id) <= _LONGEST_GLOBAL_ID:
        raise Rejected(f"a global id has 1 to {_LONGEST_GLOBAL_ID} characters", tracker=server.client.name, doing=doing)
    answer = server.client.call(
        "POST",
        "issue/{key}/remotelink",
        doing=doing,
        # The global id makes it one link, however often it is sent.
        kind=Kind.IDEMPOTENT,
        # What is left out is emptied, so all is sent.
        body={
            "globalId": change.global_id,
            "application": {"type": "warranty-flows", "name": "warranty-flows"},
            "relationship": one_line(change.relationship),
            "object": {
                "url": change.url,
                "title": one_line(change.title)[:_LONGEST_TITLE],
                "status": {"resolved": change.resolved},
            },
        },
        key=issue.ref.id,
    )
    return Done(Outcome.PERFORMED, {"link": None}, server.identifier(answer, doing))
