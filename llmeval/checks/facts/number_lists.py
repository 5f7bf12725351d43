"""Texts that list whatever might be right: rows of numbers, strings of words."""

from collections.abc import Sequence

import regex

from llmeval.checks.facts.locale import function_words
from llmeval.checks.facts.numbers import Number
from llmeval.checks.facts.question_cues import ASKS_AMOUNT, asks_many
from llmeval.checks.facts.tokens import STOPWORDS, Tokens

_LONG_LIST = 4
"""So many numbers in a row are candidates."""
_BARE_LIST = 3
_WHOLE = 0.9
"""So many where they are all of the text, or nearly."""
_DATE_MARKS = frozenset("/-–.")
_HUGE_LIST = 18
"""The same where the question asks for several."""
_BETWEEN_NUMBERS = regex.compile(
    r"[\s.,;/|•\-–]*(?:\b(?:and|or|und|oder|et|ou|y|o|e)\b)?[\s,;/|•\-]*"
)


_FIGURES = regex.compile(r"\d{1,12}")


def in_number_list(numbers: Sequence[Number], index: int, raw: str, question: str) -> bool:
    """Whether the number is one of at least four in a row with nothing but separators between
    them."""
    low = high = index
    while low > 0 and _only_separators(raw, numbers[low - 1], numbers[low]):
        low -= 1
    while high + 1 < len(numbers) and _only_separators(raw, numbers[high], numbers[high + 1]):
        high += 1
    least = _HUGE_LIST if asks_many(question) and not ASKS_AMOUNT.search(question) else _LONG_LIST
    values = {numbers[i].value for i in range(low, high + 1)}
    row = raw[numbers[low].start : numbers[high].end]
    whole = len(row) >= _WHOLE * len(raw.strip(" ."))
    if least == _LONG_LIST and whole and _DATE_MARKS.isdisjoint(row):
        least = _BARE_LIST
    shown = {int(figures) for figures in _FIGURES.findall(question)}
    if numbers[index].value not in shown:
        values -= shown  # the series of "What comes after 1, 2, 4, 8?" is no list of candidates
    return len(values) >= least


def _only_separators(raw: str, one: Number, two: Number) -> bool:
    return two.start - one.end <= 8 and bool(_BETWEEN_NUMBERS.fullmatch(raw, one.end, two.start))


def is_word_salad(words: Tokens, language: str = "en") -> bool:
    """Whether twenty words or more follow each other without a mark, with hardly any that join them
    to sentences in the language."""
    count = len(words)
    if not 20 <= count <= 2000 or len(_MARK.findall(words.raw)) * 10 > count:
        return False
    joining = STOPWORDS | function_words(language)
    return sum(form in joining for form in words.forms) * 8 < count


_MARK = regex.compile(r"[.,;:!?]\s")
