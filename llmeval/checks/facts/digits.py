"""Numbers in digits: as locales group them, fractions, powers, and the words that scale them."""

import unicodedata
from typing import NamedTuple

import regex

from llmeval.checks.facts.number_words import HAN_LARGE
from llmeval.checks.facts.spelled import SCALES
from llmeval.checks.facts.tokens import Tokens
from llmeval.checks.facts.units import unit_after

Value = int | float
MAX_DIGITS = 60
"""A longer run of digits is not read as a number."""
_MAX_EXPONENT = 200
_LETTER_SCALES = {"k": 10**3, "m": 10**6, "b": 10**9, "bn": 10**9, "t": 10**12}
_POWER = regex.compile(
    r"\s?(?:[×x·*]|\\times|\\cdot)\s?10\s?(?:\^|\*\*)?\s?[({]?([-−⁻+⁺]?[\d⁰¹²³⁴-⁹]{1,3})[)}]?"
    r"|[eE]([-+]?\d{1,3})\b"
)
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺−", "0123456789-+-")
_RAISED = regex.compile(
    r"(?P<base>\d{1,6}(?:\.\d{1,6})?)(?:\s?(?:\^|\*\*)\s?[({]?(?P<sign>[-−]?\d{1,3})[)}]?"
    r"|(?P<small>[⁻⁺]?[⁰¹²³⁴-⁹]{1,3})"
    r"|\s(?:raised\s)?to\sthe\s(?:power\s(?:of\s)?(?P<power>[-−]?\d{1,3})|(?P<nth>\d{1,3})(?:st|nd"
    r"|rd|th)(?:\spower)?))(?!\d|\.\d)"
)
_FRACTION = regex.compile(
    r"(?<![\d/.,])(?:(?P<whole>\d{1,4})[ \u00a0-])?(?P<top>\d{1,4})(?:\s?[/⁄]\s?"
    r"|\sover\s(?=\d{1,4}[.!]?$))(?P<bottom>\d{1,4})(?![\d/⁄]|[.,]\d)"
)
_LATEX = regex.compile(
    r"[dtc]?frac\s?(?:\{\s?(?P<top>\d{1,6})\s?\}|(?P<one>\d))\s?(?:\{\s?(?P<bottom>\d{1,6})\s?\}"
    r"|(?P<two>\d))"
)
_VULGAR = regex.compile(r"(\d{0,4})\s?(\d)⁄(\d{1,2})")
_SPACES = regex.compile(r"['’\u00a0\u2009\u202f]")
# One group of three is joined only where something shows it: 816 000 t, $13 009; two or more always
# are.
_GROUPED = regex.compile(r"\d{1,3}(?: \d{3}){1,6}(?:[.,]\d{1,2})?(?![\d.,]\d|\d|\s\d)")
_MONEY_BEFORE = regex.compile(r"[$€£¥₹]\s?$")


_ORDINAL_MARK = regex.compile(
    r"(?:e|er|re|ère|[èe]me|\.?[ºª]|°)(?![\p{L}\d]|\s(?:de\s)?(?:jan|ene|gen|f[ée]v|feb|mar|abr|apr"
    r"|avr|ma[iyg]|jun|jui|giu|jul|lug|ago|ao[uû]|set|sep|o[cu]t|ott|nov|di[cz]|dez|d[ée]c))",
    regex.IGNORECASE,
)
"""What French, Dutch, Spanish, Italian and Portuguese write after the digits of an ordinal; before
a month the number is a day."""
_ARTICLE = regex.compile(r"\b(?:il|lo|la|el|o|a|al|del|nel)\s$", regex.IGNORECASE)


class Digits(NamedTuple):
    """A number in digits: its readings, the likeliest first, and where it stands.

    `significant`: digits that count. `plain`: nothing but a run of digits.
    """

    values: list[Value]
    last: int
    end: int
    significant: int
    plain: bool
    ordinal: bool = False


def read_digits(words: Tokens, index: int, *, comma: bool, sure: bool) -> Digits | None:
    """The number that starts at word `index`; None if there is none.

    `comma`: 3,5 is three and a half; `sure`: this is known, so 1,000 has one reading.
    """
    for rule in (_fraction, _power, _grouped):
        result = rule(words, index, comma)
        if result is not None:
            return result
    start, end = words.starts[index], words.ends[index]
    text = words.raw[start:end]
    values = read_value(text, comma)
    if not values:
        return None
    values = values[:1] if sure else values
    factor, end, last = _factor(words, index)
    if last == index and _is_vulgar(words, index + 1) and words.gap(index + 1) in ("", " "):
        end = words.ends[index + 1]
        values, last = [values[0] + read_value(words.raw[end - 1], comma)[0]], index + 1
    if factor != 1:
        values = [scaled(v, factor) for v in values]
    plain = factor == 1 and text.isdigit()
    mark = _ORDINAL_MARK.match(words.raw, end) if plain else None
    if mark and (mark[0] != "°" or _ARTICLE.search(words.raw, max(0, start - 5), start)):
        last = _last_word(words, index, mark.end())
        return Digits(values, last, mark.end(), significant(text), False, True)
    return Digits(values, last, end, significant(text), plain, text[-1:].isalpha())


def read_fraction_command(words: Tokens, index: int) -> Digits | None:
    r"""`\frac{3}{4}` and `\dfrac23`, whose word is `frac`."""
    match = _LATEX.match(words.raw, words.starts[index])
    if match is None:
        return None
    top, bottom = int(match["top"] or match["one"]), int(match["bottom"] or match["two"])
    if not bottom:
        return None
    return Digits(
        [tidy(top / bottom)], _last_word(words, index, match.end()), match.end(), 15, False
    )


def _is_vulgar(words: Tokens, index: int) -> bool:
    return index < len(words) and words.raw[words.starts[index]] in "½⅓⅔¼¾⅕⅛"


def _last_word(words: Tokens, index: int, end: int) -> int:
    while index + 1 < len(words) and words.starts[index + 1] < end:
        index += 1
    return index


def _fraction(words: Tokens, index: int, comma: bool) -> Digits | None:
    """`3/4` and `1 1/2`; not 24/7/365, and no season such as 2018/19."""
    match = _FRACTION.match(words.raw, words.starts[index])
    if match is None or int(match["bottom"]) == 0 or int(match["top"]) >= 1000:
        return None
    top, bottom = int(match["top"]), int(match["bottom"])
    if match["whole"] and top >= bottom:
        return None
    value = int(match["whole"] or 0) + top / bottom
    return Digits([tidy(value)], _last_word(words, index, match.end()), match.end(), 15, False)


def _power(words: Tokens, index: int, comma: bool) -> Digits | None:
    """`10^6`, `10⁶`, `10 to the power of 6`."""
    match = _RAISED.match(words.raw, words.starts[index])
    if match is None:
        return None
    written = match["sign"] or match["small"] or match["power"] or match["nth"]
    base, exponent = match["base"], int(written.translate(_SUPERSCRIPTS))
    if abs(exponent) > _MAX_EXPONENT or (float(base) == 0 and exponent < 0):
        return None
    value = float(base) ** exponent if "." in base or exponent < 0 else int(base) ** exponent
    return Digits([tidy(value)], _last_word(words, index, match.end()), match.end(), 15, False)


def _grouped(words: Tokens, index: int, comma: bool) -> Digits | None:
    """`1 234 567`; one group alone where the locale groups so, or its zeros, a currency or a scale
    show it."""
    match = _GROUPED.match(words.raw, words.starts[index])
    if match is None:
        return None
    groups = match[0].split(" ")
    if len(groups) == 2 and not comma:
        last = _last_word(words, index, match.end())
        money = _MONEY_BEFORE.search(words.raw, max(0, match.start() - 3), match.start())
        scale = last + 1 < len(words) and words.forms[last + 1] in SCALES
        measured = unit_after(words.raw, match.end()) is not None
        if not (groups[1] == "000" or money or scale or measured or _counts(words, index, last)):
            return None
    listed = len(groups) > 2 and len(groups[0]) == 3 and set(groups[1:]) != {"000"}
    if listed and unit_after(words.raw, match.end()) is None:
        return None  # 100 200 300 is rather a list
    last = _last_word(words, index, match.end())
    values = read_value(match[0].replace(" ", ""), comma)
    factor, end, last = _factor(words, last)
    return Digits([scaled(v, factor) for v in values], last, end, significant(match[0]), False)


_NUMBERED = frozenset(
    "chapter page pages line lines no number nos article section room game day level team year "
    "january february march april may june july august september october november december jan "
    "feb mar apr jun jul aug sep sept oct nov dec from between and to or of".split()
)
"""Words after which two numbers side by side are two: On May 3 200 people came."""


def _counts(words: Tokens, index: int, last: int) -> bool:
    """Whether a noun follows the two groups, and no word before them numbers something."""
    if not index and last + 1 >= len(words):
        return True
    after = words.forms[last + 1] if last + 1 < len(words) else ""
    before = words.forms[index - 1] if index else ""
    noun = after.isalpha() and len(after) > 2 and words.gap(last + 1) == " "
    return noun and before not in _NUMBERED and not before[:1].isdigit()


def _factor(words: Tokens, index: int) -> tuple[Value, int, int]:
    """By what a power of ten or a scale word after word `index` multiplies it; where that ends; its
    last word."""
    raw, end = words.raw, words.ends[index]
    power = _POWER.match(raw, end) if raw[end : end + 3].strip()[:1] in tuple("×x·*eE\\") else None
    if power:
        exponent = int((power[1] or power[2]).translate(_SUPERSCRIPTS))
        if abs(exponent) <= _MAX_EXPONENT:
            value = 10**exponent if exponent >= 0 else 10.0**exponent
            return value, power.end(), _last_word(words, index, power.end())
    if index + 1 >= len(words):
        return 1, end, index
    gap, form = words.gap(index + 1), words.forms[index + 1]
    if not gap and form in HAN_LARGE | {"千": 1000, "百": 100}:
        return (HAN_LARGE | {"千": 1000, "百": 100})[form], words.ends[index + 1], index + 1
    money = _MONEY_BEFORE.search(raw, max(0, words.starts[index] - 3), words.starts[index])
    million = form != "m" or money or raw[words.starts[index + 1]] == "M"
    if not gap and form in _LETTER_SCALES and million:
        return _LETTER_SCALES[form], words.ends[index + 1], index + 1
    if gap not in (" ", "-", "\u00a0"):
        return 1, end, index
    scale = 100 if form == "hundred" else SCALES.get(form, 1)
    if scale == 1:
        return 1, end, index
    after = index + 2
    more = (
        SCALES.get(words.forms[after], 1) if after < len(words) and words.gap(after) == " " else 1
    )
    last = index + 1 + (more > 1)
    return scale * more, words.ends[last], last


def read_value(text: str, comma: bool) -> list[Value]:
    """The possible values of the characters, the most likely first; empty if
    they are not a number.
    """
    text = _SPACES.sub("", text)
    body = text if text.isascii() else unicodedata.normalize("NFKC", text)
    fraction = _VULGAR.fullmatch(body)
    if fraction:
        bottom = int(fraction[3])
        return [tidy(int(fraction[1] or 0) + int(fraction[2]) / bottom)] if bottom else []
    body = body.rstrip("stndrhSTNDRH")
    if len(body) > MAX_DIGITS:
        return []
    try:
        return [tidy(float(o) if "." in o else int(o)) for o in _options(body, comma)]
    except ValueError:
        return []


def _options(body: str, comma: bool) -> list[str]:
    """Spellings with a decimal point and no grouping, the likeliest first."""
    commas, points = body.count(","), body.count(".")
    if commas and points:
        decimal = "," if body.rfind(",") > body.rfind(".") else "."
        return [body.replace("." if decimal == "," else ",", "").replace(",", ".")]
    if not commas + points:
        return [body]
    mark = "," if commas else "."
    joined, pointed = body.replace(mark, ""), body.replace(mark, ".")
    if commas + points > 1:
        return [joined]
    whole, _, decimals = body.partition(mark)
    if len(decimals) != 3 or len(whole) > 3 or whole.startswith("0"):
        return [pointed]
    return [joined, pointed] if (mark == ",") != comma else [pointed, joined]


def scaled(value: Value, factor: Value) -> Value:
    """`value * factor`, rounded where binary fractions would show (5.97 * 10**24)."""
    product = value * factor
    return tidy(float(f"{product:.15g}")) if isinstance(product, float) else product


def tidy(value: Value) -> Value:
    """A float that is a whole number as an int."""
    whole = isinstance(value, float) and abs(value) < 1e15 and value.is_integer()
    return int(value) if whole else value


def significant(text: str) -> int:
    """Significant digits as written; the zeros that end a whole number don't count."""
    figures = "".join(c for c in text if c.isdigit()).lstrip("0")
    return max(1, len(figures if "." in text else figures.rstrip("0")))
