"""What pydantic finds wrong with a file's values, as problems with their place, their words and the nearest valid one.

Rule: what stands at a path that may hold a secret is never repeated.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from policies.duration import SPELLINGS, DurationError
from policies.pack import UndeclaredWords
from policies.problem import Path_, Problem, nearest, written
from policies.yaml_lines import Reading

_SECRET = re.compile(r"token|secret|password|credential", re.IGNORECASE)
_KINDS = {
    "string_type": "text",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
}
"""What pydantic calls by the names of Python's types."""
_QUOTE = "'"
_QUOTED = re.compile(r"'([^']+)'")


def told_elsewhere(detail: Any) -> bool:
    """Whether an error only repeats what another one tells with its place.

    That is so for undeclared words, for contracts that do not fit one another, and for a list that is too short only
    because its members are wrong.
    """
    context = detail.get("ctx", {})
    too_short = detail["type"] == "too_short" and len(detail["input"] or ()) >= context["min_length"]
    return too_short or detail["type"] == "slips" or isinstance(context.get("error"), UndeclaredWords)


def one_of(words: tuple[str, ...]) -> str:
    return f"one of {', '.join(words)}" if words else "a word that the file declares (it declares none)"


def problem_of(detail: Any, data: Any, reading: Reading, shape: type[BaseModel]) -> Problem:
    path = _path_in(data, detail["loc"])
    context, value = detail.get("ctx", {}), detail.get("input")
    match detail["type"]:
        case "extra_forbidden":
            word = str(path[-1])
            known = tuple(sorted(_members(shape.model_json_schema(by_alias=True), detail["loc"][:-1])))
            return problem_at(reading, path, repr(word), one_of(known), nearest(word, known))
        case "missing":
            return problem_at(reading, path[:-1], "nothing", f"`{detail['loc'][-1]}`")
        case "union_tag_not_found":
            return problem_at(reading, path, "nothing", f"`{context['discriminator'].strip(_QUOTE)}`")
        case "union_tag_invalid":
            words = tuple(_QUOTED.findall(context["expected_tags"]))
            path = (*path, context["discriminator"].strip(_QUOTE))
            return problem_at(reading, path, repr(context["tag"]), one_of(words), nearest(context["tag"], words))
        case "enum" | "literal_error":
            words = tuple(_QUOTED.findall(context["expected"]))
            close = nearest(value, words) if isinstance(value, str) else ""
            return problem_at(reading, path, _found(value), one_of(words), close)
        case "string_pattern_mismatch":
            return problem_at(reading, path, _found(value), f"text that matches {context['pattern']}")
        case "too_short":
            return problem_at(reading, path, "none" if not value else "too few", f"at least {context['min_length']}")
        case "secret_by_value":  # the shape's own word for a literal secret; its message repeats nothing
            return problem_at(reading, path, "", detail["msg"])
        case _ if isinstance(context.get("error"), DurationError) and not _is_secret(path):
            return problem_at(reading, path, str(context["error"]).partition(": write ")[0], SPELLINGS)
        case _:
            # A validator's own words may repeat what it found.
            if _is_secret(path):
                return problem_at(reading, path, "", "another value")
            said = detail["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
            expected = _KINDS.get(detail["type"], said)
            return problem_at(reading, path, _found(value), expected)


def problem_at(reading: Reading, path: Path_, found: str, expected: str, close: str = "") -> Problem:
    if _is_secret(path):
        found, close = "something (not shown)", ""
    return Problem(reading.file, reading.line_of(path), written(path), found, expected, close)


def _is_secret(path: Path_) -> bool:
    return any(isinstance(part, str) and _SECRET.search(part) for part in path)


def _found(value: Any) -> str:
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    return "nothing" if value is None else repr(value)[:80]


def _path_in(data: Any, loc: tuple[str | int, ...]) -> Path_:
    """Where an error lies in the document: pydantic's path less the names of union members and keys' marks."""
    path: list[str | int] = []
    at: Any = data
    for number, part in enumerate(loc):
        last = number == len(loc) - 1
        if (isinstance(at, dict) and part in at) or (isinstance(at, list) and isinstance(part, int) and part < len(at)):
            at = at[part]  # type: ignore[index]  # a dict by its key or a list by its number, as just seen
        elif not (last and isinstance(at, dict) and isinstance(part, str) and part != "[key]"):
            continue
        path.append(part)
    return tuple(path)


def _members(schema: dict[str, Any], loc: tuple[str | int, ...]) -> set[str]:
    """Names that a JSON schema allows in the object at a path; a union's members are all followed."""
    definitions = schema.get("$defs", {})

    def opened(part: dict[str, Any]) -> Iterator[dict[str, Any]]:
        if "$ref" in part:
            yield from opened(definitions[part["$ref"].rpartition("/")[2]])
            return
        yield part
        for union in ("anyOf", "oneOf", "allOf"):
            for member in part.get(union, ()):
                yield from opened(member)

    level = list(opened(schema))
    for step in loc:
        below = [
            child
            for part in level
            for child in (
                part.get("properties", {}).get(step),
                part.get("items") if isinstance(step, int) else None,
                part.get("additionalProperties"),
                *part.get("patternProperties", {}).values(),
            )
            if isinstance(child, dict)
        ]
        named = [part for part in level if part.get("properties", {}).get("do", {}).get("const") == step]
        if named:
            level = named
        elif below:
            level = [part for child in below for part in opened(child)]
    return {name for part in level for name in part.get("properties", {})}
