"""Leaderboards that show ties as ties: a run's ranks are what the pairwise tests leave open."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from llmeval.compare.comparison import Leaderboard, RankedRun
from llmeval.compare.loaded_run import LoadedRun, obstacle
from llmeval.stats.tests.rank_ranges import rank_ranges


class PairwiseTest(NamedTuple):
    """The test of two runs on one metric: the second minus the first, Holm's p-value, and whether
    it shows a difference."""

    difference: float
    adjusted: float
    shown: bool


def board(
    metric: str, sides: Sequence[LoadedRun], verdicts: Mapping[tuple[str, str, str], PairwiseTest]
) -> Leaderboard:
    """The runs scored as the first run with this metric is, by their means on the cases all of them
    have.

    Ranks are ranges (`rank_ranges`), from Holm's procedure over all pairs.
    """
    having = [each for each in sides if metric in each.kept.metrics]
    ranked = [each for each in having if not obstacle(having[0], each, metric)]
    values = [_values_by_case(each, metric) for each in ranked]
    shared = [
        name
        for name in values[0]
        if all(name in other for other in values) and _alike(ranked, name)
    ]
    means = {
        each.letter: math.fsum(column[name] for name in shared) / len(shared) if shared else None
        for each, column in zip(ranked, values, strict=True)
    }
    shown = {
        (one, two): verdict.difference
        for (one, two, name), verdict in verdicts.items()
        if name == metric and verdict.shown
    }
    ranges = rank_ranges([each.letter for each in ranked], shown)
    places = [
        RankedRun(letter=letter, mean=means[letter], best=ranks.best, worst=ranks.worst)
        for letter, ranks in ranges.items()
    ]
    return Leaderboard(
        metric=metric,
        n=len(shared),
        places=tuple(
            sorted(places, key=lambda place: (place.best, place.worst, -(place.mean or 0.0)))
        ),
        left_out=tuple(each.letter for each in sides if each not in ranked),
    )


def _values_by_case(side: LoadedRun, metric: str) -> dict[str, float]:
    return {
        name: value for name, value in side.kept.results(metric).items() if not math.isnan(value)
    }


def _alike(sides: Sequence[LoadedRun], name: str) -> bool:
    return len({each.kept.cases[name] for each in sides}) == 1
