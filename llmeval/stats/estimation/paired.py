"""Paired binary results: the same cases, once with the baseline and once with the candidate.

Only the cases that differ carry information: `worse` (baseline passes, candidate fails) and
`better` (the other way), out of n pairs. The difference is (better - worse) / n. Pairs must be
independent; for clusters see `studentised.py`.
"""

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import NamedTuple

from llmeval.stats.estimation.bounds import Interval
from llmeval.stats.special.beta import beta_cdf
from llmeval.stats.special.roots import crossing


class PairCounts(NamedTuple):
    """How n pairs came out."""

    worse: int
    same: int
    better: int

    @property
    def n(self) -> int:
        """All pairs."""
        return self.worse + self.same + self.better

    @property
    def difference(self) -> float:
        """Pass rate of the candidate minus that of the baseline."""
        return (self.better - self.worse) / self.n


def pairs(baseline: Sequence[bool], candidate: Sequence[bool]) -> PairCounts:
    """Count the pairs.

    Raises:
        ValueError: the sequences are not of the same length.
    """
    if len(baseline) != len(candidate):
        raise ValueError(
            f"pairs need equally many results, got {len(baseline)} and {len(candidate)}"
        )
    worse = sum(b and not c for b, c in zip(baseline, candidate, strict=True))
    better = sum(c and not b for b, c in zip(baseline, candidate, strict=True))
    return PairCounts(worse, len(baseline) - worse - better, better)


def mcnemar_worse(worse: int, better: int) -> float:
    """Exact one-sided p-value of H0: the candidate is not worse. P(X >= worse), X ~ Binomial(worse
    + better, 1/2).

    Exact for every n; conditional on the number of differing pairs. Needs at least 5 differing
    pairs to reach .05.

    Raises:
        ValueError: negative counts.

    Source: Q. McNemar, Psychometrika 12 (1947) 153-157; exact form F. Mosteller, Biometrics 8
        (1952) 220-226.
    """
    if worse < 0 or better < 0:
        raise ValueError(f"counts can't be negative, got {worse} and {better}")
    if worse == 0:
        return 1.0
    return beta_cdf(0.5, worse, better + 1)


def mcnemar(worse: int, better: int) -> float:
    """Exact two-sided p-value of H0: as many pairs get worse as better. Twice the smaller tail, at
    most 1.
    """
    return min(1.0, 2 * mcnemar_worse(max(worse, better), min(worse, better)))


def tango_z(counts: PairCounts, null: float) -> float:
    """The score statistic of H0: difference = `null`; normal under H0, large when the difference is
    larger.

    z = (better - worse - n*null) / sqrt(n (2q + null (1 - null))), q the constrained
    maximum-likelihood estimate of P(worse): the larger root of A q^2 + B q + C with A = 2n, B =
    -worse - better + (2n - better + worse) null, C = -worse * null * (1 - null).

    Args:
        counts: the pairs, at least one.
        null: the difference under H0, in [-1, 1].

    Source: T. Tango, Stat. Med. 17 (1998) 891-908.
    """
    worse, _, better = counts
    n = counts.n
    b = -worse - better + (2 * n - better + worse) * null
    c = -worse * null * (1 - null)
    q = (math.sqrt(max(b * b - 8 * n * c, 0.0)) - b) / (4 * n)
    variance = n * (2 * q + null * (1 - null))
    excess = better - worse - n * null
    if variance <= 1e-12:
        return 0.0 if abs(excess) < 1e-9 else math.copysign(math.inf, excess)
    return excess / math.sqrt(variance)


def tango(counts: PairCounts, level: float = 0.95) -> Interval:
    """Two-sided score interval of the difference: the nulls that `tango_z` does not reject at
    (1-level)/2 a side.

    Asymptotic: its true size may exceed the nominal one by two points (`tests/margin.py` is
    exact). For tables, and as the start of the exact bounds.

    Source: T. Tango, Stat. Med. 17 (1998) 891-908.
    """
    z = NormalDist().inv_cdf((1 + level) / 2)
    estimate = counts.difference
    low = crossing(lambda null: z - tango_z(counts, null), -1.0, estimate, tolerance=1e-8)
    high = crossing(lambda null: -z - tango_z(counts, null), estimate, 1.0, tolerance=1e-8)
    return Interval(low, high)
