"""Planning: published tables, exact enumeration, and what a simulated gate really needs."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmeval.core.results import Decision
from llmeval.stats.estimation.paired import mcnemar_worse
from llmeval.stats.power import (
    Discordance,
    cases_to_detect,
    detectable_shift,
    discordance,
    gate_cases,
    judged_discordance,
    mcnemar_power,
    more_cases,
    neyman_allocation,
    optimal_repeats,
    paired_cases,
    pairs_for_shift,
    same_model_discordance,
    unpaired_cases,
)
from llmeval.stats.sequential.design import regression
from llmeval.stats.sequential.gate_test import decide


@pytest.mark.parametrize(
    ("drop", "correlation", "at_80", "at_90"),
    [
        (0.02, 0.5, 2504, 3481),
        (0.03, 0.5, 1120, 1559),
        (0.03, 0.8, 449, 625),
        (0.05, 0.5, 408, 570),
        (0.1, 0.5, 105, 147),
    ],
)
def test_cases_to_detect_a_drop(drop: float, correlation: float, at_80: int, at_90: int) -> None:
    """The design's table (base .8, one-sided .05)."""
    assert cases_to_detect(drop, 0.8, correlation) == at_80
    assert cases_to_detect(drop, 0.8, correlation, power=0.9) == at_90


def test_unpaired_cases_are_those_of_statsmodels() -> None:
    # statsmodels 0.15.0 NormalIndPower, effect .05/sqrt(.16), power .8, one-sided: 791.37.
    assert unpaired_cases(0.05) == 792
    assert (unpaired_cases(0.03), unpaired_cases(0.03, power=0.9)) == (2199, 3045)


@pytest.mark.parametrize(
    ("drop", "powers"),
    [
        (0.03, (13, 22, 30, 45, 72, 94)),
        (0.05, (25, 46, 62, 82, 98, 100)),
        (0.1, (68, 94, 99, 100, 100, 100)),
    ],
)
def test_exact_power_of_mcnemar(drop: float, powers: tuple[int, ...]) -> None:
    """The design's simulated table, to a point."""
    actual = discordance(0.8, drop, 0.5)
    for n, expected in zip((100, 200, 300, 500, 1000, 2000), powers, strict=True):
        assert 100 * mcnemar_power(n, actual) == pytest.approx(expected, abs=1.0)


@pytest.mark.parametrize("n", [8, 25])
def test_exact_power_by_enumeration(n: int) -> None:
    actual = Discordance(0.3, 0.1)
    expected = sum(
        math.comb(n, w) * math.comb(n - w, b) * 0.3**w * 0.1**b * 0.6 ** (n - w - b)
        for w in range(n + 1) for b in range(n + 1 - w) if mcnemar_worse(w, b) <= 0.05
    )  # fmt: skip
    assert mcnemar_power(n, actual) == pytest.approx(expected, rel=1e-9)
    assert mcnemar_power(n, Discordance(0.0, 0.0)) == 0.0


@settings(max_examples=40)
@given(st.floats(0.05, 0.95), st.floats(-0.04, 0.04), st.floats(0, 1))
def test_discordance_has_the_rates_it_was_made_from(
    base: float, drop: float, correlation: float
) -> None:
    found = discordance(base, drop, correlation)
    assert found.worse - found.better == pytest.approx(drop, abs=1e-12)
    assert min(found) >= 0
    assert base - found.worse >= -1e-12
    with pytest.raises(ValueError, match=r"\[0, 1\]"):
        discordance(0.02, 0.05, 0.5)


@pytest.mark.parametrize("shared", [0.0, 0.7])
def test_a_judges_discordance_by_simulation(shared: float) -> None:
    true = discordance(0.8, 0.05, 0.5)
    rng = np.random.default_rng(17)
    cell = rng.choice(
        4, p=[0.8 - true.worse, true.worse, true.better, 0.2 - true.better], size=400_000
    )
    sides = [cell <= 1, (cell == 0) | (cell == 2)]
    luck = [rng.random(400_000), rng.random(400_000)]
    luck[1] = np.where(rng.random(400_000) < shared, luck[0], luck[1])
    seen = [np.where(y, u >= 0.15, u < 0.1) for y, u in zip(sides, luck, strict=True)]
    found = judged_discordance(true, 0.8, 0.85, 0.9, shared)
    assert found.worse == pytest.approx((seen[0] & ~seen[1]).mean(), abs=2e-3)
    assert found.better == pytest.approx((~seen[0] & seen[1]).mean(), abs=2e-3)
    assert found.better - found.worse == pytest.approx(-0.05 * 0.75)


def test_two_runs_of_one_model_differ_on_coin_cases() -> None:
    """Beta(2, .5) pass rates, mean .8: 2ab/((a+b)(a+b+1)) = 22.9 %."""
    rates = [float(p) for p in np.random.default_rng(18).beta(2, 0.5, 200_000)]
    assert same_model_discordance(rates) == pytest.approx(2 * 2 * 0.5 / (2.5 * 3.5), abs=2e-3)


def test_the_fixed_gate_of_the_design() -> None:
    assert gate_cases(0.05, 0.16, sequential=False) == 693
    assert gate_cases(0.05, 0.2247, youden=0.9, sequential=False) == 1201


def test_the_planned_number_of_cases_is_what_the_gate_needs() -> None:
    """At the planned n an unchanged candidate passes in 95 % of runs (and is not far from needing
    it: within 10 %).
    """
    n = gate_cases(0.1, 0.2)
    rng = np.random.default_rng(19)
    passed = sum(
        decide(
            regression(units=n, margin=0.1, discordance=0.2),
            list(rng.choice([-1.0, 0.0, 1.0], p=[0.1, 0.8, 0.1], size=n)),
        ).decision
        is Decision.PASS
        for _ in range(300)
    )
    assert 0.92 <= passed / 300 <= 0.985


def test_detectable_shift_inverts_the_number_of_cases() -> None:
    shift = detectable_shift(400, 0.1)
    assert shift == pytest.approx((1.959964 + 0.841621) * math.sqrt(0.1 / 400), rel=1e-5)
    assert detectable_shift(1, 1.0) == 1.0
    fewest = pairs_for_shift(0.05, 0.1)
    assert detectable_shift(fewest, 0.1) <= 0.05 < detectable_shift(fewest - 1, 0.1)
    null = Discordance(0.05, 0.05)
    assert paired_cases(null, Discordance(0.05 + shift, 0.05), 0.0, alpha=0.025) == pytest.approx(
        400, rel=0.5
    )
    with pytest.raises(ValueError, match="no number of cases"):
        paired_cases(null, null, 0.0)


def test_repeats_pay_only_when_cases_cost() -> None:
    assert optimal_repeats(5, 1.0, 1.0) == pytest.approx(2.2, abs=0.05)
    assert optimal_repeats(0, 1.0, 1.0) == 1.0
    assert optimal_repeats(20, 0.8, 0.2) == pytest.approx(8.9, abs=0.05)
    assert optimal_repeats(1, 1.0, 0.0) == math.inf


@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.integers(0, 500), st.floats(0, 0.5)), min_size=1, max_size=6),
    st.integers(6, 300),
)
def test_allocation_spends_exactly_what_there_is(
    strata: list[tuple[int, float]], total: int
) -> None:
    sizes, spreads = [float(s) for s, _ in strata], [sd for _, sd in strata]
    found = neyman_allocation(total, sizes, spreads)
    if any(sizes):
        assert sum(found) == total
        assert all((count > 0) == (size > 0) for count, size in zip(found, sizes, strict=True))


def test_allocation_goes_where_the_variance_is() -> None:
    assert neyman_allocation(100, [700, 100, 100, 100], [0.1, 0.5, 0.5, 0.1]) == pytest.approx(
        [38, 27, 27, 7], abs=2
    )
    with pytest.raises(ValueError, match="can't reach"):
        neyman_allocation(1, [5, 5], [0.5, 0.5])


def test_more_cases_for_the_nearer_verdict() -> None:
    assert (
        more_cases(1000, -0.02, 0.16, 0.0, -0.05, 0.025)
        == math.ceil(1.959964**2 * 0.16 / 0.03**2) - 1000
        or 1
    )
    assert more_cases(100, -0.02, 0.16, 0.0, -0.05, 0.025) == 583
    assert more_cases(100, 0.8, 0.16, 0.8, 0.8, 0.025) is None
