"""Quantiles of numbers without an upper end, and bounds of them that assume no distribution.

The q-quantile is at most x exactly where a share of q or more of the answers is at most x. So its
bounds are order statistics, with the error rates of the exact binomial test. With clusters
that share is tested over clusters (`tests.fixed_sample`).

Source: W. J. Conover, Practical Nonparametric Statistics (1999), section 3.2.
"""

import math
from collections.abc import Callable, Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

from llmeval.stats.estimation.bounds import Interval
from llmeval.stats.estimation.clusters import units
from llmeval.stats.special.beta import beta_cdf
from llmeval.stats.tests.fixed_sample import FixedSampleTest, Nulls, final_test

Floats = NDArray[np.float64]


def sample_quantile(values: Sequence[float], q: float) -> float:
    """The smallest value that at least a share of `q` is at or below.

    Args:
        values: at least one. q: in (0, 1).
    """
    ordered = sorted(values)
    return ordered[max(0, math.ceil(q * len(ordered) - 1e-9) - 1)]


def quantile_bounds(
    values: Sequence[float] | Floats,
    q: float,
    alpha: float,
    clusters: Sequence[Hashable] | None = None,
) -> Interval:
    """One-sided bounds of the q-quantile, each at `alpha`; infinite where no value is one.

    P(bound beyond the quantile) <= alpha for every distribution, where values are independent.

    Args:
        values: at least one; may be infinite.
        q: in (0, 1).
        alpha: of one bound.
        clusters: which values are not independent; None: all are.
    """
    ordered = np.sort(np.asarray(values, dtype=float))
    if clusters is None or len(set(clusters)) == len(ordered):
        low, high = order_numbers(len(ordered), q, alpha)
        return Interval(
            -math.inf if low is None else float(ordered[low - 1]),
            math.inf if high is None else float(ordered[high - 1]),
        )
    return _clustered(np.asarray(values, dtype=float), ordered, q, alpha, clusters)


def order_numbers(n: int, q: float, alpha: float) -> tuple[int | None, int | None]:
    """Which order statistics, from 1 to n, are the bounds of the q-quantile; None where no value
    is one.
    """
    low = _last(n, lambda k: _at_most(k - 1, n, q) <= alpha)
    high = _last(n, lambda k: 1 - _at_most(k - 1, n, q) > alpha)  # the last that is too small
    return low or None, high + 1 if high < n else None


def smallest_sample(q: float, alpha: float) -> int:
    """The fewest independent values of which the largest is an upper bound of the q-quantile.

    ceil(ln alpha / ln q): 59 for the 95th percentile at 95 % confidence.
    """
    return math.ceil(math.log(alpha) / math.log(q) - 1e-9)


def _at_most(k: int, n: int, q: float) -> float:
    """P(X <= k), X ~ Binomial(n, q)."""
    if k < 0:
        return 0.0
    return 1.0 if k >= n else 1 - beta_cdf(q, k + 1, n - k)


def _last(n: int, holds: Callable[[int], bool]) -> int:
    """The largest k in 1 to n for which `holds`, which is true up to some k; 0 where none is."""
    low, high = 0, n + 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low


def _clustered(
    values: Floats, ordered: Floats, q: float, alpha: float, clusters: Sequence[Hashable]
) -> Interval:
    """By bisection over the values: the share of values at or below `x` is tested against q."""
    nulls = Nulls(q, q, 0.0, 1.0, alpha, alpha)

    def tested(x: float) -> FixedSampleTest:
        return final_test(*units((values <= x).astype(float), clusters), nulls, bounds=False)

    distinct = np.unique(ordered)
    below = _last(len(distinct), lambda k: tested(distinct[k - 1]).p_fail <= alpha)
    above = _last(len(distinct), lambda k: tested(distinct[k - 1]).p_pass > alpha)
    low = float(distinct[below]) if below else -math.inf
    return Interval(low, float(distinct[above]) if above < len(distinct) else math.inf)
