"""Regression: is the candidate certainly worse than the baseline, certainly not worse by the
margin, or can't these cases tell?

Both sides answered the same cases, so what is tested is the mean of the differences, candidate
minus baseline, case by
case (`stats.sequential.gate_test`): FAIL when it is below 0 for sure, PASS when it is above -margin
for sure. Over all rules Holm's procedure keeps the probability of any wrong FAIL at alpha; PASS
needs every rule at beta (`stats.tests.multiplicity`).
"""

from collections import Counter
from dataclasses import dataclass, replace
from functools import partial

from msgspec import structs

from llmeval.core.baseline_lock import BaselineLock
from llmeval.core.gate_record import OnInconclusive
from llmeval.core.manifest import Manifest
from llmeval.core.metric_ref import slice_label
from llmeval.core.numbers import parse_number
from llmeval.core.results import Decision, RuleDecision
from llmeval.gate.aggregate import RunAggregate
from llmeval.gate.baseline import scorer_digest
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
from llmeval.gate.rules.expand import ExpandedMargin, margins_of_run, metrics_of
from llmeval.gate.rules.judge_arms import allowed_shift, other_answers, scale
from llmeval.gate.rules.judged_floors import label_counts
from llmeval.gate.rules.labelled_regression import LabelledRegression, labelled_regression
from llmeval.gate.rules.named_baseline import (
    approve_command,
    named_baseline,
    nothing_compared,
)
from llmeval.gate.rules.number_regression import NumberComparison, NumberRule, compare_numbers
from llmeval.gate.rules.pooled import pool_of, pooled_note
from llmeval.gate.rules.regression_words import regression_assumptions, regression_reason
from llmeval.gate.rules.sequential import RuleWalk, rules_in
from llmeval.gate.rules.these_cases import FixedCasesTest, fixed_cases_test
from llmeval.gate.rules.threshold import (
    distrust_of,
    margins_in,
    own_scale_note,
)
from llmeval.stats.estimation.label_counts import LabelCounts
from llmeval.stats.sequential.design import TestDesign, regression
from llmeval.stats.sequential.gate_test import TestVerdict, decide, tipping_point

MAX_FELL = 10


@dataclass(frozen=True)
class RegressionRule:
    """One rule before its data: a metric over a slice, its baseline, and a margin."""

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
    passes: bool = False
    """Whether the rule is about the pass rate, and not about the mean."""
    on_inconclusive: OnInconclusive | None = None
    shift: float = 0.0
    """By how much the judge's sensitivity and specificity may differ between the two sides
    (`gate.judge_shift`); 0 for checks, and on the judge's own scale.
    """

    labels_of: str = ""
    """The systems whose answers these labels are of, where this run's is not among them."""

    @property
    def judged_margin(self) -> float:
        """The margin on the scale of the judge's verdicts: J times it, less what the judge may
        favour the candidate by. Negative where a judged rise is needed.
        """
        return self.margin * self.youden - self.shift

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
            shift=self.shift,
            sequential=rules > 0,
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
    classes: dict[str, PairClass] | None = None
    """What the judge says of both answers of each pair, where people's labels could decide the
    rule.
    """


def regression_rules(aggregate: RunAggregate, manifest: Manifest) -> list[Rule]:
    """The gate's rules of regression, each to be decided at a level; INVALID, with what to do,
    where the runs can't be compared."""
    return [partial(_stated_at, *each) for each in _asked(aggregate, manifest)]


def _stated_at(asked: "_Asked", policy: OnInconclusive | None, level: float) -> RuleDecision:
    return structs.replace(_at(asked, level), on_inconclusive=policy)


_Asked = (
    tuple[RegressionTest, BaselineLock]
    | FixedCasesTest
    | LabelledRegression
    | NumberComparison
    | RuleDecision
)


def _at(asked: _Asked, level: float) -> RuleDecision:
    if isinstance(asked, FixedCasesTest | LabelledRegression | NumberComparison):
        return asked.decided(level)
    return asked if isinstance(asked, RuleDecision) else decided(*asked, level)


def _asked(
    aggregate: RunAggregate, manifest: Manifest
) -> list[tuple[_Asked, OnInconclusive | None]]:
    """The rules with their data, and what each means for the exit code where it is INCONCLUSIVE."""
    rule = manifest.gate.regression
    if rule is None:
        return []
    baseline = named_baseline(aggregate, rule)
    if isinstance(baseline, RuleDecision):
        return [(baseline, None)]
    gone = gone_of(aggregate, manifest, baseline)
    missed = gone_rule(gone, manifest, baseline, approve_command(aggregate))
    asked: list[tuple[_Asked, OnInconclusive | None]] = [] if missed is None else [(missed, None)]
    for compared in comparisons(aggregate, manifest, baseline):
        if isinstance(compared, RegressionRule):
            made = _question(aggregate, manifest, baseline, compared, gone)
            one: _Asked = (made, baseline) if isinstance(made, RegressionTest) else made
            asked.append((one, compared.on_inconclusive))
        elif isinstance(compared, NumberRule):
            numbers = compare_numbers(aggregate, manifest, baseline, compared, gone)
            if isinstance(numbers, str):
                asked.append(
                    (nothing_compared(compared.ref.label, baseline, numbers, compared.slice_), None)
                )
            else:
                asked.append((numbers, compared.threshold.on_inconclusive))
        else:
            asked.append((compared, None))
    return asked


def comparisons(
    aggregate: RunAggregate, manifest: Manifest, baseline: BaselineLock
) -> list[RegressionRule | NumberRule | RuleDecision]:
    """The rules of regression, in the suite's order; INVALID ones where something else scored the
    baseline, and for a key with `*` that names nothing.
    """
    rules, empty = margins_of_run(aggregate, manifest, baseline, margins_in(manifest.gate.margins))
    return [
        *(_comparison(aggregate, manifest, baseline, rule) for rule in rules),
        *(
            nothing_compared(key, baseline, f"{key}: it names no metric or slice of this run.")
            for key in empty
        ),
    ]


def _comparison(
    aggregate: RunAggregate, manifest: Manifest, baseline: BaselineLock, rule: ExpandedMargin
) -> RegressionRule | NumberRule | RuleDecision:
    (metric, where, passes), margin = rule.key, rule.threshold
    slice_ = None if where is None else slice_label(where)
    shown = rule.key.name
    name = shown if slice_ is None else f"{shown} on {slice_}"
    if baseline.digests.conversation != manifest.digests.conversation:
        other = (
            f"{name}: the conversation (`turns`, `until`, `max_turns`, `user`) is not that of the"
            f" baseline {baseline.run_id}, so the answers are not to the same messages. Approve a"
            " baseline with this conversation."
        )
        return nothing_compared(metric, baseline, other, slice_)
    if metric not in metrics_of(aggregate, manifest):
        ref = parse_number(metric, aggregate.numbers.names)
        if ref is not None:
            return NumberRule(ref, where, margin)
    kept, judge = baseline.metrics.get(metric), manifest.judges.get(metric)
    anew = (
        "Run with --rejudge: the baseline's stored answers are scored by today's judges and"
        f" checks, and compared with; or score them (`llmeval score {baseline.run_id}`) and approve"
        " that run."
    )
    if kept is None:
        return nothing_compared(
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
        return nothing_compared(metric, baseline, f"{told} {anew}", slice_)
    if passes and not kept.tells_passes:
        told = f"{name}: the baseline {baseline.run_id} does not hold which cases passed."
        return nothing_compared(metric, baseline, f"{told} {anew}", slice_)
    if margin.judge_scale:
        note = own_scale_note(manifest, metric)
        scored = RegressionRule(
            name, metric, where, margin.value, 1.0, 0.0, judge is not None, None, True, note
        )
        return replace(scored, passes=passes, on_inconclusive=margin.on_inconclusive)
    untrusted = distrust_of(manifest, metric)
    labels = None if judge is None or judge.labels is None else label_counts(judge.labels)
    youden, spent = scale(labels, manifest.gate.beta) if untrusted is None else (1.0, 0.0)
    judged = judge is not None and untrusted is None
    shift, note = allowed_shift(manifest, baseline, metric) if judged else (0.0, "")
    scored = RegressionRule(
        name, metric, where, margin.value, youden, spent, judge is not None, untrusted
    )
    return replace(
        scored,
        labels=labels if judged else None,
        shift=shift,
        note=note,
        labels_of=other_answers(manifest, metric) if judged else "",
        passes=passes,
        on_inconclusive=margin.on_inconclusive,
    )


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
        if told := dropped_reason(pairs.dropped, gate, compared.name, baseline):
            return nothing_compared(compared.metric, baseline, told, compared.slice_)
        made = fixed_cases_test(aggregate, gate, baseline, compared, pairs)
        if isinstance(made, FixedCasesTest):
            return made
        return nothing_compared(compared.metric, baseline, made, compared.slice_)
    early = manifest.may_stop and compared.untrusted is None
    walk = walk_of(aggregate, manifest, baseline, compared) if early else None
    if walk is not None:
        walk.advance()
    used = None if walk is None else set(walk.used)
    passes = compared.passes
    pairs = pair(aggregate, baseline, compared.metric, compared.where, used, gone, passes=passes)
    if told := dropped_reason(pairs.dropped, gate, compared.name, baseline):
        return nothing_compared(compared.metric, baseline, told, compared.slice_)
    compared = replace(compared, note=sample_note(gone, manifest) + compared.note)
    if not pairs.differences:
        told = (
            f"{compared.name}: no case is in both this run and the baseline"
            f" {baseline.run_id}{pairs.left_out()}."
        )
        told += f" Approve a run of these cases: {approve_command(aggregate)}"
        return nothing_compared(compared.metric, baseline, told, compared.slice_)
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
        found = Decision.INCONCLUSIVE
    elif question.verdict.p_fail <= level:
        found = Decision.FAIL
    else:
        found = Decision.PASS if question.verdict.p_pass <= plan.rates[1] else Decision.INCONCLUSIVE
    verdict = replace(question.verdict, decision=found)
    return RuleDecision(
        rule="regression",
        metric=f"{rule.metric} pass" if rule.passes else rule.metric,
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
