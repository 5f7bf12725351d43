"""How a text writes its numbers: which language's words, and whether 3,5 or 3.5 is three and a half."""

import regex

from llmeval.checks.facts.numbers import Number, numbers
from llmeval.checks.facts.tokens import Tokens

# A few frequent words, enough to tell these languages apart in a sentence or two.
_MARKS = {
    "en": "the and is of to in that was it for with are this from by at has have not",
    "de": "der die das und ist nicht mit ein eine auf fur von den dem im hat es",
    "fr": "le la les est et des une dans pour que du au il elle un a",
    "es": "el los las es con una por del la que y en tiene mide un",
    "it": "il lo gli e di che per della una sono con la ha un",
    "pt": "um uma nao com e do da em os tem o mede",
    "nl": "het een van dat zijn en de is voor met op",
}
_WORDS = {language: frozenset(words.split()) for language, words in _MARKS.items()}
_COMMA_DECIMAL = regex.compile(r"(?<![\d,.])\d{1,4},\d{1,2}(?![\d,]|\.\d)|\d\.\d{3},\d")
_POINT_DECIMAL = regex.compile(r"(?<![\d,.])\d+\.\d{1,2}(?![\d.]|,\d)|\d,\d{3}\.\d|\d,\d{3},\d{3}")
_READ = 20_000


def language_of(words: Tokens) -> str:
    """The language whose function words the text has most of; `en` where nothing tells."""
    seen = frozenset(words.forms[:300])
    counts = {language: len(seen & marks) for language, marks in _WORDS.items()}
    best = max(counts, key=lambda language: counts[language])
    return best if counts[best] >= 2 and counts[best] > counts["en"] else "en"


def decimal_comma(words: Tokens, language: str) -> bool:
    """Whether the text writes 3,5: shown by its numbers, else by its language."""
    raw = words.raw[:_READ]
    comma, point = bool(_COMMA_DECIMAL.search(raw)), bool(_POINT_DECIMAL.search(raw))
    return comma if comma != point else language != "en"


def read_numbers(words: Tokens) -> list[Number]:
    """Every number of the text, read as its language and its own other numbers suggest."""
    language = language_of(words)
    return numbers(words, comma=decimal_comma(words, language), language=language)
