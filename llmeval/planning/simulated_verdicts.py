"""What a simulated run sees: people's verdicts on both sides of each case, and what a judge makes
of them.
"""

import math
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from llmeval.stats.estimation.label_counts import LabelCounts

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

_STEADY = 1e-3
"""The least a + b of the beta distribution of cases; below, answers hardly vary and draws lose
their precision.
"""


MissingWhere = Literal["any", "hard"]
"""Which cases have no result: any case, or only cases that the candidate fails."""


class PairedVerdicts(NamedTuple):
    """Verdicts on the answers of both sides, repeats x cases; of a baseline of several runs the
    repeats of each run, one run after the other. `missing`: for each case, whether the candidate
    has no result; None: every case has one.
    """

    baseline: Bools
    candidate: Bools
    missing: Bools | None = None


@dataclass(frozen=True, kw_only=True)
class VerdictModel:
    """One metric of a suite.

    Each case has its own probability p to be answered well, beta-distributed over the cases; two
    answers of the same case differ with 2 p (1 - p). A planted fault breaks all answers of a random
    share of the cases. Outcomes within a cluster are correlated: each case takes the common outcome
    with probability sqrt(within), so two of them share it with probability `within`.

    `clusters`: of each case, numbered from 0. `repeats`: answers a case. `rate`: the share of
        answers that people pass.
    `discordance`: the share of cases whose answers people see differ between two runs, an answer
        each.
    `sensitivity`, `specificity`: of the judge; 1 for a check. `alike`: the share of answers on
    which the judge's luck is the same on both sides. `labels`: good and bad answers that its
    certificate rests on; None if none is drawn again.
    `judge_shift`: added to the judge's sensitivity on the candidate's answers, and subtracted from
        its specificity there; the certificate describes the judge on the baseline's answers.
    `missing`: the share of cases whose candidate has no result. `missing_where`: which cases.
    """

    clusters: Whole
    repeats: int = 1
    rate: float
    discordance: float
    within: float = 0.2
    sensitivity: float = 1.0
    specificity: float = 1.0
    alike: float = 0.0
    labels: tuple[int, int] | None = None
    baseline_runs: int = 1
    """How many runs the baseline is the mean of."""
    judge_shift: float = 0.0
    missing: float = 0.0
    missing_where: MissingWhere = "any"

    @property
    def cases(self) -> int:
        """Cases."""
        return len(self.clusters)

    @property
    def exact(self) -> bool:
        """Whether the verdicts are people's own."""
        return self.sensitivity == self.specificity == 1

    def attempts(
        self, source: np.random.Generator, drop: float = 0.0, count: int = 1
    ) -> tuple[PairedVerdicts, ...]:
        """What the gate sees of several attempts of one change, each compared with the same
        baseline: the judge's verdicts, and which results are missing.
        """
        truth = self.people(source, drop, count)
        sides = self.judged(source, truth)
        parts = [slice(k * self.repeats, (k + 1) * self.repeats) for k in range(count)]
        return tuple(
            PairedVerdicts(
                sides.baseline, sides.candidate[part], self._absent(source, truth.candidate[part])
            )
            for part in parts
        )

    def people(
        self, source: np.random.Generator, drop: float = 0.0, attempts: int = 1
    ) -> PairedVerdicts:
        """People's verdicts when the candidate's pass rate is lower by `drop`, at most all of
        it. The candidate has `repeats` rows for each attempt.
        """
        shared = self._shared(source)
        chance = self._chances(source, shared)
        before = self.baseline_runs * self.repeats
        answers = self._luck(source, shared, before + attempts * self.repeats) < chance
        broken = self._luck(source, shared, 1)[0] < (drop / self.rate if self.rate > 0 else 0.0)
        return PairedVerdicts(answers[:before], answers[before:] & ~broken)

    def judged(self, source: np.random.Generator, truth: PairedVerdicts) -> PairedVerdicts:
        """The judge's verdicts on them."""
        if self.exact:
            return truth
        first = source.random(truth.baseline.shape)
        second = source.random(truth.candidate.shape)
        alike = source.random(truth.candidate.shape) < self.alike
        again = np.tile(first[: self.repeats], (len(second) // self.repeats, 1))
        return PairedVerdicts(
            self._verdicts(truth.baseline, first),
            self._verdicts(truth.candidate, np.where(alike, again, second), self.judge_shift),
        )

    def certificate(self, source: np.random.Generator) -> LabelCounts | None:
        """Labels of another certificate of the same judge, as many of either kind; None without."""
        if self.labels is None:
            return None
        good, bad = self.labels
        right, specificity = (
            source.binomial(good, self.sensitivity),
            source.binomial(bad, self.specificity),
        )
        return LabelCounts(int(right), int(bad - specificity), int(good - right), int(specificity))

    def _verdicts(self, truth: Bools, luck: Floats, shift: float = 0.0) -> Bools:
        return np.where(truth, luck < self.sensitivity + shift, luck >= self.specificity - shift)

    def _absent(self, source: np.random.Generator, candidate: Bools) -> Bools | None:
        """The cases without a result. `candidate`: people's verdicts on its answers."""
        if not self.missing:
            return None
        may_be = np.ones(self.cases, bool)
        if self.missing_where == "hard":
            may_be = ~np.logical_and.reduce(candidate, axis=0)
        chance = self.missing * self.cases / max(1, int(may_be.sum()))
        absent: Bools = may_be & (source.random(self.cases) < chance)
        return absent

    def _chances(self, source: np.random.Generator, shared: Bools) -> Floats:
        """p of each case: beta with mean `rate`, so that 2 E p (1 - p) is the discordance."""
        most = 2 * self.rate * (1 - self.rate)
        if self.discordance >= most:
            return np.full(self.cases, self.rate)
        total = max(self.discordance / (most - self.discordance), _STEADY)
        own, groups = (
            source.beta(self.rate * total, (1 - self.rate) * total, size) for size in self._sizes()
        )
        return np.where(shared, groups[self.clusters], own)

    def _luck(self, source: np.random.Generator, shared: Bools, rows: int) -> Floats:
        own, groups = (source.random((rows, size)) for size in self._sizes())
        return np.where(shared, groups[:, self.clusters], own)

    def _sizes(self) -> tuple[int, int]:
        return self.cases, int(self.clusters.max()) + 1

    def _shared(self, source: np.random.Generator) -> Bools:
        return source.random(self.cases) < math.sqrt(self.within)


def people_differ(
    judged: float, rate: float, sensitivity: float, specificity: float
) -> tuple[float, float]:
    """The share of cases that people see differ, from the share that a judge does; and how alike
    its luck must then be.

    Of two answers that people see alike the judge tells two things with 2 s (1 - s), s its
    sensitivity or specificity; of two that differ one with s1 s0 + (1 - s1)(1 - s0). So judged =
    noise + J^2 people, noise what it sees where nothing differs. Less than the noise is seen where
    the judge errs alike on both sides.

    Args:
        judged: share of cases. rate: people's pass rate. sensitivity, specificity: of the judge, J
            above 0.
    """
    noise = 2 * (
        rate * sensitivity * (1 - sensitivity) + (1 - rate) * specificity * (1 - specificity)
    )
    if judged <= noise:
        return 0.0, 1 - judged / noise if noise else 0.0
    return min((judged - noise) / (sensitivity + specificity - 1) ** 2, 2 * rate * (1 - rate)), 0.0
