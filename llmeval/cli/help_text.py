"""Help texts: each paragraph of a command's docstring on one line.

Typer's rich mode keeps the line breaks of the source, so text that is wrapped at 100 columns breaks
in the middle of a sentence on a terminal of 80.
"""

import inspect
import re

import typer

_STARTS = re.compile(r"\s|[-*] |[1-9]\. ")
"""How a line begins that is not the continuation of a sentence: an item of a list, or code."""


def join_help_lines(app: typer.Typer) -> None:
    """Set the help of every command of `app` and its groups from the commands' docstrings."""
    for command in app.registered_commands:
        if command.callback is not None and command.help is None:
            command.help = joined(inspect.getdoc(command.callback) or "")
    for group in app.registered_groups:
        if group.typer_instance is not None:
            join_help_lines(group.typer_instance)


def joined(docstring: str) -> str:
    """The paragraphs of a docstring, each on one line. Items of lists and indented lines stay."""
    lines: list[str] = []
    for line in docstring.splitlines():
        continues = lines and lines[-1] and line and not _STARTS.match(line)
        if continues:
            lines[-1] += f" {line}"
        else:
            lines.append(line)
    return "\n".join(lines)
