"""`llmeval score`: the stored answers of a run, scored again."""

from pathlib import Path
from typing import Annotated

import typer

from llmeval.cli.common import Env, Json, Reports, RunPath, Trust, find_run, show_run


def score(
    run: RunPath,
    suite: Annotated[
        Path | None,
        typer.Option(help="Use this suite; default: the run's own.", metavar="SUITE"),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="The directory of the new run.", metavar="DIR")
    ] = None,
    env: Env = None,
    concurrency: Annotated[int, typer.Option(help="Cases at the same time.", metavar="N")] = 32,
    no_cache: Annotated[bool, typer.Option("--no-cache", help="Do not use the cache.")] = False,
    reports: Reports = Path("reports"),
    trust: Trust = False,
    as_json: Json = False,
) -> int:
    """Score the stored answers of a run again, with today's suite.

    The candidate is not called. The result is a new run; the old run does not change.
    """
    from llmeval.api import rescore
    from llmeval.report.progress_display import ProgressDisplay
    from llmeval.runner.options import Options

    options = Options(out=out, reports=reports, concurrency=concurrency, use_cache=not no_cache)
    path = find_run(run, reports)
    done = rescore(
        path, suite, environment=env, options=options, observers=[ProgressDisplay()], trust=trust
    )
    return show_run(done, as_json=as_json)
