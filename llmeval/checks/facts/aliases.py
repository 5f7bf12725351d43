"""Other names of the same thing: abbreviations, formulas, symbols, countries in many languages,
places and people that have two names.

`territories.tsv`, `cities.txt` and `languages.txt` hold names from the Unicode CLDR (as in Babel
2.19; Unicode License v3) in English, German, French, Spanish, Italian, Portuguese, Dutch, Chinese
and Japanese, countries also in seven more: countries with official and former names from ISO 3166
and its part 3 (as in pycountry 26), the cities of time zones, languages and days of the week. A
library with the same data (Babel, 10 MB) would be a dependency for four tables. `other_names.txt`
has one group of names a line. Its names of places are those of the United Nations Group of Experts
on Geographical Names and the usual exonyms, its names of substances those of IUPAC and the
international nonproprietary names. `symbols.txt` has the symbol first: chemical elements (IUPAC)
and the states of the USA (US Postal Service).
"""

from collections.abc import Iterator
from functools import cache
from importlib.resources import files

import regex

from llmeval.checks.facts.tokens import Tokens

_TABLES = ("other_names.txt", "cities.txt", "languages.txt")


def _lines(name: str) -> list[str]:
    text = files("llmeval.checks.facts").joinpath(name).read_text(encoding="utf-8")
    return text.splitlines()


@cache
def _groups() -> dict[tuple[str, ...], tuple[str, ...]]:
    """Every name's stems, and the names of all its groups; lines with one first name are one
    group."""
    lines = [line for name in _TABLES for line in _lines(name)]
    lines += [line.partition("\t")[2] for line in _lines("territories.tsv")]
    by_first: dict[str, tuple[str, ...]] = {}
    for line in lines:
        first = line.partition("|")[0]
        by_first[first] = (*by_first.get(first, ()), *line.split("|"))
    elements = [tuple(line.split("|")[1:]) for line in _lines("symbols.txt")]
    groups: dict[tuple[str, ...], tuple[str, ...]] = {}
    for names in (*by_first.values(), *elements):
        for key in dict.fromkeys(map(_key, names)):
            groups[key] = (*groups.get(key, ()), *names)
    return groups


@cache
def _symbols() -> tuple[dict[tuple[str, ...], tuple[str, ...]], dict[str, tuple[str, ...]]]:
    """The symbols of each name, and the names of each symbol."""
    symbols: dict[tuple[str, ...], tuple[str, ...]] = {}
    names: dict[str, tuple[str, ...]] = {}
    for line in _lines("symbols.txt"):
        symbol, *things = line.split("|")
        names[symbol] = (*names.get(symbol, ()), *things)
        for key in dict.fromkeys(map(_key, things)):
            symbols[key] = (*symbols.get(key, ()), symbol)
    return symbols, names


def _key(name: str) -> tuple[str, ...]:
    stems = Tokens(name).stems
    return tuple(stems[1:] if stems[:1] == ["the"] else stems)


def aliases_of(name: str) -> tuple[str, ...]:
    """The other names of the thing with this name, each once; empty if none is known."""
    symbols, named = _symbols()
    if name in named:
        return named[name]
    if len(name) > 80 or (len(name) <= _SHORT and name.isascii() and not name.isupper()):
        return ()
    key = _key(name)
    names = (*_groups().get(key, ()), *symbols.get(key, ()), *_in_state(name), *_counted(name))
    return tuple(alias for alias in dict.fromkeys(names) if _key(alias) != key)


_SHORT = 2


def _in_state(name: str) -> Iterator[str]:
    """A place with the symbol of its state: `Kansas City, MO` for `Kansas City, Missouri`."""
    place, comma, state = name.rpartition(", ")
    if comma:
        yield from (f"{place}, {symbol}" for symbol in _symbols()[0].get(_key(state), ()))


_HAN_DIGITS = "〇一二三四五六七八九"
_HAN_ORDINAL = regex.compile(r"第(?P<han>[一二三四五六七八九十]{1,3})|第(?P<digits>\d{1,2})")


def _counted(name: str) -> Iterator[str]:
    """A Chinese or Japanese name with its ordinal in digits or characters: 第3章, 第三章."""
    match = _HAN_ORDINAL.search(name)
    if match is None:
        return
    if match["digits"]:
        tens, ones = divmod(int(match["digits"]), 10)
        number = f"{_HAN_DIGITS[tens] if tens > 1 else ''}{'十' if tens else ''}"
        number += _HAN_DIGITS[ones] if ones or not tens else ""
    else:
        ten, _, one = match["han"].rpartition("十")
        head = max(1, _HAN_DIGITS.find(ten[-1:] or "一")) if "十" in match["han"] else 0
        number = str(10 * head + (_HAN_DIGITS.find(one) if one else 0))
    yield f"{name[: match.start()]}第{number}{name[match.end() :]}"


def is_symbol(name: str) -> bool:
    """Whether the name is a symbol, which counts only where it is all that an answer says."""
    return name in _symbols()[1]


@cache
def _countries() -> frozenset[str]:
    """Names of countries, as stems with a space between them."""
    lines = _lines("territories.tsv")
    names = [name for line in lines for name in line.partition("\t")[2].split("|")]
    return frozenset(" ".join(_key(name)) for name in names)


def is_country(name: str) -> bool:
    """Whether the folded stems are the name of a country in one of the languages of the table."""
    return name.removeprefix("the ") in _countries()


_JOINTS = frozenset("of the and for in on to de du des la le der die und für".split())
_LETTERS = range(3, 8)
"""An abbreviation has three to seven letters; two mean too many names."""


def initials_of(name: str) -> str:
    """The abbreviation by its first letters of a name of three words or more with capitals:
    `JFK`, `BBC`; empty if it has none."""
    words = [word for word in name.replace(".", " ").split() if word.casefold() not in _JOINTS]
    if len(words) not in _LETTERS or not all(word[0].isupper() for word in words):
        return ""
    if any((len(word) > 1 and set(word) <= set("IVX")) or word == "I" for word in words[1:]):
        return ""  # the I of `World War I` is a numeral
    return "".join(word[0] for word in words)


def spelled_out(abbreviation: str, words: Tokens) -> tuple[int, int] | None:
    """The first and last word of a name in the text whose first letters are the abbreviation; None
    where there is none."""
    letters = abbreviation.replace(".", "").casefold()
    if len(letters) not in _LETTERS or not letters.isalpha() or not abbreviation.isupper():
        return None
    capitals = [
        index
        for index, form in enumerate(words.forms)
        if words.raw[words.starts[index]].isupper() and form not in _JOINTS and len(form) > 1
    ]
    for at in range(len(capitals) - len(letters) + 1):
        run = capitals[at : at + len(letters)]
        if [words.forms[index][0] for index in run] == list(letters) and _is_joined(run, words):
            return run[0], run[-1]
    return None


def _is_joined(run: list[int], words: Tokens) -> bool:
    """Whether nothing but small words and spaces stands between the words."""
    between = (index for index in range(run[0], run[-1] + 1) if index not in run)
    gaps = (words.gap(index) for index in range(run[0] + 1, run[-1] + 1))
    return all(words.forms[index] in _JOINTS for index in between) and all(
        gap.strip("- ") == "" for gap in gaps
    )


def is_abbreviation(name: str) -> bool:
    """Whether a name must be in capitals in the text too: US is not `us`."""
    return len(name) <= 5 and name.isupper()
