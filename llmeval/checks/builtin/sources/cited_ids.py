"""Which sources an answer cites, by number or by id: `[1]`, `[kb-12]`, `(source 2)`, `[doc 3, 4]`.

CASES has an example of each; a test reads them.
"""

from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

import regex

from llmeval.checks.builtin.sources.citation_marks import cited_places
from llmeval.checks.reading.text import masked

_WORD = (
    r"(?:(?:see|cf\.?|siehe|vgl\.?|voir|véase)\s+)?"
    r"(?:sources?|refs?\.?|references?|docs?\.?|documents?|passages?|citations?|contexts?|chunks?"
    r"|quellen?|dokumente?|fuentes?|fonti|fonte|passagens?|abschnitte?)"
)
_BRACKET = regex.compile(
    r"(?<open>[\[(【])(?<inside>[^\[\]()【】\n]{1,200})[\])】](?!\()", regex.IGNORECASE
)
_PREFIX = regex.compile(rf"\s*{_WORD}\s*[:#]?\s*(?=\S)", regex.IGNORECASE)
_SEPARATOR = regex.compile(r"\s*(?:[,;&]|\band\b|\bund\b|\bet\b|\by\b)\s*", regex.IGNORECASE)
_ID_LIKE = regex.compile(r"(?=.*\d)(?=.*\p{L})[\p{L}\d][\p{L}\d._#/:@-]{0,80}")
_SOURCE_LINE = regex.compile(
    rf"^[^\S\n]*[*_]{{0,2}}{_WORD}[*_]{{0,2}}\s*:[^\n]*$", regex.IGNORECASE | regex.MULTILINE
)
_NOT_NEWLINE = regex.compile(r"[^\n]")

# (text, ids that are known, ids that are cited)
CASES: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
    ("Within 14 days [1].", (), ("1",)),
    ("Within 14 days [1, 3] or [2-4].", (), ("1", "3", "2", "3", "4")),
    ("Within 14 days (source 2).", (), ("2",)),
    ("Within 14 days (see sources 2 and 3).", (), ("2", "3")),
    ("Within 14 days [Source: kb-12].", (), ("kb-12",)),
    ("Within 14 days [kb-12][kb-13].", (), ("kb-12", "kb-13")),
    ("Within 14 days [returns.md#2; faq_3].", (), ("returns.md#2", "faq_3")),
    ("Within 14 days [returns] (faq).", ("returns", "faq"), ("returns", "faq")),
    ("Within 14 days [doc 3].", ("doc 3",), ("doc 3",)),
    ("Within 14 days [sic] (faq) [your name].", (), ()),
    ("See [kb-12](https://a.example/kb-12) and arr[0].", (), ()),
    ("In `x[kb-1]` and (COVID-19).", (), ()),
)


class CitedId(NamedTuple):
    """One source that is cited: the place [start, end) of its mark, and its id as written."""

    start: int
    end: int
    id: str


def cited_ids(text: str, valid_ids: Collection[str] = ()) -> list[CitedId]:
    """Each source that is cited, first to last.

    Args:
        text: the answer; code in it cites nothing.
        valid_ids: ids that count also where they do not look like one, without regard to case.
    """
    clean = masked(text)
    names = {name.casefold() for name in valid_ids}
    matches = [
        CitedId(place.start, place.end, str(number))
        for place in cited_places(clean)
        for number in place.numbers
    ]
    taken = {place.start for place in matches}
    for match in _BRACKET.finditer(clean):
        if match.start() not in taken:
            matches += (CitedId(*match.span(), name) for name in _inside(match, names))
    return sorted(matches, key=lambda place: place.start)


def blanked(text: str, marks: Iterable[CitedId]) -> str:
    """The text with spaces in place of the marks, which are in the order of their places."""
    parts: list[str] = []
    end = 0
    for mark in marks:
        if mark.end > end:  # a mark of several sources is in the list more than once
            start = max(mark.start, end)
            parts += (text[end:start], " " * (mark.end - start))
            end = mark.end
    return "".join((*parts, text[end:]))


def without_marks(text: str) -> str:
    """The text with its citation marks and its lines of sources blanked, so that places stay."""
    text = blanked(text, cited_ids(text))
    return _SOURCE_LINE.sub(lambda match: _NOT_NEWLINE.sub(" ", match[0]), text)


def _inside(match: "regex.Match[str]", names: Collection[str]) -> Iterator[str]:
    """The ids between two brackets."""
    inside = match["inside"].strip()
    if inside.casefold() in names:
        yield inside
        return
    prefix = _PREFIX.match(inside)
    parts = _SEPARATOR.split(inside[prefix.end() :] if prefix else inside)
    for part in parts:
        if prefix:
            if part.isdecimal() or _ID_LIKE.fullmatch(part) or part.casefold() in names:
                yield part
        elif part.casefold() in names or (
            match["open"] != "(" and _ID_LIKE.fullmatch(part) and len(part) > 1
        ):
            yield part
