"""Runs side by side, at a terminal."""

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from llmeval.compare.comparison import (
    Comparison,
    Flip,
    Leaderboard,
    MetricDifference,
    SliceDifference,
    Word,
)
from llmeval.core.formatting import percent, signed_points
from llmeval.report.comparison_words import (
    best_sentence,
    headline,
    note,
    p_value,
    ranks,
    shared,
    shortened,
    slice_note,
)
from llmeval.report.safe_text import one_line, visible

NAMED = 10
_WIDE = 104
_SHORT = {"no difference shown": "not shown"}
_DIFFERING = 20
_STYLE: dict[Word, tuple[str, str]] = {
    "better": ("green", "▲"),
    "worse": ("red", "▼"),
    "no difference shown": ("yellow", "?"),
    "not comparable": ("magenta", "!"),
}


def print_comparison(console: Console, comparison: Comparison) -> None:
    """The runs, their differences, ranks, slices that moved, cases that flipped, and what differs
    between them.
    """
    console.soft_wrap = True
    console.print(_runs(comparison))
    for text in comparison.warnings:
        console.print(Text(f"! {text}", style="magenta"))
    for run in comparison.runs[1:]:
        rows = [metric for metric in comparison.metrics if metric.letter == run.letter]
        console.print(Text(f"\n{headline(comparison, run)}", style="bold"))
        console.print(Text(shared(run), style="dim"))
        console.print(_metrics(rows, f"{comparison.level:.0%}", console.width))
        for row in rows:
            if row.untrusted:
                console.print(
                    Text(
                        f"⚠ {row.metric}: nothing shows that its judge is right often enough",
                        style="yellow",
                    )
                )
            if row.why:
                console.print(Text(f"! {row.metric}: {row.why}", style="magenta"))
    console.print(Text(note(comparison), style="dim"))
    for board in comparison.boards:
        console.print(_board(board))
    if comparison.best:
        console.print(Text("\nThe best", style="bold"))
    for best in comparison.best:
        console.print(Text(best_sentence(best)))
    _print_slices(console, comparison)
    _print_flips(console, comparison)
    if comparison.differing:
        _print_differing(console, comparison)


def _table(*headings: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2), header_style="dim")
    for number, heading in enumerate(headings):
        table.add_column(heading, justify="left" if number == 0 else "right", no_wrap=True)
    return table


def _runs(comparison: Comparison) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2), header_style="dim")
    for heading in ("", "run", "candidate", "suite", "cases", "its own gate"):
        table.add_column(heading, overflow="fold")
    for run in comparison.runs:
        table.add_row(
            Text(run.letter, style="bold"),
            Text(visible(run.run_id)),
            Text(one_line(run.candidate, 32)),
            Text(visible(run.suite)),
            f"{run.cases:,}",
            run.decision or "–",
        )
    return table


def _metrics(rows: Sequence[MetricDifference], level: str, width: int) -> Table:
    """A row a metric; adjusted p-values where there is room, lost pairs where there are any."""
    wide, lost = width >= _WIDE, any(row.lost for row in rows)
    more = ["missing"] if lost else []
    more += ["p"] if wide else []
    table = _table(
        "metric",
        "A",
        rows[0].letter if rows else "",
        f"points, {level} interval" if wide else f"points, {level}",
        "win/tie/loss",
        *more,
    )
    table.padding = (0, 2 if wide else 1)
    table.add_column("", no_wrap=True)
    for row in rows:
        style, sign = _STYLE[row.word]
        name = Text(one_line(row.metric, 28 if wide else 18) + (" ⚠" if row.untrusted else ""))
        word = Text(f"{sign} {row.word if wide else _SHORT.get(row.word, row.word)}", style=style)
        if row.difference is None:
            table.add_row(name, *["–"] * (4 + len(more)), word)
            continue
        table.add_row(
            name,
            percent(row.before),
            percent(row.now),
            f"{signed_points(row.difference)}, {signed_points(row.low)} to"
            f" {signed_points(row.high)}",
            f"{row.wins:,}/{row.ties:,}/{row.losses:,}",
            *([f"{row.lost:,}"] if lost else []),
            *([p_value(row.adjusted)] if wide else []),
            word,
        )
    return table


def _board(board: Leaderboard) -> Table:
    table = _table("rank", "run", "mean")
    left = f", without {', '.join(board.left_out)} (not comparable)" if board.left_out else ""
    table.title, table.title_justify, table.title_style = (
        f"\n{escape(board.metric)}: {board.n:,} cases that all have{left}",
        "left",
        "bold",
    )
    for place in board.places:
        table.add_row(ranks(place.best, place.worst), place.letter, percent(place.mean))
    return table


def _print_slices(console: Console, comparison: Comparison) -> None:
    if not comparison.slices:
        return
    moved = [row for row in comparison.slices if row.moved]
    console.print(
        Text(f"\n{len(moved) or 'No'} slice{'' if len(moved) == 1 else 's'} moved", style="bold"),
        Text(f"({slice_note(comparison)})", style="dim"),
    )
    if moved:
        console.print(_slices(moved[:NAMED]))


def _slices(rows: Sequence[SliceDifference]) -> Table:
    table = _table("slice", "metric", "run", "cases", "points", "interval", "win/loss")
    for row in rows:
        table.add_row(
            Text(one_line(row.slice, 40)),
            Text(one_line(row.metric, 28)),
            row.letter,
            f"{row.n:,}",
            signed_points(row.difference),
            f"{signed_points(row.low)} to {signed_points(row.high)}",
            f"{row.wins:,}/{row.losses:,}",
        )
    return table


def _print_flips(console: Console, comparison: Comparison) -> None:
    if any(row.fell or row.rose for row in comparison.metrics):
        console.print(Text("\nCases that moved", style="bold"))
    for row in comparison.metrics:
        for flips, what, style in ((row.fell, "fell", "red"), (row.rose, "rose", "green")):
            if flips:
                head = f"  {row.metric}, {row.letter}: {len(flips):,} {what}  "
                console.print(Text.assemble((head, style), named(flips)))


def named(flips: Sequence[Flip]) -> str:
    """The first cases by id; with their values where they are more than pass and fail."""
    shown = [
        one_line(flip.case_id, 40)
        + (
            ""
            if {flip.before, flip.now} <= {0.0, 1.0}
            else f" ({flip.before:.2f} to {flip.now:.2f})"
        )
        for flip in flips[:NAMED]
    ]
    return ", ".join(shown) + (f", and {len(flips) - NAMED:,} more" if len(flips) > NAMED else "")


def _print_differing(console: Console, comparison: Comparison) -> None:
    console.print(Text("\nWhat differs", style="bold"))
    for row in comparison.differing[:_DIFFERING]:
        values = zip(comparison.runs, row.values, strict=True)
        shown = " · ".join(
            f"{run.letter} {one_line(shortened(value), 40)}" for run, value in values
        )
        means = ("  measured otherwise", "magenta") if row.matters else ("", "")
        console.print(Text.assemble("  ", (f"{row.key}  ", "dim"), shown, means))
    if len(comparison.differing) > _DIFFERING:
        console.print(Text(f"  and {len(comparison.differing) - _DIFFERING:,} more", style="dim"))
