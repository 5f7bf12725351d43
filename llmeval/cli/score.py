"""`llmeval score`: the stored answers of a run, scored again."""

from pathlib import Path
from typing import Annotated

import typer

from llmeval.cli.common import Env, Json, Reports, RunPath, find_run, show_run


def score(
    run: RunPath,
    suite: Annotated[
        Path | None,
        typer.Option(
            help="Score by this suite; default: the one the run was made by.", metavar="SUITE"
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Where the new run goes.", metavar="DIR")] = None,
    env: Env = None,
    concurrency: Annotated[int, typer.Option(help="Cases in flight.", metavar="N")] = 32,
    no_cache: Annotated[
        bool, typer.Option("--no-cache", help="Neither read nor write the cache.")
    ] = False,
    reports: Reports = Path("reports"),
    as_json: Json = False,
) -> int:
    """Score a run's stored answers again, by today's suite: the candidate is not asked, the run
    stays as it is.
    """
    from llmeval.api import rescore
    from llmeval.report.console import ProgressDisplay
    from llmeval.runner.options import Options

    options = Options(out=out, reports=reports, concurrency=concurrency, use_cache=not no_cache)
    path = find_run(run, reports)
    return show_run(
        rescore(path, suite, environment=env, options=options, show=ProgressDisplay),
        as_json=as_json,
    )
