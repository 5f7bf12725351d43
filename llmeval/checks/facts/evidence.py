"""What an answer says about one expected value: where it says it, how well it fits, and how the
answer stands to it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from unicodedata import normalize

import regex

from llmeval.checks.facts.aliases import is_abbreviation, is_symbol, spelled_out
from llmeval.checks.facts.answer import AnswerAnalysis
from llmeval.checks.facts.beside_names import (
    has_other_article,
    in_other_bracket,
    is_namesake,
    is_other_capitals,
)
from llmeval.checks.facts.compare import EXACT, Fit, Tolerance
from llmeval.checks.facts.date_values import Precision
from llmeval.checks.facts.differences import ReferenceComparison, compare, compare_list
from llmeval.checks.facts.expressions import is_expression, is_tuple, states_expression
from llmeval.checks.facts.longer_names import in_longer_han_name, longer_name
from llmeval.checks.facts.lost_spaces import squeezed
from llmeval.checks.facts.mentions import Mention, in_context, mention_at, with_overlaps
from llmeval.checks.facts.names import (
    MAX_TOLERANT,
    Partial,
    Place,
    Reference,
    exact,
    partials,
)
from llmeval.checks.facts.negation_scope import Stance
from llmeval.checks.facts.references import ExpectedValue
from llmeval.checks.facts.typed_values import (
    chosen_letters,
    is_limit,
    mentioned_dates,
    mentioned_numbers,
    mentioned_times,
)
from llmeval.checks.facts.whole_lists import has_more_items


@dataclass(frozen=True, slots=True)
class AnswerEvidence:
    """All that the answer says about a fact: mentions, the best first.

    `partial`: the text that is held in part, and `comparison`: how it differs. `near_miss`: a place
    that names a similar thing instead, where no text is held.
    """

    mentions: tuple[Mention, ...] = ()
    partial: Partial | None = None
    comparison: ReferenceComparison | None = None
    near_miss: ReferenceComparison | None = None

    @property
    def best(self) -> Mention | None:
        """The most favourable mention."""
        return self.mentions[0] if self.mentions else None


def gather(
    expected: Sequence[ExpectedValue],
    answer: AnswerAnalysis,
    tolerance: Tolerance = EXACT,
    accept: Precision | None = None,
    *,
    listed: bool = False,
) -> AnswerEvidence:
    """What the answer says about a fact of which any of the values is right.

    `tolerance`: of numbers; a given one rules out looser fits. `accept`: how exact a date must at
    least be; None takes any that agrees. `listed`: the value may be one of a list, and stand
    outside of a final answer.
    """
    whole = _as_a_whole(expected, answer, listed=listed)
    if whole is not None:
        return AnswerEvidence((whole,))
    collected = [*_texts(expected, answer)]
    for value in expected:
        collected += _typed(value, answer, tolerance, accept)
    if not listed:
        collected = in_context(collected, expected, answer)
    in_question = {v.raw for v in expected if answer.question.stem_set.issuperset(v.text.content)}
    collected = sorted(
        with_overlaps(collected),
        key=lambda mention: (mention.rank, mention.expected_text in in_question),
    )
    # What only copies the question says nothing, so the other references decide.
    copied = {
        m.expected_text
        for m in collected
        if m.stance is Stance.MENTIONED and answer.is_copied(m.start, m.end)
    }
    if any(value.raw not in copied for value in expected):
        collected = [
            m for m in collected if m.expected_text not in copied or m.stance <= Stance.LIKELY
        ]
    values = [v for v in expected if v.kind == "text" and not v.alias and v.raw not in copied]
    texts = [value.text for value in values]
    settled = (
        bool(collected) and collected[0].fit is Fit.SAME and collected[0].stance <= Stance.LIKELY
    )
    longer = {mention.expected_text for mention in collected if mention.how == "longer"}
    values = [value for value in values if value.text.raw not in longer]
    if settled or not texts:
        return AnswerEvidence(tuple(collected))
    return _in_part(tuple(collected), values, answer)


def _as_a_whole(
    expected: Sequence[ExpectedValue], answer: AnswerAnalysis, *, listed: bool
) -> Mention | None:
    """What an expression says, or a list with more items than are expected; None for all else."""
    own = [value for value in expected if not value.alias]
    raw = answer.words.raw
    # `3 × 10^8 m/s` is a number in a unit.
    if own and all(is_expression(value.raw) and _has_no_value(value) for value in own):
        equal = any(states_expression(value.raw, raw) for value in own)
        stance = Stance.ASSERTED if equal else Stance.UNREAD
        return Mention(0, len(raw), Fit.SAME, stance, "exact", own[0].raw)
    members = [member for value in own for member in value.members]
    if listed or not all(value.members for value in own) or not has_more_items(raw, members):
        return None
    return Mention(0, len(raw), Fit.SAME, Stance.SEVERAL, "exact", own[0].raw)


def _has_no_value(value: ExpectedValue) -> bool:
    """Whether the text is not read as a number or a date, unless it is an equation."""
    other = any(mark in value.raw for mark in "=<>≤≥") or is_tuple(value.raw)
    return other or not (value.numbers or value.dates)


def _typed(
    value: ExpectedValue, answer: AnswerAnalysis, tolerance: Tolerance, accept: Precision | None
) -> Iterator[Mention]:
    """Dates, times, options and numbers."""
    if value.dates:
        yield from mentioned_dates(value, answer, accept)
    if value.time is not None:
        yield from mentioned_times(value, value.time, answer)
    elif value.letter:
        yield from chosen_letters(value, answer)
    if value.numbers:
        yield from mentioned_numbers(value, answer, tolerance)


_COMPARED = 6
"""So many of the references that the answer holds most of are compared word by word."""


def _in_part(
    mentions: tuple[Mention, ...], values: list[ExpectedValue], answer: AnswerAnalysis
) -> AnswerEvidence:
    """The text that the answer holds most of and that no word of the answer makes another thing."""
    members = {value.text.raw: value.members for value in values if value.members}
    texts = [value.text for value in values]
    parts = partials(texts, answer.words, answer.spelling, answer.question.stem_set)
    miss: ReferenceComparison | None = None
    for part in parts[:_COMPARED]:
        if miss is not None and not part.fuzzy:
            break
        listed = members.get(part.reference.raw)
        if listed:
            collected = compare_list(part.reference, listed, answer.words, answer.spelling)
        else:
            collected = compare(part.reference, answer.words, answer.spelling, answer.question)
        if not collected.another_thing:
            return AnswerEvidence(mentions, part, collected)
        miss = miss or collected
    return AnswerEvidence(mentions, parts[0] if parts else None, miss, miss)


def _texts(expected: Sequence[ExpectedValue], answer: AnswerAnalysis) -> Iterator[Mention]:
    """Word for word, or with spaces and hyphens moved."""
    typed = ("time", "letter", "boolean")
    values = [
        value
        for value in expected
        if not value.numbers and value.kind not in typed and not _is_bare_month(value)
    ]
    references = [value.text for value in values]
    hits = exact(references, answer.words)
    covered = {
        i for places in hits.values() for first, last in places for i in range(first, last + 1)
    }
    whole = [
        _whole(values[i], place, covered, answer)
        for i, places in hits.items()
        for place in places
        if not values[i].alias or _is_capital(values[i].raw, place, answer)
    ]
    longer = [mention for mention in whole if mention.how == "longer"]
    aliases = frozenset(value.raw for value in values if value.alias)
    for mention in whole:
        # `Congo` is another name of a country whose longer name stands here for another one.
        inside = any(one.start <= mention.start and mention.end <= one.end for one in longer)
        other = inside and mention.expected_text in aliases
        yield replace(mention, fit=Fit.OTHER, how="longer") if other else mention
    for value in values:
        own = value.kind == "text" and not value.alias
        name = spelled_out(value.raw, answer.words) if own else None
        if name is not None:
            yield mention_at(answer, name, Fit.SAME, "exact", value.raw)
    for value in values:
        at = answer.words.raw.find(value.raw) if not value.text.forms and value.raw.strip() else -1
        if at >= 0:
            end = at + len(value.raw)
            yield Mention(at, end, Fit.SAME, answer.stance(at, end), "exact", value.raw)
    if not hits:
        for value in values[:MAX_TOLERANT]:
            squeeze = squeezed(value.text, answer.words) if value.kind == "text" else None
            if squeeze is not None:
                yield mention_at(answer, squeeze, Fit.SAME, "squeezed", value.raw)


def _whole(
    value: ExpectedValue, place: Place, covered: set[int], answer: AnswerAnalysis
) -> Mention:
    """The mention at a place that has all words; `covered`: words that belong to some reference."""
    longer = longer_name(place, value.text, answer.words)
    if value.dates and is_limit(answer.words.starts[place[0]], value, answer):
        return mention_at(answer, place, Fit.NEAR, "date", value.raw)
    if (
        _other_sign(place, value.text, answer)
        or _other_suffix(place, value.text, answer)
        or in_other_bracket(place[1], value.text, answer.words)
        or is_other_capitals(place[1], value.text, answer.words)
        or in_longer_han_name(place, value.text, answer.words)
        or has_other_article(*place, value.text, answer.words)
        or is_namesake(value.text, answer.words)
    ):
        return mention_at(answer, place, Fit.OTHER, "longer", value.raw)
    if longer is None or covered.issuperset(longer):
        return mention_at(answer, place, Fit.SAME, "exact", value.raw)
    return mention_at(answer, (min(longer), max(longer)), Fit.OTHER, "longer", value.raw)


def _other_sign(place: Place, reference: Reference, answer: AnswerAnalysis) -> bool:
    """Whether a number of the place has a minus sign that the reference has not: x = -3."""
    if not reference.stems[-1][0].isdigit() or any(sign in reference.raw for sign in "-−–"):
        return False
    at = answer.words.starts[place[1]]
    return answer.words.raw[max(0, at - 1) : at] in ("-", "−") and answer.words.raw[
        max(0, at - 2) : at - 1
    ] in (
        "",
        " ",
        "=",
        "(",
    )


_SUFFIX = regex.compile(r"[+#♯♭]{0,2}(?![\p{L}\d])")


def _other_suffix(place: Place, reference: Reference, answer: AnswerAnalysis) -> bool:
    """Whether a sign follows the name that the reference has not, or the other way round: C and
    C++."""
    stated = _SUFFIX.match(answer.words.raw, answer.words.ends[place[1]])
    end = len(reference.bare.rstrip("+#♯♭ "))
    return stated is not None and stated[0] != reference.bare.strip()[end:]


def _is_capital(name: str, place: Place, answer: AnswerAnalysis) -> bool:
    """Whether an abbreviation stands in capitals: US, not us. A symbol has to be the whole
    answer."""
    start, end = answer.words.place(*place)
    if is_symbol(name):
        return normalize("NFKC", answer.words.raw.strip(_AROUND_SYMBOL)) == name
    return not is_abbreviation(name) or answer.words.raw[start:end].replace(".", "").isupper()


_AROUND_SYMBOL = " \t\n.,!()[]*_`\"'$"


def _is_bare_month(value: ExpectedValue) -> bool:
    """A month by itself: "may" and "march" are words too."""
    return len(value.dates) == 1 and value.dates[0].year is None and value.dates[0].day is None
