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
        "--last-failed", help="Run only the cases that did not pass in the suite's newest run."
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
    from llmeval.api.failing import failed_ids
    from llmeval.cli.common import find_run
    from llmeval.core.errors import UsageError
    from llmeval.history.runs import newest_of
    from llmeval.runner.selection import Selection
    from llmeval.store.directory import RunDir

    if failed is not None and last:
        raise UsageError("--failed RUN and --last-failed exclude one another: give one of them")
    named, filters = tuple(cases or ()), tuple(tags or ())
    if failed is None and not last:
        return Selection(cases=named, tags=filters) if named or filters else None
    run = RunDir(newest_of(suite, reports) if failed is None else find_run(failed, reports))
    manifest = run.manifest()
    option = "--last-failed" if last else f"--failed {failed}"
    if manifest.suite != suite:
        raise UsageError(f"{option}: that run is of the suite {manifest.suite}, not of {suite}")
    ids = failed_ids(run)
    if not ids:
        raise UsageError(
            f"{option}: every case of the run {manifest.run_id} that has a result passed, so there"
            " is nothing to run again"
        )
    return Selection(cases=named, tags=filters, failed=ids, failed_of=manifest.run_id)
