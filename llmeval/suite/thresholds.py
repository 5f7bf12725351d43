"""The two forms of a rule's limit in a suite: a number, or a mapping with the
limit and its scale.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, Discriminator, Field, Tag

from llmeval.suite.strict import Margin, Share, Strict

Scale = Literal["people", "judge"]
SCALE = (
    "For a judged metric. people: the human pass rate, so an UNTRUSTED judge decides nothing."
    " judge: the judge's own verdicts, without correction."
)


class FloorRule(Strict):
    """A floor with its scale."""

    min: float = Field(gt=0, le=1, description="The pass rate to reach.")
    scale: Scale = Field(default="people", description=SCALE)


class MarginRule(Strict):
    """A margin with its scale."""

    margin: Margin = Field(
        description="The drop of the mean that must not be reached: 0.05 is 5 points."
    )
    scale: Scale = Field(default="people", description=SCALE)


def _form(value: object) -> str:
    """Which of the two forms a value has, so that a message is about that form only."""
    return "mapping" if isinstance(value, dict | BaseModel) else "number"


FloorStated = Annotated[
    Annotated[Share, Tag("number")] | Annotated[FloorRule, Tag("mapping")], Discriminator(_form)
]
MarginStated = Annotated[
    Annotated[Margin, Tag("number")] | Annotated[MarginRule, Tag("mapping")], Discriminator(_form)
]
