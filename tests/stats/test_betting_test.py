"""The test by betting: its rates by enumeration of every outcome, and what it promises of bounds."""

import itertools
import math

import numpy as np
import pytest

from llmeval.core.results import Decision
from llmeval.stats.sequential.betting_test import BettingTest, sequential_test
from llmeval.stats.sequential.design import TestDesign, regression
from llmeval.stats.sequential.gate_test import HybridTest


def plan(units: int = 200, moment: float = 0.1, **more: float) -> TestDesign:
    found: dict[str, float] = {"margin": 0.1, **more}
    return regression(units=units, moment=moment, **found)  # type: ignore[arg-type]


def differences(seed: int, n: int, drop: float = 0.0, runs: int = 5) -> "np.ndarray":
    rng = np.random.default_rng(seed)
    easy = rng.beta(0.85, 0.15, n)
    return (rng.random(n) < easy * (1 - drop)) - rng.binomial(runs, easy) / runs


@pytest.mark.parametrize("moment", [0.001, 0.1, 0.9])
@pytest.mark.parametrize(
    ("values", "chances", "wrong"),
    [
        ((-0.8, 0.2), (0.2, 0.8), Decision.FAIL),
        ((-0.2, 0.8), (0.8, 0.2), Decision.FAIL),
        ((-1.0, 1.0), (0.5, 0.5), Decision.FAIL),
        ((-0.8, 0.2), (0.5, 0.5), Decision.PASS),
        ((-1.0, 0.2), (5 / 12, 7 / 12), Decision.PASS),
    ],
)
def test_the_rates_hold_exactly(
    values: tuple[float, float],
    chances: tuple[float, float],
    wrong: Decision,
    moment: float,
) -> None:
    """Every sequence of ten units, with its probability under the hypothesis: all bets and the test
    of the rest together reject no more often than stated, whatever the prior.
    """
    mean = sum(value * chance for value, chance in zip(values, chances, strict=True))
    margin = -mean if wrong is Decision.PASS else 0.3
    assert mean == pytest.approx(0 if wrong is Decision.FAIL else -margin)
    design = plan(10, moment, margin=margin, alpha=0.3, beta=0.3)
    found = 0.0
    for outcome in itertools.product((0, 1), repeat=10):
        test = BettingTest(design)
        test.update([values[each] for each in outcome])
        verdict = test.finish(bounds=False)
        rejected = verdict.p_fail <= 0.3 if wrong is Decision.FAIL else verdict.p_pass <= 0.3
        found += math.prod(chances[each] for each in outcome) * rejected
    assert 0 < found <= 0.3


def test_units_one_by_one_come_to_the_same() -> None:
    moved = differences(3, 200, drop=0.1)
    at_once, stepwise = BettingTest(plan()), BettingTest(plan())
    at_once.update(moved)
    for value in moved:
        if stepwise.update([value]) is not None:
            break
    one, two = at_once.finish(), stepwise.finish()
    assert (one.decision, one.units, one.component) == (two.decision, two.units, two.component)
    assert (one.p_fail, one.p_pass) == pytest.approx((two.p_fail, two.p_pass))


@pytest.mark.parametrize("drop", [0.0, 0.12, 0.5])
@pytest.mark.parametrize("seed", range(6))
def test_the_bounds_agree_with_the_decision(drop: float, seed: int) -> None:
    test = BettingTest(plan())
    test.update(differences(seed, 200, drop))
    verdict = test.finish()
    assert verdict.low <= verdict.estimate <= verdict.high
    assert (verdict.decision is Decision.FAIL) == (verdict.high <= 0)
    if verdict.decision is not Decision.FAIL:
        assert (verdict.decision is Decision.PASS) == (verdict.low >= -0.1)


def test_a_missing_result_is_the_worst_for_each_claim() -> None:
    moved = differences(1, 200)
    whole, holes = BettingTest(plan()), BettingTest(plan())
    whole.update(moved)
    moved[::10] = math.nan
    holes.update(moved)
    assert holes.finish().p_pass > whole.finish().p_pass
    assert holes.finish().p_fail > 0.05


def test_clusters_and_the_last_units() -> None:
    rng = np.random.default_rng(4)
    sizes = rng.integers(1, 6, 60)
    means = np.array([differences(seed, size).mean() for seed, size in enumerate(sizes)])
    design = regression(
        units=60, cases=int(sizes.sum()), largest=5, margin=0.2, moment=0.1, alpha=0.05
    )
    test = BettingTest(design)
    test.update(means, sizes)
    verdict = test.finish()
    assert verdict.decision is Decision.PASS
    assert verdict.cases == sizes[: verdict.units].sum()
    with pytest.raises(ValueError, match="a unit holds 1 to 5 cases"):
        BettingTest(design).update([0.0], [6])


def test_what_is_not_decided_by_bets_is_decided_by_the_rest() -> None:
    late = [
        verdict
        for seed in range(200)
        if (verdict := _finished(differences(seed, 100, drop=0.08))).component == "final"
    ]
    assert late, "some runs are decided by their last cases"
    assert all(verdict.units == 100 for verdict in late)
    assert all("of the last cases" in verdict.method for verdict in late)


def _finished(moved: "np.ndarray"):  # type: ignore[no-untyped-def]
    test = BettingTest(plan(len(moved)))
    test.update(moved)
    return test.finish()


def test_which_test_a_plan_asks_for() -> None:
    assert isinstance(sequential_test(plan()), BettingTest)
    assert isinstance(sequential_test(regression(units=200, margin=0.1)), HybridTest)
    once = regression(units=200, margin=0.1, moment=0.1, sequential=False)
    assert isinstance(sequential_test(once), HybridTest)
    with pytest.raises(ValueError, match="second moment must lie in"):
        plan(moment=0.0)
    with pytest.raises(ValueError, match="no result"):
        BettingTest(plan()).finish()
