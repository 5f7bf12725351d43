"""Answers that are a list, or two candidates with an "or", and nothing else.

`candidates` reads lists inside of answers; here the whole answer is taken apart, so that items may
be longer: "Corn, in the 1960s, boxing rings were circular, Paris, a normal mini-game".
"""

from collections.abc import Sequence

import regex

from llmeval.checks.facts.names import Reference
from llmeval.checks.facts.tokens import STOPWORDS, Tokens

_LEAD = regex.compile(
    r"\s*(?:(?:it|that|this|the\s+answer|he|she)\s+(?:is|was)\s+"
    r"|(?:answer|maybe|perhaps|options?|candidates?)\s*:\s*)",
    regex.IGNORECASE,
)
_SEPARATOR = regex.compile(
    r"\s*(?:,(?!\d{3}(?!\d))|[;|•·、，；\n])\s*(?:[-*•–]\s+|\d{1,3}[.)]\s+)?"
    r"(?:(?:and|or|&|und|oder|et|ou|y)\s+)?"
    r"|\s+(?:and|&|und|et)\s+",
    regex.IGNORECASE,
)
_OR_WORDS = {
    "de": "oder",
    "fr": "ou",
    "es": "[ou]",
    "it": "o|oppure",
    "pt": "ou",
    "nl": "of",
    "pl": "lub|albo",
    "sv": "eller",
    "da": "eller",
    "no": "eller",
    "ru": "или",
    "tr": "veya",
}
_OR = {
    language: regex.compile(
        rf"\s+(?:or|{word})\s+|\s*(?:或者|或|または)\s*|\s+/\s+", regex.IGNORECASE
    )
    for language, word in (("en", "or"), *_OR_WORDS.items())
}
_VERBS = frozenset(
    "is are was were be been has have had did does do can could will would may might which who "
    "that because so it he she they we you i".split()
)
_BULLET = regex.compile(r"^\s*(?:[-*•–]\s+|\d{1,3}[.)]\s+)")
_ITEM_WORDS = 8
_LEAST = 5
_MAX_CHARS = 1500
_BARE_SHARE = 0.6
_FILLED = 0.6
"""The share of its item that the right value fills; next to it stands a title or what is in
brackets."""


def is_whole_list(
    raw: str,
    start: int,
    end: int,
    right: Sequence[frozenset[str]],
    language: str = "en",
    *,
    long: bool = True,
    question: frozenset[str] = frozenset(),
) -> bool:
    """Whether the answer is five or more items, or two with an "or", of which the one at [start,
    end) is right and most others are not.

    `right`: the stems of each right value. `long`: whether to look for lists.
    `question`: its stems, as items that repeat it are not candidates.
    """
    if len(raw) > _MAX_CHARS:
        return False
    lead = _LEAD.match(raw)
    low = lead.end() if lead else 0
    text = raw[low:].rstrip(" .!\n")
    if _is_choice(text, _OR.get(language, _OR["en"]), start - low, end - low, right):
        return True
    return long and _is_long(text, start - low, end - low, right, question)


def has_more_items(raw: str, members: Sequence[Reference]) -> bool:
    """Whether the answer is a list of short items that has all members and further ones."""
    if not members or len(raw) > _MAX_CHARS:
        return False
    lead = _LEAD.match(raw)
    text = raw[lead.end() if lead else 0 :].rstrip(" .!\n")
    items = [Tokens(text[a:b]) for a, b in _parts(text, _SEPARATOR)]
    if len(items) <= len(members) or any(len(item) > _SHORT_ITEM for item in items):
        return False
    if any(not item.forms or not _VERBS.isdisjoint(item.forms) for item in items):
        return False
    right = [frozenset(member.content) for member in members]
    stated = [frozenset(item.content) for item in items]
    other = [stems for stems in stated if not any(stems & value for value in right)]
    return bool(other) and all(any(stems & value for stems in stated) for value in right)


_SHORT_ITEM = 3


_BOUND_WORDS = frozenset(
    "more above over older later higher fewer less below under lower younger mehr darüber älter "
    "weniger plus davantage moins más mayor menos più meno mais menos meer ouder minder".split()
)
"""What makes a bound of a number with an "or" before it: 12 or more."""


def _is_choice(
    text: str,
    separator: "regex.Pattern[str]",
    start: int,
    end: int,
    right: Sequence[frozenset[str]],
) -> bool:
    """Whether two or more short candidates with an "or" between them are all of the text."""
    parts = _parts(text, separator)
    if len(parts) < 2 or any(len(text[a:b].split()) > _ITEM_WORDS for a, b in parts):
        return False
    if any(text[a:b].strip().casefold() in _BOUND_WORDS for a, b in parts[1:]):
        return False
    if any(not _VERBS.isdisjoint(Tokens(text[a:b]).forms) for a, b in parts):
        return False
    return _holds(parts, start, end) and any(not _is_right(text[a:b], right) for a, b in parts)


def _is_long(
    text: str,
    start: int,
    end: int,
    right: Sequence[frozenset[str]],
    question: frozenset[str],
) -> bool:
    """Whether the text is five items or more, most of them bare and not right."""
    parts = _parts(text, _SEPARATOR)
    if len(parts) < _LEAST or not _holds(parts, start, end):
        return False
    bare = sum(_is_bare(text[a:b]) for a, b in parts)
    # An answer that begins with a sentence, or has several, says how its items are meant.
    verbs = [not _VERBS.isdisjoint(Tokens(text[a:b]).forms) for a, b in parts]
    opens = any(
        Tokens(text[a:b]).forms[:1] and Tokens(text[a:b]).forms[0] in _VERBS for a, b in parts
    )
    if opens or verbs[0] or sum(verbs) > 1 or not _is_bare(text[slice(*parts[0])]):
        return False
    other = sum(
        not _is_right(text[a:b], right) and not question.issuperset(Tokens(text[a:b]).content)
        for a, b in parts
    )
    return bare >= _BARE_SHARE * len(parts) and other >= _LEAST - 2 and other * 2 > len(parts)


def _parts(text: str, separator: "regex.Pattern[str]") -> list[tuple[int, int]]:
    """The stretches between separators, without bullets."""
    parts, at = [], 0
    for match in separator.finditer(text):
        parts.append((at, match.start()))
        at = match.end()
    parts.append((at, len(text)))
    stripped = (
        (a + (bullet.end() if (bullet := _BULLET.match(text[a:b])) else 0), b) for a, b in parts
    )
    return [(a, b) for a, b in stripped if text[a:b].strip()]


def _holds(parts: Sequence[tuple[int, int]], start: int, end: int) -> bool:
    """Whether the place fills most of one part, or parts from one to another."""
    inside = [(a, b) for a, b in parts if a < end and start < b]
    if not inside:
        return False
    width = inside[-1][1] - inside[0][0]
    return end - start >= _FILLED * width


def _is_bare(text: str) -> bool:
    words = Tokens(text)
    if not len(words) or len(words) > _ITEM_WORDS or not _VERBS.isdisjoint(words.forms):
        return False
    first = text.strip(" \"'“(*")[:1]
    return len(words) <= 2 or not first.islower() or words.forms[0] in STOPWORDS


def _is_right(text: str, right: Sequence[frozenset[str]]) -> bool:
    stems = frozenset(Tokens(text).content)
    return any(value and (stems <= value or value <= stems) for value in right)
