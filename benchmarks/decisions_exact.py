"""The paired test with looks: its errors exactly, and its calls beside the fewest that any test
could do with.

    python benchmarks/decisions_exact.py [--section errors|least|planner] [--runs 10000]

Errors and the best test follow all counts (worse, better) case by case, without Monte-Carlo error.
The limits of FAIL depend on how many pairs differed at each look, so what the gate uses is played,
`--runs` times a figure (a few minutes a section). Base pass rate .8, margin 5 points, 1,000 cases,
use counted in tens, unless said.
"""

import argparse
import math
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
from decisions import ANALYSIS_EVERY, BASE, CASES, MARGIN, table
from numpy.typing import NDArray

from llmeval.core.results import Decision
from llmeval.stats import power
from llmeval.stats.sequential.betting import bets
from llmeval.stats.sequential.design import TestDesign, regression
from llmeval.stats.sequential.exact_binomial_boundaries import BinomialBoundaries
from llmeval.stats.sequential.gate_test import HybridTest
from llmeval.stats.sequential.spending import FAIL as FAILS
from llmeval.stats.sequential.spending import PASS as PASSES
from llmeval.stats.sequential.spending import levels, schedule, spent

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
    """What a test does under a law: mean cases, an open end counted as all of them, and the
    probability of each end.
    """

    used: float
    fail: float
    passed: float
    open: float


def follow(actions: dict[int, Grid], law: Law, cases: int, looked: int = 1) -> Found:
    """The test that does `actions[n][worse, better]` after n cases, under a law; what is used is
    rounded up to `looked`.
    """
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


def passes_of(plan: TestDesign, shape: tuple[int, int]) -> dict[int, Grid]:
    """Where the product's test PASSes at each count, were there no FAIL; its betting leg every 10
    cases here.
    """
    worse, better = np.arange(float(shape[0]))[:, None], np.arange(float(shape[1]))[None, :]
    times = tuple(at / plan.units for at in schedule(plan.units))
    rate = plan.rates[1] * (1 - plan.share)
    used = tuple(rate * spent(time, plan.information, PASSES) for time in times)
    limits = dict(zip(schedule(plan.units), levels(times, used), strict=True))
    found: dict[int, Grid] = {}
    for n in sorted({*limits, *range(ANALYSIS_EVERY, plan.units + 1, ANALYSIS_EVERY)}):
        passed = _wealth(plan, worse, np.maximum(n - worse - better, 0.0), better)
        if n in limits:
            passed = passed | (_tango(worse, better, n, plan) <= limits[n])
        found[n] = np.where(passed, PASS, GO if n < plan.units else OPEN).astype(np.int8)
    return found


def _wealth(plan: TestDesign, worse: Floats, same: Floats, better: Floats) -> NDArray[np.bool_]:
    """Whether the betting leg of PASS has decided at these counts."""
    gamblers, null, high = bets(plan.aim_pass), -plan.pass_null, -plan.low
    total = np.zeros(np.broadcast_shapes(worse.shape, better.shape))
    for fraction, share in zip(gamblers.fractions, gamblers.log_shares, strict=True):
        steps = (math.log1p(fraction * (null + value) / (high - null)) for value in (-1, 0, 1))
        total += np.exp(
            share
            + sum(step * count for step, count in zip(steps, (worse, same, better), strict=True))
        )
    reached: NDArray[np.bool_] = total >= 1 / (plan.rates[1] * plan.share)
    return reached


def spent_on_fail(plan: TestDesign, differ: float, paths: int = 200) -> Floats:
    """The exact probability of a wrong FAIL given how many pairs differ at each look, for random
    numbers of them.

    Both legs together at most: the betting leg's rate is added whole, and PASS, which would end a
    run before, left out.
    """
    at = schedule(plan.units)
    rate = plan.rates[0] * (1 - plan.share)
    used = [rate * spent(units / plan.units, plan.information, FAILS) for units in at]
    random, found = np.random.default_rng(17), []
    for _ in range(paths):
        looks = BinomialBoundaries(0.5)
        for trials, most in zip(
            random.binomial(np.diff((0, *at)), differ).cumsum().tolist(), used, strict=True
        ):
            looks.next_limit(trials, most)
        found.append(looks.spent + plan.rates[0] * plan.share)
    return np.array(found)


def played(plan: TestDesign, law: Law, runs: int) -> Found:
    """The product's own test, played."""
    random, used, ends = np.random.default_rng(23), 0, Counter[Decision]()
    for _ in range(runs):
        test = HybridTest(plan)
        values = random.choice(
            (-1.0, 1.0, 0.0), p=(law.worse, law.better, law.same), size=plan.units
        )
        ends[test.update(values) or test.finish().decision] += 1
        used += min(plan.units, math.ceil(test.used / ANALYSIS_EVERY) * ANALYSIS_EVERY)
    shares = (ends[each] / runs for each in (Decision.FAIL, Decision.PASS, Decision.INCONCLUSIVE))
    return Found(used / runs / plan.units, *shares)


def _tango(worse: Floats, better: Floats, n: int, plan: TestDesign) -> Floats:
    """p-values of the score test over a grid: the product rejects only where this one does, and the
    exact one too (`decisions_audit.py`), so PASS is at most as likely as computed here.
    """
    null = plan.pass_null
    b = -worse - better + (2 * n - better + worse) * null
    q = (np.sqrt(np.maximum(b * b + 8 * n * worse * null * (1 - null), 0.0)) - b) / (4 * n)
    z = (better - worse - n * null) / np.sqrt(np.maximum(n * (2 * q + null * (1 - null)), 1e-12))
    found: Floats = np.array(
        [0.5 * math.erfc(each / math.sqrt(2)) for each in z.ravel().tolist()]
    ).reshape(z.shape)
    return found


def errors(runs: int) -> None:
    """The test's errors at its two limits, exactly, whatever the discordance."""

    def rows() -> "list[list[str]]":
        found = []
        for cases, margin in ((100, 0.1), (200, 0.05), (200, 0.1), (500, 0.05), (1000, 0.05)):
            shape = (min(cases, round(0.235 * cases + 6 * math.sqrt(0.2 * cases))),) * 2
            plan = regression(units=cases, margin=margin)
            actions = passes_of(plan, shape)
            cells = []
            for differ in (margin, 0.16, 0.256, 0.4):
                fails = spent_on_fail(plan, differ)
                lost = follow(actions, Law((differ + margin) / 2, (differ - margin) / 2), cases)
                cells.append(
                    f"{100 * fails.mean():.2f} ({100 * fails.max():.2f}) / {100 * lost.passed:.2f}"
                )
            found.append([f"{cases:,}", f"{100 * margin:.0f}", *cells])
        return found

    table(
        "Errors of the paired test with looks, exactly, %: FAIL without a drop, mean (and most) over the numbers of pairs "
        "that may differ / PASS at a drop of the margin (nominal 5)",
        ["cases", "margin", "share of pairs that differ: the margin", ".16", ".256", ".4"],
        iter(rows()),
    )


class Prices(NamedTuple):
    """What the best test for these prices pays for: a wrong FAIL, a wrong PASS, an open end; and a
    case at each drop.
    """

    fail: float
    passed: float
    open: float
    case: tuple[float, float, float, float]


DROPS = (0.0, MARGIN, 2 * MARGIN, 4 * MARGIN)


def best(
    laws: list[Law], prices: Prices, shape: tuple[int, int], look: int = ANALYSIS_EVERY
) -> dict[int, Grid]:
    """The test of least expected price when each of the laws holds in one of so many runs, and all
    four are known.

    Backward induction over the counts. Whoever does not know the laws can't do better.

    Source: A. Wald, J. Wolfowitz, Ann. Math. Stat. 19 (1948) 326-339; D. Siegmund, Sequential
        Analysis (1985), ch. 2.
    """
    worse, better = np.arange(float(shape[0]))[:, None], np.arange(float(shape[1]))[None, :]
    laws_ = np.maximum([[law.worse, law.better, law.same] for law in laws], 1e-12)
    case = np.array(prices.case)
    found: dict[int, Grid] = {}
    value = np.full(shape, np.inf)
    for n in range(CASES, 0, -1):
        same = np.maximum(n - worse - better, 0.0)
        logs = np.stack(
            [worse * math.log(w) + better * math.log(b) + same * math.log(s) for w, b, s in laws_]
        )
        chance = np.exp(logs - logs.max(axis=0))
        chance /= chance.sum(axis=0)
        going = np.full(shape, np.inf)
        if n < CASES:
            step = np.tensordot(chance, laws_, (0, 0))
            up, right = np.vstack([value[1:], value[-1:]]), np.hstack([value[:, 1:], value[:, -1:]])
            going = (
                np.tensordot(case, chance, 1)
                + step[..., 0] * up
                + step[..., 1] * right
                + step[..., 2] * value
            )
        value = going
        if n % look == 0:
            left = np.tensordot(case, chance, 1) * (CASES - n)
            costs = np.stack(
                [
                    going,
                    chance[0] * prices.fail,
                    chance[1:].sum(axis=0) * prices.passed,
                    prices.open + left,
                ]
            )
            found[n], value = costs.argmin(axis=0).astype(np.int8), costs.min(axis=0)
    return found


def least(runs: int) -> None:
    """The product's test beside the best one for known laws, which looks every 10; an open end
    counted in full.
    """

    def rows() -> "list[list[str]]":
        found = []
        for correlation, sharp in (
            (0.2, (7800, 5200, 950)),
            (0.5, (8500, 5500, 900)),
            (0.8, (6000, 4000, 900)),
        ):
            laws = [
                Law(d.worse, d.better)
                for d in (power.discordance(BASE, drop, correlation) for drop in DROPS)
            ]
            shape = tuple(
                round(CASES * max(p) + 6 * math.sqrt(CASES * max(p)))
                for p in zip(*laws, strict=True)
            )
            tests: dict[str, Callable[[Law], Found]] = {
                "this gate": partial(played, regression(units=CASES, margin=MARGIN), runs=runs),
                "best, laws known": _best_for(laws, Prices(*sharp, (1, 1, 1, 1)), shape),
                "best, great drops first": _best_for(laws, Prices(*sharp, (1, 1, 2, 4)), shape),
            }
            for name, test in tests.items():
                ends = [test(law) for law in laws]
                found.append(
                    [
                        f"{correlation}",
                        name,
                        *(f"{100 * end.used:.1f}" for end in ends),
                        f"{100 * ends[0].fail:.1f} / {100 * ends[1].passed:.1f}",
                        f"{100 * ends[0].passed:.1f} / {100 * ends[1].fail:.1f}",
                    ]
                )
        return found

    table(
        f"Share of 1,000 cases used, % (this gate: {runs:,} runs a figure, s.e. at most 0.4 points; the others exactly)",
        [
            "corr",
            "test",
            "no drop",
            "-5",
            "-10",
            "-20",
            "wrong FAIL / PASS",
            "PASS at 0 / FAIL at -5",
        ],
        iter(rows()),
    )


def _best_for(laws: list[Law], prices: Prices, shape: tuple[int, int]) -> Callable[[Law], Found]:
    actions = best(laws, prices, shape)
    return lambda law: follow(actions, law, CASES, ANALYSIS_EVERY)


def planner(runs: int) -> None:
    """The planned cases, and with so many, 10 % less and more: PASS of an unchanged candidate, FAIL
    of one worse by the margin.
    """

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
                plan = regression(units=cases, margin=margin)
                same = played(plan, Law(differ / 2, differ / 2), runs)
                lost = played(plan, Law((differ + margin) / 2, (differ - margin) / 2), runs)
                shares.append(f"{100 * same.passed:.1f} / {100 * lost.fail:.1f}")
            found.append([f"{100 * differ:.1f}", f"{100 * margin:.0f}", f"{planned:,}", *shares])
        return found

    table(
        f"PASS without a drop / FAIL at the margin, at the planned size, % (95 wanted; {runs:,} runs a figure)",
        [
            "pairs that differ, %",
            "margin",
            "planned cases",
            "10 % fewer",
            "as planned",
            "10 % more",
        ],
        iter(rows()),
    )


SECTIONS = {"errors": errors, "least": least, "planner": planner}


def main() -> None:
    """Run the chosen sections."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--section", action="append", choices=[*SECTIONS], help="only this one; repeatable"
    )
    parser.add_argument("--runs", type=int, default=10_000, help="played runs a figure")
    chosen = parser.parse_args()
    for name in chosen.section or SECTIONS:
        start = time.perf_counter()
        SECTIONS[name](chosen.runs)
        print(f"\n({name}: {time.perf_counter() - start:.0f} s)", flush=True)


if __name__ == "__main__":
    main()
