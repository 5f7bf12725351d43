"""The gate's test where each case's baseline is a mean over several runs: bets on every case, and a
test of the last cases.

A difference from a mean of k runs is no longer better, equal or worse, so counts of it have no
exact limits. Bets need none (`adaptive_betting.py`): each side bets its whole rate after every
unit, and the run ends as soon as one side's wealth is 1 / rate. A side that is still open when a
fifth of the planned units is to come puts its wealth w on the test of that rest: it rejects where
the rest's p-value is at most rate * w. Under the hypothesis the expected wealth is at most 1, so

    P(rejected before, or by the rest) <= E[min(1, rate * wealth)] <= rate,

whatever the distribution, the correlation of the runs, or how the baseline's runs were chosen
beforehand. min(1 / largest wealth, rest's p-value / w) is a p-value by the same argument.

Sources: J. Ville (1939); I. Waudby-Smith, A. Ramdas, JRSS B 86 (2024) 1-27; G. Shafer, JRSS A 184
(2021) 407-431 (wealth spent on a test to come).
"""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from llmeval.core.results import Decision
from llmeval.stats.sequential.adaptive_betting import AdaptiveWealth
from llmeval.stats.sequential.design import WITHIN, TestDesign
from llmeval.stats.sequential.gate_test import HybridTest, TestVerdict, by_rates, unit_spans
from llmeval.stats.special.roots import crossing
from llmeval.stats.tests.fixed_sample import FixedSampleTest, Nulls, final_test

Floats = NDArray[np.float64]

REST = 0.2
"""Share of the units that the last test is about."""
BOLD_SHARE = 0.2
"""Of FAIL, the capital that is staked on drops beyond the margin; PASS is about no drop at all."""
_EDGE = 1e-6
_TOLERANCE = 1e-5


class BettingTest:
    """One test, fed unit by unit, with the interface of `HybridTest`.

    Args:
        plan: of a regression whose `moment` is stated.
    """

    def __init__(self, plan: TestDesign) -> None:
        if plan.moment is None:
            raise ValueError("a test by betting alone needs the expected second moment")
        self.plan = plan
        self.decision: Decision | None = None
        self._bets = max(1, math.ceil((1 - REST) * plan.units))
        share = plan.cases / plan.units / plan.largest
        gap = plan.gap
        size = plan.cases / plan.units
        moment = share**2 * (plan.moment * (WITHIN + (1 - WITHIN) / size) + gap**2)
        self._fail, self._pass = (
            AdaptiveWealth(null, high, gap, moment, share, plan.largest, bold)
            for null, high, bold in (
                (plan.fail_null, plan.high, BOLD_SHARE),
                (-plan.pass_null, -plan.low, 0.0),
            )
        )
        self._peaks = (0.0, 0.0)
        self._lower: Floats = np.zeros(0)
        self._upper: Floats = np.zeros(0)
        self._sizes: Floats = np.zeros(0)

    @property
    def used(self) -> int:
        """Units used so far, up to the decision."""
        return len(self._sizes)

    def update(
        self, values: ArrayLike, sizes: ArrayLike | None = None, upper: ArrayLike | None = None
    ) -> Decision | None:
        """As `HybridTest.update`."""
        lower, upper, weights = unit_spans(self.plan, values, sizes, upper, self.used)
        if self.decision is not None or not len(lower):
            return self.decision
        used = self._play(lower, upper, weights)
        self._lower = np.append(self._lower, lower[:used])
        self._upper = np.append(self._upper, upper[:used])
        self._sizes = np.append(self._sizes, weights[:used])
        return self.decision

    def _play(self, lower: Floats, upper: Floats, sizes: Floats) -> int:
        """Play the next units; returns how many until the decision, or all of them."""
        staked = max(0, min(len(sizes), self._bets - self.used))
        if not staked:
            return len(sizes)
        alpha, beta = self.plan.rates
        fails = self._fail.update(upper[:staked], sizes[:staked])
        passes = self._pass.update(-lower[:staked], sizes[:staked])
        failed = fails >= math.log(1 / alpha)
        hits = np.flatnonzero(failed | (passes >= math.log(1 / beta)))
        if len(hits):
            self.decision = Decision.FAIL if failed[hits[0]] else Decision.PASS
            staked = int(hits[0]) + 1
        peaks = float(fails[:staked].max()), float(passes[:staked].max())
        self._peaks = max(self._peaks[0], peaks[0]), max(self._peaks[1], peaks[1])
        return staked if len(hits) else len(sizes)

    def finish(self, *, last: bool = False, bounds: bool = True) -> TestVerdict:
        """The verdict on what came so far; arguments and errors as `HybridTest.finish`."""
        plan = self.plan
        if not self.used:
            raise ValueError("there is no result to decide on")
        final = self.decision is None and (last or self.used == plan.units)
        rest = final and self.used > self._bets
        p_fail, p_pass = (math.exp(-peak) for peak in self._peaks)
        method = "bets on the mean"
        if rest:
            side = self._rest(plan.fail_null, plan.pass_null)
            p_fail = min(p_fail, side.p_fail / math.exp(self._fail.log))
            p_pass = min(p_pass, side.p_pass / math.exp(self._pass.log))
            method = f"{method}, {side.method} of the last cases"
        decision = self.decision or by_rates(p_fail, p_pass, *plan.rates)
        low, high = self._bounds(rest=rest) if bounds else (plan.low, plan.high)
        return TestVerdict(
            decision=decision,
            cases=round(float(self._sizes.sum())),
            units=self.used,
            estimate=self._mean((self._lower + self._upper) / 2),
            low=max(low, plan.pass_null) if decision is Decision.PASS else low,
            high=min(high, plan.fail_null) if decision is Decision.FAIL else high,
            p_fail=min(1.0, p_fail),
            p_pass=min(1.0, p_pass),
            component="" if decision is Decision.INCONCLUSIVE else "final" if rest else "betting",
            method=method,
        )

    def _rest(self, fail_null: float, pass_null: float) -> FixedSampleTest:
        """The test of the units after the last bet, read at the rates times each side's wealth."""
        plan, after = self.plan, slice(self._bets, None)
        levels = (
            min(0.5, rate * math.exp(side.log))
            for rate, side in zip(plan.rates, (self._fail, self._pass), strict=True)
        )
        nulls = Nulls(fail_null, pass_null, plan.low, plan.high, *levels)
        sizes = self._sizes[after]
        side = final_test(self._lower[after], sizes, nulls, bounds=False)
        if (self._lower[after] != self._upper[after]).any():
            most = final_test(self._upper[after], sizes, nulls, bounds=False)
            side = side._replace(p_fail=most.p_fail)
        return side

    def _bounds(self, *, rest: bool) -> tuple[float, float]:
        """The nulls that are just not rejected now: of PASS, and of FAIL."""
        plan, (alpha, beta) = self.plan, self.plan.rates

        def above(null: float) -> float:
            wealth = self._fail.log_at(null, self._upper, self._sizes)
            p_rest = self._rest(null, plan.pass_null).p_fail if rest else 1.0
            return wealth - math.log(max(p_rest, 1e-300)) - math.log(1 / alpha)

        def below(null: float) -> float:
            wealth = self._pass.log_at(null, -self._lower, self._sizes)
            p_rest = self._rest(plan.fail_null, -null).p_pass if rest else 1.0
            return wealth - math.log(max(p_rest, 1e-300)) - math.log(1 / beta)

        high = _largest_open(above, self._mean(self._upper), plan.high)
        low = -_largest_open(below, -self._mean(self._lower), -plan.low)
        return low, high

    def _mean(self, values: Floats) -> float:
        return float(self._sizes @ values / self._sizes.sum())


def _largest_open(excess: Callable[[float], float], mean: float, high: float) -> float:
    top = high - _EDGE
    return crossing(excess, min(mean, top), top, tolerance=_TOLERANCE) if excess(top) > 0 else high


def sequential_test(plan: TestDesign) -> HybridTest | BettingTest:
    """The test that a plan asks for."""
    return HybridTest(plan) if plan.moment is None else BettingTest(plan)
