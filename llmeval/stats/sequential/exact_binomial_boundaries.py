"""Looks at a count, exactly: how many successes reject at each look so that all looks together keep
one rate.

Under the null the successes are a binomial walk: the cases that pass a floor with just its
probability; or, of the pairs that differ, those that got worse, with probability 1/2. How many
pairs differ says nothing of whom they favour, so a look may come after any number of them, as in
McNemar's test. What a look leaves of its rate, since counts are whole numbers, the next one has.

Sources: P. Armitage, C. K. McPherson, B. C. Rowe, JRSS A 132 (1969) 235-244 (the recursion,
binomial case); C. Jennison, B. W. Turnbull, Group Sequential Methods (2000), ch. 12.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from llmeval.stats.special.beta import beta_cdf

Floats = NDArray[np.float64]

_NOTHING = 1e-15
_ALMOST = 0.999
_SURE = 1 + 1e-9
_FEW = 1000


class Limit(NamedTuple):
    """What a look rejects.

    `fewest`: so many successes and more; None where no count is enough. `level`: the same as the
    level of the exact one-sided p-value. Between that of `fewest` and that of one success less it
    lies where a test that throws a coin for the latter would have spent the whole rate, which is
    what bounds go by.
    """

    fewest: int | None
    level: float


class BinomialBoundaries:
    """The looks at one count, in their order.

    Args:
        chance: of a success under the null, in (0, 1).
    """

    def __init__(self, chance: float) -> None:
        self._chance = chance
        self._trials = 0
        self._least = 0
        self._mass: Floats = np.ones(1)
        self.spent = 0.0
        """The probability, under the null, to have rejected at the looks so far."""

    def next_limit(self, trials: int, rate: float) -> Limit:
        """The next look.

        Args:
            trials: so far, no fewer than at the look before.
            rate: what all looks up to this one may spend together.
        """
        self._go_on(trials - self._trials)
        self._trials = trials
        above = self._mass[::-1].cumsum()
        rejected = int(np.searchsorted(above, rate - self.spent, side="right"))
        if rejected:
            self.spent += float(above[rejected - 1])
            self._mass = self._mass[:-rejected]
        fewest = self._least + len(self._mass)
        part = min(max(rate - self.spent, 0.0) / float(self._mass[-1]), _ALMOST)
        surely, next_ = (
            _p_value(each, self._trials, self._chance) for each in (fewest, fewest - 1)
        )
        return Limit(fewest if rejected else None, surely * _SURE + part * (next_ - surely))

    def _go_on(self, steps: int) -> None:
        if steps:
            self._mass = np.convolve(self._mass, _binomial(steps, self._chance))
        below = int(np.searchsorted(self._mass.cumsum(), _NOTHING))
        if below:  # too unlikely to be followed further: counted as rejected
            self.spent += float(self._mass[:below].sum())
            self._mass, self._least = self._mass[below:], self._least + below


@lru_cache(maxsize=256)
def _binomial(n: int, p: float) -> Floats:
    """P(X = k) for k = 0 to n."""
    k = np.arange(1, n + 1)
    ratios = np.log((n - k + 1) / k * (p / (1 - p)))
    probabilities: Floats = np.exp(np.append(0.0, ratios.cumsum()) + n * np.log1p(-p))
    return probabilities


def _p_value(successes: int, n: int, p: float) -> float:
    """P(X >= successes)."""
    if successes > n:
        return 0.0
    if n <= _FEW:
        return float(_tails(n, p)[max(successes, 0)])
    return 1.0 if successes <= 0 else beta_cdf(p, successes, n - successes + 1)


@lru_cache(maxsize=2048)
def _tails(n: int, p: float) -> Floats:
    """P(X >= k) for k = 0 to n: many runs ask for the same."""
    return _binomial(n, p)[::-1].cumsum()[::-1]
