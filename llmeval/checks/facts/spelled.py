"""Numbers written as words: English here, other languages by `text2num` where the text is in one of
them."""

from typing import NamedTuple

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
        return Spelled(0.25, index + 4) if of_unit else None
    if forms[index] in ("a", "an"):
        if _form(words, index + 1) not in SCALES and _form(words, index + 1) != "hundred":
            return None
        at = index + 1
    year = _year(words, at)
    result = year or _cardinal(words, at)
    if result is None:
        return Spelled(ORDINALS[forms[at]], at + 1, True) if forms[at] in ORDINALS else None
    return result if result.ordinal else _with_part(words, result)


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


def foreign(words: Tokens, language: str) -> dict[int, Spelled]:
    """Numbers in words of another language (de, fr, es, it, pt, nl), by the index of their first
    word."""
    from text_to_num import find_numbers

    texts = [words.raw[a:b].lower() for a, b in zip(words.starts, words.ends, strict=True)]
    letters = [_Token(text if text.isalpha() else ";") for text in texts]
    result = find_numbers(letters, language, threshold=0)
    return {
        item.start: Spelled(
            int(item.value) if item.value.is_integer() else item.value, item.end, item.is_ordinal
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
