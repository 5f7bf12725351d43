"""Means over clusters, studentised: where only few clusters differ, the normal theory errs on one
side or the other.

Two tests share the work. Student's t with the cluster-robust error finds a loss that sits in a few
clusters too easily absent; the bootstrap-t corrects for skewness but with rare differences finds a
loss too easily present. A hypothesis is rejected only when both reject it.

Clusters of unequal size count as fewer: as many as the effective number, (sum s)^2 / sum s^2, which
gives the degrees of freedom. Each cluster's residual is divided by 1 minus its share of the cases
(the jackknife error CR3), since a large cluster draws the mean to itself. Below 100 effective
clusters, or where few of them hold most of the variance, one more cluster is added, as far off as
the farthest one seen and on the side of the hypothesis. Equal sizes are the plain case of all this.
Measured sizes: `benchmarks/decisions_audit.py --section clusters`.

Sources: R. M. Bell, D. F. McCaffrey, Survey Methodology 28 (2002) 169-181 (CR3, small samples);
A. V. Carter, K. T. Schnepel, D. G. Steigerwald, Rev. Econ. Stat. 99 (2017) 698-709 (the effective
number of clusters); J. G. MacKinnon, M. O. Nielsen, M. D. Webb, J. Econometrics 232 (2023) 272-299.
"""

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from llmeval.stats.special.beta import student_above, student_quantile

Floats = NDArray[np.float64]

ENOUGH = 100
"""Effective clusters from which no further one is added."""
ENOUGH_VARIANCE = 40
"""The same, counted by variance (`by_variance`): unequal sizes need both."""
WITHIN = 0.2
"""Correlation within clusters that `by_variance` takes."""
_DRAWS = 999
_TINY = 1e-12
_TINY_SHARE = 1e-6
_SEED = 20260101
_BLOCK = 1_000_000
"""Most numbers drawn at a time: bounds the memory."""


@dataclass(frozen=True)
class Studentised:
    """A mean over clusters, seen from below: everything about H0: mean <= null.

    `mean`, `se`: with the added cluster. `df`: degrees of freedom. `residuals`: of the clusters, in
    cases of a mean cluster.
    """

    mean: float
    se: float
    df: float
    residuals: Floats

    @cached_property
    def bootstrap(self) -> Floats:
        """Studentised bootstrap means, sorted: (mean* - mean) / se*."""
        count = len(self.residuals)
        block = max(1, _BLOCK // count)
        ratios = [
            _ratios(self.residuals, _draws(count, done, min(done + block, _DRAWS)))
            for done in range(0, _DRAWS, block)
        ]
        return np.sort(np.concatenate(ratios))

    @property
    def mirrored(self) -> "Studentised":
        """The same seen from above."""
        return Studentised(-self.mean, self.se, self.df, -self.residuals)


def studentise(values: Floats, sizes: Floats) -> Studentised:
    """Prepare the tests of H0: mean <= null.

    The bootstrap draws clusters, not cases; it is studentised by each draw's own error, which makes
    it second-order correct. The draws are seeded: the same data give the same answer.

    Args:
        values: the mean of each cluster, at least two.
        sizes: the cases in each.

    Source: P. Hall, Ann. Statist. 16 (1988) 927-953; A. C. Cameron, J. B. Gelbach, D. L. Miller,
    Rev. Econ. Stat. 90 (2008) 414-427 for clusters.
    """
    shares = sizes / sizes.sum()
    mean, count = float(sizes @ values / sizes.sum()), len(values)
    # (1 - 1 / count) makes this the plain residual where all sizes are equal.
    residuals = count * shares * (values - mean) * (1 - 1 / count) / (1 - shares)
    residuals = residuals - residuals.mean()
    df = effective_number(sizes) - 1
    if adds_one(sizes):
        residuals, df = np.append(residuals, -farthest(values - mean, residuals, sizes)), df + 1
    count = len(residuals)
    shift = float(residuals.mean())
    se = float(residuals.std(ddof=1)) / math.sqrt(count)
    return Studentised(mean + shift, se, df, residuals)


def effective_number(sizes: Floats) -> float:
    """How many clusters of equal size weigh as much as these: (sum s)^2 / sum s^2."""
    return float(sizes.sum() ** 2 / (sizes @ sizes))


def by_variance(sizes: Floats) -> float:
    """How many clusters share the variance of the mean: (sum v)^2 / sum v^2, v the variance of a
    cluster's sum, s + WITHIN s (s - 1). Less than the effective number where sizes are unequal.
    """
    variances = sizes * (1 + WITHIN * (sizes - 1))
    return float(variances.sum() ** 2 / (variances @ variances))


def adds_one(sizes: Floats) -> bool:
    """Whether one more cluster is added to these."""
    return (
        effective_number(sizes) < ENOUGH - _TINY_SHARE
        or by_variance(sizes) < ENOUGH_VARIANCE - _TINY_SHARE
    )


def farthest(deviations: Floats, residuals: Floats, sizes: Floats) -> float:
    """The residual of the added cluster: the largest one seen, or that of a rather large cluster
    that is as far off, in its own standard deviations, as any. Its size is between the mean one and
    the one that the average case is in.
    """
    mean, of_a_case = float(sizes.mean()), float(sizes @ sizes / sizes.sum())
    size = math.sqrt(mean * of_a_case)
    spreads = np.sqrt((1 + WITHIN * (sizes - 1)) / sizes)
    spread = math.sqrt((1 + WITHIN * (size - 1)) / size)
    far = np.abs(deviations) * np.minimum(1.0, spread / spreads)
    return float(max(np.abs(residuals).max(), far.max() * size / mean))


@lru_cache(maxsize=16)
def _draws(count: int, first: int, last: int) -> NDArray[np.int32]:
    """Rows `first` to `last` of the bootstrap's draws of so many clusters; seeded, and kept, since
    a run's looks and a simulation's runs draw the same again and again.
    """
    source = np.random.default_rng([_SEED, first])
    return source.integers(0, count, (last - first, count), dtype=np.int32)


def _ratios(residuals: Floats, draws: NDArray[np.int32]) -> Floats:
    count, drawn = len(residuals), residuals[draws]
    means = drawn.mean(axis=1)
    squares = np.einsum("ij,ij->i", drawn, drawn) / count - means**2
    moved, errors = means - residuals.mean(), np.sqrt(np.maximum(squares, 0.0) / (count - 1))
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios: Floats = np.where(errors > _TINY, moved / errors, np.copysign(np.inf, moved))
    return ratios


def both_sides(values: Floats, sizes: Floats) -> tuple[Studentised, Studentised]:
    """`studentise` of the values and of their negatives; without an added cluster one mirrors the
    other.
    """
    above = studentise(values, sizes)
    if adds_one(sizes):
        return above, studentise(-values, sizes)
    return above, above.mirrored


def clusters_for(planned: float, z: float, enough: float = ENOUGH) -> float:
    """Effective clusters that decide as often as `planned` of them would by the normal theory; from
    `enough` on no more are needed.

    The added cluster lies about c = sqrt(2 ln 2m) standard deviations off: the mean of m moves by c
    / sqrt(m) standard errors, and its variance grows by c^2 / m; that the larger p-value of
    Student's t and the bootstrap decides takes z^2 / 8m more (fitted). So of m clusters m / ((1 + c
    / (z sqrt(m)) + z^2 / 8m)^2 (1 + c^2 / m)) count. By simulation 91 to 96 % decide where 95 % are
    planned, from 50 clusters on, and within 10 % of their number 95 % do (`benchmarks/decisions.py
    --section planner`).

    Args:
        planned: by the normal theory.
        z: standard errors between the limit and the mean that is to be decided, > 0.
        enough: from how many on none is added (`adds_one`).
    """
    clusters = max(math.ceil(planned), 2)
    while clusters < enough and clusters < planned * added_cost(clusters, z, enough):
        clusters += 1
    return max(planned, clusters)


def added_cost(clusters: float, z: float, enough: float = ENOUGH) -> float:
    """By how much more clusters it takes because one is added; 1 from `enough` on. Arguments as
    `clusters_for`.
    """
    if clusters >= enough:
        return 1.0
    far = math.sqrt(2 * math.log(2 * max(clusters, 1)))
    return (1 + far / (z * math.sqrt(clusters)) + z * z / (8 * clusters)) ** 2 * (
        1 + far * far / clusters
    )


def p_at_most(sample: Studentised, null: float, read_at: float = 1.0) -> float:
    """p-value of H0: mean <= `null`; the larger one of the t test's and the bootstrap-t test's.

    The bootstrap is left out where the t test alone is above `read_at`, the level that the p-value
    is read at: nothing is rejected then.

    Assumes that clusters are independent, and not few (`fixed_sample.are_few`); 1 when all
    clusters agree, since then nothing shows how clusters may differ.
    """
    if sample.se == 0:
        return 1.0
    ratio = (sample.mean - null) / sample.se
    by_t = student_above(ratio, sample.df)
    if by_t > read_at:
        return by_t
    at_least = len(sample.bootstrap) - int(np.searchsorted(sample.bootstrap, ratio, side="left"))
    return max(by_t, (1 + at_least) / (1 + len(sample.bootstrap)))


def lower_mean(sample: Studentised, alpha: float) -> float:
    """The lower bound of the mean at `alpha`: the largest null that `p_at_most` rejects. -inf when
    nothing is shown.
    """
    if sample.se == 0:
        return -math.inf
    allowed = math.floor(alpha * (1 + len(sample.bootstrap)) + 1e-9) - 1
    if allowed < 0:
        return -math.inf
    by_bootstrap = float(sample.bootstrap[len(sample.bootstrap) - 1 - allowed])
    return sample.mean - max(student_quantile(alpha, sample.df), by_bootstrap) * sample.se
