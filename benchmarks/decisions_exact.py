"""What can be computed instead of simulated: the errors of the paired test, and the fewest cases any test could do with.

    python benchmarks/decisions_exact.py [--section errors|least|planner]

All counts (worse, better) are followed case by case, so the figures have no Monte-Carlo error. Each section
takes a minute or two. Base pass rate .8, margin 5 points, 1,000 cases, looks every 10, unless said.
"""

import argparse
import math
import time
from typing import NamedTuple

import numpy as np
from decisions import BASE, CASES, LOOK, MARGIN, table
from numpy.typing import NDArray

from llmeval.stats import power
from llmeval.stats.betting import bets
from llmeval.stats.looks import Looks
from llmeval.stats.paired import mcnemar_worse
from llmeval.stats.plan import Plan, regression

Floats = NDArray[np.float64]
Grid = NDArray[np.int8]
GO, FAIL, PASS, OPEN = range(4)


class Law(NamedTuple):
    """Probabilities of one pair: worse, better, the same."""

    worse: float
    better: float

    @property
    def same(self) -> float:
        """The rest."""
        return 1 - self.worse - self.better


class Found(NamedTuple):
    """What a test does under a law: mean cases, an open end counted as all of them, and the probability of each end."""

    used: float
    fail: float
    passed: float
    open: float


def follow(actions: dict[int, Grid], law: Law, cases: int, looked: int = 1) -> Found:
    """The test that does `actions[n][worse, better]` after n cases, under a law; what is used is rounded up to `looked`."""
    shape = next(iter(actions.values())).shape
    mass, used, ends = np.zeros(shape), 0.0, np.zeros(4)
    mass[0, 0] = 1.0
    for n in range(1, cases + 1):
        moved = mass * law.same
        moved[1:] += mass[:-1] * law.worse
        moved[:, 1:] += mass[:, :-1] * law.better
        mass = moved
        action = actions.get(n)
        if action is None:
            continue
        for end in (FAIL, PASS, OPEN):
            stopped = float(mass[action == end].sum())
            ends[end] += stopped
            used += stopped * (cases if end == OPEN else min(cases, math.ceil(n / looked) * looked))
        mass = np.where(action == GO, mass, 0.0)
    return Found(used / cases, *ends[1:])


def actions_of(plan: Plan, shape: tuple[int, int]) -> dict[int, Grid]:
    """What the product's test does at each count; its betting leg, a fiftieth of the rate, every 10 cases here."""
    worse, better = np.arange(float(shape[0]))[:, None], np.arange(float(shape[1]))[None, :]
    mcnemar = np.array([[mcnemar_worse(w, b) for b in range(shape[1])] for w in range(shape[0])])
    looks = Looks(plan)
    found: dict[int, Grid] = {}
    for n in sorted({*looks.at, *range(LOOK, plan.units + 1, LOOK)}):
        same = np.maximum(n - worse - better, 0.0)
        fail, passed = (_wealth(plan, side, worse, same, better) for side in ("fail", "pass"))
        if n in looks.at:
            level = looks.levels[looks.at.index(n)]
            fail, passed = fail | (mcnemar <= level.fail), passed | (_tango(worse, better, n, plan) <= level.pass_)
        action = np.where(fail, FAIL, np.where(passed, PASS, GO if n < plan.units else OPEN))
        found[n] = action.astype(np.int8)
    return found


def _wealth(plan: Plan, side: str, worse: Floats, same: Floats, better: Floats) -> NDArray[np.bool_]:
    """Whether the betting leg has decided for a side at these counts."""
    (null, high, sign, aim, rate) = (
        (plan.fail_null, plan.high, 1, plan.aim_fail, plan.rates[0])
        if side == "fail"
        else (-plan.pass_null, -plan.low, -1, plan.aim_pass, plan.rates[1])
    )
    gamblers = bets(aim)
    total = np.zeros(np.broadcast_shapes(worse.shape, better.shape))
    for fraction, share in zip(gamblers.fractions, gamblers.log_shares, strict=True):
        steps = (math.log1p(fraction * (null - sign * value) / (high - null)) for value in (-1, 0, 1))
        total += np.exp(share + sum(step * count for step, count in zip(steps, (worse, same, better), strict=True)))
    reached: NDArray[np.bool_] = total >= 1 / (rate * plan.share)
    return reached


def _tango(worse: Floats, better: Floats, n: int, plan: Plan) -> Floats:
    """`paired.tango_above` over a grid."""
    null = plan.pass_null
    b = -worse - better + (2 * n - better + worse) * null
    q = (np.sqrt(np.maximum(b * b + 8 * n * worse * null * (1 - null), 0.0)) - b) / (4 * n)
    z = (better - worse - n * null) / np.sqrt(np.maximum(n * (2 * q + null * (1 - null)), 1e-12))
    found: Floats = np.array([0.5 * math.erfc(each / math.sqrt(2)) for each in z.ravel().tolist()]).reshape(z.shape)
    return found


def errors() -> None:
    """The test's errors at its two limits, exactly, whatever the discordance."""

    def rows() -> "list[list[str]]":
        found = []
        for cases, margin in ((100, 0.1), (200, 0.05), (200, 0.1), (500, 0.05), (1000, 0.05)):
            shape = (min(cases, round(0.235 * cases + 6 * math.sqrt(0.2 * cases))),) * 2
            actions = actions_of(regression(units=cases, margin=margin), shape)
            cells = []
            for differ in (margin, 0.16, 0.256, 0.4):
                same = follow(actions, Law(differ / 2, differ / 2), cases)
                lost = follow(actions, Law((differ + margin) / 2, (differ - margin) / 2), cases)
                cells.append(f"{100 * same.fail:.2f} / {100 * lost.passed:.2f}")
            found.append([f"{cases:,}", f"{100 * margin:.0f}", *cells])
        return found

    table(
        "Exact errors of the paired test with looks, %: FAIL without a drop / PASS at a drop of the margin (nominal 5)",
        ["cases", "margin", "share of pairs that differ: the margin", ".16", ".256", ".4"],
        iter(rows()),
    )


class Prices(NamedTuple):
    """What the best test for these prices pays for: a wrong FAIL, a wrong PASS, an open end; and a case at each drop."""

    fail: float
    passed: float
    open: float
    case: tuple[float, float, float, float]


DROPS = (0.0, MARGIN, 2 * MARGIN, 4 * MARGIN)


def best(laws: list[Law], prices: Prices, shape: tuple[int, int], look: int = LOOK) -> dict[int, Grid]:
    """The test of least expected price when each of the laws holds in one of so many runs, and all four are known.

    Backward induction over the counts. Whoever does not know the laws can't do better.

    Source: A. Wald, J. Wolfowitz, Ann. Math. Stat. 19 (1948) 326-339; D. Siegmund, Sequential Analysis (1985), ch. 2.
    """
    worse, better = np.arange(float(shape[0]))[:, None], np.arange(float(shape[1]))[None, :]
    laws_ = np.maximum([[law.worse, law.better, law.same] for law in laws], 1e-12)
    case = np.array(prices.case)
    found: dict[int, Grid] = {}
    value = np.full(shape, np.inf)
    for n in range(CASES, 0, -1):
        same = np.maximum(n - worse - better, 0.0)
        logs = np.stack([worse * math.log(w) + better * math.log(b) + same * math.log(s) for w, b, s in laws_])
        chance = np.exp(logs - logs.max(axis=0))
        chance /= chance.sum(axis=0)
        going = np.full(shape, np.inf)
        if n < CASES:
            step = np.tensordot(chance, laws_, (0, 0))
            up, right = np.vstack([value[1:], value[-1:]]), np.hstack([value[:, 1:], value[:, -1:]])
            going = np.tensordot(case, chance, 1) + step[..., 0] * up + step[..., 1] * right + step[..., 2] * value
        value = going
        if n % look == 0:
            left = np.tensordot(case, chance, 1) * (CASES - n)
            costs = np.stack(
                [going, chance[0] * prices.fail, chance[1:].sum(axis=0) * prices.passed, prices.open + left]
            )
            found[n], value = costs.argmin(axis=0).astype(np.int8), costs.min(axis=0)
    return found


def least() -> None:
    """The product's test beside the best one for known laws, both with looks every 10 and an open end counted in full."""

    def rows() -> "list[list[str]]":
        found = []
        for correlation, sharp in ((0.2, (7800, 5200, 950)), (0.5, (8500, 5500, 900)), (0.8, (6000, 4000, 900))):
            laws = [Law(d.worse, d.better) for d in (power.discordance(BASE, drop, correlation) for drop in DROPS)]
            shape = tuple(round(CASES * max(p) + 6 * math.sqrt(CASES * max(p))) for p in zip(*laws, strict=True))
            ours = actions_of(regression(units=CASES, margin=MARGIN), shape)
            for name, actions in (
                ("this gate", ours),
                ("best, laws known", best(laws, Prices(*sharp, (1, 1, 1, 1)), shape)),
                ("best, great drops first", best(laws, Prices(*sharp, (1, 1, 2, 4)), shape)),
            ):
                ends = [follow(actions, law, CASES, LOOK) for law in laws]
                found.append([
                    f"{correlation}", name, *(f"{100 * end.used:.1f}" for end in ends),
                    f"{100 * ends[0].fail:.1f} / {100 * ends[1].passed:.1f}",
                    f"{100 * ends[0].passed:.1f} / {100 * ends[1].fail:.1f}",
                ])  # fmt: skip
        return found

    table(
        "Share of 1,000 cases used, %, exactly",
        ["corr", "test", "no drop", "-5", "-10", "-20", "wrong FAIL / PASS", "PASS at 0 / FAIL at -5"],
        iter(rows()),
    )


def planner() -> None:
    """The planned number of cases, and what an unchanged candidate's chance to PASS is with so many, 10 % less and more."""

    def rows() -> "list[list[str]]":
        found = []
        for margin, differ in (
            (0.05, 0.05),
            (0.05, 0.064),
            (0.1, 0.11),
            (0.05, 0.16),
            (0.1, 0.16),
            (0.1, 0.2),
            (0.1, 0.256),
            (0.1, 0.4),
        ):
            planned = power.gate_cases(margin, differ)
            shares = []
            for cases in (round(0.9 * planned), planned, round(1.1 * planned)):
                side = round(cases * differ / 2 + 7 * math.sqrt(cases * differ / 2)) + 3
                actions = actions_of(regression(units=cases, margin=margin), (side, side))
                shares.append(f"{100 * follow(actions, Law(differ / 2, differ / 2), cases).passed:.1f}")
            found.append([f"{100 * differ:.1f}", f"{100 * margin:.0f}", f"{planned:,}", *shares])
        return found

    table(
        "PASS of an unchanged candidate at the planned size, %, exactly (95 wanted)",
        ["pairs that differ, %", "margin", "planned cases", "10 % fewer", "as planned", "10 % more"],
        iter(rows()),
    )


SECTIONS = {"errors": errors, "least": least, "planner": planner}


def main() -> None:
    """Run the chosen sections."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--section", action="append", choices=[*SECTIONS], help="only this one; repeatable")
    for name in parser.parse_args().section or SECTIONS:
        start = time.perf_counter()
        SECTIONS[name]()
        print(f"\n({name}: {time.perf_counter() - start:.0f} s)", flush=True)


if __name__ == "__main__":
    main()
