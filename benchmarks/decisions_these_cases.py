"""`gate.about: these_cases`: how often it errs, and how often it sees one case break.

    python benchmarks/decisions_these_cases.py [--runs 1000] [--cases 20] [--repeats 5]

Cases that are fixed, answers that pass by chance. Everything is seeded. Exit code 1 where a wrong FAIL
exceeds its rate by more than two Monte-Carlo standard errors, or one broken case is seen in less than
85 % of runs at a pass rate of 80 % or more.
"""

import argparse
import math
import sys

import numpy as np
from numpy.typing import NDArray

from llmeval.core.results import Decision
from llmeval.gate.rules.these_cases import FixedCasesTest
from llmeval.stats.tests.fixed_cases import CaseRepeats

Floats = NDArray[np.float64]
MARGIN = 0.05


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--cases", type=int, default=20)
    parser.add_argument("--repeats", type=int, default=5)
    chosen = parser.parse_args()
    bad = 0
    print("alpha  answers pass   FAIL/PASS unchanged   FAIL/PASS one breaks   PASS at the margin")
    for alpha in (0.05, 0.025):
        for rate in (1.0, 0.9, 0.8, 0.5):
            rng = np.random.default_rng(3)
            rates = np.full(chosen.cases, rate)
            sure, broken, lower = rates.copy(), rates.copy(), np.maximum(0, rates - MARGIN)
            sure[0], broken[0] = 1.0, 0.0
            same = shares(rng, rates, rates, alpha, chosen)
            one = shares(rng, sure, broken, alpha, chosen)
            fell = shares(rng, rates, lower, alpha, chosen)
            error = 2 * math.sqrt(alpha * (1 - alpha) / chosen.runs)
            breaks = max(same[0], fell[1]) > alpha + error or (rate >= 0.8 and one[0] < 0.85)
            bad += breaks
            print(
                f"{alpha:5} {rate:8.0%} {same[0]:15.1%} / {same[1]:.1%} {one[0]:15.1%} / {one[1]:.1%} {fell[1]:15.1%} {'BREAKS' if breaks else ''}",
                flush=True,
            )
    return 1 if bad else 0


def shares(
    rng: np.random.Generator, before: Floats, now: Floats, alpha: float, chosen: argparse.Namespace
) -> tuple[float, float]:
    """The shares of FAIL and of PASS."""
    size, fails, passes = chosen.repeats, 0, 0
    for _ in range(chosen.runs):
        counts = zip(rng.binomial(size, before), rng.binomial(size, now), strict=True)
        cases = {
            f"c{i}": CaseRepeats(int(b), size, int(n), size) for i, (b, n) in enumerate(counts)
        }
        test = FixedCasesTest(
            name="m",
            metric="m",
            slice_=None,
            margin=MARGIN,
            baseline="r",
            alpha=alpha,
            beta=alpha,
            cases=cases,
            missing=0,
        )
        decision = test.decided(alpha).decision
        fails += decision is Decision.FAIL
        passes += decision is Decision.PASS
    return fails / chosen.runs, passes / chosen.runs


if __name__ == "__main__":
    sys.exit(main())
