"""Quantiles of q A + (1 - q) C for independent beta-distributed q, A and C: exact, without random
draws.

P(q A + (1 - q) C <= t) is the mean, over two of the three, of the third one's distribution
function. The widest one is taken exactly, so that what is averaged is smooth; the other two are
averaged on the normal scale, where the trapezoidal rule converges exponentially. The same counts
give the same limits on every machine.
"""

import math
from collections.abc import Callable
from functools import cache
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from llmeval.stats.special.beta_table import Floats, table
from llmeval.stats.special.roots import crossing

_FINE, _COARSE = 0.35, 0.9
_REACH = 5.3


class Beta(NamedTuple):
    """Beta(a, b); a = 0 is the point 0, b = 0 the point 1."""

    a: float
    b: float

    @property
    def variance(self) -> float:
        """0 for a point."""
        total = self.a + self.b
        return self.a * self.b / (total * total * (total + 1))

    @property
    def mean(self) -> float:
        """The mean."""
        return self.a / (self.a + self.b)


def quantile(level: float, share: Beta | float, first: Beta, second: Beta) -> float:
    """The t with P(q A + (1 - q) C <= t) = level, to 0.1 % of the distribution's width (0.5 % near
    the ends of the range).

    Args:
        level: probability, in (0, 1).
        share: q's distribution, or q itself.
        first, second: the distributions of A and of C.
    """
    below = cache(_distribution(share, first, second))
    q = share.mean if isinstance(share, Beta) else share
    moved = share.variance * (first.mean - second.mean) ** 2 if isinstance(share, Beta) else 0.0
    spread = math.sqrt(q * q * first.variance + (1 - q) ** 2 * second.variance + moved)
    guess = q * first.mean + (1 - q) * second.mean + NormalDist().inv_cdf(level) * spread
    low, high = max(0.0, guess - spread / 2), min(1.0, guess + spread / 2)
    low = low if below(low) <= level else 0.0
    high = high if below(high) >= level else 1.0
    return crossing(lambda t: below(t) - level, low, high, tolerance=1e-5)


def _distribution(share: Beta | float, first: Beta, second: Beta) -> Callable[[float], float]:
    """t -> P(q A + (1 - q) C <= t)."""
    q = share.mean if isinstance(share, Beta) else share
    spread_q = share.variance * (first.mean - second.mean) ** 2 if isinstance(share, Beta) else -1.0
    spread_a, spread_c = q * q * first.variance, (1 - q) ** 2 * second.variance
    if max(spread_q, spread_a, spread_c) <= 0:
        value = q * first.mean + (1 - q) * second.mean
        return lambda t: float(t >= value)
    if isinstance(share, Beta) and spread_q > max(spread_a, spread_c):
        return _given_parts(share, first, second)
    if spread_a >= spread_c:
        return _given_share(share, second, first)
    turned = Beta(share.b, share.a) if isinstance(share, Beta) else 1 - share
    return _given_share(turned, first, second)


def _given_share(share: Beta | float, other: Beta, widest: Beta) -> Callable[[float], float]:
    """P(q W + (1 - q) O <= t) as the mean over q and O of W's distribution function; q is the
    widest one's share.
    """
    q, weight_q = (
        _nodes(share, _COARSE) if isinstance(share, Beta) else (np.array([share]), np.ones(1))
    )
    value, weight = _nodes(other, _FINE)
    rest, weights = np.outer(1 - q, value), np.outer(weight_q, weight)
    return lambda t: float((weights * _cdf(widest, (t - rest) / q[:, None])).sum())


def _given_parts(share: Beta, first: Beta, second: Beta) -> Callable[[float], float]:
    """P(q A + (1 - q) C <= t) as the mean over A and C of q's distribution function."""
    (a, weight_a), (c, weight_c) = _nodes(first, _FINE), _nodes(second, _FINE)
    weights, gap = np.outer(weight_a, weight_c), a[:, None] - c[None, :]
    rises = gap > 0
    gap = np.where(np.abs(gap) < 1e-12, 1e-12, gap)

    def below(t: float) -> float:
        reached = _cdf(share, (t - c[None, :]) / gap)
        return float((weights * np.where(rises, reached, 1 - reached)).sum())

    return below


def _nodes(beta: Beta, step: float) -> tuple[Floats, Floats]:
    """Values of a beta variable and their probabilities: evenly spaced normal scores."""
    if beta.a == 0 or beta.b == 0:
        return np.array([beta.mean]), np.ones(1)
    scores = step * np.arange(-int(_REACH / step), int(_REACH / step) + 1)
    weights = np.exp(-(scores**2) / 2)
    tails = [NormalDist().cdf(score) for score in scores[scores <= 0]]
    low, high = (
        table(beta.a, beta.b).quantile(tails),
        1 - table(beta.b, beta.a).quantile(tails[-2::-1]),
    )
    return np.concatenate([low, high]), weights / weights.sum()


def _cdf(beta: Beta, values: Floats) -> Floats:
    if beta.a == 0 or beta.b == 0:
        return (values >= beta.mean).astype(float)
    return table(beta.a, beta.b).cdf(np.clip(values, 0.0, 1.0))
