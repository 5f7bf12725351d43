"""`llmeval prove`: the suite's own gate, tried on planted drops."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from llmeval.cli.common import Env, Json, Reports, StopOption, SuitePath, console, emit
from llmeval.cli.plan import Detect, Metric

if TYPE_CHECKING:
    from llmeval.cli.profile import SuiteProfile
    from llmeval.planning.simulated_rules import SimulatedRule
    from llmeval.planning.simulation import SimulatedRates, SimulationResult, SimulationSetup


LEGEND = (
    (
        "open: INCONCLUSIVE. wrong: FAIL where nothing got worse, PASS of what should not; limit:"
        " its stated rate."
    ),
    (
        "usual: FAIL of the gate 'the pass rate fell by more than 2 points', or 'it is below the"
        " floor'; unpaired: of a z test that ignores the pairs. What these FAIL not they PASS."
    ),
)
USED = (
    "used: cases asked before the rule was decided, looks every 10; of the whole gate, before the"
    " last one was."
)
TRUTH = "At a floor both FAIL and PASS are wrong: the larger share is shown. Below it PASS is."


def simulate(
    suite: SuitePath,
    detect: Detect = None,
    runs: Annotated[int, typer.Option(help="Simulated runs a row.", metavar="N", min=20)] = 2000,
    seed: Annotated[int, typer.Option(help="The same seed gives the same table.")] = 0,
    stop: StopOption = None,
    metric: Metric = None,
    env: Env = None,
    reports: Reports = Path("reports"),
    as_json: Json = False,
) -> int:
    """Measure how often the gate errs on a suite of this shape, by planted drops. Nothing is asked.

    Plays the suite's floors and regression rules together, with its clusters, repeats and the
    uncertain quality of its judges; where it has no regression rule, one for each metric by itself.

    Exit codes: 0 the stated error rates hold, 1 one of them does not.
    """
    from llmeval.cli.profile import know
    from llmeval.cli.simulate_setup import setups_for
    from llmeval.core.errors import ExitCode
    from llmeval.suite.loader import load_suite

    known = know(load_suite(suite, env), metric, reports)
    early = (stop or known.suite.spec.gate.stop) == "early"
    stated, others = setups_for(known, detect, early=early)
    found = _played(stated, others, runs, seed)
    if as_json:
        emit(
            {
                "suite": known.suite.name,
                "runs": runs,
                "seed": seed,
                "stop": "early" if early else "never",
                **_document(found),
                "notes": list(dict.fromkeys(known.notes)),
            }
        )
    else:
        _print(known, found, runs, early=early)
    held = all(
        row.holds
        for each in found
        for rows in (each.proof.whole, *each.proof.rules)
        for row in rows
    )
    return ExitCode.PASS if held else ExitCode.GATE_FAILED


class SimulatedMetric(NamedTuple):
    """A gate and what came of it. `stated`: whether the suite states it."""

    setup: "SimulationSetup"
    proof: "SimulationResult"
    stated: bool


def _played(
    stated: "SimulationSetup | None", others: "list[SimulationSetup]", runs: int, seed: int
) -> list[SimulatedMetric]:
    from rich.console import Console
    from rich.progress import Progress

    from llmeval.planning.simulation import rows_of, simulate

    setups = [
        *([(stated, True)] if stated is not None else []),
        *((setup, False) for setup in others),
    ]
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(
            "simulated runs", total=runs * sum(rows_of(setup) for setup, _ in setups)
        )
        return [
            SimulatedMetric(setup, simulate(setup, runs, seed, lambda: bar.advance(task)), own)
            for setup, own in setups
        ]


def _document(found: list[SimulatedMetric]) -> dict[str, Any]:
    from llmeval.planning.simulated_rules import SimulatedFloor

    gate: list[dict[str, Any]] = []
    metrics, floors = [], []
    for setup, proof, stated in found:
        gate += _rows(proof.whole, "margins")
        for claim, rows in zip(setup.claims, proof.rules, strict=True):
            if isinstance(claim, SimulatedFloor):
                floors.append(
                    {"rule": claim.name, "floor": claim.threshold, "rows": _rows(rows, "rate")}
                )
            else:
                metrics.append(
                    {
                        "metric": claim.name,
                        "margin": claim.margin,
                        "stated": stated,
                        "rows": _rows(rows, "drop"),
                    }
                )
    return {"gate": gate, "metrics": metrics, "floors": floors}


def _rows(rows: "Sequence[SimulatedRates]", planted: str) -> list[dict[str, Any]]:
    return [
        {
            planted: row.planted,
            **{key: value for key, value in row._asdict().items() if key != "planted"},
            "holds": row.holds,
        }
        for row in rows
    ]


def _print(known: "SuiteProfile", found: list[SimulatedMetric], runs: int, *, early: bool) -> None:
    from llmeval.planning.simulated_rules import SimulatedFloor
    from llmeval.planning.simulation import margins_of

    out, floors = console(), False
    out.soft_wrap = True
    out.print(f"[bold]{known.suite.name}[/]: {runs:,} simulated runs a row, % of them.\n")
    for setup, proof, stated in found:
        if proof.whole:
            margins = set(margins_of(setup).values())
            unit, scale = ("drop", 100 * margins.pop()) if len(margins) == 1 else ("margins", 1.0)
            title = f"The whole gate, {len(setup.claims)} rules; all metrics fall together"
            _table(title, unit, proof.whole, scale, early=early)
        for claim, rows in zip(setup.claims, proof.rules, strict=True):
            if isinstance(claim, SimulatedFloor):
                floors = True
                _table(
                    f"{claim.name}: at least {100 * claim.threshold:.3g}%{_shape(claim)}",
                    "rate",
                    rows,
                    100,
                    early=early,
                )
            else:
                title = f"{claim.name}: not worse by {100 * claim.margin:.3g} points{_shape(claim)}"
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
        *dict.fromkeys(known.notes),
    ):
        out.print(f"[dim]{line}[/]")


def _shape(claim: "SimulatedRule") -> str:
    units, cases, _ = claim.members.shape
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
        "open",
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
