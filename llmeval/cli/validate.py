"""`llmeval validate` and `llmeval schema`: is a suite right, and what may stand in one."""

from typing import Annotated

import typer

from llmeval.cli.common import Env, Json, SuitePath, console, emit


def validate(suite: SuitePath, env: Env = None, as_json: Json = False) -> int:
    """Check a suite and all of its cases; no model is called, loaded or needed."""
    from llmeval.engine.build import inspect_suite
    from llmeval.suite.load import load_suite

    facts = inspect_suite(load_suite(suite, env))
    if as_json:
        emit(facts)
    else:
        console().print(
            f"[green]✔[/] {suite}: {facts['cases']:,} cases, {len(facts['checks'])} checks, "
            f"{len(facts['judges'])} judges, {len(facts['rules'])} rules"
        )
        for warning in facts["warnings"]:
            console().print(f"[yellow]⚠[/] {warning}")
    return 0


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
