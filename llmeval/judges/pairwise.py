"""Which of two answers is better, judged in both orders: a diagnostic for people, which no gate
uses.

Judges prefer a position: in MT-Bench the best judge kept its verdict in 65 % of swaps (Zheng et al.
2023). A verdict therefore counts only if both orders agree. A split is a tie, and the share of
splits measures the judge's position bias.
"""

import asyncio
import math
from collections.abc import Hashable, Sequence
from typing import Literal, NamedTuple

import msgspec

from llmeval.core.records import Answer, Case, Message, Score
from llmeval.judges.judge import Judge
from llmeval.stats.estimation.clusters import per_case
from llmeval.stats.estimation.difference import MeanDifference, difference

_SWAPPED = {"first": "second", "second": "first", "tie": "tie"}
_WORTH = {"first": -1.0, "second": 1.0, "tie": 0.0, None: math.nan}


class Preference(NamedTuple):
    """The result for one pair. `winner` is None if one of the orders got no verdict. `split`: the
    two orders named different winners.
    """

    winner: Literal["first", "second", "tie"] | None
    split: bool
    scores: tuple[Score, Score]


async def prefer(
    judge: Judge, case: Case, first: Answer, second: Answer, candidate_messages: Sequence[Message]
) -> Preference:
    """The better of two answers to one case.

    Args:
        judge: its protocol is `pairwise`, or your own protocol with `other` in its template and the
            same verdicts.
        candidate_messages: the messages that both candidates were sent.

    Raises:
        SuiteError: the prompt can't be made from this case.
    """
    orders = (_beside(case, second), first), (_beside(case, first), second)
    forward, backward = await asyncio.gather(
        *(judge.score(both, shown, candidate_messages) for both, shown in orders)
    )
    words = _word(forward), _word(backward)
    if words[0] is None or words[1] is None:
        return Preference(None, False, (forward, backward))
    if words[0] == _SWAPPED[words[1]]:
        return Preference(words[0], False, (forward, backward))  # type: ignore[arg-type]
    return Preference("tie", "tie" not in words, (forward, backward))


class Pair(NamedTuple):
    """One case, and two answers to it."""

    case: Case
    first: Answer
    second: Answer
    asked: tuple[Message, ...]


class Preferred(msgspec.Struct, frozen=True):
    """One case and its winner; None if one of the orders got no verdict."""

    case_id: str
    repeat: int
    winner: Literal["first", "second", "tie"] | None
    split: bool = False


class Preferences(msgspec.Struct, frozen=True, kw_only=True):
    """Many cases. `ties` includes the `splits` and the `equal` answers, which need no call.

    `net`: the share that prefers the second answer minus the share that prefers the first, in [-1,
    1], with the 95 % interval from `low` to `high`.

    `p`: the two-sided p-value of the hypothesis that neither is preferred. For single answers to
    independent cases it is the exact sign test. Repeats of a case count as one, and cases of a
    cluster do not count as independent. A case without a verdict counts as the worst case for each
    side.
    """

    n: int
    first: int
    second: int
    ties: int
    splits: int
    equal: int
    unanswered: int
    net: float
    low: float
    high: float
    p: float
    cases: tuple[Preferred, ...]


def _equal(pair: Pair) -> bool:
    """Whether both answers are the same: text and data."""
    return pair.first.text == pair.second.text and pair.first.data == pair.second.data


async def prefer_all(judge: Judge, pairs: Sequence[Pair]) -> Preferences:
    """The better of two answers, case by case; see `prefer`. Equal answers tie without a call.

    Raises:
        SuiteError: the prompt can't be made from a case.
    """

    async def one(pair: Pair) -> Preferred:
        key = pair.case.id, pair.first.repeat
        if _equal(pair):
            return Preferred(*key, "tie")
        preference = await prefer(judge, *pair)
        return Preferred(*key, preference.winner, preference.split)

    cases = tuple(await asyncio.gather(*map(one, pairs)))
    winners, seen = [each.winner for each in cases], _net(pairs, cases)
    return Preferences(
        n=len(cases),
        first=winners.count("first"),
        second=winners.count("second"),
        ties=winners.count("tie"),
        unanswered=winners.count(None),
        splits=sum(each.split for each in cases),
        equal=sum(map(_equal, pairs)),
        net=seen.estimate,
        low=seen.low,
        high=seen.high,
        p=seen.p,
        cases=cases,
    )


def _net(pairs: Sequence[Pair], cases: Sequence[Preferred]) -> MeanDifference:
    if not pairs:
        return MeanDifference(0.0, -1.0, 1.0, 1.0)
    values = per_case((each.case_id, _WORTH[each.winner]) for each in cases)
    clusters: dict[Hashable, str | None] = {pair.case.id: pair.case.cluster for pair in pairs}
    return difference(list(values.values()), [clusters[key] for key in values])


def _beside(case: Case, other: Answer) -> Case:
    """The case with the other answer as a field for the template."""
    return msgspec.structs.replace(case, fields={**case.fields, "other": other.text})


def _word(score: Score) -> str | None:
    """The verdict. An empty answer loses without a call."""
    if score.passed is None:
        return None
    return str((score.details or {}).get("verdict", "second"))
