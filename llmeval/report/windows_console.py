"""Two windows of other cases, at a terminal."""

from rich.console import Console
from rich.text import Text

from llmeval.compare.unpaired import MIX, WindowComparison, WindowDifference
from llmeval.core.formatting import percent, signed_points
from llmeval.report.safe_text import visible

_STYLE = {
    "higher": "green",
    "lower": "red",
    "changed": "red",
    "no change shown": "yellow",
    "not comparable": "magenta",
}


def print_windows(console: Console, compared: WindowComparison) -> None:
    """A paragraph for each quantity, and what the verdicts mean."""
    console.soft_wrap = True
    first, second = compared.runs
    for run in (first, second):
        started = f"{visible(run.started)}, {run.cases:,} cases"
        console.print(Text(f"{run.letter}  {visible(run.run_id)}  {started}"))
    for text in compared.warnings:
        console.print(Text(f"! {visible(text)}", style="magenta"))
    console.print()
    for row in compared.differences:
        console.print(Text(f"{visible(row.metric)}: {row.word}", style=_STYLE[row.word]))
        console.print(Text(f"  {row.why or _figures(row)}"))
        if row.untrusted:
            console.print(Text("  nothing shows that its judge is right often enough"))
    tests = sum(row.p is not None for row in compared.differences)
    console.print(
        Text(
            f"\nThe cases are not paired. Verdicts at {compared.level:.0%} over {tests} tests"
            " (Holm); p-values by permutation of the clusters. Whether the mix of the questions"
            " changed, and not the model, they can't tell.",
            style="dim",
        )
    )


def _figures(row: WindowDifference) -> str:
    missing = f"; {row.missing[0]} and {row.missing[1]} missing" if any(row.missing) else ""
    size = (
        f"{row.cases[0]:,} and {row.cases[1]:,} cases, {row.clusters[0]:,} and"
        f" {row.clusters[1]:,} clusters{missing}; p {row.p:.2g}"
    )
    if row.metric == MIX and row.unit != "share":
        return f"distance {percent(row.change or 0)} (total variation); {size}"
    if row.before is None or row.now is None or row.low is None or row.high is None:
        return size
    if row.unit == "characters":
        change = row.now - row.before
        return (
            f"{row.before:.1f} -> {row.now:.1f} characters: {change:+.1f} ({row.low:+.1f} to"
            f" {row.high:+.1f}); {size}"
        )
    return (
        f"{percent(row.before)} -> {percent(row.now)}: {signed_points(row.now - row.before)} points"
        f" ({signed_points(row.low)} to {signed_points(row.high)}); {size}"
    )
