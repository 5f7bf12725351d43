"""The record of a line of `audit.jsonl`: one event, bound to the events before it."""

from typing import Annotated, Literal

import msgspec

from llmeval.core.approvals import Instant
from llmeval.core.seal import Sha256

AUDIT_SCHEMA = 1
AuditAction = Literal[
    "started",
    "sealed",
    "gated",
    "approved",
    "rejected",
    "overridden",
    "baseline set",
    "baseline released",
    "quarantine changed",
    "acceptance added",
    "judge certified",
    "judge voided",
    "promoted",
    "canary compared",
    "trigger fired",
    "alarm raised",
    "alarm ended",
    "joined",
]
"""What happened. `joined`: two branches of the chain were merged."""


class AuditEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One event."""

    schema: int = AUDIT_SCHEMA
    """The format of the line."""
    seq: Annotated[int, msgspec.Meta(ge=1)]
    """Its place: one more than the largest one before it."""
    prev: tuple[Sha256, ...]
    """The hash of the event before it; of both ends where two branches join; none of the first."""
    at: Instant
    """ISO 8601, UTC."""
    actor: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    """Who or what did it, as configured."""
    action: AuditAction
    """What happened."""
    object: Annotated[str, msgspec.Meta(max_length=1000)]
    """What it happened to, such as `run 20261130T101500-ab12` or a file."""
    digest: Sha256 | None = None
    """Of that object, where it has one."""
    note: Annotated[str, msgspec.Meta(max_length=10_000)] = ""
    """The reason, or further values."""
    hash: Sha256
    """sha256 over the canonical JSON (RFC 8785) of everything else in the line."""
