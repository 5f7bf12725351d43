"""Paired tests, against statsmodels and against the likelihood itself."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmeval.stats.estimation.paired import (
    PairCounts,
    mcnemar,
    mcnemar_worse,
    pairs,
    tango,
    tango_z,
)


def test_counting_pairs() -> None:
    found = pairs([True, True, False, False, True], [True, False, True, False, False])
    assert found == PairCounts(worse=2, same=2, better=1)
    assert found.difference == pytest.approx(-0.2)
    with pytest.raises(ValueError, match="equally many"):
        pairs([True], [])


# statsmodels 0.15.0, mcnemar([[0, b], [c, 0]], exact=True).pvalue
@pytest.mark.parametrize(
    ("worse", "better", "expected"),
    [
        (15, 5, 0.04138946533203125),
        (3, 0, 0.25),
        (8, 8, 1.0),
        (40, 22, 0.030015864349067285),
        (0, 0, 1.0),
    ],
)
def test_two_sided_mcnemar_is_that_of_statsmodels(worse: int, better: int, expected: float) -> None:
    assert mcnemar(worse, better) == pytest.approx(expected, abs=1e-12)
    assert mcnemar(better, worse) == pytest.approx(expected, abs=1e-12)


@settings(max_examples=40)
@given(st.integers(0, 60), st.integers(0, 60))
def test_one_sided_mcnemar_is_a_binomial_tail(worse: int, better: int) -> None:
    m = worse + better
    expected = sum(math.comb(m, i) for i in range(worse, m + 1)) / 2**m
    assert mcnemar_worse(worse, better) == pytest.approx(expected, rel=1e-9)


def test_mcnemar_refuses_negative_counts() -> None:
    with pytest.raises(ValueError, match="negative"):
        mcnemar_worse(-1, 2)


def most_likely(counts: PairCounts, null: float) -> float:
    """P(worse) that maximises the trinomial likelihood with P(better) = P(worse) + null, by golden
    section.
    """

    def loss(q: float) -> float:
        shares = (q, 1 - 2 * q - null, q + null)
        return -sum(k * math.log(max(p, 1e-300)) for k, p in zip(counts, shares, strict=True) if k)

    low, high = max(0.0, -null), (1 - null) / 2
    ratio = (math.sqrt(5) - 1) / 2
    for _ in range(120):
        left, right = high - ratio * (high - low), low + ratio * (high - low)
        low, high = (low, right) if loss(left) < loss(right) else (left, high)
    return (low + high) / 2


@settings(max_examples=40)
@given(st.integers(0, 40), st.integers(0, 60), st.integers(0, 40), st.floats(-0.6, 0.6))
def test_tangos_statistic_uses_the_constrained_likelihood(
    worse: int, same: int, better: int, null: float
) -> None:
    counts = PairCounts(worse, same, better)
    if counts.n == 0:
        return
    q = most_likely(counts, null)
    variance = counts.n * (2 * q + null - null * null)
    if variance > 1e-3:
        expected = (better - worse - counts.n * null) / math.sqrt(variance)
        assert tango_z(counts, null) == pytest.approx(expected, rel=1e-4, abs=1e-4)


def test_tango_at_no_difference_is_the_usual_mcnemar_statistic() -> None:
    assert tango_z(PairCounts(15, 80, 5), 0.0) == pytest.approx((5 - 15) / math.sqrt(20))


@settings(max_examples=40)
@given(st.integers(0, 30), st.integers(1, 60), st.integers(0, 30))
def test_tangos_interval_is_what_the_score_test_does_not_reject(
    worse: int, same: int, better: int
) -> None:
    counts = PairCounts(worse, same, better)
    low, high = tango(counts, 0.95)
    assert -1 <= low <= counts.difference <= high <= 1
    mirrored = tango(PairCounts(better, same, worse), 0.95)
    assert (mirrored.low, mirrored.high) == pytest.approx((-high, -low), abs=1e-6)
    assert tango_z(counts, low) == pytest.approx(1.959964, abs=1e-3)
    assert tango_z(counts, high) == pytest.approx(-1.959964, abs=1e-3)


def test_no_differing_pair_still_leaves_doubt_about_a_drop() -> None:
    """Zero of n differ: z^2 = n M / (1 - M) for a margin M, not infinity."""
    assert tango_z(PairCounts(0, 100, 0), -0.05) == pytest.approx(
        math.sqrt(100 * 0.05 / 0.95), rel=1e-6
    )
