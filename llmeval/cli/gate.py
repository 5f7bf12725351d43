"""`llmeval gate`: a run decided again from its stored scores."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from llmeval.cli.common import (
    BaselineName,
    Env,
    FormatOption,
    Json,
    JUnitOption,
    Reports,
    RunPath,
    find_baseline,
    find_run,
    show_run,
)
from llmeval.report.ci.format import Format

if TYPE_CHECKING:
    from llmeval.api import Run


def gate(
    run: RunPath,
    baseline: BaselineName = None,
    suite: Annotated[
        Path | None,
        typer.Option(
            help="Use this suite's gate; default: the run's own rules.",
            metavar="SUITE",
        ),
    ] = None,
    env: Env = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help=("Write summary.json, report.html, junit.xml and summary.md to this directory."),
            metavar="DIR",
        ),
    ] = None,
    format_: FormatOption = Format.AUTO,
    junit: JUnitOption = "all",
    reports: Reports = Path("reports"),
    as_json: Json = False,
) -> int:
    """Decide a run again, with another baseline or other rules.

    The decision uses the stored scores. No model is called, and the run does not change. The exit
    codes are those of `run`.
    """
    from llmeval.api import load_run, redecide
    from llmeval.core.errors import UsageError

    path = _found(run, reports, suite, env)
    named = find_baseline(baseline, reports, load_run(path).manifest.suite, path)
    if named is not None and named.resolve() == path.resolve():
        raise UsageError(
            f"--baseline {baseline}: that is the run itself, and a run does not differ from itself"
        )
    if baseline == "lock" and suite is None:
        named = _lock_of(load_run(path), env)
    return show_run(
        redecide(path, suite, environment=env, baseline=named, out=out, junit=junit),
        as_json=as_json,
        format_=format_,
    )


def _found(run: Path, reports: Path, suite: Path | None, env: str | None) -> Path:
    """The run; of a suite that is named, `latest` is the newest run of that one.

    Raises:
        UsageError: `latest`, and no suite is named though there are runs of several.
    """
    from llmeval.history.runs import LATEST, latest_of, sole_latest
    from llmeval.suite.loader import load_suite

    if str(run) != LATEST:
        return find_run(run, reports, None if suite is None else load_suite(suite, env).name)
    if suite is None:
        return sole_latest(reports)
    return latest_of(load_suite(suite, env).name, reports, complete=False)


def _lock_of(run: "Run", env: str | None) -> Path | None:
    """What the run's suite names as its baseline, whatever the run was compared with."""
    from llmeval.runner.options import Options
    from llmeval.runner.plan import baseline_of
    from llmeval.suite.loader import load_suite

    about = run.manifest
    return baseline_of(load_suite(about.suite_file, env or about.environment), Options())
