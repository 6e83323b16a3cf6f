"""``warranty schema``: it accepts every file that loads, refuses what does not, and the reference page follows it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from flows import reference, shapes
from flows.exit_codes import Exit
from policies.loader import SHIPPED, plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.flows.conftest import Command

ROOT = Path(__file__).parents[2]


def shipped() -> Iterator[tuple[str, Path]]:
    """Every file that comes with the product, with the shape it has."""
    for file in sorted((SHIPPED / "packs").glob("*.yaml")):
        yield ("cases" if file.stem.endswith(".cases") else "pack"), file
    for file in sorted((SHIPPED / "calendars").glob("*.yaml")):
        yield "calendar", file
    for file in sorted((ROOT / "flows" / "sites").glob("*.yaml")):
        yield "site", file


def refusals(of: str, document: Any) -> list[str]:
    return [error.message for error in Draft202012Validator(shapes.schema(of)).iter_errors(document)]


@pytest.mark.parametrize("of", shapes.SHAPES)
def test_each_schema_is_a_schema(of: str) -> None:
    Draft202012Validator.check_schema(shapes.schema(of))


@pytest.mark.parametrize(("of", "file"), list(shipped()), ids=lambda value: getattr(value, "name", value))
def test_a_schema_accepts_every_shipped_file_of_its_shape(of: str, file: Path) -> None:
    assert refusals(of, plain(file)) == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("calender",), "office"),
        (("clocks", "response", "stop"), "frist_response"),
        (("clocks", "response", "goals", 0, "within"), "3 days"),
        (("clocks", "response", "goals", 0, "within"), 24),
        (("clocks", "response", "goals", 0, "when"), {"state": "reserved"}),
        (("actions", 0, "do"), "dance"),
        (("version",), 0),
    ],
)
def test_the_schema_of_a_pack_refuses_what_the_loader_refuses(path: tuple[str | int, ...], value: Any) -> None:
    document = plain(SHIPPED / "packs" / "standard-warranty.yaml")
    place: Any = document
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = value
    assert refusals("pack", document)


def test_a_register_as_its_own_words_write_it_is_accepted() -> None:
    contract = {
        "id": "acme-2026",
        "customer": "Acme",
        "match": [{"organisation": "Acme"}, {"project": ["acme/*"], "field": {"Plan": "gold"}}],
        "begins": {"accepted": "2026-03-01"},
        "duration": "12mo",
    }
    assert refusals("contracts", {"zone": "Asia/Shanghai", "contracts": [contract]}) == []
    assert refusals("contracts", {"contracts": [{**contract, "begin": {}}]})


def _properties(of: str) -> Iterator[tuple[str, dict[str, Any]]]:
    whole = shapes.schema(of)
    for name, shape in ((of, whole), *whole.get("$defs", {}).items()):
        for key, property_ in shape.get("properties", {}).items():
            yield f"{name}.{key}", property_


@pytest.mark.parametrize("of", shapes.SHAPES)
def test_every_field_that_people_write_says_what_it_is(of: str) -> None:
    silent = [
        where for where, property_ in _properties(of) if not property_.get("description") and "const" not in property_
    ]
    assert silent == []


def test_the_reference_page_of_packs_is_the_one_the_models_give() -> None:
    written = (ROOT / "docs" / "reference" / "pack.md").read_text(encoding="utf-8")
    assert written == shapes.page("pack"), "warranty schema --markdown > docs/reference/pack.md"


def test_the_page_names_every_field_and_every_word(command: Command) -> None:
    said = command("schema", "--markdown")
    assert said.code == Exit.FINE
    for where, _property in _properties("pack"):
        assert f"| `{where.rpartition('.')[2]}` |" in said.out
    for shape in shapes.schema("pack")["$defs"].values():
        for word in shape.get("enum", ()):
            assert f"`{word}`" in said.out


def test_every_link_of_a_page_leads_to_a_heading() -> None:
    for of in shapes.SHAPES:
        page = shapes.page(of)
        headings = {
            line.removeprefix("## ").lower().replace(":", "").replace(" ", "-")
            for line in page.splitlines()
            if line.startswith("## ")
        }
        linked = {part.partition(")")[0] for part in page.split("](#")[1:]}
        assert linked <= headings, of


@pytest.mark.parametrize("of", shapes.SHAPES)
def test_the_command_prints_the_schema_of_each_file(command: Command, of: str) -> None:
    said = command("schema", "--of", of)
    assert said.code == Exit.FINE
    assert said.document == shapes.schema(of)
    assert said.document["title"] == shapes.TITLES[of]
    assert command("schema", "--of", of, "--json").document == said.document


def test_a_schema_in_two_dialects_at_once_is_refused(command: Command) -> None:
    assert command("schema", "--markdown", "--json").code == Exit.BAD_INPUT
    assert command("schema", "--of", "letter").code == Exit.BAD_INPUT


def test_what_may_stand_in_a_field_is_said_in_words() -> None:
    schema = {
        "title": "T",
        "type": "object",
        "description": "About ``it``.\n\nAttributes:\n    a: not shown",
        "required": ["a"],
        "properties": {
            "a": {"type": "integer", "minimum": 1, "maximum": 9, "description": "either | or"},
            "b": {"type": "number", "minimum": 0},
            "c": {"type": "number", "default": 2},
            "d": {"type": "array", "prefixItems": [{"type": "boolean"}, {"const": "x"}]},
            "e": {"type": "object"},
            "f": {"type": "object", "patternProperties": {"^a": {"type": "string", "format": "date"}}},
            "g": {},
            "h": {"type": "array", "items": {"type": "string"}, "default": ["long " * 30]},
        },
    }
    page = reference.page(schema, written_by="a test")
    assert "About `it`.\n" in page
    assert "not shown" not in page
    assert "| `a` | whole number from 1 to 9 | **needed** | either \\| or |" in page
    assert "| `b` | number from 0 on |  |  |" in page
    assert "| `c` | number | `2` |  |" in page
    assert "| `d` | `true` or `false` and `x` |  |  |" in page
    assert "| `e` | mapping |  |  |" in page
    assert "| `f` | by name: a day such as `2026-03-02` |  |  |" in page
    assert "| `g` | anything |  |  |" in page
    assert "| `h` | list of text | see the meaning |  |" in page
