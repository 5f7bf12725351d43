"""Before the first call: how many cases the gate needs on a suite of this shape, and what the
suite's own can show.
"""

import math
from collections.abc import Hashable, Sequence
from typing import NamedTuple

from llmeval.planning.attainability import passes_needed
from llmeval.planning.metric_profile import MetricProfile
from llmeval.planning.simulation import simulate_regression
from llmeval.stats.power import DISCORDANCE, gate_cases, gate_score
from llmeval.stats.special.beta import beta_cdf
from llmeval.stats.tests.studentised import added_cost, clusters_for

POWER = 0.95
"""Probability to decide that a plan aims for."""
MAX_CASES = 1_000_000
_RUNS = 100
_UNEQUAL = 0.12


class RegressionSize(NamedTuple):
    """Sizes for one metric's regression rule.

    `needed`: cases so that an unchanged candidate PASSes with probability .95; None where no number
    does, as `judge_shift` takes the whole margin. `certifies`: the
    smallest drop that the planned cases can rule out so. `used_same`, `used_margin`: expected share
    of the calls with early stopping, by simulation at `needed` cases, without a drop and at the
    margin.
    """

    margin: float
    needed: int | None
    certifies: float
    used_same: float
    used_margin: float


class FloorSize(NamedTuple):
    """Sizes for one floor. `needed`: cases so that a candidate of the stated rate PASSes with
    probability .95; None where no number would. `must_have`: passes out of the planned cases that
    it takes."""

    rule: str
    floor: float
    rate: float
    cases: int
    needed: int | None
    must_have: int | None


def plan_regression(
    shape: MetricProfile, margin: float, alpha: float, beta: float, *, rules: int = 1
) -> RegressionSize:
    """The sizes for a margin; clusters multiply by the design effect.

    Args:
        shape: of the metric. margin: in (0, 1).
        alpha, beta: the error rates of all rules. rules: how many share alpha.
    """
    left = beta - shape.j_alpha
    if margin * shape.youden_lower <= shape.shift:
        return RegressionSize(margin, None, certifiable(shape, alpha, left), 1.0, 1.0)
    needed = cases_for(shape, margin, alpha, left)
    rows = simulate_regression(
        shape.sized(max(needed, 1)), margin, alpha, beta, _RUNS, sequential=True, rules=rules
    )
    same, missing = next(rows), next(rows)
    return RegressionSize(margin, needed, certifiable(shape, alpha, left), same.used, missing.used)


def cases_for(shape: MetricProfile, margin: float, alpha: float, beta: float) -> int:
    """Cases for a margin; where they come in few clusters, as many more as the test of few clusters
    takes. Clusters of unequal size count as their effective number.

    The judged margin is J margin - shift, so it counts as a margin less shift / J.
    """
    needed = gate_cases(
        margin - shape.shift / shape.youden_lower,
        shape.paired_moment * shape.effect,
        alpha,
        beta,
        youden=shape.youden_lower,
        power=POWER,
        expected=DISCORDANCE * shape.effect,
        counted=shape.units >= shape.cases,
    )
    if shape.units >= shape.cases:
        return needed
    together = shape.cases / shape.effective
    z = _score(shape, alpha, beta)
    planned = needed * _unequal_cost(shape) / together
    return math.ceil(clusters_for(planned, z, shape.enough) * together)


def _unequal_cost(shape: MetricProfile) -> float:
    """What the test of clusters costs where their sizes are unequal, beyond the effective number:
    1 + 0.12 cv^2, cv the coefficient of variation of the sizes (units / effective = 1 + cv^2).
    Fitted to simulations at cv^2 of 0.5, 0.85 and 2.1, where 87 to 96 % then decide.
    """
    return 1 + _UNEQUAL * (shape.units / shape.effective - 1)


def _score(shape: MetricProfile, alpha: float, beta: float) -> float:
    counted = shape.units >= shape.cases
    return gate_score(min(alpha, beta), shape.paired_moment / DISCORDANCE, POWER, counted=counted)


def certifiable(shape: MetricProfile, alpha: float, beta: float) -> float:
    """The smallest margin for which `cases_for` asks no more than the shape's cases; at most 1.

    margin = ((z_level + z_power) sqrt(E d^2 * effect / n) + shift) / J, n less what few clusters
    cost.
    """
    z = _score(shape, alpha, beta)
    clustered = shape.units < shape.cases
    cost = added_cost(shape.effective, z, shape.enough) if clustered else 1.0
    cost *= _unequal_cost(shape)
    return min(
        1.0,
        (z * math.sqrt(shape.paired_moment * shape.effect * cost / shape.cases) + shape.shift)
        / shape.youden_lower,
    )


def plan_floor(
    rule: str,
    floor: float,
    rate: float,
    clusters: Sequence[Hashable],
    alpha: float,
    effect: float = 1.0,
) -> FloorSize:
    """The sizes for a floor: what it takes by the bounds that decide it, what it needs by the exact
    binomial test.

    Args:
        clusters: of each planned case.
        effect: the design effect of clusters; cases are needed so many times as often. And no fewer
            clusters than show the floor where all pass: log(alpha) / log(floor).
    """
    cases, units = len(clusters), len(set(clusters))
    needed = _needed(floor, rate, alpha)
    if needed is not None and units < cases:
        fewest = math.ceil(math.log(alpha) / math.log(floor)) if 0 < floor < 1 else 1
        needed = math.ceil(max(needed * effect, fewest * cases / units))
    return FloorSize(rule, floor, rate, cases, needed, passes_needed(clusters, floor, alpha))


def _passes(n: int, floor: float, alpha: float) -> int | None:
    """The fewest passes out of n whose lower bound clears the floor: P(X >= k | floor) <= alpha."""
    if n == 0 or floor**n > alpha:
        return None
    low, high = 0, n
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (
            (low, middle) if beta_cdf(floor, middle, n - middle + 1) <= alpha else (middle, high)
        )
    return high


def _needed(floor: float, rate: float, alpha: float) -> int | None:
    def enough(n: int) -> bool:
        k = _passes(n, floor, alpha)
        return k is not None and (rate >= 1 or beta_cdf(rate, k, n - k + 1) >= POWER)

    if rate <= floor:
        return None
    size = 4
    while not enough(size):
        size *= 2
        if size > MAX_CASES:
            return None
    low, high = size // 2, size
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high
