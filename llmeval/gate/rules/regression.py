"""Regression: is the candidate certainly worse than the baseline, certainly not worse by the
margin, or can't these cases tell?

Both sides answered the same cases, so what is tested is the mean of the differences, candidate
minus baseline, case by case (`stats.sequential.gate_test`): FAIL when it is below 0 for sure, PASS
when it is above -margin for sure. Over all rules Holm's procedure keeps the probability of any
wrong FAIL at alpha; PASS needs every rule at beta (`stats.tests.multiplicity`).
"""

from collections import Counter
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple

from msgspec import structs

from llmeval.core.baseline_lock import BaselineLock
from llmeval.core.gate_record import OnInconclusive
from llmeval.core.manifest import Manifest
from llmeval.core.results import Decision, RuleDecision
from llmeval.gate.aggregate import RunAggregate
from llmeval.gate.holm import Rule
from llmeval.gate.missing_cases import (
    MissingCases,
    dropped_reason,
    gone_of,
    gone_rule,
    sample_note,
)
from llmeval.gate.pair_classes import PairClass, classes_for
from llmeval.gate.pairs import PairedCases, pair, with_attempts
from llmeval.gate.rules.improvement import improvement_rules
from llmeval.gate.rules.labelled_regression import LabelledRegression, labelled_regression
from llmeval.gate.rules.named_baseline import approve_command, named_baseline, nothing_compared
from llmeval.gate.rules.number_regression import NumberComparison, NumberRule, compare_numbers
from llmeval.gate.rules.pooled import pool_of, pooled_note
from llmeval.gate.rules.regression_rule import RegressionRule, comparisons
from llmeval.gate.rules.regression_words import regression_assumptions, regression_reason
from llmeval.gate.rules.release import RELEASE, compared_with, name_release, no_release
from llmeval.gate.rules.sequential import RuleWalk, rules_in
from llmeval.gate.rules.these_cases import FixedCasesTest, fixed_cases_test
from llmeval.gate.rules.unpaired import unpaired_rules
from llmeval.stats.sequential.design import TestDesign
from llmeval.stats.sequential.gate_test import TestVerdict, decide, tipping_point

MAX_FELL = 10


@dataclass(frozen=True)
class RegressionTest:
    """One rule with its data and the test's verdict. `planned`: the pairs there would have been
    without stopping early.
    """

    rule: RegressionRule
    pairs: PairedCases
    plan: TestDesign
    verdict: TestVerdict
    planned: int = 0
    classes: dict[str, PairClass] | None = None
    """What the judge says of both answers of each pair, where people's labels could decide the
    rule.
    """


class _StatedRule(NamedTuple):
    """A rule with its data; or what it comes to without."""

    test: RegressionTest | FixedCasesTest | LabelledRegression | NumberComparison | RuleDecision
    baseline: BaselineLock
    policy: OnInconclusive | None = None
    """What it means for the exit code where it is INCONCLUSIVE."""

    def decided(self, level: float) -> RuleDecision:
        """The decision. `level`: of its FAIL."""
        if isinstance(self.test, RegressionTest):
            decision = decided(self.test, self.baseline, level)
        elif isinstance(self.test, RuleDecision):
            decision = self.test
        else:
            decision = self.test.decided(level)
        return structs.replace(decision, on_inconclusive=self.policy)


def regression_rules(aggregate: RunAggregate, manifest: Manifest) -> list[Rule]:
    """The gate's rules of regression, each to be decided at a level; INVALID, with what to do,
    where the runs can't be compared."""
    rule = manifest.gate.regression
    if rule is None:
        return []
    baseline = named_baseline(aggregate, rule)
    if isinstance(baseline, RuleDecision):
        return [lambda _: baseline]
    if not rule.paired:
        return unpaired_rules(aggregate, manifest, baseline)
    rules = _against(aggregate, manifest, baseline)
    if manifest.gate.release_margins:
        if baseline.release is None:
            rules.append(_StatedRule(no_release(baseline, rule.baseline or ""), baseline))
        else:
            rules += _against(aggregate, manifest, baseline.release, release=True)
    gone = gone_of(aggregate, manifest, baseline)
    return [
        *(each.decided for each in rules),
        *improvement_rules(aggregate, manifest, baseline, gone),
    ]


def _against(
    aggregate: RunAggregate, manifest: Manifest, baseline: BaselineLock, *, release: bool = False
) -> list[_StatedRule]:
    """The rules about one baseline, which may be the release, with their data."""
    gone = gone_of(aggregate, manifest, baseline)
    again = name_release(aggregate) if release else approve_command(aggregate)
    missed = gone_rule(gone, manifest, baseline, again)
    rules = [] if missed is None else [_StatedRule(missed, baseline)]
    for compared in comparisons(aggregate, manifest, baseline, release=release):
        if isinstance(compared, RuleDecision):
            rules.append(_StatedRule(compared, baseline))
        elif isinstance(compared, NumberRule):
            numbers = compare_numbers(aggregate, manifest, baseline, compared, gone)
            rules.append(_numbers(numbers, baseline, compared))
        else:
            test = _question(aggregate, manifest, baseline, compared, gone)
            if isinstance(test, RuleDecision):
                test = structs.replace(test, rule=compared.kind)
            rules.append(_StatedRule(test, baseline, compared.on_inconclusive))
    return rules


def _numbers(
    compared: NumberComparison | str, baseline: BaselineLock, rule: NumberRule
) -> _StatedRule:
    if isinstance(compared, NumberComparison):
        return _StatedRule(compared, baseline, rule.threshold.on_inconclusive)
    decision = nothing_compared(rule.ref.label, baseline, compared, rule.slice_)
    return _StatedRule(structs.replace(decision, rule=rule.kind), baseline)


def _question(
    aggregate: RunAggregate,
    manifest: Manifest,
    baseline: BaselineLock,
    compared: RegressionRule,
    gone: MissingCases,
) -> RegressionTest | FixedCasesTest | LabelledRegression | RuleDecision:
    """The rule's test, carried out; or why there is nothing to test."""
    gate = manifest.gate
    if gate.about == "these_cases":
        pairs = pair(aggregate, baseline, compared.metric, compared.where, gone=gone)
        if reason := dropped_reason(pairs.dropped, gate, compared.name, baseline):
            return nothing_compared(compared.metric, baseline, reason, compared.slice_)
        test = fixed_cases_test(aggregate, gate, baseline, compared, pairs)
        if isinstance(test, FixedCasesTest):
            return test
        return nothing_compared(compared.metric, baseline, test, compared.slice_)
    early = manifest.may_stop and compared.untrusted is None
    walk = walk_of(aggregate, manifest, baseline, compared) if early else None
    if walk is not None:
        walk.advance()
    used = None if walk is None else set(walk.used)
    passes = compared.passes
    pairs = pair(aggregate, baseline, compared.metric, compared.where, used, gone, passes=passes)
    if reason := dropped_reason(pairs.dropped, gate, compared.name, baseline):
        return nothing_compared(compared.metric, baseline, reason, compared.slice_)
    compared = replace(compared, note=sample_note(gone, manifest) + compared.note)
    if not pairs.differences:
        reason = (
            f"{compared.name}: no case is in both this run and the {compared_with(compared.kind)}"
            f" {baseline.run_id}{pairs.left_out()}."
        )
        again = name_release if compared.kind == RELEASE else approve_command
        reason += f" Approve a run of these cases: {again(aggregate)}"
        return nothing_compared(compared.metric, baseline, reason, compared.slice_)
    if compared.judged and not compared.judge_scale:
        by_people = labelled_regression(aggregate, manifest, baseline, compared, pairs)
        if isinstance(by_people, LabelledRegression):
            return by_people
        compared = replace(compared, note=compared.note + by_people)
    if aggregate.earlier:
        pool = pool_of(aggregate.earlier, compared.metric, passed=passes)
        pairs = with_attempts(pairs, aggregate, baseline, compared.metric, pool, passes=passes)
        compared = replace(compared, note=pooled_note(aggregate.earlier) + compared.note)
    verdict = None if walk is None else walk.verdict()
    if walk is None or walk.test is None or verdict is None:
        classes = None
        if compared.kind != RELEASE:  # labels are drawn to compare with the rolling baseline
            classes = classes_for(aggregate, manifest, baseline, compared.metric, pairs.cases)
        return replace(evaluate(compared, pairs, gate.alpha, gate.beta), classes=classes)
    return RegressionTest(compared, pairs, walk.test.plan, verdict, walk.planned)


def walk_of(
    aggregate: RunAggregate, manifest: Manifest, baseline: BaselineLock, compared: RegressionRule
) -> RuleWalk:
    """The rule's way through the planned cases that the baseline has too."""
    metric, kept = compared.metric, baseline.cases
    before = baseline.results(metric, passes=compared.passes)
    now = aggregate.case_digests(planned=True)
    groups = [
        [name for name in names if name in before and kept.get(name) == now[name]]
        for names in aggregate.planned(compared.where)
    ]

    def value(name: str) -> float | None:
        result = aggregate.result(metric, name)
        return None if result is None else result.score(compared.passes) - before[name]

    gate = manifest.gate
    rules = rules_in(gate)
    return RuleWalk(
        aggregate,
        [names for names in groups if names],
        value,
        partial(compared.plan, gate.alpha, gate.beta, rules=rules),
        baseline.gaps(metric),
    )


def evaluate(
    compared: RegressionRule, pairs: PairedCases, alpha: float, beta: float
) -> RegressionTest:
    """The test of one rule on all its pairs, read once, at the gate's error rates."""
    sizes = Counter(pairs.clusters)
    plan = compared.plan(alpha, beta, len(sizes), len(pairs.differences), max(sizes.values()))
    least = pairs.least or pairs.differences
    verdict = decide(plan, least, pairs.clusters, pairs.most or None)
    return RegressionTest(compared, pairs, plan, verdict)


def decided(question: RegressionTest, baseline: BaselineLock, level: float) -> RuleDecision:
    """The rule's decision. `level`: of its FAIL, where all rules together have alpha."""
    plan, pairs, rule = question.plan, question.pairs, question.rule
    if rule.untrusted is not None:
        decision = Decision.INCONCLUSIVE
    elif question.verdict.p_fail <= level:
        decision = Decision.FAIL
    else:
        decision = (
            Decision.PASS if question.verdict.p_pass <= plan.rates[1] else Decision.INCONCLUSIVE
        )
    verdict = replace(question.verdict, decision=decision)
    return RuleDecision(
        rule=rule.kind,
        metric=f"{rule.metric} pass" if rule.passes else rule.metric,
        slice=rule.slice_,
        decision=decision,
        estimate=verdict.estimate,
        low=verdict.low,
        high=verdict.high,
        threshold=rule.margin,
        baseline=baseline.run_id,
        reason=regression_reason(question, verdict, baseline.run_id, level),
        level=1 - plan.alpha,
        n=len(pairs.differences),
        tipping_point=(
            tipping_point(verdict, plan) if decision in (Decision.PASS, Decision.FAIL) else None
        ),
        assumptions=regression_assumptions(question),
        fell=tuple(pairs.fell[:MAX_FELL]),
        judge_scale=rule.judge_scale,
    )
