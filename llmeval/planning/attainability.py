"""What a floor takes, by the very bounds that decide it: how many passes, and whether any number of
them is enough.
"""

from array import array
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence

from llmeval.core.formatting import percent
from llmeval.core.metric_ref import cluster_key, parse_metric_ref
from llmeval.core.records import Case
from llmeval.gate.aggregate import MetricSample
from llmeval.gate.rules.floors import bounds
from llmeval.store.directory import CaseOutline


def passes_needed(clusters: Sequence[Hashable], floor: float, alpha: float) -> int | None:
    """The fewest passes whose lower bound clears the floor, the failures spread over the clusters;
    None where even all passing does not.

    Args:
        clusters: the cluster of each case; an independent case has a separate one.
    """
    index = _numbered(clusters)
    n, order = len(index), _spread(index)

    def clears(passes: int) -> bool:
        failing = frozenset(order[: n - passes])
        outcomes = tuple(row not in failing for row in range(n))
        return bounds(MetricSample(n, passes, 0, 0, (), index, outcomes), alpha).low >= floor

    if not n or not clears(n):
        return None
    low, high = -1, n
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if clears(middle) else (middle, high)
    return high


def _numbered(clusters: Iterable[Hashable]) -> tuple[int, ...]:
    numbers: dict[Hashable, int] = {}
    return tuple(numbers.setdefault(cluster, len(numbers)) for cluster in clusters)


def _spread(clusters: Sequence[int]) -> list[int]:
    """Cases in the order in which they fail: one of each cluster, then a second of each..."""
    seen: Counter[int] = Counter()
    turns = []
    for row, cluster in enumerate(clusters):
        turns.append((seen[cluster], row))
        seen[cluster] += 1
    return [row for _, row in sorted(turns)]


class Attainability:
    """Floors that no result can pass. Fed with every case; keeps one number for each case, and one
    more for each floor that the case counts in.

    Args:
        floors, alpha: of the gate.
        early: whether the run may stop early: interim analyses then leave half of alpha to the end.
    """

    def __init__(self, floors: Mapping[str, float], alpha: float, *, early: bool = False) -> None:
        self._floors, self._alpha = floors, alpha / 2 if early else alpha
        self._where = {key: parse_metric_ref(key)[1] for key in floors}
        self._seen: set[int] = set()
        self._clusters = {key: array("q") for key in floors}

    def add(self, case: Case | CaseOutline) -> None:
        """Take a case; a second time changes nothing."""
        if not self._floors or (name := hash(case.id)) in self._seen:
            return
        self._seen.add(name)
        cluster = hash(cluster_key(case.id, case.cluster))
        for key, where in self._where.items():
            if where is None or case.tags.get(where[0]) == where[1]:
                self._clusters[key].append(cluster)

    def warnings(self) -> list[str]:
        """A sentence a floor that can't be passed, with the fix."""
        return [
            _warning(key, self._floors[key], names, self._alpha)
            for key, names in self._clusters.items()
            if best_bound(names, self._alpha) < self._floors[key]
        ]


def out_of_reach(
    floors: Mapping[str, float], alpha: float, cases: Iterable[Case], *, early: bool = False
) -> list[str]:
    """As `Attainability.warnings`, of cases in hand; they are read only where there is a floor."""
    attainable = Attainability(floors, alpha, early=early)
    for case in cases if floors else ():
        attainable.add(case)
    return attainable.warnings()


def best_bound(clusters: Iterable[Hashable], alpha: float) -> float:
    """The lower bound where every case passes; 0 without a case."""
    index = _numbered(clusters)
    n = len(index)
    return bounds(MetricSample(n, n, 0, 0, (), index, (True,) * n), alpha).low if n else 0.0


def _warning(key: str, floor: float, names: Sequence[Hashable], alpha: float) -> str:
    units = len(set(names))
    what = f"{len(names):,} case{'' if len(names) == 1 else 's'}"
    if units < len(names):
        what += f" in {units:,} clusters"
    return (
        f"gate.floors.{key}: {what} can't show {percent(floor)} even if all pass (at least"
        f" {percent(best_bound(names, alpha))} would be sure): it can never PASS. Add"
        f" {'clusters' if units < len(names) else 'cases'}, or lower the floor"
    )
