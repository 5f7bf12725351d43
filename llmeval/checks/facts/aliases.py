"""Other names of the same thing: abbreviations, formulas, countries in seven languages, places and
people that have two names.

`territories.tsv` holds names of countries from the Unicode CLDR (as in Babel 2.19; English, German,
French, Spanish, Italian, Portuguese, Dutch; Unicode License v3) and, in English, official and
former names from ISO 3166 and its part 3. A library with the same data (Babel, 10 MB) would be a
dependency for one table. `other_names.txt` has one group of names a line. Its names of places are
those of the United Nations Group of Experts on Geographical Names and the usual exonyms.
"""

from functools import cache
from importlib.resources import files

from llmeval.checks.facts.tokens import Tokens


@cache
def _groups() -> dict[tuple[str, ...], tuple[str, ...]]:
    """Every name's stems, and the names of its group."""
    territories = (
        files("llmeval.checks.facts").joinpath("territories.tsv").read_text(encoding="utf-8")
    )
    lines = [line.partition("\t")[2] for line in territories.splitlines()]
    others = files("llmeval.checks.facts").joinpath("other_names.txt").read_text(encoding="utf-8")
    groups: dict[tuple[str, ...], tuple[str, ...]] = {}
    for line in [*others.splitlines(), *lines]:
        names = tuple(line.split("|"))
        for name in names:
            groups.setdefault(_key(name), names)
    return groups


def _key(name: str) -> tuple[str, ...]:
    stems = Tokens(name).stems
    return tuple(stems[1:] if stems[:1] == ["the"] else stems)


def aliases_of(name: str) -> tuple[str, ...]:
    """The other names of the thing with this name; empty if none is known."""
    if len(name) > 80 or (len(name) <= 3 and not name.isupper()):
        return ()
    key = _key(name)
    return tuple(alias for alias in _groups().get(key, ()) if _key(alias) != key)


@cache
def _countries() -> frozenset[str]:
    """Names of countries, as stems with a space between them."""
    text = files("llmeval.checks.facts").joinpath("territories.tsv").read_text(encoding="utf-8")
    names = [name for line in text.splitlines() for name in line.partition("\t")[2].split("|")]
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
