"""Has the judge changed? Fixed anchors with stored verdicts, judged again in every run.

One run's alarm finds jumps; a bet carried over the runs finds slow drift. An alarm voids the
certificate.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from llmeval.stats.sequential.betting import Wealth, bets
from llmeval.stats.special.beta import beta_cdf


class CanaryRule(NamedTuple):
    """Alarm when `alarm` of `n` anchors or more change. `false_alarm`: its probability when nothing
    changed.
    """

    n: int
    alarm: int
    false_alarm: float


def canary_rule(n: int, natural: float = 0.02, limit: float = 0.02) -> CanaryRule:
    """The most sensitive rule whose false alarms stay within `limit`.

    Changed verdicts of an unchanged judge are Binomial(n, natural). n = 50: alarm at 4 (1.8 %); n =
    100: at 6 (1.5 %).

    Args:
        n: anchors.
        natural: share of verdicts that change between identical calls, from test-retest.
        limit: largest probability of a false alarm.

    Raises:
        ValueError: arguments out of range.
    """
    if n < 1 or not 0 <= natural < 1 or not 0 < limit < 1:
        raise ValueError(f"need anchors and rates in [0, 1), got {n}, {natural}, {limit}")
    alarm = next(count for count in range(1, n + 2) if canary_power(n, count, natural) <= limit)
    return CanaryRule(n, alarm, canary_power(n, alarm, natural))


def canary_power(n: int, alarm: int, flips: float) -> float:
    """Probability of an alarm when each of n verdicts changes with probability `flips`:
    P(Binomial(n, flips) >= alarm).
    """
    if alarm <= 0:
        return 1.0
    if alarm > n or flips == 0:
        return 0.0
    return beta_cdf(flips, alarm, n - alarm + 1)


def drift_p_value(changed: Sequence[int], anchors: Sequence[int], natural: float = 0.02) -> float:
    """p-value, valid after every run, of H0: each run's verdicts change with probability at most
    `natural`.

    A bet (`betting.py`) on the share of changed verdicts of each run, carried over the runs in
    their order. Assumes that the anchors of one run change independently of the runs before, given
    the judge.

    Raises:
        ValueError: unequal lengths or impossible counts.
    """
    if len(changed) != len(anchors) or any(
        not 0 <= c <= n or n < 1 for c, n in zip(changed, anchors, strict=False)
    ):
        raise ValueError(
            f"each run needs 0 <= changed <= anchors, got {list(changed)} of {list(anchors)}"
        )
    if not changed:
        return 1.0
    shares = np.array(changed, dtype=float) / np.array(anchors)
    wealth = Wealth(-natural, 0.0, bets(), 1.0) if natural > 0 else None
    if wealth is None:
        return 0.0 if any(changed) else 1.0
    peak = float(wealth.update(-shares, np.ones(len(shares))).max())
    return math.exp(-max(0.0, peak))
