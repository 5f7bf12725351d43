"""Checks of JSON: strictly read, and held against a schema whose references lead nowhere outside.

The standard reader takes `NaN`, infinities and keeps the last of two equal keys; all are refused
here (RFC 8259 sections 4 and 6, RFC 7493 section 2).
"""

import json as stdlib
import re
from collections import Counter
from collections.abc import Iterator

from llmeval.checks.arguments import clip
from llmeval.checks.base import Result, check, verdict
from llmeval.checks.builtin.data.schemas import Schema, listed_problems, problems
from llmeval.checks.reading.payload import (
    MAX_CHARS,
    MAX_DEPTH,
    Fence,
    Malformed,
    body,
    malformed_fails,
    read,
    too_long,
)
from llmeval.core.errors import CheckError
from llmeval.core.records import Answer, Case, Span

_EFFORT = 4 * MAX_CHARS
_STEP = 50_000
# What can begin an object or a list; most brackets in prose and code can't.
_OPENING = re.compile(r'\{\s*+(?=\}|"[^"\n]*+"\s*+:)|\[\s*+(?=[\]\[{"\d-]|true|false|null)')
_STRINGS_AND_MARKS = re.compile(r'"(?:[^"\\]|\\.)*+"|[\[{]|[\]}]', re.S)
_RUN = re.compile(r"[\[\s]*")
_CITATION = re.compile(r"\[[\d\s,]*\]")
_HALF_CHARACTER = re.compile(r"\\u[dD][89a-fA-F]")


def parse_json(text: str) -> object:
    """The value of a text that is exactly one JSON value.

    Raises:
        Malformed: it is not; keys that stand twice, NaN, infinities, halves of characters, numbers
            too large for any reader and nesting deeper than 200 count as that.
        CheckError: the text has more than 1,000,000 characters.
    """
    too_long(text, MAX_CHARS, "JSON")
    _shallow(text)
    try:
        value = _DECODER.decode(text)
    except stdlib.JSONDecodeError as error:
        message = error.msg[:1].lower() + error.msg[1:]
        raise Malformed(
            f"not valid JSON: {message} at line {error.lineno}, column {error.colno}", error.pos
        ) from None
    except ValueError as error:
        raise Malformed(f"not valid JSON: {_told(error)}") from None
    except RecursionError:
        raise Malformed(f"not valid JSON: nested deeper than {MAX_DEPTH}") from None
    if _HALF_CHARACTER.search(text) and _halved(value):
        raise Malformed("not valid JSON: it contains a lone surrogate (half of a character)")
    return value


def _told(error: ValueError) -> str:
    return "a number has too many digits" if "digits" in str(error) else str(error)


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    result = dict(pairs)
    if len(result) < len(pairs):
        times = Counter(key for key, _ in pairs)
        twice = next(key for key in times if times[key] > 1)
        raise Malformed(f"the key {clip(twice)} appears twice")
    return result


def _no_constant(constant: str) -> object:
    raise Malformed(f"{constant} is not a JSON value")


def _finite(digits: str) -> float:
    number = float(digits)
    if number in (float("inf"), float("-inf")):
        raise Malformed(f"the number {clip(digits)} is too large")
    return number


_DECODER = stdlib.JSONDecoder(
    object_pairs_hook=_once, parse_constant=_no_constant, parse_float=_finite
)


def _shallow(text: str) -> None:
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return
    depth = 0
    for token in _STRINGS_AND_MARKS.finditer(text):
        mark = text[token.start()]
        if mark in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                raise Malformed(f"not valid JSON: nested deeper than {MAX_DEPTH}", token.start())
        elif mark != '"':
            depth -= 1


def _halved(value: object) -> bool:
    try:
        stdlib.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    return False


@check(group="json", version=2)
@malformed_fails
def json(
    case: Case, answer: Answer, *, schema: Schema | None = None, fence: Fence = "allow"
) -> Result:
    """The answer is exactly one strict JSON value, and follows `schema` (JSON Schema, any draft) if
    one is given.

    `fence`: whether a Markdown code fence around it is allowed, required or forbidden. The schema's
    `format` counts.
    """
    value = read(body(answer.text, fence, "JSON"), parse_json)
    return (
        verdict(True, "is valid JSON")
        if schema is None
        else _held_against(schema, value, "the JSON")
    )


@check(group="json", version=2)
@malformed_fails
def json_schema(case: Case, answer: Answer, *, schema: Schema, fence: Fence = "allow") -> Result:
    """The same as `json` with a schema that must be given."""
    return _held_against(schema, read(body(answer.text, fence, "JSON"), parse_json), "the JSON")


@check(group="json")
def contains_json(case: Case, answer: Answer, *, schema: Schema | None = None) -> Result:
    """Somewhere in the answer stands a strict JSON object or list that follows `schema`, if one is
    given.

    Without a schema, a list of numbers such as `[1]` is a citation and does not count.
    """
    best: list[str] = []
    for start, end, value in json_values(answer.text):
        if schema is None and _CITATION.fullmatch(answer.text, start, end):
            continue
        wrong = [] if schema is None else problems(schema, value)
        if not wrong:
            return verdict(True, "contains JSON", Span(start, end, "JSON", "contains_json", "info"))
        best = best or wrong
    if schema is None:
        return verdict(False, "contains no JSON object or list")
    return verdict(
        False,
        "contains no JSON that follows the schema"
        + (f" ({listed_problems(best)})" if best else ""),
    )


def json_values(text: str) -> Iterator[tuple[int, int, object]]:
    """(start, end, value) of each object or list, outermost first.

    Raises:
        CheckError: so many brackets open and never close that looking on would take too long.
    """
    too_long(text, MAX_CHARS, "JSON")
    at, base, effort, tail = 0, 0, 0, text
    while (match := _OPENING.search(text, at)) is not None:
        if effort > _EFFORT:
            raise CheckError("the answer has too many unfinished brackets to be searched for JSON")
        start = match.start()
        if start - base > _STEP:  # a failed attempt counts the line ends before it
            base, tail = start, text[start:]
        try:
            value, end = _DECODER.raw_decode(tail, start - base)
        except stdlib.JSONDecodeError as error:
            at, effort = start + 1, effort + error.pos - (start - base) + 50
        except (ValueError, RecursionError):
            at, effort = _past_run(text, start), effort + len(tail)
        else:
            at = end + base
            if not (_HALF_CHARACTER.search(text, start, at) and _halved(value)):
                yield start, at, value


def _past_run(text: str, start: int) -> int:
    """Where to look on: after `start`, or near the end of a run of brackets too deep to be read."""
    run = _RUN.match(text, start)
    return start + 1 if run is None else max(start + 1, run.end() - MAX_DEPTH)


def _held_against(schema: Schema, value: object, what: str) -> Result:
    wrong = problems(schema, value)
    if not wrong:
        return verdict(True, "is valid and follows the schema")
    return verdict(
        False,
        f"{what} does not follow the schema: {listed_problems(wrong)}",
        details={"problems": wrong[:50]},
    )
