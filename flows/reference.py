"""A reference page from a JSON Schema: a table for each shape, in the order a reader meets them.

Rule: everything on the page comes from the schema; what is wrong on the page is mended in the models.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

_INLINE = re.compile(r"``([^`]+)``")
_NARROW = 90

Schema = dict[str, Any]


def page(schema: Schema, *, written_by: str) -> str:
    """The whole page. ``written_by``: the command that writes it; without ``--markdown`` it gives the schema itself."""
    definitions: dict[str, Schema] = schema.get("$defs", {})
    parts = [
        f"# {schema['title']}\n",
        f"<!-- Written by `{written_by}`, from the models; what is wrong here is mended there. -->\n",
    ]
    parts.append(_for_editors(written_by.removesuffix(" --markdown")))
    parts.append(_section(schema))
    for name in _in_order(schema, definitions):
        kind = _kind(definitions[name])
        parts.append(f"## {f'do: {kind}' if kind else name}\n")
        parts.append(_section(definitions[name]))
    text = "\n".join(parts)
    for name, shape in definitions.items():
        if kind := _kind(shape):
            text = text.replace(f"[{name}](#{name.lower()})", f"[`do: {kind}`](#do-{kind.lower()})")
    return text


def _for_editors(command: str) -> str:
    return (
        f"An editor completes and checks such a file by its JSON Schema: `{command} > schema.json`, and as the first "
        "line of the file `# yaml-language-server: $schema=schema.json`.\n"
    )


def _kind(shape: Schema) -> str:
    """The word that tells a shape from the others of its union: ``do: label``; "" for a shape that stands alone."""
    return str(shape.get("properties", {}).get("do", {}).get("const", ""))


def _in_order(schema: Schema, definitions: dict[str, Schema]) -> list[str]:
    """The names of all shapes: those a shape refers to follow it, nearest first."""
    found: dict[str, None] = {}
    waiting = [schema]
    while waiting:
        for name in _referred(waiting.pop(0)):
            if name not in found:
                found[name] = None
                waiting.append(definitions[name])
    return list(found)


def _referred(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield _name(part["$ref"])
        for key, below in part.items():
            if key not in {"$defs", "discriminator"}:
                yield from _referred(below)
    elif isinstance(part, list):
        for below in part:
            yield from _referred(below)


def _name(reference: str) -> str:
    return reference.rpartition("/")[2]


def _section(shape: Schema) -> str:
    lines = [_prose(shape["description"]), ""] if shape.get("description") else []
    if "enum" in shape:
        return "\n".join([*lines, f"One of {_words(shape['enum'])}.", ""])
    lines += ["| key | value | if left out | meaning |", "| --- | --- | --- | --- |"]
    required = set(shape.get("required", ()))
    lines += [
        f"| `{name}` | {_value(property_)} | {_default(name, property_, required)} "
        f"| {_cell(_prose(property_.get('description', '')))} |"
        for name, property_ in shape.get("properties", {}).items()
    ]
    return "\n".join([*lines, ""])


def _value(part: Schema) -> str:
    """What may stand there, in words."""
    if "$ref" in part:
        name = _name(part["$ref"])
        return f"[{name}](#{name.lower()})"
    for union in ("anyOf", "oneOf"):
        if union in part:
            members = [_value(member) for member in part[union] if member.get("type") != "null"]
            return " or ".join(dict.fromkeys(members))
    if "const" in part:
        return f"`{part['const']}`"
    if "enum" in part:
        return _words(part["enum"])
    match part.get("type"):
        case "array" if "prefixItems" in part:
            return " and ".join(_value(item) for item in part["prefixItems"])
        case "array":
            return f"list of {_value(part.get('items', {}))}"
        case "object":
            below: list[Schema] = [*part.get("patternProperties", {}).values()]
            if isinstance(part.get("additionalProperties"), dict):
                below.append(part["additionalProperties"])
            return f"by name: {_value(below[0])}" if below else "mapping"
        case "string":
            return _text(part)
        case "integer" | "number":
            return _number(part)
        case "boolean":
            return "`true` or `false`"
    return "anything"


def _text(part: Schema) -> str:
    if examples := part.get("examples"):
        return "text such as " + _words(examples)
    kinds = {"date-time": "an instant such as `2026-03-02T09:00:00+08:00`", "date": "a day such as `2026-03-02`"}
    if part.get("format") in kinds:
        return kinds[part["format"]]
    return f"text that matches `{_cell(part['pattern'])}`" if "pattern" in part else "text"


def _number(part: Schema) -> str:
    kind = "whole number" if part["type"] == "integer" else "number"
    low = part.get("minimum", part.get("exclusiveMinimum"))
    high = part.get("maximum", part.get("exclusiveMaximum"))
    if low is not None and high is not None:
        return f"{kind} from {low} to {high}"
    return f"{kind} from {low} on" if low is not None else kind


def _default(name: str, property_: Schema, required: set[str]) -> str:
    if name in required:
        return "**needed**"
    default = property_.get("default")
    if default is None or default in ([], {}, ""):
        return ""
    written = json.dumps(default, ensure_ascii=False) if not isinstance(default, str) else default
    return f"`{_cell(written)}`" if len(written) <= _NARROW else "see the meaning"


def _words(values: list[Any]) -> str:
    return ", ".join(f"`{_cell(str(value))}`" for value in values)


def _prose(text: str) -> str:
    """Docstrings as Markdown: double backquotes become single ones; an ``Attributes:`` list speaks of other readers."""
    text = text.partition("\nAttributes:")[0].partition("Attributes:")[0]
    return _INLINE.sub(r"`\1`", text).strip()


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
