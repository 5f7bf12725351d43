"""Dates in figures: 2018-05-18, 20180518, 18.5.2018, 2018年5月18日, 平成30年5月18日, 05/2018."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import replace

import regex

from llmeval.checks.facts.centuries import centuries
from llmeval.checks.facts.date_values import Date, Precision, make
from llmeval.checks.facts.tokens import Tokens

_ERAS = {"明治": 1867, "大正": 1911, "昭和": 1925, "平成": 1988, "令和": 2018}
"""The year before the first one of each era of Japan."""
_YEAR_FIRST = (
    regex.compile(
        r"(?P<year>\d{3,4})\s?[年년](?:\s?(?P<month>\d{1,2})\s?[月월]"
        r"(?:\s?(?P<day>\d{1,2})\s?[日일])?)?"
    ),
    regex.compile(
        rf"(?P<era>{'|'.join(_ERAS)})\s?(?P<year>\d{{1,2}}|元)\s?年"
        r"(?:\s?(?P<month>\d{1,2})\s?月(?:\s?(?P<day>\d{1,2})\s?日)?)?"
    ),
    regex.compile(
        r"(?:ngày\s(?P<day>\d{1,2})\s)?tháng\s(?P<month>\d{1,2})(?:\snăm|\s?[,/])?\s"
        r"(?P<year>\d{4})",
        regex.IGNORECASE,
    ),
    regex.compile(
        r"(?<![\d./-])(?P<month>0?[1-9]|1[0-2])\s?/\s?(?P<year>(?:19|20)\d{2})(?![\d/-])(?P<day>)"
    ),
    regex.compile(
        r"(?<![\d./-])(?P<year>\d{4})(?P<mark>[-/.])(?P<month>\d{1,2})(?P=mark)(?P<day>\d{1,2})"
        r"(?![\d/-])"
    ),
    regex.compile(
        r"(?<![\d.,-])(?P<year>(?:19|20)\d{2})(?P<month>0[1-9]|1[0-2])(?P<day>0[1-9]|[12]\d|3[01])"
        r"(?![\d,-]|\.\d)"
    ),
)
"""Forms whose order is known."""
_NUMERIC = regex.compile(r"(?<![\d./-])(\d{1,2})([./-])(\d{1,2})\2(\d{4}|\d{2})(?![\d/]|\.\d|-\d)")


def dates_in_figures(words: Tokens, month_first: bool | None) -> list[Date]:
    """Every date in figures, and every century.

    `month_first`: whether 06/02 is 2 June; None where it is not known.
    """
    raw = words.raw
    result = [
        _located(words, date, *match.span())
        for pattern in _YEAR_FIRST
        for match in pattern.finditer(raw)
        if (date := _date(match)) is not None
    ]
    result += [
        _located(words, Date(Precision.CENTURY, year), start, end)
        for year, start, end in centuries(raw)
    ]
    return [*result, *_numeric(words, month_first)]


def _date(match: "regex.Match[str]") -> Date | None:
    groups = match.groupdict()
    year = 1 if groups["year"] == "元" else int(groups["year"])
    month, day = (int(groups[name]) if groups[name] else None for name in ("month", "day"))
    return make(_ERAS.get(groups.get("era") or "", 0) + year, month, day)


def _numeric(words: Tokens, month_first: bool | None) -> Iterator[Date]:
    """`18/05/2018`, in the order of the locale; with the other order where that is not known."""
    for m in _NUMERIC.finditer(words.raw):
        one, two, year = int(m[1]), int(m[3]), int(m[4])
        year += 0 if len(m[4]) == 4 else 1900 if year > 50 else 2000
        first, second = make(year, one, two), make(year, two, one)
        american = month_first if month_first is not None else m[2] == "/"
        date = (first if american else second) or first or second
        if date is None:
            continue
        other = second if date is first else first
        if month_first is not None or m[2] == ".":
            other = None  # the locale, or the dots of day.month.year, settle the order
        swapped = (other.month or 1, other.day or 1) if other and other is not date else None
        yield _located(words, replace(date, other=swapped), *m.span())


def _located(words: Tokens, result: Date, start: int, end: int) -> Date:
    first = bisect_right(words.starts, start) - 1
    last = bisect_left(words.ends, end)
    return replace(
        result, first=max(first, 0), last=min(last, len(words) - 1), start=start, end=end
    )
