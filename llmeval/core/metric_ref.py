"""References to metrics in a gate (`metric`, or `metric @ tag=value`), and clusters of cases."""

from collections.abc import Sequence

Slice = tuple[str, str]
"""A tag and its value."""


def parse_metric_ref(key: str) -> tuple[str, Slice | None]:
    """The metric and the slice of a reference `metric` or `metric @ tag=value`. The slice is None
    for all cases.
    """
    metric, at, where = (part.strip() for part in key.partition("@"))
    if not at:
        return metric, None
    tag, _, value = (part.strip() for part in where.partition("="))
    return metric, (tag, value)


def metric_of(key: str) -> str:
    """The metric of a reference, without its slice."""
    return parse_metric_ref(key)[0]


def slice_label(where: Slice) -> str:
    """The name of a slice in records and messages: `tag=value`."""
    return "=".join(where)


def cluster_key(case_id: str, cluster: str | None) -> str:
    """The key that the cases of a cluster share. A case without a cluster has its own key."""
    return f"\0{case_id}" if cluster is None else cluster


def owner_of(metric: str, others: Sequence[str]) -> str | None:
    """The metric that another one is a part of: of `json_fields.total` it is `json_fields`, where
    that is among the others; else None.
    """
    owners = [other for other in others if metric.startswith(f"{other}.")]
    return max(owners, key=len, default=None)


def named_metric(metrics: Sequence[str]) -> str:
    """The first of several metrics with those that are a part of it: `json_fields.total`, or
    `json_fields: date, total`.

    Args:
        metrics: at least one.
    """
    first = metrics[0]
    parts = [name.removeprefix(f"{first}.") for name in metrics if name.startswith(f"{first}.")]
    if len(parts) < 2:
        return f"{first}.{parts[0]}" if parts else first
    more = f" and {len(parts) - _NAMED} more" if len(parts) > _NAMED else ""
    return f"{first}: {', '.join(parts[:_NAMED])}{more}"


_NAMED = 3
