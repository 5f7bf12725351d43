"""The lock file of a baseline: an approved run, with a value for each case and metric."""

import math
from datetime import UTC, date, datetime
from typing import Literal

import msgspec

from llmeval.core.gate_terms import GateTerms
from llmeval.core.manifest import Digests

LOCK_SCHEMA = 2
"""The format of a lock file. From 2 on it holds the gate that the run was approved with."""

KeptValue = float | None | Literal["-"]
"""A case's value in [0, 1]; None: it is missing; "-": the metric does not apply to it."""


class Approval(msgspec.Struct, frozen=True):
    """Who approved this run as the baseline, why, when (UTC), and the last day of the approval."""

    by: str
    """Name."""
    reason: str
    """In a sentence."""
    at: str
    """ISO 8601, UTC."""
    expires: str | None = None
    """ISO 8601; null for an approval without an end."""


class BaselineValues(msgspec.Struct, frozen=True):
    """One metric: what scored it, and a value for each of the baseline's cases, in their order."""

    scorer: str
    """Digest of the judge or of the checks."""
    values: tuple[KeptValue, ...]
    """One value for each case, in the order of `cases`."""
    passed: str = ""
    """A letter for each case: y (pass), n (fail), or - (no result). For a judge's metric without
    repeats, and where a value in between does not say whether the case passed; empty otherwise.
    """

    @property
    def tells_passes(self) -> bool:
        """Whether it says of each case whether it passed."""
        return bool(self.passed) or all(value in (0, 1, None, "-") for value in self.values)


KeptNumber = float | None | tuple[float | None, ...]
"""A number of a case's answer, or of each of its repeats; None: it is missing."""


class BaselineNumbers(msgspec.Struct, frozen=True):
    """One number: how it is measured, and its values of each of the baseline's cases."""

    values: tuple[KeptNumber, ...]
    """In the order of `cases`."""
    measure: str = ""
    """The suite's expression; empty for the numbers of every answer."""


class BaselineLock(msgspec.Struct, frozen=True, kw_only=True):
    """The content of a lock file, also for a run that nobody has approved."""

    schema: int = LOCK_SCHEMA
    """The format of the lock file."""
    suite: str
    """Name of the suite."""
    run_id: str
    """The run that it was made from."""
    candidate: str
    """Name of the model."""
    decision: str | None
    """Of that run."""
    approved: Approval | None
    """Null if nobody has approved the run."""
    digests: Digests
    """Of that run."""
    gate: GateTerms | None = None
    """The gate that it was approved with. Null in an old lock file, which had no gate: then gates
    are not compared.
    """
    left_out: dict[str, str] = {}
    """Cases that belong to the baseline and have no result in it (`Rejudged`): digests by id."""
    cases: dict[str, str]
    """The beginning of each case's digest, 16 hex digits, by id."""
    outputs: tuple[str, ...] = ()
    """For runs with a judge and without repeats: `output_digest` of each case's answer, in the same
    order.
    """
    metrics: dict[str, BaselineValues]
    """Results by metric."""
    numbers: dict[str, BaselineNumbers] = {}
    """Seconds, dollars, tokens and what the suite measures, by name."""

    def numbers_of(self, name: str) -> dict[str, tuple[float, ...]]:
        """The values of a number by case id, one for each repeat; NaN where it is missing."""
        column = self.numbers.get(name)
        pairs = zip(self.cases, () if column is None else column.values, strict=column is not None)
        return {
            case_id: tuple(
                math.nan if value is None else float(value)
                for value in (kept if isinstance(kept, tuple) else (kept,))
            )
            for case_id, kept in pairs
        }

    def results(self, metric: str, *, passes: bool = False) -> dict[str, float]:
        """Value by case id of the cases the metric applies to; NaN where it is missing.

        Args:
            metric: the name.
            passes: 1 of a case that passed and 0 of another, where the lock file tells.
        """
        column = self.metrics.get(metric)
        if passes and column is not None and column.passed:
            letters = zip(self.cases, column.values, column.passed, strict=True)
            return {
                name: math.nan if letter == "-" else float(letter == "y")
                for name, value, letter in letters
                if value != "-"
            }
        pairs = zip(self.cases, () if column is None else column.values, strict=column is not None)
        return {
            name: math.nan if value is None else float(value)
            for name, value in pairs
            if value != "-"
        }

    def everything(self) -> dict[str, str]:
        """The beginning of each case's digest by id, also of those without a result."""
        return {**self.left_out, **self.cases}

    def expired(self, today: date | None = None) -> bool:
        """Whether the approval's last day is over (UTC)."""
        until = self.approved.expires if self.approved is not None else None
        return until is not None and (today or datetime.now(UTC).date()) > date.fromisoformat(until)
