"""`llmeval history`: the database of past runs, which is made from their directories."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from llmeval.cli.common import Json, Reports, console, emit
from llmeval.cli.history_common import HistoryUrl, open_for
from llmeval.cli.history_export import export
from llmeval.core.errors import ExitCode

if TYPE_CHECKING:
    from llmeval.history.indexing import IndexReport

app = typer.Typer(
    help="The database of past runs: index, check and export it (docs/history.md).",
    no_args_is_help=True,
)
Strict = Annotated[
    bool,
    typer.Option("--strict", help="Exit with 3 if a directory can't be read, or does not match."),
]


@app.command()
def index(
    folders: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Folders of runs, such as unpacked CI artifacts; default: that of --reports.",
            metavar="[DIR...]",
        ),
    ] = None,
    history: HistoryUrl = None,
    strict: Strict = False,
    reports: Reports = Path("reports"),
    as_json: Json = False,
) -> int:
    """Build the history again from the run directories.

    It is rarely necessary: every command that asks the history reads what changed first. A
    directory that can't be read is named and left out.
    """
    from llmeval.core.errors import UsageError
    from llmeval.history.indexing import rebuild
    from llmeval.history.opening import open_store

    chosen = folders or [reports]
    for folder in folders or ():
        if not folder.is_dir():
            raise UsageError(f"{folder}: there is no such folder")
    reports_of, name = [], ""
    for folder in chosen:
        store = open_store(folder.resolve(), history)
        try:
            reports_of.append(rebuild(store, folder.resolve()))
            name = store.name
        finally:
            store.close()
    skipped = [row for each in reports_of for row in each.skipped]
    runs = sum(each.indexed for each in reports_of) - len(skipped)
    if as_json:
        rows = [{"path": row.path, "reason": row.reason} for row in skipped]
        emit({"history": name, "indexed": runs, "skipped": rows})
    else:
        _print_index(name, runs, reports_of)
    return ExitCode.INVALID if strict and skipped else ExitCode.PASS


def _print_index(name: str, runs: int, reports_of: "list[IndexReport]") -> None:
    from llmeval.report.safe_text import count, visible

    screen = console()
    for each in reports_of:
        for row in each.skipped:
            screen.print(
                f"left out {visible(row.path)}: {visible(row.reason)}", markup=False, soft_wrap=True
            )
    left_out = sum(len(each.skipped) for each in reports_of)
    screen.print(
        f"{name}: {count(runs, 'run')} indexed, {left_out:,} left out.",
        markup=False,
        soft_wrap=True,
    )


@app.command()
def check(
    history: HistoryUrl = None,
    strict: Strict = False,
    reports: Reports = Path("reports"),
    as_json: Json = False,
) -> int:
    """Compare the history with the run directories, record by record.

    Every run is read again in full. What differs is repaired.
    """
    from llmeval.history.checking import check_history
    from llmeval.report.safe_text import count, visible

    with open_for(reports, history) as opened:
        result = check_history(opened)
    if as_json:
        emit(result.document())
    else:
        screen = console()
        for path, reason in (*result.skipped, *result.repaired):
            screen.print(f"{visible(path)}: {visible(reason)}", markup=False, soft_wrap=True)
        screen.print(
            f"{result.name}: {count(result.runs, 'run')} compared,"
            f" {len(result.repaired):,} repaired, {len(result.skipped):,} left out.",
            markup=False,
            soft_wrap=True,
        )
    return ExitCode.INVALID if strict and (result.skipped or result.repaired) else ExitCode.PASS


app.command()(export)
