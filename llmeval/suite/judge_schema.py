"""`judges` of a suite: one metric each, with its models and protocol."""

from typing import Any, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from llmeval.suite.model_schema import ModelSpec
from llmeval.suite.strict import Share, Strict


class JudgeSpec(Strict):
    """One judged metric: the judge (`model`, `panel` or `cascade`), and its protocol."""

    model: str | ModelSpec | None = Field(
        default=None, description="A name from `models`, or a model written here."
    )
    panel: list[str | ModelSpec] = Field(
        default=[],
        description="Several judges: the strict majority over all judges of the panel decides.",
    )
    cascade: list[str | ModelSpec] = Field(
        default=[],
        description=(
            "Several judges: each is called only if the one before was not sure (`band`)."
        ),
    )
    band: tuple[Share, Share] = Field(
        default=(0.1, 0.9),
        description="A judge is not sure if its probability of passing is between these two.",
    )
    audit: Share = Field(
        default=0.05,
        description=("Share of the sure verdicts that the next judge of a cascade judges as well."),
    )
    prompt: str = Field(
        default="reference", description="A protocol's name, or the path of your own template."
    )
    criteria: list[str | dict[str, Any]] = Field(
        default=[],
        description=(
            "For `rubric` and `style`: statements that a good answer fulfils, or {name, "
            "statement, weight}."
        ),
    )
    params: dict[str, Any] = Field(
        default={},
        description=(
            "Sampling parameters. They replace those of the model, which replace the judge's"
            " defaults. null leaves one out."
        ),
    )
    votes: int = Field(
        default=1,
        gt=0,
        le=25,
        description="The most replies, odd. The calls stop as soon as the majority is certain.",
    )
    logprobs: bool = Field(
        default=False,
        description=(
            "Read the verdict's probability from log probabilities, if the endpoint returns them."
        ),
    )
    readout: bool = Field(
        default=False,
        description=(
            "Local weights as a decision model: the probabilities of the labels are read from one"
            " forward pass, and no text is generated."
        ),
    )
    attacks: bool = Field(
        default=True,
        description=(
            "Test the judge with known attacks in each run; an attack that passes makes the run"
            " INVALID."
        ),
    )
    certificate: str | None = Field(
        default=None,
        description="The judge's certificate: a file that `llmeval judge certify` writes.",
    )
    when: Literal["always", "uncertain"] = Field(
        default="always",
        description=(
            "`uncertain`: only if the `facts` check is not confident; otherwise its verdict counts."
        ),
    )

    @property
    def models(self) -> list[tuple[tuple[str | int, ...], str | ModelSpec]]:
        """(key, model) of each judge, in the order of their calls."""
        if self.model is not None:
            return [(("model",), self.model)]
        key, several = ("panel", self.panel) if self.panel else ("cascade", self.cascade)
        return [((key, number), model) for number, model in enumerate(several)]

    @model_validator(mode="after")
    def _one_way(self) -> "JudgeSpec":
        if sum((self.model is not None, bool(self.panel), bool(self.cascade))) != 1:
            raise PydanticCustomError("judge", "give one of `model`, `panel` and `cascade`")
        if self.votes % 2 == 0:
            raise PydanticCustomError(
                "votes", "`votes` must be an odd number, so that there is a majority"
            )
        if self.band[0] >= self.band[1]:
            raise PydanticCustomError("band", "`band` must be [low, high], with low below high")
        return self
