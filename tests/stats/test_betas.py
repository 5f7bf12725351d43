"""The beta distribution over arrays against scipy."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.special import betainc, betaincinv

from llmeval.stats.special.beta_table import BetaTable, table

SHAPES = st.one_of(st.floats(0.3, 3), st.floats(0.3, 500), st.integers(1, 200_000))


@settings(max_examples=300, deadline=None)
@given(a=SHAPES, b=SHAPES, levels=st.lists(st.floats(1e-12, 1), min_size=1, max_size=20))
@example(0.3, 0.7, [1e-12, 1.0])
@example(1_000_000, 0.3, [1e-9, 0.5, 1.0])
def test_the_distribution_function_is_scipys(a: float, b: float, levels: list[float]) -> None:
    x = np.concatenate([betaincinv(a, b, levels), levels, [0.0]])
    assert BetaTable(a, b).cdf(x) == pytest.approx(betainc(a, b, x), abs=3e-9)


@settings(max_examples=300, deadline=None)
@given(a=SHAPES, b=SHAPES, levels=st.lists(st.floats(1e-7, 0.5), min_size=1, max_size=20))
@example(0.3, 0.3, [1e-7, 0.5])
@example(200_000, 300, [1e-7, 0.02, 0.5])
def test_quantiles_are_scipys(a: float, b: float, levels: list[float]) -> None:
    found = BetaTable(a, b).quantile(levels)
    assert found == pytest.approx(betaincinv(a, b, levels), abs=1e-6)
    assert betainc(a, b, found) == pytest.approx(levels, rel=1e-3), "in the tail, too"


def test_a_table_is_made_once() -> None:
    assert table(3.5, 2.5) is table(3.5, 2.5)
