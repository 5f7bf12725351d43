"""`llmeval run` with several candidates or prompts: every cell, a table of them, one page."""

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from llmeval.cli.common import console, emit, view_of
from llmeval.core.errors import ExitCode

if TYPE_CHECKING:
    from llmeval.api.grid import GridResult
    from llmeval.cli.grid_axes import GridAxes
    from llmeval.compare.best_cells import BestCells
    from llmeval.core.grid_record import GridCell
    from llmeval.report.ci.format import Format
    from llmeval.runner.options import Options
    from llmeval.store.run_observer import RunObserver
    from llmeval.suite.loader import Suite


def run_cells(
    suite: "Suite",
    options: "Options",
    axes: "GridAxes",
    *,
    dry_run: bool,
    format_: "Format",
    as_json: bool,
    opens: bool,
    best: bool = False,
) -> int:
    """Run the grid and show it. The exit code is that of the worst cell."""
    from llmeval.api.grid import run_grid
    from llmeval.cli.model_download import pull_for
    from llmeval.cli.open_page import open_page
    from llmeval.report.progress_display import ProgressDisplay

    if dry_run:
        return _show_estimates(suite, options, axes, as_json=as_json)
    for candidate in axes.candidates or (options.candidate,):
        pull_for(suite, candidate)

    def observers(number: int, of: int, cell: "GridCell") -> "list[RunObserver]":
        label = f"cell {number} of {of}, {cell.name}"
        print(f"llmeval: {label}", file=sys.stderr)
        return [ProgressDisplay(label=label)]

    grid = run_grid(
        suite,
        candidates=axes.candidates,
        prompts=axes.prompts,
        options=options,
        best=best,
        observers=observers,
        warn=lambda line: print(f"llmeval: {line}", file=sys.stderr),
    )
    if as_json:
        emit(_document(grid))
    else:
        _show(grid)
    _tell_server(grid, format_)
    _tell_problems(grid, resumes=options.out is None)
    if opens:
        open_page(grid.page)
    return grid.exit_code


def rebuild_grid(folder: Path, *, as_json: bool) -> int:
    """Decide each cell again from its records, and write the page. The exit code is that of the
    worst cell.
    """
    from llmeval.api.grid import rebuild_cells

    grid = rebuild_cells(folder)
    if as_json:
        emit(_document(grid))
    else:
        _show(grid)
    _tell_problems(grid, resumes=False)
    return grid.exit_code


def _document(grid: "GridResult") -> dict[str, object]:
    import msgspec

    cells: list[dict[str, object]] = []
    for cell in grid.record.cells:
        run = grid.runs.get(cell.run_id)
        cells.append(
            {
                "candidate": cell.candidate,
                "prompt": cell.prompt,
                "run_id": cell.run_id,
                "path": None if run is None else str(run.path),
                "problem": grid.problems.get(cell.run_id),
                "summary": None if run is None else msgspec.to_builtins(run.summary),
            }
        )
    return {
        "grid_id": grid.record.grid_id,
        "path": str(grid.folder),
        "page": None if grid.page is None else str(grid.page),
        "exit_code": int(grid.exit_code),
        "cells": cells,
        "best": None if grid.best is None else _best_document(grid.best),
    }


def _best_document(best: "BestCells") -> dict[str, object]:
    """Which cells may be the best, by their names."""
    from llmeval.report.comparison_words import best_sentence, cell_names

    names = cell_names(best)
    return {
        "confidence": best.level,
        "missing": list(best.missing),
        "metrics": [
            {
                "metric": each.metric,
                "n": each.n,
                "rate": each.rate,
                "untrusted": each.untrusted,
                "among": [best.cells[letter].name for letter in each.among],
                "cells": [
                    {
                        "cell": best.cells[place.letter].name,
                        "run_id": best.cells[place.letter].run_id,
                        "decision": best.cells[place.letter].decision,
                        "among": place.among,
                        "low": place.low,
                        "high": place.high,
                    }
                    for place in each.contenders
                ],
                "left_out": [
                    {"cell": best.cells[letter].name, "why": why}
                    for letter, why in each.left_out.items()
                ],
                "sentence": best_sentence(each, names),
            }
            for each in best.metrics
        ],
    }


def _show(grid: "GridResult") -> None:
    from llmeval.report.comparison_words import best_lines
    from llmeval.report.grid_console import print_grid

    print_grid(
        console(),
        grid.record,
        {run_id: (run.summary, run.manifest) for run_id, run in grid.runs.items()},
        grid.folder,
        grid.page,
        grid.exit_code,
        () if grid.best is None else best_lines(grid.best),
    )


def _tell_server(grid: "GridResult", format_: "Format") -> None:
    """Report each cell to the CI server, the worst one last: its outputs are the ones that stay.

    Where a cell is missing, no cell that exits with 0 is reported: the grid does not pass.
    """
    from llmeval.core.errors import WORST_FIRST
    from llmeval.report.ci.annotations import RunNotice
    from llmeval.report.ci.dispatch import tell

    def badness(code: int) -> int:
        return -WORST_FIRST.index(ExitCode(code))

    runs = sorted(grid.runs.values(), key=lambda run: badness(run.summary.gate.exit_code))
    for run in runs:
        if grid.missing and run.summary.gate.exit_code == 0:
            continue
        notice = RunNotice(run.path, run.path, view_of(run))
        for line in tell(notice, format_, os.environ):
            print(line, file=sys.stderr)


def _tell_problems(grid: "GridResult", *, resumes: bool) -> None:
    from llmeval.report.safe_text import one_line

    names = {cell.run_id: cell.name for cell in grid.record.cells}
    for run_id, run in grid.runs.items():
        for warning in run.warnings:
            print(f"llmeval: {names[run_id]}: {warning}", file=sys.stderr)
        if run.reason:
            reason = one_line(run.reason, 400)
            print(f"llmeval: {names[run_id]} is not complete: {reason}", file=sys.stderr)
    for run_id, problem in grid.problems.items():
        print(f"llmeval: {names[run_id]}: {problem}", file=sys.stderr)
    if grid.missing or any(run.manifest.status != "complete" for run in grid.runs.values()):
        again = (
            "the same command again within 24 hours, or later" if resumes else "the same command"
        )
        print(f"To continue, run {again} with --out {grid.folder}.", file=sys.stderr)


def _show_estimates(suite: "Suite", options: "Options", axes: "GridAxes", *, as_json: bool) -> int:
    """The calls and cost of each cell; nothing is sent."""
    import asyncio

    from rich.table import Table

    from llmeval.runner.estimate import estimate
    from llmeval.runner.grid_cells import close_cells, plan_cells

    cells = plan_cells(suite, replace(options, use_cache=False), axes.candidates, axes.prompts)
    try:
        rows = [
            {"cell": cell.name, **row}
            for cell in cells
            for row in estimate(cell.plan, options.reports)
        ]
    finally:
        asyncio.run(close_cells(cells))
    if as_json:
        emit(rows)
        return 0
    table = Table(box=None, header_style="dim", pad_edge=False, padding=(0, 2))
    for heading in ("cell", "role", "calls", "cost"):
        table.add_column(heading, justify="left" if heading in ("cell", "role") else "right")
    for row in rows:
        cost = row["cost_usd"]
        table.add_row(
            str(row["cell"]),
            str(row["role"]),
            f"{row['calls']:,}",
            f"${cost:.4f}" if isinstance(cost, float) else "not known",
        )
    console().print(table)
    console().print("[dim]Cache hits and retries are not foreseen. Nothing was sent.[/]")
    return 0
