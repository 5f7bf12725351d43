"""Whether a near copy of a statement turns it round: from cold to hot for from hot to cold.

Only short answers are compared that hold nearly all words of the statement; in other wordings the
order of words shows nothing.
"""

from collections import Counter

from llmeval.checks.facts.lexicon import contrast
from llmeval.checks.facts.names import Reference
from llmeval.checks.facts.tokens import STOPWORDS, Tokens

# Small words that give the word after them its part: what is compared with, where from, on which
# condition.
_PIVOTS = frozenset(
    "than to into from before after by if when als von aus nach wenn que de a quand si che di da "
    "se quando do dan van naar".split()
)
_OPPOSITE = tuple(
    tuple(pair.split())
    for pair in (
        "to from|into from|before after|with without|above below|over under|in out|on off|up down"
        "|inside outside|nach von|zu von|vor nach|mit ohne|avec sans|avant apres|con sin"
        "|antes despues|con senza|com sem"
    ).split("|")
)
_OTHER_SIDE = {
    word: frozenset(other for pair in _OPPOSITE if word in pair for other in pair if other != word)
    for pair in _OPPOSITE
    for word in pair
}
_EXTRA = 4
"""A near copy has at most so many words more than the statement."""
_GAP = 3
"""A pivot and its word have at most two small words between them."""


def is_turned_round(reference: Reference, answer: Tokens) -> bool:
    """Whether the answer has the words of the statement with two of them exchanged, or one
    reversed."""
    if len(answer) > len(reference.stems) + _EXTRA:
        return False
    rules = (_exchanged, _reversed, _repeated)
    return any(rule(reference, answer) for rule in rules)


def _exchanged(reference: Reference, answer: Tokens) -> bool:
    """Whether another word of the statement stands after one of its small words."""
    there = _after(reference.forms, reference.stems)
    here = _after(answer.forms, answer.stems)
    content = frozenset(reference.content)
    return any(
        pivot in _PIVOTS
        and words.isdisjoint(here.get(pivot, words))
        and here[pivot] <= content
        and words <= answer.stem_set
        for pivot, words in there.items()
    )


def _reversed(reference: Reference, answer: Tokens) -> bool:
    """Whether a word follows `from` where it follows `to` in the statement."""
    there = _before(reference.forms, reference.stems)
    here = _before(answer.forms, answer.stems)
    return any(
        not _OTHER_SIDE.get(pivot, frozenset()).isdisjoint(here.get(stem, frozenset()))
        and pivot not in here.get(stem, frozenset())
        for stem, pivots in there.items()
        for pivot in pivots
    )


def _repeated(reference: Reference, answer: Tokens) -> bool:
    """Whether a word that the statement has twice stands once beside its opposite: falls ...
    rises."""
    counts, own = Counter(reference.stems), Counter(answer.stems)
    return any(
        count > own[stem] > 0
        and any(contrast(stem, word) and word not in counts for word in answer.stem_set)
        for stem, count in counts.items()
    )


def _after(forms: list[str], stems: list[str]) -> dict[str, frozenset[str]]:
    """The first words of meaning after each small word."""
    pairs: dict[str, frozenset[str]] = {}
    for index, form in enumerate(forms):
        following = _following(index, forms, stems)
        if form in STOPWORDS | _PIVOTS and following:
            pairs[form] = pairs.get(form, frozenset()) | {following}
    return pairs


def _before(forms: list[str], stems: list[str]) -> dict[str, frozenset[str]]:
    """The small words that stand before each word of meaning."""
    pairs: dict[str, frozenset[str]] = {}
    for index, form in enumerate(forms):
        following = _following(index, forms, stems)
        if form in _OTHER_SIDE and following:
            pairs[following] = pairs.get(following, frozenset()) | {form}
    return pairs


def _following(index: int, forms: list[str], stems: list[str]) -> str:
    """The next word of meaning, over the small words between; empty where none is near."""
    for at in range(index + 1, min(index + 1 + _GAP, len(forms))):
        if forms[at] not in STOPWORDS and forms[at] not in _SMALL:
            return stems[at]
        if forms[at] in _PIVOTS:
            return ""
    return ""


_SMALL = frozenset(
    "der die das den dem des ein eine einen le la les l un une el los las il lo gli o os as".split()
)
