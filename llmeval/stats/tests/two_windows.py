"""Two windows of other cases: have the means, or the shares of labels, changed between them?

The p-value is a permutation test over clusters: under "nothing changed" the clusters of both
windows are exchangeable, so the test is exact for every number of cases, also small ones, and needs
no distribution. The statistic of a mean is studentised, so that the test keeps its level also where
only the means are equal and the spreads differ, with many clusters.

Sources: A. Janssen, Statistics & Probability Letters 36 (1997) 9-21; E. Chung, J. P. Romano, Annals
of Statistics 41 (2013) 484-507; B. Phipson, G. K. Smyth, Stat. Appl. Genet. Mol. Biol. 9 (2010) 39
(the 1 in numerator and denominator).
"""

import math
from collections.abc import Hashable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from llmeval.stats.estimation.bounds import mean_bounds

Floats = NDArray[np.float64]
PERMUTATIONS = 1999
"""Random permutations. The smallest p-value is 1 / 2000."""
_CHUNK = 4_000_000
"""Clusters times permutations that are in memory at once."""
_FLAT = 1e-9
"""A spread or a change below this is rounding."""
MIN_CLUSTERS = 4
"""With fewer clusters in a window no permutation of both can reach 5 %."""


class WindowChange(NamedTuple):
    """What changed from the first window to the second. `low`, `high`: bounds of the change, each
    one-sided at (1 - level) / 2; None where the kind of change has none. `p`: two-sided.
    """

    before: float
    now: float
    change: float
    low: float | None
    high: float | None
    p: float


class Window(NamedTuple):
    """One window: a value a case, and its cluster."""

    values: Sequence[float]
    clusters: Sequence[Hashable]


def mean_change(
    before: Window, now: Window, *, unit_range: bool, level: float = 0.95, seed: int = 0
) -> WindowChange:
    """The change of a mean between two windows.

    Args:
        before, now: at least one value each, without NaN.
        unit_range: whether all values lie in [0, 1]. Then the bounds are made of the exact or
            cluster-robust bounds of each window (`mean_bounds`), else of the cluster-robust
            standard errors.
        level: of the interval. seed: of the permutations.

    Raises:
        ValueError: a window without values.

    Source of the bounds: G. Zou, A. Donner, Statistics in Medicine 27 (2008) 1693-1702 (MOVER).
    """
    first, second = _sums(before), _sums(now)
    means = tuple(each[:, 0].sum() / each[:, 1].sum() for each in (first, second))
    change = float(means[1] - means[0])
    statistic = abs(_ratio(first, second))
    p = _permuted(first, second, statistic, seed)
    rate = (1 - level) / 2
    if unit_range:
        low, high = _mover(before, now, (float(means[0]), float(means[1])), rate)
    else:
        half = _quantile(rate) * math.sqrt(_variance(first) + _variance(second))
        low, high = change - half, change + half
    return WindowChange(float(means[0]), float(means[1]), change, low, high, p)


def drop_p(before: Window, now: Window, *, seed: int = 0) -> float:
    """The one-sided p-value of "the mean has not fallen", by permutation of the clusters.

    Args:
        As `mean_change`.

    Raises:
        ValueError: a window without values.
    """
    first, second = _sums(before), _sums(now)
    both, count = np.vstack((first, second)), len(first)
    statistic = _ratios(both, np.arange(len(both))[None, :] < count, count)[0]
    drawn, extreme, left = np.random.default_rng(seed), 0, PERMUTATIONS
    while left:
        rows = min(left, max(1, _CHUNK // len(both)))
        chosen = np.zeros((rows, len(both)), dtype=bool)
        chosen[:, :count] = True
        moved = _ratios(both, drawn.permuted(chosen, axis=1), count)
        extreme += int((moved <= statistic + 1e-12).sum())
        left -= rows
    return (1 + extreme) / (1 + PERMUTATIONS)


def _ratios(sums: Floats, chosen: NDArray[np.bool_], count: int) -> Floats:
    """`_ratio` for each row of `chosen`, which says which `count` clusters are the first window."""
    values, sizes = sums[:, 0], sums[:, 1]
    parts = np.column_stack((values, sizes, values**2, values * sizes, sizes**2))
    first = chosen @ parts
    means, variances = [], []
    for window, clusters in ((first, count), (parts.sum(0) - first, len(sums) - count)):
        mean = window[:, 0] / window[:, 1]
        # the residuals of the clusters, squared: sum of (value - size * mean) ** 2
        squares = window[:, 2] - 2 * mean * window[:, 3] + mean**2 * window[:, 4]
        factor = clusters / (clusters - 1) if clusters > 1 else math.inf
        means.append(mean)
        variances.append(factor * np.maximum(squares, 0.0) / window[:, 1] ** 2)
    change, spread = means[1] - means[0], np.sqrt(variances[0] + variances[1])
    flat = spread < _FLAT
    sign = np.where(np.abs(change) < _FLAT, 0.0, np.copysign(math.inf, change))
    ratios: Floats = np.where(flat, sign, change / np.where(flat, 1.0, spread))
    return ratios


def bounded_change(before: Window, now: Window, low_rate: float, high_rate: float) -> WindowChange:
    """The change of a mean of values in [0, 1] with bounds at two one-sided rates, without a test:
    `p` is 1. Bounds and errors as `mean_change`.
    """
    first, second = _sums(before), _sums(now)
    means = tuple(float(each[:, 0].sum() / each[:, 1].sum()) for each in (first, second))
    low, _ = _mover(before, now, (means[0], means[1]), low_rate)
    _, high = _mover(before, now, (means[0], means[1]), high_rate)
    return WindowChange(means[0], means[1], means[1] - means[0], low, high, 1.0)


def label_change(
    before: Sequence[str],
    now: Sequence[str],
    clusters: tuple[Sequence[Hashable], Sequence[Hashable]],
    *,
    seed: int = 0,
) -> WindowChange:
    """The change of the mix of labels: the total variation distance, half the sum of the absolute
    differences of the shares, in [0, 1].

    Args:
        before, now: a label a case. clusters: of each case, per window. seed: of the permutations.

    Raises:
        ValueError: a window without labels.
    """
    if not before or not now:
        raise ValueError("a window has no labels")
    labels = sorted({*before, *now})
    tables = [_table(each, own, labels) for each, own in zip((before, now), clusters, strict=True)]
    both = np.vstack(tables)
    count = len(tables[0])
    distance = _distance(tables[0].sum(0), tables[1].sum(0))
    drawn, extreme = np.random.default_rng(seed), 0
    for _ in range(PERMUTATIONS):
        order = drawn.permutation(len(both))
        moved = _distance(both[order[:count]].sum(0), both[order[count:]].sum(0))
        extreme += moved >= distance - 1e-12
    p = (1 + extreme) / (1 + PERMUTATIONS)
    return WindowChange(0.0, distance, distance, None, None, p)


def _sums(window: Window) -> Floats:
    """(sum of the values, cases) of each cluster."""
    if not len(window.values):
        raise ValueError("a window has no values")
    numbers: dict[Hashable, int] = {}
    index = [numbers.setdefault(cluster, len(numbers)) for cluster in window.clusters]
    values = np.asarray(window.values, dtype=float)
    return np.column_stack((np.bincount(index, weights=values), np.bincount(index))).astype(float)


def _variance(sums: Floats) -> float:
    """The squared cluster-robust standard error of the mean; infinite for one cluster."""
    count, cases = len(sums), sums[:, 1].sum()
    if count == 1:
        return math.inf
    residuals = sums[:, 0] - sums[:, 1] * sums[:, 0].sum() / cases
    return float(count / (count - 1) * (residuals @ residuals) / cases**2)


def _ratio(first: Floats, second: Floats) -> float:
    """The studentised difference; infinite where both windows are constant and differ."""
    change = second[:, 0].sum() / second[:, 1].sum() - first[:, 0].sum() / first[:, 1].sum()
    spread = math.sqrt(_variance(first) + _variance(second))
    if spread == 0:
        return 0.0 if abs(change) < 1e-12 else math.copysign(math.inf, change)
    return float(change / spread)


def _permuted(first: Floats, second: Floats, statistic: float, seed: int) -> float:
    both, count = np.vstack((first, second)), len(first)
    drawn, extreme = np.random.default_rng(seed), 0
    for _ in range(PERMUTATIONS):
        order = drawn.permutation(len(both))
        moved = abs(_ratio(both[order[:count]], both[order[count:]]))
        extreme += moved >= statistic - 1e-12
    return (1 + extreme) / (1 + PERMUTATIONS)


def _mover(
    before: Window, now: Window, means: tuple[float, float], rate: float
) -> tuple[float, float]:
    bounds = [mean_bounds(each.values, rate, _or_none(each.clusters)) for each in (before, now)]
    change = means[1] - means[0]
    low = math.hypot(means[1] - bounds[1].low, bounds[0].high - means[0])
    high = math.hypot(bounds[1].high - means[1], means[0] - bounds[0].low)
    return max(-1.0, change - low), min(1.0, change + high)


def _or_none(clusters: Sequence[Hashable]) -> Sequence[Hashable] | None:
    """None where each case is its own cluster: then the bounds of binary values are exact."""
    return None if len(set(clusters)) == len(clusters) else clusters


def _table(labels: Sequence[str], clusters: Sequence[Hashable], names: list[str]) -> Floats:
    """Counts of each label in each cluster."""
    places = {name: column for column, name in enumerate(names)}
    rows: dict[Hashable, int] = {}
    pairs = [
        (rows.setdefault(cluster, len(rows)), places[label])
        for label, cluster in zip(labels, clusters, strict=True)
    ]
    table = np.zeros((len(rows), len(names)))
    for row, column in pairs:
        table[row, column] += 1
    return table


def _distance(first: Floats, second: Floats) -> float:
    return float(np.abs(first / first.sum() - second / second.sum()).sum() / 2)


def _quantile(rate: float) -> float:
    from statistics import NormalDist

    return NormalDist().inv_cdf(1 - rate)
