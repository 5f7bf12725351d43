"""Simulated runs look like the suite they are made for."""

from dataclasses import replace

import numpy as np
import pytest

from llmeval.planning.metric_profile import MetricProfile
from llmeval.planning.simulated_verdicts import VerdictModel, people_differ
from llmeval.stats.power import discordance as between
from llmeval.stats.power import judged_discordance

MANY = np.arange(60_000)
PLAIN = VerdictModel(clusters=MANY, rate=0.8, discordance=0.16)


def source() -> np.random.Generator:
    return np.random.default_rng(8)


@pytest.mark.parametrize("drop", [0.0, 0.05, 0.4, 0.8])
@pytest.mark.parametrize("repeats", [1, 3])
def test_rates_and_the_drop_are_the_planted_ones(drop: float, repeats: int) -> None:
    sides = replace(PLAIN, repeats=repeats).people(source(), drop)
    assert sides.baseline.shape == (repeats, 60_000)
    assert sides.baseline.mean() == pytest.approx(0.8, abs=0.006)
    assert sides.candidate.mean() == pytest.approx(0.8 - drop, abs=0.006)


def test_a_planted_fault_breaks_all_answers_of_a_case() -> None:
    steady = replace(PLAIN, repeats=5, discordance=0.0)
    sides = steady.people(source(), 0.2)
    right = sides.candidate.sum(axis=0)
    assert ((right > 0) & (right < 5)).mean() < 0.005
    assert (sides.baseline != sides.candidate).mean() == pytest.approx(0.2, abs=0.006)


def test_so_many_cases_differ_between_two_runs() -> None:
    sides = PLAIN.people(source())
    assert (sides.baseline != sides.candidate).mean() == pytest.approx(0.16, abs=0.006)
    coins = replace(PLAIN, discordance=0.9).people(source())
    assert (coins.baseline != coins.candidate).mean() == pytest.approx(0.32, abs=0.006)


@pytest.mark.parametrize("within", [0.0, 0.2, 0.6])
def test_differences_within_a_cluster_are_correlated(within: float) -> None:
    verdict_model = replace(PLAIN, clusters=np.repeat(np.arange(30_000), 2), within=within)
    sides = verdict_model.people(source())
    d = (sides.candidate.astype(float) - sides.baseline)[0].reshape(-1, 2)
    assert np.corrcoef(d[:, 0], d[:, 1])[0, 1] == pytest.approx(within, abs=0.03)
    assert d.mean() == pytest.approx(0, abs=0.008)


@pytest.mark.parametrize(("rate", "differ"), [(0.74, 0.3), (0.74, 0.1), (0.85, 0.15)])
@pytest.mark.parametrize("repeats", [1, 2])
def test_a_judge_sees_what_the_shape_says(rate: float, differ: float, repeats: int) -> None:
    shape = MetricProfile(
        metric="m",
        cases=1,
        units=1,
        rate=rate,
        discordance=differ / repeats,
        sensitivity=0.95,
        specificity=0.85,
    )
    verdict_model = shape.verdict_model(MANY, repeats)
    sides = verdict_model.judged(source(), verdict_model.people(source()))
    d = sides.candidate.mean(axis=0) - sides.baseline.mean(axis=0)
    assert sides.baseline.mean() == pytest.approx(rate, abs=0.008)
    assert (d * d).mean() == pytest.approx(differ / repeats, abs=0.008)
    worse = verdict_model.judged(source(), verdict_model.people(source(), 0.2))
    assert worse.baseline.mean() - worse.candidate.mean() == pytest.approx(
        0.8 * 0.2, abs=0.01
    )  # J times the drop


def test_what_people_see_differ_undoes_what_the_judge_makes_of_it() -> None:
    true = between(0.8, 0.0, 0.5)
    seen = judged_discordance(true, 0.8, 0.9, 0.85).total
    assert people_differ(seen, 0.8, 0.9, 0.85) == (pytest.approx(true.total), 0.0)
    assert people_differ(0.0, 0.8, 0.9, 0.85) == (0.0, 1.0)
    assert people_differ(0.1, 0.8, 1.0, 1.0) == (pytest.approx(0.1), 0.0)


def test_certificates_are_drawn_anew_with_as_many_labels() -> None:
    verdict_model = replace(PLAIN, sensitivity=0.9, specificity=0.8, labels=(160, 40))
    random = source()
    found = [verdict_model.certificate(random) for _ in range(500)]
    assert {(each.human_pass, each.human_fail) for each in found if each} == {(160, 40)}
    assert np.mean([each.pass_pass for each in found if each]) == pytest.approx(144, abs=0.6)
    assert np.mean([each.fail_fail for each in found if each]) == pytest.approx(32, abs=0.4)
    assert PLAIN.certificate(random) is None
