"""Bounds of a proportion (exact, Wilson, Jeffreys) and of the mean of scores in [0, 1].

Everything here assumes independent cases drawn from the population the claim is about; only
`mean_bounds` knows clusters.
"""

import math
from collections.abc import Hashable, Sequence
from statistics import NormalDist
from typing import NamedTuple

from llmeval.stats.special.beta import beta_quantile

MAX_N = 100_000_000


class Interval(NamedTuple):
    """A confidence interval; both ends in the range of the quantity."""

    low: float
    high: float


def lower_bound(k: float, n: float, alpha: float = 0.05) -> float:
    """Exact one-sided lower bound of a pass rate: Beta(alpha; k, n-k+1), 0 when k = 0.

    P(bound > rate) <= alpha for every rate and n.

    Args:
        k: cases passed, 0 <= k <= n. Not necessarily whole: an effective count is allowed.
        n: cases, n >= 0.
        alpha: probability that the bound lies above the rate, in (0, 1).

    Raises:
        ValueError: arguments out of range.

    Source: C. J. Clopper, E. S. Pearson, Biometrika 26 (1934) 404-413.
    """
    _check(k, n, alpha)
    if k == 0:
        return 0.0
    return beta_quantile(alpha, k, n - k + 1)


def upper_bound(k: float, n: float, alpha: float = 0.05) -> float:
    """Exact one-sided upper bound of a pass rate: Beta(1-alpha; k+1, n-k), 1 when k = n.

    The mirror image of `lower_bound`: one minus the lower bound of the failure rate, with the same
    arguments, errors and source.
    """
    _check(k, n, alpha)
    return 1.0 - lower_bound(n - k, n, alpha)


def clopper_pearson(k: float, n: float, level: float = 0.95) -> Interval:
    """The exact two-sided interval of a pass rate: both one-sided bounds at (1-level)/2.

    Covers with at least `level` for every rate and n; (0, 1) when n = 0. Arguments, errors and
    source as `lower_bound`.
    """
    alpha = (1 - level) / 2
    return Interval(lower_bound(k, n, alpha), upper_bound(k, n, alpha))


def wilson(k: float, n: float, level: float = 0.95) -> Interval:
    """Wilson's score interval: (p + z^2/2n -+ z sqrt(p(1-p)/n + z^2/4n^2)) / (1 + z^2/n); (0, 1)
    when n = 0.

    Covers with about `level` on average over rates, a little less at some: for reports, not for
    guarantees.

    Source: E. B. Wilson, JASA 22 (1927) 209-212; L. D. Brown, T. T. Cai, A. DasGupta, Statist. Sci.
        16 (2001) 101-133.
    """
    _check(k, n, (1 - level) / 2)
    if n == 0:
        return Interval(0.0, 1.0)
    z = NormalDist().inv_cdf((1 + level) / 2)
    rate, scale = k / n, 1 + z * z / n
    centre = (rate + z * z / (2 * n)) / scale
    half = z * (rate * (1 - rate) / n + z * z / (4 * n * n)) ** 0.5 / scale
    return Interval(
        0.0 if k == 0 else max(0.0, centre - half), 1.0 if k == n else min(1.0, centre + half)
    )


def jeffreys(k: float, n: float, level: float = 0.95) -> Interval:
    """Jeffreys' interval: the equal-tailed quantiles of Beta(k + 1/2, n - k + 1/2); low 0 at k = 0,
    high 1 at k = n.

    Covers with about `level` on average over rates, near 0 and 1 better than Wilson's.

    Source: L. D. Brown, T. T. Cai, A. DasGupta, Statist. Sci. 16 (2001) 101-133, section 4.3.
    """
    alpha = (1 - level) / 2
    _check(k, n, alpha)
    low = 0.0 if k == 0 else beta_quantile(alpha, k + 0.5, n - k + 0.5)
    high = 1.0 if k == n else 1.0 - beta_quantile(alpha, n - k + 0.5, k + 0.5)
    return Interval(low, high)


def mean_bounds(
    values: Sequence[float], alpha: float = 0.05, clusters: Sequence[Hashable] | None = None
) -> Interval:
    """One-sided lower and upper bounds of the mean of scores in [0, 1], each at `alpha`, whatever
    their distribution.

    The lower bound is the alpha-quantile of sum D_i x_i, D uniform on the simplex over the values
    and one more 0; the upper bound mirrors it with one more 1. For scores that are only 0 or 1 this
    is Clopper-Pearson exactly. That it holds for every distribution on [0, 1] is proven for
    two-point distributions and n = 1, and Gaffke's conjecture
    otherwise: no counterexample is known. Student's t, the usual choice, is wrong for few or skewed
        scores.

    With clusters the same over clusters, or the studentised bounds of `final.py` from 30 clusters
    on.

    Args:
        values: one score a case, each in [0, 1]; (0, 1) is returned for none.
        alpha: probability that one bound lies beyond the mean, in (0, 1).
        clusters: which cases are not independent; None: an independent case.

    Raises:
        ValueError: a score outside [0, 1] or not a number, alpha outside (0, 1), or not one cluster
            a value.

    Source: N. Gaffke, Preprint 13/04, Univ. Magdeburg (2004); E. Learned-Miller, P. S. Thomas,
        arXiv 1905.06208.
    """
    outside = next((value for value in values if not 0 <= value <= 1), None)
    if outside is not None:
        raise ValueError(f"scores must lie in [0, 1], got {outside}")
    k, n = math.fsum(values), len(values)
    _check(0, n, alpha)
    if n == 0 or (clusters is None and all(value in (0, 1) for value in values)):
        return Interval(lower_bound(k, n, alpha), upper_bound(k, n, alpha))
    from llmeval.stats.tests.fixed_sample import bounds_of

    return Interval(*bounds_of(values, clusters, alpha))


def smallest_n(threshold: float, failures: int = 0, alpha: float = 0.05) -> int:
    """The fewest cases with `failures` among them whose exact lower bound reaches `threshold`.

    Without failures: ceil(ln alpha / ln threshold). So .95 at 95 % takes 59 cases without, 93 with
    one failure.

    Raises:
        ValueError: threshold or alpha outside (0, 1), failures negative, or more than 10^8 cases
            needed.
    """
    if not 0 < threshold < 1 or failures < 0:
        raise ValueError(
            f"need 0 < threshold < 1 and failures >= 0, got {threshold} and {failures}"
        )
    low, high = failures, failures + 1
    while lower_bound(high - failures, high, alpha) < threshold:
        low, high = high, 2 * high
        if high > MAX_N:
            raise ValueError(
                f"a pass rate of {threshold} can't be shown with fewer than {MAX_N:,} cases"
            )
    while high - low > 1:
        middle = (low + high) // 2
        reached = lower_bound(middle - failures, middle, alpha) >= threshold
        low, high = (low, middle) if reached else (middle, high)
    return high


def _check(k: float, n: float, alpha: float) -> None:
    if not 0 <= k <= n:
        raise ValueError(f"need 0 <= passed <= cases, got {k} of {n}")
    if not 0 < alpha < 1:
        raise ValueError(f"an error rate must lie in (0, 1), got {alpha}")
