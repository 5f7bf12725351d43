"""`llmeval runs`: what was run."""

from pathlib import Path
from typing import Annotated

import typer

from llmeval.cli.common import Json, Reports, RunPath, console, emit, find_run, show_run
from llmeval.report.safe_text import visible

app = typer.Typer(help="List and show past runs.", no_args_is_help=True)


@app.command("list")
def list_runs(
    suite: Annotated[
        str | None, typer.Argument(help="Only this suite's runs.", metavar="[SUITE]")
    ] = None,
    reports: Reports = Path("reports"),
    as_json: Json = False,
) -> int:
    """List runs, the newest first."""
    from rich.table import Table
    from rich.text import Text

    from llmeval.history.runs import list_runs as found

    rows = list(found(reports, suite))
    if as_json:
        emit(rows)
        return 0
    if not rows:
        console().print(f"No runs in {reports}.")
        return 0
    out = console()
    wide = out.width >= 110  # else there is no room for when it started, which the id says too
    table = Table(box=None, header_style="dim", pad_edge=False, padding=(0, 2 if wide else 1))
    table.add_column(
        "run", no_wrap=True, min_width=max(len(row["run_id"]) for row in rows)
    )  # ids are copied
    table.add_column("suite", overflow="fold")
    table.add_column("candidate", overflow="fold")
    for heading in ("status", "decision", "passed", *(["started"] if wide else [])):
        table.add_column(heading, no_wrap=True)
    for row in rows:
        table.add_row(
            *(Text(visible(str(row[key]))) for key in ("run_id", "suite", "candidate", "status")),
            row["decision"] or "–",
            f"{row['passed']}/{row['cases']}",
            *([Text(visible(str(row["started"])))] if wide else []),
        )
    out.print(table)
    return 0


@app.command()
def show(run: RunPath, reports: Reports = Path("reports"), as_json: Json = False) -> int:
    """Show the result of a run."""
    from dataclasses import replace

    from llmeval.api import load_run
    from llmeval.report.run_view import recorded_view

    loaded = load_run(find_run(run, reports))
    loaded.directory.verify()
    view = recorded_view(loaded.directory, loaded.manifest, loaded.summary, 10)
    html = loaded.path / "report.html"
    view = replace(view, report=html if html.exists() else None)
    show_run(loaded.decided(view), as_json=as_json)
    return 0
