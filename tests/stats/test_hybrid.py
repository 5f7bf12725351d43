"""The gate's test: its error rates, its legs, its limits."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from llmeval.core.results import Decision
from llmeval.stats.estimation.bounds import clopper_pearson
from llmeval.stats.estimation.paired import PairCounts, mcnemar_worse, tango
from llmeval.stats.sequential.design import TestDesign, floor, regression
from llmeval.stats.sequential.gate_test import HybridTest, decide, tipping_point
from llmeval.stats.sequential.interim_analyses import InterimAnalyses
from llmeval.stats.tests.margin import lower_limit

ONES = st.lists(st.sampled_from([-1.0, 0.0, 1.0]), min_size=1, max_size=120)


def pairs(worse: int, same: int, better: int, seed: int = 6) -> list[float]:
    values = np.array([-1.0] * worse + [0.0] * same + [1.0] * better)
    return list(np.random.default_rng(seed).permutation(values))


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ((60, 900, 60), Decision.PASS),
        ((150, 820, 30), Decision.FAIL),
        ((20, 160, 20), Decision.INCONCLUSIVE),
    ],
)
def test_three_outcomes(counts: tuple[int, int, int], expected: Decision) -> None:
    verdict = decide(regression(units=sum(counts), margin=0.05), pairs(*counts))
    assert verdict.decision is expected
    assert verdict.low <= verdict.estimate <= verdict.high


def test_without_early_stopping_fail_is_the_exact_mcnemar_test() -> None:
    plan = regression(units=200, margin=0.05, sequential=False)
    verdict = decide(plan, pairs(30, 155, 15))
    assert verdict.p_fail == pytest.approx(mcnemar_worse(30, 15))
    assert (verdict.component, verdict.method) == ("final", "exact McNemar and exact margin test")
    assert verdict.decision is Decision.FAIL


def test_without_early_stopping_a_floor_is_the_exact_binomial_test() -> None:
    plan = floor(units=100, threshold=0.9, sequential=False)
    verdict = decide(plan, [1.0] * 96 + [0.0] * 4)
    assert verdict.p_pass == pytest.approx(stats.binom.sf(95, 100, 0.9))
    assert verdict.p_fail == pytest.approx(stats.binom.cdf(96, 100, 0.9))
    assert (verdict.low, verdict.high) == pytest.approx(tuple(clopper_pearson(96, 100, 0.9)))
    assert verdict.decision is Decision.PASS


def test_bounds_at_the_end_are_those_of_the_last_look_at_its_level() -> None:
    plan = regression(units=200, margin=0.05, beta=0.1)
    values, analyses = pairs(20, 160, 20), InterimAnalyses(plan)
    verdict, scores = decide(plan, values), np.array(values)
    analyses.first(scores, scores, np.ones(200), 0, 200)
    _, level = analyses.last(scores, scores, np.ones(200), final=True) or (0, None)
    assert level is not None
    assert verdict.low == pytest.approx(lower_limit(PairCounts(20, 160, 20), level.pass_), abs=1e-6)
    assert verdict.high == pytest.approx(
        tango(PairCounts(20, 160, 20), 1 - 2 * level.fail).high, abs=1e-6
    )
    assert 0.035 < level.fail < 0.049 < level.pass_ < 0.098


@settings(max_examples=40)
@given(ONES, st.booleans(), st.sampled_from(["population", "suite"]))
def test_verdicts_agree_with_their_p_values_and_bounds(
    values: list[float], early: bool, target: str
) -> None:
    plan = regression(units=len(values), margin=0.3, sequential=early, target=target)  # type: ignore[arg-type]
    verdict = decide(plan, values)
    assert -1 <= verdict.low <= verdict.high <= 1
    assert (verdict.p_fail <= 0.05) == (
        verdict.decision is Decision.FAIL
    ) or verdict.decision is Decision.PASS
    if verdict.decision is Decision.PASS:
        assert verdict.p_pass <= 0.05
        assert verdict.low >= plan.pass_null - 1e-4
    if verdict.decision is Decision.FAIL:
        assert verdict.high <= plan.fail_null + 1e-4
    if verdict.decision is Decision.INCONCLUSIVE:
        assert verdict.component == ""


@settings(max_examples=40)
@given(ONES, st.integers(1, 30))
def test_online_and_all_at_once_agree(values: list[float], batch: int) -> None:
    plan = regression(units=len(values), margin=0.3)
    test = HybridTest(plan)
    for start in range(0, len(values), batch):
        if test.update(values[start : start + batch]) is not None:
            break
    online, together = test.finish(), decide(plan, values)
    assert (online.decision, online.units, online.component) == (
        together.decision,
        together.units,
        together.component,
    )
    assert (online.p_fail, online.low) == pytest.approx((together.p_fail, together.low))


def test_the_run_may_end_at_the_decision_and_the_rest_is_not_used() -> None:
    test = HybridTest(regression(units=1000, margin=0.05))
    assert test.update([0.0] * 10) is None
    assert test.update([-1.0] * 100) is Decision.FAIL
    used = test.used
    assert used < 60
    assert test.update([1.0] * 500) is Decision.FAIL
    verdict = test.finish()
    assert (verdict.decision, verdict.component, verdict.units) == (Decision.FAIL, "interim", used)
    assert verdict.high < 0


def test_a_run_cut_short_reads_no_final_test() -> None:
    """40 worse and 22 better of 400 FAIL at the end of 400; of 500 planned they are one look of
    many.
    """
    values = pairs(40, 338, 22)
    assert decide(regression(units=400, margin=0.05), values).decision is Decision.FAIL
    test = HybridTest(regression(units=500, margin=0.05))
    test.update(values)
    verdict = test.finish()
    assert (verdict.decision, verdict.component) == (Decision.INCONCLUSIVE, "")
    assert verdict.low <= verdict.estimate <= verdict.high


def test_lost_results_count_as_whatever_hurts_the_claim() -> None:
    """20 worse, 20 better of 1,000 PASS at 5 points; with 5 results lost still, with 60 of them any
    verdict is possible.
    """
    found = [
        decide(
            regression(units=1000 + lost, margin=0.05, sequential=False),
            pairs(20, 960, 20) + [math.nan] * lost,
        )
        for lost in (0, 5, 60)
    ]
    assert [verdict.decision for verdict in found] == [
        Decision.PASS,
        Decision.PASS,
        Decision.INCONCLUSIVE,
    ]
    assert found[0].low > found[1].low > found[2].low
    assert found[0].high < found[1].high < found[2].high


@settings(max_examples=40)
@given(ONES, st.integers(0, 5), st.booleans(), st.data())
def test_a_verdict_with_losses_holds_whatever_was_lost(
    values: list[float], lost: int, early: bool, data: st.DataObject
) -> None:
    plan = regression(units=len(values) + lost, margin=0.3, sequential=early)
    verdict = decide(plan, [math.nan] * lost + values)
    truth = data.draw(st.lists(st.sampled_from([-1.0, 0.0, 1.0]), min_size=lost, max_size=lost))
    if verdict.decision is not Decision.INCONCLUSIVE:
        assert decide(plan, truth + values).decision is verdict.decision


def test_a_cluster_that_lost_a_case_goes_by_its_limits() -> None:
    clusters = [i // 2 for i in range(40)]
    plan = regression(units=20, cases=40, largest=2, margin=0.2)
    whole = decide(plan, [0.0] * 40, clusters)
    broken = decide(plan, [math.nan] + [0.0] * 39, clusters)
    assert broken.low < whole.low
    assert broken.high > whole.high


def test_a_run_of_which_nothing_may_stop_early_shows_nothing_before_its_end() -> None:
    test = HybridTest(regression(units=100, margin=0.05, sequential=False))
    test.update([-1.0] * 99)
    assert test.finish().decision is Decision.INCONCLUSIVE
    test.update([-1.0])
    assert test.finish().decision is Decision.FAIL


def test_a_judge_scales_the_margin_and_its_uncertainty_is_paid_from_beta() -> None:
    plan = regression(units=1000, margin=0.05, j_lower=0.6, j_alpha=0.01)
    assert plan.pass_null == pytest.approx(-0.03)
    assert plan.rates == (0.05, pytest.approx(0.04))
    values = pairs(45, 910, 45)
    assert decide(regression(units=1000, margin=0.05), values).decision is Decision.PASS
    assert (
        decide(regression(units=1000, margin=0.05, j_lower=0.3), values).decision
        is Decision.INCONCLUSIVE
    )


def test_before_the_first_look_only_betting_decides_and_it_assumes_nothing() -> None:
    test = HybridTest(regression(units=3000, margin=0.05))
    assert test.update([-1.0] * 29) is Decision.FAIL
    assert (test.finish().component, test.used) == ("betting", 14)


def test_what_a_look_decides_does_not_depend_on_what_came_with_it() -> None:
    """A FAIL at the look after 20 of 1,000 units, fed by ones and with everything that follows."""
    values = [*pairs(9, 11, 0), *[1.0] * 400]
    ones, whole = (
        HybridTest(regression(units=1000, margin=0.05)),
        HybridTest(regression(units=1000, margin=0.05)),
    )
    for value in values:
        ones.update([value])
    whole.update(values)
    assert ones.finish() == whole.finish()
    assert (whole.used, whole.finish().component) == (20, "interim")


def test_equal_answers_pass_early() -> None:
    """Byte-equal answers have difference 0; none is worse, and the margin decides how many it
    takes.
    """
    verdict = decide(regression(units=1000, margin=0.05), [0.0] * 1000)
    assert verdict.decision is Decision.PASS
    assert verdict.units < 250


def test_scores_use_the_simplex_and_clusters_the_studentised_test() -> None:
    scores = [float(x) for x in np.random.default_rng(7).permutation([-0.6, 0.55] * 200)]
    verdict = decide(regression(units=400, margin=0.05), scores)
    assert verdict.method == "simplex test"
    clusters = [i // 4 for i in range(400)]
    plan = regression(units=100, cases=400, largest=4, margin=0.05)
    verdict = decide(plan, scores, clusters)
    assert (verdict.method, verdict.cases, verdict.units) == ("cluster t and bootstrap-t", 400, 100)
    few = regression(units=20, cases=400, largest=20, margin=0.05)
    assert decide(few, scores, [i // 20 for i in range(400)]).method == "simplex test"


def test_one_copy_more_of_every_case_does_not_make_a_verdict() -> None:
    """50 pairs that can't decide; each four times in its cluster they still can't, though 200
    independent ones would.
    """
    values = pairs(3, 45, 2)
    copies = [value for value in values for _ in range(4)]
    assert decide(regression(units=200, margin=0.1), copies).decision is Decision.PASS
    plan = regression(units=50, cases=200, largest=4, margin=0.1)
    verdict = decide(plan, copies, [i // 4 for i in range(200)])
    alone = decide(regression(units=50, margin=0.1), values)
    assert alone.decision is verdict.decision is Decision.INCONCLUSIVE


def test_the_suite_itself_is_decided_when_all_of_it_is_known() -> None:
    values = pairs(4, 30, 3)
    verdict = decide(regression(units=37, margin=0.1, target="suite"), values)
    assert verdict.decision in (Decision.PASS, Decision.FAIL)
    assert verdict.units <= 37


def test_tipping_point_is_the_distance_of_the_bound_from_its_limit() -> None:
    plan = regression(units=200, margin=0.05)
    passed, failed, open_ = (
        decide(plan, pairs(*c)) for c in ((3, 193, 4), (40, 150, 10), (20, 160, 20))
    )
    assert tipping_point(passed, plan) == pytest.approx(passed.low + 0.05)
    assert tipping_point(failed, plan) == pytest.approx(-failed.high)
    assert tipping_point(open_, plan) == 0.0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"margin": 0.0}, "margin"),
        ({"margin": 0.05, "j_lower": 0.0}, "judge"),
        ({"margin": 0.05, "alpha": 0.0}, "error rates"),
        ({"margin": 0.05, "j_alpha": 0.05}, "error rates"),
        ({"margin": 0.05, "cases": 5}, "sizes"),
    ],
)
def test_impossible_plans_are_refused(arguments: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        regression(units=10, **arguments)  # type: ignore[arg-type]


def test_what_does_not_fit_the_plan_is_refused() -> None:
    test = HybridTest(regression(units=3, margin=0.05))
    with pytest.raises(ValueError, match=r"\[-1, 1\]"):
        test.update([2.0])
    with pytest.raises(ValueError, match="2 values, 2 upper values and 1 sizes"):
        test.update([0.0, 0.0], [1])
    with pytest.raises(ValueError, match="1 to 1 cases"):
        test.update([0.5], [2])
    with pytest.raises(ValueError, match="3 units"):
        test.update([0.0] * 4)
    with pytest.raises(ValueError, match="no result"):
        test.finish()


def shares(
    plan: TestDesign, worse: float, better: float, runs: int, seed: int
) -> dict[Decision, float]:
    rng = np.random.default_rng(seed)
    found = dict.fromkeys(Decision, 0.0)
    for _ in range(runs):
        values = rng.choice(
            [-1.0, 0.0, 1.0], p=[worse, 1 - worse - better, better], size=plan.units
        )
        found[decide(plan, list(values)).decision] += 1 / runs
    return found


def test_error_rates_hold_and_decisions_come() -> None:
    """300 cases, 20 % discordance, margin 10 points: no drop, and a drop of the margin. (Larger:
    benchmarks.)
    """
    plan = regression(units=300, margin=0.1, discordance=0.2)
    same = shares(plan, 0.1, 0.1, 250, 8)
    worse = shares(plan, 0.15, 0.05, 250, 9)
    limit = 0.05 + 2 * math.sqrt(0.05 * 0.95 / 250)
    assert same[Decision.FAIL] <= limit
    assert worse[Decision.PASS] <= limit
    assert same[Decision.PASS] > 0.8
    assert worse[Decision.FAIL] > 0.8
