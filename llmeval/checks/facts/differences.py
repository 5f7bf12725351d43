"""Whether a text that resembles a reference names the same thing or a similar one.

South Korea and North Korea, hepatitis B and hepatitis C, Marie Curie and Pierre Curie share most of
their letters. One word that stands in the place of another, a missing number or compass point, or a
longer name around the words make another thing, however alike the rest is. A name may be shortened
by its titles, first and middle names.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import regex

from llmeval.checks.facts.aliases import aliases_of, is_country
from llmeval.checks.facts.beside_names import (
    goes_on_otherwise,
    has_other_joint,
    has_other_subtitle,
    in_other_region,
    is_half_of_double,
    is_namesake,
    is_other_formula,
    is_other_key,
    without_first,
)
from llmeval.checks.facts.kinds import (
    is_other_institution,
    is_other_kind,
    is_turned_institution,
    lacks_rank,
)
from llmeval.checks.facts.lexicon import (
    DROPPED_FREELY,
    TITLE_WORDS,
    VARIANTS_AFTER,
    contrast,
    is_designator,
    same_kind,
)
from llmeval.checks.facts.names import (
    VARIANT,
    Reference,
    Spelling,
    exact,
    held_places,
    least_likeness,
)
from llmeval.checks.facts.regnal_names import has_name_before_number, is_regnal
from llmeval.checks.facts.replaced_words import (
    AROUND,
    TERM_WORDS,
    both_designators,
    is_statement_text,
    without_short_forms,
    word_in_place_of,
)
from llmeval.checks.facts.swapped_roles import ends_otherwise, has_roles_swapped
from llmeval.checks.facts.tokens import NEGATORS, Tokens
from llmeval.checks.facts.turned_round import is_turned_round
from llmeval.checks.facts.word_forms import other_prefix

_SHORT_NAME = 2
"""Of a name of at most two words none can be left out: Niger Delta, Guinea-Bissau."""
_WHO = regex.compile(
    r"\b(?:who|whom|whose|wer|wen|wem|qui|quien|quién|quienes|chi|quem|wie)\b", regex.IGNORECASE
)


class NameDifference(StrEnum):
    """How a text that holds part of a reference differs from it."""

    NONE = "none"
    """every word is there"""
    SHORTER = "shorter"
    """only titles, first or middle names, or the kind of thing are left out; or the words of an
    institution's name stand in another order"""
    INCOMPLETE = "incomplete"
    """words are left out, and nothing stands in their place"""
    REPLACED = "replaced"
    """a word of meaning has another one in its place"""
    OTHER = "other"
    """a word that tells similar things apart is missing or has another one of its group in its
    place"""


@dataclass(frozen=True, slots=True)
class ReferenceComparison:
    """A reference against the place of the answer that is most like it.

    `wanted`, `stands`: the word that is missing and the one in its place; empty where there is
    none. `first`, `last`: the words of that place; -1 where there is none.
    """

    difference: NameDifference
    missing_word: str = ""
    stands: str = ""
    first: int = -1
    last: int = -1
    name: bool = False
    """Whether the reference is a name."""
    tight: bool = False
    """Only this word differs, and the others stand together."""

    @property
    def another_thing(self) -> bool:
        """Whether the place names a similar thing rather than the one expected."""
        return self.difference is NameDifference.OTHER or (
            self.difference in (NameDifference.REPLACED, NameDifference.INCOMPLETE) and self.tight
        )


def compare(
    reference: Reference, answer: Tokens, spelling: Spelling, question: Tokens | None = None
) -> ReferenceComparison:
    """How the answer's closest place differs from the reference."""
    content = reference.content
    question_stems = question.stem_set if question else frozenset()
    least = max(0.85, least_likeness(reference, answer, spelling, question_stems))
    places = held_places(reference, answer, spelling, least)
    if not places:
        return ReferenceComparison(NameDifference.INCOMPLETE)
    first, last = min(places.values()), max(places.values())
    missing = [stem for stem in content if stem not in places]
    missing, short = without_short_forms(missing, reference, places, answer)
    if _is_other_name(missing, places, reference, answer, question):
        return ReferenceComparison(
            NameDifference.OTHER, missing[0] if missing else "", "", first, last, reference.is_name
        )
    apart = _scattered(reference, places)
    for stem in [*missing, *apart]:
        stands = word_in_place_of(stem, reference, places, answer)
        if stands and (
            contrast(stem, stands) or both_designators(stem, stands) or other_prefix(stem, stands)
        ):
            return ReferenceComparison(NameDifference.OTHER, stem, stands, first, last)
    for stem in [*missing, *apart]:
        if stem not in question_stems and _needed(stem, reference):
            return ReferenceComparison(NameDifference.OTHER, stem, "", first, last)
    for stem in missing:
        stands = word_in_place_of(stem, reference, places, answer)
        if stands and _is_wider(stem, stands, reference):
            continue
        if stands and stands not in question_stems | short and not same_kind(stem, stands):
            tight = _is_tight(reference, missing, last - first + 1, answer) or is_other_kind(
                stem, stands, reference, places, answer, head_first=spelling.is_head_first
            )
            return ReferenceComparison(
                NameDifference.REPLACED, stem, stands, first, last, reference.is_name, tight
            )
    full = not reference.is_name and len(reference.forms) > TERM_WORDS
    turned = full and not missing and is_turned_round(reference, answer)
    if not reference.is_name and not missing:
        turned = turned or has_roles_swapped(reference, answer)
    turned = turned or ends_otherwise(reference, answer)
    if turned or (
        is_statement_text(reference) and _negated_otherwise(reference, first, last, answer)
    ):
        return ReferenceComparison(NameDifference.OTHER, "", "not", first, last)
    kind = _omission(reference, missing, places, question)
    whole = (
        kind is NameDifference.INCOMPLETE
        and reference.is_name
        and not _after_comma(missing, reference)
    )
    whole = whole and len(content) <= _SHORT_NAME
    return ReferenceComparison(
        kind, missing[0] if missing else "", "", first, last, reference.is_name, whole
    )


def _is_other_name(
    missing: list[str],
    places: dict[str, int],
    reference: Reference,
    answer: Tokens,
    question: Tokens | None,
) -> bool:
    """Whether what stands beside the words, or is missing before them, makes another name."""
    first, last = min(places.values()), max(places.values())
    if not missing and is_regnal(reference.bare) and has_name_before_number(first, last, answer):
        return True
    if has_other_subtitle(reference, answer) or has_other_joint(reference, answer):
        return True
    if (
        is_other_formula(reference, answer)
        or is_other_key(reference, answer)
        or lacks_rank(missing, reference)
    ):
        return True
    if not reference.is_name:
        return False
    if missing and missing == reference.content[-len(missing) :] and missing[0] in VARIANTS_AFTER:
        return True
    person = question is not None and bool(_WHO.search(question.raw))
    if is_other_institution(missing, places, reference, answer):
        return True
    return (
        in_other_region(reference, answer)
        or is_half_of_double(reference, answer)
        or is_namesake(reference, answer)
        or without_first(missing, reference, person)
        or (_is_person(reference, question) and goes_on_otherwise(missing, last, reference, answer))
    )


def _after_comma(missing: list[str], reference: Reference) -> bool:
    """Whether only the region is missing, as in `Seattle` for `Seattle, Washington`."""
    head, comma, _ = reference.bare.partition(",")
    return bool(comma) and not set(Tokens(head).stems) & set(missing)


def _is_wider(stem: str, stands: str, reference: Reference) -> bool:
    """Whether a country stands for the region after the comma: `Munich, Germany` for `Munich,
    Bavaria`."""
    return _after_comma([stem], reference) and is_country(stands) and not is_country(stem)


def compare_list(
    reference: Reference, members: Sequence[Reference], answer: Tokens, spelling: Spelling
) -> ReferenceComparison:
    """How the answer differs from a reference that lists several things: all of them have to be
    there."""
    places = held_places(reference, answer, spelling, 0.85)
    if not places:
        return ReferenceComparison(NameDifference.INCOMPLETE)
    first, last = min(places.values()), max(places.values())
    for member in members:
        if not _is_held(member, answer, spelling):
            return ReferenceComparison(
                NameDifference.OTHER, " ".join(member.forms), "", first, last
            )
    if not reference.is_name and has_roles_swapped(reference, answer):
        return ReferenceComparison(NameDifference.OTHER, "", "not", first, last)
    return ReferenceComparison(NameDifference.NONE, "", "", first, last)


def _is_held(member: Reference, answer: Tokens, spelling: Spelling) -> bool:
    """Whether the answer has the words of a member, or another name of it."""
    if member.is_name and spelling.likeness(member.content[-1])[0] >= VARIANT:
        # A surname is enough, but not with another first name: `Muhammad Ali Pasha` for `Tewfik
        # Pasha`.
        return compare(member, answer, spelling).difference is not NameDifference.REPLACED
    if all(spelling.likeness(stem)[0] >= 0.85 for stem in member.content):
        return True
    return bool(exact([Reference(alias) for alias in aliases_of(member.bare)], answer))


def _is_tight(reference: Reference, missing: list[str], width: int, answer: Tokens) -> bool:
    """Whether a name has another word in it, or the answer repeats a term or statement with one
    other word.

    In longer answers the other word is more often a paraphrase: European colonial for imperial
    powers.
    """
    if reference.is_name:
        return True
    few = 1 if len(reference.content) < 2 * TERM_WORDS else 2
    alone = len(answer) <= len(reference.stems) + AROUND
    return alone and len(missing) <= few and width <= len(reference.stems) + 1


def _scattered(reference: Reference, places: dict[str, int]) -> list[str]:
    """Numbers and letters of the reference that the answer has, but not beside the word they belong
    to."""
    result = []
    for i, stem in enumerate(reference.content):
        if stem not in places or not _tells_apart(stem, reference):
            continue
        beside = [s for s in reference.content[max(0, i - 1) : i + 2] if s != stem and s in places]
        if beside and all(abs(places[s] - places[stem]) > 2 for s in beside):
            result.append(stem)
    return result


def _tells_apart(stem: str, reference: Reference) -> bool:
    """Whether the word tells one thing of a series from another."""
    return is_designator(stem) and stem not in reference.initials and stem not in TITLE_WORDS


def _needed(stem: str, reference: Reference) -> bool:
    """Whether leaving the word out makes another thing: numbers and letters in terms, in names also
    `South`, `Elder`."""
    if not _tells_apart(stem, reference):
        return False
    if _is_generation(stem, reference):
        return False
    numbers = stem[0].isdigit() or len(stem) == 1
    return reference.is_name or (numbers and len(reference.content) <= TERM_WORDS)


def _is_generation(stem: str, reference: Reference) -> bool:
    """Whether the word is a numeral that closes a full name with a middle name, which tells the
    person already."""
    names = [s for s in reference.content if s not in TITLE_WORDS and s[0].isalpha()]
    numeral = stem[0].isdigit() and reference.forms[-1].isalpha()
    return stem == reference.content[-1] and numeral and len(names) >= _FULL_NAME


_FULL_NAME = 3


def _omission(
    reference: Reference, missing: list[str], places: dict[str, int], question: Tokens | None
) -> NameDifference:
    """What it means that words are missing and nothing stands in their place."""
    if not missing:
        turned = is_turned_institution(places, reference)
        return NameDifference.SHORTER if turned else NameDifference.NONE
    kept = [stem for stem in reference.content if stem not in missing]
    if _after_comma(missing, reference):
        return NameDifference.SHORTER
    if all(stem in DROPPED_FREELY or stem in TITLE_WORDS for stem in missing):
        return NameDifference.SHORTER
    question_stems = question.stem_set if question else frozenset()
    if all(stem in question_stems or stem in DROPPED_FREELY for stem in missing):
        return NameDifference.SHORTER
    if _is_person(reference, question) and reference.content[-1] in kept:
        return NameDifference.SHORTER
    return NameDifference.INCOMPLETE


def _is_person(reference: Reference, question: Tokens | None) -> bool:
    """Whether the reference may be a person's full name: two to five words with capitals, no
    number, no `of`."""
    if not reference.is_name or not 2 <= len(reference.content) <= 5:
        return False
    if any(not form[0].isalpha() or form in ("of", "the", "and") for form in reference.forms):
        return False
    if "-" in reference.bare and " " not in reference.bare:
        return False  # Haute-Savoie
    if question is not None and len(question) and not _WHO.search(question.raw):
        return not any(stem in DROPPED_FREELY for stem in reference.content)
    return True


def _negated_otherwise(reference: Reference, first: int, last: int, answer: Tokens) -> bool:
    """Whether one of the two has a `not` among its words, and the other has none."""
    here = any(form in NEGATORS for form in answer.forms[first : last + 1])
    there = any(form in NEGATORS for form in reference.forms)
    return here != there
