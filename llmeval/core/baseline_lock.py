"""The lock file of a baseline: one or more approved runs, with a value for each case and metric."""

import math
from datetime import UTC, date, datetime
from typing import Literal

import msgspec

from llmeval.core.gate_terms import GateTerms
from llmeval.core.manifest import Digests

LOCK_SCHEMA = 3
"""The newest format of a lock file. From 2 on it holds the gate that the run was approved with; 3
is that of several runs or of a release, which an older llmeval would misread.
"""

KeptValue = float | None | Literal["-"]
"""A case's value in [0, 1], the mean over the baseline's runs; None: it is missing in all of them;
"-": the metric does not apply to it.
"""


class Approval(msgspec.Struct, frozen=True):
    """Who took this run as the baseline, why, when (UTC), and the last day it counts."""

    by: str
    """Name."""
    reason: str
    """In a sentence."""
    at: str
    """ISO 8601, UTC."""
    expires: str | None = None
    """ISO 8601; null where it does not end."""


class BaselineValues(msgspec.Struct, frozen=True):
    """One metric: what scored it, and a value for each of the baseline's cases, in their order."""

    scorer: str
    """Digest of the judge or of the checks."""
    values: tuple[KeptValue, ...]
    """In the order of `cases`."""
    passed: str = ""
    """Of a judge's metric, a letter for each case: y, n, or - where it has no verdict. Empty with
    repeats, and with several runs.
    """
    gaps: dict[str, float] = {}
    """Of cases that are missing in some of several runs, the share of those runs, by id. The value
    then counts a missing result as 0, so the mean may be higher by up to this much.
    """
    noise: float | None = None
    """The variance of one run's value around its case's mean, averaged over the cases that are
    missing in no run. Null with one run.
    """


class BaselineRun(msgspec.Struct, frozen=True, kw_only=True):
    """One of the runs that a baseline is the mean of."""

    run_id: str
    """The id of the run."""
    candidate: str
    """Digest of the candidate's identity."""
    decision: str | None = None
    """Of that run."""


class BaselineLink(msgspec.Struct, frozen=True, kw_only=True):
    """One baseline in the chain of those that a suite has had."""

    run_id: str
    """Its latest run."""
    runs: int = 1
    """How many runs it is the mean of."""
    candidate: str
    """Name of the model."""
    approved: Approval
    """Who approved it, and why."""
    release: bool = False
    """Whether it became the release anchor."""
    against: str | None = None
    """The run of the release that the drops are measured from; null where there was none."""
    drops: dict[str, float | None] = {}
    """By metric, how far its mean is below the release's, over the cases that both have: 0.02 is 2
    points lower. Null where they share no result.
    """
    cases: int = 0
    """How many cases it shares with the release."""


class BaselineLock(msgspec.Struct, frozen=True, kw_only=True):
    """A lock file; or the same of a run that nobody has approved."""

    schema: int = 2
    """The format of the lock file."""
    suite: str
    """Name of the suite."""
    run_id: str
    """The run that it was made of."""
    candidate: str
    """Name of the model."""
    decision: str | None
    """Of that run."""
    approved: Approval | None
    """Null where nobody has."""
    digests: Digests
    """Of that run."""
    gate: GateTerms | None = None
    """The gate it was approved with; null in a lock file from before gates were kept, which nothing
    is compared with.
    """
    left_out: dict[str, str] = {}
    """Cases that belong to the baseline and have no result in it (`Rejudged`): digests by id."""
    cases: dict[str, str]
    """The beginning of each case's digest, 16 hex digits, by id."""
    outputs: tuple[str, ...] = ()
    """Of runs with a judge and without repeats, `output_digest` of each case's answer, in the same
    order.
    """
    metrics: dict[str, BaselineValues]
    """Results by metric."""
    runs: tuple[BaselineRun, ...] = ()
    """The runs that it is the mean of, the oldest first; empty in a lock file from before there
    could be several, and of one run.
    """
    release: "BaselineLock | None" = None
    """The release that later runs are compared with as well; null where no run was released."""
    chain: tuple[BaselineLink, ...] = ()
    """The baselines that this suite has had, the oldest first, the last one this."""
    digest: str = ""
    """sha256 of everything else in the lock file but the format and the approval's last day; empty
    of a run's directory, and in a lock file from before there was one.
    """

    @property
    def run_count(self) -> int:
        """How many runs it is the mean of."""
        return max(1, len(self.runs))

    @property
    def answers(self) -> int:
        """How many answers there are to each case, over all runs and repeats."""
        return self.run_count * (1 if self.gate is None else self.gate.repeats)

    def gaps(self, metric: str) -> dict[str, float]:
        """By case id, how much higher than its least the mean may be, as some runs miss it."""
        column = self.metrics.get(metric)
        return {} if column is None else column.gaps

    def results(self, metric: str) -> dict[str, float]:
        """Value by case id of the cases the metric applies to; NaN where it is missing.

        Where some of several runs miss it, the middle of what the mean may be (`gaps`).
        """
        column = self.metrics.get(metric)
        if column is None:
            return {}
        gaps = column.gaps
        return {
            name: math.nan if value is None else float(value) + gaps.get(name, 0.0) / 2
            for name, value in zip(self.cases, column.values, strict=True)
            if value != "-"
        }

    def everything(self) -> dict[str, str]:
        """The beginning of each case's digest by id, also of those without a result."""
        return {**self.left_out, **self.cases}

    def expired(self, today: date | None = None) -> bool:
        """Whether the approval's last day is over (UTC)."""
        until = self.approved.expires if self.approved is not None else None
        return until is not None and (today or datetime.now(UTC).date()) > date.fromisoformat(until)
