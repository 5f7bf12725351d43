"""The rules of regression before their data: each with its metric, its slice, its margin, and what
the labels behind its judge allow.
"""

from dataclasses import dataclass, replace

from msgspec import structs

from llmeval.core.baseline_lock import BaselineLock
from llmeval.core.gate_record import OnInconclusive
from llmeval.core.manifest import Manifest
from llmeval.core.metric_ref import slice_label
from llmeval.core.numbers import parse_number
from llmeval.core.results import RuleDecision
from llmeval.gate.aggregate import RunAggregate
from llmeval.gate.baseline import scorer_digest
from llmeval.gate.baseline_runs import second_moment
from llmeval.gate.rules.expand import ExpandedMargin, margins_of_run, metrics_of
from llmeval.gate.rules.judge_arms import allowed_shift, other_answers, scale
from llmeval.gate.rules.label_evidence import label_counts
from llmeval.gate.rules.named_baseline import nothing_compared
from llmeval.gate.rules.number_regression import NumberRule
from llmeval.gate.rules.release import RELEASE, compared_with, mean_note
from llmeval.gate.rules.threshold import (
    Threshold,
    distrust_of,
    margins_in,
    own_scale_note,
)
from llmeval.stats.estimation.label_counts import LabelCounts
from llmeval.stats.sequential.design import TestDesign, regression


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
    moment: float | None = None
    """E d^2 expected without a drop, where the baseline is the mean of several runs."""
    kind: str = "regression"
    """The rule's name in records: `regression`, or `release` where the baseline is the release."""
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
            moment=self.moment,
        )


def comparisons(
    aggregate: RunAggregate, manifest: Manifest, baseline: BaselineLock, *, release: bool = False
) -> list[RegressionRule | NumberRule | RuleDecision]:
    """The rules of regression, in the suite's order; INVALID ones where something else scored the
    baseline, and for a key with `*` that names nothing.

    Args:
        aggregate: of the run. manifest: the run's.
        baseline: what it is compared with.
        release: whether that is the release, so that the rules are those of `regression.release`.
    """
    gate = manifest.gate
    stated = margins_in(gate.release_margins if release else gate.margins)
    rules, empty = margins_of_run(aggregate, manifest, baseline, stated)
    kind = RELEASE if release else "regression"
    compared = [
        *(_comparison(aggregate, manifest, baseline, rule, kind) for rule in rules),
        *(
            nothing_compared(key, baseline, f"{key}: it names no metric or slice of this run.")
            for key in empty
        ),
    ]
    return [_of_release(each) for each in compared] if release else compared


IMPROVE = "improve"
"""The rule's name in records."""


def improvements(
    aggregate: RunAggregate, manifest: Manifest, baseline: BaselineLock
) -> list[RegressionRule | RuleDecision]:
    """The rules of `gate.improve`, with the rise that they demand as their margin; INVALID ones
    where nothing can be compared.

    Args:
        As `comparisons`.
    """
    stated = {key: Threshold(value) for key, value in manifest.gate.improve.items()}
    rules, empty = margins_of_run(aggregate, manifest, baseline, stated)
    expanded: list[RegressionRule | RuleDecision] = [
        nothing_compared(key, baseline, f"{key}: it names no metric or slice of this run.")
        for key in empty
    ]
    for rule in rules:
        compared = _comparison(aggregate, manifest, baseline, rule, IMPROVE)
        if isinstance(compared, NumberRule):
            why = f"{rule.key.text}: `improve` takes metrics of checks and judges, not numbers."
            compared = nothing_compared(rule.key.metric, baseline, why)
        expanded.append(
            compared if isinstance(compared, RuleDecision) else replace(compared, kind=IMPROVE)
        )
    return expanded


def _of_release(
    rule: RegressionRule | NumberRule | RuleDecision,
) -> RegressionRule | NumberRule | RuleDecision:
    """A rule of regression as one about the release."""
    if isinstance(rule, RuleDecision):
        return structs.replace(rule, rule=RELEASE)
    if isinstance(rule, NumberRule):
        return rule._replace(kind=RELEASE)
    return replace(rule, name=f"{rule.name} since the release", kind=RELEASE)


def _comparison(
    aggregate: RunAggregate,
    manifest: Manifest,
    baseline: BaselineLock,
    rule: ExpandedMargin,
    kind: str,
) -> RegressionRule | NumberRule | RuleDecision:
    (metric, where, passes), margin, side = rule.key, rule.threshold, compared_with(kind)
    slice_ = None if where is None else slice_label(where)
    shown = rule.key.name
    name = shown if slice_ is None else f"{shown} on {slice_}"
    if baseline.digests.conversation != manifest.digests.conversation:
        other = (
            f"{name}: the conversation (`turns`, `until`, `max_turns`, `user`) is not that of the"
            f" {side} {baseline.run_id}, so the answers are not to the same messages. Approve a"
            f" {side} with this conversation."
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
            f"{name}: the {side} {baseline.run_id} has no such metric. {anew}",
            slice_,
        )
    if kept.scorer != scorer_digest(manifest, metric):
        what = "judge" if judge is not None else "check"
        reason = (
            f"{name}: the {what} is not the one that scored the {side} {baseline.run_id}, so a"
            " difference may be its own."
        )
        return nothing_compared(metric, baseline, f"{reason} {anew}", slice_)
    if passes and not baseline.tells_passes(metric):
        return nothing_compared(metric, baseline, _no_passes(name, baseline, anew), slice_)
    moment, mean = second_moment(baseline, metric), mean_note(baseline, metric, kind)
    if margin.judge_scale:
        note = own_scale_note(manifest, metric) + mean
        scored = RegressionRule(
            name, metric, where, margin.value, 1.0, 0.0, judge is not None, None, True, note
        )
        return replace(scored, passes=passes, moment=moment, on_inconclusive=margin.on_inconclusive)
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
        moment=moment,
        note=note + mean,
        labels_of=other_answers(manifest, metric) if judged else "",
        passes=passes,
        on_inconclusive=margin.on_inconclusive,
    )


def _no_passes(name: str, baseline: BaselineLock, anew: str) -> str:
    """Why a pass rate can't be compared."""
    if baseline.run_count > 1:
        return (
            f"{name}: the baseline {baseline.run_id} is the mean of {baseline.run_count} runs, and"
            " does not hold which cases passed. Write the margin without `pass`, which compares the"
            " mean score; or approve a single run: `llmeval baseline approve RUN --by NAME --reason"
            " TEXT`."
        )
    return f"{name}: the baseline {baseline.run_id} does not hold which cases passed. {anew}"
