"""Exact limits of a count: against all paths one by one, the binomial test, and the normal walk
they become.
"""

import itertools
import math
from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from llmeval.core.results import Decision
from llmeval.stats.sequential.design import TestDesign, floor, regression
from llmeval.stats.sequential.exact_binomial_boundaries import BinomialBoundaries, Limit
from llmeval.stats.sequential.gate_test import HybridTest
from llmeval.stats.sequential.interim_analyses import InterimAnalyses
from llmeval.stats.sequential.spending import FAIL, levels, spent


def limits(
    chance: float, trials: Sequence[int], rates: Sequence[float]
) -> tuple[BinomialBoundaries, list[Limit]]:
    analyses = BinomialBoundaries(chance)
    return analyses, [
        analyses.next_limit(each, rate) for each, rate in zip(trials, rates, strict=True)
    ]


def test_one_look_is_the_exact_binomial_test() -> None:
    analyses, (limit,) = limits(0.5, [20], [0.05])
    assert limit.fewest == 15  # P(X >= 15) = 2.07 %, P(X >= 14) = 5.77 %
    assert analyses.spent == pytest.approx(stats.binom.sf(14, 20, 0.5))
    assert limit.level == pytest.approx(0.05)


@pytest.mark.parametrize(("chance", "trials"), [(0.5, [3, 3, 7, 12, 16]), (0.2, [2, 5, 9, 14])])
def test_the_rate_spent_is_what_all_paths_together_say(chance: float, trials: list[int]) -> None:
    rates = [0.05 * (number + 1) / len(trials) for number in range(len(trials))]
    analyses, found = limits(chance, trials, rates)
    rejected = 0.0
    for path in itertools.product((0, 1), repeat=trials[-1]):
        if any(
            limit.fewest is not None and sum(path[:at]) >= limit.fewest
            for at, limit in zip(trials, found, strict=True)
        ):
            rejected += chance ** sum(path) * (1 - chance) ** (len(path) - sum(path))
    assert analyses.spent == pytest.approx(rejected)
    assert 0.02 < rejected <= 0.05


@settings(max_examples=60)
@given(
    st.floats(0.02, 0.98),
    st.lists(st.tuples(st.integers(0, 30), st.floats(0, 0.01)), min_size=1, max_size=20),
)
def test_no_look_spends_more_than_it_may(chance: float, steps: list[tuple[int, float]]) -> None:
    analyses, trials, rate = BinomialBoundaries(chance), 0, 0.0
    for step, more in steps:
        trials, rate = trials + step, rate + more
        limit = analyses.next_limit(trials, rate)
        assert analyses.spent <= rate + 1e-12
        assert limit.fewest is None or 0 < limit.fewest <= trials
        if limit.fewest is not None:
            at, below = (
                stats.binom.sf(fewest - 1, trials, chance)
                for fewest in (limit.fewest, limit.fewest - 1)
            )
            assert at - 1e-12 <= limit.level <= below + 1e-12


def test_with_many_trials_the_limits_are_those_of_the_normal_walk() -> None:
    times = (0.2, 0.4, 0.6, 0.8, 1.0)
    used = tuple(0.05 * spent(time, 15.6, FAIL) for time in times)
    trials = [round(100_000 * time) for time in times]
    _, found = limits(0.5, trials, used)
    z, exact = (
        [NormalDist().inv_cdf(1 - level) for level in each]
        for each in (levels(times, used), (limit.level for limit in found))
    )
    assert exact == pytest.approx(
        z, abs=0.03
    )  # one count more is 0.014, and its rest goes to the next look


@pytest.mark.parametrize(
    ("plan", "scores", "chances"),
    [
        (regression(units=16, margin=0.5, alpha=0.2), (-1.0, 0.0, 1.0), (0.4, 0.2, 0.4)),
        (floor(units=16, threshold=0.7, alpha=0.2), (0.0, 1.0), (0.3, 0.7)),
    ],
)
def test_other_scores_after_counts_keep_the_rate(
    plan: TestDesign, scores: list[float], chances: list[float]
) -> None:
    """Two units of three are half way to the null from the thirteenth on: then the looks to come
    share what is left.
    """
    random, wrong, runs = np.random.default_rng(41), 0, 400
    for _ in range(runs):
        values = random.choice(scores, p=chances, size=16)
        other = (np.arange(16) >= 12) & (random.random(16) < 2 / 3)
        values[other] = (values[other] + plan.fail_null) / 2
        test = HybridTest(plan)
        wrong += (test.update(values) or test.finish().decision) is Decision.FAIL
    assert 0.05 < wrong / runs <= 0.2 + 2 * math.sqrt(0.2 * 0.8 / runs)


def test_looks_in_parts_are_the_looks_at_once() -> None:
    scores = np.random.default_rng(3).choice((-1.0, 0.0, 1.0), p=(0.12, 0.8, 0.08), size=400)
    sizes = np.ones(400)
    whole, parts = (InterimAnalyses(regression(units=400, margin=0.05)) for _ in range(2))
    whole.first(scores, scores, sizes, 0, 400)
    for begin, end in itertools.pairwise((0, 7, 10, 55, 300, 400)):
        parts.first(scores[:end], scores[:end], sizes[:end], begin, end)
    assert whole.last(scores, scores, sizes, final=True) == parts.last(
        scores, scores, sizes, final=True
    )
