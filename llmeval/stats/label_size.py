"""How many labels a regression takes when people's labels of paired cases decide it
(`stats.estimation.labelled_difference`).
"""

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from llmeval.stats.estimation.labelled_difference import LabelledPairs, shares

_TRIES = NormalDist().inv_cdf(0.8)
"""The z of four tries of five."""
_STEP = 1.15
_FEWEST = 10


class ClassDifference(NamedTuple):
    """People's difference within one class of pairs, as it is expected."""

    pairs: int
    """Pairs of the class."""
    mean: float
    """In [-1, 1]."""
    variance: float
    """Of one pair's difference."""


class LabelTerms(NamedTuple):
    """What the labels have to show."""

    margin: float
    """The drop that must not pass."""
    alpha: float
    """Rate of a wrong FAIL."""
    beta: float
    """Rate of a wrong PASS."""


def by_labels(pairs: LabelledPairs) -> list[ClassDifference]:
    """What labels of some pairs show of each class, as if one more pair were labelled that is worse
    by a quarter, better by a quarter and equal by a half.
    """
    classes = []
    for stratum in pairs.strata:
        n = stratum.labelled + 1
        worse = (stratum.least.worse + stratum.most.worse) / 2 + 0.25
        better = (stratum.least.better + stratum.most.better) / 2 + 0.25
        mean = (better - worse) / n
        variance = stratum.effect * ((better + worse) / n - mean * mean)
        classes.append(ClassDifference(stratum.pairs, mean, variance))
    return classes


def by_judge(sizes: Sequence[int], sensitivity: float, specificity: float) -> list[ClassDifference]:
    """What a judge of this sensitivity and specificity leaves open in each class, if it errs alike
    and independently on the two sides.

    With A the matrix of its verdicts given people's, the joint verdicts of people are (A x A)^-1
    times the judged ones, cut to be at least 0; within a class they follow by Bayes' rule.

    Args:
        sizes: pairs that both pass, fell, rose, both fail.
        sensitivity, specificity: J = sensitivity + specificity - 1 above 0.
    """
    one = np.array([[sensitivity, 1 - specificity], [1 - sensitivity, specificity]])
    judge = np.kron(one, one)  # rows: judged pass-pass, pass-fail, fail-pass, fail-fail
    judged = np.array(sizes, dtype=float) / max(1, sum(sizes))
    people = np.maximum(np.linalg.solve(judge, judged), 1e-4)
    joint = judge * (people / people.sum())
    differences = np.array([0.0, -1.0, 1.0, 0.0])
    within = joint / joint.sum(axis=1, keepdims=True)
    means = within @ differences
    moments = within @ differences**2
    return [
        ClassDifference(size, float(mean), float(moment - mean * mean))
        for size, mean, moment in zip(sizes, means, moments, strict=True)
    ]


def pairs_needed(
    classes: Sequence[ClassDifference],
    same: int,
    spreads: Sequence[float],
    terms: LabelTerms,
    fewest: int = _FEWEST,
) -> int | None:
    """How many pairs to label, by class as `shares` spreads them, so that the rule is decided in
    four of five tries; None where all of them would not do.

    By the normal approximation of the stratified estimate, with the half pair that each class
    counts against a claim, and another half in one class: as `p_at_most` does.

    Args:
        classes: as expected. same: pairs that differ by exactly 0. spreads: as in `shares`.
        terms: margin and rates. fewest: to begin with.
    """
    most = sum(each.pairs for each in classes)
    pairs = min(most, max(_FEWEST, fewest))
    while most:
        if _decides(classes, same, shares([c.pairs for c in classes], spreads, pairs), terms):
            return pairs
        if pairs == most:
            return None
        pairs = min(most, math.ceil(pairs * _STEP))
    return None


def _decides(
    classes: Sequence[ClassDifference], same: int, labelled: Sequence[int], terms: LabelTerms
) -> bool:
    total = sum(each.pairs for each in classes) + same
    rows = [
        (each.pairs / total, each, n)
        for each, n in zip(classes, labelled, strict=True)
        if each.pairs and n
    ]
    mean = math.fsum(weight * each.mean for weight, each, _ in rows)
    between = math.fsum(weight * (each.mean - mean) ** 2 for weight, each, _ in rows)
    between += same / total * mean * mean
    error = math.fsum(weight**2 * each.variance / n for weight, each, n in rows) + between / total
    halves = [weight / (2 * (n + 1)) for weight, _, n in rows]
    cost = math.fsum(halves) + max(halves, default=0.0)
    return any(
        gap - cost >= (NormalDist().inv_cdf(1 - rate) + _TRIES) * math.sqrt(error)
        for gap, rate in ((mean + terms.margin, terms.beta), (-mean, terms.alpha))
    )
