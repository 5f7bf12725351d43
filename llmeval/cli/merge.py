"""`llmeval merge`: the shards of a run, put together and decided once."""

from pathlib import Path
from typing import Annotated

import typer

from llmeval.cli.common import (
    BaselineName,
    Env,
    FormatOption,
    Json,
    Reports,
    find_baseline,
    show_run,
)
from llmeval.report.ci.format import Format


def merge(
    folders: Annotated[
        list[Path],
        typer.Argument(
            help="The shards' directories, or folders that hold them.",
            metavar="DIR...",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path | None, typer.Option(help="Where the whole run goes.", metavar="RUN")
    ] = None,
    suite: Annotated[
        Path | None,
        typer.Option(
            help="Decide by this suite's gate and baseline; default: as the shards saw them.",
            metavar="SUITE",
        ),
    ] = None,
    baseline: BaselineName = None,
    env: Env = None,
    format_: FormatOption = Format.AUTO,
    reports: Reports = Path("reports"),
    as_json: Json = False,
) -> int:
    """Put the shards of a run together: check that all are there and belong together, decide once,
    write the report.

    Exit codes: 0 pass, 1 gate failed, 2 usage wrong, 3 a shard is missing, double, incomplete or of
    another run, or the run is invalid, 4 inconclusive.
    """
    from llmeval.api import merge as merge_shards
    from llmeval.runner.merge import find_parts

    named = find_baseline(baseline, reports, find_parts(folders)[0].manifest.suite)
    run = merge_shards(folders, out, suite=suite, environment=env, baseline=named, reports=reports)
    return show_run(run, as_json=as_json, format_=format_)
