"""Dates in a text, as precise as they are written: day, month, year, decade or century.

Only explicit dates are read; relative ones (yesterday) are not, and no part is ever filled in from
today.
"""

from collections.abc import Sequence
from dataclasses import replace

import regex

from llmeval.checks.facts.centuries import ERA_AFTER
from llmeval.checks.facts.date_patterns import dates_in_figures
from llmeval.checks.facts.date_values import (
    AMBIGUOUS_MONTHS,
    MONTHS,
    WORDLIKE_MONTHS,
    Date,
    Precision,
    make,
)
from llmeval.checks.facts.numbers import Number
from llmeval.checks.facts.tokens import Tokens

_SKIPPED = frozenset(["of", "de", "del", "di", "the", "in", "er", "o", "a", "do", "re"])
_APART = regex.compile(r"[;.\n(]")
_AD_BEFORE = regex.compile(r"(?:AD|A\.D\.)\s$")
_CENTURY = frozenset(
    ["century", "centuries", "jahrhundert", "jahrhunderts", "siecle", "siglo", "secolo", "seculo"]
)
_DECADES = {
    name: 10 * n
    for n, name in enumerate(
        "twenties thirties forties fifties sixties seventies eighties nineties".split(), 2
    )
}


def dates(words: Tokens, numbers: Sequence[Number], month_first: bool | None = None) -> list[Date]:
    """Every date of the text, in order; overlapping readings keep the longest.

    `month_first`: whether 06/02 is 2 June; None where it is not known.
    """
    result = [*dates_in_figures(words, month_first), *_named(words, numbers)]
    taken = [(d.start, d.end) for d in result]
    result += [
        d for d in _years(words, numbers) if not any(a < d.end and d.start < b for a, b in taken)
    ]
    return sorted(result, key=lambda d: d.start)


def _named(words: Tokens, numbers: Sequence[Number]) -> list[Date]:
    """Dates with the name of a month."""
    if words.stem_set.isdisjoint(MONTHS) and not any(form in MONTHS for form in words.forms):
        return []
    at = {number.first: number for number in numbers}
    until = {number.last: number for number in numbers}
    result = []
    for index, form in enumerate(words.forms):
        if form in MONTHS:
            date = _around(words, index, at, until)
            result += [*_other_day(date, numbers, at, until), date] if date is not None else []
    return _shared_years(words, result, at)


def _around(
    words: Tokens, index: int, at: dict[int, Number], until: dict[int, Number]
) -> Date | None:
    """The date around the month's name at `index`."""
    month, first, last = MONTHS[words.forms[index]], index, index
    day = _day_before(words, index, until)
    if day is not None:
        first = day.first
    else:
        after = index + 2 if _form_at(words, index + 1) == "the" else index + 1
        day = _day(at.get(after)) if _near(words, after) else None
        last = day.last if day else index
    year = _year_after(words, last, at)
    if year is not None:
        last = year.last
    else:
        year = _year_before(words, first, until)
        first = year.first if year else first
    if (
        day is None
        and year is None
        and words.forms[index] in WORDLIKE_MONTHS
        and not _is_name(words, index)
    ):
        return None
    value, end = _era(words, year) if year else (None, words.ends[last])
    date = make(value, month, int(day.value) if day else None)
    if date is None:
        return None
    return replace(
        date, first=first, last=last, start=words.starts[first], end=max(end, words.ends[last])
    )


def _form_at(words: Tokens, index: int) -> str:
    return words.forms[index] if index < len(words) else ""


def _year_before(words: Tokens, first: int, until: dict[int, Number]) -> Number | None:
    """The year of `2011, October 29`."""
    number = until.get(first - 1)
    if number is None or not number.bare or not _near(words, first):
        return None
    return number if isinstance(number.value, int) and 1000 <= number.value < 2200 else None


def _other_day(
    date: Date, numbers: Sequence[Number], at: dict[int, Number], until: dict[int, Number]
) -> list[Date]:
    """The other day of `6-14 July` or `April 11 to 15`."""
    if date.day is None:
        return []
    number = at.get(date.first) or until.get(date.last)
    other = numbers[number.partner] if number and number.partner is not None else None
    if number is None or number.value != date.day or _day(other) is None or other is None:
        return []
    built = make(date.year, date.month, int(other.value))
    return (
        [replace(built, first=other.first, last=other.last, start=other.start, end=other.end)]
        if built
        else []
    )


def _near(words: Tokens, index: int) -> bool:
    """Whether word `index` follows the one before it within a date: a full stop only after a number
    or a short form."""
    if index >= len(words) or len(words.gap(index)) > 3:
        return False
    marks = (
        " \u00a0,."
        if index and (len(words.forms[index - 1]) <= 4 or words.forms[index - 1].isdigit())
        else " \u00a0,"
    )
    return words.gap(index).strip(marks) == ""


def _day(number: Number | None) -> Number | None:
    """The number if it can be a day of a month."""
    if (
        number is None
        or number.unit
        or not isinstance(number.value, int)
        or not 1 <= number.value <= 31
    ):
        return None
    return number


def _day_before(words: Tokens, index: int, until: dict[int, Number]) -> Number | None:
    at = index
    while at and words.forms[at - 1] in _SKIPPED and index - at < 2 and _near(words, at):
        at -= 1
    return _day(until.get(at - 1)) if at and _near(words, at) else None


def _year_after(words: Tokens, last: int, at: dict[int, Number]) -> Number | None:
    index = last + 1
    while (
        index < len(words)
        and words.forms[index] in _SKIPPED
        and index - last < 2
        and _near(words, index)
    ):
        index += 1
    number = at.get(index)
    if number is None or number.unit or not isinstance(number.value, int):
        return None
    if (
        words.gap(index).strip(" ,") in ("'", "’")
        and 0 <= number.value < 100
        and len(words.forms[index]) == 2
    ):
        return _full_year(number)
    if not _near(words, index):
        return None
    written = bool(ERA_AFTER.match(words.raw, number.end))
    return (
        number
        if (number.bare and 100 <= number.value < 2200) or (written and number.value < 10000)
        else None
    )


def _full_year(number: Number) -> Number:
    """`'20` is 2020, `'85` is 1985."""
    value = int(number.value)
    return replace(number, value=value + (1900 if value > 50 else 2000))


def _is_name(words: Tokens, index: int) -> bool:
    """Whether a word such as `May` or `March` is a month by itself: with a capital, alone or after
    a preposition."""
    if not words.raw[words.starts[index]].isupper():
        return False
    if len(words) == 1:
        return words.forms[index] not in AMBIGUOUS_MONTHS
    if index == 0:
        return False
    return words.forms[index - 1] in (
        "in",
        "of",
        "since",
        "until",
        "by",
        "early",
        "mid",
        "late",
        "im",
        "en",
        "from",
        "to",
        "is",
        "was",
        "month",
    )


def _era(words: Tokens, number: Number) -> tuple[int, int]:
    """The number as a year (below 0 for BC), and where it ends."""
    match = ERA_AFTER.match(words.raw, number.end)
    value = int(number.value)
    if match is None:
        return value, number.end
    return (-value if match[1] else value), match.end()


def _shared_years(words: Tokens, result: list[Date], at: dict[int, Number]) -> list[Date]:
    """`July 6 to July 14, 2018`: a date without a year takes that of the next one close by."""
    for i in range(len(result) - 2, -1, -1):
        one, two = result[i], result[i + 1]
        if (
            one.year is None
            and two.year is not None
            and two.start - one.end <= 9
            and not _APART.search(words.raw, one.end, two.start)
        ):
            result[i] = replace(one, year=two.year, partner=True)
    return result


def _years(words: Tokens, numbers: Sequence[Number]) -> list[Date]:
    result = []
    for number in numbers:
        date = _decade(words, number) or _century(words, number) or _year(words, number)
        if date is not None:
            result.append(date)
    for index, form in enumerate(words.forms):
        if (
            form in _DECADES
            and index
            and words.forms[index - 1] in ("the", "nineteen", "early", "late", "mid")
        ):
            place = words.place(index, index)
            result.append(
                Date(Precision.DECADE, 1900 + _DECADES[form], None, None, index, index, *place)
            )
    return result


def _decade(words: Tokens, number: Number) -> Date | None:
    """`1980s`, `1980's`, `'80s`."""
    after = number.last + 1
    if (
        number.unit
        or after >= len(words)
        or words.forms[after] != "s"
        or words.gap(after) not in ("", "'", "’")
    ):
        return None
    value = number.value
    if not isinstance(value, int) or value % 10:
        return None
    if 10 <= value <= 90:
        value += 1900
    precision = Precision.CENTURY if value % 100 == 0 and value < 2000 else Precision.DECADE
    return Date(precision, value, None, None, number.first, after, number.start, words.ends[after])


def _century(words: Tokens, number: Number) -> Date | None:
    after = number.last + 1
    if (
        after >= len(words)
        or words.forms[after] not in _CENTURY
        or (not number.ordinal and number.value > 21)
    ):
        return None
    if not isinstance(number.value, int) or not 1 <= number.value <= 40:
        return None
    match = ERA_AFTER.match(words.raw, words.ends[after])
    year = (number.value - 1) * 100
    year = -year - 1 if match and match[1] else year
    end = match.end() if match else words.ends[after]
    return Date(Precision.CENTURY, year, None, None, number.first, after, number.start, end)


def _year(words: Tokens, number: Number) -> Date | None:
    if (
        number.ordinal
        or not isinstance(number.value, int)
        or (number.unit and number.unit.dimension != "time")
    ):
        return None
    era = ERA_AFTER.match(words.raw, number.end) or _AD_BEFORE.search(
        words.raw, max(0, number.start - 5), number.start
    )
    if era is not None and 0 < number.value < 10000 and number.unit is None:
        value, end = _era(words, number)
        return Date(Precision.YEAR, value, None, None, number.first, number.last, number.start, end)
    if len(number.others) == 1 and number.others[0] == number.value // 10:
        year = int(number.others[0])
        return Date(
            Precision.YEAR,
            year,
            None,
            None,
            number.first,
            number.last,
            number.start,
            number.start + 4,
        )
    if not number.bare or not 1000 <= number.value < 2200 or number.unit:
        return None
    return Date(
        Precision.YEAR,
        number.value,
        None,
        None,
        number.first,
        number.last,
        number.start,
        number.end,
    )
