"""Regular expressions over the answer, with an engine that can't be made to hang.

A pattern means what it means to Python: `\\w`, `\\d`, `\\s`, `\\b` know all of Unicode. RE2 (linear
time) does the matching wherever it gives the same answer; lookaround, backreferences, and Unicode
classes on text beyond ASCII, which RE2 lacks, go to the `regex` package under a time limit. Running
into the limit is an error of the check, no verdict.
"""

import re as stdlib
import time
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import AfterValidator, Field

from llmeval.checks.arguments import MAX_SPANS, Count, Most, clip
from llmeval.checks.base import Result, check, verdict
from llmeval.checks.builtin.text.regex_size import check_size
from llmeval.checks.reading.payload import MAX_CHARS, View, too_long
from llmeval.checks.reading.payload import view as view_of
from llmeval.core.errors import CheckError
from llmeval.core.records import Answer, Case, Span

MAX_PATTERN = 1000
SECONDS = 1.0
# Steps of RE2's slowest matcher (its NFA) are at most characters times instructions; it does some
# 10^8 a second.
_MAX_STEPS = 10**8
_ENOUGH = 1000
# Where RE2's classes are those of ASCII, or differ from Python's: \w \d \s \b and their opposites,
# [[:alpha:]].
_BY_UNICODE = stdlib.compile(r"\\[wWdDsSbB]|\[:")
# What RE2 takes to mean something else: x{,5} as text, \12 as octal, $ before a last line end.
_OTHER_MEANING = stdlib.compile(r"\{,|\\[1-9]")
_SURROGATE = stdlib.compile("[\ud800-\udfff]")
_BEYOND_ASCII = stdlib.compile(r"[^\t\n\f\r -\x7f]")


class CompiledPattern(NamedTuple):
    """A pattern for both engines. `linear`: RE2's, None where it has none for this pattern."""

    source: str
    backtracking: Any
    linear: Any

    def engine(self, text: str) -> Any:
        """RE2's pattern where it gives the same matches on this text, and in time; else the other
        one.
        """
        if self.linear is None or len(text) * self.linear.programsize > _MAX_STEPS:
            return self.backtracking
        if _BY_UNICODE.search(self.source) and _BEYOND_ASCII.search(text):
            return self.backtracking
        if "$" in self.source and text.endswith("\n"):
            return self.backtracking
        return self.backtracking if _has_surrogate(text) else self.linear


def _has_surrogate(text: str) -> bool:
    return not text.isascii() and _SURROGATE.search(text) is not None


@lru_cache(maxsize=1024)
def compile_pattern(pattern: str) -> CompiledPattern:
    """Compile a pattern, in Python's syntax.

    Raises:
        ValueError: it is not one, is longer than 1,000 characters, or compiles to too many items.
    """
    import re2
    import regex as backtracking

    if len(pattern) > MAX_PATTERN:
        raise ValueError(f"the pattern is longer than {MAX_PATTERN} characters")
    check_size(pattern)
    try:
        compiled = backtracking.compile(pattern)
    except (backtracking.error, RecursionError, OverflowError) as error:
        raise ValueError(f"not a regular expression: {error}") from None
    options = re2.Options()
    options.log_errors = False
    try:
        linear = None if _OTHER_MEANING.search(pattern) else re2.compile(pattern, options)
    except re2.error:
        linear = None
    return CompiledPattern(pattern, compiled, linear)


def find_all(compiled: CompiledPattern, text: str) -> Iterator[tuple[int, int]]:
    """(start, end) in code points of each match, left to right.

    Raises:
        CheckError: the text is too long, or the time limit was met.
    """
    too_long(text, MAX_CHARS, "text for a pattern")
    until = 0.0
    try:
        for count, match in enumerate(_matches(compiled, text)):
            # The clock is read with the first match: a search without one has its own limit.
            if count == 0:
                until = time.thread_time() + SECONDS
            elif count % 1000 == 999 and time.thread_time() > until:
                raise TimeoutError
            yield match.start(), match.end()
    except TimeoutError:
        raise _took_too_long(compiled) from None


def _matches(compiled: CompiledPattern, text: str) -> Iterator[Any]:
    done = 0
    if compiled.engine(text) is compiled.linear:
        for match in compiled.linear.finditer(text):
            if match.start() == match.end():
                break  # after an empty match the engines go on differently
            done += 1
            yield match
        else:
            return
    yield from islice(compiled.backtracking.finditer(text, timeout=SECONDS), done, None)


def matches_whole(compiled: CompiledPattern, text: str) -> bool:
    """Whether the pattern matches all of the text.

    Raises:
        CheckError: the text is too long, or the time limit was met.
    """
    too_long(text, MAX_CHARS, "text for a pattern")
    engine = compiled.engine(text)
    try:
        match = (
            engine.fullmatch(text)
            if engine is compiled.linear
            else engine.fullmatch(text, timeout=SECONDS)
        )
    except TimeoutError:
        raise _took_too_long(compiled) from None
    return match is not None


def _took_too_long(compiled: CompiledPattern) -> CheckError:
    what = f"the pattern {clip(compiled.source)} took longer than {SECONDS:g} s on this answer"
    return CheckError(f"{what}; avoid repeats inside repeats")


def _compiles(pattern: str) -> str:
    compile_pattern(pattern)
    return pattern


Pattern = Annotated[str, Field(min_length=1), AfterValidator(_compiles)]


@check(group="strings")
def regex(
    case: Case,
    answer: Answer,
    *,
    pattern: Pattern,
    match: Literal["search", "full"] = "search",
    min: Count = 1,
    max: Most = None,
    view: View = "stripped",
) -> Result:
    """`pattern` matches the answer at least `min` and at most `max` times; with `match: full`, the
    answer as a whole.

    Python's syntax; `(?i)` ignores case, `(?s)` lets `.` match line ends, `(?m)` lets `^` and `$`
    match at lines. `view`: the answer as it is, without white space around it, or also without one
    code fence around it.
    """
    text, start, _ = view_of(answer.text, view)
    compiled = compile_pattern(pattern)
    if match == "full":
        whole = matches_whole(compiled, text)
        return verdict(
            whole, f"{'matches' if whole else 'does not match'} {clip(pattern)} as a whole"
        )
    enough = _ENOUGH + min if max is None else max + 1
    matches = list(islice(find_all(compiled, text), enough))
    spans = [
        Span(start + a, start + b, f"matches {clip(pattern)}", "regex", "info")
        for a, b in matches[:MAX_SPANS]
    ]
    passed = len(matches) >= min and (max is None or len(matches) <= max)
    expected = f"at least {min}" if max is None else f"{min} to {max}"
    more = " or more" if len(matches) == enough else ""
    return verdict(
        passed, f"{len(matches)}{more} matches of {clip(pattern)}; expected {expected}", *spans
    )
