"""Floors: is the pass rate certainly at least T, certainly below it, or can't these cases tell?

PASS when the one-sided lower confidence bound at `alpha` is at least the floor, FAIL when the upper one is below it.
Bounds are exact for independent cases (Clopper and Pearson 1934); with clusters, those of `stats.bounds.mean_bounds`
over clusters. Exact bounds at an effective sample size would not hold: at a pass rate of .98 and within-cluster
correlation .3 they let 8 to 11 % wrong PASSes through at a nominal 5 %.
"""

from dataclasses import replace

from llmeval.gate.tally import Selection
from llmeval.records import Decision, RuleDecision
from llmeval.stats.beta import beta_cdf
from llmeval.stats.bounds import Interval, lower_bound, mean_bounds, upper_bound

MAX_MORE = 1_000_000
TOO_CLOSE = "the rate is too close to decide by more cases"
FAR_MORE = "to decide would take more than 16 times as many clusters"


def bounds(selection: Selection, alpha: float) -> Interval:
    """One-sided lower and upper bounds of the pass rate, each at `alpha`; clusters widen them."""
    if not is_clustered(selection):
        return Interval(
            lower_bound(selection.passed, selection.n, alpha), upper_bound(selection.passed, selection.n, alpha)
        )
    return mean_bounds(selection.outcomes, alpha, selection.clusters)


def _bounds_with_open(selection: Selection, alpha: float) -> Interval:
    """`bounds` where some cases wait for a person: they may all fail, or all pass."""
    if not selection.open:
        return bounds(selection, alpha)
    alone = tuple(range(selection.n, selection.n + selection.open))

    def if_all(passed: bool) -> Interval:
        return bounds(
            replace(
                selection, n=selection.n + selection.open, passed=selection.passed + passed * selection.open,
                outcomes=selection.outcomes + (passed,) * selection.open, clusters=selection.clusters + alone,
            ), alpha,
        )  # fmt: skip

    return Interval(if_all(False).low, if_all(True).high)


def is_clustered(selection: Selection) -> bool:
    """Whether any two of the cases share a cluster."""
    return len(set(selection.clusters)) < selection.n


def decide_floor(
    metric: str,
    slice_: str | None,
    selection: Selection,
    floor: float,
    alpha: float,
    untrusted: str | None,
    strict: float | None = None,
) -> RuleDecision:
    """One floor, decided.

    Args:
        metric, slice_: what it is about.
        selection: the cases that count.
        floor: the pass rate to clear, in [0, 1].
        alpha: largest probability of a wrong PASS, and of a wrong FAIL.
        untrusted: why the judge of this metric is not trusted; None for checks and trusted judges.
        strict: for FAIL instead of `alpha`, where there are more rules (`family.step_down`).
    """
    name = metric if slice_ is None else f"{metric} on {slice_}"
    if selection.n == 0 and selection.open:
        return RuleDecision(
            rule="floor", metric=metric, slice=slice_, decision=Decision.INCONCLUSIVE, threshold=floor,
            reason=f"{name}: all {selection.open:,} cases wait for a person; `llmeval review` takes their verdicts.",
        )  # fmt: skip
    if selection.n == 0:
        return RuleDecision(
            rule="floor", metric=metric, slice=slice_, decision=Decision.INVALID, threshold=floor,
            reason=f"{name}: no case has a score, so the floor of {percent(floor)} can't be decided.",
        )  # fmt: skip
    low, high = _bounds_with_open(selection, alpha)
    if strict not in (None, alpha):
        high = _bounds_with_open(selection, strict).high
    rate = selection.passed / selection.n
    decision, why = _outcome(name, selection, rate, Interval(low, high), floor, (alpha, strict or alpha))
    if decision is Decision.PASS and untrusted is not None:
        decision = Decision.INCONCLUSIVE
        why += f" But the judge is UNTRUSTED: {untrusted}. An untrusted judge can't make a rule PASS."
    return RuleDecision(
        rule="floor", metric=metric, slice=slice_, decision=decision, estimate=rate, low=low, high=high,
        threshold=floor, reason=why, level=1 - ((strict or alpha) if decision is Decision.FAIL else alpha), n=selection.n, assumptions=_assumptions(selection),
        tipping_point=max(low - floor, floor - high) if decision in (Decision.PASS, Decision.FAIL) else None,
    )  # fmt: skip


def _assumptions(selection: Selection) -> tuple[str, ...]:
    alone = "cases are independent of each other"
    clusters = f"the {len(set(selection.clusters)):,} clusters are independent of each other"
    return (clusters if is_clustered(selection) else alone, "the cases stand for those to come")


def _outcome(
    name: str, selection: Selection, rate: float, found: Interval, floor: float, rates: tuple[float, float]
) -> tuple[Decision, str]:
    """`rates`: of a wrong PASS, and of a wrong FAIL."""
    (low, high), (alpha, strict) = found, rates
    seen = f"{name}: {percent(rate)} pass ({selection.passed} of {selection.n} cases)"
    if selection.open:
        seen += f", {selection.open:,} more wait for a person (`llmeval review`) and may pass or fail"
    if low >= floor:
        return (
            Decision.PASS,
            f"{seen}; at {percent_of(1 - alpha)} confidence at least {percent(low)}, the floor is {percent(floor)}.",
        )
    if high < floor:
        return (
            Decision.FAIL,
            f"{seen}; at {percent_of(1 - strict)} confidence at most {percent(high)}, the floor is {percent(floor)}.",
        )
    hint = _hint(selection, rate, floor, alpha)
    return Decision.INCONCLUSIVE, (
        f"{seen}; the true rate may lie between {percent(low)} and {percent(high)}, on both sides of the floor of "
        f"{percent(floor)}; {hint}."
    )


def _hint(selection: Selection, rate: float, floor: float, alpha: float) -> str:
    if not is_clustered(selection):
        more = cases_needed(rate, selection.n, floor, alpha)
        return (
            f"about {more:,} more {'case' if more == 1 else 'cases'} at this rate would decide" if more else TOO_CLOSE
        )
    more = clusters_needed(selection, floor, alpha)
    return f"at most about {more:,} more clusters like these would decide" if more else FAR_MORE


def clusters_needed(selection: Selection, floor: float, alpha: float) -> int | None:
    """How many more clusters like these decide a floor, to the next power of two; None beyond 16 times as many.

    The clusters in hand stand for those to come: the sample is repeated under new cluster numbers.
    """
    count = max(selection.clusters) + 1
    for times in (2, 4, 8, 16):
        clusters = [number + count * copy for copy in range(times) for number in selection.clusters]
        low, high = mean_bounds(selection.outcomes * times, alpha, clusters)
        if low >= floor or high < floor:
            return (times - 1) * len(set(selection.clusters))
    return None


def cases_needed(rate: float, n: int, floor: float, alpha: float) -> int | None:
    """How many more cases would decide a floor if the rate stayed as it is; None beyond a million."""

    def decided(size: int) -> bool:
        passed = round(rate * size)  # the bounds clear the floor where the exact binomial test at the floor rejects
        above = passed > 0 and beta_cdf(floor, passed, size - passed + 1) <= alpha
        return above or (passed < size and 1 - beta_cdf(floor, passed + 1, size - passed) < alpha)

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


def percent(share: float) -> str:
    """A share as people read it: 87.5%."""
    return f"{100 * share:.1f}%"


def percent_of(level: float) -> str:
    """A level as people read it: 95%, 97.5%, 98.75%."""
    return f"{100 * level:.4g}%"


def parse_key(key: str) -> tuple[str, tuple[str, str] | None]:
    """`metric` or `metric @ tag=value`."""
    metric, at, slice_ = (part.strip() for part in key.partition("@"))
    if not at:
        return metric, None
    tag, _, value = (part.strip() for part in slice_.partition("="))
    return metric, (tag, value)
