"""The head of a comparison: a column for each run, a row for each metric, and what is shown."""

from collections.abc import Mapping, Sequence
from typing import TypedDict

from llmeval.compare.comparison import Comparison, MetricDifference
from llmeval.core.formatting import percent, signed_points
from llmeval.core.manifest import Manifest
from llmeval.core.results import Decision, Metric, Summary
from llmeval.report.comparison_words import p_value
from llmeval.report.safe_text import verdict_word

TONES = {
    Decision.PASS: "pass",
    Decision.FAIL: "fail",
    Decision.INCONCLUSIVE: "unsure",
    Decision.INVALID: "invalid",
    None: "plain",
}
_WORDS = {"better": ("pass", "▲"), "worse": ("fail", "▼"), "no difference shown": ("plain", "≈")}

Sides = Mapping[str, tuple[Manifest, Summary]]


class ColumnHead(TypedDict):
    """One run at the head of the table."""

    letter: str
    name: str
    run_id: str
    tone: str
    word: str
    reason: str


class ValueCell(TypedDict):
    """One value of a run: the figure, its interval, and the difference from the first run."""

    value: str
    interval: str
    tone: str
    sign: str
    word: str
    note: str


class HeadRow(TypedDict):
    """One metric, or another figure, of every run."""

    name: str
    metric: bool
    gated: bool
    untrusted: bool
    cells: list[ValueCell]


def column_heads(sides: Sides, names: Mapping[str, str]) -> list[ColumnHead]:
    """The runs in order, with their own decisions."""
    return [
        ColumnHead(
            letter=letter,
            name=names[letter],
            run_id=str(manifest.run_id),
            tone=TONES[summary.gate.decision],
            word=verdict_word(summary, manifest),
            reason=summary.gate.reason,
        )
        for letter, (manifest, summary) in sides.items()
    ]


def metric_order(sides: Sides) -> list[str]:
    """The metrics, those that a gate names first."""
    every: dict[str, None] = {}
    for _, summary in sides.values():
        every |= {each.metric: None for each in summary.metrics if each.slice is None}
    gated = gated_metrics(sides)
    return sorted(every, key=lambda name: name not in gated)


def gated_metrics(sides: Sides) -> set[str]:
    """The metrics that a rule of a gate is about."""
    return {
        rule.metric
        for _, summary in sides.values()
        for rule in summary.gate.rules
        if rule.metric is not None
    }


def head_rows(comparison: Comparison, sides: Sides) -> list[HeadRow]:
    """Cases that pass, then each metric, then cost and time."""
    gated = gated_metrics(sides)
    differences = {(row.letter, row.metric): row for row in comparison.metrics}
    rows = [_row("cases passed", [_passed(summary) for _, summary in sides.values()])]
    for metric in metric_order(sides):
        values = {letter: _metric(summary, metric) for letter, (_, summary) in sides.items()}
        cells = [
            _value(value, differences.get((letter, metric))) for letter, value in values.items()
        ]
        untrusted = any(
            value is not None and value.trust == "UNTRUSTED" for value in values.values()
        )
        rows.append(_row(metric, cells, metric=True, gated=metric in gated, untrusted=untrusted))
    costs = [_cost(summary) for _, summary in sides.values()]
    if any(cost is not None for cost in costs):
        rows.append(
            _row("cost", [_plain("–" if cost is None else f"${cost:.4f}") for cost in costs])
        )
    rows.append(_row("time", [_plain(_seconds(summary.wall_s)) for _, summary in sides.values()]))
    return rows


def _row(
    name: str,
    cells: Sequence[ValueCell],
    *,
    metric: bool = False,
    gated: bool = False,
    untrusted: bool = False,
) -> HeadRow:
    return HeadRow(name=name, metric=metric, gated=gated, untrusted=untrusted, cells=list(cells))


def _passed(summary: Summary) -> ValueCell:
    counts = summary.counts
    note = f"{counts.errors + counts.unscored:,} missing" if counts.errors + counts.unscored else ""
    return _plain(f"{counts.passed:,} of {counts.cases:,}", note)


def _plain(value: str, note: str = "") -> ValueCell:
    return ValueCell(value=value, interval="", tone="plain", sign="", word="", note=note)


def _metric(summary: Summary, name: str) -> Metric | None:
    return next(
        (each for each in summary.metrics if each.metric == name and each.slice is None), None
    )


def _value(metric: Metric | None, difference: MetricDifference | None) -> ValueCell:
    if metric is None or metric.pass_rate is None:
        return _plain("–")
    cell = _plain(percent(metric.pass_rate))
    missing = metric.unscored + metric.errors
    if metric.low is not None and metric.high is not None:
        cell["interval"] = f"{100 * metric.low:.1f}–{100 * metric.high:.1f}%"
    notes = [f"{missing:,} missing"] if missing else []
    if difference is not None:
        cell["tone"], cell["sign"] = _WORDS.get(difference.word, ("invalid", "!"))
        cell["word"] = difference.word
        if difference.difference is not None:
            notes.insert(
                0,
                f"{signed_points(difference.difference)} points, p {p_value(difference.adjusted)}",
            )
        elif difference.why:
            notes.append(difference.why)
    cell["note"] = ", ".join(notes)
    return cell


def _cost(summary: Summary) -> float | None:
    costs = [calls.cost_usd for calls in summary.calls.values() if calls.cost_usd is not None]
    return sum(costs) if costs else None


def _seconds(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f} s"
