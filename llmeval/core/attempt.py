"""Attempts of one change: the number of a run, and the results of the earlier runs."""

from typing import Annotated, Literal

import msgspec

from llmeval.core.results import Decision

ATTEMPTS_SCHEMA = 1
"""The format of `attempts.json`."""

Pooled = float | None | Literal["-"]
"""A case's value in [0, 1]; None: it is missing; "-": the metric does not apply to it."""


class EarlierAttempt(msgspec.Struct, frozen=True):
    """A run of the same change that was decided before this one began."""

    run_id: str
    """The id of that run."""
    decision: Decision | None
    """Its decision; None where its records can't be read, so that it is an attempt with an unknown
    result.
    """


class AttemptRecord(msgspec.Struct, frozen=True, kw_only=True):
    """Which attempt of its change a run is, as determined when the run began."""

    earlier: tuple[EarlierAttempt, ...] = ()
    """The earlier attempts in the reports folder, the oldest first."""
    ci: Annotated[int, msgspec.Meta(ge=1)] | None = None
    """The number that the CI server gives this attempt; None outside CI."""

    @property
    def number(self) -> int:
        """The number of earlier attempts in the reports folder, plus one."""
        return len(self.earlier) + 1


class AttemptColumn(msgspec.Struct, frozen=True):
    """One metric of an attempt, by case in the order of `AttemptValues.cases`."""

    scorer: str
    """Digest of the judge or of the checks."""
    values: tuple[Pooled, ...]
    """The mean over the repeats."""
    passed: str
    """A letter for each case: y (pass), n (fail), or - (no result)."""


class AttemptValues(msgspec.Struct, frozen=True, kw_only=True):
    """The results of one earlier attempt, case by case."""

    run_id: str
    cases: dict[str, str]
    """The beginning of each case's digest, 16 hex digits, by id."""
    outputs: tuple[str, ...]
    """A digest of each case's answers, in the same order."""
    metrics: dict[str, AttemptColumn]
    numbers: str = ""
    """A digest of the numbers of its answers: seconds, dollars, tokens and what the suite measures;
    empty where it is not kept.
    """


class AttemptsFile(msgspec.Struct, frozen=True, kw_only=True):
    """`attempts.json`: the results that a run is pooled with. The copy makes the run directory
    sufficient to decide the run.
    """

    schema: int = ATTEMPTS_SCHEMA
    attempts: tuple[AttemptValues, ...]
