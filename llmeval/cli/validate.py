"""`llmeval validate` and `llmeval schema`: is a suite right, and what may stand in one."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from llmeval.cli import completing
from llmeval.cli.common import Env, Json, console, emit


def validate(
    suites: Annotated[
        list[Path],
        typer.Argument(help="Suite files.", metavar="SUITE...", show_default=False, autocompletion=completing.suites),
    ],
    env: Env = None,
    as_json: Json = False,
) -> int:
    """Check suites and all of their cases; no model is called, loaded or needed."""
    from llmeval.engine.build import inspect_suite
    from llmeval.errors import ExitCode, SuiteError
    from llmeval.gate.reach import Reach
    from llmeval.gate.threshold import floor_rates
    from llmeval.suite.load import load_suite

    found, wrong = [], []
    for suite in suites:
        try:
            loaded = load_suite(suite, env)
            gate = loaded.spec.gate
            reach = Reach(floor_rates(gate.model_dump()), gate.alpha, early=gate.stop == "early")
            facts = inspect_suite(loaded, reach.add)
            found.append((suite, {**facts, "warnings": [*facts["warnings"], *reach.told()]}))
        except SuiteError as error:
            if len(suites) == 1:
                raise
            wrong.append(str(error))
    if as_json:
        emit(found[0][1] if len(suites) == 1 else {"suites": [facts for _, facts in found], "errors": wrong})
    else:
        _print(found)
    for message in wrong:
        print(f"llmeval: {message}", file=sys.stderr)
    return ExitCode.USAGE if wrong else ExitCode.PASS


def _print(found: list[tuple[Path, dict[str, Any]]]) -> None:
    for suite, facts in found:
        console().print(
            f"[green]✔[/] {suite}: {facts['cases']:,} cases, {len(facts['checks'])} checks, "
            f"{len(facts['judges'])} judges, {len(facts['rules'])} rules"
        )
        for warning in facts["warnings"]:
            console().print(f"[yellow]⚠[/] {warning}")


def schema(
    checks: Annotated[bool, typer.Option("--checks", help="The arguments of every check instead.")] = False,
) -> int:
    """Print the JSON Schema of suite files, for editors."""
    from llmeval.suite.schema import SuiteSpec

    if checks:
        from llmeval.checks.spec import arguments_schema

        emit(arguments_schema())
    else:
        emit(SuiteSpec.model_json_schema())
    return 0
