"""Wrong decisions of the rules about numbers, by simulation: limits and paired margins of p50, p95
and the mean, on lognormal and Pareto data.

    python benchmarks/decisions_numbers.py [--runs 2000] [--section limits|margins|slow|power]

A cell is wrong where its share of wrong decisions is above the level by more than two standard
errors; the script then ends with exit code 1. Level 5 % a side.

- limits: the true value is exactly at the limit. wrong PASS, wrong FAIL.
- margins: every answer is slower by exactly the margin (wrong PASS), or by nothing (wrong FAIL).
- slow: a share of the answers is slower, so that the statistic is exactly at the margin.
- power: shares of right decisions, for plans.
"""

import argparse
import math
import sys
from collections.abc import Callable
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from llmeval.gate.aggregate import MetricSample
from llmeval.gate.rules.floors import bounds_at_worst
from llmeval.stats.estimation.skewed_mean import skewed_bounds
from llmeval.stats.tests.number_ratio import PairedNumbers, p_smaller

Floats = NDArray[np.float64]
LEVEL, MARGIN = 0.05, 0.2
STATISTICS = ("p50", "p95", "mean")
SHAPES = ("lognormal 0.5", "lognormal 1.5", "Pareto 2.1")


def quantile_of(shape: str, u: Floats | float) -> Floats:
    """The values at the probabilities `u` of a distribution."""
    kind, _, size = shape.partition(" ")
    p = np.asarray(u, dtype=float)
    if kind == "Pareto":
        return np.asarray((1 - p) ** (-1 / float(size)))
    normal = np.vectorize(NormalDist().inv_cdf, otypes=[float])
    return np.asarray(np.exp(float(size) * normal(p)))


def truth(shape: str, statistic: str) -> float:
    """The statistic of a distribution."""
    kind, _, size = shape.partition(" ")
    if statistic != "mean":
        return float(quantile_of(shape, int(statistic[1:]) / 100))
    if kind == "Pareto":
        return float(size) / (float(size) - 1)
    return math.exp(float(size) ** 2 / 2)


def draw(rng: np.random.Generator, shape: str, scores: Floats) -> Floats:
    """Values of a distribution from normal scores."""
    kind, _, size = shape.partition(" ")
    if kind == "lognormal":
        return np.asarray(np.exp(float(size) * scores))
    u = 0.5 * (1 + np.vectorize(math.erf, otypes=[float])(scores / math.sqrt(2)))
    return quantile_of(shape, np.clip(u, 1e-12, 1 - 1e-12))


def pair_of(
    rng: np.random.Generator, shape: str, n: int, together: float, cluster: int = 1
) -> tuple[Floats, Floats]:
    """Two answers to each of n cases: normal scores with this correlation, some of it shared by the
    cases of a cluster.
    """
    shared = np.repeat(rng.normal(size=-(-n // cluster)), cluster)[:n]
    own = rng.normal(size=n)
    common = own if cluster == 1 else math.sqrt(0.3) * shared + math.sqrt(0.7) * own
    before, now = (
        math.sqrt(together) * common + math.sqrt(1 - together) * rng.normal(size=n)
        for _ in range(2)
    )
    return draw(rng, shape, before), draw(rng, shape, now)


def pairs(before: Floats, now: Floats, cluster: int = 1) -> PairedNumbers:
    """As the rule takes them."""
    return PairedNumbers(before, now, tuple(f"c{row // cluster}" for row in range(len(now))))


def q_of(statistic: str) -> float | None:
    """The share of a percentile; None of the mean."""
    return None if statistic == "mean" else int(statistic[1:]) / 100


class Table:
    """Prints cells, and remembers whether one is wrong."""

    def __init__(self, runs: int) -> None:
        self.runs, self.wrong = runs, 0

    def cell(self, name: str, wrong: int, level: float = LEVEL) -> None:
        """One share of wrong decisions."""
        share = wrong / self.runs
        error = math.sqrt(level * (1 - level) / self.runs)
        above = share > level + 2 * error
        self.wrong += above
        print(f"{name:<58} {100 * share:5.1f} %{'  ABOVE' if above else ''}", flush=True)


def limits(table: Table) -> None:
    """The true value is at the limit."""
    for shape in SHAPES:
        for statistic in STATISTICS:
            limit, rng = truth(shape, statistic), np.random.default_rng(1)
            for n, cluster in ((60, 1), (200, 1), *(((300, 5),) if shape == SHAPES[0] else ())):
                passed = failed = 0
                for _ in range(table.runs):
                    _, values = pair_of(rng, shape, n, 0.5, cluster)
                    low, high = _excess(values, limit, q_of(statistic), cluster)
                    passed += high <= 0
                    failed += low > 0
                where = f"limit {shape}, {statistic}, {n} cases of {cluster}"
                table.cell(f"{where}: wrong PASS", passed)
                table.cell(f"{where}: wrong FAIL", failed)


def _excess(values: Floats, limit: float, q: float | None, cluster: int) -> tuple[float, float]:
    """Bounds of how far the statistic is above the limit, as the rule reads them: of the mean, or
    of the share of answers above the limit, less the share that may be.
    """
    names = [row // cluster for row in range(len(values))]
    if q is None:
        bounds = skewed_bounds(values, names, LEVEL)
        assert bounds is not None
        return bounds.low - limit, bounds.high - limit
    within = tuple(bool(value <= limit) for value in values)
    sample = MetricSample(len(within), sum(within), 0, 0, (), tuple(names), within)
    share = bounds_at_worst(sample, LEVEL)
    return q - share.high, q - share.low


def margins(table: Table) -> None:
    """All answers slower by the margin, or by nothing."""
    for shape in SHAPES:
        for statistic in STATISTICS:
            q = q_of(statistic)
            clustered = ((300, 0.5, 5),) if shape == SHAPES[0] else ()
            for n, together, cluster in ((60, 0.5, 1), (150, 0.0, 1), (300, 0.9, 1), *clustered):
                rng, passed, failed = np.random.default_rng(2), 0, 0
                for _ in range(table.runs):
                    before, now = pair_of(rng, shape, n, together, cluster)
                    same = pairs(before, now, cluster)
                    failed += p_smaller(same, q, 1.0, LEVEL, reverse=True) <= LEVEL
                    slower = pairs(before, (1 + MARGIN) * now, cluster)
                    passed += p_smaller(slower, q, 1 + MARGIN, LEVEL) <= LEVEL
                where = f"margin {shape}, {statistic}, n {n}, r {together:g}, clusters of {cluster}"
                table.cell(f"{where}: wrong PASS", passed)
                table.cell(f"{where}: wrong FAIL", failed)


def slow(table: Table) -> None:
    """A share of the answers is slower, so that the statistic is at the margin: the two sides do
    not have the same distribution then.
    """
    for shape in SHAPES:
        for statistic, share in (("mean", 0.1), ("mean", 0.5), ("p95", 0.1), ("p50", 0.8)):
            factor = _factor(shape, statistic, share)
            for n in (150, 400):
                rng, passed = np.random.default_rng(3), 0
                for _ in range(table.runs):
                    before, now = pair_of(rng, shape, n, 0.8)
                    now = np.where(rng.random(n) < share, factor, 1.0) * now
                    p = p_smaller(pairs(before, now), q_of(statistic), 1 + MARGIN, LEVEL)
                    passed += p <= LEVEL
                where = f"{share:.0%} slower {shape}, {statistic}, n {n}"
                table.cell(f"{where}: wrong PASS", passed)


def _factor(shape: str, statistic: str, share: float) -> float:
    """How much slower the slow share is, so that the statistic is (1 + MARGIN) times as large."""
    if statistic == "mean":
        return 1 + MARGIN / share
    q, goal = int(statistic[1:]) / 100, (1 + MARGIN) * truth(shape, statistic)
    grid = np.linspace(0, 1, 200_001)[1:-1]
    values = quantile_of(shape, grid)

    def below(x: float) -> float:
        return float(np.searchsorted(values, x)) / len(values)

    low, high = 1.0, 1e6
    for _ in range(80):
        middle = math.sqrt(low * high)
        reached = (1 - share) * below(goal) + share * below(goal / middle)
        low, high = (middle, high) if reached > q else (low, middle)
    return low


def power(table: Table) -> None:
    """Right decisions: PASS of an unchanged application, FAIL where 10 % are three times slower."""
    for statistic in STATISTICS:
        q = q_of(statistic)
        for n in (100, 200, 400, 1000):
            rng, passed, failed = np.random.default_rng(4), 0, 0
            for _ in range(table.runs):
                before, now = pair_of(rng, "lognormal 0.5", n, 0.8)
                passed += p_smaller(pairs(before, now), q, 1 + MARGIN, LEVEL) <= LEVEL
                worse = np.where(rng.random(n) < 0.1, 3.0, 1.0) * now
                failed += p_smaller(pairs(before, worse), q, 1.0, LEVEL, reverse=True) <= LEVEL
            print(
                f"{statistic}, {n:,} cases, margin {MARGIN:.0%}: PASS if unchanged"
                f" {passed / table.runs:.0%}, FAIL if 10 % are 3 times slower"
                f" {failed / table.runs:.0%}",
                flush=True,
            )


RUNS_KEPT = 5


def several(table: Table) -> None:
    """A baseline of five runs: each answer is paired with that of each run, and the pairs of a case
    are one cluster. All answers slower by the margin, or by nothing; and right decisions next to
    those of a single run.
    """
    for shape in SHAPES:
        for statistic in STATISTICS:
            for n, together in ((60, 0.5), (150, 0.2)):
                rng, q = np.random.default_rng(5), q_of(statistic)
                passed = failed = right = right_one = 0
                for _ in range(table.runs):
                    runs = runs_of(rng, shape, n, together)
                    now, before, names = runs[0], runs[1:], np.repeat(np.arange(n), RUNS_KEPT)
                    same = PairedNumbers(
                        before.T.ravel(), np.repeat(now, RUNS_KEPT), tuple(names.tolist())
                    )
                    slower = PairedNumbers(same.before, (1 + MARGIN) * same.now, same.clusters)
                    failed += p_smaller(same, q, 1.0, LEVEL, reverse=True) <= LEVEL
                    passed += p_smaller(slower, q, 1 + MARGIN, LEVEL) <= LEVEL
                    right += p_smaller(same, q, 1 + MARGIN, LEVEL) <= LEVEL
                    one = pairs(before[0], now)
                    right_one += p_smaller(one, q, 1 + MARGIN, LEVEL) <= LEVEL
                where = f"five runs {shape}, {statistic}, n {n}, r {together:g}"
                table.cell(f"{where}: wrong PASS", passed)
                table.cell(f"{where}: wrong FAIL", failed)
                print(
                    f"{where}: PASS if unchanged {right / table.runs:.0%}, against one run"
                    f" {right_one / table.runs:.0%}",
                    flush=True,
                )


def runs_of(rng: np.random.Generator, shape: str, n: int, together: float) -> Floats:
    """The answers of a candidate and of five runs of its baseline, runs x cases."""
    own = math.sqrt(together) * rng.normal(size=n)
    scores = own + math.sqrt(1 - together) * rng.normal(size=(RUNS_KEPT + 1, n))
    return np.array([draw(rng, shape, each) for each in scores])


SECTIONS: dict[str, Callable[[Table], None]] = {
    "limits": limits,
    "margins": margins,
    "slow": slow,
    "power": power,
    "several": several,
}


def main() -> int:
    """Run the sections; 1 where a cell is wrong."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=2000)
    parser.add_argument("--section", choices=list(SECTIONS), action="append")
    options = parser.parse_args()
    table = Table(options.runs)
    for name in options.section or SECTIONS:
        SECTIONS[name](table)
    print(f"{table.wrong} cells above the level by more than 2 standard errors")
    return 1 if table.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
