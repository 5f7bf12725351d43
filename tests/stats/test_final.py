"""Which final test a kind of data gets, and its size at the limit by exact enumeration."""

import math

import numpy as np
import pytest

from llmeval.stats.tests.fixed_sample import FEW_CLUSTERS, Nulls, are_few, final_test

PAIRED = Nulls(0.0, -0.1, -1.0, 1.0, 0.05, 0.05)
SCORES = Nulls(0.6, 0.6, 0.0, 1.0, 0.05, 0.05)


def test_each_kind_of_data_gets_its_test() -> None:
    rng = np.random.default_rng(10)
    ones, many = np.ones(50), FEW_CLUSTERS + 10
    signs, scores = rng.choice([-1.0, 0.0, 1.0], 50), rng.random(50)
    assert final_test(signs, ones, PAIRED).method == "exact McNemar and exact margin test"
    assert final_test(rng.choice([0.0, 1.0], 50), ones, SCORES).method == "exact binomial test"
    assert final_test(scores, ones, SCORES).method == "simplex test"
    assert (
        final_test(rng.random(many), np.full(many, 4.0), SCORES).method
        == "cluster t and bootstrap-t"
    )
    assert final_test(rng.random(10), np.full(10, 4.0), SCORES).method == "simplex test"
    with pytest.raises(ValueError, match="at least one unit"):
        final_test(np.zeros(0), np.zeros(0), SCORES)


def test_clusters_that_all_agree_are_not_taken_as_proof() -> None:
    """40 clusters of 5, no difference anywhere: the studentised error is 0, and the simplex test
    decides instead.
    """
    side = final_test(np.zeros(40), np.full(40, 5.0), PAIRED)
    assert side.method == "simplex test"
    assert side.p_pass == pytest.approx(0.9**40, rel=1e-3)


def test_the_bound_never_promises_more_than_the_exact_test() -> None:
    """Four worse of 100, none better: the score test puts the upper bound below 0, the exact
    p-value is 1/16.
    """
    side = final_test(np.array([-1.0] * 4 + [0.0] * 96), np.ones(100), PAIRED)
    assert side.p_fail == pytest.approx(1 / 16)
    assert side.high == 0.0


@pytest.mark.parametrize("margin", [0.05, 0.1])
def test_a_pass_needs_the_exact_test(margin: float) -> None:
    """No pair differs: PASS from the first n at which (1 - margin)^n allows it, not before."""
    nulls = PAIRED._replace(pass_=-margin)
    first = math.ceil(math.log(0.05 - 0.0005) / math.log(1 - margin))
    for n, passes in ((first - 1, False), (first, True)):
        side = final_test(np.zeros(n), np.ones(n), nulls)
        assert (side.p_pass <= 0.05) is passes
        assert (side.low >= -margin) is passes


def test_unequal_clusters_that_weigh_as_few_get_the_test_of_few() -> None:
    """One cluster holds half of the cases: 101 clusters, as many as about 4 of equal size."""
    rng = np.random.default_rng(12)
    values = rng.choice([-1.0, 0.0, 1.0], 101, p=[0.1, 0.8, 0.1])
    sizes = np.append(500.0, np.full(100, 5.0))
    assert are_few(sizes) and not are_few(np.full(101, 5.0)) and are_few(np.full(29, 5.0))
    assert final_test(values, sizes, PAIRED).method == "simplex test"
    assert final_test(values, np.full(101, 5.0), PAIRED).method == "cluster t and bootstrap-t"


def test_clustered_scores_are_tested_safely_where_the_limit_is_near() -> None:
    """Floor .95: failing it by the simplex test (1 is near), passing it by the studentised one."""
    rng = np.random.default_rng(11)
    values = rng.choice([1.0, 0.8, 0.6], p=[0.8, 0.15, 0.05], size=120)
    nulls = Nulls(0.95, 0.95, 0.0, 1.0, 0.05, 0.05)
    side = final_test(values, np.full(120, 5.0), nulls)
    lower = final_test(1 - values, np.full(120, 5.0), Nulls(0.05, 0.05, 0.0, 1.0, 0.05, 0.05))
    assert side.p_fail == pytest.approx(lower.p_pass, rel=1e-6)
    assert side.p_pass == pytest.approx(lower.p_fail, rel=1e-6)
