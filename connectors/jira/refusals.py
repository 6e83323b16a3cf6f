"""Jira's refusal of some fields of a request, so that the others can be sent without them."""

from __future__ import annotations

from collections.abc import Mapping

from connectors.tracker import Rejected


class FieldsRefused(Rejected):
    """A 400 that says which fields it is about. Nothing of the request was done.

    Attributes:
        blamed: id of each field -> why, in one line free of secrets.
    """

    def __init__(self, detail: str, *, blamed: Mapping[str, str], tracker: str = "", doing: str = "") -> None:
        self.blamed = blamed
        super().__init__(detail, tracker=tracker, doing=doing)

    def of(self, field: str) -> Rejected:
        """What it says of one field; the whole, where it does not name it."""
        if field not in self.blamed:
            return self
        return Rejected(self.blamed[field], tracker=self.tracker, doing=self.doing)
