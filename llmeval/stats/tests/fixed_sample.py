"""The final test: one test a side on all planned units, the best one for the kind of data.

| data | mean at least null (for FAIL) | mean at most null (for PASS) |
|---|---|---|
| paired binary, independent cases | exact McNemar at null 0, else as for PASS | exact margin test |
| binary, independent cases | exact binomial | exact binomial |
| scores, independent cases; few clusters | simplex (`gaffke.py`) | simplex |
| other clusters, differences | studentised (`studentised.py`) | studentised |
| other clusters, scores, null above 1/2 | simplex | studentised |
| other clusters, scores, null below 1/2 | studentised | simplex |

`margin.py` has the exact margin test. Few are less than 30 clusters, or clusters that weigh as much
as less than 20 of equal size.
"""

import math
from collections.abc import Hashable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from llmeval.stats.estimation.bounds import lower_bound, upper_bound
from llmeval.stats.estimation.clusters import units
from llmeval.stats.estimation.paired import PairCounts, mcnemar_worse, tango, tango_z
from llmeval.stats.special.beta import beta_cdf
from llmeval.stats.tests import gaffke, studentised
from llmeval.stats.tests.margin import lower_limit, p_above

Floats = NDArray[np.float64]

FEW_CLUSTERS = 30
"""Below so many clusters no studentised mean is to be trusted."""
FEW_EFFECTIVE = 20
"""The same of clusters of unequal size, counted as so many of equal size."""
_EDGE = 1e-6


class FixedSampleTest(NamedTuple):
    """What the final test says: two p-values and the one-sided bounds of the mean that go with
    them.

    `p_fail`: of H0 mean >= fail_null. `p_pass`: of H0 mean <= pass_null. `low`, `high`: each at its
        own level.
    """

    p_fail: float
    p_pass: float
    low: float
    high: float
    method: str


class Nulls(NamedTuple):
    """The two hypotheses, the range of scores, and the level of each bound."""

    fail: float
    pass_: float
    low: float
    high: float
    alpha: float
    beta: float


def final_test(
    values: Floats, sizes: Floats, nulls: Nulls, *, bounds: bool = True
) -> FixedSampleTest:
    """Test both hypotheses on these units.

    Args:
        values: the mean score of each unit. sizes: its cases.
        nulls: what is tested, at what levels.
        bounds: whether the bounds are wanted too; without them they are the range of scores.

    Raises:
        ValueError: no units.
    """
    if not len(values):
        raise ValueError("a test needs at least one unit")
    if (sizes == 1).all():
        if nulls.low == -1 and np.isin(values, (-1.0, 0.0, 1.0)).all():
            return _paired(values, nulls, bounds)
        if nulls.low == 0 and nulls.high == 1 and np.isin(values, (0.0, 1.0)).all():
            return _binomial(int(values.sum()), len(values), nulls, bounds)
    elif not are_few(sizes):
        return _clustered(values, sizes, nulls, bounds)
    return _simplex(values, sizes, nulls, bounds)


def are_few(sizes: Floats) -> bool:
    """Whether these clusters are too few for a studentised mean: the test of few clusters assumes
    no distribution, and rarely decides.
    """
    return len(sizes) < FEW_CLUSTERS or studentised.effective_number(sizes) < FEW_EFFECTIVE


def bounds_of(
    scores: Sequence[float], clusters: Sequence[Hashable] | None, alpha: float
) -> tuple[float, float]:
    """One-sided bounds, each at `alpha`, of the mean of scores in [0, 1]: those of the test this
    mean would get.
    """
    values, sizes = units(scores, clusters)
    inside = min(max(float(sizes @ values / sizes.sum()), _EDGE), 1 - _EDGE)
    side = final_test(values, sizes, Nulls(inside, inside, 0.0, 1.0, alpha, alpha))
    return side.low, side.high


def _paired(values: Floats, nulls: Nulls, bounds: bool) -> FixedSampleTest:
    worse, better = int((values < 0).sum()), int((values > 0).sum())
    counts = PairCounts(worse, len(values) - worse - better, better)
    p_pass = _margin(counts, nulls.pass_, nulls.beta)
    if nulls.fail == 0:
        p_fail = mcnemar_worse(worse, better)
    else:
        p_fail = _margin(PairCounts(better, counts.same, worse), -nulls.fail, nulls.alpha)
    low, high = nulls.low, nulls.high
    if bounds:
        low, high = lower_limit(counts, nulls.beta), tango(counts, 1 - 2 * nulls.alpha).high
        low = max(low, nulls.pass_) if p_pass <= nulls.beta else min(low, nulls.pass_)
        # The exact test is the stricter one at its null: a bound below that it does not confirm
        # would promise too much.
        high = high if p_fail <= nulls.alpha else max(high, nulls.fail)
    return FixedSampleTest(p_fail, p_pass, low, high, "exact McNemar and exact margin test")


def _margin(counts: PairCounts, null: float, level: float) -> float:
    """The exact p-value of H0: the difference is at most `null`; the one of the score test where
    that is no rejection, as the exact one could then be none either way, and it takes longer.
    """
    by_score = 0.5 * math.erfc(tango_z(counts, null) / math.sqrt(2))
    if by_score > level or not -1 < null < 1:
        return by_score
    return max(by_score, p_above(counts, null, level))


def _binomial(k: int, n: int, nulls: Nulls, bounds: bool) -> FixedSampleTest:
    return FixedSampleTest(
        p_fail=1.0 if k == n else beta_cdf(1 - nulls.fail, n - k, k + 1),
        p_pass=1.0 if k == 0 else beta_cdf(nulls.pass_, k, n - k + 1),
        low=lower_bound(k, n, nulls.beta) if bounds else nulls.low,
        high=upper_bound(k, n, nulls.alpha) if bounds else nulls.high,
        method="exact binomial test",
    )


def _simplex(values: Floats, sizes: Floats, nulls: Nulls, bounds: bool) -> FixedSampleTest:
    p_fail, high = _simplex_fail(values, sizes, nulls, bounds)
    p_pass, low = _simplex_pass(values, sizes, nulls, bounds)
    return FixedSampleTest(p_fail, p_pass, low, high, "simplex test")


def _simplex_fail(values: Floats, sizes: Floats, nulls: Nulls, bounds: bool) -> tuple[float, float]:
    p_value = gaffke.p_at_least(values, sizes, nulls.fail, nulls.high)
    return p_value, gaffke.upper_mean(
        values, sizes, nulls.high, nulls.alpha
    ) if bounds else nulls.high


def _simplex_pass(values: Floats, sizes: Floats, nulls: Nulls, bounds: bool) -> tuple[float, float]:
    p_value = gaffke.p_at_least(-values, sizes, -nulls.pass_, -nulls.low)
    return p_value, -gaffke.upper_mean(
        -values, sizes, -nulls.low, nulls.beta
    ) if bounds else nulls.low


def _clustered(values: Floats, sizes: Floats, nulls: Nulls, bounds: bool) -> FixedSampleTest:
    """Studentised, but simplex on a side whose null is near its limit: there it is safe and loses
    little.
    """
    above, below = studentised.both_sides(values, sizes)
    if above.se == 0:
        return _simplex(values, sizes, nulls, bounds)
    middle = (nulls.low + nulls.high) / 2
    if nulls.fail > middle:
        p_fail, high = _simplex_fail(values, sizes, nulls, bounds)
    else:
        p_fail = studentised.p_at_most(below, -nulls.fail, 1.0 if bounds else nulls.alpha)
        high = (
            min(nulls.high, -studentised.lower_mean(below, nulls.alpha)) if bounds else nulls.high
        )
    if nulls.pass_ < middle and nulls.low == 0:
        p_pass, low = _simplex_pass(values, sizes, nulls, bounds)
    else:
        p_pass = studentised.p_at_most(above, nulls.pass_, 1.0 if bounds else nulls.beta)
        low = max(nulls.low, studentised.lower_mean(above, nulls.beta)) if bounds else nulls.low
    return FixedSampleTest(p_fail, p_pass, low, high, "cluster t and bootstrap-t")
