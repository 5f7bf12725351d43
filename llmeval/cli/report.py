"""`llmeval report`: report.html, junit.xml and summary.md again, from the records alone; and a page
of all suites.
"""

from pathlib import Path
from typing import Annotated, Literal

import typer

from llmeval.cli import completion
from llmeval.cli.common import (
    FormatOption,
    Json,
    JUnitOption,
    Reports,
    console,
    emit,
    find_run,
    show_run,
)
from llmeval.report.ci.format import Format


def report(
    run: Annotated[
        Path | None,
        typer.Argument(
            help="A run's directory, id or name: latest, main@latest, tag:release=1.2.",
            metavar="RUN",
            show_default=False,
            autocompletion=completion.runs,
        ),
    ] = None,
    embed: Annotated[
        Literal["default", "all"],
        typer.Option(
            help="all: include every row in full, even above 20,000 rows.",
            metavar="<default|all>",
        ),
    ] = "default",
    index: Annotated[
        Path | None,
        typer.Option(
            help="Write DIR/index.html: the decisions and trends of all suites below DIR.",
            metavar="DIR",
        ),
    ] = None,
    format_: FormatOption = Format.AUTO,
    junit: JUnitOption = "all",
    reports: Reports = Path("reports"),
    as_json: Json = False,
) -> int:
    """Rebuild the summary and the reports of a run from its records.

    Works offline. The exit code is that of the run. For the folder of a grid, its page is written
    again, and the exit code is that of the worst cell. With --index instead of a run: one page of
    all suites in a reports directory, exit code 0.
    """
    from llmeval.api import rebuild
    from llmeval.core.errors import UsageError
    from llmeval.store.grids import GRID

    if index is not None:
        if run is not None:
            raise UsageError(
                "a run and --index at once: --index DIR makes the page of all suites below DIR"
            )
        return _overview(index, as_json)
    if run is None:
        raise UsageError(
            "name a run (`llmeval runs list` shows them), or make a page of all suites by"
            " --index DIR"
        )
    if (run / GRID).exists():
        from llmeval.cli.grid import rebuild_grid

        return rebuild_grid(run, as_json=as_json)
    return show_run(rebuild(find_run(run, reports), embed, junit), as_json=as_json, format_=format_)


def _overview(reports: Path, as_json: bool) -> int:
    from llmeval.core.errors import UsageError
    from llmeval.history.runs import recorded
    from llmeval.report.html.overview import write_overview

    if not reports.is_dir():
        raise UsageError(
            f"--index {reports}: there is no such directory; it is the one that runs are kept in"
        )
    page = reports / "index.html"
    rows = write_overview(recorded(reports), page)
    if as_json:
        emit({"page": str(page), "suites": rows})
        return 0
    for row in rows:
        seen = (
            "" if row["cases"] is None else f", {row['passed']:,} of {row['cases']:,} cases passed"
        )
        runs = f"{row['runs']:,} run" + ("" if row["runs"] == 1 else "s")
        console().print(
            f"{row['state']:<13} [bold]{row['suite']}[/]  {runs}, latest {row['latest']}{seen}"
        )
    console().print(f"Page: {page}", soft_wrap=True)
    return 0
