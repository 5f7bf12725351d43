"""A bet against a hypothesis about a mean whose stake follows what came before.

As in `betting.py` the wealth is multiplied by 1 + f * size * (null - x) for each unit, which H0:
mean >= null makes fair or worse. Here one gambler has the whole capital. Its stake f is the best
one (Kelly's) if the mean lies `gap` below the null, by the second moment of the units before and of
a prior. It never looks at the unit that it is placed on, so the wealth is a nonnegative
supermartingale from 1 under H0, and ever reaches 1/alpha with probability at most alpha (Ville
1939). That holds for any distribution and any prior: a wrong prior only costs speed.

Source: I. Waudby-Smith, A. Ramdas, JRSS B 86 (2024) 1-27, section 4 (predictable plug-in stakes);
J. L. Kelly, Bell Syst. Tech. J. 35 (1956) 917-926.
"""

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

PRIOR_UNITS = 50
"""How many units the expected second moment weighs as much as."""
CAUTION = 0.95
"""Share of Kelly's stake. A little less than all of it: runs that start badly lose less, so more of
them are decided by the last unit.
"""
_CAP = 0.9
"""Largest share of the wealth that a single unit may take."""


class AdaptiveWealth:
    """The wealth of a bet against H0: mean >= null.

    Args:
        null: the mean under H0, below `high`.
        high: the largest possible score.
        gap: how far below `null` the mean is expected to be, > 0.
        moment: E (payoff)^2 of a unit that is expected before the first one; payoffs are
            size / largest * (null - x).
        share: mean of size / largest.
        largest: the size of the largest unit that may come.
    """

    def __init__(
        self, null: float, high: float, gap: float, moment: float, share: float, largest: float
    ) -> None:
        if not null < high:
            raise ValueError(f"the hypothesis must be below the largest score {high}, got {null}")
        self._null, self._high, self._gap, self._largest = null, high, gap, largest
        self._units = float(PRIOR_UNITS)
        self._squares, self._shares = PRIOR_UNITS * moment, PRIOR_UNITS * share
        self.log = 0.0
        """The log of the wealth now."""
        self.peak = 0.0
        """The largest log of the wealth so far."""
        self._stakes: Floats = np.zeros(0)

    def update(self, values: Floats, sizes: Floats) -> Floats:
        """Play the next units in their order; returns the log wealth after each of them."""
        if not len(values):
            return np.zeros(0)
        shares = sizes / self._largest
        payoffs = shares * (self._null - values)
        stakes = self._next_stakes(payoffs, shares)
        path: Floats = self.log + np.cumsum(np.log1p(stakes * payoffs))
        self.log, self.peak = float(path[-1]), max(self.peak, float(path.max()))
        self._stakes = np.append(self._stakes, stakes)
        return path

    def _next_stakes(self, payoffs: Floats, shares: Floats) -> Floats:
        before = self._units + np.arange(len(payoffs))
        squares = (self._squares + np.append(0.0, np.cumsum(payoffs**2)[:-1])) / before
        mean = self._gap * (self._shares + np.append(0.0, np.cumsum(shares)[:-1])) / before
        self._units += len(payoffs)
        self._squares += float(payoffs @ payoffs)
        self._shares += float(shares.sum())
        kelly = CAUTION * mean / np.maximum(squares, mean * mean)
        stakes: Floats = np.minimum(kelly, _CAP / (self._high - self._null))
        return stakes

    def log_at(self, null: float, values: Floats, sizes: Floats) -> float:
        """The log wealth of the same stakes against another null, after the units played so far.

        Args:
            null: below `high`. values, sizes: these units.
        """
        count = min(len(values), len(self._stakes))
        stakes = np.minimum(self._stakes[:count], _CAP / (self._high - null))
        odds = sizes[:count] / self._largest * (null - values[:count])
        return math.fsum(np.log1p(stakes * odds))
