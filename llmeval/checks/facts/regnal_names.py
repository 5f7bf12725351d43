"""Names of rulers and popes by number: `Karl V.`, `Karl der Fünfte`, `Charles the Fifth`."""

import regex

from llmeval.checks.facts.lexicon import DROPPED_FREELY, TITLE_WORDS
from llmeval.checks.facts.ordinal_words import ORDINAL_VALUES, ORDINAL_WORDS
from llmeval.checks.facts.tokens import STOPWORDS, Tokens, fold

_NUMERALS = "I II III IV V VI VII VIII IX X XI XII XIII XIV XV XVI XVII XVIII XIX XX XXI".split()
_NAME = r"(?P<name>\p{Lu}[\p{L}’'-]+(?:\s\p{Lu}[\p{L}’'-]+){0,2})"
_BY_NUMERAL = regex.compile(
    rf"{_NAME}\s(?:(?P<roman>[IVX]{{1,5}})\.?|(?P<first>Ier|Iᵉʳ|Ire|1er|1re|1ère))"
)
_BY_WORD = regex.compile(
    rf"{_NAME},?\s(?:(?:the|der|die|de)\s)?(?P<word>\p{{L}}[\p{{L}}-]{{2,20}})"
)
_ARTICLES = {"en": ("the ",), "de": ("der ", "die "), "nl": ("de ",)}
_KINDS = frozenset(
    "war world super bowl part act chapter volume book class phase stage level type rocky article "
    "title section appendix table figure game round episode season olympics vatican apollo".split()
)
"""Words before a numeral that are not a name of a person."""


def regnal_forms(name: str) -> tuple[str, ...]:
    """Other ways to write the name of a ruler with a number from 1 to 21; empty for other names."""
    if len(name) > _LONGEST:
        return ()
    match = _BY_NUMERAL.fullmatch(name.strip()) or _BY_WORD.fullmatch(name.strip())
    if match is None or fold(match["name"].rpartition(" ")[2]) in _KINDS:
        return ()
    number = _number(match)
    if not 1 <= number <= len(_NUMERALS):
        return ()
    head = match["name"]
    forms = [f"{head} {_NUMERALS[number - 1]}", f"{head} {number}"]
    if number == 1:
        forms += [f"{head} {form}" for form in ("Ier", "1er", "1re", "Ire")]
    for language, table in ORDINAL_WORDS.items():
        articles = _ARTICLES.get(language, ("",))
        forms += [f"{head} {article}{form}" for article in articles for form in table[number - 1]]
    forms += [
        f"{head} {_BY_NUMBER[language, number]}"
        for language in _CARDINALS
        if (language, number) in _BY_NUMBER
    ]
    return tuple(forms)


_LONGEST = 60


def _number(match: "regex.Match[str]") -> int:
    groups = match.groupdict()
    if groups.get("first"):
        return 1
    if groups.get("roman"):
        return _NUMERALS.index(match["roman"]) + 1 if match["roman"] in _NUMERALS else 0
    return ORDINAL_VALUES.get(fold(match["word"]), 0)


_CARDINALS = {
    "fr": (
        "deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize "
        "dix-sept dix-huit dix-neuf vingt vingt-et-un",
        2,
    ),
    "es": (
        "once doce trece catorce quince dieciséis diecisiete dieciocho diecinueve veinte veintiuno",
        11,
    ),
    "pt": (
        "onze doze treze catorze quinze dezesseis dezessete dezoito dezenove vinte vinte-e-um",
        11,
    ),
}
"""What these languages read a ruler's number as, from the number next to it on."""
_BY_NUMBER = {
    (language, first + n): word
    for language, (words, first) in _CARDINALS.items()
    for n, word in enumerate(words.split())
}


_COPULAS = frozenset("era fu foi fue fut etait war ist est es e is c was".split())
"""What may stand before a name at the start of a sentence: `Era Pio XII.`"""


def has_name_before(first: int, answer: Tokens) -> bool:
    """Whether another name, which is not a title, stands right before a ruler's name: `Franz Joseph
    II.` for `Joseph II.`"""
    if not first or answer.gap(first) not in (" ", "-", "‑") or first - 1 in answer.breaks[1:]:
        return False
    word, raw = answer.stems[first - 1], answer.raw[answer.starts[first - 1]]
    known = TITLE_WORDS | DROPPED_FREELY | STOPWORDS | _COPULAS
    if not raw.isupper() or word in known:
        return False
    return first > 1 or answer.gap(first) != " " or len(answer) > first + 1


def has_name_before_number(first: int, last: int, answer: Tokens) -> bool:
    """Whether another name stands between a ruler's name and the number that closes it, at the
    words first..last: `Friedrich Wilhelm II.` for `Friedrich II.`."""
    return any(
        answer.raw[answer.starts[at]].isupper() and answer.gap(at) in (" ", "-", "‑")
        for at in range(first + 1, last)
    )


def is_regnal(name: str) -> bool:
    """Whether the name ends in a Roman numeral after a name of a person."""
    match = _BY_NUMERAL.fullmatch(name.strip())
    return match is not None and fold(match["name"].rpartition(" ")[2]) not in _KINDS
