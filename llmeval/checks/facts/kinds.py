"""Kinds of one thing: an adjective, a rank or a part of an institution's name that makes another
one of it.

A song thrush is not a mistle thrush, a vice president is not a president, and Michigan State
University is not the University of Michigan.
"""

from llmeval.checks.facts.aliases import is_country
from llmeval.checks.facts.lexicon import DEMONYMS, GENERIC, RANKS, TITLE_WORDS, UNIT_KINDS
from llmeval.checks.facts.names import Reference
from llmeval.checks.facts.tokens import STOPWORDS, Tokens
from llmeval.checks.facts.units import unit_named
from llmeval.checks.reading.wordlists import word_set

_KIND_WORDS = 3
"""A term of so many words of meaning names a kind; a longer one is a description."""
_INSTITUTIONS = word_set(
    "university universitat universite universidad universita universidade universiteit college"
)


def is_other_kind(
    stem: str,
    stands: str,
    reference: Reference,
    places: dict[str, int],
    answer: Tokens,
    *,
    head_first: bool,
) -> bool:
    """Whether another adjective stands next to the noun of a term, in the place of the missing
    one: `mistle thrush` for `song thrush`.

    `head_first`: the language puts the noun before its adjective. In all other places of a longer
    answer another word is more often a paraphrase.
    """
    content = reference.content
    if not 2 <= len(content) <= _KIND_WORDS or reference.is_name or stands in GENERIC:
        return False
    held = [s for s in content if s in places]
    if stem in GENERIC or len(held) != 1 or len(stem) < _KIND_LETTERS:
        return False
    if not head_first and any(form in STOPWORDS for form in reference.forms):
        return False  # `Scots in origin` is no adjective with its noun
    head = content[0] if head_first else content[-1]
    step = 1 if head_first else -1
    if head not in places:
        return False
    at = places[head] + step
    gap = max(at, places[head])
    return (
        0 <= at < len(answer) and answer.stems[at] == stands and answer.gap(gap) in _JOINED_BY
    ) or (head_first and _after_joint(places[head], stands, answer))


_KIND_LETTERS = 3
_JOINED_BY = frozenset([" ", "-", "\u00a0", "‑"])


def _after_joint(head: int, stands: str, answer: Tokens) -> bool:
    """Whether one small word stands between the noun and the other word: `Lago di Garda`."""
    at = head + 2
    if (
        at >= len(answer)
        or answer.stems[at] != stands
        or len(answer.forms[at - 1]) > _JOINT_LETTERS
    ):
        return False
    return answer.gap(at) in _JOINED_BY and answer.gap(at - 1) in _JOINED_BY


_JOINT_LETTERS = 3


def lacks_rank(missing: list[str], reference: Reference) -> bool:
    """Whether only the word is missing that makes another office, relation, unit or territory of
    the rest: `president` for `vice president`, `sister` for `sister-in-law`, `mile` for `nautical
    mile`, `Samoa` for `American Samoa`."""
    if len(missing) != 1 or len(reference.content) > _KIND_WORDS:
        return False
    word = missing[0]
    rest = [s for s in reference.content if s != word]
    if word in _PRIME:
        return rest in _MINISTERS
    if word in _IN_LAW and "-" in reference.bare:
        return True
    if word in DEMONYMS:
        return is_country(" ".join(rest))
    if word in RANKS:
        return not reference.is_name or len(reference.content) == 2
    if word == "law":
        return reference.forms[-1] == "law" and len(reference.content) == 2
    return word in UNIT_KINDS and _is_unit(rest)


_PRIME = frozenset(["prime", "premier", "primer", "primo", "primeiro"])
_MINISTERS = (["minister"], ["ministre"], ["ministro"])
_IN_LAW = frozenset(["beau", "belle", "demi", "grand", "great", "step", "half"])


def _is_unit(stems: list[str]) -> bool:
    return len(stems) == 1 and unit_named(stems[0]) is not None


def has_rank_beside(first: int, last: int, reference: Reference, answer: Tokens) -> bool:
    """Whether the place is part of another office, relation or unit: `vice president` where the
    reference is `president`."""
    if last + 2 < len(answer) and answer.forms[last + 1 : last + 3] == ["in", "law"]:
        return answer.gap(last + 1) in ("-", "‑", " ")
    if not first or answer.gap(first) not in (" ", "-", "‑"):
        return False
    before = answer.stems[first - 1]
    if before in _PRIME:
        return reference.content in _MINISTERS
    if before in RANKS:
        offices = not reference.is_name or set(reference.content) <= TITLE_WORDS
        return offices and reference.forms[0] not in RANKS
    return before in UNIT_KINDS and not reference.is_name and _is_unit(reference.content)


def _institution(reference: Reference) -> str:
    """The word for the kind of institution that the name has; empty if it has none, or a place
    after a comma."""
    if not reference.is_name or "," in reference.bare or len(reference.content) > _KIND_WORDS:
        return ""
    return next((stem for stem in reference.content if stem in _INSTITUTIONS), "")


def is_other_institution(
    missing: list[str], places: dict[str, int], reference: Reference, answer: Tokens
) -> bool:
    """Whether the answer names another institution with words of this one's name.

    Its name has a further word between the words that both have, or before them, as in `Michigan
    State University` for `University of Michigan`; or it lacks the word before `University`.
    """
    kind = _institution(reference)
    if not kind or kind not in places or (len(places) < 2 and not missing):
        return False
    content = reference.content
    before = content[: content.index(kind)][-1:]
    first, last = min(places.values()), max(places.values())
    if before and missing == before:
        return len(places) > 1 and last - first <= len(places)
    if last - first > _SPAN or missing:
        return False
    inside = [i for i in range(first, last) if i not in places.values()]
    return any(_is_new_name(i, reference, answer) for i in [*inside, first - 1] if i >= 0) and (
        all(answer.gap(i) in (" ", "-") for i in range(max(1, first), last + 1))
    )


_SPAN = 5


def _is_new_name(index: int, reference: Reference, answer: Tokens) -> bool:
    """Whether the word has a capital and is no part of the reference, and belongs to what
    follows."""
    if answer.forms[index] in STOPWORDS or answer.stems[index] in reference.stems:
        return False
    if (
        answer.stems[index] in TITLE_WORDS - DEMONYMS
        or not answer.raw[answer.starts[index]].isupper()
    ):
        return False
    return answer.gap(index + 1) == " " and index not in answer.breaks


def is_turned_institution(places: dict[str, int], reference: Reference) -> bool:
    """Whether the words of an institution's name stand in another order: `York University` for
    `University of York` may be the same or another one."""
    kind = _institution(reference)
    if not kind or kind not in places:
        return False
    at = reference.content.index(kind)
    others = [stem for stem in reference.content if stem in places and stem != kind]
    return any(
        (reference.content.index(stem) < at) != (places[stem] < places[kind]) for stem in others
    )
