"""People's difference from labels of pairs drawn by class: closed forms, and error rates where the
judge hides the drop.
"""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from llmeval.stats.estimation.labelled_difference import (
    LabelledPairs,
    LabelledStratum,
    lower_limit,
    p_at_most,
    shares,
    stratified_difference,
    with_clusters,
    worth,
)
from llmeval.stats.estimation.paired import PairCounts

MONTE_CARLO = 0.009
"""Four standard errors of a p-value of .05 from 10,000 weightings."""


def stratum(pairs: int, worse: int, same: int, better: int) -> LabelledStratum:
    counts = PairCounts(worse, same, better)
    return LabelledStratum(pairs, counts, counts)


FOUR = LabelledPairs(
    (stratum(150, 1, 24, 1), stratum(16, 5, 4, 0), stratum(20, 0, 5, 6), stratum(14, 0, 4, 0))
)


def test_a_cluster_counts_as_one_pair_where_all_of_it_is_labelled() -> None:
    pairs = LabelledPairs((stratum(1000, 0, 60, 0), stratum(500, 0, 30, 0)))
    spread = with_clusters(pairs, list(range(1500)), [list(range(60)), list(range(60, 90))])
    assert spread == pairs
    places = [[i // 4 for i in range(60)], [20 + i for i in range(30)]]
    joined = with_clusters(pairs, [i // 10 for i in range(1500)], places)
    assert [each.effect for each in joined.strata] == pytest.approx([4, 3], abs=0.01)
    assert joined.effect == 10
    assert p_at_most(joined, -0.1) > p_at_most(pairs, -0.1)
    whole = with_clusters(pairs, [0] * 1500, [[0] * 60, [0] * 30])
    assert p_at_most(whole, -0.1) > 0.3, "one cluster shows nothing"


def test_the_estimate_is_the_weighted_mean_of_the_classes() -> None:
    expected = (150 * 0 + 16 * (-5 / 9) + 20 * (6 / 11) + 14 * 0) / 200
    assert stratified_difference(FOUR) == pytest.approx(expected)
    diluted = FOUR._replace(same=100)
    assert stratified_difference(diluted) == pytest.approx(expected * 200 / 300)


def test_the_estimate_is_that_of_horvitz_and_thompson() -> None:
    """Every labelled pair stands for 1 / (n_s / N_s) pairs."""
    weighted = sum(
        (each.least.better - each.least.worse) / (each.labelled / each.pairs)
        for each in FOUR.strata
    )
    assert stratified_difference(FOUR) == pytest.approx(weighted / FOUR.total)


@pytest.mark.parametrize(("worse", "n", "null"), [(0, 59, 0.05), (3, 83, 0.1), (0, 29, 0.1)])
def test_one_class_is_the_exact_binomial_test(worse: int, n: int, null: float) -> None:
    """Clopper and Pearson: P(X <= worse) at the null."""
    one = LabelledPairs((stratum(10_000_000, worse, n - worse, 0),))
    expected = float(stats.binom.cdf(worse, n, null))
    assert p_at_most(one, -null) == pytest.approx(expected, abs=MONTE_CARLO)
    limit = -float(stats.beta.ppf(0.95, worse + 1, n - worse))
    assert lower_limit(one, 0.05) == pytest.approx(limit, abs=0.004)


def test_too_few_pairs_without_a_difference_do_not_pass() -> None:
    """.95^52 = 6.9 %, .95^59 = 4.8 %."""
    few, enough = (LabelledPairs((stratum(10_000_000, 0, n, 0),)) for n in (52, 59))
    assert p_at_most(few, -0.05) > 0.05
    assert p_at_most(enough, -0.05) <= 0.05


def test_the_bound_is_where_the_test_begins_to_reject() -> None:
    low = lower_limit(FOUR, 0.05)
    assert p_at_most(FOUR, low - 1e-9) <= 0.05 < p_at_most(FOUR, low + 1e-4)


def test_what_is_missing_counts_against_each_claim() -> None:
    known = stratum(100, 2, 40, 2)
    open_ = LabelledStratum(100, PairCounts(6, 36, 2), PairCounts(2, 36, 6))
    for pairs in (LabelledPairs((open_,)), LabelledPairs((known,), missing=5)):
        whole = LabelledPairs((known,))
        assert lower_limit(pairs, 0.05) < lower_limit(whole, 0.05)
        assert lower_limit(pairs.turned(), 0.05) < lower_limit(whole.turned(), 0.05)
    unlabelled = LabelledPairs(
        (known, LabelledStratum(50, PairCounts(0, 0, 0), PairCounts(0, 0, 0)))
    )
    assert lower_limit(unlabelled, 0.05) < -50 / 150


def test_equal_texts_need_no_label() -> None:
    one = LabelledPairs((stratum(50, 0, 20, 0),))
    assert lower_limit(one._replace(same=450), 0.05) == pytest.approx(
        lower_limit(one, 0.05) / 10, rel=0.15
    )


def test_turning_the_pairs_mirrors_the_estimate() -> None:
    assert stratified_difference(FOUR.turned()) == pytest.approx(-stratified_difference(FOUR))
    assert FOUR.turned().turned() == FOUR


def test_worth_is_the_ratio_of_variances() -> None:
    """A judge that is right: the classes tell everything, and few labels are worth all cases. One
    that says nothing: a label is worth a case.
    """
    right = LabelledPairs(
        (
            stratum(800, 0, 50, 0),
            stratum(50, 50, 0, 0),
            stratum(50, 0, 0, 50),
            stratum(100, 0, 50, 0),
        )
    )
    assert worth(right) > 2 * 200
    assert worth(LabelledPairs((stratum(1000, 5, 90, 5),))) == pytest.approx(101, abs=1)
    assert worth(LabelledPairs((), same=10)) == 0


@settings(max_examples=60)
@given(
    sizes=st.lists(st.integers(0, 300), min_size=4, max_size=4).filter(any),
    pairs=st.integers(1, 400),
)
def test_shares_use_all_that_was_ordered(sizes: list[int], pairs: int) -> None:
    made = shares(sizes, (0.2, 0.5, 0.5, 0.4), pairs)
    assert sum(made) == min(pairs, sum(sizes))
    assert all(0 <= number <= size for number, size in zip(made, sizes, strict=True))


def test_shares_are_those_of_neyman() -> None:
    assert shares([146, 24, 16, 14], (0.2, 0.5, 0.5, 0.4), 50) == [27, 11, 7, 5]


@pytest.mark.parametrize("hides", [0, 1, 3])
def test_wrong_passes_are_rare_whichever_class_hides_the_drop(hides: int) -> None:
    """A drop of 10 points within one class, 200 tries."""
    source, weights = np.random.default_rng(hides), np.array([0.66, 0.12, 0.1, 0.12])
    tries, wrong = 200, 0
    for _ in range(tries):
        sizes = source.multinomial(300, weights)
        strata = []
        for place, (size, drawn) in enumerate(
            zip(sizes, shares(sizes.tolist(), (0.2, 0.5, 0.5, 0.4), 60), strict=True)
        ):
            worse = int(source.binomial(drawn, min(1.0, 0.1 / weights[place]) * (place == hides)))
            strata.append(stratum(int(size), worse, drawn - worse, 0))
        wrong += p_at_most(LabelledPairs(tuple(strata)), -0.1) <= 0.05
    assert wrong <= tries * (0.05 + 2.5 * math.sqrt(0.05 * 0.95 / tries))
