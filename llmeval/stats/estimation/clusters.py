"""Cases that are not independent: repeats of one case, and cases that share a document, template or
conversation.
"""

import math
from collections.abc import Hashable, Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class ClusteredMean(NamedTuple):
    """A mean with its cluster-robust standard error. `df`: clusters - 1. `effect`: the design
    effect.
    """

    mean: float
    se: float
    df: int
    effect: float


class Units(NamedTuple):
    """Independent units: the mean of each and how many cases it holds, in the order of first
    appearance.
    """

    values: Floats
    sizes: Floats


def per_case(records: Iterable[tuple[Hashable, float]]) -> dict[Hashable, float]:
    """The mean of each case's repeats, from (case, value) in any order.

    Repeats are reduced before anything else: they are not independent cases, and n counts cases.
    Variance of the mean of n cases with K repeats: (between + within / K) / n.

    Source: E. Miller, arXiv 2411.00640 (2024), section 3.
    """
    by_case: dict[Hashable, list[float]] = {}
    for case, value in records:
        by_case.setdefault(case, []).append(value)
    return {case: math.fsum(values) / len(values) for case, values in by_case.items()}


def units(values: Sequence[float] | Floats, clusters: Sequence[Hashable] | None = None) -> Units:
    """Cases as independent units: each by itself, or one unit for each cluster (None: an
    independent case).

    Raises:
        ValueError: not one cluster a value.
    """
    scores = np.asarray(values, dtype=float)
    if clusters is None:
        return Units(scores, np.ones(len(scores)))
    if len(clusters) != len(scores):
        raise ValueError(f"{len(scores)} values but {len(clusters)} clusters")
    numbers: dict[Hashable, int] = {}
    index = np.array(
        [_number(numbers, row, cluster) for row, cluster in enumerate(clusters)], dtype=np.intp
    )
    sizes = np.bincount(index, minlength=len(numbers)).astype(float)
    return Units(np.bincount(index, weights=scores, minlength=len(numbers)) / sizes, sizes)


def _number(numbers: dict[Hashable, int], row: int, cluster: Hashable | None) -> int:
    key: Hashable = ("\0", row) if cluster is None else cluster
    return numbers.setdefault(key, len(numbers))


def clustered_mean(
    values: Sequence[float], clusters: Sequence[Hashable] | None = None
) -> ClusteredMean:
    """The mean over cases, its standard error from the clusters, and the design effect.

    SE^2 = C/(C-1) * n^-2 * sum_c (sum_{i in c} (x_i - mean))^2, for C independent clusters; with
    every case its own cluster this is the usual s^2/n. Infinite for one cluster: nothing shows how
    clusters differ.

    Raises:
        ValueError: no values, or not one cluster a value.

    Source: E. Miller, arXiv 2411.00640 (2024), section 2.2; K.-Y. Liang, S. L. Zeger, Biometrika 73
    (1986) 13-22, with the small-sample factor C/(C-1) of "CR1".
    """
    scores = np.asarray(values, dtype=float)
    if not len(scores):
        raise ValueError("a mean needs at least one value")
    sums = units(values, clusters)
    mean, n, count = float(scores.mean()), len(scores), len(sums.values)
    if count == 1:
        return ClusteredMean(mean, math.inf, 0, math.inf)
    residuals = sums.sizes * (sums.values - mean)
    se = math.sqrt(count / (count - 1) * float(residuals @ residuals)) / n
    plain = float(scores.var(ddof=1)) / n
    return ClusteredMean(mean, se, count - 1, se * se / plain if plain > 0 else 1.0)
