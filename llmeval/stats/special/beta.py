"""The beta distribution and Student's t, of single values, in plain Python.

Every run ends with a few exact bounds. Taking them from scipy would cost 0.25 s of CPU and 50 MiB
in each run (docs/benchmarks.md) and 143 MB of every installation. Tests hold this against it;
arrays are in `betas.py`.
"""

import math
from statistics import NormalDist

_TINY = 1e-300
_STEPS = 10_000


def beta_cdf(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function I_x(a, b), for x in [0, 1] and a, b > 0.

    I_x(a, b) = x^a (1-x)^b / (a B(a, b)) * 1 / (1 + d_1 / (1 + d_2 / (1 + ...))), by the modified
    Lentz method; the fraction converges fast for x < (a+1)/(a+b+2), elsewhere I_x(a, b) = 1 -
    I_{1-x}(b, a).

    Source: NIST Digital Library of Mathematical Functions, 8.17.22 and 8.17.4.
    """
    if x <= 0 or x >= 1:
        return 0.0 if x <= 0 else 1.0
    if x > (a + 1) / (a + b + 2):
        return 1.0 - beta_cdf(1 - x, b, a)
    log_beta = math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
    front = math.exp(a * math.log(x) + b * math.log1p(-x) - log_beta) / a
    return front / _fraction(x, a, b)


def _fraction(x: float, a: float, b: float) -> float:
    """1 + d_1 / (1 + d_2 / (1 + ...))."""
    value = c = 1.0
    d = 0.0
    for step in range(1, _STEPS):
        m = step // 2
        if step % 2:
            term = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        else:
            term = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        d = 1 / (1 + term * d or _TINY)
        c = 1 + term / c or _TINY
        value *= c * d
        if abs(c * d - 1) < 1e-15:
            break
    return value


def beta_quantile(p: float, a: float, b: float) -> float:
    """The x in [0, 1] with I_x(a, b) = p, by bisection to the last bits.

    Args:
        p: a probability in [0, 1].
        a, b: the distribution's parameters, > 0.
    """
    low, high = 0.0, 1.0
    while True:
        middle = (low + high) / 2
        if not low < middle < high or high - low < 1e-15 * high:
            return middle
        if beta_cdf(middle, a, b) < p:
            low = middle
        else:
            high = middle


def student_above(ratio: float, df: float) -> float:
    """P(T > ratio) for Student's t with `df` degrees of freedom: half of I_{df/(df+t^2)}(df/2,
    1/2), or the rest.

    Source: NIST Digital Library of Mathematical Functions, 8.17(iv).
    """
    tail = beta_cdf(df / (df + ratio * ratio), df / 2, 0.5) / 2
    return tail if ratio >= 0 else 1.0 - tail


def student_quantile(alpha: float, df: float) -> float:
    """The t with P(T > t) = alpha, for alpha in (0, 1): Newton's method from the normal quantile.

    The tail is convex above 0 and the start too small, so the steps go up to the root and not past
    it.
    """
    if alpha >= 0.5:
        return 0.0 if alpha == 0.5 else -student_quantile(1 - alpha, df)
    ratio = NormalDist().inv_cdf(1 - alpha)
    log_scale = math.lgamma((df + 1) / 2) - math.lgamma(df / 2) - math.log(df * math.pi) / 2
    for _ in range(_STEPS):
        density = math.exp(log_scale - (df + 1) / 2 * math.log1p(ratio * ratio / df))
        step = (student_above(ratio, df) - alpha) / density
        ratio += step
        if step <= 1e-12 * ratio:
            break
    return ratio
