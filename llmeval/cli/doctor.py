"""`llmeval doctor`: what stands between this machine, or this suite, and a run; each with the
fix.
"""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from llmeval.cli import completion
from llmeval.cli.common import Env, Json, Reports, console, emit
from llmeval.core.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterable

    from llmeval.api.machine_diagnosis import Diagnosis

_MARKS = {"ok": "[green]✔[/]", "note": "[yellow]⚠[/]", "bad": "[red]✘[/]"}

_TEST_MARKS = {
    "passed": "[green]✔[/]",
    "failed": "[red]✘[/]",
    "error": "[magenta]![/]",
    "skipped": "[dim]·[/]",
}


def doctor(
    suite: Annotated[
        Path | None,
        typer.Argument(
            help="Check the models and judges of this suite too.",
            metavar="[SUITE]",
            show_default=False,
            autocompletion=completion.suites,
        ),
    ] = None,
    env: Env = None,
    ask: Annotated[
        bool, typer.Option("--ask/--no-ask", help="Send each model one short question.")
    ] = True,
    reports: Reports = Path("reports"),
    ci: Annotated[
        bool,
        typer.Option(
            "--ci", help="Test models and machine as a test suite: pass, fail, error, skipped."
        ),
    ] = False,
    junit: Annotated[
        Path | None, typer.Option(help="With --ci: write JUnit XML.", metavar="FILE")
    ] = None,
    max_latency: Annotated[
        float,
        typer.Option(help="With --ci: the most seconds for one answer.", metavar="SECONDS", min=0),
    ] = 10.0,
    as_json: Json = False,
) -> int:
    """Check that runs are possible here, and say how to fix what is not.

    Checks Python, extras and disk; with a suite also its keys, endpoints, first answers and
    certificates.

    Exit codes: 0 a run is possible, 3 something prevents it. With --ci: 0 every test passed or does
    not apply, 1 a test failed, 3 a test could not be carried out.
    """
    if ci or junit is not None:
        return _as_tests(suite, env, reports, max_latency, ci=ci, ask=ask, junit=junit, js=as_json)
    from llmeval.api.machine_diagnosis import diagnose_machine

    findings = diagnose_machine(reports)
    if as_json:
        diagnoses = [*findings, *_of_suite(suite, env, ask)]
        emit(
            {
                "ok": all(finding.state != "bad" for finding in diagnoses),
                "findings": [asdict(each) for each in diagnoses],
            }
        )
        return (
            ExitCode.PASS
            if all(finding.state != "bad" for finding in diagnoses)
            else ExitCode.INVALID
        )
    screen, bad = console(), 0
    for group in (findings, _of_suite(suite, env, ask)):
        for finding in group:
            bad += finding.state == "bad"
            screen.print(f"{_MARKS[finding.state]} [bold]{finding.what}[/]  ", end="")
            screen.print(finding.detail, markup=False, soft_wrap=True)
            if finding.fix:
                screen.print(f"    {finding.fix}", style="cyan", markup=False, soft_wrap=True)
    if bad:
        screen.print(f"[red]{bad} of these {'is' if bad == 1 else 'are'} in the way of a run.[/]")
        return ExitCode.INVALID
    screen.print(
        f"Nothing is in the way: llmeval run {suite or 'SUITE'}", markup=False, soft_wrap=True
    )
    return ExitCode.PASS


def _as_tests(
    path: Path | None,
    env: str | None,
    reports: Path,
    max_latency: float,
    *,
    ci: bool,
    ask: bool,
    junit: Path | None,
    js: bool,
) -> int:
    """The tests of --ci."""
    from llmeval.api.infrastructure_tests import run_infrastructure_tests
    from llmeval.core.errors import UsageError
    from llmeval.core.files import writing
    from llmeval.report.doctor_junit import write_doctor_junit
    from llmeval.suite.loader import load_suite

    if path is None or not ask or not ci:
        raise UsageError(
            "the tests need a suite and calls of its models: llmeval doctor SUITE --ci [--junit"
            " FILE], without --no-ask"
        )
    report = run_infrastructure_tests(load_suite(path, env), reports, max_latency)
    if junit is not None:
        with writing(junit):
            write_doctor_junit(junit, report.suite, report.tests)
    if js:
        emit(report.document())
        return report.exit_code
    screen = console()
    for test in report.tests:
        screen.print(f"{_TEST_MARKS[test.state]} [bold]{test.state}[/] ", end="")
        screen.print(f"{test.name}: {test.detail}", markup=False, soft_wrap=True)
        if test.fix and test.state != "passed":
            screen.print(f"    {test.fix}", style="cyan", markup=False, soft_wrap=True)
    counts = (f"{report.count(s)} {s}" for s in ("passed", "failed", "error", "skipped"))
    screen.print(", ".join(counts), markup=False)
    return report.exit_code


def _of_suite(suite: Path | None, env: str | None, ask: bool) -> "Iterable[Diagnosis]":
    from llmeval.api.suite_diagnosis import diagnose_suite

    return () if suite is None else diagnose_suite(suite, env, ask=ask)
