"""The two forms of a rule's limit in a suite: a number, or a mapping that says more, such as the
scale.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, Discriminator, Field, Tag
from pydantic_core import PydanticCustomError

from llmeval.suite.strict import Share, Strict

MOST_RISE = 100.0
"""The largest margin of a number: a hundred times as much."""
OnInconclusive = Literal["fail", "warn", "pass"]
ON_INCONCLUSIVE = (
    "Exit code where this rule is INCONCLUSIVE and no other one decides: fail 4, warn and pass 0."
    " Default: as `gate.on_inconclusive`."
)

Scale = Literal["people", "judge"]
SCALE = (
    "For a judged metric. people: the human pass rate, so an UNTRUSTED judge decides nothing."
    " judge: the judge's own verdicts, without correction."
)


def _percent(value: object) -> object:
    """0.2 of `20%`; anything else as it is."""
    if not isinstance(value, str):
        return value
    try:
        share = float(value.strip().removesuffix("%")) / 100
    except ValueError:
        share = None
    if share is None or not value.strip().endswith("%"):
        raise PydanticCustomError("margin", "a margin is a number such as 0.05, or `20%`")
    return round(share, 12)


Margin = Annotated[float, BeforeValidator(_percent), Field(gt=0, le=MOST_RISE)]


class FloorRule(Strict):
    """A floor that states more than its rate."""

    min: float = Field(gt=0, le=1, description="The pass rate to reach.")
    scale: Scale = Field(default="people", description=SCALE)
    on_inconclusive: OnInconclusive | None = Field(default=None, description=ON_INCONCLUSIVE)


class MarginRule(Strict):
    """A margin that states more than its size."""

    margin: Margin = Field(
        description=(
            "The drop of the mean that must not be reached: 0.05 is 5 points. For a number such as"
            " `latency.p95` the rise: `20%`."
        )
    )
    scale: Scale = Field(default="people", description=SCALE)
    on_inconclusive: OnInconclusive | None = Field(default=None, description=ON_INCONCLUSIVE)


class LimitRule(Strict):
    """A limit of a number that states more than its value."""

    max: float = Field(allow_inf_nan=False, description="The largest value.")
    on_inconclusive: OnInconclusive | None = Field(default=None, description=ON_INCONCLUSIVE)


def _form(value: object) -> str:
    """Which of the two forms a value has, so that a message is about that form only."""
    return "mapping" if isinstance(value, dict | BaseModel) else "number"


FloorStated = Annotated[
    Annotated[Share, Tag("number")] | Annotated[FloorRule, Tag("mapping")], Discriminator(_form)
]
MarginStated = Annotated[
    Annotated[Margin, Tag("number")] | Annotated[MarginRule, Tag("mapping")], Discriminator(_form)
]
LimitStated = Annotated[
    Annotated[float, Field(allow_inf_nan=False), Tag("number")]
    | Annotated[LimitRule, Tag("mapping")],
    Discriminator(_form),
]
