"""Which language a text is in, as far as its words and letters tell, and how it writes numbers and
dates.

A few frequent words and letters of each language are enough to tell them apart in a sentence; a
name or a number by itself tells nothing. The locale of the case goes before what the text shows.
"""

from functools import lru_cache

import regex

from llmeval.checks.facts.numbers import Number, numbers
from llmeval.checks.facts.spelled import SCALES
from llmeval.checks.facts.tokens import Tokens
from llmeval.checks.facts.units import unit_named
from llmeval.checks.facts.word_forms import is_known

# Folded function words, the most frequent first. A word may stand in several lines.
_MARKS = {
    "en": (
        "the and is of to in that was it for with are this from by at has have not they he she we "
        "were be as its an "
        "or on about there but so i you what which these those his her their will would can a my "
        "me "
        "if no up who per than "
        "more one two three half minus point"
    ),
    "de": (
        "der die das und ist nicht mit ein eine auf fur von den dem im hat es sind sie er wir war "
        "wurde zu am um bei "
        "aus nach wie auch oder aber man sich zum zur ich kein keine was etwa ungefahr heisst "
        "liegt "
        "nein keineswegs niemals weder antwort lautet wo wer viele wieviel wann "
        "welche welcher welches"
    ),
    "fr": (
        "le la les est et des une dans pour que du au il elle un a sont ce c qui pas ne sur avec "
        "par ou en etait nous "
        "vous y jamais ni non aucun reponse cest environ ont aux se son sa quel quelle "
        "combien quand"
    ),
    "es": (
        "el los las es con una por del la que y en tiene mide un son no se lo fue era esta para "
        "su al como hay "
        "nunca jamas ni tampoco respuesta unos aproximadamente pero cual quien donde cuantos "
        "cuantas cuanto cuanta cuando"
    ),
    "it": (
        "il lo gli e di che per della una sono con la ha un non era ce ne nel dal alla si come "
        "circa del le dei delle "
        "neanche risposta questo questa quale chi dove quanto quanti quante quando"
    ),
    "pt": (
        "um uma nao com e do da em os tem o mede sao foi era para no na por que mais dos das ao "
        "cerca resposta as "
        "nunca jamais nem qual quem onde isso quantos quantas quando que"
    ),
    "nl": (
        "het een van dat zijn en de is voor met op niet te er aan ook maar bij was werd hij zij "
        "ongeveer antwoord "
        "geen nooit noch nee wie welke waar hoeveel wanneer"
    ),
    "pl": "jest nie sie na to jak do za od ale czy oraz byl byla sa przez",
    "cs": "je neni jsou byl byla se na ze jako ale pro podle ktery ktera nebo to",
    "sv": "det ar inte och att en ett som pa av for med till var hon den vi finns",
    "da": "det er ikke og at en et som pa af for med til var hun den der",
    "no": "det er ikke og at en et som pa av for med til var hun den der",
    "fi": "on ei se ja oli hän han eivat ovat etta mutta tama",
    "ro": "este nu si la cu de sunt un o din pe care era fost",
    "tr": "bir ve degil var bu icin ile da de cok olan olarak",
    "hu": "nem ez az egy es hogy van volt",
    "id": "adalah yang dan di bukan tidak ada ini itu dari",
    "vi": "la khong va cua co mot trong nhung",
}
_WORDS = {language: frozenset(words.split()) for language, words in _MARKS.items()}
# Letters that one of these languages has and English has not.
_LETTERS = {
    "de": "ßäöü",
    "fr": "çèêëîïœàùû",
    "es": "ñ¿¡áíóú",
    "pt": "ãõâêç",
    "it": "èìòàù",
    "pl": "łąęśżźćń",
    "cs": "ěřůšžč",
    "sv": "åäö",
    "da": "åæø",
    "no": "åæø",
    "fi": "äö",
    "ro": "ăâîșțşţ",
    "tr": "ığşçİ",
    "hu": "őű",
    "vi": "ăđơưạảấầẩậắằặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ",
}
_LETTER_WEIGHT = {"vi": 3}  # no other language has most of its letters
_SCRIPTS = (
    ("ja", regex.compile(r"[\p{Hiragana}\p{Katakana}]")),
    ("zh", regex.compile(r"\p{Han}")),
    ("ko", regex.compile(r"\p{Hangul}")),
    ("ru", regex.compile(r"\p{Cyrillic}")),
    ("el", regex.compile(r"\p{Greek}")),
    ("ar", regex.compile(r"\p{Arabic}")),
    ("he", regex.compile(r"\p{Hebrew}")),
    ("hi", regex.compile(r"\p{Devanagari}")),
    ("th", regex.compile(r"\p{Thai}")),
)
_COMMA_DECIMAL = regex.compile(r"(?<![\d,.])\d{1,4},\d{1,2}(?![\d,]|\.\d)|\d\.\d{3},\d")
_POINT_DECIMAL = regex.compile(r"(?<![\d,.])\d+\.\d{1,2}(?![\d.]|,\d)|\d,\d{3}\.\d|\d,\d{3},\d{3}")
_READ = 20_000
# Languages and regions whose numbers have a decimal point, and those that write the month first
# (CLDR 46).
_POINT = frozenset(["en", "zh", "ja", "ko", "th", "he", "hi"])
_POINT_REGIONS = frozenset(
    [
        "es-mx",
        "es-us",
        "es-do",
        "es-gt",
        "es-hn",
        "es-ni",
        "es-pa",
        "es-pe",
        "es-pr",
        "es-sv",
        "de-ch",
        "it-ch",
        "de-li",
    ]
)
_COMMA_REGIONS = frozenset(["en-za", "en-de", "en-nl", "en-se", "en-dk", "en-fi", "en-at", "en-be"])


def function_words(language: str) -> frozenset[str]:
    """Frequent function words of the language, folded; empty for one that has none here."""
    return _WORDS.get(language, frozenset())


def is_decimal_comma(locale: str) -> bool:
    """Whether the locale (`de`, `pt-BR`, `es_MX`) writes 3,5 for three and a half."""
    name = locale.casefold().replace("_", "-")
    if name in _POINT_REGIONS or name in _COMMA_REGIONS:
        return name in _COMMA_REGIONS
    return name.partition("-")[0] not in _POINT


def is_month_first(locale: str) -> bool | None:
    """Whether 06/02/2024 is 2 June in the locale; None where `en` without a region leaves it
    open."""
    name = locale.casefold().replace("_", "-")
    if name in ("", "en"):
        return None
    return name in ("en-us", "es-us", "es-pr", "es-pa", "en-ph", "fil-ph")


def language_of(words: Tokens, least: int = 2) -> str:
    """The language that the text's letters and function words show; `en` where fewer than `least`
    of them do."""
    return _language(words.raw[:1000], tuple(words.forms[:300]), least)


def languages_of(words: Tokens) -> tuple[str, ...]:
    """Every language that the text may be in: the one it shows, or all that one word or letter
    speaks for alike."""
    language, count = _scores(words.raw[:1000], tuple(words.forms[:300]))
    if count >= 2 or count == 0:
        return (language,)
    letters = (
        frozenset(words.raw[:1000].casefold()) if not words.raw[:1000].isascii() else frozenset()
    )
    return tuple(
        name
        for name, marks in _WORDS.items()
        if not marks.isdisjoint(words.forms[:300]) or not letters.isdisjoint(_LETTERS.get(name, ""))
    )


def shows_language(words: Tokens, least: int = 2) -> bool:
    """Whether the text has enough function words or letters of one language to tell which it is
    in."""
    return _scores(words.raw[:1000], tuple(words.forms[:300]))[1] >= least


def _language(raw: str, forms: tuple[str, ...], least: int) -> str:
    language, count = _scores(raw, forms)
    return language if count >= least else "en"


@lru_cache(maxsize=256)
def _scores(raw: str, forms: tuple[str, ...]) -> tuple[str, int]:
    """The language that most of the words and letters show, English where others are level, and how
    many show it."""
    if not raw.isascii():
        for language, script in _SCRIPTS:
            if len(script.findall(raw, 0, 400)) * 3 > len(raw[:400].replace(" ", "")):
                return language, _SHOWN_BY_SCRIPT
    seen = frozenset(forms)
    counts = {language: len(seen & marks) for language, marks in _WORDS.items()}
    if not raw.isascii():
        letters = frozenset(raw.casefold())
        for language, own in _LETTERS.items():
            counts[language] += _LETTER_WEIGHT.get(language, 1) * (not letters.isdisjoint(own))
    best = max(counts, key=lambda language: counts[language])
    return ("en", counts["en"]) if counts[best] <= counts["en"] else (best, counts[best])


_SHOWN_BY_SCRIPT = 9


def decimal_comma(words: Tokens, language: str) -> bool:
    """Whether the text writes 3,5: shown by its numbers, else by its language."""
    raw = words.raw[:_READ]
    comma, point = bool(_COMMA_DECIMAL.search(raw)), bool(_POINT_DECIMAL.search(raw))
    return comma if comma != point else is_decimal_comma(language)


def read_numbers(words: Tokens, locale: str = "", question: Tokens | None = None) -> list[Number]:
    """Every number of the text, as its locale writes them, or else its language and its own other
    numbers suggest.

    `question`: its language is taken where the text shows none.
    """
    if locale:
        language = locale.partition("-")[0].partition("_")[0].casefold()
        return numbers(words, comma=is_decimal_comma(locale), language=language, sure=True)
    sure, shown = shows_language(words), language_of(words)
    if not sure and question is not None and shows_language(question):
        sure, shown = True, language_of(question)
    language = shown if sure else language_of(words, 1)
    result = numbers(words, comma=decimal_comma(words, shown), language=language, sure=sure)
    if not result and len(words) <= _ALONE:
        return _in_any_language(words) or _one_of_a_unit(words)
    return result


def _one_of_a_unit(words: Tokens) -> list[Number]:
    """The amount of a text that is `a week` or `an hour` and little else."""
    for i, form in enumerate(words.forms[:-1]):
        unit = unit_named(words.forms[i + 1]) if form in ("a", "an") else None
        if unit is not None and len(words) <= _NUMBER_ALONE + 1:
            return [Number(1, i, i + 1, words.starts[i], words.ends[i + 1], unit)]
    return []


def number_in_words(text: str) -> Number | None:
    """The number that a text of one or two words is in a language that it does not show: `doce`,
    `zwei Millionen`; None where it is none, or an English word."""
    words = Tokens(text)
    count = len(words)
    if not 0 < count <= _SCALED or (count == _SCALED and words.forms[-1] not in SCALES):
        return None
    first = words.forms[0]
    letters = text.replace(" ", "").isalpha() and text[0].islower()
    if not letters or len(text) > _WORD_LETTERS or is_known(first):
        return None
    result = _in_any_language(words)
    whole = len(result) == 1 and (result[0].first, result[0].last) == (0, count - 1)
    return result[0] if whole else None


_SCALED = 2
_WORD_LETTERS = 40


def _in_any_language(words: Tokens) -> list[Number]:
    """The numbers in words of the language in which most of the text is one.

    A small word of a longer text is a number in some language by chance: `on` is ten in Turkish.
    """
    few = len(words) <= _NUMBER_ALONE
    best: list[Number] = []
    most = 0
    for name in _SPELLING if few else _SPELLING[:_IN_TEXT]:
        result = numbers(words, language=name)
        covered = sum(number.last - number.first + 1 for number in result)
        if few and covered * 2 < len(words):
            continue
        large = any(number.value > _LEAST_IN_TEXT for number in result)
        if covered > most and (few or large):
            best, most = result, covered
    return best


_NUMBER_ALONE = 3
_IN_TEXT = 6
_LEAST_IN_TEXT = 12


_ALONE = 6
"""A text of so many words may hold a number in words, with little to tell in which language."""
_SPELLING = (
    "de",
    "fr",
    "es",
    "it",
    "pt",
    "nl",
    "pl",
    "cs",
    "sv",
    "da",
    "no",
    "ro",
    "tr",
    "id",
    "hu",
    "fi",
)
