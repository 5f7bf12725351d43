"""Where a monotone function crosses zero."""

from collections.abc import Callable

_STEPS = 200


def crossing(
    function: Callable[[float], float], low: float, high: float, tolerance: float = 1e-9
) -> float:
    """A point of [low, high] within `tolerance` of where an increasing `function` crosses zero.

    `low` when the function is positive there already, `high` when it is still negative there.
    Bisection, with inverse quadratic interpolation where three points show that it is safe.

    Source: T. R. Chandrupatla, Adv. Eng. Software 28 (1997) 145-149.
    """
    best, at_best, other, at_other = high, function(high), low, function(low)
    if at_other >= 0:
        return low
    if at_best <= 0:
        return high
    third, at_third, share = other, at_other, 0.5
    for _ in range(_STEPS):
        point = best + share * (other - best)
        value = function(point)
        if (value > 0) == (at_best > 0):
            third, at_third = best, at_best
        else:
            third, at_third, other, at_other = other, at_other, best, at_best
        best, at_best = point, value
        if value == 0 or abs(other - best) <= 2 * tolerance:
            break
        share = _share(best, at_best, other, at_other, third, at_third)
        least = tolerance / abs(other - best)
        share = min(max(share, least), 1 - least)
    return best if abs(at_best) < abs(at_other) else other


def _share(a: float, fa: float, b: float, fb: float, c: float, fc: float) -> float:
    """How far from a towards b to look next: inverse quadratic interpolation where it is safe, else
    a half.
    """
    if fc in (fa, fb) or c == b:
        return 0.5
    xi, phi = (a - b) / (c - b), (fa - fb) / (fc - fb)
    if not (phi * phi < xi and (1 - phi) ** 2 < 1 - xi):
        return 0.5
    return fa / (fb - fa) * fc / (fb - fc) + (c - a) / (b - a) * fa / (fc - fa) * fb / (fc - fb)
