"""Limits of numbers: is the p95 of the seconds certainly at most the limit, certainly above it, or
can't these answers tell?

A percentile is at most the limit exactly where so large a share of the answers is. So its rule is
the floor of that share (`floors`): exact for independent cases, over clusters otherwise. Answers of
one case are a cluster. A mean has the bounds of `stats.estimation.skewed_mean`.

A missing number is never 0. Where more than `max_unscored` of them are missing, the rule is
INVALID; fewer count as the worst for each claim: above the limit for PASS, below it for FAIL.
"""

import math
from dataclasses import dataclass, replace
from functools import partial

from msgspec import structs

from llmeval.core.formatting import percent, percent_of
from llmeval.core.manifest import Manifest
from llmeval.core.metric_ref import Slice, slice_label
from llmeval.core.numbers import NumberRef, parse_number, show_number
from llmeval.core.results import REPRESENTATIVE, Decision, RuleDecision
from llmeval.core.rule_keys import RuleKey, expand_key, is_pattern
from llmeval.gate.aggregate import MetricSample, RunAggregate
from llmeval.gate.holm import Rule
from llmeval.gate.number_sample import NumberSample, sample_numbers
from llmeval.gate.rules.expand import slices_of
from llmeval.gate.rules.floors import (
    MISSING_DECIDE,
    MISSING_WORST,
    bounds_at_worst,
    cases_needed,
    is_clustered,
)
from llmeval.gate.rules.open_hints import few_note, likely_floor_cases, more_sentence
from llmeval.gate.rules.threshold import Threshold, limits_in
from llmeval.stats.estimation.bounds import Interval
from llmeval.stats.estimation.quantiles import (
    quantile_bounds,
    sample_quantile,
    smallest_sample,
)
from llmeval.stats.estimation.skewed_mean import skewed_bounds, too_few
from llmeval.stats.tests.fixed_sample import FEW_CLUSTERS

WHY_MISSING = {
    "latency": "a recorded answer has no time",
    "cost": "the suite states no `price` for the candidate, or its replies report no tokens",
    "tokens": "the replies report no tokens (`usage`)",
    "input_tokens": "the replies report no tokens (`usage`)",
    "output_tokens": "the replies report no tokens (`usage`)",
}
"""Why an answer lacks a number; others come from `measure`."""
AT_MOST_SEEN = "a missing number is at most the largest one that was seen"
"""The assumption of a rule about a mean where numbers are missing."""
RARE = "no rare answer has a much larger number than those seen"
"""The assumption of every rule about a mean of numbers."""


@dataclass(frozen=True)
class LimitRule:
    """One limit before its data."""

    ref: NumberRef
    slice_: Slice | None
    limit: float
    alpha: float
    """Largest probability of a wrong PASS."""
    max_unscored: float

    @property
    def name(self) -> str:
        """As a sentence names it."""
        where = "" if self.slice_ is None else f" on {slice_label(self.slice_)}"
        return f"{self.ref.label}{where}"

    def show(self, value: float) -> str:
        """A value with the number's unit."""
        return show_number(value, self.ref.name)

    def decision(self, decision: Decision, reason: str, **more: object) -> RuleDecision:
        """The rule's record."""
        return RuleDecision(
            rule="limit",
            metric=self.ref.label,
            slice=None if self.slice_ is None else slice_label(self.slice_),
            decision=decision,
            reason=f"{self.name}: {reason}",
            threshold=self.limit,
            number=self.ref.name,
            **more,  # type: ignore[arg-type]
        )


def limit_rules(aggregate: RunAggregate, manifest: Manifest) -> list[Rule]:
    """The gate's limits, each to be decided at a level. A later attempt of a change decides on its
    own answers, at the error rates of its attempt.
    """
    rules: list[Rule] = []
    for key, limit in limits_in(manifest.gate.limits).items():
        for each in expand_key(key, (), slices_of(aggregate)):
            rules.append(partial(_limit, aggregate, manifest, each, limit))
        if is_pattern(key) and not expand_key(key, (), slices_of(aggregate)):
            rules.append(partial(_nothing, key))
    return rules


def _nothing(key: str, level: float) -> RuleDecision:
    reason = f"{key}: no case of this run has this tag."
    return RuleDecision(rule="limit", metric=key, decision=Decision.INVALID, reason=reason)


def _limit(
    aggregate: RunAggregate, manifest: Manifest, key: RuleKey, limit: Threshold, level: float
) -> RuleDecision:
    gate = manifest.gate
    ref = parse_number(key.metric, aggregate.numbers.names)
    if ref is None:
        return RuleDecision(
            rule="limit",
            metric=key.metric,
            decision=Decision.INVALID,
            reason=f"{key.text}: this run has no such number.",
        )
    share = aggregate.number_share
    rule = LimitRule(ref, key.slice_, limit.value, gate.alpha * (share or 1.0), gate.max_unscored)
    sample = sample_numbers(aggregate, ref.name, key.slice_)
    decided = when_numbers_spent(decide_limit(rule, sample, level * (share or 1.0)), share)
    return structs.replace(decided, on_inconclusive=limit.on_inconclusive)


def when_numbers_spent(decision: RuleDecision, share: float) -> RuleDecision:
    """A rule about numbers where earlier attempts have used up its error rates (a share of 0):
    it neither PASSes nor FAILs.
    """
    if share or decision.decision not in (Decision.PASS, Decision.FAIL):
        return decision
    reason = (
        f"{decision.reason} Earlier attempts of this change have used up the error rates of rules"
        " about numbers (`gate.attempts`): it decides nothing. A change of the repository's files"
        " starts a new count."
    )
    return structs.replace(
        decision, decision=Decision.INCONCLUSIVE, reason=reason, tipping_point=None
    )


def why_missing(name: str) -> str:
    """Why answers may lack a number, in a clause."""
    return WHY_MISSING.get(name, f"`measure.{name}` gave no number")


def lacking(name: str, sample: NumberSample, max_unscored: float) -> str | None:
    """Why a rule about a number is INVALID: too many of its values are missing; None where not."""
    total = len(sample.values)
    if sample.unexplained <= max_unscored and sample.present:
        return None
    return (
        f"{sample.missing:,} of {total:,} answers have no {name}: {why_missing(name)}. At most"
        f" {percent(max_unscored)} of them may be missing (`max_unscored`)."
    )


def decide_limit(rule: LimitRule, sample: NumberSample, level: float) -> RuleDecision:
    """One limit, decided. `level`: of its FAIL, where all rules together have alpha."""
    if reason := lacking(rule.ref.name, sample, rule.max_unscored):
        return rule.decision(Decision.INVALID, reason)
    if rule.ref.quantile is None:
        return _decide_mean(rule, sample, level)
    return _decide_quantile(rule, rule.ref.quantile, sample, level)


def _decide_quantile(rule: LimitRule, q: float, sample: NumberSample, level: float) -> RuleDecision:
    within = _within(sample, rule.limit)
    low = bounds_at_worst(within, rule.alpha).low
    high = bounds_at_worst(within, level).high
    estimate = sample_quantile(sample.present, q)
    decision = Decision.INCONCLUSIVE
    if low >= q:
        decision = Decision.PASS
    elif high < q:
        decision = Decision.FAIL
    least, most = _value_bounds(sample, q, rule.alpha, level)
    seen = (
        f"{rule.show(estimate)}, {within.passed:,} of {within.n:,} answers are at most the limit of"
        f" {rule.show(rule.limit)}{_missing(sample)}"
    )
    if decision is Decision.PASS:
        follows = (
            f"; at {percent_of(1 - rule.alpha)} confidence at least {percent(low)} of all answers"
            f" are, {percent(q)} must be."
        )
    elif decision is Decision.FAIL:
        follows = (
            f"; at {percent_of(1 - level)} confidence at most {percent(high)} of all answers are,"
            f" {percent(q)} must be."
        )
    else:
        follows = (
            f"; these answers can't tell, the share may lie between {percent(low)} and"
            f" {percent(high)}, and {percent(q)} must be. {_hint(rule, q, within, sample, level)}"
        )
    return rule.decision(
        decision,
        seen + follows,
        estimate=estimate,
        low=_finite(least),
        high=_finite(most),
        level=1 - (level if decision is Decision.FAIL else rule.alpha),
        n=within.n,
        assumptions=_assumptions(within, sample),
    )


def _within(sample: NumberSample, limit: float) -> MetricSample:
    """Which answers are at most the limit, as a floor takes it."""
    kept = [
        (value, cluster)
        for value, cluster in zip(sample.values, sample.clusters, strict=True)
        if not math.isnan(value)
    ]
    numbers: dict[str, int] = {}
    clusters = tuple(numbers.setdefault(cluster, len(numbers)) for _, cluster in kept)
    outcomes = tuple(value <= limit for value, _ in kept)
    return MetricSample(
        len(kept), sum(outcomes), sample.missing, 0, tuple(map(float, outcomes)), clusters, outcomes
    )


def _value_bounds(sample: NumberSample, q: float, alpha: float, level: float) -> Interval:
    """Bounds of the percentile itself; a missing value may be anything."""
    least = [-math.inf if math.isnan(value) else value for value in sample.values]
    most = [math.inf if math.isnan(value) else value for value in sample.values]
    return Interval(
        quantile_bounds(least, q, level, sample.clusters).low,
        quantile_bounds(most, q, alpha, sample.clusters).high,
    )


def _hint(
    rule: LimitRule, q: float, within: MetricSample, sample: NumberSample, level: float
) -> str:
    if within.unscored:
        scored = replace(within, unscored=0)
        if bounds_at_worst(scored, rule.alpha).low >= q or bounds_at_worst(scored, level).high < q:
            if sample.failures:
                return f"{within.unscored:,} answers without a {rule.ref.name} prevent a decision."
            return f"{MISSING_DECIDE.format(f'{within.unscored:,}')}."
    fewest = smallest_sample(q, rule.alpha)
    units = len(set(sample.clusters))
    if units < fewest:
        return (
            f"{rule.ref.statistic} takes at least {fewest:,} independent cases at"
            f" {percent_of(1 - rule.alpha)} confidence, all of them within the limit; here are"
            f" {units:,}: add {fewest - units:,} or more."
        )
    if is_clustered(within):
        note = few_note(within.clusters)
        return f"{note[0].upper()}{note[1:]}." if note else "It takes more cases."
    even = cases_needed(within.passed / within.n, within.n, q, rule.alpha, level)
    likely = likely_floor_cases(within.passed, within.n, q, rule.alpha, level)
    sentence = more_sentence(even, likely, "at this rate")
    return f"{sentence[0].upper()}{sentence[1:]}."


def _decide_mean(rule: LimitRule, sample: NumberSample, level: float) -> RuleDecision:
    present = sample.present
    estimate = math.fsum(present) / len(present)
    seen = f"{rule.show(estimate)} on average ({len(present):,} answers{_missing(sample)})"
    limit = f"the limit is {rule.show(rule.limit)}"
    if too_few(sample.clusters):
        units = len(set(sample.clusters))
        return rule.decision(
            Decision.INCONCLUSIVE,
            f"{seen}, {limit}. A mean takes at least {FEW_CLUSTERS} independent cases of like size,"
            f" here are {units:,}: add {max(1, FEW_CLUSTERS - units):,} or more.",
            estimate=estimate,
            n=len(present),
        )
    low, high = mean_bounds_at_worst(sample, rule.alpha, level)
    decision = Decision.INCONCLUSIVE
    if high <= rule.limit:
        decision = Decision.PASS
        follows = (
            f"; at {percent_of(1 - rule.alpha)} confidence at most {rule.show(high)}, {limit}."
        )
    elif low > rule.limit:
        decision = Decision.FAIL
        follows = f"; at {percent_of(1 - level)} confidence at least {rule.show(low)}, {limit}."
    else:
        hint = _mean_hint(rule, sample, estimate, low, high)
        follows = (
            f"; the true mean may lie between {rule.show(low)} and {rule.show(high)}, on both sides"
            f" of the limit of {rule.show(rule.limit)}. {hint}"
        )
    return rule.decision(
        decision,
        seen + follows,
        estimate=estimate,
        low=low,
        high=high,
        level=1 - (level if decision is Decision.FAIL else rule.alpha),
        n=len(present),
        assumptions=(
            *_assumptions(_within(sample, rule.limit), sample),
            RARE,
            *seen_at_most(sample.missing),
        ),
    )


def mean_bounds_at_worst(sample: NumberSample, alpha: float, level: float) -> Interval:
    """The upper bound of the mean at `alpha`, the lower one at `level`. A missing value counts as
    the largest seen, and as the smallest.
    """
    least, most = min(sample.present), max(sample.present)
    high = skewed_bounds(
        [most if math.isnan(value) else value for value in sample.values], sample.clusters, alpha
    )
    low = skewed_bounds(
        [least if math.isnan(value) else value for value in sample.values], sample.clusters, level
    )
    return Interval(-math.inf if low is None else low.low, math.inf if high is None else high.high)


def _mean_hint(
    rule: LimitRule, sample: NumberSample, estimate: float, low: float, high: float
) -> str:
    """How many cases decide if the mean stays as it is: bounds narrow with the root of n."""
    gap, width = (
        abs(rule.limit - estimate),
        high - estimate if rule.limit > estimate else estimate - low,
    )
    if gap <= 0 or not math.isfinite(width):
        return "The mean is too close to the limit to decide by more cases."
    cases = len(set(sample.cases))
    more = math.ceil(cases * ((width / gap) ** 2 - 1))
    return (
        f"About {max(1, more):,} more cases decide in about half of the tries, if the mean stays as"
        " it is."
    )


def _missing(sample: NumberSample) -> str:
    return f", {sample.missing:,} more are missing" if sample.missing else ""


def seen_at_most(missing: int) -> tuple[str, ...]:
    """What a mean assumes about missing numbers."""
    return (AT_MOST_SEEN,) if missing else ()


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _assumptions(within: MetricSample, sample: NumberSample) -> tuple[str, ...]:
    count = len(set(within.clusters))
    alone = (
        f"the {count:,} cases or clusters are independent of each other"
        if is_clustered(within)
        else "cases are independent of each other"
    )
    return (alone, REPRESENTATIVE, *((MISSING_WORST,) if sample.missing else ()))
