"""Answers and passed answers of each day: what the detector reads, and the file that holds them."""

import json
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import NamedTuple

from llmeval.core.errors import NothingEvaluated, UsageError

LEAST_ANSWERS = 5
"""A day with fewer answers is added to the next one: its rate says next to nothing."""
_KEYS = ("day", "n", "passed")


class DayCount(NamedTuple):
    """One day of one metric. `day`: a date such as `2026-11-30` (UTC), or a number of a day.
    `answers`: scored answers, at least 0. `passed`: the passed ones of them.
    """

    day: str | int
    answers: int
    passed: int

    @property
    def rate(self) -> float:
        """The share of passed answers, in [0, 1]."""
        return self.passed / self.answers


def read_day_counts(path: Path) -> list[DayCount]:
    """The days of a JSONL file with one `{"day": .., "n": .., "passed": ..}` a line, by day.

    Raises:
        UsageError: the file can't be read, or a line holds no such count (file, line, fix).
        NothingEvaluated: the file holds no day.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: can't be read: {error}") from None
    lines = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    days = [_parsed(line, f"{path}:{number}") for number, line in lines]
    if not days:
        raise NothingEvaluated(f"{path}: the file holds no day")
    if len({type(each.day) for each in days}) > 1:
        raise UsageError(f"{path}: the days must be all dates or all numbers")
    first_line: dict[str | int, int] = {}
    for each, (number, _) in zip(days, lines, strict=True):
        if each.day in first_line:
            raise UsageError(
                f"{path}:{number}: day {each.day} already stands in line {first_line[each.day]}."
                " Each day needs one line"
            )
        first_line[each.day] = number
    return sorted(days, key=lambda each: each.day)


def _parsed(line: str, where: str) -> DayCount:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{where}: is not JSON: {error}") from None
    if not isinstance(row, dict):
        raise UsageError(
            f'{where}: must be an object such as {{"day": "2026-11-30", "n": 100, "passed": 91}}'
        )
    missing = [key for key in _KEYS if key not in row]
    if missing:
        raise UsageError(f"{where}: lacks {', '.join(missing)} (needed: {', '.join(_KEYS)})")
    answers, passed = (_whole(row[key], key, where) for key in ("n", "passed"))
    if passed > answers:
        raise UsageError(f"{where}: passed is {passed}, but n is {answers}")
    return DayCount(_day(row["day"], where), answers, passed)


def _whole(value: object, key: str, where: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**53:
        raise UsageError(f"{where}: {key} must be a whole number of at least 0, and is {value!r}")
    return value


def _day(value: object, where: str) -> str | int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    try:
        return date.fromisoformat(str(value)[:10]).isoformat()
    except ValueError:
        raise UsageError(
            f"{where}: day must be a date such as 2026-11-30 or a whole number, and is {value!r}"
        ) from None


def joined_small_days(days: Iterable[DayCount]) -> list[DayCount]:
    """The looks: days with fewer than `LEAST_ANSWERS` answers are added to the next day.

    Days at the end that are too small for a look are left out, until the next day comes.
    """
    looks: list[DayCount] = []
    answers = passed = 0
    for each in days:
        answers, passed = answers + each.answers, passed + each.passed
        if answers >= LEAST_ANSWERS:
            looks.append(DayCount(each.day, answers, passed))
            answers = passed = 0
    return looks
