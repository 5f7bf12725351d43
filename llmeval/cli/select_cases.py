"""The options of a partial run: `--case`, `--tag`, `--failed` and `--last-failed`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from llmeval.cli import completion

if TYPE_CHECKING:
    from llmeval.runner.selection import Selection

CaseOption = Annotated[
    list[str] | None,
    typer.Option(
        "--case", help="Run only this case; repeatable.", metavar="ID", show_default=False
    ),
]
TagOption = Annotated[
    list[str] | None,
    typer.Option(
        "--tag",
        help="Run only cases with this tag; repeatable.",
        metavar="NAME=VALUE",
        show_default=False,
    ),
]
FailedOption = Annotated[
    Path | None,
    typer.Option(
        help="Run only the cases that did not pass in this run.",
        metavar="RUN",
        autocompletion=completion.runs,
    ),
]
LastFailedOption = Annotated[
    bool,
    typer.Option(
        "--last-failed",
        help="Run only the cases that failed in the newest whole run and did not pass since.",
    ),
]


def selection_of(
    cases: list[str] | None,
    tags: list[str] | None,
    failed: Path | None,
    suite: str,
    reports: Path,
    *,
    last: bool,
) -> "Selection | None":
    """The selection that the options state; None for the whole suite.

    Raises:
        UsageError: two options exclude each other, or nothing failed in the run.
        StoreError: the run does not exist.
    """
    from llmeval.core.errors import UsageError
    from llmeval.runner.selection import Selection

    if failed is not None and last:
        raise UsageError("--failed RUN and --last-failed exclude one another: give one of them")
    named, filters = tuple(cases or ()), tuple(tags or ())
    if failed is None and not last:
        return Selection(cases=named, tags=filters) if named or filters else None
    # Not above: it loads modules that a run without `--failed` does not need.
    from llmeval.api.failing import last_failed

    if failed is not None:
        ids, run_id = _failed_of(failed, suite, reports)
    else:
        ids, run_id = last_failed(suite, reports)
    if not ids:
        option = "--last-failed" if failed is None else f"--failed {failed}"
        raise UsageError(
            f"{option}: every case of the run {run_id} that has a result passed, so there is"
            " nothing to run again"
        )
    return Selection(cases=named, tags=filters, failed=ids, failed_of=run_id, last_failed=last)


def _failed_of(run: Path, suite: str, reports: Path) -> tuple[tuple[str, ...], str]:
    """The failing cases of a run, and its id.

    Raises:
        UsageError: it is a run of another suite. StoreError: it does not exist.
    """
    from llmeval.api.failing import failed_ids
    from llmeval.cli.common import find_run
    from llmeval.core.errors import UsageError
    from llmeval.store.directory import RunDir

    directory = RunDir(find_run(run, reports))
    manifest = directory.manifest()
    if manifest.suite != suite:
        raise UsageError(
            f"--failed {run}: that run is of the suite {manifest.suite}, not of {suite}"
        )
    return failed_ids(directory), manifest.run_id
