"""The tables and charts of the first page: gate, metrics, slices, changes, distributions, judges,
calls.
"""

import math
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from llmeval.core.formatting import percent, round_percent, signed_points
from llmeval.core.manifest import Manifest
from llmeval.core.results import Calls, Decision, GateResult, Metric, RuleDecision, Summary
from llmeval.report.html import charts, words
from llmeval.report.html.totals import MetricTotals, Totals, Verdicts
from llmeval.report.safe_text import count
from llmeval.stats.estimation.bounds import wilson

MetricKey = tuple[str, str | None]
SHOWN_SLICES, MOST_SLICES = 8, 100
"""Rows of a tag that are shown at once, and at all; `summary.json` has every one."""
BINS = ((0.5, 0.6), (0.6, 0.7), (0.7, 0.8), (0.8, 0.9), (0.9, 1.01))


def by_key(summary: Summary | None) -> dict[MetricKey, Metric]:
    """Metrics by (metric, slice)."""
    return {} if summary is None else {(m.metric, m.slice): m for m in summary.metrics}


def gate_rows(
    gate: GateResult, metrics: Mapping[MetricKey, Metric], manifest: Manifest
) -> list[dict[str, Any]]:
    """One row a rule, what decided the run first."""
    axis = charts.axis_for(
        [v for rule in gate.rules for v in (rule.estimate, rule.low, rule.threshold)]
    )
    order = {
        d: i
        for i, d in enumerate(
            (Decision.INVALID, Decision.FAIL, Decision.INCONCLUSIVE, Decision.PASS)
        )
    }
    rules = sorted(gate.rules, key=lambda rule: order[rule.decision])
    return [
        _gate_row(rule, metrics.get((rule.metric or "", rule.slice)), axis, manifest)
        for rule in rules
    ]


def _gate_row(
    rule: RuleDecision, metric: Metric | None, axis: charts.Axis, manifest: Manifest
) -> dict[str, Any]:
    tone = words.TONES[rule.decision]
    moved = rule.rule == "regression"
    number = signed_points if moved else percent
    return {
        "decision": rule.decision.value,
        "tone": tone,
        "rule": _RULES.get(rule.rule, rule.rule.replace("_", " ")),
        "name": words.named(rule.metric, rule.slice),
        "estimate": number(rule.estimate),
        "bounds": _bounds(rule.low, rule.high, signed=moved),
        "threshold": "–" if rule.threshold is None else _limit(rule.threshold, moved),
        "reason": words.minus(rule.reason),
        "baseline": rule.baseline if rule.baseline and rule.baseline not in rule.reason else None,
        "trust": metric.trust if metric else None,
        "strip": _gate_strip(rule, axis, tone),
        "assumptions": (
            words.assumptions(rule, metric, manifest)
            if rule.rule == "floor"
            else [words.sentence(each) for each in rule.assumptions]
        ),
        "certainty": words.certainty(rule),
        "fell": rule.fell,
    }


_RULES = {
    "must_pass": "Must pass",
    "floor": "Floor",
    "complete": "Complete run",
    "max_unscored": "Missing results",
    "regression": "No regression",
}


def _gate_strip(rule: RuleDecision, axis: charts.Axis, tone: str) -> str:
    """The rule's estimate and bounds beside its limit: a share of cases, or points beside the
    baseline.
    """
    if rule.estimate is None or rule.threshold is None:
        return ""
    name, limit = words.named(rule.metric, rule.slice), rule.threshold
    if rule.rule == "floor":
        title = f"{name}: {percent(rule.estimate)}, floor {round_percent(limit)}"
        return charts.strip(
            axis,
            title,
            tone,
            estimate=rule.estimate,
            low=rule.low,
            high=rule.high,
            threshold=limit,
            named="floor",
        )
    if rule.rule != "regression" or rule.low is None or rule.high is None:
        return ""
    title = f"{name}: {signed_points(rule.estimate)} points, margin {100 * limit:g}"
    end = min(1.0, math.ceil(20 * max(abs(rule.low), abs(rule.high), limit)) / 20)
    return charts.shift(title, tone, rule.estimate, rule.low, rule.high, end, margin=limit)


def _limit(threshold: float, moved: bool) -> str:
    return signed_points(-threshold) if moved else round_percent(threshold)


def _bounds(low: float | None, high: float | None, *, signed: bool = False) -> str:
    if low is None or high is None:
        return "–"
    return (
        f"{signed_points(low)} to {signed_points(high)}"
        if signed
        else f"{100 * low:.1f} to {100 * high:.1f}"
    )


class MetricTable:
    """Rows of the forest plot, all on one axis."""

    def __init__(self, summary: Summary, before: Summary | None) -> None:
        self._summary = summary
        self._before = by_key(before)
        self._rules = {(r.metric, r.slice): r for r in summary.gate.rules if r.rule == "floor"}
        shown = [v for m in summary.metrics for v in (m.low, m.pass_rate)]
        self.axis = charts.axis_for([*shown, *(r.threshold for r in self._rules.values())])

    def overall(self) -> list[dict[str, Any]]:
        """Metrics over all cases, those the gate decides on first."""
        found = [m for m in self._summary.metrics if m.slice is None]
        return [
            self._row(m) for m in sorted(found, key=lambda m: (m.metric, None) not in self._rules)
        ]

    def slices(self) -> list[dict[str, Any]]:
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

    def _row(self, metric: Metric) -> dict[str, Any]:
        rule = self._rules.get((metric.metric, metric.slice))
        before = self._before.get((metric.metric, metric.slice))
        was = before.pass_rate if before else None
        change = None if was is None or metric.pass_rate is None else metric.pass_rate - was
        tone = words.TONES[rule.decision] if rule else "plain"
        name = words.named(metric.metric, metric.slice)
        title = (
            f"{name}: {percent(metric.pass_rate)} pass, interval {_bounds(metric.low, metric.high)}"
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
            "interval": _bounds(metric.low, metric.high),
            "level": f"{metric.level:.0%}",
            "floor": (
                None if rule is None or rule.threshold is None else round_percent(rule.threshold)
            ),
            "decision": rule.decision.value if rule else None,
            "tone": tone,
            "change": _points(change),
            "direction": (
                "none" if not change or _points(change) == "0.0" else "up" if change > 0 else "down"
            ),
            "strip": charts.strip(
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


def _query(key: str, value: str) -> str:
    """A filter of the page's query language."""
    return f'{key}:"{value}"' if any(c.isspace() for c in value) else f"{key}:{value}"


def _points(change: float | None) -> str | None:
    return None if change is None else signed_points(change)


def changes(totals: Totals) -> list[dict[str, Any]]:
    """How many scores moved, metric by metric; only rows that both runs have."""
    rows = []
    for name, total in totals.metrics.items():
        if not total.changes:
            continue
        moved = total.changes
        rows.append(
            {
                "metric": name,
                "regressed": moved["pass", "fail"],
                "fixed": moved["fail", "pass"],
                "passing": moved["pass", "pass"],
                "failing": moved["fail", "fail"],
                "other": (
                    sum(moved.values())
                    - sum(
                        moved[pair]
                        for pair in (
                            ("pass", "fail"),
                            ("fail", "pass"),
                            ("pass", "pass"),
                            ("fail", "fail"),
                        )
                    )
                ),
            }
        )
    return sorted(rows, key=lambda row: -row["regressed"])


def distributions(totals: Totals) -> list[dict[str, Any]]:
    """A histogram for each metric whose values are more than 0 and 1."""
    return [
        {
            "metric": name,
            "chart": charts.histogram(
                f"Distribution of {name}: {_spread(total)}",
                total.now,
                total.before,
                ("0", "1", "answers"),
            ),
            "spread": _spread(total),
        }
        for name, total in totals.metrics.items()
        if total.graded
    ]


def _spread(total: MetricTotals) -> str:
    n = sum(total.now)
    size = len(total.now)
    low, high = sum(total.now[: size // 4]), sum(total.now[-size // 4 :])
    return (
        f"{100 * low / n:.0f}% below 0.25, {100 * high / n:.0f}% from 0.75 on" if n else "no values"
    )


def calls(found: Mapping[str, Calls]) -> list[dict[str, Any]]:
    """Calls by role."""
    rows = []
    for role, call in found.items():
        total = call.made + call.cached
        rows.append(
            {
                "role": role.replace("judge:", "judge "),
                "made": f"{call.made:,}",
                "cached": f"{call.cached:,}",
                "share": f"{100 * call.cached / total:.0f}%" if total else "–",
                "retried": f"{call.retried:,}",
                "failed": call.failed,
                "input": f"{call.input_tokens:,}",
                "output": f"{call.output_tokens:,}",
                "cost": "not stated" if call.cost_usd is None else f"${call.cost_usd:,.4f}",
            }
        )
    return rows


def _binned(ordered: Sequence[float], low: float, high: float, bins: int = 24) -> list[int]:
    """How many of the ordered values lie in each of `bins` steps from low to high, equal on a
    logarithmic scale.
    """
    ratio = max(high / low, 1.01) ** (1 / bins)
    ends = [bisect_right(ordered, low * ratio**step * 1.0001) for step in range(1, bins)] + [
        len(ordered)
    ]
    return [end - begin for begin, end in zip([0, *ends], ends, strict=False)]


def latency(totals: Totals) -> dict[str, Any] | None:
    """Latency of the calls made (not of cached answers), on a logarithmic scale."""
    if not totals.latencies:
        return None
    values = sorted(max(value, 0.1) for value in totals.latencies)
    before = sorted(max(value, 0.1) for value in totals.latencies_before)
    low, high = min([values[0], *before[:1]]), max([values[-1], *before[-1:]])
    median, p95 = (
        words.milliseconds(values[int(share * (len(values) - 1))]) for share in (0.5, 0.95)
    )
    text = f"median {median}, 95% within {p95}, longest {words.milliseconds(values[-1])}"
    chart = charts.histogram(
        f"Latency of {count(len(values), 'call')}: {text}",
        _binned(values, low, high),
        _binned(before, low, high) if before else None,
        (words.milliseconds(low), words.milliseconds(high), "calls"),
    )
    return {"chart": chart, "text": text, "n": count(len(values), "call")}


def judges(manifest: Manifest, totals: Totals, gate: GateResult) -> list[dict[str, Any]]:
    """One card a judge: may it be trusted, why, and what was seen of it in this run."""
    cards, passing = [], {rule.metric for rule in gate.rules if rule.decision is Decision.PASS}
    for name, judge in manifest.judges.items():
        total = totals.metrics.get(name, MetricTotals())
        labelled = [v for v in totals.labelled if v.metric == name]
        cards.append(
            {
                "name": name,
                "trusted": judge.trust == "TRUSTED",
                "carried": name in passing,
                "reason": words.sentence(judge.trust_reason or "no reason recorded"),
                "model": judge.model,
                "identity": judge.identity or {},
                "params": judge.params or {},
                "prompt": judge.prompt,
                "version": judge.prompt_version,
                "digest": judge.digest,
                "certificate": judge.certificate,
                "scored": sum(total.statuses[s] for s in ("pass", "fail")),
                "unscored": total.statuses["unscored"],
                "errors": total.statuses["error"],
                "cached": total.cached,
                "quotes": total.quotes,
                "quotes_missing": total.quotes_missing,
                "agreement": _agreement(labelled),
                "reliability": _reliability(name, labelled),
            }
        )
    return cards


def _agreement(labelled: Sequence[Verdicts]) -> dict[str, int] | None:
    if not labelled:
        return None
    pairs = [(v.judge, v.person) for v in labelled]
    return {
        "n": len(pairs),
        "agree": sum(judge == person for judge, person in pairs),
        "both_pass": pairs.count((True, True)),
        "judge_only": pairs.count((True, False)),
        "person_only": pairs.count((False, True)),
        "both_fail": pairs.count((False, False)),
    }


def _reliability(name: str, labelled: Iterable[Verdicts]) -> Any:
    known = [(v.confidence, v.judge == v.person) for v in labelled if v.confidence is not None]
    bins = []
    for low, high in BINS:
        inside = [(sure, right) for sure, right in known if low <= sure < high]
        if inside:
            n, hits = len(inside), sum(right for _, right in inside)
            bins.append(
                charts.HistogramBin(
                    sum(sure for sure, _ in inside) / n, hits / n, *wilson(hits, n), n
                )
            )
    if not bins:
        return ""
    title = (
        f"How often {name} was right against how sure it was, on"
        f" {count(len(known), 'labelled answer')}"
    )
    return charts.reliability(title, bins)
