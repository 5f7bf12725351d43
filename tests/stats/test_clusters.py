"""Repeats and clusters, against statsmodels."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmeval.stats.estimation.clusters import clustered_mean, per_case, units

VALUES = [0.3, 0.1, 0.5, 0.9, 0.4, 0.7, 0.2, 0.8, 0.6, 0.55]
GROUPS = [0, 0, 1, 1, 2, 2, 2, 3, 3, 4]


def test_the_clustered_error_is_that_of_statsmodels() -> None:
    # statsmodels 0.15.0: OLS on a constant, cov_type="cluster", use_correction=True; and the plain
    # one.
    found = clustered_mean(VALUES, GROUPS)
    assert found.mean == pytest.approx(0.505)
    assert found.se == pytest.approx(0.09516762, abs=1e-8)
    assert found.df == 4
    alone = clustered_mean(VALUES)
    assert alone.se == pytest.approx(0.08180261, abs=1e-8)
    assert alone.effect == pytest.approx(1.0)
    assert found.effect == pytest.approx((0.09516762 / 0.08180261) ** 2, rel=1e-6)


def test_one_cluster_says_nothing_about_other_clusters() -> None:
    assert clustered_mean(VALUES, ["a"] * 10).se == math.inf


def test_copies_of_a_case_add_nothing() -> None:
    """Each case twice in its cluster: the same error as the cases alone."""
    copies = [value for value in VALUES for _ in range(2)]
    found = clustered_mean(copies, [i // 2 for i in range(20)])
    assert found.se == pytest.approx(clustered_mean(VALUES).se)


def test_repeats_become_one_value_a_case() -> None:
    assert per_case([("a", 1.0), ("b", 0.0), ("a", 0.0), ("a", 1.0)]) == {
        "a": pytest.approx(2 / 3),
        "b": 0.0,
    }


def test_units_keep_order_and_take_none_as_a_case_of_its_own() -> None:
    values, sizes = units([1.0, 0.0, 0.5, 1.0], ["x", None, "x", None])
    assert list(values) == [0.75, 0.0, 1.0]
    assert list(sizes) == [2, 1, 1]
    with pytest.raises(ValueError, match="4 values but 1 clusters"):
        units([1, 0, 1, 0], ["x"])


@settings(max_examples=40)
@given(st.lists(st.tuples(st.floats(0, 1), st.integers(0, 5)), min_size=1, max_size=40))
def test_units_hold_the_same_total(rows: list[tuple[float, int]]) -> None:
    values, sizes = units([value for value, _ in rows], [group for _, group in rows])
    assert sizes.sum() == len(rows)
    assert float(values @ sizes) == pytest.approx(sum(value for value, _ in rows))
    assert len(values) == len({group for _, group in rows})


def test_a_mean_needs_values() -> None:
    with pytest.raises(ValueError, match="at least one"):
        clustered_mean([])
