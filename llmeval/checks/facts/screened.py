"""Patterns with a fast first pass: most texts hold none of the words that a pattern looks for.

RE2 reads a text once, whatever the pattern, but has no lookaround. So it searches a relaxed form,
without lookaround, word borders and anchors. Each of these only forbids matches, so a text in which
the relaxed form does not match has no match of the pattern either. In every other text the pattern
itself is searched: the matches are the same with and without the first pass.
"""

from collections.abc import Iterator
from functools import cached_property, lru_cache
from typing import Protocol

import regex

_LOOKAROUND = ("(?=", "(?!", "(?<=", "(?<!")
_ANCHORS = {r"\b", r"\B", r"\A", r"\Z"}
# RE2's own classes are those of ASCII.
_CLASSES = {
    r"\w": r"\p{L}\p{M}\p{N}\p{Pc}\x{200c}\x{200d}",
    r"\s": r"\s\v\p{Z}\x{1c}-\x{1f}\x{85}",
    r"\d": r"\p{Nd}",
}
_MEMORY = 32 * 2**20
"""Bytes that RE2 may use for the states of one pattern."""


class _Linear(Protocol):
    def search(self, text: str) -> object | None: ...


class ScreenedPattern:
    """A pattern that is searched where its relaxed form matches.

    Args:
        pattern: without comments, back references and atomic groups.
    """

    def __init__(self, pattern: "regex.Pattern[str]") -> None:
        self.pattern = pattern

    def finditer(
        self, text: str, start: int = 0, end: int | None = None
    ) -> "Iterator[regex.Match[str]]":
        """The matches in [start, end) of the text."""
        stop = len(text) if end is None else end
        return (
            self.pattern.finditer(text, start, stop) if self._may(text, start, stop) else iter(())
        )

    def search(
        self, text: str, start: int = 0, end: int | None = None
    ) -> "regex.Match[str] | None":
        """The first match in [start, end) of the text."""
        stop = len(text) if end is None else end
        return self.pattern.search(text, start, stop) if self._may(text, start, stop) else None

    def _may(self, text: str, start: int, end: int) -> bool:
        """Whether the stretch may hold a match."""
        part = text if start == 0 and end >= len(text) else text[start:end]
        if not part.isascii() and ("ı" in part or "İ" in part):
            return True  # `regex` takes both for an i, RE2 does not
        try:
            return self._linear.search(part) is not None
        except UnicodeEncodeError:  # half of a surrogate pair
            return True

    @cached_property
    def _linear(self) -> _Linear:
        flags = "(?i)" if self.pattern.flags & regex.IGNORECASE else ""
        return _compiled(flags + relaxed(self.pattern.pattern))


def screened(pattern: str, flags: int = 0) -> ScreenedPattern:
    """As `regex.compile`."""
    return ScreenedPattern(regex.compile(pattern, flags))


@lru_cache(maxsize=256)
def _compiled(source: str) -> _Linear:
    import re2

    options = re2.Options()
    options.max_mem = _MEMORY
    compiled: _Linear = re2.compile(source, options)
    return compiled


def relaxed(source: str) -> str:
    """The pattern for RE2, without what only forbids matches."""
    parts: list[str] = []
    at = 0
    while at < len(source):
        if source.startswith(_LOOKAROUND, at):
            at = _group_end(source, at)
            continue
        if source[at] == "[":
            end = _class_end(source, at)
            parts.append(_class(source[at:end]))
        elif source[at] == "\\":
            end = _escape_end(source, at)
            parts.append(_escape(source[at:end]))
        elif source.startswith("(?P<", at):
            end = source.index(">", at) + 1
            parts.append("(?:")
        else:
            end = at + 1
            parts.append("(?:)" if source[at] in "^$" else source[at])
        at = end
    return "".join(parts)


def _escape(written: str) -> str:
    if written in _ANCHORS:
        return "(?:)"
    return f"[{_CLASSES[written]}]" if written in _CLASSES else written


def _class(written: str) -> str:
    for short, long in _CLASSES.items():
        written = written.replace(short, long)
    return written


def _escape_end(source: str, at: int) -> int:
    return source.index("}", at) + 1 if source[at + 1] in "pP" else at + 2


def _class_end(source: str, at: int) -> int:
    """Where the class that opens at `at` ends."""
    at += 2 if source.startswith("[^", at) else 1
    at += source[at] == "]"
    while source[at] != "]":
        at = _escape_end(source, at) if source[at] == "\\" else at + 1
    return at + 1


def _group_end(source: str, at: int) -> int:
    """Where the group that opens at `at` ends."""
    depth = 0
    while True:
        if source[at] == "\\":
            at = _escape_end(source, at)
            continue
        if source[at] == "[":
            at = _class_end(source, at)
            continue
        depth += (source[at] == "(") - (source[at] == ")")
        at += 1
        if depth == 0:
            return at
