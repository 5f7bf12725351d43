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
    as_json: Json = False,
) -> int:
    """Check that runs are possible here, and say how to fix what is not.

    Checks Python, extras and disk; with a suite also its keys, endpoints, first answers and
    certificates.

    Exit codes: 0 a run is possible, 3 something prevents it.
    """
    from llmeval.api.machine_diagnosis import diagnose_machine

    findings = diagnose_machine(reports)
    if as_json:
        found = [*findings, *_of_suite(suite, env, ask)]
        emit(
            {
                "ok": all(finding.state != "bad" for finding in found),
                "findings": [asdict(each) for each in found],
            }
        )
        return (
            ExitCode.PASS if all(finding.state != "bad" for finding in found) else ExitCode.INVALID
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


def _of_suite(suite: Path | None, env: str | None, ask: bool) -> "Iterable[Diagnosis]":
    from llmeval.api.suite_diagnosis import diagnose_suite

    return () if suite is None else diagnose_suite(suite, env, ask=ask)
