"""The commands, put together. Each one is a thin module; what it needs is imported when it runs."""

import copy
import functools
from collections.abc import Callable
from typing import Annotated

import typer
from typer.main import get_command, get_command_name
from typer.models import CommandInfo

from llmeval import __version__
from llmeval.cli import (
    approve,
    attest,
    audit,
    baseline,
    cache,
    card,
    checks,
    comment,
    compare,
    data,
    doctor,
    env,
    evidence,
    gate,
    history,
    import_command,
    init,
    judge,
    labels,
    launch,
    merge,
    models,
    monitor,
    plan,
    promote,
    report,
    review,
    run,
    runs,
    score,
    seal,
    simulate,
    status,
    trigger,
    validate,
    view,
)
from llmeval.cli.help_text import join_help_lines

app = typer.Typer(
    name="llmeval",
    help="Regression tests for LLM applications: checks, a judge, and decisions with error rates.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(show: bool) -> None:
    if show:
        print(f"llmeval {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Regression tests for LLM applications: checks, a judge, and decisions with error rates."""


TEST, PLAN, REVIEW, SETUP = "Test", "Plan a test", "Compare, report, review", "Set up"
AFTER, GOVERN = "After release", "Govern"

app.command(rich_help_panel=TEST)(run.run)
app.command(rich_help_panel=TEST)(score.score)
app.command(rich_help_panel=TEST)(gate.gate)
app.command(rich_help_panel=TEST)(merge.merge)
app.command(rich_help_panel=TEST)(checks.check)
app.command(rich_help_panel=PLAN)(validate.validate)
app.command(rich_help_panel=PLAN)(plan.plan)
app.command(rich_help_panel=PLAN)(simulate.simulate)
app.command(rich_help_panel=REVIEW)(compare.compare)
app.command(rich_help_panel=REVIEW)(report.report)
app.command(rich_help_panel=REVIEW)(view.view)
app.command(rich_help_panel=REVIEW)(comment.comment)
app.add_typer(review.app, name="review", rich_help_panel=REVIEW)
app.command(rich_help_panel=SETUP)(init.init)
app.command(rich_help_panel=SETUP)(doctor.doctor)
app.command(rich_help_panel=SETUP)(validate.schema)
app.command(rich_help_panel=GOVERN)(seal.seal)
app.command(rich_help_panel=GOVERN)(seal.verify)
app.command(rich_help_panel=GOVERN)(attest.attest)
app.command(rich_help_panel=GOVERN)(approve.approve)
app.command(rich_help_panel=GOVERN)(evidence.evidence)
app.command(rich_help_panel=GOVERN)(card.card)
app.command(rich_help_panel=GOVERN)(promote.promote)
app.add_typer(audit.app, name="audit", rich_help_panel=GOVERN)
app.add_typer(env.app, name="env", rich_help_panel=REVIEW)
app.add_typer(launch.app, name="launch", rich_help_panel=TEST)
app.add_typer(runs.app, name="runs", rich_help_panel=REVIEW)
app.add_typer(history.app, name="history", rich_help_panel=REVIEW)
app.add_typer(labels.app, name="labels", rich_help_panel=REVIEW)
app.add_typer(baseline.app, name="baseline", rich_help_panel=REVIEW)
app.add_typer(monitor.app, name="monitor", rich_help_panel=AFTER)
app.command(rich_help_panel=AFTER)(status.status)
app.add_typer(trigger.app, name="trigger", rich_help_panel=AFTER)
app.add_typer(judge.app, name="judge", rich_help_panel=SETUP)
app.add_typer(data.app, name="data", rich_help_panel=PLAN)
app.add_typer(checks.app, name="checks", rich_help_panel=SETUP)
app.add_typer(models.app, name="models", rich_help_panel=SETUP)
app.add_typer(import_command.app, name="import", rich_help_panel=SETUP)
app.add_typer(cache.app, name="cache", rich_help_panel=SETUP)
join_help_lines(app)


@functools.cache
def entry_point(first: str) -> Callable[..., object]:
    """What carries out a command line. `first`: its first word.

    Where that is the name of a command, `llmeval` with this one command alone: to build all of them
    takes 60 ms, and most command lines need one. Else all of them, as for `--help` and for
    suggestions after a mistake.
    """
    one = copy.copy(app)
    one.registered_commands = [each for each in app.registered_commands if _name(each) == first]
    one.registered_groups = [each for each in app.registered_groups if each.name == first]
    is_command = bool(one.registered_commands or one.registered_groups)
    return get_command(one if is_command else app)


def _name(command: CommandInfo) -> str:
    return command.name or get_command_name(command.callback.__name__ if command.callback else "")
