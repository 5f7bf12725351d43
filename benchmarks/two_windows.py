"""Error rates of `compare --unpaired`: how often it reports a change where there is none.

    python benchmarks/two_windows.py [--runs 2000]

Two windows are drawn from one process. `clusters`: groups of that many cases whose pass rates vary
by a beta distribution with the intraclass correlation `icc`. "per case" is Fisher's exact test
without clusters, for comparison. Coverage is of the 95 % interval of the change.
"""

import argparse
from typing import NamedTuple

import numpy as np

from llmeval.gate.rules.unpaired import window_decision
from llmeval.stats.tests import two_windows
from llmeval.stats.tests.two_windows import Window, label_change, mean_change


class Setting(NamedTuple):
    """Two windows: clusters and cases a cluster in each, rates, correlation."""

    clusters: tuple[int, int]
    size: int
    rates: tuple[float, float]
    icc: float


SETTINGS = (
    Setting((8, 8), 1, (0.9, 0.9), 0.0),
    Setting((30, 30), 1, (0.9, 0.9), 0.0),
    Setting((120, 120), 1, (0.95, 0.95), 0.0),
    Setting((30, 60), 4, (0.9, 0.9), 0.3),
    Setting((60, 60), 4, (0.9, 0.9), 0.3),
    Setting((60, 60), 4, (0.9, 0.75), 0.3),
    Setting((120, 120), 1, (0.93, 0.7), 0.0),
)


def window(setting: Setting, which: int, drawn: np.random.Generator) -> Window:
    """One window of binary results."""
    rate, count = setting.rates[which], setting.clusters[which]
    rates = np.full(count, rate)
    if setting.icc:
        total = 1 / setting.icc - 1
        rates = drawn.beta(rate * total, (1 - rate) * total, count)
    values = drawn.random((count, setting.size)) < rates[:, None]
    clusters = np.repeat(np.arange(count), setting.size)
    return Window(values.ravel().astype(float).tolist(), clusters.tolist())


def figures(setting: Setting, runs: int, permutations: int) -> tuple[float, float, float]:
    """(share of runs with p <= 5 %, coverage of the interval, share of label mixes with p <= 5 %)."""
    two_windows.PERMUTATIONS = permutations
    drawn = np.random.default_rng(1)
    alarms = covered = mixes = 0
    for run in range(runs):
        one, two = window(setting, 0, drawn), window(setting, 1, drawn)
        seen = mean_change(one, two, unit_range=True, seed=run)
        alarms += seen.p <= 0.05
        assert seen.low is not None
        assert seen.high is not None
        covered += seen.low <= setting.rates[1] - setting.rates[0] <= seen.high
        labels = [[str(value) for value in each.values] for each in (one, two)]
        mix = label_change(labels[0], labels[1], (one.clusters, two.clusters), seed=run)
        mixes += mix.p <= 0.05
    return alarms / runs, covered / runs, mixes / runs


def gate_rates(setting: Setting, runs: int, permutations: int) -> tuple[float, float]:
    """(share of FAIL without a change, share of PASS at a true drop of the margin) of the gate's
    rule `regression: {paired: false}`, each at 5 %. The margin is a quarter of the rate.
    """
    two_windows.PERMUTATIONS = permutations
    drawn = np.random.default_rng(2)
    rate, margin = setting.rates[0], setting.rates[0] / 4
    fails = passes = 0
    same = setting._replace(rates=(rate, rate))
    fallen = setting._replace(rates=(rate, rate - margin))
    for _ in range(runs):
        one, two = window(same, 0, drawn), window(same, 1, drawn)
        fails += window_decision(one, two, margin, 0.0, 0.05, 0.05)[0] == "FAIL"
        one, two = window(fallen, 0, drawn), window(fallen, 1, drawn)
        passes += window_decision(one, two, margin, 0.0, 0.05, 0.05)[0] == "PASS"
    return fails / runs, passes / runs


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=2000)
    parser.add_argument("--permutations", type=int, default=199)
    options = parser.parse_args()
    print("| clusters | cases each | rates | icc | change reported | interval covers | labels | gate:"
          " wrong FAIL | gate: wrong PASS |")  # fmt: skip
    print("|---|---|---|---|---|---|---|---|---|")
    for each in SETTINGS:
        alarms, covered, mixes = figures(each, options.runs, options.permutations)
        fails, passes = gate_rates(each, options.runs, options.permutations)
        print(
            f"| {each.clusters[0]} and {each.clusters[1]} | {each.size} | {each.rates[0]} ->"
            f" {each.rates[1]} | {each.icc} | {alarms:.1%} | {covered:.1%} | {mixes:.1%} |"
            f" {fails:.1%} | {passes:.1%} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
