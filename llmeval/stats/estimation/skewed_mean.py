"""The mean of numbers without an upper end, such as seconds and dollars: tests and bounds that hold
for skewed data.

Student's t says too often that such a mean is small: the largest values are rare, and a sample that
lacks them is too low and too little spread. So one more value is added on the side of the
hypothesis, twice as far off as the farthest one seen, and the bootstrap-t has to agree. By
simulation wrong claims stay at or below the level from 30 values on, for lognormal data up to
sigma 1.5 and Pareto data from index 2.1 on (`benchmarks/decisions_numbers.py`). No method holds for
every distribution: a value that is seen once in 1,000 answers may be as large as it likes.

Source: R. R. Bahadur, L. J. Savage, Ann. Math. Statist. 27 (1956) 1115-1122; the rest as
`tests.studentised`.
"""

import math
from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

from llmeval.stats.estimation.bounds import Interval
from llmeval.stats.estimation.clusters import units
from llmeval.stats.special.beta import student_above, student_quantile
from llmeval.stats.tests.fixed_sample import are_few
from llmeval.stats.tests.studentised import (
    Studentised,
    effective_number,
    lower_mean,
    p_at_most,
)

Floats = NDArray[np.float64]

FAR = 2.0
"""How far off the added value is, in times of the farthest residual seen."""
_MOST_BOOTSTRAP = 2000
"""Above so many units Student's t is read alone: the bootstrap no longer differs from it."""


def prepare_mean(values: Sequence[float] | Floats, clusters: Sequence[Hashable]) -> Studentised:
    """Everything about H0: mean <= null, for `p_greater` and `lower`.

    Args:
        values: at least two units.
        clusters: of each value.
    """
    means, sizes = units(values, clusters)
    order = np.lexsort((sizes, means))  # the seeded draws must not depend on the order of records
    means, sizes = means[order], sizes[order]
    count, shares = len(means), sizes / sizes.sum()
    mean = float(sizes @ means / sizes.sum())
    residuals = count * shares * (means - mean) * (1 - 1 / count) / (1 - shares)
    residuals = residuals - residuals.mean()
    residuals = np.append(residuals, -FAR * float(np.abs(residuals).max()))
    error = float(residuals.std(ddof=1)) / math.sqrt(count + 1)
    shift = float(residuals.mean())
    return Studentised(mean + shift, error, effective_number(sizes), residuals)


def p_greater(sample: Studentised, null: float, level: float) -> float:
    """p-value of H0: mean <= `null`, to be read at `level`."""
    if sample.se == 0:
        return 0.0 if sample.mean > null else 1.0
    if len(sample.residuals) <= _MOST_BOOTSTRAP:
        return p_at_most(sample, null, level)
    return student_above((sample.mean - null) / sample.se, sample.df)


def lower(sample: Studentised, alpha: float) -> float:
    """The lower bound of the mean at `alpha`: the largest null that `p_greater` rejects."""
    if sample.se == 0:
        return sample.mean
    if len(sample.residuals) <= _MOST_BOOTSTRAP:
        return lower_mean(sample, alpha)
    return sample.mean - student_quantile(alpha, sample.df) * sample.se


def skewed_bounds(
    values: Sequence[float] | Floats, clusters: Sequence[Hashable], alpha: float
) -> Interval | None:
    """One-sided bounds of the mean, each at `alpha`; None where there are too few units.

    Args:
        values: at least one. clusters: of each value.
        alpha: of one bound.
    """
    if too_few(clusters):
        return None
    data = np.asarray(values, dtype=float)
    return Interval(
        lower(prepare_mean(data, clusters), alpha), -lower(prepare_mean(-data, clusters), alpha)
    )


def too_few(clusters: Sequence[Hashable]) -> bool:
    """Whether these units are too few for a mean: fewer than 30, or than 20 by weight."""
    _, sizes = units(np.zeros(len(clusters)), clusters)
    return len(sizes) == 0 or are_few(sizes)
