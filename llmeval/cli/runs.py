"""`llmeval runs`: what was run, and how it developed."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

import typer

from llmeval.cli.common import Json, Reports, RunPath, console, emit, find_run, show_run
from llmeval.cli.history_common import (
    Branch,
    HistoryUrl,
    MetricName,
    SuiteName,
    not_shown,
    open_for,
    run_document,
    suite_name,
)
from llmeval.cli.runs_upkeep import rm, tag

app = typer.Typer(
    help="Past runs: lists, trends, one case through time, leaderboards (docs/history.md).",
    no_args_is_help=True,
)
SHOWN = 50
"""Runs that `list` shows on a terminal without `--last`."""


@app.command("list")
def list_runs(
    suite: Annotated[
        str | None, typer.Argument(help="Only this suite's runs.", metavar="[SUITE]")
    ] = None,
    branch: Branch = None,
    tag: Annotated[
        list[str] | None,
        typer.Option("--tag", help="Only runs with this tag.", metavar="NAME=VALUE"),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(help="Only runs since a day (2026-11-30), or within 30d.", metavar="TIME"),
    ] = None,
    decision: Annotated[
        str | None,
        typer.Option(help="PASS, FAIL, INCONCLUSIVE, INVALID or NONE.", metavar="DECISION"),
    ] = None,
    where: Annotated[
        list[str] | None,
        typer.Option(
            "--where",
            help="A condition such as candidate=small, cost_usd>1 or status!=complete.",
            metavar="CONDITION",
        ),
    ] = None,
    last: Annotated[
        int | None,
        typer.Option(help="The newest N; default: 50 on a terminal, else all.", min=1, metavar="N"),
    ] = None,
    history: HistoryUrl = None,
    reports: Reports = Path("reports"),
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV, and nothing else.")] = False,
    as_json: Json = False,
) -> int:
    """List runs, the newest first."""
    from llmeval.history.selection import select_runs

    with open_for(reports, history) as opened:
        query = select_runs(
            opened.query,
            suite=None if suite is None else suite_name(suite),
            branch=branch,
            tags=tag or (),
            since=since,
            decision=decision,
            where=where or (),
            last=last,
        )
        rows = opened.store.runs(query)
        tags = opened.store.tags([row.run_id for row in rows])
        not_shown(opened)
    documents = [run_document(row, tags.get(row.run_id, {})) for row in rows]
    if as_json:
        emit(documents)
    elif as_csv:
        _print_csv(documents)
    elif rows:
        from llmeval.cli.history_screen import print_runs

        print_runs(console(), rows[: last or SHOWN], tags, len(rows))
    else:
        console().print(f"No such runs in {reports}.", markup=False)
    return 0


def _print_csv(documents: list[dict[str, object]]) -> None:
    import csv

    from llmeval.history.selection import filterable

    names = ["run_id", *(name for name in filterable() if name != "run_id"), "path", "tags"]
    writer = csv.DictWriter(sys.stdout, names, extrasaction="ignore")
    writer.writeheader()
    for document in documents:
        tags = document["tags"]
        assert isinstance(tags, dict)
        text = ";".join(f"{name}={value}" for name, value in tags.items())
        cells = {**document, "tags": text}
        writer.writerow({name: _cell(value) for name, value in cells.items()})


def _cell(value: object) -> object:
    """A spreadsheet takes a text that begins so for a formula."""
    formula = isinstance(value, str) and value.startswith(tuple("=+-@\t\r"))
    return f"'{value}" if formula else value


@app.command()
def show(run: RunPath, reports: Reports = Path("reports"), as_json: Json = False) -> int:
    """Show the result of a run."""
    from dataclasses import replace

    from llmeval.api import load_run
    from llmeval.report.run_view import recorded_view

    loaded = load_run(find_run(run, reports))
    loaded.directory.judge_probes()  # the view reads, and so checks, the other records
    view = recorded_view(loaded.directory, loaded.manifest, loaded.summary, 10)
    html = loaded.path / "report.html"
    view = replace(view, report=html if html.exists() else None)
    show_run(loaded.decided(view), as_json=as_json)
    return 0


@app.command()
def trend(
    suite: SuiteName,
    metric: MetricName = None,
    slice_: Annotated[
        str, typer.Option("--slice", help="Only this slice.", metavar="TAG=VALUE")
    ] = "",
    branch: Branch = None,
    last: Annotated[int, typer.Option(help="The newest N runs.", min=1, metavar="N")] = 50,
    history: HistoryUrl = None,
    reports: Reports = Path("reports"),
    as_json: Json = False,
) -> int:
    """Show how the metrics of a suite developed.

    A line ends where the data, the judge, the checks or the repeats changed: results before and
    after can't be compared. Runs that are not complete are left out.
    """
    import msgspec

    from llmeval.cli.history_screen import print_trends
    from llmeval.core.errors import UsageError
    from llmeval.history.trends import trend_of

    name = suite_name(suite)
    with open_for(reports, history) as opened:
        query = opened.query.where("branch", branch)
        answer = trend_of(opened.store, query, name, metric, slice_, last)
        not_shown(opened)
    if not answer:
        what = f" with {metric or 'a metric'}{' @ ' + slice_ if slice_ else ''}"
        raise UsageError(f"there is no complete run of {name}{what} below {reports}")
    if as_json:
        emit(msgspec.to_builtins(answer))
        return 0
    print_trends(console(), answer)
    return 0


@app.command("case")
def case_(
    suite: SuiteName,
    case_id: Annotated[
        str, typer.Argument(help="The case's id.", metavar="ID", show_default=False)
    ],
    metric: MetricName = None,
    branch: Branch = None,
    last: Annotated[int, typer.Option(help="The newest N runs.", min=1, metavar="N")] = 50,
    history: HistoryUrl = None,
    reports: Reports = Path("reports"),
    as_json: Json = False,
) -> int:
    """Show one case through the runs of its suite: since when it fails, how often it flips.

    Comments of people on the case follow (`llmeval review`).
    """
    import msgspec

    from llmeval.cli.history_screen import print_life, print_remarks
    from llmeval.history.case_life import life_of
    from llmeval.history.case_remarks import remarks_on

    with open_for(reports, history) as opened:
        query = opened.query.where("branch", branch)
        life = life_of(opened.store, query, suite_name(suite), case_id, metric, last)
        remarks = remarks_on(opened.store, query, suite_name(suite), case_id)
        not_shown(opened)
    if as_json:
        comments = [{**msgspec.to_builtins(each.comment), "void": each.void} for each in remarks]
        emit({**msgspec.to_builtins(life), "flake_rate": life.flake_rate, "comments": comments})
    else:
        print_life(console(), life)
        print_remarks(console(), remarks)
    return 0


@app.command()
def flaky(
    suite: SuiteName,
    metric: MetricName = None,
    branch: Branch = None,
    last: Annotated[int, typer.Option(help="The newest N runs.", min=2, metavar="N")] = 20,
    quarantine: Annotated[
        bool,
        typer.Option("--quarantine", help="Print entries for quarantine.yaml, and nothing else."),
    ] = False,
    history: HistoryUrl = None,
    reports: Reports = Path("reports"),
    as_json: Json = False,
) -> int:
    """List cases whose grade changed although case, candidate, prompt and scorer did not."""
    import getpass

    import msgspec

    from llmeval.cli.history_screen import print_flaky
    from llmeval.history.flaky import flaky_cases, quarantine_entries

    with open_for(reports, history) as opened:
        query = opened.query.where("branch", branch)
        answer = flaky_cases(opened.store, query, suite_name(suite), metric, last)
        not_shown(opened)
    if quarantine:
        print(quarantine_entries(answer, getpass.getuser(), datetime.now(UTC).date()), end="")
    elif as_json:
        emit([{**msgspec.to_builtins(each), "rate": each.rate} for each in answer])
    else:
        print_flaky(console(), answer, last)
    return 0


@app.command()
def leaderboard(
    suite: SuiteName,
    metric: MetricName = None,
    by: Annotated[
        Literal["candidate", "branch", "environment", "run"],
        typer.Option("--by", help="What is ranked: the newest complete run of each."),
    ] = "candidate",
    common: Annotated[
        bool, typer.Option("--common", help="Rank runs of different cases on the common ones.")
    ] = False,
    branch: Branch = None,
    markdown: Annotated[bool, typer.Option("--md", help="Print a Markdown table.")] = False,
    history: HistoryUrl = None,
    reports: Reports = Path("reports"),
    as_json: Json = False,
) -> int:
    """Rank the candidates of a suite. Ties are shown as ties: a rank is a range.

    The ranges come from tests of every pair, case by case, and hold together with 95 % probability.
    """
    import msgspec

    from llmeval.cli.history_screen import board_markdown, print_board
    from llmeval.history.leaderboard import leaderboard_of

    with open_for(reports, history) as opened:
        query = opened.query.where("branch", branch)
        board = leaderboard_of(opened.store, query, suite_name(suite), metric, by, common=common)
        not_shown(opened)
    if as_json:
        emit(msgspec.to_builtins(board))
    elif markdown:
        print(board_markdown(board), end="")
    else:
        print_board(console(), board)
    return 0


app.command()(tag)
app.command()(rm)
