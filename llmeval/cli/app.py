"""The commands, put together. Each one is a thin module; what it needs is imported when it runs."""

from typing import Annotated

import typer

from llmeval import __version__
from llmeval.cli import (
    baseline,
    cache,
    checks,
    comment,
    compare,
    doctor,
    gate,
    import_command,
    init,
    judge,
    labels,
    merge,
    models,
    plan,
    report,
    review,
    run,
    runs,
    score,
    simulate,
    validate,
)

app = typer.Typer(
    name="llmeval",
    help="Tests for language models: checks, a judge, and decisions that carry stated error rates.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:
    if asked:
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
    """Tests for language models: checks, a judge, and decisions that carry stated error rates."""


app.command()(run.run)
app.command()(plan.plan)
app.command()(simulate.simulate)
app.command()(score.score)
app.command()(merge.merge)
app.command()(gate.gate)
app.command()(compare.compare)
app.command()(report.report)
app.command()(comment.comment)
app.command()(review.review)
app.command()(validate.validate)
app.command()(validate.schema)
app.command()(init.init)
app.command()(doctor.doctor)
app.command()(checks.check)
app.add_typer(import_command.app, name="import")
app.add_typer(checks.app, name="checks")
app.add_typer(runs.app, name="runs")
app.add_typer(models.app, name="models")
app.add_typer(judge.app, name="judge")
app.add_typer(labels.app, name="labels")
app.add_typer(baseline.app, name="baseline")
app.add_typer(cache.app, name="cache")
