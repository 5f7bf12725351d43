"""`llmeval checks` and `llmeval check`: what the deterministic checks are, and one of them tried on
a text.
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from llmeval.cli import completion
from llmeval.cli.common import Json, console, emit
from llmeval.cli.help_text import joined

if TYPE_CHECKING:
    from rich.text import Text

    from llmeval.core.records import Span

app = typer.Typer(help="List and show the deterministic checks.", no_args_is_help=True)


@app.command("list")
def list_checks(as_json: Json = False) -> int:
    """List every check: the most used first, then by group."""
    from rich.table import Table

    from llmeval.checks.most_used import in_order
    from llmeval.checks.registry import all_checks

    sections = in_order(all_checks().values())
    if as_json:
        emit(
            [
                {"name": k.name, "group": k.group, "version": k.version, "summary": k.summary}
                for _, kinds in sections
                for k in kinds
            ]
        )
        return 0
    table = Table(box=None, header_style="dim", pad_edge=False, padding=(0, 2))
    for heading in ("group", "check", "what it demands"):
        table.add_column(heading)
    for heading, kinds in sections:
        for index, kind in enumerate(kinds):
            table.add_row("" if index else heading, kind.name, kind.summary)
    console().print(table)
    return 0


@app.command()
def show(
    name: Annotated[
        str,
        typer.Argument(
            help="A check, or an own one as module:function.", autocompletion=completion.checks
        ),
    ],
    as_json: Json = False,
) -> int:
    """Show one check: what it demands, its arguments, and how to write it."""
    import inspect

    from llmeval.checks.argument_models import model_of
    from llmeval.checks.spec import check_type
    from llmeval.core.errors import UsageError
    from llmeval.models.loading import load_function

    try:
        kind = check_type(name, load_function)
    except ValueError as error:
        raise UsageError(str(error)) from None
    schema = model_of(kind).model_json_schema()
    if as_json:
        emit({"name": name, "group": kind.group, "version": kind.version, "arguments": schema})
        return 0
    out = console()
    out.print(f"[bold]{name}[/]  [dim]{kind.group}, version {kind.version}[/]\n")
    out.print(joined(inspect.getdoc(kind.function) or ""), markup=False)
    if kind.parameters:
        out.print("\n[bold]Arguments[/] [dim](the first is what `name: argument` sets)[/]")
    for parameter in kind.parameters.values():
        default = (
            "required" if parameter.default is parameter.empty else f"default {parameter.default!r}"
        )
        out.print(f"  {parameter.name}: {_type(schema, parameter.name)}, {default}", markup=False)
    _show_example(kind.name)
    return 0


def _show_example(name: str) -> None:
    from llmeval.checks.examples import example

    shown_example = example(name)
    if shown_example is None:
        return
    out = console()
    out.print("\n[bold]Example[/]")
    out.print(f"  {shown_example.written}", markup=False, highlight=False, soft_wrap=True)
    for label, text in shown_example.shown:
        line = text if label.endswith("with") else repr(text)
        out.print(f"  {label}: {line}", markup=False, highlight=False, soft_wrap=True)


def check(
    text: Annotated[
        str, typer.Argument(help="A text, a file, or - for standard input.", metavar="TEXT|FILE")
    ],
    check: Annotated[
        list[str],
        typer.Option(
            "--check", help="A check as in a suite: name, or 'name: argument'.", metavar="CHECK"
        ),
    ],
    reference: Annotated[
        list[str] | None, typer.Option(help="A right answer. Repeat the option for several.")
    ] = None,
    question: Annotated[
        str | None, typer.Option(help="The question that the text answers.")
    ] = None,
    locale: Annotated[str | None, typer.Option(help="The text's language, such as fr.")] = None,
    as_json: Json = False,
) -> int:
    """Apply checks to a text and underline what they report.

    Exit codes: 0 all checks pass, 1 one fails.
    """
    import yaml

    from llmeval.checks.spec import SpecError, bind
    from llmeval.core.errors import UsageError
    from llmeval.core.records import Answer, Case
    from llmeval.models.loading import load_function

    content = _content(text)
    fields: dict[str, object] = {}
    if question is not None:
        fields["question"] = question
    if locale is not None:
        fields["locale"] = locale
    case = Case("text", fields, references=tuple(reference or ()))
    try:
        bound = bind([yaml.safe_load(item) for item in check], load=load_function)
    except (SpecError, yaml.YAMLError) as error:
        raise UsageError(f"--check: {error}") from None
    results = []
    for item in bound:
        answer = Answer(case_id="text", output=content)
        result = item.evaluate(case, answer, lambda value: value)
        parts = ((f"{item.metric}.{name}", part) for name, part in result.metrics.items())
        results += [(item.metric, result), *parts]
    if as_json:
        emit([_plain(metric, result) for metric, result in results])
    else:
        for metric, result in results:
            _print(metric, result, content)
    return 1 if any(result.passed is False for _, result in results) else 0


def _content(text: str) -> str:
    if text == "-":
        return sys.stdin.read()
    try:
        path = Path(text)
        return path.read_text(encoding="utf-8") if path.is_file() else text
    except (OSError, ValueError):
        return text


def _plain(metric: str, result: Any) -> dict[str, object]:
    import msgspec

    return {
        "metric": metric,
        "value": result.value,
        "passed": result.passed,
        "reason": result.reason,
        "confidence": result.confidence,
        "evidence": [msgspec.to_builtins(span) for span in result.evidence],
    }


def _print(metric: str, result: Any, content: str) -> None:
    from rich.text import Text

    marks = {True: ("✔ pass", "green"), False: ("✘ fail", "red"), None: ("· not applicable", "dim")}
    word, style = marks[result.passed]
    value = "" if result.value is None else f"  {result.value:.2f}"
    out = console()
    out.print(Text.assemble((word, style), f"  {metric}{value}  ", (result.reason, "dim")))
    if result.evidence:
        out.print(_underlined(content, result.evidence))
        for span in result.evidence:
            quoted = content[span.start : span.end]
            out.print(
                Text(
                    f"  {span.start}-{span.end} {quoted!r}: {span.message} [{span.rule}]",
                    style="dim",
                )
            )


def _underlined(content: str, spans: "tuple[Span, ...]") -> "Text":
    from rich.text import Text

    text = Text(content)
    for span in spans:
        colour = {"error": "red", "advice": "yellow", "info": "cyan"}[span.severity]
        text.stylize(f"underline {colour}", span.start, max(span.end, span.start + 1))
    return text


def _type(schema: dict[str, Any], name: str) -> str:
    field = schema.get("properties", {}).get(name, {})
    options = field.get("anyOf", [field])
    words = [
        str(option.get("type", option.get("$ref", option.get("enum", option.get("const", "any")))))
        for option in options
    ]
    return " or ".join(words)
