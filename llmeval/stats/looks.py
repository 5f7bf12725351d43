"""The final test, read on the way: after each look the run may end, and all looks together keep one error rate.

Which looks there are and what each may spend is fixed by the plan (`spending.py`). A look that could hardly decide is
left out, by a z that costs nothing: to leave one out never makes an error likelier.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from llmeval.records import Decision
from llmeval.stats.final import Nulls, final_test
from llmeval.stats.plan import Plan
from llmeval.stats.spending import EFFECTS_FAIL, EFFECTS_PASS, levels, schedule, spent

Floats = NDArray[np.float64]

_HARDLY = 3.0
"""A look is left out when by the z its p-value is more than this many times its level."""


class Level(NamedTuple):
    """What a look may reject at: of FAIL, and of PASS."""

    fail: float
    pass_: float


class Looks:
    """The looks of one test; remembers how near to a rejection each side ever was.

    Args:
        plan: of the test; its share for betting below 1.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self.at = schedule(plan.units) if plan.share > 0 else (plan.units,)
        times = tuple(at / plan.units for at in self.at)
        alpha, beta = (rate * (1 - plan.share) for rate in plan.rates)
        fail, pass_ = (
            levels(times, tuple(rate * spent(time, plan.information, effects) for time in times))
            for rate, effects in ((alpha, EFFECTS_FAIL), (beta, EFFECTS_PASS))
        )
        self.levels = [Level(*pair) for pair in zip(fail, pass_, strict=True)]
        self.nearest = (math.inf, math.inf)

    def first(self, lower: Floats, upper: Floats, sizes: Floats, begin: int, end: int) -> tuple[int, Decision] | None:
        """The first look after `begin` and up to `end` units that decides, and what; the last look is not read here.

        Args:
            lower, upper: the least and the most each unit's mean may be, from the first unit on.
            sizes: cases in each.
        """
        due = [(at, level) for at, level in zip(self.at[:-1], self.levels, strict=False) if begin < at <= end]
        if not due:
            return None
        index = np.array([at for at, _ in due]) - 1
        fails = _above(-_z(upper, sizes, self._plan.fail_null, self._known(sizes, self._plan.fail_null))[index])
        passes = _above(_z(lower, sizes, self._plan.pass_null, self._known(sizes, self._plan.pass_null))[index])
        for (at, level), fail, pass_ in zip(due, fails, passes, strict=True):
            if fail > _HARDLY * level.fail and pass_ > _HARDLY * level.pass_:
                continue
            found = self._read(lower[:at], upper[:at], sizes[:at], level)
            if found is not None:
                return at, found
        return None

    def last(self, used: int, *, final: bool) -> tuple[int, Level] | None:
        """The last look there was after `used` units, with its level; `final`: the one on all units."""
        if final:
            return self.at[-1], self.levels[-1]
        past = [(at, level) for at, level in zip(self.at[:-1], self.levels, strict=False) if at <= used]
        return past[-1] if past else None

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
        found = (_ratio(p_fail, level.fail), _ratio(p_pass, level.pass_))
        self.nearest = min(self.nearest[0], found[0]), min(self.nearest[1], found[1])
        if found[0] <= 1:
            return Decision.FAIL
        return Decision.PASS if found[1] <= 1 else None


def _ratio(p_value: float, level: float) -> float:
    return p_value / level if level > 0 else math.inf


def _above(z: Floats) -> list[float]:
    return [0.5 * math.erfc(each / math.sqrt(2)) for each in z.tolist()]


def _z(values: Floats, sizes: Floats, null: float, known: float | None) -> Floats:
    """After each unit, how many standard errors the mean over cases is above the null; inf where nothing varies.

    The error is the cluster-robust one, or the `known` one of a case where that makes the z larger.
    """
    total, squares = sizes.cumsum(), (sizes * sizes).cumsum()
    mean = (sizes * values).cumsum() / total
    crossed, own = (sizes * sizes * values).cumsum(), (sizes * sizes * values * values).cumsum()
    variance = np.maximum(own - 2 * mean * crossed + mean * mean * squares, 0.0)
    if known is not None:
        variance = np.minimum(variance, known * total)
    excess = (mean - null) * total
    with np.errstate(divide="ignore", invalid="ignore"):
        z: Floats = np.where(variance > 1e-9, excess / np.sqrt(variance), np.copysign(np.inf, excess))
    return z
