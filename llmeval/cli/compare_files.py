"""`llmeval compare a.csv b.csv`: files of results of any tool."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from llmeval.cli.common import console, emit
from llmeval.core.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from llmeval.compare.result_files import FileComparison
    from llmeval.importers.result_table import ResultTable

_SHOWN = 10


def compare_files(
    paths: Sequence[Path], id_column: str | None, score_column: str | None, *, as_json: bool
) -> int:
    """Compare two files, and show the comparison. It never decides PASS or FAIL.

    Raises:
        UsageError: not two files, one is named twice, or their columns differ or are wrong.
    """
    from llmeval.compare.result_files import compare_scores
    from llmeval.importers.result_table import read_results

    if len(paths) != 2 or not all(path.is_file() for path in paths):
        raise UsageError("compare two files of results, or runs: not both, and not more files")
    if paths[0].samefile(paths[1]):
        raise UsageError(f"{paths[1]} is named twice: a file does not differ from itself")
    first, second = (read_results(path, id_column, score_column) for path in paths)
    if first.score_column.lower() != second.score_column.lower():
        raise UsageError(
            f"{first.path} has the scores in {first.score_column!r} and {second.path} in"
            f" {second.score_column!r}: name one column of both with --score"
        )
    comparison = compare_scores(first.scores, second.scores)
    if as_json:
        emit(
            {
                "files": [_described(table) for table in (first, second)],
                "comparison": None if comparison is None else asdict(comparison),
            }
        )
    else:
        _show((first, second), comparison)
    return ExitCode.INVALID if comparison is None else ExitCode.PASS


def _described(table: "ResultTable") -> dict[str, object]:
    return {
        "path": str(table.path),
        "rows": len(table.scores),
        "id": table.id_column,
        "score": table.score_column,
        "guessed": table.guessed,
    }


def _show(tables: "tuple[ResultTable, ResultTable]", comparison: "FileComparison | None") -> None:
    from llmeval.report.safe_text import count, visible

    screen = console()

    def line(text: str) -> None:
        screen.print(visible(text), markup=False, highlight=False, soft_wrap=True)

    for letter, table in zip("AB", tables, strict=True):
        kind = "pass or fail" if table.binary else "graded"
        line(
            f"{letter}  {table.path}: {count(len(table.scores), 'row')}, id in"
            f" {table.id_column!r}, {kind} score in {table.score_column!r}"
        )
        if table.guessed and table.other_scores:
            line(f"   other scores: {', '.join(table.other_scores)} (choose with --score)")
    if any(table.guessed for table in tables):
        line("The columns were chosen by their names. --id and --score name others.")
    if comparison is None:
        line("No id is in both files: nothing can be compared.")
        return
    line("")
    for text in _sentences(comparison):
        line(text)


def _sentences(comparison: "FileComparison") -> list[str]:
    from llmeval.core.formatting import percent, signed_points
    from llmeval.report.safe_text import count

    ties = comparison.pairs - len(comparison.rose) - len(comparison.fell)
    chance = "p < 0.001" if comparison.p < 0.001 else f"p = {comparison.p:.3f}"
    lines = [
        f"B vs. A: {comparison.word} ({signed_points(comparison.estimate)} points, 95% interval"
        f" {signed_points(comparison.low)} to {signed_points(comparison.high)}, {chance})",
        f"{count(comparison.pairs, 'id')} in both: A {percent(comparison.first_mean)}, B"
        f" {percent(comparison.second_mean)}; {len(comparison.rose)} rose, {ties} tied,"
        f" {len(comparison.fell)} fell",
    ]
    for name, ids in (("fell", comparison.fell), ("rose", comparison.rose)):
        if ids:
            lines.append(f"  {name}: {_listed(ids)}")
    for letter, ids in (("A", comparison.first_only), ("B", comparison.second_only)):
        if ids:
            lines.append(f"Only in {letter}, not compared: {len(ids)} ({_listed(ids)})")
    lines.append("")
    lines.append(f"This assumes that {'; that '.join(comparison.assumptions)}.")
    lines.append(
        "It is not a gate and decides nothing. `no difference shown` does not mean that they are"
        " the same."
    )
    return lines


def _listed(ids: Sequence[str]) -> str:
    more = len(ids) - _SHOWN
    return ", ".join(ids[:_SHOWN]) + (f", and {more} more" if more > 0 else "")
