"""The gate of a suite file as types: the rules that decide a run."""

from typing import Any, Literal

import msgspec
from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from llmeval.core.gate_record import GateRecord
from llmeval.suite.strict import Level, Share, Strict
from llmeval.suite.thresholds import FloorStated, MarginStated


def _is_name(value: Any) -> bool:
    """Whether a value may be the id of a case."""
    return isinstance(value, str | int) and not isinstance(value, bool) and value != ""


class ReleaseSpec(Strict):
    """Compares with the release that the lock file keeps beside its rolling baseline."""

    margins: dict[str, MarginStated] = Field(
        min_length=1,
        description=(
            "Metric, or `metric @ tag=value` -> the drop of its mean since the release that must"
            " not pass."
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
            "Metric, or `metric @ tag=value` -> the drop of its mean that must not pass: 0.05 is 5"
            " points; or {margin: 0.05, scale: judge}."
        ),
    )
    max_gone: int = Field(
        default=0,
        ge=0,
        description=(
            "Cases of the baseline that the suite may leave out or ask otherwise; more make the run"
            " INVALID. Cases that `retired.yaml` names do not count."
        ),
    )
    release: ReleaseSpec | None = Field(
        default=None,
        description=(
            "A second comparison, with the release that `llmeval baseline release` names: many"
            " small drops, each approved, add up to one that this rule sees."
        ),
    )


class GateSpec(Strict):
    """The rules that decide a run.

    A gate without a rule is `must_pass: all`: leaving something out never makes a suite that can't
    fail. `without_rules` gives the gate that decides nothing, which a suite writes as `gate: none`.
    """

    must_pass: Literal["all"] | list[str] | dict[str, str] | None = Field(
        default=None,
        description=(
            "Cases that must pass, each in every repeat: `all`, a list of ids, or one tag and its"
            " value such as `{tier: gold}`. One that fails is a FAIL, one without a result is"
            " INVALID; no statistics. A gate without any rule is `must_pass: all`."
        ),
    )
    floors: dict[str, FloorStated] = Field(
        default={},
        description=(
            "Metric, or `metric @ tag=value` -> the pass rate it must clear. The metric `cases` is"
            " the share of cases that pass everything."
        ),
    )
    regression: RegressionSpec | None = None
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
    stop: Literal["never", "early"] = Field(
        default="never",
        description=(
            "early: ask the cases in a seeded random order and stop as soon as every rule is"
            " decided."
        ),
    )
    attempts: int = Field(
        default=10,
        ge=1,
        le=100,
        description=(
            "How many attempts of one change the error rates cover together: the first has half of"
            " each, the others share the rest, and their answers are pooled. 1: each run decides"
            " alone, as it fits runs that a clock starts."
        ),
    )
    about: Literal["cases_like_these", "these_cases"] = Field(
        default="cases_like_these",
        description=(
            "What the rules of regression are about. these_cases: a few cases made by hand are all"
            " that matters; each is tested over its `repeats`, and the one that broke is named."
        ),
    )
    quarantine: str | None = Field(
        default=None,
        description=(
            "A file of cases that count in no rule: a list of {case, reason, owner, expires}."
            " Default: `quarantine.yaml` beside the suite, where there is one."
        ),
    )
    retired: str | None = Field(
        default=None,
        description=(
            "A file of cases of the baseline that are not asked any more, or asked otherwise, on"
            " purpose: a list of {case, reason, owner}. Default: `retired.yaml` beside the suite,"
            " where there is one."
        ),
    )
    on_inconclusive: Literal["fail", "warn", "pass"] = Field(
        default="fail",
        description="Exit code when the cases do not decide: fail 4, warn and pass 0.",
    )

    @model_validator(mode="before")
    @classmethod
    def _fails_closed(cls, data: Any) -> Any:
        if isinstance(data, dict) and data.get("must_pass") is None:
            ruled = data.get("floors") or data.get("regression")
            return {**data, "must_pass": None if ruled else "all"}
        return data

    @field_validator("must_pass", mode="before")
    @classmethod
    def _selection(cls, value: Any) -> Any:
        if value in (None, "all"):
            return value
        if isinstance(value, list) and value and all(map(_is_name, value)):
            return list(dict.fromkeys(map(str, value)))
        if (
            isinstance(value, dict)
            and len(value) == 1
            and not isinstance(next(iter(value.values())), dict | list)
        ):
            return {str(tag): str(wanted) for tag, wanted in value.items()}
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

    @property
    def decides(self) -> bool:
        """Whether there is a rule."""
        return bool(self.must_pass or self.floors or self.regression)

    @property
    def first_rates(self) -> tuple[float, float]:
        """The error rates of a first attempt: of a wrong FAIL, and of a wrong PASS."""
        return self.record().first_rates

    def record(self) -> GateRecord:
        """The gate as a manifest holds it; the path of the baseline as the suite states it."""
        return msgspec.convert(self.model_dump(), GateRecord)

    def without_rules(self) -> "GateSpec":
        """The same, but it decides nothing and never stops a run: `gate: none`."""
        return self.model_copy(
            update={"must_pass": None, "floors": {}, "regression": None, "stop": "never"}
        )
