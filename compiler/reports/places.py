"""Where in which file something stands: lines for JSON pointers, as editors and code scanning need them.

A file is read once, whole, as YAML, of which JSON is a part; one that cannot be read so has no lines. What a pointer
names and the file lacks (a path below a base path, say) is shown at the last of its parents that is there.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from workflow.errors import ExpressionError
from workflow.json.pointers import parse_pointer

_KEY = re.compile(r"(?P<method>[A-Z]+) (?P<path>/.*)")
_LARGEST = 20_000_000  # bytes; what is larger is named without lines


@dataclass(frozen=True, slots=True)
class SourceLine:
    """`line`: from 1, None where the file has none to name."""

    file: Path
    line: int | None


@dataclass
class Places:
    """Of one description, and of the files beside it that it refers to."""

    spec: Path
    _roots: dict[Path, yaml.Node | None] = field(default_factory=dict)

    def of(self, pointer: str) -> SourceLine:
        """`pointer` as in `Diagnostic`: `file#/json/pointer`, a file, an operation's key, a path."""
        file, steps = self._named(pointer)
        root = self._root(file)
        return SourceLine(file, None if root is None else _line(root, steps))

    def _named(self, pointer: str) -> tuple[Path, tuple[str, ...]]:
        if key := _KEY.fullmatch(pointer):
            return self.spec, ("paths", key["path"], key["method"].lower())
        if pointer.startswith("/"):
            return self.spec, ("paths", pointer)
        name, _, inside = pointer.partition("#")
        file = self.spec.parent / name
        is_there = bool(name) and file.is_file()
        return (file if is_there else self.spec), _steps(inside)

    def _root(self, file: Path) -> yaml.Node | None:
        if file not in self._roots:
            self._roots[file] = _composed(file)
        return self._roots[file]


def _steps(pointer: str) -> tuple[str, ...]:
    try:
        return parse_pointer(pointer)
    except ExpressionError:  # a name of ours, which leads nowhere in the file
        return ()


def _composed(file: Path) -> yaml.Node | None:
    try:
        if file.stat().st_size > _LARGEST:
            return None
        root: yaml.Node | None = yaml.compose(file.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    except (OSError, ValueError, yaml.YAMLError, RecursionError):
        return None
    return root


def _line(node: yaml.Node, steps: tuple[str, ...]) -> int:
    line = node.start_mark.line
    for step in steps:
        found = _below(node, step)
        if found is None:
            break
        key, node = found
        line = key.start_mark.line
    return int(line) + 1


def _below(node: yaml.Node, step: str) -> tuple[yaml.Node, yaml.Node] | None:
    """The member or element of that name: where it begins, and what it is."""
    if isinstance(node, yaml.MappingNode):
        return next(((key, value) for key, value in node.value if key.value == step), None)
    if isinstance(node, yaml.SequenceNode) and step.isdecimal() and int(step) < len(node.value):
        return node.value[int(step)], node.value[int(step)]
    return None
