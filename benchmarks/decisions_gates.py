"""Whole gates, a floor of .8 and a margin of 10 points for each metric, as `llmeval simulate` tries
them.

    python benchmarks/decisions_gates.py [--runs 2000] [--only TEXT]

People's pass rate is .9. The labels behind each judge are drawn anew in each run. Everything is
seeded. At 2,000 runs a figure a gate takes half a minute to two minutes, with clusters and early
stopping half an hour.
"""

import argparse
import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from decisions import limit, percent, table

from llmeval.planning.metric_profile import MetricProfile
from llmeval.planning.simulated_rules import (
    ErrorRates,
    SimulatedFloor,
    SimulatedRegression,
    SimulatedRule,
    members_of,
)
from llmeval.planning.simulated_verdicts import VerdictModel
from llmeval.planning.simulation import SimulationResult, SimulationSetup, simulate

CHECK = MetricProfile(metric="m", cases=400, units=400, rate=0.9, discordance=0.1)
JUDGE = replace(
    CHECK, rate=0.82, discordance=0.24, sensitivity=0.9, specificity=0.9, labels=(160, 60)
)
CLUSTERS = np.repeat(np.arange(100), 4)
GATES: dict[str, list[VerdictModel]] = {
    "a check, 400 cases": [CHECK.verdict_model()],
    "a judge of J .8 by 220 labels, 400 cases": [JUDGE.verdict_model()],
    "a check, 100 clusters of 4": [CHECK.verdict_model(CLUSTERS)],
    "a judge, 100 clusters of 4": [JUDGE.verdict_model(CLUSTERS)],
    "a check, 400 cases of 3 answers": [replace(CHECK, discordance=0.04).verdict_model(repeats=3)],
    "two checks and a judge, 400 cases": [
        CHECK.verdict_model(),
        CHECK.verdict_model(),
        JUDGE.verdict_model(),
    ],
}


def setup_of(verdict_models: list[VerdictModel], *, early: bool) -> SimulationSetup:
    """The gate: a floor and a margin for each metric."""
    named = {f"m{number}": verdict_model for number, verdict_model in enumerate(verdict_models)}
    members = members_of(np.arange(verdict_models[0].cases), verdict_models[0].clusters)
    rules: list[SimulatedRule] = []
    for metric, verdict_model in named.items():
        corrected = verdict_model.labels is not None and verdict_model.repeats == 1
        rules.append(
            SimulatedFloor(
                name=metric, metric=metric, members=members, threshold=0.8, corrected=corrected
            )
        )
        rules.append(SimulatedRegression(name=metric, metric=metric, members=members, margin=0.1))
    return SimulationSetup(
        verdict_models=named, rules=tuple(rules), terms=ErrorRates(0.05, 0.05, len(rules), early)
    )


def shown(setup: SimulationSetup, found: SimulationResult) -> list[str]:
    """The worst error of each kind over the rules, and what the gate comes to."""
    floors = [
        rows
        for rule, rows in zip(setup.rules, found.rules, strict=True)
        if isinstance(rule, SimulatedFloor)
    ]
    margins = [
        rows
        for rule, rows in zip(setup.rules, found.rules, strict=True)
        if isinstance(rule, SimulatedRegression)
    ]
    same, lost = found.whole[0], found.whole[1]
    worst = max(row.error - row.limit for rows in (found.whole, *found.rules) for row in rows)
    return [
        percent(max(rows[0].fail for rows in floors)),
        percent(max(rows[0].passed for rows in floors)),
        percent(max(rows[0].fail for rows in margins)),
        percent(max(rows[1].passed for rows in margins)),
        percent(same.fail),
        percent(lost.passed),
        percent(same.passed),
        percent(lost.fail),
        f"{100 * same.used:.0f}",
        f"{100 * lost.used:.0f}",
        percent(same.usual),
        percent(0.05 + worst),
    ]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=2000, help="runs a figure")
    parser.add_argument("--only", default="", help="only gates whose name holds this")
    options = parser.parse_args()
    runs = options.runs

    def rows() -> Iterator[list[str]]:
        for name, verdict_models in GATES.items():
            if options.only not in name:
                continue
            for early in (False, True):
                setup = setup_of(verdict_models, early=early)
                yield [
                    name,
                    "early" if early else "once",
                    *shown(setup, simulate(setup, runs, seed=23)),
                ]

    table(
        f"Whole gates, {runs:,} runs a figure, %; limit of each error {percent(limit(0.05, runs))} "
        f"(s.e. {percent(math.sqrt(0.05 * 0.95 / runs))})",
        [
            "suite",
            "read",
            "floor: FAIL at it",
            "PASS at it",
            "margin: FAIL at 0",
            "PASS at -10",
            "gate: FAIL at 0",
            "PASS at -10",
            "right PASS at 0",
            "right FAIL at -10",
            "used at 0",
            "used at -10",
            "usual FAIL at 0",
            "worst",
        ],
        rows(),
    )


if __name__ == "__main__":
    main()
