"""The records of approvals: the policy that a suite states, and what one person decided."""

from typing import Annotated, Literal

import msgspec

from llmeval.core.seal import Sha256

APPROVAL_SCHEMA = 1
PersonName = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Day = Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d\d-\d\d\Z")]
Instant = Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\Z")]


class ApprovalPolicy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many people must approve a run, and which ones: `approvals` of a suite."""

    min: Annotated[int, msgspec.Meta(ge=1, le=100)] = 1
    """How many different people must approve."""
    roles: tuple[PersonName, ...] = ()
    """The roles that must be among the approvals, each by another person."""
    not_author: bool = False
    """Whether approvals by authors of the changed commits do not count."""
    max_age_days: Annotated[int, msgspec.Meta(ge=1, le=3650)] | None = None
    """An older approval does not count; null for no limit."""
    signers: str | None = None
    """A file of ssh public keys (`allowed_signers`), relative to the suite. Then an approval counts
    only with a valid signature of its person.
    """


class RunApproval(msgspec.Struct, frozen=True, kw_only=True):
    """One person's decision about one sealed run: a file in `approvals/`."""

    schema: int = APPROVAL_SCHEMA
    """The format of the file."""
    suite: str
    """Name of the suite."""
    run_id: str
    """The run."""
    seal: Sha256
    """The digest of its seal. A new seal needs new approvals."""
    by: PersonName
    """The person; with signatures, the name in `allowed_signers`."""
    role: PersonName
    """In which role."""
    decision: Literal["approve", "reject", "override"]
    """`override`: release although the run did not PASS. It never changes the run's decision."""
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=10_000)]
    """In a sentence."""
    at: Instant
    """ISO 8601, UTC."""
    until: Day | None = None
    """The last day on which it counts; null for no limit."""
