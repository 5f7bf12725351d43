"""Has the judge changed? Fixed anchors with stored verdicts, judged again in every run.

One run's alarm finds jumps; a bet carried over the runs finds slow drift. An alarm voids the
certificate. The stored verdicts are themselves one draw of a judge that varies, and the slow alarm
allows for that.
"""

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from llmeval.stats.estimation.bounds import upper_bound
from llmeval.stats.sequential.betting import Wealth, bets
from llmeval.stats.special.beta import beta_cdf

LUCK = 0.015
"""The most of the slow alarm's rate that goes to the luck of the stored verdicts."""
_RETEST_LEVEL = 0.9


class AnchorRule(NamedTuple):
    """Alarm when `alarm` of `n` anchors or more change. `false_alarm`: its probability when nothing
    changed.
    """

    n: int
    alarm: int
    false_alarm: float


def anchor_rule(n: int, natural: float = 0.02, limit: float = 0.02) -> AnchorRule:
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
    alarm = next(count for count in range(1, n + 2) if anchor_power(n, count, natural) <= limit)
    return AnchorRule(n, alarm, anchor_power(n, alarm, natural))


def anchor_power(n: int, alarm: int, flips: float) -> float:
    """Probability of an alarm when each of n verdicts changes with probability `flips`:
    P(Binomial(n, flips) >= alarm).
    """
    if alarm <= 0:
        return 1.0
    if alarm > n or flips == 0:
        return 0.0
    return beta_cdf(flips, alarm, n - alarm + 1)


class ChangeLimit(NamedTuple):
    """How often verdicts of an unchanged judge differ from the stored ones. `share`: the largest
    expected share of changed verdicts. `exceeded`: the probability that it is still larger.
    """

    share: float
    exceeded: float


@lru_cache(maxsize=1024)
def change_limit(n: int, natural: float, rate: float, calls: int = 1) -> ChangeLimit:
    """The expected share of changed verdicts that the luck of the stored ones explains.

    A stored verdict is a draw of the judge. Where it came out as the judge's rarer verdict, nearly
    every later run differs from it. And on which answers a judge hesitates is chance too. So the
    expected share D of changed verdicts is itself random. Two ways to vary by `natural` bound it:

    - all answers alike, f = (1 - sqrt(1 - 2 natural)) / 2 the chance of the rarer verdict, so that
      2 f (1 - f) = natural: with K anchors stored as that, D = (K (1 - f) + (n - K) f) / n;
    - some answers are coins, a share 2 natural of them, and the rest is sure: D = K / 2n.

    Where an anchor is kept only if `calls` calls agreed, K ~ Binomial(n, f^m / (f^m + (1 - f)^m)),
    and of the coins 2^(1 - m) are left.

    Args:
        n: anchors, at least 1.
        natural: share of verdicts that differ between two calls, in [0, 0.5].
        rate: the most that `exceeded` may be.
        calls: calls m behind each stored verdict, which all agreed.
    """
    rarer = (1 - math.sqrt(max(0.0, 1 - 2 * natural))) / 2
    agreed = rarer**calls + (1 - rarer) ** calls
    coins, kept = min(1.0, 2 * natural), 2.0 ** (1 - calls)
    ways = (
        (rarer**calls / agreed, 1 - rarer, rarer),
        (coins * kept / (1 - coins + coins * kept), 0.5, 0.0),
    )
    limits = [_limit_of(n, chance, high, low, rate) for chance, high, low in ways]
    return ChangeLimit(max(each.share for each in limits), max(each.exceeded for each in limits))


def _limit_of(n: int, chance: float, high: float, low: float, rate: float) -> ChangeLimit:
    """K anchors change with probability `high`, the others `low`: the smallest mean that is
    exceeded with probability `rate` at most.
    """
    rare = next(count for count in range(n + 1) if anchor_power(n, count + 1, chance) <= rate)
    return ChangeLimit((rare * high + (n - rare) * low) / n, anchor_power(n, rare + 1, chance))


def drift_p_value(
    changed: Sequence[int], anchors: Sequence[int], natural: float = 0.02, calls: int = 1
) -> float:
    """p-value, valid after every run, of H0: the judge is the one that gave the stored verdicts.

    Two calls of that judge differ on at most `natural` of the anchors. Of the error rate at most
    `LUCK` goes to the luck of the stored verdicts (`change_limit`); the rest to a bet
    (`betting.py`) that more verdicts change in each run than that luck explains, carried over the
    runs in their order. So P(p <= 0.02 after any run) <= 0.02. Assumes that the anchors of one run
    change independently of the runs before, given the judge.

    Args:
        changed: verdicts that differ from the stored ones, for each run.
        anchors: the anchors that were judged, for each run.
        natural: share of verdicts that differ between two calls of the same judge.
        calls: calls behind each stored verdict, which all agreed.

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
    if natural <= 0:
        return 0.0 if any(changed) else 1.0
    limit = change_limit(max(anchors), min(natural, 0.5), LUCK, calls)
    if limit.share >= 1:
        return 1.0
    shares = np.array(changed, dtype=float) / np.array(anchors)
    wealth = Wealth(-limit.share, 0.0, bets(), 1.0).update(-shares, np.ones(len(shares)))
    return min(1.0, limit.exceeded + math.exp(-max(0.0, float(wealth.max()))))


def varies_at_most(unanimous: int, items: int, calls: int, least: float = 0.02) -> float:
    """An upper limit of the share of verdicts that differ between two calls, from a retest.

    The exact upper bound at 90 % of the share of answers whose verdicts were not unanimous, times
    what two calls show of it: with chance p of the rarer verdict m calls disagree with probability
    1 - p^m - (1 - p)^m and two with 2 p (1 - p), at most 1 / (2 - 2^(2 - m)) of that. With it the
    alarm of an unchanged judge stays within its rate when the retest's own error is counted in
    (`benchmarks/decisions_audit.py --section drift`).

    Args:
        unanimous: answers on which all calls agreed.
        items: answers that were judged again, at least 1.
        calls: calls for each of them, at least 2.
        least: the smallest limit.

    Raises:
        ValueError: counts out of range.
    """
    if not 0 <= unanimous <= items or items < 1 or calls < 2:
        raise ValueError(f"impossible retest: {unanimous} of {items} answers, {calls} calls")
    most = upper_bound(items - unanimous, items, 1 - _RETEST_LEVEL)
    return min(0.5, max(least, most / (2 - 2.0 ** (2 - calls))))
