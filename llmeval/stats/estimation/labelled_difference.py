"""The difference of people's pass rates between two systems, from labels of some paired cases.

A judge sorts the pairs of a run into classes (both pass, both fail, fell, rose), and people label
both answers of a random part of each class. So the judge may err as it likes, and differently on
the two sides: its verdicts decide only which pairs are labelled.
"""

import math
from collections import Counter
from collections.abc import Hashable, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from llmeval.stats.estimation.paired import PairCounts

Floats = NDArray[np.float64]

DRAWS = 10_000
"""Random weightings behind a p-value: its Monte-Carlo error at 5 % is 0.2 points. They are the same
for the same counts.
"""
_SEED = 18


class LabelledStratum(NamedTuple):
    """The pairs of one class, and those of them that people labelled."""

    pairs: int
    """All pairs of the class in the run."""
    least: PairCounts
    """The labelled pairs by the least that people's difference may be: a label that is missing
    may have been either.
    """
    most: PairCounts
    """The same by the most."""
    effect: float = 1.0
    """So many labelled pairs say as much as one independent pair (`with_clusters`)."""

    @property
    def labelled(self) -> int:
        """Pairs drawn."""
        return self.least.n

    def turned(self) -> "LabelledStratum":
        """The same with the two systems in each other's place."""
        return self._replace(least=_turned(self.most), most=_turned(self.least))


class LabelledPairs(NamedTuple):
    """All pairs of a rule."""

    strata: tuple[LabelledStratum, ...]
    same: int = 0
    """Pairs with one text on both sides, which differ by exactly 0."""
    missing: int = 0
    """Pairs without a result on one side or both: their difference may be anything."""
    effect: float = 1.0
    """So many pairs say as much as one independent pair, of how large the classes are."""

    @property
    def total(self) -> int:
        """Pairs."""
        return sum(each.pairs for each in self.strata) + self.same + self.missing

    @property
    def labelled(self) -> int:
        """Pairs drawn."""
        return sum(each.labelled for each in self.strata)

    def turned(self) -> "LabelledPairs":
        """The same with the two systems in each other's place."""
        return self._replace(strata=tuple(each.turned() for each in self.strata))


def stratified_difference(pairs: LabelledPairs) -> float:
    """The estimate sum_s W_s m_s: W_s the share of the pairs in class s, m_s the mean difference of
    its labelled pairs; a label that is missing counts halfway.

    It is unbiased whatever the judge does, since within each class the labelled pairs are a simple
    random sample. A class without labels counts as 0.

    Source: J. Neyman, JASA 33 (1938) 101-116 (double sampling for stratification); W. G. Cochran,
    Sampling Techniques (1977), section 12.2. With the inclusion probabilities n_s / N_s it is the
    estimator of D. G. Horvitz, D. J. Thompson, JASA 47 (1952) 663-685.

    Raises:
        ValueError: no pairs.
    """
    if not pairs.total:
        raise ValueError("there is no pair to estimate from")
    return (
        math.fsum(
            each.pairs * (each.least.difference + each.most.difference) / 2
            for each in pairs.strata
            if each.labelled
        )
        / pairs.total
    )


def with_clusters(
    pairs: LabelledPairs, clusters: Sequence[Hashable], labelled: Sequence[Sequence[Hashable]]
) -> LabelledPairs:
    """The same pairs, where those of a cluster are not independent: each count is divided by the
    design effect that it would have if all pairs of a cluster had one result.

    With weights w = N_s / n_s this is sum_c (sum_c w)^2 / sum w^2 over the labelled pairs, and no
    less than sum_c k_c^2 / n_s within a class; for the sizes of the classes sum_c s_c^2 / N. It
    needs no estimate of the correlation, which few labels can't give, and is exact for a
    correlation of 1. Labels are spread over many clusters, so it is near 1 where clusters are many.

    Args:
        pairs: as if independent. clusters: of each pair of the rule.
        labelled: by class, the cluster of each labelled pair.

    Source: L. Kish, Survey Sampling (1965), section 5.4; counts divided by a design effect: E. L.
        Korn, B. I. Graubard, Surv. Methodol. 24 (1998) 193-201. Simulated in
        `benchmarks/decisions_judge_arms.py --section clusters`.
    """
    whole: dict[Hashable, float] = {}
    squares = 0.0
    for stratum, places in zip(pairs.strata, labelled, strict=True):
        weight = stratum.pairs / max(1, len(places))
        squares += len(places) * weight * weight
        for place in places:
            whole[place] = whole.get(place, 0.0) + weight
    together = math.fsum(each * each for each in whole.values()) / squares if squares else 1.0
    strata = tuple(
        stratum._replace(effect=max(1.0, together, _alike(places)))
        for stratum, places in zip(pairs.strata, labelled, strict=True)
    )
    return pairs._replace(strata=strata, effect=max(1.0, _alike(clusters)))


def _alike(clusters: Sequence[Hashable]) -> float:
    """The design effect of equal weights, if all members of a cluster are alike."""
    counts = Counter(clusters).values()
    return sum(count * count for count in counts) / len(clusters) if clusters else 1.0


def p_at_most(pairs: LabelledPairs, null: float, draws: int = DRAWS) -> float:
    """p-value of H0: people's difference is at most `null`. For "at least" turn the pairs.

    The share of random weightings under which sum_s pi_s m_s <= null. The class shares pi are
    Dirichlet(N_1, ..., N_S). Within a class with w worse, e equal and b better pairs the shares of
    the three are Dirichlet(w + 1/2, e + 1/2, b), Jeffreys' half a worse pair; but in one class they
    are Dirichlet(w + 1, e, b), the limits of Clopper and Pearson, and the p-value is the largest
    over which class that is. With one class and few pairs that differ it is so the exact binomial
    test; a claim that rests on one class must be shown there exactly. Pairs without a result and
    classes without a label count as -1.

    Simulated in `benchmarks/decisions_judge_arms.py`: wrong decisions stay at or below the level
    from 20 labelled pairs on, whichever class hides the drop.

    Args:
        pairs: the classes and their labels. null: the difference under H0, in (-1, 1).
        draws: random weightings.

    Source: the beta limits of C. J. Clopper, E. S. Pearson, Biometrika 26 (1934) 404-413, and of
    L. D. Brown, T. T. Cai, A. DasGupta, Statist. Sci. 16 (2001) 101-133, in each part of a mixture.
    """
    below = (_weightings(pairs, draws) <= null).sum(axis=1).max(initial=0)
    return float(below + 1) / (draws + 1)


def lower_limit(pairs: LabelledPairs, level: float) -> float:
    """The lower bound of people's difference at `level`: the largest null that `p_at_most` rejects.

    Args:
        pairs: the classes and their labels. level: of the bound, in (0, 1).
    """
    place = max(0, math.floor(level * (DRAWS + 1)) - 1)
    return float(np.partition(_weightings(pairs), place, axis=1)[:, place].min())


@lru_cache(maxsize=64)
def _weightings(pairs: LabelledPairs, draws: int = DRAWS) -> Floats:
    """Means under random weightings, a row for each class that may be the exact one."""
    source = np.random.default_rng(_SEED)
    used = [each for each in pairs.strata if each.labelled and each.pairs]
    unknown = pairs.missing + sum(each.pairs for each in pairs.strata if not each.labelled)
    total, whole, exact = (
        -source.standard_gamma(unknown / pairs.effect, draws),
        np.zeros(draws),
        [],
    )
    whole += source.standard_gamma(pairs.same / pairs.effect, draws) - total
    for stratum in used:
        worse, same, better = (count / stratum.effect for count in stratum.least)
        size = source.standard_gamma(stratum.pairs / pairs.effect, draws)
        down, half = source.standard_gamma(worse + 0.5, draws), source.standard_gamma(0.5, draws)
        even, up = source.standard_gamma(same, draws), source.standard_gamma(better, draws)
        all_of_them = down + half + even + up
        soft = size * (up - down) / all_of_them
        total, whole = total + soft, whole + size
        exact.append(size * (up - down - half) / all_of_them - soft)
    rows = [total + change for change in exact] or [total]
    means: Floats = np.stack(rows) / whole
    return means


def worth(pairs: LabelledPairs) -> int:
    """How many pairs, drawn without the classes and labelled, would tell as much: the variance of a
    pair's difference over the variance of the estimate, sum_s W_s^2 v_s / n_s plus that of the
    class means over N. 0 without labels.
    """
    moments = [(each, *_moments(each)) for each in pairs.strata if each.labelled and each.pairs]
    if not moments:
        return 0
    total = sum(each.pairs for each, _, _ in moments) + pairs.same
    centre = math.fsum(each.pairs * mean for each, mean, _ in moments) / total
    between = math.fsum(each.pairs * (mean - centre) ** 2 for each, mean, _ in moments)
    between = (between + pairs.same * centre * centre) / total
    inside = math.fsum(each.pairs * variance for each, _, variance in moments) / total
    error = math.fsum(
        (each.pairs / total) ** 2 * variance * each.effect / each.labelled
        for each, _, variance in moments
    )
    return round((inside + between) / (error + pairs.effect * between / total))


def _moments(stratum: LabelledStratum) -> tuple[float, float]:
    """Mean and variance of a pair's difference in a class, as if one more pair were labelled that
    is worse by a quarter, better by a quarter and equal by a half.
    """
    n = stratum.labelled + 1
    worse = (stratum.least.worse + stratum.most.worse) / 2 + 0.25
    better = (stratum.least.better + stratum.most.better) / 2 + 0.25
    mean = (better - worse) / n
    return mean, (better + worse) / n - mean * mean


def shares(sizes: Sequence[int], spreads: Sequence[float], pairs: int, least: int = 3) -> list[int]:
    """How many pairs of each class to label: in proportion to N_s sigma_s, at least `least` of each
    or all it has, so that the variance of the estimate is smallest.

    Args:
        sizes: pairs of each class. spreads: the standard deviation expected in each.
        pairs: how many in all; fewer where there are fewer.

    Source: J. Neyman, J. R. Statist. Soc. 97 (1934) 558-625.
    """
    left = min(pairs, sum(sizes))
    aims = [size * spread for size, spread in zip(sizes, spreads, strict=True)]
    whole = math.fsum(aims) or 1.0
    exact = [left * aim / whole for aim in aims]
    whole_parts = [
        min(size, max(least, math.floor(want))) for size, want in zip(sizes, exact, strict=True)
    ]
    while sum(whole_parts) > left:
        whole_parts[whole_parts.index(max(whole_parts))] -= 1
    while sum(whole_parts) < left:
        open_ = [place for place, size in enumerate(sizes) if whole_parts[place] < size]
        whole_parts[max(open_, key=lambda place: exact[place] - whole_parts[place])] += 1
    return whole_parts


def _turned(counts: PairCounts) -> PairCounts:
    return PairCounts(counts.better, counts.same, counts.worse)
