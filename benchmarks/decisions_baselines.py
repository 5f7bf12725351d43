"""A baseline of five runs next to one of one run, and a release next to a rolling baseline.

    python benchmarks/decisions_baselines.py [--runs 2000] [--section calls|levels|curse|frog|noise]

Section `calls`: how many calls a run that may stop early uses, both baselines on the same answers.
`levels`: wrong decisions where the test could be wrong: graded scores, clusters, repeats, a model
that breaks as many cases as it repairs, missing results, few cases, pooled attempts. `curse`: a
baseline that was picked because it was good. `frog`: a point a week, each run that did not FAIL
approved. `noise`: the bets are planned for another noise than the runs have. Everything is seeded.
Exit code 1 where an error exceeds its rate by more than two
Monte-Carlo standard errors, or a limit that a section states is not met.
"""

import argparse
import math
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from llmeval.core.results import Decision
from llmeval.gate.baseline_runs import LEAST_MOMENT
from llmeval.stats.sequential.betting_test import sequential_test
from llmeval.stats.sequential.design import TestDesign, regression
from llmeval.stats.sequential.gate_test import HybridTest, TestVerdict

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

RATE, RUNS_KEPT, LOOK = 0.05, 5, 10


class World(NamedTuple):
    """How the answers come about. `swapped`: the share of cases that the candidate breaks, while it
    repairs others."""

    n: int = 1000
    base: float = 0.8
    correlation: float = 0.5
    margin: float = 0.05
    size: int = 1
    repeats: int = 1
    graded: bool = False
    swapped: float = 0.0
    missing: float = 0.0

    def chances(self, rng: np.random.Generator) -> Floats:
        """Each case's chance to be answered well: beta-distributed, shared by half of the cases of
        a cluster.
        """
        total = (1 - self.correlation) / self.correlation
        own = rng.beta(self.base * total, (1 - self.base) * total, self.n)
        if self.size == 1:
            return own
        shared = rng.beta(self.base * total, (1 - self.base) * total, self.n // self.size)
        return np.where(rng.random(self.n) < math.sqrt(0.2), np.repeat(shared, self.size), own)

    def run(self, rng: np.random.Generator, chances: Floats) -> Floats:
        """One run's value of each case."""
        if self.graded:
            return rng.beta(np.maximum(4 * chances, 0.02), np.maximum(4 * (1 - chances), 0.02))
        return rng.binomial(self.repeats, chances) / self.repeats

    def candidate(self, rng: np.random.Generator, chances: Floats, drop: float) -> Floats:
        """The candidate's chances: lower by `drop` on average, in equal proportion."""
        now = chances * (1 - drop / self.base)
        if self.swapped:
            mended = 1.1 * self.swapped * self.base / (1 - self.base)
            left = (self.base - drop) / (1 - self.swapped) - mended
            now = chances * left / (1 - mended) / self.base
            now = np.where(rng.random(self.n) < mended, 1.0, now)
            now = np.where(rng.random(self.n) < self.swapped, 0.0, now)
        return now


class Tried(NamedTuple):
    """One decision, and the share of the calls that it used."""

    decision: Decision
    used: float


def moment(runs: Floats) -> float | None:
    """What a lock file knows of the noise, from runs x cases."""
    if len(runs) < 2:
        return None
    return min(1.0, max(float(runs.var(axis=0, ddof=1).mean()) * (1 + 1 / len(runs)), LEAST_MOMENT))


def early(world: World, baseline: Floats, now: Floats, noisier: float | None = None) -> Tried:
    """The gate's test of a run that may stop early, the baseline's runs x cases. `noisier`: the
    true noise over the one that the bets are planned for; None: planned as in the product.
    """
    measured = moment(baseline)
    units = world.n // world.size
    plan = regression(
        units=units,
        cases=world.n,
        largest=world.size,
        margin=world.margin,
        alpha=RATE,
        beta=RATE,
        moment=measured,
    )
    if noisier is not None and measured is not None:
        plan = replace(plan, moment=measured / noisier)
    test = sequential_test(plan)
    lower, upper = spans(world, baseline, now)
    found = test.update(lower, np.full(units, float(world.size)), upper)
    decision = found or test.finish(bounds=False).decision
    asked = min(world.n, math.ceil(test.used * world.size / LOOK) * LOOK)
    return Tried(decision, asked / world.n)


def once(world: World, baseline: Floats, now: Floats) -> Tried:
    """The same of a run that is read once, at its end."""
    units = world.n // world.size
    plan = regression(
        units=units, cases=world.n, largest=world.size, margin=world.margin, sequential=False
    )
    lower, upper = spans(world, baseline, now)
    return Tried(verdict_of(plan, lower, float(world.size), upper).decision, 1.0)


def spans(world: World, baseline: Floats, now: Floats) -> tuple[Floats, Floats]:
    """The least and the most that each unit's mean difference may be."""
    gone = np.random.default_rng(len(now)).random(baseline.shape) < world.missing
    least, most = np.where(gone, 0.0, baseline), np.where(gone, 1.0, baseline)
    low, high = (
        (now - each.mean(axis=0)).reshape(-1, world.size).mean(axis=1) for each in (most, least)
    )
    return low, high


def verdict_of(
    plan: TestDesign, moved: Floats, size: float = 1.0, upper: Floats | None = None
) -> TestVerdict:
    """The test of a run that is read once, without bounds."""
    test = HybridTest(plan)
    test.update(moved, np.full(len(moved), size), upper)
    return test.finish(bounds=False)


Test = Callable[[World, Floats, Floats], Tried]


class Row(NamedTuple):
    """Shares of the runs, and the mean share of the calls."""

    fail: float
    passed: float
    used: float


def played(world: World, drop: float, kept: int, runs: int, test: Test = early) -> Row:
    """`runs` runs against a baseline of `kept` runs; the same seed gives the same answers."""
    found = []
    for number in range(runs):
        rng = np.random.default_rng([18, number])
        chances = world.chances(rng)
        before = np.array([world.run(rng, chances) for _ in range(RUNS_KEPT)])
        now = world.run(rng, world.candidate(rng, chances, drop))
        found.append(test(world, before[:kept], now))
    return row_of(found)


def row_of(found: list[Tried]) -> Row:
    """Shares of these decisions."""
    decisions = [each.decision for each in found]
    return Row(
        decisions.count(Decision.FAIL) / len(found),
        decisions.count(Decision.PASS) / len(found),
        sum(each.used for each in found) / len(found),
    )


def limit(runs: int, rate: float = RATE) -> float:
    """A rate and two Monte-Carlo standard errors."""
    return rate + 2 * math.sqrt(rate * (1 - rate) / runs)


MUST = {(0.2, 0): 0.38, (0.2, 1): 0.44, (0.5, 0): 0.28, (0.5, 1): 0.36}
"""By correlation and drop in margins: the largest share of the calls at five runs."""


def calls(runs: int) -> Iterator[bool]:
    """Calls at drops of 0, 1 and 2 margins."""
    print(f"calls used with --stop early, n 1,000, margin 5, base .8, {runs} runs a cell; %")
    print("corr  drop   one run: used  FAIL  PASS   five: used  FAIL  PASS   ratio")
    for correlation in (0.2, 0.5, 0.8):
        for times in (0, 1, 2, 4):
            world = World(correlation=correlation)
            one, five = (played(world, times * 0.05, kept, runs) for kept in (1, RUNS_KEPT))
            wrong = five.passed if times else five.fail
            must = MUST.get((correlation, times), 1.0)
            good = wrong <= limit(runs) and five.used <= must
            print(
                f" {correlation:.1f}   {-5 * times:3}           {shown(one)}        {shown(five)}"
                f"    {five.used / one.used:.2f}{'' if good else '  NOT MET'}",
                flush=True,
            )
            yield good


def shown(row: Row) -> str:
    """used FAIL PASS."""
    return f"{100 * row.used:5.1f} {100 * row.fail:5.1f} {100 * row.passed:5.1f}"


LEVELS = {
    "n 200, margin 10, base .85": World(n=200, base=0.85, margin=0.1),
    "n 200, margin 10, correlation .2": World(n=200, base=0.85, margin=0.1, correlation=0.2),
    "n 50, margin 10": World(n=50, base=0.85, margin=0.1),
    "n 30, margin 20": World(n=30, base=0.85, margin=0.2),
    "base .97": World(base=0.97),
    "base .97, n 200, margin 5, correlation .9": World(n=200, base=0.97, correlation=0.9),
    "graded scores": World(n=400, graded=True),
    "3 answers a case": World(n=300, repeats=3),
    "200 clusters of 5": World(size=5),
    "40 clusters of 5, margin 10": World(n=200, size=5, margin=0.1),
    "breaks 8 %, repairs as many": World(swapped=0.08),
    "2 % missing in each run of the baseline": World(missing=0.02),
}


def levels(runs: int) -> Iterator[bool]:
    """Wrong FAIL without a drop and wrong PASS at the margin, five runs; read early and once."""
    print(f"wrong decisions at five runs, nominal 5 %, {runs} runs a cell; %")
    print("                                           early: FAIL  PASS    once: FAIL  PASS")
    for name, world in LEVELS.items():
        cells = []
        for test in (early, once):
            same = played(world, 0.0, RUNS_KEPT, runs, test)
            lost = played(world, world.margin, RUNS_KEPT, runs, test)
            cells += [same.fail, lost.passed]
        good = max(cells) <= limit(runs)
        one, two, three, four = (100 * each for each in cells)
        print(
            f"{name:42} {one:11.1f} {two:5.1f} {three:13.1f} {four:5.1f}{'' if good else '  ABOVE'}",
            flush=True,
        )
        yield good
    yield attempts(runs)


def attempts(runs: int) -> bool:
    """Ten attempts of one change, pooled, against five runs: any wrong decision within them."""
    world, wrong = World(n=200, base=0.85, margin=0.1), {0.0: 0, 0.1: 0}
    for drop in wrong:
        for number in range(runs // 4):
            rng = np.random.default_rng([19, number])
            chances = world.chances(rng)
            before = np.array([world.run(rng, chances) for _ in range(RUNS_KEPT)]).mean(axis=0)
            now, total = world.candidate(rng, chances, drop), np.zeros(world.n)
            for tried in range(1, 11):
                total += world.run(rng, now)
                rate = RATE / 2 if tried == 1 else RATE / 18
                plan = regression(
                    units=world.n, margin=world.margin, alpha=rate, beta=rate, sequential=False
                )
                bad = Decision.PASS if drop else Decision.FAIL
                if verdict_of(plan, total / tried - before).decision is bad:
                    wrong[drop] += 1
                    break
    shares = [count / (runs // 4) for count in wrong.values()]
    good = max(shares) <= limit(runs // 4)
    print(
        f"ten pooled attempts, n 200, margin 10:  wrong FAIL {100 * shares[0]:.1f}, wrong PASS"
        f" {100 * shares[1]:.1f}{'' if good else '  ABOVE'}"
    )
    return good


def curse(runs: int) -> Iterator[bool]:
    """FAIL of an unchanged candidate, where the best of five runs was picked as the baseline."""
    print(f"best of five runs, unchanged candidate, n 400, margin 5, {runs} runs a cell; % FAIL")
    kinds: dict[str, Callable[[Floats], Floats]] = {
        "the best alone": lambda found: found[[best(found)]],
        "all five approved": lambda found: found[:5],
        "the best, extended by 4 nightly runs": lambda found: np.vstack(
            [found[[best(found)]], found[5:9]]
        ),
    }
    for correlation in (0.2, 0.5):
        for test in (once, early):
            shares = []
            for pick in kinds.values():
                found = []
                world = World(n=400, base=0.85, correlation=correlation)
                for number in range(runs):
                    rng = np.random.default_rng([20, number])
                    chances = world.chances(rng)
                    before = np.array([world.run(rng, chances) for _ in range(9)])
                    found.append(test(world, pick(before), world.run(rng, chances)))
                shares.append(row_of(found).fail)
            good = shares[1] <= 0.06
            told = "; ".join(
                f"{name} {100 * share:.1f}" for name, share in zip(kinds, shares, strict=True)
            )
            print(f" corr {correlation}, read {test.__name__:5}: {told}", flush=True)
            yield good


def best(found: Floats) -> int:
    """Which of the first five runs passed most."""
    return int(found[:5].mean(axis=1).argmax())


WEEKS = 12


def frog(runs: int) -> Iterator[bool]:
    """A point a week over twelve weeks: how many teams see no FAIL, how many of them a PASS when 10
    points or more are lost, and the week of the first FAIL.
    """
    print(f"a point a week, n 200, margin 5, correlation .5, base .85, {runs} teams; %")
    print(f"{'':42} no FAIL  and a PASS from week 10  median week of the first FAIL")
    for kept in (1, RUNS_KEPT):
        for with_release in (False, True):
            teams = [first_fail(number, with_release, kept) for number in range(runs)]
            weeks = [week for week, _ in teams]
            unseen = sum(week > WEEKS for week in weeks) / runs
            passed = sum(late for week, late in teams if week > WEEKS) / runs
            name = "rolling baseline and release" if with_release else "rolling baseline alone"
            name += "" if kept == 1 else f", of {kept} runs"
            print(
                f"{name:42} {100 * unseen:7.2f} {100 * passed:23.2f} {np.median(weeks):30.0f}",
                flush=True,
            )
            yield passed == 0 if with_release else True


def first_fail(number: int, with_release: bool, kept: int) -> tuple[int, bool]:
    """The week of the first FAIL, one more than there are where none came; and whether a run from
    week 10 on is a PASS.
    """
    late = False
    rng, world = np.random.default_rng([21, number]), World(n=200, base=0.85)
    chances = world.chances(rng)
    release = baseline = np.array([world.run(rng, chances) for _ in range(kept)]).mean(axis=0)
    for week in range(1, WEEKS + 1):
        now = world.candidate(rng, chances, 0.01 * week)
        value = world.run(rng, now)
        compared = [baseline, release] if with_release else [baseline]
        plan = regression(units=world.n, margin=world.margin, sequential=False)
        found = [verdict_of(plan, value - before) for before in compared]
        if min(each.p_fail for each in found) <= RATE / len(found):  # Holm's first step
            return week, late
        late |= week >= 10 and all(each.p_pass <= RATE for each in found)
        more = [value, *(world.run(rng, now) for _ in range(kept - 1))]
        baseline = np.array(more).mean(axis=0)
    return WEEKS + 1, late


def noise(runs: int) -> Iterator[bool]:
    """Bets that are planned for another noise than the true one: errors, and what it costs."""
    print(f"five runs, --stop early, margin 5, base .8, {runs} runs a cell; %")
    print("n     corr  true noise / planned   no drop: used  FAIL  PASS   -5: used  FAIL  PASS")
    for world in (World(), World(correlation=0.2), World(n=200, margin=0.1)):
        for noisier in (None, 0.25, 0.5, 1.0, 2.0, 4.0):
            test = partial(early, noisier=noisier)
            same, worse = (
                played(world, drop, RUNS_KEPT, runs, test) for drop in (0.0, world.margin)
            )
            good = max(same.fail, worse.passed) <= limit(runs)
            print(
                f"{world.n:5} {world.correlation:.1f}   {noisier or 'product':>7}         "
                f"{shown(same)}"
                f"       {shown(worse)}{'' if good else '  NOT MET'}",
                flush=True,
            )
            yield good


SECTIONS = {"calls": calls, "levels": levels, "curse": curse, "frog": frog, "noise": noise}


def main() -> int:
    """Print the sections."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=2000)
    parser.add_argument("--section", choices=SECTIONS)
    chosen = parser.parse_args()
    good = True
    for name, section in SECTIONS.items():
        if chosen.section in (None, name):
            good = all(list(section(chosen.runs))) and good
            print()
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
