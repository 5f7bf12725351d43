"""One field of an extracted record against the wanted value, and in which way it is wrong."""

import re
from functools import lru_cache
from typing import NamedTuple

from llmeval.checks.builtin.data.json_diff import MatchOptions, compared, shown
from llmeval.checks.facts.date_values import Date, Precision
from llmeval.checks.facts.dates import dates
from llmeval.checks.facts.locale import read_numbers
from llmeval.checks.facts.tokens import Tokens
from llmeval.checks.reading.plain_numbers import plain_number
from llmeval.checks.reading.text import fold
from llmeval.core.errors import CheckError

_PUNCTUATION = re.compile(r"(?<!\d)[.,]|[.,](?!\d)|[;:!?'\"()/]|(?<=\w)-|-(?!\d)")
_DASHES = re.compile(r"(?<=\d)-(?=[^\W\d])|(?<=[^\W\d])-(?=\d)")
_DIGITS = re.compile(r"[+-]?\d[\d,.’' \u00a0\u202f]*")


class FieldRule(NamedTuple):
    """How one field is compared; see the check `json_fields`."""

    tolerance: float = 0.0
    fold: bool = False
    date: bool = False


def field_trouble(expected: object, actual: object, rule: FieldRule) -> str:
    """In which way a field is wrong; empty where it is right.

    Args:
        expected: the wanted JSON value; None wants none.
        actual: the value of the answer.
        rule: how they are compared.

    Raises:
        CheckError: the wanted value is not a date, although the rule is about dates.
    """
    if expected is None:
        return "" if actual is None else f"is {shown(actual)}, expected no value"
    if actual is None:
        return f"is null, expected {shown(expected)}"
    if rule.date:
        return _date_trouble(expected, actual)
    if isinstance(expected, int | float) and not isinstance(expected, bool):
        return _number_trouble(expected, actual, rule.tolerance)
    if isinstance(expected, str):
        return _text_trouble(expected, actual, rule)
    result = compared(expected, actual, MatchOptions(False, False, rule.tolerance))
    return "" if result.passed else result.reason


def _number_trouble(expected: float, actual: object, tolerance: float) -> str:
    difference = f"is {shown(actual)}, expected {shown(expected)}"
    if isinstance(actual, str):
        return f"{difference}{_number_as_text(expected, actual, tolerance)}"
    if isinstance(actual, bool) or not isinstance(actual, int | float):
        return difference
    if _same_number(expected, actual, tolerance):
        return ""
    return f"{difference}{_how_far(expected, actual, tolerance)}"


def _same_number(expected: float, actual: float, tolerance: float) -> bool:
    return bool(compared(expected, actual, MatchOptions(False, False, tolerance)).passed)


def _number_as_text(expected: float, actual: str, tolerance: float) -> str:
    values = _readings(actual)
    if not values:
        return ": a text instead of a number"
    if not any(_same_number(expected, value, tolerance) for value in values):
        return ": a number as text, and another one"
    written = plain_number(actual)
    separated = written is None or not _same_number(expected, written, tolerance)
    return ": a number as text" + (", with separators or a unit" if separated else "")


def _readings(text: str) -> list[float]:
    """The numbers that a text may state: in JSON's form, or with separators and a currency."""
    number = plain_number(text)
    values = [] if number is None else [number]
    match = _DIGITS.search(text)
    digits = "" if match is None else re.sub(r"[’' \u00a0\u202f]", "", match[0]).strip(".,")
    if digits and len(re.findall(r"\d", digits)) == len(re.findall(r"\d", text)):
        for group, point in ((",", "."), (".", ",")):
            value = plain_number(digits.replace(group, "").replace(point, "."))
            values += [] if value is None else [value]
    return values


def _how_far(expected: float, actual: float, tolerance: float) -> str:
    """What the difference looks like: a separator that was misread, a factor of ten, the sign."""
    if _same_number(expected, -actual, tolerance):
        return ": the sign is wrong"
    for factor in (1000, 1_000_000):
        if _close(actual * factor, expected, tolerance):
            return ": a thousands separator was read as a decimal point"
        if _close(actual, expected * factor, tolerance):
            return ": a decimal point was read as a thousands separator"
    for factor in (10, 100):
        if _close(actual, expected * factor, tolerance):
            return f": {factor} times the wanted number"
        if _close(actual * factor, expected, tolerance):
            return f": the wanted number divided by {factor}"
    return ""


def _close(one: float, other: float, tolerance: float) -> bool:
    return other != 0 and abs(one - other) <= max(tolerance, 1e-9 * abs(other))


def _text_trouble(expected: str, actual: object, rule: FieldRule) -> str:
    difference = f"is {shown(actual)}, expected {shown(expected)}"
    if not isinstance(actual, str):
        return f"{difference}: not a text"
    if actual == expected:
        return ""
    # Two texts of punctuation alone fold to nothing, which says nothing about them.
    folded = folded_text(actual) == folded_text(expected) != ""
    if rule.fold:
        return "" if folded else difference
    return (
        f"{difference}: only case, punctuation or space differ (`fold: true`)"
        if folded
        else difference
    )


def folded_text(text: str) -> str:
    """A text without case, punctuation and double spaces. Marks inside numbers stay."""
    return " ".join(_PUNCTUATION.sub(" ", fold(text)).split())


def _date_trouble(expected: object, actual: object) -> str:
    expected_date = read_date(expected) if isinstance(expected, str) else None
    if expected_date is None or _is_open(expected_date):
        raise CheckError(
            f"json_fields: the wanted {shown(expected)} is not a date that leaves no doubt; write"
            " 2031-04-03"
        )
    difference = f"is {shown(actual)}, expected {shown(expected)}"
    read = read_date(actual) if isinstance(actual, str) else None
    if read is None:
        return f"{difference}: not one full date"
    if _is_open(read):
        return f"{difference}: the order of day and month is open"
    if (read.year, read.month, read.day) == (
        expected_date.year,
        expected_date.month,
        expected_date.day,
    ):
        return ""
    if (read.year, read.month, read.day) == (
        expected_date.year,
        expected_date.day,
        expected_date.month,
    ):
        return f"{difference}: day and month are swapped"
    return difference


def _is_open(read: Date) -> bool:
    """Whether 03/04/2031 leaves the order of day and month open; 04/04/2031 does not."""
    return read.other is not None and read.other != (read.month, read.day)


@lru_cache(maxsize=512)
def read_date(text: str) -> Date | None:
    """The one full date of a text, in any form; None where there is none, or more than one. Its
    `other` is the second reading of a date such as 03/04/2031."""
    words = Tokens(_DASHES.sub(" ", text[:200]))
    days = [date for date in dates(words, read_numbers(words)) if date.precision is Precision.DAY]
    if len(days) != 1 or days[0].year is None:
        return None
    return days[0]
