"""Runs side by side as one offline page: differences, intervals, and the answers to each case."""

import math
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from llmeval.compare.comparison import ComparedRun, Comparison, Leaderboard, MetricDifference
from llmeval.core.files import write_atomically
from llmeval.core.formatting import percent, signed_points
from llmeval.report import comparison_words as words
from llmeval.report.html import assets, strips
from llmeval.report.html.answer_table import (
    STATES,
    AnswerColumn,
    AnswerTable,
    answer_table,
)
from llmeval.report.html.build import load_summary
from llmeval.report.html.cells_head import (
    Sides,
    column_heads,
    gated_metrics,
    head_rows,
    metric_order,
)
from llmeval.report.html.chunks import block
from llmeval.report.html.page import DATA_MARK, environment
from llmeval.store.directory import RunDir

if TYPE_CHECKING:
    from llmeval.report.html.grid_page import GridTitle

_TONES = {
    "better": "pass",
    "worse": "fail",
    "no difference shown": "unsure",
    "not comparable": "invalid",
}


def write_comparison(
    comparison: Comparison,
    runs: Sequence[RunDir],
    path: Path,
    *,
    names: Sequence[str] = (),
    grid: "GridTitle | None" = None,
    best: Sequence[str] = (),
) -> None:
    """Write the page of a comparison.

    Args:
        comparison: of the runs.
        runs: in its order, for the answers.
        path: where the page goes.
        names: of the columns; by default the runs' candidates.
        grid: the first words of the page of a grid.
        best: sentences about the best cells of a grid.

    Raises:
        StoreError: a run's records can't be read, or the page can't be written.
    """
    write_atomically(path, *_parts(comparison, runs, names, grid, best))


def comparison_page(comparison: Comparison, runs: Sequence[RunDir]) -> bytes:
    """The page of a comparison; `runs` in its order, for the answers.

    Raises:
        StoreError: a run's records can't be read.
    """
    parts = _parts(comparison, runs, (), None, ())
    return b"".join(part if isinstance(part, bytes) else b"".join(part) for part in parts)


def _parts(
    comparison: Comparison,
    runs: Sequence[RunDir],
    names: Sequence[str],
    grid: "GridTitle | None",
    best: Sequence[str],
) -> tuple[Iterable[bytes] | bytes, ...]:
    """The page in pieces, in their order."""
    letters = [run.letter for run in comparison.runs]
    labels = list(names) or [run.candidate for run in comparison.runs]
    sides = {letter: load_summary(run) for letter, run in zip(letters, runs, strict=True)}
    metrics = metric_order(sides)
    with ExitStack() as stack:
        columns = [
            AnswerColumn(letter, name, run, sides[letter][0].repeats)
            for letter, name, run in zip(letters, labels, runs, strict=True)
        ]
        readers = {each.letter: stack.enter_context(each.run.open()) for each in columns}
        table = answer_table(columns, readers, metrics)
    shell = _shell(comparison, sides, dict(zip(letters, labels, strict=True)), table, grid, best)
    head, tail = shell.split(DATA_MARK)
    meta = {
        "columns": [{"letter": each.letter, "name": each.name} for each in columns],
        "metrics": metrics,
        "gated": sorted(gated_metrics(sides)),
        "rows": table.rows,
        "embedded": table.embedded,
    }
    return (
        head.encode(),
        block("meta", msgspec.json.encode(meta)),
        table.blocks,
        tail.encode(),
    )


def _shell(
    comparison: Comparison,
    sides: Sides,
    names: dict[str, str],
    table: AnswerTable,
    grid: "GridTitle | None",
    best: Sequence[str],
) -> str:
    two = len(comparison.runs) == 2
    return (
        environment()
        .get_template("compare.html.j2")
        .render(
            policy=assets.policy(entry=assets.COMPARE),
            style=assets.style(assets.COMPARE),
            script=assets.script(assets.COMPARE),
            found=comparison,
            grid=grid,
            best=[*map(words.best_sentence, comparison.best), *best],
            heads=column_heads(sides, names),
            head_rows=head_rows(comparison, sides),
            table=table,
            tones=STATES,
            words=words,
            percent=percent,
            signed_points=signed_points,
            title=_title(comparison),
            tone=words.tone(comparison.metrics) if two else "plain",
            headlines=words.headlines(comparison),
            sections=[_section(comparison, run) for run in comparison.runs[1:]],
            boards=[_board(board, comparison.runs) for board in comparison.boards],
            moved=[row for row in comparison.slices if row.moved],
            still=[row for row in comparison.slices if not row.moved],
            notes=[words.note(comparison), words.slice_note(comparison)],
            names=names,
        )
    )


def _title(comparison: Comparison) -> str:
    if len(comparison.runs) > 2:
        return f"{len(comparison.runs)} runs compared"
    verdicts = {row.word for row in comparison.metrics}
    if {"better", "worse"} <= verdicts:
        return "Better and worse"
    return next((word.capitalize() for word in _TONES if word in verdicts), "Nothing to compare")


def _section(comparison: Comparison, run: ComparedRun) -> dict[str, object]:
    """One run beside A: a row a metric, all on one axis."""
    rows = [row for row in comparison.metrics if row.letter == run.letter]
    limit = _limit(rows)
    return {
        "run": run,
        "shared": words.shared(run),
        "axis": strips.shift_axis(limit),
        "rows": [
            {"row": row, "tone": _TONES[row.word], "strip": _strip(row, limit)} for row in rows
        ],
    }


def _limit(rows: Iterable[MetricDifference]) -> float:
    """Where the axis ends: the farthest bound, rounded up to the next 5 points."""
    ends = [abs(end) for row in rows for end in (row.low, row.high) if end is not None]
    return min(1.0, math.ceil(20 * max([0.05, *ends])) / 20)


def _strip(row: MetricDifference, limit: float) -> str:
    if row.difference is None or row.low is None or row.high is None:
        return ""
    title = (
        f"{row.metric}: {signed_points(row.difference)} points, {signed_points(row.low)} to"
        f" {signed_points(row.high)}"
    )
    return strips.shift(title, _TONES[row.word], row.difference, row.low, row.high, limit)


def _board(board: Leaderboard, runs: Sequence[ComparedRun]) -> dict[str, object]:
    by_letter = {run.letter: run for run in runs}
    means = [place.mean for place in board.places]
    axis = strips.axis_for(means)
    return {
        "board": board,
        "axis": strips.axis_svg(axis),
        "rows": [
            {
                "place": place,
                "run": by_letter[place.letter],
                "rank": words.ranks(place.best, place.worst),
                "strip": strips.strip(
                    axis,
                    percent(place.mean),
                    "plain",
                    estimate=place.mean,
                    low=None,
                    high=None,
                ),
            }
            for place in board.places
        ],
    }
