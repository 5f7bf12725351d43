"""A safe YAML reader that keeps the line of every value.

Scalars follow YAML 1.2's core schema, not 1.1: `no`, `on` and `1:30` stay text (PyYAML's own
resolver makes them False, True and 90), and dates stay text as well. Anchors, aliases and `<<`
work. `MAX_NODES` stops an alias bomb.
"""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from llmeval.core.errors import SuiteError

MAX_BYTES = 64 * 1024 * 1024
MAX_NODES = 400_000
MAX_DEPTH = 64
MAX_DIGITS = 300
"""Most characters of a number. Longer numbers exceed the range of a float, and take time that grows
with the square of their length.
"""

Path = tuple[str | int, ...]

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_SCALARS = (
    (re.compile(r"(?:null|Null|NULL|~|)\Z"), lambda text: None),
    (re.compile(r"(?:true|True|TRUE)\Z"), lambda text: True),
    (re.compile(r"(?:false|False|FALSE)\Z"), lambda text: False),
    (re.compile(r"[-+]?[0-9]+\Z"), int),
    (re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z"), float),
)


@dataclass(frozen=True)
class Document:
    """A parsed file: plain data, and the line on which the value at each path begins."""

    file: str
    data: Any
    lines: Mapping[Path, int]
    texts: Mapping[Path, str] = field(default_factory=dict)
    """Numbers, true and false whose text differs from their value's: `007`, `1.10`, `true`."""

    def line(self, path: Path) -> int | None:
        """The line of `path`, or of the nearest parent that has one."""
        for end in range(len(path), -1, -1):
            if path[:end] in self.lines:
                return self.lines[path[:end]]
        return None

    def error(self, path: Path, message: str) -> SuiteError:
        """A `SuiteError` that begins `file:line: key:`."""
        line = self.line(path)
        where = self.file if line is None else f"{self.file}:{line}"
        key = format_path(path)
        return SuiteError(f"{where}: {key}: {message}" if key else f"{where}: {message}")


def format_path(path: Path) -> str:
    """A path such as `('checks', 2, 'regex')` as text: `checks[2].regex`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def scalar(text: str) -> object:
    """A plain scalar's value by YAML 1.2's core schema (decimal numbers only).

    Raises:
        ValueError: a number that is out of the range of a float, or has more than 300 digits.
    """
    for pattern, convert in _SCALARS:
        if pattern.match(text):
            value: object = convert(text) if len(text) <= MAX_DIGITS else math.inf
            if isinstance(value, float) and math.isinf(value):
                raise ValueError(f"{text[:20]}... is a number out of range")
            return value
    return text


def parse(text: str, file: str) -> Document:
    """Parse one YAML document.

    Raises:
        SuiteError: not YAML, a key given twice, not text keys, too large or too deep; names file
            and line.
    """
    if len(text) > MAX_BYTES:
        raise SuiteError(
            f"{file}: larger than {MAX_BYTES // 2**20} MiB; put large data into a .jsonl file"
        )
    try:
        node = yaml.compose(text, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = file if mark is None else f"{file}:{mark.line + 1}"
        raise SuiteError(f"{where}: not valid YAML: {error.problem or error.context}") from None
    except (yaml.YAMLError, RecursionError) as error:
        raise SuiteError(f"{file}: not valid YAML: {error}") from None
    if node is None:
        return Document(file, None, {(): 1})
    builder = _Builder(file)
    return Document(file, builder.build(node, (), 0), builder.lines, builder.texts)


class _Builder:
    def __init__(self, file: str) -> None:
        self.file = file
        self.lines: dict[Path, int] = {}
        self.texts: dict[Path, str] = {}
        self.nodes = 0

    def build(self, node: yaml.Node, path: Path, depth: int) -> object:
        self.lines.setdefault(path, node.start_mark.line + 1)
        self.nodes += 1
        if self.nodes > MAX_NODES or depth > MAX_DEPTH:
            raise self._error(
                node, f"too many values (over {MAX_NODES}) or nested deeper than {MAX_DEPTH}"
            )
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path, depth)
        if isinstance(node, yaml.SequenceNode):
            return [
                self.build(child, (*path, index), depth + 1)
                for index, child in enumerate(node.value)
            ]
        assert isinstance(node, yaml.ScalarNode)
        plain = not node.style  # None from the Python loader, '' from the C one
        if node.tag.startswith("!") or (plain and not node.tag.startswith("tag:yaml.org,2002:")):
            raise self._error(node, f"the tag {node.tag} is not supported")
        try:
            value = scalar(node.value) if plain else node.value
            if not isinstance(value, str | None) and str(value) != node.value:
                self.texts[path] = node.value
            return value
        except ValueError as error:
            raise self._error(node, f"{error}; write a text in quotes") from None

    def _mapping(self, node: yaml.MappingNode, path: Path, depth: int) -> dict[str, object]:
        mapping: dict[str, object] = {}
        for key_node, value_node in self._pairs(node, depth):
            key = key_node.value
            if key in mapping:
                raise self._error(key_node, f"the key {key!r} is given twice")
            self.lines[(*path, key)] = key_node.start_mark.line + 1
            mapping[key] = self.build(value_node, (*path, key), depth + 1)
        return mapping

    def _pairs(
        self, node: yaml.MappingNode, depth: int
    ) -> Iterator[tuple[yaml.ScalarNode, yaml.Node]]:
        """Keys and values, with those of the mappings that `<<` merges. A key of the mapping itself
        outranks a merged one, and an earlier merged mapping a later one.
        """
        if depth > MAX_DEPTH:
            raise self._error(node, "a mapping merges itself with `<<`")
        own = {key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise self._error(key_node, "keys must be text")
            if key_node.style or key_node.value != "<<":
                yield key_node, value_node
                continue
            several = isinstance(value_node, yaml.SequenceNode)
            for part in value_node.value if several else [value_node]:
                if not isinstance(part, yaml.MappingNode):
                    raise self._error(
                        part, "`<<` merges mappings: write `<<: *name`, with `&name` at a mapping"
                    )
                for key, value in self._pairs(part, depth + 1):
                    self.nodes += 1
                    if self.nodes > MAX_NODES:
                        raise self._error(node, f"`<<` makes more than {MAX_NODES:,} values")
                    if key.value not in own:
                        own.add(key.value)
                        yield key, value

    def _error(self, node: yaml.Node, message: str) -> SuiteError:
        return SuiteError(f"{self.file}:{node.start_mark.line + 1}: {message}")
