"""`llmeval env`: what differs between experiment, staging and production."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from llmeval.cli import completion
from llmeval.cli.common import Json, Reports, console, emit
from llmeval.cli.compare import run_directories

if TYPE_CHECKING:
    from llmeval.compare.environments import EnvironmentComparison
    from llmeval.core.manifest import Manifest

app = typer.Typer(
    help="Environments: what differs between experiment, staging and production"
    " (docs/environments.md).",
    no_args_is_help=True,
)


@app.callback()
def _environments() -> None:
    """Environments: what differs between experiment, staging and production."""


@app.command()
def diff(
    names: Annotated[
        list[str],
        typer.Argument(
            help=(
                "Two runs: directories, ids, or names such as main@latest, tag:release=1.2,"
                " baseline. Or one suite file, with --env."
            ),
            metavar="A B|SUITE",
            show_default=False,
        ),
    ],
    env: Annotated[
        list[str] | None,
        typer.Option(
            "--env",
            help=(
                "Of a suite file: an environment. State it twice for two environments; once to"
                " compare it with the suite without an environment."
            ),
            metavar="NAME",
            autocompletion=completion.environments,
        ),
    ] = None,
    reports: Reports = Path("reports"),
    as_json: Json = False,
) -> int:
    """Show what differs between two runs, or two environments of a suite before any run.

    Compares models, parameters, prompt, endpoint, judges, data, checks, gate, packages and commit,
    as the manifests record them. No model is called.

    Exit codes: 0 no unexpected difference, 1 at least one, 2 wrong usage, 3 a run can't be read.
    """
    from llmeval.compare.environments import compare_environments
    from llmeval.report.environment_console import print_environments

    labels, manifests = _of_suite(names, env) if env else _of_runs(names, reports)
    comparison = compare_environments(*manifests)
    if as_json:
        _emit(comparison, labels)
    else:
        print_environments(console(), comparison, labels)
    return 1 if comparison.unexpected else 0


def _emit(comparison: "EnvironmentComparison", labels: tuple[str, str]) -> None:
    import msgspec

    emit(
        {
            "a": labels[0],
            "b": labels[1],
            "unexpected": len(comparison.unexpected),
            **msgspec.to_builtins(comparison),
        }
    )


def _of_suite(
    names: list[str], env: list[str]
) -> tuple[tuple[str, str], tuple["Manifest", "Manifest"]]:
    from llmeval.api.environments import planned_manifest
    from llmeval.core.errors import UsageError

    pair: list[str | None] = [None, *env] if len(env) == 1 else [*env]
    if len(names) != 1 or len(pair) != 2:
        raise UsageError(
            "write `llmeval env diff SUITE --env X --env Y`: one suite, two environments"
        )
    if pair[0] == pair[1]:
        raise UsageError(f"--env {pair[0]} is stated twice: name two environments")
    one, two = (planned_manifest(names[0], name) for name in pair)
    return (names[0], names[0]), (one, two)


def _of_runs(
    names: list[str], reports: Path
) -> tuple[tuple[str, str], tuple["Manifest", "Manifest"]]:
    from llmeval.core.errors import UsageError
    from llmeval.store.directory import RunDir

    if len(names) != 2:
        raise UsageError(
            "name two runs, `llmeval env diff A B`; or a suite and two of its environments,"
            " `llmeval env diff SUITE --env X --env Y`"
        )
    paths = run_directories([Path(name) for name in names], reports)
    if paths[0].resolve() == paths[1].resolve():
        raise UsageError(f"{names[0]} and {names[1]} are the same run: {paths[0]}")
    one, two = (RunDir(path).manifest() for path in paths)
    return (str(paths[0]), str(paths[1])), (one, two)
