"""The sentences of a regression rule."""

import math
from typing import TYPE_CHECKING

from llmeval.core.baseline_lock import BaselineLock
from llmeval.core.formatting import percent_of, points
from llmeval.core.results import REPRESENTATIVE, Decision
from llmeval.gate.rules.floors import LOST_DECIDE, LOST_WORST
from llmeval.gate.rules.regression_hints import JudgeLabels, cases_needed, regression_hint
from llmeval.gate.rules.threshold import UNTRUSTED
from llmeval.stats.sequential.design import TestDesign
from llmeval.stats.sequential.gate_test import TestVerdict

if TYPE_CHECKING:
    from llmeval.gate.rules.regression import RegressionTest


def regression_reason(
    question: "RegressionTest", verdict: TestVerdict, run_id: str, level: float
) -> str:
    """The sentence of a regression rule: what the pairs show, and what follows from it.

    Args:
        question: the rule with its pairs.
        verdict: the decision of its test.
        run_id: the baseline's.
        level: the level of its FAIL, with all rules taken together.
    """
    pairs, plan, rule = question.pairs, question.plan, question.rule
    lost = f", {pairs.lost} of them missing" if pairs.lost else ""
    seen = (
        f"{rule.name} {_moved(verdict.estimate)} ({_bounds(verdict, plan)}) on"
        f" {len(pairs.differences):,} paired cases"
    )
    margin = f"the margin is {points(rule.margin)}"
    if rule.youden < 1:
        margin += (
            f", {points(rule.margin * rule.youden)} as this judge sees them (its J is at least"
            f" {rule.youden:.2f})"
        )
    flips = f"{len(pairs.fell):,} fell, {pairs.rose:,} rose"
    stopped = (
        f" Decided early: {question.planned:,} were planned."
        if len(pairs.differences) < question.planned
        else ""
    )
    follows, left_out = (
        _follows(question, verdict, run_id, level),
        pairs.left_out(" Not compared: ", "."),
    )
    return f"{seen}{lost}: {flips}; {margin}.{follows}{stopped}{left_out}{rule.note}"


def _follows(question: "RegressionTest", verdict: TestVerdict, run_id: str, level: float) -> str:
    against = "release" if question.rule.kind == "release" else "baseline"
    if verdict.decision is Decision.FAIL:
        sure = percent_of(1 - level)
        return f" At {sure} confidence the candidate is worse than the {against} {run_id}."
    if verdict.decision is Decision.PASS:
        return (
            f" A drop of the margin or more from the {against} {run_id} is ruled out"
            f" at {percent_of(1 - question.plan.beta)} confidence."
        )
    if question.rule.untrusted is not None:
        return UNTRUSTED.format(question.rule.untrusted)
    pairs = question.pairs
    if pairs.lost and cases_needed(pairs, question.plan, level) <= len(pairs.differences) + 1:
        return f" {LOST_DECIDE.format(f'{pairs.lost:,}')}."
    rule = question.rule
    judge = None if rule.labels is None else JudgeLabels(rule.labels, rule.spent, rule.margin)
    return f" These cases can't tell{regression_hint(pairs, question.plan, level, judge)}"


def regression_assumptions(question: "RegressionTest") -> tuple[str, ...]:
    """What must be true for the decision of the rule to keep its error rates."""
    clusters = len(set(question.pairs.clusters))
    alone = clusters == len(question.pairs.clusters)
    made = [
        (
            "cases are independent of each other"
            if alone
            else f"the {clusters:,} clusters are independent of each other"
        )
    ]
    made.append(REPRESENTATIVE)
    if question.planned:
        made.append("the cases run in a random order")
    if question.pairs.lost:
        made.append(LOST_WORST)
    if question.rule.judged and not question.rule.judge_scale:
        made.append("the judge errs alike on both sides")
    return tuple(made)


def mean_note(baseline: BaselineLock, metric: str) -> str:
    """A sentence about a baseline of several runs; empty for one run."""
    if baseline.run_count < 2:
        return ""
    told = f" Each case's baseline is its mean over {baseline.run_count} runs."
    gaps = baseline.gaps(metric)
    if not gaps:
        return told
    some = "1 case has" if len(gaps) == 1 else f"{len(gaps):,} cases have"
    return (
        f"{told} {some} no result in some of them, which may have been anything: each bound takes"
        " the worst for its own claim."
    )


def _moved(difference: float) -> str:
    if abs(difference) < 0.0005:
        return "did not move"
    return f"{'rose' if difference > 0 else 'fell'} by {points(abs(difference))}"


def _bounds(verdict: TestVerdict, plan: TestDesign) -> str:
    low, high = f"{100 * verdict.low:+.1f}", f"{100 * verdict.high:+.1f}"
    if math.isclose(plan.alpha, plan.beta):
        return f"{percent_of(1 - plan.alpha)} bounds {low} to {high}"
    return f"bounds {low} at {percent_of(1 - plan.beta)} and {high} at {percent_of(1 - plan.alpha)}"
