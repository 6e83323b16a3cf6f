"""What people write first: every issue and its history, one request after the other, then a label and a note where late.

``python -m tests.bench.sweep_script URL [MOST]``: MOST issues and no more, as all of them take an hour.
"""

from __future__ import annotations

import sys
from datetime import datetime, timedelta
from itertools import islice

import gitlab

from tests.bench.sweep_tracker import GOAL_DAYS, NOW, PROJECT, TOKEN

LABEL = "warranty::resolution::overdue"


def main(url: str, most: int | None = None) -> None:
    """One sweep."""
    server = gitlab.Gitlab(url, private_token=TOKEN, timeout=60)
    project = server.projects.get(PROJECT)
    for issue in islice(project.issues.list(iterator=True, state="all", per_page=100), most):
        notes = issue.notes.list(get_all=True)
        issue.resourcelabelevents.list(get_all=True)
        issue.resourcestateevents.list(get_all=True)
        late = NOW - datetime.fromisoformat(issue.created_at) > timedelta(days=GOAL_DAYS)
        if issue.state == "opened" and late and LABEL not in issue.labels:
            issue.labels.append(LABEL)
            issue.save()
            if not any("is overdue" in note.body for note in notes):
                issue.notes.create({"body": "The resolution of this issue is overdue."})
        elif issue.state != "opened" and LABEL in issue.labels:
            issue.labels.remove(LABEL)
            issue.save()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else None)
