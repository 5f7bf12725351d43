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
            help="The shards' directories, or folders that contain them.",
            metavar="DIR...",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path | None, typer.Option(help="The directory of the merged run.", metavar="RUN")
    ] = None,
    suite: Annotated[
        Path | None,
        typer.Option(
            help="Use this suite's gate and baseline; default: those of the shards.",
            metavar="SUITE",
        ),
    ] = None,
    baseline: BaselineName = None,
    env: Env = None,
    format_: FormatOption = Format.AUTO,
    reports: Reports = Path("reports"),
    as_json: Json = False,
) -> int:
    """Merge the shards of a run, decide once, and write the report.

    All shards must be complete and belong together.

    Exit codes: 0 pass, 1 gate failed, 2 usage wrong, 3 a shard is missing, duplicate, incomplete or
    of another run, or the run is invalid, 4 inconclusive.
    """
    from llmeval.api import merge as merge_shards
    from llmeval.runner.merge import find_parts

    named = find_baseline(baseline, reports, find_parts(folders)[0].manifest.suite)
    run = merge_shards(folders, out, suite=suite, environment=env, baseline=named, reports=reports)
    return show_run(run, as_json=as_json, format_=format_)
