"""Upper and lower case. Only letters that have case count; Unicode's own case is used, so `Ä` and
`Ж` are capitals.
"""

import regex

from llmeval.checks.base import Result, check, not_applicable, verdict
from llmeval.checks.builtin.text.counts import Exactly, Least, Most, Number, past_of, within
from llmeval.checks.reading.text import Piece, iter_words, masked, number_of, word_texts, words_at
from llmeval.checks.reading.wordlists import word_set
from llmeval.core.records import Answer, Case

_CASED = regex.compile(r"\p{Lu}|\p{Ll}|\p{Lt}")
_LOWER = regex.compile(r"\p{Ll}+")
_UPPER = regex.compile(r"[\p{Lu}\p{Lt}]+")
_MINOR = word_set(
    "a an the and but or nor for so yet as at by in of off on per to up via vs with from into "
    "onto over than if"
)
_SHOWN = 20


@check(group="case", version=2)
def uppercase(case: Case, answer: Answer) -> Result:
    """No letter is a small letter."""
    return _only(answer.text, _LOWER, "small letters")


@check(group="case", version=2)
def lowercase(case: Case, answer: Answer) -> Result:
    """No letter is a capital."""
    return _only(answer.text, _UPPER, "capitals")


@check(group="case", version=2)
def title_case(case: Case, answer: Answer) -> Result:
    """Every word starts with a capital or digit; short English words (a, of, the...) may be small
    inside a line.
    """
    if not _CASED.search(answer.text):
        return not_applicable("no letters that have case")
    text = masked(answer.text)
    wrong = _small_words(text)
    shown = words_at(text, wrong[:_SHOWN])
    spans = (word.span("starts with a small letter", "title_case") for word in shown)
    return verdict(
        not wrong,
        number_of(len(wrong), "word") + " not capitalised" if wrong else "title case",
        *spans,
    )


@check(group="case", version=2)
def all_caps_words(
    case: Case,
    answer: Answer,
    *,
    exactly: Exactly = None,
    min: Least = None,
    max: Most = None,
    min_letters: Number = 2,
) -> Result:
    """The number of words in capitals lies in the limits; words of fewer than `min_letters` letters
    don't count.
    """
    texts = word_texts(answer.text)
    counted = {word for word in set(texts) if word.isupper() and _letters(word) >= min_letters}

    def past(limit: int) -> Piece | None:
        return past_of([word for word in iter_words(answer.text) if word.text in counted])(limit)

    count = sum(1 for text in texts if text in counted)
    return within(count, "word in capitals|words in capitals", exactly, min, max, past)


def _letters(word: str) -> int:
    return sum(1 for letter in word if letter.isalpha())


def _only(text: str, wrong: "regex.Pattern[str]", what: str) -> Result:
    if not _CASED.search(text):
        return not_applicable("no letters that have case")
    matches = [Piece(m[0], m.start(), m.end()) for m in wrong.finditer(text)]
    if not matches:
        return verdict(True, f"no {what}")
    spans = (piece.span(what, "case") for piece in matches[:_SHOWN])
    return verdict(
        False, f"{number_of(len(matches), 'place')} with {what}, first {matches[0].text!r}", *spans
    )


def _small_words(text: str) -> list[int]:
    """The numbers of the words with a small first letter, but for minor ones that neither start nor
    end a line.
    """
    wrong: list[int] = []
    count = 0
    for line in text.split("\n"):
        texts = word_texts(line)
        last = len(texts) - 1
        wrong += [
            count + index
            for index, word in enumerate(texts)
            if word[0].islower() and (word not in _MINOR or index in (0, last))
        ]
        count += len(texts)
    return wrong
