"""YAML files -> shapes. The only module of this folder that opens a file.

Rules:

1. All problems of a file are found and reported together, each with its file, line and path, what stands there, what
   was expected and the nearest valid word.
2. A date or time in YAML reaches the shape as text, so that the shape decides whether it has an offset.
3. What stands at a path that may hold a secret is never repeated in a message.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from policies.business_calendar import ALWAYS, BusinessCalendar, CalendarError
from policies.calendar_shape import CalendarShape
from policies.duration import SPELLINGS, DurationError
from policies.pack import PolicyPack, UndeclaredWords
from policies.phrases import Phrases
from policies.register import RegisterShape, slips
from policies.register_csv import TableError, register_from_table
from policies.versions import PolicyBook, VersionConflict
from policies.warranty import Register

SHIPPED = Path(__file__).resolve().parent
_SECRET = re.compile(r"token|secret|password|credential", re.IGNORECASE)
_MOST_NODES = 200_000
_QUOTE = "'"
_QUOTED = re.compile(r"'([^']+)'")
_M = TypeVar("_M", bound=BaseModel)
Path_ = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in a file.

    Attributes:
        line: 1-based; 0 for the file as a whole.
        path: where in the document (``clocks.resolution.goals[0].within``).
        nearest: the valid word that looks most like what was found, "" if none does.
    """

    file: str
    line: int
    path: str
    found: str
    expected: str
    nearest: str = ""

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        place = f" at {self.path}" if self.path else ""
        found = f": found {self.found}" if self.found else ""
        hint = f" (did you mean {self.nearest!r}?)" if self.nearest else ""
        return f"{where}{place}{found}; expected {self.expected}{hint}"


class InputError(ValueError):
    """A file that cannot be used. ``str()`` is all of its problems, a line each."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        super().__init__("\n".join(str(problem) for problem in problems))


def nearest(word: str, known: Mapping[str, Any] | tuple[str, ...] | list[str]) -> str:
    """The known word that looks most like a given one, "" if none does."""
    found = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return found[0] if found else ""


# --------------------------------------------------------------------------------------------------------- reading


@dataclass(slots=True)
class _Reading:
    """Plain values from YAML nodes, remembering the line of each."""

    file: str
    lines: dict[Path_, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    nodes: int = 0

    def value(self, node: Node, path: Path_) -> Any:
        self.nodes += 1
        if self.nodes > _MOST_NODES:
            expected = f"a file of at most {_MOST_NODES} values (do aliases refer to one another?)"
            raise InputError((Problem(self.file, _line(node), _written(path), "", expected),))
        self.lines.setdefault(path, _line(node))
        if isinstance(node, MappingNode):
            return self._mapping(node, path)
        if isinstance(node, SequenceNode):
            return [self.value(item, (*path, number)) for number, item in enumerate(node.value)]
        return _scalar(node)

    def _mapping(self, node: MappingNode, path: Path_) -> dict[str, Any]:
        values: dict[str, Any] = {}
        own: set[str] = set()
        for key_node, value_node in node.value:
            if not isinstance(key_node, ScalarNode):
                self.problems.append(
                    Problem(self.file, _line(key_node), _written(path), "a list or mapping as a key", "a word")
                )
                continue
            key = str(key_node.value)
            if key == "<<" and isinstance(value_node, MappingNode):
                merged = self.value(value_node, path)
                values = {**merged, **values}
                continue
            if key in own:
                self.problems.append(
                    Problem(self.file, _line(key_node), _written((*path, key)), f"{key!r} twice", "each key once")
                )
            own.add(key)
            self.lines[(*path, key)] = _line(key_node)
            values[key] = self.value(value_node, (*path, key))
        return values


def _line(node: Node) -> int:
    return int(node.start_mark.line) + 1


def _scalar(node: Node) -> Any:
    text, tag = str(node.value), str(node.tag)
    match tag.rpartition(":")[2]:
        case "null":
            return None
        case "bool":
            return text.casefold() == "true"
        case "int" if re.fullmatch(r"[-+]?[0-9]{1,18}", text):
            return int(text)
        case "float" if re.fullmatch(r"[-+]?[0-9]*\.?[0-9]+([eE][-+]?[0-9]+)?", text):
            return float(text)
        case _:
            return text


def _written(path: Path_) -> str:
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return "".join(parts).removeprefix(".")


def _read(path: Path) -> tuple[Any, _Reading]:
    reading = _Reading(str(path))
    text = _text(path, "a YAML file")
    try:
        node = YAML(typ="safe", pure=True).compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = int(mark.line) + 1 if mark is not None else 0
        raise InputError((Problem(str(path), line, "", str(error.problem or "broken YAML"), "valid YAML"),)) from None
    except (YAMLError, RecursionError, ValueError) as error:
        raise InputError((Problem(str(path), 0, "", str(error).splitlines()[0][:120], "valid YAML"),)) from None
    if not isinstance(node, MappingNode):
        raise InputError((Problem(str(path), 1, "", "no mapping", "a mapping of `key: value` lines"),))
    try:
        return reading.value(node, ()), reading
    except RecursionError:
        expected = "a document without an alias inside itself"
        raise InputError((Problem(str(path), 0, "", "endless nesting", expected),)) from None


def _text(path: Path, kind: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InputError((Problem(str(path), 0, "", "no such file", kind),)) from None
    except (OSError, UnicodeDecodeError) as error:
        what = "bytes that are not UTF-8" if isinstance(error, UnicodeDecodeError) else str(error.strerror)
        raise InputError((Problem(str(path), 0, "", what, f"{kind} in UTF-8 that can be read"),)) from None


def read_shape(path: Path, shape: type[_M]) -> _M:
    """The file as the shape.

    Raises:
        InputError: with every problem of the file.
    """
    data, reading = _read(path)
    problems = list(reading.problems)
    built: _M | None = None
    try:
        built = shape.model_validate(data)
    except ValidationError as error:
        problems += [
            _problem_of(detail, data, reading, shape) for detail in error.errors() if not _told_elsewhere(detail)
        ]
    if issubclass(shape, PolicyPack):
        problems += [
            _problem(reading, each.path, repr(each.word), _one_of(each.declared), nearest(each.word, each.declared))
            for each in shape.undeclared(data)
        ]
    if issubclass(shape, RegisterShape):
        problems += [_problem(reading, each.path, each.found, each.expected) for each in slips(data)]
    if problems or built is None:
        raise InputError(tuple(sorted(problems, key=lambda problem: problem.line)))
    return built


def plain(file: Path) -> Any:
    """What a YAML file says, as plain values: what its JSON Schema speaks of.

    Raises:
        InputError: the file cannot be read.
    """
    return _read(file)[0]


def lines_of(file: Path, paths: Iterable[Path_]) -> tuple[int, ...]:
    """The line (1-based) of each path in a YAML file; of one that does not stand there, the line of what it is in.

    Raises:
        InputError: the file cannot be read.
    """
    _data, reading = _read(file)
    return tuple(_nearest_line(reading, path) for path in paths)


def _nearest_line(reading: _Reading, path: Path_) -> int:
    return next((reading.lines[path[:n]] for n in range(len(path), -1, -1) if path[:n] in reading.lines), 0)


# -------------------------------------------------------------------------------------------------------- problems


def _told_elsewhere(detail: Any) -> bool:
    """Whether an error only repeats what another one tells with its place.

    That is so for undeclared words, for contracts that do not fit one another, and for a list that is too short only
    because its members are wrong.
    """
    context = detail.get("ctx", {})
    too_short = detail["type"] == "too_short" and len(detail["input"] or ()) >= context["min_length"]
    return too_short or detail["type"] == "slips" or isinstance(context.get("error"), UndeclaredWords)


def _one_of(words: tuple[str, ...]) -> str:
    return f"one of {', '.join(words)}" if words else "a word that the file declares (it declares none)"


def _problem_of(detail: Any, data: Any, reading: _Reading, shape: type[BaseModel]) -> Problem:
    path = _path_in(data, detail["loc"])
    context, value = detail.get("ctx", {}), detail.get("input")
    match detail["type"]:
        case "extra_forbidden":
            word = str(path[-1])
            known = tuple(sorted(_members(shape.model_json_schema(by_alias=True), detail["loc"][:-1])))
            return _problem(reading, path, repr(word), _one_of(known), nearest(word, known))
        case "missing":
            return _problem(reading, path[:-1], "nothing", f"`{detail['loc'][-1]}`")
        case "union_tag_not_found":
            return _problem(reading, path, "nothing", f"`{context['discriminator'].strip(_QUOTE)}`")
        case "union_tag_invalid":
            words = tuple(_QUOTED.findall(context["expected_tags"]))
            path = (*path, context["discriminator"].strip(_QUOTE))
            return _problem(reading, path, repr(context["tag"]), _one_of(words), nearest(context["tag"], words))
        case "enum" | "literal_error":
            words = tuple(_QUOTED.findall(context["expected"]))
            close = nearest(value, words) if isinstance(value, str) else ""
            return _problem(reading, path, _found(value), _one_of(words), close)
        case "string_pattern_mismatch":
            return _problem(reading, path, _found(value), f"text that matches {context['pattern']}")
        case "too_short":
            return _problem(reading, path, "none" if not value else "too few", f"at least {context['min_length']}")
        case "secret_by_value":  # the shape's own word for a literal secret; its message repeats nothing
            return _problem(reading, path, "", detail["msg"])
        case _ if isinstance(context.get("error"), DurationError) and not _is_secret(path):
            return _problem(reading, path, str(context["error"]).partition(": write ")[0], SPELLINGS)
        case _:
            # A validator's own words may repeat what it found.
            if _is_secret(path):
                return _problem(reading, path, "", "another value")
            expected = detail["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
            return _problem(reading, path, _found(value), expected)


def _problem(reading: _Reading, path: Path_, found: str, expected: str, close: str = "") -> Problem:
    if _is_secret(path):
        found, close = "something (not shown)", ""
    return Problem(reading.file, _nearest_line(reading, path), _written(path), found, expected, close)


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


# ------------------------------------------------------------------------------------------------ packs and phrases


def shipped_packs() -> tuple[str, ...]:
    """The names of the packs that come with the product."""
    found = (path.name for path in (SHIPPED / "packs").glob("*.yaml"))
    return tuple(sorted(name.removesuffix(".yaml") for name in found if not name.endswith(".cases.yaml")))


def pack_path(name_or_path: str, base: Path | None = None) -> Path:
    """The file of a pack: a shipped pack's name, or a path (relative to ``base``).

    Raises:
        InputError: neither.
    """
    if name_or_path in shipped_packs():
        return SHIPPED / "packs" / f"{name_or_path}.yaml"
    path = (base or Path()) / name_or_path
    if path.is_file():
        return path
    known = shipped_packs()
    expected = f"a path to a pack, or one of {', '.join(known)}"
    raise InputError((Problem(str(name_or_path), 0, "", "no such pack", expected, nearest(name_or_path, known)),))


def load_pack(name_or_path: str, base: Path | None = None) -> PolicyPack:
    """A pack with the calendars it counts on. Calendars are looked for in ``calendars/`` beside it, then shipped ones.

    Raises:
        InputError: with every problem of the pack.
    """
    path = pack_path(name_or_path, base)
    folders = (path.resolve().parent / "calendars", SHIPPED / "calendars")
    known = tuple(sorted({"always", *(each.stem for folder in folders for each in folder.glob("*.yaml"))}))
    data, reading = _read(path)
    problems = [
        _problem(reading, where, repr(name), _one_of(known), nearest(name, known))
        for where, name in _calendars_named(data)
        if name not in known
    ]
    pack: PolicyPack | None = None
    try:
        pack = read_shape(path, PolicyPack)
    except InputError as error:
        problems += error.problems
    if problems or pack is None:
        raise InputError(tuple(sorted(problems, key=lambda problem: problem.line)))
    calendars: dict[str, BusinessCalendar] = {"always": ALWAYS}
    for _where, name in pack.calendar_ids():
        if name not in calendars:
            file = next(each for each in (folder / f"{name}.yaml" for folder in folders) if each.is_file())
            calendars[name] = load_calendar(file)
    return pack.with_calendars(calendars)


def _calendars_named(data: Any, path: Path_ = ()) -> Iterator[tuple[Path_, str]]:
    """Every calendar that a pack's plain data names, with where it does."""
    if isinstance(data, dict):
        for key, below in data.items():
            if key == "calendar" and isinstance(below, str):
                yield (*path, key), below
            else:
                yield from _calendars_named(below, (*path, key))
    elif isinstance(data, list):
        for number, below in enumerate(data):
            yield from _calendars_named(below, (*path, number))


def book_paths(name_or_path: str, base: Path | None = None) -> tuple[Path, ...]:
    """The files of a policy: of a folder each version in it (not its cases), else the one that ``pack_path`` finds.

    Raises:
        InputError: there is none.
    """
    folder = (base or Path()) / name_or_path
    if not folder.is_dir() or name_or_path in shipped_packs():
        return (pack_path(name_or_path, base),)
    found = tuple(sorted(path for path in folder.glob("*.yaml") if not path.name.endswith(".cases.yaml")))
    if not found:
        raise InputError((Problem(str(folder), 0, "", "no version in this folder", "v1.yaml, v2.yaml ..."),))
    return found


def load_book(names_or_paths: str | Sequence[str], base: Path | None = None) -> PolicyBook:
    """All versions of one policy: a pack's name or path, a folder of versions, or a list of these.

    Raises:
        InputError: with every problem of every version, or with the first two that can not stand side by side.
    """
    names = (names_or_paths,) if isinstance(names_or_paths, str) else tuple(names_or_paths)
    paths = [path for name in names for path in book_paths(name, base)]
    packs: list[PolicyPack] = []
    problems: list[Problem] = []
    for path in paths:
        try:
            packs.append(load_pack(str(path.resolve())))
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(tuple(problems))
    try:
        return PolicyBook.of(*packs)
    except VersionConflict as conflict:
        _data, reading = _read(paths[conflict.number])
        raise InputError((_problem(reading, (conflict.path,), conflict.found, conflict.expected),)) from None


def load_calendar(path: Path) -> BusinessCalendar:
    """A calendar from its file.

    Raises:
        InputError: with every problem of the file.
    """
    shape = read_shape(path, CalendarShape)
    try:
        return shape.build()
    except CalendarError as error:
        raise InputError((Problem(str(path), 0, "", "", str(error)),)) from None


@cache
def load_phrases(language: str) -> Phrases:
    """The phrases of a shipped language.

    Raises:
        InputError: there is none of that name.
    """
    known = tuple(sorted(path.stem for path in (SHIPPED / "texts").glob("*.yaml")))
    if language not in known:
        expected = f"one of {', '.join(known)}"
        raise InputError((Problem("language", 0, "", repr(language), expected, nearest(language, known)),))
    data, reading = _read(SHIPPED / "texts" / f"{language}.yaml")
    if reading.problems:
        raise InputError(tuple(reading.problems))
    return Phrases(language, {key: str(text) for key, text in data.items()})


# --------------------------------------------------------------------------------------------------------- contracts


def load_register(path: Path) -> Register:
    """The contracts of a register file (see ``policies.register``).

    Raises:
        InputError: with every problem of the file.
    """
    return read_shape(path, RegisterShape).build()


def load_table(path: Path, zone: str = "UTC") -> dict[str, Any]:
    """The contracts of a table (see ``policies.register_csv``) as the plain data of a register file.

    Raises:
        InputError: with every problem of the table, its column as the path.
    """
    try:
        return register_from_table(_text(path, "a table of contracts (CSV)"), zone)
    except TableError as error:
        problems = (Problem(str(path), each.line, each.column, each.found, each.expected) for each in error.problems)
        raise InputError(tuple(problems)) from None
