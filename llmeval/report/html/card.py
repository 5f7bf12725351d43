"""A run as a card in a notebook: its decision, the rules of its gate, its metrics and the worst
failing cases.

All styles are attributes, because notebook viewers remove style sheets. Every text of a model or a
suite is escaped.
"""

from collections.abc import Sequence

from markupsafe import Markup

from llmeval.core.formatting import percent
from llmeval.core.manifest import Manifest
from llmeval.core.results import GateResult, Metric, Summary
from llmeval.report.failing_cases import FailingCase
from llmeval.report.html import words
from llmeval.report.html.gate_table import gate_rows
from llmeval.report.safe_text import one_line, outcomes, verdict_word, visible

_COLOURS = {"PASS": "#1a7f37", "FAIL": "#b3261e", "INCONCLUSIVE": "#8a5a00", "INVALID": "#6b3fa0"}
_NEUTRAL = "#57606a"
"""Without a decision, or of a run that did not end. White text is readable on each of these."""
_WIDTH, _HEIGHT, _PAD = 160, 16, 6
_MOST_METRICS = 12
_MOST_CASES = 5
_EXCERPT = 160

_CELL = Markup('<td style="text-align:left;padding:2px 10px 2px 0;vertical-align:top">{}</td>')
_HEAD = Markup('<th style="text-align:left;padding:2px 10px 2px 0">{}</th>')


def run_card(
    summary: Summary, manifest: Manifest, failing: Sequence[FailingCase], place: str
) -> str:
    """The card as HTML.

    Args:
        summary, manifest: of the run.
        failing: cases that did not pass, the worst first.
        place: the path of the run's directory.
    """
    word = verdict_word(summary, manifest)
    parts = [
        Markup(
            '<div style="font-size:15px;margin-bottom:4px"><b style="background:{};color:#fff;'
            'padding:2px 8px;border-radius:4px">{}</b> {}</div>'
        ).format(_COLOURS.get(word, _NEUTRAL), word, visible(summary.suite)),
        Markup("<div>{}</div>").format(visible(summary.gate.reason)),
        Markup("<div>{}</div>").format(outcomes(summary.counts)),
        _rules(summary.gate, summary.metrics, manifest),
        _metrics(summary.metrics),
        _cases(failing),
        Markup("<div>Run: <code>{}</code></div>").format(place),
    ]
    return Markup(
        '<div class="llmeval-run" style="border:1px solid #8886;border-radius:6px;padding:10px;'
        'max-width:900px;overflow-x:auto">{}</div>'
    ).format(Markup("").join(parts))


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Markup:
    head = Markup("").join(_HEAD.format(each) for each in heads)
    body = Markup("").join(
        Markup("<tr>{}</tr>").format(Markup("").join(_CELL.format(cell) for cell in row))
        for row in rows
    )
    return Markup(
        '<table style="margin:8px 0;border-collapse:collapse"><thead><tr>{}</tr></thead>'
        "<tbody>{}</tbody></table>"
    ).format(head, body)


def _rules(gate: GateResult, metrics: Sequence[Metric], manifest: Manifest) -> Markup:
    """The table of the rules; empty without a rule."""
    if not gate.rules:
        return Markup("")
    rows = gate_rows(gate, {(each.metric, each.slice): each for each in metrics}, manifest)
    keys = ("decision", "rule", "name", "estimate", "bounds", "threshold", "reason")
    return _table(
        ("decision", "rule", "metric", "estimate", "bounds", "limit", "reason"),
        [[visible(str(row[key])) for key in keys] for row in rows],
    )


def _metrics(metrics: Sequence[Metric]) -> Markup:
    """The metrics over all cases, each with its chart; slices only if there is nothing else."""
    whole = [each for each in metrics if each.slice is None] or list(metrics)
    if not whole:
        return Markup("")
    rows = [
        (
            visible(words.named(each.metric, each.slice))
            + (f" ({each.trust} judge)" if each.trust else ""),
            percent(each.pass_rate),
            _chart(each),
            f"{each.n:,}",
            f"{each.unscored + each.errors:,}",
        )
        for each in whole[:_MOST_METRICS]
    ]
    table = _table(("metric", "pass rate", "0 % to 100 %", "cases", "missing"), rows)
    left = len(whole) - _MOST_METRICS
    return table + (Markup("<div>{} more metrics</div>").format(left) if left > 0 else "")


def _chart(metric: Metric) -> Markup:
    """The pass rate as a dot on its interval. The cells next to it have the same as text."""
    if metric.pass_rate is None:
        return Markup("–")

    def x(share: float) -> float:
        return round(_PAD + share * (_WIDTH - 2 * _PAD), 1)

    middle, parts = _HEIGHT / 2, []
    title = f"{percent(metric.pass_rate)} of {metric.n:,} cases"
    if metric.low is not None and metric.high is not None:
        title += f", interval {percent(metric.low)} to {percent(metric.high)}"
        parts.append(
            Markup('<rect x="{}" y="{}" width="{}" height="6" rx="3" fill="#6699cc"/>').format(
                x(metric.low), middle - 3, max(x(metric.high) - x(metric.low), 2)
            )
        )
    parts.append(
        Markup('<circle cx="{}" cy="{}" r="4" fill="#0b5394"/>').format(x(metric.pass_rate), middle)
    )
    return Markup(
        '<svg role="img" aria-label="{}" width="{}" height="{}"><title>{}</title>'
        '<line x1="{}" x2="{}" y1="{}" y2="{}" stroke="#8888"/>{}</svg>'
    ).format(
        title, _WIDTH, _HEIGHT, title, _PAD, _WIDTH - _PAD, middle, middle, Markup("").join(parts)
    )


def _cases(failing: Sequence[FailingCase]) -> Markup:
    """The worst cases; empty where none is known."""
    if not failing:
        return Markup("")
    rows = [
        (each.case_id, each.expected, each.output, each.reason) for each in failing[:_MOST_CASES]
    ]
    return _table(
        ("case", "expected", "answer", "reason"),
        [[one_line(cell, _EXCERPT) for cell in row] for row in rows],
    )
