"""YAML files -> shapes. The only module of this folder that opens a file.

Rules:

1. All problems of a file are found and reported together, each with its file, line and path, what stands there, what
   was expected and the nearest valid word.
2. A date or time in YAML reaches the shape as text, so that the shape decides whether it has an offset.
3. What stands at a path that may hold a secret is never repeated in a message.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode

from policies.business_calendar import ALWAYS, BusinessCalendar
from policies.calendar_shape import CalendarShape
from policies.local_span import CalendarError
from policies.pack import PolicyPack
from policies.phrases import Phrases
from policies.policy_set import PolicySet
from policies.problem import InputError, Path_, Problem, nearest
from policies.register import RegisterShape, slips
from policies.register_csv import TableError, register_from_table
from policies.shape_errors import one_of, problem_at, problem_of, told_elsewhere
from policies.versions import PolicyBook, VersionConflict
from policies.warranty import Register
from policies.yaml_lines import Reading

SHIPPED = Path(__file__).resolve().parent
_M = TypeVar("_M", bound=BaseModel)


def _read(path: Path) -> tuple[Any, Reading]:
    reading = Reading(str(path))
    text = _text(path, "a YAML file")
    try:
        node = YAML(typ="safe", pure=True).compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = int(mark.line) + 1 if mark is not None else 0
        raise InputError((Problem(str(path), line, "", _what(error), "valid YAML"),)) from None
    except (YAMLError, RecursionError, ValueError) as error:
        raise InputError((Problem(str(path), 0, "", str(error).splitlines()[0][:120], "valid YAML"),)) from None
    if not isinstance(node, MappingNode):
        raise InputError((Problem(str(path), 1, "", "no mapping", "a mapping of `key: value` lines"),))
    try:
        return reading.value(node, ()), reading
    except RecursionError:
        expected = "a document without an alias inside itself"
        raise InputError((Problem(str(path), 0, "", "endless nesting", expected),)) from None


def _what(error: MarkedYAMLError) -> str:
    return str(error.problem or "broken YAML").removeprefix("but found ")


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
            problem_of(detail, data, reading, shape) for detail in error.errors() if not told_elsewhere(detail)
        ]
    if issubclass(shape, PolicyPack):
        problems += [
            problem_at(reading, each.path, repr(each.word), one_of(each.declared), nearest(each.word, each.declared))
            for each in shape.undeclared(data)
        ]
    if issubclass(shape, RegisterShape):
        problems += [problem_at(reading, each.path, each.found, each.expected) for each in slips(data)]
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
    return tuple(reading.line_of(path) for path in paths)


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
    files = CalendarFiles.of(path.resolve().parent)
    known = files.names
    data, reading = _read(path)
    problems = [
        problem_at(reading, where, repr(name), one_of(known), nearest(name, known))
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
    named = dict.fromkeys(("always", *(name for _where, name in pack.calendar_ids())))
    return pack.with_calendars({name: files.load(name) for name in named})


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
        raise InputError((problem_at(reading, (conflict.path,), conflict.found, conflict.expected),)) from None


def load_policy_set(
    names_or_paths: str | Sequence[str],
    base: Path,
    register: Register | None,
    file: Path,
    more: Iterable[str | Sequence[str]] = (),
) -> PolicySet:
    """The site's own policy with those that the contracts of its register were agreed under.

    Args:
        names_or_paths: of the site's own policy, as ``load_book`` takes it.
        base: the folder of the site file, where packs and ``calendars/`` are looked for.
        register: the contracts; None for a site without any.
        file: the register's file, for errors.
        more: policies that contracts name by their id, each as ``load_book`` takes it; shipped ones need no naming.

    Raises:
        InputError: with every problem of every pack; or every policy that is there twice, every contract that names what
            is not there.
    """
    packs = (names_or_paths, *more)
    own, books = _books_of(packs, base)
    calendars = CalendarFiles.of(base, *(path.parent for each in packs for path in _files_of(each, base)))
    problems: list[Problem] = []
    agreed: dict[str, PolicyBook] = {}
    on: dict[str, str] = {}
    for number, contract in enumerate(register.contracts if register is not None else ()):
        book, calendar = own, contract.calendar
        if contract.policy:
            known = tuple(sorted({*books, *shipped_packs()}))
            if contract.policy not in known:
                problems.append(_not_there(file, ("contracts", number, "policy"), contract.policy, known))
            elif contract.policy not in books:
                books[contract.policy] = load_book(contract.policy)
            book = books.get(contract.policy, own)
        if calendar:
            if calendar not in calendars.names:
                problems.append(_not_there(file, ("contracts", number, "calendar"), calendar, calendars.names))
                continue
            if any(pack.calendar != calendar for pack in book.versions):
                book = book.on_calendar(calendar, calendars.load(calendar))
            on[contract.id] = calendar
        if book is not own:
            agreed[contract.id] = book
    if problems:
        raise InputError(tuple(problems))
    return PolicySet(own, agreed, register.digest if register is not None else "", on)


def _books_of(packs: Sequence[str | Sequence[str]], base: Path) -> tuple[PolicyBook, dict[str, PolicyBook]]:
    """The first policy, and all by their ids."""
    books: list[PolicyBook] = []
    problems: list[Problem] = []
    for each in packs:
        try:
            books.append(load_book(each, base))
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(tuple(problems))
    known: dict[str, PolicyBook] = {}
    for each, book in zip(packs, books, strict=True):
        id_ = book.latest.id
        # Which of two the contracts mean, nobody could tell; the same one named again is no question.
        if known.setdefault(id_, book).digest != book.digest:
            file = next(_files_of(each, base))
            problems.append(_not_so(file, ("id",), id_, "another id: a policy named before this one has it"))
    if problems:
        raise InputError(tuple(problems))
    return books[0], known


def _files_of(names_or_paths: str | Sequence[str], base: Path) -> Iterator[Path]:
    names = (names_or_paths,) if isinstance(names_or_paths, str) else names_or_paths
    return (path for name in names for path in book_paths(name, base))


def _not_there(file: Path, path: Path_, found: str, known: tuple[str, ...]) -> Problem:
    return _not_so(file, path, found, one_of(known), nearest(found, known))


def _not_so(file: Path, path: Path_, found: str, expected: str, close: str = "") -> Problem:
    _data, reading = _read(file)
    return problem_at(reading, path, repr(found), expected, close)


@dataclass(frozen=True, slots=True)
class CalendarFiles:
    """Where calendars are found by their id: the folders' own, then the shipped ones."""

    folders: tuple[Path, ...]

    @classmethod
    def of(cls, *beside: Path) -> CalendarFiles:
        """Those in ``calendars/`` of these folders, and the shipped ones."""
        return cls((*dict.fromkeys(each.resolve() / "calendars" for each in beside), SHIPPED / "calendars"))

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(sorted({"always", *(each.stem for folder in self.folders for each in folder.glob("*.yaml"))}))

    def load(self, name: str) -> BusinessCalendar:
        """The calendar of that id, which must be among ``names``. Raises InputError."""
        if name == "always":
            return ALWAYS
        return load_calendar(next(each for each in (f / f"{name}.yaml" for f in self.folders) if each.is_file()))


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
