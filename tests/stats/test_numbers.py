"""Percentiles and means of numbers without an upper end: closed forms, and levels on skewed data."""

import math

import numpy as np
import pytest

from llmeval.stats.estimation.quantiles import (
    order_numbers,
    quantile_bounds,
    sample_quantile,
    smallest_sample,
)
from llmeval.stats.estimation.skewed_mean import skewed_bounds, too_few
from llmeval.stats.tests.number_ratio import PairedNumbers, p_smaller, ratio_bounds, ratio_of


def binomial_at_most(k: int, n: int, q: float) -> float:
    return math.fsum(math.comb(n, i) * q**i * (1 - q) ** (n - i) for i in range(k + 1))


def pairs(
    before: list[float], now: list[float], clusters: list[int] | None = None
) -> PairedNumbers:
    names = clusters or list(range(len(now)))
    return PairedNumbers(np.array(before, float), np.array(now, float), tuple(names))


@pytest.mark.parametrize(
    ("q", "alpha", "n"), [(0.95, 0.05, 59), (0.95, 0.025, 72), (0.5, 0.05, 5), (0.99, 0.05, 299)]
)
def test_the_largest_value_is_a_bound_from_this_many_values_on(
    q: float, alpha: float, n: int
) -> None:
    assert smallest_sample(q, alpha) == n
    assert order_numbers(n, q, alpha)[1] == n
    assert order_numbers(n - 1, q, alpha)[1] is None
    assert quantile_bounds(list(range(n - 1)), q, alpha).high == math.inf


@pytest.mark.parametrize(("n", "q", "alpha"), [(40, 0.5, 0.05), (200, 0.95, 0.025), (7, 0.5, 0.05)])
def test_order_statistics_have_the_error_of_the_binomial(n: int, q: float, alpha: float) -> None:
    low, high = order_numbers(n, q, alpha)
    assert low is not None
    assert high is not None
    # P(the low-th value > quantile) = P(fewer than `low` values are at most the quantile)
    assert binomial_at_most(low - 1, n, q) <= alpha < binomial_at_most(low, n, q)
    assert 1 - binomial_at_most(high - 1, n, q) <= alpha < 1 - binomial_at_most(high - 2, n, q)


@pytest.mark.parametrize(("q", "expected"), [(0.5, 5), (0.95, 10), (0.9, 9), (0.1, 1), (0.11, 2)])
def test_a_sample_quantile_is_a_value(q: float, expected: float) -> None:
    assert sample_quantile([10, 1, 9, 2, 8, 3, 7, 4, 6, 5], q) == expected


def test_clusters_widen_the_bounds() -> None:
    values = [float(i // 10) for i in range(400)]  # all cases of a cluster are alike
    alone = quantile_bounds(values, 0.5, 0.025)
    clustered = quantile_bounds(values, 0.5, 0.025, [i // 10 for i in range(400)])
    assert clustered.low < alone.low <= 20 <= alone.high < clustered.high


def test_a_mean_takes_thirty_units() -> None:
    assert too_few(list(range(29)))
    assert not too_few(list(range(30)))
    assert skewed_bounds([1.0] * 29, list(range(29)), 0.05) is None
    assert skewed_bounds([2.0] * 40, list(range(40)), 0.05) == (2.0, 2.0)


def test_a_single_shift_is_the_exact_test() -> None:
    """All pairs are faster by more than anything differs: at each threshold in the interval only
    the baseline exceeds it.
    """
    before, now = list(range(1, 201)), [value / 1000 for value in range(1, 201)]
    assert p_smaller(pairs(before, now), 0.5, 1.0, 0.05) <= 0.05
    assert p_smaller(pairs(before, now), 0.5, 1.0, 0.05, reverse=True) == 1.0
    assert p_smaller(pairs(now, before), 0.5, 1.0, 0.05, reverse=True) <= 0.05


def test_too_few_values_reject_nothing() -> None:
    fewest = smallest_sample(0.95, 0.25 * 0.05 / 2)
    for n, rejected in ((fewest - 1, False), (fewest, True)):
        found = p_smaller(
            pairs([100.0 + i for i in range(n)], [0.1 * i for i in range(n)]), 0.95, 1.0, 0.05
        )
        assert (found <= 0.05) is rejected


@pytest.mark.parametrize("q", [0.5, None])
def test_missing_values_are_the_worst_for_each_claim(q: float | None) -> None:
    before = [1.0 + i / 100 for i in range(200)]
    whole, lost = pairs(before, before), pairs(before, [*before[:190], *([math.nan] * 10)])
    worse = p_smaller(lost, q, 1.5, 0.05)
    assert p_smaller(whole, q, 1.5, 0.05) <= 0.05
    assert worse >= p_smaller(whole, q, 1.5, 0.05)
    half = pairs(before, [*before[:90], *([math.nan] * 110)])
    assert p_smaller(half, q, 1.1, 0.05) > 0.05
    assert p_smaller(half, q, 1.0, 0.05, reverse=True) > 0.05, "missing is not slow either"


def test_bounds_of_the_ratio_agree_with_the_test() -> None:
    rng = np.random.default_rng(1)
    before = rng.lognormal(0, 0.5, 300)
    found = pairs(before.tolist(), (before * rng.lognormal(0, 0.1, 300)).tolist())
    for q in (0.5, None):
        ratio = ratio_of(found, q)
        assert ratio is not None
        low, high = ratio_bounds(found, q, ratio, 0.025, 0.025)
        assert low < ratio < high
        assert p_smaller(found, q, high * 1.001, 0.025) <= 0.025
        assert p_smaller(found, q, low / 1.001, 0.025, reverse=True) <= 0.025
        assert p_smaller(found, q, ratio * 1.0001, 0.025) > 0.025


@pytest.mark.parametrize("q", [0.5, 0.95, None])
def test_levels_on_skewed_data(q: float | None) -> None:
    """400 runs a cell, seeded; `benchmarks/decisions_numbers.py` has 2,000 and more cells. All
    answers are slower by the margin: at most 5 % and two standard errors may PASS.
    """
    rng, runs, passed, failed = np.random.default_rng(5), 400, 0, 0
    for _ in range(runs):
        shared = rng.normal(size=130)
        one, two = (np.exp(1.0 * (0.7 * shared + 0.7 * rng.normal(size=130))) for _ in range(2))
        passed += p_smaller(pairs(one.tolist(), (1.2 * two).tolist()), q, 1.2, 0.05) <= 0.05
        failed += p_smaller(pairs(one.tolist(), two.tolist()), q, 1.0, 0.05, reverse=True) <= 0.05
    most = runs * (0.05 + 2 * math.sqrt(0.05 * 0.95 / runs))
    assert passed <= most
    assert failed <= most


def test_a_skewed_mean_is_not_claimed_too_small() -> None:
    """Student's t claims it in 12 % of the runs at a level of 5 %."""
    rng, runs, truth = np.random.default_rng(6), 400, math.exp(1.5**2 / 2)
    names, wrong, by_t = list(range(60)), 0, 0
    for _ in range(runs):
        values = rng.lognormal(0, 1.5, 60)
        bounds = skewed_bounds(values, names, 0.05)
        assert bounds is not None
        wrong += bounds.high < truth
        by_t += values.mean() + 1.671 * values.std(ddof=1) / math.sqrt(60) < truth
    assert wrong <= runs * 0.05 + 2 * math.sqrt(runs * 0.05 * 0.95)
    assert by_t > 2 * runs * 0.05
