"""The distribution of randomly weighted sums, against the beta distribution it is for two
values.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import betaincc

from llmeval.stats.tests.gaffke import p_at_least, positive_probability, upper_mean


@settings(max_examples=40)
@given(st.integers(1, 1500), st.data(), st.floats(0.01, 0.99))
def test_scores_of_0_and_1_give_the_exact_binomial_p_value(
    n: int, data: st.DataObject, null: float
) -> None:
    k = data.draw(st.integers(0, n - 1))
    scores = np.append(np.ones(k), np.zeros(n - k))
    expected = betaincc(k + 1, n - k, null)
    assert p_at_least(scores, np.ones(n), null, 1.0) == pytest.approx(expected, rel=2e-3, abs=1e-10)


def test_sizes_count_as_so_many_equal_shares() -> None:
    """Two clusters of 3 and 1: E1 * 3 * (x1 - m) + E2 * (x2 - m) + E0 * 3 * (1 - m) > 0, drawn."""
    values, sizes, null = np.array([0.2, 0.6]), np.array([3.0, 1.0]), 0.7
    draws = np.random.default_rng(3).exponential(size=(500_000, 3))
    expected = (draws @ np.array([3 * (0.2 - null), 0.6 - null, 3 * (1 - null)]) > 0).mean()
    assert p_at_least(values, sizes, null, 1.0) == pytest.approx(expected, abs=3e-3)


@pytest.mark.parametrize(
    ("weights", "expected"), [([1.0, 2.0], 1.0), ([-1.0], 0.0), ([0.0], 0.0), ([1.0, -1.0], 0.5)]
)
def test_sums_with_a_known_sign(weights: list[float], expected: float) -> None:
    assert positive_probability(np.array(weights), np.ones(len(weights))) == pytest.approx(
        expected, abs=1e-9
    )


@settings(max_examples=40)
@given(st.lists(st.floats(-1, 1), min_size=1, max_size=20), st.sampled_from([0.01, 0.05, 0.2]))
def test_the_bound_inverts_the_p_value(values: list[float], alpha: float) -> None:
    scores, sizes = np.array(values), np.ones(len(values))
    bound = upper_mean(scores, sizes, 1.0, alpha)
    assert scores.mean() - 1e-6 <= bound <= 1
    if bound < 1 - 1e-5:
        assert p_at_least(scores, sizes, bound + 1e-5, 1.0) <= alpha + 1e-9
        assert p_at_least(scores, sizes, bound - 1e-5, 1.0) >= alpha - 1e-9
