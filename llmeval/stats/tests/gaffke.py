"""Means of bounded scores with random weights: bounds and p-values that assume no distribution.

Reweight the observed units, and one more at the worst value that was possible, by weights uniform
on the simplex. The share of such weightings under which the mean could still lie beyond the null is
the p-value. The weights are E_i / sum E for independent standard exponentials E, so the share is
P(sum E_i w_i > 0): a weighted sum of exponentials, whose Laplace transform is known and is inverted
numerically along the line through its saddle point.

Source: N. Gaffke, Preprint 13/04, Univ. Magdeburg (2004); E. Learned-Miller, P. S. Thomas, arXiv
1905.06208. Proven for units that take two values and for one unit; for others it is Gaffke's
conjecture, without a known counterexample.
"""

import math
from collections.abc import Callable
from functools import cache
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from llmeval.stats.special.roots import crossing

Floats = NDArray[np.float64]

_STEP = 0.4
_HALVINGS = 6
_AGREE = 4e-4
_TINY = 1e-15
_NOTHING = 1e-13
"""Weights this much smaller than the largest one can't change the answer's digits."""


def p_at_least(values: Floats, sizes: Floats, null: float, high: float) -> float:
    """p-value of H0: the mean is at least `null`, for scores that can't exceed `high`.

    Args:
        values: the mean score of each unit (a case, or a whole cluster of cases).
        sizes: how many cases each unit holds; the mean meant is over cases.
        null: the mean under the hypothesis, below `high`.
        high: the largest possible score.

    The units must be independent draws; for scores of 0 and 1 with size 1 this is the exact
    binomial test.
    """
    weights = np.append(sizes * (values - null), sizes.max() * (high - null))
    return positive_probability(*_grouped(weights))


def upper_mean(values: Floats, sizes: Floats, high: float, alpha: float) -> float:
    """The upper bound of the mean at `alpha`: the largest null that `p_at_least` does not reject.
    Not for no units.
    """
    total = float(sizes.sum())
    mean = float(sizes @ values) / total
    largest = float(sizes.max())

    @cache
    def excess(null: float) -> float:
        if null >= high:
            return 1.0
        return math.log(alpha / max(p_at_least(values, sizes, null, high), 1e-300))

    spread = math.sqrt(
        float((sizes * (values - mean)) @ (sizes * (values - mean)))
        + (largest * (high - mean)) ** 2
    )
    guess = (
        mean + NormalDist().inv_cdf(1 - alpha) * spread / total + largest * (high - mean) / total
    )
    step = spread / total
    low, top = max(mean, guess - step), min(high, guess + step)
    low = low if low < high and excess(low) <= 0 else float(values.min())
    top = top if top < high and excess(top) >= 0 else high
    return crossing(excess, low, top, tolerance=1e-6)


def positive_probability(weights: Floats, counts: Floats) -> float:
    """P(sum_i w_i G_i > 0) for independent G_i ~ Gamma(counts_i, 1), to 3 digits at worst, 8 as a
    rule, in both tails.

    With K(s) = -sum counts_i log(1 - s w_i), P = [c < 0] + 1/(2 pi i) * integral of exp(K(s))/s
    along Re s = c. There, near the minimum of K, the integrand does not oscillate; with Im s =
    sinh(v)/sd the trapezoidal rule converges exponentially.

    Source: H. E. Daniels, Ann. Math. Statist. 25 (1954) 631-650; S. O. Rice, Bell Syst. Tech. J. 59
        (1980) 129-150.
    """
    largest = np.abs(weights).max(initial=0.0)
    if largest == 0:
        return 0.0
    weights = weights / largest
    used = np.abs(weights) > _NOTHING
    weights, counts = weights[used], counts[used]
    if weights.max() < 0:
        return 0.0
    if weights.min() > 0:
        return 1.0
    saddle = _saddle(weights, counts)
    squares = (weights / (1 - saddle * weights)) ** 2
    spread = 1 / math.sqrt(float(counts @ squares))
    centre = saddle if abs(saddle) > spread / 2 else _off_pole(saddle, spread, weights)
    size = 1 / float(counts @ (squares * spread**2) ** 2)
    reach = math.asinh(math.sqrt(size * math.expm1(-2 * math.log(_TINY) / size)))

    bases = 1 - centre * weights
    level, steepness = -float(np.log(bases) @ counts), spread * weights / bases

    def area(offset: float, step: float) -> float:
        grid = np.arange(offset, reach + step, step)
        heights = np.sinh(grid)
        slopes = np.outer(heights, steepness)
        modulus = np.exp(level - np.log1p(slopes**2) @ counts / 2)
        angle = np.arctan(slopes) @ counts
        integrand = (
            modulus * (np.exp(1j * angle) / (centre + 1j * spread * heights)).real * np.cosh(grid)
        )
        return (
            (float(integrand.sum()) - (float(integrand[0]) / 2 if offset == 0 else 0))
            * spread
            * step
            / math.pi
        )

    tail = _halved(area)
    return min(1.0, max(0.0, tail if centre > 0 else 1 + tail))


def _halved(area: Callable[[float, float], float]) -> float:
    """The integral by the trapezoidal rule, its step halved until two agree; the last error is
    about that squared.
    """
    step = _STEP
    integral = area(0.0, step)
    for _ in range(_HALVINGS):
        before, integral = integral, (integral + area(step / 2, step)) / 2
        step /= 2
        if abs(integral - before) <= _AGREE * abs(integral):
            break
    return integral


def _saddle(weights: Floats, counts: Floats) -> float:
    """Where K is smallest, roughly: any point between the poles serves, this one best."""
    low, high = 1 / float(weights.min()), 1 / float(weights.max())
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (
            (middle, high)
            if float(counts @ (weights / (1 - middle * weights))) < 0
            else (low, middle)
        )
    return (low + high) / 2


def _off_pole(saddle: float, spread: float, weights: Floats) -> float:
    """A point near the saddle but not at the pole s = 0, still between the poles of the
    transform.
    """
    if saddle >= 0:
        return min(spread / 2, 0.5 / float(weights.max()))
    return max(-spread / 2, 0.5 / float(weights.min()))


def _grouped(weights: Floats) -> tuple[Floats, Floats]:
    points, counts = np.unique(weights, return_counts=True)
    return points, counts.astype(float)
