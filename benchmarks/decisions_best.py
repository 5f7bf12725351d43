"""The best of several runs (`llmeval compare ... --best`): how often it is wrongly left out, and what
it saves against a ranking of all pairs.

    python benchmarks/decisions_best.py [--runs 2000]

`ties`: all runs are equal, the worst case, so leaving the first out is wrong; nominal 5 %. `power`:
one run is better by 5 points, and all others are equal; how often it is singled out, by the
comparison with the best and by Holm's procedure over all pairs. Everything is seeded. Exit code 1
where a cell is above 5 % by more than two Monte-Carlo standard errors.
"""

import argparse
import math
import sys
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from llmeval.compare.best import best_set
from llmeval.stats.estimation.clusters import units
from llmeval.stats.estimation.difference import MeanDifference
from llmeval.stats.tests.fixed_sample import Nulls, final_test
from llmeval.stats.tests.multiplicity import holm_adjusted

Floats = NDArray[np.float64]

ALPHA, BASE, CORRELATION, SHARED = 0.05, 0.8, 0.5, 0.2


def runs_of(rng: np.random.Generator, count: int, n: int, size: int, lead: float = 0.0) -> Floats:
    """Runs x cases; each case has its own chance, the cases of a cluster share a part of it. The
    first run is better by `lead`.
    """
    total = (1 - CORRELATION) / CORRELATION
    chance = rng.beta(BASE * total, (1 - BASE) * total, n)
    if size > 1:
        shared = rng.beta(BASE * total, (1 - BASE) * total, n // size)
        chance = np.where(rng.random(n) < math.sqrt(SHARED), np.repeat(shared, size), chance)
    chances = np.tile(chance, (count, 1))
    chances[0] = 1 - (1 - chance) * (1 - lead / (1 - BASE))
    found: Floats = (rng.random((count, n)) < chances).astype(float)
    return found


def leads_of(runs: Floats, size: int) -> dict[tuple[int, int], MeanDifference]:
    """As `stats.estimation.difference`, without bounds."""
    n = runs.shape[1]
    clusters = None if size == 1 else (np.arange(n) // size).tolist()
    leads = {}
    for one, two in combinations(range(len(runs)), 2):
        values, sizes = units(runs[two] - runs[one], clusters)
        nulls = Nulls(0.0, 0.0, -1.0, 1.0, ALPHA, ALPHA)
        below, above = (
            final_test(side, sizes, nulls, bounds=False).p_fail for side in (values, -values)
        )
        estimate = float(sizes @ values / sizes.sum())
        leads[one, two] = MeanDifference(estimate, -1.0, 1.0, min(1.0, 2 * min(below, above)))
    return leads


def ties(tries: int) -> bool:
    """How often one of equal runs is left out."""
    good, limit = True, ALPHA + 2 * math.sqrt(ALPHA * (1 - ALPHA) / tries)
    print(f"equal runs, {tries:,} tries a cell; the first is left out, %; limit {100 * limit:.1f}")
    for count in (2, 3, 4, 6):
        for n, size in ((60, 1), (200, 1), (1000, 1), (200, 5)):
            rng = np.random.default_rng([9, count, n, size])
            out = sum(
                not best_set(
                    leads_of(runs_of(rng, count, n, size), size), count, ALPHA / (count - 1)
                ).among[0]
                for _ in range(tries)
            )
            held = out / tries <= limit
            good = good and held
            shape = f"{n:5} cases" if size == 1 else f"{n // size:5} clusters of {size}"
            print(
                f"{count} runs, {shape}: {100 * out / tries:.1f}{'' if held else '  NO'}",
                flush=True,
            )
    return good


def power(tries: int) -> None:
    """How often a run that is better by 5 points is singled out."""
    print(
        "\none run better by 5 points, the others equal; singled out, %: with the best / all pairs"
    )
    for count in (3, 4, 6):
        for n in (200, 300, 400, 500, 650, 800):
            rng = np.random.default_rng([10, count, n])
            alone = ranked = 0
            for _ in range(tries):
                leads = leads_of(runs_of(rng, count, n, 1, 0.05), 1)
                chosen = best_set(leads, count, ALPHA / (count - 1)).among
                alone += chosen[0] and sum(chosen) == 1
                adjusted = dict(
                    zip(leads, holm_adjusted([each.p for each in leads.values()]), strict=True)
                )
                ranked += all(
                    leads[0, other].estimate < 0 and adjusted[0, other] <= ALPHA
                    for other in range(1, count)
                )
            print(
                f"{count} runs, {n:5} cases: {100 * alone / tries:.1f} / {100 * ranked / tries:.1f}",
                flush=True,
            )


def main() -> int:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=2000, help="tries a cell")
    chosen = parser.parse_args()
    good = ties(chosen.runs)
    power(chosen.runs)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
