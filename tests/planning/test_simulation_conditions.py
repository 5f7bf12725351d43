"""Conditions of a simulation: missing results, unequal clusters, a judge that differs, attempts."""

from dataclasses import replace

import numpy as np
import pytest

from llmeval.core.errors import UsageError
from llmeval.planning.metric_profile import MetricProfile
from llmeval.planning.simulated_change import SimulatedMetric, _alone, decide_attempt
from llmeval.planning.simulated_rules import (
    ErrorRates,
    SimulatedFloor,
    SimulatedRegression,
    members_of,
)
from llmeval.planning.simulated_verdicts import PairedVerdicts, VerdictModel
from llmeval.planning.simulation import SimulationSetup, simulate
from llmeval.planning.simulation_conditions import IDEAL, SimulationConditions

PLAIN = MetricProfile(metric="m", cases=200, units=200, rate=0.85, discordance=0.13).verdict_model()
RATES = ErrorRates(0.05, 0.05, 1, early=False)
POOLED = ErrorRates(
    0.025, 0.025, 1, early=False, later=((0.025 / 9, 0.025 / 9),) * 9, whole=(0.05, 0.05)
)
ALONE = ErrorRates(
    0.05, 0.05, 1, early=False, later=((0.05, 0.05),) * 9, whole=(0.05, 0.05), pools=False
)


def one_rule(model: VerdictModel, terms: ErrorRates, margin: float = 0.1) -> SimulationSetup:
    members = members_of(np.arange(model.cases), model.clusters)
    rule = SimulatedRegression(name="m", metric="m", members=members, margin=margin)
    return SimulationSetup(verdict_models={"m": model}, rules=(rule,), terms=terms)


def source() -> np.random.Generator:
    return np.random.default_rng(4)


def test_missing_results_are_any_cases_or_the_failures() -> None:
    many = replace(PLAIN, clusters=np.arange(40_000), missing=0.05)
    (anywhere,) = many.attempts(source())
    (hard,) = replace(many, missing_where="hard").attempts(source())
    assert anywhere.missing is not None and hard.missing is not None
    assert anywhere.missing.mean() == pytest.approx(0.05, abs=0.004)
    assert anywhere.candidate[0, anywhere.missing].mean() == pytest.approx(0.85, abs=0.03)
    assert hard.missing.mean() == pytest.approx(0.05, abs=0.004)
    assert not hard.candidate[0, hard.missing].any()
    assert PLAIN.attempts(source())[0].missing is None


def test_failures_that_are_missing_do_not_hide_a_drop() -> None:
    """1.5 % of the cases, all of them failures: a gate that leaves them out sees a smaller drop."""
    setup = one_rule(
        replace(PLAIN, missing=0.015, missing_where="hard"), RATES._replace(max_unscored=0.5)
    )
    (rows,) = simulate(setup, 150, seed=2).rules
    (plain,) = simulate(one_rule(PLAIN, RATES), 150, seed=2).rules
    assert all(row.holds for row in rows)
    assert rows[1].fail < plain[1].fail


def test_too_many_missing_results_are_invalid() -> None:
    setup = one_rule(replace(PLAIN, missing=0.1), RATES._replace(max_unscored=0.02))
    (rows,) = simulate(setup, 20, seed=2).rules
    assert [row.inconclusive for row in rows] == [1.0] * 4
    assert rows[3].usual == 1


def test_a_missing_result_counts_as_the_worst_for_each_claim() -> None:
    """Nothing else differs: of 60 pairs 3 missing ones may be 3 that fell, or 3 that rose."""
    verdicts = np.ones((1, 60), bool)
    missing = np.arange(60) < 3
    members = members_of(np.arange(60), np.arange(60))
    rule = SimulatedRegression(name="m", metric="m", members=members, margin=0.1)
    whole = rule.evaluate(PairedVerdicts(verdicts, verdicts), None, RATES)
    part = rule.evaluate(PairedVerdicts(verdicts, verdicts, missing), None, RATES)
    assert whole.rule(0.05).decision == "PASS"
    assert part.rule(0.05).decision == "INCONCLUSIVE"
    fallen = PairedVerdicts(verdicts, ~verdicts, missing)
    assert rule.evaluate(fallen, None, RATES).rule(0.05).decision == "FAIL"


@pytest.mark.parametrize("clusters", [np.arange(100), np.repeat(np.arange(50), 2)])
def test_a_floor_takes_missing_results_as_fails_for_pass(clusters: np.ndarray) -> None:
    members = members_of(np.arange(100), clusters)
    rule = SimulatedFloor(name="m", metric="m", members=members, threshold=0.9)
    verdicts = np.ones((1, 100), bool)
    missing = np.arange(100) < 8
    assert (
        rule.evaluate(PairedVerdicts(verdicts, verdicts), None, RATES).rule(0.05).decision == "PASS"
    )
    part = rule.evaluate(PairedVerdicts(verdicts, verdicts, missing), None, RATES)
    assert part.rule(0.05).decision == "INCONCLUSIVE"
    failing = PairedVerdicts(verdicts, ~verdicts, missing)
    assert rule.evaluate(failing, None, RATES).rule(0.05).decision == "FAIL"


def test_a_judge_that_favours_the_candidate_hides_a_drop() -> None:
    """5 points on both kinds of answers: of a drop of 10 points the judge sees about 3."""
    judged = MetricProfile(
        metric="m", cases=300, units=300, rate=0.8, discordance=0.24, sensitivity=0.9,
        specificity=0.9, labels=(160, 60),
    ).verdict_model()  # fmt: skip
    many = replace(judged, clusters=np.arange(40_000), judge_shift=0.05)
    (sides,) = many.attempts(source(), 0.1)
    drop = sides.baseline.mean() - sides.candidate.mean()
    assert drop == pytest.approx(0.8 * 0.1 - 0.05, abs=0.008)
    (rows,) = simulate(one_rule(replace(judged, judge_shift=0.1), RATES), 100, seed=1).rules
    assert not rows[1].holds


def test_attempts_of_a_change_differ_and_share_their_cases() -> None:
    many = replace(PLAIN, clusters=np.arange(40_000))
    one, two, three = many.attempts(source(), 0.1, 3)
    assert (one.baseline == three.baseline).all()
    for first, second in ((one, two), (two, three)):
        differ = (first.candidate != second.candidate).mean()
        assert 0.08 < differ < 0.13  # a broken case fails in each attempt
    assert two.candidate.mean() == pytest.approx(0.75, abs=0.01)


def test_retries_until_a_pass_are_honest_only_where_attempts_are_pooled() -> None:
    (pooled,) = simulate(one_rule(PLAIN, POOLED), 150, seed=5).rules
    (alone,) = simulate(one_rule(PLAIN, ALONE), 150, seed=5).rules
    assert [row.limit for row in pooled] == [0.05] * 4
    assert all(row.holds for row in pooled)
    assert pooled[0].passed > 0.95
    assert alone[1].passed > 0.15 and not alone[1].holds


def test_a_pass_is_withheld_where_this_attempt_alone_fails() -> None:
    """Two attempts of 400 cases: the first without a difference, the second 6 cases worse."""
    members = members_of(np.arange(400), np.arange(400))
    good = PairedVerdicts(np.ones((1, 400), bool), np.ones((1, 400), bool))
    worse = good._replace(candidate=(np.arange(400) >= 6)[None, :])
    rule = SimulatedRegression(name="m", metric="m", members=members, margin=0.2)
    metrics = {"m": SimulatedMetric((good, worse), None)}
    assert rule.evaluate(worse, None, POOLED.at(2), (good,)).rule(0.0028).decision == "PASS"
    assert _alone(rule, worse, None, POOLED)().decision == "FAIL"
    assert decide_attempt(metrics, (rule,), POOLED, 2)[0] == ("INCONCLUSIVE",)


def test_unequal_clusters_cover_all_cases() -> None:
    numbers = SimulationConditions(cluster_size=4).clusters(np.arange(2000), 0)
    sizes = np.bincount(numbers)
    assert len(numbers) == 2000 and sizes.min() >= 1
    assert sizes.mean() == pytest.approx(4, abs=0.8) and sizes.max() > 15
    own = np.arange(7)
    assert IDEAL.clusters(own, 0) is own
    assert IDEAL.notes(10) == []


@pytest.mark.parametrize(
    ("values", "option"),
    [
        ({"missing": 1.0}, "--missing"),
        ({"cluster_size": 0.5}, "--cluster-size"),
        ({"judge_shift": -1.0}, "--judge-shift"),
    ],
)
def test_conditions_out_of_range_name_their_option(values: dict[str, float], option: str) -> None:
    with pytest.raises(UsageError, match=option):
        SimulationConditions(**values)  # type: ignore[arg-type]
