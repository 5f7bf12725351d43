"""The gate's test: is the mean certainly below a limit (FAIL), certainly above one (PASS), or can't these cases tell?

Two one-sided tests, each with two legs that share its error rate. The betting leg (`betting.py`) may be read after
every unit and ends the run as soon as it decides; the final leg (`final.py`) is read once, on all planned units. So

    P(FAIL | mean >= fail_null) <= alpha   and   P(PASS | mean <= pass_null) <= beta   at any stopping time.

Regression: x = candidate - baseline in [-1, 1], fail_null = 0, pass_null = -margin (times the judge's J lower bound).
Floor: x in [0, 1], both nulls are the floor. "Not FAIL" is not PASS: the third outcome is INCONCLUSIVE.

    plan = regression(units=1000, margin=0.05)
    test = HybridTest(plan)
    for batch in batches:                        # every 10 cases, say
        if test.update(batch) is not None:
            break
    verdict = test.finish()

The plan must be made before the first result is seen, and the order of the units must not depend on results: a seeded
random permutation. With everything in hand and no early stopping, `sequential=False` gives the final leg the whole
rate.
"""

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from llmeval.records import Decision
from llmeval.stats.betting import Wealth, best_fraction, bets, upper_sequence
from llmeval.stats.clusters import units as group
from llmeval.stats.final import Nulls, Side, final_test

Floats = NDArray[np.float64]

_WITHIN = 0.2
"""Correlation within clusters that bets are placed for; only speed depends on it."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is fixed before the first result. Made by `regression` or `floor`.

    `units`: independent units planned (cases, or clusters). `largest`: cases in the largest unit. `cases`: cases
    planned.
    `low`, `high`: the range of scores. `share`: how much of each error rate the betting leg has, 0 to 1.
    `target`: whether the claim is about the population the cases are drawn from, or about this suite only.
    `spent`: error rate of PASS already spent elsewhere (on the judge's J), inside `beta`.
    `aim_fail`, `aim_pass`: the bets half the capital is placed around.
    """

    units: int
    cases: int
    largest: int
    low: float
    high: float
    fail_null: float
    pass_null: float
    alpha: float
    beta: float
    spent: float
    share: float
    target: Literal["population", "suite"]
    aim_fail: float | None
    aim_pass: float | None

    def __post_init__(self) -> None:
        if not (0 < self.alpha < 1 and 0 < self.beta < 1 and 0 <= self.spent < self.beta):
            raise ValueError(f"error rates must lie in (0, 1) and cover what is spent, got {self.alpha}, {self.beta}")
        if not (0 <= self.share <= 1 and self.low <= self.pass_null <= self.fail_null <= self.high):
            raise ValueError(f"impossible limits: {self.pass_null} and {self.fail_null} in [{self.low}, {self.high}]")
        if not 1 <= self.units <= self.cases or self.largest < 1:
            raise ValueError(f"impossible sizes: {self.units} units, {self.cases} cases, the largest {self.largest}")

    @property
    def suite(self) -> float | None:
        """The cases of the suite when the claim is about it alone."""
        return float(self.cases) if self.target == "suite" else None

    @property
    def rates(self) -> tuple[float, float]:
        """The error rates the test itself may use: of FAIL, and of PASS."""
        return self.alpha, self.beta - self.spent


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The outcome. `p_fail`, `p_pass`: p-values valid at this stopping time; FAIL is p_fail <= alpha.

    `cases`, `units`: used. `estimate`: the mean over cases so far, lost ones halfway. `low`, `high`: one-sided bounds, `low` at the
    rate of PASS and `high` at the rate of FAIL: PASS means low >= pass_null, FAIL means high <= fail_null.
    `leg`: which leg decided, "" when none did. `method`: of the final leg, "" when it was not read.
    """

    decision: Decision
    cases: int
    units: int
    estimate: float
    low: float
    high: float
    p_fail: float
    p_pass: float
    leg: str
    method: str = ""


def regression(
    *,
    units: int,
    margin: float,
    alpha: float = 0.05,
    beta: float = 0.05,
    cases: int | None = None,
    largest: int = 1,
    discordance: float = 0.16,
    j_lower: float = 1.0,
    j_alpha: float = 0.0,
    sequential: bool = True,
    target: Literal["population", "suite"] = "population",
) -> Plan:
    """The plan of a regression test: FAIL when worse than the baseline, PASS when not worse by the margin.

    On the scale of human judgement: if the judge has the same sensitivity and specificity on both sides, the
    difference it sees is J times the true one, so PASS takes the margin J_lower * margin and the rate beta -
    j_alpha. Then P(PASS | drop >= margin) <= beta, J's own uncertainty included. FAIL needs only J > 0.

    Args:
        units: independent units planned; clusters when cases share them.
        margin: the drop of the mean that must not pass, in (0, 1).
        alpha: largest probability of FAIL without a drop.
        beta: largest probability of PASS with a drop of the margin or more.
        cases: cases planned; default `units`.
        largest: cases in the largest cluster.
        discordance: E d^2 expected without a drop (for binary results, the share of cases that differ). Only speed
            depends on it.
        j_lower: lower bound of the judge's J at level `j_alpha`; 1 for checks.
        j_alpha: probability that the bound is too high.
        sequential: whether the run may stop early. Without, the whole rate goes to the final test.
        target: what the claim is about.

    Raises:
        ValueError: arguments out of range.
    """
    if not (0 < margin < 1 and 0 < j_lower <= 1):
        raise ValueError(f"need a margin in (0, 1) and a judge with J in (0, 1], got {margin} and {j_lower}")
    scaled = margin * j_lower
    moment = max(discordance * (_WITHIN + (1 - _WITHIN) / largest), scaled * scaled)
    return Plan(
        units=units, cases=units if cases is None else cases, largest=largest, low=-1.0, high=1.0,
        fail_null=0.0, pass_null=-scaled, alpha=alpha, beta=beta, spent=j_alpha,
        share=_share(sequential, target), target=target,
        aim_fail=best_fraction(0.0, 1.0, scaled, moment), aim_pass=best_fraction(scaled, 1.0, scaled, moment),
    )  # fmt: skip


def floor(
    *,
    units: int,
    threshold: float,
    alpha: float = 0.05,
    beta: float = 0.05,
    cases: int | None = None,
    largest: int = 1,
    sequential: bool = True,
    target: Literal["population", "suite"] = "population",
) -> Plan:
    """The plan of a floor: PASS when the mean is at least `threshold` for sure, FAIL when it is below for sure.

    `alpha`: largest probability of FAIL at or above the floor; `beta`: of PASS at or below it. Other arguments as
    `regression`.

    Raises:
        ValueError: arguments out of range.
    """
    if not 0 < threshold < 1:
        raise ValueError(f"a floor must lie in (0, 1), got {threshold}")
    return Plan(
        units=units, cases=units if cases is None else cases, largest=largest, low=0.0, high=1.0,
        fail_null=threshold, pass_null=threshold, alpha=alpha, beta=beta, spent=0.0,
        share=_share(sequential, target), target=target, aim_fail=None, aim_pass=None,
    )  # fmt: skip


def _share(sequential: bool, target: str) -> float:
    if target == "suite":
        return 1.0
    return 0.5 if sequential else 0.0


class HybridTest:
    """One test, fed unit by unit. `decision` is None until the betting leg decides; then it stays."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.decision: Decision | None = None
        self._fail = Wealth(plan.fail_null, plan.high, bets(plan.aim_fail), plan.largest, plan.suite)
        self._pass = Wealth(-plan.pass_null, -plan.low, bets(plan.aim_pass), plan.largest, plan.suite)
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
        """Take the next units in their order; says whether the test is decided. What follows a decision is not used.

        A unit without a result (an error, a judge's undecided) is NaN, and a cluster that lost some of its cases goes by
        the least and the most its mean may be: each of the two tests then takes what hurts its own claim.

        Args:
            values: the score (or difference) of each unit; of a cluster the mean over its cases, or the least it may be.
            sizes: how many cases each unit holds; default 1.
            upper: the most each unit's mean may be; default `values`.

        Raises:
            ValueError: a value out of range, a unit larger than planned, or more units than planned.
        """
        least = np.asarray(values, dtype=float).ravel()
        most = least if upper is None else np.asarray(upper, dtype=float).ravel()
        weights = np.ones(len(least)) if sizes is None else np.asarray(sizes, dtype=float).ravel()
        if not len(least) == len(most) == len(weights):
            raise ValueError(f"{len(least)} values, {len(most)} upper values and {len(weights)} sizes")
        least = np.where(np.isnan(least), self.plan.low, least)
        most = np.where(np.isnan(most), self.plan.high, most)
        self._check(least, most, weights)
        if self.decision is not None or not len(least):
            return self.decision
        used = self._bet(least, most, weights) if self.plan.share > 0 else len(least)
        self._lower = np.append(self._lower, least[:used])
        self._upper = np.append(self._upper, most[:used])
        self._sizes = np.append(self._sizes, weights[:used])
        return self.decision

    def _bet(self, lower: Floats, upper: Floats, sizes: Floats) -> int:
        """Play the units; returns how many until the decision, or all of them."""
        alpha, beta = self.plan.rates
        fails, passes = self._fail.update(upper, sizes), self._pass.update(-lower, sizes)
        failed = fails >= math.log(1 / (alpha * self.plan.share))
        hits = np.flatnonzero(failed | (passes >= math.log(1 / (beta * self.plan.share))))
        used = len(sizes)
        if len(hits):
            used = int(hits[0]) + 1
            self.decision = Decision.FAIL if failed[hits[0]] else Decision.PASS
        peaks = float(fails[:used].max()), float(passes[:used].max())
        self._peaks = max(self._peaks[0], peaks[0]), max(self._peaks[1], peaks[1])
        return used

    def finish(self, *, last: bool = False) -> Verdict:
        """The verdict on what came so far. The final leg is read only when all planned units are there.

        Args:
            last: no unit is to come, though fewer than planned came: to some the rule turned out not to apply.

        Raises:
            ValueError: nothing came.
        """
        plan, sizes = self.plan, self._sizes
        if not len(sizes):
            raise ValueError("there is no result to decide on")
        final = self.decision is None and (last or len(sizes) == plan.units) and plan.share < 1
        found = [self._betting_leg()] if plan.share > 0 else []
        if final:
            found.append(self._final_leg())
        p_fail, p_pass = min([1.0, *(side.p_fail for side in found)]), min([1.0, *(side.p_pass for side in found)])
        low, high = max([plan.low, *(side.low for side in found)]), min([plan.high, *(side.high for side in found)])
        if plan.target == "suite" and len(sizes) == plan.units:
            low, high = self._mean(self._lower), self._mean(self._upper)
        decision = self.decision or _decide(p_fail, p_pass, *plan.rates)
        leg = "" if decision is Decision.INCONCLUSIVE else "final" if final else "betting"
        return Verdict(
            decision=decision, cases=round(float(sizes.sum())), units=len(sizes),
            estimate=self._mean((self._lower + self._upper) / 2), low=low, high=high, p_fail=p_fail, p_pass=p_pass,
            leg=leg, method=found[-1].method if final else "",
        )  # fmt: skip

    def _mean(self, values: Floats) -> float:
        return float(self._sizes @ values / self._sizes.sum())

    def _betting_leg(self) -> Side:
        plan, (alpha, beta) = self.plan, self.plan.rates
        sizes, share = self._sizes, self.plan.share
        high = upper_sequence(
            self._upper, sizes, plan.high, alpha * share, bets(plan.aim_fail), plan.largest, plan.suite
        )
        low = -upper_sequence(
            -self._lower, sizes, -plan.low, beta * share, bets(plan.aim_pass), plan.largest, plan.suite
        )
        return Side(math.exp(-self._peaks[0]) / share, math.exp(-self._peaks[1]) / share, low, high, "betting")

    def _final_leg(self) -> Side:
        plan, (alpha, beta), rest = self.plan, self.plan.rates, 1 - self.plan.share
        nulls = Nulls(plan.fail_null, plan.pass_null, plan.low, plan.high, alpha * rest, beta * rest)
        side = final_test(self._lower, self._sizes, nulls)
        if (self._lower != self._upper).any():
            most = final_test(self._upper, self._sizes, nulls)
            side = side._replace(p_fail=most.p_fail, high=most.high)
        return side._replace(p_fail=side.p_fail / rest, p_pass=side.p_pass / rest)

    def _check(self, lower: Floats, upper: Floats, sizes: Floats) -> None:
        plan = self.plan
        if not ((lower >= plan.low) & (lower <= upper) & (upper <= plan.high)).all():
            raise ValueError(f"scores must lie in [{plan.low:g}, {plan.high:g}]")
        if len(sizes) and not (sizes.min() > 0 and sizes.max() <= plan.largest):
            raise ValueError(f"a unit holds 1 to {plan.largest} cases, got {sizes.min():g} to {sizes.max():g}")
        if self.used + len(sizes) > plan.units:
            raise ValueError(f"the plan was for {plan.units} units")


def _decide(p_fail: float, p_pass: float, alpha: float, beta: float) -> Decision:
    if p_fail <= alpha:
        return Decision.FAIL
    return Decision.PASS if p_pass <= beta else Decision.INCONCLUSIVE


def decide(plan: Plan, values: Sequence[float], clusters: Sequence[Hashable] | None = None) -> Verdict:
    """The verdict on cases that are all in hand, in the order they were run.

    Args:
        plan: made for them before they were seen.
        values: the score (or difference) of each case, its repeats reduced first (`clusters.per_case`); NaN for a case
            without a result.
        clusters: which cases are not independent; None is a case of its own.

    Raises:
        ValueError: values that do not fit the plan.
    """
    scores = np.asarray(values, dtype=float)
    least, sizes = group(np.where(np.isnan(scores), plan.low, scores), clusters)
    most, _ = group(np.where(np.isnan(scores), plan.high, scores), clusters)
    test = HybridTest(plan)
    test.update(least, sizes, most)
    return test.finish()


def tipping_point(verdict: Verdict, plan: Plan) -> float:
    """How much error that favours one side would overturn the verdict; 0 when it is inconclusive.

    -high for FAIL, low - pass_null for PASS.
    For a judge: theta * (its sensitivity on the candidate minus on the baseline) - (1 - theta) * (the same of
    specificity). An audit that can't exclude such a difference makes the verdict inconclusive.
    """
    if verdict.decision is Decision.FAIL:
        return max(0.0, plan.fail_null - verdict.high)
    return max(0.0, verdict.low - plan.pass_null) if verdict.decision is Decision.PASS else 0.0
