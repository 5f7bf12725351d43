"""Agreement of several raters, and whether a judge may stand in for one of them."""

import math
from collections.abc import Hashable, Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from llmeval.stats.estimation.bounds import Interval
from llmeval.stats.special.beta import student_above
from llmeval.stats.tests.multiplicity import benjamini_yekutieli

Floats = NDArray[np.float64]
Rating = float | bool | None

_DRAWS = 1999
_SEED = 20260103
MIN_ITEMS = 30
"""Items an annotator needs for the t test of the alt-test."""


def krippendorff_alpha(
    ratings: Sequence[Sequence[Rating]], scale: Literal["nominal", "interval"] = "nominal"
) -> float | None:
    """Krippendorff's alpha: 1 - (observed disagreement) / (disagreement expected by chance).

    With n_u ratings of item u and n = sum n_u over items with at least two: D_o = 1/n sum_u
    sum_{pairs in u} delta^2 / (n_u - 1), D_e = sum over all pairs of delta^2 / (n (n - 1)); delta^2
    is 0/1 (nominal) or the squared difference (interval). Takes any number of raters and missing
    ratings.

    Args:
        ratings: for each item the ratings it got; None for a missing one.
        scale: how to weigh disagreement.

    Returns:
        alpha, at most 1; None when no item has two ratings or all ratings are equal (chance can't
        disagree).

    Source: K. Krippendorff, Content Analysis (2004), ch. 11; A. F. Hayes, K. Krippendorff, Commun.
    Methods Meas. 1 (2007).
    """
    table, values = _table(ratings)
    if table is None:
        return None
    alpha = _alpha(table, _distances(values, scale), np.ones(len(table)))
    return None if math.isnan(alpha) else alpha


def krippendorff_interval(
    ratings: Sequence[Sequence[Rating]],
    scale: Literal["nominal", "interval"] = "nominal",
    level: float = 0.95,
) -> Interval:
    """Percentile interval of alpha by resampling items (seeded); (-1, 1) where alpha is not
    defined.

    Source: A. Zapf et al., BMC Med. Res. Methodol. 16 (2016) 93.
    """
    table, values = _table(ratings)
    if table is None:
        return Interval(-1.0, 1.0)
    distances, count = _distances(values, scale), len(table)
    weights = (
        np.random.default_rng(_SEED)
        .multinomial(count, np.full(count, 1 / count), _DRAWS)
        .astype(float)
    )
    draws = np.array([_alpha(table, distances, row) for row in weights])
    if np.isnan(draws).all():
        return Interval(-1.0, 1.0)
    low, high = np.nanquantile(draws, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(low), float(high))


def _table(ratings: Sequence[Sequence[Rating]]) -> tuple[Floats | None, Floats]:
    """Counts of each value for the items with two ratings and more, and the values."""
    kept = [[float(r) for r in item if r is not None] for item in ratings]
    kept = [item for item in kept if len(item) > 1]
    if not kept:
        return None, np.zeros(0)
    values = np.unique(np.concatenate(kept))
    return (
        np.array([(np.array(item)[:, None] == values).sum(axis=0) for item in kept], dtype=float),
        values,
    )


def _distances(values: Floats, scale: str) -> Floats:
    gaps: Floats = values[:, None] - values[None, :]
    return (gaps != 0).astype(float) if scale == "nominal" else gaps**2


def _alpha(table: Floats, distances: Floats, weights: Floats) -> float:
    sizes = table.sum(axis=1)
    total = float(weights @ sizes)
    observed = float(weights @ (((table @ distances) * table).sum(axis=1) / (sizes - 1))) / total
    margin = weights @ table
    expected = float(margin @ distances @ margin) / (total * (total - 1))
    return 1 - observed / expected if expected > 0 else math.nan


class AltTest(NamedTuple):
    """`winning_rate`: share of annotators the judge may replace. `passes`: at least half of them.

    `advantage`: mean probability that the judge agrees with the others at least as well as the
        annotator left out.
    `p_values`: by annotator.
    """

    winning_rate: float
    advantage: float
    p_values: dict[Hashable, float]
    passes: bool


def alt_test(
    judge: Mapping[Hashable, Hashable],
    annotators: Mapping[Hashable, Mapping[Hashable, Hashable]],
    epsilon: float = 0.15,
    rate: float = 0.05,
) -> AltTest:
    """The alternative annotator test: may the judge's labels be used in place of a person's?

    Each annotator j in turn is left out. On each item, whoever agrees with more of the other
    annotators scores 1 (both on a tie). rho_j is the judge's mean score, rho'_j the annotator's;
    H0: rho_j <= rho'_j - epsilon is tested by a one-sided t test on the paired scores. The p-values
    go through Benjamini-Yekutieli; the judge passes when it wins against half.

    Args:
        judge: {item: label}.
        annotators: {annotator: {item: label}}; two at least, three to be reliable, 30 shared items
            at least.
        epsilon: what a person's cost is worth: .1 for crowd workers, .15 for skilled ones, .2 for
            experts.
        rate: false discovery rate over annotators.

    Raises:
        ValueError: fewer than two annotators with 30 items that the judge and another annotator
            have.

    Source: N. Calderon, R. Reichart, R. Dror, ACL 2025, arXiv 2501.10970.
    """
    p_values: dict[Hashable, float] = {}
    advantages = []
    for name, own in annotators.items():
        others = [labels for other, labels in annotators.items() if other != name]
        scores = [
            _duel(judge[item], label, item, others) for item, label in own.items() if item in judge
        ]
        duels = np.array([score for score in scores if score is not None], dtype=float)
        if len(duels) >= MIN_ITEMS:
            p_values[name] = _t_less(duels[:, 1] - duels[:, 0], epsilon)
            advantages.append(float(duels[:, 0].mean()))
    if len(p_values) < 2:
        raise ValueError(
            f"the alt-test needs two annotators with {MIN_ITEMS} shared items each, got"
            f" {len(p_values)}"
        )
    wins = sum(benjamini_yekutieli(list(p_values.values()), rate)) / len(p_values)
    return AltTest(wins, sum(advantages) / len(advantages), p_values, wins >= 0.5)


def _duel(
    judged: Hashable, label: Hashable, item: Hashable, others: Sequence[Mapping[Hashable, Hashable]]
) -> tuple[bool, bool] | None:
    """Who agrees with the others at least as well as the rival: (judge, annotator). None when there
    are no others.
    """
    rest = [labels[item] for labels in others if item in labels]
    if not rest:
        return None
    by_judge, by_annotator = sum(r == judged for r in rest), sum(r == label for r in rest)
    return by_judge >= by_annotator, by_annotator >= by_judge


def _t_less(values: Floats, limit: float) -> float:
    """p-value of H0: mean >= limit, Student's t."""
    spread, mean = float(values.std(ddof=1)), float(values.mean())
    if spread == 0:
        return 0.0 if mean < limit else 1.0
    return student_above((limit - mean) / spread * math.sqrt(len(values)), len(values) - 1)
