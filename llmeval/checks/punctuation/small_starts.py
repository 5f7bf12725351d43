"""Whether a small letter after a stop is wrong (`It was late. we left.`). The first rule that has a
verdict decides.

`tests/checks/punctuation/test_sentence_tables.py` has an example of each verdict of each rule.
"""

from collections.abc import Callable
from typing import NamedTuple

from llmeval.checks.punctuation.detect import STOP_WORDS
from llmeval.checks.punctuation.locales import Locale
from llmeval.checks.punctuation.prose import is_abbreviation
from llmeval.checks.reading.decisions import decide
from llmeval.checks.reading.wordlists import word_set

_PARTICLES = word_set(
    "de da di du von van der den zu la le el al bin ibn af dos das del della ter ten"
)
"""What names begin with in small letters: `de Gaulle`, `van Gogh`."""
_STRICT_QUOTES = ("en", "de", "fr", "es")
"""Languages in which a stop inside a quote ends the sentence around it, too."""
_AFTER_QUOTE = word_set(
    "is was are were means has would can could should in by to and or but ist war est était es era"
)
_MARKS_INSIDE = ("es", "fr", "und")
"""Languages in which `!` and `?` may stand inside a sentence: `¡Hola! dijo`, `Hélas ! il
partit`.
"""


class NextWord(NamedTuple):
    """The word after a stop, and what stands around it."""

    word: str
    mark: str
    """The stop: one of `. ! ? …`."""
    close: str
    """Quotes and brackets that close after the stop."""
    open: str
    """Quotes and brackets that open before the word."""
    before: str
    """The character before the stop."""
    token: str
    """The word before the stop, with the dots inside."""
    following: str
    """The two characters after the word."""
    locale: Locale


def should_be_capital(word: str, following: str, locale: Locale) -> bool:
    """Whether a word at a sentence's start should have had a capital: all small (no `iPhone`), no
    code (`x_1`), and no particle of a name (`de Gaulle`).
    """
    word = word.partition("'")[0].partition("’")[0]  # in l'Essonne, it is the l
    if not word.islower() or "_" in word or any(char.isdigit() for char in word):
        return False
    particle = word in _PARTICLES and word not in STOP_WORDS.get(locale.language, ())
    return not (particle and following[1:2].isupper())


def _name(next_word: NextWord) -> bool | None:
    """`It fell. iPhone sales grew.`, `It ended. van Gogh left.`, `It was late. We left.`"""
    wrong = should_be_capital(next_word.word, next_word.following, next_word.locale)
    return None if wrong else False


def _row(next_word: NextWord) -> bool | None:
    """`Wait... what is it?`: a row of marks may be a pause; so may `…`."""
    return False if next_word.before in ".!?…" or next_word.mark == "…" else None


def _abbreviation(next_word: NextWord) -> bool | None:
    """`approx. three`."""
    dot = next_word.mark == "."
    return False if dot and is_abbreviation(next_word.token, next_word.locale) else None


def _stop_in_quote(next_word: NextWord) -> bool | None:
    """`("It works." is a sentence)`: a sentence that is spoken of, or a remark in brackets.
    Languages whose habits are not known here get the benefit of the doubt.
    """
    if next_word.mark != "." or not next_word.close:
        return None
    strict = next_word.locale.language in _STRICT_QUOTES
    spoken_of = next_word.word in _AFTER_QUOTE
    return False if not strict or ")" in next_word.close or spoken_of else None


def _unknown_language(next_word: NextWord) -> bool | None:
    """`der Nr. zwei`: without a language there is no list of abbreviations, so that a short word
    before the dot may be one.
    """
    short = len(next_word.token) < 5
    unknown = next_word.locale.language == "und"
    return False if next_word.mark == "." and unknown and short else None


def _exclamation_in_quote(next_word: NextWord) -> bool | None:
    """`"Why?" she asked.`, `Why? "so" he said`: the sentence around the quote goes on."""
    quoted = next_word.mark != "." and (next_word.close or next_word.open)
    return False if quoted else None


def _exclamation_inside(next_word: NextWord) -> bool | None:
    """`¡Hola! dijo él`, and after a capitalised word a name: `Yahoo! is old`."""
    if next_word.mark == ".":
        return None
    inside = next_word.locale.language in _MARKS_INSIDE or next_word.token[:1].isupper()
    return False if inside else None


def _wrong(next_word: NextWord) -> bool | None:
    """`It was late. we left.`"""
    return True


RULES: tuple[Callable[[NextWord], bool | None], ...] = (
    _name,
    _row,
    _abbreviation,
    _stop_in_quote,
    _unknown_language,
    _exclamation_in_quote,
    _exclamation_inside,
    _wrong,
)


def is_wrong_start(next_word: NextWord) -> bool:
    """Whether the word has to begin with a capital."""
    return decide(RULES, next_word)
