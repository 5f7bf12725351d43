"""Tests about these very cases, where chance lies only in the answers: few cases, several answers.

`broken`: which cases pass less often than before, each by Fisher's exact test. Over all cases the
probability that any case is wrongly named is at most the level, by Tarone's correction: a case
whose counts could not reach the level at all takes no share of it.

`p_no_case_fell`: one p-value for "no case passes less often", by the exact distribution of the sum
of the candidate's passes given each case's total (the exact form of the Mantel-Haenszel test).

`mean_change_bounds`: bounds of the change of the mean pass rate over these cases. A sum of
independent trials with different chances is less spread than a binomial one with the same mean, so
Clopper and Pearson's bounds hold for it.

Sources: R. A. Fisher, The Design of Experiments (1935) ch. 2; R. E. Tarone, Biometrics 46 (1990)
515-522; N. Mantel, W. Haenszel, J. Natl. Cancer Inst. 22 (1959) 719-748; W. Hoeffding, Ann. Math.
Statist. 27 (1956) 713-721.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from llmeval.stats.estimation.bounds import Interval, lower_bound, upper_bound


class CaseRepeats(NamedTuple):
    """Passes and answers of one case on both sides."""

    before: int
    before_of: int
    now: int
    now_of: int

    @property
    def passes(self) -> int:
        """On both sides."""
        return self.before + self.now


def fisher_fell(case: CaseRepeats) -> float:
    """One-sided p-value of "the case passes at least as often as before", given its total."""
    return math.fsum(_chances(case)[: case.now - _least(case) + 1])


def smallest_p(case: CaseRepeats) -> float:
    """The smallest p-value that this case's total allows."""
    return _chances(case)[0]


def tarone_factor(smallest: Sequence[float], level: float) -> int:
    """The number of tests that the level is divided by.

    The smallest k >= 1 such that at most k cases could reach level / k.
    """
    for k in range(1, len(smallest) + 1):
        if sum(p <= level / k for p in smallest) <= k:
            return k
    return max(1, len(smallest))


def broken(cases: Sequence[CaseRepeats], level: float) -> list[int]:
    """Positions of the cases that pass less often than before, the clearest first.

    Args:
        cases: counts of each case.
        level: largest probability that any case is named wrongly.
    """
    limit = level / tarone_factor([smallest_p(case) for case in cases], level)
    p_values = [(fisher_fell(case), number) for number, case in enumerate(cases)]
    return [number for p, number in sorted(p_values) if p <= limit]


def p_no_case_fell(cases: Sequence[CaseRepeats]) -> float:
    """The exact p-value of "no case passes less often than before"."""
    total, seen = np.ones(1), 0
    for case in cases:
        total = np.convolve(total, _chances(case))
        seen += case.now - _least(case)
    return float(min(1.0, total[: seen + 1].sum()))


def mean_change_bounds(
    cases: Sequence[CaseRepeats], alpha: float, beta: float
) -> tuple[float, Interval]:
    """The change of the mean pass rate, and its one-sided bounds.

    The lower bound is at `beta`, the upper one at `alpha`; the two sides share each (Bonferroni).

    Each side must have the same number of answers to each case.

    Raises:
        ValueError: another number of answers to some case.
    """
    sizes = {(case.before_of, case.now_of) for case in cases}
    if len(sizes) != 1:
        raise ValueError("each side needs the same number of answers to each case")
    n_before, n_now = (len(cases) * size for size in sizes.pop())
    before, now = sum(case.before for case in cases), sum(case.now for case in cases)
    low = lower_bound(now, n_now, beta / 2) - upper_bound(before, n_before, beta / 2)
    high = upper_bound(now, n_now, alpha / 2) - lower_bound(before, n_before, alpha / 2)
    return now / n_now - before / n_before, Interval(low, high)


def _least(case: CaseRepeats) -> int:
    """The fewest passes now that the case's total allows."""
    return max(0, case.passes - case.before_of)


def _chances(case: CaseRepeats) -> list[float]:
    """Probabilities of the passes now, from `_least` up, given the total, without a change."""
    most = min(case.passes, case.now_of)
    ways = math.comb(case.before_of + case.now_of, case.passes)
    return [
        math.comb(case.now_of, k) * math.comb(case.before_of, case.passes - k) / ways
        for k in range(_least(case), most + 1)
    ]
