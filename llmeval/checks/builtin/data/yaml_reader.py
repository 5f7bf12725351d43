"""YAML of an answer, by the core schema of YAML 1.2, built from libyaml's events so that every
limit holds as it reads.

PyYAML's own loader is of YAML 1.1 (`no` is False, `012` is 10, `1:30` is 90), keeps the last of two
equal keys, and expands aliases without end.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

from llmeval.checks.reading.payload import MAX_DEPTH, Malformed, offset_of
from llmeval.core.errors import CheckError

MAX_NODES = 120_000
_SCALARS: tuple[tuple[re.Pattern[str], Callable[[str], object]], ...] = (
    (re.compile(r"null|Null|NULL|~|"), lambda text: None),
    (re.compile(r"true|True|TRUE"), lambda text: True),
    (re.compile(r"false|False|FALSE"), lambda text: False),
    (re.compile(r"[-+]?[0-9]{1,4000}"), int),
    (re.compile(r"0o[0-7]{1,4000}"), lambda text: int(text[2:], 8)),
    (re.compile(r"0x[0-9a-fA-F]{1,3000}"), lambda text: int(text[2:], 16)),
    (re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"), float),
    (
        re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"),
        lambda text: float(text.replace(".", "")),
    ),
)
_PLAIN = re.compile(r"[-+.~0-9nNtTfF]|\Z")
_TAGS: dict[str, Callable[[str], object]] = {
    "str": str,
    "int": int,
    "float": float,
    "bool": lambda text: text.lower() == "true",
    "null": lambda text: None,
}
_STANDARD = "tag:yaml.org,2002:"


def parse_yaml(text: str) -> object:
    """The value of a text that is one YAML document.

    Raises:
        Malformed: it is not such a document. Aliases, tags outside the core schema, duplicate keys,
            keys that are not scalars, and nesting deeper than 200 are refused too.
        CheckError: it has more than 120,000 nodes.
    """
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        reader = _Reader(yaml.parse(text, Loader=loader), yaml)
        return reader.document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        if mark is None:
            raise Malformed(f"not valid YAML: {error.problem}") from None
        where = f"at line {mark.line + 1}, column {mark.column + 1}"
        at = offset_of(text, mark.line + 1, mark.column + 1)
        raise Malformed(f"not valid YAML: {error.problem} {where}", at) from None
    except (yaml.YAMLError, ValueError, UnicodeError) as error:
        if isinstance(error, Malformed):
            raise
        raise Malformed(f"not valid YAML: {' '.join(str(error).split())[:200]}") from None


class _Reader:
    """Builds values from events; the stack holds what is open."""

    def __init__(self, events: Iterator[Any], yaml: Any) -> None:
        self.events = events
        self.yaml = yaml
        self.nodes = 0

    def document(self) -> Any:
        """The one document's value."""
        yaml = self.yaml
        documents, root = 0, None
        for event in self.events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise Malformed(
                        "not one YAML document: there are several", event.start_mark.index
                    )
            elif isinstance(event, yaml.NodeEvent):
                root = self.node(event, 0)
        return root

    def node(self, event: Any, depth: int) -> object:
        """The value that starts with this event."""
        yaml, at = self.yaml, event.start_mark.index
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise CheckError(
                f"the answer has more than {MAX_NODES:,} YAML nodes, too many to be read"
            )
        if isinstance(event, yaml.AliasEvent):
            raise Malformed("uses an alias, which can expand to a very large document", at)
        if isinstance(event, yaml.ScalarEvent):
            return _scalar(event)
        if depth >= MAX_DEPTH:
            raise Malformed(f"not read as YAML: nested deeper than {MAX_DEPTH}", at)
        if event.tag not in (None, "!", f"{_STANDARD}map", f"{_STANDARD}seq"):
            raise Malformed(f"uses the tag {event.tag}", at)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(depth)
        return self._mapping(depth)

    def _sequence(self, depth: int) -> list[object]:
        matches = []
        for event in self.events:
            if isinstance(event, self.yaml.SequenceEndEvent):
                break
            matches.append(self.node(event, depth + 1))
        return matches

    def _mapping(self, depth: int) -> dict[object, object]:
        matches: dict[object, object] = {}
        for event in self.events:
            if isinstance(event, self.yaml.MappingEndEvent):
                break
            if isinstance(event, self.yaml.CollectionStartEvent):
                raise Malformed("has a key that is a list or a mapping", event.start_mark.index)
            key = self.node(event, depth + 1)
            if key in matches:
                raise Malformed(f"the key {key!r} appears twice", event.start_mark.index)
            matches[key] = self.node(next(self.events), depth + 1)
        return matches


def _scalar(event: Any) -> object:
    text: str = event.value
    if event.tag is not None and event.tag != "!":
        kind = (
            _TAGS.get(event.tag.removeprefix(_STANDARD))
            if event.tag.startswith(_STANDARD)
            else None
        )
        if kind is None:
            raise Malformed(f"uses the tag {event.tag}", event.start_mark.index)
        return kind(text)
    if event.style or event.tag == "!" or not _PLAIN.match(text):
        return text
    return next((read(text) for pattern, read in _SCALARS if pattern.fullmatch(text)), text)
