"""An answer as the matchers read it: words, numbers, dates and stances, each worked out once and
only when needed."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from functools import cached_property, lru_cache

import regex

from llmeval.checks.facts.candidates import Candidates
from llmeval.checks.facts.date_values import Date
from llmeval.checks.facts.dates import dates
from llmeval.checks.facts.final_answer import Final, final_answer
from llmeval.checks.facts.locale import (
    is_month_first,
    language_of,
    languages_of,
    read_numbers,
    shows_language,
)
from llmeval.checks.facts.names import Spelling
from llmeval.checks.facts.negation_scope import NegationScopes, Stance
from llmeval.checks.facts.numbers import Number
from llmeval.checks.facts.screened import screened
from llmeval.checks.facts.times import Time, times
from llmeval.checks.facts.tokens import STOPWORDS, Tokens
from llmeval.core.records import Case

_LOCALE = regex.compile(r"[a-zA-Z]{2,3}(?:[-_][A-Za-z0-9]{2,8}){0,3}")
_EVASIVE = screened(
    r"\bas an ai\b|\bi(?:'m| am)? (?:do not|don['’]t|can(?:not|['’]t)|could(?:n['’]t| not)|am "
    r"unable|sorry)|real-time"
    r"|\b(?:unable|impossible|difficult) to\b|\b(?:depends?|depending) on\b|\bnot (?:aware"
    r"|specified|publicly|mentioned|clear|known)\b"
    r"|\bno (?:specific|official|information|definitive|single|evidence)\b|\bknowledge cut-?off\b"
    r"|\btraining data\b"
    r"|\bup-to-date\b|\blatest (?:information|updates?)\b|\bcould(?:n['’]t| not) find\b|\bvar(?:y"
    r"|ies)\b",
    regex.IGNORECASE,
)


class AnswerAnalysis:
    """One answer and the question it answers.

    `subjects`: names of what its facts are about. `locale`: how it writes numbers and dates, where
    that is known.
    """

    def __init__(
        self, answer: str, question: str = "", subjects: tuple[str, ...] = (), locale: str = ""
    ) -> None:
        self.words = Tokens(answer)
        self.question = _question(question)
        self._subjects = subjects
        self.locale = locale
        self.right: tuple[frozenset[str], ...] = ()
        """Stems of each value that is right for any fact of the case."""

    @cached_property
    def question_stems(self) -> frozenset[str]:
        """Stems of the question's words of meaning."""
        pairs = zip(self.question.stems, self.question.forms, strict=True)
        return frozenset(stem for stem, form in pairs if form not in STOPWORDS) | stems_of(
            self._subjects
        )

    @cached_property
    def numbers(self) -> list[Number]:
        """Every number of the answer."""
        return read_numbers(self.words, self.locale, self.question)

    @cached_property
    def dates(self) -> list[Date]:
        """Every date of the answer."""
        shown = self.locale or (self.language if self.language != "en" else "")
        return dates(self.words, self.numbers, is_month_first(shown))

    @cached_property
    def times(self) -> list[Time]:
        """Every time of the day in the answer."""
        return times(self.words.raw[:_TIMES_READ])[:_MAX_TIMES]

    @cached_property
    def spelling(self) -> Spelling:
        """Near spellings of words in the answer."""
        return Spelling(self.words, self.language)

    @cached_property
    def language(self) -> str:
        """The language of the answer, of its locale, or else of the question; en where nothing
        shows it."""
        if self.locale:
            return self.locale.partition("-")[0].partition("_")[0].casefold()
        if shows_language(self.words):
            return language_of(self.words)
        if shows_language(self.question):
            return language_of(self.question)
        own = language_of(self.words, 1)
        return own if own != "en" else language_of(self.question, 1)

    @cached_property
    def _scopes(self) -> NegationScopes:
        languages = dict.fromkeys((self.language, *languages_of(self.words)))
        return NegationScopes(self.words, self.question_stems, self.question.raw, tuple(languages))

    def stance(self, start: int, end: int) -> Stance:
        """How the answer stands to what it mentions at these code points."""
        return self._scopes.stance(start, end)

    @cached_property
    def final(self) -> Final | None:
        """What is given as the final answer, if anything is."""
        return final_answer(self.words)

    @cached_property
    def candidates(self) -> Candidates:
        """The lists of candidates in the answer."""
        return Candidates(self.words, self.question, self.language)

    @cached_property
    def echo(self) -> tuple[int, int] | None:
        """The code points of a repetition of the whole question; None where there is none."""
        question_stems, answer_stems = self.question.stems, self.words.stems
        if not _ECHO_WORDS <= len(question_stems) <= len(answer_stems):
            return None
        at = -1
        while (at := _index(answer_stems, question_stems[0], at + 1)) >= 0:
            if answer_stems[at : at + len(question_stems)] == question_stems:
                return self.words.place(at, at + len(question_stems) - 1)
        return None

    def is_copied(self, start: int, end: int) -> bool:
        """Whether the place stands in a phrase that the answer copies from the question.

        "Argon is the second most common gas in the air" does not answer "second" to "What is the
        second most common gas in the air?". A question that offers a choice names what is right
        itself.
        """
        question_stems, answer_stems = self.question.stems, self.words.stems
        if not _COPIED_WORDS < len(question_stems) <= _ASKED_WORDS or _CHOICE.search(
            self.question.raw
        ):
            return False
        first = bisect_right(self.words.starts, start) - 1
        last = bisect_left(self.words.ends, end)
        size = last - first + 1
        place = answer_stems[first : last + 1]
        for at in range(len(question_stems) - size + 1):
            if (
                question_stems[at : at + size] == place
                and self._around(at, first, size) >= _COPIED_WORDS
            ):
                return True
        return False

    def _around(self, at: int, first: int, size: int) -> int:
        """How many words of meaning around a place of the answer stand around it in the question,
        in the same order."""
        question_stems, answer_stems = self.question.stems, self.words.stems
        count = 0
        for step, one, two in ((-1, at - 1, first - 1), (1, at + size, first + size)):
            here, there = one, two
            while 0 <= here < len(question_stems) and 0 <= there < len(answer_stems):
                if question_stems[here] != answer_stems[there]:
                    break
                count += self.words.forms[there] not in STOPWORDS
                here, there = here + step, there + step
        return count

    @cached_property
    def only_repeats(self) -> bool:
        """Whether the answer is the question and nothing else."""
        if self.echo is None:
            return False
        raw, (start, end) = self.words.raw, self.echo
        return not Tokens(raw[:start]).forms and not Tokens(raw[end:]).forms

    @cached_property
    def evasive(self) -> bool:
        """Whether the answer says, somewhere near its start, that it can't tell."""
        return bool(_EVASIVE.search(self.words.raw, 0, 2000))

    @cached_property
    def new_words(self) -> int:
        """Distinct words of meaning that the question does not hold."""
        return len({s for s in self.words.content if s not in self.question.stem_set})


_TIMES_READ = 50_000
_MAX_TIMES = 500
_COPIED_WORDS = 2
"""A phrase with a name and this many further content words counts as copied."""
_ASKED_WORDS = 60
"""A longer text is a task with a context, whose phrases an answer may need."""
_CHOICE = regex.compile(r"\b(?:or|oder|ou|或|或者|または)\b", regex.IGNORECASE)
_ECHO_WORDS = 4
"""A shorter question may be repeated by chance."""


def _index(values: list[str], value: str, start: int) -> int:
    try:
        return values.index(value, start)
    except ValueError:
        return -1


@lru_cache(maxsize=256)
def _question(text: str) -> Tokens:
    return Tokens(text[:20000])


def locale_of(case: Case) -> str:
    """The locale that the case names in a field or tag `locale`, `language` or `lang`; empty if it
    names none."""
    for source in (case.fields, case.tags):
        for name in ("locale", "language", "lang"):
            value = source.get(name)
            if isinstance(value, str) and _LOCALE.fullmatch(value):
                return value
    return ""


def stems_of(texts: Sequence[str]) -> frozenset[str]:
    """Stems of the words of meaning in all of the texts."""
    return frozenset(stem for text in texts for stem in Tokens(text).content)
