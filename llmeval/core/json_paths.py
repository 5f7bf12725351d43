"""Paths into JSON: `answer`, `choices[0].text`, `contexts[*].id`.

The syntax is JSONPath (RFC 9535, parsed by python-jsonpath), and the `$.` at its start may be left
out. Filters and `..` are refused: a path then visits each value at most once.
"""

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from llmeval.core.errors import UsageError

MAX_MATCHES = 100_000
"""Values that one path may select at each step."""
_FIRST = re.compile(r"\$?\.?(?P<name>[^.\[\]$]+)|\$?\[\s*(?P<quote>['\"])(?P<quoted>.*?)(?P=quote)")


class NoMatch(ValueError):
    """A path does not match a document; the message names the place."""


@dataclass(frozen=True)
class JsonPath:
    """A path, parsed when it is first used.

    A path of names and indices selects one value. A path with `[*]`, `.*`, a slice or several names
    selects a list. A `?` at the end makes the path optional: a missing value is null instead of an
    error.
    """

    text: str
    """As the suite writes it."""

    @property
    def optional(self) -> bool:
        """Whether a missing value is null."""
        return self.text.rstrip().endswith("?")

    @property
    def first_name(self) -> str | None:
        """The name of the member that the path begins with; None where it begins otherwise."""
        match = _FIRST.match(self.text.strip())
        return None if match is None else match["name"] or match["quoted"]

    @cached_property
    def _segments(self) -> tuple[object, ...]:
        """The parsed steps.

        Raises:
            ValueError: the text is not a path, or it has a filter or `..`.
            UsageError: the parser of paths is not installed.
        """
        try:
            import jsonpath
            from jsonpath import segments, selectors
        except ImportError:
            raise UsageError(
                f"the path {self.text!r} needs the package python-jsonpath, which is not installed:"
                " pip install python-jsonpath"
            ) from None

        bare = self.text.strip().removesuffix("?").rstrip()
        if bare.startswith(("..", "$..")):
            raise self._unsupported()
        rest = bare.removeprefix("$").removeprefix(".")
        whole = "$" + ("" if not rest or rest.startswith("[") else ".") + rest
        try:
            parsed = jsonpath.compile(whole)
        except (jsonpath.JSONPathError, RecursionError) as error:
            raise ValueError(
                f"{self.text!r} is not a path ({str(error).splitlines()[0]}); write it like"
                " `answer.text`, `choices[0]`, `contexts[*].id` or `['odd name'].x`"
            ) from None
        steps = tuple(getattr(parsed, "segments", ()))
        if not isinstance(parsed, jsonpath.JSONPath) or any(
            not isinstance(step, segments.JSONPathChildSegment) for step in steps
        ):
            raise self._unsupported()
        allowed = (
            selectors.NameSelector,
            selectors.IndexSelector,
            selectors.SliceSelector,
            selectors.WildcardSelector,
        )
        if any(not isinstance(one, allowed) for step in steps for one in step.selectors):
            raise self._unsupported()
        return steps

    def _unsupported(self) -> ValueError:
        return ValueError(
            f"{self.text!r}: a path has names, indices, slices and `[*]`; filters, `..` and"
            " operators between paths are not supported"
        )

    def check(self) -> None:
        """Parse the path.

        Raises:
            ValueError: the text is not a path, or it has a filter or `..`.
        """
        _ = self._segments

    def find(self, document: Any) -> Any:
        """The value at the path, a list for a path that selects several.

        Raises:
            NoMatch: a step does not match one of the values that it is applied to.
        """
        from jsonpath.match import JSONPathMatch

        root = JSONPathMatch(
            filter_context={}, obj=document, parent=None, path="$", parts=(), root=document
        )
        nodes: list[Any] = [root]
        several = False
        for step in self._segments:
            taken: list[Any] = []
            for node in nodes:
                matches = [None] if node is None else self._taken(step, node)
                if matches == [None] and not several:
                    return None
                taken += matches
                if len(taken) > MAX_MATCHES:
                    raise NoMatch(f"{self.text} selects more than {MAX_MATCHES:,} values")
            nodes, several = taken, several or not _is_single(step)
        values = [None if node is None else node.obj for node in nodes]
        return values if several else values[0]

    def _taken(self, step: Any, node: Any) -> list[object]:
        """What one step selects from one value; [None] where an optional path ends there."""
        missing = None
        if not isinstance(node.obj, dict | list) and not _is_single(step):
            missing = f"{_place(node.parts) or 'the reply'} is {_kind(node.obj)}, not a list"
        taken = []
        for selector in step.selectors if missing is None else ():
            matches = list(selector.resolve(node))
            if not matches and type(selector).__name__ in ("NameSelector", "IndexSelector"):
                key = selector.name if hasattr(selector, "name") else selector.index
                missing = f"no {_place((*node.parts, key))}"
            taken += matches
        if missing is None:
            return taken
        if self.optional:
            return [None]
        raise NoMatch(missing)


def _is_single(step: Any) -> bool:
    """Whether a step selects at most one value."""
    names = [type(selector).__name__ for selector in step.selectors]
    return names in (["NameSelector"], ["IndexSelector"])


def _place(parts: tuple[str | int, ...]) -> str:
    """A place in a document, as a path."""
    text = ""
    for part in parts:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{part}" if text else part
    return text


def _kind(value: object) -> str:
    if value is None:
        return "null"
    return {bool: "a boolean", str: "a text"}.get(type(value), "a number")
