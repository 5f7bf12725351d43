"""`llmeval runs tag` and `runs rm`: what people do with runs that ended."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from llmeval.cli.common import Json, Reports, RunPath, console, emit, find_run
from llmeval.cli.history_common import index_again, open_for, suite_name

if TYPE_CHECKING:
    from llmeval.history.removal import Removal
    from llmeval.history.rows import RunRow


def tag(
    run: RunPath,
    tags: Annotated[
        list[str] | None,
        typer.Argument(help="Tags to add or to replace.", metavar="[NAME=VALUE...]"),
    ] = None,
    remove: Annotated[
        list[str] | None,
        typer.Option("--remove", help="Remove the tag of this name.", metavar="NAME"),
    ] = None,
    reports: Reports = Path("reports"),
    as_json: Json = False,
) -> int:
    """Tag a run, such as release=1.2. `tag:release=1.2` is then a name of the run.

    Tags are in the run's directory (tags.json). No rule of a gate reads them.
    """
    from llmeval.core.run_tags import parse_tag
    from llmeval.store.run_tags import change_tags, read_tags

    path = find_run(run, reports)
    new = dict(parse_tag(text) for text in tags or ())
    changes = bool(new or remove)
    kept = change_tags(path, new, tuple(remove or ())) if changes else read_tags(path)
    if changes:
        index_again(path)
    if as_json:
        emit({"run": path.name, "tags": kept})
        return 0
    shown = ", ".join(f"{name}={value}" for name, value in kept.items())
    console().print(f"{path}: {shown or 'no tags'}", markup=False, soft_wrap=True)
    return 0


def rm(
    runs: Annotated[
        list[Path] | None,
        typer.Argument(help="Runs to delete; default: all that --keep allows.", metavar="[RUN...]"),
    ] = None,
    keep: Annotated[
        str | None,
        typer.Option(help="Delete only runs older than this, such as 1y or 90d.", metavar="SPAN"),
    ] = None,
    suite: Annotated[
        str | None, typer.Option("--suite", help="Only this suite's runs.", metavar="SUITE")
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="Delete them. Without it nothing is deleted.")
    ] = False,
    reports: Reports = Path("reports"),
    as_json: Json = False,
) -> int:
    """Delete old runs from the disk. Without --yes it only says what it would delete.

    It never deletes a run of a baseline, a run that another one was compared with, a labelled or
    approved run, or one that has not ended.
    """
    from llmeval.cli.history_screen import print_removals
    from llmeval.core.errors import UsageError
    from llmeval.history.indexing import absolute
    from llmeval.history.removal import removals, remove
    from llmeval.history.runs import find

    if not runs and keep is None:
        raise UsageError("name the runs to delete, or say which to keep: --keep 1y")
    with open_for(reports, _local()) as opened:
        query = opened.query
        named = {str(absolute(find(run, reports))) for run in runs or ()}
        chosen = opened.store.runs(
            query.where("suite", None if suite is None else suite_name(suite))
        )
        chosen = [row for row in chosen if not runs or row.path in named]
        _check_named(named, chosen, reports)
        chosen_runs = removals(opened.store, query, chosen, keep, datetime.now(UTC))
        if yes:
            for each in chosen_runs:
                if not each.kept:
                    remove(each)
            opened.store.forget([each.path for each in chosen_runs if not each.kept])
    _show_removals(chosen_runs, yes=yes, as_json=as_json)
    if not as_json:
        print_removals(console(), chosen_runs, yes=yes, named=bool(runs))
    return 0


def _show_removals(chosen_runs: "list[Removal]", *, yes: bool, as_json: bool) -> None:
    import msgspec

    if as_json:
        emit({"deleted": yes, "runs": msgspec.to_builtins(chosen_runs)})


def _check_named(named: set[str], chosen: "list[RunRow]", reports: Path) -> None:
    """Refuse a run that can't be judged: what protects it is unknown.

    Raises:
        UsageError: a named run is not below the folder, can't be read, or is of another suite.
    """
    from llmeval.core.errors import UsageError

    unknown = sorted(named - {row.path for row in chosen})
    if unknown:
        raise UsageError(
            f"{unknown[0]} is not a run that can be read below {reports} (or not of this suite):"
            " nothing is deleted"
        )


def _local() -> str:
    """The history of this machine: a server says nothing about the directories here."""
    from llmeval.core.resources import home
    from llmeval.history.opening import FILE

    return str(home() / FILE)
