"""Numbers in a text: digits as locales write them, words, scales, units, fractions and ranges, each with its place."""

import unicodedata
from dataclasses import dataclass, replace

import regex

from llmeval.checks.facts.spelled import OPENERS, SCALES, Spelled, foreign, spelled
from llmeval.checks.facts.tokens import Tokens
from llmeval.checks.facts.units import MONEY, Unit, unit_after, unit_before
from llmeval.errors import CheckError

Value = int | float
MAX_DIGITS = 60
"""A longer run of digits is not read as a number."""
MAX_NUMBERS = 20_000


@dataclass(frozen=True, slots=True)
class Number:
    """A number as the text states it: words first..last, code points [start, end).

    `others`: further readings of the same characters (1.234 may be a thousand). `bare`: a plain run of three or four
    digits without a unit, which may be a year. `weak`: "one", "first" and the like, which often count nothing.
    `partner`: index of the other end of a range in the list of numbers.
    """

    value: Value
    first: int
    last: int
    start: int
    end: int
    unit: Unit | None = None
    others: tuple[Value, ...] = ()
    digits: int = 1
    ordinal: bool = False
    bare: bool = False
    weak: bool = False
    partner: int | None = None

    @property
    def readings(self) -> tuple[Value, ...]:
        """Every value it may have, the likeliest first."""
        return (self.value, *self.others)


_LETTER_SCALES = {"k": 10**3, "m": 10**6, "b": 10**9, "bn": 10**9, "t": 10**12}
_POWER = regex.compile(r"\s?[×x·*]\s?10\s?(?:\^|\*\*)?\s?\(?([-−⁻+⁺]?[\d⁰¹²³⁴-⁹]{1,3})\)?|[eE]([-+]?\d{1,3})\b")
_SUPER = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺−", "0123456789-+-")
_VULGAR = regex.compile(r"(\d{0,4})\s?(\d)⁄(\d{1,2})")
_SPACES = regex.compile(r"['’\u00a0\u2009\u202f]")
_RANGE = regex.compile(r"[-–—‒−~]| [-–—‒−~] |\s(?:to|and|or|through|until|till|bis|hasta)\s", regex.IGNORECASE)
_DASH = regex.compile(r"[-–—‒−]| [-–—‒−] ")
_MINUS = regex.compile(r"(?:^|[\s(:=])[-−–]$|\b(?:minus|negative)\s$", regex.IGNORECASE)
# A year with the number of a footnote that lost its brackets: "in 19861."
_NOTED_YEAR = regex.compile(r"(?:1[5-9]|20)\d{3}(?=[.!?](?:\s|$)|$)")
_SPACED = regex.compile(r"\d{1,3}(?: \d{3}){1,6}(?![\d.,]|\s\d)")
_MAX_EXPONENT = 200
_WEAK = frozenset([0, 1, 2, 3])


def numbers(words: Tokens, *, comma: bool = False, language: str = "en") -> list[Number]:
    """Every number of the text, in order.

    `comma`: the text's locale writes 3,5 for three and a half. `language`: of numbers in words.

    Raises:
        CheckError: there are more than 20,000.
    """
    found: list[Number] = []
    known = None if language == "en" else foreign(words, language)
    index, forms = 0, words.forms
    while index < len(forms):
        number = None
        form = forms[index]
        if not form[0].isalpha():
            number = (_spaced(words, index) if comma else None) or _digits(words, index, comma)
        elif known is not None:
            number = _spelled(words, index, known[index]) if index in known else None
        elif form in OPENERS:
            number = _spelled(words, index, spelled(words, index))
        if number is None:
            index += 1
            continue
        found.append(number)
        index = number.last + 1
        if len(found) > MAX_NUMBERS:
            raise CheckError(f"the text has more than {MAX_NUMBERS:,} numbers; they are not compared with facts")
    return _ranges(words, _compounds(words, found))


def _digits(words: Tokens, index: int, comma: bool) -> Number | None:
    start, end = words.starts[index], words.ends[index]
    text = words.raw[start:end]
    values = _read(text, comma)
    if not values:
        return None
    factor, end, last = _factor(words, index)
    if last == index and index + 1 < len(words) and words.starts[index + 1] == end and words.raw[end] in "½⅓⅔¼¾⅕⅛":
        values, end, last = [values[0] + _read(words.raw[end], comma)[0]], end + 1, index + 1
    if factor != 1:
        values = [_scaled(v, factor) for v in values]
    if start and _MINUS.search(words.raw, max(0, start - 10), start):
        values = [-v for v in values]
    ordinal = text[-1:].isalpha()
    bare = factor == 1 and text.isdigit() and 3 <= len(text) <= 4
    if factor == 1 and _NOTED_YEAR.match(words.raw, start):
        values = [values[0], int(text[:4])]
    number = Number(values[0], index, last, start, end, None, tuple(values[1:]), _significant(text), ordinal, bare)
    return number if ordinal else _with_unit(words, number)


def _spaced(words: Tokens, index: int) -> Number | None:
    """`1 234 567`, as languages with a decimal comma group digits."""
    match = _SPACED.match(words.raw, words.starts[index])
    if match is None:
        return None
    last = index
    while last + 1 < len(words) and words.starts[last + 1] < match.end():
        last += 1
    value = int(match[0].replace(" ", ""))
    number = Number(value, index, last, match.start(), match.end(), digits=_significant(match[0]))
    return _with_unit(words, number)


def _factor(words: Tokens, index: int) -> tuple[Value, int, int]:
    """By what a power of ten or a scale word after word `index` multiplies it; where that ends; its last word."""
    raw, end = words.raw, words.ends[index]
    power = _POWER.match(raw, end) if raw[end : end + 3].strip()[:1] in tuple("×x·*eE") else None
    if power:
        last = index
        while last + 1 < len(words) and words.starts[last + 1] < power.end():
            last += 1
        exponent = int((power[1] or power[2]).translate(_SUPER))
        if abs(exponent) <= _MAX_EXPONENT:
            return (10**exponent if exponent >= 0 else 10.0**exponent), power.end(), last
    if index + 1 >= len(words):
        return 1, end, index
    gap, form = words.gap(index + 1), words.forms[index + 1]
    if not gap and form in _LETTER_SCALES and (form != "m" or unit_before(raw, words.starts[index])):
        return _LETTER_SCALES[form], words.ends[index + 1], index + 1
    if gap not in (" ", "-", "\u00a0"):
        return 1, end, index
    scale = 100 if form == "hundred" else SCALES.get(form, 1)
    if scale == 1:
        return 1, end, index
    more = SCALES.get(words.forms[index + 2], 1) if index + 2 < len(words) and words.gap(index + 2) == " " else 1
    last = index + 1 + (more > 1)
    return scale * more, words.ends[last], last


def _spelled(words: Tokens, index: int, found: Spelled | None) -> Number | None:
    if found is None:
        return None
    last = found.stop - 1
    weak = last == index and found.value in _WEAK
    number = Number(
        _tidy(found.value), index, last, words.starts[index], words.ends[last], ordinal=found.ordinal, weak=weak,
        bare=isinstance(found.value, int) and 1000 <= found.value < 2100 and "thousand" not in words.forms[index:last],
    )  # fmt: skip
    return number if found.ordinal else _with_unit(words, number)


def _with_unit(words: Tokens, number: Number) -> Number:
    """The number with the unit or currency that stands by it."""
    raw = words.raw
    after, before = unit_after(raw, number.end), unit_before(raw, number.start)
    if before is not None and (after is None or after[0].dimension not in MONEY):
        return replace(number, unit=before[0], start=before[1], bare=False)
    if after is None:
        return number
    unit, end = after
    last = number.last
    while last + 1 < len(words) and words.starts[last + 1] < end:
        last += 1
    return replace(number, unit=unit, end=end, last=last, bare=False, weak=False)


def _read(text: str, comma: bool) -> list[Value]:
    """The values that the characters may stand for, the likeliest first; empty when they are no number."""
    body = text if text.isascii() else unicodedata.normalize("NFKC", text)
    fraction = _VULGAR.fullmatch(body)
    if fraction:
        return [int(fraction[1] or 0) + int(fraction[2]) / int(fraction[3])] if int(fraction[3]) else []
    body = body.rstrip("stndrhSTNDRH")
    if len(body) > MAX_DIGITS:
        return []
    try:
        return [_tidy(float(option) if "." in option else int(option)) for option in _options(body, comma)]
    except ValueError:
        return []


def _options(body: str, comma: bool) -> list[str]:
    """Spellings with a decimal point and no grouping, the likeliest first."""
    body = _SPACES.sub("", body)
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


def _scaled(value: Value, factor: Value) -> Value:
    """`value * factor`, rounded where binary fractions would show (5.97 * 10**24)."""
    product = value * factor
    return _tidy(float(f"{product:.15g}")) if isinstance(product, float) else product


def _tidy(value: Value) -> Value:
    """A float that is a whole number as an int."""
    return int(value) if isinstance(value, float) and abs(value) < 1e15 and value.is_integer() else value


def _significant(text: str) -> int:
    """Significant digits as written; the zeros that end a whole number don't count."""
    figures = "".join(c for c in text if c.isdigit()).lstrip("0")
    return max(1, len(figures if "." in text else figures.rstrip("0")))


def _compounds(words: Tokens, found: list[Number]) -> list[Number]:
    """`6 feet 2 inches`, `1 hour 30 minutes` as one amount of the first unit."""
    result: list[Number] = []
    for number in found:
        previous = result[-1] if result else None
        if previous and _continues(words, previous, number) and previous.unit and number.unit:
            value = previous.value + number.value * number.unit.factor / previous.unit.factor
            result[-1] = replace(previous, value=_tidy(value), others=(), last=number.last, end=number.end)
        else:
            result.append(number)
    return result


def _continues(words: Tokens, one: Number, two: Number) -> bool:
    """Whether `two` goes on from `one` in a smaller unit of the same dimension."""
    if one.unit is None or two.unit is None or one.unit.dimension != two.unit.dimension:
        return False
    near = words.raw[one.end : two.start].strip(" ,") in ("", "and") and two.start - one.end <= 5
    ratio = one.unit.factor / two.unit.factor
    whole = abs(ratio - round(ratio)) < 1e-6
    return near and whole and abs(two.value) < ratio <= 6000 and one.unit.dimension in ("length", "mass", "time")


def _ranges(words: Tokens, found: list[Number]) -> list[Number]:
    """Joins the two ends of `5-10 kg`, `1632–53`, `from 2 to 3 million`: unit, scale and century are shared."""
    for i in range(len(found) - 1):
        low, high = found[i], found[i + 1]
        if high.start - low.end > 9 or low.partner is not None or low.ordinal != high.ordinal:
            continue
        gap = words.raw[low.end : high.start]
        if not _RANGE.fullmatch(gap) or (gap.strip().lower() in ("and", "or") and not _between(words, low, gap)):
            continue
        if low.bare and _DASH.fullmatch(gap) and len(words.forms[high.first]) == 2 and isinstance(low.value, int):
            century = low.value - low.value % 100
            high = replace(high, value=century + high.value, bare=True)
        if low.unit is None and high.unit is not None:
            low = replace(low, unit=high.unit, bare=False)
        found[i], found[i + 1] = replace(low, partner=i + 1), replace(high, partner=i)
    return found


def _between(words: Tokens, low: Number, gap: str) -> bool:
    """Whether `x and y` is a range, not a list."""
    before = words.forms[low.first - 1] if low.first else ""
    return before == "between" if gap.strip().lower() == "and" else True
