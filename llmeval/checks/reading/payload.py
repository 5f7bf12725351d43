"""What a format check reads: the whole answer, or what stands in the one code fence around it.

Readers of formats raise `Malformed`; a check under `@malformed_fails` turns that into a fail that
points at the place.
"""

import functools
import re
from collections.abc import Callable
from typing import Literal, NamedTuple, ParamSpec, TypeVar

from llmeval.checks.base import Result, verdict
from llmeval.core.errors import CheckError
from llmeval.core.records import Span

P = ParamSpec("P")
T = TypeVar("T")

MAX_CHARS = 1_000_000
"""Longest answer, in code points, that any of these checks reads; slower readers state lower
limits.
"""
MAX_DEPTH = 200
"""Deepest nesting that counts as well-formed. A reader may set such a limit (RFC 8259 section 9 for
JSON).
"""

_FENCE_LINE = re.compile(r" {0,3}(`{3,}|~{3,})([^`]*)$")

Fence = Literal["allow", "require", "forbid"]
View = Literal["raw", "stripped", "unfenced"]


class Malformed(ValueError):
    """The text is not of the format. `start`, `end`: where, in code points; None where it is not
    known.
    """

    def __init__(self, message: str, start: int | None = None, end: int | None = None) -> None:
        super().__init__(message)
        self.start = start
        self.end = end


class Payload(NamedTuple):
    """A stretch of an answer from the code point `start` on. `language`: the fence's word, None
    without a fence.
    """

    text: str
    start: int
    language: str | None = None

    def span(self, start: int, end: int, message: str, rule: str = "") -> Span:
        """[start, end) of this part as a place in the answer."""
        return Span(self.start + start, self.start + end, message, rule)


def view(text: str, how: View) -> Payload:
    """The answer as it is, without white space around it, or also without the one code fence that
    wraps all of it.
    """
    if how == "raw":
        return Payload(text, 0)
    whole = _trimmed(text, 0, len(text))
    return (_unfenced(whole) if how == "unfenced" else None) or whole


def too_long(text: str, limit: int, read_as: str) -> None:
    """Refuse what can't be read within the time a check has.

    Raises:
        CheckError: the text is longer than `limit` code points.
    """
    if len(text) > limit:
        raise CheckError(
            f"the answer has {len(text):,} characters; at most {limit:,} are read as {read_as}"
        )


def body(text: str, fence: Fence, what: str, limit: int = MAX_CHARS) -> Payload:
    """The answer without white space around it, and out of the one Markdown code fence that may
    wrap all of it.

    Args:
        text: the answer.
        fence: whether such a fence may, must or must not be there.
        what: the format's name, for messages.
        limit: longest answer, in code points.

    Raises:
        Malformed: the fence is missing, or forbidden, or nothing is there.
        CheckError: the answer is longer than `limit`.
    """
    too_long(text, limit, what)
    whole = _trimmed(text, 0, len(text))
    inner = _unfenced(whole)
    if inner is None:
        if fence == "require":
            raise Malformed(f"the {what} is not in a code fence")
        inner = whole
    elif fence == "forbid":
        raise Malformed(f"the {what} is in a code fence", 0, whole.text.find("\n"))
    if not inner.text.strip():
        raise Malformed("the answer is empty")
    return inner


def fenced_blocks(text: str) -> list[Payload]:
    """The code blocks of a text between Markdown fences, also one that is never closed."""
    matches: list[Payload] = []
    mark, run, language, start, at = "", 0, "", 0, 0
    for line in text.split("\n"):
        after = at + len(line) + 1
        if not mark:
            opening = _FENCE_LINE.match(line)
            if opening:
                mark, run = opening[1][0], len(opening[1])
                info = opening[2].strip().split()
                language, start = info[0].lower() if info else "", after
        elif _closes(line, mark, run):
            matches.append(Payload(text[start:at], start, language))
            mark = ""
        at = after
    if mark:
        matches.append(Payload(text[start:], start, language))
    return matches


def read(part: Payload, parse: Callable[[str], T]) -> T:
    """What `parse` makes of a part.

    Raises:
        Malformed: as `parse` says, its place moved into the answer.
    """
    try:
        return parse(part.text)
    except Malformed as error:
        if error.start is None or not part.text:
            raise
        start = min(error.start, len(part.text) - 1)
        end = start + 1 if error.end is None else max(start + 1, min(error.end, len(part.text)))
        raise Malformed(str(error), part.start + start, part.start + end) from None


def offset_of(text: str, line: int, column: int) -> int:
    """The code point of a line and column that count from 1."""
    at = 0
    for _ in range(line - 1):
        at = text.find("\n", at) + 1
    return at + max(0, column - 1)


def malformed_fails(function: Callable[P, Result]) -> Callable[P, Result]:
    """A check whose `Malformed` is a fail with that reason and place."""

    @functools.wraps(function)
    def checked(*args: P.args, **kwargs: P.kwargs) -> Result:
        try:
            return function(*args, **kwargs)
        except Malformed as error:
            if error.start is None or error.end is None or error.end <= error.start:
                return verdict(False, str(error))
            return verdict(
                False, str(error), Span(error.start, error.end, str(error), function.__name__)
            )

    return checked


def _trimmed(text: str, start: int, end: int) -> Payload:
    """A stretch without the white space around it, and without the byte order mark that may stand
    before it.
    """
    inside = text[start:end]
    body = inside.lstrip()
    if body[:1] == "\ufeff":
        body = body[1:].lstrip()
    return Payload(body.rstrip(), start + len(inside) - len(body))


def _unfenced(whole: Payload) -> Payload | None:
    """What the fence wraps (CommonMark 4.5); None when there is none, or it ends before the text
    does.
    """
    first, newline, rest = whole.text.partition("\n")
    mark = first[:1]
    run = len(first) - len(first.lstrip(mark)) if mark in ("`", "~") else 0
    info = first[run:].strip()
    inner, _, last = rest.rpartition("\n")
    if run < 3 or not newline or "`" in info or not _closes(last, mark, run):
        return None
    if any(_closes(line, mark, run) for line in inner.split("\n")):
        return None
    part = _trimmed(whole.text, len(first) + 1, len(first) + 1 + len(inner))
    return Payload(part.text, whole.start + part.start, info.split()[0].lower() if info else "")


def _closes(line: str, mark: str, run: int) -> bool:
    stripped = line.strip(" ")
    return len(stripped) >= run and line[:4].strip(" ") != "" and set(stripped.rstrip()) == {mark}
