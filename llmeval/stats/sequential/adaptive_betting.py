"""A bet against a hypothesis about a mean whose stake follows what came before.

As in `betting.py` the wealth is multiplied by 1 + f * size * (null - x) for each unit, which H0:
mean >= null makes fair or worse. Here the stake f is the best one (Kelly's) if the mean lies `gap`
below the null, by the second moment of the units before and of a prior; a second gambler, with a
share of the capital, stakes more, for means that lie further below. A stake never looks at the unit
that it is placed on, so the wealth is a nonnegative supermartingale from 1 under H0, and ever
reaches 1/alpha with probability at most alpha (Ville 1939). That holds for any distribution and any
prior: a wrong prior only costs speed.

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
BOLD = 2.5
"""What the bold gambler stakes, in Kelly's stakes."""
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
        bold: share of the capital that the bold gambler has, in [0, 1).
    """

    def __init__(
        self,
        null: float,
        high: float,
        gap: float,
        moment: float,
        share: float,
        largest: float,
        bold: float = 0.0,
    ) -> None:
        if not null < high:
            raise ValueError(f"the hypothesis must be below the largest score {high}, got {null}")
        self._null, self._high, self._gap, self._largest = null, high, gap, largest
        self._units = float(PRIOR_UNITS)
        self._squares, self._shares = PRIOR_UNITS * moment, PRIOR_UNITS * share
        self.log = 0.0
        """The log of the wealth now."""
        capital = ((CAUTION, 1 - bold), (BOLD, bold))
        self._gamblers = [(times, math.log(part)) for times, part in capital if part > 0]
        self._logs = [start for _, start in self._gamblers]
        self._kelly: Floats = np.zeros(0)

    def update(self, values: Floats, sizes: Floats) -> Floats:
        """Play the next units in their order; returns the log wealth after each of them."""
        if not len(values):
            return np.zeros(0)
        shares = sizes / self._largest
        payoffs = shares * (self._null - values)
        kelly, most = self._next_stakes(payoffs, shares), _CAP / (self._high - self._null)
        paths = [
            log + np.cumsum(np.log1p(np.minimum(times * kelly, most) * payoffs))
            for (times, _), log in zip(self._gamblers, self._logs, strict=True)
        ]
        self._logs = [float(path[-1]) for path in paths]
        path: Floats = np.logaddexp.reduce(paths)
        self.log = float(path[-1])
        self._kelly = np.append(self._kelly, kelly)
        return path

    def _next_stakes(self, payoffs: Floats, shares: Floats) -> Floats:
        before = self._units + np.arange(len(payoffs))
        squares = (self._squares + np.append(0.0, np.cumsum(payoffs**2)[:-1])) / before
        mean = self._gap * (self._shares + np.append(0.0, np.cumsum(shares)[:-1])) / before
        self._units += len(payoffs)
        self._squares += float(payoffs @ payoffs)
        self._shares += float(shares.sum())
        kelly: Floats = mean / np.maximum(squares, mean * mean)
        return kelly

    def log_at(self, null: float, values: Floats, sizes: Floats) -> float:
        """The log wealth of the same stakes against another null, after the units played so far.

        Args:
            null: below `high`. values, sizes: these units.
        """
        count, most = min(len(values), len(self._kelly)), _CAP / (self._high - null)
        odds, kelly = sizes[:count] / self._largest * (null - values[:count]), self._kelly[:count]
        logs = [
            start + math.fsum(np.log1p(np.minimum(times * kelly, most) * odds))
            for times, start in self._gamblers
        ]
        return float(np.logaddexp.reduce(logs))
