"""What the gate says of each metric, next to the baseline's figure and this run's."""

from collections.abc import Mapping
from typing import NamedTuple

from llmeval.core.formatting import NOTHING, percent, round_percent, round_points, signed_points
from llmeval.core.results import Decision, Metric, RuleDecision, Summary
from llmeval.report.number_words import rule_value

_DIFFERENCES = ("regression", "release")


class MetricChange(NamedTuple):
    """One rule of the gate as a row of a table."""

    rule: str
    """Its kind."""
    name: str
    """The metric or the number, with its slice."""
    before: str
    """The baseline's mean; a dash where there is none."""
    now: str
    arrow: str
    """▲, ▼ or =, as the rule measured it; empty where nothing is compared."""
    estimate: str
    """What the rule measured, with its interval."""
    limit: str
    """The floor or the margin."""
    decision: Decision
    reason: str


def metric_changes(summary: Summary, before: Mapping[str, float]) -> list[MetricChange]:
    """A row for each rule, in the gate's order.

    Args:
        summary: of the run.
        before: by metric, the baseline's mean over all its cases. It is shown for whole metrics: a
            lock file does not keep the figures of slices.
    """
    means = {(metric.metric, metric.slice): metric for metric in summary.metrics}
    return [_row(rule, means, before) for rule in summary.gate.rules]


def _row(
    rule: RuleDecision,
    means: Mapping[tuple[str, str | None], Metric],
    before: Mapping[str, float],
) -> MetricChange:
    name = rule.metric or rule.number or ""
    metric = means.get((name, rule.slice))
    differs = rule.rule in _DIFFERENCES
    old = before.get(name) if rule.slice is None else None
    return MetricChange(
        rule.rule,
        f"{name} @ {rule.slice}" if rule.slice else name,
        percent(old) if differs and rule.number is None else NOTHING,
        percent(None if metric is None else metric.mean),
        _arrow(rule) if differs else "",
        _estimate(rule, differs=differs),
        _limit(rule, differs=differs),
        rule.decision,
        rule.reason,
    )


def _arrow(rule: RuleDecision) -> str:
    """The direction of the measured difference; it says nothing about whether it is by chance."""
    if rule.estimate is None:
        return ""
    if abs(rule.estimate) < 0.0005:
        return "="
    return "▲" if rule.estimate > 0 else "▼"


def _estimate(rule: RuleDecision, *, differs: bool) -> str:
    if rule.estimate is None:
        return NOTHING
    values = (rule.estimate, rule.low, rule.high)
    if rule.number is not None:
        shown, low, high = (rule_value(rule, value) for value in values)
    elif differs:
        shown, low, high = (signed_points(value) for value in values)
        shown += " points"
    else:
        shown, low, high = (percent(value) for value in values)
    ends = [end for end in (low, high) if end != NOTHING]
    return f"{shown} ({' to '.join(ends)})" if len(ends) == 2 else shown


def _limit(rule: RuleDecision, *, differs: bool) -> str:
    if rule.threshold is None:
        return NOTHING
    if rule.number is not None:
        return rule_value(rule, rule.threshold)
    return round_points(rule.threshold) if differs else round_percent(rule.threshold)
