"""The gate's test: is the mean certainly below a limit (FAIL), certainly above one (PASS), or can't
these cases tell?

Two one-sided tests, each with two components that share its error rate. The betting component
(`betting.py`) has a small part of it, may be read after every unit and assumes nothing. The other
component is the test of all planned units (`fixed_sample.py`), read on the way too, at interim
analyses whose levels add up to its rate (`interim_analyses.py`). The run ends as
soon as either decides. So

    P(FAIL | mean >= fail_null) <= alpha   and   P(PASS | mean <= pass_null) <= beta   at any
    stopping time.

Regression: x = candidate - baseline in [-1, 1], fail_null = 0, pass_null = -margin (times the
    judge's J lower bound).
Floor: x in [0, 1], both nulls are the floor. "Not FAIL" is not PASS: the third outcome is
    INCONCLUSIVE.

    plan = regression(units=1000, margin=0.05)
    test = HybridTest(plan)
    for batch in batches:                        # every 10 cases, say
        if test.update(batch) is not None:
            break
    verdict = test.finish()

The plan must be made before the first result is seen, and the order of the units must not depend on
results: a seeded random permutation. With everything in hand and no early stopping,
`sequential=False` gives the whole rate to one analysis, at the end.
"""

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from llmeval.core.results import Decision
from llmeval.stats.estimation.clusters import units as group
from llmeval.stats.sequential.betting import Wealth, bets, upper_sequence
from llmeval.stats.sequential.design import TestDesign
from llmeval.stats.sequential.interim_analyses import InterimAnalyses, Level
from llmeval.stats.tests.fixed_sample import FixedSampleTest, Nulls, final_test

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class TestVerdict:
    """The outcome. `p_fail`, `p_pass`: p-values valid at this stopping time; FAIL is p_fail <=
    alpha.

    `cases`, `units`: used. `estimate`: the mean over cases so far, missing ones halfway. `low`,
    `high`: one-sided bounds, `low` at the rate of PASS and `high` at the rate of FAIL: PASS means
    low >= pass_null, FAIL means high <= fail_null.
    `component`: what decided: "betting", "interim" (an interim analysis) or "final"; "" when
    nothing did. `method`: of the test that was read last at an analysis; "" when none was.
    """

    __test__: ClassVar[bool] = False
    """Not a test of pytest's."""

    decision: Decision
    cases: int
    units: int
    estimate: float
    low: float
    high: float
    p_fail: float
    p_pass: float
    component: str
    method: str = ""


class HybridTest:
    """One test, fed unit by unit. `decision` is None until something decides before the end; then
    it stays.
    """

    def __init__(self, plan: TestDesign) -> None:
        self.plan = plan
        self.decision: Decision | None = None
        self._fail = Wealth(
            plan.fail_null, plan.high, bets(plan.aim_fail), plan.largest, plan.suite
        )
        self._pass = Wealth(
            -plan.pass_null, -plan.low, bets(plan.aim_pass), plan.largest, plan.suite
        )
        self._interim = InterimAnalyses(plan) if plan.share < 1 else None
        self._interim_decided = False
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
        """Take the next units in their order; says whether the test is decided. What follows a
        decision is not used.

        A unit without a result (an error, a judge's undecided) is NaN, and a cluster that misses
        some of its cases goes by the least and the most its mean may be: each of the two tests then
        takes what hurts its own claim.

        Args:
            values: the score (or difference) of each unit; of a cluster the mean over its cases, or
                the least it may be.
            sizes: how many cases each unit holds; default 1.
            upper: the most each unit's mean may be; default `values`.

        Raises:
            ValueError: a value out of range, a unit larger than planned, or more units than
                planned.
        """
        least, most, weights = unit_spans(self.plan, values, sizes, upper, self.used)
        if self.decision is not None or not len(least):
            return self.decision
        begin = self.used
        lower, upper, sizes = (
            np.append(old, new)
            for old, new in ((self._lower, least), (self._upper, most), (self._sizes, weights))
        )
        used = self._play(lower, upper, sizes, begin)
        self._lower, self._upper, self._sizes = lower[:used], upper[:used], sizes[:used]
        return self.decision

    def _play(self, lower: Floats, upper: Floats, sizes: Floats, begin: int) -> int:
        """Play the units after `begin`; returns how many until the decision, or all of them."""
        if self.plan.share == 0:
            return len(sizes)
        alpha, beta = self.plan.rates
        fails, passes = (
            self._fail.update(upper[begin:], sizes[begin:]),
            self._pass.update(-lower[begin:], sizes[begin:]),
        )
        failed = fails >= math.log(1 / (alpha * self.plan.share))
        hits = np.flatnonzero(failed | (passes >= math.log(1 / (beta * self.plan.share))))
        used = begin + int(hits[0]) + 1 if len(hits) else len(sizes)
        looked = (
            self._interim.first(lower, upper, sizes, begin, used)
            if self._interim is not None
            else None
        )
        if looked is not None:
            used, self.decision = looked
            self._interim_decided = True
        elif len(hits):
            self.decision = Decision.FAIL if failed[hits[0]] else Decision.PASS
        peaks = float(fails[: used - begin].max()), float(passes[: used - begin].max())
        self._peaks = max(self._peaks[0], peaks[0]), max(self._peaks[1], peaks[1])
        return used

    def finish(self, *, last: bool = False, bounds: bool = True) -> TestVerdict:
        """The verdict on what came so far. The last analysis is read only when all planned units
        are there.

        Args:
            last: no unit is to come, though fewer than planned came: to some the rule turned out
                not to apply.
            bounds: whether the bounds are wanted too, which take most of the time; without, they
                are the range of scores.

        Raises:
            ValueError: nothing came.
        """
        plan, sizes = self.plan, self._sizes
        if not len(sizes):
            raise ValueError("there is no result to decide on")
        final = self.decision is None and (last or len(sizes) == plan.units)
        analyses = self._interim_component(final=final, bounds=bounds)
        components = (
            [self._betting_component(bounds=bounds), *analyses] if plan.share > 0 else analyses
        )
        p_fail, p_pass = (
            min([1.0, *(side.p_fail for side in components)]),
            min([1.0, *(side.p_pass for side in components)]),
        )
        low, high = (
            max([plan.low, *(side.low for side in components)]),
            min([plan.high, *(side.high for side in components)]),
        )
        if plan.target == "suite" and len(sizes) == plan.units:
            low, high = self._mean(self._lower), self._mean(self._upper)
        decision = self.decision or by_rates(p_fail, p_pass, *plan.rates)
        component = (
            "interim"
            if self._interim_decided
            else "final"
            if final and plan.share < 1
            else "betting"
        )
        return TestVerdict(
            decision=decision,
            cases=round(float(sizes.sum())),
            units=len(sizes),
            estimate=self._mean((self._lower + self._upper) / 2),
            low=low,
            high=high,
            p_fail=p_fail,
            p_pass=p_pass,
            component="" if decision is Decision.INCONCLUSIVE else component,
            method=next((side.method for side in analyses), ""),
        )

    def _mean(self, values: Floats) -> float:
        return float(self._sizes @ values / self._sizes.sum())

    def _betting_component(self, *, bounds: bool) -> FixedSampleTest:
        plan, (alpha, beta) = self.plan, self.plan.rates
        sizes, share = self._sizes, self.plan.share
        p_fail, p_pass = (math.exp(-peak) / share for peak in self._peaks)
        if not bounds:
            return FixedSampleTest(p_fail, p_pass, plan.low, plan.high, "betting")
        high = upper_sequence(
            self._upper,
            sizes,
            plan.high,
            alpha * share,
            bets(plan.aim_fail),
            plan.largest,
            plan.suite,
        )
        low = -upper_sequence(
            -self._lower,
            sizes,
            -plan.low,
            beta * share,
            bets(plan.aim_pass),
            plan.largest,
            plan.suite,
        )
        return FixedSampleTest(p_fail, p_pass, low, high, "betting")

    def _interim_component(self, *, final: bool, bounds: bool) -> list[FixedSampleTest]:
        """What the last analysis so far says; `final`: it is the one on all units. p-values hold
        from the plan's rates up.

        The bounds are those of repeated confidence intervals: C. Jennison, B. W. Turnbull, JRSS B
        51 (1989) 305-361.
        """
        analyses = self._interim
        if analyses is None:
            return []
        read = analyses.last(self._lower, self._upper, self._sizes, final=final)
        if read is None:
            return []
        at, level = read
        side = self._test(min(at, self.used), level, bounds=bounds)
        if self.plan.share == 0:
            return [side]
        if final:
            analyses.reached(side.p_fail, side.p_pass, level)
        middle = self._mean((self._lower + self._upper) / 2)
        fail, pass_ = (
            rate * max(1.0, ratio)
            for rate, ratio in zip(self.plan.rates, analyses.nearest, strict=True)
        )
        return [
            FixedSampleTest(fail, pass_, min(side.low, middle), max(side.high, middle), side.method)
        ]

    def _test(self, at: int, level: Level, *, bounds: bool) -> FixedSampleTest:
        plan, lower, upper, sizes = self.plan, self._lower[:at], self._upper[:at], self._sizes[:at]
        alpha, beta = (
            rate or 0.5 for rate in level
        )  # nothing is spent on a side's first analyses: no bound then
        nulls = Nulls(plan.fail_null, plan.pass_null, plan.low, plan.high, alpha, beta)
        side = final_test(lower, sizes, nulls, bounds=bounds)
        if (lower != upper).any():
            most = final_test(upper, sizes, nulls, bounds=bounds)
            side = side._replace(p_fail=most.p_fail, high=most.high)
        low, high = side.low if level.pass_ else plan.low, side.high if level.fail else plan.high
        return side._replace(low=low, high=high)


def unit_spans(
    plan: TestDesign,
    values: ArrayLike,
    sizes: ArrayLike | None,
    upper: ArrayLike | None,
    used: int,
) -> tuple[Floats, Floats, Floats]:
    """The least and the most each unit's mean may be, and its cases; NaN may have been anything.

    Args:
        plan: of the test. values, sizes, upper: as `HybridTest.update` takes them. used: units
            before these.

    Raises:
        ValueError: a value out of range, a unit larger than planned, or more units than planned.
    """
    least = np.asarray(values, dtype=float).ravel()
    most = least if upper is None else np.asarray(upper, dtype=float).ravel()
    weights = np.ones(len(least)) if sizes is None else np.asarray(sizes, dtype=float).ravel()
    if not len(least) == len(most) == len(weights):
        raise ValueError(f"{len(least)} values, {len(most)} upper values and {len(weights)} sizes")
    least = np.where(np.isnan(least), plan.low, least)
    most = np.where(np.isnan(most), plan.high, most)
    if not ((least >= plan.low) & (least <= most) & (most <= plan.high)).all():
        raise ValueError(f"scores must lie in [{plan.low:g}, {plan.high:g}]")
    if len(weights) and not (weights.min() > 0 and weights.max() <= plan.largest):
        raise ValueError(
            f"a unit holds 1 to {plan.largest} cases, got {weights.min():g} to {weights.max():g}"
        )
    if used + len(weights) > plan.units:
        raise ValueError(f"the plan was for {plan.units} units")
    return least, most, weights


def by_rates(p_fail: float, p_pass: float, alpha: float, beta: float) -> Decision:
    """FAIL where its p-value is at most alpha, else PASS where its own is at most beta."""
    if p_fail <= alpha:
        return Decision.FAIL
    return Decision.PASS if p_pass <= beta else Decision.INCONCLUSIVE


def decide(
    plan: TestDesign,
    values: Sequence[float],
    clusters: Sequence[Hashable] | None = None,
    upper: Sequence[float] | None = None,
) -> TestVerdict:
    """The verdict on cases that are all in hand, in the order they were run.

    Args:
        plan: made for them before they were seen.
        values: the score (or difference) of each case, its repeats reduced first
            (`clusters.per_case`); NaN for a case without a result.
        clusters: which cases are not independent; None: an independent case.
        upper: the most that each value may be, where `values` has the least; default `values`.

    Raises:
        ValueError: values that do not fit the plan.
    """
    scores = np.asarray(values, dtype=float)
    above = scores if upper is None else np.asarray(upper, dtype=float)
    least, sizes = group(np.where(np.isnan(scores), plan.low, scores), clusters)
    most, _ = group(np.where(np.isnan(above), plan.high, above), clusters)
    test = HybridTest(plan)
    test.update(least, sizes, most)
    return test.finish()


def tipping_point(verdict: TestVerdict, plan: TestDesign) -> float:
    """How much error that favours one side would overturn the verdict; 0 when it is inconclusive.

    -high for FAIL, low - pass_null for PASS.
    For a judge: theta * (its sensitivity on the candidate minus on the baseline) - (1 - theta) *
    (the same of specificity). An audit that can't exclude such a difference makes the verdict
    inconclusive.
    """
    if verdict.decision is Decision.FAIL:
        return max(0.0, plan.fail_null - verdict.high)
    return max(0.0, verdict.low - plan.pass_null) if verdict.decision is Decision.PASS else 0.0
