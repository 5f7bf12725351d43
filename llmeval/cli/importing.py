"""`llmeval import`: suites from what other tools have."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from llmeval.cli.common import Json, console, emit

if TYPE_CHECKING:
    from llmeval.importing.promptfoo.convert import Imported

app = typer.Typer(no_args_is_help=True, help="Suites from other tools' files.")

Out = Annotated[Path, typer.Option(help="The folder that the suites are to stand in.", metavar="DIR")]
Named = Annotated[str | None, typer.Option("--name", help="The suite's name.", metavar="NAME", show_default=False)]
Skip = Annotated[
    bool, typer.Option("--skip-unknown", help="Leave out what has no counterpart, and list it, instead of refusing.")
]


@app.command()
def promptfoo(
    config: Annotated[Path, typer.Argument(help="promptfooconfig.yaml", metavar="CONFIG", show_default=False)],
    out: Out = Path("suites"),
    name: Named = None,
    skip_unknown: Skip = False,
    as_json: Json = False,
) -> int:
    """Suites from a promptfoo configuration: prompts, providers, tests, assertions, CSV columns, thresholds.

    What has no counterpart is refused with its line, all at once. No code is run and no model is asked.
    """
    from llmeval.importing.promptfoo.convert import convert

    return _write(convert(config, out, name, skip_unknown=skip_unknown), as_json=as_json)


def _write(imported: "Imported", *, as_json: bool) -> int:
    """Write the files, check the suites, and say what there is to know."""
    from llmeval.engine.build import inspect_suite
    from llmeval.importing.writing import write_new
    from llmeval.suite.load import load_suite

    write_new(imported.files)
    for suite in imported.suites:
        inspect_suite(load_suite(suite))
    if as_json:
        emit(
            {
                "suites": [str(path) for path in imported.suites],
                "files": [str(path) for path in imported.files],
                "cases": imported.cases,
                "notes": imported.notes,
                "left_out": imported.left_out,
            }
        )
        return 0
    screen = console()
    for path in imported.suites:
        screen.print(f"[green]✔[/] {path}: {imported.cases:,} cases", soft_wrap=True)
    for mark, lines in (("[yellow]left out[/]", imported.left_out), ("[cyan]note[/]", imported.notes)):
        for line in lines:
            screen.print(f"{mark} ", end="")
            screen.print(line, markup=False, soft_wrap=True)
    screen.print(f"Now: llmeval run {imported.suites[0]}", soft_wrap=True)
    return 0
