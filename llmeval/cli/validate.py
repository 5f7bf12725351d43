"""`llmeval validate` and `llmeval schema`: is a suite right, and what may stand in one."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from llmeval.cli import completion
from llmeval.cli.common import Env, Json, console, emit, suite_files

if TYPE_CHECKING:
    from llmeval.datatests.check import DataReport
    from llmeval.suite.loader import Suite


def validate(
    suites: Annotated[
        list[Path],
        typer.Argument(
            help="Suite files.",
            metavar="SUITE...",
            show_default=False,
            autocompletion=completion.suites,
        ),
    ],
    env: Env = None,
    against: Annotated[
        str | None,
        typer.Option(
            help=("Show how the gate differs from that of a git revision, a lock file or a run."),
            metavar="REF",
        ),
    ] = None,
    strict: Annotated[
        bool,
        typer.Option(
            "--strict", help="Run the data tests too (`data check`); an error ends with 1."
        ),
    ] = False,
    fix: Annotated[
        bool,
        typer.Option(
            "--fix",
            help="Correct misspelled keys in the file, if it is valid afterwards; show the change.",
        ),
    ] = False,
    as_json: Json = False,
) -> int:
    """Check suites as a run does before its first call.

    Checks cases, models, certificates and the baseline. No model is called or loaded.
    """
    from llmeval.api import validate as check
    from llmeval.cli.data import show_report
    from llmeval.core.errors import ExitCode, LlmevalError
    from llmeval.suite.loader import load_suite

    valid, wrong = [], []
    reports: list[DataReport] = []
    suites = suite_files(suites)
    for suite in suites:
        try:
            fixes = _fixed(suite, env, as_json=as_json) if fix else []
            loaded = load_suite(suite, env)
            facts = check(loaded)
            if fix:
                facts = {**facts, "fixed": fixes}
            if strict:
                reports.append(_data_report(loaded))
                facts = {**facts, "data": reports[-1].document()}
            valid.append(
                (
                    suite,
                    facts if against is None else {**facts, "against": _against(loaded, against)},
                )
            )
        except LlmevalError as error:
            if len(suites) == 1:
                raise
            wrong.append(str(error))
    if as_json:
        emit(
            valid[0][1]
            if len(suites) == 1
            else {"suites": [facts for _, facts in valid], "errors": wrong}
        )
    else:
        _print(valid)
        for report in reports:
            show_report(report)
    for message in wrong:
        print(f"llmeval: {message}", file=sys.stderr)
    if wrong:
        return ExitCode.USAGE
    return ExitCode.GATE_FAILED if any(report.failed for report in reports) else ExitCode.PASS


def _fixed(suite: Path, env: str | None, *, as_json: bool) -> list[dict[str, object]]:
    """The corrections of a suite file. The difference is shown to people."""
    from llmeval.cli.validate_fix import fix_file

    fixes, difference = fix_file(suite, env)
    if difference and not as_json:
        console().print(difference, markup=False, highlight=False, soft_wrap=True)
    return fixes


def _data_report(suite: "Suite") -> "DataReport":
    """The report of the data tests, with the runs below reports/."""
    from llmeval.datatests.check import CheckOptions, check_data

    return check_data(suite, CheckOptions(reports=Path("reports")))


def _against(suite: "Suite", reference: str) -> dict[str, object]:
    import msgspec

    from llmeval.api.against import changes_against

    changes = changes_against(suite, reference)
    return {
        "reference": reference,
        "changes": None if changes is None else msgspec.to_builtins(changes),
    }


def _print_against(suite: Path, against: dict[str, Any]) -> None:
    out, reference, changes = console(), against["reference"], against["changes"]
    out.soft_wrap = True
    if changes is None:
        out.print(
            f"The gate against {reference}: {suite} is not there, so all of it is new.",
            markup=False,
        )
    elif not changes:
        out.print(f"The gate against {reference}: nothing changed.", markup=False)
    else:
        out.print(f"The gate against {reference}:", markup=False)
    for change in changes or ():
        out.print(
            f"  {change['text']}",
            markup=False,
            style="yellow" if change["direction"] == "looser" else None,
        )


def _print(valid: list[tuple[Path, dict[str, Any]]]) -> None:
    from rich.markup import escape

    from llmeval.report.safe_text import count

    for suite, facts in valid:
        parts = [count(facts["cases"], "case")]
        parts += [count(len(facts[f"{noun}s"]), noun) for noun in ("check", "judge", "rule")]
        console().print(f"[green]✔[/] {escape(str(suite))}: {', '.join(parts)}", soft_wrap=True)
        if not facts["rules"]:
            console().print("[yellow]⚠[/] no gate: nothing will be decided (`gate: none`)")
        for warning in facts["warnings"]:
            console().print(f"[yellow]⚠[/] {escape(warning)}", soft_wrap=True)
        if "against" in facts:
            _print_against(suite, facts["against"])


def schema(
    checks: Annotated[
        bool, typer.Option("--checks", help="Print the schema of the arguments of every check.")
    ] = False,
    records: Annotated[
        bool, typer.Option("--records", help="Every file of a run directory instead.")
    ] = False,
) -> int:
    """Print the JSON Schema of suite files, for editors."""
    from llmeval.core.errors import UsageError
    from llmeval.suite.schema import SuiteSpec

    if checks and records:
        raise UsageError("--checks and --records exclude one another: give one of them")
    if records:
        from llmeval.core.record_files import record_schemas

        emit(record_schemas())
    elif checks:
        from llmeval.checks.spec import arguments_schema

        emit(arguments_schema())
    else:
        emit(SuiteSpec.model_json_schema())
    return 0
