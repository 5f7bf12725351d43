"""What a person at a terminal sees of a run that ended."""

from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from llmeval.core.manifest import Manifest
from llmeval.core.results import Decision, Metric, Summary
from llmeval.gate.rules.threshold import floor_rates
from llmeval.report.data_words import data_trouble
from llmeval.report.failing_console import print_failing
from llmeval.report.markdown import by_urgency
from llmeval.report.number_words import HEADINGS, drop_sentences, number_rows
from llmeval.report.run_view import RunView
from llmeval.report.safe_text import (
    count,
    one_line,
    outcomes,
    quarantined,
    retired,
    reused,
    sessions,
    verdict_word,
    visible,
)
from llmeval.report.trust import audited, unstated_distrust

_STYLE = {
    Decision.PASS: ("green", "✔"),
    Decision.FAIL: ("red", "✘"),
    Decision.INCONCLUSIVE: ("yellow", "?"),
    Decision.INVALID: ("magenta", "!"),
    None: ("cyan", "·"),
}
_LISTED = 10
"""Cases in quarantine, retired cases and changes of the gate that are listed, each."""
_CAUSE = 2000
"""Characters of the commonest error: it is the one thing that people need then."""


def print_summary(console: Console, view: RunView, most: int = 10) -> None:
    """The end of a run: decision, metrics, the cases to look at, and where the report is.

    Args:
        console: where people read.
        view: the run.
        most: failing cases that are shown.
    """
    summary, manifest = view.summary, view.manifest
    console.print()
    console.print(_headline(view))
    if summary.metrics:
        console.print(_metrics(summary, manifest, console.width))
    if summary.numbers:
        console.print(_numbers(summary))
    if summary.drops:
        console.print(Text("\nLargest drops since the baseline", style="bold"))
        for sentence in drop_sentences(summary):
            console.print(Text(f"  {one_line(sentence, 300)}"))
    print_failing(console, by_urgency(view.failing, summary)[:most], summary)
    if summary.quarantine:
        rows = [(entry.case_id, quarantined(entry)) for entry in summary.quarantine]
        console.print(_cases(f"{count(len(rows), 'case')} in quarantine, not counted", rows))
    if summary.retired:
        rows = [(entry.case_id, retired(entry)) for entry in summary.retired]
        console.print(
            _cases(f"{count(len(rows), 'case')} of the baseline retired, not compared", rows)
        )
    if trouble := data_trouble(manifest.data):
        console.print(Text(f"⚠ {one_line(trouble, 300)}", style="yellow"))
    console.print(_footer(summary, manifest))
    if view.report is not None:  # a path broken over two lines can't be clicked or copied
        path = view.report
        console.print(
            Text.assemble("Report: ", (visible(str(path)), f"bold link {path.resolve().as_uri()}")),
            soft_wrap=True,
        )


def _headline(view: RunView) -> RenderableType:
    summary, manifest = view.summary, view.manifest
    colour, mark = _STYLE[summary.gate.decision]
    title = Text(f" {mark} {verdict_word(summary, manifest)} ", style=f"bold {colour}")
    cause, reason = view.sentences
    body: list[RenderableType] = [Text(one_line(cause, _CAUSE), style="bold")] if cause else []
    body.append(Text(visible(reason)))
    if sentence := reused(summary):
        body.append(Text(f"· {sentence}", style="yellow"))
    others = [rule for rule in summary.gate.rules if rule.reason != summary.gate.reason]
    for rule in others:
        style, sign = _STYLE[rule.decision]
        body.append(Text.assemble((f"{sign} {rule.decision}  ", style), visible(rule.reason)))
    body.extend(_gate_changes(summary))
    body.extend(
        Text(f"⚠ {sentence}", style="yellow") for sentence in unstated_distrust(manifest, summary)
    )
    body.extend(Text(f"· {sentence}") for sentence in audited(summary))
    names = (summary.suite, manifest.candidate.name, summary.run_id)
    subtitle = Text(" · ".join(one_line(name, 60) for name in names), style="dim")
    return Panel(
        Group(*body),
        title=title,
        subtitle=subtitle,
        title_align="left",
        subtitle_align="left",
        border_style=colour,
    )


def _metrics(summary: Summary, manifest: Manifest, width: int) -> Table:
    floors = floor_rates(manifest.gate.floors)
    drawn = width >= 104
    table = Table(box=None, pad_edge=False, padding=(0, 2), header_style="dim")
    table.add_column("metric", no_wrap=True)
    for heading in ("pass rate", "95% interval", "mean", "cases", "missing", "floor"):
        table.add_column(heading, justify="right", no_wrap=True)
    if drawn:
        table.add_column("", no_wrap=True)
    for metric in summary.metrics:
        if metric.slice is not None:
            continue
        floor = floors.get(metric.metric)
        lost = metric.unscored + metric.errors
        untrusted = metric.trust == "UNTRUSTED"
        table.add_row(
            Text(
                one_line(metric.metric, 24) + (" ⚠" if untrusted else ""),
                style="yellow" if untrusted else "",
            ),
            "–" if metric.pass_rate is None else f"{metric.pass_rate:.1%}",
            (
                "–"
                if metric.low is None or metric.high is None
                else f"{100 * metric.low:.1f}–{100 * metric.high:.1f}%"
            ),
            "–" if metric.mean is None else f"{metric.mean:.3f}",
            f"{metric.n:,}",
            Text(f"{lost:,}", style="magenta" if lost else "dim"),
            "" if floor is None else f"{floor:.0%}",
            *([_bar(metric, floor)] if drawn else []),
        )
    return table


def _numbers(summary: Summary) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2), header_style="dim")
    rows = number_rows(summary)
    names = [one_line(row.name, 24) for row in rows]
    # A name is never cut, as a row without it says nothing; the intervals wrap on 80 columns.
    table.add_column("number", no_wrap=True, min_width=max(map(len, ("number", *map(str, names)))))
    for heading in HEADINGS:
        table.add_column(heading, justify="right")
    for heading in ("answers", "missing"):
        table.add_column(heading, justify="right", no_wrap=True, min_width=len(heading))
    for name, row in zip(names, rows, strict=True):
        missing = Text(f"{row.missing:,}", style="magenta" if row.missing else "dim")
        table.add_row(name, *row.values, f"{row.n:,}", missing)
    return table


def _bar(metric: Metric, floor: float | None) -> Text:
    """The interval drawn over 0 to 100%, with the floor."""
    width = 30
    if metric.low is None or metric.high is None or metric.pass_rate is None:
        return Text("")
    cells = ["·"] * (width + 1)
    for index in range(round(metric.low * width), round(metric.high * width) + 1):
        cells[index] = "━"
    cells[round(metric.pass_rate * width)] = "●"
    text = Text("".join(cells), style="dim")
    text.stylize("cyan", round(metric.low * width), round(metric.high * width) + 1)
    if floor is not None:
        index = round(floor * width)
        text = Text.assemble(text[:index], ("│", "bold yellow"), text[index + 1 :])
    return text


def _gate_changes(summary: Summary) -> list[Text]:
    """How the gate differs from the baseline's, the looser changes first."""
    changes = summary.gate_changes
    lines = [
        Text(
            f"± gate since the baseline: {one_line(change.text, 300)}",
            style="yellow" if change.direction == "looser" else "",
        )
        for change in changes[:_LISTED]
    ]
    return [
        *lines,
        *(
            [Text(f"± and {len(changes) - _LISTED:,} more changes")]
            if len(changes) > _LISTED
            else []
        ),
    ]


def _cases(title: str, rows: list[tuple[str, str]]) -> Text:
    """Cases that count nowhere, by id, each with what is said of it."""
    lines = [Text(f"\n{title}", style="bold")]
    lines += [
        Text.assemble("  ", one_line(case_id, 40), (f"  {one_line(sentence, 300)}", "dim"))
        for case_id, sentence in rows[:_LISTED]
    ]
    if len(rows) > _LISTED:
        lines.append(Text(f"  and {len(rows) - _LISTED:,} more", style="dim"))
    return Text("\n").join(lines)


def _footer(summary: Summary, manifest: Manifest) -> Text:
    counts = summary.counts
    n_calls = sum(calls.made for calls in summary.calls.values())
    cached = sum(calls.cached for calls in summary.calls.values())
    costs = [calls.cost_usd for calls in summary.calls.values() if calls.cost_usd is not None]
    parts = [
        outcomes(counts),
        *(
            [f"{counts.needs_review:,} need review by a person (llmeval review)"]
            if counts.needs_review
            else []
        ),
        *(
            [f"{counts.not_needed:,} not needed: every rule was decided"]
            if counts.not_needed
            else []
        ),
        f"{count(n_calls, 'call')} made, {cached:,} from cache",
        *([sentence] if (sentence := sessions(manifest)) else []),
    ]
    if costs:
        parts.append(f"${sum(costs):.4f}")
    if summary.wall_s is not None:
        parts.append(f"{summary.wall_s:.1f} s")
    parts.append(f"run {summary.run_id}")  # whole at any width: the panel's border cuts it
    return Text("\n" + " · ".join(parts), style="dim")
