"""`llmeval compare A B --history URL`: two runs by the verdicts that the history has."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from llmeval.cli.common import console, emit
from llmeval.cli.history_common import open_for

if TYPE_CHECKING:
    from llmeval.history.stored_comparison import StoredChange, StoredComparison


def compare_in_history(names: Sequence[Path], url: str, reports: Path, *, as_json: bool) -> int:
    """Compare two runs of the history; returns the exit code.

    Raises:
        UsageError, StoreError: a run is not in the history, or the history can't be used.
    """
    import msgspec

    from llmeval.core.errors import ExitCode
    from llmeval.history.stored_comparison import compare_stored, resolved_runs

    with open_for(reports, url) as history:
        comparison = compare_stored(history, *resolved_runs(history, [str(each) for each in names]))
    if as_json:
        emit(
            {
                "first": comparison.first.run_id,
                "second": comparison.second.run_id,
                "suite": comparison.first.suite,
                "changes": msgspec.to_builtins(comparison.changes),
            }
        )
    else:
        _print(comparison)
    return ExitCode.PASS if comparison.comparable else ExitCode.INVALID


def _print(comparison: "StoredComparison") -> None:
    from rich.table import Table

    from llmeval.report.safe_text import visible

    out, first, second = console(), comparison.first, comparison.second
    for word, row in (("first ", first), ("second", second)):
        commit = f", commit {row.short_commit}" if row.short_commit else ""
        state = "" if row.status == "complete" else f", {row.status}"
        out.print(f"{word} {row.run_id}: {visible(row.candidate)}{commit}{state}", markup=False)
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("metric", overflow="fold")
    for name in ("common cases", "change", "95% interval", "p"):
        table.add_column(name, justify="right", no_wrap=True)
    for change in comparison.changes:
        if change.n:
            table.add_row(visible(change.metric), f"{change.n:,}", *_cells(change))
    if comparison.comparable:
        out.print(table)
    for change in comparison.changes:
        if change.not_compared:
            name = visible(change.metric)
            out.print(f"{name}: not compared, {change.not_compared}", markup=False)
    out.print("Answers and single cases: compare the directories, without --history.")


def _cells(change: "StoredChange") -> tuple[str, str, str]:
    from llmeval.core.formatting import signed_points

    p = change.p if change.p is not None else 1.0
    interval = f"{signed_points(change.low)} to {signed_points(change.high)}"
    return signed_points(change.difference), interval, "< 0.001" if p < 0.001 else f"{p:.2g}"
