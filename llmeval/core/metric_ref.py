"""References to metrics in a gate (`metric`, or `metric @ tag=value`), and clusters of cases."""

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
