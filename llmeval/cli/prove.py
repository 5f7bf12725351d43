"""`llmeval prove`: the suite's own gate, tried on planted drops."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from llmeval.cli.common import Env, Json, Reports, StopOption, SuitePath, console, emit
from llmeval.cli.plan import Detect, Metric

if TYPE_CHECKING:
    from llmeval.cli.sizing import Known
    from llmeval.gate.proof import Row
    from llmeval.gate.shape import Shape


LEGEND = (
    "open: INCONCLUSIVE. wrong: FAIL without a drop, PASS with one of the margin or more; limit: its stated rate."
    "\nusual: FAIL of the gate 'the pass rate fell by more than 2 points'; unpaired: FAIL of a "
    "z test that ignores the pairs. What these two don't FAIL they PASS."
)

USED = "used: cases asked before the run stopped, looks every 10."


def prove(
    suite: SuitePath,
    detect: Detect = None,
    runs: Annotated[int, typer.Option(help="Simulated runs a planted drop.", metavar="N", min=20)] = 2000,
    seed: Annotated[int, typer.Option(help="The same seed gives the same table.")] = 0,
    stop: StopOption = None,
    metric: Metric = None,
    env: Env = None,
    reports: Reports = Path("reports"),
    as_json: Json = False,
) -> int:
    """Measure how often the gate errs on a suite of this shape, by planted drops. Nothing is asked.

    Exit codes: 0 the stated error rates hold, 1 one of them does not.
    """
    from llmeval.cli.sizing import know, margin_for
    from llmeval.errors import ExitCode
    from llmeval.suite.load import load_suite

    known = know(load_suite(suite, env), metric, reports)
    early = (stop or known.suite.spec.gate.stop) == "early"
    margins = {shape.metric: margin_for(known, shape.metric, detect) for shape in known.shapes}
    found = [(shape, _played(known, shape, margins[shape.metric], runs, seed, early=early)) for shape in known.shapes]
    if as_json:
        emit({**_document(known, margins, runs, seed, found), "stop": "early" if early else "never"})
    else:
        for shape, rows in found:
            _print(shape, rows, early=early)
        out = console()
        out.soft_wrap = True
        for line in (LEGEND, *((USED,) if early else ()), *dict.fromkeys(known.notes)):
            out.print(f"[dim]{line}[/]")
    held = all(row.holds for _, rows in found for row in rows)
    return ExitCode.PASS if held else ExitCode.GATE_FAILED


def _document(
    known: "Known", margins: dict[str, float], runs: int, seed: int, found: "list[tuple[Shape, list[Row]]]"
) -> dict[str, Any]:
    metrics = [
        {
            "metric": shape.metric,
            "margin": margins[shape.metric],
            "rows": [{**row._asdict(), "holds": row.holds} for row in rows],
        }
        for shape, rows in found
    ]
    return {
        "suite": known.suite.name, "runs": runs, "seed": seed, "notes": known.notes,
        "metrics": metrics,
    }  # fmt: skip


def _played(known: "Known", shape: "Shape", margin: float, runs: int, seed: int, *, early: bool) -> "list[Row]":
    from rich.console import Console
    from rich.progress import Progress

    from llmeval.gate.proof import DROPS, prove

    gate = known.suite.spec.gate
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(shape.metric, total=runs * len(DROPS))
        return list(
            prove(shape, margin, gate.alpha, gate.beta, runs, seed, lambda: bar.advance(task), sequential=early)
        )


def _print(shape: "Shape", rows: "list[Row]", *, early: bool) -> None:
    from rich.table import Table

    clusters = "" if shape.units == shape.cases else f" in {shape.units:,} clusters"
    table = Table(
        box=None, header_style="dim", pad_edge=False, padding=(0, 1), title_justify="left",
        title=f"{shape.metric}: {shape.cases:,} cases{clusters}, {rows[0].runs:,} runs a row, % of them",
    )  # fmt: skip
    used = ["used"] if early else []
    for heading in ("drop", "FAIL", "PASS", "open", "wrong ± s.e.", "limit", *used, "usual", "unpaired"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(
            f"{100 * row.drop:.3g}", *(f"{100 * x:.1f}" for x in (row.fail, row.passed, row.inconclusive)),
            f"{100 * row.error:.1f} ± {100 * row.se:.1f}{'' if row.holds else ' (too often)'}", f"{100 * row.limit:g}",
            *([f"{100 * row.used:.0f}"] if early else []),
            f"{100 * row.threshold:.1f}", f"{100 * row.unpaired:.1f}",
        )  # fmt: skip
    out = console()
    out.print(table, soft_wrap=True)
    out.print()
