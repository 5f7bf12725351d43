"""`llmeval runs`: what was run."""

from pathlib import Path
from typing import Annotated

import typer

from llmeval.cli.common import Json, Reports, RunPath, console, emit, find_run, show_run

app = typer.Typer(help="Runs that are kept.", no_args_is_help=True)


@app.command("list")
def list_runs(
    suite: Annotated[str | None, typer.Argument(help="Only this suite's runs.", metavar="[SUITE]")] = None,
    reports: Reports = Path("reports"),
    as_json: Json = False,
) -> int:
    """List runs, the newest first."""
    from rich.table import Table

    from llmeval.history.runs import list_runs as found

    rows = list(found(reports, suite))
    if as_json:
        emit(rows)
        return 0
    if not rows:
        console().print(f"No runs in {reports}.")
        return 0
    table = Table(box=None, header_style="dim", pad_edge=False, padding=(0, 2))
    for heading in ("run", "suite", "candidate", "status", "decision", "passed", "started"):
        table.add_column(heading)
    for row in rows:
        table.add_row(
            row["run_id"], row["suite"], row["candidate"], row["status"], row["decision"] or "–",
            f"{row['passed']}/{row['cases']}", row["started"],
        )  # fmt: skip
    console().print(table)
    return 0


@app.command()
def show(run: RunPath, reports: Reports = Path("reports"), as_json: Json = False) -> int:
    """Show what a run came to."""
    from llmeval.api import load_run
    from llmeval.report.worst import worst_cases

    loaded = load_run(find_run(run, reports))
    loaded.directory.verify()
    loaded.troubles = worst_cases(loaded.directory, 10, {entry.case_id for entry in loaded.summary.quarantine})
    html = loaded.path / "report.html"
    loaded.report = html if html.exists() else None
    show_run(loaded, as_json=as_json)
    return 0
