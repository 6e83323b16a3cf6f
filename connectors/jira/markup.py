"""A document in the markup of the server at hand: ADF or wiki markup, cut to what Jira takes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from connectors.jira import adf, wiki
from connectors.jira.fit import fitting
from connectors.jira.server import JiraServer
from policies.document import Document


def rendered(server: JiraServer, document: Document, mark: str) -> Any:
    """With ``mark`` as its last line, which no cut takes away."""
    if server.cloud:
        return adf.document_of(fitting(document, lambda part: _size(adf.document_of(part, mark))), mark)
    return wiki.markup_of(fitting(document, lambda part: len(wiki.markup_of(part, mark))), mark)


def _size(document: Mapping[str, Any]) -> int:
    """Characters of an ADF document as it is sent; Jira does not say what it counts, and this is never less."""
    return len(json.dumps(document, ensure_ascii=False, separators=(",", ":")))
