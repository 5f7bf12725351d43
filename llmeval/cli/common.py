"""What several commands share: options by the same name, output for people or for machines."""

import json
import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from llmeval.cli import completion
from llmeval.report.ci.format import Format

if TYPE_CHECKING:
    from rich.console import Console

    from llmeval.api import Run
    from llmeval.report.run_view import RunView

SuitePath = Annotated[
    Path,
    typer.Argument(
        help="The suite file.",
        metavar="SUITE",
        show_default=False,
        autocompletion=completion.suites,
    ),
]
RunPath = Annotated[
    Path,
    typer.Argument(
        help="A run's directory, id or name: latest, main@-7d, tag:release=1.2, SUITE/latest.",
        metavar="RUN",
        show_default=False,
        autocompletion=completion.runs,
    ),
]
Json = Annotated[
    bool, typer.Option("--json", help="Print one JSON document, and nothing else, on stdout.")
]
Env = Annotated[
    str | None,
    typer.Option(
        "--env",
        help="One of the suite's environments.",
        metavar="NAME",
        autocompletion=completion.environments,
    ),
]
BaselineName = Annotated[
    str | None,
    typer.Option(
        "--baseline",
        help=(
            "Compare with run:NAME (an id, latest, main@-7d, tag:release=1.2), file:PATH (a lock"
            " file or a run's directory), or lock (the one that the suite names)."
        ),
        metavar="run:NAME|file:PATH|lock",
    ),
]


class StopRule(StrEnum):
    """Whether a run may end before its last case."""

    EARLY = "early"
    NEVER = "never"


StopOption = Annotated[
    StopRule | None,
    typer.Option(
        "--stop",
        help="early: end when every rule of the gate is decided; never: run every case.",
        show_default=False,
    ),
]
StoreOption = Annotated[
    str | None,
    typer.Option(
        "--store",
        help=(
            "Share replies with other workers: postgresql://USER:PASSWORD@HOST/DATABASE"
            " (docs/scale.md). A variable keeps the password out of the list of processes."
        ),
        metavar="URL",
        envvar="LLMEVAL_STORE",
        show_default=False,
    ),
]
FormatOption = Annotated[
    Format,
    typer.Option(
        "--format", help="The CI server to report to: annotations, job summary, outputs, metrics."
    ),
]
JUnitOption = Annotated[
    Literal["all", "failed"],
    typer.Option(
        "--junit",
        help="Cases in junit.xml: all, or those that did not pass.",
        metavar="all|failed",
    ),
]
Reports = Annotated[Path, typer.Option(help="The folder of the runs.", metavar="DIR")]
Trust = Annotated[
    bool,
    typer.Option(
        "--trust",
        help=(
            "Import the code that the run's own suite names: own checks, `python` models,"
            " `client:`. Only for a run directory that you trust."
        ),
    ),
]


def emit(value: object) -> None:
    """One JSON document on stdout."""
    json.dump(value, sys.stdout, ensure_ascii=False, indent=2)
    sys.stdout.write("\n")


def console() -> "Console":
    """Where people read."""
    from llmeval.report.command_console import CommandConsole

    return CommandConsole(highlight=False)


def show_run(
    run: "Run", *, as_json: bool, format_: "Format | None" = None, resumes: bool = False
) -> int:
    """Print how a run came out, for people, machines and the CI server; gives the exit code it
    means.

    `resumes`: the same command continues this run automatically.
    """
    import msgspec

    from llmeval.core.errors import ExitCode
    from llmeval.report.console import print_summary
    from llmeval.report.safe_text import one_line

    if as_json:
        emit({**msgspec.to_builtins(run.summary), "path": str(run.path)})
    else:
        print_summary(console(), view_of(run))
    for warning in run.warnings:
        if warning not in run.reason:  # what ended the run is said once
            print(f"llmeval: {warning}", file=sys.stderr)
    if run.reason:
        why = f": {one_line(run.reason, 2000)}" if as_json else ""  # else the panel says it
        print(f"llmeval: the run is not complete{why}", file=sys.stderr)
        again = (
            "the same command again within 24 hours, or later" if resumes else "the same command"
        )
        print(f"To go on from here, run {again} with --out {run.path}.", file=sys.stderr)
    if format_ is not None:
        from llmeval.report.ci.annotations import RunNotice
        from llmeval.report.ci.dispatch import tell

        folder = None if run.report is None else run.report.parent
        for line in tell(RunNotice(run.path, folder, view_of(run)), format_, os.environ):
            # both streams are read for orders; stdout may have to be JSON alone
            print(line, file=sys.stderr)
    return ExitCode.INTERRUPTED if run.interrupted else run.summary.gate.exit_code


def view_of(run: "Run") -> "RunView":
    """What one pass over the run's records gave; without failing cases where there was none."""
    from llmeval.report.run_view import RunView

    return run.view or RunView(run.directory, run.manifest, run.summary, [], [])


def suite_files(paths: list[Path]) -> list[Path]:
    """The paths without the files of accepted findings, which `suites/*.yaml` of a shell names
    too.
    """
    return [path for path in paths if not path.name.endswith(".data.yaml")] or paths


def find_run(
    name: Path, reports: Path, suite: str | None = None, but: tuple[Path, ...] = ()
) -> Path:
    """The directory of a run by its path, its id or a name (`llmeval.history.names`).

    Args:
        suite: the suite that is meant, where it is clear.
        but: runs that a name does not mean.

    Raises:
        UsageError, StoreError: there is none, or the name is ambiguous.
    """
    from llmeval.history.runs import find

    return find(name, reports, suite, but)


def find_baseline(
    name: str | None, reports: Path, suite: str, run: Path | None = None
) -> Path | None:
    """What `--baseline` names: a lock file or a run's directory; None for `lock`, the one that the
    suite names.

    Args:
        suite: the name of the suite that is compared; `run:latest` is the newest complete run of
            it.
        run: the run that is compared, which `run:latest` never is.

    Raises:
        UsageError: there is no such file, directory or run.
    """
    if name is None or name == "lock":
        return None
    from llmeval.core.errors import StoreError, UsageError
    from llmeval.history.runs import LATEST, latest_of

    kind, colon, rest = name.partition(":")
    but = () if run is None else (run,)
    if name in (LATEST, f"run:{LATEST}"):
        return latest_of(suite, reports, but)
    if colon and kind == "run":
        try:
            return find_run(Path(rest), reports, suite, but)
        except StoreError as error:
            raise UsageError(f"--baseline {name}: {error}") from None
    named = colon and kind == "file"
    path = Path(rest if named else name)
    if path.exists():
        return path
    try:
        if not named:
            return find_run(path, reports, suite, but)
    except StoreError:
        pass
    raise UsageError(
        f"--baseline {name}: there is no such file or"
        f" directory{'' if named else ', and no such run'}"
    )
