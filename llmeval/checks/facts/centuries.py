"""Centuries as languages write them: 19th century, XIXe siècle, siglo XIX, 19. Jahrhundert."""

from collections.abc import Iterator

import regex

ERA_AFTER = regex.compile(
    r"\s?\(?(?:(BCE?|B\.C\.(?:E\.)?|v\. ?Chr\.|av\. J\.-C\.|a\. ?C\.)|(?:CE|AD|A\.D\."
    r"|C\.E\.)(?!\w))"
)
"""What follows a year or century; group 1 is there for one before Christ."""
_NAMES = (
    r"(?:century|centuries|siècles?|secol[oi]|siglos?|séculos?|jahrhunderts?|jh(?:dt?|t)?\.?|eeuw"
    r"|век[аеу]?)"
)
_BEFORE = regex.compile(
    rf"(?<![\p{{L}}\d])(?:(?P<roman>(?-i:[IVX]{{1,6}}))|(?P<number>\d{{1,2}}))"
    rf"(?:e|er|ème|eme|th|st|nd|rd|\.|º|°)?\s+{_NAMES}(?!\p{{L}})",
    regex.IGNORECASE,
)
_AFTER = regex.compile(
    rf"(?<!\p{{L}}){_NAMES}\s+(?P<roman>(?-i:[IVX]{{1,6}}))(?P<number>)(?!\p{{L}})",
    regex.IGNORECASE,
)
_VALUES = {"i": 1, "v": 5, "x": 10}


def centuries(raw: str) -> Iterator[tuple[int, int, int]]:
    """The first year of every century (below 0 before Christ), and its code points [start, end)."""
    for pattern in (_BEFORE, _AFTER):
        for match in pattern.finditer(raw):
            number = int(match["number"]) if match["number"] else _roman(match["roman"].casefold())
            era = ERA_AFTER.match(raw, match.end())
            year = (number - 1) * 100
            if 1 <= number <= 40:
                yield (
                    -year - 1 if era and era[1] else year,
                    match.start(),
                    era.end() if era else match.end(),
                )


def _roman(text: str) -> int:
    values = [_VALUES[c] for c in text]
    pairs = zip(values, [*values[1:], 0], strict=True)
    return sum(-one if one < two else one for one, two in pairs)
