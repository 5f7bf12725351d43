"""A quotation in a text, word for word: case, quote marks, dashes and white space aside."""

import regex

from llmeval.checks.facts.tokens import Tokens

MAX_FUZZY = 20_000_000
"""The longest quotation times the longest text, in characters, that are compared letter by
letter."""
_ELLIPSIS = regex.compile(r"\s*[\[(]?(?:\.{3,}|…)[\])]?\s*")


def find_quote(quote: str, text: Tokens, similarity: float | None = None) -> tuple[int, int] | None:
    """Code points of the quotation in the text; `...` in it leaves words out. None where it is not
    there.

    `similarity`: below 1, how alike (normalised edit distance over letters) a piece must be.
    """
    pieces = [words for part in _ELLIPSIS.split(quote) if (words := Tokens(part)).forms]
    position, start, end = 0, -1, -1
    for piece in pieces:
        place = _find(piece.forms, text, position) or _find_similar(
            piece, text, position, similarity
        )
        if place is None:
            return None
        start = text.starts[place[0]] if start < 0 else start
        end, position = text.ends[place[1] - 1], place[1]
    return (start, end) if pieces else None


def _find(forms: list[str], text: Tokens, position: int) -> tuple[int, int] | None:
    """First word and the one after the last."""
    size, first = len(forms), forms[0]
    at = position
    while True:
        try:
            at = text.forms.index(first, at)
        except ValueError:
            return None
        if text.forms[at : at + size] == forms:
            return at, at + size
        at += 1


def _find_similar(
    piece: Tokens, text: Tokens, position: int, similarity: float | None
) -> tuple[int, int] | None:
    from bisect import bisect_left, bisect_right

    if similarity is None or similarity >= 1 or position >= len(text):
        return None
    starts: list[int] = []
    at = 0
    for form in text.forms[position:]:
        starts.append(at)
        at += len(form) + 1
    joined = " ".join(text.forms[position:])
    target = " ".join(piece.forms)
    if len(joined) * len(target) > MAX_FUZZY:
        return None
    from rapidfuzz.fuzz import partial_ratio_alignment

    result = partial_ratio_alignment(target, joined, score_cutoff=100 * similarity)
    if result is None:
        return None
    first = max(0, bisect_right(starts, result.dest_start) - 1)
    return position + first, position + bisect_left(starts, result.dest_end)
