"""Which of two answers is better, asked in both orders: a diagnostic for people, which no gate uses.

Judges prefer a place: in MT-Bench the best kept its verdict in 65 % of swaps (Zheng et al. 2023). So a verdict counts
only when both orders give it; a split is a tie, and how often it happens says how much the judge looks at the place.
"""

import asyncio
from collections.abc import Sequence
from typing import Literal, NamedTuple

import msgspec

from llmeval.judge.judge import Judge
from llmeval.judge.prompt import fence_of
from llmeval.records import Answer, Case, Message, Score

_SWAPPED = {"first": "second", "second": "first", "tie": "tie"}


class Preference(NamedTuple):
    """`winner` is None where either order got no verdict. `split`: the two orders named different winners."""

    winner: Literal["first", "second", "tie"] | None
    split: bool
    scores: tuple[Score, Score]


async def prefer(judge: Judge, case: Case, first: Answer, second: Answer, asked: Sequence[Message]) -> Preference:
    """The better of two answers to one case.

    Args:
        judge: with the protocol `pairwise`, or one of your own with `other` in its template and the same verdicts.
        asked: the messages that both candidates were sent.

    Raises:
        SuiteError: the prompt can't be made from this case.
    """
    orders = (_beside(case, first, second), first), (_beside(case, second, first), second)
    forward, backward = await asyncio.gather(*(judge.score(both, shown, asked) for both, shown in orders))
    words = _word(forward), _word(backward)
    if words[0] is None or words[1] is None:
        return Preference(None, False, (forward, backward))
    if words[0] == _SWAPPED[words[1]]:
        return Preference(words[0], False, (forward, backward))  # type: ignore[arg-type]
    return Preference("tie", "tie" not in words, (forward, backward))


def _beside(case: Case, shown: Answer, other: Answer) -> Case:
    """The case with the other answer as a field that the template shows, without the marker of this prompt."""
    text = other.text.replace(fence_of(case, shown), "")
    return msgspec.structs.replace(case, fields={**case.fields, "other": text})


def _word(score: Score) -> str | None:
    """The verdict. An answer that was empty lost without a call."""
    if score.passed is None:
        return None
    return str((score.details or {}).get("verdict", "second"))
