"""`approvals` of a suite: who must approve a run."""

from typing import Annotated

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from llmeval.core.approvals import ApprovalPolicy
from llmeval.suite.strict import Name, Strict

_DAYS = 3650


def whole_days(value: object) -> object:
    """90 of `90d`; a number as it is."""
    if isinstance(value, str):
        bare = value.strip().removesuffix("d")
        if not bare.isascii() or not bare.isdigit():
            raise PydanticCustomError("days", "must be a number of days such as 90d")
        return int(bare)
    return value


class ApprovalsSpec(Strict):
    """The people who must approve a run."""

    min: int = Field(default=1, ge=1, le=100, description="How many different people.")
    roles: list[Name] = Field(
        default=[], description="The roles that must be among them, each by another person."
    )
    not_author: bool = Field(
        default=False,
        description="Approvals by authors of the commits since the last baseline do not count.",
    )
    max_age: Annotated[int, BeforeValidator(whole_days)] | None = Field(
        default=None, ge=1, le=_DAYS, description="An older approval does not count, such as 90d."
    )
    signers: str | None = Field(
        default=None,
        description=(
            "A file of ssh public keys (`allowed_signers`). Then only signed approvals count."
        ),
    )

    def record(self) -> ApprovalPolicy:
        """The policy as the manifest holds it."""
        return ApprovalPolicy(
            min=self.min,
            roles=tuple(self.roles),
            not_author=self.not_author,
            max_age_days=self.max_age,
            signers=self.signers,
        )
