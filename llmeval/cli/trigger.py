"""`llmeval trigger`: what to do when production, a judge or a deployment has changed."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from llmeval.cli.common import Env, Json, Reports, SuitePath, emit

if TYPE_CHECKING:
    from llmeval.api.triggering import TriggerEvaluation
    from llmeval.monitor.evidence import DriftEvidence

app = typer.Typer(
    help="Decide what to do about drift, a judge or a deployment.", no_args_is_help=True
)


@app.callback()
def _group() -> None:
    """Decide what to do about drift, a judge or a deployment."""


@app.command()
def evaluate(
    suite: SuitePath,
    fire: Annotated[
        bool, typer.Option("--fire", help="Carry out actions and send messages.")
    ] = False,
    triggers: Annotated[
        Path | None,
        typer.Option(help="Default: triggers.yaml next to the suite.", metavar="FILE"),
    ] = None,
    approved_by: Annotated[
        str, typer.Option(help="Who approves a cost above the limit.", metavar="NAME")
    ] = "",
    env: Env = None,
    reports: Reports = Path("reports"),
    as_json: Json = False,
) -> int:
    """Show the decision, its evidence, and what each trigger would do. Nothing is sent without
    --fire.

    Exit code 0: decided. 2: the suite or the file is wrong. 3: something was not delivered.
    """
    from datetime import UTC, datetime

    from llmeval.api.trigger_file import TRIGGERS, read_triggers
    from llmeval.api.triggering import evaluate as evaluate_triggers
    from llmeval.core.errors import ExitCode
    from llmeval.suite.loader import load_suite

    loaded = load_suite(suite, env)
    stated = read_triggers(triggers or loaded.base / TRIGGERS)
    result = evaluate_triggers(
        loaded,
        stated,
        reports=reports,
        now=datetime.now(UTC),
        fire=fire,
        approved_by=approved_by,
    )
    if as_json:
        emit(_document(loaded.name, result))
    else:
        _print(result, fire)
    return ExitCode.INVALID if result.failed else ExitCode.PASS


def _document(suite: str, result: "TriggerEvaluation") -> dict[str, object]:
    from dataclasses import asdict

    return {
        "schema": 1,
        "suite": suite,
        "decision": result.decision.decision,
        "because": result.decision.because,
        "evidence": asdict(result.evidence),
        "cost_usd": result.cost_usd,
        "benefit": result.benefit,
        "triggers": [each._asdict() for each in result.results],
        "messages": list(result.messages),
        "failed": list(result.failed),
    }


def _evidence(drift: "DriftEvidence") -> str:
    from llmeval.core.formatting import percent

    return (
        f"Evidence: {drift.stream} is {percent(drift.now)} since {drift.since}, and"
        f" {percent(drift.reference)} in the reference."
    )


def _cost(dollars: float | None) -> str:
    return "unknown" if dollars is None else f"${dollars:.2f}"


def _print(result: "TriggerEvaluation", fire: bool) -> None:
    import textwrap

    from llmeval.core.redaction import redact
    from llmeval.report.safe_text import one_line

    lines = [f"Decision: {result.decision.decision}. {result.decision.because}"]
    lines += [_evidence(each) for each in result.evidence.drift]
    if result.benefit:
        lines.append(f"Expected benefit: {result.benefit}.")
    lines += [
        f"{each.name}: {each.state}. {each.why.rstrip('.')}. Cost: {_cost(each.cost_usd)}."
        for each in result.results
    ]
    verb = "Message" if fire else "Message that would be sent"
    lines += [f"{verb}: {each}" for each in result.messages]
    lines += [f"NOT DELIVERED: {each}" for each in result.failed]
    if not fire:
        lines.append("Nothing was sent; --fire carries it out.")
    for line in lines:
        shown = one_line(redact(line), 2000)
        print(textwrap.fill(shown, 78, break_long_words=False, subsequent_indent="  "))
