"""Custom fields of work items, as Premium has them: text, number, date, one option, several options."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from connectors.gitlab.stand_in.gids import gid

if TYPE_CHECKING:
    from connectors.gitlab.stand_in.project_views import View
    from connectors.sandbox.nouns import Issue
    from connectors.sandbox.store import Store

GITLAB_FIELD = "gitlab"
"""What ``store.create_field`` is told as the key of its type: ``("7", "Severity", "option", GITLAB_FIELD)``; ``store.edit``
then sets the field ``"7"`` of an issue. See ``_FIELD_TYPES`` for the types."""

_FIELD_TYPES = {
    "string": ("WorkItemTextFieldValue", "TEXT"),
    "number": ("WorkItemNumberFieldValue", "NUMBER"),
    "date": ("WorkItemDateFieldValue", "DATE"),
    "option": ("WorkItemSelectFieldValue", "SINGLE_SELECT"),
    "array:option": ("WorkItemSelectFieldValue", "MULTI_SELECT"),
}


def values(store: Store, issue: Issue) -> list[View]:
    """A value for each custom field there is, null where the issue has none."""
    found = []
    for id_, (name, kind, custom) in store.world.fields.items():
        if custom != GITLAB_FIELD:
            continue
        type_, theirs = _FIELD_TYPES[kind]
        held = issue.extra.get(id_)
        field = {"id": gid("Issuables::CustomField", id_), "name": name, "fieldType": theirs}
        value: View = {"__typename": type_, "customField": {**field, "active": True}}
        if type_ == "WorkItemSelectFieldValue":
            chosen = held if isinstance(held, list) else [] if held is None else [held]
            model = "Issuables::CustomFieldSelectOption"
            options = [{"id": gid(model, zlib.crc32(one.encode())), "value": one} for one in chosen]
            value["selectedOptions"] = options if held is not None else None
        else:
            value["value"] = float(held) if kind == "number" and held is not None else held
        found.append(value)
    return found
