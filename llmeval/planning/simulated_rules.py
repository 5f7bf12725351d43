"""The rules of a gate over simulated verdicts: the tests and bounds that decide a run, without its
records.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from llmeval.core.results import Decision, RuleDecision
from llmeval.gate.aggregate import MetricSample
from llmeval.gate.holm import Rule
from llmeval.gate.rules import floors, judged_floors
from llmeval.gate.rules.judge_arms import scale
from llmeval.gate.rules.regression import RegressionRule
from llmeval.planning.simulated_verdicts import PairedVerdicts
from llmeval.stats.estimation.bounds import Interval
from llmeval.stats.estimation.label_counts import LabelCounts, Provenance, RefusedEstimate
from llmeval.stats.sequential.design import TestDesign, floor
from llmeval.stats.sequential.gate_test import HybridTest
from llmeval.stats.tests.fixed_sample import Nulls, final_test

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Whole = NDArray[np.int64]


class RuleMembers(NamedTuple):
    """The cases a rule is about. `rows`: their places in the order they are asked. `unit`: of each,
    its cluster, numbered in that order; `sizes`: cases in each unit; `ends`: cases asked when it is
    through."""

    rows: Whole
    unit: Whole
    sizes: Floats
    ends: Whole

    @property
    def shape(self) -> tuple[int, int, int]:
        """Units, cases, cases in the largest unit."""
        return len(self.sizes), len(self.rows), int(self.sizes.max())

    def means(self, values: Floats) -> Floats:
        """The mean of each unit."""
        return np.bincount(self.unit, values[self.rows]) / self.sizes


def members_of(rows: Whole, clusters: Whole) -> RuleMembers:
    """The units that these cases come in; clusters lie side by side in the order of the cases."""
    _, first, unit = np.unique(clusters[rows], return_index=True, return_inverse=True)
    order = np.argsort(np.argsort(first))
    unit = order[unit]
    last = np.zeros(len(first), dtype=np.int64)
    np.maximum.at(last, unit, rows)
    return RuleMembers(rows, unit, np.bincount(unit).astype(float), last + 1)


class ErrorRates(NamedTuple):
    """What a gate states: its error rates, how many rules share alpha, and whether the run may stop
    early.
    """

    alpha: float
    beta: float
    rules: int
    early: bool


class SimulatedResult(NamedTuple):
    """A rule with its data: its decision at any level of FAIL, and after how many asked cases it
    was decided.
    """

    rule: Rule
    used: int


@dataclass(frozen=True, kw_only=True)
class SimulatedRegression:
    """Not worse than the baseline by `margin`. `youden`, `spent`: the bound of the judge's J and
    the rate spent on it, if no labels are drawn again.
    """

    name: str
    metric: str
    members: RuleMembers
    margin: float
    youden: float = 1.0
    spent: float = 0.0
    shift: float = 0.0
    """`gate.judge_shift` where the metric is judged."""

    def evaluate(
        self, sides: PairedVerdicts, labels: LabelCounts | None, terms: ErrorRates
    ) -> SimulatedResult:
        """The rule on one run. `labels`: of the judge's certificate."""
        youden, spent = (self.youden, self.spent) if labels is None else _scale(labels, terms.beta)
        compared = RegressionRule(
            self.name,
            self.metric,
            None,
            self.margin,
            youden,
            spent,
            labels is not None,
            None,
            shift=self.shift,
        )
        plan = compared.plan(
            terms.alpha,
            terms.beta,
            *self.members.shape,
            rules=terms.rules if terms.early else 0,
        )
        differences = self.members.means(sides.candidate.mean(axis=0) - sides.baseline.mean(axis=0))
        return _tested(plan, differences, self.members, alone=terms.rules == 1)


@dataclass(frozen=True, kw_only=True)
class SimulatedFloor:
    """At least `threshold` of the cases pass, with all their repeats. `corrected`: on people's
    scale, by the judge's labels.
    """

    name: str
    metric: str
    members: RuleMembers
    threshold: float
    corrected: bool = False

    def evaluate(
        self, sides: PairedVerdicts, labels: LabelCounts | None, terms: ErrorRates
    ) -> SimulatedResult:
        """The rule on one run. `labels`: of the judge's certificate."""
        passed: Bools = np.logical_and.reduce(sides.candidate, axis=0)
        if terms.early and not self.corrected:
            units, cases, largest = self.members.shape
            plan = floor(
                units=units,
                cases=cases,
                largest=largest,
                threshold=self.threshold,
                alpha=terms.alpha / terms.rules,
                beta=terms.alpha,
            )
            return _tested(
                plan, self.members.means(passed.astype(float)), self.members, alone=terms.rules == 1
            )
        clears, misses = self._shown(passed[self.members.rows], labels if self.corrected else None)

        def rule(level: float) -> RuleDecision:
            if clears(terms.alpha):
                return _decision(Decision.PASS)
            return _decision(Decision.FAIL if misses(level) else Decision.INCONCLUSIVE)

        return SimulatedResult(rule, int(self.members.ends[-1]))

    def _shown(
        self, passed: Bools, labels: LabelCounts | None
    ) -> tuple[Callable[[float], bool], Callable[[float], bool]]:
        """Whether the lower bound at a level clears the floor, and whether the upper one misses
        it.
        """
        units, n, _ = self.members.shape
        threshold = self.threshold
        if (
            units < n and labels is None
        ):  # a bound clears a null just where its test rejects it, which is faster to tell
            nulls = Nulls(threshold, threshold, 0.0, 1.0, 0.05, 0.05)
            means = np.bincount(self.members.unit, passed) / self.members.sizes
            side = final_test(means, self.members.sizes, nulls, bounds=False)
            return lambda alpha: side.p_pass <= alpha, lambda alpha: side.p_fail < alpha
        if units == n:
            bounds = partial(_bounds_alone, int(passed.sum()), n, labels)
        else:
            clusters, outcomes = tuple(self.members.unit.tolist()), tuple(passed.tolist())
            selection = MetricSample(n, sum(outcomes), 0, 0, (), clusters, outcomes)
            bounds = partial(_bounds, selection, labels)
        return (
            lambda alpha: bounds(alpha).low >= threshold,
            lambda alpha: bounds(alpha).high < threshold,
        )


SimulatedRule = SimulatedRegression | SimulatedFloor


@lru_cache(maxsize=4096)
def _scale(labels: LabelCounts, beta: float) -> tuple[float, float]:
    return scale(labels, beta)


@lru_cache(maxsize=65536)
def _bounds_alone(passed: int, n: int, labels: LabelCounts | None, alpha: float) -> Interval:
    return _bounds(MetricSample(n, passed, 0, 0, (), tuple(range(n))), labels, alpha)


def _bounds(selection: MetricSample, labels: LabelCounts | None, alpha: float) -> Interval:
    if labels is None:
        return floors.bounds(selection, alpha)
    try:
        return judged_floors.bounds(
            selection, judged_floors.LabelEvidence(labels, Provenance.BANK), alpha
        )
    except RefusedEstimate:
        return Interval(0.0, 1.0)


def _tested(
    plan: TestDesign, values: Floats, members: RuleMembers, *, alone: bool
) -> SimulatedResult:
    """A test on the units in their order. `alone`: there is no other rule, so no other level is
    asked for.
    """
    test = HybridTest(plan)
    found = test.update(values, members.sizes)
    used = int(members.ends[test.used - 1])
    if alone and found is not None:
        return SimulatedResult(lambda level: _decision(found), used)
    verdict = test.finish(bounds=False)

    def rule(level: float) -> RuleDecision:
        if verdict.p_fail <= level:
            return _decision(Decision.FAIL)
        return _decision(
            Decision.PASS if verdict.p_pass <= plan.rates[1] else Decision.INCONCLUSIVE
        )

    return SimulatedResult(rule, used)


def _decision(decision: Decision) -> RuleDecision:
    return RuleDecision(rule="simulated", decision=decision)
