"""Is a canary worse than the stable version, or not worse by more than a margin? At any time.

The two versions answer one stream, and each block of it gives one difference in [-1, 1]: the mean
of the canary's scores minus the mean of the stable version's. Two bets read these differences. One
is against "the canary is not worse" (mean difference at least 0), the other against "the canary is
worse by the margin" (mean difference at most -margin). Each wealth is a nonnegative supermartingale
under its hypothesis, so it ever reaches 1/alpha with probability at most alpha (Ville 1939). The
call may therefore be repeated after each answer.

Assumes: who answers a message does not depend on how well it will be answered, and blocks are
independent.

Source: I. Waudby-Smith, A. Ramdas, JRSS B 86 (2024) 1-27, arXiv 2010.09686.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from llmeval.stats.sequential.betting import Wealth, bets, upper_sequence

Floats = NDArray[np.float64]


class LiveDifference(NamedTuple):
    """What the differences show. `mean`: of the canary minus the stable version; None without a
    difference. `low`, `high`: bounds of it, each at `alpha`, valid whenever one stops. `p_worse`:
    of "not worse"; `p_not_worse`: of "worse by the margin". `first`: which of both was shown
    first: `worse`, `not worse`, or empty. `blocks`: the differences until now.
    """

    mean: float | None
    low: float
    high: float
    p_worse: float
    p_not_worse: float
    first: str
    blocks: int


def live_difference(
    lowest: Sequence[float],
    highest: Sequence[float],
    margin: float,
    alpha: float,
    alpha_worse: float | None = None,
) -> LiveDifference:
    """Test the differences of blocks in their order.

    Args:
        lowest, highest: each difference in [-1, 1], with missing scores counted against the canary
            and for it. Equal where nothing is missing.
        margin: the largest fall that is accepted, in (0, 1).
        alpha: the error rate of each bound and of "not worse", in (0, 1).
        alpha_worse: of "worse"; None: as `alpha`.

    Raises:
        ValueError: the sequences differ in length, or the margin is not in (0, 1).
    """
    if len(lowest) != len(highest) or not 0 < margin < 1:
        raise ValueError("need as many lowest as highest differences, and a margin in (0, 1)")
    if not len(lowest):
        return LiveDifference(None, -1.0, 1.0, 1.0, 1.0, "", 0)
    low, high = np.asarray(lowest, dtype=float), np.asarray(highest, dtype=float)
    sizes = np.ones(len(low))
    gamblers = bets()
    worse = np.maximum.accumulate(Wealth(0.0, 1.0, gamblers).update(high, sizes))
    not_worse = np.maximum.accumulate(Wealth(margin, 1.0, gamblers).update(-low, sizes))
    upper = upper_sequence(high, sizes, 1.0, alpha, gamblers)
    lower = -upper_sequence(-low, sizes, 1.0, alpha, gamblers)
    reached = {
        "worse": _first(worse, alpha if alpha_worse is None else alpha_worse),
        "not worse": _first(not_worse, alpha),
    }
    word = min(reached, key=lambda name: reached[name])
    return LiveDifference(
        float((low + high).mean() / 2),
        lower,
        upper,
        min(1.0, math.exp(-float(worse[-1]))),
        min(1.0, math.exp(-float(not_worse[-1]))),
        word if reached[word] < len(low) else "",
        len(low),
    )


def _first(path: Floats, alpha: float) -> int:
    """The index of the first block at which the wealth is 1 / alpha; the length without one."""
    hits = np.flatnonzero(path >= math.log(1 / alpha))
    return int(hits[0]) if len(hits) else len(path)
