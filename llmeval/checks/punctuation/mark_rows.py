"""Whether marks in a row exclude each other (`late,. so`) or are too many. The first rule that has
a verdict decides.

`tests/checks/punctuation/test_punctuation_tables.py` has an example of each verdict of each rule.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

from llmeval.checks.punctuation.locales import Locale
from llmeval.checks.punctuation.masking import OBJECT
from llmeval.checks.reading.decisions import decide

_VOWEL = re.compile(r"[aeiouyäöüàáâãåæèéêëìíîïòóôõøùúûýœı]", re.IGNORECASE)
_DIGIT = re.compile("[0-9]")


class MarkRow(NamedTuple):
    """Two marks or more in a row."""

    marks: str
    neighbours: str
    """The characters on both sides."""
    token: str
    """The word before, with the dots inside."""
    locale: Locale


class RowVerdict(NamedTuple):
    """The id of the rule of punctuation that is broken, and what to change; both empty where the
    row is right.
    """

    rule: str = ""
    message: str = ""


RIGHT = RowVerdict()


def _only_dots(row: MarkRow) -> RowVerdict | None:
    """`...` is an ellipsis, four dots are an ellipsis and a stop; in Chinese it has six. `..` is a
    slip.
    """
    if row.marks.strip("."):
        return None
    if len(row.marks) == 2:
        return RowVerdict("doubled", "one '.' is enough, or three for an ellipsis")
    too_many = len(row.marks) >= 5 and not row.locale.cjk
    return RowVerdict("ellipsis", "an ellipsis has three dots") if too_many else RIGHT


def _only_ellipses(row: MarkRow) -> RowVerdict | None:
    """`……` is one ellipsis in Chinese, and two elsewhere."""
    if row.marks.strip("…"):
        return None
    most = 2 if row.locale.cjk else 1
    return RowVerdict("ellipsis", "one … is enough") if len(row.marks) > most else RIGHT


def _same(row: MarkRow) -> RowVerdict | None:
    """`late,,` and `late??`."""
    if len(set(row.marks)) > 1:
        return None
    return RowVerdict("doubled", f"one {row.marks[0]!r} is enough")


def _surprised(row: MarkRow) -> RowVerdict | None:
    """`What?!` and `What?!?`, but not `What!!?`."""
    mixed = set(row.marks) <= set("!?！？") and len(row.marks) <= 3
    return RIGHT if mixed and row.marks not in ("!!?", "??!") else None


def _ellipsis_first(row: MarkRow) -> RowVerdict | None:
    """`Wait...?` and `and so on...,`: one mark may follow an ellipsis, and several of `!?`."""
    rest = row.marks.lstrip(".…")
    if not row.marks.startswith(("...", "…")) or (len(rest) > 1 and rest.strip("!?")):
        return None
    too_many = len(row.marks) - len(rest) > 4
    return RowVerdict("ellipsis", "three dots are enough") if too_many else RIGHT


def _ellipsis_last(row: MarkRow) -> RowVerdict | None:
    """`What?...`; Russian writes `?..` and `!..`."""
    russian = row.locale.language == "ru" and row.marks in ("!..", "?..")
    return RIGHT if row.marks.lstrip("!?") in ("...", "…") or russian else None


def _after_abbreviation(row: MarkRow) -> RowVerdict | None:
    """`Inc., which`: the dot belongs to the word."""
    dotted = len(row.marks) == 2 and row.marks[0] == "." and row.marks[1] in ",;:?!"
    return RIGHT if dotted and may_be_abbreviation(row.token, row.locale) else None


def _beside_object(row: MarkRow) -> RowVerdict | None:
    """``run `f`:,``: the colon may belong to the code or the address."""
    return RIGHT if OBJECT in row.neighbours and row.marks[0] == ":" else None


def _clash(row: MarkRow) -> RowVerdict | None:
    """`late,. so`."""
    return RowVerdict("clash", f"{row.marks!r}: keep one of these marks")


RULES: tuple[Callable[[MarkRow], RowVerdict | None], ...] = (
    _only_dots,
    _only_ellipses,
    _same,
    _surprised,
    _ellipsis_first,
    _ellipsis_last,
    _after_abbreviation,
    _beside_object,
    _clash,
)


def row_verdict(row: MarkRow) -> RowVerdict:
    """What is wrong with the row."""
    return decide(RULES, row)


def may_be_abbreviation(token: str, locale: Locale) -> bool:
    """Whether a word before a dot may be an abbreviation, after which other marks follow the dot: a
    listed one, one letter, one with dots inside (`U.S`), or one that can't be spoken (`Bldg`). A
    word of a script without vowels in `_VOWEL` is taken as a word.
    """
    last = token.rpartition(".")[2]
    if not token:
        return False
    if token.lower() in locale.abbreviations or last.lower() in locale.abbreviations:
        return True
    spoken = _VOWEL.search(last) or _DIGIT.search(last) or not last.isascii()
    return len(last) == 1 or "." in token or not spoken
