"""Bounds of rates and means, against statsmodels, published tables and each other."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmeval.stats.estimation.bounds import (
    Interval,
    clopper_pearson,
    jeffreys,
    lower_bound,
    mean_bounds,
    smallest_n,
    upper_bound,
    wilson,
)

# statsmodels 0.15.0, proportion_confint(k, n, method=...): beta, wilson, jeffreys.
ORACLE = [
    (0, 10, (0.0, 0.3084971078), (0.0, 0.2775327999), (4.78904e-05, 0.2171962675)),
    (
        1,
        10,
        (0.0025285785, 0.445016117),
        (0.0178762131, 0.4041500268),
        (0.0110116738, 0.3813147711),
    ),
    (
        7,
        10,
        (0.3475471499, 0.9332604888),
        (0.3967781475, 0.8922087326),
        (0.3941816819, 0.9073054061),
    ),
    (
        95,
        100,
        (0.8871650889, 0.9835681208),
        (0.8882495308, 0.9784563208),
        (0.8938999261, 0.980668188),
    ),
    (
        980,
        1000,
        (0.9692799673, 0.987741732),
        (0.9693099948, 0.9870163171),
        (0.9698830929, 0.9873489557),
    ),
]


@pytest.mark.parametrize(("k", "n", "beta", "score", "prior"), ORACLE)
def test_two_sided_intervals_are_those_of_statsmodels(
    k: int,
    n: int,
    beta: tuple[float, float],
    score: tuple[float, float],
    prior: tuple[float, float],
) -> None:
    assert clopper_pearson(k, n) == pytest.approx(beta, abs=1e-9)
    assert wilson(k, n) == pytest.approx(score, abs=1e-9)
    if k:  # ours is [0, ...] at k = 0, as Brown, Cai and DasGupta modify it
        assert jeffreys(k, n) == pytest.approx(prior, abs=1e-9)
    else:
        assert jeffreys(k, n) == pytest.approx((0.0, prior[1]), abs=1e-9)


@pytest.mark.parametrize("n", [1, 5, 59, 1000])
def test_bounds_without_failures_have_a_closed_form(n: int) -> None:
    assert lower_bound(n, n, 0.05) == pytest.approx(0.05 ** (1 / n))
    assert upper_bound(0, n, 0.05) == pytest.approx(1 - 0.05 ** (1 / n))
    assert (lower_bound(0, n), upper_bound(n, n)) == (0.0, 1.0)


def test_no_cases_say_nothing() -> None:
    for interval in (clopper_pearson(0, 0), wilson(0, 0), jeffreys(0, 0), mean_bounds([])):
        assert interval == Interval(0.0, 1.0)


@pytest.mark.parametrize(
    ("threshold", "cases"),
    [
        (0.8, (14, 22, 30, 50)),
        (0.9, (29, 46, 61, 103)),
        (0.95, (59, 93, 124, 208)),
        (0.99, (299, 473, 628, 1049)),
    ],
)
def test_smallest_samples_for_0_1_2_and_5_failures(
    threshold: float, cases: tuple[int, ...]
) -> None:
    """Table of success-run sample sizes; the first column is ceil(ln .05 / ln threshold)."""
    assert tuple(smallest_n(threshold, failures) for failures in (0, 1, 2, 5)) == cases
    assert cases[0] == math.ceil(math.log(0.05) / math.log(threshold))


@settings(max_examples=40)
@given(st.integers(1, 300), st.data(), st.floats(0.001, 0.4))
def test_the_exact_bound_is_where_the_binomial_tail_is_alpha(
    n: int, data: st.DataObject, alpha: float
) -> None:
    k = data.draw(st.integers(1, n))
    bound = lower_bound(k, n, alpha)
    tail = sum(math.comb(n, i) * bound**i * (1 - bound) ** (n - i) for i in range(k, n + 1))
    assert tail == pytest.approx(alpha, rel=1e-6)
    assert upper_bound(n - k, n, alpha) == pytest.approx(1 - bound)


@settings(max_examples=40)
@given(st.integers(1, 200), st.data())
def test_another_pass_moves_every_bound_up(n: int, data: st.DataObject) -> None:
    k = data.draw(st.integers(0, n - 1))
    for interval in (clopper_pearson, wilson, jeffreys):
        before, after = interval(k, n), interval(k + 1, n)
        assert 0 <= before.low <= k / n <= before.high <= 1
        assert after.low > before.low - 1e-12
        assert after.high > before.high - 1e-12


@pytest.mark.parametrize(
    ("k", "n", "alpha"), [(2, 1, 0.05), (-1, 5, 0.05), (1, 5, 0.0), (1, 5, 1.0)]
)
def test_impossible_arguments_are_refused(k: int, n: int, alpha: float) -> None:
    with pytest.raises(ValueError, match="need 0 <= passed|error rate"):
        lower_bound(k, n, alpha)


def test_a_perfect_rate_can_not_be_shown() -> None:
    with pytest.raises(ValueError, match="0 < threshold < 1"):
        smallest_n(1.0)


def test_bounds_of_pass_and_fail_scores_are_exact() -> None:
    scores = [1.0] * 47 + [0.0] * 3
    assert mean_bounds(scores) == (lower_bound(47, 50), upper_bound(47, 50))


def test_bounds_of_other_scores_are_quantiles_of_random_weights() -> None:
    """The definition, by brute force: uniform weights on the simplex over the scores and one more 0
    or 1.
    """
    scores = np.array([0.2, 0.9, 0.95, 1.0, 0.7, 0.85, 0.6, 0.99])
    weights = np.random.default_rng(1).dirichlet(np.ones(9), 400_000)
    low, high = mean_bounds(list(scores), 0.05)
    assert low == pytest.approx(np.quantile(weights @ np.append(scores, 0), 0.05), abs=2e-3)
    assert high == pytest.approx(np.quantile(weights @ np.append(scores, 1), 0.95), abs=2e-3)


def test_bounds_of_many_scores_are_near_students_t() -> None:
    scores = np.random.default_rng(2).beta(4, 2, 2000)
    half = 1.645 * scores.std(ddof=1) / math.sqrt(len(scores))
    low, high = mean_bounds(list(scores), 0.05)
    assert low == pytest.approx(scores.mean() - half, abs=0.1 * half)
    assert high == pytest.approx(scores.mean() + half, abs=0.1 * half)


@settings(max_examples=40)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=30), st.sampled_from([0.001, 0.05, 0.3]))
def test_mean_bounds_enclose_the_mean_and_widen_with_confidence(
    scores: list[float], alpha: float
) -> None:
    low, high = mean_bounds(scores, alpha)
    mean = sum(scores) / len(scores)
    assert 0 <= low <= mean + 1e-6
    assert mean - 1e-6 <= high <= 1
    wider = mean_bounds(scores, alpha / 2)
    assert wider.low <= low + 2e-6
    assert wider.high >= high - 2e-6


def test_clusters_widen_the_bounds() -> None:
    scores = [1.0] * 90 + [0.0] * 10
    alone = mean_bounds(scores, 0.05)
    by_ten = mean_bounds(scores, 0.05, [i // 10 for i in range(100)])
    singles = mean_bounds(scores, 0.05, list(range(100)))
    assert singles == alone
    assert by_ten.low < alone.low
    assert by_ten.high > alone.high


@pytest.mark.parametrize("score", [-0.1, 1.1, math.nan])
def test_a_score_out_of_range_is_named(score: float) -> None:
    with pytest.raises(ValueError, match=r"\[0, 1\]"):
        mean_bounds([0.5, score])
