"""How hard English text is to read, by the published formulas over own counts of words, sentences
and syllables.

Flesch (1948), "A new readability yardstick"; Kincaid et al. (1975), Navy research report 8-75;
McLaughlin (1969), "SMOG grading: a new readability formula". They were fitted on English prose of
100 words and more.
"""

from collections import Counter
from functools import lru_cache
from typing import Annotated, Literal, NamedTuple

import regex
from pydantic import AfterValidator, Field

from llmeval.checks.base import Result, check, not_applicable, verdict
from llmeval.checks.builtin.text.counts import limits_given
from llmeval.checks.builtin.text.language import identify
from llmeval.checks.reading.sentences import iter_split
from llmeval.checks.reading.text import masked, number_of, word_texts
from llmeval.core.records import Answer, Case

MIN_WORDS = 30
_SMOG_SENTENCES = 10

_CONTRACTION = regex.compile(r"'(?:m|re|ve|ll|d)$|(?<!d|s)n't$|(?<=[ds]n)'t$")
_APART = regex.compile(r"[-'.\d_]+")
_VOWELS = regex.compile(r"[aeiouyáàâäãåéèêëíìîïóòôöõúùûüýÿ]+")
# Vowels beside each other that are two syllables: cre-ate, ri-ot, li-on, flu-id, be-ing, vide-o.
_SPLIT = regex.compile(
    r"ia(?!l$|ll|n$|ns$|r)|(?<=[^cgst])ian|riet|dien|iu|io(?!us|n)|(?<=[^cstx])ion|ii|"
    r"(?<=cr)ea(?=t)|(?<=[^q])ua|uou|uity|ying|eing|oing|eo(?!u|r|pl)|iet|ism$|isms$"
    r"|[^aeiouyt]sm$|(?<=[ds])n$"
)
_SILENT = regex.compile(
    r"(?<=[^aeiouy])e$|(?<=[aeiouy][^aeiouytd]|[^aeiouytd][^aeiouytdlr]|ll|rr)ed$"
    r"|(?<=[^aeiouysxzcgh]|[^sc]h)es$"
    r"|(?<=[aeiouy][^aeiouy])e(?=ly$|ment|ful|less|ness)|que$|gue$"
)
_KEPT = regex.compile(r"[^aeiouylr]le$|[^aeiouyl]les$|[^aeiouyl]led$")


class TextStatistics(NamedTuple):
    """What the formulas need. `hard`: words of three syllables and more."""

    words: int
    sentences: int
    syllables: int
    hard: int

    @property
    def ease(self) -> float:
        """Flesch reading ease: about 100 is very easy, 0 very hard."""
        return 206.835 - 1.015 * self.words / self.sentences - 84.6 * self.syllables / self.words

    @property
    def flesch_kincaid(self) -> float:
        """Flesch-Kincaid grade: years of US school."""
        return 0.39 * self.words / self.sentences + 11.8 * self.syllables / self.words - 15.59

    @property
    def smog(self) -> float:
        """SMOG grade: years of US school for full understanding."""
        return float(1.0430 * (30 * self.hard / self.sentences) ** 0.5 + 3.1291)


_NOTHING = TextStatistics(0, 0, 0, 0)


@lru_cache(maxsize=50_000)
def syllables(word: str) -> int:
    """Syllables of an English word, by spelling; at least 1."""
    lower = word.lower().replace("’", "'").removesuffix("'s")
    lower = _CONTRACTION.sub("", lower)
    # A text may be one word of half a million equal parts, `a.a.a.`
    parts = Counter(part for part in _APART.split(lower) if part)
    return max(1, sum(n * _syllables_of(part) for part, n in parts.items()))


def measure(text: str) -> TextStatistics:
    """The figures of a text; numbers are not words. Zero sentences for a text without any word."""
    clean = masked(text)
    frequency = Counter(word_texts(clean))
    each = [(word, n) for word, n in frequency.items() if any(map(str.isalpha, word))]
    total = sum(n for _, n in each)
    if not total:
        return _NOTHING
    lengths = [(syllables(word), n) for word, n in each]
    hard = sum(n for count, n in lengths if count >= 3)
    sentences = sum(1 for _ in iter_split(clean))
    return TextStatistics(total, max(sentences, 1), sum(count * n for count, n in lengths), hard)


Score = Annotated[float, Field(ge=-1000, le=1000)]
_Last = Annotated[Score | None, Field(validate_default=True)]


@check(group="readability", version=2)
def reading_ease(
    case: Case,
    answer: Answer,
    *,
    min: Score | None = None,
    max: Annotated[_Last, AfterValidator(limits_given)] = None,
) -> Result:
    """Flesch reading ease (English; 60 and more is plain English) lies in the limits."""
    unfit, counts = _measured(answer.text)
    if unfit:
        return unfit
    return _within(counts.ease, min, max, "Flesch reading ease", counts)


@check(group="readability", version=2)
def reading_grade(
    case: Case,
    answer: Answer,
    *,
    max: Score | None = None,
    min: Annotated[_Last, AfterValidator(limits_given)] = None,
    formula: Literal["flesch_kincaid", "smog"] = "flesch_kincaid",
) -> Result:
    """The US school grade needed to read the answer (English) lies in the limits.

    SMOG was fitted on 30 sentences; below 10 it is not applicable.
    """
    unfit, counts = _measured(answer.text)
    if unfit:
        return unfit
    if formula == "smog" and counts.sentences < _SMOG_SENTENCES:
        return not_applicable(
            f"{counts.sentences} sentences; SMOG needs at least {_SMOG_SENTENCES}"
        )
    grade = counts.smog if formula == "smog" else counts.flesch_kincaid
    return _within(grade, min, max, f"{formula} grade", counts)


def _measured(text: str) -> tuple[Result | None, TextStatistics]:
    """The counts, or why the formulas don't fit the text."""
    guess = identify(text)
    if guess and guess.language != "en":
        return not_applicable(
            f"the formulas are for English; this reads as {guess.language}"
        ), _NOTHING
    counts = measure(text)
    if counts.words < MIN_WORDS:
        return not_applicable(
            f"{number_of(counts.words, 'word')}; readability needs at least {MIN_WORDS}"
        ), counts
    return None, counts


def _within(
    score: float, least: float | None, most: float | None, what: str, counts: TextStatistics
) -> Result:
    low, high = least is not None and score < least, most is not None and score > most
    expected = (
        f"; expected at least {least:g}" if low else f"; expected at most {most:g}" if high else ""
    )
    details = {"score": round(score, 2), **counts._asdict()}
    size = f"{counts.words} words in {counts.sentences} sentences"
    return verdict(not (low or high), f"{what} {score:.1f}{expected} ({size})", details=details)


def _syllables_of(part: str) -> int:
    if not _VOWELS.search(part):
        # Spelled out (HTML, CSV): a syllable a letter, three for w.
        return len(part) + 2 * part.count("w") if len(part) <= 5 else 1
    count = len(_VOWELS.findall(part)) + len(_SPLIT.findall(part))
    if not _KEPT.search(part):
        count -= len(_SILENT.findall(part))
    return max(1, count)
