"""Beta quantiles against scipy and closed forms."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import betainc, betaincinv, stdtr, stdtrit

from llmeval.stats.special.beta import beta_cdf, beta_quantile, student_above, student_quantile

SHAPES = st.one_of(st.integers(1, 200), st.integers(1, 200_000), st.floats(0.5, 500))


@settings(max_examples=300)
@given(a=SHAPES, b=SHAPES, p=st.floats(1e-6, 1 - 1e-6))
def test_quantiles_are_scipys(a: float, b: float, p: float) -> None:
    assert beta_quantile(p, a, b) == pytest.approx(betaincinv(a, b, p), rel=1e-8, abs=1e-12)


@settings(max_examples=200)
@given(a=SHAPES, b=SHAPES, x=st.floats(0, 1))
def test_the_distribution_function_is_scipys(a: float, b: float, x: float) -> None:
    assert beta_cdf(x, a, b) == pytest.approx(betainc(a, b, x), rel=1e-7, abs=1e-12)


def test_closed_forms() -> None:
    assert beta_quantile(0.05, 10, 1) == pytest.approx(0.05 ** (1 / 10))
    assert beta_quantile(0.95, 1, 10) == pytest.approx(1 - 0.05 ** (1 / 10))
    assert beta_quantile(0.5, 7, 7) == pytest.approx(0.5)


@pytest.mark.parametrize("df", [1, 2, 29, 199, 5000])
def test_students_t_is_scipys(df: int) -> None:
    for ratio in (-3.0, 0.0, 0.7, 2.0, 30.0):
        assert student_above(ratio, df) == pytest.approx(stdtr(df, -ratio), rel=1e-8)
    for alpha in (0.3, 0.025, 1e-4, 1e-8, 0.9):
        assert student_quantile(alpha, df) == pytest.approx(stdtrit(df, 1 - alpha), rel=1e-7)
    assert student_quantile(0.5, df) == 0.0
