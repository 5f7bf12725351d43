"""Names that an answer mentions in addition to its answer: "a friend of X", "older than X", "who
competed with X".

A question that asks for the same kind of relation is answered by such a phrase: "a student of X"
tells who the teacher was, and not who wrote the book.
"""

from importlib.resources import files
from typing import NamedTuple

import regex

from llmeval.checks.facts.passing_clauses import is_beside_person
from llmeval.checks.facts.passing_objects import is_compared
from llmeval.checks.facts.passing_places import is_beside_place
from llmeval.checks.facts.screened import screened
from llmeval.checks.facts.tokens import fold


class _Kind(NamedTuple):
    """Relations of one kind. `nouns` relate two things; a question with one of `nouns` or
    `question_words` asks for one."""

    nouns: str
    question_words: str = ""


_QUESTION_WORDS = {
    "family": r"children|famil\w+|married|marry|relat\w+|born|ancest\w+|descend\w+|whose|vater"
    r"|mutter|père|mère|padre|madre|pai|mãe|vader|moeder",
    "teaching": r"taught|teach\w*|stud(?:y|ied)\w*|influenc\w*|inspir\w*|learn\w*|master",
    "time": r"before|after|succe\w+|preced\w+|follow\w+|replac\w+",
    "contest": r"against|compet\w+|fought|fight\w*|defeat\w*|beat(?:s|en|ing)?|foe|versus|vs",
    "company": r"work\w*|partner|help\w*|agent|manager|producer|editor|publisher|boss|employ\w*"
    r"|coach",
    "likeness": r"similar|like|comparable|compared|based\s+on|named?\s+after|near|where",
}
"""What a question says that asks for a relation of a kind in other words than its nouns."""


def _relations() -> tuple[_Kind, ...]:
    """The nouns of `relations.tsv` by kind, which has one line a kind and language."""
    table = files("llmeval.checks.facts").joinpath("relations.tsv").read_text(encoding="utf-8")
    nouns: dict[str, list[str]] = {}
    for line in table.splitlines():
        kind, _, words = line.split("\t")
        nouns.setdefault(kind, []).extend([*words.split(), *map(fold, words.split())])
    return tuple(
        _Kind("|".join(sorted(set(words), key=len, reverse=True)), _QUESTION_WORDS[kind])
        for kind, words in nouns.items()
    )


_KINDS = _relations()
_NOUNS = "|".join(kind.nouns for kind in _KINDS)
_OF = r"(?:of|to|with|for|under|von|vom|der|des|de|du|di|del|della|dei|da|do|dos|das|van|zu)"
# What may stand between the relation and the name: an article, a preposition that a date has, an
# opening mark.
_BETWEEN = (
    r"(?:(?:the|a|an|in|on|at|by|from|between|around|about|mid|late|early|der|dem|den|la|le"
    r"|il)[\s-]+"
    r"|l['’]|d['’]|(?:more|less|fewer)\s+than\s+|(?:about|approximately|exactly)\s+"
    r"|\([^()]{1,40}\)\s*"
    # A first name of a surname that is expected by itself.
    r"|(?-i:\p{Lu})[\p{L}.'’-]*\s+|[\"'“«(]+\s*)*"
)
_BEFORE = screened(
    rf"\b(?:(?P<noun>{_NOUNS})s?\s+{_OF}\s+"
    rf"|whose\s+(?:\p{{L}}+\s+)?(?P<noun>{_NOUNS})s?\s+"
    r"|(?P<with>(?:who|which|that)\s+(?:had\s+|once\s+|often\s+)?(?:competed|worked|studied|fought"
    r"|argued|served"
    r"|collaborated|corresponded|quarrel+ed|lived|travel+ed)"
    r"\s+(?:with|under|against|alongside|for|near|next\s+to)\s+)"
    r"|(?P<than>(?:\p{L}+er(?<!other)|(?:more|less)\s+\p{L}+|rather)\s+than\s+|as\s+\p{L}+\s+as\s+)"
    r"|(?P<like>(?:similar|compared|equal|close|next|second|related)\s+(?:to|with)\s+"
    r"|inspired\s+by\s+"
    r"|influenced\s+by\s+|reminiscent\s+of\s+|in\s+the\s+(?:style|time|days|age|shadow)\s+of\s+"
    r"|(?:not\s+)?(?:just\s+|only\s+)?as\s+with\s+)"
    r"|(?P<verb>(?:who|which)\s+(?:had\s+|once\s+|greatly\s+)?(?:admired|knew|met|loved|hated"
    r"|influenced|inspired"
    r"|taught|married|succeeded|followed|imitated|read|envied|copied|praised|criticized|criticised"
    r"|helped)\s+)"
    r"|(?P<for>(?:wrote|made|composed|painted|built|did|designed|created|sang|filmed)\s+(?:it|this"
    r"|that|them)"
    r"\s+(?:for|with|about|after|like|before|against|near)\s+)"
    r"|(?P<place>(?:north|south|east|west|northeast|northwest|southeast|southwest|outside|miles"
    r"|kilomet(?:re|er)s|km"
    r"|hours?|suburb)\s+(?:of|from|north\s+of|south\s+of|east\s+of|west\s+of)\s+))"
    rf"{_BETWEEN}$",
    regex.IGNORECASE,
)
_OWN = regex.compile(
    rf"(?:(?<=['’]s)|['’]s)\s+(?:\p{{L}}+\s+){{0,2}}?(?P<noun>{_NOUNS})s?\b", regex.IGNORECASE
)
"""What follows a name in "X's rival"."""
# What a question says that asks for the relation of a group of `_BEFORE`.
_ASKED = {
    "with": r"with|under|against|alongside|near|for",
    "than": (
        r"than|compar\w+|(?:bigg|larg|small|tall|short|old|young|fast|slow|heavi|light|long|high"
        r"|low|deep|clos|near"
        r"|rich|great|strong|cold|hott|warm|earli|lat)er|better|worse|more|less"
    ),
    "like": (
        r"similar|like|compar\w+|equal|close\w*|next|second|related|inspir\w*|influenc\w*|style"
        r"|named?\s+after"
    ),
    "verb": (
        r"admir\w+|know|knew|met|loved|hated|influenc\w*|inspir\w*|taught|teach\w*|marr\w+"
        r"|succe\w+|follow\w*"
        r"|imitat\w+|copied|prais\w+|critici\w+|help\w*|whose"
    ),
    "for": r"for|with|about|after|whom",
    "place": r"where|near\w*|far|distance|location|located",
}
_ASKS = {
    name: regex.compile(rf"\b(?:{words})\b", regex.IGNORECASE) for name, words in _ASKED.items()
}
_ASKS_NOUN = [
    (
        regex.compile(rf"(?:{kind.nouns})", regex.IGNORECASE),
        regex.compile(rf"\b(?:(?:{kind.nouns})s?|{kind.question_words})\b", regex.IGNORECASE),
    )
    for kind in _KINDS
]
_REACH = 90


_WHO_DID = regex.compile(
    r"\bwho\s+(?:\w+ly\s+|first\s+|originally\s+)?(?P<verb>(?!is\b|was\b|are\b|were\b|did\b|does\b"
    r"|do\b|has\b|had\b|have\b|will\b|would\b|can\b|could\b|the\b|sings?\b)\p{Ll}{3,})\b",
    regex.IGNORECASE,
)
_CLAUSE_OF = regex.compile(
    r"\b(?:after|before|until|because|since|while|although|even\s+though)\s+(?:the\s+)?$",
    regex.IGNORECASE,
)
_OWN_VERB = regex.compile(
    r"\s+(?P<verb>(?!is\b|was\b|are\b|were\b|and\b|or\b|who\b|which\b|that\b|in\b|at\b|of\b"
    r"|the\b|for\b"
    r"|from\b|to\b|himself\b|herself\b|as\b|on\b|by\b|with\b|also\b|first\b|then\b|has\b|have\b)"
    r"\p{Ll}{3,})\b"
)
_FINITE = regex.compile(r"\s+(?:had|has|was|were|is|died|left|became|\p{Ll}+ed)\b")
_SHORT = 160
"""In a longer answer other people act too, and the right one next to them."""


def another_acts(raw: str, start: int, end: int, question: str) -> bool:
    """Whether an answer to "Who did it?" says of the name that it did something else, and of
    another one that it did it: `Holbein owned it, but Cranach painted it`."""
    asked = _WHO_DID.search(question)
    if asked is None or len(raw) > _SHORT:
        return False
    if _CLAUSE_OF.search(raw, max(0, start - 30), start) and _FINITE.match(raw, end):
        return True
    verb = regex.escape(asked["verb"])
    own = _OWN_VERB.match(raw, end)
    if own is None or own["verb"].casefold() == asked["verb"].casefold():
        return False
    name = raw[start:end]
    others = regex.finditer(
        rf"(?P<name>\p{{Lu}}[\p{{L}}.'’-]*(?:\s\p{{Lu}}[\p{{L}}.'’-]*)*)\s+(?:\w+ly\s+)?{verb}\b",
        raw,
    )
    return any(
        other["name"] not in name and name not in other["name"] and other["name"] not in _PRONOUNS
        for other in others
    )


_PRONOUNS = frozenset(["He", "She", "It", "They", "Who", "This", "That", "I", "We"])
_OF_NAME = regex.compile(r"(?P<name>[^,;:?\n]{1,60}),\s(?:an?|the|his|her)\s(?:\p{L}+\s)?$")


def _is_apposition(before: str, match: "regex.Match[str]", question: str) -> bool:
    """Whether a name that the question has not is called so in relation to this one: in `Salieri, a
    rival of Mozart` Salieri is the answer."""
    if match.lastgroup != "noun" or match.re is not _BEFORE.pattern:
        return False
    head = before[: len(before) - len(match[0])]
    name = _OF_NAME.search(head)
    if name is None:
        return False
    words = [word for word in regex.findall(r"[\p{L}\p{N}]{2,}", name["name"].casefold())]
    asked = question.casefold()
    return not all(word in asked for word in words)


def is_passing(raw: str, start: int, end: int, question: str) -> bool:
    """Whether what is at [start, end) stands only in relation to the thing that the answer is
    about.

    A question that asks for the same kind of relation, or compares, is answered by such a phrase.
    """
    if is_beside_place(raw, start, question) or is_beside_person(raw, start, end, question):
        return True
    if is_compared(raw, start, end, question):
        return True
    match = _BEFORE.search(raw[max(0, start - _REACH) : start]) or _OWN.match(raw, end)
    if match is None:
        return another_acts(raw, start, end, question)
    if _is_apposition(raw[: max(0, start)], match, question):
        return True
    group = match.lastgroup or "noun"
    if group == "than" and raw[start : start + 1].isdigit():
        return False  # a bound, which is read with the number
    if group != "noun":
        return not _ASKS[group].search(question)
    noun = match["noun"]
    return not any(kind.fullmatch(noun) and asks.search(question) for kind, asks in _ASKS_NOUN)
