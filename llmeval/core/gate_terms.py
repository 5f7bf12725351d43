"""The terms of a gate. A baseline records them, so that a later comparison shows how the gate was
loosened.
"""

from typing import Any

import msgspec

from llmeval.core.approvals import ApprovalPolicy


class JudgeTerms(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of a judge that make a run easier or harder to pass."""

    prompt: str | None = None
    """The name of its protocol, or its file."""
    when: str | None = None
    """Which answers it judges."""
    certificate: str | None = None
    """The file, as the suite names it."""
    attacks: bool = True
    """Whether each run tests it with known attacks."""
    digest: str | None = None
    """The judge's digest; null if no run has computed it."""


class ApprovalTerms(msgspec.Struct, frozen=True, kw_only=True):
    """The policy of approvals that a suite states."""

    digest: str
    """sha256 of the rules."""
    rules: ApprovalPolicy
    """Who must approve a run."""


class GateTerms(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that makes a run easier or harder to pass."""

    gate: dict[str, Any]
    """The gate's keys as the suite states them, without paths. It is a mapping because keys of
    other versions of llmeval are compared too.
    """
    repeats: int = 1
    """Answers a case."""
    checks: dict[str, Any] = {}
    """By metric, the arguments of its check; long arguments as a digest."""
    judges: dict[str, JudgeTerms] = {}
    """By metric."""
    measure: dict[str, str] = {}
    """Numbers of an answer, by name."""
    quarantine: tuple[str, ...] = ()
    """Ids of the cases in quarantine."""
    retired: tuple[str, ...] = ()
    """Ids of the retired cases."""
    approvals: ApprovalTerms | msgspec.UnsetType = msgspec.UNSET
    """Only of a suite that demands approvals."""


class Rejudged(msgspec.Struct, frozen=True, kw_only=True):
    """What a run records about a baseline whose answers it scores again. Without this record,
    missing cases and a looser gate would not show.
    """

    left_out: dict[str, str]
    """The baseline's cases that were not scored again, because the suite lacks them or their
    content changed: digests by id.
    """
    gate: GateTerms
    """The gate that the baseline was made with."""
