"""The largest drops since the baseline, over all metrics and slices, tested or not.

A rule tests what the suite names. A drop that no rule names is shown too, as exploratory: with many
metrics and slices some drop by chance, so such a drop is a reason to look, and not a decision.
"""

import math
from collections.abc import Collection

from llmeval.core.baseline_lock import BaselineLock
from llmeval.core.manifest import Manifest
from llmeval.core.metric_ref import Slice, slice_label
from llmeval.core.results import MetricDrop
from llmeval.core.rule_keys import RuleKey
from llmeval.gate.aggregate import RunAggregate
from llmeval.gate.baseline import scorer_digest
from llmeval.gate.rules.expand import margins_of_run
from llmeval.gate.rules.threshold import margins_in

MOST = 5
_FEWEST = 5
"""A slice with fewer paired cases is not listed."""
_SMALL = 0.0005


def largest_drops(
    aggregate: RunAggregate, manifest: Manifest, baseline: BaselineLock
) -> tuple[MetricDrop, ...]:
    """At most `MOST` drops of a mean, the largest first. Metrics that something else scored in the
    baseline are left out, as a difference may be the scorer's.
    """
    rules, _ = margins_of_run(aggregate, manifest, baseline, margins_in(manifest.gate.margins))
    tested = {rule.key._replace(passes=False) for rule in rules}
    digests, kept = aggregate.case_digests(), baseline.everything()
    same = {name for name, seen in digests.items() if kept.get(name) == seen}
    drops = []
    for metric in aggregate.columns:
        column = baseline.metrics.get(metric)
        if column is None or column.scorer != scorer_digest(manifest, metric):
            continue
        pairs = _pairs(aggregate, baseline, metric, same)
        for where in (None, *aggregate.slice_names()):
            drop = _drop(aggregate, metric, where, pairs, tested)
            if drop is not None:
                drops.append(drop)
    drops.sort(key=lambda drop: (drop.now - drop.before, drop.slice is not None, drop.metric))
    return tuple(drops[:MOST])


def _pairs(
    aggregate: RunAggregate, baseline: BaselineLock, metric: str, same: Collection[str]
) -> dict[str, tuple[float, float]]:
    """(before, now) by case id, of the cases that have a result on both sides."""
    before = baseline.results(metric)
    pairs = {}
    for result in aggregate.results(metric):
        old = before.get(result.case_id, math.nan)
        if result.case_id in same and not math.isnan(old) and not math.isnan(result.value):
            pairs[result.case_id] = (old, result.value)
    return pairs


def _drop(
    aggregate: RunAggregate,
    metric: str,
    where: Slice | None,
    pairs: dict[str, tuple[float, float]],
    tested: Collection[RuleKey],
) -> MetricDrop | None:
    """The drop over one slice; None where the mean did not fall, or of a slice of few pairs."""
    names = pairs if where is None else [name for name in aggregate.members(where) if name in pairs]
    n = len(names)
    if not n or (where is not None and n < _FEWEST):
        return None
    before = math.fsum(pairs[name][0] for name in names) / n
    now = math.fsum(pairs[name][1] for name in names) / n
    if before - now < _SMALL:
        return None
    return MetricDrop(
        metric=metric,
        slice=None if where is None else slice_label(where),
        before=before,
        now=now,
        n=n,
        tested=RuleKey(metric, where) in tested,
    )
