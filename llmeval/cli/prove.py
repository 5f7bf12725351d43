"""`llmeval prove`: the suite's own gate, tried on planted drops."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from llmeval.cli.common import Env, Json, Reports, StopOption, SuitePath, console, emit
from llmeval.cli.plan import Detect, Metric

if TYPE_CHECKING:
    from llmeval.cli.sizing import Known
    from llmeval.gate.claims import Claim
    from llmeval.gate.proof import Proof, Row, Setup


LEGEND = (
    "open: INCONCLUSIVE. wrong: FAIL where nothing got worse, PASS of what should not; limit: its stated rate.",
    "usual: FAIL of the gate 'the pass rate fell by more than 2 points', or 'it is below the floor'; unpaired: of a z test "
    "that ignores the pairs. What these FAIL not they PASS.",
)
USED = "used: cases asked before the rule was decided, looks every 10; of the whole gate, before the last one was."
TRUTH = "At a floor both FAIL and PASS are wrong: the larger share is shown. Below it PASS is."


def prove(
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

    Plays the suite's floors and regression rules together, with its clusters, repeats and the uncertain quality of its
    judges; where it has no regression rule, one for each metric.

    Exit codes: 0 the stated error rates hold, 1 one of them does not.
    """
    from llmeval.cli.proving import setup_for
    from llmeval.cli.sizing import know
    from llmeval.errors import ExitCode
    from llmeval.suite.load import load_suite

    known = know(load_suite(suite, env), metric, reports)
    early = (stop or known.suite.spec.gate.stop) == "early"
    setup = setup_for(known, detect, early=early)
    found = _played(setup, runs, seed)
    if as_json:
        emit(_document(known, setup, found, runs, seed))
    else:
        _print(known, setup, found)
    held = all(row.holds for rows in (found.whole, *found.rules) for row in rows)
    return ExitCode.PASS if held else ExitCode.GATE_FAILED


def _played(setup: "Setup", runs: int, seed: int) -> "Proof":
    from rich.console import Console
    from rich.progress import Progress

    from llmeval.gate.proof import prove, rows_of

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("simulated runs", total=runs * rows_of(setup))
        return prove(setup, runs, seed, lambda: bar.advance(task))


def _document(known: "Known", setup: "Setup", found: "Proof", runs: int, seed: int) -> dict[str, Any]:
    from llmeval.gate.claims import Floor

    metrics, floors = [], []
    for claim, rows in zip(setup.claims, found.rules, strict=True):
        if isinstance(claim, Floor):
            floors.append({"rule": claim.name, "floor": claim.threshold, "rows": _rows(rows, "rate")})
        else:
            metrics.append({"metric": claim.name, "margin": claim.margin, "rows": _rows(rows, "drop")})
    return {
        "suite": known.suite.name, "runs": runs, "seed": seed, "stop": "early" if setup.terms.early else "never",
        "gate": _rows(found.whole, "margins"), "metrics": metrics, "floors": floors, "notes": known.notes,
    }  # fmt: skip


def _rows(rows: "Sequence[Row]", planted: str) -> list[dict[str, Any]]:
    return [
        {planted: row.planted, **{key: value for key, value in row._asdict().items() if key != "planted"}, "holds": row.holds}
        for row in rows
    ]  # fmt: skip


def _print(known: "Known", setup: "Setup", found: "Proof") -> None:
    from llmeval.gate.claims import Floor

    early, runs = setup.terms.early, found.rules[0][0].runs
    floors = any(isinstance(claim, Floor) for claim in setup.claims)
    console().print(f"{known.suite.name}: {runs:,} simulated runs a row, % of them.\n", soft_wrap=True)
    if found.whole:
        title = f"The whole gate, {len(setup.claims)} rules, all metrics falling together"
        _table(title, "margins", found.whole, lambda row: f"{row.planted:.0f}", early=early)
    for claim, rows in zip(setup.claims, found.rules, strict=True):
        if isinstance(claim, Floor):
            title = f"{claim.name}: at least {100 * claim.threshold:.3g}%{_shape(claim)}"
            _table(title, "rate", rows, lambda row: f"{100 * row.planted:.3g}", early=early)
        else:
            title = f"{claim.name}: not worse by {100 * claim.margin:.3g} points{_shape(claim)}"
            _table(title, "drop", rows, lambda row: f"{100 * row.planted:.3g}", early=early)
    out = console()
    out.soft_wrap = True
    for line in (*LEGEND, *((TRUTH,) if floors else ()), *((USED,) if early else ()), *dict.fromkeys(known.notes)):
        out.print(f"[dim]{line}[/]")


def _shape(claim: "Claim") -> str:
    units, cases, _ = claim.members.shape
    return f", {cases:,} cases" + ("" if units == cases else f" in {units:,} clusters")


def _table(title: str, planted: str, rows: "Sequence[Row]", label: "Callable[[Row], str]", *, early: bool) -> None:
    from rich.table import Table

    table = Table(
        box=None, header_style="dim", pad_edge=False, padding=(0, 1), title_justify="left", title=title, expand=False
    )
    unpaired = ["unpaired"] if rows[0].unpaired is not None else []
    used = ["used"] if early else []
    for heading in (planted, "FAIL", "PASS", "open", "wrong ± s.e.", "limit", *used, "usual", *unpaired):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(
            label(row), *(f"{100 * x:.1f}" for x in (row.fail, row.passed, row.inconclusive)),
            f"{100 * row.error:.1f} ± {100 * row.se:.1f}{'' if row.holds else ' (too often)'}", f"{100 * row.limit:g}",
            *([f"{100 * row.used:.0f}"] if early else []), f"{100 * row.usual:.1f}",
            *([f"{100 * row.unpaired:.1f}"] if row.unpaired is not None else []),
        )  # fmt: skip
    out = console()
    out.print(table, soft_wrap=True)
    out.print()
