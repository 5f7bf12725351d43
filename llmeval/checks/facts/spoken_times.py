"""Times of the day in words: `a las ocho y cuarto`, `à sept heures et demie`, `alle sette e mezza`,
`fünf vor halb acht`, `ten minutes to noon`."""

from collections.abc import Iterator
from typing import NamedTuple

import regex

from llmeval.checks.facts.tokens import fold


class SpokenTime(NamedTuple):
    """Minutes after midnight of a clock with 12 hours, and where it stands; `half`: the words that
    tell the half of the day."""

    minutes: int
    half: str
    start: int
    end: int


_HOURS = {
    "en": "one two three four five six seven eight nine ten eleven twelve",
    "de": "ein zwei drei vier fünf sechs sieben acht neun zehn elf zwölf",
    "nl": "een twee drie vier vijf zes zeven acht negen tien elf twaalf",
    "fr": "une deux trois quatre cinq six sept huit neuf dix onze douze",
    "es": "una dos tres cuatro cinco seis siete ocho nueve diez once doce",
    "it": "una due tre quattro cinque sei sette otto nove dieci undici dodici",
    "pt": "uma duas três quatro cinco seis sete oito nove dez onze doze",
}
_MINUTES = {
    "en": "five ten twenty twenty-five one two three four six seven eight nine eleven twelve",
    "de": "fünf zehn zwanzig fünfundzwanzig",
    "nl": "vijf tien twintig vijfentwintig",
    "fr": "cinq dix vingt vingt-cinq quinze trente quarante-cinq quarante cinquante trente-cinq "
    "cinquante-cinq",
    "es": "cinco diez veinte veinticinco quince treinta",
    "it": "cinque dieci venti venticinque quindici trenta",
    "pt": "cinco dez vinte vinte_e_cinco quinze trinta",
}
_MINUTE_VALUES = {
    "en": (5, 10, 20, 25, 1, 2, 3, 4, 6, 7, 8, 9, 11, 12),
    "de": (5, 10, 20, 25),
    "nl": (5, 10, 20, 25),
    "fr": (5, 10, 20, 25, 15, 30, 45, 40, 50, 35, 55),
    "es": (5, 10, 20, 25, 15, 30),
    "it": (5, 10, 20, 25, 15, 30),
    "pt": (5, 10, 20, 25, 15, 30),
}
_NAMED_HOURS = {"noon": 12, "midday": 12, "midnight": 0}
_QUARTERS = {
    word: minutes
    for minutes, words in (
        (15, "et quart|y cuarto|e un quarto|e um quarto|viertel"),
        (30, "et demie|et demi|y media|e mezza|e mezzo|e meia|halb|half"),
        (45, "e tre quarti|dreiviertel"),
        (-15, "moins le quart|moins quart|menos cuarto|meno un quarto|menos um quarto"),
    )
    for word in words.split("|")
}
_HALF = (
    r"(?:,?\s(?P<half>du\smatin|de\sl['’]après-midi|du\ssoir|de\sla\s(?:mañana|tarde|noche)"
    r"|di\s(?:mattina|pomeriggio|sera|notte)|da\s(?:manhã|tarde|noite)"
    r"|(?:in\sthe|at)\s(?:morning|afternoon|evening|night)"
    r"|morgens|vormittags|nachmittags|abends|nachts|['’]s\s(?:ochtends|middags|avonds)))?"
)


def _words(language: str, table: dict[str, str]) -> str:
    """The words of a table as alternatives, the longest first."""
    words = [word.replace("_", " ") for word in table[language].split()]
    return "|".join(sorted(words, key=len, reverse=True)).replace(" ", r"\s")


def _hour(language: str) -> str:
    return rf"(?P<hour>{_words(language, _HOURS)}|\d{{1,2}}(?!\d|[:.]\d|\s?h\s?\d))"


def _minute(language: str) -> str:
    return rf"(?P<minute>{_words(language, _MINUTES)}|[0-5]?\d)"


_PATTERNS: dict[str, tuple[str, ...]] = {
    "fr": (
        rf"{_hour('fr')}\s?h(?:eures?)?\s(?P<quarter>et\sdemie?|et\squart|moins\s(?:le\s)?quart)",
        rf"{_hour('fr')}\s?heures?\s(?P<less>moins\s)?{_minute('fr')}",
        rf"(?<=\b(?:à|est|vers|dès)\s){_hour('fr')}\s?heures?",
        rf"{_hour('fr')}\s?heures?(?=\s(?:du\s(?:matin|soir)|de\sl['’]après-midi))",
    ),
    "es": (
        rf"(?<=\bla\s|\blas\s){_hour('es')}\s(?P<quarter>y\smedia|y\scuarto|menos\scuarto)",
        rf"(?<=\bla\s|\blas\s){_hour('es')}\s(?:y|(?P<less>menos))\s{_minute('es')}",
        rf"(?<=\b(?:a|es|son)\slas?\s){_hour('es')}(?:\sen\spunto)?",
    ),
    "it": (
        rf"(?<=\b(?:alle|le|dalle)\s|\bl['’]|\ball['’]){_hour('it')}\s"
        rf"(?P<quarter>e\smezz[ao]|e\sun\squarto|e\stre\squarti|meno\sun\squarto)",
        rf"(?<=\b(?:alle|le|dalle)\s|\bl['’]|\ball['’]){_hour('it')}\s"
        rf"(?:e|(?P<less>meno))\s{_minute('it')}",
        rf"(?<=\balle\s|\ball['’]){_hour('it')}(?:\sin\spunto)?",
    ),
    "pt": (
        rf"{_hour('pt')}(?:\shoras?)?\s(?P<quarter>e\smeia|e\sum\squarto|menos\sum\squarto)",
        rf"(?<=\b(?:às|as|à|são)\s){_hour('pt')}(?:\shoras?)?\se\s{_minute('pt')}",
        rf"(?P<less>{_words('pt', _MINUTES)}|um\squarto)\s(?:minutos\s)?para\s(?:as|a)\s"
        rf"{_hour('pt')}",
        rf"(?<=\b(?:às|são\sas)\s){_hour('pt')}(?:\sem\sponto)?",
    ),
    "de": (
        rf"{_minute('de')}\s(?P<side>vor|nach)\s(?P<to_half>halb)\s{_hour('de')}",
        rf"(?P<part_of>dreiviertel|viertel)\s{_hour('de')}",
        rf"{_hour('de')}\suhr\s{_minute('de')}",
    ),
    "nl": (
        rf"{_minute('nl')}\s(?P<side>voor|over)\s(?P<to_half>half)\s{_hour('nl')}",
        rf"{_minute('nl')}\s(?P<side>voor|over)\s{_hour('nl')}",
    ),
    "en": (
        rf"(?P<minute>{_words('en', _MINUTES)}|[0-5]?\d(?=\sminute))(?:\sminutes?)?\s"
        rf"(?P<side>to|past|before|after)\s"
        rf"(?P<hour>{_words('en', _HOURS)}|noon|midday|midnight|1[0-2]|[1-9])",
    ),
}
_READ = {
    language: tuple(
        regex.compile(rf"(?<![\p{{L}}\d]){text}{_HALF}(?![\p{{L}}\d])", regex.IGNORECASE)
        for text in texts
    )
    for language, texts in _PATTERNS.items()
}
_SIGNS = regex.compile(
    r"\b(?:heures?|h|las?|alle|le|dalle|l|all|às|as|à|são|para|meia|uhr|vor|nach|voor|over|to|past"
    r"|before|after|viertel|dreiviertel)\b",
    regex.IGNORECASE,
)
"""Words of which every one of these forms has one; texts without them are not read further."""


def spoken_times(raw: str) -> Iterator[SpokenTime]:
    """Every time in words; of two that overlap only the first one read."""
    if not _SIGNS.search(raw):
        return
    taken: list[tuple[int, int]] = []
    for language, patterns in _READ.items():
        for pattern in patterns:
            for match in pattern.finditer(raw):
                free = all(match.end() <= low or high <= match.start() for low, high in taken)
                minutes = _minutes(match, language) if free else None
                if minutes is not None:
                    taken.append(match.span())
                    yield SpokenTime(minutes, match["half"] or "", *match.span())


def _minutes(match: "regex.Match[str]", language: str) -> int | None:
    """The minutes after midnight; None where an hour or minute is out of range."""
    groups = match.groupdict()
    hour = _value(match["hour"], language, _HOURS, tuple(range(1, 13)))
    part = 0
    if groups.get("quarter"):
        part = _QUARTERS[fold_words(match["quarter"])]
    elif groups.get("part_of"):
        part = _QUARTERS[fold_words(match["part_of"])] - 60
    elif language == "pt" and groups.get("less"):
        part = -_value(match["less"], "pt", _MINUTES, _MINUTE_VALUES["pt"])
    elif groups.get("minute"):
        part = _value(match["minute"], language, _MINUTES, _MINUTE_VALUES[language])
        before = groups.get("less") or (groups.get("side") or "").casefold() in _BEFORE
        part = -part if before else part
    if hour > 24 or abs(part) > 59:
        return None
    return (hour * 60 + part - (30 if groups.get("to_half") else 0)) % (24 * 60)


_BEFORE = frozenset(["to", "before", "vor", "voor"])


def fold_words(text: str) -> str:
    """Small letters and single spaces, without accents."""
    return " ".join(fold(word) for word in text.split())


def _value(word: str, language: str, table: dict[str, str], values: tuple[int, ...]) -> int:
    if word.isdigit():
        return int(word)
    key = word.casefold()
    if key in _NAMED_HOURS:
        return _NAMED_HOURS[key]
    if fold_words(word) == "um quarto":
        return 15
    words = [name.replace("_", " ") for name in table[language].split()]
    return values[words.index(" ".join(key.split()))]
