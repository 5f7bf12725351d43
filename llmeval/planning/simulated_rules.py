"""The rules of a gate over simulated verdicts: the tests and bounds that decide a run, without its
records.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from llmeval.core.results import Decision, RuleDecision
from llmeval.gate.aggregate import MetricSample
from llmeval.gate.baseline_runs import LEAST_MOMENT
from llmeval.gate.holm import Rule
from llmeval.gate.rules import floors, label_evidence
from llmeval.gate.rules.judge_arms import scale
from llmeval.gate.rules.regression_rule import RegressionRule
from llmeval.planning.simulated_verdicts import PairedVerdicts
from llmeval.stats.estimation.bounds import Interval
from llmeval.stats.estimation.label_counts import LabelCounts, Provenance, RefusedEstimate
from llmeval.stats.sequential.betting_test import sequential_test
from llmeval.stats.sequential.design import TestDesign, floor
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

    `later`: the rates of the second and each later attempt of one change, where it is tried again.
    `whole`: the rates of all attempts together. `pools`: whether a later attempt is decided on the
        answers of all attempts so far. `max_unscored`: a run with a larger share of cases without a
        result is INVALID.
    """

    alpha: float
    beta: float
    rules: int
    early: bool
    later: tuple[tuple[float, float], ...] = ()
    whole: tuple[float, float] | None = None
    pools: bool = True
    max_unscored: float = 1.0

    @property
    def limits(self) -> tuple[float, float]:
        """The largest stated probability of a wrong FAIL and of a wrong PASS, over all attempts."""
        return self.whole if self.later and self.whole is not None else (self.alpha, self.beta)

    def at(self, attempt: int) -> "ErrorRates":
        """The rates of one attempt, 1 for the first; a later attempt never stops early."""
        if attempt == 1:
            return self
        alpha, beta = self.later[attempt - 2]
        return self._replace(alpha=alpha, beta=beta, early=False)


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
    baseline_runs: int = 1
    """How many runs the baseline is the mean of."""

    def evaluate(
        self,
        sides: PairedVerdicts,
        labels: LabelCounts | None,
        terms: ErrorRates,
        earlier: Sequence[PairedVerdicts] = (),
    ) -> SimulatedResult:
        """The rule on one run.

        Args:
            sides: of the run. labels: of the judge's certificate. terms: the gate's error rates.
            earlier: attempts of the same change, which the run is pooled with.
        """
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
            moment=moment_of(sides.baseline, self.baseline_runs),
        )
        plan = compared.plan(
            terms.alpha,
            terms.beta,
            *self.members.shape,
            rules=terms.rules if terms.early else 0,
        )
        before = sides.baseline.mean(axis=0)
        spans = [_span(each, each.candidate.mean(axis=0)) for each in (*earlier, sides)]
        differences = _mean_span(spans).minus(before)
        if sides.missing is not None and not earlier:  # as `gate.pairs` takes a missing result
            differences = CaseSpan(
                np.where(sides.missing, -1.0, differences.least),
                np.where(sides.missing, 1.0, differences.most),
            )
        return _tested(plan, differences, self.members, alone=terms.rules == 1)


def moment_of(baseline: Bools, runs: int) -> float | None:
    """`gate.baseline_runs.second_moment` of simulated verdicts, repeats of all runs x cases."""
    if runs < 2:
        return None
    values = baseline.reshape(runs, -1, baseline.shape[1]).mean(axis=1)
    return min(1.0, max(float(values.var(axis=0, ddof=1).mean()) * (1 + 1 / runs), LEAST_MOMENT))


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
        self,
        sides: PairedVerdicts,
        labels: LabelCounts | None,
        terms: ErrorRates,
        earlier: Sequence[PairedVerdicts] = (),
    ) -> SimulatedResult:
        """The rule on one run; arguments as of a regression rule. A floor that labels correct takes
        this run alone.
        """
        if not self.corrected and (terms.early or earlier):
            units, cases, largest = self.members.shape
            plan = floor(
                units=units,
                cases=cases,
                largest=largest,
                threshold=self.threshold,
                alpha=terms.alpha / (terms.rules if terms.early else 1),
                beta=terms.alpha,
                sequential=terms.early,
            )
            spans = [_span(each, _passed(each).astype(float)) for each in (*earlier, sides)]
            return _tested(plan, _mean_span(spans), self.members, alone=terms.rules == 1)
        clears, misses = self._shown(sides, labels if self.corrected else None)

        def rule(level: float) -> RuleDecision:
            if clears(terms.alpha):
                return _decision(Decision.PASS)
            return _decision(Decision.FAIL if misses(level) else Decision.INCONCLUSIVE)

        return SimulatedResult(rule, int(self.members.ends[-1]))

    def _shown(
        self, sides: PairedVerdicts, labels: LabelCounts | None
    ) -> tuple[Callable[[float], bool], Callable[[float], bool]]:
        """Whether the lower bound at a level clears the floor, and whether the upper one misses
        it. A missing result is a fail for the first and a pass for the second.
        """
        passed, unit = _passed(sides)[self.members.rows], self.members.unit
        if sides.missing is None:
            return self._side(passed, unit, labels)
        missing = sides.missing[self.members.rows]
        apart = len(self.members.sizes) + np.arange(len(unit))
        _, unit = np.unique(np.where(missing, apart, unit), return_inverse=True)
        clears, _ = self._side(passed & ~missing, unit, labels)
        _, misses = self._side(passed | missing, unit, labels)
        return clears, misses

    def _side(
        self, passed: Bools, unit: Whole, labels: LabelCounts | None
    ) -> tuple[Callable[[float], bool], Callable[[float], bool]]:
        n, threshold, sizes = len(passed), self.threshold, np.bincount(unit).astype(float)
        if (
            len(sizes) < n and labels is None
        ):  # a bound clears a null just where its test rejects it, which is faster to tell
            nulls = Nulls(threshold, threshold, 0.0, 1.0, 0.05, 0.05)
            side = final_test(np.bincount(unit, passed) / sizes, sizes, nulls, bounds=False)
            return lambda alpha: side.p_pass <= alpha, lambda alpha: side.p_fail < alpha
        if len(sizes) == n:
            bounds = partial(_bounds_alone, int(passed.sum()), n, labels)
        else:
            clusters, outcomes = tuple(unit.tolist()), tuple(passed.tolist())
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
        evidence = label_evidence.LabelEvidence(labels, Provenance.BANK)
        return label_evidence.bounds(selection, evidence, alpha)
    except RefusedEstimate:
        return Interval(0.0, 1.0)


class CaseSpan(NamedTuple):
    """A value of each case: the least and the most that it may be, where results are missing."""

    least: Floats
    most: Floats

    def minus(self, before: Floats) -> "CaseSpan":
        """The difference from another value of each case."""
        least = self.least - before
        return CaseSpan(least, least if self.most is self.least else self.most - before)


def _passed(sides: PairedVerdicts) -> Bools:
    """Whether each case passes with all its repeats."""
    passed: Bools = np.logical_and.reduce(sides.candidate, axis=0)
    return passed


def _span(sides: PairedVerdicts, values: Floats) -> CaseSpan:
    """The candidate's values in [0, 1], as far as they are in hand."""
    if sides.missing is None:
        return CaseSpan(values, values)
    return CaseSpan(np.where(sides.missing, 0.0, values), np.where(sides.missing, 1.0, values))


def _mean_span(spans: Sequence[CaseSpan]) -> CaseSpan:
    if len(spans) == 1:
        return spans[0]
    least, most = (np.mean([each[side] for each in spans], axis=0) for side in (0, 1))
    return CaseSpan(least, most)


def _tested(
    plan: TestDesign, values: CaseSpan, members: RuleMembers, *, alone: bool
) -> SimulatedResult:
    """A test on the units in their order. `alone`: there is no other rule, so no other level is
    asked for.
    """
    test = sequential_test(plan)
    upper = None if values.most is values.least else members.means(values.most)
    tested = test.update(members.means(values.least), members.sizes, upper)
    used = int(members.ends[test.used - 1])
    if alone and tested is not None:
        return SimulatedResult(lambda level: _decision(tested), used)
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
