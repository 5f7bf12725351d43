"""Two runs of the history, paired by case: only cases that both have with the same content."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from llmeval.core.metric_ref import cluster_key
from llmeval.history.verdicts import CaseList, Vector, Verdict
from llmeval.stats.estimation.difference import MeanDifference, difference

_NO_RESULT = [Verdict.UNSCORED, Verdict.ERROR, Verdict.NEEDS_REVIEW]
_ELSEWHERE = [Verdict.QUARANTINED, Verdict.NOT_RUN, Verdict.NOT_APPLICABLE]


class CaseValues(NamedTuple):
    """The value of each case of a vector: the mean of its repeats."""

    values: NDArray[np.float64]
    """NaN where a repeat has no result, as in the gate."""
    applies: NDArray[np.bool_]
    """Whether the metric counts the case: it has a score and is not in quarantine."""


def case_values(vector: Vector) -> CaseValues:
    """The cases of a vector in the order of its list."""
    codes = np.frombuffer(vector.verdicts, np.uint8).reshape(-1, vector.repeats)
    grades = (
        np.asarray(vector.values, float).reshape(codes.shape)
        if vector.values
        else codes.astype(float)
    )
    missing = np.isin(codes, _NO_RESULT).any(axis=1)
    graded = codes <= Verdict.PASS
    counts = graded.sum(axis=1)
    totals = np.where(graded, grades, 0.0).sum(axis=1)
    means = np.divide(totals, counts, out=np.full(len(codes), np.nan), where=counts > 0)
    applies = ~np.isin(codes, _ELSEWHERE).all(axis=1)
    applies &= ~(codes == Verdict.QUARANTINED).any(axis=1)
    return CaseValues(np.where(missing, np.nan, means), applies)


class PairedVerdictValues(NamedTuple):
    """The differences of two runs, second minus first, over the cases that both have."""

    differences: NDArray[np.float64]
    """In [-1, 1]; NaN where a side has no result."""
    clusters: tuple[str, ...]
    """Which cases are not independent."""
    cases: tuple[str, ...]
    """Ids."""

    @property
    def mean(self) -> float:
        """The mean difference; a missing result counts as no change. NaN without a pair."""
        if not len(self.differences):
            return float("nan")
        return float(np.nan_to_num(self.differences).mean())

    def test(self, level: float = 0.95) -> MeanDifference:
        """The interval of the mean difference and the p-value of no difference, as `compare`.

        Raises:
            ValueError: there is no pair.
        """
        clustered = len(set(self.clusters)) < len(self.clusters)
        clusters: Sequence[str] | None = self.clusters if clustered else None
        return difference(self.differences.tolist(), clusters, level)


def pair_verdicts(
    first: Vector, second: Vector, lists: Mapping[str, CaseList]
) -> PairedVerdictValues:
    """Pair two vectors of one metric by case id and content.

    Args:
        first, second: of two runs with the same scorer.
        lists: the case lists of both, by digest.
    """
    before, now = case_values(first), case_values(second)
    old, new = lists[first.case_list], lists[second.case_list]
    if old.digest == new.digest:
        here = there = np.arange(len(new.ids))
    else:
        places = old.places()
        pairs = [
            (place, places[name])
            for place, name in enumerate(new.ids)
            if name in places and old.digests[places[name]] == new.digests[place]
        ]
        here = np.array([place for place, _ in pairs], dtype=int)
        there = np.array([place for _, place in pairs], dtype=int)
    both = now.applies[here] & before.applies[there]
    here, there = here[both], there[both]
    return PairedVerdictValues(
        now.values[here] - before.values[there],
        tuple(cluster_key(new.ids[place], new.clusters[place]) for place in here),
        tuple(new.ids[place] for place in here),
    )
