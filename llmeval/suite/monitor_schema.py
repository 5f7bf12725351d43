"""`monitor` of a suite: which production traffic is tested, and what of it."""

from typing import Annotated

from pydantic import BeforeValidator, Field, field_validator
from pydantic_core import PydanticCustomError

from llmeval.suite.approvals_schema import whole_days
from llmeval.suite.strict import Name, Strict

TRAFFIC = "traffic://"
Days = Annotated[int, BeforeValidator(whole_days), Field(ge=1, le=3650)]


class MaxAges(Strict):
    """How old each part may be before `llmeval status` calls it overdue."""

    model: Days = Field(default=365, description="Since the model answered its first run.")
    data: Days = Field(default=180, description="Since the cases of the suite changed.")
    judge: Days = Field(default=90, description="Since the certificate of each judge.")
    baseline: Days = Field(default=90, description="Since the approval of the baseline.")
    labels: Days = Field(default=90, description="Since the newest human label.")


class MonitorSpec(Strict):
    """Production traffic that the suite's checks and judges test."""

    source: str = Field(
        description=(
            "`traffic://` and a file or folder: JSONL with an answer a line, or OTLP-JSON"
            " (docs/monitoring.md)."
        )
    )
    metrics: list[Name] = Field(
        min_length=1,
        description="Metrics of `checks` and `judges` that are watched. Nothing else is scored.",
    )
    slices: list[str] = Field(
        default=[],
        max_length=100,
        description=(
            "Tags with a value, such as `topic=law`. Each is watched by itself, for each metric."
        ),
    )
    rate: float = Field(
        default=1.0,
        gt=0,
        le=1,
        description=(
            "Share of the answers that is scored. An answer is drawn by the sha256 of its trace id."
        ),
    )
    tolerance: float = Field(
        default=0.02, gt=0, lt=1, description="The smallest fall of the pass rate that counts."
    )
    volume: float | None = Field(
        default=None,
        gt=0,
        lt=1,
        description=(
            "A day with fewer answers than this share of the median day of the reference is an"
            " alarm, such as 0.1. Without it, less traffic is not an alarm."
        ),
    )
    map: dict[str, str] = Field(
        default={},
        description=(
            "Field: dotted path in a line of the traffic, if the names differ. Fields are `id`,"
            " `time`, `input`, `messages`, `output`, `session`, `user`, `tags`, or any that the"
            " checks use."
        ),
    )
    redact: bool = Field(
        default=True,
        description=(
            "Replace personal data and secrets before anything is stored. A metric that looks for"
            " them needs `false`."
        ),
    )
    canary: str | None = Field(
        default=None,
        description=(
            "A suite that is run on the production endpoint before each look. Unless it is PASS,"
            " the look is INVALID: the environment differs."
        ),
    )
    max_age: MaxAges = Field(default=MaxAges(), description="Ages for `llmeval status`.")

    @field_validator("source")
    @classmethod
    def _traffic(cls, value: str) -> str:
        if not value.startswith(TRAFFIC) or not value.removeprefix(TRAFFIC):
            raise PydanticCustomError(
                "traffic", "must be `traffic://` and a file or folder, such as traffic://logs"
            )
        return value

    @field_validator("slices")
    @classmethod
    def _one_slice(cls, value: list[str]) -> list[str]:
        for each in value:
            name, equals, rest = each.partition("=")
            if not (name.strip() and equals and rest.strip()):
                raise PydanticCustomError("slice", "a slice is a tag with a value: topic=law")
        return _distinct(value)

    @field_validator("metrics")
    @classmethod
    def _distinct_metrics(cls, value: list[str]) -> list[str]:
        return _distinct(value)

    @property
    def path(self) -> str:
        """The file or folder of the traffic, as the suite names it."""
        return self.source.removeprefix(TRAFFIC)


def _distinct(values: list[str]) -> list[str]:
    if len(set(values)) < len(values):
        raise PydanticCustomError("twice", "the same entry stands here twice")
    return values
