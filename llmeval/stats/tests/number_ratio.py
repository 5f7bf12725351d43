"""Is a number larger than in the baseline? Paired tests of the ratio of two quantiles or means.

Both sides answered the same cases. H0: the quantile (mean) of `now` is larger than `ratio` times
that of `before`. A rejection at `ratio` 1 + margin says that a rise of the margin is ruled out. The
same test with the two sides exchanged says that the number rose.

**Quantiles.** If Q(now) > Q(before), then at the threshold x = Q(now) more of `now` than of
`before` reach x, whatever the two distributions are. At a known x this is McNemar's exact test.
Q(now) is not known, so the largest p-value over a confidence interval of it counts, and the error
rate of the interval is added (Berger and Boos 1994). So the level holds for every pair of
distributions, skewed or not, and for every dependence between the two sides.

**Means.** E(now) - ratio E(before) is the mean of the paired differences (`skewed_mean`).

Sources: R. L. Berger, D. D. Boos, JASA 89 (1994) 1012-1016; Q. McNemar, Psychometrika 12 (1947)
153-157.
"""

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llmeval.stats.estimation.bounds import Interval
from llmeval.stats.estimation.clusters import units
from llmeval.stats.estimation.paired import mcnemar_worse
from llmeval.stats.estimation.quantiles import quantile_bounds, sample_quantile
from llmeval.stats.estimation.skewed_mean import p_greater, prepare_mean, too_few
from llmeval.stats.tests.fixed_sample import Nulls, final_test

Floats = NDArray[np.float64]

INTERVAL_SHARE = 0.25
"""Share of the level that the confidence interval of the quantile has."""
_THRESHOLDS, _CLUSTER_THRESHOLDS = 64, 5
"""Most values in the interval at which the test is read."""
_FACTORS = (1.02, 1.1, 1.3, 2.0, 4.0, 16.0)
"""How far off a bound of the ratio is looked for; farther off it is infinite, or 0."""
_STEPS = 6
"""Bisections between two of these factors."""


@dataclass(frozen=True)
class PairedNumbers:
    """The values of two sides; NaN where one is missing.

    A missing value counts as the worst for each claim: for a quantile as infinite or as 0, for a
    mean as the largest or the smallest value seen.
    """

    before: Floats
    now: Floats
    clusters: tuple[Hashable, ...]
    """Which pairs are not independent."""

    @property
    def alone(self) -> bool:
        """Whether all pairs are independent."""
        return len(set(self.clusters)) == len(self.clusters)


def p_smaller(
    pairs: PairedNumbers, q: float | None, ratio: float, level: float, *, reverse: bool = False
) -> float:
    """p-value, to be read at `level`, of H0: the statistic of `now` is larger than `ratio` times
    that of `before`.

    Args:
        pairs: at least one.
        q: of the quantile; None: the mean.
        ratio: above 0.
        level: in (0, 1).
        reverse: H0 is that `ratio` times `before` is larger than `now`.
    """
    worst_now = -math.inf if reverse else math.inf
    if q is None:
        before, now = _finite(pairs, reverse=reverse)
        left = ratio * before - now
        if too_few(pairs.clusters):
            return 1.0
        return p_greater(prepare_mean(-left if reverse else left, pairs.clusters), 0.0, level)
    now = np.where(np.isnan(pairs.now), worst_now, pairs.now)
    before = np.where(np.isnan(pairs.before), -worst_now, ratio * pairs.before)
    first, second = (before, now) if reverse else (now, before)
    return _p_quantile(first, second, q, level, None if pairs.alone else pairs.clusters)


def _p_quantile(
    now: Floats, before: Floats, q: float, level: float, clusters: Sequence[Hashable] | None
) -> float:
    spent = INTERVAL_SHARE * level
    low, high = quantile_bounds(now, q, spent / 2, clusters)
    if high == math.inf:
        return 1.0
    inside = np.unique(np.concatenate([now, before]))
    inside = inside[(inside >= low) & (inside <= high) & np.isfinite(inside)]
    most = _THRESHOLDS if clusters is None else _CLUSTER_THRESHOLDS
    if len(inside) > most:
        inside = inside[np.linspace(0, len(inside) - 1, most).round().astype(int)]
    worst = 0.0
    for threshold in inside:
        worst = max(worst, _p_at(now >= threshold, before >= threshold, clusters, level))
        if worst > level:
            return worst
    return min(1.0, worst + spent)


def _p_at(
    now: NDArray[np.bool_],
    before: NDArray[np.bool_],
    clusters: Sequence[Hashable] | None,
    level: float,
) -> float:
    """p-value of H0: at least as many of `now` as of `before` reach the threshold."""
    if clusters is None:
        return mcnemar_worse(int((before & ~now).sum()), int((now & ~before).sum()))
    means, sizes = units(before.astype(float) - now.astype(float), clusters)
    return final_test(means, sizes, Nulls(0.0, 0.0, -1.0, 1.0, level, level), bounds=False).p_pass


def _finite(pairs: PairedNumbers, *, reverse: bool) -> tuple[Floats, Floats]:
    """Both sides with the extreme value that was seen for each one that is missing."""
    seen = np.concatenate([pairs.before, pairs.now])
    seen = seen[~np.isnan(seen)]
    small, large = (float(seen.min()), float(seen.max())) if len(seen) else (0.0, 0.0)
    worst, best = (small, large) if reverse else (large, small)
    return (
        np.where(np.isnan(pairs.before), best, pairs.before),
        np.where(np.isnan(pairs.now), worst, pairs.now),
    )


def ratio_of(pairs: PairedNumbers, q: float | None) -> float | None:
    """The statistic of `now` divided by that of `before`, over the pairs that have both; None
    without such a pair, or where the baseline's is not above 0.
    """
    both = ~np.isnan(pairs.before) & ~np.isnan(pairs.now)
    if not both.any():
        return None
    old, new = (
        float(side[both].mean()) if q is None else sample_quantile(side[both].tolist(), q)
        for side in (pairs.before, pairs.now)
    )
    return new / old if old > 0 else None


def ratio_bounds(
    pairs: PairedNumbers, q: float | None, estimate: float, alpha: float, beta: float
) -> Interval:
    """One-sided bounds of the ratio, the lower one at `alpha`, the upper one at `beta`: the ratios
    that `p_smaller` does not reject.

    Args:
        pairs: at least one.
        q: of the quantile; None: the mean.
        estimate: the ratio, above 0.
        alpha, beta: the level of each bound.
    """

    def rejected(ratio: float, level: float, *, reverse: bool) -> bool:
        return p_smaller(pairs, q, ratio, level, reverse=reverse) <= level

    low = _edge(estimate, -1, lambda r: rejected(r, alpha, reverse=True))
    high = _edge(estimate, 1, lambda r: rejected(r, beta, reverse=False))
    return Interval(0.0 if low is None else low, math.inf if high is None else high)


def _edge(estimate: float, side: int, rejected: Callable[[float], bool]) -> float | None:
    """The ratio nearest to the estimate that is rejected, above it (`side` 1) or below it (-1);
    None where none is within the factors.
    """
    inside = middle = math.log(estimate)
    for factor in _FACTORS:
        outside = middle + side * math.log(factor)
        if rejected(math.exp(outside)):
            break
        inside = outside
    else:
        return None
    for _ in range(_STEPS):
        middle = (inside + outside) / 2
        inside, outside = (inside, middle) if rejected(math.exp(middle)) else (middle, outside)
    return math.exp(outside)
