"""What a gate's test fixes before the first result: its limits, its error rates, and how they are
spent (`gate_test.py`).
"""

from dataclasses import dataclass
from typing import ClassVar, Literal

from llmeval.stats.power import DISCORDANCE
from llmeval.stats.sequential.betting import best_fraction

BETTING = 0.02
"""Share of each error rate for the betting leg of a run that may stop early; the looks have the
rest.
"""
_LEAST_GAP = 0.25
"""Share of the margin that bets are placed for where a judge that may differ between the sides
takes more of it; only speed depends on it.
"""
WITHIN = 0.2
"""Correlation within clusters that bets are placed for; only speed depends on it."""


@dataclass(frozen=True, kw_only=True)
class TestDesign:
    """What is fixed before the first result. Made by `regression` or `floor`.

    `units`: independent units planned (cases, or clusters). `largest`: cases in the largest unit.
    `cases`: cases planned.
    `low`, `high`: the range of scores. `share`: how much of each error rate the betting leg has, 0
        to 1.
    `target`: whether the claim is about the population the cases are drawn from, or about this
        suite only.
    `spent`: error rate of PASS already spent elsewhere (on the judge's J), inside `beta`.
    `aim_fail`, `aim_pass`: the bets half the capital is placed around.
    `information`: the square of the z that the margin is worth on all units, None without a margin;
    looks are placed by it (`spending.py`), and only speed depends on it.
    """

    __test__: ClassVar[bool] = False
    """Not a test of pytest's."""

    units: int
    cases: int
    largest: int
    low: float
    high: float
    fail_null: float
    pass_null: float
    alpha: float
    beta: float
    spent: float
    share: float
    target: Literal["population", "suite"]
    aim_fail: float | None
    aim_pass: float | None
    information: float | None
    moment: float | None = None
    """E d^2 of a case that the stakes are planned for, where each case's baseline is a mean over
    several runs: the test is then one by betting alone (`betting_test.py`). None: interim analyses.
    """

    def __post_init__(self) -> None:
        if not (0 < self.alpha < 1 and 0 < self.beta < 1 and 0 <= self.spent < self.beta):
            raise ValueError(
                f"error rates must lie in (0, 1) and cover what is spent, got {self.alpha},"
                f" {self.beta}"
            )
        nulls = sorted((self.pass_null, self.fail_null))
        if not (0 <= self.share <= 1 and self.low <= nulls[0] and nulls[1] <= self.high):
            raise ValueError(
                f"impossible limits: {self.pass_null} and {self.fail_null} in [{self.low},"
                f" {self.high}]"
            )
        if not 1 <= self.units <= self.cases or self.largest < 1:
            raise ValueError(
                f"impossible sizes: {self.units} units, {self.cases} cases, the largest"
                f" {self.largest}"
            )

    @property
    def gap(self) -> float:
        """Of a regression, how far beyond its limit the mean is expected to be where a side is
        right: what bets are placed for.
        """
        return max(-self.pass_null, -(self.fail_null + self.pass_null) * _LEAST_GAP)

    @property
    def suite(self) -> float | None:
        """The cases of the suite when the claim is about it alone."""
        return float(self.cases) if self.target == "suite" else None

    @property
    def rates(self) -> tuple[float, float]:
        """The error rates the test itself may use: of FAIL, and of PASS."""
        return self.alpha, self.beta - self.spent


def regression(
    *,
    units: int,
    margin: float,
    alpha: float = 0.05,
    beta: float = 0.05,
    cases: int | None = None,
    largest: int = 1,
    discordance: float = DISCORDANCE,
    j_lower: float = 1.0,
    j_alpha: float = 0.0,
    shift: float = 0.0,
    sequential: bool = True,
    target: Literal["population", "suite"] = "population",
    moment: float | None = None,
) -> TestDesign:
    """The plan of a regression test: FAIL when worse than the baseline, PASS when not worse by the
    margin.

    On the scale of human judgement: if the judge has the same sensitivity and specificity on both
    sides, the difference it sees is J times the true one, so PASS takes the margin J_lower * margin
    and the rate beta - j_alpha. Then P(PASS | drop >= margin) <= beta, J's own uncertainty
    included. FAIL needs only J > 0.

    With sensitivity and specificity that differ by at most `shift` between the sides, the judged
    difference is J times the true one plus theta (sens_1 - sens_0) - (1 - theta)(spec_1 - spec_0),
    theta a pass rate: at most `shift` away from it. So both limits move away by it: FAIL needs a
    judged drop of more than `shift`, PASS takes J_lower * margin - shift. Where that is negative,
    PASS needs a judged rise.

    Args:
        units: independent units planned; clusters when cases share them.
        margin: the drop of the mean that must not pass, in (0, 1).
        alpha: largest probability of FAIL without a drop.
        beta: largest probability of PASS with a drop of the margin or more.
        cases: cases planned; default `units`.
        largest: cases in the largest cluster.
        discordance: E d^2 expected without a drop (for binary results, the share of cases that
            differ). Only speed depends on it.
        j_lower: lower bound of the judge's J at level `j_alpha`; 1 for checks.
        j_alpha: probability that the bound is too high.
        shift: by how much the judge's sensitivity and specificity may differ between the sides;
            0 for checks.
        sequential: whether the run may stop early. Without, the whole rate goes to the final test.
        target: what the claim is about.
        moment: E d^2 measured without a drop where each case's baseline is a mean over several
            runs, above 0. A run that may stop early then decides by betting alone. The stakes are
            planned for the noise that `discordance` states, not for this value: the published
            numbers of calls were measured so.

    Raises:
        ValueError: arguments out of range.
    """
    alone = moment is not None and sequential and target == "population"
    if moment is not None and not 0 < moment <= 1:
        raise ValueError(f"an expected second moment must lie in (0, 1], got {moment}")
    if not (0 < margin < 1 and 0 < j_lower <= 1 and 0 <= shift < 1):
        raise ValueError(
            "need a margin in (0, 1), a judge with J in (0, 1] and a shift in [0, 1), got"
            f" {margin}, {j_lower} and {shift}"
        )
    pass_null = shift - margin * j_lower
    gap = max(-pass_null, margin * j_lower * _LEAST_GAP)
    planned = max(discordance * (WITHIN + (1 - WITHIN) / largest), gap * gap)
    return TestDesign(
        units=units,
        cases=units if cases is None else cases,
        largest=largest,
        low=-1.0,
        high=1.0,
        fail_null=-shift,
        pass_null=pass_null,
        alpha=alpha,
        beta=beta,
        spent=j_alpha,
        share=1.0 if alone else _share(sequential, target),
        target=target,
        moment=planned if alone else None,
        aim_fail=best_fraction(-shift, 1.0, gap, planned),
        aim_pass=best_fraction(-pass_null, 1.0, gap, planned),
        information=units * gap * gap / planned,
    )


def floor(
    *,
    units: int,
    threshold: float,
    alpha: float = 0.05,
    beta: float = 0.05,
    cases: int | None = None,
    largest: int = 1,
    sequential: bool = True,
    target: Literal["population", "suite"] = "population",
) -> TestDesign:
    """The plan of a floor: PASS when the mean is at least `threshold` for sure, FAIL when it is
    below for sure.

    `alpha`: largest probability of FAIL at or above the floor; `beta`: of PASS at or below it.
    Other arguments as `regression`.

    Raises:
        ValueError: arguments out of range.
    """
    if not 0 < threshold < 1:
        raise ValueError(f"a floor must lie in (0, 1), got {threshold}")
    return TestDesign(
        units=units,
        cases=units if cases is None else cases,
        largest=largest,
        low=0.0,
        high=1.0,
        fail_null=threshold,
        pass_null=threshold,
        alpha=alpha,
        beta=beta,
        spent=0.0,
        share=_share(sequential, target),
        target=target,
        aim_fail=None,
        aim_pass=None,
        information=None,
    )


def _share(sequential: bool, target: str) -> float:
    if target == "suite":
        return 1.0
    return BETTING if sequential else 0.0
