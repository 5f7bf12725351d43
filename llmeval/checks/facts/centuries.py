"""Centuries as languages write them: 19th century, XIXe siècle, siglo XIX, 19. Jahrhundert."""

from collections.abc import Iterator

import regex

from llmeval.checks.facts.ordinal_words import ORDINAL_VALUES
from llmeval.checks.facts.tokens import fold

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
_SPELLED_BEFORE = regex.compile(
    rf"(?<!\p{{L}})(?P<word>\p{{L}}[\p{{L}}-]{{3,22}})\s+{_NAMES}(?!\p{{L}})", regex.IGNORECASE
)
_SPELLED_AFTER = regex.compile(
    r"(?<!\p{L})(?:siglos?|séculos?|secolo)\s+"
    r"(?P<word>\p{L}{2,12}(?:\se\s(?:um|dois|três))?)(?!\p{L})",
    regex.IGNORECASE,
)
_CARDINALS = {
    word: n
    for words in (
        "uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince "
        "dieciseis diecisiete dieciocho diecinueve veinte veintiuno",
        "um dois tres quatro cinco seis sete oito nove dez onze doze treze catorze quinze "
        "dezesseis dezessete dezoito dezenove vinte",
        "um dois tres quatro cinco seis sete oito nove dez onze doze treze quatorze quinze "
        "dezasseis dezassete dezoito dezanove vinte",
    )
    for n, word in enumerate(words.split(), start=1)
}
"""What Spanish and Portuguese read `siglo XX` as, folded."""
_VALUES = {"i": 1, "v": 5, "x": 10}


def centuries(raw: str) -> Iterator[tuple[int, int, int]]:
    """The first year of every century (below 0 before Christ), and its code points [start, end)."""
    for match in _ITALIAN.finditer(raw):
        yield _ITALIAN_CENTURIES[match[0].casefold()], match.start(), match.end()
    for pattern in (_BEFORE, _AFTER, _SPELLED_BEFORE, _SPELLED_AFTER):
        for match in pattern.finditer(raw):
            number = _number(match)
            era = ERA_AFTER.match(raw, match.end())
            year = (number - 1) * 100
            if 1 <= number <= 40:
                yield (
                    -year - 1 if era and era[1] else year,
                    match.start(),
                    era.end() if era else match.end(),
                )


_ITALIAN_CENTURIES = {
    name: 100 * n
    for n, name in enumerate(
        (
            "duecento trecento quattrocento cinquecento seicento settecento ottocento novecento"
        ).split(),
        start=12,
    )
}
_ITALIAN = regex.compile(
    rf"(?<!\p{{L}})(?:{'|'.join(name.capitalize() for name in _ITALIAN_CENTURIES)})(?!\p{{L}})"
)
"""How Italian names the centuries from 1200 on: il Cinquecento."""


def _number(match: "regex.Match[str]") -> int:
    """The number of the century; 0 where the word is none."""
    groups = match.groupdict()
    if groups.get("number"):
        return int(groups["number"])
    if groups.get("roman"):
        return _roman(groups["roman"].casefold())
    word = "-".join(fold(part) for part in (groups.get("word") or "").split("-"))
    if match.re is _SPELLED_AFTER:
        return _CARDINALS.get(word, ORDINAL_VALUES.get(word, 0))
    # German has endings: im achtzehnten Jahrhundert.
    return next((ORDINAL_VALUES[f] for f in (word, word[:-1]) if f in ORDINAL_VALUES), 0)


def _roman(text: str) -> int:
    values = [_VALUES[c] for c in text]
    pairs = zip(values, [*values[1:], 0], strict=True)
    return sum(-one if one < two else one for one, two in pairs)
