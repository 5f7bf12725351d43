"""Sizes against simulation, and the simulation against what it must reproduce."""

from dataclasses import replace

import numpy as np
import pytest

from llmeval.gate.pairs import PairedCases
from llmeval.gate.rules.regression import evaluate
from llmeval.gate.rules.regression_rule import RegressionRule
from llmeval.planning.attainability import passes_needed
from llmeval.planning.metric_profile import MetricProfile
from llmeval.planning.sample_size import cases_for, certifiable, plan_floor, plan_regression
from llmeval.planning.simulation import play, simulate_regression
from llmeval.stats.estimation.bounds import lower_bound
from llmeval.stats.power import gate_cases
from llmeval.stats.tests.studentised import added_cost

PLAIN = MetricProfile(metric="m", cases=400, units=400, rate=0.8, discordance=0.16)
CLUSTERED = MetricProfile(metric="m", cases=400, units=80, largest=5, rate=0.8, discordance=0.16)


def test_the_needed_size_decides_in_95_of_100_runs() -> None:
    """Too few by a fifth falls clearly short, so the size is not far from what is needed."""
    size = plan_regression(PLAIN, 0.1, 0.05, 0.05)
    at = next(
        simulate_regression(
            PLAIN.sized(size.needed), 0.1, 0.05, 0.05, runs=400, seed=9, sequential=True
        )
    )
    below = next(
        simulate_regression(
            PLAIN.sized(round(0.8 * size.needed)),
            0.1,
            0.05,
            0.05,
            runs=400,
            seed=9,
            sequential=True,
        )
    )
    assert 0.93 <= at.passed <= 0.985
    assert below.passed < at.passed - 0.01
    assert 0.3 < size.used_same < 0.9


def test_what_a_suite_certifies_inverts_what_it_needs() -> None:
    margin = certifiable(PLAIN, 0.05, 0.05)
    assert gate_cases(margin, PLAIN.discordance) == pytest.approx(PLAIN.cases, abs=1)
    clustered = replace(PLAIN, units=100, largest=4)
    found = certifiable(clustered, 0.05, 0.05)
    effect = clustered.effect
    assert gate_cases(found, 0.16 * effect, expected=0.16 * effect, counted=False) == pytest.approx(
        400, abs=1
    )
    assert (
        margin < found < margin * effect**0.5
    )  # less of FAIL's rate is spent on the way, which leaves more PASSes


def test_few_clusters_take_more_cases() -> None:
    """The normal theory of 83 clusters let an unchanged candidate PASS in 87 % of the runs; from
    100 on none is added.
    """
    few = replace(CLUSTERED, cases=415, units=83)
    moment = few.discordance * few.effect
    assert gate_cases(0.1, moment, expected=moment, counted=False) == pytest.approx(390, abs=3)
    assert cases_for(few, 0.1, 0.05, 0.05) == 500
    many = gate_cases(0.05, moment, expected=moment, counted=False)
    assert many <= cases_for(few, 0.05, 0.05, 0.05) < many + 5
    assert certifiable(few, 0.05, 0.05) > 0.11
    assert 1 < added_cost(99, 3.8) < added_cost(40, 3.8) < 2
    assert added_cost(100, 3.8) == 1


def test_floors_by_the_exact_binomial() -> None:
    """59 cases without a failure show .95 at 95 % confidence, 58 do not (closed form: .95^59 =
    .0485).
    """
    assert plan_floor("f", 0.95, 1.0, range(59), 0.05).must_have == 59
    assert plan_floor("f", 0.95, 1.0, range(58), 0.05).must_have is None
    assert plan_floor("f", 0.95, 1.0, range(58), 0.05).needed == 59
    found = plan_floor("f", 0.8, 0.9, range(200), 0.05)
    assert found.must_have is not None
    assert (
        lower_bound(found.must_have, 200, 0.05) >= 0.8 > lower_bound(found.must_have - 1, 200, 0.05)
    )


@pytest.mark.parametrize(
    ("clusters", "size", "best"), [(10, 10, None), (20, 10, None), (29, 5, 145)]
)
def test_floors_on_clusters_take_what_the_gate_takes(
    clusters: int, size: int, best: int | None
) -> None:
    """.90 with clusters: 28 can't show it even if all pass (.9^28 = .052), 29 can. An effective
    size would say 100 of 100.
    """
    names = [f"g{i // size}" for i in range(clusters * size)]
    found = plan_floor("f", 0.9, 0.97, names, 0.05, effect=1 + (size - 1) * 0.2)
    assert found.must_have == best
    assert found.needed is not None
    assert found.needed >= 29 * size


def test_so_many_passes_are_enough_and_one_less_is_not() -> None:
    from llmeval.gate.aggregate import MetricSample
    from llmeval.gate.rules.floors import bounds

    index = tuple(i // 4 for i in range(240))
    needed = passes_needed(index, 0.8, 0.05)
    assert needed is not None
    for passes, clears in ((needed, True), (needed - 1, False)):
        failing = [4 * (k % 60) + k // 60 for k in range(240 - passes)]
        outcomes = tuple(i not in failing for i in range(240))
        found = bounds(MetricSample(240, passes, 0, 0, (), index, outcomes), 0.05)
        assert (found.low >= 0.8) is clears


def test_a_rate_below_the_floor_needs_no_more_cases() -> None:
    assert plan_floor("f", 0.9, 0.85, range(200), 0.05).needed is None


def test_clusters_need_not_be_of_one_size() -> None:
    uneven = MetricProfile(metric="m", cases=123, units=50, largest=6, rate=0.8, discordance=0.16)
    assert plan_regression(uneven, 0.2, 0.05, 0.05).needed > 0


def test_what_is_proved_is_the_test_that_a_run_decides_by() -> None:
    """Every case, once, at the whole rates: as `gate.rules.regression.evaluate` plans it."""
    values = (-1.0, 0.0, 0.0, 1.0) * 100
    clusters = tuple(str(number) for number in range(400))
    compared = RegressionRule("m", "m", None, 0.1, 1.0, 0.0, judged=False, untrusted=None)
    asked = evaluate(compared, PairedCases(differences=values, clusters=clusters), 0.05, 0.05)
    plan = PLAIN.gate(0.1, 0.05, 0.05, sequential=False)
    assert play(plan, np.array(values)).decision is asked.verdict.decision
    assert (plan.share, plan.pass_null, plan.rates) == (
        asked.plan.share,
        asked.plan.pass_null,
        asked.plan.rates,
    )


def test_unequal_clusters_count_by_their_effective_number() -> None:
    """Half of the cases in ten clusters: 110 clusters weigh as much as 36. The design effect is
    that of the cluster of the average case, sum s^2 / sum s.
    """
    sizes = (20,) * 10 + (2,) * 100
    unequal = replace(CLUSTERED, cases=400, units=110, largest=20, sizes=sizes)
    equal = replace(CLUSTERED, cases=400, units=110, largest=4)
    assert unequal.effective == pytest.approx(400**2 / (10 * 400 + 100 * 4))
    assert unequal.effect == pytest.approx(1 + ((10 * 400 + 100 * 4) / 400 - 1) * 0.2)
    assert equal.effective == 110 and equal.enough == unequal.enough == 100
    needed, fewer = (cases_for(shape, 0.05, 0.05, 0.05) for shape in (unequal, equal))
    assert needed > 1.5 * fewer
    assert certifiable(unequal, 0.05, 0.05) > 1.3 * certifiable(equal, 0.05, 0.05)
    larger = unequal.sized(2000)
    assert larger.cases == pytest.approx(2000, rel=0.03)
    assert larger.effective / larger.units == pytest.approx(unequal.effective / 110, rel=0.05)
    assert len(larger.verdict_model().clusters) == larger.cases == sum(larger.sizes)
