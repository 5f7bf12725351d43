"""Where an answer cites: `[1]`, `[2, 3]`, `[1-3]`, `【1】`, `big.¹`; and what only looks like it:
`arr[0]`, `[1](url)`, `m²`.

CASES has an example of each; a test reads them.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import regex

from llmeval.checks.reading.wordlists import word_set

_NUMBERS = r"\d{1,4}(?:\s?[,;–-]\s?\d{1,4}){0,50}"
_CITE = regex.compile(
    rf"\[\^?(?P<numbers>{_NUMBERS})\](?!\()|【(?P<numbers>{_NUMBERS})(?:[:†][^】\n]{{0,60}})?】"
    rf"|(?P<raised>[⁰¹²³⁴-⁹](?:[⁰¹²³⁴-⁹]|[,⁻˒](?=[⁰¹²³⁴-⁹]))*)"
)
_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻˒", "0123456789-,")
_SUBSCRIPTS = regex.compile(r"(?r)(?:\[[^\[\]\s]{1,20}\]){1,9}")
_NAME = regex.compile(r"(?<![\w.])[^\W\d][\w.]*(?<!\.)\Z")
_CODE_NAME = regex.compile(r"\w|\w*[_.][\w.]*|[a-z]+[A-Z]\w*|[a-z]+\d+")
_USUAL_NAMES = word_set(
    "arr array args argv buf cells chars cols column data dict elements entries fields fib "
    "grid head idx index input items"
    " keys letters line lines list lst map mat matrix memo nodes nums numbers obj output "
    "params parts points queue"
    " result results row rows s self seq stack str strings table tokens tuple values vals "
    "vec vector words xs ys"
)
"""What a variable is often called."""
_AFTER_INDEX = regex.compile(r"\.\w|\(|\[[^\]\d]|\s?(?:[-+*/|&]?=|[+*/<>]\s?\w)")
_UNITS = word_set(
    "mol rad sec min hrs feet foot inch inches yard yards mile miles meter meters metre metres"
)
_WORD_BEFORE = regex.compile(r"(?r)\p{L}+\Z")

# (text, how many places cite)
CASES = (
    ("It is big [1].", 1),
    ("It is big.[1] It is old [2, 3].", 2),
    ("It is big[1].", 1),
    ("Both [1][2] say so.", 2),
    ("See [^1] and [2-4].", 2),
    ("It is big【1】 and old【2:3†source】.", 2),
    ("It is big.¹ It is old,² they say³.", 3),
    ("It is big.¹⁻³", 1),
    ("[1] says that it is big.", 1),
    ("See arr[0] here.", 0),
    ("Then x[1] is data[2].", 0),
    ("It lies in [0, 1].", 0),
    ("Set my_list[1] = 3 and foo.bar[2].", 0),
    ("Call big[1].name or big[1](x).", 0),
    ("A link [1](https://a.example).", 0),
    ("An area of 5 m² or 3 km² or x² or 10³.", 0),
    ("A cubic mile³ is much.", 0),
    ("The year [1999] was good [12345].", 1),
)


class Citation(NamedTuple):
    """One place that cites: its stretch [start, end) and the numbers, ranges spelled out."""

    start: int
    end: int
    numbers: tuple[int, ...]


def cited_places(text: str) -> Iterator[Citation]:
    """Each place that cites, first to last; in code-free text."""
    end, cites = -1, False  # of the bracket before: what follows at once is of the same kind
    for match in _CITE.finditer(text):
        start, stop = match.span()
        if start != end:
            cites = _is_citation(text, match)
        end = stop
        if cites:
            raised = match["raised"]
            numbers = raised.translate(_RAISED) if raised else match["numbers"]
            yield Citation(start, stop, _spelled_out(numbers))


def _is_citation(text: str, match: "regex.Match[str]") -> bool:
    if match["raised"]:
        return not _is_power(text, match.start())
    numbers = _spelled_out(match["numbers"])
    if len(numbers) > 1 and 0 in numbers:
        return False  # an interval, [0, 1]: sources are numbered from 1
    return text[match.start()] != "[" or not _is_index(text, match)


@lru_cache(maxsize=1024)
def _spelled_out(numbers: str) -> tuple[int, ...]:
    """`2, 4-6` as 2, 4, 5, 6; of a range at most 101 numbers."""
    matches: list[int] = []
    for part in regex.split(r"\s*[,;]\s*", numbers):
        ends = [int(number) for number in regex.split(r"\s*[–-]\s*", part) if number]
        if ends:
            matches.extend(range(ends[0], min(ends[-1], ends[0] + 100) + 1))
    return tuple(matches)


def _is_power(text: str, start: int) -> bool:
    """`m²`, `10³`: after a digit, a single letter or a unit; a citation stands after a mark or a
    longer word."""
    before = text[max(0, start - 20) : start]
    if not before or before[-1].isspace():
        return True
    word = _WORD_BEFORE.search(before)
    if word is None:
        return before[-1].isdigit() or before[-1] in ")]"
    return len(word[0]) < 3 or word[0].lower() in _UNITS or before[: word.start()][-1:].isdigit()


def _is_index(text: str, match: "regex.Match[str]") -> bool:
    """`arr[0]`, `x[1]`, `a.b[2].c`: brackets right after a name of code, or before what follows an
    index."""
    start = match.start()
    last = text[start - 1 : start]
    subscripts = _SUBSCRIPTS.match(text, max(0, start - 60), start) if last == "]" else None
    if subscripts:  # `arr[0][1]`, but also `big [1][2]` and `big[1][2]`
        return _names_code(text[max(0, subscripts.start() - 40) : subscripts.start()])
    if not (last.isalnum() or last in ("_", ")")):
        return False
    if match["numbers"] == "0" or _AFTER_INDEX.match(text, match.end()):
        return True
    return _names_code(text[max(0, start - 40) : start])


def _names_code(before: str) -> bool:
    """Whether a text ends with a name of code: a usual one, a single letter, `a_b`, `a.b`, `aB`."""
    name = _NAME.search(before)
    return name is not None and (
        name[0] in _USUAL_NAMES or _CODE_NAME.fullmatch(name[0]) is not None
    )
