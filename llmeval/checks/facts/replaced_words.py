"""Which word of an answer stands in the place of one that a reference has, and whether it is short
for it."""

from llmeval.checks.facts.lexicon import (
    DEMONYMS,
    JOINTS,
    NICKNAMES,
    PARTICLES,
    PLAIN_TITLES,
    TITLE_WORDS,
    contrast,
)
from llmeval.checks.facts.names import ARTICLES, FIRST_NAMES, NAME_LETTERS, Reference
from llmeval.checks.facts.tokens import NEGATORS, STOPWORDS, Tokens
from llmeval.checks.facts.word_forms import same_sound

TERM_WORDS = 4
"""A reference of at most this many words of meaning is a term; a longer one that is not a name is a
statement."""
AROUND = 12
"""An answer with so many words more than the reference says that and little else."""
# Nothing at all stands between a letter and a digit: G0.
_PLAIN = frozenset(["", ".", " ", "-", "\u00a0", "‑", "–", " the ", " '", ' "', ", "])


def both_designators(one: str, two: str) -> bool:
    """Whether both number the things of a series: 2 and 3, B and C, O and AB."""
    short = min(len(one), len(two)) == 1
    return all(
        word[0].isdigit() or (len(word) <= 1 + short and word.isascii()) for word in (one, two)
    )


_BLOOD_GROUPS = frozenset(["a", "b", "ab", "o"])


def _short_for(one: str, two: str) -> bool:
    """Whether one is short for the other: `ave` and `avenue`, `r` and `robert`, `bob` and `robert`,
    `jmw` and `joseph`.
    """
    short, long = sorted((one, two), key=len)
    if short[0].isdigit() or {one, two} <= _BLOOD_GROUPS:
        return False  # 1 is not short for 11
    if two in NICKNAMES.get(one, ()) or one in NICKNAMES.get(two, ()) or same_sound(one, two):
        return True
    initials = (
        short.isalpha()
        and short[0] == long[0]
        and len(short) < len(long)
        and len(short) <= 3
        and not set(short) & set("aeiouy")
    )
    return initials or (long.startswith(short) and (len(short) == 1 or len(long) - len(short) > 2))


def without_short_forms(
    missing: list[str], reference: Reference, places: dict[str, int], answer: Tokens
) -> tuple[list[str], frozenset[str]]:
    """The missing words less those that stand there in short, and these: `Ave` for `Avenue`, `Dave`
    for `David`."""
    missing = [stem for stem in missing if not _spelled_out(stem, reference, places, answer)]
    if len(missing) > 1:
        letters = "".join(stem[0] for stem in missing)
        at = answer.stems.index(letters) if letters in answer.stem_set else -1
        if at >= 0 and at + 1 in places.values():
            return [], frozenset([letters])  # W. A. for Wolfgang Amadeus
    stands = {word_in_place_of(stem, reference, places, answer) for stem in missing} - {""}
    short = frozenset(word for word in stands if any(_short_for(stem, word) for stem in missing))
    return [stem for stem in missing if not any(_short_for(stem, word) for word in short)], short


def _spelled_out(stem: str, reference: Reference, places: dict[str, int], answer: Tokens) -> bool:
    """Whether names with the initials of the stem stand before the next word: `Joanne K.` for `J.
    K. Rowling`."""
    if stem not in reference.joined_initials:
        return False
    after = next(
        (places[s] for s in reference.content[reference.content.index(stem) + 1 :] if s in places),
        None,
    )
    if after is None or after < len(stem):
        return False
    return all(
        form.startswith(letter)
        for letter, form in zip(stem, answer.forms[after - len(stem) : after], strict=True)
    )


def word_in_place_of(
    stem: str, reference: Reference, places: dict[str, int], answer: Tokens
) -> str:
    """The answer's word where the missing one should stand, next to a neighbour it has in the
    reference; or ""."""
    content = reference.content
    at = content.index(stem)
    after = next((places[s] for s in content[at + 1 :] if s in places and s != stem), None)
    before = next((places[s] for s in reversed(content[:at]) if s in places and s != stem), None)
    taken = {index for s, index in places.items() if s != stem}
    for neighbour, step in ((after, -1), (before, 1)):
        if neighbour is None:
            continue
        alone = len(answer) <= len(reference.stems) + AROUND and not reference.is_name
        index = _next_word(answer, neighbour, step, over_all=alone or is_statement_text(reference))
        if index is None:
            continue
        if index in taken and answer.stems.count(answer.stems[index]) == 1:
            continue
        if _stands_for(stem, index, reference, answer):
            return answer.stems[index]
    return ""


def is_statement_text(reference: Reference) -> bool:
    return not reference.is_name and len(reference.forms) > TERM_WORDS + 1


def _next_word(answer: Tokens, index: int, step: int, *, over_all: bool) -> int | None:
    """The nearest word of meaning beside word `index`, over at most two joints such as `du` and
    `of`.

    `over_all`: in statements, over any words without a meaning of their own.
    """
    for _ in range(3):
        gap = index if step < 0 else index + 1
        index += step
        if not 0 <= index < len(answer):
            return None
        initial = answer.gap(gap) == ". " and len(answer.forms[gap - 1]) == 1
        if answer.gap(gap) not in _PLAIN and not initial:
            return None
        form = answer.forms[index]
        letter = form in ("i", "a") and answer.raw[answer.starts[index]].isupper()
        if form not in JOINTS and (not over_all or form not in STOPWORDS or letter):
            return index
    return None


def _stands_for(stem: str, index: int, reference: Reference, answer: Tokens) -> bool:
    form, word = answer.forms[index], answer.stems[index]
    if form in STOPWORDS and not (
        form in NAME_LETTERS | FIRST_NAMES and answer.raw[answer.starts[index]].isupper()
    ):
        return False
    small = answer.raw[answer.starts[index]].islower()
    joined = answer.gap(index) in ("-", "‑")  # the last word of Kim Jong-un is no article
    if form in ARTICLES and ((small and not joined) or index in answer.breaks):
        return False  # `O Tejo`: an article has a capital at the start of a sentence
    if contrast(stem, word) or both_designators(stem, word):
        return True
    if word in reference.stems:
        return False
    if stem in PLAIN_TITLES and _has_capital(index, answer):
        return False  # a first name in place of the title: Abraham Lincoln for President Lincoln
    title = _is_title(index, reference, answer) and stem != reference.content[-1]
    if title or word in PARTICLES or word in NEGATORS:
        return False
    capital = answer.raw[answer.starts[index]].isupper()
    return not (reference.is_name and not capital)


def _is_title(index: int, reference: Reference, answer: Tokens) -> bool:
    """Whether the word is a title before a name: no nationality, no owner as in `Queen's Indian
    Defence`, and not before a common noun as in `king cobra`."""
    if answer.stems[index] not in TITLE_WORDS - DEMONYMS:
        return False
    raw = answer.raw
    if raw[answer.starts[index] : answer.ends[index]].endswith(("'s", "’s")):
        return False
    after = answer.starts[index + 1 : index + 2]
    return reference.is_name or (bool(after) and raw[after[0]].isupper())


def _has_capital(index: int, answer: Tokens) -> bool:
    """Whether the word starts with a capital."""
    return answer.raw[answer.starts[index]].isupper()
