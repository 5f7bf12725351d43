"""Checks of CSV, YAML and TOML."""

import csv as stdlib_csv
import io
import re
from collections.abc import Callable
from datetime import date, datetime, time
from typing import Annotated, Literal

from pydantic import Field

from llmeval.checks.arguments import Count, Text, clip, counted
from llmeval.checks.base import Result, check, verdict
from llmeval.checks.builtin.data.schemas import Schema, listed_problems, problems
from llmeval.checks.reading.payload import MAX_DEPTH, Fence, Malformed, body, malformed_fails, read
from llmeval.core.errors import CheckError
from llmeval.core.records import Answer, Case

TOML_CHARS = 200_000
_MAX_DOTS = 50
_LONG_NAME = 4
"""Words that the name of a single column has at most; more are prose."""
# tomllib takes time that grows with the square of the number of parts of a key
_KEY = r"(?:[\w-]{1,50}+|\"[^\"\n]{0,50}+\"|'[^'\n]{0,50}+')[ \t]*+"
_LONG_KEY = re.compile(rf"{_KEY}(?:\.[ \t]*+{_KEY}){{{_MAX_DOTS}}}")
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?", re.ASCII)


def _day(text: str) -> bool:
    return (
        re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII) is not None
        and date.fromisoformat(text) is not None
    )


_TYPES: dict[str, Callable[[str], bool]] = {
    "integer": lambda text: re.fullmatch(r"[-+]?\d+", text, re.ASCII) is not None,
    "number": lambda text: _NUMBER.fullmatch(text) is not None,
    "date": _day,
    "boolean": lambda text: text.lower() in ("true", "false"),
    "filled": lambda text: text.strip() != "",
}
Type = Literal["integer", "number", "date", "boolean", "filled"]


@check(group="data formats", version=2)
@malformed_fails
def csv(
    case: Case,
    answer: Answer,
    *,
    columns: Annotated[list[Text], Field(min_length=1)] | None = None,
    min_rows: Count = 1,
    max_rows: Count | None = None,
    delimiter: Annotated[str, Field(min_length=1, max_length=1, pattern=r'[^"\r\n]')] = ",",
    types: dict[str, Type] | None = None,
    fence: Fence = "allow",
) -> Result:
    """The answer is CSV with a header: each row as long as the header, these `columns` in order, so
    many rows.

    The names of the columns must differ, and none may be empty. A single column is CSV where its
    header reads as a name, and not as prose. `types`: what the values of a column must be:
    integer, number, date (ISO 8601), boolean or filled.
    """
    part = body(answer.text, fence, "CSV")
    header, *rows = _rows(part.text, delimiter)
    names = [name.strip() for name in header]
    if columns is not None and names != columns:
        return verdict(
            False, f"the columns are {', '.join(map(clip, names[:20]))}, not {', '.join(columns)}"
        )
    unfit = _unfit(names, columns, delimiter)
    if unfit is not None:
        return verdict(False, unfit)
    for number, row in enumerate(rows, 2):
        if len(row) != len(names):
            return verdict(False, f"row {number} has {len(row)} values for {len(names)} columns")
    wrong = _wrong_types(names, rows, types or {})
    if wrong is not None:
        return verdict(False, wrong)
    return counted(
        len(rows), "row below the header|rows below the header", None, min_rows, max_rows
    )


def _unfit(names: list[str], columns: list[str] | None, delimiter: str) -> str | None:
    """Why these are no names of columns; None if they are."""
    empty = next((place for place, name in enumerate(names, 1) if not name), None)
    if empty is not None:
        return f"column {empty} has no name"
    twice = next((name for place, name in enumerate(names) if name in names[:place]), None)
    if twice is not None and columns is None:
        return f"two columns are called {clip(twice)}"
    if (
        len(names) == 1
        and columns is None
        and (len(names[0].split()) > _LONG_NAME or names[0][-1] in ".:!?,;")
    ):
        return f"has no {delimiter!r} in its first line, which reads as prose"
    return None


def _rows(text: str, delimiter: str) -> list[list[str]]:
    reader = stdlib_csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        rows = [row for row in reader if row]
    except stdlib_csv.Error as error:
        if "field limit" in str(error):
            raise CheckError(f"the CSV cannot be read: {error}") from None
        raise Malformed(f"not valid CSV: {error} (line {reader.line_num})") from None
    if not rows:
        raise Malformed("has no row")
    return rows


def _wrong_types(names: list[str], rows: list[list[str]], types: dict[str, Type]) -> str | None:
    for name, kind in types.items():
        if name not in names:
            return f"has no column {clip(name)}"
        at = names.index(name)
        for number, row in enumerate(rows, 2):
            if not _is_a(kind, row[at].strip()):
                return f"row {number}, column {name}: {clip(row[at])} is not {kind}"
    return None


def _is_a(kind: str, text: str) -> bool:
    try:
        return _TYPES[kind](text)
    except ValueError:
        return False


@check(group="data formats", version=2)
@malformed_fails
def yaml(
    case: Case,
    answer: Answer,
    *,
    keys: list[str] = [],  # noqa: B006
    schema: Schema | None = None,
    fence: Fence = "allow",
) -> Result:
    """The answer is one YAML 1.2 mapping or list, without aliases, has these top-level `keys`, and
    follows `schema`.
    """
    from llmeval.checks.builtin.data.yaml_reader import parse_yaml

    value = read(body(answer.text, fence, "YAML"), parse_yaml)
    if not isinstance(value, dict | list):
        return verdict(
            False,
            f"is a plain {'text' if isinstance(value, str) else 'value'}, not a mapping or a list",
        )
    return _held_against(value, keys, schema, "YAML")


@check(group="data formats", version=2)
@malformed_fails
def toml(
    case: Case,
    answer: Answer,
    *,
    keys: list[str] = [],  # noqa: B006
    schema: Schema | None = None,
    fence: Fence = "allow",
) -> Result:
    """The answer is a TOML document that is not empty, has these top-level `keys`, and follows
    `schema`.
    """
    value = read(body(answer.text, fence, "TOML", TOML_CHARS), parse_toml)
    if not value:
        return verdict(False, "is empty")
    return _held_against(value, keys, schema, "TOML")


def parse_toml(text: str) -> dict[str, object]:
    """The value of a TOML document.

    Raises:
        Malformed: it is not one; keys of more than 50 parts and deep nesting count as that.
    """
    import tomllib

    long = _LONG_KEY.search(text)
    if long:
        raise Malformed(
            f"not valid TOML: a key has more than {_MAX_DOTS} parts", long.start(), long.end()
        )
    try:
        return tomllib.loads(text.replace("\r\n", "\n"))
    except tomllib.TOMLDecodeError as error:
        raise Malformed(f"not valid TOML: {error}") from None
    except RecursionError:
        raise Malformed(f"not valid TOML: nested deeper than {MAX_DEPTH}") from None
    except ValueError as error:
        raise Malformed(f"not valid TOML: {error}") from None


def _held_against(value: object, keys: list[str], schema: Schema | None, what: str) -> Result:
    missing = [key for key in keys if not isinstance(value, dict) or key not in value]
    if missing:
        return verdict(False, f"the key {clip(missing[0])} is missing")
    wrong = [] if schema is None else problems(schema, _plain(value))
    if wrong:
        return verdict(False, f"the {what} does not follow the schema: {listed_problems(wrong)}")
    return verdict(True, f"is valid {what}")


def _plain(value: object) -> object:
    """As JSON has it: text for dates and for keys."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value.isoformat() if isinstance(value, date | datetime | time) else value
