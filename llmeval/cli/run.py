"""`llmeval run`: ask, score, decide, report."""

import os
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from llmeval.cli import completion
from llmeval.cli.baseline_environment import print_environment_notice
from llmeval.cli.changed import touched
from llmeval.cli.common import (
    BaselineName,
    Env,
    FormatOption,
    Json,
    JUnitOption,
    Reports,
    StopOption,
    StoreOption,
    find_baseline,
    show_run,
    suite_files,
)
from llmeval.cli.grid_axes import GridAxes, listed_candidates, listed_prompts
from llmeval.cli.select_cases import (
    CaseOption,
    FailedOption,
    LastFailedOption,
    TagOption,
    selection_of,
)
from llmeval.core.errors import ExitCode, worst_of
from llmeval.report.ci.format import Format

if TYPE_CHECKING:
    from collections.abc import Callable

    from llmeval.runner.options import Options
    from llmeval.suite.loader import Suite


def run(
    suites: Annotated[
        list[Path],
        typer.Argument(
            help="Suite files or folders. Several suites run one after the other.",
            metavar="SUITE...",
            show_default=False,
            autocompletion=completion.suites,
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            help=(
                "The run's directory. An unfinished run there continues; a finished one is refused."
            ),
            metavar="DIR",
        ),
    ] = None,
    new: Annotated[
        bool,
        typer.Option(
            "--new",
            help=("Start a new run, even if an unfinished one could continue."),
        ),
    ] = False,
    candidate: Annotated[
        list[str] | None,
        typer.Option(
            help=(
                "Test another candidate: a name from `models`, or '{provider: ..., model: ...}'."
                " Several (a,b, or the option again) make a grid."
            ),
            metavar="NAME|SPEC",
            autocompletion=completion.candidates,
            show_default=False,
        ),
    ] = None,
    prompt: Annotated[
        list[str] | None,
        typer.Option(
            help="Use another prompt. Several (a.j2,b.j2, or the option again) make a grid.",
            metavar="FILE",
            show_default=False,
        ),
    ] = None,
    best: Annotated[
        bool,
        typer.Option(
            "--best",
            help=(
                "Of a grid: say which cells may be the best, ties included, at 95% over all cells"
                " and metrics. It decides nothing."
            ),
        ),
    ] = False,
    case: CaseOption = None,
    tag: TagOption = None,
    failed: FailedOption = None,
    last_failed: LastFailedOption = False,
    baseline: BaselineName = None,
    rejudge: Annotated[
        bool,
        typer.Option(
            "--rejudge",
            help=(
                "Score the baseline's stored answers again if other judges or checks scored them."
            ),
        ),
    ] = False,
    stop: StopOption = None,
    shard: Annotated[
        str | None,
        typer.Option(
            help=(
                "Run only part i of N, or auto: the part that the CI system names. `llmeval"
                " merge` decides."
            ),
            metavar="i/N|auto",
        ),
    ] = None,
    changed_since: Annotated[
        str | None,
        typer.Option(
            help="Run only suites with a file that changed since the branch left REF.",
            metavar="REF",
        ),
    ] = None,
    env: Env = None,
    limit: Annotated[
        int | None, typer.Option(help="Draw a seeded sample of N cases.", metavar="N")
    ] = None,
    concurrency: Annotated[int, typer.Option(help="Cases at the same time.", metavar="N")] = 32,
    no_cache: Annotated[bool, typer.Option("--no-cache", help="Do not use the cache.")] = False,
    reuse: Annotated[
        bool,
        typer.Option(
            "--reuse",
            help="Use answers of earlier runs even if the candidate states no `build`.",
        ),
    ] = False,
    refresh: Annotated[
        bool,
        typer.Option("--refresh", help="Call the models again, and store the new replies."),
    ] = False,
    store: StoreOption = None,
    steal: Annotated[
        bool,
        typer.Option(
            "--steal",
            help="When this shard is done, make calls of the other shards. Needs --store.",
        ),
    ] = False,
    executor: Annotated[
        str,
        typer.Option(
            help=(
                "Where the work is done: local (this process), ray (workers on this machine), or"
                " ray://HOST:PORT (workers on a running cluster). See docs/scale.md."
            ),
            metavar="NAME",
        ),
    ] = "local",
    workers: Annotated[
        int | None,
        typer.Option(help="Workers of --executor ray (default: 2).", metavar="N"),
    ] = None,
    max_cost: Annotated[
        float | None, typer.Option(help="Stop at X US dollars.", metavar="X")
    ] = None,
    max_calls: Annotated[int | None, typer.Option(help="Stop after N calls.", metavar="N")] = None,
    max_minutes: Annotated[
        float | None, typer.Option(help="Stop after M minutes.", metavar="M")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the calls and their cost; send nothing.")
    ] = False,
    format_: FormatOption = Format.AUTO,
    open_: Annotated[
        bool, typer.Option("--open", help="Open the report in the browser at the end.")
    ] = False,
    junit: JUnitOption = "all",
    reports: Reports = Path("reports"),
    as_json: Json = False,
) -> int:
    """Run suites: get the answers, score them, decide, and write a report.

    Without --out, the same command continues its newest run if that was interrupted or stopped at a
    budget within the last 24 hours. Recorded answers are not requested again. --new starts a new
    run.

    Several candidates or prompts make a grid: a run of each combination, with its own decision, and
    one page with the answers side by side. --best names the cells that may be the best. --case,
    --tag, --failed and --last-failed make a partial run, which never passes the gate.

    Exit codes: 0 pass, 1 gate failed, 2 suite or usage wrong, 3 run invalid or incomplete, 4
    inconclusive, 5 nothing evaluated, 130 interrupted. Of several suites or cells the worst one
    counts, in the order 130, 3, 2, 1, 4, 5, 0.
    """
    from llmeval.core.errors import UsageError
    from llmeval.runner.options import Options, workers_of
    from llmeval.runner.sharding import parse_shard

    candidates, prompts = listed_candidates(candidate), listed_prompts(prompt)
    axes = GridAxes(candidates, prompts)
    options = Options(
        out=out,
        resume=not new,
        reports=reports,
        candidate=None if len(candidates) != 1 else candidates[0],
        prompt=None if len(prompts) != 1 else prompts[0],
        stop=stop,
        limit=limit,
        concurrency=concurrency,
        use_cache=not no_cache,
        reuse=reuse,
        refresh=refresh,
        store=store or None,  # a variable may be empty
        group=os.environ.get("LLMEVAL_RUN_GROUP", ""),
        max_cost=max_cost,
        max_calls=max_calls,
        max_minutes=max_minutes,
        shard=None if shard is None else parse_shard(shard, os.environ),
        steal=steal,
        workers=workers_of(executor, workers),
        ray_address=executor.partition("://")[2],
        junit=junit,
    )
    alone = out is not None or baseline not in (None, "lock")
    partial_ = bool(case or tag or failed or last_failed)
    chosen = _suites(suites, env, alone=alone or partial_)
    if best and not all(map(axes.make_grid, chosen)):
        raise UsageError(
            "--best compares the cells of a grid: name several candidates or prompts, as in"
            " --candidate a,b"
        )
    if len(chosen) == 1:
        options = replace(
            options,
            baseline=find_baseline(baseline, reports, chosen[0].name, out),
            selection=selection_of(case, tag, failed, chosen[0].name, reports, last=last_failed),
        )
    if changed_since is not None:
        chosen = touched(chosen, changed_since)
        if not chosen:
            print(
                f"llmeval: no suite has a file that changed since {changed_since}: nothing to run",
                file=sys.stderr,
            )
            return ExitCode.PASS
    one = partial(
        _one,
        options=options,
        axes=axes,
        best=best,
        rejudge=rejudge,
        dry_run=dry_run,
        format_=format_,
        as_json=as_json,
        opens=open_,
    )
    return one(chosen[0]) if len(chosen) == 1 else _each(chosen, one)


def _suites(named: list[Path], env: str | None, *, alone: bool) -> "list[Suite]":
    """The suites by name, a folder standing for those right in it; of several all are checked
    before the first runs.

    Args:
        alone: an option is about one suite.

    Raises:
        UsageError, SuiteError: one is not right, or `--out` and `--baseline` are given for several.
    """
    from llmeval.core.errors import UsageError
    from llmeval.runner.plan import inspect_suite
    from llmeval.suite.loader import load_suite

    named = suite_files(named)
    paths = [path for name in named for path in (_in_folder(name) if name.is_dir() else [name])]
    suites = [load_suite(path, env) for path in paths]
    if len(suites) > 1:
        if alone:
            raise UsageError(
                "--out, --baseline, --case, --tag and --failed are about one suite; here are"
                " several"
            )
        for suite in suites:
            inspect_suite(suite)
    return suites


def _in_folder(folder: Path) -> list[Path]:
    from llmeval.core.errors import UsageError
    from llmeval.suite.yaml_file import parse

    files = [
        path
        for path in sorted([*folder.glob("*.yaml"), *folder.glob("*.yml")])
        if path.is_file()
        and isinstance(data := parse(path.read_text(encoding="utf-8"), str(path)).data, dict)
        and "suite" in data
    ]
    if not files:
        raise UsageError(
            f"{folder}: there is no suite in this folder (a .yaml file with the key `suite`)"
        )
    return files


def _each(suites: "list[Suite]", one: "Callable[[Suite], int]") -> int:
    """One after the other; an error of one is told and the others still run. The worst exit
    code.
    """
    from llmeval.core.errors import LlmevalError

    codes: list[int] = []
    for suite in suites:
        try:
            codes.append(one(suite))
        except LlmevalError as error:
            print(f"llmeval: {error}", file=sys.stderr)
            codes.append(error.exit_code)
        if codes[-1] == ExitCode.INTERRUPTED:
            break
    ends = ", ".join(f"{suite.name} {code}" for suite, code in zip(suites, codes, strict=False))
    print(f"llmeval: exit codes: {ends}", file=sys.stderr)
    return worst_of(codes)


def _one(
    suite: "Suite",
    *,
    options: "Options",
    axes: "GridAxes",
    best: bool,
    rejudge: bool,
    dry_run: bool,
    format_: Format,
    as_json: bool,
    opens: bool,
) -> int:
    from llmeval.api import run as run_suite
    from llmeval.cli.model_download import pull_for
    from llmeval.cli.open_page import open_page
    from llmeval.cli.rejudge import rejudge_baseline
    from llmeval.core.errors import UsageError
    from llmeval.report.progress_display import ProgressDisplay
    from llmeval.suite.matrix import with_prompt, without_matrix

    if axes.make_grid(suite):
        from llmeval.cli.grid import run_cells

        if options.workers is not None:
            raise UsageError("--executor ray runs one candidate and one prompt, not a grid")
        if rejudge:
            raise UsageError("--rejudge with a grid: score the baseline again in a run of its own")
        return run_cells(
            suite,
            options,
            axes,
            dry_run=dry_run,
            format_=format_,
            as_json=as_json,
            opens=opens,
            best=best,
        )
    suite = without_matrix(suite)
    if options.prompt is not None:
        suite = with_prompt(suite, options.prompt)
    if dry_run:
        from llmeval.cli.dryrun import show_estimate

        return show_estimate(suite, options, as_json=as_json)
    pull_for(suite, options.candidate)
    if rejudge:
        child = rejudge_baseline(suite, options, as_json=as_json)
        if isinstance(child, int):
            return child
        options = replace(options, baseline=child)
    done = run_suite(suite, options=options, observers=[ProgressDisplay()], warn=_warn)
    code = show_run(done, as_json=as_json, format_=format_, resumes=options.out is None)
    print_environment_notice(done, options.reports)
    if opens:
        open_page(done.report)
    return code


def _warn(line: str) -> None:
    print(f"llmeval: {line}", file=sys.stderr)
