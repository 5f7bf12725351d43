"""Regression without pairs: the baseline is another window of cases, such as last week's traffic.

FAIL: a permutation test over clusters shows, at the rule's level of alpha (Holm), that the mean has
fallen. PASS: the lower bound of the change, at beta, is above -margin. Else INCONCLUSIVE. A missing
result counts as the worst case for each claim. A change of the questions looks like a change of the
model: the reason says so.
"""

import math
from dataclasses import dataclass

from llmeval.core.baseline_lock import BaselineLock
from llmeval.core.formatting import percent, points
from llmeval.core.manifest import Manifest
from llmeval.core.metric_ref import cluster_key
from llmeval.core.results import REPRESENTATIVE, Decision, RuleDecision
from llmeval.gate.aggregate import RunAggregate
from llmeval.gate.holm import Rule
from llmeval.gate.rules.named_baseline import nothing_compared
from llmeval.gate.rules.number_regression import NumberRule
from llmeval.gate.rules.regression_rule import RegressionRule, comparisons
from llmeval.stats.tests.two_windows import (
    MIN_CLUSTERS,
    Window,
    WindowChange,
    bounded_change,
    drop_p,
)


@dataclass(frozen=True)
class UnpairedTest:
    """One rule with both windows. `before`, `now`: NaN where a result is missing."""

    rule: RegressionRule
    baseline: BaselineLock
    before: Window
    now: Window
    beta: float

    def decided(self, level: float) -> RuleDecision:
        """The decision. `level`: of its FAIL."""
        margin, shift = self.rule.judged_margin, self.rule.shift
        decision, against, in_favour = window_decision(
            self.before, self.now, margin, shift, level, self.beta
        )
        if self.rule.untrusted is not None:
            decision = Decision.INCONCLUSIVE
        assert against.low is not None
        assert in_favour.high is not None
        estimate = (against.change + in_favour.change) / 2
        return RuleDecision(
            rule=self.rule.kind,
            metric=f"{self.rule.metric} pass" if self.rule.passes else self.rule.metric,
            slice=self.rule.slice_,
            decision=decision,
            estimate=estimate,
            low=min(against.low, estimate),
            high=max(in_favour.high, estimate),
            threshold=self.rule.margin,
            baseline=self.baseline.run_id,
            reason=self._reason(decision, (against.low, in_favour.high)),
            level=1 - level,
            n=len(self.now.values),
            assumptions=(REPRESENTATIVE,),
            judge_scale=self.rule.judge_scale,
        )

    def _reason(self, decision: Decision, bounds: tuple[float, float]) -> str:
        means = [_mean(each) for each in (self.before, self.now)]
        counts = [len(each.values) for each in (self.before, self.now)]
        clusters = [len(set(each.clusters)) for each in (self.before, self.now)]
        missing = [sum(map(math.isnan, each.values)) for each in (self.before, self.now)]
        absent = f", {missing[0]} and {missing[1]} of them missing" if any(missing) else ""
        seen = (
            f"{self.rule.name}: {percent(means[0])} in the baseline {self.baseline.run_id},"
            f" {percent(means[1])} now; the change is {100 * bounds[0]:+.1f} to"
            f" {100 * bounds[1]:+.1f} points ({counts[0]:,} and {counts[1]:,} other cases in"
            f" {clusters[0]:,} and {clusters[1]:,} clusters{absent})."
        )
        follows = {
            Decision.PASS: f" A drop of {points(self.rule.margin)} is excluded.",
            Decision.FAIL: " It is lower for sure. Whether the model or the questions changed, two"
            " windows of other cases can't tell.",
        }.get(decision, " These cases can't decide it; more of them would.")
        if self.rule.untrusted is not None:
            follows = f" The judge is UNTRUSTED: {self.rule.untrusted}."
        return f"{seen}{follows}{self.rule.note}"


def window_decision(
    before: Window, now: Window, margin: float, shift: float, level: float, beta: float
) -> tuple[Decision, WindowChange, WindowChange]:
    """The decision, and the change with missing results counted against the run and for it.

    Args:
        before, now: values in [0, 1]; NaN where a result is missing.
        margin: the drop that must not be reached. shift: by how much a judge may favour one side.
        level: of FAIL. beta: of a wrong PASS.
    """
    worst = _filled(before, 1.0), _filled(now, 0.0)
    best = _filled(before, 0.0), _filled(now, 1.0)
    against = bounded_change(*worst, beta, level)
    in_favour = bounded_change(*best, beta, level)
    assert against.low is not None
    assert in_favour.high is not None
    # the bound matters where a judge may favour one side
    fallen = in_favour.change < 0 and (shift == 0 or in_favour.high < -shift)
    if fallen and drop_p(*best) <= level:
        return Decision.FAIL, against, in_favour
    passes = against.low > -margin
    return (Decision.PASS if passes else Decision.INCONCLUSIVE), against, in_favour


def unpaired_rules(
    aggregate: RunAggregate, manifest: Manifest, baseline: BaselineLock
) -> list[Rule]:
    """The rules of `regression` with `paired: false`, each to be decided at a level."""
    rules: list[Rule] = []
    for compared in comparisons(aggregate, manifest, baseline):
        test = _tested(aggregate, baseline, compared, manifest.gate.beta)
        rules.append(test.decided if isinstance(test, UnpairedTest) else _constant(test))
    return rules


def _tested(
    aggregate: RunAggregate,
    baseline: BaselineLock,
    compared: RegressionRule | NumberRule | RuleDecision,
    beta: float,
) -> UnpairedTest | RuleDecision:
    if isinstance(compared, RuleDecision):
        return compared
    if isinstance(compared, NumberRule):
        why = f"{compared.ref.label}: `paired: false` takes metrics of checks and judges."
        return nothing_compared(compared.ref.label, baseline, why, compared.slice_)
    if compared.where is not None:
        why = (
            f"{compared.name}: `paired: false` compares all cases, since a baseline does not hold"
            " the tags of its cases. Give the slice its own suite."
        )
        return nothing_compared(compared.metric, baseline, why, compared.slice_)
    if baseline.run_count > 1:
        why = f"{compared.name}: `paired: false` needs a baseline of one run."
        return nothing_compared(compared.metric, baseline, why)
    before, now = _of_baseline(baseline, compared), _of_run(aggregate, compared)
    for name, window in (("baseline", before), ("run", now)):
        if len(set(window.clusters)) < MIN_CLUSTERS:
            why = (
                f"{compared.name}: the {name} has {len(set(window.clusters))} independent cases or"
                f" clusters; at least {MIN_CLUSTERS} are needed."
            )
            return nothing_compared(compared.metric, baseline, why)
    return UnpairedTest(compared, baseline, before, now, beta)


def _of_baseline(baseline: BaselineLock, compared: RegressionRule) -> Window:
    results = baseline.results(compared.metric, passes=compared.passes)
    stated = baseline.clusters
    names = dict(zip(baseline.cases, stated, strict=True)) if isinstance(stated, tuple) else {}
    keys = [cluster_key(case_id, names.get(case_id)) for case_id in results]
    return Window(list(results.values()), keys)


def _of_run(aggregate: RunAggregate, compared: RegressionRule) -> Window:
    results = list(aggregate.results(compared.metric))
    keys = [cluster_key(each.case_id, each.cluster) for each in results]
    return Window([each.score(compared.passes) for each in results], keys)


def _filled(window: Window, missing: float) -> Window:
    return window._replace(values=[missing if math.isnan(v) else v for v in window.values])


def _mean(window: Window) -> float:
    values = [value for value in window.values if not math.isnan(value)]
    return sum(values) / len(values) if values else math.nan


def _constant(decision: RuleDecision) -> Rule:
    return lambda _: decision
