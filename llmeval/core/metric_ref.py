"""How a gate names what a rule is about: `metric`, or `metric @ tag=value`; and which cases depend
on one another.
"""

from collections.abc import Sequence

Slice = tuple[str, str]
"""A tag and its value."""


def parse_metric_ref(key: str) -> tuple[str, Slice | None]:
    """The metric and the slice of `metric` or `metric @ tag=value`; the slice is None for all
    cases.
    """
    metric, at, where = (part.strip() for part in key.partition("@"))
    if not at:
        return metric, None
    tag, _, value = (part.strip() for part in where.partition("="))
    return metric, (tag, value)


def metric_of(key: str) -> str:
    """The metric of a reference, whatever its slice."""
    return parse_metric_ref(key)[0]


def slice_label(where: Slice) -> str:
    """`tag=value`, as records and messages name a slice."""
    return "=".join(where)


def cluster_key(case_id: str, cluster: str | None) -> str:
    """The key that the cases of a cluster share. A case without a cluster has its own key."""
    return f"\0{case_id}" if cluster is None else cluster


def most_specific(metrics: Sequence[str]) -> str:
    """The first metric, or the first of its parts among the others: `json_fields.total` instead of
    `json_fields`, so that a sentence names the field.
    """
    return next((name for name in metrics if is_part(name, metrics[0])), metrics[0])


def is_part(metric: str, whole: str) -> bool:
    """Whether a metric is one of several of the same check: `json_fields.total` of
    `json_fields`.
    """
    return metric.startswith(f"{whole}.")
