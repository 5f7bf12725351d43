"""Interim analyses of a fixed-sample test: the level of each of them, so that all together keep one
error rate.

Under the null the test's z after a share t of the units is B(t) / sqrt(t), B a Brownian motion. A
spending function says how much of the rate may be used up by t; the level of each look follows from
it and from the looks before.

Sources: K. K. G. Lan, D. L. DeMets, Biometrika 70 (1983) 659-663 (spending); P. Armitage, C. K.
McPherson, B. C. Rowe, JRSS A 132 (1969) 235-244 (the recursion); D. Siegmund, Sequential Analysis
(1985), eq. 3.15 (crossing of a line).
"""

import math
from functools import lru_cache
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

FEWEST = 10
"""Units before the first look."""


class Placing(NamedTuple):
    """What one side's looks are placed for.

    `effects`: distances from its null in margins, each with its share of the rate that looks may
    spend. `reserve`: the share of the whole rate that is kept for the last look, for the decisions
    that need all units.
    """

    effects: tuple[tuple[float, float], ...]
    reserve: float


FAIL = Placing(((1.0, 0.52), (2.0, 0.40), (4.0, 0.08)), 0.12)
"""Drops of one, two and four margins: a large drop should show at once."""
PASS = Placing(((1.0, 1.0),), 0.25)
"""No drop at all is one margin away from the limit of PASS."""
_NORMAL = NormalDist()
_NODES = 60
_REACH = 5.0
"""Standard deviations below which no path is followed."""
_NOTHING = 1e-14


def schedule(units: int) -> tuple[int, ...]:
    """After how many units the interim analyses are: at every percent up to 40 %, then at every
    second percent; the last one at the end.
    """
    percents = [*range(1, 40), *range(40, 100, 2)]
    sizes = {round(units * percent / 100) for percent in percents}
    return (*sorted(at for at in sizes if FEWEST <= at < units), units)


def spent(share: float, information: float | None, placing: Placing) -> float:
    """The part of the rate that looks may have used up after a share of the units, 0 to 1.

    With `information` I as much as a bet against an effect of so many margins would have spent by
    then: the probability that B(s) reaches ln(20) + s / 2 for an s <= share * I * effect^2, over
    that for any s. That is the straight boundary of Wald's test. Without, in proportion to the
    units.

    Args:
        share: of the units, in (0, 1].
        information: the square of the z that the margin is worth on all units; None where there is
            no margin.
        placing: of the side.

    Source: A. Wald, Sequential Analysis (1947); D. Siegmund (1985), eq. 3.15.
    """
    if share >= 1:
        return 1.0
    if information is None:
        return share * (1 - placing.reserve)
    return (1 - placing.reserve) * sum(
        weight * _crossed(share * information * times * times, math.log(20))
        for times, weight in placing.effects
    )


def _crossed(tau: float, height: float) -> float:
    """P(B(s) >= height + s / 2 for some s <= tau) / P(the same for any s)."""
    if tau <= 0:
        return 0.0
    root = math.sqrt(tau)
    above = _above((tau / 2 + height) / root)
    return above * math.exp(height) + _above((height - tau / 2) / root)


@lru_cache(maxsize=64)
def levels(times: tuple[float, ...], used: tuple[float, ...]) -> tuple[float, ...]:
    """The one-sided level of each look, so that under the null the probability to reject by look k
    is used[k].

    Args:
        times: of the looks, as increasing shares of the units in (0, 1].
        used: the rate that may be spent by each look, not decreasing.

    Source: P. Armitage, C. K. McPherson, B. C. Rowe (1969), by Gauss-Legendre quadrature.
    """
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    at, mass, before, done = np.zeros(1), np.ones(1), 0.0, 0.0
    spent: list[float] = []
    for time, goal in zip(times, used, strict=True):
        step = math.sqrt(time - before)
        high = _REACH * math.sqrt(time)
        limit = _limit(at, mass, step, max(goal - done, 0.0), high)
        spent.append(
            goal if not spent else _above(limit / math.sqrt(time)) if limit < high else 0.0
        )
        middle, half = (limit - high) / 2, (limit + high) / 2
        points = middle + half * nodes
        density = (
            np.exp(-(((points[:, None] - at[None, :]) / step) ** 2) / 2)
            @ mass
            / (step * math.sqrt(2 * math.pi))
        )
        at, mass, before, done = points, density * weights * half, time, max(goal, done)
    return tuple(spent)


def _limit(at: Floats, mass: Floats, step: float, goal: float, most: float) -> float:
    """Where paths that stand at `at` with `mass` are above, one step on, with probability `goal`;
    at most `most`.
    """
    if goal < _NOTHING:
        return most
    limit = step * _NORMAL.inv_cdf(1 - min(goal, 0.5)) if len(at) == 1 else float(at[-1])
    for _ in range(50):
        z = (limit - at) / step
        above = float(mass @ np.array([_above(each) for each in z.tolist()]))
        slope = float(mass @ np.exp(-z * z / 2)) / (step * math.sqrt(2 * math.pi))
        if above < _NOTHING:
            limit -= step
            continue
        move = (
            above * (math.log(above) - math.log(goal)) / slope
        )  # the log of the tail is concave: Newton does not stray
        limit += move
        if abs(move) < 1e-10:
            break
    return min(limit, most)


def _above(z: float) -> float:
    return 0.5 * math.erfc(z / math.sqrt(2))
