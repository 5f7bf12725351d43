"""Planning from Python: what a suite's decisions take, and how often its gate errs."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from llmeval.planning.simulation_conditions import IDEAL, SimulationConditions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from llmeval.planning.simulation import SimulatedRates, SimulationResult, SimulationSetup
    from llmeval.planning.suite_plan import SuitePlan
    from llmeval.planning.suite_profile import SuiteProfile


class SimulatedGate(NamedTuple):
    """A gate, and the error rates that the simulation measured."""

    setup: "SimulationSetup"
    result: "SimulationResult"
    stated: bool
    """Whether the suite states this gate. False: a rule that `simulate` adds for one metric."""


class Simulation(NamedTuple):
    """Everything that one simulation of a suite measured."""

    profile: "SuiteProfile"
    gates: list[SimulatedGate]
    runs: int
    seed: int
    early: bool
    conditions: SimulationConditions

    @property
    def holds(self) -> bool:
        """Whether every measured error rate keeps the rate that the gate states."""
        return all(
            row.holds
            for gate in self.gates
            for rows in (gate.result.whole, *gate.result.rules)
            for row in rows
        )

    def document(self) -> dict[str, Any]:
        """The simulation as plain values, for JSON."""
        from llmeval.planning.simulated_rules import SimulatedFloor

        whole: list[dict[str, object]] = []
        metrics: list[dict[str, object]] = []
        floors: list[dict[str, object]] = []
        for setup, result, stated in self.gates:
            whole += _rows(result.whole, "margins")
            for rule, rows in zip(setup.rules, result.rules, strict=True):
                if isinstance(rule, SimulatedFloor):
                    row = {"rule": rule.name, "floor": rule.threshold}
                    floors.append({**row, "rows": _rows(rows, "rate")})
                else:
                    row = {"metric": rule.name, "margin": rule.margin, "stated": stated}
                    metrics.append({**row, "rows": _rows(rows, "drop")})
        return {
            "suite": self.profile.suite.name,
            "runs": self.runs,
            "seed": self.seed,
            "stop": "early" if self.early else "never",
            "conditions": dataclasses.asdict(self.conditions),
            "gate": whole,
            "metrics": metrics,
            "floors": floors,
            "notes": list(dict.fromkeys(self.profile.notes)),
        }


def _rows(rows: "Sequence[SimulatedRates]", planted: str) -> list[dict[str, object]]:
    return [
        {
            planted: row.planted,
            **{key: value for key, value in row._asdict().items() if key != "planted"},
            "holds": row.holds,
        }
        for row in rows
    ]


def plan(
    suite: str | Path,
    *,
    detect: str | None = None,
    metric: str | None = None,
    environment: str | None = None,
    reports: str | Path = "reports",
) -> "SuitePlan":
    """The cases, labels, calls, cost and minutes that the decisions of a suite take.

    No model is called.

    Args:
        suite: the suite file.
        detect: the drop that must not pass, such as `3pt`, `3%` or `0.03`; None: the suite's
            margins.
        metric: only this metric.
        environment: one of the suite's environments.
        reports: the folder of past runs.

    Raises:
        SuiteError: the suite is not valid.
        UsageError: `detect` is not a drop, or the suite has no such metric.
    """
    from llmeval.planning.suite_plan import plan_suite
    from llmeval.planning.suite_profile import profile_suite
    from llmeval.suite.loader import load_suite

    profile = profile_suite(load_suite(Path(suite), environment), metric, Path(reports))
    return plan_suite(profile, detect)


def simulate(
    suite: str | Path,
    *,
    detect: str | None = None,
    metric: str | None = None,
    runs: int = 2000,
    seed: int = 0,
    early: bool | None = None,
    conditions: SimulationConditions = IDEAL,
    environment: str | None = None,
    reports: str | Path = "reports",
    on_start: Callable[[int], None] = lambda total: None,
    on_run: Callable[[], None] = lambda: None,
) -> Simulation:
    """How often the gate of a suite errs, measured by simulated runs with planted drops.

    No model is called. The simulation uses the tests that decide real runs, with the suite's
    clusters, repeats and the uncertain quality of its judges.

    Args:
        suite: the suite file.
        detect: the margin of all regression rules, such as `3pt`; None: their own.
        metric: only this metric.
        runs: simulated runs for each row of the tables.
        seed: the same seed gives the same tables.
        early: whether runs may stop early; None: as the suite says.
        conditions: what goes wrong in the runs: missing results, unequal clusters, a judge that
            differs between the two sides, attempts.
        environment: one of the suite's environments.
        reports: the folder of past runs.
        on_start: called once with the total number of simulated runs.
        on_run: called after each simulated run.

    Raises:
        SuiteError: the suite is not valid.
        UsageError: `detect` is not a drop, or the suite has no such metric.
    """
    from llmeval.planning import simulation
    from llmeval.planning.simulation_setup import setups_for
    from llmeval.planning.suite_profile import profile_suite
    from llmeval.suite.loader import load_suite

    profile = profile_suite(load_suite(Path(suite), environment), metric, Path(reports))
    early = profile.suite.spec.gate.stop == "early" if early is None else early
    stated, others = setups_for(profile, detect, early=early, conditions=conditions)
    setups = [
        *([(stated, True)] if stated is not None else []),
        *((each, False) for each in others),
    ]
    on_start(runs * sum(simulation.rows_of(setup) for setup, _ in setups))
    gates = [
        SimulatedGate(setup, simulation.simulate(setup, runs, seed, on_run), own)
        for setup, own in setups
    ]
    return Simulation(profile, gates, runs, seed, early, conditions)
