"""The rules that a gate's keys name in a run: `*` stands in them for what the run and its baseline
have.
"""

from collections.abc import Collection, Mapping
from typing import NamedTuple

from llmeval.core.baseline_lock import BaselineLock
from llmeval.core.manifest import Manifest
from llmeval.core.metric_ref import Slice
from llmeval.core.rule_keys import RuleKey, expand_key, is_pattern
from llmeval.gate.aggregate import RunAggregate
from llmeval.gate.rules.threshold import Threshold


class ExpandedMargin(NamedTuple):
    """One rule of regression, by the key that names it."""

    key: RuleKey
    threshold: Threshold
    stated: str
    """The key in the suite."""


def metrics_of(aggregate: RunAggregate, manifest: Manifest) -> set[str]:
    """The metrics of a run's checks and judges, those without a score too."""
    return {*manifest.check_metrics, *manifest.judges, *aggregate.columns}


def slices_of(aggregate: RunAggregate) -> set[Slice]:
    """(tag, value) of the run's cases."""
    return set(aggregate.slices)


def expand_margins(
    stated: Mapping[str, Threshold], metrics: Collection[str], slices: Collection[Slice]
) -> tuple[list[ExpandedMargin], list[str]]:
    """The rules of a gate's margins, and the keys that name none.

    A key without `*` goes before those with it. Of several with `*` the smallest margin counts.
    """
    margins: dict[RuleKey, ExpandedMargin] = {}
    empty: list[str] = []
    for key, threshold in sorted(stated.items(), key=lambda item: is_pattern(item[0])):
        rules = expand_key(key, metrics, slices)
        if not rules:
            empty.append(key)
        for rule in rules:
            before = margins.get(rule)
            if before is None or (
                is_pattern(before.stated) and threshold.value < before.threshold.value
            ):
                margins[rule] = ExpandedMargin(rule, threshold, key)
    order = list(stated)
    return sorted(margins.values(), key=lambda each: order.index(each.stated)), empty


def margins_of_run(
    aggregate: RunAggregate,
    manifest: Manifest,
    baseline: BaselineLock,
    stated: Mapping[str, Threshold],
) -> tuple[list[ExpandedMargin], list[str]]:
    """The rules of regression of a run, and the keys that name none.

    The baseline's metrics count too: one that is gone must be missed. A rule that a `*` names is
    left out where neither side has a result for it, as a metric need not apply to each slice.
    """
    metrics = metrics_of(aggregate, manifest) | set(baseline.metrics)
    rules, empty = expand_margins(stated, metrics, slices_of(aggregate))
    kept = [
        rule for rule in rules if not is_pattern(rule.stated) or _has(aggregate, baseline, rule)
    ]
    named = {rule.stated for rule in kept}
    empty += [key for key in {rule.stated for rule in rules} if key not in named]
    return kept, sorted(empty)


def _has(aggregate: RunAggregate, baseline: BaselineLock, rule: ExpandedMargin) -> bool:
    """Whether a case of the rule's slice has a result of its metric, on either side."""
    metric, slice_, _ = rule.key
    if metric in aggregate.numbers.names:
        return True
    before = baseline.results(metric)
    return any(
        name in before or aggregate.result(metric, name) is not None
        for name in aggregate.members(slice_)
    ) or (slice_ is None and bool(before))
