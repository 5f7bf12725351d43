"""The simulated user of a suite's conversations as a type."""

from typing import Any

from pydantic import Field

from llmeval.suite.model_schema import ModelSpec
from llmeval.suite.strict import Strict

DEFAULT_TURNS = 10
"""Turns of a conversation with a simulated user, where the suite does not say."""


class UserSpec(Strict):
    """A simulated user: a model that writes the user's messages."""

    model: str | ModelSpec = Field(
        description="A name from `models`, or a model written here; not the candidate."
    )
    goal: str = Field(
        min_length=1, description="What the user wants to achieve: a template over the case."
    )
    persona: str = Field(
        default="", description="Who the user is and how they write: a template over the case."
    )
    stop: str = Field(
        default="the goal is reached, or it is clear that it can't be reached",
        min_length=1,
        description="When the user ends the conversation: a template over the case.",
    )
    seed: int = Field(
        default=0, description="Sent as `seed` with each request, plus the number of the repeat."
    )
    params: dict[str, Any] = Field(
        default={},
        description=(
            "Sampling parameters of the user, over the model's own and over the defaults of"
            " temperature 0 and 512 tokens. null leaves one out."
        ),
    )
    judge: str | ModelSpec | None = Field(
        default=None,
        description=(
            "A model that judges whether the user kept to its goal. If it did not, the answer is"
            " missing: the fault is not the candidate's. Without it only rules decide: an empty"
            " message, a loop, a copy of a reply."
        ),
    )
