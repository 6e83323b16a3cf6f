"""``warranty schema``: the JSON Schema of every file people write, for editors and for the reference page."""

from __future__ import annotations

import sys
from typing import Any

from pydantic import BaseModel

from flows import json_text, reference
from flows.exit_codes import Exit
from flows.refusal import Refusal
from flows.site import Site
from policies.calendar_shape import CalendarShape
from policies.cases import CaseFile
from policies.pack import PolicyPack
from policies.register import RegisterShape

SHAPES: dict[str, type[BaseModel]] = {
    "pack": PolicyPack,
    "site": Site,
    "contracts": RegisterShape,
    "cases": CaseFile,
    "calendar": CalendarShape,
}
TITLES = {
    "pack": "A policy pack",
    "site": "A site file",
    "contracts": "A register of contracts",
    "cases": "The cases of a pack",
    "calendar": "A calendar",
}
_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema(of: str) -> dict[str, Any]:
    """The JSON Schema (2020-12) of a shape, as its file may be written."""
    found = SHAPES[of].model_json_schema(by_alias=True, mode="validation")
    return {"$schema": _DIALECT, **found, "title": TITLES[of]}


def page(of: str) -> str:
    """The reference page of a shape, in Markdown."""
    again = "warranty schema --markdown" if of == "pack" else f"warranty schema --of {of} --markdown"
    return reference.page(schema(of), written_by=again)


def show(of: str, *, markdown: bool, as_json: bool) -> Exit:
    """Print the schema, or the reference page.

    Raises:
        Refusal: asked for both.
    """
    if markdown and as_json:
        raise Refusal("--markdown and --json ask for different documents", Exit.BAD_INPUT, "give one of the two")
    sys.stdout.write(page(of) if markdown else json_text.document(schema(of)) + "\n")
    return Exit.FINE
