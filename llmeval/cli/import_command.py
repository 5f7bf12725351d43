"""`llmeval import`: suites from what other tools have."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from llmeval.cli.common import Json, Reports, console, emit
from llmeval.report.safe_text import count

if TYPE_CHECKING:
    from collections.abc import Callable

    from llmeval.importers.ledger import Ledger
    from llmeval.importers.recorded.suites import Evaluation
    from llmeval.importers.traces.recorded_traffic import RecordedConversation
    from llmeval.importers.writing import Imported

app = typer.Typer(
    no_args_is_help=True, help="Import suites and results of other tools, and recorded traffic."
)

Out = Annotated[Path, typer.Option(help="The folder for the suites.", metavar="DIR")]
Named = Annotated[
    str | None, typer.Option("--name", help="The suite's name.", metavar="NAME", show_default=False)
]
Skip = Annotated[
    bool,
    typer.Option(
        "--skip-unknown",
        help="Skip what has no counterpart and list it, instead of an error.",
    ),
]

Replayed = Annotated[
    bool,
    typer.Option(
        "--replay/--no-replay",
        help="Make a run of the recorded answers at once; no model is called.",
    ),
]


@app.command()
def promptfoo(
    config: Annotated[
        Path, typer.Argument(help="promptfooconfig.yaml", metavar="CONFIG", show_default=False)
    ],
    out: Out = Path("suites"),
    name: Named = None,
    skip_unknown: Skip = False,
    as_json: Json = False,
) -> int:
    """Import a promptfoo configuration: prompts, providers, tests, assertions.

    What has no counterpart is refused with its line, everything at once. No code is run and no
    model is called.
    """
    from llmeval.importers.ledger import foreign_file
    from llmeval.importers.promptfoo.convert import convert

    with foreign_file(config):
        imported = convert(config, out, name, skip_unknown=skip_unknown)
    return _write(imported, as_json=as_json)


@app.command()
def deepeval(
    results: Annotated[
        Path,
        typer.Argument(
            help="A test run as JSON, or DEEPEVAL_RESULTS_FOLDER.",
            metavar="RESULTS",
            show_default=False,
        ),
    ],
    out: Out = Path("suites"),
    name: Named = None,
    skip_unknown: Skip = False,
    replay: Replayed = True,
    reports: Reports = Path("reports"),
    as_json: Json = False,
) -> int:
    """A suite that replays a DeepEval test run, with DeepEval's scores as metrics."""
    from llmeval.importers.recorded.deepeval import read_deepeval

    return _recorded(
        read_deepeval, results, out, name, skip_unknown, reports if replay else None, as_json
    )


@app.command("inspect")
def inspect_log(
    results: Annotated[
        Path,
        typer.Argument(
            help="An .eval or .json log, or a folder of them.",
            metavar="RESULTS",
            show_default=False,
        ),
    ],
    out: Out = Path("suites"),
    name: Named = None,
    skip_unknown: Skip = False,
    replay: Replayed = True,
    reports: Reports = Path("reports"),
    as_json: Json = False,
) -> int:
    """A suite that replays a log of Inspect, with its scorers' values as metrics."""
    from llmeval.importers.recorded.inspect_logs import read_inspect

    return _recorded(
        read_inspect, results, out, name, skip_unknown, reports if replay else None, as_json
    )


@app.command("lm-eval")
def lm_eval(
    results: Annotated[
        Path,
        typer.Argument(
            help="The --output_path of lm_eval --log_samples.",
            metavar="RESULTS",
            show_default=False,
        ),
    ],
    out: Out = Path("suites"),
    name: Named = None,
    skip_unknown: Skip = False,
    replay: Replayed = True,
    reports: Reports = Path("reports"),
    as_json: Json = False,
) -> int:
    """Suites that replay the samples of lm-evaluation-harness, one a task, with its metrics."""
    from llmeval.importers.recorded.lm_eval import read_lm_eval

    return _recorded(
        read_lm_eval, results, out, name, skip_unknown, reports if replay else None, as_json
    )


@app.command()
def otlp(
    traces: Annotated[
        Path,
        typer.Argument(
            help="OTLP-JSON: a .json or .jsonl file, or a folder of them.",
            metavar="TRACES",
            show_default=False,
        ),
    ],
    out: Out = Path("suites"),
    name: Named = None,
    skip_unknown: Skip = False,
    replay: Replayed = True,
    reports: Reports = Path("reports"),
    as_json: Json = False,
) -> int:
    """A suite that replays traces of OpenTelemetry: messages, tool calls, passages, steps."""
    from llmeval.importers.traces.otlp import read_otlp

    shown = reports if replay else None
    return _traffic(read_otlp, "OpenTelemetry", traces, out, name, skip_unknown, shown, as_json)


@app.command()
def langfuse(
    export: Annotated[
        Path,
        typer.Argument(
            help="Traces, sessions or observations: a .json or .jsonl file, or a folder of them.",
            metavar="EXPORT",
            show_default=False,
        ),
    ],
    out: Out = Path("suites"),
    name: Named = None,
    skip_unknown: Skip = False,
    replay: Replayed = True,
    reports: Reports = Path("reports"),
    as_json: Json = False,
) -> int:
    """A suite that replays an export of Langfuse, with its scores as metrics."""
    from llmeval.importers.traces.langfuse import read_langfuse

    shown = reports if replay else None
    return _traffic(read_langfuse, "Langfuse", export, out, name, skip_unknown, shown, as_json)


@app.command("openai-logs")
def openai_logs(
    logs: Annotated[
        Path,
        typer.Argument(
            help="A .jsonl or .json of requests with their replies.",
            metavar="LOGS",
            show_default=False,
        ),
    ],
    out: Out = Path("suites"),
    name: Named = None,
    skip_unknown: Skip = False,
    replay: Replayed = True,
    reports: Reports = Path("reports"),
    as_json: Json = False,
) -> int:
    """A suite that replays chats logged in OpenAI's format."""
    from llmeval.importers.traces.chat_logs import read_chat_logs

    shown = reports if replay else None
    return _traffic(read_chat_logs, "OpenAI logs", logs, out, name, skip_unknown, shown, as_json)


def _traffic(
    read: "Callable[[Path, Ledger], list[RecordedConversation]]",
    tool: str,
    source: Path,
    out: Path,
    name: str | None,
    skip_unknown: bool,
    reports: Path | None,
    as_json: bool,
) -> int:
    from llmeval.core.errors import UsageError
    from llmeval.importers.ledger import Ledger, foreign_file
    from llmeval.importers.traces.traffic_suites import traffic_suite

    if not source.exists():
        raise UsageError(f"{source}: there is no such file or folder")
    ledger = Ledger()
    with foreign_file(source):
        conversations = read(source, ledger)
        ledger.settle(skip_unknown=skip_unknown)
        imported = traffic_suite(conversations, out, name, tool, ledger, source)
    return _write(imported, reports, as_json=as_json)


def import_traces(source: Path, out: Path, name: str | None, *, as_json: bool) -> int:
    """A suite that replays recorded traffic in any of the formats that have a command.

    Raises:
        UsageError: none of them can read it; with the reason of each.
    """
    from llmeval.core.errors import LlmevalError, UsageError
    from llmeval.importers.ledger import Ledger, foreign_file
    from llmeval.importers.traces.chat_logs import read_chat_logs
    from llmeval.importers.traces.langfuse import read_langfuse
    from llmeval.importers.traces.otlp import read_otlp
    from llmeval.importers.traces.traffic_suites import traffic_suite

    if not source.exists():
        raise UsageError(f"{source}: there is no such file or folder")
    readers = {"otel": read_otlp, "langfuse": read_langfuse, "openai-logs": read_chat_logs}
    reasons = []
    for command, read in readers.items():
        ledger = Ledger()
        try:
            with foreign_file(source):
                conversations = read(source, ledger)
                ledger.settle(skip_unknown=False)
                imported = traffic_suite(conversations, out, name, command, ledger, source)
        except LlmevalError as error:
            reasons.append(f"\n  llmeval import {command}: {error}")
        else:
            return _write(imported, as_json=as_json)
    raise UsageError(f"{source}: no format of recorded traffic reads it:{''.join(reasons)}")


def _recorded(
    read: "Callable[[Path, Ledger], list[Evaluation]]",
    results: Path,
    out: Path,
    name: str | None,
    skip_unknown: bool,
    reports: Path | None,
    as_json: bool,
) -> int:
    from llmeval.core.errors import UsageError
    from llmeval.importers.ledger import Ledger, foreign_file
    from llmeval.importers.recorded.suites import as_suites

    if not results.exists():
        raise UsageError(f"{results}: there is no such file or folder")
    ledger = Ledger()
    with foreign_file(results):
        evaluations = read(results, ledger)
        ledger.settle(skip_unknown=skip_unknown)
        imported = as_suites(evaluations, out, name, ledger, results)
    return _write(imported, reports, as_json=as_json)


def _write(imported: "Imported", reports: Path | None = None, *, as_json: bool) -> int:
    """Write the files, check the suites, replay them where `reports` says so, and say what there is
    to know.
    """
    from llmeval.importers.writing import write_new
    from llmeval.runner.plan import inspect_suite
    from llmeval.suite.loader import load_suite

    write_new(imported.files)
    counts = {suite: inspect_suite(load_suite(suite))["cases"] for suite in imported.suites}
    runs = (
        {} if reports is None else {suite: _replayed(suite, reports) for suite in imported.suites}
    )
    if as_json:
        emit(
            {
                "suites": [str(path) for path in imported.suites],
                "files": [str(path) for path in imported.files],
                "cases": imported.cases,
                "notes": imported.notes,
                "left_out": imported.left_out,
                "to_fill": imported.to_fill,
                "runs": {str(suite): str(path) for suite, path in runs.items()},
            }
        )
        return 0
    screen = console()
    for path in imported.suites:
        replayed = f", replayed in {runs[path]}" if path in runs else ""
        screen.print(f"[green]✔[/] {path}: {count(counts[path], 'case')}{replayed}", soft_wrap=True)
    for mark, lines in (
        ("[yellow]left out[/]", imported.left_out),
        ("[yellow]to fill in[/]", imported.to_fill),
        ("[cyan]note[/]", imported.notes),
    ):
        for line in lines:
            screen.print(f"{mark} ", end="")
            screen.print(line, markup=False, soft_wrap=True)
    first = imported.suites[0]
    screen.print(
        f"Now: llmeval report {runs[first]}" if runs else f"Now: llmeval run {first}",
        soft_wrap=True,
    )
    return 0


def _replayed(suite: Path, reports: Path) -> Path:
    from llmeval.api import run
    from llmeval.runner.options import Options

    return run(suite, options=Options(reports=reports, use_cache=False)).path
