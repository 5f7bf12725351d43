"""What would settle a rule of regression that is INCONCLUSIVE: more cases, more answers a case, or
more labels.

They are compared by the arithmetic that `plan` sizes a suite by: the variance of a case's
difference falls with the number of answers; a judged metric's margin is scaled by J's lower bound.
"""

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from llmeval.gate.pairs import PairedCases
from llmeval.gate.rules.open_hints import few_note, more_sentence
from llmeval.stats.estimation.agreement import youden_lower
from llmeval.stats.estimation.clusters import clustered_mean, units
from llmeval.stats.estimation.label_counts import LabelCounts
from llmeval.stats.predictive import DecisionLimit, ObservedSample, likely_cases
from llmeval.stats.sequential.design import TestDesign
from llmeval.stats.tests.fixed_sample import Nulls, final_test

_MORE_LABELS = (2, 4, 8, 16)
_ANSWERS = (2, 3, 4, 5, 7, 10, 15, 20)
_FOUR_OF_FIVE = NormalDist().inv_cdf(0.8)
_TRIES = 0.9
"""Predicted share of tries, of two limits: the true difference is often at one of them, and then
four of five tries are right (`benchmarks/decisions_audit.py --section hints`)."""


class JudgeLabels(NamedTuple):
    """The labels behind a judge's J: their counts, the rate of error spent on its bound, the
    margin on people's scale.
    """

    counts: LabelCounts
    spent: float
    margin: float
    shift: float = 0.0
    """`gate.judge_shift`."""


def regression_hint(
    pairs: PairedCases, plan: TestDesign, level: float, judge: JudgeLabels | None
) -> str:
    """What would settle a rule of regression, the cheapest first.

    Args:
        pairs: the paired cases; some have a result on both sides.
        plan: of the rule. level: of its FAIL, among all rules.
        judge: the labels behind the judge's J, where the margin is scaled by it.
    """
    n = len(pairs.differences)
    even, likely = cases_needed(pairs, plan, level) - n, likely_pairs(pairs, plan, level)
    sentence = f"; {more_sentence(max(1, even), likely, 'that differ like these')}."
    ways = [] if likely is None else [_by_cases(likely), *_by_answers(pairs, plan)]
    if judge is not None:
        ways += _by_labels(pairs, plan, judge)
    if len(ways) > 1:
        sentence += f" What would settle it: {'; or '.join(ways)}."
    few = few_note(pairs.clusters)
    return f"{sentence} {few[0].upper()}{few[1:]}." if few else sentence


def _by_cases(more: int) -> str:
    return f"{more:,} more cases, asked of both sides ({2 * more:,} answers)"


def _by_answers(pairs: PairedCases, plan: TestDesign) -> list[str]:
    answers = answers_needed(pairs, plan)
    if answers is None:
        return []
    total = 2 * len(pairs.differences) * (answers - 1)
    return [
        f"{answers} answers a case on both sides (`repeats: {answers}`, {total:,} more answers), if"
        " what differs is chance"
    ]


def answers_needed(pairs: PairedCases, plan: TestDesign) -> int | None:
    """More answers a case on both sides: where what differs is chance, its standard deviation falls
    with the root of their number, and the mean lies around 0.

    The differences are then no counts any more. Their test assumes no distribution, and with few
    cases no number of answers is enough: so it is asked itself, on the differences drawn together
    and with a mean that 4 of 5 tries exceed.

    Args:
        pairs: with an answer a case on either side.
        plan: of the rule.

    Returns:
        Answers a case, or None where 20 are too few.
    """
    kept = [
        (value, group)
        for value, group in zip(pairs.differences, pairs.clusters, strict=True)
        if not math.isnan(value)
    ]
    if not kept:
        return None
    means, sizes = units([value for value, _ in kept], [group for _, group in kept])
    apart = means - float(sizes @ means / sizes.sum())
    error = float(np.sqrt(((sizes * apart) ** 2).sum()) / sizes.sum())
    rate = plan.rates[1]
    nulls = Nulls(plan.fail_null, plan.pass_null, plan.low, plan.high, plan.alpha, rate)
    for answers in _ANSWERS if error > 0 else ():
        less = math.sqrt(answers)
        values = np.clip((apart - _FOUR_OF_FIVE * error) / less, plan.low, plan.high)
        if final_test(values, sizes, nulls, bounds=False).p_pass <= rate:
            return answers
    return None


def _by_labels(pairs: PairedCases, plan: TestDesign, judge: JudgeLabels) -> list[str]:
    """More labels behind the certificate: J's lower bound rises, and the margin with it."""
    sure = [value for value in pairs.differences if not math.isnan(value)]
    if not sure:
        return []
    mean = math.fsum(sure) / len(sure)
    effect = _effect(pairs, sure)
    sd = math.sqrt(_moment(sure) * effect / len(sure))
    low = mean - NormalDist().inv_cdf(1 - plan.rates[1]) * sd
    for times in _MORE_LABELS:
        more = LabelCounts(*(times * count for count in judge.counts))
        if judge.shift - judge.margin * youden_lower(more, judge.spent) <= low:
            extra = (times - 1) * round(sum(judge.counts))
            return [
                f"about {extra:,} more labels for the judge's certificate, if they agree as now"
            ]
    return []


def likely_pairs(pairs: PairedCases, plan: TestDesign, level: float) -> int | None:
    """How many more cases decide a rule of regression in 4 of 5 tries; None beyond a million.
    Arguments as `regression_hint`.
    """
    sure = [value for value in pairs.differences if not math.isnan(value)]
    if not sure:
        return len(pairs.differences)
    mean, effect, moment = math.fsum(sure) / len(sure), _effect(pairs, sure), _moment(sure)
    n, drop = len(sure) / effect, -plan.pass_null
    sd = math.sqrt(max(moment - mean * mean, 1e-9))
    seen = ObservedSample(n, mean, mean * len(sure) / (len(sure) + 2), sd)
    fail = DecisionLimit(plan.fail_null, min(level, plan.alpha), math.sqrt(moment))
    pass_ = DecisionLimit(plan.pass_null, plan.rates[1], math.sqrt(max(moment, drop)))
    fell = any(value < 0 for value in sure)
    least = 0.0 if fell or drop <= 0 else math.log(pass_.rate) / math.log1p(-drop)
    cases = likely_cases(seen, fail, pass_, _TRIES, least)
    return None if cases is None else math.ceil(cases * effect)


def _moment(sure: Sequence[float]) -> float:
    """E d^2, not 0 where nothing differs so far."""
    return (math.fsum(value * value for value in sure) + 1) / (len(sure) + 2)


def _effect(pairs: PairedCases, sure: Sequence[float]) -> float:
    """The design effect of the clusters."""
    clusters = [
        group
        for value, group in zip(pairs.differences, pairs.clusters, strict=True)
        if not math.isnan(value)
    ]
    if len(set(clusters)) == len(clusters):
        return 1.0
    effect = clustered_mean(sure, clusters).effect
    return max(1.0, effect) if math.isfinite(effect) else float(len(clusters))


def cases_needed(pairs: PairedCases, plan: TestDesign, level: float = 1.0) -> int:
    """How many cases in all decide the rule if the differences stay as they are. `level`: of its
    FAIL, where other rules have their share of alpha.

    n = (z sd / gap)^2 times the design effect, gap the farther of the two limits, and the 2 / gap
    that counting in whole cases takes (the continuity correction of McNemar's test, to first
    order); and no fewer than the exact test takes when nothing differs, log(level) / log(1 - gap).
    """
    sure = [value for value in pairs.differences if not math.isnan(value)]
    if not sure:
        return 2 * len(pairs.differences)
    mean, effect = math.fsum(sure) / len(sure), _effect(pairs, sure)
    variance = math.fsum((value - mean) ** 2 for value in sure) / len(sure)
    needed = []
    limits = (
        (plan.fail_null - mean, min(level, plan.alpha)),
        (mean - plan.pass_null, plan.rates[1]),
    )
    for gap, rate in limits:
        if 0 < gap < 1:
            z = NormalDist().inv_cdf(1 - rate)
            by_spread = z * z * variance / gap**2 + (2 / gap if variance else 0)
            needed.append(effect * max(by_spread, math.log(rate) / math.log1p(-gap)))
    return math.ceil(min(needed, default=2 * len(sure)))
