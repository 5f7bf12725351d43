"""Floors: is the pass rate certainly at least T, certainly below it, or can't these cases tell?

PASS when the one-sided lower confidence bound at `alpha` is at least the floor, FAIL when the upper
one is below it. Bounds are exact for independent cases (Clopper and Pearson 1934); with clusters,
those of `stats.estimation.bounds.mean_bounds` over clusters. A missing result may have been a pass
or a fail, and each bound uses the worst case for its claim: missing results never help a decision.
Exact bounds at an effective sample size would not hold: at a pass rate of .98 and within-cluster
correlation .3 they let 8 to 11 % wrong PASSes through at a nominal 5 %.
"""

import math
from dataclasses import replace

import numpy as np

from llmeval.core.formatting import cases_word, percent, percent_of
from llmeval.core.results import REPRESENTATIVE, Decision, RuleDecision
from llmeval.gate.aggregate import MetricSample
from llmeval.gate.rules.open_hints import few_note, likely_floor_cases, more_sentence
from llmeval.gate.rules.threshold import UNTRUSTED
from llmeval.stats.estimation.bounds import Interval, lower_bound, mean_bounds, upper_bound
from llmeval.stats.estimation.clusters import units
from llmeval.stats.special.beta import beta_cdf
from llmeval.stats.tests.fixed_sample import Nulls, final_test

MISSING_WORST = "missing results are treated as worst case, for PASS and for FAIL"
MAX_MORE = 1_000_000
_EDGE = 1e-9
MISSING_DECIDE = (
    "{} missing results prevent a decision: the same command with --out and this run's directory"
    " asks again for answers that ended in an error"
)
FAR_MORE = "to decide would take more than 16 times as many clusters"


def bounds(selection: MetricSample, alpha: float) -> Interval:
    """One-sided lower and upper bounds of the pass rate, each at `alpha`; clusters widen them."""
    if not is_clustered(selection):
        return Interval(
            lower_bound(selection.passed, selection.n, alpha),
            upper_bound(selection.passed, selection.n, alpha),
        )
    return mean_bounds(selection.outcomes, alpha, selection.clusters)


def missing_in(selection: MetricSample) -> int:
    """How many cases have no result."""
    return selection.unscored + selection.errors


def bounds_at_worst(selection: MetricSample, alpha: float) -> Interval:
    """`bounds` where cases wait for a person or are missing: they may all fail, or all pass."""
    return Interval(
        bounds(if_all(selection, False), alpha).low, bounds(if_all(selection, True), alpha).high
    )


def if_all(selection: MetricSample, passed: bool) -> MetricSample:
    """The cases with those that have no result, each as a separate cluster."""
    unknown = selection.needs_review + missing_in(selection)
    first = max(selection.clusters, default=-1) + 1
    return replace(
        selection,
        n=selection.n + unknown,
        passed=selection.passed + passed * unknown,
        outcomes=selection.outcomes + (passed,) * unknown,
        clusters=(*selection.clusters, *range(first, first + unknown)),
    )


def is_clustered(selection: MetricSample) -> bool:
    """Whether any two of the cases share a cluster."""
    return len(set(selection.clusters)) < selection.n


def decide_floor(
    metric: str,
    slice_: str | None,
    selection: MetricSample,
    floor: float,
    alpha: float,
    untrusted: str | None,
    strict: float | None = None,
    note: str = "",
) -> RuleDecision:
    """One floor, decided. One that rests on an untrusted judge is INCONCLUSIVE whatever the judge
    says.

    Args:
        metric, slice_: what it is about.
        selection: the cases that count.
        floor: the pass rate to clear, in [0, 1].
        alpha: largest probability of a wrong PASS, and of a wrong FAIL.
        untrusted: why the judge of this metric is not trusted, and the way out; None for checks,
            for trusted judges, and for a rule on the judge's own scale.
        strict: for FAIL instead of `alpha`, where there are more rules (`family.step_down`).
        note: a sentence to end with.
    """
    name = metric if slice_ is None else f"{metric} on {slice_}"
    if selection.n == 0 and selection.needs_review:
        return RuleDecision(
            rule="floor",
            metric=metric,
            slice=slice_,
            decision=Decision.INCONCLUSIVE,
            threshold=floor,
            reason=(
                f"{name}: all {selection.needs_review:,} cases wait for a person; `llmeval review`"
                " takes their verdicts."
            ),
        )
    if selection.n == 0:
        return RuleDecision(
            rule="floor",
            metric=metric,
            slice=slice_,
            decision=Decision.INVALID,
            threshold=floor,
            reason=(
                f"{name}: no case has a score, so the floor of {percent(floor)} can't be decided."
            ),
        )
    low, high = bounds_at_worst(selection, alpha)
    if strict not in (None, alpha):
        high = bounds_at_worst(selection, strict).high
    rate = selection.passed / selection.n
    decision, why = _outcome(
        name, selection, rate, Interval(low, high), floor, (alpha, strict or alpha)
    )
    if untrusted is not None:
        decision = Decision.INCONCLUSIVE
        why = (
            f"{_seen(name, selection, rate, ' by its judge')}; the floor is {percent(floor)}."
            f"{UNTRUSTED.format(untrusted)}"
        )
    return RuleDecision(
        rule="floor",
        metric=metric,
        slice=slice_,
        decision=decision,
        estimate=rate,
        low=low,
        high=high,
        threshold=floor,
        reason=why + note,
        level=1 - ((strict or alpha) if decision is Decision.FAIL else alpha),
        n=selection.n,
        assumptions=_assumptions(selection),
        tipping_point=(
            max(low - floor, floor - high) if decision in (Decision.PASS, Decision.FAIL) else None
        ),
    )


def _assumptions(selection: MetricSample) -> tuple[str, ...]:
    alone = "cases are independent of each other"
    clusters = f"the {len(set(selection.clusters)):,} clusters are independent of each other"
    missing = (MISSING_WORST,) if missing_in(selection) else ()
    return (
        clusters if is_clustered(selection) else alone,
        REPRESENTATIVE,
        *missing,
    )


def _outcome(
    name: str,
    selection: MetricSample,
    rate: float,
    interval: Interval,
    floor: float,
    rates: tuple[float, float],
) -> tuple[Decision, str]:
    """`rates`: of a wrong PASS, and of a wrong FAIL."""
    (low, high), (alpha, strict) = interval, rates
    seen = _seen(name, selection, rate)
    if low >= floor:
        return (
            Decision.PASS,
            (
                f"{seen}; at {percent_of(1 - alpha)} confidence at least {percent(low)}, the floor"
                f" is {percent(floor)}."
            ),
        )
    if high < floor:
        return (
            Decision.FAIL,
            (
                f"{seen}; at {percent_of(1 - strict)} confidence at most {percent(high)}, the floor"
                f" is {percent(floor)}."
            ),
        )
    hint = _hint(selection, rate, floor, rates)
    return (
        Decision.INCONCLUSIVE,
        (
            f"{seen}; the true rate may lie between {between(low, high, *rates)}, on both"
            f" sides of the floor of {percent(floor)}; {hint}."
        ),
    )


def between(low: float, high: float, alpha: float, strict: float) -> str:
    """Two bounds with their levels, `low` at `alpha` and `high` at `strict`."""
    if math.isclose(alpha, strict):
        return f"{percent(low)} and {percent(high)} ({percent_of(1 - alpha)} bounds)"
    at_low, at_high = percent_of(1 - alpha), percent_of(1 - strict)
    return f"{percent(low)} (at {at_low}) and {percent(high)} (at {at_high})"


def _seen(name: str, selection: MetricSample, rate: float, by: str = "") -> str:
    """`by`: who says so, where that is not the check itself."""
    n = selection.n
    seen = f"{name}: {percent(rate)} pass ({selection.passed} of {n} {cases_word(n)}){by}"
    if missing_in(selection):
        seen += f", {missing_in(selection):,} more are missing and may have passed or failed"
    if selection.needs_review:
        seen += (
            f", {selection.needs_review:,} more need review by a person (`llmeval review`) and may"
            " pass or fail"
        )
    return seen


def _hint(selection: MetricSample, rate: float, floor: float, rates: tuple[float, float]) -> str:
    if missing_in(selection) and _clear(selection, floor, rates):
        return MISSING_DECIDE.format(f"{missing_in(selection):,}")
    if not is_clustered(selection):
        even = cases_needed(rate, selection.n, floor, *rates)
        likely = likely_floor_cases(selection.passed, selection.n, floor, *rates)
        return more_sentence(even, likely, "at this rate")
    more = clusters_needed(selection, floor, *rates)
    like = FAR_MORE
    if more is not None:
        like = f"at most about {more:,} more clusters that are just like these may decide"
    return "; ".join(filter(None, (like, few_note(selection.clusters))))


def _clear(selection: MetricSample, floor: float, rates: tuple[float, float]) -> bool:
    """Whether those with a result would decide if nothing were missing."""
    scored = replace(selection, unscored=0, errors=0)
    return (
        bounds_at_worst(scored, rates[0]).low >= floor
        or bounds_at_worst(scored, rates[1]).high < floor
    )


def clusters_needed(
    selection: MetricSample, floor: float, alpha: float, strict: float | None = None
) -> int | None:
    """How many more clusters like these decide a floor, to the next power of two; None beyond 16
    times as many.

    `alpha`: of a wrong PASS; `strict`: of a wrong FAIL, where there are more rules. The clusters in
        hand represent future ones: the sample is repeated under new cluster numbers.
    """
    values, sizes = units(selection.outcomes, selection.clusters)
    null, level = min(max(floor, _EDGE), 1 - _EDGE), alpha if strict is None else strict
    nulls = Nulls(null, null, 0.0, 1.0, level, alpha)
    for times in (2, 4, 8, 16):  # p-values at the floor: bounds would take ten times as long
        test = final_test(np.tile(values, times), np.tile(sizes, times), nulls, bounds=False)
        if test.p_pass <= alpha or test.p_fail <= level:
            return (times - 1) * len(values)
    return None


def cases_needed(
    rate: float, n: int, floor: float, alpha: float, strict: float | None = None
) -> int | None:
    """How many more cases would decide a floor if the rate stayed as it is; None beyond a million.

    `alpha`: of a wrong PASS; `strict`: of a wrong FAIL, where there are more rules.
    """

    def decided(size: int) -> bool:
        least, most = (
            math.floor(rate * size + 1e-9),
            math.ceil(rate * size - 1e-9),
        )  # a pass more or less decides nothing
        # the bounds clear the floor where the exact binomial test at the floor rejects
        above = least > 0 and beta_cdf(floor, least, size - least + 1) <= alpha
        return above or (
            most < size and 1 - beta_cdf(floor, most + 1, size - most) < (strict or alpha)
        )

    size = max(n, 4)
    while not decided(size):
        size *= 2
        if size > MAX_MORE:
            return None
    low, high = size // 2, size
    while high - low > max(1, high // 50):
        middle = (low + high) // 2
        low, high = (low, middle) if decided(middle) else (middle, high)
    return max(1, high - n)
