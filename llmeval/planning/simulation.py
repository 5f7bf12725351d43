"""How often a gate errs on a suite of this shape: planted drops, played through the very rules that
decide.

In addition, on the same verdicts, the results of common gates: "the pass rate fell by more than t",
a test that ignores that both sides answered the same cases, and "the rate is below the floor".
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from llmeval.core.results import Decision
from llmeval.gate.stopping import ANALYSIS_EVERY
from llmeval.planning.metric_profile import MetricProfile
from llmeval.planning.simulated_change import SimulatedChange, simulate_change
from llmeval.planning.simulated_rules import (
    ErrorRates,
    SimulatedFloor,
    SimulatedRegression,
    SimulatedRule,
    members_of,
)
from llmeval.planning.simulated_verdicts import VerdictModel
from llmeval.stats.sequential.betting_test import sequential_test
from llmeval.stats.sequential.design import TestDesign

Floats = NDArray[np.float64]
Tick = Callable[[], None]

DROPS = (0, 1, 2, 4)
"""Planted drops, in margins."""
BELOW = (0.0, 0.05, 0.1)
"""Planted distances below a floor."""
_CALM = 20_000
"""Cases by which the rate of a case that all its repeats pass is found."""


class SimulatedRates(NamedTuple):
    """What came of `runs` runs with something planted; shares of them.

    `planted`: the drop; of a floor's row people's pass rate; of the whole gate's the drop in
    margins. `used`: mean share of the cases that ran before it was decided. `error`: the share of
    verdicts that are wrong; `se`: its Monte-Carlo standard error; `limit`: the stated rate.
    `usual`: the share of FAIL of the usual gate, and `unpaired` of the unpaired test (None where
    there is none); what they don't FAIL they PASS.
    """

    planted: float
    runs: int
    fail: float
    passed: float
    inconclusive: float
    used: float
    error: float
    se: float
    limit: float
    usual: float
    unpaired: float | None = None

    @property
    def holds(self) -> bool:
        """Whether the error is at most the stated rate plus three standard errors of a rate that is
        exactly that.

        Three, as a gate has many rows: by two, one of forty that are just at their rate would be
        told as too often.
        """
        return self.error <= self.limit + 3 * math.sqrt(self.limit * (1 - self.limit) / self.runs)


@dataclass(frozen=True, kw_only=True)
class SimulationSetup:
    """A gate and the verdict models of its metrics, whose cases lie in the order they are asked."""

    verdict_models: Mapping[str, VerdictModel]
    rules: tuple[SimulatedRule, ...]
    terms: ErrorRates

    @property
    def stops(self) -> bool:
        """Whether a run may stop before its last case: not where a floor has to be corrected by
        labels.
        """
        return self.terms.early and not any(
            isinstance(rule, SimulatedFloor) and rule.corrected for rule in self.rules
        )


class SimulationResult(NamedTuple):
    """Rows of the whole gate (none where it has one rule), and of each rule, in the order of the
    setup's rules.
    """

    whole: tuple[SimulatedRates, ...]
    rules: tuple[tuple[SimulatedRates, ...], ...]


class SimulatedTest(NamedTuple):
    """One test on one run: its decision, and the units it used."""

    decision: Decision
    used: int


def play(plan: TestDesign, values: Floats, size: float = 1.0) -> SimulatedTest:
    """One run through the gate's test, in the order of the values."""
    test = sequential_test(plan)
    decision = test.update(values, np.full(len(values), size))
    return SimulatedTest(decision or test.finish(bounds=False).decision, test.used)


def simulate(
    setup: SimulationSetup, runs: int, seed: int = 0, tick: Tick = lambda: None
) -> SimulationResult:
    """Play the gate with drops of 0, 1, 2 and 4 margins of every metric at once, and each floor at
    it and below.

    The same seed gives the same rows.

    Args:
        setup: of the gate.
        runs: simulated runs a row.
        tick: called after each run.
    """
    whole: list[SimulatedRates] = []
    rule_rows: list[list[SimulatedRates]] = [[] for _ in setup.rules]
    margins = margins_of(setup)
    for times in DROPS:
        drops = {metric: margin * times for metric, margin in margins.items()}
        changes = _played(setup, drops, runs, [seed, times], tick)
        whole.append(_whole_row(setup, drops, times, changes))
        for number, rule in enumerate(setup.rules):
            if isinstance(rule, SimulatedRegression):
                apart = rule.margin != margins[rule.metric]
                own = {**drops, rule.metric: rule.margin * times}
                seen = _played(setup, own, runs, [seed, times, number], tick) if apart else changes
                rule_rows[number].append(_regression_row(setup, number, rule.margin * times, seen))
    for number, rule in enumerate(setup.rules):
        if isinstance(rule, SimulatedFloor):
            rule_rows[number] = list(_floor_rows(setup, rule, runs, [seed, 100 + number], tick))
    return SimulationResult(
        tuple(whole) if len(setup.rules) > 1 else (), tuple(map(tuple, rule_rows))
    )


def rows_of(setup: SimulationSetup) -> int:
    """The number of rows that `simulate` measures at most."""
    margins = margins_of(setup)
    own = [
        len(BELOW)
        if isinstance(rule, SimulatedFloor)
        else len(DROPS) * (rule.margin != margins[rule.metric])
        for rule in setup.rules
    ]
    return len(DROPS) + sum(own)


def simulate_regression(
    shape: MetricProfile,
    margin: float,
    alpha: float,
    beta: float,
    runs: int,
    seed: int = 0,
    *,
    sequential: bool = False,
    rules: int = 1,
) -> Iterator[SimulatedRates]:
    """The rows of one rule of regression by itself, with the bound of the judge's J that the shape
    has. `rules`: how many rules of the gate share alpha.

    Raises:
        ValueError: a margin or rate out of range.
    """
    verdict_model = replace(shape.verdict_model(), labels=None)
    members = members_of(np.arange(verdict_model.cases), verdict_model.clusters)
    rule = SimulatedRegression(
        name=shape.metric,
        metric=shape.metric,
        members=members,
        margin=margin,
        youden=shape.youden_lower,
        spent=shape.j_alpha,
        shift=shape.shift,
        baseline_runs=shape.baseline_runs,
    )
    setup = SimulationSetup(
        verdict_models={shape.metric: verdict_model},
        rules=(rule,),
        terms=ErrorRates(alpha, beta, rules, sequential),
    )
    for times in DROPS:
        changes = _played(setup, {shape.metric: margin * times}, runs, [seed, times], lambda: None)
        yield _regression_row(setup, 0, margin * times, changes)


def margins_of(setup: SimulationSetup) -> dict[str, float]:
    """The margin for the planted drops of each metric: its smallest margin. For a metric with
    floors only: the smallest margin of the others.
    """
    margins: dict[str, float] = {}
    for rule in setup.rules:
        if isinstance(rule, SimulatedRegression):
            margins[rule.metric] = min(margins.get(rule.metric, 1.0), rule.margin)
    least = min(margins.values(), default=0.05)
    return {metric: margins.get(metric, least) for metric in setup.verdict_models}


def _played(
    setup: SimulationSetup, drops: Mapping[str, float], runs: int, seed: list[int], tick: Tick
) -> list[SimulatedChange]:
    source, changes = np.random.default_rng(seed), []
    for _ in range(runs):
        changes.append(
            simulate_change(setup.verdict_models, setup.rules, setup.terms, drops, source)
        )
        tick()
    return changes


def _regression_row(
    setup: SimulationSetup, number: int, drop: float, changes: list[SimulatedChange]
) -> SimulatedRates:
    row = _row(setup, number, drop, changes)
    alpha, beta = setup.terms.limits
    error, limit = (row.passed, beta) if drop else (row.fail, alpha)
    unpaired = sum(run.unpaired[number] for run in changes) / len(changes)
    return _wrong(row, error, limit)._replace(unpaired=unpaired)


def _floor_rows(
    setup: SimulationSetup, rule: SimulatedFloor, runs: int, seed: list[int], tick: Tick
) -> Iterator[SimulatedRates]:
    """Rows with people's pass rate of a case at the floor and below it: at the floor FAIL and PASS
    are wrong.
    """
    verdict_model = setup.verdict_models[rule.metric]
    if not rule.corrected:  # what the floor is about is then what the judge says
        verdict_model = replace(verdict_model, labels=None, sensitivity=1.0, specificity=1.0)
    for below in BELOW:
        rate = rule.threshold - below
        if rate <= 0:
            continue
        most = 2 * rate * (1 - rate)
        here = replace(
            verdict_model, rate=rate, repeats=1, discordance=min(verdict_model.discordance, most)
        )
        alone = replace(setup, verdict_models={rule.metric: here}, rules=(rule,))
        changes = _played(alone, {rule.metric: 0.0}, runs, [*seed, round(1000 * below)], tick)
        row = _row(alone, 0, rate, changes)
        error = row.passed if below else max(row.passed, row.fail)
        yield _wrong(row, error, setup.terms.limits[0])


def _whole_row(
    setup: SimulationSetup, drops: Mapping[str, float], times: int, changes: list[SimulatedChange]
) -> SimulatedRates:
    """The gate as a whole: FAIL is wrong where nothing got worse, PASS where any rule is
    violated.
    """
    runs, cases = len(changes), next(iter(setup.verdict_models.values())).cases
    used = [max(run.used) if setup.stops else cases for run in changes]
    row = _counted(
        times,
        [(run.failed, run.passed) for run in changes],
        sum(map(_rounded, used, [cases] * runs)) / runs / cases,
        sum(any(run.usual) for run in changes) / runs,
    )
    rates = [
        (rule.threshold, _rate(setup, rule, drops))
        for rule in setup.rules
        if isinstance(rule, SimulatedFloor)
    ]
    regressions = any(isinstance(rule, SimulatedRegression) for rule in setup.rules)
    worse = (times > 0 and regressions) or any(rate < floor for floor, rate in rates)
    violated = (times > 0 and regressions) or any(rate <= floor for floor, rate in rates)
    error = max(0.0 if worse else row.fail, row.passed if violated else 0.0)
    alpha, beta = setup.terms.limits
    return _wrong(row, error, max(alpha, beta) if violated else alpha)


def _rate(setup: SimulationSetup, rule: SimulatedFloor, drops: Mapping[str, float]) -> float:
    """The true rate a floor is about, of cases that pass with all repeats: on people's scale where
    it is corrected.
    """
    verdict_model, drop = setup.verdict_models[rule.metric], drops[rule.metric]
    if verdict_model.repeats == 1 and (rule.corrected or verdict_model.exact):
        return verdict_model.rate - drop
    many = replace(verdict_model, clusters=np.arange(_CALM), within=0.0)
    source = np.random.default_rng(0)
    return float(many.judged(source, many.people(source, drop)).candidate.all(axis=0).mean())


def _row(
    setup: SimulationSetup, number: int, planted: float, changes: list[SimulatedChange]
) -> SimulatedRates:
    runs, cases = len(changes), len(setup.rules[number].members.rows)
    ends = setup.rules[number].members.ends
    shares = [np.searchsorted(ends, run.used[number], side="left") for run in changes]
    sizes = setup.rules[number].members.sizes.cumsum()
    used = sum(_rounded(int(sizes[at]), cases) for at in shares) / runs / cases
    return _counted(
        planted,
        [(run.ever(number, Decision.FAIL), run.ever(number, Decision.PASS)) for run in changes],
        used,
        sum(run.usual[number] for run in changes) / runs,
    )


def _counted(
    planted: float, ends: Sequence[tuple[bool, bool]], used: float, usual: float
) -> SimulatedRates:
    """`ends`: of each run, whether it ever FAILs and ever PASSes."""
    runs = len(ends)
    return SimulatedRates(
        planted=planted,
        runs=runs,
        fail=sum(failed for failed, _ in ends) / runs,
        passed=sum(passed for _, passed in ends) / runs,
        inconclusive=1 - sum(failed or passed for failed, passed in ends) / runs,
        used=used,
        error=0.0,
        se=0.0,
        limit=0.0,
        usual=usual,
    )


def _wrong(row: SimulatedRates, error: float, limit: float) -> SimulatedRates:
    return row._replace(error=error, se=math.sqrt(error * (1 - error) / row.runs), limit=limit)


def _rounded(used: int, cases: int) -> int:
    return min(cases, math.ceil(used / ANALYSIS_EVERY) * ANALYSIS_EVERY)
