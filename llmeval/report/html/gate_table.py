"""The table of the gate's rules."""

import math
from collections.abc import Mapping

from llmeval.core.formatting import percent, round_percent, signed_points
from llmeval.core.manifest import Manifest
from llmeval.core.results import Decision, GateResult, Metric, RuleDecision
from llmeval.report.html import strips, words
from llmeval.report.html.metric_table import MetricKey, bounds
from llmeval.report.number_words import rule_value

COMPARES = ("regression", "release")
"""Rules whose figures are differences from an earlier run."""


def gate_rows(
    gate: GateResult, metrics: Mapping[MetricKey, Metric], manifest: Manifest
) -> list[dict[str, object]]:
    """One row a rule, what decided the run first."""
    rates = [rule for rule in gate.rules if rule.number is None]
    axis = strips.axis_for([v for rule in rates for v in (rule.estimate, rule.low, rule.threshold)])
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
    rule: RuleDecision, metric: Metric | None, axis: strips.Axis, manifest: Manifest
) -> dict[str, object]:
    tone = words.TONES[rule.decision]
    moved = rule.rule in COMPARES
    shown = _number_values(rule) if rule.number is not None else _rate_values(rule, moved)
    return {
        "decision": rule.decision.value,
        "tone": tone,
        "rule": _RULES.get(rule.rule, rule.rule.replace("_", " ")),
        "name": words.named(rule.metric, rule.slice),
        **shown,
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


def _rate_values(rule: RuleDecision, moved: bool) -> dict[str, str]:
    """Estimate, bounds and limit of a rule about a rate."""
    number = signed_points if moved else percent
    return {
        "estimate": number(rule.estimate),
        "bounds": bounds(rule.low, rule.high, signed=moved),
        "threshold": "–" if rule.threshold is None else _limit(rule.threshold, moved),
    }


def _number_values(rule: RuleDecision) -> dict[str, str]:
    """The same of a rule about a number, in its unit, or in percent of the baseline's value."""
    low, high = rule_value(rule, rule.low), rule_value(rule, rule.high)
    return {
        "estimate": rule_value(rule, rule.estimate),
        "bounds": "–" if low == high == "–" else f"{low} to {high}",
        "threshold": rule_value(rule, rule.threshold),
    }


_RULES = {
    "must_pass": "Must pass",
    "partial": "Whole suite",
    "never": "Never",
    "limit": "Limit",
    "floor": "Floor",
    "complete": "Complete run",
    "max_unscored": "Missing results",
    "improve": "Improvement",
    "regression": "No regression",
    "release": "No drop since the release",
}


def _gate_strip(rule: RuleDecision, axis: strips.Axis, tone: str) -> str:
    """The rule's estimate and bounds beside its limit: a share of cases, or points beside the
    baseline.
    """
    if rule.estimate is None or rule.threshold is None or rule.number is not None:
        return ""
    name, limit = words.named(rule.metric, rule.slice), rule.threshold
    if rule.rule == "floor":
        title = f"{name}: {percent(rule.estimate)}, floor {round_percent(limit)}"
        return strips.strip(
            axis,
            title,
            tone,
            estimate=rule.estimate,
            low=rule.low,
            high=rule.high,
            threshold=limit,
            named="floor",
        )
    if rule.rule not in COMPARES or rule.low is None or rule.high is None:
        return ""
    title = f"{name}: {signed_points(rule.estimate)} points, margin {100 * limit:g}"
    end = min(1.0, math.ceil(20 * max(abs(rule.low), abs(rule.high), limit)) / 20)
    return strips.shift(title, tone, rule.estimate, rule.low, rule.high, end, margin=limit)


def _limit(threshold: float, moved: bool) -> str:
    return signed_points(-threshold) if moved else round_percent(threshold)
