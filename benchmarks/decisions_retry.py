"""How often a change is decided wrongly if it is tried again until it passes: with whole and pooled rates.

    python benchmarks/decisions_retry.py [--runs 1000] [--n 200] [--margin 0.1] [--tries 10]

The same cases each time, results that differ by chance: base rate .85, correlation .5 between two
answers to one case. "each alone" is `gate.attempts: 1`, "pooled" is `gate.attempts: 10`. Printed is
the share of changes with any such decision within 1, 2, 4 and 10 attempts. Everything is seeded.
Exit code 1 where a pooled error exceeds 5 % by more than two Monte-Carlo standard errors.
"""

import argparse
import math
import sys
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from llmeval.core.gate_record import GateRecord
from llmeval.core.results import Decision
from llmeval.stats.sequential.design import floor, regression
from llmeval.stats.sequential.gate_test import decide

Floats = NDArray[np.float64]
BASE, CORRELATION, RATE = 0.85, 0.5, 0.05
SHOWN = (1, 2, 4, 10)


class Setting(NamedTuple):
    """One row: a rule, the true drop, and which decision is counted."""

    rule: str
    drop: float
    counted: Decision
    wrong: bool


SETTINGS = (
    Setting("regression", 0.0, Decision.FAIL, True),
    Setting("regression", 1.0, Decision.PASS, True),
    Setting("regression", 0.0, Decision.PASS, False),
    Setting("regression", 1.0, Decision.FAIL, False),
    Setting("floor", 0.0, Decision.FAIL, True),
    Setting("floor", 0.0, Decision.PASS, True),
)
"""A drop of 1 is one of the margin. A floor lies at the true rate, where both decisions are wrong."""


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--n", type=int, default=200)
    parser.add_argument("--margin", type=float, default=0.1)
    parser.add_argument("--tries", type=int, default=10)
    chosen = parser.parse_args()
    bad = 0
    print(
        f"{chosen.n} cases, margin {chosen.margin:g}, {chosen.runs} changes; % within "
        + " / ".join(map(str, SHOWN))
        + " attempts"
    )
    for setting in SETTINGS:
        for attempts in (1, 10):
            shares = played(setting, attempts, chosen)
            shown = " / ".join(f"{100 * shares[k - 1]:5.1f}" for k in SHOWN if k <= chosen.tries)
            limit = RATE + 2 * math.sqrt(RATE * (1 - RATE) / chosen.runs)
            breaks = setting.wrong and attempts > 1 and shares[-1] > limit
            bad += breaks
            what = f"{'wrong' if setting.wrong else 'right'} {setting.counted}"
            how = "pooled" if attempts > 1 else "each alone"
            print(
                f"{setting.rule:11} {what:11} {how:11} {shown}{'  ABOVE ITS RATE' if breaks else ''}",
                flush=True,
            )
    return 1 if bad else 0


def played(setting: Setting, attempts: int, chosen: argparse.Namespace) -> Floats:
    """The share of changes that have the counted decision within a number of attempts."""
    rng = np.random.default_rng(7)
    spread = (1 - CORRELATION) / CORRELATION
    gate = GateRecord(
        floors={},
        regression=None,
        alpha=RATE,
        beta=RATE,
        max_unscored=0.02,
        attempts=attempts,
        on_inconclusive="fail",
    )
    seen = np.zeros(chosen.tries)
    for _ in range(chosen.runs):
        easy = rng.beta(BASE * spread, (1 - BASE) * spread, chosen.n)
        now = easy * (1 - setting.drop * chosen.margin / BASE)
        before = (rng.random(chosen.n) < easy).astype(float)
        total = np.zeros(chosen.n)
        for number in range(1, chosen.tries + 1):
            own = (rng.random(chosen.n) < now).astype(float)
            total += own
            value = own if attempts == 1 else total / number
            if (
                one(setting.rule, value, before, gate.rates_at(number) or (0.0, 0.0), chosen)
                is setting.counted
            ):
                seen[number - 1 :] += 1
                break
    return seen / chosen.runs


def one(
    rule: str, value: Floats, before: Floats, rates: tuple[float, float], chosen: argparse.Namespace
) -> Decision:
    """The decision of one attempt."""
    alpha, beta = rates
    if rule == "floor":
        design = floor(units=chosen.n, threshold=BASE, alpha=alpha, beta=beta, sequential=False)
        return decide(design, value.tolist()).decision
    design = regression(
        units=chosen.n, margin=chosen.margin, alpha=alpha, beta=beta, sequential=False
    )
    return decide(design, (value - before).tolist()).decision


if __name__ == "__main__":
    sys.exit(main())
