"""What a suite's own runs say about the next one: pass rates, and how much two runs differ case by
case.
"""

import math
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from llmeval.core.errors import StoreError
from llmeval.stats.estimation.clusters import per_case
from llmeval.store.directory import RunDir, complete_runs

LOOKED_AT = 5
FEW = 30
"""Fewer common cases say too little about how much two runs differ."""


class PastRates(NamedTuple):
    """The newest complete runs of a suite, the newest first."""

    run_ids: tuple[str, ...]
    values: tuple[dict[str, dict[str, float]], ...]
    """By run: {metric: {case id: mean of its repeats}}."""
    seconds_a_case: float | None

    def metrics(self) -> list[str]:
        """What the newest run measured."""
        return list(self.values[0]) if self.values else []

    def rate(self, metric: str) -> float | None:
        """The newest run's pass rate."""
        rates = self.values[0].get(metric) if self.values else None
        return math.fsum(rates.values()) / len(rates) if rates else None

    def discordance(self, metric: str) -> float | None:
        """The largest mean squared difference of two consecutive runs, about its mean; None when
        nothing differed.
        """
        moments = [0.0]
        for newer, older in pairwise(run.get(metric, {}) for run in self.values):
            d = [newer[case] - older[case] for case in newer.keys() & older.keys()]
            if len(d) >= FEW:
                mean = math.fsum(d) / len(d)
                moments.append(math.fsum((x - mean) ** 2 for x in d) / len(d))
        return max(moments) or None


def read_past(folder: Path) -> PastRates:
    """The runs below `folder` (reports/<suite>); those that are incomplete or can't be read are
    left out.
    """
    ids, values, seconds = [], [], None
    for run, summary in complete_runs(folder):
        try:
            rates = _values(run)
        except StoreError:
            continue
        if seconds is None and summary.wall_s and summary.counts.cases:
            seconds = summary.wall_s / summary.counts.cases
        ids.append(run.path.name)
        values.append(rates)
        if len(ids) == LOOKED_AT:
            break
    return PastRates(tuple(ids), tuple(values), seconds)


def _values(run: RunDir) -> dict[str, dict[str, float]]:
    """Pass as 1 and fail as 0, as the gate counts them; a score without a verdict says nothing."""
    rows: dict[str, list[tuple[str, float]]] = {}
    for key, block in run.scores():
        for score in block:
            if score.status in ("pass", "fail"):
                rows.setdefault(score.metric, []).append((key[0], float(score.status == "pass")))
    return {
        metric: {str(case): value for case, value in per_case(rates).items()}
        for metric, rates in rows.items()
    }
