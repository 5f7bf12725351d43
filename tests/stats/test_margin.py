"""The exact test of a margin, against closed forms and full enumeration."""

import math

import pytest

from llmeval.stats.estimation.bounds import clopper_pearson
from llmeval.stats.estimation.paired import PairCounts, tango, tango_z
from llmeval.stats.tests.margin import GAMMA, lower_limit, p_above

SHARES = [0.0005, 0.003, 0.01, 0.03, 0.06, 0.1, 0.15, 0.2, 0.3]
"""P(better) at the limit; P(worse) is that and the margin."""


def chance(counts: PairCounts, worse: float, better: float) -> float:
    """The trinomial probability of these counts."""
    ways = math.comb(counts.n, counts.worse) * math.comb(counts.n - counts.worse, counts.better)
    same = float(1 - worse - better) ** counts.same
    return ways * float(worse**counts.worse) * float(better**counts.better) * same


def outcomes(n: int) -> list[PairCounts]:
    """All outcomes of n pairs."""
    return [
        PairCounts(worse, n - worse - better, better)
        for worse in range(n + 1)
        for better in range(n + 1 - worse)
    ]


@pytest.mark.parametrize(
    ("n", "margin", "passes"),
    [(52, 0.05, False), (58, 0.05, False), (59, 0.05, True), (25, 0.1, False), (29, 0.1, True)],
)
def test_without_a_difference_the_p_value_is_a_power(n: int, margin: float, passes: bool) -> None:
    """None of n differ: under H0 at best (1 - margin)^n, where nothing ever gets better."""
    found = p_above(PairCounts(0, n, 0), -margin)
    assert found == pytest.approx((1 - margin) ** n + GAMMA * 0.05, abs=1e-9)
    assert (found <= 0.05) is passes


def test_no_smaller_number_of_pairs_passes_without_a_difference() -> None:
    """ln .05 / ln .95 = 58.4: the tables of zero-failure sampling (59 of 59 for 95/95)."""
    fewest = next(n for n in range(20, 100) if p_above(PairCounts(0, n, 0), -0.05) <= 0.05)
    assert fewest == math.ceil(math.log(0.05) / math.log(0.95)) == 59


@pytest.mark.parametrize(("n", "margin"), [(25, 0.1), (30, 0.05), (36, 0.1), (52, 0.05)])
def test_its_size_is_at_most_the_level_over_all_outcomes(n: int, margin: float) -> None:
    rejected = [each for each in outcomes(n) if p_above(each, -margin) <= 0.05]
    sizes = [sum(chance(each, better + margin, better) for each in rejected) for better in SHARES]
    assert max(sizes) <= 0.05
    if n > 25:
        assert max(sizes) > 0.03  # not safe by never rejecting


def test_the_score_test_alone_exceeds_its_level() -> None:
    """Why the exact test is there: none of 52 differ is a rejection by z, with size 6.9 %."""
    assert 0.5 * math.erfc(tango_z(PairCounts(0, 52, 0), -0.05) / math.sqrt(2)) < 0.05
    assert 0.95**52 > 0.069


@pytest.mark.parametrize(
    "counts", [PairCounts(3, 40, 4), PairCounts(1, 57, 2), PairCounts(6, 24, 8)]
)
def test_the_p_value_is_the_largest_over_the_shares(counts: PairCounts) -> None:
    """Summed outcome by outcome, over shares within the exact interval of how many differ."""
    null, n = -0.1, counts.n
    clear = [each for each in outcomes(n) if tango_z(each, null) >= tango_z(counts, null) - 1e-9]
    low, high = clopper_pearson(counts.worse + counts.better, n, 1 - GAMMA * 0.05)
    worse = [
        max(0.1, (low + 0.1) / 2) + (min(1.1, high + 0.1) / 2 - max(0.1, (low + 0.1) / 2)) * k / 200
        for k in range(201)
    ]
    largest = max(sum(chance(each, q, q - 0.1) for each in clear) for q in worse)
    assert p_above(counts, null) == pytest.approx(largest + GAMMA * 0.05, rel=1e-3)


@pytest.mark.parametrize(
    "counts", [PairCounts(20, 160, 20), PairCounts(0, 80, 0), PairCounts(9, 41, 2)]
)
@pytest.mark.parametrize("level", [0.05, 0.01])
def test_the_bound_is_where_the_test_begins_to_reject(counts: PairCounts, level: float) -> None:
    low = lower_limit(counts, level)
    assert p_above(counts, low - 1e-6, level) <= level
    assert p_above(counts, min(low + 2 / counts.n, -1e-9), level) > level
    assert low <= tango(counts, 1 - 2 * level).low + 1e-9


def test_a_bound_far_from_zero_needs_no_search() -> None:
    assert lower_limit(PairCounts(0, 10, 90), 0.05) > 0
    assert lower_limit(PairCounts(20, 0, 0), 0.05) == pytest.approx(-1, abs=1e-6)


@pytest.mark.parametrize(("n", "rise"), [(20, 0.02), (30, 0.05), (30, 0.1)])
def test_a_rise_can_be_required(n: int, rise: float) -> None:
    """A judge that may favour the candidate takes more than the whole margin: PASS needs a rise."""
    rejected = [each for each in outcomes(n) if p_above(each, rise) <= 0.05]
    sizes = [sum(chance(each, worse, worse + rise) for each in rejected) for worse in SHARES]
    assert 0.02 < max(sizes) <= 0.05


@pytest.mark.parametrize(("worse", "better"), [(0, 5), (1, 9), (4, 14)])
def test_two_nulls_in_the_middle_agree_with_enumeration(worse: int, better: int) -> None:
    """P(better) = P(worse) + null at a null of 0: half of the pairs that differ, as McNemar's."""
    n, counts = 30, PairCounts(worse, 30 - worse - better, better)
    clear = [each for each in outcomes(n) if tango_z(each, 0.0) >= tango_z(counts, 0.0) - 1e-9]
    low, high = clopper_pearson(worse + better, n, 1 - GAMMA * 0.05)
    shares = [(low + (high - low) * k / 200) / 2 for k in range(201)]
    largest = max(sum(chance(each, q, q) for each in clear) for q in shares)
    assert p_above(counts, 0.0) == pytest.approx(largest + GAMMA * 0.05, rel=2e-3)


def test_a_difference_is_at_most_the_whole() -> None:
    for null in (-1.0, 1.0):
        with pytest.raises(ValueError, match="must lie in"):
            p_above(PairCounts(1, 8, 1), null)
