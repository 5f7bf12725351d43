"""An answer as the matchers read it: words, numbers, dates and stances, each worked out once and only when needed."""

from collections.abc import Sequence
from functools import cached_property, lru_cache

import regex

from llmeval.checks.facts.dates import Date, dates
from llmeval.checks.facts.locale import language_of, read_numbers
from llmeval.checks.facts.names import Spelling
from llmeval.checks.facts.numbers import Number
from llmeval.checks.facts.scopes import Scopes, Stance
from llmeval.checks.facts.tokens import STOPWORDS, Tokens
from llmeval.records import Case

_QUESTIONS = ("question", "query", "prompt", "input", "instruction")
_EVASIVE = regex.compile(
    r"\bas an ai\b|\bi(?:'m| am)? (?:do not|don['’]t|can(?:not|['’]t)|could(?:n['’]t| not)|am unable|sorry)|real-time"
    r"|\b(?:unable|impossible|difficult) to\b|\b(?:depends?|depending) on\b|\bnot (?:aware|specified|publicly|mentioned|clear|known)\b"
    r"|\bno (?:specific|official|information|definitive|single|evidence)\b|\bknowledge cut-?off\b|\btraining data\b"
    r"|\bup-to-date\b|\blatest (?:information|updates?)\b|\bcould(?:n['’]t| not) find\b|\bvar(?:y|ies)\b",
    regex.IGNORECASE,
)


class ParsedAnswer:
    """One answer and the question it answers. `subjects`: names of what its facts are about."""

    def __init__(self, answer: str, question: str = "", subjects: tuple[str, ...] = ()) -> None:
        self.words = Tokens(answer)
        self.question = _question(question)
        self._subjects = subjects

    @cached_property
    def asked(self) -> frozenset[str]:
        """Stems of the question's words of meaning."""
        pairs = zip(self.question.stems, self.question.forms, strict=True)
        return frozenset(stem for stem, form in pairs if form not in STOPWORDS) | stems_of(self._subjects)

    @cached_property
    def numbers(self) -> list[Number]:
        """Every number of the answer."""
        return read_numbers(self.words)

    @cached_property
    def dates(self) -> list[Date]:
        """Every date of the answer."""
        return dates(self.words, self.numbers)

    @cached_property
    def spelling(self) -> Spelling:
        """Near spellings of words in the answer."""
        return Spelling(self.words, self.language)

    @cached_property
    def language(self) -> str:
        """The language of the answer as far as its words tell: en where nothing does."""
        return language_of(self.words)

    @cached_property
    def _scopes(self) -> Scopes:
        return Scopes(self.words, self.asked, self.question.raw)

    def stance(self, start: int, end: int) -> Stance:
        """How the answer stands to what it mentions at these code points."""
        return self._scopes.stance(start, end)

    @cached_property
    def evasive(self) -> bool:
        """Whether the answer says, somewhere near its start, that it can't tell."""
        return bool(_EVASIVE.search(self.words.raw, 0, 2000))

    @cached_property
    def new_words(self) -> int:
        """Distinct words of meaning that the question does not hold."""
        return len({s for s in self.words.content if s not in self.question.stem_set})


@lru_cache(maxsize=256)
def _question(text: str) -> Tokens:
    return Tokens(text[:20000])


def question_of(case: Case) -> str:
    """What the case asks: its last user message, else the field that is named like a question; empty if unknown."""
    for message in reversed(case.messages):
        if message.role == "user":
            return message.content
    for name in _QUESTIONS:
        value = case.fields.get(name)
        if isinstance(value, str):
            return value
    return ""


def stems_of(texts: Sequence[str]) -> frozenset[str]:
    """Stems of the words of meaning in all of the texts."""
    return frozenset(stem for text in texts for stem in Tokens(text).content)
