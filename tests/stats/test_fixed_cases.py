"""Tests about these very cases, beside closed forms, scipy and enumeration."""

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from llmeval.stats.tests.fixed_cases import (
    CaseRepeats,
    broken,
    fisher_fell,
    mean_change_bounds,
    p_no_case_fell,
    smallest_p,
    tarone_factor,
)


@pytest.mark.parametrize(
    ("case", "p"),
    [
        (CaseRepeats(4, 4, 0, 4), 1 / 70),  # the lady who tastes tea: Fisher 1935
        (CaseRepeats(3, 4, 1, 4), 17 / 70),
        (CaseRepeats(5, 5, 0, 5), 1 / 252),
        (CaseRepeats(5, 5, 5, 5), 1.0),
        (CaseRepeats(0, 5, 5, 5), 1.0),
        (CaseRepeats(1, 1, 0, 5), 1 / 6),
    ],
)
def test_fisher_in_closed_form(case: CaseRepeats, p: float) -> None:
    assert fisher_fell(case) == pytest.approx(p, rel=1e-12)


def test_fisher_is_scipys() -> None:
    for before, now in itertools.product(range(6), range(8)):
        table = [[now, 7 - now], [before, 5 - before]]
        theirs = stats.fisher_exact(table, alternative="less").pvalue
        assert fisher_fell(CaseRepeats(before, 5, now, 7)) == pytest.approx(theirs, rel=1e-9)


def test_the_smallest_p_value_is_the_least_that_a_total_allows() -> None:
    for total in range(11):
        ways = [(b, total - b) for b in range(6) if 0 <= total - b <= 5]
        least = min(fisher_fell(CaseRepeats(b, 5, n, 5)) for b, n in ways)
        assert all(smallest_p(CaseRepeats(b, 5, n, 5)) == pytest.approx(least) for b, n in ways)


@pytest.mark.parametrize(
    ("smallest", "factor"),
    [
        ([], 1),
        ([1.0] * 19 + [1 / 252], 1),
        ([0.004, 0.02, 0.03, 0.2], 2),
        ([0.001] * 5, 5),
        ([0.03, 0.03, 0.03], 2),
    ],
)
def test_tarones_factor(smallest: list[float], factor: int) -> None:
    assert tarone_factor(smallest, 0.05) == factor


def test_one_broken_case_among_twenty_is_named() -> None:
    cases = [CaseRepeats(5, 5, 5, 5)] * 20
    assert broken(cases, 0.05) == []
    cases[7] = CaseRepeats(5, 5, 0, 5)
    assert broken(cases, 0.0125) == [7]
    cases[3] = CaseRepeats(4, 5, 3, 5)  # could not reach the level: takes no share of it
    assert broken(cases, 0.0125) == [7]


def test_the_sum_over_cases_is_the_enumerated_one() -> None:
    cases = [CaseRepeats(3, 3, 1, 3), CaseRepeats(2, 3, 2, 3), CaseRepeats(1, 3, 0, 3)]
    seen, p = sum(case.now for case in cases), 0.0
    chances = [[(k, stats.hypergeom(6, case.passes, 3).pmf(k)) for k in range(4)] for case in cases]
    for way in itertools.product(*chances):
        if sum(k for k, _ in way) <= seen:
            p += math.prod(chance for _, chance in way)
    assert p_no_case_fell(cases) == pytest.approx(p, rel=1e-9)
    assert p_no_case_fell([cases[0]]) == pytest.approx(fisher_fell(cases[0]))


def test_the_bounds_are_clopper_and_pearsons() -> None:
    cases = [CaseRepeats(5, 5, 5, 5)] * 19 + [CaseRepeats(5, 5, 3, 5)]
    estimate, bounds = mean_change_bounds(cases, 0.05, 0.1)
    assert estimate == pytest.approx(-0.02)
    assert bounds.low == pytest.approx(stats.beta.ppf(0.05, 98, 3) - 1)
    assert bounds.high == pytest.approx(
        stats.beta.ppf(0.975, 99, 2) - stats.beta.ppf(0.025, 100, 1)
    )
    with pytest.raises(ValueError, match="same number"):
        mean_change_bounds([*cases, CaseRepeats(1, 1, 1, 1)], 0.05, 0.05)


def test_the_error_rates_hold_where_cases_differ() -> None:
    rng, level, runs = np.random.default_rng(11), 0.1, 600
    rates = np.array([1.0] * 6 + [0.9] * 3 + [0.6] * 3)
    named = fell = low = 0
    for _ in range(runs):
        before, now, worse = (rng.binomial(5, chance) for chance in (rates, rates, rates - 0.1))
        cases = [CaseRepeats(int(b), 5, int(n), 5) for b, n in zip(before, now, strict=True)]
        named += bool(broken(cases, level))
        fell += p_no_case_fell(cases) <= level
        drop = [CaseRepeats(int(b), 5, int(n), 5) for b, n in zip(before, worse, strict=True)]
        low += mean_change_bounds(drop, level, level)[1].low >= -0.1
    limit = runs * (level + 2 * math.sqrt(level * (1 - level) / runs))
    assert max(named, fell, low) <= limit
