"""The gate of a run as its manifest holds it: the rules that decide the run, as the suite states
them.
"""

from typing import Annotated, Literal

import msgspec

Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Level = Annotated[float, msgspec.Meta(gt=0, lt=1)]
Count = Annotated[int, msgspec.Meta(ge=0, lt=2**31)]
About = Literal["cases_like_these", "these_cases"]
Attempts = Annotated[int, msgspec.Meta(ge=1, le=100)]
Scale = Literal["people", "judge"]
OnInconclusive = Literal["fail", "warn", "pass"]
Margin = Annotated[float, msgspec.Meta(ge=0)]
MustPass = Literal["all"] | list[str] | dict[str, str] | None
"""All cases, a list of case ids, or one tag and its value; None without such a rule."""


class FloorLimit(msgspec.Struct, frozen=True):
    """A floor with its scale."""

    min: Share
    """The pass rate to reach."""
    scale: Scale = "people"
    """people: about what people would pass. judge: the judge's own verdicts."""
    on_inconclusive: OnInconclusive | None = None
    """What this rule means for the exit code where it is INCONCLUSIVE; null: as the gate says."""


class MarginLimit(msgspec.Struct, frozen=True):
    """A margin with its scale."""

    margin: Margin
    """The drop of the mean that must not pass; of a number the share by which it may rise."""
    scale: Scale = "people"
    """people: about what people would pass. judge: the judge's own verdicts."""
    on_inconclusive: OnInconclusive | None = None
    """What this rule means for the exit code where it is INCONCLUSIVE; null: as the gate says."""


class NumberLimit(msgspec.Struct, frozen=True):
    """A limit of a number that states more than its value."""

    max: float
    """The largest value of the statistic."""
    on_inconclusive: OnInconclusive | None = None
    """What this rule means for the exit code where it is INCONCLUSIVE; null: as the gate says."""


Floors = dict[str, Share | FloorLimit]
"""By metric, or `metric @ tag=value`."""
Margins = dict[str, Margin | MarginLimit]
"""By metric, or `metric @ tag=value`."""
Limits = dict[str, float | NumberLimit]
"""By a number's statistic, such as `latency.p95`, or `latency.p95 @ tag=value`."""


class ReleaseRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The comparison with the release that the lock file keeps."""

    margins: Margins
    """Drops since the release that must not pass."""


class RegressionRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The comparison with a baseline."""

    baseline: str | None = None
    """Absolute path of the lock file, or of the directory of the baseline's run."""
    margins: Margins = {}
    """Drops that must not pass."""
    max_gone: Count = 0
    """How many cases of the baseline may be absent or changed."""
    release: ReleaseRecord | None = None
    """Null where nothing is compared with a release."""
    paired: bool = True
    """False: the baseline is another window of cases, and the means are compared."""


class GateRecord(msgspec.Struct, frozen=True, kw_only=True):
    """Every rule and setting of the gate."""

    must_pass: MustPass = None
    """Cases that must pass, each in every repeat."""
    never: tuple[str, ...] = ()
    """Metrics that no answer may fail."""
    floors: Floors
    """Pass rates to reach."""
    limits: Limits = {}
    """The largest values of numbers."""
    regression: RegressionRecord | None
    """Null where nothing is compared."""
    improve: dict[str, Share] = {}
    """Rises against the baseline that must be reached, by metric or `metric @ tag=value`."""
    alpha: Level
    """Largest probability of any wrong FAIL over all rules, and of a wrong PASS of a floor."""
    beta: Level
    """Largest probability of a wrong PASS of a regression rule."""
    max_unscored: Share
    """Largest share of cases without a result; above it the run is INVALID."""
    stop: Literal["early", "never"] = "never"
    """early: the cases are in a random order, and the run may end before the last of them."""
    judge_shift: Share = 0.02
    """By how much a judge's sensitivity and specificity may differ between the two sides of a
    comparison.
    """
    attempts: Attempts = 1
    """How many attempts of one change the error rates cover together."""
    about: About = "cases_like_these"
    """What the regression rules generalise to: all similar cases, or only these cases."""
    quarantine: str | None = None
    """The quarantine file that the suite names."""
    retired: str | None = None
    """The file of retired cases that the suite names."""
    on_inconclusive: OnInconclusive
    """What an INCONCLUSIVE run means for the exit code."""

    @property
    def margins(self) -> Margins:
        """The margins of the comparison; empty where nothing is compared."""
        return {} if self.regression is None else self.regression.margins

    @property
    def release_margins(self) -> Margins:
        """The margins of the comparison with the release; empty where there is none."""
        release = None if self.regression is None else self.regression.release
        return {} if release is None else release.margins

    @property
    def first_rates(self) -> tuple[float, float]:
        """`rates_at` of a first attempt."""
        return self.rates_at(1) or (self.alpha, self.beta)

    def rates_at(self, number: int) -> tuple[float, float] | None:
        """The error rates of one attempt of a change: of a wrong FAIL, and of a wrong PASS.

        The first attempt has half of each rate, and the others share the rest. The rates of all
        attempts together are then at most `alpha` and `beta` (Bonferroni's inequality). None for an
        attempt after the last one that the rates cover.

        Args:
            number: 1 for the first attempt.
        """
        if self.attempts == 1:
            return self.alpha, self.beta
        if number > self.attempts:
            return None
        share = 0.5 if number == 1 else 0.5 / (self.attempts - 1)
        return self.alpha * share, self.beta * share
