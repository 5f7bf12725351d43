"""Runs side by side, at a terminal."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from llmeval.compare.comparison import Board, Comparison, Flip, MetricDifference, SliceDifference, Word
from llmeval.report.comparison_words import (
    headline,
    note,
    p_value,
    percent,
    points,
    ranks,
    shared,
    shortened,
    slice_note,
)
from llmeval.report.text import one_line

NAMED = 10
_DIFFERING = 20
_STYLE: dict[Word, tuple[str, str]] = {
    "better": ("green", "▲"),
    "worse": ("red", "▼"),
    "no difference shown": ("yellow", "?"),
    "not comparable": ("magenta", "!"),
}


def print_comparison(console: Console, found: Comparison) -> None:
    """The runs, their differences, ranks, slices that moved, cases that flipped, and what differs between them."""
    console.soft_wrap = True
    console.print(_runs(found))
    for text in found.warnings:
        console.print(Text(f"! {text}", style="magenta"))
    for run in found.runs[1:]:
        rows = [metric for metric in found.metrics if metric.letter == run.letter]
        console.print(Text(f"\n{headline(found, run)}", style="bold"))
        console.print(Text(shared(run), style="dim"))
        console.print(_metrics(rows, f"{found.level:.0%} interval"))
        for row in rows:
            if row.why:
                console.print(Text(f"! {row.metric}: {row.why}", style="magenta"))
    console.print(Text(note(found), style="dim"))
    for board in found.boards:
        console.print(_board(board))
    _print_slices(console, found)
    _print_flips(console, found)
    if found.differing:
        console.print(_differing(found))


def _table(*headings: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2), header_style="dim")
    for number, heading in enumerate(headings):
        table.add_column(heading, justify="left" if number == 0 else "right", no_wrap=True)
    return table


def _runs(found: Comparison) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2), header_style="dim")
    for heading in ("", "run", "candidate", "suite", "cases", "its own gate"):
        table.add_column(heading, overflow="fold")
    for run in found.runs:
        table.add_row(
            Text(run.letter, style="bold"), run.run_id, Text(one_line(run.candidate, 32)), run.suite,
            f"{run.cases:,}", run.decision or "–",
        )  # fmt: skip
    return table


def _metrics(rows: Sequence[MetricDifference], interval: str) -> Table:
    table = _table("metric", "A", rows[0].letter if rows else "", "points", interval, "win/tie/loss", "lost", "p")
    table.add_column("", no_wrap=True)
    for row in rows:
        style, sign = _STYLE[row.word]
        name = Text(one_line(row.metric, 28) + (" ⚠ untrusted judge" if row.untrusted else ""))
        word = Text(f"{sign} {row.word}", style=style)
        if row.difference is None:
            table.add_row(name, *["–"] * 7, word)
            continue
        table.add_row(
            name, percent(row.before), percent(row.now), points(row.difference), f"{points(row.low)} to {points(row.high)}",
            f"{row.wins:,}/{row.ties:,}/{row.losses:,}", f"{row.lost:,}", p_value(row.adjusted), word,
        )  # fmt: skip
    return table


def _board(board: Board) -> Table:
    table = _table("rank", "run", "mean")
    left = f", without {', '.join(board.left_out)} (not comparable)" if board.left_out else ""
    table.title, table.title_justify, table.title_style = (
        f"\n{board.metric}: {board.n:,} cases that all have{left}", "left", "bold",
    )  # fmt: skip
    for place in board.places:
        table.add_row(ranks(place.best, place.worst), place.letter, percent(place.mean))
    return table


def _print_slices(console: Console, found: Comparison) -> None:
    if not found.slices:
        return
    moved = [row for row in found.slices if row.moved]
    console.print(Text(f"\n{len(moved) or 'No'} slice{'' if len(moved) == 1 else 's'} moved", style="bold"),
                  Text(f"({slice_note(found)})", style="dim"))  # fmt: skip
    if moved:
        console.print(_slices(moved[:NAMED]))


def _slices(rows: Sequence[SliceDifference]) -> Table:
    table = _table("slice", "metric", "run", "cases", "points", "interval", "win/loss")
    for row in rows:
        table.add_row(
            Text(one_line(row.slice, 40)), row.metric, row.letter, f"{row.n:,}", points(row.difference),
            f"{points(row.low)} to {points(row.high)}", f"{row.wins:,}/{row.losses:,}",
        )  # fmt: skip
    return table


def _print_flips(console: Console, found: Comparison) -> None:
    for row in found.metrics:
        for flips, what, style in ((row.fell, "fell", "red"), (row.rose, "rose", "green")):
            if flips:
                head = f"\n{row.metric}, {row.letter}: {len(flips):,} {what}  "
                console.print(Text.assemble((head, style), named(flips)))


def named(flips: Sequence[Flip]) -> str:
    """The first cases by id; with their values where they are more than pass and fail."""
    shown = [
        one_line(flip.case_id, 40)
        + ("" if {flip.before, flip.now} <= {0.0, 1.0} else f" ({flip.before:.2f} to {flip.now:.2f})")
        for flip in flips[:NAMED]
    ]
    return ", ".join(shown) + (f", and {len(flips) - NAMED:,} more" if len(flips) > NAMED else "")


def _differing(found: Comparison) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2), header_style="dim")
    table.title, table.title_justify, table.title_style = "\nWhat differs", "left", "bold"
    table.add_column("", no_wrap=True)
    for run in found.runs:
        table.add_column(run.letter, overflow="ellipsis", no_wrap=True, max_width=36)
    table.add_column("", no_wrap=True)
    for row in found.differing[:_DIFFERING]:
        means = Text("measured otherwise", style="magenta") if row.matters else Text("what is tested", style="dim")
        table.add_row(Text(row.key), *(Text(one_line(shortened(value), 120)) for value in row.values), means)
    return table
