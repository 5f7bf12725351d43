"""Clustered means: Student's t against scipy, the bootstrap against the definition."""

import math

import numpy as np
import pytest
from scipy import stats

from llmeval.stats.tests.studentised import (
    ENOUGH,
    adds_one,
    both_sides,
    by_variance,
    effective_number,
    lower_mean,
    p_at_most,
    studentise,
)

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


UNEQUAL = np.append(np.full(110, 3.0), [20.0, 35.0, 60.0])


def test_the_effective_number_of_clusters() -> None:
    """(sum s)^2 / sum s^2 in closed form: one cluster of half the cases makes 101 weigh as 3.96."""
    assert effective_number(np.full(40, 7.0)) == pytest.approx(40)
    assert effective_number(np.append(500.0, np.full(100, 5.0))) == pytest.approx(1e6 / 252_500)
    assert by_variance(np.full(40, 7.0)) == pytest.approx(40)
    assert by_variance(UNEQUAL) < effective_number(UNEQUAL) < len(UNEQUAL)


def test_the_error_of_unequal_clusters_is_the_jackknifes() -> None:
    """CR3 is the error of the means that leave a cluster out: sqrt((G-1)/G sum (m_i - mean)^2)."""
    rng = np.random.default_rng(8)
    sizes = rng.choice([2.0, 3.0, 4.0], 400)
    values = rng.normal(0, 1, 400)
    found = studentise(values, sizes)
    whole = sizes.sum()
    without = (sizes @ values - sizes * values) / (whole - sizes)
    jackknife = math.sqrt(399 / 400 * ((without - without.mean()) ** 2).sum())
    assert not adds_one(sizes)
    assert found.se == pytest.approx(jackknife)
    assert found.df == pytest.approx(whole**2 / (sizes @ sizes) - 1)


def test_unequal_sizes_get_one_more_cluster_where_few_hold_the_variance() -> None:
    """Scaled down to a few large ones the normal theory would be too sure."""
    assert adds_one(UNEQUAL) and not adds_one(np.full(113, 3.0))
    rng = np.random.default_rng(9)
    values = rng.normal(0, 0.3, len(UNEQUAL))
    plain = (UNEQUAL @ values) / UNEQUAL.sum()
    assert studentise(values, UNEQUAL).mean < plain


def test_the_bootstrap_is_drawn_only_where_it_may_decide() -> None:
    found = studentise(MANY, SIZES)
    far = found.mean + found.se
    assert p_at_most(found, far, read_at=0.05) > 0.5
    assert "bootstrap" not in vars(found)
    p_at_most(found, found.mean - 9 * found.se, read_at=0.05)
    assert "bootstrap" in vars(found)
