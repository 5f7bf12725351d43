"""Numbers in a text: in digits and in words, with scale, unit, sign, bound and range, each with its
place."""

from dataclasses import dataclass, replace

import regex

from llmeval.checks.facts.digits import (
    Digits,
    Value,
    read_digits,
    read_fraction_command,
    tidy,
)
from llmeval.checks.facts.number_words import LANGUAGES, in_words
from llmeval.checks.facts.qualifiers import NumericBound, bound_of
from llmeval.checks.facts.special_numbers import BELOW_ZERO, ONE_WORDS, special_number
from llmeval.checks.facts.spelled import (
    OPENERS,
    PART_STARTS,
    Spelled,
    foreign,
    part_in_words,
    spelled,
)
from llmeval.checks.facts.tokens import Tokens
from llmeval.checks.facts.units import (
    MONEY,
    SMALLER,
    MeasurementUnit,
    unit_after,
    unit_before,
    unit_named,
)
from llmeval.core.errors import CheckError

__all__ = ["MAX_NUMBERS", "Number", "Value", "numbers"]

MAX_NUMBERS = 8_000


@dataclass(frozen=True, slots=True)
class Number:
    """A number as the text states it: words first..last, code points [start, end).

    `others`: further readings of the same characters (1.234 may be a thousand). `bare`: a plain run
    of three or four digits without a unit, which may be a year. `weak`: "one", "first" and the
    like, which often count nothing. `partner`: index of the other end of a range in the list of
    numbers. `bound`: what its context makes of it.
    """

    value: Value
    first: int
    last: int
    start: int
    end: int
    unit: MeasurementUnit | None = None
    others: tuple[Value, ...] = ()
    digits: int = 1
    ordinal: bool = False
    bare: bool = False
    weak: bool = False
    partner: int | None = None
    bound: NumericBound = NumericBound.EXACT

    @property
    def readings(self) -> tuple[Value, ...]:
        """Every value it may have, the likeliest first."""
        return (self.value, *self.others)


_RANGE = regex.compile(
    r"[-–—‒−~]| [-–—‒−~] |\s(?:to|and|or|through|until|till|bis|hasta|à|a|et|und|y|e|en|tot)\s",
    regex.IGNORECASE,
)
_CHANGE = regex.compile(
    r"\b(?:fell|fall|rose|rise|grew|grow|increased?|decreased?|dropp?e?d?|went|changed?|cut"
    r"|raised?|reduced?)\b[^.;]*\bfrom\s[$€£]?$"
)
_DASH = regex.compile(r"[-–—‒−]| [-–—‒−] ")
_LISTS = frozenset(["and", "or", "et", "und", "y", "e", "en", "a"])
_BETWEEN = frozenset(["between", "zwischen", "entre", "tra", "fra", "tussen"])
_MINUS = regex.compile(
    r"(?:^|[\s(:=])[-−–]$|\b(?:minus|negative|(?<!au\s)moins"
    r"|(?<!\bal\s)(?<!\blo\s)(?<!\bo\s)(?<!\bpor\s)menos|(?<!\blo\s)meno|min)\s$",
    regex.IGNORECASE,
)
# A year with the number of a footnote that lost its brackets: "in 19861."
_NOTED_YEAR = regex.compile(r"(?:1[5-9]|20)\d{3}(?=[.!?](?:\s|$)|$)")
_FRACTION_COMMANDS = frozenset(["frac", "dfrac", "tfrac", "cfrac"])
_WEAK = frozenset([0, 1, 2, 3])
_OF_A = regex.compile(r"\s(?:(?:of\s)?an?\s|d[ei]\s|d['’])")
"""What stands before the unit in `three quarters of an hour` and `tres cuartos de hora`."""
_FEET_INCHES = regex.compile(r"(\d{1,2})\s?['′’]\s?(\d{1,2}(?:\.\d)?)\s?(?:[\"″”]|''|′′|’’)?")
_HOURS_MINUTES = regex.compile(
    r"(\d{1,3})(?:\s?h\s?|:(?=\d{2}\s?(?:h|hours|hrs|std|stunden)\b))(\d{2})"
    r"(?:\s?(?:min|h|hours|hrs|std|stunden))?(?![\p{L}\d])",
    regex.IGNORECASE,
)


def numbers(
    words: Tokens, *, comma: bool = False, language: str = "en", sure: bool = False
) -> list[Number]:
    """Every number of the text, in order.

    `comma`: the text's locale writes 3,5 for three and a half; `sure`: this is known. `language`:
    of numbers in words.

    Raises:
        CheckError: there are more than 8,000.
    """
    collected: list[Number] = []
    other = foreign(words, language) if language in ("de", "fr", "es", "it", "pt", "nl") else None
    index = 0
    # Most words of an English text start no number, as one look at a set tells.
    plain = other is None and language not in LANGUAGES and language not in ("zh", "ja", "ko")
    plain = plain and len(words) > _ALONE
    while index < len(words):
        form = words.forms[index]
        if plain and form not in _STARTS and form[0].isalpha() and form.isascii():
            index += 1
            continue
        number = _at(words, index, comma, language, sure, other)
        if number is None:
            index += 1
            continue
        collected.append(number)
        index = number.last + 1
        if len(collected) > MAX_NUMBERS:
            raise CheckError(
                f"the text has more than {MAX_NUMBERS:,} numbers; they are not compared with facts"
            )
    return _ranges(words, _compounds(words, collected))


def _at(
    words: Tokens,
    index: int,
    comma: bool,
    language: str,
    sure: bool,
    other: dict[int, Spelled] | None,
) -> Number | None:
    """The number that starts at word `index`."""
    form = words.forms[index]
    special = special_number(words, index)
    if special is not None:
        return replace(_special(words, index, special.end, special.value), unit=special.unit)
    if not form[0].isalpha():
        return _two_parts(words, index) or _in_digits(
            words, index, read_digits(words, index, comma=comma, sure=sure)
        )
    part = part_in_words(words, index)
    if part is not None:
        return _in_words(words, index, part)
    if (roman := _roman_alone(words, index)) is not None:
        return _in_words(words, index, roman)
    if form in _FRACTION_COMMANDS:
        return _in_digits(words, index, read_fraction_command(words, index))
    if other is not None and index in other:
        return _in_words(words, index, other[index])
    if other is None and (language in LANGUAGES or language in ("zh", "ja", "ko")):
        shown = in_words(words, index, language)
        return _in_words(words, index, Spelled(*shown)) if shown else None
    if form in OPENERS and other is None:
        return _in_words(words, index, spelled(words, index))
    return None


_STARTS = OPENERS | PART_STARTS | _FRACTION_COMMANDS | ONE_WORDS


def _special(words: Tokens, index: int, end: int, value: Value) -> Number:
    """A number of several words that ends at a code point."""
    last = index
    while last + 1 < len(words) and words.starts[last + 1] < end:
        last += 1
    return Number(value, index, last, words.starts[index], end, digits=15)


_ROMAN = regex.compile(
    r"(?=[MDCLXVI]{2})M{0,3}(?:CM|CD|D?C{0,3})(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3})"
)
_ROMAN_VALUES = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100, "D": 500, "M": 1000}


def _roman_alone(words: Tokens, index: int) -> Spelled | None:
    """A Roman numeral of two letters or more that is all of a short answer: XIV."""
    text = words.raw[words.starts[index] : words.ends[index]]
    if len(words) > _ALONE or not _ROMAN.fullmatch(text):
        return None
    if words.raw[words.ends[index] : words.ends[index] + 1].isalnum():
        return None  # the letters of a code: MD5
    values = [_ROMAN_VALUES[letter] for letter in text]
    pairs = zip(values, [*values[1:], 0], strict=True)
    return Spelled(sum(-one if one < two else one for one, two in pairs), index + 1)


_ALONE = 3


def _two_parts(words: Tokens, index: int) -> Number | None:
    """`5'11"` in inches, `2h30` in minutes."""
    start = words.starts[index]
    match = _FEET_INCHES.match(words.raw, start) or _HOURS_MINUTES.match(words.raw, start)
    if match is None:
        return None
    parts, name = (60, "minute") if match.re is _HOURS_MINUTES else (12, "inch")
    if float(match[2]) >= parts:
        return None
    last = index
    while last + 1 < len(words) and words.starts[last + 1] < match.end():
        last += 1
    value = tidy(int(match[1]) * parts + float(match[2]))
    return Number(value, index, last, start, match.end(), unit_named(name), digits=4)


def _is_negative(words: Tokens, start: int, end: int) -> bool:
    """Whether a sign or word makes the number at [start, end) negative."""
    if start and _MINUS.search(words.raw, max(0, start - 10), start):
        return True
    return BELOW_ZERO.match(words.raw, end) is not None


def _in_digits(words: Tokens, index: int, collected: Digits | None) -> Number | None:
    if collected is None:
        return None
    start, values = words.starts[index], collected.values
    if _is_negative(words, start, collected.end):
        values = [-v for v in values]
    text = words.raw[start : words.ends[index]]
    bare = collected.plain and 3 <= len(text) <= 4
    if collected.plain and _NOTED_YEAR.match(words.raw, start):
        values = [values[0], int(text[:4])]
    number = Number(
        values[0],
        index,
        collected.last,
        start,
        collected.end,
        None,
        tuple(values[1:]),
        collected.significant,
        collected.ordinal,
        bare,
    )
    return number if collected.ordinal else _qualified(words, _with_unit(words, number))


def _in_words(words: Tokens, index: int, collected: Spelled | None) -> Number | None:
    if collected is None:
        return None
    start, last = words.starts[index], collected.stop - 1
    value = tidy(collected.value)
    if _is_negative(words, start, words.ends[last]):
        value = -value
    weak = last == index and collected.value in _WEAK
    year = isinstance(value, int) and 1000 <= value < 2100
    number = Number(
        value,
        index,
        last,
        start,
        words.ends[last],
        ordinal=collected.ordinal,
        weak=weak,
        bare=year and "thousand" not in words.forms[index:last],
        digits=15 if isinstance(value, float) else 1,
    )
    return number if collected.ordinal else _qualified(words, _with_unit(words, number))


def _qualified(words: Tokens, number: Number) -> Number:
    bound = bound_of(words.raw, number.start, number.end)
    return number if bound is NumericBound.EXACT else replace(number, bound=bound)


def _with_unit(words: Tokens, number: Number) -> Number:
    """The number with the unit or currency that stands by it."""
    raw = words.raw
    after, before = unit_after(raw, number.end), unit_before(raw, number.start)
    if before is not None and (after is None or after[0].dimension not in MONEY):
        return replace(number, unit=before[0], start=before[1], bare=False)
    of_a = _OF_A.match(raw, number.end) if after is None and 0 < number.value < 1 else None
    if of_a is not None:
        after = unit_after(raw, of_a.end())
    if after is None:
        return number
    unit, end = after
    last = number.last
    while last + 1 < len(words) and words.starts[last + 1] < end:
        last += 1
    return replace(number, unit=unit, end=end, last=last, bare=False, weak=False)


def _compounds(words: Tokens, collected: list[Number]) -> list[Number]:
    """`6 feet 2 inches`, `1 hour 30 minutes`, `1h 30m`, `2h30` as one amount of the first unit."""
    result: list[Number] = []
    for number in collected:
        previous = result[-1] if result else None
        smaller = _smaller_part(words, previous, number) if previous else None
        if previous and smaller and previous.unit:
            value = previous.value + number.value * smaller.factor / previous.unit.factor
            exact = tidy(float(f"{value:.15g}"))
            result[-1] = replace(
                previous, value=exact, others=(), last=number.last, end=number.end, digits=4
            )
        else:
            result.append(number)
    return result


_COMPOUND = frozenset(["length", "mass", "time", "usd", "eur", "gbp"])


def _smaller_part(words: Tokens, one: Number, two: Number) -> MeasurementUnit | None:
    """The unit in which `two` goes on from `one`; None if it does not."""
    if one.unit is None or one.unit.dimension not in _COMPOUND:
        return None
    gap = words.raw[one.end : two.start]
    if gap.strip(" ,") not in ("", "and", "und", "et", "y", "e", "en") or len(gap) > 5:
        return None
    unit = two.unit
    if unit is None or (one.unit.dimension == "time" and unit.name.startswith("metre")):
        smaller = SMALLER.get(one.unit.name)
        unit = smaller if unit is not None or gap in ("", " ") else None
    if unit is None or unit.dimension != one.unit.dimension:
        return None
    ratio = one.unit.factor / unit.factor
    whole = abs(ratio - round(ratio)) < 1e-6
    return unit if whole and abs(two.value) < ratio <= 6000 else None


def _ranges(words: Tokens, collected: list[Number]) -> list[Number]:
    """Joins the two ends of `5-10 kg`, `1632–53`, `from 2 to 3 million`: unit, scale and century
    are shared."""
    for i in range(len(collected) - 1):
        low, high = collected[i], collected[i + 1]
        if high.start - low.end > 9 or low.partner is not None or low.ordinal != high.ordinal:
            continue
        gap = words.raw[low.end : high.start]
        joint = gap.strip().lower()
        if not _RANGE.fullmatch(gap) or (joint in _LISTS and not _between(words, low, joint)):
            continue
        if joint == "to" and _CHANGE.search(words.raw, max(0, low.start - 40), low.start):
            continue
        if low.bare and _DASH.fullmatch(gap) and len(words.forms[high.first]) == 2:
            century = int(low.value) - int(low.value) % 100
            high = replace(high, value=century + high.value, bare=True)
        if low.unit is None and high.unit is not None:
            low = replace(low, unit=high.unit, bare=False)
        collected[i], collected[i + 1] = replace(low, partner=i + 1), replace(high, partner=i)
    return collected


def _between(words: Tokens, low: Number, joint: str) -> bool:
    """Whether `x and y` is a range, not a list."""
    before = words.forms[low.first - 1] if low.first else ""
    return joint == "or" or before in _BETWEEN
