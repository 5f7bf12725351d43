"""How far two runs differ on the same cases: an interval, and a test each way, for people who
explore.

The gate asks whether a drop is ruled out (`gate_test.py`); this asks only whether there is a
difference at all. It stands on the same tests (`final.py`), each way by the one that is exact or
safe for a loss: exact McNemar for binary pairs.
"""

from collections.abc import Hashable, Sequence
from typing import NamedTuple

import numpy as np

from llmeval.stats.estimation.clusters import units
from llmeval.stats.tests.fixed_sample import Nulls, final_test


class MeanDifference(NamedTuple):
    """A mean of differences in [-1, 1] with its two-sided interval; `p`: two-sided p-value of "no
    difference".
    """

    estimate: float
    low: float
    high: float
    p: float


def difference(
    values: Sequence[float], clusters: Sequence[Hashable] | None = None, level: float = 0.95
) -> MeanDifference:
    """The mean difference of paired results.

    Args:
        values: second minus first, a value a case in [-1, 1], repeats reduced before; NaN where a
            side is missing. A missing one counts halfway in the estimate and as the worst for each
            claim in bounds and p-value. clusters: which cases are not independent; None: an
            independent case.
        level: of the interval, (1 - level) / 2 a side.

    Raises:
        ValueError: no values, or not one cluster a value.

    Source: p = twice the smaller one-sided p-value; the tests are those of `final.final_test`.
    """
    scores = np.asarray(values, dtype=float)
    least, sizes = units(np.where(np.isnan(scores), -1.0, scores), clusters)
    most, _ = units(np.where(np.isnan(scores), 1.0, scores), clusters)
    rate = (1 - level) / 2
    nulls = Nulls(0.0, 0.0, -1.0, 1.0, rate, rate)
    below, above = final_test(most, sizes, nulls), final_test(-least, sizes, nulls)
    estimate = float(sizes @ ((least + most) / 2) / sizes.sum())
    p = min(1.0, 2 * min(below.p_fail, above.p_fail))
    return MeanDifference(estimate, min(-above.high, estimate), max(below.high, estimate), p)
