"""`llmeval run`: ask, score, decide, report."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from llmeval.cli.common import (
    BaselineName,
    Env,
    FormatOption,
    Json,
    Reports,
    StopOption,
    SuitePath,
    find_baseline,
    show_run,
)
from llmeval.report.ci.format import Format


def run(
    suite: SuitePath,
    out: Annotated[
        Path | None,
        typer.Option(help="The run's directory itself; the same command again goes on there.", metavar="DIR"),
    ] = None,
    candidate: Annotated[
        str | None,
        typer.Option(
            help="Another candidate: a name from `models`, or '{provider: ..., model: ...}'.", metavar="NAME|SPEC"
        ),
    ] = None,
    baseline: BaselineName = None,
    rejudge: Annotated[
        bool,
        typer.Option(
            "--rejudge", help="Where other judges or checks scored the baseline: score its stored answers first."
        ),
    ] = False,
    stop: StopOption = None,
    shard: Annotated[
        str | None,
        typer.Option(
            help="Only part i of N of the cases, or auto: as the CI system says. `llmeval merge` decides.",
            metavar="i/N|auto",
        ),
    ] = None,
    env: Env = None,
    limit: Annotated[int | None, typer.Option(help="A seeded sample of so many cases.", metavar="N")] = None,
    concurrency: Annotated[int, typer.Option(help="Cases in flight.", metavar="N")] = 32,
    no_cache: Annotated[bool, typer.Option("--no-cache", help="Neither read nor write the cache.")] = False,
    max_cost: Annotated[float | None, typer.Option(help="Stop at so many US dollars.", metavar="X")] = None,
    max_calls: Annotated[int | None, typer.Option(help="Stop after so many calls.", metavar="N")] = None,
    max_minutes: Annotated[float | None, typer.Option(help="Stop after so many minutes.", metavar="M")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be asked; send nothing.")] = False,
    format_: FormatOption = Format.AUTO,
    reports: Reports = Path("reports"),
    as_json: Json = False,
) -> int:
    """Run a suite: ask the candidate, score its answers, decide, and write the report.

    Exit codes: 0 pass, 1 gate failed, 2 suite or usage wrong, 3 run invalid or incomplete, 4 inconclusive,
    5 nothing evaluated, 130 interrupted.
    """
    from llmeval.api import run as run_suite
    from llmeval.cli.pulling import pull_for
    from llmeval.cli.rejudging import rejudge_baseline
    from llmeval.engine.options import Options
    from llmeval.engine.shards import parse_shard
    from llmeval.report.console import ProgressDisplay
    from llmeval.suite.load import load_suite

    options = Options(
        out=out, reports=reports, candidate=candidate, baseline=find_baseline(baseline, reports), stop=stop, limit=limit, concurrency=concurrency, use_cache=not no_cache,
        max_cost=max_cost, max_calls=max_calls, max_minutes=max_minutes,
        shard=None if shard is None else parse_shard(shard, os.environ),
    )  # fmt: skip
    loaded = load_suite(suite, env)
    if dry_run:
        from llmeval.cli.dryrun import show_estimate

        return show_estimate(loaded, options, as_json=as_json)
    pull_for(loaded, candidate)
    if rejudge:
        child = rejudge_baseline(loaded, options, as_json=as_json)
        if isinstance(child, int):
            return child
        options = replace(options, baseline=child)
    return show_run(run_suite(loaded, options=options, show=ProgressDisplay), as_json=as_json, format_=format_)
