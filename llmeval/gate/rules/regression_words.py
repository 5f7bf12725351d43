"""The sentences of a regression rule."""

import math
from typing import TYPE_CHECKING

from llmeval.core.formatting import percent_of, points
from llmeval.core.results import REPRESENTATIVE, Decision
from llmeval.gate.rules.floors import MISSING_DECIDE, MISSING_WORST
from llmeval.gate.rules.label_hints import SAMPLE, label_hint
from llmeval.gate.rules.labelled_regression import FIRST_DRAW
from llmeval.gate.rules.regression_hints import JudgeLabels, cases_needed, regression_hint
from llmeval.gate.rules.release import compared_with
from llmeval.gate.rules.threshold import UNTRUSTED
from llmeval.stats.label_size import LabelTerms
from llmeval.stats.sequential.design import TestDesign
from llmeval.stats.sequential.gate_test import TestVerdict

if TYPE_CHECKING:
    from llmeval.gate.rules.regression import RegressionTest
    from llmeval.gate.rules.regression_rule import RegressionRule


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
    missing = f", {pairs.missing} of them missing" if pairs.missing else ""
    seen = (
        f"{rule.name} {_moved(verdict.estimate)} ({_bounds(verdict, plan)}) on"
        f" {len(pairs.differences):,} paired cases"
    )
    margin = f"the margin is {points(rule.margin)}"
    if rule.judged and not rule.judge_scale and rule.untrusted is None:
        margin += _as_judged(rule)
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
    return f"{seen}{missing}: {flips}; {margin}.{follows}{stopped}{left_out}{rule.note}"


def _follows(question: "RegressionTest", verdict: TestVerdict, run_id: str, level: float) -> str:
    against = compared_with(question.rule.kind)
    if verdict.decision is Decision.FAIL:
        sure = percent_of(1 - level)
        return f" At {sure} confidence the candidate is worse than the {against} {run_id}."
    if verdict.decision is Decision.PASS:
        return (
            f" A drop of the margin or more from the {against} {run_id} is ruled out"
            f" at {percent_of(1 - question.plan.beta)} confidence."
        )
    if question.rule.untrusted is not None:
        return UNTRUSTED.format(question.rule.untrusted) + _label_hint(question, level)
    pairs = question.pairs
    if pairs.missing and cases_needed(pairs, question.plan, level) <= len(pairs.differences) + 1:
        return f" {MISSING_DECIDE.format(f'{pairs.missing:,}')}."
    rule = question.rule
    judge = (
        None
        if rule.labels is None
        else JudgeLabels(rule.labels, rule.spent, rule.margin, rule.shift)
    )
    hint = regression_hint(pairs, question.plan, level, judge)
    return f" These cases can't tell{hint}{_label_hint(question, level)}"


def _label_hint(question: "RegressionTest", level: float) -> str:
    """How many labels of this run would decide the rule; empty where none could."""
    if question.classes is None:
        return ""
    if len(set(question.pairs.clusters)) < len(question.pairs.clusters):
        # how much labels of a cluster tell is known once they are drawn
        return f" Or labels of this run, without the judge: {SAMPLE}`."
    rule, plan = question.rule, question.plan
    terms = LabelTerms(rule.margin, level * FIRST_DRAW, plan.beta * FIRST_DRAW)
    return label_hint(question.classes, rule.labels, terms)


def regression_assumptions(question: "RegressionTest") -> tuple[str, ...]:
    """What must be true for the decision of the rule to keep its error rates."""
    clusters = len(set(question.pairs.clusters))
    alone = clusters == len(question.pairs.clusters)
    assumptions = [
        (
            "cases are independent of each other"
            if alone
            else f"the {clusters:,} clusters are independent of each other"
        )
    ]
    assumptions.append(REPRESENTATIVE)
    if question.planned:
        assumptions.append("the cases run in a random order")
    if question.pairs.missing:
        assumptions.append(MISSING_WORST)
    rule = question.rule
    if rule.judged and not rule.judge_scale:
        assumptions.append(
            "the judge errs alike on both sides"
            if not rule.shift
            else "the judge's sensitivity and specificity differ by at most"
            f" {points(rule.shift)} between the two sides (`judge_shift`)"
        )
        if rule.labels_of:
            assumptions.append(
                "the judge's J on these answers is not below the bound by its certificate, whose"
                f" labels are of other answers ({rule.labels_of})"
            )
    return tuple(assumptions)


def _as_judged(rule: "RegressionRule") -> str:
    """The margin on the scale of the judge's verdicts, and what it allows for."""
    if rule.youden < 1:
        sees = f" as this judge sees them (its J is at least {rule.youden:.2f})"
    else:
        sees = " as this judge sees them"
    if not rule.shift:
        return (
            f", {points(rule.judged_margin)}{sees}; the judge is assumed to err alike on both"
            " sides (`judge_shift: 0`)"
        )
    allowed = f", less the {points(rule.shift)} that it may differ between the sides"
    if rule.judged_margin <= 0:
        return (
            f", {points(rule.margin * rule.youden)}{sees}{allowed} (`judge_shift`): only a judged"
            " rise can PASS"
        )
    return f", {points(rule.judged_margin)}{sees}{allowed} (`judge_shift`)"


def _moved(difference: float) -> str:
    if abs(difference) < 0.0005:
        return "did not move"
    return f"{'rose' if difference > 0 else 'fell'} by {points(abs(difference))}"


def _bounds(verdict: TestVerdict, plan: TestDesign) -> str:
    low, high = f"{100 * verdict.low:+.1f}", f"{100 * verdict.high:+.1f}"
    if math.isclose(plan.alpha, plan.beta):
        return f"{percent_of(1 - plan.alpha)} bounds {low} to {high}"
    return f"bounds {low} at {percent_of(1 - plan.beta)} and {high} at {percent_of(1 - plan.alpha)}"
