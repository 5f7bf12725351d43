"""The exact test of a margin on paired pass/fail results. H0: the mean fell by the margin or more.

Tango's score statistic orders the outcomes (worse, better) of n pairs. Its normal approximation
errs by up to two points at a nominal 5 %: 52 pairs without a difference are a PASS at a margin of 5
points, though .95^52 = 6.9 %. So the p-value is the exact probability, under H0, of an outcome that
speaks at least as clearly against H0 as the one observed. It depends on how many pairs differ,
which H0 leaves open: the p-value is the largest one over all shares that the data do not exclude at
level gamma, plus gamma. Its size is at most the nominal level at every n and every share.

Sources: T. Tango, Stat. Med. 17 (1998) 891-908 (statistic); R. L. Berger, D. D. Boos, JASA 89
(1994) 1012-1016 (maximum over a confidence set); K. Sidik, Stat. Med. 22 (2003) 265-278 (the exact
test of paired proportions).
"""

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from llmeval.stats.estimation.bounds import lower_bound, upper_bound
from llmeval.stats.estimation.paired import PairCounts, tango, tango_z

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

GAMMA = 0.01
"""Share of the level for the confidence set of how many pairs differ."""
_POINTS, _FINER = 24, 9
"""Shares at which the probability is computed: at first, and again around the largest."""
_REACH = 8.0
"""Standard deviations after which a count never happens."""
_CLOSE = 1e-9
_NEAR = 2e-5
"""How near to the bound a bisection ends; it ends on the safe side."""


@lru_cache(maxsize=65536)
def p_above(counts: PairCounts, null: float, level: float = 0.05) -> float:
    """Exact p-value of H0: the difference is at most `null`.

    Args:
        counts: the pairs, at least one.
        null: the difference under H0, in (-1, 1).
        level: the level that the test is read at; any level is valid, the test is sharpest there.

    Raises:
        ValueError: a null outside (-1, 1).
    """
    if not -1 < null < 1:
        raise ValueError(f"the difference under the hypothesis must lie in (-1, 1), got {null}")
    gamma, n, drop = GAMMA * level, counts.n, -null
    least, most = _differing(counts.worse + counts.better, n, gamma / 2)
    low = max(_CLOSE, drop, (least + drop) / 2)  # P(worse)
    high = min((1 + drop) / 2, (most + drop) / 2)
    if low > high:  # fewer pairs differ than any drop of this size would make
        return gamma
    fewest = _fewest_better(n, null, tango_z(counts, null), _most(n, high))
    shares = low + (high - low) * np.linspace(0, 1, _POINTS) ** 2
    sizes = _probability(n, drop, fewest, shares)
    top = int(sizes.argmax())
    around = np.linspace(shares[max(0, top - 1)], shares[min(_POINTS - 1, top + 1)], _FINER)
    finer = _probability(n, drop, fewest, around)
    return min(1.0, float(max(sizes.max(), finer.max())) + gamma)


def lower_limit(counts: PairCounts, level: float) -> float:
    """The lower bound of the difference at `level`: the largest null that `p_above` rejects.

    By bisection below Tango's bound, which the exact one rarely exceeds; that bound itself where it
    is not below 0, since a null hypothesis of a rise has no margin.

    Args:
        counts: the pairs, at least one.
        level: of the bound, in (0, 1).
    """
    top = tango(counts, 1 - 2 * level).low
    if top >= 0 or top <= -1 + _CLOSE:
        return top
    if p_above(counts, top, level) <= level:
        return top
    width = 1 / counts.n
    low, high = top - width, top
    while low > -1 and p_above(counts, low, level) > level:
        low, high, width = low - width, low, 2 * width
    if low <= -1:
        return -1.0
    while high - low > max(_NEAR, 1 / (50 * counts.n)):
        middle = (low + high) / 2
        low, high = (middle, high) if p_above(counts, middle, level) <= level else (low, middle)
    return low


@lru_cache(maxsize=4096)
def _differing(differ: int, n: int, rate: float) -> tuple[float, float]:
    """The share of pairs that differ, within exact bounds, each at `rate`."""
    return lower_bound(differ, n, rate), upper_bound(differ, n, rate)


def _most(n: int, share: float) -> int:
    return min(n, math.ceil(n * share + _REACH * (math.sqrt(n * share * (1 - share)) + 1)))


def _fewest_better(n: int, null: float, observed: float, most: int) -> Whole:
    """For 0 to `most` worse pairs, from how many better ones on the statistic is at least as large
    as the observed one; one more than there can be where it never is.
    """
    worse = np.arange(most + 1.0)
    low, high = np.full(most + 1, -1.0), n - worse + 1
    while (high - low > 1).any():
        middle = np.minimum(np.floor((low + high) / 2), n - worse)
        reached = _statistic(worse, middle, n, null) >= observed - _CLOSE
        open_ = high - low > 1
        high, low = np.where(open_ & reached, middle, high), np.where(open_ & ~reached, middle, low)
    return high.astype(np.int64)


def _statistic(worse: Floats, better: Floats, n: int, null: float) -> Floats:
    """`paired.tango_z` of many outcomes."""
    b = -worse - better + (2 * n - better + worse) * null
    root = np.sqrt(np.maximum(b * b + 8 * n * worse * null * (1 - null), 0.0))
    variance = n * ((root - b) / (2 * n) + null * (1 - null))
    excess = better - worse - n * null
    with np.errstate(divide="ignore", invalid="ignore"):
        z: Floats = np.where(
            variance > 1e-12,
            excess / np.sqrt(variance),
            np.where(np.abs(excess) < _CLOSE, 0.0, np.copysign(np.inf, excess)),
        )
    return z


def _probability(n: int, drop: float, fewest: Whole, shares: Floats) -> Floats:
    """P(better >= fewest[worse]) for each share q: P(worse) = q, P(better) = q - drop.

    Given the worse pairs the better ones are Binomial(n - worse, (q - drop) / (1 - q)). From one
    number of worse pairs to the next that tail changes by single binomial terms, so it is a sum.
    """
    spread = _REACH * (math.sqrt(n * float((shares * (1 - shares)).max())) + 1)
    first = max(0, math.floor(n * float(shares.min()) - spread))
    last = min(len(fewest) - 1, math.ceil(n * float(shares.max()) + spread))
    worse, q = np.arange(first, last + 1), shares[:, None]
    chance = np.clip((q - drop) / (1 - q), 1e-300, 1 - 1e-16)
    needed, left = fewest[worse], n - worse
    start = np.arange(int(needed[0]), 1 + _most(int(left[0]), float(chance.max())))
    tail = _terms(np.full(len(start), left[0]), start, chance).sum(axis=1, keepdims=True)
    change = -chance * _terms(left[1:], needed[:-1] - 1, chance)
    jumps = np.diff(needed)
    for step in range(int(jumps.max(initial=0))):
        change -= np.where(jumps > step, _terms(left[1:], needed[:-1] + step, chance), 0.0)
    tails = np.clip(np.hstack([tail, tail + change.cumsum(axis=1)]), 0.0, 1.0)
    whole: Floats = (_terms(np.full(len(worse), n), worse, q) * tails).sum(axis=1)
    return whole


def _terms(trials: Whole, hits: Whole, chance: Floats) -> Floats:
    """P(X = hits) for X ~ Binomial(trials, chance), a row for each chance; 0 where impossible."""
    possible = (hits >= 0) & (hits <= trials)
    hits = np.where(possible, hits, 0)
    logs = _log_factorials(int(trials.max(initial=0)))
    ways = logs[trials] - logs[hits] - logs[trials - hits]
    terms: Floats = np.exp(ways + hits * np.log(chance) + (trials - hits) * np.log1p(-chance))
    return np.where(possible, terms, 0.0)


@lru_cache(maxsize=8)
def _table(size: int) -> Floats:
    return np.append(0.0, np.log(np.arange(1, size)).cumsum())


def _log_factorials(n: int) -> Floats:
    """ln k! for k = 0 to at least n."""
    return _table(1 << max(10, (n + 1).bit_length()))
