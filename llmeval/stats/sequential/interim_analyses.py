"""The final test, read on the way: after each look the run may end, and all looks together keep one
error rate.

When the looks are and what they may have spent by then is fixed by the plan (`spending.py`). A test
of counts, of passes and fails case by case, gets exact limits (`counted.py`), any other the levels
of a normal walk.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from llmeval.core.results import Decision
from llmeval.stats.sequential import spending
from llmeval.stats.sequential.design import TestDesign
from llmeval.stats.sequential.exact_binomial_boundaries import BinomialBoundaries
from llmeval.stats.sequential.spending import levels, schedule, spent
from llmeval.stats.tests.fixed_sample import Nulls, final_test

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

_HARDLY = 1.5
"""A look is not read when by a z, which costs nothing, its p-value is more than this many times its
level: to leave one out never makes an error likelier."""


class Level(NamedTuple):
    """What a look may reject at: of FAIL, and of PASS."""

    fail: float
    pass_: float


class AnalysisCounts(NamedTuple):
    """After each unit: successes, trials, and whether all units so far were counts."""

    hits: Whole
    trials: Whole
    whole: NDArray[np.bool_]


class InterimAnalyses:
    """The looks of one test; remembers how near to a rejection each side ever was.

    Args:
        plan: of the test; its share for betting below 1.
    """

    def __init__(self, plan: TestDesign) -> None:
        self._plan = plan
        self.at = schedule(plan.units) if plan.share > 0 else (plan.units,)
        times = tuple(at / plan.units for at in self.at)
        alpha, beta = (rate * (1 - plan.share) for rate in plan.rates)
        fails, passes = (
            tuple(rate * spent(time, plan.information, placing) for time in times)
            for rate, placing in ((alpha, spending.FAIL), (beta, spending.PASS))
        )
        floor = plan.low == 0
        even = 0.5 if plan.fail_null == 0 else None  # of a pair that differs to be worse
        self._fail = _Levels(times, fails, 1 - plan.fail_null if floor else even)
        self._pass = _Levels(times, passes, plan.pass_null if floor else None)
        self._done: list[Level] = []
        self._final: Level | None = None
        self.nearest = (math.inf, math.inf)

    def first(
        self, lower: Floats, upper: Floats, sizes: Floats, begin: int, end: int
    ) -> tuple[int, Decision] | None:
        """The first look after `begin` and up to `end` units that decides, and what; the last look
        is not read here.

        Args:
            lower, upper: the least and the most each unit's mean may be, from the first unit on.
            sizes: cases in each.
        """
        due = [at for at in self.at[:-1] if begin < at <= end]
        if not due:
            return None
        index = np.array(due) - 1
        plan = self._plan
        fails = _above(-_z(upper, sizes, plan.fail_null, self._known(sizes, plan.fail_null))[index])
        passes = _above(_z(lower, sizes, plan.pass_null, self._known(sizes, plan.pass_null))[index])
        worse, better = self._counts(lower, upper, sizes)
        for at, fail, pass_ in zip(due, fails, passes, strict=True):
            analysis = len(self._done)
            level = Level(self._fail.at(analysis, worse, at), self._pass.at(analysis, better, at))
            self._done.append(level)
            hardly = fail > _HARDLY * level.fail and pass_ > _HARDLY * level.pass_
            if hardly and not (self._fail.rejects or self._pass.rejects):
                continue
            decisions = self._read(lower[:at], upper[:at], sizes[:at], level)
            if decisions is not None:
                return at, decisions
        return None

    def last(
        self, lower: Floats, upper: Floats, sizes: Floats, *, final: bool
    ) -> tuple[int, Level] | None:
        """The last look there was at these units, with its level; `final`: the one on all units."""
        if not final:
            return (self.at[len(self._done) - 1], self._done[-1]) if self._done else None
        if self._final is None:
            used, analysis = len(sizes), len(self.at) - 1
            worse, better = self._counts(lower, upper, sizes)
            single = Level(*self._plan.rates) if self._plan.share == 0 else None
            self._final = single or Level(
                self._fail.at(analysis, worse, used), self._pass.at(analysis, better, used)
            )
        return self.at[-1], self._final

    def _counts(
        self, lower: Floats, upper: Floats, sizes: Floats
    ) -> tuple[AnalysisCounts, AnalysisCounts]:
        """What each side counts: of FAIL what got worse, or failed; of PASS what passed a floor."""
        alone = sizes == 1
        if self._plan.low == 0:
            trials = np.arange(1, len(sizes) + 1)
            return (
                _counted(upper == 0, trials, alone & ((upper == 0) | (upper == 1))),
                _counted(lower == 1, trials, alone & ((lower == 0) | (lower == 1))),
            )
        paired = _counted(
            upper == -1, (upper != 0).cumsum(), alone & np.isin(upper, (-1.0, 0.0, 1.0))
        )
        return paired, paired._replace(whole=np.zeros(len(sizes), dtype=bool))

    def _known(self, sizes: Floats, null: float) -> float | None:
        """The variance under the null where it is known: of pass or fail, each case by itself."""
        return null * (1 - null) if self._plan.low == 0 and (sizes == 1).all() else None

    def _read(self, lower: Floats, upper: Floats, sizes: Floats, level: Level) -> Decision | None:
        plan = self._plan
        nulls = Nulls(plan.fail_null, plan.pass_null, plan.low, plan.high, level.fail, level.pass_)
        side = final_test(lower, sizes, nulls, bounds=False)
        differs = bool((lower != upper).any())
        p_fail = final_test(upper, sizes, nulls, bounds=False).p_fail if differs else side.p_fail
        return self.reached(p_fail, side.p_pass, level)

    def reached(self, p_fail: float, p_pass: float, level: Level) -> Decision | None:
        """What a look decides by its p-values."""
        ratios = (_ratio(p_fail, level.fail), _ratio(p_pass, level.pass_))
        self.nearest = min(self.nearest[0], ratios[0]), min(self.nearest[1], ratios[1])
        if ratios[0] <= 1:
            return Decision.FAIL
        return Decision.PASS if ratios[1] <= 1 else None


class _Levels:
    """One side's level at each look, asked for in their order: exact while the units are counts, a
    normal walk's after.

    Where counts end (a score of one half among passes and fails) the looks to come share what is
    left of the rate: by the union bound all looks keep it.

    Args:
        times: of the looks, as shares of the units. used: the rate that may be spent by each.
        chance: of a success under the null; None where no count is tested.
    """

    def __init__(
        self, times: tuple[float, ...], used: tuple[float, ...], chance: float | None
    ) -> None:
        self._times, self._used = times, used
        self._counts = BinomialBoundaries(chance) if chance is not None else None
        self._from, self._normal = 0, levels(times, used) if chance is None else ()
        self.rejects = False

    def at(self, analysis: int, counts: AnalysisCounts, units: int) -> float:
        """The level of a look after so many units."""
        self.rejects = False
        if self._counts is not None and not counts.whole[units - 1]:
            left = tuple(max(used - self._counts.spent, 0.0) for used in self._used[analysis:])
            self._counts, self._from, self._normal = (
                None,
                analysis,
                levels(self._times[analysis:], left),
            )
        if self._counts is None:
            return self._normal[analysis - self._from]
        fewest, level = self._counts.next_limit(int(counts.trials[units - 1]), self._used[analysis])
        self.rejects = fewest is not None and bool(counts.hits[units - 1] >= fewest)
        return level


def _counted(hits: NDArray[np.bool_], trials: Whole, whole: NDArray[np.bool_]) -> AnalysisCounts:
    return AnalysisCounts(hits.cumsum(), trials, np.logical_and.accumulate(whole))


def _ratio(p_value: float, level: float) -> float:
    return p_value / level if level > 0 else math.inf


def _above(z: Floats) -> list[float]:
    return [0.5 * math.erfc(each / math.sqrt(2)) for each in z.tolist()]


def _z(values: Floats, sizes: Floats, null: float, known_variance: float | None) -> Floats:
    """After each unit, how many standard errors the mean over cases is above the null; inf where
    nothing varies.

    The error is the cluster-robust one, or that of `known_variance` (of one case) if the z is
    then larger.
    """
    total, squares = sizes.cumsum(), (sizes * sizes).cumsum()
    mean = (sizes * values).cumsum() / total
    crossed, own = (sizes * sizes * values).cumsum(), (sizes * sizes * values * values).cumsum()
    variance = np.maximum(own - 2 * mean * crossed + mean * mean * squares, 0.0)
    if known_variance is not None:
        variance = np.minimum(variance, known_variance * total)
    excess = (mean - null) * total
    with np.errstate(divide="ignore", invalid="ignore"):
        z: Floats = np.where(
            variance > 1e-9, excess / np.sqrt(variance), np.copysign(np.inf, excess)
        )
    return z
