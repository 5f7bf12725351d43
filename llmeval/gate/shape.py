"""The shape of a paired comparison: what `plan` sizes and `prove` plays."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from llmeval.stats.plan import Plan, regression

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Shape:
    """One metric of a suite, compared with a baseline, as the judge (or the check) sees it.

    `cases`, `units`: planned, and how many of them are independent (clusters). `largest`: cases in the largest unit.
    `within`: correlation of differences within a unit. `rate`: pass rate; `discordance`: share of cases that differ without a drop.
    `youden`: the judge's J, 1 for checks; `youden_lower`: its lower bound, wrong with probability `j_alpha`.
    """

    metric: str
    cases: int
    units: int
    largest: int = 1
    within: float = 0.2
    rate: float
    discordance: float
    youden: float = 1.0
    youden_lower: float = 1.0
    j_alpha: float = 0.0

    @property
    def effect(self) -> float:
        """Design effect: how many cases tell as much as one independent one, 1 + (cases a unit - 1) * within."""
        return 1 + (self.cases / self.units - 1) * self.within

    def sized(self, cases: int) -> "Shape":
        """The same with another number of cases, as many to a unit as now."""
        return replace(self, cases=cases, units=max(1, round(cases * self.units / self.cases)))

    def cells(self, drop: float) -> Floats:
        """Shares of (both pass, only baseline, only candidate, neither) when people see a drop of `drop`.

        The planted fault breaks a random share of the candidate's good answers. What the judge sees of the drop is J
        times it.
        """
        half = min(self.discordance / 2, self.rate, 1 - self.rate)
        broken = min(1.0, self.youden * drop / self.rate) if self.rate > 0 else 0.0
        both = self.rate - half
        return np.array(
            [both * (1 - broken), half + both * broken, half * (1 - broken), 1 - self.rate - half * (1 - broken)]
        )

    def gate(self, margin: float, alpha: float, beta: float, *, sequential: bool) -> Plan:
        """The regression test that decides on this shape."""
        return regression(
            units=self.units, cases=max(self.cases, self.units), largest=self.largest, margin=margin, alpha=alpha,
            beta=beta, j_lower=self.youden_lower, j_alpha=self.j_alpha,
            sequential=sequential,
        )  # fmt: skip
