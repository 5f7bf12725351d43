"""Numbers written as words: English here, other languages by `text2num` where the text is in one of
them."""

from typing import NamedTuple

import regex

from llmeval.checks.facts.tokens import CARDINALS, ORDINALS, TENS, TIMES, Tokens
from llmeval.checks.facts.units import unit_named

SCALES = {
    "thousand": 10**3,
    "million": 10**6,
    "billion": 10**9,
    "trillion": 10**12,
    "quadrillion": 10**15,
    "dozen": 12,
    "lakh": 10**5,
    "crore": 10**7,
    "tausend": 10**3,
    "millionen": 10**6,
    "millones": 10**6,
    "milioni": 10**6,
    "milhoes": 10**6,
    "mio": 10**6,
    "milliarde": 10**9,
    "milliarden": 10**9,
    "milliard": 10**9,
    "miliardi": 10**9,
    "mrd": 10**9,
    "bn": 10**9,
    "tn": 10**12,
}
SCALES |= {f"{word}s": n for word, n in SCALES.items() if word.endswith(("d", "on", "n"))}
_SMALL = {**CARDINALS, **TENS}
_PARTS = {
    "half": 0.5,
    "halves": 0.5,
    "third": 1 / 3,
    "thirds": 1 / 3,
    "quarter": 0.25,
    "quarters": 0.25,
    "fifth": 0.2,
    "fifths": 0.2,
    "sixth": 1 / 6,
    "sixths": 1 / 6,
    "eighth": 0.125,
    "eighths": 0.125,
    "tenth": 0.1,
    "tenths": 0.1,
}
OPENERS = frozenset([*_SMALL, *ORDINALS, *TIMES, "a", "an", "half", "dozen", "hundred", "thousand"])
_JOINTS = frozenset([" ", "-", "‑", "–", ", ", "\n", ""])


_PART_WORDS = {
    word: value
    for words, value in (
        (
            "halfte halb halbe halber halbes halben halbem "
            "moitie demi demie mitad medio media meta mezzo mezza metade meio "
            "meia helft half",
            0.5,
        ),
        ("drittel tiers tercio tercios terzo terzi terco tercos derde", 1 / 3),
        ("viertel quart quarts cuarto cuartos quarto quarti quartos kwart", 0.25),
        ("funftel cinquieme cinquiemes quinto quintos quinti vijfde", 0.2),
        ("achtel huitieme huitiemes octavo octavos ottavo ottavi oitavo oitavos", 0.125),
        ("zehntel dixieme dixiemes decimo decimos decimi tiende", 0.1),
    )
    for word in words.split()
}
"""Parts of one in German, French, Spanish, Italian, Portuguese and Dutch, folded."""
_ALONE = frozenset("halfte moitie mitad meta metade helft".split())
_HALF_OF_UNIT = frozenset("media medio mezza mezzo meia meio".split())
"""One half where a unit follows: media hora."""
_COUNTS = {
    word: n
    for n, words in enumerate(
        (
            "ein eine un une uno una um uma een",
            "zwei deux dos due dois duas twee",
            "drei trois tres tre drie",
            "vier quatre cuatro quattro quatro",
            "funf cinq cinco cinque vijf",
            "sechs six seis sei zes",
            "sieben sept siete sette sete zeven",
        ),
        start=1,
    )
    for word in words.split()
}


PART_STARTS = _ALONE | _HALF_OF_UNIT | frozenset(_COUNTS)
"""Every word that a part of one in another language than English may start with."""


def part_in_words(words: Tokens, index: int) -> "Spelled | None":
    """`ein Viertel`, `trois quarts`, `dos tercios`, `die Hälfte`: a part of one in six languages
    in addition to English."""
    form = words.forms[index]
    if form in _ALONE:
        return Spelled(0.5, index + 1)
    after_it = _form(words, index + 1)
    if form in _HALF_OF_UNIT and after_it and unit_named(after_it) is not None:
        return Spelled(0.5, index + 1)
    if form not in _COUNTS:
        return None
    part = _PART_WORDS.get(_form(words, index + 1))
    after = _form(words, index + 2)
    if part is None or after in ("nach", "vor", "d", "voor", "over"):  # a time of the day
        return None
    return Spelled(_COUNTS[form] * part, index + 2)


_AND_HALF = regex.compile(
    r"\s(?:et\sdemie?|y\smedi[oa]|e\smezz[oa]|e\smei[oa]|en\seen\shalf)(?!\p{L})", regex.IGNORECASE
)


def _with_half(words: Tokens, result: "Spelled") -> "Spelled":
    """`un million et demi` is 1.5 million, `due e mezzo` is 2.5."""
    end = words.ends[result.stop - 1]
    match = _AND_HALF.match(words.raw, end)
    if match is None:
        return result
    stop = result.stop
    while stop < len(words) and words.starts[stop] < match.end():
        stop += 1
    scale = next((s for s in (10**9, 10**6, 10**3) if result.value >= s), 1)
    return Spelled(result.value + scale / 2, stop)


class Spelled(NamedTuple):
    """A number in words: its value, the word after it, whether it is an ordinal."""

    value: int | float
    stop: int
    ordinal: bool = False


def spelled(words: Tokens, index: int) -> Spelled | None:
    """The English number that starts at word `index`: `twenty-one thousand and six`, `nineteen
    eighty-four`, `half a million`, `two and a half`, `two thirds`, `twenty-first`."""
    forms = words.forms
    if forms[index] == "half":
        return _half(words, index)
    if forms[index] in TIMES:
        return Spelled(TIMES[forms[index]], index + 1)
    at = index
    if forms[index] == "a" and _form(words, index + 1) == "quarter":
        of_unit = _form(words, index + 2) == "of" and _form(words, index + 3) in ("a", "an")
        return Spelled(0.25, index + 4) if of_unit else _one_part(words, index)
    if forms[index] in ("a", "an") and (part := _one_part(words, index)) is not None:
        return part
    if forms[index] == "ten" and (power := _power_of_ten(words, index)) is not None:
        return power
    if forms[index] in ("a", "an"):
        if _form(words, index + 1) not in SCALES and _form(words, index + 1) != "hundred":
            return None
        at = index + 1
    year = _year(words, at)
    result = year or _cardinal(words, at)
    if result is None:
        return Spelled(ORDINALS[forms[at]], at + 1, True) if forms[at] in ORDINALS else None
    return result if result.ordinal else _with_part(words, result)


def _one_part(words: Tokens, index: int) -> Spelled | None:
    """`a quarter`, `a third of`: one part, where `of` or a mark follows; else a third thing."""
    part = _PARTS.get(_form(words, index + 1))
    if part is None:
        return None
    after = _form(words, index + 2)
    return Spelled(part, index + 2) if after in ("", "of") else None


def _power_of_ten(words: Tokens, index: int) -> Spelled | None:
    """`ten to the ninth power`, `ten to the power of nine`."""
    if _form(words, index + 1) != "to" or _form(words, index + 2) != "the":
        return None
    at = index + 3
    if _form(words, at) == "power" and _form(words, at + 1) == "of":
        exponent = CARDINALS.get(_form(words, at + 2), -1)
        return Spelled(10**exponent, at + 3) if exponent >= 0 else None
    exponent = ORDINALS.get(_form(words, at), -1)
    return (
        Spelled(10**exponent, at + 1 + (_form(words, at + 1) == "power")) if exponent >= 0 else None
    )


class _Token:
    """A word as `text2num` wants it."""

    def __init__(self, text: str) -> None:
        self._text = text

    def text(self) -> str:
        return self._text

    def nt_separated(self, previous: object) -> bool:
        return False

    def not_a_number_part(self) -> bool:
        return False


_LONGEST_WORD = 90
"""No number below a billion has a longer word in one of these languages."""


def foreign(words: Tokens, language: str) -> dict[int, Spelled]:
    """Numbers in words of another language (de, fr, es, it, pt, nl), by the index of their first
    word."""
    from text_to_num import find_numbers

    texts = [words.raw[a:b].lower() for a, b in zip(words.starts, words.ends, strict=True)]
    # text2num takes a German compound apart letter by letter, which a long run of letters abuses.
    letters = [
        _Token(text if text.isalpha() and len(text) <= _LONGEST_WORD else ";") for text in texts
    ]
    result = find_numbers(letters, language, threshold=0)
    return {
        item.start: _with_half(
            words,
            Spelled(
                int(item.value) if item.value.is_integer() else item.value,
                item.end,
                item.is_ordinal,
            ),
        )
        for item in result
    }


def _form(words: Tokens, index: int) -> str:
    """The word at `index` if it goes on from the one before it, else an empty string."""
    if index >= len(words) or (index and words.gap(index) not in _JOINTS):
        return ""
    return words.forms[index]


def _tens(words: Tokens, index: int, first: bool) -> Spelled | None:
    """0 to 99; an ordinal may end it."""
    form = words.forms[index] if first else _form(words, index)
    if form in TENS:
        after = _form(words, index + 1)
        if after in CARDINALS and 0 < CARDINALS[after] < 10:
            return Spelled(TENS[form] + CARDINALS[after], index + 2)
        if after in ORDINALS and 0 < ORDINALS[after] < 10:
            return Spelled(TENS[form] + ORDINALS[after], index + 2, True)
        return Spelled(TENS[form], index + 1)
    if form in CARDINALS:
        return Spelled(CARDINALS[form], index + 1)
    return None if first or form not in ORDINALS else Spelled(ORDINALS[form], index + 1, True)


def _hundreds(words: Tokens, index: int, first: bool) -> Spelled | None:
    """0 to 999, also `twelve hundred`."""
    form = words.forms[index] if first else _form(words, index)
    head = Spelled(1, index) if form == "hundred" else _tens(words, index, first)
    if head is None or head.ordinal or _form(words, head.stop) not in ("hundred", "hundreds"):
        return head
    rest = _tens(words, _skip_and(words, head.stop + 1), False)
    value = head.value * 100
    return (
        Spelled(value + rest.value, rest.stop, rest.ordinal)
        if rest
        else Spelled(value, head.stop + 1)
    )


def _skip_and(words: Tokens, index: int) -> int:
    return index + 1 if _form(words, index) == "and" else index


def _cardinal(words: Tokens, index: int) -> Spelled | None:
    total, stop, limit, first = 0, index, 10**18, True
    while True:
        at = stop if first else _skip_and(words, stop)
        part = _hundreds(words, at, first)
        if first and part is None and words.forms[at] in SCALES:
            part = Spelled(1, at)
        if part is None or (not first and part.value >= limit):
            return None if first else Spelled(total, stop)
        scale = 1 if part.ordinal else SCALES.get(_form(words, part.stop), 1)
        if scale >= limit and not first:
            return Spelled(total + part.value, part.stop, part.ordinal)
        total += int(part.value) * scale
        stop = part.stop + (scale > 1)
        if scale == 1:
            return Spelled(total, stop, part.ordinal)
        limit, first = scale, False


def _year(words: Tokens, index: int) -> Spelled | None:
    """`nineteen eighty-four`, `nineteen oh five`, `twenty twenty`."""
    head = _tens(words, index, True)
    if head is None or not 10 <= head.value <= 20 or head.stop != index + 1:
        return None
    if _form(words, head.stop) in ("oh", "o") and _form(words, head.stop + 1) in CARDINALS:
        return Spelled(head.value * 100 + CARDINALS[words.forms[head.stop + 1]], head.stop + 2)
    tail = _tens(words, head.stop, False)
    if tail is None or tail.ordinal or tail.value < 10:
        return None
    return Spelled(head.value * 100 + tail.value, tail.stop)


def _half(words: Tokens, index: int) -> Spelled | None:
    """`half a million`, `half a dozen`; else one half."""
    at = index + 1 + (_form(words, index + 1) in ("a", "an"))
    scale = SCALES.get(_form(words, at))
    if scale:
        return Spelled(scale // 2, at + 1)
    measured = at > index + 1 and at < len(words) and unit_named(words.forms[at]) is not None
    return Spelled(0.5, at if measured else index + 1)


def _decimals(words: Tokens, index: int) -> str:
    """The digits after `point`: `one four` is 14."""
    digits = ""
    while CARDINALS.get(_form(words, index + len(digits)), 10) < 10:
        digits += str(CARDINALS[words.forms[index + len(digits)]])
    return digits


def _with_part(words: Tokens, whole: Spelled) -> Spelled:
    """`two and a half`, `two thirds`, `three quarters`."""
    form = _form(words, whole.stop)
    if form == "point" and (decimals := _decimals(words, whole.stop + 1)):
        return Spelled(float(f"{int(whole.value)}.{decimals}"), whole.stop + 1 + len(decimals))
    if form in _PARTS and (form.endswith("s") or whole.value == 1):
        return Spelled(whole.value * _PARTS[form], whole.stop + 1)
    if form == "and" and _form(words, whole.stop + 1) in ("a", "one"):
        part = _PARTS.get(_form(words, whole.stop + 2))
        if part:
            value = whole.value + part
            scale = SCALES.get(_form(words, whole.stop + 3), 1)
            return Spelled(value * scale, whole.stop + 3 + (scale > 1))
    return whole
