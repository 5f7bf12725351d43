"""`llmeval simulate`: the suite's own gate, tried on planted drops."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from llmeval.cli.common import Env, Json, Reports, StopOption, SuitePath, console, emit
from llmeval.cli.plan import Detect, Metric

if TYPE_CHECKING:
    from llmeval.api.planning import Simulation
    from llmeval.planning.simulated_rules import SimulatedRule
    from llmeval.planning.simulation import SimulatedRates


LEGEND = (
    (
        "undecided: INCONCLUSIVE, or INVALID. wrong: FAIL although nothing got worse, or PASS"
        " although it should not. limit: the error rate that the gate states."
    ),
    (
        "usual: FAIL of a simple gate, 'the pass rate fell by more than 2 points' or 'it is below"
        " the floor'. unpaired: FAIL of a z test that ignores the pairs. Both say PASS otherwise."
    ),
)
USED = (
    "used: the share of cases that were run before the decision, with an interim analysis every 10"
    " cases. For the whole gate: before the last rule was decided."
)
TRUTH = (
    "At a floor both FAIL and PASS are wrong; the larger share is shown. Below the floor only PASS"
    " is wrong."
)


def simulate(
    suite: SuitePath,
    detect: Detect = None,
    runs: Annotated[
        int, typer.Option(help="Simulated runs for each row.", metavar="N", min=20)
    ] = 2000,
    seed: Annotated[int, typer.Option(help="The seed of the simulation.")] = 0,
    stop: StopOption = None,
    missing: Annotated[
        float, typer.Option(help="Share of the cases without a result, 0 to 1.", metavar="SHARE")
    ] = 0.0,
    missing_where: Annotated[
        Literal["any", "hard"],
        typer.Option(help="Which cases have no result: any, or hard ones (the candidate fails)."),
    ] = "any",
    cluster_size: Annotated[
        float | None,
        typer.Option(
            help="Mean cases in a cluster, of unequal sizes. Default: the suite's clusters.",
            metavar="N",
        ),
    ] = None,
    judge_shift: Annotated[
        float,
        typer.Option(
            help="By how much each judge favours the candidate: added to its sensitivity on these"
            " answers, and subtracted from its specificity.",
            metavar="SHIFT",
        ),
    ] = 0.0,
    attempts: Annotated[
        int, typer.Option(help="How often a change is tried, until it passes.", metavar="N", min=1)
    ] = 1,
    metric: Metric = None,
    env: Env = None,
    reports: Reports = Path("reports"),
    as_json: Json = False,
) -> int:
    """Measure how often the gate of a suite errs, with simulated drops.

    No model is called. The simulation uses the suite's floors and regression rules together, with
    its clusters, repeats and the uncertain quality of its judges. Without a regression rule it adds
    one for each metric.

    Exit codes: 0 the stated error rates hold, 1 one of them does not.
    """
    from llmeval.api import planning
    from llmeval.core.errors import ExitCode
    from llmeval.planning.simulation_conditions import SimulationConditions

    conditions = SimulationConditions(
        missing=missing,
        missing_where=missing_where,
        cluster_size=cluster_size,
        judge_shift=judge_shift,
        attempts=attempts,
    )
    simulation = _with_progress(
        partial(
            planning.simulate,
            suite,
            detect=detect,
            metric=metric,
            runs=runs,
            seed=seed,
            early=None if stop is None else stop == "early",
            conditions=conditions,
            environment=env,
            reports=reports,
        )
    )
    if as_json:
        emit(simulation.document())
    else:
        _print(simulation)
    return ExitCode.PASS if simulation.holds else ExitCode.GATE_FAILED


def _with_progress(simulated: "Callable[..., Simulation]") -> "Simulation":
    """The simulation, with a progress bar on a terminal."""
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("simulated runs", total=None)
        return simulated(
            on_start=lambda total: bar.update(task, total=total),
            on_run=lambda: bar.advance(task),
        )


def _print(simulation: "Simulation") -> None:
    from llmeval.planning.simulated_rules import SimulatedFloor
    from llmeval.planning.simulation import margins_of

    profile, early = simulation.profile, simulation.early
    out, floors = console(), False
    out.soft_wrap = True
    out.print(
        f"[bold]{profile.suite.name}[/]: {simulation.runs:,} simulated runs a row, % of them.\n"
    )
    for setup, result, stated in simulation.gates:
        if result.whole:
            margins = set(margins_of(setup).values())
            unit, scale = ("drop", 100 * margins.pop()) if len(margins) == 1 else ("margins", 1.0)
            title = f"The whole gate, {len(setup.rules)} rules; all metrics fall together"
            _table(title, unit, result.whole, scale, early=early)
        for rule, rows in zip(setup.rules, result.rules, strict=True):
            if isinstance(rule, SimulatedFloor):
                floors = True
                _table(
                    f"{rule.name}: at least {100 * rule.threshold:.3g}%{_shape(rule)}",
                    "rate",
                    rows,
                    100,
                    early=early,
                )
            else:
                title = f"{rule.name}: not worse by {100 * rule.margin:.3g} points{_shape(rule)}"
                _table(
                    title + ("" if stated else " (not a rule of the suite)"),
                    "drop",
                    rows,
                    100,
                    early=early,
                )
    for line in (
        *LEGEND,
        *((TRUTH,) if floors else ()),
        *((USED,) if early else ()),
        *dict.fromkeys(profile.notes),
    ):
        out.print(f"[dim]{line}[/]")


def _shape(rule: "SimulatedRule") -> str:
    units, cases, _ = rule.members.shape
    return f", {cases:,} cases" + ("" if units == cases else f" in {units:,} clusters")


def _table(
    title: str, planted: str, rows: "Sequence[SimulatedRates]", scale: float, *, early: bool
) -> None:
    from rich.table import Table

    table = Table(
        box=None,
        header_style="dim",
        pad_edge=False,
        padding=(0, 1),
        title_justify="left",
        title=title,
        expand=False,
    )
    unpaired = ["unpaired"] if rows[0].unpaired is not None else []
    used = ["used"] if early else []
    for heading in (
        planted,
        "FAIL",
        "PASS",
        "undecided",
        "wrong ± s.e.",
        "limit",
        *used,
        "usual",
        *unpaired,
    ):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(
            f"{scale * row.planted:.3g}",
            *(f"{100 * x:.1f}" for x in (row.fail, row.passed, row.inconclusive)),
            f"{100 * row.error:.1f} ± {100 * row.se:.1f}{'' if row.holds else ' (too often)'}",
            f"{100 * row.limit:g}",
            *([f"{100 * row.used:.0f}"] if early else []),
            f"{100 * row.usual:.1f}",
            *([f"{100 * row.unpaired:.1f}"] if row.unpaired is not None else []),
        )
    out = console()
    out.print(table, soft_wrap=True)
    out.print()
