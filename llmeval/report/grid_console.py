"""The cells of a grid, at a terminal."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from llmeval.core.grid_record import GridCell, GridRecord
from llmeval.core.manifest import Manifest
from llmeval.core.results import Decision, Metric, Summary
from llmeval.report.safe_text import count, one_line, verdict_word

Cells = Mapping[str, tuple[Summary, Manifest]]
_STYLE = {
    Decision.PASS: ("green", "✔"),
    Decision.FAIL: ("red", "✘"),
    Decision.INCONCLUSIVE: ("yellow", "?"),
    Decision.INVALID: ("magenta", "!"),
    None: ("cyan", "·"),
}
_METRICS = 4
"""Metrics with a column each, those of the gate first; the page has all of them."""
_COLUMN, _FIXED = 15, 44
"""Characters of a metric's column, and of all other columns but the first."""


def print_grid(
    console: Console,
    record: GridRecord,
    cells: Cells,
    folder: Path,
    page: Path | None,
    exit_code: int,
    best: Sequence[str] = (),
) -> None:
    """A row for each cell: decision, cases, metrics with their intervals. Then where the page is.

    Args:
        cells: summary and manifest by run id; a cell that has none is missing.
        exit_code: of the whole grid.
        best: sentences about the best cells.
    """
    room = console.width - _FIXED - min(24, max(len(cell.name) for cell in record.cells))
    metrics = _metrics(list(cells.values()))[: max(1, min(_METRICS, room // _COLUMN))]
    table = Table(box=None, pad_edge=False, padding=(0, 2), header_style="dim")
    table.add_column("cell", overflow="fold")
    table.add_column("decision", no_wrap=True)
    table.add_column("passed", justify="right", no_wrap=True)
    for metric in metrics:
        table.add_column(one_line(metric, 24), justify="right", min_width=_COLUMN - 2)
    table.add_column("cost", justify="right", no_wrap=True)
    for cell in record.cells:
        table.add_row(*_row(cell, cells.get(cell.run_id), metrics))
    console.print()
    console.print(table)
    console.print(_ending(record, cells, exit_code))
    for cell in record.cells:
        if cell.run_id in cells:
            reason = cells[cell.run_id][0].gate.reason
            console.print(
                Text.assemble((f"{one_line(cell.name, 60)}: ", "bold"), one_line(reason, 300)),
                soft_wrap=not console.is_terminal,
            )
    if best:
        console.print(Text("\nThe best", style="bold"))
    for line in best:
        console.print(Text(one_line(line, 600)), soft_wrap=not console.is_terminal)
    console.print(Text(f"Runs: {folder}", style="dim"), soft_wrap=True)
    if page is not None:
        console.print(
            Text.assemble("Page: ", (str(page), f"bold link file://{page.resolve()}")),
            soft_wrap=True,
        )


def _row(
    cell: GridCell, run: tuple[Summary, Manifest] | None, metrics: Sequence[str]
) -> list[Text]:
    name = Text(one_line(cell.name, 60), style="bold")
    if run is None:
        missing = Text("! missing", style="magenta")
        return [name, missing, Text("–"), *(Text("–") for _ in metrics), Text("–")]
    summary, manifest = run
    style, mark = _STYLE[summary.gate.decision]
    rows = {metric.metric: metric for metric in summary.metrics if metric.slice is None}
    costs = [calls.cost_usd for calls in summary.calls.values() if calls.cost_usd is not None]
    return [
        name,
        Text(f"{mark} {verdict_word(summary, manifest)}", style=style),
        Text(f"{summary.counts.passed:,}/{summary.counts.cases:,}"),
        *(_value(rows.get(metric)) for metric in metrics),
        Text(f"${sum(costs):.4f}" if costs else "–"),
    ]


def _value(metric: Metric | None) -> Text:
    if metric is None or metric.pass_rate is None:
        return Text("–")
    text = f"{metric.pass_rate:.0%}"
    if metric.low is not None and metric.high is not None:
        text += f" ({100 * metric.low:.0f}–{100 * metric.high:.0f})"
    untrusted = metric.trust == "UNTRUSTED"
    return Text(text + (" ⚠" if untrusted else ""), style="yellow" if untrusted else "")


def _metrics(cells: Sequence[tuple[Summary, Manifest]]) -> list[str]:
    names: dict[str, None] = {}
    for summary, _ in cells:
        names |= {rule.metric: None for rule in summary.gate.rules if rule.metric is not None}
    every = {
        metric.metric: None
        for summary, _ in cells
        for metric in summary.metrics
        if metric.slice is None
    }
    return [name for name in {**names, **every} if name in every][:_METRICS]


def _ending(record: GridRecord, cells: Cells, exit_code: int) -> Text:
    missing = [cell.name for cell in record.cells if cell.run_id not in cells]
    parts = [f"{count(len(record.cells), 'cell')}, exit code {int(exit_code)} (the worst cell)"]
    if missing:
        parts.append(f"missing: {', '.join(missing[:5])}")
    return Text("\n" + "; ".join(parts), style="dim")
