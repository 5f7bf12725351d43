"""The table of metrics and slices, each with a row of a forest plot."""

from typing import Any

from llmeval.core.formatting import percent, round_percent, signed_points
from llmeval.core.results import Metric, Summary
from llmeval.report.html import strips, words

MetricKey = tuple[str, str | None]
"""(metric, slice)"""
SHOWN_SLICES, MOST_SLICES = 8, 100
"""Rows of a tag that are shown at once, and at all; `summary.json` has every one."""


def by_key(summary: Summary | None) -> dict[MetricKey, Metric]:
    """Metrics by (metric, slice)."""
    return {} if summary is None else {(m.metric, m.slice): m for m in summary.metrics}


class MetricTable:
    """Rows of the forest plot, all on one axis."""

    def __init__(self, summary: Summary, before: Summary | None) -> None:
        self._summary = summary
        self._before = by_key(before)
        self._rules = {(r.metric, r.slice): r for r in summary.gate.rules if r.rule == "floor"}
        shown = [v for m in summary.metrics for v in (m.low, m.pass_rate)]
        self.axis = strips.axis_for([*shown, *(r.threshold for r in self._rules.values())])

    def overall(self) -> list[dict[str, object]]:
        """Metrics over all cases, those the gate decides on first."""
        overall = [m for m in self._summary.metrics if m.slice is None]
        gated = {rule.metric for rule in self._summary.gate.rules}
        return [
            self._row(m)
            for m in sorted(overall, key=lambda m: (m.metric not in gated, m.trust == "UNTRUSTED"))
        ]

    def slices(self) -> list[dict[str, object]]:
        """One group a tag, its weakest slices first."""
        groups: dict[str, list[Metric]] = {}
        for metric in self._summary.metrics:
            if metric.slice is not None and metric.n:
                groups.setdefault(metric.slice.partition("=")[0], []).append(metric)
        return [self._group(tag, metrics) for tag, metrics in groups.items()]

    def _group(self, tag: str, metrics: list[Metric]) -> dict[str, Any]:
        gated = {metric for metric, _ in self._rules}

        def order(metric: Metric) -> tuple[bool, float]:
            return (
                metric.metric not in gated,
                metric.pass_rate if metric.pass_rate is not None else 2,
            )

        rows = [self._row(m) for m in sorted(metrics, key=order)[:MOST_SLICES]]
        return {
            "tag": tag,
            "rows": rows[:SHOWN_SLICES],
            "more": rows[SHOWN_SLICES:],
            "ruled": any(row["decision"] for row in rows),
        }

    def _row(self, metric: Metric) -> dict[str, object]:
        rule = self._rules.get((metric.metric, metric.slice))
        before = self._before.get((metric.metric, metric.slice))
        was = before.pass_rate if before else None
        change = None if was is None or metric.pass_rate is None else metric.pass_rate - was
        tone = words.TONES[rule.decision] if rule else "plain"
        name = words.named(metric.metric, metric.slice)
        title = (
            f"{name}: {percent(metric.pass_rate)} pass, interval {bounds(metric.low, metric.high)}"
        )
        title += (
            f", floor {round_percent(rule.threshold)}"
            if rule and rule.threshold is not None
            else ""
        )
        title += f", baseline {percent(was)}" if was is not None else ""
        return {
            "metric": metric.metric,
            "slice": metric.slice,
            "value": metric.slice.partition("=")[2] if metric.slice else None,
            "query": (
                _query("metric", metric.metric)
                + (f" {_query('slice', metric.slice)}" if metric.slice else "")
            ),
            "trust": metric.trust,
            "n": f"{metric.n:,}",
            "lost": metric.unscored + metric.errors,
            "unscored": metric.unscored,
            "errors": metric.errors,
            "rate": percent(metric.pass_rate),
            "interval": bounds(metric.low, metric.high),
            "level": f"{metric.level:.0%}",
            "floor": (
                None if rule is None or rule.threshold is None else round_percent(rule.threshold)
            ),
            "decision": rule.decision.value if rule else None,
            "other_rule": "" if rule else self._other_rule(metric),
            "tone": tone,
            "change": _points(change),
            "direction": (
                "none" if not change or _points(change) == "0.0" else "up" if change > 0 else "down"
            ),
            "strip": strips.strip(
                self.axis,
                title,
                tone,
                estimate=metric.pass_rate,
                low=metric.low,
                high=metric.high,
                threshold=rule.threshold if rule else None,
                before=was,
            ),
        }

    def _other_rule(self, metric: Metric) -> str:
        """The rule other than a floor that decides on a metric; empty if none does. A rule about
        all metrics is among them.
        """
        rules = self._summary.gate.rules
        own = [r for r in rules if (r.metric, r.slice) == (metric.metric, metric.slice)]
        common = [r for r in rules if r.rule == "must_pass" and metric.slice is None]
        names = [r.rule.replace("_", " ") for r in (*own, *common) if r.number is None]
        return ", ".join(dict.fromkeys(names))


def _query(key: str, value: str) -> str:
    """A filter of the page's query language."""
    return f'{key}:"{value}"' if any(c.isspace() for c in value) else f"{key}:{value}"


def _points(change: float | None) -> str | None:
    return None if change is None else signed_points(change)


def bounds(low: float | None, high: float | None, *, signed: bool = False) -> str:
    """Two ends of an interval, in percent or (`signed`) in points; a dash without one."""
    if low is None or high is None:
        return "–"
    return (
        f"{signed_points(low)} to {signed_points(high)}"
        if signed
        else f"{100 * low:.1f} to {100 * high:.1f}"
    )
