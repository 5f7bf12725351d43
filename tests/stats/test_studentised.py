"""Clustered means: Student's t against scipy, the bootstrap against the definition."""

import math

import numpy as np
import pytest
from scipy import stats

from llmeval.stats.tests.studentised import ENOUGH, both_sides, lower_mean, p_at_most, studentise

RNG = np.random.default_rng(5)
MANY = RNG.normal(0.03, 0.2, 150)
SIZES = np.ones(150)


def test_the_larger_p_value_of_two_tests_counts() -> None:
    found = studentise(MANY, SIZES)
    by_t = stats.ttest_1samp(MANY, 0.0, alternative="greater").pvalue
    ratio = MANY.mean() / (MANY.std(ddof=1) / math.sqrt(150))
    by_bootstrap = (1 + (found.bootstrap >= ratio).sum()) / 1000
    assert p_at_most(found, 0.0) == pytest.approx(max(by_t, by_bootstrap))


def test_the_bootstrap_is_studentised_by_each_draw() -> None:
    """Its spread is that of a studentised mean, not of the mean."""
    found = studentise(MANY, SIZES)
    assert len(found.bootstrap) == 999
    assert found.bootstrap.std() == pytest.approx(1.0, abs=0.1)
    assert np.all(np.diff(found.bootstrap) >= 0)


def test_each_draws_error_is_that_of_its_own_sample() -> None:
    """100 clusters at -1 and 1: a draw with mean m has the error sqrt((1 - m^2) / 99), so ratios
    lie on a known grid.
    """
    found = studentise(np.array([-1.0, 1.0] * 50), np.ones(100))
    means = np.arange(-98, 99, 2) / 100
    grid = means / np.sqrt((1 - means**2) / 99)
    assert np.abs(found.bootstrap[:, None] - grid).min(axis=1).max() < 1e-9


def test_few_clusters_get_one_more_against_the_claim() -> None:
    few = MANY[:40]
    found = studentise(few, np.ones(40))
    residuals = few - few.mean()
    extended = np.append(residuals, -np.abs(residuals).max()) + few.mean()
    assert len(few) < ENOUGH
    assert found.mean == pytest.approx(extended.mean())
    assert found.se == pytest.approx(extended.std(ddof=1) / math.sqrt(41))


def test_both_sides_mirror() -> None:
    for values in (MANY, MANY[:40]):
        above, below = both_sides(values, np.ones(len(values)))
        other = studentise(-values, np.ones(len(values)))
        assert below.mean == pytest.approx(other.mean)
        assert below.se == pytest.approx(other.se)
        assert lower_mean(above, 0.025) < values.mean() < -lower_mean(below, 0.025)


@pytest.mark.parametrize("alpha", [0.01, 0.025, 0.05, 0.2])
def test_the_bound_inverts_the_test(alpha: float) -> None:
    found = studentise(MANY, SIZES)
    bound = lower_mean(found, alpha)
    assert p_at_most(found, bound - 1e-6) <= alpha
    assert p_at_most(found, bound + 1e-4) > alpha


def test_sizes_weigh_clusters_by_their_cases() -> None:
    sizes = np.array([1.0, 3.0] * 75)
    assert studentise(MANY, sizes).mean == pytest.approx(float(sizes @ MANY) / sizes.sum())


def test_agreeing_clusters_show_nothing_here() -> None:
    found = studentise(np.zeros(120), np.ones(120))
    assert p_at_most(found, -0.05) == 1.0
    assert lower_mean(found, 0.05) == -math.inf


def test_more_confidence_than_draws_shows_nothing() -> None:
    assert lower_mean(studentise(MANY, SIZES), 1e-5) == -math.inf
