"""The terms of a gate: what a baseline keeps of it, so that a gate that was loosened is
seen.
"""

from typing import Any

import msgspec


class JudgeTerms(msgspec.Struct, frozen=True, kw_only=True):
    """What of a judge makes a run easier or harder to pass."""

    prompt: str | None = None
    """The name of its protocol, or its file."""
    when: str | None = None
    """Which answers it judges."""
    certificate: str | None = None
    """The file, as the suite names it."""
    attacks: bool = True
    """Whether known attacks are tried on it."""
    digest: str | None = None
    """The judge's digest, where a run made it."""


class GateTerms(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that makes a run easier or harder to pass."""

    gate: dict[str, Any]
    """The gate's keys as the suite states them, without paths. A mapping, as keys of another
    version of llmeval are compared too.
    """
    repeats: int = 1
    """Answers a case."""
    checks: dict[str, Any] = {}
    """By metric, the arguments of its check; the digest of long ones."""
    judges: dict[str, JudgeTerms] = {}
    """By metric."""
    measure: dict[str, str] = {}
    """Numbers of an answer, by name."""
    quarantine: tuple[str, ...] = ()
    """Ids of the cases in quarantine."""
    retired: tuple[str, ...] = ()
    """Ids of the retired cases."""


class Rejudged(msgspec.Struct, frozen=True, kw_only=True):
    """What a run that scores a baseline's answers again keeps of that baseline, so that nothing
    is hidden by it.
    """

    left_out: dict[str, str]
    """The baseline's cases that were not scored again, as the suite lacks them or has them
    otherwise: digests by id.
    """
    gate: GateTerms
    """The gate that the baseline was made with."""
