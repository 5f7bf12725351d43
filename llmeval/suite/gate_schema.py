"""The gate of a suite file as types: the rules that decide a run."""

from typing import Literal

import msgspec
from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from llmeval.core.gate_record import GateRecord
from llmeval.core.numbers import UNITS, parse_number
from llmeval.core.rule_keys import is_pattern, parse_rule_key
from llmeval.suite.strict import Level, Share, Strict
from llmeval.suite.thresholds import FloorStated, LimitStated, MarginStated


def _is_name(value: object) -> bool:
    """Whether a value may be the id of a case."""
    return isinstance(value, str | int) and not isinstance(value, bool) and value != ""


def _may_be_number(key: str) -> bool:
    """Whether a margin names a statistic, or a number that every answer has."""
    name = parse_rule_key(key).metric
    return parse_number(name, (*UNITS, name.rpartition(".")[0])) is not None


class ReleaseSpec(Strict):
    """Compares with the release that the lock file keeps next to its rolling baseline."""

    margins: dict[str, MarginStated] = Field(
        min_length=1,
        description=(
            "As `margins` of the comparison with the baseline: metric, or `metric @ tag=value` ->"
            " the drop of its mean since the release that must not be reached."
        ),
    )


class RegressionSpec(Strict):
    """Compares with an approved run, case by case."""

    baseline: str | None = Field(
        default=None,
        description=(
            "The lock file of the approved run, or a run's directory; `run --baseline`"
            " overrides it."
        ),
    )
    margins: dict[str, MarginStated] = Field(
        min_length=1,
        description=(
            "Metric, or `metric @ tag=value` -> the drop of its mean that must not be reached: 0.05"
            " is 5 points; or {margin: 0.05, scale: judge}. `metric pass` is its pass rate. `*` in"
            " a name or a tag's value means every one: `json_fields.* @ lang=*`. A number such as"
            " `latency.p95` takes the rise that must not pass: `20%`."
        ),
    )
    max_gone: int = Field(
        default=0,
        ge=0,
        description=(
            "Cases of the baseline that the suite may lack or change; more make the run INVALID."
            " Cases that `retired.yaml` names do not count."
        ),
    )
    release: ReleaseSpec | None = Field(
        default=None,
        description=(
            "A second comparison, with the release that `llmeval baseline release` names: many"
            " small drops, each approved, add up to one that this rule sees."
        ),
    )

    paired: bool = Field(
        default=True,
        description=(
            "false: the cases are not those of the baseline, as with two weeks of traffic. The"
            " rules then compare the means of all cases, with their clusters, and need more cases."
        ),
    )

    @model_validator(mode="after")
    def _unpaired_compares_once(self) -> "RegressionSpec":
        if not self.paired and self.release is not None:
            raise PydanticCustomError(
                "paired", "`release` compares the same cases: leave it out of `paired: false`"
            )
        return self


class GateSpec(Strict):
    """The rules that decide a run.

    A gate without a rule is `must_pass: all`, so that a suite with a missing key can still fail.
    `without_rules` gives the gate that decides nothing, which a suite writes as `gate: none`.
    """

    must_pass: Literal["all"] | list[str] | dict[str, str] | None = Field(
        default=None,
        description=(
            "Cases that must pass, each in every repeat: `all`, a list of ids, or one tag and its"
            " value such as `{tier: gold}`. If one of them fails, the run is a FAIL. If one has no"
            " result, the run is INVALID. This rule uses no statistics. A gate without any rule is"
            " `must_pass: all`."
        ),
    )
    never: list[str] = Field(
        default=[],
        description=(
            "Metrics of checks and judges that no answer may fail, such as `not tool_call`; also"
            " `metric @ tag=value`, and `*` for every one. One failing answer is a FAIL, a missing"
            " result is INVALID; no statistics."
        ),
    )
    floors: dict[str, FloorStated] = Field(
        default={},
        description=(
            "Metric, or `metric @ tag=value` -> its lowest acceptable pass rate. The metric `cases`"
            " is the share of cases that pass everything."
        ),
    )
    limits: dict[str, LimitStated] = Field(
        default={},
        description=(
            "Statistic of a number, such as `latency.p95`, `cost` (its mean) or `steps.p50 @"
            " lang=de` -> its largest value. Numbers are latency (seconds), cost (US dollars),"
            " tokens, input_tokens, output_tokens, and those of `measure`."
        ),
    )
    regression: RegressionSpec | None = None
    improve: dict[str, Share] = Field(
        default={},
        description=(
            "Metric, or `metric @ tag=value` -> the rise of its mean against the baseline of"
            " `regression` that must be reached: 0.2 is 20 points. PASS: the lower bound of the"
            " rise is at least that. FAIL: the upper bound is below it."
        ),
    )
    alpha: Level = Field(
        default=0.05,
        description=(
            "Largest probability of any wrong FAIL over all rules, and of a wrong PASS of a floor."
        ),
    )
    beta: Level = Field(
        default=0.05, description="Largest probability of a wrong PASS of a regression rule."
    )
    max_unscored: Share = Field(
        default=0.02,
        description="Largest share of cases without a result; above it the run is INVALID.",
    )
    judge_shift: float = Field(
        default=0.02,
        ge=0,
        lt=0.5,
        description=(
            "By how much a judge's sensitivity and specificity may differ between the answers of"
            " the baseline and those of the candidate: a judge may prefer a new style. Rules of"
            " regression on a judged metric allow for it; human labels of the run replace it."
        ),
    )
    stop: Literal["never", "early"] = Field(
        default="never",
        description=(
            "early: run the cases in a seeded random order, and stop as soon as every rule is"
            " decided."
        ),
    )
    attempts: int = Field(
        default=10,
        ge=1,
        le=100,
        description=(
            "How many attempts of one change the error rates cover together. The first attempt"
            " has half of each rate, the others share the rest, and their answers are pooled. 1:"
            " each run decides alone, which suits scheduled runs."
        ),
    )
    about: Literal["cases_like_these", "these_cases"] = Field(
        default="cases_like_these",
        description=(
            "What the regression rules generalise to. cases_like_these: all similar cases."
            " these_cases: only these cases, such as a few cases written by hand. Each case is then"
            " tested over its `repeats`, and the run names the cases that got worse."
        ),
    )
    quarantine: str | None = Field(
        default=None,
        description=(
            "A file of cases that count in no rule: a list of {case, reason, owner, expires}."
            " Default: `quarantine.yaml` next to the suite, if it exists."
        ),
    )
    retired: str | None = Field(
        default=None,
        description=(
            "A file of cases of the baseline that were removed from the suite, or changed, on"
            " purpose: a list of {case, reason, owner}. Default: `retired.yaml` next to the suite,"
            " if it exists."
        ),
    )
    on_inconclusive: Literal["fail", "warn", "pass"] = Field(
        default="fail",
        description="Exit code of an INCONCLUSIVE run: fail 4, warn and pass 0.",
    )

    @model_validator(mode="before")
    @classmethod
    def _fails_closed(cls, data: object) -> object:
        if isinstance(data, dict) and data.get("must_pass") is None:
            ruled = any(data.get(key) for key in ("never", "floors", "limits", "regression"))
            return {**data, "must_pass": None if ruled else "all"}
        return data

    @field_validator("must_pass", mode="before")
    @classmethod
    def _selection(cls, value: object) -> object:
        if value in (None, "all"):
            return value
        if isinstance(value, list) and value and all(map(_is_name, value)):
            return list(dict.fromkeys(map(str, value)))
        if (
            isinstance(value, dict)
            and len(value) == 1
            and not isinstance(next(iter(value.values())), dict | list)
        ):
            return {str(tag): str(expected) for tag, expected in value.items()}
        raise PydanticCustomError(
            "must_pass",
            "`must_pass` is `all`, a list of case ids, or one tag and its value such as {tier:"
            " gold}",
        )

    @field_validator("floors")
    @classmethod
    def _above_nothing(cls, value: dict[str, float]) -> dict[str, float]:
        if zero := [key for key, floor in value.items() if floor == 0]:
            raise PydanticCustomError(
                "floor", "a floor of 0 can't fail ({key}); give a rate above 0", {"key": zero[0]}
            )
        return value

    @model_validator(mode="after")
    def _improves_on_a_baseline(self) -> "GateSpec":
        if not self.improve:
            return self
        if self.regression is None:
            raise PydanticCustomError(
                "improve",
                "`improve` compares with the baseline of `regression`: state `regression` with its"
                " baseline and margins too",
            )
        if not self.regression.paired:
            raise PydanticCustomError(
                "improve", "`improve` compares the same cases: leave it out of `paired: false`"
            )
        if self.about == "these_cases":
            raise PydanticCustomError(
                "improve", "`improve` is about all similar cases: leave out `about: these_cases`"
            )
        if zero := [key for key, rise in self.improve.items() if rise == 0]:
            raise PydanticCustomError(
                "improve", "a rise of 0 demands nothing ({key}); give one above 0", {"key": zero[0]}
            )
        return self

    @model_validator(mode="after")
    def _unpaired_is_about_similar_cases(self) -> "GateSpec":
        unpaired = self.regression is not None and not self.regression.paired
        if unpaired and self.about == "these_cases":
            raise PydanticCustomError(
                "paired", "`paired: false` compares other cases: leave out `about: these_cases`"
            )
        if unpaired and self.stop == "early":
            raise PydanticCustomError(
                "paired", "`paired: false` is tested once, at the end: leave out `stop: early`"
            )
        return self

    @property
    def decides(self) -> bool:
        """Whether there is a rule."""
        return bool(self.must_pass or self.never or self.floors or self.limits or self.regression)

    @property
    def margins(self) -> dict[str, MarginStated]:
        """The margins of the comparison; empty where nothing is compared."""
        return {} if self.regression is None else self.regression.margins

    @property
    def release_margins(self) -> dict[str, MarginStated]:
        """The margins of the comparison with the release; empty where there is none."""
        release = None if self.regression is None else self.regression.release
        return {} if release is None else release.margins

    @property
    def ends_early(self) -> bool:
        """Whether its rules may be decided before the last case (`stop: early`)."""
        margins = [*self.margins, *self.release_margins]
        several = any(is_pattern(key) for key in (*self.floors, *margins))
        numbers = any(_may_be_number(key) for key in margins)
        unpaired = self.regression is not None and not self.regression.paired
        others = self.never or self.limits or self.improve or unpaired
        return not (others or several or numbers)

    @property
    def rule_names(self) -> list[str]:
        """Every rule, as people name it."""
        return [
            *(["must_pass"] if self.must_pass else []),
            *(f"never {key}" for key in self.never),
            *(f"floor {key}" for key in self.floors),
            *(f"limit {key}" for key in self.limits),
            *(f"regression {key}" for key in self.margins),
            *(f"release {key}" for key in self.release_margins),
            *(f"improve {key}" for key in self.improve),
        ]

    @property
    def first_rates(self) -> tuple[float, float]:
        """The error rates of a first attempt: of a wrong FAIL, and of a wrong PASS."""
        return self.record().first_rates

    def record(self) -> GateRecord:
        """The gate as a manifest holds it; the path of the baseline as the suite states it."""
        return msgspec.convert(self.model_dump(), GateRecord)

    def without_rules(self) -> "GateSpec":
        """A copy that decides nothing and never stops a run: `gate: none`."""
        return self.model_copy(
            update={
                "must_pass": None,
                "never": [],
                "floors": {},
                "limits": {},
                "regression": None,
                "improve": {},
                "stop": "never",
            }
        )
