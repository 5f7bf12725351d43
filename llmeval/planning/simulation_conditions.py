"""What goes wrong in a simulated run, in addition to the planted drop."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from llmeval.core.errors import UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from llmeval.planning.simulated_verdicts import MissingWhere

_SPREAD = 1.2
"""Sigma of the logarithm of a cluster's size: the largest of 100 clusters is about ten times the
mean one.
"""


@dataclass(frozen=True, kw_only=True)
class SimulationConditions:
    """The conditions of a simulation; without arguments nothing goes wrong.

    `missing`: the share of cases without a result, in [0, 1). `missing_where`: any case, or hard
        cases, which are the ones that the candidate fails.
    `cluster_size`: the mean number of cases in a cluster whose sizes are unequal (lognormal), at
        least 1; None: the suite's own clusters.
    `judge_shift`: added to the sensitivity of each judge on the candidate's answers, and subtracted
        from its specificity there, in (-1, 1). So a positive value favours the candidate.
    `attempts`: how often a change is tried, until a run passes; at least 1.

    Raises:
        UsageError: a value out of range.
    """

    missing: float = 0.0
    missing_where: "MissingWhere" = "any"
    cluster_size: float | None = None
    judge_shift: float = 0.0
    attempts: int = 1

    def __post_init__(self) -> None:
        if not 0 <= self.missing < 1:
            raise UsageError(
                f"--missing {self.missing:g}: the share must lie between 0 and 1, such as 0.05"
            )
        if self.cluster_size is not None and self.cluster_size < 1:
            raise UsageError(
                f"--cluster-size {self.cluster_size:g}: a cluster has at least 1 case on average"
            )
        if not -1 < self.judge_shift < 1:
            raise UsageError(
                f"--judge-shift {self.judge_shift:g}: the shift must lie between -1 and 1, such as"
                " 0.05"
            )

    def clusters(self, own: "NDArray[np.int64]", seed: int) -> "NDArray[np.int64]":
        """The cluster of each case, numbered from 0; clusters lie side by side.

        Args:
            own: the suite's own clusters.
            seed: of the sizes.
        """
        import numpy as np

        if self.cluster_size is None:
            return own
        source, cases = np.random.default_rng(seed), len(own)
        centre = np.log(self.cluster_size) - _SPREAD**2 / 2
        drawn = np.maximum(1, np.rint(source.lognormal(centre, _SPREAD, cases))).astype(np.int64)
        numbers: NDArray[np.int64] = np.repeat(np.arange(cases), drawn)[:cases]
        return numbers

    def notes(self, covered: int) -> list[str]:
        """What the tables are based on, in sentences. `covered`: the attempts that the gate's error
        rates cover.
        """
        notes = []
        if self.missing:
            which = (
                "the cases" if self.missing_where == "any" else "the cases, all of them failures"
            )
            notes.append(f"{self.missing:.1%} of {which} have no result in a run, on average")
        if self.cluster_size is not None:
            notes.append(
                f"clusters of {self.cluster_size:g} cases on average, of unequal sizes (lognormal)"
            )
        if self.judge_shift:
            notes.append(
                "on the candidate's answers the sensitivity of each judge changes by"
                f" {self.judge_shift:+.3g}, and its specificity by {-self.judge_shift:+.3g}"
            )
        if self.attempts > 1:
            notes.append(
                f"a change is tried until a run passes, {self.attempts} times at most: FAIL and"
                " PASS count changes with such a run, so a change may have both"
            )
            notes.append("used, usual and unpaired are about the first attempt")
            notes.append(
                "each attempt draws new answers to the same cases; the baseline stays the same"
            )
            if 1 < covered < self.attempts:
                notes.append(
                    f"attempts after the first {covered} decide nothing (`gate.attempts`), and are"
                    " not simulated"
                )
        return notes


IDEAL = SimulationConditions()
"""Nothing goes wrong."""
