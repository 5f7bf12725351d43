"""Improvement: has the mean risen against the baseline by at least what the suite states?

Both sides answered the same cases. PASS: the lower bound of the rise, at beta, is at least the
stated value. FAIL: the upper bound, at the rule's level of alpha (Holm), is below it. Else
INCONCLUSIVE. A missing result counts as the worst case for each of the two claims.
"""

from dataclasses import dataclass

import numpy as np
from msgspec import structs

from llmeval.core.baseline_lock import BaselineLock
from llmeval.core.formatting import percent_of, points
from llmeval.core.manifest import Manifest
from llmeval.core.results import REPRESENTATIVE, Decision, RuleDecision
from llmeval.gate.aggregate import RunAggregate
from llmeval.gate.holm import Rule
from llmeval.gate.missing_cases import MissingCases, dropped_reason
from llmeval.gate.pairs import PairedCases, pair
from llmeval.gate.rules.named_baseline import nothing_compared
from llmeval.gate.rules.regression_rule import IMPROVE, RegressionRule, improvements
from llmeval.stats.estimation.clusters import units
from llmeval.stats.tests.fixed_sample import Nulls, final_test


@dataclass(frozen=True)
class ImprovementTest:
    """One rule with its pairs. `wanted`: the rise, in the rule's own scale."""

    rule: RegressionRule
    pairs: PairedCases
    baseline: BaselineLock
    beta: float

    @property
    def wanted(self) -> float:
        """The rise that the suite states."""
        return self.rule.margin

    def decided(self, level: float) -> RuleDecision:
        """The decision. `level`: of its FAIL."""
        values = np.array(self.pairs.differences, dtype=float)
        least = np.array(self.pairs.least or values, dtype=float)
        most = np.array(self.pairs.most or values, dtype=float)
        low, sizes = units(np.where(np.isnan(least), -1.0, least), self.pairs.clusters)
        high, _ = units(np.where(np.isnan(most), 1.0, most), self.pairs.clusters)
        # A judge shows only J of a true rise, and may favour one side by `shift`.
        needed = min(1.0, self.wanted + self.rule.shift)
        refuted = max(-1.0, self.wanted * self.rule.youden - self.rule.shift)
        nulls = Nulls(refuted, needed, -1.0, 1.0, level, self.beta)
        lower, upper = final_test(low, sizes, nulls), final_test(high, sizes, nulls)
        estimate = float(sizes @ ((low + high) / 2) / sizes.sum())
        decision = Decision.INCONCLUSIVE
        if self.rule.untrusted is None:
            if lower.p_pass <= self.beta and lower.low >= needed:
                decision = Decision.PASS
            elif upper.p_fail <= level and upper.high <= refuted:
                decision = Decision.FAIL
        return RuleDecision(
            rule=IMPROVE,
            metric=f"{self.rule.metric} pass" if self.rule.passes else self.rule.metric,
            slice=self.rule.slice_,
            decision=decision,
            estimate=estimate,
            low=min(lower.low, estimate),
            high=max(upper.high, estimate),
            threshold=self.wanted,
            baseline=self.baseline.run_id,
            reason=self._reason(decision, estimate, (lower.low, upper.high), level),
            level=1 - level,
            n=len(values),
            assumptions=(REPRESENTATIVE,),
            fell=tuple(self.pairs.fell[:10]),
            judge_scale=self.rule.judge_scale,
        )

    def _reason(
        self, decision: Decision, estimate: float, bounds: tuple[float, float], level: float
    ) -> str:
        low, high = bounds
        missing = f", {self.pairs.missing} of them missing" if self.pairs.missing else ""
        clusters = len(set(self.pairs.clusters))
        grouped = f" in {clusters:,} clusters" if clusters < len(self.pairs.clusters) else ""
        seen = (
            f"{self.rule.name} changed by {points(estimate)} against the baseline"
            f" {self.baseline.run_id} ({100 * low:+.1f} to {100 * high:+.1f}) on"
            f" {len(self.pairs.differences):,} paired cases{grouped}{missing}; the rule demands a"
            f" rise of {points(self.wanted)}."
        )
        follows = {
            Decision.PASS: f" The rise is at least that, at {percent_of(1 - self.beta)}.",
            Decision.FAIL: f" The rise is smaller than that, at {percent_of(1 - level)}.",
        }.get(decision, " These cases can't decide it: more cases, or more clusters, would.")
        if self.rule.untrusted is not None:
            follows = f" The judge is UNTRUSTED: {self.rule.untrusted}."
        return f"{seen}{follows}{self.pairs.left_out(' Not compared: ', '.')}{self.rule.note}"


def improvement_rules(
    aggregate: RunAggregate, manifest: Manifest, baseline: BaselineLock, gone: MissingCases
) -> list[Rule]:
    """The rules of `gate.improve`, each to be decided at a level."""
    rules: list[Rule] = []
    for compared in improvements(aggregate, manifest, baseline):
        tested = _tested(aggregate, manifest, baseline, compared, gone)
        rules.append(tested.decided if isinstance(tested, ImprovementTest) else _constant(tested))
    return rules


def _tested(
    aggregate: RunAggregate,
    manifest: Manifest,
    baseline: BaselineLock,
    compared: RegressionRule | RuleDecision,
    gone: MissingCases,
) -> ImprovementTest | RuleDecision:
    if isinstance(compared, RuleDecision):
        return structs.replace(compared, rule=IMPROVE)
    metric, slice_ = compared.metric, compared.slice_
    pairs = pair(aggregate, baseline, metric, compared.where, gone=gone, passes=compared.passes)
    why = dropped_reason(pairs.dropped, manifest.gate, compared.name, baseline)
    if not why and not pairs.differences:
        why = (
            f"{compared.name}: no case is in both this run and the baseline {baseline.run_id}"
            f"{pairs.left_out()}. Run the suite with the model of the baseline, and approve that"
            " run: a new slice needs a first figure to rise from"
        )
    if why:
        invalid = nothing_compared(metric, baseline, why, slice_)
        return structs.replace(invalid, rule=IMPROVE)
    return ImprovementTest(compared, pairs, baseline, manifest.gate.beta)


def _constant(decision: RuleDecision) -> Rule:
    return lambda _: decision
