"""YAML nodes -> plain values, remembering the line of each. A date stays text; nothing is built but plain values."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from policies.problem import InputError, Path_, Problem, written

_MOST_NODES = 200_000


@dataclass(slots=True)
class Reading:
    """Plain values from YAML nodes, remembering the line of each."""

    file: str
    lines: dict[Path_, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    nodes: int = 0

    def value(self, node: Node, path: Path_) -> Any:
        self.nodes += 1
        if self.nodes > _MOST_NODES:
            expected = f"a file of at most {_MOST_NODES} values (do aliases refer to one another?)"
            raise InputError((Problem(self.file, _line(node), written(path), "", expected),))
        self.lines.setdefault(path, _line(node))
        if isinstance(node, MappingNode):
            return self._mapping(node, path)
        if isinstance(node, SequenceNode):
            return [self.value(item, (*path, number)) for number, item in enumerate(node.value)]
        return _scalar(node)

    def line_of(self, path: Path_) -> int:
        """The line of a path; where it does not stand, that of what it is in; 0 for the file as a whole."""
        return next((self.lines[path[:n]] for n in range(len(path), -1, -1) if path[:n] in self.lines), 0)

    def _mapping(self, node: MappingNode, path: Path_) -> dict[str, Any]:
        values: dict[str, Any] = {}
        own: set[str] = set()
        for key_node, value_node in node.value:
            if not isinstance(key_node, ScalarNode):
                self.problems.append(
                    Problem(self.file, _line(key_node), written(path), "a list or mapping as a key", "a word")
                )
                continue
            key = str(key_node.value)
            if key == "<<" and isinstance(value_node, MappingNode):
                merged = self.value(value_node, path)
                values = {**merged, **values}
                continue
            if key in own:
                self.problems.append(
                    Problem(self.file, _line(key_node), written((*path, key)), f"{key!r} twice", "each key once")
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
