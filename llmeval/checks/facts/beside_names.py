"""What stands next to the words of a name and makes another name of it: Kansas City, Missouri.

`longer_names` reads what surrounds a whole reference; these rules compare an answer that holds its
words, or most of them, in another order or without some.
"""

from collections import Counter
from unicodedata import normalize

import regex

from llmeval.checks.facts.aliases import is_country
from llmeval.checks.facts.lexicon import (
    BEFORE_NAME,
    COMPASS,
    DROPPED_FREELY,
    NAMESAKES,
    PARTICLES,
    TITLE_WORDS,
)
from llmeval.checks.facts.names import Reference
from llmeval.checks.facts.tokens import STOPWORDS, TITLES, Tokens, fold

_SHORT_ANSWER = 12
"""In a longer answer, the next capital word often belongs to another phrase."""
_REGION = regex.compile(r"\s*(?:,\s*(?:in\s+)?|\(\s*)(?P<region>\p{Lu}[\p{L}.’'-]*)(?=\s*[,).;]|$)")


def in_other_region(reference: Reference, answer: Tokens) -> bool:
    """Whether the answer puts another region after the place: `Kansas City, Kansas` for `Kansas
    City, Missouri`.

    A country around the region is no other region. An abbreviation has the region's first letter.
    """
    head, comma, tail = reference.bare.partition(",")
    region = Tokens(tail)
    at = answer.raw.casefold().find(head.casefold()) if comma and head and region.forms else -1
    match = _REGION.match(answer.raw, at + len(head)) if at >= 0 else None
    if match is None:
        return False
    stated = Tokens(match["region"]).stems[:1]
    if not stated or stated[0] in region.stems or region.stems[0] in _after(answer, match.end()):
        return False
    written = match["region"].replace(".", "")
    if len(written) <= 3 and written.isupper():
        return written[0].casefold() != region.forms[0][0]
    country = is_country(stated[0]) and stated[0] not in _ALSO_REGIONS
    return not country or is_country(" ".join(region.stems))


_ALSO_REGIONS = frozenset(["georgia"])
"""Countries that share their name with a state of a federation."""


def _after(answer: Tokens, start: int) -> list[str]:
    return [stem for stem, at in zip(answer.stems, answer.starts, strict=True) if at >= start]


def without_first(missing: list[str], reference: Reference, asks_person: bool) -> bool:
    """Whether only the word is missing that makes another name of the rest: San Salvador, Papua New
    Guinea.

    A person keeps a name without `San` or `Saint`.
    """
    first = reference.content[0]
    if not reference.is_name or missing != [first]:
        return False
    if first in ("san", "santa", "santo", "sao", "st", "saint"):
        return not asks_person and len(reference.content) == _SAINT_AND_NAME
    return first in BEFORE_NAME - COMPASS


_SAINT_AND_NAME = 2


def is_half_of_double(reference: Reference, answer: Tokens) -> bool:
    """Whether the reference is one name twice and the answer has it once: Johnson for `Johnson &
    Johnson`."""
    counts = Counter(
        stem
        for stem, form, capital in zip(
            reference.stems, reference.forms, reference.capitals, strict=True
        )
        if capital and form not in STOPWORDS
    )
    if len(counts) != 1:
        return False
    ((stem, count),) = counts.items()
    return count > 1 and answer.stems.count(stem) < count


_NAME_ARTICLES = frozenset("la las los el le les lo il gli os as o a".split())


def has_other_article(first: int, last: int, reference: Reference, answer: Tokens) -> bool:
    """Whether the answer has another article or number than a name that starts with one: `La
    Palma` for `Las Palmas`, `Palma` for `Las Palmas`."""
    article = reference.leading[-1:]
    if not article or article[0] not in _NAME_ARTICLES or not reference.bare[:1].isupper():
        return False
    if len(reference.forms) != 1 or not reference.capitals[0]:
        return False
    before = answer.forms[first - 1] if first else ""
    other = before in _NAME_ARTICLES and before != article[0]
    return other or answer.forms[last] != reference.forms[-1]


def goes_on_otherwise(missing: list[str], last: int, reference: Reference, answer: Tokens) -> bool:
    """Whether another name follows a surname that stands without its first name: Ronaldo Nazário
    for Cristiano Ronaldo."""
    at = last + 1
    if not missing or at >= len(answer) or len(answer) > len(reference.stems) + _SHORT_ANSWER:
        return False
    word, raw = answer.stems[at], answer.raw[answer.starts[at] : answer.ends[at]]
    if answer.gap(at) != " " or not raw[0].isupper() or answer.forms[at] in STOPWORDS:
        return False
    return word not in TITLE_WORDS | PARTICLES | DROPPED_FREELY and word not in reference.stems


def is_namesake(reference: Reference, answer: Tokens) -> bool:
    """Whether the answer names the other one of two people whose names differ by a middle or last
    name alone."""
    own = tuple(stem for stem in reference.content if stem not in TITLES)
    for short, long in NAMESAKES:
        if own == short:
            return _stands(long, answer)
        if own == long:
            return _stands(short, answer) and not _stands(long, answer)
    return False


def _stands(name: tuple[str, ...], answer: Tokens) -> bool:
    return any(
        tuple(answer.stems[at : at + len(name)]) == name
        for at in range(len(answer) - len(name) + 1)
    )


_JOINED = regex.compile(
    r"(?<head>\p{Lu}[\p{L}’']+)"
    r"(?:(?:\s|-)(?:upon|under|on|am|an|ob|sur|sous|op|aan|bei|de|del)|-(?:en|in|les|lez|lès))"
    r"(?:[\s-](?:der|den|dem|the|la|le|les))?[\s-](?<tail>\p{Lu}[\p{L}’']+)"
)


def has_other_joint(reference: Reference, answer: Tokens) -> bool:
    """Whether the answer has the place next to another water or region: `Newcastle-under-Lyme` for
    `Newcastle upon Tyne`."""
    own = _JOINED.search(reference.bare)
    if own is None:
        return _has_other_hyphen(reference, answer)
    head, tail = (Tokens(own[name]).stems for name in ("head", "tail"))
    others = [
        Tokens(match["tail"]).stems
        for match in _JOINED.finditer(answer.raw[:_READ])
        if Tokens(match["head"]).stems == head
    ]
    if others:
        return tail not in others
    return _has_other_hyphen(reference, answer)


def _has_other_hyphen(reference: Reference, answer: Tokens) -> bool:
    """Whether another part is joined to the first word of a name of several by a hyphen:
    `Seine-Maritime` for `Seine-et-Marne`."""
    head, hyphen, _ = reference.bare.partition("-")
    if not hyphen or " " in reference.bare or not reference.capitals[0]:
        return False
    tails = regex.findall(
        rf"(?<!\p{{L}}){regex.escape(head)}((?:-\p{{L}}+)+)", answer.raw[:_READ], regex.IGNORECASE
    )
    own = set(reference.forms[1:])
    return bool(tails) and all(own.isdisjoint(Tokens(tail).forms) for tail in tails)


_READ = 2000
_FORMULA = regex.compile(r"(?=\p{L}*\d)(?:\p{Lu}\p{Ll}?\d*){2,12}")


def is_other_formula(reference: Reference, answer: Tokens) -> bool:
    """Whether the reference is a chemical formula that the answer does not have: H2O for H2O2."""
    formula = normalize("NFKC", reference.bare)
    if not _FORMULA.fullmatch(formula):
        return False
    return fold(formula) not in fold(normalize("NFKC", answer.raw[:_READ]))


_KEY = regex.compile(
    r"\b(?P<note>[A-G])(?:[\s-]?(?P<sign>flat|sharp|♭|♯))?[\s-](?P<mode>major|minor)\b"
)


def is_other_key(reference: Reference, answer: Tokens) -> bool:
    """Whether the reference is a key of music and the answer has only others: E flat major for E
    major."""
    own = _KEY.fullmatch(reference.bare)
    stated = [match.groups() for match in _KEY.finditer(answer.raw[:_READ])]
    return own is not None and bool(stated) and own.groups() not in stated


def has_other_subtitle(reference: Reference, answer: Tokens) -> bool:
    """Whether another subtitle follows the title: `Rocket: The Return` for `Rocket: The Start`."""
    head, colon, tail = reference.bare.partition(": ")
    if not colon or not tail:
        return False
    at = answer.raw.casefold().find(f"{head}: ".casefold())
    if at < 0:
        return False
    rest = answer.raw[at + len(head) + 2 :]
    return set(Tokens(tail).content).isdisjoint(Tokens(rest[: 2 * len(tail) + _AROUND]).content)


_AROUND = 20
_BRACKET = regex.compile(r"\s*[(\[](?P<inside>[^()\[\]]{1,40})[)\]]")
_DIGITS = regex.compile(r"\d+")


def in_other_bracket(last: int, reference: Reference, answer: Tokens) -> bool:
    """Whether brackets after the name have another number: `Treaty of Ghent (1815)` for
    `(1814)`."""
    own = _BRACKET.search(reference.raw)
    stated = _BRACKET.match(answer.raw, answer.ends[last])
    if own is None or stated is None:
        return False
    one, two = (set(_DIGITS.findall(match["inside"])) for match in (own, stated))
    return bool(one) and bool(two) and one.isdisjoint(two)


def is_other_capitals(last: int, reference: Reference, answer: Tokens) -> bool:
    """Whether one of two abbreviations has an S more: HTTPS for HTTP."""
    one = reference.bare.rpartition(" ")[2]
    two = answer.raw[answer.starts[last] : answer.ends[last]]
    both = one.isalpha() and one.isupper() and two.isalpha() and two.isupper()
    return (
        both
        and min(len(one), len(two)) >= _ABBREVIATION
        and one != two
        and (one.rstrip("S") == two.rstrip("S"))
    )


_ABBREVIATION = 2
