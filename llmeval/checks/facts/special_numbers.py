"""Numbers in special forms: `四分之三`, `4分の3`, `an hour and a half`, `12 degrees below
zero`."""

from typing import NamedTuple

import regex

from llmeval.checks.facts.digits import Value, tidy
from llmeval.checks.facts.number_words import in_words
from llmeval.checks.facts.tokens import Tokens
from llmeval.checks.facts.units import MeasurementUnit, unit_named

BELOW_ZERO = regex.compile(
    r"\s?(?:degrees?|deg|°|grad|degrés?|grados?|gradi|graus?|graden)?\s?(?:[CFcf]\b|celsius"
    r"|fahrenheit)?\s?(?:below\s(?:zero|freezing)|unter\s(?:null|dem\sgefrierpunkt)"
    r"|(?:au-dessous|en\sdessous)\sde\s(?:zéro|0)|bajo\scero|sotto\s(?:lo\s)?zero"
    r"|abaixo\sde\szero|onder\s(?:nul|het\svriespunt))",
    regex.IGNORECASE,
)
"""What follows a number in `12 degrees below zero`, in seven languages."""
_HAN_FRACTION = regex.compile(
    r"(?P<below>\d{1,4}|[一二三四五六七八九十百两]{1,4})分[之の]"
    r"(?P<above>\d{1,4}|[一二三四五六七八九十百两]{1,4})"
)
_ONE_AND_HALF = regex.compile(
    r"(?:an?|one|une?|una|uma|un['’]|een)\s?(?P<unit>\p{L}{2,12})\s(?:and\sa\s(?P<part>half"
    r"|quarter)|et\sdemie?|y\smedi[ao]|e\smezz[ao]|e\smei[ao])\b"
    r"|(?:anderthalb|eineinhalb|einundeinhalb|anderhalve?)\s(?P<unit>\p{L}{2,12})",
    regex.IGNORECASE,
)
ONE_WORDS = frozenset(
    "a an one un une una uma unora een anderthalb eineinhalb einundeinhalb anderhalf "
    "anderhalve".split()
)
"""Words that one and a half of a unit may start with."""


class SpecialNumber(NamedTuple):
    """A value, the code point where its text ends, and its unit."""

    value: Value
    end: int
    unit: MeasurementUnit | None = None


def special_number(words: Tokens, index: int) -> SpecialNumber | None:
    """The number in one of these forms that starts at word `index`."""
    start = words.starts[index]
    if words.forms[index] in ONE_WORDS:
        return _one_and_half(words.raw, start)
    return None if words.raw[start : start + 4].isascii() else _fraction_in_han(words.raw, start)


def _fraction_in_han(raw: str, start: int) -> SpecialNumber | None:
    match = _HAN_FRACTION.match(raw, start)
    if match is None:
        return None
    below, above = (_han_value(match[name]) for name in ("below", "above"))
    return SpecialNumber(tidy(above / below), match.end()) if above and below else None


def _han_value(text: str) -> int:
    shown = (int(text), 0) if text.isdigit() else in_words(Tokens(text), 0, "zh")
    return shown[0] if shown else 0


def _one_and_half(raw: str, start: int) -> SpecialNumber | None:
    match = _ONE_AND_HALF.match(raw, start)
    unit = unit_named(match["unit"]) if match is not None else None
    if match is None or unit is None:
        return None
    return SpecialNumber(1.25 if match["part"] == "quarter" else 1.5, match.end(), unit)
