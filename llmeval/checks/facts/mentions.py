"""One place of an answer that concerns a fact, and how the answer as a whole stands to it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from llmeval.checks.facts.answer import AnswerAnalysis
from llmeval.checks.facts.compare import Fit
from llmeval.checks.facts.final_answer import gives_a_value
from llmeval.checks.facts.names import Place
from llmeval.checks.facts.negation_scope import Stance
from llmeval.checks.facts.number_lists import in_number_list, is_word_salad
from llmeval.checks.facts.passing import is_passing
from llmeval.checks.facts.references import ExpectedValue
from llmeval.checks.facts.whole_lists import is_whole_list


@dataclass(frozen=True, slots=True)
class Mention:
    """One place of the answer, code points [start, end), that concerns a fact. `how`: what kind of
    match it is."""

    start: int
    end: int
    fit: Fit
    stance: Stance
    how: str
    expected_text: str

    @property
    def rank(self) -> tuple[int, int]:
        """Sorts the most favourable mention first."""
        fits = self.fit >= Fit.COARSE
        return (
            (-int(fits), self.stance)
            if not fits
            else (-1 - int(self.fit == Fit.SAME and self.stance <= Stance.LIKELY), self.stance)
        )


def mention_at(
    answer: AnswerAnalysis, place: Place, fit: Fit, how: str, expected_text: str
) -> Mention:
    start, end = answer.words.place(*place)
    return Mention(start, end, fit, answer.stance(start, end), how, expected_text)


def in_context(
    mentions: list[Mention], expected: Sequence[ExpectedValue], answer: AnswerAnalysis
) -> list[Mention]:
    """The mentions with a weaker stance where they are one of several candidates, or not the final
    answer."""
    right = right_values(expected, answer)
    decided = any(
        m.fit >= Fit.COARSE and m.stance <= Stance.LIKELY and in_final(m.start, m.end, answer)
        for m in mentions
    )
    result = []
    for mention in mentions:
        stance = Stance.ASSERTED
        if mention.fit >= Fit.COARSE and mention.stance <= Stance.LIKELY:
            start, end = mention.start, mention.end
            stance = stance_in_context(start, end, expected, answer, right, decided=decided)
        result.append(replace(mention, stance=max(mention.stance, stance)))
    return result


def right_values(
    expected: Sequence[ExpectedValue], answer: AnswerAnalysis
) -> tuple[frozenset[str], ...]:
    """The stems of every value that is right."""
    own = tuple(frozenset(value.text.content) for value in expected)
    return (*own, *answer.right)


def in_final(start: int, end: int, answer: AnswerAnalysis) -> bool:
    """Whether the place is within what is given as the final answer."""
    return answer.final is not None and answer.final.start <= start < answer.final.end


def stance_in_context(
    start: int,
    end: int,
    expected: Sequence[ExpectedValue],
    answer: AnswerAnalysis,
    right: tuple[frozenset[str], ...],
    *,
    decided: bool = False,
) -> Stance:
    """How the answer as a whole stands to what it says at [start, end).

    `decided`: the final answer states a right value.
    """
    if answer.echo is not None and answer.echo[0] <= start and end <= answer.echo[1]:
        return Stance.MENTIONED
    if is_passing(answer.words.raw, start, end, answer.question.raw) or answer.is_copied(
        start, end
    ):
        return Stance.MENTIONED
    final = answer.final
    if final is not None and not decided and not final.start <= start < final.end:
        number = any(value.numbers or value.dates for value in expected)
        name = any(value.text.is_name for value in expected)
        question_stems = answer.question.stem_set
        if gives_a_value(answer.words.raw, final, question_stems, name=name, number=number):
            return Stance.WORKING
    if _is_converted(start, end, answer):
        return Stance.ASSERTED
    if any(value.numbers or value.dates for value in expected):
        index = next(
            (i for i, n in enumerate(answer.numbers) if n.start == start and n.end >= end), None
        )
        raw, question = answer.words.raw, answer.question.raw
        if index is not None and in_number_list(answer.numbers, index, raw, question):
            return Stance.SEVERAL
    if is_word_salad(answer.words, answer.language):
        return Stance.SEVERAL
    if answer.candidates.is_one_of_several(start, end, right):
        return Stance.SEVERAL
    raw, stems = answer.words.raw, answer.question.stem_set
    long = not answer.candidates.asks_many and not answer.candidates.is_address
    if is_whole_list(raw, start, end, right, answer.language, long=long, question=stems):
        return Stance.SEVERAL
    if answer.candidates.is_one_of_many(start, end, right):
        return Stance.LIKELY
    return Stance.ASSERTED


def _is_converted(start: int, end: int, answer: AnswerAnalysis) -> bool:
    """Whether the same amount stands next to the place in another unit: `5 km, or 3.1 miles`."""
    own = next((n for n in answer.numbers if n.start <= start and end <= n.end), None)
    if own is None or own.unit is None:
        return False
    amount = own.unit.base(own.value)
    return any(
        other.unit is not None
        and other.unit.dimension == own.unit.dimension
        and other.unit.factor != own.unit.factor
        and abs(other.unit.base(other.value) - amount) <= _ROUNDED * abs(amount)
        for other in answer.numbers
        if other is not own and min(abs(other.start - end), abs(start - other.end)) <= _JOINT
    )


_ROUNDED = 0.03
_JOINT = 12


def with_overlaps(result: list[Mention]) -> list[Mention]:
    """Mentions that overlap one that is not stated are not stated either: in "not Baker,
    California" both names."""
    weak = [
        (m.start, m.end, m.stance)
        for m in result
        if m.stance >= Stance.SEVERAL and m.fit >= Fit.COARSE
    ]
    if not weak:
        return result
    return [replace(m, stance=max(m.stance, _stance_around(m, weak))) for m in result]


def _stance_around(mention: Mention, weak: list[tuple[int, int, Stance]]) -> Stance:
    """The weakest stance of the mentions that overlap this one, or that a denied one directly
    follows."""
    result = [
        stance
        for start, end, stance in weak
        if mention.start < end + (3 if stance is Stance.DENIED else 0) and start <= mention.end
    ]
    return max(result, default=Stance.ASSERTED)
