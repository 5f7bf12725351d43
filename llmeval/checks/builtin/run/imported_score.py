"""A score that another tool gave to a recorded answer (`llmeval import
deepeval|inspect|lm-eval`).
"""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from llmeval.checks.base import Result, check, graded, not_applicable
from llmeval.core.errors import CheckError
from llmeval.core.records import Answer, Case, digest


class ImportedScore(BaseModel):
    """What a tool said of one answer. `answer`: the digest of the text it scored; `error`: why it
    gave no score.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    answer: str
    repeat: int = 0
    value: Annotated[float, Field(ge=0, le=1)] | None = None
    passed: bool | None = None
    reason: str = ""
    error: str = ""


@check(group="run", raw=True)  # a digest is of the bytes
def recorded(
    case: Case, answer: Answer, *, scores: list[ImportedScore], tool: str = "another tool"
) -> Result:
    """What another tool said of this very answer, as imported; not applicable to any other answer.

    Each score is bound to its answer's text by sha256, and is neither checked nor repeated here.
    """
    text = digest(answer.text.encode("utf-8", "surrogatepass"))
    match = next(
        (each for each in scores if each.answer == text and each.repeat == answer.repeat), None
    )
    if match is None:
        return not_applicable(f"{tool} scored another answer than this one")
    if match.value is None or match.passed is None:
        raise CheckError(f"{tool} gave no score: {match.error or 'no value is recorded'}")
    return graded(
        match.value,
        match.passed,
        match.reason or f"scored by {tool}",
        details={"imported from": tool},
    )
