"""Two files of results of any tool compared by their ids, with the tests that compare runs."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from llmeval.stats.estimation.difference import difference

ASSUMPTIONS = (
    "rows with the same id are about the same case",
    "both files were scored in the same way",
    "every row is independent of the others",
    "neither file leaves out cases because of their results",
)
"""What two files alone can't show. The records of runs do."""


@dataclass(frozen=True)
class FileComparison:
    """The second file minus the first one, over the ids that both have."""

    pairs: int
    first_mean: float
    second_mean: float
    estimate: float
    low: float
    high: float
    p: float
    word: Literal["better", "worse", "no difference shown"]
    fell: tuple[str, ...]
    rose: tuple[str, ...]
    first_only: tuple[str, ...]
    second_only: tuple[str, ...]
    level: float
    assumptions: tuple[str, ...] = ASSUMPTIONS


def compare_scores(
    first: Mapping[str, float], second: Mapping[str, float], level: float = 0.95
) -> FileComparison | None:
    """The comparison; None if no id is in both.

    Args:
        first, second: scores from 0 to 1, by id.
        level: of the interval and of the verdict, in (0, 1).
    """
    shared = [case_id for case_id in first if case_id in second]
    if not shared:
        return None
    changes = {case_id: second[case_id] - first[case_id] for case_id in shared}
    result = difference(list(changes.values()), level=level)
    shown = result.p <= 1 - level
    return FileComparison(
        pairs=len(shared),
        first_mean=math.fsum(first[case_id] for case_id in shared) / len(shared),
        second_mean=math.fsum(second[case_id] for case_id in shared) / len(shared),
        estimate=result.estimate,
        low=result.low,
        high=result.high,
        p=result.p,
        word=("no difference shown" if not shown else "better" if result.estimate > 0 else "worse"),
        fell=tuple(case_id for case_id, change in changes.items() if change < 0),
        rose=tuple(case_id for case_id, change in changes.items() if change > 0),
        first_only=tuple(case_id for case_id in first if case_id not in second),
        second_only=tuple(case_id for case_id in second if case_id not in first),
        level=level,
    )
