"""Numbers in words of languages that `text2num` does not know, and in Han numerals.

Each language is a list of words for 1 to 9, 10 to 19, 20 to 90, 100 to 900 if they have separate
words, and the words that multiply the number before them. Words are folded. Source: the languages'
cardinal numbers in CLDR's rule-based number formats (RBNF).
"""

import unicodedata
from typing import NamedTuple

import regex

from llmeval.checks.facts.tokens import Tokens, fold


class _Words(NamedTuple):
    units: str
    teens: str
    tens: str
    hundreds: str
    scales: dict[str, int]
    joint: str = ""


_LANGUAGES = {
    "pl": _Words(
        "jeden dwa trzy cztery piec szesc siedem osiem dziewiec",
        "dziesiec jedenascie dwanascie trzynascie czternascie pietnascie szesnascie siedemnascie "
        "osiemnascie dziewietnascie",
        "dwadziescia trzydziesci czterdziesci piecdziesiat szescdziesiat siedemdziesiat "
        "osiemdziesiat dziewiecdziesiat",
        "sto dwiescie trzysta czterysta piecset szescset siedemset osiemset dziewiecset",
        {
            "tysiac": 1000,
            "tysiace": 1000,
            "tysiecy": 1000,
            "milion": 10**6,
            "miliony": 10**6,
            "milionow": 10**6,
        },
    ),
    "cs": _Words(
        "jeden dva tri ctyri pet sest sedm osm devet",
        "deset jedenact dvanact trinact ctrnact patnact sestnact sedmnact osmnact devatenact",
        "dvacet tricet ctyricet padesat sedesat sedmdesat osmdesat devadesat",
        "sto dveste trista ctyrista petset sestset sedmset osmset devetset",
        {"tisic": 1000, "tisice": 1000, "milion": 10**6, "miliony": 10**6, "milionu": 10**6},
    ),
    "ru": _Words(
        "один два три четыре пять шесть семь восемь девять",
        "десять одиннадцать двенадцать тринадцать четырнадцать пятнадцать шестнадцать семнадцать "
        "восемнадцать девятнадцать",
        "двадцать тридцать сорок пятьдесят шестьдесят семьдесят восемьдесят девяносто",
        "сто двести триста четыреста пятьсот шестьсот семьсот восемьсот девятьсот",
        {
            "тысяча": 1000,
            "тысячи": 1000,
            "тысяч": 1000,
            "миллион": 10**6,
            "миллиона": 10**6,
            "миллионов": 10**6,
        },
    ),
    "sv": _Words(
        "ett tva tre fyra fem sex sju atta nio",
        "tio elva tolv tretton fjorton femton sexton sjutton arton nitton",
        "tjugo trettio fyrtio femtio sextio sjuttio attio nittio",
        "",
        {"hundra": 100, "tusen": 1000, "miljon": 10**6, "miljoner": 10**6},
    ),
    "no": _Words(
        "en to tre fire fem seks sju atte ni",
        "ti elleve tolv tretten fjorten femten seksten sytten atten nitten",
        "tjue tretti forti femti seksti sytti atti nitti",
        "",
        {"hundre": 100, "tusen": 1000, "million": 10**6, "millioner": 10**6},
    ),
    "ro": _Words(
        "unu doi trei patru cinci sase sapte opt noua",
        "zece unsprezece doisprezece treisprezece paisprezece cincisprezece saisprezece "
        "saptesprezece optsprezece nouasprezece",
        "douazeci treizeci patruzeci cincizeci saizeci saptezeci optzeci nouazeci",
        "",
        {"suta": 100, "sute": 100, "mie": 1000, "mii": 1000, "milion": 10**6, "milioane": 10**6},
        "si",
    ),
    "tr": _Words(
        "bir iki uc dort bes alti yedi sekiz dokuz",
        "on",
        "yirmi otuz kirk elli altmis yetmis seksen doksan",
        "",
        {"yuz": 100, "bin": 1000, "milyon": 10**6, "milyar": 10**9},
    ),
    "id": _Words(
        "satu dua tiga empat lima enam tujuh delapan sembilan",
        "sepuluh sebelas",
        "",
        "",
        {"belas": 0, "puluh": 10, "ratus": 100, "ribu": 1000, "juta": 10**6},
    ),
    "hu": _Words(
        "egy ketto harom negy ot hat het nyolc kilenc",
        "tiz",
        "husz harminc negyven otven hatvan hetven nyolcvan kilencven",
        "",
        {"szaz": 100, "ezer": 1000, "millio": 10**6},
    ),
    "fi": _Words(
        "yksi kaksi kolme nelja viisi kuusi seitseman kahdeksan yhdeksan",
        "kymmenen",
        "",
        "",
        {"kymmenta": 10, "sata": 100, "sataa": 100, "tuhat": 1000, "miljoona": 10**6},
    ),
}
_LANGUAGES["da"] = _LANGUAGES["no"]._replace(
    units="en to tre fire fem seks syv otte ni",
    teens="ti elleve tolv tretten fjorten femten seksten sytten atten nitten",
    tens="tyve tredive fyrre halvtreds tres halvfjerds firs halvfems",
    scales={"hundrede": 100, "tusind": 1000, "million": 10**6, "millioner": 10**6},
)
LANGUAGES = frozenset(_LANGUAGES)


def _values(language: str) -> dict[str, int]:
    words = _LANGUAGES[language]
    result = {word: n for n, word in enumerate(words.units.split(), start=1)}
    result |= {word: n for n, word in enumerate(words.teens.split(), start=10)}
    result |= {word: 10 * n for n, word in enumerate(words.tens.split(), start=2)}
    result |= {word: 100 * n for n, word in enumerate(words.hundreds.split(), start=1)}
    return {fold(word): value for word, value in result.items()}


_VALUES = {language: _values(language) for language in _LANGUAGES}
_SCALES = {
    language: {fold(word): value for word, value in words.scales.items()}
    for language, words in _LANGUAGES.items()
}
_HAN = {c: n for n, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2, "兩": 2}
_HAN_SCALES = {"十": 10, "百": 100, "千": 1000}
HAN_LARGE = {
    "万": 10**4,
    "萬": 10**4,
    "亿": 10**8,
    "億": 10**8,
    "兆": 10**12,
    "만": 10**4,
    "억": 10**8,
}


def in_words(words: Tokens, index: int, language: str) -> tuple[int, int] | None:
    """The number in words that starts at word `index`: its value and the word after it; None if
    there is none."""
    if language == "ko" and (korean := _sino_korean(words.forms[index])) is not None:
        return korean, index + 1
    if language in ("zh", "ja", "ko"):
        return _han(words, index)
    values = _VALUES.get(language)
    if values is None:
        return None
    scales, joint = _SCALES[language], _LANGUAGES[language].joint
    total = group = 0
    at = index
    while at < len(words) and (at == index or words.gap(at) in (" ", "-", "\u00a0", "")):
        form = words.forms[at]
        if form in values:
            part, at = values[form], at + 1
            if group and part >= 10 ** (len(str(group)) - len(str(group).rstrip("0"))):
                at -= 1
                break
            group += part
        elif form in scales and scales[form] >= 1000:
            total, group, at = total + max(group, 1) * scales[form], 0, at + 1
        elif form in scales:
            group, at = (
                (group % 10 + 10 if not scales[form] else max(group, 1) * scales[form]),
                at + 1,
            )
        elif form == joint and at > index and at + 1 < len(words) and words.forms[at + 1] in values:
            at += 1
        else:
            compound = _split(form, values, scales)
            if compound is None or group:
                break
            group, at = compound, at + 1
    return (total + group, at) if at > index else None


_LONGEST = 40


def _split(form: str, values: dict[str, int], scales: dict[str, int]) -> int | None:
    """A number written as one word: `trettioåtta`, `harmincnyolc`, `kolmekymmentä`."""
    if len(form) > _LONGEST:
        return None
    for length in range(len(form) - 2, 2, -1):
        head, rest = form[:length], form[length:]
        if head in values and rest in values and values[head] >= 10 > values[rest]:
            return values[head] + values[rest]
        if head in values and rest in scales:
            return values[head] * scales[rest]
        more = _split(head, values, scales) if rest in values else None
        if more is not None and more % 10 == 0 and values[rest] < 10:
            return more + values[rest]  # kolme-kymmentä-viisi
    return None


_SINO_KOREAN = str.maketrans("영공일이삼사오육칠팔구십백천만억", "零零一二三四五六七八九十百千万亿")
_HANGUL_NUMBER = regex.compile(r"(?=.*[십백천만억])[영공일이삼사오육칠팔구십백천만억]{2,20}")


def _sino_korean(form: str) -> int | None:
    """`삼십팔`, one word of Sino-Korean numerals; None if it is any other word."""
    form = unicodedata.normalize("NFC", form)
    if not _HANGUL_NUMBER.fullmatch(form):
        return None
    result = _han(Tokens(form.translate(_SINO_KOREAN)), 0)
    return result[0] if result is not None and result[1] == len(form) else None


def _han(words: Tokens, index: int) -> tuple[int, int] | None:
    total = section = digit = 0
    at, seen = index, False
    while at < len(words) and (at == index or not words.gap(at)):
        form = words.forms[at]
        if form in _HAN:
            digit = digit * 10 + _HAN[form] if seen and digit else _HAN[form]
        elif form in _HAN_SCALES and (seen or form == "十"):
            section, digit = section + (digit or 1) * _HAN_SCALES[form], 0
        elif form in HAN_LARGE and seen:
            total, section, digit = total + (section + digit or 1) * HAN_LARGE[form], 0, 0
        else:
            break
        seen, at = True, at + 1
    return (total + section + digit, at) if at > index else None
