"""The history on a terminal: tables, dots and sparklines."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table
from rich.text import Text

from llmeval.core.formatting import NOTHING, percent, signed_points
from llmeval.report.inert_markdown import code, prose
from llmeval.report.safe_text import count, one_line, visible

if TYPE_CHECKING:
    from rich.console import Console

    from llmeval.history.case_life import CaseLife
    from llmeval.history.flaky import FlakyCase
    from llmeval.history.leaderboard import RunBoard
    from llmeval.history.removal import Removal
    from llmeval.history.rows import RunRow
    from llmeval.history.trends import Trend, TrendLine
    from llmeval.store.case_comments import ShownComment

_COLOURS = {
    "PASS": "green",
    "FAIL": "red",
    "INCONCLUSIVE": "yellow",
    "INVALID": "magenta",
}
_BARS = "▁▂▃▄▅▆▇█"
_DOTS = {"p": ("●", "green"), "f": ("✘", "red"), "u": ("?", "yellow"), "e": ("!", "magenta")}
_ROWS = 12
"""Runs of a trend that are listed; the sparkline shows all."""


def print_runs(
    screen: "Console",
    rows: "Sequence[RunRow]",
    tags: Mapping[str, Mapping[str, str]],
    total: int,
) -> None:
    """A table of runs. What has no room on a narrow terminal is left out, never cut."""
    wide = screen.width >= 110
    suites = len({row.suite for row in rows}) > 1
    table = _table()
    table.add_column("run", no_wrap=True, min_width=max(len(row.run_id) for row in rows))
    if suites:
        table.add_column("suite", overflow="fold")
    table.add_column("candidate", overflow="fold")
    table.add_column("decision", no_wrap=True)
    table.add_column("passed", justify="right", no_wrap=True)
    if wide:
        table.add_column("branch", overflow="fold")
        table.add_column("commit", no_wrap=True)
    tagged = any(tags.get(row.run_id) for row in rows)
    if tagged:
        table.add_column("tags", overflow="fold")
    for row in rows:
        named = ", ".join(f"{name}={value}" for name, value in tags.get(row.run_id, {}).items())
        table.add_row(
            row.run_id,
            *([_shown(row.suite)] if suites else []),
            _shown(row.candidate),
            decision_text(row.decision if row.finished else row.status),
            f"{row.passed:,}/{row.n:,}",
            *([_shown(row.branch or NOTHING), row.short_commit] if wide else []),
            *([_shown(named)] if tagged else []),
        )
    screen.print(table)
    if total > len(rows):
        screen.print(f"{total - len(rows):,} older runs: --last N shows more.", style="dim")


def decision_text(word: str | None) -> Text:
    """A decision in its colour; a status of a run that is not complete as it is."""
    return Text(word or "no gate", style=_COLOURS.get(word or "", "dim"))


def print_trends(screen: "Console", trends: "Sequence[Trend]") -> None:
    """A sparkline and a sentence for each metric; the runs of a single one as a table too."""
    for trend in trends:
        title = f"{trend.metric} @ {trend.slice}" if trend.slice else trend.metric
        screen.print(f"[bold]{escape(visible(title))}[/]  {escape(trend.words)}")
        for line in trend.lines:
            if line.changed:
                screen.print(f"  ┊ {_break(line)}", style="yellow", markup=False)
            first, last = line.points[0], line.points[-1]
            screen.print(
                f"  {sparkline([point.pass_rate for point in line.points], trend.floor)} "
                f" {percent(first.pass_rate)} → {percent(last.pass_rate)}, "
                f"{count(len(line.points), 'run')},"
                f" {first.started[:10]} to {last.started[:10]}",
                markup=False,
            )
    notes = [f"{count(trends[0].left_out, 'run')} not complete"] if trends[0].left_out else []
    if any(point.stopped_early for t in trends for line in t.lines for point in line.points):
        notes.append("runs that stopped early are shown, but not tested")
    if notes:
        screen.print("; ".join(notes), style="dim")
    if len(trends) == 1:
        _print_points(screen, trends[0])


def _break(line: "TrendLine") -> str:
    text = f"{' and '.join(line.changed)} changed"
    if line.common is not None:
        common = line.common
        text += (
            f"; on {count(common.n, 'common case')} {signed_points(common.difference)} points"
            f" ({signed_points(common.low)} to {signed_points(common.high)})"
        )
    return text


def _print_points(screen: "Console", trend: "Trend") -> None:
    points = [point for line in trend.lines for point in line.points][-_ROWS:]
    table = _table()
    table.add_column("run", no_wrap=True, min_width=max(len(each.run_id) for each in points))
    table.add_column("rate", justify="right")
    table.add_column("95 % interval", justify="right", no_wrap=True)
    table.add_column("n", justify="right")
    table.add_column("candidate", overflow="fold")
    table.add_column("decision", no_wrap=True)
    for point in reversed(points):
        early = " ○" if point.stopped_early else ""
        table.add_row(
            point.run_id,
            f"{percent(point.pass_rate)}{early}",
            f"{percent(point.low)} to {percent(point.high)}",
            f"{point.n:,}",
            _shown(point.candidate),
            decision_text(point.decision),
        )
    screen.print(table)


def sparkline(shares: Sequence[float], floor: float | None = None) -> str:
    """Shares as bars between the smallest and the largest of them (at least 10 points apart)."""
    ends = [*shares, *([] if floor is None else [floor])]
    low, high = min(ends), max(ends)
    low = min(low, max(0.0, high - 0.1))
    span = max(high - low, 1e-9)
    return "".join(_BARS[round((share - low) / span * (len(_BARS) - 1))] for share in shares)


def print_life(screen: "Console", life: "CaseLife") -> None:
    """Dots, a sentence, and the runs in which something changed."""
    what = life.metric or "all metrics"
    screen.print(f"[bold]{escape(visible(life.case_id))}[/] in {life.suite}, {escape(what)}")
    dots = Text("  ")
    for point in life.points:
        if point.changed:
            dots.append("┊", style="yellow")
        mark, colour = _DOTS.get(point.letter, (point.letter, "dim"))
        dots.append(mark, style=colour)
    screen.print(dots)
    screen.print(f"  {life.words}", markup=False)
    rate = percent(life.flake_rate)
    screen.print(
        f"  flake rate {rate}: {count(life.flips, 'flip')} in {count(life.pairs, 'pair')} of runs"
        " in which nothing changed",
        markup=False,
    )
    _print_turns(screen, life)
    screen.print(
        "● pass, ✘ fail, ? unscored, ! error, q quarantined, r needs review, - not"
        " applicable, . not run, ┊ the case, its scorer or the repeats changed",
        style="dim",
    )


def print_remarks(screen: "Console", remarks: "Sequence[ShownComment]") -> None:
    """Comments of people on a case; those on an earlier version of it are marked."""
    for comment, void in remarks:
        mark = " (void: the case has changed since)" if void else ""
        author = visible(comment.author or "(no name)")
        screen.print(f"  {comment.at[:10]} {author}{mark}: {visible(comment.text)}", markup=False)


def _print_turns(screen: "Console", life: "CaseLife") -> None:
    """The newest runs where the verdict is another than before."""
    turns = [life.points[0]]
    turns += [
        now
        for before, now in zip(life.points, life.points[1:], strict=False)
        if now.letter != before.letter or now.changed
    ]
    table = _table()
    for name in ("run", "commit", "verdict", "changed"):
        table.add_column(name, no_wrap=name != "changed")
    for point in reversed(turns[-_ROWS:]):
        changed = [*point.changed, *(["candidate or prompt"] if point.system else [])]
        table.add_row(
            point.run_id,
            point.commit or NOTHING,
            point.verdict.replace("_", " "),
            ", ".join(changed),
        )
    screen.print(table)


def print_flaky(screen: "Console", cases: "Sequence[FlakyCase]", last: int) -> None:
    """The flakiest cases first."""
    if not cases:
        screen.print(f"No flaky case in the newest {count(last, 'run')}.")
        return
    table = _table()
    table.add_column("case", overflow="fold")
    table.add_column("metric", overflow="fold")
    table.add_column("flips", justify="right", no_wrap=True)
    table.add_column("rate", justify="right", no_wrap=True)
    table.add_column("runs", no_wrap=True)
    for case in cases[: _ROWS * 2]:
        split = f" +{case.split} split" if case.split else ""
        table.add_row(
            _shown(case.case_id),
            _shown(case.metric),
            f"{case.flips}/{case.pairs}{split}",
            percent(case.rate),
            case.letters[-20:],
        )
    screen.print(table)
    more = len(cases) - 2 * _ROWS
    if more > 0:
        screen.print(f"{more:,} more: --json lists all.", style="dim")
    screen.print(
        "p pass, f fail, the oldest first; split: repeats within a run differ. --quarantine prints"
        " entries for quarantine.yaml.",
        style="dim",
    )


def print_board(screen: "Console", board: "RunBoard") -> None:
    """The ranking, with what it does not contain."""
    screen.print(
        f"[bold]{escape(visible(board.metric))}[/] of {board.suite} by {board.by}, on"
        f" {count(board.n, 'case')} that all have"
    )
    table = _table()
    for name in ("rank", board.by, "mean", "decision", "run"):
        table.add_column(name, overflow="fold", no_wrap=name in ("rank", "mean", "run"))
    for entry in board.entries:
        early = " ○" if entry.stopped_early else ""
        table.add_row(
            ranks(entry.best, entry.worst),
            _shown(entry.name),
            f"{percent(entry.mean)}{early}",
            decision_text(entry.decision),
            "" if board.by == "run" else entry.run_id,
        )
    screen.print(table)
    screen.print(_board_note(board), style="dim", markup=False)


def _board_note(board: "RunBoard") -> str:
    text = "A rank is a range where the tests can't tell."
    if any(entry.stopped_early for entry in board.entries):
        text += " ○ stopped early: its mean is biased."
    if board.left_out:
        text += f" Not ranked: {'; '.join(visible(each) for each in board.left_out)}."
    return text


def ranks(best: int, worst: int) -> str:
    """1, or 1 to 3."""
    return f"{best}" if best == worst else f"{best} to {worst}"


def board_markdown(board: "RunBoard") -> str:
    """The ranking as a Markdown table."""
    head = f"| Rank | {board.by.capitalize()} | {code(board.metric)} | Decision | Run |\n"
    lines = [
        f"| {ranks(entry.best, entry.worst)} | {code(entry.name)} | {percent(entry.mean)}"
        f" | {entry.decision or NOTHING} | {code(entry.run_id)} |\n"
        for entry in board.entries
    ]
    note = f"\n{prose(_board_note(board), 400)} {count(board.n, 'case')}.\n"
    return f"{head}|---|---|---|---|---|\n{''.join(lines)}{note}"


def print_removals(
    screen: "Console", removals: "Sequence[Removal]", *, yes: bool, named: bool
) -> None:
    """What was or would be deleted, and what protects the named runs."""
    gone = [each for each in removals if not each.kept]
    for each in gone:
        screen.print(f"{'deleted' if yes else 'would delete'} {each.path}", markup=False)
    kept = [each for each in removals if each.kept]
    for each in kept if named else ():
        screen.print(f"kept {each.run_id}: {one_line(each.kept, 200)}", markup=False)
    text = f"{count(len(gone), 'run')} {'deleted' if yes else 'would be deleted'}"
    screen.print(f"{text}, {len(kept):,} kept.{'' if yes or not gone else ' --yes deletes.'}")


def _shown(text: str) -> str:
    return escape(one_line(text, 120))


def _table() -> Table:
    return Table(box=None, header_style="dim", pad_edge=False, padding=(0, 1))
