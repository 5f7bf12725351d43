"""The numbers of a run in its summary: mean, p50 and p95, with intervals."""

import math

from llmeval.core.manifest import Manifest
from llmeval.core.numbers import SHOWN, UNITS, NumberRef
from llmeval.core.results import NumberMetric, NumberStatistic
from llmeval.gate.aggregate import RunAggregate
from llmeval.gate.number_sample import NumberSample, sample_numbers, shown_numbers
from llmeval.stats.estimation.quantiles import quantile_bounds, sample_quantile
from llmeval.stats.estimation.skewed_mean import skewed_bounds

LEVEL = 0.95


def number_metrics(aggregate: RunAggregate, manifest: Manifest) -> tuple[NumberMetric, ...]:
    """The numbers of a run, over all answers."""
    return tuple(_metric(aggregate, name) for name in shown_numbers(aggregate, manifest))


def _metric(aggregate: RunAggregate, name: str) -> NumberMetric:
    sample = sample_numbers(aggregate, name)
    values, clusters = _present(sample)
    return NumberMetric(
        name=name,
        unit=UNITS.get(name, ""),
        n=len(values),
        missing=len(sample.values) - len(values),
        level=LEVEL,
        statistics=tuple(_statistic(NumberRef(name, each), values, clusters) for each in SHOWN)
        if values
        else (),
    )


def _present(sample: NumberSample) -> tuple[list[float], list[str]]:
    """The values that there are, and the cluster of each."""
    kept = [
        (value, cluster)
        for value, cluster in zip(sample.values, sample.clusters, strict=True)
        if not math.isnan(value)
    ]
    return [value for value, _ in kept], [cluster for _, cluster in kept]


def _statistic(ref: NumberRef, values: list[float], clusters: list[str]) -> NumberStatistic:
    """One statistic of the values that there are. The interval is about them alone."""
    alpha, q = (1 - LEVEL) / 2, ref.quantile
    if q is None:
        bounds = skewed_bounds(values, clusters, alpha)
        mean = math.fsum(values) / len(values)
        ends = (None, None) if bounds is None else (_finite(bounds.low), _finite(bounds.high))
        return NumberStatistic(statistic=ref.statistic, value=mean, low=ends[0], high=ends[1])
    low, high = quantile_bounds(values, q, alpha, clusters)
    value = sample_quantile(values, q)
    return NumberStatistic(
        statistic=ref.statistic, value=value, low=_finite(low), high=_finite(high)
    )


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
