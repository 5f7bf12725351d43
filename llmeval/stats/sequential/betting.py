"""Betting against a hypothesis about a mean: evidence that is valid whenever one stops.

H0 says that the mean of scores x <= high is at least `null`. Before each unit a gambler who doubts
it stakes a fraction f of the wealth at odds that H0 makes fair or worse: the wealth is multiplied
by 1 + f * size * (null - x) / (high - null), with sizes scaled to at most 1. Under H0 it is a
nonnegative supermartingale from 1, so it ever reaches 1/alpha with probability at most alpha (Ville
1939), whatever the distribution and the stopping time. Here many gamblers with fixed f share the
starting capital, so that no one has to guess the right f, and, without `total`, the order of the
units does not matter.

Assumes: units (cases, or whole clusters with their sizes) are independent draws in an order that
nobody chose by looking at results. With `total`, only that their order is a random permutation:
then H0 is about the suite itself.

Source: I. Waudby-Smith, A. Ramdas, JRSS B 86 (2024) 1-27, arXiv 2010.09686; J. Ville (1939).
"""

import math
from collections.abc import Hashable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from llmeval.stats.estimation.bounds import Interval
from llmeval.stats.estimation.clusters import units
from llmeval.stats.special.roots import crossing

Floats = NDArray[np.float64]

GRID: Floats = np.array(
    [
        0.005,
        0.01,
        0.02,
        0.03,
        0.05,
        0.07,
        0.1,
        0.15,
        0.2,
        0.25,
        0.3,
        0.4,
        0.5,
        0.6,
        0.7,
        0.8,
        0.9,
        0.95,
    ]
)
_WIDTH = 0.5
_IMPOSSIBLE = 1e-9


class Bets(NamedTuple):
    """The gamblers: the fraction of its wealth each one stakes, and the log of its share of the
    starting capital.
    """

    fractions: Floats
    log_shares: Floats


def bets(aim: float | None = None) -> Bets:
    """Gamblers on a grid of fractions: half the capital spread evenly, half around `aim`; all
    evenly without one.

    Must be fixed before the first result is seen.
    """
    even = np.full(len(GRID), 1 / len(GRID))
    if aim is None:
        return Bets(GRID, np.log(even))
    near = np.exp(-(np.log(GRID / min(max(aim, GRID[0]), GRID[-1])) ** 2) / (2 * _WIDTH**2))
    return Bets(GRID, np.log(0.5 * even + 0.5 * near / near.sum()))


def best_fraction(null: float, high: float, gap: float, second_moment: float) -> float:
    """The fraction that makes wealth grow fastest when the mean is null - gap: E[payoff] /
    E[payoff^2], to first order.

    Args:
        null, high: as in the hypothesis.
        gap: how far below `null` the mean is expected to be.
        second_moment: E (null - x)^2 expected then; for paired binary results the share of cases
            that differ.

    Source: J. L. Kelly, Bell Syst. Tech. J. 35 (1956) 917-926.
    """
    return gap * (high - null) / max(second_moment, gap * gap)


class Wealth:
    """The wealth of a bet against H0: mean >= null. One over the most it ever was is a p-value at
    any time.

    Args:
        null: the mean under H0, below `high`.
        high: the largest possible score.
        gamblers: see `bets`.
        largest: the size of the largest unit that may come; sizes are scaled by it.
        total: the cases of the finite suite H0 is about; None for a population.
    """

    def __init__(
        self,
        null: float,
        high: float,
        gamblers: Bets,
        largest: float = 1.0,
        total: float | None = None,
    ) -> None:
        if not null < high:
            raise ValueError(f"the hypothesis must be below the largest score {high}, got {null}")
        self._null, self._high, self._largest = null, high, largest
        self._gamblers = gamblers
        self._logs: Floats = gamblers.log_shares.copy()
        self._left = total
        self._needed = 0.0 if total is None else total * null

    def update(self, values: Floats, sizes: Floats) -> Floats:
        """Play the next units in their order; returns the log wealth after each of them."""
        if not len(values):
            return np.zeros(0)
        payoffs, refuted = self._payoffs(values, sizes)
        growth = np.log1p(np.multiply.outer(payoffs, self._gamblers.fractions))
        logs = self._logs + np.cumsum(growth, axis=0)
        self._logs = logs[-1]
        path = _logsumexp(logs)
        path[refuted] = math.inf
        return path

    def _payoffs(self, values: Floats, sizes: Floats) -> tuple[Floats, NDArray[np.bool_]]:
        """Odds paid on each unit, at least -1; and where H0 is refuted outright (only possible for
        a finite suite).
        """
        if self._left is None:
            odds = sizes / self._largest * (self._null - values) / (self._high - self._null)
            return odds, np.zeros(len(values), dtype=bool)
        played = np.cumsum(sizes)
        left = self._left - np.append(0.0, played[:-1])
        needed = self._needed - np.append(0.0, np.cumsum(sizes * values)[:-1])
        self._left -= float(played[-1])
        self._needed -= float(sizes @ values)
        null = needed / np.maximum(left, _IMPOSSIBLE)
        after = np.append(left[1:], self._left), np.append(needed[1:], self._needed)
        refuted = after[1] > self._high * after[0] + _IMPOSSIBLE
        sure = null >= self._high
        odds = sizes / self._largest * (null - values) / np.where(sure, 1.0, self._high - null)
        return np.where(sure, 0.0, np.maximum(odds, -1.0)), np.logical_or.accumulate(refuted)


def upper_sequence(
    values: Floats,
    sizes: Floats,
    high: float,
    alpha: float,
    gamblers: Bets,
    largest: float = 1.0,
    total: float | None = None,
) -> float:
    """The upper bound of the mean at `alpha` that holds at any stopping time: the largest null not
    refuted now.

    The wealth grows with the null, so the bound is where it is 1/alpha. `high` while no null is
    refuted.
    """
    goal = math.log(1 / alpha)
    values, sizes, counts = _tallied(values, sizes) if total is None else (values, sizes, None)

    def excess(null: float) -> float:
        if counts is None:
            return (
                float(Wealth(null, high, gamblers, largest, total).update(values, sizes)[-1]) - goal
            )
        odds = sizes / largest * (null - values) / (high - null)
        logs = gamblers.log_shares + counts @ np.log1p(np.multiply.outer(odds, gamblers.fractions))
        return float(_logsumexp(logs[None, :])[0]) - goal

    almost = high - 1e-6
    # Without a finite suite nothing is earned against the mean itself, so the bound is above it.
    low = (
        float(values.min())
        if counts is None
        else float((sizes * values) @ counts / (sizes @ counts))
    )
    low = min(low, almost)
    return crossing(excess, low, almost, tolerance=1e-5) if excess(almost) > 0 else high


def anytime_bounds(
    values: Sequence[float], alpha: float, clusters: Sequence[Hashable] | None = None
) -> Interval:
    """Lower and upper bounds of the mean of scores in [0, 1], each at `alpha`, that hold whenever
    one stops to look.

    Args:
        values: one score a case, in [0, 1]; (0, 1) is returned for none.
        clusters: which cases are not independent; None: an independent case.

    Source: as `upper_sequence`.
    """
    if not len(values):
        return Interval(0.0, 1.0)
    means, sizes = units(values, clusters)
    largest = float(sizes.max())
    low = -upper_sequence(-means, sizes, 0.0, alpha, bets(None), largest)
    return Interval(max(0.0, low), upper_sequence(means, sizes, 1.0, alpha, bets(None), largest))


def _tallied(values: Floats, sizes: Floats) -> tuple[Floats, Floats, Floats]:
    """Equal units together: their value, size and how many there are. Without a finite suite the
    order is of no matter.
    """
    points, counts = np.unique(np.stack([values, sizes]), axis=1, return_counts=True)
    return points[0], points[1], counts.astype(float)


def _logsumexp(logs: Floats) -> Floats:
    top = logs.max(axis=1)
    sums: Floats = top + np.log(np.exp(logs - top[:, None]).sum(axis=1))
    return sums
