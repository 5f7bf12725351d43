"""How many cases decide an open test, given what the cases so far say and do not say.

Were the estimate exact, the number would be a formula. It is not: the true mean lies about a
standard error off, and near a limit that changes the number many times over. So the question is
reversed: after N cases in all, in which share of tries has the test decided? The mean of N
cases, given the mean m of the first n, is about normal around m with variance sd^2 (1/n - 1/N)
(flat prior), and the test decides where it is z standard errors off a limit.

Source: D. J. Spiegelhalter, L. S. Freedman, P. R. Blackburn, Controlled Clinical Trials 7 (1986)
8-17 (predictive power).
"""

import math
from statistics import NormalDist
from typing import NamedTuple

TRIES = 0.8
"""Share of tries in which a stated number of cases is to decide."""
MOST = 1_000_000
"""Cases beyond which no number is stated."""
_NORMAL = NormalDist()
_NEAR = 0.02
"""How exactly the number is found."""


class DecisionLimit(NamedTuple):
    """One side of a test. `null`: the mean that it is held against. `rate`: its error rate. `sd`:
    standard deviation of one case's value where the mean is the null.
    """

    null: float
    rate: float
    sd: float


class ObservedSample(NamedTuple):
    """What the cases so far show. `n`: independent cases. `mean`: of them. `expected`: of the cases
    to come; the mean, but for what a small sample leaves out. `sd`: of one case's value.
    """

    n: float
    mean: float
    expected: float
    sd: float


def decided_share(
    total: float, seen: ObservedSample, fail: DecisionLimit, pass_: DecisionLimit
) -> float:
    """The share of tries in which the test has decided after `total` cases, more than there are.

    Args:
        total: cases in all.
        seen: the cases so far.
        fail, pass_: FAIL is decided below the one, PASS above the other.
    """
    centre = (seen.n * seen.mean + (total - seen.n) * seen.expected) / total
    spread = seen.sd * math.sqrt(1 / seen.n - 1 / total)
    half = 0.5 / total  # counts are whole numbers
    low = fail.null - _NORMAL.inv_cdf(1 - fail.rate) * fail.sd / math.sqrt(total) - half
    high = pass_.null + _NORMAL.inv_cdf(1 - pass_.rate) * pass_.sd / math.sqrt(total) + half
    if spread <= 0:
        return float(centre <= low or centre >= high)
    below, above = _NORMAL.cdf((low - centre) / spread), _NORMAL.cdf((centre - high) / spread)
    return min(1.0, below + above)


def likely_cases(
    seen: ObservedSample,
    fail: DecisionLimit,
    pass_: DecisionLimit,
    tries: float = TRIES,
    least: float = 0.0,
) -> int | None:
    """How many more cases decide in so many tries; None beyond `MOST`.

    Args:
        seen: the cases so far, at least one.
        fail, pass_: as `decided_share`.
        tries: share of tries, in (0, 1).
        least: cases in all below which the exact test can't decide.
    """
    low, high = max(seen.n, least), max(seen.n + 1, least)
    while decided_share(high, seen, fail, pass_) < tries:
        low, high = high, 2 * high
        if high > MOST:
            return None
    while high - low > max(1.0, _NEAR * high):
        middle = (low + high) / 2
        reached = decided_share(middle, seen, fail, pass_) >= tries
        low, high = (low, middle) if reached else (middle, high)
    return max(1, math.ceil(high - seen.n))
