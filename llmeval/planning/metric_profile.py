"""The shape of a paired comparison: what `plan` sizes and `simulate` tries."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from llmeval.planning.simulated_verdicts import VerdictModel, people_differ
from llmeval.stats.sequential.design import TestDesign, regression

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
    `sensitivity`, `specificity`: the judge's, 1 for checks. `youden_lower`: the lower bound of its
    J, wrong with probability `j_alpha`. `labels`: good and bad answers that the bound rests on.
    """

    metric: str
    cases: int
    units: int
    largest: int = 1
    within: float = 0.2
    rate: float
    discordance: float
    sensitivity: float = 1.0
    specificity: float = 1.0
    youden_lower: float = 1.0
    j_alpha: float = 0.0
    labels: tuple[int, int] | None = None

    @property
    def effect(self) -> float:
        """Design effect: how many cases tell as much as one independent one, 1 + (cases a unit - 1)
        * within.
        """
        return 1 + (self.cases / self.units - 1) * self.within

    @property
    def people(self) -> float:
        """People's pass rate behind the judge's, (rate + specificity - 1) / J, within half a point
        of 0 and 1.
        """
        youden = self.sensitivity + self.specificity - 1
        return min(1 - _EDGE, max(_EDGE, (self.rate + self.specificity - 1) / youden))

    def sized(self, cases: int) -> "MetricProfile":
        """The same with another number of cases, as many to a unit as now."""
        return replace(self, cases=cases, units=max(1, round(cases * self.units / self.cases)))

    def world(self, clusters: Whole | None = None, repeats: int = 1) -> VerdictModel:
        """The world in which two runs look like this.

        Args:
            clusters: of each case; default, units of equal size.
            repeats: answers a case; what differs between runs is taken for chance within a case.
        """
        if clusters is None:
            size = max(1, round(self.cases / self.units))
            clusters = np.repeat(np.arange(self.units), size)
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
            sequential=sequential,
        )
