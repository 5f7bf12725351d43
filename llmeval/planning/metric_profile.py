"""The shape of a paired comparison: what `plan` sizes and `simulate` tries."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from llmeval.planning.simulated_verdicts import VerdictModel, people_differ
from llmeval.stats.sequential.design import TestDesign, regression
from llmeval.stats.tests.studentised import (
    ENOUGH,
    ENOUGH_VARIANCE,
    by_variance,
    effective_number,
)

Whole = NDArray[np.int64]

_EDGE = 0.005


@dataclass(frozen=True, kw_only=True)
class MetricProfile:
    """One metric of a suite, compared with a baseline, as the judge (or the check) sees it.

    `cases`, `units`: planned, and how many of them are independent (clusters). `largest`: cases in
        the largest unit.
    `within`: correlation of differences within a unit. `rate`: pass rate; `discordance`: E d^2
    between two runs without a drop, d the difference of a case's pass rates: with an answer a case
    the share of cases that differ.
    `sizes`: cases in each unit, where units are of unequal size; () for equal ones.
    `sensitivity`, `specificity`: the judge's, 1 for checks. `youden_lower`: the lower bound of its
    J, wrong with probability `j_alpha`. `labels`: good and bad answers that the bound rests on.
    """

    metric: str
    cases: int
    units: int
    largest: int = 1
    sizes: tuple[int, ...] = ()
    within: float = 0.2
    rate: float
    discordance: float
    sensitivity: float = 1.0
    specificity: float = 1.0
    youden_lower: float = 1.0
    j_alpha: float = 0.0
    labels: tuple[int, int] | None = None
    shift: float = 0.0
    """By how much the judge may differ between the two sides; 0 for checks."""
    baseline_runs: int = 1
    """How many runs the baseline is the mean of."""

    @property
    def paired_moment(self) -> float:
        """E d^2 between a run and the baseline without a drop: what differs between runs lies
        within the cases, half of it on either side, and the baseline's half shrinks by its runs.
        """
        return self.discordance * (1 + 1 / self.baseline_runs) / 2

    @property
    def effect(self) -> float:
        """Design effect: how many cases tell as much as one independent one, 1 + (cases an
        effective unit - 1) * within.

        Source: L. Kish, Survey Sampling (1965), section 5.4; for unequal sizes sum s^2 / sum s.
        """
        return 1 + (self.cases / self.effective - 1) * self.within

    @property
    def effective(self) -> float:
        """How many units of equal size weigh as much as these: (sum s)^2 / sum s^2."""
        return effective_number(np.array(self.sizes, dtype=float)) if self.sizes else self.units

    @property
    def enough(self) -> float:
        """Effective units from which the test of clusters needs no further one."""
        if not self.sizes:
            return ENOUGH
        return max(ENOUGH, ENOUGH_VARIANCE * self.effective / by_variance(np.array(self.sizes)))

    @property
    def people(self) -> float:
        """People's pass rate behind the judge's, (rate + specificity - 1) / J, within half a point
        of 0 and 1.
        """
        youden = self.sensitivity + self.specificity - 1
        return min(1 - _EDGE, max(_EDGE, (self.rate + self.specificity - 1) / youden))

    def sized(self, cases: int) -> "MetricProfile":
        """The same with another number of cases, as many to a unit as now. Units of unequal size
        keep how their sizes are spread, so that the number of cases is met nearly.
        """
        units = max(1, round(cases * self.units / self.cases))
        if not self.sizes:
            return replace(self, cases=cases, units=units)
        spread = np.sort(self.sizes)[((np.arange(units) + 0.5) / units * self.units).astype(int)]
        sizes = tuple(int(size) for size in spread)
        return replace(self, cases=sum(sizes), units=units, sizes=sizes, largest=max(sizes))

    def verdict_model(self, clusters: Whole | None = None, repeats: int = 1) -> VerdictModel:
        """The verdict model under which two runs look like this.

        Args:
            clusters: of each case; default, units of the profile's sizes.
            repeats: answers a case; what differs between runs is taken for chance within a case.
        """
        if clusters is None:
            equal = max(1, round(self.cases / self.units))
            clusters = np.repeat(np.arange(self.units), self.sizes or equal)
        differ, alike = people_differ(
            self.discordance * repeats, self.people, self.sensitivity, self.specificity
        )
        return VerdictModel(
            clusters=clusters,
            repeats=repeats,
            rate=self.people,
            discordance=differ,
            within=self.within,
            sensitivity=self.sensitivity,
            specificity=self.specificity,
            alike=alike,
            labels=self.labels,
            baseline_runs=self.baseline_runs,
        )

    def gate(self, margin: float, alpha: float, beta: float, *, sequential: bool) -> TestDesign:
        """The regression test that decides on this shape."""
        return regression(
            units=self.units,
            cases=max(self.cases, self.units),
            largest=self.largest,
            margin=margin,
            alpha=alpha,
            beta=beta,
            j_lower=self.youden_lower,
            j_alpha=self.j_alpha,
            shift=self.shift,
            sequential=sequential,
            moment=None if self.baseline_runs == 1 else self.paired_moment,
        )
