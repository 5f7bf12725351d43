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
from pathlib import Path

from msgspec import structs

from llmeval.core.baseline_lock import BaselineLock
from llmeval.core.errors import LlmevalError
from llmeval.core.manifest import Manifest
from llmeval.core.metric_ref import parse_metric_ref, slice_label
from llmeval.core.results import Decision, RuleDecision
from llmeval.gate.aggregate import RunAggregate
from llmeval.gate.baseline import read_baseline, scorer_digest
from llmeval.gate.baseline_runs import second_moment
from llmeval.gate.holm import Rule
from llmeval.gate.missing_cases import MissingCases, gone_of, gone_rule, sample_note
from llmeval.gate.pairs import PairedCases, pair, with_attempts
from llmeval.gate.rules.judged_floors import label_counts
from llmeval.gate.rules.pooled import pool_of, pooled_note
from llmeval.gate.rules.regression_words import (
    mean_note,
    regression_assumptions,
    regression_reason,
)
from llmeval.gate.rules.release import name_release, no_release, of_release
from llmeval.gate.rules.sequential import RuleWalk, rules_in
from llmeval.gate.rules.these_cases import FixedCasesTest, fixed_cases_test
from llmeval.gate.rules.threshold import (
    Threshold,
    distrust_of,
    margins_in,
    own_scale_note,
)
from llmeval.stats.estimation.agreement import youden_lower
from llmeval.stats.estimation.label_counts import LabelCounts
from llmeval.stats.sequential.design import TestDesign, regression
from llmeval.stats.sequential.gate_test import TestVerdict, decide, tipping_point

MAX_FELL = 10
J_SHARE = 5
"""Of the rate of a wrong PASS one part in so many may be spent on the lower bound of the judge's
J.
"""


@dataclass(frozen=True)
class RegressionRule:
    """One rule before its data: a metric over a slice beside its baseline, by a margin."""

    name: str
    metric: str
    where: tuple[str, str] | None
    margin: float
    youden: float
    """The lower bound of the judge's J; 1 for checks, and on the judge's own scale."""
    spent: float
    """The error rate spent on that bound."""
    judged: bool
    untrusted: str | None
    """Why the judge is not trusted, and the way out: the rule is INCONCLUSIVE then. None on the
    judge's own scale.
    """
    judge_scale: bool = False
    note: str = ""
    """A sentence that the reason ends with."""

    labels: LabelCounts | None = None
    """The labels behind the bound of J; None for checks, and on the judge's own scale."""
    moment: float | None = None
    """E d^2 expected without a drop, where the baseline is the mean of several runs."""
    kind: str = "regression"
    """The rule's name in records: `regression`, or `release` where the baseline is the release."""

    @property
    def slice_(self) -> str | None:
        """The slice as records name it."""
        return None if self.where is None else slice_label(self.where)

    def plan(
        self, alpha: float, beta: float, units: int, cases: int, largest: int, *, rules: int = 0
    ) -> TestDesign:
        """The test of this rule.

        Args:
            alpha, beta: the gate's error rates.
            units: clusters. cases: pairs. largest: cases in the largest cluster.
            rules: the number of rules that share alpha, of a run that may stop early; 0 for a run
                that is read once, at the end.

        Each of several rules that may stop the run has its share of alpha, so that none stops
        before it could fail alone; Holm's procedure at the end can only fail more
        (`stats.tests.multiplicity`).
        """
        return regression(
            units=units,
            cases=cases,
            largest=largest,
            margin=self.margin,
            alpha=alpha / max(1, rules),
            beta=beta,
            j_lower=self.youden,
            j_alpha=self.spent,
            sequential=rules > 0,
            moment=self.moment,
        )


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


def regression_rules(tally: RunAggregate, manifest: Manifest) -> list[Rule]:
    """The gate's rules of regression, each to be decided at a level; INVALID, with what to do,
    where the runs can't be compared."""
    asked = _asked(tally, manifest)
    return [partial(_at, each) for each in asked]


_Asked = tuple[RegressionTest, BaselineLock] | FixedCasesTest | RuleDecision


def _at(asked: _Asked, level: float) -> RuleDecision:
    if isinstance(asked, FixedCasesTest):
        return asked.decided(level)
    return asked if isinstance(asked, RuleDecision) else decided(*asked, level)


def _asked(tally: RunAggregate, manifest: Manifest) -> list[_Asked]:
    rule = manifest.gate.regression
    if rule is None:
        return []
    if rule.baseline is None:
        return [_invalid(None, None, "The gate compares with a baseline, and names none.")]
    path = Path(rule.baseline)
    try:
        if not path.exists():
            return [
                _invalid(
                    None,
                    None,
                    f"There is no baseline at {path}. To make this run one: {_approve(tally)}",
                )
            ]
        baseline = read_baseline(path)
    except LlmevalError as error:
        return [_invalid(None, None, str(error))]
    if baseline.expired():
        until = baseline.approved.expires if baseline.approved is not None else None
        told = (
            f"The baseline {baseline.run_id} expired on {until}. Approve a run anew:"
            f" {_approve(tally)}"
        )
        return [_invalid(None, baseline, told)]
    return [
        *_against(tally, manifest, baseline, comparisons(manifest, baseline), _approve(tally)),
        *_since_release(tally, manifest, baseline),
    ]


def _since_release(tally: RunAggregate, manifest: Manifest, baseline: BaselineLock) -> list[_Asked]:
    if not manifest.gate.release_margins:
        return []
    if baseline.release is None:
        return [no_release(tally, baseline)]
    rules = comparisons(manifest, baseline.release, release=True)
    return _against(tally, manifest, baseline.release, rules, name_release(tally))


def _against(
    tally: RunAggregate,
    manifest: Manifest,
    baseline: BaselineLock,
    rules: list["RegressionRule | RuleDecision"],
    again: str,
) -> list[_Asked]:
    """Rules with their data. `again`: the command that makes this run what they compare with."""
    gone = gone_of(tally, manifest, baseline)
    missed = gone_rule(gone, manifest, baseline, again)
    asked: list[_Asked] = [] if missed is None else [missed]
    for compared in rules:
        made = (
            _question(tally, manifest, baseline, compared, gone)
            if isinstance(compared, RegressionRule)
            else compared
        )
        if isinstance(made, RuleDecision) and isinstance(compared, RegressionRule):
            made = structs.replace(made, rule=compared.kind)
        asked.append((made, baseline) if isinstance(made, RegressionTest) else made)
    return asked


def _approve(tally: RunAggregate) -> str:
    return f"`llmeval baseline approve {tally.path} --by NAME --reason TEXT`."


def _invalid(
    metric: str | None, baseline: BaselineLock | None, reason: str, slice_: str | None = None
) -> RuleDecision:
    run_id = None if baseline is None else baseline.run_id
    return RuleDecision(
        rule="regression",
        metric=metric,
        slice=slice_,
        decision=Decision.INVALID,
        baseline=run_id,
        reason=reason,
    )


def comparisons(
    manifest: Manifest, baseline: BaselineLock, *, release: bool = False
) -> list[RegressionRule | RuleDecision]:
    """The rules of regression, in the suite's order; INVALID ones where something else scored the
    baseline. `release`: whether the baseline is the release.
    """
    margins = margins_in(manifest.gate.release_margins if release else manifest.gate.margins)
    made = [_comparison(manifest, baseline, key, margin) for key, margin in margins.items()]
    return [of_release(each) for each in made] if release else made


def _comparison(
    manifest: Manifest, baseline: BaselineLock, key: str, margin: Threshold
) -> RegressionRule | RuleDecision:
    metric, where = parse_metric_ref(key)
    slice_ = None if where is None else slice_label(where)
    name = metric if slice_ is None else f"{metric} on {slice_}"
    kept, judge = baseline.metrics.get(metric), manifest.judges.get(metric)
    anew = (
        "Run with --rejudge: the baseline's stored answers are scored by today's judges and"
        f" checks, and compared with; or score them (`llmeval score {baseline.run_id}`) and approve"
        " that run."
    )
    if kept is None:
        return _invalid(
            metric,
            baseline,
            f"{name}: the baseline {baseline.run_id} has no such metric. {anew}",
            slice_,
        )
    if kept.scorer != scorer_digest(manifest, metric):
        what = "judge" if judge is not None else "check"
        told = (
            f"{name}: the {what} is not the one that scored the baseline {baseline.run_id}, so a"
            " difference may be its own."
        )
        return _invalid(metric, baseline, f"{told} {anew}", slice_)
    moment, mean = second_moment(baseline, metric), mean_note(baseline, metric)
    if margin.judge_scale:
        note = own_scale_note(manifest, metric) + mean
        return RegressionRule(
            name, metric, where, margin.value, 1.0, 0.0, judge is not None, None, True, note,
            moment=moment,
        )  # fmt: skip
    untrusted = distrust_of(manifest, metric)
    labels = None if judge is None or judge.labels is None else label_counts(judge.labels)
    youden, spent = scale(labels, manifest.gate.beta) if untrusted is None else (1.0, 0.0)
    return RegressionRule(
        name, metric, where, margin.value, youden, spent, judge is not None, untrusted,
        labels=labels if untrusted is None else None, moment=moment, note=mean,
    )  # fmt: skip


def _question(
    tally: RunAggregate,
    manifest: Manifest,
    baseline: BaselineLock,
    compared: RegressionRule,
    gone: MissingCases,
) -> RegressionTest | FixedCasesTest | RuleDecision:
    """The rule's test, carried out; or why there is nothing to test."""
    gate = manifest.gate
    if gate.about == "these_cases":
        pairs = pair(tally, baseline, compared.metric, compared.where, gone=gone)
        made = fixed_cases_test(tally, gate, baseline, compared, pairs)
        if isinstance(made, FixedCasesTest):
            return made
        return _invalid(compared.metric, baseline, made, compared.slice_)
    early = manifest.may_stop and compared.untrusted is None
    walk = walk_of(tally, manifest, baseline, compared) if early else None
    if walk is not None:
        walk.advance()
    used = None if walk is None else set(walk.used)
    pairs = pair(tally, baseline, compared.metric, compared.where, used, gone)
    compared = replace(compared, note=sample_note(gone, manifest) + compared.note)
    if not pairs.differences:
        told = (
            f"{compared.name}: no case is in both this run and the baseline"
            f" {baseline.run_id}{pairs.left_out()}."
        )
        told += f" Approve a run of these cases: {_approve(tally)}"
        return _invalid(compared.metric, baseline, told, compared.slice_)
    if tally.earlier:
        pool = pool_of(tally.earlier, compared.metric)
        pairs = with_attempts(pairs, tally, baseline, compared.metric, pool)
        compared = replace(compared, note=pooled_note(tally.earlier) + compared.note)
    verdict = None if walk is None else walk.verdict()
    if walk is None or walk.test is None or verdict is None:
        return ask(compared, pairs, gate.alpha, gate.beta)
    return RegressionTest(compared, pairs, walk.test.plan, verdict, walk.planned)


def walk_of(
    tally: RunAggregate, manifest: Manifest, baseline: BaselineLock, compared: RegressionRule
) -> RuleWalk:
    """The rule's way through the planned cases that the baseline has too."""
    before, kept, metric = baseline.results(compared.metric), baseline.cases, compared.metric
    now = tally.case_digests(planned=True)
    groups = [
        [name for name in names if name in before and kept.get(name) == now[name]]
        for names in tally.planned(compared.where)
    ]

    def value(name: str) -> float | None:
        result = tally.result(metric, name)
        return None if result is None else result.value - before[name]

    gate = manifest.gate
    rules = rules_in(gate)
    return RuleWalk(
        tally,
        [names for names in groups if names],
        value,
        partial(compared.plan, gate.alpha, gate.beta, rules=rules),
        baseline.gaps(metric),
    )


def ask(compared: RegressionRule, pairs: PairedCases, alpha: float, beta: float) -> RegressionTest:
    """The test of one rule on all its pairs, read once, at the gate's error rates."""
    sizes = Counter(pairs.clusters)
    plan = compared.plan(alpha, beta, len(sizes), len(pairs.differences), max(sizes.values()))
    least = pairs.least or pairs.differences
    verdict = decide(plan, least, pairs.clusters, pairs.most or None)
    return RegressionTest(compared, pairs, plan, verdict)


def scale(counts: LabelCounts | None, beta: float) -> tuple[float, float]:
    """The lower bound of the judge's J from the labels behind its certificate, and the rate of
    error spent on it.
    """
    if counts is None:
        return 1.0, 0.0
    spent = beta / J_SHARE
    return max(youden_lower(counts, spent), 0.01), spent


def decided(question: RegressionTest, baseline: BaselineLock, level: float) -> RuleDecision:
    """The rule's decision. `level`: of its FAIL, where all rules together have alpha."""
    plan, pairs, rule = question.plan, question.pairs, question.rule
    if rule.untrusted is not None:
        found = Decision.INCONCLUSIVE
    elif question.verdict.p_fail <= level:
        found = Decision.FAIL
    else:
        found = Decision.PASS if question.verdict.p_pass <= plan.rates[1] else Decision.INCONCLUSIVE
    verdict = replace(question.verdict, decision=found)
    return RuleDecision(
        rule=rule.kind,
        metric=rule.metric,
        slice=rule.slice_,
        decision=found,
        estimate=verdict.estimate,
        low=verdict.low,
        high=verdict.high,
        threshold=rule.margin,
        baseline=baseline.run_id,
        reason=regression_reason(question, verdict, baseline.run_id, level),
        level=1 - plan.alpha,
        n=len(pairs.differences),
        tipping_point=(
            tipping_point(verdict, plan) if found in (Decision.PASS, Decision.FAIL) else None
        ),
        assumptions=regression_assumptions(question),
        fell=tuple(pairs.fell[:MAX_FELL]),
        judge_scale=rule.judge_scale,
    )
