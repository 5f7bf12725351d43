"""`llmeval history export`: past runs for other tools."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from llmeval.cli.common import Json, Reports, console, emit
from llmeval.cli.history_common import Branch, HistoryUrl, not_shown, open_for, suite_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from llmeval.history.opening import OpenHistory
    from llmeval.history.rows import RunRow


def export(
    suite: Annotated[
        str | None, typer.Argument(help="Only this suite's runs.", metavar="[SUITE]")
    ] = None,
    parquet: Annotated[
        Path | None,
        typer.Option(help="Tables of runs, metrics and verdicts (extra `data`).", metavar="DIR"),
    ] = None,
    openmetrics: Annotated[
        Path | None,
        typer.Option(
            help="The newest run of each suite, for Prometheus, Grafana, Argo.", metavar="FILE"
        ),
    ] = None,
    otel: Annotated[
        Path | None,
        typer.Option(help="Each score as an event of OpenTelemetry (OTLP-JSON).", metavar="FILE"),
    ] = None,
    mlflow: Annotated[
        str | None, typer.Option(help="Send the runs to a server of MLflow 3.", metavar="URI")
    ] = None,
    traces: Annotated[
        bool,
        typer.Option("--traces", help="With --mlflow: send each answer with its assessments too."),
    ] = False,
    eval_results: Annotated[
        Path | None,
        typer.Option(
            help="The newest run as .eval_results of a model repository (Hugging Face).",
            metavar="DIR",
        ),
    ] = None,
    branch: Branch = None,
    since: Annotated[
        str | None,
        typer.Option(help="Only runs since a day (2026-11-30), or within 30d.", metavar="TIME"),
    ] = None,
    last: Annotated[
        int | None, typer.Option(help="The newest N; default: all.", min=1, metavar="N")
    ] = None,
    history: HistoryUrl = None,
    reports: Reports = Path("reports"),
    as_json: Json = False,
) -> int:
    """Export past runs to Parquet, OpenMetrics, OpenTelemetry, MLflow or the Hugging Face Hub."""
    from llmeval.core.errors import UsageError
    from llmeval.history.selection import select_runs

    targets = (parquet, openmetrics, otel, mlflow, eval_results)
    if all(each is None for each in targets):
        raise UsageError(
            "say where to: --parquet DIR, --openmetrics FILE, --otel FILE, --mlflow URI or"
            " --eval-results DIR"
        )
    if traces and mlflow is None:
        raise UsageError("--traces belongs to --mlflow")
    done: dict[str, object] = {}
    with open_for(reports, history) as opened:
        query = select_runs(
            opened.query,
            suite=None if suite is None else suite_name(suite),
            branch=branch,
            since=since,
            last=last,
        )
        rows = opened.store.runs(query.where("status", "complete"))
        not_shown(opened)
        if parquet is not None:
            from llmeval.history.exports.parquet import write_parquet

            done["parquet"] = [str(path) for path in write_parquet(opened.store, rows, parquet)]
        if openmetrics is not None:
            done["openmetrics"] = _openmetrics(opened, suite, branch, openmetrics)
        if otel is not None:
            from llmeval.history.exports.otel import write_otel

            done["otel"] = write_otel([Path(row.path) for row in rows], otel)
        if mlflow is not None:
            from llmeval.history.exports.mlflow import log_to_mlflow

            done["mlflow"] = log_to_mlflow(opened.store, rows, mlflow, traces=traces)
        if eval_results is not None:
            done["eval_results"] = _eval_results(opened, rows, eval_results)
    _say(done, len(rows), as_json=as_json)
    return 0


def _openmetrics(history: "OpenHistory", suite: str | None, branch: str | None, path: Path) -> str:
    from llmeval.core.files import write_atomically
    from llmeval.history.exports.openmetrics import openmetrics

    query = history.query.where("branch", branch)
    only = None if suite is None else suite_name(suite)
    text = openmetrics(history.store, query, datetime.now(UTC), only)
    write_atomically(path, text.encode())
    return str(path)


def _eval_results(history: "OpenHistory", rows: "Sequence[RunRow]", folder: Path) -> str:
    from llmeval.core.errors import UsageError
    from llmeval.history.exports.eval_results import write_eval_results

    if not rows:
        raise UsageError("no complete run to export")
    if len({row.suite for row in rows}) > 1:
        raise UsageError("--eval-results is about one suite: name it")
    return str(write_eval_results(history.store, rows[0], folder))


def _say(done: dict[str, object], runs: int, *, as_json: bool) -> None:
    from llmeval.report.safe_text import count

    if as_json:
        emit({"runs": runs, **done})
        return
    for name, what in done.items():
        shown = ", ".join(what) if isinstance(what, list) else str(what)
        unit = {"otel": " events", "mlflow": " new runs"}.get(name, "")
        console().print(f"{name}: {shown}{unit}", markup=False, soft_wrap=True)
    console().print(f"{count(runs, 'complete run')} in the history.", style="dim")
